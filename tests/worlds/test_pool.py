import math

import numpy as np
import pytest

from hartsim.errors import WorldError
from hartsim.worlds import meshes
from hartsim.worlds.pool import TEXTURE_PX, Batch, Light, Pool, View

AHEAD = View((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), 1.0, 0.1, 300.0)
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


@pytest.fixture(scope="module")
def pool():
    pool = Pool((128, 128), slots=2, batches=8, triangles=2000)
    pool.keep(quarters())
    yield pool
    pool.close()


def quarters():
    """Red at the top left, green at the top right, blue and white below."""
    image, half = np.empty((TEXTURE_PX, TEXTURE_PX, 3), np.uint8), TEXTURE_PX // 2
    image[:half, :half], image[:half, half:] = RED, GREEN
    image[half:, :half], image[half:, half:] = BLUE, WHITE
    return image


def batch(mesh, texture=0, alpha=1.0):
    uv = mesh.uv / 2 + 0.5
    return Batch(mesh.vertices, mesh.normals, uv, texture, "shining", alpha)


def show(pool, *places, mesh=None):
    pool.load([batch(mesh or meshes.box((2.0, 2.0, 2.0))) for _ in places])
    for index, (x, y, z) in enumerate(places):
        pool.place(index, (x, y, z), 0.0)
    pool.light([])


def colour_at(picture, row, column):
    return tuple((picture[row, column] // 128 * 255).tolist())


@pytest.mark.parametrize(
    ("eye", "forward", "up"),
    [
        ((-5.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
        ((5.0, 0.0, 0.0), (-1.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
        ((0.0, -5.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
        ((0.0, 5.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 1.0)),
        ((0.0, 0.0, 5.0), (0.0, 0.0, -1.0), (1.0, 0.0, 0.0)),
    ],
    ids=["back", "front", "right", "left", "top"],
)
def test_a_texture_is_upright_and_unmirrored_on_every_side_of_a_box(pool, eye, forward, up):
    show(pool, (0.0, 0.0, 0.0))
    picture, _ = pool.draw(View(eye, forward, up, 0.8, 0.1, 50.0), (64, 64))
    found = [colour_at(picture, row, column) for row in (24, 40) for column in (24, 40)]
    assert found == [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize("distance_m", [3.0, 20.0, 150.0])
def test_depth_is_the_distance_along_the_axis_in_metres(pool, distance_m):
    show(pool, (distance_m + 1, 0.0, 0.0), mesh=meshes.box((2.0, 9.0, 9.0)))
    depth = pool.identify(AHEAD, (64, 64))[1].metres()
    assert depth[32, 32] == pytest.approx(distance_m, rel=1e-3)
    show(pool)
    assert np.isinf(pool.identify(AHEAD, (64, 64))[1].metres()).all()


def test_depth_is_in_metres_for_parallel_views_too(pool):
    show(pool, (0.0, 0.0, 0.0))
    down = View((0.0, 0.0, 9.0), (0.0, 0.0, -1.0), (1.0, 0.0, 0.0), 1.0, 0.1, 50.0, (4.0, 4.0))
    depth = pool.probe(down, (64, 64)).metres()
    assert depth[32, 32] == pytest.approx(8.0, abs=1e-3)
    assert np.isfinite(depth).mean() == pytest.approx(1 / 16, abs=0.01)


def test_pixels_are_identified_by_what_is_nearest(pool):
    show(pool, (12.0, 0.0, 0.0), (6.0, 1.5, 0.0))
    ids, _ = pool.identify(AHEAD, (64, 64))
    assert ids[32, 36] == 0
    assert ids[32, 10] == 1
    assert ids[2, 2] == -1


def test_numbers_stay_true_while_others_are_out_of_view(pool):
    show(pool, (-6.0, 0.0, 0.0), (6.0, 0.0, 0.0), (6.0, 30.0, 0.0))
    assert set(np.unique(pool.identify(AHEAD, (64, 64))[0])) == {-1, 1}
    pool.place(0, (6.0, 2.0, 0.0), 0.0)
    assert set(np.unique(pool.identify(AHEAD, (64, 64))[0])) == {-1, 0, 1}


@pytest.mark.parametrize("aside_m", [2.7, 3.4, 4.5])
def test_what_reaches_into_a_view_is_drawn_though_its_middle_lies_outside(pool, aside_m):
    show(pool, (4.0, aside_m, 0.0), mesh=meshes.box((2.0, 2.0, 2.0)))
    nearest_y = aside_m - 1.0
    shows = bool((pool.identify(AHEAD, (64, 64))[0] == 0).any())
    assert shows == (nearest_y < 5.0 * math.tan(0.5))


def test_a_lighter_scene_leaves_nothing_of_a_heavier_one(pool):
    show(pool, (6.0, 2.0, 0.0), (6.0, -2.0, 0.0))
    show(pool, (6.0, 2.0, 0.0))
    assert set(np.unique(pool.identify(AHEAD, (64, 64))[0])) == {-1, 0}


def test_what_is_transparent_is_identified_but_not_probed(pool):
    mesh = meshes.box((2.0, 2.0, 2.0))
    pool.load([batch(mesh, alpha=0.4)])
    pool.place(0, (6.0, 0.0, 0.0), 0.0)
    pool.light([])
    assert pool.identify(AHEAD, (64, 64))[0][32, 32] == 0
    assert not pool.probe(AHEAD, (64, 64)).solid.any()


def test_light_falls_along_its_direction(pool):
    mesh = meshes.box((2.0, 2.0, 2.0))
    pool.load([Batch(mesh.vertices, mesh.normals, mesh.uv * 0 + 0.25, 0, "matte", 1.0)])
    pool.place(0, (6.0, 0.0, 0.0), math.pi / 4)
    pool.light([Light((0.0, -1.0, 0.0), (0.8, 0.8, 0.8))])
    picture, _ = pool.draw(AHEAD, (64, 64))
    assert picture[32, 26].max() > 100
    assert picture[32, 38].max() < 10


def test_a_scene_too_large_for_the_pool_is_refused(pool):
    heavy = batch(meshes.sphere(1.0, 40, 40))
    with pytest.raises(WorldError, match="up to 8 of 2000"):
        pool.load([heavy])


def test_closing_twice_is_harmless():
    pool = Pool((16, 16), slots=1, batches=2, triangles=50)
    pool.close()
    pool.close()


def test_a_slot_in_use_is_never_taken_over(pool):
    worn = pool.keep(quarters())
    others = [quarters() for _ in range(5)]
    assert worn not in {pool.keep(image, in_use={worn}) for image in others}


def test_more_textures_than_slots_are_refused(pool):
    with pytest.raises(WorldError, match="more than 2 textures at once"):
        pool.keep(quarters(), in_use={0, 1})
