"""Scenario files into `Scenario` values; whatever is wrong is refused here, with file and line."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

from hartsim.errors import ScenarioError
from hartsim.scenario.catalogue import ids_of
from hartsim.scenario.constraints import ConditionError, facts_of, refuse_nonsense
from hartsim.scenario.decency import objection
from hartsim.scenario.library import find_scenario
from hartsim.scenario.nodes import Node, Value, merged, parse_yaml
from hartsim.scenario.poses import resolved, usual_sizes
from hartsim.scenario.schema import (
    DEFAULT_CAMERAS,
    DISTRIBUTIONS,
    HOST_FIELDS,
    NAME,
    TASKS,
    CameraSpec,
    Distribution,
    DistributionKind,
    DrivingSpec,
    ObjectSpec,
    RobotSpec,
    Rule,
    Scenario,
    SceneSpec,
    misfit,
    name_rule,
    required_of,
    rules_of,
    variable_fields,
)
from hartsim.scenario.words import suggestion
from hartsim.types import Task

Spec = TypeVar("Spec")

KEYS = (
    "extends",
    "include",
    "name",
    "task",
    "about",
    "scene",
    "hazards",
    "objects",
    "cameras",
    "textures",
    "driving",
    "robot",
    "vary",
    "where",
)
NOT_A_NAME = "'{}' is no name; names are made of letters, digits, '_' and '-'"


def load_scenario(path_or_name: str | Path) -> Scenario:
    """The scenario of a file, or of a name in the library; ScenarioError for anything wrong."""
    path, text = read_scenario(path_or_name)
    return parse_scenario(text, str(path), path.stem)


def read_scenario(path_or_name: str | Path) -> tuple[Path, str]:
    """The file that a path or a library name means, and its text; ScenarioError where none is."""
    path = find_scenario(path_or_name)
    return path, _text_of(path)


def parse_scenario(text: str, source: str, name: str) -> Scenario:
    """The scenario in YAML text, called `name` unless it says otherwise; errors name `source`."""
    root, texts = whole(parse_yaml(text, source), source)
    entries = root.entries(KEYS)
    task = _task(root, entries)
    if "name" not in entries and not NAME.fullmatch(name):
        raise ScenarioError(f"{source}: {NOT_A_NAME.format(name)}; rename the file or add `name:`")
    scenario = Scenario(
        name=_name(entries["name"]) if "name" in entries else name,
        task=task,
        about=entries["about"].text() if "about" in entries else "",
        scene=_spec(SceneSpec, root.member("scene"), task),
        hazards=_specs(ObjectSpec, entries.get("hazards"), task),
        objects=_specs(ObjectSpec, entries.get("objects"), task),
        cameras=_cameras(entries.get("cameras"), task),
        textures=_textures(entries.get("textures"), task),
        driving=_task_spec(DrivingSpec, "driving", entries, task),
        robot=_task_spec(RobotSpec, "robot", entries, task),
        source=source,
        source_hash=hashlib.sha256("\0".join((text, *texts)).encode()).hexdigest(),
    )
    _check_names(scenario, entries)
    return replace(
        scenario,
        vary=_vary(entries.get("vary"), scenario),
        where=_where(entries.get("where"), scenario),
    )


def whole(root: Node, source: str, on_the_way: tuple[Path, ...] = ()) -> tuple[Node, list[str]]:
    """A file with what it extends and includes, and the texts of those files.

    What the file says itself counts more than what it includes, and that more than what it extends.
    """
    entries = root.entries(KEYS)
    wanted = [entries["extends"]] if "extends" in entries else []
    if "include" in entries:
        included = entries["include"]
        wanted += included.items() if included.is_list else [included]
    base: Node | None = None
    texts: list[str] = []
    for node in wanted:
        path = _base_path(node, source)
        if path in on_the_way or path == Path(source).resolve():
            raise node.error(f"{path.name} extends or includes itself, by way of this file")
        text = _text_of(path)
        way = (*on_the_way, Path(source).resolve())
        part, more = whole(parse_yaml(text, str(path)), str(path), way)
        texts += [text, *more]
        base = part if base is None else merged(base, part, WHOLE_BELOW, JOINED)
    if base is None:
        return root, texts
    kept = merged(base, root, WHOLE_BELOW, JOINED)
    return _without(kept, () if "name" in entries else ("name",)), texts


WHOLE_BELOW, JOINED = ("vary",), ("where",)
"""How files are merged: a path's distribution is taken whole, conditions are added up."""


def _without(root: Node, names: tuple[str, ...]) -> Node:
    """The file without these keys and without those that have done their duty."""
    root.tree.value = [
        pair for pair in root.tree.value if pair[0].value not in (*names, "extends", "include")
    ]
    return root


def _base_path(node: Node, source: str) -> Path:
    """The file that `extends` or `include` means: beside this one, or in the library."""
    name = node.text()
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise node.error(f"'{name}' must be beside this file, below it, or in the library")
    beside = Path(source).parent / name
    try:
        return (beside if beside.is_file() else find_scenario(name)).resolve()
    except ScenarioError as error:
        raise node.error(str(error)) from error
    except (OSError, ValueError) as error:  # a name longer than names can be
        raise node.error(f"'{name[:40]}…' is no name of a file") from error


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: cannot be read as text: {error}") from error


def _task(root: Node, entries: Mapping[str, Node]) -> Task:
    node = root.member("task")
    task = node.text()
    if task not in TASKS:
        raise node.error(f"unknown task '{task}'; {suggestion(task, TASKS)}")
    other = next(each for each in TASKS if each != task)
    if other in entries:
        raise entries[other].error(f"this section does not belong to a {task} task")
    return task


def _name(node: Node) -> str:
    name = node.text()
    if not NAME.fullmatch(name):
        raise node.error(NOT_A_NAME.format(name))
    return name


def _spec(kind: Callable[..., Spec], node: Node, task: Task, base: Spec | None = None) -> Spec:
    """One specification; fields that the file leaves out come from `base`, then the defaults."""
    rules = rules_of(kind)
    given = node.entries(rules)
    values = {name: _checked(entry, rules[name], task) for name, entry in given.items()}
    if base is not None:
        return kind(**vars(base) | values)
    for name in required_of(kind):
        node.member(name)
    return kind(**values)


def _specs(kind: Callable[..., Spec], node: Node | None, task: Task) -> dict[str, Spec]:
    members = _named(node) if node is not None else {}
    return {name: _spec(kind, member, task) for name, member in members.items()}


def _named(node: Node) -> dict[str, Node]:
    """The members of a mapping whose keys the author chose."""
    members = node.entries()
    for name, member in members.items():
        if not NAME.fullmatch(name):
            raise member.error(NOT_A_NAME.format(name))
    return members


def _task_spec(
    kind: Callable[..., Spec], section: Task, entries: Mapping[str, Node], task: Task
) -> Spec | None:
    if section != task:
        return None
    return _spec(kind, entries[section], task) if section in entries else kind()


def _cameras(node: Node | None, task: Task) -> dict[str, CameraSpec]:
    defaults = DEFAULT_CAMERAS[task]
    if node is None:
        return dict(defaults)
    return {
        name: _spec(CameraSpec, camera, task, defaults.get(name))
        for name, camera in _named(node).items()
    }


def _textures(node: Node | None, task: Task) -> dict[str, str]:
    prompts = node.entries(ids_of("surface", task)) if node is not None else {}
    return {surface: _decent(prompt, prompt.text()) for surface, prompt in prompts.items()}


def _decent(node: Node, text: str) -> str:
    """The text, which a model will read; refused where it asks for harm or for a real person."""
    if problem := objection(text):
        raise node.error(problem)
    return text


def _checked(node: Node, rule: Rule, task: Task) -> Any:
    value = node.value()
    _refuse_misfit(node, rule, value, task)
    return _as_ruled(value, rule)


def _check_names(scenario: Scenario, entries: Mapping[str, Node]) -> None:
    """Refuse what only the whole file can show: names used twice, and a reach for nothing."""
    for name in scenario.objects:
        if name in scenario.hazards:
            raise entries["objects"].member(name).error(f"a hazard is already called '{name}'")
    if scenario.robot is not None and "robot" in entries:
        node = entries["robot"]
        place = node.entries().get("reach", node)
        _refuse_misfit(place, name_rule(scenario), scenario.robot.reach, scenario.task)
    _check_hosts(scenario, entries)


def _check_hosts(scenario: Scenario, entries: Mapping[str, Node]) -> None:
    """Refuse things that stand by nothing, by themselves, by two things, or in no lane there."""
    groups = {"hazards": scenario.hazards, "objects": scenario.objects}
    for group, specs in groups.items():
        for name, spec in specs.items():
            node = entries[group].member(name)
            if sum(each is not None for each in (spec.of, spec.behind, spec.lane)) > 1:
                raise node.error("stands 'of', 'behind' or in a 'lane'; choose one")
            for field_name in HOST_FIELDS:
                host = getattr(spec, field_name)
                if host is not None:
                    _refuse_misfit(
                        node.member(field_name), name_rule(scenario), host, scenario.task
                    )
            if spec.motion is None and (spec.when_distance_m, spec.when_time_s) != (None, None):
                raise node.error("says when, but not what: 'motion' is missing")
    try:
        resolved(scenario, usual_sizes(scenario))
    except ScenarioError as error:
        raise entries["scene"].error(str(error).removeprefix(f"{scenario.source}: ")) from error


def _vary(node: Node | None, scenario: Scenario) -> dict[str, Distribution]:
    rules = variable_fields(scenario)
    varied: dict[str, Distribution] = {}
    for path, entry in (node.entries() if node is not None else {}).items():
        if path not in rules:
            raise entry.error(f"vary names no field '{path}'; {suggestion(path, rules)}")
        varied[path] = _distribution(entry, rules[path], scenario.task)
        if path.startswith("textures."):
            for option in varied[path].options:
                _decent(entry, str(option))
    return varied


def _where(node: Node | None, scenario: Scenario) -> tuple[str, ...]:
    """The conditions, one or a list of them."""
    if node is None:
        return ()
    facts, conditions = facts_of(scenario), node.items() if node.is_list else [node]
    for condition in conditions:
        try:
            refuse_nonsense(condition.text(), facts)
        except ConditionError as error:
            raise condition.error(str(error)) from error
    return tuple(condition.text() for condition in conditions)


def _distribution(node: Node, rule: Rule, task: Task) -> Distribution:
    members = node.entries(DISTRIBUTIONS)
    if len(members) != 1:
        raise node.error(f"needs exactly one of {', '.join(DISTRIBUTIONS)}")
    kind = next(each for each in DISTRIBUTIONS if each in members)
    body = members[kind]
    if kind == "choice":
        return _choice(body, rule, task)
    if rule.holds == "text":
        raise node.error(f"{kind} draws numbers, but this field holds text; use choice")
    distribution = _normal(body) if kind == "normal" else _span(body, kind)
    for value in (distribution.low, distribution.high):
        _refuse_misfit(body, rule, value, task)
    return distribution


def _refuse_misfit(node: Node, rule: Rule, value: Value | None, task: Task) -> None:
    problem = misfit(rule, value, task)
    if problem:
        raise node.error(problem)


def _choice(body: Node, rule: Rule, task: Task) -> Distribution:
    """Options with equal chances from a list, with weights from a mapping."""
    if body.is_mapping:
        members = body.pairs()
        weights = tuple(weight.number() for weight in members.values())
        if min(weights, default=0.0) < 0 or sum(weights) <= 0:
            raise body.error("weights must not be negative, and not all zero")
        options = tuple(_option(value, node, rule, task) for value, node in members.items())
        return Distribution("choice", options, weights)
    options = tuple(_option(node.value(), node, rule, task) for node in body.items())
    if not options:
        raise body.error("needs at least one option")
    return Distribution("choice", options)


def _option(value: Value | None, node: Node, rule: Rule, task: Task) -> Value:
    _refuse_misfit(node, replace(rule, optional=False), value, task)
    return cast(Value, _as_ruled(value, rule))


def _as_ruled(value: Value | None, rule: Rule) -> Any:
    """Whole numbers as floats, so that equal scenarios are equal however they were written."""
    return float(value) if rule.holds == "number" and value is not None else value


def _span(body: Node, kind: DistributionKind) -> Distribution:
    ends = [item.number() for item in body.items()]
    if len(ends) != 2 or ends[0] > ends[1]:
        raise body.error(f"{kind} needs [low, high] with low <= high")
    low, high = ends
    if kind == "loguniform" and low <= 0:
        raise body.error(f"loguniform needs a positive low end, not {low:g}")
    if kind == "integer" and not (low.is_integer() and high.is_integer()):
        raise body.error(f"integer needs whole numbers, not {low:g} and {high:g}")
    return Distribution(kind, low=low, high=high)


def _normal(body: Node) -> Distribution:
    keys = ("mean", "std", "low", "high")
    body.entries(keys)
    mean, std, low, high = (body.member(key).number() for key in keys)
    if std <= 0 or low > high:
        raise body.error("normal needs std > 0 and low <= high")
    return Distribution("normal", mean=mean, std=std, low=low, high=high)
