"""Calls about recordings and replays."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.carla_standin.calls.registry import does, gives
from tests.carla_standin.episode import EpisodeError
from tests.carla_standin.recorder import Recorder, Recording, Replay

if TYPE_CHECKING:
    from tests.carla_standin.server import Server


def _file(server: "Server", name: str) -> Path:
    """Where a recording lies: as named if that is a path, else in the server's own folder."""
    path = Path(name)
    return path if path.is_absolute() else server.folder / path


def _read(server: "Server", name: str) -> Recording:
    path = _file(server, name)
    if not path.exists():
        raise EpisodeError(f"File {path} not found on server")
    return Recording.read(path)


@gives
def start_recorder(server: "Server", name: str, additional: bool = False) -> str:
    del additional
    stop_recorder(server)
    path = _file(server, name)
    server.episode.recorder = Recorder(path, server.episode.town.name)
    return f"Recording on file: {path}"


@does
def stop_recorder(server: "Server") -> None:
    if server.episode.recorder is not None:
        server.episode.recorder.stop()
        server.episode.recorder = None


@gives
def show_recorder_file_info(server: "Server", name: str, everything: bool = False) -> str:
    del everything
    return _read(server, name).told()


@gives
def show_recorder_collisions(server: "Server", name: str, one: str = "a", other: str = "a") -> str:
    del one, other
    return f"Version: 1\nMap: {_read(server, name).town}\n"


@gives
def show_recorder_actors_blocked(
    server: "Server", name: str, least_s: float = 30.0, least_m: float = 10.0
) -> str:
    del least_s, least_m
    return f"Version: 1\nMap: {_read(server, name).town}\n"


@gives
def replay_file(
    server: "Server",
    name: str,
    start_s: float = 0.0,
    duration_s: float = 0.0,
    follow: int = 0,
    sensors: bool = False,
    offset: list[Any] | None = None,
) -> str:
    del follow, sensors, offset
    recording = _read(server, name)
    if recording.town != server.episode.town.name:
        server.load(recording.town, reset_settings=False)
    # what is negative counts from the end
    start_s = max(0.0, start_s + recording.seconds) if start_s < 0 else start_s
    until_s = min(start_s + duration_s, recording.seconds) if duration_s else recording.seconds
    replay = Replay(recording, start_s, until_s, server.replay_factor, server.replay_without_hero)
    server.episode.replay = replay
    replay.show(server.episode)
    return f"Replaying File: {_file(server, name)}"


@does
def stop_replayer(server: "Server", keep_actors: bool = False) -> None:
    if server.episode.replay is not None:
        server.episode.replay.stop(server.episode, keep_actors)
        server.episode.replay = None


@does
def set_replayer_time_factor(server: "Server", factor: float) -> None:
    server.replay_factor = factor
    if server.episode.replay is not None:
        server.episode.replay.factor = factor


@does
def set_replayer_ignore_hero(server: "Server", ignore: bool) -> None:
    server.replay_without_hero = bool(ignore)


@does
def set_replayer_ignore_spectator(server: "Server", ignore: bool) -> None:
    del ignore
