"""Finding what can be painted on a map: by name, by tag, by what a pixel shows, by spawning it.

CARLA paints Unreal's actors by the names that these have on the server. Its environment objects
have tags and boxes; their names are those of the actors, with the mesh's number behind it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from hartsim.adapters.carla.coordinates import Anchor, Placement
from hartsim.adapters.carla.labels import MARGIN_M, TAGS, outside_m, rays_of
from hartsim.errors import WorldError
from hartsim.scenario.words import suggestion
from hartsim.types import Box3D, Camera, Depth, Mask, Vector3

_PART = re.compile(r"_(SM_\d+|SKM_\d+|Inst_\d+_\d+)$")
"""What the server puts behind an actor's name for each of its meshes."""


@dataclass(frozen=True)
class MapObject:
    """A part of the map: Unreal's name of its actor, its tag, and its box in CARLA's world.

    `extent_m` is half the box's size. `name` is None where no actor of the map has it.
    """

    name: str | None
    part: str
    tag: int
    middle: Placement
    extent_m: Vector3

    def box(self, anchor: Anchor) -> Box3D:
        """Its box in the frame of an anchor."""
        return anchor.box_from_carla(self.middle, self.extent_m)

    @property
    def volume_m3(self) -> float:
        """How much its box holds; flat boxes hold a little."""
        x, y, z = (max(2 * each, 0.01) for each in self.extent_m)
        return x * y * z


def names_on_map(world: Any) -> tuple[str, ...]:
    """The names of everything that the server would try to paint, as it lists them."""
    return tuple(str(name) for name in world.get_names_of_all_objects())


def map_objects(world: Any, names: Iterable[str] | None = None) -> tuple[MapObject, ...]:
    """All environment objects, each with the name by which it can be painted."""
    import carla

    known = set(names_on_map(world) if names is None else names)
    return tuple(
        MapObject(
            name=actor_name(each.name, known),
            part=each.name,
            tag=int(each.type),
            middle=Placement(
                _triple(each.bounding_box.location), _rotation(each.bounding_box.rotation)
            ),
            extent_m=_triple(each.bounding_box.extent),
        )
        for each in world.get_environment_objects(carla.CityObjectLabel.Any)
    )


def actor_name(part: str, names: set[str]) -> str | None:
    """The name of the actor that a part belongs to; None where no actor has it."""
    if part in names:
        return part
    short = _PART.sub("", part)
    return short if short in names else None


def by_pattern(names: Sequence[str], pattern: str) -> tuple[str, ...]:
    """The names that fit a pattern such as `BP_Apartment*`; WorldError where none does."""
    found = tuple(name for name in names if fnmatchcase(name, pattern))
    if not found:
        raise WorldError(
            f"no object of this map is called '{pattern}'; {suggestion(pattern, names)}"
        )
    return found


def by_tag(objects: Iterable[MapObject], tag: str) -> tuple[MapObject, ...]:
    """The objects with a tag of `carla.CityObjectLabel`, by its name, that can be painted."""
    numbers = {name: number for number, (name, _) in TAGS.items()}
    if tag not in numbers:
        raise WorldError(f"CARLA has no tag '{tag}'; {suggestion(tag, numbers)}")
    return tuple(each for each in objects if each.tag == numbers[tag] and each.name is not None)


def at_pixel(
    objects: Iterable[MapObject],
    column: int,
    row: int,
    tag: int,
    depth_m: Depth,
    camera: Camera,
    anchor: Anchor,
) -> tuple[MapObject, ...]:
    """The objects that a pixel may show, the likeliest (whose box is smallest) first.

    `tag` is the semantic camera's at that pixel, `anchor` the ego whose frame the camera is in.
    Objects that cannot be painted are among them.
    """
    height, width = camera.size_px
    if not (0 <= row < height and 0 <= column < width):
        raise WorldError(
            f"camera '{camera.name}' has no pixel in column {column}, row {row}; "
            f"it is {width} wide and {height} high"
        )
    metres = float(depth_m[row, column])
    if not np.isfinite(metres):
        return ()
    k = camera.intrinsics
    x, y = (column + 0.5 - k[0, 2]) / k[0, 0], (row + 0.5 - k[1, 2]) / k[1, 1]
    seen = camera.camera_to_base @ np.array([x * metres, y * metres, metres, 1.0])
    point = Box3D((float(seen[0]), float(seen[1]), float(seen[2])), (0.0, 0.0, 0.0), 0.0)
    found = [
        each for each in objects if each.tag == tag and _holds(each.box(anchor), point.centre_m)
    ]
    return tuple(sorted(found, key=lambda each: (each.volume_m3, each.part)))


def pixels_of(
    objects: Iterable[MapObject], labelled: Mask, depth_m: Depth, camera: Camera, anchor: Anchor
) -> Mask:
    """The pixels (H, W) of some objects: of the class they have, and within a box of theirs."""
    rays = rays_of(camera)
    within = np.zeros(camera.size_px, np.bool_)
    for each in objects:
        within |= outside_m(each.box(anchor), rays, depth_m, camera) <= MARGIN_M
    return within & labelled


def name_of_new(before: Iterable[str], after: Iterable[str], what: str) -> str:
    """The name that appeared when one thing was spawned; WorldError for none, and for several."""
    new = sorted(set(after) - set(before))
    if len(new) != 1:
        seen = ", ".join(new[:8]) if new else "nothing new"
        raise WorldError(
            f"{what}: after it was spawned the server lists {seen}, where one new name tells what "
            "to paint; spawn what is to be painted one at a time, and tick in between"
        )
    return new[0]


def _holds(box: Box3D, point_m: Vector3) -> bool:
    c, s = np.cos(box.heading_rad), np.sin(box.heading_rad)
    x, y, z = np.asarray(point_m) - np.asarray(box.centre_m)
    local = np.abs([c * x + s * y, c * y - s * x, z])
    return bool((local <= np.asarray(box.size_m) / 2 + MARGIN_M).all())


def _triple(vector: Any) -> Vector3:
    return float(vector.x), float(vector.y), float(vector.z)


def _rotation(rotation: Any) -> Vector3:
    return float(rotation.pitch), float(rotation.yaw), float(rotation.roll)
