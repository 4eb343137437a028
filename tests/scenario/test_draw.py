from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hartsim.scenario.draw import draw, quantile_of, set_values, stream, value_at
from hartsim.scenario.load import load_scenario
from hartsim.scenario.schema import Distribution
from tests.strategies import choices, indices, quantiles, ranges, seeds, words

CHILD = load_scenario("child_behind_van")
AHEAD = "hazards.child.ahead_m"


@given(seeds, indices)
def test_the_same_seed_and_index_give_the_same_draw(seed, index):
    assert draw(CHILD, seed, index) == draw(CHILD, seed, index)


@given(seeds, st.permutations(range(5)))
def test_the_order_of_draws_does_not_matter(seed, order):
    ahead = [draw(CHILD, seed, index).values for index in range(5)]
    assert [draw(CHILD, seed, index).values for index in order] == [ahead[i] for i in order]


@given(seeds, indices)
def test_every_value_lies_within_its_range_or_options(seed, index):
    for path, value in draw(CHILD, seed, index).values.items():
        asked = CHILD.vary[path]
        assert value in asked.options if asked.options else asked.low <= value <= asked.high


@given(ranges(), quantiles)
def test_numbers_lie_between_low_and_high(distribution, quantile):
    value = value_at(distribution, quantile)
    assert distribution.low <= value <= distribution.high
    assert distribution.kind != "integer" or value == int(value)


@given(choices(), quantiles)
def test_an_option_without_weight_is_never_drawn(distribution, quantile):
    value = value_at(distribution, quantile)
    weights = distribution.weights or (1.0,) * len(distribution.options)
    assert weights[distribution.options.index(value)] > 0


@given(ranges(), quantiles, quantiles)
def test_a_higher_quantile_never_gives_a_lower_number(distribution, one, other):
    low, high = sorted((one, other))
    assert value_at(distribution, low) <= value_at(distribution, high)


@given(st.lists(words, max_size=3), st.lists(words, max_size=3))
def test_different_keys_have_different_streams(one, other):
    same = stream(*one).random() == stream(*other).random()
    assert same == (one == other)


def test_numbers_are_those_of_any_other_machine():
    assert quantile_of("child", 1, 2, "scene.weather") == 0.9724888200641102
    assert stream("child", 1, 2).random() == 0.7306687552972434


def test_quantiles_are_spread_evenly():
    tenths = Counter(int(quantile_of("child", 0, index) * 10) for index in range(10_000))
    assert all(850 < tenths[tenth] < 1150 for tenth in range(10))


def test_weights_are_shares_of_the_draws():
    distribution = Distribution("choice", ("rain", "fog"), (3.0, 1.0))
    drawn = Counter(value_at(distribution, (i + 0.5) / 1000) for i in range(1000))
    assert drawn == {"rain": 750, "fog": 250}


def test_a_normal_is_cut_off_without_piling_up_at_its_ends():
    distribution = Distribution("normal", mean=10.0, std=5.0, low=9.0, high=11.0)
    drawn = [value_at(distribution, (i + 0.5) / 100) for i in range(100)]
    assert len(set(drawn)) == 100
    assert drawn[0] == pytest.approx(9.0, abs=0.02)
    assert drawn[-1] == pytest.approx(11.0, abs=0.02)


def test_a_normal_far_from_its_range_still_draws_from_it():
    distribution = Distribution("normal", mean=0.0, std=1.0, low=90.0, high=91.0)
    assert 90 <= value_at(distribution, 0.5) <= 91


def test_an_integer_range_includes_both_ends():
    distribution = Distribution("integer", low=1, high=3)
    assert [value_at(distribution, q) for q in (0.0, 0.5, 0.999)] == [1, 2, 3]


def test_a_loguniform_spends_as_much_on_each_doubling():
    assert value_at(Distribution("loguniform", low=10, high=40), 0.5) == pytest.approx(20)


def test_a_drawn_scenario_leaves_nothing_to_vary():
    drawn = draw(CHILD, 1, 0)
    assert drawn.scenario.vary == {}
    assert drawn.scenario.hazards["child"].ahead_m == drawn.values[AHEAD]
    assert drawn.scenario.driving.traffic == drawn.values["driving.traffic"]


def test_another_varied_path_leaves_the_other_values_as_they_were():
    fewer = replace(CHILD, vary={AHEAD: CHILD.vary[AHEAD]})
    assert draw(fewer, 1, 0).values[AHEAD] == draw(CHILD, 1, 0).values[AHEAD]


def test_what_does_not_vary_stays_as_the_file_says():
    changed = set_values(CHILD, {AHEAD: 9.5})
    assert changed.hazards["child"] == replace(CHILD.hazards["child"], ahead_m=9.5)
    assert changed.objects == CHILD.objects
