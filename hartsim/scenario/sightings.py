"""Where things fall in a picture, and how far they are: by geometry, before anything is drawn."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hartsim.scenario.compiled import CameraSetup, PlacedObject
from hartsim.scenario.kinds import KINDS, Kind
from hartsim.types import Vector3

NEAREST_M = 0.1
"""Nearer things are in no picture."""
TABLE_MIDDLE_M: Vector3 = (0.5, 0.0, 0.0)
"""The middle of the table top, in the frame of the setup."""


@dataclass(frozen=True)
class Sighting:
    """An object in a picture: where it falls (right, -1..1) and how far it is.

    `down` counts from where the middle of the table falls, of the half picture.
    """

    thing: PlacedObject
    right: float
    down: float
    distance_m: float

    @property
    def kind(self) -> Kind:
        """Its entry in the catalogue."""
        return KINDS[self.thing.kind]


def seen_by(objects: Sequence[PlacedObject], camera: CameraSetup) -> list[Sighting]:
    """The objects of which a part lies in a square picture of this camera, nearest first."""
    sightings = [_sighting(thing, camera) for thing in objects]
    return sorted((s for s in sightings if s is not None), key=lambda s: s.distance_m)


def _sighting(thing: PlacedObject, camera: CameraSetup) -> Sighting | None:
    """Where a camera sees an object: the middle of those of its centre and ends that it sees."""
    (x, y, z), heading = thing.box.centre_m, thing.box.heading_rad
    halves = [share * thing.box.size_m[0] for share in (-0.4, 0.0, 0.4)]
    points = [(x + half * math.cos(heading), y + half * math.sin(heading), z) for half in halves]
    seen = [each for point in points if (each := _in_picture(point, camera)) is not None]
    if not seen:
        return None
    right, down = (sum(values) / len(seen) for values in zip(*seen, strict=True))
    middle = _in_picture(TABLE_MIDDLE_M, camera) or (0.0, 0.0)
    distance_m = math.hypot(x - camera.position_m[0], y - camera.position_m[1])
    return Sighting(thing, right, down - middle[1], distance_m)


def _in_picture(point: Vector3, camera: CameraSetup) -> tuple[float, float] | None:
    """Where a point falls in a square picture, right and down in -1..1; None outside it."""
    ahead, left, up = (a - b for a, b in zip(point, camera.position_m, strict=True))
    yaw_cos, yaw_sin = math.cos(camera.yaw_rad), math.sin(camera.yaw_rad)
    forward, right = ahead * yaw_cos + left * yaw_sin, ahead * yaw_sin - left * yaw_cos
    tilt_cos, tilt_sin = math.cos(camera.pitch_rad), math.sin(camera.pitch_rad)
    depth, down = forward * tilt_cos + up * tilt_sin, forward * tilt_sin - up * tilt_cos
    reach = depth * math.tan(camera.fov_rad / 2)
    if depth < NEAREST_M or max(abs(right), abs(down)) >= reach:
        return None
    return right / reach, down / reach
