"""Hazards put into a picture: cut-outs with true masks, where and as large as they would be seen.

A hazard stands on the ground, which is flat and at height 0 before the camera, is hidden by what is
nearer, throws its own shadow, and gets its class into the labels and its distance into the depth.
It is a picture: nothing collides with it, and no reward knows of it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hartsim.adapters.gymnasium.cutouts import Cutout, Variant
from hartsim.adapters.gymnasium.looks import Occasion, Told, View, Worn
from hartsim.images import resize
from hartsim.scenario.compiled import CameraSetup
from hartsim.scenario.draw import pick, stream
from hartsim.scenario.kinds import KINDS
from hartsim.types import CLASS_ID, Camera, Depth, Image, Size
from hartsim.worlds.mounting import calibrated

Range = tuple[float, float]

TOLERANCE = 0.03
"""By what share of its distance the ground before a thing may be nearer without hiding it."""
NEAREST_M = 0.3
LARGEST = 4.0
"""What would be so many times as high or wide as the picture is past the camera, and not drawn."""
GAIN = (0.15, 1.4)
"""How much darker or brighter a cut-out may become to suit the light of a picture."""


@dataclass(frozen=True)
class Placed:
    """A hazard in its place: metres ahead and to the left, as scenarios have them."""

    kind: str
    ahead_m: float
    left_m: float
    variant: int = 0


Placing = Callable[[Occasion], Sequence[Placed]]
"""Which hazards there are on an occasion."""


def at_random(kinds: Sequence[str], count: int, ahead_m: Range, left_m: Range) -> Placing:
    """So many hazards each time, of any of the kinds, anywhere in the ranges."""

    def place(occasion: Occasion) -> list[Placed]:
        rng = stream("hazards", *occasion)
        return [
            Placed(
                kind=pick(rng, kinds),
                ahead_m=float(rng.uniform(*ahead_m)),
                left_m=float(rng.uniform(*left_m)),
                variant=int(rng.integers(2**31)),
            )
            for _ in range(count)
        ]

    return place


@dataclass(frozen=True)
class Hazards:
    """Hazards in pictures of a camera; without `depth_of`, nothing hides them.

    `cutouts` has the variants of each kind that is placed.
    """

    changes: ClassVar = frozenset({"image", "labels", "depth_m"})

    place: Placing
    cutouts: Mapping[str, Sequence[Variant]]
    camera: CameraSetup
    depth_of: Callable[[View], Depth] | None

    def choose(self, occasion: Occasion, view: View) -> "WornHazards":
        """The hazards of this occasion, as bright as the ground that they are put on."""
        camera = calibrated(self.camera, view.size_px)
        stood: list[_Standing] = []
        told: dict[str, str | int | float] = {}
        for number, placed in enumerate(self.place(occasion), 1):
            variants = self.cutouts[placed.kind]
            variant = variants[placed.variant % len(variants)]
            gain = _gain(view.image, camera, placed, variant[0].ground)
            stood.append(_Standing(placed, variant, gain))
            told[f"hazard_{number}"] = placed.kind
            told[f"hazard_{number}_ahead_m"] = placed.ahead_m
            told[f"hazard_{number}_left_m"] = placed.left_m
        stood.sort(key=lambda each: -each.placed.ahead_m)
        return WornHazards(self, camera, tuple(stood), view.travelled_m, told)

    def together(self, worn: Sequence[Worn]) -> None:
        """Nothing: each shows its own."""


@dataclass(frozen=True, eq=False)
class _Standing:
    """A hazard as chosen: which cut-outs, how bright; `sized` keeps the last ones made to size."""

    placed: Placed
    variant: Variant
    gain: float
    sized: "dict[tuple[int, Size], _Sized]" = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class WornHazards:
    """The hazards of an occasion, the farthest first; `since_m` is where the camera was then."""

    look: Hazards
    camera: Camera
    stood: tuple[_Standing, ...]
    since_m: float
    told: Told

    def show(self, view: View) -> None:
        """Put them into the picture, and into labels and depth where there are any."""
        depth = self.look.depth_of(view) if self.look.depth_of else None
        for each in self.stood:
            ahead = each.placed.ahead_m - (view.travelled_m - self.since_m)
            column, row, away = _project(self.camera, ahead, each.placed.left_m)
            if away < NEAREST_M:
                continue
            px_per_m = float(self.camera.intrinsics[0, 0]) / away
            cut, height, width = _nearest(each.variant, away, px_per_m)
            if height > LARGEST * view.size_px[0] or width > LARGEST * view.size_px[1]:
                continue
            sized = _made_to_size(each, cut, (height, width))
            _put(
                view,
                depth,
                sized,
                (row, column),
                away,
                CLASS_ID[KINDS[each.placed.kind].class_name],
            )


def _project(camera: Camera, ahead_m: float, left_m: float) -> tuple[float, float, float]:
    """Column, row and depth of a place on the ground; a depth of 0 for what is behind."""
    column, row, depth = camera.project(np.array([[ahead_m, left_m, 0.0]]))[0].tolist()
    return (column, row, depth) if depth > 0 else (0.0, 0.0, 0.0)


def _gain(image: Image, camera: Camera, placed: Placed, ground: float) -> float:
    """How much brighter the ground at a place is than it was where the cut-out was made."""
    column, row, _ = _project(camera, placed.ahead_m, placed.left_m)
    height, width = image.shape[:2]
    reach = max(2, height // 10)
    middle = min(max(int(row), reach), height - 1), min(max(int(column), 0), width - 1)
    part = image[
        max(0, middle[0] - reach // 2) : middle[0] + reach,
        max(0, middle[1] - reach) : middle[1] + reach + 1,
    ]
    return float(np.clip(part.mean() / ground, *GAIN))


def _nearest(variant: Variant, away_m: float, px_per_m: float) -> tuple[Cutout, int, int]:
    """The cut-out that was seen from about so far, and the height and width to show it at."""
    cut = min(variant, key=lambda each: abs(math.log(each.away_m / away_m)))
    scale = px_per_m / cut.px_per_m
    return cut, max(1, round(cut.mask.shape[0] * scale)), max(1, round(cut.mask.shape[1] * scale))


@dataclass(frozen=True, eq=False)
class _Sized:
    """A cut-out at a size: its colour, and how much of what is behind is kept and how shaded."""

    colour: NDArray[np.float32]
    kept: NDArray[np.float32]
    shade: NDArray[np.float32]
    behind_m: NDArray[np.float32]
    foot: tuple[float, float]


def _made_to_size(each: _Standing, cut: Cutout, size_px: Size) -> _Sized:
    key = (id(cut), size_px)
    if key not in each.sized:
        each.sized.clear()
        each.sized[key] = _resized(cut, size_px, each.gain)
    return each.sized[key]


def _resized(cut: Cutout, size_px: Size, gain: float) -> _Sized:
    height, width = cut.mask.shape
    rows = (np.arange(size_px[0]) * height) // size_px[0]
    columns = (np.arange(size_px[1]) * width) // size_px[1]
    # colours are averaged together with the mask, or what is beside the thing would shine through
    covered = resize(cut.image * cut.mask[..., None], size_px).astype(np.float32)
    cover = resize(cut.mask.astype(np.uint8) * np.uint8(255), size_px).astype(
        np.float32
    ) / np.float32(255)
    return _Sized(
        colour=np.minimum(covered * np.float32(gain), 255 * cover[..., None]),
        kept=1 - cover,
        shade=resize(cut.shade, size_px).astype(np.float32) / np.float32(255),
        behind_m=cut.behind_m[rows[:, None], columns],
        foot=(cut.foot[0] * size_px[1] / width, cut.foot[1] * size_px[0] / height),
    )


def _put(
    view: View,
    depth: Depth | None,
    thing: _Sized,
    at_px: tuple[float, float],
    away_m: float,
    class_id: int,
) -> None:
    """Put a thing into the view so that its foot comes to a place (row, column)."""
    top, left = round(at_px[0] - thing.foot[1]), round(at_px[1] - thing.foot[0])
    (height, width), (rows, columns) = thing.kept.shape, view.size_px
    part = (
        slice(max(top, 0), min(top + height, rows)),
        slice(max(left, 0), min(left + width, columns)),
    )
    if part[0].start >= part[0].stop or part[1].start >= part[1].stop:
        return
    own = (
        slice(part[0].start - top, part[0].stop - top),
        slice(part[1].start - left, part[1].stop - left),
    )
    kept, shade, away = thing.kept[own], thing.shade[own], thing.behind_m[own] + np.float32(away_m)
    colour = thing.colour[own]
    if depth is not None:
        seen = depth[part] > away - np.float32(TOLERANCE * away_m)
        kept, shade = np.where(seen, kept, 1), np.where(seen, shade, 1)
        colour = colour * seen[..., None]
    picture = view.image[part] * (kept * shade)[..., None] + colour
    view.image[part] = np.clip(np.rint(picture), 0, 255)
    mostly = kept < 0.5
    if view.labels is not None:
        view.labels[part][mostly] = class_id
    if view.depth_m is not None:
        view.depth_m[part][mostly] = away[mostly]
