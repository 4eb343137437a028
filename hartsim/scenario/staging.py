"""What a sentence says, as a scenario: everything named gets a place and what it does.

What a sentence leaves open varies in its scenario, so that one sentence gives many pictures. Left
and right, near and far are meant as the front camera's picture shows them.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from hartsim.errors import ScenarioError
from hartsim.scenario.broad import SEEN_TANGENT
from hartsim.scenario.kinds import Facing, Kind, Zone
from hartsim.scenario.lexicon import words_of
from hartsim.scenario.schema import (
    DEFAULT_CAMERAS,
    Distribution,
    DrivingSpec,
    ObjectSpec,
    RobotSpec,
    Scenario,
    SceneSpec,
    misfit,
    rules_of,
)
from hartsim.scenario.surroundings import PLACES
from hartsim.types import Task

Span = tuple[float, float]

VEHICLES = frozenset({"car", "truck", "bus", "two_wheeler"})
"""Whoever wants none of these wants no traffic."""

AHEAD_M: Mapping[Task, Mapping[str, Span]] = {
    "driving": {"near": (6.5, 9.0), "": (9.0, 14.0), "far": (20.0, 28.0)},
    "robot": {"near": (0.58, 0.66), "": (0.44, 0.54), "far": (0.32, 0.38)},
}
"""What the coarse words mean; on the table, near is near the camera that faces the robot."""
ROAD_SIDES: Mapping[str, Span] = {"left": (0.16, 0.28), "right": (-0.28, -0.16)}
"""Metres to the left for each metre ahead."""
ZONE_LEFT_M: Mapping[Zone, Span] = {
    "lane": (-0.6, 0.8),
    "road": (-1.2, 1.8),
    "oncoming": (3.3, 3.7),
    "parked": (-3.4, -3.2),
    "verge": (-3.6, -2.8),
}
HEADING_DEG: Mapping[Facing, float] = {"along": 0.0, "against": 180.0, "across": 90.0, "any": 25.0}
APART_M = 5.0
"""How far behind each other things on the road stand, where the sentence does not say."""
ONCOMING_LEFT_M = 2.0
PARKED_AHEAD_M = (5.6, 6.2)
"""Where a vehicle is parked that hides something."""

# The camera faces the robot: what lies left in the picture has a negative `left_m`.
TABLE_LEFT_M: tuple[Span, ...] = ((-0.05, 0.05), (-0.26, -0.18), (0.18, 0.26), (-0.38, -0.34))
TABLE_COLUMNS: Mapping[str, int] = {"middle": 0, "left": 1, "right": 2}
TABLE_GAP_M = 0.12
COPY_GAP = 1.8
"""From one thing to the next of the same kind, in widths."""


SPEED_MPS: Mapping[str, float] = {"person": 1.8, "animal": 4.0, "two_wheeler": 4.5}
"""How fast things move that say no more than that they do."""
VEHICLE_MPS, TABLE_MPS, ROLLING_MPS = 11.0, 0.15, 2.5
SET_OFF_M: Mapping[str, float] = {"crosses": 18.0, "cuts_in": 25.0, "brakes": 30.0, "falls": 22.0}
"""How near the ego comes before something begins, where the sentence does not say."""
FALLING_FROM_M = 1.4
BESIDE_M = 0.5
LANE_SPREAD_M = 0.25


class Spot(NamedTuple):
    """Where a thing may stand, in metres."""

    ahead_m: Span
    left_m: Span


@dataclass(frozen=True)
class Thing:
    """A kind that a sentence names, with what it says about it.

    `distance` is `near`, `far` or metres; `lane` and `motion` are ids. `host` is the place, among
    the things named, of the one that it stands by, and `leaning` says how: `behind` or `beside`.
    """

    kind: Kind
    count: int = 1
    colour: str | None = None
    side: str = ""
    distance: str = ""
    lane: str = ""
    motion: str = ""
    host: int | None = None
    leaning: str = ""


@dataclass(frozen=True)
class Understood:
    """What a sentence says: `reach` is the place among the things of the one to be fetched.

    `unknown` are its words that name something not known here, and `passed_over` those that only
    tell how things are or what else they do.
    """

    text: str
    task: Task
    scene: SceneSpec
    things: tuple[Thing, ...]
    speed_mps: float | None = None
    reach: int | None = None
    unknown: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()
    place_named: bool = True


def scenario_of(said: Understood) -> Scenario:
    """The scenario that a sentence describes."""
    text, task, things = said.text, said.task, said.things
    no_traffic = any(not t.count and t.kind.class_name in VEHICLES for t in things)
    traffic = 0.0 if no_traffic else 0.5
    hazards: dict[str, ObjectSpec] = {}
    objects: dict[str, ObjectSpec] = {}
    vary: dict[str, Distribution] = {}
    reach: str | None = None
    for index, spot in _spots(said):
        thing = things[index]
        group, members = ("hazards", hazards) if thing.kind.hazard else ("objects", objects)
        name = f"{thing.kind.id}_{len(hazards) + len(objects) + 1}"
        members[name] = _object(thing, spot)
        if index == said.reach and reach is None:
            reach = name
        for axis, (low, high) in spot._asdict().items():
            if low < high:
                low, high = round(low, 3), round(high, 3)
                vary[f"{group}.{name}.{axis}"] = Distribution("uniform", low=low, high=high)
    speed_mps = DrivingSpec().speed_mps if said.speed_mps is None else round(said.speed_mps, 3)
    return Scenario(
        name="_".join(words_of(text)).replace(".", "_").replace("'", "")[:60],
        task=task,
        about=text,
        scene=said.scene,
        hazards=hazards,
        objects=objects,
        cameras=DEFAULT_CAMERAS[task],
        driving=DrivingSpec(speed_mps, traffic) if task == "driving" else None,
        robot=RobotSpec(reach) if task == "robot" else None,
        vary=vary,
        source="sentence",
        source_hash=hashlib.sha256(text.encode()).hexdigest(),
    )


def _object(thing: Thing, spot: Spot) -> ObjectSpec:
    left_m = sum(spot.left_m) / 2
    is_oncoming = thing.kind.task == "driving" and left_m > ONCOMING_LEFT_M
    spec = ObjectSpec(
        kind=thing.kind.id,
        ahead_m=round(sum(spot.ahead_m) / 2, 3),
        left_m=round(left_m, 3),
        heading_deg=HEADING_DEG[thing.kind.facing] + (180.0 if is_oncoming else 0.0),
        colour=thing.colour,
    )
    return _moving(spec, thing) if thing.motion else spec


def _moving(spec: ObjectSpec, thing: Thing) -> ObjectSpec:
    """The object with its motion; who crosses looks towards the middle of the road."""
    kind, motion = thing.kind, thing.motion
    speed_mps = TABLE_MPS if kind.task == "robot" else SPEED_MPS.get(kind.class_name, VEHICLE_MPS)
    if motion == "rolls" and kind.task == "driving":
        speed_mps = ROLLING_MPS
    heading_deg = spec.heading_deg
    if motion in ("crosses", "rolls") and kind.task == "driving":
        heading_deg = -90.0 if spec.left_m > 0 else 90.0
    return replace(
        spec,
        motion=motion,
        speed_mps=0.0 if motion in ("falls", "appears") else speed_mps,
        heading_deg=heading_deg,
        up_m=FALLING_FROM_M if motion == "falls" else 0.0,
        when_distance_m=SET_OFF_M.get(motion) if kind.task == "driving" else None,
    )


def _spots(said: Understood) -> Iterator[tuple[int, Spot]]:
    """Every single thing, by its place among those named, with its spot; hosts come first."""
    task, things = said.task, said.things
    hosts = {thing.host for thing in things}
    lanes_m = PLACES[said.scene.place].lanes_m
    spots: dict[int, Spot] = {}
    placed = 0
    for index in sorted(range(len(things)), key=lambda i: things[i].host is not None):
        thing = things[index]
        for copy in range(thing.count):
            if thing.host in spots:
                spot = _spot_by(thing, things[thing.host], spots[thing.host])
            elif task == "robot":
                spot = _table_spot(thing, placed)
            elif thing.lane in lanes_m:
                spot = _lane_spot(thing, lanes_m[thing.lane], placed - copy)
            elif index in hosts:
                spot = Spot(PARKED_AHEAD_M, ZONE_LEFT_M["parked"])
            else:
                spot = _road_spot(thing, placed - copy)
            if task == "driving" or thing.side:
                spot = _moved_left(spot, copy * COPY_GAP * thing.kind.size_m[1])
            spots.setdefault(index, spot)
            placed += 1
            yield index, spot


def _lane_spot(thing: Thing, middle_m: float, placed: int) -> Spot:
    """In the lane that the sentence names, far enough ahead to be in the picture."""
    spot = _road_spot(replace(thing, side="middle"), placed)
    nearest_m = abs(middle_m) / SEEN_TANGENT
    low_m, high_m = spot.ahead_m
    if not thing.distance[:1].isdigit():
        low_m, high_m = max(low_m, nearest_m), max(high_m, nearest_m + 3.0)
    return Spot((low_m, high_m), (middle_m - LANE_SPREAD_M, middle_m + LANE_SPREAD_M))


def _moved_left(spot: Spot, metres: float) -> Spot:
    return Spot(spot.ahead_m, (spot.left_m[0] + metres, spot.left_m[1] + metres))


def _spot_by(thing: Thing, host: Thing, spot: Spot) -> Spot:
    """Just beyond the host and towards the lane, or on the table next to it."""
    length_m, width_m, _ = host.kind.size_m
    if thing.kind.task == "driving" and thing.leaning == "beside":
        gap_m = BESIDE_M + (width_m + thing.kind.size_m[1]) / 2
        return _moved_left(spot, gap_m if sum(spot.left_m) < 0 else -gap_m)
    if thing.kind.task == "driving":
        beyond_m = spot.ahead_m[1] + length_m / 2
        return Spot((beyond_m + 0.5, beyond_m + 2.0), (-1.5, -0.4))
    host_left_m = sum(spot.left_m) / 2
    to_left = thing.side == "right" if thing.side else host_left_m <= 0
    centre_m = host_left_m + (1 if to_left else -1) * (TABLE_GAP_M + width_m / 2)
    return Spot(spot.ahead_m, (centre_m - 0.02, centre_m + 0.02))


def _road_spot(thing: Thing, placed: int) -> Spot:
    """As far ahead as the sentence says, else beyond what is placed; inside the picture."""
    low_m, high_m = _ahead_m(thing)
    if not thing.distance:
        low_m, high_m = low_m + APART_M * placed, high_m + APART_M * placed
    middle_m = (low_m + high_m) / 2
    if thing.side in ROAD_SIDES:
        left_m = [middle_m * share for share in ROAD_SIDES[thing.side]]
    else:
        left_m = list(ZONE_LEFT_M["lane" if thing.side else thing.kind.zone])
    most_m = SEEN_TANGENT * max(low_m, 1.0)
    right_end, left_end = (min(max(end, -most_m), most_m) for end in left_m)
    return Spot((low_m, high_m), (right_end, left_end))


def _table_spot(thing: Thing, placed: int) -> Spot:
    """On the row and side that the sentence names, else in the next column."""
    column = TABLE_COLUMNS.get(thing.side, placed % len(TABLE_LEFT_M))
    return Spot(_ahead_m(thing), TABLE_LEFT_M[column])


def _ahead_m(thing: Thing) -> Span:
    """The span that a coarse word means, or exactly the metres named."""
    if not thing.distance[:1].isdigit():
        return AHEAD_M[thing.kind.task][thing.distance]
    metres = float(thing.distance)
    problem = misfit(rules_of(ObjectSpec)["ahead_m"], metres, thing.kind.task)
    if problem:
        raise ScenarioError(f"{thing.distance} metres ahead: {problem}")
    return (metres, metres)
