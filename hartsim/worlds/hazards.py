"""What should not be on a road: boxes, lost loads, tyres, rocks, trees, cones, stains."""

import math
from functools import lru_cache
from itertools import pairwise

import numpy as np

from hartsim.types import Vector3
from hartsim.worlds import meshes
from hartsim.worlds.looks import Look, Maker
from hartsim.worlds.meshes import Points, join, moved, painted, shaded
from hartsim.worlds.stage import Colour, Mesh, Solid

Solids = list[Solid]

CARDBOARD: Colour = (0.7, 0.52, 0.34)
WOOD: Colour = (0.72, 0.54, 0.34)
STONES: tuple[Colour, ...] = ((0.5, 0.48, 0.45), (0.56, 0.51, 0.44), (0.42, 0.42, 0.43))
ORANGE: Colour = (0.93, 0.36, 0.07)
RED: Colour = (0.8, 0.12, 0.1)
WHITE: Colour = (0.94, 0.94, 0.92)
AMBER: Colour = (1.0, 0.66, 0.12)


def _tinted(colour: Colour, tone: float) -> tuple[float, float, float, float]:
    return colour[0] * tone, colour[1] * tone, colour[2] * tone, 1.0


def cardboard_boxes(size_m: Vector3, look: Look) -> Solids:
    """Cardboard boxes fallen over one another, which wear the paintable surface `box`."""
    rng = np.random.default_rng(look.seed)
    length, width, height = size_m
    spots = (
        (-0.25, -0.22, 0.0),
        (0.26, -0.14, 0.0),
        (-0.08, 0.26, 0.0),
        (0.02, -0.05, 0.52),
        (0.33, 0.3, 0.0),
    )
    solids: Solids = []
    for x, y, z in spots:
        a, b, c = rng.uniform(0.3, 0.42), rng.uniform(0.34, 0.44), rng.uniform(0.4, 0.46)
        side = (length * a, width * b, height * c)
        at = (x * length, y * width, z * height + side[2] / 2)
        angle, tone = float(rng.uniform(-0.6, 0.6)), float(rng.choice([0.84, 1.0]))
        turned = meshes.turn_z(angle) if z == 0 else meshes.turn((0.6, 0.8, 0.0), 0.22)
        solids.append(Solid("box", side, at, turned, surface="box", tint=(tone, tone, tone)))
        tape = (side[0] * 1.004, side[1] * 0.14, side[2] * 1.004)
        solids.append(Solid("box", tape, at, turned, (0.84, 0.73, 0.53, 1.0)))
    return solids


def lost_load(size_m: Vector3, look: Look) -> Solids:
    """Planks strewn about two crates."""
    rng = np.random.default_rng(look.seed)
    length, width, height = size_m
    solids: Solids = []
    for k in range(11):
        tone, turned = rng.uniform(0.8, 1.15), meshes.turn_z(rng.uniform(-0.5, 0.5))
        plank = (length * float(rng.uniform(0.5, 0.78)), 0.16, 0.045)
        x, y = rng.uniform(-0.1, 0.1) * length, rng.uniform(-0.33, 0.33) * width
        at = (x, y, 0.03 + 0.045 * (k % 4))
        solids.append(Solid("box", plank, at, turned, _tinted(WOOD, float(tone))))
    for x, y, angle in ((-0.22, 0.08, 0.3), (0.24, -0.12, -0.25)):
        crate = (length * 0.28, width * 0.38, height * 0.96)
        at = (x * length, y * width, crate[2] / 2)
        solids.append(Solid("mesh", crate, at, meshes.turn_z(angle), mesh=_crate()))
    return solids


@lru_cache(maxsize=1)
def _crate() -> Mesh:
    """A slatted wooden crate, one metre each way."""
    slats = []
    for level in (-0.38, -0.13, 0.13, 0.38):
        slats += [moved(meshes.box((1, 0.05, 0.18)), (0, side, level)) for side in (-0.5, 0.5)]
        slats += [moved(meshes.box((0.05, 1, 0.18)), (side, 0, level)) for side in (-0.5, 0.5)]
    posts = [(x, y, 0) for x in (-0.5, 0.5) for y in (-0.5, 0.5)]
    slats += [moved(meshes.box((0.1, 0.1, 1)), post) for post in posts]
    slats += [moved(meshes.box((1, 0.2, 0.04)), (0, y, 0.49)) for y in (-0.36, 0, 0.36)]
    inside = painted(meshes.box((0.9, 0.9, 0.94)), "inside", (0.3, 0.22, 0.14))
    return join([inside, shaded(painted(join(slats), "wood", (0.66, 0.48, 0.3)), 0.75, 1.0)])


def tyre(size_m: Vector3, look: Look) -> Solids:
    """A tyre lying flat, every other one still on its rim."""
    at = (0.0, 0.0, size_m[2] / 2)
    return [Solid("mesh", size_m, at, mesh=_tyre(look.seed % 2 == 1), specular=0.3)]


@lru_cache(maxsize=2)
def _tyre(rim: bool) -> Mesh:
    profile = np.array(
        [(0.29, -0.5), (0.46, -0.5), (0.5, -0.3), (0.5, 0.3), (0.46, 0.5), (0.29, 0.5), (0.26, 0)]
    )
    closed = np.concatenate([profile, profile[:1]])
    rings = [np.column_stack([meshes.circle(20, radius), np.full(20, z)]) for radius, z in closed]
    ring = painted(meshes.loft(np.stack(rings), capped=False), "tyre", (0.09, 0.09, 0.095))
    if not rim:
        return ring
    return join([ring, painted(meshes.cylinder(0.28, 0.5, 14), "rim", (0.5, 0.51, 0.53))])


def rock(size_m: Vector3, look: Look) -> Solids:
    """A boulder with a few chips that broke off it."""
    rng = np.random.default_rng(look.seed)
    length, width, height = size_m
    colours = {"paint": look.pick(STONES)}
    at = (0.0, 0.0, height / 2)
    size = (length * 0.92, width * 0.92, height)
    solids = [Solid("mesh", size, at, mesh=_stone(look.seed % 8, True), colours=colours)]
    for k in range(4):
        angle, chip = rng.uniform(0, 6.3), float(rng.uniform(0.1, 0.16)) * length
        x, y = 0.44 * length * math.cos(angle), 0.44 * width * math.sin(angle)
        small, spot = (chip, chip, chip * 0.7), (x, y, chip * 0.3)
        solids.append(Solid("mesh", small, spot, mesh=_stone(k, False), colours=colours))
    return solids


@lru_cache(maxsize=16)
def _stone(seed: int, large: bool) -> Mesh:
    stone = meshes.blob(seed, roughness=0.4, level=3 if large else 0, crease_deg=28)
    return shaded(stone, 0.6, 1.0)


def fallen_tree(size_m: Vector3, look: Look) -> Solids:
    """A trunk along x, its crown at the far end."""
    at = (0.0, 0.0, size_m[2] / 2)
    colours: dict[str, Colour] = {"leaf_dark": (0.22, 0.36, 0.17)}
    return [Solid("mesh", size_m, at, mesh=_fallen_tree(look.seed % 6), colours=colours)]


@lru_cache(maxsize=8)
def _fallen_tree(seed: int) -> Mesh:
    rng = np.random.default_rng(seed)
    bark: Colour = (0.38, 0.29, 0.22)
    path = [(-2.5, 0, 0.22), (0, 0.05, 0.26), (2.4, -0.05, 0.34)]
    trunk = shaded(painted(meshes.tube(path, (0.24, 0.2, 0.1), 9), "bark", bark), 0.7, 1.0)
    lying = meshes.turn((0.0, 1.0, 0.0), -math.pi / 2)
    cut = moved(meshes.disc(0.23, 9), (-2.505, 0, 0.22), lying)
    parts = [trunk, painted(cut, "wood", (0.74, 0.6, 0.42))]
    for k in range(11):
        x, side = rng.uniform(-0.6, 2.2), rng.uniform(-1, 1)
        tip = (x + 0.4, side * 0.5, rng.uniform(0.35, 0.9))
        parts.append(painted(meshes.tube([(x, 0, 0.26), tip], (0.06, 0.02), 5), "bark", bark))
        leaf = meshes.blob(seed * 11 + k, (0.85, 0.6, 0.55), 0.34)
        leaf = shaded(painted(leaf, ("leaf", "leaf_dark")[k % 2], (0.28, 0.43, 0.2)), 0.55, 1.0)
        parts.append(moved(leaf, (tip[0], tip[1] * 0.8, max(tip[2], 0.36))))
    return join(parts)


def traffic_cones(size_m: Vector3, look: Look) -> Solids:
    """A row of cones from corner to corner of the box; in some rows one has fallen."""
    length, width, height = size_m
    count = max(3, round(math.hypot(length, width) / 0.8))
    scale = height / 0.75
    solids = []
    for k in range(count):
        t = k / (count - 1) - 0.5
        at = (t * (length - 0.4 * scale), -t * (width - 0.4 * scale), 0.0)
        turned = meshes.turn_z(0.4 * k)
        if k == 1 and look.seed % 3 == 0:
            at, turned = (at[0], at[1], 0.17 * scale), meshes.turn((0.0, 1.0, 0.0), 1.45)
        solids.append(Solid("mesh", None, at, turned, mesh=cone(), scale=scale))
    return solids


@lru_cache(maxsize=1)
def cone() -> Mesh:
    """A traffic cone, 0.75 m tall, with two white bands."""
    base = moved(meshes.box((0.4, 0.4, 0.05), 0.02), (0, 0, 0.025))
    parts = [painted(base, "base", (0.12, 0.12, 0.13))]
    levels = [(0.05, 0.16), (0.26, 0.128), (0.38, 0.1), (0.48, 0.08), (0.6, 0.053), (0.75, 0.025)]
    for k, ((z0, r0), (z1, r1)) in enumerate(pairwise(levels)):
        role, colour = (("cone", ORANGE), ("white", WHITE))[k % 2]
        parts.append(painted(meshes.lathe([(r0, z0), (r1, z1)], 12), role, colour))
    return join(parts)


def barrier(size_m: Vector3, look: Look) -> Solids:
    """A red and white barrier along the longer side of its box, with a lamp at either end."""
    length, width, height = size_m
    turned = meshes.turn_z(0.0 if length >= width else math.pi / 2)
    span, thick = max(length, width), min(length, width)
    at = (0.0, 0.0, height / 2)
    solids = [Solid("mesh", (span, thick, height), at, turned, mesh=_barrier())]
    for end in (-0.42, 0.42):
        x, y, _ = meshes.matrix_of(turned) @ (end * span, 0.0, 0.0)
        spot, bulb = (float(x), float(y), height * 0.94), (0.17, 0.17, height * 0.11)
        glow = float(look.lights_on)
        lens = painted(meshes.icosphere(1), "paint", AMBER)
        solids.append(Solid("mesh", bulb, spot, mesh=lens, colours={"paint": AMBER}, emission=glow))
    return solids


@lru_cache(maxsize=1)
def _barrier() -> Mesh:
    """The barrier's boards, posts and feet, 2.4 by 0.5 by 1 m."""
    parts = []
    for level in (0.72, 0.42):
        for k in range(8):
            board = moved(meshes.box((0.3, 0.06, 0.2)), (-1.05 + 0.3 * k, 0, level))
            role, colour = (("red", RED), ("white", WHITE))[k % 2]
            parts.append(painted(board, role, colour))
    for x in (-1.0, 1.0):
        post = moved(meshes.box((0.07, 0.07, 1.0)), (x, 0, 0.5))
        foot = moved(meshes.box((0.14, 0.5, 0.1), 0.03), (x, 0, 0.05))
        parts += [painted(post, "post", (0.32, 0.33, 0.35)), painted(foot, "foot", (0.16,) * 3)]
    return join(parts)


PATCH_SIDES = 28


def stain(edge: Colour, middle: Colour, gloss: float = 0.0, layers: int = 3) -> Maker:
    """A flat irregular patch that changes colour towards its middle."""

    def make(size_m: Vector3, look: Look) -> Solids:
        patch = _patch(look.seed % 8)
        solids: Solids = []
        for k in range(layers):
            share, t = 1 - 0.2 * k, k / (layers - 1)
            r, g, b = (e + (m - e) * t for e, m in zip(edge, middle, strict=True))
            size, at = (size_m[0] * share, size_m[1] * share, 0.0), (0.0, 0.0, 0.014 + 0.004 * k)
            colours = {"paint": (r, g, b)}
            solids.append(Solid("mesh", size, at, mesh=patch, colours=colours, specular=gloss))
        return solids

    return make


@lru_cache(maxsize=8)
def _patch(seed: int) -> Mesh:
    return meshes.disc(0.5, PATCH_SIDES, wobble=seed)


def patch_radii(seed: int) -> tuple[float, ...]:
    """The edge of a stain of this seed in a box one metre each way, for `Mirror`."""
    low, high = meshes.bounds(_patch(seed % 8))
    ring = meshes.circle(PATCH_SIDES, 0.5) * meshes.wobbly(PATCH_SIDES, seed % 8)[:, None]
    fitted = (ring - (low + high)[:2] / 2) / (high - low)[:2]
    angles = np.mod(np.arctan2(fitted[:, 1], fitted[:, 0]), 2 * math.pi)
    lengths = np.hypot(fitted[:, 0], fitted[:, 1])
    even = np.arange(PATCH_SIDES) * (2 * math.pi / PATCH_SIDES)
    return tuple(np.interp(even, *_sorted(angles, lengths), period=2 * math.pi).tolist())


def _sorted(angles: Points, lengths: Points) -> tuple[Points, Points]:
    order = np.argsort(angles)
    return angles[order], lengths[order]


_HOLE = stain((0.6, 0.58, 0.54), (0.1, 0.09, 0.08), layers=5)


def pothole(size_m: Vector3, look: Look) -> Solids:
    """A broken edge, a dark hole with gravel in it, and crumbs of asphalt round it."""
    rng = np.random.default_rng(look.seed)
    solids = _HOLE(size_m, look)
    for k in range(16):
        angle, reach = (
            rng.uniform(0, 6.3),
            rng.uniform(0.36, 0.46) if k % 2 else rng.uniform(0, 0.3),
        )
        x, y = reach * size_m[0] * math.cos(angle), reach * size_m[1] * math.sin(angle)
        bit, tone = float(rng.uniform(0.04, 0.11)), float(rng.uniform(0.26, 0.5))
        colours: dict[str, Colour] = {"paint": (tone, tone * 0.95, tone * 0.88)}
        size, at = (bit, bit, bit * 0.6), (x, y, 0.03)
        solids.append(Solid("mesh", size, at, mesh=_stone(k % 4, False), colours=colours))
    return solids
