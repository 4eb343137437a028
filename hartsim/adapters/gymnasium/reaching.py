"""The rules of the table top: reach a thing past hazards, or bring it to its place.

Reward terms, each step:

    progress    10 for each metre nearer: the gripper to the thing, the held thing to its place
    grasp       2 when the thing is first held
    arrival     5 when the task is done; the episode ends
    hazard      -10 when a hazard is touched; the episode ends
    touch       -0.2 while anything else but the thing is touched
    time        -0.02
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from hartsim.adapters.gymnasium.driving import action_space, weights_of
from hartsim.adapters.gymnasium.world_env import Outcome
from hartsim.errors import ScenarioError
from hartsim.scenario.compiled import CompiledScene
from hartsim.types import Box3D, State, Task, Vector3
from hartsim.worlds import World
from hartsim.worlds.arm import distances

WEIGHTS: Mapping[str, float] = {
    "progress": 10.0,
    "grasp": 2.0,
    "arrival": 5.0,
    "hazard": -10.0,
    "touch": -0.2,
    "time": -0.02,
}
GOALS = ("reach", "place")
REACHED_M, PLACED_M = 0.03, 0.06
"""How near the fingertips come to a thing, and a thing to its place, to be there."""
PLACES: Sequence[tuple[float, float]] = ((0.34, 0.36), (0.34, -0.36), (0.5, 0.3), (0.5, -0.3))
"""Where things are placed: the first of these that is free."""
CLEAR_M = 0.08


class Reaching:
    """Reach the thing that the scenario's `robot.reach` names, or with `goal` "place" move it.

    Actions are the gripper's velocity (x, y, z), each -1..1, and for "place" a fourth number, which
    closes the fingers above 0; with `actions` "discrete" one axis at a time, one way or the other,
    or nothing, and for "place" each of these with open and with closed fingers. `reward` replaces
    single `WEIGHTS`. What is measured, eleven numbers: where the gripper, the thing and its place
    (for "reach" the thing again) are, in metres, whether the thing is held, and how far is to go.
    """

    task: Task = "robot"

    def __init__(
        self,
        goal: str = "reach",
        actions: str = "continuous",
        reward: Mapping[str, float] | None = None,
    ) -> None:
        if goal not in GOALS:
            raise ValueError(f"goal is {goal!r}, must be 'reach' or 'place'")
        self.weights, self.goal = weights_of(WEIGHTS, reward), goal
        self._commands = commands(places=goal == "place")
        axes = 4 if goal == "place" else 3
        box = spaces.Box(-1.0, 1.0, (axes,), np.float32)
        self.action_space = action_space(actions, box, len(self._commands))
        self.state_space: spaces.Box = spaces.Box(-10.0, 10.0, (11,), np.float32)
        self._discrete = actions == "discrete"

    def begin(self, scene: CompiledScene, state: State, world: World) -> dict[str, Any]:
        """Take up a new scene; how things stand. ScenarioError where it names nothing to reach."""
        name = scene.setup.reach
        if name is None:
            raise ScenarioError(
                f"{scene.scenario.source}: robot.reach names nothing, but the arm is to reach "
                "something; set it to one of "
                + ", ".join(each.name for each in scene.setup.objects)
            )
        self._wanted, self._was_held = name, False
        self._hazards = {each.name for each in scene.setup.objects if each.hazard} - {name}
        boxes = world.obstacles()
        self._place = free_place([box for other, box in boxes.items() if other != name])
        self._left_m = self._to_go(state, world)
        return {"success": False, "to_go_m": self._left_m, "held": False}

    def command(self, action: Any) -> NDArray[np.float64]:
        """Velocity and fingers of an action."""
        return np.asarray(self._commands[int(action)] if self._discrete else action, np.float64)

    def judge(
        self, before: State, after: State, action: NDArray[np.float64], world: World
    ) -> Outcome:
        """Nearer to what is to be done; over when it is, and when a hazard is touched."""
        left_m, held = self._to_go(after, world), after.held == self._wanted
        touched = set(after.collisions) - {self._wanted}
        hit = bool(touched & self._hazards)
        if self.goal == "reach":
            done = left_m <= REACHED_M and not hit
        else:
            let_go = self._was_held and not held
            done = let_go and self._misplaced_m(world) <= PLACED_M and not hit
        amounts = {
            "progress": self._left_m - left_m,
            "grasp": float(held and not self._was_held),
            "arrival": float(done),
            "hazard": float(hit),
            "touch": float(bool(touched)),
            "time": 1.0,
        }
        self._left_m, self._was_held = left_m, self._was_held or held
        terms = {name: self.weights[name] * amount + 0.0 for name, amount in amounts.items()}
        info = {"success": done, "to_go_m": left_m, "held": held}
        return Outcome(terms, done or hit, info)

    def measure(self, state: State, world: World) -> NDArray[np.float32]:
        """Gripper, thing and place (x, y, z each), whether it is held, metres to go."""
        thing = self._thing(world).centre_m
        place = (*self._place, thing[2]) if self.goal == "place" else thing
        held = float(state.held == self._wanted)
        values = (*state.ego.position_m, *thing, *place, held, self._to_go(state, world))
        return np.clip(np.array(values, np.float32), -10, 10)

    @property
    def wanted(self) -> str:
        """The name of the thing that is to be reached."""
        return self._wanted

    @property
    def place(self) -> tuple[float, float]:
        """Where it is to be placed, metres."""
        return self._place

    def _thing(self, world: World) -> Box3D:
        return world.obstacles()[self._wanted]

    def _misplaced_m(self, world: World) -> float:
        return math.dist(self._thing(world).centre_m[:2], self._place)

    def _to_go(self, state: State, world: World) -> float:
        """Metres to the thing, and for "place" those that it has to go itself."""
        reach_m = outside_m(state.ego.position_m, self._thing(world))
        if self.goal == "reach":
            return reach_m
        return self._misplaced_m(world) + (0.0 if state.held == self._wanted else reach_m)


def commands(places: bool) -> list[tuple[float, ...]]:
    """The discrete actions: nothing, and each axis both ways; twice that with fingers."""
    moves = [(0.0, 0.0, 0.0)]
    for axis in range(3):
        for way in (1.0, -1.0):
            x, y, z = (way if axis == k else 0.0 for k in range(3))
            moves.append((x, y, z))
    if not places:
        return list(moves)
    return [(*move, fingers) for fingers in (-1.0, 1.0) for move in moves]


def outside_m(point_m: Vector3, box: Box3D) -> float:
    """How far a point is from a box, 0 inside."""
    return float(distances(np.array([point_m]), box)[0])


def free_place(boxes: Sequence[Box3D]) -> tuple[float, float]:
    """The first of `PLACES` with nothing on it, or the one with most room."""

    def room(place: tuple[float, float]) -> float:
        return min((outside_m((*place, box.centre_m[2]), box) for box in boxes), default=1.0)

    return next((each for each in PLACES if room(each) > CLEAR_M), max(PLACES, key=room))
