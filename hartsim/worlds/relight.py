"""Light that needs depth: the sun's shadows, darkening where things touch, lamps.

OpenGL has already lit every surface by `lights_of`; here that light is divided out again and what
really reaches each pixel takes its place.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hartsim.types import Vector3
from hartsim.worlds.optics import Plane, Planes, bilinear, blurred
from hartsim.worlds.pool import CEILING, Light, View
from hartsim.worlds.stage import Colour, Lamp, Lighting

FOOT, GROUND = 0.5, 0.9
"""A pixel whose normal rises less than the one, above one whose normal rises more than the other,
is where something upright meets the ground."""


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


@lru_cache(maxsize=16)
def lights_of(lighting: Lighting) -> tuple[tuple[Light, Light], float]:
    """OpenGL's lights for this lighting, dimmed to CEILING at most, and by how much they are."""
    gain = CEILING / max(
        0.55 * (sky + ground) + 0.5 * max(sky - ground, 0.0) + sun
        for sky, ground, sun in zip(lighting.sky, lighting.ground, lighting.sun, strict=True)
    )
    pairs = list(zip(lighting.sky, lighting.ground, strict=True))
    sun = _colour([gain * each for each in lighting.sun])
    even = _colour([0.5 * gain * (sky + ground) for sky, ground in pairs])
    above = _colour([0.5 * gain * max(sky - ground, 0.0) for sky, ground in pairs])
    sunlight = Light(lighting.direction, sun, specular=sun)
    return (sunlight, Light((0.0, 0.0, -1.0), above, ambient=even)), gain


def _colour(values: Sequence[float]) -> Colour:
    r, g, b = values
    return r, g, b


def shining(colour: Planes) -> Plane:
    """How much of each pixel's colour is its own light, 0..1: what OpenGL drew above CEILING."""
    brightest = np.maximum(np.maximum(colour[0], colour[1]), colour[2])
    start = CEILING + 0.02
    above = (brightest - np.float32(start)) * np.float32(1 / (1 - start))
    return np.asarray(np.clip(above, 0, 1), np.float32)


def relit(
    colour: Planes,
    points: Planes,
    normals: Planes,
    depth: Plane,
    lighting: Lighting,
    lamps: tuple[Lamp, ...],
    maps: Maps,
) -> Planes:
    """The colours under the sun's shadows, contact darkening, lamps and exposure."""
    (sun, above), gain = lights_of(lighting)
    exposure = np.float32(lighting.exposure / gain)
    added = lamplight(lamps, points, normals)
    own = shining(colour)
    if maps.contact is None and added is None:
        return colour * (exposure + (1 - exposure) * own)
    up = np.maximum(normals[2], 0)
    open_sky: Plane | np.float32 = exposure
    if maps.contact is not None:
        hidden = hidden_at(maps.contact, points, lighting.contact_height_m)
        open_sky = exposure * (1 - np.float32(lighting.contact) * hidden)
    facing = share = np.float32(0)
    if max(lighting.sun) > 0:
        x, y, z = (np.float32(-each) for each in sun.direction)
        facing = np.maximum(normals[0] * x + normals[1] * y + normals[2] * z, 0)
        share = exposure * facing
        if maps.shadow is not None:
            share = share * softened(sunlit(maps.shadow, points, facing), depth)
    result, rims = np.empty_like(colour), _rims(depth, normals[2])
    for k in range(3):
        even = np.float32(above.ambient[k]) + np.float32(above.diffuse[k]) * up
        given = even + np.float32(sun.diffuse[k]) * facing
        reaching = even * open_sky + np.float32(sun.diffuse[k]) * share
        if added is not None:
            # near a lamp the eye, or the camera, adapts
            reaching += added[k] / (1 + np.float32(0.6) * added[k])
        ratio = _calmed(reaching / given, *rims)
        result[k] = colour[k] * (ratio + (1 - ratio) * own)
    return result


def _rims(depth: Plane, up: Plane) -> tuple[NDArray[np.intp], list[NDArray[np.intp]]]:
    """Flat indices of the pixels at which something ends, and of their four neighbours.

    What lies behind, or the ground (`up` is the normals' z), shows through such a pixel, so that it
    would take the light of both.
    """
    height, width = depth.shape
    limit = np.float32(1.03) * depth
    ends = np.zeros(depth.shape, bool)
    ends[:, 1:] |= depth[:, :-1] > limit[:, 1:]
    ends[:, :-1] |= depth[:, 1:] > limit[:, :-1]
    ends[1:] |= depth[:-1] > limit[1:]
    ends[:-1] |= depth[1:] > limit[:-1]
    ends[:-1] |= (up[:-1] < FOOT) & (up[1:] > GROUND)
    rows, columns = np.nonzero(ends)
    around = [
        np.clip(rows + down, 0, height - 1) * width + np.clip(columns + right, 0, width - 1)
        for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1))
    ]
    return rows * width + columns, around


def _calmed(ratio: Plane, rims: NDArray[np.intp], around: list[NDArray[np.intp]]) -> Plane:
    """The light of each pixel, at rims no brighter than that of the darkest neighbour."""
    flat = ratio.ravel()
    least = flat[rims]
    for neighbours in around:
        least = np.minimum(least, flat[neighbours])
    calm = flat.copy()
    calm[rims] = least
    return calm.reshape(ratio.shape)


def sunlit(shadow: ShadowMap, points: Planes, facing: Plane) -> Plane:
    """How much of the sun each point sees, 0..1, softened over a texel."""
    height, width = shadow.depth_m.shape
    axes, origin = shadow.axes.astype(np.float32), shadow.axes @ shadow.origin_m
    right, down, along = (
        axes[k, 0] * points[0]
        + axes[k, 1] * points[1]
        + axes[k, 2] * points[2]
        - np.float32(origin[k])
        for k in range(3)
    )
    columns = (right * np.float32(0.5 / shadow.half_m[0]) + np.float32(0.5)) * width
    rows = (down * np.float32(0.5 / shadow.half_m[1]) + np.float32(0.5)) * height
    inside = (columns > 1) & (columns < width - 1) & (rows > 1) & (rows < height - 1)
    where = np.flatnonzero(inside & (facing > 0))
    lit = facing.ravel()[where]
    slope = np.sqrt(1 - np.minimum(lit, 1) ** 2) / (lit + np.float32(0.05))
    texel = np.float32(max(shadow.half_m[0] / width, shadow.half_m[1] / height) * 2)
    limit = along.ravel()[where] - texel * (1 + np.minimum(slope, 5))
    share = np.ones(facing.shape, np.float32)
    half = np.float32(0.5)
    share.ravel()[where] = _share(
        shadow.depth_m, columns.ravel()[where] - half, rows.ravel()[where] - half, limit
    )
    return share


def _share(depths: Plane, columns: Plane, rows: Plane, limit: Plane) -> Plane:
    left, top = columns.astype(np.intp), rows.astype(np.intp)
    right, low = columns - left, rows - top
    flat, start, width = depths.ravel(), top * depths.shape[1] + left, depths.shape[1]
    upper = (flat[start] > limit) * (1 - right) + (flat[start + 1] > limit) * right
    start += width
    lower = (flat[start] > limit) * (1 - right) + (flat[start + 1] > limit) * right
    share: Plane = upper + (lower - upper) * low
    return share


def softened(share: Plane, depth: Plane) -> Plane:
    """The share averaged with its neighbours in the picture, but not across the edge of a thing."""
    radius = round(share.shape[0] / 128)
    tolerance = np.float32(0.012) * depth
    for axis in (0, 1):
        total, weight = share.copy(), np.ones_like(share)
        for step in range(1, radius + 1):
            across = (slice(None),) * axis
            here, there = (*across, slice(step, None)), (*across, slice(None, -step))
            alike = np.abs(depth[here] - depth[there]) < step * tolerance[here]
            total[here] += alike * share[there]
            total[there] += alike * share[here]
            weight[here] += alike
            weight[there] += alike
        share = total / weight
    return share


def contact_map(
    height_m: Plane, area_m: tuple[float, float, float, float], reach_m: float
) -> ContactMap:
    """What a map of heights above the ground (rows: x falling, columns: y falling) hides."""
    height = np.where(np.isfinite(height_m), height_m, 0) / reach_m
    solid = 1 - np.exp(-np.maximum(height - 0.04, 0) / 0.25)
    solid *= np.exp(-np.maximum(height - 3, 0) / 6)
    metres = (area_m[1] - area_m[0]) / height.shape[0]
    near = blurred(solid.astype(np.float32), 0.3 * reach_m / metres)
    wide = blurred(near, 1.4 * reach_m / metres)
    return ContactMap(np.float32(0.6) * near + np.float32(0.4) * wide, area_m)


def hidden_at(contact: ContactMap, points: Planes, fade_m: float) -> Plane:
    """What the contact map says at each point, fading with its height above the ground."""
    x0, x1, y0, y1 = contact.area_m
    rows, columns = contact.hidden.shape
    row = (np.float32(x1) - points[0]) * np.float32(rows / (x1 - x0))
    across = (np.float32(y1) - points[1]) * np.float32(columns / (y1 - y0))
    fade = np.exp(np.maximum(points[2], 0) * np.float32(-1 / fade_m))
    hidden: Plane = bilinear(contact.hidden[None], row, across)[0] * fade
    return hidden


def lamplight(lamps: tuple[Lamp, ...], points: Planes, normals: Planes) -> Planes | None:
    """The light of all lamps at each point (3, H, W); None if none reaches any."""
    total: Planes | None = None
    for lamp in lamps:
        if lamp.reach_m <= 0:
            continue
        near = np.abs(points[0] - np.float32(lamp.position_m[0])) < lamp.reach_m
        near &= np.abs(points[1] - np.float32(lamp.position_m[1])) < lamp.reach_m
        where = np.flatnonzero(near)
        if not len(where):
            continue
        if total is None:
            total = np.zeros_like(points)
        strength = _strength(lamp, points, normals, where)
        for k in range(3):
            total[k].ravel()[where] += np.float32(lamp.colour[k]) * strength
    return total


def _strength(lamp: Lamp, points: Planes, normals: Planes, where: NDArray[np.intp]) -> Plane:
    """How strongly the lamp shines on the points with these flat indices."""
    x, y, z = (np.float32(p) - points[k].ravel()[where] for k, p in enumerate(lamp.position_m))
    square = x * x + y * y + z * z + np.float32(1e-6)
    per_metre = 1 / np.sqrt(square)
    nx, ny, nz = (normals[k].ravel()[where] for k in range(3))
    facing = np.maximum((nx * x + ny * y + nz * z) * per_metre, 0)
    fall = np.maximum(1 - square * np.float32(1 / lamp.reach_m**2), 0)
    strength: Plane = fall * fall * (facing * np.float32(0.85) + np.float32(0.15))
    if lamp.aim is not None:
        ax, ay, az = (np.float32(a) for a in np.asarray(lamp.aim) / np.linalg.norm(lamp.aim))
        middle = -(ax * x + ay * y + az * z) * per_metre
        edge = np.float32(math.cos(lamp.cone_rad))
        inside = np.clip((middle - edge) / (1 - edge), 0, 1)
        strength = strength * inside * np.sqrt(inside)
    return strength


def sun_view(lighting: Lighting) -> tuple[View, NDArray[np.float64]]:
    """The sun's view of the shadow area, and its axes (right, down, along) as rows."""
    x0, x1, y0, y1 = lighting.shadow_area_m
    along = np.asarray(lighting.direction) / np.linalg.norm(lighting.direction)
    up = np.array([0.0, 0.0, 1.0]) if abs(along[2]) < 0.95 else np.array([1.0, 0.0, 0.0])
    right = np.cross(along, up)
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(along, right), along])
    levels = (0.0, lighting.shadow_height_m)
    corners = np.array([[x, y, z] for x in (x0, x1) for y in (y0, y1) for z in levels])
    spread = corners @ axes.T
    low, high = spread.min(axis=0), spread.max(axis=0)
    reach = (high[2] - low[2]) / 2 + 80.0
    origin = ((low + high) / 2) @ axes - along * reach
    half = (float(high[0] - low[0]) / 2, float(high[1] - low[1]) / 2)
    view = View(_triple(origin), _triple(along), _triple(-axes[1]), 1.0, 0.1, 2 * reach, half)
    return view, axes


def top_view(area_m: tuple[float, float, float, float], ceiling_m: float) -> View:
    """Straight down on the area: rows run with x falling, columns with y falling."""
    x0, x1, y0, y1 = area_m
    middle = ((x0 + x1) / 2, (y0 + y1) / 2, ceiling_m)
    half = ((y1 - y0) / 2, (x1 - x0) / 2)
    return View(middle, (0.0, 0.0, -1.0), (1.0, 0.0, 0.0), 1.0, 0.01, ceiling_m + 2.0, half)


def _triple(values: NDArray[np.float64]) -> Vector3:
    return float(values[0]), float(values[1]), float(values[2])
