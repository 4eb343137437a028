"""Four-legged bodies from a few measures: a smooth trunk, neck, head, tail and jointed legs.

Meshes face along x and stand on z = 0, in roles such as "fur", "legs", "muzzle" and "hoof".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hartsim.types import Vector3
from hartsim.worlds import meshes
from hartsim.worlds.meshes import Points, moved, painted, repainted, shaded, tube
from hartsim.worlds.stage import Colour, Mesh

Station = tuple[float, float, float]
"""How far ahead, how high, and the radius of a body at that point."""

BLACK: Colour = (0.07, 0.06, 0.06)


@dataclass(frozen=True)
class Build:
    """Measures of a species in metres, standing.

    `trunk`, `neck`, `skull` and `tail` are stations along them; the trunk is `flat` times as wide
    as high. `fore` and `hind` are where each leg begins (x, height), `leg` its thickness there,
    `shin` the share of it further down, `stance` half the distance between left and right, `foot`
    the width of a hoof or paw, `stride` how far legs swing. `ear` is the left one's place and
    size. `roles` says which colour role a part wears that is not "fur". `sides` and `steps` are
    how finely to model it; with few steps small things are left out.
    """

    trunk: tuple[Station, ...]
    neck: tuple[Station, ...]
    skull: tuple[Station, ...]
    tail: tuple[Station, ...]
    fore: tuple[float, float]
    hind: tuple[float, float]
    leg: float
    stance: float
    foot: float
    ear: tuple[Vector3, Vector3]
    fur: Colour
    roles: Mapping[str, tuple[str, Colour]] = field(default_factory=dict)
    flat: float = 0.78
    stride: float = 0.1
    shin: float = 0.48
    pointed: bool = False
    sides: int = 13
    steps: int = 3


def quadruped(build: Build) -> list[Mesh]:
    """The parts of a body, of which any may be joined by horns, manes and the like."""
    fine = build.sides
    parts = [
        _flesh(build, "trunk", build.trunk, fine, build.flat),
        _flesh(build, "neck", build.neck, fine - 2, 0.8),
        _flesh(build, "skull", build.skull, fine - 3, 0.85),
        _flesh(build, "tail", build.tail, max(fine - 6, 4), 1.0),
    ]
    for side in (1, -1):
        parts += _legs(build, side)
        parts.append(_ear(build, side))
        if build.steps > 2:
            parts.append(_eye(build, side))
    return parts


def _worn(build: Build, part: str) -> tuple[str, Colour]:
    return build.roles.get(part, ("fur", build.fur))


def _flesh(build: Build, part: str, stations: Sequence[Station], sides: int, wide: float) -> Mesh:
    """A smooth tube through stations in the plane y = 0."""
    x, z, radius = smooth(stations, build.steps).T
    path = np.column_stack([x, np.zeros(len(x)), z])
    skin = painted(oval(path, radius, sides, wide), *_worn(build, part))
    return shaded(skin, 0.72, 1.02) if part == "trunk" else skin


def oval(path: ArrayLike, radii: ArrayLike, sides: int, wide: float) -> Mesh:
    """A tube along a path in the plane y = 0, `wide` times as wide as high."""
    return tube(path, np.asarray(radii) * wide, sides, flat=1 / wide)


def smooth(stations: Sequence[Vector3], steps: int = 3) -> Points:
    """A Catmull-Rom curve (N, 3) through points (K, 3), `steps` pieces between each two."""
    knots = np.array(stations, np.float64)
    first, last = 2 * knots[:1] - knots[1:2], 2 * knots[-1:] - knots[-2:-1]
    every = np.concatenate([first, knots, last])
    t = (np.arange(steps) / steps)[None, :, None]
    a, b, c, d = (every[i : len(every) - 3 + i, None] for i in range(4))
    bend = (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    curve = b + ((c - a) * t + bend) / 2
    return np.concatenate([curve.reshape(-1, 3), knots[-1:]])


def _legs(build: Build, side: int) -> list[Mesh]:
    """The fore and the hind leg of one side."""
    fore, hind = build.stride * side * build.fore[1], -build.stride * side * build.hind[1]
    return [
        *_leg(build, build.fore, (0.0, 0.03), fore, side),
        *_leg(build, build.hind, (0.05, -0.09), hind, side),
    ]


def _leg(
    build: Build, start: tuple[float, float], bends: tuple[float, float], swing: float, side: int
) -> list[Mesh]:
    """A leg whose foot swings ahead; `bends` are how far thigh and hock stand out, as shares."""
    (x, top), y, thick, shin = start, build.stance * side, build.leg, build.leg * build.shin
    path = [
        (x, y * 0.82, top),
        (x + bends[0] * top, y, top * 0.72),
        (x + bends[1] * top + swing * 0.6, y, top * 0.42),
        (x + swing * 0.9, y, top * 0.14),
        (x + swing, y, 0.03),
    ]
    skin = tube(path, (thick * 1.3, thick, shin * 1.12, shin * 0.86, shin * 0.95), build.sides - 5)
    bevel = 0.015 if build.steps > 2 else 0.0
    hoof = meshes.box((build.foot * 1.4, build.foot, 0.3 * build.foot + 0.03), bevel)
    at = (x + swing + build.foot * 0.25, y, 0.15 * build.foot + 0.015)
    return [
        shaded(painted(skin, *_worn(build, "legs")), 0.62, 1.0),
        painted(moved(hoof, at), *build.roles.get("hoof", ("hoof", BLACK))),
    ]


def _ear(build: Build, side: int) -> Mesh:
    (x, y, z), size = build.ear
    tilt = meshes.turn((1.0, 0.0, 0.0), -0.35 * side)
    shape = (
        meshes.cone(0.5, 1.0, 6) if build.pointed else meshes.icosphere(1 if build.steps > 2 else 0)
    )
    return painted(moved(shape, (x, y * side, z), tilt, size), *_worn(build, "ears"))


def _eye(build: Build, side: int) -> Mesh:
    """An eye beside the second station of the skull."""
    x, z, radius = build.skull[1]
    at = (x + radius * 0.5, radius * 0.72 * side, z + radius * 0.42)
    return painted(moved(meshes.icosphere(0, radius * 0.3), at), "eye", BLACK)


def patched(mesh: Mesh, role: str, patch: str, colour: Colour, share: float, seed: int) -> Mesh:
    """The mesh with large patches of another role on about this share of the faces of one."""
    if role not in mesh.names:
        return mesh
    rng = np.random.default_rng(seed)
    middles = mesh.vertices.mean(axis=1).astype(np.float64)
    waves = rng.normal(size=(3, 5)) * 3.4
    noise: NDArray[np.float64] = np.sin(middles @ waves + rng.uniform(0, 6.3, 5)).sum(axis=1)
    mine = mesh.roles == mesh.names.index(role)
    where = mine & (noise > np.quantile(noise[mine], 1 - share))
    names, colours = (*mesh.names, patch), (*mesh.colours, colour)
    return repainted(mesh, names, np.where(where, len(mesh.names), mesh.roles), colours)
