"""Samples of a dataset folder as records; pictures are read when asked for."""

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from hartsim.dataset.durable import read_json
from hartsim.dataset.layout import MANIFEST, manifest_line, read_marker, sample_folders
from hartsim.errors import DatasetError, HartSimError
from hartsim.images import read_image, read_map
from hartsim.types import (
    CLASS_ID,
    ROUTES,
    Box3D,
    Camera,
    Check,
    Depth,
    Image,
    Instance,
    Instances,
    Labels,
    Mask,
    Points,
    Route,
    Size,
)

_STORED: Mapping[str, type] = {
    **dict.fromkeys(("id", "route", "scenario", "camera", "prompt", "negative"), str),
    **dict.fromkeys(("index", "seed"), int),
    **dict.fromkeys(("drawn", "tags", "scene", "render", "textures"), dict),
    **dict.fromkeys(("provenance", "files", "timings_s"), dict),
}
"""The fields of a record that are kept as `sample.json` has them."""

_Reader = Callable[[Path], NDArray[np.generic]]


@dataclass(frozen=True)
class LabelledObject:
    """An annotation as stored: box (column, row, width, height) in pixels, mask area.

    `known_share` is the share of its visible pixels whose label is known to be true. Where the
    world could tell, `occluded` and `truncated` say how much is hidden, and cut off by the edge.
    """

    instance: Instance
    box_px: tuple[int, int, int, int]
    area_px: int
    known_share: float
    occluded: float | None = None
    truncated: float | None = None


@dataclass(frozen=True)
class Record:
    """One sample on disk; `render` and `textures` say how its pictures were made.

    The methods read its files: None where the route has no such file, DatasetError where the file
    is missing, broken or of another size.
    """

    folder: Path
    id: str
    route: Route
    scenario: str
    index: int
    seed: int
    camera: str
    prompt: str
    negative: str
    size_px: Size
    drawn: Mapping[str, Any]
    tags: Mapping[str, Sequence[str]]
    scene: Mapping[str, Any]
    render: Mapping[str, Any]
    textures: Mapping[str, Mapping[str, Any]]
    calibration: Camera | None
    annotations: tuple[LabelledObject, ...]
    checks: tuple[Check, ...]
    provenance: Mapping[str, Any]
    files: Mapping[str, str]
    timings_s: Mapping[str, float]

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    def image(self) -> Image:
        """The finished picture."""
        image = self._read("image.png", read_image)
        if image is None:
            raise DatasetError(
                f"sample {self.id}: {self.folder / 'sample.json'} lists no image.png"
            )
        return image.astype(np.uint8)

    def frame(self) -> Image | None:
        """The simulator's picture."""
        frame = self._read("frame.png", read_image)
        return None if frame is None else frame.astype(np.uint8)

    def labels(self) -> Labels | None:
        """Class ids that hold for the picture; UNKNOWN where nothing is known to be true."""
        labels = self._read("labels.png", read_map)
        return None if labels is None else labels.astype(np.uint8)

    def instances(self) -> Instances | None:
        """Instance ids; 0 for none."""
        instances = self._read("instances.png", read_map)
        return None if instances is None else instances.astype(np.uint16)

    def mask(self) -> Mask | None:
        """True where the picture was allowed to differ from the frame."""
        mask = self._read("mask.png", read_map)
        return None if mask is None else mask.astype(np.bool_)

    def depth_m(self) -> Depth | None:
        """Metres along the optical axis, inf for sky; at most 0.05 % off."""
        depth = self._read("depth.npz", _read_depth)
        return None if depth is None else depth.astype(np.float32)

    def lidar(self) -> Points | None:
        """Points of the same moment (N, 4): x, y, z in metres in the base frame, intensity."""
        if "lidar.npz" not in self.files:
            return None
        return self._open("lidar.npz", _read_points).astype(np.float32)

    def texture(self, surface: str) -> Image:
        """The paint of one surface, a key of `textures`."""
        return self._open(f"texture_{surface}.png", read_image).astype(np.uint8)

    def _read(self, name: str, read: _Reader) -> NDArray[np.generic] | None:
        if name not in self.files:
            return None
        pixels = self._open(name, read)
        if pixels.shape[:2] != self.size_px:
            raise DatasetError(
                f"sample {self.id}: {self.folder / name} is {pixels.shape[0]}x{pixels.shape[1]}, "
                f"its sample.json says {self.size_px[0]}x{self.size_px[1]}"
            )
        return pixels

    def _open(self, name: str, read: _Reader) -> NDArray[np.generic]:
        try:
            return read(self.folder / name)
        except HartSimError as error:
            raise DatasetError(f"sample {self.id}: {error}") from error


def read_samples(root: Path) -> Iterator[Record]:
    """The samples of a dataset, sorted by id; DatasetError where one is broken."""
    read_marker(root)
    return (read_record(folder) for folder in sample_folders(root))


def read_record(folder: Path) -> Record:
    """The sample in a folder; DatasetError names the file and what is wrong with it."""
    path = folder / "sample.json"
    data = read_json(path)
    try:
        return _record(folder, data)
    except KeyError as error:
        raise DatasetError(f"{path}: no key {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise DatasetError(f"{path}: {error}") from error


def verify(root: Path) -> list[str]:
    """What is wrong with a dataset, one sentence each; empty where every byte is as written."""
    read_marker(root)
    problems = [line for folder in sample_folders(root) for line in _damage(folder)]
    for folder in sorted((root / "samples").iterdir()):
        if not (folder / "sample.json").is_file():
            problems.append(f"{folder}: has no sample.json; delete it and generate again")
    return problems or _manifest_damage(root)


def _damage(folder: Path) -> Iterator[str]:
    try:
        files = read_record(folder).files
    except DatasetError as error:
        yield str(error)
        return
    for name, sha256 in sorted(files.items()):
        path = folder / name
        if not path.is_file():
            yield f"{path}: missing"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            yield f"{path}: its bytes are not those that were written"


def _manifest_damage(root: Path) -> list[str]:
    path = root / MANIFEST
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    if lines == [manifest_line(folder) for folder in sample_folders(root)]:
        return []
    return [f"{path}: does not match the samples; generate or merge again to renew it"]


def _record(folder: Path, data: Mapping[str, Any]) -> Record:
    if data["id"] != folder.name:
        raise ValueError(f"id is {data['id']!r}, its folder is named {folder.name!r}")
    if data["route"] not in ROUTES:
        raise ValueError(f"route is {data['route']!r}, not one of {', '.join(ROUTES)}")
    values: dict[str, Any] = {name: _stored(data, name, kind) for name, kind in _STORED.items()}
    return Record(
        folder=folder,
        size_px=_size(data["size_px"]),
        calibration=_camera(data["camera"], data["calibration"]),
        annotations=tuple(_labelled_object(item) for item in data["annotations"]),
        checks=tuple(Check(**item) for item in data["checks"]),
        **values,
    )


def _stored(data: Mapping[str, Any], name: str, kind: type) -> Any:
    if not isinstance(data[name], kind):
        raise ValueError(f"{name} is {data[name]!r}, which is no {kind.__name__}")
    return data[name]


def _size(values: Sequence[int]) -> Size:
    height, width = values
    return int(height), int(width)


def _camera(name: str, data: Mapping[str, Any] | None) -> Camera | None:
    if data is None:
        return None
    matrices = (np.array(data[key], np.float64) for key in ("intrinsics", "camera_to_base"))
    return Camera(name, _size(data["size_px"]), *matrices)


def _labelled_object(data: Mapping[str, Any]) -> LabelledObject:
    if data["class_name"] not in CLASS_ID:
        raise ValueError(f"class_name is {data['class_name']!r}, which is no class of hartsim")
    box = data["box"]
    instance = Instance(
        id=data["id"],
        name=data["name"],
        kind=data["kind"],
        class_name=data["class_name"],
        hazard=data["hazard"],
        tags=tuple(data["tags"]),
        box=Box3D(tuple(box["centre_m"]), tuple(box["size_m"]), box["heading_rad"]),
    )
    column, row, width, height = data["box_px"]
    return LabelledObject(
        instance,
        (column, row, width, height),
        data["area_px"],
        data["known_share"],
        data.get("occluded"),
        data.get("truncated"),
    )


def _read_depth(path: Path) -> NDArray[np.generic]:
    return _unpacked(path, "depth_m", "depth")


def _read_points(path: Path) -> NDArray[np.generic]:
    return _unpacked(path, "points", "lidar points")


def _unpacked(path: Path, name: str, called: str) -> NDArray[np.generic]:
    """The array of this name in an archive."""
    try:
        # From bytes: given a path, NumPy leaves a broken archive's file open.
        with np.load(io.BytesIO(path.read_bytes())) as arrays:
            found: NDArray[np.generic] = arrays[name]
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise DatasetError(f"{path}: no readable {called}: {error}") from error
    return found
