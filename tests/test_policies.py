import csv
import itertools
import json
import os
import sys
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest

from hartsim.cli import run
from hartsim.config import CloningTraining, ReinforcementTraining, TrainConfig
from hartsim.dataset.bank import BankWriter, Row
from hartsim.errors import (
    CheckpointError,
    ConfigError,
    DatasetError,
    HartSimError,
    ScenarioError,
    WorldError,
)
from hartsim.policies import (
    PolicyRequest,
    dressed,
    environment_of,
    film,
    judge,
    player_of,
    teach,
)
from hartsim.training.reinforcement import StackedPictures, reinforce

QUICK = TrainConfig(
    cloning=CloningTraining(rounds=1, first_episodes=2, drivers=0, updates=3, width=4),
    ppo=ReinforcementTraining(steps=32, envs=1, rollout=16, batch=16, epochs=1, save_every=16),
)


@pytest.fixture(scope="module")
def cloned(rock, tmp_path_factory):
    out = tmp_path_factory.mktemp("cloned")
    return teach(PolicyRequest((rock,), out, size_px=32, config=QUICK))


@pytest.fixture(scope="module")
def reinforced(rock, tmp_path_factory):
    pytest.importorskip("stable_baselines3")
    out = tmp_path_factory.mktemp("reinforced")
    return teach(PolicyRequest((rock,), out, "ppo", size_px=40, config=QUICK))


def test_the_expert_is_judged_to_drive_round_the_rock(cloned, rock):
    (found,) = judge(cloned.with_name("expert"), [rock], episodes=3)
    assert (found.success, found.collision, found.progress) == (1.0, 0.0, 1.0)
    assert found.success_interval[0] < 1.0 == found.success_interval[1]


@pytest.mark.parametrize("kind", ["cloned", "reinforced"])
def test_what_was_taught_can_be_judged_again_and_gives_the_same(kind, rock, request):
    file = request.getfixturevalue(kind)
    one, other = (list(judge(file, [rock], episodes=2)) for _ in range(2))
    assert one == other
    assert one[0].scenario == "rock"
    assert one[0].look == "plain"


def test_reinforcement_goes_on_from_its_file(reinforced, rock):
    more = TrainConfig(
        ppo=ReinforcementTraining(steps=48, envs=1, rollout=16, batch=16, epochs=1, save_every=16)
    )
    import stable_baselines3 as sb3

    assert sb3.PPO.load(reinforced).num_timesteps == 32
    teach(PolicyRequest((rock,), reinforced.parent, "ppo", size_px=40, config=more))
    assert sb3.PPO.load(reinforced).num_timesteps == 48


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"rate": 0.5}, r"policy\.zip: was begun with ppo\.rate=0\.0003, not 0\.5; give what"),
        ({"frames": 1}, r"ppo\.frames=2, not 1"),
        ({"seed": 3, "epochs": 2}, r"ppo\.epochs=1, not 2 and ppo\.seed=0, not 3"),
        ({"rollout": 8, "batch": 8}, r"ppo\.rollout=16, not 8 and ppo\.batch=16, not 8"),
        ({"discount": 0.5, "entropy": 0.5}, r"ppo\.discount=0\.98, not 0\.5 and ppo\.entropy"),
    ],
)
def test_reinforcement_does_not_go_on_with_other_settings(reinforced, rock, change, complaint):
    before = reinforced.read_bytes()
    other = TrainConfig(ppo=replace(QUICK.ppo, steps=4096, **change))
    with pytest.raises(ConfigError, match=complaint):
        teach(PolicyRequest((rock,), reinforced.parent, "ppo", size_px=40, config=other))
    assert reinforced.read_bytes() == before


def scalars(folder):
    """The figures in a folder of TensorBoard's: (step, value) by name."""
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = events.EventAccumulator(str(folder))
    found.Reload()
    names = found.Tags()["scalars"]
    return {name: [(each.step, each.value) for each in found.Scalars(name)] for name in names}


def test_tensorboard_is_told_what_stands_in_the_table_of_cloning(rock, tmp_path):
    how = TrainConfig(
        cloning=CloningTraining(
            rounds=2, first_episodes=1, episodes=1, drivers=0, updates=2, width=4
        )
    )
    teach(PolicyRequest((rock,), tmp_path, size_px=32, config=how, tensorboard=True))
    found = scalars(tmp_path / "tensorboard")
    with (tmp_path / "cloning.csv").open() as file:
        rows = list(csv.DictReader(file))
    for name in ("loss", "success", "steps", "minutes"):
        expected = [(int(row["round"]), pytest.approx(float(row[name]))) for row in rows]
        assert found[f"cloning/{name}"] == expected
    assert len(rows) == 2


def test_tensorboard_is_told_how_reinforcement_goes(rock, tmp_path):
    pytest.importorskip("stable_baselines3")
    teach(PolicyRequest((rock,), tmp_path, "ppo", size_px=40, config=QUICK, tensorboard=True))
    found = scalars(tmp_path / "from-0")
    assert [step for step, _ in found["time/fps"]] == [16, 32]
    assert "train/loss" in found


def test_tensorboard_is_not_told_unasked(cloned, reinforced):
    names = {path.name for file in (cloned, reinforced) for path in file.parent.rglob("*")}
    assert {"cloning.csv", "progress.csv"} <= names
    assert not any(name.startswith("events.out") for name in names)


@pytest.mark.parametrize("method", ["clone", "ppo"])
def test_without_tensorboard_nothing_begins(rock, tmp_path, monkeypatch, method):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    out = tmp_path / "driver"
    with pytest.raises(ConfigError, match=r'pip install "hartsim\[tensorboard\]"'):
        teach(PolicyRequest((rock,), out, method, config=QUICK, tensorboard=True))
    assert not out.exists()


def test_a_video_shows_what_the_policy_sees(cloned, rock, tmp_path):
    from imageio import v3 as imageio

    film(cloned, rock, "plain", tmp_path / "drive.gif", episodes=1)
    shown = imageio.imread(tmp_path / "drive.gif", index=None)
    assert shown.shape[1:3] == (256, 256)
    assert len(shown) > 3


def test_a_video_of_another_kind_is_refused(cloned, rock, tmp_path):
    with pytest.raises(ConfigError, match=r"must be a file name that ends in \.mp4 or \.gif"):
        film(cloned, rock, "plain", tmp_path / "drive.avi")


def test_the_command_line_teaches_and_judges(rock, tmp_path, capsys):
    settings = ["cloning.rounds=1", "cloning.first_episodes=1", "cloning.updates=1"]
    out, figures = tmp_path / "driver", tmp_path / "figures.json"
    assert run(["train", "policy", rock, *settings, "--out", str(out), "--size-px", "32"]) == 0
    arguments = ["evaluate", str(out / "policy.pt"), rock, "--episodes", "2"]
    assert run([*arguments, "--json", str(figures)]) == 0
    assert "success" in capsys.readouterr().out
    assert json.loads(figures.read_text())[0]["episodes"] == 2


def test_one_policy_does_not_drive_and_reach(tmp_path):
    request = PolicyRequest(("child_behind_van", "hand_and_knife"), tmp_path)
    with pytest.raises(ScenarioError, match="one policy drives or reaches"):
        teach(request)


def test_a_method_that_there_is_not_is_refused(rock, tmp_path):
    with pytest.raises(ConfigError, match="the method is 'sac', must be 'clone' or 'ppo'"):
        teach(PolicyRequest((rock,), tmp_path, "sac"))


def test_a_policy_that_is_not_there_is_told(cloned, rock, tmp_path):
    with pytest.raises(CheckpointError, match=r"nobody\.pt: there is no such policy"):
        next(judge(cloned.with_name("nobody.pt"), [rock], episodes=1))
    with pytest.raises(CheckpointError, match=r"env\.json: not readable; it says which"):
        next(judge(tmp_path / "policy.pt", [rock], episodes=1))


def test_a_broken_file_of_reinforcement_is_told(cloned, tmp_path):
    pytest.importorskip("stable_baselines3")
    broken = tmp_path / "policy.zip"
    broken.write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="not readable as a policy of PPO"):
        player_of(broken, None)


def test_pictures_are_stacked_from_the_first_on():
    env = StackedPictures(gym.make("HartSim/Street-v0", size_px=32), frames=3)
    first, _ = env.reset(seed=0)
    second = env.step(np.zeros(2, np.float32))[0]
    env.close()
    assert env.observation_space.contains(first)
    assert np.array_equal(first[..., :3], first[..., 6:])
    assert np.array_equal(second[..., :6], np.concatenate([first[..., 6:]] * 2, axis=-1))


def test_environments_without_pictures_are_not_stacked():
    with pytest.raises(HartSimError, match="PPO here needs pictures"):
        StackedPictures(gym.make("CartPole-v1"), frames=2)


@pytest.fixture(scope="module")
def red(tmp_path_factory):
    """A bank that paints the road red, and what stands behind it green."""
    path = tmp_path_factory.mktemp("banks") / "red"
    with BankWriter(path, {"made": "for a test"}) as writer:
        for kind, colour in (("texture/road", (220, 0, 0)), ("backdrop", (0, 250, 0))):
            writer.add(kind, [np.full((32, 32, 3), colour, np.uint8)], [Row("", 0, 0, "", "")])
    return str(path)


def street(rock):
    return {"id": "HartSim/Street-v0", "scenario": rock, "size_px": 32}


def first_pictures(env, seeds):
    """The first picture of each episode, and what it was said to wear."""
    try:
        begun = [env.reset(seed=seed) for seed in seeds]
        return [seen for seen, _ in begun], [info.get("looks", {}).get("look") for _, info in begun]
    finally:
        env.close()


def test_looks_take_turns(rock, red):
    looks = ["plain", red, f"backdrop:{red}", "weather:fog"]
    env = dressed(street(rock), looks)
    pictures, worn = first_pictures(env, (8, None, None, None, None, None))
    assert worn == [*looks, "plain", red]
    red_road = [int(seen[-4:, :, 0].mean()) - int(seen[-4:, :, 2].mean()) for seen in pictures]
    green_sky = [bool((seen[0] == (0, 250, 0)).all()) for seen in pictures]
    assert [each > 40 for each in red_road] == [False, True, False, False, False, True]
    assert green_sky == [False, False, True, False, False, False]


def test_looks_follow_from_the_seed_and_not_from_what_was_before(rock, red):
    looks = ["weather:rain", "plain"]
    alone, _ = first_pictures(dressed(street(rock), looks), (4, None, None))
    later, _ = first_pictures(dressed(street(rock), looks), (1, None, None, 4, None, None))
    assert all(np.array_equal(one, other) for one, other in zip(alone, later[3:], strict=True))
    assert not np.array_equal(later[2], later[5])


def test_weather_by_name_is_seen_and_observations_stay_pictures(rock):
    env = dressed(street(rock), ["weather:fog"])
    assert env.observation_space == gym.spaces.Box(0, 255, (32, 32, 3), np.uint8)
    (foggy,), _ = first_pictures(env, (3,))
    (plain,), _ = first_pictures(dressed(street(rock), ["plain"]), (3,))
    assert env.observation_space.contains(foggy)
    assert foggy[:20].std() < 0.9 * plain[:20].std()


def test_backdrops_by_name_stand_behind_a_table(red):
    env = dressed({"id": "HartSim/Tabletop-v0", "size_px": 32}, [f"backdrop:{red}"])
    (seen,), _ = first_pictures(env, (0,))
    share = (seen == (0, 250, 0)).all(axis=-1).mean()
    assert 0.05 < share < 0.95


@pytest.mark.parametrize(
    ("look", "complaint"),
    [
        ("", r"the look is '', must be 'plain', the folder of a bank, 'backdrop:BANK' or"),
        ("wether:rain", r"the look is 'wether:rain', must be 'plain'"),
        ("weather:rian", r"the look 'weather:rian': .*rain"),
    ],
)
def test_what_is_no_look_is_told(rock, look, complaint):
    for looks in ([look], ["plain", look]):
        with pytest.raises(ConfigError, match=complaint):
            dressed(street(rock), looks)


def test_a_backdrop_without_a_bank_is_told(rock, tmp_path):
    with pytest.raises(DatasetError, match="nobank"):
        dressed(street(rock), [f"backdrop:{tmp_path / 'nobank'}"])


def test_a_wrong_look_is_told_before_any_is_judged(cloned, rock):
    with pytest.raises(ConfigError, match="the look is 'fog:'"):
        next(judge(cloned, [rock], ("plain", "fog:"), episodes=10_000))


def test_a_policy_is_taught_and_judged_in_looks_by_name(rock, red, tmp_path, capsys):
    settings = ["cloning.rounds=1", "cloning.first_episodes=2", "cloning.updates=1"]
    looks = f"weather:snow,backdrop:{red}"
    command = ["train", "policy", rock, *settings, "--out", str(tmp_path), "--size-px", "32"]
    assert run([*command, "--looks", looks]) == 0
    judged = ["evaluate", str(tmp_path / "policy.pt"), rock, "--episodes", "1", "--looks", looks]
    assert run(judged) == 0
    told = capsys.readouterr().out
    assert "weather:snow" in told
    assert "backdrop:red" in told


def test_a_policy_places_things_by_discrete_actions(tmp_path):
    command = ["train", "policy", "hand_and_knife", "--goal", "place", "--actions", "discrete"]
    settings = ["cloning.rounds=1", "cloning.first_episodes=1", "cloning.updates=1"]
    assert run([*command, *settings, "--out", str(tmp_path), "--size-px", "32"]) == 0
    made = environment_of(tmp_path / "policy.pt")
    assert (made["goal"], made["actions"]) == ("place", "discrete")
    env = dressed({**made, "scenario": "hand_and_knife"}, ["plain"])
    assert env.action_space == gym.spaces.Discrete(14)
    player_of(tmp_path / "policy.pt", env)
    env.close()
    (found,) = judge(tmp_path / "expert", ["hand_and_knife"], episodes=1)
    assert found.success == 1.0


def test_ppo_learns_by_discrete_actions(rock, tmp_path):
    pytest.importorskip("stable_baselines3")
    file = teach(
        PolicyRequest((rock,), tmp_path, "ppo", size_px=40, config=QUICK, actions="discrete")
    )
    (found,) = judge(file, [rock], episodes=1)
    assert found.episodes == 1
    assert environment_of(file)["actions"] == "discrete"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"goal": "place"}, r"goal is 'place', but in .*rock\.yaml there is nothing but driving"),
        ({"goal": "throw"}, "goal is 'throw', must be 'reach' or 'place'"),
        ({"actions": "both"}, "actions is 'both', must be 'continuous' or 'discrete'"),
    ],
)
def test_a_wrong_goal_or_action_is_refused(rock, tmp_path, change, complaint):
    with pytest.raises(ConfigError, match=complaint):
        teach(PolicyRequest((rock,), tmp_path / "driver", config=QUICK, **change))
    assert not (tmp_path / "driver").exists()


def copied(cloned, folder, change):
    """A folder with a policy, whose env.json says something else."""
    folder.mkdir()
    (folder / "policy.pt").write_bytes(cloned.read_bytes())
    made = {**environment_of(cloned), **change}
    made = {name: value for name, value in made.items() if value is not None}
    (folder / "env.json").write_text(json.dumps(made))
    return folder / "policy.pt"


def test_what_env_json_says_beside_is_used_and_stays(cloned, rock, tmp_path):
    file = copied(cloned, tmp_path / "driver", {"actions": None, "time_limit_s": 0.5})
    teach(PolicyRequest((rock,), file.parent, size_px=32, config=QUICK))
    made = environment_of(file)
    assert (made["time_limit_s"], made["actions"]) == (0.5, "continuous")
    (found,) = judge(file, [rock], episodes=1)
    assert found.progress < 0.5


def test_an_env_json_that_fits_no_environment_or_another_policy_is_told(cloned, rock, tmp_path):
    odd = copied(cloned, tmp_path / "odd", {"wheels": 4})
    with pytest.raises(ConfigError, match=r"no environment can be made of .*'wheels': 4"):
        next(judge(odd, [rock], episodes=1))
    other = copied(cloned, tmp_path / "other", {"actions": "discrete"})
    with pytest.raises(CheckpointError, match=r"has 2 continuous actions, the env.* 9 discrete"):
        next(judge(other, [rock], episodes=1))


def test_a_folder_of_a_policy_for_something_else_is_refused(cloned, rock):
    before = cloned.with_name("env.json").read_text()
    with pytest.raises(ConfigError, match=r"made for size_px 32, not 48; choose another folder"):
        teach(PolicyRequest((rock,), cloned.parent, size_px=48, config=QUICK))
    assert cloned.with_name("env.json").read_text() == before


def test_a_look_that_there_is_not_leaves_nothing_behind(rock, tmp_path):
    out = tmp_path / "driver"
    with pytest.raises(DatasetError):
        teach(PolicyRequest((rock,), out, looks=(str(tmp_path / "nobank"),), config=QUICK))
    assert not out.exists()


def test_a_policy_that_sees_another_size_is_told(cloned, rock):
    env = gym.make("HartSim/Street-v0", scenario=rock, size_px=40)
    with pytest.raises(CheckpointError, match=r"sees pictures of \(32, 32\), the environment has"):
        player_of(cloned, env)


def test_a_wrong_video_is_refused_before_anything_is_judged(cloned, rock, tmp_path, capsys):
    video = ["--video", str(tmp_path / "drive.avi"), "--episodes", "100000"]
    assert run(["evaluate", str(cloned), rock, *video]) == 2
    assert "must be a file name that ends in .mp4 or .gif" in capsys.readouterr().err


def dying():
    """An environment whose process ends in its third step."""
    env = gym.make("HartSim/Street-v0", size_px=40)
    step, count = env.step, itertools.count()
    env.step = lambda action: os._exit(3) if next(count) == 2 else step(action)
    return env


def test_a_dead_environment_ends_the_training_with_its_reason(tmp_path):
    pytest.importorskip("stable_baselines3")
    how = ReinforcementTraining(steps=64, envs=2, processes=True, rollout=16, batch=16)
    with pytest.raises(WorldError, match=r"died \(exit code 3\) while learning"):
        reinforce(dying, tmp_path / "policy.zip", how)
