"""Where in CARLA's maps a scene fits: the map for a place, and a straight road to drive along."""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hartsim.adapters.carla.connection import client_library
from hartsim.adapters.carla.coordinates import Anchor
from hartsim.errors import WorldError
from hartsim.scenario.compiled import WorldSetup
from hartsim.types import Vector3

MAPS: Mapping[str, tuple[str, ...]] = {
    "residential_street": ("Town02", "Town01", "Town03"),
    "city_street": ("Town10HD", "Town03", "Town05"),
    "highway": ("Town06", "Town04", "Town05"),
    "country_road": ("Town07", "Town01", "Town04"),
}
"""Maps for a place, the most fitting first; Town06 and Town07 are in CARLA's additional maps.

Source: https://carla.readthedocs.io/en/0.9.16/core_map/
"""
LAYERED = "_Opt"
"""The end of the name of a map's variant in layers; as good as the other."""

STEP_M = 2.0
"""How far apart the points are at which a road is looked at."""
ASIDE_M, CLIMB_M = 0.6, 0.35
"""How far a road may leave the line that it begins with, and still count as straight."""
RESERVE_M = 10.0
"""How much road there must be beyond the farthest thing."""
LONG_M = 400.0
"""As far as anybody needs to see."""
NEAR_M = 15.0
"""A lane farther away than this says nothing about the ground."""
MAX_LANES = 12
"""More lanes than any road has: an end to a walk across lanes that lead back to each other."""


@dataclass(frozen=True)
class Stretch:
    """A straight road from a spawn point: its frame, how far it goes and where its sides are.

    `anchor` lies on the road in the middle of the lane and leans as the road does. `road_m` is
    where the road ends to the right and to the left. `lanes_right` are lanes in the same direction
    beside it; `meets` says whether traffic comes towards us in the lane to the left.
    """

    anchor: Anchor
    length_m: float
    road_m: tuple[float, float]
    lanes_right: int
    meets: bool


def map_for(place: str, shown: str, available: Sequence[str]) -> str:
    """The map to show for a place: the one on show where it fits, else the first there is."""
    fitting = MAPS.get(place)
    if fitting is None:
        raise WorldError(f"no CARLA map is known for '{place}'; known are: {', '.join(MAPS)}")
    names = [name for stem in fitting for name in (stem + LAYERED, stem)]
    if shown in names:
        return shown
    for name in names:
        if name in available:
            return name
    raise WorldError(
        f"the server has none of the maps for '{place}', {', '.join(fitting)}; it has: "
        f"{', '.join(available)}. Name one, or ask for the one on show (map='current')"
    )


def needed_m(setup: WorldSetup) -> float:
    """How much straight road a scene wants."""
    farthest = max((each.box.centre_m[0] for each in setup.objects), default=0.0)
    return max(farthest, setup.goal_m) + RESERVE_M


def choices(stretches: Sequence[Stretch], setup: WorldSetup, map_name: str) -> Iterator[Stretch]:
    """Stretches for a scene, the best first; `decor_seed` decides among equals.

    Long enough comes first, then traffic as the place has it and the right-hand lane. Raises
    WorldError where not one reaches the farthest thing.
    """
    farthest = max((each.box.centre_m[0] for each in setup.objects), default=0.0)
    reaching = [each for each in stretches if each.length_m >= farthest]
    if not reaching:
        longest = max((each.length_m for each in stretches), default=0.0)
        raise WorldError(
            f"{map_name} has no straight road of {farthest:.0f} m from a spawn point, the longest "
            f"is {longest:.0f} m; choose another map"
        )
    shuffled = list(reaching)
    random.Random(setup.decor_seed).shuffle(shuffled)
    wanted, facing = needed_m(setup), setup.conditions.place != "highway"

    def worth(each: Stretch) -> tuple[float, bool, bool]:
        return min(each.length_m, wanted), each.meets == facing, each.lanes_right == 0

    yield from sorted(shuffled, key=worth, reverse=True)


def stretches_of(carla_map: Any, at_least_m: float = 0.0) -> list[Stretch]:
    """The straight roads that begin at the map's spawn points, in their order."""
    found = [_stretch(carla_map, each.location) for each in carla_map.get_spawn_points()]
    return [each for each in found if each is not None and each.length_m >= at_least_m]


def _stretch(carla_map: Any, location: Any) -> Stretch | None:
    """The straight road from here on, up to a junction, a bend or a hill; None off the road."""
    carla = client_library()
    start = carla_map.get_waypoint(location, project_to_road=True, lane_type=carla.LaneType.Driving)
    if start is None or start.is_junction:
        return None
    at, turn = start.transform.location, start.transform.rotation
    anchor = Anchor((at.x, at.y, at.z), (_pitch_deg(start), turn.yaw, turn.roll))
    reached, point = 0.0, start
    while len(following := point.next(STEP_M)) == 1 and not following[0].is_junction:
        point = following[0]
        at = point.transform.location
        x, y, z = anchor.point_from_carla((at.x, at.y, at.z))
        if abs(y) > ASIDE_M or abs(z) > CLIMB_M or x <= reached:
            break
        reached = x
        if reached > LONG_M:
            break
    left = start.get_left_lane()
    return Stretch(
        anchor,
        reached,
        edges(start),
        sum(each.lane_type == carla.LaneType.Driving for each in beside(start, right=True)),
        left is not None and _is_opposite(start, left) and left.lane_type in _traffic(),
    )


def road_at(carla_map: Any, anchor: Anchor) -> tuple[float, float]:
    """Where the road ends to the right and to the left of an anchor; inf where there is none."""
    carla = client_library()
    at = carla.Location(*anchor.placement.location_m)
    waypoint = carla_map.get_waypoint(at, lane_type=carla.LaneType.Driving)
    return (-math.inf, math.inf) if waypoint is None else edges(waypoint)


def _pitch_deg(waypoint: Any) -> float:
    """How the road rises, by the points themselves."""
    ahead = waypoint.next(RESERVE_M)
    if not ahead:
        return 0.0
    here, there = waypoint.transform.location, ahead[0].transform.location
    return math.degrees(
        math.atan2(there.z - here.z, math.hypot(there.x - here.x, there.y - here.y))
    )


def edges(waypoint: Any) -> tuple[float, float]:
    """Where the road ends to the right and to the left of the middle of a lane, metres."""
    half = waypoint.lane_width / 2
    right = sum(each.lane_width for each in beside(waypoint, right=True))
    left = sum(each.lane_width for each in beside(waypoint, right=False))
    return -(half + right), half + left


def beside(waypoint: Any, right: bool) -> list[Any]:
    """The lanes next to this one on one side, as far as a car can drive on them."""
    carla = client_library()
    paved = (*_traffic(), carla.LaneType.Parking, carla.LaneType.Shoulder, carla.LaneType.Stop)
    lanes: list[Any] = []
    here, turned = waypoint, False
    while len(lanes) < MAX_LANES:
        # Beyond the middle of the road the lanes run towards us, and their right is our left.
        lane = here.get_right_lane() if right != turned else here.get_left_lane()
        if lane is None or lane.lane_type not in paved:
            return lanes
        turned = _is_opposite(waypoint, lane)
        lanes.append(lane)
        here = lane
    return lanes


def _traffic() -> tuple[Any, ...]:
    lanes = client_library().LaneType
    return lanes.Driving, lanes.Bidirectional, lanes.Biking


def _is_opposite(one: Any, other: Any) -> bool:
    """Whether two lanes of a road run against each other."""
    return bool(one.lane_id * other.lane_id < 0)


class Ground:
    """How high the road is at a point of a frame, from the map's lanes alone."""

    def __init__(self, carla_map: Any, anchor: Anchor) -> None:
        self._map, self._anchor = carla_map, anchor
        self._carla = client_library()

    def height_m(self, x: float, y: float) -> float:
        """The height of the nearest lane above the frame's plane; 0 where none is near."""
        at = self._anchor.point_to_carla((x, y, 0.0))
        waypoint = self._map.get_waypoint(
            self._carla.Location(*at), project_to_road=True, lane_type=self._carla.LaneType.Any
        )
        if waypoint is None:
            return 0.0
        found = waypoint.transform.location
        near: Vector3 = (found.x, found.y, found.z)
        px, py, pz = self._anchor.point_from_carla(near)
        return pz if math.hypot(px - x, py - y) < NEAR_M else 0.0
