"""The scenario format as JSON Schema, so that editors complete and check files while one types.

`load_scenario` remains the judge: it also knows what a schema cannot say, such as which paths vary.
"""

from typing import Any

from hartsim.scenario.catalogue import ids_of
from hartsim.scenario.load import KEYS
from hartsim.scenario.schema import (
    NAME,
    TASKS,
    CameraSpec,
    DrivingSpec,
    ObjectSpec,
    RobotSpec,
    Rule,
    SceneSpec,
    required_of,
    rules_of,
)
from hartsim.types import Task

Schema = dict[str, Any]

NUMBER: Schema = {"type": "number"}
TEXT: Schema = {"type": "string"}
TEXTS: Schema = {"oneOf": [TEXT, {"type": "array", "items": TEXT}]}
SPAN: Schema = {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2}
NAMES: Schema = {"pattern": f"^(?:{NAME.pattern})$"}


def scenario_schema() -> Schema:
    """The schema (draft 2020-12) of a scenario file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hartsim scenario",
        "type": "object",
        "anyOf": [{"required": ["task", "scene"]}, {"required": ["extends"]}],
        "propertyNames": {"enum": list(KEYS)},
        "properties": {"task": {"enum": list(TASKS)}, "extends": TEXT, "include": TEXTS},
        "allOf": [{"if": _alone(task), "then": _task_schema(task)} for task in TASKS],
    }


def _alone(task: Task) -> Schema:
    """That a file says its task and all else itself; what others extend may be said in parts."""
    shared: Schema = {"anyOf": [{"required": ["extends"]}, {"required": ["include"]}]}
    return {"required": ["task"], "properties": {"task": {"const": task}}, "not": shared}


def _task_schema(task: Task) -> Schema:
    own = DrivingSpec if task == "driving" else RobotSpec
    surfaces = ids_of("surface", task)
    return _object(
        {
            "task": TEXT,
            "name": {**TEXT, **NAMES},
            "about": TEXT,
            "scene": _spec(SceneSpec, task),
            "hazards": _by_name(_spec(ObjectSpec, task)),
            "objects": _by_name(_spec(ObjectSpec, task)),
            "cameras": _by_name({**_spec(CameraSpec, task), "required": []}),
            "textures": _object(dict.fromkeys(surfaces, TEXT)),
            task: _spec(own, task),
            "vary": {"type": "object", "additionalProperties": _distribution()},
            "where": TEXTS,
        }
    )


def _object(properties: Schema, required: tuple[str, ...] = ()) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _by_name(member: Schema) -> Schema:
    return {"type": "object", "propertyNames": NAMES, "additionalProperties": member}


def _spec(spec: Any, task: Task) -> Schema:
    fields = {name: _field(rule, task) for name, rule in rules_of(spec).items()}
    return _object(fields, tuple(required_of(spec)))


def _field(rule: Rule, task: Task) -> Schema:
    if rule.holds == "number":
        number = {"type": ["number", "null"]} if rule.optional else NUMBER
        return {**number, "minimum": rule.low, "maximum": rule.high}
    nothing = [None] if rule.optional else []
    if rule.vocabulary is not None:
        return {"enum": [*ids_of(rule.vocabulary, task), *nothing]}
    return {"type": ["string", "null"]} if rule.optional else TEXT


def _distribution() -> Schema:
    value: Schema = {"type": ["string", "number", "boolean"]}
    weights = {"type": "object", "additionalProperties": {**NUMBER, "minimum": 0}}
    choice = {"oneOf": [{"type": "array", "items": value, "minItems": 1}, weights]}
    normal = _object(
        {"mean": NUMBER, "std": {**NUMBER, "exclusiveMinimum": 0}, "low": NUMBER, "high": NUMBER},
        ("mean", "std", "low", "high"),
    )
    kinds = {"choice": choice, "uniform": SPAN, "loguniform": SPAN, "integer": SPAN}
    return {"oneOf": [_object({k: each}, (k,)) for k, each in {**kinds, "normal": normal}.items()]}
