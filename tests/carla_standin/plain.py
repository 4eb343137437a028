"""Pictures of an empty plain with boxes on it: quick, and true about depth, tags and ids."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tests.carla_standin.geometry import Transform
from tests.carla_standin.rays import GROUND, NOTHING, SolidBox, cast

ROAD, SKY = 1, 11


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


def directions(shot: Shot) -> NDArray[np.float64]:
    """The rays of a shot (H * W, 3) in the map, one metre along the view each."""
    focal = shot.width / 2 / math.tan(math.radians(shot.fov) / 2)
    columns = (np.arange(shot.width) + 0.5 - shot.width / 2) / focal
    rows = (np.arange(shot.height) + 0.5 - shot.height / 2) / focal
    right, down = np.meshgrid(columns, rows)
    local = np.stack([np.ones_like(right), right, -down], axis=-1).reshape(-1, 3)
    rays: NDArray[np.float64] = local @ shot.at.matrix()[:3, :3].T
    return rays


class Plain:
    """The painter of the plain; `boxes` and `ground_m` are asked anew for each picture."""

    def __init__(self, boxes: "Boxes", ground_m: "Level", light: "Light") -> None:
        self._boxes, self._ground, self._light = boxes, ground_m, light

    def truth(self, shot: Shot) -> Truth:
        """What is there."""
        boxes = [box for box in self._boxes() if box.id != shot.within]
        far, hit = cast(shot.at.location, directions(shot), boxes, self._ground())
        tags = np.array([ROAD if index == GROUND else SKY for index in (NOTHING, GROUND)])
        tags = np.concatenate([[box.tag for box in boxes], tags]).astype(np.uint8)
        ids = np.array([*(box.id & 0xFFFF for box in boxes), 0, 0], np.uint16)
        shape = (shot.height, shot.width)
        return Truth(far.reshape(shape), tags[hit].reshape(shape), ids[hit].reshape(shape))

    def picture(self, shot: Shot) -> NDArray[np.uint8]:
        """Grey ground, blue sky, boxes in colours of their own, as light as the sun is high."""
        found = self.truth(shot)
        picture = np.full((*found.tags.shape, 3), (90, 90, 95), np.float64)
        picture[found.tags == SKY] = (140, 170, 210)
        for number in np.unique(found.ids[found.ids > 0]).tolist():
            colour = 40 + (np.array([37, 83, 149]) * number) % 180
            picture[found.ids == number] = colour
        return np.clip(picture * self._light(), 0, 255).astype(np.uint8)

    def close(self) -> None:
        """Nothing to free."""


class Boxes(Protocol):
    """Says what stands on the plain."""

    def __call__(self) -> Sequence[SolidBox]:
        """All boxes as they are now."""
        ...


class Level(Protocol):
    """Says how high the ground is."""

    def __call__(self) -> float:
        """Metres."""
        ...


class Light(Protocol):
    """Says how light it is."""

    def __call__(self) -> float:
        """1 by day."""
        ...
