"""How a street object appears beyond its kind: paints, clothes, and the choice among them."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from hartsim.types import Vector3
from hartsim.worlds.stage import Colour, Solid

PAINTS: tuple[Colour, ...] = (
    (0.86, 0.87, 0.88),
    (0.16, 0.17, 0.19),
    (0.55, 0.57, 0.6),
    (0.63, 0.11, 0.1),
    (0.12, 0.26, 0.5),
    (0.2, 0.36, 0.3),
    (0.78, 0.72, 0.6),
    (0.85, 0.62, 0.16),
    (0.36, 0.12, 0.2),
    (0.3, 0.46, 0.62),
)
CLOTHES: tuple[Colour, ...] = (
    (0.78, 0.2, 0.16),
    (0.2, 0.34, 0.62),
    (0.9, 0.74, 0.2),
    (0.24, 0.46, 0.32),
    (0.15, 0.16, 0.19),
    (0.87, 0.86, 0.82),
    (0.5, 0.5, 0.52),
    (0.88, 0.46, 0.14),
    (0.5, 0.28, 0.48),
    (0.36, 0.58, 0.66),
)
TROUSERS: tuple[Colour, ...] = (
    (0.2, 0.25, 0.38),
    (0.14, 0.14, 0.16),
    (0.42, 0.37, 0.3),
    (0.3, 0.31, 0.33),
)
SKINS: tuple[Colour, ...] = (
    (0.9, 0.72, 0.6),
    (0.8, 0.6, 0.46),
    (0.6, 0.42, 0.3),
    (0.42, 0.28, 0.2),
)
HAIRS: tuple[Colour, ...] = (
    (0.12, 0.09, 0.08),
    (0.34, 0.22, 0.13),
    (0.68, 0.52, 0.3),
    (0.55, 0.54, 0.53),
)


@dataclass(frozen=True)
class Look:
    """The paint asked for, whether lamps burn, how finely to model, and a seed for the rest."""

    colour: Colour | None
    lights_on: bool
    seed: int
    detail: int = 3

    def pick(self, options: tuple[Colour, ...], salt: int = 0) -> Colour:
        """One of the options by the seed."""
        return options[(self.seed * 7 + salt * 13 + self.seed // 5) % len(options)]


DETAIL_M = (55.0, 28.0, 12.0)
"""Nearer than each of these, things are modelled one degree more finely."""

Maker = Callable[[Vector3, Look], list[Solid]]
"""From an object's size to solids about the middle of its footprint."""


def srgb(linear: Vector3) -> Colour:
    """The colour that a linear RGB triple is seen as."""
    r, g, b = (12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in linear)
    return r, g, b


def detail_at(x: float, y: float, sharpness: float = 1.0) -> int:
    """How finely to model what stands here: 3 near the ego, 0 far away.

    A camera of half the `sharpness` sees as much of a thing at half the distance.
    """
    away = math.hypot(x, y) / sharpness
    return sum(away < limit for limit in DETAIL_M)


COARSE_RAD = 0.006
"""What may be left out at full sharpness: one and a half pixels of a view of 60 degrees."""


def coarse_at(nearest_m: float, sharpness: float) -> float:
    """The size of what may be left out of a thing that cameras come so near to, metres."""
    return COARSE_RAD / sharpness * nearest_m if sharpness < 1 else 0.0
