"""Moods: the light, the air and the sky of an hour and a weather."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hartsim.scenario.compiled import Conditions
from hartsim.types import Image
from hartsim.worlds.stage import Colour, Grade, Lighting, Weather
from hartsim.worlds.textures import noise
from hartsim.worlds.weather import SKY_SPAN_RAD

SKY_PX = (160, 320)
LOWEST_SUN_RAD = math.radians(7)
"""Lower suns would stretch shadows over the whole street."""

Planes = NDArray[np.float32]


@dataclass(frozen=True)
class Mood:
    """The colours of an hour: `zenith`, `middle`, `horizon` of its sky, `under` its clouds.

    `overcast` and `overcast_haze` are the sky's light and the air's colour below clouds.
    """

    sun: Colour
    sky: Colour
    overcast: Colour
    haze: Colour
    overcast_haze: Colour
    zenith: Colour
    middle: Colour
    horizon: Colour
    cloud: Colour
    under: Colour
    exposure: float
    visibility_m: float
    grade: Grade


MOODS: Mapping[str, Mood] = {
    "day": Mood(
        sun=(0.86, 0.79, 0.66),
        sky=(0.44, 0.49, 0.58),
        overcast=(0.78, 0.81, 0.86),
        haze=(0.7, 0.8, 0.89),
        overcast_haze=(0.73, 0.76, 0.79),
        zenith=(0.22, 0.44, 0.76),
        middle=(0.43, 0.64, 0.88),
        horizon=(0.78, 0.87, 0.93),
        cloud=(0.99, 0.98, 0.97),
        under=(0.72, 0.77, 0.84),
        exposure=1.14,
        visibility_m=2600,
        grade=Grade(1.08, 1.12, (1.01, 1.0, 0.98), 0.0, 0.12),
    ),
    "dusk": Mood(
        sun=(0.94, 0.5, 0.22),
        sky=(0.4, 0.37, 0.5),
        overcast=(0.58, 0.55, 0.62),
        haze=(0.76, 0.5, 0.42),
        overcast_haze=(0.55, 0.5, 0.53),
        zenith=(0.19, 0.21, 0.44),
        middle=(0.6, 0.38, 0.5),
        horizon=(1.0, 0.64, 0.34),
        cloud=(0.98, 0.55, 0.42),
        under=(0.42, 0.32, 0.46),
        exposure=0.92,
        visibility_m=2000,
        grade=Grade(1.07, 1.1, (1.02, 0.99, 1.0), 0.3, 0.18),
    ),
    "dawn": Mood(
        sun=(0.92, 0.66, 0.46),
        sky=(0.45, 0.48, 0.6),
        overcast=(0.58, 0.58, 0.66),
        haze=(0.84, 0.76, 0.78),
        overcast_haze=(0.62, 0.62, 0.68),
        zenith=(0.33, 0.47, 0.72),
        middle=(0.67, 0.67, 0.8),
        horizon=(1.0, 0.81, 0.7),
        cloud=(1.0, 0.84, 0.8),
        under=(0.62, 0.6, 0.72),
        exposure=0.9,
        visibility_m=1400,
        grade=Grade(1.05, 1.1, (1.01, 0.99, 1.01), 0.25, 0.14),
    ),
    "night": Mood(
        sun=(0.0, 0.0, 0.0),
        sky=(0.34, 0.4, 0.58),
        overcast=(0.36, 0.38, 0.48),
        haze=(0.05, 0.065, 0.12),
        overcast_haze=(0.1, 0.1, 0.13),
        zenith=(0.015, 0.025, 0.07),
        middle=(0.035, 0.055, 0.13),
        horizon=(0.1, 0.11, 0.19),
        cloud=(0.12, 0.12, 0.17),
        under=(0.06, 0.065, 0.1),
        exposure=0.42,
        visibility_m=1200,
        grade=Grade(1.06, 1.08, (1.0, 1.0, 1.03), 0.4, 0.2),
    ),
}


def light_of(conditions: Conditions, seed: int) -> tuple[Lighting, Weather, Grade]:
    """The light, the weather in the air and the finishing look of these conditions."""
    mood = MOODS[conditions.time_of_day]
    grey = min(1.0, conditions.cloud * 1.25)
    sky = mixed(mood.sky, _times(mood.overcast, 0.9), grey)
    sun = _times(mood.sun, 1 - grey)
    bright_ground = 0.8 if conditions.snow_cover > 0.3 else 0.55
    ground = mixed(_times(sky, bright_ground), _times(sun, 0.45), 0.3)
    brighter = 0.0 if conditions.time_of_day == "night" else 0.18 * grey
    lighting = Lighting(
        direction=_sunlight(conditions),
        sun=sun,
        sky=sky,
        ground=ground,
        exposure=mood.exposure * (1 + brighter),
        contact=0.6 + 0.15 * grey,
        contact_area_m=(-3.0, 45.0, -14.0, 18.0),
    )
    air = mixed(mood.haze, mood.overcast_haze, grey)
    if conditions.time_of_day == "night":
        # fog sends the light of headlamps and street lamps back
        air = mixed(air, (0.25, 0.24, 0.24), 0.75 * max(0.0, 1 - conditions.visibility_m / 250))
    weather = Weather(
        visibility_m=min(conditions.visibility_m, mood.visibility_m),
        fog_colour=air,
        rain=conditions.rain,
        snow=conditions.snow,
        wetness=conditions.wetness,
        snow_cover=conditions.snow_cover,
        seed=seed,
    )
    return lighting, weather, mood.grade


def _sunlight(conditions: Conditions) -> tuple[float, float, float]:
    elevation = max(conditions.sun_elevation_rad, LOWEST_SUN_RAD)
    level, azimuth = math.cos(elevation), conditions.sun_azimuth_rad
    return -level * math.cos(azimuth), -level * math.sin(azimuth), -math.sin(elevation)


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """`share` of the other colour and the rest of the one."""
    r, g, b = (a + (c - a) * share for a, c in zip(one, other, strict=True))
    return r, g, b


def _times(colour: Colour, factor: float) -> Colour:
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def sky_image(conditions: Conditions, seed: int) -> Image:
    """The sky of the hour with its clouds, horizon in the bottom row, as `Stage.sky` wants it."""
    mood = MOODS[conditions.time_of_day]
    sky = _gradient(mood)
    if conditions.time_of_day == "night":
        _add_stars(sky, seed, conditions.cloud)
    else:
        _add_sun(sky, conditions, mood)
    _add_clouds(sky, conditions.cloud, mood, seed % 16)
    return np.asarray(np.clip(sky * 255 + 0.5, 0, 255), np.uint8)


def _gradient(mood: Mood) -> Planes:
    height, width = SKY_PX
    up = np.linspace(1, 0, height, dtype=np.float32)[:, None, None]
    zenith, middle, horizon = (
        np.asarray(colour, np.float32) for colour in (mood.zenith, mood.middle, mood.horizon)
    )
    low, high = np.clip(up / 0.38, 0, 1) ** 0.8, np.clip((up - 0.25) / 0.75, 0, 1)
    sky = horizon + (middle - horizon) * low
    return np.broadcast_to(sky + (zenith - sky) * high, (height, width, 3)).copy()


def _add_sun(sky: Planes, conditions: Conditions, mood: Mood) -> None:
    """The sun and the glow round it, if it stands in the part of the sky that the image shows."""
    azimuth = math.remainder(conditions.sun_azimuth_rad, 2 * math.pi)
    veil = 1 - min(1.0, conditions.cloud * 1.2)
    if abs(azimuth) > math.radians(80) or veil <= 0:
        return
    height, width = SKY_PX
    column = (0.5 - azimuth / (4 * SKY_SPAN_RAD)) * width
    row = height * (1 - max(conditions.sun_elevation_rad, 0.04) / SKY_SPAN_RAD)
    rows = np.arange(height, dtype=np.float32)[:, None]
    columns = np.arange(width, dtype=np.float32)
    away = np.hypot(rows - row, columns - column)
    glow = 0.5 * np.exp(-away / 46) + 1.2 * np.exp(-((away / 7) ** 2))
    warm = np.minimum(np.asarray(mood.sun, np.float32) * 1.15 + 0.1, 1.0)
    sky += (glow * np.float32(veil))[..., None] * (warm - 0.35 * sky)


def _add_stars(sky: Planes, seed: int, cloud: float) -> None:
    rng = np.random.default_rng([seed, 3])
    count = int(200 * (1 - cloud))
    rows, columns = rng.integers(0, SKY_PX[0] - 20, count), rng.integers(0, SKY_PX[1], count)
    sky[rows, columns] += rng.uniform(0.15, 0.7, (count, 1)).astype(np.float32)


@lru_cache(maxsize=24)
def _cloud_field(seed: int) -> tuple[Planes, Planes]:
    """How thick clouds are over the sky, and how much light falls on them, both (H, W) about 0.

    Clouds lie on a ceiling: towards the horizon they crowd together.
    """
    height, width = SKY_PX
    field = noise(np.random.default_rng([seed, 9]), 1.75, 1, 100)
    elevation = np.linspace(SKY_SPAN_RAD, math.radians(2.5), height)
    distance = 1 / np.tan(elevation)
    rows = np.mod(distance * 24, 256).astype(np.intp)[:, None]
    columns = np.linspace(-0.5, 0.5, width) * (60 + 26 * distance[:, None])
    places = np.mod(columns, 256).astype(np.intp)
    thick = field[rows, places]
    return thick, thick - field[(rows + 5) % 256, places]


def _add_clouds(sky: Planes, cloud: float, mood: Mood, seed: int) -> None:
    thick, relief = _cloud_field(seed)
    amount = min(cloud * 1.25 + 0.36, 1.25)
    share = np.clip((thick + np.float32(2.2 * amount - 1.3)) * np.float32(1.8), 0, 1)
    lit = np.clip(0.5 + 0.9 * relief, 0, 1)[..., None]
    light, shade = np.asarray(mood.cloud, np.float32), np.asarray(mood.under, np.float32)
    if cloud > 0.5:
        haze = np.asarray(mood.overcast_haze, np.float32)
        light, shade = haze * np.float32(1.1), haze * np.float32(0.82)
    else:
        rise = np.linspace(45, 2.5, SKY_PX[0], dtype=np.float32)[:, None]
        share = share * np.clip(rise / 6 - 0.35, 0, 1)
    sky += (shade + (light - shade) * lit - sky) * share[..., None]


SKIES: Mapping[str, tuple[str, str, float]] = {
    "clear_sky": ("clear blue sky with a few clouds", "day", 0.1),
    "cloudy_sky": ("blue sky with many white clouds", "day", 0.42),
    "grey_sky": ("overcast grey sky", "day", 0.95),
    "evening_sky": ("orange and purple evening sky", "dusk", 0.2),
    "morning_sky": ("pink and pale blue morning sky", "dawn", 0.2),
    "night_sky": ("black night sky with stars", "night", 0.05),
}
"""Skies as textures: what each shows, its hour and its clouds."""


def sky_texture(name: str, seed: int) -> Image:
    """One of SKIES; the sun's place and the clouds come from the seed."""
    _, hour, cloud = SKIES[name]
    rng = np.random.default_rng([seed, *name.encode()])
    low, high = (0.05, 0.12) if hour in ("dusk", "dawn") else (0.3, 0.7)
    height, azimuth = rng.uniform(low, high), rng.uniform(-math.pi, math.pi)
    conditions = Conditions(
        "", "", hour, cloud=cloud, sun_elevation_rad=height, sun_azimuth_rad=azimuth
    )
    return sky_image(conditions, seed)
