"""What a client can do is told by looking at it, and errors without words are understood."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from hartsim.adapters.carla import capabilities
from hartsim.adapters.carla.actors import ego_of
from hartsim.adapters.carla.blueprints import Blueprint
from hartsim.adapters.carla.capabilities import NEEDED, PAINTING, lacking, may_be_collision, require
from hartsim.adapters.carla.connection import Connection, ServerAddress
from hartsim.errors import WorldError, WorldLostError

TESLA = Blueprint("vehicle.tesla.model3", {"base_type": "car"})
CHARGER = Blueprint("vehicle.dodge.charger", {"base_type": "car"})
MKZ = Blueprint("vehicle.lincoln.mkz", {"base_type": "car"})
TRUCK = Blueprint("vehicle.carlacola.actors", {"base_type": "truck"})
CONE = Blueprint("static.prop.trafficcone01", {})


def client(*names: str) -> Any:
    """A client library that has these dotted names and nothing else."""
    library = SimpleNamespace()
    for name in names:
        found = library
        for part in name.split("."):
            if not hasattr(found, part):
                setattr(found, part, SimpleNamespace())
            found = getattr(found, part)
    return library


def test_what_a_client_has_is_not_missed() -> None:
    require(client(*NEEDED, *PAINTING), (*NEEDED, *PAINTING), "a scene")


@pytest.mark.parametrize(
    "gone", ["command.ApplyTransform", "VehicleLightState", "World.get_snapshot"]
)
def test_what_a_client_lacks_is_named_with_what_to_do(gone: str) -> None:
    library = client(*(name for name in NEEDED if name != gone))
    assert lacking(library, NEEDED) == [gone]
    with pytest.raises(WorldError, match=f"a scene takes {gone}, which .* install .* 0.9.16"):
        require(library, NEEDED, "a scene")


def test_the_client_of_these_tests_has_all() -> None:
    carla = pytest.importorskip("carla")
    assert lacking(carla, (*NEEDED, *PAINTING)) == []


def connection(timeout_s: float = 0.2) -> Connection:
    return Connection(
        ServerAddress(timeout_s=timeout_s), SimpleNamespace(get_world=lambda: None), "0.10.0"
    )


def test_an_error_without_words_says_that_there_are_none() -> None:
    with (
        pytest.raises(
            WorldError, match=r"to sing: it refused, and this build .* not pass on"
        ) as told,
        connection(timeout_s=20).asking("to sing"),
    ):
        raise RuntimeError(capabilities.NO_REASON)
    assert not isinstance(told.value, WorldLostError)


def test_an_error_without_words_after_the_whole_timeout_is_a_lost_server() -> None:
    def hang() -> None:
        time.sleep(0.21)
        raise RuntimeError(capabilities.NO_REASON)

    with pytest.raises(WorldLostError, match="no answer within"), connection().asking("it"):
        hang()


def test_a_refused_connection_is_a_lost_server() -> None:
    with pytest.raises(WorldLostError, match="no answer"), connection().asking("for its maps"):
        raise RuntimeError("Connection refused")


@pytest.mark.parametrize(
    ("words", "may_be"),
    [
        ("Spawn failed because of collision at spawn position", True),
        (capabilities.NO_REASON, True),
        ("unknown blueprint", False),
    ],
)
def test_what_may_have_been_a_collision_is_tried_higher_up(words: str, may_be: bool) -> None:
    with pytest.raises(WorldError) as told, connection(timeout_s=20).asking("to spawn a car"):
        raise RuntimeError(words)
    assert may_be_collision(told.value) is may_be


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        ([CONE, CHARGER, MKZ, TESLA], TESLA),
        ([CONE, CHARGER, MKZ, TRUCK], MKZ),
        ([TRUCK, CHARGER], CHARGER),
    ],
)
def test_the_ego_is_the_usual_car_or_one_that_the_server_has(
    there: list[Blueprint], chosen: Blueprint
) -> None:
    assert ego_of(there) == chosen.id


def test_a_vehicle_that_the_server_lacks_is_refused_by_name() -> None:
    assert ego_of([CHARGER, TRUCK], TRUCK.id) == TRUCK.id
    with pytest.raises(
        WorldError, match=r"no vehicle 'vehicle.dodge.chargr'.*vehicle.dodge.charger"
    ):
        ego_of([CHARGER, TRUCK], "vehicle.dodge.chargr")
    with pytest.raises(WorldError, match="no car that could be the ego"):
        ego_of([TRUCK, CONE])
