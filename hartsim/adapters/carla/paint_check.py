"""Whether paint took effect: CARLA never says so, the pictures before and after do.

Two pictures from before tell how much a picture changes by itself (noise, rain, leaves, a jittering
anti-aliasing); exposure that adapts to the paint is taken out; and only those pixels count where
the object is seen both before and after, so that what drives past proves nothing.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hartsim.images import resize
from hartsim.types import Image, Mask

Verdict = Literal["changed", "unchanged", "unseen", "unsure"]

LEAST_PIXELS = 40
"""Fewer pixels of an object prove nothing."""
LEAST_SHARE = 0.1
"""The share of an object's pixels that must change for the paint to be on it."""
LEAST_STEP = 6.0
"""A change below this, of 255, is none."""
TIMES_NOISE = 3.0
"""How much more than by themselves pixels must change."""
RESTLESS = 40.0
"""Where pixels change by themselves as much as this, of 255, nothing can be told."""
_PATCH_PX = 3


@dataclass(frozen=True)
class PaintCheck:
    """What came of painting an object: over `pixels`, by how much (of 255), in which share."""

    verdict: Verdict
    pixels: int
    noise: float = 0.0
    step: float = 0.0
    share: float = 0.0


def check_paint(
    before: tuple[Image, Image], after: Image, seen: Mask, untouched: Mask | None = None
) -> PaintCheck:
    """Whether pixels where an object is seen changed by more than they do by themselves.

    All are of one size. `untouched` are pixels whose material is not painted, by which a change of
    the whole picture's exposure is told; default: all where the object is not seen.
    """
    first, second = before
    if not first.shape == second.shape == after.shape or first.shape[:2] != seen.shape:
        raise ValueError(
            f"pictures are {first.shape}, {second.shape} and {after.shape}, the mask {seen.shape}"
        )
    count = int(seen.sum())
    if count < LEAST_PIXELS:
        return PaintCheck("unseen", count)
    still = ~seen if untouched is None else untouched & ~seen
    old, new, now = (_smooth(each) for each in (first, second, after))
    drift = _step(old * _gain(old, new, still), new)[seen]
    steps = _step(new * _gain(new, now, still), now)[seen]
    noise = float(np.percentile(drift, 90))
    limit = max(LEAST_STEP, TIMES_NOISE * noise)
    share, step = float((steps > limit).mean()), float(np.median(steps))
    if share >= LEAST_SHARE:
        return PaintCheck("changed", count, noise, step, share)
    verdict: Verdict = "unsure" if noise > RESTLESS else "unchanged"
    return PaintCheck(verdict, count, noise, step, share)


def _smooth(image: Image) -> NDArray[np.float32]:
    """The picture (H, W, 3), averaged over small patches: edges that jitter weigh less."""
    height, width = image.shape[:2]
    small = max(1, height // _PATCH_PX), max(1, width // _PATCH_PX)
    return resize(resize(np.ascontiguousarray(image), small), (height, width)).astype(np.float32)


def _gain(
    before: NDArray[np.float32], after: NDArray[np.float32], still: Mask
) -> NDArray[np.float32]:
    """By what each channel of the whole picture grew brighter, told by what was not painted."""
    if still.sum() < LEAST_PIXELS:
        return np.ones(3, np.float32)
    ratio = (after[still] + 4) / (before[still] + 4)
    gain: NDArray[np.float32] = np.median(ratio, axis=0).astype(np.float32)
    return gain


def _step(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """By how much each pixel differs (H, W): in the channel where it does most."""
    steps: NDArray[np.float32] = np.abs(one - other).max(axis=2)
    return steps
