"""The straight roads of our places, as lanes with OpenDRIVE's ids and as an OpenDRIVE file.

Their reference line lies between the lanes of the ego's direction and the oncoming ones, parallel
to the ego; lanes to the right of it have negative ids. Other people's roads are not followed:
`straight_m` says where their lanes lie if they are straight and 3.5 m wide.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hartsim.scenario.openscenario.parameters import value_text
from hartsim.scenario.openscenario.tree import Element, element

Span = tuple[str, float, float]
"""A lane's name, middle and width."""

LANE_M = 3.5
WIDEST_HALF_M = 2.0
NARROWEST_HALF_M = 0.1
"""Half of a lane that still reaches its neighbour; beyond that there is something between them."""
BEHIND_M, AHEAD_M = 100.0, 500.0
"""How far the road runs behind and ahead of the ego."""


@dataclass(frozen=True)
class Lane:
    """A lane: OpenDRIVE's id, the place's name for it ("" between lanes), middle and width.

    The middle counts from the ego, left positive.
    """

    id: int
    name: str
    middle_m: float
    width_m: float


@dataclass(frozen=True)
class Road:
    """Lanes from left to right, and how far left of the ego the reference line runs."""

    lanes: tuple[Lane, ...]
    reference_m: float

    def middle_of(self, lane_id: int) -> float:
        """The middle of a lane, left of the reference line; straight on where it ends."""
        known = {lane.id: lane.middle_m - self.reference_m for lane in self.lanes}
        return known.get(lane_id, straight_m(lane_id))

    def id_of(self, name: str) -> int | None:
        """The id of a lane of the place; None where none is written for it."""
        return next((lane.id for lane in self.lanes if lane.name == name), None)


def straight_m(lane_id: int) -> float:
    """Where the middle of a lane lies, left of the reference line, on a road of equal lanes."""
    return (abs(lane_id) - 0.5) * LANE_M * (1 if lane_id > 0 else -1)


def road_of(lanes_m: Mapping[str, float]) -> Road:
    """The road whose lanes have their middles there.

    Where two are so near that one lies in the other, the one farther from the ego is left out.
    """
    own = [("ego", 0.0, LANE_M)]
    spans = [*reversed(_outwards(lanes_m, 1)), *own, *_outwards(lanes_m, -1)]
    oncoming = [middle for name, middle, _ in spans if "oncoming" in name]
    first = min(oncoming, default=math.inf)
    border = max(middle for name, middle, _ in spans if name and middle < first)
    left = [span for span in spans if span[1] > border]
    right = spans[len(left) :]
    ids = [*range(len(left), 0, -1), *range(-1, -len(right) - 1, -1)]
    lanes = tuple(Lane(id, *span) for id, span in zip(ids, (*left, *right), strict=True))
    return Road(lanes, right[0][1] + right[0][2] / 2)


def opendrive(road: Road, name: str) -> Element:
    """The OpenDRIVE file of a road; positions in it are those of the ego's frame."""
    length = value_text(BEHIND_M + AHEAD_M)
    start = {"s": "0", "x": value_text(-BEHIND_M), "y": value_text(road.reference_m)}
    line = element("geometry", element("line"), hdg="0", length=length, **start)
    sides = [
        _side("left", [lane for lane in road.lanes if lane.id > 0]),
        element("center", element("lane", id="0", type="none", level="false")),
        _side("right", [lane for lane in road.lanes if lane.id < 0]),
    ]
    section = element("laneSection", *(side for side in sides if side.children), s="0")
    return element(
        "OpenDRIVE",
        element(
            "header",
            revMajor="1",
            revMinor="6",
            name=name,
            version="1",
            date="2025-06-21T12:00:00",
            vendor="hartsim",
        ),
        element(
            "road",
            element("planView", line),
            element("lanes", section),
            name=name,
            length=length,
            id="0",
            junction="-1",
        ),
    )


def _outwards(lanes_m: Mapping[str, float], side: int) -> list[Span]:
    """The lanes on one side, from the ego's outwards, with what lies between them."""
    spans: list[Span] = []
    edge = LANE_M / 2
    on_side = [(name, side * middle) for name, middle in lanes_m.items() if side * middle > 0]
    for name, middle in sorted(on_side, key=lambda item: item[1]):
        half = middle - edge
        if half > WIDEST_HALF_M:
            gap = half - LANE_M / 2
            spans.append(("", side * (edge + gap / 2), gap))
            edge, half = edge + gap, LANE_M / 2
        if half > NARROWEST_HALF_M:
            spans.append((name, side * middle, 2 * half))
            edge += 2 * half
    return spans


def _side(name: str, lanes: list[Lane]) -> Element:
    return element(
        name,
        *(
            element(
                "lane",
                element(
                    "width", sOffset="0", a=value_text(round(lane.width_m, 6)), b="0", c="0", d="0"
                ),
                id=str(lane.id),
                type=_kind_of(lane.name),
                level="false",
            )
            for lane in lanes
        ),
    )


def _kind_of(name: str) -> str:
    """OpenDRIVE's type of a lane."""
    for word, kind in (("pavement", "sidewalk"), ("kerb", "parking")):
        if word in name:
            return kind
    return "driving" if name else "none"
