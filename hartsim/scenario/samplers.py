"""Which draws to make of a scenario: at random, or spread so that less is missed.

Every sampler says where in its range each varied value of draw number `index` lies, as a quantile;
`value_at` turns that into the value. So all of them obey a scenario's distributions, and any draw
can be made without those before it.

| sampler  | what it spreads |
|----------|-----------------|
| random   | nothing: independent draws, as many as wanted |
| sobol    | all values together: a scrambled Sobol sequence, best at powers of two |
| latin    | each value over its range: a Latin hypercube of just as many draws as are wanted |
| grid     | every combination of levels once |
| pairwise | every combination of the levels of any two values (or `ways` values) at least once |
| rare     | options evenly, however unlikely; each draw's `weight` says how likely it was |
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from hartsim.errors import ScenarioError
from hartsim.scenario.constraints import unmet
from hartsim.scenario.draw import Draw, draw, draw_at, quantile_of, stream, value_at
from hartsim.scenario.schema import Distribution, Scenario, Value
from hartsim.types import SamplerName

Point = Mapping[str, float]
"""A quantile, in [0, 1), for every varied path."""
Interval = tuple[float, float]
"""Quantiles from the first up to the second."""

MOST_ROWS = 20_000
"""Combinations of levels that a covering array is searched for at most."""


@dataclass(frozen=True)
class Sampling:
    """How to sample; `levels` is into how many equally likely parts numbers are cut."""

    sampler: SamplerName = "random"
    levels: int = 3
    ways: int = 2


@dataclass(frozen=True)
class Sampler:
    """The draws of one scenario; `size` of them complete the plan, None where it has no end."""

    scenario: Scenario
    seed: int
    point: Callable[[int], Point]
    size: int | None = None
    even: bool = False
    """Whether options are drawn evenly, so that draws need a weight."""

    def draw(self, index: int) -> Draw:
        """Draw number `index`; beyond the plan's size it begins again with other values.

        A draw that breaks a condition of the scenario gives way to a random one that meets them.
        """
        made = draw_at(self.scenario, self.seed, index, self.point(index))
        if unmet(made.scenario):
            made = draw(self.scenario, self.seed, index)
        return replace(made, weight=_likelihood(self.scenario, made)) if self.even else made


def make_sampler(
    scenario: Scenario, seed: int, sampling: Sampling = Sampling(), count: int = 1
) -> Sampler:
    """The sampler of a scenario; `count` draws are wanted, which a Latin hypercube must know."""
    paths = tuple(scenario.vary)
    name = sampling.sampler
    if name in ("sobol", "latin") and paths:
        return Sampler(scenario, seed, _spread(scenario, seed, name, count))
    if name == "grid":
        levels = _levels(scenario, sampling.levels)
        return Sampler(scenario, seed, _grid(levels), math.prod(map(len, levels.values())))
    if name == "pairwise":
        rows = covering_rows(scenario, seed, sampling)
        return Sampler(scenario, seed, _covering(scenario, seed, rows), len(rows))

    def random(index: int) -> Point:
        return {path: quantile_of(scenario.name, seed, index, path) for path in paths}

    if name == "rare":
        return Sampler(scenario, seed, _evened(scenario, random), even=True)
    return Sampler(scenario, seed, random)


def levels_of(distribution: Distribution, levels: int) -> tuple[Interval, ...]:
    """The parts of a distribution that count as different: its options, or equal shares."""
    if distribution.kind == "choice":
        weights = distribution.weights or (1.0,) * len(distribution.options)
        total, low, parts = sum(weights), 0.0, []
        for weight in weights:
            high = low + weight / total
            parts.append((low, min(high, 1.0)))
            low = high
        return tuple(part for part, weight in zip(parts, weights, strict=True) if weight > 0)
    if distribution.low == distribution.high:
        return ((0.0, 1.0),)
    if distribution.kind == "integer":
        levels = min(levels, round(distribution.high - distribution.low) + 1)
    return tuple((k / levels, (k + 1) / levels) for k in range(levels))


def level_names(distribution: Distribution, levels: int) -> tuple[str, ...]:
    """What to call the parts: an option, or `4.2..7`."""
    if distribution.kind == "choice":
        return tuple(str(value_at(distribution, _middle(p))) for p in levels_of(distribution, 0))
    return tuple(
        f"{value_at(distribution, low):.4g}..{value_at(distribution, min(high, ALMOST_ONE)):.4g}"
        for low, high in levels_of(distribution, levels)
    )


def level_of(distribution: Distribution, value: Value, levels: int) -> str:
    """The name of the part that a value belongs to."""
    names = level_names(distribution, levels)
    if distribution.kind == "choice":
        return str(value)
    parts = levels_of(distribution, levels)
    starts = [value_at(distribution, low) for low, _ in parts]
    return names[max(k for k, start in enumerate(starts) if k == 0 or value >= start)]  # type: ignore[operator]


ALMOST_ONE = math.nextafter(1.0, 0.0)


def _levels(scenario: Scenario, levels: int) -> dict[str, tuple[Interval, ...]]:
    return {path: levels_of(spread, levels) for path, spread in scenario.vary.items()}


def _middle(part: Interval) -> float:
    return min((part[0] + part[1]) / 2, ALMOST_ONE)


def _within(part: Interval, share: float) -> float:
    return min(part[0] + (part[1] - part[0]) * share, ALMOST_ONE)


def _spread(scenario: Scenario, seed: int, name: SamplerName, count: int) -> Callable[[int], Point]:
    """Points of a sequence made to fill space evenly; scipy, which has it, takes a second."""
    from scipy.stats import qmc

    paths, rng = tuple(scenario.vary), stream(name, scenario.name, seed)
    if name == "latin":
        points = qmc.LatinHypercube(len(paths), rng=rng).random(count)
    else:
        points = qmc.Sobol(len(paths), rng=rng).random_base2(max(count - 1, 0).bit_length())

    def point(index: int) -> Point:
        quantiles = (min(float(q), ALMOST_ONE) for q in points[index])
        return dict(zip(paths, quantiles, strict=True))

    return point


def _grid(levels: Mapping[str, tuple[Interval, ...]]) -> Callable[[int], Point]:
    def point(index: int) -> Point:
        chosen = {}
        for path, parts in levels.items():
            index, digit = divmod(index, len(parts))
            chosen[path] = _middle(parts[digit])
        return chosen

    return point


def covering_rows(scenario: Scenario, seed: int, sampling: Sampling) -> list[dict[str, int]]:
    """Levels by path, in so few rows that every combination of `ways` of them occurs.

    ScenarioError where the combinations are too many to search.
    """
    numbered = {
        p: list(range(len(parts))) for p, parts in _levels(scenario, sampling.levels).items()
    }
    ways = min(sampling.ways, len(numbered))
    if ways < 2:
        longest = max((len(each) for each in numbered.values()), default=1)
        return [{path: k % len(ids) for path, ids in numbered.items()} for k in range(longest)]
    widest = sorted((len(each) for each in numbered.values()), reverse=True)[:ways]
    if math.prod(widest) > MOST_ROWS:
        raise ScenarioError(
            f"{scenario.source}: {ways} of its varied values have {math.prod(widest)} combinations "
            f"of {sampling.levels} levels; ask for fewer ways or levels"
        )
    from covertable import make

    made = make(numbered, strength=ways, salt=f"{scenario.name} {seed}")
    return [{path: int(row[path]) for path in numbered} for row in made]


def _covering(scenario: Scenario, seed: int, rows: list[dict[str, int]]) -> Callable[[int], Point]:
    sampling_levels = {path: max(row[path] for row in rows) + 1 for path in scenario.vary}
    parts = {path: levels_of(scenario.vary[path], sampling_levels[path]) for path in scenario.vary}

    def point(index: int) -> Point:
        row = rows[index % len(rows)]
        return {
            path: _within(parts[path][level], quantile_of(scenario.name, seed, index, path))
            for path, level in row.items()
        }

    return point


def _evened(scenario: Scenario, point: Callable[[int], Point]) -> Callable[[int], Point]:
    """Points whose options are equally likely."""
    options = {p: levels_of(s, 1) for p, s in scenario.vary.items() if s.kind == "choice"}

    def evened(index: int) -> Point:
        return {
            path: _middle(options[path][int(share * len(options[path]))])
            if path in options
            else share
            for path, share in point(index).items()
        }

    return evened


def _likelihood(scenario: Scenario, made: Draw) -> float:
    """How much likelier the scenario makes these options than an even draw does."""
    ratio = 1.0
    for path, spread in scenario.vary.items():
        if spread.kind == "choice" and spread.weights is not None:
            weight = spread.weights[spread.options.index(made.values[path])]
            ratio *= weight / sum(spread.weights) * sum(w > 0 for w in spread.weights)
    return ratio
