"""Things beside the road for small pictures: a few triangles each, in colours without textures.

Made like those in `greenery` and `scenery` and as large; `kits` says which a street is built of.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from hartsim.types import Vector3
from hartsim.worlds import meshes
from hartsim.worlds.greenery import BARK, NEEDLES, leaning, snowed
from hartsim.worlds.meshes import join, moved, painted, shaded, tube
from hartsim.worlds.scenery import METAL, WOOD
from hartsim.worlds.stage import Colour, Mesh, Solid

FOLIAGE: Colour = (0.56, 0.56, 0.51)
"""What the texture of leaves comes to from afar."""


def broadleaf(seed: int, detail: int, leaf: Colour, snow: float, scale: float) -> list[Solid]:
    """A tree about 6.5 m tall at scale 1: a trunk, a shaded clump and a sunny one.

    Without `detail`, far away, the clumps are one.
    """
    return [_plant(_broadleaf(seed, detail > 0), leaf, snow, scale)]


def conifer(seed: int, detail: int, snow: float, scale: float) -> list[Solid]:
    """A spruce about 9 m tall at scale 1: two skirts of branches."""
    return [_plant(_conifer(seed), NEEDLES, snow, scale)]


def bush(seed: int, detail: int, leaf: Colour, snow: float, scale: float) -> list[Solid]:
    """A rounded shrub about 1 m high at scale 1."""
    return [_plant(_bush(seed), leaf, snow, scale)]


def hedge(length_m: float, seed: int, leaf: Colour, snow: float) -> list[Solid]:
    """A clipped hedge along x."""
    return [_plant(_hedge(length_m), leaf, 0.6 * snow, 1.0)]


def _plant(mesh: Mesh, leaf: Colour, snow: float, scale: float) -> Solid:
    """A plant in its colours; snow lies on what is sunny."""
    shade = _foliage(leaf, 0.62, 0.25 * snow)
    colours = {"shaded": shade, "sunny": _foliage(leaf, 1.0, 0.8 * snow)}
    return Solid("mesh", None, mesh=mesh, colours=colours, scale=scale)


def _foliage(leaf: Colour, light: float, snow: float) -> Colour:
    tint = snowed((leaf[0] * light, leaf[1] * light, leaf[2] * light), snow)
    return FOLIAGE[0] * tint[0], FOLIAGE[1] * tint[1], FOLIAGE[2] * tint[2]


def _clump(rng: np.random.Generator, at: Vector3, size: Vector3, role: str) -> Mesh:
    """A ball of leaves, darker below, of 20 triangles, or 12 for a bush."""
    round_ = meshes.icosphere(0) if role == "shaded" or size[2] > 2 else meshes.sphere(0.5, 6, 2)
    ball = moved(round_, at, meshes.turn_z(float(rng.uniform(0, 6))), size)
    return painted(shaded(leaning(ball), 0.7, 1.0), role)


def _trunk(height_m: float, radius_m: float) -> Mesh:
    radii = ((0.0, radius_m), (height_m, radius_m / 2))
    rings = [[(r * x, r * y, z) for x, y in meshes.circle(3)] for z, r in radii]
    wood = meshes.loft(np.array(rings), capped=False)
    return painted(shaded(wood, 0.6, 1.0), "bark", BARK)


@lru_cache(maxsize=64)
def _broadleaf(seed: int, near: bool) -> Mesh:
    rng = np.random.default_rng(seed)
    if not near:
        size = (4.4, 4.4, 4.6)
        return join([_trunk(3.0, 0.2), _clump(rng, (0.0, 0.0, 4.2), size, "sunny")])
    height, (x, y) = 2.2 + float(rng.uniform(-0.2, 0.3)), rng.uniform(-0.5, 0.5, 2).tolist()
    wide, tall = rng.uniform(3.8, 4.6), rng.uniform(3.2, 3.8)
    low = _clump(rng, (x, y, height + 1.1), (wide, wide, 2.9), "shaded")
    high = _clump(rng, (-x, -y, height + 2.5), (tall, tall, 3.1), "sunny")
    return join([_trunk(height + 1.0, 0.2), low, high])


@lru_cache(maxsize=64)
def _conifer(seed: int) -> Mesh:
    rng = np.random.default_rng(seed)
    skirts = []
    for low, high, radius, role in ((1.0, 5.6, 1.9, "shaded"), (3.6, 9.0, 1.3, "sunny")):
        ring = meshes.circle(6, 1.0, float(rng.uniform(0, 6))) * rng.uniform(0.8, 1.1, 6)[:, None]
        outer = np.column_stack([radius * ring, np.full(6, low)])
        inner = np.column_stack([0.0 * ring, np.full(6, high)])
        skirt = meshes.loft(np.stack([outer, inner]), capped=False, crease_deg=25)
        skirts.append(painted(leaning(skirt), role))
    return join([_trunk(2.0, 0.18), *skirts])


@lru_cache(maxsize=64)
def _bush(seed: int) -> Mesh:
    rng = np.random.default_rng(seed)
    return _clump(rng, (0.0, 0.0, 0.45), (1.5, 1.35, 1.25), "sunny")


@lru_cache(maxsize=64)
def _hedge(length_m: float) -> Mesh:
    outline: Sequence[tuple[float, float]] = ((0.3, 0.0), (0.36, 1.0), (0.2, 1.2))
    profile = [*outline, *((-y, z) for y, z in reversed(outline))]
    ends = [[(x, y, z) for y, z in profile] for x in (-length_m / 2, length_m / 2)]
    return painted(shaded(meshes.loft(np.array(ends), crease_deg=50), 0.6, 1.0), "sunny")


@lru_cache(maxsize=8)
def tuft_field(seed: int) -> Mesh:
    """Tufts of long grass strewn over nine metres by four, in the role "leaf"."""
    rng = np.random.default_rng(seed)
    blades = []
    for _ in range(16):
        x, y = rng.uniform(-4.5, 4.5), rng.uniform(-2, 2)
        turn, tall = rng.uniform(0, 3.1), rng.uniform(0.3, 0.5)
        dx, dy = 0.22 * np.cos(turn), 0.22 * np.sin(turn)
        blades.append([(x - dx, y - dy, 0.0), (x + dx, y + dy, 0.0), (x, y, tall)])
    faces = np.arange(3 * len(blades)).reshape(-1, 3)
    both = np.concatenate([faces, faces[:, ::-1]])
    grass = meshes.mesh_of(np.array(blades).reshape(-1, 3), both, crease_deg=5)
    return shaded(painted(grass, "leaf", (0.42, 0.52, 0.22)), 0.5, 1.0)


@lru_cache(maxsize=64)
def street_lamp(arm_m: float = 1.6, height_m: float = 6.5) -> Mesh:
    """A mast with an arm along x; its head hangs at (arm, 0, height)."""
    mast = tube([(0, 0, 0), (0, 0, height_m)], (0.11, 0.06), 3)
    arm = tube([(0, 0, height_m - 0.05), (arm_m, 0, height_m + 0.16)], 0.05, 3)
    head = moved(meshes.box((0.75, 0.26, 0.12)), (arm_m + 0.1, 0, height_m + 0.15))
    metal = painted(join([mast, arm]), "metal", METAL)
    return join([metal, painted(head, "head", (0.3, 0.31, 0.33))])


@lru_cache(maxsize=64)
def utility_pole() -> Mesh:
    """A wooden pole with a cross-arm."""
    pole = tube([(0, 0, 0), (0, 0, 8.5)], (0.15, 0.1), 3)
    arm = moved(meshes.box((0.12, 2.0, 0.14)), (0, 0, 7.7))
    return painted(join([pole, arm]), "wood", (0.36, 0.29, 0.23))


@lru_cache(maxsize=64)
def delineator() -> Mesh:
    """A white roadside post with a black band."""
    low = painted(moved(meshes.box((0.08, 0.12, 0.68)), (0, 0, 0.34)), "post", (0.92, 0.92, 0.9))
    band = painted(moved(meshes.box((0.08, 0.12, 0.2)), (0, 0, 0.78)), "band", (0.1, 0.1, 0.1))
    return join([low, band])


@lru_cache(maxsize=64)
def picket_fence(length_m: float) -> Mesh:
    """A garden fence along x: broad pickets, which from afar look like many narrow ones."""
    count = max(2, int(length_m / 0.9))
    middles = (np.arange(count) + 0.5) * length_m / count - length_m / 2
    sheets = [
        [(x - 0.16, 0.05), (x + 0.16, 0.05), (x + 0.16, 0.87), (x - 0.16, 0.87)] for x in middles
    ]
    half = length_m / 2
    sheets += [[(-half, z), (half, z), (half, z + 0.09), (-half, z + 0.09)] for z in (0.28, 0.64)]
    front = np.array([[(x, 0.0, z) for x, z in sheet] for sheet in sheets])
    both = join([meshes.quads(front), meshes.quads(front[:, ::-1])])
    return shaded(painted(both, "wood", WOOD), 0.8, 1.0)


@lru_cache(maxsize=64)
def guard_rail(length_m: float) -> Mesh:
    """A steel guard rail along x, posts every 12 m."""
    rail = moved(meshes.box((length_m, 0.08, 0.28)), (0, 0, 0.64))
    posts = [
        moved(meshes.box((0.14, 0.08, 0.5)), (x, -0.08, 0.25))
        for x in np.arange(-length_m / 2 + 2, length_m / 2, 12)
    ]
    return painted(join([rail, *posts]), "metal", (0.6, 0.62, 0.64))


@lru_cache(maxsize=64)
def wire_fence(length_m: float) -> Mesh:
    """Wooden posts, half as many as in a fine one and thicker, with two wires, along x."""
    posts = [
        tube([(x, 0, 0), (x, 0, 1.15)], 0.1, 3)
        for x in np.arange(-length_m / 2, length_m / 2 + 0.1, 6.0)
    ]
    wires = [moved(meshes.box((length_m, 0.02, 0.02)), (0, 0, z)) for z in (0.55, 0.95)]
    wood = painted(join(posts), "wood", (0.42, 0.34, 0.27))
    return join([wood, painted(join(wires), "metal", METAL)])


@lru_cache(maxsize=1)
def bin_() -> Mesh:
    """A rubbish bin."""
    body = painted(moved(meshes.box((0.52, 0.56, 0.95)), (0, 0, 0.48)), "body", (0.2, 0.3, 0.24))
    lid = painted(moved(meshes.box((0.62, 0.64, 0.08)), (0, 0, 1.0)), "lid", (0.16, 0.24, 0.2))
    return join([shaded(body, 0.7, 1.0), lid])
