import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco_mask

from hartsim.dataset.coco import mask_of, read_coco
from hartsim.dataset.export import export_coco, run_lengths
from hartsim.errors import DatasetError
from hartsim.images import encode_png
from hartsim.types import UNKNOWN
from tests.fakes import sample_of, write_dataset

HEIGHT, WIDTH = 12, 16
SIZE = HEIGHT, WIDTH
CATEGORIES = [{"id": 1, "name": "person"}, {"id": 2, "name": "sky"}]
MASKS = arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12)))
NUMBERS = st.one_of(st.integers(-20, 40), st.floats(-20, 40))
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def image(number: int = 1, name: str = "a.png", **more: Any) -> dict[str, Any]:
    return {"id": number, "file_name": name, "height": HEIGHT, "width": WIDTH, **more}


def annotation(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": number, "image_id": 1, "category_id": 1, "bbox": [2, 3, 4, 5], **more}


def coco_folder(root: Path, **changed: Any) -> Path:
    """A folder of one picture and one annotation, with some of its lists changed."""
    data = {"images": [image()], "annotations": [annotation()], "categories": CATEGORIES}
    root.mkdir(exist_ok=True)
    (root / "a.png").write_bytes(encode_png(np.zeros((*SIZE, 3), np.uint8)))
    (root / "annotations.json").write_text(json.dumps({**data, **changed}))
    return root


def shape(segmentation: Any) -> dict[str, Any]:
    return {"id": 1, "segmentation": segmentation, "bbox": [0, 0, 1, 1]}


# Masks


@given(MASKS)
def test_run_lengths_plain_and_compressed_give_back_the_mask(mask: Any) -> None:
    compressed = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    runs = {"size": list(mask.shape), "counts": compressed["counts"].decode()}
    for segmentation in (run_lengths(mask), runs):
        decoded = mask_of(shape(segmentation), mask.shape)
        assert np.array_equal(decoded, mask)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=9))
def test_a_polygon_has_every_pixel_that_pycocotools_gives_it(corners: Any) -> None:
    polygon = [float(number) for corner in corners for number in corner]
    theirs = coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects([polygon], HEIGHT, WIDTH)))
    ours = mask_of(shape([polygon]), SIZE)
    assert ours is not None
    assert not (theirs.astype(bool) & ~ours).any()


def test_a_polygon_has_at_most_two_more_pixels_on_each_side() -> None:
    mask = mask_of(shape([[4, 3, 10, 3, 10, 8, 4, 8]]), SIZE)
    assert mask is not None
    rows, columns = np.nonzero(mask)
    assert 1 <= rows.min() <= 3
    assert 7 <= rows.max() <= 9
    assert 2 <= columns.min() <= 4
    assert 9 <= columns.max() <= 11


def test_an_object_of_several_polygons_has_the_pixels_of_all() -> None:
    parts = [[1, 1, 3, 1, 3, 3], [10, 5, 14, 5, 14, 9]]
    both, first, second = (mask_of(shape(each), SIZE) for each in (parts, parts[:1], parts[1:]))
    assert first is not None
    assert second is not None
    assert np.array_equal(both, first | second)


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        ([2, 3, 4, 5], range(3, 8), range(2, 6)),
        ([2.5, 3.5, 1.0, 0.2], range(3, 4), range(2, 4)),
        ([-3, -2, 5, 4], range(0, 2), range(0, 2)),
        ([10, 8, 100, 100], range(8, 12), range(10, 16)),
        ([40, 40, 5, 5], range(0), range(0)),
        ([-9, 2, 4, 4], range(0), range(0)),
        ([5, 5, 0, 3], range(0), range(0)),
        ([5, 5, -2, 3], range(0), range(0)),
    ],
)
def test_a_box_has_the_pixels_it_touches(box: Any, rows: range, columns: range) -> None:
    wanted = np.zeros(SIZE, bool)
    wanted[rows.start : rows.stop, columns.start : columns.stop] = True
    assert np.array_equal(mask_of({"id": 1, "bbox": box, "segmentation": []}, SIZE), wanted)


@pytest.mark.parametrize("more", [{}, {"segmentation": [], "bbox": []}, {"caption": "a street"}])
def test_what_has_no_shape_has_no_mask(more: Any) -> None:
    assert mask_of({"id": 1, **more}, SIZE) is None


# Folders


def test_an_export_of_ours_reads_back(tmp_path: Path) -> None:
    sample = sample_of("repaint", size_px=128)
    export_coco(write_dataset(tmp_path / "data", [sample]), tmp_path / "coco")
    (picture,) = read_coco(tmp_path / "coco").pictures
    assert np.array_equal(picture.unknown, sample.labels == UNKNOWN)
    for entry, item in zip(picture.annotations, sample.annotations, strict=True):
        assert np.array_equal(mask_of(entry, picture.size_px), item.mask)


@pytest.mark.parametrize("place", ["", "images", "train2017", "images/train2017", "annotations"])
def test_pictures_are_found_where_sets_have_them(tmp_path: Path, place: str) -> None:
    root = coco_folder(tmp_path / "set")
    for folder in (root / "annotations", root / place):
        folder.mkdir(parents=True, exist_ok=True)
    (root / "annotations.json").rename(root / "annotations" / "instances_train2017.json")
    (root / "a.png").rename(root / place / "a.png")
    assert read_coco(root).pictures[0].path == root / place / "a.png"


def test_one_of_several_annotation_files_must_be_named(tmp_path: Path) -> None:
    root = coco_folder(tmp_path / "set")
    (root / "annotations").mkdir()
    (root / "annotations.json").rename(root / "annotations" / "instances_train.json")
    (root / "annotations" / "instances_val.json").write_text("{}")
    with pytest.raises(DatasetError, match=r"several .* \(instances_train\.json, .* --annotations"):
        read_coco(root)
    assert read_coco(root, root / "annotations" / "instances_train.json").pictures


@pytest.mark.parametrize("place", ["", "annotations"])
def test_an_annotation_file_is_found_by_its_name_alone(tmp_path: Path, place: str) -> None:
    root = coco_folder(tmp_path / "set")
    (root / place).mkdir(exist_ok=True)
    (root / "annotations.json").rename(root / place / "mine.json")
    assert read_coco(root, Path("mine.json")).source == root / place / "mine.json"


def test_a_file_name_may_go_up_within_the_folder(tmp_path: Path) -> None:
    root = coco_folder(tmp_path / "set", images=[image(name="b/../a.png")])
    (root / "b").mkdir()
    assert read_coco(root).pictures[0].path.samefile(root / "a.png")


def test_a_folder_without_annotations_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"neither annotations\.json nor annotations/instances_"):
        read_coco(tmp_path)
    with pytest.raises(DatasetError, match="none: no such folder"):
        read_coco(tmp_path / "none")
    with pytest.raises(DatasetError, match=r"mine\.json: No such file"):
        read_coco(tmp_path, tmp_path / "mine.json")


def test_broken_json_is_told(tmp_path: Path) -> None:
    (tmp_path / "annotations.json").write_text('{"images": [')
    with pytest.raises(DatasetError, match=r"annotations\.json: not valid JSON"):
        read_coco(tmp_path)


def test_a_missing_picture_is_named_with_the_places_looked_in(tmp_path: Path) -> None:
    root = coco_folder(tmp_path / "set", images=[image(name="b/none.png")])
    (root / "images").mkdir()
    with pytest.raises(DatasetError) as caught:
        read_coco(root)
    assert str(caught.value) == (
        f"{root}/annotations.json: image 1: no file 'b/none.png' in {root}, {root}/images"
    )


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"images": None}, "no list 'images'"),
        ({"annotations": {}}, "no list 'annotations'"),
        ({"categories": None}, "no list 'categories'"),
        ({"images": []}, "its list of images is empty"),
        ({"images": [7]}, "images: 7 has no whole number as id"),
        ({"images": [image("x")]}, "has no whole number as id"),  # type: ignore[arg-type]
        ({"images": [image(), image()]}, "images: id 1 is there twice"),
        ({"annotations": [annotation(3), annotation(3)]}, "annotations: id 3 is there twice"),
        ({"categories": CATEGORIES * 2}, "categories: id 1 is there twice"),
        ({"images": [image(name="")]}, "image 1: file_name is '', must name a picture"),
        ({"images": [image(name="/a.png")]}, "image 1: file_name is '/a.png', must lie within"),
        ({"images": [image(name="b/../../a.png")]}, "image 1: file_name is 'b/../../a.png', must"),
        ({"images": [image(width=0)]}, "image 1: width is 0, must be a number of pixels"),
        ({"images": [image(height="9")]}, "image 1: height is '9', must be a number of pixels"),
        ({"images": [image(unknown=3)]}, "image 1: unknown: 3 is no run lengths of size [12, 16]"),
    ],
)
def test_a_broken_list_is_told(tmp_path: Path, changed: Any, complaint: str) -> None:
    with pytest.raises(DatasetError) as caught:
        read_coco(coco_folder(tmp_path / "set", **changed))
    assert str(caught.value).startswith(f"{tmp_path / 'set' / 'annotations.json'}: ")
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"image_id": 9}, "image_id is 9, which the set does not have"),
        ({"image_id": [1]}, "image_id is [1], which the set does not have"),
        ({"category_id": 9}, "category_id is 9, which the set does not have"),
        ({"category_id": None}, "category_id is None, which the set does not have"),
        ({"segments_info": []}, "panoptic segments; take the set's file of instances"),
        ({"bbox": [1, 2, 3]}, "bbox [1, 2, 3] is not column, row, width and height"),
        ({"bbox": [1, 2, 3, "4"]}, "bbox holds '4', which is no number of pixels"),
        ({"bbox": [1, 2, 3, 1e9]}, "bbox holds 1000000000.0, which is no"),
        ({"bbox": [1, 2, 3, float("nan")]}, "bbox holds nan, which is no number of pixels"),
        (
            {"segmentation": [[float("nan")] * 80]},
            "polygon holds nan, which is no number of pixels",
        ),
        ({"iscrowd": 2}, "iscrowd is 2, must be 0 or 1"),
        ({"iscrowd": "no"}, "iscrowd is 'no', must be 0 or 1"),
        ({"iscrowd": [1]}, "iscrowd is [1], must be 0 or 1"),
        ({"segmentation": "P"}, "segmentation 'P' is no list of polygons"),
        ({"segmentation": [1, 2, 3, 4, 5, 6]}, "polygon 1 is no list of pixels"),
        ({"segmentation": [[1, 2, 3, 4]]}, "a polygon of 4 numbers, must be column and row of at"),
        ({"segmentation": [[1, 2, 3, 4, 5, 6, 7]]}, "a polygon of 7 numbers"),
        ({"segmentation": {"counts": [192]}}, "is no run lengths of size [12, 16]"),
        ({"segmentation": {"size": [16, 12], "counts": [192]}}, "no run lengths of size [12, 16]"),
        ({"segmentation": {"size": [12, 16], "counts": [-1, 193]}}, "are no run lengths"),
        ({"segmentation": {"size": [12, 16], "counts": [1.5, 190.5]}}, "are no run lengths"),
        ({"segmentation": {"size": [12, 16]}}, "counts None are no run lengths"),
        (
            {"segmentation": {"size": [12, 16], "counts": [3, 4]}},
            "its run lengths are of 7 pixels, its picture has 192",
        ),
        (
            {"segmentation": {"size": [12, 16], "counts": "5"}},
            "its run lengths are of 5 pixels, its picture has 192",
        ),
    ],
)
def test_a_broken_annotation_is_told(tmp_path: Path, changed: Any, complaint: str) -> None:
    with pytest.raises(DatasetError) as caught:
        read_coco(coco_folder(tmp_path / "set", annotations=[{**annotation(5), **changed}]))
    assert str(caught.value).startswith(f"{tmp_path / 'set' / 'annotations.json'}: annotation 5: ")
    assert complaint in str(caught.value)
