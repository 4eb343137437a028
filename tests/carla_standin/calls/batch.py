"""What each command of a batch does: the numbers are those of CARLA's variant of commands."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.carla_standin import wire
from tests.carla_standin.calls import actors, traffic
from tests.carla_standin.calls.registry import bare
from tests.carla_standin.calls.world import console_command
from tests.carla_standin.episode import EpisodeError
from tests.carla_standin.geometry import Transform

if TYPE_CHECKING:
    from tests.carla_standin.server import Server

SPAWN, DESTROY, CONSOLE = 0, 1, 20

PLAIN: dict[int, Callable[..., None]] = {
    2: actors.apply_control_to_vehicle,
    4: actors.apply_control_to_walker,
    6: actors.set_actor_transform,
    7: actors.set_walker_state,
    8: actors.set_actor_target_velocity,
    9: actors.set_actor_target_angular_velocity,
    14: actors.set_actor_simulate_physics,
    15: actors.set_actor_enable_gravity,
    16: actors.set_actor_autopilot,
    18: actors.set_vehicle_light_state,
    19: actors.set_actor_location,
    21: traffic.set_traffic_light_state,
}
"""Commands that are a call with an actor's id first."""


@bare
def apply_batch(server: "Server", commands: list[Any], tick: bool = False) -> list[Any]:
    """Do all commands in order; each has a reply of its own, an actor's id."""
    replies = [_reply(server, command) for command in commands]
    if tick:
        server.tick()
    return replies


def _reply(server: "Server", command: list[Any]) -> list[Any]:
    ((kind, payload),) = command
    try:
        return wire.value(_do(server, kind, payload))
    except EpisodeError as error:
        return wire.failure(str(error))


def _do(server: "Server", kind: int, payload: list[Any]) -> int:
    if kind == SPAWN:
        return _spawn(server, payload)
    if kind == DESTROY:
        if not actors.destroy_actor(server, payload[0]):
            raise EpisodeError(f"unable to destroy actor: {payload[0]} not found")
        return int(payload[0])
    if kind == CONSOLE:
        console_command(server, *payload)
        return 0
    if kind not in PLAIN:
        raise EpisodeError(f"the stand-in knows no command {kind}")
    PLAIN[kind](server, *payload)
    return int(payload[0])


def _spawn(server: "Server", payload: list[Any]) -> int:
    description, at, parent = payload[:3]
    rest = payload[5 if server.knobs.has_sockets else 4 :]
    number = parent[1] if parent[0] else 0
    actor = server.episode.spawn(description, Transform.read(at), number)
    for command in rest[0] if rest else ():
        ((kind, own),) = command
        # what follows does not know the id yet
        _do(server, kind, [actor.id, *own[1:]])
    return actor.id
