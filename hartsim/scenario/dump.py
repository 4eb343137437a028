"""A scenario as the text of a scenario file, in the style of the library's."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from hartsim.errors import ScenarioError
from hartsim.scenario.nodes import Value
from hartsim.scenario.schema import DEFAULT_CAMERAS, DISTRIBUTIONS, Distribution, Scenario

LONGEST_KEY = 120
"""Characters of a key that YAML takes without `?` before it."""
FIRST = ("kind", "of", "behind", "lane")
"""Fields that the positions in others depend on."""
WIDTH = 100
_ENDLESS = 2**31


def to_yaml(scenario: Scenario, named: bool = False) -> str:
    """The text of a file that `parse_scenario` reads as an equal scenario.

    The name is that of the file and is written only where `named` asks for it. ScenarioError where
    a text is one that files cannot hold.
    """
    sections = [
        "".join(_line(key, value) for key, value in _head(scenario, named)),
        _line("scene", _given(scenario.scene)),
        *(_group(name, getattr(scenario, name)) for name in ("hazards", "objects")),
        _cameras(scenario),
        _block("textures", scenario.textures),
        _task_section(scenario),
        _block("vary", {path: _distribution(each) for path, each in scenario.vary.items()}),
        _conditions(scenario.where),
    ]
    return "\n".join(section for section in sections if section)


def distribution_text(distribution: Distribution) -> str:
    """A distribution as it stands behind a path, `{uniform: [1, 2]}`."""
    return _flow(_distribution(distribution))


def _head(scenario: Scenario, named: bool) -> Iterator[tuple[str, Any]]:
    if named:
        yield "name", scenario.name
    yield "task", scenario.task
    if scenario.about:
        yield "about", scenario.about


def _given(spec: Any) -> dict[str, Any]:
    """The fields of a specification that are not as they are by default."""
    fields = sorted(dataclasses.fields(spec), key=lambda each: each.name not in FIRST)
    return {
        each.name: getattr(spec, each.name)
        for each in fields
        if getattr(spec, each.name) != each.default
    }


def _group(name: str, specs: Mapping[str, Any]) -> str:
    return _block(name, {each: _given(spec) for each, spec in specs.items()})


def _cameras(scenario: Scenario) -> str:
    """All cameras, in full; nothing where they are those that every scenario of the task has."""
    if scenario.cameras == DEFAULT_CAMERAS[scenario.task]:
        return ""
    if not scenario.cameras:
        return _line("cameras", {})
    return _block("cameras", {name: vars(camera) for name, camera in scenario.cameras.items()})


def _task_section(scenario: Scenario) -> str:
    given = _given(scenario.driving if scenario.task == "driving" else scenario.robot)
    return _line(scenario.task, given) if given else ""


def _distribution(distribution: Distribution) -> dict[str, Any]:
    match distribution.kind:
        case "choice" if distribution.weights is not None:
            return {"choice": dict(zip(distribution.options, distribution.weights, strict=True))}
        case "choice":
            return {"choice": list(distribution.options)}
        case "normal":
            names = ("mean", "std", "low", "high")
            return {"normal": {name: getattr(distribution, name) for name in names}}
    assert distribution.kind in DISTRIBUTIONS
    return {distribution.kind: [distribution.low, distribution.high]}


def _conditions(where: tuple[str, ...]) -> str:
    return "where:\n" + "".join(f"  - {_plain(each)}\n" for each in where) if where else ""


def _block(name: str, members: Mapping[str, Any]) -> str:
    """A mapping with a line for every member; nothing for an empty one."""
    lines = [_line(key, value, "  ") for key, value in members.items()]
    return f"{name}:\n{''.join(lines)}" if lines else ""


def _line(key: str, value: Any, indent: str = "") -> str:
    """A key with its value, on one line if it fits there."""
    name, text = _scalar(key), _plain(value) if isinstance(value, str) else _flow(value)
    if len(name) > LONGEST_KEY:
        return f"{indent}? {name}\n{indent}: {text}\n"
    line = f"{indent}{name}: {text}\n"
    if len(line) <= WIDTH or isinstance(value, str):
        return line
    return f"{indent}{name}:\n{_filled(_chunks(value), indent + '  ')}"


def _filled(chunks: Sequence[str], indent: str) -> str:
    """The chunks on lines that are as full as they may be."""
    lines: list[str] = []
    for chunk in chunks:
        if lines and len(lines[-1]) + len(chunk) < WIDTH:
            lines[-1] += f" {chunk}"
        else:
            lines.append(f"{indent}{' ' if lines else ''}{chunk}")
    return "".join(f"{line}\n" for line in lines)


def _flow(value: Any) -> str:
    """A value on one line."""
    return " ".join(_chunks(value))


def _chunks(value: Any) -> list[str]:
    """A value in parts between which lines may break."""
    if not isinstance(value, Mapping | list):
        return [_scalar(value)]
    named = value.items() if isinstance(value, Mapping) else ((None, each) for each in value)
    chunks: list[str] = []
    for key, each in named:
        if chunks:
            chunks[-1] += ","
        first, *others = _chunks(each)
        chunks += [first if key is None else f"{_key(key)}: {first}", *others]
    left, right = "{}" if isinstance(value, Mapping) else "[]"
    inside = chunks or [""]
    inside[0] = left + inside[0]
    inside[-1] += right
    return inside


def _key(value: Value) -> str:
    """A key of a mapping on one line."""
    text = _scalar(value)
    return f"? {text} " if len(text) > LONGEST_KEY else text


def _scalar(value: Value | None) -> str:
    """A value as it stands among others on a line."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _ENDLESS:
        value = int(value)
    # In a list, because what may stand bare depends on what surrounds it.
    return _dumped([value], value).removeprefix("[").removesuffix("]")


def _plain(text: str) -> str:
    """A text on a line of its own, where more of them may stand bare."""
    return _dumped(text, text).removesuffix("\n...")


def _dumped(tree: Any, value: Value | None) -> str:
    """YAML on one line; the text in it is quoted if its line breaks would show otherwise."""
    quoted = isinstance(value, str) and not value.isprintable()
    if isinstance(value, str) and "${" in value:
        raise ScenarioError(f"'{value}' holds '${{', which scenario files do not have")
    text: str = yaml.safe_dump(
        tree,
        default_flow_style=True,
        default_style='"' if quoted else None,
        width=_ENDLESS,
        allow_unicode=True,
    )
    return text.strip("\n")
