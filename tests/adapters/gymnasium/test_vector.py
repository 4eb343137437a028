import os
import signal
import time
from functools import partial

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ClosedEnvironmentError
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics

from hartsim.adapters.gymnasium import vector, wrappers
from hartsim.errors import WorldError
from hartsim.types import CLASS_ID
from tests.adapters.gymnasium.conftest import LOOKS
from tests.adapters.gymnasium.roads import ROAD_ID, Road

NUMBER, STEPS, SEED = 2, 9, 11
MODES = list(AutoresetMode)
KINDS = [SyncVectorEnv, AsyncVectorEnv]


def plain(kind, mode, env_id=ROAD_ID, number=NUMBER, **more):
    return kind([partial(gym.make, env_id, **more)] * number, autoreset_mode=mode)


def dressed_within(kind, mode, name, arguments, env_id):
    """Environments of which each wears its look itself."""
    make = partial(_one, name, arguments, env_id)
    return kind([make] * NUMBER, autoreset_mode=mode)


def _one(name, arguments, env_id):
    return getattr(wrappers, name)(gym.make(env_id), **arguments)


def run(envs, seed=SEED):
    """All that is observed, `final_obs` among it, and the infos."""
    actions = np.arange(STEPS)[:, None] % 2 + np.arange(NUMBER) % 2
    observations, infos = envs.reset(seed=seed)
    seen = [(observations, infos)]
    for step in range(STEPS):
        observations, _, terminations, truncations, infos = envs.step(actions[step] % 2)
        seen.append((observations, infos))
        over = terminations | truncations
        if over.any() and envs.metadata["autoreset_mode"] is AutoresetMode.DISABLED:
            seen.append(envs.reset(options={"reset_mask": over}))
    return seen


def equal(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) or (isinstance(one, np.ndarray) and one.dtype == object):
        return len(one) == len(other) and all(map(equal, one, other))
    return np.array_equal(one, other)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("look", LOOKS)
def test_each_environment_looks_as_one_that_is_wrapped_itself(look_of, look, kind, mode):
    name, arguments, env_id = look_of(look)
    with_one = getattr(vector, name)(plain(kind, mode, env_id), **arguments)
    with_many = dressed_within(kind, mode, name, arguments, env_id)
    assert with_one.single_observation_space == with_many.single_observation_space
    assert with_one.observation_space == with_many.observation_space
    ours, theirs = run(with_one), run(with_many)
    assert equal(ours, theirs)
    assert all(observations in with_one.observation_space for observations, _ in ours)
    assert equal(ours, run(with_one))
    assert mode is not AutoresetMode.SAME_STEP or any("final_obs" in infos for _, infos in ours)
    with_one.close()
    with_many.close()


@pytest.mark.parametrize("look", LOOKS)
def test_environment_i_looks_as_one_alone_with_that_seed(look_of, look):
    name, arguments, env_id = look_of(look)
    envs = getattr(vector, name)(plain(SyncVectorEnv, AutoresetMode.NEXT_STEP, env_id), **arguments)
    for seeds in (SEED, [3, 99]):
        observations, _ = envs.reset(seed=seeds)
        for i in range(NUMBER):
            seed = seeds + i if isinstance(seeds, int) else seeds[i]
            alone, _ = _one(name, arguments, env_id).reset(seed=seed)
            own = (
                {key: value[i] for key, value in observations.items()}
                if isinstance(observations, dict)
                else observations[i]
            )
            assert equal(own, alone)


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("look", LOOKS)
def test_a_spec_of_one_makes_many_that_look_the_same(look_of, look, kind):
    name, arguments, env_id = look_of(look)
    spec = EnvSpec.from_json(_one(name, arguments, env_id).spec.to_json())
    many = gym.make_vec(spec, NUMBER, vectorization_mode=kind)
    ours = getattr(vector, name)(gym.make_vec(env_id, NUMBER), **arguments)
    assert equal(run(many), run(ours))
    many.close()


def test_the_last_picture_of_an_episode_wears_its_own_backdrop_not_the_next(bank):
    envs = plain(SyncVectorEnv, AutoresetMode.SAME_STEP)
    envs = vector.BackdropObservation(envs, bank, "labels:sky")
    observations, infos = envs.reset(seed=0)
    number, ends = infos["looks"]["backdrop"].copy(), 0
    for _ in range(20):
        observations, _, over, _, infos = envs.step(np.zeros(NUMBER, np.int64))
        for i in np.flatnonzero(over):
            assert infos["final_obs"][i]["image"][0, 0, 0] == number[i]
            number[i] = infos["looks"]["backdrop"][i]
            ends += 1
        assert (observations["image"][:, 0, 0, 0] == number).all()
    assert ends >= 4


def test_after_a_reset_what_had_ended_before_does_not_begin_once_more(bank):
    envs = plain(SyncVectorEnv, AutoresetMode.NEXT_STEP)
    envs = vector.BackdropObservation(envs, bank, "labels:sky")
    envs.reset(seed=0)
    over = np.zeros(NUMBER, np.bool_)
    while not over.any():
        over = envs.step(np.zeros(NUMBER, np.int64))[2]
    first, _ = envs.reset(seed=4)
    second, *_ = envs.step(np.zeros(NUMBER, np.int64))
    assert np.array_equal(first["image"][:, 0, 0], second["image"][:, 0, 0])


def test_only_what_the_mask_names_begins_anew(bank):
    envs = plain(SyncVectorEnv, AutoresetMode.DISABLED, number=3)
    envs = vector.BackdropObservation(envs, bank, "labels:sky")
    first, _ = envs.reset(seed=2)
    envs.step(np.zeros(3, np.int64))
    mask = np.array([False, True, False])
    again, infos = envs.reset(options={"reset_mask": mask})
    same = (again["image"][:, 0, 0] == first["image"][:, 0, 0]).all(axis=-1)
    assert same.tolist() == (~mask).tolist()
    assert infos["_looks"].tolist() == mask.tolist()


def test_without_a_seed_looks_follow_those_that_the_environments_drew(bank):
    envs = vector.BackdropObservation(
        plain(SyncVectorEnv, AutoresetMode.NEXT_STEP), bank, "labels:sky"
    )
    seen, _ = envs.reset()
    again, _ = envs.reset(seed=list(envs.env.np_random_seed))
    assert equal(seen, again)


def test_looks_are_worn_over_one_another_and_under_other_wrappers(look_of):
    envs = plain(SyncVectorEnv, AutoresetMode.SAME_STEP)
    for look in ("backdrop", "hazard", "weather"):
        name, arguments, _ = look_of(look)
        envs = getattr(vector, name)(envs, **arguments)
    seen = run(RecordEpisodeStatistics(envs))
    told = seen[0][1]["looks"]
    assert {"backdrop", "hazard_1", "weather"} <= set(told)
    assert told["_backdrop"].all()
    assert any((each["labels"] == CLASS_ID["animal"]).any() for each, _ in seen)


def test_rendering_shows_what_the_policy_saw(bank):
    envs = plain(SyncVectorEnv, AutoresetMode.NEXT_STEP, render_mode="rgb_array")
    envs = vector.BackdropObservation(envs, bank, "labels:sky")
    observations, _ = envs.reset(seed=2)
    assert equal(envs.render(), tuple(observations["image"]))


def test_what_the_environments_hold_is_left_as_it_was(bank):
    plainly = SyncVectorEnv([partial(gym.make, ROAD_ID)] * NUMBER, copy=False)
    envs = vector.BackdropObservation(plainly, bank, "labels:sky")
    envs.reset(seed=0)
    raw = [each.unwrapped.frame().image for each in plainly.envs]
    assert np.array_equal(plainly._observations["image"], raw)


@pytest.mark.parametrize("asked", ["step", "reset", "render"])
def test_a_worker_that_died_is_an_error_and_never_a_hang(bank, asked):
    envs = plain(AsyncVectorEnv, AutoresetMode.NEXT_STEP, number=3)
    envs = vector.BackdropObservation(envs, bank, "labels:sky")
    envs.reset(seed=0)
    processes = envs.unwrapped.processes
    os.kill(processes[1].pid, signal.SIGKILL)
    begun = time.monotonic()
    ask = {
        "step": lambda: envs.step(np.zeros(3, np.int64)),
        "reset": lambda: envs.reset(),
        "render": lambda: envs.render(),
    }[asked]
    with pytest.raises(WorldError, match=rf"worker 1 died \(exit code -9\) in {asked}\(\)"):
        ask()
    with pytest.raises(ClosedEnvironmentError, match="these environments are closed"):
        envs.step(np.zeros(3, np.int64))
    envs.close()
    assert time.monotonic() - begun < 10
    assert not any(process.is_alive() for process in processes)


class Dying(Road):
    """A road whose worker dies in the second step."""

    def step(self, action):
        if self.steps:
            os._exit(3)
        return super().step(action)


def test_a_worker_that_dies_at_work_is_an_error(bank):
    envs = AsyncVectorEnv([Road, Dying])
    envs = vector.WeatherObservation(envs, "fog")
    envs.reset(seed=0)
    envs.step(np.zeros(2, np.int64))
    with pytest.raises(WorldError, match=r"worker 1 died \(exit code 3\) in step\(\)"):
        envs.step(np.zeros(2, np.int64))


def test_an_error_within_an_environment_comes_through(bank):
    envs = plain(SyncVectorEnv, AutoresetMode.NEXT_STEP)
    envs = vector.BackdropObservation(envs, bank, "labels:sky")
    envs.reset(seed=0)
    with pytest.raises(ValueError, match="no action 7"):
        envs.step(np.full(2, 7))


@pytest.mark.parametrize("kind", KINDS)
def test_closed_environments_say_so(bank, kind):
    envs = plain(kind, AutoresetMode.NEXT_STEP, render_mode="rgb_array")
    envs = vector.BackdropObservation(envs, bank, "labels:sky")
    envs.reset(seed=0)
    envs.close()
    envs.close()
    for ask in (envs.reset, lambda: envs.step(np.zeros(2, np.int64)), envs.render):
        with pytest.raises(ClosedEnvironmentError, match="these environments are closed"):
            ask()


@pytest.mark.parametrize(
    ("wrap", "complaint"),
    [
        (
            lambda envs, bank: vector.BackdropObservation(envs, bank, "mujoco:background"),
            "reads more than a batch",
        ),
        (lambda envs, bank: vector.WeatherObservation(envs, "fog", depth="frame"), "come from"),
        (
            lambda envs, bank: vector.HartVisuals(envs, "child_behind_van", bank, ["texture"]),
            "textures cannot be put on from outside",
        ),
    ],
)
def test_what_needs_the_simulator_is_refused(bank, wrap, complaint):
    with pytest.raises(ValueError, match=complaint):
        wrap(plain(SyncVectorEnv, AutoresetMode.NEXT_STEP), bank)


@pytest.mark.parametrize("look", LOOKS)
def test_a_single_environment_is_told_which_class_it_wants(look_of, look):
    name, arguments, env_id = look_of(look)
    wanted = rf"is one environment; use hartsim\.adapters\.gymnasium\.wrappers\.{name}, or"
    with pytest.raises(TypeError, match=wanted):
        getattr(vector, name)(gym.make(env_id), **arguments)
    with pytest.raises(TypeError, match="None is no vector of environments"):
        getattr(vector, name)(None, **arguments)


def test_labels_that_are_not_observed_are_no_mask(bank):
    envs = SyncVectorEnv([partial(Road, "image")] * 2)
    with pytest.raises(ValueError, match=r"wrap each environment instead: gymnasium.make_vec"):
        vector.BackdropObservation(envs, bank, "labels:sky")


def test_environments_that_hide_when_episodes_begin_are_refused(bank):
    envs: VectorEnv = plain(SyncVectorEnv, AutoresetMode.NEXT_STEP)
    del envs.metadata["autoreset_mode"]
    with pytest.raises(ValueError, match="does not say when its episodes begin"):
        vector.BackdropObservation(envs, bank, "labels:sky")


@pytest.mark.parametrize(
    ("seed", "complaint"),
    [
        (-1, "seed is -1, must be a whole number from 0"),
        ([1, -2], "seed is -2, must be a whole number from 0"),
        ([1], "seed has 1 entries for 2 environments"),
    ],
)
def test_what_is_no_seed_is_refused(bank, seed, complaint):
    envs = plain(SyncVectorEnv, AutoresetMode.NEXT_STEP)
    with pytest.raises(ValueError, match=complaint):
        vector.BackdropObservation(envs, bank, "labels:sky").reset(seed=seed)
