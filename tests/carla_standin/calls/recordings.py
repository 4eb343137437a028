"""Calls about recordings."""

from typing import TYPE_CHECKING

from tests.carla_standin.calls.registry import does, gives

if TYPE_CHECKING:
    from tests.carla_standin.server import Server


@gives
def start_recorder(server: "Server", name: str, additional: bool = False) -> str:
    return str(server.folder / name)


@does
def stop_recorder(server: "Server") -> None:
    pass
