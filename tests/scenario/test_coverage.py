import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from hartsim.errors import ScenarioError
from hartsim.scenario.compiled import TAG_GROUPS
from hartsim.scenario.compiler import compile_draw, compile_scenario
from hartsim.scenario.coverage import (
    as_svg,
    catalogue_values,
    combinations,
    cover,
    possible_values,
    require_factors,
    values_of,
)
from hartsim.scenario.load import load_scenario
from hartsim.scenario.samplers import Sampling, make_sampler
from hartsim.scenario.schema import TASKS, Distribution

CHILD = load_scenario("child_behind_van")
FACTORS = ["weather", "hazard"]


def test_pairs_take_one_value_of_each_of_two_factors():
    values = {"weather": ("rain",), "hazard": ("child", "deer"), "place": ()}
    assert combinations(values, ["weather", "hazard", "place"], 2) == {
        (("weather", "rain"), ("hazard", "child")),
        (("weather", "rain"), ("hazard", "deer")),
    }


def test_what_occurs_is_counted_and_what_does_not_is_missing():
    rain_child = {"weather": ("rain",), "hazard": ("child",)}
    fog_deer = {"weather": ("fog",), "hazard": ("deer",)}
    found = cover([rain_child, rain_child], [rain_child, fog_deer], FACTORS, 2)
    assert list(found.counts.values()) == [0, 2]
    assert found.missing == [(("weather", "fog"), ("hazard", "deer"))]
    assert found.share == 0.5


def test_what_cannot_occur_is_not_missed():
    parts = [{"weather": ("rain",), "hazard": ("child",)}, {"weather": ("fog",), "hazard": ()}]
    assert len(cover([], parts, FACTORS, 2).counts) == 1


def test_a_scenario_can_show_just_what_its_draws_do():
    factors = ["place", "weather", "time_of_day", "odd", "sotif", "objects.oncoming.kind"]
    possible = possible_values(CHILD, factors)
    drawn = [compile_draw(CHILD, 0, index) for index in range(300)]
    seen = [values_of(scene, CHILD, factors) for scene in drawn]
    found = cover(seen, possible, factors, 1)
    assert found.missing == []
    assert {each for values in seen for each in combinations(values, factors, 1)} == set(
        found.counts
    )


def test_pairwise_draws_cover_every_pair():
    sampler = make_sampler(CHILD, 1, Sampling("pairwise"))
    factors = list(CHILD.vary)
    scenes = [compile_scenario(sampler.draw(index)) for index in range(sampler.size)]
    seen = [values_of(scene, CHILD, factors) for scene in scenes]
    found = cover(seen, possible_values(CHILD, factors), factors, 2)
    assert len(found.counts) > 10 * sampler.size
    assert found.share == 1


@pytest.mark.parametrize("task", TASKS)
def test_the_catalogue_has_every_tag_that_a_scene_carries(task):
    known = catalogue_values(task, TAG_GROUPS)
    name = {"driving": "deer_snow_road", "robot": "hand_and_knife"}[task]
    for group, tags in compile_draw(load_scenario(name), 0, 0).tags.items():
        assert set(tags) <= set(known[group])


def test_too_many_combinations_are_refused():
    options = Distribution("choice", tuple(CHILD.vary["objects.oncoming.kind"].options) * 30)
    paths = ("objects.oncoming.kind", "objects.van.kind", "hazards.child.kind")
    with pytest.raises(ScenarioError, match="combinations of options; at most 5000"):
        possible_values(replace(CHILD, vary=dict.fromkeys(paths, options)), FACTORS)


def test_an_unknown_factor_has_a_hint():
    with pytest.raises(ScenarioError, match=r"did you mean 'hazards\.child\.ahead_m'"):
        require_factors([CHILD], ["hazards.child.ahead"])


def test_the_picture_has_a_cell_for_every_pair():
    possible = possible_values(CHILD, ["weather", "time_of_day"])
    pairs = cover(possible[:1], possible, ["weather", "time_of_day"], 2)
    titles = [each.text for each in ET.fromstring(as_svg(pairs)).iter() if "title" in each.tag]
    assert len(titles) == len(pairs.counts)
    assert "overcast with night: 0" in titles
