import warnings
from collections.abc import Iterator
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.utils.env_checker import check_env

import hartsim  # noqa: F401
from hartsim.errors import ScenarioError
from hartsim.types import CLASS_ID

STREET, TABLE = "HartSim/Street-v0", "HartSim/Tabletop-v0"
ROCK = """task: driving
scene: {place: highway}
hazards: {rock: {kind: rock, ahead_m: 16}}
driving: {speed_mps: 10, traffic: 0, goal_m: 30}
"""
MUG = """task: robot
scene: {place: office_desk}
hazards: {knife: {kind: knife, ahead_m: 0.6, left_m: 0.3}}
objects: {mug: {kind: mug, ahead_m: 0.45, left_m: -0.15}}
robot: {reach: mug, clutter: 0}
"""


@pytest.fixture(scope="module")
def rock(tmp_path_factory):
    path = tmp_path_factory.mktemp("scenarios") / "rock.yaml"
    path.write_text(ROCK)
    return str(path)


@pytest.fixture(scope="module")
def mug(tmp_path_factory):
    path = tmp_path_factory.mktemp("scenarios") / "mug.yaml"
    path.write_text(MUG)
    return str(path)


@pytest.fixture
def make() -> Iterator:
    made = []

    def build(name, **arguments):
        made.append(gym.make(name, **arguments))
        return made[-1]

    yield build
    for env in made:
        env.close()


def drive(env, action, most=400):
    """Take one action until the episode is over; the last step's result."""
    for _ in range(most):
        result = env.step(np.asarray(action, np.float32))
        if result[2] or result[3]:
            return result
    raise AssertionError("the episode goes on and on")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        (STREET, {}),
        (STREET, {"observation": "dict", "actions": "discrete"}),
        (TABLE, {"scenario": "books_lean_over_the_mug"}),
        (TABLE, {"scenario": "books_lean_over_the_mug", "goal": "place", "observation": "dict"}),
        (TABLE, {"scenario": "hand_and_knife", "actions": "discrete", "goal": "place"}),
    ],
)
def test_gymnasium_finds_nothing_to_complain_about(make, name, arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(make(name, render_mode="rgb_array", **arguments).unwrapped)


@pytest.mark.parametrize("name", [STREET, TABLE])
@pytest.mark.parametrize(
    "arguments", [{}, {"actions": "discrete"}, {"observation": "dict"}], ids=str
)
def test_stable_baselines_finds_no_fault(make, name, arguments):
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    checker.check_env(make(name, **arguments).unwrapped, warn=False)


def test_the_same_seed_gives_the_same_episodes(make, rock):
    seen = []
    for _ in range(2):
        env = make(STREET, scenario=["child_behind_van", rock], observation="dict")
        first, _ = env.reset(seed=3)
        second = env.step(np.array([0.2, 1.0], np.float32))
        third, _ = env.reset()
        seen.append((first, second[0], third))
    for one, other in zip(*seen, strict=True):
        for key in one:
            assert np.array_equal(one[key], other[key])


def test_another_seed_gives_another_scene(make):
    env = make(STREET)
    assert env.reset(seed=1)[1]["scene"] != env.reset(seed=2)[1]["scene"]


def test_a_scene_can_be_asked_for(make, rock):
    env = make(STREET)
    _, info = env.reset(seed=1, options={"scenario": rock, "seed": 5, "index": 2})
    assert info["scene"] == "rock-5-2"


def test_an_option_that_there_is_not_is_refused(make):
    with pytest.raises(ValueError, match="no option 'scenarios'; there are: scenario, seed, index"):
        make(STREET).unwrapped.reset(options={"scenarios": "x"})


def test_driving_straight_into_a_rock_ends_the_episode(make, rock):
    env = make(STREET, scenario=rock)
    env.reset(seed=0)
    _, reward, terminated, truncated, info = drive(env, (0, 0))
    assert (terminated, truncated, info["success"]) == (True, False, False)
    assert info["collision"] == "rock"
    assert info["reward_terms"]["collision"] == -10
    assert reward == pytest.approx(sum(info["reward_terms"].values()))


def test_driving_round_the_rock_arrives(make, rock):
    env = make(STREET, scenario=rock, observation="dict")
    seen, _ = env.reset(seed=0)
    for _ in range(100):
        aside, heading = seen["state"][1], seen["state"][2]
        goal_m = -2.6 if seen["state"][3] > 8 else 0.0
        steer = np.clip(0.4 * (goal_m - aside) - 1.5 * heading, -1, 1)
        seen, _, terminated, _, info = env.step(np.array([steer, 0.2], np.float32))
        if terminated:
            break
    assert info["success"]
    assert info["reward_terms"]["arrival"] == 5


def test_leaving_the_road_ends_the_episode(make, rock):
    env = make(STREET, scenario=rock)
    env.reset(seed=0)
    _, _, terminated, _, info = drive(env, (-1, 1))
    assert terminated
    assert info["reward_terms"]["off_road"] == -10


def test_an_episode_is_truncated_at_its_time_limit(make, rock):
    env = make(STREET, scenario=rock, time_limit_s=1.0)
    env.reset(seed=0)
    _, _, terminated, truncated, info = drive(env, (0, -1))
    assert (terminated, truncated) == (False, True)
    assert info["time_s"] == pytest.approx(1.0)


def test_discrete_actions_do_what_the_continuous_ones_do(make, rock):
    coarse, fine = make(STREET, scenario=rock, actions="discrete"), make(STREET, scenario=rock)
    coarse.reset(seed=0), fine.reset(seed=0)
    for action, meant in ((3, (0.0, 1.0)), (1, (0.35, 0.0)), (8, (-0.35, -1.0))):
        one, other = coarse.step(action), fine.step(np.array(meant, np.float32))
        assert one[1] == pytest.approx(other[1], abs=1e-6)
        assert np.abs(one[0].astype(int) - other[0]).max() <= 2


def test_reward_weights_can_be_changed_and_typos_are_told(make, rock):
    env = make(STREET, scenario=rock, reward={"time": -1.0})
    env.reset(seed=0)
    assert env.step(np.zeros(2, np.float32))[4]["reward_terms"]["time"] == -1.0
    with pytest.raises(ValueError, match=r"reward has no term 'tiem'; there are: progress"):
        make(STREET, reward={"tiem": 1})


def test_the_dict_tells_what_the_simulator_knows(make, rock):
    env = make(STREET, scenario=rock, observation="dict")
    seen, _ = env.reset(seed=0)
    frame = env.unwrapped.frame()
    assert np.array_equal(seen["labels"], frame.labels)
    assert (seen["labels"] == CLASS_ID["sky"]).any()
    assert seen["depth"][seen["labels"] == CLASS_ID["sky"]].min() == 1000
    assert seen["state"] == pytest.approx([10, 0, 0, 30])


def test_a_picture_is_the_same_alone_and_in_the_dict(make, rock):
    alone, full = make(STREET, scenario=rock), make(STREET, scenario=rock, observation="dict")
    assert np.array_equal(alone.reset(seed=4)[0], full.reset(seed=4)[0]["image"])


def test_rendering_shows_what_the_agent_sees(make, rock):
    env = make(STREET, scenario=rock, render_mode="rgb_array")
    env.reset(seed=0)
    seen = env.step(np.zeros(2, np.float32))[0]
    assert np.array_equal(env.render(), seen)


def test_paint_shows_until_the_next_reset(make, rock):
    env = make(STREET, scenario=rock)
    plain, _ = env.reset(seed=0)
    env.unwrapped.paint({"road": np.full((64, 64, 3), (200, 0, 0), np.uint8)})
    painted = env.unwrapped.look()
    assert (painted[..., 0].astype(int) - plain[..., 0] > 30).mean() > 0.1
    assert np.array_equal(env.reset(seed=0)[0], plain)


def test_a_saved_state_is_gone_back_to(make, rock):
    env = make(STREET, scenario=["child_behind_van", rock])
    env.reset(seed=7)
    env.step(np.array([0.1, 1.0], np.float32))
    saved = env.unwrapped.save()

    def go_on():
        steps = [env.step(np.array([0.0, -0.3], np.float32)) for _ in range(3)]
        return [*(step[:2] for step in steps), (env.reset()[0], 0.0)]

    before = go_on()
    env.unwrapped.restore(saved)
    for one, other in zip(before, go_on(), strict=True):
        assert np.array_equal(one[0], other[0])
        assert one[1] == other[1]


def test_a_saved_state_is_gone_back_to_elsewhere(make, mug):
    one, other = (make(TABLE, scenario=mug, goal="place") for _ in range(2))
    one.reset(seed=7)
    action = np.array([0.5, -0.5, -1.0, 1.0], np.float32)
    one.step(action)
    saved = one.unwrapped.save()
    other.reset(seed=1)
    other.unwrapped.restore(saved)
    first, second = one.step(action), other.step(action)
    assert np.array_equal(first[0], second[0])
    assert first[1] == second[1]


def reach(env, target, closing=0.0, most=80):
    """Move the gripper to a place above the table, or until the episode is over."""
    result = None
    for _ in range(most):
        there = env.unwrapped.world.state().ego.position_m
        gap = np.subtract(target, there)
        if np.abs(gap).max() < 0.004:
            return result
        velocity = np.clip(gap / 0.025, -1, 1)
        parts = [*velocity, closing][: env.action_space.shape[0]]
        result = env.step(np.array(parts, np.float32))
        if result[2] or result[3]:
            return result
    return result


def test_the_arm_reaches_the_mug(make, mug):
    env = make(TABLE, scenario=mug)
    env.reset(seed=0)
    _, _, terminated, _, info = reach(env, (0.45, -0.15, 0.06))
    assert terminated
    assert info["success"]
    assert info["reward_terms"]["arrival"] == 5


def test_the_arm_takes_the_mug_to_its_place(make, mug):
    env = make(TABLE, scenario=mug, goal="place")
    env.reset(seed=0)
    x, y = env.unwrapped.rules.place
    reach(env, (0.45, -0.15, 0.2), -1)
    reach(env, (0.45, -0.15, 0.04), -1)
    held = env.step(np.array([0, 0, 0, 1], np.float32))[4]
    assert held["held"]
    reach(env, (0.45, -0.15, 0.2), 1)
    reach(env, (x, y, 0.2), 1)
    *_, terminated, _, info = env.step(np.array([0, 0, 0, -1], np.float32))
    assert terminated
    assert info["success"]
    box = env.unwrapped.world.obstacles()["mug"]
    assert box.centre_m[:2] == pytest.approx((x, y), abs=0.06)
    assert box.centre_m[2] < 0.08


def test_touching_the_knife_ends_the_episode(make, mug):
    env = make(TABLE, scenario=mug)
    env.reset(seed=0)
    reach(env, (0.6, 0.3, 0.2))
    _, _, terminated, _, info = reach(env, (0.6, 0.3, 0.01))
    assert terminated
    assert not info["success"]
    assert info["collision"] == "knife"


def test_scenarios_of_the_wrong_task_are_refused(make):
    with pytest.raises(ScenarioError, match=r"a robot scenario, but this is a driving task"):
        make(STREET, scenario="hand_and_knife")


def test_a_camera_that_a_scenario_lacks_is_told_at_once(make, rock):
    with pytest.raises(ScenarioError, match=r"rock\.yaml: no camera 'rear'; there are: front"):
        make(STREET, scenario=rock, camera="rear")


def test_a_camera_that_another_scenario_lacks_is_told_at_the_reset(make, rock, tmp_path):
    other = tmp_path / "rear.yaml"
    camera = "{ahead_m: -2, left_m: 0, up_m: 1.5, yaw_deg: 180}"
    other.write_text(f"{Path(rock).read_text()}cameras: {{rear: {camera}}}\n")
    env = make(STREET, scenario=str(other), camera="rear")
    env.reset(seed=0)
    with pytest.raises(ScenarioError, match=r"rock\.yaml: no camera 'rear'; there are: front"):
        env.reset(seed=0, options={"scenario": rock})


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"observation": "pixels"}, "observation is 'pixels', must be 'image' or 'dict'"),
        ({"actions": "both"}, "actions is 'both', must be 'continuous' or 'discrete'"),
        ({"step_s": 0.0}, "step_s is 0.0"),
        ({"time_limit_s": float("inf")}, "not for ever"),
        ({"size_px": 0}, "size_px is 0, must be from 16"),
        ({"scenario": 5}, "scenario is 5, must be a name, a path, or a list"),
        ({"reward": {"time": float("nan")}}, "reward 'time' weighs nan, must be finite"),
    ],
)
def test_wrong_arguments_are_told(make, arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        make(STREET, **arguments)


def test_a_closed_environment_says_so(make, rock):
    env = make(STREET, scenario=rock).unwrapped
    with pytest.raises(ResetNeeded):
        env.step(np.zeros(2, np.float32))
    env.reset(seed=0)
    env.close()
    env.close()
    with pytest.raises(ClosedEnvironmentError, match="closed"):
        env.step(np.zeros(2, np.float32))
    with pytest.raises(ClosedEnvironmentError, match="closed"):
        env.reset()


def test_an_action_outside_the_space_is_told(make, rock):
    env = make(STREET, scenario=rock, disable_env_checker=True).unwrapped
    env.reset(seed=0)
    with pytest.raises(ValueError, match="action is"):
        env.step(np.array([2.0, 0.0], np.float32))


def test_a_spec_makes_the_same_environment_again(make, rock):
    env = make(STREET, scenario=rock, observation="dict", reward={"time": -1.0})
    again = gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    one, other = env.reset(seed=2)[0], again.reset(seed=2)[0]
    again.close()
    assert np.array_equal(one["image"], other["image"])


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_vector_environments_see_what_single_ones_see(make, mode):
    vector = gym.make_vec(STREET, num_envs=2, vectorization_mode=mode)
    single = make(STREET)
    try:
        seen, _ = vector.reset(seed=10)
        assert np.array_equal(seen[1], single.reset(seed=11)[0])
        moved = vector.step(np.zeros((2, 2), np.float32))[0]
        assert np.array_equal(moved[1], single.step(np.zeros(2, np.float32))[0])
    finally:
        vector.close()


@pytest.mark.parametrize("option", [{"seed": -1}, {"index": 1.7}, {"seed": True}, {"seed": "abc"}])
def test_options_that_are_no_whole_numbers_are_told(make, rock, option):
    with pytest.raises(ValueError, match="must be a whole number from 0"):
        make(STREET, scenario=rock).unwrapped.reset(options=option)


def test_what_was_saved_fits_only_environments_of_its_kind(make, rock):
    one, other = make(STREET, scenario=rock), make(STREET, scenario=rock, size_px=32)
    one.reset(seed=0), other.reset(seed=0)
    with pytest.raises(ValueError, match="shows other observations"):
        other.unwrapped.restore(one.unwrapped.save())


def test_the_first_info_has_the_names_of_all(make, rock, mug):
    for name, scenario in ((STREET, rock), (TABLE, mug)):
        env = make(name, scenario=scenario)
        _, first = env.reset(seed=0)
        *_, later = env.step(np.zeros(env.action_space.shape, np.float32))
        assert first.keys() == later.keys()
        assert first["success"] is False
        assert first["to_go_m"] > 0


def test_the_frame_rate_is_that_of_the_steps(make, rock):
    assert make(STREET, scenario=rock, step_s=0.05).metadata["render_fps"] == 20
