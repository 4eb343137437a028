"""The world between two ticks: settings, weather, actors, and what stands about."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.carla_standin import wire
from tests.carla_standin.actors import Actor, touch
from tests.carla_standin.blueprints import TYPES, Blueprint, library
from tests.carla_standin.geometry import Transform
from tests.carla_standin.knobs import Knobs, matches
from tests.carla_standin.maps import TOWNS, Town
from tests.carla_standin.rays import SolidBox
from tests.carla_standin.recorder import Recorder, Replay
from tests.carla_standin.textures import DIFFUSE, Picture, mean_colour

WORLD_STREAM = 1
DEFAULT_STEP_S = 0.05
WEATHER = [5.0, 0.0, 0.0, 10.0, -1.0, 45.0, 2.0, 0.75, 0.1, 0.0, 1.0, 0.03, 0.0331, 0.0]
SETTINGS = [False, False, [False], True, 0.01, 10, 0.0, True, 3000.0, 2000.0, True]
"""What a server starts with, in the order of `wire.WEATHER` and `wire.SETTINGS`."""

FLAT = frozenset({1, 2, 10, 24})
"""Tags of the ground, which nothing hits but a ray that falls."""


class EpisodeError(Exception):
    """What CARLA answers with instead of a result."""


@dataclass(frozen=True)
class Piece:
    """Something that belongs to the map.

    `name` is its name in Unreal, by which it can be painted unless it is `deaf`; `tag` is its
    label, `middle` and `half_m` are those of the box round it.
    """

    name: str
    tag: int
    middle: Transform
    half_m: tuple[float, float, float]
    id: int
    deaf: bool = False

    def packed(self) -> list[Any]:
        """The piece as CARLA's environment object."""
        location, rotation = self.middle.packed()
        box = [location, list(self.half_m), rotation, 0]
        # an actor's parts are counted behind its name
        return [self.middle.packed(), box, self.id, f"{self.name}_SM_0", self.tag]

    def solid(self) -> SolidBox:
        """The piece as something to hit."""
        return SolidBox(self.middle.matrix(), self.half_m, self.tag, self.id)


@dataclass
class Episode:
    """One episode: from the loading of a map to that of the next."""

    knobs: Knobs
    town: Town
    id: int = 1
    frame: int = 0
    seconds: float = 0.0
    settings: list[Any] = field(default_factory=lambda: list(SETTINGS))
    weather: list[float] = field(default_factory=lambda: list(WEATHER))
    actors: dict[int, Actor] = field(default_factory=dict)
    pieces: list[Piece] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)
    paint: dict[str, dict[int, Picture]] = field(default_factory=dict)
    next_id: int = 24
    next_stream: int = 2
    changed: bool = True
    """Whether the world was loaded since the last snapshot."""
    recorder: Recorder | None = None
    replay: Replay | None = None
    revision: int = 0
    """Counts what changes pictures other than motion: actors, weather, paint."""

    @property
    def synchronous(self) -> bool:
        """Whether the client ticks."""
        return bool(self.settings[0])

    @property
    def step_s(self) -> float:
        """What a tick takes."""
        fixed = self.settings[2]
        return float(fixed[1]) if fixed[0] and fixed[1] > 0 else DEFAULT_STEP_S

    def blueprint(self, name: str) -> Blueprint:
        """A blueprint by id."""
        if name not in library():
            raise EpisodeError(f"invalid blueprint: {name}")
        return library()[name]

    def spawn(
        self,
        description: list[Any],
        at: Transform,
        parent: int = 0,
        wanted: int = 0,
        forced: bool = False,
    ) -> Actor:
        """Set an actor into the world; `at` is relative to the parent, if it has one.

        It gets the id that is `wanted`, if that is free. When `forced` it may stand in another.
        """
        name = description[1]
        blueprint = self.blueprint(name)
        told = {word: [word, kind, text] for word, kind, text in description[2]}
        description = [blueprint.uid, name, _described(blueprint, told, self.knobs.attribute_base)]
        if parent and parent not in self.actors:
            raise EpisodeError("unable to attach actor: parent actor not found")
        own = at
        number = wanted if wanted and wanted not in self.actors else self.next_id
        if parent:
            at = self.actors[parent].transform.then(own)
        actor = Actor(number, blueprint, description, at, parent, own)
        if not forced:
            self._collide(actor)
        self.next_id = max(self.next_id, number) + 1
        if actor.kind == "sensor":
            actor.stream, self.next_stream = self.next_stream, self.next_stream + 1
        self.actors[actor.id] = actor
        self.revision += 1
        return actor

    def _collide(self, actor: Actor) -> None:
        """Refuse to set an actor into another."""
        blocked = matches(actor.blueprint.id, self.knobs.collision)
        if actor.kind in ("vehicle", "walker") and not actor.parent:
            others = (each for each in self.actors.values() if each.kind in ("vehicle", "walker"))
            blocked = blocked or any(touch(actor, other) for other in others)
        if blocked:
            raise EpisodeError("Spawn failed because of collision at spawn position")

    def actor(self, number: int) -> Actor:
        """An actor by id."""
        if number not in self.actors:
            raise EpisodeError(f"actor not found: {number}")
        return self.actors[number]

    def destroy(self, number: int) -> Actor | None:
        """Take an actor out of the world; None if there is none, or if it cannot be destroyed."""
        actor = self.actors.get(number)
        if actor is None or actor.blueprint.id == "spectator":
            return None
        del self.actors[number]
        self.revision += 1
        for other in self.actors.values():
            other.parent = 0 if other.parent == number else other.parent
        return actor

    def advance(self) -> None:
        """Let the time of one tick pass."""
        self.frame += 1
        self.seconds += self.step_s
        ground = self.ground_m()
        for actor in self.actors.values():
            if not actor.parent:
                actor.advance(self.step_s, ground)
        if self.replay is not None:
            self.replay.advance(self, self.step_s)
        self.follow()
        if self.recorder is not None:
            self.recorder.note(self.seconds, self.actors.values())

    def follow(self) -> None:
        """Carry what is attached along with its parents, which were spawned before it."""
        for actor in self.actors.values():
            if actor.parent:
                parent = self.actors[actor.parent]
                actor.transform = parent.transform.then(actor.own)
                actor.velocity = parent.velocity
                actor.acceleration, actor.turning = parent.acceleration, parent.turning

    def ground_m(self) -> float:
        """How high the ground is."""
        return self.town.start.location[2]

    def snapshot(self) -> list[bytes]:
        """The world's state as its stream sends it."""
        head = wire.header(self.knobs.world_observer, self.frame, self.seconds, Transform())
        state = wire.MAP_CHANGED if self.changed else 0
        self.changed = False
        world = wire.SNAPSHOT.pack(self.id, self.seconds, self.step_s, 0, 0, 0, state)
        return [head + world, *(actor.state() for actor in self.actors.values())]

    def names(self) -> list[str]:
        """The names in Unreal of all that can be asked to take paint."""
        return [piece.name for piece in self.pieces] + [
            unreal_name(actor)
            for actor in self.actors.values()
            if actor.kind in ("vehicle", "walker", "static", "traffic")
        ]

    def boxes(self) -> list[SolidBox]:
        """All that can be hit: pieces of the map and actors."""
        solids = [
            piece.solid()
            for piece in self.pieces
            if piece.id not in self.hidden and piece.tag not in FLAT
        ]
        for actor in self.actors.values():
            if actor.kind in ("vehicle", "walker", "static") and any(actor.blueprint.size_m):
                middle, half = actor.box
                matrix = actor.transform.then(Transform(middle)).matrix()
                solids.append(SolidBox(matrix, half, actor.tag, actor.id))
        return solids

    def coats(self) -> dict[int, NDArray[np.float64]]:
        """The mean colour (0..255) of the paint on pieces and actors, by their ids."""
        ids = {piece.name: piece.id for piece in self.pieces}
        ids |= {unreal_name(actor): actor.id for actor in self.actors.values()}
        return {
            ids[name]: mean_colour(worn[DIFFUSE])
            for name, worn in self.paint.items()
            if name in ids and DIFFUSE in worn
        }

    def is_deaf(self, name: str) -> bool:
        """Whether an object of this name ignores paint."""
        if matches(name, self.knobs.deaf):
            return True
        own = {piece.name: piece.deaf for piece in self.pieces}
        if name in own:
            return own[name]
        # skeletal meshes are never painted; what a traffic sign wears has no such parameter
        return not fnmatchcase(name, "*static_prop*")


def _described(blueprint: Blueprint, told: dict[str, list[Any]], base: int) -> list[list[Any]]:
    """A blueprint's attributes with what was told of them."""
    own = {
        each.id: [each.id, TYPES.index(each.type) + base, each.value]
        for each in blueprint.attributes
    }
    return [told.get(word, value) for word, value in own.items()]


def unreal_name(actor: Actor) -> str:
    """The name that Unreal gives an actor."""
    return f"{actor.blueprint.id.replace('.', '_')}_C_{actor.id}"


def new_episode(knobs: Knobs, name: str, before: Episode | None, keep: bool) -> Episode:
    """The episode after loading a map by name; EpisodeError for one that there is not.

    `keep` takes the settings over from the one before.
    """
    short = name.rsplit("/", 1)[-1]
    if short not in TOWNS:
        raise EpisodeError(f"map not found: {name}")
    episode = Episode(knobs, TOWNS[short])
    if before is not None:
        episode.id, episode.frame = before.id + 1, before.frame
        episode.seconds = before.seconds
        episode.next_stream = before.next_stream
        if keep:
            episode.settings = list(before.settings)
    _furnish(episode)
    return episode


def _furnish(episode: Episode) -> None:
    """Set up what every map has: a spectator, a traffic light and a speed limit."""
    for name, at in (
        ("spectator", episode.town.at(-8.0, 0.0, 6.0)),
        ("traffic.traffic_light", episode.town.at(120.0, 5.5)),
        ("traffic.speed_limit.50", episode.town.at(40.0, 5.5)),
    ):
        number = episode.next_id
        episode.next_id += 1
        blueprint = Blueprint(0, name, ())
        episode.actors[number] = Actor(number, blueprint, [0, name, []], at, physics=False)
