"""How things move by themselves, once the ego comes near or the time has come.

Worlds ask for the pose at a moment; everything here is plain kinematics without a simulator.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from hartsim.types import Pose

MotionName = Literal["crosses", "drives", "cuts_in", "brakes", "rolls", "falls", "appears"]
MOTIONS: tuple[MotionName, ...] = get_args(MotionName)

LANE_CHANGE_S = 2.5
BRAKING_MPS2 = 6.0
GRAVITY_MPS2 = 9.81
ROLLING_S = 4.0
"""What rolls slows down evenly, and lies still after this long."""


@dataclass(frozen=True)
class Motion:
    """What an object does: its speed, and when it begins.

    `crosses` goes straight ahead. `drives` does so too; without a trigger, from the beginning.
    `cuts_in` and `brakes` are under way from the beginning; what the trigger sets off is the change
    into the lane round y = 0, or the braking. `rolls` goes ahead and slows down, `falls` drops to
    the ground, and `appears` is not there before.

    The trigger is the ego (or the gripper) nearer than `when_distance_m`, or the time
    `when_time_s`, whichever comes first; without one the motion begins at once.
    """

    name: MotionName
    speed_mps: float = 0.0
    when_distance_m: float | None = None
    when_time_s: float | None = None

    @property
    def has_trigger(self) -> bool:
        """Whether something sets it off later."""
        return self.when_distance_m is not None or self.when_time_s is not None

    def is_set_off(self, time_s: float, distance_m: float) -> bool:
        """Whether the motion begins now, at this distance from the ego."""
        near = self.when_distance_m is not None and distance_m <= self.when_distance_m
        late = self.when_time_s is not None and time_s >= self.when_time_s
        return near or late or not self.has_trigger

    def pose(self, start: Pose, time_s: float, begun_s: float | None) -> Pose | None:
        """Where it is at a time, if it was set off at `begun_s`; None while it is not there."""
        since_s = None if begun_s is None else max(time_s - begun_s, 0.0)
        match self.name:
            case "crosses" | "drives":
                return ahead(start, self.speed_mps * (since_s or 0.0))
            case "cuts_in":
                return self._cutting_in(ahead(start, self.speed_mps * time_s), since_s or 0.0)
            case "brakes":
                slowing_s = since_s or 0.0
                cruised_m = self.speed_mps * (time_s - slowing_s)
                stopping_s = self.speed_mps / BRAKING_MPS2
                return ahead(start, cruised_m + slowed_m(self.speed_mps, slowing_s, stopping_s))
            case "rolls":
                return ahead(start, slowed_m(self.speed_mps, since_s or 0.0, ROLLING_S))
            case "falls":
                return _fallen(start, since_s or 0.0)
            case "appears":
                return None if since_s is None else start

    def _cutting_in(self, cruising: Pose, since_s: float) -> Pose:
        """The pose on a smooth way into the ego's lane."""
        share = min(since_s / LANE_CHANGE_S, 1.0)
        x, y, z = cruising.position_m
        sideways_mps = -y * 6 * share * (1 - share) / LANE_CHANGE_S
        forward_mps = self.speed_mps * math.cos(cruising.heading_rad)
        turned = math.atan2(sideways_mps, max(abs(forward_mps), 1e-3))
        heading = cruising.heading_rad + math.copysign(turned, turned * forward_mps)
        return Pose((x, y * (1 - share * share * (3 - 2 * share)), z), heading)


def ahead(start: Pose, metres: float) -> Pose:
    """The pose so many metres straight ahead."""
    x, y, z = start.position_m
    heading = start.heading_rad
    return Pose((x + metres * math.cos(heading), y + metres * math.sin(heading), z), heading)


def slowed_m(speed_mps: float, seconds: float, stopping_s: float) -> float:
    """How far something gets that slows down evenly and stops after `stopping_s`."""
    moving_s = min(seconds, stopping_s)
    return speed_mps * moving_s * (1 - moving_s / (2 * stopping_s)) if stopping_s > 0 else 0.0


def _fallen(start: Pose, seconds: float) -> Pose:
    x, y, z = start.position_m
    return Pose((x, y, max(0.0, z - GRAVITY_MPS2 * seconds**2 / 2)), start.heading_rad)
