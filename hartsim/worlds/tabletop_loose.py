"""What tips, rolls, tangles or gives way when touched; see `tabletop_props.Draw`."""

import math
from collections.abc import Mapping, Sequence

from hartsim.types import Vector3
from hartsim.worlds import tabletop_meshes as meshes
from hartsim.worlds import tabletop_shapes as shapes
from hartsim.worlds.meshes import turn, turn_z
from hartsim.worlds.solids import block, body, darker, drum, pick, rod, times
from hartsim.worlds.stage import Colour, Solid
from hartsim.worlds.tabletop_props import (
    CERAMICS,
    CLOTHS,
    STEEL,
    WHITE,
    WOOD,
    Draw,
    Random,
    posed,
    strewn,
    toned,
)
from hartsim.worlds.tabletop_things import book


def stacked_cups(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A tower of cups, each standing askew on the one below."""
    length, width, height = size
    first = int(random.integers(len(CERAMICS)))
    wide, count = 0.58 * min(length, width), 4
    tall = height / count
    solids: list[Solid] = []
    for number in range(count):
        glaze = colour or CERAMICS[(first + 2 * number) % len(CERAMICS)]
        cup = [
            body(meshes.turned("mug"), (wide, wide, tall), (0, 0, tall / 2), glaze, gloss=0.7),
            drum(0.84 * wide, 0.006, (0, 0, 0.9 * tall), darker(glaze, 0.45)),
            body(
                meshes.mug_handle(),
                (0.3 * wide, 0.13 * wide, 0.62 * tall),
                (0.6 * wide, 0, 0.5 * tall),
                glaze,
                gloss=0.7,
            ),
        ]
        askew = turn_z(1.7 * number + random.uniform(-0.4, 0.4))
        lean = turn((0.0, 1.0, 0.0), (0.0, -0.05, 0.05, -0.04)[number])
        at = (0.05 * length * (-1) ** number, 0.06 * width * (number % 3 - 1), number * tall)
        solids += posed(cup, at, times(lean, askew))
    return solids


def leaning_books(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A crooked stack of books that leans to one side."""
    length, width, height = size
    count = 7
    solids: list[Solid] = []
    for number in range(count):
        share = 0.86 - 0.03 * float(random.integers(4))
        each = (share * length * 0.9, share * width * 0.9, 0.98 * height / count)
        askew = turn_z(random.uniform(-0.16, 0.16))
        aside = 0.09 * width * math.sin(0.9 * number) + 0.015 * width * number
        at = (random.uniform(-0.03, 0.03) * length, aside - 0.06 * width, number * height / count)
        solids += posed(book(each, colour, random), at, askew)
    return solids


def marbles(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """Glass marbles that roll about."""
    length, width, height = size
    inks = (
        ((0.14, 0.40, 0.82), (0.95, 0.95, 0.95)),
        ((0.88, 0.22, 0.16), (0.98, 0.86, 0.30)),
        ((0.16, 0.60, 0.36), (0.90, 0.95, 0.60)),
        ((0.94, 0.70, 0.14), (0.78, 0.24, 0.12)),
        ((0.52, 0.26, 0.66), (0.92, 0.86, 0.96)),
    )
    solids = []
    for number, (x, y) in enumerate(strewn(9)):
        glass, swirl = inks[(number + int(random.integers(2))) % 5]
        tilt = turn((1.0, 0.0, 0.0), random.uniform(0, 3.0))
        at = (x * (length - height), y * (width - height), 0.5 * height)
        colours = {"glass": colour or glass, "swirl": swirl}
        solids.append(toned(shapes.marble(), (height,) * 3, at, colours, tilt, gloss=1.0))
    return solids


def hammer(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A claw hammer lying on its side, its head at +x."""
    length, width, height = size
    grip = colour or pick(random, ((0.80, 0.16, 0.12), (0.12, 0.32, 0.62), (0.95, 0.62, 0.08)))
    lie, head = 0.5 * height, 0.41 * length
    across = turn((1.0, 0.0, 0.0), math.pi / 2)
    iron = (0.50, 0.53, 0.57)
    return (
        rod((-0.44 * length, 0, lie), (-0.12 * length, 0, lie), 0.72 * height, grip, gloss=0.4),
        rod((-0.14 * length, 0, lie), (head, 0, lie), 0.56 * height, WOOD, gloss=0.2),
        block(
            (0.13 * length, 0.36 * width, 0.9 * height),
            (head, 0, lie),
            iron,
            bevel_m=0.004,
            gloss=0.9,
        ),
        drum(0.7 * height, 0.24 * width, (head, -0.27 * width, lie), iron, across, gloss=0.9),
        drum(0.96 * height, 0.12 * width, (head, -0.43 * width, lie), STEEL, across, gloss=1.0),
        *(
            body(
                shapes.claw(),
                (0.16 * length, 0.36 * width, 0.3 * height),
                (head - 0.035 * length, 0.31 * width, lie + side * 0.24 * height),
                iron,
                gloss=0.9,
            )
            for side in (-1, 1)
        ),
    )


def rope(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A rope laid in loops and bound round its middle."""
    strands = (
        ((0.84, 0.72, 0.50), (0.58, 0.44, 0.27)),
        ((0.93, 0.92, 0.88), (0.16, 0.36, 0.70)),
        ((0.95, 0.56, 0.12), (0.62, 0.24, 0.06)),
    )
    light, dark = strands[int(random.integers(3))]
    colours = {"light": colour or light, "dark": darker(colour, 0.6) if colour else dark}
    return (toned(shapes.hank(), size, (0, 0, 0.5 * size[2]), colours, gloss=0.05),)


def crumpled_cloth(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A chequered cloth that was crumpled and dropped."""
    weave = colour or pick(random, (CLOTHS[0], CLOTHS[1], CLOTHS[2], CLOTHS[5]))
    sheet = shapes.crumpled(int(random.integers(6)), 8)
    colours = {"even": (0.95, 0.94, 0.90), "odd": weave}
    return (toned(sheet, size, (0, 0, 0.5 * size[2]), colours, gloss=0.02),)


def plastic_film(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """Crumpled clear film, told by the light on its creases."""
    variant, middle = int(random.integers(6)), 0.5 * size[2]
    film, shine = shapes.creased(variant), shapes.creased(variant, glints=True)
    return (
        body(film, size, (0, 0, middle), colour or (0.86, 0.92, 0.96), gloss=1.0, alpha=0.2),
        body(shine, size, (0, 0, middle + 0.0008), WHITE, gloss=1.0, glow=0.6, alpha=0.55),
    )


LOOSE: Mapping[str, Draw] = {
    "stacked_cups": stacked_cups,
    "leaning_books": leaning_books,
    "marbles": marbles,
    "hammer": hammer,
    "rope": rope,
    "crumpled_cloth": crumpled_cloth,
    "plastic_film": plastic_film,
}
"""By kind: what draws it."""
