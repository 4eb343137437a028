"""Calls about actors: to spawn, to move, to ask, to destroy."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.carla_standin.actors import Actor
from tests.carla_standin.calls.registry import does, gives
from tests.carla_standin.calls.world import token
from tests.carla_standin.geometry import Transform, triple

if TYPE_CHECKING:
    from tests.carla_standin.server import Server


def packed(server: "Server", actor: Actor) -> list[Any]:
    """An actor as calls hold it."""
    return actor.packed(token(server, actor.stream) if actor.stream else b"")


@gives
def get_spectator(server: "Server") -> list[Any]:
    actors = server.episode.actors.values()
    return packed(server, next(each for each in actors if each.blueprint.id == "spectator"))


@gives
def get_actors_by_id(server: "Server", numbers: list[int]) -> list[Any]:
    actors = server.episode.actors
    return [packed(server, actors[number]) for number in numbers if number in actors]


@gives
def spawn_actor(server: "Server", description: list[Any], at: list[Any]) -> list[Any]:
    return packed(server, server.episode.spawn(description, Transform.read(at)))


@gives
def spawn_actor_with_parent(
    server: "Server",
    description: list[Any],
    at: list[Any],
    parent: int,
    attachment: int = 0,
    socket: str = "",
) -> list[Any]:
    del attachment, socket
    return packed(server, server.episode.spawn(description, Transform.read(at), parent))


@gives
def destroy_actor(server: "Server", number: int) -> bool:
    actor = server.episode.destroy(number)
    if actor is not None and actor.stream:
        server.streams.drop(actor.stream)
    return actor is not None


@gives
def get_actor_bounding_box(server: "Server", number: int) -> list[Any]:
    return server.episode.actor(number).box_packed()


@does
def set_actor_transform(server: "Server", number: int, at: list[Any]) -> None:
    actor = server.episode.actor(number)
    if actor.parent:
        actor.own = Transform.read(at)
    else:
        actor.transform = Transform.read(at)


@does
def set_actor_location(server: "Server", number: int, location: list[float]) -> None:
    actor = server.episode.actor(number)
    if actor.parent:
        actor.own = replace(actor.own, location=triple(location))
    else:
        actor.transform = replace(actor.transform, location=triple(location))


@does
def set_actor_target_velocity(server: "Server", number: int, velocity: list[float]) -> None:
    actor = server.episode.actor(number)
    if actor.physics:
        actor.velocity, actor.driven = triple(velocity), False


@does
def set_actor_target_angular_velocity(server: "Server", number: int, turning: list[float]) -> None:
    actor = server.episode.actor(number)
    if actor.physics:
        actor.turning, actor.driven = triple(turning), False


@does
def enable_actor_constant_velocity(server: "Server", number: int, velocity: list[float]) -> None:
    server.episode.actor(number).cruising = triple(velocity)


@does
def disable_actor_constant_velocity(server: "Server", number: int) -> None:
    server.episode.actor(number).cruising = None


@does
def set_actor_simulate_physics(server: "Server", number: int, enabled: bool) -> None:
    actor = server.episode.actor(number)
    actor.physics = bool(enabled)
    if not actor.physics:
        actor.velocity = actor.turning = (0.0, 0.0, 0.0)


@does
def set_actor_enable_gravity(server: "Server", number: int, enabled: bool) -> None:
    server.episode.actor(number).gravity = bool(enabled)


@does
def set_actor_collisions(server: "Server", number: int, enabled: bool) -> None:
    del enabled
    server.episode.actor(number)


@does
def set_actor_dead(server: "Server", number: int) -> None:
    server.episode.actor(number)


@does
def add_actor_impulse(server: "Server", number: int, impulse: list[float]) -> None:
    del impulse
    server.episode.actor(number)


@does
def apply_control_to_vehicle(server: "Server", number: int, control: list[Any]) -> None:
    actor = server.episode.actor(number)
    actor.control, actor.driven = list(control), True


@does
def apply_control_to_walker(server: "Server", number: int, control: list[Any]) -> None:
    direction, speed, *_ = control
    server.episode.actor(number).walking = triple(direction), float(speed)


@does
def set_walker_state(server: "Server", number: int, at: list[Any], speed: float) -> None:
    actor = server.episode.actor(number)
    actor.transform, actor.walking = Transform.read(at), (actor.walking[0], float(speed))


@does
def set_actor_autopilot(server: "Server", number: int, enabled: bool) -> None:
    server.episode.actor(number).autopilot = bool(enabled)


@does
def set_vehicle_light_state(server: "Server", number: int, lights: list[int] | int) -> None:
    flags = lights[0] if isinstance(lights, list) else lights
    server.episode.actor(number).lights = flags
    server.episode.revision += 1


@gives
def get_vehicle_light_states(server: "Server") -> list[Any]:
    actors = server.episode.actors.values()
    return [[actor.id, actor.lights] for actor in actors if actor.kind == "vehicle"]


@gives
def get_vehicle_light_state(server: "Server", number: int) -> list[int]:
    return [server.episode.actor(number).lights]


@does
def open_vehicle_door(server: "Server", number: int, door: int) -> None:
    del door
    server.episode.actor(number)


@does
def close_vehicle_door(server: "Server", number: int, door: int) -> None:
    del door
    server.episode.actor(number)
