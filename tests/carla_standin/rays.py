"""Rays against the ground and upright or tilted boxes, for plain pictures and for lidars."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.carla_standin.geometry import Matrix, Triple

Floats = NDArray[np.float64]
GROUND, NOTHING = -1, -2
"""What a ray hit that hit no box."""


@dataclass(frozen=True, eq=False)
class SolidBox:
    """A box to hit: the matrix from its middle's frame to the map's, half sizes, tag and id."""

    matrix: Matrix
    half_m: Triple
    tag: int
    id: int


def cast(
    origin: Triple, directions: Floats, boxes: Sequence[SolidBox], ground_m: float
) -> tuple[Floats, NDArray[np.intp]]:
    """How many of its directions (N, 3) each ray goes, inf for nothing, and the box it hits."""
    start = np.asarray(origin, float)
    down = directions[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.where(down < -1e-9, (ground_m - start[2]) / down, np.inf)
    far[far <= 0] = np.inf
    hit = np.where(np.isfinite(far), GROUND, NOTHING)
    for index, box in enumerate(boxes):
        turn, middle = box.matrix[:3, :3], box.matrix[:3, 3]
        local, ahead = turn.T @ (start - middle), directions @ turn
        with np.errstate(divide="ignore", invalid="ignore"):
            one = (-np.asarray(box.half_m) - local) / ahead
            other = (np.asarray(box.half_m) - local) / ahead
        enter = np.nanmax(np.minimum(one, other), axis=1)
        leave = np.nanmin(np.maximum(one, other), axis=1)
        nearer = (enter > 1e-6) & (enter <= leave) & (enter < far)
        far[nearer], hit[nearer] = enter[nearer], index
    return far, hit
