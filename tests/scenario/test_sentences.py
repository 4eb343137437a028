import pytest

from hartsim.scenario.kinds import KINDS
from tests.scenario.sentences import found, read, score, wanted, without_defaults

SETS = ("tuning", "tuning_more", "held_out")


@pytest.mark.parametrize("name", SETS)
def test_what_is_expected_is_in_the_catalogue(name):
    for entry in read(name):
        for thing in entry.get("things", ()):
            assert KINDS[thing["kind"]].task == entry["task"], entry["say"]


def test_there_are_enough_sentences_and_none_twice():
    said = [entry["say"] for name in SETS for entry in read(name)]
    assert len(set(said)) == len(said) >= 150
    assert len(read("held_out")) >= 40


def test_sentences_that_were_tuned_on_are_understood():
    exact, f1 = score([*read("tuning"), *read("tuning_more")])
    assert exact >= 0.85
    assert f1 >= 0.95


def test_sentences_never_seen_before_are_mostly_understood():
    exact, f1 = score(read("held_out"))
    assert exact >= 0.75
    assert f1 >= 0.9


def test_slots_that_differ_lower_the_score():
    entry = {"say": "two deer on the left", "task": "driving"}
    right = {**entry, "things": [{"kind": "deer", "count": 2, "side": "left"}]}
    wrong = {**entry, "things": [{"kind": "deer", "count": 3, "side": "left"}]}
    assert score([right]) == (1.0, 1.0)
    assert score([wrong]) == (0.0, 0.75)
    assert without_defaults(wanted(right)) == found(entry["say"])
