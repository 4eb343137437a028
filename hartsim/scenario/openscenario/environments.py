"""Environments: weather, time of day and ground, from OpenSCENARIO's numbers and back."""

import math
from collections.abc import Mapping, Sequence

from hartsim.scenario.openscenario.parameters import value_text
from hartsim.scenario.openscenario.reader import Reader
from hartsim.scenario.openscenario.tree import Element, element
from hartsim.scenario.surroundings import GROUNDS, TIMES, WEATHERS, Slope

_WEATHERS = tuple(id for id, weather in WEATHERS.items() if "driving" in weather.tasks)

CLOUDS: Mapping[str, float] = {"free": 0.0, "cloudy": 0.8, "overcast": 1.0, "rainy": 0.95}
OKTAS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
HOURS: Mapping[str, float] = {"night": 0.0, "dawn": 6.0, "day": 13.0, "dusk": 20.0}
"""What a clock shows at a time of day."""

HEAVY_MM_PER_H = 10.0
"""Rain or snow that counts as full strength."""
CLEAR_M, FAR_M = 1000.0, 100_000.0
"""From where on fog makes no difference to a picture, and what is written where there is none."""

WEIGHTS: Mapping[str, float] = {"rain": 10.0, "snow": 10.0, "visibility_m": 1.0, "cloud": 0.5}
"""How much a difference counts when the nearest weather is looked for."""


GRIP: Mapping[str, float] = {"dry": 1.0, "wet": 0.7, "muddy": 0.5, "snowy": 0.4, "icy": 0.15}
"""How well tyres grip on a ground, 1 on a dry road."""
WET_GRIP: Mapping[str, float] = {"moist": 0.85, "wetWithPuddles": 0.7}
GRIP_LIKE = 0.16
"""Below this difference of grip a road counts as what the weather makes of it."""


def scene_of(reader: Reader, environments: Sequence[Element]) -> dict[str, str]:
    """The weather, time of day and ground that environments say, as fields of a scene."""
    scene: dict[str, str] = {}
    road: Element | None = None
    for each in environments:
        weather, time = weather_of(reader, each), time_of(reader, each)
        scene |= {"weather": weather} if weather else {}
        scene |= {"time_of_day": time} if time else {}
        road = reader.child(each, "RoadCondition") or road
    ground = _ground_of(reader, road, scene.get("weather", "clear"))
    return scene | ({"ground": ground} if ground else {})


def weather_of(reader: Reader, environment: Element) -> str | None:
    """The weather whose numbers come nearest to an environment's; None where it has none."""
    weather = reader.child(environment, "Weather")
    numbers = _numbers(reader, weather) if weather is not None else {}
    if weather is None or not numbers:
        return None
    nearest = min(_WEATHERS, key=lambda id: _distance(id, numbers))
    if _distance(nearest, numbers) > 0:
        reader.note(weather, f"became '{nearest}', the nearest weather", "approximated")
    return nearest


def time_of(reader: Reader, environment: Element) -> str | None:
    """The time of day that the height of the sun, or else the clock, comes nearest to."""
    hour = _hour(reader, reader.child(environment, "TimeOfDay"))
    sun = reader.below(environment, "Weather", "Sun")
    elevation = math.degrees(reader.number(sun, "elevation", math.nan))
    if hour is None and math.isnan(elevation):
        return None
    if elevation == 0 and hour is not None:  # what many files say who mean nothing by it
        elevation = math.nan
    return min(TIMES, key=lambda id: (_too_high(id, elevation), _hours_apart(id, hour)))


def environment(
    name: str, weather: str | None = None, time: str | None = None, ground: str | None = None
) -> Element:
    """An Environment of a weather, a time of day, a ground, or several of them."""
    date = f"2025-06-21T{int(HOURS.get(time or '', 12.0)):02}:00:00"
    clock = element("TimeOfDay", animation="false", dateTime=date)
    return element(
        "Environment",
        clock if time else None,
        _written_weather(weather, time) if weather or time else None,
        _written_road(weather or "clear", ground) if weather or ground else None,
        name=name,
    )


def _ground_of(reader: Reader, road: Element | None, weather: str) -> str | None:
    """The ground that a road's grip is nearest to; None where it is as the weather makes it."""
    grip = reader.number(road, "frictionScaleFactor", 1.0)
    if grip > 0.95:
        grip = WET_GRIP.get(reader.text(road, "wetness"), grip)
    if road is None or grip > _grip(weather) - GRIP_LIKE:  # 1 is what files say by default
        return None
    grounds = [each for each in GRIP if each in GROUNDS]
    ground = min(grounds, key=lambda each: abs(GRIP[each] - grip), default=None)
    reader.note(road, f"became the ground '{ground}', the nearest to {grip:g}", "approximated")
    return ground


def _grip(weather: str) -> float:
    """How well tyres grip in a weather, 1 on a dry road."""
    wetness, snow_cover = (_middle(weather, each) for each in ("wetness", "snow_cover"))
    return round(1.0 - 0.3 * wetness - 0.4 * snow_cover, 2)


def _middle(weather: str, measure: str) -> float:
    slope = WEATHERS[weather].numbers.get(measure)
    return slope.at(0.5) if slope else 0.0


def _numbers(reader: Reader, weather: Element) -> dict[str, float]:
    """What a Weather says of cloud, rain, snow (0..1) and how far one sees."""
    numbers: dict[str, float] = {}
    cover = reader.text(weather, "fractionalCloudCover").removesuffix("Oktas")
    state = reader.text(weather, "cloudState")
    if cover in OKTAS:
        numbers["cloud"] = min(OKTAS.index(cover) / 8, 1.0)
    elif state in CLOUDS:
        numbers["cloud"] = CLOUDS[state]
    fog = reader.child(weather, "Fog")
    if fog is not None:
        numbers["visibility_m"] = max(reader.number(fog, "visualRange", FAR_M), 1.0)
    falling = reader.child(weather, "Precipitation")
    if falling is not None:
        mm_per_h = reader.number(falling, "precipitationIntensity", math.nan)
        strength = reader.number(falling, "intensity", mm_per_h / HEAVY_MM_PER_H)
        what = reader.text(falling, "precipitationType")
        strength = min(max(0.5 if math.isnan(strength) else strength, 0.0), 1.0)
        numbers |= {each: strength if each == what else 0.0 for each in ("rain", "snow")}
    elif state == "rainy":
        numbers["rain"] = 0.5
    return numbers


def _distance(weather: str, numbers: Mapping[str, float]) -> float:
    """How far given numbers lie from the ranges of a weather."""
    slopes = WEATHERS[weather].numbers
    return sum(
        weight * _outside(slopes.get(measure), numbers[measure], measure == "visibility_m")
        for measure, weight in WEIGHTS.items()
        if measure in numbers
    )


def _outside(slope: Slope | None, number: float, sight: bool) -> float:
    """How far a number lies outside a slope's ends; ranges of sight are compared by ratio."""
    nothing = CLEAR_M if sight else 0.0
    ends = sorted((slope.weak, slope.strong)) if slope else [nothing, nothing]
    if sight:
        *ends, number = (math.log10(min(each, CLEAR_M)) for each in (*ends, number))
    return max(ends[0] - number, number - ends[1], 0.0)


def _hour(reader: Reader, clock: Element | None) -> float | None:
    time = reader.text(clock, "dateTime").partition("T")[2]
    hours, _, rest = time.partition(":")
    if not (hours.isdecimal() and rest[:2].isdecimal() and len(hours) <= 2):
        return None
    return int(hours) + int(rest[:2]) / 60


def _too_high(time: str, elevation_deg: float) -> float:
    """By how many degrees the sun would stand too high or too low for a time of day."""
    low, high = TIMES[time].sun_elevation_deg
    return 0.0 if math.isnan(elevation_deg) else max(low - elevation_deg, elevation_deg - high, 0.0)


def _hours_apart(time: str, hour: float | None) -> float:
    """How far the clock is from a time of day; daylight lasts longest."""
    usual = HOURS.get(time)
    if hour is None or usual is None:
        return 0.0 if hour is None else 24.0
    apart = abs(hour - usual) % 24
    return min(apart, 24 - apart) - {"day": 4.0, "night": 3.0}.get(time, 0.0)


def _written_weather(weather: str | None, time: str | None) -> Element:
    sun: Element | None = None
    if time:
        elevation = math.radians(sum(TIMES[time].sun_elevation_deg) / 2)
        sun = element(
            "Sun",
            azimuth="0",
            elevation=value_text(round(elevation, 4)),
            illuminance=value_text(round(max(0.1, 1e5 * math.sin(elevation)), 1)),
        )
    if weather is None:
        return element("Weather", sun)
    slope = WEATHERS[weather].numbers.get("visibility_m")
    amounts = {each: _middle(weather, each) for each in ("rain", "snow")}
    kind = max(amounts, key=lambda each: amounts[each])
    amount = amounts[kind]
    cover = OKTAS[round(8 * _middle(weather, "cloud"))]
    return element(
        "Weather",
        sun,
        element("Fog", visualRange=value_text(slope.at(0.5) if slope else FAR_M)),
        element(
            "Precipitation",
            precipitationType=kind if amount else "dry",
            precipitationIntensity=value_text(round(amount * HEAVY_MM_PER_H, 3)),
        ),
        fractionalCloudCover=f"{cover}Oktas",
    )


def _written_road(weather: str, ground: str | None) -> Element:
    wetness = GROUNDS[ground].numbers.get("wetness", 0.0) if ground else _middle(weather, "wetness")
    wet = "dry" if wetness < 0.15 else "moist" if wetness < 0.5 else "wetWithPuddles"
    grip = GRIP.get(ground, 1.0) if ground else _grip(weather)
    return element("RoadCondition", frictionScaleFactor=value_text(grip), wetness=wet)
