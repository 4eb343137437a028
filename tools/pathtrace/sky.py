# SPDX-License-Identifier: GPL-3.0-or-later
"""Skies painted with numpy: a clear gradient, clouds, the glow round the sun, the night."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tools.pathtrace.surfaces import noise


def sun_direction(conditions: Mapping[str, Any]) -> np.ndarray:
    """Towards the sun."""
    e, a = conditions["sun_elevation_rad"], conditions["sun_azimuth_rad"]
    return np.array([math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)])


def horizon_colour(conditions: Mapping[str, Any]) -> np.ndarray:
    """The light of the sky near the horizon, which is also what far fog looks like."""
    time, cloud = conditions["time_of_day"], conditions["cloud"]
    clear = {
        "day": (0.78, 0.88, 1.0),
        "dusk": (0.62, 0.42, 0.33),
        "dawn": (0.62, 0.5, 0.46),
        "night": (0.005, 0.0055, 0.008),
    }[time]
    dull = {
        "day": (0.8, 0.83, 0.87),
        "dusk": (0.3, 0.29, 0.33),
        "dawn": (0.38, 0.38, 0.42),
        "night": (0.0065, 0.0062, 0.0065),
    }[time]
    share = float(np.clip((cloud - 0.35) / 0.5, 0, 1))
    return np.array(clear) * (1 - share) + np.array(dull) * share


def sun_light(conditions: Mapping[str, Any]) -> tuple[float, np.ndarray, float]:
    """Power, colour and softness (radians) of the sun, or of the moon at night."""
    if conditions["time_of_day"] == "night":
        return 0.02 * (1 - 0.8 * conditions["cloud"]), np.array([0.7, 0.8, 1.0]), 0.02
    height = max(math.sin(conditions["sun_elevation_rad"]), 0.0)
    low = math.exp(-height * 7)
    colour = np.array([1.0, 0.96 - 0.42 * low, 0.9 - 0.72 * low])
    veil = conditions["cloud"]
    if conditions["visibility_m"]:
        veil = max(veil, 1 - conditions["visibility_m"] / 500)
    power = (1.2 + 7.0 * min(1.0, height * 1.6)) * (1 - np.clip(veil * 1.25 - 0.2, 0, 1)) ** 1.5
    return float(power), colour, 0.01 + 0.25 * veil**2


def paint(conditions: Mapping[str, Any], rng: np.random.Generator, width: int = 2048) -> np.ndarray:
    """The sky all round: linear (width / 2, width, 3); column 0 looks behind (azimuth π)."""
    half = width // 4
    elevation = (np.arange(half, 0, -1) - 0.5) / half * (math.pi / 2)
    azimuth = math.pi - (np.arange(width) + 0.5) / width * 2 * math.pi
    z = np.sin(elevation)[:, None] + 0 * azimuth[None, :]
    x = np.cos(elevation)[:, None] * np.cos(azimuth)[None, :]
    y = np.cos(elevation)[:, None] * np.sin(azimuth)[None, :]
    sun = sun_direction(conditions)
    near = np.clip(x * sun[0] + y * sun[1] + z * sun[2], -1, 1)
    time, cloud = conditions["time_of_day"], conditions["cloud"]
    sky = _gradient(z, near, conditions)
    if conditions["visibility_m"] is None or conditions["visibility_m"] > 600:
        density = _clouds(x, y, z, cloud, rng)
        sky = _with_clouds(sky, density, z, near, conditions)
    else:
        sky[:] = horizon_colour(conditions) * (0.95 + 0.2 * z[..., None])
    if time == "night" and cloud < 0.5:
        stars = rng.uniform(size=sky.shape[:2]) > 0.9992
        sky[stars] += rng.uniform(0.01, 0.08, (int(stars.sum()), 1))
    full = np.empty((2 * half, width, 3), np.float32)
    full[:half] = sky
    full[half:] = 0.22 * horizon_colour(conditions)
    return full


def _gradient(z: np.ndarray, near: np.ndarray, conditions: Mapping[str, Any]) -> np.ndarray:
    time = conditions["time_of_day"]
    zenith = {
        "day": (0.13, 0.29, 0.72),
        "dusk": (0.07, 0.1, 0.22),
        "dawn": (0.1, 0.15, 0.28),
        "night": (0.001, 0.0013, 0.0028),
    }[time]
    clear = {**conditions, "cloud": 0.0}
    rise = np.clip(1 - z, 0, 1)[..., None] ** 3.2
    sky = np.array(zenith) * (1 - rise) + horizon_colour(clear) * rise
    if time != "night":
        low = time in ("dusk", "dawn")
        glow = np.array([1.0, 0.55, 0.22]) if low else np.array([1.0, 0.97, 0.9])
        halo = 0.9 * np.exp((near - 1) * 40) + (0.5 if low else 0.25) * np.exp((near - 1) * 6)
        sky = sky + halo[..., None] * glow * ((1 - z[..., None]) ** 2 if low else 0.8)
    return sky


def _clouds(
    x: np.ndarray, y: np.ndarray, z: np.ndarray, cloud: float, rng: np.random.Generator
) -> np.ndarray:
    """Cloud thickness for each direction: 0 none, 1 closed, above that darker from below."""
    field = noise(rng, 512, 1.5, 1.55) + 0.25 * noise(rng, 512, 12, 1.2)
    lift = z + 0.18
    turn = rng.uniform(0, 2 * math.pi)
    u = (x * math.cos(turn) - y * math.sin(turn)) / lift * 95
    v = (x * math.sin(turn) + y * math.cos(turn)) / lift * 95
    i, j = np.floor(v).astype(int), np.floor(u).astype(int)
    fv, fu = v - i, u - j
    value = 0.0
    for di, wv in ((0, 1 - fv), (1, fv)):
        for dj, wu in ((0, 1 - fu), (1, fu)):
            value = value + field[(i + di) % 512, (j + dj) % 512] * wv * wu
    threshold = 1.9 - 4.2 * cloud
    return np.clip((value - threshold) / 1.6, 0, 3)


def _with_clouds(
    sky: np.ndarray,
    density: np.ndarray,
    z: np.ndarray,
    near: np.ndarray,
    conditions: Mapping[str, Any],
) -> np.ndarray:
    time, cloud = conditions["time_of_day"], conditions["cloud"]
    white, grey = {
        "day": ((1.25, 1.22, 1.18), (0.5, 0.53, 0.58)),
        "dusk": ((0.85, 0.5, 0.38), (0.15, 0.14, 0.18)),
        "dawn": ((0.85, 0.6, 0.52), (0.22, 0.22, 0.27)),
        "night": ((0.007, 0.0068, 0.007), (0.003, 0.003, 0.0035)),
    }[time]
    heavy = np.clip(cloud * 1.2 - 0.2, 0, 1) * (1.25 if conditions["rain"] > 0 else 1.0)
    lit = np.array(white) * (0.6 + 0.4 * np.clip(near, 0, 1))[..., None]
    thick = np.clip(0.55 * density, 0, 1.4)
    shade = np.clip(thick * (0.45 + 0.5 * heavy), 0, 1)[..., None]
    body = lit * (1 - shade) + np.array(grey) * shade
    haze = np.clip(1 - z * 4, 0, 1)[..., None] ** 2 * 0.6
    body = body * (1 - haze) + horizon_colour(conditions) * haze
    body = body * (1.12 - 0.1 * density)[..., None]
    cover = np.clip(density * 1.2, 0, 1)[..., None]
    cover = cover * cover * (3 - 2 * cover)
    return sky * (1 - cover) + body * cover
