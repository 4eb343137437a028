"""What hides the road without standing on it: dust, fog, spray, low suns, and dirt on the glass."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from hartsim.scenario.compiled import Conditions
from hartsim.types import Instance, Pose
from hartsim.worlds.motion import STILL, carried
from hartsim.worlds.stage import Colour, Film, Lamp, Prop, Puff

Rng = np.random.Generator
Cloud = Callable[[Rng, Instance], list[Puff]]

SCATTERED = 0.35
"""What a cloud sends back of light that reaches it from all over: it is never quite dark."""

SUN_M, SUN_RAD = 900.0, math.radians(12)
"""How far off a low sun is put, and how high."""
SUN_HALO_M = 150.0
SUNLIGHT: Mapping[str, Colour] = {
    "day": (1.0, 0.95, 0.82),
    "dusk": (1.0, 0.72, 0.42),
    "dawn": (1.0, 0.82, 0.62),
}
"""The light of a low sun by the hour; at night there is none."""

FILMS: Mapping[str, Literal["dirt", "drops"]] = {"dirty_lens": "dirt", "lens_drops": "drops"}
"""Kinds that lie on the glass of the camera."""


def bank(colour: Colour, opacity: float, low: float) -> Cloud:
    """A cloud that fills its instance's box; the greater `low`, the more of it hugs the ground."""

    def blow(rng: Rng, instance: Instance) -> list[Puff]:
        box, puffs = instance.box, []
        length, width, height = box.size_m
        middle = Pose(box.centre_m, box.heading_rad)
        count = 15
        for k in range(count):
            aside = (k // 3 / (count // 3 - 1) - 0.5) * 0.72 * width + float(rng.normal(0, 0.25))
            along, rise = float(rng.uniform(-0.36, 0.36)) * length, float(rng.uniform(0, 1))
            z = height * (0.1 + 0.62 * rise ** (1 + low) - 0.5)
            tone = float(rng.uniform(0.88, 1.06))
            shade = (colour[0] * tone, colour[1] * tone, colour[2] * tone)
            radius = float(rng.uniform(0.44, 0.64)) * height * (1.15 - 0.35 * rise)
            at = carried((along, aside, z), STILL, middle)
            puffs.append(Puff(at, radius, shade, opacity, SCATTERED, instance))
        return puffs

    return blow


def spray(rng: Rng, instance: Instance) -> list[Puff]:
    """Plumes of water behind the wheels of a lorry, which meet behind it."""
    box, puffs = instance.box, []
    length, width = box.size_m[:2]
    middle = Pose((*box.centre_m[:2], 0.0), box.heading_rad)
    for side in (-1, 1):
        for back in np.linspace(0, 1, 9).tolist():
            x = -0.27 * length - 3.4 * back + float(rng.normal(0, 0.12))
            y = side * width * (0.56 + 0.1 * back) + float(rng.normal(0, 0.15))
            z = 0.3 + 1.5 * math.sqrt(back) * float(rng.uniform(0.75, 1.1))
            white = float(rng.uniform(0.86, 0.98))
            colour, radius = (white, white * 1.01, white * 1.03), 0.5 + 0.7 * back
            at = carried((x, y, z), STILL, middle)
            puffs.append(Puff(at, radius, colour, 0.8 - 0.3 * back, SCATTERED, instance))
    return puffs


CLOUDS: Mapping[str, Cloud] = {
    "dust_cloud": bank((0.77, 0.65, 0.48), 0.66, 0.4),
    "fog_bank": bank((0.87, 0.89, 0.91), 0.8, 0.8),
    "tyre_spray": spray,
}
"""Kinds with a cloud of their own."""


def films_on(props: Sequence[Prop], seed: int) -> tuple[Film, ...]:
    """What lies on the glass of every camera."""
    return tuple(
        Film(FILMS[each.kind], each.box.centre_m, seed, each)
        for each in _instances(props)
        if each.kind in FILMS
    )


def low_suns(props: Sequence[Prop], conditions: Conditions) -> list[Lamp]:
    """The suns that dazzle, each low in the sky above its place on the road."""
    colour = SUNLIGHT.get(conditions.time_of_day)
    suns = [each for each in _instances(props) if each.kind == "sun_glare"]
    if colour is None:
        return []
    lamps = []
    for sun in suns:
        x, y, _ = sun.box.centre_m
        azimuth = math.atan2(y, x)
        level = SUN_M * math.cos(SUN_RAD)
        at = (level * math.cos(azimuth), level * math.sin(azimuth), SUN_M * math.sin(SUN_RAD))
        lamps.append(Lamp(at, colour, 0.0, glow_m=SUN_HALO_M, dazzle=1.0, instance=sun))
    return lamps


def under(suns: Sequence[Lamp], conditions: Conditions) -> Conditions:
    """The conditions with their sun where a low one dazzles."""
    if not suns:
        return conditions
    x, y, _ = suns[0].position_m
    azimuth, cloud = math.atan2(y, x), min(conditions.cloud, 0.45)
    return replace(conditions, sun_elevation_rad=SUN_RAD, sun_azimuth_rad=azimuth, cloud=cloud)


def _instances(props: Sequence[Prop]) -> list[Instance]:
    return [prop.instance for prop in props if prop.instance is not None]
