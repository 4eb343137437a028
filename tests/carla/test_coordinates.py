import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hartsim.adapters.carla.coordinates import (
    Anchor,
    Placement,
    camera_from_carla,
    camera_of,
    camera_to_base,
    camera_to_carla,
    fov_to_carla,
    placed_relative_to,
    placed_within,
)
from hartsim.scenario.compiled import CameraSetup

metres = st.floats(-500, 500)
places = st.tuples(metres, metres, st.floats(-20, 20))
angles = st.floats(-math.pi, math.pi)
degrees = st.floats(-180, 180)
rotations = st.tuples(st.floats(-80, 80), degrees, degrees)
anchors = st.builds(Anchor, places, st.tuples(st.floats(-20, 20), degrees, st.floats(-20, 20)))
level = st.builds(Anchor, places, degrees.map(lambda yaw: (0.0, yaw, 0.0)))
cameras = st.builds(
    CameraSetup,
    st.just("front"),
    st.tuples(st.floats(-2, 2), st.floats(-1, 1), st.floats(0.5, 3)),
    st.floats(-1.2, 1.2),
    angles,
    st.floats(0.3, 1.8),
)
sizes = st.sampled_from([(128, 128), (90, 160), (720, 1280), (300, 200)])


def apart_deg(one, other):
    return abs((one - other + 180) % 360 - 180)


@given(anchors, places, angles)
def test_a_pose_comes_back_from_carla(anchor, position, heading):
    pose = anchor.from_carla(*anchor.to_carla(position, heading))
    np.testing.assert_allclose(pose.position_m, position, atol=1e-8)
    assert abs(math.remainder(pose.heading_rad - heading, 2 * math.pi)) < 1e-8


@given(anchors, places)
def test_a_velocity_comes_back_and_keeps_its_speed(anchor, velocity):
    there = anchor.vector_to_carla(velocity)
    assert math.isclose(math.hypot(*there), math.hypot(*velocity), abs_tol=1e-8)
    np.testing.assert_allclose(anchor.vector_from_carla(there), velocity, atol=1e-8)


@given(places, rotations, places, rotations)
def test_a_placement_in_another_comes_back(outer_m, outer_deg, inner_m, inner_deg):
    outer, inner = Placement(outer_m, outer_deg), Placement(inner_m, inner_deg)
    back = placed_relative_to(outer, placed_within(outer, inner))
    np.testing.assert_allclose(back.location_m, inner_m, atol=1e-7)
    np.testing.assert_allclose(camera_to_base(back), camera_to_base(inner), atol=1e-7)


@pytest.mark.parametrize(
    ("yaw", "expected"),
    [(0.0, (110.0, 198.0, 3.0)), (90.0, (102.0, 210.0, 3.0)), (180.0, (90.0, 202.0, 3.0))],
)
def test_ten_metres_ahead_and_two_to_the_left(yaw, expected):
    anchor = Anchor((100.0, 200.0, 3.0), (0.0, yaw, 0.0))
    location, rotation = anchor.to_carla((10.0, 2.0, 0.0), 0.0)
    np.testing.assert_allclose(location, expected, atol=1e-9)
    assert apart_deg(rotation[1], yaw) < 1e-9


def test_a_turn_to_the_left_lessens_the_yaw():
    assert Anchor((0, 0, 0), (0, 30.0, 0)).to_carla((0, 0, 0), math.pi / 2).rotation_deg[
        1
    ] == pytest.approx(-60)


def test_on_a_slope_what_lies_ahead_lies_higher():
    slope = Anchor((0.0, 0.0, 0.0), (10.0, 0.0, 0.0))
    assert slope.point_to_carla((20.0, 0.0, 0.0))[2] == pytest.approx(
        20 * math.sin(math.radians(10))
    )


def test_a_roll_to_the_right_lifts_the_left_side():
    assert Anchor((0, 0, 0), (0, 0, 10.0)).point_to_carla((0.0, 1.0, 0.0))[2] > 0.1


@given(level, places, angles, st.tuples(*[st.floats(0.05, 6)] * 3))
def test_corners_of_a_box_are_those_that_carla_gives(anchor, position, heading, extent):
    middle = anchor.to_carla(position, heading)
    ours = anchor.points_to_carla(anchor.box_from_carla(middle, extent).corners())
    yaw = math.radians(middle.rotation_deg[1])
    for corner in ours:
        away = corner - np.asarray(middle.location_m)
        along = away[0] * math.cos(yaw) + away[1] * math.sin(yaw)
        right = -away[0] * math.sin(yaw) + away[1] * math.cos(yaw)
        np.testing.assert_allclose(np.abs([along, right, away[2]]), extent, atol=1e-6)


def seen_by_carla(camera: Placement, fov_deg, size_px, location_m):
    """Column, row and depth after CARLA's documentation: inverse matrix, (y, -z, x), K."""
    height, width = size_px
    pitch, yaw, roll = (math.radians(each) for each in camera.rotation_deg)
    turn_z = np.array(
        [[math.cos(yaw), -math.sin(yaw), 0], [math.sin(yaw), math.cos(yaw), 0], [0, 0, 1]]
    )
    turn_y = np.array(
        [[math.cos(pitch), 0, -math.sin(pitch)], [0, 1, 0], [math.sin(pitch), 0, math.cos(pitch)]]
    )
    turn_x = np.array(
        [[1, 0, 0], [0, math.cos(roll), math.sin(roll)], [0, -math.sin(roll), math.cos(roll)]]
    )
    local = (turn_z @ turn_y @ turn_x).T @ (np.asarray(location_m) - camera.location_m)
    focal = width / (2 * math.tan(math.radians(fov_deg) / 2))
    return (
        focal * local[1] / local[0] + width / 2,
        focal * -local[2] / local[0] + height / 2,
        local[0],
    )


@given(anchors, cameras, sizes, st.tuples(*[st.floats(-40, 40)] * 3))
def test_a_point_falls_on_the_pixel_where_carla_sees_it(ego, camera, size_px, point):
    column, row, depth = camera_of(camera, size_px).project(np.array([point]))[0]
    assume(depth > 0.1)
    sensor = placed_within(ego.placement, camera_to_carla(camera))
    fov = fov_to_carla(camera, size_px)
    assume(fov < 170)
    there = seen_by_carla(sensor, fov, size_px, ego.point_to_carla(point))
    np.testing.assert_allclose((column, row, depth), there, rtol=1e-6, atol=1e-5)


@given(cameras, sizes)
def test_the_sensor_has_the_calibration_of_its_setup(camera, size_px):
    mount, fov = camera_to_carla(camera), fov_to_carla(camera, size_px)
    ours, theirs = camera_of(camera, size_px), camera_from_carla("front", mount, fov, size_px)
    np.testing.assert_allclose(theirs.intrinsics, ours.intrinsics, rtol=1e-9)
    np.testing.assert_allclose(theirs.camera_to_base, ours.camera_to_base, atol=1e-9)


@given(rotations, places)
def test_rotations_are_those_of_the_client(rotation, point):
    carla = pytest.importorskip("carla")
    pitch, yaw, roll = rotation
    turn = carla.Transform(carla.Location(), carla.Rotation(pitch, yaw, roll)).get_matrix()
    ours = placed_within(Placement((0, 0, 0), rotation), Placement(point)).location_m
    np.testing.assert_allclose(ours, np.array(turn)[:3, :3] @ point, atol=2e-3)


@given(level, angles)
def test_a_direction_comes_back_from_carla(anchor, azimuth):
    yaw = anchor.azimuth_to_carla(azimuth)
    assert 0 <= yaw < 360
    assert abs(math.remainder(anchor.azimuth_from_carla(yaw) - azimuth, 2 * math.pi)) < 1e-9


@pytest.mark.parametrize("rotation", [(90.0, 0.0, 0.0), (-90.0, 30.0, 0.0)])
def test_what_looks_straight_up_or_down_is_placed_too(rotation):
    outer = Placement((1.0, 2.0, 3.0), (0.0, 40.0, 0.0))
    there = placed_within(outer, Placement((0.0, 0.0, 0.0), rotation))
    back = placed_relative_to(outer, there)
    np.testing.assert_allclose(
        camera_to_base(back), camera_to_base(Placement((0, 0, 0), rotation)), atol=1e-6
    )
