import json
from itertools import count

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.utils.env_checker import check_env

from hartsim.adapters.gymnasium import wrappers
from hartsim.adapters.gymnasium.textures import TextureRandomization
from hartsim.adapters.gymnasium.wrappers import (
    BackdropObservation,
    HartVisuals,
    HazardObservation,
    WeatherObservation,
)
from hartsim.errors import DatasetError, ScenarioError
from hartsim.types import CLASS_ID
from tests.adapters.gymnasium.conftest import LOOKS, PICTURES
from tests.adapters.gymnasium.roads import CAR, SKY, Road

SKY_HEX = bytes(SKY).hex()
WARNS_OF_WRAPPERS = "ignore:.*different from the unwrapped version"


@pytest.fixture(params=LOOKS)
def dressed(request, look_of):
    """A function that makes the road in one of the looks."""
    name, arguments, env_id = look_of(request.param)
    return lambda **more: getattr(wrappers, name)(gym.make(env_id, **more), **arguments)


def picture(observation):
    return observation["image"] if isinstance(observation, dict) else observation


def episodes(env, seed, number=3):
    """All that comes of some episodes: observations, infos and what is rendered."""
    seen = []
    for episode in range(number):
        observation, info = env.reset(seed=seed if episode == 0 else None)
        seen.append((observation, info))
        for action in count():
            observation, _, over, _, info = env.step(action % 2)
            seen.append((observation, info))
            if over:
                break
    return seen


def equal(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return np.array_equal(one, other)


@pytest.mark.filterwarnings(WARNS_OF_WRAPPERS)
def test_gymnasium_finds_nothing_wrong(dressed):
    check_env(dressed())


def test_the_same_seed_gives_the_same_bytes_whatever_was_before(dressed):
    env, other = dressed(), dressed()
    first = episodes(env, 5)
    episodes(other, 99, number=2)
    assert equal(first, episodes(other, 5))
    assert not equal(first, episodes(other, 6))


def test_the_picture_changes_and_the_space_does_not(dressed):
    env = dressed()
    assert env.observation_space == env.unwrapped.observation_space
    changes = []
    for observation, _ in episodes(env, 3):
        assert observation in env.observation_space
    env.reset(seed=3)
    for _ in range(3):
        observation, *_ = env.step(1)
        changes.append((picture(observation) != env.unwrapped.frame().image).any())
    assert any(changes)


def test_what_the_environment_observed_is_left_as_it_was(bank):
    env = Road()
    held, kept = {}, {}

    def reset(**arguments):
        held.update(env.observation())
        kept.update({key: array.copy() for key, array in held.items()})
        return held, {}

    env.at, env.steps, env.reset = 3, 0, reset
    seen, _ = HazardObservation(BackdropObservation(env, bank, "labels:sky"), ["deer"]).reset(
        seed=1
    )
    assert not equal(seen, kept)
    assert equal(held, kept)


def test_a_spec_as_json_makes_the_same_again(dressed):
    env = dressed()
    text = env.spec.to_json()
    json.loads(text)
    again = gym.make(EnvSpec.from_json(text))
    assert again.spec == env.spec
    assert type(again) is type(env)
    assert equal(episodes(env, 4), episodes(again, 4))


def test_rendering_shows_what_the_policy_saw(dressed):
    env = dressed(render_mode="rgb_array")
    observation, _ = env.reset(seed=2)
    assert np.array_equal(env.render(), picture(observation))
    observation, *_ = env.step(0)
    picture(observation)[:2] = 0
    assert not np.array_equal(env.render(), picture(observation))
    assert gym.wrappers.FrameStackObservation(dressed(), 2).reset(seed=2)


def test_rendering_before_the_first_reset_is_refused(bank):
    env = BackdropObservation(Road(render_mode="rgb_array"), bank, "labels:sky")
    with pytest.raises(ResetNeeded, match="call reset"):
        env.render()


def test_looks_are_told_when_they_are_chosen_and_only_then(dressed):
    env = dressed()
    _, info = env.reset(seed=1)
    assert info["looks"]
    told = ["looks" in env.step(0)[4] for _ in range(3)]
    assert told == ([False, True, False] if "mask=colour" in _arguments(env) else [False] * 3)
    _, info = env.reset()
    assert ("looks" in info) == ("every=never" not in _arguments(env))


def _arguments(env):
    return " ".join(f"{name}={value}" for name, value in env._saved_kwargs.items())


def test_looks_over_one_another_are_told_together(bank):
    env = BackdropObservation(Road(), bank, "labels:sky")
    env = HazardObservation(WeatherObservation(env, "fog", strength=0.5), ["deer"])
    _, info = env.reset(seed=0)
    assert {"backdrop", "weather", "visibility_m", "hazard_1"} <= set(info["looks"])
    assert info["looks"]["visibility_m"] == pytest.approx(71)


def test_the_backdrop_of_each_episode_is_the_one_the_bank_chooses(bank):
    env = BackdropObservation(Road(), bank, "labels:sky")
    numbers = []
    for seed in (8, None, None):
        observation, info = env.reset(seed=seed)
        number = info["looks"]["backdrop"]
        sky = observation["labels"] == CLASS_ID["sky"]
        assert (observation["image"][sky] == (number, 255 - number, 128)).all()
        assert (observation["image"][~sky] == env.unwrapped.frame().image[~sky]).all()
        numbers.append(number)
    chosen = env._wearer._look.bank.choose
    assert numbers == [chosen("backdrop", 8, episode) for episode in range(3)]
    assert all(0 <= number < PICTURES for number in numbers)


def test_without_a_seed_looks_follow_the_seed_that_the_environment_drew(bank):
    env = BackdropObservation(Road(), bank, "labels:sky")
    seen, _ = env.reset()
    again, _ = env.reset(seed=env.unwrapped.np_random_seed)
    assert equal(seen, again)


def test_labels_of_the_frame_serve_where_pictures_are_all_that_is_observed(bank):
    plain = BackdropObservation(Road("image"), bank, "labels:sky")
    rich = BackdropObservation(Road("dict"), bank, "labels:sky")
    assert np.array_equal(plain.reset(seed=1)[0], rich.reset(seed=1)[0]["image"])


def test_hazards_are_labelled_truly_at_every_step():
    env = HazardObservation(
        Road(size_px=64), ["deer"], ahead_m=[8, 16], left_m=[-1, 1], travelled="travelled_m"
    )
    raw = Road(size_px=64)
    heights = []
    for seed in range(3):
        seen, _ = env.reset(seed=seed)
        bare, _ = raw.reset(seed=seed)
        while True:
            own = seen["labels"] == CLASS_ID["animal"]
            assert (seen["image"][own] != bare["image"][own]).any(-1).all()
            assert (seen["depth"][own] < bare["depth"][own] + 0.7).all()
            assert (seen["labels"][~own] == bare["labels"][~own]).all()
            assert (seen["depth"][~own] == bare["depth"][~own]).all()
            heights.append(own.any(1).sum())
            seen, _, over, _, _ = env.step(0)
            bare, *_ = raw.step(0)
            if over:
                break
    assert len(set(heights)) > 3


def test_the_car_hides_a_hazard_behind_it():
    env = HazardObservation(Road(size_px=64), ["deer"], ahead_m=[9, 12], left_m=[-3, 3])
    hidden = 0
    for seed in range(12):
        seen, _ = env.reset(seed=seed)
        raw = env.unwrapped.frame()
        car = raw.labels == CLASS_ID["car"]
        assert (seen["labels"][car] == CLASS_ID["car"]).all()
        assert (seen["image"][car] == CAR).all()
        hidden += (seen["labels"] == CLASS_ID["animal"]).sum()
    assert hidden


def test_a_scenario_shows_its_draws_one_after_the_other(bank, scenario):
    env = HartVisuals(Road(), scenario, bank, parts=["weather", "hazards"])
    told = [env.reset(seed=seed)[1]["looks"] for seed in (2, None, None)]
    assert [each["scene"] for each in told] == ["deer-00000", "deer-00001", "deer-00002"]
    assert all(each["hazard_1_ahead_m"] == 9 for each in told)
    assert {each["weather"] for each in told} <= {"rain", "fog", "snow"}


@pytest.mark.parametrize(
    ("space", "complaint"),
    [
        (spaces.Box(-1, 1, (4,), np.float32), "AddRenderObservation"),
        (spaces.Box(0, 255, (8, 8), np.uint8), "must be a picture"),
        (spaces.Box(0, 255, (3, 8, 8), np.uint8), "must be a picture"),
        (spaces.Box(0, 1, (8, 8, 3), np.float32), "must be a picture"),
        (spaces.Discrete(3), "must be a picture"),
        (spaces.Dict({"pixels": spaces.Box(0, 255, (8, 8, 3), np.uint8)}), "has no 'image', only"),
        (
            spaces.Dict(
                {
                    "image": spaces.Box(0, 255, (8, 8, 3), np.uint8),
                    "labels": spaces.Box(0, 255, (4, 4), np.uint8),
                }
            ),
            r"'labels' is uint8 \(4, 4\), must be uint8 \(8, 8\)",
        ),
    ],
)
def test_observations_without_a_picture_are_refused(bank, space, complaint):
    env = Road()
    env.observation_space = space
    with pytest.raises(ValueError, match=f"BackdropObservation: .*{complaint}"):
        BackdropObservation(env, bank, "colour:#000000")


def test_a_picture_of_another_name_is_found_by_it(bank):
    env = Road()
    parts = env.observation_space.spaces
    env.observation_space = spaces.Dict({"pixels": parts["image"]})
    frame = env.frame
    env.observation = lambda: {"pixels": frame().image}
    env = BackdropObservation(env, bank, f"colour:#{SKY_HEX}", image_key="pixels")
    seen, info = env.reset(seed=0)
    assert seen["pixels"][0, 0, 0] == info["looks"]["backdrop"] != SKY[0]


class Blind(Road):
    """A road of which no more than a picture is known."""

    frame = property()

    def __init__(self):
        super().__init__("image")


@pytest.mark.parametrize(
    ("wrap", "complaint"),
    [
        (lambda env, bank: BackdropObservation(env, bank, "labels:sky"), "needs labels"),
        (lambda env, bank: BackdropObservation(env, bank, "sky"), "is none of"),
        (lambda env, bank: BackdropObservation(env, bank, "labels:car", feather_px=-1), "feather"),
        (lambda env, bank: WeatherObservation(env, "fog"), "no depth at all"),
        (lambda env, bank: WeatherObservation(env, "fog", depth="observation"), "no depth at all"),
        (lambda env, bank: WeatherObservation(env, "fog", depth="no:where"), "No module"),
        (
            lambda env, bank: WeatherObservation(env, "fog", depth="flat", camera={"fov": 3}),
            "camera has 'fov'; it may have: ahead_m",
        ),
        (
            lambda env, bank: WeatherObservation(env, "fog", depth="flat", camera={"fov_deg": 190}),
            r"camera 'fov_deg': 190 is outside 10\.\.150",
        ),
        (
            lambda env, bank: HazardObservation(env, ["deer"], camera={"up_m": float("nan")}),
            "camera 'up_m': nan is outside",
        ),
        (
            lambda env, bank: HazardObservation(env, ["deer"], camera={"pitch_deg": "low"}),
            "camera 'pitch_deg': 'low' is not a number",
        ),
        (
            lambda env, bank: WeatherObservation(env, "fog", depth="flat", camera="front"),
            "camera is 'front', must be such as",
        ),
        (lambda env, bank: HazardObservation(env, "deer"), "must be a list of kinds"),
        (lambda env, bank: HazardObservation(env, ["deer", "knife"]), "some are of the table"),
        (lambda env, bank: HazardObservation(env, ["deer"], count=0), "at least 1"),
        (lambda env, bank: HazardObservation(env, ["deer"], ahead_m=[9, 2]), "in metres"),
        (lambda env, bank: HartVisuals(env, "child_behind_van", bank, ["sound"]), "no part"),
        (lambda env, bank: HartVisuals(env, "child_behind_van", bank, ["backdrop"]), "labels"),
    ],
)
def test_what_cannot_be_worn_is_refused_at_once(bank, wrap, complaint):
    with pytest.raises(ValueError, match=complaint):
        wrap(Blind(), bank)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda env, bank: BackdropObservation(env, bank, "labels:sky"),
        lambda env, bank: WeatherObservation(env, "fog"),
        lambda env, bank: HazardObservation(env, ["deer"]),
        lambda env, bank: HartVisuals(env, "child_behind_van", bank),
        lambda env, bank: TextureRandomization(env, bank),
    ],
)
def test_a_vector_is_told_which_class_it_wants(bank, wrap):
    envs = gym.vector.SyncVectorEnv([Road] * 2)
    remedy = r"(use hartsim\.adapters\.gymnasium\.vector\.\w+|gymnasium\.make_vec\(.*\))$"
    with pytest.raises(TypeError, match=rf"is a vector of environments; .*{remedy}"):
        wrap(envs, bank)
    with pytest.raises(TypeError, match="'road' is no environment of Gymnasium"):
        wrap("road", bank)


def test_a_bank_without_such_pictures_is_refused(bank, tmp_path):
    with pytest.raises(DatasetError, match="no pictures of kind 'view'; there are backdrop"):
        BackdropObservation(Road(), bank, "labels:sky", kind="view")
    with pytest.raises(DatasetError, match="no such folder"):
        BackdropObservation(Road(), str(tmp_path / "none"), "labels:sky")


def test_a_camera_that_the_scenario_lacks_is_refused(bank, scenario):
    with pytest.raises(ScenarioError, match="no camera 'rear'; there are: front"):
        HartVisuals(Road(), scenario, bank, camera="rear", parts=["weather"])


@pytest.mark.parametrize("seed", [-1, 1.5, "7"])
def test_what_is_no_seed_is_refused(dressed, seed):
    with pytest.raises(ValueError, match=f"seed is {seed!r}, must be a whole number from 0"):
        dressed().reset(seed=seed)


def test_a_closed_environment_says_so(dressed):
    env = dressed(render_mode="rgb_array")
    env.reset(seed=0)
    env.close()
    env.close()
    for ask in (env.reset, lambda: env.step(0), env.render):
        with pytest.raises(ClosedEnvironmentError, match="is closed; make another"):
            ask()


def test_an_entry_of_info_that_is_not_there_is_named():
    env = HazardObservation(Road(), ["deer"], travelled="metres")
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"info has no 'metres' .*travelled_m"):
        env.step(0)
