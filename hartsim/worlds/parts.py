"""Parts that many things on a road share: rods, boards, plates, lettering and heaps.

What stands before the driver faces -x, as a thing of heading 0 does ahead of the ego.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from hartsim.types import Vector3
from hartsim.worlds import meshes
from hartsim.worlds.meshes import Points, moved, painted
from hartsim.worlds.stage import Colour, Mesh, Quaternion, Solid

STEEL: Colour = (0.52, 0.54, 0.57)
ZINC: Colour = (0.66, 0.68, 0.7)
RUST: Colour = (0.5, 0.3, 0.18)
BLACK: Colour = (0.07, 0.07, 0.075)
RUBBER: Colour = (0.1, 0.1, 0.105)
TIMBER: Colour = (0.72, 0.55, 0.35)

ALONG_X: Quaternion = meshes.turn((0.0, 1.0, 0.0), math.pi / 2)
"""Lays what stands along z along x."""
ALONG_Y: Quaternion = meshes.turn((1.0, 0.0, 0.0), -math.pi / 2)
"""Lays what stands along z along y."""


def filling(size_m: Vector3, mesh: Mesh, gloss: float = 0.1, **colours: Colour) -> list[Solid]:
    """A mesh stretched to fill a box that stands on the ground; `colours` are by role."""
    at = (0.0, 0.0, size_m[2] / 2)
    return [Solid("mesh", size_m, at, mesh=mesh, colours=colours, specular=gloss)]


def rod(
    path: ArrayLike, radius: float | Sequence[float], role: str, colour: Colour, sides: int = 6
) -> Mesh:
    """A round bar along a path (N, 3)."""
    return painted(meshes.tube(path, radius, sides), role, colour)


def board(
    size: Vector3,
    at: Vector3,
    role: str,
    colour: Colour,
    turned: Quaternion = meshes.UPRIGHT,
    bevel: float = 0.0,
) -> Mesh:
    """A box in its place."""
    return painted(moved(meshes.box(size, bevel), at, turned), role, colour)


def plate(sides: int, radius: float, thick: float, at: Vector3, role: str, colour: Colour) -> Mesh:
    """A flat plate that faces -x: 3 sides for a triangle that points up, 8 for an octagon, ..."""
    phase = math.pi / 2 if sides % 2 else math.pi / sides
    outline = meshes.circle(sides, radius, phase)
    rings = [np.column_stack([np.full(sides, x), outline]) for x in (-thick / 2, thick / 2)]
    return painted(moved(meshes.loft(np.stack(rings)), at), role, colour)


def striped(
    size: Vector3, at: Vector3, count: int, colours: tuple[Colour, Colour], slant: float = 0.0
) -> Mesh:
    """A board across the road, along y, in stripes of two colours that lean by `slant` metres."""
    thick, width, height = size
    edges = np.linspace(-width / 2, width / 2, count + 1)
    parts = []
    for k in range(count):
        low, high = (np.clip(edges[k : k + 2] + lean, -width / 2, width / 2) for lean in (0, slant))
        corners = [(low[0], 0.0), (low[1], 0.0), (high[1], height), (high[0], height)]
        ends = [[(x, y, z - height / 2) for y, z in corners] for x in (-thick / 2, thick / 2)]
        stripe = meshes.loft(np.array(ends))
        parts.append(painted(moved(stripe, at), f"stripe{k % 2}", colours[k % 2]))
    if slant:
        parts.append(board((thick * 0.9, width, height), at, "stripe1", colours[1]))
    return meshes.join(parts)


GLYPHS: Mapping[str, str] = {
    "A": "010 101 111 101 101",
    "C": "111 100 100 100 111",
    "D": "110 101 101 101 110",
    "E": "111 100 110 100 111",
    "L": "100 100 100 100 111",
    "O": "111 101 101 101 111",
    "P": "111 101 111 100 100",
    "R": "110 101 110 101 101",
    "S": "111 100 111 001 111",
    "T": "111 010 010 010 010",
    " ": "000 000 000 000 000",
}
"""Letters as rows of three squares, from the top."""


@lru_cache(maxsize=8)
def lettering(text: str, height_m: float, colour: Colour) -> Mesh:
    """A line of letters in the plane x = 0, about the origin, to be read from -x."""
    dot = height_m / 5
    wide = (4 * len(text) - 1) * dot
    spans = []
    for place, letter in enumerate(text):
        for row, dots in enumerate(GLYPHS[letter].split()):
            for column in np.flatnonzero(np.array(list(dots)) == "1").tolist():
                y, z = wide / 2 - (4 * place + column) * dot, height_m / 2 - row * dot
                spans.append([(0, y, z - dot), (0, y - dot, z - dot), (0, y - dot, z), (0, y, z)])
    return painted(meshes.quads(np.array(spans)), "letters", colour)


def heap(seed: int, size: Vector3, steep: float = 1.0, rough: float = 0.12, rings: int = 6) -> Mesh:
    """A mound of loose stuff on the ground z = 0, highest in its middle, its edge irregular.

    `steep` below 1 makes it flat on top, above 1 pointed; `rough` is the share of its height by
    which its face goes up and down.
    """
    sides = 24
    rng = np.random.default_rng(seed)
    edge = meshes.wobbly(sides, seed)
    shares = np.linspace(1, 0, rings + 1)[:-1]
    bumps = rng.normal(0, rough, (rings, sides))
    levels = (1 - shares**2)[:, None] ** steep * (1 + bumps)
    circle = meshes.circle(sides, 0.5) * edge[:, None]
    skin = np.concatenate([shares[:, None, None] * circle, levels[..., None]], axis=2)
    top = np.array([[[0.0, 0.0, float(levels[-1].max())]]])
    points = np.concatenate([skin, np.broadcast_to(top, (1, sides, 3))]) * np.asarray(size)
    return meshes.loft(points, capped=False, crease_deg=50)


def scattered(
    mesh: Mesh, count: int, spread: tuple[float, float], scale: tuple[float, float], seed: int
) -> Mesh:
    """Copies of a small thing about the origin within half of `spread`, each turned and sized."""
    rng = np.random.default_rng(seed)
    copies = []
    for _ in range(count):
        angle, reach = rng.uniform(0, 2 * math.pi), 0.5 * math.sqrt(rng.uniform(0.02, 1))
        x, y = spread[0] * reach * math.cos(angle), spread[1] * reach * math.sin(angle)
        size, turned = float(rng.uniform(*scale)), meshes.turn_z(float(rng.uniform(0, 6.3)))
        copies.append(moved(mesh, (float(x), float(y), 0.0), turned, size))
    return meshes.join(copies)


def wavy(rows: Points, columns: Points, heights: Points, role: str, colour: Colour) -> Mesh:
    """A sheet over a grid of x (R,) and y (C,) with heights (R, C), seen from both sides."""
    x, y = np.meshgrid(rows, columns, indexing="ij")
    points = np.stack([x, y, heights], axis=-1)
    corners = np.stack(
        [points[:-1, :-1], points[1:, :-1], points[1:, 1:], points[:-1, 1:]], axis=2
    ).reshape(-1, 4, 3)
    flat = corners[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)
    sheet = meshes.mesh_of(flat, np.arange(len(flat)).reshape(-1, 3), crease_deg=80)
    return painted(meshes.join([sheet, meshes.inside_out(sheet)]), role, colour)
