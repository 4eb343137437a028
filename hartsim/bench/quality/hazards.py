"""Whether the hazards that a prompt asks for can be seen, as judges see that learned from frames.

A judge gives every picture a score for every label. Thresholds are set where one held-out half of
the true frames has so many false alarms; the other half shows what the judge finds at best, and
pictures of the same prompts without hazards what it finds where there should be none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hartsim.bench.quality.exam import ABSENT, PRESENT, Record, hazards_asked, size_bin
from hartsim.bench.quality.figures import (
    Figure,
    Findings,
    Row,
    clustered_mean,
    require_enough,
    share_figure,
    wilson,
)

FALSE_ALARMS = 0.05
LEAST_ABSENT, LEAST_PRESENT = 40, 10
"""Calibration frames without and with a label, below which it is not judged."""
LEAST_SEEN = 0.3
"""Share of the calibration frames with a label in which a judge must find it, to be asked."""
LEAST_ASKED = 20
LEAST_IN_GROUP = 10
TRUE, CALM = "true frames", "calm prompt"
BY_LAYOUT, CALM_BY_LAYOUT = "generated, by layout", "calm prompt and layout"
UNSEEN = "generated, in words no picture was learned by"

Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Judged:
    """What a judge makes of pictures: scores (N, L), and the records their prompts come from."""

    scores: Scores
    records: Sequence[Record]


@dataclass(frozen=True)
class Asked:
    """A hazard that a picture should show: in which row, under which label, of what size."""

    row: int
    label: int
    pixels: int
    look: str


def thresholds(
    scores: Scores, targets: NDArray[np.int8], false_alarms: float = FALSE_ALARMS
) -> NDArray[np.float64]:
    """For every label the score that this share of the frames without it exceeds, (L,).

    nan for a label with too few frames to tell, and for one that the judge hardly knows.
    """
    found = np.full(scores.shape[1], np.nan)
    for label, (values, seen) in enumerate(zip(scores.T, targets.T, strict=True)):
        absent = values[seen == ABSENT]
        present = values[seen == PRESENT]
        if len(absent) < LEAST_ABSENT or len(present) < LEAST_PRESENT:
            continue
        limit = float(np.quantile(absent, 1 - false_alarms))
        if (present > limit).mean() >= LEAST_SEEN:
            found[label] = limit
    return found


def hazards_present(
    judge: str,
    labels: Sequence[str],
    calibration: tuple[Scores, NDArray[np.int8]],
    judged: tuple[Scores, NDArray[np.int8]],
    sets: Mapping[str, Judged],
) -> Findings:
    """How often hazards asked for are seen in each set of pictures, in groups.

    `calibration` and `judged` are scores and targets of the two halves of the true frames; `sets`
    has the true frames themselves under `TRUE`, under `CALM` and `CALM_BY_LAYOUT` calm pictures,
    and pictures of the prompts of these, in the same order.
    """
    limits = thresholds(*calibration)
    require_enough(int(np.isfinite(limits).sum()), 1, f"labels that the {judge} knows")
    rows: list[Row] = []
    for level in ("class", "kind"):
        name = f"{level} present ({judge})"
        known = [label if label.startswith(f"{level} ") else "" for label in labels]
        if not any(
            label and np.isfinite(limit) for label, limit in zip(known, limits, strict=True)
        ):
            continue
        for of, pictures in sets.items():
            asked = hazards_of(pictures.records, known, limits)
            if len(asked) < LEAST_ASKED:
                continue
            rows += _rates(name, of, asked, pictures.scores, limits, known)
            calm = CALM_BY_LAYOUT if of == BY_LAYOUT else CALM
            if calm in sets and of not in (TRUE, CALM, CALM_BY_LAYOUT):
                gain = _gain(asked, pictures.scores, sets[calm].scores, limits)
                rows.append(
                    Row.put(f"{level} present more than when calm ({judge})", of, "all", gain)
                )
        rows += _false_alarms(f"{level} false alarms ({judge})", judged, limits, known)
    require_enough(len(rows), 1, f"groups of {LEAST_ASKED} hazards that prompts ask for")
    silent = [label for label, limit in zip(labels, limits, strict=True) if np.isnan(limit)]
    told = f"{judge}: too few held-out frames, or too few of them seen: {', '.join(silent)}"
    return Findings("hazards", tuple(rows), (told,) if silent else ())


def hazards_of(
    records: Sequence[Record], labels: Sequence[str], limits: NDArray[np.float64]
) -> list[Asked]:
    """The hazards that pictures of these records should show, of labels that can be judged.

    Two of one label in one picture count once, as large as both.
    """
    number = {label: i for i, label in enumerate(labels) if label and np.isfinite(limits[i])}
    found = []
    for row, record in enumerate(records):
        pixels: dict[int, int] = {}
        for thing in hazards_asked(record):
            for name in (f"class {thing['class_name']}", f"kind {thing['kind']}"):
                if name in number:
                    pixels[number[name]] = pixels.get(number[name], 0) + int(thing["pixels"])
        found += [Asked(row, label, size, str(record["look"])) for label, size in pixels.items()]
    return found


def _gain(
    asked: Sequence[Asked], scores: Scores, calm: Scores, limits: NDArray[np.float64]
) -> Figure:
    """By how much more hazards are seen where they are asked for, than on the same noise when calm.

    A picture that looks like nothing at all may alarm a judge; it does so when calm, too.
    """
    gains = [
        int(scores[each.row, each.label] > limits[each.label])
        - int(calm[each.row, each.label] > limits[each.label])
        for each in asked
    ]
    found = clustered_mean(gains, [each.row for each in asked])
    if found.low < found.high:
        return found
    doubt = wilson(0, len({each.row for each in asked}))[1]  # where all are alike
    low, high = max(-1.0, found.value - doubt), min(1.0, found.value + doubt)
    return Figure(found.value, low, high, found.n)


def _rates(
    name: str,
    of: str,
    asked: Sequence[Asked],
    scores: Scores,
    limits: NDArray[np.float64],
    labels: Sequence[str],
) -> list[Row]:
    groups: dict[str, list[Asked]] = {"all": list(asked)}
    for each in asked:
        for group in (each.look, size_bin(each.pixels), labels[each.label]):
            groups.setdefault(group, []).append(each)
    rows = []
    for group, members in groups.items():
        if group == "all" or len(members) >= LEAST_IN_GROUP:
            hits = [bool(scores[m.row, m.label] > limits[m.label]) for m in members]
            rows.append(Row.put(name, of, group, share_figure(hits, [m.row for m in members])))
    return rows


def _false_alarms(
    name: str,
    judged: tuple[Scores, NDArray[np.int8]],
    limits: NDArray[np.float64],
    labels: Sequence[str],
) -> list[Row]:
    """What became of the promised false alarms on the other half of the true frames."""
    scores, targets = judged
    valid = np.isfinite(limits) & np.array([bool(label) for label in labels])
    rows, places = np.nonzero((targets == ABSENT) & valid)
    if not len(rows):
        return []
    hits = scores[rows, places] > limits[places]
    return [Row.put(name, "true frames", "all", share_figure(hits, rows))]
