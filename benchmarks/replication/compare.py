"""Curves of quality against time, and how much longer one model takes for another's quality."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float64]
Reach = Literal["within", "at most", "never"]


@dataclass(frozen=True)
class Reached:
    """The time after which a curve reaches a quality."""

    time: float
    reach: Reach
    """`at most`: its shortest time already does; `never`: not even its longest time does."""


def time_to_reach(times: Sequence[float], distances: Sequence[float], wanted: float) -> Reached:
    """When a curve of distances (lower is better) comes down to `wanted`.

    Between points the distance is linear in the logarithm of time. A point that is worse than an
    earlier one counts for nothing: nobody has to spend the time.
    """
    order = np.argsort(times, kind="stable")
    best_time, best = float(times[order[0]]), float(distances[order[0]])
    if best <= wanted:
        return Reached(best_time, "at most")
    for index in order[1:]:
        time, distance = float(times[index]), float(distances[index])
        if distance >= best:
            continue
        if distance <= wanted:
            share = (best - wanted) / (best - distance)
            return Reached(
                math.exp(math.log(best_time) * (1 - share) + math.log(time) * share), "within"
            )
        best_time, best = time, distance
    return Reached(float(times[order[-1]]), "never")


def ratio_at_equal_quality(
    times: Sequence[float], distances: Sequence[float], time: float, distance: float
) -> tuple[float, Reach]:
    """How many times longer a curve takes to reach a point's quality than the point does.

    The number is a bound where the curve begins below the point or never gets there.
    """
    found = time_to_reach(times, distances, distance)
    return found.time / time, found.reach


@dataclass(frozen=True)
class Kernels:
    """Cubic kernels between N real and N made pictures, each pair of one caption."""

    real: Features
    made: Features
    cross: Features

    @classmethod
    def of(cls, real: Features, made: Features) -> "Kernels":
        """Of two feature sets (N, D)."""
        return cls(_cubic(real, real), _cubic(made, made), _cubic(real, made))

    def distance(self, counts: Features) -> float:
        """KID (arXiv 1801.01401), picture i being drawn `counts[i]` times.

        No picture is compared with itself, however often it is drawn.
        """
        pairs = counts.sum() ** 2 - np.square(counts).sum()
        within = sum(
            counts @ kernel @ counts - np.square(counts) @ np.diag(kernel)
            for kernel in (self.real, self.made)
        )
        across = counts @ self.cross @ counts - np.square(counts) @ np.diag(self.cross)
        return float((within - 2 * across) / pairs)


def _cubic(x: Features, y: Features) -> Features:
    out: Features = (x @ y.T / x.shape[1] + 1) ** 3
    return out


def frechet_of(real: Features, made: Features) -> float:
    """The Frechet distance of two feature sets (N, D) with N not much more than D.

    The trace of the root of the product of covariances is the nuclear norm of a product of the
    centred features, N by N, which is quicker than the roots of a D by D matrix.
    """
    (a, b), freedom = ((x - x.mean(axis=0)) for x in (real, made)), len(real) - 1
    gap = np.square(real.mean(axis=0) - made.mean(axis=0)).sum()
    spread = (np.square(a).sum() + np.square(b).sum()) / freedom
    shared = np.linalg.svd((a @ b.T).astype(np.float32), compute_uv=False).sum(dtype=float)
    return float(gap + spread - 2 * shared / freedom)


def draws_with_replacement(count: int, rng: np.random.Generator) -> Features:
    """How often each of `count` things is drawn in `count` draws."""
    return rng.multinomial(count, np.full(count, 1 / count)).astype(float)


def resampled(
    statistic: Callable[[np.random.Generator], float], times: int, seed: int = 0
) -> list[float]:
    """A statistic of so many resamples, each drawn by a generator of its own."""
    return [statistic(np.random.default_rng([seed, number])) for number in range(times)]


def interval(values: Iterable[float], level: float = 0.95) -> tuple[float, float]:
    """The percentile interval of resampled values; infinite ones have their place at the end."""
    ordered = np.sort(np.fromiter(values, float))
    edge = (1 - level) / 2 * (len(ordered) - 1)
    return float(ordered[math.floor(edge)]), float(ordered[math.ceil(len(ordered) - 1 - edge)])
