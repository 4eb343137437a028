import json

import numpy as np
import pytest

from hartsim.cli import run
from hartsim.config import CloningTraining, TrainConfig
from hartsim.errors import ConfigError, DatasetError
from hartsim.policies import PolicyRequest, dressed, made_for, player_of, teach
from hartsim.recording import EXPERT, Pictures, RecordRequest, instruction, played, record

parquet = pytest.importorskip("pyarrow.parquet")
pytest.importorskip("imageio_ffmpeg")

FILM = "observation.images.front"


@pytest.fixture(scope="module")
def recorded(rock, tmp_path_factory):
    """A dataset of two episodes, and what was said of them."""
    out = tmp_path_factory.mktemp("recorded") / "data"
    request = RecordRequest((rock,), out, episodes=2, size_px=32, keep=("labels", "depth"))
    return out, list(record(request))


def rows_of(root, name="data"):
    return parquet.read_table(root / name / "chunk-000/file-000.parquet").to_pylist()


def by_hand(rock, seed):
    """The expert's episode, played here."""
    arguments = made_for(PolicyRequest((rock,), EXPERT, size_px=32))
    env = dressed({**arguments, "observation": "dict"}, ("plain",))
    try:
        return played(env, player_of(EXPERT, Pictures(env)), seed)
    finally:
        env.close()


def test_rows_are_the_steps_of_the_expert(recorded, rock):
    out, told = recorded
    rows = [row for row in rows_of(out) if row["episode_index"] == 1]
    steps, first, last = by_hand(rock, seed=1)
    assert (told[1].scene, told[1].success) == (first["scene"], last["success"])
    assert told[1].steps == len(rows) == len(steps["action"])
    for name, key in (("observation.state", "state"), ("labels", "labels"), ("depth", "depth")):
        assert np.array_equal(np.array([row[name] for row in rows], np.float32), steps[key])
    assert np.array_equal(np.array([row["action"] for row in rows], np.float32), steps["action"])
    assert sum(row["next.reward"] for row in rows) == pytest.approx(told[1].reward, abs=1e-4)
    assert [row["next.done"] for row in rows] == [False] * (len(rows) - 1) + [True]
    assert rows[-1]["next.success"]
    assert not rows[-1]["next.truncated"]


def test_what_is_kept_is_described(recorded):
    out, _ = recorded
    info = json.loads((out / "meta/info.json").read_text())
    assert (info["fps"], info["robot_type"]) == (10, "hartsim_street")
    features = info["features"]
    assert features["action"]["names"] == ["steering", "pedal"]
    assert features["observation.state"]["names"][-1] == "to_goal_m"
    assert (features["labels"]["dtype"], features["labels"]["shape"]) == ("uint8", [32, 32])
    about = json.loads((out / "meta/hartsim.json").read_text())
    assert about["environment"]["id"] == "HartSim/Street-v0"
    rows = rows_of(out, "meta/episodes")
    assert [row["hartsim/hazards"] for row in rows] == ["rock", "rock"]
    assert [row["tasks"] for row in rows] == [["Drive to the goal and hit nothing."]] * 2


def test_labels_and_depth_are_kept_only_where_asked_for(rock, tmp_path):
    list(record(RecordRequest((rock,), tmp_path / "data", episodes=1, size_px=32)))
    assert not {"labels", "depth"} & set(rows_of(tmp_path / "data")[0])


def test_the_same_request_gives_the_same_bytes(recorded, rock, tmp_path):
    out, _ = recorded
    request = RecordRequest(
        (rock,), tmp_path / "again", episodes=2, size_px=32, keep=("labels", "depth")
    )
    list(record(request))
    files = [path.relative_to(out) for path in sorted(out.rglob("*")) if path.is_file()]
    assert len(files) == 7
    for name in files:
        assert (out / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


@pytest.fixture(scope="module")
def cloned(rock, tmp_path_factory):
    how = TrainConfig(cloning=CloningTraining(rounds=1, first_episodes=1, updates=1, width=4))
    out = tmp_path_factory.mktemp("cloned")
    return teach(PolicyRequest((rock,), out, size_px=32, config=how))


def test_a_policy_is_recorded_as_it_plays_by_pictures_alone(cloned, rock, tmp_path):
    list(record(RecordRequest((rock,), tmp_path / "data", cloned, episodes=1)))
    env = dressed({**made_for(PolicyRequest((rock,), tmp_path, size_px=32))}, ("plain",))
    seen, _ = env.reset(seed=0)
    player = player_of(cloned, env)
    player.begin(seen)
    first = player.act(seen)
    env.close()
    assert np.array_equal(np.float32(rows_of(tmp_path / "data")[0]["action"]), first)


def test_what_a_policy_was_made_for_is_its_own(cloned, rock, tmp_path):
    for name, value in (("size_px", 64), ("actions", "discrete")):
        request = RecordRequest((rock,), tmp_path / "data", cloned, **{name: value})
        with pytest.raises(
            ConfigError, match=rf"{name} is {value}, but .* its env\.json; leave it"
        ):
            next(record(request))


def test_discrete_actions_are_kept_as_numbers_and_looks_are_told(rock, tmp_path):
    looks = ("weather:rain", "plain")
    request = RecordRequest(
        (rock,), tmp_path / "data", episodes=2, size_px=32, looks=looks, actions="discrete"
    )
    told = list(record(request))
    assert [each.looks["look"] for each in told] == list(looks)
    rows = rows_of(tmp_path / "data")
    assert {row["action"] for row in rows} <= set(range(9))
    kept = [json.loads(row["hartsim/looks"]) for row in rows_of(tmp_path / "data", "meta/episodes")]
    assert kept[0]["weather"] == "rain"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"keep": ("labels", "depht")}, "nothing is kept by the name 'depht', only labels, depth"),
        ({"episodes": 0}, "episodes is 0, must be at least 1"),
    ],
)
def test_a_wrong_request_is_refused(rock, tmp_path, change, complaint):
    with pytest.raises(ConfigError, match=complaint):
        next(record(RecordRequest((rock,), tmp_path / "data", **change)))


def test_a_recording_that_is_cut_off_leaves_nothing(rock, tmp_path):
    episodes = record(RecordRequest((rock,), tmp_path / "data", size_px=32))
    next(episodes)
    episodes.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_empty_is_refused_before_anything_is_played(recorded, rock):
    out, _ = recorded
    with pytest.raises(DatasetError, match=r"not empty \(it holds 'data'\)"):
        next(record(RecordRequest((rock,), out)))


def test_steps_that_do_not_divide_a_second_are_refused(cloned, rock, tmp_path):
    folder = tmp_path / "policy"
    folder.mkdir()
    arguments = json.loads(cloned.with_name("env.json").read_text()) | {"step_s": 0.3}
    (folder / "env.json").write_text(json.dumps(arguments))
    request = RecordRequest((rock,), tmp_path / "data", folder / "expert")
    with pytest.raises(ConfigError, match=r"step_s is 0\.3.*a second needs a whole number"):
        next(record(request))


def test_the_arm_is_told_what_to_reach(tmp_path):
    arguments = made_for(PolicyRequest(("hand_and_knife",), tmp_path, size_px=32))
    env = dressed({**arguments, "observation": "dict"}, ("plain",))
    env.reset(seed=0)
    scene, state = env.unwrapped.scene, env.observation_space["state"]
    env.close()
    assert scene.setup.reach is not None
    reach, place = (instruction(scene, goal) for goal in ("reach", "place"))
    assert reach.removeprefix("Reach").split(" and ")[0] in place
    assert reach.startswith("Reach the ")
    assert place.endswith(" to its place and touch no hazard.")
    from hartsim.recording import STATE_NAMES

    assert len(STATE_NAMES["robot"]) == state.shape[0]


def test_the_command_line_records(rock, tmp_path, capsys):
    out = tmp_path / "data"
    arguments = ["record", rock, "--episodes", "1", "--size-px", "32", "--out", str(out)]
    assert run([*arguments, "--keep", "labels"]) == 0
    told = capsys.readouterr().out
    assert "1 episode," in told
    assert "not kept: depth; --keep depth keeps them" in told
    assert "labels" in rows_of(out)[0]
    assert run(arguments) == 2
    assert "not empty" in capsys.readouterr().err
