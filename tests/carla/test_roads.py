"""Straight roads in OpenDRIVE maps that the client itself parses; no server is needed."""

import math
from dataclasses import replace
from typing import Any

import pytest

from hartsim.adapters.carla.coordinates import Anchor
from hartsim.adapters.carla.roads import (
    MAPS,
    Ground,
    Stretch,
    choices,
    edges,
    map_for,
    stretches_of,
)
from hartsim.errors import WorldError
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.library import find_scenarios
from hartsim.scenario.load import load_scenario
from hartsim.worlds.places import PLACES

carla = pytest.importorskip("carla")
pytestmark = pytest.mark.carla

SETUP = compile_draw(load_scenario(find_scenarios(["child_behind_van"])[0]), 0, 0).setup


def opendrive(length_m: float, climb: float = 0.0, curvature: float = 0.0) -> str:
    """One road with two driving lanes to the right, and one with a shoulder to the left."""
    shape = f'<arc curvature="{curvature}"/>' if curvature else "<line/>"
    lanes = {-1: ("driving", 3.5), -2: ("driving", 3.25), -3: ("sidewalk", 2.0)}
    left = {2: ("shoulder", 1.5), 1: ("driving", 3.5)}

    def lane(number: int, kind: str, width: float) -> str:
        return (
            f'<lane id="{number}" type="{kind}" level="false"><width sOffset="0" a="{width}" '
            f'b="0" c="0" d="0"/></lane>'
        )

    def side(name: str, of: dict[int, tuple[str, float]]) -> str:
        return f"<{name}>{''.join(lane(n, *of[n]) for n in of)}</{name}>"

    return (
        '<?xml version="1.0"?><OpenDRIVE><header revMajor="1" revMinor="4" name="t" version="1" '
        'north="0" south="0" east="0" west="0"/>'
        f'<road name="r" length="{length_m}" id="1" junction="-1"><link/>'
        f'<planView><geometry s="0" x="0" y="0" hdg="0" length="{length_m}">{shape}</geometry>'
        f'</planView><elevationProfile><elevation s="0" a="2" b="{climb}" c="0" d="0"/>'
        '</elevationProfile><lanes><laneSection s="0">'
        f'{side("left", left)}<center><lane id="0" type="none" level="false"/></center>'
        f"{side('right', lanes)}</laneSection></lanes></road></OpenDRIVE>"
    )


class Town:
    """The client's map with spawn points of the test's."""

    def __init__(self, xodr: str, *points: tuple[float, float]) -> None:
        self._map = carla.Map("t", xodr)
        self._points = points

    def __getattr__(self, name: str) -> Any:
        return getattr(self._map, name)

    def get_spawn_points(self) -> list[Any]:
        return [carla.Transform(carla.Location(x, y, 3.0)) for x, y in self._points]


def test_a_road_goes_on_to_its_end_from_the_middle_of_its_lane() -> None:
    (stretch,) = stretches_of(Town(opendrive(200), (20.0, 2.0)))
    assert stretch.anchor.location_m == pytest.approx((20.0, 1.75, 2.0), abs=0.01)
    assert stretch.length_m == pytest.approx(180, abs=2.5)


def test_the_sides_are_where_cars_can_drive_to_on_either_side() -> None:
    town = Town(opendrive(200), (20.0, 2.0), (20.0, 5.0))
    inner, outer = stretches_of(town)
    assert inner.road_m == pytest.approx((-(1.75 + 3.25), 1.75 + 3.5 + 1.5))
    assert outer.road_m == pytest.approx((-3.25 / 2, 3.25 / 2 + 3.5 + 3.5 + 1.5))
    assert (inner.lanes_right, outer.lanes_right) == (1, 0)
    assert (inner.meets, outer.meets) == (True, False)


def test_seen_from_the_other_lane_the_sides_are_exchanged() -> None:
    (stretch,) = stretches_of(Town(opendrive(200), (180.0, -1.75)))
    assert stretch.road_m == pytest.approx((-(1.75 + 1.5), 1.75 + 3.5 + 3.25))
    assert abs(math.remainder(stretch.anchor.rotation_deg[1], 360)) == pytest.approx(180, abs=0.1)
    waypoint = carla.Map("t", opendrive(200)).get_waypoint(carla.Location(180, -1.75, 2))
    assert edges(waypoint) == stretch.road_m


def test_a_steady_slope_counts_as_straight_and_the_frame_leans_with_it() -> None:
    town = Town(opendrive(200, climb=0.08), (20.0, 2.0))
    (stretch,) = stretches_of(town)
    assert stretch.length_m > 170
    assert stretch.anchor.rotation_deg[0] == pytest.approx(math.degrees(math.atan(0.08)), abs=0.1)
    ground = Ground(town, stretch.anchor)
    assert ground.height_m(100.0, 0.0) == pytest.approx(0.0, abs=0.05)
    level = Ground(town, Anchor(stretch.anchor.location_m))
    assert level.height_m(100.0, 0.0) == pytest.approx(8.0, abs=0.05)
    assert level.height_m(100.0, 80.0) == 0.0, "no road is near"


def test_a_bend_ends_a_stretch() -> None:
    (stretch,) = stretches_of(Town(opendrive(200, curvature=0.01), (2.0, 2.0)))
    assert 6 < stretch.length_m < 14


def test_the_longer_stretch_with_traffic_as_it_should_be_is_taken_first() -> None:
    town = Town(opendrive(400), (350.0, 2.0), (20.0, 2.0), (20.0, 5.0), (300.0, 2.0))
    stretches = stretches_of(town)
    first = next(choices(stretches, SETUP, "Town"))
    assert first == stretches[1]
    highway = replace(SETUP, conditions=replace(SETUP.conditions, place="highway"))
    assert next(choices(stretches, highway, "Town")) == stretches[2]


def test_the_seed_decides_among_equals() -> None:
    town = Town(opendrive(400), *[(10.0 * k, 2.0) for k in range(1, 12)])
    stretches = stretches_of(town)

    def taken(seed: int) -> Stretch:
        return next(choices(stretches, replace(SETUP, decor_seed=seed), "Town"))

    assert taken(3) == taken(3)
    assert len({taken(seed).anchor for seed in range(8)}) > 2


def test_a_map_without_enough_road_is_refused_with_its_longest() -> None:
    stretches = stretches_of(Town(opendrive(20), (10.0, 2.0)))
    with pytest.raises(WorldError, match=r"Town99 has no straight road of \d+ m .* longest is 8 m"):
        next(choices(stretches, SETUP, "Town99"))


def test_places_take_the_map_on_show_where_it_fits_and_the_first_there_is_else() -> None:
    there = ["Town01", "Town02_Opt", "Town10HD_Opt"]
    assert map_for("residential_street", "Town01", there) == "Town01"
    assert map_for("residential_street", "Town07", there) == "Town02_Opt"
    with pytest.raises(WorldError, match=r"none of the maps for 'highway', Town06, Town04, Town05"):
        map_for("highway", "Town01", there)
    with pytest.raises(WorldError, match="no CARLA map is known for 'moon'; known are: res"):
        map_for("moon", "Town01", there)


def test_every_place_of_the_street_has_maps() -> None:
    assert set(MAPS) == set(PLACES)
