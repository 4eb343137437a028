import pytest
from hypothesis import given
from hypothesis import strategies as st

from hartsim.errors import ScenarioError
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.kinds import KINDS, kinds_of
from hartsim.scenario.language import parse_sentence
from hartsim.scenario.lexicon import nearest_word
from hartsim.scenario.prompts import describe
from hartsim.scenario.schema import misfit, variable_fields
from hartsim.scenario.sightings import seen_by
from hartsim.scenario.surroundings import PLACES
from tests.strategies import scenarios, seeds


def understood(text):
    scenario, unknown = parse_sentence(text)
    assert unknown == []
    return scenario


def only(members):
    (member,) = members.values()
    return member


def test_a_deer_on_a_snowy_road_at_night():
    scenario = understood("a deer on a snowy road at night")
    scene = scenario.scene
    assert (scene.place, scene.weather, scene.time_of_day) == ("country_road", "snow", "night")
    assert only(scenario.hazards).kind == "deer"
    assert scenario.name == "a_deer_on_a_snowy_road_at_night"


def test_a_child_from_behind_a_van_stands_beyond_it():
    scenario = understood("A child runs out from behind a parked van, at dusk, in heavy rain.")
    van, child = only(scenario.objects), only(scenario.hazards)
    assert child.ahead_m > van.ahead_m + 2
    assert van.left_m < child.left_m < 0


def test_a_named_place_counts_before_a_vague_one():
    scene = understood("a rock on the road in the city").scene
    assert scene.place == "city_street"


def test_metres_are_taken_exactly():
    scenario = understood("a tyre 12.5 m ahead on the highway")
    assert only(scenario.hazards).ahead_m == 12.5
    assert not any(path.endswith("ahead_m") for path in scenario.vary)


@pytest.mark.parametrize(("word", "sign"), [("left", 1), ("right", -1)])
def test_sides_of_a_road(word, sign):
    assert only(understood(f"a dog on the {word}").hazards).left_m * sign > 1


def test_left_on_a_table_is_left_in_the_picture_of_the_front_camera():
    scene = compile_draw(understood("a knife on the left of the kitchen table"), 0, 0)
    (sighting,) = seen_by(scene.setup.objects, scene.setup.cameras[0])
    assert sighting.right < -0.2


def test_near_is_nearer_than_far():
    near, far = (only(understood(f"a deer {w}").hazards).ahead_m for w in ("close", "far away"))
    assert near < 10 < far


def test_numbers_and_plurals_are_counted():
    scenario = understood("two deer and dogs in fog")
    assert [spec.kind for spec in scenario.hazards.values()] == ["deer", "deer", "dog", "dog"]


def test_colours_belong_to_the_noun_beside_them():
    scenario = understood("a person in red and a blue van")
    assert only(scenario.hazards).colour == "red"
    assert only(scenario.objects).colour == "blue"


def test_the_same_word_means_another_thing_on_a_table():
    assert only(understood("a puddle on the highway").hazards).kind == "puddle"
    assert only(understood("a puddle near the laptop").hazards).kind == "water_spill"


def test_next_to_a_laptop_is_near_it():
    scenario = understood("a knife next to a laptop")
    knife, laptop = only(scenario.hazards), only(scenario.objects)
    assert 0.1 < abs(knife.left_m - laptop.left_m) < 0.4


def test_what_is_not_wanted_is_not_there():
    scenario, unknown = parse_sentence("a deer on a road at night, no cars and without rain")
    assert [each.kind for each in scenario.hazards.values()] == ["deer"]
    assert scenario.objects == {}
    assert scenario.scene.weather == "clear"
    assert scenario.driving.traffic == 0
    assert unknown == []


def test_what_comes_after_something_unwanted_is_wanted():
    scenario, _ = parse_sentence("no cyclist but a child and a white van")
    assert [each.kind for each in scenario.hazards.values()] == ["child"]
    assert [each.kind for each in scenario.objects.values()] == ["van"]


@pytest.mark.parametrize(("word", "meant"), [("nigth", "night"), ("pedestrain", "pedestrian")])
def test_a_misspelt_word_has_a_near_one(word, meant):
    assert nearest_word(word) == meant


def test_a_strange_word_has_none():
    assert nearest_word("qwxz") == ""


def test_unknown_words_are_returned():
    assert parse_sentence("a purple deer by moonlight")[1] == ["purple", "moonlight"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "blorb on the left",
            "nothing in 'blorb on the left' is known; name a hazard, a place, a weather or a time "
            "of day, like 'a deer on a snowy road at night'",
        ),
        (
            "",
            "nothing in '' is known; name a hazard, a place, a weather or a time of day, "
            "like 'a deer on a snowy road at night'",
        ),
        (
            "a deer and a mug",
            "'deer' belongs to a road and 'mug' to a table; a sentence describes one scene",
        ),
        ("a mug in fog", "no robot scene has 'fog'; known: clear"),
        ("a deer 900 m ahead", "900 metres ahead: 900 is outside -50..300"),
        ("a deer " * 300, "a sentence of 2100 characters; at most 2000"),
        (f"a deer {'9' * 400} m ahead", "1e+06 metres ahead: 1e+06 is outside -50..300"),
    ],
)
def test_what_cannot_be_a_scene_is_refused(text, expected):
    with pytest.raises(ScenarioError) as caught:
        parse_sentence(text)
    assert str(caught.value) == expected


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.id)
def test_every_noun_of_the_catalogue_is_understood(kind):
    place = "on a highway" if kind.task == "driving" else "on an office desk"
    for noun in kind.nouns:
        scenario = understood(f"{noun} {place}")
        assert {s.kind for s in (scenario.hazards | scenario.objects).values()} == {kind.id}


@given(scenarios, seeds)
def test_every_prompt_is_understood_as_the_scene_it_describes(scenario, wording):
    setup = compile_draw(scenario, 0, 0).setup
    again = understood(describe(setup, "front", wording))
    assert again.scene == scenario.scene
    hazards = {spec.kind for spec in scenario.hazards.values()}
    assert {spec.kind for spec in again.hazards.values()} <= hazards


_SOME_WORDS = st.sampled_from(
    [noun for kind in kinds_of("driving") for noun in kind.nouns]
    + [noun for place in PLACES.values() for noun in place.nouns]
    + ["behind", "near", "left", "3", "4 m", "900 m", "two", "in red", "fog", "at night", "zzz"]
)


@given(st.lists(_SOME_WORDS, max_size=8))
def test_any_words_give_a_valid_scenario_or_a_scenario_error(words):
    try:
        scenario, _ = parse_sentence(" ".join(words))
    except ScenarioError:
        return
    rules = variable_fields(scenario)
    for path, distribution in scenario.vary.items():
        assert misfit(rules[path], distribution.low, scenario.task) is None
    compile_draw(scenario, 0, 0)


def test_what_things_do_and_when():
    child = only(understood("a child runs out from behind a parked van").hazards)
    assert (child.motion, child.heading_deg) == ("crosses", 90.0)
    assert child.speed_mps > 0
    assert child.when_distance_m > 0


def test_a_lane_is_where_the_place_has_it():
    car = only(understood("a stopped car in the oncoming lane of a highway").hazards)
    assert car.left_m == pytest.approx(PLACES["highway"].lanes_m["oncoming"], abs=0.3)


def test_the_ego_has_the_speed_that_is_told():
    assert understood("a deer, ego at 90 km/h").driving.speed_mps == pytest.approx(25.0)
    with pytest.raises(ScenarioError, match=r"'900 km h' is no speed for the ego: 250 is outside"):
        parse_sentence("a deer at 900 km/h")


def test_the_ground_is_told_apart_from_the_weather():
    assert understood("a deer on an icy road").scene.ground == "icy"
    assert understood("a deer on a wet road in the rain").scene.ground is None


def test_the_robot_fetches_what_it_is_told_to():
    scenario = understood("pick up the red mug, a knife lies next to it")
    mug = only(scenario.objects)
    assert scenario.objects[scenario.robot.reach] == mug
    assert abs(only(scenario.hazards).left_m - mug.left_m) < 0.4


def test_what_is_said_of_unknown_things_is_not_laid_on_others():
    scenario, unknown = parse_sentence("a deer, and a zeppelin on the left")
    assert unknown == ["zeppelin"]
    assert only(scenario.hazards).left_m < 2


def test_a_thing_named_again_is_the_same():
    scenario = understood("a white van stands on the right and a child runs out behind the van")
    assert len(scenario.objects) == len(scenario.hazards) == 1


def test_a_reader_of_ones_own_reads_in_place_of_the_grammar():
    asked = []

    def reader(sentence, schema):
        asked.append((sentence, schema))
        return "task: driving\nscene: {place: highway}\nhazards: {d: {kind: deer, ahead_m: 9}}\n"

    scenario, unknown = parse_sentence("etwas Wildes auf der Autobahn", reader)
    assert scenario.hazards["d"].kind == "deer"
    assert unknown == []
    assert asked[0][0] == "etwas Wildes auf der Autobahn"
    assert '"ahead_m"' in asked[0][1]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("task: driving\nscene: {place: moon}\n", "reader:2: scene.place: unknown place 'moon'"),
        (None, "returned NoneType, not YAML"),
    ],
)
def test_what_a_reader_answers_is_checked_like_a_file(answer, problem):
    with pytest.raises(ScenarioError) as caught:
        parse_sentence("something", lambda sentence, schema: answer)
    assert problem in str(caught.value)
