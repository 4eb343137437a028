"""Conditions between the values of a draw: `hazards.child.ahead_m > ego.stopping_distance_m`.

The language is a small part of Python's expressions, read by Python's own parser and worked out
here, never run: dotted names of fields, numbers and text, arithmetic, comparisons (also chained),
`and`, `or`, `not`, `in`, and the functions of `FUNCTIONS`.
"""

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from hartsim.errors import ScenarioError
from hartsim.scenario.nodes import Value
from hartsim.scenario.poses import resolved, usual_sizes
from hartsim.scenario.schema import Scenario, parts_of
from hartsim.scenario.words import suggestion

LONGEST = 500
"""Characters of a condition; Python's parser is not made for more from strangers."""
REACTION_S, BRAKING_MPS2 = 1.0, 6.0
"""What a stopping distance is reckoned with: a second, and firm braking on a dry road."""

FUNCTIONS: Mapping[str, Callable[..., Any]] = {"abs": abs, "min": min, "max": max}

_OPERATORS: Mapping[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda item, options: item in options,
    ast.NotIn: lambda item, options: item not in options,
}


class ConditionError(ScenarioError):
    """A condition that is no condition: what is wrong with it, without its place."""


def refuse_nonsense(text: str, facts: Mapping[str, Value | None]) -> None:
    """ConditionError for a text that states no condition about these facts."""
    for name in names_in(text):
        if name not in facts:
            raise ConditionError(f"'{text}' speaks of '{name}'; {suggestion(name, facts)}")
    holds(text, facts)


def names_in(text: str) -> list[str]:
    """The dotted names that a condition speaks of, each once."""
    return list(dict.fromkeys(_names(_parsed(text))))


def holds(text: str, facts: Mapping[str, Value | None]) -> bool:
    """Whether a condition is met by these values of its names.

    Raises ConditionError where it compares what cannot be compared, or divides by nothing.
    """
    try:
        return bool(_worked_out(_parsed(text), facts))
    except (TypeError, ZeroDivisionError, OverflowError) as error:
        raise ConditionError(f"'{text}' cannot be worked out: {error}") from error


def facts_of(scenario: Scenario) -> dict[str, Value | None]:
    """The values that conditions may speak of: every field that may vary, and what follows.

    `distance_m` of a thing is how far its middle is from the ego or the robot's base.
    """
    facts: dict[str, Value | None] = {
        f"{place}.{name}": value
        for place, part in parts_of(scenario).items()
        for name, value in vars(part).items()
    }
    for name, spec in resolved(scenario, usual_sizes(scenario)).items():
        group = "hazards" if name in scenario.hazards else "objects"
        facts[f"{group}.{name}.distance_m"] = math.hypot(spec.ahead_m, spec.left_m)
    if scenario.driving is not None:
        speed = scenario.driving.speed_mps
        facts["ego.speed_mps"] = speed
        facts["ego.stopping_distance_m"] = REACTION_S * speed + speed**2 / (2 * BRAKING_MPS2)
    return facts


def unmet(scenario: Scenario) -> list[str]:
    """The conditions that a concrete scenario does not meet."""
    facts = facts_of(scenario) if scenario.where else {}
    return [condition for condition in scenario.where if not holds(condition, facts)]


@lru_cache(maxsize=4096)
def _parsed(text: str) -> ast.expr:
    if len(text) > LONGEST:
        raise ConditionError(f"a condition of {len(text)} characters; at most {LONGEST}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ConditionError(f"'{text}' is no condition, such as 'a.b > 2 * c.d'") from error
    for node in ast.walk(tree):
        _refuse_other(node, text)
    if not isinstance(tree, ast.Compare | ast.BoolOp | ast.UnaryOp):
        raise ConditionError(f"'{text}' compares nothing, so it is neither true nor false")
    return tree


def _refuse_other(node: ast.AST, text: str) -> None:
    """ConditionError for whatever the language does not have."""
    fine: tuple[type[ast.AST], ...] = (
        *_OPERATORS,
        ast.And,
        ast.Or,
        ast.BoolOp,
        ast.BinOp,
        ast.UnaryOp,
        ast.Compare,
        ast.Attribute,
        ast.Name,
        ast.Load,
        ast.List,
        ast.Tuple,
    )
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float):
        return
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else "that"
        if name not in FUNCTIONS or node.keywords:
            raise ConditionError(f"'{text}' calls '{name}'; there is {', '.join(FUNCTIONS)}")
        return
    if not isinstance(node, fine):
        raise ConditionError(f"'{text}' has a {type(node).__name__}, which conditions do not have")


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute | ast.Name):
        yield ast.unparse(node)
        return
    for child in ast.iter_child_nodes(node):
        if not (isinstance(node, ast.Call) and child is node.func):
            yield from _names(child)


def _number(value: Any) -> float:
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return value


def _worked_out(node: ast.expr, values: Mapping[str, Value | None]) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.Attribute() | ast.Name():
            return values[ast.unparse(node)]
        case ast.List() | ast.Tuple():
            return [_worked_out(each, values) for each in node.elts]
        case ast.BinOp():
            left, right = (_number(_worked_out(each, values)) for each in (node.left, node.right))
            return _OPERATORS[type(node.op)](left, right)
        case ast.UnaryOp():
            operand = _worked_out(node.operand, values)
            return not operand if isinstance(node.op, ast.Not) else -_number(operand)
        case ast.BoolOp():
            each_holds = (_worked_out(each, values) for each in node.values)
            return all(each_holds) if isinstance(node.op, ast.And) else any(each_holds)
        case ast.Call(func=ast.Name(id=name)):
            return FUNCTIONS[name](*(_worked_out(each, values) for each in node.args))
        case ast.Compare():
            sides = [_worked_out(each, values) for each in (node.left, *node.comparators)]
            pairs = zip(node.ops, sides, sides[1:], strict=False)
            return all(_OPERATORS[type(op)](a, b) for op, a, b in pairs)
    raise AssertionError(f"{ast.dump(node)} was let through")
