"""Motions as acts of a storyboard."""

import math
from collections.abc import Iterator

from hartsim.scenario.motion import BRAKING_MPS2, GRAVITY_MPS2, LANE_CHANGE_S, ROLLING_S
from hartsim.scenario.openscenario.parameters import constant_text, value_text
from hartsim.scenario.openscenario.texts import Texts
from hartsim.scenario.openscenario.tree import Element, element
from hartsim.scenario.schema import ObjectSpec

UNDER_WAY = ("cuts_in", "brakes")
"""Motions that go on before anything sets them off."""
FALLING_POINTS = 4


class Acts:
    """Writes what a thing does, in its first actions and in an act of its own."""

    def __init__(self, texts: Texts, name: str, spec: ObjectSpec, ego: str) -> None:
        self.texts, self.name, self.spec, self.ego = texts, name, spec, ego
        self.motion_path = texts.path(name, "motion")
        self.is_open = texts.varies(self.motion_path)
        self.has_trigger = any(
            getattr(spec, each) is not None or texts.varies(texts.path(name, each))
            for each in ("when_distance_m", "when_time_s")
        )

    @property
    def appears(self) -> bool:
        """Whether the thing is not there in the beginning."""
        return not self.is_open and self.spec.motion == "appears"

    def first_speed(self) -> Element | None:
        """The action that sets the speed that the thing starts with."""
        motion = self.spec.motion
        moving = motion in UNDER_WAY or (motion in ("crosses", "drives") and not self.has_trigger)
        return _private(self._speed_action()) if moving and not self.is_open else None

    def act(self, position: Element) -> Element | None:
        """The act of the thing; None where it does nothing later."""
        events = [event for motion in self._motions() for event in self._events(motion, position)]
        if not events:
            return None
        actors = element(
            "Actors", element("EntityRef", entityRef=self.name), selectTriggeringEntities="false"
        )
        maneuver = element("Maneuver", *events, name=f"{self.name} moves")
        group = element(
            "ManeuverGroup",
            actors,
            maneuver,
            maximumExecutionCount="1",
            name=f"{self.name} group",
        )
        start = element("StartTrigger", _group(_time_condition("begin", "0")))
        return element("Act", group, start, name=f"{self.name} act")

    def _motions(self) -> list[str]:
        """The motions that the thing may have."""
        named = [self.spec.motion] if self.spec.motion else []
        return list(dict.fromkeys([*named, *self.texts.options(self.motion_path)]))

    def _events(self, motion: str, position: Element) -> Iterator[Element]:
        at_once = motion in UNDER_WAY or (motion in ("crosses", "drives") and not self.has_trigger)
        if at_once and self.is_open:
            yield self._event(f"{motion} start", self._speed_action(), self._start(motion, False))
        trigger = self._start(motion, True)
        match motion:
            case "crosses" | "drives":
                if not at_once:
                    yield self._event(motion, self._speed_action(), trigger)
            case "cuts_in":
                yield self._event(motion, self._lane_change(), trigger)
            case "brakes":
                braking = _speed(_dynamics("linear", BRAKING_MPS2, "rate"), "0")
                yield self._event(motion, braking, trigger)
            case "rolls":
                yield self._event(motion, self._speed_action(), trigger)
                slowing = _speed(_dynamics("linear", ROLLING_S, "time"), "0")
                yield self._event("slows", slowing, self._after(motion))
            case "falls":
                yield self._event(motion, self._fall(), trigger)
            case "appears":
                added = element("AddEntityAction", position)
                entity = element("EntityAction", added, entityRef=self.name)
                yield self._event(motion, element("GlobalAction", entity), trigger)

    def _event(self, name: str, action: Element, trigger: Element) -> Element:
        wrapped = action if action.name == "GlobalAction" else _private(action)
        return element(
            "Event",
            element("Action", wrapped, name=f"{self.name} {name}"),
            trigger,
            name=f"{self.name} {name} event",
            priority="parallel",
        )

    def _start(self, motion: str, triggered: bool) -> Element:
        """The trigger of a motion: the thing's own, or at once."""
        conditions = list(self._own_conditions()) if triggered else []
        conditions = conditions or [_time_condition("at once", "0")]
        chosen = self._chosen(motion)
        return element("StartTrigger", *(_group(*chosen, each) for each in conditions))

    def _chosen(self, motion: str) -> list[Element]:
        """The condition that this motion was drawn, where it varies."""
        if not self.is_open:
            return []
        parameter = self.texts.parameters[self.motion_path]
        compared = element(
            "ParameterCondition", parameterRef=parameter, rule="equalTo", value=motion
        )
        return [_condition("chosen", element("ByValueCondition", compared))]

    def _own_conditions(self) -> Iterator[Element]:
        """The ego near, the time come: whichever is first."""
        spec, texts = self.spec, self.texts
        distance = texts.path(self.name, "when_distance_m")
        if spec.when_distance_m is not None or texts.varies(distance):
            near = element(
                "RelativeDistanceCondition",
                entityRef=self.name,
                freespace="false",
                relativeDistanceType="euclidianDistance",
                rule="lessOrEqual",
                value=texts.number(distance, spec.when_distance_m or 0.0),
            )
            yield _entity_condition("near", self.ego, near)
        time = texts.path(self.name, "when_time_s")
        if spec.when_time_s is not None or texts.varies(time):
            yield _time_condition("late", texts.number(time, spec.when_time_s or 0.0))

    def _after(self, motion: str) -> Element:
        done = element(
            "StoryboardElementStateCondition",
            storyboardElementRef=f"{self.name} {motion}",
            storyboardElementType="action",
            state="completeState",
        )
        afterwards = _condition("afterwards", element("ByValueCondition", done))
        return element("StartTrigger", _group(*self._chosen(motion), afterwards))

    def _speed_action(self) -> Element:
        path = self.texts.path(self.name, "speed_mps")
        return step_to(self.texts.number(path, self.spec.speed_mps))

    def _lane_change(self) -> Element:
        target = element("RelativeTargetLane", entityRef=self.ego, value="0")
        change = element(
            "LaneChangeAction",
            Element("LaneChangeActionDynamics", _dynamics("cubic", LANE_CHANGE_S, "time")),
            element("LaneChangeTarget", target),
        )
        return element("LateralAction", change)

    def _fall(self) -> Element:
        """A way straight down, at the times that falling takes."""
        path = self.texts.path(self.name, "up_m")
        height = self.texts.number(path, self.spec.up_m)
        vertices = []
        for point in range(FALLING_POINTS + 1):
            share = point / FALLING_POINTS
            place = element(
                "RelativeWorldPosition",
                entityRef=self.name,
                dx="0",
                dy="0",
                dz=_times(height, -share * share),
            )
            time = _root_of(height, share * share * 2 / GRAVITY_MPS2)
            vertices.append(element("Vertex", element("Position", place), time=time))
        trajectory = element(
            "Trajectory",
            element("Shape", element("Polyline", *vertices)),
            closed="false",
            name=f"{self.name} falls",
        )
        timing = element("Timing", domainAbsoluteRelative="relative", offset="0", scale="1")
        follow = element(
            "FollowTrajectoryAction",
            element("TimeReference", timing),
            element("TrajectoryFollowingMode", followingMode="position"),
            element("TrajectoryRef", trajectory),
        )
        return element("RoutingAction", follow)


def step_to(speed: str) -> Element:
    """An action that sets a speed at once."""
    return _speed(_dynamics("step", 0.0, "time"), speed)


def at_time(name: str, seconds: str) -> Element:
    """A group of the one condition that so many seconds have passed."""
    return _group(_time_condition(name, seconds))


def by_entity(name: str, entity: str, condition: Element) -> Element:
    """A group of one condition about an entity."""
    return _group(_entity_condition(name, entity, condition))


def _entity_condition(name: str, entity: str, condition: Element) -> Element:
    triggering = element(
        "TriggeringEntities",
        element("EntityRef", entityRef=entity),
        triggeringEntitiesRule="any",
    )
    both = element("ByEntityCondition", triggering, element("EntityCondition", condition))
    return _condition(name, both)


def _private(action: Element) -> Element:
    return element("PrivateAction", action)


def _speed(dynamics: dict[str, str], target: str) -> Element:
    action = element(
        "SpeedAction",
        Element("SpeedActionDynamics", dynamics),
        element("SpeedActionTarget", element("AbsoluteTargetSpeed", value=target)),
    )
    return element("LongitudinalAction", action)


def _dynamics(shape: str, value: float, dimension: str) -> dict[str, str]:
    return {
        "dynamicsDimension": dimension,
        "dynamicsShape": shape,
        "value": value_text(value),
    }


def _group(*conditions: Element) -> Element:
    return element("ConditionGroup", *conditions)


def _condition(name: str, body: Element) -> Element:
    return element("Condition", body, conditionEdge="none", delay="0", name=name)


def _time_condition(name: str, seconds: str) -> Element:
    passed = element("SimulationTimeCondition", rule="greaterOrEqual", value=seconds)
    return _condition(name, element("ByValueCondition", passed))


def _times(text: str, factor: float) -> str:
    """A number or a parameter times a factor."""
    if text.startswith("$"):
        return f"${{{text} * ({constant_text(factor)})}}"
    return value_text(float(text) * factor)


def _root_of(text: str, factor: float) -> str:
    """The square root of a number or a parameter times a factor."""
    if text.startswith("$"):
        return f"${{sqrt({text} * {constant_text(factor)})}}"
    return value_text(math.sqrt(float(text) * factor))
