"""Training at equal arithmetic: every model gets the FLOP that HART takes for its samples.

A step is a function of its number and of the state before it, so that a resumed run goes on bit for
bit. Optimizers, rates, schedule and averaging are those of `hartsim.training.transformer`, for all.
"""

import functools
import json
import logging
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.replication.flow import flow_loss
from benchmarks.replication.models import HART, PLANS, SIZE_PX, Plan, new_model
from hartsim.config import TransformerTraining
from hartsim.hart.checkpoint import load_hart
from hartsim.hart.text import HashTextEncoder
from hartsim.hart.tokenizer import Tokenizer, from_pixels
from hartsim.training.corpus import Corpus, read_corpus
from hartsim.training.run import Average, Budget, learning_rate, read_checkpoint
from hartsim.training.tokenizer import train_tokenizer
from hartsim.training.transformer import Batch, losses, make_optimizers

logger = logging.getLogger(__name__)

HOW = TransformerTraining(batch=64, warm_up_steps=100)
"""How all models learn; what it says of codes is for those that have them."""
SAMPLES = 52_480
"""That HART learns from; the other models as many as cost the same."""
SAVE_EVERY_S = 120.0
LOG_EVERY = 25


@dataclass(frozen=True)
class Lessons:
    """Latents (N, C, P, P) and wordings of pictures."""

    latents: Tensor
    captions: Sequence[Sequence[str]]

    def batch(self, step: int, size: int, text: HashTextEncoder) -> Batch:
        """What is learned from in a step, each picture in one of its wordings."""
        rounds = len(self.latents) // size
        if rounds == 0:
            raise ValueError(f"{len(self.latents)} pictures make no batch of {size}")
        order = _order(len(self.latents), step // rounds)
        picks = order[step % rounds * size :][:size].tolist()
        generator = torch.Generator().manual_seed(2 * step + 1)
        chances = torch.rand(size, generator=generator).tolist()
        texts = [
            self.captions[pick][int(chance * len(self.captions[pick]))]
            for pick, chance in zip(picks, chances, strict=True)
        ]
        latents = self.latents[picks].float()
        weights = torch.ones(size, *latents.shape[2:])
        return Batch(latents, weights, None, text.token_ids(texts))


@functools.lru_cache(maxsize=2)
def _order(count: int, epoch: int) -> Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(epoch))


def loss_of(
    plan: Plan, model: Any, tokenizer: Tokenizer, batch: Batch, generator: torch.Generator
) -> Tensor:
    """What a step descends on."""
    if plan.kind == "dit":
        drop_rate = plan.config.transformer.cond_drop_rate
        return flow_loss(model, batch.latents, batch.ids, drop_rate, generator)
    codes_loss, residual_loss = losses(model, tokenizer, batch, plan.config, generator, HOW)
    return codes_loss + HOW.residual_weight * residual_loss


@functools.cache
def flops_per_sample(name: str, batch: int = 4) -> int:
    """Of one picture in a training step, forward and backward, by PyTorch's counter."""
    plan = PLANS[name]
    model: Any = new_model(plan)
    tokenizer, generator = new_tokenizer(), torch.Generator().manual_seed(0)
    lessons = Lessons(
        torch.randn(batch, tokenizer.config.z_channels, *tokenizer.quantizer.square),
        [["a"]] * batch,
    )
    counter = FlopCounterMode(display=False)
    with sdpa_kernel(SDPBackend.MATH), counter:
        loss = loss_of(plan, model, tokenizer, lessons.batch(0, batch, model.text), generator)
        loss.backward()  # type: ignore[no-untyped-call]
    return int(counter.get_total_flops()) // batch


def samples_for(name: str, samples: int) -> int:
    """How many pictures a model learns from for what HART's `samples` cost, in whole batches."""
    budget = samples * flops_per_sample("hart")
    return round(budget / flops_per_sample(name) / HOW.batch) * HOW.batch


def new_tokenizer() -> Tokenizer:
    """One with random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Tokenizer(HART.tokenizer, HART.transformer.patch_nums).requires_grad_(False)


def make_tokenizer(data: Path, out: Path, minutes: float) -> None:
    """Train a tokenizer for a run, or go on training it."""
    corpus, held_out = (read_corpus(data, held, (SIZE_PX, SIZE_PX)) for held in (False, True))
    trained = train_tokenizer(corpus, held_out, HART, out / "tokenizer", Budget(minutes=minutes))
    _save(out / "tokenizer.pt", trained.state_dict())


def take_tokenizer(weights: Path, out: Path) -> None:
    """Keep the tokenizer of a folder of weights for a run; ValueError if it has another shape."""
    hart, wanted = load_hart(weights), HART.tokenizer
    if replace(hart.config.tokenizer, v_patch_nums=wanted.v_patch_nums) != wanted:
        raise ValueError(f"{weights}: its tokenizer is {hart.config.tokenizer}, not {wanted}")
    out.mkdir(parents=True, exist_ok=True)
    _save(out / "tokenizer.pt", hart.tokenizer.float().state_dict())


def trained_tokenizer(out: Path) -> Tokenizer:
    """The tokenizer of a run."""
    tokenizer = new_tokenizer()
    tokenizer.load_state_dict(torch.load(out / "tokenizer.pt", weights_only=True))
    return tokenizer.eval().requires_grad_(False)


@torch.no_grad()
def latents_of(corpus: Corpus, tokenizer: Tokenizer) -> Iterator[Tensor]:
    """Latents of all pictures, in batches."""
    for start in range(0, len(corpus), HOW.batch):
        picks = list(range(start, min(start + HOW.batch, len(corpus))))
        yield tokenizer.latent(from_pixels(torch.from_numpy(corpus.batch(picks))))


def lessons_of(data: Path, out: Path) -> Lessons:
    """The training pictures of a corpus behind the tokenizer in `out`, which also keeps latents."""
    corpus = read_corpus(data, size_px=(SIZE_PX, SIZE_PX))
    path = out / "latents.pt"
    if path.exists():
        latents: Tensor = torch.load(path, weights_only=True)
        if len(latents) == len(corpus):
            return Lessons(latents, corpus.captions)
    latents = torch.cat(list(latents_of(corpus, trained_tokenizer(out))))
    _save(path, latents)
    return Lessons(latents, corpus.captions)


def train(
    name: str,
    tokenizer: Tokenizer,
    lessons: Lessons,
    folder: Path,
    steps: int,
    stop: int | None = None,
) -> nn.Module:
    """Train, or go on training, in `folder`; the averaged weights when all steps are done.

    With `stop` the run pauses before that step, as if it had been interrupted.
    """
    plan = PLANS[name]
    model: Any = new_model(plan)
    if plan.kind == "dit":
        model.transformer.learn_statistics(lessons.latents.float())
    average, optimizers = Average(model, HOW.average), make_optimizers(model, HOW)
    peaks = [group["lr"] for each in optimizers for group in each.param_groups]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.pt"
    begun, spent = 0, 0.0
    if path.exists():
        state = read_checkpoint(path)
        model.load_state_dict(state["model"])
        for optimizer, kept in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        average.values, average.updates = state["average"], state["updates"]
        begun, spent = state["step"], state["seconds"]

    def save(step: int) -> None:
        _save(
            path,
            {
                "step": step,
                "seconds": spent + time.monotonic() - since,
                "model": model.state_dict(),
                "optimizers": [optimizer.state_dict() for optimizer in optimizers],
                "average": average.values,
                "updates": average.updates,
            },
        )

    since = saved = time.monotonic()
    for step in range(begun, min(steps, stop or steps)):
        generator = torch.Generator().manual_seed(2 * step)
        batch = lessons.batch(step, HOW.batch, model.text)
        loss = loss_of(plan, model, tokenizer, batch, generator)
        groups = [group for each in optimizers for group in each.param_groups]
        for group, peak in zip(groups, peaks, strict=True):
            group["lr"] = learning_rate(peak, step, step / steps, HOW.warm_up_steps, HOW.decay_from)
        model.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), HOW.clip)
        for optimizer in optimizers:
            optimizer.step()
        average.update(model)
        if step % LOG_EVERY == 0:
            seconds = spent + time.monotonic() - since
            row = {"step": step, "loss": round(loss.item(), 4), "seconds": round(seconds, 1)}
            with (folder / f"{name}.jsonl").open("a") as file:
                file.write(json.dumps(row) + "\n")
            logger.info("%s: step %d of %d, loss %.4f", name, step, steps, row["loss"])
        if time.monotonic() - saved > SAVE_EVERY_S:
            save(step + 1)
            saved = time.monotonic()
    save(max(begun, min(steps, stop or steps)))
    model.load_state_dict(average.values)
    return model.eval()  # type: ignore[no-any-return]


def trained_model(name: str, folder: Path) -> tuple[nn.Module, int]:
    """The averaged weights in `folder`, and the steps that they have seen."""
    state = read_checkpoint(folder / f"{name}.pt")
    model = new_model(PLANS[name])
    model.load_state_dict(state["average"])
    return model.eval().requires_grad_(False), state["step"]


def seconds_of(name: str, folder: Path) -> float:
    """Wall time that the training of a model has taken so far."""
    return float(read_checkpoint(folder / f"{name}.pt")["seconds"])


def _save(path: Path, state: Any) -> None:
    aside = path.with_suffix(".tmp")
    torch.save(state, aside)
    os.replace(aside, path)
