"""Start triggers: when something begins, as a distance from the ego, a time, or both.

The ego is taken to drive straight ahead at its first speed, things to go on as they began. What
then follows from a condition is exact; what would need more than that is left out.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from hartsim.scenario.openscenario.positions import Spot
from hartsim.scenario.openscenario.reader import Reader
from hartsim.scenario.openscenario.tree import Element

LESS = ("lessThan", "lessOrEqual", "equalTo")
GREATER = ("greaterThan", "greaterOrEqual", "equalTo")
BEGINS = ("startTransition", "runningState", "standbyState")
OUTER = ("story", "act", "maneuverGroup", "maneuver")
STRAIGHT = 0.1
"""The sine of the largest angle at which something still goes along the road."""
MOST_CONDITIONS = 100
"""Conditions of a trigger that are looked at."""


@dataclass(frozen=True)
class When:
    """The ego nearer than a distance, or a time, whichever comes first; at once without either.

    Never is a time without end.
    """

    distance_m: float | None = None
    time_s: float | None = None

    @property
    def at_once(self) -> bool:
        """Whether it is so from the beginning."""
        return self.distance_m is None and self.time_s is None


AT_ONCE, NEVER = When(), When(time_s=math.inf)


@dataclass(frozen=True)
class Thing:
    """Something that moves: where it begins in the ego's frame, how long it is, how fast."""

    name: str
    spot: Spot
    length_m: float
    speed_mps: float = 0.0

    def away_m(self, time_s: float, ego_mps: float) -> float:
        """How far its middle is from the ego's at a time."""
        there = self.spot.moved(self.speed_mps * time_s, 0.0)
        return math.hypot(there.x_m - ego_mps * time_s, there.y_m)

    def near_s(self, distance_m: float, ego_mps: float) -> float:
        """When its middle first comes so near to the ego's; without end if it never does."""
        x, y, heading = self.spot.x_m, self.spot.y_m, self.spot.heading_rad
        if math.hypot(x, y) <= distance_m:
            return 0.0
        vx, vy = self.speed_mps * math.cos(heading) - ego_mps, self.speed_mps * math.sin(heading)
        speed_squared, closing = vx * vx + vy * vy, -(x * vx + y * vy)
        short = closing**2 - speed_squared * (x * x + y * y - distance_m**2)
        if short < 0 or closing <= 0:
            return math.inf
        return (closing - math.sqrt(short)) / speed_squared


def either(first: When | None, second: When | None) -> When | None:
    """When one of two conditions holds; what is not known is left out."""
    if first is None or second is None:
        known = first or second
        return None if known == NEVER else known
    if first.at_once or second.at_once:
        return AT_ONCE
    distances = [each.distance_m for each in (first, second) if each.distance_m is not None]
    times = [each.time_s for each in (first, second) if each.time_s is not None]
    time = min(times, default=math.inf)
    if distances:
        return When(max(distances), None if math.isinf(time) else time)
    return When(time_s=time)


class Triggers:
    """Reads triggers; `spot_of` gives the spot of a Position in the ego's frame.

    `parameters` are the values that conditions on parameters compare with.
    """

    def __init__(
        self,
        reader: Reader,
        ego: str,
        ego_mps: float,
        spot_of: Callable[[Element | None], Spot | None],
        parameters: Mapping[str, str],
    ) -> None:
        self.reader, self.ego, self.ego_mps = reader, ego, ego_mps
        self.spot_of, self.parameters = spot_of, parameters
        self._known: dict[tuple[Element | None, Thing], When | None] = {}

    def when(self, trigger: Element | None, thing: Thing) -> When | None:
        """When a StartTrigger lets a thing begin; None, with a note, where that is not known."""
        key = (trigger, thing)
        if trigger is not None and key not in self._known:
            self._known[key] = self._any_group(trigger, thing)
        return AT_ONCE if trigger is None else self._known[key]

    def both(self, first: When | None, second: When | None, thing: Thing) -> When | None:
        """When two conditions hold together; None where that is neither a distance nor a time."""
        if NEVER in (first, second):
            return NEVER
        if first is None or second is None:
            return None
        if first.at_once or second.at_once:
            return second if first.at_once else first
        distances = [each.distance_m for each in (first, second) if each.distance_m is not None]
        times = [each.time_s for each in (first, second) if each.time_s is not None]
        if len(times) == 2 and len(distances) == 0:
            return When(time_s=max(times))
        if len(times) == 0:
            return When(min(distances))
        if len(times) == len(distances) == 1:
            if thing.near_s(distances[0], self.ego_mps) >= times[0]:
                return When(distances[0])
            if thing.away_m(times[0], self.ego_mps) <= distances[0]:
                return self._when_time_is(times[0], thing)
        return None

    def _any_group(self, trigger: Element, thing: Thing) -> When | None:
        groups = self.reader.children(trigger, "ConditionGroup")
        if sum(len(each.children) for each in groups) > MOST_CONDITIONS:
            self.reader.leave(trigger, f"more than {MOST_CONDITIONS} conditions")
            return None
        when: When | None = NEVER
        for each in groups:
            when = either(when, self._all_of(each, thing))
        return when

    def _all_of(self, group: Element, thing: Thing) -> When | None:
        joint: When | None = AT_ONCE
        known = True
        for each in self.reader.children(group, "Condition"):
            when = self._condition(each, thing)
            if when == NEVER:
                self.reader.skip(group)
                return NEVER
            known = known and when is not None
            joint = self.both(joint, when, thing)
        if joint is None and known:
            self.reader.note(group, "a distance together with another condition")
        return joint

    def _condition(self, condition: Element, thing: Thing) -> When | None:
        by_value = self.reader.child(condition, "ByValueCondition")
        by_entity = self.reader.child(condition, "ByEntityCondition")
        if by_value is not None:
            when = self._by_value(by_value)
        else:
            names = self._triggering(by_entity)
            of_entity = self.reader.child(by_entity, "EntityCondition")
            when = self._by_entity(of_entity, names, thing) if of_entity is not None else None
        delay = self.reader.number(condition, "delay")
        if when is None or delay <= 0 or when == NEVER:
            return when
        if when.distance_m is not None:
            self.reader.note(condition, f"its delay of {delay:g} s is left out", "approximated")
            return when
        return When(time_s=(when.time_s or 0.0) + delay)

    def _triggering(self, by_entity: Element | None) -> list[str]:
        entities = self.reader.child(by_entity, "TriggeringEntities")
        refs = self.reader.children(entities, "EntityRef")
        return [self.reader.text(each, "entityRef") for each in refs]

    def _by_value(self, by_value: Element) -> When | None:
        for child in self.reader.children(by_value):
            rule, value = self.reader.text(child, "rule"), self.reader.text(child, "value")
            if child.name == "SimulationTimeCondition":
                return self._at_time(child, rule)
            if child.name == "ParameterCondition":
                return self._on_parameter(child, rule, value)
            if child.name == "StoryboardElementStateCondition":
                state = self.reader.text(child, "state")
                kind = self.reader.text(child, "storyboardElementType")
                if state in BEGINS and kind in OUTER:
                    return AT_ONCE
            self.reader.leave(child, "triggers are a distance from the ego or a time")
        return None

    def _at_time(self, condition: Element, rule: str) -> When | None:
        time = self.reader.number(condition, "value")
        if rule in GREATER:
            return When(time_s=time) if time > 0 else AT_ONCE
        return AT_ONCE if time > 0 else NEVER

    def _on_parameter(self, condition: Element, rule: str, value: str) -> When | None:
        name = self.reader.text(condition, "parameterRef").lstrip("$")
        if rule not in ("equalTo", "notEqualTo") or name not in self.parameters:
            self.reader.leave(condition, "only whether a parameter has a value is looked at")
            return None
        return AT_ONCE if (self.parameters[name] == value) == (rule == "equalTo") else NEVER

    def _by_entity(self, entity: Element, names: Iterable[str], thing: Thing) -> When | None:
        readers: Mapping[str, Callable[[Element, bool, Thing], When | None]] = {
            "RelativeDistanceCondition": self._near_each_other,
            "DistanceCondition": self._near_place,
            "ReachPositionCondition": self._near_place,
            "TimeHeadwayCondition": self._headway,
            "TimeToCollisionCondition": self._collision,
            "TraveledDistanceCondition": self._travelled,
        }
        for child in self.reader.children(entity):
            by_ego = self.ego in names
            if child.name in readers and (by_ego or thing.name in names):
                when = readers[child.name](child, by_ego, thing)
                if when is not None:
                    return when
            self.reader.leave(child, "does not come down to a distance from the ego or a time")
        return None

    def _is_pair(self, condition: Element, by_ego: bool, thing: Thing) -> bool:
        """Whether a condition is about the ego and this thing."""
        return self.reader.text(condition, "entityRef") == (thing.name if by_ego else self.ego)

    def _near_each_other(self, condition: Element, by_ego: bool, thing: Thing) -> When | None:
        kind = self.reader.text(condition, "relativeDistanceType", "cartesianDistance")
        if not self._is_pair(condition, by_ego, thing) or kind == "lateral":
            return None
        distance = self.reader.number(condition, "value")
        return self._apart(condition, distance, thing, along=kind == "longitudinal")

    def _apart(self, condition: Element, distance: float, thing: Thing, along: bool) -> When | None:
        """Nearer or farther than a distance, which may be one along the road or free space."""
        if distance <= 0:
            return None
        if self.reader.text(condition, "freespace") in ("true", "1"):
            self.reader.note(condition, "free space counted for things 4.5 m long", "approximated")
            distance += (thing.length_m + 4.5) / 2
        if self.reader.text(condition, "rule") not in LESS:
            return self._past(distance, thing)
        return When(distance_m=math.hypot(distance, thing.spot.y_m) if along else distance)

    def _past(self, distance: float, thing: Thing) -> When | None:
        """When a thing that goes along the road is so far ahead of the ego."""
        heading, ahead = thing.spot.heading_rad, thing.spot.x_m
        gaining = thing.speed_mps * math.cos(heading) - self.ego_mps
        straight = thing.speed_mps == 0 or abs(math.sin(heading)) < STRAIGHT
        if not straight or gaining <= 0 or ahead >= distance:
            return None
        return When(time_s=(distance - ahead) / gaining)

    def _near_place(self, condition: Element, by_ego: bool, thing: Thing) -> When | None:
        place = self.spot_of(self.reader.child(condition, "Position"))
        radius = self.reader.number(condition, "tolerance", -1.0)
        if radius < 0:
            if self.reader.text(condition, "rule") not in LESS:
                return None
            radius = self.reader.number(condition, "value")
        if place is None:
            return None
        if by_ego:
            time = _reached_s(place, radius, self.ego_mps)
            return None if time is None else self._when_time_is(time, thing)
        time = _reached_s(place.seen_from(thing.spot), radius, thing.speed_mps)
        return None if time is None else When(time_s=time) if time > 0 else AT_ONCE

    def _headway(self, condition: Element, by_ego: bool, thing: Thing) -> When | None:
        speed = self.ego_mps if by_ego else thing.speed_mps
        if not self._is_pair(condition, by_ego, thing) or speed <= 0:
            return None
        distance = self.reader.number(condition, "value") * speed
        return self._apart(condition, distance, thing, along=True)

    def _collision(self, condition: Element, by_ego: bool, thing: Thing) -> When | None:
        """Exact for two that go along the road at constant speeds."""
        target = self.reader.child(condition, "TimeToCollisionConditionTarget")
        other = self.reader.text(self.reader.child(target, "EntityRef"), "entityRef")
        heading = thing.spot.heading_rad
        closing = self.ego_mps - thing.speed_mps * math.cos(heading)
        straight = thing.speed_mps == 0 or abs(math.sin(heading)) < STRAIGHT
        less = self.reader.text(condition, "rule") in LESS
        if other != (thing.name if by_ego else self.ego) or not (less and straight):
            return None
        if closing <= 0 or thing.spot.x_m <= 0:
            return None
        distance = self.reader.number(condition, "value") * closing
        return self._apart(condition, distance, thing, along=True)

    def _travelled(self, condition: Element, by_ego: bool, thing: Thing) -> When | None:
        speed = self.ego_mps if by_ego else thing.speed_mps
        distance = self.reader.number(condition, "value")
        if speed <= 0:
            return None
        return When(time_s=distance / speed) if distance > 0 else AT_ONCE

    def _when_time_is(self, time_s: float, thing: Thing) -> When:
        """A time as the distance that the thing then has from the ego, if that is shrinking."""
        if time_s <= 0:
            return AT_ONCE
        now, before = (thing.away_m(each, self.ego_mps) for each in (time_s, time_s - 0.01))
        return When(distance_m=now) if 0 < now < before else When(time_s=time_s)


def _reached_s(place: Spot, radius_m: float, speed_mps: float) -> float | None:
    """When something that goes straight ahead comes so near to a place; None if it never does."""
    across = radius_m**2 - place.y_m**2
    if across < 0 or place.x_m + math.sqrt(across) < 0:
        return None
    metres = place.x_m - math.sqrt(across)
    if metres <= 0:
        return 0.0
    return metres / speed_mps if speed_mps > 0 else None
