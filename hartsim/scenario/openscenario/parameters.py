"""Parameters: `$name` and `${expression}` worked out, where they are declared and below.

Expressions are read by Python's own parser and worked out here, never run. They have what the
standard allows: numbers, parameters, + - * / %, and, or, not, and the functions of `FUNCTIONS`.
"""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from hartsim.scenario.openscenario.tree import Element

LONGEST = 300
"""Characters of an expression; Python's parser is not made for more from strangers."""

FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "abs": abs,
    "ceil": math.ceil,
    "floor": math.floor,
    "max": max,
    "min": min,
    "pow": math.pow,
    "round": round,
    "sign": lambda number: math.copysign(1.0, number) if number else 0.0,
    "sqrt": math.sqrt,
}
_OPERATORS: Mapping[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: math.fmod,
}
_PARAMETER = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_ESCAPED = re.compile(r"\\+\$")
_TRUTHS = {"true": True, "false": False}


class Unresolved(str):
    """An attribute's text that could not be worked out: as it stands in the file."""


def resolved(element: Element, given: Mapping[str, str] | None = None) -> Element:
    """The tree with all parameters worked out; `given` values count more than declared ones.

    The values of declarations within hold below the element that has them. Text that cannot be
    worked out is left as `Unresolved`.
    """
    values = declared(element, {}, given or {})
    children = tuple(_resolved(child, values) for child in element.children)
    attributes = {name: worked_out(text, values) for name, text in element.attributes.items()}
    return replace(element, attributes=attributes, children=children)


def declared(
    element: Element, known: Mapping[str, str], given: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The values of the parameters that an element declares, over those `known` around it."""
    values = dict(known)
    for group in element.named("ParameterDeclarations"):
        for each in group.named("ParameterDeclaration"):
            name = each.attributes.get("name", "").lstrip("$")  # as 1.0 wrote it
            text = worked_out(each.attributes.get("value", ""), values)
            values[name] = (given or {}).get(name, text)
    return values


def worked_out(text: str, values: Mapping[str, str]) -> str:
    """The text with its parameter or expression worked out, else as `Unresolved`."""
    if _ESCAPED.match(text):
        return text[1:]
    if not text.startswith("$"):
        return text
    if text.startswith("${") and text.endswith("}"):
        try:
            return value_text(evaluated(text[2:-1], values))
        except (ValueError, ArithmeticError, TypeError, RecursionError):
            return Unresolved(text)
    found = _PARAMETER.fullmatch(text)
    return values[found[1]] if found and found[1] in values else Unresolved(text)


def escaped(text: str) -> str:
    """The text so that it is read as it is, not as a parameter."""
    return f"\\{text}" if text.startswith("$") or _ESCAPED.match(text) else text


def evaluated(expression: str, values: Mapping[str, str]) -> float | bool:
    """The value of an expression; ValueError, TypeError or ArithmeticError where it has none."""
    if len(expression) > LONGEST:
        raise ValueError("too long")
    python = _PARAMETER.sub(lambda found: f"p_{found[1]}", expression).strip()
    try:
        tree = ast.parse(python, mode="eval").body
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError("no expression") from error
    value = _value(tree, values)
    if not math.isfinite(value):
        raise ValueError("no finite number")
    return value


def value_text(value: float | bool) -> str:
    """A number or truth value as an attribute holds it, so that reading gives the same number."""
    if isinstance(value, bool):
        return "true" if value else "false"
    number = float(value)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def constant_text(value: float) -> str:
    """A number as expressions may hold it: without an exponent."""
    return f"{value:.12f}".rstrip("0").rstrip(".")


def _resolved(element: Element, known: Mapping[str, str]) -> Element:
    values = known
    if any(child.name == "ParameterDeclarations" for child in element.children):
        values = declared(element, known)
    children = tuple(_resolved(child, values) for child in element.children)
    attributes = element.attributes
    if any(text.startswith(("$", "\\")) for text in attributes.values()):
        attributes = {name: worked_out(text, values) for name, text in attributes.items()}
    elif all(new is old for new, old in zip(children, element.children, strict=True)):
        return element
    return replace(element, attributes=attributes, children=children)


def _value(node: ast.expr, values: Mapping[str, str]) -> float | bool:
    match node:
        case ast.Constant(value=bool()):
            raise ValueError("no constant of expressions")
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return _of_text(name, values)
        case ast.UnaryOp(op=ast.USub()):
            return -_value(node.operand, values)
        case ast.UnaryOp(op=ast.UAdd()):
            return _value(node.operand, values)
        case ast.UnaryOp(op=ast.Not()):
            return not _value(node.operand, values)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(left, values), _value(right, values))
        case ast.BoolOp(op=ast.And()):
            return all(_value(each, values) for each in node.values)
        case ast.BoolOp():
            return any(_value(each, values) for each in node.values)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            return float(FUNCTIONS[name](*(_value(each, values) for each in arguments)))
    raise ValueError("not a part of expressions")


def _of_text(name: str, values: Mapping[str, str]) -> float | bool:
    """The value of a parameter, or of `true` and `false`."""
    text = values.get(name.removeprefix("p_"), "") if name.startswith("p_") else name
    return _TRUTHS[text] if text in _TRUTHS else float(text)
