"""Captioned pictures on disk, to learn from: written in parts, read through memory maps.

A corpus is a folder of parts; a part is a folder with `images.npy` (N, H, W, 3) uint8, `labels.npy`
(N, H, W) uint8 and `captions.json`, one list of wordings per picture. Parts whose name starts with
`held` are never trained on.
"""

import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hartsim.errors import DatasetError
from hartsim.images import resize
from hartsim.types import Image, Labels, Size


@dataclass(frozen=True)
class Corpus:
    """Pictures with captions; indices run over all parts in the order of their names."""

    images: tuple[np.ndarray, ...]
    captions: tuple[tuple[str, ...], ...]
    size_px: Size | None = None
    """What pictures are resized to; None leaves them as they are."""

    def __len__(self) -> int:
        return len(self.captions)

    def batch(self, indices: Sequence[int]) -> Image:
        """The pictures (B, H, W, 3) at these indices."""
        starts = np.cumsum([0, *(len(part) for part in self.images)])
        picked = []
        for index in indices:
            part = int(np.searchsorted(starts, index, side="right")) - 1
            image = self.images[part][index - starts[part]]
            picked.append(image if self.size_px is None else resize(image, self.size_px))
        return np.stack(picked)


def write_part(
    root: Path, name: str, entries: Iterable[tuple[Image, Labels, Sequence[str]]]
) -> bool:
    """Write one part from (image, labels, captions) entries; False where it is there already."""
    folder, aside = root / name, root / f".{name}"
    if folder.exists():
        return False
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    images, labels, captions = zip(*entries, strict=True)
    np.save(aside / "images.npy", np.stack(images))
    np.save(aside / "labels.npy", np.stack(labels))
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
    captions = tuple(tuple(each) for _, texts in read for each in texts)
    return Corpus(tuple(images for images, _ in read), captions, size_px)


def _read_part(folder: Path) -> tuple[np.ndarray, list[list[str]]]:
    try:
        images = np.load(folder / "images.npy", mmap_mode="r")
        captions = json.loads((folder / "captions.json").read_text())
    except (OSError, ValueError, EOFError) as error:
        raise DatasetError(f"{folder}: broken ({error}); delete it and make it again") from error
    if len(images) != len(captions):
        raise DatasetError(
            f"{folder}: {len(images)} pictures but {len(captions)} captions; delete it and make "
            "it again"
        )
    return images, captions
