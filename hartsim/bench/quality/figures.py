"""Figures with intervals, and the tables that they stand in.

Every interval covers 95 %. What is resampled is always whole pictures, because things in one
picture are not independent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hartsim.errors import HartSimError

REPEATS = 1000
HALVES = 40
Z = 1.96
"""Standard deviations that an interval reaches to either side."""

Statistic = Callable[[NDArray[np.intp]], float]
"""A figure of the pictures with these numbers."""


class LeftOut(HartSimError):
    """A measure, or a part of one, that cannot be had; the message says why."""


@dataclass(frozen=True)
class Figure:
    """A measured value, its interval, and of how many pictures or things it is."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Row:
    """One figure: which `figure`, `of` what pictures, in which `group` of them."""

    figure: str
    of: str
    group: str
    value: float
    low: float
    high: float
    n: int

    @classmethod
    def put(cls, figure: str, of: str, group: str, found: Figure) -> "Row":
        """A figure in its place."""
        return cls(figure, of, group, found.value, found.low, found.high, found.n)


@dataclass(frozen=True)
class Findings:
    """What came out of one measure, and which parts of it were left out and why."""

    name: str
    rows: tuple[Row, ...] = ()
    left_out: tuple[str, ...] = ()
    seconds: float = 0.0

    def row(self, figure: str, of: str, group: str = "all") -> Row | None:
        """The row in this place; None where there is none."""
        places = ((row.figure, row.of, row.group) for row in self.rows)
        return next(
            (r for r, p in zip(self.rows, places, strict=True) if p == (figure, of, group)), None
        )


def mean_figure(values: ArrayLike, seed: int = 0) -> Figure:
    """The mean of values, one for each picture, with a bootstrap interval."""
    numbers = np.asarray(values, np.float64)
    return bootstrap(lambda picks: float(numbers[picks].mean()), len(numbers), seed)


def share_figure(hits: ArrayLike, pictures: ArrayLike | None = None, seed: int = 0) -> Figure:
    """The share of hits, resampled by the pictures that they are in (each its own by default).

    Where all are alike a bootstrap knows no doubt; Wilson's interval is given then.
    """
    found = np.asarray(hits, np.float64)
    if not len(found):
        raise LeftOut("nothing to count")
    where = np.arange(len(found)) if pictures is None else np.asarray(pictures)
    if found.min() == found.max():
        low, high = wilson(float(found.mean()), len(np.unique(where)))
        return Figure(float(found.mean()), low, high, len(found))
    return clustered_mean(found, where, seed)


def clustered_mean(values: ArrayLike, pictures: ArrayLike, seed: int = 0) -> Figure:
    """The mean of values of things, resampled by the pictures that they are in."""
    numbers = np.asarray(values, np.float64)
    _, places = np.unique(np.asarray(pictures), return_inverse=True)
    sums, counts = np.bincount(places, numbers), np.bincount(places)
    whole = bootstrap(lambda picks: float(sums[picks].sum() / counts[picks].sum()), len(sums), seed)
    return Figure(whole.value, whole.low, whole.high, len(numbers))


def wilson(share: float, n: int) -> tuple[float, float]:
    """Wilson's score interval of a share of n."""
    centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    reach = Z / (1 + Z**2 / n) * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return max(0.0, float(centre - reach)), min(1.0, float(centre + reach))


def ratio_figure(above: ArrayLike, below: ArrayLike, seed: int = 0) -> Figure:
    """The ratio of two means over the same pictures, which are resampled together."""
    over, under = np.asarray(above, np.float64), np.asarray(below, np.float64)
    return bootstrap(lambda picks: float(over[picks].mean() / under[picks].mean()), len(over), seed)


def bootstrap(statistic: Statistic, n: int, seed: int = 0, repeats: int = REPEATS) -> Figure:
    """A statistic of n pictures with the percentile interval of its bootstrap."""
    if n == 0:
        raise LeftOut("nothing to count")
    rng = np.random.default_rng([11, seed])
    drawn = [statistic(rng.integers(n, size=n)) for _ in range(repeats)]
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return Figure(statistic(np.arange(n)), float(low), float(high), n)


def half_samples(statistic: Statistic, n: int, seed: int = 0, repeats: int = HALVES) -> Figure:
    """A statistic of n pictures with the interval of the delete-half jackknife.

    For distances between sets, which the repetitions of a bootstrap would bias. (Shao and Wu,
    1989, "A general theory for jackknife variance estimation": deleting half of the pictures, the
    spread over halves is that of the whole.)
    """
    rng = np.random.default_rng([12, seed])
    halves = [statistic(np.sort(rng.permutation(n)[: n // 2])) for _ in range(repeats)]
    value, spread = statistic(np.arange(n)), Z * float(np.std(halves, ddof=1))
    return Figure(value, value - spread, value + spread, n)


def require_enough(count: int, least: int, what: str) -> None:
    """LeftOut for fewer than it takes."""
    if count < least:
        raise LeftOut(f"{count} {what}, at least {least} are needed")


def groups_of(names: Sequence[str], least: int) -> dict[str, NDArray[np.intp]]:
    """Which places belong to `all`, and to each name that is there often enough."""
    every: dict[str, NDArray[np.intp]] = {"all": np.arange(len(names))}
    listed = np.array(names)
    for name in sorted(set(names)):
        places = np.flatnonzero(listed == name)
        if len(places) >= least:
            every[name] = places
    return every
