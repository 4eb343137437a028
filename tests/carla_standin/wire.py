"""How CARLA packs values: MessagePack arrays in calls, little-endian structs in streams.

Source: the layouts in the debug information of the client's library, version 0.9.16.
"""

import socket
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tests.carla_standin.geometry import Transform

WEATHER = (
    *("cloudiness", "precipitation", "precipitation_deposits", "wind_intensity"),
    *("sun_azimuth_angle", "sun_altitude_angle", "fog_density", "fog_distance", "fog_falloff"),
    *("wetness", "scattering_intensity", "mie_scattering_scale", "rayleigh_scattering_scale"),
    "dust_storm",
)
"""The order of the fields of a weather."""

SETTINGS = (
    *("synchronous_mode", "no_rendering_mode", "fixed_delta_seconds", "substepping"),
    *("max_substep_delta_time", "max_substeps", "max_culling_distance"),
    *("deterministic_ragdolls", "tile_stream_distance", "actor_active_distance"),
    "spectator_as_ego",
)

REGISTRY: Mapping[str, int] = {
    "sensor.other.collision": 0,
    "sensor.camera.depth": 1,
    "sensor.camera.normals": 2,
    "sensor.camera.dvs": 3,
    "sensor.other.gnss": 4,
    "sensor.other.imu": 5,
    "sensor.other.lane_invasion": 6,
    "sensor.other.obstacle": 7,
    "sensor.camera.optical_flow": 8,
    "sensor.other.radar": 9,
    "sensor.lidar.ray_cast_semantic": 10,
    "sensor.lidar.ray_cast": 11,
    "sensor.other.rss": 12,
    "sensor.camera.rgb": 13,
    "sensor.camera.semantic_segmentation": 14,
    "sensor.camera.instance_segmentation": 15,
}
"""The numbers by which the client chooses how to read a sensor's data."""

HEADER = struct.Struct("<QQd6f")
SNAPSHOT = struct.Struct("<Qdf3iI")
ACTOR_STATE = struct.Struct("<IB6f3f3f3f")
ACTOR_BYTES = 119
MAP_CHANGED = 1


def value(result: Any) -> list[Any]:
    """A reply that holds something."""
    return [[1, result]]


def failure(message: str) -> list[Any]:
    """A reply that holds an error instead of something."""
    return [[0, [message]]]


def done() -> list[Any]:
    """A reply that holds nothing."""
    return [[False]]


def undone(message: str) -> list[Any]:
    """A reply that holds an error instead of nothing."""
    return [[True, [message]]]


def optional(content: Any) -> list[Any]:
    """What may be missing."""
    return [False] if content is None else [True, content]


def token(stream: int, port: int, host: str) -> bytes:
    """Where a stream's data can be had: 24 bytes."""
    address = socket.inet_aton(host) + bytes(12)
    return struct.pack("<IHBB", stream, port, 1, 1) + address


def header(registry: int, frame: int, seconds: float, at: Transform) -> bytes:
    """The 48 bytes before every sensor's data."""
    return HEADER.pack(registry, frame, seconds, *at.location, *at.rotation)


def actor_state(
    actor_id: int,
    active: bool,
    at: Transform,
    velocity: Sequence[float],
    turning: Sequence[float],
    acceleration: Sequence[float],
    union: bytes,
) -> bytes:
    """An actor's 119 bytes in a snapshot; `union` differs by what it is."""
    head = ACTOR_STATE.pack(
        actor_id, active, *at.location, *at.rotation, *velocity, *turning, *acceleration
    )
    return (head + union).ljust(ACTOR_BYTES, b"\0")


NO_LIGHT = 4
"""Unknown, among the states of the traffic light that a vehicle waits at."""


def vehicle_state(control: Sequence[Any], limit_kmh: float) -> bytes:
    """A vehicle's part of a snapshot: control, speed limit, no traffic light ahead, no failure."""
    throttle, steer, brake, hand_brake, reverse, _, gear = control
    flags = bool(hand_brake), bool(reverse), False
    return struct.pack(
        "<3f3?ifB?IB", throttle, steer, brake, *flags, gear, limit_kmh, NO_LIGHT, False, 0, 0
    )


def walker_state(speed: float, direction: Sequence[float]) -> bytes:
    """A walker's part of a snapshot."""
    return struct.pack("<4f?", *direction, speed, False)


def light_state(sign: str, seconds: Sequence[float], pole: int, frozen: bool, state: int) -> bytes:
    """A traffic light's part of a snapshot; `seconds` green, yellow, red, elapsed."""
    return struct.pack("<32s4fI?B", sign.encode(), *seconds, pole, frozen, state)


def picture(width: int, height: int, fov: float, bgra: np.ndarray) -> bytes:
    """A camera's data after the header; `bgra` is uint8 (height, width, 4)."""
    return struct.pack("<IIf", width, height, fov) + bgra.tobytes()
