"""The rooms that the table stands in: wall, floor, table, what stands behind the arm, the light.

The wall is behind the robot's base; the cameras look at it over the table. `side` is +1 or -1: the
window and the light are on that side (of y), shelves mostly on the other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hartsim.types import Vector3
from hartsim.worlds import tabletop_clutter as clutter
from hartsim.worlds import tabletop_furniture as furniture
from hartsim.worlds import tabletop_things as things
from hartsim.worlds.solids import block, darker, pick
from hartsim.worlds.stage import Grade, Lamp, Lighting, Prop, Solid
from hartsim.worlds.tabletop_furniture import Ware, scenery
from hartsim.worlds.tabletop_props import DARK, WHITE, WOOD, Random

TABLE_X_M = (-0.48, 1.02)
TABLE_Y_M = (-0.92, 0.92)
WALL_X_M = -0.60
FLOOR_Z_M = -0.74
TABLE_THICK_M = 0.045
SHADOW_AREA_M = (-0.6, 1.05, -0.95, 0.95)

Furnish = Callable[[int, bool, Random], Sequence[Prop]]
"""From the light's side, and whether it is night, to what stands behind the arm."""


@dataclass(frozen=True)
class Light:
    """How a room is lit."""

    lighting: Lighting
    lamps: tuple[Lamp, ...]
    grade: Grade


def shell(random: Random) -> tuple[Prop, ...]:
    """Wall, floor and table, which wear the paintable surfaces of these names."""
    frame = pick(random, ((0.24, 0.25, 0.28), (0.60, 0.46, 0.33), (0.80, 0.81, 0.82)))
    wall = Solid("box", (0.06, 5.2, 2.6), (WALL_X_M - 0.03, 0, 0.55), surface="wall", specular=0.05)
    foot = (WALL_X_M + 0.007, 0.0, FLOOR_Z_M + 0.04)
    floor = Solid("box", (4.2, 5.2, 0.04), (1.4, 0, FLOOR_Z_M - 0.02), surface="floor")
    return (
        scenery(
            "wall", "wall", [wall, block((0.015, 5.2, 0.08), foot, darker(frame, 1.1))], (0, 0, 0)
        ),
        scenery("floor", "floor", [floor], (0, 0, 0)),
        scenery("table", "table", [_table_top(), *_legs(frame)], (0, 0, 0)),
    )


def _table_top() -> Solid:
    size = (TABLE_X_M[1] - TABLE_X_M[0], TABLE_Y_M[1] - TABLE_Y_M[0], TABLE_THICK_M)
    middle = (sum(TABLE_X_M) / 2, sum(TABLE_Y_M) / 2, -TABLE_THICK_M / 2)
    return Solid("box", size, middle, surface="table", specular=0.3)


def _legs(colour: tuple[float, float, float]) -> list[Solid]:
    height = -FLOOR_Z_M - TABLE_THICK_M
    return [
        block((0.06, 0.06, height), (x, y, FLOOR_Z_M + height / 2), colour)
        for x in (TABLE_X_M[0] + 0.06, TABLE_X_M[1] - 0.06)
        for y in (TABLE_Y_M[0] + 0.06, TABLE_Y_M[1] - 0.06)
    ]


def _on_wall(y: float, z: float) -> Vector3:
    return (WALL_X_M, y, z)


def _at_back(y: float, ahead_m: float = 0.12) -> Vector3:
    """A spot on the table, so far from its edge at the wall."""
    return (TABLE_X_M[0] + ahead_m, y, 0.0)


def _workshop(side: int, night: bool, random: Random) -> Sequence[Prop]:
    wood = pick(random, (WOOD, (0.52, 0.53, 0.55)))
    tins: tuple[Ware, ...] = (
        ("container", clutter.jar, (0.09, 0.10, 0.12)),
        ("container", things.bottle, (0.07, 0.07, 0.18)),
    )
    board = _on_wall(0.62 * side, 0.50)
    return (
        furniture.tool_board(_on_wall(-0.40 * side, 0.42), random),
        furniture.bins(_at_back(0.64 * side, 0.09), random),
        furniture.shelf(board, 0.60, wood),
        *furniture.row(board, 0.60, tins, random),
        furniture.desk_lamp(_at_back(-0.62 * side), night, random),
    )


def _kitchen(side: int, night: bool, random: Random) -> Sequence[Prop]:
    wood = pick(random, (WOOD, (0.84, 0.70, 0.52), WHITE))
    crockery: tuple[Ware, ...] = (
        ("container", clutter.jar, (0.10, 0.10, 0.15)),
        ("container", things.mug, (0.09, 0.09, 0.10)),
        ("container", things.bowl, (0.15, 0.15, 0.08)),
        ("vegetation", clutter.plant, (0.14, 0.14, 0.20)),
        ("container", things.bottle, (0.07, 0.07, 0.22)),
    )
    board = _on_wall(-0.52 * side, 0.47)
    herbs = clutter.plant((0.24, 0.24, 0.36), None, random)
    return (
        furniture.shelf(board, 0.80, wood),
        *furniture.row(board, 0.80, crockery, random),
        furniture.rail(_on_wall(-0.56 * side, 0.40), random),
        scenery("herbs", "vegetation", herbs, _at_back(0.56 * side)),
        furniture.window(_on_wall(0.80 * side, 0.55), night, random),
    )


def _lab(side: int, night: bool, random: Random) -> Sequence[Prop]:
    reagents: tuple[Ware, ...] = (
        ("container", things.bottle, (0.08, 0.08, 0.19)),
        ("container", clutter.flask, (0.10, 0.10, 0.15)),
        ("container", clutter.jar, (0.09, 0.09, 0.13)),
    )
    boards = [_on_wall(-0.50 * side, z) for z in (0.30, 0.55)]
    return (
        *(furniture.shelf(board, 0.84, (0.84, 0.86, 0.87)) for board in boards),
        *(ware for board in boards for ware in furniture.row(board, 0.84, reagents, random)),
        furniture.monitor(_at_back(0.60 * side, 0.16), -0.25 * side, random),
        furniture.microscope(_at_back(-0.72 * side, 0.13)),
        furniture.window(_on_wall(0.80 * side, 0.55), night, random),
    )


def _office(side: int, night: bool, random: Random) -> Sequence[Prop]:
    wood = pick(random, (WOOD, (0.86, 0.76, 0.62), WHITE, DARK))
    small = clutter.plant((0.15, 0.15, 0.20), None, random)
    tall = clutter.plant((0.30, 0.30, 0.44), None, random)
    return (
        furniture.monitor(_at_back(-0.55 * side, 0.16), 0.22 * side, random),
        furniture.shelf(_on_wall(-0.62 * side, 0.56), 0.62, wood),
        furniture.books(_on_wall(-0.70 * side, 0.56), 0.40, random),
        scenery("small_plant", "vegetation", small, (WALL_X_M + 0.085, -0.40 * side, 0.56)),
        scenery("tall_plant", "vegetation", tall, _at_back(0.80 * side, 0.14)),
        furniture.picture(_on_wall(0.26 * side, 0.48), random),
        furniture.desk_lamp(_at_back(0.50 * side), night, random),
        furniture.window(_on_wall(0.80 * side, 0.55), night, random),
    )


FURNISH: Mapping[str, Furnish] = {
    "workshop_bench": _workshop,
    "kitchen_table": _kitchen,
    "lab_bench": _lab,
    "office_desk": _office,
}
"""By the catalogue's place: what stands and hangs behind the arm."""


def daylight(side: int, random: Random) -> Light:
    """Light from high on the window's side, which also reaches the wall."""
    towards_wall, steep = float(random.uniform(0.3, 0.75)), float(random.uniform(0.65, 0.95))
    warmth = float(random.uniform(-0.05, 0.06))
    lighting = Lighting(
        direction=(-towards_wall, -0.6 * side, -steep),
        sun=(0.76 + warmth, 0.72, 0.64 - warmth),
        sky=(0.52, 0.56, 0.62),
        ground=(0.44, 0.42, 0.40),
        exposure=0.94,
        contact=0.75,
        contact_height_m=0.12,
        shadow_area_m=SHADOW_AREA_M,
        shadow_height_m=0.5,
    )
    return Light(lighting, (), Grade(contrast=1.06, saturation=1.08, bloom=0.15, vignette=0.18))


def lamplight(side: int, random: Random) -> Light:
    """A warm lamp over the table, the rest of the room cool and dim."""
    y, warmth = side * float(random.uniform(0.25, 0.55)), float(random.uniform(-0.06, 0.06))
    lighting = Lighting(
        direction=(0.1, -0.5 * y, -1.0),
        sun=(0.54 + warmth, 0.45, 0.32 - warmth),
        sky=(0.17, 0.20, 0.31),
        ground=(0.16, 0.14, 0.15),
        exposure=1.1,
        contact=0.8,
        contact_height_m=0.12,
        shadow_area_m=SHADOW_AREA_M,
        shadow_height_m=0.5,
    )
    pool = Lamp((0.25, y, 1.0), (0.56 + warmth, 0.45, 0.29 - warmth), 1.5)
    return Light(lighting, (pool,), Grade(contrast=1.08, saturation=1.1, bloom=0.35, vignette=0.3))
