"""The looks on environments that draw: hartsim's street, and a MuJoCo environment of Gymnasium."""

from contextlib import closing
from functools import partial

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import AddRenderObservation

from hartsim.adapters.gymnasium import vector
from hartsim.adapters.gymnasium.masks import mask_source
from hartsim.adapters.gymnasium.wrappers import (
    BackdropObservation,
    HartVisuals,
    HazardObservation,
    WeatherObservation,
)
from hartsim.types import CLASS_ID
from hartsim.worlds.backend import load_mujoco

STREET, SIDE = "hartsim:HartSim/Street-v0", 48


def street(scenario, observation="dict"):
    return gym.make(STREET, scenario=scenario, size_px=SIDE, observation=observation)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*different from the unwrapped version")
def test_gymnasium_finds_nothing_wrong_with_the_street_in_other_looks(bank, scenario):
    env = BackdropObservation(street(scenario), bank, "labels:sky,terrain")
    env = HazardObservation(env, ["child"], travelled="travelled_m")
    with closing(WeatherObservation(env, "snow")) as env:
        check_env(env)


def test_a_scenario_dresses_surfaces_and_backdrops_and_its_spec_makes_it_again(bank, scenario):
    env = HartVisuals(street(scenario, "image"), scenario, bank)
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert again.spec == env.spec
    with closing(env), closing(again), closing(street(scenario, "image")) as bare:
        seen, info = env.reset(seed=5)
        plain, _ = bare.reset(seed=5)
        assert {"scene", "backdrop", "textures"} <= set(info["looks"])
        frame = bare.unwrapped.frame()
        number = info["looks"]["backdrop"]
        assert (seen[frame.labels == CLASS_ID["sky"]] == (number, 255 - number, 128)).all()
        road = frame.labels == CLASS_ID["road"]
        assert (seen[road] != plain[road]).any(-1).mean() > 0.9
        assert np.array_equal(again.reset(seed=5)[0], seen)


def test_a_hazard_on_the_street_is_labelled_and_comes_nearer(scenario):
    env = HazardObservation(
        street(scenario), ["child"], ahead_m=[14, 14], left_m=[1, 1], travelled="travelled_m"
    )
    sizes = []
    with closing(env):
        observation, _ = env.reset(seed=1)
        for _ in range(8):
            sizes.append((observation["labels"] == CLASS_ID["person"]).sum())
            observation, *_ = env.step(np.array([0.0, 0.5], np.float32))
    assert 0 < sizes[0] < sizes[4] < sizes[-1]


@pytest.mark.slow
def test_many_streets_look_as_each_of_them(bank, scenario):
    make = partial(street, scenario)
    arguments = {"bank": bank, "mask": "labels:sky,terrain"}
    one_for_all = SyncVectorEnv([make] * 2, autoreset_mode=AutoresetMode.SAME_STEP)
    one_for_all = vector.BackdropObservation(one_for_all, **arguments)
    with closing(one_for_all):
        seen, _ = one_for_all.reset(seed=7)
        for i in range(2):
            with closing(BackdropObservation(make(), **arguments)) as alone:
                assert np.array_equal(alone.reset(seed=7 + i)[0]["image"], seen["image"][i])


def test_a_mujoco_environment_wears_backdrops_where_no_geom_is(bank):
    load_mujoco()

    env = gym.make("InvertedPendulum-v5", render_mode="rgb_array", width=SIDE, height=SIDE)
    env = BackdropObservation(AddRenderObservation(env), bank, "mujoco:background")
    with closing(env):
        seen, info = env.reset(seed=0)
        plain = env.unwrapped.render()
        mask = mask_source("mujoco:background")(env, plain)
        number = info["looks"]["backdrop"]
        assert 0.1 < mask.mean() < 0.97
        assert (seen[mask] == (number, 255 - number, 128)).all()
        assert (seen[~mask] == plain[~mask]).all()
        assert np.array_equal(env.render(), seen)
