"""What road works put up and dig out; it faces the driver, at -x."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from hartsim.types import Vector3
from hartsim.worlds import meshes
from hartsim.worlds.hazards import AMBER, ORANGE, RED, WHITE, cone
from hartsim.worlds.looks import Look, Maker
from hartsim.worlds.meshes import join, moved, painted, shaded
from hartsim.worlds.parts import (
    ALONG_Y,
    BLACK,
    RUBBER,
    STEEL,
    TIMBER,
    ZINC,
    board,
    filling,
    heap,
    lettering,
    plate,
    rod,
    scattered,
    striped,
)
from hartsim.worlds.stage import Colour, Mesh, Solid

Solids = list[Solid]

CONCRETE: Colour = (0.66, 0.65, 0.62)
EARTH: Colour = (0.45, 0.31, 0.19)


def work_zone(size_m: Vector3, look: Look) -> Solids:
    """A warning sign, cones on both sides, a heap of sand with a shovel, a barrier behind."""
    solids = filling(size_m, _work_zone())
    length, width, height = size_m
    for y in (-0.36, 0.36):
        at = (0.46 * length, y * width, 0.7 * height)
        glow = {"paint": AMBER}
        ball = meshes.icosphere(1)
        solids.append(Solid("mesh", (0.16, 0.16, 0.16), at, mesh=ball, colours=glow, emission=1.0))
    return solids


@lru_cache(maxsize=1)
def _work_zone() -> Mesh:
    """4.4 by 2.8 by 1.5 m."""
    cones = [
        moved(cone(), (x, y, 0.0))
        for x, y in ((-1.4, -0.5), (-1.1, 1.2), (-0.2, -1.2), (0.5, 1.2), (1.1, -1.2))
    ]
    boards = [striped((0.06, 2.5, 0.24), (2.1, 0, z), 9, (RED, WHITE), 0.12) for z in (0.42, 0.82)]
    posts = [board((0.08, 0.08, 1.0), (2.14, y, 0.5), "post", STEEL) for y in (-1.0, 1.0)] + [
        board((0.5, 0.12, 0.08), (2.0, y, 0.04), "foot", RUBBER) for y in (-1.0, 1.0)
    ]
    sand = moved(heap(4, (1.5, 1.3, 0.42), steep=1.4), (0.7, 0, 0))
    shovel = [
        rod([(0.6, -0.1, 0.35), (0.25, 0.35, 1.25)], 0.03, "wood", TIMBER),
        board((0.05, 0.22, 0.28), (0.62, -0.12, 0.4), "steel", STEEL, meshes.turn_z(0.8)),
    ]
    sign = moved(_works_sign(), (-2.0, 0.75, 0.0))
    return join([*cones, *boards, *posts, painted(sand, "sand", (0.82, 0.68, 0.43)), *shovel, sign])


def _works_sign() -> Mesh:
    """A red triangle with a digging figure, on a stand 1.5 m tall."""
    face = (0.0, 0.0, 0.83)
    parts = [
        plate(3, 0.68, 0.03, (0.0, 0.0, 0.83), "red", RED),
        plate(3, 0.47, 0.03, (-0.012, 0.0, 0.83), "field", (1.0, 0.95, 0.8)),
        rod([(0.02, 0.3, 0.0), (0.02, 0.2, 0.6)], 0.025, "post", STEEL),
        rod([(0.02, -0.3, 0.0), (0.02, -0.2, 0.6)], 0.025, "post", STEEL),
        rod([(0.4, 0.0, 0.0), (0.02, 0.0, 0.9)], 0.025, "post", STEEL),
    ]
    strokes = (
        ((0.04, 0.16), (0.0, -0.02), 0.055),
        ((0.0, -0.02), (0.1, -0.2), 0.04),
        ((0.0, -0.02), (-0.06, -0.2), 0.04),
        ((0.04, 0.12), (-0.1, 0.0), 0.035),
        ((0.02, 0.06), (-0.2, -0.14), 0.025),
    )
    for (y0, z0), (y1, z1), wide in strokes:
        path = [(-0.03, y0, face[2] + z0), (-0.03, y1, face[2] + z1)]
        parts.append(rod(path, wide, "figure", BLACK, 5))
    head = moved(meshes.icosphere(1), (-0.03, 0.06, face[2] + 0.25), scale=(0.05, 0.1, 0.1))
    mound = moved(heap(1, (0.05, 0.26, 0.12)), (-0.03, -0.2, face[2] - 0.22))
    return join([*parts, painted(head, "figure"), painted(mound, "figure")])


def road_closed_sign(size_m: Vector3, look: Look) -> Solids:
    """A barricade of striped boards below a sign that says it."""
    return filling(size_m, _closed())


@lru_cache(maxsize=1)
def _closed() -> Mesh:
    """0.7 by 2.1 by 2.1 m."""
    parts = [striped((0.05, 2.1, 0.26), (-0.05, 0, z), 8, (RED, WHITE), 0.2) for z in (0.42, 0.82)]
    for y in (-0.75, 0.75):
        parts.append(board((0.08, 0.08, 2.0), (0, y, 1.0), "post", STEEL))
        parts.append(board((0.7, 0.12, 0.08), (0, y, 0.04), "foot", STEEL))
    parts += [
        board((0.04, 2.0, 1.02), (-0.06, 0, 1.58), "rim", RED, bevel=0.01),
        board((0.04, 1.88, 0.9), (-0.07, 0, 1.58), "face", WHITE),
        moved(lettering("ROAD", 0.34, BLACK), (-0.095, 0, 1.79)),
        moved(lettering("CLOSED", 0.34, BLACK), (-0.095, 0, 1.36)),
    ]
    return join(parts)


def open_trench(size_m: Vector3, look: Look) -> Solids:
    """A trench across the lane, along y, with the soil that came out of it behind."""
    return filling(size_m, _trench())


@lru_cache(maxsize=1)
def _trench() -> Mesh:
    """3 by 3.6 by 0.6 m. From -x one sees the trench's far wall, and darkness before it."""
    layers: tuple[tuple[float, float, Colour], ...] = (
        (-1.45, 0.5, (0.5, 0.48, 0.45)),
        (-1.38, 0.43, (0.2, 0.2, 0.2)),
        (-1.38, 0.34, (0.6, 0.44, 0.28)),
        (-1.38, 0.06, (0.4, 0.28, 0.17)),
        (-1.36, -0.26, (0.16, 0.11, 0.07)),
        (-1.3, -0.56, (0.02, 0.02, 0.02)),
    )
    parts = []
    for k, (low, high, tone) in enumerate(layers):
        wide = 1.78 - 0.04 * k
        sheet = meshes.rectangles([(low, high, -wide, wide)], 0.008 + 0.004 * k)
        parts.append(painted(sheet, f"layer{k}", tone))
    for k, y in enumerate((-1.2, -0.35, 0.5, 1.3)):
        soil = heap(k + 2, (0.9, 1.3, (0.5, 0.62, 0.54, 0.4)[k]), steep=1.2, rough=0.2, rings=5)
        role, tone = (("earth", EARTH), ("clay", (0.55, 0.38, 0.23)))[k % 2]
        parts.append(painted(moved(soil, (0.95, y, 0.0)), role, tone))
    clod = moved(meshes.blob(1, (1.0, 0.9, 0.7), 0.4, 0), (0, 0, 0.3))
    clods = moved(scattered(clod, 20, (0.7, 3.4), (0.08, 0.17), 3), (0.65, 0, 0))
    lumps = scattered(clod, 12, (0.25, 3.3), (0.08, 0.15), 6)
    return join(
        [
            *parts,
            painted(clods, "earth", EARTH),
            painted(moved(lumps, (-1.48, 0, 0)), "tar", (0.25, 0.25, 0.26)),
        ]
    )


def concrete_blocks(size_m: Vector3, look: Look) -> Solids:
    """Three concrete barriers along x that stand out of line."""
    return filling(size_m, _blocks())


@lru_cache(maxsize=1)
def _blocks() -> Mesh:
    """4.8 by 1.1 by 0.85 m."""
    profile = [(-0.3, 0), (-0.3, 0.1), (-0.16, 0.36), (-0.1, 0.85)]
    outline = [*profile, *((-y, z) for y, z in reversed(profile))]
    rings = [[(x, y, z) for y, z in outline] for x in (-0.75, 0.75)]
    bands: Colour = (0.85, 0.72, 0.16)
    parts = []
    for k, (x, y, turned) in enumerate(((-1.6, 0.12, 0.14), (0.0, -0.1, -0.08), (1.6, 0.1, 0.16))):
        tone: Colour = (CONCRETE, (0.6, 0.59, 0.57), (0.7, 0.69, 0.66))[k]
        block = [painted(shaded(meshes.loft(np.array(rings)), 0.7, 1.0), f"concrete{k}", tone)]
        for place in (-0.5, 0.5):
            for side in (-1, 1):
                lean = meshes.turn((1.0, 0.0, 0.0), side * 0.12)
                at = (place, side * 0.145, 0.58)
                block.append(board((0.22, 0.02, 0.3), at, "band", bands, lean))
        foot = [
            board((0.3, 0.5, 0.08), (at, 0, 0.02), "gap", (0.2, 0.2, 0.2)) for at in (-0.4, 0.4)
        ]
        parts.append(moved(join([*block, *foot]), (x, y, 0.0), meshes.turn_z(turned)))
    return join(parts)


def arrow_trailer(size_m: Vector3, look: Look) -> Solids:
    """A trailer whose lamps make an arrow to the left, or to the right."""
    way = 1.0 if look.seed % 2 else -1.0
    length, width, height = size_m
    lamps = _arrow() if way > 0 else meshes.mirrored_y(_arrow())
    bright = (0.05, 0.72 * width, 0.33 * height)
    at = (-0.395 * length, 0.0, 0.765 * height)
    glow = {"paint": AMBER}
    lit = Solid("mesh", bright, at, mesh=lamps, colours=glow, emission=1.0)
    return [*filling(size_m, _trailer()), lit]


@lru_cache(maxsize=1)
def _arrow() -> Mesh:
    """Fifteen lamps in the plane x = 0 that point to +y."""
    shaft = [(y, 0.0) for y in np.linspace(-1, 0.75, 7).tolist()]
    barbs = [
        (1 - 0.24 * k, side * 0.24 * k) for k in range(4) for side in ((0,) if not k else (-1, 1))
    ]
    lamp = meshes.icosphere(0, 0.1)
    return painted(join([moved(lamp, (0.0, y, z)) for y, z in (*shaft, *barbs)]), "paint", AMBER)


@lru_cache(maxsize=1)
def _trailer() -> Mesh:
    """2.2 by 2.3 by 2.9 m."""
    parts = [
        board((0.08, 2.3, 1.3), (-0.68, 0, 2.22), "screen", (0.05, 0.05, 0.055), bevel=0.02),
        board((0.05, 2.3, 0.06), (-0.7, 0, 2.87), "rim", ORANGE),
        board((0.05, 2.3, 0.06), (-0.7, 0, 1.57), "rim", ORANGE),
        striped((0.06, 2.2, 0.5), (-0.8, 0, 1.05), 7, (RED, WHITE), 0.3),
        board((1.5, 1.2, 0.16), (-0.2, 0, 0.62), "chassis", ORANGE),
        board((0.6, 0.8, 0.5), (0.1, 0, 0.9), "battery", (0.85, 0.55, 0.1), bevel=0.03),
        rod([(0.5, 0, 0.6), (1.1, 0, 0.55)], 0.06, "steel", STEEL),
        rod([(1.0, 0, 0.6), (1.0, 0, 0.06)], 0.04, "steel", STEEL),
    ]
    for y in (-0.7, 0.7):
        parts.append(rod([(-0.6, y * 0.8, 0.6), (-0.62, y * 0.8, 2.6)], 0.05, "steel", STEEL))
        tyre = moved(meshes.cylinder(0.33, 0.22, 16), (-0.25, y, 0.33), ALONG_Y)
        hub = moved(meshes.cylinder(0.18, 0.23, 12), (-0.25, y, 0.33), ALONG_Y)
        lamp = board((0.04, 0.24, 0.1), (-0.97, y, 0.64), "tail", (0.8, 0.08, 0.06))
        parts += [painted(tyre, "tyre", RUBBER), painted(hub, "hub", ZINC), lamp]
    parts.append(board((0.05, 1.8, 0.16), (-0.95, 0, 0.64), "bar", (0.2, 0.2, 0.21)))
    return join(parts)


MAKERS: Mapping[str, Maker] = {
    "work_zone": work_zone,
    "road_closed_sign": road_closed_sign,
    "open_trench": open_trench,
    "concrete_blocks": concrete_blocks,
    "arrow_trailer": arrow_trailer,
}
