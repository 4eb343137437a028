"""Calls about traffic lights and traffic managers, which run in a client."""

from typing import TYPE_CHECKING, Any

from tests.carla_standin.actors import LIGHT, RED
from tests.carla_standin.calls.registry import does, gives

if TYPE_CHECKING:
    from tests.carla_standin.server import Server


@gives
def is_traffic_manager_running(server: "Server", port: int) -> bool:
    return port in server.managers


@gives
def get_traffic_manager_running(server: "Server", port: int) -> list[Any]:
    return [server.managers.get(port, ""), port]


@gives
def add_traffic_manager_running(server: "Server", address: list[Any]) -> bool:
    host, port = address
    if port in server.managers:
        return False
    server.managers[port] = host
    return True


@gives
def destroy_traffic_manager(server: "Server", port: int) -> bool:
    return server.managers.pop(port, None) is not None


def lights(server: "Server") -> list[Any]:
    """All traffic lights."""
    actors = server.episode.actors.values()
    return [actor for actor in actors if actor.blueprint.id == LIGHT]


@does
def reset_all_traffic_lights(server: "Server") -> None:
    for light in lights(server):
        light.light, light.phase_s = RED, 0.0


@does
def freeze_all_traffic_lights(server: "Server", frozen: bool) -> None:
    for light in lights(server):
        light.frozen = bool(frozen)


@does
def freeze_traffic_light(server: "Server", number: int, frozen: bool) -> None:
    server.episode.actor(number).frozen = bool(frozen)


@does
def reset_traffic_light_group(server: "Server", number: int) -> None:
    light = server.episode.actor(number)
    light.light, light.phase_s = RED, 0.0


@does
def set_traffic_light_state(server: "Server", number: int, state: int) -> None:
    light = server.episode.actor(number)
    light.light, light.phase_s = state, 0.0


@does
def set_traffic_light_green_time(server: "Server", number: int, seconds: float) -> None:
    del seconds
    server.episode.actor(number)


@does
def set_traffic_light_yellow_time(server: "Server", number: int, seconds: float) -> None:
    del seconds
    server.episode.actor(number)


@does
def set_traffic_light_red_time(server: "Server", number: int, seconds: float) -> None:
    del seconds
    server.episode.actor(number)


@gives
def get_group_traffic_lights(server: "Server", number: int) -> list[int]:
    return [server.episode.actor(number).id]


@gives
def get_light_boxes(server: "Server", number: int) -> list[Any]:
    return [server.episode.actor(number).box_packed()]
