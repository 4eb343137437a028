"""Calls about what belongs to the map, and about paint."""

from typing import TYPE_CHECKING, Any

from tests.carla_standin.calls.registry import does, gives
from tests.carla_standin.episode import EpisodeError
from tests.carla_standin.knobs import matches
from tests.carla_standin.textures import Picture

if TYPE_CHECKING:
    from tests.carla_standin.server import Server

ANY_TAG = 255


@gives
def get_environment_objects(server: "Server", tag: int) -> list[Any]:
    pieces = server.episode.pieces
    return [piece.packed() for piece in pieces if tag in (ANY_TAG, piece.tag)]


@gives
def get_all_level_BBs(server: "Server", tag: int) -> list[Any]:
    return [each[1] for each in get_environment_objects(server, tag)]


@does
def enable_environment_objects(server: "Server", numbers: list[int], enabled: bool) -> None:
    hidden = server.episode.hidden
    server.episode.hidden = hidden - set(numbers) if enabled else hidden | set(numbers)
    server.episode.revision += 1


@gives
def get_names_of_all_objects(server: "Server") -> list[str]:
    return server.episode.names()


@does
def apply_color_texture_to_objects(
    server: "Server", names: list[str], parameter: int, picture: Picture
) -> None:
    _paint(server, names, parameter, picture)


@does
def apply_float_color_texture_to_objects(
    server: "Server", names: list[str], parameter: int, picture: Picture
) -> None:
    _paint(server, names, parameter, picture)


def _paint(server: "Server", names: list[str], parameter: int, picture: Picture) -> None:
    """Put a texture on all named objects that there are; those that ignore paint say nothing."""
    episode = server.episode
    known = set(episode.names())
    gone = server.knobs.unknown
    found = [name for name in names if name in known and not matches(name, gone)]
    if not found:
        raise EpisodeError("unable to find Actor to apply the texture")
    for name in found:
        if not episode.is_deaf(name):
            episode.paint.setdefault(name, {})[parameter] = picture
            episode.revision += 1
