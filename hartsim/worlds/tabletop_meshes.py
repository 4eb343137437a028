"""The table top's mesh library: what its props are turned, cut, swept and moulded from.

Each public function gives a mesh that fills the unit cube round the origin, so that a `Solid`'s
`size_m` is its full extent; all wear the one colour role "paint". Meshes are made once and shared.
"""

import math
from functools import cache, partial
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from hartsim.worlds.meshes import (
    bounds,
    circle,
    join,
    lathe,
    loft,
    mesh_of,
    mirrored_y,
    moved,
    tube,
)
from hartsim.worlds.stage import Mesh
from hartsim.worlds.tabletop_moulds import hand_field, moulded
from hartsim.worlds.tabletop_outlines import OUTLINES, PROFILES


def fitted(mesh: Mesh) -> Mesh:
    """The mesh moved and stretched to the unit cube round the origin; flat ones stay flat."""
    low, high = bounds(mesh)
    scale = 1 / np.where(high - low > 1e-9, high - low, 1.0)
    x, y, z = (-(low + high) / 2 * scale).tolist()
    return moved(mesh, (x, y, z), scale=tuple(scale.tolist()))


def cut(outline: ArrayLike, bevel: float) -> Mesh:
    """An outline (N, 2), star-shaped about its mean, as a slab one unit thick.

    The top shrinks towards the mean by the fraction `bevel`, which lets its rim catch the light.
    """
    flat = np.asarray(outline, float)
    middle = flat.mean(axis=0)
    top = middle + (flat - middle) * (1 - bevel)
    levels = ((flat, -0.5), (flat, 0.5 - bevel), (top, 0.5))
    rings = [np.column_stack([ring, np.full(len(flat), z)]) for ring, z in levels]
    return loft(np.stack(rings), crease_deg=30)


@cache
def turned(name: str) -> Mesh:
    """A shape turned on the lathe, by its name in `PROFILES`."""
    profile, sides = PROFILES[name]
    return fitted(lathe(profile, sides))


@cache
def slab(name: str) -> Mesh:
    """A flat shape by its name in `OUTLINES`."""
    outline, bevel = OUTLINES[name]
    return fitted(cut(outline, bevel))


@cache
def rounded_slab(aspect: float) -> Mesh:
    """A slab with rounded corners, `aspect` times as long (x) as wide."""
    radius, outline = 0.09, []
    for quarter, (sx, sy) in enumerate(((1, 1), (-1, 1), (-1, -1), (1, -1))):
        for step in range(5):
            angle = (quarter + step / 4) * math.pi / 2
            x = sx * (aspect / 2 - radius) + radius * math.cos(angle)
            outline.append((x, sy * (0.5 - radius) + radius * math.sin(angle)))
    return fitted(cut(outline, 0.02))


@cache
def puddle(variant: int) -> Mesh:
    """A flat pool with a rounded rim and a wavy outline."""
    random = np.random.default_rng(variant)
    angles = np.linspace(0, 2 * math.pi, 40, endpoint=False)
    radius = np.ones(40)
    for wave in range(2, 7):
        size = random.uniform(0.1, 0.42) / wave
        radius += size * np.cos(wave * angles + random.uniform(0, 2 * math.pi))
    outline = np.column_stack([radius * np.cos(angles), radius * np.sin(angles)])
    layers = [(1.0, -0.5), (0.985, 0.1), (0.95, 0.36), (0.88, 0.5)]
    rings = [np.column_stack([outline * scale, np.full(40, z)]) for scale, z in layers]
    return fitted(loft(np.stack(rings)))


@cache
def glint(variant: int) -> Mesh:
    """A crescent of reflected window light, to lie on a pool."""
    reach = (0.75, 0.95)[variant % 2] * math.pi
    angles = np.linspace(0.25, reach, 16)
    thickness = 0.17 * np.sin(np.linspace(0, math.pi, 16)) + 0.002
    outer = np.column_stack([np.cos(angles), np.sin(angles)])
    inner = outer * (1 - thickness)[:, None]
    points = np.column_stack([np.vstack([outer, inner]), np.zeros(32)])
    a = np.arange(15)
    faces = np.vstack([np.column_stack([a, a + 1, a + 17]), np.column_stack([a, a + 17, a + 16])])
    return fitted(mesh_of(points, faces))


@cache
def shard(variant: int) -> Mesh:
    """A splinter of glass: an irregular slab with sharp corners."""
    random = np.random.default_rng(variant)
    corners = int(random.integers(3, 6))
    angles = np.sort(random.uniform(0, 4.4 / corners, corners))
    angles = angles + np.arange(corners) * 2 * math.pi / corners
    radius = random.uniform(0.45, 1.0, corners)
    outline = zip(radius * np.cos(angles), radius * np.sin(angles), strict=True)
    return fitted(cut(list(outline), 0.12))


@cache
def ring(thickness: float) -> Mesh:
    """A torus lying flat, its tube `thickness` times as wide as the ring."""
    turns = np.linspace(0, 2 * math.pi, 8)
    profile = zip(1 + thickness * np.cos(turns), thickness * np.sin(turns), strict=True)
    rings = [np.column_stack([circle(22, r), np.full(22, z)]) for r, z in profile]
    return fitted(loft(np.stack(rings), capped=False, crease_deg=80))


@cache
def broken_tumbler() -> Mesh:
    """The jagged lower half of a drinking glass, open at the top."""
    sides = 22
    random = np.random.default_rng(7)
    jag = np.abs(random.normal(0, 0.35, sides)) + 0.25 * (np.arange(sides) % 3 == 0)
    rings = []
    for radius, height, broken in ((0.78, 0, 0), (0.86, 0.5, 1), (0.8, 0.5, 1), (0.7, 0.08, 0)):
        rings.append(np.column_stack([circle(sides, radius), height + broken * jag]))
    return fitted(loft(np.stack(rings)))


@cache
def coil() -> Mesh:
    """A flat spiral heating element."""
    angle = np.linspace(0.6, 2 * math.pi * 3.6, 90)
    radius = 0.14 + 0.86 * angle / angle[-1]
    path = np.column_stack([radius * np.cos(angle), radius * np.sin(angle), 0 * angle])
    return fitted(tube(path, np.full(90, 0.075), 6))


@cache
def cable(loops: int) -> Mesh:
    """A power cable thrown on a table: along x, with so many loops."""
    t = np.linspace(0, 1, 70 + 25 * loops)
    x, y = t, 0.22 * np.sin(2.2 * math.pi * t) * np.sin(math.pi * t) + 0.07 * np.sin(9 * t)
    if loops:
        turn, swell = 2 * math.pi * loops * t, np.sin(math.pi * t)
        x = t - 0.13 * np.sin(turn) * swell
        y = 0.19 * (1 - np.cos(turn)) * swell + 0.06 * np.sin(7 * t)
    lift = 0.03 * np.exp(-(((t - 0.5) / 0.05) ** 2))
    return fitted(tube(np.column_stack([x, y, lift]), np.full(len(t), 0.016), 7))


@cache
def banana() -> Mesh:
    """A banana lying on its side, curved in the plane of the table."""
    t = np.linspace(0, 1, 22)
    angle = (t - 0.5) * 1.9
    path = np.column_stack([np.sin(angle), 0.9 * np.cos(angle), 0 * t])
    body = 0.175 * np.sin(math.pi * (t * 0.94 + 0.02)) ** 0.42
    stem = np.where(t < 0.1, np.minimum(body, 0.05), body)
    return fitted(tube(path, np.maximum(stem, 0.03), 6))


@cache
def mug_handle() -> Mesh:
    """A handle in the x-z plane, open towards -x."""
    angle = np.linspace(-math.pi / 2, math.pi / 2, 16)
    path = np.column_stack([np.cos(angle) ** 0.7, 0 * angle, 1.1 * np.sin(angle)])
    return fitted(tube(path, np.full(16, 0.16), 8))


@cache
def fluted_grip() -> Mesh:
    """A screwdriver's handle along x, blade end at +x."""
    profile = [(0.75, 0), (1, 0.15), (0.95, 0.9), (0.9, 2.2), (0.62, 2.6)]
    angle = np.arange(24) * (2 * math.pi / 24)
    rings = []
    for radius, height in (*profile, (0.8, 2.95), (0.6, 3.1)):
        depth = 0.09 if 0.1 < height < 2.3 else 0.0
        flutes = radius * (1 - depth * (1 - np.cos(6 * angle)))[:, None]
        rings.append(np.column_stack([np.full(24, height), flutes * circle(24)]))
    return fitted(loft(np.stack(rings)))


@cache
def keycaps(rows: int, columns: int) -> Mesh:
    """The caps of a keyboard, columns along y, rows along x, with a space bar in the last row."""
    aside = columns // 4
    places = [
        ((row + 0.5) / rows, (column + 0.5) / columns, 1 / columns)
        for row in range(rows)
        for column in range(columns)
        if row < rows - 1 or column <= aside or column >= columns - aside - 1
    ]
    places.append((1 - 0.5 / rows, 0.5, (columns - 2 * aside - 2) / columns))
    return fitted(join([_keycap(*place, 0.43 / rows) for place in places]))


def _keycap(x: float, y: float, width: float, half: float) -> Mesh:
    side = width / 2 - 0.12 / 14
    outline = [(x - half, y - side), (x + half, y - side), (x + half, y + side)]
    return cut([*outline, (x - half, y + side)], 0.12)


@cache
def leaves(variant: int) -> Mesh:
    """A rosette of pointed leaves."""
    random = np.random.default_rng(variant)
    return fitted(join([_leaf(turn * 2.4, random) for turn in range(13)]))


def _leaf(turn: float, random: np.random.Generator) -> Mesh:
    """One curved leaf, drawn from both sides."""
    turn, lean = turn + random.uniform(-0.3, 0.3), random.uniform(0.25, 1.05)
    size, t = random.uniform(0.7, 1.0), np.linspace(0, 1, 6)
    out, up = size * math.sin(lean) * t, size * (math.cos(lean) * t - 0.22 * t * t)
    width = 0.14 * size * np.sin(math.pi * np.clip(t, 0.04, 0.97)) ** 0.8
    c, s = math.cos(turn), math.sin(turn)
    edges = [np.column_stack([c * out - s * w, s * out + c * w, up]) for w in (width, -width)]
    a = np.arange(5)
    upper = np.vstack([np.column_stack([a, a + 7, a + 1]), np.column_stack([a, a + 6, a + 7])])
    return join([mesh_of(np.vstack(edges), faces) for faces in (upper, upper[:, ::-1])])


@cache
def hand(side: Literal["left", "right"], plump: bool = False) -> Mesh:
    """A hand with its wrist, palm down, fingers along +x; a `plump` one is a child's."""
    field = partial(hand_field, plump=1.25 if plump else 1.0)
    right = fitted(moulded(field, (-0.62, -0.32, -0.06), (0.56, 0.42, 0.2), 34))
    return right if side == "right" else mirrored_y(right)
