"""The table top's mesh library: what its props are turned, cut, swept and moulded from.

Each public function gives a mesh that fills the unit cube round the origin, so that a `Solid`'s
`size_m` is its full extent; all wear the one colour role "paint". Moulded shapes (hand, apple) are
wrapped round a distance field by naive surface nets (after Gibson, "Constrained Elastic Surface
Nets", 1998). Meshes are made once and shared.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hartsim.types import Vector3
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

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Field = Callable[[Array], Array]
Outline = Sequence[tuple[float, float]]


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


def moulded(field: Field, low: Vector3, high: Vector3, cells: int) -> Mesh:
    """The surface where a distance field is zero; `cells` along the longest side of the bounds."""
    step = max(h - lo for lo, h in zip(low, high, strict=True)) / cells
    axes = [np.arange(lo, h + step, step) for lo, h in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = field(grid.reshape(-1, 3)).reshape(grid.shape[:3])
    vertices, index = _net_vertices(values)
    return mesh_of(np.array(low) + vertices * step, _net_faces(values, index), crease_deg=80)


def _net_vertices(values: Array) -> tuple[Array, Indices]:
    """One vertex per cell that the surface crosses, at the mean of its edges' crossings."""
    shape = tuple(n - 1 for n in values.shape)
    total, count = np.zeros((*shape, 3)), np.zeros(shape)
    corners = [(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]
    for first in corners:
        for axis in range(3):
            if first[axis]:
                continue
            second = tuple(c + (n == axis) for n, c in enumerate(first))
            a, b = _shifted(values, first, shape), _shifted(values, second, shape)
            crossed = (a < 0) != (b < 0)
            share = np.where(crossed, a / np.where(crossed, a - b, 1.0), 0.0)
            along = np.eye(3)[axis] * share[..., None]
            total += np.where(crossed[..., None], np.array(first) + along, 0.0)
            count += crossed
    found = count > 0
    index = np.full(shape, -1, np.intp)
    index[found] = np.arange(found.sum())
    return np.argwhere(found) + total[found] / count[found][:, None], index


def _shifted(values: Array, corner: tuple[int, ...], shape: tuple[int, ...]) -> Array:
    return values[tuple(slice(c, c + n) for c, n in zip(corner, shape, strict=True))]


def _net_faces(values: Array, index: Indices) -> Indices:
    """Two triangles for each grid edge that the surface crosses, wound to face outwards."""
    faces = []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        inside = np.moveaxis(values, (axis, u, v), (0, 1, 2)) < 0
        cells = np.moveaxis(index, (axis, u, v), (0, 1, 2))
        crossing = inside[:-1, 1:-1, 1:-1] != inside[1:, 1:-1, 1:-1]
        a, b = cells[:, :-1, :-1][crossing], cells[:, 1:, :-1][crossing]
        c, d = cells[:, 1:, 1:][crossing], cells[:, :-1, 1:][crossing]
        leaves = inside[:-1, 1:-1, 1:-1][crossing][:, None]
        quads = np.where(leaves, np.column_stack([a, b, c, d]), np.column_stack([a, d, c, b]))
        faces += [quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]
    return np.vstack(faces)


def _melted(distances: Sequence[Array], softness: float) -> Array:
    """The union of fields, blended where they meet (the exponential smooth minimum)."""
    stacked = np.stack(distances)
    return np.asarray(-softness * np.log(np.exp(-stacked / softness).sum(axis=0)))


def _rod(points: Array, start: Vector3, end: Vector3, first: float, last: float) -> Array:
    """The distance to a capsule whose radius runs from `first` to `last`."""
    a, axis = np.array(start), np.array(end) - np.array(start)
    along = np.clip((points - a) @ axis / (axis @ axis), 0, 1)
    distance = np.linalg.norm(points - a - along[:, None] * axis, axis=1)
    return np.asarray(distance - first - (last - first) * along)


def _hand_field(points: Array) -> Array:
    """A right hand, palm down, fingers along +x; a unit is the length of hand and wrist."""
    fingers = [
        # knuckle, middle joint, tip, radius
        ((0.06, 0.170, 0.06), (0.25, 0.225, 0.085), (0.40, 0.240, 0.03), 0.042),
        ((0.08, 0.060, 0.07), (0.30, 0.080, 0.095), (0.47, 0.085, 0.03), 0.046),
        ((0.07, -0.050, 0.07), (0.29, -0.060, 0.09), (0.45, -0.068, 0.03), 0.044),
        ((0.03, -0.150, 0.055), (0.20, -0.185, 0.075), (0.33, -0.205, 0.025), 0.038),
    ]
    parts = []
    for knuckle, middle, tip, radius in fingers:
        parts.append(_rod(points, knuckle, middle, radius * 1.12, radius))
        parts.append(_rod(points, middle, tip, radius, radius * 0.8))
    parts.append(_rod(points, (-0.24, 0.12, 0.04), (-0.06, 0.29, 0.045), 0.07, 0.052))
    parts.append(_rod(points, (-0.06, 0.29, 0.045), (0.09, 0.345, 0.03), 0.05, 0.036))
    palm = np.linalg.norm((points - np.array([-0.13, 0.01, 0.045])) / [0.27, 0.215, 0.085], axis=1)
    parts.append((palm - 1) * 0.085)
    parts.append(_rod(points, (-0.32, 0.0, 0.05), (-0.55, 0.0, 0.055), 0.085, 0.09))
    return _melted(parts, 0.016)


PROFILES: dict[str, tuple[Outline, int]] = {
    # Radius and height, up the outside and down the inside, and the number of sides; the first and
    # the last ring are closed with flat ends. What wears a band has as many sides as the band.
    "band": ([(1, 0), (1, 1)], 18),
    "sleeve": ([(0.84, 0), (1, 1)], 18),
    "mug": (
        [(0.82, 0), (0.94, 0.08), (0.98, 1.6), (1, 2.1), (0.96, 2.13), (0.9, 2.1), (0.86, 0.2)],
        18,
    ),
    "bottle": (
        [
            (0.9, 0),
            (1, 0.15),
            (1, 3.1),
            (0.95, 3.5),
            (0.8, 3.85),
            (0.55, 4.2),
            (0.42, 4.5),
            (0.38, 5.3),
        ],
        18,
    ),
    "jar": ([(0.92, 0), (1, 0.1), (1, 1.7), (0.9, 1.9), (0.85, 2)], 18),
    "paper_cup": ([(0.7, 0), (1, 2.4), (1.04, 2.44), (0.95, 2.4), (0.68, 0.1)], 18),
    "lid": ([(1, 0), (1, 0.25), (0.9, 0.3), (0.87, 0.62), (0.78, 0.62), (0.74, 0.5)], 18),
    "bowl": (
        [
            (0.45, 0),
            (0.47, 0.08),
            (0.7, 0.22),
            (0.9, 0.5),
            (1, 0.86),
            (0.97, 0.9),
            (0.93, 0.86),
            (0.83, 0.52),
            (0.62, 0.28),
            (0.3, 0.17),
        ],
        22,
    ),
    "plate": ([(0.6, 0), (0.95, 0.12), (1, 0.15), (0.99, 0.17), (0.93, 0.16), (0.62, 0.06)], 24),
    "flask": ([(0.92, 0), (1, 0.1), (0.34, 1.5), (0.32, 2), (0.4, 2.06), (0.28, 2)], 16),
    "pot": ([(0.7, 0), (0.86, 1.2), (1, 1.2), (1, 1.5), (0.9, 1.5), (0.85, 1.3)], 16),
    "shade": ([(1, 0), (0.5, 1), (0.34, 1.08)], 18),
    "link": ([(0.9, 0), (1, 0.06), (0.97, 0.3), (0.8, 0.75), (0.78, 0.94), (0.7, 1)], 18),
    "joint": ([(0.86, 0), (1, 0.1), (1, 0.9), (0.86, 1)], 20),
    "apple": (
        [
            (0.25, 0.1),
            (0.5, 0.05),
            (0.75, 0.3),
            (0.93, 0.7),
            (1, 1.1),
            (0.97, 1.4),
            (0.82, 1.7),
            (0.55, 1.84),
            (0.28, 1.78),
            (0.1, 1.6),
        ],
        16,
    ),
}

OUTLINES: dict[str, tuple[Outline, float]] = {
    # Corners in the plane, anticlockwise, and the bevel; all point along +x.
    "knife_blade": (
        [
            (0, 0),
            (0.35, -0.012),
            (0.65, 0.01),
            (0.85, 0.055),
            (1, 0.13),
            (0.85, 0.2),
            (0.55, 0.24),
            (0, 0.24),
        ],
        0.1,
    ),
    "knife_handle": (
        [
            (0, -0.1),
            (0.12, -0.2),
            (0.3, -0.13),
            (0.6, -0.16),
            (0.85, -0.12),
            (1, -0.16),
            (1, 0.1),
            (0.6, 0.14),
            (0.25, 0.1),
            (0.05, 0.08),
        ],
        0.14,
    ),
    "scissor_blade": ([(0, -0.1), (0.5, -0.09), (1, 0.06), (0.6, 0.1), (0, 0.12)], 0.12),
    "trapeze": ([(-0.5, -0.5), (0.5, -0.34), (0.5, 0.34), (-0.5, 0.5)], 0.05),
}


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
def hand(side: Literal["left", "right"]) -> Mesh:
    """A hand with its wrist, palm down, fingers along +x."""
    right = fitted(moulded(_hand_field, (-0.62, -0.32, -0.06), (0.56, 0.42, 0.2), 34))
    return right if side == "right" else mirrored_y(right)
