"""Processes in which episodes are driven while the policy learns from those before.

What is driven follows from the seeds and the policy alone, whatever the number of processes.
"""

import multiprocessing
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from hartsim.errors import WorldError

PATIENCE_S = 5.0
"""How long a process may take to end before it is ended."""


class Environment(Protocol):
    """What is asked of an environment: Gymnasium's, with a picture for an observation."""

    observation_space: Any
    action_space: Any

    def reset(self, *, seed: int | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        ...

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Act."""
        ...

    def close(self) -> None:
        """Free what is held."""
        ...


class Expert(Protocol):
    """Says what should be done in its environment now, and `knows` so many numbers of why."""

    knows: int

    def begin(self) -> None:
        """Take up a new episode."""
        ...

    def act(self) -> Any:
        """The action."""
        ...

    def known(self) -> NDArray[np.float32]:
        """What the last action came from, numbers of about -1..1 (knows,)."""
        ...


class Learner(Protocol):
    """A policy that acts on the last pictures (frames, H, W, 3), or what it looks at of them."""

    def look(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The part of a picture that it looks at."""
        ...

    def act(self, pictures: NDArray[np.uint8]) -> Any:
        """The action."""
        ...


@dataclass(frozen=True)
class Episode:
    """What was seen, (steps, H, W, 3), what the expert would have done and why, and the end."""

    pictures: NDArray[np.uint8]
    actions: NDArray[Any]
    known: NDArray[np.float32]
    success: bool


@dataclass(frozen=True)
class Errand:
    """Episodes to drive, in which `policy` does each step with chance `mine`."""

    policy: Learner
    frames: int
    seeds: Sequence[int]
    mine: float


class Eyes:
    """The last pictures of an episode; before there were so many the first one stands for them."""

    def __init__(self, frames: int) -> None:
        self._frames = frames
        self._kept: list[NDArray[np.uint8]] = []

    def begin(self, picture: NDArray[np.uint8]) -> None:
        """Forget the last episode."""
        self._kept = [picture] * self._frames

    def see(self, picture: NDArray[np.uint8]) -> None:
        """Take up the next picture."""
        self._kept = [*self._kept[1:], picture]

    @property
    def pictures(self) -> NDArray[np.uint8]:
        """The last pictures (frames, H, W, 3), the newest last."""
        return np.stack(self._kept)


def drive(env: Environment, expert: Expert, errand: Errand, seed: int) -> Episode:
    """One episode of an errand.

    Steps are done by one of the two for a while, so that the policy gets into its own trouble.
    """
    random = np.random.default_rng([seed, 0])
    eyes, look = Eyes(errand.frames), errand.policy.look
    steps: list[tuple[NDArray[np.uint8], Any, NDArray[np.float32]]] = []
    picture, _ = env.reset(seed=seed)
    eyes.begin(seen := look(picture))
    expert.begin()
    alone = random.random() < errand.mine
    while True:
        right = expert.act()
        steps.append((seen, right, expert.known()))
        if random.random() < 0.05:
            alone = random.random() < errand.mine
        action = errand.policy.act(eyes.pictures) if alone else right
        picture, _, terminated, truncated, info = env.step(action)
        eyes.see(seen := look(picture))
        if terminated or truncated:
            pictures, actions, known = map(np.array, zip(*steps, strict=True))
            return Episode(pictures, actions, known, bool(info.get("success", False)))


class Drivers:
    """Drives errands one after the other: here, or in processes of their own.

    `make_env` and `expert_of` are called where the driving is done; for processes both must be
    functions that can be pickled. WorldError tells of one that died.
    """

    def __init__(
        self,
        make_env: Callable[[], Environment],
        expert_of: Callable[[Any], Expert],
        processes: int = 0,
    ) -> None:
        self._errand: Errand | None = None
        self._env: Environment | None = None
        self._workers: list[tuple[Any, Connection]] = []
        if processes == 0:
            self._env = make_env()
            self._expert = expert_of(self._env)
            return
        context = multiprocessing.get_context("spawn")
        for _ in range(processes):
            ours, theirs = context.Pipe()
            worker = context.Process(target=_work, args=(theirs, make_env, expert_of), daemon=True)
            worker.start()
            theirs.close()  # so that a dead worker is an end of file, not a wait for ever
            self._workers.append((worker, ours))

    def start(self, errand: Errand) -> None:
        """Begin an errand; it goes on while others do something else, if there are processes."""
        self._errand = errand
        for number, (_, pipe) in enumerate(self._workers):
            with suppress(BrokenPipeError):  # `finish` will tell
                pipe.send(replace(errand, seeds=errand.seeds[number :: self._count]))

    def finish(self) -> list[Episode]:
        """The episodes of the errand, in the order of its seeds."""
        errand, self._errand = self._errand, None
        assert errand is not None
        if self._env is not None:
            return [drive(self._env, self._expert, errand, seed) for seed in errand.seeds]
        episodes: list[Any] = [None] * len(errand.seeds)
        for number in range(self._count):
            episodes[number :: self._count] = self._received(number)
        return episodes

    def close(self) -> None:
        """End the processes, or close the environment."""
        if self._env is not None:
            self._env.close()
        for worker, pipe in self._workers:
            with suppress(BrokenPipeError):
                pipe.send(None)
            pipe.close()
            worker.join(PATIENCE_S)
            if worker.is_alive():
                worker.kill()
                worker.join()
        self._workers = []

    @property
    def _count(self) -> int:
        return len(self._workers)

    def _received(self, number: int) -> list[Episode]:
        worker, pipe = self._workers[number]
        try:
            found = pipe.recv()
        except (EOFError, ConnectionError) as error:
            worker.join(PATIENCE_S)
            raise WorldError(
                f"driver {number} of {self._count} died with exit code {worker.exitcode}"
            ) from error
        if isinstance(found, Exception):
            raise found
        episodes: list[Episode] = found
        return episodes


def _work(
    pipe: Connection, make_env: Callable[[], Environment], expert_of: Callable[[Any], Expert]
) -> None:
    """Drive errands until there are none."""
    torch.set_num_threads(1)
    env = None
    try:
        env = make_env()
        expert = expert_of(env)
        while (errand := pipe.recv()) is not None:
            pipe.send([drive(env, expert, errand, seed) for seed in errand.seeds])
    except (EOFError, KeyboardInterrupt):
        return  # whom we drove for is gone
    except Exception as error:  # whatever it is, it is to be told where the learning is done
        with suppress(BrokenPipeError):
            pipe.send(error)
    finally:
        if env is not None:
            env.close()
