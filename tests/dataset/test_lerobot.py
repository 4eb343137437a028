"""Small datasets in LeRobot's format, read with pyarrow and ffmpeg alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hartsim.dataset.lerobot import (
    EpisodeWriter,
    Feature,
    FileSizes,
    histograms,
    number_stats,
    picture_stats,
)
from hartsim.errors import ConfigError, DatasetError

parquet = pytest.importorskip("pyarrow.parquet")
imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")

SIDE, FPS = 32, 10
FILM = "observation.images.front"
FEATURES = {
    FILM: Feature("video", (SIDE, SIDE, 3), ("height", "width", "channels")),
    "observation.state": Feature("float32", (2,), ("a", "b")),
    "action": Feature("int64", (1,)),
    "next.done": Feature("bool", (1,)),
    "labels": Feature("uint8", (SIDE, SIDE), ("height", "width")),
}


def episode(seed, count):
    """Smooth pictures, each of another brightness, and numbers."""
    random = np.random.default_rng(seed)
    ramp = np.linspace(0, 120, SIDE)[None, :, None] + np.array([0.0, 20.0, 40.0])
    tones = random.integers(0, 90, count)[:, None, None, None]
    pictures = np.broadcast_to(ramp + tones, (count, SIDE, SIDE, 3)).astype(np.uint8)
    return {
        FILM: pictures,
        "observation.state": random.normal(size=(count, 2)).astype(np.float32),
        "action": random.integers(0, 9, count),
        "next.done": np.arange(count) == count - 1,
        "labels": random.integers(0, 20, (count, SIDE, SIDE)).astype(np.uint8),
    }


EPISODES = [(episode(0, 5), "Go."), (episode(1, 3), "Stop."), (episode(2, 4), "Go.")]


def written(root, sizes=None):
    with EpisodeWriter(root, FPS, FEATURES, "robot", {"seed": 0}, sizes) as writer:
        for number, (steps, task) in enumerate(EPISODES):
            writer.add(steps, task, {"success": number != 1})
        return writer.finish()


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return written(tmp_path_factory.mktemp("lerobot") / "data")


def files(root):
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def frames(path):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path)]
    done = subprocess.run(
        [*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True
    )
    assert done.returncode == 0, done.stderr
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, SIDE, SIDE, 3)


def rows_of(path):
    return parquet.read_table(path).to_pylist()


def test_the_files_are_where_the_format_wants_them(root):
    assert set(files(root)) == {
        "meta/info.json",
        "meta/stats.json",
        "meta/tasks.parquet",
        "meta/hartsim.json",
        "meta/episodes/chunk-000/file-000.parquet",
        "data/chunk-000/file-000.parquet",
        f"videos/{FILM}/chunk-000/file-000.mp4",
    }


def test_info_tells_what_the_published_format_asks_for(root):
    info = json.loads((root / "meta/info.json").read_text())
    expected = {
        "codebase_version": "v3.0",
        "robot_type": "robot",
        "fps": FPS,
        "total_episodes": 3,
        "total_frames": 12,
        "total_tasks": 2,
        "chunks_size": 1000,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "splits": {"train": "0:3"},
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
    }
    features = info.pop("features")
    assert info == expected
    assert features["observation.state"] == {"dtype": "float32", "shape": [2], "names": ["a", "b"]}
    assert features["index"] == {"dtype": "int64", "shape": [1], "names": None}
    assert features[FILM]["shape"] == [SIDE, SIDE, 3]
    assert features[FILM]["info"]["video.codec"] == "h264"
    assert set(features) == {
        *FEATURES,
        *("timestamp", "frame_index", "episode_index", "index", "task_index"),
    }


def test_rows_hold_what_was_given_and_where_they_stand(root):
    rows = rows_of(root / "data/chunk-000/file-000.parquet")
    assert [row["index"] for row in rows] == list(range(12))
    assert [row["episode_index"] for row in rows] == [0] * 5 + [1] * 3 + [2] * 4
    assert [row["frame_index"] for row in rows[4:9]] == [4, 0, 1, 2, 0]
    assert [row["task_index"] for row in rows] == [0] * 5 + [1] * 3 + [0] * 4
    assert rows[7]["timestamp"] == pytest.approx(0.2)
    assert [row["next.done"] for row in rows[3:6]] == [False, True, False]
    steps = EPISODES[1][0]
    assert rows[6]["observation.state"] == steps["observation.state"][1].tolist()
    assert rows[6]["action"] == steps["action"][1]
    assert np.array_equal(rows[6]["labels"], steps["labels"][1])


def test_episodes_say_where_their_rows_and_pictures_are(root):
    rows = rows_of(root / "meta/episodes/chunk-000/file-000.parquet")
    assert [row["episode_index"] for row in rows] == [0, 1, 2]
    assert [row["tasks"] for row in rows] == [["Go."], ["Stop."], ["Go."]]
    assert [row["length"] for row in rows] == [5, 3, 4]
    assert [row["dataset_from_index"] for row in rows] == [0, 5, 8]
    assert [row["dataset_to_index"] for row in rows] == [5, 8, 12]
    assert [row[f"videos/{FILM}/from_timestamp"] for row in rows] == [0, 0.5, 0.8]
    assert [row[f"videos/{FILM}/to_timestamp"] for row in rows] == [0.5, 0.8, 1.2]
    assert {row["data/file_index"] for row in rows} == {0}
    assert [row["hartsim/success"] for row in rows] == [True, False, True]
    steps = EPISODES[1][0]["observation.state"]
    assert rows[1]["stats/observation.state/max"] == pytest.approx(steps.max(axis=0).tolist())


def test_tasks_are_indexed_by_their_words(root):
    table = parquet.read_table(root / "meta/tasks.parquet")
    assert table.to_pydict() == {"task_index": [0, 1], "task": ["Go.", "Stop."]}
    assert json.loads(table.schema.metadata[b"pandas"])["index_columns"] == ["task"]


def test_pandas_reads_the_words_of_tasks_as_the_index(root):
    pandas = pytest.importorskip("pandas")
    tasks = pandas.read_parquet(root / "meta/tasks.parquet")
    assert tasks.loc["Stop."].task_index == 1
    assert tasks.iloc[0].name == "Go."


def test_the_video_shows_every_picture_in_its_place(root):
    shown = frames(root / f"videos/{FILM}/chunk-000/file-000.mp4")
    given = np.concatenate([steps[FILM] for steps, _ in EPISODES])
    assert shown.shape == given.shape
    assert np.abs(shown.astype(int) - given).mean(axis=(1, 2, 3)).max() < 3


def test_statistics_of_all_are_those_of_all_steps(root):
    stats = json.loads((root / "meta/stats.json").read_text())
    states = np.concatenate([steps["observation.state"] for steps, _ in EPISODES])
    assert stats["observation.state"]["mean"] == pytest.approx(states.mean(axis=0).tolist())
    assert stats["observation.state"]["count"] == [12]
    pictures = np.concatenate([steps[FILM] for steps, _ in EPISODES]) / 255
    mean = pictures.mean(axis=(0, 1, 2))
    assert np.array(stats[FILM]["mean"]).shape == (3, 1, 1)
    assert np.ravel(stats[FILM]["mean"]) == pytest.approx(mean)
    assert np.ravel(stats[FILM]["std"]) == pytest.approx(pictures.std(axis=(0, 1, 2)))
    assert "labels" not in stats


def test_statistics_by_histogram_are_those_of_the_pixels():
    pictures = np.random.default_rng(0).integers(7, 250, (2, 9, 8, 3)).astype(np.uint8)
    found = picture_stats(histograms(pictures), 2)
    by_hand = number_stats(pictures.reshape(-1, 3))
    for name in ("min", "max", "mean", "std"):
        assert np.ravel(found[name]) * 255 == pytest.approx(by_hand[name])
    for name in ("q01", "q10", "q50", "q90", "q99"):  # of 144 values: those beside lie near
        assert np.ravel(found[name]) * 255 == pytest.approx(by_hand[name], abs=6)
    assert found["count"].tolist() == [2]


def test_equal_episodes_give_equal_bytes(root, tmp_path):
    assert files(written(tmp_path / "again")) == files(root)


def test_full_files_are_followed_by_others(root, tmp_path):
    row_bytes = sum(steps["labels"].nbytes for steps, _ in EPISODES[:2])
    picture = SIDE * SIDE * 3
    sizes = FileSizes(rows_bytes=row_bytes + 900, pictures_bytes=7 * picture)
    other = written(tmp_path / "other", sizes)
    rows = rows_of(other / "meta/episodes/chunk-000/file-000.parquet")
    assert [row["data/file_index"] for row in rows] == [0, 0, 1]
    assert [row[f"videos/{FILM}/file_index"] for row in rows] == [0, 1, 1]
    assert [row[f"videos/{FILM}/from_timestamp"] for row in rows] == [0, 0, 0.3]
    assert len(frames(other / f"videos/{FILM}/chunk-000/file-001.mp4")) == 7
    tables = [parquet.read_table(p) for p in sorted((other / "data").rglob("*.parquet"))]
    assert [len(table) for table in tables] == [8, 4]
    assert tables[1].to_pylist() == rows_of(root / "data/chunk-000/file-000.parquet")[8:]


def test_without_an_end_nothing_stays(tmp_path):
    def interrupted():
        with EpisodeWriter(tmp_path / "data", FPS, FEATURES, "robot") as writer:
            writer.add(*EPISODES[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, sys
from pathlib import Path
from hartsim.dataset.lerobot import EpisodeWriter
from tests.dataset.test_lerobot import EPISODES, FEATURES, FPS
writer = EpisodeWriter(Path(sys.argv[1]), FPS, FEATURES, "robot")
writer.add(*EPISODES[0])
os._exit(9)
"""


def test_what_a_killed_writer_left_is_no_dataset_and_goes_with_the_next(tmp_path):
    project = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "data")], cwd=project)
    assert done.returncode == 9
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".hartsim-")
    written(tmp_path / "data")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_what_another_writer_is_at_is_left_alone(tmp_path):
    with EpisodeWriter(tmp_path / "data", FPS, FEATURES, "robot") as writer:
        writer.add(*EPISODES[0])
        with EpisodeWriter(tmp_path / "data", FPS, FEATURES, "robot"):
            pass
        writer.finish()
    assert (tmp_path / "data/meta/info.json").is_file()


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(DatasetError, match=r"not empty \(it holds 'notes\.txt'\); choose an empty"):
        EpisodeWriter(tmp_path, FPS, FEATURES, "robot")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_empty_folder_is_taken_and_may_be_read_by_all(tmp_path):
    (tmp_path / "data").mkdir()
    before = os.umask(0o022)
    try:
        root = written(tmp_path / "data")
    finally:
        os.umask(before)
    assert root.stat().st_mode & 0o777 == 0o755


def test_a_dataset_without_episodes_is_refused(tmp_path):
    with (
        EpisodeWriter(tmp_path / "data", FPS, FEATURES, "robot") as writer,
        pytest.raises(DatasetError, match="no episode was added"),
    ):
        writer.finish()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"action": np.zeros(5, np.float64)}, r"'action' is float64 \(1,\) a step, must be int64"),
        ({"action": np.zeros((5, 2), int)}, r"'action' is int64 \(2,\) a step"),
        ({"action": np.zeros(4, int)}, "needs as many values of each feature"),
        ({"extra": np.zeros(5)}, "must have"),
        ({FILM: np.zeros((5, SIDE, 16, 3), np.uint8)}, r"must be uint8 \(32, 32, 3\)"),
    ],
)
def test_what_does_not_fit_the_features_is_refused(tmp_path, change, complaint):
    with (
        EpisodeWriter(tmp_path / "data", FPS, FEATURES, "robot") as writer,
        pytest.raises(ValueError, match=complaint),
    ):
        writer.add({**EPISODES[0][0], **change}, "Go.")


def test_features_that_the_format_has_no_room_for_are_refused(tmp_path):
    for name, feature in (
        ("a/b", Feature("float32", (1,))),
        ("timestamp", Feature("float32", (1,))),
    ):
        with pytest.raises(ValueError, match=f"a feature is called '{name}'"):
            EpisodeWriter(tmp_path / "data", FPS, {name: feature}, "robot")
    with pytest.raises(ValueError, match=r"must be \(height, width, 3\)"):
        EpisodeWriter(tmp_path / "data", FPS, {"x": Feature("video", (8, 8))}, "robot")


@pytest.mark.parametrize("library", ["pyarrow", "imageio_ffmpeg"])
def test_a_missing_library_is_told_with_what_brings_it(tmp_path, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ConfigError, match=rf'need {library}: pip install "hartsim\[rl\]"'):
        EpisodeWriter(tmp_path / "data", FPS, FEATURES, "robot")
