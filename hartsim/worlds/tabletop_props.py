"""How each kind of thing on the table looks, as solids in the frame of its footprint's centre.

x runs along the thing's length, y along its width, z up from what it lies on. Each function takes
the size (length, width, height) in metres, the colour asked for, if any, and a generator for what
is left open, and fills that size.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from hartsim.types import Vector3
from hartsim.worlds import tabletop_meshes as meshes
from hartsim.worlds.meshes import matrix_of, turn, turn_z
from hartsim.worlds.solids import ball, block, body, darker, drum, pick, rod, times
from hartsim.worlds.stage import Colour, Solid

Random = np.random.Generator
Draw = Callable[[Vector3, Colour | None, Random], Sequence[Solid]]

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


def band(
    diameter_m: float, height_m: float, at: Vector3, colour: Colour, gloss: float = 0.15
) -> Solid:
    """A label or a stripe that fits round a turned vessel."""
    return body(meshes.turned("band"), (diameter_m, diameter_m, height_m), at, colour, gloss=gloss)


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
    """A hand palm down, fingers at +x, and the sleeved arm it belongs to, which rises behind it."""
    length, width, height = size
    skin, sleeve = pick(random, SKINS), colour or pick(random, CLOTHS)
    hand_length = 0.56 * length
    wrist = 0.5 * length - hand_length
    flip = 1.0 if random.integers(2) else -1.0
    hand = (hand_length, flip * 1.12 * width, 0.72 * height)
    cuff = (wrist + 0.035, 0.0, 0.55 * height)
    elbow = (-0.5 * length - 0.42, 0.0, 0.55 * height + 0.20)
    slope = _slope(cuff, elbow)
    return (
        body(meshes.hand(), hand, (wrist + hand_length / 2, 0, 0.36 * height), skin, gloss=0.15),
        rod(cuff, elbow, 0.74 * width, sleeve, gloss=0.02),
        drum(0.80 * width, 0.03, cuff, darker(sleeve, 0.8), slope, gloss=0.02),
    )


def _slope(start: Vector3, end: Vector3) -> tuple[float, float, float, float]:
    """The rotation that lays z from start to end, both in the x-z plane."""
    return turn((0.0, 1.0, 0.0), math.atan2(end[0] - start[0], end[2] - start[2]))


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


def laptop(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """An open laptop whose screen faces +x."""
    length, width, height = size
    shell = colour or pick(random, ((0.74, 0.76, 0.78), (0.25, 0.27, 0.31), (0.88, 0.84, 0.78)))
    lean = 0.28
    deck = length - height * math.sin(lean)
    front = length / 2 - deck / 2
    hinge = length / 2 - deck + 0.006
    back = turn((0.0, 1.0, 0.0), -lean)
    rise = height - 0.012
    middle = (hinge - rise / 2 * math.sin(lean), 0.0, 0.012 + rise / 2 * math.cos(lean))
    face = (middle[0] + 0.004 * math.cos(lean), 0.0, middle[2] + 0.004 * math.sin(lean))
    return (
        block((deck, width, 0.014), (front, 0, 0.009), shell, bevel_m=0.004, gloss=0.5),
        block((0.5 * deck, 0.9 * width, 0.002), (front - 0.14 * deck, 0, 0.016), DARK),
        body(
            meshes.keycaps(5, 14),
            (0.46 * deck, 0.86 * width, 0.004),
            (front - 0.14 * deck, 0, 0.018),
            (0.30, 0.31, 0.34),
        ),
        block(
            (0.26 * deck, 0.32 * width, 0.002),
            (front + 0.31 * deck, 0, 0.0155),
            darker(shell, 0.85),
            bevel_m=0.0005,
        ),
        block((0.008, width, rise), middle, shell, back, bevel_m=0.003, gloss=0.5),
        block((0.0075, 0.96 * width, 0.93 * rise), _nudged(middle, 0.001), DARK, back),
        *panel(0.90 * width, 0.82 * rise, face, back, random),
    )


def _nudged(at: Vector3, ahead: float) -> Vector3:
    return (at[0] + ahead, at[1], at[2])


def phone(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A phone lying face up, its screen on."""
    length, width, height = size
    shell = colour or pick(random, (DARK, (0.80, 0.82, 0.85), (0.16, 0.28, 0.42)))
    glow = pick(random, ((0.16, 0.42, 0.80), (0.72, 0.30, 0.48), (0.14, 0.56, 0.50)))
    icons = [
        block(
            (0.10 * length, 0.17 * width, 0.0008),
            ((0.28 - 0.16 * row) * length, (column - 1) * 0.27 * width, height * 1.02),
            pick(random, ((1, 1, 1), (1.0, 0.80, 0.35), (0.55, 0.90, 0.70), (1.0, 0.55, 0.50))),
            glow=0.8,
        )
        for row in range(3)
        for column in range(3)
    ]
    slab = meshes.rounded_slab(round(length / width, 1))
    return (
        body(slab, (length, width, height), (0, 0, height / 2), shell, gloss=0.8),
        body(slab, (0.95 * length, 0.90 * width, 0.001), (0, 0, height), glow, gloss=0.9, glow=0.7),
        *icons,
    )


def keyboard(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A keyboard whose space bar is at +x."""
    length, width, height = size
    case, caps, accent = (
        ((0.22, 0.23, 0.26), (0.38, 0.40, 0.44), (0.95, 0.52, 0.20)),
        ((0.86, 0.86, 0.84), (0.96, 0.96, 0.95), (0.32, 0.60, 0.84)),
        ((0.30, 0.36, 0.44), (0.84, 0.83, 0.78), (0.90, 0.42, 0.36)),
    )[int(random.integers(3))]
    keys = (0.88 * length, 0.95 * width, 0.45 * height)
    return (
        block(
            (length, width, 0.62 * height),
            (0, 0, 0.31 * height),
            colour or case,
            bevel_m=0.004,
            gloss=0.3,
        ),
        body(meshes.keycaps(5, 14), keys, (0, 0, 0.77 * height), caps, gloss=0.2),
        block(
            (0.15 * length, 0.062 * width, 0.46 * height),
            (-0.355 * length, -0.442 * width, 0.785 * height),
            accent,
            bevel_m=0.001,
        ),
    )


def mug(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A mug of coffee or tea, handle at +y."""
    length, width, height = size
    glaze = colour or pick(random, CERAMICS)
    wide = 0.94 * min(length, width)
    drink = pick(random, ((0.24, 0.13, 0.07), (0.62, 0.38, 0.20), (0.55, 0.30, 0.10)))
    ear = (0.34 * wide, 0.12 * wide, 0.62 * height)
    stripe = darker(glaze, 0.72) if random.integers(2) else glaze
    return (
        body(meshes.turned("mug"), (wide, wide, height), (0, 0, height / 2), glaze, gloss=0.7),
        band(wide, 0.14 * height, (0, 0, 0.34 * height), stripe, gloss=0.6),
        drum(0.9 * wide, 0.01, (0, 0, 0.84 * height), drink, gloss=0.6),
        body(
            meshes.mug_handle(),
            ear,
            (0, 0.60 * wide, 0.5 * height),
            glaze,
            turn_z(math.pi / 2),
            gloss=0.7,
        ),
    )


def cup(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A paper cup with a sleeve and a lid."""
    length, width, height = size
    wide = min(length, width)
    sleeve = colour or pick(random, ((0.62, 0.44, 0.28), (0.20, 0.46, 0.38), (0.78, 0.30, 0.24)))
    lid = pick(random, (WHITE, (0.20, 0.18, 0.17)))
    tall = 0.9 * height
    return (
        body(meshes.turned("paper_cup"), (0.96 * wide, 0.96 * wide, tall), (0, 0, tall / 2), WHITE),
        body(
            meshes.turned("sleeve"),
            (0.92 * wide, 0.92 * wide, 0.46 * height),
            (0, 0, 0.46 * height),
            sleeve,
        ),
        body(
            meshes.turned("lid"),
            (wide, wide, 0.17 * height),
            (0, 0, 0.915 * height),
            lid,
            gloss=0.4,
        ),
    )


def bottle(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A bottle with a label and a cap."""
    length, width, height = size
    wide = min(length, width)
    glass = colour or pick(
        random, ((0.14, 0.42, 0.28), (0.20, 0.46, 0.66), (0.46, 0.24, 0.10), (0.86, 0.88, 0.88))
    )
    label = pick(random, ((0.96, 0.93, 0.84), (0.95, 0.76, 0.30), (0.90, 0.36, 0.28)))
    cap = pick(random, ((0.86, 0.20, 0.18), WHITE, (0.16, 0.30, 0.56), DARK))
    return (
        body(
            meshes.turned("bottle"),
            (wide, wide, 0.96 * height),
            (0, 0, 0.48 * height),
            glass,
            gloss=1.0,
        ),
        band(1.012 * wide, 0.27 * height, (0, 0, 0.33 * height), label),
        band(1.024 * wide, 0.06 * height, (0, 0, 0.37 * height), darker(cap, 0.9)),
        drum(0.44 * wide, 0.1 * height, (0, 0, 0.95 * height), cap, gloss=0.3),
    )


def bowl(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A bowl, empty or with soup or tomatoes in it."""
    length, width, height = size
    wide = min(length, width)
    glaze = colour or pick(random, CERAMICS)
    solids = [
        body(meshes.turned("bowl"), (wide, wide, height), (0, 0, height / 2), glaze, gloss=0.7)
    ]
    content = int(random.integers(3))
    if content == 0:
        soup = pick(random, ((0.88, 0.46, 0.14), (0.52, 0.60, 0.24), (0.80, 0.24, 0.14)))
        solids.append(drum(0.84 * wide, 0.006, (0, 0, 0.66 * height), soup, gloss=0.5))
    elif content == 1:
        fruit = pick(random, ((0.84, 0.16, 0.12), (0.93, 0.62, 0.12), (0.44, 0.62, 0.20)))
        size_m = (0.3 * wide,) * 3
        for number in range(5):
            reach, angle = (0.24 * wide if number else 0.0), number * math.pi / 2
            at = (
                reach * math.cos(angle),
                reach * math.sin(angle),
                (0.62 if number else 0.85) * height,
            )
            solids.append(ball(size_m, at, fruit, gloss=0.6))
    return solids


def apple(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """An apple with a stem and a leaf."""
    length, width, height = size
    skin = colour or pick(random, ((0.78, 0.13, 0.11), (0.56, 0.70, 0.18), (0.90, 0.66, 0.18)))
    top = 0.84 * height
    return (
        body(
            meshes.turned("apple"),
            (length, width, 0.93 * height),
            (0, 0, 0.465 * height),
            skin,
            gloss=0.6,
        ),
        rod((0, 0, top), (0.006, 0.002, 1.04 * height), 0.005, (0.32, 0.20, 0.10)),
        ball((0.026, 0.013, 0.005), (0.016, 0.004, 0.98 * height), (0.30, 0.52, 0.16)),
    )


def banana(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A banana lying on its side."""
    length, width, height = size
    skin = colour or (0.95, 0.80, 0.20)
    ends = [
        ball(
            (0.016, 0.016, 0.4 * height), (side * 0.475 * length, -0.42 * width, 0.5 * height), ink
        )
        for side, ink in ((-1, (0.45, 0.42, 0.12)), (1, (0.26, 0.18, 0.10)))
    ]
    return (
        body(meshes.banana(), (length, width, height), (0, 0, height / 2), skin, gloss=0.3),
        *ends,
    )


def cardboard_box(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A closed box that wears the paintable surface `box`, with tape and a label."""
    length, width, height = size
    tape = (0.86, 0.74, 0.52)
    across = 0.16 * width
    label = (0.30 * length, 0.36 * width, 0.001)
    carton = Solid("box", size, (0, 0, height / 2), surface="box", bevel_m=0.0, specular=0.05)
    return (
        carton,
        block((1.004 * length, across, 0.002), (0, 0, height), tape, gloss=0.5),
        *(
            block(
                (0.002, across, 0.32 * height), (x * length / 2, 0, 0.84 * height), tape, gloss=0.5
            )
            for x in (-1, 1)
        ),
        block(label, (0.25 * length, 0.26 * width, height + 0.0005), WHITE),
        block(
            (0.2 * length, 0.05 * width, 0.001), (0.25 * length, 0.32 * width, height + 0.001), DARK
        ),
    )


def screwdriver(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A screwdriver lying down, tip at +x."""
    length, width, height = size
    grip = colour or pick(random, ((0.86, 0.16, 0.12), (0.96, 0.68, 0.08), (0.10, 0.36, 0.68)))
    lie = height / 2
    return (
        body(
            meshes.fluted_grip(),
            (0.45 * length, width, height),
            (-0.275 * length, 0, lie),
            grip,
            gloss=0.7,
        ),
        drum(0.8 * height, 0.012, (-0.40 * length, 0, lie), DARK, turn((0, 1, 0), math.pi / 2)),
        rod((-0.06 * length, 0, lie), (0.44 * length, 0, lie), 0.28 * height, STEEL, gloss=1.0),
        block(
            (0.06 * length, 0.3 * height, 0.12 * height), (0.47 * length, 0, lie), STEEL, gloss=1.0
        ),
    )


def book(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A closed book lying flat, its spine at -y."""
    length, width, height = size
    cloth = colour or pick(
        random, ((0.60, 0.16, 0.18), (0.14, 0.30, 0.46), (0.20, 0.42, 0.34), (0.86, 0.62, 0.22))
    )
    gilt = pick(random, ((0.94, 0.88, 0.70), (0.95, 0.95, 0.94), (0.16, 0.14, 0.14)))
    board = 0.1 * height
    covers = [
        block((length, width, board), (0, 0, z), cloth, bevel_m=0.001)
        for z in (board / 2, height - board / 2)
    ]
    return (
        *covers,
        block((0.96 * length, 0.95 * width, 0.82 * height), (0, 0, height / 2), (0.93, 0.90, 0.82)),
        block((length, 0.03 * width, height), (0, -0.485 * width, height / 2), darker(cloth, 0.85)),
        block((0.12 * length, 0.6 * width, 0.001), (-0.22 * length, 0.03 * width, height), gilt),
        block((0.04 * length, 0.4 * width, 0.001), (-0.08 * length, 0.03 * width, height), gilt),
        block((0.2 * length, 0.2 * width, 0.001), (0.26 * length, 0.03 * width, height), gilt),
    )


DRAWN: Mapping[str, Draw] = {
    "water_spill": water_spill,
    "coffee_spill": coffee_spill,
    "knife": knife,
    "scissors": scissors,
    "human_hand": human_hand,
    "broken_glass": broken_glass,
    "hot_plate": hot_plate,
    "power_cable": power_cable,
    "laptop": laptop,
    "phone": phone,
    "mug": mug,
    "bottle": bottle,
    "bowl": bowl,
    "cup": cup,
    "apple": apple,
    "banana": banana,
    "cardboard_box": cardboard_box,
    "screwdriver": screwdriver,
    "book": book,
    "keyboard": keyboard,
}
"""By kind: what draws it."""
