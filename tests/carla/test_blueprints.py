import re

import pytest

from hartsim.adapters.carla.blueprints import (
    DRESSED,
    EFFECTS,
    LIGHTS,
    STAND_INS,
    Blueprint,
    blueprints_of,
    choose,
    colour_setting,
    missing_kinds,
    prototype_for,
)
from hartsim.errors import WorldError
from hartsim.scenario.kinds import KINDS, kinds_of

DRIVING = [kind.id for kind in kinds_of("driving")]
SHOWN = [kind for kind in DRIVING if kind not in missing_kinds()]

LIBRARY = (
    Blueprint("vehicle.tesla.model3", {"base_type": "car", "special_type": "electric"}),
    Blueprint("vehicle.audi.a2", {"base_type": "car", "special_type": ""}),
    Blueprint("vehicle.seat.leon", {"base_type": "Car"}),
    Blueprint("vehicle.dodge.charger_police", {"base_type": "car", "special_type": "emergency"}),
    Blueprint("vehicle.mercedes.sprinter", {"base_type": "van"}),
    Blueprint("vehicle.ford.ambulance", {"base_type": "van", "special_type": "emergency"}),
    Blueprint("walker.pedestrian.0001", {"age": "adult", "can_use_wheelchair": "true"}),
    Blueprint("walker.pedestrian.0030", {"age": "adult", "can_use_wheelchair": "false"}),
    Blueprint("walker.pedestrian.0011", {"age": "child", "can_use_wheelchair": "false"}),
    Blueprint("static.prop.box01"),
    Blueprint("static.prop.box02"),
    Blueprint("static.prop.boxing_ring"),
)


@pytest.mark.parametrize("kind", SHOWN)
def test_what_is_shown_has_its_prototype(kind):
    prototype = prototype_for(kind)
    assert prototype.size_m == KINDS[kind].size_m
    assert (prototype.how == "effect") == (kind in EFFECTS) == (not prototype.blueprints)


@pytest.mark.parametrize("kind", sorted(set(DRIVING) - set(SHOWN)))
def test_what_is_not_shown_is_refused_with_the_reason_and_the_remedy(kind):
    reason = re.escape(KINDS[kind].carla.missing)
    assert reason
    with pytest.raises(WorldError, match=rf"^kind '{kind}' .* CARLA: {reason}; leave it out"):
        prototype_for(kind)


@pytest.mark.parametrize("kind", SHOWN)
def test_what_stands_for_a_kind_belongs_to_its_class(kind):
    how, class_name = prototype_for(kind).how, KINDS[kind].class_name
    allowed = {
        "walker": {"person"},
        "vehicle": {"car", "truck", "bus", "two_wheeler"},
        "prop": {"debris", "cone", "barrier", "sign", "surface_hazard"},
        "effect": {"smoke_fire", "water", "surface_hazard", "other"},
    }
    assert class_name in allowed[how]


def test_nothing_stands_for_an_animal():
    animals = {kind for kind in DRIVING if KINDS[kind].class_name == "animal"}
    assert animals <= set(missing_kinds())
    with pytest.raises(WorldError, match=r"kind 'deer' cannot be shown in CARLA: no animals"):
        prototype_for("deer")


def test_tables_name_kinds_that_there_are():
    assert set(DRIVING) >= EFFECTS
    for table in (STAND_INS, LIGHTS, DRESSED):
        assert set(table) <= set(SHOWN)


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [("mug", "is for robots"), ("pedestrain", r"is not in the catalogue; did you mean 'pedestri")],
)
def test_other_kinds_are_refused(kind, complaint):
    with pytest.raises(WorldError, match=complaint):
        prototype_for(kind)


def chosen(kind, count=40):
    prototype = prototype_for(kind)
    return {choose(prototype, LIBRARY, seed) for seed in range(count)}


def test_seeds_take_all_that_fit_and_nothing_else():
    assert chosen("cardboard_boxes") == {"static.prop.box01", "static.prop.box02"}
    cars = {"vehicle.tesla.model3", "vehicle.audi.a2", "vehicle.seat.leon"}
    assert chosen("stopped_car") == cars
    assert chosen("van") == {"vehicle.mercedes.sprinter"}
    assert chosen("pedestrian") == {"walker.pedestrian.0001"}
    assert chosen("child") == {"walker.pedestrian.0011"}


def test_who_is_asked_for_in_uniform_comes_in_uniform():
    assert chosen("police_car") == {"vehicle.dodge.charger_police"}
    assert chosen("police_officer") == {"walker.pedestrian.0030"}


def test_the_same_seed_takes_the_same_whatever_the_order():
    prototype = prototype_for("car")
    takes = [choose(prototype, LIBRARY[::step], 7, "lead") for step in (1, -1)]
    assert takes[0] == takes[1]
    names = [f"car{index}" for index in range(20)]
    assert len({choose(prototype, LIBRARY, 7, name) for name in names}) > 1


def test_a_wheelchair_is_told_to_one_who_can_use_it():
    prototype = prototype_for("wheelchair_user")
    assert prototype.settings == {"use_wheelchair": "true"}
    assert chosen("wheelchair_user") == {"walker.pedestrian.0001"}


def test_a_server_without_the_blueprint_is_told_what_it_has():
    with pytest.raises(WorldError) as told:
        choose(prototype_for("bus"), LIBRARY, 1)
    assert "kind 'bus' needs the blueprint vehicle.* with base_type=bus" in str(told.value)
    assert "12 blueprints, 6 with such an id, whose base_type is Car or car or van" in str(
        told.value
    )


@pytest.mark.parametrize(
    ("colour", "expected"),
    [((0, 0, 0), "0,0,0"), ((1, 1, 1), "255,255,255"), ((0.2140, 1, 0), "127,255,0")],
)
def test_colours_are_srgb_bytes(colour, expected):
    assert colour_setting(colour) == expected


def test_a_colour_out_of_range_is_refused():
    with pytest.raises(WorldError, match=r"has 1\.5; linear RGB goes from 0 to 1"):
        colour_setting((0.0, 1.5, 0.0))


def test_every_kind_that_is_shown_finds_its_blueprint_on_a_server(standin):
    carla = pytest.importorskip("carla")
    server = standin(pictures="plain")
    client = carla.Client("127.0.0.1", server.port, 4)
    client.set_timeout(5.0)
    library = blueprints_of(client.get_world().get_blueprint_library())
    for kind in SHOWN:
        prototype = prototype_for(kind)
        if prototype.how != "effect":
            chosen = next(b for b in library if b.id == choose(prototype, library, 3, kind))
            assert set(prototype.settings) <= set(chosen.attributes)
    tesla = next(b for b in library if b.id == "vehicle.tesla.model3")
    assert tesla.attributes["base_type"] == "car"
    assert tesla.attributes["number_of_wheels"] == "4"
    assert len(tesla.attributes["color"].split(",")) == 3
