"""Recordings of CARLA's own: what a log holds of a scene, shown once more on the server.

CARLA's replayer creates the actors anew, under ids of its own; they are found by their role names.
It moves on as the world ticks, times a factor: with a factor of 0 it stands still, while sensors
warm up and paint is looked at. At its end it lets go of everything, and when it begins it removes
every prop of the map, others' included. A log knows no paint, and may bring its own weather.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hartsim.adapters.carla.actors import HIDDEN_M, Play, Staged, Stagehand, foot_of
from hartsim.adapters.carla.blueprints import Prototype
from hartsim.adapters.carla.connection import Connection
from hartsim.adapters.carla.coordinates import Anchor
from hartsim.adapters.carla.guard import ROLE, Guard
from hartsim.adapters.carla.roads import Ground
from hartsim.adapters.carla.traffic import CAR_M, Car, placement_of
from hartsim.errors import WorldError
from hartsim.scenario.compiled import WorldSetup
from hartsim.types import Pose

PLAYED = ("vehicle.", "walker.", "static.")
SPARE_TICKS = 10
"""How much longer than its last picture a recording is: at its end a replay lets go."""


@dataclass(frozen=True)
class Log:
    """A recording of a scene: its file on the server, its map, where the setup's frame lay."""

    file: str
    map_name: str
    anchor: Anchor


@dataclass(frozen=True)
class Cast:
    """The actors of a replay: the ego, what is staged, the cars that drove by themselves."""

    ego: Any
    play: Play
    traffic: tuple[Car, ...]


def begin(
    connection: Connection,
    guard: Guard,
    hand: Stagehand,
    log: Log,
    setup: WorldSetup,
    kinds: Mapping[str, Prototype],
    ground: Ground,
) -> Cast:
    """Show the first moment of a recording, standing still, with the actors that the setup names.

    WorldError where the server has no such file, or it is one of another scene.
    """
    _refuse_others_props(connection, guard)
    guard.records()
    with connection.asking(f"to replay {log.file}"):
        client = connection.client
        client.set_replayer_ignore_spectator(True)
        client.set_replayer_time_factor(0.0)
        said = client.replay_file(log.file, 0.0, 0.0, 0, False)
        if "not found" in said.lower():
            raise WorldError(
                f"the server at {connection.address} has no recording {log.file}; recordings stay "
                "on the machine of the server that made them"
            )
        connection.world.tick(connection.address.timeout_s)
        actors = _by_name(connection)
    guard.note({actor.id: actor.type_id for actor in actors.values()})
    wanted = ["ego", *(each.name for each in setup.objects if _is_staged(kinds, each.name))]
    for name in wanted:
        if name not in actors:
            raise WorldError(
                f"the recording {log.file} has no '{name}', only {', '.join(sorted(actors))}; it "
                "is of another scene"
            )
    staged = {}
    for placed in setup.objects:
        if _is_staged(kinds, placed.name):
            actor = actors[placed.name]
            size, middle = hand.measured(actor, placed.box.size_m)
            staged[placed.name] = Staged(
                placed, actor.id, actor.type_id, foot_of(placed), size, middle
            )
    effects = {
        each.name: each
        for each in setup.objects
        if each.name in kinds and kinds[each.name].how == "effect"
    }
    driven = sorted(
        (name for name in actors if name.startswith("traffic ")), key=lambda n: int(n.split()[1])
    )
    cars = tuple(Car(name, actors[name].id, *hand.measured(actors[name], CAR_M)) for name in driven)
    return Cast(actors["ego"], Play(staged, effects, ground), cars)


def observe(play: Play, snapshot: Any, anchor: Anchor) -> None:
    """Put the feet of all that is staged where the server has it now."""
    for name, each in play.staged.items():
        play.absent.discard(name)
        if not snapshot.has_actor(each.actor):
            play.absent.add(name)
            continue
        place = placement_of(snapshot.find(each.actor).get_transform())
        foot = foot_under(each, anchor.from_carla(*place))
        if foot.position_m[2] < HIDDEN_M / 2:
            play.absent.add(name)
        play.feet[name] = foot


def foot_under(staged: Staged, origin: Pose) -> Pose:
    """The middle of an actor's foot where its origin is here; undoes `Staged.origin`."""
    (x, y, z), (a, b, c) = origin.position_m, staged.middle_m
    cos, sin = math.cos(origin.heading_rad), math.sin(origin.heading_rad)
    foot = (x + a * cos - b * sin, y + a * sin + b * cos, z - staged.size_m[2] / 2 + c)
    return Pose(foot, origin.heading_rad)


def _is_staged(kinds: Mapping[str, Prototype], name: str) -> bool:
    return name in kinds and kinds[name].how != "effect"


def _by_name(connection: Connection) -> dict[str, Any]:
    """What the replayer has created, by the names that scenes give it."""
    found = {}
    for actor in connection.world.get_actors():
        role = str(actor.attributes.get("role_name", ""))
        if role.startswith(f"{ROLE}/") and actor.type_id.startswith(PLAYED):
            found[role.removeprefix(f"{ROLE}/")] = actor
    return found


def _refuse_others_props(connection: Connection, guard: Guard) -> None:
    with connection.asking("who is there"):
        props: Sequence[str] = [
            actor.type_id
            for actor in connection.world.get_actors()
            if actor.type_id.startswith("static.prop.") and actor.id not in guard.found.ours
        ]
    if props:
        raise WorldError(
            f"a replay would take away {len(props)} props of others, such as {props[0]}; let them "
            "go first"
        )
