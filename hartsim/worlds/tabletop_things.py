"""How each harmless thing of the catalogue looks on a table; see `tabletop_props.Draw`."""

import math
from collections.abc import Mapping, Sequence

from hartsim.types import Vector3
from hartsim.worlds import tabletop_meshes as meshes
from hartsim.worlds.meshes import turn, turn_z
from hartsim.worlds.solids import ball, block, body, darker, drum, pick, rod
from hartsim.worlds.stage import Colour, Solid
from hartsim.worlds.tabletop_props import CERAMICS, DARK, STEEL, WHITE, Draw, Random, band, panel


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


THINGS: Mapping[str, Draw] = {
    "laptop": laptop,
    "phone": phone,
    "keyboard": keyboard,
    "mug": mug,
    "cup": cup,
    "bottle": bottle,
    "bowl": bowl,
    "cardboard_box": cardboard_box,
    "apple": apple,
    "banana": banana,
    "screwdriver": screwdriver,
    "book": book,
}
"""By kind: what draws it."""
