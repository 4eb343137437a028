"""What stands beside roads: trees, bushes, lamps, signs, fences, bins, guard rails."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from hartsim.types import Vector3
from hartsim.worlds import meshes
from hartsim.worlds.meshes import join, moved, painted, shaded, tube
from hartsim.worlds.stage import Colour, Mesh

BARK: Colour = (0.36, 0.28, 0.22)
LEAF: Colour = (0.3, 0.47, 0.2)
METAL: Colour = (0.45, 0.47, 0.49)


@lru_cache(maxsize=64)
def broadleaf(seed: int, detail: int = 3) -> Mesh:
    """A tree about 6.5 m tall: a trunk and layered clumps of leaves, lit from above."""
    rng = np.random.default_rng(seed)
    height = 2.2 + rng.uniform(-0.2, 0.3)
    path = [(0, 0, 0), (0.05, 0.02, height * 0.6), (0, 0.05, height + 1.4)]
    trunk = tube(path, (0.2, 0.14, 0.07), meshes.fewer(7, detail))
    parts = [shaded(painted(trunk, "bark", BARK), 0.6, 1.0)]
    clumps = [(0.0, 0.0, height + 1.7, 2.6)]
    for k in range(6):
        angle = k * 2.4 + rng.uniform(-0.4, 0.4)
        reach, up = rng.uniform(0.8, 1.35), rng.uniform(0.5, 2.6)
        size = rng.uniform(1.5, 2.1)
        clumps.append((reach * math.cos(angle), reach * math.sin(angle), height + up, size))
    clumps.append((0.1, -0.1, height + 3.3, 1.6))
    for k, (x, y, z, size) in enumerate(clumps[:: (4, 2, 1, 1)[detail]]):
        bright = 0.66 + 0.34 * min(1.0, (z - height) / 3.6)
        role = ("leaf", "leaf_dark", "leaf_light")[k % 3]
        fine = detail == 3 or (detail == 2 and k == 0)
        wide = size * (1.35, 1.1, 1.0, 1.0)[detail]
        leaf = _foliage(seed * 31 + k, (wide, wide, wide * 0.82), fine)
        leaf = shaded(painted(leaf, role, LEAF), 0.55 * bright, bright)
        parts.append(moved(leaf, (x, y, z)))
    return join(parts)


def _foliage(seed: int, size: Vector3, fine: bool) -> Mesh:
    """A clump of leaves whose normals lean up, since leaves let light through."""
    clump = meshes.blob(seed, size, 0.3, level=int(fine))
    lifted = clump.normals + np.array([0, 0, 0.55], np.float32)
    lifted /= np.linalg.norm(lifted, axis=-1, keepdims=True)
    rng = np.random.default_rng(seed)
    speckle = rng.uniform(0.84, 1.0, (len(lifted), 1)) * rng.uniform(0.94, 1.0, (len(lifted), 3))
    return replace(clump, normals=lifted, shade=speckle.astype(np.float32))


@lru_cache(maxsize=64)
def conifer(seed: int, detail: int = 3) -> Mesh:
    """A spruce about 9 m tall: jagged skirts of branches, smaller towards the top."""
    rng = np.random.default_rng(seed)
    parts = [
        shaded(painted(tube([(0, 0, 0), (0, 0, 3.0)], (0.18, 0.12), 6), "bark", BARK), 0.6, 1.0)
    ]
    levels = (4, 5, 6, 7)[detail]
    for k in range(levels):
        low, radius = 1.0 + k * 7.84 / levels, 1.9 * (1 - k / (levels + 0.6))
        sides = (5, 7, 9, 11)[detail]
        ring = meshes.circle(sides, 1.0, rng.uniform(0, 6))
        jag = radius * rng.uniform(0.72, 1.12, sides)
        droop = rng.uniform(-0.25, 0.1, sides)
        outer = np.column_stack([ring * jag[:, None], low + droop])
        inner = np.column_stack([ring * 0.05, np.full(sides, low + 12.2 / levels)])
        skirt = meshes.loft(np.stack([outer, inner]), LEAF, crease_deg=25)
        role = ("needle", "needle_dark")[k % 2]
        parts.append(shaded(painted(skirt, role, LEAF), 0.5, 0.75 + 0.25 * k / levels))
    return join(parts)


@lru_cache(maxsize=64)
def bush(seed: int, detail: int = 3) -> Mesh:
    """A rounded shrub about 1 m high."""
    rng = np.random.default_rng(seed)
    count, size = ((1, 1.35), (1, 1.35), (3, 1.0), (4, 0.9))[detail]
    parts = []
    for k in range(count):
        leaf = _foliage(seed * 17 + k, (size, size, size * 0.88), detail == 3)
        x, y, z = rng.uniform(-0.35, 0.35), rng.uniform(-0.3, 0.3), rng.uniform(0.37, 0.62)
        role = ("leaf", "leaf_light")[k % 2]
        parts.append(moved(shaded(painted(leaf, role, LEAF), 0.5, 1.0), (x, y, z)))
    return join(parts)


@lru_cache(maxsize=64)
def tuft_field(seed: int) -> Mesh:
    """Tufts of long grass strewn over nine metres by four."""
    rng = np.random.default_rng(seed)
    corners = []
    for _ in range(16):
        x, y = rng.uniform(-4.5, 4.5), rng.uniform(-2, 2)
        for angle in np.arange(6) * 1.05 + rng.uniform(0, 1):
            c, s = math.cos(angle), math.sin(angle)
            tip, tall = rng.uniform(0.08, 0.2), rng.uniform(0.25, 0.5)
            corners.append(
                [
                    (x - 0.03 * s, y + 0.03 * c, 0),
                    (x + 0.03 * s, y - 0.03 * c, 0),
                    (x + tip * c, y + tip * s, tall),
                ]
            )
    faces = np.arange(3 * len(corners)).reshape(-1, 3)
    points = np.array(corners).reshape(-1, 3)
    both = np.concatenate([faces, faces[:, ::-1]])
    return shaded(painted(meshes.mesh_of(points, both, crease_deg=5), "leaf", LEAF), 0.5, 1.0)


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
def park_lamp() -> Mesh:
    """An old-fashioned lamp post, 4 m high; its lantern is at z = 3.8."""
    post = meshes.lathe([(0.16, 0), (0.16, 0.3), (0.07, 0.5), (0.05, 3.4), (0.1, 3.5)], 8)
    hat = moved(meshes.cone(0.28, 0.22, 8, 0.04), (0, 0, 4.1))
    return painted(join([post, hat]), "metal", (0.13, 0.15, 0.15))


@lru_cache(maxsize=64)
def sign(shape: str, face: Colour, rim: Colour, height_m: float = 2.2) -> tuple[Mesh, Mesh]:
    """A post and a plate that faces against x, as drivers see it: "round", "triangle" or "square"."""
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
        back = flat + [0.02, 0, 0]
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
    wood = painted(join([pickets, back, *rails]), "wood", (0.88, 0.87, 0.83))
    return shaded(wood, 0.8, 1.0)


@lru_cache(maxsize=64)
def hedge(length_m: float, seed: int) -> Mesh:
    """A clipped hedge along x, a little uneven."""
    rng = np.random.default_rng(seed)
    count = max(3, int(length_m / 0.8))
    outline = meshes.rounded(8, 4)
    xs = np.linspace(-length_m / 2, length_m / 2, count)
    rings = [
        np.column_stack(
            [
                np.full(8, x),
                (0.34 + rng.uniform(-0.04, 0.04)) * outline[:, 0],
                0.6 + (0.6 + rng.uniform(-0.06, 0.06)) * outline[:, 1],
            ]
        )
        for x in xs
    ]
    return shaded(painted(meshes.loft(np.stack(rings), crease_deg=50), "leaf", LEAF), 0.5, 1.0)


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
    facing = skin if skin.normals[..., 0].sum() < 0 else meshes.moved(skin, scale=(1.0, -1.0, 1.0))
    return painted(shaded(facing, 0.85, 1.0), "hill", (0.36, 0.45, 0.3))


def row(mesh: Mesh, places: Sequence[Vector3]) -> Mesh:
    """Copies of a mesh at several places."""
    return join([moved(mesh, place) for place in places])
