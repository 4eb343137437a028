"""An environment over any `World`: scenes drawn from scenarios, a camera's picture, a task's rules.

The rules say what an action means, what earns reward and when an episode is over; `driving` and
`reaching` have them. The world may be the embedded one or CARLA.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from numpy.typing import NDArray

from hartsim.errors import ScenarioError
from hartsim.scenario.compiled import CompiledScene
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.library import find_scenarios
from hartsim.scenario.load import load_scenario
from hartsim.scenario.schema import Scenario
from hartsim.types import UNKNOWN, Depth, Frame, Image, Size, State, Task
from hartsim.worlds import World

FARTHEST_M = 1000.0
"""The depth that observations give for the sky."""
OPTIONS = ("scenario", "seed", "index")
OBSERVATIONS = ("image", "dict")
SEEDS = 2**31


@dataclass(frozen=True)
class Outcome:
    """What a step came to: its reward by named terms, whether the episode is over, how it went."""

    terms: Mapping[str, float]
    terminated: bool
    info: Mapping[str, Any] = field(default_factory=dict)


class Rules(Protocol):
    """A task: what actions do, what is measured, what earns reward."""

    task: Task
    action_space: spaces.Space[Any]
    state_space: spaces.Box

    def begin(self, scene: CompiledScene, state: State, world: World) -> Mapping[str, Any]:
        """Take up a new scene; what `info` says of it at first, by the names of every step."""
        ...

    def command(self, action: Any) -> NDArray[np.float64]:
        """The world's action for one of the action space."""
        ...

    def judge(
        self, before: State, after: State, action: NDArray[np.float64], world: World
    ) -> Outcome:
        """What a step came to."""
        ...

    def measure(self, state: State, world: World) -> NDArray[np.float32]:
        """What the agent feels without a camera, in the state space."""
        ...


class WorldEnv(gym.Env[Any, Any]):
    """Scenes of scenarios in a world, one after the other, as Gymnasium wants them.

    `make_world` starts the world when the first episode does, in the process that steps it.
    `scenarios` are names of the library, files or folders. Each reset draws one of them and then a
    scene of it, by the environment's own random numbers; `reset(options={"scenario": ..., "seed":
    ..., "index": ...})` asks for one. Observations are the picture of `camera` (height, width, 3),
    or with `observation` "dict" `image`, `labels` (class ids of `hartsim.types`, 255 unknown),
    `depth` (float32 metres, `FARTHEST_M` for the sky) and `state`, what the rules measure.
    An episode that is not over after `time_limit_s` is truncated.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012

    def __init__(
        self,
        make_world: Callable[[], World],
        rules: Rules,
        scenarios: str | Sequence[str],
        size_px: int = 64,
        observation: str = "image",
        camera: str = "front",
        step_s: float = 0.1,
        time_limit_s: float = 30.0,
        render_mode: str | None = None,
    ) -> None:
        if observation not in OBSERVATIONS:
            known = " or ".join(map(repr, OBSERVATIONS))
            raise ValueError(f"observation is {observation!r}, must be {known}")
        if not 0 < step_s <= time_limit_s < math.inf:
            raise ValueError(
                f"step_s is {step_s} and time_limit_s {time_limit_s}; steps must take some time, "
                "and an episode at least one step, but not for ever"
            )
        if not 16 <= size_px <= 2048:
            raise ValueError(f"size_px is {size_px}, must be from 16 to 2048")
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"render_mode is {render_mode!r}, must be 'rgb_array' or None")
        self.rules, self.camera, self.render_mode = rules, camera, render_mode
        self.step_s, self._most_steps = step_s, max(1, round(time_limit_s / step_s))
        self._scenarios = _load(scenarios, rules.task)
        for each in self._scenarios:
            _require_camera(each, camera)
        self._make_world, self._is_dict = make_world, observation == "dict"
        self._world: World | None = None
        self._episode: _Episode | None = None
        self._closed = False
        self.metadata = {**type(self).metadata, "render_fps": 1 / step_s}
        self.action_space = rules.action_space
        self.observation_space = observation_space((size_px, size_px), rules, self._is_dict)

    @property
    def world(self) -> World:
        """The world, started when first asked for."""
        if self._closed:
            raise ClosedEnvironmentError("this environment is closed; make another")
        if self._world is None:
            self._world = self._make_world()
        return self._world

    @property
    def scene(self) -> CompiledScene:
        """The scene on show."""
        return self._running().scene

    @property
    def surfaces(self) -> Mapping[str, Size]:
        """What `paint` accepts, with the texture size that fits it best."""
        return self.world.surfaces

    def paint(self, textures: Mapping[str, Image]) -> None:
        """Put textures on surfaces until the next reset; shown from the next observation on."""
        self.world.wear(textures)

    def frame(self) -> Frame:
        """All that the camera and the simulator know now."""
        self._running()
        return self.world.capture([self.camera])[self.camera]

    def look(self) -> Any:
        """The observation as it is now, such as after `paint`."""
        self._running().observation = self._observe()
        return self._running().observation

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Draw a scene and show it; see the class for `options`."""
        super().reset(seed=seed, options=dict(options or {}))
        self._episode = None  # so that a scene that is refused leaves nothing to step
        scene = self._draw(options or {})
        _require_camera(scene.scenario, self.camera)  # it may be another scenario's
        self.world.setup(scene)
        state = self.world.state()
        first = Outcome({}, False, self.rules.begin(scene, state, self.world))
        self._episode = _Episode(scene, state)
        self._episode.observation = self._observe()
        return self._episode.observation, self._info(first)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Act for `step_s` seconds."""
        episode = self._running()
        if not self.action_space.contains(action):
            raise ValueError(f"action is {action!r}, must be one of {self.action_space}")
        command = self.rules.command(action)
        before, episode.state = episode.state, self.world.step(command, self.step_s)
        outcome = self.rules.judge(before, episode.state, command, self.world)
        episode.steps += 1
        episode.observation = self._observe()
        truncated = not outcome.terminated and episode.steps >= self._most_steps
        reward = float(sum(outcome.terms.values()))
        return episode.observation, reward, outcome.terminated, truncated, self._info(outcome)

    def render(self) -> Image | None:
        """The picture that the agent saw last (height, width, 3); None without a render mode."""
        seen = self._running().observation
        image: Image = seen["image"] if self._is_dict else seen
        return image.copy() if self.render_mode == "rgb_array" else None

    def save(self) -> "Saved":
        """All that decides what comes next, to go back to with `restore`."""
        return Saved(
            deepcopy(self._running()),
            self.world.remember(),
            deepcopy(self.rules),
            self.np_random.bit_generator.state,
        )

    def restore(self, saved: "Saved") -> None:
        """Go back to what `save` gave, here or in an environment of the same kind.

        Paint and the looks that wrappers put on are not part of it. ValueError where observations
        are of another kind or size.
        """
        if not self.observation_space.contains(saved.episode.observation):
            raise ValueError(
                "what was saved shows other observations than this environment: "
                f"{self.observation_space}"
            )
        self.world.recall(saved.world)
        self._episode, self.rules = deepcopy(saved.episode), deepcopy(saved.rules)
        self.np_random.bit_generator.state = saved.random

    def close(self) -> None:
        """Free the world; calling it twice is harmless."""
        self._closed = True
        if self._world is not None:
            self._world.close()
            self._world = None

    def _running(self) -> "_Episode":
        if self._closed:
            raise ClosedEnvironmentError("this environment is closed; make another")
        if self._episode is None:
            raise ResetNeeded("nothing is on show yet; call reset() first")
        return self._episode

    def _draw(self, options: Mapping[str, Any]) -> CompiledScene:
        for name in options:
            if name not in OPTIONS:
                raise ValueError(f"reset has no option {name!r}; there are: {', '.join(OPTIONS)}")
        scenarios = self._scenarios
        if (asked := options.get("scenario")) is not None:
            scenarios = _load(asked, self.rules.task)
        scenario = scenarios[int(self.np_random.integers(len(scenarios)))]
        seed = int(self.np_random.integers(SEEDS))
        return compile_draw(scenario, _whole(options, "seed", seed), _whole(options, "index", 0))

    def _observe(self) -> Any:
        episode = self._running()
        if not self._is_dict:
            return self.world.look([self.camera])[self.camera]
        frame = self.frame()
        return {
            "image": frame.image,
            "labels": frame.labels,
            "depth": _within(frame.depth_m),
            "state": self.rules.measure(episode.state, self.world),
        }

    def _info(self, outcome: Outcome) -> dict[str, Any]:
        episode = self._running()
        scene, state = episode.scene, episode.state
        return {
            "scene": f"{scene.scenario.name}-{scene.seed}-{scene.index}",
            "scenario": scene.scenario.name,
            "hazards": ", ".join(sorted(state.hazards)),
            "collision": ", ".join(state.collisions),
            "time_s": state.time_s,
            "reward_terms": dict(outcome.terms),
            **outcome.info,
        }


@dataclass
class _Episode:
    """What goes on since the last reset."""

    scene: CompiledScene
    state: State
    steps: int = 0
    observation: Any = None


@dataclass(frozen=True)
class Saved:
    """An environment's whole state: `WorldEnv.save`."""

    episode: Any
    world: Any
    rules: Rules
    random: Mapping[str, Any]


def observation_space(size_px: Size, rules: Rules, is_dict: bool) -> spaces.Space[Any]:
    """What the agent sees: a picture, or with `is_dict` all that the simulator knows."""
    image = spaces.Box(0, 255, (*size_px, 3), np.uint8)
    if not is_dict:
        return image
    return spaces.Dict(
        {
            "image": image,
            "labels": spaces.Box(0, UNKNOWN, size_px, np.uint8),
            "depth": spaces.Box(0.0, FARTHEST_M, size_px, np.float32),
            "state": rules.state_space,
        }
    )


def _whole(options: Mapping[str, Any], name: str, default: int) -> int:
    value = options.get(name, default)
    is_number = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not (is_number and 0 <= value < 2**63):
        raise ValueError(f"option {name!r} is {value!r}, must be a whole number from 0")
    return int(value)


def _require_camera(scenario: Scenario, camera: str) -> None:
    """ScenarioError where a scenario has no such camera."""
    if camera not in scenario.cameras:
        there = ", ".join(scenario.cameras)
        raise ScenarioError(
            f"{scenario.source or scenario.name}: no camera {camera!r}; there are: {there}"
        )


def _within(depth_m: Depth) -> Depth:
    return np.minimum(depth_m, np.float32(FARTHEST_M))


def _load(scenarios: str | Path | Sequence[str | Path], task: Task) -> list[Scenario]:
    if not isinstance(scenarios, str | Path | Sequence):
        raise ValueError(f"scenario is {scenarios!r}, must be a name, a path, or a list of these")
    names = [scenarios] if isinstance(scenarios, str | Path) else list(scenarios)
    if not names:
        raise ScenarioError("no scenario was named; name one of the library, a file or a folder")
    loaded = [load_scenario(path) for path in find_scenarios(names)]
    for each in loaded:
        if each.task != task:
            raise ScenarioError(f"{each.source}: a {each.task} scenario, but this is a {task} task")
    return loaded
