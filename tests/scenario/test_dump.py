"""Scenarios as text: read again they are equal, and they look as people would write them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hartsim.errors import ScenarioError
from hartsim.scenario.dump import distribution_text, to_yaml
from hartsim.scenario.library import library_scenarios
from hartsim.scenario.load import load_scenario, parse_scenario
from hartsim.scenario.schema import Distribution, DrivingSpec, ObjectSpec, Scenario, SceneSpec
from tests.scenario.openscenario import bare
from tests.strategies import scenarios


def again(scenario):
    return parse_scenario(to_yaml(scenario), "again.yaml", scenario.name)


@pytest.mark.parametrize("path", library_scenarios().values(), ids=lambda path: path.stem)
def test_every_scenario_of_the_library_reads_equal(path):
    scenario = load_scenario(path)
    assert bare(again(scenario)) == bare(scenario)


@settings(max_examples=40)
@given(scenarios)
def test_any_scenario_reads_equal(scenario):
    assert bare(again(scenario)) == bare(scenario)


texts = st.text(max_size=40).filter(lambda text: "${" not in text)
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,200}", fullmatch=True)


@given(texts, texts.filter(bool), names, st.lists(texts, min_size=1, unique=True))
def test_any_text_and_any_name_reads_equal(about, texture, name, options):
    made = Scenario(
        name="made",
        task="driving",
        about=about,
        scene=SceneSpec("highway"),
        hazards={name: ObjectSpec("rock", 5.0)},
        textures={"road": texture},
        driving=DrivingSpec(),
        vary={
            "textures.road": Distribution("choice", tuple(options), (1.5,) * len(options)),
            f"hazards.{name}.left_m": Distribution("choice", (0.1, -2.0)),
        },
    )
    read = again(made)
    assert (read.about, dict(read.textures), dict(read.vary)) == (about, made.textures, made.vary)
    assert read.hazards == made.hazards


def test_the_text_looks_like_the_library():
    text = """\
task: driving
about: A child runs into the road, at dusk.

scene: {place: residential_street, weather: rain, time_of_day: dusk}

hazards:
  child: {kind: child, of: van, ahead_m: 9.2, left_m: -1, heading_deg: 90}

objects:
  van: {kind: van, lane: kerb, ahead_m: 6}

cameras:
  front: {ahead_m: 0.6, left_m: 0, up_m: 1.5, pitch_deg: -4, yaw_deg: 0, fov_deg: 80}

textures:
  road: wet asphalt, dark

driving: {speed_mps: 9}

vary:
  scene.weather: {choice: {rain: 4, overcast: 1}}
  hazards.child.ahead_m: {normal: {mean: 9.2, std: 0.7, low: 8.6, high: 11}}
  driving.speed_mps: {uniform: [6, 13]}

where:
  - hazards.child.ahead_m > 9 or driving.speed_mps < 8
"""
    assert to_yaml(parse_scenario(text, "", "child")) == text


def test_long_lines_are_broken():
    options = ", ".join(f"paving of kind {index}" for index in range(9))
    text = (
        "task: driving\nscene: {place: highway}\ntextures: {road: asphalt}\n"
        f"vary: {{textures.road: {{choice: [{options}]}}}}"
    )
    scenario = parse_scenario(text, "", "long")
    lines = to_yaml(scenario).splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[-2].startswith("    {choice: [paving of kind 0, ")
    assert lines[-1].startswith("     paving of kind 4, ")


def test_the_name_is_written_where_it_is_asked_for():
    scenario = parse_scenario("task: driving\nscene: {place: highway}", "", "lone_road")
    assert to_yaml(scenario, named=True).startswith("name: lone_road\ntask: driving\n")


def test_cameras_may_be_taken_away():
    text = "task: driving\n\nscene: {place: highway}\n\ncameras: {}\n"
    assert to_yaml(parse_scenario(text, "", "dark")) == text


@pytest.mark.parametrize(
    ("distribution", "text"),
    [
        (Distribution("choice", ("on", "1", 2.0)), "{choice: ['on', '1', 2]}"),
        (Distribution("choice", ("a", "b"), (0.5, 2.0)), "{choice: {a: 0.5, b: 2}}"),
        (Distribution("loguniform", low=1e-7, high=1e22), "{loguniform: [1.0e-07, 1.0e+22]}"),
    ],
)
def test_distributions_are_written_on_one_line(distribution, text):
    assert distribution_text(distribution) == text


def test_an_interpolation_is_refused():
    scenario = Scenario("a", "driving", "${oc.env:HOME}", SceneSpec("highway"), {})
    with pytest.raises(ScenarioError, match="which scenario files do not have"):
        to_yaml(scenario)
