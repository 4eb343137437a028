"""Whether repaints show what their labels say, as a segmenter sees it that learned from frames.

Its errors on true frames are the measure: agreement is its mean IoU on repaints over that on the
frames themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hartsim.bench.quality.exam import FRAME_PX, THINGS, VISIBLE_PX, size_bin
from hartsim.bench.quality.figures import (
    Figure,
    Findings,
    LeftOut,
    Row,
    bootstrap,
    clustered_mean,
    ratio_figure,
    require_enough,
)
from hartsim.types import CLASS_ID, CLASSES, UNKNOWN, Labels

TRUE = "true frames"
LEAST = 16
LEAST_IOU = 0.2
"""Mean IoU on true frames, below which a segmenter is no judge."""
LEAST_OF_CLASS = 5
"""Frames that must show a class for it to count."""
LEAST_SHARE = 0.001
"""Share of a frame's pixels from which on it shows a class."""
LEAST_THINGS = 10
LEAST_THING_IOU = 0.2
"""Mean IoU of things on true frames, below which their agreement tells nothing."""
SPECK_PX = 40
"""Things of fewer pixels are left aside."""
WINDOW_SHARE = 0.25
"""How far around a thing, in its own sides, its class counts against it."""


@dataclass(frozen=True)
class Thing:
    """A connected region of one class: in which frame, where, its mask in that window, its size."""

    frame: int
    class_id: int
    window: tuple[slice, slice]
    mask: NDArray[np.bool_]
    other: NDArray[np.bool_]
    """Pixels of the window that belong to others of its class."""
    pixels: float
    """As in a frame of 256 px."""


def agreement(labels: Sequence[Labels], seen: Mapping[str, Sequence[Labels]]) -> Findings:
    """IoU of what a segmenter sees with the labels asked for: by class and by size of things.

    `seen` has the segmenter's class ids for the true frames, under `TRUE`, and for every kind of
    repaint; all in the order of `labels`.
    """
    require_enough(len(labels), LEAST, "held-out frames with labels")
    counts = {
        of: np.stack([confusion(s, t) for s, t in zip(pictures, labels, strict=True)])
        for of, pictures in seen.items()
    }
    classes = classes_shown(counts[TRUE])
    require_enough(len(classes), 2, "classes that enough frames show")
    own = mean_iou(counts[TRUE], classes)
    if own < LEAST_IOU:
        raise LeftOut(
            f"the segmenter's mean IoU on true frames is {own:.2f}, at least {LEAST_IOU} is "
            "needed; teach it longer (--minutes)"
        )
    things = [thing for i, each in enumerate(labels) for thing in things_of(each, i)]
    rows = []
    for of, found in counts.items():
        rows.append(Row.put("mIoU", of, "all", _iou_figure(found, classes)))
        if of != TRUE:
            ratio = _ratio_figure(found, counts[TRUE], classes)
            rows.append(Row.put("agreement", of, "all", ratio))
        for each in classes:
            shown = found[counts[TRUE][:, each].sum(axis=1) > 0]
            name = f"class {CLASSES[each]}"
            rows.append(Row.put("IoU", of, name, _iou_figure(shown, [each])))
        rows += _by_size(things, seen[of], of)
        if of != TRUE:
            rows += _agreement_of_things(things, seen[of], seen[TRUE], of)
    return Findings("agreement", tuple(rows))


def confusion(seen: Labels, true: Labels) -> NDArray[np.int64]:
    """Pixels (C, C) by true class and seen class; unknown ones are left out."""
    known = true != UNKNOWN
    pairs = true[known].astype(np.int64) * len(CLASSES) + seen[known]
    return np.bincount(pairs, minlength=len(CLASSES) ** 2).reshape(len(CLASSES), -1)


def classes_shown(counts: NDArray[np.int64]) -> list[int]:
    """The classes that enough frames show, by confusions (N, C, C)."""
    pixels = counts.sum(axis=2)
    shown = pixels > LEAST_SHARE * pixels.sum(axis=1, keepdims=True)
    return np.flatnonzero(shown.sum(axis=0) >= LEAST_OF_CLASS).tolist()


def mean_iou(counts: NDArray[np.int64], classes: Sequence[int]) -> float:
    """Mean over classes of the intersection over union of all frames together, (N, C, C)."""
    total = counts.sum(axis=0)
    hit = total.diagonal()[list(classes)].astype(np.float64)
    union = (total.sum(axis=0) + total.sum(axis=1))[list(classes)] - hit
    return float((hit / np.maximum(union, 1)).mean())


def _iou_figure(counts: NDArray[np.int64], classes: Sequence[int]) -> Figure:
    return bootstrap(lambda picks: mean_iou(counts[picks], classes), len(counts), repeats=300)


def _ratio_figure(
    found: NDArray[np.int64], true: NDArray[np.int64], classes: Sequence[int]
) -> Figure:
    def ratio(picks: NDArray[np.intp]) -> float:
        return mean_iou(found[picks], classes) / mean_iou(true[picks], classes)

    return bootstrap(ratio, len(found), repeats=300)


def things_of(labels: Labels, frame: int) -> list[Thing]:
    """The connected regions of things in a label map."""
    scale = FRAME_PX**2 / labels.size
    found = []
    for class_id in [CLASS_ID[name] for name in sorted(THINGS)]:
        whole = labels == class_id
        if not whole.any():
            continue
        regions, _ = ndimage.label(whole, np.ones((3, 3)))
        for number, box in enumerate(ndimage.find_objects(regions), start=1):
            window = _grown(box, labels.shape)
            mask = regions[window] == number
            if mask.sum() * scale >= SPECK_PX:
                other = whole[window] & ~mask
                found.append(Thing(frame, class_id, window, mask, other, mask.sum() * scale))
    return found


def _grown(box: tuple[slice, ...], shape: tuple[int, ...]) -> tuple[slice, slice]:
    sides = []
    for side, length in zip(box, shape, strict=True):
        reach = max(2, round(WINDOW_SHARE * (side.stop - side.start)))
        sides.append(slice(max(0, side.start - reach), min(length, side.stop + reach)))
    return sides[0], sides[1]


def thing_iou(thing: Thing, seen: Labels) -> float:
    """IoU of one thing with what is seen of its class around it."""
    shown = (seen[thing.window] == thing.class_id) & ~thing.other
    return float((shown & thing.mask).sum() / (shown | thing.mask).sum())


def _agreement_of_things(
    things: Sequence[Thing], seen: Sequence[Labels], true: Sequence[Labels], of: str
) -> list[Row]:
    """The mean IoU of things of some size over that on true frames, if they are found there.

    Roads and skies lie alike in all pictures, and agree by chance; things do not.
    """
    large = [thing for thing in things if thing.pixels >= VISIBLE_PX]
    if len(large) < LEAST_THINGS:
        return []
    _, frames = np.unique([thing.frame for thing in large], return_inverse=True)
    found, most = (
        np.bincount(frames, [thing_iou(thing, each[thing.frame]) for thing in large])
        for each in (seen, true)
    )
    if most.sum() < LEAST_THING_IOU * len(large):
        return []
    ratio = ratio_figure(found, most)
    figure = Figure(ratio.value, ratio.low, ratio.high, len(large))
    return [Row.put("agreement of things", of, "all", figure)]


def _by_size(things: Sequence[Thing], seen: Sequence[Labels], of: str) -> list[Row]:
    bins: dict[str, list[Thing]] = {}
    for thing in sorted(things, key=lambda each: each.pixels):
        bins.setdefault(size_bin(thing.pixels), []).append(thing)
    rows = []
    for name, members in bins.items():
        if len(members) >= LEAST_THINGS:
            overlaps = np.array([thing_iou(thing, seen[thing.frame]) for thing in members])
            found = clustered_mean(overlaps, [thing.frame for thing in members])
            rows.append(Row.put("IoU of things", of, name, found))
    return rows
