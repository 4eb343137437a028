"""Frames of a flat street with boxes on it, as CARLA's cameras would give them."""

import math
from collections.abc import Sequence

import numpy as np

from hartsim.adapters.carla.coordinates import camera_of
from hartsim.adapters.carla.visibility import entry_m
from hartsim.scenario.compiled import CameraSetup
from hartsim.types import CLASS_ID, Box3D, Frame, Instance, Pose
from hartsim.worlds.motion import STILL, seen_from

FRONT = CameraSetup("front", (0.6, 0.0, 1.5), math.radians(-4), 0.0, math.radians(55))
SIZE_PX = (120, 160)
CAMERA = camera_of(FRONT, SIZE_PX)
SKY, ROAD, MARK, GRASS = (150, 180, 215), (95, 95, 98), (225, 225, 220), (90, 110, 60)


def flat_street(
    things: Sequence[tuple[Instance, tuple[int, int, int]]] = (),
    ego: Pose = STILL,
    light: float = 1.0,
) -> Frame:
    """A straight road with a line in its middle, grass beside it, and coloured boxes.

    Boxes are in the frame of the setup.
    """
    height, width = SIZE_PX
    rows, columns = np.arange(height) + 0.5, np.arange(width) + 0.5
    k, pose = CAMERA.intrinsics, CAMERA.camera_to_base
    rays = np.ones((height, width, 3))
    rays[..., 0], rays[..., 1] = (
        (columns - k[0, 2]) / k[0, 0],
        ((rows - k[1, 2]) / k[1, 1])[:, None],
    )
    ways = rays @ pose[:3, :3].T
    down = np.maximum(-ways[..., 2], 1e-9)
    depth = np.where(ways[..., 2] < -1e-3, pose[2, 3] / down, np.inf)
    safe = np.where(np.isfinite(depth), depth, 0)
    ahead, left = pose[0, 3] + ways[..., 0] * safe, pose[1, 3] + ways[..., 1] * safe
    c, s = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
    y = ego.position_m[1] + s * ahead + c * left
    labels = np.full(SIZE_PX, CLASS_ID["sky"], np.uint8)
    ground = np.isfinite(depth)
    labels[ground] = CLASS_ID["terrain"]
    labels[ground & (np.abs(y - 1.75) < 3.6)] = CLASS_ID["road"]
    labels[ground & (np.abs(y - 1.75) < 0.12)] = CLASS_ID["road_mark"]
    image = np.zeros((*SIZE_PX, 3), np.uint8)
    for name, colour in (("sky", SKY), ("terrain", GRASS), ("road", ROAD), ("road_mark", MARK)):
        image[labels == CLASS_ID[name]] = colour
    instances = np.zeros(SIZE_PX, np.uint16)
    table = []
    for instance, colour in things:
        box: Box3D = seen_from(ego, instance.box)
        enter = entry_m(box, CAMERA, columns, rows)
        nearer = enter < depth
        depth = np.where(nearer, enter, depth)
        image[nearer], labels[nearer] = colour, CLASS_ID[instance.class_name]
        instances[nearer] = instance.id
        table.append(instance)
    grain = np.random.default_rng(2).integers(-7, 8, (*SIZE_PX, 3))
    image = (np.clip(image.astype(int) + grain, 0, 255) * light).astype(np.uint8)
    return Frame(image, labels, instances, depth.astype(np.float32), tuple(table), CAMERA)


def box(
    id: int,
    class_name: str,
    centre: tuple[float, float, float],
    size: tuple[float, float, float],
) -> Instance:
    """An instance that is a box."""
    return Instance(
        id, f"{class_name}{id}", class_name, class_name, False, (), Box3D(centre, size, 0.0)
    )
