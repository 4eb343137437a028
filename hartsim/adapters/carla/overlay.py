"""What CARLA's weather does not have, added to its frames: snow, ice, mud, oil, dirt on the glass.

Everything is computed from a frame's picture, depth and labels, by the embedded street's own
optics, and is the same for the same seed, place and time. Labels stay true: a thing that covers the
road is labelled where it lies, dirt and flakes that hide more than half of a pixel make it unknown
or their own, and depth stays that of what lies behind.
"""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hartsim.adapters.carla.blueprints import CLOUD_EFFECTS, DRESSED, EFFECTS, PATCH_EFFECTS
from hartsim.adapters.carla.ground import (
    GROUND,
    Light,
    cropped,
    is_ground,
    light_in,
    mud_on,
    muddied,
    patch_cover,
    patched,
    reflection,
    snow_on,
    whitened,
)
from hartsim.adapters.carla.labels import window_of
from hartsim.adapters.carla.weather import conditions_of
from hartsim.adapters.gymnasium.precipitation import Falling, snow
from hartsim.errors import WorldError
from hartsim.scenario.compiled import CameraSetup, Conditions, PlacedObject, WorldSetup
from hartsim.types import (
    CLASS_ID,
    UNKNOWN,
    Camera,
    Depth,
    Frame,
    Instance,
    Instances,
    Labels,
    Pose,
    Size,
)
from hartsim.worlds import lens, street_props, veils
from hartsim.worlds.hazards import patch_radii
from hartsim.worlds.lens import HIDDEN
from hartsim.worlds.motion import STILL, box_at, carried, seen_from, turn_of
from hartsim.worlds.optics import FAR_M, Eye, Planes, eye_of, normals_of, planes_of
from hartsim.worlds.skies import light_of
from hartsim.worlds.stage import Lighting, Mirror, Puff, Stage, Weather
from hartsim.worlds.weather import blow, puff_opacity, wetted

FIRST_ID = 65535
"""Effects are numbered downward from here, actors upward from 1."""

SHEEN = 0.55
"""How strongly a road under ice mirrors, in the terms of `Mirror`."""
ICE_M = 800.0
FROST: tuple[float, float, float] = (0.86, 0.92, 1.0)
PATCH_SHEEN = {**street_props.MIRRORING, "mud": 0.18, "pothole": 0.0, "wet_leaves": 0.08}
_NO_SKY = np.zeros((2, 2, 3), np.uint8)


@dataclass(frozen=True)
class Patch:
    """Something that covers a piece of the road; its outline is that of what it mirrors."""

    placed: PlacedObject
    mirror: Mirror


@dataclass(frozen=True)
class Dress:
    """Smoke, fire or spray of an actor: puffs where it was placed, which go where it goes."""

    name: str
    placed: Pose
    puffs: tuple[Puff, ...]


@dataclass(frozen=True, eq=False)
class Overlay:
    """What to add to the frames of a scene; `instances` are its hazards, in the setup's frame."""

    conditions: Conditions
    seed: int
    cameras: tuple[CameraSetup, ...]
    instances: tuple[Instance, ...]
    stage: Stage
    patches: tuple[Patch, ...]
    dresses: tuple[Dress, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether frames stay as they are."""
        at = self.conditions
        falls = at.snow > 0 or at.snow_cover > 0 or at.ground in ("icy", "muddy")
        return not (falls or self.instances or self.dresses)


def overlay_of(setup: WorldSetup) -> Overlay:
    """What the weather, the ground and the hazards of a setup ask for beyond CARLA's own."""
    conditions, seed = conditions_of(setup), setup.decor_seed
    wanted = sorted((each for each in setup.objects if each.kind in EFFECTS), key=lambda o: o.name)
    made = [
        street_props.prop_of(each, FIRST_ID - k, False, _seed(seed, each.name), 0)
        for k, each in enumerate(wanted)
    ]
    props = tuple(prop for prop, _, _ in made)
    lighting, _, _ = light_of(conditions, seed)
    stage = Stage(
        props=props,
        textures={},
        sky=_NO_SKY,
        lighting=lighting,
        weather=Weather(seed=seed),
        cameras=setup.cameras,
        lamps=tuple(veils.low_suns(props, conditions)),
        puffs=_puffs(made),
        films=veils.films_on(props, seed),
    )
    instances = tuple(prop.instance for prop in props if prop.instance is not None)
    patches = tuple(
        Patch(each, _mirror(each, seed)) for each in wanted if each.kind in PATCH_EFFECTS
    )
    dresses = tuple(_dress(each, seed) for each in setup.objects if each.kind in DRESSED)
    return Overlay(conditions, seed, setup.cameras, instances, stage, patches, dresses)


def _dress(placed: PlacedObject, seed: int) -> Dress:
    _, puffs, _ = street_props.prop_of(placed, 0, False, _seed(seed, placed.name), 0)
    return Dress(placed.name, Pose(placed.box.centre_m, placed.box.heading_rad), tuple(puffs))


def _worn(overlay: Overlay, frame: Frame, ego: Pose) -> list[Puff]:
    """The puffs of the actors that are there, where these are now, in the frame of the setup."""
    puffs = []
    for dress in overlay.dresses:
        actor = next((each for each in frame.table if each.name == dress.name), None)
        if actor is not None:
            box = box_at(actor.box, STILL, ego)
            now = Pose(box.centre_m, box.heading_rad)
            for puff in dress.puffs:
                place = carried(puff.position_m, dress.placed, now)
                puffs.append(replace(puff, position_m=place, instance=actor))
    return puffs


def _puffs(
    made: Sequence[tuple[object, Sequence[Puff], Sequence[object]]],
) -> tuple[Puff, ...]:
    return tuple(
        puff
        for _, puffs, _ in made
        for puff in puffs
        if puff.instance is not None and puff.instance.kind in CLOUD_EFFECTS
    )


def _seed(seed: int, name: str) -> int:
    return (seed + zlib.crc32(name.encode())) % 2**31


def _mirror(placed: PlacedObject, seed: int) -> Mirror:
    """A patch's outline and how it mirrors."""
    x, y, z = placed.box.centre_m
    length, width, height = placed.box.size_m
    radii = patch_radii(_seed(seed, placed.name))
    foot = (x, y, z - height / 2)
    sheen = PATCH_SHEEN[placed.kind]
    return Mirror(foot, placed.box.heading_rad, (length, width), radii, sheen)


def overlaid(frame: Frame, overlay: Overlay, ego: Pose = STILL, time_s: float = 0.0) -> Frame:
    """The frame with the overlay; `ego` is where the ego is, in the frame of the setup.

    WorldError for a camera that the setup does not have.
    """
    if overlay.is_nothing:
        return frame
    camera = _camera_of(frame, overlay)
    table = tuple(replace(each, box=seen_from(ego, each.box)) for each in overlay.instances)
    taken = {each.id for each in frame.table} & {each.id for each in table}
    if taken:
        raise WorldError(
            f"camera '{frame.camera.name}': instance {min(taken)} is both an actor's and an "
            f"effect's; number actors from 1, below {FIRST_ID - len(table)}"
        )
    view = _View(frame, overlay, ego)
    view.lay_on_ground()
    view.blow_clouds()
    view.let_fall(time_s)
    view.look_through(camera)
    return replace(
        frame,
        image=_bytes(view.picture),
        labels=view.labels,
        instances=view.instances,
        table=(*frame.table, *table),
    )


def _bytes(picture: Planes) -> NDArray[np.uint8]:
    rounded = np.clip(picture * 255 + np.float32(0.5), 0, 255)
    return np.ascontiguousarray(np.moveaxis(rounded, 0, -1)).astype(np.uint8)


def _camera_of(frame: Frame, overlay: Overlay) -> CameraSetup:
    known = {camera.name: camera for camera in overlay.cameras}
    if frame.camera.name not in known:
        raise WorldError(
            f"no camera '{frame.camera.name}' in the setup; there are: {', '.join(known)}"
        )
    return known[frame.camera.name]


class _View:
    """A frame while effects are added to it, in the order in which light meets them."""

    def __init__(self, frame: Frame, overlay: Overlay, ego: Pose) -> None:
        self.overlay, self.eye = overlay, eye_in_setup(frame.camera, ego)
        self._ego, self._camera = ego, frame.camera
        self._mirrored: Planes | None = None
        self._worn = _worn(overlay, frame, ego)
        self.picture = planes_of(frame.image)
        self.labels: Labels = frame.labels.copy()
        self.instances: Instances = frame.instances.copy()
        self.as_seen = frame.labels
        self.depth: Depth = np.minimum(frame.depth_m, np.float32(FAR_M))
        self.solid = np.isfinite(frame.depth_m)
        self.light = light_in(self.picture, frame.labels, frame.depth_m)

    def lay_on_ground(self) -> None:
        """Snow, ice and mud everywhere, then the patches of hazards."""
        at = self.overlay.conditions
        if not (at.snow_cover > 0 or at.ground in ("icy", "muddy") or self.overlay.patches):
            return
        normals = normals_of(self.depth, self.eye)
        ground = is_ground(self.as_seen, normals) & self.solid & (self.instances == 0)
        before = self.picture.copy()
        if at.snow_cover > 0 or at.ground in ("icy", "muddy"):
            rows = np.flatnonzero(self.solid.any(axis=1))
            if len(rows):
                everything = slice(int(rows[0]), None), slice(None)
                self._cover(_Piece.of(self, *everything, normals, ground), before)
        for patch in self.overlay.patches:
            box = seen_from(self._ego, patch.placed.box)
            window = window_of(box, self._camera, 0.2)
            piece = _Piece.of(self, *window, normals, ground)
            if piece.ground.any():
                self._lay(patch, piece, before)

    def _cover(self, piece: "_Piece", before: Planes) -> None:
        """Cover everything with the snow, ice or mud of the conditions."""
        at, seed = self.overlay.conditions, self.overlay.seed
        picture, hidden = piece.picture, np.zeros_like(piece.depth)
        if at.ground == "muddy":
            hidden = mud_on(piece.points, piece.labels, seed) * piece.solid
            picture[:] = muddied(picture, hidden, piece.points, piece.light, seed)
        if at.ground == "icy":
            ring = (1.0,) * 8
            ice = Mirror((0.0, 0.0, 0.0), 0.0, (ICE_M, ICE_M), ring, SHEEN)
            self._mirror(piece, before, ice)
        if at.snow_cover > 0:
            snowy = snow_on(piece.points, piece.normals, piece.labels, at.snow_cover, seed)
            snowy *= piece.solid * np.float32(0.8 if at.ground == "icy" else 1.0)
            picture[:] = whitened(picture, snowy, piece.points, piece.light, seed)
            hidden = np.maximum(hidden, snowy)
        # under what covers the road there is still a road, but no marks are seen
        marks = (piece.labels == CLASS_ID["road_mark"]) & (hidden > HIDDEN)
        self.labels[piece.window][marks] = CLASS_ID["road"]

    def _lay(self, patch: Patch, piece: "_Piece", before: Planes) -> None:
        """Lay one patch, and label it."""
        away = np.abs(piece.points[2] - np.float32(patch.mirror.position_m[2]))
        # a road that rises leaves the level of the setup the more the farther away it is
        near = piece.ground & (away < 0.5 + 0.05 * piece.depth)
        cover = patch_cover(patch.mirror, piece.points, near)
        if not cover.any():
            return
        kind, name = patch.placed.kind, patch.placed.name
        seed = _seed(self.overlay.seed, name)
        piece.picture[:] = patched(piece.picture, kind, cover, piece.points, piece.light, seed)
        if patch.mirror.strength > 0:
            self._mirror(piece, before, patch.mirror)
        own = cover > HIDDEN
        number = next(each.id for each in self.overlay.instances if each.name == name)
        self.labels[piece.window][own] = CLASS_ID[patch.placed.class_name]
        self.instances[piece.window][own] = number

    def _mirror(self, piece: "_Piece", before: Planes, mirror: Mirror) -> None:
        """Let the ground mirror what stands behind it, as the embedded street does."""
        if self._mirrored is None:
            ground = self._ground_seen()
            depth = np.where(self.solid, self.depth, np.inf)
            self._mirrored = reflection(before, depth, self.eye, ground)
        level, upright = piece.points.copy(), piece.normals.copy()
        level[2] = np.where(piece.ground, 0, 1)  # CARLA's roads rise and fall
        upright[2] = np.where(piece.ground, 1, 0)
        stage = replace(self.overlay.stage, mirrors=(mirror,))
        shown = self._mirrored[:, *piece.window]
        wetted(piece.picture, level, upright, shown, piece.eye, stage)

    def _ground_seen(self) -> NDArray[np.bool_]:
        return np.isin(self.as_seen, [CLASS_ID[name] for name in GROUND]) & self.solid

    def blow_clouds(self) -> None:
        """Smoke, dust and fog banks before what is behind them."""
        puffs = (*self.overlay.stage.puffs, *self._worn)
        if not puffs:
            return
        stage = replace(self.overlay.stage, lighting=_dimmed(self.overlay.stage, self.light))
        blow(self.picture, puffs, self.eye, self.depth, stage)
        through: dict[int, NDArray[np.float32]] = {}
        for puff in puffs:
            seen = puff_opacity(puff, self.eye, self.depth)
            if seen is not None and puff.instance is not None:
                left = through.setdefault(puff.instance.id, np.ones_like(self.depth))
                left[seen[0]] *= 1 - seen[1]
        for number, left in through.items():
            own = left < 1 - HIDDEN
            self.labels[own], self.instances[own] = CLASS_ID["smoke_fire"], number

    def let_fall(self, time_s: float) -> None:
        """Snow in the air; a flake that hides a pixel leaves it unknown."""
        amount = self.overlay.conditions.snow
        if amount <= 0:
            return
        size_px: Size = (self.depth.shape[0], self.depth.shape[1])
        flakes = _flakes(amount, self.overlay.seed, 1 / self.eye.step, size_px)
        cover = flakes.cover(time_s, self.depth)
        bright = np.float32(min(1.0, 1.05 * self.light.white + 0.08))
        self.picture = self.picture + (bright - self.picture) * cover
        self._forget(cover > HIDDEN)

    def look_through(self, camera: CameraSetup) -> None:
        """A sun that dazzles, and what lies on the camera's glass."""
        stage = self.overlay.stage
        size_px: Size = (self.depth.shape[0], self.depth.shape[1])
        marks = [(film, lens.marks_of(film, camera, size_px)) for film in stage.films]
        self.picture = lens.dazzled(self.picture, stage.lamps, self.eye, self.depth)
        white = self.light.white
        self.picture = lens.filmed(self.picture, [each for _, each in marks], (white,) * 3)
        for instance, own in lens.hiding(stage.lamps, marks, self.eye, self.depth):
            self.labels[own], self.instances[own] = CLASS_ID[instance.class_name], instance.id

    def _forget(self, hidden: NDArray[np.bool_]) -> None:
        self.labels[hidden], self.instances[hidden] = UNKNOWN, 0


@dataclass(frozen=True, eq=False)
class _Piece:
    """A part of a view, for what does not reach beyond it; its `picture` is the view's own."""

    window: tuple[slice, slice]
    picture: Planes
    points: Planes
    normals: Planes
    labels: Labels
    depth: Depth
    solid: NDArray[np.bool_]
    ground: NDArray[np.bool_]
    light: Light
    eye: Eye

    @classmethod
    def of(
        cls,
        view: _View,
        rows: slice,
        columns: slice,
        normals: Planes,
        ground: NDArray[np.bool_],
    ) -> "_Piece":
        window, eye = (rows, columns), cropped(view.eye, rows, columns)
        depth = view.depth[window]
        place = np.asarray(view.eye.position_m, np.float32)[:, None, None]
        return cls(
            window=window,
            picture=view.picture[:, *window],
            points=eye.rays * depth + place,
            normals=normals[:, *window],
            labels=view.as_seen[window],
            depth=depth,
            solid=view.solid[window],
            ground=ground[window],
            light=view.light.within(*window),
            eye=eye,
        )


def eye_in_setup(camera: Camera, ego: Pose) -> Eye:
    """The eye of a camera, whose pose is relative to the ego, in the frame of the setup."""
    turn, pose = turn_of(ego.heading_rad), camera.camera_to_base
    place = turn @ pose[:3, 3] + np.asarray(ego.position_m)
    fov_rad = 2 * math.atan(camera.size_px[0] / 2 / camera.intrinsics[1, 1])
    return eye_of(camera.size_px, fov_rad, place, turn @ pose[:3, :3])


@lru_cache(maxsize=8)
def _flakes(amount: float, seed: int, focal_px: float, size_px: Size) -> Falling:
    return snow(amount, np.random.default_rng([seed, 17]), focal_px, size_px)


def _dimmed(stage: Stage, light: Light) -> Lighting:
    """The stage's light, as bright as the frame's."""
    lighting = stage.lighting
    sky, sun, ground = (sum(each) / 3 for each in (lighting.sky, lighting.sun, lighting.ground))
    white = max(0.8 * sky + 0.5 * sun + 0.2 * ground, 1e-3)
    return replace(lighting, exposure=0.88 * light.white / white)
