"""The golden prompts are made anew by `python -m tests.scenario.test_prompts`, on purpose only."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from hartsim.scenario.compiled import Conditions
from hartsim.scenario.compiler import camera_setup, compile_draw, placed
from hartsim.scenario.draw import stream
from hartsim.scenario.library import library_scenarios
from hartsim.scenario.load import load_scenario
from hartsim.scenario.prompts import describe, seen_by, weather_phrase
from hartsim.scenario.schema import DEFAULT_CAMERAS, CameraSpec, ObjectSpec
from hartsim.scenario.surroundings import WEATHERS
from tests.strategies import scenarios, seeds

GOLDEN = Path(__file__).parents[1] / "golden" / "prompts.txt"
FRONT = camera_setup("front", DEFAULT_CAMERAS["driving"]["front"])


def golden_lines() -> Iterator[str]:
    """Prompts of the first draws of every shipped scenario."""
    for name in sorted(library_scenarios()):
        scenario = load_scenario(name)
        for index in range(3):
            scene = compile_draw(scenario, 0, index)
            yield scene.key
            yield from (f"  {camera}: {text}" for camera, text in scene.view_prompts.items())
            yield f"  backdrop: {scene.backdrop_prompts['front']}"
            yield from (f"  {name}: {text}" for name, text in scene.texture_prompts.items())


def put(kind, ahead_m, left_m, hazard=True):
    spec = ObjectSpec(kind, ahead_m, left_m, colour="red")
    return placed(kind, spec, hazard, stream("test"))


def seen(*things, camera=FRONT):
    return {s.thing.name: s for s in seen_by(things, camera)}


def street(*things, **conditions):
    scene = compile_draw(replace(load_scenario("child_behind_van"), vary={}), 0, 0)
    calm = Conditions("highway", "clear", "day", **conditions)
    return replace(scene.setup, objects=things, conditions=calm)


def every_wording(setup, camera="front"):
    return [describe(setup, camera, wording) for wording in range(60)]


def test_the_prompts_are_those_on_record():
    assert list(golden_lines()) == GOLDEN.read_text(encoding="utf-8").splitlines()


@given(scenarios, seeds)
def test_prompts_are_tidy(scenario, seed):
    scene = compile_draw(scenario, seed, 0)
    for text in (*scene.view_prompts.values(), *scene.texture_prompts.values()):
        assert text.isascii()
        assert "  " not in text
        assert text == text.strip(" ,")


def test_a_scene_has_many_wordings():
    assert len(set(every_wording(street(put("deer", 12, 0))))) > 20


def test_every_wording_names_the_hazard():
    assert all("deer" in t or "stag" in t for t in every_wording(street(put("deer", 12, 0))))


@pytest.mark.parametrize(("left_m", "side"), [(4, "left"), (-4, "right")])
def test_left_and_right_are_those_of_the_picture(left_m, side):
    assert all(f"the {side}" in text for text in every_wording(street(put("rock", 12, left_m))))


def test_near_and_far_are_told_apart():
    near, far = (every_wording(street(put("rock", ahead, 0))) for ahead in (6, 26))
    assert not set(near) & set(far)
    assert any("far ahead" in text for text in far)
    assert not any("far ahead" in text for text in near)


def test_what_comes_from_behind_a_parked_van_is_said_to():
    texts = every_wording(street(put("child", 11, -1), put("van", 7.5, -3.3, hazard=False)))
    assert all("from behind a parked van" in text for text in texts)


def test_what_is_in_front_of_the_van_does_not_come_from_behind_it():
    texts = every_wording(street(put("child", 6, -1), put("van", 12, -3.3, hazard=False)))
    assert not any("behind" in text for text in texts)


def test_the_colour_is_said_often_and_never_another():
    texts = every_wording(street(put("stopped_car", 12, 0)))
    assert sum("red" in text for text in texts) > 30
    assert not any("blue" in text for text in texts)


def test_an_empty_road_is_called_empty():
    assert all("an empty " in text for text in every_wording(street()))


def test_what_fog_hides_is_not_mentioned():
    foggy = street(put("deer", 25, 0), visibility_m=26.0)
    assert not any("deer" in text for text in every_wording(foggy))


def test_only_visible_things_are_mentioned_where_a_frame_says_which():
    setup = street(put("deer", 12, 0), put("rock", 14, 2))
    assert "rock" not in describe(setup, "front", 0, visible=["deer"])
    assert "empty" in describe(setup, "front", 0, visible=[])


@pytest.mark.parametrize(
    ("ahead_m", "left_m", "yaw_deg"), [(10, 0, 0), (-10, 0, 180), (0, 10, 90), (0, -10, -90)]
)
def test_a_thing_before_a_turned_camera_is_in_the_middle(ahead_m, left_m, yaw_deg):
    camera = camera_setup("turned", CameraSpec(0, 0, 0.4, yaw_deg=yaw_deg))
    sighting = seen(put("rock", ahead_m, left_m), camera=camera)["rock"]
    assert (sighting.right, sighting.distance_m) == pytest.approx((0, 10), abs=1e-9)


def test_sightings_fall_where_a_pinhole_camera_sees_them():
    sighting = seen(put("rock", 10.6, 2.0))["rock"]
    centre = put("rock", 10.6, 2.0).box.centre_m
    pitch, tangent = math.radians(-4), math.tan(math.radians(27.5))
    depth = 10 * math.cos(pitch) + (centre[2] - 1.5) * math.sin(pitch)
    assert sighting.right == pytest.approx(-2.0 / depth / tangent, rel=1e-3)


def test_what_is_behind_or_beside_the_picture_is_not_seen():
    assert not seen(put("rock", -5, 0), put("deer", 5, 6), put("dog", 1, 0))


def test_a_camera_from_above_sees_what_is_ahead_at_the_top():
    top = camera_setup("top", CameraSpec(0.5, 0, 1.2, pitch_deg=-90))
    sighting = seen(put("mug", 0.7, 0.2), camera=top)["mug"]
    assert sighting.down < -0.1
    assert sighting.right < -0.1


@pytest.mark.parametrize(("strength", "words"), [(0.1, "weak"), (0.9, "strong")])
def test_the_words_for_rain_fit_its_strength(strength, words):
    rain = WEATHERS["rain"].numbers["rain"].at(strength)
    conditions = Conditions("highway", "rain", "day", rain=rain)
    said = {weather_phrase(conditions, stream("words", i)) for i in range(20)}
    assert said == set(getattr(WEATHERS["rain"], words))


if __name__ == "__main__":
    GOLDEN.write_text("\n".join(golden_lines()) + "\n", encoding="utf-8")
