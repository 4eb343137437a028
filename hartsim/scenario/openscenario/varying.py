"""What varies: from drawn parameters to drawn fields.

A file that hartsim wrote has a parameter for each field. Of other files every value of a parameter
is tried, to see which field follows it.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from hartsim.scenario.nodes import Value
from hartsim.scenario.openscenario.parameters import value_text
from hartsim.scenario.openscenario.reader import Reader, Unmapped
from hartsim.scenario.openscenario.spreads import Spreads, points_of
from hartsim.scenario.openscenario.tree import Element
from hartsim.scenario.schema import Distribution, Scenario, parts_of, variable_fields

Rerun = Callable[[Mapping[str, str]], Scenario]
"""The scenario with these values of parameters."""
Fields = Mapping[str, Value | None]

GUESSED = "scene.place"
"""A field that is guessed from others."""
DIGITS = 6
MOST_WORK = 300_000
"""Elements that are read while values are tried, long attributes counted as several."""


def own_distributions(
    scenario: Scenario, found: Spreads, paths: Mapping[str, str]
) -> dict[str, Distribution]:
    """The distributions of an own file's parameters, by the path of the field of each."""
    rules = variable_fields(scenario)
    drawn: dict[str, Distribution] = {}
    for name, (distribution, element) in found.items():
        path = paths[name]
        if rules[path].holds == "number" and distribution.kind == "choice":
            try:
                options = tuple(float(each) for each in distribution.options)
            except ValueError as error:
                raise element.error(f"{path} is a number, and one option is not") from error
            distribution = Distribution("choice", options, distribution.weights)
        drawn[path] = distribution
    return drawn


def tried_distributions(
    base: Scenario, found: Spreads, rerun: Rerun, size: int
) -> tuple[dict[str, Distribution], list[Unmapped]]:
    """The distributions of the fields that parameters move, and notes on those that move none.

    `size` is how much each run reads, as in `MOST_WORK`.
    """
    reader, drawn, work = Reader(), dict[str, Distribution](), 0
    for name, (distribution, element) in found.items():
        tries = _tries(distribution)
        work += len(tries) * size
        if work > MOST_WORK:
            reader.note(element, "too many values to try in a file of this size")
            continue
        runs = [_fields(rerun({name: each})) for each in tries]
        path = _moved(reader, element, name, _fields(base), runs)
        if path is None:
            continue
        values = [run[path] for run in runs]
        if path in drawn:
            reader.note(element, f"another parameter moves {path}, too")
        elif None in values:
            reader.note(element, f"takes away {path}, which only may have other values")
        else:
            drawn[path] = _drawn(
                reader, element, distribution, [v for v in values if v is not None]
            )
    return drawn, reader.notes


def _fields(scenario: Scenario) -> Fields:
    return {
        f"{place}.{name}": value
        for place, part in parts_of(scenario).items()
        for name, value in vars(part).items()
    }


def _tries(distribution: Distribution) -> list[str]:
    """The values to try: all options, or both ends and what lies between."""
    if distribution.kind == "choice":
        return [str(each) for each in distribution.options]
    ends = [distribution.low, (distribution.low + distribution.high) / 2, distribution.high]
    return [value_text(each) for each in (*ends, *points_of(distribution))]


def _moved(
    reader: Reader, element: Element, name: str, base: Fields, runs: Sequence[Fields]
) -> str | None:
    """The one field that follows a parameter; None, with a note, where it is none or several."""
    if any(run.keys() != base.keys() for run in runs):
        reader.note(element, f"'{name}' decides what is there at all, not one field")
        return None
    paths = [path for path in base if any(run[path] != base[path] for run in runs)]
    paths = [path for path in paths if path != GUESSED] or paths
    kinds = [path for path in paths if path.endswith(".kind")]
    if len(paths) == 1:
        return paths[0]
    if kinds and all(path.startswith(kinds[0].removesuffix("kind")) for path in paths):
        reader.note(element, f"'{name}' draws {kinds[0]} alone", "approximated")
        return kinds[0]
    what = f"moves {', '.join(paths[:4])} together" if paths else "moves nothing that is mapped"
    reader.note(element, f"'{name}' {what}; fields are drawn one by one")
    return None


def _drawn(
    reader: Reader, element: Element, read: Distribution, values: Sequence[Value]
) -> Distribution:
    """The distribution of a field that has these values where the parameter is tried."""
    if read.kind == "choice":
        return _choice(values, read.weights or (1.0,) * len(values), even=read.weights is None)
    low, middle, high = (each if isinstance(each, float) else math.nan for each in values[:3])
    if not math.isclose(middle, (low + high) / 2, rel_tol=1e-6, abs_tol=1e-6):
        reader.note(element, f"became {len(values) - 3} values", "approximated")
        return _choice(values[3:], (1.0,) * (len(values) - 3), even=True)
    uniform = Distribution("uniform", low=min(low, high), high=max(low, high))
    if read.kind == "uniform":
        return uniform
    slope = (high - low) / (read.high - read.low) if read.high > read.low else 0.0
    mean = round(low + slope * (read.mean - read.low), DIGITS)
    return replace(uniform, kind="normal", mean=mean, std=round(abs(slope) * read.std, DIGITS))


def _choice(values: Sequence[Value], weights: Sequence[float], even: bool) -> Distribution:
    """The same value twice counts as one."""
    totals: Counter[Value] = Counter()
    for value, weight in zip(values, weights, strict=True):
        totals[value] += weight  # type: ignore[assignment]
    if even and len(totals) == len(values):
        return Distribution("choice", tuple(totals))
    return Distribution(
        "choice", tuple(totals), tuple(round(each, DIGITS) for each in totals.values())
    )
