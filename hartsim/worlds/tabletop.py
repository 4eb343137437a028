"""The table top: a robot arm on a table in a room, with a scenario's things on it and clutter.

`build` is a pure function from a setup to a stage. The frame is the robot base's: origin on the
table's surface at the arm's foot, x ahead over the table, y left, z up.
"""

import math
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hartsim.errors import WorldError
from hartsim.scenario.compiled import PlacedObject, WorldSetup
from hartsim.scenario.surroundings import PLACES
from hartsim.types import Box3D, Image, Instance, Pose, Size, Vector3
from hartsim.worlds import tabletop_clutter
from hartsim.worlds import tabletop_rooms as rooms
from hartsim.worlds.arm import ARM, ArmState, skeleton, solve
from hartsim.worlds.arm_body import LIVERIES, arm_instance, arm_prop, link_frames
from hartsim.worlds.looks import coarse_at
from hartsim.worlds.solids import srgb
from hartsim.worlds.stage import Lamp, Prop, Stage, Weather
from hartsim.worlds.tabletop_hazards import HAZARDS
from hartsim.worlds.tabletop_hot import GLOWS
from hartsim.worlds.tabletop_props import Draw, Random
from hartsim.worlds.tabletop_rooms import TABLE_X_M, TABLE_Y_M
from hartsim.worlds.tabletop_textures import material
from hartsim.worlds.tabletop_things import THINGS
from hartsim.worlds.tabletop_wares import WARES

SURFACES: Mapping[str, Size] = {
    "table": (256, 256),
    "wall": (256, 256),
    "floor": (256, 256),
    "box": (128, 128),
}
DRAWN: Mapping[str, Draw] = {**HAZARDS, **THINGS, **WARES}
KINDS = frozenset(DRAWN)

TILE_M: Mapping[str, tuple[float, float]] = {
    "table": (0.8, 0.8),
    "wall": (1.0, 1.0),
    "floor": (1.1, 1.1),
    "box": (0.0, 0.0),
}
ARM_ID = 1
"""The arm's number among the instances."""
NEAREST_M = 0.3
CLUTTER_FROM_X_M = -0.28
"""Nearer to the wall stands the room's furniture."""

_VARIANTS = 6
"""How many pictures of each material there are; making one takes about 15 ms, the first time."""


def build(setup: WorldSetup, sharpness: float = 1.0) -> Stage:
    """Everything to see of a table-top scene; the same setup gives the same stage.

    With less than full `sharpness` things lose what so small a picture does not show.

    Raises WorldError for a place or a kind that the table top cannot draw.
    """
    place, night = setup.conditions.place, setup.conditions.time_of_day == "night"
    if place not in rooms.FURNISH:
        known = ", ".join(sorted(rooms.FURNISH))
        raise WorldError(f"the table top has no place '{place}'; there are: {known}")
    side = 1 if _own_random(setup, "side").integers(2) else -1
    furnish, light = rooms.FURNISH[place], rooms.lamplight if night else rooms.daylight
    room = (
        *rooms.shell(_own_random(setup, "shell")),
        *furnish(side, night, _own_random(setup, "furniture")),
    )
    asked = [_placed(each, number + 2, setup) for number, each in enumerate(setup.objects)]
    state = start(setup)
    scattered = _clutter(setup, len(setup.objects) + 2)
    lit = light(side, _own_random(setup, "light"))
    props = (*room, arm(setup, state), *asked, *scattered)
    return Stage(
        props=tuple(_coarse(prop, setup, sharpness) for prop in props),
        textures=_textures(place, _own_random(setup, "materials")),
        sky=np.full((2, 2, 3), 120, np.uint8),
        lighting=lit.lighting,
        weather=Weather(),
        cameras=setup.cameras,
        tile_m=TILE_M,
        lamps=(*lit.lamps, *_glows(setup.objects)),
        grade=lit.grade,
        has_sky=False,
    )


def _textures(place: str, random: Random) -> dict[str, Image]:
    """One of the place's materials, as the catalogue has them, for each paintable surface."""
    materials = PLACES[place].materials
    return {
        surface: material(
            materials[surface][int(random.integers(len(materials[surface])))],
            int(random.integers(_VARIANTS)),
        )
        for surface in SURFACES
    }


def _own_random(setup: WorldSetup, name: str) -> Random:
    """A generator for one thing alone, so that adding another thing leaves it as it is."""
    return np.random.default_rng([setup.decor_seed, zlib.crc32(name.encode())])


def _foot(box: Box3D) -> Pose:
    """Where a box's footprint has its centre."""
    x, y, z = box.centre_m
    return Pose((x, y, z - box.size_m[2] / 2), box.heading_rad)


def _placed(each: PlacedObject, number: int, setup: WorldSetup) -> Prop:
    if each.kind not in DRAWN:
        known = ", ".join(sorted(DRAWN))
        raise WorldError(f"{each.name}: the table top cannot draw '{each.kind}'; it draws: {known}")
    colour = srgb(each.colour) if each.colour is not None else None
    solids = DRAWN[each.kind](each.box.size_m, colour, _own_random(setup, each.name))
    instance = Instance(
        number, each.name, each.kind, each.class_name, each.hazard, each.tags, each.box
    )
    return Prop(each.name, each.class_name, tuple(solids), _foot(each.box), instance)


def _glows(objects: Iterable[PlacedObject]) -> list[Lamp]:
    """The light that glowing things throw on what is near."""
    return [Lamp(_above(each.box), *GLOWS[each.kind]) for each in objects if each.kind in GLOWS]


def _above(box: Box3D) -> Vector3:
    x, y, z = box.centre_m
    return (x, y, z + box.size_m[2] / 2 + 0.05)


@lru_cache(maxsize=8)
def start(setup: WorldSetup) -> ArmState:
    """Where the arm waits: of a few places, the one that hides least of the scenario's things."""
    random = _own_random(setup, "arm")
    best, least = ArmState((0.30, 0.0, 0.30)), math.inf
    for _ in range(16):
        r, angle = random.uniform(0.24, 0.52), random.uniform(-1.2, 1.2)
        at = (r * math.cos(angle), r * math.sin(angle), random.uniform(0.14, 0.32))
        state = ArmState(at, random.uniform(-1.2, 1.2), random.uniform(0.03, 0.08))
        cost = _hides(state, setup.objects) + 0.12 * abs(r - 0.42)
        if cost < least:
            best, least = state, cost
    return best


def _hides(state: ArmState, objects: Sequence[PlacedObject]) -> float:
    """How much of the table's things the arm covers, seen from above."""
    shoulder, elbow, wrist, tip = skeleton(solve(state))
    t = np.linspace(0, 1, 6)[:, None]
    links = np.vstack([wrist + t * (elbow - wrist), elbow + t * (shoulder - elbow), tip[None]])
    return float(np.maximum(_clearances(links[:, :2], objects), 0).sum())


def _clearances(spots: NDArray[np.float64], objects: Sequence[PlacedObject]) -> NDArray[np.float64]:
    """For each object how much closer than it should the nearest of the spots (N, 2) is."""
    centres = np.array([each.box.centre_m[:2] for each in objects]).reshape(-1, 1, 2)
    reach = np.array([0.16 + 0.4 * max(each.box.size_m[:2]) for each in objects])
    return np.asarray(reach - np.linalg.norm(spots - centres, axis=2).min(axis=1, initial=9.0))


def _coarse(prop: Prop, setup: WorldSetup, sharpness: float) -> Prop:
    """The prop as finely as the nearest of the cameras sees it."""
    if sharpness == 1:
        return prop
    middle = prop.instance.box.centre_m if prop.instance else prop.pose.position_m
    nearest_m = min((math.dist(each.position_m, middle) for each in setup.cameras), default=1.0)
    return replace(prop, coarse_m=coarse_at(max(nearest_m, NEAREST_M), sharpness))


def arm(setup: WorldSetup, state: ArmState) -> Prop:
    """The arm of this setup, in this state; always instance 1."""
    livery = LIVERIES[int(_own_random(setup, "livery").integers(len(LIVERIES)))]
    return arm_prop(state, livery, ARM_ID)


Bender = Callable[[ArmState], tuple[Prop, NDArray[np.float64]]]


def bender(setup: WorldSetup) -> Bender:
    """A function from a state to the arm as an empty prop, and how its links got there (7, 4, 4).

    The motions lead from the frame of the stage's arm, which is in the state of `start`, to the
    base frame.
    """
    first = link_frames(start(setup))
    before = np.linalg.inv(first) @ first[0]

    def bend(state: ArmState) -> tuple[Prop, NDArray[np.float64]]:
        instance, pose = arm_instance(state, ARM_ID)
        return Prop(ARM, "robot", (), pose, instance), link_frames(state) @ before

    return bend


def _clutter(setup: WorldSetup, first: int) -> list[Prop]:
    """Things that lie about, clear of the scenario's, of each other and of the arm's foot."""
    random = _own_random(setup, "clutter")
    pieces = tabletop_clutter.pieces_of(setup.conditions.place)
    taken = [_disc(each.box) for each in setup.objects] + [(0.0, 0.0, 0.20)]
    scattered: list[Prop] = []
    wanted = round(setup.clutter * 14)
    for _ in range(wanted * 6):
        if len(scattered) == wanted:
            break
        piece = pieces[int(random.integers(len(pieces)))]
        size = tabletop_clutter.rolled(piece, random)
        radius = math.hypot(size[0], size[1]) / 2
        x = float(random.uniform(CLUTTER_FROM_X_M + radius, TABLE_X_M[1] - radius))
        y = float(random.uniform(TABLE_Y_M[0] + radius, TABLE_Y_M[1] - radius))
        disc = (x, y, radius)
        if not _free(disc, taken) or _stands_before(x, y, size, setup.objects):
            continue
        taken.append(disc)
        box = Box3D((x, y, size[2] / 2), size, float(random.uniform(-math.pi, math.pi)))
        scattered.append(_lying(piece, box, first + len(scattered), random))
    return scattered


def _lying(piece: tabletop_clutter.Piece, box: Box3D, number: int, random: Random) -> Prop:
    name = f"clutter.{piece.kind}_{number}"
    instance = Instance(number, name, piece.kind, piece.class_name, False, (), box)
    solids = tuple(piece.draw(box.size_m, None, random))
    return Prop(name, piece.class_name, solids, _foot(box), instance)


def _disc(box: Box3D) -> tuple[float, float, float]:
    return (box.centre_m[0], box.centre_m[1], math.hypot(box.size_m[0], box.size_m[1]) / 2)


def _free(disc: tuple[float, float, float], taken: Iterable[tuple[float, float, float]]) -> bool:
    x, y, radius = disc
    return all(math.hypot(x - a, y - b) > radius + other + 0.015 for a, b, other in taken)


def _stands_before(x: float, y: float, size: Vector3, objects: Iterable[PlacedObject]) -> bool:
    """Whether something tall would stand between one of these objects and a camera ahead of it."""
    if size[2] < 0.05:
        return False
    shade, wide = 1.4 * size[2] + 0.05, max(size[:2]) / 2
    return any(
        -0.05 < x - each.box.centre_m[0] < shade + each.box.size_m[0] / 2
        and abs(y - each.box.centre_m[1]) < wide + each.box.size_m[1] / 2 + 0.03
        for each in objects
    )
