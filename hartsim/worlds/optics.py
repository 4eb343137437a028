"""What a camera sees of each pixel's geometry, and the plane arithmetic that the effects share.

Planes are float32 (H, W) or (3, H, W): the order in which NumPy is fast.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from hartsim.images import resize
from hartsim.types import Image, Size, Vector3
from hartsim.worlds.pool import Depths
from hartsim.worlds.stage import Colour

Plane = NDArray[np.float32]
Planes = NDArray[np.float32]

FAR_M = 1e4
"""The depth that stands for none."""


@dataclass(frozen=True, eq=False)
class Eye:
    """Where a camera is and which way each pixel looks.

    `axes` turns optical directions (x right, y down, z ahead) into the world's; `slopes` are the
    rays' x and y in the optical frame; `stretch` (H, W) is how long a ray is per metre of depth.
    """

    size_px: Size
    position_m: NDArray[np.float64]
    axes: NDArray[np.float64]
    slopes: tuple[Plane, Plane]
    stretch: Plane

    @cached_property
    def rays(self) -> Planes:
        """Of each pixel (3, H, W), one metre long in optical depth."""
        (x, y), turned = self.slopes, self.axes.astype(np.float32)
        return np.stack([turned[k, 0] * x + turned[k, 1] * y + turned[k, 2] for k in range(3)])

    @property
    def step(self) -> float:
        """The slope between neighbouring pixels."""
        return float(self.slopes[0][0, 1] - self.slopes[0][0, 0])

    def locate(self, position_m: Vector3) -> tuple[float, float, float]:
        """Optical x, y and z of a place in the world, metres."""
        x, y, z = (np.asarray(position_m) - self.position_m) @ self.axes
        return float(x), float(y), float(z)


@dataclass(frozen=True, eq=False)
class Raw:
    """What OpenGL drew: colour 0..1 where anything is, and `cover`, how much of a pixel that is.

    The depth is FAR_M where there is nothing.
    """

    colour: Planes
    cover: Plane
    depth_m: Plane


def eye_of(
    size_px: Size, fov_rad: float, position_m: NDArray[np.float64], axes: NDArray[np.float64]
) -> Eye:
    """The eye of a camera with this vertical field of view."""
    x, y, stretch = _lens(size_px, fov_rad)
    return Eye(size_px, position_m, axes, (x, y), stretch)


@lru_cache(maxsize=16)
def _lens(size_px: Size, fov_rad: float) -> tuple[Plane, Plane, Plane]:
    height, width = size_px
    step = np.float32(2 * math.tan(fov_rad / 2) / height)
    x = (np.arange(width, dtype=np.float32) + np.float32(0.5 - width / 2)) * step
    y = (np.arange(height, dtype=np.float32) + np.float32(0.5 - height / 2)) * step
    wide, high = np.broadcast_to(x, size_px).copy(), np.broadcast_to(y[:, None], size_px).copy()
    return wide, high, np.sqrt(1 + wide * wide + high * high)


def raw_of(pixels: Image, depths: Depths, size_px: Size) -> Raw:
    """The picture averaged down to `size_px`, with the nearest depth within each of its pixels."""
    factor = pixels.shape[0] // size_px[0]
    solid = depths.solid.view(np.uint8) * np.uint8(255)
    small = resize(np.ascontiguousarray(pixels), size_px)
    cover = resize(solid, size_px).astype(np.float32) * np.float32(1 / 255)
    colour = planes_of(small)
    # OpenGL's background is black, so pixels at the edge of the sky come out too dark
    edge = np.flatnonzero((cover > 0) & (cover < 1))
    colour.reshape(3, -1)[:, edge] /= cover.ravel()[edge]
    return Raw(colour, cover, np.minimum(depths.reduced(factor).metres(), np.float32(FAR_M)))


def planes_of(image: Image) -> Planes:
    """An image (H, W, 3) as planes in 0..1."""
    planes = np.empty((3, *image.shape[:2]), np.float32)
    for k in range(3):
        np.multiply(image[..., k], np.float32(1 / 255), out=planes[k])
    return planes


def column(values: Colour) -> NDArray[np.float32]:
    """Three values that broadcast over planes."""
    return np.asarray(values, np.float32)[:, None, None]


def normals_of(depth: Plane, eye: Eye) -> Planes:
    """World normals (3, H, W) facing the eye, from the depth alone.

    Inverse depth is linear over a plane in the picture, so its two slopes are the normal; of the
    two neighbours on a line the one nearer in depth is taken, which keeps silhouettes clean.
    """
    inverse = np.float32(1) / depth
    x, y = eye.slopes
    per_step = np.float32(1 / eye.step)
    across = _gentler_slope(inverse, axis=1) * per_step
    down = _gentler_slope(inverse, axis=0) * per_step
    ahead = inverse - across * x - down * y
    scale = np.float32(-1) / np.sqrt(across**2 + down**2 + ahead**2 + np.float32(1e-20))
    turned = eye.axes.astype(np.float32)
    normals = np.empty((3, *depth.shape), np.float32)
    for k in range(3):
        normals[k] = (turned[k, 0] * across + turned[k, 1] * down + turned[k, 2] * ahead) * scale
    return normals


def _gentler_slope(values: Plane, axis: int) -> Plane:
    step = np.diff(values, axis=axis)
    first = step[:, :1] if axis == 1 else step[:1]
    last = step[:, -1:] if axis == 1 else step[-1:]
    before = np.concatenate([first, step], axis=axis)
    after = np.concatenate([step, last], axis=axis)
    return np.where(np.abs(before) < np.abs(after), before, after)


def bilinear(planes: Planes, row: Plane, column: Plane) -> Planes:
    """The planes' (C, H, W) values between their pixels, (C, ...); beyond an edge, the edge's."""
    rows, columns = planes.shape[1:]
    row = np.clip(row, 0, np.float32(rows - 1.001))
    column = np.clip(column, 0, np.float32(columns - 1.001))
    top, left = row.astype(np.int32), column.astype(np.int32)
    low, right = row - top, column - left
    start = top * columns + left
    mixed = np.empty((len(planes), *row.shape), np.float32)
    for k, flat in enumerate(planes.reshape(len(planes), -1)):
        first, third = flat.take(start), flat.take(start + columns)
        upper = first + (flat.take(start + 1) - first) * right
        lower = third + (flat.take(start + columns + 1) - third) * right
        mixed[k] = upper + (lower - upper) * low
    return mixed


def blurred(values: Plane, radius_px: float, radius_down_px: float | None = None) -> Plane:
    """The plane (values 0..1) softened over about so many pixels across, and down if they differ.

    Made small by averaging and large again by cubic curves: a cheap stand-in for a Gaussian.
    """
    rows, columns = values.shape
    down = radius_px if radius_down_px is None else radius_down_px
    small = max(1, round(rows / max(down, 1.0))), max(1, round(columns / max(radius_px, 1.0)))
    coarse = resize(np.asarray(np.clip(values, 0, 1) * np.float32(255), np.uint8), small)
    return resize(coarse, values.shape).astype(np.float32) * np.float32(1 / 255)


@lru_cache(maxsize=4)
def noise(size: int = 256, seed: int = 7, octaves: int = 5) -> Plane:
    """Seamless cloud-like noise (size, size) in 0..1."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None]) * size
    spectrum = np.fft.rfft2(rng.normal(size=(size, size)))
    inside = (frequency >= 1) & (frequency < 2**octaves)
    spectrum *= np.where(inside, (frequency + 0.5) ** -1.7, 0)
    field = np.fft.irfft2(spectrum, s=(size, size))
    return np.asarray(np.clip(0.5 + field / (4 * field.std()), 0, 1), np.float32)
