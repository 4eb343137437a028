"""Rays against the ground and upright or tilted boxes, for plain pictures and for lidars."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.carla_standin.geometry import Matrix, Triple

TINY = 1e-6
GROUND, NOTHING = -1, -2
"""What a ray hit that hit no box."""


@dataclass(frozen=True, eq=False)
class SolidBox:
    """A box to hit: the matrix from its middle's frame to the map's, half sizes, tag and id."""

    matrix: Matrix
    half_m: Triple
    tag: int
    id: int


def hits(origin: Triple, directions: NDArray[Any], box: SolidBox) -> NDArray[Any]:
    """How many of its directions (N, 3) each ray goes to a box, inf for those that miss it."""
    turn = box.matrix[:3, :3].astype(directions.dtype)
    local = (box.matrix[:3, :3].T @ (np.asarray(origin) - box.matrix[:3, 3])).astype(turn.dtype)
    half, ahead = np.asarray(box.half_m, turn.dtype), directions @ turn
    # a ray along a face would divide nothing by nothing
    ahead = np.where(np.abs(ahead) < TINY, turn.dtype.type(TINY), ahead)
    one, other = (-half - local) / ahead, (half - local) / ahead
    enter = np.minimum(one, other).max(axis=1)
    leave = np.maximum(one, other).min(axis=1)
    missed = (enter <= TINY) | (enter > leave)
    away: NDArray[Any] = np.where(missed, turn.dtype.type(np.inf), enter)
    return away


def cast(
    origin: Triple, directions: NDArray[Any], boxes: Sequence[SolidBox], ground_m: float
) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """How many of its directions (N, 3) each ray goes, inf for nothing, and the box it hits."""
    down = directions[:, 2]
    far = np.full(len(directions), np.inf)
    falling = down < -TINY
    far[falling] = (ground_m - origin[2]) / down[falling]
    far[far <= 0] = np.inf
    hit = np.where(np.isfinite(far), GROUND, NOTHING)
    for index, box in enumerate(boxes):
        away = hits(origin, directions, box)
        nearer = away < far
        far[nearer], hit[nearer] = away[nearer], index
    return far, hit
