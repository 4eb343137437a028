"""YAML with places: every value knows its file, line and dotted path, so errors can name them."""

import io
import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from hartsim.errors import ScenarioError
from hartsim.scenario.words import suggestion

Value = str | int | float | bool

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXT_TAG, _NOTHING_TAG, _LIST_TAG = (
    f"tag:yaml.org,2002:{each}" for each in ("str", "null", "seq")
)
DEEPEST = 20
"""Lists and mappings within each other; libyaml's C stack overflows on many thousands."""


@dataclass(frozen=True)
class Node:
    """A place in a YAML file; the parts of merged files remember where they come from."""

    tree: yaml.Node
    path: str = ""

    @property
    def is_mapping(self) -> bool:
        """Whether it holds keys and values."""
        return isinstance(self.tree, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        """Whether it holds a list."""
        return isinstance(self.tree, yaml.SequenceNode)

    def error(self, problem: str) -> ScenarioError:
        """An error that names this place, to be raised."""
        place = _place(self.tree.start_mark)
        return ScenarioError(": ".join(filter(None, (place, self.path, problem))))

    def entries(self, known: Iterable[str] | None = None) -> dict[str, "Node"]:
        """The members by key; ScenarioError for keys that are not text, known or unique."""
        names = None if known is None else tuple(known)
        found: dict[str, Node] = {}
        for key, member in self.pairs().items():
            if not isinstance(key, str):
                raise member.error(f"the key {key!r} is not text; put it in quotes")
            if names is not None and key not in names:
                raise member.error(f"no such key; {suggestion(key, names)}")
            found[key] = member
        return found

    def pairs(self) -> dict[Value | None, "Node"]:
        """The members by key of any plain type, each at its key's line."""
        if not isinstance(self.tree, yaml.MappingNode):
            raise self.error("needs keys with values here")
        found: dict[Value | None, Node] = {}
        lines: dict[Value | None, int] = {}
        for key_tree, tree in self.tree.value:
            key = Node(key_tree, self.path).value()
            member = Node(tree, f"{self.path}.{key}" if self.path else str(key))
            if key in found:
                at_key = Node(key_tree, member.path)
                raise at_key.error(f"appears twice, first on line {lines[key]}")
            found[key], lines[key] = member, key_tree.start_mark.line + 1
        return found

    def member(self, key: str) -> "Node":
        """The member with this key; ScenarioError where it is missing."""
        members = self.pairs()
        if key not in members:
            raise self.error(f"'{key}' is missing")
        return members[key]

    def items(self) -> list["Node"]:
        """The members of a list."""
        if not isinstance(self.tree, yaml.SequenceNode):
            raise self.error("needs a list here, like [a, b]")
        return [Node(item, self.path) for item in self.tree.value]

    def value(self) -> Value | None:
        """The text, number or truth value here, None for an empty one."""
        if not isinstance(self.tree, yaml.ScalarNode):
            raise self.error("needs one value here, not a list or keys")
        if "${" in self.tree.value:
            raise self.error(
                f"'{self.tree.value}' is an interpolation, which scenario files do not have; "
                "write the value, or vary it"
            )
        if self.tree.tag == _TEXT_TAG:
            text: str = self.tree.value
            return text
        try:
            value: Value | None = yaml.constructor.SafeConstructor().construct_object(self.tree)
        except (yaml.YAMLError, ValueError, LookupError, AttributeError) as error:
            # PyYAML trusts explicit tags: `!!timestamp soon` fails on what its pattern did not find
            raise self.error(f"'{self.tree.value}' is not a value of its kind") from error
        return value

    def text(self) -> str:
        """The text here."""
        value = self.value()
        if not isinstance(value, str):
            raise self.error(f"{value!r} is not text; put it in quotes if it is meant so")
        return value

    def truth(self) -> bool:
        """The truth value here."""
        value = self.value()
        if not isinstance(value, bool):
            raise self.error(f"{value!r} is neither true nor false")
        return value

    def number(self) -> float:
        """The number here."""
        value = self.value()
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(f"{value!r} is not a number")
        if not math.isfinite(value):
            raise self.error(f"{value} is not a finite number")
        return float(value)


def parse_yaml(text: str, source: str) -> Node:
    """The root of a YAML document; ScenarioError where the text is empty, too deep or no YAML."""
    try:
        _refuse_depth(_Named(text, source))
        tree = yaml.compose(_Named(text, source), Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        place = _place(error.problem_mark or error.context_mark) or source
        raise ScenarioError(f"{place}: not valid YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise ScenarioError(f"{source}: not valid YAML: {problem}") from error
    if tree is None:
        raise ScenarioError(f"{source}: the file is empty")
    return Node(tree)


class _Named(io.StringIO):
    """Text whose marks PyYAML gives this name."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name


def merged(base: Node, over: Node, replaced: Collection[str], joined: Collection[str]) -> Node:
    """Two mappings in one: what `over` says counts, and mappings within are merged likewise.

    An empty value in `over` takes away what `base` says. Members whose path is in `replaced` are
    taken whole, not merged deeper than one level; lists in `joined` are joined.
    """
    pairs = {pair[0].value: pair for pair in _pairs(base)}
    members = base.entries()
    for name, member in over.entries().items():
        pair = next(each for each in _pairs(over) if each[0].value == name)
        if name in pairs:
            old = members[name]
            if member.tree.tag == _NOTHING_TAG:
                del pairs[name]
                continue
            if old.is_mapping and member.is_mapping and over.path not in replaced:
                pair = (pair[0], merged(old, member, replaced, joined).tree)
            elif member.path in joined:
                pair = (pair[0], _joined(old, member))
        pairs[name] = pair
    first = over.tree
    tree = yaml.MappingNode(first.tag, [*pairs.values()], first.start_mark, first.end_mark)
    return Node(tree, over.path)


def _pairs(node: Node) -> list[tuple[yaml.Node, yaml.Node]]:
    pairs: list[tuple[yaml.Node, yaml.Node]] = node.tree.value
    return pairs


def _joined(first: Node, second: Node) -> yaml.Node:
    """One list of two lists or single values."""
    lists = [each.items() if each.is_list else [each] for each in (first, second)]
    mark = second.tree.start_mark
    return yaml.SequenceNode(_LIST_TAG, [item.tree for each in lists for item in each], mark, mark)


def _refuse_depth(text: io.StringIO) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            place = _place(event.start_mark)
            raise ScenarioError(f"{place}: nested more than {DEEPEST} levels deep")


def _place(mark: Any) -> str:
    return f"{mark.name}:{mark.line + 1}" if mark else ""
