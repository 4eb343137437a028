"""A user's own folder of captioned images, as a corpus to learn from.

Images are PNG or JPEG, in any subfolder. The caption of `a/b.png` stands in `a/b.txt`, each line
another wording, or in a `metadata.jsonl` at the top: `{"file_name": "a/b.png", "text": "..."}` a
line, where the text may be a list. A label map may lie in `a/b.labels.png`: class ids as in
`hartsim.types.CLASSES`, 255 where nothing is known.
"""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hartsim.errors import DatasetError
from hartsim.images import read_image, read_map, resize, resize_labels
from hartsim.training.corpus import Entry, refuse_strangers, write_part
from hartsim.types import CLASSES, UNKNOWN, Labels, Size

SUFFIXES = (".png", ".jpg", ".jpeg")
LABELS_SUFFIX = ".labels.png"
METADATA = "metadata.jsonl"
PART_SIZE = 250
HELD_OUT_EVERY = 20
"""One image in so many, chosen by its name, is measured on and never learned from."""


def folder_corpus(images: Path, root: Path, size_px: Size) -> Iterator[Path]:
    """Write the images of a folder as parts of a corpus, and yield each part that was missing.

    The largest middle part of each image is taken that has the shape of `size_px`. DatasetError for
    an image without a caption, a map of another size, a folder without images.
    """
    refuse_strangers(root)
    captions = captions_of(images)
    names = sorted(captions)
    held = set(held_out_names(names))
    for kind in ("train", "held"):
        chosen = [name for name in names if (name in held) == (kind == "held")]
        for start in range(0, len(chosen), PART_SIZE):
            part = chosen[start : start + PART_SIZE]
            entries = (folder_entry(images, name, captions[name], size_px) for name in part)
            folder = f"{kind}-folder-{start // PART_SIZE:05d}"
            if write_part(root, folder, entries):
                yield root / folder


def held_out_names(names: Sequence[str]) -> list[str]:
    """About one in `HELD_OUT_EVERY` of the names, and one at least."""
    if len(names) < 2:
        raise DatasetError(f"{len(names)} images are too few: one at least is held out")
    by_chance = sorted(names, key=lambda name: zlib.crc32(name.encode()))
    return by_chance[: max(len(names) // HELD_OUT_EVERY, 1)]


def captions_of(images: Path) -> dict[str, tuple[str, ...]]:
    """The wordings of every image in a folder, by its path there."""
    if not images.is_dir():
        raise DatasetError(f"{images}: no such folder")
    names = [
        path.relative_to(images).as_posix()
        for path in sorted(images.rglob("*"))
        if path.suffix.lower() in SUFFIXES and not path.name.endswith(LABELS_SUFFIX)
    ]
    if not names:
        raise DatasetError(f"{images}: holds no images ({', '.join(SUFFIXES)})")
    listed = _metadata(images / METADATA)
    for name in listed:
        if name not in names:
            raise DatasetError(f"{images / METADATA}: names '{name}', which is not there")
    return {name: listed.get(name) or _beside(images / name) for name in names}


def _metadata(path: Path) -> dict[str, tuple[str, ...]]:
    """The captions that `metadata.jsonl` gives; none where there is no such file."""
    if not path.exists():
        return {}
    captions = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
            name, text = str(fields["file_name"]), fields["text"]
        except (ValueError, TypeError, KeyError) as error:
            raise DatasetError(
                f'{path}:{number}: must be like {{"file_name": "a.png", "text": "a road"}}'
            ) from error
        captions[name] = _wordings([text] if isinstance(text, str) else text, f"{path}:{number}")
    return captions


def _beside(image: Path) -> tuple[str, ...]:
    """The captions in the text file of the same name."""
    path = image.with_suffix(".txt")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise DatasetError(
            f"{image}: has no caption; write one into {path.name}, or into {METADATA}"
        ) from error
    return _wordings(lines, str(path))


def _wordings(texts: object, place: str) -> tuple[str, ...]:
    if not isinstance(texts, Sequence) or not all(isinstance(text, str) for text in texts):
        raise DatasetError(f"{place}: the caption must be a text, or a list of texts")
    wordings = tuple(text.strip() for text in texts if text.strip())
    if not wordings:
        raise DatasetError(f"{place}: the caption is empty")
    return wordings


def folder_entry(images: Path, name: str, captions: Sequence[str], size_px: Size) -> Entry:
    """One image of a folder, to learn from."""
    path = images / name
    image = read_image(path)
    labels = _labels(path, (image.shape[0], image.shape[1]))
    image, labels = (_middle(each, size_px) for each in (image, labels))
    unmarked = np.zeros(size_px, np.uint8)
    far = np.full(size_px, np.inf, np.float32)
    record: Mapping[str, object] = {"content": "folder", "look": None, "scenario": name}
    return Entry(
        resize(image, size_px), resize_labels(labels, size_px), unmarked, far, captions, record
    )


def _labels(image: Path, size_px: Size) -> Labels:
    """The label map beside an image; all unknown where there is none."""
    path = image.with_name(image.stem + LABELS_SUFFIX)
    if not path.exists():
        return np.full(size_px, UNKNOWN, np.uint8)
    labels = read_map(path)
    if labels.shape != size_px or labels.dtype != np.uint8:
        raise DatasetError(
            f"{path}: is {labels.dtype} {labels.shape}, must be uint8 like the image, {size_px}"
        )
    strange = set(np.unique(labels).tolist()) - {*range(len(CLASSES)), UNKNOWN}
    if strange:
        raise DatasetError(
            f"{path}: holds {min(strange)}, must be ids up to {len(CLASSES) - 1}, or {UNKNOWN}"
        )
    return np.asarray(labels, np.uint8)


def _middle(pixels: NDArray[np.uint8], size_px: Size) -> NDArray[np.uint8]:
    """The largest part in the middle that has the shape of `size_px`."""
    height, width = pixels.shape[:2]
    scale = min(height / size_px[0], width / size_px[1])
    rows, columns = (max(1, round(scale * side)) for side in size_px)
    top, left = (height - rows) // 2, (width - columns) // 2
    return pixels[top : top + rows, left : left + columns]
