"""How much of each object of a frame is seen: what hides it, and what the picture's edge cuts off.

An object fills only a part of its box, so a count of its pixels against those of the box would call
a bicycle in plain sight half hidden. Instead rays are followed: of those that meet the box, the
ones that end before it are hidden; the ones that end on the object are seen; the ones that go on
past it say nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hartsim.adapters.carla.labels import into_box, window_of
from hartsim.types import CLASS_ID, Box3D, Camera, Frame

_GROUND = tuple(CLASS_ID[name] for name in ("road", "road_mark", "pavement", "terrain", "water"))
"""What lies before the foot of a box hides nothing: boxes sink a little into uneven ground."""
_BEFORE_M = 0.3
"""How far before its box a ray must end to count as hidden."""
_SAMPLES = 64
"""Rays across and down that decide how much of a box lies outside the picture."""
_BEYOND = 3.0
"""How far outside the picture, in pictures, a box that reaches behind the camera is followed."""


@dataclass(frozen=True)
class Sight:
    """How an object is seen: its pixels, and the shares 0..1 that are hidden and cut off.

    `occluded` is of the part within the picture; `truncated` is of the whole box.
    """

    pixels: int
    occluded: float
    truncated: float


def sights(frame: Frame) -> dict[int, Sight]:
    """How each instance of the frame's table is seen, by its id; those out of view are left out."""
    found = {
        each.id: sight
        for each in frame.table
        if (sight := _sight(each.id, each.box, frame)) is not None
    }
    return found


def _sight(id: int, box: Box3D, frame: Frame) -> Sight | None:
    camera = frame.camera
    pixels = int((frame.instances == id).sum())
    rows, columns = window_of(box, camera)
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return None
    across = np.arange(columns.start, columns.stop) + 0.5
    down = np.arange(rows.start, rows.stop) + 0.5
    enter = entry_m(box, camera, across, down)
    meets = np.isfinite(enter)
    if not meets.any():
        return None
    own = frame.instances[rows, columns] == id
    before = meets & ~own & (frame.depth_m[rows, columns] < enter - _BEFORE_M)
    before &= ~np.isin(frame.labels[rows, columns], _GROUND)
    hidden, seen = int(before.sum()), int(own.sum())
    if hidden + seen == 0:
        hidden = 1  # nothing of it is seen, through no one thing before it
    return Sight(pixels, hidden / (hidden + seen), _truncated(box, camera))


def entry_m(
    box: Box3D, camera: Camera, columns: NDArray[np.float64], rows: NDArray[np.float64]
) -> NDArray[np.float64]:
    """At what depth the rays through these columns and rows enter a box (R, C); inf where never."""
    turn, origin = into_box(box, camera)
    k = camera.intrinsics
    rays = np.ones((len(rows), len(columns), 3))
    rays[..., 0] = (columns - k[0, 2]) / k[0, 0]
    rays[..., 1] = ((rows - k[1, 2]) / k[1, 1])[:, None]
    ways = rays @ turn.T
    ways = np.where(np.abs(ways) < 1e-12, 1e-12, ways)
    half = np.asarray(box.size_m) / 2
    ends = np.stack([(-half - origin) / ways, (half - origin) / ways])
    first, last = ends.min(axis=0).max(axis=-1), ends.max(axis=0).min(axis=-1)
    enter: NDArray[np.float64] = np.where(
        (first <= last) & (last > 0), np.maximum(first, 0), np.inf
    )
    return enter


def _truncated(box: Box3D, camera: Camera) -> float:
    """The share of a box's outline that the edge of the picture cuts off."""
    height, width = camera.size_px
    seen = camera.project(box.corners())
    low = np.array([-_BEYOND * width, -_BEYOND * height])
    high = np.array([(1 + _BEYOND) * width, (1 + _BEYOND) * height])
    if (seen[:, 2] > 0.1).all():
        low = np.maximum(low, seen[:, :2].min(axis=0))
        high = np.minimum(high, seen[:, :2].max(axis=0))
    steps = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    across, down = (low + (high - low) * steps[:, None]).T
    meets = np.isfinite(entry_m(box, camera, across, down))
    inside = ((down >= 0) & (down < height))[:, None] & ((across >= 0) & (across < width))
    return float(1 - (meets & inside).sum() / meets.sum()) if meets.any() else 0.0
