"""Pictures of an empty plain with boxes on it: quick, and true about depth, tags and ids."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tests.carla_standin.geometry import Transform
from tests.carla_standin.rays import SolidBox, hits

ROAD, SKY = 1, 11
NEAR_M = 0.1
OWN = 250
"""How many colours there are for what has an id."""
COLOURS = np.array(
    [
        (90.0, 90.0, 95.0),
        (140.0, 170.0, 210.0),
        *((40.0 + k * 37 % 180, 40.0 + k * 83 % 180, 40.0 + k * 149 % 180) for k in range(OWN)),
    ]
)
"""The ground's colour, the sky's, and those of what has an id."""


@dataclass(frozen=True)
class Shot:
    """A picture to take: from where, how many pixels, the horizontal view in degrees.

    `within` is the actor that carries the camera, which is not seen from within.
    """

    at: Transform
    width: int
    height: int
    fov: float
    within: int = 0


@dataclass(frozen=True, eq=False)
class Truth:
    """What is in each pixel (H, W): metres along the view (inf for sky), semantic tag, id."""

    depth_m: NDArray[np.float64]
    tags: NDArray[np.uint8]
    ids: NDArray[np.uint16]


Boxes = Callable[[], Sequence[SolidBox]]
Level = Callable[[], float]
"""How high the ground is, metres."""
Light = Callable[[], float]
"""How light it is, 1 by day."""

Coats = Callable[[], Mapping[int, NDArray[np.float64]]]
"""The colours of what is painted, by id."""
Known = Callable[[Shot], Truth]


class Painter(Protocol):
    """Takes pictures of the world as it is now."""

    def picture(self, shot: Shot) -> NDArray[np.uint8]:
        """What the camera sees: (H, W, 3), red first."""
        ...

    def truth(self, shot: Shot) -> Truth:
        """What is there."""
        ...

    def close(self) -> None:
        """Free what it draws with."""
        ...


@lru_cache(maxsize=8)
def rays(width: int, height: int, fov: float) -> NDArray[np.float32]:
    """The rays of a camera (H, W, 3) in its frame, one metre along its view each."""
    focal = width / 2 / math.tan(math.radians(fov) / 2)
    columns = (np.arange(width) + 0.5 - width / 2) / focal
    rows = (np.arange(height) + 0.5 - height / 2) / focal
    right, down = np.meshgrid(columns, rows)
    return np.stack([np.ones_like(right), right, -down], axis=-1).astype(np.float32)


def seen_part(shot: Shot, box: SolidBox) -> tuple[slice, slice] | None:
    """The rows and columns in which a box can be; None where it is behind the camera."""
    corners = np.array(list(product((-1, 1), repeat=3))) * box.half_m
    world = np.column_stack([corners, np.ones(8)]) @ box.matrix.T
    ahead, right, up, _ = np.linalg.inv(shot.at.matrix()) @ world.T
    if (ahead < NEAR_M).all():
        return None
    if (ahead < NEAR_M).any():
        return slice(None), slice(None)
    focal = shot.width / 2 / math.tan(math.radians(shot.fov) / 2)
    columns = shot.width / 2 + focal * right / ahead
    rows = shot.height / 2 - focal * up / ahead
    return _span(rows, shot.height), _span(columns, shot.width)


def _span(places: NDArray[np.float64], most: int) -> slice:
    low, high = int(places.min()) - 1, int(places.max()) + 2
    return slice(min(max(low, 0), most), min(max(high, 0), most))


class Plain:
    """The painter of the plain; boxes, level and light are asked for anew for each picture.

    `known` gives what `truth` has found for other cameras in the same place.
    """

    def __init__(
        self, boxes: Boxes, level: Level, light: Light, coats: Coats, known: Known
    ) -> None:
        self._boxes, self._level, self._light = boxes, level, light
        self._coats, self._known = coats, known

    def truth(self, shot: Shot) -> Truth:
        """What is there."""
        turn = shot.at.matrix()[:3, :3].astype(np.float32)
        directions = rays(shot.width, shot.height, shot.fov) @ turn.T
        with np.errstate(divide="ignore"):
            depth = np.float32(self._level() - shot.at.location[2]) / directions[..., 2]
        depth = np.where(depth > 0, depth, np.float32(np.inf))
        tags = np.where(np.isfinite(depth), np.uint8(ROAD), np.uint8(SKY))
        ids = np.zeros(depth.shape, np.uint16)
        for box in self._boxes():
            part = seen_part(shot, box)
            if part is None or box.id == shot.within or not depth[part].size:
                continue
            away = hits(shot.at.location, directions[part].reshape(-1, 3), box)
            away = away.reshape(depth[part].shape)
            nearer = away < depth[part]
            depth[part][nearer] = away[nearer]
            tags[part][nearer], ids[part][nearer] = box.tag, box.id & 0xFFFF
        return Truth(depth.astype(np.float64), tags, ids)

    def picture(self, shot: Shot) -> NDArray[np.uint8]:
        """Grey ground, blue sky, boxes in colours of their own, as light as the sun is high."""
        found = self._known(shot)
        index = np.where(found.ids > 0, found.ids % OWN + 2, found.tags == SKY)
        picture = np.take((self._light() * COLOURS).astype(np.uint8), index, axis=0)
        for number, colour in self._coats().items():
            picture[found.ids == number] = self._light() * colour
        return picture

    def close(self) -> None:
        """Nothing to free."""
