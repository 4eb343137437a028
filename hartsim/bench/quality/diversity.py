"""Whether pictures differ from each other, and from those that the model learned from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hartsim.bench.quality.figures import (
    Figure,
    Findings,
    Row,
    bootstrap,
    mean_figure,
    require_enough,
    share_figure,
)

Features = NDArray[np.float32]
LEAST = 8
LEAST_NEAR = 40
NEAR_SHARE = 0.01
"""The share of held-out pictures that count as near to a training picture."""


@dataclass(frozen=True)
class Nearest:
    """For each picture its nearest training picture and the distance to it, (N,)."""

    places: NDArray[np.intp]
    distances: NDArray[np.float64]


def diversity(repeated: Sequence[Features], real: Features) -> list[Row]:
    """Mean distances between pictures of one prompt, of different prompts, and of true frames.

    `repeated` has the features (K, D) of several draws for each prompt; `real` those of one true
    frame for each.
    """
    require_enough(len(repeated), LEAST, "prompts drawn several times")
    name = "mean pairwise distance"
    within = [_mean_off_diagonal(cosine_distances(each, each)) for each in repeated]
    first = cosine_distances(*[np.stack([each[0] for each in repeated])] * 2)
    true = cosine_distances(real, real)
    return [
        Row.put(name, "generated, same prompt", "all", mean_figure(within)),
        Row.put(name, "generated, other prompts", "all", _pairs_figure(first)),
        Row.put(name, "true frames", "all", _pairs_figure(true)),
    ]


def nearest(made: Features, learned: Features) -> Nearest:
    """The nearest of the training pictures for each picture."""
    places, distances = [], []
    for part in np.array_split(made, max(1, len(made) // 64)):
        gaps = cosine_distances(part, learned)
        places.append(gaps.argmin(axis=1))
        distances.append(gaps.min(axis=1))
    return Nearest(np.concatenate(places), np.concatenate(distances))


def memorised(made: Nearest, held_out: Nearest, copies: Nearest | None = None) -> Findings:
    """Whether drawn pictures lie nearer to training pictures than held-out ones do.

    The ratio is 1 and the share is 1 % where they lie as held-out pictures do; a model that repeats
    what it learned from has a ratio near 0 and a share near 100 %. `copies`, if there are any, are
    training pictures as the model would show them by heart: what the test would find at most.
    """
    require_enough(len(made.distances), LEAST_NEAR, "drawn scenes")
    require_enough(len(held_out.distances), LEAST_NEAR, "held-out scenes")
    limit = np.quantile(held_out.distances, NEAR_SHARE)
    name, ratio = "distance to nearest training picture", "nearest distance over held-out"
    share = "nearer than 1 % of held-out"
    sets = {"generated": made, "copies (control)": copies}
    rows = [Row.put(name, "held-out", "all", mean_figure(held_out.distances))]
    for of, near in sets.items():
        if near is not None:
            rows += [
                Row.put(name, of, "all", mean_figure(near.distances)),
                Row.put(ratio, of, "all", _ratio(near.distances, held_out.distances)),
                Row.put(share, of, "all", share_figure(near.distances < limit)),
            ]
    return Findings("diversity", tuple(rows))


def cosine_distances(a: Features, b: Features) -> NDArray[np.float64]:
    """One minus the cosine of the angle between features (N, D) and (M, D), (N, M)."""
    sides = [x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9) for x in (a, b)]
    found: NDArray[np.float64] = np.clip(1 - sides[0] @ sides[1].T, 0, 2).astype(np.float64)
    return found


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> Figure:
    """The ratio of the means of two independent sets."""
    rng = np.random.default_rng(14)
    drawn = [
        rng.choice(above, len(above)).mean() / rng.choice(below, len(below)).mean()
        for _ in range(1000)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Figure(float(above.mean() / below.mean()), float(low), float(high), len(above))


def _mean_off_diagonal(gaps: NDArray[np.float64]) -> float:
    count = len(gaps)
    return float((gaps.sum() - np.trace(gaps)) / (count * (count - 1)))


def _pairs_figure(gaps: NDArray[np.float64]) -> Figure:
    """The mean over pairs of different pictures, resampling pictures."""

    def mean(picks: NDArray[np.intp]) -> float:
        chosen = gaps[np.ix_(picks, picks)]
        apart = picks[:, None] != picks[None]
        return float(chosen[apart].mean())

    return bootstrap(mean, len(gaps))
