"""Training of the transformer, its residual head and the small text encoder, together.

Source: HART, arXiv 2410.10812, section 3.2 and the reference's training forward: cross entropy on
the codes of every scale, plus the diffusion loss of the last scale's residual relative to a code
drawn from the model itself; most of the last scale's tokens are left out of each step.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

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
from hartsim.training.run import Average, Run

BATCH = 32
MATRIX_RATE, OTHER_RATE = 0.02, 2e-3
"""Peak learning rates: of the blocks' matrices (Muon), and of all else (AdamW)."""
WRONG_SHARE, MOST_WRONG = 0.6, 0.6
"""Share of pictures read with wrong codes, and the most noise that makes them so."""
MARK_WEIGHTS = (1.0, 3.0, 8.0)
"""What codes of unnamed things, of named objects and of hazards weigh in the loss.

Hazards are small, and would be lost among the codes of houses and trees.
"""
TOP_K, TOP_P = 600, 0.96
RESIDUAL_WEIGHT = 1.0


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


@dataclass(frozen=True)
class Lessons:
    """A corpus as the transformer sees it: latents (N, C, P, P) and token ids per wording.

    `weights` (N, P, P) says how much each cell matters; `labels` (N, H, W) are there for models
    that follow them.
    """

    latents: Tensor
    weights: Tensor
    labels: Tensor | None
    ids: Tensor
    first: Tensor
    wordings: Tensor

    def batches(self, size: int, generator: torch.Generator) -> Iterator[Batch]:
        """Endless batches, each picture with one of its wordings."""
        count = len(self.latents)
        while True:
            for picks in torch.randperm(count, generator=generator).split(size):  # type: ignore[no-untyped-call]
                if len(picks) < size:
                    continue
                chance = torch.rand(size, generator=generator)
                wording = (chance * self.wordings[picks]).long()
                ids = self.ids[self.first[picks] + wording]
                labels = None if self.labels is None else self.labels[picks]
                latents, weights = self.latents[picks].float(), self.weights[picks].float()
                yield Batch(latents, weights, labels, ids)


def train_transformer(
    corpus: Corpus,
    tokenizer: Tokenizer,
    config: HartConfig,
    folder: Path,
    minutes: float,
    preview: Callable[[Painter, int], None] | None = None,
    preview_every: int = 500,
    begin: Painter | None = None,
) -> Painter:
    """Train, or go on training, in `folder`; returns the averaged weights.

    `preview` is called with the averaged model and the step now and then. A fresh run begins with
    the weights of `begin`, or with random ones.
    """
    painter = begin or new_painter(config, seed=0)
    average = Average(painter)
    optimizers = make_optimizers(painter)
    peaks = [group["lr"] for each in optimizers for group in each.param_groups]
    run = Run(folder, "transformer", minutes)
    state = run.start()
    if state is not None:
        painter.load_state_dict(state["model"])
        for optimizer, kept in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        average.values, average.updates = state["average"], state["updates"]
    lessons = make_lessons(corpus, tokenizer, painter.text, config, folder / "latents.pt")
    generator = torch.Generator().manual_seed(run.step)
    batches = lessons.batches(BATCH, generator)
    while run.progress < 1:
        codes_loss, residual_loss = losses(painter, tokenizer, next(batches), config, generator)
        loss = codes_loss + RESIDUAL_WEIGHT * residual_loss
        groups = [group for each in optimizers for group in each.param_groups]
        for group, peak in zip(groups, peaks, strict=True):
            group["lr"] = run.learning_rate(peak, warm_up_steps=200)
        painter.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(painter.parameters(), 2.0)
        for optimizer in optimizers:
            optimizer.step()
        average.update(painter)
        run.log(codes=codes_loss, residual=residual_loss, gradient=norm)
        run.step += 1
        if preview is not None and run.step % preview_every == 0:
            preview(averaged(painter, average, config), run.step)
        if run.due():
            _save(run, painter, optimizers, average)
    _save(run, painter, optimizers, average)
    return averaged(painter, average, config)


def losses(
    painter: Painter,
    tokenizer: Tokenizer,
    batch: Batch,
    config: HartConfig,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Weighted cross entropy of the codes, and the residual head's loss, of one batch."""
    quantizer, c = tokenizer.quantizer, config.transformer
    latents, weights, labels, ids = batch
    with torch.no_grad():
        strength = wrongness(len(latents), generator)
        quantized = quantizer.encode(latents, lambda tokens: disturbed(tokens, strength, generator))
        inputs = quantizer.next_inputs(quantized)
    kept = draw_kept_tokens(len(latents), c.patch_nums[-1] ** 2, generator)
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
    t = torch.randint(1000, (len(z) * times,), generator=generator)
    noise = torch.randn(len(z) * times, target.shape[1], generator=generator)
    error, bound = painter.transformer.diffloss.loss(
        z.repeat(times, 1), target.repeat(times, 1), t, noise
    )
    return codes_loss, error.mean() + bound.mean()


def token_weights(weights: Tensor, sides: Sequence[int], kept: Tensor) -> Tensor:
    """What the tokens of every scale and the kept ones of the last weigh, (B, L)."""
    scales = [functional.adaptive_avg_pool2d(weights, side).flatten(1) for side in sides]
    return torch.cat([*scales[:-1], scales[-1].gather(1, kept)], dim=1)


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
        torch.randn(embedded.shape, generator=generator),
        lambda step: torch.randn(embedded.shape, generator=generator),
        hart.config.residual_steps,
        hart.config.residual_temperature,
    )
    return quantized.running[-2] + quantizer.lift(embedded + residual, quantizer.last)


def wrongness(rows: int, generator: torch.Generator) -> Tensor:
    """How wrong the codes read are to be, (rows, 1, 1): nought for some, up to the most."""
    some, much = torch.rand(2, rows, 1, 1, generator=generator)
    return torch.where(some < WRONG_SHARE, MOST_WRONG * much, 0.0)


def disturbed(tokens: Tensor, strength: Tensor, generator: torch.Generator) -> Tensor:
    """Tokens (B, L, C) with normal noise of `strength` (B, 1, 1) times their own deviation."""
    noise = torch.randn(tokens.shape, generator=generator)
    return tokens + strength * tokens.std(dim=(0, 1)) * noise


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
    corpus: Corpus, tokenizer: Tokenizer, text: HashTextEncoder, config: HartConfig, cache: Path
) -> Lessons:
    """Encode every picture and caption once; `cache` keeps the latents for a resumed run."""
    latents = _latents(corpus, tokenizer, cache)
    wordings = torch.tensor([len(captions) for captions in corpus.captions])
    ids = text.token_ids([caption for captions in corpus.captions for caption in captions])
    weights = cell_weights(corpus, latents.shape[-1])
    labels = None
    if config.transformer.label_classes:
        picks = range(len(corpus))
        labels = torch.stack([torch.from_numpy(corpus.labels_of(i, config.size_px)) for i in picks])
    first = wordings.cumsum(dim=0) - wordings
    return Lessons(latents, weights, labels, ids, first, wordings)


def cell_weights(corpus: Corpus, side: int) -> Tensor:
    """What the cells (N, side, side) of every picture weigh, in float16."""
    by_mark = torch.tensor(MARK_WEIGHTS)
    pooled = [
        functional.adaptive_avg_pool2d(by_mark[torch.from_numpy(marks.astype(int))][None], side)
        for marks in map(corpus.marks_of, range(len(corpus)))
    ]
    return torch.cat(pooled).half()


def _latents(corpus: Corpus, tokenizer: Tokenizer, cache: Path) -> Tensor:
    """Latents (N, C, P, P) in float16 of all pictures; kept for this corpus and this encoder."""
    weights = torch.cat([p.flatten() for p in tokenizer.vae.encoder.parameters()]).double()
    made_of = [len(corpus), float(weights.sum()), float(weights.square().sum())]
    if cache.exists():
        kept = torch.load(cache, weights_only=True)
        if isinstance(kept, dict) and kept["made_of"] == made_of:
            latents: Tensor = kept["latents"]
            return latents
    chunks = []
    for start in range(0, len(corpus), 16):
        picks = list(range(start, min(start + 16, len(corpus))))
        image = from_pixels(torch.from_numpy(corpus.batch(picks)))
        image = image.contiguous(memory_format=torch.channels_last)
        chunks.append(tokenizer.latent(image).half())
    latents = torch.cat(chunks)
    torch.save({"made_of": made_of, "latents": latents}, cache)
    return latents


def averaged(painter: Painter, average: Average, config: HartConfig) -> Painter:
    """A copy of the painter with its averaged weights, for sampling."""
    copy = Painter(config)
    copy.load_state_dict(average.values)
    return copy.eval()


def make_optimizers(painter: Painter) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of all blocks, AdamW for the rest, weight decay for matrices only."""
    blocks = [*painter.text.blocks.parameters(), *painter.transformer.blocks.parameters()]
    hidden = {id(p): p for p in blocks if p.ndim == 2}
    rest = [p for p in painter.parameters() if id(p) not in hidden]
    groups = [
        {"params": [p for p in rest if p.ndim > 1], "weight_decay": 0.02},
        {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0},
    ]
    return [
        Muon(hidden.values(), lr=MATRIX_RATE),
        torch.optim.AdamW(groups, lr=OTHER_RATE, betas=(0.9, 0.95), fused=True),
    ]


def _save(
    run: Run,
    painter: Painter,
    optimizers: Sequence[torch.optim.Optimizer],
    average: Average,
) -> None:
    run.save(
        model=painter.state_dict(),
        optimizers=[optimizer.state_dict() for optimizer in optimizers],
        average=average.values,
        updates=average.updates,
    )
