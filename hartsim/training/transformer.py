"""Training of the transformer, its residual head and the small text encoder, together.

Source: HART, arXiv 2410.10812, section 3.2 and the reference's training forward: cross entropy on
the codes of every scale, plus the diffusion loss of the last scale's residual relative to a code
drawn from the model itself; most of the last scale's tokens are left out of each step.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hartsim.config import TransformerTraining
from hartsim.errors import DatasetError
from hartsim.hart.config import HartConfig
from hartsim.hart.model import Hart
from hartsim.hart.text import HashTextEncoder
from hartsim.hart.tokenizer import Tokenizer, from_pixels
from hartsim.hart.transformer import (
    HartTransformer,
    draw_kept_tokens,
    drop_context,
    drop_labels,
    init_transformer,
)
from hartsim.training.corpus import Corpus
from hartsim.training.muon import Muon
from hartsim.training.parallel import Ranks
from hartsim.training.run import Average, Budget, Run, ahead, learning_rate

TOP_K, TOP_P = 600, 0.96
HELD_OUT_BATCHES = 4
"""Batches of held-out pictures that are measured now and then."""


class Painter(nn.Module):
    """The part that learns here: text encoder and transformer."""

    def __init__(self, config: HartConfig) -> None:
        super().__init__()
        self.text = HashTextEncoder(config)
        self.transformer = HartTransformer(config)
        init_transformer(self.transformer)
        nn.init.normal_(self.text.embedding.weight, std=0.5)
        nn.init.normal_(self.text.positions, std=0.02)


def new_painter(config: HartConfig, seed: int) -> Painter:
    """A painter with random weights, which `seed` alone decides."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Painter(config)


def painter_of(hart: Hart, config: HartConfig) -> Painter:
    """A copy of a model's text encoder and transformer, to be trained further.

    Where the configuration follows labels and the model does not, it begins as if it saw none.
    """
    painter = Painter(config)
    parts = hart.modules()
    weights = parts["llm"].state_dict()
    if painter.transformer.label_embed is not None:
        weights.setdefault("label_embed.weight", painter.transformer.label_embed.weight)
    painter.text.load_state_dict(parts["text"].state_dict())
    painter.transformer.load_state_dict(weights)
    return painter


class Batch(NamedTuple):
    """What is learned from in one step, as in `Lessons`; each picture has one wording."""

    latents: Tensor
    weights: Tensor
    labels: Tensor | None
    ids: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        return Batch(*(None if each is None else each.to(device) for each in self))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Lessons:
    """A corpus as the transformer sees it: latents (N, C, P, P) and token ids per wording.

    `weights` (N, P, P) says how much each cell matters. `labels` gives the label maps (B, H, W) of
    some pictures; it is there for models that follow them.
    """

    latents: Tensor
    weights: Tensor
    labels: Callable[[Sequence[int]], Tensor] | None
    ids: Tensor
    first: Tensor
    wordings: Tensor

    def batch(self, step: int, size: int, seed: int = 0, ranks: Ranks | None = None) -> Batch:
        """The pictures of a step, each with one of its wordings; an epoch shows every one once.

        What is left over at the end of an epoch is not shown.
        """
        ranks = ranks or Ranks()
        steps = len(self.latents) // (size * ranks.world)
        if steps == 0:
            raise DatasetError(
                f"{len(self.latents)} pictures are fewer than a step takes: {size} on each of "
                f"{ranks.world} processes"
            )
        epoch, row = divmod(step, steps)
        order = np.random.default_rng([seed, epoch]).permutation(len(self.latents))
        start = (row * ranks.world + ranks.rank) * size
        picks = torch.from_numpy(order[start : start + size])
        chance = torch.from_numpy(np.random.default_rng([seed, step, ranks.rank]).random(size))
        ids = self.ids[self.first[picks] + (chance * self.wordings[picks]).long()]
        labels = None if self.labels is None else self.labels(picks.tolist())
        return Batch(self.latents[picks].float(), self.weights[picks].float(), labels, ids)


def train_transformer(
    lessons: Lessons,
    held_out: Lessons | None,
    tokenizer: Tokenizer,
    config: HartConfig,
    folder: Path,
    budget: Budget,
    how: TransformerTraining | None = None,
    preview: Callable[[Painter, int], None] | None = None,
    begin: Painter | None = None,
    ranks: Ranks | None = None,
) -> Painter:
    """Train, or go on training, in `folder`; returns the averaged weights.

    Now and then `preview` is called with the averaged model and the step, and the losses on
    `held_out` are logged. A fresh run begins with the weights of `begin`, or with random ones.
    """
    how, ranks = how or TransformerTraining(), ranks or Ranks()
    painter = (begin or new_painter(config, how.seed)).to(ranks.device)
    tokenizer = tokenizer.to(ranks.device)
    average = Average(painter, how.average)
    optimizers = make_optimizers(painter, how)
    peaks = [group["lr"] for each in optimizers for group in each.param_groups]
    run = Run(folder, "transformer", budget, ranks, how.seed)
    state = run.start()
    if state is not None:
        _take_up(state, painter, optimizers, average)
    batches = ahead(lambda step: lessons.batch(step, how.batch, how.seed, ranks), run.step)
    while (progress := run.progress) < 1:
        batch = next(batches).to(ranks.device)
        with ranks.autocast():
            codes, residual = losses(painter, tokenizer, batch, config, run.generator(), how)
        loss = codes + how.residual_weight * residual
        groups = [group for each in optimizers for group in each.param_groups]
        for group, peak in zip(groups, peaks, strict=True):
            group["lr"] = learning_rate(peak, run.step, progress, how.warm_up_steps, how.decay_from)
        painter.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        ranks.average_gradients(painter.parameters())
        norm = nn.utils.clip_grad_norm_(painter.parameters(), how.clip)
        for optimizer in optimizers:
            optimizer.step()
        average.update(painter)
        run.log(codes=codes, residual=residual, gradient=norm)
        run.step += 1
        if run.step % how.preview_every == 0 and ranks.leads:
            look = averaged(painter, average, config)
            if held_out is not None:
                found = measured(look, tokenizer, held_out, config, how.batch)
                run.note("held-out", codes=found[0], residual=found[1])
            if preview is not None:
                preview(look, run.step)
        if run.due():
            _save(run, painter, optimizers, average)
    batches.close()
    _save(run, painter, optimizers, average)
    ranks.wait()
    return averaged(painter, average, config)


@torch.no_grad()
def measured(
    painter: Painter, tokenizer: Tokenizer, held_out: Lessons, config: HartConfig, size: int
) -> tuple[float, float]:
    """Both losses on pictures that were not learned from, always the same, with text and labels."""
    keeps = replace(config.transformer, cond_drop_rate=0.0, label_drop_rate=0.0)
    config, size = replace(config, transformer=keeps), min(size, len(held_out.latents))
    device, exact = painter.text.positions.device, TransformerTraining(wrong_share=0.0)
    found = []
    for step in range(min(HELD_OUT_BATCHES, len(held_out.latents) // size)):
        batch = held_out.batch(step, size).to(device)
        generator = torch.Generator(device).manual_seed(step)
        found.append(
            [x.item() for x in losses(painter, tokenizer, batch, config, generator, exact)]
        )
    codes, residual = np.mean(found, axis=0).tolist()
    return codes, residual


def losses(
    painter: Painter,
    tokenizer: Tokenizer,
    batch: Batch,
    config: HartConfig,
    generator: torch.Generator,
    how: TransformerTraining = TransformerTraining(),  # noqa: B008
) -> tuple[Tensor, Tensor]:
    """Weighted cross entropy of the codes, and the residual head's loss, of one batch."""
    quantizer, c = tokenizer.quantizer, config.transformer
    latents, weights, labels, ids = batch
    with torch.no_grad():
        strength = wrongness(len(latents), how, generator)
        quantized = quantizer.encode(latents, lambda tokens: disturbed(tokens, strength, generator))
        inputs = quantizer.next_inputs(quantized)
    kept = draw_kept_tokens(len(latents), c.patch_nums[-1] ** 2, generator, weights.flatten(1))
    context = drop_context(painter.text(ids), c.cond_drop_rate, generator)
    if labels is not None:
        labels = drop_labels(labels, c.label_drop_rate, generator)
    predicted = painter.transformer(context, inputs, kept, labels)
    true = torch.cat([*quantized.codes[:-1], quantized.codes[-1].gather(1, kept)], dim=1)
    entropy = functional.cross_entropy(
        predicted.logits.flatten(0, 1), true.flatten(), reduction="none"
    )
    matter = token_weights(weights, c.patch_nums, kept).flatten()
    codes_loss = (entropy * matter).sum() / matter.sum()

    last = predicted.logits[:, -kept.shape[1] :].detach()
    embedded = quantizer.embedding(draw_codes(last, generator)).detach()
    z = painter.transformer.residual_condition(predicted.hidden, embedded).flatten(0, 1)
    target = residual_target(quantized.residual, kept, embedded).flatten(0, 1)
    times = c.diffusion_batch_mul
    t = torch.randint(1000, (len(z) * times,), generator=generator, device=generator.device)
    noise = torch.randn(
        len(z) * times, target.shape[1], generator=generator, device=generator.device
    )
    error, bound = painter.transformer.diffloss.loss(
        z.repeat(times, 1), target.repeat(times, 1), t, noise
    )
    return codes_loss, error.mean() + bound.mean()


def token_weights(weights: Tensor, sides: Sequence[int], kept: Tensor) -> Tensor:
    """What the tokens of every scale and the kept ones of the last weigh, (B, L).

    Heavy tokens of the last scale are kept more often; those that are kept weigh alike.
    """
    scales = [functional.adaptive_avg_pool2d(weights, side).flatten(1) for side in sides[:-1]]
    mean = weights.mean(dim=(1, 2))[:, None].expand(kept.shape)
    return torch.cat([*scales, mean], dim=1)


@torch.no_grad()
def redraw_last_scale(
    hart: Hart, latents: Tensor, captions: Sequence[str], generator: torch.Generator
) -> Tensor:
    """Latents (B, C, P, P) whose last scale the model has drawn itself, codes and residual."""
    quantizer, transformer = hart.tokenizer.quantizer, hart.transformer
    quantized = quantizer.encode(latents)
    predicted = transformer(hart.text.encode(captions), quantizer.next_inputs(quantized))
    tokens = predicted.hidden.shape[1]
    embedded = quantizer.embedding(draw_codes(predicted.logits[:, -tokens:], generator))
    residual = transformer.diffloss.sample(
        transformer.residual_condition(predicted.hidden, embedded),
        0.0,
        torch.randn(embedded.shape, generator=generator, device=generator.device),
        lambda step: torch.randn(embedded.shape, generator=generator, device=generator.device),
        hart.config.residual_steps,
        hart.config.residual_temperature,
    )
    return quantized.running[-2] + quantizer.lift(embedded + residual, quantizer.last)


def wrongness(rows: int, how: TransformerTraining, generator: torch.Generator) -> Tensor:
    """How wrong the codes read are to be, (rows, 1, 1): nought for some, up to the most."""
    some, much = torch.rand(2, rows, 1, 1, generator=generator, device=generator.device)
    return torch.where(some < how.wrong_share, how.most_wrong * much, 0.0)


def disturbed(tokens: Tensor, strength: Tensor, generator: torch.Generator) -> Tensor:
    """Tokens (B, L, C) with normal noise of `strength` (B, 1, 1) times their own deviation."""
    noise = torch.randn(tokens.shape, generator=generator, device=generator.device)
    return tokens + strength * tokens.std(dim=(0, 1), correction=0) * noise


def residual_target(residual: Tensor, kept: Tensor, embedded: Tensor) -> Tensor:
    """What the head has to add to the codes drawn for the kept tokens, (B, K, C)."""
    return residual.gather(1, kept[..., None].expand_as(embedded)) - embedded


def draw_codes(logits: Tensor, generator: torch.Generator) -> Tensor:
    """Codes (B, K) drawn from logits (B, K, V) after top-k and top-p."""
    top, codes = logits.topk(min(TOP_K, logits.shape[-1]), dim=-1)
    chances = top.softmax(dim=-1)
    chances = chances * (chances.cumsum(dim=-1) - chances < TOP_P)
    picks = torch.multinomial(chances.flatten(0, 1), 1, generator=generator)
    return codes.flatten(0, 1).gather(1, picks).view(logits.shape[:2])


@torch.no_grad()
def make_lessons(
    corpus: Corpus,
    tokenizer: Tokenizer,
    text: HashTextEncoder,
    config: HartConfig,
    cache: Path,
    how: TransformerTraining | None = None,
) -> Lessons:
    """Encode every picture and caption once; `cache` keeps the latents for a resumed run."""
    latents = _latents(corpus, tokenizer, cache)
    wordings = torch.tensor([len(captions) for captions in corpus.captions])
    ids = text.token_ids([caption for captions in corpus.captions for caption in captions])
    weights = cell_weights(corpus, latents.shape[-1], how or TransformerTraining())
    first = wordings.cumsum(dim=0) - wordings

    def labels(picks: Sequence[int]) -> Tensor:
        return torch.stack([torch.from_numpy(corpus.labels_of(i, config.size_px)) for i in picks])

    follows = config.transformer.label_classes > 0
    return Lessons(latents, weights, labels if follows else None, ids, first, wordings)


def cell_weights(corpus: Corpus, side: int, how: TransformerTraining) -> Tensor:
    """What the cells (N, side, side) of every picture weigh, in float16.

    Hazards are small, and would be lost among the codes of houses and trees.
    """
    by_mark = torch.tensor([1.0, how.object_weight, how.hazard_weight])
    pooled = [
        functional.adaptive_avg_pool2d(by_mark[torch.from_numpy(marks.astype(int))][None], side)
        for marks in map(corpus.marks_of, range(len(corpus)))
    ]
    return torch.cat(pooled).half()


def _latents(corpus: Corpus, tokenizer: Tokenizer, cache: Path) -> Tensor:
    """Latents (N, C, P, P) in float16 of all pictures; kept for this corpus and this encoder."""
    encoder = list(tokenizer.vae.encoder.parameters())
    weights = torch.cat([p.flatten() for p in encoder]).double()
    made_of = [len(corpus), float(weights.sum()), float(weights.square().sum())]
    if cache.exists():
        kept = torch.load(cache, weights_only=True)
        if isinstance(kept, dict) and kept["made_of"] == made_of:
            latents: Tensor = kept["latents"]
            return latents
    chunks = []
    for start in range(0, len(corpus), 16):
        picks = list(range(start, min(start + 16, len(corpus))))
        image = from_pixels(torch.from_numpy(corpus.batch(picks)).to(encoder[0].device))
        image = image.contiguous(memory_format=torch.channels_last)
        chunks.append(tokenizer.latent(image).half().cpu())
    latents = torch.cat(chunks)
    aside = cache.with_suffix(f".{os.getpid()}")
    torch.save({"made_of": made_of, "latents": latents}, aside)
    os.replace(aside, cache)
    return latents


def averaged(painter: Painter, average: Average, config: HartConfig) -> Painter:
    """A copy of the painter with its averaged weights, for sampling."""
    copy = Painter(config)
    copy.load_state_dict(average.values)
    return copy.to(painter.text.positions.device).eval()


def make_optimizers(painter: Painter, how: TransformerTraining) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of all blocks, AdamW for the rest, weight decay for matrices only."""
    blocks = [*painter.text.blocks.parameters(), *painter.transformer.blocks.parameters()]
    hidden = {id(p): p for p in blocks if p.ndim == 2}
    rest = [p for p in painter.parameters() if id(p) not in hidden]
    groups = [
        {"params": [p for p in rest if p.ndim > 1], "weight_decay": 0.02},
        {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0},
    ]
    return [
        Muon(hidden.values(), lr=how.matrix_rate),
        torch.optim.AdamW(groups, lr=how.other_rate, betas=(0.9, 0.95), fused=True),
    ]


def _take_up(
    state: Mapping[str, Any],
    painter: Painter,
    optimizers: Sequence[torch.optim.Optimizer],
    average: Average,
) -> None:
    """Put what `_save` wrote back in its places; DatasetError where it is of another size."""
    try:
        painter.load_state_dict(state["model"])
    except RuntimeError as error:
        raise DatasetError(
            "the run's transformer.pt is of another size of model; go on with that size, or put "
            "the file away to begin anew"
        ) from error
    for optimizer, kept in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(kept)
    average.take_up(state)


def _save(
    run: Run,
    painter: Painter,
    optimizers: Sequence[torch.optim.Optimizer],
    average: Average,
) -> None:
    run.save(
        model=painter.state_dict(),
        optimizers=[optimizer.state_dict() for optimizer in optimizers],
        **average.kept(),
    )
