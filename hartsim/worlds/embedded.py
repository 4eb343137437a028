"""The embedded world: a street or a table top, drawn by MuJoCo's renderer, behind `World`.

A builder module makes the stage: `street` for driving, `tabletop` for robots. Each has

    SURFACES: Mapping[str, Size]            what can be painted, with the texture size that fits
    KINDS: frozenset[str]                   the catalogue kinds that it can draw
    build(setup: WorldSetup) -> Stage       everything to see, a pure function of the setup

and `tabletop` also `start(setup) -> ArmState`, where the gripper waits, and
`arm(setup, state) -> Prop`, the arm as it then looks, which takes the place of the stage's.

The street's world frame is the ego frame of the setup. The ego then drives through it; frames are
always in the current ego frame, states in that of the setup.
"""

import importlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hartsim.errors import WorldError
from hartsim.images import resize
from hartsim.scenario.compiled import CameraSetup, CompiledScene, WorldSetup
from hartsim.types import (
    CLASS_ID,
    Box3D,
    Camera,
    Frame,
    Image,
    Instance,
    Instances,
    Labels,
    Pose,
    Size,
    State,
    Task,
    Vector3,
)
from hartsim.worlds import weather
from hartsim.worlds.arm import ArmState, advance, touched
from hartsim.worlds.baking import Part, bake, dimmed
from hartsim.worlds.pool import TEXTURE_PX, Pool, View
from hartsim.worlds.stage import Prop, Stage

BUILDERS: Mapping[Task, str] = {
    "driving": "hartsim.worlds.street",
    "robot": "hartsim.worlds.tabletop",
}

NEAR_M: Mapping[Task, float] = {"driving": 0.25, "robot": 0.03}
FAR_M: Mapping[Task, float] = {"driving": 1200.0, "robot": 40.0}

SHADOW_PX, CONTACT_PX = 640, 256
PROOF_PX = 96
"""Small looks before and after painting show which surfaces were seen to change."""

EGO_SIZE_M = (4.4, 1.8)
WHEELBASE_M, MAX_STEER_RAD = 2.7, 0.5
ACCELERATION_MPS2, BRAKING_MPS2, TOP_SPEED_MPS = 3.0, 8.0, 40.0
SUBSTEP_S = 0.05


def drawable_kinds(task: Task) -> frozenset[str]:
    """The catalogue kinds that the world of this task can draw."""
    kinds: frozenset[str] = _builder(task).KINDS
    return kinds


def _builder(task: Task) -> Any:
    return importlib.import_module(BUILDERS[task])


@dataclass
class Moment:
    """What changes from step to step: time, the ego or gripper, and how far each prop has moved."""

    time_s: float = 0.0
    ego: Pose = Pose((0.0, 0.0, 0.0), 0.0)
    speed_mps: float = 0.0
    arm: ArmState = ArmState((0.0, 0.0, 0.0))
    collisions: set[str] = field(default_factory=set)


class EmbeddedWorld:
    """A street (`task` "driving") or a table top ("robot") that implements `World`.

    Pictures are drawn at `supersample` times `size_px` and averaged down. Without `shadows` there
    are no sun shadows and no contact darkening, which saves about a third of the time.
    """

    def __init__(
        self,
        task: Task = "driving",
        size_px: Size = (256, 256),
        shadows: bool = True,
        supersample: int = 2,
    ) -> None:
        self.task, self.size_px, self.shadows = task, size_px, shadows
        self._build = _builder(task)
        self.surfaces: Mapping[str, Size] = dict(self._build.SURFACES)
        self._fine = (size_px[0] * supersample, size_px[1] * supersample)
        largest = max(*self._fine, SHADOW_PX)
        self._pool = Pool((largest, largest))
        self._setup: WorldSetup | None = None

    def setup(self, scene: CompiledScene) -> None:
        """Show this scene; whatever was there, paint included, is gone."""
        self.show(scene.setup)

    def show(self, setup: WorldSetup) -> None:
        """Show what a compiled scene asks of its world."""
        if setup.task != self.task:
            raise WorldError(f"a {setup.task} scene cannot be shown in a {self.task} world")
        self._setup = setup
        self._moment = Moment(speed_mps=setup.speed_mps)
        if self.task == "robot":
            self._moment.arm = self._build.start(setup)
        self._stage_of(self._build.build(setup))

    def _stage_of(self, stage: Stage) -> None:
        self._stage = stage
        self._sky_image = stage.sky
        self._poses = {prop.name: prop.pose for prop in stage.props}
        self._slots = {name: slot for slot, name in enumerate(stage.textures)}
        self._load()
        for surface, image in stage.textures.items():
            self._wear(surface, image)

    def _load(self) -> None:
        """Bake the stage's solids into the pool."""
        self._parts, self._palette = bake(self._stage, self._slots)
        self._pool.load([part.batch for part in self._parts])
        self._pool.upload(None, self._palette.image())
        classes = [CLASS_ID["sky" if self._stage.has_sky else "wall"]]
        classes += [part.class_id for part in self._parts]
        self._class_of = np.array(classes, np.uint8)
        self._instance_of = np.array([0] + [part.instance for part in self._parts], np.uint16)
        self._shining = {part.wear.surface for part in self._parts if part.wear.finish == "shining"}
        self._place()

    def _wear(self, surface: str, image: Image) -> None:
        fitted = resize(image, (TEXTURE_PX, TEXTURE_PX))
        self._pool.upload(self._slots[surface], fitted)

    def _place(self) -> None:
        """Move the batches to where their props are, and light the scene."""
        for index, part in enumerate(self._parts):
            pose = self._poses[part.prop] if part.prop else Pose((0.0, 0.0, 0.0), 0.0)
            self._pool.place(index, pose.position_m, pose.heading_rad)
        self._pool.light(weather.lights_of(self._stage.lighting)[0])
        self._maps: weather.Maps | None = None

    def paint(self, textures: Mapping[str, Image]) -> set[str]:
        """Put textures on surfaces by name; returns those whose pixels were seen to change."""
        for name in textures:
            if name not in self.surfaces:
                known = ", ".join(sorted(self.surfaces))
                raise WorldError(f"no surface '{name}' to paint; there are: {known}")
        stage = self._staged()
        before = self._proof()
        for name, image in textures.items():
            if name == "sky":
                self._sky_image = image
            elif name in self._slots:
                self._wear(name, dimmed(image) if name in self._shining else image)
        after = self._proof()
        changed = [
            np.abs(new.astype(int) - old).max(axis=-1) > 3
            for new, old in zip(after, before, strict=True)
        ]
        del stage
        where = [self._surface_map(camera) for camera in self._staged().cameras]
        return {
            name
            for name in textures
            if any(
                (change & (places == name)).any()
                for change, places in zip(changed, where, strict=True)
            )
        }

    def _proof(self) -> list[Image]:
        size = (PROOF_PX, PROOF_PX)
        return [self._picture(camera, size, size) for camera in self._staged().cameras]

    def _surface_map(self, camera: CameraSetup) -> NDArray[np.object_]:
        """The surface that each pixel of a small look shows, None where it shows no surface."""
        size = (PROOF_PX, PROOF_PX)
        ids, _ = self._pool.identify(self._view(camera), size)
        names: list[str | None] = ["sky" if self._stage.has_sky else None]
        names += [part.wear.surface for part in self._parts]
        return np.array(names, object)[ids + 1]

    def step(self, action: NDArray[np.float64], seconds: float) -> State:
        """Apply an action for a span of simulated time; see `World.step`.

        The state's poses are in the frame of the setup. `collisions` lists what was touched during
        this very step.
        """
        self._staged()
        moment = self._moment
        moment.collisions = set()
        steps = max(1, round(seconds / SUBSTEP_S))
        for _ in range(steps):
            self._advance(np.clip(np.asarray(action, np.float64), -1, 1), seconds / steps)
        if self.task == "robot":
            self._reach()
        self._place()
        return self.state()

    def state(self) -> State:
        """What is so now: poses in the frame of the setup, collisions of the last step."""
        moment = self._moment
        hazards = {
            prop.instance.name: self._poses[prop.name]
            for prop in self._staged().props
            if prop.instance is not None and prop.instance.hazard
        }
        gripper = Pose(moment.arm.position_m, moment.arm.heading_rad)
        ego = moment.ego if self.task == "driving" else gripper
        return State(
            moment.time_s, ego, moment.speed_mps, hazards, tuple(sorted(moment.collisions))
        )

    def _advance(self, action: NDArray[np.float64], seconds: float) -> None:
        moment = self._moment
        moment.time_s += seconds
        if self.task == "driving":
            moment.ego, moment.speed_mps = drive(moment.ego, moment.speed_mps, action, seconds)
        else:
            moment.arm = advance(moment.arm, action, seconds)
        for prop in self._stage.props:
            if any(prop.velocity_mps):
                self._poses[prop.name] = _shifted(
                    self._poses[prop.name], prop.velocity_mps, seconds
                )
        moment.collisions |= self._touched()

    def _touched(self) -> set[str]:
        boxes = {
            prop.instance.name: _box_at(prop.instance.box, prop.pose, self._poses[prop.name])
            for prop in self._stage.props
            if prop.instance is not None
        }
        if self.task == "robot":
            return touched(self._moment.arm, boxes)
        x, y, _ = self._moment.ego.position_m
        ego = Box3D((x, y, 0.8), (*EGO_SIZE_M, 1.5), self._moment.ego.heading_rad)
        return {name for name, box in boxes.items() if overlap(ego, box)}

    def _reach(self) -> None:
        """Draw the arm as it now is; everything else stays as it was baked."""
        arm = self._build.arm(self._setup, self._moment.arm)
        props = tuple(arm if prop.name == arm.name else prop for prop in self._stage.props)
        self._stage = replace(self._stage, props=props)
        self._poses[arm.name] = arm.pose
        alone = replace(self._stage, props=(arm,))
        parts, _ = bake(alone, self._slots, self._palette)
        places = [index for index, part in enumerate(self._parts) if part.prop == arm.name]
        for index, part in zip(places, parts, strict=True):
            self._pool.rewrite(index, part.batch)

    def capture(self, cameras: Sequence[str] | None = None) -> dict[str, Frame]:
        """What the named cameras (default: all) see now, in the current ego or robot-base frame."""
        return {camera.name: self._frame(camera) for camera in self._named(cameras)}

    def look(self, cameras: Sequence[str] | None = None) -> dict[str, Image]:
        """The pictures alone, byte for byte those of `capture`, in about two thirds of the time."""
        return {
            camera.name: self._picture(camera, self.size_px, self._fine)
            for camera in self._named(cameras)
        }

    def _named(self, cameras: Sequence[str] | None) -> list[CameraSetup]:
        mounted = {camera.name: camera for camera in self._staged().cameras}
        for name in cameras or ():
            if name not in mounted:
                raise WorldError(f"no camera '{name}'; mounted are: {', '.join(mounted)}")
        return [mounted[name] for name in (mounted if cameras is None else cameras)]

    def _staged(self) -> Stage:
        if self._setup is None:
            raise WorldError("the world shows nothing yet; call setup(scene) first")
        return self._stage

    def _frame(self, camera: CameraSetup) -> Frame:
        image = self._picture(camera, self.size_px, self._fine)
        ids, depth = self._pool.identify(self._view(camera), self.size_px)
        labels, instances = self._class_of[ids + 1], self._instance_of[ids + 1]
        self._label_smoke(self._eye(camera, self.size_px), depth, labels, instances)
        return Frame(
            image=image,
            labels=labels,
            instances=instances,
            depth_m=np.ascontiguousarray(depth),
            table=self._table(),
            camera=calibrated(camera, self.size_px),
        )

    def _label_smoke(
        self, eye: weather.Eye, depth: NDArray[np.float32], labels: Labels, instances: Instances
    ) -> None:
        """Give smoke and flames the pixels of which they hide more than half."""
        clear = np.where(np.isfinite(depth), depth, np.float32(1e4))
        through: dict[int, NDArray[np.float32]] = {}
        for puff in self._stage.puffs:
            seen = weather.puff_opacity(puff, eye, clear)
            if seen is None:
                continue
            number = puff.instance.id if puff.instance else 0
            left = through.setdefault(number, np.ones(depth.shape, np.float32))
            left[seen[0], seen[1]] *= 1 - seen[2]
        for number, left in through.items():
            labels[left < 0.5] = CLASS_ID["smoke_fire"]
            instances[left < 0.5] = number

    def _table(self) -> tuple[Instance, ...]:
        ego = self._moment.ego
        rows: dict[int, Instance] = {}
        for prop in self._stage.props:
            if prop.instance is not None:
                box = _box_at(prop.instance.box, prop.pose, self._poses[prop.name])
                rows[prop.instance.id] = replace(prop.instance, box=seen_from(ego, box))
        for puff in self._stage.puffs:
            if puff.instance is not None and puff.instance.id not in rows:
                rows[puff.instance.id] = replace(
                    puff.instance, box=seen_from(ego, puff.instance.box)
                )
        return tuple(rows[number] for number in sorted(rows))

    def _picture(self, camera: CameraSetup, size_px: Size, fine_px: Size) -> Image:
        eye = self._eye(camera, size_px)
        pixels, depth = self._pool.draw(self._view(camera), fine_px)
        stage = self._stage
        maps = self._shadow_maps()
        mirror = self._mirror(camera, size_px) if stage.weather.wetness > 0.05 else None
        sky = np.zeros((3, 1, 1), np.float32)
        if stage.has_sky:
            sky = weather.sky_of(self._sky_image, eye, stage.weather)
        return weather.develop(
            weather.raw_of(pixels, depth, size_px), eye, stage, maps, sky, mirror
        )

    def _shadow_maps(self) -> weather.Maps:
        if self._maps is None:
            self._maps = self._make_maps() if self.shadows else weather.Maps()
        return self._maps

    def _make_maps(self) -> weather.Maps:
        lighting = self._stage.lighting
        shadow = None
        if lighting.shadows and max(lighting.sun) > 0:
            view, axes = weather.sun_view(lighting)
            _, depth = self._pool.identify(view, (SHADOW_PX, SHADOW_PX), opaque_only=True)
            assert view.half_m is not None
            shadow = weather.ShadowMap(
                np.ascontiguousarray(depth), np.asarray(view.position_m), axes, view.half_m
            )
        area = lighting.shadow_area_m
        ceiling = 60.0 if self.task == "driving" else 2.0
        rows = round(CONTACT_PX * (area[1] - area[0]) / (area[3] - area[2]))
        above = weather.top_view(area, ceiling)
        _, depth = self._pool.identify(above, (rows, CONTACT_PX), opaque_only=True)
        contact = weather.contact_map(ceiling - depth, area, lighting.contact_height_m)
        return weather.Maps(shadow, contact)

    def _mirror(self, camera: CameraSetup, size_px: Size) -> NDArray[np.float32]:
        """The scene as flat ground mirrors it (3, H, W), coarse and drawn out downward."""
        small = (size_px[0] // 2, size_px[1] // 2)
        view = self._view(camera)
        x, y, z = view.position_m
        fx, fy, fz = view.forward
        ux, uy, uz = view.up
        below = replace(view, position_m=(x, y, -z), forward=(fx, fy, -fz), up=(-ux, -uy, uz))
        pixels, depth = self._pool.draw(below, small)
        eye = self._eye(camera, small)
        up = np.stack([eye.rays[0], eye.rays[1], np.abs(eye.rays[2])])
        sky = weather.sky_of(self._sky_image, replace(eye, rays=up), self._stage.weather)
        return weather.mirrored(pixels[::-1], depth[::-1], sky, eye, self._stage, size_px)

    def _view(self, camera: CameraSetup) -> View:
        position, axes = self._mount(camera)
        near, far = NEAR_M[self.task], FAR_M[self.task]
        return View(
            _triple(position), _triple(axes[:, 2]), _triple(-axes[:, 1]), camera.fov_rad, near, far
        )

    def _eye(self, camera: CameraSetup, size_px: Size) -> weather.Eye:
        position, axes = self._mount(camera)
        return weather.eye_of(size_px, camera.fov_rad, position, axes)

    def _mount(self, camera: CameraSetup) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The camera's place and optical axes in the world, riding with the ego."""
        ego = self._moment.ego
        turn = _turn(ego.heading_rad)
        position = turn @ np.asarray(camera.position_m) + np.asarray(ego.position_m)
        return position, turn @ optical_axes(camera)

    def close(self) -> None:
        """Free the simulator; calling it twice is harmless."""
        self._pool.close()


def optical_axes(camera: CameraSetup) -> NDArray[np.float64]:
    """Columns: the optical x (right), y (down) and z (ahead) of a camera in the base frame."""
    cy, sy = math.cos(camera.yaw_rad), math.sin(camera.yaw_rad)
    cp, sp = math.cos(camera.pitch_rad), math.sin(camera.pitch_rad)
    ahead = np.array([cy * cp, sy * cp, sp])
    right = np.array([sy, -cy, 0.0])
    return np.column_stack([right, np.cross(ahead, right), ahead])


def calibrated(camera: CameraSetup, size_px: Size) -> Camera:
    """The camera's intrinsics at this size, and its pose in the base frame."""
    focal = size_px[0] / 2 / math.tan(camera.fov_rad / 2)
    intrinsics = np.array(
        [[focal, 0.0, size_px[1] / 2], [0.0, focal, size_px[0] / 2], [0.0, 0.0, 1.0]]
    )
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = optical_axes(camera), camera.position_m
    return Camera(camera.name, size_px, intrinsics, pose)


def drive(
    ego: Pose, speed_mps: float, action: NDArray[np.float64], seconds: float
) -> tuple[Pose, float]:
    """A kinematic bicycle about its rear axle: steering left and acceleration, each -1..1."""
    steering, pedal = float(action[0]), float(action[1])
    change = pedal * (ACCELERATION_MPS2 if pedal > 0 else BRAKING_MPS2)
    speed = min(max(speed_mps + change * seconds, 0.0), TOP_SPEED_MPS)
    heading = ego.heading_rad + speed / WHEELBASE_M * math.tan(steering * MAX_STEER_RAD) * seconds
    x, y, z = ego.position_m
    ahead = (x + speed * math.cos(heading) * seconds, y + speed * math.sin(heading) * seconds, z)
    return Pose(ahead, math.remainder(heading, 2 * math.pi)), speed


def overlap(one: Box3D, other: Box3D) -> bool:
    """Whether two upright boxes share space: along no axis of either do their shadows part."""
    low = one.centre_m[2] - one.size_m[2] / 2, other.centre_m[2] - other.size_m[2] / 2
    high = one.centre_m[2] + one.size_m[2] / 2, other.centre_m[2] + other.size_m[2] / 2
    if max(low) > min(high):
        return False
    first, second = one.corners()[:, :2], other.corners()[:, :2]
    for heading in (one.heading_rad, other.heading_rad):
        for angle in (heading, heading + math.pi / 2):
            axis = np.array([math.cos(angle), math.sin(angle)])
            a, b = first @ axis, second @ axis
            if a.max() < b.min() or b.max() < a.min():
                return False
    return True


def seen_from(ego: Pose, box: Box3D) -> Box3D:
    """A box of the world frame in the ego's frame."""
    offset = np.asarray(box.centre_m) - np.asarray(ego.position_m)
    local = _turn(-ego.heading_rad) @ offset
    return Box3D(_triple(local), box.size_m, box.heading_rad - ego.heading_rad)


def _turn(angle: float) -> NDArray[np.float64]:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _shifted(pose: Pose, velocity_mps: Vector3, seconds: float) -> Pose:
    x, y, z = (p + v * seconds for p, v in zip(pose.position_m, velocity_mps, strict=True))
    return Pose((x, y, z), pose.heading_rad)


def _box_at(box: Box3D, start: Pose, now: Pose) -> Box3D:
    x, y, z = (
        c + n - s for c, n, s in zip(box.centre_m, now.position_m, start.position_m, strict=True)
    )
    return Box3D((x, y, z), box.size_m, box.heading_rad + now.heading_rad - start.heading_rad)


def _triple(values: NDArray[np.float64]) -> Vector3:
    return float(values[0]), float(values[1]), float(values[2])


__all__ = ["EmbeddedWorld", "Part", "Prop", "drawable_kinds"]
