"""Driving along the lane without a policy: at a pace, and to a halt before what stands in the way.

For recordings, in which the ego should neither leave its lane nor drive through a hazard.
"""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from hartsim.types import Box3D, State
from hartsim.worlds.motion import BRAKING_MPS2

FRONT_M, HALF_WIDTH_M = 2.6, 1.1
"""How far the ego reaches ahead of its middle, and to each side with some room."""
CALM = 0.6
"""The share of the brakes with which it plans to stop."""
GAP_M = 2.0
"""What it leaves before an obstacle."""


def keep_lane(state: State, boxes: Iterable[Box3D], pace_mps: float) -> NDArray[np.float64]:
    """The action (steering, pedal) of the next moment; `boxes` and state are in the setup's frame.

    It keeps to the middle of the lane that it began in.
    """
    x, y, _ = state.ego.position_m
    way_m = min((_way_m(box, x, y) for box in boxes), default=math.inf)
    needed_mps2 = state.speed_mps**2 / (2 * max(way_m - GAP_M, 0.1))
    steering = -0.12 * y - 0.8 * math.remainder(state.ego.heading_rad, 2 * math.pi)
    if needed_mps2 >= CALM * BRAKING_MPS2 or way_m <= GAP_M:
        return np.array([steering, -min(needed_mps2 / BRAKING_MPS2, 1.0)])
    return np.array([steering, np.clip(pace_mps - state.speed_mps, -1.0, 1.0)])


def _way_m(box: Box3D, x: float, y: float) -> float:
    """How far the ego may drive before it meets a box; inf for one that is not in its way."""
    corners = box.corners()
    near, far = corners[:, 0].min(), corners[:, 0].max()
    aside = corners[:, 1].min() < y + HALF_WIDTH_M and corners[:, 1].max() > y - HALF_WIDTH_M
    if not aside or far < x:
        return math.inf
    return max(float(near) - x - FRONT_M, 0.0)
