import numpy as np
import pytest

from hartsim.adapters.carla.paint_check import check_paint

rng = np.random.default_rng(3)
SIZE = (60, 80)
SEEN = np.zeros(SIZE, np.bool_)
SEEN[10:50, 20:60] = True
SCENE = rng.integers(60, 180, (*SIZE, 3)).astype(np.float64)
PAINT = rng.integers(0, 255, (*SIZE, 3)).astype(np.float64)


def shot(scene, noise=2.0, gain=1.0):
    noisy = scene * gain + rng.normal(0, noise, scene.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def painted(scene, mask=SEEN):
    return np.where(mask[..., None], PAINT, scene)


def verdict(before, after, seen=SEEN):
    return check_paint(before, after, seen).verdict


def test_paint_is_seen_and_its_absence_too():
    before = shot(SCENE), shot(SCENE)
    assert verdict(before, shot(painted(SCENE))) == "changed"
    assert verdict(before, shot(SCENE)) == "unchanged"


def test_noise_alone_is_no_paint():
    for noise in (4, 10, 25):
        before = shot(SCENE, noise), shot(SCENE, noise)
        assert verdict(before, shot(SCENE, noise)) == "unchanged"


def test_paint_shows_through_noise():
    before = shot(SCENE, 12), shot(SCENE, 12)
    assert verdict(before, shot(painted(SCENE), 12)) == "changed"


def test_an_exposure_that_adapts_is_no_paint():
    before = shot(SCENE), shot(SCENE)
    assert verdict(before, shot(SCENE, gain=1.25)) == "unchanged"
    assert verdict(before, shot(painted(SCENE), gain=0.8)) == "changed"


def test_what_moves_outside_the_object_is_no_paint():
    elsewhere = np.zeros(SIZE, np.bool_)
    elsewhere[:, 62:] = True
    before = shot(SCENE), shot(SCENE)
    assert verdict(before, shot(painted(SCENE, elsewhere))) == "unchanged"


@pytest.mark.parametrize("rows", [3, 4, 6])
def test_paint_on_what_adjoins_a_thin_strip_is_not_the_strips(rows):
    # Such as a pavement below a house that is painted: smoothing and anti-aliasing mix their edges.
    strip, wall = np.zeros(SIZE, np.bool_), np.zeros(SIZE, np.bool_)
    strip[29 : 29 + rows], wall[:29] = True, True
    after = painted(SCENE, wall)
    after[29] = (after[28] + SCENE[29]) / 2
    before = shot(SCENE, 0), shot(SCENE, 0)
    check = check_paint(before, shot(after, 0), strip, ~wall & ~strip)
    assert (check.verdict, check.pixels) == ("unchanged", (rows - 1) * SIZE[1])
    assert check.step == check.share == 0
    own = painted(after, strip)
    assert check_paint(before, shot(own, 0), strip, ~wall & ~strip).verdict == "changed"


def test_a_strip_no_wider_than_the_edge_of_other_paint_proves_nothing():
    strip, wall = np.zeros(SIZE, np.bool_), np.zeros(SIZE, np.bool_)
    strip[29], wall[:29] = True, True
    before = shot(SCENE), shot(SCENE)
    check = check_paint(before, shot(painted(SCENE, wall)), strip, ~wall & ~strip)
    assert check.verdict == "unseen"


def test_other_paint_does_not_count_as_exposure():
    wall = np.zeros(SIZE, np.bool_)
    wall[:, :20] = wall[:, 60:] = True
    before = shot(SCENE, 0), shot(SCENE, 0)
    bright = np.where(wall[..., None], 255, SCENE)
    check = check_paint(before, shot(bright, 0), SEEN, ~wall & ~SEEN)
    assert (check.verdict, check.step) == ("unchanged", 0)


def test_what_flickers_by_itself_is_no_paint():
    patch = np.zeros(SIZE, np.bool_)
    patch[10:50, 20:40] = True
    flicker = np.where(patch[..., None], 255 - SCENE, SCENE)
    assert verdict((shot(SCENE), shot(flicker)), shot(SCENE)) != "changed"


def test_a_picture_that_never_rests_tells_nothing():
    blinking = shot(SCENE), shot(np.full_like(SCENE, 250))
    check = check_paint(blinking, shot(SCENE), np.ones(SIZE, np.bool_))
    assert check.verdict == "unsure"
    assert check.noise > 40


def test_few_pixels_prove_nothing():
    few = np.zeros(SIZE, np.bool_)
    few[:5, :5] = True
    check = check_paint((shot(SCENE), shot(SCENE)), shot(painted(SCENE)), few)
    assert (check.verdict, check.pixels) == ("unseen", 25)


def test_a_weak_coat_in_a_still_picture_is_seen():
    faint = np.where(SEEN[..., None], SCENE + 12, SCENE)
    assert verdict((shot(SCENE, 0.5), shot(SCENE, 0.5)), shot(faint, 0.5)) == "changed"


def test_pictures_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match="pictures are"):
        check_paint((shot(SCENE), shot(SCENE)), shot(SCENE)[:10], SEEN)
