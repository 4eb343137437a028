"""Trees, shrubs, hedges and grass: clumps in a texture of leaves, lit from above.

Each plant is a list of solids about its foot. Crowns wear the surface LEAVES, whose texture every
street brings along; few tints make few draw calls. `detail` is 0 (far away) to 3.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from hartsim.types import Vector3
from hartsim.worlds import meshes
from hartsim.worlds.meshes import join, moved, painted, shaded, tube
from hartsim.worlds.stage import Colour, Mesh, Solid

LEAVES = "leaves"
LEAF_TILE_M = 1.7
BARK: Colour = (0.36, 0.28, 0.22)
SNOW: Colour = (0.95, 0.97, 1.0)
NEEDLES: Colour = (0.3, 0.46, 0.32)
GREENS: tuple[Colour, ...] = (
    (0.47, 0.68, 0.27),
    (0.58, 0.74, 0.3),
    (0.38, 0.6, 0.3),
    (0.66, 0.74, 0.3),
)
AUTUMN: tuple[Colour, ...] = (
    (1.0, 0.6, 0.2),
    (1.0, 0.78, 0.25),
    (0.84, 0.38, 0.2),
    (0.72, 0.7, 0.28),
)


def broadleaf(seed: int, detail: int, leaf: Colour, snow: float, scale: float) -> list[Solid]:
    """A tree about 6.5 m tall at scale 1: a trunk under layered clumps of leaves."""
    trunk, low, high = _broadleaf(seed, detail)
    return [Solid("mesh", None, mesh=trunk, scale=scale), *_crown(low, high, leaf, snow, scale)]


def conifer(seed: int, detail: int, snow: float, scale: float) -> list[Solid]:
    """A spruce about 9 m tall at scale 1: jagged skirts of branches."""
    trunk, low, high = _conifer(seed, detail)
    return [Solid("mesh", None, mesh=trunk, scale=scale), *_crown(low, high, NEEDLES, snow, scale)]


def bush(seed: int, detail: int, leaf: Colour, snow: float, scale: float) -> list[Solid]:
    """A rounded shrub about 1 m high at scale 1."""
    crown = _bush(seed, detail)
    return [_leafy(crown, snowed(leaf, snow * 0.8), scale)]


def hedge(length_m: float, seed: int, leaf: Colour, snow: float) -> list[Solid]:
    """A clipped hedge along x, a little uneven."""
    return [_leafy(_hedge(length_m, seed), snowed(leaf, snow * 0.5), 1.0)]


def _crown(low: Mesh, high: Mesh, leaf: Colour, snow: float, scale: float) -> list[Solid]:
    """The shaded and the sunny half of a crown; snow lies on the upper one."""
    r, g, b = (0.62 * each for each in leaf)
    return [
        _leafy(low, snowed((r, g, b), snow * 0.25), scale),
        _leafy(high, snowed(leaf, snow * 0.8), scale),
    ]


def _leafy(mesh: Mesh, tint: Colour, scale: float) -> Solid:
    return Solid("mesh", None, surface=LEAVES, mesh=mesh, tint=tint, scale=scale)


def snowed(colour: Colour, cover: float) -> Colour:
    """The colour under so much snow, in a few steps."""
    share = round(cover, 1)
    r, g, b = (c + (s - c) * share for c, s in zip(colour, SNOW, strict=True))
    return r, g, b


@lru_cache(maxsize=64)
def _broadleaf(seed: int, detail: int) -> tuple[Mesh, Mesh, Mesh]:
    """Trunk, lower and upper clumps."""
    rng = np.random.default_rng(seed)
    height = 2.2 + rng.uniform(-0.2, 0.3)
    path = [(0, 0, 0), (0.05, 0.02, height * 0.6), (0, 0.05, height + 1.4)]
    trunk = tube(path, (0.2, 0.14, 0.07), meshes.fewer(7, detail))
    low, high = [(0.0, 0.0, height + 1.3, 2.7)], [(0.0, 0.1, height + 2.5, 2.5)]
    for k in range(7):
        angle = k * 2.4 + rng.uniform(-0.4, 0.4)
        reach, size = rng.uniform(0.75, 1.2), rng.uniform(1.5, 2.0)
        x, y = reach * math.cos(angle), reach * math.sin(angle)
        if k % 2:
            low.append((x * 1.1, y * 1.1, height + rng.uniform(0.4, 1.1), size))
        else:
            high.append((x, y, height + rng.uniform(1.7, 2.8), size))
    low, high = ([group[0], *group[1 :: (9, 2, 1, 1)[detail]]] for group in (low, high))
    bark = shaded(painted(trunk, "bark", BARK), 0.6, 1.0)
    return bark, _clumps(low, seed, detail), _clumps(high, seed + 50, detail)


Ball = tuple[float, float, float, float]
"""Where a clump is, and how wide."""


def _clumps(balls: Sequence[Ball], seed: int, detail: int) -> Mesh:
    """Clumps of leaves at these places, the first of them modelled most finely."""
    parts = []
    for k, (x, y, z, size) in enumerate(balls):
        fine = detail == 3 or (detail == 2 and k == 0)
        wide = size * (1.3, 1.1, 1.0, 1.0)[detail]
        parts.append(moved(_foliage(seed * 31 + k, (wide, wide, wide * 0.8), fine), (x, y, z)))
    return join(parts)


def _foliage(seed: int, size: Vector3, fine: bool) -> Mesh:
    """A clump whose normals lean up, since leaves let light through."""
    clump = meshes.blob(seed, size, 0.26 if fine else 0.16, level=int(fine))
    return leaning(replace(clump, uv=(clump.uv / LEAF_TILE_M).astype(np.float32)))


def leaning(mesh: Mesh) -> Mesh:
    """The mesh with normals that lean up."""
    lifted = mesh.normals + np.array([0, 0, 0.55], np.float32)
    lifted /= np.linalg.norm(lifted, axis=-1, keepdims=True)
    return replace(mesh, normals=lifted)


@lru_cache(maxsize=64)
def _conifer(seed: int, detail: int) -> tuple[Mesh, Mesh, Mesh]:
    """Trunk, and every other skirt of branches."""
    rng = np.random.default_rng(seed)
    trunk = tube([(0, 0, 0), (0, 0, 3.0)], (0.18, 0.12), meshes.fewer(6, detail))
    levels, sides = (4, 5, 6, 7)[detail], (5, 7, 9, 11)[detail]
    skirts = []
    for k in range(levels):
        low, radius = 1.0 + k * 7.84 / levels, 1.9 * (1 - k / (levels + 0.6))
        ring = meshes.circle(sides, 1.0, rng.uniform(0, 6))
        jag, droop = radius * rng.uniform(0.72, 1.12, sides), rng.uniform(-0.25, 0.1, sides)
        outer = np.column_stack([ring * jag[:, None], low + droop])
        inner = np.column_stack([ring * 0.05, np.full(sides, low + 12.2 / levels)])
        skirt = meshes.loft(np.stack([outer, inner]), crease_deg=25)
        skirts.append(leaning(replace(skirt, uv=(skirt.uv / LEAF_TILE_M).astype(np.float32))))
    bark = shaded(painted(trunk, "bark", BARK), 0.6, 1.0)
    return bark, join(skirts[::2]), join(skirts[1::2])


@lru_cache(maxsize=64)
def _bush(seed: int, detail: int) -> Mesh:
    rng = np.random.default_rng(seed)
    count, size = ((1, 1.35), (1, 1.35), (3, 1.0), (4, 0.9))[detail]
    parts = []
    for k in range(count):
        leaf = _foliage(seed * 17 + k, (size, size, size * 0.88), detail == 3)
        x, y, z = rng.uniform(-0.35, 0.35), rng.uniform(-0.3, 0.3), rng.uniform(0.37, 0.62)
        parts.append(moved(leaf, (x, y, z)))
    return join(parts)


@lru_cache(maxsize=64)
def _hedge(length_m: float, seed: int) -> Mesh:
    rng = np.random.default_rng(seed)
    count, outline = max(3, int(length_m / 1.2)), meshes.rounded(8, 4)
    rings = []
    for x in np.linspace(-length_m / 2, length_m / 2, count):
        wide, high = 0.34 + rng.uniform(-0.04, 0.04), 0.6 + rng.uniform(-0.06, 0.06)
        ring = np.column_stack([wide * outline[:, 0], 0.6 + high * outline[:, 1]])
        rings.append(np.column_stack([np.full(8, x), ring]))
    mesh = meshes.loft(np.stack(rings), crease_deg=50)
    return replace(mesh, uv=(mesh.uv / LEAF_TILE_M).astype(np.float32))


@lru_cache(maxsize=8)
def tuft_field(seed: int) -> Mesh:
    """Tufts of long grass strewn over nine metres by four, in the role "leaf"."""
    rng = np.random.default_rng(seed)
    corners = []
    for _ in range(16):
        x, y = rng.uniform(-4.5, 4.5), rng.uniform(-2, 2)
        for angle in np.arange(6) * 1.05 + rng.uniform(0, 1):
            c, s = math.cos(angle), math.sin(angle)
            out, tall = rng.uniform(0.08, 0.2), rng.uniform(0.25, 0.5)
            left, right = (x - 0.03 * s, y + 0.03 * c, 0.0), (x + 0.03 * s, y - 0.03 * c, 0.0)
            corners.append([left, right, (x + out * c, y + out * s, tall)])
    faces = np.arange(3 * len(corners)).reshape(-1, 3)
    both = np.concatenate([faces, faces[:, ::-1]])
    blades = meshes.mesh_of(np.array(corners).reshape(-1, 3), both, crease_deg=5)
    return shaded(painted(blades, "leaf", (0.42, 0.52, 0.22)), 0.5, 1.0)
