"""A COCO folder of augmented pictures that survives a crash and is finished by another run.

`augment.json` says which request made it. `images/<name>.png` and `records/<name>.json` hold one
picture each: its entry, and which annotations it lost and why. `annotations.json` and
`dropped.json` are derived from them when all are there.
"""

import fcntl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hartsim.dataset.coco import OURS, CocoPicture, CocoSet, Entry
from hartsim.dataset.durable import (
    LOCK,
    SCRATCH_PREFIX,
    json_line,
    json_page,
    plain,
    read_json,
    refusals_told,
    replace_durably,
)
from hartsim.dataset.writer import refuse_other_request
from hartsim.errors import DatasetError
from hartsim.images import encode_png
from hartsim.types import Image

FORMAT = 1
MARKER, DROPPED = "augment.json", "dropped.json"


@dataclass(frozen=True)
class Variant:
    """One new look of a picture of a set: its number, that of its draw, its name in the folder."""

    picture: CocoPicture
    number: int
    index: int
    name: str


@dataclass(frozen=True)
class Augmented:
    """A variant as it was made: what its `images` entry says anew, and what it lost.

    `dropped` says by annotation id why it is not known to be true any more.
    """

    variant: Variant
    image: Image
    said: Entry
    dropped: Mapping[int, str]


@contextmanager
def claimed(root: Path, request: Mapping[str, Any]) -> Iterator[None]:
    """Hold a folder for a request; DatasetError where it is another's, or in use."""
    with refusals_told(root):
        _refuse_strangers(root)
        root.mkdir(parents=True, exist_ok=True)
        file = (root / LOCK).open("ab")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DatasetError(f"{root}: another run is at work here; let it finish") from error
        with refusals_told(root):
            _remove_abandoned(root)
            if not (root / MARKER).exists():
                replace_durably(root / MARKER, json_page({"format": FORMAT, "request": request}))
        refuse_other_request(root, _request_of(root), plain(request))
        for folder in ("images", "records"):
            (root / folder).mkdir(exist_ok=True)
        yield


def is_there(root: Path, name: str) -> bool:
    """Whether a picture is in a folder, which means whole."""
    return _image(root, name).is_file() and _record(root, name).is_file()


def add(root: Path, made: Augmented) -> None:
    """Write a picture: its record comes last, and says that it is whole."""
    name = made.variant.name
    with refusals_told(root):
        replace_durably(_image(root, name), encode_png(made.image))
        page = json_page({"said": plain(made.said), "dropped": plain(made.dropped)})
        replace_durably(_record(root, name), page)


def finish(root: Path, source: CocoSet, variants: Sequence[Variant]) -> None:
    """Derive `annotations.json` and `dropped.json` from the records of all variants."""
    images, annotations, dropped = [], [], []
    image_step = _step(each.entry["id"] for each in source.pictures)
    step = _step(each["id"] for picture in source.pictures for each in picture.annotations)
    for variant in variants:
        record = read_json(_record(root, variant.name))
        entry = variant.picture.entry
        image_id = entry["id"] + variant.number * image_step
        file_name = _image(root, variant.name).relative_to(root).as_posix()
        images.append({**entry, **record["said"], "id": image_id, "file_name": file_name})
        for each in variant.picture.annotations:
            reason = record["dropped"].get(str(each["id"]))
            if reason is None:
                number = each["id"] + variant.number * step
                annotations.append({**each, "id": number, "image_id": image_id})
            elif variant.number == 0:
                dropped.append(_loss(each, reason, source))
    info = source.data.get("info")
    info = {**(info if isinstance(info, Mapping) else {}), "augment": _request_of(root)}
    data = {**source.data, "info": info, "images": images, "annotations": annotations}
    with refusals_told(root):
        _renew(root / DROPPED, json_page({"annotations": dropped}))
        _renew(root / OURS, json_line(data).encode())


def read_dropped(root: Path) -> list[dict[str, Any]]:
    """The annotations that a finished folder lacks: id, image_id, category and reason."""
    dropped: list[dict[str, Any]] = read_json(root / DROPPED)["annotations"]
    return dropped


def _loss(annotation: Entry, reason: str, source: CocoSet) -> dict[str, Any]:
    category = source.categories.get(annotation.get("category_id", -1))
    kept = {key: annotation[key] for key in ("id", "image_id")}
    return {**kept, "category": category, "reason": reason}


def _step(ids: Iterable[int]) -> int:
    """How far the ids of successive variants lie apart: none meets another's."""
    numbers = list(ids) or [0]
    return max(numbers) - min(numbers) + 1


def _renew(path: Path, data: bytes) -> None:
    if not path.exists() or path.read_bytes() != data:
        replace_durably(path, data)


def _image(root: Path, name: str) -> Path:
    return root / "images" / f"{name}.png"


def _record(root: Path, name: str) -> Path:
    return root / "records" / f"{name}.json"


def _request_of(root: Path) -> Any:
    marker = read_json(root / MARKER)
    if marker.get("format") != FORMAT:
        raise DatasetError(
            f"{root / MARKER}: format {marker.get('format')!r}; this hartsim reads format {FORMAT}"
        )
    return marker.get("request")


def _refuse_strangers(root: Path) -> None:
    names = sorted(path.name for path in root.iterdir()) if root.exists() else []
    visible = [name for name in names if not name.startswith(SCRATCH_PREFIX)]
    if visible and MARKER not in visible:
        raise DatasetError(
            f"{root}: not empty and not made by augment (it holds '{visible[0]}'); "
            "choose an empty or a new folder"
        )


def _remove_abandoned(root: Path) -> None:
    """Delete what a killed run left; the caller holds the folder."""
    for path in root.rglob(f"{SCRATCH_PREFIX}*"):
        if path.name != LOCK:
            path.unlink()
