"""More of the table top's meshes: small hardware, what is soft, and what takes several colours.

Like those of `tabletop_meshes`, each fills the unit cube round the origin and is made once.
"""

import math
from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from hartsim.types import Vector3
from hartsim.worlds.meshes import (
    chosen,
    circle,
    icosphere,
    inside_out,
    join,
    lathe,
    loft,
    mesh_of,
    moved,
    painted,
    repainted,
    rounded,
    sphere,
    tube,
    turn_z,
)
from hartsim.worlds.stage import Colour, Mesh
from hartsim.worlds.tabletop_meshes import cut, fitted
from hartsim.worlds.tabletop_moulds import cat_field, moulded

Points = NDArray[np.float64]


@cache
def screw() -> Mesh:
    """A screw along z, its point down; the cross in its head has the role "slot"."""
    ridges = [(0.3 + 0.14 * (n % 2), 0.12 + 0.075 * n) for n in range(9)]
    shank = lathe([(0.02, 0), *ridges, (0.34, 0.86), (1, 0.92), (1, 0.96), (0.8, 1)], 7)
    cross = np.array([[-0.6, -0.14], [0.6, -0.14], [0.6, 0.14], [-0.6, 0.14]])
    bars = [
        painted(moved(cut(cross, 0), (0, 0, 0.985), turn_z(angle), (1, 1, 0.04)), "slot")
        for angle in (0.0, math.pi / 2)
    ]
    return fitted(join([painted(shank, "metal"), *bars]))


@cache
def nail() -> Mesh:
    """A nail along z, its point down."""
    return fitted(lathe([(0.02, 0), (0.34, 0.14), (0.34, 0.93), (1, 0.94), (1, 0.97), (0.9, 1)], 8))


@cache
def push_pin() -> Mesh:
    """A push pin along z, its point ("metal") up and its grip in the role "head"."""
    grip = [(0.9, 0), (1, 0.15), (0.6, 0.3), (0.5, 1.0), (0.95, 1.2), (0.95, 1.4)]
    needle = lathe([(0.16, 1.4), (0.15, 2.4), (0.03, 3.0)], 5)
    return fitted(join([painted(lathe(grip, 9), "head"), painted(needle, "metal")]))


@cache
def saw_disc(teeth: int) -> Mesh:
    """A circular saw's blade, flat in x and y, its teeth raked."""
    step = 2 * math.pi / teeth
    corners = [(0.9, 0.0), (0.87, 0.3), (1.0, 0.86)]
    outline = [
        (radius * math.cos((n + share) * step), radius * math.sin((n + share) * step))
        for n in range(teeth)
        for radius, share in corners
    ]
    return fitted(cut(outline, 0.02))


@cache
def pillow() -> Mesh:
    """A flat bag blown up to a cushion, with a seam round its middle."""
    levels = [(0.3, -0.5), (0.62, -0.43), (0.82, -0.28), (0.9, -0.05), (1.0, -0.02)]
    levels += [(scale, -z) for scale, z in reversed(levels)]
    outline = rounded(28, 4.0)
    rings = [np.column_stack([outline * scale, np.full(28, z)]) for scale, z in levels]
    return fitted(loft(np.stack(rings), crease_deg=50))


@cache
def spring(turns: int) -> Mesh:
    """A coil of wire about z."""
    t = np.linspace(0, 1, 14 * turns)
    angle = 2 * math.pi * turns * t
    radius = 1 - 0.35 * t
    path = np.column_stack([radius * np.cos(angle), radius * np.sin(angle), 3.4 * t])
    return fitted(tube(path, np.full(len(t), 0.12), 5))


@cache
def heap(variant: int) -> Mesh:
    """A pile of powder with an uneven foot."""
    random = np.random.default_rng(variant)
    angle = np.linspace(0, 2 * math.pi, 30, endpoint=False)
    wave = sum(
        random.uniform(0.05, 0.3) / k * np.cos(k * angle + random.uniform(0, 6.3))
        for k in range(2, 8)
    )
    rings = []
    for radius in (1.0, 0.9, 0.72, 0.54, 0.38, 0.22, 0.1, 0.02):
        reach = radius * (1 + radius * wave)
        lift = (1 - radius) ** 1.3 * (1 + 0.1 * radius * np.sin(4 * angle + variant))
        rings.append(np.column_stack([reach * np.cos(angle), reach * np.sin(angle), lift]))
    return fitted(loft(np.stack(rings), crease_deg=80))


@cache
def grains(variant: int) -> Mesh:
    """Coarse grains strewn flat about the origin, fewer farther out."""
    random = np.random.default_rng(variant)
    corners = np.array([[1, 0, 0], [-0.5, 0.87, 0], [-0.5, -0.87, 0], [0, 0, 1.2]])
    faces = np.array([[0, 1, 3], [1, 2, 3], [2, 0, 3]])
    points = []
    for _ in range(130):
        angle, reach = random.uniform(0, 6.3), random.uniform(0.4, 1.0) ** 0.8
        at = (reach * math.cos(angle), reach * math.sin(angle), 0.0)
        points.append(corners * random.uniform(0.012, 0.04) + at)
    index = np.concatenate([faces + 4 * n for n in range(130)])
    return fitted(mesh_of(np.concatenate(points), index))


@cache
def wisp() -> Mesh:
    """A curl of steam, rising along z."""
    t = np.linspace(0, 1, 18)
    path = np.column_stack([0.16 * np.sin(2 * math.pi * 1.25 * t), 0.0 * t, t])
    return fitted(tube(path, 0.075 * np.sin(math.pi * np.clip(t, 0.03, 0.97)) ** 0.6, 7))


@cache
def handle_arch() -> Mesh:
    """Half a ring standing in the x-z plane, its ends down."""
    angle = np.linspace(0, math.pi, 18)
    path = np.column_stack([np.cos(angle), 0 * angle, np.sin(angle) ** 0.8])
    return fitted(tube(path, np.full(18, 0.11), 8))


@cache
def crumpled(variant: int, squares: int) -> Mesh:
    """A sheet that was crumpled and dropped, in "even" and "odd" squares like a chequered cloth."""
    random = np.random.default_rng(variant)
    n = 25
    u, v = (each.ravel() for each in np.meshgrid(*[np.linspace(-1, 1, n)] * 2, indexing="ij"))
    folds = np.zeros(n * n)
    for _ in range(7):
        way, phase = random.uniform(0, math.pi), random.uniform(0, 6.3)
        along = u * math.cos(way) + v * math.sin(way)
        folds += np.abs(np.sin(random.uniform(2.0, 4.5) * along + phase)) ** 1.5
    folds = (folds - folds.min()) / (folds.max() - folds.min())
    edge = np.maximum(np.abs(u), np.abs(v))
    reach = 1 - 0.3 * edge + 0.1 * np.sin(3 * np.arctan2(v, u) + random.uniform(0, 6.3))
    height = (0.25 + folds) * np.clip(1.15 - edge**3, 0.0, 1.0)
    points = np.column_stack([u * reach, v * reach * 0.95, height])
    a = np.arange(n * n).reshape(n, n)
    corners = [a[:-1, :-1], a[1:, :-1], a[1:, 1:], a[:-1, 1:]]
    p, q, r, s = (each.ravel() for each in corners)
    mesh = mesh_of(points, np.vstack([np.column_stack([p, q, r]), np.column_stack([p, r, s])]))
    row, column = np.divmod(np.arange((n - 1) ** 2), n - 1)
    odd = (row * squares // (n - 1) + column * squares // (n - 1)) % 2
    return fitted(repainted(mesh, ("even", "odd"), np.tile(odd, 2), ((0.9,) * 3, (0.5,) * 3)))


@cache
def hank() -> Mesh:
    """A rope laid in long loops along x and bound round their middle, in "light" and "dark"."""
    t = np.linspace(0, 1, 104)
    angle = 2 * math.pi * 4.25 * t
    size = 1 - 0.45 * np.abs(np.mod(2.2 * t, 1.0) - 0.5)
    path = np.column_stack(
        [size * np.cos(angle), 0.5 * size * np.sin(angle), 0.1 + 0.09 * np.sin(angle * 1.3)]
    )
    s = np.linspace(0, 1, 60)
    round_it = 2 * math.pi * 4.5 * s
    binding = np.column_stack(
        [0.44 * s - 0.22, 0.52 * np.cos(round_it), 0.1 + 0.24 * np.sin(round_it)]
    )
    ropes = [tube(path, np.full(len(t), 0.062), 7), tube(binding, np.full(len(s), 0.06), 7)]
    return fitted(join([_striped(each, 7) for each in ropes]))


def _striped(mesh: Mesh, sides: int) -> Mesh:
    """A tube of so many sides whose skin winds round it in "light" and "dark" strands."""
    quads = (len(mesh.vertices) - 2 * sides) // 2
    section, side = np.divmod(np.arange(quads), sides)
    dark = (3 * section + side) % sides < sides // 3
    which = np.concatenate([dark, dark, np.zeros(2 * sides, bool)])
    return repainted(mesh, ("light", "dark"), which, ((0.8, 0.68, 0.46), (0.5, 0.38, 0.22)))


@cache
def tangle(variant: int) -> Mesh:
    """One cable of a tangle; every third variant runs through the middle."""
    random = np.random.default_rng(variant)
    t = np.linspace(-1, 1, 88)
    path = np.zeros((88, 3))
    for wave in range(1, 6):
        for axis in (0, 1):
            start = 0.0 if variant % 3 == 0 else random.uniform(0, 6.3)
            path[:, axis] += random.normal() / wave**0.5 * np.sin(math.pi * wave * t + start)
    path[:, 2] = 0.35 + 0.3 * np.sin(10 * t + variant)
    path[:, :2] /= np.abs(path[:, :2]).max(axis=0)
    return fitted(tube(path, np.full(len(t), 0.04), 5))


@cache
def marble() -> Mesh:
    """A ball with a twisted band in the role "swirl"."""
    ball = icosphere(2)
    x, y, z = ball.vertices.mean(axis=1).T
    swirl = np.sin(np.arctan2(y, x) * 2 + 7 * z) > 0.35
    return fitted(repainted(ball, ("glass", "swirl"), swirl, ((0.5, 0.7, 0.9), (0.9, 0.9, 0.9))))


@cache
def cat() -> Mesh:
    """A cat lying with its head up, nose at +x, in "fur", "stripes" and "white"."""
    skin = moulded(cat_field, (-0.66, -0.3, -0.02), (0.5, 0.4, 0.66), 27)
    x, y, z = skin.vertices.mean(axis=1).T
    stripes = (x < 0.12) & (z > 0.1) & (np.sin(42 * x + 4 * np.abs(y)) > 0.3)
    stripes |= (z > 0.46) & (np.abs(np.sin(24 * y)) < 0.4) & (x > 0.22)
    stripes |= (x < -0.42) & (np.sin(40 * y) > 0.2)
    white = (x > 0.34) & (z < 0.1)
    colours = ((0.86, 0.52, 0.22), (0.62, 0.32, 0.12), (0.95, 0.92, 0.86))
    names = ("fur", "stripes", "white")
    coat = repainted(skin, names, np.where(white, 2, np.where(stripes, 1, 0)), colours)
    ball = sphere(0.5, 10, 6)
    muzzle = moved(ball, (0.4, 0.0, 0.352), scale=(0.112, 0.142, 0.096))
    bib = moved(ball, (0.2, 0.0, 0.2), scale=(0.18, 0.2, 0.24))
    face = [_dot((0.452, 0.0, 0.378), 0.034, "nose", (0.86, 0.46, 0.46))]
    for side in (-1, 1):
        face.append(_dot((0.382, 0.078 * side, 0.43), 0.062, "eyes", (0.6, 0.8, 0.3)))
        pupil = moved(icosphere(1), (0.406, 0.084 * side, 0.432), scale=(0.026, 0.02, 0.05))
        face.append(painted(pupil, "pupils", (0.05, 0.05, 0.05)))
        ear = moved(icosphere(1), (0.285, 0.112 * side, 0.54), scale=(0.034, 0.056, 0.1))
        face.append(painted(ear, "inner ear", (0.9, 0.66, 0.62)))
    return fitted(join([coat, painted(join([muzzle, bib]), "white", colours[2]), *face]))


def _dot(at: Vector3, diameter: float, role: str, colour: Colour) -> Mesh:
    return painted(moved(icosphere(1), at, scale=diameter), role, colour)


@cache
def smashed_plate(variant: int) -> Mesh:
    """A plate that fell apart: pieces a little out of place, its "rim" of another colour."""
    random = np.random.default_rng(variant)
    profile = [(0.01, 0), (0.22, 0), (0.42, 0), (0.6, 0.02), (0.7, 0.2), (0.82, 0.6), (1, 1)]
    rings = [np.column_stack([circle(36, r), np.full(36, z)]) for r, z in profile]
    whole = loft(np.stack(rings[::-1]), capped=False, crease_deg=70)
    plate = whole if whole.normals[..., 2].mean() > 0 else inside_out(whole)
    middles = plate.vertices.mean(axis=1)[:, :2]
    rim = np.hypot(*middles.T) > 0.84
    seeds = random.uniform(-0.8, 0.8, (7, 2))
    ragged = middles + random.normal(0, 0.035, middles.shape)
    piece = np.linalg.norm(ragged[:, None] - seeds, axis=2).argmin(axis=1)
    aside = 0.22 * seeds + random.normal(0, 0.03, seeds.shape)
    shift = np.column_stack([aside, random.uniform(0.0, 0.25, 7)])[piece]
    moved_apart = (plate.vertices + shift[:, None]).astype(np.float32)
    pieces = replace(plate, vertices=moved_apart)
    return fitted(repainted(pieces, ("glaze", "rim"), rim, ((0.9,) * 3, (0.2, 0.4, 0.7))))


@cache
def lower_arm() -> Mesh:
    """A forearm along x, the elbow at -x and thicker."""
    path = [(-1.0, 0, 0), (-0.85, 0, 0), (-0.6, 0, 0.02), (-0.2, 0, 0.0), (0.4, 0, -0.03)]
    path += [(0.8, 0, -0.05), (1.0, 0, -0.05)]
    return fitted(tube(path, (0.17, 0.22, 0.24, 0.225, 0.175, 0.14, 0.13), 14))


@cache
def half_disc() -> Mesh:
    """The half of a flat disc that lies at +x, facing up."""
    angle = np.linspace(-math.pi / 2, math.pi / 2, 16)
    rim = np.column_stack([np.cos(angle), np.sin(angle), 0 * angle])
    a = np.arange(15)
    faces = np.column_stack([a, a + 1, np.full(15, 16)])
    return fitted(mesh_of(np.vstack([rim, [[0, 0, 0]]]), faces))


@cache
def claw() -> Mesh:
    """One tine of a hammer's claw, along y and bent towards -x."""
    t = np.linspace(0, 1, 8)
    middle = np.column_stack([-0.4 * t**2, t])
    width = 0.3 * (1 - 0.75 * t)
    left, right = middle - (1, 0) * width[:, None], middle + (1, 0) * width[:, None]
    outline = np.vstack([right, left[::-1]])
    rings = [np.column_stack([outline, np.full(16, z)]) for z in (-0.5, 0.5)]
    return fitted(loft(np.stack(rings), crease_deg=30))


@cache
def drill_bit() -> Mesh:
    """A twist drill along z, its point up."""
    t = np.linspace(0, 1, 26)
    rings = []
    for share in t:
        angle = 9 * share + np.arange(8) * math.pi / 4
        radius = np.tile([1.0, 0.55, 0.75, 0.55], 2) * (1 if share < 0.93 else (1 - share) / 0.07)
        reach = np.maximum(radius, 0.01)
        rings.append(
            np.column_stack([reach * np.cos(angle), reach * np.sin(angle), np.full(8, 6 * share)])
        )
    return fitted(loft(np.stack(rings)))


@cache
def blossom() -> Mesh:
    """A flower's head: a shallow cup of petals, open upward."""
    angle = np.linspace(0, 2 * math.pi, 18, endpoint=False)
    petal = 0.72 + 0.28 * np.abs(np.sin(3 * angle))
    rings = [
        np.column_stack([r * petal * np.cos(angle), r * petal * np.sin(angle), np.full(18, z)])
        for r, z in ((0.2, 0.0), (1.0, 0.8), (0.96, 1.0), (0.2, 0.5))
    ]
    return fitted(loft(np.stack(rings)))


@cache
def creased(variant: int, glints: bool = False) -> Mesh:
    """Crumpled film in flat facets; only those that throw light where `glints`."""
    random = np.random.default_rng(100 + variant)
    n = 13
    u, v = (each.ravel() for each in np.meshgrid(*[np.linspace(-1, 1, n)] * 2, indexing="ij"))
    u, v = (each + random.uniform(-0.06, 0.06, n * n) for each in (u, v))
    edge = np.maximum(np.abs(u), np.abs(v))
    reach = 1 - 0.34 * edge**2 + 0.14 * np.sin(4 * np.arctan2(v, u) + random.uniform(0, 6.3))
    height = random.uniform(0, 1, n * n) ** 1.6 * np.clip(1.2 - edge**2, 0.05, 1.0)
    points = np.column_stack([u * reach, v * reach, height])
    a = np.arange(n * n).reshape(n, n)
    p, q, r, s = (e.ravel() for e in (a[:-1, :-1], a[1:, :-1], a[1:, 1:], a[:-1, 1:]))
    faces = np.vstack([np.column_stack([p, q, r]), np.column_stack([p, r, s])])
    whole = fitted(mesh_of(points, faces, crease_deg=1))
    if not glints:
        return whole
    shine = np.random.default_rng(variant).uniform(size=len(faces)) < 0.07
    return chosen(whole, shine)
