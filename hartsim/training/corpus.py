"""Captioned pictures on disk, to learn from: written in parts, read through memory maps.

A corpus is a folder of parts. A part is a folder with `images.npy` (N, H, W, 3) uint8, `labels.npy`
and `marks.npy` (N, H, W) uint8, `depth.npy` (N, H, W) float16 metres, inf for sky, `captions.json`,
one list of wordings per picture, and `records.json`, what else is known of each. Parts whose name
starts with `held` are never trained on.
"""

import bisect
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hartsim.errors import DatasetError
from hartsim.images import resize, resize_labels
from hartsim.types import Depth, Image, Labels, Size

OBJECT, HAZARD = 1, 2
"""Marks on the pixels of what a caption names; all other pixels are 0."""

ARRAYS = ("images", "labels", "marks", "depth")
TEXTS = ("captions", "records")

Record = Mapping[str, Any]
"""What is known of a picture besides its pixels: `content`, `look`, `scenario`, what it shows."""


class Entry(NamedTuple):
    """A picture to learn from: image (H, W, 3), labels, marks and depth (H, W), wordings."""

    image: Image
    labels: Labels
    marks: Labels
    depth_m: Depth
    captions: Sequence[str]
    record: Record


@dataclass(frozen=True)
class Part:
    """The pictures of one folder, as they were written."""

    images: np.ndarray
    labels: np.ndarray
    marks: np.ndarray
    depth: np.ndarray
    captions: Sequence[Sequence[str]]
    records: Sequence[Record]


@dataclass(frozen=True)
class Corpus:
    """Pictures with captions; indices run over all parts in the order of their names."""

    parts: tuple[Part, ...]
    size_px: Size | None = None
    """What pictures are resized to; None leaves them as they are."""

    def __len__(self) -> int:
        return len(self.captions)

    @cached_property
    def captions(self) -> tuple[tuple[str, ...], ...]:
        """The wordings of every picture."""
        return tuple(tuple(each) for part in self.parts for each in part.captions)

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """What is known of every picture."""
        return tuple(each for part in self.parts for each in part.records)

    def batch(self, indices: Sequence[int]) -> Image:
        """The pictures (B, H, W, 3) at these indices."""
        picked = [part.images[row] for part, row in map(self._place, indices)]
        if self.size_px is not None:
            picked = [resize(image, self.size_px) for image in picked]
        return np.stack(picked)

    def labels_of(self, index: int, size_px: Size) -> Labels:
        """The class ids (H, W) of one picture, at a size."""
        part, row = self._place(index)
        return resize_labels(part.labels[row], size_px)

    def marks_of(self, index: int) -> Labels:
        """The marks (H, W) of one picture, as large as it was drawn."""
        part, row = self._place(index)
        marks: Labels = part.marks[row]
        return marks

    def _place(self, index: int) -> tuple[Part, int]:
        """The part that holds a picture, and its row there."""
        number = bisect.bisect_right(self._starts, index) - 1
        return self.parts[number], int(index - self._starts[number])

    @cached_property
    def _starts(self) -> list[int]:
        return list(accumulate((len(part.captions) for part in self.parts), initial=0))[:-1]


def write_part(root: Path, name: str, entries: Iterable[Entry]) -> bool:
    """Write one part; False where it is there already."""
    folder, aside = root / name, root / f".{name}"
    if folder.exists():
        return False
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    images, labels, marks, depths, captions, records = zip(*entries, strict=True)
    np.save(aside / "images.npy", np.stack(images))
    np.save(aside / "labels.npy", np.stack(labels))
    np.save(aside / "marks.npy", np.stack(marks))
    np.save(aside / "depth.npy", np.stack(depths).astype(np.float16))
    (aside / "captions.json").write_text(json.dumps([list(c) for c in captions], indent=0))
    (aside / "records.json").write_text("[\n" + ",\n".join(map(json.dumps, records)) + "\n]\n")
    aside.rename(folder)
    return True


def refuse_strangers(root: Path) -> None:
    """DatasetError for a folder that holds anything but the parts of a corpus."""
    for path in sorted(root.iterdir()) if root.is_dir() else ():
        if not path.name.startswith((".", "train-", "held-")):
            raise DatasetError(f"{root}: holds '{path.name}', which is no part of a corpus")


def read_corpus(root: Path, held_out: bool = False, size_px: Size | None = None) -> Corpus:
    """The training parts of a corpus folder, or with `held_out` the others, at a size."""
    folders = sorted(p for p in root.glob("[!.]*") if (p / "captions.json").exists())
    folders = [p for p in folders if p.name.startswith("held") == held_out]
    if not folders:
        kind = "held-out" if held_out else "training"
        raise DatasetError(f"{root}: no {kind} parts here; make them with `hartsim train data`")
    return Corpus(tuple(map(_read_part, folders)), size_px)


def _read_part(folder: Path) -> Part:
    try:
        arrays = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS]
        texts = [json.loads((folder / f"{name}.json").read_text()) for name in TEXTS]
    except (OSError, ValueError, EOFError) as error:
        raise DatasetError(f"{folder}: broken ({error}); delete it and make it again") from error
    counts = {name: len(x) for name, x in zip(ARRAYS + TEXTS, arrays + texts, strict=True)}
    if len(set(counts.values())) > 1:
        raise DatasetError(f"{folder}: counts differ ({counts}); delete it and make it again")
    return Part(*arrays, *texts)
