"""Lidars: rays against the ground and the boxes of all that stands about."""

import math
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.carla_standin.actors import Actor
from tests.carla_standin.episode import Episode
from tests.carla_standin.rays import GROUND, NOTHING, cast

ROAD = 1
TAGGED = np.dtype(
    [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("cosine", "<f4"), ("id", "<u4"), ("tag", "<u4")]
)


@dataclass(frozen=True, eq=False)
class Sweep:
    """What one tick's rays found: points (N, 3) in the sensor's frame, ordered by channel."""

    angle_rad: float
    channels: int
    points_m: NDArray[np.float64]
    far_m: NDArray[np.float64]
    channel: NDArray[np.intp]
    ids: NDArray[np.uint32]
    tags: NDArray[np.uint32]

    def head(self, kept: NDArray[np.bool_]) -> bytes:
        """The words before the points: the angle, and how many of each channel are kept."""
        counts = np.bincount(self.channel[kept], minlength=self.channels).astype("<u4")
        return struct.pack("<fI", self.angle_rad, self.channels) + counts.tobytes()


def sweep_of(episode: Episode, actor: Actor) -> Sweep:
    """What a lidar's rays hit during one tick; it turns on by as much."""
    told = actor.attributes
    channels, reach = int(told["channels"]), float(told["range"])
    view = float(told["horizontal_fov"])
    count = max(1, round(int(told["points_per_second"]) * episode.step_s / channels))
    swept = float(told["rotation_frequency"]) * view * episode.step_s
    turns = (actor.turned_deg + swept / count * np.arange(count)) % view - view / 2
    actor.turned_deg = (actor.turned_deg + swept) % view
    tilts = np.linspace(float(told["upper_fov"]), float(told["lower_fov"]), channels)
    yaw, pitch = np.meshgrid(np.radians(turns), np.radians(tilts))
    local = np.stack(
        [np.cos(pitch) * np.cos(yaw), np.cos(pitch) * np.sin(yaw), np.sin(pitch)], axis=-1
    ).reshape(-1, 3)
    here = np.asarray(actor.transform.location)
    boxes = [
        box
        for box in episode.boxes()
        if box.id != actor.parent
        and math.dist(here, box.matrix[:3, 3]) < reach + math.hypot(*box.half_m)
    ]
    rays = local @ actor.transform.matrix()[:3, :3].T
    far, hit = cast(actor.transform.location, rays, boxes, episode.ground_m())
    ids = np.array([*(box.id for box in boxes), 0, 0], np.uint32)
    tags = np.array([*(box.tag for box in boxes), 0, 0], np.uint32)
    assert (GROUND, NOTHING) == (-1, -2)
    tags[GROUND] = ROAD
    found = far < reach
    channel = np.repeat(np.arange(channels), count)
    return Sweep(
        math.radians(actor.turned_deg),
        channels,
        (local * np.where(found, far, 0.0)[:, None])[found],
        far[found],
        channel[found],
        ids[hit[found]],
        tags[hit[found]],
    )
