import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hartsim.adapters.carla.coordinates import camera_of
from hartsim.adapters.carla.labels import (
    CLASS_OF_TAG,
    TAGS,
    depth_from,
    distinct_ids,
    labelling,
    numbers_from,
)
from hartsim.adapters.carla.visibility import entry_m, sights
from hartsim.errors import WorldError
from hartsim.scenario.compiled import CameraSetup
from hartsim.types import CLASS_ID, CLASSES, UNKNOWN, Box3D, Frame, Instance

CAMERA = camera_of(CameraSetup("front", (0.6, 0.0, 1.5), 0.0, 0.0, math.radians(55)), (96, 128))
CAR, POLE, ROAD, SKY, STATIC = 14, 6, 1, 11, 20


def car(ahead_m, left_m=0.0, name="car", kind="car", class_name="car"):
    box = Box3D((ahead_m, left_m, 0.75), (4.4, 1.8, 1.5), 0.0)
    return Instance(0, name, kind, class_name, False, (), box)


def pixels(red=0, green=0, blue=0):
    size = np.broadcast_shapes(np.shape(red), np.shape(green), np.shape(blue)) or (1, 1)
    out = np.empty((*size, 4), np.uint8)
    out[..., 0], out[..., 1], out[..., 2], out[..., 3] = blue, green, red, 255
    return out


class Scene:
    """Boxes on a flat road as CARLA's cameras would give them: each with a number and a tag."""

    def __init__(self, *boxes):
        rows, columns = np.arange(96) + 0.5, np.arange(128) + 0.5
        k = CAMERA.intrinsics
        down = np.broadcast_to(((rows - k[1, 2]) / k[1, 1])[:, None], (96, 128))
        self.depth = np.where(down > 0, 1.5 / np.maximum(down, 1e-9), np.inf).astype(np.float32)
        self.tags = np.where(down > 0, ROAD, SKY).astype(np.uint8)
        self.numbers = np.where(down > 0, 7777, 0).astype(np.uint16)
        for box, number, tag in boxes:
            enter = entry_m(box, CAMERA, columns, rows)
            nearer = enter < self.depth
            self.depth[nearer] = enter[nearer]
            self.tags[nearer], self.numbers[nearer] = tag, number

    def labelled(self, actors):
        semantic = pixels(self.tags)
        instance = pixels(self.tags, self.numbers & 255, self.numbers >> 8)
        return labelling(semantic, instance, self.depth, CAMERA, actors)

    def frame(self, actors):
        found = self.labelled(actors)
        image = np.zeros((96, 128, 3), np.uint8)
        return Frame(image, found.labels, found.instances, self.depth, found.table, CAMERA)


def test_tags_are_those_of_the_client():
    carla = pytest.importorskip("carla")
    theirs = {int(tag): name for name, tag in carla.CityObjectLabel.names.items()}
    theirs.pop(255)  # Any
    assert theirs == {tag: name for tag, (name, _) in TAGS.items()}


@pytest.mark.parametrize("tag", range(256))
def test_every_tag_has_a_class_or_is_unknown(tag):
    name = TAGS.get(tag, ("", None))[1]
    assert name is None or name in CLASSES
    assert CLASS_OF_TAG[tag] == (UNKNOWN if name is None else CLASS_ID[name])


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_depth_is_that_of_the_documentation(red, green, blue):
    metres = depth_from(pixels(red, green, blue))[0, 0]
    expected = (red + green * 256 + blue * 65536) / (256**3 - 1) * 1000
    assert metres.dtype == np.float32
    assert metres == (np.inf if expected >= 999.9 else pytest.approx(expected, rel=1e-6))


@given(st.integers(0, 65535))
def test_numbers_have_their_low_byte_in_green(number):
    assert numbers_from(pixels(3, number & 255, number >> 8))[0, 0] == number


def test_pixels_of_an_actor_get_its_class_and_its_number():
    prop = car(12, class_name="debris")
    found = Scene((prop.box, 300, STATIC)).labelled({300: prop})
    own = found.instances == 300
    assert own.sum() > 50
    assert set(found.labels[own]) == {CLASS_ID["debris"]}
    assert set(found.labels[~own]) == {CLASS_ID["road"], CLASS_ID["sky"]}
    assert (found.table[0].id, found.of_actor[300]) == (300, 300)


def test_a_map_object_with_the_number_of_an_actor_is_not_taken_for_it():
    post = Box3D((14, 5, 2.0), (0.4, 0.4, 4.0), 0.0)
    found = Scene((car(12).box, 300, CAR), (post, 300, POLE)).labelled({300: car(12)})
    assert (found.labels[found.instances == 300] == CLASS_ID["car"]).all()
    assert (found.labels == CLASS_ID["pole"]).sum() > 20


def test_two_actors_whose_ids_share_16_bits_are_told_apart():
    near, far = car(10, -3, "near"), car(25, 4, "far")
    scene = Scene((near.box, 300, CAR), (far.box, 300, CAR))
    found = scene.labelled({300: near, 300 + 65536: far})
    ids = {each.name: each.id for each in found.table}
    assert ids["near"] != ids["far"]
    left, right = found.instances[:, :64], found.instances[:, 64:]
    assert set(np.unique(right)) == {0, ids["near"]}
    assert set(np.unique(left)) == {0, ids["far"]}


def test_numbers_of_unreal_are_matched_by_place():
    near, far = car(10, -3, "near"), car(25, 4, "far")
    scene = Scene((near.box, 40123, CAR), (far.box, 40999, CAR))
    found = scene.labelled({12: near, 13: far})
    assert ((scene.numbers == 40123) == (found.instances == found.of_actor[12])).all()
    assert ((scene.numbers == 40999) == (found.instances == found.of_actor[13])).all()


def test_an_actor_that_is_not_seen_stands_in_the_table_only():
    hidden = car(20, name="hidden")
    wall = Box3D((8, 0, 2), (0.5, 20, 4), 0.0)
    found = Scene((hidden.box, 300, CAR), (wall, 555, 4)).labelled({300: hidden})
    assert [each.name for each in found.table] == ["hidden"]
    assert not found.instances.any()


@given(st.sets(st.integers(1, 2**20), max_size=60), st.integers(1, 300))
def test_no_two_actors_share_a_number(ids, few):
    crowd = {id % (65536 * few): car(10) for id in ids} | {id + 65536: car(10) for id in ids}
    numbers = distinct_ids(crowd)
    assert set(numbers) == set(crowd)
    assert len(set(numbers.values())) == len(crowd)
    assert all(0 < number < 65536 for number in numbers.values())


def test_sensors_of_different_sizes_are_refused():
    small = pixels(np.zeros((48, 64)))
    with pytest.raises(WorldError, match=r"camera 'front'.*semantic \(48, 64\).*\(96, 128\)"):
        labelling(small, small, np.ones((48, 64), np.float32), CAMERA, {})


def test_pixels_of_another_shape_are_refused():
    with pytest.raises(WorldError, match=r"uint8 \(height, width, 4\), not float32 \(4, 4\)"):
        depth_from(np.zeros((4, 4), np.float32))


def test_what_stands_free_is_not_occluded():
    seen = sights(Scene((car(12).box, 300, CAR)).frame({300: car(12)}))[300]
    assert seen.pixels > 50
    assert (seen.occluded, seen.truncated) == (0, 0)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 0.9))
def test_the_occluded_share_is_that_of_the_screen_before_it(share):
    target = Box3D((20, 0, 1.0), (0.1, 4.0, 2.0), 0.0)
    instance = Instance(0, "board", "barrier", "barrier", True, (), target)
    # a screen halfway there, whose right edge the eye lines up with the board's
    eye, halfway = 0.6, (20 - 0.05 - 0.6) / 2
    edge = (-2.0 + 4.0 * share) / 2
    screen = Box3D((eye + halfway, (edge - 3) / 2, 1.2), (0.01, 3 + edge, 3.0), 0.0)
    frame = Scene((target, 300, STATIC), (screen, 900, 4)).frame({300: instance})
    assert sights(frame)[300].occluded == pytest.approx(share, abs=0.1)


def test_the_edge_of_the_picture_truncates():
    edge = 0.5 * 128 / CAMERA.intrinsics[0, 0] * (12 - 0.6)
    half = Box3D((12, edge, 1.0), (0.02, 2.0, 2.0), 0.0)
    instance = Instance(0, "board", "barrier", "barrier", True, (), half)
    seen = sights(Scene((half, 300, STATIC)).frame({300: instance}))[300]
    assert seen.truncated == pytest.approx(0.5, abs=0.05)


def test_what_lies_behind_the_camera_is_not_in_sight():
    assert sights(Scene().frame({300: car(-20)})) == {}


def test_what_is_wholly_hidden_is_wholly_occluded():
    wall = Box3D((8, 0, 2), (0.5, 20, 4), 0.0)
    frame = Scene((car(20).box, 300, CAR), (wall, 555, 4)).frame({300: car(20)})
    assert sights(frame)[300].occluded == 1
