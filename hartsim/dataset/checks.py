"""First verdicts on a sample, grounded in what the simulator knows; each of them can fail.

`check` runs those that a route calls for; `Limits` says where each draws its line.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hartsim.types import UNKNOWN, Check, Frame, Image, Instance, Labels, Mask, Route, Sample

CHANGED_LEVELS = 8
"""A pixel looks different when one of its channels moved by at least this many of 255 levels."""

SKIES = frozenset({"sky"})
"""Surfaces that go round the world and repeat sideways only."""

SKINS = frozenset({"box"})
"""Surfaces of single objects: a figure printed on a box is still a box."""

FLAT_LEVELS = 8.0
"""The least spread that a cell of a texture is taken to have, so that flat paint may vary a bit."""

CELLS = 8
"""A texture is compared with itself in CELLS x CELLS cells."""

OF_THE_FRAME = frozenset({"hazard_visible"})
"""Checks of what the simulator shows: drawing the render again cannot mend them."""


@dataclass(frozen=True)
class Limits:
    """Where each check draws its line; the check of the same name says what its value means."""

    untouched: int = 0
    painted: float = 0.1
    exposure: tuple[float, float] = (6.0, 245.0)
    contrast: float = 6.0
    sharpness: float = 12.0
    hazard_visible: int = 16
    seamless: float = 1.3
    self_similar: float = 1.2


DEFAULT_LIMITS = Limits()


def check(sample: Sample, limits: Limits = DEFAULT_LIMITS) -> tuple[Check, ...]:
    """The verdicts that the sample's route calls for, in a fixed order."""
    return tuple(verdict for judge in JUDGES[sample.route] for verdict in judge(sample, limits))


def check_texture(
    texture: Image, surface: str, limits: Limits = DEFAULT_LIMITS
) -> tuple[Check, ...]:
    """The verdicts on the paint of one surface: it wraps, and nothing stands out in it."""
    wraps = seamless(texture, surface, limits.seamless)
    if surface in SKINS:
        return (wraps,)
    return wraps, self_similar(texture, surface, limits.self_similar)


def untouched(frame: Image, image: Image, mask: Mask, limit: int = 0) -> Check:
    """Pixels outside the mask that differ from the frame in any bit: none may."""
    differing = int(((frame != image).any(axis=-1) & ~mask).sum())
    reason = f"{differing} pixels outside the mask differ from the simulator's frame"
    return Check("untouched", differing <= limit, differing, limit, reason)


def painted(frame: Image, image: Image, mask: Mask, limit: float) -> Check:
    """Share of the mask that looks different from the frame; an empty mask paints nothing."""
    moved = np.abs(frame.astype(np.int16) - image).max(axis=-1) >= CHANGED_LEVELS
    share = float(moved[mask].mean()) if mask.any() else 0.0
    reason = f"{share:.0%} of the {int(mask.sum())} editable pixels look different from the frame"
    return Check("painted", share >= limit, share, limit, reason)


def paint_seen(surfaces: Sequence[str]) -> Check:
    """Surfaces on which paint was seen: a simulator may have none that takes any."""
    count = len(surfaces)
    reason = f"paint was seen on {', '.join(surfaces)}" if surfaces else "paint was seen on nothing"
    return Check("paint_seen", count > 0, count, 1, reason)


def exposure(image: Image, limits: tuple[float, float]) -> Check:
    """Mean luminance in levels: near neither black nor white."""
    mean = float(luminance(image).mean())
    low, high = limits
    nearest = low if mean - low < high - mean else high
    reason = f"mean luminance {mean:.1f}; black is 0, white 255"
    return Check("exposure", low <= mean <= high, mean, nearest, reason)


def contrast(image: Image, limit: float) -> Check:
    """Standard deviation of luminance in levels: a flat picture has none."""
    spread = float(luminance(image).std())
    return Check("contrast", spread >= limit, spread, limit, f"luminance varies by {spread:.1f}")


def sharpness(image: Image, limit: float) -> Check:
    """Mean luminance step, in levels per pixel, over the sharpest hundredth of the picture.

    Frames of 256 px reach 40 to 120; blurred with a Gaussian of 4 px, 8 to 17.
    """
    down, across = np.gradient(luminance(image))
    steps = np.sort(np.hypot(down, across), axis=None)
    edge = float(steps[-max(1, steps.size // 100) :].mean())
    reason = f"the sharpest edges rise by {edge:.1f} levels per pixel"
    return Check("sharpness", edge >= limit, edge, limit, reason)


def hazard_visible(frame: Frame, labels: Labels, limit: int) -> Check | None:
    """Pixels of the least visible hazard in view whose label still holds for the picture.

    None where no hazard of the frame's table lies in this camera's view.
    """
    known = labels != UNKNOWN
    hazards = [item for item in frame.table if item.hazard and _in_view(item, frame)]
    counts = [(int(((frame.instances == item.id) & known).sum()), item.kind) for item in hazards]
    if not counts:
        return None
    pixels, kind = min(counts)
    reason = f"{pixels} pixels of '{kind}' are visible and known to be true"
    return Check("hazard_visible", pixels >= limit, pixels, limit, reason)


def seamless(texture: Image, surface: str, limit: float) -> Check:
    """The step across the texture's own border, over the strongest step inside.

    Wrapping textures stay below 1.2, a plank's edge on the border included; cut-outs of
    photographs reach 1.5 to 7.
    """
    values = texture.astype(np.float64)
    across = _seam(values.swapaxes(0, 1))
    ratio = across if surface in SKIES else max(across, _seam(values))
    reason = f"the border of '{surface}' steps {ratio:.2f} times as much as its inside"
    return Check(f"seamless_{surface}", ratio <= limit, ratio, limit, reason)


def self_similar(texture: Image, surface: str, limit: float) -> Check:
    """How unlike every distant cell the loneliest cell is, in standard deviations inside a cell.

    Bricks, asphalt and grass recur elsewhere in their texture and stay below 1; a person or a car
    painted into them does not, and exceeds 1.2 where it is a fifth of the texture wide. So does a
    lone patch of bare ground in snow: this check errs on the side of a new draw.
    """
    means, variances = _cells(texture)
    spread = max(float(np.sqrt(np.median(variances))), FLAT_LEVELS)
    unlike = np.abs(means[:, None] - means[None]).mean(axis=-1)
    loneliest = float(np.where(_distant_cells(), unlike, np.inf).min(axis=1).max()) / spread
    reason = f"a patch of '{surface}' is {loneliest:.1f} standard deviations from any other"
    return Check(f"self_similar_{surface}", loneliest <= limit, loneliest, limit, reason)


def luminance(image: Image) -> NDArray[np.float64]:
    """Luma of Rec. 601, (H, W) in 0..255."""
    weighted: NDArray[np.float64] = image @ np.array([0.299, 0.587, 0.114])
    return weighted


def _seam(values: NDArray[np.float64]) -> float:
    steps = np.abs(values - np.roll(values, 1, axis=0)).mean(axis=(1, 2))
    return float(steps[0] / max(steps[1:].max(), 1.0))


def _cells(texture: Image) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean colour (N, 3) and variance (N,) of the N = CELLS x CELLS cells."""
    height, width = (side // CELLS for side in texture.shape[:2])
    whole = texture[: height * CELLS, : width * CELLS].astype(np.float64)
    cells = whole.reshape(CELLS, height, CELLS, width, 3)
    variances: NDArray[np.float64] = cells.var(axis=(1, 3)).mean(axis=-1)
    return cells.mean(axis=(1, 3)).reshape(-1, 3), variances.ravel()


def _distant_cells() -> NDArray[np.bool_]:
    """Which pairs of cells lie at least 3 apart, the texture taken as a torus."""
    rows, columns = np.divmod(np.arange(CELLS * CELLS), CELLS)
    apart = [np.abs(axis[:, None] - axis[None]) for axis in (rows, columns)]
    wrapped = [np.minimum(distance, CELLS - distance) for distance in apart]
    distant: NDArray[np.bool_] = np.maximum(*wrapped) >= 3
    return distant


def _in_view(item: Instance, frame: Frame) -> bool:
    """Whether the centre of the object's box falls inside the picture."""
    column, row, depth = frame.camera.project(np.array([item.box.centre_m]))[0]
    height, width = frame.camera.size_px
    return bool(depth > 0 and 0 <= column < width and 0 <= row < height)


def _judge_picture(sample: Sample, limits: Limits) -> Iterator[Check]:
    image = sample.render.image
    yield exposure(image, limits.exposure)
    yield contrast(image, limits.contrast)
    yield sharpness(image, limits.sharpness)


def _judge_edit(sample: Sample, limits: Limits) -> Iterator[Check]:
    assert sample.frame is not None, f"{sample.route} without a frame"
    assert sample.mask is not None, f"{sample.route} without a mask"
    pictures = sample.frame.image, sample.render.image, sample.mask
    yield untouched(*pictures, limits.untouched)
    yield painted(*pictures, limits.painted)


def _judge_hazards(sample: Sample, limits: Limits) -> Iterator[Check]:
    assert sample.frame is not None, f"{sample.route} without a frame"
    assert sample.labels is not None, f"{sample.route} without labels"
    verdict = hazard_visible(sample.frame, sample.labels, limits.hazard_visible)
    if verdict:
        yield verdict


def _judge_textures(sample: Sample, limits: Limits) -> Iterator[Check]:
    yield paint_seen(list(sample.textures))
    for surface, paint in sorted(sample.textures.items()):
        yield from check_texture(paint.image, surface, limits)


JUDGES: Mapping[Route, tuple[Callable[[Sample, Limits], Iterator[Check]], ...]] = {
    "view": (_judge_picture,),
    "texture": (_judge_picture, _judge_hazards, _judge_textures),
    "backdrop": (_judge_edit, _judge_picture, _judge_hazards),
    "repaint": (_judge_edit, _judge_picture, _judge_hazards),
}
