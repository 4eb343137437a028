"""The scenario format: what a file may say, as frozen dataclasses.

A `Scenario` may vary (its `vary` names what is left to chance); one without `vary` is concrete.
A field's metadata holds the rule that its values obey, wherever they come from: a file, a `vary`,
a sentence. `misfit` says which rule a value breaks.
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from hartsim.scenario.catalogue import Vocabulary, ids_of
from hartsim.scenario.nodes import Value
from hartsim.scenario.words import suggestion
from hartsim.types import Task

TASKS: tuple[Task, ...] = get_args(Task)
DistributionKind = Literal["choice", "uniform", "normal", "loguniform", "integer"]
DISTRIBUTIONS: tuple[DistributionKind, ...] = get_args(DistributionKind)

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Rule:
    """What a field's values must be: numbers within low..high, or text.

    Text may have to come from a vocabulary of the catalogue, or be one of the scenario's `names`.
    """

    holds: Literal["number", "text"]
    low: float = 0.0
    high: float = 0.0
    vocabulary: Vocabulary | None = None
    names: tuple[str, ...] | None = None
    optional: bool = False


def between(low: float, high: float, optional: bool = False) -> Mapping[str, Rule]:
    """Metadata for numbers; both ends belong to the range."""
    return {"rule": Rule("number", low, high, optional=optional)}


def one_of(vocabulary: Vocabulary, optional: bool = False) -> Mapping[str, Rule]:
    """Metadata for catalogue ids."""
    return {"rule": Rule("text", vocabulary=vocabulary, optional=optional)}


@dataclass(frozen=True)
class SceneSpec:
    """Where and when: ids from the catalogue; `ground` None leaves it to the weather."""

    place: str = field(metadata=one_of("place"))
    weather: str = field(default="clear", metadata=one_of("weather"))
    time_of_day: str = field(default="day", metadata=one_of("time_of_day"))
    ground: str | None = field(default=None, metadata=one_of("ground", optional=True))


@dataclass(frozen=True)
class ObjectSpec:
    """A hazard or another object: a kind from the catalogue and where it stands.

    The position is the centre of its footprint in the ego or robot-base frame; heading is
    anticlockwise from straight ahead. `scale` multiplies the size that the catalogue gives the
    kind; `colour` None leaves the colour to the draw.

    With `of`, the position counts from the middle of another object and along its heading, and so
    does the heading; with `behind` from the far end of that object, so that `ahead_m` is the gap
    between the two. With `lane`, `left_m` counts from the middle of that lane.

    `motion` is what it does when something sets it off; see `motion.Motion`.
    """

    kind: str = field(metadata=one_of("kind"))
    ahead_m: float = field(metadata=between(-50.0, 300.0))
    left_m: float = field(default=0.0, metadata=between(-50.0, 50.0))
    up_m: float = field(default=0.0, metadata=between(0.0, 10.0))
    heading_deg: float = field(default=0.0, metadata=between(-360.0, 360.0))
    scale: float = field(default=1.0, metadata=between(0.2, 5.0))
    colour: str | None = field(default=None, metadata=one_of("colour", optional=True))
    of: str | None = field(default=None, metadata={"rule": Rule("text", optional=True)})
    behind: str | None = field(default=None, metadata={"rule": Rule("text", optional=True)})
    lane: str | None = field(default=None, metadata=one_of("lane", optional=True))
    motion: str | None = field(default=None, metadata=one_of("motion", optional=True))
    speed_mps: float = field(default=0.0, metadata=between(0.0, 60.0))
    when_distance_m: float | None = field(default=None, metadata=between(0.0, 300.0, optional=True))
    when_time_s: float | None = field(default=None, metadata=between(0.0, 600.0, optional=True))


@dataclass(frozen=True)
class CameraSpec:
    """A named camera on the ego or the robot's stand; `fov_deg` is vertical, pitch up positive."""

    ahead_m: float = field(metadata=between(-50.0, 50.0))
    left_m: float = field(metadata=between(-50.0, 50.0))
    up_m: float = field(metadata=between(0.0, 50.0))
    pitch_deg: float = field(default=0.0, metadata=between(-90.0, 90.0))
    yaw_deg: float = field(default=0.0, metadata=between(-360.0, 360.0))
    fov_deg: float = field(default=60.0, metadata=between(10.0, 150.0))


@dataclass(frozen=True)
class DrivingSpec:
    """The driving task: the ego's speed, how busy the road is (0..1), how far the goal lies."""

    speed_mps: float = field(default=10.0, metadata=between(0.0, 60.0))
    traffic: float = field(default=0.5, metadata=between(0.0, 1.0))
    goal_m: float = field(default=60.0, metadata=between(1.0, 1000.0))


@dataclass(frozen=True)
class RobotSpec:
    """The table-top task: which object to reach (a name among objects or hazards), if any."""

    reach: str | None = field(default=None, metadata={"rule": Rule("text", optional=True)})
    clutter: float = field(default=0.5, metadata=between(0.0, 1.0))


@dataclass(frozen=True)
class Distribution:
    """How one value is drawn.

    `choice` has `options` and optional `weights`; the others `low` and `high`, and normal also
    `mean` and `std` (cut off outside low..high). `integer` includes both ends.
    """

    kind: DistributionKind
    options: tuple[Value, ...] = ()
    weights: tuple[float, ...] | None = None
    low: float = 0.0
    high: float = 0.0
    mean: float = 0.0
    std: float = 0.0


@dataclass(frozen=True)
class Scenario:
    """One scenario file: `source` names it in errors, `source_hash` its bytes in provenance."""

    name: str
    task: Task
    about: str
    scene: SceneSpec
    hazards: Mapping[str, ObjectSpec]
    objects: Mapping[str, ObjectSpec] = field(default_factory=dict)
    cameras: Mapping[str, CameraSpec] = field(default_factory=dict)
    textures: Mapping[str, str] = field(default_factory=dict)
    driving: DrivingSpec | None = None
    robot: RobotSpec | None = None
    vary: Mapping[str, Distribution] = field(default_factory=dict)
    where: tuple[str, ...] = ()
    """Conditions that every draw meets; see `constraints`."""
    source: str = ""
    source_hash: str = ""


DEFAULT_CAMERAS: Mapping[Task, Mapping[str, CameraSpec]] = {
    "driving": {"front": CameraSpec(0.6, 0.0, 1.5, pitch_deg=-4.0, fov_deg=55.0)},
    "robot": {
        "front": CameraSpec(1.66, 0.22, 0.92, pitch_deg=-28.5, yaw_deg=187.5, fov_deg=46.0),
        "top": CameraSpec(0.44, 0.0, 1.45, pitch_deg=-90.0, yaw_deg=180.0, fov_deg=50.0),
    },
}
"""What is mounted where a file names no cameras."""


def misfit(rule: Rule, value: object, task: Task) -> str | None:
    """What keeps `value` out of a field with this rule, in words; None where it fits."""
    if value is None:
        return None if rule.optional else "a value is missing"
    if rule.holds == "number":
        return _number_misfit(rule, value)
    if not isinstance(value, str):
        return f"{value!r} is not text; put it in quotes if it is meant so"
    if rule.names is not None and value not in rule.names:
        return f"nothing is called '{value}'; {suggestion(value, rule.names)}"
    if rule.vocabulary is not None and value not in ids_of(rule.vocabulary, task):
        hint = suggestion(value, ids_of(rule.vocabulary, task))
        return f"unknown {rule.vocabulary.replace('_', ' ')} '{value}' for a {task} task; {hint}"
    return None


def _number_misfit(rule: Rule, value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{value!r} is not a number"
    if not rule.low <= value <= rule.high:
        return f"{value:g} is outside {rule.low:g}..{rule.high:g}"
    return None


def rules_of(spec: Any) -> dict[str, Rule]:
    """The rule of every field of a specification, by name."""
    return {each.name: each.metadata["rule"] for each in dataclasses.fields(spec)}


def required_of(spec: Any) -> list[str]:
    """The fields of a specification that a file must give."""
    return [each.name for each in dataclasses.fields(spec) if each.default is dataclasses.MISSING]


def parts_of(scenario: Scenario) -> dict[str, object]:
    """The specifications in a scenario by the dotted path that leads to them."""
    parts: dict[str, object] = {"scene": scenario.scene}
    for group in ("hazards", "objects", "cameras"):
        members: Mapping[str, object] = getattr(scenario, group)
        parts |= {f"{group}.{name}": member for name, member in members.items()}
    return parts | {scenario.task: scenario.driving or scenario.robot}


def variable_fields(scenario: Scenario) -> dict[str, Rule]:
    """Every dotted path that `vary` may name, with the rule of its field."""
    paths = {
        f"{place}.{name}": rule
        for place, part in parts_of(scenario).items()
        for name, rule in rules_of(part).items()
    }
    if "robot.reach" in paths:
        paths["robot.reach"] = name_rule(scenario)
    for place in parts_of(scenario):
        for field_name in HOST_FIELDS:
            if f"{place}.{field_name}" in paths:
                paths[f"{place}.{field_name}"] = name_rule(scenario)
    return paths | {f"textures.{surface}": Rule("text") for surface in scenario.textures}


HOST_FIELDS = ("of", "behind")
"""Fields of an object that name another."""


def name_rule(scenario: Scenario) -> Rule:
    """The rule of fields that name one of the things in this very scenario."""
    return Rule("text", names=(*scenario.hazards, *scenario.objects), optional=True)
