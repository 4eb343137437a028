"""Who is within the robot's reach: hands, arms, a cat; see `tabletop_props.Draw`.

The arms of people rise above the height asked for, and the adult's hand has its elbow beyond the
length.
"""

from collections.abc import Mapping, Sequence

from hartsim.types import Vector3
from hartsim.worlds import tabletop_meshes as meshes
from hartsim.worlds import tabletop_shapes as shapes
from hartsim.worlds.solids import along, block, body, darker, drum, pick, rod
from hartsim.worlds.stage import Colour, Solid
from hartsim.worlds.tabletop_props import (
    CLOTHS,
    DARK,
    LEVEL,
    SKINS,
    STEEL,
    WHITE,
    Draw,
    Random,
    between,
    toned,
)

COATS: tuple[tuple[Colour, Colour, Colour], ...] = (
    ((0.88, 0.54, 0.22), (0.64, 0.33, 0.12), (0.96, 0.93, 0.87)),
    ((0.56, 0.55, 0.54), (0.26, 0.26, 0.27), (0.93, 0.92, 0.90)),
    ((0.16, 0.15, 0.16), (0.10, 0.10, 0.11), (0.95, 0.95, 0.94)),
    ((0.62, 0.46, 0.32), (0.34, 0.23, 0.15), (0.92, 0.86, 0.78)),
)
"""Cats: fur, stripes, and what is white."""
_PLAYFUL: tuple[tuple[Colour, Colour], ...] = (
    ((0.95, 0.76, 0.16), (0.86, 0.24, 0.20)),
    ((0.30, 0.66, 0.88), (0.97, 0.97, 0.96)),
    ((0.94, 0.46, 0.60), (0.98, 0.90, 0.86)),
    ((0.40, 0.72, 0.34), (0.98, 0.86, 0.30)),
)


def human_hand(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A hand palm down, fingers at +x, and the sleeved arm it belongs to, which rises behind it."""
    length, width, height = size
    skin, sleeve = pick(random, SKINS), colour or pick(random, CLOTHS)
    hand = meshes.hand("left" if random.integers(2) else "right")
    hand_size = (0.56 * length, 1.12 * width, 0.72 * height)
    cuff = (-0.06 * length + 0.035, 0.0, 0.66 * height)
    elbow = (-0.5 * length - 0.42, 0.0, 0.55 * height + 0.20)
    slope = along((elbow[0] - cuff[0], 0.0, elbow[2] - cuff[2]))
    return (
        body(hand, hand_size, (0.22 * length, 0, 0.36 * height), skin, gloss=0.15),
        rod(cuff, elbow, 0.74 * width, sleeve, gloss=0.02),
        drum(0.80 * width, 0.03, cuff, darker(sleeve, 0.8), slope, gloss=0.02),
    )


def child_hand(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A child's small plump hand, fingers at +x, in a sleeve with bright stripes."""
    length, width, height = size
    skin, (first, second) = pick(random, SKINS[:4]), _PLAYFUL[int(random.integers(4))]
    cloth = first if colour is None else colour
    hand = meshes.hand("left" if random.integers(2) else "right", plump=True)
    hand_size = (0.28 * length, 1.12 * width, 0.8 * height)
    cuff, elbow = (0.24 * length, 0.0, 0.65 * height), (-0.12 * length, 0.0, 0.75 * height)
    shoulder = (-0.5 * length + 0.04, 0.0, 0.25)
    slope = along((elbow[0] - cuff[0], 0.0, elbow[2] - cuff[2]))
    return (
        body(hand, hand_size, (0.36 * length, 0, 0.4 * height), skin, gloss=0.15),
        rod(cuff, elbow, 0.78 * width, cloth, gloss=0.02),
        rod(elbow, shoulder, 0.86 * width, cloth, gloss=0.02),
        drum(0.84 * width, 0.024, cuff, darker(second, 0.9), slope, gloss=0.02),
        *(
            drum(0.82 * width, 0.016, between(cuff, elbow, share), second, slope, gloss=0.02)
            for share in (0.2, 0.38, 0.56, 0.74)
        ),
    )


def forearm(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A bare forearm resting on its elbow, fingers at +x, a watch on its wrist, a rolled sleeve."""
    length, width, height = size
    skin, sleeve = pick(random, SKINS), colour or pick(random, CLOTHS)
    hand = meshes.hand("left" if random.integers(2) else "right")
    hand_size = (0.28 * length, 1.0 * width, 0.66 * height)
    arm_size = (0.44 * length, 0.82 * width, 0.92 * height)
    elbow, shoulder = (-0.08 * length, 0.0, 0.5 * height), (-0.5 * length + 0.06, 0.0, 0.37)
    cuff = between(elbow, shoulder, 0.18)
    slope = along((shoulder[0] - elbow[0], 0.0, shoulder[2] - elbow[2]))
    strap = pick(random, (DARK, (0.36, 0.22, 0.13), (0.16, 0.26, 0.46)))
    watch = (0.25 * length, 0.0, 0.74 * height)
    face = pick(random, (WHITE, (0.10, 0.12, 0.16)))
    return (
        body(hand, hand_size, (0.36 * length, 0, 0.33 * height), skin, gloss=0.15),
        body(shapes.lower_arm(), arm_size, (0.06 * length, 0, 0.47 * height), skin, gloss=0.15),
        rod(elbow, cuff, 0.88 * height, skin, gloss=0.15),
        rod(cuff, shoulder, 1.0 * width, sleeve, gloss=0.02),
        drum(1.12 * width, 0.045, cuff, darker(sleeve, 0.82), slope, gloss=0.02),
        drum(0.62 * height, 0.03, (watch[0], 0, 0.42 * height), strap, LEVEL),
        drum(0.036, 0.012, watch, STEEL, gloss=1.0),
        drum(0.028, 0.014, watch, face),
        block((0.004, 0.012, 0.001), (watch[0], 0.003, watch[2] + 0.0075), (0.9, 0.3, 0.2)),
    )


def house_cat(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A cat lying with its head up, nose at +x."""
    fur, stripes, white = COATS[int(random.integers(len(COATS)))]
    if colour is not None:
        fur, stripes = colour, darker(colour, 0.6)
    eyes = pick(random, ((0.62, 0.80, 0.24), (0.95, 0.76, 0.20), (0.36, 0.66, 0.86)))
    colours = {"fur": fur, "stripes": stripes, "white": white, "eyes": eyes}
    return (toned(shapes.cat(), size, (0, 0, 0.5 * size[2]), colours, gloss=0.05),)


LIVING: Mapping[str, Draw] = {
    "human_hand": human_hand,
    "child_hand": child_hand,
    "forearm": forearm,
    "house_cat": house_cat,
}
"""By kind: what draws it."""
