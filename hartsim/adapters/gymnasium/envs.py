"""The environments that `gymnasium.make` knows: `HartSim/Street-v0` and `HartSim/Tabletop-v0`."""

from collections.abc import Mapping, Sequence
from functools import partial

from hartsim.adapters.gymnasium.driving import Driving
from hartsim.adapters.gymnasium.reaching import Reaching
from hartsim.adapters.gymnasium.world_env import WorldEnv
from hartsim.types import Task
from hartsim.worlds import World


def street(
    scenario: str | Sequence[str] = "child_behind_van",
    size_px: int = 64,
    observation: str = "image",
    actions: str = "continuous",
    camera: str = "front",
    step_s: float = 0.1,
    time_limit_s: float = 30.0,
    draft: bool = True,
    reward: Mapping[str, float] | None = None,
    render_mode: str | None = None,
) -> WorldEnv:
    """Drive to the goal past the hazards of scenarios; see `WorldEnv` and `driving`.

    A `draft` is plainer than what `hartsim generate` draws, and there several times as fast.
    """
    rules = Driving(actions, reward)
    world = partial(_embedded, rules.task, size_px, draft)
    return WorldEnv(
        world, rules, scenario, size_px, observation, camera, step_s, time_limit_s, render_mode
    )


def tabletop(
    scenario: str | Sequence[str] = "hand_and_knife",
    size_px: int = 64,
    observation: str = "image",
    goal: str = "reach",
    actions: str = "continuous",
    camera: str = "front",
    step_s: float = 0.1,
    time_limit_s: float = 20.0,
    draft: bool = True,
    reward: Mapping[str, float] | None = None,
    render_mode: str | None = None,
) -> WorldEnv:
    """Reach or place a thing past the hazards of scenarios; see `WorldEnv` and `reaching`."""
    rules = Reaching(goal, actions, reward)
    world = partial(_embedded, rules.task, size_px, draft)
    return WorldEnv(
        world, rules, scenario, size_px, observation, camera, step_s, time_limit_s, render_mode
    )


def _embedded(task: Task, size_px: int, draft: bool) -> World:
    from hartsim.worlds.embedded import EmbeddedWorld

    return EmbeddedWorld(task, (size_px, size_px), draft=draft)
