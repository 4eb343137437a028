"""Scenes from the whole width of the catalogue: what models train on and coverage counts against.

Nothing is tied together that the world does not tie: every kind meets every place, weather and
time. Things stand where they usually would, in view of the front camera, and not in each other.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from hartsim.scenario.catalogue import ids_of
from hartsim.scenario.draw import pick, stream
from hartsim.scenario.kinds import KINDS, Kind, Zone, kinds_of
from hartsim.scenario.schema import (
    DEFAULT_CAMERAS,
    DrivingSpec,
    ObjectSpec,
    RobotSpec,
    Scenario,
    SceneSpec,
)
from hartsim.types import Task

Rng = np.random.Generator
Things = dict[str, ObjectSpec]

HAZARD_COUNTS = (0, 1, 1, 1, 1, 1, 1, 2)
OTHER_COUNTS: Mapping[Task, tuple[int, ...]] = {"driving": (0, 1, 1, 2), "robot": (1, 2, 2, 3)}

LEFT_M: Mapping[Zone, tuple[float, float]] = {
    "lane": (-1.2, 1.4),
    "road": (-1.6, 4.4),
    "oncoming": (3.3, 3.8),
    "parked": (-3.4, -3.1),
    "verge": (-4.6, -2.8),
    "table": (-0.33, 0.33),
    "lying": (-0.33, 0.33),
}
"""How far left things in a zone stand, in metres."""

AHEAD_M: Mapping[Task, tuple[float, float]] = {"driving": (5.5, 28.0), "robot": (0.3, 0.72)}
AHEAD_IN_FOG_M = (5.5, 18.0)
SEEN_TANGENT = 0.42
"""The front camera sees somewhat more than this, sideways for each metre ahead."""
FARTHEST_SIZES = 10.0
"""Beyond so many times its width or height, a thing is too small in the picture to be known."""
TRIES = 20

AMBUSH_SHARE = 0.15
HIDING_KINDS = ("van", "van", "car", "truck", "bus")
HIDING_AHEAD_M = (5.6, 11.0)


class Reach(NamedTuple):
    """How far ahead things stand, in metres, and at most in their own widths or heights."""

    low_m: float
    high_m: float
    sizes: float


def broad_scenario(task: Task, seed: int, farthest_sizes: float = FARTHEST_SIZES) -> Scenario:
    """A concrete scenario of this task, different for every seed.

    On a road, nothing is farther than `farthest_sizes` times its width or height.
    """
    rng = stream("broad", task, seed)
    scene = SceneSpec(
        place=pick(rng, ids_of("place", task)),
        weather=pick(rng, ids_of("weather", task)),
        time_of_day=pick(rng, ids_of("time_of_day", task)),
    )
    ahead_m = AHEAD_M[task] if scene.weather != "fog" else AHEAD_IN_FOG_M
    reach = Reach(*ahead_m, farthest_sizes)
    if task == "driving" and rng.random() < AMBUSH_SHARE:
        hazards, objects = _ambush(rng)
    else:
        hazards, objects = _things(task, reach, rng)
    return Scenario(
        name=f"broad_{task}_{seed:06d}",
        task=task,
        about="Anything the catalogue knows, anywhere, in any weather.",
        scene=scene,
        hazards=hazards,
        objects=objects,
        cameras=DEFAULT_CAMERAS[task],
        driving=DrivingSpec(traffic=rng.random()) if task == "driving" else None,
        robot=RobotSpec(clutter=rng.random()) if task == "robot" else None,
    )


def portrait_scenario(task: Task, seed: int) -> Scenario:
    """A hazard alone, near and in the middle, as one would show it to someone who never saw one."""
    rng = stream("portrait", task, seed)
    kind = pick(rng, kinds_of(task, hazard=True))
    scene = SceneSpec(
        place=pick(rng, ids_of("place", task)),
        weather=pick(
            rng, (*(("clear", "clear") if task == "driving" else ()), *ids_of("weather", task))
        ),
        time_of_day=pick(rng, ("day", "day", *ids_of("time_of_day", task))),
    )
    spot = portrait_spot(kind, rng)
    return Scenario(
        name=f"portrait_{task}_{seed:06d}",
        task=task,
        about="One hazard, near.",
        scene=scene,
        hazards={kind.id: spot},
        cameras=DEFAULT_CAMERAS[task],
        driving=DrivingSpec(traffic=0.3 * rng.random()) if task == "driving" else None,
        robot=RobotSpec(clutter=0.2 * rng.random()) if task == "robot" else None,
    )


def portrait_spot(kind: Kind, rng: Rng) -> ObjectSpec:
    """Where a thing of this kind fills a good part of the front camera's picture."""
    if kind.task == "driving":
        length_m, width_m, height_m = kind.size_m
        seen_m = max(height_m, width_m, length_m if kind.facing == "across" else 0.0)
        nearest_m = PORTRAIT_FROM_M + (0.0 if kind.facing == "across" else length_m / 2)
        ahead_m = max(nearest_m, min(rng.uniform(*PORTRAIT_SIZES) * seen_m, PORTRAIT_TO_M))
        left_m = rng.uniform(-0.5, 0.5)
    else:
        ahead_m, left_m = rng.uniform(0.48, 0.62), rng.uniform(-0.06, 0.06)
    heading_deg = _heading_deg(kind, left_m, rng)
    return ObjectSpec(
        kind.id, ahead_m, left_m, heading_deg=heading_deg, scale=rng.uniform(1.0, 1.25)
    )


PORTRAIT_FROM_M, PORTRAIT_TO_M = 4.4, 12.0
PORTRAIT_SIZES = (3.0, 4.2)
"""How far away portraits are taken, in metres and in heights or widths of what they show."""


def _ambush(rng: Rng) -> tuple[Things, Things]:
    """Someone coming out from behind a parked vehicle, and the vehicle."""
    hidden = pick(rng, [kind for kind in kinds_of("driving", hazard=True) if kind.moves])
    vehicle = KINDS[pick(rng, HIDING_KINDS)]
    ahead_m, left_m = rng.uniform(*HIDING_AHEAD_M), rng.uniform(*LEFT_M["parked"])
    beyond_m = ahead_m + vehicle.size_m[0] / 2 + rng.uniform(0.3, 2.0)
    inwards_m = rng.uniform(-2.0, 0.0)
    heading_deg = _heading_deg(hidden, inwards_m, rng)
    return (
        {hidden.id: ObjectSpec(hidden.id, beyond_m, inwards_m, heading_deg=heading_deg)},
        {vehicle.id: ObjectSpec(vehicle.id, ahead_m, left_m)},
    )


def _things(task: Task, reach: Reach, rng: Rng) -> tuple[Things, Things]:
    """Hazards and harmless things, each where it would be found."""
    hazards = _grown({}, kinds_of(task, True), pick(rng, HAZARD_COUNTS), reach, rng)
    everything = _grown(hazards, kinds_of(task, False), pick(rng, OTHER_COUNTS[task]), reach, rng)
    return hazards, {name: spec for name, spec in everything.items() if name not in hazards}


def _grown(
    things: Things,
    kinds: Sequence[Kind],
    count: int,
    reach: Reach,
    rng: Rng,
) -> Things:
    """The things and up to `count` more, each where it overlaps no other."""
    grown = dict(things)
    for _ in range(count):
        kind = pick(rng, kinds)
        spots = (likely_spot(kind, reach, rng) for _ in range(TRIES))
        spot = next((s for s in spots if not any(_overlap(s, t) for t in grown.values())), None)
        if spot is not None:
            grown[f"{kind.id}_{len(grown) + 1}"] = spot
    return grown


def likely_spot(kind: Kind, reach: Reach, rng: Rng) -> ObjectSpec:
    """Where a thing of this kind would be found, in reach and seen by the front camera."""
    low, high, farthest_sizes = reach
    left_m = rng.uniform(*LEFT_M[kind.zone])
    if kind.task == "driving":
        length_m, width_m, height_m = kind.size_m
        low = max(low + length_m / 2, 0.6 + abs(left_m) / SEEN_TANGENT)
        high = max(low, min(high, farthest_sizes * max(width_m, height_m)))
    ahead_m = low * math.pow(high / low, rng.random())
    return ObjectSpec(kind.id, ahead_m, left_m, heading_deg=_heading_deg(kind, left_m, rng))


def _heading_deg(kind: Kind, left_m: float, rng: Rng) -> float:
    if kind.facing == "any":
        return 360.0 * rng.random() - 180.0
    jitter = 24.0 * rng.random() - 12.0
    if kind.facing == "across":
        return pick(rng, (-90.0, 90.0)) + jitter
    comes_towards = kind.facing == "against" or left_m > 2.0
    return (180.0 if comes_towards else 0.0) + jitter / 4


def _overlap(one: ObjectSpec, other: ObjectSpec) -> bool:
    reach_m = _radius_m(one) + _radius_m(other)
    return math.hypot(one.ahead_m - other.ahead_m, one.left_m - other.left_m) < reach_m


def _radius_m(spec: ObjectSpec) -> float:
    length, width, _ = KINDS[spec.kind].size_m
    return 0.35 * (length + width)
