"""From what the sensors of one tick gave to a `Frame` for each camera."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hartsim.adapters.carla.coordinates import camera_of, points_to_base
from hartsim.adapters.carla.labels import Pixels, depth_from, labelling
from hartsim.adapters.carla.rig import CLASSES, COLOUR, DEPTH, OBJECTS, Lidar, Reading, stream_name
from hartsim.scenario.compiled import CameraSetup
from hartsim.types import Frame, Image, Instance, Points, Size


def picture(pixels: Pixels) -> Image:
    """The colours (H, W, 3) of a camera's bytes: red, green, blue."""
    return np.ascontiguousarray(pixels[..., 2::-1])


def frame_of(
    camera: CameraSetup,
    size_px: Size,
    readings: Mapping[str, Reading],
    actors: Mapping[int, Instance],
    lidar: Points | None = None,
) -> Frame:
    """What a camera saw, from its four sensors' readings of the same tick.

    `actors` holds what labels count by its actor's id, its box in the current ego frame. The
    frame's instances have the numbers that `actors` gives them, since CARLA's differ from run to
    run.
    """
    seen = {view: readings[stream_name(camera.name, view)].values for view in _VIEWS}
    calibration = camera_of(camera, size_px)
    depth_m = depth_from(seen[DEPTH])
    found = labelling(seen[CLASSES], seen[OBJECTS], depth_m, calibration, actors)
    numbers = np.zeros(2**16, np.uint16)
    for actor, number in found.of_actor.items():
        numbers[number] = actors[actor].id
    return Frame(
        image=picture(seen[COLOUR]),
        labels=found.labels,
        instances=numbers[found.instances],
        depth_m=depth_m,
        table=tuple(sorted(actors.values(), key=lambda each: each.id)),
        camera=calibration,
        lidar=lidar,
    )


_VIEWS = (COLOUR, DEPTH, CLASSES, OBJECTS)


def sweep_of(lidars: Mapping[Lidar, Reading]) -> Points | None:
    """The points (N, 4) of all lidars in the ego's frame, intensity last; None without lidars."""
    if not lidars:
        return None
    sweeps = []
    for lidar, reading in lidars.items():
        points = np.array(reading.values, np.float32)
        points[:, :3] = points_to_base(points[:, :3].astype(np.float64), lidar.position_m)
        sweeps.append(points)
    return np.concatenate(sweeps)


def numbered(instances: Mapping[int, Instance]) -> dict[int, Instance]:
    """The instances with numbers from 1 in the order of their names, by the same keys."""
    ordered = sorted(instances, key=lambda actor: instances[actor].name)
    return {actor: replace(instances[actor], id=k) for k, actor in enumerate(ordered, 1)}
