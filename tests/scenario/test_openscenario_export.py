"""Exported files: equal when imported again, and what stands in them."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hartsim.errors import ScenarioError
from hartsim.scenario.catalogue import ids_of
from hartsim.scenario.library import library_scenarios
from hartsim.scenario.load import load_scenario, parse_scenario
from hartsim.scenario.openscenario import export_openscenario, import_openscenario
from hartsim.scenario.openscenario.exporting import exported
from hartsim.scenario.openscenario.roads import road_of
from hartsim.scenario.openscenario.tree import parse_xml
from hartsim.scenario.schema import (
    DEFAULT_CAMERAS,
    CameraSpec,
    Distribution,
    DrivingSpec,
    ObjectSpec,
    RobotSpec,
    Rule,
    Scenario,
    SceneSpec,
    rules_of,
    variable_fields,
)
from hartsim.scenario.surroundings import PLACES
from tests.scenario.openscenario import EVERYTHING, bare

CHILD = """\
task: driving
scene: {place: residential_street, weather: rain, time_of_day: dusk}
hazards:
  child: {kind: child, ahead_m: 20, left_m: -3, heading_deg: 90, colour: red}
objects:
  van: {kind: van, ahead_m: 14, lane: kerb}
"""


def scenario(text):
    return parse_scenario(text, "case.yaml", "case")


def again(scenario, folder):
    """The scenario after a journey through files, and the notes on the way back."""
    first, *_ = export_openscenario(scenario, folder)
    imported = import_openscenario(first)
    return imported.scenario, imported.notes


def root_of(scenario, suffix=".xosc"):
    return parse_xml(exported(scenario)[f"{scenario.name}{suffix}"].encode(), scenario.name)


def found(scenario, name, suffix=".xosc"):
    return [each for each in root_of(scenario, suffix).walk() if each.name == name]


@pytest.mark.parametrize("path", library_scenarios().values(), ids=lambda path: path.stem)
def test_every_scenario_of_the_library_comes_back_equal(path, tmp_path):
    before = load_scenario(path)
    after, notes = again(before, tmp_path)
    assert bare(after) == bare(before)
    assert notes == ()


numbers = st.floats(0, 1)


def within(rule):
    return numbers.map(lambda share: rule.low + (rule.high - rule.low) * share)


def values_of(rule: Rule, task: str):
    """Values that a field with this rule may have, None aside."""
    if rule.holds == "number":
        whole = within(rule).map(lambda number: max(float(round(number)), rule.low))
        return within(rule) | whole
    if rule.names is not None:
        return st.sampled_from(rule.names)
    if rule.vocabulary is None:
        return st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)
    return st.sampled_from(ids_of(rule.vocabulary, task))


@st.composite
def specs(draw, kind, task, only=None):
    """A specification with values for its required fields and some others."""
    given = {}
    for name, rule in rules_of(kind).items():
        known = rule.vocabulary is None or ids_of(rule.vocabulary, task)
        if known and (only is None or name in only) and draw(st.booleans()):
            given[name] = draw(values_of(rule, task))
    return given


@st.composite
def distributions(draw, rule: Rule, task: str) -> Distribution:
    values = values_of(rule, task)
    kind = "choice" if rule.holds == "text" else draw(st.sampled_from(["choice", *RANGES]))
    if kind == "choice":
        options = tuple(draw(st.lists(values, min_size=1, max_size=4, unique=True)))
        weights = draw(st.none() | st.just(tuple(float(1 + i) for i in range(len(options)))))
        return Distribution("choice", options, weights)
    low, high = sorted([draw(within(rule)), draw(within(rule))])
    if (kind == "loguniform" and low <= 0) or kind == "integer":
        kind, low, high = "integer", float(round(low)), float(round(high))
        low, high = max(low, -(-rule.low // 1)), min(high, rule.high // 1)
        if low > high:
            kind, low, high = "uniform", rule.low, rule.high
    if kind == "normal":
        return Distribution(kind, mean=draw(within(rule)), std=0.1 + low * low, low=low, high=high)
    return Distribution(kind, low=low, high=high)


RANGES = ["uniform", "normal", "loguniform", "integer"]
NAMES = ["child", "van", "Ego", "a-b", "a_b", "x" * 40]


@st.composite
def scenarios(draw) -> Scenario:
    """Scenarios with everything that a file may say, each of it sometimes."""
    task = draw(st.sampled_from(["driving", "driving", "robot"]))
    place = draw(st.sampled_from(ids_of("place", task)))
    scene = SceneSpec(**{**draw(specs(SceneSpec, task)), "place": place})
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=4))
    things = {name: draw(things_of(task, place, names[:index])) for index, name in enumerate(names)}
    split = draw(st.integers(0, len(names)))
    made = Scenario(
        name="case",
        task=task,
        about=draw(values_of(Rule("text"), task)).replace("${", ""),
        scene=scene,
        hazards={name: things[name] for name in names[:split]},
        objects={name: things[name] for name in names[split:]},
        cameras=draw(st.just(DEFAULT_CAMERAS[task]) | cameras(task)),
        textures=draw(st.just({}) | st.just({"box": 'brown cardboard, "torn"'})),
        driving=DrivingSpec(**draw(specs(DrivingSpec, task))) if task == "driving" else None,
        robot=RobotSpec(**draw(specs(RobotSpec, task, ["clutter"]))) if task == "robot" else None,
    )
    return replace(made, vary=draw(varied(made)))


@st.composite
def things_of(draw, task, place, others) -> ObjectSpec:
    only = [name for name in rules_of(ObjectSpec) if name not in ("of", "behind", "lane")]
    given = draw(specs(ObjectSpec, task, only))
    given.setdefault("kind", draw(st.sampled_from(ids_of("kind", task))))
    given.setdefault("ahead_m", draw(st.sampled_from([0.5, 12.0])))
    if "motion" not in given:
        given = {name: each for name, each in given.items() if not name.startswith("when")}
    by = draw(st.sampled_from(["", "of", "behind", "lane"]))
    if by in ("of", "behind") and others:
        given[by] = draw(st.sampled_from(others))
    if by == "lane" and PLACES[place].lanes_m:
        given[by] = draw(st.sampled_from(list(PLACES[place].lanes_m)))
    return ObjectSpec(**given)


@st.composite
def cameras(draw, task):
    given = {"ahead_m": 1.0, "left_m": 0.0, "up_m": 1.5} | draw(specs(CameraSpec, task))
    return {"front": CameraSpec(**given)}


@st.composite
def varied(draw, scenario):
    """Distributions of a few fields; hosts and lanes stay, as they may exclude each other."""
    rules = {
        path: rule
        for path, rule in variable_fields(scenario).items()
        if path.rpartition(".")[2] not in ("of", "behind", "lane", "place", "reach")
        and (rule.vocabulary is None or ids_of(rule.vocabulary, scenario.task))
    }
    paths = draw(st.lists(st.sampled_from(list(rules)), unique=True, max_size=6))
    return {path: draw(distributions(rules[path], scenario.task)) for path in paths}


@settings(max_examples=40)
@given(scenarios())
def test_any_scenario_comes_back_equal(tmp_path_factory, before):
    after, notes = again(before, tmp_path_factory.mktemp("case"))
    assert bare(after) == bare(before)
    assert notes == ()


def test_everything_that_can_be_said_comes_back_equal(tmp_path):
    before = scenario(EVERYTHING)
    after, notes = again(before, tmp_path)
    assert bare(after) == bare(before)
    assert notes == ()


def attributes(scenario, name):
    return [dict(each.attributes) for each in found(scenario, name)]


def test_the_files_are_named_and_only_those_that_are_needed_are_written(tmp_path):
    paths = export_openscenario(scenario(CHILD), tmp_path)
    assert [path.name for path in paths] == ["case.xosc", "case.xodr"]
    varied = scenario(CHILD + "vary: {hazards.child.kind: {choice: [child, dog]}}")
    paths = export_openscenario(varied, tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in paths[2:]] == [
        "case.dist.xosc",
        "case.catalogs/kinds.xosc",
    ]


def test_distributions_of_an_earlier_export_are_removed(tmp_path):
    export_openscenario(scenario(CHILD + "vary: {driving.speed_mps: {uniform: [5, 9]}}"), tmp_path)
    after, _ = again(scenario(CHILD), tmp_path)
    assert after.vary == {}


def test_positions_are_those_of_the_ego_s_frame():
    places = attributes(scenario(CHILD), "WorldPosition")
    assert {"x": "20", "y": "-3", "z": "0", "h": "1.5707963267948966"} in places


def test_a_lane_is_a_lane_of_the_road_file():
    (place,) = attributes(scenario(CHILD), "LanePosition")
    assert (place["laneId"], place["s"], place["offset"]) == ("-2", "114", "0")
    lanes = {each["id"]: each["type"] for each in attributes_of_road(scenario(CHILD))}
    assert lanes[place["laneId"]] == "parking"


def attributes_of_road(scenario):
    return [dict(each.attributes) for each in found(scenario, "lane", ".xodr")]


@pytest.mark.parametrize("place", [place for place in PLACES.values() if place.lanes_m])
def test_the_lanes_of_a_road_file_have_their_middles_where_the_place_has_them(place):
    made = scenario(f"task: driving\nscene: {{place: {place.id}}}")
    (start,) = found(made, "geometry", ".xodr")
    road = road_of(place.lanes_m)
    for side in (1, -1):
        edge = float(start.attributes["y"])
        for lane in sorted((each for each in road.lanes if each.id * side > 0), key=_from_middle):
            assert lane.middle_m == pytest.approx(edge + side * lane.width_m / 2)
            edge += side * lane.width_m
    assert {lane.name for lane in road.lanes if lane.name} == set(place.lanes_m)


def _from_middle(lane):
    return abs(lane.id)


@pytest.mark.parametrize(
    ("motion", "element"),
    [
        ("crosses", "SpeedAction"),
        ("drives", "SpeedAction"),
        ("cuts_in", "LaneChangeAction"),
        ("brakes", "SpeedAction"),
        ("rolls", "StoryboardElementStateCondition"),
        ("falls", "FollowTrajectoryAction"),
        ("appears", "AddEntityAction"),
    ],
)
def test_a_motion_is_an_act_with_a_trigger(motion, element):
    told = f"motion: {motion}, speed_mps: 3, up_m: 2, when_distance_m: 15, when_time_s: 4"
    made = scenario(CHILD.replace("colour: red", told))
    (story,) = found(made, "Story")
    names = [each.name for each in story.walk()]
    assert element in names
    assert {"RelativeDistanceCondition", "SimulationTimeCondition"} <= set(names)


def test_what_varies_is_a_parameter():
    made = scenario(
        CHILD + "vary: {hazards.child.heading_deg: {uniform: [60, 120]}, "
        "driving.speed_mps: {choice: {8: 1, 9: 3}}}"
    )
    declared = {each["name"]: each["value"] for each in attributes(made, "ParameterDeclaration")}
    assert declared == {"driving__speed_mps": "10", "hazards__child__heading_deg": "90"}
    text = exported(made)["case.xosc"]
    assert 'h="${$hazards__child__heading_deg / 57.295779513082}"' in text
    assert 'value="$driving__speed_mps"' in text
    drawn = exported(made)["case.dist.xosc"]
    assert '<Element value="9" weight="3"/>' in drawn
    assert '<Range lowerLimit="60" upperLimit="120"/>' in drawn


def test_a_varied_kind_is_an_entry_of_a_catalogue():
    made = scenario(CHILD + "vary: {hazards.child.kind: {choice: [child, dog, tyre]}}")
    catalogue = parse_xml(exported(made)["case.catalogs/kinds.xosc"].encode(), "kinds")
    assert [each.name for each in catalogue.named("Catalog")[0].children] == [
        "Pedestrian",
        "Pedestrian",
        "MiscObject",
    ]


def test_only_what_has_no_words_in_openscenario_is_kept_in_properties():
    assert {each["name"] for each in attributes(scenario(CHILD), "Property")} == {
        "hartsim:task",
        "hartsim:scene.place",
        "hartsim:things.child.colour",
        "hartsim:things.van.left_m",
        "hartsim:things.van.lane",
    }


def test_a_text_that_looks_like_a_parameter_comes_back(tmp_path):
    before = scenario(CHILD + "about: $5 \\$x\ntextures: {road: '\\$y'}\n")
    after, notes = again(before, tmp_path)
    assert (after.about, after.textures) == ("$5 \\$x", {"road": "\\$y"})
    assert notes == ()


def test_a_text_that_xml_cannot_hold_is_refused(tmp_path):
    with pytest.raises(ScenarioError, match="which XML cannot hold"):
        export_openscenario(scenario(CHILD + 'about: "\\x01"'), tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ScenarioError, match="file: cannot be written"):
        export_openscenario(scenario(CHILD), tmp_path / "file")


EDITS = [
    ('x="20"', 'x="25"', ("hazards", "child", "ahead_m", 25.0)),
    ('weather" value="', 'weather" value="', ("scene", "weather", "rain")),
    ('precipitationType="rain"', 'precipitationType="snow"', ("scene", "weather", "snow")),
    ('offset="0"', 'offset="1"', ("objects", "van", "left_m", -2.2)),
]


@pytest.mark.parametrize(("old", "new", "expected"), EDITS)
def test_what_others_change_in_an_exported_file_counts(old, new, expected, tmp_path):
    first, *_ = export_openscenario(scenario(CHILD), tmp_path)
    first.write_text(first.read_text().replace(old, new))
    value = import_openscenario(first).scenario
    for name in expected[:-1]:
        value = value[name] if isinstance(value, dict) else getattr(value, name)
    assert value == expected[-1]


def test_what_is_kept_of_a_changed_thing_is_left_with_a_note(tmp_path):
    first, *_ = export_openscenario(scenario(CHILD), tmp_path)
    first.write_text(first.read_text().replace('laneId="-2"', 'laneId="-1"'))
    imported = import_openscenario(first)
    assert imported.scenario.objects["van"].lane is None
    assert "the file was changed since" in str(imported.notes[0])


def test_a_changed_distribution_counts_more_than_the_one_that_was_kept(tmp_path):
    told = "vary: {hazards.child.ahead_m: {loguniform: [10, 40]}, driving.speed_mps: {choice: [5]}}"
    first, *_ = export_openscenario(scenario(CHILD + told), tmp_path)
    drawn = tmp_path / "case.dist.xosc"
    drawn.write_text(drawn.read_text().replace('Element value="5"', 'Element value="7"'))
    vary = import_openscenario(first).scenario.vary
    assert vary["driving.speed_mps"] == Distribution("choice", (7.0,), (1.0,))
    assert vary["hazards.child.ahead_m"] == Distribution("loguniform", low=10.0, high=40.0)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('value="driving"', 'value="flying"', r"case.xosc:\d+: Property: no such task"),
        ('value="residential_street"', 'value="moon"', "no place 'moon' of a driving task"),
        ('colour" value="red"', 'colour" value="rde"', "unknown colour 'rde'"),
        ('x="20"', 'x="2000"', "hazards.child.ahead_m: 2000 is outside"),
    ],
)
def test_a_broken_own_file_is_refused_with_its_place(old, new, problem, tmp_path):
    first, *_ = export_openscenario(scenario(CHILD), tmp_path)
    first.write_text(first.read_text().replace(old, new))
    with pytest.raises(ScenarioError, match=problem):
        import_openscenario(first)


def test_a_kept_distribution_cannot_smuggle_in_other_lines(tmp_path):
    told = "vary: {hazards.child.ahead_m: {loguniform: [10, 40]}}"
    first, *_ = export_openscenario(scenario(CHILD + told), tmp_path)
    drawn = tmp_path / "case.dist.xosc"
    drawn.write_text(drawn.read_text().replace("[10, 40]}", "[10, 40]}&#10;extends: /etc/hosts"))
    with pytest.raises(ScenarioError, match=r"case.dist.xosc:\d+: Property: is no distribution"):
        import_openscenario(first)
