import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hartsim.dataset.reader import read_record, read_samples, verify
from hartsim.dataset.writer import DatasetWriter
from hartsim.errors import DatasetError
from hartsim.types import ROUTES, Points, Route, Sample
from tests.fakes import sample_of, write_dataset

SIZE = 64


def written(root: Path, route: Route = "repaint") -> tuple[Sample, Path]:
    sample = sample_of(route, size_px=SIZE)
    return sample, write_dataset(root, [sample]) / "samples" / sample.id


@pytest.mark.parametrize("route", ROUTES)
def test_what_is_read_is_what_was_written(route: Route, tmp_path: Path) -> None:
    sample, folder = written(tmp_path, route)
    record = read_record(folder)
    for name in ("id", "route", "scenario", "index", "seed", "camera", "checks", "drawn", "tags"):
        assert getattr(record, name) == getattr(sample, name), name
    assert [item.instance for item in record.annotations] == [
        item.instance for item in sample.annotations
    ]
    assert (record.image() == sample.render.image).all()


def test_maps_come_back_bit_for_bit(tmp_path: Path) -> None:
    sample, folder = written(tmp_path)
    record, frame = read_record(folder), sample.frame
    assert frame is not None
    np.testing.assert_array_equal(record.frame(), frame.image)
    np.testing.assert_array_equal(record.labels(), sample.labels)
    np.testing.assert_array_equal(record.instances(), frame.instances)
    np.testing.assert_array_equal(record.mask(), sample.mask)


def test_depth_comes_back_within_half_a_part_in_a_thousand(tmp_path: Path) -> None:
    sample, folder = written(tmp_path)
    assert sample.frame is not None
    np.testing.assert_allclose(read_record(folder).depth_m(), sample.frame.depth_m, rtol=5e-4)


def test_lidar_points_come_back_bit_for_bit(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(size=(70, 4)).astype(np.float32)
    sample = with_lidar(sample_of(), points)
    with DatasetWriter(tmp_path, {}) as writer:
        found = read_record(writer.add(sample)).lidar()
    np.testing.assert_array_equal(found, points)


def test_a_sample_without_a_lidar_has_no_points(tmp_path: Path) -> None:
    assert read_record(written(tmp_path)[1]).lidar() is None


def test_points_of_another_shape_are_refused(tmp_path: Path) -> None:
    sample = with_lidar(sample_of(), np.zeros((70, 3), np.float32))
    with (
        DatasetWriter(tmp_path, {}) as writer,
        pytest.raises(ValueError, match=r"lidar is \(70, 3\)"),
    ):
        writer.add(sample)


def with_lidar(sample: Sample, points: Points) -> Sample:
    assert sample.frame is not None
    return replace(sample, frame=replace(sample.frame, lidar=points))


def test_the_camera_projects_as_it_did(tmp_path: Path) -> None:
    sample, folder = written(tmp_path)
    camera, point = read_record(folder).calibration, np.array([[12.0, 1.0, 0.5]])
    assert sample.frame is not None
    assert camera is not None
    assert (camera.project(point) == sample.frame.camera.project(point)).all()


def test_a_view_has_neither_frame_nor_labels_nor_depth(tmp_path: Path) -> None:
    record = read_record(written(tmp_path, "view")[1])
    assert record.frame() is record.labels() is record.mask() is record.depth_m() is None


def test_textures_come_back_by_surface(tmp_path: Path) -> None:
    sample, folder = written(tmp_path, "texture")
    record = read_record(folder)
    for surface, paint in sample.textures.items():
        assert (record.texture(surface) == paint.image).all()


def test_samples_are_read_in_sorted_order(tmp_path: Path) -> None:
    write_dataset(tmp_path, [sample_of(index=index, size_px=SIZE) for index in (1, 0)])
    assert [record.index for record in read_samples(tmp_path)] == [0, 1]


def test_a_folder_that_is_no_dataset_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"not a hartsim dataset: it has no hartsim\.json"):
        read_samples(tmp_path)


def test_a_dataset_of_a_later_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hartsim.json").write_text('{"format": 2}')
    with pytest.raises(DatasetError, match="format 2; this hartsim reads format 1"):
        read_samples(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"route": "sideways"}, "route is 'sideways', not one of view, texture"),
        ({"index": "three"}, "index is 'three', which is no int"),
        ({"id": "other"}, "id is 'other', its folder is named"),
        ({"size_px": [1]}, "not enough values"),
    ],
)
def test_a_broken_record_is_named_with_its_fault(
    change: dict[str, object], message: str, tmp_path: Path
) -> None:
    path = written(tmp_path)[1] / "sample.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(DatasetError, match=message) as caught:
        list(read_samples(tmp_path))
    assert str(path) in str(caught.value)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    path = written(tmp_path)[1] / "sample.json"
    data = json.loads(path.read_text())
    del data["prompt"]
    path.write_text(json.dumps(data))
    with pytest.raises(DatasetError, match="no key 'prompt'"):
        list(read_samples(tmp_path))


@pytest.mark.parametrize("name", ["image", "labels", "depth_m"])
def test_a_truncated_file_is_named_with_its_sample(name: str, tmp_path: Path) -> None:
    sample, folder = written(tmp_path)
    path = folder / {"depth_m": "depth.npz"}.get(name, f"{name}.png")
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(DatasetError) as caught:
        getattr(read_record(folder), name)()
    assert sample.id in str(caught.value)
    assert path.name in str(caught.value)


def test_a_picture_of_another_size_is_named(tmp_path: Path) -> None:
    _, folder = written(tmp_path / "a")
    other = sample_of(size_px=32)
    write_dataset(tmp_path / "b", [other])
    small = tmp_path / "b" / "samples" / other.id / "labels.png"
    (folder / "labels.png").write_bytes(small.read_bytes())
    with pytest.raises(DatasetError, match=r"labels\.png is 32x32, its sample.json says 64x64"):
        read_record(folder).labels()


def test_an_untouched_dataset_verifies(tmp_path: Path) -> None:
    write_dataset(tmp_path, [sample_of(route, size_px=SIZE) for route in ROUTES])
    assert verify(tmp_path) == []


def test_every_damaged_or_missing_file_is_found(tmp_path: Path) -> None:
    _, folder = written(tmp_path)
    (folder / "mask.png").unlink()
    (folder / "image.png").write_bytes(b"\x00" + (folder / "image.png").read_bytes()[1:])
    problems = verify(tmp_path)
    assert [line.split(": ")[1] for line in problems] == [
        "its bytes are not those that were written",
        "missing",
    ]


def test_a_stale_manifest_is_found(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "manifest.jsonl").write_text("")
    assert verify(tmp_path) == [
        f"{tmp_path / 'manifest.jsonl'}: does not match the samples; "
        "generate or merge again to renew it"
    ]


def test_a_sample_without_its_record_is_found(tmp_path: Path) -> None:
    _, folder = written(tmp_path)
    (folder / "sample.json").unlink()
    assert verify(tmp_path) == [f"{folder}: has no sample.json; delete it and generate again"]
