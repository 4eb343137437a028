"""How things move: the ego as a kinematic bicycle, boxes that touch, poses seen from elsewhere."""

import math

import numpy as np
from numpy.typing import NDArray

from hartsim.types import Box3D, Pose, Vector3

WHEELBASE_M, MAX_STEER_RAD = 2.7, 0.5
ACCELERATION_MPS2, BRAKING_MPS2, TOP_SPEED_MPS = 3.0, 8.0, 40.0

STILL = Pose((0.0, 0.0, 0.0), 0.0)


def drive(
    ego: Pose, speed_mps: float, action: NDArray[np.float64], seconds: float
) -> tuple[Pose, float]:
    """Pose and speed after driving with (steering to the left, acceleration), each -1..1.

    A kinematic bicycle about its rear axle; it brakes harder than it accelerates, never reverses.
    """
    steering, pedal = float(action[0]), float(action[1])
    change = pedal * (ACCELERATION_MPS2 if pedal > 0 else BRAKING_MPS2)
    speed = min(max(speed_mps + change * seconds, 0.0), TOP_SPEED_MPS)
    heading = ego.heading_rad + speed / WHEELBASE_M * math.tan(steering * MAX_STEER_RAD) * seconds
    x, y, z = ego.position_m
    ahead = (x + speed * math.cos(heading) * seconds, y + speed * math.sin(heading) * seconds, z)
    return Pose(ahead, math.remainder(heading, 2 * math.pi)), speed


def overlap(one: Box3D, other: Box3D) -> bool:
    """Whether two upright boxes share space: along no axis of either do their shadows part."""
    low = one.centre_m[2] - one.size_m[2] / 2, other.centre_m[2] - other.size_m[2] / 2
    high = one.centre_m[2] + one.size_m[2] / 2, other.centre_m[2] + other.size_m[2] / 2
    if max(low) > min(high):
        return False
    away = other.centre_m[0] - one.centre_m[0], other.centre_m[1] - one.centre_m[1]
    turn = other.heading_rad - one.heading_rad
    c, s = abs(math.cos(turn)), abs(math.sin(turn))
    return not (_parted(one, other, away, c, s) or _parted(other, one, away, c, s))


def _parted(one: Box3D, other: Box3D, away: tuple[float, float], c: float, s: float) -> bool:
    """Whether one of two boxes turned by so much parts them along an axis of its own."""
    x, y = math.cos(one.heading_rad), math.sin(one.heading_rad)
    long, wide = other.size_m[0], other.size_m[1]
    along, aside = abs(away[0] * x + away[1] * y), abs(away[1] * x - away[0] * y)
    reach = one.size_m[0] + long * c + wide * s, one.size_m[1] + long * s + wide * c
    return 2 * along > reach[0] or 2 * aside > reach[1]


def shifted(pose: Pose, velocity_mps: Vector3, seconds: float) -> Pose:
    """The pose after moving straight for this long."""
    (x, y, z), (a, b, c) = pose.position_m, velocity_mps
    return Pose((x + a * seconds, y + b * seconds, z + c * seconds), pose.heading_rad)


def carried(point_m: Vector3, start: Pose, now: Pose) -> Vector3:
    """Where a point is that moved as its carrier did, from one pose to another."""
    offset = np.asarray(point_m) - np.asarray(start.position_m)
    turned = turn_of(now.heading_rad - start.heading_rad) @ offset
    return triple(turned + np.asarray(now.position_m))


def box_at(box: Box3D, start: Pose, now: Pose) -> Box3D:
    """The box, carried from one pose to another."""
    turned = now.heading_rad - start.heading_rad
    return Box3D(carried(box.centre_m, start, now), box.size_m, box.heading_rad + turned)


def seen_from(ego: Pose, box: Box3D) -> Box3D:
    """A box of the world's frame in the ego's."""
    return box_at(box, ego, STILL)


def turn_of(angle_rad: float) -> NDArray[np.float64]:
    """The 3x3 rotation anticlockwise about z."""
    c, s = math.cos(angle_rad), math.sin(angle_rad)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def triple(values: NDArray[np.float64]) -> Vector3:
    """Three numbers as a vector."""
    return float(values[0]), float(values[1]), float(values[2])
