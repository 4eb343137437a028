"""Light and air: what is computed per pixel after OpenGL has drawn."""

import math
from dataclasses import replace

import numpy as np
import pytest

from hartsim.scenario.compiled import CameraSetup, Conditions
from hartsim.types import CLASS_ID, Pose
from hartsim.worlds import grading, optics, relight, weather
from hartsim.worlds.mounting import calibrated, mounted
from hartsim.worlds.pool import CEILING
from hartsim.worlds.skies import SKIES, light_of, sky_texture
from hartsim.worlds.stage import Grade, Lamp, Lighting, Mirror, Puff, Weather
from tests.worlds.scenes import FRONT, placed, street

SIZE = (48, 64)
STILL = Pose((0.0, 0.0, 0.0), 0.0)
SUN = Lighting((0.0, 0.0, -1.0), (0.8, 0.8, 0.8), (0.4, 0.4, 0.5), (0.2, 0.2, 0.2))


@pytest.fixture
def eye():
    return mounted(FRONT, STILL, SIZE)


def ground_depth(eye):
    """The depth of the plane z = 0, far where a ray does not meet it."""
    down = -eye.rays[2]
    return np.where(down > 1e-3, eye.position_m[2] / np.maximum(down, 1e-3), 1e4).astype(np.float32)


def points_of(eye, depth):
    return eye.rays * depth + optics.column(tuple(eye.position_m.tolist()))


def test_rays_meet_the_world_where_the_camera_projects_them(eye):
    world = points_of(eye, np.full(SIZE, 7.0, np.float32))[:, 10, 20]
    column, row, depth = calibrated(FRONT, SIZE).project(world[None].astype(float))[0]
    assert (column, row, depth) == pytest.approx((20.5, 10.5, 7.0), abs=1e-3)


def test_normals_of_flat_ground_point_up(eye):
    depth = ground_depth(eye)
    normals = optics.normals_of(depth, eye)
    assert normals[2][depth < 60].min() > 0.99


def test_the_sky_is_looked_up_where_the_ray_points():
    image = np.zeros((90, 180, 3), np.uint8)
    image[45] = 255
    planes = optics.planes_of(image)
    tilt = math.radians(22.25)
    rays = np.array([math.cos(tilt), 0.0, math.sin(tilt)], np.float32)[:, None, None]
    higher = rays * np.array([1, 1, 1.4], np.float32)[:, None, None]
    assert weather.sky_at(planes, rays, Weather()).min() > 0.8
    assert weather.sky_at(planes, higher, Weather()).max() == 0


def test_what_lies_between_pixels_is_between_their_values():
    plane = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    row, column = np.array([1.5], np.float32), np.array([2.25], np.float32)
    assert optics.bilinear(plane, row, column)[0, 0] == pytest.approx(8.25)


def test_unlit_pixels_are_those_that_opengl_drew_above_the_ceiling():
    colour = np.array([CEILING, 1.0], np.float32) * np.ones((3, 1, 1), np.float32)
    assert relight.shining(colour)[0].tolist() == [0.0, 1.0]


def test_no_surface_is_lit_above_the_ceiling():
    lights, _ = relight.lights_of(SUN)
    brightest = sum(np.array(light.diffuse) + light.ambient for light in lights)
    assert brightest.max() <= CEILING + 1e-6


def test_a_lamp_lights_what_is_near_and_faces_it():
    points = np.zeros((3, 1, 3), np.float32)
    points[0, 0] = (1.0, 6.0, 30.0)
    up = np.zeros_like(points)
    up[2] = 1
    lamp = Lamp((0.0, 0.0, 3.0), (1.0, 0.5, 0.2), reach_m=12.0)
    near, middle, far = relight.lamplight((lamp,), points, up)[0, 0]
    assert near > middle > far == 0
    below = relight.lamplight((lamp,), points, -up)[0, 0]
    assert below[0] < 0.3 * near


def test_an_aimed_lamp_leaves_what_is_beside_its_cone_dark():
    points = np.array([[[5.0, 5.0]], [[0.0, 6.0]], [[0.0, 0.0]]], np.float32)
    up = np.array([[[0.0, 0.0]], [[0.0, 0.0]], [[1.0, 1.0]]], np.float32)
    lamp = Lamp((0.0, 0.0, 1.0), (1.0, 1.0, 1.0), 20.0, aim=(1.0, 0.0, -0.2), cone_rad=0.4)
    ahead, aside = relight.lamplight((lamp,), points, up)[0, 0]
    assert ahead > 0.05
    assert aside == 0


def test_contrast_falls_to_two_per_cent_at_the_visibility_range():
    picture = np.ones((3, 1, 1), np.float32)
    fog = Weather(visibility_m=80.0, fog_colour=(0.0, 0.0, 0.0))
    assert weather.fogged(picture, np.float32(80.0), fog).max() == pytest.approx(0.02, abs=1e-3)


def test_a_puff_hides_less_of_what_stands_before_its_middle(eye):
    puff = Puff((10.0, 0.0, 1.5), 2.0, (0.5, 0.5, 0.5), 0.9)
    _, behind = weather.puff_opacity(puff, eye, np.full(SIZE, 20.0, np.float32))
    _, before = weather.puff_opacity(puff, eye, np.full(SIZE, 5.0, np.float32))
    assert behind.max() > 0.7
    assert before.max() < 0.05


def test_a_puff_behind_the_camera_is_nowhere(eye):
    puff = Puff((-10.0, 0.0, 1.5), 2.0, (0.5, 0.5, 0.5))
    assert weather.puff_opacity(puff, eye, np.full(SIZE, 20.0, np.float32)) is None


def test_a_neutral_grade_keeps_middle_tones():
    picture = np.full((3, 4, 4), 0.5, np.float32)
    assert np.abs(grading.graded(picture, Grade()).astype(int) - 128).max() <= 1


def test_bloom_spills_light_into_the_dark():
    picture = np.zeros((3, 64, 64), np.float32)
    picture[:, 24:40, 24:40] = 1.5
    spilled = grading.graded(picture, Grade(bloom=0.5))
    assert spilled[32, 44].max() > 5
    assert spilled[2, 2].max() == 0


def test_a_puddle_mirrors_the_sky_in_dry_weather(road):
    road.show(street(placed("puddle", 8.0), place="country_road"))
    before = road.capture()["front"]
    road.paint({"sky": np.full((64, 64, 3), (255, 0, 0), np.uint8)})
    after = road.look()["front"]
    water = before.labels == CLASS_ID["water"]
    dry = (before.labels == CLASS_ID["road"]) & (before.depth_m < 12)
    redder = after.astype(int) - before.image
    assert redder[water][:, 0].mean() > redder[water][:, 2].mean() + 20
    assert np.abs(redder[dry]).mean() < 2


def test_fog_at_night_sends_light_back():
    def air(visibility_m):
        night = Conditions("highway", "fog", "night", visibility_m=visibility_m, cloud=0.9)
        return max(light_of(night, 1)[1].fog_colour)

    assert air(40.0) > air(math.inf)


@pytest.mark.parametrize("name", SKIES)
def test_skies_as_textures_are_as_bright_as_their_hour(name):
    bright = sky_texture(name, 4).mean()
    assert bright < 60 if name == "night_sky" else bright > 60


def test_a_wide_picture_keeps_the_vertical_field_of_view():
    wide, square = (calibrated(FRONT, size) for size in ((64, 128), (64, 64)))
    assert np.array_equal(wide.intrinsics[:, 1], square.intrinsics[:, 1])
    assert wide.intrinsics[0, 2] == 64


def test_a_camera_turned_left_looks_left():
    camera = replace(FRONT, yaw_rad=math.pi / 2, pitch_rad=0.0)
    assert isinstance(camera, CameraSetup)
    assert mounted(camera, STILL, SIZE).axes[:, 2] == pytest.approx([0, 1, 0], abs=1e-9)


def test_a_patch_ends_at_its_edge_on_every_side():
    patch = Mirror((0.0, 0.0, 0.0), 0.0, (2.0, 2.0), (0.5,) * 29, 1.0)
    # just below its own x axis the turn rounds up to a whole one
    points = np.array([[0.9, 1.1, -0.9, 0.0], [-1e-9, -1e-9, 0.0, 1.1], [0, 0, 0, 0]], np.float32)
    assert weather.within_edge(patch, points).tolist() == [True, False, True, False]


def test_a_rim_in_lamplight_is_no_brighter_than_what_lies_behind(eye):
    depth = np.full(SIZE, 30.0, np.float32)
    depth[:, : SIZE[1] // 2] = 4.0
    colour = np.full((3, *SIZE), 0.5, np.float32)
    lamp = Lamp((0.6, 0.0, 1.5), (9.0, 9.0, 9.0), 20.0)
    facing = np.broadcast_to(np.array([-1, 0, 0], np.float32)[:, None, None], colour.shape)
    lit = relight.relit(colour, points_of(eye, depth), facing, depth, SUN, (lamp,), relight.Maps())[
        0
    ]
    near, rim, behind = (lit[:, SIZE[1] // 2 + step] for step in (-2, -1, 0))
    assert (near > 1.5 * behind).all()
    assert (rim <= behind).all()
