"""The everyday things that lie about a table without a scenario asking for them.

`Piece` says what a thing is, how large and where it belongs; most are drawn here, some borrow the
catalogue's looks. All follow the conventions of `tabletop_props.Draw`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hartsim.types import Vector3
from hartsim.worlds import tabletop_meshes as meshes
from hartsim.worlds import tabletop_things as things
from hartsim.worlds.meshes import turn, turn_z
from hartsim.worlds.solids import ball, block, body, darker, drum, pick, rod, times
from hartsim.worlds.stage import Colour, Solid
from hartsim.worlds.tabletop_props import (
    CERAMICS,
    CLOTHS,
    DARK,
    STEEL,
    WHITE,
    WOOD,
    Draw,
    Random,
    band,
)

BRIGHT: tuple[Colour, ...] = (
    (0.86, 0.22, 0.18),
    (0.95, 0.62, 0.14),
    (0.16, 0.44, 0.70),
    (0.22, 0.58, 0.42),
    (0.55, 0.32, 0.60),
    (0.96, 0.80, 0.26),
)
LEAVES: tuple[Colour, ...] = ((0.25, 0.50, 0.22), (0.36, 0.58, 0.28), (0.20, 0.42, 0.30))


@dataclass(frozen=True)
class Piece:
    """One sort of clutter; `places` are the catalogue's ids of where it may lie about."""

    kind: str
    class_name: str
    size_m: Vector3
    draw: Draw
    places: frozenset[str]


def pen(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A pen or a pencil, tip at +x."""
    length, _, height = size
    ink = colour or pick(random, BRIGHT)
    lie = height / 2
    level = turn((0, 1, 0), math.pi / 2)
    tip = Solid("cone", (height, height, 0.1 * length), (0.45 * length, 0, lie), level, (*WOOD, 1))
    return (
        drum(height, 0.82 * length, (-0.01 * length, 0, lie), ink, level, gloss=0.5),
        drum(1.06 * height, 0.1 * length, (-0.45 * length, 0, lie), darker(ink, 0.6), level),
        tip,
    )


def sticky_notes(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A pad of notes with one turned askew and a scribble."""
    length, width, height = size
    paper = colour or pick(
        random, ((0.98, 0.87, 0.36), (0.98, 0.60, 0.62), (0.62, 0.86, 0.62), (0.55, 0.80, 0.94))
    )
    askew = turn_z(random.uniform(-0.3, 0.3))
    lines = [
        block(
            (0.04 * length, 0.6 * width, 0.0006), (x * length, 0, height), (0.35, 0.36, 0.42), askew
        )
        for x in (-0.2, 0.0, 0.2)
    ]
    return (
        block((length, width, 0.9 * height), (0, 0, 0.45 * height), darker(paper, 0.9)),
        block((length, width, 0.1 * height), (0, 0, 0.95 * height), paper, askew),
        *lines,
    )


def paper(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """Two printed sheets."""
    length, width, height = size
    slant = turn_z(random.uniform(-0.25, 0.25))
    lines = [
        block(
            (0.014 * length, random.uniform(0.4, 0.75) * width, 0.0005),
            ((row / 9 - 0.42) * length, 0.0, height),
            (0.52, 0.54, 0.58),
        )
        for row in range(8)
    ]
    return (
        block((length, width, 0.4 * height), (0, 0, 0.2 * height), (0.88, 0.88, 0.86), slant),
        block((length, width, 0.4 * height), (0, 0, 0.7 * height), (0.97, 0.97, 0.95)),
        block(
            (0.05 * length, 0.5 * width, 0.0006), (-0.42 * length, 0, height), (0.24, 0.40, 0.62)
        ),
        *lines[1:],
    )


def tape_roll(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A roll of adhesive tape lying flat."""
    length, width, height = size
    tape = colour or pick(random, BRIGHT)
    return (
        body(meshes.ring(0.28), (length, width, height), (0, 0, height / 2), tape, gloss=0.4),
        body(
            meshes.ring(0.2),
            (0.68 * length, 0.68 * width, 1.04 * height),
            (0, 0, height / 2),
            (0.80, 0.70, 0.54),
        ),
    )


def plant(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A small plant in a pot."""
    length, width, height = size
    clay = colour or pick(
        random, ((0.76, 0.42, 0.28), WHITE, (0.30, 0.46, 0.52), (0.90, 0.74, 0.42))
    )
    green, pot = pick(random, LEAVES), 0.42 * height
    wide = 0.62 * min(length, width)
    turned = turn_z(random.uniform(0, 6.3))
    variant = int(random.integers(6))
    return (
        body(meshes.turned("pot"), (wide, wide, pot), (0, 0, pot / 2), clay, gloss=0.2),
        drum(0.84 * wide, 0.01, (0, 0, 0.88 * pot), (0.24, 0.17, 0.12)),
        body(
            meshes.leaves(variant),
            (length, width, 0.64 * height),
            (0, 0, 0.68 * height),
            green,
            turned,
        ),
        body(
            meshes.leaves(variant + 1),
            (0.7 * length, 0.7 * width, 0.6 * height),
            (0, 0, 0.66 * height),
            darker(green, 1.25),
            turned,
        ),
    )


def jar(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A jar with a lid and a label."""
    length, width, height = size
    wide = min(length, width)
    content = colour or pick(
        random, ((0.72, 0.34, 0.16), (0.88, 0.72, 0.42), (0.46, 0.52, 0.24), (0.60, 0.14, 0.16))
    )
    lid = pick(random, (*BRIGHT[:4], WHITE))
    return (
        body(
            meshes.turned("jar"),
            (wide, wide, 0.86 * height),
            (0, 0, 0.43 * height),
            content,
            gloss=0.9,
        ),
        drum(0.94 * wide, 0.16 * height, (0, 0, 0.92 * height), lid, gloss=0.4),
        band(1.012 * wide, 0.34 * height, (0, 0, 0.42 * height), (0.95, 0.93, 0.87)),
    )


def plate(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A plate with biscuits or nothing on it."""
    length, width, height = size
    glaze = colour or pick(random, CERAMICS)
    solids = [body(meshes.turned("plate"), size, (0, 0, height / 2), glaze, gloss=0.7)]
    for number in range(int(random.integers(0, 4))):
        angle = number * 2.1 + random.uniform(0, 0.6)
        at = (0.14 * length * math.cos(angle), 0.14 * width * math.sin(angle), 0.7 * height)
        solids.append(drum(0.26 * length, 0.5 * height, at, (0.78, 0.54, 0.28)))
    return solids


def cutting_board(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A wooden board with slices of something on it."""
    length, width, height = size
    grain = colour or pick(random, ((0.74, 0.54, 0.34), (0.56, 0.36, 0.22), (0.84, 0.68, 0.48)))
    food = pick(random, ((0.86, 0.20, 0.14), (0.60, 0.76, 0.36), (0.95, 0.60, 0.18)))
    slices = [
        drum(
            0.17 * width,
            0.006,
            ((0.05 - 0.09 * i) * length, (0.1 + 0.05 * i) * width, height + 0.003 + 0.004 * i),
            food,
        )
        for i in range(4)
    ]
    return (
        body(
            meshes.rounded_slab(round(length / width, 1)),
            size,
            (0, 0, height / 2),
            grain,
            gloss=0.15,
        ),
        drum(0.09 * width, 1.05 * height, (0.42 * length, 0, height / 2), darker(grain, 0.45)),
        *slices,
    )


def lemon(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A lemon or a lime."""
    length, width, height = size
    skin = colour or pick(random, ((0.96, 0.84, 0.22), (0.96, 0.62, 0.16), (0.50, 0.70, 0.22)))
    return (
        ball((0.88 * length, width, height), (0, 0, height / 2), skin, gloss=0.4),
        ball(
            (0.3 * length, 0.34 * width, 0.34 * height),
            (0.38 * length, 0, height / 2),
            skin,
            gloss=0.4,
        ),
    )


def cloth(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A folded cloth with stripes."""
    length, width, height = size
    weave = colour or pick(random, CLOTHS)
    stripe = (0.93, 0.91, 0.86) if weave != CLOTHS[3] else (0.72, 0.26, 0.24)
    stripes = [
        block((0.05 * length, 1.002 * width, 0.5 * height), (x * length, 0, 0.76 * height), stripe)
        for x in (-0.36, -0.26, 0.36)
    ]
    return (
        block(
            (length, width, 0.5 * height), (0, 0, 0.25 * height), darker(weave, 0.88), bevel_m=0.003
        ),
        block(
            (0.97 * length, 0.97 * width, 0.5 * height), (0, 0, 0.75 * height), weave, bevel_m=0.003
        ),
        *stripes,
    )


def wood_block(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """Offcuts of wood, one across the other."""
    length, width, height = size
    grain = colour or pick(random, ((0.80, 0.62, 0.42), (0.66, 0.46, 0.28)))
    across = turn_z(random.uniform(0.3, 1.0))
    return (
        block((length, 0.6 * width, 0.5 * height), (0, 0, 0.25 * height), grain, bevel_m=0.002),
        block(
            (0.7 * length, 0.45 * width, 0.5 * height),
            (0, 0, 0.75 * height),
            darker(grain, 1.12),
            across,
            bevel_m=0.002,
        ),
    )


def wrench(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A ring spanner lying flat."""
    length, width, height = size
    lie = height / 2
    return (
        block(
            (0.72 * length, 0.42 * width, 0.7 * height),
            (0, 0, lie),
            STEEL,
            bevel_m=0.002,
            gloss=1.0,
        ),
        body(
            meshes.ring(0.3),
            (0.22 * length, width, height),
            (0.39 * length, 0, lie),
            STEEL,
            gloss=1.0,
        ),
        body(
            meshes.ring(0.3),
            (0.18 * length, 0.84 * width, height),
            (-0.41 * length, 0, lie),
            STEEL,
            gloss=1.0,
        ),
    )


def bolts(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A tin tray with nuts and bolts in it."""
    length, width, height = size
    tray = colour or pick(random, (*BRIGHT[:3], (0.62, 0.64, 0.67)))
    solids = [
        body(meshes.turned("plate"), (length, width, height), (0, 0, height / 2), tray, gloss=0.6),
    ]
    for number in range(9):
        radius, angle = 0.26 * math.sqrt((number + 0.5) / 9), number * 2.4
        at = (radius * length * math.cos(angle), radius * width * math.sin(angle), 0.62 * height)
        lying = times(turn_z(random.uniform(0, 6.3)), turn((0, 1, 0), math.pi / 2))
        tone = (0.70, 0.71, 0.73) if number % 3 else (0.80, 0.64, 0.30)
        solids.append(
            drum(
                0.08 * length,
                0.05 * length,
                at,
                tone,
                lying if number % 2 else turn_z(0),
                gloss=0.9,
            )
        )
    return solids


def flask(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A conical flask with a coloured liquid."""
    length, width, height = size
    liquid = colour or pick(
        random, ((0.20, 0.62, 0.80), (0.86, 0.30, 0.46), (0.96, 0.70, 0.20), (0.36, 0.72, 0.44))
    )
    wide = min(length, width)
    pool = (0.96 * wide, 0.96 * wide, 0.62 * height)
    return (
        body(meshes.turned("shade"), pool, (0, 0, 0.32 * height), liquid, gloss=0.9),
        body(
            meshes.turned("flask"),
            (wide, wide, height),
            (0, 0, height / 2),
            (0.86, 0.94, 0.96),
            gloss=1.0,
            alpha=0.35,
        ),
        body(
            meshes.ring(0.12),
            (0.42 * wide, 0.42 * wide, 0.03 * height),
            (0, 0, 0.98 * height),
            (0.95, 0.98, 1.0),
            gloss=1.0,
        ),
    )


def test_tubes(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A rack of test tubes."""
    length, width, height = size
    rack = colour or pick(random, (WHITE, (0.30, 0.55, 0.78), (0.95, 0.62, 0.22)))
    inks = ((0.86, 0.30, 0.46), (0.20, 0.62, 0.80), (0.96, 0.76, 0.24), (0.40, 0.74, 0.48))
    solids = [
        block((length, width, 0.08 * height), (0, 0, z * height), rack, bevel_m=0.002)
        for z in (0.05, 0.58)
    ]
    for side in (-1, 1):
        solids.append(
            block(
                (length, 0.05 * width, 0.6 * height), (0, side * 0.475 * width, 0.3 * height), rack
            )
        )
    for number in range(5):
        y = (number - 2) * 0.18 * width
        ink = inks[int(random.integers(4))]
        solids.append(
            rod((0, y, 0.16 * height), (0, y, 0.68 * height), 0.42 * length, ink, gloss=0.9)
        )
        solids.append(
            drum(0.44 * length, 0.26 * height, (0, y, 0.86 * height), (0.88, 0.95, 0.97), gloss=1.0)
        )
    return solids


def dish(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A glass dish with a culture in it."""
    length, width, height = size
    culture = colour or pick(random, ((0.90, 0.62, 0.50), (0.72, 0.82, 0.46), (0.80, 0.74, 0.92)))
    return (
        drum(0.94 * length, 0.7 * height, (0, 0, 0.4 * height), culture, gloss=0.8),
        body(
            meshes.ring(0.07),
            (length, width, height),
            (0, 0, height / 2),
            (0.90, 0.96, 0.97),
            gloss=1.0,
        ),
    )


def gloves(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A box of disposable gloves with one peeping out."""
    length, width, height = size
    card = colour or pick(random, ((0.24, 0.50, 0.76), (0.36, 0.62, 0.52)))
    return (
        block(size, (0, 0, height / 2), card, bevel_m=0.002),
        block((0.9 * length, 0.4 * width, 0.002), (0, 0, height), WHITE),
        ball((0.3 * length, 0.26 * width, 0.3 * height), (0, 0, height), (0.56, 0.70, 0.86)),
        block((0.002, 0.6 * width, 0.4 * height), (0.5 * length, 0, 0.5 * height), WHITE),
    )


def mouse(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A computer mouse on its mat, wheel at -x."""
    length, width, height = size
    shell = colour or pick(random, (DARK, (0.90, 0.90, 0.89), (0.55, 0.57, 0.60)))
    mat = pick(random, ((0.20, 0.23, 0.28), (0.26, 0.42, 0.46), (0.62, 0.36, 0.30)))
    return (
        body(meshes.rounded_slab(1.2), (length, width, 0.003), (0, 0, 0.0015), mat),
        ball(
            (0.56 * length, 0.38 * width, 1.5 * height),
            (0.02 * length, 0, 0.2 * height),
            shell,
            gloss=0.5,
        ),
        drum(
            0.06 * length,
            0.04 * width,
            (-0.14 * length, 0, 0.86 * height),
            DARK,
            turn((1, 0, 0), math.pi / 2),
        ),
    )


def pencil_pot(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A pot with pens standing in it."""
    length, width, height = size
    wide, tall = min(length, width), 0.58 * height
    glaze = colour or pick(random, CERAMICS)
    solids = [body(meshes.turned("mug"), (wide, wide, tall), (0, 0, tall / 2), glaze, gloss=0.5)]
    for number in range(5):
        angle = number * 1.3 + random.uniform(0, 0.5)
        lean = 0.3 * wide
        top = (lean * math.cos(angle), lean * math.sin(angle), height * random.uniform(0.86, 1.0))
        foot = (-0.3 * top[0], -0.3 * top[1], 0.1 * height)
        solids.append(rod(foot, top, 0.008, BRIGHT[int(random.integers(6))], gloss=0.4))
    return solids


_WORKSHOP, _KITCHEN, _LAB, _OFFICE = (
    "workshop_bench",
    "kitchen_table",
    "lab_bench",
    "office_desk",
)


def _piece(kind: str, class_name: str, size_m: Vector3, draw: Draw, *places: str) -> Piece:
    return Piece(kind, class_name, size_m, draw, frozenset(places))


PIECES: tuple[Piece, ...] = (
    _piece("pen", "other", (0.15, 0.011, 0.011), pen, _OFFICE, _LAB, _WORKSHOP),
    _piece("pen", "other", (0.14, 0.010, 0.010), pen, _OFFICE),
    _piece("sticky_notes", "other", (0.08, 0.08, 0.016), sticky_notes, _OFFICE, _LAB),
    _piece("paper", "other", (0.24, 0.17, 0.003), paper, _OFFICE, _LAB),
    _piece("tape_roll", "other", (0.09, 0.09, 0.03), tape_roll, _OFFICE, _WORKSHOP),
    _piece("plant", "vegetation", (0.16, 0.16, 0.22), plant, _OFFICE, _KITCHEN),
    _piece("jar", "container", (0.08, 0.08, 0.12), jar, _KITCHEN, _WORKSHOP),
    _piece("jar", "container", (0.07, 0.07, 0.09), jar, _KITCHEN),
    _piece("plate", "container", (0.21, 0.21, 0.02), plate, _KITCHEN),
    _piece("cutting_board", "other", (0.27, 0.18, 0.016), cutting_board, _KITCHEN),
    _piece("lemon", "food", (0.075, 0.055, 0.055), lemon, _KITCHEN),
    _piece("apple", "food", (0.08, 0.08, 0.075), things.apple, _KITCHEN, _OFFICE),
    _piece("cloth", "other", (0.20, 0.14, 0.016), cloth, _KITCHEN, _WORKSHOP),
    _piece("bowl", "container", (0.16, 0.16, 0.07), things.bowl, _KITCHEN),
    _piece("wood_block", "other", (0.17, 0.11, 0.05), wood_block, _WORKSHOP),
    _piece("wrench", "tool", (0.20, 0.04, 0.012), wrench, _WORKSHOP),
    _piece("bolts", "container", (0.11, 0.11, 0.022), bolts, _WORKSHOP),
    _piece("screwdriver", "tool", (0.21, 0.03, 0.03), things.screwdriver, _WORKSHOP),
    _piece("flask", "container", (0.10, 0.10, 0.16), flask, _LAB),
    _piece("test_tubes", "container", (0.05, 0.20, 0.13), test_tubes, _LAB),
    _piece("dish", "container", (0.09, 0.09, 0.018), dish, _LAB),
    _piece("dish", "container", (0.09, 0.09, 0.018), dish, _LAB),
    _piece("gloves", "container", (0.12, 0.22, 0.08), gloves, _LAB),
    _piece("bottle", "container", (0.08, 0.08, 0.19), things.bottle, _LAB, _KITCHEN),
    _piece("mouse", "electronics", (0.20, 0.17, 0.035), mouse, _OFFICE),
    _piece("pencil_pot", "container", (0.085, 0.085, 0.17), pencil_pot, _OFFICE, _WORKSHOP),
    _piece("mug", "container", (0.085, 0.085, 0.095), things.mug, _OFFICE, _KITCHEN, _WORKSHOP),
    _piece("book", "other", (0.21, 0.15, 0.03), things.book, _OFFICE, _LAB, _KITCHEN),
)
"""All that may lie about; a thing that is listed twice is twice as common."""


def pieces_of(place: str) -> tuple[Piece, ...]:
    """What lies about in a place."""
    return tuple(piece for piece in PIECES if place in piece.places)


def rolled(piece: Piece, random: Random) -> Vector3:
    """The size of one such piece: all differ a little."""
    length, width, height = np.array(piece.size_m) * random.uniform(0.9, 1.12)
    return (float(length), float(width), float(height))
