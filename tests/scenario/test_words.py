import pytest

from hartsim.scenario.words import bare, listing, qualified, spoken, suggestion, with_article


@pytest.mark.parametrize(
    ("noun", "expected"),
    [("van", "a van"), ("oil spill", "an oil spill"), ("empty road", "an empty road")],
)
def test_the_article_fits_the_noun(noun, expected):
    assert with_article(noun) == expected
    assert bare(expected) == noun


@pytest.mark.parametrize(
    ("noun", "expected"),
    [
        ("a van", "an orange van"),
        ("an adult", "an orange adult"),
        ("two crashed cars", "two orange crashed cars"),
        ("broken glass", "orange broken glass"),
    ],
)
def test_an_adjective_comes_after_the_article(noun, expected):
    assert qualified(noun, "orange") == expected


def test_lists_read_like_sentences():
    assert [listing(list("abc"[:n])) for n in range(4)] == ["", "a", "a and b", "a, b and c"]


def test_empty_words_leave_no_gaps():
    assert spoken("a", "", "b") == "a b"


def test_a_close_name_is_suggested_and_else_all_are_listed():
    assert suggestion("frog", ["fog", "rain"]) == "did you mean 'fog'?"
    assert suggestion("xyz", ["fog", "rain"]) == "known: fog, rain"
    assert suggestion("xyz", []) == "none is known here"
