"""What people put up beside roads: lamps, signs, fences, bins, guard rails; and far hills."""

import math
from functools import lru_cache

import numpy as np

from hartsim.worlds import meshes
from hartsim.worlds.meshes import join, moved, painted, shaded, tube
from hartsim.worlds.stage import Colour, Mesh

METAL: Colour = (0.45, 0.47, 0.49)
WOOD: Colour = (0.88, 0.87, 0.83)


@lru_cache(maxsize=64)
def street_lamp(arm_m: float = 1.6, height_m: float = 6.5) -> Mesh:
    """A mast with an arm along x; its head hangs at (arm, 0, height)."""
    mast = tube([(0, 0, 0), (0, 0, height_m * 0.75), (0, 0, height_m)], (0.09, 0.07, 0.055), 8)
    arm = tube(
        [(0, 0, height_m - 0.05), (arm_m * 0.5, 0, height_m + 0.2), (arm_m, 0, height_m + 0.16)],
        0.04,
        6,
    )
    base = moved(meshes.cylinder(0.13, 0.5, 8), (0, 0, 0.25))
    head = moved(meshes.box((0.75, 0.26, 0.12), 0.05), (arm_m + 0.1, 0, height_m + 0.15))
    return join(
        [painted(join([mast, arm, base]), "metal", METAL), painted(head, "head", (0.3, 0.31, 0.33))]
    )


@lru_cache(maxsize=64)
def sign(shape: str, face: Colour, rim: Colour, height_m: float = 2.2) -> tuple[Mesh, Mesh]:
    """A post, and a "round", "triangle", "square" or "octagon" plate that faces drivers, at -x."""
    post = painted(tube([(0, 0, 0), (0, 0, height_m + 0.3)], 0.035, 6), "metal", METAL)
    sides, phase = {
        "round": (20, 0.0),
        "triangle": (3, math.pi / 2),
        "square": (4, math.pi / 4),
        "octagon": (8, math.pi / 8),
    }[shape]
    plates = []
    for radius, ahead, colour, role in ((0.38, -0.04, rim, "rim"), (0.29, -0.055, face, "face")):
        outline = meshes.circle(sides, radius, phase)
        flat = np.column_stack([np.full(sides, ahead), outline[:, 0], height_m + outline[:, 1]])
        back = flat + np.array([0.02, 0, 0])
        plates.append(painted(meshes.loft(np.stack([back, flat])), role, colour))
    return post, join(plates)


@lru_cache(maxsize=64)
def traffic_light(height_m: float = 3.2) -> Mesh:
    """A post with a signal head that faces against x; lenses at z = height + 0.25 and below."""
    post = painted(tube([(0, 0, 0), (0, 0, height_m)], 0.06, 8), "metal", (0.2, 0.22, 0.22))
    head = painted(
        moved(meshes.box((0.26, 0.34, 0.95), 0.06), (-0.06, 0, height_m)), "head", (0.09, 0.1, 0.1)
    )
    lenses = []
    for k, (role, colour) in enumerate(
        (("red", (0.35, 0.06, 0.05)), ("amber", (0.35, 0.22, 0.05)), ("green", (0.05, 0.3, 0.14)))
    ):
        lens = moved(
            meshes.disc(0.105, 10),
            (-0.2, 0, height_m + 0.28 - 0.28 * k),
            meshes.turn((0.0, 1.0, 0.0), -math.pi / 2),
        )
        lenses.append(painted(lens, role, colour))
    return join([post, head, *lenses])


@lru_cache(maxsize=64)
def picket_fence(length_m: float) -> Mesh:
    """A garden fence along x."""
    count = max(2, int(length_m / 0.34))
    middles = (np.arange(count) + 0.5) * length_m / count - length_m / 2
    left, right, foot, top = middles - 0.055, middles + 0.055, 0.05, 0.87
    front = [
        [(a, 0, foot), (b, 0, foot), (b, 0, top), (a, 0, top)]
        for a, b in zip(left, right, strict=True)
    ]
    pickets = meshes.quads(np.array(front))
    back = moved(meshes.quads(np.array(front)[:, ::-1]), (0, 0.02, 0))
    rails = [moved(meshes.box((length_m, 0.05, 0.07)), (0, 0.04, z)) for z in (0.3, 0.68)]
    wood = painted(join([pickets, back, *rails]), "wood", WOOD)
    return shaded(wood, 0.8, 1.0)


@lru_cache(maxsize=64)
def low_wall(length_m: float, height_m: float = 0.7) -> Mesh:
    """A garden wall along x with a capping stone."""
    wall = painted(
        moved(meshes.box((length_m, 0.26, height_m)), (0, 0, height_m / 2)),
        "wall",
        (0.62, 0.55, 0.48),
    )
    cap = painted(
        moved(meshes.box((length_m, 0.36, 0.08)), (0, 0, height_m + 0.04)),
        "cap",
        (0.74, 0.72, 0.68),
    )
    return join([shaded(wall, 0.75, 1.0), cap])


@lru_cache(maxsize=64)
def bin_() -> Mesh:
    """A wheeled rubbish bin."""
    body = meshes.loft(
        np.array(
            [
                [[sx * w, sy * w * 1.1, z] for sx, sy in ((1, 1), (-1, 1), (-1, -1), (1, -1))]
                for z, w in ((0.08, 0.22), (0.95, 0.29))
            ]
        )
    )
    lid = moved(meshes.box((0.66, 0.68, 0.08), 0.03), (0, 0, 1.0))
    return join(
        [
            shaded(painted(body, "body", (0.2, 0.3, 0.24)), 0.7, 1.0),
            painted(lid, "lid", (0.16, 0.24, 0.2)),
        ]
    )


@lru_cache(maxsize=64)
def bench() -> Mesh:
    """A park bench facing x."""
    wood = [moved(meshes.box((0.1, 1.6, 0.04)), (0.05 + 0.12 * k, 0, 0.45)) for k in range(3)]
    back = [
        moved(meshes.box((0.04, 1.6, 0.1)), (-0.06 - 0.03 * k, 0, 0.62 + 0.15 * k))
        for k in range(2)
    ]
    legs = [moved(meshes.box((0.45, 0.06, 0.45)), (0.14, y, 0.22)) for y in (-0.6, 0.6)]
    return join(
        [
            painted(join([*wood, *back]), "wood", (0.5, 0.33, 0.2)),
            painted(join(legs), "metal", (0.2, 0.2, 0.21)),
        ]
    )


@lru_cache(maxsize=64)
def bus_stop() -> Mesh:
    """A glass shelter open towards x."""
    posts = [
        moved(meshes.box((0.08, 0.08, 2.4)), (x, y, 1.2)) for x in (-0.6, 0.6) for y in (-1.7, 1.7)
    ]
    roof = moved(meshes.box((1.6, 3.8, 0.1), 0.03), (0, 0, 2.45))
    seat = moved(meshes.box((0.35, 2.6, 0.06)), (-0.4, 0, 0.5))
    panes = [
        moved(meshes.box((0.03, 3.3, 1.9)), (-0.6, 0, 1.3)),
        moved(meshes.box((1.1, 0.03, 1.9)), (0, 1.7, 1.3)),
    ]
    return join(
        [
            painted(join([*posts, roof]), "metal", (0.24, 0.27, 0.29)),
            painted(seat, "wood", (0.55, 0.38, 0.24)),
            painted(join(panes), "glass", (0.55, 0.66, 0.7)),
        ]
    )


@lru_cache(maxsize=64)
def guard_rail(length_m: float) -> Mesh:
    """A steel guard rail along x, posts every 6 m."""
    profile = [
        (0.0, 0.5),
        (0.05, 0.56),
        (0.0, 0.63),
        (0.05, 0.7),
        (0.0, 0.78),
        (-0.03, 0.78),
        (-0.03, 0.5),
    ]
    ends = [[(x, y, z) for y, z in profile] for x in (-length_m / 2, length_m / 2)]
    rail = meshes.loft(np.array(ends), crease_deg=20)
    posts = [
        moved(meshes.box((0.1, 0.08, 0.75)), (x, -0.08, 0.37))
        for x in np.arange(-length_m / 2 + 2, length_m / 2, 6)
    ]
    return painted(join([rail, *posts]), "metal", (0.6, 0.62, 0.64))


@lru_cache(maxsize=64)
def concrete_barrier(length_m: float) -> Mesh:
    """A concrete median wall along x."""
    profile = [
        (-0.3, 0),
        (0.3, 0),
        (0.28, 0.1),
        (0.12, 0.35),
        (0.09, 0.85),
        (-0.09, 0.85),
        (-0.12, 0.35),
        (-0.28, 0.1),
    ]
    ends = [[(x, y, z) for y, z in profile] for x in (-length_m / 2, length_m / 2)]
    return shaded(
        painted(meshes.loft(np.array(ends), crease_deg=25), "concrete", (0.66, 0.65, 0.62)),
        0.72,
        1.0,
    )


@lru_cache(maxsize=64)
def wire_fence(length_m: float) -> Mesh:
    """Wooden posts with two wires, along x."""
    posts = [
        moved(meshes.box((0.11, 0.11, 1.15)), (x, 0, 0.57))
        for x in np.arange(-length_m / 2, length_m / 2 + 0.1, 3.0)
    ]
    wires = [moved(meshes.box((length_m, 0.015, 0.015)), (0, 0, z)) for z in (0.55, 0.95)]
    return join(
        [painted(join(posts), "wood", (0.42, 0.34, 0.27)), painted(join(wires), "metal", METAL)]
    )


@lru_cache(maxsize=64)
def utility_pole() -> Mesh:
    """A wooden pole with a cross-arm."""
    pole = tube([(0, 0, 0), (0, 0, 8.5)], (0.15, 0.1), 7)
    arm = moved(meshes.box((0.12, 2.0, 0.14)), (0, 0, 7.7))
    pots = [moved(meshes.cylinder(0.06, 0.2, 6), (0, y, 7.87)) for y in (-0.85, -0.3, 0.3, 0.85)]
    return join(
        [
            painted(join([pole, arm]), "wood", (0.36, 0.29, 0.23)),
            painted(join(pots), "metal", (0.7, 0.72, 0.72)),
        ]
    )


@lru_cache(maxsize=64)
def delineator() -> Mesh:
    """A white roadside post with a black band."""
    post = moved(meshes.box((0.08, 0.12, 1.0), 0.03), (0, 0, 0.5))
    band = moved(meshes.box((0.09, 0.13, 0.2)), (0, 0, 0.78))
    return join([painted(post, "post", (0.92, 0.92, 0.9)), painted(band, "band", (0.1, 0.1, 0.1))])


@lru_cache(maxsize=64)
def hydrant() -> Mesh:
    """A red fire hydrant."""
    body = meshes.lathe(
        [(0.14, 0), (0.14, 0.06), (0.1, 0.08), (0.1, 0.5), (0.13, 0.52), (0.11, 0.6), (0.03, 0.68)],
        9,
    )
    arm = moved(
        meshes.cylinder(0.05, 0.36, 7), (0, 0, 0.38), meshes.turn((1.0, 0.0, 0.0), math.pi / 2)
    )
    return painted(join([body, arm]), "body", (0.72, 0.14, 0.1))


@lru_cache(maxsize=64)
def hills(seed: int, distance_m: float, height_m: float, span_rad: float = 2.6) -> Mesh:
    """A ridge on the horizon ahead, seen from the origin."""
    rng = np.random.default_rng(seed)
    count = 64
    angle = np.linspace(span_rad / 2, -span_rad / 2, count)
    waves = sum(
        rng.uniform(0.3, 1) / k * np.sin(k * 2.1 * angle * 2 + rng.uniform(0, 6))
        for k in (1, 2, 3, 5, 8)
    )
    crest = height_m * (0.55 + 0.3 * np.asarray(waves))
    crest = np.maximum(crest, height_m * 0.12)
    foot = np.column_stack(
        [distance_m * np.cos(angle), distance_m * np.sin(angle), np.full(count, -2.0)]
    )
    top = np.column_stack(
        [1.15 * distance_m * np.cos(angle), 1.15 * distance_m * np.sin(angle), crest]
    )
    skin = meshes.loft(np.stack([foot, top]), capped=False, closed=False, crease_deg=60)
    facing = skin if skin.normals[..., 0].sum() < 0 else meshes.inside_out(skin)
    return painted(shaded(facing, 0.85, 1.0), "hill", (0.36, 0.45, 0.3))
