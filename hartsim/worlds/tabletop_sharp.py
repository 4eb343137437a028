"""What cuts or pricks on a table; see `tabletop_props.Draw`."""

import math
from collections.abc import Mapping, Sequence

from hartsim.types import Vector3
from hartsim.worlds import tabletop_meshes as meshes
from hartsim.worlds import tabletop_shapes as shapes
from hartsim.worlds.meshes import turn, turn_z
from hartsim.worlds.solids import block, body, darker, drum, pick, rod, times
from hartsim.worlds.stage import Colour, Solid
from hartsim.worlds.tabletop_props import (
    BRASS,
    CERAMICS,
    DARK,
    LEVEL,
    STEEL,
    WHITE,
    WOOD,
    Draw,
    Random,
    strewn,
    toned,
)


def knife(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A kitchen knife, tip at +x."""
    length, width, height = size
    grip = colour or pick(
        random, (DARK, (0.42, 0.26, 0.15), (0.70, 0.15, 0.15), (0.16, 0.30, 0.46))
    )
    rivets = [
        drum(0.007, height * 1.02, (-length * x, 0, height * 0.5), STEEL, gloss=0.8)
        for x in (0.43, 0.33, 0.23)
    ]
    blade = (0.60 * length, width, 0.14 * height)
    at = (0.2 * length, 0, 0.45 * height)
    return (
        body(meshes.slab("knife_blade"), blade, at, (0.70, 0.74, 0.79), gloss=1.0),
        block(
            (0.035 * length, 0.7 * width, 0.8 * height),
            (-0.115 * length, 0, 0.5 * height),
            STEEL,
            bevel_m=0.002,
            gloss=0.9,
        ),
        body(
            meshes.slab("knife_handle"),
            (0.38 * length, 0.82 * width, height),
            (-0.31 * length, 0, 0.5 * height),
            grip,
            gloss=0.4,
        ),
        *rivets,
    )


def scissors(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """Scissors lying half open, tips at +x."""
    length, width, height = size
    grip = colour or pick(random, ((0.85, 0.18, 0.16), (0.95, 0.45, 0.10), (0.12, 0.40, 0.70)))
    pivot = (0.06 * length, 0.0)
    solids = []
    for side in (-1, 1):
        opening = side * 0.2
        reach = 0.46 * length
        tip = (pivot[0] + 0.5 * reach * math.cos(opening), 0.5 * reach * math.sin(opening))
        tilt = turn_z(opening) if side > 0 else times(turn_z(opening), turn((1, 0, 0), math.pi))
        blade = (reach, 0.17 * width, 0.25 * height)
        at = (tip[0], tip[1], (0.5 + 0.15 * side) * height)
        solids.append(body(meshes.slab("scissor_blade"), blade, at, STEEL, tilt, gloss=1.0))
        ring = (-0.36 * length, -side * 0.29 * width, height / 2)
        neck = (-0.24 * length, -side * 0.19 * width, height / 2)
        solids.append(rod((*pivot, height / 2), neck, 0.62 * height, grip, gloss=0.5))
        size_of_ring = (0.30 * length, 0.46 * width, height)
        solids.append(body(meshes.ring(0.2), size_of_ring, ring, grip, turn_z(side * 0.35), 0.5))
    solids.append(drum(0.012, height * 1.05, (*pivot, height / 2), (0.6, 0.6, 0.62), gloss=0.9))
    return solids


def broken_glass(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """The foot of a tumbler among its splinters."""
    length, width, height = size
    glass = colour or (0.62, 0.84, 0.86)
    foot = min(width, length) * 0.36
    at = (-0.14 * length, 0.12 * width, 0.5 * height)
    solids = [
        body(meshes.broken_tumbler(), (foot, foot, height), at, glass, gloss=1.0, alpha=0.55),
        body(meshes.ring(0.1), (foot, foot, 0.005), (*at[:2], 0.004), (0.96, 1, 1), gloss=1.0),
    ]
    for number in range(13):
        radius, angle = 0.42 * math.sqrt(random.uniform(0.06, 1)), number * 2.4
        place = (radius * length * math.cos(angle), radius * width * math.sin(angle), 0.008)
        big = random.uniform(0.10, 0.22) * width
        tilt = turn((math.cos(angle), math.sin(angle), 0.0), random.uniform(-0.25, 0.25))
        pose = times(tilt, turn_z(random.uniform(0, 6.3)))
        tone = glass if number % 3 else (0.95, 0.99, 1.0)
        splinter = (1.25 * big, big, 0.006)
        solids.append(
            body(meshes.shard(number % 7), splinter, place, tone, pose, gloss=1.0, alpha=0.78)
        )
    return solids


def broken_plate(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """The pieces of a plate, still nearly in their places, with a rim in another colour."""
    length, width, height = size
    glaze = colour or pick(random, CERAMICS)
    rim = WHITE if glaze != CERAMICS[0] else CERAMICS[1]
    colours = {"glaze": glaze, "rim": rim}
    mesh = shapes.smashed_plate(int(random.integers(6)))
    solids = [toned(mesh, size, (0, 0, 0.5 * height), colours, gloss=0.7)]
    for number, (x, y) in enumerate(strewn(9)):
        chip = (0.08 * length, 0.05 * width, 0.2 * height)
        at = (0.8 * x * length, 0.8 * y * width, 0.25 * height)
        solids.append(body(meshes.shard(number), chip, at, glaze, turn_z(2.0 * number), gloss=0.7))
    return solids


def cleaver(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A butcher's cleaver, its broad blade at +x."""
    length, width, height = size
    grip = colour or pick(random, (WOOD, DARK))
    blade, lie = (0.58 * length, 0.98 * width, 0.2 * height), 0.5 * height
    at = (0.21 * length, 0.0, lie)
    rivets = [
        drum(0.009, 1.04 * height, (x * length, 0.3 * width, lie), STEEL, gloss=0.8)
        for x in (-0.44, -0.3, -0.16)
    ]
    return (
        body(meshes.slab("cleaver"), blade, at, (0.74, 0.77, 0.81), gloss=1.0),
        block(
            (0.57 * length, 0.12 * width, 0.22 * height),
            (0.205 * length, -0.43 * width, lie),
            (0.92, 0.94, 0.96),
            gloss=1.0,
        ),
        drum(0.12 * width, 0.24 * height, (0.43 * length, 0.33 * width, lie), DARK),
        block(
            (0.42 * length, 0.3 * width, height),
            (-0.29 * length, 0.3 * width, lie),
            grip,
            bevel_m=0.3 * height,
            gloss=0.3,
        ),
        *rivets,
    )


def box_cutter(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A snap-off knife, its blade out at +x."""
    length, width, height = size
    shell = colour or pick(random, ((0.98, 0.80, 0.06), (0.95, 0.38, 0.06), (0.85, 0.12, 0.12)))
    lie, thin = 0.5 * height, 0.1 * height
    scores = [
        block(
            (0.006 * length, 0.62 * width, thin * 1.3),
            (x * length, 0, lie),
            (0.45, 0.48, 0.52),
            turn_z(-0.45),
        )
        for x in (0.26, 0.31, 0.36, 0.41)
    ]
    ribs = [
        block((0.012 * length, 0.96 * width, 0.86 * height), (x * length, 0, 0.43 * height), DARK)
        for x in (-0.44, -0.41, -0.38)
    ]
    return (
        body(
            meshes.rounded_slab(5.0),
            (0.7 * length, width, 0.84 * height),
            (-0.15 * length, 0, 0.42 * height),
            shell,
            gloss=0.5,
        ),
        body(
            meshes.slab("snap_blade"),
            (0.36 * length, 0.58 * width, thin),
            (0.32 * length, 0, lie),
            (0.86, 0.88, 0.91),
            gloss=1.0,
        ),
        block(
            (0.5 * length, 0.22 * width, 0.1 * height),
            (-0.1 * length, 0, 0.82 * height),
            (0.30, 0.31, 0.34),
        ),
        block(
            (0.1 * length, 0.5 * width, 0.3 * height),
            (0.04 * length, 0, 0.84 * height),
            DARK,
            bevel_m=0.002,
        ),
        *scores,
        *ribs,
    )


def razor_blade(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A double-edged razor blade with its slots."""
    length, width, height = size
    top, hole = height, (0.16, 0.17, 0.19)
    edges = [
        block(
            (0.86 * length, 0.12 * width, 0.2 * height),
            (0, y * width, top),
            (0.96, 0.97, 0.99),
            gloss=1.0,
        )
        for y in (-0.43, 0.43)
    ]
    rounds = [
        drum(0.24 * width, 0.24 * height, (x * length, 0, top), hole) for x in (-0.26, 0.0, 0.26)
    ]
    return (
        body(
            meshes.slab("razor"),
            (length, width, height),
            (0, 0, 0.5 * height),
            (0.66, 0.69, 0.74),
            gloss=1.0,
        ),
        *edges,
        block((0.74 * length, 0.09 * width, 0.22 * height), (0, 0, top), hole),
        *rounds,
    )


def saw_blade(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """The blade of a circular saw."""
    length, width, height = size
    paint = colour or pick(random, ((0.82, 0.12, 0.12), (0.10, 0.36, 0.66), (0.95, 0.62, 0.06)))
    wide, lie = min(length, width), 0.5 * height
    slots = [
        block(
            (0.1 * wide, 0.012 * wide, 0.68 * height),
            (0.36 * wide * math.cos(angle), 0.36 * wide * math.sin(angle), lie),
            DARK,
            turn_z(angle + 0.5),
        )
        for angle in (0.4 + n * math.pi / 2 for n in range(4))
    ]
    rings = [
        drum(share * wide, (0.72 + 0.07 * n) * height, (0, 0, lie), ink, gloss=0.3)
        for n, (share, ink) in enumerate(((0.46, paint), (0.3, WHITE), (0.2, STEEL), (0.1, DARK)))
    ]
    disc = (length, width, 0.6 * height)
    return (body(shapes.saw_disc(22), disc, (0, 0, lie), STEEL, gloss=1.0), *slots, *rings)


def syringe(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A syringe with something in it, its needle at +x."""
    length, width, height = size
    content = colour or pick(random, ((0.80, 0.10, 0.12), (0.20, 0.55, 0.85), (0.95, 0.70, 0.15)))
    lie, wide = 0.5 * height, 0.78 * height
    marks = [
        block((0.004, 0.4 * wide, 0.001), (x * length, 0, lie + 0.5 * wide), DARK)
        for x in (-0.1, -0.05, 0.0, 0.05, 0.1, 0.15)
    ]
    clear = (0.86, 0.93, 0.96)
    barrel = (wide, wide, 0.42 * length)
    return (
        drum(0.8 * wide, 0.24 * length, (0.08 * length, 0, lie), content, LEVEL, gloss=0.6),
        drum(0.86 * wide, 0.03 * length, (-0.05 * length, 0, lie), DARK, LEVEL),
        body(meshes.turned("band"), barrel, (0.0, 0, lie), clear, LEVEL, gloss=1.0, alpha=0.3),
        *marks,
        block((0.02 * length, width, 0.9 * height), (-0.21 * length, 0, lie), WHITE, bevel_m=0.002),
        rod((-0.45 * length, 0, lie), (-0.06 * length, 0, lie), 0.34 * wide, WHITE),
        drum(0.9 * height, 0.022 * length, (-0.485 * length, 0, lie), WHITE, LEVEL),
        drum(0.42 * wide, 0.07 * length, (0.24 * length, 0, lie), (0.95, 0.48, 0.10), LEVEL),
        rod((0.26 * length, 0, lie), (0.49 * length, 0, lie), 0.0034, STEEL, gloss=1.0),
    )


def scattered_screws(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A handful of screws, most lying, some on their heads."""
    length, width, height = size
    solids = []
    for number, (x, y) in enumerate(strewn(13)):
        metal = BRASS if random.integers(3) == 0 else (0.72, 0.74, 0.78)
        long = (0.052, 0.044, 0.06)[number % 3]
        wide = 0.9 * height
        heading = turn_z(number * 2.0 + random.uniform(-0.4, 0.4))
        at = (x * (length - long), y * (width - long), 0.5 * wide)
        colours = {"metal": metal, "slot": darker(metal, 0.35)}
        pose = times(heading, LEVEL)
        solids.append(toned(shapes.screw(), (wide, wide, long), at, colours, pose, gloss=1.0))
    return solids


def nails(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A heap of steel nails, crossing each other."""
    length, width, height = size
    solids = []
    for number, (x, y) in enumerate(strewn(19)):
        long, wide = (0.075, 0.065, 0.085)[number % 3], 0.5 * height
        metal = pick(random, ((0.62, 0.65, 0.70), (0.75, 0.77, 0.80), (0.50, 0.44, 0.40)))
        heading = turn_z(number * 1.1 + random.uniform(-0.5, 0.5))
        lift = (0.5 if number % 2 else 1.4) * wide
        at = (x * (length - long), y * (width - long), lift)
        pose = times(heading, LEVEL)
        solids.append(body(shapes.nail(), (wide, wide, long), at, metal, pose, gloss=1.0))
    return solids


def drawing_pins(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """Coloured pins with grips, lying about."""
    length, width, height = size
    inks = ((0.88, 0.14, 0.14), (0.12, 0.42, 0.80), (0.98, 0.80, 0.10), (0.16, 0.62, 0.30))
    long = 2.0 * height
    solids = []
    for number, (x, y) in enumerate(strewn(13)):
        at = (x * (length - long), y * (width - long), 0.5 * height)
        colours = {"head": inks[(number + int(random.integers(2))) % 4], "metal": STEEL}
        pose = times(turn_z(number * 2.6), LEVEL)
        pin = (height, height, long)
        solids.append(toned(shapes.push_pin(), pin, at, colours, pose, gloss=0.8))
    return solids


SHARP: Mapping[str, Draw] = {
    "knife": knife,
    "scissors": scissors,
    "broken_glass": broken_glass,
    "broken_plate": broken_plate,
    "cleaver": cleaver,
    "box_cutter": box_cutter,
    "razor_blade": razor_blade,
    "saw_blade": saw_blade,
    "syringe": syringe,
    "scattered_screws": scattered_screws,
    "nails": nails,
    "drawing_pins": drawing_pins,
}
"""By kind: what draws it."""
