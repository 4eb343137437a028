import struct
import zlib

import cv2
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
    fade_in,
    grow,
    polygon_mask,
    read_as_annotated,
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


PICTURE = np.random.default_rng(1).integers(0, 256, (6, 9, 3), np.uint8)


def turned(jpeg: bytes, orientation: int) -> bytes:
    """The JPEG with an EXIF tag that says how to turn it."""
    tag = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    exif = b"Exif\0\0" + struct.pack("<2sHIH", b"II", 42, 8, 1) + tag + bytes(4)
    return jpeg[:2] + struct.pack(">HH", 0xFFE1, len(exif) + 2) + exif + jpeg[2:]


def palette_png(colours: bytes, indices: np.ndarray) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    height, width = indices.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in indices)
    chunks = {b"IHDR": header, b"PLTE": colours, b"IDAT": zlib.compress(rows), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks.items())


FRAME_OF_4 = b"\xff\xc0\0\x14\x08" + struct.pack(">HHB", 6, 9, 4) + bytes(12)
"""A JPEG's header of a frame with four channels."""


def stored(tmp_path, data):
    (tmp_path / "a").write_bytes(data)
    return tmp_path / "a"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_read_as_stored_where_that_is_what_was_annotated(tmp_path, orientation):
    path = stored(tmp_path, turned(encode_jpeg(PICTURE), orientation))
    assert np.array_equal(read_as_annotated(path, (6, 9)), decode_image(encode_jpeg(PICTURE)))


def test_a_picture_is_turned_where_only_that_is_what_was_annotated(tmp_path):
    upright = np.rot90(decode_image(encode_jpeg(PICTURE)), -1)
    path = stored(tmp_path, turned(encode_jpeg(PICTURE), 6))
    assert np.array_equal(read_as_annotated(path, (9, 6)), upright)


def test_grey_and_palette_and_opaque_pictures_are_read_exactly(tmp_path):
    grey, colours = PICTURE[..., 0], PICTURE[:3].reshape(-1, 3)
    indices = (grey % len(colours)).astype(np.uint8)
    opaque = np.dstack([PICTURE[..., ::-1], np.full_like(grey, 255)])
    for data, pixels in (
        (encode_png(grey), np.dstack([grey] * 3)),
        (palette_png(colours.tobytes(), indices), colours[indices]),
        (cv2.imencode(".png", opaque)[1].tobytes(), PICTURE),
    ):
        assert np.array_equal(read_as_annotated(stored(tmp_path, data), (6, 9)), pixels)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (encode_png(PICTURE[:5]), "a: 9x5 pixels, annotated as 9x6"),
        (encode_png(PICTURE[..., 0].astype(np.uint16)), "a: uint16 pixels"),
        (cv2.imencode(".png", np.zeros((6, 9, 4), np.uint8))[1].tobytes(), "a: partly transparent"),
        (b"", "a: not a readable picture"),
        (b"\xff\xd8\xff\xe0\0\x04\0\0" + FRAME_OF_4, "a: CMYK, whose colours"),
        (b"\xff\xd8\xff\xc4\0\x03\0\xff" + FRAME_OF_4, "a: CMYK, whose colours"),
        (b"\xff\xd8\xff\xe0\0", "a: not a readable picture"),
    ],
)
def test_a_picture_that_cannot_be_read_exactly_is_refused(tmp_path, data, complaint):
    with pytest.raises(HartSimError, match=complaint):
        read_as_annotated(stored(tmp_path, data), (6, 9))


@given(st.data(), SIZES, st.integers(0, 5))
def test_what_fades_in_leaves_the_rest_bit_for_bit(data, size, reach_px):
    below, above = (data.draw(arrays(np.uint8, (*size, 3))) for _ in range(2))
    mask = data.draw(arrays(np.bool_, size))
    shown = fade_in(below, above, mask, reach_px)
    assert np.array_equal(shown[~mask], below[~mask])
    low, high = np.minimum(below, above), np.maximum(below, above)
    assert ((low <= shown) & (shown <= high)).all()


def test_what_fades_in_is_there_in_full_at_its_reach():
    below, above = np.zeros((1, 9, 3), np.uint8), np.full((1, 9, 3), 200, np.uint8)
    mask = np.arange(9)[None] > 0
    assert fade_in(below, above, mask, 4)[0, :, 0].tolist() == [0, 50, 100, 150] + [200] * 5
    assert (fade_in(below, above, np.ones((1, 9), bool), 4) == 200).all()


@given(MAPS, st.integers(0, 3))
def test_a_grown_mask_reaches_no_farther_than_asked(values, reach_px):
    mask = values % 7 == 0
    grown = grow(mask, reach_px)
    rows, columns = np.indices(mask.shape)
    near = np.zeros_like(mask)
    for row, column in np.argwhere(mask):
        near |= np.hypot(rows - row, columns - column) < reach_px + 0.5
    assert (mask <= grown).all()
    assert (grown <= near).all()


def test_a_polygon_may_lie_partly_or_wholly_outside():
    corners = np.array([[-5.0, -5], [4, -5], [4, 3], [-5, 3]])
    assert polygon_mask(corners, (6, 9))[:3, :4].all()
    assert not polygon_mask(corners - 20, (6, 9)).any()


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
