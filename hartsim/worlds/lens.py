"""What a camera's own glass adds to a picture: dirt, drops of water, and lights that dazzle it.

A pixel belongs to what hides more than half of what lies behind it; its depth stays what it was.
"""

import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hartsim.scenario.compiled import CameraSetup
from hartsim.types import Instance, Size
from hartsim.worlds.motion import STILL
from hartsim.worlds.mounting import mounted
from hartsim.worlds.optics import Eye, Plane, Planes, blurred, column, noise
from hartsim.worlds.stage import Colour, Film, Lamp

HIDDEN = 0.5
"""The share of a pixel's light from which on it is no longer what lies behind."""

MUD: Colour = (0.36, 0.28, 0.19)
DUST: Colour = (0.62, 0.57, 0.48)

CORE = 0.35
"""The white core of a dazzling light, in radii of its halo."""


@dataclass(frozen=True, eq=False)
class Marks:
    """What a film does to a picture: `cover` (H, W) is the share of a pixel that it hides.

    `colour` (3, H, W) is the film's own, to be lit; a drop has none and shows the pixels `source`
    (H, W), flat indices, times `gain`.
    """

    cover: Plane
    gain: Plane
    colour: Planes | None = None
    source: NDArray[np.intp] | None = None


def marks_of(film: Film, camera: CameraSetup, size_px: Size) -> Marks:
    """The film's marks on this camera's picture, always the same."""
    seed = film.seed + zlib.crc32(camera.name.encode()) % 997
    draw = {"dirt": _dirt, "drops": _drops}[film.kind]
    return draw(size_px, seed, _middle(film, camera))


def _middle(film: Film, camera: CameraSetup) -> tuple[float, float] | None:
    """Where the camera first saw the film's place, right and down in -1..1; None if outside."""
    eye = mounted(camera, STILL, (2, 2))
    x, y, z = eye.locate(film.position_m)
    reach = z * math.tan(camera.fov_rad / 2)
    if z < 0.1 or max(abs(x), abs(y)) > 0.9 * reach:
        return None
    return round(x / reach, 3), round(y / reach, 3)


def _spots(
    rng: np.random.Generator, middle: tuple[float, float] | None, radii: NDArray[np.float64]
) -> NDArray[np.float64]:
    """A place right and down, in heights of the picture, and a radius for each spot (N, 3).

    The first lies about the middle, the others anywhere.
    """
    x, y = rng.uniform(-0.5, 0.5, (2, len(radii)))
    if middle is not None:
        x[0], y[0] = 0.5 * middle[0], 0.5 * middle[1]
    return np.column_stack([x, y, radii])


def _grid(size_px: Size) -> tuple[Plane, Plane]:
    """Right and down of each pixel from the middle, in heights of the picture."""
    height, width = size_px
    right = (np.arange(width, dtype=np.float32) + np.float32(0.5 - width / 2)) / height
    down = (np.arange(height, dtype=np.float32) + np.float32(0.5 - height / 2)) / height
    return np.broadcast_to(right, size_px), np.broadcast_to(down[:, None], size_px)


def _field(size_px: Size, seed: int, scale: float) -> Plane:
    """Cloud-like noise over the picture, `scale` of the noise's own size to a height."""
    right, down = _grid(size_px)
    rows = ((down + 0.5) * 255 * scale + 37 * seed).astype(np.intp) % 256
    columns = ((right + 0.5) * 255 * scale + 91 * seed).astype(np.intp) % 256
    field: Plane = noise()[rows, columns]
    return field


@lru_cache(maxsize=8)
def _dirt(size_px: Size, seed: int, middle: tuple[float, float] | None) -> Marks:
    """Splashes of mud over a film of dust that a wiper has smeared."""
    rng = np.random.default_rng([seed, 11])
    radii = np.concatenate([[0.15], rng.uniform(0.05, 0.1, 5), rng.uniform(0.008, 0.035, 46)])
    right, down = _grid(size_px)
    ragged = _field(size_px, seed, 1.6)
    mud = np.zeros(size_px, np.float32)
    for x, y, radius in _spots(rng, middle, radii).tolist():
        away = np.hypot(right - np.float32(x), (down - np.float32(y)) * np.float32(0.85))
        edge = radius * (np.float32(0.45) + np.float32(1.1) * ragged)
        mud = np.maximum(mud, np.clip((edge - away) / np.float32(0.012 + 0.12 * radius), 0, 1))
    swept = np.hypot(right - np.float32(0.35), down - np.float32(0.75))
    bands = np.float32(0.5) + np.float32(0.5) * np.sin(swept * 46 + 5 * ragged)
    dust = np.float32(0.14) + np.float32(0.22) * _field(size_px, seed + 3, 0.6) * bands
    cover = blurred(np.maximum(dust, np.float32(0.94) * mud), max(1.0, size_px[0] / 200))
    share = np.clip(mud * 1.2, 0, 1)
    tone = np.float32(0.72) + np.float32(0.56) * ragged
    colour = column(DUST) + (column(MUD) - column(DUST)) * share * np.ones((3, 1, 1), np.float32)
    return Marks(cover, tone, colour * tone)


@lru_cache(maxsize=8)
def _drops(size_px: Size, seed: int, middle: tuple[float, float] | None) -> Marks:
    """Drops, each a small lens that shows the scene upside down, dark at its upper edge."""
    height, width = size_px
    rng = np.random.default_rng([seed, 13])
    radii = np.concatenate([[0.1], rng.uniform(0.045, 0.085, 11), rng.uniform(0.012, 0.035, 44)])
    right, down = _grid(size_px)
    cover, gain = np.zeros(size_px, np.float32), np.ones(size_px, np.float32)
    source = np.arange(height * width).reshape(size_px)
    soft = np.float32(1.2 / height)
    for x, y, radius in _spots(rng, middle, radii).tolist():
        aside, below = (right - np.float32(x)) / radius, (down - np.float32(y)) / radius
        below = below * np.float32(0.88)
        away = np.sqrt(aside**2 + below**2) * (1 + np.float32(0.12) * np.sin(3 * aside + seed))
        alpha = np.clip((1 - away) * radius / soft, 0, 1)
        bent = np.float32(0.34) * (1 + away**2)
        rows = np.clip((0.5 + 0.5 * y - below * bent) * height, 0, height - 1).astype(np.intp)
        columns = np.clip((0.5 * width / height + 0.5 * x - aside * bent) * height, 0, width - 1)
        inside = alpha > cover
        source[inside] = (rows * width + columns.astype(np.intp))[inside]
        rim = np.float32(1) - np.float32(0.55) * np.clip(away, 0, 1) ** 4 * (0.7 - 0.5 * below)
        glint = np.exp(-((aside + 0.35) ** 2 + (below + 0.4) ** 2) * 22)
        gain[inside] = (rim + np.float32(0.9) * glint)[inside]
        cover = np.maximum(cover, alpha)
    return Marks(cover, gain, source=source)


def filmed(picture: Planes, marks: Sequence[Marks], bright: Colour) -> Planes:
    """The picture through films; `bright` is the light that falls on dirt."""
    for each in marks:
        if each.source is not None:
            shown = picture.reshape(3, -1)[:, each.source] * each.gain
        else:
            assert each.colour is not None
            shown = each.colour * column(bright)
        picture = picture + (shown - picture) * each.cover
    return picture


def dazzled(picture: Planes, lamps: Sequence[Lamp], eye: Eye, depth: Plane) -> Planes:
    """The picture of an eye that lights blind: a white core, rays, and a veil over everything."""
    for lamp in lamps:
        seen = _blinding(lamp, eye, depth)
        if seen is None:
            continue
        strength, radius, right, down = seen
        away = np.hypot(right, down)
        colour, power = column(lamp.colour), np.float32(strength)
        core = np.exp(-((away / np.float32(radius)) ** 2))
        veil = np.exp(away / np.float32(-4 * radius)) * np.float32(0.55)
        veil += np.exp(away / np.float32(-0.45)) * np.float32(0.3)
        turns = np.cos(6 * np.arctan2(down, right) + np.float32(0.6)) ** 2
        veil += turns**24 * np.exp(away / np.float32(-6 * radius)) * np.float32(0.45)
        veil *= power
        picture = picture * (1 - np.float32(0.45) * np.minimum(veil, 1))
        picture += colour * veil + core * (np.float32(1.6) * power)
        _add_ghosts(picture, right, down, radius, power)
    return picture


GHOSTS: tuple[tuple[float, float, Colour], ...] = (
    (0.55, 0.7, (0.2, 0.34, 0.16)),
    (1.3, 1.1, (0.16, 0.2, 0.36)),
    (1.62, 0.5, (0.4, 0.22, 0.12)),
    (2.1, 1.8, (0.14, 0.26, 0.22)),
)
"""Reflections inside the lens: how far along the line through the middle, radius, colour."""


def _add_ghosts(
    picture: Planes, right: Plane, down: Plane, radius: float, power: np.float32
) -> None:
    """Pale discs on the line from a light through the middle of the picture."""
    height, width = picture.shape[1:]
    centre = -right[height // 2, width // 2], -down[height // 2, width // 2]
    for along, size, colour in GHOSTS:
        x, y = (float(-each * along) for each in centre)
        away = np.hypot(right - np.float32(x), down - np.float32(y)) / np.float32(radius * size)
        disc = np.clip((1 - away) * 6, 0, 1) * (np.float32(0.35) + np.float32(0.65) * away**2)
        picture += column(colour) * (disc * np.float32(0.5) * power)


def _blinding(lamp: Lamp, eye: Eye, depth: Plane) -> tuple[float, float, Plane, Plane] | None:
    """How strongly a lamp blinds the eye, its core's radius, and each pixel's place round it.

    Lengths are in heights of the picture; None where it does not shine at the eye, or is hidden.
    """
    x, y, z = eye.locate(lamp.position_m)
    if lamp.dazzle <= 0 or z < 0.5:
        return None
    height, width = eye.size_px
    row, across = y / (z * eye.step) + height / 2, x / (z * eye.step) + width / 2
    if not (0 <= row < height and 0 <= across < width):
        return None
    reach = max(1, height // 64)
    rows = slice(max(0, int(row) - reach), int(row) + reach + 1)
    columns = slice(max(0, int(across) - reach), int(across) + reach + 1)
    free = float((depth[rows, columns] > z - 0.4).mean())
    strength = lamp.dazzle * free * _turned_here(lamp, eye)
    if strength < 0.02:
        return None
    right, down = _grid(eye.size_px)
    radius = CORE * lamp.glow_m / (z * eye.step * height)
    middle = (across - width / 2) / height, (row - height / 2) / height
    return strength, radius, right - np.float32(middle[0]), down - np.float32(middle[1])


def _turned_here(lamp: Lamp, eye: Eye) -> float:
    """How much a lamp that shines one way faces the eye, 0..1."""
    if lamp.aim is None:
        return 1.0
    towards = eye.position_m - np.asarray(lamp.position_m)
    cosine = float(np.asarray(lamp.aim) @ towards) / float(np.linalg.norm(towards))
    return max(0.0, cosine) ** 6


def hiding(
    lamps: Sequence[Lamp], marks: Sequence[tuple[Film, Marks]], eye: Eye, depth: Plane
) -> Iterator[tuple[Instance, NDArray[np.bool_]]]:
    """Each instance on the glass, or blinding it, with the pixels that are its own."""
    for lamp in lamps:
        seen = _blinding(lamp, eye, depth) if lamp.instance else None
        if seen is not None and lamp.instance is not None:
            strength, radius, right, down = seen
            core = np.exp(-((right**2 + down**2) / np.float32(radius**2))) * strength
            yield lamp.instance, core > HIDDEN
    for film, each in marks:
        if film.instance is not None:
            yield film.instance, each.cover > HIDDEN
