"""Textures of hart-mini laid two by two, and how their seams compare with the rest.

.venv/bin/python benchmarks/bench_tiles.py [--count 32] [--sheet docs/images/tiles.jpg]
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hartsim.config import HartSettings, RenderSettings
from hartsim.corpus import ALL_TEXTURES
from hartsim.dataset.durable import replace_durably
from hartsim.hart.renderer import make_renderer
from hartsim.images import contact_sheet, encode_jpeg
from hartsim.types import Image, RenderJob

SIDE_PX = 256
CELL_PX = 16
"""Pixels along a token; seams lie half as far from the edges, see `hartsim.hart.painting`."""
SHOWN, COLUMNS = 12, 4


def textures(count: int) -> Iterator[Image]:
    """So many textures, each of another material as far as there are enough."""
    renderer = make_renderer(HartSettings(name="mini"), RenderSettings())
    names = [ALL_TEXTURES[i] for i in np.random.default_rng(0).permutation(len(ALL_TEXTURES))]
    for number in range(count):
        prompt = f"seamless texture of {names[number % len(names)]}"
        job = RenderJob("texture", "tile", prompt, "", (SIDE_PX, SIDE_PX), f"tile {number}")
        yield next(renderer([(job, None)])).image


def seam_energies(tile: Image) -> tuple[float, float, float]:
    """How much a texture changes at three kinds of places: ratios of mean squares of steps.

    Across the edges, to all other steps; across what was an edge when it was painted, to the other
    borders between tokens, where pixels that were decoded apart meet; and across all of these
    borders, to all other steps. The first two are 1 where a seam is like any other place.
    """
    values = tile.astype(float)
    steps = np.stack(
        [((values - np.roll(values, 1, axis)) ** 2).mean((1 - axis, 2)) for axis in (0, 1)]
    )
    borders = np.arange(CELL_PX // 2, len(tile), CELL_PX)  # the first of them was an edge
    edges = steps[:, 0].mean() / steps[:, 1:].mean()
    seams = steps[:, borders[0]].mean() / steps[:, borders[1:]].mean()
    return edges, seams, steps[:, borders].mean() / np.delete(steps, borders, axis=1).mean()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=32)
    parser.add_argument("--sheet", type=Path, help="a .jpg of the first, two by two")
    asked = parser.parse_args()
    made = list(textures(asked.count))
    edges, seams, borders = np.mean([seam_energies(tile) for tile in made], axis=0)
    print(f"{len(made)} textures of {SIDE_PX} px, means of ratios of gradient energy:")
    print(f"{edges:.2f}  across the edges, to all other places")
    print(f"{seams:.2f}  across what was an edge when painted, to other borders between tokens")
    print(f"{borders:.2f}  across all borders between tokens, to all other places")
    if asked.sheet:
        sheet = contact_sheet([np.tile(tile, (2, 2, 1)) for tile in made[:SHOWN]], COLUMNS)
        replace_durably(asked.sheet, encode_jpeg(sheet, 90))


if __name__ == "__main__":
    main()
