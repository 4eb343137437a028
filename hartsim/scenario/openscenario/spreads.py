"""Parameter value distributions: how parameters are drawn, from the file's words and back."""

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from hartsim.scenario.draw import value_at
from hartsim.scenario.dump import distribution_text
from hartsim.scenario.openscenario.documents import header, kept_property
from hartsim.scenario.openscenario.kept import kept_text
from hartsim.scenario.openscenario.parameters import escaped, value_text
from hartsim.scenario.openscenario.reader import Reader
from hartsim.scenario.openscenario.texts import Texts
from hartsim.scenario.openscenario.tree import Element, element
from hartsim.scenario.schema import Distribution, Scenario

TEST_RUNS = 100
MOST_VALUES = 100
"""Values of a parameter that are written or looked at one by one."""
BINS, POINTS = 16, 9
"""Parts of a histogram that is written, and values that stand for a spread of another shape."""
SMALLEST = 1e-6
ENDS_STD = 4.0
"""Where a normal without ends is cut off, in standard deviations."""

Spreads = dict[str, tuple[Distribution, Element]]
"""By parameter: its distribution, whose options are texts, and where the file says so."""


def written_distributions(scenario: Scenario) -> Element:
    """The document that says how the parameters of an exported scenario are drawn.

    What a file cannot say exactly is kept word for word in a property of its header.
    """
    texts = Texts(scenario)
    drawn: list[Element] = []
    kept: list[Element] = []
    for path, name in texts.parameters.items():
        distribution = scenario.vary[path]
        drawn.append(element("StochasticDistribution", _written(distribution), parameterName=name))
        read = _read(Reader(), drawn[-1])
        if read is None or as_typed(read, distribution) != distribution:
            kept.append(kept_property(name, escaped(distribution_text(distribution))))
    return element(
        "OpenSCENARIO",
        header(f"How the parameters of {scenario.name} are drawn", *kept),
        element(
            "ParameterValueDistribution",
            element("ScenarioFile", filepath=f"./{scenario.name}.xosc"),
            element("Stochastic", *drawn, numberOfTestRuns=str(TEST_RUNS), randomSeed="0"),
        ),
    )


def same_as_written(distribution: Distribution, found: Element) -> bool:
    """Whether a file still says of a parameter what is written for this distribution."""
    written = element("StochasticDistribution", _written(distribution))
    return _read(Reader(), written) == _read(Reader(), found)


def as_typed(read: Distribution, like: Distribution) -> Distribution:
    """A distribution whose options are of the type of another's, texts where they are not."""
    if not any(isinstance(each, float | int) for each in like.options):
        return read
    try:
        options = tuple(float(each) for each in read.options)
    except ValueError:
        return read
    return Distribution(read.kind, options, read.weights)


def spreads_in(reader: Reader, root: Element) -> Spreads:
    """The distributions of parameters in a document; what cannot be read is noted."""
    body = reader.child(root, "ParameterValueDistribution")
    reader.children(body, "ScenarioFile")
    found: Spreads = {}
    for each in reader.children(reader.child(body, "Stochastic"), "StochasticDistribution"):
        _add(reader, found, each)
    for each in reader.children(reader.child(body, "Deterministic")):
        if each.name == "DeterministicMultiParameterDistribution":
            _add_sets(reader, found, each)
        else:
            _add(reader, found, each)
    return found


def scenario_file(root: Element) -> str | None:
    """The path of the scenario that a document of distributions is for; None in other documents."""
    for body in root.named("ParameterValueDistribution"):
        for each in body.named("ScenarioFile"):
            return each.attributes.get("filepath", "")
        return ""
    return None


def points_of(distribution: Distribution) -> list[float]:
    """Equally likely numbers that stand for a distribution of numbers."""
    return [float(value_at(distribution, (index + 0.5) / POINTS)) for index in range(POINTS)]


def distributions_beside(path: Path) -> Path:
    """Where the distributions of a scenario file are looked for."""
    return path.with_name(f"{path.stem}.dist.xosc")


def _add(reader: Reader, found: Spreads, each: Element) -> None:
    distribution = _read(reader, each)
    if distribution is not None:
        found[reader.text(each, "parameterName").lstrip("$")] = distribution, each


def _add_sets(reader: Reader, found: Spreads, several: Element) -> None:
    """Sets of values are a choice where they are about one parameter only."""
    sets = reader.children(reader.child(several, "ValueSetDistribution"), "ParameterValueSet")
    values = [
        (reader.text(given, "parameterRef").lstrip("$"), reader.text(given, "value"))
        for each in sets
        for given in reader.children(each, "ParameterAssignment")
    ]
    names = {name for name, _ in values}
    if len(names) == 1 and len(values) == len(sets) <= MOST_VALUES:
        found[names.pop()] = Distribution("choice", tuple(value for _, value in values)), several
    else:
        reader.leave(several, "fields are drawn one by one, not several together")


def _read(reader: Reader, parent: Element) -> Distribution | None:
    """The distribution below an element; options are texts."""
    readers: Mapping[str, Callable[[Reader, Element], Distribution | None]] = {
        "DistributionRange": _steps,
        "DistributionSet": _options,
        "Histogram": _histogram,
        "LogNormalDistribution": _log_normal,
        "NormalDistribution": _normal,
        "PoissonDistribution": _poisson,
        "ProbabilityDistributionSet": _options,
        "UniformDistribution": _uniform,
    }
    for each in reader.children(parent):
        distribution = readers[each.name](reader, each) if each.name in readers else None
        if distribution is None:
            reader.leave(each, "cannot be drawn from")
        return distribution
    return None


def _options(reader: Reader, found: Element) -> Distribution | None:
    elements = reader.children(found, "Element")
    options = tuple(reader.text(each, "value") for each in elements)
    if not 0 < len(options) <= MOST_VALUES:
        return None
    if found.name == "DistributionSet":
        return Distribution("choice", options)
    return _weighted(options, [reader.number(each, "weight") for each in elements])


def _weighted(options: tuple[str, ...], weights: list[float]) -> Distribution | None:
    """A choice; the same option twice counts as one."""
    totals: dict[str, float] = {}
    for option, weight in zip(options, weights, strict=True):
        totals[option] = totals.get(option, 0.0) + weight
    if min(weights) < 0 or not 0 < sum(weights) < math.inf:
        return None
    return Distribution("choice", tuple(totals), tuple(totals.values()))


def _range(reader: Reader, found: Element) -> tuple[float, float] | None:
    limits = reader.child(found, "Range")
    low, high = (reader.number(limits, each, math.nan) for each in ("lowerLimit", "upperLimit"))
    return (low, high) if low <= high else None


def _steps(reader: Reader, found: Element) -> Distribution | None:
    ends, step = _range(reader, found), reader.number(found, "stepWidth")
    if ends is None or step <= 0 or (ends[1] - ends[0]) / step >= MOST_VALUES:
        return None
    count = math.floor((ends[1] - ends[0]) / step + 1e-9) + 1
    values = [value_text(round(ends[0] + index * step, 9)) for index in range(count)]
    return Distribution("choice", tuple(values))


def _uniform(reader: Reader, found: Element) -> Distribution | None:
    ends = _range(reader, found)
    return Distribution("uniform", low=ends[0], high=ends[1]) if ends else None


def _normal(reader: Reader, found: Element) -> Distribution | None:
    mean, variance = (reader.number(found, each) for each in ("expectedValue", "variance"))
    if variance <= 0:
        return None
    std = math.sqrt(variance)
    low, high = _range(reader, found) or (mean - ENDS_STD * std, mean + ENDS_STD * std)
    return Distribution("normal", low=low, high=high, mean=mean, std=std)


def _log_normal(reader: Reader, found: Element) -> Distribution | None:
    """Equally likely values; mean and variance are those of the values themselves."""
    mean, variance = (reader.number(found, each) for each in ("expectedValue", "variance"))
    if mean < SMALLEST or variance <= 0:
        return None
    spread = math.log1p(variance / mean**2)
    logs = Distribution(
        "normal",
        mean=math.log(mean) - spread / 2,
        std=math.sqrt(spread),
        low=-math.inf,
        high=math.inf,
    )
    low, high = _range(reader, found) or (0.0, math.inf)
    values = [value for each in points_of(logs) if low <= (value := math.exp(each)) <= high]
    reader.note(found, f"became {len(values)} values", "approximated")
    return Distribution("choice", tuple(map(value_text, values))) if values else None


def _poisson(reader: Reader, found: Element) -> Distribution | None:
    mean = reader.number(found, "expectedValue")
    low, high = _range(reader, found) or (0.0, mean + ENDS_STD * math.sqrt(max(mean, 1.0)))
    if not 0 < mean <= MOST_VALUES / 2:
        return None
    counts = range(math.ceil(max(low, 0.0)), math.floor(min(high, MOST_VALUES)) + 1)
    chances = [math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) for n in counts]
    return _weighted(tuple(map(str, counts)), chances) if counts else None


def _histogram(reader: Reader, found: Element) -> Distribution | None:
    bins = reader.children(found, "Bin")
    ranges = [(_range(reader, each), reader.number(each, "weight")) for each in bins]
    known = [(ends, weight) for ends, weight in ranges if ends is not None and weight >= 0]
    if len(known) == 1:
        (low, high), _ = known[0]
        return Distribution("uniform", low=low, high=high)
    if not known or len(known) > MOST_VALUES or len(known) < len(ranges):
        return None
    reader.note(found, "became the middles of its bins", "approximated")
    middles = tuple(value_text((low + high) / 2) for (low, high), _ in known)
    return _weighted(middles, [weight for _, weight in known])


def _written(distribution: Distribution) -> Element:
    low, high = distribution.low, distribution.high
    match distribution.kind:
        case "choice":
            weights = distribution.weights or (1.0,) * len(distribution.options)
            return _written_choice([*map(kept_text, distribution.options)], [*weights])
        case "normal":
            return element(
                "NormalDistribution",
                _written_range(low, high),
                expectedValue=value_text(distribution.mean),
                variance=value_text(distribution.std**2),
            )
        case "integer" if high - low < MOST_VALUES:
            values = [value_text(low + step) for step in range(int(high - low) + 1)]
            return _written_choice(values, [1.0] * len(values))
        case "loguniform" if low < high:
            return element("Histogram", *_written_bins(low, high))
    return element("UniformDistribution", _written_range(low, high))


def _written_choice(options: list[str], weights: list[float]) -> Element:
    return element(
        "ProbabilityDistributionSet",
        *(
            element("Element", value=escaped(option), weight=value_text(weight))
            for option, weight in zip(options, weights, strict=True)
        ),
    )


def _written_bins(low: float, high: float) -> Iterator[Element]:
    """Equally likely parts of a log-uniform distribution."""
    ends = [low * (high / low) ** (index / BINS) for index in range(BINS)] + [high]
    for index in range(BINS):
        limits = _written_range(round(ends[index], 6), round(ends[index + 1], 6))
        yield element("Bin", limits, weight="1")


def _written_range(low: float, high: float) -> Element:
    return element("Range", lowerLimit=value_text(low), upperLimit=value_text(high))
