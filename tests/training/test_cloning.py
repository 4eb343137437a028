import csv
import multiprocessing
import os
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch

from hartsim.config import CloningTraining
from hartsim.errors import CheckpointError, ConfigError, WorldError
from hartsim.training.cloning import (
    Lessons,
    Policy,
    PolicyConfig,
    clone,
    likeliest,
    load_policy,
    policy_config,
    save_policy,
    shares,
)
from hartsim.training.drivers import Eyes

NOTHING = np.zeros(0, np.float32)
SHORT = CloningTraining(rounds=3, first_episodes=4, episodes=2, drivers=0, updates=20, width=8)
QUICK = CloningTraining(
    rounds=3, first_episodes=16, episodes=6, drivers=0, updates=70, batch=32, width=8, frames=1
)


class Sides(gym.Env):
    """A bright side, left or right; going there five times is success, one wrong turn the end."""

    def __init__(self, discrete=True):
        self.observation_space = gym.spaces.Box(0, 255, (16, 16, 3), np.uint8)
        box = gym.spaces.Box(-1, 1, (1,), np.float32)
        self.action_space = gym.spaces.Discrete(2) if discrete else box
        self.discrete = discrete

    def _picture(self):
        self.side = int(self.np_random.integers(2))
        picture = self.np_random.integers(0, 80, (16, 16, 3)).astype(np.uint8)
        picture[:, 8 * self.side : 8 * self.side + 8] += 120
        return picture

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.right = 0
        return self._picture(), {}

    def step(self, action):
        turned = action == 1 if self.discrete else action[0] > 0
        good = turned == (self.side == 1)
        self.right += int(good)
        done = not good or self.right == 5
        return self._picture(), float(good), done, False, {"success": self.right == 5}


class Knows:
    knows = 1

    def __init__(self, env):
        self.env = env

    def begin(self):
        self.began = True

    def act(self):
        side = self.env.side
        return side if self.env.discrete else np.array([2.0 * side - 1], np.float32)

    def known(self):
        return np.array([self.env.side], np.float32)


def succeeds(env, policy, episodes=20):
    ends = []
    for seed in range(1000, 1000 + episodes):
        seen, _ = env.reset(seed=seed)
        eyes = Eyes(policy.config.frames)
        eyes.begin(policy.look(seen))
        done = False
        while not done:
            seen, _, done, _, info = env.step(policy.act(eyes.pictures))
            eyes.see(policy.look(seen))
        ends.append(info["success"])
    return np.mean(ends)


@pytest.mark.parametrize("discrete", [True, False])
def test_a_policy_learns_what_the_expert_does(tmp_path, discrete):
    policy = clone(lambda: Sides(discrete), Knows, tmp_path, QUICK)
    assert succeeds(Sides(discrete), policy) >= 0.95
    again = load_policy(tmp_path / "policy.pt")
    assert succeeds(Sides(discrete), again) == succeeds(Sides(discrete), policy)


class TallSides(Sides):
    """The same below sixteen rows in which it is the other way round."""

    def __init__(self):
        super().__init__()
        self.observation_space = gym.spaces.Box(0, 255, (32, 16, 3), np.uint8)

    def _picture(self):
        picture = super()._picture()
        return np.concatenate([picture[:, ::-1] * (self.np_random.random() < 0.5), picture])


def test_a_policy_looks_at_the_rows_that_it_was_told(tmp_path):
    how = replace(QUICK, top=0.5)
    policy = clone(TallSides, Knows, tmp_path, how)
    assert (policy.config.rows, policy.config.seen_px) == ((16, 32), (16, 16))
    again, picture = load_policy(tmp_path / "policy.pt"), TallSides().reset(seed=1)[0]
    assert again.config == policy.config
    assert np.array_equal(again.look(picture), picture[16:])
    assert succeeds(TallSides(), again) >= 0.9


def test_too_few_rows_are_refused():
    with pytest.raises(ConfigError, match=r"cloning.bottom 0.4: of 32 rows that leaves 0"):
        policy_config(TallSides(), replace(QUICK, top=0.4, bottom=0.4))


def test_an_untaught_policy_fails():
    torch.manual_seed(0)
    config = policy_config(Sides(), QUICK)
    assert succeeds(Sides(), Policy(config)) < 0.5


def test_the_table_tells_how_it_went(tmp_path):
    clone(Sides, Knows, tmp_path, QUICK)
    with (tmp_path / "cloning.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["round"] for row in rows] == ["0", "1", "2"]
    assert float(rows[0]["success"]) == 1.0  # the expert's own round
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])


def test_the_same_seed_gives_the_same_policy(tmp_path):
    policies = [clone(Sides, Knows, tmp_path / name, SHORT).state_dict() for name in "ab"]
    assert all(torch.equal(policies[0][key], policies[1][key]) for key in policies[0])


@pytest.mark.slow
def test_the_number_of_drivers_does_not_change_the_policy(tmp_path):
    policies = [
        clone(Sides, Knows, tmp_path / str(count), replace(SHORT, drivers=count)).state_dict()
        for count in (0, 2)
    ]
    assert all(torch.equal(policies[0][key], policies[1][key]) for key in policies[0])


class Dies(Knows):
    def act(self):
        os._exit(7)


class Fails(Knows):
    def act(self):
        raise WorldError("the road has ended")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("expert", "told"), [(Dies, "driver 0 of 1 died with exit code 7"), (Fails, "the road has")]
)
def test_a_driver_that_dies_or_fails_is_told(tmp_path, expert, told):
    with pytest.raises(WorldError, match=told):
        clone(Sides, expert, tmp_path, replace(SHORT, drivers=1))
    assert not multiprocessing.active_children()


def test_pictures_before_an_episode_are_its_first():
    lessons = Lessons()
    for episode in range(2):
        lessons.begin()
        for step in range(3):
            lessons.add(np.full((1, 1, 3), 10 * episode + step, np.uint8), 0, NOTHING)
    shown = lessons.pictures([0, 2, 3, 4], frames=3)[..., 0, 0, 0]
    assert shown.tolist() == [[0, 0, 0], [0, 1, 2], [10, 10, 10], [10, 10, 11]]


def test_eyes_and_lessons_show_the_same():
    eyes, lessons = Eyes(2), Lessons()
    pictures = [np.full((1, 1, 3), value, np.uint8) for value in (5, 6, 7)]
    lessons.begin()
    for index, picture in enumerate(pictures):
        eyes.begin(picture) if index == 0 else eyes.see(picture)
        lessons.add(picture, 0, NOTHING)
        assert np.array_equal(eyes.pictures, lessons.pictures([index], 2)[0])


def test_environments_without_pictures_are_refused():
    env = gym.make("CartPole-v1")
    with pytest.raises(ConfigError, match=r"cloning needs pictures \(height, width, 3\)"):
        policy_config(env, QUICK)


def test_a_policy_for_another_size_is_refused(tmp_path):
    path = tmp_path / "policy.pt"
    save_policy(Policy(PolicyConfig((16, 16), 2, True, 8, 1)), path)
    with pytest.raises(CheckpointError, match=r"is for .*16, 16.* but this run is for .*32, 32"):
        load_policy(path, PolicyConfig((32, 32), 2, True, 8, 1))


@pytest.mark.parametrize("content", [b"", b"not weights"])
def test_a_broken_file_is_told(tmp_path, content):
    path = tmp_path / "policy.pt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"policy\.pt: not "):
        load_policy(path)


def test_numbers_are_found_again_in_their_shares():
    numbers = torch.tensor([[-1.0, 0.37], [0.0, 1.0], [-0.52, 0.98]])
    kept = shares(numbers)
    assert torch.allclose(kept.sum(dim=-1), torch.ones(3, 2))
    assert torch.allclose(likeliest(kept.clamp(min=1e-9).log()), numbers, atol=1e-4)


def test_of_two_ways_one_is_taken_and_not_the_middle():
    both = (shares(torch.tensor([-0.8])) + 0.9 * shares(torch.tensor([0.8]))).clamp(min=1e-9)
    assert likeliest(both.log()).item() == pytest.approx(-0.8, abs=0.05)
