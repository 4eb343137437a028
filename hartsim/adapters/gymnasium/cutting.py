"""Draws the cut-outs of kinds: alone in an empty scene, from afar and near, turned several ways.

    python -m hartsim.adapters.gymnasium.cutting deer traffic_cones

makes those that the user's cache does not have yet. The same picture without the thing tells its
shadow.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hartsim.adapters.gymnasium.cutouts import (
    Cutout,
    Variant,
    keep,
    kept,
    locked_cache,
    require_cuttable,
)
from hartsim.errors import WorldError
from hartsim.images import grow
from hartsim.scenario.compiled import CameraSetup, WorldSetup
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.draw import pick, stream
from hartsim.scenario.kinds import KINDS, Kind
from hartsim.scenario.schema import (
    DEFAULT_CAMERAS,
    DrivingSpec,
    ObjectSpec,
    RobotSpec,
    Scenario,
    SceneSpec,
)
from hartsim.types import CLASS_ID, Frame, Instance, Mask, Task, Vector3
from hartsim.worlds.embedded import EmbeddedWorld

THING = "thing"
SIZE_PX = (256, 256)
VARIANTS = 3
FARTHER = (1.0, 2.0, 4.0)
"""From how many times as far as the nearest a thing is seen: from afar it looks flatter."""
NEAREST_M = 5.0

SCENES: dict[Task, SceneSpec] = {
    "driving": SceneSpec("country_road", "overcast", "day"),
    "robot": SceneSpec("workshop_bench", "clear", "day"),
}
SPOTS: dict[Task, tuple[float, ...]] = {"driving": (0.0, 0.0, 0.0), "robot": (-0.15, 0.0, 0.15)}
"""How far left the variants stand."""
AHEAD_M: dict[Task, float] = {"driving": 25.0, "robot": 0.68}
WIDER = (1.0, 1.6, 2.6)
"""How much wider a view is tried where a thing, such as one that burns, is not seen whole."""
SHADOW_PX = 24
"""How far from a thing its shadow is kept; what is darker farther away has another reason."""
GROUND = tuple(CLASS_ID[name] for name in ("road", "road_mark", "pavement", "terrain", "table"))


def cut_out(kind: str) -> tuple[Variant, ...]:
    """Draw the cut-outs of a kind."""
    require_cuttable(kind)
    world = EmbeddedWorld(KINDS[kind].task, SIZE_PX)
    try:
        return tuple(
            tuple(_cutout(world, KINDS[kind], variant, farther) for farther in _far(KINDS[kind]))
            for variant in range(VARIANTS)
        )
    finally:
        world.close()


def _far(kind: Kind) -> tuple[float, ...]:
    return FARTHER if kind.task == "driving" else (1.0,)


def _cutout(world: EmbeddedWorld, kind: Kind, variant: int, farther: float) -> Cutout:
    frame, empty = _seen(world, _setup(kind, variant), farther)
    mask = _mask(frame)
    if mask.sum() < 12:
        raise WorldError(f"'{kind.id}' is not seen in its own picture")
    box = _thing(frame).box
    column, row, depth = frame.camera.project(np.array([[*box.centre_m[:2], 0.0]]))[0].tolist()
    shade = _shade(frame, empty, mask)
    rows, columns = (np.flatnonzero((mask | (shade < 240)).any(axis=axis)) for axis in (1, 0))
    top, left = int(rows[0]), int(columns[0])
    part = slice(top, int(rows[-1]) + 1), slice(left, int(columns[-1]) + 1)
    ground = empty.image[np.isin(empty.labels, GROUND)]
    return Cutout(
        image=frame.image[part],
        mask=mask[part],
        shade=shade[part],
        behind_m=np.where(mask, frame.depth_m - np.float32(depth), np.float32(0))[part],
        foot=(column - left, row - top),
        px_per_m=float(frame.camera.intrinsics[0, 0]) / depth,
        away_m=depth,
        ground=float(ground.mean()) if len(ground) else 128.0,
    )


def _seen(world: EmbeddedWorld, setup: WorldSetup, farther: float) -> tuple[Frame, Frame]:
    """The thing whole, from the usual height and so far away, and what is there without it."""
    thing, usual = setup.objects[0], setup.cameras[0]
    x, y, z = usual.position_m
    if setup.task == "driving":
        length, width, height = thing.box.size_m
        nearest_m = max(NEAREST_M, length / 2 + 4, 1.2 * width, 1.2 * height)
        x = thing.box.centre_m[0] - nearest_m * farther
    frames: list[Frame] = []
    for wider in WIDER:
        reach_m = 0.7 * wider * math.hypot(*thing.box.size_m)
        camera = aimed(replace(usual, position_m=(x, y, z)), thing.box.centre_m, reach_m)
        frames = []
        for objects in (setup.objects, ()):
            world.show(replace(setup, objects=objects, cameras=(camera,)))
            frames.append(world.capture()["front"])
        mask = _mask(frames[0])
        if mask[1:-1, 1:-1].sum() == mask.sum():
            break
    return frames[0], frames[1]


def _thing(frame: Frame) -> Instance:
    return next(each for each in frame.table if each.name == THING)


def _mask(frame: Frame) -> Mask:
    mask: Mask = frame.instances == _thing(frame).id
    return mask


def _setup(kind: Kind, variant: int) -> WorldSetup:
    """The kind alone in its scene."""
    rng = stream("cutout", kind.id, variant)
    thing = ObjectSpec(
        kind.id,
        ahead_m=AHEAD_M[kind.task],
        left_m=SPOTS[kind.task][variant],
        heading_deg=_heading_deg(kind, rng),
    )
    is_driving = kind.task == "driving"
    scenario = Scenario(
        name=f"cutout_{kind.id}",
        task=kind.task,
        about="",
        scene=SCENES[kind.task],
        hazards={THING: thing},
        cameras={"front": DEFAULT_CAMERAS[kind.task]["front"]},
        driving=DrivingSpec(speed_mps=0.0, traffic=0.0) if is_driving else None,
        robot=None if is_driving else RobotSpec(clutter=0.0),
    )
    return compile_draw(scenario, 0, variant).setup


def _heading_deg(kind: Kind, rng: np.random.Generator) -> float:
    match kind.facing:
        case "along":
            middle = 0.0
        case "against":
            middle = 180.0
        case "across":
            middle = pick(rng, (-90.0, 90.0))
        case "any":
            middle = rng.uniform(-180.0, 180.0)
    return middle + float(rng.uniform(-15.0, 15.0))


def aimed(camera: CameraSetup, at_m: Vector3, reach_m: float) -> CameraSetup:
    """The camera turned to look at a place, with as wide a view as a thing of that reach needs."""
    x, y, z = (to - here for to, here in zip(at_m, camera.position_m, strict=True))
    away = math.hypot(x, y, z)
    return replace(
        camera,
        yaw_rad=math.atan2(y, x),
        pitch_rad=math.atan2(z, math.hypot(x, y)),
        fov_rad=min(2 * math.atan(reach_m / away), math.radians(100)),
    )


def _shade(frame: Frame, empty: Frame, mask: Mask) -> NDArray[np.uint8]:
    """The share of light that the thing leaves to the ground, of 255."""
    ground = np.isin(empty.labels, GROUND) & ~mask & grow(mask, SHADOW_PX)
    ratio = (frame.image.mean(axis=-1) + 4) / (empty.image.mean(axis=-1) + 4)
    share = np.where(ground, np.clip(ratio, 0.2, 1.0), 1.0)
    shade: NDArray[np.uint8] = np.rint(255 * share).astype(np.uint8)
    return shade


def main(kinds: Sequence[str]) -> None:
    """Make the cut-outs of kinds that are not in the cache yet."""
    for kind in kinds:
        with locked_cache():
            if kept(kind) is None:
                keep(kind, cut_out(kind))


if __name__ == "__main__":
    main(sys.argv[1:])
