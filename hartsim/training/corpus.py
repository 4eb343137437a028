"""Captioned pictures on disk, to learn from: written in parts, read through memory maps.

A corpus is a folder of parts; a part is a folder with `images.npy` (N, H, W, 3) uint8, `labels.npy`
and `marks.npy` (N, H, W) uint8, and `captions.json`, one list of wordings per picture. Parts
whose name starts with `held` are never trained on.
"""

import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hartsim.errors import DatasetError
from hartsim.images import resize, resize_labels
from hartsim.types import Image, Labels, Size

OBJECT, HAZARD = 1, 2
"""Marks on the pixels of what a caption names; all other pixels are 0."""


class Entry(NamedTuple):
    """A picture to learn from: image (H, W, 3), labels and marks (H, W), wordings."""

    image: Image
    labels: Labels
    marks: Labels
    captions: Sequence[str]


@dataclass(frozen=True)
class Corpus:
    """Pictures with captions; indices run over all parts in the order of their names."""

    images: tuple[np.ndarray, ...]
    labels: tuple[np.ndarray, ...]
    marks: tuple[np.ndarray, ...]
    captions: tuple[tuple[str, ...], ...]
    size_px: Size | None = None
    """What pictures are resized to; None leaves them as they are."""

    def __len__(self) -> int:
        return len(self.captions)

    def batch(self, indices: Sequence[int]) -> Image:
        """The pictures (B, H, W, 3) at these indices."""
        picked = [self.images[part][row] for part, row in map(self._place, indices)]
        if self.size_px is not None:
            picked = [resize(image, self.size_px) for image in picked]
        return np.stack(picked)

    def labels_of(self, index: int, size_px: Size) -> Labels:
        """The class ids (H, W) of one picture, at a size."""
        part, row = self._place(index)
        return resize_labels(self.labels[part][row], size_px)

    def marks_of(self, index: int) -> Labels:
        """The marks (H, W) of one picture, as large as it was drawn."""
        part, row = self._place(index)
        marks: Labels = self.marks[part][row]
        return marks

    def _place(self, index: int) -> tuple[int, int]:
        """The part that holds a picture, and its row there."""
        starts = np.cumsum([0, *(len(part) for part in self.images)])
        part = int(np.searchsorted(starts, index, side="right")) - 1
        return part, int(index - starts[part])


def write_part(root: Path, name: str, entries: Iterable[Entry]) -> bool:
    """Write one part; False where it is there already."""
    folder, aside = root / name, root / f".{name}"
    if folder.exists():
        return False
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    images, labels, marks, captions = zip(*entries, strict=True)
    np.save(aside / "images.npy", np.stack(images))
    np.save(aside / "labels.npy", np.stack(labels))
    np.save(aside / "marks.npy", np.stack(marks))
    (aside / "captions.json").write_text(json.dumps([list(c) for c in captions], indent=0))
    aside.rename(folder)
    return True


def refuse_strangers(root: Path) -> None:
    """DatasetError for a folder that holds anything but the parts of a corpus."""
    for path in sorted(root.iterdir()) if root.is_dir() else ():
        if not path.name.startswith((".", "train-", "held-")):
            raise DatasetError(f"{root}: holds '{path.name}', which is no part of a corpus")


def read_corpus(root: Path, held_out: bool = False, size_px: Size | None = None) -> Corpus:
    """The training parts of a corpus folder, or with `held_out` the others, at a size."""
    parts = sorted(p for p in root.glob("[!.]*") if (p / "captions.json").exists())
    parts = [p for p in parts if p.name.startswith("held") == held_out]
    if not parts:
        kind = "held-out" if held_out else "training"
        raise DatasetError(f"{root}: no {kind} parts here; make them with `hartsim train data`")
    read = [_read_part(part) for part in parts]
    images, labels, marks, texts = zip(*read, strict=True)
    captions = tuple(tuple(each) for part in texts for each in part)
    return Corpus(images, labels, marks, captions, size_px)


def _read_part(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[list[str]]]:
    try:
        images = np.load(folder / "images.npy", mmap_mode="r")
        labels = np.load(folder / "labels.npy", mmap_mode="r")
        marks = np.load(folder / "marks.npy", mmap_mode="r")
        captions = json.loads((folder / "captions.json").read_text())
    except (OSError, ValueError, EOFError) as error:
        raise DatasetError(f"{folder}: broken ({error}); delete it and make it again") from error
    if not len(images) == len(labels) == len(marks) == len(captions):
        raise DatasetError(
            f"{folder}: {len(images)} pictures, {len(labels)} label maps, {len(marks)} marks and "
            f"{len(captions)} captions; delete it and make it again"
        )
    return images, labels, marks, captions
