from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hartsim.errors import ScenarioError
from hartsim.scenario.constraints import (
    ConditionError,
    facts_of,
    holds,
    names_in,
    refuse_nonsense,
    unmet,
)
from hartsim.scenario.draw import draw
from hartsim.scenario.load import load_scenario, parse_scenario
from hartsim.scenario.samplers import Sampling, make_sampler
from hartsim.types import SAMPLERS

CHILD = load_scenario("child_behind_van")
FACTS = {"a.b": 3.0, "a.c": 2.0, "scene.weather": "rain", "colour": None}
STOPS = "hazards.child.ahead_m > ego.stopping_distance_m"


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("a.b > a.c", True),
        ("a.b < a.c", False),
        ("a.b - a.c == 1", True),
        ("-a.b <= 2 * (a.c + 1) / 3", True),
        ("1 < a.c < a.b < 4", True),
        ("1 < a.c < 2", False),
        ("a.b > 5 or a.c >= 2", True),
        ("not a.b > 5 and a.c > 5", False),
        ("scene.weather in ['rain', 'snow']", True),
        ("scene.weather not in ('rain', 'snow')", False),
        ("scene.weather != 'fog'", True),
        ("max(a.b, a.c) - min(a.b, a.c) < abs(-2)", True),
        ("colour == 'red'", False),
    ],
)
def test_conditions_are_worked_out_as_they_read(text, met):
    refuse_nonsense(text, FACTS)
    assert holds(text, FACTS) is met


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a.b", "compares nothing"),
        ("a.b > ", "is no condition"),
        ("a.d > 1", "speaks of 'a.d'; did you mean 'a."),
        ("open('x') > 1", "calls 'open'; there is abs, min, max"),
        ("a.b.__class__ == 1", "speaks of 'a.b.__class__'"),
        ("().__class__.__bases__ == 1", "speaks of '().__class__.__bases__'"),
        ("[x for x in (1, 2)] == 1", "has a ListComp, which conditions do not have"),
        ("(lambda: 1)() == 1", "calls 'that'"),
        ("a.b ** 9 > 1", "has a Pow"),
        ("a.b > 'x'", "cannot be worked out"),
        ("1 / 0 > 1", "cannot be worked out"),
        ("'x' * 999999999 > 1", "cannot be worked out"),
        ("1 == 1" + " and 1 == 1" * 60, "at most 500"),
    ],
)
def test_everything_else_is_refused(text, problem):
    with pytest.raises(ConditionError) as caught:
        refuse_nonsense(text, FACTS)
    assert problem in str(caught.value)


@given(st.text("ab.c <>=()[]'\"+-*/0123 andornotinmx_,:{}lambd\\\n", max_size=60))
def test_any_text_is_a_condition_or_says_why_not(text):
    try:
        refuse_nonsense(text, FACTS)
    except ConditionError:
        return
    assert holds(text, FACTS) in (True, False)


def test_names_are_found_once_each():
    assert names_in("max(a.b, 1) > a.c and a.b < 9") == ["a.b", "a.c"]


def test_the_stopping_distance_is_reaction_and_braking():
    still = replace(CHILD, driving=replace(CHILD.driving, speed_mps=12.0))
    assert facts_of(still)["ego.stopping_distance_m"] == 12 + 144 / 12


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_draw_meets_the_conditions(name):
    scenario = replace(CHILD, where=("hazards.child.left_m < -1", "driving.speed_mps > 9"))
    sampler = make_sampler(scenario, 1, Sampling(name), 20)
    for index in range(20):
        assert unmet(sampler.draw(index).scenario) == []


def test_draws_that_meet_the_conditions_at_once_are_as_without_them():
    conditions = replace(CHILD, where=("driving.speed_mps > 5",))
    assert draw(conditions, 3, 4).values == draw(CHILD, 3, 4).values


def test_a_condition_that_cannot_be_met_is_named():
    with pytest.raises(
        ScenarioError, match=r"where: 'driving\.speed_mps > 50' was not met in 1000"
    ):
        draw(replace(CHILD, where=("driving.speed_mps > 50",)), 0, 0)


def test_a_file_states_one_condition_or_several():
    text = "task: driving\nscene: {place: highway}\nhazards: {child: {kind: child, ahead_m: 30}}\n"
    assert parse_scenario(f"{text}where: {STOPS}", "f", "n").where == (STOPS,)
    assert parse_scenario(f"{text}where: [{STOPS}, {STOPS}]", "f", "n").where == (STOPS, STOPS)


def test_a_wrong_condition_is_told_with_its_line():
    text = "task: driving\nscene: {place: highway}\nwhere:\n  - driving.sped_mps > 3"
    with pytest.raises(ScenarioError, match=r"^f:4: where: .* did you mean 'driving\.speed_mps'"):
        parse_scenario(text, "f", "n")
