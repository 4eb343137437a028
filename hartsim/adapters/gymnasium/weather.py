"""Weather put before a picture: fog, falling rain and snow, dirt and drops on the camera's glass.

Fog thickens with depth; drops and flakes fall through the air before the camera and are hidden by
what is nearer; both are the same whenever the occasion and the time are. What lies on the ground,
such as snow or wet, is the world's business and left alone. A deer in fog is still labelled a deer;
where the glass hides more than half of what lies behind, the label is that of the dirt.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from hartsim.adapters.gymnasium.looks import Occasion, Told, View, Worn
from hartsim.adapters.gymnasium.precipitation import Falling, rain, snow
from hartsim.scenario.compiled import CameraSetup
from hartsim.scenario.draw import stream
from hartsim.scenario.kinds import KINDS
from hartsim.scenario.surroundings import WEATHERS
from hartsim.scenario.words import suggestion
from hartsim.types import CLASS_ID, Depth, Image, Size
from hartsim.worlds.lens import HIDDEN, Marks, marks_of
from hartsim.worlds.motion import STILL
from hartsim.worlds.mounting import mounted
from hartsim.worlds.stage import Film
from hartsim.worlds.veils import FILMS

Plane = NDArray[np.float32]
Planes = NDArray[np.float32]
"""A picture of 0..255 as (3, H, W): the order in which NumPy is fast."""

DepthOf = Callable[[View], Depth]
"""Where the depth of a view comes from."""

SKY_M = 500.0
"""What is farther than this is taken for the sky."""
AIR_TO_SKY_M = 110.0
"""How much foggy air one sees through towards the sky straight above; more near the horizon."""
KOSCHMIEDER = 3.912
"""-ln 0.02: contrast at the meteorological range is two per cent."""

BEHIND = (-10.0, 0.0, 0.0)
"""A place out of sight: spots on the glass then lie anywhere."""

GREY: tuple[float, float, float] = (0.97, 1.0, 1.02)
"""Fog is nearly white."""


@dataclass(frozen=True)
class Air:
    """What is in the air, and on the glass: amounts 0..1, and how far one sees."""

    visibility_m: float = math.inf
    rain: float = 0.0
    snow: float = 0.0
    glass: Literal["dirt", "drops"] | None = None
    cover: float = 1.0


def weather_names() -> list[str]:
    """What `air_of` knows: weathers that are seen in the air, and kinds that lie on the glass."""
    seen = {"visibility_m", "rain", "snow"}
    return [id for id, each in WEATHERS.items() if seen & set(each.numbers)] + list(FILMS)


def air_of(weather: str, strength: float) -> Air:
    """The air in a weather of the catalogue, or behind dirt or drops, at a strength 0..1.

    ValueError lists what there is.
    """
    if weather not in weather_names():
        hint = suggestion(weather, weather_names())
        raise ValueError(f"weather is '{weather}', which is not seen in the air; {hint}")
    if weather in FILMS:
        return Air(glass=FILMS[weather], cover=0.35 + 0.65 * strength)
    numbers = {name: slope.at(strength) for name, slope in WEATHERS[weather].numbers.items()}
    return Air(
        numbers.get("visibility_m", math.inf), numbers.get("rain", 0.0), numbers.get("snow", 0.0)
    )


def flat_depth(camera: CameraSetup, size_px: Size) -> Depth:
    """The depth that flat ground at height 0 has in a camera's picture, and above it the sky."""
    return _geometry(camera, size_px).flat_m


@dataclass(frozen=True, eq=False)
class Geometry:
    """What a camera's pixels look at: how long a ray is for each metre of depth, and how high."""

    stretch: Plane
    sky_m: Plane
    """How much air lies before the sky, in metres."""
    flat_m: Depth
    focal_px: float


@lru_cache(maxsize=16)
def _geometry(camera: CameraSetup, size_px: Size) -> Geometry:
    eye = mounted(camera, STILL, size_px)
    level = np.hypot(eye.rays[0], eye.rays[1])
    elevation = np.arctan2(eye.rays[2], level) / np.float32(math.radians(45))
    down = np.maximum(-eye.rays[2], np.float32(1e-6))
    flat = np.float32(camera.position_m[2]) / down
    flat[flat > SKY_M] = np.inf
    return Geometry(
        stretch=eye.stretch,
        sky_m=np.float32(AIR_TO_SKY_M) / (np.float32(0.15) + 2 * np.maximum(elevation, 0)),
        flat_m=flat,
        focal_px=1 / eye.step,
    )


@dataclass(frozen=True)
class Weather:
    """What the air does to pictures; `air` says how it is on an occasion, `name` what it is called.

    `camera` is where the picture is taken from.
    """

    changes: ClassVar = frozenset({"image", "labels"})

    name: str
    air: Callable[[Occasion], Air]
    depth_of: DepthOf
    camera: CameraSetup

    def choose(self, occasion: Occasion, view: View) -> "WornWeather":
        """The air of this occasion: as bright as the view, with drops or flakes of its own."""
        air = self.air(occasion)
        rng = stream("weather", *occasion)
        geometry = _geometry(self.camera, view.size_px)
        light = _light_in(view.image)
        falling = []
        if air.rain > 0:
            falling.append(rain(air.rain, rng, geometry.focal_px, view.size_px))
        if air.snow > 0:
            falling.append(snow(air.snow, rng, geometry.focal_px, view.size_px))
        marks = None
        if air.glass is not None:
            film = Film(air.glass, BEHIND, int(rng.integers(2**31)))
            marks = _Glass.of(marks_of(film, self.camera, view.size_px), air, light)
        told: dict[str, str | int | float] = {"weather": self.name}
        if math.isfinite(air.visibility_m):
            told["visibility_m"] = air.visibility_m
        told |= {name: v for name, v in (("rain", air.rain), ("snow", air.snow)) if v > 0}
        return WornWeather(self, air, geometry, light, tuple(falling), marks, told)

    def together(self, worn: Sequence[Worn]) -> None:
        """Nothing: each shows its own."""


def _light_in(image: Image) -> Planes:
    """The colour of fog in this light, 0..255 (3, 1, 1).

    It is as bright as the brighter parts of what is seen, and a little of their colour.
    """
    pixels = image.reshape(-1, 3)
    bright = np.clip(np.percentile(pixels.mean(axis=1), 80) * 1.05 + 10, 20, 225)
    mean = pixels.mean(axis=0) + 1
    tint = 0.75 * np.asarray(GREY) + 0.25 * mean / mean.mean()
    light: Planes = (bright * tint).astype(np.float32)[:, None, None]
    return light


@dataclass(frozen=True, eq=False)
class WornWeather:
    """The air of an occasion."""

    look: Weather
    air: Air
    geometry: Geometry
    light: Planes
    falling: tuple[Falling, ...]
    glass: "_Glass | None"
    told: Told

    def show(self, view: View) -> None:
        """Put the weather before the picture."""
        is_clear = not math.isfinite(self.air.visibility_m)
        if is_clear and not self.falling and self.glass is None:
            return
        picture = np.ascontiguousarray(view.image.transpose(2, 0, 1), np.float32)
        if self.falling or not is_clear:
            depth = self.look.depth_of(view)
            if not is_clear:
                self._fog(picture, depth)
            for each in self.falling:
                cover = each.cover(view.time_s, depth)
                picture += (each.white * self.light - picture) * cover
        if self.glass is not None:
            self.glass.put_before(picture)
            if view.labels is not None:
                view.labels[self.glass.hidden] = self.glass.class_id
        np.clip(np.rint(picture, out=picture), 0, 255, out=picture)
        view.image[:] = picture.transpose(1, 2, 0)

    def _fog(self, picture: Planes, depth: Depth) -> None:
        distance = np.where(depth < SKY_M, depth * self.geometry.stretch, self.geometry.sky_m)
        clear = np.exp(distance * np.float32(-KOSCHMIEDER / self.air.visibility_m))
        picture -= self.light
        picture *= clear
        picture += self.light


@dataclass(frozen=True, eq=False)
class _Glass:
    """Dirt or drops: `cover` of what is `shown` instead, or of the picture's pixels `source`."""

    cover: Plane
    shown: Planes | None
    source: NDArray[np.intp] | None
    gain: Plane
    hidden: NDArray[np.bool_]
    class_id: int

    @classmethod
    def of(cls, marks: Marks, air: Air, light: Planes) -> "_Glass":
        cover = marks.cover * np.float32(air.cover)
        shown = None
        if marks.colour is not None:
            lit = np.minimum(np.float32(1.15) * light, 255)
            shown = marks.colour * lit
        kind = next(kind for kind, glass in FILMS.items() if glass == air.glass)
        return cls(
            cover=cover,
            shown=shown,
            source=marks.source,
            gain=marks.gain,
            hidden=cover > HIDDEN,
            class_id=CLASS_ID[KINDS[kind].class_name],
        )

    def put_before(self, picture: Planes) -> None:
        """Show the glass before a picture, in place."""
        shown = self.shown
        if shown is None:
            assert self.source is not None
            shown = picture.reshape(3, -1)[:, self.source] * self.gain
        picture += (shown - picture) * self.cover


def of_catalogue(
    weather: str, strength: float | None, visibility_m: float | None
) -> Callable[[Occasion], Air]:
    """How the air is in a weather: as strong as asked for, or of another strength each time."""
    if strength is not None and not 0 <= strength <= 1:
        raise ValueError(f"strength is {strength}, must be 0..1, or None for another each time")
    if visibility_m is not None and not visibility_m > 0:
        raise ValueError(f"visibility_m is {visibility_m}, must be more than 0")
    air_of(weather, 0.0)  # or it is refused now

    def air(occasion: Occasion) -> Air:
        drawn = float(stream("strength", *occasion).random()) if strength is None else strength
        found = air_of(weather, drawn)
        if visibility_m is None:
            return found
        return Air(visibility_m, found.rain, found.snow, found.glass, found.cover)

    return air
