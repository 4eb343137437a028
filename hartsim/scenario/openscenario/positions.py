"""Positions of all kinds, as spots in metres on a plane.

World positions share one plane. Positions on a road lie on a plane of that road, x along it, as if
it were straight; where roads lie in the world only a road file knows, and none is followed.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from hartsim.scenario.openscenario.reader import Reader
from hartsim.scenario.openscenario.roads import BEHIND_M, LANE_M, Road, straight_m
from hartsim.scenario.openscenario.tree import Element

WORLD = "the world"
DEEPEST = 30
"""Entities that stand by each other in a row."""


@dataclass(frozen=True)
class Beside:
    """A spot in the frame of an entity."""

    host: str
    ahead_m: float
    left_m: float
    up_m: float
    heading_rad: float


@dataclass(frozen=True)
class Spot:
    """Where something is: on the plane of the world or of a road.

    `lane` is the id of its lane, where it was given by one; `beside` says how it stands to another
    entity, where it was given so.
    """

    plane: str
    x_m: float
    y_m: float
    z_m: float = 0.0
    heading_rad: float = 0.0
    lane: int | None = None
    beside: Beside | None = None

    def moved(self, ahead_m: float, left_m: float, heading_rad: float = 0.0) -> "Spot":
        """The spot so far ahead and to the left, turned by an angle."""
        cos, sin = math.cos(self.heading_rad), math.sin(self.heading_rad)
        return replace(
            self,
            x_m=self.x_m + ahead_m * cos - left_m * sin,
            y_m=self.y_m + ahead_m * sin + left_m * cos,
            heading_rad=self.heading_rad + heading_rad,
        )

    def seen_from(self, base: "Spot") -> "Spot":
        """The spot in the frame of a base on the same plane."""
        dx, dy = self.x_m - base.x_m, self.y_m - base.y_m
        cos, sin = math.cos(base.heading_rad), math.sin(base.heading_rad)
        return replace(
            self,
            x_m=dx * cos + dy * sin,
            y_m=dy * cos - dx * sin,
            z_m=self.z_m - base.z_m,
            heading_rad=self.heading_rad - base.heading_rad,
        )


class Positions:
    """Spots of Position elements; `starts` are those of the entities, by name.

    `road` is the road of a file that hartsim wrote, whose plane is the world's.
    """

    def __init__(self, reader: Reader, starts: Mapping[str, Element], road: Road | None) -> None:
        self.reader, self.starts, self.road = reader, starts, road
        self._known: dict[str, Spot | None] = {}
        self._depth = 0

    def of(self, name: str) -> Spot | None:
        """Where an entity starts; None where the file does not say it, or not clearly."""
        if name not in self._known:
            self._known[name] = None  # what a ring of positions comes back to
            start = self.starts.get(name)
            if start is not None and self._depth < DEEPEST:
                self._depth += 1
                self._known[name] = self.spot(start)
                self._depth -= 1
        return self._known[name]

    def spot(self, position: Element | None) -> Spot | None:
        """The spot of a Position; None, with a note, where it has no counterpart."""
        readers: Mapping[str, Callable[[Element], Spot | None]] = {
            "WorldPosition": self._world,
            "RelativeWorldPosition": self._relative_world,
            "RelativeObjectPosition": self._relative_object,
            "LanePosition": self._lane,
            "RelativeLanePosition": self._relative_lane,
            "RoadPosition": self._on_road,
            "RelativeRoadPosition": self._relative_road,
        }
        found = next(iter(self.reader.children(position)), None)
        if found is not None and found.name in readers:
            return readers[found.name](found)
        if found is not None:
            self.reader.leave(found, "only a road or route file knows where this is")
        return None

    def _world(self, place: Element) -> Spot:
        x, y, z, heading = (self.reader.number(place, each) for each in "xyzh")
        return Spot(WORLD, x, y, z, heading)

    def _relative_world(self, place: Element) -> Spot | None:
        base, (dx, dy, dz) = self._base(place), self._steps(place, "dx", "dy", "dz")
        if base is None:
            return None
        x, y, z = base.x_m + dx, base.y_m + dy, base.z_m + dz
        moved = replace(base, x_m=x, y_m=y, z_m=z, lane=None, beside=None)
        return self._turned(place, moved, base.heading_rad)

    def _relative_object(self, place: Element) -> Spot | None:
        base, (dx, dy, dz) = self._base(place), self._steps(place, "dx", "dy", "dz")
        if base is None:
            return None
        moved = replace(base.moved(dx, dy), z_m=base.z_m + dz, lane=None)
        spot = self._turned(place, moved, base.heading_rad)
        turn = spot.heading_rad - base.heading_rad
        return replace(spot, beside=Beside(place.attributes["entityRef"], dx, dy, dz, turn))

    def _lane(self, place: Element) -> Spot | None:
        lane = self._lane_id(place)
        if lane is None:
            return None
        x, offset = (self.reader.number(place, each) for each in ("s", "offset"))
        return self._in_lane(place, self._plane(place), x, lane, offset)

    def _relative_lane(self, place: Element) -> Spot | None:
        base, (lanes, ds, dsl) = self._base(place), self._steps(place, "dLane", "ds", "dsLane")
        offset = self.reader.number(place, "offset")
        if base is None or abs(lanes) > 100:
            return None
        if base.lane is None:
            self.reader.note(place, "counted in lanes of 3.5 m from the entity", "approximated")
            spot = replace(base.moved(ds + dsl, lanes * LANE_M + offset), beside=None)
            return self._turned(place, spot, base.heading_rad)
        lane = base.lane + round(lanes)
        if base.lane < 0 <= lane:
            lane += 1
        elif base.lane > 0 >= lane:
            lane -= 1
        x = self._along(base) + ds + dsl * (1 if base.lane < 0 else -1)
        return self._in_lane(place, base.plane, x, lane, offset)

    def _on_road(self, place: Element) -> Spot:
        x, y = self._steps(place, "s", "t")
        return self._turned(place, self._shifted(Spot(self._plane(place), x, y)), 0.0)

    def _relative_road(self, place: Element) -> Spot | None:
        base, (ds, dt) = self._base(place), self._steps(place, "ds", "dt")
        if base is None:
            return None
        if base.plane == WORLD:
            self.reader.note(place, "counted along the entity, not a road", "approximated")
            return self._turned(place, replace(base.moved(ds, dt), beside=None), base.heading_rad)
        moved = replace(base, x_m=base.x_m + ds, y_m=base.y_m + dt, lane=None, beside=None)
        return self._turned(place, moved, 0.0)

    def _in_lane(self, place: Element, plane: str, x: float, lane: int, offset: float) -> Spot:
        middle = self.road.middle_of(lane) if self.road else straight_m(lane)
        direction = 0.0 if lane < 0 else math.pi
        spot = self._shifted(Spot(plane, x, middle + offset, lane=lane))
        return self._turned(place, spot, direction)

    def _shifted(self, spot: Spot) -> Spot:
        """From a road of our own onto the plane of the world."""
        if self.road is None:
            return spot
        return replace(spot, x_m=spot.x_m - BEHIND_M, y_m=spot.y_m + self.road.reference_m)

    def _along(self, spot: Spot) -> float:
        """How far along its road a spot lies."""
        return spot.x_m if self.road is None else spot.x_m + BEHIND_M

    def _plane(self, place: Element) -> str:
        return WORLD if self.road else f"road {self.reader.text(place, 'roadId')}"

    def _base(self, place: Element) -> Spot | None:
        """Where the entity is that a relative position counts from."""
        name = self.reader.text(place, "entityRef")
        base = self.of(name)
        if base is None:
            self.reader.leave(place, f"where '{name}' is, is not known")
        return base

    def _steps(self, place: Element, *names: str) -> list[float]:
        return [self.reader.number(place, each) for each in names]

    def _lane_id(self, place: Element) -> int | None:
        text = self.reader.text(place, "laneId")
        try:
            number = int(text)
        except ValueError:
            number = 0
        if not 0 < abs(number) <= 100:
            self.reader.leave(place, f"there is no lane '{text}'")
            return None
        return number

    def _turned(self, place: Element, spot: Spot, usual_rad: float) -> Spot:
        """The spot with the heading that an Orientation says, or that is usual."""
        orientation = self.reader.child(place, "Orientation")
        turn = self.reader.number(orientation, "h")
        if orientation is None or orientation.attributes.get("type") == "relative":
            turn += usual_rad
        return replace(spot, heading_rad=turn)
