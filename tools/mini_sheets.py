"""The pictures of hart-mini in the README: unpicked samples, repaints beside frames, and tiles.

.venv/bin/python tools/mini_sheets.py --data corpus --out docs/images

Prompts, frames and labels are those of held-out parts of a corpus, spread evenly over them; nothing
is drawn twice and nothing is left out. `samples-LOOK.jpg` has 64 pictures, one draw each, by prompt
and by the layout of the held-out frame, as the `view` route makes them;
`repaints.jpg` has frames, their labels, and what the model makes of frame and labels, and of labels
alone; `textures.jpg` has 16 textures, each laid two by two.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hartsim.bench.quality import drawing
from hartsim.bench.quality.exam import is_scene
from hartsim.dataset.gallery import COLOURS
from hartsim.hart.checkpoint import load_hart
from hartsim.hart.hub import shipped
from hartsim.hart.model import Hart
from hartsim.images import captioned, contact_sheet, encode_jpeg, resize
from hartsim.training.corpus import Corpus, read_corpus
from hartsim.types import CLASSES, Image, Labels

SAMPLES, REPAINTS, TEXTURES = 64, 8, 16
CELL_PX = 160
THREADS = 2


def main() -> None:
    """Write all sheets."""
    parser = argparse.ArgumentParser(description="Draw the sheets of hart-mini.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=shipped()["mini"])
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    hart, corpus = load_hart(asked.weights), read_corpus(asked.data, held_out=True)
    for look in sorted({str(record["look"]) for record in corpus.records}):
        picks = spread([i for i, r in enumerate(corpus.records) if r["look"] == look], SAMPLES)
        sheet = contact_sheet(shrunk(samples(hart, corpus, picks)), columns=8)
        save(asked.out / f"samples-{look}.jpg", sheet)
    save(asked.out / "repaints.jpg", repaints(hart, corpus))
    save(asked.out / "textures.jpg", textures(hart, corpus))


def spread(places: Sequence[int], count: int) -> list[int]:
    """So many of the places, evenly."""
    taken = np.linspace(0, len(places) - 1, min(count, len(places))).astype(int)
    return [places[i] for i in taken]


def samples(hart: Hart, corpus: Corpus, picks: Sequence[int]) -> list[Image]:
    """A picture of each caption, laid out as the frame that the caption is of."""
    prompts, nothing = [corpus.captions[i][0] for i in picks], [""] * len(picks)
    layouts = None
    if hart.config.transformer.label_classes:
        layouts = [corpus.labels_of(i, hart.config.size_px) for i in picks]
    keys = [f"sheet {i}" for i in picks]
    return list(drawing.draw_views(hart, prompts, nothing, layouts, keys, THREADS))


def repaints(hart: Hart, corpus: Corpus) -> Image:
    """Frames of scenes, their labels, and both ways to paint them anew, in either look."""
    scenes = [i for i, record in enumerate(corpus.records) if is_scene(record)]
    picks = spread(scenes, REPAINTS)
    frames = [corpus.batch([i])[0] for i in picks]
    labels = [
        corpus.labels_of(i, (f.shape[0], f.shape[1])) for i, f in zip(picks, frames, strict=True)
    ]
    prompts = [corpus.captions[i][0] for i in picks]
    kept = max(len(hart.config.transformer.patch_nums) - 2, 1)
    rows = {"frame": frames, "labels": [coloured(each) for each in labels]}
    ways = {"repainted": (kept, True), "from labels alone": (0, True)}
    if not hart.config.transformer.label_classes:
        ways = {"repainted": (kept, False)}
    for name, (keep, follow) in ways.items():
        rows[name] = list(drawing.repaint(hart, frames, labels, prompts, keep, follow, THREADS))
    cells = [captioned(cell, name) for name, row in rows.items() for cell in shrunk(row)]
    return contact_sheet(cells, columns=len(picks))


def textures(hart: Hart, corpus: Corpus) -> Image:
    """Textures of held-out words, each laid two by two."""
    held = [i for i, record in enumerate(corpus.records) if record["content"] == "texture"]
    words = list(dict.fromkeys(corpus.captions[i][0] for i in held))
    prompts = [words[i] for i in spread(range(len(words)), TEXTURES)]
    made = drawing.draw_textures(hart, prompts, 0, THREADS)
    return contact_sheet(shrunk([np.tile(each, (2, 2, 1)) for each in made]), columns=8)


def coloured(labels: Labels) -> Image:
    """Labels (H, W) in the colours of the gallery; unknown is black."""
    table = np.zeros((256, 3), np.uint8)
    for number, name in enumerate(CLASSES):
        table[number] = list(bytes.fromhex(COLOURS[name].removeprefix("#")))
    return table[labels]


def shrunk(images: Sequence[Image]) -> list[Image]:
    """Pictures as large as a cell of a sheet."""
    return [resize(image, (CELL_PX, CELL_PX)) for image in images]


def save(file: Path, sheet: Image) -> None:
    """Write a sheet."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(encode_jpeg(sheet))


if __name__ == "__main__":
    main()
