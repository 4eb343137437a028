import pytest

from hartsim.cli import run
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.library import library_scenarios
from hartsim.scenario.lint import SEVERITIES, lint, lint_scene
from hartsim.scenario.load import load_scenario
from hartsim.scenario.prompts import MOST_WORDS


def ids(prompt, **about):
    return [finding.id for finding in lint(prompt, **about)]


def words(id, prompt):
    return [finding.words for finding in lint(prompt) if finding.id == id]


GOOD = [
    "a deer on a snowy road at night",
    "a child running out from behind a parked van on a residential street at dusk in heavy rain",
    "a dashcam photo of a red stopped car standing in the lane ahead on a highway in fog",
    "a knife and a human hand on a kitchen table in daylight",
    "a deer on a wet road in fog, a dark car far ahead by day",
    "two deer and a dog on a country road at dawn under an overcast grey sky",
]


@pytest.mark.parametrize("prompt", GOOD)
def test_nothing_is_said_of_a_good_prompt(prompt):
    assert lint(prompt) == ()


@pytest.mark.parametrize("name", sorted(library_scenarios())[::12])
def test_the_prompts_of_a_shipped_scenario_have_no_error(name):
    for findings in lint_scene(compile_draw(load_scenario(name), 0, 0)).values():
        assert [each for each in findings if each.severity == "error"] == []


def test_what_is_not_read_is_shown():
    prompt = " ".join(["a deer", *(f"and {count} rocks" for count in range(20))])
    (unread,) = words("too_long", prompt)
    assert len(unread.split()) == 2 + 3 * 20 - MOST_WORDS
    assert unread.endswith("and 19 rocks")


@pytest.mark.parametrize(
    ("prompt", "negation"),
    [
        ("a deer on a road, no cars", "no cars"),
        ("a deer without any traffic", "without any traffic"),
        ("a deer that is not running", "not running"),
        ("a deer, don't show rain", "don't show"),
    ],
)
def test_a_negation_is_found_with_what_it_denies(prompt, negation):
    assert words("negation", prompt) == [negation]


@pytest.mark.parametrize(
    ("prompt", "sides"),
    [
        ("a deer in fog and in heavy rain", "in fog and in heavy rain"),
        ("a deer at night on a highway at noon", "at night and at noon"),
        ("a deer on a highway, a city street at dusk", "highway and city street"),
        ("a deer next to a keyboard and a phone on a desk", "deer"),
    ],
)
def test_a_contradiction_is_found_with_its_sides(prompt, sides):
    assert words("contradiction", prompt) == [sides]


def test_things_of_another_task_are_no_matter_where_the_task_is_known():
    assert "contradiction" not in ids("worn wooden planks on a bench", task="robot", hazards=[])


@pytest.mark.parametrize(
    "prompt", ["a deer in rain, a dog in the rain", "a deer at night, a dark road by night"]
)
def test_a_weather_or_time_that_is_said_twice_is_a_repetition_and_no_contradiction(prompt):
    assert ids(prompt) == ["repetition"]


@pytest.mark.parametrize(
    ("prompt", "repeated"),
    [
        ("a very very dark road with a deer", "very very"),
        ("a red stopped car near a red stopped car", "red stopped car"),
    ],
)
def test_a_repeated_phrase_is_found_without_the_little_words_around_it(prompt, repeated):
    assert words("repetition", prompt) == [repeated]


def test_a_prompt_without_a_hazard_is_found():
    assert ids("a white van on a highway in fog") == ["no_hazard"]


def test_the_hazards_of_a_scene_are_what_counts():
    assert ids("a white van on a highway in fog", hazards=["van"]) == []
    assert ids("a deer on a highway in fog", hazards=["rock"]) == ["no_hazard"]
    assert ids("fields and trees along a country road", hazards=[]) == []


def test_a_hazard_after_thirty_words_is_late():
    scene = "a dashcam photo of a residential street at dusk in heavy rain with wet asphalt"
    cars = ", a white car ahead to the left, a black bus far ahead to the right"
    assert ids(f"{scene}{cars} and a deer") == ["late_hazard"]
    assert ids(f"{scene} and a deer{cars}") == []


def test_an_unknown_word_comes_with_the_nearest_known_one():
    (finding,) = lint("a pedestrain and a deer at night")
    assert (finding.id, finding.words) == ("unknown_word", "pedestrain")
    assert finding.better.startswith("did you mean 'pedestrian'?")


def test_vague_words_come_with_something_to_say_instead():
    found = {each.words: each.better for each in lint("a nice deer and a dangerous thing")}
    assert found["nice"].startswith("leave it out")
    assert found["dangerous"].startswith("say what makes it so")
    assert found["thing"].startswith("name it")


def test_what_would_be_refused_is_found():
    assert ids("a corpse and a deer on the road")[0] == "refused"
    assert words("refused", "John Smith and a deer") == ["John Smith"]


def test_the_worst_comes_first():
    found = lint("a nice zebra at night at noon, no cars")
    severities = [SEVERITIES[each.id] for each in found]
    assert severities == sorted(severities)
    assert {"error", "warning"} == set(severities)


def test_an_empty_prompt_names_no_hazard():
    assert ids("") == ["no_hazard"]


def test_every_prompt_of_a_scene_is_read():
    scene = compile_draw(load_scenario("hand_and_knife"), 0, 0)
    assert set(lint_scene(scene)) == {
        *("view front", "view top", "backdrop front", "backdrop top"),
        *("texture table", "texture wall", "texture floor", "texture box"),
    }


@pytest.fixture
def wide_screen(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "240")


@pytest.mark.usefixtures("wide_screen")
def test_the_command_shows_findings_and_fails_on_errors(capsys):
    assert run(["lint", "a deer on a road, no cars"]) == 1
    shown = capsys.readouterr().out
    assert "error" in shown
    assert "no cars" in shown
    assert shown.endswith("1 prompt: 1 error, 0 warnings\n")


@pytest.mark.usefixtures("wide_screen")
def test_the_command_passes_on_warnings_and_on_shipped_scenarios(capsys):
    assert run(["lint", "a nice deer on a road", "child_behind_van", "--count", "2"]) == 0
    assert capsys.readouterr().out.endswith("21 prompts: 0 errors, 1 warning\n")


@pytest.mark.usefixtures("wide_screen")
def test_the_command_says_what_it_is_for(capsys):
    assert run(["lint", "--help"]) == 0
    assert "Example: hartsim lint" in capsys.readouterr().out


def test_a_word_that_is_no_scenario_is_told(capsys):
    assert run(["lint", "child_behind_vam"]) == 2
    assert "child_behind_van" in capsys.readouterr().err
