import numpy as np
import pytest

from hartsim.adapters.gymnasium.looks import Occasion, View
from hartsim.adapters.gymnasium.weather import (
    Air,
    Weather,
    air_of,
    flat_depth,
    of_catalogue,
    weather_names,
)
from hartsim.scenario.compiler import camera_setup
from hartsim.scenario.schema import DEFAULT_CAMERAS
from hartsim.types import CLASS_ID

CAMERA = camera_setup("front", DEFAULT_CAMERAS["driving"]["front"])
SIDE = 64


def look_of(air):
    return Weather("made up", lambda _: air, lambda view: view.depth_m, CAMERA)


def shown(air, depth_m=50.0, time_s=0.0, value=60, seed=0, labels=None):
    """A grey picture at one depth (or a map of depths) behind the air, at a time."""
    depth = np.broadcast_to(np.float32(depth_m), (SIDE, SIDE)).copy()
    begun = View(np.full((SIDE, SIDE, 3), value, np.uint8), labels, depth)
    worn = look_of(air).choose(Occasion(seed, 0, 0), begun)
    view = View(np.full((SIDE, SIDE, 3), value, np.uint8), labels, depth, time_s=time_s)
    worn.show(view)
    return view.image


def test_clear_air_changes_nothing():
    assert (shown(Air()) == 60).all()


def test_fog_hides_more_of_what_is_farther_and_almost_all_at_its_range():
    values = [int(shown(Air(visibility_m=50), away)[32, 32, 1]) for away in (1, 10, 25, 50, 400)]
    assert values == sorted(values)
    assert values[0] - 60 < 0.1 * (values[-1] - 60)
    assert values[3] - 60 > 0.95 * (values[-1] - 60)


def test_fog_follows_the_law_of_koschmieder():
    near, far = (shown(Air(visibility_m=80), away)[32, 32, 1] for away in (20.0, 499.0))
    assert abs((int(near) - 60) / (int(far) - 60) - (1 - np.exp(-3.912 * 20 / 80))) < 0.05


def test_fog_is_darker_at_night():
    assert shown(Air(visibility_m=50), 300, value=8).max() < 60


def test_the_sky_overhead_is_less_foggy_than_at_the_horizon():
    image = shown(Air(visibility_m=300), np.inf)
    assert image[0, 32, 1] < image[24, 32, 1]


@pytest.mark.parametrize("air", [Air(rain=1.0), Air(snow=1.0)])
def test_what_falls_moves_and_comes_back_for_the_same_time(air):
    first, later, again = (shown(air, time_s=time) for time in (0.0, 0.1, 0.0))
    assert (first == again).all()
    assert (first != later).any(-1).mean() > 0.02
    assert 0.02 < (first != 60).any(-1).mean() < 0.9


def test_snow_falls_slowly_enough_to_be_followed():
    def flakes(time_s):
        return shown(Air(snow=0.2), time_s=time_s)[..., 0].astype(float) - 60

    now, soon = flakes(1.0), flakes(1.02)
    much_later = flakes(4.0)
    assert (now * soon).sum() > 2 * (now * much_later).sum()


@pytest.mark.parametrize("air", [Air(rain=1.0), Air(snow=1.0)])
def test_nothing_falls_before_what_is_nearer(air):
    depth = np.full((SIDE, SIDE), 100.0, np.float32)
    depth[:, :32] = 0.3
    image = shown(air, depth)
    assert (image[:, :32] == 60).all()
    assert (image[:, 32:] != 60).any()


@pytest.mark.parametrize("air", [Air(rain=1.0), Air(snow=1.0), Air(glass="dirt")])
def test_another_seed_gives_other_weather(air):
    assert (shown(air, seed=1) != shown(air, seed=2)).any()


@pytest.mark.parametrize(("glass", "kind"), [("dirt", "dirty_lens"), ("drops", "lens_drops")])
def test_labels_are_those_of_the_glass_just_where_it_hides_more_than_half(glass, kind):
    labels = np.zeros((SIDE, SIDE), np.uint8)
    shown(Air(glass=glass), labels=labels)
    own = labels == CLASS_ID["other"]
    assert 0.02 < own.mean() < 0.6
    faint = np.zeros((SIDE, SIDE), np.uint8)
    shown(Air(glass=glass, cover=0.4), labels=faint)
    assert not faint.any()


@pytest.mark.parametrize("weather", weather_names())
def test_stronger_weather_is_seen_more(weather):
    def change(strength):
        image = shown(air_of(weather, strength), np.float32(60))
        return np.abs(image.astype(int) - 60).mean()

    assert change(1.0) > change(0.0) > 0


def test_the_strength_is_drawn_anew_each_time_where_none_is_asked_for():
    air = of_catalogue("fog", None, None)
    ranges = [air(Occasion(0, episode, 0)).visibility_m for episode in range(20)]
    assert len(set(ranges)) == 20
    assert 32 <= min(ranges) < 60 < max(ranges) <= 110


def test_flat_ground_is_as_far_as_the_camera_sees_it():
    depth = flat_depth(CAMERA, (200, 200))
    assert np.isinf(depth[0]).all()
    column = depth[:, 100][np.isfinite(depth[:, 100])]
    assert (np.diff(column) < 0).all()
    below = CAMERA.pitch_rad - np.arctan(199 / 200 * np.tan(CAMERA.fov_rad / 2))
    assert column[-1] == pytest.approx(1.5 / np.tan(-below) * np.cos(0.0), rel=0.15)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("clear", None, None), "'clear', which is not seen in the air; known: dirty_lens, fog"),
        (("fogg", None, None), "did you mean 'fog'"),
        (("fog", 1.5, None), "strength is 1.5, must be 0..1"),
        (("fog", None, 0.0), "visibility_m is 0.0, must be more than 0"),
    ],
)
def test_weather_that_cannot_be_is_refused(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        of_catalogue(*arguments)
