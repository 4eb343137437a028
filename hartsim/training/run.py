"""A training run on disk: its budget of minutes or steps, its log, its checkpoints.

Progress is the share of the budget that has been spent, over all resumptions. With a budget of
minutes a schedule ends well on a machine of any speed; with one of steps a run that was interrupted
ends in the same bytes as one that was not, since all randomness follows from seed and step.
"""

import csv
import itertools
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch

from hartsim.errors import DatasetError
from hartsim.training.parallel import Ranks

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class Budget:
    """How long a run may take, with all resumptions: so many minutes, or so many steps."""

    minutes: float | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        if (self.minutes is None) == (self.steps is None):
            raise ValueError(f"{self}: give minutes or steps, and not both")

    def share(self, part: float) -> "Budget":
        """A part of it, of at least a step."""
        if self.steps is not None:
            return Budget(steps=max(round(self.steps * part), 1))
        assert self.minutes is not None
        return Budget(self.minutes * part)

    def spent(self, steps: int, seconds: float) -> float:
        """The share that is spent, 0..1."""
        if self.steps is not None:
            return min(steps / self.steps, 1.0)
        assert self.minutes is not None
        return min(seconds / (60 * self.minutes), 1.0)


class Run:
    """The clock, log and checkpoint of one phase of training in `folder`; begin with `start`."""

    def __init__(
        self,
        folder: Path,
        name: str,
        budget: Budget,
        ranks: Ranks | None = None,
        seed: int = 0,
        log_every: int = 25,
    ) -> None:
        self.folder, self.name, self.budget, self.log_every = folder, name, budget, log_every
        self.ranks, self.seed = ranks or Ranks(), seed
        self.step = 0
        self._spent = 0.0
        self._since = self._saved = time.monotonic()
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def seconds(self) -> float:
        """Time spent on this phase, earlier sessions included."""
        return self._spent + time.monotonic() - self._since

    @property
    def progress(self) -> float:
        """Share of the budget spent, 0..1; the same for all processes of a run."""
        return self.ranks.agreed(self.budget.spent(self.step, self.seconds))

    def generator(self, purpose: int = 0) -> torch.Generator:
        """The randomness of this step, for one purpose."""
        return self.ranks.seed(self.seed, self.step, purpose)

    def log(self, **values: float | torch.Tensor) -> None:
        """Append a row to `<name>.csv` every few steps, and say it."""
        if self.step % self.log_every or not self.ranks.leads:
            return
        self.note("", **values)

    def note(self, kind: str, **values: float | torch.Tensor) -> None:
        """Append a row to `<name>-<kind>.csv`, and say it."""
        name = f"{self.name}-{kind}" if kind else self.name
        path = self.folder / f"{name}.csv"
        row = {"step": self.step, "minutes": round(self.seconds / 60, 2)} | {
            key: round(torch.as_tensor(value).item(), 5) for key, value in values.items()
        }
        fresh = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(row))
            if fresh:
                writer.writeheader()
            writer.writerow(row)
        logger.info("%s %s", name, " ".join(f"{k}={v}" for k, v in row.items()))

    def due(self, every_seconds: float = 180.0) -> bool:
        """Whether it is time for another checkpoint; not the same for all processes."""
        return time.monotonic() - self._saved > every_seconds

    def save(self, **state: Any) -> None:
        """Replace the checkpoint of this phase, in one move."""
        self._saved = time.monotonic()
        if not self.ranks.leads:
            return
        path = self.folder / f"{self.name}.pt"
        aside = path.with_suffix(".tmp")
        torch.save({"step": self.step, "seconds": self.seconds, **state}, aside)
        os.replace(aside, path)

    def start(self) -> dict[str, Any] | None:
        """Start the clock, where the last checkpoint of this phase left it; returns its state."""
        path = self.folder / f"{self.name}.pt"
        state: dict[str, Any] | None = None
        if path.exists():
            state = read_checkpoint(path)
            self.step, self._spent = state.pop("step"), state.pop("seconds")
        self._since = self._saved = time.monotonic()
        return state


def learning_rate(
    peak: float, step: int, progress: float, warm_up_steps: int = 100, decay_from: float = 0.6
) -> float:
    """Linear warm-up, a plateau, and a linear decay over the rest of the budget."""
    rising = min((step + 1) / warm_up_steps, 1.0)
    falling = min((1.0 - progress) / (1.0 - decay_from), 1.0)
    return peak * rising * max(falling, 0.02)


def ahead(load: Callable[[int], T], first: int, threads: int = 2) -> Generator[T, None, None]:
    """`load(first)`, `load(first + 1)` and so on, without end, each begun before it is needed."""
    with ThreadPoolExecutor(threads) as pool:
        waiting = deque(pool.submit(load, first + i) for i in range(threads))
        try:
            for number in itertools.count(first + threads):
                yield waiting.popleft().result()
                waiting.append(pool.submit(load, number))
        finally:
            for each in waiting:
                each.cancel()


def read_checkpoint(path: Path) -> dict[str, Any]:
    """What `Run.save` wrote; DatasetError for a file that is broken or something else."""
    try:
        state = torch.load(path, weights_only=True)
    except Exception as error:  # on junk the unpickler raises whatever it stumbles over
        raise DatasetError(f"{path}: no readable checkpoint; delete it to begin anew") from error
    if not isinstance(state, dict) or not {"step", "seconds", "model"} <= state.keys():
        raise DatasetError(f"{path}: not a checkpoint of this training; delete it to begin anew")
    return state


class Average:
    """An exponential moving average of a module's parameters, for sampling."""

    def __init__(self, module: torch.nn.Module, decay: float = 0.999) -> None:
        self.decay = decay
        self.values = {k: v.detach().clone() for k, v in module.state_dict().items()}
        self.updates = 0

    @torch.no_grad()
    def update(self, module: torch.nn.Module) -> None:
        """Move towards the module's parameters; early on faster, so that no start lingers."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        state = module.state_dict()
        floating = [key for key, value in state.items() if value.is_floating_point()]
        torch._foreach_lerp_(
            [self.values[key] for key in floating], [state[key] for key in floating], 1 - decay
        )
        for key in state.keys() - set(floating):
            self.values[key].copy_(state[key])

    def kept(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        return {"average": self.values, "updates": self.updates}

    def take_up(self, state: Mapping[str, Any]) -> None:
        """Go on from what a checkpoint kept, on the device of the module."""
        for key, value in state["average"].items():
            self.values[key].copy_(value)
        self.updates = state["updates"]
