"""How each hazard of the catalogue looks on a table; see `tabletop_props.Draw`."""

import math
from collections.abc import Mapping, Sequence

from hartsim.types import Vector3
from hartsim.worlds import tabletop_meshes as meshes
from hartsim.worlds.meshes import turn, turn_z
from hartsim.worlds.solids import along, ball, block, body, darker, drum, pick, rod, times
from hartsim.worlds.stage import Colour, Solid
from hartsim.worlds.tabletop_props import CLOTHS, DARK, SKINS, STEEL, WHITE, Draw, Random


def _liquid(
    size: Vector3, random: Random, colour: Colour, rim: Colour, alpha: float
) -> Sequence[Solid]:
    """A pool with its reflection of the window, and drops that splashed from it."""
    length, width, height = size[0], size[1], max(size[2], 0.003)
    variant = int(random.integers(1, 9))
    outer, inner = (length, width, height), (0.93 * length, 0.91 * width, height)
    solids = [
        body(meshes.puddle(variant), outer, (0, 0, height / 2), rim, gloss=1.0, alpha=alpha),
        body(meshes.puddle(variant), inner, (0, 0, height * 0.62), colour, gloss=1.0, alpha=alpha),
    ]
    shine = (0.62 * length, 0.5 * width, 0.0004)
    slant = turn_z(random.uniform(-0.4, 0.4))
    at = (0.05 * length, 0.1 * width, height * 1.16)
    solids.append(body(meshes.glint(variant), shine, at, (1, 1, 1), slant, 1.0, 0.4, alpha=0.6))
    for _ in range(int(random.integers(3, 6))):
        angle, drop = random.uniform(0, 2 * math.pi), random.uniform(0.05, 0.11) * width
        place = (0.56 * length * math.cos(angle), 0.56 * width * math.sin(angle), height * 0.4)
        solids.append(
            body(
                meshes.puddle(int(random.integers(9))),
                (1.3 * drop, drop, height * 0.8),
                place,
                colour,
                gloss=1.0,
                alpha=alpha,
            )
        )
    return solids


def water_spill(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """Clear water, told by its rim and its shine."""
    return _liquid(size, random, (0.60, 0.78, 0.88), (0.36, 0.52, 0.62), 0.5)


def coffee_spill(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """Coffee, dark in the middle and lighter at its rim."""
    return _liquid(size, random, (0.25, 0.13, 0.06), (0.45, 0.26, 0.12), 0.92)


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


def human_hand(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A hand palm down, fingers at +x, and the sleeved arm it belongs to, which rises behind it.

    The arm reaches beyond the length asked for, as far as an elbow off the table.
    """
    length, width, height = size
    skin, sleeve = pick(random, SKINS), colour or pick(random, CLOTHS)
    hand = meshes.hand("left" if random.integers(2) else "right")
    hand_size = (0.56 * length, 1.12 * width, 0.72 * height)
    cuff = (-0.06 * length + 0.035, 0.0, 0.55 * height)
    elbow = (-0.5 * length - 0.42, 0.0, 0.55 * height + 0.20)
    slope = along((elbow[0] - cuff[0], 0.0, elbow[2] - cuff[2]))
    return (
        body(hand, hand_size, (0.22 * length, 0, 0.36 * height), skin, gloss=0.15),
        rod(cuff, elbow, 0.74 * width, sleeve, gloss=0.02),
        drum(0.80 * width, 0.03, cuff, darker(sleeve, 0.8), slope, gloss=0.02),
    )


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
        radius, angle = 0.47 * math.sqrt(random.uniform(0.06, 1)), number * 2.4
        place = (radius * length * math.cos(angle), radius * width * math.sin(angle), 0.006)
        big = random.uniform(0.10, 0.22) * width
        tilt = turn((math.cos(angle), math.sin(angle), 0.0), random.uniform(-0.4, 0.4))
        pose = times(tilt, turn_z(random.uniform(0, 6.3)))
        tone = glass if number % 3 else (0.95, 0.99, 1.0)
        splinter = (1.25 * big, big, 0.006)
        solids.append(
            body(meshes.shard(number % 7), splinter, place, tone, pose, gloss=1.0, alpha=0.78)
        )
    return solids


def hot_plate(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A portable cooker with a glowing element; its knob faces +x."""
    length, width, height = size
    shell = colour or pick(random, ((0.90, 0.90, 0.88), (0.22, 0.23, 0.25), (0.62, 0.64, 0.66)))
    plate = 0.76 * min(length, width)
    top = 0.80 * height
    knob = (0.5 * length, -0.24 * width, 0.42 * height)
    level = turn((0.0, 1.0, 0.0), math.pi / 2)
    feet = [
        drum(0.03, 0.2 * height, (x * 0.36 * length, y * 0.36 * width, 0.1 * height), DARK)
        for x in (-1, 1)
        for y in (-1, 1)
    ]
    return (
        block(
            (length, width, 0.64 * height), (0, 0, 0.46 * height), shell, bevel_m=0.012, gloss=0.5
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
        drum(0.034, 0.03, knob, DARK, level, gloss=0.4),
        block((0.032, 0.005, 0.006), (knob[0] + 0.002, knob[1], knob[2]), WHITE),
        ball((0.012,) * 3, (0.5 * length, 0.1 * width, knob[2]), (1.0, 0.2, 0.1), glow=1.0),
        *feet,
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
        body(mesh, (run, width, 1.2 * height), (-0.07 * length, 0, 0.6 * height), skin, gloss=0.3),
        block((0.05, 0.032, 0.024), (ahead + 0.012, left, 0.014), plug, bevel_m=0.006, gloss=0.3),
        *prongs,
    )


HAZARDS: Mapping[str, Draw] = {
    "water_spill": water_spill,
    "coffee_spill": coffee_spill,
    "knife": knife,
    "scissors": scissors,
    "human_hand": human_hand,
    "broken_glass": broken_glass,
    "hot_plate": hot_plate,
    "power_cable": power_cable,
}
"""By kind: what draws it."""
