import math

import numpy as np
import pytest

from hartsim.types import Box3D, Pose, State
from hartsim.worlds.cruise import keep_lane
from hartsim.worlds.motion import STILL, drive

PACE_MPS = 12.0


def driven(boxes: list[Box3D], ego: Pose = STILL, seconds: float = 8.0) -> list[State]:
    """The states of a drive along a straight lane."""
    state = State(0.0, ego, PACE_MPS, {}, ())
    states = [state]
    for k in range(round(seconds / 0.05)):
        action = keep_lane(state, boxes, PACE_MPS)
        ego, speed = drive(state.ego, state.speed_mps, action, 0.05)
        state = State(0.05 * (k + 1), ego, speed, {}, ())
        states.append(state)
    return states


def test_a_free_road_is_driven_at_the_pace():
    last = driven([])[-1]
    assert last.speed_mps == pytest.approx(PACE_MPS)
    assert last.ego.position_m[0] == pytest.approx(8 * PACE_MPS, rel=0.01)


def test_it_stops_before_what_lies_in_its_lane():
    last = driven([Box3D((60.0, 0.5, 0.5), (2.0, 1.0, 1.0), 0.3)])[-1]
    assert last.speed_mps < 0.1
    assert 50 < last.ego.position_m[0] + 2.2 < 59.2


def test_it_passes_what_stands_beside_its_lane():
    last = driven([Box3D((40.0, 3.0, 0.5), (4.4, 1.8, 1.5), 0.0)])[-1]
    assert last.speed_mps == pytest.approx(PACE_MPS)


def test_what_lies_behind_holds_nobody_up():
    last = driven([Box3D((-6.0, 0.0, 0.5), (4.4, 1.8, 1.5), 0.0)])[-1]
    assert last.speed_mps == pytest.approx(PACE_MPS)


def test_it_comes_back_to_the_middle_of_its_lane():
    states = driven([], Pose((0.0, 0.8, 0.0), 0.1))
    aside = np.array([state.ego.position_m[1] for state in states])
    assert abs(aside[-1]) < 0.05
    assert aside.max() < 1.3
    assert abs(math.remainder(states[-1].ego.heading_rad, math.tau)) < 0.02
