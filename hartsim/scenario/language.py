"""An English sentence as a scenario, by the words that the catalogue knows.

What a sentence leaves open varies in its scenario, so that one sentence gives many pictures. Left
and right, near and far are meant as the front camera's picture shows them.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from hartsim.errors import ScenarioError
from hartsim.scenario.broad import SEEN_TANGENT
from hartsim.scenario.catalogue import ids_of
from hartsim.scenario.kinds import KINDS, Facing, Kind, Zone
from hartsim.scenario.lexicon import Role, Token, tokens_of, words_of
from hartsim.scenario.schema import (
    DEFAULT_CAMERAS,
    TASKS,
    Distribution,
    DrivingSpec,
    ObjectSpec,
    RobotSpec,
    Scenario,
    SceneSpec,
    misfit,
    rules_of,
)
from hartsim.scenario.words import suggestion
from hartsim.types import Task

Span = tuple[float, float]

TELLING: frozenset[Role] = frozenset({"kind", "kinds", "place", "weather", "time"})
DEFAULT_PLACE: Mapping[Task, str] = {"driving": "residential_street", "robot": "kitchen_table"}
VAGUE_PLACES = frozenset({"road", "street", "table", "bench", "desk"})
"""They name a place only where the sentence names no other."""
MOST_OF_A_KIND = 4
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
HEADING_DEG: Mapping[Facing, float] = {"along": 0.0, "across": 90.0, "any": 25.0}
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


class Meant(NamedTuple):
    """A phrase with its meaning for the task of the sentence."""

    role: Role
    value: str
    phrase: str


class Spot(NamedTuple):
    """Where a thing may stand, in metres."""

    ahead_m: Span
    left_m: Span


@dataclass(frozen=True)
class Thing:
    """A kind that the sentence names, with what it says about it.

    `distance` is `near`, `far` or metres; `host` is the place, among the things named, of the one
    that it stands behind (on a road) or beside (on a table).
    """

    kind: Kind
    count: int = 1
    colour: str | None = None
    side: str = ""
    distance: str = ""
    host: int | None = None


def parse_sentence(text: str) -> tuple[Scenario, list[str]]:
    """The scenario that a sentence describes, and its words that were not understood.

    ScenarioError where nothing is understood, or where it mixes things of a road and of a table.
    """
    tokens = tokens_of(text)
    task = _task_of(text, tokens)
    told = [Meant(*t.meanings[task], t.phrase) for t in tokens if task in t.meanings]
    meant = list(_without_the_absent(told))
    unknown = [token.phrase for token in tokens if task not in token.meanings]
    return _scenario(text, task, _scene(task, meant), _things(meant)), unknown


def _without_the_absent(meant: Sequence[Meant]) -> Iterator[Meant]:
    """What is meant, where `no cars` asks for none of them and `no rain` says nothing of rain."""
    absent = False
    for each in meant:
        if each.role == "none":
            absent = True
        elif absent and each.role in ("kind", "kinds"):
            yield Meant("count", "0", each.phrase)
            yield each
            absent = False
        elif absent and each.role in TELLING:
            absent = False
        else:
            yield each


def _task_of(text: str, tokens: Sequence[Token]) -> Task:
    """The task to which all that is named belongs."""
    telling = [t for t in tokens if any(role in TELLING for role, _ in t.meanings.values())]
    if not telling:
        raise ScenarioError(
            f"nothing in '{text}' is known; name a hazard, a place, a weather or a time of day, "
            "like 'a deer on a snowy road at night'"
        )
    only = {task: [t.phrase for t in telling if list(t.meanings) == [task]] for task in TASKS}
    if only["driving"] and only["robot"]:
        raise ScenarioError(
            f"'{only['driving'][0]}' belongs to a road and '{only['robot'][0]}' to a table; "
            "a sentence describes one scene"
        )
    return "robot" if only["robot"] else "driving"


def _scene(task: Task, meant: Sequence[Meant]) -> SceneSpec:
    """Where and when: the first place, weather and time named; a vague place only if need be."""
    places = [m for m in meant if m.role == "place"]
    places.sort(key=lambda m: m.phrase in VAGUE_PLACES)
    first = {m.role: m.value for m in reversed(meant)}
    weather, time = first.get("weather", "clear"), first.get("time", "day")
    for word, known in ((weather, ids_of("weather", task)), (time, ids_of("time_of_day", task))):
        if word not in known:
            raise ScenarioError(f"no {task} scene has '{word}'; {suggestion(word, known)}")
    return SceneSpec(places[0].value if places else DEFAULT_PLACE[task], weather, time)


def _things(meant: Sequence[Meant]) -> list[Thing]:
    """The things named, each with the words just before it, or after it and before the next."""
    things: list[Thing] = []
    waiting: dict[str, Any] = {}
    has_host = False
    for role, value, _ in meant:
        match role:
            case "kind" | "kinds":
                if has_host and things:
                    things[-1] = replace(things[-1], host=len(things))
                waiting.setdefault("count", 1 if role == "kind" else 2)
                things.append(Thing(KINDS[value], **waiting))
                waiting, has_host = {}, False
            case "host":
                has_host = True
            case "count":
                waiting["count"] = min(int(float(value)), MOST_OF_A_KIND)
            case "colour":
                waiting["colour"] = value
            case "dressed" if things:
                things[-1] = replace(things[-1], colour=value)
            case "side" | "distance" if things:
                about: dict[str, Any] = {role: value}
                things[-1] = replace(things[-1], **about)
            case "side" | "distance":
                waiting[role] = value
    return things


def _scenario(text: str, task: Task, scene: SceneSpec, things: Sequence[Thing]) -> Scenario:
    no_traffic = any(not t.count and t.kind.class_name in VEHICLES for t in things)
    hazards: dict[str, ObjectSpec] = {}
    objects: dict[str, ObjectSpec] = {}
    vary: dict[str, Distribution] = {}
    for thing, spot in _spots(task, things):
        group, members = ("hazards", hazards) if thing.kind.hazard else ("objects", objects)
        name = f"{thing.kind.id}_{len(hazards) + len(objects) + 1}"
        members[name] = _object(thing, spot)
        for axis, (low, high) in spot._asdict().items():
            if low < high:
                vary[f"{group}.{name}.{axis}"] = Distribution("uniform", low=low, high=high)
    return Scenario(
        name="_".join(words_of(text)).replace(".", "_").replace("'", "")[:60],
        task=task,
        about=text,
        scene=scene,
        hazards=hazards,
        objects=objects,
        cameras=DEFAULT_CAMERAS[task],
        driving=DrivingSpec(traffic=0.0 if no_traffic else 0.5) if task == "driving" else None,
        robot=RobotSpec() if task == "robot" else None,
        vary=vary,
        source="sentence",
        source_hash=hashlib.sha256(text.encode()).hexdigest(),
    )


def _object(thing: Thing, spot: Spot) -> ObjectSpec:
    left_m = sum(spot.left_m) / 2
    is_oncoming = thing.kind.task == "driving" and left_m > ONCOMING_LEFT_M
    return ObjectSpec(
        kind=thing.kind.id,
        ahead_m=sum(spot.ahead_m) / 2,
        left_m=left_m,
        heading_deg=HEADING_DEG[thing.kind.facing] + (180.0 if is_oncoming else 0.0),
        colour=thing.colour,
    )


def _spots(task: Task, things: Sequence[Thing]) -> Iterator[tuple[Thing, Spot]]:
    """Every single thing with its spot; those with a host come after it."""
    hosts = {thing.host for thing in things}
    spots: dict[int, Spot] = {}
    placed = 0
    for index in sorted(range(len(things)), key=lambda i: things[i].host is not None):
        thing = things[index]
        for copy in range(thing.count):
            if thing.host in spots:
                spot = _spot_by(thing, things[thing.host], spots[thing.host])
            elif task == "robot":
                spot = _table_spot(thing, placed)
            elif index in hosts:
                spot = Spot(PARKED_AHEAD_M, ZONE_LEFT_M["parked"])
            else:
                spot = _road_spot(thing, placed - copy)
            if task == "driving" or thing.side:
                spot = _moved_left(spot, copy * COPY_GAP * thing.kind.size_m[1])
            spots.setdefault(index, spot)
            placed += 1
            yield thing, spot


def _moved_left(spot: Spot, metres: float) -> Spot:
    return Spot(spot.ahead_m, (spot.left_m[0] + metres, spot.left_m[1] + metres))


def _spot_by(thing: Thing, host: Thing, spot: Spot) -> Spot:
    """Just beyond the host and towards the lane, or on the table next to it."""
    length_m, width_m, _ = host.kind.size_m
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
