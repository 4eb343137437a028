"""From a camera's setup to its axes, its calibration and its view of the pool."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hartsim.scenario.compiled import CameraSetup
from hartsim.types import Camera, Pose, Size
from hartsim.worlds.motion import triple, turn_of
from hartsim.worlds.optics import Eye, eye_of
from hartsim.worlds.pool import View


@lru_cache(maxsize=64)
def optical_axes(camera: CameraSetup) -> NDArray[np.float64]:
    """Columns: the optical x (right), y (down) and z (ahead) of a camera in the base frame."""
    cy, sy = math.cos(camera.yaw_rad), math.sin(camera.yaw_rad)
    cp, sp = math.cos(camera.pitch_rad), math.sin(camera.pitch_rad)
    ahead = np.array([cy * cp, sy * cp, sp])
    right = np.array([sy, -cy, 0.0])
    axes = np.column_stack([right, np.cross(ahead, right), ahead])
    axes.flags.writeable = False
    return axes


def calibrated(camera: CameraSetup, size_px: Size) -> Camera:
    """The camera's intrinsics at this size, and its pose in the base frame."""
    focal = size_px[0] / 2 / math.tan(camera.fov_rad / 2)
    intrinsics = np.array(
        [[focal, 0.0, size_px[1] / 2], [0.0, focal, size_px[0] / 2], [0.0, 0.0, 1.0]]
    )
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = optical_axes(camera), camera.position_m
    return Camera(camera.name, size_px, intrinsics, pose)


def mounted(camera: CameraSetup, ego: Pose, size_px: Size) -> Eye:
    """The camera's eye in the world, riding with the ego."""
    turn = turn_of(ego.heading_rad)
    position = turn @ np.asarray(camera.position_m) + np.asarray(ego.position_m)
    return eye_of(size_px, camera.fov_rad, position, turn @ optical_axes(camera))


def view_of(eye: Eye, camera: CameraSetup, near_m: float, far_m: float) -> View:
    """The view that draws what the eye sees."""
    ahead, up = triple(eye.axes[:, 2]), triple(-eye.axes[:, 1])
    return View(triple(eye.position_m), ahead, up, camera.fov_rad, near_m, far_m)


def below_ground(view: View) -> View:
    """The view mirrored in the ground z = 0, upside down so that it stays right-handed."""
    (x, y, z), (fx, fy, fz), (ux, uy, uz) = view.position_m, view.forward, view.up
    return View((x, y, -z), (fx, fy, -fz), (-ux, -uy, uz), view.fov_rad, view.near_m, view.far_m)
