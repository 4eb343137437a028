"""What all that lies on the table shares: how it is asked for, its palettes, labels and screens."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from hartsim.types import Vector3
from hartsim.worlds import tabletop_meshes as meshes
from hartsim.worlds.meshes import matrix_of, turn
from hartsim.worlds.solids import UPRIGHT, block, body, darker, pick, times
from hartsim.worlds.stage import Colour, Mesh, Quaternion, Solid

Random = np.random.Generator
Draw = Callable[[Vector3, Colour | None, Random], Sequence[Solid]]
"""What draws a kind of thing: from its size (length, width, height) in metres, the colour asked for
if any, and a generator for what is left open, to solids that fill that size.

They are in the frame of the thing's footprint: x along its length, y its width, z up from below.
"""

CERAMICS: tuple[Colour, ...] = (
    (0.93, 0.91, 0.86),
    (0.18, 0.36, 0.58),
    (0.80, 0.29, 0.22),
    (0.93, 0.70, 0.24),
    (0.25, 0.50, 0.42),
    (0.56, 0.68, 0.76),
    (0.88, 0.60, 0.52),
)
CLOTHS: tuple[Colour, ...] = (
    (0.20, 0.33, 0.58),
    (0.62, 0.20, 0.22),
    (0.24, 0.42, 0.33),
    (0.85, 0.84, 0.80),
    (0.30, 0.31, 0.36),
    (0.86, 0.58, 0.20),
)
SKINS: tuple[Colour, ...] = (
    (0.95, 0.78, 0.66),
    (0.88, 0.67, 0.53),
    (0.76, 0.54, 0.40),
    (0.58, 0.39, 0.28),
    (0.42, 0.28, 0.20),
)
STEEL: Colour = (0.80, 0.82, 0.85)
DARK: Colour = (0.13, 0.13, 0.15)
WHITE: Colour = (0.95, 0.95, 0.94)
WOOD: Colour = (0.66, 0.45, 0.27)
BRASS: Colour = (0.85, 0.66, 0.30)
GLASS: Colour = (0.72, 0.88, 0.90)

LEVEL: Quaternion = turn((0.0, 1.0, 0.0), math.pi / 2)
"""Lays what stands along z down along x."""


def posed(solids: Iterable[Solid], at: Vector3, rotation: Quaternion = UPRIGHT) -> list[Solid]:
    """The solids as one group, turned about the origin and then moved."""
    axes, shift = matrix_of(rotation), np.array(at)
    moved = []
    for solid in solids:
        x, y, z = (axes @ np.array(solid.position_m) + shift).tolist()
        turned = times(rotation, solid.rotation)
        moved.append(replace(solid, position_m=(x, y, z), rotation=turned))
    return moved


def toned(
    mesh: Mesh,
    size_m: Vector3,
    at: Vector3,
    colours: Mapping[str, Colour],
    rotation: Quaternion = UPRIGHT,
    gloss: float = 0.1,
) -> Solid:
    """A mesh whose roles wear the colours named and else their own."""
    return Solid("mesh", size_m, at, rotation, mesh=mesh, colours=colours, specular=gloss)


def between(start: Vector3, end: Vector3, share: float = 0.5) -> Vector3:
    """The point that lies this share of the way from `start` to `end`."""
    x, y, z = (a + share * (b - a) for a, b in zip(start, end, strict=True))
    return (x, y, z)


def strewn(count: int) -> list[tuple[float, float]]:
    """Spots spread evenly over the disc of diameter 1 about the origin, where the first one is."""
    turns = [(0.5 * math.sqrt(n / max(count - 1, 1)), 2.4 * n) for n in range(count)]
    return [(radius * math.cos(angle), radius * math.sin(angle)) for radius, angle in turns]


def band(
    diameter_m: float, height_m: float, at: Vector3, colour: Colour, gloss: float = 0.15
) -> Solid:
    """A label or a stripe that fits round a turned vessel."""
    return body(meshes.turned("band"), (diameter_m, diameter_m, height_m), at, colour, gloss=gloss)


def band_along(
    diameter_m: float, length_m: float, at: Vector3, colour: Colour, gloss: float = 0.15
) -> Solid:
    """A label round a bottle that lies along x."""
    size = (diameter_m, diameter_m, length_m)
    return body(meshes.turned("band"), size, at, colour, LEVEL, gloss=gloss)


def _screen(
    width: float, height: float, random: Random
) -> Sequence[tuple[float, float, float, float, Colour]]:
    """What a screen shows: (across, up, width, height, colour) of its patches, back to front."""
    paper, bar = (
        pick(
            random, ((0.10, 0.13, 0.20), (0.93, 0.95, 0.97), (0.08, 0.22, 0.30), (0.16, 0.12, 0.24))
        ),
        pick(random, ((0.20, 0.52, 0.86), (0.95, 0.55, 0.20), (0.20, 0.70, 0.52))),
    )
    inks = [(0.35, 0.75, 0.95), (0.98, 0.72, 0.32), (0.55, 0.85, 0.45), (0.92, 0.42, 0.52)]
    patches = [(0.0, 0.0, width, height, paper), (0.0, 0.44 * height, width, 0.12 * height, bar)]
    if random.integers(2):
        for line in range(7):
            indent = 0.06 * float(random.integers(3))
            long = float(random.uniform(0.15, 0.5))
            across = width * (-0.42 + indent + long / 2)
            up = height * (0.28 - 0.105 * line)
            ink = inks[int(random.integers(4))]
            patches.append((across, up, width * long, 0.045 * height, ink))
        patches.append(
            (0.30 * width, -0.06 * height, 0.30 * width, 0.62 * height, darker(bar, 0.8))
        )
    else:
        for column in range(6):
            tall = float(random.uniform(0.15, 0.62)) * height
            across, up = width * (-0.36 + 0.145 * column), -0.4 * height + tall / 2
            patches.append((across, up, 0.09 * width, tall, inks[column % 4]))
    return patches


def panel(
    width: float,
    height: float,
    at: Vector3,
    rotation: tuple[float, float, float, float],
    random: Random,
    class_name: str | None = None,
) -> Sequence[Solid]:
    """A lit screen whose face looks along the turned +x, its top along the turned z."""
    axes = matrix_of(rotation)
    solids = []
    for depth, (across, up, wide, tall, colour) in enumerate(_screen(width, height, random)):
        place = np.array(at) + axes @ np.array([0.0004 * (depth + 1), across, up])
        x, y, z = place.tolist()
        thin = (0.0006, wide, tall)
        solids.append(
            block(thin, (x, y, z), colour, rotation, glow=0.85, gloss=0.0, class_name=class_name)
        )
    return solids
