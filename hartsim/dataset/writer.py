"""Samples into a folder that survives a crash, a full disk and several writers at once.

A sample is written aside in a hidden folder and renamed, so that it is whole or absent. Depth is
kept as float16 metres: at most 0.05 % off, 5 mm at 10 m.
"""

import fcntl
import hashlib
import io
import logging
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hartsim.dataset.durable import (
    LOCK,
    SCRATCH_PREFIX,
    json_line,
    json_page,
    locked,
    plain,
    refusals_told,
    replace_durably,
    sync_folder,
    write_durably,
)
from hartsim.dataset.layout import (
    FORMAT,
    MANIFEST,
    MARKER,
    manifest_line,
    read_marker,
    sample_folders,
)
from hartsim.errors import DatasetError
from hartsim.images import encode_png
from hartsim.types import Annotation, Camera, Depth, Frame, Render, Sample

logger = logging.getLogger(__name__)

_ID = re.compile(r"\w[\w.+-]*")


class DatasetWriter:
    """A dataset folder open for writing; a context manager.

    `request` is the plain data that decides the samples (scenarios, seed, count, routes, settings),
    and nothing that does not (batch, shard, workers). Writers of one request may share a folder.
    Raises DatasetError for a folder that holds something else or another request's dataset.
    """

    def __init__(self, root: Path, request: Mapping[str, Any]) -> None:
        self.root = root
        self.request: dict[str, Any] = plain(request)
        with refusals_told(root):
            _refuse_strangers(root)
            root.mkdir(parents=True, exist_ok=True)
            with locked(root):
                _claim(root, self.request)
                _remove_abandoned(root)
                self._scratch = Path(tempfile.mkdtemp(prefix=SCRATCH_PREFIX, dir=root))
                # Held until closed: tells the next writer that this folder is not abandoned.
                self._lock = (self._scratch / "lock").open("wb")
                fcntl.flock(self._lock, fcntl.LOCK_EX)
            (root / "samples").mkdir(exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def folder_of(self, sample_id: str) -> Path:
        """Where a sample lies, or will lie."""
        return self.root / "samples" / sample_id

    def has(self, sample_id: str) -> bool:
        """Whether the sample is there, which means whole."""
        return (self.folder_of(sample_id) / "sample.json").is_file()

    def add(self, sample: Sample) -> Path:
        """Write a sample, whole or not at all; its folder. One that is there already is kept."""
        _validate(sample)
        files = _files_of(sample)
        files["sample.json"] = json_page(describe(sample, files))
        return self._place(sample.id, files)

    def adopt(self, folder: Path) -> Path:
        """Copy a sample of another dataset; DatasetError where ours of that id differs."""
        target = self.folder_of(folder.name)
        if self.has(folder.name):
            _refuse_difference(folder, target)
            return target
        with refusals_told(folder):
            files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        return self._place(folder.name, files)

    def finish(self) -> Path:
        """Derive the manifest from the samples that are there, of all writers; its path."""
        path = self.root / MANIFEST
        with refusals_told(path), locked(self.root):
            lines = (manifest_line(folder) for folder in sample_folders(self.root))
            text = "".join(f"{line}\n" for line in lines).encode()
            if not path.exists() or path.read_bytes() != text:
                replace_durably(path, text)
        return path

    def close(self) -> None:
        """Remove what is unfinished; calling it twice is harmless."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._lock.close()

    def _place(self, sample_id: str, files: Mapping[str, bytes]) -> Path:
        target = self.folder_of(sample_id)
        aside = self._scratch / sample_id
        try:
            with refusals_told(target):
                aside.mkdir()
                for name, data in files.items():
                    write_durably(aside / name, data)
                sync_folder(aside)
                self._rename(aside, target)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return target

    def _rename(self, aside: Path, target: Path) -> None:
        try:
            aside.replace(target)
        except OSError:
            if not self.has(target.name):
                raise
            logger.info("%s: another writer was faster; kept its sample", target)
        sync_folder(target.parent)


def merge(sources: Iterable[Path], out: Path) -> Path:
    """Unite datasets of one request, such as shards, in a folder; the path of its manifest.

    A source is a dataset or a folder of datasets. Samples that several sources hold must agree.
    """
    shards = [shard for source in sources for shard in _datasets_in(source)]
    if not shards:
        raise DatasetError("nothing to merge: name at least one dataset folder")
    with DatasetWriter(out, read_marker(shards[0])["request"]) as writer:
        for shard in shards:
            _refuse_other_request(shard, writer.request)
            for folder in sample_folders(shard):
                writer.adopt(folder)
        return writer.finish()


def describe(sample: Sample, files: Mapping[str, bytes]) -> dict[str, Any]:
    """What `sample.json` holds: all that is known about a sample, as plain data."""
    render = sample.render
    return {
        "id": sample.id,
        "route": sample.route,
        "scenario": sample.scenario,
        "index": sample.index,
        "seed": sample.seed,
        "camera": sample.camera,
        "prompt": render.job.prompt,
        "negative": render.job.negative,
        "drawn": plain(sample.drawn),
        "tags": plain(sample.tags),
        "scene": plain(sample.scene),
        "size_px": list(render.image.shape[:2]),
        "render": _how_made(render),
        "textures": {surface: _how_made(paint) for surface, paint in sample.textures.items()},
        "calibration": _calibration(sample.frame.camera) if sample.frame else None,
        "annotations": [_annotation(item, sample.frame) for item in sample.annotations],
        "checks": plain(sample.checks),
        "passed": sample.passed,
        "provenance": plain(sample.provenance),
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        "timings_s": {"render": _seconds(sample), **plain(sample.timings_s)},
    }


def encode_depth(depth_m: Depth) -> bytes:
    """A `.npz` of one float16 array `depth_m`; the same depth gives the same bytes."""
    buffer = io.BytesIO()
    with np.errstate(over="ignore"):  # beyond 65 km is as good as the sky's inf
        np.savez_compressed(buffer, depth_m=depth_m.astype(np.float16))
    return buffer.getvalue()


def _files_of(sample: Sample) -> dict[str, bytes]:
    pictures: dict[str, NDArray[Any] | None] = {
        "image.png": sample.render.image,
        "labels.png": sample.labels,
        "mask.png": sample.mask,
    }
    if sample.frame:
        pictures |= {"frame.png": sample.frame.image, "instances.png": sample.frame.instances}
    pictures |= {f"texture_{name}.png": paint.image for name, paint in sample.textures.items()}
    files = {name: encode_png(pixels) for name, pixels in pictures.items() if pixels is not None}
    if sample.frame:
        files["depth.npz"] = encode_depth(sample.frame.depth_m)
    return files


def _how_made(render: Render) -> dict[str, Any]:
    job = render.job
    return {
        "target": job.target,
        "prompt": job.prompt,
        "negative": job.negative,
        "size_px": list(job.size_px),
        "attempt": job.attempt,
        "noise_key": job.noise_key,
        "cache_key": render.cache_key,
        "weights_hash": render.weights_hash,
        "settings": plain(render.settings),
    }


def _seconds(sample: Sample) -> float:
    return sample.render.seconds + sum(paint.seconds for paint in sample.textures.values())


def _calibration(camera: Camera) -> dict[str, Any]:
    return {
        "size_px": list(camera.size_px),
        "intrinsics": camera.intrinsics.tolist(),
        "camera_to_base": camera.camera_to_base.tolist(),
    }


def _annotation(item: Annotation, frame: Frame | None) -> dict[str, Any]:
    area = int(item.mask.sum())
    visible = int((frame.instances == item.instance.id).sum()) if frame else area
    return {
        **plain(item.instance),
        "box_px": list(item.box_px),
        "area_px": area,
        "known_share": area / max(visible, 1),
    }


def _validate(sample: Sample) -> None:
    """ValueError where the parts of a sample contradict each other."""
    if not _ID.fullmatch(sample.id):
        raise ValueError(f"sample id {sample.id!r} cannot name a folder: use letters, digits, _.-")
    if sample.route == "view" and (sample.frame or sample.labels is not None or sample.annotations):
        raise ValueError(f"sample {sample.id}: a view knows no pixels: no frame, labels, objects")
    size = sample.render.image.shape[:2]
    parts: dict[str, NDArray[Any] | None] = {"labels": sample.labels, "mask": sample.mask}
    if sample.frame:
        parts |= {name: getattr(sample.frame, name) for name in ("image", "instances", "depth_m")}
    for name, part in parts.items():
        if part is not None and part.shape[:2] != size:
            raise ValueError(f"sample {sample.id}: {name} is {part.shape[:2]}, the render {size}")


def _refuse_strangers(root: Path) -> None:
    names = {path.name for path in root.iterdir()} if root.exists() else set()
    visible = sorted(name for name in names if not name.startswith(SCRATCH_PREFIX))
    if visible and MARKER not in visible:
        raise DatasetError(
            f"{root}: not empty and not a hartsim dataset (it holds '{visible[0]}'); "
            "choose an empty or a new folder"
        )


def _claim(root: Path, request: dict[str, Any]) -> None:
    if not (root / MARKER).exists():
        replace_durably(root / MARKER, json_page({"format": FORMAT, "request": request}))
    _refuse_other_request(root, request)


def _refuse_other_request(root: Path, request: Mapping[str, Any]) -> None:
    differences = _differences(read_marker(root)["request"], request)
    if differences:
        more = f" (and {len(differences) - 3} more)" if len(differences) > 3 else ""
        raise DatasetError(
            f"{root}: made by another request: {'; '.join(differences[:3])}{more}; "
            "repeat that request to continue it, or choose another folder"
        )


def _differences(theirs: Any, ours: Any, path: str = "") -> list[str]:
    if isinstance(theirs, Mapping) and isinstance(ours, Mapping):
        names = sorted(set(theirs) | set(ours))
        pairs = ((name, theirs.get(name), ours.get(name)) for name in names)
        return [line for name, a, b in pairs for line in _differences(a, b, f"{path}.{name}")]
    if theirs == ours:
        return []
    return [f"{path[1:]} is {_shown(theirs)} there and {_shown(ours)} here"]


def _shown(value: Any) -> str:
    return "absent" if value is None else json_line(value)


def _remove_abandoned(root: Path) -> None:
    """Delete what killed writers left; the caller holds the folder's lock."""
    for path in root.glob(f"{SCRATCH_PREFIX}*"):
        if path.is_dir():
            _remove_unless_in_use(path)
        elif path.name != LOCK:
            path.unlink()


def _remove_unless_in_use(scratch: Path) -> None:
    with suppress(FileNotFoundError), (scratch / "lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        logger.info("%s: removed what an interrupted run left", scratch)
        shutil.rmtree(scratch)


def _datasets_in(source: Path) -> list[Path]:
    if (source / MARKER).is_file() or not source.is_dir():
        return [source]
    return sorted(path.parent for path in source.glob(f"*/{MARKER}"))


def _refuse_difference(theirs: Path, ours: Path) -> None:
    if manifest_line(theirs) != manifest_line(ours):
        raise DatasetError(f"{theirs} and {ours} differ but have one id; keep one of them")
