"""Exported files: equal when imported again, and what stands in them."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hartsim.scenario.catalogue import ids_of
from hartsim.scenario.library import library_scenarios
from hartsim.scenario.load import load_scenario, parse_scenario
from hartsim.scenario.openscenario import export_openscenario, import_openscenario
from hartsim.scenario.openscenario.exporting import exported
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
from tests.scenario.openscenario import bare

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


@settings(max_examples=150)
@given(scenarios())
def test_any_scenario_comes_back_equal(tmp_path_factory, before):
    after, notes = again(before, tmp_path_factory.mktemp("case"))
    assert bare(after) == bare(before)
    assert notes == ()
