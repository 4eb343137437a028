"""What each sensor sends after a tick, as far as someone listens."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgpack
import numpy as np
from numpy.typing import NDArray

from tests.carla_standin import lidar, wire
from tests.carla_standin.actors import GRAVITY_MPS2, Actor, touch
from tests.carla_standin.blueprints import Blueprint
from tests.carla_standin.geometry import Transform
from tests.carla_standin.knobs import matches
from tests.carla_standin.maps import LATITUDE, LONGITUDE
from tests.carla_standin.plain import Shot, Truth

if TYPE_CHECKING:
    from tests.carla_standin.server import Server

FAR_M = 1000.0
METRES_PER_DEGREE = 111320.0
HARD = {3: "static.building", 5: "static.fence", 6: "static.pole", 14: "static.car"}
"""What of a map can be bumped into, by tag."""
_EARLY_S = 1e-4


def deliver(server: "Server") -> None:
    """Send what every sensor measured in the last tick."""
    episode = server.episode
    for actor in list(episode.actors.values()):
        if not actor.stream or not server.streams.heard(actor.stream):
            continue
        measure = MEASURES.get(actor.blueprint.id)
        wait_s = float(actor.attributes.get("sensor_tick", 0.0))
        if measure is None or episode.seconds - actor.last_sent_s < wait_s - _EARLY_S:
            continue
        still = server.knobs.pictures == "predrawn" and "camera" in actor.blueprint.id
        payload = predrawn(server, actor) if still else measure(server, actor)
        if payload is None:
            continue
        actor.last_sent_s, actor.sent = episode.seconds, actor.sent + 1
        if matches(actor.blueprint.id, server.knobs.dead_stream):
            if actor.sent > server.knobs.dead_after:
                server.streams.drop(actor.stream)
                continue
        elif actor.sent in server.knobs.lost_frames:
            continue
        registry = wire.REGISTRY[actor.blueprint.id]
        head = wire.header(registry, episode.frame, episode.seconds, actor.transform)
        server.send(actor.stream, head, payload)


def pack(values: list[Any]) -> bytes:
    """Values as sensors other than cameras and lidars send them."""
    packed: bytes = msgpack.packb(values)
    return packed


def shot_of(actor: Actor) -> Shot:
    """The picture that a camera is to take."""
    told = actor.attributes
    width, height = int(told["image_size_x"]), int(told["image_size_y"])
    return Shot(actor.transform, width, height, float(told["fov"]), actor.parent)


def packed(shot: Shot, bgra: NDArray[np.uint8]) -> bytes:
    """A picture as its stream sends it."""
    return wire.picture(shot.width, shot.height, shot.fov, bgra)


def see(server: "Server", actor: Actor) -> bytes:
    """An RGB camera's picture."""
    shot = shot_of(actor)
    return packed(shot, bgra_of(server.painter.picture(shot)))


def bgra_of(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An RGB picture with its channels as CARLA orders them, opaque."""
    bgra = np.full((*picture.shape[:2], 4), 255, np.uint8)
    bgra[..., :3] = picture[..., ::-1]
    return bgra


def range_(server: "Server", actor: Actor) -> bytes:
    """A depth camera's picture: 24 bits of a kilometre, the lowest in red."""
    shot = shot_of(actor)
    return packed(shot, depth_picture(server.truth(shot)))


def depth_picture(truth: Truth) -> NDArray[np.uint8]:
    """Depth in metres as CARLA colours it, (H, W, 4)."""
    share = np.clip(truth.depth_m, 0, FAR_M) / FAR_M
    steps = np.round(share * (2**24 - 1)).astype(np.uint32)
    return bgra_of(np.stack([steps & 255, steps >> 8 & 255, steps >> 16], -1).astype(np.uint8))


def tag(server: "Server", actor: Actor) -> bytes:
    """A semantic camera's picture: tags in red."""
    shot = shot_of(actor)
    tags = server.truth(shot).tags
    picture = np.zeros((*tags.shape, 3), np.uint8)
    picture[..., 0] = tags
    return packed(shot, bgra_of(picture))


def tell_apart(server: "Server", actor: Actor) -> bytes:
    """An instance camera's picture: tags in red, ids in green (low) and blue (high)."""
    shot = shot_of(actor)
    truth = server.truth(shot)
    picture = np.stack([truth.tags, truth.ids & 255, truth.ids >> 8], -1).astype(np.uint8)
    return packed(shot, bgra_of(picture))


def swing(server: "Server", actor: Actor) -> bytes:
    """What an IMU feels: acceleration with gravity, turning in rad/s, and the compass."""
    turn = actor.transform.matrix()[:3, :3]
    pull = np.array([*actor.acceleration[:2], actor.acceleration[2] + GRAVITY_MPS2])
    turning = np.radians(actor.turning)
    # north lies along -y
    compass = math.radians(actor.transform.rotation[1] + 90.0) % (2 * math.pi)
    return pack([(turn.T @ pull).tolist(), (turn.T @ turning).tolist(), compass])


def locate(server: "Server", actor: Actor) -> bytes:
    """Where on the globe an actor is, as the client reckons it: degrees north, east, and metres."""
    x, y, z = actor.transform.location
    north, east = y / METRES_PER_DEGREE, x / METRES_PER_DEGREE
    east /= math.cos(math.radians(LATITUDE))
    return pack([LATITUDE + north, LONGITUDE + east, z])


def bump(server: "Server", actor: Actor) -> bytes | None:
    """The first thing that a sensor's carrier touches; None for nothing."""
    carrier = server.episode.actors.get(actor.parent)
    if carrier is None:
        return None
    for other in server.episode.actors.values():
        solid = other.kind in ("vehicle", "walker", "static") and other is not carrier
        if solid and touch(carrier, other):
            return _collision(carrier, other)
    for piece in server.episode.pieces:
        if piece.tag in HARD and piece.id not in server.episode.hidden:
            name = HARD[piece.tag]
            size = (2 * piece.half_m[0], 2 * piece.half_m[1], 2 * piece.half_m[2])
            foot = piece.middle.then(Transform((0.0, 0.0, -piece.half_m[2])))
            wall = Actor(0, Blueprint(0, name, (), size), [0, name, []], foot)
            if touch(carrier, wall):
                return _collision(carrier, wall)
    return None


def _collision(one: Actor, other: Actor) -> bytes:
    mass = 1800.0
    x, y, z = (mass * each for each in one.velocity)
    return pack([one.packed(b""), other.packed(b""), [-x, -y, -z]])


def scan(server: "Server", actor: Actor) -> bytes:
    """A lidar's points: x, y, z in metres and the strength of what came back."""
    sweep = lidar.sweep_of(server.episode, actor)
    told, chance = actor.attributes, np.random.default_rng(server.episode.frame)
    strength = np.exp(-float(told["atmosphere_attenuation_rate"]) * sweep.far_m)
    kept = chance.uniform(size=len(strength)) >= float(told["dropoff_general_rate"])
    limit, zero = float(told["dropoff_intensity_limit"]), float(told["dropoff_zero_intensity"])
    weak = np.clip(1 - strength / limit, 0, 1) * zero
    kept &= chance.uniform(size=len(strength)) >= weak
    points = np.column_stack([sweep.points_m, strength]).astype("<f4")[kept]
    return sweep.head(kept) + points.tobytes()


def scan_tags(server: "Server", actor: Actor) -> bytes:
    """A semantic lidar's points: x, y, z, the cosine of the angle of incidence, id and tag."""
    sweep = lidar.sweep_of(server.episode, actor)
    points = np.empty(len(sweep.far_m), lidar.TAGGED)
    for axis, name in enumerate("xyz"):
        points[name] = sweep.points_m[:, axis]
    points["cosine"], points["id"], points["tag"] = 1.0, sweep.ids, sweep.tags
    return sweep.head(np.ones(len(points), bool)) + points.tobytes()


def predrawn(server: "Server", actor: Actor) -> bytes | None:
    """A camera's picture as it was the first time that such a camera asked."""
    shot = shot_of(actor)
    key = actor.blueprint.id, shot.width, shot.height, shot.fov
    if key not in server.drawn:
        payload = MEASURES[actor.blueprint.id](server, actor)
        assert payload is not None
        server.drawn[key] = payload
    return server.drawn[key]


MEASURES: dict[str, Callable[["Server", Actor], bytes | None]] = {
    "sensor.camera.rgb": see,
    "sensor.camera.depth": range_,
    "sensor.camera.semantic_segmentation": tag,
    "sensor.camera.instance_segmentation": tell_apart,
    "sensor.lidar.ray_cast": scan,
    "sensor.lidar.ray_cast_semantic": scan_tags,
    "sensor.other.imu": swing,
    "sensor.other.gnss": locate,
    "sensor.other.collision": bump,
}
