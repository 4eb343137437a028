import math
from itertools import pairwise

import pytest

from hartsim.scenario.motion import LANE_CHANGE_S, MOTIONS, Motion
from hartsim.types import Pose

START = Pose((20.0, 3.5, 0.0), 0.0)


def test_a_motion_waits_for_the_ego_or_the_time():
    motion = Motion("crosses", 2.0, when_distance_m=12.0, when_time_s=5.0)
    assert not motion.is_set_off(4.9, 12.1)
    assert motion.is_set_off(0.0, 12.0)
    assert motion.is_set_off(5.0, 40.0)
    assert Motion("crosses", 2.0).is_set_off(0.0, 99.0)


def test_what_crosses_goes_where_it_looks_once_it_is_set_off():
    motion = Motion("crosses", 2.0, when_distance_m=12.0)
    start = Pose((10.0, -4.0, 0.0), math.pi / 2)
    assert motion.pose(start, 3.0, None) == start
    pose = motion.pose(start, 3.0, 1.0)
    assert pose.position_m == pytest.approx((10.0, 0.0, 0.0))


def test_what_cuts_in_ends_in_the_egos_lane_and_drives_on():
    motion = Motion("cuts_in", 10.0, when_time_s=1.0)
    assert motion.pose(START, 1.0, None).position_m == pytest.approx((30.0, 3.5, 0.0))
    halfway = motion.pose(START, 1.0 + LANE_CHANGE_S / 2, 1.0)
    assert halfway.position_m[1] == pytest.approx(1.75)
    assert halfway.heading_rad < 0
    arrived = motion.pose(START, 1.0 + LANE_CHANGE_S, 1.0)
    assert arrived.position_m == pytest.approx((20 + 10 * (1 + LANE_CHANGE_S), 0.0, 0.0))
    assert arrived.heading_rad == pytest.approx(0.0)


def test_an_oncoming_car_that_cuts_in_turns_towards_the_lane():
    motion = Motion("cuts_in", 10.0)
    oncoming = Pose((60.0, 3.5, 0.0), math.pi)
    halfway = motion.pose(oncoming, LANE_CHANGE_S / 2, 0.0)
    assert halfway.position_m[0] == pytest.approx(60 - 10 * LANE_CHANGE_S / 2)
    moved = motion.pose(oncoming, LANE_CHANGE_S / 2 + 0.01, 0.0)
    way = [b - a for a, b in zip(halfway.position_m, moved.position_m, strict=True)]
    assert math.atan2(way[1], way[0]) % math.tau == pytest.approx(
        halfway.heading_rad % math.tau, abs=0.02
    )


def test_what_brakes_stops_in_its_braking_distance():
    motion = Motion("brakes", 12.0, when_time_s=2.0)
    assert motion.pose(START, 2.0, None).position_m[0] == pytest.approx(44.0)
    assert motion.pose(START, 60.0, 2.0).position_m[0] == pytest.approx(44.0 + 12.0**2 / 12)


def test_what_rolls_comes_to_rest():
    motion = Motion("rolls", 3.0)
    places = [motion.pose(START, second, 0.0).position_m[0] for second in range(6)]
    steps = [b - a for a, b in pairwise(places)]
    assert steps == sorted(steps, reverse=True)
    assert steps[-1] == 0


def test_what_falls_falls_freely_and_no_deeper_than_the_ground():
    high = Pose((0.0, 0.0, 2.0), 0.0)
    assert Motion("falls").pose(high, 0.5, 0.0).position_m[2] == pytest.approx(2 - 9.81 / 8)
    assert Motion("falls").pose(high, 9.0, 0.0).position_m[2] == 0.0


def test_what_appears_is_not_there_before():
    motion = Motion("appears", when_time_s=1.0)
    assert motion.pose(START, 0.5, None) is None
    assert motion.pose(START, 1.5, 1.0) == START


@pytest.mark.parametrize("name", MOTIONS)
def test_all_motions_begin_where_things_stand(name):
    if name != "appears":
        assert Motion(name, 5.0).pose(START, 0.0, 0.0).position_m == pytest.approx(START.position_m)
