import gymnasium as gym
import numpy as np
import pytest

import hartsim  # noqa: F401
from hartsim.adapters.gymnasium.experts import CARE_PACE, care, clearance, controls, expert_of
from hartsim.types import Box3D, Pose

STREET, TABLE = "HartSim/Street-v0", "HartSim/Tabletop-v0"


def went(name, seed=0, **arguments):
    """How an episode ends that the expert drives."""
    env = gym.make(name, **arguments)
    try:
        expert = expert_of(env)
        env.reset(seed=seed)
        expert.begin()
        while True:
            _, _, terminated, truncated, info = env.step(expert.act())
            if terminated or truncated:
                return info
    finally:
        env.close()


@pytest.mark.parametrize("actions", ["continuous", "discrete"])
def test_the_driver_goes_round_what_lies_in_the_lane_and_stops_for_the_walker(actions):
    assert went(STREET, scenario="boxes_then_walker", actions=actions, size_px=32)["success"]


def test_no_constant_action_goes_round_what_lies_on_the_country_road():
    env = gym.make(STREET, scenario="bale_lies_on_country_road", size_px=16)
    for steering in (-0.06, -0.03, 0.0, 0.03, 0.06):
        for seed in range(3):
            env.reset(seed=seed)
            over = False
            while not over:
                _, _, terminated, truncated, info = env.step(np.array([steering, 0.1], np.float32))
                over = terminated or truncated
            assert not info["success"], (steering, seed)
    env.close()


def test_the_arm_reaches_the_mug_beside_the_books():
    assert went(TABLE, scenario="books_lean_over_the_mug", size_px=32)["success"]


@pytest.mark.parametrize("actions", ["continuous", "discrete"])
def test_the_arm_brings_the_mug_to_its_place(actions):
    arguments = {"scenario": "books_lean_over_the_mug", "goal": "place", "size_px": 32}
    assert went(TABLE, actions=actions, **arguments)["success"]


def test_other_environments_have_no_expert():
    with pytest.raises(TypeError, match="CartPoleEnv has no expert"):
        expert_of(gym.make("CartPole-v1"))


def test_clearance_is_from_the_egos_circles_to_the_box():
    box = Box3D((10.0, 0.0, 0.5), (2.0, 2.0, 1.0), 0.0)
    x, y, heading = np.array([0.0, 10.0]), np.array([0.0, 5.05]), np.zeros(2)
    gaps = clearance(x, y, heading, [box], np.zeros((1, 2)))
    assert gaps == pytest.approx([10 - 1 - 1.4 - 1.05, 5.05 - 1 - 1.05])


def test_the_driver_slows_for_what_is_near_and_not_yet_passed():
    def before(ahead_m, aside_m=0.0):
        box = Box3D((ahead_m, aside_m, 0.5), (2.0, 2.0, 1.0), 0.0)
        return care([box], Pose((0.0, 0.0, 0.0), 0.0))

    assert before(5.0) == CARE_PACE < before(15.0) < before(30.0) == 1.0
    assert before(-3.0) == before(5.0, aside_m=8.0) == care([], Pose((0.0, 0.0, 0.0), 0.0)) == 1.0


def test_what_moved_away_leaves_room():
    box = Box3D((5.0, 0.0, 0.5), (1.0, 1.0, 1.0), 0.0)
    start = np.zeros(1)
    there = clearance(start, start, start, [box], np.zeros((1, 2)))
    gone = clearance(start, start, start, [box], np.array([[0.0, 6.0]]))
    assert gone > there + 2


def test_nothing_in_the_way_is_all_the_room_there_is():
    assert clearance(np.zeros(3), np.zeros(3), np.zeros(3), [], np.zeros((0, 2))).min() == np.inf


def test_the_car_is_steered_to_its_line_and_to_its_pace():
    aside, speed = np.array([1.0, -1.0]), np.array([5.0, 15.0])
    steering, pedal = controls(aside, np.zeros(2), speed, np.array([10.0, 10.0]))
    assert steering[0] > 0 > steering[1]
    assert pedal[0] > 0 > pedal[1]
