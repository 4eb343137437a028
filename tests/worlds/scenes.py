"""Driving setups by hand, as the scenario compiler would make them."""

import math

from hartsim.scenario.compiled import CameraSetup, Conditions, PlacedObject, WorldSetup
from hartsim.scenario.kinds import KINDS
from hartsim.types import Box3D

FRONT = CameraSetup("front", (0.6, 0.0, 1.5), math.radians(-4), 0.0, math.radians(55))

AIR = {
    "clear": {"cloud": 0.1},
    "overcast": {"cloud": 0.9},
    "rain": {"cloud": 0.95, "rain": 0.7, "visibility_m": 260.0, "wetness": 0.85},
    "fog": {"cloud": 0.9, "visibility_m": 60.0, "wetness": 0.2},
    "snow": {"cloud": 0.9, "snow": 0.7, "snow_cover": 0.8, "visibility_m": 180.0},
}
SUN_RAD = {"day": 0.8, "dusk": 0.06, "dawn": 0.1, "night": -0.4}


def placed(kind, ahead_m=12.0, left_m=0.0, heading_rad=0.0, name=None, colour=None):
    size = KINDS[kind].size_m
    box = Box3D((ahead_m, left_m, size[2] / 2), size, heading_rad)
    about = KINDS[kind]
    tags = about.tags
    return PlacedObject(name or kind, kind, about.class_name, about.hazard, tags, box, colour)


def street(
    *objects,
    place="residential_street",
    weather="clear",
    time="day",
    seed=5,
    traffic=0.0,
    cameras=(FRONT,),
    speed_mps=10.0,
):
    conditions = Conditions(place, weather, time, sun_elevation_rad=SUN_RAD[time], **AIR[weather])
    return WorldSetup("driving", conditions, objects, cameras, seed, speed_mps, traffic)
