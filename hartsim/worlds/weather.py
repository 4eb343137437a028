"""Weather and air, added per pixel: wet ground, smoke, halos, fog, rain, snow.

Nothing here changes what a label says: a deer in fog is a deer.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hartsim.images import resize
from hartsim.types import Image, Size
from hartsim.worlds.grading import graded
from hartsim.worlds.lens import Marks, dazzled, filmed
from hartsim.worlds.optics import (
    FAR_M,
    Eye,
    Plane,
    Planes,
    Raw,
    bilinear,
    column,
    noise,
    normals_of,
    planes_of,
)
from hartsim.worlds.relight import Maps, lights_of, relit, shining
from hartsim.worlds.stage import Colour, Lamp, Lighting, Mirror, Puff, Stage, Weather

SKY_SPAN_RAD = math.radians(45)
"""The elevation that the sky image covers; its azimuth per copy is twice that."""

WET = 0.42
"""Drier ground than this only looks dull; it mirrors nothing."""

_KOSCHMIEDER = 3.912
"""-ln 0.02: contrast at the meteorological range is two per cent."""

_SKY_M = 110.0
"""How much foggy air one sees through towards the sky; more near the horizon."""


def develop(
    raw: Raw,
    eye: Eye,
    stage: Stage,
    maps: Maps,
    sky: Planes,
    mirror: Planes | None,
    marks: Sequence[Marks] = (),
) -> Image:
    """The finished picture (H, W, 3) of what OpenGL drew, before a sky as `Stage.sky` has it.

    `sky` is in planes; `mirror` (3, H, W) is what flat ground reflects where it is wet; `marks` are
    on the camera's glass.
    """
    depth = raw.depth_m
    points = eye.rays * depth + column(_place(eye))
    normals = normals_of(depth, eye)
    picture = relit(raw.colour, points, normals, depth, stage.lighting, stage.lamps, maps)
    if mirror is not None:
        wetted(picture, points, normals, mirror, eye, stage)
    picture = _in_the_air(picture, raw, eye, stage, sky)
    _add_glows(picture, stage.lamps, eye, depth, stage.weather)
    return through_the_lens(picture, eye, depth, stage.lamps, stage, marks)


def _in_the_air(picture: Planes, raw: Raw, eye: Eye, stage: Stage, sky: Planes) -> Planes:
    """The picture behind fog and smoke, before its sky."""
    picture = fogged(picture, raw.depth_m * eye.stretch, stage.weather)
    _put_behind(picture, raw.cover, sky, eye.rays, stage.weather)
    blow(picture, stage.puffs, eye, raw.depth_m, stage)
    return picture


def through_the_lens(
    picture: Planes,
    eye: Eye,
    depth: Plane,
    lamps: Sequence[Lamp],
    stage: Stage,
    marks: Sequence[Marks],
) -> Image:
    """The finished picture: what falls before the camera, blinds it, and lies on its glass."""
    picture = dazzled(_falling(picture, stage.weather), lamps, eye, depth)
    return graded(filmed(picture, marks, _daylight(stage.lighting)), stage.grade)


def _place(eye: Eye) -> Colour:
    x, y, z = eye.position_m.tolist()
    return x, y, z


def fogged(picture: Planes, distance: Plane | np.float32, weather: Weather) -> Planes:
    """The picture behind this much air."""
    if not math.isfinite(weather.visibility_m):
        return picture
    clear = np.exp(distance * np.float32(-_KOSCHMIEDER / weather.visibility_m))
    fog = column(weather.fog_colour)
    return fog + (picture - fog) * clear


def _put_behind(picture: Planes, cover: Plane, sky: Planes, rays: Planes, weather: Weather) -> None:
    """Fill in the sky where nothing stands before it."""
    open_rows = np.flatnonzero((cover < 1).any(axis=1))
    if len(open_rows):
        rows = slice(int(open_rows[0]), int(open_rows[-1]) + 1)
        behind = sky_at(sky, rays[:, rows], weather)
        part = picture[:, rows]
        part -= behind
        part *= cover[rows]
        part += behind


def sky_at(sky: Planes, rays: Planes, weather: Weather) -> Planes:
    """The sky (3, H, W) in these directions (3, H, W), behind the fog of the day."""
    height, width = sky.shape[1:]
    x, y, z = rays
    elevation = np.arctan2(z, np.sqrt(x * x + y * y)) * np.float32(1 / SKY_SPAN_RAD)
    turns = np.float32(0.25) - np.arctan2(y, x) * np.float32(0.25 / SKY_SPAN_RAD)
    across = 1 - np.abs(np.mod(turns, np.float32(1)) * 2 - 1)
    row = (1 - elevation) * height - np.float32(0.5)
    seen = bilinear(sky, row, across * width - np.float32(0.5))
    return fogged(seen, air_towards(elevation), weather)


def air_towards(elevation: Plane) -> Plane:
    """Metres of foggy air before the sky, by elevation in parts of SKY_SPAN_RAD."""
    return np.float32(_SKY_M) / (np.float32(0.15) + 2 * np.maximum(elevation, 0))


def reflects(stage: Stage) -> bool:
    """Whether any ground mirrors the scene."""
    return stage.weather.wetness > WET or bool(stage.mirrors)


def wetted(
    picture: Planes, points: Planes, normals: Planes, mirror: Planes, eye: Eye, stage: Stage
) -> None:
    """Let flat ground mirror where it is wet, more at a grazing view, and darken it."""
    flat = (np.abs(points[2]) < 0.06) & (normals[2] > 0.97)
    field = noise()
    # A float32 remainder can round up to the divisor itself, hence the second bound.
    row = np.mod(points[0] * np.float32(11), 256).astype(np.intp) % 256
    across = np.mod(points[1] * np.float32(17), 256).astype(np.intp) % 256
    pooled = np.clip((field[row, across] - np.float32(0.42)) * 4, 0, 1)
    grazing = (1 - np.abs(eye.rays[2]) / eye.stretch) ** 4
    wet = np.float32(stage.weather.wetness) * flat
    share = wet * (np.float32(0.25) + np.float32(0.75) * pooled)
    share *= np.float32(0.08) + np.float32(0.72) * grazing
    for each in stage.mirrors:
        inside = flat & within_edge(each, points)
        sent = np.float32(each.strength) * (np.float32(0.3) + np.float32(0.7) * grazing)
        share = np.where(inside, sent, share)
    picture *= (1 - np.float32(0.36) * wet) * (1 - share)
    picture += mirror * share


def within_edge(each: Mirror, points: Planes) -> NDArray[np.bool_]:
    """Which points lie within the edge of a mirroring patch, looking straight down."""
    x, y = points[0] - np.float32(each.position_m[0]), points[1] - np.float32(each.position_m[1])
    c, s = np.float32(math.cos(each.heading_rad)), np.float32(math.sin(each.heading_rad))
    along, aside = (c * x + s * y) / each.size_m[0], (c * y - s * x) / each.size_m[1]
    turns = np.mod(np.arctan2(aside, along) / np.float32(2 * math.pi), 1) * len(each.radii)
    radii = np.array([*each.radii, each.radii[0]], np.float32)
    first = np.minimum(turns.astype(np.intp), len(each.radii) - 1)
    edge = radii[first] + (radii[first + 1] - radii[first]) * (turns - first)
    inside: NDArray[np.bool_] = along * along + aside * aside < edge * edge
    return inside


def mirrored(
    pixels: Image, depth_m: Plane, sky: Planes, eye: Eye, stage: Stage, size_px: Size
) -> Planes:
    """What flat ground mirrors (3, H, W) at `size_px`, from a picture of the scene turned over.

    Rough, wet asphalt draws reflections out towards the viewer, so columns are averaged downward.
    """
    colour = planes_of(pixels)
    own = shining(colour)
    exposure = np.float32(stage.lighting.exposure / lights_of(stage.lighting)[1])
    picture = colour * (exposure + (1 - exposure) * own)
    solid = np.isfinite(depth_m)
    picture = fogged(picture, np.where(solid, depth_m, 0), stage.weather)
    rays = np.stack([eye.rays[0], eye.rays[1], np.abs(eye.rays[2])])
    _put_behind(picture, solid.astype(np.float32), sky, rays, stage.weather)
    turned = tuple(
        replace(lamp, position_m=(*lamp.position_m[:2], -lamp.position_m[2]), aim=None)
        for lamp in stage.lamps
        if _faces(lamp, eye)
    )
    nothing = np.full(eye.size_px, FAR_M, np.float32)
    _add_glows(picture, turned, eye, nothing, stage.weather)
    coarse = np.ascontiguousarray(np.moveaxis(np.clip(picture, 0, 1) * 255, 0, -1))
    drawn_out = resize(coarse.astype(np.uint8), (max(1, eye.size_px[0] // 5), eye.size_px[1]))
    return planes_of(resize(drawn_out, size_px))


Window = tuple[slice, slice]


def _window(eye: Eye, place: tuple[float, float, float], radius_m: float) -> Window | None:
    """The rows and columns that a ball may cover; None if it is behind the eye or out of view."""
    x, y, z = place
    if z < 0.3:
        return None
    height, width = eye.size_px
    per_metre = 1 / (z * eye.step)
    row, across = y * per_metre + height / 2, x * per_metre + width / 2
    reach = radius_m * per_metre
    rows = slice(max(0, int(row - reach)), min(height, int(row + reach) + 2))
    columns = slice(max(0, int(across - reach)), min(width, int(across + reach) + 2))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return None
    return rows, columns


def _aside(eye: Eye, place: tuple[float, float, float], window: Window) -> Plane:
    """How far from a place the rays of the window pass, squared, in square metres."""
    x, y, z = (np.float32(each) for each in place)
    across, down = eye.slopes[0][window] * z - x, eye.slopes[1][window] * z - y
    squared: Plane = across * across + down * down
    return squared


def puff_opacity(puff: Puff, eye: Eye, depth: Plane) -> tuple[Window, Plane] | None:
    """The rows and columns that a puff may cover, and how much it hides there; None if none."""
    place = eye.locate(puff.position_m)
    window = _window(eye, place, 1.3 * puff.radius_m)
    if window is None:
        return None
    near = np.exp(_aside(eye, place, window) * np.float32(-3 / puff.radius_m**2))
    behind = (depth[window] - np.float32(place[2])) * np.float32(4 / puff.radius_m)
    before = 1 / (1 + np.exp(-np.clip(behind, -30, 30)))
    thick = np.float32(-math.log(max(1e-3, 1 - puff.opacity)))
    return window, (1 - np.exp(-thick * near * _lumps(puff, window))) * before


def _lumps(puff: Puff, window: Window) -> Plane:
    """Noise over a puff's window, of its own, about 1."""
    rows, columns = window
    start = int(puff.position_m[0] * 53), int(puff.position_m[2] * 71)
    across = [
        (np.arange(each.stop - each.start) * 110 // (each.stop - each.start) + first) % 256
        for each, first in zip((rows, columns), start, strict=True)
    ]
    lumps: Plane = np.float32(0.45) + np.float32(1.1) * noise()[across[0][:, None], across[1]]
    return lumps


def blow(picture: Planes, puffs: Sequence[Puff], eye: Eye, depth: Plane, stage: Stage) -> None:
    """Show puffs of smoke and flame, the farthest first."""
    for puff in sorted(puffs, key=lambda each: -eye.locate(each.position_m)[2]):
        _blow_one(picture, puff, eye, depth, stage)


def _blow_one(picture: Planes, puff: Puff, eye: Eye, depth: Plane, stage: Stage) -> None:
    """Show one of them."""
    seen = puff_opacity(puff, eye, depth)
    if seen is None:
        return
    window, opacity = seen
    own = np.asarray(puff.colour)
    lit = own * np.minimum(_brightness(stage.lighting), 1.2)
    colour = (lit + (own - lit) * puff.emission).astype(np.float32)[:, None, None]
    if puff.emission < 0.5:
        away = float(np.linalg.norm(np.asarray(puff.position_m) - eye.position_m))
        colour = fogged(colour, np.float32(away), stage.weather)
    part = picture[:, *window]
    part += (colour - part) * opacity


def _daylight(lighting: Lighting) -> Colour:
    """The light that falls on the camera's own glass."""
    r, g, b = np.minimum(_brightness(lighting), 1.1).tolist()
    return r, g, b


def _brightness(lighting: Lighting) -> NDArray[np.float64]:
    sky, sun, ground = (np.asarray(each) for each in (lighting.sky, lighting.sun, lighting.ground))
    bright: NDArray[np.float64] = (sky * 0.8 + sun * 0.5 + ground * 0.2) * lighting.exposure
    return bright


def _add_glows(
    picture: Planes, lamps: tuple[Lamp, ...], eye: Eye, depth: Plane, weather: Weather
) -> None:
    """Add halos round lamps that shine towards the eye."""
    for lamp in lamps:
        if lamp.glow_m <= 0 or not _faces(lamp, eye):
            continue
        place = eye.locate(lamp.position_m)
        window = _window(eye, place, lamp.glow_m)
        if window is None:
            continue
        if lamp.glow_m < place[2] * eye.step:
            continue
        near = np.maximum(1 - _aside(eye, place, window) * np.float32(1 / lamp.glow_m**2), 0)
        away = math.hypot(*place)
        dim = math.exp(-0.5 * _KOSCHMIEDER * away / weather.visibility_m)
        seen = depth[window] > place[2] - lamp.glow_m * 0.5
        part = picture[:, *window]
        part += column(lamp.colour) * (near**3 * seen * np.float32(0.6 * dim))


def _faces(lamp: Lamp, eye: Eye) -> bool:
    if lamp.aim is None or lamp.aim[2] < -0.9:
        return True
    towards = eye.position_m - np.asarray(lamp.position_m)
    return float(np.asarray(lamp.aim) @ towards) > 0


def _falling(picture: Planes, weather: Weather) -> Planes:
    """Rain streaks and snowflakes, the same for the same seed, into the picture."""
    flat = picture.reshape(3, -1)
    if weather.rain > 0:
        where, light = _streaks(picture.shape[1:], weather)
        behind = flat[:, where]
        flat[:, where] = behind + (np.float32(0.82) - behind * np.float32(0.6)) * light
    if weather.snow > 0:
        where, flakes = _flakes(picture.shape[1:], weather)
        behind = flat[:, where]
        flat[:, where] = behind + (np.float32(0.93) - behind) * flakes
    return picture


Sparse = tuple[NDArray[np.intp], Plane]
"""Flat indices of the few pixels (N,) that are not 0, and their values (N,)."""


def _sparse(plane: Plane) -> Sparse:
    where = np.flatnonzero(plane)
    return where, plane.ravel()[where]


@lru_cache(maxsize=4)
def _streaks(shape: tuple[int, ...], weather: Weather) -> Sparse:
    """How much light falling drops add, 0..1."""
    rng = np.random.default_rng(weather.seed)
    height, width = shape
    count = int(weather.rain * 190 * height * width / 65536)
    length = rng.integers(height // 40 + 3, height // 14 + 5, count)
    row, across = rng.uniform(-10, height, count), rng.uniform(-10, width, count)
    bright, slant = rng.uniform(0.06, 0.3, count), rng.normal(0.12, 0.03, count)
    step = np.arange(length.max(initial=1))
    rows = (row[:, None] + step).astype(np.intp)
    columns = (across[:, None] + step * slant[:, None]).astype(np.intp)
    fade = bright[:, None] * np.sin(math.pi * (step + 0.5) / length[:, None]).clip(0)
    inside = (step < length[:, None]) & _within(rows, columns, shape)
    light = np.zeros(shape, np.float32)
    np.add.at(light, (rows[inside], columns[inside]), fade[inside].astype(np.float32))
    return _sparse(np.minimum(light, np.float32(0.5)))


@lru_cache(maxsize=4)
def _flakes(shape: tuple[int, ...], weather: Weather) -> Sparse:
    """How much of each pixel falling snow hides, 0..1."""
    rng = np.random.default_rng(weather.seed)
    height, width = shape
    count = int(weather.snow * 420 * height * width / 65536)
    row, across = rng.uniform(0, height, count), rng.uniform(0, width, count)
    sizes = rng.choice([0.55, 0.8, 1.2, 2.0], count, p=[0.45, 0.33, 0.17, 0.05])
    radius = (sizes * height / 256)[:, None, None]
    near = np.arange(-4, 5)
    rows = row.astype(np.intp)[:, None, None] + near[:, None]
    columns = across.astype(np.intp)[:, None, None] + near
    down, aside = rows - row[:, None, None] + 0.5, columns - across[:, None, None] + 0.5
    soft = 0.85 * np.exp(-(down**2 + aside**2) / (1.2 * radius**2))
    rows, columns = np.broadcast_arrays(rows, columns)
    inside = (soft > 0.02) & _within(rows, columns, shape)
    flakes = np.zeros(shape, np.float32)
    np.maximum.at(flakes, (rows[inside], columns[inside]), soft[inside].astype(np.float32))
    return _sparse(flakes)


def _within(
    rows: NDArray[np.intp], columns: NDArray[np.intp], shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (
        (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    )
    return inside
