"""A six-joint arm whose gripper always points down: where its joints go and what they touch.

Kinematic, not dynamic: `solve` turns a gripper position into joint angles, `advance` moves it,
`touched` says what it hits. Its base stands on the table at the origin; everything between base and
gripper lies in one upright plane, in which `r` runs outward and z up.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hartsim.types import Box3D, Vector3

ARM = "robot.arm"
"""The name of its prop and instance; with its dot, no scenario can call an object so."""

SHOULDER_Z_M = 0.21
UPPER_ARM_M = 0.42
FOREARM_M = 0.40
TOOL_M = 0.21
"""From the wrist's pitch axis down to the fingertips."""

SPEED_MPS = 0.25
REACH_M = (0.20, 0.78)
STRETCH_M = 0.99 * (UPPER_ARM_M + FOREARM_M)
"""How far from the shoulder the wrist may be, just short of a straight arm."""

HEIGHT_M = (0.005, 0.45)

GRASP_M = 0.012
"""How near to a thing the fingertips must be to grasp it."""


@dataclass(frozen=True)
class Joints:
    """The angles in radians: base, shoulder and elbow from upright, and the tool's turn.

    `shoulder` and `elbow` are the slopes of upper arm and forearm, 0 upright, pi/2 level outward.
    The forearm's roll stays 0 and the wrist's pitch keeps the gripper upright.
    """

    base: float
    shoulder: float
    elbow: float
    tool: float


@dataclass(frozen=True)
class ArmState:
    """Where the gripper is: the point between its fingertips, their turn, and how far they open."""

    position_m: Vector3
    heading_rad: float = 0.0
    opening_m: float = 0.07


def within_reach(position_m: Vector3) -> Vector3:
    """The position that the gripper can take instead: the same height or nearest, then inward."""
    x, y, z = position_m
    distance = math.hypot(x, y)
    angle = math.atan2(y, x) if distance > 1e-9 else 0.0
    height = min(max(z, HEIGHT_M[0]), HEIGHT_M[1])
    farthest = math.sqrt(STRETCH_M**2 - (height + TOOL_M - SHOULDER_Z_M) ** 2)
    r = min(max(distance, REACH_M[0]), REACH_M[1], farthest)
    return (r * math.cos(angle), r * math.sin(angle), height)


def solve(state: ArmState) -> Joints:
    """The joint angles, elbow up, for a gripper within reach."""
    x, y, z = within_reach(state.position_m)
    base = math.atan2(y, x)
    r, rise = math.hypot(x, y), z + TOOL_M - SHOULDER_Z_M
    span = math.hypot(r, rise)
    slope = math.atan2(r, rise)
    lift = _corner(UPPER_ARM_M, span, FOREARM_M)
    bend = math.pi - _corner(UPPER_ARM_M, FOREARM_M, span)
    return Joints(base, slope - lift, slope - lift + bend, state.heading_rad)


def _corner(a: float, b: float, opposite: float) -> float:
    """The angle of a triangle between sides a and b."""
    cosine = (a * a + b * b - opposite * opposite) / (2 * a * b)
    return math.acos(min(max(cosine, -1.0), 1.0))


def skeleton(joints: Joints) -> NDArray[np.float64]:
    """Shoulder, elbow, wrist and fingertips, (4, 3) metres in the base frame."""
    c, s = math.cos(joints.base), math.sin(joints.base)
    return np.array([(r * c, r * s, z) for r, z in profile(joints)])


def profile(joints: Joints) -> list[tuple[float, float]]:
    """Shoulder, elbow, wrist and fingertips as (r, z) in the arm's plane."""
    r, z = 0.0, SHOULDER_Z_M
    points = [(r, z)]
    for length, slope in ((UPPER_ARM_M, joints.shoulder), (FOREARM_M, joints.elbow)):
        r, z = r + length * math.sin(slope), z + length * math.cos(slope)
        points.append((r, z))
    return [*points, (r, z - TOOL_M)]


def advance(state: ArmState, action: NDArray[np.float64], seconds: float) -> ArmState:
    """The arm after moving with velocity (x, y, z), each -1..1 of `SPEED_MPS`.

    Values beyond -1..1 are clipped; raises ValueError unless there are three finite ones.
    """
    velocity = np.asarray(action, np.float64)
    if velocity.shape != (3,) or not np.isfinite(velocity).all():
        raise ValueError(f"a robot action is three finite numbers (x, y, z), not {action!r}")
    moved = np.array(state.position_m) + np.clip(velocity, -1, 1) * SPEED_MPS * seconds
    x, y, z = moved.tolist()
    return replace(state, position_m=within_reach((x, y, z)))


def touched(state: ArmState, boxes: Mapping[str, Box3D]) -> set[str]:
    """The names of the boxes that the gripper or a link touches; the arm's own is not one."""
    named = [(name, box) for name, box in boxes.items() if name != ARM]
    if not named:
        return set()
    points, radii = _body_points(solve(state), state)
    centres = np.array([box.centre_m for _, box in named])
    halves = np.array([box.size_m for _, box in named])[:, :, None] / 2
    turns = np.array([box.heading_rad for _, box in named])[:, None]
    c, s = np.cos(turns), np.sin(turns)
    dx, dy, dz = (points[:, k] - centres[:, k, None] for k in range(3))
    local = np.stack([c * dx + s * dy, c * dy - s * dx, dz], axis=1)
    outside = np.maximum(np.abs(local) - halves, 0)
    hit = ((outside * outside).sum(axis=1) < radii * radii).any(axis=1)
    return {name for (name, _), is_hit in zip(named, hit.tolist(), strict=True) if is_hit}


def grasped(state: ArmState, boxes: Mapping[str, Box3D]) -> str | None:
    """The name of the box that the fingertips are in, or nearly so: the one nearest by its middle.

    None where there is none.
    """
    tip = np.array([state.position_m])
    near = {
        name: math.dist(box.centre_m, state.position_m)
        for name, box in boxes.items()
        if float(distances(tip, box)[0]) < GRASP_M
    }
    return min(near, key=lambda name: (near[name], name), default=None)


_ALONG = np.linspace(0, 1, 12)[:, None]
_RADII = np.repeat([0.05, 0.05, 0.04, 0.008, 0.008], 12)


def _body_points(
    joints: Joints, state: ArmState
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Balls (N, 3), (N,) that fill links and fingers."""
    shoulder, elbow, wrist, tip = skeleton(joints)
    palm = tip + np.array([0, 0, 0.09])
    across = np.array([-math.sin(joints.tool), math.cos(joints.tool), 0]) * state.opening_m / 2
    starts = np.array([shoulder, elbow, palm, tip - across, tip + across])
    ends = np.array([elbow, wrist, wrist, palm - across, palm + across])
    points = starts[:, None] + _ALONG * (ends - starts)[:, None]
    return points.reshape(-1, 3), _RADII


def distances(points: NDArray[np.float64], box: Box3D) -> NDArray[np.float64]:
    """How far points (N, 3) are from an upright box, 0 inside."""
    offset = points - np.array(box.centre_m)
    c, s = math.cos(box.heading_rad), math.sin(box.heading_rad)
    local = offset @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    outside = np.maximum(np.abs(local) - np.array(box.size_m) / 2, 0)
    return np.asarray(np.linalg.norm(outside, axis=1))
