"""How the arm looks: tapered links between round joints, and a gripper with two fingers.

Solids are in the frame of the arm's plane: x runs outward from the base, y to its left, z up.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hartsim.types import Box3D, Instance, Pose, Vector3
from hartsim.worlds.arm import (
    ARM,
    FOREARM_M,
    SHOULDER_Z_M,
    TOOL_M,
    UPPER_ARM_M,
    ArmState,
    Joints,
    profile,
    solve,
)
from hartsim.worlds.meshes import turn, turn_z
from hartsim.worlds.solids import block, body, drum
from hartsim.worlds.stage import Colour, Prop, Solid
from hartsim.worlds.tabletop_meshes import turned

SIDE_M = 0.082
"""How far left of the plane the upper arm runs, beside shoulder and elbow."""

SIDES = (-1, 1)
"""The fingers, to the right and to the left of the tool."""

_STEEL: Colour = (0.62, 0.64, 0.67)
_RUBBER: Colour = (0.13, 0.13, 0.15)
_ACROSS = turn((1.0, 0.0, 0.0), math.pi / 2)


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


def arm_prop(state: ArmState, livery: Livery, instance_id: int) -> Prop:
    """The arm in this state, one instance of class robot; its shape depends on the state alone."""
    joints = solve(state)
    links = (
        _base(livery),
        _upper_arm(joints, livery),
        _forearm(joints, livery),
        _flange(joints, livery),
        _palm(joints, livery),
        *(_finger(joints, side, state.opening_m / 2 + 0.007, livery.dark) for side in SIDES),
    )
    solids = [replace(each, link=link) for link, every in enumerate(links) for each in every]
    instance, pose = arm_instance(state, instance_id)
    return Prop(ARM, "robot", tuple(solids), pose, instance)


def arm_instance(state: ArmState, instance_id: int) -> tuple[Instance, Pose]:
    """What labels say of the arm in this state, and the pose of its plane."""
    joints = solve(state)
    instance = Instance(instance_id, ARM, "arm", "robot", False, (), _bounds(joints))
    return instance, Pose((0.0, 0.0, 0.0), joints.base)


def link_frames(state: ArmState) -> NDArray[np.float64]:
    """The frame of each link of the arm's prop in this state, (7, 4, 4) in the base frame."""
    joints = solve(state)
    _, (elbow_r, elbow_z), _, (r, tip) = profile(joints)
    c, s = math.cos(joints.base), math.sin(joints.base)
    across = -math.sin(joints.tool), math.cos(joints.tool)
    fingers = [side * state.opening_m / 2 for side in SIDES]
    return np.array(
        [
            _frame(joints.base, 0.0, (0.0, 0.0, 0.0)),
            _frame(joints.base, joints.shoulder, (-s * SIDE_M, c * SIDE_M, SHOULDER_Z_M)),
            _frame(joints.base, joints.elbow, (c * elbow_r, s * elbow_r, elbow_z)),
            _frame(joints.base, 0.0, (c * r, s * r, tip)),
            _frame(joints.tool, 0.0, (c * r, s * r, tip)),
            *(
                _frame(joints.tool, 0.0, (c * r + far * across[0], s * r + far * across[1], tip))
                for far in fingers
            ),
        ]
    )


def _frame(heading: float, slope: float, at: Vector3) -> list[list[float]]:
    """The motion that leans z by `slope` towards x, turns x to `heading`, and moves to a place."""
    c, s, upright, level = math.cos(heading), math.sin(heading), math.cos(slope), math.sin(slope)
    x, y, z = at
    return [
        [c * upright, -s, c * level, x],
        [s * upright, c, s * level, y],
        [-level, 0.0, upright, z],
        [0.0, 0.0, 0.0, 1.0],
    ]


def _bounds(joints: Joints) -> Box3D:
    """A box about the arm, its length in the arm's plane."""
    r, z = np.array(profile(joints)).T
    length, height = float(r.max()) + 0.06 + 0.11, float(z.max()) + 0.06
    middle = length / 2 - 0.11
    centre = (middle * math.cos(joints.base), middle * math.sin(joints.base), height / 2)
    return Box3D(centre, (length, 0.26, height), joints.base)


def _joint(diameter_m: float, length_m: float, at: Vector3, colour: Colour) -> Solid:
    """A round housing with eased edges, lying across the plane."""
    size = (diameter_m, diameter_m, length_m)
    return body(turned("joint"), size, at, colour, _ACROSS, gloss=0.3)


def _cover(diameter_m: float, length_m: float, at: Vector3, colour: Colour) -> Solid:
    """A lid that shows on both ends of a joint."""
    return drum(diameter_m, length_m, at, colour, _ACROSS, gloss=0.3)


@dataclass(frozen=True)
class _Link:
    """A straight stretch of arm: where it starts, and its slope from upright."""

    start: Vector3
    slope: float

    def at(self, along_m: float) -> Vector3:
        """The point so far along it."""
        x, y, z = self.start
        return (x + math.sin(self.slope) * along_m, y, z + math.cos(self.slope) * along_m)

    def tube(self, length_m: float, diameter_m: float, colour: Colour) -> Solid:
        """A tapered tube, wider at the start."""
        size, tilt = (diameter_m, diameter_m, length_m), turn((0.0, 1.0, 0.0), self.slope)
        return body(turned("link"), size, self.at(length_m / 2), colour, tilt, gloss=0.4)

    def band(self, along_m: float, diameter_m: float, wide_m: float, colour: Colour) -> Solid:
        """A sleeve round the tube."""
        tilt = turn((0.0, 1.0, 0.0), self.slope)
        return drum(diameter_m, wide_m, self.at(along_m), colour, tilt, gloss=0.3)


def _base(livery: Livery) -> Sequence[Solid]:
    foot = body(turned("link"), (0.17, 0.17, 0.14), (0, 0, 0.09), livery.body, gloss=0.4)
    neck = body(turned("joint"), (0.128, 0.128, 0.10), (0, 0, 0.20), livery.body, gloss=0.3)
    return (
        drum(0.22, 0.022, (0, 0, 0.011), livery.dark, gloss=0.3),
        foot,
        drum(0.145, 0.02, (0, 0, 0.15), livery.accent, gloss=0.3),
        neck,
        _joint(0.125, 0.185, (0, 0.025, SHOULDER_Z_M), livery.body),
        _cover(0.108, 0.012, (0, -0.07, SHOULDER_Z_M), livery.accent),
    )


def _upper_arm(joints: Joints, livery: Livery) -> Sequence[Solid]:
    link = _Link((0.0, SIDE_M, SHOULDER_Z_M), joints.shoulder)
    x, y, z = link.at(UPPER_ARM_M)
    elbow = (x, y - 0.037, z)
    return (
        _joint(0.13, 0.085, link.start, livery.body),
        _cover(0.11, 0.10, link.start, livery.accent),
        link.tube(UPPER_ARM_M, 0.098, livery.body),
        link.band(0.10, 0.100, 0.018, livery.dark),
        _joint(0.105, 0.165, elbow, livery.body),
        _cover(0.088, 0.178, elbow, livery.accent),
    )


def _forearm(joints: Joints, livery: Livery) -> Sequence[Solid]:
    r, z = profile(joints)[1]
    link = _Link((r, 0.0, z), joints.elbow)
    wrist = link.at(FOREARM_M)
    return (
        link.tube(FOREARM_M, 0.088, livery.body),
        link.band(0.085, 0.092, 0.016, livery.dark),
        link.band(FOREARM_M - 0.075, 0.074, 0.03, livery.accent),
        _joint(0.078, 0.105, wrist, livery.body),
        _cover(0.062, 0.116, wrist, livery.accent),
    )


def _flange(joints: Joints, livery: Livery) -> Sequence[Solid]:
    """What hangs below the wrist and does not turn with the tool."""
    r, tip = profile(joints)[3]
    flange = (0.066, 0.066, 0.055)
    return (
        body(turned("joint"), flange, (r, 0, tip + TOOL_M - 0.04), livery.body, gloss=0.3),
        drum(0.07, 0.014, (r, 0, tip + TOOL_M - 0.07), livery.accent, gloss=0.3),
    )


def _palm(joints: Joints, livery: Livery) -> Sequence[Solid]:
    """What carries the fingers."""
    return (
        _tool_part(joints, (0.062, 0.135, 0.045), 0.0, 0.115, livery.dark, 0.01),
        _tool_part(joints, (0.064, 0.05, 0.02), 0.0, 0.118, livery.accent, 0.004),
    )


def _finger(joints: Joints, side: int, apart_m: float, dark: Colour) -> Sequence[Solid]:
    """A knuckle, a steel finger and its rubber pad, inner face `apart_m` from the middle."""
    return (
        _tool_part(joints, (0.026, 0.016, 0.06), side * (apart_m + 0.007), 0.068, dark, 0.004),
        _tool_part(joints, (0.022, 0.012, 0.055), side * apart_m, 0.0275, _STEEL, 0.003),
        _tool_part(joints, (0.018, 0.004, 0.03), side * (apart_m - 0.007), 0.017, _RUBBER, 0.001),
    )


def _tool_part(
    joints: Joints, size: Vector3, across_m: float, up_m: float, colour: Colour, bevel_m: float
) -> Solid:
    """A block that turns with the tool, so far across it and above the fingertips."""
    r, tip = profile(joints)[3]
    angle = joints.tool - joints.base
    at = (r - math.sin(angle) * across_m, math.cos(angle) * across_m, tip + up_m)
    return block(size, at, colour, turn_z(angle), bevel_m, gloss=0.3)
