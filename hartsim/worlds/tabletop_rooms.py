"""The rooms that the table stands in: wall, floor, table, what stands behind the arm, and the light.

The wall is behind the robot's base, the cameras look at it over the table. `side` is +1 or -1: the
window and the lamps are on that side (of y), shelves mostly on the other.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hartsim.types import Pose, Vector3
from hartsim.worlds import tabletop_clutter as clutter
from hartsim.worlds import tabletop_meshes as meshes
from hartsim.worlds import tabletop_props as props
from hartsim.worlds.meshes import turn
from hartsim.worlds.solids import ball, block, body, darker, drum, pick, rod
from hartsim.worlds.stage import Colour, Grade, Lamp, Lighting, Prop, Solid
from hartsim.worlds.tabletop_clutter import BRIGHT
from hartsim.worlds.tabletop_props import DARK, STEEL, WHITE, WOOD, Random

TABLE_X_M = (-0.48, 1.02)
TABLE_Y_M = (-0.92, 0.92)
WALL_X_M = -0.60
FLOOR_Z_M = -0.74
_THICK_M = 0.045
_ORIGIN = Pose((0.0, 0.0, 0.0), 0.0)

Furnish = Callable[[int, Random], Sequence[Prop]]


@dataclass(frozen=True)
class Light:
    """How a room is lit at one time of day."""

    lighting: Lighting
    lamps: tuple[Lamp, ...]
    grade: Grade


def _prop(name: str, class_name: str, solids: Sequence[Solid], at: Vector3 = (0, 0, 0)) -> Prop:
    return Prop(name, class_name, tuple(solids), Pose(at, 0.0))


def shell(place: str, random: Random) -> tuple[Prop, ...]:
    """Wall, floor and table, which wear the paintable surfaces of these names."""
    wall = Solid("box", (0.06, 5.2, 2.6), (WALL_X_M - 0.03, 0, 0.55), surface="wall", specular=0.05)
    floor = Solid("box", (4.2, 5.2, 0.04), (1.4, 0, FLOOR_Z_M - 0.02), surface="floor")
    length, width = TABLE_X_M[1] - TABLE_X_M[0], TABLE_Y_M[1] - TABLE_Y_M[0]
    middle = (TABLE_X_M[0] + TABLE_X_M[1]) / 2
    top = Solid(
        "box", (length, width, _THICK_M), (middle, 0, -_THICK_M / 2), surface="table", specular=0.3
    )
    frame = pick(random, ((0.24, 0.25, 0.28), (0.60, 0.46, 0.33), (0.80, 0.81, 0.82)))
    legs = [
        block((0.06, 0.06, -FLOOR_Z_M), (x, y, FLOOR_Z_M / 2 - _THICK_M / 2), frame)
        for x in (TABLE_X_M[0] + 0.06, TABLE_X_M[1] - 0.06)
        for y in (TABLE_Y_M[0] + 0.06, TABLE_Y_M[1] - 0.06)
    ]
    skirting = block(
        (0.015, 5.2, 0.08), (WALL_X_M + 0.007, 0, FLOOR_Z_M + 0.04), darker(frame, 1.1)
    )
    return (
        _prop("wall", "wall", [wall, skirting]),
        _prop("floor", "floor", [floor]),
        _prop("table", "table", [top, *legs]),
    )


def window(side: int, night: bool, random: Random) -> Prop:
    """A window in the wall with what is outside, painted in bands of colour."""
    y, z, wide, tall = 0.80 * side, 0.55, 0.62, 0.80
    x = WALL_X_M + 0.004
    day = ((0.62, 0.80, 0.95), (0.76, 0.88, 0.97), (0.88, 0.94, 0.96), (0.62, 0.74, 0.52))
    dark = ((0.05, 0.07, 0.15), (0.07, 0.09, 0.19), (0.11, 0.12, 0.22), (0.05, 0.06, 0.09))
    solids = []
    for band, colour in enumerate(dark if night else day):
        at = (x, y, z + tall * (0.375 - 0.25 * band))
        solids.append(block((0.004, wide, tall / 4), at, colour, glow=1.0, class_name="wall"))
    for _ in range(9 if night else 5):
        across, up = random.uniform(-0.44, 0.44) * wide, random.uniform(-0.46, -0.2) * tall
        tone = pick(random, ((1.0, 0.82, 0.45), (0.95, 0.92, 0.80), (0.98, 0.66, 0.32)))
        size = (0.008, 0.02, 0.02) if night else (0.008, 0.16, 0.12)
        shade = tone if night else (0.44, 0.60, 0.38)
        solids.append(block(size, (x, y + across, z + up), shade, glow=1.0))
    frame = pick(random, (WHITE, (0.48, 0.33, 0.22), (0.28, 0.30, 0.33)))
    for up in (-0.5, 0.05, 0.5):
        solids.append(block((0.03, wide + 0.04, 0.03), (x + 0.01, y, z + up * tall), frame))
    for across in (-0.5, 0.0, 0.5):
        solids.append(block((0.03, 0.03, tall), (x + 0.01, y + across * wide, z), frame))
    sill = (x + 0.04, y, z - tall / 2 - 0.02)
    solids.append(block((0.10, wide + 0.12, 0.025), sill, frame, bevel_m=0.004))
    return _prop("window", "wall", solids)


def shelf(y: float, z: float, wide: float, wood: Colour) -> Prop:
    """A board on the wall with two brackets."""
    x = WALL_X_M + 0.085
    brackets = [
        block((0.14, 0.015, 0.05), (x - 0.01, y + s * 0.38 * wide, z - 0.035), darker(wood, 0.7))
        for s in (-1, 1)
    ]
    return _prop(
        "shelf",
        "other",
        [block((0.17, wide, 0.022), (x, y, z - 0.011), wood, bevel_m=0.003), *brackets],
    )


def _row(
    y: float,
    z: float,
    wide: float,
    things: Sequence[tuple[str, props.Draw, Vector3]],
    random: Random,
) -> list[Prop]:
    """Things side by side on a shelf, from the left of `y` to the right, as many as fit."""
    row: list[Prop] = []
    at = y - wide / 2 + 0.03
    while True:
        class_name, draw, size = things[int(random.integers(len(things)))]
        size = (size[0], size[1], size[2] * float(random.uniform(0.9, 1.1)))
        at += size[1] / 2 + float(random.uniform(0.008, 0.03))
        if at + size[1] / 2 > y + wide / 2 - 0.02:
            return row
        row.append(
            _prop("shelved", class_name, draw(size, None, random), (WALL_X_M + 0.085, at, z))
        )
        at += size[1] / 2


def _book_row(y: float, z: float, wide: float, random: Random) -> Prop:
    """Books standing side by side, a few leaning."""
    spines, at = [], y - wide / 2 + 0.02
    while at < y + wide / 2 - 0.05:
        thick, tall = float(random.uniform(0.018, 0.045)), float(random.uniform(0.15, 0.22))
        cloth = pick(random, (*BRIGHT, *props.CLOTHS))
        lean = turn((1, 0, 0), float(random.uniform(-0.03, 0.03)))
        centre = (WALL_X_M + 0.085, at + thick / 2, z + tall / 2)
        spines.append(block((0.14, thick, tall), centre, darker(cloth, 0.9), lean, bevel_m=0.002))
        band = (0.142, thick * 0.7, 0.02)
        spines.append(
            block(band, (centre[0], centre[1], z + 0.75 * tall), (0.92, 0.88, 0.76), lean)
        )
        at += thick + 0.002
    return _prop("books", "other", spines)


def _tool_board(y: float, random: Random) -> Prop:
    """A painted board with hand tools hung in a row."""
    x, z = WALL_X_M + 0.012, 0.42
    board = pick(
        random, ((0.22, 0.40, 0.44), (0.80, 0.64, 0.28), (0.72, 0.74, 0.74), (0.50, 0.24, 0.20))
    )
    front = x + 0.02
    solids = [block((0.02, 0.86, 0.56), (x, y, z), board, bevel_m=0.003, class_name="other")]
    grip = pick(random, BRIGHT)
    # A hammer, a saw, three screwdrivers, a spanner and a pair of pliers, from left to right.
    solids += [
        rod((front, y - 0.36, z - 0.16), (front, y - 0.36, z + 0.14), 0.024, WOOD),
        block((0.03, 0.12, 0.035), (front, y - 0.36, z + 0.17), STEEL, bevel_m=0.004, gloss=0.8),
        body(
            meshes.slab("trapeze"),
            (0.30, 0.11, 0.006),
            (front, y - 0.21, z - 0.02),
            STEEL,
            turn((0.577, 0.577, 0.577), 2 * math.pi / 3),
            gloss=0.9,
        ),
        block((0.02, 0.10, 0.09), (front, y - 0.21, z + 0.17), WOOD, bevel_m=0.008),
    ]
    for number in range(3):
        across = y - 0.07 + 0.065 * number
        tint = BRIGHT[int(random.integers(len(BRIGHT)))]
        solids.append(
            rod((front, across, z + 0.06), (front, across, z + 0.15), 0.026, tint, gloss=0.6)
        )
        solids.append(
            rod((front, across, z + 0.05), (front, across, z - 0.09), 0.008, STEEL, gloss=0.9)
        )
    upright = turn((0, 1, 0), math.pi / 2)
    solids += [
        block((0.012, 0.03, 0.26), (front, y + 0.18, z), STEEL, bevel_m=0.003, gloss=0.9),
        body(
            meshes.ring(0.3), (0.07, 0.07, 0.014), (front, y + 0.18, z + 0.15), STEEL, upright, 0.9
        ),
        body(
            meshes.ring(0.3), (0.06, 0.06, 0.014), (front, y + 0.18, z - 0.15), STEEL, upright, 0.9
        ),
        rod((front, y + 0.29, z + 0.10), (front, y + 0.265, z - 0.14), 0.022, grip, gloss=0.4),
        rod((front, y + 0.31, z + 0.10), (front, y + 0.335, z - 0.14), 0.022, grip, gloss=0.4),
        block((0.02, 0.05, 0.09), (front, y + 0.30, z + 0.14), STEEL, bevel_m=0.006, gloss=0.8),
    ]
    return _prop("tool_board", "tool", solids)


def _bins(y: float, random: Random) -> Prop:
    """A rack of open plastic bins standing at the back of the bench."""
    solids, x = [], TABLE_X_M[0] + 0.09
    for row in range(3):
        tint = BRIGHT[int(random.integers(len(BRIGHT)))]
        for column in range(4):
            at = (x - 0.01 * row, y + (column - 1.5) * 0.115, 0.045 + 0.085 * row)
            solids.append(block((0.13, 0.105, 0.07), at, tint, bevel_m=0.004, gloss=0.3))
            inner = (at[0] + 0.03, at[1], at[2] + 0.022)
            solids.append(block((0.075, 0.088, 0.03), inner, darker(tint, 0.4)))
    solids.append(block((0.02, 0.48, 0.28), (x - 0.09, y, 0.14), (0.36, 0.38, 0.41)))
    return _prop("bins", "container", solids)


def _monitor(y: float, heading: float, random: Random) -> Prop:
    """A monitor on a stand at the back of the table."""
    at = Pose((TABLE_X_M[0] + 0.16, y, 0.0), heading)
    case = pick(random, (DARK, (0.82, 0.83, 0.84)))
    solids = [
        block((0.17, 0.22, 0.012), (-0.02, 0, 0.006), case, bevel_m=0.003, gloss=0.4),
        block((0.025, 0.06, 0.24), (-0.045, 0, 0.13), case, gloss=0.3),
        block((0.025, 0.56, 0.34), (-0.012, 0, 0.31), case, bevel_m=0.004, gloss=0.3),
        *props.panel(0.53, 0.31, (0.003, 0.0, 0.31), (1, 0, 0, 0), random),
    ]
    return Prop("monitor", "electronics", tuple(solids), at)


def _picture(y: float, z: float, random: Random) -> Prop:
    """A framed print of hills under a sun."""
    x, wide, tall = WALL_X_M + 0.012, 0.36, 0.46
    paper = pick(random, ((0.94, 0.90, 0.82), (0.90, 0.80, 0.66), (0.80, 0.88, 0.90)))
    sun, near, far = (BRIGHT[i] for i in random.permutation(len(BRIGHT))[:3])
    face = turn((0, 1, 0), math.pi / 2)
    frame = pick(random, (DARK, WOOD, WHITE))
    return _prop(
        "picture",
        "other",
        [
            block((0.02, wide, tall), (x, y, z), frame, bevel_m=0.003),
            block((0.004, 0.88 * wide, 0.9 * tall), (x + 0.011, y, z), paper),
            drum(0.12, 0.004, (x + 0.013, y + 0.05, z + 0.08), sun, face),
            block((0.004, 0.88 * wide, 0.16), (x + 0.0145, y, z - 0.127), darker(far, 0.9)),
            block((0.004, 0.88 * wide, 0.09), (x + 0.016, y, z - 0.162), darker(near, 0.8)),
        ],
    )


def _desk_lamp(y: float, lit: bool, colour: Colour) -> Prop:
    """A jointed lamp at the back of the table, its head over the work."""
    x, lean = TABLE_X_M[0] + 0.12, -0.10 * math.copysign(1, y)
    elbow, head = (x - 0.05, y, 0.30), (x + 0.13, y + lean, 0.48)
    tilt = turn((0, 1, 0), -0.5)
    bulb = (1.0, 0.86, 0.58) if lit else (0.90, 0.88, 0.82)
    return _prop(
        "lamp",
        "light",
        [
            drum(0.15, 0.025, (x, y, 0.0125), colour, gloss=0.5),
            rod((x, y, 0.02), elbow, 0.016, STEEL, gloss=0.8),
            rod(elbow, head, 0.016, STEEL, gloss=0.8),
            body(meshes.turned("shade"), (0.15, 0.15, 0.12), head, colour, tilt, gloss=0.5),
            ball(
                (0.09, 0.09, 0.05),
                (head[0] + 0.025, head[1], head[2] - 0.055),
                bulb,
                glow=float(lit),
            ),
        ],
    )


def _rail(y: float, random: Random) -> Prop:
    """A kitchen rail with a ladle, a spatula, a pan and a whisk."""
    x, z = WALL_X_M + 0.035, 0.40
    solids = [rod((x, y - 0.30, z), (x, y + 0.30, z), 0.012, STEEL, gloss=0.9)]
    face = turn((0, 1, 0), math.pi / 2)
    for number, across in enumerate((-0.24, -0.12, 0.0)):
        low = z - 0.20
        handle = pick(random, (WOOD, DARK, STEEL))
        solids.append(rod((x, y + across, z - 0.01), (x, y + across, low), 0.012, handle))
        if number == 0:
            solids.append(ball((0.05, 0.075, 0.06), (x, y + across, low - 0.02), STEEL, gloss=0.9))
        else:
            solids.append(
                block((0.008, 0.06, 0.09), (x, y + across, low - 0.03), handle, bevel_m=0.003)
            )
    iron = pick(random, ((0.16, 0.16, 0.18), (0.76, 0.40, 0.22)))
    solids.append(rod((x, y + 0.18, z - 0.01), (x, y + 0.18, z - 0.12), 0.018, DARK))
    solids.append(drum(0.19, 0.03, (x, y + 0.18, z - 0.20), iron, face, gloss=0.6))
    solids.append(
        drum(0.165, 0.034, (x + 0.001, y + 0.18, z - 0.20), darker(iron, 0.7), face, gloss=0.6)
    )
    return _prop("rail", "tool", solids)


def _microscope(y: float) -> Prop:
    """A microscope at the back of the bench."""
    x = TABLE_X_M[0] + 0.13
    lean = turn((0, 1, 0), 0.5)
    return _prop(
        "microscope",
        "electronics",
        [
            block((0.20, 0.14, 0.03), (x, y, 0.015), (0.90, 0.90, 0.89), bevel_m=0.008, gloss=0.4),
            block(
                (0.05, 0.05, 0.24),
                (x - 0.06, y, 0.14),
                (0.90, 0.90, 0.89),
                bevel_m=0.012,
                gloss=0.4,
            ),
            block((0.13, 0.12, 0.015), (x + 0.02, y, 0.11), DARK, bevel_m=0.003),
            drum(0.05, 0.16, (x + 0.01, y, 0.27), (0.90, 0.90, 0.89), lean, gloss=0.5),
            drum(0.034, 0.10, (x + 0.01, y, 0.18), STEEL, gloss=0.9),
            drum(0.04, 0.07, (x - 0.05, y, 0.36), DARK, lean, gloss=0.5),
            drum(0.05, 0.16, (x - 0.06, y, 0.08), DARK, turn((1, 0, 0), math.pi / 2)),
        ],
    )


def _workshop(side: int, random: Random) -> Sequence[Prop]:
    wood = pick(random, (WOOD, (0.52, 0.53, 0.55)))
    tins = (
        ("container", clutter.jar, (0.09, 0.10, 0.12)),
        ("container", props.bottle, (0.07, 0.07, 0.18)),
    )
    return (
        _tool_board(-0.40 * side, random),
        _bins(0.64 * side, random),
        shelf(0.62 * side, 0.50, 0.60, wood),
        *_row(0.62 * side, 0.50, 0.60, tins, random),
    )


def _kitchen(side: int, random: Random) -> Sequence[Prop]:
    wood = pick(random, (WOOD, (0.84, 0.70, 0.52), WHITE))
    crockery = (
        ("container", clutter.jar, (0.10, 0.10, 0.15)),
        ("container", props.mug, (0.09, 0.09, 0.10)),
        ("container", props.bowl, (0.15, 0.15, 0.08)),
        ("vegetation", clutter.plant, (0.14, 0.14, 0.20)),
        ("container", props.bottle, (0.07, 0.07, 0.22)),
    )
    return (
        shelf(-0.52 * side, 0.47, 0.80, wood),
        *_row(-0.52 * side, 0.47, 0.80, crockery, random),
        _rail(-0.56 * side, random),
        _prop(
            "potted",
            "vegetation",
            clutter.plant((0.24, 0.24, 0.36), None, random),
            (-0.36, 0.56 * side, 0.0),
        ),
    )


def _lab(side: int, random: Random) -> Sequence[Prop]:
    reagents = (
        ("container", props.bottle, (0.08, 0.08, 0.19)),
        ("container", clutter.flask, (0.10, 0.10, 0.15)),
        ("container", clutter.jar, (0.09, 0.09, 0.13)),
    )
    metal = (0.84, 0.86, 0.87)
    return (
        shelf(-0.50 * side, 0.30, 0.84, metal),
        shelf(-0.50 * side, 0.55, 0.84, metal),
        *_row(-0.50 * side, 0.30, 0.84, reagents, random),
        *_row(-0.50 * side, 0.55, 0.84, reagents, random),
        _monitor(0.60 * side, -0.25 * side, random),
        _microscope(-0.72 * side),
    )


def _office(side: int, random: Random) -> Sequence[Prop]:
    wood = pick(random, (WOOD, (0.86, 0.76, 0.62), WHITE, DARK))
    return (
        _monitor(-0.55 * side, 0.22 * side, random),
        shelf(-0.62 * side, 0.56, 0.62, wood),
        _book_row(-0.70 * side, 0.56, 0.40, random),
        _prop(
            "potted",
            "vegetation",
            clutter.plant((0.15, 0.15, 0.20), None, random),
            (WALL_X_M + 0.085, -0.40 * side, 0.56),
        ),
        _picture(0.26 * side, 0.48, random),
        _prop(
            "tall_plant",
            "vegetation",
            clutter.plant((0.30, 0.30, 0.44), None, random),
            (-0.34, 0.80 * side, 0.0),
        ),
    )


FURNISH: Mapping[str, Furnish] = {
    "workshop_bench": _workshop,
    "kitchen_table": _kitchen,
    "lab_bench": _lab,
    "office_desk": _office,
}
"""By place: what stands and hangs behind the arm."""


def furniture(place: str, side: int, night: bool, random: Random) -> tuple[Prop, ...]:
    """All that stands behind the arm in this place."""
    pieces = [*FURNISH[place](side, random)]
    if place != "workshop_bench":
        pieces.append(window(side, night, random))
    if place in ("office_desk", "workshop_bench"):
        lamp_y = {"office_desk": 0.50, "workshop_bench": -0.62}[place] * side
        pieces.append(_desk_lamp(lamp_y, night, pick(random, (*BRIGHT, DARK, WHITE))))
    return tuple(pieces)


def light(place: str, side: int, night: bool, random: Random) -> Light:
    """Daylight from the window's side, or the warm lamps of the evening."""
    if night:
        return _evening(side, random)
    towards_wall = float(random.uniform(0.3, 0.75))
    direction = (-towards_wall, -0.6 * side, -float(random.uniform(0.65, 0.95)))
    warmth = float(random.uniform(-0.05, 0.06))
    lighting = Lighting(
        direction=direction,
        sun=(0.76 + warmth, 0.72, 0.64 - warmth),
        sky=(0.52, 0.56, 0.62),
        ground=(0.44, 0.42, 0.40),
        exposure=0.94,
        contact=0.75,
        contact_height_m=0.12,
        shadow_area_m=(-0.6, 1.05, -0.95, 0.95),
        shadow_height_m=0.5,
    )
    return Light(lighting, (), Grade(contrast=1.06, saturation=1.08, bloom=0.15, vignette=0.18))


def _evening(side: int, random: Random) -> Light:
    """A warm lamp over the table, a cool rest of the room."""
    y = side * float(random.uniform(0.25, 0.55))
    lamp, warmth = (0.25, y, 1.0), float(random.uniform(-0.06, 0.06))
    lighting = Lighting(
        direction=(0.1, -0.5 * y, -1.0),
        sun=(0.54 + warmth, 0.45, 0.32 - warmth),
        sky=(0.17, 0.20, 0.31),
        ground=(0.16, 0.14, 0.15),
        exposure=1.1,
        contact=0.8,
        contact_height_m=0.12,
        shadow_area_m=(-0.6, 1.05, -0.95, 0.95),
        shadow_height_m=0.5,
    )
    pool = Lamp(lamp, (0.56 + warmth, 0.45, 0.29 - warmth), 1.5)
    return Light(lighting, (pool,), Grade(contrast=1.08, saturation=1.1, bloom=0.35, vignette=0.3))
