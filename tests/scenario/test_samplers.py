import itertools
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import example, given

from hartsim.errors import ScenarioError
from hartsim.scenario.draw import draw, value_at
from hartsim.scenario.load import load_scenario
from hartsim.scenario.samplers import (
    Sampling,
    level_names,
    level_of,
    levels_of,
    make_sampler,
)
from hartsim.scenario.schema import Distribution
from hartsim.types import SAMPLERS
from tests.strategies import choices, distributions, quantiles

CHILD = load_scenario("child_behind_van")
SMALL = replace(
    CHILD,
    vary={
        "scene.weather": Distribution("choice", ("rain", "overcast", "snow"), (8.0, 1.0, 1.0)),
        "hazards.child.ahead_m": Distribution("uniform", low=8.0, high=11.0),
        "objects.van.colour": Distribution("choice", ("white", "red")),
    },
)


def levels_drawn(scenario, sampler, count, levels=3):
    return [
        {
            path: level_of(scenario.vary[path], value, levels)
            for path, value in sampler.draw(index).values.items()
        }
        for index in range(count)
    ]


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_same_seed_gives_the_same_draws_in_any_order(name):
    one, other = (make_sampler(SMALL, 3, Sampling(name), 6) for _ in range(2))
    forwards = [one.draw(index).values for index in range(6)]
    assert [other.draw(index).values for index in reversed(range(6))] == forwards[::-1]


@pytest.mark.parametrize("name", ["random", "sobol", "latin", "pairwise", "rare"])
def test_another_seed_gives_other_draws(name):
    one, other = (make_sampler(CHILD, seed, Sampling(name), 4).draw(0).values for seed in (1, 2))
    assert one != other


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_value_obeys_its_distribution(name):
    sampler = make_sampler(CHILD, 0, Sampling(name), 16)
    for index in range(16):
        for path, value in sampler.draw(index).values.items():
            asked = CHILD.vary[path]
            assert value in asked.options if asked.options else asked.low <= value <= asked.high


def test_the_random_sampler_draws_what_draw_does():
    assert make_sampler(CHILD, 5).draw(7) == draw(CHILD, 5, 7)


def test_pairs_are_all_covered_in_the_number_of_draws_it_states():
    sampler = make_sampler(CHILD, 1, Sampling("pairwise"))
    rows = levels_drawn(CHILD, sampler, sampler.size)
    wanted = {
        ((a, x), (b, y))
        for a, b in itertools.combinations(CHILD.vary, 2)
        for x in level_names(CHILD.vary[a], 3)
        for y in level_names(CHILD.vary[b], 3)
    }
    seen = {pair for row in rows for pair in itertools.combinations(row.items(), 2)}
    assert seen == wanted
    assert sampler.size < 60 < len(wanted)


def test_triples_take_more_draws_and_are_all_covered():
    pairs, triples = (make_sampler(SMALL, 1, Sampling("pairwise", ways=w)) for w in (2, 3))
    rows = {tuple(row.values()) for row in levels_drawn(SMALL, triples, triples.size)}
    assert len(rows) == 3 * 3 * 2 == triples.size > pairs.size


def test_a_plan_begun_again_covers_the_same_levels_with_other_values():
    sampler = make_sampler(SMALL, 1, Sampling("pairwise"))
    first, again = sampler.draw(0).values, sampler.draw(sampler.size).values
    assert first != again
    assert levels_drawn(SMALL, sampler, 1) == levels_drawn(SMALL, sampler, sampler.size + 1)[-1:]


def test_a_grid_has_every_combination_once():
    sampler = make_sampler(SMALL, 1, Sampling("grid", levels=4))
    rows = {tuple(row.values()) for row in levels_drawn(SMALL, sampler, sampler.size, levels=4)}
    assert len(rows) == sampler.size == 3 * 4 * 2


def test_a_latin_hypercube_visits_every_part_of_every_range():
    sampler = make_sampler(SMALL, 1, Sampling("latin"), count=10)
    ahead = SMALL.vary["hazards.child.ahead_m"]
    values = [sampler.draw(index).values["hazards.child.ahead_m"] for index in range(10)]
    assert len({level_of(ahead, value, 10) for value in values}) == 10


def test_a_sobol_sequence_goes_on_where_a_shorter_one_ended():
    short, long = (make_sampler(SMALL, 1, Sampling("sobol"), count) for count in (5, 50))
    assert [short.draw(i).values for i in range(5)] == [long.draw(i).values for i in range(5)]


def test_sobol_spreads_more_evenly_than_chance():
    ahead = SMALL.vary["hazards.child.ahead_m"]

    def unevenness(name):
        sampler = make_sampler(SMALL, 1, Sampling(name), 64)
        drawn = [sampler.draw(i).values["hazards.child.ahead_m"] for i in range(64)]
        counts = Counter(level_of(ahead, value, 16) for value in drawn)
        return sum((counts[name] - 4) ** 2 for name in level_names(ahead, 16))

    assert unevenness("sobol") == 0 < unevenness("random")


def test_rare_options_come_up_as_often_as_the_others_and_say_how_rare_they_are():
    sampler = make_sampler(SMALL, 1, Sampling("rare"))
    draws = [sampler.draw(index) for index in range(600)]
    weather = Counter(made.values["scene.weather"] for made in draws)
    assert all(150 < count < 250 for count in weather.values())
    weights = {made.values["scene.weather"]: made.weight for made in draws}
    assert weights == pytest.approx({"rain": 2.4, "overcast": 0.3, "snow": 0.3})
    # weighted, the draws are those of the scenario again
    assert sum(made.weight for made in draws) / 600 == pytest.approx(1, abs=0.1)


def test_rare_draws_stay_even_where_a_condition_rules_many_out():
    half = replace(SMALL, where=("hazards.child.ahead_m > 9.5",))
    draws = [make_sampler(half, 1, Sampling("rare")).draw(index) for index in range(300)]
    weather = Counter(made.values["scene.weather"] for made in draws)
    assert all(70 < count < 130 for count in weather.values())
    assert sum(made.weight for made in draws) / 300 == pytest.approx(1, abs=0.15)


def test_a_scenario_that_varies_nothing_has_one_draw():
    still = replace(CHILD, vary={})
    for name in SAMPLERS:
        assert make_sampler(still, 1, Sampling(name), 2).draw(1).values == {}
    assert make_sampler(still, 1, Sampling("pairwise")).size == 1


def test_too_many_combinations_are_refused_with_what_to_change():
    with pytest.raises(ScenarioError, match=r"3 of its varied values have 27000 combinations"):
        make_sampler(CHILD, 1, Sampling("pairwise", levels=30, ways=3))


@given(distributions)
def test_levels_cover_all_quantiles_in_order(distribution):
    parts = levels_of(distribution, 4)
    assert parts[0][0] == 0
    assert parts[-1][1] == pytest.approx(1)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(parts))


@given(choices(), quantiles)
@example(Distribution("choice", ("a", "aa"), (5e-324, 0.02)), 0.0)
def test_the_level_of_an_option_is_its_name(distribution, quantile):
    value = value_at(distribution, quantile)
    assert level_of(distribution, value, 3) == value
    assert value in level_names(distribution, 3)
