import gc
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ClosedEnvironmentError
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import AddRenderObservation, GrayscaleObservation

from hartsim.adapters.gymnasium.mujoco import mujoco_mask
from hartsim.adapters.gymnasium.textures import TextureRandomization
from hartsim.dataset.bank import BankWriter, Row, open_bank
from hartsim.errors import DatasetError, WorldError
from tests.adapters.gymnasium.mujoco_envs import closing_all

SIDE = 64
KINDS = {"texture/road": 5, "texture/table": 7, "texture/ground": 3, "backdrop": 4}


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("bank")
    rng = np.random.default_rng(0)
    with BankWriter(path, {"seed": 0}) as writer:
        for kind, count in KINDS.items():
            coarse = rng.integers(0, 256, (count, 4, 4, 3), np.uint8)
            pictures = coarse.repeat(8, 1).repeat(8, 2)
            rows = [Row("test", 0, each, kind, kind) for each in range(count)]
            writer.add(kind, list(pictures), rows)
    return str(path)


@pytest.fixture
def make(bank) -> Iterator:
    """Makes environments in the wrapper."""

    def build(surfaces=None, every="episode", name="Reacher-v5", **more):
        more = {"render_mode": "rgb_array", "width": SIDE, "height": SIDE} | more
        env = gym.make(name, **more)
        quality = env.unwrapped.model.vis.quality
        quality.offsamples, quality.shadowsize = 0, 64
        return TextureRandomization(env, bank, surfaces, every)

    with closing_all(build) as make:
        yield make


class Wall(gym.Env):
    """As hartsim's own environments: scenes come unpainted, `look` shows them as painted."""

    observation_space = spaces.Box(0, 255, (4, 4, 3), np.uint8)
    action_space = spaces.Discrete(2)
    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012
    render_mode = "rgb_array"

    def __init__(self):
        self.surfaces = {"road": (4, 4), "table": (4, 4), "sky": (4, 4), "facade": (4, 4)}
        self.worn = {}

    def paint(self, textures):
        assert self.started, "nothing is painted before a scene is there"
        self.worn |= textures

    def look(self):
        picture = self.worn.get("road", np.zeros((4, 4, 3), np.uint8))
        return np.asarray(picture[:4, :4])

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.started, self.worn = True, {}
        return self.look(), {"scene": 1}

    def step(self, action):
        return self.look(), 0.0, False, False, {}

    def render(self):
        return self.look()


def looks(env, seed=None) -> dict:
    return env.reset(seed=seed)[1]["looks"]["textures"]


def episodes(env, seed, count=3) -> list:
    """What is worn and seen through a few episodes."""
    worn = [looks(env, seed if number == 0 else None) for number in range(count)]
    return [*worn, env.render().tobytes()]


ACTION = np.zeros(2, np.float32)


def test_equal_seeds_wear_and_show_the_same(make):
    assert episodes(make(), 7) == episodes(make(), 7)


def test_another_seed_and_another_episode_wear_something_else(make):
    env = make("ground")
    worn = {looks(env, seed)["ground"] for seed in range(20)}
    assert len(worn) == KINDS["texture/ground"]
    looks(env, 0)
    assert len({looks(env)["ground"] for _ in range(20)}) == KINDS["texture/ground"]


def test_other_environments_of_the_process_change_nothing(make):
    alone = episodes(make(), 7)
    ant = make({"texplane": "texture/table"}, name="Ant-v5")
    ant.reset(seed=1)
    seen = ant.render()
    assert episodes(make(), 7) == alone
    assert (ant.render() == seen).all()


def test_a_vector_of_environments_sees_what_each_sees_alone(bank):
    # Gymnasium's free camera else looks at where things are when it first draws, before any seed
    camera = {"lookat": np.zeros(3), "distance": 1.0}

    def one():
        env = gym.make(
            "Reacher-v5",
            render_mode="rgb_array",
            width=SIDE,
            height=SIDE,
            default_camera_config=camera,
        )
        env.unwrapped.model.vis.quality.shadowsize = 64
        return AddRenderObservation(TextureRandomization(env, bank, ["ground"]))

    envs = gym.vector.SyncVectorEnv([one, one])
    seen, infos = envs.reset(seed=4)
    seen = [seen, envs.step(np.zeros((2, 2), np.float32))[0]]
    envs.close()
    for number in range(2):
        env = one()
        first, info = env.reset(seed=4 + number)
        second = env.step(ACTION)[0]
        env.close()
        assert infos["looks"]["textures"]["ground"][number] == info["looks"]["textures"]["ground"]
        assert (seen[0][number] == first).all()
        assert (seen[1][number] == second).all()


def test_what_is_told_is_what_is_worn(make, bank):
    env = make({"texplane": "texture/table"}, name="Ant-v5")
    told = looks(env, 3)["texplane"]
    kind, number = told.split()
    assert kind == "texture/table"
    assert int(number) == open_bank(bank).choose("texture/table", 3, 0)
    picture = open_bank(bank).images(kind)[int(number)]
    model = env.unwrapped.model
    start, (height, width) = model.tex_adr[2], (model.tex_height[2], model.tex_width[2])
    worn = model.tex_data[start : start + height * width * 3].reshape(height, width, 3)
    assert np.abs(worn.mean((0, 1)) - picture.mean((0, 1))).max() < 3


def test_without_names_all_that_stands_still_is_dressed(make):
    assert set(looks(make())) == {"ground", "root", "sideE", "sideN", "sideS", "sideW"}
    assert set(looks(make(name="Ant-v5"))) == {"skybox", "texplane"}


def test_a_surface_wears_its_own_kind_a_sky_a_backdrop_all_else_any_texture(make):
    env = make(["skybox", "texplane"], name="Ant-v5")
    worn = [looks(env, seed) for seed in range(40)]
    assert {each["skybox"].split()[0] for each in worn} == {"backdrop"}
    kinds = {each["texplane"].split()[0] for each in worn}
    assert kinds == {"texture/ground", "texture/road", "texture/table"}
    assert looks(make(["ground"]), 1)["ground"].startswith("texture/ground ")


def test_names_and_kinds_may_be_patterns(make):
    worn = looks(make({"side[NE]": "backdrop", "link*": "*/table"}), 1)
    assert {name: told.split()[0] for name, told in worn.items()} == {
        "sideN": "backdrop",
        "sideE": "backdrop",
        "link0": "texture/table",
        "link1": "texture/table",
    }


def test_only_the_dressed_geoms_look_different(make):
    env, plain = make(["ground"]), make(["ground"])
    for each in (env, plain):
        each.reset(seed=2)
    plain._painter.restore()
    ground = mujoco_mask("geom=ground")(env, env.render())
    differs = (env.render() != plain.render()).any(-1)
    assert differs[ground].mean() > 0.9
    assert not differs[~ground].any()


def test_looks_change_every_so_many_steps(make):
    env = make(["ground"], every=2)
    _, info = env.reset(seed=5)
    told = [info["looks"]["textures"]["ground"]]
    pictures = [env.render()]
    for _ in range(6):
        info = env.step(ACTION)[-1]
        told.append(info.get("looks", {}).get("textures", {}).get("ground"))
        pictures.append(env.render())
    assert [each is None for each in told] == [False, True, False, True, False, True, False]
    changed = [(a != b).mean() > 0.5 for a, b in pairwise(pictures)]
    expected = [told[2 * turn] != told[2 * turn + 2] for turn in range(3)]
    assert changed == [each for turn in expected for each in (False, turn)]
    assert any(expected)


def test_a_held_look_stays_until_another_seed_is_given(make):
    env = make(["ground"], every="never")
    assert len({looks(env, 3 if number == 0 else None)["ground"] for number in range(9)}) == 1
    assert len({looks(env, seed)["ground"] for seed in range(9)}) > 1


def test_without_a_seed_looks_follow_from_the_one_that_the_environment_chose(make):
    env, again = make(), make()
    worn = looks(env)
    assert looks(again, env.np_random_seed) == worn


@pytest.mark.parametrize("every", ["step", 0, -1, 1.5, True, None])
def test_a_wrong_rhythm_is_refused(make, every):
    with pytest.raises(ValueError, match=r"every is .*, must be 'episode', 'never' or a number"):
        make(every=every)


def test_the_task_is_the_same_with_and_without(make):
    plain, env = gym.make("Reacher-v5"), make(["*"])
    (state, _), (worn_state, _) = plain.reset(seed=9), env.reset(seed=9)
    assert (state == worn_state).all()
    for _ in range(60):
        step, worn_step = (each.step(ACTION + 0.3) for each in (plain, env))
        assert (step[0] == worn_step[0]).all()
        assert step[1:4] == worn_step[1:4]
        if step[3]:
            assert (plain.reset()[0] == env.reset()[0]).all()
    plain.close()


@pytest.mark.filterwarnings(
    "ignore:.*(different from the unwrapped version|Box observation space m)"
)
def test_gymnasium_finds_nothing_to_complain_about(bank):
    env = gym.make("Reacher-v5", render_mode="rgb_array", width=SIDE, height=SIDE)
    env = TextureRandomization(env, bank)
    check_env(env, skip_render_check=True, skip_close_check=True)
    env.close()


@pytest.mark.parametrize("surfaces", [None, ["ground", "side*"], {"ground": "texture/road"}])
def test_the_stack_is_built_again_from_its_specification(make, surfaces):
    env = make(surfaces, 5)
    written = env.spec.to_json()
    assert json.loads(written)["additional_wrappers"]
    again = gym.make(EnvSpec.from_json(written))
    assert isinstance(again, TextureRandomization)
    assert looks(again, 6) == looks(env, 6)
    again.close()


def test_close_puts_the_model_back(make):
    env = make(name="Ant-v5")
    model, before = env.unwrapped.model, env.unwrapped.model.tex_data.copy()
    env.reset(seed=1)
    env.render()
    assert (model.tex_data != before).any()
    env.close()
    env.close()
    assert (model.tex_data == before).all()


def test_a_closed_environment_takes_nothing_from_the_others(make, bank):
    env = make()
    env.reset(seed=1)
    closed = gym.make("Reacher-v5", render_mode="rgb_array", width=SIDE, height=SIDE)
    closed.reset(seed=1)
    closed.render()  # by gymnasium's own renderer, which the wrapper then exchanges
    closed = TextureRandomization(closed, bank)
    closed.reset(seed=1)
    closed.render()
    before = env.render()
    closed.close()
    env.render()
    del closed
    gc.collect()
    assert (env.render() == before).all()


def test_an_environment_that_was_closed_inside_can_be_closed(make):
    env = make()
    env.reset(seed=1)
    env.render()
    env.unwrapped.close()
    env.close()


def test_a_closed_environment_says_so(make):
    env = make()
    env.reset(seed=1)
    env.close()
    for use in (env.reset, env.render, lambda: env.step(ACTION)):
        with pytest.raises(ClosedEnvironmentError, match="closed; make another"):
            use()


def test_surfaces_that_are_not_there_are_answered_with_those_that_are(make):
    with pytest.raises(WorldError, match="no surface 'flor' to dress; there are: ground, sideS"):
        make(["flor"])
    with pytest.raises(
        WorldError, match=r"no surface 'texgeom'.*cannot be painted: texgeom: nothing"
    ):
        make(["texgeom"], name="Ant-v5")


def test_kinds_that_are_not_there_are_answered_with_those_that_are(make):
    with pytest.raises(
        DatasetError, match="no pictures of kind 'texture/wood' for 'ground'; there"
    ):
        make({"ground": "texture/wood"})


def test_a_folder_that_is_no_bank_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="not a bank"):
        TextureRandomization(Wall(), str(tmp_path))


def test_an_environment_without_a_simulator_is_refused(bank):
    env = gym.make("CartPole-v1")
    with pytest.raises(WorldError, match="CartPoleEnv shows no MuJoCo model"):
        TextureRandomization(env, bank)
    env.close()


def test_an_own_world_is_dressed_before_its_first_observation(bank):
    env = TextureRandomization(Wall(), bank)
    seen, info = env.reset(seed=3)
    assert set(info["looks"]["textures"]) == {"road", "table"}
    assert info["scene"] == 1
    kind, number = info["looks"]["textures"]["road"].split()
    assert (seen == open_bank(bank).images(kind)[int(number)][:4, :4]).all()
    assert (env.step(0)[0] == seen).all()


def test_a_new_scene_of_an_own_world_is_dressed_again(bank):
    env = TextureRandomization(Wall(), bank, every="never")
    first, second = env.reset(seed=3)[0], env.reset()[0]
    assert first.any()
    assert (first == second).all()


def test_unknown_surfaces_of_an_own_world_are_answered_at_the_first_reset(bank):
    env = TextureRandomization(Wall(), bank, ["roof"])
    with pytest.raises(WorldError, match="no surface 'roof' to dress; there are: road, table, sky"):
        env.reset(seed=0)


def test_wrappers_that_change_observations_belong_outside_an_own_world(bank):
    with pytest.raises(ValueError, match="GrayscaleObservation changes observations before"):
        TextureRandomization(GrayscaleObservation(Wall()), bank)
    GrayscaleObservation(TextureRandomization(Wall(), bank)).reset(seed=0)


def test_a_bank_that_grows_is_taken_up_at_the_next_episode(make, tmp_path):
    path = Path(tmp_path / "bank")
    picture = np.zeros((8, 8, 3), np.uint8)
    with BankWriter(path, {}) as writer:
        writer.add("texture/road", [picture], [Row("test", 0, 0, "road", "road")])
        env = TextureRandomization(Wall(), str(path))
        assert {looks(env, seed)["road"] for seed in range(9)} == {"texture/road 0"}
        writer.add("texture/road", [picture], [Row("test", 0, 1, "road", "road")])
    assert {looks(env, seed)["road"] for seed in range(9)} == {"texture/road 0", "texture/road 1"}


def test_the_street_wears_the_bank(bank):
    env = TextureRandomization(gym.make("hartsim:HartSim/Street-v0", size_px=SIDE), bank, ["road"])
    plain = gym.make("hartsim:HartSim/Street-v0", size_px=SIDE)
    seen, bare = env.reset(seed=2)[0], plain.reset(seed=2)[0]
    assert (seen != bare).any(-1).mean() > 0.05
    road = env.unwrapped.frame().labels == 0
    assert not (seen != bare).any(-1)[~road & (env.unwrapped.frame().labels != 1)].any()
    env.close()
    plain.close()
