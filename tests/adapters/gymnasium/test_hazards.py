import numpy as np
import pytest

from hartsim.adapters.gymnasium.cutouts import cutouts_of
from hartsim.adapters.gymnasium.hazards import Hazards, Placed, at_random
from hartsim.adapters.gymnasium.looks import Occasion, View
from hartsim.scenario.compiler import camera_setup
from hartsim.scenario.schema import DEFAULT_CAMERAS
from hartsim.types import CLASS_ID
from hartsim.worlds.mounting import calibrated
from tests.adapters.gymnasium.roads import drawn

CAMERA = camera_setup("front", DEFAULT_CAMERAS["driving"]["front"])
SIZE_PX = (128, 128)


def view_of_road(nearer=None, travelled_m=0.0):
    """The empty road; `nearer` is the depth of something that fills its left half."""
    image, labels, _ = drawn(SIZE_PX)
    depth = np.full(SIZE_PX, 300.0, np.float32)
    if nearer is not None:
        depth[:, :64] = nearer
    return View(image, labels, depth, travelled_m=travelled_m)


def shown(*placed, view=None, since=None):
    """What comes of putting hazards into a view, and what the look tells."""
    kinds = {each.kind for each in placed}
    look = Hazards(
        lambda _: placed, {k: cutouts_of(k) for k in kinds}, CAMERA, lambda view: view.depth_m
    )
    view = view or view_of_road()
    worn = look.choose(Occasion(0, 0, 0), since or view)
    worn.show(view)
    return view, worn.told


def box_of(view, class_name="animal"):
    """Top, bottom, left and right of a class, the last ones not included."""
    rows, columns = np.nonzero(view.labels == CLASS_ID[class_name])
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


@pytest.mark.parametrize(("ahead_m", "left_m"), [(7, 0), (9, 2), (14, -3), (20, 1)])
def test_a_hazard_stands_where_the_camera_sees_that_place_and_as_large(ahead_m, left_m):
    view, _ = shown(Placed("deer", ahead_m, left_m))
    top, bottom, left, right = box_of(view)
    feet, head = calibrated(CAMERA, SIZE_PX).project(
        np.array([[ahead_m, left_m, 0.0], [ahead_m, left_m, 2.0]])
    )
    assert bottom == pytest.approx(feet[1], abs=1.5)
    assert bottom - top == pytest.approx(feet[1] - head[1], abs=1.5)
    assert (left + right) / 2 == pytest.approx(feet[0], abs=1.5)


def test_labels_and_depth_change_just_where_the_picture_shows_the_hazard():
    before, (view, _) = view_of_road(), shown(Placed("deer", 8, 0))
    changed = (view.image != before.image).any(-1)
    own = view.labels == CLASS_ID["animal"]
    assert own.sum() > 100
    assert (own & ~changed).sum() == 0
    assert (view.labels[~own] == before.labels[~own]).all()
    assert np.unique(view.depth_m[own]).tolist() == pytest.approx([7.4], abs=0.2)
    assert (view.depth_m[~own] == 300).all()
    assert (changed & ~own).sum() < 0.2 * own.sum()  # but for pixels that it covers in part


def test_a_hazard_is_hidden_by_what_is_nearer_and_by_nothing_farther():
    beside, _ = shown(Placed("deer", 10, 0), view=view_of_road(nearer=40.0))
    behind, _ = shown(Placed("deer", 10, 0), view=view_of_road(nearer=5.0))
    assert (beside.labels[:, :64] == CLASS_ID["animal"]).sum() > 20
    assert not (behind.labels[:, :64] == CLASS_ID["animal"]).any()
    assert (behind.image[:, :64] == view_of_road().image[:, :64]).all()
    assert (behind.labels[:, 64:] == beside.labels[:, 64:]).all()


def test_of_two_hazards_the_nearer_one_is_seen_whatever_the_order():
    for order in (slice(None), slice(None, None, -1)):
        placed = [Placed("deer", 8, 0), Placed("child", 16, 0)][order]
        view, _ = shown(*placed)
        alone, _ = shown(Placed("deer", 8, 0))
        own = alone.labels == CLASS_ID["animal"]
        assert (view.labels[own] == CLASS_ID["animal"]).all()


def test_a_hazard_comes_nearer_as_the_camera_travels_and_is_passed():
    since = view_of_road(travelled_m=3.0)
    heights = []
    for travelled in (3.0, 6.0, 9.0):
        view, _ = shown(Placed("deer", 15, 0), view=view_of_road(None, travelled), since=since)
        top, bottom, *_ = box_of(view)
        heights.append(bottom - top)
    assert heights == sorted(heights)
    assert heights[2] > 1.5 * heights[0]
    passed, _ = shown(Placed("deer", 15, 0), view=view_of_road(None, 20.0), since=since)
    assert (passed.image == view_of_road().image).all()


def test_a_hazard_is_as_bright_as_the_ground_that_it_stands_on():
    def brightness(factor):
        view = view_of_road()
        view.image[:] = (view.image * factor).astype(np.uint8)
        shown(Placed("deer", 8, 0), view=view)
        return view.image[view.labels == CLASS_ID["animal"]].mean()

    assert brightness(0.4) == pytest.approx(0.4 * brightness(1.0), rel=0.1)


def test_hazards_outside_the_picture_change_nothing():
    for placed in (Placed("deer", -5, 0), Placed("deer", 8, 30), Placed("deer", 0.7, 0)):
        view, _ = shown(placed)
        assert (view.image == view_of_road().image).all()


def test_random_hazards_keep_to_their_ranges_and_come_in_all_kinds():
    place = at_random(["deer", "child"], 2, (5, 9), (-1, 3))
    placed = [each for episode in range(40) for each in place(Occasion(1, episode, 0))]
    assert len(placed) == 80
    assert {each.kind for each in placed} == {"deer", "child"}
    assert all(5 <= each.ahead_m <= 9 and -1 <= each.left_m <= 3 for each in placed)
    assert place(Occasion(1, 3, 0)) == place(Occasion(1, 3, 0)) != place(Occasion(2, 3, 0))


def test_what_is_told_is_what_stands_there():
    _, told = shown(Placed("deer", 8, 1.5))
    assert told == {"hazard_1": "deer", "hazard_1_ahead_m": 8, "hazard_1_left_m": 1.5}
