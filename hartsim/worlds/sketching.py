"""Plainer pictures in a fraction of the time: what drafts show in place of `weather.develop`.

No shadows, no wet ground, no halos; a few lamps, lit as if every surface faced them a little. What
hides things is there: fog, smoke, rain, glare, and dirt on the glass. A sketch has one sample a
pixel, so each is either something that stands there or sky.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hartsim.scenario.compiled import CameraSetup
from hartsim.types import Image, Pose, Size
from hartsim.worlds.lens import Marks
from hartsim.worlds.motion import STILL, turn_of
from hartsim.worlds.mounting import mounted
from hartsim.worlds.optics import FAR_M, Eye, Plane, Planes, planes_of
from hartsim.worlds.pool import CEILING, Depths
from hartsim.worlds.relight import lights_of
from hartsim.worlds.stage import Lamp, Puff, Stage
from hartsim.worlds.weather import SKY_SPAN_RAD, air_towards, blow, fogged, through_the_lens

MOST_LAMPS, A_LITTLE = 6, 0.2
"""How many lamps light a sketch, and how much its surfaces face them: most is ground."""

Floats = NDArray[np.float64]
Pixels = NDArray[np.intp]
"""Flat indices of pixels."""


@dataclass(frozen=True, eq=False)
class Lanterns:
    """Lamps that light something, as arrays (L, ...) where they start.

    `beam` (L, 2) is how much brighter it grows towards the aim, and what it is across from there.
    `owner` numbers who carries a lamp among `carriers`, each with the pose that it starts in.
    """

    place_m: Floats
    aim: Floats
    colour: Plane
    reach_m: Floats
    beam: Floats
    owner: Pixels
    carriers: Mapping[str | None, Pose]


def lanterns_of(lamps: Sequence[Lamp], starts: Mapping[str, Pose]) -> Lanterns:
    """The lamps that reach anything; `starts` are the poses of all that may carry them."""
    lit = [lamp for lamp in lamps if lamp.reach_m > 0]
    names = sorted({lamp.carrier or "" for lamp in lit})
    beams = [_beam(lamp) for lamp in lit]
    return Lanterns(
        place_m=np.array([lamp.position_m for lamp in lit], np.float64).reshape(-1, 3),
        aim=np.array([_direction(lamp) for lamp in lit], np.float64).reshape(-1, 3),
        colour=np.array([lamp.colour for lamp in lit], np.float32).reshape(-1, 3),
        reach_m=np.array([lamp.reach_m for lamp in lit], np.float64),
        beam=np.array(beams, np.float64).reshape(-1, 2),
        owner=np.array([names.index(lamp.carrier or "") for lamp in lit], np.intp),
        carriers={name or None: starts.get(name, STILL) for name in names},
    )


def _direction(lamp: Lamp) -> Sequence[float]:
    if lamp.aim is None:
        return (0.0, 0.0, 0.0)
    return [each / math.hypot(*lamp.aim) for each in lamp.aim]


def _beam(lamp: Lamp) -> tuple[float, float]:
    if lamp.aim is None:
        return 0.0, 1.0
    edge = math.cos(lamp.cone_rad)
    return 1 / (1 - edge), -edge / (1 - edge)


def sketch(
    pixels: Image,
    depths: Depths,
    camera: CameraSetup,
    ego: Pose,
    stage: Stage,
    sky: Planes,
    lanterns: Lanterns,
    poses: Mapping[str, Pose],
    dazzling: Sequence[Lamp] = (),
    puffs: Sequence[Puff] = (),
    marks: Sequence[Marks] = (),
) -> Image:
    """The finished picture (H, W, 3) of what OpenGL drew at that size.

    `sky` is in planes, as `Stage.sky` has it; `poses` are where the lanterns' carriers are now;
    `dazzling` lamps and `puffs` are where they are now, and `marks` are on the camera's glass.
    """
    size_px = (pixels.shape[0], pixels.shape[1])
    eye = mounted(camera, ego, size_px)
    depth = np.minimum(depths.metres(), np.float32(FAR_M))
    picture = _lit(pixels, depth, eye, stage, lanterns, poses)
    if math.isfinite(stage.weather.visibility_m):
        picture = fogged(picture, depth * eye.stretch, stage.weather)
    _put_sky_behind(picture, np.flatnonzero(depth >= FAR_M), sky, camera, ego, stage)
    blow(picture, puffs, eye, depth, stage)
    return through_the_lens(picture, eye, depth, dazzling, stage, marks)


def _lit(
    pixels: Image,
    depth: Plane,
    eye: Eye,
    stage: Stage,
    lanterns: Lanterns,
    poses: Mapping[str, Pose],
) -> Planes:
    """The colours under exposure and lamps, in which what shines by itself keeps its own."""
    (sun, above), gain = lights_of(stage.lighting)
    exposure = np.float32(stage.lighting.exposure / gain)
    brightest = np.maximum(np.maximum(pixels[..., 0], pixels[..., 1]), pixels[..., 2]).ravel()
    own = _own_light().take(brightest)
    colour = planes_of(pixels)
    flat = colour.reshape(3, -1)
    where, added = _lamplight(lanterns, poses, eye, depth)
    ratio = exposure + (1 - exposure) * own
    if not len(where):
        return colour * ratio.reshape(depth.shape)
    near, shining = flat[:, where], own[where]
    flat *= ratio
    for k in range(3):
        given = above.ambient[k] + A_LITTLE * above.diffuse[k] + 0.5 * sun.diffuse[k]
        shone = added[k] / (1 + np.float32(0.6) * added[k])
        reached = exposure + shone * np.float32(1 / given)
        flat[k, where] = near[k] * (reached + (1 - reached) * shining)
    return colour


@lru_cache(maxsize=1)
def _own_light() -> Plane:
    """How much of a colour whose brightest channel has this level is its own light, (256,)."""
    start = CEILING + 0.02
    levels = np.arange(256, dtype=np.float32) * np.float32(1 / 255)
    above = (levels - np.float32(start)) * np.float32(1 / (1 - start))
    return np.asarray(np.clip(above, 0, 1), np.float32)


def _lamplight(
    lanterns: Lanterns, poses: Mapping[str, Pose], eye: Eye, depth: Plane
) -> tuple[Pixels, Plane]:
    """The pixels (N,) that lanterns reach, and their light there (3, N)."""
    nothing = np.zeros(0, np.intp), np.zeros((3, 0), np.float32)
    if not len(lanterns.reach_m):
        return nothing
    places, aims = _carried(lanterns, poses)
    local = places - eye.position_m
    ahead = local @ eye.axes[:, 2]
    away = np.sqrt((local * local).sum(axis=1)) - lanterns.reach_m
    away[ahead < -lanterns.reach_m] = np.inf
    chosen = np.argsort(away, kind="stable")[:MOST_LAMPS]
    chosen = chosen[away[chosen] < np.inf]
    if not len(chosen):
        return nothing
    farthest = float((ahead + lanterns.reach_m)[chosen].max())
    where = np.flatnonzero(depth.ravel() < np.float32(farthest))
    points = eye.rays.reshape(3, -1)[:, where] * depth.ravel()[where]
    strength = _strengths(local[chosen], aims[chosen], chosen, lanterns, points)
    lit: Plane = np.einsum("lk,ln->kn", lanterns.colour[chosen], strength)
    return where, lit


def _carried(lanterns: Lanterns, poses: Mapping[str, Pose]) -> tuple[Floats, Floats]:
    """Where the lanterns are now (L, 3), and which way they shine (L, 3)."""
    pairs = [
        (start, start if name is None else poses[name]) for name, start in lanterns.carriers.items()
    ]
    if all(now == start for start, now in pairs):
        return lanterns.place_m, lanterns.aim
    turns = np.array([turn_of(now.heading_rad - start.heading_rad) for start, now in pairs])
    starts = np.array([start.position_m for start, _ in pairs])[lanterns.owner]
    ends = np.array([now.position_m for _, now in pairs])[lanterns.owner]
    turned = turns[lanterns.owner]
    places = np.einsum("lij,lj->li", turned, lanterns.place_m - starts) + ends
    return places, np.einsum("lij,lj->li", turned, lanterns.aim)


def _strengths(
    local: Floats, aims: Floats, chosen: Pixels, lanterns: Lanterns, points: Planes
) -> Plane:
    """How strongly each of the chosen lanterns shines on each point (L, N), seen from the eye."""
    x, y, z = (local[:, k, None].astype(np.float32) - points[k] for k in range(3))
    ax, ay, az = (aims[:, k, None].astype(np.float32) for k in range(3))
    square = x * x
    square += y * y
    square += z * z
    square += np.float32(1e-6)
    x *= ax
    y *= ay
    z *= az
    x += y
    x += z
    x /= np.sqrt(square)
    steep, across = (lanterns.beam[chosen, k, None].astype(np.float32) for k in range(2))
    inside = np.clip(across - x * steep, 0, 1)
    square *= (-1 / lanterns.reach_m[chosen, None] ** 2).astype(np.float32)
    square += 1
    fall: Plane = np.maximum(square, 0)
    fall *= fall
    fall *= np.float32(A_LITTLE * 0.85 + 0.15)
    fall *= inside
    fall *= np.sqrt(inside)
    return fall


def _put_sky_behind(
    picture: Planes, open_px: Pixels, sky: Planes, camera: CameraSetup, ego: Pose, stage: Stage
) -> None:
    """Fill in the sky at these pixels, where nothing stands."""
    if not len(open_px):
        return
    height, width = sky.shape[1:]
    row, turns, air = _sky_lines((picture.shape[1], picture.shape[2]), camera)
    # a turn of the camera about the vertical moves the sky aside and nothing else
    around = turns[open_px] - np.float32(ego.heading_rad * 0.25 / SKY_SPAN_RAD)
    across = 1 - np.abs(np.mod(around, np.float32(1)) * 2 - 1)
    columns = np.minimum((across * width).astype(np.intp), width - 1)
    rows = np.clip((row[open_px] * height).astype(np.intp), 0, height - 1)
    seen = sky.reshape(3, -1)[:, rows * width + columns]
    if math.isfinite(stage.weather.visibility_m):
        seen = fogged(seen[:, None], air[open_px], stage.weather)[:, 0]
    picture.reshape(3, -1)[:, open_px] = seen


@lru_cache(maxsize=16)
def _sky_lines(size_px: Size, camera: CameraSetup) -> tuple[Plane, Plane, Plane]:
    """Of each pixel of a camera that looks ahead: down the sky, turns from its edge, foggy air."""
    x, y, z = mounted(camera, STILL, size_px).rays.reshape(3, -1)
    elevation = np.arctan2(z, np.sqrt(x * x + y * y)) * np.float32(1 / SKY_SPAN_RAD)
    turns = np.float32(0.25) - np.arctan2(y, x) * np.float32(0.25 / SKY_SPAN_RAD)
    return 1 - elevation, turns, air_towards(elevation)
