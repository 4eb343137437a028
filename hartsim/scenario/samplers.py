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
from functools import lru_cache

from hartsim.errors import ScenarioError
from hartsim.scenario.draw import (
    Draw,
    Point,
    draw_meeting,
    quantile_of,
    random_point,
    stream,
    value_at,
)
from hartsim.scenario.nodes import Value
from hartsim.scenario.schema import Distribution, Scenario
from hartsim.types import SamplerName

Interval = tuple[float, float]
"""Quantiles from the first up to the second."""
Levels = Mapping[str, tuple[Interval, ...]]
"""The parts of every varied path that count as different."""

ALMOST_ONE = math.nextafter(1.0, 0.0)
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
    """The draws of one scenario; `size` of them complete the plan, None where it has no end.

    `planned` says where draw number `index` lies; without a plan it is left to chance.
    """

    scenario: Scenario
    seed: int
    planned: Callable[[int], Point] | None = None
    size: int | None = None
    even: bool = False
    """Whether options are drawn evenly, so that draws need a weight."""

    def draw(self, index: int) -> Draw:
        """Draw number `index`; beyond the plan's size it begins again with other values.

        A planned draw that breaks a condition of the scenario gives way to a random one.
        """
        made = draw_meeting(
            self.scenario, self.seed, index, lambda attempt: self._point(index, attempt)
        )
        return replace(made, weight=_likelihood(self.scenario, made)) if self.even else made

    def _point(self, index: int, attempt: int) -> Point:
        if self.planned is not None:
            if attempt == 0:
                return self.planned(index)
            attempt -= 1
        point = random_point(self.scenario, self.seed, index, attempt)
        return _evened(self.scenario, point) if self.even else point


def make_sampler(
    scenario: Scenario, seed: int, sampling: Sampling = Sampling(), count: int = 1
) -> Sampler:
    """The sampler of a scenario; `count` draws are wanted, which a Latin hypercube must know."""
    levels = {path: levels_of(spread, sampling.levels) for path, spread in scenario.vary.items()}
    match sampling.sampler:
        case "sobol" | "latin" if scenario.vary:
            return Sampler(scenario, seed, _spread(scenario, seed, sampling.sampler, count))
        case "grid":
            size = math.prod(len(parts) for parts in levels.values())
            return Sampler(scenario, seed, _grid(levels), size)
        case "pairwise":
            rows = covering_rows(scenario, seed, levels, sampling.ways)
            return Sampler(scenario, seed, _covering(scenario, seed, levels, rows), len(rows))
        case _:
            return Sampler(scenario, seed, even=sampling.sampler == "rare")


def full_grid(scenario: Scenario, levels: int) -> int:
    """How many scenes it would take to try every combination of all levels."""
    return math.prod(len(levels_of(spread, levels)) for spread in scenario.vary.values())


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
        weights = distribution.weights or (1.0,) * len(distribution.options)
        drawn = zip(distribution.options, weights, strict=True)
        return tuple(str(option) for option, weight in drawn if weight > 0)
    return tuple(
        f"{value_at(distribution, low):.4g}..{value_at(distribution, min(high, ALMOST_ONE)):.4g}"
        for low, high in levels_of(distribution, levels)
    )


def level_of(distribution: Distribution, value: Value, levels: int) -> str:
    """The name of the part that a value belongs to."""
    if distribution.kind == "choice":
        return str(value)
    starts = [value_at(distribution, low) for low, _ in levels_of(distribution, levels)]
    part = max(k for k, start in enumerate(starts) if k == 0 or value >= start)  # type: ignore[operator]
    return level_names(distribution, levels)[part]


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


def _grid(levels: Levels) -> Callable[[int], Point]:
    def point(index: int) -> Point:
        chosen = {}
        for path, parts in levels.items():
            index, digit = divmod(index, len(parts))
            chosen[path] = _middle(parts[digit])
        return chosen

    return point


def covering_rows(scenario: Scenario, seed: int, levels: Levels, ways: int) -> list[dict[str, int]]:
    """Levels by path, in so few rows that every combination of `ways` of them occurs.

    ScenarioError where the combinations are too many to search.
    """
    sizes = tuple(len(parts) for parts in levels.values())
    ways = min(ways, len(sizes))
    combined = math.prod(sorted(sizes, reverse=True)[:ways])
    if combined > MOST_ROWS:
        raise ScenarioError(
            f"{scenario.source}: {ways} of its varied values have {combined} combinations of "
            "levels; ask for fewer ways or levels"
        )
    rows = _covering_array(sizes, ways, f"{scenario.name} {seed}")
    return [dict(zip(levels, row, strict=True)) for row in rows]


@lru_cache(maxsize=256)
def _covering_array(sizes: tuple[int, ...], ways: int, salt: str) -> list[tuple[int, ...]]:
    """Rows of one number below each size, among which any `ways` columns have all combinations."""
    if ways < 2:
        return [tuple(row % size for size in sizes) for row in range(max(sizes, default=1))]
    from covertable import make

    made = make([list(range(size)) for size in sizes], strength=ways, salt=salt)
    return [tuple(int(each) for each in row) for row in made]


def _covering(
    scenario: Scenario, seed: int, levels: Levels, rows: list[dict[str, int]]
) -> Callable[[int], Point]:
    def point(index: int) -> Point:
        return {
            path: _within(levels[path][level], quantile_of(scenario.name, seed, index, path))
            for path, level in rows[index % len(rows)].items()
        }

    return point


def _evened(scenario: Scenario, point: Point) -> Point:
    """The point where options are equally likely."""
    evened = dict(point)
    for path, spread in scenario.vary.items():
        if spread.kind == "choice":
            options = levels_of(spread, 1)
            evened[path] = _middle(options[int(point[path] * len(options))])
    return evened


def _likelihood(scenario: Scenario, made: Draw) -> float:
    """How much likelier the scenario makes these options than an even draw does."""
    ratio = 1.0
    for path, spread in scenario.vary.items():
        if spread.kind == "choice" and spread.weights is not None:
            weight = spread.weights[spread.options.index(made.values[path])]
            ratio *= weight / sum(spread.weights) * sum(w > 0 for w in spread.weights)
    return ratio
