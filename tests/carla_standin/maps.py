"""Towns: each a ring of one road with a long straight street, which lies somewhere in the town."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from tests.carla_standin.geometry import Transform, Triple

LANE_M, PARKING_M, PAVEMENT_M = 3.5, 2.55, 2.0
BEFORE_M, AHEAD_M, CORNER_M = 30.0, 200.0, 16.0
"""The street is straight from before its start to where its houses end.

There it turns left round a corner, and comes back in half a circle and round another corner.
"""
BEND_M = CORNER_M + (BEFORE_M + AHEAD_M) / 2
SPAWN_UP_M, STEP_M = 0.6, 15.0
FORTH = range(0, 7)
"""How many steps from the start vehicles may start along the street."""
BACK = range(5, 12)
"""The same for those that come the other way."""

LATITUDE, LONGITUDE = 42.0, 2.0
"""Where the map's origin lies on the globe."""


@dataclass(frozen=True)
class Town:
    """A map: its name, what its street looks like, and where that street starts.

    `start` is the middle of the right lane on the ground; the street runs along its x axis, with
    the oncoming lane to the left.
    """

    name: str
    place: str
    start: Transform
    decor_seed: int = 3

    @property
    def path(self) -> str:
        """The name that the server gives it."""
        return f"Carla/Maps/{self.name}"

    def at(self, ahead_m: float, right_m: float, up_m: float = 0.0, yaw: float = 0.0) -> Transform:
        """A place on the street, metres from its start."""
        return self.start.then(Transform((ahead_m, right_m, up_m), (0.0, yaw, 0.0)))

    def on_street(self, point: Triple) -> Triple:
        """A point of the map (CARLA's axes) in the street's frame: x ahead, y left, z up."""
        x, y, z = (a - b for a, b in zip(point, self.start.location, strict=True))
        yaw = math.radians(self.start.rotation[1])
        ahead, right = x * math.cos(yaw) + y * math.sin(yaw), y * math.cos(yaw) - x * math.sin(yaw)
        return ahead, -right, z

    def heading(self, yaw: float) -> float:
        """A yaw as radians anticlockwise from the street's direction."""
        return -math.radians(yaw - self.start.rotation[1])

    def spawn_points(self) -> list[Transform]:
        """Where vehicles may start: the street's start first, then along it, back, in the bend."""
        there = [self.at(STEP_M * k, 0.0, SPAWN_UP_M) for k in FORTH]
        back = [self.at(STEP_M * k, -LANE_M, SPAWN_UP_M, 180.0) for k in BACK]
        return [*there, *back, *(self._in_bend(share) for share in (0.3, 0.5, 0.7))]

    def _in_bend(self, share: float) -> Transform:
        """The middle of the right lane, a share of the way along the bend."""
        x, y, heading = _start()
        for length, curvature in PARTS[:2]:
            x, y, heading = _end((x, y, heading), length, curvature)
        x, y, heading = _end((x, y, heading), PARTS[2][0] * share, PARTS[2][1])
        x, y = x + LANE_M / 2 * math.sin(heading), y - LANE_M / 2 * math.cos(heading)
        return self.at(x, -y, SPAWN_UP_M, -math.degrees(heading))

    def opendrive(self) -> str:
        """The road as OpenDRIVE, whose y axis points the other way."""
        x, y, _ = self.at(-BEFORE_M, -LANE_M / 2).location
        here, roads = (x, -y, -math.radians(self.start.rotation[1])), []
        for number, (length, curvature) in enumerate(PARTS, 1):
            roads.append(_road(number, length, here, curvature, self.start.location[2]))
            here = _end(here, length, curvature)
        return (
            '<?xml version="1.0"?><OpenDRIVE>'
            f'<header revMajor="1" revMinor="4" name="{self.name}" version="1" north="900" '
            'south="-900" east="900" west="-900"><geoReference><![CDATA[+proj=tmerc '
            f"+lat_0={LATITUDE} +lon_0={LONGITUDE} +k=1 +x_0=0 +y_0=0 +datum=WGS84 +units=m]]>"
            f"</geoReference></header>{''.join(roads)}</OpenDRIVE>"
        )


PARTS = (
    (BEFORE_M + AHEAD_M, 0.0),
    (math.pi / 2 * CORNER_M, 1 / CORNER_M),
    (math.pi * BEND_M, 1 / BEND_M),
    (math.pi / 2 * CORNER_M, 1 / CORNER_M),
)
"""The pieces of the ring: their lengths in metres and their curvature, left positive."""


def _start() -> tuple[float, float, float]:
    """Where the ring's middle line begins on the street: x ahead, y left, heading."""
    return -BEFORE_M, LANE_M / 2, 0.0


def _end(
    start: tuple[float, float, float], length: float, curvature: float
) -> tuple[float, float, float]:
    x, y, heading = start
    if not curvature:
        return x + length * math.cos(heading), y + length * math.sin(heading), heading
    turned, radius = heading + length * curvature, 1 / curvature
    x += radius * (math.sin(turned) - math.sin(heading))
    y -= radius * (math.cos(turned) - math.cos(heading))
    return x, y, turned


def _road(
    number: int,
    length: float,
    start: tuple[float, float, float],
    curvature: float,
    level_m: float,
) -> str:
    x, y, heading = start
    shape = f'<arc curvature="{curvature}"/>' if curvature else "<line/>"
    before, after = (number - 2) % 4 + 1, number % 4 + 1
    lanes = {"driving": LANE_M, "parking": PARKING_M, "sidewalk": PAVEMENT_M}
    left = "".join(_lane(n, kind, lanes[kind]) for n, kind in reversed(list(enumerate(lanes, 1))))
    right = "".join(_lane(-n, kind, lanes[kind]) for n, kind in enumerate(lanes, 1))
    return (
        f'<road name="Road {number}" length="{length:.9f}" id="{number}" junction="-1"><link>'
        f'<predecessor elementType="road" elementId="{before}" contactPoint="end"/>'
        f'<successor elementType="road" elementId="{after}" contactPoint="start"/></link>'
        '<type s="0" type="town"><speed max="50" unit="km/h"/></type>'
        f'<planView><geometry s="0" x="{x:.9f}" y="{y:.9f}" hdg="{heading:.12f}" '
        f'length="{length:.9f}">{shape}</geometry></planView>'
        f'<elevationProfile><elevation s="0" a="{level_m}" b="0" c="0" d="0"/></elevationProfile>'
        '<lanes><laneOffset s="0" a="0" b="0" c="0" d="0"/><laneSection s="0">'
        f'<left>{left}</left><center><lane id="0" type="none" level="false">'
        '<roadMark sOffset="0" type="broken" weight="standard" color="standard" width="0.15" '
        f'laneChange="both"/></lane></center><right>{right}</right></laneSection></lanes></road>'
    )


def _lane(number: int, kind: str, width: float) -> str:
    mark = '<roadMark sOffset="0" type="solid" weight="standard" color="standard" width="0.15"/>'
    return (
        f'<lane id="{number}" type="{kind}" level="false"><link><predecessor id="{number}"/>'
        f'<successor id="{number}"/></link><width sOffset="0" a="{width}" b="0" c="0" d="0"/>'
        f"{mark if kind == 'driving' else ''}</lane>"
    )


TOWNS: Mapping[str, Town] = {
    town.name: town
    for town in (
        Town("Town10HD_Opt", "city_street", Transform((-64.0, 24.5, 0.0), (0.0, 35.0, 0.0))),
        Town("Town01", "residential_street", Transform((92.0, 105.0, 0.0), (0.0, -90.0, 0.0))),
        Town("Town02", "residential_street", Transform((45.0, 5.0, 0.0), (0.0, 0.0, 0.0)), 8),
        Town("Town04", "highway", Transform((-380.0, 30.0, 10.0), (0.0, -1.5, 0.0))),
        Town("Town07", "country_road", Transform((-12.0, -60.0, 2.5), (0.0, 120.0, 0.0))),
    )
}
