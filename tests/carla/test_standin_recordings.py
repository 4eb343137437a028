"""Recordings, replays and traffic, through the real client."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.carla_standin.process import run_client

carla = pytest.importorskip("carla")


@pytest.fixture
def town(standin: Callable[..., Any]) -> tuple[Any, Any]:
    client = carla.Client("127.0.0.1", standin(pictures="plain").port, 8)
    client.set_timeout(20.0)
    world = client.get_world()
    settings = world.get_settings()
    settings.synchronous_mode, settings.fixed_delta_seconds = True, 0.05
    world.apply_settings(settings)
    return client, world


def there(world: Any, number: int) -> bool:
    """Whether the world has an actor; the client remembers those that are gone."""
    return number in {actor.id for actor in world.get_actors()}


def driven(client: Any, world: Any) -> tuple[int, list[Any]]:
    """A recorded drive: the car's id, and where it was."""
    client.start_recorder("drive.log", True)
    point = world.get_map().get_spawn_points()[0]
    car = world.spawn_actor(world.get_blueprint_library().find("vehicle.audi.tt"), point)
    car.set_target_velocity(point.get_forward_vector() * 8)
    places = []
    for _ in range(20):
        world.tick()
        places.append(car.get_location())
    client.stop_recorder()
    client.apply_batch_sync([carla.command.DestroyActor(car.id)], False)
    world.tick()
    return car.id, places


def test_a_replay_brings_the_car_back_to_where_it_was(town: Any) -> None:
    client, world = town
    number, places = driven(client, world)
    assert not there(world, number)
    client.replay_file("drive.log", 0.0, 0.0, 0)
    for place in places:
        world.tick()
        assert world.get_actor(number).get_location().distance(place) < 0.01
    client.stop_replayer(False)
    world.tick()
    assert not there(world, number)


def test_a_recording_says_what_is_in_it(town: Any) -> None:
    client, world = town
    number, _ = driven(client, world)
    told = client.show_recorder_file_info("drive.log", False)
    assert f"Create {number}: vehicle.audi.tt" in told
    assert "Map: Town10HD_Opt" in told
    assert "Frames: 20" in told


def test_a_recording_that_is_missing_is_named(town: Any) -> None:
    with pytest.raises(RuntimeError, match=r"nowhere\.log not found"):
        town[0].replay_file("nowhere.log", 0.0, 0.0, 0)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


def test_the_clients_traffic_manager_drives_a_car_along_its_lane(
    standin: Callable[..., Any], tmp_path: Path
) -> None:
    runs = []
    for name in ("one", "other"):
        out, port = tmp_path / f"{name}.npz", standin(pictures="plain").port
        run_client("tests.carla.probes", "traffic", out, port, free_port())
        runs.append(dict(np.load(tmp_path / f"{name}.npz")))
    one, other = runs
    assert np.linalg.norm(one["places"][-1] - one["places"][0]) > 60
    assert (float(one["off"]), int(one["lane"])) == (pytest.approx(0.0, abs=0.3), -1)
    np.testing.assert_array_equal(one["places"], other["places"])
