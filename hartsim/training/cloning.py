"""Behaviour cloning with dataset aggregation (DAgger, arXiv 1011.0686): a policy from an expert.

The expert drives a few episodes; a small network learns what it did; then the network drives and
the expert says at every step what it would have done, and so on. What the network sees is a picture
(height, width, 3) of an environment, and nothing else.

Knows no simulator: environments and experts come from functions.
"""

import csv
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hartsim.config import CloningTraining
from hartsim.errors import CheckpointError, ConfigError
from hartsim.training.drivers import Drivers, Environment, Episode, Errand, Expert

logger = logging.getLogger(__name__)

Action = NDArray[np.float32]
FORMAT = 3
LEAST_ROWS = 16
"""Of what a network sees, so that something is left after it has halved them four times."""
MOTION = 3.0
"""What the difference of pictures is multiplied by: small, it is what tells of motion."""
KNOWING = 10.0
"""What it weighs to tell what the expert knows, beside doing what it does."""
BINS = 21
"""Values of an action that is a number."""


@dataclass(frozen=True)
class PolicyConfig:
    """What a network sees and does: pictures of `size_px` (height, width), `actions` numbers.

    `discrete` means that the numbers are scores of actions, of which the highest is taken. Else
    each action is a number in -1..1, of which the network scores `BINS` values: an expert that
    passes a thing on one side or the other has no sensible mean.
    `frames` pictures are seen at once, the newest last, so that motion is seen. Of each only `rows`
    are looked at, from the first to before the last; all of them by default. `known` numbers that
    the expert knows are told from the pictures as well, and what is done follows from them too.
    """

    size_px: tuple[int, int]
    actions: int
    discrete: bool
    width: int = 32
    frames: int = 2
    rows: tuple[int, int] | None = None
    known: int = 0

    @property
    def seen_px(self) -> tuple[int, int]:
        """Height and width of what is looked at."""
        top, bottom = self.rows or (0, self.size_px[0])
        return bottom - top, self.size_px[1]

    @property
    def scores(self) -> int:
        """How many numbers the network gives."""
        return self.actions if self.discrete else self.actions * BINS


class Policy(nn.Module):
    """A small residual network from the last pictures to an action."""

    def __init__(self, config: PolicyConfig) -> None:
        super().__init__()
        self.config = config
        width, channels = config.width, 3 * config.frames
        layers: list[nn.Module] = []
        for number, out in enumerate((width, width * 2, width * 2, width * 3)):
            layers += [nn.Conv2d(channels, out, 4, stride=2, padding=1), nn.SiLU()]
            layers += [Residual(out)] if number else []  # at full size it would cost the most
            channels = out
        self.eye = nn.Sequential(*layers)
        with torch.no_grad():
            seen = self.eye(torch.zeros(1, 3 * config.frames, *config.seen_px)).numel()
        self.mind = nn.Sequential(nn.Flatten(), nn.Linear(seen, 128), nn.SiLU())
        self.tell = nn.Linear(128, config.known) if config.known else None
        self.hand = nn.Sequential(
            nn.Linear(128 + config.known, 128), nn.SiLU(), nn.Linear(128, config.scores)
        )

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (B, scores), and what is told (B, known), of uint8 pictures (B, frames, H, W, 3).

        Pictures are as `look` cuts them.
        """
        shown = pictures.permute(0, 1, 4, 2, 3).float() / 127.5 - 1
        newest, moved = shown[:, -1:], MOTION * (shown[:, :-1] - shown[:, -1:])
        stacked = torch.cat([newest, moved], dim=1).flatten(1, 2)
        stacked = stacked.contiguous(memory_format=torch.channels_last)  # a third faster on CPUs
        thought = self.mind(self.eye(stacked))
        told = thought[:, :0] if self.tell is None else self.tell(thought)
        return self.hand(torch.cat([thought, told], dim=-1)), told

    def look(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The part of a picture (H, W, 3) that is looked at."""
        return picture if self.config.rows is None else picture[slice(*self.config.rows)]

    @torch.no_grad()
    def act(self, pictures: NDArray[np.uint8]) -> Any:
        """The action for the last pictures (frames, H, W, 3)."""
        scores = self(torch.from_numpy(pictures)[None])[0][0]
        if self.config.discrete:
            return int(scores.argmax())
        return likeliest(scores.view(self.config.actions, BINS)).numpy()

    def loss(self, pictures: Tensor, actions: Tensor, known: Tensor) -> Tensor:
        """How unlikely these actions are to the network, on average; and how far off it tells."""
        scores, told = self(pictures)
        if self.config.discrete:
            loss = functional.cross_entropy(scores, actions.long())
        else:
            chances = scores.view(-1, self.config.actions, BINS).log_softmax(dim=-1)
            loss = -(shares(actions.float()) * chances).sum(dim=-1).mean()
        if self.config.known:
            loss = loss + KNOWING * functional.smooth_l1_loss(told, known, beta=0.1)
        return loss


def shares(actions: Tensor) -> Tensor:
    """Numbers in -1..1 as shares (..., BINS) of the two values nearest to each."""
    spot = (actions.clamp(-1, 1) + 1) * (BINS - 1) / 2
    steps = torch.arange(BINS, device=actions.device)
    return (1 - (spot[..., None] - steps).abs()).clamp(min=0)


def likeliest(scores: Tensor) -> Tensor:
    """The numbers in -1..1 that scores (..., BINS) favour: the best value and its neighbours."""
    values = torch.linspace(-1, 1, BINS, device=scores.device)
    best = scores.argmax(dim=-1, keepdim=True)
    near = (torch.arange(BINS, device=scores.device) - best).abs() <= 1
    chances = scores.masked_fill(~near, -torch.inf).softmax(dim=-1)
    return (chances * values).sum(dim=-1)


class Residual(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        out: Tensor = x + self.conv2(functional.silu(self.conv1(x)))
        return functional.silu(out)


class Lessons:
    """What was seen, step by step, and what the expert would have done."""

    def __init__(self) -> None:
        self._pictures: list[NDArray[np.uint8]] = []
        self._begun: list[int] = []
        self._actions: list[Any] = []
        self._known: list[NDArray[np.float32]] = []

    def __len__(self) -> int:
        return len(self._actions)

    def begin(self) -> None:
        """The next picture is the first of an episode."""
        self._start = len(self)

    def add(self, picture: NDArray[np.uint8], action: Any, known: NDArray[np.float32]) -> None:
        """Keep one step."""
        self._pictures.append(picture)
        self._begun.append(self._start)
        self._actions.append(action)
        self._known.append(known)

    def take(self, episode: Episode) -> None:
        """Keep the steps of an episode."""
        self.begin()
        for step in zip(episode.pictures, episode.actions, episode.known, strict=True):
            self.add(*step)

    def pictures(self, picks: Sequence[int], frames: int) -> NDArray[np.uint8]:
        """What was seen at these steps and before, (B, frames, H, W, 3)."""
        shown = [
            [self._pictures[max(i - back, self._begun[i])] for back in range(frames)[::-1]]
            for i in picks
        ]
        return np.array(shown, np.uint8)

    def actions(self, picks: Sequence[int]) -> Tensor:
        """What the expert would have done at these steps."""
        return torch.as_tensor(np.array([self._actions[i] for i in picks]))

    def known(self, picks: Sequence[int]) -> Tensor:
        """What the expert knew at these steps, (B, known)."""
        return torch.as_tensor(np.array([self._known[i] for i in picks], np.float32))


def policy_config(env: Environment, how: CloningTraining, known: int = 0) -> PolicyConfig:
    """What a policy for this environment sees and does; ConfigError if it shows no pictures.

    `known` is how many numbers it is to tell.
    """
    shape: tuple[int, ...] = getattr(env.observation_space, "shape", None) or ()
    if len(shape) != 3 or shape[2] != 3:
        raise ConfigError(
            f"the environment shows {env.observation_space}; cloning needs pictures "
            "(height, width, 3) in uint8"
        )
    discrete = env.action_space.shape == ()
    actions = int(env.action_space.n if discrete else env.action_space.shape[0])
    height, width = int(shape[0]), int(shape[1])
    rows = (round(how.top * height), round(how.bottom * height))
    if rows[1] - rows[0] < LEAST_ROWS:
        raise ConfigError(
            f"cloning.top is {how.top} and cloning.bottom {how.bottom}: of {height} rows that "
            f"leaves {max(rows[1] - rows[0], 0)}, must be at least {LEAST_ROWS}"
        )
    cut = None if rows == (0, height) else rows
    size_px = (height, width)
    return PolicyConfig(size_px, actions, discrete, how.width, how.frames, cut, known)


def clone(
    make_env: Callable[[], Environment],
    expert_of: Callable[[Any], Expert],
    out: Path,
    how: CloningTraining | None = None,
    tell: Callable[[Mapping[str, float]], None] | None = None,
) -> Policy:
    """A policy that does as the expert does; `out` keeps it, with a table of how it went.

    `tell` is given each row of the table.

    Rounds of driving and learning go on for `how.minutes`, or `how.rounds` if that is less. While a
    round is learned the next one is driven, in `how.drivers` processes. A run that was cut off is
    begun anew with what it had learned: `out/policy.pt`.
    """
    how = how or CloningTraining()
    out.mkdir(parents=True, exist_ok=True)
    env = make_env()
    try:
        config = policy_config(env, how, expert_of(env).knows)
    finally:
        env.close()
    with closing(Drivers(make_env, expert_of, how.drivers)) as drivers:
        return _clone(config, drivers, out, how, tell or (lambda row: None))


def _clone(
    config: PolicyConfig,
    drivers: Drivers,
    out: Path,
    how: CloningTraining,
    tell: Callable[[Mapping[str, float]], None],
) -> Policy:
    start = time.monotonic()
    torch.manual_seed(how.seed)
    policy, is_new = Policy(config), True
    if (out / "policy.pt").exists():
        policy, is_new = load_policy(out / "policy.pt", config), False
    optimizer = torch.optim.AdamW(policy.parameters(), lr=how.rate, weight_decay=1e-3)
    lessons, seed = Lessons(), how.seed
    rows: list[dict[str, float]] = []

    def send(count: int, mine: float) -> None:
        nonlocal seed
        seeds = range(seed, seed + count)
        drivers.start(Errand(deepcopy(policy), config.frames, seeds, mine))
        seed += count

    send(how.first_episodes, 0.0)
    for number in range(how.rounds):
        episodes = drivers.finish()
        for episode in episodes:
            lessons.take(episode)
        progress = max((time.monotonic() - start) / (60 * how.minutes), (number + 1) / how.rounds)
        if progress < 1:
            # What has learned nothing yet would only show how to leave the road.
            send(how.episodes, 0.0 if number == 0 and is_new else how.own_share)
        for group in optimizer.param_groups:
            group["lr"] = how.rate * min(1.0, 2 * (1.02 - min(progress, 1.0)))
        loss = learn(policy, lessons, optimizer, how, how.seed + number)
        save_policy(policy, out / "policy.pt")
        rows.append(
            {
                "round": number,
                "minutes": round((time.monotonic() - start) / 60, 2),
                "steps": len(lessons),
                "loss": round(loss, 4),
                "success": float(np.mean([episode.success for episode in episodes])),
            }
        )
        _write_rows(out / "cloning.csv", rows)
        tell(rows[-1])
        logger.info("cloning %s", " ".join(f"{k}={v}" for k, v in rows[-1].items()))
        if progress >= 1:
            break
    return policy.eval()


def learn(
    policy: Policy,
    lessons: Lessons,
    optimizer: torch.optim.Optimizer,
    how: CloningTraining,
    seed: int,
) -> float:
    """`how.updates` steps; the mean loss."""
    random, losses = np.random.default_rng([seed, 1]), []
    policy.train()
    for _ in range(how.updates):
        picks = random.integers(len(lessons), size=min(how.batch, len(lessons))).tolist()
        pictures = shifted(lessons.pictures(picks, policy.config.frames), random)
        told = lessons.actions(picks), lessons.known(picks)
        loss = policy.loss(torch.from_numpy(pictures), *told)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    policy.eval()
    return float(np.mean(losses))


def shifted(pictures: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Pictures (B, frames, H, W, 3) brighter or darker, and moved by up to two pixels."""
    down, right = random.integers(-2, 3, size=2)
    moved = np.roll(pictures, (down, right), axis=(2, 3))
    brighter = np.clip(moved * random.uniform(0.8, 1.2), 0, 255)
    return np.asarray(brighter, np.uint8)


def save_policy(policy: Policy, path: Path) -> None:
    """Write a policy, aside first."""
    aside = path.with_suffix(f".{os.getpid()}")
    kept = {"format": FORMAT, "config": asdict(policy.config), "weights": policy.state_dict()}
    torch.save(kept, aside)
    os.replace(aside, path)


def load_policy(path: Path, expected: PolicyConfig | None = None) -> Policy:
    """The policy of a file; CheckpointError for what is none, or does not fit what is expected."""
    try:
        kept = torch.load(path, map_location="cpu", weights_only=True)
        fields = kept["config"]
        pairs = {k: tuple(v) for k, v in fields.items() if isinstance(v, list)}
        config = PolicyConfig(**{**fields, **pairs})
        policy = Policy(config)
        policy.load_state_dict(kept["weights"])
    except (OSError, KeyError, TypeError, RuntimeError, ValueError) as error:
        why = str(error).partition("\n")[0]
        raise CheckpointError(f"{path}: not readable as a cloned policy: {why}") from error
    except Exception as error:  # what torch raises for other files is not documented
        raise CheckpointError(f"{path}: not a file of weights: {error}") from error
    if expected is not None and config != expected:
        raise CheckpointError(f"{path}: is for {config}, but this run is for {expected}")
    return policy.eval()


def _write_rows(path: Path, rows: Sequence[dict[str, float]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
