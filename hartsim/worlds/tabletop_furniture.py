"""What stands and hangs behind the arm: windows, shelves, tools, monitors, lamps.

Pieces for the wall are made round a point of it, with x standing out from the wall; pieces for the
table round a point of its surface. Nothing here is an instance: it is scenery with class labels.
"""

import math
from collections.abc import Sequence

from hartsim.types import Pose, Vector3
from hartsim.worlds import tabletop_meshes as meshes
from hartsim.worlds.meshes import turn
from hartsim.worlds.solids import ball, block, body, darker, drum, pick, rod
from hartsim.worlds.stage import Colour, Prop, Solid
from hartsim.worlds.tabletop_clutter import BRIGHT
from hartsim.worlds.tabletop_props import CLOTHS, DARK, STEEL, WHITE, WOOD, Draw, Random, panel

Ware = tuple[str, Draw, Vector3]
"""Something for a shelf: its class, what draws it, its size."""

SHELF_DEEP_M = 0.17
_DAY_BANDS = ((0.62, 0.80, 0.95), (0.76, 0.88, 0.97), (0.88, 0.94, 0.96), (0.62, 0.74, 0.52))
_NIGHT_BANDS = ((0.05, 0.07, 0.15), (0.07, 0.09, 0.19), (0.11, 0.12, 0.22), (0.05, 0.06, 0.09))
_LIT_WINDOWS = ((1.0, 0.82, 0.45), (0.95, 0.92, 0.80), (0.98, 0.66, 0.32))
_BOARDS = ((0.22, 0.40, 0.44), (0.80, 0.64, 0.28), (0.72, 0.74, 0.74), (0.50, 0.24, 0.20))
_ENAMEL: Colour = (0.90, 0.90, 0.89)
_FACING = turn((0.0, 1.0, 0.0), math.pi / 2)
"""Lays a drum's axis along x, out of the wall."""


def scenery(
    name: str, class_name: str, solids: Sequence[Solid], at: Vector3, heading_rad: float = 0.0
) -> Prop:
    """A prop that nothing counts; its name cannot be that of a scenario's object."""
    return Prop(f"room.{name}", class_name, tuple(solids), Pose(at, heading_rad))


def window(at: Vector3, night: bool, random: Random) -> Prop:
    """A window with what is outside: sky in bands of colour, trees by day, lit windows by night."""
    wide, tall = 0.62, 0.80
    panes = [
        block((0.004, wide, tall / 4), (0.004, 0, tall * (0.375 - 0.25 * band)), colour, glow=1.0)
        for band, colour in enumerate(_NIGHT_BANDS if night else _DAY_BANDS)
    ]
    for _ in range(9 if night else 5):
        across, up = random.uniform(-0.44, 0.44) * wide, random.uniform(-0.46, -0.2) * tall
        size = (0.008, 0.02, 0.02) if night else (0.008, 0.16, 0.12)
        colour = pick(random, _LIT_WINDOWS) if night else (0.44, 0.60, 0.38)
        panes.append(block(size, (0.004, across, up), colour, glow=1.0))
    wood = pick(random, (WHITE, (0.48, 0.33, 0.22), (0.28, 0.30, 0.33)))
    bars = [
        block((0.03, wide + 0.04, 0.03), (0.014, 0, up * tall), wood) for up in (-0.5, 0.05, 0.5)
    ]
    posts = [block((0.03, 0.03, tall), (0.014, y * wide, 0), wood) for y in (-0.5, 0.0, 0.5)]
    sill = block((0.10, wide + 0.12, 0.025), (0.044, 0, -tall / 2 - 0.02), wood, bevel_m=0.004)
    return scenery("window", "wall", [*panes, *bars, *posts, sill], at)


def shelf(at: Vector3, wide: float, wood: Colour) -> Prop:
    """A board on two brackets, its top at `at`."""
    out = SHELF_DEEP_M / 2
    board = block((SHELF_DEEP_M, wide, 0.022), (out, 0, -0.011), wood, bevel_m=0.003)
    brackets = [
        block((0.14, 0.015, 0.05), (out - 0.01, side * 0.38 * wide, -0.035), darker(wood, 0.7))
        for side in (-1, 1)
    ]
    return scenery("shelf", "other", [board, *brackets], at)


def row(at: Vector3, wide: float, wares: Sequence[Ware], random: Random) -> list[Prop]:
    """Wares side by side on a shelf, as many as fit."""
    x, y, z = at
    placed: list[Prop] = []
    along = 0.03
    while True:
        class_name, draw, (length, width, height) = wares[int(random.integers(len(wares)))]
        along += float(random.uniform(0.008, 0.03))
        if along + width > wide - 0.02:
            return placed
        size = (length, width, height * float(random.uniform(0.9, 1.1)))
        spot = (x + SHELF_DEEP_M / 2, y - wide / 2 + along + width / 2, z)
        placed.append(scenery("ware", class_name, draw(size, None, random), spot))
        along += width


def books(at: Vector3, wide: float, random: Random) -> Prop:
    """Books standing side by side on a shelf."""
    solids: list[Solid] = []
    along = -wide / 2 + 0.02
    while along < wide / 2 - 0.05:
        thick, tall = float(random.uniform(0.018, 0.045)), float(random.uniform(0.15, 0.22))
        cloth = darker(pick(random, (*BRIGHT, *CLOTHS)), 0.9)
        lean = turn((1.0, 0.0, 0.0), float(random.uniform(-0.03, 0.03)))
        middle = along + thick / 2
        label = (0.142, 0.7 * thick, 0.02)
        solids += [
            block((0.14, thick, tall), (0.085, middle, tall / 2), cloth, lean, bevel_m=0.002),
            block(label, (0.085, middle, 0.75 * tall), (0.92, 0.88, 0.76), lean),
        ]
        along += thick + 0.002
    return scenery("books", "other", solids, at)


def tool_board(at: Vector3, random: Random) -> Prop:
    """A painted board with hand tools hung in a row."""
    board = block(
        (0.02, 0.86, 0.56), (0.012, 0, 0), pick(random, _BOARDS), bevel_m=0.003, class_name="other"
    )
    solids = [board, *_hammer(-0.36), *_saw(-0.21), *_spanner(0.18), *_pliers(0.30, random)]
    for across in (-0.07, -0.005, 0.06):
        handle = pick(random, BRIGHT)
        solids.append(rod((0.032, across, 0.06), (0.032, across, 0.15), 0.026, handle, gloss=0.6))
        solids.append(rod((0.032, across, 0.05), (0.032, across, -0.09), 0.008, STEEL, gloss=0.9))
    return scenery("tool_board", "tool", solids, at)


def _hammer(y: float) -> Sequence[Solid]:
    return (
        rod((0.032, y, -0.16), (0.032, y, 0.14), 0.024, WOOD),
        block((0.03, 0.12, 0.035), (0.032, y, 0.17), STEEL, bevel_m=0.004, gloss=0.8),
    )


def _saw(y: float) -> Sequence[Solid]:
    # Turned a third about the cube's diagonal, the blade's x, y, z point along y, z, x.
    hanging = (0.5, 0.5, 0.5, 0.5)
    blade = meshes.slab("trapeze")
    return (
        body(blade, (0.11, 0.30, 0.006), (0.032, y, -0.02), STEEL, hanging, gloss=0.9),
        block((0.02, 0.10, 0.09), (0.032, y, 0.17), WOOD, bevel_m=0.008),
    )


def _spanner(y: float) -> Sequence[Solid]:
    rings = [
        body(meshes.ring(0.3), (wide, wide, 0.014), (0.032, y, up), STEEL, _FACING, gloss=0.9)
        for wide, up in ((0.07, 0.15), (0.06, -0.15))
    ]
    shaft = block((0.012, 0.03, 0.26), (0.032, y, 0), STEEL, bevel_m=0.003, gloss=0.9)
    return (shaft, *rings)


def _pliers(y: float, random: Random) -> Sequence[Solid]:
    grip = pick(random, BRIGHT)
    handles = [
        rod((0.032, y + s * 0.01, 0.10), (0.032, y + s * 0.035, -0.14), 0.022, grip, gloss=0.4)
        for s in (-1, 1)
    ]
    jaws = block((0.02, 0.05, 0.09), (0.032, y, 0.14), STEEL, bevel_m=0.006, gloss=0.8)
    return (*handles, jaws)


def bins(at: Vector3, random: Random) -> Prop:
    """A rack of open plastic bins standing on the bench."""
    solids = [block((0.02, 0.48, 0.28), (-0.09, 0, 0.14), (0.36, 0.38, 0.41))]
    for level in range(3):
        tint = pick(random, BRIGHT)
        for column in range(4):
            x, y, z = -0.01 * level, (column - 1.5) * 0.115, 0.045 + 0.085 * level
            solids += [
                block((0.13, 0.105, 0.07), (x, y, z), tint, bevel_m=0.004, gloss=0.3),
                block((0.075, 0.088, 0.03), (x + 0.03, y, z + 0.022), darker(tint, 0.4)),
            ]
    return scenery("bins", "container", solids, at)


def monitor(at: Vector3, heading_rad: float, random: Random) -> Prop:
    """A lit monitor on a stand."""
    case = pick(random, (DARK, (0.82, 0.83, 0.84)))
    solids = [
        block((0.17, 0.22, 0.012), (-0.02, 0, 0.006), case, bevel_m=0.003, gloss=0.4),
        block((0.025, 0.06, 0.24), (-0.045, 0, 0.13), case, gloss=0.3),
        block((0.025, 0.56, 0.34), (-0.012, 0, 0.31), case, bevel_m=0.004, gloss=0.3),
        *panel(0.53, 0.31, (0.003, 0.0, 0.31), (1.0, 0.0, 0.0, 0.0), random),
    ]
    return scenery("monitor", "electronics", solids, at, heading_rad)


def picture(at: Vector3, random: Random) -> Prop:
    """A framed print of hills under a sun."""
    wide, tall = 0.36, 0.46
    paper = pick(random, ((0.94, 0.90, 0.82), (0.90, 0.80, 0.66), (0.80, 0.88, 0.90)))
    sun, near, far = (BRIGHT[index] for index in random.permutation(len(BRIGHT))[:3])
    frame = pick(random, (DARK, WOOD, WHITE))
    solids = [
        block((0.02, wide, tall), (0.012, 0, 0), frame, bevel_m=0.003),
        block((0.004, 0.88 * wide, 0.9 * tall), (0.023, 0, 0), paper),
        drum(0.12, 0.004, (0.025, 0.05, 0.08), sun, _FACING),
        block((0.004, 0.88 * wide, 0.16), (0.0265, 0, -0.127), darker(far, 0.9)),
        block((0.004, 0.88 * wide, 0.09), (0.028, 0, -0.162), darker(near, 0.8)),
    ]
    return scenery("picture", "other", solids, at)


def desk_lamp(at: Vector3, lit: bool, random: Random) -> Prop:
    """A jointed lamp whose head reaches over the work."""
    colour = pick(random, (*BRIGHT, DARK, WHITE))
    inward = -0.10 * math.copysign(1, at[1])
    elbow, head = (-0.05, 0.0, 0.30), (0.13, inward, 0.48)
    bulb = (1.0, 0.86, 0.58) if lit else (0.90, 0.88, 0.82)
    tilt = turn((0.0, 1.0, 0.0), -0.5)
    solids = [
        drum(0.15, 0.025, (0, 0, 0.0125), colour, gloss=0.5),
        rod((0, 0, 0.02), elbow, 0.016, STEEL, gloss=0.8),
        rod(elbow, head, 0.016, STEEL, gloss=0.8),
        body(meshes.turned("shade"), (0.15, 0.15, 0.12), head, colour, tilt, gloss=0.5),
        ball((0.09, 0.09, 0.05), (0.155, inward, 0.425), bulb, glow=float(lit)),
    ]
    return scenery("lamp", "light", solids, at)


def rail(at: Vector3, random: Random) -> Prop:
    """A kitchen rail with a ladle, two turners and a pan."""
    iron = pick(random, ((0.16, 0.16, 0.18), (0.76, 0.40, 0.22)))
    solids = [
        rod((0.035, -0.30, 0), (0.035, 0.30, 0), 0.012, STEEL, gloss=0.9),
        ball((0.05, 0.075, 0.06), (0.035, -0.24, -0.22), STEEL, gloss=0.9),
        rod((0.035, 0.18, -0.01), (0.035, 0.18, -0.12), 0.018, DARK),
        drum(0.19, 0.03, (0.035, 0.18, -0.20), iron, _FACING, gloss=0.6),
        drum(0.165, 0.034, (0.036, 0.18, -0.20), darker(iron, 0.7), _FACING, gloss=0.6),
    ]
    for across in (-0.24, -0.12, 0.0):
        handle = pick(random, (WOOD, DARK, STEEL))
        solids.append(rod((0.035, across, -0.01), (0.035, across, -0.20), 0.012, handle))
        if across > -0.24:
            blade = (0.008, 0.06, 0.09)
            solids.append(block(blade, (0.035, across, -0.23), handle, bevel_m=0.003))
    return scenery("rail", "tool", solids, at)


def microscope(at: Vector3) -> Prop:
    """A microscope."""
    lean = turn((0.0, 1.0, 0.0), 0.5)
    across = turn((1.0, 0.0, 0.0), math.pi / 2)
    solids = [
        block((0.20, 0.14, 0.03), (0, 0, 0.015), _ENAMEL, bevel_m=0.008, gloss=0.4),
        block((0.05, 0.05, 0.24), (-0.06, 0, 0.14), _ENAMEL, bevel_m=0.012, gloss=0.4),
        block((0.13, 0.12, 0.015), (0.02, 0, 0.11), DARK, bevel_m=0.003),
        drum(0.05, 0.16, (0.01, 0, 0.27), _ENAMEL, lean, gloss=0.5),
        drum(0.034, 0.10, (0.01, 0, 0.18), STEEL, gloss=0.9),
        drum(0.04, 0.07, (-0.05, 0, 0.36), DARK, lean, gloss=0.5),
        drum(0.05, 0.16, (-0.06, 0, 0.08), DARK, across),
    ]
    return scenery("microscope", "electronics", solids, at)
