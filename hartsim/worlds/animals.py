"""Animals: bodies of tubes, facing along x, on z = 0, in roles such as "fur" and "legs"."""

from functools import lru_cache

import numpy as np

from hartsim.types import Vector3
from hartsim.worlds import meshes
from hartsim.worlds.figures import grounded
from hartsim.worlds.meshes import join, moved, painted, shaded, tube
from hartsim.worlds.stage import Colour, Mesh

FUR: Colour = (0.55, 0.38, 0.24)
LEGS: Colour = (0.42, 0.29, 0.18)
HORN: Colour = (0.72, 0.64, 0.5)
WHITE: Colour = (0.92, 0.9, 0.86)
BLACK: Colour = (0.07, 0.06, 0.06)
DEER_LENGTH_M = 1.65


@lru_cache(maxsize=2)
def deer(antlers: bool = True) -> Mesh:
    """A deer, about 1.65 m long, standing alert."""
    spine = [(-0.62, 0, 0.96), (-0.45, 0, 1.0), (-0.1, 0, 0.98), (0.3, 0, 1.0), (0.5, 0, 1.04)]
    throat = [(0.42, 0, 1.02), (0.58, 0, 1.24), (0.68, 0, 1.46)]
    skull = [(0.62, 0, 1.5), (0.74, 0, 1.5), (0.9, 0, 1.43), (0.96, 0, 1.41)]
    body = [
        tube(spine, (0.09, 0.2, 0.21, 0.23, 0.14), 12, flat=0.78),
        tube(throat, (0.17, 0.105, 0.08), 10, flat=0.8),
        tube(skull, (0.07, 0.085, 0.05, 0.035), 9),
    ]
    parts = [shaded(painted(join(body), "fur", FUR), 0.72, 1.02)]
    parts.append(painted(moved(meshes.icosphere(1, 0.035), (0.97, 0, 1.41)), "nose", BLACK))
    tail = moved(meshes.blob(3, (0.12, 0.14, 0.2)), (-0.68, 0, 0.93))
    parts.append(painted(tail, "tail", WHITE))
    for side in (1, -1):
        parts.append(_deer_ear(side))
        parts += [_leg(x, 0.11 * side, 0.92, lean * side, 0.085) for x, lean in DEER_LEGS]
        if antlers:
            parts.append(_antler(side))
    return grounded(join(parts))


DEER_LEGS = ((0.4, 0.12), (-0.48, 0.16))
DOG_LEGS = ((0.22, 0.3), (-0.28, -0.35))
"""Where a leg is along the body, and how far its left one swings ahead."""


def _deer_ear(side: int) -> Mesh:
    tilt = meshes.turn((1.0, 0.0, 0.0), -0.7 * side)
    ear = moved(meshes.icosphere(1), (0.62, 0.1 * side, 1.6), tilt, (0.05, 0.06, 0.17))
    return painted(ear, "fur", FUR)


def _antler(side: int) -> Mesh:
    y = np.array([0.05, 0.2, 0.3, 0.27, 0.23, 0.34]) * side
    foot, fork, upper, top = (
        (0.64, y[0], 1.57),
        (0.56, y[1], 1.76),
        (0.62, y[2], 1.98),
        (0.7, y[3], 2.1),
    )
    stem = tube([foot, fork, upper, top], (0.02, 0.018, 0.014, 0.006), 6)
    tines = [((0.76, y[4], 1.9), fork), ((0.8, y[5], 2.06), upper)]
    branches = [tube([at, tip], (0.015, 0.004), 5) for tip, at in tines]
    return painted(join([stem, *branches]), "antler", HORN)


def _leg(x: float, y: float, top: float, swing: float, thick: float) -> Mesh:
    hock: Vector3 = (x - 0.05 + 0.4 * top * swing, y, top * 0.45)
    foot: Vector3 = (x + 0.75 * top * swing, y, 0.03)
    path = [(x, y * 0.85, top), (x + 0.02, y, top * 0.72), hock, foot]
    radii = (thick * 1.25, thick * 0.9, thick * 0.5, thick * 0.42)
    return shaded(painted(tube(path, radii, 8), "legs", LEGS), 0.6, 1.0)


@lru_cache(maxsize=1)
def dog() -> Mesh:
    """A dog of middle size, trotting."""
    spine = [(-0.36, 0, 0.44), (-0.2, 0, 0.46), (0.1, 0, 0.45), (0.28, 0, 0.47)]
    skull = [(0.32, 0, 0.62), (0.42, 0, 0.63), (0.5, 0, 0.59), (0.57, 0, 0.58)]
    body = [
        tube(spine, (0.07, 0.11, 0.135, 0.1), 10, flat=0.85),
        tube([(0.24, 0, 0.48), (0.36, 0, 0.6)], (0.09, 0.07), 8),
        tube(skull, (0.06, 0.075, 0.045, 0.035), 9),
        tube([(-0.36, 0, 0.48), (-0.46, 0, 0.58), (-0.5, 0, 0.68)], (0.03, 0.025, 0.01), 6),
    ]
    parts = [shaded(painted(join(body), "fur", FUR), 0.75, 1.02)]
    parts.append(painted(moved(meshes.icosphere(0, 0.022), (0.58, 0, 0.59)), "nose", BLACK))
    for side in (1, -1):
        tilt = meshes.turn((1.0, 0.0, 0.0), 0.4 * side)
        ear = moved(meshes.box((0.06, 0.02, 0.1), 0.008), (0.36, 0.07 * side, 0.66), tilt)
        parts.append(painted(ear, "ears", (0.3, 0.2, 0.13)))
        legs = [_leg(x, 0.07 * side, 0.42, lean * side, 0.05) for x, lean in DOG_LEGS]
        parts += [painted(leg, "fur", FUR) for leg in legs]
    return grounded(join(parts))
