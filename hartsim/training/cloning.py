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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hartsim.config import CloningTraining
from hartsim.errors import CheckpointError, ConfigError

logger = logging.getLogger(__name__)

Action = NDArray[np.float32]
FORMAT = 2
BINS = 21
"""Values of an action that is a number."""


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
    """Says what should be done in its environment now."""

    def begin(self) -> None:
        """Take up a new episode."""
        ...

    def act(self) -> Any:
        """The action."""
        ...


@dataclass(frozen=True)
class PolicyConfig:
    """What a network sees and does: pictures of `size_px` (height, width), `actions` numbers.

    `discrete` means that the numbers are scores of actions, of which the highest is taken. Else
    each action is a number in -1..1, of which the network scores `BINS` values: an expert that
    passes a thing on one side or the other has no sensible mean.
    `frames` pictures are seen at once, the newest last, so that motion is seen.
    """

    size_px: tuple[int, int]
    actions: int
    discrete: bool
    width: int = 32
    frames: int = 2

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
            seen = self.eye(torch.zeros(1, 3 * config.frames, *config.size_px)).numel()
        self.hand = nn.Sequential(
            nn.Flatten(), nn.Linear(seen, 128), nn.SiLU(), nn.Linear(128, config.scores)
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """Scores (B, scores) of uint8 pictures (B, frames, H, W, 3)."""
        stacked = pictures.permute(0, 1, 4, 2, 3).flatten(1, 2)
        out: Tensor = self.hand(self.eye(stacked.float() / 127.5 - 1))
        return out

    @torch.no_grad()
    def act(self, pictures: NDArray[np.uint8]) -> Any:
        """The action for the last pictures (frames, H, W, 3)."""
        scores = self(torch.from_numpy(pictures)[None])[0]
        if self.config.discrete:
            return int(scores.argmax())
        return likeliest(scores.view(self.config.actions, BINS)).numpy()

    def loss(self, pictures: Tensor, actions: Tensor) -> Tensor:
        """How unlikely these actions are to the network, on average."""
        scores = self(pictures)
        if self.config.discrete:
            loss = functional.cross_entropy(scores, actions.long())
        else:
            chances = scores.view(-1, self.config.actions, BINS).log_softmax(dim=-1)
            loss = -(shares(actions.float()) * chances).sum(dim=-1).mean()
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


class Lessons:
    """What was seen, step by step, and what the expert would have done."""

    def __init__(self) -> None:
        self._pictures: list[NDArray[np.uint8]] = []
        self._begun: list[int] = []
        self._actions: list[Any] = []

    def __len__(self) -> int:
        return len(self._actions)

    def begin(self) -> None:
        """The next picture is the first of an episode."""
        self._start = len(self)

    def add(self, picture: NDArray[np.uint8], action: Any) -> None:
        """Keep one step."""
        self._pictures.append(picture)
        self._begun.append(self._start)
        self._actions.append(action)

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


def policy_config(env: Environment, how: CloningTraining) -> PolicyConfig:
    """What a policy for this environment sees and does; ConfigError if it shows no pictures."""
    shape: tuple[int, ...] = getattr(env.observation_space, "shape", None) or ()
    if len(shape) != 3 or shape[2] != 3:
        raise ConfigError(
            f"the environment shows {env.observation_space}; cloning needs pictures "
            "(height, width, 3) in uint8"
        )
    discrete = env.action_space.shape == ()
    actions = int(env.action_space.n if discrete else env.action_space.shape[0])
    return PolicyConfig((int(shape[0]), int(shape[1])), actions, discrete, how.width, how.frames)


def clone(
    make_env: Callable[[], Environment],
    expert_of: Callable[[Any], Expert],
    out: Path,
    how: CloningTraining | None = None,
    tell: Callable[[Mapping[str, float]], None] | None = None,
) -> Policy:
    """A policy that does as the expert does; `out` keeps it, with a table of how it went.

    `tell` is given each row of the table.

    Rounds of driving and learning go on for `how.minutes`, or `how.rounds` if that is less. A run
    that was cut off is begun anew with what it had learned: `out/policy.pt`.
    """
    how = how or CloningTraining()
    out.mkdir(parents=True, exist_ok=True)
    env = make_env()
    try:
        return _clone(env, expert_of(env), out, how, tell or (lambda row: None))
    finally:
        env.close()


def _clone(
    env: Environment,
    expert: Expert,
    out: Path,
    how: CloningTraining,
    tell: Callable[[Mapping[str, float]], None],
) -> Policy:
    config, start = policy_config(env, how), time.monotonic()
    torch.manual_seed(how.seed)
    policy = Policy(config)
    if (out / "policy.pt").exists():
        policy = load_policy(out / "policy.pt", config)
    optimizer = torch.optim.AdamW(policy.parameters(), lr=how.rate, weight_decay=1e-3)
    lessons, seed = Lessons(), how.seed
    rows: list[dict[str, float]] = []
    for number in range(how.rounds):
        mine = 0.0 if number == 0 else how.own_share
        went = []
        for _ in range(how.episodes if number else how.first_episodes):
            went.append(drive(env, expert, policy, lessons, seed, mine))
            seed += 1
        for group in optimizer.param_groups:
            group["lr"] = how.rate / (1 + number / how.slowing)
        loss = learn(policy, lessons, optimizer, how, how.seed + number)
        save_policy(policy, out / "policy.pt")
        rows.append(
            {
                "round": number,
                "minutes": round((time.monotonic() - start) / 60, 2),
                "steps": len(lessons),
                "loss": round(loss, 4),
                "success": float(np.mean(went)),
            }
        )
        _write_rows(out / "cloning.csv", rows)
        tell(rows[-1])
        logger.info("cloning %s", " ".join(f"{k}={v}" for k, v in rows[-1].items()))
        if time.monotonic() - start > 60 * how.minutes:
            break
    return policy.eval()


def drive(
    env: Environment, expert: Expert, policy: Policy, lessons: Lessons, seed: int, mine: float
) -> bool:
    """One episode, in which the policy does each step with chance `mine`; whether it succeeded.

    Steps are done by one of the two for a while, so that the policy gets into its own trouble.
    """
    random = np.random.default_rng([seed, 0])
    eyes = Eyes(policy.config.frames)
    seen, _ = env.reset(seed=seed)
    eyes.begin(seen)
    lessons.begin()
    expert.begin()
    alone = random.random() < mine
    while True:
        right = expert.act()
        lessons.add(seen, right)
        if random.random() < 0.05:
            alone = random.random() < mine
        action = policy.act(eyes.pictures) if alone else right
        seen, _, terminated, truncated, info = env.step(action)
        eyes.see(seen)
        if terminated or truncated:
            return bool(info.get("success", False))


def learn(
    policy: Policy,
    lessons: Lessons,
    optimizer: torch.optim.Optimizer,
    how: CloningTraining,
    seed: int,
) -> float:
    """Go over the lessons `how.epochs` times, at most `how.updates` steps; the mean loss."""
    random, losses = np.random.default_rng([seed, 1]), []
    steps = min(how.updates, max(1, how.epochs * len(lessons) // how.batch))
    policy.train()
    for _ in range(steps):
        picks = random.integers(len(lessons), size=min(how.batch, len(lessons))).tolist()
        pictures = shifted(lessons.pictures(picks, policy.config.frames), random)
        loss = policy.loss(torch.from_numpy(pictures), lessons.actions(picks))
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
        config = PolicyConfig(**{**kept["config"], "size_px": tuple(kept["config"]["size_px"])})
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
