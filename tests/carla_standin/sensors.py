"""What each sensor sends after a tick, as far as someone listens."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tests.carla_standin import wire
from tests.carla_standin.actors import Actor
from tests.carla_standin.knobs import matches
from tests.carla_standin.plain import Shot, Truth

if TYPE_CHECKING:
    from tests.carla_standin.server import Server

FAR_M = 1000.0
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
        payload = measure(server, actor)
        if payload is None:
            continue
        actor.last_sent_s, actor.sent = episode.seconds, actor.sent + 1
        if matches(actor.blueprint.id, server.knobs.dead_stream):
            continue
        if actor.sent in server.knobs.lost_frames:
            continue
        registry = wire.REGISTRY[actor.blueprint.id]
        head = wire.header(registry, episode.frame, episode.seconds, actor.transform)
        server.streams.send(actor.stream, head, payload)


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
    return packed(shot, depth_picture(server.painter.truth(shot)))


def depth_picture(truth: Truth) -> NDArray[np.uint8]:
    """Depth in metres as CARLA colours it, (H, W, 4)."""
    share = np.clip(truth.depth_m, 0, FAR_M) / FAR_M
    steps = np.round(share * (2**24 - 1)).astype(np.uint32)
    return bgra_of(np.stack([steps & 255, steps >> 8 & 255, steps >> 16], -1).astype(np.uint8))


def tag(server: "Server", actor: Actor) -> bytes:
    """A semantic camera's picture: tags in red."""
    shot = shot_of(actor)
    tags = server.painter.truth(shot).tags
    picture = np.zeros((*tags.shape, 3), np.uint8)
    picture[..., 0] = tags
    return packed(shot, bgra_of(picture))


def tell_apart(server: "Server", actor: Actor) -> bytes:
    """An instance camera's picture: tags in red, ids in green (low) and blue (high)."""
    shot = shot_of(actor)
    truth = server.painter.truth(shot)
    picture = np.stack([truth.tags, truth.ids & 255, truth.ids >> 8], -1).astype(np.uint8)
    return packed(shot, bgra_of(picture))


MEASURES: dict[str, Callable[["Server", Actor], bytes | None]] = {
    "sensor.camera.rgb": see,
    "sensor.camera.depth": range_,
    "sensor.camera.semantic_segmentation": tag,
    "sensor.camera.instance_segmentation": tell_apart,
}
