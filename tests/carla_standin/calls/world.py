"""Calls about the server, its episode, its map and its weather."""

from typing import TYPE_CHECKING, Any

from tests.carla_standin import wire
from tests.carla_standin.blueprints import library
from tests.carla_standin.calls.registry import does, gives
from tests.carla_standin.episode import WORLD_STREAM, EpisodeError
from tests.carla_standin.maps import TOWNS

if TYPE_CHECKING:
    from tests.carla_standin.server import Server

ALL_LAYERS = 0xFFFF
LAYERS = {1: (3,), 4: (9,), 16: (14, 15), 64: (20,), 128: (6,), 256: (4, 5)}
"""Tags by layer of a map: buildings, plants, parked cars, props, street lamps, walls."""
STREAM_HOST = "0.0.0.0"
"""The client then takes the address at which it calls."""


def token(server: "Server", stream: int) -> bytes:
    """Where a stream can be had."""
    return wire.token(stream, server.stream_port, STREAM_HOST)


@gives
def version(server: "Server") -> str:
    return server.knobs.reported_version


@gives
def get_episode_info(server: "Server") -> list[Any]:
    return [server.episode.id, [token(server, WORLD_STREAM)]]


@gives
def get_sensor_token(server: "Server", stream: int) -> list[Any]:
    return [token(server, stream)]


@gives
def get_episode_settings(server: "Server") -> list[Any]:
    return server.episode.settings


@gives
def set_episode_settings(server: "Server", settings: list[Any]) -> int:
    episode = server.episode
    episode.settings = [*settings, *episode.settings[len(settings) :]]
    return episode.frame


@gives
def tick_cue(server: "Server") -> int:
    return server.tick()


@gives
def get_weather_parameters(server: "Server") -> list[float]:
    return server.episode.weather


@does
def set_weather_parameters(server: "Server", weather: list[float]) -> None:
    server.episode.weather = [float(each) for each in weather]
    server.episode.revision += 1


@gives
def is_weather_enabled(server: "Server") -> bool:
    return True


@gives
def get_imui_gravity(server: "Server") -> float:
    return 9.81


@does
def set_imui_gravity(server: "Server", gravity: float) -> None:
    del gravity


@gives
def get_actor_definitions(server: "Server") -> list[Any]:
    return [each.packed(server.knobs.attribute_base) for each in library().values()]


@gives
def get_available_maps(server: "Server") -> list[str]:
    return [f"/Game/{town.path}" for town in TOWNS.values()]


@gives
def get_map_info(server: "Server") -> list[Any]:
    town = server.episode.town
    return [town.path, [point.packed() for point in town.spawn_points()]]


@gives
def get_map_data(server: "Server") -> str:
    return server.episode.town.opendrive()


@gives
def get_navigation_mesh(server: "Server") -> bytes:
    return b""


@gives
def get_required_files(server: "Server", folder: str = "") -> list[str]:
    del folder
    return []


@gives
def request_file(server: "Server", name: str) -> bytes:
    raise EpisodeError(f"no file '{name}'")


@does
def load_new_episode(
    server: "Server", name: str, reset_settings: bool = True, layers: int = ALL_LAYERS
) -> None:
    server.load(name, reset_settings)
    unload_map_layer(server, ALL_LAYERS & ~layers)


@does
def load_map_layer(server: "Server", layers: int) -> None:
    server.episode.hidden -= _renewed(server, layers)


@does
def unload_map_layer(server: "Server", layers: int) -> None:
    server.episode.hidden |= _renewed(server, layers)


def _renewed(server: "Server", layers: int) -> set[int]:
    """The ids of what belongs to these layers, which loses its paint."""
    tags = {tag for flag, some in LAYERS.items() if layers & flag for tag in some}
    pieces = [piece for piece in server.episode.pieces if piece.tag in tags]
    for piece in pieces:
        server.episode.paint.pop(piece.name, None)
    server.episode.revision += 1
    return {piece.id for piece in pieces}


@gives
def query_lights_state(server: "Server", client: str) -> list[Any]:
    del client
    return []


@does
def update_lights_state(server: "Server", client: str, discard: bool, lights: list[Any]) -> None:
    del client, discard, lights


@does
def update_day_night_cycle(server: "Server", client: str, active: bool) -> None:
    del client, active


@does
def draw_debug_shape(server: "Server", shape: list[Any]) -> None:
    del shape


@gives
def console_command(server: "Server", command: str) -> bool:
    return bool(command)


@gives
def project_point(
    server: "Server", location: list[float], direction: list[float], distance: float
) -> list[Any]:
    del direction, distance
    x, y, _ = location
    return wire.optional([1, [x, y, server.episode.ground_m()]])


@gives
def cast_ray(server: "Server", start: list[float], end: list[float]) -> list[Any]:
    del start, end
    return []
