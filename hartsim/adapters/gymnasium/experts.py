"""Scripted experts that see what the simulator knows: to clone from, and to compare with.

`expert_of(env)` gives the one for an environment. It is not perfect, and no policy should be
trusted because it does as well: it says how much of a task can be done at all.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hartsim.adapters.gymnasium.driving import MANOEUVRES, Driving
from hartsim.adapters.gymnasium.reaching import Reaching, commands
from hartsim.adapters.gymnasium.world_env import WorldEnv
from hartsim.types import Box3D, Pose, State
from hartsim.worlds.motion import ACCELERATION_MPS2, BRAKING_MPS2, MAX_STEER_RAD, WHEELBASE_M

Floats = NDArray[np.float64]


class Expert(Protocol):
    """Something that drives an environment; made anew, or told by `begin`, for every episode.

    It `knows` so many numbers that decide what it does: a picture shows them, more or less.
    """

    knows: int

    def begin(self) -> None:
        """Forget the last episode."""
        ...

    def act(self) -> Any:
        """The action for what is so now, one of the environment's action space."""
        ...

    def known(self) -> NDArray[np.float32]:
        """What the last action came from, numbers of about -1..1 (knows,)."""
        ...


def expert_of(env: Any) -> Expert:
    """The expert for one of hartsim's environments; TypeError for others."""
    plain = env.unwrapped
    if not isinstance(plain, WorldEnv):
        raise TypeError(f"{type(plain).__name__} has no expert; HartSim's environments have")
    return DrivingExpert(plain) if isinstance(plain.rules, Driving) else ReachingExpert(plain)


LANE_CHANGES_M: Sequence[float] = (0.0, -0.8, 0.8, -1.6, 1.6, -2.4, 2.4, -3.2, 3.2)
"""How far beside the lane's middle the driver considers going."""
PACES: Sequence[float] = (1.0, 0.5, 0.0)
"""At which share of the cruising speed."""
LOOK_AHEAD_S, LOOK_EVERY_S = 2.8, 0.14
EGO_CIRCLES_M, EGO_RADIUS_M = np.array([-1.4, 0.0, 1.4]), 1.05
"""The ego as three circles: where along it they are, and how large."""
CLEARANCE_M = 0.9
STANDING = 30.0
"""What it costs to stand: less than a collision, more than to pass something closely."""
LOYALTY = 1.5
"""What the last plan is favoured by, so that the driver does not waver between two."""
LOOK_M = (45.0, 9.0)
"""Things farther ahead, or farther aside, are not looked at."""
CARE_M, CARE_ASIDE_M, CARE_PACE = (8.0, 26.0), 5.0, 0.75
"""Before things so near, and no farther aside, the driver slows to a share of the speed: what has
to be seen in small pictures, and done in time, is then within the reach of who copies it."""


KNOWN_THINGS = 4
OWN: Mapping[str, float] = {"speed": 10, "aside": 3, "heading": 0.5, "right": 6, "left": 6}
OF_A_THING: Mapping[str, float] = {
    "ahead": 30,
    "aside": 4,
    "length": 4,
    "width": 4,
    "speed ahead": 4,
    "speed aside": 2,
}
"""What the driver knows of itself and of each thing, and what stands for 1 (m, m/s, rad)."""


class DrivingExpert:
    """Imagines a few ways to go on, each for three seconds, and takes the best that hits nothing.

    Things are taken to go on moving as they did since the last step.
    """

    knows = len(OWN) + KNOWN_THINGS * len(OF_A_THING)

    def __init__(self, env: WorldEnv) -> None:
        self._env = env
        self._discrete = env.action_space.shape == ()
        self.begin()

    def begin(self) -> None:
        """Forget where things were, and what was planned."""
        self._seen: Mapping[str, Box3D] = {}
        self._seen_s, self._plan = 0.0, 0
        self._known = np.zeros(self.knows, np.float32)

    def act(self) -> Any:
        """Steering and pedal, or the discrete action most like them."""
        world, cruise = self._env.world, self._env.scene.setup.speed_mps
        state, boxes = world.state(), world.obstacles()
        near = {name: box for name, box in boxes.items() if _is_near(box, state.ego)}
        velocities = self._velocities(near, state.time_s)
        self._seen, self._seen_s = boxes, state.time_s
        self._known = known(state, list(near.values()), velocities)
        aims = np.array(list(itertools.product(LANE_CHANGES_M, PACES)))
        targets, paces = aims[:, 0], aims[:, 1] * max(cruise, 3.0) * care(near.values(), state.ego)
        costs, first = imagine(state, targets, paces, list(near.values()), velocities)
        costs[self._plan] -= LOYALTY * (paces[self._plan] > 0)
        self._plan = int(costs.argmin())
        steering, pedal = first[:, self._plan].tolist()
        if not self._discrete:
            return np.array([steering, pedal], np.float32)
        gaps = [4 * abs(steering - s) + abs(pedal - p) for s, p in MANOEUVRES]
        return int(np.argmin(gaps))

    def known(self) -> NDArray[np.float32]:
        """The ego on its road, and the nearest things ahead: see `known`."""
        return self._known

    def _velocities(self, boxes: Mapping[str, Box3D], time_s: float) -> Floats:
        """Metres per second (N, 2) since the last look; 0 for what was not there then."""
        passed = time_s - self._seen_s
        moved = [
            np.subtract(box.centre_m[:2], self._seen[name].centre_m[:2]) / passed
            if name in self._seen and passed > 1e-6
            else np.zeros(2)
            for name, box in boxes.items()
        ]
        return np.array(moved).reshape(-1, 2)


def known(state: State, boxes: Sequence[Box3D], velocities: Floats) -> NDArray[np.float32]:
    """`OWN`, then `OF_A_THING` of the nearest things that may get in the way, in their units.

    Things that are not there are far away.
    """
    x, y, _ = state.ego.position_m
    right, left = state.road_m
    own = [state.speed_mps, y, state.ego.heading_rad, y - right, left - y]
    things = [
        [*(np.subtract(box.centre_m[:2], (x, y))), *box.size_m[:2], *velocity]
        for box, velocity in zip(boxes, velocities, strict=True)
        if abs(box.centre_m[1]) < CARE_ASIDE_M and box.centre_m[0] > x - 3
    ]
    nearest = sorted(things)[:KNOWN_THINGS]
    absent = [[LOOK_M[0], 0.0, 0.0, 0.0, 0.0, 0.0]] * (KNOWN_THINGS - len(nearest))
    rows = np.array([*nearest, *absent]) / list(OF_A_THING.values())
    return np.concatenate([np.array(own) / list(OWN.values()), rows.ravel()]).astype(np.float32)


def care(boxes: Iterable[Box3D], ego: Pose) -> float:
    """The share of the cruising speed with which to go on towards the nearest of the boxes."""
    near_m, far_m = CARE_M
    ways = [
        box.centre_m[0] - ego.position_m[0] for box in boxes if abs(box.centre_m[1]) < CARE_ASIDE_M
    ]
    nearest = min((way for way in ways if way > -1), default=far_m)
    return float(np.interp(nearest, (near_m, far_m), (CARE_PACE, 1.0)))


def imagine(
    state: State, targets: Floats, paces: Floats, boxes: Sequence[Box3D], velocities: Floats
) -> tuple[Floats, Floats]:
    """What each plan (K,) costs, and its first steering and pedal (2, K).

    A plan steers to a place beside the lane's middle and drives at a pace. `velocities` (N, 2) are
    those of the boxes. Collisions cost most, the sooner the more; then leaving the road, closeness,
    being aside, being slow.
    """
    x = np.full(len(targets), state.ego.position_m[0])
    y = np.full(len(targets), state.ego.position_m[1])
    heading = np.full(len(targets), state.ego.heading_rad)
    speed = np.full(len(targets), state.speed_mps)
    right, left = state.road_m
    cost = 0.6 * np.abs(targets) + 1.2 * np.abs(paces.max() - paces) + STANDING * (paces == 0)
    first = np.zeros((2, len(targets)))
    for step in range(round(LOOK_AHEAD_S / LOOK_EVERY_S)):
        steering, pedal = controls(targets - y, heading, speed, paces)
        if step == 0:
            first = np.stack([steering, pedal])
        speed = np.maximum(
            speed + pedal * np.where(pedal > 0, ACCELERATION_MPS2, BRAKING_MPS2) * LOOK_EVERY_S, 0
        )
        turn = speed / WHEELBASE_M * np.tan(steering * MAX_STEER_RAD)
        heading = heading + turn * LOOK_EVERY_S
        x = x + speed * np.cos(heading) * LOOK_EVERY_S
        y = y + speed * np.sin(heading) * LOOK_EVERY_S
        soon = 1.5 - (step + 1) * LOOK_EVERY_S / LOOK_AHEAD_S
        gap = clearance(x, y, heading, boxes, velocities * ((step + 1) * LOOK_EVERY_S))
        cost += soon * (400 * (gap < 0) + 4 * np.clip(CLEARANCE_M - gap, 0, CLEARANCE_M))
        cost += soon * 100 * ((y - 0.8 < right) | (y + 0.8 > left))
    return cost, first


def controls(
    aside_m: Floats, heading: Floats, speed: Floats, pace: Floats
) -> tuple[Floats, Floats]:
    """Steering and pedal, each -1..1, that bring the car to a line so far to its left."""
    steepest = np.interp(speed, (2.0, 8.0), (0.9, 0.5))
    wished = np.clip(0.44 * steepest * aside_m, -steepest, steepest)
    curve = (wished - heading) * 2.2 / np.maximum(speed, 2.0)
    steering = np.arctan(curve * WHEELBASE_M) / MAX_STEER_RAD
    return np.clip(steering, -1, 1), np.clip((pace - speed) * 0.7, -1, 1)


def clearance(
    x: Floats, y: Floats, heading: Floats, boxes: Sequence[Box3D], moved_m: Floats
) -> Floats:
    """Metres from the ego (K,) to the nearest of the boxes (N), each moved so far (N, 2)."""
    if not boxes:
        return np.full(len(x), np.inf)
    along = EGO_CIRCLES_M[:, None]
    ego = np.stack([x + along * np.cos(heading), y + along * np.sin(heading)])
    centres = np.array([box.centre_m[:2] for box in boxes]) + moved_m
    turns = np.array([box.heading_rad for box in boxes])[:, None, None]
    sizes = np.array([box.size_m[:2] for box in boxes])
    dx, dy = (ego[k][None] - centres[:, k, None, None] for k in (0, 1))
    ahead = np.abs(np.cos(turns) * dx + np.sin(turns) * dy) - sizes[:, 0, None, None] / 2
    aside = np.abs(np.cos(turns) * dy - np.sin(turns) * dx) - sizes[:, 1, None, None] / 2
    gaps = np.hypot(np.maximum(ahead, 0), np.maximum(aside, 0)) - EGO_RADIUS_M
    return np.asarray(gaps.min(axis=(0, 1)))


def _is_near(box: Box3D, ego: Pose) -> bool:
    ahead = box.centre_m[0] - ego.position_m[0]
    aside = abs(box.centre_m[1] - ego.position_m[1])
    low = box.centre_m[2] - box.size_m[2] / 2
    return -8 < ahead < LOOK_M[0] and aside < LOOK_M[1] and low < 1.5


TRAVEL_Z_M, ABOVE_M = 0.4, 0.02
"""How high the gripper travels, and how far above a thing's foot it grasps."""
REACH_M = 0.5
"""A long way for the gripper."""
STEP_M = 0.025
"""How far the gripper comes in a step of 0.1 s at full speed."""
NEAR_M, NEAR_IN_STEPS_M = 0.012, 0.02
"""How near to a point is there, and with discrete actions, which move by whole steps."""


class ReachingExpert:
    """Goes up, over, and down on the thing; to place it, closes, and does so again to its place."""

    knows = 3

    def __init__(self, env: WorldEnv) -> None:
        self._env = env
        rules = env.rules
        assert isinstance(rules, Reaching)
        self._discrete = env.action_space.shape == ()
        self._near_m = NEAR_IN_STEPS_M if self._discrete else NEAR_M
        self._commands = np.array(commands(places=rules.goal == "place"))

    def begin(self) -> None:
        """Nothing to forget but the way: what is held says how far the task has come."""
        self._way = np.zeros(3, np.float32)

    def act(self) -> Any:
        """Velocity and fingers, or the discrete action most like them."""
        rules = self._env.rules
        assert isinstance(rules, Reaching)
        world = self._env.world
        state, thing = world.state(), world.obstacles()[rules.wanted]
        holds = state.held == rules.wanted
        x, y = rules.place if holds else thing.centre_m[:2]
        foot = 0.0 if holds else thing.centre_m[2] - thing.size_m[2] / 2
        low = min(foot + max(thing.size_m[2] / 2, ABOVE_M), foot + 0.08)
        self._way = (np.subtract((x, y, low), state.ego.position_m) / REACH_M).astype(np.float32)
        gap, over = self._gap(state, (x, y, low))
        there = over and abs(gap[2]) < self._near_m
        fingers = 1.0 if holds != there else -1.0
        velocity = np.clip(gap / STEP_M, -1, 1)
        wish = np.array([*velocity, fingers])
        if not self._discrete:
            return wish[: len(self._commands[0])].astype(np.float32)
        largest = np.zeros(3)
        axis = int(np.abs(velocity).argmax())
        largest[axis] = np.sign(velocity[axis]) if np.abs(gap[axis]) > STEP_M / 2 else 0.0
        wish = np.array([*largest, fingers])[: self._commands.shape[1]]
        return int(np.abs(self._commands - wish).sum(axis=1).argmin())

    def known(self) -> NDArray[np.float32]:
        """The way from the gripper to where it goes, in `REACH_M`."""
        return self._way

    def _gap(self, state: State, goal: tuple[float, float, float]) -> tuple[Floats, bool]:
        """The way to the next point (3,), and whether the gripper is over the goal."""
        here = np.array(state.ego.position_m)
        aside = float(np.hypot(*(np.array(goal[:2]) - here[:2])))
        if aside < self._near_m:
            return np.array(goal) - here, True
        if here[2] < TRAVEL_Z_M - 0.05:
            return np.array([0.0, 0.0, TRAVEL_Z_M - here[2]]), False
        return np.array([goal[0], goal[1], TRAVEL_Z_M]) - here, False
