"""Datasets in the formats that training code reads; only labels that are known to be true."""

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from hartsim.dataset.annotate import annotate
from hartsim.dataset.durable import (
    json_line,
    plain,
    read_json,
    refusals_told,
    replace_durably,
    write_durably,
)
from hartsim.dataset.reader import Record, read_samples
from hartsim.errors import DatasetError
from hartsim.types import CLASSES, UNKNOWN, Annotation, Labels, Mask

SUPERCATEGORIES = {
    "ground": ("road", "road_mark", "pavement", "terrain", "floor", "water"),
    "structure": ("building", "wall", "barrier", "pole", "sign", "light", "table"),
    "nature": ("vegetation", "sky"),
    "vehicle": ("car", "truck", "bus", "two_wheeler"),
    "living": ("person", "animal", "hand"),
    "obstacle": ("cone", "debris", "surface_hazard", "smoke_fire"),
    "thing": ("robot", "tool", "container", "electronics", "food", "other"),
}

INFO = {"description": "made by hartsim"}
MIN_KNOWN_SHARE = 0.5
"""An object of which less is known would get a box that is not its own."""


def export_coco(root: Path, out: Path, include_rejected: bool = False) -> Path:
    """Write a dataset as COCO detection JSON with masks; the path of the JSON.

    `out` is a `.json` file, which then points at the dataset's own pictures, or a folder, which
    gets `annotations.json` and `images/`. Category ids are class ids + 1, since trainers keep 0 for
    the background. Left out: views, which have no labels; samples that failed a check, unless
    `include_rejected`; objects of which less than half is known. A picture's `unknown` is the mask
    of pixels to ignore.
    """
    records = [item for item in read_samples(root) if _is_usable(item, include_rejected)]
    if not records:
        raise DatasetError(f"{root}: no sample with true labels to export; a view has none")
    path = out if out.suffix == ".json" else out / "annotations.json"
    name_of = _linked if path == out else _copied
    _refuse_strangers(path, out)
    with refusals_told(out):
        path.parent.mkdir(parents=True, exist_ok=True)
        names = [name_of(record, path.parent) for record in records]
        replace_durably(path, json_line(_coco(records, names)).encode())
    return path


def run_lengths(mask: Mask) -> dict[str, list[int]]:
    """COCO's uncompressed RLE: runs of 0 and 1 in turn, down the columns, 0 first."""
    flat = np.concatenate([[False], mask.ravel(order="F"), [False]])
    edges = np.flatnonzero(np.diff(flat.astype(np.int8)))
    counts = np.diff(np.concatenate([[0], edges, [mask.size]])).tolist()
    return {"size": list(mask.shape), "counts": counts[:-1] if counts[-1] == 0 else counts}


def _refuse_strangers(path: Path, out: Path) -> None:
    """DatasetError where what would be overwritten, or joined, is not an export of ours."""
    if path.exists():
        if read_json(path).get("info") != INFO:
            raise DatasetError(f"{path}: there already, and not an export; choose another --out")
    elif path != out and out.is_dir() and any(out.iterdir()):
        raise DatasetError(f"{out}: holds other files; choose an empty or a new folder")


def _is_usable(record: Record, include_rejected: bool) -> bool:
    return "labels.png" in record.files and (record.passed or include_rejected)


def _linked(record: Record, folder: Path) -> str:
    return os.path.relpath(record.folder / "image.png", folder)


def _copied(record: Record, folder: Path) -> str:
    name = f"images/{record.id}.png"
    (folder / "images").mkdir(exist_ok=True)
    write_durably(folder / name, (record.folder / "image.png").read_bytes())
    return name


def _coco(records: list[Record], names: list[str]) -> dict[str, Any]:
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    numbers = count(1)
    for image_id, (record, name) in enumerate(zip(records, names, strict=True), 1):
        labels = _true_labels(record)
        images.append(_image(record, image_id, name, labels))
        for item in _objects(record, labels):
            annotations.append({"id": next(numbers), "image_id": image_id, **_annotation(item)})
    return {
        "info": INFO,
        "licenses": [],
        "categories": _categories(),
        "images": images,
        "annotations": annotations,
    }


def _categories() -> list[dict[str, Any]]:
    above = {name: group for group, names in SUPERCATEGORIES.items() for name in names}
    return [
        {"id": number, "name": name, "supercategory": above[name]}
        for number, name in enumerate(CLASSES, 1)
    ]


def _image(record: Record, image_id: int, name: str, labels: Labels) -> dict[str, Any]:
    unknown = labels == UNKNOWN
    return {
        "id": image_id,
        "file_name": name,
        "height": record.size_px[0],
        "width": record.size_px[1],
        "sample": record.id,
        "scenario": record.scenario,
        "route": record.route,
        "tags": record.tags,
        **({"unknown": run_lengths(unknown)} if unknown.any() else {}),
    }


def _true_labels(record: Record) -> Labels:
    labels = record.labels()
    assert labels is not None, f"{record.id} was chosen for its labels"
    return labels


def _objects(record: Record, labels: Labels) -> Iterator[Annotation]:
    """The objects of a sample with true masks, as the instance map has them."""
    instances = record.instances()
    if instances is None:
        raise DatasetError(f"sample {record.id}: it has labels but no instances.png")
    known = {
        item.instance.id: item for item in record.annotations if item.known_share >= MIN_KNOWN_SHARE
    }
    for each in annotate([item.instance for item in known.values()], instances, labels):
        stored = known[each.instance.id]
        yield replace(each, occluded=stored.occluded, truncated=stored.truncated)


def _annotation(item: Annotation) -> dict[str, Any]:
    instance = item.instance
    seen = {"occluded": item.occluded, "truncated": item.truncated}
    return {
        "category_id": CLASSES.index(instance.class_name) + 1,
        "bbox": list(item.box_px),
        "area": int(item.mask.sum()),
        "segmentation": run_lengths(item.mask),
        "iscrowd": 0,
        "hazard": instance.hazard,
        "kind": instance.kind,
        "tags": list(instance.tags),
        "instance_id": instance.id,
        "box_3d": plain(instance.box),
        **{name: share for name, share in seen.items() if share is not None},
    }
