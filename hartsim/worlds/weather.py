"""Light and weather that need depth, added per pixel: shadows, lamps, smoke, fog, rain, snow.

Works on planes (3, H, W) of float32, the order in which NumPy is fast. Nothing here changes what a
label says: a deer in fog is a deer.
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hartsim.images import resize
from hartsim.types import Image, Size
from hartsim.worlds.pool import CEILING, Light, View
from hartsim.worlds.stage import Colour, Grade, Lamp, Lighting, Puff, Stage, Weather

Plane = NDArray[np.float32]
Planes = NDArray[np.float32]

SKY_SPAN_RAD = math.radians(45)
"""The elevation that the sky image covers; its azimuth per copy is twice that."""

_KOSCHMIEDER = 3.912
"""-ln 0.02: contrast at the meteorological range is two per cent."""

_SKY_M = 900.0
"""How much air one sees through towards the sky, straight up; more near the horizon."""


@dataclass(frozen=True, eq=False)
class Eye:
    """Where a camera is and which way each pixel looks: `rays` (3, H, W) have optical depth 1.

    `axes` turns optical directions (x right, y down, z ahead) into the world's.
    """

    size_px: Size
    position_m: NDArray[np.float64]
    axes: NDArray[np.float64]
    rays: Planes
    slopes: tuple[Plane, Plane]


@dataclass(frozen=True, eq=False)
class Raw:
    """What OpenGL drew: colour 0..1 weighted by `cover`, the share of each pixel that is not sky."""

    colour: Planes
    cover: Plane
    depth_m: Plane


@dataclass(frozen=True, eq=False)
class ShadowMap:
    """Depths seen from the sun, by texel, and the axes (right, down, along) that index them."""

    depth_m: Plane
    origin_m: NDArray[np.float64]
    axes: NDArray[np.float64]
    half_m: tuple[float, float]


@dataclass(frozen=True, eq=False)
class ContactMap:
    """How much of the sky the things around hide from each spot of the ground, 0..1."""

    hidden: Plane
    area_m: tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Maps:
    """What a stage's shadows need, made once per stage."""

    shadow: ShadowMap | None = None
    contact: ContactMap | None = None


def eye_of(
    size_px: Size, fov_rad: float, position_m: NDArray[np.float64], axes: NDArray[np.float64]
) -> Eye:
    """The eye of a camera with this vertical field of view."""
    x, y = _slopes(size_px, fov_rad)
    turned = axes.astype(np.float32)
    rays = turned[:, 0, None, None] * x + turned[:, 1, None, None] * y + turned[:, 2, None, None]
    return Eye(size_px, position_m, axes, rays, (x, y))


@lru_cache(maxsize=16)
def _slopes(size_px: Size, fov_rad: float) -> tuple[Plane, Plane]:
    height, width = size_px
    step = 2 * math.tan(fov_rad / 2) / height
    x = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) * np.float32(step)
    y = (np.arange(height, dtype=np.float32) + 0.5 - height / 2) * np.float32(step)
    return np.broadcast_to(x, size_px).copy(), np.broadcast_to(y[:, None], size_px).copy()


def lights_of(lighting: Lighting) -> tuple[list[Light], float]:
    """OpenGL's lights for this lighting, dimmed to CEILING at most, and by how much they are."""
    gain = CEILING / max(
        0.55 * (sky + ground) + 0.5 * max(sky - ground, 0.0) + sun
        for sky, ground, sun in zip(lighting.sky, lighting.ground, lighting.sun, strict=True)
    )
    sun = _scaled(lighting.sun, gain)
    lights = [
        Light(lighting.direction, sun, specular=sun),
        Light((0.0, 0.0, -1.0), _up(lighting, gain), ambient=_even(lighting, gain)),
    ]
    return lights, gain


def _even(lighting: Lighting, gain: float) -> Colour:
    pairs = zip(lighting.sky, lighting.ground, strict=True)
    r, g, b = (0.5 * gain * (sky + ground) for sky, ground in pairs)
    return r, g, b


def _up(lighting: Lighting, gain: float) -> Colour:
    pairs = zip(lighting.sky, lighting.ground, strict=True)
    r, g, b = (0.5 * gain * max(sky - ground, 0.0) for sky, ground in pairs)
    return r, g, b


def _scaled(colour: Colour, gain: float) -> Colour:
    return colour[0] * gain, colour[1] * gain, colour[2] * gain


def raw_of(pixels: Image, depth_m: Plane, size_px: Size) -> Raw:
    """The picture averaged down to `size_px`, with the nearest depth within each of its pixels."""
    solid = np.isfinite(depth_m)
    factor = pixels.shape[0] // size_px[0]
    small = resize(np.ascontiguousarray(pixels), size_px)
    cover = resize(solid.astype(np.uint8) * np.uint8(255), size_px)
    for axis in (0, 1):
        parts = [depth_m[k::factor] if axis == 0 else depth_m[:, k::factor] for k in range(factor)]
        depth_m = parts[0]
        for part in parts[1:]:
            depth_m = np.minimum(depth_m, part)
    colour = np.ascontiguousarray(np.moveaxis(small, -1, 0), np.float32)
    colour *= np.float32(1 / 255)
    return Raw(
        colour, cover.astype(np.float32) * np.float32(1 / 255), np.ascontiguousarray(depth_m)
    )


def develop(
    raw: Raw, eye: Eye, stage: Stage, maps: Maps, sky: Planes, mirror: Planes | None
) -> Image:
    """The finished picture (H, W, 3) of what OpenGL drew.

    `sky` is what lies behind everything, `mirror` what wet ground reflects, both (3, H, W).
    """
    depth = np.where(np.isfinite(raw.depth_m), raw.depth_m, np.float32(1e4))
    points = eye.rays * depth + eye.position_m.astype(np.float32)[:, None, None]
    normals = normals_of(depth, eye)
    colour = raw.colour / np.maximum(raw.cover, np.float32(0.05))
    lit = _relit(colour, points, normals, stage, maps)
    if mirror is not None:
        lit = _wetted(lit, points, normals, mirror, eye, stage.weather)
    distance = depth * np.sqrt((eye.rays**2).sum(axis=0))
    lit = fogged(lit, distance, stage.weather)
    picture = sky + (lit - sky) * raw.cover
    for puff in sorted(stage.puffs, key=lambda each: -_along(each, eye)):
        picture = _puffed(picture, puff, eye, depth, stage)
    picture = _with_glows(picture, stage.lamps, eye, depth, stage.weather)
    picture = _falling(picture, stage.weather)
    return graded(picture, stage.grade)


def normals_of(depth: Plane, eye: Eye) -> Planes:
    """World normals (3, H, W) facing the eye, from the depth alone.

    Inverse depth is linear over a plane in the picture, so its two slopes are the normal; of the
    two neighbours on a line the one nearer in depth is taken, which keeps silhouettes clean.
    """
    inverse = np.float32(1) / depth
    x, y = eye.slopes
    across = _gentler_slope(inverse, axis=1) / np.float32(x[0, 1] - x[0, 0])
    down = _gentler_slope(inverse, axis=0) / np.float32(y[1, 0] - y[0, 0])
    ahead = inverse - across * x - down * y
    length = np.sqrt(across**2 + down**2 + ahead**2) + np.float32(1e-12)
    turned = -eye.axes.astype(np.float32)
    parts = [turned[k, 0] * across + turned[k, 1] * down + turned[k, 2] * ahead for k in range(3)]
    return np.stack(parts) / length


def _gentler_slope(values: Plane, axis: int) -> Plane:
    step = np.diff(values, axis=axis)
    first = step[:, :1] if axis == 1 else step[:1]
    last = step[:, -1:] if axis == 1 else step[-1:]
    before = np.concatenate([first, step], axis=axis)
    after = np.concatenate([step, last], axis=axis)
    return np.where(np.abs(before) < np.abs(after), before, after)


def _relit(colour: Planes, points: Planes, normals: Planes, stage: Stage, maps: Maps) -> Planes:
    """The colours with the sun's shadows, contact darkening, lamps and exposure."""
    lighting = stage.lighting
    lights, gain = lights_of(lighting)
    sun, up = lights
    facing = np.maximum(-(normals * _column(sun.direction)).sum(axis=0), 0)
    even = _column(up.ambient) + _column(up.diffuse) * np.maximum(normals[2], 0)
    whole = even + _column(sun.diffuse) * facing
    shine = np.clip((colour.max(axis=0) - CEILING - 0.02) / (1 - CEILING - 0.02), 0, 1)
    reaching = even
    if maps.contact is not None:
        reaching = even * (1 - lighting.contact * hidden_at(maps.contact, points, lighting))
    if max(lighting.sun) > 0:
        share = sunlit(maps.shadow, points, facing) if maps.shadow is not None else np.float32(1)
        reaching = reaching + _column(sun.diffuse) * (facing * share)
    reaching = reaching * np.float32(lighting.exposure / gain)
    for lamp in stage.lamps:
        reaching = _lamplit(reaching, lamp, points, normals)
    lit = colour * (reaching / whole)
    return lit + (colour / np.float32(1) - lit) * shine


def _column(values: Colour) -> NDArray[np.float32]:
    return np.asarray(values, np.float32)[:, None, None]


def sunlit(shadow: ShadowMap, points: Planes, facing: Plane) -> Plane:
    """How much of the sun each point sees, 0..1, softened over a texel."""
    offset = points - shadow.origin_m.astype(np.float32)[:, None, None]
    axes = shadow.axes.astype(np.float32)
    right, down, along = (
        axes[k, 0] * offset[0] + axes[k, 1] * offset[1] + axes[k, 2] * offset[2] for k in range(3)
    )
    height, width = shadow.depth_m.shape
    column = (right / np.float32(2 * shadow.half_m[0]) + np.float32(0.5)) * width - np.float32(0.5)
    row = (down / np.float32(2 * shadow.half_m[1]) + np.float32(0.5)) * height - np.float32(0.5)
    inside = (column > 0) & (column < width - 1) & (row > 0) & (row < height - 1) & (facing > 0)
    share = np.ones(facing.shape, np.float32)
    slope = np.sqrt(1 - np.minimum(facing[inside], 1) ** 2) / (facing[inside] + np.float32(0.05))
    texel = np.float32(max(shadow.half_m[0] / width, shadow.half_m[1] / height) * 2)
    slack = texel * (1 + np.minimum(slope, 5))
    share[inside] = _share(shadow.depth_m, column[inside], row[inside], along[inside] - slack)
    return share


def _share(depths: Plane, column: Plane, row: Plane, limit: Plane) -> Plane:
    left, top = column.astype(np.intp), row.astype(np.intp)
    right, low = column - left, row - top
    flat, start = depths.ravel(), top * depths.shape[1] + left
    width = depths.shape[1]
    upper = (flat[start] > limit) * (1 - right) + (flat[start + 1] > limit) * right
    lower = (flat[start + width] > limit) * (1 - right) + (flat[start + width + 1] > limit) * right
    share: Plane = upper * (1 - low) + lower * low
    return share


def contact_map(
    height_m: Plane, area_m: tuple[float, float, float, float], reach_m: float
) -> ContactMap:
    """What a map of heights above the ground (rows: x falling, columns: y falling) hides."""
    height = np.where(np.isfinite(height_m), height_m, 0)
    height = height / reach_m
    solid = (1 - np.exp(-np.maximum(height - 0.04, 0) / 0.25)) * np.exp(
        -np.maximum(height - 3, 0) / 6
    )
    metres = (area_m[1] - area_m[0]) / height.shape[0]
    near = blurred(solid.astype(np.float32), max(1, round(0.16 * reach_m / metres)))
    wide = blurred(near, max(1, round(0.7 * reach_m / metres)))
    return ContactMap(np.float32(0.6) * near + np.float32(0.4) * wide, area_m)


def blurred(values: Plane, radius: int) -> Plane:
    """The plane averaged over a square window, twice: close to a Gaussian."""
    for _ in range(2):
        for axis in (0, 1):
            values = _box_mean(values, radius, axis)
    return values


def _box_mean(values: Plane, radius: int, axis: int) -> Plane:
    pad = [(0, 0), (0, 0)]
    pad[axis] = (radius + 1, radius)
    total = np.cumsum(np.pad(values, pad, mode="edge"), axis=axis, dtype=np.float64)
    width = 2 * radius + 1
    mean = (
        total[width:] - total[:-width] if axis == 0 else total[:, width:] - total[:, :-width]
    ) / width
    return mean.astype(np.float32)


def hidden_at(contact: ContactMap, points: Planes, lighting: Lighting) -> Plane:
    """What the contact map says at each point, fading with its height above the ground."""
    x0, x1, y0, y1 = contact.area_m
    rows, columns = contact.hidden.shape
    row = np.clip((x1 - points[0]) * np.float32(rows / (x1 - x0)), 0, rows - 1.01)
    column = np.clip((y1 - points[1]) * np.float32(columns / (y1 - y0)), 0, columns - 1.01)
    top, left = row.astype(np.intp), column.astype(np.intp)
    low, right = row - top, column - left
    flat, start = contact.hidden.ravel(), top * columns + left
    bottom_row = np.minimum(start + columns, flat.size - 2)
    upper = flat[start] * (1 - right) + flat[start + 1] * right
    lower = flat[bottom_row] * (1 - right) + flat[bottom_row + 1] * right
    fade = np.exp(-np.maximum(points[2], 0) * np.float32(1 / lighting.contact_height_m))
    hidden: Plane = (upper * (1 - low) + lower * low) * fade
    return hidden


def _lamplit(reaching: Planes, lamp: Lamp, points: Planes, normals: Planes) -> Planes:
    """The light with this lamp's added, where it reaches."""
    place = np.asarray(lamp.position_m, np.float32)
    near = np.abs(points[0] - place[0]) < lamp.reach_m
    near &= np.abs(points[1] - place[1]) < lamp.reach_m
    if not near.any():
        return reaching
    towards = place[:, None] - points[:, near]
    distance = np.sqrt((towards**2).sum(axis=0)) + np.float32(1e-3)
    towards /= distance
    strength = np.maximum(1 - (distance / np.float32(lamp.reach_m)) ** 2, 0) ** 2
    strength *= np.maximum((normals[:, near] * towards).sum(axis=0), 0) * np.float32(
        0.85
    ) + np.float32(0.15)
    if lamp.aim is not None:
        aim = np.asarray(lamp.aim, np.float32)
        middle = -(aim[:, None] * towards).sum(axis=0) / np.float32(np.linalg.norm(aim))
        edge = math.cos(lamp.cone_rad)
        strength *= np.clip((middle - edge) / (1 - edge), 0, 1) ** np.float32(1.5)
    result = reaching.copy()
    result[:, near] += np.asarray(lamp.colour, np.float32)[:, None] * strength
    return result


def fogged(picture: Planes, distance: Plane, weather: Weather) -> Planes:
    """The picture behind this much air."""
    if not math.isfinite(weather.visibility_m):
        return picture
    clear = np.exp(distance * np.float32(-_KOSCHMIEDER / weather.visibility_m))
    fog = _column(weather.fog_colour)
    return fog + (picture - fog) * clear


def sky_of(image: Image, eye: Eye, weather: Weather) -> Planes:
    """The sky (3, H, W) that each pixel would see with nothing before it, with the fog of the day."""
    height, width = image.shape[:2]
    x, y, z = eye.rays
    level = np.sqrt(x * x + y * y)
    elevation = np.arctan2(z, level)
    across = np.abs(np.mod(0.25 - np.arctan2(y, x) / (4 * SKY_SPAN_RAD), 1.0) * 2 - 1)
    row = np.clip((1 - elevation / SKY_SPAN_RAD) * height - 0.5, 0, height - 1.001)
    column = np.clip((1 - across) * width - 0.5, 0, width - 1.001)
    sky = _bilinear(image, row, column)
    up = np.maximum(elevation / SKY_SPAN_RAD, 0).astype(np.float32)
    return fogged(sky, np.float32(_SKY_M) / (np.float32(0.15) + up * 2), weather)


def _bilinear(image: Image, row: Plane, column: Plane) -> Planes:
    top, left = row.astype(np.intp), column.astype(np.intp)
    low, right = (row - top).astype(np.float32), (column - left).astype(np.float32)
    flat = image.reshape(-1, 3)
    width = image.shape[1]
    start = top * width + left
    corners = [flat[start + step].astype(np.float32) for step in (0, 1, width, width + 1)]
    weights = [(1 - low) * (1 - right), (1 - low) * right, low * (1 - right), low * right]
    mixed = sum(c * w[..., None] for c, w in zip(corners, weights, strict=True))
    return np.ascontiguousarray(np.moveaxis(np.asarray(mixed), -1, 0)) * np.float32(1 / 255)


@lru_cache(maxsize=4)
def noise(size: int = 256, seed: int = 7, octaves: int = 5) -> Plane:
    """Seamless cloud-like noise (size, size) in 0..1."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None]) * size
    spectrum = np.fft.rfft2(rng.normal(size=(size, size)))
    spectrum *= np.where((frequency >= 1) & (frequency < 2**octaves), (frequency + 0.5) ** -1.7, 0)
    field = np.fft.irfft2(spectrum, s=(size, size))
    ranks = np.clip(0.5 + field / (4 * field.std()), 0, 1)
    return np.asarray(ranks, np.float32)


def _wetted(
    lit: Planes, points: Planes, normals: Planes, mirror: Planes, eye: Eye, weather: Weather
) -> Planes:
    """Flat ground darkened and mirroring, more at a grazing view and where puddles stand."""
    flat = (points[2] < 0.06) & (normals[2] > 0.97)
    field = noise()
    row = np.mod(points[0] * np.float32(11), 256).astype(np.intp)
    column = np.mod(points[1] * np.float32(17), 256).astype(np.intp)
    pooled = np.clip((field[row, column] - np.float32(0.42)) * 4, 0, 1)
    length = np.sqrt((eye.rays**2).sum(axis=0))
    grazing = (1 - np.abs(eye.rays[2]) / length) ** 4
    strength = np.float32(weather.wetness) * flat * (np.float32(0.25) + np.float32(0.75) * pooled)
    share = strength * (np.float32(0.08) + np.float32(0.72) * grazing)
    dark = 1 - np.float32(0.45) * np.float32(weather.wetness) * flat
    return lit * dark * (1 - share) + mirror * share


def mirrored(
    pixels: Image, depth_m: Plane, sky: Planes, eye: Eye, stage: Stage, size_px: Size
) -> Planes:
    """What flat ground mirrors (3, H, W) at `size_px`, from a picture of the scene turned over.

    Rough, wet asphalt draws reflections out towards the viewer, so columns are averaged downward.
    """
    colour = np.ascontiguousarray(np.moveaxis(pixels, -1, 0), np.float32) * np.float32(1 / 255)
    gain = lights_of(stage.lighting)[1]
    shine = np.clip((colour.max(axis=0) - CEILING - 0.02) / (1 - CEILING - 0.02), 0, 1)
    lit = colour * np.float32(stage.lighting.exposure / gain)
    lit = lit + (colour - lit) * shine
    solid = np.isfinite(depth_m)
    lit = np.where(solid, fogged(lit, np.where(solid, depth_m, 0), stage.weather), sky)
    turned = tuple(
        replace(lamp, position_m=(*lamp.position_m[:2], -lamp.position_m[2]), aim=None)
        for lamp in stage.lamps
        if _faces(lamp, eye)
    )
    lit = _with_glows(lit, turned, eye, np.full(eye.size_px, 1e4, np.float32), stage.weather)
    for _ in range(2):
        lit = np.stack([_box_mean(plane, max(1, eye.size_px[0] // 24), 0) for plane in lit])
    coarse = np.ascontiguousarray(np.moveaxis(np.clip(lit, 0, 1) * 255, 0, -1)).astype(np.uint8)
    return np.moveaxis(resize(coarse, size_px), -1, 0).astype(np.float32) * np.float32(1 / 255)


def _along(puff: Puff, eye: Eye) -> float:
    return float((np.asarray(puff.position_m) - eye.position_m) @ eye.axes[:, 2])


def puff_opacity(puff: Puff, eye: Eye, depth: Plane) -> tuple[slice, slice, Plane] | None:
    """The rows and columns that a puff may cover, and how much it hides there; None if none."""
    offset = np.asarray(puff.position_m) - eye.position_m
    x, y, z = offset @ eye.axes
    if z < 0.3:
        return None
    step = float(eye.slopes[0][0, 1] - eye.slopes[0][0, 0])
    height, width = eye.size_px
    column, row, reach = (
        x / z / step + width / 2,
        y / z / step + height / 2,
        puff.radius_m * 1.3 / z / step,
    )
    rows = slice(max(0, int(row - reach)), min(height, int(row + reach) + 2))
    columns = slice(max(0, int(column - reach)), min(width, int(column + reach) + 2))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return None
    sx, sy = eye.slopes[0][rows, columns], eye.slopes[1][rows, columns]
    off = (
        (sx * np.float32(z) - np.float32(x)) ** 2 + (sy * np.float32(z) - np.float32(y)) ** 2
    ) / np.float32(puff.radius_m**2)
    field = noise()
    picks = (
        np.arange(rows.start, rows.stop) * 97 // max(int(reach), 1) + int(puff.position_m[0] * 53)
    ) % 256
    other = (
        np.arange(columns.start, columns.stop) * 97 // max(int(reach), 1)
        + int(puff.position_m[2] * 71)
    ) % 256
    lumpy = np.float32(0.45) + np.float32(1.1) * field[picks[:, None], other[None]]
    behind = (depth[rows, columns] - np.float32(z)) * np.float32(4 / puff.radius_m)
    before = 1 / (1 + np.exp(-np.clip(behind, -30, 30)))
    thick = np.float32(-math.log(max(1e-3, 1 - puff.opacity))) * lumpy
    return rows, columns, (1 - np.exp(-thick * np.exp(-3 * off))) * before


def _puffed(picture: Planes, puff: Puff, eye: Eye, depth: Plane, stage: Stage) -> Planes:
    seen = puff_opacity(puff, eye, depth)
    if seen is None:
        return picture
    rows, columns, opacity = seen
    lighting = stage.lighting
    light = (
        np.asarray(lighting.sky) * 0.8
        + np.asarray(lighting.sun) * 0.5
        + np.asarray(lighting.ground) * 0.2
    )
    lit = np.asarray(puff.colour) * np.minimum(light * lighting.exposure, 1.2)
    shown = lit + (np.asarray(puff.colour) - lit) * puff.emission
    colour = shown.astype(np.float32)[:, None, None]
    away = float(np.linalg.norm(np.asarray(puff.position_m) - eye.position_m))
    colour = fogged(colour, np.float32(away), stage.weather) if puff.emission < 0.5 else colour
    picture[:, rows, columns] += (colour - picture[:, rows, columns]) * opacity
    return picture


def _with_glows(
    picture: Planes, lamps: tuple[Lamp, ...], eye: Eye, depth: Plane, weather: Weather
) -> Planes:
    """Halos round lamps that shine towards the eye."""
    for lamp in lamps:
        if lamp.glow_m > 0 and _faces(lamp, eye):
            halo = Puff(lamp.position_m, lamp.glow_m, lamp.colour, opacity=0.6)
            seen = puff_opacity(halo, eye, depth + np.float32(lamp.glow_m))
            if seen is None:
                continue
            rows, columns, opacity = seen
            away = float(np.linalg.norm(np.asarray(lamp.position_m) - eye.position_m))
            dim = math.exp(-_KOSCHMIEDER * away / weather.visibility_m) ** 0.5
            colour = np.asarray(lamp.colour, np.float32)[:, None, None] * np.float32(dim)
            picture[:, rows, columns] += colour * opacity**2
    return picture


def _faces(lamp: Lamp, eye: Eye) -> bool:
    if lamp.aim is None:
        return True
    towards = eye.position_m - np.asarray(lamp.position_m)
    return float(np.asarray(lamp.aim) @ towards) > 0


def _falling(picture: Planes, weather: Weather) -> Planes:
    """Rain streaks and snowflakes, the same for the same seed."""
    if weather.rain > 0:
        light = _streaks(picture.shape[1:], weather)
        picture = picture + (np.float32(0.82) - picture * np.float32(0.6)) * light
    if weather.snow > 0:
        flakes = _flakes(picture.shape[1:], weather)
        picture = picture + (np.float32(0.93) - picture) * flakes
    return picture


def _streaks(shape: tuple[int, ...], weather: Weather) -> Plane:
    rng = np.random.default_rng(weather.seed)
    height, width = shape
    count = int(weather.rain * 190 * height * width / 65536)
    length = rng.integers(height // 40 + 3, height // 14 + 5, count)
    row, column = rng.uniform(-10, height, count), rng.uniform(-10, width, count)
    bright, slant = rng.uniform(0.06, 0.3, count), rng.normal(0.12, 0.03, count)
    step = np.arange(length.max())
    rows = (row[:, None] + step).astype(np.intp)
    columns = (column[:, None] + step * slant[:, None]).astype(np.intp)
    inside = (
        (step < length[:, None])
        & (rows >= 0)
        & (rows < height)
        & (columns >= 0)
        & (columns < width)
    )
    light = np.zeros(shape, np.float32)
    fade = bright[:, None] * np.sin(math.pi * (step + 0.5) / length[:, None]).clip(0)
    np.add.at(light, (rows[inside], columns[inside]), fade[inside].astype(np.float32))
    return np.minimum(light, np.float32(0.5))


def _flakes(shape: tuple[int, ...], weather: Weather) -> Plane:
    rng = np.random.default_rng(weather.seed)
    height, width = shape
    count = int(weather.snow * 420 * height * width / 65536)
    row, column = rng.uniform(0, height, count), rng.uniform(0, width, count)
    radius = height / 256 * rng.choice([0.55, 0.8, 1.2, 2.0], count, p=[0.45, 0.33, 0.17, 0.05])
    near = np.arange(-4, 5)
    rows = row.astype(np.intp)[:, None, None] + near[:, None]
    columns = column.astype(np.intp)[:, None, None] + near
    away = (rows - row[:, None, None] + 0.5) ** 2 + (columns - column[:, None, None] + 0.5) ** 2
    soft = 0.85 * np.exp(-away / (1.2 * radius[:, None, None] ** 2))
    rows, columns = np.broadcast_arrays(rows, columns)
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width) & (soft > 0.02)
    flakes = np.zeros(shape, np.float32)
    np.maximum.at(flakes, (rows[inside], columns[inside]), soft[inside].astype(np.float32))
    return flakes


def graded(picture: Planes, grade: Grade) -> Image:
    """Bytes (H, W, 3), with bloom, tint, saturation, contrast and vignette."""
    if grade.bloom > 0:
        picture = picture + np.float32(grade.bloom) * _bloom(picture)
    picture = picture * _column(grade.tint)
    grey = (
        picture[0] * np.float32(0.3) + picture[1] * np.float32(0.59) + picture[2] * np.float32(0.11)
    )
    picture = grey + (picture - grey) * np.float32(grade.saturation)
    picture = np.float32(0.45) + (picture - np.float32(0.45)) * np.float32(grade.contrast)
    if grade.vignette > 0:
        picture = picture * _vignette(picture.shape[1:], grade.vignette)
    # a soft shoulder: highlights keep their colour
    over = np.maximum(picture - np.float32(0.8), 0)
    picture = np.minimum(picture, np.float32(0.8)) + np.float32(0.2) * (1 - np.exp(-over * 5))
    pixels = np.clip(picture * np.float32(255) + np.float32(0.5), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.moveaxis(pixels, 0, -1))


@lru_cache(maxsize=8)
def _vignette(shape: tuple[int, ...], strength: float) -> Plane:
    rows, columns = (np.linspace(-1, 1, n, dtype=np.float32) for n in shape)
    return 1 - np.float32(strength) * (rows[:, None] ** 2 + columns**2) ** 2 / 4


def _bloom(picture: Planes) -> Planes:
    height, width = picture.shape[1:]
    bright = np.clip((picture - np.float32(0.75)) * 255, 0, 255).astype(np.uint8)
    small = resize(np.ascontiguousarray(np.moveaxis(bright, 0, -1)), (height // 4, width // 4))
    soft = np.stack([blurred(small[..., k].astype(np.float32), 2) for k in range(3)], axis=-1)
    wide = resize(soft.astype(np.uint8), (height, width))
    return np.moveaxis(wide, -1, 0).astype(np.float32) * np.float32(1 / 255)


def sun_view(lighting: Lighting) -> tuple[View, NDArray[np.float64]]:
    """The sun's view of the shadow area, and its axes (right, down, along) as rows."""
    x0, x1, y0, y1 = lighting.shadow_area_m
    along = np.asarray(lighting.direction) / np.linalg.norm(lighting.direction)
    up = np.array([0.0, 0.0, 1.0]) if abs(along[2]) < 0.95 else np.array([1.0, 0.0, 0.0])
    right = np.cross(along, up)
    right /= np.linalg.norm(right)
    down = np.cross(along, right)
    ground = np.array([[x, y, z] for x in (x0, x1) for y in (y0, y1) for z in (0.0, lighting.shadow_height_m)])
    spread = ground @ np.stack([right, down, along]).T
    low, high = spread.min(axis=0), spread.max(axis=0)
    axes = np.stack([right, down, along])
    middle = ((low + high) / 2) @ axes
    reach = (high[2] - low[2]) / 2 + 80.0
    origin = middle - along * reach
    half = ((high[0] - low[0]) / 2, (high[1] - low[1]) / 2)
    view = View(_triple(origin), _triple(along), _triple(-down), 1.0, 0.1, 2 * reach, half)
    return view, axes


def top_view(area_m: tuple[float, float, float, float], ceiling_m: float) -> View:
    """Straight down on the area: rows run with x falling, columns with y falling."""
    x0, x1, y0, y1 = area_m
    middle = ((x0 + x1) / 2, (y0 + y1) / 2, ceiling_m)
    half = ((y1 - y0) / 2, (x1 - x0) / 2)
    return View(middle, (0.0, 0.0, -1.0), (1.0, 0.0, 0.0), 1.0, 0.01, ceiling_m + 2.0, half)


def _triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
