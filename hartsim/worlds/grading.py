"""The finishing look of a picture: bloom, tint, saturation, vignette, contrast, and its bytes."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hartsim.images import resize
from hartsim.types import Image
from hartsim.worlds.optics import Plane, Planes, planes_of
from hartsim.worlds.stage import Grade

_LEVELS = 1024
_BRIGHTEST = 2.0
"""Linear light above this is white whatever its colour."""


def graded(picture: Planes, grade: Grade) -> Image:
    """Bytes (H, W, 3) of a picture (3, H, W) in linear steps of light, 1 for white."""
    if grade.bloom > 0:
        picture = picture + np.float32(grade.bloom) * _bloom(picture)
    grey = picture[0] * np.float32(0.3)
    grey += picture[1] * np.float32(0.59)
    grey += picture[2] * np.float32(0.11)
    edge = _vignette(grey.shape, grade.vignette)
    grey *= np.float32(1 - grade.saturation)
    level = picture * np.float32(grade.saturation)
    level += grey
    level *= edge
    np.clip(level, 0, np.float32(_LEVELS - 1), out=level)
    image = np.empty((*grey.shape, 3), np.uint8)
    for k, curve in enumerate(_curves(grade)):
        image[..., k] = curve.take(level[k].astype(np.intp))
    return image


@lru_cache(maxsize=16)
def _curves(grade: Grade) -> NDArray[np.uint8]:
    """What becomes of each level of light (3, levels): tint, contrast, a soft shoulder."""
    light = np.linspace(0, _BRIGHTEST, _LEVELS)[None] * np.asarray(grade.tint)[:, None]
    light = 0.45 + (light - 0.45) * grade.contrast
    over = np.maximum(light - 0.8, 0)
    light = np.minimum(light, 0.8) + 0.2 * (1 - np.exp(-over * 5))
    return np.asarray(np.clip(light * 255 + 0.5, 0, 255), np.uint8)


@lru_cache(maxsize=16)
def _vignette(shape: tuple[int, ...], strength: float) -> Plane:
    """Darkening towards the corners, in levels of the curves per unit of light."""
    rows, columns = (np.linspace(-1, 1, n, dtype=np.float32) for n in shape)
    dark = np.float32(strength / 4) * (rows[:, None] ** 2 + columns**2) ** 2
    return (1 - dark) * np.float32((_LEVELS - 1) / _BRIGHTEST)


def _bloom(picture: Planes) -> Planes:
    """What spills over from bright spots."""
    height, width = picture.shape[1:]
    bright = np.clip((picture[:, ::2, ::2] - np.float32(0.75)) * 255, 0, 255).astype(np.uint8)
    spots = np.ascontiguousarray(np.moveaxis(bright, 0, -1))
    soft = resize(spots, (max(1, height // 10), max(1, width // 10)))
    return planes_of(resize(soft, (height, width)))
