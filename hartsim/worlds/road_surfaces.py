"""What covers or breaks the road itself: ice, mud, water, sand, holes, plates, leaves, paint."""

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from hartsim.types import Vector3
from hartsim.worlds import meshes
from hartsim.worlds.hazards import stain
from hartsim.worlds.looks import Look, Maker
from hartsim.worlds.meshes import join, moved, painted, shaded
from hartsim.worlds.parts import ALONG_X, BLACK, RUST, ZINC, board, filling, heap, rod, scattered
from hartsim.worlds.stage import Colour, Mesh, Solid

Solids = list[Solid]

TOP_M = 0.026
"""Above the layers of a stain."""
MUD: Colour = (0.4, 0.27, 0.15)
SAND: Colour = (0.86, 0.72, 0.47)
SNOW: Colour = (0.99, 1.0, 1.0)
IRON: Colour = (0.3, 0.29, 0.28)
EARTH: Colour = (0.4, 0.29, 0.19)
ASPHALT: tuple[Colour, ...] = ((0.3, 0.3, 0.31), (0.38, 0.38, 0.38), (0.24, 0.24, 0.25))
AUTUMN: tuple[Colour, ...] = (
    (0.86, 0.52, 0.1),
    (0.66, 0.24, 0.1),
    (0.92, 0.74, 0.2),
    (0.44, 0.27, 0.13),
)
PAINTED: tuple[Colour, ...] = ((0.96, 0.96, 0.94), (0.8, 0.12, 0.1), (0.95, 0.78, 0.12))

_FROST = stain((0.94, 0.97, 1.0), (0.5, 0.7, 0.85), gloss=0.6, layers=4)
_WALLOW = stain((0.5, 0.37, 0.23), MUD, gloss=0.3)
_DAMP = stain((0.2, 0.19, 0.18), (0.16, 0.15, 0.14), gloss=0.4)
_GROUND = stain((0.5, 0.46, 0.4), (0.13, 0.12, 0.11), layers=4)


def ice_patch(size_m: Vector3, look: Look) -> Solids:
    """Pale glossy ice with a rim of frost and white cracks."""
    cracks = (size_m[0] * 0.7, size_m[1] * 0.7, 0.0)
    white = Solid("mesh", cracks, (0.0, 0.0, TOP_M), mesh=_cracks(look.seed % 4))
    return [*_FROST(size_m, look), white]


@lru_cache(maxsize=4)
def _cracks(seed: int) -> Mesh:
    """Forked white lines over a square metre."""
    rng = np.random.default_rng([seed, 2])
    lines = []
    for _ in range(7):
        foot, heading = rng.uniform(-0.4, 0.4, 2), rng.uniform(0, 6.3)
        for _ in range(4):
            heading += rng.normal(0, 0.6)
            tip = foot + 0.16 * np.array([math.cos(heading), math.sin(heading)])
            side = 0.009 * np.array([-math.sin(heading), math.cos(heading)])
            corners = np.array([foot - side, tip - side, tip + side, foot + side])
            lines.append(np.column_stack([corners, np.zeros(4)]))
            foot = tip
    return painted(meshes.quads(np.array(lines)), "crack", (0.98, 0.99, 1.0))


def mud(size_m: Vector3, look: Look) -> Solids:
    """Wet mud with wheel tracks through it and clods on it."""
    length, width, height = size_m
    above = (length, width, height - TOP_M)
    tracks = Solid("mesh", above, (0.0, 0.0, (height + TOP_M) / 2), mesh=_mud(look.seed % 4))
    return [*_WALLOW(size_m, look), tracks]


@lru_cache(maxsize=4)
def _mud(seed: int) -> Mesh:
    rng = np.random.default_rng([seed, 5])
    parts = []
    for y in (-0.2, 0.2):
        for k, x in enumerate(np.arange(-0.42, 0.43, 0.07).tolist()):
            turned = meshes.turn_z(0.5 if k % 2 else -0.5)
            parts.append(board((0.03, 0.12, 0.1), (x, y, 0.05), "track", (0.2, 0.13, 0.08), turned))
    for k in range(40):
        angle, reach = rng.uniform(0, 6.3), math.sqrt(rng.uniform(0, 1)) * 0.5
        wide = float(rng.uniform(0.05, 0.11))
        clod = meshes.blob(k, (wide, wide, 0.9), 0.4, 0)
        at = (reach * math.cos(angle), reach * math.sin(angle), 0.2)
        role, tone = (("clod", MUD), ("dry", (0.56, 0.43, 0.28)), ("wet", (0.28, 0.18, 0.1)))[k % 3]
        parts.append(painted(moved(clod, at), role, tone))
    return join(parts)


def sand_drift(size_m: Vector3, look: Look) -> Solids:
    """A low dune with ripples across it."""
    return filling(size_m, _dune(look.seed % 4))


@lru_cache(maxsize=4)
def _dune(seed: int) -> Mesh:
    dune = heap(seed, (1.0, 1.0, 0.9), steep=1.1, rough=0.03, rings=10)
    middles = dune.vertices.mean(axis=1)
    crest = np.sin(34 * middles[:, 0] + 5 * middles[:, 1]) > 0.25
    tones = ((0.9, 0.77, 0.52), (0.76, 0.62, 0.39))
    rippled = meshes.repainted(dune, ("sand", "trough"), ~crest, tones)
    fringe = moved(meshes.disc(0.62, 26, wobble=seed), (0, 0, 0.05))
    return join([rippled, painted(fringe, "fringe", (0.72, 0.6, 0.41))])


def snow_drift(size_m: Vector3, look: Look) -> Solids:
    """A bank of blown snow with lumps at its foot."""
    return filling(size_m, _drift(look.seed % 4))


@lru_cache(maxsize=4)
def _drift(seed: int) -> Mesh:
    bank = heap(seed, (1.0, 1.0, 0.5), steep=0.8, rough=0.05, rings=8)
    lump = moved(meshes.blob(seed, (1.0, 1.0, 0.8), 0.3, 0), (0, 0, 0.3))
    lumps = scattered(lump, 22, (1.15, 1.15), (0.05, 0.13), seed)
    return shaded(painted(join([bank, lumps]), "snow", SNOW), 0.9, 1.0)


def broken_asphalt(size_m: Vector3, look: Look) -> Solids:
    """Slabs of a road that burst, tilted against each other over bare earth."""
    slabs = Solid("mesh", size_m, (0.0, 0.0, size_m[2] / 2), mesh=_slabs(look.seed % 4))
    return [*_GROUND(size_m, look), slabs]


@lru_cache(maxsize=4)
def _slabs(seed: int) -> Mesh:
    rng = np.random.default_rng([seed, 6])
    steps = np.linspace(-0.5, 0.5, 8)
    grid = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1)
    grid += rng.uniform(-0.045, 0.045, grid.shape)
    parts = []
    for i, j in np.ndindex(7, 7):
        corners = np.array([grid[i, j], grid[i + 1, j], grid[i + 1, j + 1], grid[i, j + 1]])
        middle = corners.mean(axis=0)
        away = float(np.hypot(*middle))
        if away > 0.52 or rng.random() < 0.14:
            continue
        flat = middle + (corners - middle) * rng.uniform(0.72, 0.92)
        lean = rng.normal(0, 0.42 * (1 - away), 2)
        lift = 0.03 + (flat - middle) @ lean + rng.uniform(0, 0.05) * (1 - 1.5 * away)
        upper = np.column_stack([flat, np.maximum(lift, 0.012)])
        slab = meshes.loft(np.stack([upper * (1, 1, 0), upper]))
        k = int(rng.integers(3))
        parts.append(painted(slab, f"slab{k}", ASPHALT[k]))
    return join(parts)


def open_manhole(size_m: Vector3, look: Look) -> Solids:
    """A round shaft with its iron frame, and the lid beside it."""
    return filling(size_m, _manhole(), 0.3)


@lru_cache(maxsize=1)
def _manhole() -> Mesh:
    """From -x one sees the far wall of the shaft, and darkness before it."""
    parts = [painted(meshes.disc(0.52, 24), "rim", (0.52, 0.51, 0.5))]
    layers = ((0.45, IRON), (0.38, (0.34, 0.24, 0.18)))
    for k, (radius, tone) in enumerate(layers):
        ring = moved(meshes.disc(radius, 24), (0, 0, 0.004 * (k + 1)))
        parts.append(painted(ring, f"ring{k}", tone))
    for k, (share, back) in enumerate(((0.84, 0.05), (0.68, 0.1))):
        dark = moved(meshes.disc(0.38, 24), (-back, 0, 0.012 + 0.004 * k), scale=(share, 0.97, 1))
        parts.append(painted(dark, f"dark{k}", ((0.14, 0.1, 0.08), (0.015, 0.015, 0.02))[k]))
    lid = [painted(meshes.cylinder(0.42, 0.06, 24), "lid", (0.44, 0.43, 0.42))]
    for k in range(3):
        hoop = moved(meshes.cylinder(0.36 - 0.11 * k, 0.066 + 0.004 * k, 20), (0, 0, 0))
        lid.append(painted(hoop, f"hoop{k}", (IRON, (0.5, 0.49, 0.48), IRON)[k]))
    parts.append(moved(join(lid), (0.1, -0.86, 0.08), meshes.turn((1.0, 0.0, 0.0), -0.13)))
    return join(parts)


def steel_plate(size_m: Vector3, look: Look) -> Solids:
    """A rusty plate over a dug-up road, with ramps of tar at its edges."""
    return filling(size_m, _steel_plate(), 0.5)


@lru_cache(maxsize=1)
def _steel_plate() -> Mesh:
    rings = [
        [(a * x, b * x, z) for a, b in ((1.25, 0.85), (-1.25, 0.85), (-1.25, -0.85), (1.25, -0.85))]
        for x, z in ((1.1, 0.0), (1.0, 0.025))
    ]
    ramp = painted(meshes.loft(np.array(rings)), "tar", (0.1, 0.1, 0.1))
    parts = [ramp, board((2.5, 1.7, 0.04), (0, 0, 0.03), "steel", (0.52, 0.4, 0.32))]
    spots = moved(meshes.disc(0.5, 18, wobble=3), (0, 0, 0.0512))
    for k, (x, y, wide) in enumerate(((-0.6, 0.3, 0.9), (0.5, -0.3, 1.1), (0.7, 0.5, 0.5))):
        rust = moved(spots, (x, y, 0.001 * k), scale=(wide, 0.6, 1.0))
        parts.append(painted(rust, f"rust{k}", (RUST, (0.6, 0.36, 0.2), (0.44, 0.36, 0.32))[k]))
    for x in (-1.0, 1.0):
        for y in (-0.6, 0.6):
            hole = moved(meshes.disc(0.06, 10), (x, y, 0.056))
            parts.append(painted(hole, "hole", BLACK))
    shine = [
        board((0.5, 0.03, 0.004), (x, y, 0.052), "shine", (0.74, 0.7, 0.66), meshes.turn_z(0.2))
        for x, y in ((0.1, 0.2), (-0.4, -0.4), (0.6, 0.05))
    ]
    return join([*parts, *shine])


def wet_leaves(size_m: Vector3, look: Look) -> Solids:
    """A carpet of autumn leaves on damp road."""
    length, width, height = size_m
    above = (length, width, height - TOP_M)
    leaves = Solid("mesh", above, (0.0, 0.0, (height + TOP_M) / 2), mesh=_leaves(look.seed % 4))
    return [*_DAMP(size_m, look), leaves]


@lru_cache(maxsize=4)
def _leaves(seed: int) -> Mesh:
    """Pointed leaves over a square metre, curled so that they show at a flat view."""
    rng = np.random.default_rng([seed, 7])
    count = 420
    angle, reach = rng.uniform(0, 6.3, count), 0.5 * np.sqrt(rng.uniform(0, 1, count))
    middles = np.column_stack([reach * np.cos(angle), reach * np.sin(angle)])
    turn, size = rng.uniform(0, 6.3, count), rng.uniform(0.022, 0.05, count)
    ahead = np.column_stack([np.cos(turn), np.sin(turn)]) * size[:, None]
    side = np.column_stack([-ahead[:, 1], ahead[:, 0]]) * 0.7
    low, high = rng.uniform(0, 0.5, count), rng.uniform(0.3, 1, count)
    flat = [middles - ahead, middles - side, middles + ahead, middles + side]
    lifts = [low, (low + high) / 2, high, (low + high) / 2]
    corners = np.stack(
        [np.column_stack([xy, z]) for xy, z in zip(flat, lifts, strict=True)], axis=1
    )
    which = np.repeat(rng.integers(0, 4, count), 2)
    return meshes.repainted(meshes.quads(corners), [f"leaf{k}" for k in range(4)], which, AUTUMN)


def paint_spill(size_m: Vector3, look: Look) -> Solids:
    """Spilled paint, splashes of it, and the bucket that it came from."""
    colour = look.colour or look.pick(PAINTED)
    dull: Colour = (colour[0] * 0.9, colour[1] * 0.9, colour[2] * 0.9)
    pool = stain(colour, dull, gloss=0.5, layers=2)(size_m, look)
    splashes = (size_m[0], size_m[1], 0.0)
    drops = Solid(
        "mesh",
        splashes,
        (0, 0, 0.014),
        mesh=_splashes(look.seed % 4),
        colours={"paint": colour},
        specular=0.5,
    )
    bucket = Solid(
        "mesh",
        (0.42, 0.38, size_m[2]),
        (-0.16 * size_m[0], 0.1 * size_m[1], size_m[2] / 2),
        meshes.turn_z(-0.5),
        mesh=_bucket(),
        colours={"paint": colour},
    )
    return [*pool, drops, bucket]


@lru_cache(maxsize=4)
def _splashes(seed: int) -> Mesh:
    return scattered(meshes.disc(0.5, 12, wobble=seed), 16, (1.0, 1.0), (0.03, 0.09), seed)


@lru_cache(maxsize=1)
def _bucket() -> Mesh:
    """A paint bucket that lies along x, open at +x."""
    tin = painted(meshes.lathe([(0.13, -0.18), (0.15, 0.18)], 16), "tin", (0.82, 0.83, 0.85))
    label = painted(meshes.lathe([(0.142, -0.08), (0.15, 0.08)], 16), "paint")
    inside = painted(moved(meshes.disc(0.14, 16), (0, 0, 0.182)), "paint")
    hoop = rod([(0.14, 0, 0.16), (0.22, 0.1, 0.3), (0.1, 0.22, 0.34)], 0.008, "wire", ZINC)
    return moved(join([tin, label, inside, hoop]), rotation=ALONG_X)


def speed_bump(size_m: Vector3, look: Look) -> Solids:
    """A hump across the lane, along y."""
    return filling(size_m, _bump())


@lru_cache(maxsize=1)
def _bump() -> Mesh:
    """Rolled tar, paler where wheels have worn it, with crumbs at its foot."""
    steps = np.linspace(-1, 1, 11)
    arch = np.column_stack([0.6 * steps, 0.15 * np.cos(steps * math.pi / 2) ** 1.3])
    rings = [[(x, y, z) for x, z in arch] for y in np.linspace(-1.75, 1.75, 15)]
    worn = np.zeros((14, 11), bool)
    worn[[3, 4, 9, 10], :10] = True
    hump = shaded(
        meshes.loft(
            np.array(rings), (0.4, 0.4, 0.41), "tar", roles={"worn": ((0.52, 0.52, 0.52), worn)}
        ),
        0.45,
        1.0,
    )
    crumb = moved(meshes.blob(2, (1.0, 0.8, 0.5), 0.4, 0), (0, 0, 0.1))
    crumbs = scattered(crumb, 24, (1.3, 3.6), (0.04, 0.09), 4)
    foot = meshes.rectangles([(-0.66, 0.66, -1.8, 1.8)], 0.006)
    return join([hump, painted(crumbs, "tar"), painted(foot, "foot", (0.22, 0.22, 0.23))])


MAKERS: Mapping[str, Maker] = {
    "ice_patch": ice_patch,
    "mud": mud,
    "flooded_road": stain((0.42, 0.34, 0.23), (0.33, 0.27, 0.18), gloss=0.6),
    "sand_drift": sand_drift,
    "snow_drift": snow_drift,
    "broken_asphalt": broken_asphalt,
    "open_manhole": open_manhole,
    "steel_plate": steel_plate,
    "wet_leaves": wet_leaves,
    "paint_spill": paint_spill,
    "speed_bump": speed_bump,
}
