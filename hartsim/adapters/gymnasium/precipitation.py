"""Rain and snow that fall through the air before a camera, the same at the same time."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hartsim.types import Depth, Size

Plane = NDArray[np.float32]

RAIN_MPS, SNOW_MPS = 7.5, 1.3
SHUTTER_S = 1 / 60
"""How long a drop falls while a picture is taken, which makes a streak of it."""
NEAREST_M, FARTHEST_M = 0.85, 9.0
"""Nearer ones are out of focus, those farther off are part of the fog."""
DROP_M, FLAKE_M = 0.009, 0.016
"""How thick they look; both are bigger than in nature, or small pictures would not show them."""
MARGIN = 0.2
"""How far outside the picture they fall on, in pictures."""
GOLDEN = 0.6180339887
"""Successive rounds of one drop fall far from each other."""


@dataclass(frozen=True, eq=False)
class Falling:
    """N things that fall, drawn as S spots.

    Each thing has a distance `away_m`, a `place` (N, 2) in the picture at time 0, right and down
    from 0 to 1, a `speed` (N, 2) in pictures a second, and a `sway` (N, 3) to the side: how far,
    how fast and from where. A spot belongs to the thing `owner`, lies `offset` (S, 2) pixels from
    its place and hides `strength` of its pixel. What leaves the picture below comes back above,
    elsewhere. `white` is how bright they are, against fog.
    """

    size_px: Size
    away_m: Plane
    place: Plane
    speed: Plane
    sway: Plane
    owner: NDArray[np.intp]
    offset: Plane
    strength: Plane
    white: np.float32
    most: float

    def cover(self, time_s: float, depth: Depth) -> Plane:
        """How much of each pixel they hide at a time, 0..1, but for those behind what is seen."""
        height, width = self.size_px
        time = np.float32(time_s)
        fallen = self.place[:, 1] + self.speed[:, 1] * time
        rounds = np.floor(fallen)
        aside = self.sway[:, 0] * np.sin(self.sway[:, 1] * time + self.sway[:, 2])
        across = self.place[:, 0] + self.speed[:, 0] * time + aside
        right = np.mod(across + rounds * np.float32(GOLDEN), 1) * width
        down = ((fallen - rounds) * (1 + 2 * MARGIN) - MARGIN) * height
        columns = np.floor(right[self.owner] + self.offset[:, 0]).astype(np.int32)
        rows = np.floor(down[self.owner] + self.offset[:, 1]).astype(np.int32)
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        places = (rows * width + columns)[inside]
        seen = depth.reshape(-1)[places] > self.away_m[self.owner[inside]]
        strength = self.strength[inside][seen]
        total = np.bincount(places[seen], strength, minlength=height * width)
        return np.minimum(total, self.most).astype(np.float32).reshape(height, width)


def rain(amount: float, rng: np.random.Generator, focal_px: float, size_px: Size) -> Falling:
    """Streaks, of an amount 0..1, in pictures of a camera."""
    height, width = size_px
    away = _distances(rng, round(500 * amount))
    count = len(away)
    fall_px = np.float32(RAIN_MPS * focal_px) / away
    slant = np.float32(rng.normal(0, 0.12)) + rng.normal(0, 0.02, count).astype(np.float32)
    thick = np.clip(np.float32(DROP_M * focal_px) / away, 0.3, 1.3) * rng.uniform(0.5, 1, count)
    length = np.maximum(fall_px * np.float32(SHUTTER_S), np.float32(1.5))
    spots = np.ceil(length).astype(np.intp)
    owner = np.repeat(np.arange(count), spots)
    first = np.repeat(np.cumsum(spots) - spots, spots)
    along = (np.arange(len(owner)) - first) * (length / spots)[owner]
    return Falling(
        size_px=size_px,
        away_m=away,
        place=rng.uniform(0, 1, (count, 2)).astype(np.float32),
        speed=np.stack([slant * fall_px / width, fall_px / height / (1 + 2 * MARGIN)], axis=1),
        sway=np.zeros((count, 3), np.float32),
        owner=owner,
        offset=np.stack([slant[owner] * along, along], axis=1).astype(np.float32),
        strength=(1.1 * thick * length / spots)[owner].astype(np.float32),
        white=np.float32(1.05),
        most=0.55,
    )


def snow(amount: float, rng: np.random.Generator, focal_px: float, size_px: Size) -> Falling:
    """Soft round flakes, of an amount 0..1, in pictures of a camera."""
    height, width = size_px
    away = _distances(rng, round(800 * amount))
    count = len(away)
    px_per_m = np.float32(focal_px) / away
    fall = np.float32(SNOW_MPS) * px_per_m * rng.uniform(0.8, 1.2, count).astype(np.float32)
    wind = np.float32(rng.normal(0, 0.35)) * px_per_m
    sway = [0.06 * px_per_m / width, rng.uniform(1.5, 3.5, count), rng.uniform(0, 6.28, count)]
    radius = np.clip(px_per_m * np.float32(FLAKE_M), 0.42, height / 24)
    reach = math.ceil(float(radius.max(initial=0)) * 1.6)
    near = np.arange(-reach, reach + 1, dtype=np.float32)
    round_about = np.stack(np.meshgrid(near, near), axis=-1).reshape(-1, 2)
    squared = np.square(round_about).sum(axis=-1) / (1.3 * np.square(radius))[:, None]
    # what is smaller than a pixel hides only a part of it
    part = np.minimum(px_per_m * np.float32(FLAKE_M) / radius, 1)
    strength = 0.9 * part[:, None] * np.exp(-squared)
    owner, spot = np.nonzero(strength > 0.02)
    return Falling(
        size_px=size_px,
        away_m=away,
        place=rng.uniform(0, 1, (count, 2)).astype(np.float32),
        speed=np.stack([wind / width, fall / height / (1 + 2 * MARGIN)], axis=1),
        sway=np.stack(sway, axis=1).astype(np.float32),
        owner=owner,
        offset=round_about[spot],
        strength=strength[owner, spot].astype(np.float32),
        white=np.float32(1.25),
        most=0.92,
    )


def _distances(rng: np.random.Generator, count: int) -> Plane:
    """Distances of things that fill a camera's view evenly."""
    cubes = rng.uniform(NEAREST_M**3, FARTHEST_M**3, count)
    return np.cbrt(cubes).astype(np.float32)
