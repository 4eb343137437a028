"""COCO sets of objects, ours and others': pictures, what is annotated in them, and the masks of it.

What can be wrong with a set is told when it is read, with its place and value.
"""

import hashlib
import math
import os.path
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hartsim.dataset.durable import read_json
from hartsim.errors import DatasetError
from hartsim.images import polygon_mask
from hartsim.types import Mask, Size

Entry = Mapping[str, Any]

OURS, USUAL = "annotations.json", "annotations/instances_*.json"
"""Where a folder keeps its annotations."""
FARTHEST_PX = 1e6
"""A corner beyond this is a mistake."""


@dataclass(frozen=True)
class CocoPicture:
    """A picture's file, and its entries in the set, as they stand there."""

    path: Path
    entry: Entry
    annotations: tuple[Entry, ...]

    @property
    def size_px(self) -> Size:
        """(height, width), as the set has it."""
        return self.entry["height"], self.entry["width"]

    @property
    def unknown(self) -> Mask | None:
        """The pixels of which an export of ours knows nothing; None where it says none."""
        if "unknown" not in self.entry:
            return None
        lengths = _run_lengths(self.entry["unknown"], self.size_px, f"image {self.entry['id']}")
        return _mask_of_runs(lengths, self.size_px)


@dataclass(frozen=True)
class CocoSet:
    """A set as its file has it: `data` is all of that, `sha256` of its bytes."""

    source: Path
    sha256: str
    data: Entry
    categories: Mapping[int, str]
    pictures: tuple[CocoPicture, ...]


def read_coco(folder: Path, source: Path | None = None) -> CocoSet:
    """The set in a folder; `source` is its annotation file where it is not the usual one.

    It is looked for as it is named, in the folder, and in `annotations` there. DatasetError where
    anything is missing, broken, or refers to what is not there.
    """
    source = _named_file(folder, source) if source else find_annotations(folder)
    data = read_json(source)
    categories = _by_id(data, "categories", source)
    images = _by_id(data, "images", source)
    if not images:
        raise DatasetError(f"{source}: its list of images is empty")
    annotations: dict[int, list[Entry]] = {number: [] for number in images}
    for number, each in _by_id(data, "annotations", source).items():
        place = f"{source}: annotation {number}"
        _require_known(each, "image_id", images, place)
        if "category_id" in each:
            _require_known(each, "category_id", categories, place)
        annotations[each["image_id"]].append(each)
    places = _places(folder, source)
    pictures = tuple(
        CocoPicture(_picture_file(each, places, source), each, tuple(annotations[number]))
        for number, each in images.items()
    )
    for picture in pictures:
        _require_sound(picture, source)
    return CocoSet(
        source=source,
        sha256=hashlib.sha256(source.read_bytes()).hexdigest(),
        data=data,
        categories={number: str(each.get("name", "")) for number, each in categories.items()},
        pictures=pictures,
    )


def find_annotations(folder: Path) -> Path:
    """The annotation file of a folder; DatasetError where there is none, or more than one."""
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder")
    if (folder / OURS).is_file():
        return folder / OURS
    found = sorted(folder.glob(USUAL))
    if not found:
        raise DatasetError(
            f"{folder}: neither {OURS} nor {USUAL} in it; name its annotation file with "
            "--annotations"
        )
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise DatasetError(
            f"{folder}: several annotation files ({names}); name the one to take with --annotations"
        )
    return found[0]


def _named_file(folder: Path, name: Path) -> Path:
    for path in (name, folder / name, folder / "annotations" / name):
        if path.is_file():
            return path
    raise DatasetError(f"{name}: No such file, nor in {folder} or {folder / 'annotations'}")


def mask_of(annotation: Entry, size_px: Size) -> Mask | None:
    """The pixels that an object may have: those of its segmentation, or else of its box.

    None where it has neither; all False where it lies outside the picture.
    """
    draw = _drawing(annotation, size_px, f"annotation {annotation['id']}")
    return draw() if draw else None


def _drawing(annotation: Entry, size_px: Size, place: str) -> Callable[[], Mask] | None:
    """What draws the mask of an annotation that is sound; DatasetError for another."""
    segmentation, box = annotation.get("segmentation"), annotation.get("bbox")
    if isinstance(segmentation, Mapping):
        return partial(_mask_of_runs, _run_lengths(segmentation, size_px, place), size_px)
    if segmentation:
        return partial(_mask_of_polygons, _polygons(segmentation, place), size_px)
    return partial(_mask_of_box, _box(box, place), size_px) if box else None


def _mask_of_runs(lengths: Sequence[int], size_px: Size) -> Mask:
    flat = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
    return flat.reshape(size_px, order="F")


def _mask_of_polygons(polygons: Iterable[NDArray[np.float64]], size_px: Size) -> Mask:
    mask: Mask = np.zeros(size_px, np.bool_)
    for corners in polygons:
        mask |= polygon_mask(corners, size_px)
    return mask


def _mask_of_box(box: Sequence[float], size_px: Size) -> Mask:
    """Every pixel that a box touches."""
    left, top, width, height = box
    mask: Mask = np.zeros(size_px, np.bool_)
    if width > 0 and height > 0:
        rows, columns = _span(top, height), _span(left, width)
        mask[rows, columns] = True
    return mask


def _span(start: float, length: float) -> slice:
    return slice(max(math.floor(start), 0), max(math.ceil(start + length), 0))


# What makes sense


def _require_sound(picture: CocoPicture, source: Path) -> None:
    """DatasetError for the first shape of a picture that cannot be meant."""
    for each in picture.annotations:
        place = f"{source}: annotation {each['id']}"
        if "segments_info" in each:
            raise DatasetError(f"{place}: panoptic segments; take the set's file of instances")
        if each.get("iscrowd", 0) not in (0, 1):
            raise DatasetError(f"{place}: iscrowd is {_short(each['iscrowd'])}, must be 0 or 1")
        _drawing(each, picture.size_px, place)
    if "unknown" in picture.entry:
        place = f"{source}: image {picture.entry['id']}: unknown"
        _run_lengths(picture.entry["unknown"], picture.size_px, place)


def _run_lengths(runs: Any, size_px: Size, place: str) -> list[int]:
    """COCO's run lengths, plain or compressed: of False and True in turn, down the columns."""
    if not isinstance(runs, Mapping) or runs.get("size") != list(size_px):
        raise DatasetError(f"{place}: {_short(runs)} is no run lengths of size {list(size_px)}")
    counts = runs.get("counts")
    lengths = _decompressed(counts) if isinstance(counts, str) else counts
    if not isinstance(lengths, list) or any(type(n) is not int or n < 0 for n in lengths):
        raise DatasetError(f"{place}: counts {_short(counts)} are no run lengths")
    if sum(lengths) != math.prod(size_px):
        raise DatasetError(
            f"{place}: its run lengths are of {sum(lengths)} pixels, "
            f"its picture has {math.prod(size_px)}"
        )
    return lengths


def _decompressed(text: str) -> list[int]:
    """The run lengths in COCO's string: signed numbers in digits of 5 bits, lowest first.

    A digit's sixth bit says that another follows. From the fourth length on, what is written is the
    difference to the length before the last. Source: the COCO API's `rleToString`.
    """
    lengths: list[int] = []
    value = shift = 0
    for character in text:
        digit = ord(character) - 48
        value |= (digit & 31) << shift
        shift += 5
        if digit & 32:
            continue
        if digit & 16:
            value -= 1 << shift
        lengths.append(value + lengths[-2] if len(lengths) > 2 else value)
        value = shift = 0
    return lengths


def _polygons(segmentation: Any, place: str) -> list[NDArray[np.float64]]:
    if not isinstance(segmentation, list):
        raise DatasetError(f"{place}: segmentation {_short(segmentation)} is no list of polygons")
    polygons = [_numbers(each, f"{place}: polygon") for each in segmentation]
    for each in polygons:
        if len(each) < 6 or len(each) % 2:
            raise DatasetError(
                f"{place}: a polygon of {len(each)} numbers, "
                "must be column and row of at least three corners"
            )
    return [each.reshape(-1, 2) for each in polygons]


def _box(box: Any, place: str) -> list[float]:
    numbers = _numbers(box, f"{place}: bbox")
    if len(numbers) != 4:
        raise DatasetError(f"{place}: bbox {_short(box)} is not column, row, width and height")
    return list(numbers)


def _numbers(values: Any, place: str) -> NDArray[np.float64]:
    if not isinstance(values, list):
        raise DatasetError(f"{place} {_short(values)} is no list of pixels")
    for each in values:
        if not isinstance(each, int | float) or not abs(each) <= FARTHEST_PX:
            raise DatasetError(f"{place} holds {_short(each)}, which is no number of pixels")
    return np.array(values, np.float64)


def _by_id(data: Entry, key: str, source: Path) -> dict[int, Entry]:
    """The entries of a list of the set by their ids, in its order."""
    entries = data.get(key)
    if not isinstance(entries, list):
        raise DatasetError(f"{source}: it has no list '{key}'; a COCO set of objects does")
    found: dict[int, Entry] = {}
    for each in entries:
        number = each.get("id") if isinstance(each, dict) else None
        if type(number) is not int:
            raise DatasetError(f"{source}: {key}: {_short(each)} has no whole number as id")
        if number in found:
            raise DatasetError(f"{source}: {key}: id {number} is there twice")
        found[number] = each
    return found


def _require_known(entry: Entry, key: str, known: Mapping[int, Entry], place: str) -> None:
    number = entry.get(key)
    if type(number) is not int or number not in known:
        raise DatasetError(f"{place}: {key} is {number!r}, which the set does not have")


# Where pictures are


def _places(folder: Path, source: Path) -> list[Path]:
    """The folders that file names may start from."""
    split = source.stem.removeprefix("instances_")
    places = [source.parent, folder, folder / "images", folder / split, folder / "images" / split]
    return [place for place in dict.fromkeys(places) if place.is_dir()]


def _picture_file(image: Entry, places: Sequence[Path], source: Path) -> Path:
    """The file of an entry, whose name and size are sound."""
    place, name = f"{source}: image {image['id']}", image.get("file_name")
    if not isinstance(name, str) or not name:
        raise DatasetError(f"{place}: file_name is {name!r}, must name a picture")
    if os.path.isabs(name) or os.path.normpath(name).startswith(".." + os.sep):
        raise DatasetError(f"{place}: file_name is {name!r}, must lie within the folder of the set")
    for side in ("height", "width"):
        if type(image.get(side)) is not int or image[side] < 1:
            raise DatasetError(
                f"{place}: {side} is {image.get(side)!r}, must be a number of pixels"
            )
    for folder in places:
        if (folder / name).is_file():
            return folder / name
    raise DatasetError(f"{place}: no file '{name}' in {', '.join(map(str, places))}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
