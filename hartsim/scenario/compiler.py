"""From a drawn scenario to all that worlds, renderers and datasets need to know about it."""

import dataclasses
import logging
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from hartsim.scenario.catalogue import COLOURS
from hartsim.scenario.compiled import (
    CameraSetup,
    CompiledScene,
    Conditions,
    PlacedObject,
    WorldSetup,
)
from hartsim.scenario.draw import Draw, draw, pick, stream
from hartsim.scenario.kinds import KINDS
from hartsim.scenario.motion import MOTIONS, Motion
from hartsim.scenario.poses import resolved, scaled_size
from hartsim.scenario.prompts import (
    backdrop_prompt,
    describe,
    look_called,
    texture_prompts,
)
from hartsim.scenario.schema import CameraSpec, ObjectSpec, Scenario, SceneSpec
from hartsim.scenario.sightings import seen_by
from hartsim.scenario.surroundings import GROUNDS, PLACES, TIMES, WEATHERS
from hartsim.types import Box3D, Vector3

logger = logging.getLogger(__name__)

Rng = np.random.Generator


def compile_draw(scenario: Scenario, seed: int, index: int, look: str = "photo") -> CompiledScene:
    """Draw number `index` of a scenario, compiled."""
    return compile_scenario(draw(scenario, seed, index), look)


def compile_scenario(drawn: Draw, look: str = "photo") -> CompiledScene:
    """The compiled scene of a draw, whose own streams decide what the scenario leaves open.

    `look` is one of `prompts.LOOKS`, the words for how pictures are made.
    """
    concrete, key = drawn.scenario, (drawn.scenario.name, drawn.seed, drawn.index)
    setup = _world_setup(concrete, key)
    for name in out_of_sight(setup):
        logger.warning("%s-%05d: no camera's picture has '%s' in it", key[0], key[2], name)
    conditions, task = setup.conditions, concrete.task
    words = stream("texture words", *key)
    return CompiledScene(
        scenario=concrete,
        seed=drawn.seed,
        index=drawn.index,
        drawn=drawn.values,
        tags=scene_tags(setup),
        setup=setup,
        texture_prompts=texture_prompts(task, conditions, concrete.textures, words, look),
        view_prompts={name: describe(setup, name, look=look) for name in concrete.cameras},
        calm_prompts={
            name: describe(setup, name, look=look, calm=True) for name in concrete.cameras
        },
        backdrop_prompts={
            name: backdrop_prompt(task, conditions, stream("backdrop words", *key, name), look)
            for name in concrete.cameras
        },
        negative=look_called(look).negative,
        weight=drawn.weight,
    )


def out_of_sight(setup: WorldSetup) -> list[str]:
    """The hazards that lie in no camera's picture, by name."""
    seen = {s.thing.name for camera in setup.cameras for s in seen_by(setup.objects, camera)}
    return [each.name for each in setup.objects if each.hazard and each.name not in seen]


def _world_setup(concrete: Scenario, key: tuple[str, int, int]) -> WorldSetup:
    specs = {**concrete.hazards, **concrete.objects}
    streams = {name: stream("object", *key, name) for name in specs}
    sizes = {name: drawn_size(spec, streams[name]) for name, spec in specs.items()}
    setup = WorldSetup(
        task=concrete.task,
        conditions=conditions_of(concrete.scene, stream("conditions", *key)),
        objects=tuple(
            placed(name, spec, name in concrete.hazards, streams[name], sizes[name])
            for name, spec in resolved(concrete, sizes).items()
        ),
        cameras=tuple(camera_setup(name, spec) for name, spec in concrete.cameras.items()),
        decor_seed=int(stream("decor", *key).integers(2**32)),
    )
    if concrete.driving is not None:
        return dataclasses.replace(setup, **vars(concrete.driving))
    if concrete.robot is not None:
        return dataclasses.replace(setup, **vars(concrete.robot))
    return setup


def conditions_of(scene: SceneSpec, rng: Rng) -> Conditions:
    """Weather and light as numbers: a strength for the weather, a height and side for the sun."""
    strength = rng.random()
    low, high = TIMES[scene.time_of_day].sun_elevation_deg
    numbers = {name: slope.at(strength) for name, slope in WEATHERS[scene.weather].numbers.items()}
    if scene.ground is not None:
        numbers |= GROUNDS[scene.ground].numbers
    return Conditions(
        place=scene.place,
        weather=scene.weather,
        time_of_day=scene.time_of_day,
        sun_elevation_rad=math.radians(low + (high - low) * rng.random()),
        sun_azimuth_rad=math.radians(360.0 * rng.random() - 180.0),
        ground=scene.ground or "",
        **numbers,
    )


def drawn_size(spec: ObjectSpec, rng: Rng) -> Vector3:
    """The exact size of an object: its kind's, times its scale, and a little more or less."""
    spread = KINDS[spec.kind].spread
    return scaled_size(spec, 1.0 + spread * (2.0 * rng.random() - 1.0))


def placed(
    name: str, spec: ObjectSpec, hazard: bool, rng: Rng, size_m: Vector3 | None = None
) -> PlacedObject:
    """An object with its box; its size and, where none is asked for, colour are drawn."""
    kind, size_m = KINDS[spec.kind], size_m or drawn_size(spec, rng)
    height = size_m[2]
    colour = spec.colour or (pick(rng, kind.colours) if kind.colours else None)
    return PlacedObject(
        name=name,
        kind=kind.id,
        class_name=kind.class_name,
        hazard=hazard,
        tags=kind.tags if hazard else (),
        box=Box3D(
            centre_m=(spec.ahead_m, spec.left_m, spec.up_m + height / 2),
            size_m=size_m,
            heading_rad=math.radians(spec.heading_deg),
        ),
        colour=COLOURS[colour] if colour else None,
        motion=motion_of(spec),
    )


def motion_of(spec: ObjectSpec) -> Motion | None:
    """What an object does by itself; the rules of its fields know only the motions there are."""
    if spec.motion is None:
        return None
    name = next(each for each in MOTIONS if each == spec.motion)
    return Motion(name, spec.speed_mps, spec.when_distance_m, spec.when_time_s)


def camera_setup(name: str, spec: CameraSpec) -> CameraSetup:
    """A camera in the units that worlds use."""
    return CameraSetup(
        name=name,
        position_m=(spec.ahead_m, spec.left_m, spec.up_m),
        pitch_rad=math.radians(spec.pitch_deg),
        yaw_rad=math.radians(spec.yaw_deg),
        fov_rad=math.radians(spec.fov_deg),
    )


def scene_tags(setup: WorldSetup) -> dict[str, tuple[str, ...]]:
    """Ids by scheme: what the scene holds, and what published lists would call it."""
    conditions = setup.conditions
    weather, time = WEATHERS[conditions.weather], TIMES[conditions.time_of_day]
    ground = GROUNDS.get(conditions.ground)
    hazards = [KINDS[thing.kind] for thing in setup.objects if thing.hazard]
    return {
        "task": (setup.task,),
        "place": (conditions.place,),
        "weather": (conditions.weather,),
        "ground": (ground.id,) if ground else (),
        "time_of_day": (conditions.time_of_day,),
        "hazard": _unique(kind.id for kind in hazards),
        "class": _unique(kind.class_name for kind in hazards),
        "nhtsa": _unique(id for kind in hazards for id in kind.nhtsa),
        "odd": _unique(
            (
                *PLACES[conditions.place].odd,
                *weather.odd,
                *time.odd,
                *(ground.odd if ground else ()),
                *(id for kind in hazards for id in kind.odd),
            )
        ),
        "sotif": _unique(
            (
                *(id for kind in hazards for id in kind.sotif),
                *weather.sotif,
                *time.sotif,
                *(ground.sotif if ground else ()),
            )
        ),
    }


def _unique(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))


def to_plain(scene: CompiledScene) -> dict[str, Any]:
    """The scene as JSON can hold it; endless ranges become null, and no path of the machine."""
    plain: dict[str, Any] = _plain(scene)
    del plain["scenario"]["source"]
    return plain


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(member) for member in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
