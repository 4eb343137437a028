"""One concrete scenario out of the many that a scenario may be.

Every random number here comes from a BLAKE2 hash of names, seed and index, never from an earlier
draw: draws can be made in any order and on any machine, and a path that is added to `vary` leaves
the values of the others as they were.
"""

import hashlib
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from statistics import NormalDist
from typing import Any, TypeVar

import numpy as np

from hartsim.errors import ScenarioError
from hartsim.scenario.constraints import unmet
from hartsim.scenario.nodes import Value
from hartsim.scenario.schema import Distribution, Scenario, misfit, variable_fields
from hartsim.scenario.words import suggestion

T = TypeVar("T")
Point = Mapping[str, float]
"""A quantile, in [0, 1), for every varied path."""
TRIES = 1000


@dataclass(frozen=True)
class Draw:
    """A concrete scenario (its `vary` is empty), and the value drawn for each varied path.

    `weight` is how much likelier the scenario makes it than the sampler did, 1 where they agree.
    """

    scenario: Scenario
    seed: int
    index: int
    values: Mapping[str, Value]
    weight: float = 1.0


def quantile_of(*key: str | int) -> float:
    """A number in [0, 1) that looks random and belongs to this key, on every machine."""
    return math.ldexp(_hash(key) >> 75, -53)


def stream(*key: str | int) -> np.random.Generator:
    """The random stream of a key (Philox): the same on every machine, and no other key's."""
    return np.random.Generator(np.random.Philox(_hash(key)))


def _hash(key: Iterable[str | int]) -> int:
    """128 bits."""
    digest = hashlib.blake2b("\x1f".join(map(str, key)).encode(), digest_size=16).digest()
    return int.from_bytes(digest, "big")


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """One of the options, all equally likely."""
    return options[int(rng.random() * len(options))]


def draw(scenario: Scenario, seed: int, index: int) -> Draw:
    """Draw number `index` of a scenario: every varied field gets its value at random.

    Where the values break a condition all are drawn again; see `draw_meeting`.
    """
    return draw_meeting(
        scenario, seed, index, lambda attempt: random_point(scenario, seed, index, attempt)
    )


def random_point(scenario: Scenario, seed: int, index: int, attempt: int = 0) -> Point:
    """Quantiles that look random and belong to this draw and attempt."""
    again = (attempt,) if attempt else ()
    return {path: quantile_of(scenario.name, seed, index, path, *again) for path in scenario.vary}


def draw_meeting(scenario: Scenario, seed: int, index: int, point: Callable[[int], Point]) -> Draw:
    """The draw at the first point, of attempts 0, 1, …, that breaks none of the conditions.

    ScenarioError names the condition that is broken most often where none of `TRIES` meets them.
    """
    broken: Counter[str] = Counter()
    for attempt in range(TRIES):
        made = draw_at(scenario, seed, index, point(attempt))
        failures = unmet(made.scenario)
        if not failures:
            return made
        broken.update(failures)
    condition, times = broken.most_common(1)[0]
    raise ScenarioError(
        f"{scenario.source}: where: '{condition}' was not met in {times} of {TRIES} draws; let "
        "what it speaks of vary more widely, or ask for less"
    )


def draw_at(scenario: Scenario, seed: int, index: int, point: Point) -> Draw:
    """The draw whose values lie at a point."""
    values = {path: value_at(spread, point[path]) for path, spread in scenario.vary.items()}
    return Draw(set_values(scenario, values), seed, index, values)


def value_at(distribution: Distribution, quantile: float) -> Value:
    """The value below which the share `quantile`, in [0, 1), of all draws lies."""
    low, high = distribution.low, distribution.high
    match distribution.kind:
        case "choice":
            return _option_at(distribution, quantile)
        case "uniform":
            return min(low + (high - low) * quantile, high)
        case "loguniform":
            return min(max(low * math.pow(high / low, quantile), low), high)
        case "integer":
            return low + math.floor((high - low + 1) * quantile)
        case "normal":
            return _normal_at(distribution, quantile)


def _normal_at(distribution: Distribution, quantile: float) -> float:
    """Of a normal cut off at both ends, so that no value piles up there."""
    normal = NormalDist(distribution.mean, distribution.std)
    below, above = normal.cdf(distribution.low), normal.cdf(distribution.high)
    share = min(max(below + (above - below) * quantile, 1e-12), 1 - 1e-12)
    return min(max(normal.inv_cdf(share), distribution.low), distribution.high)


def _option_at(distribution: Distribution, quantile: float) -> Value:
    options = distribution.options
    if distribution.weights is None:
        return options[int(quantile * len(options))]
    totals = list(accumulate(distribution.weights))
    below_all = math.nextafter(totals[-1], 0.0)  # rounding must not reach past the last option
    return options[bisect_right(totals, min(quantile * totals[-1], below_all))]


def set_values(scenario: Scenario, values: Mapping[str, Value]) -> Scenario:
    """The scenario with these values at these dotted paths, and nothing left to vary."""
    tree: dict[str, Any] = {}
    for path, value in values.items():
        *parents, name = path.split(".")
        level = tree
        for parent in parents:
            level = level.setdefault(parent, {})
        level[name] = value
    concrete: Scenario = _updated(scenario, tree)
    return replace(concrete, vary={})


def fixed(scenario: Scenario, values: Mapping[str, Value]) -> Scenario:
    """The scenario with these values at these dotted paths, which no longer vary.

    ScenarioError for a path that it does not have, and for a value that does not fit.
    """
    rules = variable_fields(scenario)
    for path, value in values.items():
        if path not in rules:
            raise ScenarioError(f"{scenario.source}: no field '{path}'; {suggestion(path, rules)}")
        wrong = misfit(rules[path], value, scenario.task)
        if wrong:
            raise ScenarioError(f"{scenario.source}: {path}: {wrong}")
    left = {path: each for path, each in scenario.vary.items() if path not in values}
    return replace(set_values(scenario, values), vary=left)


def _updated(part: Any, changes: Mapping[str, Any]) -> Any:
    """A mapping or a dataclass with the changes of a nested tree."""
    members: Any = part if isinstance(part, Mapping) else vars(part)
    changed = {
        name: _updated(members[name], change) if isinstance(change, dict) else change
        for name, change in changes.items()
    }
    return {**part, **changed} if isinstance(part, Mapping) else replace(part, **changed)
