import json
import math
from dataclasses import replace

import pytest
from hypothesis import given

from hartsim.scenario.compiler import compile_draw, out_of_sight, to_plain
from hartsim.scenario.draw import set_values
from hartsim.scenario.kinds import KINDS
from hartsim.scenario.load import load_scenario
from hartsim.scenario.schema import ObjectSpec, SceneSpec
from hartsim.scenario.surroundings import SURFACES, WEATHERS
from tests.strategies import indices, scenarios, seeds

CHILD = load_scenario("child_behind_van")
STILL = replace(CHILD, vary={})


def thing(scene, name):
    return next(each for each in scene.setup.objects if each.name == name)


@given(scenarios, seeds, indices)
def test_the_same_draw_compiles_to_the_same_scene(scenario, seed, index):
    assert compile_draw(scenario, seed, index) == compile_draw(scenario, seed, index)


@given(scenarios, seeds)
def test_every_surface_and_every_camera_has_its_prompts(scenario, seed):
    scene = compile_draw(scenario, seed, 0)
    assert tuple(scene.texture_prompts) == SURFACES[scenario.task]
    assert set(scene.view_prompts) == set(scene.backdrop_prompts) == set(scenario.cameras)


@given(scenarios, seeds)
def test_a_scene_as_plain_data_is_json(scenario, seed):
    plain = to_plain(compile_draw(scenario, seed, 0))
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


@given(scenarios, seeds)
def test_sizes_stay_within_the_spread_of_their_kind(scenario, seed):
    for placed in compile_draw(scenario, seed, 0).setup.objects:
        kind = KINDS[placed.kind]
        ratios = [a / b for a, b in zip(placed.box.size_m, kind.size_m, strict=True)]
        assert all(abs(ratio - 1) <= kind.spread + 1e-9 for ratio in ratios)


def test_a_box_stands_on_the_ground_where_the_file_says():
    child = thing(compile_draw(STILL, 0, 0), "child")
    assert child.box.centre_m == pytest.approx((9.2, -1.0, child.box.size_m[2] / 2))
    assert child.box.heading_rad == pytest.approx(math.pi / 2)


def test_scale_multiplies_the_size():
    taller = replace(STILL, hazards={"child": replace(STILL.hazards["child"], scale=2.0)})
    sizes = [thing(compile_draw(each, 0, 0), "child").box.size_m[2] for each in (STILL, taller)]
    assert sizes[1] == pytest.approx(2 * sizes[0])


def test_only_hazards_carry_hazard_tags():
    scene = compile_draw(STILL, 0, 0)
    assert thing(scene, "child").tags == (
        "nhtsa:pedestrian_no_manoeuvre",
        "sotif:erratic_motion",
        "sotif:small_target",
    )
    assert thing(scene, "van").tags == ()


def test_scene_tags_name_hazard_place_weather_and_light():
    tags = compile_draw(STILL, 0, 0).tags
    assert (tags["hazard"], tags["class"]) == (("child",), ("person",))
    assert tags["odd"] == (
        "road:residential",
        "lanes:two_way",
        "weather:rain",
        "surface:wet",
        "light:low_sun",
    )
    assert {"precipitation", "low_light"} <= set(tags["sotif"])


def test_a_colour_that_is_asked_for_is_given():
    van = ObjectSpec("van", 9.0, -3.3, colour="red")
    scene = compile_draw(replace(STILL, objects={"van": van}), 0, 0)
    assert thing(scene, "van").colour == (0.5, 0.02, 0.02)


@pytest.mark.parametrize("weather", WEATHERS)
def test_the_numbers_of_a_weather_stay_between_weak_and_strong(weather):
    wet = replace(STILL, scene=SceneSpec("highway", weather))
    for index in range(20):
        conditions = compile_draw(wet, 0, index).setup.conditions
        for name, slope in WEATHERS[weather].numbers.items():
            assert 0 <= slope.strength_of(getattr(conditions, name)) <= 1


def test_only_bad_weather_limits_the_view():
    clear = replace(STILL, scene=SceneSpec("highway"))
    assert compile_draw(clear, 0, 0).setup.conditions.visibility_m == math.inf
    assert compile_draw(STILL, 0, 0).setup.conditions.visibility_m < 1000


def test_the_sun_stands_below_the_horizon_at_night_only():
    for time, is_night in (("day", False), ("dusk", False), ("night", True), ("dawn", False)):
        dark = replace(STILL, scene=SceneSpec("highway", "clear", time))
        elevation = compile_draw(dark, 0, 0).setup.conditions.sun_elevation_rad
        assert (elevation < 0) == is_night


def test_draws_of_one_scenario_differ_in_what_it_leaves_open():
    seeds_of_decor = {compile_draw(STILL, 0, index).setup.decor_seed for index in range(10)}
    assert len(seeds_of_decor) == 10


def test_a_texture_that_the_file_words_is_asked_for_in_its_words():
    worded = replace(STILL, textures={"road": "cobblestones"})
    assert compile_draw(worded, 0, 0).texture_prompts["road"].endswith("cobblestones")


def test_no_path_of_this_machine_reaches_the_plain_scene():
    assert "source" not in to_plain(compile_draw(CHILD, 0, 0))["scenario"]


def test_a_hazard_that_no_camera_sees_is_warned_of(caplog):
    far = set_values(STILL, {"hazards.child.ahead_m": -20.0})
    assert out_of_sight(compile_draw(far, 0, 0).setup) == ["child"]
    assert "no camera's picture has 'child' in it" in caplog.text
    caplog.clear()
    assert out_of_sight(compile_draw(STILL, 0, 0).setup) == []
    assert caplog.text == ""
