"""From the conditions of a scene to the fourteen numbers of CARLA's weather.

What they cannot say (snow, ice, mud, dirt on the glass) `overlay.py` adds to the frames.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from hartsim.adapters.carla.coordinates import Anchor
from hartsim.errors import WorldError
from hartsim.scenario.compiled import Conditions, PlacedObject, WorldSetup
from hartsim.worlds.veils import SUN_RAD, SUNLIGHT

FIELDS = (
    "cloudiness",
    "precipitation",
    "precipitation_deposits",
    "wind_intensity",
    "sun_azimuth_angle",
    "sun_altitude_angle",
    "fog_density",
    "fog_distance",
    "fog_falloff",
    "wetness",
    "scattering_intensity",
    "mie_scattering_scale",
    "rayleigh_scattering_scale",
    "dust_storm",
)
"""The fields of `carla.WeatherParameters` of 0.9.16, in the order of its constructor."""

FOG_M = 5644.0
"""Metres of visibility times fog density.

Unreal's exponential height fog of density 1 halves what is seen every 10 m, which is a
meteorological range of 56.4 m; CARLA's 100 is taken for this 1, which its documentation leaves
open.
"""
FOG_FALLOFF = 0.1
"""As in all of CARLA's presets: fog halves every 100 m upwards."""
AIR = {
    "scattering_intensity": 1.0,
    "mie_scattering_scale": 0.03,
    "rayleigh_scattering_scale": 0.0331,
}
"""The clean air of CARLA's presets."""
STANDING = 0.5
"""Roads that are wetter than this have puddles."""
BREEZE = 10.0
"""The wind when nothing falls, as in CARLA's clear presets."""


def weather_numbers(conditions: Conditions, anchor: Anchor | None = None) -> dict[str, float]:
    """All fields of `carla.WeatherParameters` by name.

    The sun of the conditions stands relative to the ego, that of CARLA to the map, where its
    azimuth is the yaw of the way to the sun; `anchor` (default: the map's own axes) says how the
    ego stands. What falls as snow is no rain: CARLA has only that, so snow raises no precipitation.

    WorldError for a number that is out of its range.
    """
    _check(conditions)
    anchor = anchor or Anchor((0.0, 0.0, 0.0))
    frozen = conditions.ground == "icy" or conditions.snow_cover > 0
    standing = 0.0 if frozen else max(0.0, conditions.wetness - STANDING) / (1 - STANDING)
    density = min(100.0, FOG_M / conditions.visibility_m)
    numbers = {
        "cloudiness": 100 * conditions.cloud,
        "precipitation": 100 * conditions.rain,
        "precipitation_deposits": 80 * standing,
        "wind_intensity": BREEZE + 60 * max(conditions.rain, 0.7 * conditions.snow),
        "sun_azimuth_angle": anchor.azimuth_to_carla(conditions.sun_azimuth_rad),
        "sun_altitude_angle": math.degrees(conditions.sun_elevation_rad),
        "fog_density": density,
        "fog_distance": 0.0,
        "fog_falloff": FOG_FALLOFF,
        "wetness": 100 * conditions.wetness,
        **AIR,
        "dust_storm": 0.0,
    }
    return {name: numbers[name] for name in FIELDS}


def conditions_of(setup: WorldSetup) -> Conditions:
    """The conditions of a setup with what its hazards ask of the whole sky: a sun that dazzles.

    WorldError for a sun that dazzles at night.
    """
    suns = [each for each in setup.objects if each.kind == "sun_glare"]
    return _under(suns, setup.conditions)


def _under(suns: Sequence[PlacedObject], conditions: Conditions) -> Conditions:
    if not suns:
        return conditions
    if conditions.time_of_day not in SUNLIGHT:
        raise WorldError(
            f"{suns[0].name}: no sun dazzles at {conditions.time_of_day}; "
            f"take a time of day of: {', '.join(SUNLIGHT)}"
        )
    x, y, _ = suns[0].box.centre_m
    return replace(
        conditions,
        sun_elevation_rad=SUN_RAD,
        sun_azimuth_rad=math.atan2(y, x),
        cloud=min(conditions.cloud, 0.45),
    )


def _check(conditions: Conditions) -> None:
    for name in ("rain", "snow", "wetness", "snow_cover", "cloud"):
        value = getattr(conditions, name)
        if not 0 <= value <= 1:
            raise WorldError(f"conditions: {name} is {value}; it goes from 0 to 1")
    if not conditions.visibility_m > 0:
        raise WorldError(
            f"conditions: visibility_m is {conditions.visibility_m}; it is more than 0 metres"
        )
    if not abs(conditions.sun_elevation_rad) <= math.pi / 2:
        raise WorldError(
            f"conditions: sun_elevation_rad is {conditions.sun_elevation_rad}; "
            "it goes from -pi/2 to pi/2"
        )
    if not math.isfinite(conditions.sun_azimuth_rad):
        raise WorldError(
            f"conditions: sun_azimuth_rad is {conditions.sun_azimuth_rad}; it is an angle"
        )
