"""The rules of driving: come to the goal ahead, hit nothing, stay on the road.

Reward terms, each step:

    progress    0.1 for each metre nearer to the goal, along the road
    arrival     5 when the goal is passed; the episode ends
    collision   -10 when anything is hit; the episode ends
    off_road    -10 when the ego leaves the road; the episode ends
    aside       -0.02 for each metre beside the middle of the lane
    comfort     -0.02 times how much steering and pedal changed, each of -1..1
    time        -0.02
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from hartsim.adapters.gymnasium.world_env import Outcome
from hartsim.scenario.compiled import CompiledScene
from hartsim.types import State, Task
from hartsim.worlds import World

WEIGHTS: Mapping[str, float] = {
    "progress": 0.1,
    "arrival": 5.0,
    "collision": -10.0,
    "off_road": -10.0,
    "aside": -0.02,
    "comfort": -0.02,
    "time": -0.02,
}
MANOEUVRES: Sequence[tuple[float, float]] = tuple(
    (steering, pedal) for pedal in (0.0, 1.0, -1.0) for steering in (0.0, 0.35, -0.35)
)
"""(steering, pedal) of the discrete actions: keep on, accelerate, brake; straight, left, right."""
FASTEST_MPS = 60.0
ACTIONS = ("continuous", "discrete")


class Driving:
    """Drive along the lane to the scenario's goal.

    Actions are (steering to the left, pedal), each -1..1, or with `actions` "discrete" one of
    `MANOEUVRES`. `reward` replaces single `WEIGHTS`. What is measured, four numbers: speed in m/s,
    metres to the left of the lane's middle, heading in radians, metres to the goal.
    """

    task: Task = "driving"

    def __init__(
        self, actions: str = "continuous", reward: Mapping[str, float] | None = None
    ) -> None:
        self.weights = weights_of(WEIGHTS, reward)
        self.action_space = action_space(
            actions, spaces.Box(-1.0, 1.0, (2,), np.float32), len(MANOEUVRES)
        )
        low, high = np.array([0, -100, -np.pi, -1000]), np.array([FASTEST_MPS, 100, np.pi, 1000])
        self.state_space: spaces.Box = spaces.Box(low.astype(np.float32), high.astype(np.float32))
        self._discrete = actions == "discrete"

    def begin(self, scene: CompiledScene, state: State, world: World) -> dict[str, Any]:
        """Take up a new scene; how things stand."""
        self._goal_m = scene.setup.goal_m
        self._last = np.zeros(2)
        return {"success": False, **self._way(state)}

    def command(self, action: Any) -> NDArray[np.float64]:
        """(steering, pedal) of an action."""
        return np.asarray(MANOEUVRES[int(action)] if self._discrete else action, np.float64)

    def judge(
        self, before: State, after: State, action: NDArray[np.float64], world: World
    ) -> Outcome:
        """Progress along the road; over at the goal, at a collision, and off the road."""
        ahead_m, aside_m = after.ego.position_m[0], after.ego.position_m[1]
        hit, left = bool(after.collisions), after.off_road
        arrived = ahead_m >= self._goal_m and not hit and not left
        amounts = {
            "progress": min(ahead_m, self._goal_m) - before.ego.position_m[0],
            "arrival": float(arrived),
            "collision": float(hit),
            "off_road": float(left),
            "aside": abs(aside_m),
            "comfort": float(np.abs(action - self._last).sum()),
            "time": 1.0,
        }
        self._last = action
        terms = {name: self.weights[name] * amount + 0.0 for name, amount in amounts.items()}
        info = {
            "success": arrived,
            **self._way(after),
        }
        return Outcome(terms, arrived or hit or left, info)

    def _way(self, state: State) -> dict[str, float]:
        """How far the ego has come, and how fast it is."""
        ahead_m = state.ego.position_m[0]
        return {
            "travelled_m": ahead_m,
            "to_go_m": max(self._goal_m - ahead_m, 0.0),
            "progress": min(max(ahead_m / self._goal_m, 0.0), 1.0),
            "speed_mps": state.speed_mps,
        }

    def measure(self, state: State, world: World) -> NDArray[np.float32]:
        """Speed, metres left of the lane's middle, heading, metres to the goal."""
        x, y, _ = state.ego.position_m
        values = (state.speed_mps, y, state.ego.heading_rad, self._goal_m - x)
        space = self.state_space
        return np.clip(np.array(values, np.float32), space.low, space.high)


def weights_of(
    defaults: Mapping[str, float], changed: Mapping[str, float] | None
) -> dict[str, float]:
    """The weights of reward terms, some of them changed; ValueError for a term there is not."""
    for name in changed or {}:
        if name not in defaults:
            raise ValueError(f"reward has no term {name!r}; there are: {', '.join(defaults)}")
        if not np.isfinite((changed or {})[name]):
            raise ValueError(f"reward {name!r} weighs {(changed or {})[name]}, must be finite")
    return {**defaults, **{name: float(value) for name, value in (changed or {}).items()}}


def action_space(actions: str, continuous: spaces.Box, count: int) -> spaces.Space[Any]:
    """The continuous space, or that of `count` discrete actions."""
    if actions not in ACTIONS:
        raise ValueError(f"actions is {actions!r}, must be 'continuous' or 'discrete'")
    return continuous if actions == "continuous" else spaces.Discrete(count)
