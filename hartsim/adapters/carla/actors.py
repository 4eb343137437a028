"""The things of a scene as actors: chosen, spawned, seated on the road, moved by their motions.

Nothing here is left to Unreal's physics: things rest where they are told, and what moves follows
the same law as in the embedded world, so that one scene plays alike in both. A thing's box is that
of the actor that stands for it, not the one that the scene asked for: labels must fit what is seen.
"""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from hartsim.adapters.carla.blueprints import (
    PATCH_EFFECTS,
    Blueprint,
    Prototype,
    blueprints_of,
    choose,
    colour_setting,
    prototype_for,
)
from hartsim.adapters.carla.capabilities import may_be_collision
from hartsim.adapters.carla.connection import Connection, client_library
from hartsim.adapters.carla.coordinates import Anchor, Placement
from hartsim.adapters.carla.guard import ROLE, Guard
from hartsim.adapters.carla.objects import name_of_new, names_on_map
from hartsim.adapters.carla.roads import Ground
from hartsim.errors import WorldError
from hartsim.scenario.compiled import Conditions, PlacedObject, WorldSetup
from hartsim.scenario.words import suggestion
from hartsim.types import Box3D, Instance, Pose, Vector3

logger = logging.getLogger(__name__)

LIFTS_M = (0.3, 1.0, 2.0, 4.0, 8.0)
"""How high above its place a thing is tried to be spawned, until nothing is in its way."""
HIDDEN_M = -100.0
"""Where things wait that are not there yet: under the ground, above where Unreal removes them."""
DARK_RAD = 0.1
"""Below this elevation of the sun vehicles have their lamps on."""
DIPPED = ("Position", "LowBeam")
NOT_MET = 0.3
"""How far the size of an actor may differ from what the scene asks for without a word."""

PAINTED = frozenset({"cardboard_boxes"})
"""What wears the surface "box"."""

Missing = Literal["refuse", "leave out"]


@dataclass(frozen=True)
class Staged:
    """A thing of the scene and the actor that stands for it.

    `start` is the middle of its foot in the frame of the setup, `size_m` the actor's own size, and
    `middle_m` the middle of its box seen from the actor's origin, in our axes.
    """

    placed: PlacedObject
    actor: int
    type_id: str
    start: Pose
    size_m: Vector3
    middle_m: Vector3

    def box(self, foot: Pose) -> Box3D:
        """Its box where its foot is."""
        x, y, z = foot.position_m
        return Box3D((x, y, z + self.size_m[2] / 2), self.size_m, foot.heading_rad)

    def origin(self, foot: Pose) -> Vector3:
        """Where the actor's origin is when the middle of its foot is here."""
        (x, y, z), (a, b, c) = foot.position_m, self.middle_m
        cos, sin = math.cos(foot.heading_rad), math.sin(foot.heading_rad)
        return x - a * cos + b * sin, y - a * sin - b * cos, z + self.size_m[2] / 2 - c

    @property
    def walks(self) -> bool:
        """Whether it is a walker, who needs to be told to move its legs."""
        return self.type_id.startswith("walker.")


@dataclass
class Play:
    """Where the things of a scene are now: poses of their feet, and what has been set off.

    `feet` are on the ground; `absent` is what is not there yet. `unreal` has Unreal's names of what
    can be painted.
    """

    staged: Mapping[str, Staged]
    effects: Mapping[str, PlacedObject]
    ground: Ground
    unreal: Mapping[str, str] = field(default_factory=dict)
    feet: dict[str, Pose] = field(default_factory=dict)
    begun_s: dict[str, float] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._starts = {name: each.start for name, each in self.staged.items()}
        self._starts |= {name: foot_of(each) for name, each in self.effects.items()}
        objects = [each.placed for each in self.staged.values()] + list(self.effects.values())
        self._motions = {each.name: each.motion for each in objects if each.motion}
        self.feet = {name: self._grounded(pose) for name, pose in self._starts.items()}

    @property
    def moving(self) -> list[str]:
        """The names of what has a motion."""
        return list(self._motions)

    def move(self, time_s: float, ego: Pose) -> None:
        """Put what has a motion where it is at this time, as the embedded world does."""
        for name, motion in self._motions.items():
            now = self._starts[name] if name in self.absent else self.feet[name]
            if motion.is_set_off(time_s, math.dist(ego.position_m[:2], now.position_m[:2])):
                self.begun_s.setdefault(name, time_s)
            there = motion.pose(self._starts[name], time_s, self.begun_s.get(name))
            self.absent.discard(name)
            if there is None:
                self.absent.add(name)
                continue
            self.feet[name] = self._grounded(there)

    def boxes(self) -> dict[str, Box3D]:
        """The boxes of the actors that are there, by name, in the frame of the setup."""
        return {
            name: each.box(self.feet[name])
            for name, each in self.staged.items()
            if name not in self.absent
        }

    def obstacles(self) -> dict[str, Box3D]:
        """The boxes of all that can be hit: the actors, and what lies on the road in pictures."""
        patches = {
            name: replace(placed.box, centre_m=_above(self.feet[name], placed.box.size_m[2] / 2))
            for name, placed in self.effects.items()
            if placed.kind in PATCH_EFFECTS and name not in self.absent
        }
        return self.boxes() | patches

    def hazards(self) -> dict[str, Pose]:
        """Where the hazards are that are there."""
        objects = {name: each.placed for name, each in self.staged.items()} | dict(self.effects)
        return {
            name: self.feet[name]
            for name, placed in objects.items()
            if placed.hazard and name not in self.absent
        }

    def placements(self, names: Sequence[str], anchor: Anchor) -> dict[int, Placement]:
        """Where CARLA has to put the named actors now, by actor."""
        found: dict[int, Placement] = {}
        for name in names:
            if name not in self.staged:
                continue
            staged, foot = self.staged[name], self.feet[name]
            if name in self.absent:
                x, y, _ = self._starts[name].position_m
                foot = Pose((x, y, HIDDEN_M), foot.heading_rad)
            found[staged.actor] = anchor.to_carla(staged.origin(foot), foot.heading_rad)
        return found

    def _grounded(self, foot: Pose) -> Pose:
        """The pose of a foot, told above the road, with the height of the road added."""
        x, y, z = foot.position_m
        return Pose((x, y, z + self.ground.height_m(x, y)), foot.heading_rad)


def _above(foot: Pose, up_m: float) -> Vector3:
    x, y, z = foot.position_m
    return x, y, z + up_m


def foot_of(placed: PlacedObject) -> Pose:
    """The middle of an object's underside, above the road."""
    x, y, z = placed.box.centre_m
    return Pose((x, y, z - placed.box.size_m[2] / 2), placed.box.heading_rad)


def instance_of(placed: PlacedObject, box: Box3D) -> Instance:
    """The object as labels count it; frames number it."""
    return Instance(0, placed.name, placed.kind, placed.class_name, placed.hazard, placed.tags, box)


def prototypes(setup: WorldSetup, missing: Missing) -> dict[str, Prototype]:
    """What stands for each object of a setup, by name.

    What CARLA cannot show is refused with all names and reasons in one WorldError, or left out.
    """
    found: dict[str, Prototype] = {}
    refused: list[str] = []
    for placed in setup.objects:
        try:
            found[placed.name] = prototype_for(placed.kind)
        except WorldError as error:
            refused.append(f"{placed.name}: {error}")
    if refused and missing == "refuse":
        raise WorldError("; ".join(refused))
    for each in refused:
        logger.warning("left out %s", each)
    return found


class Stagehand:
    """Spawns what belongs to a scene, in one world, for one guard."""

    def __init__(self, connection: Connection, guard: Guard) -> None:
        self._connection, self._guard = connection, guard
        self._carla = client_library()
        with connection.asking("for its blueprints"):
            self._library = connection.world.get_blueprint_library()
        self.blueprints: tuple[Blueprint, ...] = blueprints_of(self._library)

    def stage(
        self,
        setup: WorldSetup,
        anchor: Anchor,
        ground: Ground,
        kinds: Mapping[str, Prototype],
        tick: Callable[[], int],
    ) -> Play:
        """Spawn the objects of a setup and seat them on the road.

        It ticks where something is spawned that can be painted, for Unreal's name of it.
        """
        staged: dict[str, Staged] = {}
        unreal: dict[str, str] = {}
        effects: dict[str, PlacedObject] = {}
        dark = is_dark(setup.conditions)
        commands: list[Any] = []
        for placed in setup.objects:
            prototype = kinds.get(placed.name)
            if prototype is None:
                continue
            if prototype.how == "effect":
                effects[placed.name] = placed
                continue
            painted = placed.kind in PAINTED
            before = self._names() if painted else ()
            each = self._spawned(placed, prototype, setup.decor_seed, anchor, ground)
            staged[placed.name] = each
            if painted:
                tick()
                unreal[placed.name] = name_of_new(before, self._names(), placed.name)
            commands.append(self._carla.command.SetSimulatePhysics(each.actor, False))
            lights = prototype.lights or (DIPPED if dark else ())
            if prototype.how == "vehicle" and lights:
                commands.append(self.shining(each.actor, lights))
        play = Play(staged, effects, ground, unreal)
        commands += self.moving(play.placements(list(staged), anchor))
        self.obey(commands, "to seat the scene's things")
        return play

    def _names(self) -> tuple[str, ...]:
        with self._connection.asking("what can be painted"):
            return names_on_map(self._connection.world)

    def _spawned(
        self,
        placed: PlacedObject,
        prototype: Prototype,
        seed: int,
        anchor: Anchor,
        ground: Ground,
    ) -> Staged:
        blueprint = choose(prototype, self.blueprints, seed, placed.name)
        if prototype.stands_in:
            logger.warning("%s: %s stands for '%s'", placed.name, prototype.stands_in, placed.kind)
        settings = dict(prototype.settings)
        if placed.colour is not None and prototype.how == "vehicle":
            settings["color"] = colour_setting(placed.colour)
        foot = foot_of(placed)
        x, y, z = foot.position_m
        half_m = prototype.size_m[2] / 2 if prototype.how == "walker" else 0.0
        at = (x, y, z + ground.height_m(x, y) + half_m)
        actor = self.spawn(
            blueprint, settings, placed.name, [anchor.to_carla(at, foot.heading_rad)]
        )
        size, middle = self.measured(actor, placed.box.size_m)
        if max(abs(a / b - 1) for a, b in zip(size, placed.box.size_m, strict=True)) > NOT_MET:
            logger.info(
                "%s: %s is %.1f x %.1f x %.1f m, the scene asked for %.1f x %.1f x %.1f m",
                *(placed.name, blueprint, *size, *placed.box.size_m),
            )
        return Staged(placed, actor.id, blueprint, foot, size, middle)

    def spawn(
        self,
        blueprint_id: str,
        settings: Mapping[str, str],
        name: str,
        places: Sequence[Placement],
    ) -> Any:
        """An actor at the first of these places, or above it, where nothing is in its way.

        WorldError where something always is.
        """
        blueprint = self._library.find(blueprint_id)
        for key, value in {**settings, "role_name": f"{ROLE}/{name}"}.items():
            if blueprint.has_attribute(key) and blueprint.get_attribute(key).is_modifiable:
                blueprint.set_attribute(key, value)
        for place in places:
            for lift in LIFTS_M:
                x, y, z = place.location_m
                raised = Placement((x, y, z + lift), place.rotation_deg)
                try:
                    with self._connection.asking(f"to spawn {blueprint_id} as '{name}'"):
                        actor = self._connection.world.spawn_actor(
                            blueprint, self.transform(raised)
                        )
                except WorldError as error:
                    if not may_be_collision(error):
                        raise
                    continue
                self._guard.note({actor.id: blueprint_id})
                return actor
        raise WorldError(
            f"cannot spawn {blueprint_id} as '{name}': something is in its way at "
            f"{', '.join(str(place.location_m) for place in places)} and up to {LIFTS_M[-1]} m "
            "above; take another decor_seed, or let others' actors go"
        )

    def measured(self, actor: Any, asked_m: Vector3) -> tuple[Vector3, Vector3]:
        """An actor's size, and the middle of its box seen from its origin, in our axes.

        Some props have no box in CARLA; they get the size that was asked for, on the ground.
        """
        with self._connection.asking("how large an actor is"):
            box = actor.bounding_box
        half, at = box.extent, box.location
        size = (2 * half.x, 2 * half.y, 2 * half.z)
        if not all(math.isfinite(side) and 0 < side < 100 for side in size):
            logger.warning("%s has no box in CARLA: taking what was asked for", actor.type_id)
            return asked_m, (0.0, 0.0, asked_m[2] / 2)
        return size, Anchor((0.0, 0.0, 0.0)).point_from_carla((at.x, at.y, at.z))

    def transform(self, place: Placement) -> Any:
        """The placement as the client's."""
        carla = self._carla
        return carla.Transform(
            carla.Location(*place.location_m), carla.Rotation(*place.rotation_deg)
        )

    def moving(self, places: Mapping[int, Placement]) -> list[Any]:
        """Commands that put actors to their places."""
        apply = self._carla.command.ApplyTransform
        return [apply(actor, self.transform(place)) for actor, place in places.items()]

    def shining(self, actor: int, lights: Sequence[str]) -> Any:
        """The command by which a vehicle has these lights on."""
        states = self._carla.VehicleLightState
        on = states.NONE
        for name in lights:
            on |= getattr(states, name)
        return self._carla.command.SetVehicleLightState(actor, states(on))

    def obey(self, commands: Sequence[Any], what: str) -> None:
        """Let the server do all this in one batch; WorldError for what it cannot."""
        with self._connection.asking(what):
            answers = self._connection.client.apply_batch_sync(list(commands), False)
        for answer in answers:
            if answer.has_error():
                raise WorldError(
                    f"asked the CARLA server at {self._connection.address} {what}: {answer.error}"
                )


EGOS = ("vehicle.tesla.model3", "vehicle.lincoln.mkz", "vehicle.lincoln.mkz_2020")


def ego_of(blueprints: Sequence[Blueprint], asked: str = "") -> str:
    """The blueprint of the ego: the one asked for, or the first of `EGOS`, or any car.

    WorldError where the server has none; 0.10.0 has a small choice of vehicles.
    """
    vehicles = {each.id: each for each in blueprints if each.id.startswith("vehicle.")}
    if asked and asked not in vehicles:
        raise WorldError(f"the server has no vehicle '{asked}'; {suggestion(asked, vehicles)}")
    cars = [name for name, each in vehicles.items() if each.attributes.get("base_type") == "car"]
    for name in (asked, *EGOS, *sorted(cars)):
        if name in vehicles:
            return name
    raise WorldError("the server has no car that could be the ego; name another vehicle as ego")


def is_dark(conditions: Conditions) -> bool:
    """Whether vehicles have their lamps on."""
    return conditions.sun_elevation_rad < DARK_RAD
