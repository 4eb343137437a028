import numpy as np
import pytest

carla = pytest.importorskip("carla")

from hartsim.adapters.carla import textures  # noqa: E402
from hartsim.adapters.carla.textures import (  # noqa: E402
    LARGEST_PX,
    fill,
    normal_map,
    surface_map,
    texture_color,
    texture_floats,
)
from hartsim.errors import WorldError  # noqa: E402

SIZES = [(1, 1), (3, 5), (64, 48), (31, 97)]
rng = np.random.default_rng(5)


def picture(height, width):
    return rng.integers(0, 256, (height, width, 3), np.uint8)


def floats(height, width):
    return rng.random((height, width, 4), np.float32)


def pixels_of(texture):
    """What `get` says of each pixel, the last row first."""
    rows = range(texture.height - 1, -1, -1)
    pixels = [[texture.get(x, y) for x in range(texture.width)] for y in rows]
    return np.array([[(each.r, each.g, each.b, each.a) for each in line] for line in pixels])


@pytest.fixture(params=["buffer", "pixels"])
def way(request, monkeypatch):
    if request.param == "pixels":
        monkeypatch.setattr(textures, "_buffer", lambda texture, kind: None)
    return request.param


@pytest.mark.parametrize("size", SIZES)
def test_every_pixel_is_that_of_the_picture(way, size):
    image, texture = picture(*size), carla.TextureColor(size[1], size[0])
    assert fill(texture, image) == way
    pixels = pixels_of(texture)
    assert (pixels[..., :3] == image).all()
    assert (pixels[..., 3] == 255).all()


@pytest.mark.parametrize("size", SIZES)
def test_every_number_is_that_of_the_map(way, size):
    values, texture = floats(*size), carla.TextureFloatColor(size[1], size[0])
    assert fill(texture, values) == way
    assert (pixels_of(texture).astype(np.float32) == values).all()


def test_an_alpha_of_its_own_is_kept(way):
    image = rng.integers(0, 256, (4, 6, 4), np.uint8)
    texture = carla.TextureColor(6, 4)
    fill(texture, image)
    assert (pixels_of(texture) == image).all()


def test_a_buffer_of_another_size_is_not_believed():
    texture = carla.TextureColor(8, 8)
    assert textures._buffer(texture, "TextureColor").shape == (8, 8, 4)
    # the same memory, read as if its pixels were of another kind
    assert textures._buffer(texture, "TextureFloatColor") is None


@pytest.mark.parametrize("thing", [object(), "text", 7, [1, 2], carla.Location(1, 2, 3)])
def test_what_is_no_texture_has_no_buffer_and_ends_nothing(thing):
    class Sized:
        """As wide and high as a texture, with something else in its memory."""

        width = height = 4
        held = thing

    assert textures._buffer(Sized(), "TextureColor") is None


def test_a_buffer_that_does_not_read_back_is_not_trusted(monkeypatch, caplog):
    elsewhere = np.zeros((5, 7, 4), np.uint8)
    monkeypatch.setattr(textures, "_buffer", lambda texture, kind: elsewhere)
    image, texture = picture(5, 7), carla.TextureColor(7, 5)
    assert fill(texture, image) == "pixels"
    assert (pixels_of(texture)[..., :3] == image).all()
    assert "does not read back" in caplog.text


def test_a_resized_texture_is_filled_in_its_new_size():
    texture, image = carla.TextureColor(2, 2), picture(40, 30)
    texture.set_dimensions(30, 40)
    assert fill(texture, image) == "buffer"
    assert (pixels_of(texture)[..., :3] == image).all()


@pytest.mark.parametrize(
    ("image", "complaint"),
    [
        (np.zeros((4, 4), np.uint8), r"height, width, 3 or 4\), not uint8 \(4, 4\)"),
        (np.zeros((4, 4, 3), np.float32), r"not float32 \(4, 4, 3\)"),
        (np.zeros((4, 5, 3), np.uint8), r"the picture is \(4, 5\), the texture \(4, 4\)"),
    ],
)
def test_pictures_that_do_not_fit_are_refused(image, complaint):
    with pytest.raises(WorldError, match=complaint):
        fill(carla.TextureColor(4, 4), image)


def test_numbers_that_are_none_are_refused():
    with pytest.raises(WorldError, match="not finite"):
        texture_floats(np.full((2, 2, 4), np.nan, np.float32))


@pytest.mark.parametrize("shape", [(LARGEST_PX + 1, 4, 3), (4, LARGEST_PX + 1, 3)])
def test_what_would_stop_the_server_is_refused_with_what_to_do(shape):
    with pytest.raises(WorldError, match=r"too large: .* at most 2048 .* better 1024"):
        texture_color(np.zeros(shape, np.uint8))


def test_an_empty_picture_is_refused():
    with pytest.raises(WorldError, match=r"not \(0, 4, 3\)"):
        texture_color(np.zeros((0, 4, 3), np.uint8))


def test_flat_ground_has_a_normal_straight_up():
    flat = normal_map(np.full((8, 8), 0.3))
    np.testing.assert_allclose(flat[..., :3], np.broadcast_to((0.5, 0.5, 1.0), (8, 8, 3)))


def test_normals_lean_away_from_what_rises_also_across_the_seam():
    ramp = np.tile(np.linspace(0, 1, 16, endpoint=False), (4, 1))
    normals = normal_map(ramp)[..., :3] * 2 - 1
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1, atol=1e-6)
    assert (normals[:, 1:-1, 0] < 0).all()  # it rises to the right
    assert (normals[:, [0, -1], 0] > 0).all()  # and falls where it repeats


def test_a_surface_map_has_the_order_of_carla():
    values = surface_map(np.full((2, 3), 0.25, np.float32), 0.5, 0.75, 0.125)
    assert values.shape == (2, 3, 4)
    assert values[0, 0].tolist() == [0.5, 0.25, 0.75, 0.125]
    with pytest.raises(WorldError, match="roughness leaves 0"):
        surface_map(np.full((2, 3), 1.5, np.float32))
