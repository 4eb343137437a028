"""What the stand-in's cameras and other sensors say, through the real client."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.carla_standin.process import run_client, start

pytest.importorskip("carla")

WALKER, BUILDING, CAR, SKY, ROAD, POLE = 12, 3, 14, 11, 1, 6
SEEN = 24
"""A change of this many of 255 is seen."""


def probe(folder: Path, name: str, **knobs: Any) -> Mapping[str, Any]:
    """What a probe wrote down of a server of its own."""
    server = start(folder, **knobs)
    numbers = [server.port, server.process.pid] if name == "speed" else [server.port]
    try:
        run_client("tests.carla.probes", name, folder / "found.npz", *numbers)
    finally:
        server.stop()
    return dict(np.load(folder / "found.npz"))


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    return probe(tmp_path_factory.mktemp("street"), "street")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    return probe(tmp_path_factory.mktemp("plain"), "plain", pictures="plain")


@pytest.fixture(scope="module")
def measures(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    return probe(tmp_path_factory.mktemp("measures"), "measures", pictures="plain")


def differs(one: Any, other: Any) -> Any:
    return np.abs(one.astype(int) - other.astype(int)).max(axis=-1) > SEEN


def test_a_child_stands_where_it_was_spawned(street: Mapping[str, Any]) -> None:
    own = street["plain ids"] == street["child"]
    assert own.sum() > 20
    assert (street["plain tags"][own] == WALKER).all()
    # the camera is half a metre ahead of the car's middle
    assert np.median(street["plain depth"][own]) == pytest.approx(9.5, abs=0.4)
    columns = np.nonzero(own)[1]
    assert columns.mean() == pytest.approx(96 + 96 * 0.5 / 9.5, abs=3)


def points(depth: Any, camera: Any) -> Any:
    """Where in the map each pixel (H, W) of a camera with 90 degrees lies, (H, W, 3)."""
    height, width = depth.shape
    right, down = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    right, down = (2 * right - width) / width, (2 * down - height) / width
    local = np.stack([depth, right * depth, -down * depth, np.ones_like(depth)], axis=-1)
    return (local @ camera.T)[..., :3]


def test_every_pixel_lies_in_the_map_where_its_depth_says(street: Mapping[str, Any]) -> None:
    found = points(street["plain depth"], street["camera"])
    road = (street["plain tags"] == ROAD) & (street["plain depth"] < 40)
    assert np.abs(found[road][:, 2]).max() < 0.05
    child = found[(street["plain ids"] == street["child"]) & (street["plain tags"] == WALKER)]
    assert np.linalg.norm(child[:, :2] - street["box"], axis=1).max() < 0.7
    assert child[:, 2].max() == pytest.approx(1.3, abs=0.15)


def test_the_car_that_carries_the_camera_is_not_seen_from_within(
    street: Mapping[str, Any],
) -> None:
    numbered = street["plain ids"] == street["car"]
    assert not (numbered & (street["plain tags"] == CAR)).any()


def test_a_pole_may_have_the_number_of_an_actor(street: Mapping[str, Any]) -> None:
    numbered = street["plain ids"] == street["car"]
    assert set(street["plain tags"][numbered].tolist()) == {POLE}


def test_parked_cars_have_tags_of_cars_and_no_ids_of_actors(street: Mapping[str, Any]) -> None:
    ids = street["plain ids"][street["plain tags"] == CAR]
    assert len(ids)
    assert ids.min() >= 30000


def test_the_sky_is_a_kilometre_away(street: Mapping[str, Any]) -> None:
    assert (street["plain depth"][street["plain tags"] == SKY] == 1000).all()


def test_painted_houses_show_it_and_nothing_else_does(street: Mapping[str, Any]) -> None:
    changed = differs(street["houses"], street["plain rgb"])
    house = street["plain tags"] == BUILDING
    assert changed[house].mean() > 0.6
    assert changed[~house].mean() < 0.02
    red, green, _ = street["houses"][house].mean(axis=0)
    assert red > green + 60


def test_roads_vehicles_walkers_and_signs_ignore_paint(street: Mapping[str, Any]) -> None:
    assert not differs(street["stubborn"], street["houses"]).any()


def test_fog_hides_what_is_far_and_the_night_is_dark(street: Mapping[str, Any]) -> None:
    far = (street["plain depth"] > 60) & (street["plain tags"] == BUILDING)
    assert street["fog"][far].std() < 0.5 * street["houses"][far].std()
    assert street["night"].mean() < 0.5 * street["houses"].mean()
    assert not differs(street["again"], street["stubborn"]).any()


def test_an_actor_that_was_moved_is_seen_elsewhere(street: Mapping[str, Any]) -> None:
    before = np.nonzero(street["plain ids"] == street["child"])[1].mean()
    after = np.nonzero(street["moved"] == street["child"])[1].mean()
    assert after < before - 25


def test_plain_pictures_are_true_about_depth(plain: Mapping[str, Any]) -> None:
    own = plain["ids"] == plain["barrier"]
    expected = 8.5 - 0.5 - float(plain["half"])
    assert plain["depth"][own].min() == pytest.approx(expected, abs=0.05)
    assert {ROAD, SKY} <= set(np.unique(plain["tags"]).tolist())


def test_the_plain_shows_paint_on_what_takes_it(plain: Mapping[str, Any]) -> None:
    red, green, blue = plain["rgb"][plain["ids"] == plain["banner"]].mean(axis=0)
    assert (red > 2 * green, blue > 2 * green) == (True, True)
    unpainted = plain["rgb"][plain["ids"] == plain["sign"]].mean(axis=0)
    assert np.abs(unpainted - (20, 250, 20)).max() > 50


def test_a_lidar_sees_ground_and_barrier_at_their_distance(measures: Mapping[str, Any]) -> None:
    points = measures["points"]
    assert measures["counts"].sum() == len(points)
    assert points[:, 2].min() == pytest.approx(-2.0, abs=1e-3)
    assert float(measures["distance"]) == pytest.approx(float(measures["expected"]), abs=0.05)


def test_an_imu_feels_thrust_and_gravity(measures: Mapping[str, Any]) -> None:
    ahead, aside, up = measures["pull"]
    assert ahead == pytest.approx(4.0, abs=0.3)
    assert aside == pytest.approx(0.0, abs=0.01)
    assert up == pytest.approx(9.81, abs=0.01)


def test_a_gnss_agrees_with_the_clients_own_reckoning(measures: Mapping[str, Any]) -> None:
    assert measures["globe"] == pytest.approx(measures["reckoned"], abs=2e-6)


def test_a_bumper_names_what_was_hit(measures: Mapping[str, Any]) -> None:
    assert int(measures["touched"]) == int(measures["barrier"])


def test_predrawn_pictures_come_faster_than_any_renderer(tmp_path: Path) -> None:
    found = probe(tmp_path, "speed", pictures="predrawn")
    assert float(found["ticks_per_s"]) > 150
