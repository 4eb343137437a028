"""Whether pictures have the weather, the hour and the place that their prompts ask for."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hartsim.bench.quality.exam import Record, attribute_targets
from hartsim.bench.quality.figures import Findings, Row, groups_of, require_enough, share_figure

LEAST = 30
LEAST_GAIN = 0.1
"""By how much a judge must beat the commonest value on true frames."""
Guesses = Mapping[str, NDArray[np.int64]]
"""For each attribute the number of the value that a judge sees, (N,)."""


def common_share(true: NDArray[np.int64]) -> float:
    """The share of the commonest value."""
    return float(np.bincount(true).max() / len(true))


def attributes(
    values: Mapping[str, Sequence[str]], sets: Mapping[str, tuple[Guesses, Sequence[Record]]]
) -> Findings:
    """How often a judge sees the value that the prompt names, by attribute and look.

    `sets` has guesses and records of the true frames and of drawn pictures; `commonest` is how
    often the value that most of the first set have would be right.
    """
    require_enough(len(values), 1, "attributes with enough training frames")
    rows, left_out = [], []
    for name, known in values.items():
        figure = f"{name} right"
        for number, (of, (guesses, records)) in enumerate(sets.items()):
            true = attribute_targets(records, known, name)
            told = np.flatnonzero(true >= 0)
            if len(told) < LEAST:
                left_out.append(
                    f"{figure}, {of}: {len(told)} pictures, at least {LEAST} are needed"
                )
                continue
            hits = guesses[name][told] == true[told]
            looks = [str(records[i]["look"]) for i in told.tolist()]
            if number == 0 and hits.mean() < common_share(true[told]) + LEAST_GAIN:
                left_out.append(f"{figure}: the judge hardly beats the commonest value")
                break
            for group, places in groups_of(looks, LEAST).items():
                rows.append(Row.put(figure, of, group, share_figure(hits[places])))
            if number == 0:
                common = true[told] == np.bincount(true[told]).argmax()
                rows.append(Row.put(figure, "commonest", "all", share_figure(common)))
    require_enough(len(rows), 1, f"attributes with {LEAST} pictures")
    return Findings("attributes", tuple(rows), tuple(left_out))
