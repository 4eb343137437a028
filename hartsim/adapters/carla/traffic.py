"""The cars of a scene that CARLA's Traffic Manager drives; the scenario says how dense they are."""

import logging
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hartsim.adapters.carla.actors import DIPPED, Stagehand, is_dark
from hartsim.adapters.carla.blueprints import Blueprint
from hartsim.adapters.carla.connection import Connection, client_library
from hartsim.adapters.carla.coordinates import Anchor, Placement, placed_within
from hartsim.adapters.carla.guard import Guard
from hartsim.errors import WorldError
from hartsim.scenario.compiled import WorldSetup
from hartsim.types import Box3D, Vector3

logger = logging.getLogger(__name__)

MOST_CARS = 30
"""The cars where traffic is densest."""
CLEAR_M = 15.0
"""How far from the ego and from the scene's things traffic starts."""
GAP_M = 2.5
"""What its cars keep between each other."""
LAST_ROUND_S = 0.2
"""How long a manager needs to end the round that it is in."""
CAR_M = (4.4, 1.8, 1.5)
"""The size of a car that has no box."""


@dataclass(frozen=True)
class Car:
    """One car of the traffic: its actor, its size and where the middle of its box is in it."""

    name: str
    actor: int
    size_m: Vector3
    middle_m: Vector3

    def box(self, snapshot: Any, anchor: Anchor) -> Box3D | None:
        """Where it is in the frame of the anchor; None where it has gone."""
        if not snapshot.has_actor(self.actor):
            return None
        place = placement_of(snapshot.find(self.actor).get_transform())
        x, y, z = self.middle_m
        middle = placed_within(place, Placement((x, -y, z)))
        length, width, height = self.size_m
        return anchor.box_from_carla(middle, (length / 2, width / 2, height / 2))


def placement_of(transform: Any) -> Placement:
    """The client's transform as plain numbers."""
    at, turn = transform.location, transform.rotation
    return Placement((at.x, at.y, at.z), (turn.pitch, turn.yaw, turn.roll))


def drive_traffic(
    hand: Stagehand,
    connection: Connection,
    guard: Guard,
    setup: WorldSetup,
    avoid: Sequence[Vector3],
) -> tuple[Car, ...]:
    """Let CARLA drive cars from its spawn points; the same seed gives the same ones.

    `avoid` are locations of CARLA's world that stay clear.
    """
    carla = client_library()
    rng = random.Random(setup.decor_seed)
    with connection.asking("for its spawn points"):
        points = [placement_of(each) for each in connection.world.get_map().get_spawn_points()]
    free = [
        point
        for point in points
        if all(math.dist(point.location_m[:2], each[:2]) > CLEAR_M for each in avoid)
    ]
    rng.shuffle(free)
    kinds = [each.id for each in hand.blueprints if _is_plain_car(each)]
    count = min(round(setup.traffic * MOST_CARS), len(free))
    if not (kinds and count):
        return ()
    vehicles = []
    for k, point in enumerate(free[:count]):
        try:
            vehicles.append(hand.spawn(rng.choice(kinds), {}, f"traffic {k}", [point]))
        except WorldError as error:
            logger.info("%s", error)
    cars = tuple(
        Car(f"traffic {k}", each.id, *hand.measured(each, CAR_M)) for k, each in enumerate(vehicles)
    )
    with connection.asking("for its Traffic Manager"):
        port = connection.address.tm_port
        manager = connection.client.get_trafficmanager(port)
        guard.manages(manager, vehicles)
        manager.set_synchronous_mode(True)
        # The round that its own thread had begun must not be the cars' first.
        time.sleep(LAST_ROUND_S)
        manager.set_random_device_seed(setup.decor_seed % 2**31)
        manager.set_global_distance_to_leading_vehicle(GAP_M)
    commands = [carla.command.SetAutopilot(each.actor, True, port) for each in cars]
    if is_dark(setup.conditions):
        commands += [hand.shining(each.actor, DIPPED) for each in cars]
    hand.obey(commands, "to drive its traffic")
    return cars


def _is_plain_car(blueprint: Blueprint) -> bool:
    return (
        blueprint.attributes.get("base_type", "").lower() == "car"
        and blueprint.attributes.get("special_type") != "emergency"
    )
