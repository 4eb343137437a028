"""Takes pictures of a stage: bakes it into the pool, lights it, and asks `weather` to finish it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hartsim.images import resize
from hartsim.scenario.compiled import CameraSetup
from hartsim.types import CLASS_ID, Depth, Image, Instances, Labels, Pose, Size
from hartsim.worlds import lens, relight, sketching, weather
from hartsim.worlds.baking import bake
from hartsim.worlds.motion import STILL, carried
from hartsim.worlds.mounting import below_ground, mounted, view_of
from hartsim.worlds.optics import FAR_M, Eye, Planes, planes_of, raw_of
from hartsim.worlds.pool import TEXTURE_PX, Pool, View
from hartsim.worlds.stage import Film, Lamp, Lighting, Prop, Puff, Stage

SHADOW_PX, CONTACT_PX = 576, 192
DRAFT_PX = 96
"""The least that a pool draws at; larger ones are slower to clear."""


@dataclass(frozen=True)
class Range:
    """How near and how far the studio's cameras see, and the height above which nothing stands."""

    near_m: float
    far_m: float
    ceiling_m: float


@dataclass(frozen=True, eq=False)
class Findings:
    """What the simulator knows of each pixel."""

    labels: Labels
    instances: Instances
    depth_m: Depth


class Studio:
    """The stage on show, where its props are now, and the pool that draws it."""

    def __init__(self, largest_px: Size, reach: Range, shadows: bool, draft: bool = False) -> None:
        side = DRAFT_PX if draft else SHADOW_PX
        self._pool = Pool((max(largest_px[0], side), max(largest_px[1], side)))
        self._reach, self._shadows, self._draft = reach, shadows, draft

    def show(self, stage: Stage) -> None:
        """Take up a new stage, unpainted, its props at rest."""
        if self._draft:
            stage = replace(stage, grade=replace(stage.grade, bloom=0.0))
        self.stage, self.ego = stage, STILL
        self.poses = {prop.name: prop.pose for prop in stage.props}
        self._sky = planes_of(stage.sky)
        self._slots: dict[str, int] = {}
        for name, image in stage.textures.items():
            self._slots[name] = self._hang(image)
        self._parts, self._palette = bake(stage, self._slots)
        self._pool.load([part.batch for part in self._parts])
        self._pool.mix(self._palette.image())
        self._pool.light(relight.lights_of(stage.lighting)[0])
        self._describe()
        starts = {**self.poses, "ego": STILL}
        self._lanterns = sketching.lanterns_of(stage.lamps, starts)
        self._riding = [(k, part.prop) for k, part in enumerate(self._parts) if part.prop]
        self._placed = [STILL] * len(self._parts)
        self._bent: set[str] = set()
        for index in range(len(self._parts)):
            self._pool.place(index, STILL.position_m, STILL.heading_rad)
        self.move({}, STILL)

    def _describe(self) -> None:
        """Tables from the pool's ids, which start at -1 for nothing, to what they stand for."""
        nothing = "sky" if self.stage.has_sky else "wall"
        classes = [CLASS_ID[nothing]] + [part.class_id for part in self._parts]
        surfaces = ["sky" if self.stage.has_sky else None]
        surfaces += [part.wear.surface for part in self._parts]
        self._class_of = np.array(classes, np.uint8)
        self._instance_of = np.array([0] + [part.instance for part in self._parts], np.uint16)
        self._surface_of = np.array(surfaces, object)

    def redraw(self, prop: Prop) -> None:
        """Draw a prop of the stage anew; it must wear what it wore."""
        props = tuple(prop if each.name == prop.name else each for each in self.stage.props)
        self.stage = replace(self.stage, props=props)
        parts, _ = bake(replace(self.stage, props=(prop,)), self._slots, self._palette)
        places = [index for index, part in enumerate(self._parts) if part.prop == prop.name]
        for index, part in zip(places, parts, strict=True):
            self._pool.rewrite(index, part.batch)
        self.poses[prop.name] = prop.pose

    def bend(self, prop: Prop, motions: NDArray[np.float64]) -> None:
        """Move each link of a jointed prop of the stage by a motion (links, 4, 4).

        Motions start where the link is baked, in the prop's frame; `prop` says what is so now.
        """
        props = tuple(prop if each.name == prop.name else each for each in self.stage.props)
        self.stage = replace(self.stage, props=props)
        self.poses[prop.name] = prop.pose
        self._bent.add(prop.name)
        indices = [index for index, name in self._riding if name == prop.name]
        self._pool.turn(indices, motions[[self._parts[index].link for index in indices]])

    def wear(self, surface: str, image: Image) -> None:
        """Put a texture on a surface; surfaces that this stage does not show take no notice."""
        if surface == "sky":
            self._sky = planes_of(image)
        elif surface in self._slots:
            self._slots[surface] = self._hang(image.copy())
            for index, part in enumerate(self._parts):
                if part.wear.surface == surface:
                    self._pool.dress(index, self._slots[surface], part.wear.finish)

    def _hang(self, image: Image) -> int:
        in_use = set(self._slots.values())
        return self._pool.keep(resize(image, (TEXTURE_PX, TEXTURE_PX)), in_use)

    def move(self, poses: Mapping[str, Pose], ego: Pose) -> None:
        """Move props by name, and the ego with its cameras and lamps."""
        self.poses |= poses
        self.ego = ego
        for index, name in self._riding:
            pose = self.poses[name]
            if pose is not self._placed[index] and name not in self._bent:
                self._pool.place(index, pose.position_m, pose.heading_rad)
                self._placed[index] = pose
        self._maps: relight.Maps | None = None

    def picture(self, camera: CameraSetup, size_px: Size, fine_px: Size) -> Image:
        """What the camera sees (H, W, 3), drawn at `fine_px` and averaged down to `size_px`."""
        eye = mounted(camera, self.ego, size_px)
        pixels, depths = self._pool.draw(self._view(eye, camera), fine_px)
        marks = [each for _, each in self._marks(camera, size_px)]
        if self._draft:
            return sketching.sketch(
                pixels,
                depths,
                eye,
                camera,
                self.stage,
                self._sky,
                self._lanterns,
                {**self.poses, "ego": self.ego},
                self._lamps(dazzling=True),
                self._puffs(),
                marks,
            )
        raw = raw_of(pixels, depths, size_px)
        stage = replace(
            self.stage, lamps=self._lamps(), puffs=self._puffs(), lighting=self._lighting()
        )
        if self._maps is None:
            self._maps = self._draw_maps(stage.lighting) if self._shadows else relight.Maps()
        mirror = None
        if weather.reflects(stage):
            mirror = self._mirror(camera, size_px, stage)
        return weather.develop(raw, eye, stage, self._maps, self._sky, mirror, marks)

    def _marks(self, camera: CameraSetup, size_px: Size) -> list[tuple[Film, lens.Marks]]:
        """What is on the camera's glass."""
        return [(film, lens.marks_of(film, camera, size_px)) for film in self.stage.films]

    def find(self, camera: CameraSetup, size_px: Size) -> Findings:
        """What is at the centre of each pixel of the camera.

        Transparent things count as if they were solid; smoke, dirt on the glass and glare where
        they hide more than half, though the depth is that of what lies behind.
        """
        eye = mounted(camera, self.ego, size_px)
        ids, depths = self._pool.identify(self._view(eye, camera), size_px)
        labels, instances = self._class_of[ids + 1], self._instance_of[ids + 1]
        depth = depths.metres()
        self._find_smoke(eye, depth, labels, instances)
        lamps, marks = self._lamps(dazzling=True), self._marks(camera, size_px)
        for instance, own in lens.hiding(lamps, marks, eye, np.minimum(depth, np.float32(FAR_M))):
            labels[own], instances[own] = CLASS_ID[instance.class_name], instance.id
        return Findings(labels, instances, depth)

    def surfaces(self, camera: CameraSetup, size_px: Size) -> NDArray[np.object_]:
        """The name of the surface at the centre of each pixel, None for none."""
        eye = mounted(camera, self.ego, size_px)
        ids, _ = self._pool.identify(self._view(eye, camera), size_px)
        names: NDArray[np.object_] = self._surface_of[ids + 1]
        return names

    def _find_smoke(
        self, eye: Eye, depth: NDArray[np.float32], labels: Labels, instances: Instances
    ) -> None:
        """Give smoke and flames the pixels of which they hide more than half."""
        before = np.minimum(depth, np.float32(FAR_M))
        shown: dict[int, NDArray[np.float32]] = {}
        for puff in self._puffs():
            seen = weather.puff_opacity(puff, eye, before)
            if seen is not None:
                number = puff.instance.id if puff.instance else 0
                through = shown.setdefault(number, np.ones(depth.shape, np.float32))
                through[seen[0]] *= 1 - seen[1]
        for number, through in shown.items():
            labels[through < 0.5] = CLASS_ID["smoke_fire"]
            instances[through < 0.5] = number

    def _view(self, eye: Eye, camera: CameraSetup) -> View:
        return view_of(eye, camera, self._reach.near_m, self._reach.far_m)

    def _puffs(self) -> tuple[Puff, ...]:
        """The puffs where the things they belong to have gone."""
        if not self.stage.puffs:
            return ()
        owners = {prop.instance.id: prop for prop in self.stage.props if prop.instance}
        puffs = []
        for puff in self.stage.puffs:
            owner = owners.get(puff.instance.id) if puff.instance else None
            if owner is not None and self.poses[owner.name] != owner.pose:
                place = carried(puff.position_m, owner.pose, self.poses[owner.name])
                puff = replace(puff, position_m=place)
            puffs.append(puff)
        return tuple(puffs)

    def _lamps(self, dazzling: bool = False) -> tuple[Lamp, ...]:
        """The lamps, or only those that dazzle, where their carriers have taken them."""
        wanted = [lamp for lamp in self.stage.lamps if lamp.dazzle > 0 or not dazzling]
        if not wanted:
            return ()
        starts = {prop.name: prop.pose for prop in self.stage.props} | {"ego": STILL}
        now = self.poses | {"ego": self.ego}
        lamps = []
        for lamp in wanted:
            name = lamp.carrier
            if name is not None and now[name] != starts[name]:
                aim = lamp.aim and carried(
                    lamp.aim,
                    STILL,
                    Pose((0.0, 0.0, 0.0), now[name].heading_rad - starts[name].heading_rad),
                )
                place = carried(lamp.position_m, starts[name], now[name])
                lamp = replace(lamp, position_m=place, aim=aim)
            lamps.append(lamp)
        return tuple(lamps)

    def _lighting(self) -> Lighting:
        """The stage's lighting, its shadows computed round where the ego is now."""
        lighting, (x, y, _) = self.stage.lighting, self.ego.position_m
        shadowed, touched = (
            (x0 + x, x1 + x, y0 + y, y1 + y)
            for x0, x1, y0, y1 in (
                lighting.shadow_area_m,
                lighting.contact_area_m or lighting.shadow_area_m,
            )
        )
        return replace(lighting, shadow_area_m=shadowed, contact_area_m=touched)

    def _draw_maps(self, lighting: Lighting) -> relight.Maps:
        shadow = None
        if lighting.shadows and max(lighting.sun) > 0:
            view, axes = relight.sun_view(lighting)
            depth = self._depth(view, (SHADOW_PX, SHADOW_PX))
            assert view.half_m is not None
            shadow = relight.ShadowMap(depth, np.asarray(view.position_m), axes, view.half_m)
        area, ceiling = lighting.contact_area_m, self._reach.ceiling_m
        assert area is not None
        rows = min(SHADOW_PX, round(CONTACT_PX * (area[1] - area[0]) / (area[3] - area[2])))
        depth = self._depth(relight.top_view(area, ceiling), (rows, CONTACT_PX))
        contact = relight.contact_map(ceiling - depth, area, lighting.contact_height_m)
        return relight.Maps(shadow, contact)

    def _depth(self, view: View, size_px: Size) -> NDArray[np.float32]:
        return self._pool.probe(view, size_px).metres()

    def _mirror(self, camera: CameraSetup, size_px: Size, stage: Stage) -> Planes:
        """The scene as flat ground mirrors it (3, H, W), coarse and drawn out downward."""
        small = (size_px[0] // 2, size_px[1] // 2)
        eye = mounted(camera, self.ego, small)
        pixels, depths = self._pool.draw(below_ground(self._view(eye, camera)), small)
        upright = depths.metres()[::-1]
        return weather.mirrored(pixels[::-1], upright, self._sky, eye, stage, size_px)

    def close(self) -> None:
        """Free the pool; calling it twice is harmless."""
        self._pool.close()
