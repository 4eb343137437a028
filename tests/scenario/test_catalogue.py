import pytest

from hartsim.scenario.catalogue import COLOURS, colour_name, ids_of
from hartsim.scenario.kinds import KINDS, kinds_of
from hartsim.scenario.surroundings import PLACES, SURFACES, TIMES, WEATHERS
from hartsim.types import CLASSES


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.id)
def test_a_kind_has_a_class_words_a_size_and_colours_that_exist(kind):
    assert kind.class_name in CLASSES
    assert len(kind.nouns) >= 1
    assert min(kind.size_m) > 0
    assert set(kind.colours) <= set(COLOURS)


def test_every_hazard_has_a_trigger_and_every_road_hazard_a_crash_type():
    assert all(kind.sotif for kind in KINDS.values() if kind.hazard)
    assert all(kind.nhtsa for kind in kinds_of("driving", hazard=True))


def test_ids_are_found_once():
    assert len(kinds_of("driving")) + len(kinds_of("robot")) == len(KINDS)


@pytest.mark.parametrize("place", PLACES.values(), ids=lambda place: place.id)
def test_a_place_has_a_material_for_every_surface_but_the_sky(place):
    assert set(place.materials) == set(SURFACES[place.task]) - {"sky"}


def test_a_table_knows_clear_weather_day_and_night_only():
    assert ids_of("weather", "robot") == ("clear",)
    assert ids_of("time_of_day", "robot") == ("day", "night")


def test_each_time_has_words_for_each_of_its_tasks():
    assert all(set(time.phrases) == set(time.tasks) for time in TIMES.values())


def test_the_strength_of_a_weather_can_be_read_back():
    slope = WEATHERS["fog"].numbers["visibility_m"]
    assert slope.strength_of(slope.at(0.3)) == pytest.approx(0.3)


def test_a_colour_is_found_by_its_value():
    assert colour_name(COLOURS["blue"]) == "blue"
    assert colour_name((0.1, 0.2, 0.3)) == ""
    assert colour_name(None) == ""
