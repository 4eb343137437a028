import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hartsim.adapters.carla.coordinates import Anchor
from hartsim.adapters.carla.weather import FIELDS, conditions_of, weather_numbers
from hartsim.errors import WorldError
from hartsim.scenario.compiled import Conditions, PlacedObject, WorldSetup
from hartsim.scenario.compiler import conditions_of as compiled_conditions
from hartsim.scenario.draw import stream
from hartsim.scenario.schema import SceneSpec
from hartsim.scenario.surroundings import GROUNDS, TIMES, WEATHERS
from hartsim.types import Box3D

RANGES = {
    "cloudiness": (0, 100),
    "precipitation": (0, 100),
    "precipitation_deposits": (0, 100),
    "wind_intensity": (0, 100),
    "sun_azimuth_angle": (0, 360),
    "sun_altitude_angle": (-90, 90),
    "fog_density": (0, 100),
    "fog_distance": (0, math.inf),
    "fog_falloff": (0, math.inf),
    "wetness": (0, 100),
    "scattering_intensity": (0, math.inf),
    "mie_scattering_scale": (0, 5),
    "rayleigh_scattering_scale": (0, 2),
    "dust_storm": (0, 100),
}
DRIVING = [id for id, each in WEATHERS.items() if "driving" in each.tasks]
HOURS = [id for id, each in TIMES.items() if "driving" in each.tasks]
ALL = list(itertools.product(DRIVING, HOURS, [None, *GROUNDS]))
shares = st.floats(0, 1)


def conditions(weather="clear", time="day", **numbers):
    return Conditions("residential_street", weather, time, **numbers)


@pytest.mark.parametrize(("weather", "time", "ground"), ALL)
def test_all_of_the_catalogue_becomes_numbers_in_their_ranges(weather, time, ground):
    scene = SceneSpec("residential_street", weather, time, ground)
    for index in range(4):
        drawn = compiled_conditions(scene, stream("conditions", "test", 1, index))
        numbers = weather_numbers(drawn, Anchor((0, 0, 0), (0, 37.0, 0)))
        assert tuple(numbers) == FIELDS
        for name, value in numbers.items():
            low, high = RANGES[name]
            assert low <= value <= high, name
        assert (numbers["precipitation"] > 0) == (weather == "rain")
        assert (numbers["sun_altitude_angle"] < 0) == (time == "night")
        assert (numbers["fog_density"] > 1) == (weather in ("rain", "fog", "snow"))


def test_fields_are_those_of_the_client():
    carla = pytest.importorskip("carla")
    numbers = weather_numbers(conditions(rain=0.5, cloud=0.7, visibility_m=200.0))
    theirs = carla.WeatherParameters(**numbers)
    for name, value in numbers.items():
        assert getattr(theirs, name) == pytest.approx(value, rel=1e-6), name
    fields = {each for each in vars(carla.WeatherParameters) if each[0].islower()}
    assert fields == set(FIELDS)


@given(st.floats(1, 5000), st.floats(1, 5000))
def test_who_sees_less_far_gets_no_less_fog(one, other):
    thin, thick = (
        weather_numbers(conditions(visibility_m=each))["fog_density"]
        for each in (max(one, other), min(one, other))
    )
    assert thick >= thin


@given(shares, shares, st.sampled_from(["rain", "wetness", "cloud", "snow"]))
def test_more_of_anything_lessens_no_number(one, other, name):
    low, high = sorted((one, other))
    less, more = (weather_numbers(conditions(**{name: each})) for each in (low, high))
    assert all(more[field] >= less[field] for field in FIELDS)
    field = {"rain": "precipitation", "snow": "wind_intensity", "cloud": "cloudiness"}.get(
        name, "wetness"
    )
    assert more[field] > less[field] or high - low < 1e-12


def test_falling_snow_is_not_rain_and_ice_is_no_puddle():
    snowing = weather_numbers(conditions("snow", snow=1.0, snow_cover=1.0, wetness=0.3))
    assert snowing["precipitation"] == snowing["precipitation_deposits"] == 0
    icy = conditions(ground="icy", wetness=0.95, snow_cover=0.38)
    assert weather_numbers(icy)["precipitation_deposits"] == 0
    assert weather_numbers(conditions(ground="wet", wetness=0.85))["precipitation_deposits"] > 20


@pytest.mark.parametrize(
    ("ego_yaw", "left_deg", "expected"),
    [(0, 0, 0), (90, 0, 90), (90, 90, 0), (0, 90, 270), (180, -90, 270), (-45, 45, 270)],
)
def test_the_sun_keeps_its_place_beside_the_ego(ego_yaw, left_deg, expected):
    sun = conditions(sun_azimuth_rad=math.radians(left_deg))
    numbers = weather_numbers(sun, Anchor((10, 20, 0), (0, ego_yaw, 0)))
    assert abs((numbers["sun_azimuth_angle"] - expected + 180) % 360 - 180) < 1e-9


def setup_with_glare(time):
    box = Box3D((40.0, 10.0, 0.5), (1.0, 1.0, 1.0), 0.0)
    glare = PlacedObject("glare", "sun_glare", "other", True, (), box)
    return WorldSetup("driving", conditions("overcast", time, cloud=0.9), (glare,), (), 1)


def test_a_sun_that_dazzles_stands_low_above_its_place():
    low = conditions_of(setup_with_glare("day"))
    assert low.sun_azimuth_rad == pytest.approx(math.atan2(10, 40))
    assert math.degrees(low.sun_elevation_rad) == pytest.approx(12)
    assert low.cloud < 0.5
    calm = replace(setup_with_glare("day"), objects=())
    assert conditions_of(calm) == calm.conditions


def test_no_sun_dazzles_at_night():
    with pytest.raises(WorldError, match=r"glare: no sun dazzles at night; take .* day, dusk"):
        conditions_of(setup_with_glare("night"))


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("rain", 1.2, "rain is 1.2; it goes from 0 to 1"),
        ("wetness", math.nan, "wetness is nan"),
        ("visibility_m", 0.0, "visibility_m is 0.0"),
        ("visibility_m", math.nan, "visibility_m is nan"),
        ("sun_elevation_rad", 3.0, "sun_elevation_rad is 3.0"),
        ("sun_azimuth_rad", math.inf, "sun_azimuth_rad is inf"),
    ],
)
def test_numbers_out_of_range_are_refused(field, value, complaint):
    with pytest.raises(WorldError, match=complaint):
        weather_numbers(replace(conditions(), **{field: value}))
