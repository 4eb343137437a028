"""What burns: cookers, hot tools and flames; see `tabletop_props.Draw`."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise

from hartsim.types import Vector3
from hartsim.worlds import tabletop_meshes as meshes
from hartsim.worlds import tabletop_shapes as shapes
from hartsim.worlds.meshes import turn_z
from hartsim.worlds.solids import along, ball, block, body, darker, drum, pick, rod
from hartsim.worlds.stage import Colour, Solid
from hartsim.worlds.tabletop_props import (
    BRASS,
    DARK,
    LEVEL,
    STEEL,
    WHITE,
    WOOD,
    Draw,
    Random,
    between,
)

GLOWS: Mapping[str, tuple[Colour, float]] = {
    "hot_plate": ((0.75, 0.24, 0.06), 0.30),
    "hot_pan": ((0.60, 0.18, 0.04), 0.48),
    "candle": ((0.70, 0.46, 0.18), 0.60),
    "gas_burner": ((0.14, 0.34, 0.90), 0.46),
    "soldering_iron": ((0.40, 0.14, 0.04), 0.12),
}
"""By kind: the colour of the light that it throws on what is near, and how far in metres."""


def _steam(at: Vector3, size: Vector3, count: int, alpha: float = 0.3) -> Sequence[Solid]:
    """Curls of steam side by side, their lowest points round `at`, within `size`."""
    wide, deep, tall = size
    return [
        body(
            shapes.wisp(),
            (0.9 * wide / count, 0.6 * wide / count, tall * (1.0 if n % 2 else 0.84)),
            (
                at[0] + wide * ((n + 0.5) / count - 0.5),
                at[1] + deep * (0.5 * (n % 2) - 0.25),
                at[2] + 0.5 * tall,
            ),
            (0.92, 0.94, 0.96),
            turn_z(0.5 * n),
            alpha=alpha,
        )
        for n in range(count)
    ]


def hot_plate(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A portable cooker with a glowing element; its knob faces +x."""
    length, width, height = size
    shell = colour or pick(random, ((0.90, 0.90, 0.88), (0.22, 0.23, 0.25), (0.62, 0.64, 0.66)))
    plate = 0.76 * min(length, width)
    top = 0.80 * height
    knob = (0.455 * length, -0.24 * width, 0.42 * height)
    feet = [
        drum(0.03, 0.2 * height, (x * 0.36 * length, y * 0.36 * width, 0.1 * height), DARK)
        for x in (-1, 1)
        for y in (-1, 1)
    ]
    return (
        block(
            (0.92 * length, width, 0.64 * height),
            (0, 0, 0.46 * height),
            shell,
            bevel_m=0.012,
            gloss=0.5,
        ),
        drum(1.14 * plate, 0.05 * height, (0, 0, top), STEEL, gloss=0.9),
        drum(
            1.04 * plate, 0.06 * height, (0, 0, top + 0.02 * height), (0.20, 0.07, 0.05), glow=0.25
        ),
        body(
            meshes.coil(),
            (plate, plate, 0.18 * height),
            (0, 0, 0.91 * height),
            (1.0, 0.36, 0.08),
            glow=1.0,
        ),
        drum(0.034, 0.02, knob, DARK, LEVEL, gloss=0.4),
        block((0.022, 0.005, 0.006), knob, WHITE),
        ball((0.012,) * 3, (0.46 * length, 0.1 * width, knob[2]), (1.0, 0.2, 0.1), glow=1.0),
        *feet,
    )


def hot_pan(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A frying pan whose bottom glows, steam above it; its handle points to -x."""
    length, width, height = size
    iron = colour or pick(random, ((0.12, 0.12, 0.13), (0.62, 0.16, 0.12), (0.40, 0.42, 0.45)))
    deep, reach = 0.05, 0.5 * length - 0.5 * width
    grip = pick(random, (DARK, WOOD))
    rim = (reach - 0.47 * width, 0.0, 0.8 * deep)
    end = (-0.47 * length, 0.0, 1.5 * deep)
    return (
        body(meshes.turned("pan"), (width, width, deep), (reach, 0, 0.5 * deep), iron, gloss=0.5),
        drum(0.76 * width, 0.004, (reach, 0, 0.24 * deep), (0.62, 0.08, 0.03), glow=0.7),
        drum(0.56 * width, 0.005, (reach, 0, 0.24 * deep), (0.88, 0.20, 0.04), glow=0.8),
        drum(0.30 * width, 0.006, (reach, 0, 0.24 * deep), (1.0, 0.42, 0.10), glow=1.0),
        rod(rim, (-0.2 * length, 0, 1.2 * deep), 0.016, STEEL, gloss=0.8),
        rod((-0.17 * length, 0, 1.22 * deep), end, 0.03, grip, gloss=0.4),
        *_steam((reach, 0, 0.6 * deep), (0.6 * width, 0.3 * width, height - 0.6 * deep), 3),
    )


def kettle(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A kettle on the boil, its spout and its steam at +x."""
    length, width, height = size
    shell = colour or pick(random, (STEEL, (0.80, 0.14, 0.12), (0.16, 0.36, 0.52)))
    wide, tall = 0.98 * width, 0.62 * height
    middle = -0.5 * length + 0.5 * wide
    foot, mouth = (middle + 0.3 * wide, 0.0, 0.4 * tall), (0.36 * length, 0.0, 0.92 * tall)
    slope = along((mouth[0] - foot[0], 0.0, mouth[2] - foot[2]))
    spout_long = math.hypot(mouth[0] - foot[0], mouth[2] - foot[2])
    arch = (0.72 * wide, 0.026, 0.4 * height)
    return (
        body(
            meshes.turned("kettle"),
            (wide, wide, tall),
            (middle, 0, 0.5 * tall),
            shell,
            gloss=0.9,
        ),
        drum(0.92 * wide, 0.05 * height, (middle, 0, 0.03 * height), darker(STEEL, 0.6), gloss=0.6),
        body(
            meshes.turned("spout"),
            (0.26 * wide, 0.26 * wide, 1.1 * spout_long),
            between(foot, mouth),
            shell,
            slope,
            gloss=0.9,
        ),
        ball((0.14 * wide,) * 3, (middle, 0, 1.05 * tall), DARK, gloss=0.6),
        body(shapes.handle_arch(), arch, (middle, 0, 0.8 * height), DARK, gloss=0.4),
        *_steam(
            (0.41 * length, 0, 0.94 * tall),
            (0.17 * length, 0.2 * width, height - 0.94 * tall),
            3,
            0.4,
        ),
    )


def gas_burner(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A camping stove with a ring of blue flames; its knob faces +x."""
    length, width, height = size
    shell = colour or pick(random, (STEEL, (0.20, 0.46, 0.32), (0.30, 0.32, 0.35)))
    base, ring = 0.5 * height, 0.27 * min(length, width)
    flames = []
    for number in range(14):
        angle = number * math.pi / 7
        at = (ring * math.cos(angle), ring * math.sin(angle), base + 0.26 * height)
        flames += [
            body(
                meshes.turned("jet"),
                (0.030, 0.030, 0.40 * height),
                at,
                (0.12, 0.42, 1.0),
                glow=1.0,
                alpha=0.85,
            ),
            body(
                meshes.turned("jet"),
                (0.016, 0.016, 0.22 * height),
                (at[0], at[1], base + 0.16 * height),
                (0.70, 0.90, 1.0),
                glow=1.0,
            ),
        ]
    arms = [
        block(
            (0.40 * min(length, width), 0.012, 0.10 * height),
            (
                0.25 * width * math.cos(angle),
                0.25 * width * math.sin(angle),
                base + 0.44 * height,
            ),
            DARK,
            turn_z(angle),
        )
        for angle in (math.pi / 4 + n * math.pi / 2 for n in range(4))
    ]
    feet = [
        block(
            (0.014, 0.014, 0.5 * height),
            (0.42 * width * math.cos(angle), 0.42 * width * math.sin(angle), base + 0.24 * height),
            DARK,
        )
        for angle in (math.pi / 4 + n * math.pi / 2 for n in range(4))
    ]
    return (
        block((0.95 * length, width, base), (0, 0, 0.5 * base), shell, bevel_m=0.012, gloss=0.6),
        drum(0.9 * width, 0.02 * height, (0, 0, 1.01 * base), darker(STEEL, 0.55), gloss=0.7),
        drum(2.1 * ring, 0.14 * height, (0, 0, 1.08 * base), (0.22, 0.22, 0.24), gloss=0.4),
        drum(1.3 * ring, 0.18 * height, (0, 0, 1.1 * base), BRASS, gloss=0.8),
        *flames,
        *arms,
        *feet,
        drum(0.036, 0.024, (0.46 * length, -0.3 * width, 0.5 * base), DARK, LEVEL, gloss=0.4),
        block(
            (0.004, 0.26 * width, 0.4 * base),
            (0.475 * length, 0.18 * width, 0.5 * base),
            (0.9, 0.2, 0.1),
        ),
    )


def candle(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A burning candle on a saucer."""
    length, width, height = size
    wax = colour or pick(random, ((0.96, 0.92, 0.80), (0.76, 0.12, 0.14), (0.93, 0.72, 0.30)))
    wide, tall, thick = min(length, width), 0.62 * height, 0.5 * min(length, width)
    foot = 0.06 * height
    flame = (0.26 * thick, 0.26 * thick, 0.27 * height)
    drips = [
        rod(
            (0.49 * thick * math.cos(a), 0.49 * thick * math.sin(a), foot + long * tall),
            (0.49 * thick * math.cos(a), 0.49 * thick * math.sin(a), foot + 0.94 * tall),
            0.12 * thick,
            darker(wax, 1.06),
            gloss=0.5,
        )
        for a, long in ((0.4, 0.5), (1.9, 0.7), (3.3, 0.4), (5.0, 0.62))
    ]
    top = foot + tall
    return (
        body(
            meshes.turned("plate"),
            (wide, wide, 1.6 * foot),
            (0, 0, 0.8 * foot),
            (0.80, 0.64, 0.30),
            gloss=0.8,
        ),
        body(
            meshes.turned("pillar"),
            (thick, thick, tall),
            (0, 0, foot + 0.5 * tall),
            wax,
            gloss=0.3,
        ),
        drum(0.7 * thick, 0.004, (0, 0, top - 0.002), (1.0, 0.86, 0.52), glow=0.9),
        *drips,
        rod((0, 0, top), (0, 0, top + 0.05 * height), 0.006, DARK),
        body(
            meshes.turned("flame"),
            flame,
            (0, 0, top + 0.05 * height + 0.5 * flame[2]),
            (1.0, 0.62, 0.12),
            glow=1.0,
        ),
        body(
            meshes.turned("flame"),
            (1.05 * flame[0], 1.05 * flame[1], 0.55 * flame[2]),
            (0, 0, top + 0.05 * height + 0.3 * flame[2]),
            (1.0, 0.93, 0.62),
            glow=1.0,
        ),
    )


def soldering_iron(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A soldering iron in its stand, the hot tip at +x and low; a wet sponge beside it."""
    length, width, height = size
    grip = colour or pick(random, ((0.10, 0.42, 0.78), (0.95, 0.46, 0.08), (0.84, 0.14, 0.14)))
    start, tip = (-0.45 * length, 0.0, 0.88 * height), (0.47 * length, 0.0, 0.14 * height)
    on_axis = partial(between, start, tip)
    slope = along((tip[0] - start[0], 0.0, tip[2] - start[2]))
    base = (0.6 * length, width, 0.12 * height)
    cord = (
        start,
        (-0.485 * length, 0.1 * width, 0.3 * height),
        (-0.42 * length, 0.3 * width, 0.04 * height),
        (-0.14 * length, 0.46 * width, 0.04 * height),
    )
    return (
        block(base, (0.2 * length, 0, 0.06 * height), DARK, bevel_m=0.006),
        block(
            (0.2 * length, 0.8 * width, 0.06 * height),
            (0.02 * length, 0.0, 0.14 * height),
            (0.96, 0.80, 0.22),
            bevel_m=0.002,
        ),
        rod(on_axis(0.02), on_axis(0.36), 0.030, grip, gloss=0.4),
        rod(on_axis(0.34), on_axis(0.41), 0.038, DARK),
        rod(on_axis(0.41), on_axis(0.8), 0.014, STEEL, gloss=1.0),
        body(
            shapes.spring(5),
            (0.056, 0.056, 0.26 * length),
            on_axis(0.62),
            (0.78, 0.80, 0.83),
            slope,
            gloss=1.0,
        ),
        rod(on_axis(0.8), on_axis(0.96), 0.013, (1.0, 0.36, 0.06), glow=1.0),
        rod(on_axis(0.95), on_axis(1.0), 0.007, (1.0, 0.72, 0.30), glow=1.0),
        rod((0.1 * length, 0, 0.1 * height), on_axis(0.48), 0.012, (0.5, 0.52, 0.55)),
        *(rod(a, b, 0.009, DARK) for a, b in pairwise(cord)),
    )


def clothes_iron(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A steam iron standing on its hot sole, nose at +x, steam about it."""
    length, width, height = size
    shell = colour or pick(random, ((0.16, 0.42, 0.74), (0.60, 0.22, 0.56), (0.10, 0.55, 0.52)))
    tall = 0.8 * height
    hull = [
        body(
            meshes.slab("sole"),
            (share * length, share * width, deep * tall),
            (-0.5 * (1 - share) * length * 0.6, 0, at * tall),
            ink,
            gloss=0.6,
        )
        for share, deep, at, ink in (
            (1.0, 0.08, 0.04, STEEL),
            (0.96, 0.2, 0.18, WHITE),
            (0.88, 0.26, 0.4, shell),
            (0.7, 0.14, 0.57, shell),
        )
    ]
    arch = (0.66 * length, 0.2 * width, 0.46 * tall)
    knob = (0.06 * length, 0.0, 0.64 * tall)
    return (
        *hull,
        body(shapes.handle_arch(), arch, (-0.08 * length, 0, 0.77 * tall), shell, gloss=0.6),
        drum(0.24 * width, 0.08 * tall, knob, (0.95, 0.60, 0.10)),
        rod((-0.4 * length, 0, 0.6 * tall), (-0.47 * length, 0, 0.9 * tall), 0.014, DARK),
        ball((0.014,) * 3, (-0.02 * length, 0, 0.66 * tall), (1.0, 0.15, 0.1), glow=1.0),
        *_steam(
            (0.3 * length, 0, 0.3 * tall), (0.3 * length, 0.6 * width, 0.9 * height - 0.3 * tall), 2
        ),
    )


HOT: Mapping[str, Draw] = {
    "hot_plate": hot_plate,
    "hot_pan": hot_pan,
    "kettle": kettle,
    "gas_burner": gas_burner,
    "candle": candle,
    "soldering_iron": soldering_iron,
    "clothes_iron": clothes_iron,
}
"""By kind: what draws it."""
