"""How more harmless things look on a table, some of them as they look among the clutter."""

from collections.abc import Mapping, Sequence

from hartsim.types import Vector3
from hartsim.worlds import tabletop_clutter as clutter
from hartsim.worlds import tabletop_meshes as meshes
from hartsim.worlds import tabletop_shapes as shapes
from hartsim.worlds.solids import ball, block, body, darker, drum, pick, rod
from hartsim.worlds.stage import Colour, Solid
from hartsim.worlds.tabletop_props import STEEL, WHITE, Draw, Random


def spoon(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A spoon, its bowl at +x."""
    length, width, height = size
    metal = colour or pick(random, (STEEL, (0.82, 0.66, 0.34), (0.62, 0.42, 0.24)))
    neck = (0.2 * length, 0.0, 0.62 * height)
    end = (-0.46 * length, 0.0, 0.5 * height)
    bowl = (0.34 * length, width, 0.7 * height)
    return (
        body(meshes.turned("bowl"), bowl, (0.33 * length, 0, 0.4 * height), metal, gloss=1.0),
        rod(neck, end, 0.2 * width, metal, gloss=1.0),
        ball(
            (0.14 * length, 0.36 * width, 0.4 * height),
            (-0.42 * length, 0, 0.5 * height),
            metal,
            1.0,
        ),
    )


def orange(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """An orange with the green star of its stem."""
    length, width, height = size
    skin = colour or (0.97, 0.52, 0.06)
    return (
        ball((length, width, 0.97 * height), (0, 0, 0.485 * height), skin, gloss=0.4),
        body(
            shapes.blossom(),
            (0.26 * length, 0.26 * length, 0.06 * height),
            (0, 0, 0.96 * height),
            (0.22, 0.42, 0.14),
        ),
        drum(0.06 * length, 0.05 * height, (0, 0, 0.975 * height), (0.36, 0.26, 0.12)),
    )


def tape_roll(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A roll of adhesive tape lying flat."""
    length, width, height = size
    tape = colour or pick(random, clutter.BRIGHT)
    core = (0.5 * length, 0.5 * width, 0.97 * height)
    return (
        body(meshes.turned("annulus"), size, (0, 0, 0.5 * height), tape, gloss=0.5),
        body(meshes.turned("annulus"), core, (0, 0, 0.515 * height), (0.84, 0.72, 0.52)),
        drum(0.26 * length, 0.04 * height, (0, 0, 0.04 * height), (0.20, 0.17, 0.14)),
    )


def notebook(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A closed notebook with a spiral binding at -y, a label and a ribbon."""
    length, width, height = size
    cover = colour or pick(random, ((0.90, 0.36, 0.30), (0.20, 0.52, 0.62), (0.96, 0.74, 0.22)))
    rings = [
        block(
            (0.03 * length, 0.08 * width, height),
            ((n / 13 - 0.46) * length, -0.46 * width, 0.5 * height),
            (0.30, 0.31, 0.33),
            bevel_m=0.003,
            gloss=0.8,
        )
        for n in range(13)
    ]
    return (
        block((length, 0.94 * width, 0.5 * height), (0, 0.03 * width, 0.35 * height), WHITE),
        block(
            (length, 0.94 * width, 0.2 * height),
            (0, 0.03 * width, 0.7 * height),
            cover,
            bevel_m=0.001,
        ),
        block(
            (0.26 * length, 0.5 * width, 0.001),
            (-0.14 * length, 0.05 * width, 0.81 * height),
            WHITE,
        ),
        *(
            block(
                (0.012 * length, 0.36 * width, 0.001),
                (x * length, 0.05 * width, 0.83 * height),
                darker(cover, 0.6),
            )
            for x in (-0.2, -0.14, -0.08)
        ),
        block(
            (1.001 * length, 0.03 * width, 0.002),
            (0, 0.36 * width, 0.81 * height),
            darker(cover, 0.5),
        ),
        *rings,
    )


def toy_block(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A child's building brick with eight studs."""
    length, width, height = size
    plastic = colour or pick(
        random, ((0.86, 0.12, 0.10), (0.10, 0.36, 0.76), (0.98, 0.78, 0.06), (0.14, 0.58, 0.26))
    )
    studs = [
        drum(
            0.3 * width,
            0.2 * height,
            ((x - 1.5) * 0.25 * length, (y - 0.5) * 0.5 * width, 0.9 * height),
            plastic,
            gloss=0.6,
        )
        for x in range(4)
        for y in range(2)
    ]
    return (
        block(
            (length, width, 0.82 * height), (0, 0, 0.41 * height), plastic, bevel_m=0.002, gloss=0.6
        ),
        *studs,
    )


WARES: Mapping[str, Draw] = {
    "plate": clutter.plate,
    "tape_roll": tape_roll,
    "spoon": spoon,
    "orange": orange,
    "notebook": notebook,
    "toy_block": toy_block,
}
"""By kind: what draws it."""
