"""Episodes that a policy or the scripted expert plays, kept in LeRobot's format for other trainers.

    for episode in record(RecordRequest(("child_behind_van",), out=Path("demonstrations"))):
        print(episode.scene, episode.success)

A row of the dataset is a step: what was seen before it, the action, and what came of it. So the
last observation of an episode, after which nobody acts, is not in it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hartsim import __version__
from hartsim.dataset.durable import json_line, plain
from hartsim.dataset.lerobot import EpisodeWriter, Feature, refuse_strangers
from hartsim.errors import ConfigError
from hartsim.policies import (
    PLAIN,
    Pictures,
    Player,
    PolicyRequest,
    dressed,
    environment_of,
    made_for,
    player_of,
)
from hartsim.scenario.compiled import CompiledScene
from hartsim.scenario.kinds import KINDS
from hartsim.types import Task

EXPERT = Path("expert")
KEEPABLE = ("labels", "depth")
"""What may be kept beside pictures and state."""
STATE_NAMES: Mapping[Task, tuple[str, ...]] = {
    "driving": ("speed_mps", "left_m", "heading_rad", "to_goal_m"),
    "robot": (
        *(f"{what}_{axis}_m" for what in ("gripper", "thing", "place") for axis in "xyz"),
        *("held", "to_go_m"),
    ),
}
ACTION_NAMES: Mapping[Task, tuple[str, ...]] = {
    "driving": ("steering", "pedal"),
    "robot": ("x", "y", "z", "fingers"),
}
ROBOTS: Mapping[Task, str] = {"driving": "hartsim_street", "robot": "hartsim_tabletop"}


@dataclass(frozen=True)
class RecordRequest:
    """What is to be recorded: so many episodes of scenarios, whose scenes follow from the seed.

    `policy` is the file of a policy, or `EXPERT`, the scripted one. Several looks take turns.
    `keep` names what is kept beside pictures, state, action and reward, of `KEEPABLE`. `size_px`
    (64 by default), `goal` and `actions` are for the expert alone: those of a policy stand in its
    `env.json`.
    """

    scenarios: tuple[str, ...]
    out: Path
    policy: Path = EXPERT
    episodes: int = 10
    looks: tuple[str, ...] = (PLAIN,)
    seed: int = 0
    size_px: int | None = None
    keep: tuple[str, ...] = ()
    goal: str | None = None
    actions: str | None = None
    servers: tuple[str, ...] = ()
    """Of CARLA, HOST:PORT: drive there."""


@dataclass(frozen=True)
class Recorded:
    """An episode that was taken up: its scene, what it wore, how many steps, how it ended."""

    scene: str
    looks: Mapping[str, Any]
    steps: int
    success: bool
    collision: str
    reward: float


def record(request: RecordRequest) -> Iterator[Recorded]:
    """Play the episodes, one by one; after the last one the dataset is in its place.

    Nothing is left where this ends earlier. ConfigError, CheckpointError and DatasetError say what
    does not fit before anything is played.
    """
    for name in request.keep:
        if name not in KEEPABLE:
            raise ConfigError(f"nothing is kept by the name '{name}', only {', '.join(KEEPABLE)}")
    if request.episodes < 1:
        raise ConfigError(f"episodes is {request.episodes}, must be at least 1")
    refuse_strangers(request.out)
    arguments = _environment(request)
    env = dressed({**arguments, "observation": "dict"}, request.looks)
    try:
        yield from _record(request, arguments, env)
    finally:
        env.close()


def _record(request: RecordRequest, arguments: Mapping[str, Any], env: Any) -> Iterator[Recorded]:
    player = player_of(request.policy, Pictures(env))
    rules, rate = env.unwrapped.rules, env.metadata["render_fps"]
    if abs(rate - round(rate)) > 1e-6:
        raise ConfigError(f"step_s is {1 / rate}, but a second needs a whole number of steps")
    camera = env.unwrapped.camera
    features = features_of(env, camera, request.keep)
    with EpisodeWriter(
        request.out, round(rate), features, ROBOTS[rules.task], _about(request, arguments)
    ) as writer:
        for number in range(request.episodes):
            steps, first, last = played(env, player, request.seed + number)
            done = Recorded(
                scene=first["scene"],
                looks=first.get("looks", {}),
                steps=len(steps["action"]),
                success=bool(last["success"]),
                collision=last["collision"],
                reward=float(steps["next.reward"].sum()),
            )
            told = {
                "scene": done.scene,
                "scenario": first["scenario"],
                "seed": request.seed + number,
                "hazards": first["hazards"],
                "looks": json_line(plain(done.looks)),
                "success": done.success,
                "collision": done.collision,
            }
            kept = {name: steps[_source(name, camera)] for name in features}
            goal = getattr(rules, "goal", "drive")
            writer.add(kept, instruction(env.unwrapped.scene, goal), told)
            yield done
        writer.finish()


def played(
    env: Any, player: Player, seed: int
) -> tuple[dict[str, NDArray[Any]], dict[str, Any], dict[str, Any]]:
    """One episode of an environment with Dict observations: its steps, its first and last info.

    Steps are arrays (steps, ...): what was observed by its names, `action` and `next.…`.
    """
    seen, first = env.reset(seed=seed)
    player.begin(seen["image"])
    rows: list[dict[str, Any]] = []
    while True:
        action = player.act(seen["image"])
        row = {**seen, "action": action}
        seen, reward, terminated, truncated, info = env.step(action)
        ended = terminated or truncated
        row |= {"next.reward": np.float32(reward), "next.success": bool(info["success"])}
        rows.append({**row, "next.done": ended, "next.truncated": truncated})
        if ended:
            return {name: np.array([row[name] for row in rows]) for name in rows[0]}, first, info


def features_of(env: Any, camera: str, keep: tuple[str, ...]) -> dict[str, Feature]:
    """What is kept of the steps of an environment with Dict observations."""
    space, actions, task = env.observation_space, env.action_space, env.unwrapped.rules.task
    picture = space["image"].shape
    names = STATE_NAMES[task]
    features = {
        f"observation.images.{camera}": Feature("video", picture, ("height", "width", "channels")),
        "observation.state": Feature("float32", (len(names),), names),
        "action": Feature("int64", (1,), ("action",)),
        "next.reward": Feature("float32", (1,)),
        "next.done": Feature("bool", (1,)),
        "next.truncated": Feature("bool", (1,)),
        "next.success": Feature("bool", (1,)),
    }
    if actions.shape:
        names = ACTION_NAMES[task][: actions.shape[0]]
        features["action"] = Feature("float32", actions.shape, names)
    for name in keep:
        features[name] = Feature(str(space[name].dtype), space[name].shape, ("height", "width"))
    return features


def instruction(scene: CompiledScene, goal: str) -> str:
    """What is to be done in a scene, in words: `goal` is "drive", "reach" or "place"."""
    if goal == "drive":
        return "Drive to the goal and hit nothing."
    kind = next(each.kind for each in scene.setup.objects if each.name == scene.setup.reach)
    thing = re.sub("^(a|an) ", "", KINDS[kind].nouns[0])
    done = "Reach the {}" if goal == "reach" else "Bring the {} to its place"
    return f"{done.format(thing)} and touch no hazard."


def _environment(request: RecordRequest) -> dict[str, Any]:
    """The name and the arguments of the environment of a request."""
    told = {name: getattr(request, name) for name in ("size_px", "goal", "actions")}
    given = {name: value for name, value in told.items() if value is not None}
    if request.policy == EXPERT:
        asked = PolicyRequest(request.scenarios, request.out, servers=request.servers, **given)
        return made_for(asked)
    for name, value in given.items():
        raise ConfigError(
            f"{name} is {value}, but that of {request.policy} stands in its env.json; leave it out"
        )
    made = environment_of(request.policy, request.servers)
    return {**made, "scenario": list(request.scenarios)}


def _about(request: RecordRequest, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "hartsim": __version__,
        "environment": dict(arguments),
        "policy": str(request.policy),
        "looks": list(request.looks),
        "seed": request.seed,
        "episodes": request.episodes,
    }


def _source(feature: str, camera: str) -> str:
    """The name of the steps' array that becomes a feature."""
    renamed = {f"observation.images.{camera}": "image", "observation.state": "state"}
    return renamed.get(feature, feature)
