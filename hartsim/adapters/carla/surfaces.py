"""hartsim's surfaces on a CARLA map: which objects they are, painting them, and looking whether.

`Surfaces` sends one texture to all objects of a surface near the ego, and afterwards tells by the
cameras' pictures which took it. Paint stays until the map is loaded anew: CARLA has no undo.
"""

import math
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hartsim.adapters.carla.coordinates import Anchor
from hartsim.adapters.carla.labels import TAGS
from hartsim.adapters.carla.objects import MapObject, map_objects, names_on_map, pixels_of
from hartsim.adapters.carla.paint_cache import PaintCache
from hartsim.adapters.carla.paint_check import LEAST_PIXELS, PaintCheck, check_paint
from hartsim.adapters.carla.textures import (
    SMALL_PX,
    Floats,
    check_size,
    texture_color,
    texture_floats,
)
from hartsim.errors import WorldError
from hartsim.scenario.words import suggestion
from hartsim.types import CLASS_ID, Frame, Image, Mask, Size
from hartsim.worlds.street import SURFACES as STREET

if TYPE_CHECKING:
    from hartsim.adapters.carla.connection import Connection

SIZE_PX: Size = (512, 512)
"""The texture that fits a surface: CARLA's meshes repeat it every few metres."""

MAP_SURFACES: Mapping[str, tuple[str, ...]] = {
    "road": ("Roads",),
    "pavement": ("Sidewalks",),
    "terrain": ("Terrain", "Ground"),
    "facade_a": ("Buildings",),
    "facade_b": ("Buildings",),
    "facade_c": ("Buildings",),
}
"""The tags of each surface's objects; the buildings of a map are dealt out to three surfaces."""
FACADES = ("facade_a", "facade_b", "facade_c")
PROPS = "box"
"""The surface of cardboard boxes, which are spawned."""
SURFACES: Mapping[str, Size] = {name: SIZE_PX for name in (*MAP_SURFACES, PROPS)}
"""What can be painted in CARLA; the sky of the street is its weather's."""

REACH_M = 150.0
"""What is farther from the ego is left as it is: each object holds the server up."""
SECONDS_PER_MEGAPIXEL = 20.0
"""How long the server may take for what is larger than usual, and for each object's share."""


@dataclass(frozen=True)
class Coat:
    """What to put on a surface: its colours and, if wanted, its normals and how rough it is."""

    diffuse: Image
    normal: Floats | None = None
    surface: Floats | None = None


@dataclass(frozen=True)
class Look:
    """The cameras' frames of one moment, and where the ego was."""

    frames: Mapping[str, Frame]
    anchor: Anchor


@dataclass(frozen=True)
class Target:
    """Something to paint: Unreal's `name`, and what it is remembered as.

    It is seen where its map objects are or, if it was spawned, where the frames' instance is.
    """

    name: str
    key: str
    parts: tuple[MapObject, ...] = ()
    instance: str | None = None


class Surfaces:
    """What can be painted on the map on show, by the names that scenes use."""

    def __init__(
        self, connection: "Connection", cache: PaintCache | None = None, tries_all: bool = False
    ) -> None:
        self._connection = connection
        with connection.asking("what can be painted"):
            self.names = names_on_map(connection.world)
            self.objects = map_objects(connection.world, self.names)
        self._tries_all = tries_all
        self.cache = cache or PaintCache(connection.version, connection.map_name)
        self._of_map = _by_surface(self.objects)
        self._spawned: list[Target] = []
        self._painted: dict[str, tuple[Target, ...]] = {}

    def add_spawned(self, name: str, blueprint: str, instance: str) -> None:
        """Let the surface "box" have something that was spawned, as an instance of the frames.

        `name` is Unreal's, as `objects.name_of_new` finds it.
        """
        self._spawned.append(Target(name, f"blueprint:{blueprint}", instance=instance))

    def forget_spawned(self) -> None:
        """Nothing that was spawned is there any more."""
        self._spawned.clear()
        self._painted.clear()

    def targets(self, surface: str, anchor: Anchor, reach_m: float = REACH_M) -> list[Target]:
        """What a surface is near an ego, without what is known to take no paint.

        With `tries_all` that is left in, so that what was learnt before decides nothing.
        WorldError for a surface that scenes do not have.
        """
        if surface not in SURFACES and surface not in STREET:
            raise WorldError(f"no surface '{surface}' to paint; {suggestion(surface, SURFACES)}")
        if surface == PROPS:
            found = list(self._spawned)
        else:
            found = [
                each
                for each in self._of_map.get(surface, ())
                if any(_distance_m(part, anchor) <= reach_m for part in each.parts)
            ]
        if self._tries_all:
            return found
        return [each for each in found if not self.cache.tried(each.key).is_hopeless]

    def showing(self, surfaces: Iterable[str], look: Look) -> set[str]:
        """Which of these surfaces some camera sees, on something that may take paint."""
        return {name for name in surfaces if self._shows(name, look)}

    def _shows(self, surface: str, look: Look) -> bool:
        return any(
            _seen(target, surface, frame, look.anchor).sum() >= LEAST_PIXELS
            for target in self.targets(surface, look.anchor)
            for frame in look.frames.values()
        )

    def apply(self, textures: Mapping[str, Image | Coat], anchor: Anchor) -> dict[str, int]:
        """Send a texture to every surface near the ego; says to how many objects each went.

        A surface without objects here, such as the sky, is passed over. WorldError for a texture
        that does not fit, before anything is sent.
        """
        coats = {name: _coat(name, each) for name, each in textures.items()}
        found = {name: self.targets(name, anchor) for name in coats}
        for surface, targets in found.items():
            if targets:
                self._send([each.name for each in targets], coats[surface], surface)
            self._painted[surface] = tuple(targets)
        return {name: len(targets) for name, targets in found.items()}

    def confirm(self, before: tuple[Look, Look], after: Look) -> dict[str, PaintCheck]:
        """What the cameras saw of the paint last applied, by surface, the clearest of its objects.

        `before` are two looks without it, `after` one with it. What is learnt is remembered.
        """
        clearest: dict[str, PaintCheck] = {}
        classes = [CLASS_ID[_class_of(each)] for each in self._painted if each != PROPS]
        for surface, targets in self._painted.items():
            for target in targets:
                check = self._look_at(target, surface, before, after, classes)
                self.cache.note(target.key, check.verdict)
                if surface not in clearest or _clearer(check, clearest[surface]):
                    clearest[surface] = check
        self.cache.save()
        return clearest

    def changed(self, before: tuple[Look, Look], after: Look) -> set[str]:
        """The surfaces whose paint was seen to change a picture."""
        checks = self.confirm(before, after)
        return {name for name, check in checks.items() if check.verdict == "changed"}

    def _look_at(
        self,
        target: Target,
        surface: str,
        before: tuple[Look, Look],
        after: Look,
        painted: Sequence[int],
    ) -> PaintCheck:
        """The clearest verdict of all cameras on one object."""
        best = PaintCheck("unseen", 0)
        for name, frame in after.frames.items():
            if not all(name in look.frames for look in before):
                continue
            looks = (before[0].frames[name], before[1].frames[name])
            seen = _seen(target, surface, frame, after.anchor)
            seen &= _seen(target, surface, looks[1], before[1].anchor)
            untouched = ~(np.isin(frame.labels, painted) | self._painted_props(frame))
            pictures = (looks[0].image, looks[1].image)
            check = check_paint(pictures, frame.image, seen, untouched)
            if _clearer(check, best):
                best = check
        return best

    def _painted_props(self, frame: Frame) -> Mask:
        """Where something is seen that was spawned and wears paint."""
        props = {each.instance for each in self._painted.get(PROPS, ())}
        ids = [each.id for each in frame.table if each.name in props]
        return np.isin(frame.instances, ids)

    def _send(self, names: list[str], coat: Coat, surface: str) -> None:
        import carla

        world, parameter = self._connection.world, carla.MaterialParameter
        pixels = max(each.shape[0] * each.shape[1] for each in _maps(coat))
        with (
            self._waiting(pixels, len(names)),
            self._connection.asking(f"to paint {len(names)} objects of '{surface}'"),
        ):
            diffuse = texture_color(coat.diffuse)
            world.apply_color_texture_to_objects(names, parameter.Diffuse, diffuse)
            if coat.normal is not None:
                normal = texture_floats(coat.normal)
                world.apply_float_color_texture_to_objects(names, parameter.Normal, normal)
            if coat.surface is not None:
                rough = texture_floats(coat.surface)
                world.apply_float_color_texture_to_objects(
                    names, parameter.AO_Roughness_Metallic_Emissive, rough
                )

    @contextmanager
    def _waiting(self, pixels: int, objects: int) -> Iterator[None]:
        """Give the server more time where a texture is large, or goes to many objects."""
        usual_s = self._connection.address.timeout_s
        needed_s = SECONDS_PER_MEGAPIXEL * pixels / SMALL_PX**2 * max(1.0, objects / 20)
        if needed_s <= usual_s and pixels <= SMALL_PX**2:
            yield
            return
        self._connection.client.set_timeout(max(usual_s, needed_s))
        try:
            yield
        finally:
            self._connection.client.set_timeout(usual_s)


def surface_of(part: MapObject) -> str | None:
    """The surface that an object of the map belongs to; buildings by their actors' names."""
    tag = TAGS.get(part.tag, ("", None))[0]
    if tag == "Buildings":
        return FACADES[zlib.crc32((part.name or part.part).encode()) % len(FACADES)]
    return next((name for name, tags in MAP_SURFACES.items() if tag in tags), None)


def _by_surface(objects: Iterable[MapObject]) -> dict[str, list[Target]]:
    parts: dict[tuple[str, str], list[MapObject]] = {}
    for each in objects:
        surface = surface_of(each)
        if surface is not None and each.name is not None:
            parts.setdefault((surface, each.name), []).append(each)
    found: dict[str, list[Target]] = {}
    for (surface, name), own in sorted(parts.items()):
        found.setdefault(surface, []).append(Target(name, name, tuple(own)))
    return found


def _class_of(surface: str) -> str:
    if surface in FACADES:
        return "building"
    return "debris" if surface == PROPS else surface


def _seen(target: Target, surface: str, frame: Frame, anchor: Anchor) -> Mask:
    """Where an object is seen in a frame whose boxes are in the anchor's frame."""
    if target.instance is not None:
        ids = [each.id for each in frame.table if each.name == target.instance]
        return np.isin(frame.instances, ids)
    own = (frame.labels == CLASS_ID[_class_of(surface)]) & (frame.instances == 0)
    return pixels_of(target.parts, own, frame.depth_m, frame.camera, anchor)


_CLARITY = ("unseen", "unsure", "unchanged", "changed")


def _clearer(one: PaintCheck, other: PaintCheck) -> bool:
    rank = _CLARITY.index(one.verdict), one.share, one.pixels
    return rank > (_CLARITY.index(other.verdict), other.share, other.pixels)


def _coat(surface: str, texture: Image | Coat) -> Coat:
    """The coat, whose maps all fit; WorldError that names the surface where one does not."""
    coat = texture if isinstance(texture, Coat) else Coat(texture)
    if coat.diffuse.dtype != np.uint8 or coat.diffuse.ndim != 3 or coat.diffuse.shape[2] != 3:
        raise WorldError(
            f"the texture for '{surface}' is {coat.diffuse.dtype} {coat.diffuse.shape}; "
            "paint takes uint8 RGB, (height, width, 3)"
        )
    for each in _maps(coat):
        try:
            check_size(each.shape)
        except WorldError as error:
            raise WorldError(f"surface '{surface}': {error}") from error
    return coat


def _maps(coat: Coat) -> list[Image | Floats]:
    return [each for each in (coat.diffuse, coat.normal, coat.surface) if each is not None]


def _distance_m(part: MapObject, anchor: Anchor) -> float:
    """How far the nearest side of an object's box is from an anchor, seen from above."""
    box = part.box(anchor)
    x, y, _ = box.centre_m
    c, s = math.cos(box.heading_rad), math.sin(box.heading_rad)
    along, aside = abs(c * x + s * y), abs(c * y - s * x)
    return math.hypot(max(0.0, along - box.size_m[0] / 2), max(0.0, aside - box.size_m[1] / 2))
