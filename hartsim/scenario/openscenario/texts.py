"""How values are written: as they are, or as the parameter that varies them."""

import re
from collections.abc import Mapping

from hartsim.scenario.nodes import Value
from hartsim.scenario.openscenario.kept import kept_text
from hartsim.scenario.openscenario.parameters import constant_text, escaped, value_text
from hartsim.scenario.openscenario.tree import Element, element
from hartsim.scenario.schema import Distribution, Scenario, variable_fields

DEGREES = 57.29577951308232
"""Degrees in a radian."""


def parameter_names(scenario: Scenario) -> dict[str, str]:
    """The name of a parameter for every path that may vary: `hazards__child__ahead_m`."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for path in sorted(variable_fields(scenario)):  # however the things are ordered
        base = re.sub("[^A-Za-z0-9_]", "_", path.replace(".", "__"))
        name, count = base, 1
        while name in taken:
            count += 1
            name = f"{base}_{count}"
        taken.add(name)
        names[path] = name
    return names


class Texts:
    """Writes the values of a scenario's fields; what varies, as a parameter."""

    def __init__(self, scenario: Scenario) -> None:
        names = parameter_names(scenario)
        self.parameters = {path: names[path] for path in scenario.vary}
        self._vary = scenario.vary
        self._groups = {
            **dict.fromkeys(scenario.objects, "objects"),
            **dict.fromkeys(scenario.hazards, "hazards"),
        }

    def path(self, thing: str, field: str) -> str:
        """The path of a thing's field."""
        return f"{self._groups[thing]}.{thing}.{field}"

    def varies(self, path: str) -> bool:
        """Whether a field is left to chance."""
        return path in self.parameters

    def options(self, path: str) -> list[str]:
        """The texts that a varied field may have."""
        return [str(each) for each in self._vary[path].options] if path in self._vary else []

    def text(self, path: str, value: Value | None) -> str:
        """A value, or the parameter for it."""
        if path in self.parameters:
            return f"${self.parameters[path]}"
        return escaped(kept_text(value))

    def number(self, path: str, value: float, per: float = 1.0, plus: float = 0.0) -> str:
        """`value / per + plus`, or the expression for it."""
        if path not in self.parameters:
            return value_text(value / per + plus)
        parameter = f"${self.parameters[path]}"
        if per == 1.0 and plus == 0.0:
            return parameter
        share = parameter if per == 1.0 else f"{parameter} / {constant_text(per)}"
        if plus == 0.0:
            return f"${{{share}}}"
        sign = "+" if plus > 0 else "-"
        return f"${{{share} {sign} {constant_text(abs(plus))}}}"

    def declarations(self, values: Mapping[str, Value | None]) -> Element | None:
        """The declarations of all parameters, with the values of the fields as they are.

        A field without a value gets one that it may be drawn to have.
        """
        declared = []
        for path, name in self.parameters.items():
            value = values.get(path)
            value = first_of(self._vary[path]) if value is None else value
            declared.append(
                element(
                    "ParameterDeclaration",
                    name=name,
                    parameterType="string" if isinstance(value, str) else "double",
                    value=escaped(kept_text(value)),
                )
            )
        return element("ParameterDeclarations", *declared) if declared else None


def first_of(distribution: Distribution) -> Value:
    """A value that a distribution may draw."""
    return distribution.options[0] if distribution.options else distribution.low
