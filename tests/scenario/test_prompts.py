"""The golden prompts are made anew by `python -m tests.scenario.test_prompts`, on purpose only."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from hartsim.config import load_config
from hartsim.errors import ConfigError
from hartsim.library import library_path
from hartsim.scenario.compiled import Conditions
from hartsim.scenario.compiler import camera_setup, compile_draw, placed
from hartsim.scenario.draw import stream
from hartsim.scenario.kinds import KINDS
from hartsim.scenario.lexicon import words_of
from hartsim.scenario.library import library_scenarios
from hartsim.scenario.load import load_scenario
from hartsim.scenario.prompts import (
    LOOKS,
    MOST_WORDS,
    backdrop_prompt,
    beginning,
    counted,
    describe,
    is_known,
    texture_prompts,
)
from hartsim.scenario.schema import DEFAULT_CAMERAS, CameraSpec, ObjectSpec
from hartsim.scenario.sightings import seen_by
from hartsim.scenario.surroundings import GROUNDS, WEATHERS
from hartsim.scenario.wording import weather_phrase
from tests.strategies import scenarios, seeds

GOLDEN = Path(__file__).parents[1] / "golden" / "prompts"
AGAIN = "if that was meant: python -m tests.scenario.test_prompts"
FRONT = camera_setup("front", DEFAULT_CAMERAS["driving"]["front"])
ALONG_THE_ROAD = [
    (kind, 6 + 1.5 * place) for place, kind in enumerate(("child", "dog", "deer") * 4)
]


def golden_lines(name: str) -> Iterator[str]:
    """The prompts of a scenario's first draws, by look, route, and camera or surface."""
    scenario = load_scenario(name)
    for index in range(3):
        yield f"{name}-{index:05d}"
        for look in LOOKS:
            scene = compile_draw(scenario, 0, index, look)
            routes = {
                "view and repaint": scene.view_prompts,
                "backdrop": scene.backdrop_prompts,
                "texture": scene.texture_prompts,
                "negative": {"": scene.negative},
            }
            for route, prompts in routes.items():
                for target, text in prompts.items():
                    yield f"  {' '.join(filter(None, (look, route, target)))}: {text}"


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


@pytest.mark.parametrize("name", library_scenarios())
def test_the_prompts_are_those_on_record(name):
    record = GOLDEN / f"{name}.txt"
    assert record.is_file(), AGAIN
    assert list(golden_lines(name)) == record.read_text(encoding="utf-8").splitlines(), AGAIN


def test_every_record_is_of_a_shipped_scenario():
    assert {path.stem for path in GOLDEN.iterdir()} <= set(library_scenarios()), AGAIN


def test_the_budget_is_what_the_smallest_shipped_encoder_reads():
    configs = library_path("weights").glob("*/config.json")
    read = [json.loads(path.read_text())["transformer"]["context_token"] for path in configs]
    assert min(read) == MOST_WORDS


@pytest.mark.parametrize("text", ["a driver's view", "snow-covered", "12.5 m", "Über_x, a  b"])
def test_words_are_counted_as_the_encoder_counts_them(text):
    from hartsim.hart.text import WORD  # loads torch

    assert counted(text) == WORD.findall(text.lower())


@pytest.mark.parametrize("look", LOOKS)
@settings(max_examples=30)
@given(scenarios, seeds)
def test_all_of_a_prompt_is_read(look, scenario, seed):
    scene = compile_draw(scenario, seed, 0, look)
    prompts = [scene.view_prompts, scene.backdrop_prompts, scene.texture_prompts]
    assert all(len(counted(text)) <= MOST_WORDS for each in prompts for text in each.values())


def crowded(count, *others):
    return street(*(put(kind, ahead, 0) for kind, ahead in ALONG_THE_ROAD[:count]), *others)


@pytest.mark.parametrize("count", [1, 4, 8, 12])
def test_no_hazard_is_left_out_before_everything_else_is(count):
    setup = crowded(count, put("truck", 30, 3.5, hazard=False))
    hazards = [nouns_of(kind) for kind, _ in ALONG_THE_ROAD[:count]]
    for text in every_wording(setup):
        assert len(counted(text)) <= MOST_WORDS
        all_named = sum(text.count(noun) for noun in set().union(*hazards)) >= count
        assert all_named or "highway" not in text


def nouns_of(kind):
    return {noun.removeprefix("a ") for noun in KINDS[kind].nouns}


def test_what_is_too_long_names_the_hazards_first_and_leaves_out_the_least_important():
    van, adult = put("van", 20, 3.5, hazard=False), put("adult", 16, -4, hazard=False)
    setup = street(put("child", 8, 1), put("deer", 10, -1), van, adult)
    long = [text for text in every_wording(setup) if len(counted(text)) > MOST_WORDS - 6]
    assert any(not text.startswith(OPENINGS) for text in long)
    for text in every_wording(setup):
        assert "highway" in text or "motorway" in text
        assert any(noun in text for noun in nouns_of("deer"))


OPENINGS = tuple(each for each in LOOKS["photo"].views["driving"] if each)


def test_where_hazards_are_is_said_less_before_the_scene_is():
    for text in every_wording(crowded(6)):
        assert "highway" in text or "motorway" in text


def test_a_texture_that_is_too_long_is_cut_and_told(caplog):
    asked = {"road": " ".join(f"word{i}" for i in range(60))}
    conditions = Conditions("highway", "clear", "day")
    prompts = texture_prompts("driving", conditions, asked, stream("texture"))
    assert prompts["road"].startswith("seamless texture of word0 ")
    assert prompts["road"].endswith("word44")
    assert "cut after 48 words" in caplog.text


def test_the_beginning_of_a_text_keeps_its_spelling():
    assert beginning("A driver's view, of it", 4) == "A driver's view"
    assert beginning("short", 3) == "short"


@settings(max_examples=30)
@given(scenarios, seeds)
def test_a_look_changes_the_openings_alone(scenario, seed):
    photo, render = (compile_draw(scenario, seed, 0, look) for look in ("photo", "render"))
    for name, text in photo.backdrop_prompts.items():
        said = text.removeprefix("a photo of ")
        assert render.backdrop_prompts[name] == f"a computer game view of {said}"
    assert photo.setup == render.setup
    assert photo.negative != render.negative


def test_every_view_of_a_render_says_so():
    setup = street(put("deer", 12, 0))
    texts = [describe(setup, "front", wording, look="render") for wording in range(60)]
    assert all(text.startswith(LOOKS["render"].views["driving"]) for text in texts)
    plain = every_wording(setup)
    assert all(
        words_after_opening(a) == words_after_opening(b) for a, b in zip(texts, plain, strict=True)
    )


def words_after_opening(text):
    for look in LOOKS.values():
        for opening in filter(None, look.views["driving"]):
            text = text.removeprefix(f"{opening} ")
    return text


def test_skies_textures_and_backdrops_have_the_look_too():
    conditions = Conditions("highway", "clear", "day")
    prompts = texture_prompts("driving", conditions, {}, stream("look"), "render")
    assert prompts["sky"].startswith("a wide computer game view of a clear sky")
    assert prompts["road"].startswith("seamless computer game texture of ")
    behind = backdrop_prompt("driving", conditions, stream("look"), "render")
    assert behind.startswith("a computer game view of ")


def test_looks_have_as_many_openings_as_each_other():
    counts = {(task, len(each)) for look in LOOKS.values() for task, each in look.views.items()}
    assert len(counts) == 2


def test_an_unknown_look_is_refused_with_the_known_one():
    with pytest.raises(ValueError, match=r"no look is called 'rendr'; did you mean 'render'?"):
        compile_draw(load_scenario("child_behind_van"), 0, 0, "rendr")
    with pytest.raises(ConfigError, match=r"render\.look: no 'rendr'; did you mean 'render'?"):
        load_config(["render.look=rendr"])


@pytest.mark.parametrize("look", LOOKS)
def test_every_look_can_be_configured(look):
    assert load_config([f"render.look={look}"]).render.look == look


@settings(max_examples=30)
@given(scenarios, seeds)
def test_every_word_of_a_prompt_is_known(scenario, seed):
    scene = compile_draw(scenario, seed, 0)
    texts = [*scene.view_prompts.values(), *scene.backdrop_prompts.values()]
    words = {word for text in texts for word in words_of(text) if word[0].isalpha()}
    assert {word for word in words if not is_known(word)} == set()


@pytest.mark.parametrize("ground", GROUNDS)
def test_a_ground_that_is_asked_for_is_said(ground):
    setup = replace(street(put("deer", 12, 0)))
    setup = replace(setup, conditions=Conditions("highway", "fog", "night", ground=ground))
    texts = every_wording(setup)
    assert all(any(phrase in text for phrase in GROUNDS[ground].phrases) for text in texts)


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
    GOLDEN.mkdir(exist_ok=True)
    for stale in GOLDEN.glob("*.txt"):
        stale.unlink()
    for name in library_scenarios():
        lines = "\n".join(golden_lines(name))
        (GOLDEN / f"{name}.txt").write_text(f"{lines}\n", encoding="utf-8")
