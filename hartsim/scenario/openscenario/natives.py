"""What a file says in OpenSCENARIO's own words, as a scenario without anything that varies."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from hartsim.scenario.kinds import KINDS
from hartsim.scenario.openscenario.entities import ENTITIES, colour_of, kind_by_name, kind_of
from hartsim.scenario.openscenario.environments import scene_of
from hartsim.scenario.openscenario.parameters import declared
from hartsim.scenario.openscenario.positions import WORLD, Positions, Spot
from hartsim.scenario.openscenario.reader import Reader
from hartsim.scenario.openscenario.roads import Road, road_of
from hartsim.scenario.openscenario.stories import Doing, Step, Story, steps_of, target_mps
from hartsim.scenario.openscenario.tree import Element
from hartsim.scenario.openscenario.triggers import Thing, Triggers
from hartsim.scenario.openscenario.wording import distinct, place_in, sentence
from hartsim.scenario.schema import (
    DEFAULT_CAMERAS,
    DrivingSpec,
    ObjectSpec,
    RobotSpec,
    Scenario,
    SceneSpec,
    misfit,
    rules_of,
)
from hartsim.scenario.surroundings import PLACES
from hartsim.types import Task

EGO_NAMES = ("ego", "hero", "egovehicle", "hostvehicle", "host")
VERSIONS = ("1.0", "1.1", "1.2", "1.3")
MOST_ENTITIES, MOST_STEPS = 500, 10_000
FAST_MPS = 20.0
"""Who starts faster than this is on a highway, if nothing else says where."""
OTHERS_DIGITS, OWN_DIGITS, NOISE = 4, 6, 1e-9
"""Decimals that numbers of others and of our own files are given with, where no more are there."""
ON_GROUND_M = 0.5
"""Up to here a height counts as that of a road."""
STILL: Mapping[str, Any] = {
    "motion": None,
    "speed_mps": 0.0,
    "when_distance_m": None,
    "when_time_s": None,
}
"""The fields of what does not move."""


@dataclass(frozen=True)
class Own:
    """What a file that hartsim wrote says of itself: its task, place and ego."""

    task: Task
    place: str
    ego: str


class Native:
    """Reads a file whose parameters are worked out; `own` where hartsim wrote it."""

    def __init__(self, root: Element, reader: Reader, own: Own | None) -> None:
        self.root, self.reader, self.own = root, reader, own
        self.task: Task = own.task if own is not None else "driving"
        entities = reader.children(reader.child(root, "Entities"), "ScenarioObject")
        for each in entities[MOST_ENTITIES:]:
            reader.leave(each, f"more than {MOST_ENTITIES} entities")
        self.entities = {reader.text(each, "name"): each for each in entities[:MOST_ENTITIES]}
        self.storyboard = reader.child(root, "Storyboard")
        actions = reader.below(self.storyboard, "Init", "Actions")
        self.global_actions = reader.children(actions, "GlobalAction")
        self.private: dict[str, list[Element]] = {name: [] for name in self.entities}
        for each in reader.children(actions, "Private"):
            name = reader.text(each, "entityRef")
            if name not in self.entities:
                reader.leave(each, f"there is no entity '{name}'")
            self.private.setdefault(name, []).extend(reader.children(each, "PrivateAction"))
        self.steps: dict[str, list[Step]] = {}
        for name, step in islice(steps_of(reader, self.storyboard), MOST_STEPS):
            self.steps.setdefault(name, []).append(step)
        self.road: Road | None = None
        if own is not None and own.task == "driving":
            self.road = road_of(PLACES[own.place].lanes_m)
        self.positions = Positions(reader, self._starts(), self.road)
        self.ego = own.ego if own is not None else self._guessed_ego()
        self.ego_spot = self._ego_spot()
        self.ego_mps = self._speed(self.ego, None)
        self.parameters = declared(root, {})
        self.names = distinct(name for name in self.entities if name != self.ego)

    def scenario(self, title: str) -> Scenario:
        """The scenario, called `title`."""
        header = self.reader.child(self.root, "FileHeader")
        version = [self.reader.text(header, each) for each in ("revMajor", "revMinor")]
        if header is not None and ".".join(version) not in VERSIONS:
            self.reader.note(header, f"version {'.'.join(version)}; read as 1.x", "approximated")
        task = self.task
        specs = {name: self._spec(name) for name in self.names}
        for name, actions in self.private.items():
            if name != self.ego and specs.get(name) is None:
                for each in actions:
                    self.reader.skip(each)
        self._leave_steps([self.ego], "the ego is driven by whatever is tested")
        without = [name for name in self.steps if name != self.ego and specs.get(name) is None]
        self._leave_steps(without, "its actor is not in the scenario")
        there = {self.names[name]: spec for name, spec in specs.items() if spec is not None}
        return Scenario(
            name=title,
            task=task,
            about=sentence(self.reader.text(header, "description")),
            scene=self._scene(),
            hazards={each: spec for each, spec in there.items() if is_hazard(spec)},
            objects={each: spec for each, spec in there.items() if not is_hazard(spec)},
            cameras=dict(DEFAULT_CAMERAS[task]),
            driving=self._driving() if task == "driving" else None,
            robot=RobotSpec() if task == "robot" else None,
        )

    def _leave_steps(self, names: Iterable[str], reason: str) -> None:
        """Note actions that nothing else is said of."""
        for step in (step for name in names for step in self.steps.get(name, [])):
            self.reader.leave(step.action, reason)
            for trigger in step.triggers:
                if trigger is not None:
                    self.reader.skip(trigger)

    def _guessed_ego(self) -> str:
        """The entity called so, else the first that a controller drives, else the first vehicle."""
        for name in self.entities:
            if re.sub("[^a-z]", "", name.lower()) in EGO_NAMES:
                return name
        for name, entity in self.entities.items():
            assigned = [part for each in self.private[name] for part in each.walk()]
            names = {part.name for part in (*entity.children, *assigned)}
            if names & {"ObjectController", "AssignControllerAction"}:
                self.reader.note(entity, "taken for the ego, as it has a controller", "guessed")
                return name
        for name, entity in self.entities.items():
            if any(part.name in ("Vehicle", "CatalogReference") for part in entity.children):
                self.reader.note(entity, "taken for the ego, as the first vehicle", "guessed")
                return name
        return ""

    def _starts(self) -> dict[str, Element]:
        """The first Position of every entity that has one."""
        starts: dict[str, Element] = {}
        for name, actions in self.private.items():
            for action in actions:
                place = self.reader.below(action, "TeleportAction", "Position")
                if place is not None:
                    starts.setdefault(name, place)
        for name, steps in self.steps.items():
            for added in (step.action for step in steps):
                place = self.reader.below(
                    added, "GlobalAction", "EntityAction", "AddEntityAction", "Position"
                )
                if place is not None and starts.setdefault(name, place) is not place:
                    self.reader.skip(place)
        return starts

    def _ego_spot(self) -> Spot:
        spot = self.positions.of(self.ego)
        entity = self.entities.get(self.ego)
        if entity is None:
            return Spot(WORLD, 0.0, 0.0)
        model = self.reader.referred(entity, *ENTITIES)
        if model is not None:
            spot = self._middle(model, spot) if spot else None
            self.reader.leave(model, "the ego does not see itself")
        if spot is None:
            self.reader.note(entity, "taken to start at the origin of the world", "guessed")
        return spot or Spot(WORLD, 0.0, 0.0)

    def _middle(self, model: Element, spot: Spot) -> Spot:
        """The spot of a vehicle's middle; others have their reference point there."""
        centre = self.reader.below(model, "BoundingBox", "Center")
        x, y = (self.reader.number(centre, each) for each in "xy")
        if model.name != "Vehicle" or abs(x) > 10 or abs(y) > 3:
            return spot
        return spot.moved(x, y)

    def _speed(self, name: str, thing: Thing | None) -> float:
        """How fast an entity starts; the ego's default where the file says nothing of it."""
        speed: float | None = None
        for action in self.private.get(name, []):
            first = self.reader.below(action, "LongitudinalAction", "SpeedAction")
            if first is not None:
                ego_mps = self.ego_mps if thing else 0.0
                speed = target_mps(self.reader, first, self.ego, ego_mps, thing)
        if speed is None:
            speed = DrivingSpec().speed_mps if thing is None else 0.0
        return speed

    def _scene(self) -> SceneSpec:
        environments = []
        for action in self.global_actions:
            found = self.reader.child(action, "EnvironmentAction")
            said = self.reader.referred(found, "Environment")
            environments += [said] if said is not None else []
        place = self.own.place if self.own else self._guessed_place()
        return SceneSpec(place, **scene_of(self.reader, environments))

    def _guessed_place(self) -> str:
        network = self.reader.child(self.root, "RoadNetwork")
        files = self.reader.children(network, "LogicFile", "SceneGraphFile")
        said = [self.reader.text(each, "filepath").rpartition("/")[2] for each in files]
        header = self.reader.child(self.root, "FileHeader")
        place = place_in([*said, self.reader.text(header, "description")])
        place = place or ("highway" if self.ego_mps > FAST_MPS else "city_street")
        for each in files:
            self.reader.leave(each, "roads are not followed but taken as straight")
        where = network or self.root
        self.reader.note(where, f"the place '{place}', by names and the ego's speed", "guessed")
        return place

    def _driving(self) -> DrivingSpec:
        rules = rules_of(DrivingSpec)
        goal_m = DrivingSpec().goal_m
        for action in self.private.get(self.ego, []):
            way = self.reader.below(action, "RoutingAction", "AcquirePositionAction", "Position")
            spot = self.positions.spot(way)
            if spot is not None and spot.plane == self.ego_spot.plane:
                goal_m = self._tidy(spot.seen_from(self.ego_spot).x_m)
        speed = min(self.ego_mps, rules["speed_mps"].high)
        fits = misfit(rules["goal_m"], goal_m, "driving") is None
        traffic = DrivingSpec().traffic if self.own else 0.0
        return DrivingSpec(self._tidy(speed), traffic, goal_m if fits else DrivingSpec().goal_m)

    def _spec(self, name: str) -> ObjectSpec | None:
        """An entity as an object; None, with a note, where it cannot be one."""
        entity = self.entities[name]
        found = self.reader.child(entity, *ENTITIES, "CatalogReference")
        model = self.reader.followed(found, *ENTITIES) if found is not None else None
        spot = self.positions.of(name)
        if spot is None or spot.plane != self.ego_spot.plane:
            where = f"on {spot.plane}, the ego on {self.ego_spot.plane}" if spot else "not known"
            self.reader.leave(entity, f"where it stands is {where}")
            return None
        kind, colour = self._kind_and_colour(found, model, name)
        if kind is None:
            return None
        here = (self._middle(model, spot) if model else spot).seen_from(self.ego_spot)
        doing = self._doing(name, kind, here)
        spec = self._placed(ObjectSpec(kind, 0.0, colour=colour), here, doing)
        problem = self._misfit(spec)
        if problem and doing is not None and self._misfit(replace(spec, **STILL)) is None:
            self.reader.note(entity, f"stays where it is: {problem}")
            return replace(spec, **STILL)
        if problem:
            self.reader.leave(entity, problem)
            return None
        if self.names[name] != name:
            self.reader.note(entity, f"called '{self.names[name]}'", "approximated")
        return spec

    def _kind_and_colour(
        self, found: Element | None, model: Element | None, name: str
    ) -> tuple[str | None, str | None]:
        if model is not None:
            return kind_of(self.reader, model, name, self.task), colour_of(self.reader, model)
        return (kind_by_name(self.reader, found) if found is not None else None), None

    def _placed(self, spec: ObjectSpec, here: Spot, doing: Doing | None) -> ObjectSpec:
        """The spec at a spot in the ego's frame, or by its host, doing what it does."""
        heading = here.heading_rad
        if doing is not None and doing.heading_rad is not None:
            heading = doing.heading_rad
        turned = heading != here.heading_rad
        beside = here.beside if here.beside and here.beside.host in self.names else None
        if beside is not None and not turned:
            spec = replace(
                spec,
                ahead_m=self._tidy(beside.ahead_m),
                left_m=self._tidy(beside.left_m),
                heading_deg=self._degrees(beside.heading_rad),
                of=self.names[beside.host],
            )
        else:
            spec = replace(
                spec,
                ahead_m=self._tidy(here.x_m),
                left_m=self._tidy(here.y_m),
                heading_deg=self._degrees(heading),
            )
        up_m = self._tidy(here.z_m) if here.z_m > ON_GROUND_M else 0.0
        return replace(spec, up_m=up_m, **self._motion_fields(doing))

    def _misfit(self, spec: ObjectSpec) -> str | None:
        """What keeps an object out; in own files what was kept may still put it right."""
        if self.own is not None:
            return None
        for name, rule in rules_of(ObjectSpec).items():
            problem = misfit(rule, getattr(spec, name), self.task)
            if problem:
                return f"{name}: {problem}"
        return None

    def _doing(self, name: str, kind: str, here: Spot) -> Doing | None:
        length = KINDS[kind].size_m[0]
        thing = Thing(name, here, length)
        thing = replace(thing, speed_mps=self._speed(name, thing))
        triggers = Triggers(self.reader, self.ego, self.ego_mps, self._seen, self.parameters)
        story = Story(self.reader, self.positions, triggers, self.ego_spot, self.ego)
        return story.doing(thing, self.steps.get(name, []))

    def _tidy(self, number: float) -> float:
        """The number without the last digits' noise; what hartsim wrote keeps all it has."""
        short = round(number, OTHERS_DIGITS if self.own is None else OWN_DIGITS)
        return short if self.own is None or abs(number - short) < NOISE else number

    def _degrees(self, radians: float) -> float:
        """An angle in degrees, more than -180 and up to 180."""
        degrees = self._tidy(math.degrees(math.remainder(radians, math.tau)))
        return 180.0 if degrees == -180.0 else degrees

    def _motion_fields(self, doing: Doing | None) -> dict[str, Any]:
        if doing is None:
            return {}
        when = doing.when
        return {
            "motion": doing.motion,
            "speed_mps": self._tidy(doing.speed_mps),
            "when_distance_m": None if when.distance_m is None else self._tidy(when.distance_m),
            "when_time_s": None if when.time_s is None else self._tidy(when.time_s),
        }

    def _seen(self, position: Element | None) -> Spot | None:
        spot = self.positions.spot(position)
        if spot is None or spot.plane != self.ego_spot.plane:
            return None
        return spot.seen_from(self.ego_spot)


def is_hazard(spec: ObjectSpec) -> bool:
    """Whether a thing is what a scenario is about: a hazard by kind, or one that moves."""
    return KINDS[spec.kind].hazard or spec.motion is not None
