"""Seamless textures from arithmetic: ground, walls and house fronts, 256 px, each with its words.

`texture(name, seed)` is a pure, cached function; `WORDS[name]` says what it shows, so that training
sets can caption it. House fronts show four bays by four floors.
"""

import math
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hartsim.types import Image
from hartsim.worlds.stage import Colour

PX = 256
Field = NDArray[np.float32]
Planes = NDArray[np.float32]
Rng = np.random.Generator
Draw = Callable[[Rng], Planes]
"""From chance to a texture (PX, PX, 3) in 0..1."""


def noise(
    rng: Rng, slope: float = 1.7, low: float = 1.0, high: float = 128.0, stretch: float = 1.0
) -> Field:
    """A seamless random field (PX, PX) in about -1..1 whose features range over these frequencies.

    A greater `slope` is smoother; `stretch` draws it out along the rows.
    """
    fy = np.fft.fftfreq(PX)[:, None] * PX
    fx = np.fft.rfftfreq(PX)[None] * PX * stretch
    frequency = np.hypot(fy, fx)
    spectrum = np.fft.rfft2(rng.normal(size=(PX, PX)))
    spectrum *= np.where(
        (frequency >= low) & (frequency <= high), np.maximum(frequency, 1) ** -slope, 0
    )
    field = np.fft.irfft2(spectrum, s=(PX, PX))
    return np.asarray(field / (2 * field.std() + 1e-9), np.float32)


def _flat(colour: Colour) -> Planes:
    return np.broadcast_to(np.asarray(colour, np.float32), (PX, PX, 3)).copy()


def _times(base: Planes, factor: Field) -> Planes:
    return base * factor[..., None]


def _blend(base: Planes, colour: Colour, share: Field) -> Planes:
    return base + (np.asarray(colour, np.float32) - base) * np.clip(share, 0, 1)[..., None]


def _tinted(colour: Colour, rng: Rng, spread: float = 0.05) -> Colour:
    r, g, b = np.clip(
        np.asarray(colour) * (1 + rng.normal(0, spread)) + rng.normal(0, spread / 4, 3), 0, 1
    )
    return float(r), float(g), float(b)


def _grain(base: Planes, rng: Rng, amount: float) -> Planes:
    return _times(base, 1 + np.float32(amount) * rng.normal(size=(PX, PX)).astype(np.float32))


def _asphalt(colour: Colour, cracks: float) -> Draw:
    def draw(rng: Rng) -> Planes:
        base = _times(_flat(_tinted(colour, rng, 0.03)), 1 + 0.11 * noise(rng, 1.4, 1, 16))
        base = _grain(base, rng, 0.085)
        stones = rng.normal(size=(PX, PX)) > 2.1
        base = _blend(base, (0.62, 0.61, 0.59), 0.35 * stones)
        if cracks > 0:
            field = noise(rng, 1.3, 1, 24)
            line = np.exp(-((field / 0.012) ** 2)) * (noise(rng, 1.5, 1, 6) > 0.1)
            base = _times(base, 1 - np.float32(0.55 * cracks) * line.astype(np.float32))
        return base

    return draw


def _slabs(colour: Colour, rows: int, columns: int, shift: float) -> Draw:
    def draw(rng: Rng) -> Planes:
        seam, index = _bricks(rows, columns, shift, 2.0)
        tone = rng.uniform(0.86, 1.08, rows * columns).astype(np.float32)[index]
        base = _times(_flat(_tinted(colour, rng)), tone * (1 + 0.06 * noise(rng, 1.2, 2, 60)))
        return _grain(_blend(base, (0.3, 0.29, 0.28), 0.6 * seam), rng, 0.035)

    return draw


def _bricks(
    rows: int, columns: int, shift: float, seam_px: float
) -> tuple[Field, NDArray[np.intp]]:
    """How much each pixel is seam, and the number of its brick."""
    y, x = np.mgrid[0:PX, 0:PX].astype(np.float32) + 0.5
    row = (y * rows / PX).astype(np.intp)
    moved = np.mod(x + (row % 2) * shift * PX / columns, PX)
    column = (moved * columns / PX).astype(np.intp)
    high, wide = PX / rows, PX / columns
    edge = np.minimum.reduce(
        [np.mod(y, high), high - np.mod(y, high), np.mod(moved, wide), wide - np.mod(moved, wide)]
    )
    return np.clip(seam_px - edge, 0, 1), row * columns + column


def _cobbles(rng: Rng) -> Planes:
    seam, index = _bricks(12, 12, 0.5, 3.0)
    tone = rng.uniform(0.7, 1.12, 144).astype(np.float32)[index]
    base = _times(
        _flat(_tinted((0.5, 0.48, 0.46), rng)), tone * (1 + 0.08 * noise(rng, 1.0, 8, 80))
    )
    return _grain(_blend(base, (0.2, 0.19, 0.17), 0.8 * seam), rng, 0.04)


def _grass(colour: Colour, dry: Colour, patches: float) -> Draw:
    def draw(rng: Rng) -> Planes:
        base = _flat(_tinted(colour, rng))
        base = _blend(base, dry, patches * (0.4 + 0.7 * noise(rng, 1.8, 1, 12)))
        base = _times(base, 1 + 0.2 * noise(rng, 0.5, 20, 128, 0.6) + 0.12 * noise(rng, 1.3, 2, 20))
        return _grain(base, rng, 0.1)

    return draw


def _gravel(rng: Rng) -> Planes:
    base = _times(_flat(_tinted((0.56, 0.52, 0.47), rng)), 1 + 0.3 * noise(rng, 0.6, 18, 90))
    return _grain(_blend(base, (0.4, 0.37, 0.3), 0.4 * noise(rng, 1.5, 1, 10)), rng, 0.07)


def _wet_asphalt(rng: Rng) -> Planes:
    base = _asphalt((0.24, 0.25, 0.27), 0.0)(rng)
    pools = np.clip(noise(rng, 1.9, 1, 10) - 0.1, 0, 1)
    return _blend(base, (0.44, 0.49, 0.55), 1.4 * pools)


def _roof_tiles(rng: Rng) -> Planes:
    y, _ = np.mgrid[0:PX, 0:PX].astype(np.float32)
    seam, index = _bricks(16, 12, 0.5, 2.0)
    tone = rng.uniform(0.78, 1.12, 16 * 12).astype(np.float32)[index]
    bulge = 1.08 - 0.3 * np.mod(y, PX / 16) / (PX / 16)
    base = _times(_flat(_tinted((0.62, 0.32, 0.23), rng, 0.12)), tone * bulge)
    return _grain(_times(base, 1 - 0.4 * seam), rng, 0.03)


def _metal(rng: Rng) -> Planes:
    brushed = noise(rng, 0.6, 4, 128, 0.05)
    rust = np.clip(noise(rng, 1.6, 1, 20) - 0.55, 0, 1)
    base = _times(_flat(_tinted((0.64, 0.66, 0.69), rng)), 1 + 0.06 * brushed)
    return _grain(_blend(base, (0.5, 0.32, 0.2), 0.9 * rust), rng, 0.015)


def _leaves(rng: Rng) -> Planes:
    """Leaves over one another, dark between them; grey-green, to be tinted."""
    base = _times(_flat((0.42, 0.44, 0.4)), 1 + 0.25 * noise(rng, 1.2, 2, 24))
    y, x = np.mgrid[-7:8, -7:8].astype(np.float32)
    for _ in range(1500):
        angle, size, tone = rng.uniform(0, math.pi), rng.uniform(2.2, 4.6), rng.uniform(0.6, 1.0)
        along = x * math.cos(angle) + y * math.sin(angle)
        across = y * math.cos(angle) - x * math.sin(angle)
        leaf = (along / size) ** 2 + (across / (size * 0.55)) ** 2 < 1
        rows, columns = np.nonzero(leaf)
        top, left = rng.integers(0, PX, 2)
        colour = tone * np.array([1.0, 1.0 - 0.06 * rng.uniform(), 0.9])
        shade = 1 - 0.03 * np.abs(across[rows, columns])
        base[(rows + top) % PX, (columns + left) % PX] = colour * shade[:, None]
    return base


def _soil(rng: Rng) -> Planes:
    y = np.mgrid[0:PX, 0:PX][1].astype(np.float32)
    furrows = 0.1 * np.sin(y * (2 * math.pi * 8 / PX)).astype(np.float32)
    base = _times(
        _flat(_tinted((0.42, 0.33, 0.25), rng)), 1 + furrows + 0.22 * noise(rng, 0.9, 4, 90)
    )
    return _grain(base, rng, 0.07)


def _snow(tracks: float) -> Draw:
    def draw(rng: Rng) -> Planes:
        base = _times(_flat((0.87, 0.9, 0.95)), 1 + 0.05 * noise(rng, 1.6, 1, 30))
        dirt = np.clip(noise(rng, 1.4, 1, 20) - 0.2, 0, 1) * tracks
        return _grain(_blend(base, (0.5, 0.5, 0.52), dirt), rng, 0.02)

    return draw


def _planks(colour: Colour, count: int) -> Draw:
    def draw(rng: Rng) -> Planes:
        x = np.mgrid[0:PX, 0:PX][1]
        index = x * count // PX
        tone = rng.uniform(0.78, 1.12, count).astype(np.float32)[index]
        grain = noise(rng, 1.0, 2, 128, 0.1)
        base = _times(_flat(_tinted(colour, rng)), tone * (1 + 0.12 * grain))
        gap = (np.mod(x, PX / count) < 1.6).astype(np.float32)
        return _grain(_times(base, 1 - 0.65 * gap), rng, 0.03)

    return draw


def _stones(rng: Rng) -> Planes:
    seam, index = _bricks(11, 7, 0.5, 3.2)
    warp = (10 * noise(rng, 1.5, 2, 10)).astype(np.intp)
    rows, columns = np.mgrid[0:PX, 0:PX]
    seam = seam[(rows + warp) % PX, (columns + warp.T) % PX]
    index = index[(rows + warp) % PX, (columns + warp.T) % PX]
    tone = rng.uniform(0.7, 1.15, 77).astype(np.float32)[index]
    base = _times(
        _flat(_tinted((0.55, 0.52, 0.47), rng)), tone * (1 + 0.12 * noise(rng, 1.0, 6, 100))
    )
    return _grain(_blend(base, (0.3, 0.28, 0.25), 0.7 * seam), rng, 0.05)


def _panels(colour: Colour, ribs: int, band: Colour) -> Draw:
    def draw(rng: Rng) -> Planes:
        y, x = np.mgrid[0:PX, 0:PX].astype(np.float32)
        rib = 0.09 * np.sin(x * np.float32(2 * math.pi * ribs / PX))
        base = _times(_flat(_tinted(colour, rng)), 1 + rib + 0.04 * noise(rng, 1.8, 1, 12))
        base = _blend(base, band, 0.9 * ((y > 40) & (y < 64)))
        joint = (np.mod(y, 128) < 2) | (np.mod(x, 128) < 2)
        return _grain(_times(base, 1 - 0.35 * joint), rng, 0.02)

    return draw


def _brick_wall(colour: Colour) -> Draw:
    def draw(rng: Rng) -> Planes:
        seam, index = _bricks(64, 24, 0.5, 1.1)
        tone = rng.uniform(0.82, 1.12, 64 * 24).astype(np.float32)[index]
        base = _times(_flat(_tinted(colour, rng, 0.08)), tone * (1 + 0.08 * noise(rng, 1.6, 1, 20)))
        return _grain(_blend(base, (0.68, 0.64, 0.58), 0.4 * seam), rng, 0.03)

    return draw


def _plaster(colour: Colour) -> Draw:
    def draw(rng: Rng) -> Planes:
        stains = np.clip(noise(rng, 1.6, 1, 20, 3.0), 0, 1)
        base = _times(
            _flat(_tinted(colour, rng)), 1 - 0.07 * stains + 0.02 * noise(rng, 1.0, 4, 60)
        )
        return _grain(base, rng, 0.015)

    return draw


def _concrete(rng: Rng) -> Planes:
    base = _times(_flat(_tinted((0.66, 0.65, 0.62), rng)), 1 + 0.06 * noise(rng, 1.5, 1, 40))
    y, x = np.mgrid[0:PX, 0:PX]
    joint = (np.mod(y, 64) < 2) | (np.mod(x, 64) < 1)
    return _grain(_times(base, 1 - 0.22 * joint), rng, 0.025)


WALLS: Mapping[str, Draw] = {
    "brick": _brick_wall((0.56, 0.29, 0.22)),
    "brown_brick": _brick_wall((0.47, 0.33, 0.26)),
    "plaster": _plaster((0.88, 0.85, 0.78)),
    "beige": _plaster((0.82, 0.72, 0.56)),
    "yellow": _plaster((0.9, 0.76, 0.45)),
    "blue": _plaster((0.6, 0.71, 0.8)),
    "rose": _plaster((0.83, 0.6, 0.54)),
    "mint": _plaster((0.66, 0.77, 0.66)),
    "concrete": _concrete,
}


def _front(wall: str, style: str) -> Draw:
    def draw(rng: Rng) -> Planes:
        image = WALLS[wall](rng)
        frame = FRAMES[int(rng.integers(len(FRAMES)))]
        for row in range(4):
            for column in range(4):
                _window(image, rng, 64 * row, 64 * column, style, frame)
        return image

    return draw


FRAMES: tuple[Colour, ...] = ((0.93, 0.92, 0.88), (0.36, 0.27, 0.2), (0.85, 0.86, 0.86))


def _window(image: Planes, rng: Rng, top: int, left: int, style: str, frame: Colour) -> None:
    """One bay of 64 px: a window with its frame, sill and what is behind the glass."""
    half = {"tall": 11, "wide": 20, "pair": 9}[style]
    y0, y1 = top + 12, top + (52 if style != "wide" else 46)
    wood = np.asarray(frame, np.float32)
    for middle in (left + 32,) if style != "pair" else (left + 20, left + 44):
        x0, x1 = middle - half, middle + half
        image[y0 - 4 : y1 + 2, x0 - 3 : x1 + 3] = wood
        image[y1 : y1 + 4, x0 - 5 : x1 + 5] = wood * 0.86
        image[y0 - 6 : y0 - 4, x0 - 3 : x1 + 3] *= 0.72
        _glass(image[y0:y1, x0:x1], rng)
        image[y0:y1, middle - 1 : middle + 1] = wood * 0.94
        if style != "wide":
            cross = y0 + (y1 - y0) // 3
            image[cross : cross + 2, x0:x1] = wood * 0.94
        image[y0 : y0 + 2, x0:x1] *= 0.6
        image[y1 + 4 : y1 + 6, x0 - 5 : x1 + 5] *= 0.75


def _glass(pane: Planes, rng: Rng) -> None:
    """Sky mirrored in a pane, perhaps with a curtain or a blind behind it."""
    height, width = pane.shape[:2]
    fall = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    high, low = np.array([0.5, 0.6, 0.68]), np.array([0.17, 0.21, 0.25])
    pane[:] = high + (low - high) * np.clip(fall * rng.uniform(0.8, 1.6), 0, 1)
    curtain, wide = rng.uniform(), max(2, width // 4)
    if curtain < 0.45:
        pane[:, :wide] = (0.82, 0.79, 0.72)
        pane[:, -wide:] = (0.76, 0.73, 0.67)
    elif curtain < 0.6:
        pane[: height // 3] = (0.74, 0.72, 0.66)


def _office(tint: Colour, mullion: Colour) -> Draw:
    def draw(rng: Rng) -> Planes:
        fall = np.linspace(1.15, 0.85, PX, dtype=np.float32)[:, None] * np.ones((1, PX), np.float32)
        image = _times(_flat(_tinted(tint, rng)), fall * (1 + 0.05 * noise(rng, 1.8, 1, 8)))
        tones = np.repeat(np.repeat(rng.uniform(0.84, 1.14, (8, 8)), 32, 0), 32, 1)
        image = _times(image, tones.astype(np.float32))
        bars = np.asarray(mullion, np.float32)
        for k in range(8):
            image[32 * k : 32 * k + 5] = bars * (0.8 if k % 2 else 1.0)
            image[:, 32 * k : 32 * k + 2] = bars
        return image

    return draw


GROUNDS: Mapping[str, tuple[str, Draw]] = {
    "asphalt": ("grey asphalt", _asphalt((0.45, 0.45, 0.455), 0.15)),
    "dark_asphalt": ("dark asphalt", _asphalt((0.33, 0.33, 0.35), 0.0)),
    "cracked_asphalt": ("old cracked asphalt", _asphalt((0.48, 0.47, 0.455), 0.9)),
    "light_road": ("light concrete road surface", _asphalt((0.62, 0.61, 0.58), 0.25)),
    "wet_asphalt": ("wet dark asphalt with puddles", _wet_asphalt),
    "slabs": ("concrete paving slabs", _slabs((0.64, 0.62, 0.58), 4, 4, 0.0)),
    "paving": ("grey paving stones", _slabs((0.54, 0.53, 0.52), 12, 6, 0.5)),
    "red_paving": ("red brick paving", _slabs((0.6, 0.4, 0.33), 16, 8, 0.5)),
    "cobbles": ("cobblestones", _cobbles),
    "grass": ("short green grass", _grass((0.33, 0.48, 0.2), (0.5, 0.52, 0.28), 0.3)),
    "meadow": ("green meadow", _grass((0.38, 0.52, 0.22), (0.6, 0.58, 0.3), 0.55)),
    "dry_grass": ("dry grass", _grass((0.62, 0.56, 0.34), (0.48, 0.5, 0.27), 0.5)),
    "gravel": ("coarse gravel", _gravel),
    "soil": ("brown field soil", _soil),
    "snow": ("fresh snow", _snow(0.0)),
    "snowy_road": ("snow-covered road with tracks", _snow(1.0)),
}

BOARDS: Mapping[str, tuple[str, Draw]] = {
    "planks": ("weathered wooden boards", _planks((0.5, 0.36, 0.25), 16)),
    "red_planks": ("red wooden barn planks", _planks((0.55, 0.2, 0.16), 16)),
    "stone_wall": ("rough field stone wall", _stones),
    "brick_wall": ("red brick wall", WALLS["brick"]),
    "plaster_wall": ("white plaster wall", WALLS["plaster"]),
    "concrete_wall": ("grey concrete wall", WALLS["concrete"]),
    "roof_tiles": ("red clay roof tiles", _roof_tiles),
    "metal": ("brushed metal with a little rust", _metal),
    "noise_barrier": (
        "grey noise barrier panels",
        _panels((0.58, 0.62, 0.6), 16, (0.4, 0.55, 0.48)),
    ),
    "metal_panels": (
        "corrugated metal warehouse wall",
        _panels((0.64, 0.68, 0.72), 32, (0.3, 0.44, 0.62)),
    ),
}

FRONTS: Mapping[str, tuple[str, Draw]] = {
    "brick_front": ("red brick wall with windows", _front("brick", "tall")),
    "brown_front": ("brown brick house front with windows", _front("brown_brick", "tall")),
    "plaster_front": ("white plaster house front with windows", _front("plaster", "tall")),
    "beige_front": ("beige plaster wall with windows", _front("beige", "pair")),
    "yellow_front": ("yellow painted house front with windows", _front("yellow", "tall")),
    "blue_front": ("pale blue house front with windows", _front("blue", "tall")),
    "rose_front": ("rose painted house front with windows", _front("rose", "pair")),
    "mint_front": ("pale green house front with windows", _front("mint", "tall")),
    "concrete_front": ("grey concrete front with windows", _front("concrete", "wide")),
    "glass_front": ("glass office front", _office((0.42, 0.56, 0.66), (0.7, 0.73, 0.75))),
    "steel_front": (
        "steel and glass front with many windows",
        _office((0.36, 0.44, 0.46), (0.46, 0.47, 0.48)),
    ),
}

TEXTURES = {**GROUNDS, **BOARDS, **FRONTS}

WORDS: Mapping[str, str] = {name: words for name, (words, _) in TEXTURES.items()}
"""What each texture shows."""


@lru_cache(maxsize=256)
def texture(name: str, seed: int = 0) -> Image:
    """The texture (256, 256, 3) of this name; the same seed gives the same pixels."""
    _, draw = TEXTURES[name]
    planes = draw(np.random.default_rng([seed, *name.encode()]))
    return _image(planes)


@lru_cache(maxsize=4)
def leaves(seed: int = 0) -> Image:
    """Leaves over one another, grey-green for want of a tint; no surface that anyone may paint."""
    return _image(_leaves(np.random.default_rng(seed)))


def _image(planes: Planes) -> Image:
    image = np.asarray(np.clip(planes * 255 + 0.5, 0, 255), np.uint8)
    image.setflags(write=False)
    return image
