"""What a scenario says that OpenSCENARIO has no words for, kept in properties of the ego.

Their names are `hartsim:` and a path, their values the field's, empty for None.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from hartsim.scenario.nodes import Value
from hartsim.scenario.openscenario.parameters import value_text
from hartsim.scenario.schema import (
    DEFAULT_CAMERAS,
    CameraSpec,
    DrivingSpec,
    ObjectSpec,
    RobotSpec,
    Rule,
    Scenario,
    SceneSpec,
    rules_of,
)

PREFIX = "hartsim:"
Flat = dict[str, Value | None]

TOGETHER: tuple[tuple[str, ...], ...] = (
    ("ahead_m", "left_m", "up_m", "heading_deg", "of", "behind", "lane"),
    ("motion", "speed_mps", "when_distance_m", "when_time_s"),
)
"""Fields of a thing that mean something only together."""


def flat(scenario: Scenario) -> Flat:
    """The values of a scenario by path; those of hazards and objects as `things.NAME.FIELD`.

    `groups.NAME` says which of the two a thing is. Cameras are there if they are not the usual.
    """
    values: Flat = {"task": scenario.task, "about": scenario.about}
    values |= _fields("scene", scenario.scene)
    for group in ("hazards", "objects"):
        for name, spec in getattr(scenario, group).items():
            values[f"groups.{name}"] = group
            values |= _fields(f"things.{name}", spec)
    if scenario.cameras != DEFAULT_CAMERAS[scenario.task]:
        values["cameras"] = " ".join(scenario.cameras)
        for name, camera in scenario.cameras.items():
            values |= _fields(f"cameras.{name}", camera)
    values |= {f"textures.{surface}": prompt for surface, prompt in scenario.textures.items()}
    values |= _fields(scenario.task, scenario.driving or scenario.robot)
    return values | {f"where.{index}": text for index, text in enumerate(scenario.where)}


def rebuilt(values: Mapping[str, Value | None], base: Scenario) -> Scenario:
    """The scenario with these values; what they do not speak of is as in `base`."""
    specs = {**base.hazards, **base.objects}
    things = {name: _spec(ObjectSpec, f"things.{name}", values, specs[name]) for name in specs}
    groups = {name: values.get(f"groups.{name}") for name in specs}
    cameras = dict(base.cameras)
    if "cameras" in values:
        names = str(values["cameras"]).split()
        usual = CameraSpec(0.0, 0.0, 0.0)
        cameras = {name: _spec(CameraSpec, f"cameras.{name}", values, usual) for name in names}
    task_spec = base.driving or base.robot
    filled = _spec(type(task_spec), base.task, values, task_spec)
    return Scenario(
        name=base.name,
        task=base.task,
        about=str(values.get("about", base.about)),
        scene=_spec(SceneSpec, "scene", values, base.scene),
        hazards={name: spec for name, spec in things.items() if groups[name] == "hazards"},
        objects={name: spec for name, spec in things.items() if groups[name] != "hazards"},
        cameras=cameras,
        textures={name: str(text) for name, text in _below("textures", values)},
        driving=filled if isinstance(filled, DrivingSpec) else None,
        robot=filled if isinstance(filled, RobotSpec) else None,
        where=tuple(str(text) for _, text in _below("where", values)),
    )


def rule_of(path: str, task: str) -> Rule:
    """The rule of the field that a path of `flat` leads to; text where it is none."""
    specs: Mapping[str, Any] = {
        "scene": SceneSpec,
        "things": ObjectSpec,
        "cameras": CameraSpec,
        task: DrivingSpec if task == "driving" else RobotSpec,
    }
    part, _, rest = path.partition(".")
    rules = rules_of(specs[part]) if part in specs else {}
    return rules.get(rest.rpartition(".")[2], Rule("text"))


def kept_text(value: Value | None) -> str:
    """A value as a property holds it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else value_text(value)


def kept_value(text: str, rule: Rule) -> Value | None:
    """The value that a property holds; ValueError for text where a number belongs."""
    if rule.optional and text == "":
        return None
    return float(text) if rule.holds == "number" else text


def differing(
    first: Mapping[str, Value | None], second: Mapping[str, Value | None], closely: bool = True
) -> list[str]:
    """The paths at which two differ; unless `closely`, the last digits of numbers may."""
    missing = math.nan
    return [
        path
        for path, value in first.items()
        if value != second.get(path, missing)
        and (closely or not _alike(value, second.get(path, missing)))
    ]


def with_companions(paths: Iterable[str]) -> list[str]:
    """The paths, and those of fields that mean something only together with them."""
    return list(dict.fromkeys(other for path in paths for other in _companions(path)))


def _alike(first: Value | None, second: Value | None) -> bool:
    if isinstance(first, float) and isinstance(second, float):
        return math.isclose(first, second, rel_tol=1e-9, abs_tol=1e-7)
    return False


def _companions(path: str) -> Iterable[str]:
    place, _, name = path.rpartition(".")
    if place.startswith("things."):
        for fields in TOGETHER:
            if name in fields:
                return [f"{place}.{each}" for each in fields]
    return [path]


def _fields(place: str, spec: Any) -> Flat:
    return {f"{place}.{name}": value for name, value in vars(spec).items()}


def _below(place: str, values: Mapping[str, Value | None]) -> list[tuple[str, Value | None]]:
    """The members of a place by the rest of their path, in order."""
    start = f"{place}."
    return [(path[len(start) :], text) for path, text in values.items() if path.startswith(start)]


def _spec(kind: Any, place: str, values: Mapping[str, Value | None], base: Any) -> Any:
    """A specification with the values of a place; the others are those of `base`."""
    names = [name for name in rules_of(kind) if f"{place}.{name}" in values]
    return kind(**vars(base) | {name: values[f"{place}.{name}"] for name in names})
