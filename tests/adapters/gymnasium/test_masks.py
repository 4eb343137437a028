import numpy as np
import pytest

from hartsim.adapters.gymnasium.masks import mask_source
from hartsim.types import CLASS_ID
from tests.adapters.gymnasium.roads import CAR, SKY, Road


@pytest.fixture
def road():
    env = Road()
    env.reset(seed=3)
    return env


def halves(env, image):
    return np.arange(image.shape[1]) < np.full(image.shape[:2], image.shape[1] // 2)


def of_wrong_shape(env, image):
    return np.zeros((2, 2), np.bool_)


def in_grey(env, image):
    return np.full(image.shape[:2], 0.5)


def test_labels_of_the_named_classes_may_change(road):
    frame = road.frame()
    mask = mask_source("labels:sky, car")(road, frame.image)
    assert (mask == np.isin(frame.labels, [CLASS_ID["sky"], CLASS_ID["car"]])).all()


def test_labels_that_are_observed_go_before_those_of_the_frame(road):
    image = road.frame().image
    labels = np.full(image.shape[:2], CLASS_ID["wall"], np.uint8)
    assert mask_source("labels:wall")(road, image, labels).all()


def test_a_colour_takes_in_what_differs_by_no_more_than_it_says(road):
    frame = road.frame()
    near = np.array(frame.image)
    near[0, :4, 0] += np.array([0, 5, 6, 7], np.uint8)
    mask = mask_source(f"colour:#{bytes(SKY).hex()}±6")(None, near)
    expected = frame.labels == CLASS_ID["sky"]
    expected[0, 3] = False
    assert (mask == expected).all()


@pytest.mark.parametrize(("value", "inside"), [(0, True), (4, True), (5, False), (255, False)])
def test_colours_at_the_end_of_the_range_do_not_wrap_round(value, inside):
    image = np.full((2, 2, 3), value, np.uint8)
    assert mask_source("colour:#000000±4")(None, image).all() == inside


def test_a_function_is_found_by_module_and_name(road):
    mask = mask_source(f"{__name__}:halves")(road, road.frame().image)
    assert mask[:, :16].all()
    assert not mask[:, 16:].any()


def test_not_turns_a_mask_over(road):
    frame = road.frame()
    mask = mask_source(f"not colour:#{bytes(CAR).hex()}")(None, frame.image)
    assert (mask == (frame.labels != CLASS_ID["car"])).all()


def test_labels_and_colours_of_a_batch_make_a_batch_of_masks(road):
    frame = road.frame()
    images, labels = np.stack([frame.image] * 3), np.stack([frame.labels] * 3)
    for spec in ("labels:sky", f"colour:#{bytes(SKY).hex()}"):
        assert mask_source(spec)(None, images, labels).shape == (3, 32, 32)


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ("labels:car,skys", "no class is called 'skys'; did you mean 'sky'"),
        ("labels:", "is none of: labels:<class>"),
        ("sky", "is none of: labels:<class>"),
        ("colour:blue", "'blue' is no colour such as #1e90ff"),
        ("colour:#1e90ff±", "is no colour"),
        ("no_such_module:mask", "is to be one of: .*No module named 'no_such_module'"),
        (f"{__name__}:halfs", "has no function 'halfs'; did you mean 'halves'"),
        ("mujoco:geometry=floor", "mujoco:geometry=floor is no mask"),
    ],
)
def test_what_is_no_mask_is_refused_with_what_there_is(spec, complaint):
    with pytest.raises(ValueError, match=complaint):
        mask_source(spec)


@pytest.mark.parametrize(
    ("name", "found"), [("of_wrong_shape", r"bool \(2, 2\)"), ("in_grey", r"float64 \(32, 32\)")]
)
def test_a_function_that_gives_no_mask_is_refused_by_name(road, name, found):
    with pytest.raises(ValueError, match=rf"{name}' gives {found}, must be bool \(32, 32\)"):
        mask_source(f"{__name__}:{name}")(road, road.frame().image)
