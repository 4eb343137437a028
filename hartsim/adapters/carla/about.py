"""What a server shows, as plain data for a dataset's provenance: the same for the same scene.

Actors' ids and frame numbers, which differ from run to run, are not in it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hartsim.adapters.carla.actors import Staged
from hartsim.adapters.carla.connection import Connection
from hartsim.adapters.carla.coordinates import Anchor
from hartsim.adapters.carla.rig import RigConfig
from hartsim.adapters.carla.weather import conditions_of, weather_numbers
from hartsim.scenario.compiled import WorldSetup

DIGITS = 4
"""Of numbers that only tell: the frames' own calibration and boxes are exact."""


def about_server(connection: Connection) -> dict[str, Any]:
    """Which simulator it is: what decides the bytes of all scenes alike."""
    return {
        "name": "carla",
        "client": connection.client.get_client_version(),
        "server": connection.version,
    }


def about_scene(
    connection: Connection,
    setup: WorldSetup,
    anchor: Anchor,
    staged: Mapping[str, Staged],
    ego: str,
    driven: Sequence[str],
) -> dict[str, Any]:
    """Where a scene is, in which weather, and what stands for its things.

    `ego` is a blueprint, `driven` names the cars of the Traffic Manager.
    """
    place = anchor.placement
    return {
        "map": connection.map_name,
        "location_m": _rounded(place.location_m),
        "rotation_deg": _rounded(place.rotation_deg),
        "weather": {
            name: round(value, DIGITS)
            for name, value in weather_numbers(conditions_of(setup), anchor).items()
        },
        "ego": ego,
        "things": {name: staged[name].type_id for name in sorted(staged)},
        "traffic": list(driven),
    }


def about_rig(rig: RigConfig, tick_s: float, physics: bool) -> dict[str, Any]:
    """How frames are taken."""
    return {
        "fixed_delta_seconds": tick_s,
        "physics": physics,
        "camera_attributes": dict(rig.attributes),
        "lidars": [vars(lidar) for lidar in rig.lidars],
    }


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(float(value), DIGITS) for value in values]
