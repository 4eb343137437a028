"""Plainer pictures in a fraction of the time: what drafts show in place of `weather.develop`.

No shadows, no wet ground, no halos or bloom; a few lamps, lit as if every surface faced them a
little. What hides things is there: fog, smoke, rain, glare, and dirt on the glass. A sketch has one
sample a pixel, so each is either something that stands there or sky.
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
from hartsim.worlds.optics import Eye, Plane, Planes, planes_of
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
    eye: Eye,
    camera: CameraSetup,
    stage: Stage,
    sky: Planes,
    lanterns: Lanterns,
    poses: Mapping[str, Pose],
    dazzling: Sequence[Lamp] = (),
    puffs: Sequence[Puff] = (),
    marks: Sequence[Marks] = (),
) -> Image:
    """The finished picture (H, W, 3) of what OpenGL drew at that size.

    `sky` is in planes, as `Stage.sky` has it; `poses` are where the lanterns' carriers and the
    "ego" are now; `dazzling` lamps and `puffs` are where they are now, and `marks` are on the
    camera's glass.
    """
    depth = depths.metres_to_far()
    picture = _lit(pixels, depth, eye, stage, lanterns, poses)
    if math.isfinite(stage.weather.visibility_m):
        picture = fogged(picture, depth * eye.stretch, stage.weather)
    open_px = np.flatnonzero(depths.buffer.ravel() <= 0)
    _put_sky_behind(picture, open_px, sky, camera, poses["ego"], stage)
    if puffs:
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
    brightest = np.maximum(np.maximum(pixels[..., 0], pixels[..., 1]), pixels[..., 2])
    colour = planes_of(pixels)
    own = _own_light()
    start, added = _lamplight(lanterns, poses, eye, depth)
    if added is None:
        colour *= (exposure + (1 - exposure) * own).take(brightest)
        return colour
    if start:
        colour[:, :start] *= (exposure + (1 - exposure) * own).take(brightest[:start])
    given = [
        a + A_LITTLE * d + 0.5 * s
        for a, d, s in zip(above.ambient, above.diffuse, sun.diffuse, strict=True)
    ]
    # near a lamp the eye, or the camera, adapts
    added /= 1 + np.float32(0.6) * added
    added *= (1 / np.array(given, np.float32))[:, None, None]
    added += exposure
    shining = own.take(brightest[start:])
    if shining.any():
        added += (1 - added) * shining
    colour[:, start:] *= added
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
) -> tuple[int, Planes | None]:
    """The first row that lanterns reach, and their light from there down (3, rows, W)."""
    if not len(lanterns.reach_m):
        return 0, None
    places, aims = _carried(lanterns, poses)
    local = (places - eye.position_m) @ eye.axes
    away = np.sqrt((local * local).sum(axis=1)) - lanterns.reach_m
    away[local[:, 2] < -lanterns.reach_m] = np.inf
    chosen = np.argsort(away, kind="stable")[:MOST_LAMPS]
    chosen = chosen[away[chosen] < np.inf]
    if not len(chosen):
        return 0, None
    farthest = np.float32((local[chosen, 2] + lanterns.reach_m[chosen]).max())
    rows = np.flatnonzero(depth.min(axis=1) < farthest)
    if not len(rows):
        return 0, None
    start = int(rows[0])
    strength = _strengths(
        local[chosen], aims[chosen] @ eye.axes, chosen, lanterns, depth[start:], eye
    )
    lit: Planes = np.einsum("lk,lhw->khw", lanterns.colour[chosen], strength)
    return start, lit


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
    local: Floats, aims: Floats, chosen: Pixels, lanterns: Lanterns, depth: Plane, eye: Eye
) -> Planes:
    """How strongly each of the chosen lanterns shines on the lower rows of a picture (L, rows, W).

    Their places and aims are in the eye's optical frame.
    """
    start = eye.size_px[0] - len(depth)
    x = _column(local[:, 0]) - eye.slopes[0][start:] * depth
    y = _column(local[:, 1]) - eye.slopes[1][start:] * depth
    z = _column(local[:, 2]) - depth
    ax, ay, az = (_column(aims[:, k]) for k in range(3))
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
    steep, across = (_column(lanterns.beam[chosen, k]) for k in range(2))
    inside = np.clip(across - x * steep, 0, 1)
    square *= _column(-1 / lanterns.reach_m[chosen] ** 2)
    square += 1
    fall: Planes = np.maximum(square, 0)
    fall *= fall
    fall *= np.float32(A_LITTLE * 0.85 + 0.15)
    fall *= inside
    fall *= np.sqrt(inside)
    return fall


def _column(values: Floats) -> Planes:
    """One value for the picture of each lantern (L, 1, 1)."""
    return values[:, None, None].astype(np.float32)


def _put_sky_behind(
    picture: Planes, open_px: Pixels, sky: Planes, camera: CameraSetup, ego: Pose, stage: Stage
) -> None:
    """Fill in the sky at these pixels, where nothing stands."""
    if not len(open_px):
        return
    down, along, air = _sky_lines((picture.shape[1], picture.shape[2]), camera, sky.shape[1:])
    # a turn of the camera about the vertical moves the sky aside and nothing else
    turned = along.take(open_px)
    turned -= round(ego.heading_rad * 0.25 / SKY_SPAN_RAD * _FINE)
    turned &= _FINE - 1
    columns = _mirrored(sky.shape[2]).take(turned)
    columns += down.take(open_px)
    seen = sky.reshape(3, -1).take(columns, axis=1)
    if math.isfinite(stage.weather.visibility_m):
        seen = fogged(seen[:, None], air.take(open_px), stage.weather)[:, 0]
    picture.reshape(3, -1)[:, open_px] = seen


_FINE = 4096
"""Into how many columns two copies of the sky, one the other's mirror image, are divided."""


@lru_cache(maxsize=16)
def _sky_lines(
    size_px: Size, camera: CameraSetup, sky_px: tuple[int, ...]
) -> tuple[Pixels, Pixels, Plane]:
    """Of each pixel of a camera that looks ahead: where the sky's row starts, fine column, air."""
    x, y, z = mounted(camera, STILL, size_px).rays.reshape(3, -1)
    elevation = np.arctan2(z, np.sqrt(x * x + y * y)) * np.float32(1 / SKY_SPAN_RAD)
    turns = np.float32(0.25) - np.arctan2(y, x) * np.float32(0.25 / SKY_SPAN_RAD)
    row = np.clip(((1 - elevation) * sky_px[0]).astype(np.intp), 0, sky_px[0] - 1)
    return row * sky_px[1], np.floor(turns * _FINE).astype(np.intp), air_towards(elevation)


@lru_cache(maxsize=4)
def _mirrored(width: int) -> Pixels:
    """The sky's column for each fine one."""
    there = (np.arange(_FINE) + 0.5) / _FINE
    across = 1 - np.abs(there * 2 - 1)
    return np.minimum((across * width).astype(np.intp), width - 1)
