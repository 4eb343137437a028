"""CARLA's transforms: x ahead, y right, z up; degrees of pitch, yaw (clockwise) and roll."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Triple = tuple[float, float, float]
Matrix = NDArray[np.float64]


def triple(values: Iterable[Any]) -> Triple:
    """Three numbers."""
    x, y, z = values
    return float(x), float(y), float(z)


@dataclass(frozen=True)
class Transform:
    """A place in metres and a turn (pitch, yaw, roll) in degrees."""

    location: Triple = (0.0, 0.0, 0.0)
    rotation: Triple = (0.0, 0.0, 0.0)

    @classmethod
    def read(cls, packed: Sequence[Any]) -> "Transform":
        """The transform of a call's argument."""
        location, rotation = packed
        return cls(triple(location), triple(rotation))

    def packed(self) -> list[list[float]]:
        """The transform as a call's result holds it."""
        return [list(self.location), list(self.rotation)]

    def matrix(self) -> Matrix:
        """The 4x4 matrix from its own frame to the one it stands in."""
        pitch, yaw, roll = (math.radians(angle) for angle in self.rotation)
        cp, sp, cy, sy = math.cos(pitch), math.sin(pitch), math.cos(yaw), math.sin(yaw)
        cr, sr = math.cos(roll), math.sin(roll)
        whole = np.eye(4)
        whole[:3, :3] = [
            [cp * cy, cy * sp * sr - sy * cr, -cy * sp * cr - sy * sr],
            [cp * sy, sy * sp * sr + cy * cr, -sy * sp * cr + cy * sr],
            [sp, -cp * sr, cp * cr],
        ]
        whole[:3, 3] = self.location
        return whole

    @classmethod
    def of(cls, matrix: Matrix) -> "Transform":
        """The transform of a 4x4 matrix."""
        pitch = math.degrees(math.asin(max(-1.0, min(1.0, float(matrix[2, 0])))))
        yaw = math.degrees(math.atan2(matrix[1, 0], matrix[0, 0]))
        roll = math.degrees(math.atan2(-matrix[2, 1], matrix[2, 2]))
        return cls(triple(matrix[:3, 3]), (pitch, yaw, roll))

    def then(self, inner: "Transform") -> "Transform":
        """Where something stands that is at `inner` in this one's frame."""
        return Transform.of(self.matrix() @ inner.matrix())

    def apply(self, point: Triple) -> Triple:
        """A point of this one's frame in the one it stands in."""
        return triple((self.matrix() @ np.array([*point, 1.0]))[:3])

    @property
    def forward(self) -> Triple:
        """Where its x axis points."""
        pitch, yaw = math.radians(self.rotation[0]), math.radians(self.rotation[1])
        c = math.cos(pitch)
        return c * math.cos(yaw), c * math.sin(yaw), math.sin(pitch)
