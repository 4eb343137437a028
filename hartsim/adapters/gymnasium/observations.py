"""Where an observation keeps its picture, labels and depth, for one environment or a batch."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import EllipsisType
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from hartsim.adapters.gymnasium.looks import View
from hartsim.adapters.gymnasium.masks import function_named
from hartsim.adapters.gymnasium.weather import DepthOf, flat_depth
from hartsim.scenario.compiled import CameraSetup
from hartsim.scenario.compiler import camera_setup
from hartsim.scenario.schema import DEFAULT_CAMERAS, CameraSpec, misfit, rules_of
from hartsim.types import Depth, Size, Task

Mounting = Mapping[str, float]
"""Where a camera is, in the words of scenarios: `up_m`, `pitch_deg`, `fov_deg` and so on."""

LABELS, DEPTH = "labels", "depth"
DEPTHS = "'observation', 'frame', 'flat' or '<module>:<function>'"


@dataclass(frozen=True)
class Layout:
    """How observations are built: `image_key` is None where they are the picture itself."""

    image_key: str | None
    size_px: Size
    has_labels: bool = False
    has_depth: bool = False

    def opened(self, observation: Any, changes: Collection[str]) -> tuple[Any, "Parts"]:
        """The observation, or a batch of them, with copies of the parts that a look changes."""
        if self.image_key is None:
            image = np.array(observation)
            return image, Parts(image)
        keys = {"image": self.image_key}
        keys |= {"labels": LABELS} if self.has_labels else {}
        keys |= {"depth_m": DEPTH} if self.has_depth else {}
        arrays = {part: np.asarray(observation[key]) for part, key in keys.items()}
        arrays |= {part: arrays[part].copy() for part in keys if part in changes}
        own = {keys[part]: arrays[part] for part in keys if part in changes}
        return {**observation, **own}, Parts(**arrays)


@dataclass(frozen=True, eq=False)
class Parts:
    """The arrays of an observation that looks see, each with a batch's dimension or without."""

    image: NDArray[Any]
    labels: NDArray[Any] | None = None
    depth_m: NDArray[Any] | None = None

    def view(
        self, env: Any, time_s: float, travelled_m: float, number: int | EllipsisType = ...
    ) -> View:
        """An observation as looks take it: the only one, or one of a batch by its number."""
        labels = None if self.labels is None else self.labels[number]
        depth_m = None if self.depth_m is None else self.depth_m[number]
        return View(self.image[number], labels, depth_m, env, time_s, travelled_m)


def layout_of(space: spaces.Space[Any], image_key: str, who: str) -> Layout:
    """The layout of one environment's observations.

    ValueError says what is there where it is neither a picture, uint8 (height, width, 3), nor a
    Dict with one; `who` asks.
    """
    if not isinstance(space, spaces.Dict):
        return Layout(None, _size_of(space, "the observation", who))
    if image_key not in space.spaces:
        there = ", ".join(space.spaces)
        raise ValueError(
            f"{who}: the observation has no '{image_key}', only {there}; name its picture by "
            "image_key"
        )
    size_px = _size_of(space[image_key], f"'{image_key}'", who)
    for key, dtype in ((LABELS, np.uint8), (DEPTH, np.float32)):
        if key not in space.spaces:
            continue
        if space[key].shape != size_px or space[key].dtype != dtype:
            found = f"{space[key].dtype} {space[key].shape}"
            raise ValueError(f"{who}: '{key}' is {found}, must be {np.dtype(dtype)} {size_px}")
    return Layout(image_key, size_px, LABELS in space.spaces, DEPTH in space.spaces)


def _size_of(space: spaces.Space[Any], what: str, who: str) -> Size:
    shape = space.shape or ()
    if space.dtype != np.uint8 or len(shape) != 3 or shape[2] != 3:
        raise ValueError(
            f"{who}: {what} is {space}, must be a picture, uint8 (height, width, 3); for an "
            "environment without pictures, put gymnasium.wrappers.AddRenderObservation first, and "
            "what stacks, crops or greys them last"
        )
    return shape[0], shape[1]


def depth_source(spec: str, layout: Layout, env: Any, camera: CameraSetup, who: str) -> DepthOf:
    """Where depth comes from; ValueError where it cannot come from there.

    "auto" is the observation's `depth`, else that of `env.unwrapped.frame()`. `env` is None where
    the environments are in other processes.
    """
    if spec == "auto":
        spec = "observation" if layout.has_depth else "frame"
    has_frame = env is not None and hasattr(env.unwrapped, "frame")
    if spec == "observation" and layout.has_depth:
        return _observed
    if spec == "frame" and has_frame:
        return _of_frame
    if spec == "flat":
        return lambda view: flat_depth(camera, view.size_px)
    if ":" in spec:
        return _of_function(spec, who)
    here = " and ".join(
        name for name, there in (("observation", layout.has_depth), ("frame", has_frame)) if there
    )
    raise ValueError(
        f"{who}: depth cannot come from '{spec}'; it may be {DEPTHS}, where 'flat' is a guess for "
        f"cameras over flat ground; what this environment has: {here or 'no depth at all'}"
    )


def _observed(view: View) -> Depth:
    assert view.depth_m is not None
    return view.depth_m


def _of_frame(view: View) -> Depth:
    depth: Depth = view.env.unwrapped.frame().depth_m
    return depth


def _of_function(spec: str, who: str) -> DepthOf:
    module, _, name = spec.partition(":")
    function = function_named(module, name, f"{who}: depth '{spec}'")

    def find(view: View) -> Depth:
        depth = np.asarray(function(view.env, view.image), np.float32)
        if depth.shape != view.size_px:
            raise ValueError(f"{who}: depth '{spec}' gives {depth.shape}, must be {view.size_px}")
        return depth

    return find


def camera_of(camera: Mounting | None, task: Task, who: str) -> CameraSetup:
    """The usual front camera of a task, changed where `camera` says so, with scenarios' names.

    ValueError lists the names, or says within what a number must be.
    """
    usual = DEFAULT_CAMERAS[task]["front"]
    rules = rules_of(usual)
    if not isinstance(camera, Mapping | None):
        raise ValueError(f"{who}: camera is {camera!r}, must be such as {{'fov_deg': 70}}")
    for name, value in (camera or {}).items():
        if name not in rules:
            raise ValueError(f"{who}: camera has '{name}'; it may have: {', '.join(rules)}")
        plain = value.item() if isinstance(value, np.generic) else value
        if (why := misfit(rules[name], plain, task)) is not None:
            raise ValueError(f"{who}: camera '{name}': {why}")
    return camera_setup("front", CameraSpec(**{**vars(usual), **(camera or {})}))


def step_seconds(metadata: Mapping[str, Any]) -> float:
    """How long a step lasts, by `render_fps`; a thirtieth of a second where that is not told."""
    fps = metadata.get("render_fps") or 30
    return 1 / float(fps)
