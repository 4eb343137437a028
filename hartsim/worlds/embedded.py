"""The embedded world: a street or a table top, drawn by MuJoCo's renderer, behind `World`.

A builder module makes the stage: `street` for driving, `tabletop` for robots. Each has

    SURFACES: Mapping[str, Size]            what can be painted, with the texture size that fits
    KINDS: frozenset[str]                   the catalogue kinds that it can draw
    build(setup: WorldSetup, sharpness: float) -> Stage
                                            everything to see; 1 for all there is, less for drafts

`street` also `road(setup) -> (right_m, left_m)`, between which the ego is on the road; `tabletop`
`start(setup) -> ArmState`, where the gripper waits, `arm(setup, state) -> Prop`, the arm as it
then looks, which takes the place of the stage's, and `bender(setup)`, how its links get there.

The street's world frame is the ego frame of the setup. The ego then drives through it; frames are
always in the current ego frame, states in that of the setup.
"""

import importlib
import math
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hartsim.errors import WorldError
from hartsim.scenario.compiled import CameraSetup, CompiledScene, WorldSetup
from hartsim.types import Box3D, Frame, Image, Instance, Pose, Size, State, Task, Vector3
from hartsim.worlds.arm import ARM, ArmState, advance, grasped, touched
from hartsim.worlds.motion import STILL, box_at, drive, overlap, seen_from, shifted, triple
from hartsim.worlds.mounting import calibrated
from hartsim.worlds.stage import Stage
from hartsim.worlds.studio import Range, Studio

BUILDERS: Mapping[Task, str] = {
    "driving": "hartsim.worlds.street",
    "robot": "hartsim.worlds.tabletop",
}
RANGES: Mapping[Task, Range] = {
    "driving": Range(near_m=0.25, far_m=1200.0, ceiling_m=60.0),
    "robot": Range(near_m=0.03, far_m=40.0, ceiling_m=2.0),
}

SHARP_PX = 256
"""The height of pictures that show all there is; smaller drafts are modelled more roughly."""
PROOF_PX = (96, 96)
"""Small looks before and after painting show which surfaces were seen to change."""
GLARING: Image = np.full((8, 8, 3), (255, 0, 255), np.uint8)
"""A paint that nobody would take for what was there."""
_SEEN = 3
"""The least difference, of 255, that counts as seen."""

NOWHERE = Pose((0.0, 0.0, -1000.0), 0.0)
"""Where things wait that are not there yet."""
AT_REST = ArmState((0.0, 0.0, 0.0))
EGO_SIZE_M = (4.4, 1.8, 1.5)
OPEN_M, SHUT_M = 0.1, 0.012
"""How far apart the fingers are; what is wider cannot be held."""
SUBSTEP_S = 0.05


def drawable_kinds(task: Task) -> frozenset[str]:
    """The catalogue kinds that the world of this task can draw."""
    kinds: frozenset[str] = _builder(task).KINDS
    return kinds


def _builder(task: Task) -> Any:
    return importlib.import_module(BUILDERS[task])


@dataclass
class Moment:
    """What changes from step to step; `collisions` are those of the last one.

    `begun_s` says when each thing that moves by itself was set off, `absent` what is not there yet,
    `held` what the gripper holds, `grip_m` from its fingertips to that thing's foot.
    """

    time_s: float = 0.0
    ego: Pose = STILL
    speed_mps: float = 0.0
    arm: ArmState = AT_REST
    held: str | None = None
    grip_m: Vector3 = (0.0, 0.0, 0.0)
    collisions: set[str] = field(default_factory=set)
    begun_s: dict[str, float] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Memory:
    """A moment of a world and where everything was, to go back to."""

    setup: WorldSetup
    moment: Moment
    poses: Mapping[str, Pose]


def _apart_m(one: Pose, other: Pose) -> float:
    """How far apart two poses are, seen from above."""
    return math.dist(one.position_m[:2], other.position_m[:2])


class EmbeddedWorld:
    """A street (`task` "driving") or a table top ("robot") that implements `World`.

    Pictures are drawn at `supersample` times `size_px` and averaged down. Without `shadows` there
    are no sun shadows and no contact darkening, which is faster. A `draft` is drawn at `size_px`,
    without these and without wet ground, halos and bloom, and below SHARP_PX with what so small a
    picture does not show left out: plainer, and several times as fast. Its labels are its own.
    """

    def __init__(
        self,
        task: Task = "driving",
        size_px: Size = (256, 256),
        shadows: bool = True,
        supersample: int = 2,
        draft: bool = False,
    ) -> None:
        self.task, self.size_px, self._draft = task, size_px, draft
        supersample = 1 if draft else supersample
        self._fine = (size_px[0] * supersample, size_px[1] * supersample)
        self._build = _builder(task)
        self._sharpness = min(1.0, size_px[0] / SHARP_PX) if draft else 1.0
        self.surfaces: Mapping[str, Size] = dict(self._build.SURFACES)
        self._studio = Studio(self._fine, RANGES[task], shadows, draft)
        self._setup: WorldSetup | None = None

    def setup(self, scene: CompiledScene) -> None:
        """Show this scene; whatever was there, paint included, is gone."""
        self.show(scene.setup)

    def show(self, setup: WorldSetup) -> None:
        """Show what a compiled scene asks of its world."""
        if setup.task != self.task:
            raise WorldError(f"a {setup.task} scene cannot be shown in a {self.task} world")
        self._studio.show(self._build.build(setup, self._sharpness))
        self._setup, self._moment = setup, Moment(speed_mps=setup.speed_mps)
        if self.task == "robot":
            self._moment.arm, self._bent = self._build.start(setup), self._build.bender(setup)
        else:
            self._road = self._build.road(setup)
        self._sort_props(setup)
        self._move_themselves()
        self._studio.move({}, self._moment.ego)

    def _sort_props(self, setup: WorldSetup) -> None:
        """Tell what moves, what is solid, and how far each solid thing reaches from its middle."""
        props = self._studio.stage.props
        motions = {each.name: each.motion for each in setup.objects if each.motion}
        self._moving = [
            (prop, motions[prop.instance.name])
            for prop in props
            if prop.instance is not None and prop.instance.name in motions
        ]
        self._boxes: dict[str, tuple[Pose, Box3D]] = {}
        self._drifting = [prop for prop in props if any(prop.velocity_mps)]
        self._solid = {
            prop.instance.name: (prop, prop.instance.box)
            for prop in props
            if prop.instance is not None and prop.solids
        }
        mobile = {prop.name for prop, _ in self._moving} | {prop.name for prop in self._drifting}
        still = [name for name, (prop, _) in self._solid.items() if prop.name not in mobile]
        self._still = tuple(still)
        self._mobile = tuple(name for name in self._solid if name not in set(still))
        boxes = [self._solid[name][1] for name in still]
        self._graspable = {
            name
            for name, (prop, box) in self._solid.items()
            if prop.instance is not None
            and (not prop.instance.hazard or name == setup.reach)
            and min(box.size_m[:2]) <= OPEN_M
        }
        self._hazards = {
            name
            for name, (prop, _) in self._solid.items()
            if prop.instance and prop.instance.hazard
        }
        self._centres = np.array([box.centre_m[:2] for box in boxes]).reshape(-1, 2)
        self._radii = np.array([math.hypot(*box.size_m[:2]) / 2 for box in boxes])

    def _staged(self) -> Stage:
        if self._setup is None:
            raise WorldError("the world shows nothing yet; call setup(scene) first")
        return self._studio.stage

    def paint(self, textures: Mapping[str, Image]) -> set[str]:
        """Put textures on surfaces by name; returns those whose pixels were seen to change."""
        cameras = self._staged().cameras
        before = [self._studio.picture(camera, PROOF_PX, PROOF_PX) for camera in cameras]
        self.wear(textures)
        changed: set[str] = set()
        for camera, old in zip(cameras, before, strict=True):
            new = self._studio.picture(camera, PROOF_PX, PROOF_PX)
            differs = np.abs(new.astype(np.int16) - old).max(axis=-1) > _SEEN
            surfaces = self._studio.surfaces(camera, PROOF_PX)
            changed |= {name for name in textures if differs[surfaces == name].any()}
        return changed

    def showing(self, surfaces: Iterable[str]) -> set[str]:
        """Which of these surfaces some camera sees: those whose colour it can tell."""
        return self.paint(dict.fromkeys(surfaces, GLARING))

    def wear(self, textures: Mapping[str, Image]) -> None:
        """Put textures on surfaces by name, without looking whether it shows."""
        self._staged()
        for name, image in textures.items():
            if name not in self.surfaces:
                known = ", ".join(sorted(self.surfaces))
                raise WorldError(f"no surface '{name}' to paint; there are: {known}")
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
                raise WorldError(
                    f"the texture for '{name}' is {image.dtype} {image.shape}; "
                    "paint takes uint8 RGB, (height, width, 3)"
                )
        for name, image in textures.items():
            self._studio.wear(name, image)

    def step(self, action: NDArray[np.float64], seconds: float) -> State:
        """Apply an action for a span of simulated time; see `World.step`.

        The state's poses are in the frame of the setup. `collisions` lists what was touched during
        this very step.
        """
        self._staged()
        bounded = np.clip(np.asarray(action, np.float64), -1, 1)
        if not (np.isfinite(bounded).all() and seconds > 0):
            raise WorldError(
                f"action is {action} for {seconds} s; step takes finite numbers and some time"
            )
        self._moment.collisions = set()
        steps = max(1, round(seconds / SUBSTEP_S))
        for _ in range(steps):
            self._advance(bounded, seconds / steps)
        self._show_arm()
        self._studio.move({}, self._moment.ego)
        return self.state()

    def state(self) -> State:
        """What is so now: poses in the frame of the setup, collisions of the last step."""
        moment = self._moment
        hazards = {
            prop.instance.name: self._studio.poses[prop.name]
            for prop in self._staged().props
            if prop.instance is not None
            and prop.instance.hazard
            and prop.instance.name not in moment.absent
        }
        collisions = tuple(sorted(moment.collisions))
        if self.task == "robot":
            gripper = Pose(moment.arm.position_m, moment.arm.heading_rad)
            return State(moment.time_s, gripper, 0.0, hazards, collisions, held=moment.held)
        return State(moment.time_s, moment.ego, moment.speed_mps, hazards, collisions, self._road)

    def remember(self) -> Memory:
        """What is so now, to come back to with `recall`, in this world or in another like it."""
        self._staged()
        assert self._setup is not None
        return Memory(self._setup, deepcopy(self._moment), dict(self._studio.poses))

    def recall(self, memory: Memory) -> None:
        """Go back to what was remembered; paint stays where the setup is the one on show."""
        if memory.setup != self._setup:
            self.show(memory.setup)
        self._moment = deepcopy(memory.moment)
        self._show_arm()
        self._studio.move(memory.poses, self._moment.ego)

    def _show_arm(self) -> None:
        """Draw the arm as it is now: drafts move its links, which is faster than a new mesh."""
        if self.task != "robot":
            return
        if self._draft:
            self._studio.bend(*self._bent(self._moment.arm))
        else:
            self._studio.redraw(self._build.arm(self._setup, self._moment.arm))

    def about(self) -> dict[str, Any]:
        """Nothing: the versions of hartsim and MuJoCo say what was drawn."""
        return {}

    def obstacles(self) -> dict[str, Box3D]:
        """What can be hit, by name: its box now, in the frame of the setup."""
        self._staged()
        kept = self._moment.absent | {ARM}
        return {name: self._box(name) for name in self._solid if name not in kept}

    def _box(self, name: str) -> Box3D:
        """The box of a solid thing now, found anew only where it has moved."""
        prop, box = self._solid[name]
        pose = self._studio.poses[prop.name]
        known = self._boxes.get(name)
        if known is None or known[0] is not pose:
            known = self._boxes[name] = pose, box_at(box, prop.pose, pose)
        return known[1]

    def _advance(self, action: NDArray[np.float64], seconds: float) -> None:
        moment, poses = self._moment, self._studio.poses
        moment.time_s += seconds
        if self.task == "driving":
            moment.ego, moment.speed_mps = drive(moment.ego, moment.speed_mps, action, seconds)
        else:
            moment.arm = advance(moment.arm, action[:3], seconds)
            if len(action) > 3:
                self._grip(closing=float(action[3]) > 0)
        for prop in self._drifting:
            poses[prop.name] = shifted(poses[prop.name], prop.velocity_mps, seconds)
        self._move_themselves()
        moment.collisions |= self._touched()

    def _grip(self, closing: bool) -> None:
        """Close the fingers on what is between them, or open them, which drops what they hold."""
        moment = self._moment
        if not closing and moment.held is not None:
            prop, _ = self._solid[moment.held]
            x, y, _ = self._studio.poses[prop.name].position_m
            dropped = Pose(
                (x, y, prop.pose.position_m[2]), self._studio.poses[prop.name].heading_rad
            )
            self._studio.poses[prop.name], moment.held = dropped, None
        if not closing:
            moment.arm = replace(moment.arm, opening_m=OPEN_M)
        elif moment.held is None:
            boxes = {name: box for name, box in self.obstacles().items() if name in self._graspable}
            moment.held = grasped(moment.arm, boxes)
            width = min(boxes[moment.held].size_m[:2]) if moment.held else SHUT_M
            moment.arm = replace(moment.arm, opening_m=width)
            if moment.held is not None:
                foot = self._studio.poses[self._solid[moment.held][0].name].position_m
                moment.grip_m = triple(np.subtract(foot, moment.arm.position_m))
        if moment.held is not None:
            name = self._solid[moment.held][0].name
            at = triple(np.add(moment.arm.position_m, moment.grip_m))
            self._studio.poses[name] = replace(self._studio.poses[name], position_m=at)

    def _move_themselves(self) -> None:
        """Put what has a motion where it is now; what is not there yet goes out of sight."""
        moment, poses = self._moment, self._studio.poses
        ego = moment.ego if self.task == "driving" else Pose(moment.arm.position_m, 0.0)
        for prop, motion in self._moving:
            assert prop.instance is not None
            name, now = prop.instance.name, poses[prop.name]
            if name == moment.held:
                continue
            if name in moment.absent:
                now = prop.pose
            if motion.is_set_off(moment.time_s, _apart_m(ego, now)):
                moment.begun_s.setdefault(name, moment.time_s)
            there = motion.pose(prop.pose, moment.time_s, moment.begun_s.get(name))
            moment.absent.discard(name)
            if there is None:
                moment.absent.add(name)
            poses[prop.name] = there or NOWHERE

    def _touched(self) -> set[str]:
        if self.task == "robot":
            boxes = self.obstacles()
            held = boxes.pop(self._moment.held or "", None)
            hit = touched(self._moment.arm, boxes)
            if held is not None:
                hit |= {
                    name for name in self._hazards if name in boxes and overlap(held, boxes[name])
                }
            return hit
        x, y, _ = self._moment.ego.position_m
        ego = Box3D((x, y, EGO_SIZE_M[2] / 2), EGO_SIZE_M, self._moment.ego.heading_rad)
        reach = self._radii + math.hypot(*EGO_SIZE_M[:2]) / 2
        near = np.flatnonzero(np.hypot(*(self._centres - (x, y)).T) < reach)
        names = [self._still[index] for index in near]
        names += [name for name in self._mobile if self._may_touch(name)]
        return {name for name in names if overlap(ego, self._box(name))}

    def _may_touch(self, name: str) -> bool:
        """Whether a thing that moves is there, and near enough to the ego for a closer look."""
        if name in self._moment.absent:
            return False
        prop, box = self._solid[name]
        reach_m = math.hypot(*box.size_m[:2]) + math.hypot(*EGO_SIZE_M[:2])
        reach_m += math.dist(box.centre_m, prop.pose.position_m)
        return _apart_m(self._moment.ego, self._studio.poses[prop.name]) < reach_m

    def _instances(self) -> list[Instance]:
        """All that labels count, by number, its box where it is now in the frame of the setup."""
        stage, poses = self._studio.stage, self._studio.poses
        rows = {puff.instance.id: puff.instance for puff in stage.puffs if puff.instance}
        for prop in stage.props:
            if prop.instance is not None:
                box = box_at(prop.instance.box, prop.pose, poses[prop.name])
                rows[prop.instance.id] = replace(prop.instance, box=box)
        return [rows[number] for number in sorted(rows)]

    def capture(self, cameras: Sequence[str] | None = None) -> dict[str, Frame]:
        """What the named cameras (default: all) see now, in the current ego or robot-base frame."""
        return {camera.name: self._frame(camera) for camera in self._named(cameras)}

    def look(self, cameras: Sequence[str] | None = None) -> dict[str, Image]:
        """The pictures alone, byte for byte those of `capture`, in less time."""
        return {
            camera.name: self._studio.picture(camera, self.size_px, self._fine)
            for camera in self._named(cameras)
        }

    def _named(self, cameras: Sequence[str] | None) -> list[CameraSetup]:
        mounted = {camera.name: camera for camera in self._staged().cameras}
        for name in cameras or ():
            if name not in mounted:
                raise WorldError(f"no camera '{name}'; mounted are: {', '.join(mounted)}")
        return [mounted[name] for name in (mounted if cameras is None else cameras)]

    def _frame(self, camera: CameraSetup) -> Frame:
        found = self._studio.find(camera, self.size_px)
        ego = self._moment.ego
        table = tuple(
            replace(each, box=seen_from(ego, each.box))
            for each in self._instances()
            if each.name not in self._moment.absent
        )
        return Frame(
            image=self._studio.picture(camera, self.size_px, self._fine),
            labels=found.labels,
            instances=found.instances,
            depth_m=found.depth_m,
            table=table,
            camera=calibrated(camera, self.size_px),
        )

    def close(self) -> None:
        """Free the simulator; calling it twice is harmless."""
        self._studio.close()
