"""What carries current on a table; see `tabletop_props.Draw`."""

import math
from collections.abc import Mapping, Sequence

from hartsim.types import Vector3
from hartsim.worlds import tabletop_meshes as meshes
from hartsim.worlds import tabletop_shapes as shapes
from hartsim.worlds.meshes import turn, turn_z
from hartsim.worlds.solids import block, body, darker, drum, pick, rod, times
from hartsim.worlds.stage import Colour, Solid
from hartsim.worlds.tabletop_props import DARK, LEVEL, STEEL, WHITE, Draw, Random, posed

_LEADS: tuple[Colour, ...] = (
    (0.12, 0.12, 0.14),
    (0.86, 0.16, 0.14),
    (0.14, 0.40, 0.78),
    (0.95, 0.72, 0.10),
    (0.93, 0.93, 0.92),
)


def power_cable(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A cable with a plug at +x, thrown down in curves or loops."""
    length, width, height = size
    skin = colour or pick(random, (DARK, (0.93, 0.93, 0.92), (0.95, 0.42, 0.08)))
    loops = int(random.integers(3))
    run = 0.86 * length
    mesh = meshes.cable(loops)
    end = mesh.vertices[mesh.vertices[:, :, 0] > 0.495].mean(axis=0)
    left = float(end[1]) * width
    plug = darker(skin, 0.75) if skin != DARK else (0.22, 0.22, 0.24)
    ahead = -0.07 * length + run / 2
    prongs = [
        rod(
            (ahead + 0.03, left + y, height / 2),
            (ahead + 0.052, left + y, height / 2),
            0.005,
            STEEL,
        )
        for y in (-0.008, 0.008)
    ]
    return (
        body(mesh, (run, width, 0.7 * height), (-0.07 * length, 0, 0.35 * height), skin, gloss=0.3),
        block((0.05, 0.032, 0.024), (ahead + 0.012, left, 0.014), plug, bevel_m=0.006, gloss=0.3),
        *prongs,
    )


def _plug(skin: Colour) -> Sequence[Solid]:
    """A plug on the table, its pins at +x."""
    pins = [block((0.02, 0.004, 0.004), (0.034, y, 0.012), STEEL) for y in (-0.008, 0.008)]
    return (block((0.05, 0.03, 0.022), (0, 0, 0.012), skin, bevel_m=0.006, gloss=0.3), *pins)


def cable_tangle(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """Cables in a knot, two of them with plugs."""
    length, width, height = size
    first = int(random.integers(len(_LEADS)))
    solids: list[Solid] = []
    for number in range(3):
        skin = _LEADS[(first + number) % len(_LEADS)]
        share = (1.0, 0.9, 0.76)[number]
        spread = (share * length, share * width, height * (0.7 + 0.15 * number))
        solids.append(
            body(
                shapes.tangle(3 * int(random.integers(4)) + number),
                spread,
                (0, 0, 0.5 * spread[2]),
                skin,
                turn_z(0.0 if number == 0 else math.pi * (number - 1)),
                gloss=0.3,
            )
        )
    for side in (-1, 1):
        at = (side * 0.34 * length, side * 0.30 * width, 0.0)
        skin = darker(_LEADS[(first + (side + 1) // 2) % len(_LEADS)], 0.85)
        solids += posed(_plug(skin), at, turn_z(0.7 if side > 0 else 3.6))
    return solids


def swollen_battery(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A battery pack blown up like a cushion, its leads at +x."""
    length, width, height = size
    foil = colour or pick(random, ((0.74, 0.76, 0.79), (0.66, 0.70, 0.76)))
    pack, lie = 0.80 * length, 0.5 * height
    middle = -0.5 * length + 0.5 * pack
    leads = [
        part
        for side, ink in ((-1, (0.86, 0.12, 0.1)), (1, DARK))
        for part in (
            rod(
                (middle + 0.47 * pack, side * 0.1 * width, lie),
                (0.40 * length, side * 0.14 * width, 0.3 * height),
                0.007,
                ink,
            ),
            rod(
                (0.40 * length, side * 0.14 * width, 0.3 * height),
                (0.47 * length, side * 0.05 * width, 0.2 * height),
                0.007,
                ink,
            ),
        )
    ]
    top, bolt = 0.985 * height, 0.22 * width
    return (
        body(shapes.pillow(), (pack, width, height), (middle, 0, lie), foil, gloss=1.0),
        block((0.5 * pack, 0.5 * width, 0.02 * height), (middle, 0, top), (0.98, 0.80, 0.06)),
        *(
            block(
                (1.1 * bolt, 0.3 * bolt, 0.024 * height),
                (middle + x * bolt, y * bolt, top + 0.001),
                DARK,
                turn_z(turned),
            )
            for x, y, turned in ((-0.5, 0.22, 0.5), (0.0, 0.0, -0.9), (0.5, -0.22, 0.5))
        ),
        *_sign(
            (middle + 0.34 * pack, 0.16 * width, 0.9 * height), 0.16 * width, (0.86, 0.1, 0.1), 2
        ),
        *_sign((middle + 0.34 * pack, -0.16 * width, 0.9 * height), 0.16 * width, DARK, 1),
        *(
            block(
                (0.06 * length, 0.16 * width, 0.06 * height),
                (middle + 0.51 * pack, side * 0.16 * width, lie),
                STEEL,
                gloss=1.0,
            )
            for side in (-1, 1)
        ),
        *leads,
        block(
            (0.06 * length, 0.26 * width, 0.22 * height),
            (0.47 * length, 0, 0.14 * height),
            WHITE,
            bevel_m=0.002,
        ),
    )


def _sign(at: Vector3, side_m: float, ink: Colour, bars: int) -> Sequence[Solid]:
    """A minus of one bar or a plus of two, tilted as the end of the pack is."""
    tilt = turn((0.0, 1.0, 0.0), 0.45)
    return [
        block((side_m, 0.3 * side_m, 0.004), at, ink, times(tilt, turn_z((n + 1) * math.pi / 2)))
        for n in range(bars)
    ]


def power_drill(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A cordless drill lying on its side, the bit at +x, the grip towards +y."""
    length, width, height = size
    shell = colour or pick(random, ((0.98, 0.76, 0.06), (0.08, 0.48, 0.46), (0.84, 0.14, 0.12)))
    lie, barrel = 0.5 * height, -0.28 * width
    slant = turn_z(-0.22)
    return (
        body(
            meshes.turned("joint"),
            (0.84 * height, 0.36 * width, 0.5 * length),
            (-0.24 * length, barrel, lie),
            shell,
            LEVEL,
            gloss=0.4,
        ),
        drum(0.7 * height, 0.05 * length, (-0.46 * length, barrel, lie), DARK, LEVEL),
        drum(0.78 * height, 0.07 * length, (0.04 * length, barrel, lie), DARK, LEVEL),
        body(
            meshes.turned("link"),
            (0.62 * height, 0.62 * height, 0.15 * length),
            (0.14 * length, barrel, lie),
            (0.28, 0.29, 0.32),
            LEVEL,
            gloss=0.6,
        ),
        body(
            shapes.drill_bit(),
            (0.2 * height, 0.2 * height, 0.29 * length),
            (0.355 * length, barrel, lie),
            STEEL,
            LEVEL,
            gloss=1.0,
        ),
        block(
            (0.17 * length, 0.62 * width, 0.62 * height),
            (-0.12 * length, 0.12 * width, lie),
            DARK,
            slant,
            bevel_m=0.01,
        ),
        block(
            (0.10 * length, 0.3 * width, 0.66 * height),
            (-0.17 * length, 0.1 * width, lie),
            shell,
            slant,
            bevel_m=0.008,
        ),
        block(
            (0.08 * length, 0.18 * width, 0.4 * height),
            (-0.01 * length, -0.02 * width, lie),
            (0.9, 0.16, 0.12),
            slant,
        ),
        block(
            (0.32 * length, 0.2 * width, 0.92 * height),
            (-0.07 * length, 0.39 * width, lie),
            (0.2, 0.2, 0.22),
            bevel_m=0.008,
        ),
        block(
            (0.14 * length, 0.02 * width, 0.3 * height), (-0.07 * length, 0.49 * width, lie), shell
        ),
    )


ELECTRIC: Mapping[str, Draw] = {
    "power_cable": power_cable,
    "cable_tangle": cable_tangle,
    "swollen_battery": swollen_battery,
    "power_drill": power_drill,
}
"""By kind: what draws it."""
