"""What a street's plants, posts and fences are made with: finely, or roughly for small pictures."""

from collections.abc import Callable
from dataclasses import dataclass

from hartsim.worlds import greenery, rough, scenery
from hartsim.worlds.stage import Colour, Mesh, Solid

Plant = Callable[[int, int, Colour, float, float], list[Solid]]
"""From a seed, a degree of detail, the leaves' colour, snow and scale."""


@dataclass(frozen=True)
class Kit:
    """One way to make each thing; `is_rough` kits leave out what small pictures cannot show."""

    is_rough: bool
    broadleaf: Plant
    bush: Plant
    conifer: Callable[[int, int, float, float], list[Solid]]
    hedge: Callable[[float, int, Colour, float], list[Solid]]
    tuft_field: Callable[[int], Mesh]
    street_lamp: Callable[[], Mesh]
    utility_pole: Callable[[], Mesh]
    delineator: Callable[[], Mesh]
    picket_fence: Callable[[float], Mesh]
    guard_rail: Callable[[float], Mesh]
    wire_fence: Callable[[float], Mesh]
    bin: Callable[[], Mesh]


FINE = Kit(
    False,
    greenery.broadleaf,
    greenery.bush,
    greenery.conifer,
    greenery.hedge,
    greenery.tuft_field,
    scenery.street_lamp,
    scenery.utility_pole,
    scenery.delineator,
    scenery.picket_fence,
    scenery.guard_rail,
    scenery.wire_fence,
    scenery.bin_,
)
ROUGH = Kit(
    True,
    rough.broadleaf,
    rough.bush,
    rough.conifer,
    rough.hedge,
    rough.tuft_field,
    rough.street_lamp,
    rough.utility_pole,
    rough.delineator,
    rough.picket_fence,
    rough.guard_rail,
    rough.wire_fence,
    rough.bin_,
)
ROUGH_BELOW = 0.6
"""The sharpness, as `looks.detail_at` has it, from which downward the rough kit is taken."""


def kit_for(sharpness: float) -> Kit:
    """The kit for pictures of this sharpness."""
    return ROUGH if sharpness < ROUGH_BELOW else FINE
