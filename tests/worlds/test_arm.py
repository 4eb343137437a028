import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hartsim.types import Box3D
from hartsim.worlds.arm import (
    FOREARM_M,
    SPEED_MPS,
    TOOL_M,
    UPPER_ARM_M,
    ArmState,
    advance,
    skeleton,
    solve,
    touched,
    within_reach,
)
from hartsim.worlds.arm_body import LIVERIES, arm_prop

positions = st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.floats(-0.2, 0.8))


def box_at(x, y, z, size=0.06):
    return Box3D((x, y, z), (size, size, size), 0.4)


@given(positions)
def test_the_fingertips_come_where_they_are_sent(position):
    there = within_reach(position)
    assert skeleton(solve(ArmState(there)))[3] == pytest.approx(there, abs=1e-6)


@given(positions)
def test_the_links_keep_their_lengths(position):
    bones = np.linalg.norm(np.diff(skeleton(solve(ArmState(position))), axis=0), axis=1)
    assert bones == pytest.approx([UPPER_ARM_M, FOREARM_M, TOOL_M])


@given(positions)
def test_the_elbow_stays_above_the_table(position):
    assert skeleton(solve(ArmState(position)))[:, 2].min() > 0


def test_full_action_moves_at_full_speed():
    moved = advance(ArmState((0.4, 0.0, 0.2)), np.array([0.0, 1.0, -1.0]), 0.1)
    step = SPEED_MPS * 0.1
    assert moved.position_m == pytest.approx((0.4, step, 0.2 - step))


def test_actions_beyond_one_are_clipped():
    start = ArmState((0.4, 0.0, 0.2))
    assert advance(start, np.full(3, 9.0), 0.1) == advance(start, np.ones(3), 0.1)


@pytest.mark.parametrize("action", [[0.0, 0.0], [math.nan, 0.0, 0.0]])
def test_an_action_that_is_none_is_refused(action):
    with pytest.raises(ValueError, match="three finite numbers"):
        advance(ArmState((0.4, 0.0, 0.2)), np.array(action), 0.1)


def test_fingers_and_links_touch_boxes_and_nothing_else():
    state = ArmState((0.5, 0.0, 0.02))
    elbow = skeleton(solve(state))[1]
    boxes = {"low": box_at(0.5, 0.03, 0.03), "high": box_at(*elbow), "far": box_at(0.5, 0.5, 0.03)}
    assert touched(state, boxes) == {"low", "high"}


def test_the_arm_does_not_touch_itself():
    state = ArmState((0.5, 0.0, 0.2))
    arm = arm_prop(state, LIVERIES[0], 1)
    assert touched(state, {arm.name: arm.instance.box}) == set()
