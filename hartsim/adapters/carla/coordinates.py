"""From our axes to CARLA's and back; no other module knows that there are two kinds.

Ours are right-handed: x ahead, y left, z up, radians, anticlockwise from above, in the frame of an
`Anchor`. CARLA's are Unreal's, left-handed: x ahead, y right, z up, metres; its rotations are
degrees, of which a positive yaw turns to the right, a pitch up and a roll to the right side.

Source of the rotations: CARLA's `Transform.get_matrix`, with which the tests compare.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hartsim.scenario.compiled import CameraSetup
from hartsim.types import Box3D, Camera, Pose, Size, Vector3
from hartsim.worlds.mounting import calibrated

Matrix = NDArray[np.float64]

_FLIP = np.array([1.0, -1.0, 1.0])
"""CARLA's y points right, ours left."""
_OPTICAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""Columns: optical x (right), y (down) and z (ahead) in a camera's own x ahead, y left, z up."""


class Placement(NamedTuple):
    """The numbers of a `carla.Transform`: metres, and pitch, yaw and roll in degrees."""

    location_m: Vector3
    rotation_deg: Vector3 = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Anchor:
    """Where our frame lies in CARLA's world: its origin, on the ground, and its rotation.

    The frame of a setup is anchored where the ego starts, that of a picture where the ego is now.
    """

    location_m: Vector3
    rotation_deg: Vector3 = (0.0, 0.0, 0.0)

    def to_carla(self, position_m: Vector3, heading_rad: float = 0.0) -> Placement:
        """Where CARLA puts what stands here and looks this way."""
        turned = self._turn @ _turn_of_heading(heading_rad)
        return Placement(self.point_to_carla(position_m), _rotation_of(turned))

    def from_carla(self, location_m: Vector3, rotation_deg: Vector3 = (0.0, 0.0, 0.0)) -> Pose:
        """Where that is in this frame, and which way it looks from above."""
        turned = self._turn.T @ _matrix_of(rotation_deg)
        return Pose(self.point_from_carla(location_m), math.atan2(turned[1, 0], turned[0, 0]))

    def point_to_carla(self, position_m: Vector3) -> Vector3:
        """A point of this frame as a CARLA location."""
        return _triple(self.points_to_carla(np.asarray(position_m, np.float64)[None])[0])

    def point_from_carla(self, location_m: Vector3) -> Vector3:
        """A CARLA location as a point of this frame."""
        return _triple(self.points_from_carla(np.asarray(location_m, np.float64)[None])[0])

    def points_to_carla(self, points_m: Matrix) -> Matrix:
        """Points (N, 3) of this frame as CARLA locations (N, 3)."""
        moved: Matrix = (points_m @ self._turn.T) * _FLIP + np.asarray(self.location_m)
        return moved

    def points_from_carla(self, locations_m: Matrix) -> Matrix:
        """CARLA locations (N, 3) as points (N, 3) of this frame."""
        moved: Matrix = ((locations_m - np.asarray(self.location_m)) * _FLIP) @ self._turn
        return moved

    def vector_to_carla(self, vector: Vector3) -> Vector3:
        """A velocity or a direction of this frame in CARLA's world."""
        return _triple((self._turn @ np.asarray(vector, np.float64)) * _FLIP)

    def vector_from_carla(self, vector: Vector3) -> Vector3:
        """A velocity or a direction of CARLA's world in this frame."""
        return _triple(self._turn.T @ (np.asarray(vector, np.float64) * _FLIP))

    def box_from_carla(self, middle: Placement, extent_m: Vector3) -> Box3D:
        """The upright box, in this frame, of one that CARLA gives by its middle and half its size.

        Where it leans, its size and its heading stay its own. An environment object's box is
        already CARLA's world's; an actor's goes through `placed_within` first.
        """
        pose = self.from_carla(*middle)
        x, y, z = extent_m
        return Box3D(pose.position_m, (2 * x, 2 * y, 2 * z), pose.heading_rad)

    def azimuth_to_carla(self, azimuth_rad: float) -> float:
        """A direction, anticlockwise from straight ahead, as a yaw of CARLA's world, 0..360."""
        ahead = (math.cos(azimuth_rad), math.sin(azimuth_rad), 0.0)
        x, y, _ = self.vector_to_carla(ahead)
        # a remainder of a hair below 0 is 360 in floating point
        return math.degrees(math.atan2(y, x)) % 360.0 % 360.0

    def azimuth_from_carla(self, yaw_deg: float) -> float:
        """A yaw of CARLA's world as a direction in this frame, anticlockwise from ahead."""
        yaw = math.radians(yaw_deg)
        x, y, _ = self.vector_from_carla((math.cos(yaw), math.sin(yaw), 0.0))
        return math.atan2(y, x)

    @property
    def placement(self) -> Placement:
        """The anchor as a placement in CARLA's world."""
        return Placement(self.location_m, self.rotation_deg)

    @property
    def _turn(self) -> Matrix:
        return _matrix_of(self.rotation_deg)


def placed_within(outer: Placement, inner: Placement) -> Placement:
    """The placement in the world of one that is given relative to another."""
    turn = _matrix_of(outer.rotation_deg)
    offset = turn @ (np.asarray(inner.location_m) * _FLIP)
    location = _triple(offset * _FLIP + np.asarray(outer.location_m))
    return Placement(location, _rotation_of(turn @ _matrix_of(inner.rotation_deg)))


def placed_relative_to(outer: Placement, world: Placement) -> Placement:
    """The placement relative to another of one that is given in the world."""
    turn = _matrix_of(outer.rotation_deg)
    away = (np.asarray(world.location_m) - np.asarray(outer.location_m)) * _FLIP
    rotation = _rotation_of(turn.T @ _matrix_of(world.rotation_deg))
    return Placement(_triple((turn.T @ away) * _FLIP), rotation)


def camera_to_carla(camera: CameraSetup) -> Placement:
    """Where a camera is mounted, relative to the ego actor whose origin lies on the ground."""
    x, y, z = camera.position_m
    pitch, yaw = math.degrees(camera.pitch_rad), -math.degrees(camera.yaw_rad)
    return Placement((x, -y, z), (pitch, yaw, 0.0))


def fov_to_carla(camera: CameraSetup, size_px: Size) -> float:
    """The `fov` attribute of a camera sensor: degrees of its view across, where ours is upright."""
    height, width = size_px
    return math.degrees(2 * math.atan(math.tan(camera.fov_rad / 2) * width / height))


def camera_of(camera: CameraSetup, size_px: Size) -> Camera:
    """The calibration of a camera where its setup wants it."""
    return calibrated(camera, size_px)


def camera_from_carla(name: str, mount: Placement, fov_deg: float, size_px: Size) -> Camera:
    """The calibration of a camera sensor by its placement relative to the ego and its `fov`."""
    height, width = size_px
    focal = width / 2 / math.tan(math.radians(fov_deg) / 2)
    intrinsics = np.array([[focal, 0.0, width / 2], [0.0, focal, height / 2], [0.0, 0.0, 1.0]])
    return Camera(name, size_px, intrinsics, camera_to_base(mount))


def points_to_base(points_m: Matrix, position_m: Vector3) -> Matrix:
    """Points (N, 3) in CARLA's axes of a sensor, level and looking ahead, in the ego's frame.

    `position_m` is where the sensor is mounted, in our axes.
    """
    moved: Matrix = points_m * _FLIP + np.asarray(position_m)
    return moved


def camera_to_base(mount: Placement) -> Matrix:
    """The 4x4 transform from the optical frame of a sensor to the frame it is mounted in."""
    pose = np.eye(4)
    pose[:3, :3] = _matrix_of(mount.rotation_deg) @ _OPTICAL
    pose[:3, 3] = np.asarray(mount.location_m) * _FLIP
    return pose


def _matrix_of(rotation_deg: Vector3) -> Matrix:
    """The rotation in our axes: roll, then pitch, then yaw."""
    pitch, yaw, roll = (math.radians(each) for each in rotation_deg)
    cp, sp, cr, sr = math.cos(pitch), math.sin(pitch), math.cos(roll), math.sin(roll)
    cy, sy = math.cos(yaw), math.sin(yaw)
    carla = np.array(
        [
            [cp * cy, cy * sp * sr - sy * cr, -cy * sp * cr - sy * sr],
            [cp * sy, sy * sp * sr + cy * cr, -sy * sp * cr + cy * sr],
            [sp, -cp * sr, cp * cr],
        ]
    )
    ours: Matrix = carla * _FLIP * _FLIP[:, None]
    return ours


def _rotation_of(turn: Matrix) -> Vector3:
    """Pitch, yaw and roll in degrees of a rotation in our axes."""
    carla = turn * _FLIP * _FLIP[:, None]
    pitch = math.asin(min(1.0, max(-1.0, float(carla[2, 0]))))
    if abs(carla[2, 0]) > 1 - 1e-12:  # looking straight up or down, yaw and roll are one
        yaw, roll = math.atan2(-carla[0, 1], carla[1, 1]), 0.0
    else:
        yaw = math.atan2(carla[1, 0], carla[0, 0])
        roll = math.atan2(-carla[2, 1], carla[2, 2])
    return math.degrees(pitch), math.degrees(yaw), math.degrees(roll)


def _turn_of_heading(heading_rad: float) -> Matrix:
    c, s = math.cos(heading_rad), math.sin(heading_rad)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _triple(values: Matrix) -> Vector3:
    return float(values[0]), float(values[1]), float(values[2])
