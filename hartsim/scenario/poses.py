"""Where things stand that a scenario places by another thing or by a lane."""

import math
from collections.abc import Mapping
from dataclasses import replace

from hartsim.errors import ScenarioError
from hartsim.scenario.kinds import KINDS
from hartsim.scenario.schema import ObjectSpec, Scenario
from hartsim.scenario.surroundings import PLACES
from hartsim.scenario.words import suggestion
from hartsim.types import Vector3

Specs = Mapping[str, ObjectSpec]


def resolved(scenario: Scenario, sizes_m: Mapping[str, Vector3]) -> dict[str, ObjectSpec]:
    """Every hazard and object by name, in the ego or robot-base frame, hazards first.

    `sizes_m` are their lengths, widths and heights. ScenarioError where two things stand by each
    other, or where the place has no such lane.
    """
    specs = {**scenario.hazards, **scenario.objects}
    done: dict[str, ObjectSpec] = {}
    for name in specs:
        _resolve(name, (), specs, sizes_m, scenario, done)
    return {name: done[name] for name in specs}


def usual_sizes(scenario: Scenario) -> dict[str, Vector3]:
    """The sizes of all things as the catalogue has them, times their scale."""
    specs = {**scenario.hazards, **scenario.objects}
    return {name: scaled_size(spec) for name, spec in specs.items()}


def scaled_size(spec: ObjectSpec, factor: float = 1.0) -> Vector3:
    """The kind's size times the scale and a factor."""
    length, width, height = (side * spec.scale * factor for side in KINDS[spec.kind].size_m)
    return length, width, height


def _resolve(
    name: str,
    on_the_way: tuple[str, ...],
    specs: Specs,
    sizes_m: Mapping[str, Vector3],
    scenario: Scenario,
    done: dict[str, ObjectSpec],
) -> ObjectSpec:
    if name in done:
        return done[name]
    if name in on_the_way:
        ring = " → ".join((*on_the_way[on_the_way.index(name) :], name))
        raise ScenarioError(f"{scenario.source}: these stand by each other in a ring: {ring}")
    spec, host = specs[name], specs[name].behind or specs[name].of
    if host is not None:
        base = _resolve(host, (*on_the_way, name), specs, sizes_m, scenario, done)
        gap_m = (sizes_m[host][0] + sizes_m[name][0]) / 2 if spec.behind else 0.0
        spec = _beside(spec, base, gap_m)
    elif spec.lane is not None:
        spec = replace(spec, left_m=spec.left_m + lane_left_m(scenario, spec.lane), lane=None)
    done[name] = spec
    return spec


def _beside(spec: ObjectSpec, base: ObjectSpec, gap_m: float) -> ObjectSpec:
    """The thing in the frame of its host's host, `gap_m` farther ahead than it says."""
    turn = math.radians(base.heading_deg)
    ahead_m, left_m = spec.ahead_m + gap_m, spec.left_m
    return replace(
        spec,
        ahead_m=base.ahead_m + ahead_m * math.cos(turn) - left_m * math.sin(turn),
        left_m=base.left_m + ahead_m * math.sin(turn) + left_m * math.cos(turn),
        heading_deg=base.heading_deg + spec.heading_deg,
        of=None,
        behind=None,
    )


def lane_left_m(scenario: Scenario, lane: str) -> float:
    """How far left of the ego the middle of a lane lies; ScenarioError for a lane not there."""
    lanes = PLACES[scenario.scene.place].lanes_m
    if lane not in lanes:
        raise ScenarioError(
            f"{scenario.source}: a {scenario.scene.place} has no lane '{lane}'; "
            f"{suggestion(lane, lanes)}"
        )
    return lanes[lane]
