# SPDX-License-Identifier: GPL-3.0-or-later
"""Buildings: walls with recessed windows, doors, shop fronts and roofs, each one different."""

from dataclasses import dataclass

import bpy
import numpy as np

from tools.pathtrace.materials import Palette
from tools.pathtrace.shapes import Build

WALLS = {
    "red brick wall with windows": ("red brick wall", 2.4),
    "brown brick house front with windows": ("brown brick wall", 2.4),
    "white plaster house front with windows": ("white plaster wall", 4.0),
    "beige plaster wall with windows": ("plain plaster wall", 4.0),
    "yellow painted house front with windows": ("plain plaster wall", 4.0),
    "pale blue house front with windows": ("plain plaster wall", 4.0),
    "rose painted house front with windows": ("plain plaster wall", 4.0),
    "pale green house front with windows": ("plain plaster wall", 4.0),
    "grey concrete front with windows": ("grey concrete wall", 4.0),
    "glass office front": ("glass", 0.0),
    "steel and glass front with many windows": ("glass", 0.0),
    "red wooden barn planks": ("red wooden barn planks", 2.0),
    "weathered wooden boards": ("weathered wooden boards", 2.0),
    "rough field stone wall": ("rough field stone wall", 3.0),
    "corrugated metal warehouse wall": ("corrugated metal warehouse wall", 3.0),
    "grey noise barrier panels": ("grey noise barrier panels", 3.0),
}
TINTS = {
    "beige plaster wall with windows": (0.95, 0.78, 0.55),
    "yellow painted house front with windows": (1.1, 0.83, 0.36),
    "pale blue house front with windows": (0.6, 0.78, 0.93),
    "rose painted house front with windows": (1.03, 0.62, 0.56),
    "pale green house front with windows": (0.7, 0.88, 0.63),
}
SIGNS = (
    (0.5, 0.03, 0.03),
    (0.03, 0.1, 0.35),
    (0.03, 0.2, 0.08),
    (0.05, 0.05, 0.05),
    (0.6, 0.35, 0.03),
)


@dataclass
class House:
    """A building to be: its front looks along -y, from x = 0 to `width` at y = 0."""

    words: str
    width: float
    depth: float
    floors: int
    gable: bool
    shops: bool
    lit: bool
    detail: bool
    floor_m: float = 3.0


def build(palette: Palette, house: House, rng: np.random.Generator) -> bpy.types.Mesh:
    """The mesh of a building."""
    out = Build()
    base, tile_m = WALLS.get(house.words.removeprefix("wet "), ("plain plaster wall", 4.0))
    tone = float(rng.uniform(0.82, 1.08))
    tint = tuple(tone * c for c in TINTS.get(house.words.removeprefix("wet "), (1, 1, 1)))
    glassy = base == "glass"
    if glassy:
        wall = palette.plain((0.25 * tone, 0.26 * tone, 0.28 * tone), 0.35, 0.6)
    else:
        wall = palette.tile(base, int(rng.integers(3)), tile_m, _rounded(tint))
    style = _style(palette, rng, glassy)
    height = house.floors * house.floor_m + (0.8 if house.shops else 0.0)
    barn = base.startswith(("red wooden", "weathered", "corrugated", "rough field"))
    _front(out, palette, house, rng, wall, style, height, glassy, barn)
    for x in (0.0, house.width):
        _side(out, house, wall, style, rng, x, height, glassy or barn)
    back = [
        (house.width, house.depth, 0),
        (0, house.depth, 0),
        (0, house.depth, height),
        (house.width, house.depth, height),
    ]
    out.face(back, wall)
    _roof(out, palette, house, rng, wall, height)
    return out.mesh("house")


def _rounded(tint: tuple[float, ...]) -> tuple[float, float, float]:
    return tuple(round(c * 8) / 8 for c in tint)


def _style(palette: Palette, rng: np.random.Generator, glassy: bool) -> dict[str, object]:
    frame = [(0.75, 0.74, 0.71), (0.75, 0.74, 0.71), (0.12, 0.07, 0.04), (0.08, 0.08, 0.09)]
    return {
        "wide": float(rng.uniform(0.38, 0.6)) if not glassy else 0.92,
        "high": float(rng.uniform(0.42, 0.62)) if not glassy else 0.86,
        "deep": float(rng.uniform(0.08, 0.2)) if not glassy else 0.03,
        "bars": int(rng.integers(0, 3)) if not glassy else 0,
        "frame": palette.plain(frame[int(rng.integers(len(frame)))], 0.45),
        "glass": palette.plain((0.016, 0.02, 0.025), 0.03),
        "sill": palette.plain((0.5, 0.49, 0.46), 0.8),
        "shutters": (not glassy) and rng.uniform() < 0.25,
        "shutter": palette.plain(
            [(0.06, 0.14, 0.08), (0.08, 0.13, 0.22), (0.22, 0.06, 0.05)][int(rng.integers(3))], 0.6
        ),
    }


def _pane(palette: Palette, rng: np.random.Generator, lit: bool) -> bpy.types.Material:
    chance = rng.uniform()
    if lit and chance < 0.42:
        warm = (1.0, 0.7, 0.38) if rng.uniform() < 0.75 else (0.85, 0.9, 1.0)
        return palette.plain(warm, 0.3, glow=round(float(rng.choice([0.25, 0.5, 0.9])), 2))
    if chance < 0.62:
        return palette.plain((0.016, 0.02, 0.025), 0.03)
    if chance < 0.8:
        return palette.plain((0.05, 0.06, 0.07), 0.04)
    return palette.plain((0.32, 0.31, 0.28), 0.08)


def _front(
    out: Build,
    palette: Palette,
    house: House,
    rng: np.random.Generator,
    wall: bpy.types.Material,
    style: dict[str, object],
    height: float,
    glassy: bool,
    barn: bool,
) -> None:
    bays = max(2, round(house.width / (1.6 if glassy else 2.6)))
    bay = house.width / bays
    bottom = 0.0
    door_bay = int(rng.integers(bays))
    if house.shops:
        bottom = house.floor_m + 0.8
        _shops(out, palette, house, rng, style, bottom)
    floors = round((height - bottom) / house.floor_m)
    for floor in range(floors):
        z = bottom + floor * house.floor_m
        for k in range(bays):
            x = k * bay
            if floor == 0 and not house.shops and k == door_bay:
                _door(out, palette, rng, wall, x, bay, z, house.floor_m, barn)
            elif barn and rng.uniform() < 0.6:
                out.face(_rect(x, x + bay, z, z + house.floor_m), wall)
            else:
                _window(out, palette, rng, house, wall, style, x, bay, z)


def _rect(
    x0: float, x1: float, z0: float, z1: float, y: float = 0.0
) -> list[tuple[float, float, float]]:
    return [(x0, y, z0), (x1, y, z0), (x1, y, z1), (x0, y, z1)]


def _window(
    out: Build,
    palette: Palette,
    rng: np.random.Generator,
    house: House,
    wall: bpy.types.Material,
    style: dict[str, object],
    x: float,
    bay: float,
    z: float,
) -> None:
    wide, high, deep = style["wide"] * bay, style["high"] * house.floor_m, style["deep"]
    a, b = x + (bay - wide) / 2, x + (bay + wide) / 2
    low = z + (house.floor_m - high) * 0.52
    top = low + high
    end, roof = x + bay, z + house.floor_m
    for piece in ((x, end, z, low), (x, end, top, roof), (x, a, low, top), (b, end, low, top)):
        out.face(_rect(*piece), wall)
    out.face(_rect(a, b, low, top, deep), _pane(palette, rng, house.lit))
    out.face([(a, 0, low), (b, 0, low), (b, deep, low), (a, deep, low)], style["sill"])
    out.face([(a, deep, top), (b, deep, top), (b, 0, top), (a, 0, top)], wall)
    out.face([(a, 0, low), (a, deep, low), (a, deep, top), (a, 0, top)], wall)
    out.face([(b, deep, low), (b, 0, low), (b, 0, top), (b, deep, top)], wall)
    if not house.detail:
        return
    frame, t = style["frame"], 0.06
    for piece in (
        (a, a + t, low, top),
        (b - t, b, low, top),
        (a, b, low, low + t),
        (a, b, top - t, top),
    ):
        out.face(_rect(*piece, deep - 0.02), frame)
    middle = (a + b) / 2
    if style["bars"] > 0:
        out.face(_rect(middle - t / 2, middle + t / 2, low, top, deep - 0.02), frame)
    if style["bars"] > 1:
        cross = low + high * 0.66
        out.face(_rect(a, b, cross - t / 2, cross + t / 2, deep - 0.02), frame)
    out.box((middle, -0.04, low - 0.03), (wide + 0.16, 0.16, 0.06), style["sill"])
    if style["shutters"]:
        for s in (a - wide * 0.27, b + wide * 0.27):
            out.box((s, -0.03, (low + top) / 2), (wide * 0.5, 0.05, high), style["shutter"])


def _door(
    out: Build,
    palette: Palette,
    rng: np.random.Generator,
    wall: bpy.types.Material,
    x: float,
    bay: float,
    z: float,
    floor_m: float,
    barn: bool,
) -> None:
    wide, high = (min(bay * 0.9, 2.4), 2.5) if barn else (min(1.1, bay * 0.7), 2.15)
    a, b = x + (bay - wide) / 2, x + (bay + wide) / 2
    out.face(_rect(x, x + bay, z + high, z + floor_m), wall)
    out.face(_rect(x, a, z, z + high), wall)
    out.face(_rect(b, x + bay, z, z + high), wall)
    tones = ((0.2, 0.05, 0.03), (0.03, 0.08, 0.16), (0.05, 0.11, 0.06), (0.16, 0.09, 0.05))
    out.face(_rect(a, b, z, z + high, 0.12), palette.plain(tones[int(rng.integers(4))], 0.4))
    for edge in (a, b):
        out.face([(edge, 0, z), (edge, 0.12, z), (edge, 0.12, z + high), (edge, 0, z + high)], wall)
    if not barn:
        out.box(
            ((a + b) / 2, -0.25, z + 0.07),
            (wide + 0.5, 0.7, 0.14),
            palette.plain((0.4, 0.39, 0.37), 0.8),
        )


def _shops(
    out: Build,
    palette: Palette,
    house: House,
    rng: np.random.Generator,
    style: dict[str, object],
    height: float,
) -> None:
    count = max(1, round(house.width / 6))
    wide = house.width / count
    for k in range(count):
        x, tone = k * wide, float(rng.uniform(0.06, 0.5))
        stone = palette.plain((round(tone, 1), round(tone * 0.97, 2), round(tone * 0.92, 2)), 0.7)
        sign = palette.plain(
            SIGNS[int(rng.integers(len(SIGNS)))], 0.4, glow=0.25 if house.lit else 0.0
        )
        out.face(_rect(x, x + 0.5, 0, height), stone)
        out.face(_rect(x + wide - 0.5, x + wide, 0, height), stone)
        out.face(_rect(x + 0.5, x + wide - 0.5, 0, 0.5), stone)
        out.face(_rect(x + 0.5, x + wide - 0.5, 2.9, height), stone)
        out.box((x + wide / 2, -0.06, 3.25), (wide - 1.0, 0.14, 0.5), sign)
        glass = (
            palette.plain((1.0, 0.8, 0.55), 0.2, glow=0.8)
            if house.lit and rng.uniform() < 0.6
            else palette.plain((0.03, 0.035, 0.04), 0.03)
        )
        out.face(_rect(x + 0.5, x + wide - 0.5, 0.5, 2.9, 0.25), glass)
        for bar in np.linspace(x + 0.5, x + wide - 0.5, 4)[1:-1]:
            out.box((float(bar), 0.2, 1.7), (0.08, 0.1, 2.4), style["frame"])
        if house.detail and rng.uniform() < 0.4:
            cloth = palette.plain(SIGNS[int(rng.integers(len(SIGNS)))], 0.9)
            a, b = x + 0.4, x + wide - 0.4
            out.face([(a, -1.3, 2.5), (b, -1.3, 2.5), (b, 0, 3.0), (a, 0, 3.0)], cloth)


def _side(
    out: Build,
    house: House,
    wall: bpy.types.Material,
    style: dict[str, object],
    rng: np.random.Generator,
    x: float,
    height: float,
    blank: bool,
) -> None:
    face = [(x, 0, 0), (x, house.depth, 0), (x, house.depth, height), (x, 0, height)]
    out.face(face if x > 0 else face[::-1], wall)
    if blank or not house.detail:
        return
    dark = house.depth / 2
    sign = 1 if x > 0 else -1
    for floor in range(house.floors):
        z = floor * house.floor_m + 0.9
        for y in (dark - 1.8, dark + 1.2):
            at = x + sign * 0.02
            pane = [(at, y, z), (at, y + 0.9, z), (at, y + 0.9, z + 1.3), (at, y, z + 1.3)]
            out.face(pane if x > 0 else pane[::-1], style["frame"])
            at = x + sign * 0.03
            pane = [
                (at, y + 0.08, z + 0.08),
                (at, y + 0.82, z + 0.08),
                (at, y + 0.82, z + 1.22),
                (at, y + 0.08, z + 1.22),
            ]
            out.face(pane if x > 0 else pane[::-1], style["glass"])


def _roof(
    out: Build,
    palette: Palette,
    house: House,
    rng: np.random.Generator,
    wall: bpy.types.Material,
    height: float,
) -> None:
    w, d = house.width, house.depth
    if not house.gable:
        cap = palette.plain((0.3, 0.295, 0.28), 0.85)
        out.face([(0, 0, height), (w, 0, height), (w, d, height), (0, d, height)], cap)
        out.box((w / 2, 0.1, height + 0.25), (w + 0.2, 0.35, 0.5), wall)
        out.box((w / 2, -0.02, height + 0.52), (w + 0.3, 0.5, 0.08), cap)
        return
    words = "roof tiles" if rng.uniform() < 0.65 else "roof slates"
    tone = round(float(rng.uniform(0.6, 1.2)) * 4) / 4
    tiles = palette.tile(words, int(rng.integers(2)), 4.5, (tone, tone, tone), ground=True)
    rise, over = float(rng.uniform(0.35, 0.6)) * d, 0.45
    ridge, drop = height + rise, rise / (d / 2) * over
    left, right = -over, w + over
    slope = float(np.hypot(d / 2 + over, rise + drop))
    uv = [(left, 0), (right, 0), (right, slope), (left, slope)]
    lower = height - drop
    out.face(
        [(left, -over, lower), (right, -over, lower), (right, d / 2, ridge), (left, d / 2, ridge)],
        tiles,
        uv,
    )
    out.face(
        [
            (right, d + over, lower),
            (left, d + over, lower),
            (left, d / 2, ridge),
            (right, d / 2, ridge),
        ],
        tiles,
        uv,
    )
    out.face([(w, 0, height), (w, d, height), (w, d / 2, ridge)], wall)
    out.face([(0, d, height), (0, 0, height), (0, d / 2, ridge)], wall)
    gutter = palette.plain((0.25, 0.25, 0.26), 0.4, 0.5)
    out.box((w / 2, -over, lower), (w + 2 * over, 0.12, 0.12), gutter)
    if rng.uniform() < 0.6:
        at = float(rng.uniform(0.25, 0.75)) * w
        brick = palette.tile("red brick wall", 0, 2.4)
        out.box((at, d * 0.6, ridge + 0.2), (0.7, 0.7, 1.6), brick)
