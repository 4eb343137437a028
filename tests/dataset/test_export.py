import contextlib
import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools.coco import COCO

from hartsim.dataset.export import export_coco, run_lengths
from hartsim.errors import DatasetError
from hartsim.types import CLASSES, UNKNOWN, Check, Sample
from tests.fakes import SCENARIOS, sample_of, write_dataset

SIZE = 128
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def coco_of(path: Path) -> Any:
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


def decoded(counts: list[int], shape: tuple[int, int]) -> Any:
    bits = np.repeat(np.arange(len(counts)) % 2, counts)
    return bits.reshape(shape, order="F").astype(bool)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_run_lengths_decode_to_the_mask(height: int, width: int, seed: int) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < 0.5
    encoded = run_lengths(mask)
    assert encoded["size"] == [height, width]
    assert (decoded(encoded["counts"], (height, width)) == mask).all()


def test_pycocotools_reads_the_masks_and_boxes_that_the_simulator_gave(tmp_path: Path) -> None:
    samples = [sample_of("backdrop", scenario, size_px=SIZE) for scenario in sorted(SCENARIOS)]
    coco = coco_of(export_coco(write_dataset(tmp_path / "data", samples), tmp_path / "coco"))
    for image, sample in zip(coco.loadImgs(coco.getImgIds()), samples, strict=True):
        found = coco.loadAnns(coco.getAnnIds(image["id"]))
        assert len(found) == len(sample.annotations)
        for entry, item in zip(found, sample.annotations, strict=True):
            np.testing.assert_array_equal(coco.annToMask(entry), item.mask)
            assert tuple(entry["bbox"]) == item.box_px
            assert entry["area"] == item.mask.sum()


def test_categories_are_the_classes_with_the_background_left_free(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "data", [sample_of("backdrop", size_px=SIZE)])
    coco = coco_of(export_coco(root, tmp_path / "coco"))
    names = [item["name"] for item in coco.loadCats(coco.getCatIds())]
    assert (coco.getCatIds()[0], tuple(names)) == (1, CLASSES)
    (child,) = [item for item in coco.anns.values() if item["hazard"]]
    assert (coco.cats[child["category_id"]]["name"], child["kind"]) == ("person", "child")


def test_unknown_pixels_belong_to_no_object_and_are_marked(tmp_path: Path) -> None:
    sample = with_unknown_band(sample_of("repaint", size_px=SIZE))
    coco = coco_of(export_coco(write_dataset(tmp_path / "data", [sample]), tmp_path / "coco"))
    (image,) = coco.imgs.values()
    unknown = decoded(image["unknown"]["counts"], (SIZE, SIZE))
    assert (unknown == (sample.labels == UNKNOWN)).all()
    assert coco.anns
    assert not any((coco.annToMask(entry) & unknown).any() for entry in coco.anns.values())


def with_unknown_band(sample: Sample) -> Sample:
    """The sample with the upper third of the van's pixels unknown."""
    van = sample.annotations[0]
    assert sample.labels is not None
    labels = sample.labels.copy()
    labels[van.box_px[1] : van.box_px[1] + van.box_px[3] // 3] = UNKNOWN
    return dataclasses.replace(sample, labels=labels)


def test_an_object_mostly_unknown_is_left_out(tmp_path: Path) -> None:
    sample = sample_of("repaint", size_px=SIZE)
    van, child = sample.annotations
    sliver = van.mask & (np.cumsum(van.mask).reshape(van.mask.shape) < van.mask.sum() // 3)
    cut = dataclasses.replace(sample, annotations=(dataclasses.replace(van, mask=sliver), child))
    coco = coco_of(export_coco(write_dataset(tmp_path / "data", [cut]), tmp_path / "coco"))
    assert [item["kind"] for item in coco.anns.values()] == ["child"]


def test_views_are_left_out(tmp_path: Path) -> None:
    samples = [sample_of(route, size_px=SIZE) for route in ("view", "texture")]
    coco = coco_of(export_coco(write_dataset(tmp_path / "data", samples), tmp_path / "coco"))
    assert [image["route"] for image in coco.imgs.values()] == ["texture"]


def test_a_dataset_without_true_labels_is_told(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "data", [sample_of("view", size_px=SIZE)])
    with pytest.raises(DatasetError, match="no sample with true labels to export"):
        export_coco(root, tmp_path / "coco")


def test_rejected_samples_are_exported_only_when_asked_for(tmp_path: Path) -> None:
    bad = (Check("painted", False, 0.0, 0.1, "nothing was painted"),)
    samples = [
        dataclasses.replace(sample_of(size_px=SIZE), checks=bad),
        sample_of(index=1, size_px=SIZE),
    ]
    root = write_dataset(tmp_path / "data", samples)
    counts = [
        len(coco_of(export_coco(root, tmp_path / f"coco{asked}", asked)).imgs)
        for asked in (False, True)
    ]
    assert counts == [1, 2]


def test_a_folder_gets_the_pictures_and_a_json_file_points_at_them(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "data", [sample_of(size_px=SIZE)])
    for out in (tmp_path / "coco", tmp_path / "data" / "coco.json"):
        path = export_coco(root, out)
        (image,) = json.loads(path.read_text())["images"]
        original = root / "samples" / image["sample"] / "image.png"
        assert (path.parent / image["file_name"]).read_bytes() == original.read_bytes()


def test_equal_datasets_export_to_equal_bytes(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "data", [sample_of(size_px=SIZE)])
    first = export_coco(root, tmp_path / "a").read_bytes()
    assert export_coco(root, tmp_path / "b").read_bytes() == first


def test_a_file_that_is_no_export_is_not_overwritten(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "data", [sample_of(size_px=SIZE)])
    mine, folder = tmp_path / "mine.json", tmp_path / "folder"
    mine.write_text('{"my": "work"}')
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    for out in (mine, folder):
        with pytest.raises(DatasetError, match="choose an"):
            export_coco(root, out)
    assert mine.read_text() == '{"my": "work"}'
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


def test_an_export_may_be_made_again(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "data", [sample_of(size_px=SIZE)])
    first = export_coco(root, tmp_path / "coco").read_bytes()
    assert export_coco(root, tmp_path / "coco").read_bytes() == first
