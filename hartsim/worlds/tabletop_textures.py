"""Indoor materials as seamless pictures, made from noise: one for each that the catalogue names.

Image rows run down, columns to the right; wood grain runs along the rows.
"""

import math
import zlib
from collections.abc import Callable, Mapping
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from hartsim.types import Image
from hartsim.worlds.stage import Colour

Random = np.random.Generator
Picture = NDArray[np.float64]
Maker = Callable[[int, Random], Picture]


@cache
def material(words: str, variant: int, size_px: int = 256) -> Image:
    """The material that the catalogue calls so, (size_px, size_px, 3); it tiles without a seam.

    Raises KeyError for words that are not in `MATERIALS`. The array is shared: do not write to it.
    """
    random = np.random.default_rng([zlib.crc32(words.encode()), variant])
    picture = MATERIALS[words](size_px, random)
    image = (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
    image.setflags(write=False)
    return image


def noise(size: int, random: Random, columns: float, rows: float, detail: float = 0.4) -> Picture:
    """Seamless noise (size, size) of mean 0 and deviation 1.

    About so many grains fit across the picture and down it; `detail` in 0..1 adds finer ones.
    """
    down = np.fft.fftfreq(size, 1 / size)[:, None] / rows
    right = np.fft.rfftfreq(size, 1 / size)[None, :] / columns
    squared = down**2 + right**2
    weight = squared / (1 + squared) ** (3 - 1.5 * detail)
    field = np.fft.irfft2(np.fft.rfft2(random.normal(size=(size, size))) * weight, (size, size))
    return np.asarray(field / field.std())


def _mixed(first: Colour, second: Colour, share: Picture) -> Picture:
    """From one colour (share 0) to another (share 1), (H, W, 3)."""
    blend = np.clip(share, 0, 1)[..., None]
    return np.asarray(np.array(first) * (1 - blend) + np.array(second) * blend)


def _toned(picture: Picture, random: Random, spread: float) -> Picture:
    """The picture a little lighter or darker, warmer or cooler, as batches of a material are."""
    return np.asarray(
        picture
        * (1 + random.uniform(-spread, spread, 3) * 0.5)
        * (1 + random.uniform(-spread, spread))
    )


def wood(
    size: int,
    random: Random,
    light: Colour,
    dark: Colour,
    boards: int = 1,
    wear: float = 0.0,
    contrast: float = 1.0,
) -> Picture:
    """Planks along the rows, each with its own grain and tone; `wear` adds scratches and stains."""
    row = np.arange(size)[:, None] / size
    warp = noise(size, random, 1.2, 3.0) * 0.022 + noise(size, random, 2.0, 24.0) * 0.004
    board = np.minimum((row * boards).astype(int), boards - 1)
    shift = random.uniform(0, 1, boards)[board]
    rings = 0.5 + 0.5 * np.sin(2 * math.pi * ((4 + 2 * boards) * (row + warp) + 7 * shift))
    fibres = noise(size, random, 5.0, 90.0, 1.0)
    share = 0.30 + contrast * (0.34 * (rings**1.6 - 0.4) + 0.10 * fibres)
    tone = random.normal(0, 0.12, boards)[board] if boards > 1 else 0.0
    picture = _mixed(light, dark, share + tone)
    picture *= 1 - wear * 0.12 * np.clip(noise(size, random, 7, 7, 0.8) - 0.3, 0, 2)[..., None]
    if boards > 1:
        seam = np.abs((row * boards) % 1 - 0.5) > 0.5 - 0.9 * boards / size
        picture = picture * np.where(seam, 0.52, 1.0)[..., None]
    return _toned(picture, random, 0.05)


def plywood(size: int, random: Random, light: Colour, dark: Colour) -> Picture:
    """Broad flamed grain with fine scratches."""
    row = np.arange(size)[:, None] / size
    warp = noise(size, random, 1.6, 2.6, 0.1) * 0.05
    rings = 0.5 + 0.5 * np.sin(2 * math.pi * (5 * row + 5 * warp))
    share = 0.25 + 0.4 * rings**2 + 0.10 * noise(size, random, 5, 80, 1.0)
    scratches = np.clip(noise(size, random, 4, 70, 1.0) - 2.1, 0, 1)
    return _toned(_mixed(light, dark, share) + 0.12 * scratches[..., None], random, 0.05)


def marble(size: int, random: Random, ground: Colour, vein: Colour) -> Picture:
    """Cloudy stone with veins where a warped field passes zero."""
    field = noise(size, random, 2.0, 1.6, 0.0) + 0.16 * noise(size, random, 9, 9, 0.2)
    fine = noise(size, random, 4.0, 3.5, 0.0) + 0.2 * noise(size, random, 16, 16, 0.2)
    veins = np.exp(-((field / 0.10) ** 2)) * 0.75 + np.exp(-((fine / 0.07) ** 2)) * 0.28
    cloud = 0.06 * noise(size, random, 4, 4, 0.3)
    return _toned(_mixed(ground, vein, veins * 0.7 + cloud), random, 0.02)


def plain(size: int, random: Random, colour: Colour, mottle: float, grain: float = 60) -> Picture:
    """A painted or coated surface with faint unevenness."""
    cloud = 0.7 * noise(size, random, 6, 6) + 0.7 * noise(size, random, grain, grain)
    return _toned(np.array(colour) * (1 + mottle * cloud[..., None]), random, 0.03)


def speckled(
    size: int, random: Random, colour: Colour, flecks: Colour, amount: float, grain: float = 60
) -> Picture:
    """A ground with flecks of another colour: carpet, terrazzo, vinyl, epoxy."""
    share = np.clip((noise(size, random, grain, grain) - 1.2 + amount) * 1.2, 0, 1)
    picture = _mixed(colour, flecks, share)
    return _toned(picture * (1 + 0.02 * noise(size, random, 6, 6)[..., None]), random, 0.04)


def concrete(size: int, random: Random, colour: Colour, stains: float) -> Picture:
    """Grey, clouded, with pores and darker stains."""
    cloud = 0.035 * noise(size, random, 5, 5, 0.5) + 0.025 * noise(size, random, 80, 80)
    pores = 0.18 * np.clip(noise(size, random, 60, 60) - 2.2, 0, 1)
    stain = stains * 0.22 * np.clip(noise(size, random, 3, 3, 0.45) - 0.7, 0, 1)
    return _toned(np.array(colour) * (1 + cloud - pores - stain)[..., None], random, 0.04)


def brushed(size: int, random: Random, colour: Colour) -> Picture:
    """Metal brushed along the rows."""
    lines = noise(size, random, 1.5, 100.0, 1.0) * 0.04 + noise(size, random, 2, 5) * 0.02
    return _toned(np.array(colour) * (1 + lines)[..., None], random, 0.03)


def tiles(
    size: int,
    random: Random,
    first: Colour,
    second: Colour,
    grout: Colour,
    rows: int,
    columns: int,
    bond: bool,
) -> Picture:
    """Glazed tiles, each with its own tone; in `bond`, every other row is offset by half a tile."""
    row, column = _cells(size, rows, columns, bond)
    tone = random.normal(0, 0.018, (rows, columns))[row[0], column[0]]
    checked = (row[0] + column[0]) % 2 == 1
    picture = np.where(checked[..., None], np.array(second), np.array(first))
    # Glaze is a little brighter towards the top edge, where it bends to the light.
    picture = picture * (1 + tone + 0.05 * (0.5 - row[1]))[..., None]
    joint = np.minimum(_edge(row[1], size / rows), _edge(column[1], size / columns)) < 1.4
    picture = np.where(joint[..., None], np.array(grout), picture)
    return _toned(picture * (1 + 0.012 * noise(size, random, 7, 7))[..., None], random, 0.03)


def brick(size: int, random: Random, clay: Colour, mortar: Colour) -> Picture:
    """Bricks in running bond, rough and of many tones."""
    row, column = _cells(size, 8, 4, True)
    tone = random.normal(0, 0.13, (8, 4))[row[0], column[0]]
    rough = 0.07 * noise(size, random, 40, 40)
    bricks = np.array(clay) * (1 + tone + rough)[..., None]
    jitter = 0.7 * noise(size, random, 40, 40)
    joint = np.minimum(_edge(row[1], size / 8), _edge(column[1], size / 4)) + jitter < 2.2
    joints = np.array(mortar) * (1 + rough)[..., None]
    return _toned(np.where(joint[..., None], joints, bricks), random, 0.05)


def _cells(
    size: int, rows: int, columns: int, bond: bool
) -> tuple[tuple[NDArray[np.intp], Picture], tuple[NDArray[np.intp], Picture]]:
    """For each pixel its row and its column of cells, and how far (0..1) into them it lies."""
    down = np.broadcast_to((np.arange(size) + 0.5)[:, None] / size * rows, (size, size))
    right = np.broadcast_to((np.arange(size) + 0.5)[None] / size * columns, (size, size))
    row = down.astype(np.intp)
    if bond:
        right = (right + 0.5 * (row % 2)) % columns
    column = right.astype(np.intp)
    return (row, down - row), (column, right - column)


def _edge(into: Picture, length_px: float) -> Picture:
    """How many pixels a place in a cell is from the nearer edge."""
    return np.asarray(np.minimum(into, 1 - into) * length_px)


def pegboard(size: int, random: Random, colour: Colour) -> Picture:
    """Painted hardboard with a grid of holes."""
    row, column = _cells(size, 16, 16, False)
    hole = np.hypot(row[1] - 0.5, column[1] - 0.5) < 0.17
    board = plain(size, random, colour, 0.012)
    return np.asarray(np.where(hole[..., None], board * 0.32, board))


def panels(size: int, random: Random, colour: Colour, columns: int) -> Picture:
    """Smooth upright panels with shadow gaps."""
    _, column = _cells(size, 1, columns, False)
    gap = _edge(column[1], size / columns) < 1.2
    picture = plain(size, random, colour, 0.008)
    return np.asarray(np.where(gap[..., None], picture * 0.62, picture))


def wallpaper(size: int, random: Random, colour: Colour) -> Picture:
    """A quiet pattern of small lozenges."""
    row, column = _cells(size, 10, 10, True)
    lozenge = np.abs(row[1] - 0.5) + np.abs(column[1] - 0.5) < 0.2
    picture = plain(size, random, colour, 0.012)
    return np.asarray(picture * np.where(lozenge, 0.90, 1.0)[..., None])


def carpet_tiles(size: int, random: Random, colour: Colour) -> Picture:
    """Square carpet tiles whose pile runs this way and that."""
    row, column = _cells(size, 3, 3, False)
    pile = speckled(size, random, colour, (0.45, 0.55, 0.72), 0.6, 110)
    tone = np.where((row[0] + column[0]) % 2 == 0, 0.93, 1.04)
    return np.asarray(pile * tone[..., None])


def cardboard(size: int, random: Random, colour: Colour) -> Picture:
    """Brown board with faint flutes."""
    flutes = 0.015 * np.sin(2 * math.pi * 32 * np.arange(size) / size)[:, None]
    fibres = 0.03 * noise(size, random, 30, 80) + 0.015 * noise(size, random, 6, 6)
    return _toned(np.array(colour) * (1 + flutes + fibres)[..., None], random, 0.06)


def packaging(size: int, random: Random) -> Picture:
    """A printed paper box: a band and discs in two colours on a third."""
    inks = np.array(
        [(0.93, 0.90, 0.82), (0.80, 0.24, 0.20), (0.18, 0.42, 0.50), (0.95, 0.70, 0.24)]
    )[random.permutation(4)]
    row, column = _cells(size, 1, 1, False)
    picture = np.broadcast_to(inks[0], (size, size, 3)).copy()
    picture[np.abs(row[1] - 0.62) < 0.17] = inks[1]
    picture[np.hypot(row[1] - 0.36, column[1] - 0.5) < 0.24] = inks[2]
    picture[np.hypot(row[1] - 0.36, column[1] - 0.5) < 0.13] = inks[3]
    return np.asarray(picture * (1 + 0.015 * noise(size, random, 40, 40))[..., None])


MATERIALS: Mapping[str, Maker] = {
    "worn wooden planks": partial(
        wood, light=(0.69, 0.50, 0.32), dark=(0.42, 0.27, 0.16), boards=5, wear=1.0
    ),
    "scratched plywood": partial(plywood, light=(0.85, 0.70, 0.50), dark=(0.66, 0.48, 0.30)),
    "rough oak wood": partial(
        wood, light=(0.72, 0.55, 0.36), dark=(0.47, 0.31, 0.18), boards=3, wear=0.6, contrast=1.2
    ),
    "light oak wood": partial(
        wood, light=(0.86, 0.71, 0.52), dark=(0.68, 0.50, 0.32), boards=4, contrast=0.8
    ),
    "white marble": partial(marble, ground=(0.93, 0.92, 0.90), vein=(0.55, 0.56, 0.60)),
    "dark walnut wood": partial(wood, light=(0.47, 0.31, 0.21), dark=(0.24, 0.14, 0.09), boards=4),
    "white laminate": partial(plain, colour=(0.90, 0.91, 0.91), mottle=0.008),
    "grey epoxy worktop": partial(
        speckled, colour=(0.42, 0.45, 0.48), flecks=(0.62, 0.65, 0.68), amount=0.35
    ),
    "brushed steel": partial(brushed, colour=(0.66, 0.69, 0.72)),
    "beech wood veneer": partial(
        wood, light=(0.88, 0.68, 0.49), dark=(0.74, 0.51, 0.34), contrast=0.6
    ),
    "black desk laminate": partial(plain, colour=(0.16, 0.165, 0.18), mottle=0.04, grain=70),
    "white desk laminate": partial(plain, colour=(0.92, 0.91, 0.89), mottle=0.01),
    "pegboard with holes": partial(pegboard, colour=(0.78, 0.68, 0.53)),
    "grey concrete wall": partial(concrete, colour=(0.62, 0.62, 0.61), stains=0.6),
    "brick wall": partial(brick, clay=(0.62, 0.33, 0.25), mortar=(0.74, 0.70, 0.64)),
    "white ceramic tiles": partial(
        tiles,
        first=(0.93, 0.93, 0.91),
        second=(0.93, 0.93, 0.91),
        grout=(0.74, 0.73, 0.71),
        rows=10,
        columns=5,
        bond=True,
    ),
    "pale green tiles": partial(
        tiles,
        first=(0.68, 0.80, 0.72),
        second=(0.71, 0.83, 0.75),
        grout=(0.88, 0.88, 0.84),
        rows=7,
        columns=7,
        bond=False,
    ),
    "cream painted wall": partial(plain, colour=(0.93, 0.87, 0.75), mottle=0.012),
    "white painted wall": partial(plain, colour=(0.90, 0.90, 0.88), mottle=0.01),
    "light grey panels": partial(panels, colour=(0.78, 0.80, 0.82), columns=3),
    "beige wallpaper": partial(wallpaper, colour=(0.86, 0.79, 0.68)),
    "blue painted wall": partial(plain, colour=(0.42, 0.56, 0.68), mottle=0.014),
    "stained concrete floor": partial(concrete, colour=(0.50, 0.49, 0.47), stains=1.5),
    "grey concrete floor": partial(concrete, colour=(0.58, 0.58, 0.57), stains=0.5),
    "black and white floor tiles": partial(
        tiles,
        first=(0.88, 0.87, 0.84),
        second=(0.16, 0.16, 0.17),
        grout=(0.55, 0.54, 0.52),
        rows=4,
        columns=4,
        bond=False,
    ),
    "wooden floor boards": partial(
        wood, light=(0.70, 0.50, 0.32), dark=(0.50, 0.33, 0.20), boards=8, contrast=0.7
    ),
    "grey linoleum floor": partial(
        speckled, colour=(0.60, 0.62, 0.63), flecks=(0.52, 0.54, 0.56), amount=0.4, grain=25
    ),
    "speckled vinyl floor": partial(
        speckled, colour=(0.70, 0.73, 0.75), flecks=(0.42, 0.52, 0.62), amount=0.2, grain=50
    ),
    "grey carpet": partial(
        speckled, colour=(0.42, 0.42, 0.44), flecks=(0.56, 0.56, 0.58), amount=0.9, grain=100
    ),
    "blue carpet tiles": partial(carpet_tiles, colour=(0.22, 0.32, 0.48)),
    "brown cardboard": partial(cardboard, colour=(0.72, 0.55, 0.37)),
    "rough plywood": partial(plywood, light=(0.80, 0.64, 0.44), dark=(0.58, 0.42, 0.26)),
    "printed paper packaging": packaging,
    "white plastic": partial(plain, colour=(0.90, 0.90, 0.89), mottle=0.004),
    "grey felt": partial(
        speckled, colour=(0.48, 0.49, 0.51), flecks=(0.60, 0.61, 0.62), amount=0.8, grain=120
    ),
}
"""By the catalogue's words for it: what makes a material."""
