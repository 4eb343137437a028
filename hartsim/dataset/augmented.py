"""A COCO folder of augmented pictures that survives a crash and is finished by another run.

`augment.json` says which request made it. `images/<name>.png` and `records/<name>.json` hold one
picture each: its entry, which annotations it lost and why, and the picture's hash.
`annotations.json` and `dropped.json` are derived from them when all are there.
"""

import fcntl
import hashlib
import logging
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

logger = logging.getLogger(__name__)

FORMAT = 2
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
    """Whether a picture is in a folder, every byte as it was written."""
    return _damage(root, name) is None


def add(root: Path, made: Augmented) -> None:
    """Write a picture: its record comes last, and says that it is whole.

    It is logged where the picture had been written before, and was damaged.
    """
    name, data = made.variant.name, encode_png(made.image)
    problem = _damage(root, name)
    if problem and _record(root, name).is_file():
        logger.warning("%s; it was made anew", problem)
    record = {"said": made.said, "dropped": made.dropped, "sha256": _hash(data)}
    with refusals_told(root):
        replace_durably(_image(root, name), data)
        replace_durably(_record(root, name), json_page(plain(record)))


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


def read_failed(root: Path) -> list[tuple[str, str]]:
    """The pictures of a finished folder that failed a check: file name, and what was wrong."""
    images = read_json(root / OURS)["images"]
    return [(each["file_name"], reason) for each in images for reason in each["failed"]]


def is_augmented(root: Path) -> bool:
    """Whether a folder was made by augment."""
    return (root / MARKER).is_file()


def verify_pictures(root: Path) -> tuple[int, list[str]]:
    """How many pictures a folder has, and what is wrong with it, one sentence each."""
    _request_of(root)
    names = {path.name.removesuffix(".json") for path in (root / "records").glob("[!.]*.json")}
    problems = []
    if (root / OURS).is_file():
        files = (each["file_name"] for each in read_json(root / OURS)["images"])
        names |= {Path(name).name.removesuffix(".png") for name in files}
    else:
        problems.append(f"{root / OURS}: missing; run the same augment again")
    found = (_damage(root, name) for name in sorted(names))
    return len(names), problems + [each for each in found if each]


def _damage(root: Path, name: str) -> str | None:
    """What is wrong with a picture that was written; None where its bytes are as they were."""
    path = _image(root, name)
    try:
        sha256 = read_json(_record(root, name)).get("sha256")
    except DatasetError as error:
        return str(error)
    if not path.is_file():
        return f"{path}: missing"
    if _hash(path.read_bytes()) != sha256:
        return f"{path}: its bytes are not those that were written"
    return None


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


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
