"""Storyboards: what things do in them, as motions of ours."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hartsim.scenario.motion import BRAKING_MPS2, LANE_CHANGE_S, MotionName
from hartsim.scenario.openscenario.positions import Positions, Spot
from hartsim.scenario.openscenario.reader import Reader
from hartsim.scenario.openscenario.roads import LANE_M, Road, straight_m
from hartsim.scenario.openscenario.tree import Element
from hartsim.scenario.openscenario.triggers import AT_ONCE, NEVER, Thing, Triggers, When

MOST_STEPS = 100
"""Actions of a thing that are looked at."""
STANDING_MPS = 0.1
ACROSS = 0.62
"""The sine of the angle from which on something crosses the road, at 38.3 degrees."""
OWN_LANE_M = 1.0
"""How far beside the ego's middle a lane change may end to be one into its lane."""


@dataclass(frozen=True)
class Doing:
    """A motion, as the fields of an object say it; `heading_rad` is None where it stays.

    `speed` is another action that gave the speed.
    """

    motion: MotionName
    speed_mps: float = 0.0
    when: When = AT_ONCE
    heading_rad: float | None = None
    speed: Element | None = None


@dataclass(frozen=True)
class Step:
    """An action of a thing in an event, with the triggers of the event and of its act."""

    action: Element
    triggers: tuple[Element | None, ...]


class Story:
    """Reads what the things of a storyboard do; `ego` is where the ego starts, `road` its road."""

    def __init__(
        self, reader: Reader, positions: Positions, triggers: Triggers, ego: Spot, ego_name: str
    ) -> None:
        self.reader, self.positions, self.triggers = reader, positions, triggers
        self.ego, self.ego_name = ego, ego_name

    def doing(self, thing: Thing, steps: Sequence[Step]) -> Doing | None:
        """What a thing does: its first action that is a motion of ours; the others are noted."""
        found: Doing | None = None
        later: list[tuple[Step, When]] = []
        for step in steps[MOST_STEPS:]:
            self.reader.leave(step.action, f"more than {MOST_STEPS} actions of one thing")
        for step in steps[:MOST_STEPS]:
            when = self._when(step, thing)
            target = self._target_mps(step.action, thing) if when and when.at_once else None
            if target is not None and self._kind(step.action) == "SpeedAction":
                thing = replace(thing, speed_mps=target)
            elif when is not None and when != NEVER:
                later.append((step, when))
        for step, when in later:
            doing = self._motion(step.action, thing, when, [each for each, _ in later])
            if doing is not None and found is None:
                found = doing
            elif doing is not None and found is not None and step.action is not found.speed:
                self.reader.leave(step.action, "a thing has one motion, and this one has another")
        if found is None and thing.speed_mps > STANDING_MPS:
            found = self._going(thing.spot.heading_rad, thing.speed_mps, AT_ONCE)
        return found

    def _when(self, step: Step, thing: Thing) -> When | None:
        when: When | None = AT_ONCE
        for trigger in step.triggers:
            when = self.triggers.both(when, self.triggers.when(trigger, thing), thing)
        if when is None:
            self.reader.leave(step.action, "when it begins is not known")
        elif when == NEVER:
            self.reader.skip(step.action)
        return when

    def _kind(self, action: Element) -> str:
        """The name of the action proper, inside its wrappers."""
        innermost = _innermost(action)
        return innermost.name if innermost is not None else ""

    def _motion(
        self, action: Element, thing: Thing, when: When, others: Sequence[Step]
    ) -> Doing | None:
        inner = self._opened(action)
        match inner.name if inner is not None else "":
            case "SpeedAction":
                return self._speed(action, inner, thing, when)
            case "LaneChangeAction":
                return self._lane_change(action, inner, thing, when)
            case "AcquirePositionAction":
                spot = self._spot(self.reader.child(inner, "Position"))
                return self._way(action, spot, None, thing, when, others)
            case "FollowTrajectoryAction":
                spot, seconds = self._end_of(inner)
                return self._way(action, spot, seconds, thing, when, others)
            case "AddEntityAction":
                return Doing("appears", 0.0, when)
        self.reader.leave(action, f"{inner.name if inner else 'this'} is no motion of ours")
        return None

    def _speed(
        self, action: Element, inner: Element | None, thing: Thing, when: When
    ) -> Doing | None:
        target = self._target_mps(action, thing)
        if target is None:
            self.reader.leave(action, "the speed to reach is not known")
            return None
        if thing.speed_mps > STANDING_MPS and target < STANDING_MPS:
            self._note_braking(inner)
            return Doing("brakes", thing.speed_mps, when)
        if thing.speed_mps <= STANDING_MPS and target >= STANDING_MPS:
            return self._going(thing.spot.heading_rad, target, when)
        if not math.isclose(target, thing.speed_mps, abs_tol=STANDING_MPS):
            self.reader.leave(action, "things start and stop, but do not change their speed")
        return None

    def _note_braking(self, inner: Element | None) -> None:
        dynamics = self.reader.child(inner, "SpeedActionDynamics")
        rate = abs(self.reader.number(dynamics, "value"))
        by_rate = self.reader.text(dynamics, "dynamicsDimension") == "rate"
        if dynamics is not None and not (by_rate and rate == BRAKING_MPS2):
            self.reader.note(dynamics, f"braking is {BRAKING_MPS2:g} m/s²", "approximated")

    def _lane_change(
        self, action: Element, inner: Element | None, thing: Thing, when: When
    ) -> Doing | None:
        left = self._lane_m(self.reader.child(inner, "LaneChangeTarget"), thing)
        if left is None or abs(left) > OWN_LANE_M:
            self.reader.leave(action, "lane changes other than into the ego's lane")
            return None
        dynamics = self.reader.child(inner, "LaneChangeActionDynamics")
        seconds = self.reader.number(dynamics, "value")
        by_time = self.reader.text(dynamics, "dynamicsDimension") == "time"
        if dynamics is not None and not (by_time and seconds == LANE_CHANGE_S):
            self.reader.note(dynamics, f"cutting in takes {LANE_CHANGE_S:g} s", "approximated")
        return Doing("cuts_in", thing.speed_mps, when)

    def _lane_m(self, target: Element | None, thing: Thing) -> float | None:
        """How far left of the ego the middle of the target lane lies."""
        relative = self.reader.child(target, "RelativeTargetLane")
        if relative is not None:
            lanes = self.reader.number(relative, "value")
            name = self.reader.text(relative, "entityRef")
            if name not in (self.ego_name, thing.name):
                return None
            return lanes * LANE_M + (thing.spot.y_m if name == thing.name else 0.0)
        absolute = self.reader.child(target, "AbsoluteTargetLane")
        lane = round(self.reader.number(absolute, "value"))
        if self.ego.lane is None or not 0 < abs(lane) <= 100:
            return None
        road: Road | None = self.positions.road
        middle = road.middle_of if road else straight_m
        return (middle(lane) - middle(self.ego.lane)) * math.cos(self.ego.heading_rad)

    def _way(
        self,
        action: Element,
        end: Spot | None,
        seconds: float | None,
        thing: Thing,
        when: When,
        others: Sequence[Step],
    ) -> Doing | None:
        """A motion from where the thing is to another spot."""
        if end is None:
            self.reader.leave(action, "where it ends is not known")
            return None
        dx, dy = end.x_m - thing.spot.x_m, end.y_m - thing.spot.y_m
        beside = self._speed_beside(action, others)
        given = self._target_mps(beside, thing) if beside is not None else None
        speed = given or thing.speed_mps
        if seconds is not None and seconds > 0:
            speed = speed or math.hypot(dx, dy) / seconds
        if speed <= STANDING_MPS or math.hypot(dx, dy) < OWN_LANE_M:
            self.reader.leave(action, "how fast it goes there is not known")
            return None
        return replace(self._going(math.atan2(dy, dx), speed, when), speed=beside)

    def _speed_beside(self, action: Element, others: Sequence[Step]) -> Element | None:
        """Another action of the same moment that sets a speed."""
        own = next(step.triggers for step in others if step.action is action)
        for step in others:
            if step.triggers == own and self._kind(step.action) == "SpeedAction":
                return step.action
        return None

    def _going(self, heading_rad: float, speed_mps: float, when: When) -> Doing:
        across = abs(math.sin(heading_rad)) > ACROSS
        return Doing("crosses" if across else "drives", speed_mps, when, heading_rad)

    def _target_mps(self, action: Element, thing: Thing) -> float | None:
        """The speed that a SpeedAction ends with."""
        inner = _innermost(action)
        if inner is None or inner.name != "SpeedAction":
            return None
        self._opened(action)
        return target_mps(self.reader, inner, self.ego_name, self.triggers.ego_mps, thing)

    def _end_of(self, inner: Element | None) -> tuple[Spot | None, float | None]:
        """Where a trajectory ends, and after how many seconds, where it says so."""
        holder = self.reader.child(inner, "TrajectoryRef") or inner
        trajectory = self.reader.referred(holder, "Trajectory")
        line = self.reader.below(trajectory, "Shape", "Polyline")
        vertices = self.reader.children(line, "Vertex")
        if len(vertices) < 2 or line is None:
            return None, None
        for each in vertices[1:-1]:
            self.reader.skip(each)
        self.reader.skip(vertices[0])
        if len(vertices) > 2:
            self.reader.note(line, "only the ends of a way count", "approximated")
        first, last = (self.reader.number(each, "time") for each in (vertices[0], vertices[-1]))
        reference = self.reader.child(inner, "TimeReference")
        timing = self.reader.child(reference, "Timing")
        self.reader.child(reference, "None")
        self.reader.child(inner, "TrajectoryFollowingMode")
        seconds = (last - first) if timing is not None else None
        return self._spot(self.reader.child(vertices[-1], "Position")), seconds

    def _spot(self, position: Element | None) -> Spot | None:
        spot = self.positions.spot(position)
        if spot is None or spot.plane != self.ego.plane:
            return None
        return spot.seen_from(self.ego)

    def _opened(self, action: Element) -> Element | None:
        """The action proper, with its wrappers marked as read."""
        inner: Element | None = action
        while inner is not None and inner.name in WRAPPERS:
            inner = next(iter(self.reader.children(inner)), None)
        return inner


WRAPPERS = (
    "Action",
    "EntityAction",
    "GlobalAction",
    "LateralAction",
    "LongitudinalAction",
    "PrivateAction",
    "RoutingAction",
)
"""Elements whose one child is the action."""


def target_mps(
    reader: Reader, action: Element, ego: str, ego_mps: float, thing: Thing | None
) -> float | None:
    """The speed that a SpeedAction ends with; relative ones count from the ego or the thing."""
    target = reader.child(action, "SpeedActionTarget")
    dynamics = reader.child(action, "SpeedActionDynamics")
    absolute = reader.child(target, "AbsoluteTargetSpeed")
    braking = absolute is not None and reader.number(absolute, "value") == 0
    lasting = reader.text(dynamics, "dynamicsShape") != "step" and reader.number(dynamics, "value")
    if dynamics is not None and lasting and not braking:
        reader.note(dynamics, "speeds are reached at once", "approximated")
    if absolute is not None:
        return abs(reader.number(absolute, "value"))
    relative = reader.child(target, "RelativeTargetSpeed")
    if relative is None:
        return None
    bases: Mapping[str, float] = {ego: ego_mps} | ({thing.name: thing.speed_mps} if thing else {})
    base = bases.get(reader.text(relative, "entityRef"))
    value = reader.number(relative, "value")
    if base is None:
        return None
    by_factor = reader.text(relative, "speedTargetValueType") == "factor"
    return max(base * value if by_factor else base + value, 0.0)


def steps_of(reader: Reader, storyboard: Element | None) -> Iterator[tuple[str, Step]]:
    """Every action of the stories with the name of who does it."""
    for story in reader.children(storyboard, "Story"):
        for act in reader.children(story, "Act"):
            start = reader.child(act, "StartTrigger")
            for group in reader.children(act, "ManeuverGroup"):
                refs = reader.children(reader.child(group, "Actors"), "EntityRef")
                actors = [reader.text(each, "entityRef") for each in refs]
                for part in reader.children(group, "Maneuver", "CatalogReference"):
                    maneuver = reader.followed(part, "Maneuver")
                    yield from _steps_in(reader, maneuver, start, actors)


def _steps_in(
    reader: Reader, maneuver: Element | None, start: Element | None, actors: Sequence[str]
) -> Iterator[tuple[str, Step]]:
    for event in reader.children(maneuver, "Event"):
        triggers = (start, reader.child(event, "StartTrigger"))
        for action in reader.children(event, "Action"):
            step = Step(action, triggers)
            added = next((each for each in action.walk() if each.name == "EntityAction"), None)
            if added is not None:
                yield added.attributes.get("entityRef", ""), step
            for actor in (actors or [""]) if added is None else ():
                yield actor, step


def _innermost(action: Element) -> Element | None:
    inner: Element | None = action
    while inner is not None and inner.name in WRAPPERS:
        inner = inner.children[0] if inner.children else None
    return inner
