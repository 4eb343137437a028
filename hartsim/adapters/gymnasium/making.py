"""From the arguments of a wrapper to its look: what single and vector wrappers share."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from gymnasium import Env, spaces
from gymnasium.vector import VectorEnv

from hartsim.adapters.gymnasium.cutouts import NO_THINGS, Variant, cutouts_of, require_cuttable
from hartsim.adapters.gymnasium.hazards import Hazards, Placed, Range, at_random
from hartsim.adapters.gymnasium.looks import (
    Backdrop,
    Layered,
    Look,
    Occasion,
    View,
    Worn,
    layered,
)
from hartsim.adapters.gymnasium.masks import mask_source, require_readable
from hartsim.adapters.gymnasium.observations import (
    Layout,
    Mounting,
    camera_of,
    depth_source,
    layout_of,
)
from hartsim.adapters.gymnasium.weather import Air, DepthOf, Weather, of_catalogue
from hartsim.dataset.bank import open_bank
from hartsim.errors import ScenarioError
from hartsim.scenario.compiled import CameraSetup, CompiledScene
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.kinds import KINDS
from hartsim.scenario.load import load_scenario
from hartsim.scenario.schema import Scenario
from hartsim.types import BACKDROP_CLASSES, Task
from hartsim.worlds.veils import FILMS

logger = logging.getLogger(__name__)

PARTS = ("texture", "backdrop", "hazards", "weather")
"""What `HartVisuals` can change, innermost first."""

BEHIND: Mapping[Task, str] = {
    task: f"labels:{','.join(names)}" for task, names in BACKDROP_CLASSES.items()
}
"""What backdrops replace where no mask is named."""

SPREAD_M: Mapping[Task, tuple[Range, Range]] = {
    "driving": ((8.0, 25.0), (-2.5, 2.5)),
    "robot": ((0.35, 0.65), (-0.25, 0.25)),
}
"""Where hazards stand, ahead and to the left, where no ranges are named."""

TURNS = 1_000_000
"""Draws of a scenario are numbered by episode; those of later turns of an episode come after."""


@dataclass(frozen=True)
class Target:
    """Who is to wear a look: `who` in errors; `env` is None where it is in another process."""

    who: str
    layout: Layout
    env: Any = None


def target_of(who: str, space: spaces.Space[Any], image_key: str, env: Any = None) -> Target:
    """Who is to wear a look; ValueError where its observations hold no picture."""
    return Target(who, layout_of(space, image_key, who), env)


def require_single(env: Any, who: str, instead: str | None = None) -> None:
    """TypeError for what is not one environment; for a vector of them it says what to use."""
    if isinstance(env, VectorEnv):
        remedy = instead or f"use hartsim.adapters.gymnasium.vector.{who}"
        raise TypeError(f"{who}: {env} is a vector of environments; {remedy}")
    if not isinstance(env, Env):
        raise TypeError(f"{who}: {env!r} is no environment of Gymnasium")


def require_vector(env: Any, who: str) -> None:
    """TypeError for what is no vector of environments; for a single one it says what to use."""
    if isinstance(env, Env):
        raise TypeError(
            f"{who}: {env} is one environment; use hartsim.adapters.gymnasium.wrappers.{who}, or "
            "make a vector with gymnasium.make_vec"
        )
    if not isinstance(env, VectorEnv):
        raise TypeError(f"{who}: {env!r} is no vector of environments")


def backdrop(target: Target, bank: str, mask: str, kind: str, feather_px: float) -> Backdrop:
    """Pictures of a bank behind a mask."""
    if not feather_px >= 0:
        raise ValueError(f"{target.who}: feather_px is {feather_px}, must be 0 or more")
    source = mask_source(mask)
    require_readable(source, target.env, target.layout.has_labels, target.who)
    pictures = open_bank(bank)
    pictures.images(kind)  # or it is refused now
    return Backdrop(pictures, source, kind, feather_px)


def weather(
    target: Target,
    name: str,
    strength: float | None,
    visibility_m: float | None,
    depth: str,
    camera: Mounting | None,
) -> Weather:
    """A weather of the catalogue, or dirt or drops on the lens."""
    air, eye = of_catalogue(name, strength, visibility_m), camera_of(camera, "driving", target.who)
    needs_none = name in FILMS and visibility_m is None
    spec = "flat" if needs_none and depth == "auto" else depth
    return Weather(name, air, depth_source(spec, target.layout, target.env, eye, target.who), eye)


def hazards(
    target: Target,
    kinds: Sequence[str],
    count: int,
    ahead_m: Sequence[float] | None,
    left_m: Sequence[float] | None,
    depth: str,
    camera: Mounting | None,
) -> Hazards:
    """Hazards of some kinds, anywhere on a piece of ground."""
    if isinstance(kinds, str) or not kinds:
        raise ValueError(f"{target.who}: hazards is {kinds!r}, must be a list of kinds")
    for kind in kinds:
        require_cuttable(kind)
    tasks = {KINDS[kind].task for kind in kinds}
    if len(tasks) > 1:
        raise ValueError(f"{target.who}: of {list(kinds)} some are of the table, some are not")
    if count < 1:
        raise ValueError(f"{target.who}: count is {count}, must be at least 1")
    (task,) = tasks
    ahead, left = SPREAD_M[task]
    eye = camera_of(camera, task, target.who)
    place = at_random(
        tuple(kinds),
        count,
        _range(target, "ahead_m", ahead_m, ahead),
        _range(target, "left_m", left_m, left),
    )
    cutouts = {kind: cutouts_of(kind) for kind in kinds}
    spec = _known_depth(depth, target)
    return Hazards(place, cutouts, eye, _depth_of(spec, target, eye))


def _range(target: Target, name: str, asked: Sequence[float] | None, usual: Range) -> Range:
    if asked is None:
        return usual
    if len(asked) != 2 or not -np.inf < asked[0] <= asked[1] < np.inf:
        raise ValueError(f"{target.who}: {name} is {asked}, must be [from, to] in metres")
    return float(asked[0]), float(asked[1])


def _known_depth(spec: str, target: Target) -> str | None:
    """What depth comes from; None, and nothing hides hazards, for "none" or where there is none."""
    has_frame = target.env is not None and hasattr(target.env.unwrapped, "frame")
    if spec == "none" or (spec == "auto" and not target.layout.has_depth and not has_frame):
        logger.info("%s: depth is not known, so nothing hides the hazards", target.who)
        return None
    return spec


def _depth_of(spec: str | None, target: Target, camera: CameraSetup) -> DepthOf | None:
    if spec is None:
        return None
    return depth_source(spec, target.layout, target.env, camera, target.who)


@dataclass(frozen=True)
class Visuals:
    """The looks of a scenario's draws: draw number n for episode n, in pictures of `camera`.

    Without `cutouts` no hazards are put in.
    """

    changes: ClassVar = Hazards.changes

    scenario: Scenario
    camera: str
    depth_of: Callable[[CameraSetup], DepthOf | None]
    backdrop: Backdrop | None
    cutouts: Mapping[str, Sequence[Variant]] | None
    has_weather: bool

    def choose(self, occasion: Occasion, view: View) -> Layered:
        """What the draw of this occasion looks like."""
        number = occasion.episode + TURNS * occasion.turn
        scene = compile_draw(self.scenario, occasion.seed, number)
        camera = next(each for each in scene.setup.cameras if each.name == self.camera)
        depth_of = self.depth_of(camera)
        looks: list[Look] = []
        if self.backdrop is not None:
            looks.append(self.backdrop)
        if self.cutouts is not None:
            placed = _placed(scene, occasion.seed)
            looks.append(Hazards(lambda _: placed, self.cutouts, camera, depth_of))
        if self.has_weather:
            assert depth_of is not None, "weather without depth was refused"
            air, name = _air_in(scene), scene.setup.conditions.weather
            looks.append(Weather(name, lambda _: air, depth_of, camera))
        return layered(looks, occasion, view, {"scene": scene.key})

    def together(self, worn: Sequence[Worn]) -> None:
        """Nothing: each shows its own."""


def visuals(
    target: Target,
    scenario: str,
    bank: str,
    parts: Sequence[str],
    mask: str | None,
    depth: str,
    camera: str,
) -> Visuals:
    """The looks of a scenario, its textures aside."""
    loaded = load_scenario(scenario)
    if camera not in loaded.cameras:
        there = ", ".join(loaded.cameras)
        raise ScenarioError(f"{loaded.source}: no camera '{camera}'; there are: {there}")
    cutouts = None
    if "hazards" in parts:
        kinds = [kind for kind in _hazards_in(loaded) if kind not in NO_THINGS]
        cutouts = {kind: cutouts_of(kind) for kind in kinds}
    behind = None
    if "backdrop" in parts:
        behind = backdrop(target, bank, mask or BEHIND[loaded.task], "backdrop", 0.0)
    has_weather = "weather" in parts
    spec = None
    if has_weather:
        spec = depth
    elif cutouts is not None:
        spec = _known_depth(depth, target)
    depth_of = partial(_depth_of, spec, target)
    depth_of(camera_of(None, loaded.task, target.who))  # or it is refused now
    return Visuals(loaded, camera, depth_of, behind, cutouts, has_weather)


def require_parts(parts: Sequence[str], who: str) -> None:
    """ValueError for parts that `HartVisuals` does not have."""
    for part in parts:
        if part not in PARTS:
            raise ValueError(f"{who}: no part '{part}'; there are: {', '.join(PARTS)}")


def _hazards_in(scenario: Scenario) -> list[str]:
    """Every kind that a hazard of the scenario may be."""
    found = [each.kind for each in scenario.hazards.values()]
    for name in scenario.hazards:
        varied = scenario.vary.get(f"hazards.{name}.kind")
        found += map(str, varied.options) if varied else []
    return sorted(set(found))


def _placed(scene: CompiledScene, seed: int) -> list[Placed]:
    """The hazards of a scene that are things, where they stand at its beginning."""
    return [
        Placed(each.kind, each.box.centre_m[0], each.box.centre_m[1], seed + number)
        for number, each in enumerate(scene.setup.objects)
        if each.hazard and each.kind not in NO_THINGS
    ]


def _air_in(scene: CompiledScene) -> Air:
    """What is in the air of a scene, and on the glass."""
    conditions = scene.setup.conditions
    glasses = [FILMS[each.kind] for each in scene.setup.objects if each.kind in FILMS]
    return Air(
        conditions.visibility_m, conditions.rain, conditions.snow, glasses[0] if glasses else None
    )
