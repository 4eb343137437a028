import dataclasses
import json
import os
import resource
import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from hartsim.dataset.durable import plain
from hartsim.dataset.files import encode_depth
from hartsim.dataset.reader import verify
from hartsim.dataset.writer import DatasetWriter, merge
from hartsim.errors import DatasetError
from tests.fakes import REQUEST, sample_of, write_dataset

PROJECT = Path(__file__).parents[2]
SIZE = 64


def contents(root: Path) -> dict[str, bytes]:
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def visible(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir() if path.name != ".hartsim-lock")


def test_a_sample_lies_in_its_own_folder_with_every_file_of_its_route(tmp_path: Path) -> None:
    sample = sample_of("repaint", size_px=SIZE)
    write_dataset(tmp_path, [sample])
    names = {path.name for path in (tmp_path / "samples" / sample.id).iterdir()}
    pictures = {f"{name}.png" for name in ("image", "frame", "labels", "instances", "mask")}
    assert names == {*pictures, "depth.npz", "sample.json"}


def test_a_view_has_no_pixels_but_its_own(tmp_path: Path) -> None:
    sample = sample_of("view", size_px=SIZE)
    write_dataset(tmp_path, [sample])
    names = {path.name for path in (tmp_path / "samples" / sample.id).iterdir()}
    assert names == {"image.png", "sample.json"}


def test_a_texture_sample_keeps_each_texture_and_how_it_was_made(tmp_path: Path) -> None:
    sample = sample_of("texture", size_px=SIZE)
    write_dataset(tmp_path, [sample])
    folder = tmp_path / "samples" / sample.id
    data = json.loads((folder / "sample.json").read_text())
    assert {"texture_facade_a.png", "texture_road.png"} <= {path.name for path in folder.iterdir()}
    assert data["textures"]["road"]["prompt"] == "road texture"


def test_equal_samples_make_equal_datasets_but_for_the_timings(tmp_path: Path) -> None:
    for name, seconds in (("a", 0.5), ("b", 9.0)):
        samples = [sample_of(route, size_px=SIZE, seconds=seconds) for route in ("repaint", "view")]
        write_dataset(tmp_path / name, samples)
    a, b = contents(tmp_path / "a"), contents(tmp_path / "b")
    differing = {name.split("/")[-1] for name in a if a[name] != b[name]}
    assert set(a) == set(b)
    assert differing == {"sample.json"}


def test_the_manifest_lists_samples_in_sorted_order_without_timings(tmp_path: Path) -> None:
    write_dataset(tmp_path, [sample_of(index=index, size_px=SIZE) for index in (2, 0, 1)])
    lines = (tmp_path / "manifest.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    assert [entry["index"] for entry in entries] == [0, 1, 2]
    assert not any("timings_s" in entry for entry in entries)


def test_shards_merge_to_the_dataset_of_one_run(tmp_path: Path) -> None:
    samples = [sample_of(index=index, size_px=SIZE) for index in range(4)]
    whole = write_dataset(tmp_path / "whole", samples)
    shards = [write_dataset(tmp_path / "shards" / str(i), samples[i::2]) for i in range(2)]
    merge(shards, tmp_path / "by_list")
    merge([tmp_path / "shards"], tmp_path / "by_folder")
    assert contents(whole) == contents(tmp_path / "by_list") == contents(tmp_path / "by_folder")


def test_shards_of_different_requests_do_not_merge(tmp_path: Path) -> None:
    write_dataset(tmp_path / "a", [sample_of(size_px=SIZE)])
    write_dataset(tmp_path / "b", [], REQUEST | {"seed": 2})
    with pytest.raises(DatasetError, match="seed is 2 there and 1 here"):
        merge([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_shards_that_disagree_about_a_sample_do_not_merge(tmp_path: Path) -> None:
    sample = sample_of(size_px=SIZE)
    write_dataset(tmp_path / "a", [sample])
    write_dataset(tmp_path / "b", [dataclasses.replace(sample, drawn={"x": 1})])
    with pytest.raises(DatasetError, match="differ but have one id"):
        merge([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_left_of_a_sample_is_made_anew(tmp_path: Path) -> None:
    sample = sample_of(size_px=SIZE)
    write_dataset(tmp_path, [sample])
    whole = contents(tmp_path)
    (tmp_path / "samples" / sample.id / "sample.json").unlink()
    write_dataset(tmp_path, [sample])
    assert contents(tmp_path) == whole


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(DatasetError, match="it holds 'thesis"):
        DatasetWriter(tmp_path, REQUEST)
    assert contents(tmp_path) == {"thesis.tex": b"precious"}


def test_another_request_is_refused_with_what_differs(tmp_path: Path) -> None:
    write_dataset(tmp_path, [])
    other = {**REQUEST, "scenarios": {"child_behind_van": "0ther"}, "views": 2}
    with pytest.raises(DatasetError) as caught:
        DatasetWriter(tmp_path, other)
    assert 'scenarios.child_behind_van is "5ce4a810" there and "0ther" here' in str(caught.value)
    assert "views is absent there and 2 here" in str(caught.value)


def test_a_finished_dataset_written_again_changes_no_file(tmp_path: Path) -> None:
    samples = [sample_of(index=index, size_px=SIZE) for index in range(2)]
    write_dataset(tmp_path, samples)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*") if path.is_file()}
    with DatasetWriter(tmp_path, REQUEST) as writer:
        assert all(writer.has(sample.id) for sample in samples)
        writer.finish()
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_a_sample_that_is_there_is_kept(tmp_path: Path) -> None:
    write_dataset(tmp_path, [sample_of(size_px=SIZE, seconds=1.0)])
    before = contents(tmp_path)
    write_dataset(tmp_path, [sample_of(size_px=SIZE, seconds=2.0)])
    assert contents(tmp_path) == before


ENDLESS = """
import sys
from pathlib import Path
from tests.fakes import REQUEST, DatasetWriter, sample_of
writer = DatasetWriter(Path(sys.argv[1]), REQUEST)
for index in range(10_000):
    writer.add(sample_of(index=index, size_px=64))
    print(index, flush=True)
"""


def killed_run(root: Path, after: int) -> None:
    """Start a writer and kill it some time after it has written `after` samples."""
    script = [sys.executable, "-c", ENDLESS, str(root)]
    with subprocess.Popen(script, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for _ in range(after):
            process.stdout.readline()
        process.kill()


def test_killed_runs_leave_whole_samples_only(tmp_path: Path) -> None:
    for after in (1, 3):
        killed_run(tmp_path, after)
    write_dataset(tmp_path, [])
    count = len(list((tmp_path / "samples").iterdir()))
    assert count >= 3
    assert verify(tmp_path) == []
    write_dataset(tmp_path / "alone", [sample_of(index=i, size_px=SIZE) for i in range(count)])
    assert contents(tmp_path / "samples") == contents(tmp_path / "alone" / "samples")


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    killed_run(tmp_path, 1)
    (tmp_path / ".hartsim-9-hartsim.json").write_text("half a mark")
    assert len(visible(tmp_path)) == 4
    write_dataset(tmp_path, [])
    assert visible(tmp_path) == ["hartsim.json", "manifest.jsonl", "samples"]


def test_a_living_writer_keeps_its_unfinished_files_when_another_starts(tmp_path: Path) -> None:
    with DatasetWriter(tmp_path, REQUEST) as first:
        with DatasetWriter(tmp_path, REQUEST) as second:
            second.add(sample_of(index=1, size_px=SIZE))
        first.add(sample_of(index=0, size_px=SIZE))
        first.finish()
    assert len((tmp_path / "manifest.jsonl").read_text().splitlines()) == 2
    assert visible(tmp_path) == ["hartsim.json", "manifest.jsonl", "samples"]


def write_shard(root: Path, indices: list[int]) -> None:
    write_dataset(root, [sample_of(index=index, size_px=SIZE) for index in indices])


def test_writers_in_several_processes_share_a_folder(tmp_path: Path) -> None:
    write_dataset(tmp_path / "alone", [sample_of(index=i, size_px=SIZE) for i in range(4)])
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(write_shard, [tmp_path / "shared"] * 2, [[0, 1, 2], [2, 3, 0]]))
    assert contents(tmp_path / "shared") == contents(tmp_path / "alone")


def test_a_file_that_cannot_be_written_whole_leaves_nothing(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with DatasetWriter(tmp_path, REQUEST) as writer:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        try:
            with pytest.raises(DatasetError, match="repaint-front: File too large"):
                writer.add(sample_of(size_px=SIZE))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list((tmp_path / "samples").iterdir()) == []
    assert visible(tmp_path) == ["hartsim.json", "samples"]


FILLS = """
import subprocess, sys
from pathlib import Path
from tests.fakes import REQUEST, DatasetWriter, sample_of
from hartsim.errors import DatasetError
root = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(root)], check=True)
with DatasetWriter(root, REQUEST) as writer:
    try:
        writer.add(sample_of(size_px=128))
    except DatasetError as error:
        print(error)
print(*(path.name for path in (root / "samples").iterdir()))
"""


def test_a_full_disk_is_one_clear_line_and_nothing_is_left(tmp_path: Path) -> None:
    if not shutil.which("unshare"):
        pytest.skip("needs unshare to mount a small disk")
    script = ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-c", FILLS]
    done = subprocess.run([*script, str(tmp_path)], cwd=PROJECT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"cannot mount a small disk here: {done.stderr.splitlines()[-1]}")
    line, left = done.stdout.split("\n")[:2]
    assert line.endswith("the disk is full; free some space and run the same command again")
    assert left == ""


def test_a_dataset_cannot_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(DatasetError, match="a part of this path is a file"):
        DatasetWriter(tmp_path / "out", REQUEST)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(DatasetError, match="no permission to write here"):
        DatasetWriter(tmp_path / "out", REQUEST)


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    sample = dataclasses.replace(sample_of(size_px=SIZE), mask=np.zeros((8, 8), np.bool_))
    with DatasetWriter(tmp_path, REQUEST) as writer, pytest.raises(ValueError, match="mask is"):
        writer.add(sample)


def test_a_view_with_labels_is_refused(tmp_path: Path) -> None:
    labels = np.zeros((SIZE, SIZE), np.uint8)
    sample = dataclasses.replace(sample_of("view", size_px=SIZE), labels=labels)
    with DatasetWriter(tmp_path, REQUEST) as writer, pytest.raises(ValueError, match="no pixels"):
        writer.add(sample)


def test_an_id_that_leaves_the_dataset_is_refused(tmp_path: Path) -> None:
    sample = dataclasses.replace(sample_of(size_px=SIZE), id="../escape")
    with DatasetWriter(tmp_path, REQUEST) as writer, pytest.raises(ValueError, match="escape"):
        writer.add(sample)


def test_depth_archives_carry_no_date(tmp_path: Path) -> None:
    path = tmp_path / "depth.npz"
    path.write_bytes(encode_depth(np.ones((4, 4), np.float32)))
    assert [entry.date_time[0] for entry in zipfile.ZipFile(path).infolist()] == [1980]


def test_plain_data_survives_json_even_where_it_is_infinite() -> None:
    value = {"visibility_m": np.inf, "size": (np.int64(2), np.float32(0.5)), "name": None}
    stored = json.loads(json.dumps(plain(value), allow_nan=False))
    assert stored == {"visibility_m": "inf", "size": [2, 0.5], "name": None}


def test_data_that_is_not_plain_is_refused() -> None:
    with pytest.raises(TypeError, match="not plain data"):
        plain({"model": object()})
