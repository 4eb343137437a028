"""A six-joint arm with a gripper that always points down: where its joints go, how it looks.

Kinematic, not dynamic: `solve` turns a gripper position into joint angles, `advance` moves it,
`touched` says what it hits. Its base stands on the table at the origin; everything between base and
gripper lies in one upright plane, in which `r` runs outward and z up.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hartsim.types import Box3D, Instance, Pose, Vector3
from hartsim.worlds.meshes import turn, turn_z
from hartsim.worlds.solids import block, body, drum
from hartsim.worlds.stage import Colour, Prop, Solid
from hartsim.worlds.tabletop_meshes import turned

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
_SIDE_M = 0.082
_STEEL: Colour = (0.62, 0.64, 0.67)
_RUBBER: Colour = (0.13, 0.13, 0.15)


@dataclass(frozen=True)
class Livery:
    """What an arm is painted in: body, joint covers, and the dark parts."""

    body: Colour
    accent: Colour
    dark: Colour


LIVERIES = (
    Livery((0.93, 0.93, 0.91), (0.16, 0.45, 0.78), (0.24, 0.26, 0.30)),
    Livery((0.94, 0.93, 0.90), (0.95, 0.47, 0.13), (0.25, 0.25, 0.27)),
    Livery((0.90, 0.92, 0.93), (0.10, 0.58, 0.55), (0.20, 0.24, 0.27)),
    Livery((0.96, 0.52, 0.14), (0.20, 0.21, 0.24), (0.18, 0.19, 0.21)),
    Livery((0.95, 0.78, 0.18), (0.17, 0.18, 0.20), (0.20, 0.20, 0.22)),
    Livery((0.82, 0.84, 0.87), (0.78, 0.20, 0.22), (0.27, 0.28, 0.31)),
)


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
    r, z = 0.0, SHOULDER_Z_M
    points = [(r, z)]
    for length, slope in ((UPPER_ARM_M, joints.shoulder), (FOREARM_M, joints.elbow)):
        r, z = r + length * math.sin(slope), z + length * math.cos(slope)
        points.append((r, z))
    points.append((r, z - TOOL_M))
    c, s = math.cos(joints.base), math.sin(joints.base)
    return np.array([(r * c, r * s, z) for r, z in points])


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
    points, radii = _body_points(solve(state), state)
    return {
        name
        for name, box in boxes.items()
        if name != ARM and bool((_distances(points, box) < radii).any())
    }


def _body_points(
    joints: Joints, state: ArmState
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Balls (N, 3), (N,) that fill links and fingers."""
    shoulder, elbow, wrist, tip = skeleton(joints)
    along = np.linspace(0, 1, 12)[:, None]
    links = [a + along * (b - a) for a, b in ((shoulder, elbow), (elbow, wrist))]
    palm = tip + np.array([0, 0, 0.09])
    across = np.array([-math.sin(joints.tool), math.cos(joints.tool), 0]) * state.opening_m / 2
    fingers = [tip + side * across + along * (palm - tip) for side in (-1, 1)]
    tool = [palm + along * (wrist - palm)]
    points = np.vstack([*links, *tool, *fingers])
    radii = np.repeat([0.05, 0.05, 0.04, 0.008, 0.008], 12)
    return points, radii


def _distances(points: NDArray[np.float64], box: Box3D) -> NDArray[np.float64]:
    """How far points (N, 3) are from an upright box, 0 inside."""
    offset = points - np.array(box.centre_m)
    c, s = math.cos(box.heading_rad), math.sin(box.heading_rad)
    local = offset @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    outside = np.maximum(np.abs(local) - np.array(box.size_m) / 2, 0)
    return np.asarray(np.linalg.norm(outside, axis=1))


def arm_prop(state: ArmState, livery: Livery, instance_id: int) -> Prop:
    """The arm as drawn, one instance of class robot."""
    joints = solve(state)
    solids = (
        *_base(livery),
        *_upper_arm(joints, livery),
        *_forearm(joints, livery),
        *_gripper(joints, state, livery),
    )
    corners = skeleton(joints)
    low = np.minimum(corners.min(axis=0) - 0.06, [-0.1, -0.1, 0])
    high = np.maximum(corners.max(axis=0) + 0.06, [0.1, 0.1, 0])
    centre, size = (low + high) / 2, high - low
    box = Box3D(_vector(centre), _vector(size), 0.0)
    instance = Instance(instance_id, ARM, "arm", "robot", False, (), box)
    return Prop(ARM, "robot", solids, Pose((0.0, 0.0, 0.0), joints.base), instance)


def _vector(values: NDArray[np.float64]) -> Vector3:
    x, y, z = values.tolist()
    return (x, y, z)


def _drum(
    diameter: float, length: float, at: Vector3, colour: Colour, axis: str = "z", gloss: float = 0.3
) -> Solid:
    """A turned part with eased edges, along z or across the arm's plane (y)."""
    rotation = turn((1.0, 0.0, 0.0), math.pi / 2) if axis == "y" else (1.0, 0.0, 0.0, 0.0)
    size = (diameter, diameter, length)
    mesh = turned("joint")
    return Solid(
        "mesh",
        size,
        at,
        rotation,
        (*colour, 1),
        mesh=mesh,
        colours={"paint": colour},
        specular=gloss,
    )


def _link(start: Vector3, slope: float, length: float, diameter: float, colour: Colour) -> Solid:
    """A tapered tube from `start`, wider there."""
    x, y, z = start
    middle = (x + math.sin(slope) * length / 2, y, z + math.cos(slope) * length / 2)
    rotation = turn((0.0, 1.0, 0.0), slope)
    size = (diameter, diameter, length)
    colours = {"paint": colour}
    return Solid(
        "mesh",
        size,
        middle,
        rotation,
        (*colour, 1),
        mesh=turned("link"),
        colours=colours,
        specular=0.4,
    )


def _band(
    start: Vector3, slope: float, along: float, diameter: float, length: float, colour: Colour
) -> Solid:
    """A sleeve round a link, `along` metres from its start."""
    x, y, z = start
    at = (x + math.sin(slope) * along, y, z + math.cos(slope) * along)
    return drum(diameter, length, at, colour, turn((0.0, 1.0, 0.0), slope), gloss=0.3)


def _base(livery: Livery) -> Sequence[Solid]:
    link = Solid(
        "mesh",
        (0.17, 0.17, 0.14),
        (0.0, 0.0, 0.09),
        rgba=(*livery.body, 1),
        mesh=turned("link"),
        colours={"paint": livery.body},
        specular=0.4,
    )
    return (
        _drum(0.22, 0.022, (0, 0, 0.011), livery.dark),
        link,
        _drum(0.145, 0.02, (0, 0, 0.15), livery.accent),
        _drum(0.128, 0.10, (0, 0, 0.20), livery.body),
        _drum(0.125, 0.185, (0, 0.025, SHOULDER_Z_M), livery.body, "y"),
        _drum(0.108, 0.012, (0, -0.07, SHOULDER_Z_M), livery.accent, "y"),
    )


def _upper_arm(joints: Joints, livery: Livery) -> Sequence[Solid]:
    start = (0.0, _SIDE_M, SHOULDER_Z_M)
    slope = joints.shoulder
    x, z = UPPER_ARM_M * math.sin(slope), SHOULDER_Z_M + UPPER_ARM_M * math.cos(slope)
    return (
        _drum(0.13, 0.085, start, livery.body, "y"),
        _drum(0.11, 0.10, (0, _SIDE_M + 0.004, SHOULDER_Z_M), livery.accent, "y"),
        _link(start, slope, UPPER_ARM_M, 0.098, livery.body),
        _band(start, slope, 0.10, 0.100, 0.018, livery.dark),
        _drum(0.105, 0.165, (x, 0.045, z), livery.body, "y"),
        _drum(0.088, 0.178, (x, 0.045, z), livery.accent, "y"),
    )


def _forearm(joints: Joints, livery: Livery) -> Sequence[Solid]:
    x = UPPER_ARM_M * math.sin(joints.shoulder)
    z = SHOULDER_Z_M + UPPER_ARM_M * math.cos(joints.shoulder)
    slope = joints.elbow
    start = (x, 0.0, z)
    wrist = (x + FOREARM_M * math.sin(slope), 0.0, z + FOREARM_M * math.cos(slope))
    return (
        _link(start, slope, FOREARM_M, 0.088, livery.body),
        _band(start, slope, 0.085, 0.092, 0.016, livery.dark),
        _band(start, slope, FOREARM_M - 0.075, 0.074, 0.03, livery.accent),
        _drum(0.078, 0.105, wrist, livery.body, "y"),
        _drum(0.062, 0.116, wrist, livery.accent, "y"),
    )


def _gripper(joints: Joints, state: ArmState, livery: Livery) -> Sequence[Solid]:
    """Flange, palm and two fingers below the wrist, in the arm's plane frame."""
    x, y, z = within_reach(state.position_m)
    r, facing = math.hypot(x, y), turn_z(joints.tool - joints.base)
    c, s = math.cos(joints.tool - joints.base), math.sin(joints.tool - joints.base)

    def part(size: Vector3, across: float, up: float, colour: Colour, bevel: float) -> Solid:
        at = (r - s * across, c * across, z + up)
        return Solid("box", size, at, facing, (*colour, 1), specular=0.3, bevel_m=bevel)

    apart = state.opening_m / 2 + 0.007
    fingers = [
        each
        for side in (-1, 1)
        for each in (
            part((0.026, 0.016, 0.06), side * (apart + 0.007), 0.068, livery.dark, 0.004),
            part((0.022, 0.012, 0.055), side * apart, 0.0275, _STEEL, 0.003),
            part((0.018, 0.004, 0.03), side * (apart - 0.007), 0.017, _RUBBER, 0.001),
        )
    ]
    return (
        _drum(0.066, 0.055, (r, 0, z + TOOL_M - 0.04), livery.body),
        _drum(0.07, 0.014, (r, 0, z + TOOL_M - 0.07), livery.accent),
        part((0.062, 0.135, 0.045), 0.0, 0.115, livery.dark, 0.01),
        part((0.064, 0.05, 0.02), 0.0, 0.118, livery.accent, 0.004),
        *fingers,
    )
