import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hartsim.types import CLASS_ID, CLASSES, ROUTES, UNKNOWN, Box3D, Camera

POINTS = st.tuples(st.floats(0.5, 100), st.floats(-50, 50), st.floats(-5, 20))

AHEAD = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]], float)
"""A camera 1.5 m above the base's origin that looks along its x axis."""


def camera(size_px: tuple[int, int] = (100, 200), focal_px: float = 100.0) -> Camera:
    height, width = size_px
    intrinsics = np.array([[focal_px, 0, width / 2], [0, focal_px, height / 2], [0, 0, 1]])
    return Camera("front", size_px, intrinsics, AHEAD)


def test_the_ids_of_classes_never_change():
    assert CLASSES[:6] == ("road", "road_mark", "pavement", "building", "vegetation", "sky")
    assert CLASSES[-1] == "other"
    assert len(set(CLASSES)) == len(CLASSES) == 32
    assert all(CLASSES[CLASS_ID[name]] == name for name in CLASSES)


def test_unknown_is_no_class_and_fits_a_byte():
    assert len(CLASSES) <= UNKNOWN <= 255


def test_there_are_four_routes():
    assert ROUTES == ("view", "texture", "backdrop", "repaint")


def test_what_lies_straight_ahead_at_eye_height_is_in_the_middle():
    assert camera().project(np.array([[10.0, 0.0, 1.5]])).tolist() == [[100.0, 50.0, 10.0]]


def test_left_is_left_and_up_is_up_in_the_picture():
    column, row, _ = camera().project(np.array([[10.0, 2.0, 3.5]]))[0]
    assert (column, row) == (80.0, 30.0)


@given(POINTS)
def test_depth_is_the_distance_along_the_optical_axis(point):
    assert camera().project(np.array([point]))[0, 2] == pytest.approx(point[0])


def test_what_is_behind_the_camera_has_no_pixel():
    column, row, depth = camera().project(np.array([[-5.0, 0.0, 1.0]]))[0]
    assert math.isnan(column)
    assert math.isnan(row)
    assert depth == -5.0


@given(POINTS, st.floats(-math.pi, math.pi))
def test_turning_a_box_keeps_its_centre_and_its_height(centre, heading):
    corners = Box3D(centre, (4.0, 2.0, 1.5), heading).corners()
    assert corners.mean(axis=0) == pytest.approx(np.array(centre))
    assert np.ptp(corners[:, 2]) == pytest.approx(1.5)


def test_a_box_turned_left_by_a_quarter_has_its_length_across():
    corners = Box3D((0.0, 0.0, 0.5), (4.0, 2.0, 1.0), math.pi / 2).corners()
    assert np.ptp(corners, axis=0) == pytest.approx([2.0, 4.0, 1.0])
