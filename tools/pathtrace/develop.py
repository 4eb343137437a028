# SPDX-License-Identifier: GPL-3.0-or-later
"""From linear light to a photograph: fog, rain, glow, exposure, film curve, lens and grain."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tools.pathtrace.stage import Rendered


def develop(
    shot: Rendered,
    conditions: Mapping[str, Any],
    air: np.ndarray,
    rng: np.random.Generator,
    indoors: bool,
) -> np.ndarray:
    """The photograph, uint8 (h, w, 3); `air` is the colour of lit fog in the scene's light."""
    light = np.maximum(shot.light, 0)
    if not indoors:
        light = _fog(light, shot.depth_m, conditions, air)
    exposure = _exposure(light, conditions, indoors, rng)
    light = light * exposure
    light = _glow(light, 0.05 if indoors else 0.09)
    if not indoors:
        light = _falling(light, shot, conditions, rng)
    warm = float(rng.normal(0, 0.025))
    light = light * np.array([1 + warm, 1.0, 1 - warm])
    light = _vignette(light, float(rng.uniform(0.05, 0.22)))
    image = _film(light, contrast=float(rng.uniform(0.96, 1.1)))
    image = _saturate(image, float(rng.uniform(0.92, 1.12)))
    noise = rng.normal(0, 1, image.shape[:2])[..., None] * float(rng.uniform(0.002, 0.008))
    return np.clip(255 * (image + noise) + 0.5, 0, 255).astype(np.uint8)


def _fog(
    light: np.ndarray, depth_m: np.ndarray, conditions: Mapping[str, Any], air: np.ndarray
) -> np.ndarray:
    visibility = conditions["visibility_m"] or 4000.0
    rain, snow = conditions["rain"], conditions["snow"]
    if rain > 0 or snow > 0:
        visibility = min(visibility, 900.0 - 600.0 * max(rain, snow))
    clear = np.exp(-3.0 * np.minimum(depth_m, 1200.0) / visibility)
    # The sky is as far as it gets, but in clear air it keeps its own colour.
    veiled = 1.0 - math.exp(-3.0 * 1200.0 / visibility) if visibility < 3000 else 0.0
    clear = np.where(np.isinf(depth_m), 1 - veiled, clear)
    clear = _soft_edges(clear)[..., None]
    return light * clear + air * (1 - clear)


def _soft_edges(field: np.ndarray) -> np.ndarray:
    """The field, averaged over 3x3 pixels, as the light at silhouettes is."""
    padded = np.pad(field, 1, mode="edge")
    rows = 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]
    return 0.25 * rows[:, :-2] + 0.5 * rows[:, 1:-1] + 0.25 * rows[:, 2:]


def _exposure(
    light: np.ndarray, conditions: Mapping[str, Any], indoors: bool, rng: np.random.Generator
) -> float:
    luma = light @ np.array([0.2126, 0.7152, 0.0722])
    middle = math.exp(float(np.mean(np.log(np.clip(luma, 1e-4, 60)))))
    bright = float(np.quantile(luma, 0.94))
    target = 0.15 if not indoors else 0.17
    target *= {"night": 0.38, "dusk": 0.72, "dawn": 0.78}.get(conditions["time_of_day"], 1.0)
    if indoors and conditions["time_of_day"] == "night":
        target = 0.13
    gain = target / max(middle, 1e-4)
    ceiling = 0.8 if conditions["time_of_day"] == "night" and not indoors else 1.5
    gain = min(gain, ceiling / max(bright, 1e-3))
    return gain * math.exp(float(rng.normal(0, 0.13)))


def _glow(light: np.ndarray, share: float) -> np.ndarray:
    """Light that the lens scatters round what is very bright."""
    bright = np.clip(light - 1.2, 0, 12)
    size = light.shape[0]
    f = np.fft.fftfreq(size)
    square = f[:, None] ** 2 + f[None, :] ** 2
    kernel = sum(np.exp(-2 * (math.pi * size * s) ** 2 * square) for s in (0.006, 0.02, 0.06)) / 3
    spread = np.fft.ifft2(np.fft.fft2(bright, axes=(0, 1)) * kernel[..., None], axes=(0, 1))
    return light + share * 3 * np.maximum(np.real(spread), 0)


def _falling(
    light: np.ndarray, shot: Rendered, conditions: Mapping[str, Any], rng: np.random.Generator
) -> np.ndarray:
    """Streaks of rain and flakes of snow; few, as a short exposure shows them."""
    rain, snow = conditions["rain"], conditions["snow"]
    size = light.shape[0]
    unit = size / 256
    layer = np.zeros(light.shape[:2])
    if rain > 0.05:
        slant = float(rng.uniform(-0.2, 0.2))
        for _ in range(int(260 * rain)):
            x, y = rng.uniform(0, size, 2)
            length, power = float(rng.uniform(4, 15)) * unit, float(rng.uniform(0.03, 0.13))
            for t in np.arange(0, length, 0.7):
                i, j = int(y + t), int(x + slant * t)
                if 0 <= i < size and 0 <= j < size:
                    layer[i, j] = max(layer[i, j], power)
    if snow > 0.05:
        for _ in range(int(420 * snow)):
            x, y = rng.uniform(0, size, 2)
            radius = float(rng.choice([0.5, 0.7, 1.0, 1.7], p=[0.45, 0.3, 0.18, 0.07])) * unit
            reach = math.ceil(radius * 2)
            i0, j0 = int(y), int(x)
            for i in range(max(0, i0 - reach), min(size, i0 + reach + 1)):
                for j in range(max(0, j0 - reach), min(size, j0 + reach + 1)):
                    d = math.hypot(i - y, j - x) / radius
                    layer[i, j] = max(layer[i, j], 0.75 * math.exp(-d * d) * min(1, 1 / radius))
    if not layer.any():
        return light
    glow = float(np.quantile(light, 0.8)) * 1.1
    return light * (1 - layer[..., None]) + glow * layer[..., None]


def _vignette(light: np.ndarray, amount: float) -> np.ndarray:
    size = light.shape[0]
    y, x = (np.mgrid[0:size, 0:size] + 0.5) / size - 0.5
    return light * (1 - amount * 2 * (x**2 + y**2))[..., None]


def _film(light: np.ndarray, contrast: float) -> np.ndarray:
    """A film-like curve: a straight middle, a soft toe and shoulder; bright colours go white."""
    peak = light.max(axis=-1, keepdims=True)
    wash = np.clip((peak - 0.9) / 5.0, 0, 0.75)
    light = light * (1 - wash) + peak * wash
    x = np.maximum(light, 1e-6) ** contrast * 0.18 ** (1 - contrast)
    curve = x * (2.3 * x + 0.08) / (x * (2.15 * x + 0.62) + 0.14)
    return np.clip(curve, 0, 1) ** (1 / 2.2)


def _saturate(image: np.ndarray, amount: float) -> np.ndarray:
    grey = image @ np.array([0.2126, 0.7152, 0.0722])
    return np.clip(grey[..., None] + amount * (image - grey[..., None]), 0, 1)
