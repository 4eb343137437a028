import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hartsim.errors import HartSimError
from hartsim.images import (
    captioned,
    composite,
    contact_sheet,
    decode_image,
    decode_map,
    encode_jpeg,
    encode_png,
    read_image,
    read_map,
    resize,
)

SIZES = st.tuples(st.integers(1, 9), st.integers(1, 9))
IMAGES = SIZES.flatmap(lambda size: arrays(np.uint8, (*size, 3)))
MAPS = SIZES.flatmap(lambda size: arrays(np.uint16, size) | arrays(np.uint8, size))


@given(IMAGES)
def test_a_png_gives_back_every_pixel_of_an_image(image):
    assert np.array_equal(decode_image(encode_png(image)), image)


@given(MAPS)
def test_a_png_gives_back_every_id_of_a_map(values):
    decoded = decode_map(encode_png(values))
    assert decoded.dtype == values.dtype
    assert np.array_equal(decoded, values)


def test_a_mask_is_stored_as_black_and_white():
    mask = np.array([[True, False]])
    assert decode_map(encode_png(mask)).tolist() == [[255, 0]]


def test_files_hold_red_first():
    red = np.zeros((2, 2, 3), np.uint8) + np.array([255, 0, 0], np.uint8)
    assert decode_image(encode_png(red))[0, 0].tolist() == [255, 0, 0]
    assert decode_image(encode_jpeg(red))[0, 0, 0] > 240


def test_a_missing_picture_is_named(tmp_path):
    with pytest.raises(HartSimError, match=r"none\.png: No such file"):
        read_image(tmp_path / "none.png")


@pytest.mark.parametrize("data", [b"", b"not a picture", encode_png(np.eye(9, dtype=bool))[:40]])
def test_a_damaged_picture_is_named(tmp_path, data):
    (tmp_path / "broken.png").write_bytes(data)
    with pytest.raises(HartSimError, match=r"broken\.png: not a readable picture"):
        read_image(tmp_path / "broken.png")


def test_a_colour_picture_is_no_map(tmp_path):
    (tmp_path / "labels.png").write_bytes(encode_png(np.zeros((2, 2, 3), np.uint8)))
    with pytest.raises(HartSimError, match=r"labels\.png: not a readable map of one channel"):
        read_map(tmp_path / "labels.png")


@given(IMAGES, SIZES)
def test_resizing_gives_the_size_and_stays_in_range(image, size):
    resized = resize(image, size)
    assert resized.shape == (*size, 3)
    assert resized.dtype == np.uint8


def test_an_image_of_the_right_size_is_left_alone():
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert resize(image, (2, 2)) is image


@given(st.data(), SIZES)
def test_a_composite_shows_above_exactly_where_the_mask_is_true(data, size):
    below, above = (data.draw(arrays(np.uint8, (*size, 3))) for _ in range(2))
    mask = data.draw(arrays(np.bool_, size))
    shown = composite(below, above, mask)
    assert np.array_equal(shown[mask], above[mask])
    assert np.array_equal(shown[~mask], below[~mask])


def test_a_mask_of_another_size_is_refused():
    image = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match=r"mask is \(2, 2\)"):
        composite(image, image, np.ones((2, 2), bool))


def test_a_contact_sheet_lays_images_out_in_rows():
    images = [np.full((2, 3, 3), value, np.uint8) for value in (50, 100, 150)]
    sheet = contact_sheet(images, columns=2, gap_px=1)
    assert sheet.shape == (7, 9, 3)
    assert [sheet[1, 1, 0], sheet[1, 5, 0], sheet[4, 1, 0]] == [50, 100, 150]


def test_a_contact_sheet_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one image"):
        contact_sheet([], columns=2)


def test_a_caption_stands_below_the_picture_and_leaves_it_as_it_is():
    image = np.full((40, 60, 3), 200, np.uint8)
    taller = captioned(image, "a deer", bar_px=16)
    assert taller.shape == (56, 60, 3)
    assert np.array_equal(taller[:40], image)
    assert (taller[40:] > 150).any()
