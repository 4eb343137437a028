"""Connections to servers that are there, are not, are of another version, or hang."""

import socket
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from hartsim.adapters.carla.connection import (
    ServerAddress,
    client_library,
    connect,
    numbers_of,
    short_name,
)
from hartsim.errors import WorldError, WorldLostError
from tests.carla.children import run
from tests.carla_standin.process import start

pytest.importorskip("carla")
pytestmark = pytest.mark.carla


def address(server: Any, **more: Any) -> ServerAddress:
    return ServerAddress(port=server.port, **{"timeout_s": 5.0, **more})


def test_a_server_tells_its_version_its_map_and_what_else_it_can_load(
    standin: Callable[..., Any],
) -> None:
    connection = connect(address(standin(pictures="plain")))
    assert connection.version == "0.9.16"
    assert connection.map_name == "Town10HD_Opt"
    assert "Town04" in connection.maps()


def test_a_port_where_nothing_listens_is_told_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(WorldLostError, match=f"nothing listens at 127.0.0.1:{port}; is the CARLA"):
        connect(ServerAddress(port=port, timeout_s=60))
    assert time.monotonic() - began < 2


def test_a_host_that_nobody_knows_is_named() -> None:
    with pytest.raises(WorldLostError, match=r"cannot reach nowhere\.invalid:2000"):
        connect(ServerAddress("nowhere.invalid"))


def test_a_server_that_never_answers_is_named_with_how_long_was_waited(
    standin: Callable[..., Any],
) -> None:
    server = standin(pictures="plain", silent=["version"])
    with pytest.raises(WorldLostError, match=r"for its version: no answer within 0\.5 s; does it"):
        connect(address(server, timeout_s=0.5))


@pytest.mark.parametrize(
    ("version", "remedy"),
    [("0.9.15", "pip install carla==0.9.15"), ("5ab2c1f", "the client that was built with it")],
)
def test_another_version_is_refused_with_both_named(
    standin: Callable[..., Any], version: str, remedy: str
) -> None:
    server = standin(pictures="plain", version=version)
    with pytest.raises(WorldError, match=f"is version {version}, the client is 0.9.16; .*{remedy}"):
        connect(address(server))
    assert [call["call"] for call in server.calls()] == ["version"]


def test_another_version_is_taken_where_that_is_asked_for(standin: Callable[..., Any]) -> None:
    server = standin(pictures="plain", version="5ab2c1f")
    assert connect(address(server, any_version=True)).version == "5ab2c1f"


def test_builds_of_one_version_fit_each_other(standin: Callable[..., Any]) -> None:
    server = standin(pictures="plain", version="0.9.16-12-gabc1234-dirty")
    assert connect(address(server)).map_name == "Town10HD_Opt"


def test_a_server_that_was_started_anew_takes_a_fresh_client(
    standin: Callable[..., Any], tmp_path: Any
) -> None:
    server = standin(pictures="plain")
    old = connect(address(server, timeout_s=0.5))
    server.stop()
    again = start(tmp_path / "again", pictures="plain", port=server.port)
    try:
        with pytest.raises(WorldLostError, match="no answer within"):
            old.maps()
        assert connect(address(again)).map_name == "Town10HD_Opt"
    finally:
        again.stop()
        assert again.process.stdout is not None
        again.process.stdout.close()


def test_two_servers_are_kept_apart(standin: Callable[..., Any]) -> None:
    one = connect(address(standin(pictures="plain", map="Town01")))
    other = connect(address(standin(pictures="plain", map="Town02"), tm_port=8010))
    assert (one.map_name, other.map_name) == ("Town01", "Town02")


def test_a_map_is_loaded_and_the_settings_stay(standin: Callable[..., Any]) -> None:
    connection = connect(address(standin(pictures="plain")))
    settings = connection.world.get_settings()
    settings.fixed_delta_seconds = 0.025
    connection.world.apply_settings(settings)
    connection.load("Town07")
    assert connection.map_name == "Town07"
    assert connection.world.get_settings().fixed_delta_seconds == 0.025


@pytest.mark.slow
def test_maps_are_loaded_while_no_steps_arrive_again_and_again(
    standin: Callable[..., Any], tmp_path: Any
) -> None:
    program = """
connection = connect(address)
for k in range(40):
    connection.load(("Town01", "Town02")[k % 2])
    settings = connection.world.get_settings()
    settings.synchronous_mode, settings.fixed_delta_seconds = False, 0.05
    connection.world.apply_settings(settings)
say(connection.map_name)
"""
    assert run(program, standin(pictures="plain"), tmp_path) == "Town02\n"


def test_a_map_that_is_not_there_is_refused_with_those_that_are(
    standin: Callable[..., Any],
) -> None:
    server = standin(pictures="plain")
    with pytest.raises(WorldError, match=r"has no map 'Town99'; it has: Town01, "):
        connect(address(server)).load("Town99")
    assert not server.calls("load_new_episode")


def test_what_the_server_answers_with_an_error_is_said(standin: Callable[..., Any]) -> None:
    server = standin(pictures="plain", error={"get_available_maps": "out of maps"})
    with pytest.raises(WorldError, match="which maps it has: out of maps"):
        connect(address(server)).maps()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [("port", 0, "port is 0"), ("tm_port", 70000, "70000"), ("timeout_s", 0, "must be above 0")],
)
def test_an_address_that_cannot_be_is_refused(field: str, value: Any, said: str) -> None:
    with pytest.raises(WorldError, match=said):
        ServerAddress(**{field: value})


def test_without_the_client_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "carla", None)
    with pytest.raises(WorldError, match=r'pip install "hartsim\[carla\]"'):
        client_library()


def test_names_and_versions_are_read() -> None:
    assert numbers_of("0.9.16-12-gabc") == (0, 9, 16)
    assert numbers_of("5ab2c1f") == ()
    assert short_name("/Game/Carla/Maps/Town03") == "Town03"
