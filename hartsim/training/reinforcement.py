"""Policies by reinforcement: PPO of Stable-Baselines3 on the pictures of an environment.

Knows no simulator: environments come from a function. `pip install "hartsim[rl]"` brings what it
needs.
"""

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from hartsim.config import ReinforcementTraining
from hartsim.errors import CheckpointError, ConfigError, HartSimError, WorldError
from hartsim.training.board import require_tensorboard

logger = logging.getLogger(__name__)

SETTINGS: Mapping[str, str] = {
    "rate": "learning_rate",
    "rollout": "n_steps",
    "batch": "batch_size",
    "epochs": "n_epochs",
    "discount": "gamma",
    "entropy": "ent_coef",
    "seed": "seed",
}
"""What Stable-Baselines3 calls the settings that a policy keeps from its beginning on."""


def reinforce(
    make_env: Callable[[], Any],
    file: Path,
    how: ReinforcementTraining | None = None,
    tensorboard: bool = False,
) -> Path:
    """Train by PPO until `how.steps` steps were taken in all; `file` is saved now and then.

    A run whose file is there goes on from it; ConfigError for other settings than those it began
    with (how many environments, processes and steps there are may change). Beside it,
    `from-N/progress.csv` says how it went from step N on, and with `tensorboard` a file for that,
    too. HartSimError without Stable-Baselines3, ConfigError without TensorBoard, WorldError where
    the process of an environment dies.
    """
    if tensorboard:
        require_tensorboard()
    how = how or ReinforcementTraining()
    sb3 = _stable_baselines()
    if file.exists():
        _require_same(_load(sb3, file, None), file, how)
    file.parent.mkdir(parents=True, exist_ok=True)
    makers = [_stacked(make_env, how.frames) for _ in range(how.envs)]
    kind = sb3.common.vec_env.SubprocVecEnv if how.processes else sb3.common.vec_env.DummyVecEnv
    workers = kind(makers)
    envs, log = sb3.common.vec_env.VecMonitor(workers), None
    try:
        model = _load(sb3, file, envs) if file.exists() else _new(sb3, envs, how)
        log = sb3.common.logger.configure(
            str(file.parent / f"from-{model.num_timesteps}"),
            ["csv", "log", *(["tensorboard"] if tensorboard else [])],
        )
        model.set_logger(log)
        envs.seed(how.seed + model.num_timesteps)  # other episodes than before
        while model.num_timesteps < how.steps:
            some = min(how.save_every, how.steps - model.num_timesteps)
            model.learn(some, reset_num_timesteps=False)
            _save(model, file)
            logger.info("reinforcement steps=%d", model.num_timesteps)
    except (EOFError, ConnectionError) as error:
        raise WorldError(f"{_end(workers)} while learning; {file} has what was saved") from error
    finally:
        if log is not None:
            log.close()
        if not _are_dead(workers):
            envs.close()
    return file


def _require_same(model: Any, file: Path, how: ReinforcementTraining) -> None:
    """ConfigError where a policy was begun with other settings, which would stay as they were."""
    begun = {ours: getattr(model, theirs) for ours, theirs in SETTINGS.items()}
    begun["frames"] = _frames_of(model)
    asked = {name: getattr(how, name) for name in begun}
    differing = [
        f"ppo.{name}={begun[name]}, not {asked[name]}"
        for name in begun
        if begun[name] != asked[name]
    ]
    if differing:
        raise ConfigError(
            f"{file}: was begun with {' and '.join(differing)}; give what it was begun with, or "
            "choose another folder"
        )


def _frames_of(model: Any) -> int:
    """How many pictures a policy sees at once: Stable-Baselines3 puts their channels first."""
    return int(min(model.observation_space.shape)) // 3


def _are_dead(workers: Any) -> bool:
    """Whether a process of a SubprocVecEnv has ended: asking it to close would wait for ever."""
    return any(process.exitcode is not None for process in getattr(workers, "processes", ()))


def _end(workers: Any) -> str:
    """Which worker died; all others are ended, because they would wait for it for ever."""
    died = []
    for number, process in enumerate(workers.processes):
        process.join(0.5)
        if process.exitcode is not None:
            died.append(f"environment {number} died (exit code {process.exitcode})")
    for process in workers.processes:
        process.kill()
        process.join()
    return ", ".join(died) or "an environment hung up"


class Reinforced:
    """A policy of Stable-Baselines3 that plays."""

    def __init__(self, file: Path) -> None:
        self._model = _load(_stable_baselines(), file, None)
        self._frames = _frames_of(self._model)
        self._kept: list[NDArray[np.uint8]] = []

    def begin(self, seen: NDArray[np.uint8]) -> None:
        """Take up an episode, whose first picture this is."""
        self._kept = []

    def act(self, seen: NDArray[np.uint8]) -> Any:
        """The action for what is seen now, without chance."""
        self._kept = [*(self._kept or [seen] * self._frames)[1:], seen][-self._frames :]
        action, _ = self._model.predict(np.concatenate(self._kept, axis=-1), deterministic=True)
        return action if action.shape else int(action)


class StackedPictures(gym.Wrapper[Any, Any, Any, Any], gym.utils.RecordConstructorArgs):
    """The last pictures beside each other in the channels (H, W, 3 * frames), the newest last."""

    def __init__(self, env: gym.Env[Any, Any], frames: int) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, frames=frames)
        gym.Wrapper.__init__(self, env)
        space = env.observation_space
        if not isinstance(space, gym.spaces.Box) or space.shape[2:] != (3,):
            raise HartSimError(f"the environment shows {space}; PPO here needs pictures (H, W, 3)")
        height, width, _ = space.shape
        self.observation_space = gym.spaces.Box(0, 255, (height, width, 3 * frames), np.uint8)
        self._frames = frames
        self._kept: list[NDArray[np.uint8]] = []

    def reset(self, **arguments: Any) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """Begin an episode; its first picture stands for those before it."""
        seen, info = self.env.reset(**arguments)
        self._kept = [seen] * self._frames
        return np.concatenate(self._kept, axis=-1), info

    def step(self, action: Any) -> tuple[NDArray[np.uint8], Any, bool, bool, dict[str, Any]]:
        """Act."""
        seen, reward, terminated, truncated, info = self.env.step(action)
        self._kept = [*self._kept[1:], seen]
        return np.concatenate(self._kept, axis=-1), reward, terminated, truncated, info


def _stacked(make_env: Callable[[], Any], frames: int) -> Callable[[], Any]:
    return lambda: StackedPictures(make_env(), frames)


def _new(sb3: Any, envs: Any, how: ReinforcementTraining) -> Any:
    return sb3.PPO(
        "CnnPolicy",
        envs,
        **{theirs: getattr(how, ours) for ours, theirs in SETTINGS.items()},
        device="auto",
    )


def _load(sb3: Any, file: Path, envs: Any) -> Any:
    try:
        return sb3.PPO.load(file, env=envs)
    except (OSError, KeyError, ValueError, AssertionError) as error:
        raise CheckpointError(f"{file}: not readable as a policy of PPO: {error}") from error


def _save(model: Any, file: Path) -> None:
    aside = file.with_name(f"{file.stem}-{os.getpid()}.zip")
    model.save(aside)
    os.replace(aside, file)


def _stable_baselines() -> Any:
    try:
        import stable_baselines3 as sb3
        import stable_baselines3.common.logger
        import stable_baselines3.common.vec_env
    except ImportError as error:
        raise HartSimError('this needs Stable-Baselines3: pip install "hartsim[rl]"') from error
    return sb3
