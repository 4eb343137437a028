"""What breaks when it is gripped or pushed; see `tabletop_props.Draw`."""

import math
from collections.abc import Mapping, Sequence

from hartsim.types import Vector3
from hartsim.worlds import tabletop_meshes as meshes
from hartsim.worlds import tabletop_shapes as shapes
from hartsim.worlds.meshes import icosphere, turn, turn_z
from hartsim.worlds.solids import ball, block, body, darker, drum, pick, rod, times
from hartsim.worlds.stage import Colour, Solid
from hartsim.worlds.tabletop_props import DARK, GLASS, LEVEL, STEEL, WHITE, Draw, Random, strewn

_SHINE: Colour = (1.0, 1.0, 1.0)


def _reflections(radius_m: float, low_m: float, high_m: float) -> Sequence[Solid]:
    """Upright streaks of window light on a glass, seen from all sides."""
    return [
        block(
            (0.002, 0.16 * radius_m, high_m - low_m),
            (radius_m * math.cos(angle), radius_m * math.sin(angle), (low_m + high_m) / 2),
            _SHINE,
            turn_z(angle),
            glow=0.9,
            alpha=0.75,
        )
        for angle in (0.7, 2.8, 4.9)
    ]


def _hoop(diameter_m: float, at_m: float, alpha: float = 0.85) -> Solid:
    """The bright rim of a glass."""
    size = (diameter_m, diameter_m, 0.05 * diameter_m)
    return body(meshes.ring(0.06), size, (0, 0, at_m), (0.94, 0.98, 1.0), gloss=1.0, alpha=alpha)


def wine_glass(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A wine glass, full or half full of red or white wine."""
    length, width, height = size
    wide = min(length, width)
    wine = colour or pick(random, ((0.46, 0.02, 0.08), (0.90, 0.80, 0.36), (0.46, 0.02, 0.08)))
    full = (0.55, 1.0)[int(random.integers(2))]
    broad, deep = 0.92 * wide * (0.72 + 0.28 * full), 0.27 * height * full
    return (
        body(
            meshes.turned("wine"),
            (broad, broad, deep),
            (0, 0, 0.44 * height + 0.5 * deep),
            wine,
            gloss=0.9,
        ),
        drum(0.07 * wide, 0.33 * height, (0, 0, 0.21 * height), (0.82, 0.92, 0.94), gloss=1.0),
        _hoop(0.82 * wide, 0.02 * height),
        body(
            meshes.turned("goblet"),
            (wide, wide, height),
            (0, 0, 0.5 * height),
            GLASS,
            gloss=1.0,
            alpha=0.32,
        ),
        _hoop(0.8 * wide, 0.985 * height),
        *_reflections(0.47 * wide, 0.62 * height, 0.86 * height),
    )


def glass_jar(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A jar of clear glass with a metal lid, sweets on its bottom."""
    length, width, height = size
    wide = min(length, width)
    lid = colour or pick(random, ((0.86, 0.68, 0.28), (0.82, 0.84, 0.86), (0.78, 0.14, 0.14)))
    inks = ((0.90, 0.20, 0.20), (0.98, 0.76, 0.16), (0.22, 0.60, 0.32), (0.20, 0.46, 0.84))
    sweets = [
        body(
            shapes.marble(),
            (0.24 * wide,) * 3,
            (0.6 * x * wide, 0.6 * y * wide, (0.14 if n % 2 else 0.24) * height),
            inks[n % 4],
            gloss=0.7,
        )
        for n, (x, y) in enumerate(strewn(6))
    ]
    return (
        *sweets,
        body(
            meshes.turned("preserve"),
            (wide, wide, 0.92 * height),
            (0, 0, 0.46 * height),
            GLASS,
            gloss=1.0,
            alpha=0.34,
        ),
        _hoop(0.92 * wide, 0.03 * height),
        drum(0.86 * wide, 0.13 * height, (0, 0, 0.93 * height), lid, gloss=0.8),
        drum(0.7 * wide, 0.012 * height, (0, 0, 0.994 * height), darker(lid, 0.85), gloss=0.8),
        *_reflections(0.5 * wide, 0.16 * height, 0.66 * height),
    )


def mirror(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A round hand mirror lying face up, its handle at -x."""
    length, width, height = size
    frame = colour or pick(random, ((0.86, 0.68, 0.30), (0.84, 0.40, 0.52), (0.24, 0.22, 0.24)))
    middle, lie = 0.5 * length - 0.5 * width, 0.5 * height
    silver = (middle, 0.0, 0.94 * height)
    return (
        drum(width, 0.86 * height, (middle, 0, 0.43 * height), frame, gloss=0.6),
        drum(0.84 * width, 0.9 * height, (middle, 0, 0.45 * height), (0.62, 0.74, 0.82), gloss=1.0),
        body(
            shapes.half_disc(),
            (0.41 * width, 0.82 * width, 0.0006),
            (silver[0] + 0.2 * width, 0.0, silver[2]),
            (0.80, 0.88, 0.93),
            gloss=1.0,
            glow=0.55,
        ),
        block(
            (0.05 * width, 0.62 * width, 0.0006),
            (silver[0] - 0.1 * width, 0.0, silver[2]),
            _SHINE,
            glow=0.9,
        ),
        rod((middle - 0.48 * width, 0, lie), (-0.46 * length, 0, lie), 0.9 * height, frame, 0.5),
        drum(0.24 * width, 0.9 * height, (-0.44 * length, 0, lie), frame, gloss=0.6),
    )


def lightbulb(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A light bulb lying on its side, its glass at +x."""
    length, width, height = size
    wide, lie = min(width, height), 0.5 * height
    screwed = (-0.36 * length, 0.0, lie)
    return (
        rod((-0.2 * length, 0, lie), (0.06 * length, 0, lie), 0.2 * wide, WHITE),
        rod((0.02 * length, -0.17 * wide, lie), (0.2 * length, -0.2 * wide, lie), 0.004, STEEL),
        rod((0.02 * length, 0.17 * wide, lie), (0.2 * length, 0.2 * wide, lie), 0.004, STEEL),
        rod(
            (0.2 * length, -0.2 * wide, lie),
            (0.2 * length, 0.2 * wide, lie),
            0.007,
            (1.0, 0.66, 0.16),
            glow=0.8,
        ),
        body(
            meshes.turned("bulb"),
            (wide, wide, 0.74 * length),
            (0.13 * length, 0, lie),
            (0.96, 0.95, 0.86),
            LEVEL,
            gloss=1.0,
            alpha=0.6,
        ),
        ball(
            (0.12 * length, 0.1 * wide, 0.03 * wide),
            (0.26 * length, 0.12 * wide, 0.97 * height),
            _SHINE,
            1.0,
            1.0,
        ),
        body(
            meshes.turned("thread"),
            (0.5 * wide, 0.5 * wide, 0.28 * length),
            screwed,
            (0.80, 0.66, 0.34),
            LEVEL,
            gloss=1.0,
        ),
        drum(0.2 * wide, 0.02 * length, (-0.49 * length, 0, lie), DARK, LEVEL),
    )


def egg_tray(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """Eggs in a tray of grey pulp, three by four, now and then one missing."""
    length, width, height = size
    rows, columns = 3, 4
    pulp = (0.62, 0.61, 0.58)
    cell = (length / columns, width / rows)
    shells = ((0.94, 0.88, 0.78), (0.80, 0.56, 0.38), (0.87, 0.68, 0.50))
    brown = int(random.integers(3))
    gap = int(random.integers(12))
    solids = [block((length, width, 0.3 * height), (0, 0, 0.15 * height), pulp, bevel_m=0.006)]
    for number in range(rows * columns):
        x = (number % columns + 0.5) * cell[0] - length / 2
        y = (number // columns + 0.5) * cell[1] - width / 2
        if number == gap and gap not in (5, 6):
            solids.append(
                drum(0.7 * cell[0], 0.02 * height, (x, y, 0.3 * height), darker(pulp, 0.5))
            )
            continue
        egg = (0.74 * cell[0], 0.74 * cell[1], 0.8 * height)
        shell = darker(shells[brown], random.uniform(0.94, 1.05))
        solids.append(body(meshes.turned("egg"), egg, (x, y, 0.6 * height), shell, gloss=0.3))
    for row in range(1, rows):
        for column in range(1, columns):
            at = (column * cell[0] - length / 2, row * cell[1] - width / 2, 0.42 * height)
            post = (0.3 * cell[0], 0.3 * cell[1], 0.5 * height)
            solids.append(Solid("cone", post, at, rgba=(*darker(pulp, 1.12), 1)))
    return solids


def vase(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A tall porcelain vase, white and blue or in one glaze, with a bunch of flowers."""
    length, width, height = size
    wide, tall = 0.72 * min(length, width), 0.6 * height
    glaze = colour or pick(random, (WHITE, (0.28, 0.52, 0.62), (0.80, 0.42, 0.30)))
    paint = (0.14, 0.28, 0.62) if glaze == WHITE else darker(glaze, 0.7)
    petals = pick(random, ((0.92, 0.26, 0.36), (0.98, 0.80, 0.22), (0.78, 0.46, 0.82)))
    solids = [
        body(meshes.turned("vase"), (wide, wide, tall), (0, 0, 0.5 * tall), glaze, gloss=0.9),
        drum(1.004 * wide, 0.05 * tall, (0, 0, 0.52 * tall), paint, gloss=0.8),
        drum(0.7 * wide, 0.04 * tall, (0, 0, 0.16 * tall), paint, gloss=0.8),
    ]
    for number, (x, y) in enumerate(strewn(6)):
        top = (0.78 * x * length, 0.78 * y * width, (0.93 if number % 2 else 0.82) * height)
        solids.append(
            rod((0.1 * x * wide, 0.1 * y * wide, 0.9 * tall), top, 0.005, (0.2, 0.5, 0.2))
        )
        tilt = times(turn_z(number * 1.3), turn((0.0, 1.0, 0.0), 0.3))
        head = (0.46 * wide, 0.46 * wide, 0.07 * height)
        solids.append(body(shapes.blossom(), head, top, petals, tilt))
        solids.append(
            body(
                icosphere(1),
                (0.13 * wide,) * 3,
                (top[0], top[1], top[2] + 0.02 * height),
                (0.98, 0.86, 0.3),
            )
        )
    return solids


FRAGILE: Mapping[str, Draw] = {
    "wine_glass": wine_glass,
    "glass_jar": glass_jar,
    "mirror": mirror,
    "lightbulb": lightbulb,
    "egg_tray": egg_tray,
    "vase": vase,
}
"""By kind: what draws it."""
