"""Whether paint took effect: CARLA never says so, the pictures before and after do.

Two pictures from before tell how much a picture changes by itself (noise, rain, leaves, a jittering
anti-aliasing); exposure that adapts to the paint is taken out; only those pixels count where
the object is seen both before and after, so that what drives past proves nothing; and none that
touches other paint, whose edge is blended into it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hartsim.images import grow
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
    the whole picture's exposure is told; default: all where the object is not seen. What is neither
    seen nor untouched wears other paint.
    """
    first, second = before
    if not first.shape == second.shape == after.shape or first.shape[:2] != seen.shape:
        raise ValueError(
            f"pictures are {first.shape}, {second.shape} and {after.shape}, the mask {seen.shape}"
        )
    still = ~seen if untouched is None else untouched & ~seen
    own = seen & ~grow(~seen & ~still, 1)
    count = int(own.sum())
    if count < LEAST_PIXELS:
        return PaintCheck("unseen", count)
    old, new, now = (_smooth(each, own) for each in (first, second, after))
    around = [_smooth(each, still) for each in (first, second, after)]
    drift = _step(old * _gain(around[0], around[1], still), new)[own]
    steps = _step(new * _gain(around[1], around[2], still), now)[own]
    noise = float(np.percentile(drift, 90))
    limit = max(LEAST_STEP, TIMES_NOISE * noise)
    share, step = float((steps > limit).mean()), float(np.median(steps))
    if share >= LEAST_SHARE:
        return PaintCheck("changed", count, noise, step, share)
    verdict: Verdict = "unsure" if noise > RESTLESS else "unchanged"
    return PaintCheck(verdict, count, noise, step, share)


def _smooth(image: Image, where: Mask) -> NDArray[np.float32]:
    """The picture (H, W, 3), averaged over small patches: edges that jitter weigh less.

    Only the pixels of a mask are averaged, so that nothing beyond its edge gets in; the rest is 0.
    """
    height, width = where.shape
    spare = (0, -height % _PATCH_PX), (0, -width % _PATCH_PX)
    weights = np.pad(where.astype(np.float32), spare)[..., None]
    pixels = np.pad(image.astype(np.float32), (*spare, (0, 0))) * weights
    mean = _patch_sums(pixels) / np.maximum(_patch_sums(weights), 1)
    spread = mean.repeat(_PATCH_PX, axis=0).repeat(_PATCH_PX, axis=1)[:height, :width]
    return np.where(where[..., None], spread, np.float32(0))


def _patch_sums(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The sums of (H, W, n) over each patch, (H / patch, W / patch, n)."""
    height, width, channels = values.shape
    patches = values.reshape(
        height // _PATCH_PX, _PATCH_PX, width // _PATCH_PX, _PATCH_PX, channels
    )
    sums: NDArray[np.float32] = patches.sum(axis=(1, 3))
    return sums


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
