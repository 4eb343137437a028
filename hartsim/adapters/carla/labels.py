"""What CARLA's depth, semantic and instance cameras say, as depth, labels and instances.

All take the sensors' pixels as they come: uint8 (H, W, 4), blue, green, red, alpha.

The instance camera has 16 bits for an object's number. Since 0.9.16 these are the lower bits of the
actor's id where there is an actor, and of Unreal's own number elsewhere; before, always the latter
(pull request 8334 of carla-simulator/carla). So a number alone proves nothing: a lamp post may have
that of a car. Here a pixel is an actor's only where it also lies within the actor's box.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from hartsim.errors import WorldError
from hartsim.types import CLASS_ID, UNKNOWN, Box3D, Camera, Depth, Instance, Instances, Labels

Pixels = NDArray[np.uint8]
"""A sensor's picture (H, W, 4): blue, green, red, alpha."""
Numbers = NDArray[np.uint16]
Flags = NDArray[np.bool_]

FAR_M = 1000.0
"""How far the depth camera sees; the sky is exactly so far."""
SKY_M = 999.9

TAGS: Mapping[int, tuple[str, str | None]] = MappingProxyType(
    {
        0: ("NONE", None),
        1: ("Roads", "road"),
        2: ("Sidewalks", "pavement"),
        3: ("Buildings", "building"),
        4: ("Walls", "barrier"),
        5: ("Fences", "barrier"),
        6: ("Poles", "pole"),
        7: ("TrafficLight", "light"),
        8: ("TrafficSigns", "sign"),
        9: ("Vegetation", "vegetation"),
        10: ("Terrain", "terrain"),
        11: ("Sky", "sky"),
        12: ("Pedestrians", "person"),
        13: ("Rider", "two_wheeler"),
        14: ("Car", "car"),
        15: ("Truck", "truck"),
        16: ("Bus", "bus"),
        17: ("Train", "other"),
        18: ("Motorcycle", "two_wheeler"),
        19: ("Bicycle", "two_wheeler"),
        20: ("Static", "other"),
        21: ("Dynamic", "other"),
        22: ("Other", "other"),
        23: ("Water", "water"),
        24: ("RoadLines", "road_mark"),
        25: ("Ground", "other"),
        26: ("Bridge", "building"),
        27: ("RailTrack", "other"),
        28: ("GuardRail", "barrier"),
    }
)
"""CARLA 0.9.16's tags: its name, and our class; None where nothing is known to be true.

Names and numbers are those of `carla.CityObjectLabel`. Free-standing walls and fences are barriers,
as in the embedded street; riders belong to what they ride, as in the catalogue. Where a tag holds
things of many kinds (20 to 22, 25), or a kind that we have no class for (17, 27), it is "other".
"""

GROUND = frozenset({1, 2, 10, 24, 25, 27})
"""Tags of what lies under an actor, and so within the foot of its box."""
BACKDROP = GROUND | {0, 3, 9, 11, 23, 26}
"""Tags that no actor has; what has them is never taken for one by its place alone."""

_IS_BACKDROP = np.isin(np.arange(256), tuple(BACKDROP))

MARGIN_M = 0.5
"""How far outside its box parts of an actor may be: mirrors, swinging arms, inexact boxes."""
LOOSE_M = 1.5
"""The same where the rest of the object with this number lies within the box."""
MOST = 0.6
"""The share of an object that must lie within a box to be taken for its actor."""


def _class_table() -> Labels:
    table = np.full(256, UNKNOWN, np.uint8)
    for tag, (_, name) in TAGS.items():
        if name is not None:
            table[tag] = CLASS_ID[name]
    table.flags.writeable = False
    return table


CLASS_OF_TAG = _class_table()
"""Our class id for each tag (256,): UNKNOWN for those that are not known."""


@dataclass(frozen=True)
class Labelling:
    """What is known of each pixel; `table` has every actor that was asked for, seen or not.

    `of_actor` is the id in `table` by the actor's id in CARLA.
    """

    labels: Labels
    instances: Instances
    table: tuple[Instance, ...]
    of_actor: Mapping[int, int]


def depth_from(pixels: Pixels) -> Depth:
    """Metres along the optical axis (H, W), inf for the sky and what is as far.

    Source: CARLA's documentation of the depth camera; 24 bits, the lowest in red, over 1000 m.
    """
    _check(pixels, "depth")
    red, green, blue = (pixels[..., k].astype(np.uint32) for k in (2, 1, 0))
    # 24 bits fit into the fraction of a float32
    steps = (red + (green << 8) + (blue << 16)).astype(np.float64)
    depth: Depth = (steps * (FAR_M / (2**24 - 1))).astype(np.float32)
    depth[depth >= SKY_M] = np.inf
    return depth


def tags_from(pixels: Pixels) -> NDArray[np.uint8]:
    """The tag of each pixel (H, W), of the semantic or the instance camera."""
    _check(pixels, "tags")
    return np.ascontiguousarray(pixels[..., 2])


def numbers_from(pixels: Pixels) -> Numbers:
    """The instance camera's number of the object at each pixel (H, W)."""
    _check(pixels, "instance numbers")
    numbers: Numbers = pixels[..., 1] + (pixels[..., 0].astype(np.uint16) << 8)
    return numbers


def _check(pixels: Pixels, what: str) -> None:
    if pixels.ndim != 3 or pixels.shape[2] != 4 or pixels.dtype != np.uint8:
        raise WorldError(
            f"{what} come as uint8 (height, width, 4), not {pixels.dtype} {pixels.shape}"
        )


def labelling(
    semantic: Pixels,
    instance: Pixels,
    depth_m: Depth,
    camera: Camera,
    actors: Mapping[int, Instance],
) -> Labelling:
    """Labels and instances of one camera, from its sensors' pictures of the same moment.

    `actors` holds by its id in CARLA every actor that labels should count, its box in the frame of
    `camera.camera_to_base`; the ids it already has do not matter. Pixels of an actor get its class;
    for the rest the semantic camera's tag decides.
    """
    labels = CLASS_OF_TAG[tags_from(semantic)]
    numbers, tags = numbers_from(instance), tags_from(instance)
    sizes = {labels.shape, numbers.shape, depth_m.shape, camera.size_px}
    if len(sizes) > 1:
        raise WorldError(
            f"camera '{camera.name}': its sensors differ in size: semantic {labels.shape}, "
            f"instance {numbers.shape}, depth {depth_m.shape}, asked for {camera.size_px}"
        )
    ids = distinct_ids(actors)
    instances: Instances = np.zeros(camera.size_px, np.uint16)
    owners = owners_of(numbers, tags, depth_m, camera, actors)
    for actor, own in owners.items():
        instances[own] = ids[actor]
        labels[own] = CLASS_ID[actors[actor].class_name]
    table = tuple(replace(each, id=ids[actor]) for actor, each in actors.items())
    return Labelling(labels, instances, table, MappingProxyType(ids))


def distinct_ids(actors: Mapping[int, Instance]) -> dict[int, int]:
    """A number of 16 bits for each actor: the lower bits of its id, or the highest that is free."""
    if len(actors) >= 2**16:
        raise WorldError(f"{len(actors)} actors cannot be told apart by 16 bits; label fewer")
    ids: dict[int, int] = {}
    taken = {0}
    late = []
    for actor in sorted(actors):
        number = actor & 0xFFFF
        if number in taken:
            late.append(actor)
        else:
            ids[actor] = number
            taken.add(number)
    free = (number for number in range(0xFFFF, 0, -1) if number not in taken)
    ids.update(zip(late, free, strict=False))
    return ids


def owners_of(
    numbers: Numbers,
    tags: NDArray[np.uint8],
    depth_m: Depth,
    camera: Camera,
    actors: Mapping[int, Instance],
) -> dict[int, Flags]:
    """The pixels (H, W) of each actor that is seen; no pixel has two owners.

    Where an actor's number is found within its box, numbers are actors' ids. Where that is so of
    none, they are Unreal's: an object then belongs to the actor in whose box most of it lies.
    """
    rays = rays_of(camera)
    by_number: dict[int, list[int]] = {}
    for actor in actors:
        by_number.setdefault(actor & 0xFFFF, []).append(actor)
    owners: dict[int, Flags] = {}
    for number, pixels in _pixels_by_number(numbers, by_number):
        claimants = by_number[number]
        owners |= _shared(
            pixels, {actor: actors[actor].box for actor in claimants}, rays, depth_m, camera
        )
    if owners:
        return owners
    return _by_place(numbers, tags, rays, depth_m, camera, actors)


def _pixels_by_number(
    numbers: Numbers, wanted: Iterable[int]
) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """The flat indices of the pixels of each wanted number that is in the picture."""
    flat = numbers.reshape(-1)
    order = np.argsort(flat, kind="stable")
    ends = np.cumsum(np.bincount(flat, minlength=2**16))
    for number in wanted:
        first = int(ends[number - 1]) if number else 0
        if first < ends[number]:
            yield number, order[first : ends[number]]


def _shared(
    pixels: NDArray[np.intp],
    boxes: Mapping[int, Box3D],
    rays: NDArray[np.float32],
    depth_m: Depth,
    camera: Camera,
) -> dict[int, Flags]:
    """The pixels of one number, shared out among the actors that have it."""
    seen, metres = rays.reshape(-1, 3)[pixels], depth_m.reshape(-1)[pixels]
    away = np.stack([_away_m(box, seen, metres, camera) for box in boxes.values()])
    nearest = away.argmin(axis=0)
    least = away.min(axis=0)
    found: dict[int, Flags] = {}
    for k, actor in enumerate(boxes):
        mine = nearest == k
        within = mine & (least <= MARGIN_M)
        if not within.any():
            continue
        whole = within.sum() >= MOST * mine.sum()
        own = np.zeros(depth_m.shape, np.bool_)
        own.reshape(-1)[pixels] = mine & (least <= (LOOSE_M if whole else MARGIN_M))
        found[actor] = own
    return found


def _by_place(
    numbers: Numbers,
    tags: NDArray[np.uint8],
    rays: NDArray[np.float32],
    depth_m: Depth,
    camera: Camera,
    actors: Mapping[int, Instance],
) -> dict[int, Flags]:
    """The pixels of each actor where numbers say only which pixels belong together."""
    thing = ~_IS_BACKDROP[tags] & (numbers > 0)
    sizes = np.bincount(numbers[thing], minlength=2**16)
    best = np.zeros(2**16, np.float64)
    owner = np.full(2**16, -1, np.int64)
    loosely: dict[int, tuple[tuple[slice, slice], Flags]] = {}
    for actor, each in actors.items():
        window = window_of(each.box, camera, LOOSE_M)
        things = thing[window]
        if not things.any():
            continue
        away = np.full(things.shape, np.inf, np.float32)
        away[things] = _away_m(each.box, rays[window][things], depth_m[window][things], camera)
        inside = np.bincount(numbers[window][away <= MARGIN_M], minlength=2**16)
        share = np.divide(inside, sizes, out=np.zeros(2**16), where=sizes > 0)
        better = (share >= MOST) & (share > best)
        best[better], owner[better] = share[better], actor
        loosely[actor] = window, away <= LOOSE_M
    owners: dict[int, Flags] = {}
    for actor, (window, near) in loosely.items():
        own = near & (owner[numbers[window]] == actor)
        if own.any():
            owners[actor] = np.zeros(depth_m.shape, np.bool_)
            owners[actor][window] = own
    return owners


def rays_of(camera: Camera) -> NDArray[np.float32]:
    """Of each pixel's middle (H, W, 3), one metre long in depth, in the optical frame."""
    height, width = camera.size_px
    k = camera.intrinsics
    x = (np.arange(width) + 0.5 - k[0, 2]) / k[0, 0]
    y = (np.arange(height) + 0.5 - k[1, 2]) / k[1, 1]
    rays = np.ones((height, width, 3), np.float32)
    rays[..., 0], rays[..., 1] = x, y[:, None]
    return rays


def outside_m(
    box: Box3D, rays: NDArray[np.float32], depth_m: Depth, camera: Camera
) -> NDArray[np.float32]:
    """How far each pixel's point lies outside a box (H, W): metres along its worst side.

    0 inside; inf where that is plainly more than LOOSE_M.
    """
    away: NDArray[np.float32] = np.full(depth_m.shape, np.inf, np.float32)
    window = window_of(box, camera, LOOSE_M)
    away[window] = _away_m(box, rays[window], depth_m[window], camera)
    return away


def _away_m(
    box: Box3D, rays: NDArray[np.float32], depth_m: Depth, camera: Camera
) -> NDArray[np.float32]:
    """How far points, given by rays (..., 3) and depths (...), lie outside a box: 0 inside."""
    points = rays * np.where(np.isfinite(depth_m), depth_m, np.float32(1e6))[..., None]
    turn, origin = into_box(box, camera)
    local = points @ turn.T.astype(np.float32) + origin.astype(np.float32)
    over = np.abs(local) - np.asarray(box.size_m, np.float32) / 2
    away: NDArray[np.float32] = np.maximum(over.max(axis=-1), 0)
    return away


def into_box(box: Box3D, camera: Camera) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The rotation (3, 3) and the shift (3,) from a camera's optical frame to the box's own."""
    c, s = np.cos(box.heading_rad), np.sin(box.heading_rad)
    turn = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
    pose = camera.camera_to_base
    return turn @ pose[:3, :3], turn @ (pose[:3, 3] - np.asarray(box.centre_m))


def window_of(box: Box3D, camera: Camera, margin_m: float = 0.0) -> tuple[slice, slice]:
    """The rows and columns that a box, grown by a margin, may cover in a camera's picture."""
    height, width = camera.size_px
    length, wide, high = (side + 2 * margin_m for side in box.size_m)
    seen = camera.project(replace(box, size_m=(length, wide, high)).corners())
    if (seen[:, 2] <= 0).all():
        return slice(0, 0), slice(0, 0)
    if (seen[:, 2] < 0.1).any():
        return slice(0, height), slice(0, width)
    low = np.floor(seen[:, :2].min(axis=0)).clip(0, (width, height)).astype(int)
    high_px = np.ceil(seen[:, :2].max(axis=0)).clip(0, (width, height)).astype(int)
    return slice(low[1], high_px[1]), slice(low[0], high_px[0])
