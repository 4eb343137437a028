"""Generation: the coarse-to-fine loop of HART (arXiv 2410.10812, section 3)."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from hartsim.hart.config import Grid, HartConfig, scale_grids
from hartsim.hart.edit import LatentCanvas, torus_turn
from hartsim.hart.model import Hart
from hartsim.hart.noise import Noise
from hartsim.hart.quantizer import MultiScaleQuantizer
from hartsim.hart.text import Context
from hartsim.hart.transformer import Run

FINE_FROM = 7
"""Scales from this one on count as fine."""
MAX_TEMPERATURE, MIN_TEMPERATURE = 0.27, 0.005
"""Of the soft draw, at the coarsest and at the finest scale."""


@dataclass(frozen=True)
class SamplingSettings:
    """How codes are drawn; the defaults are the reference's."""

    guidance: float = 4.5
    """Reached at the finest scale, growing linearly from nothing; 0 leaves out the null rows."""
    more_smooth: bool = True
    """Add soft mixtures of codes instead of single ones."""
    top_k_coarse: int = 600
    top_k_fine: int = 300
    top_p: float = 0.0
    """Share of the probability that may be drawn; 0 is all of it."""
    greedy: bool = False
    """Take the likeliest code, with no randomness but the residual head's."""
    residual_steps: int = 8
    residual_temperature: float = 1.0
    guided_scales: int | None = None
    """Scales that are guided, from the coarsest; None is all. Fewer are faster."""
    kept_tokens: float = 1.0
    """Share of the last scale's tokens that go through the transformer: those where the picture
    changes most; the others take the state of the scale before. Less is faster."""
    choices: int = 1
    """Pictures drawn of a job with a `calm` prompt, of which one is kept; see `choosing`."""

    @classmethod
    def of(cls, config: HartConfig) -> "SamplingSettings":
        """What the model was made for."""
        return cls(
            config.guidance,
            config.more_smooth,
            top_p=config.top_p,
            residual_steps=config.residual_steps,
            residual_temperature=config.residual_temperature,
            choices=config.choices,
        )

    def strength(self, scale: int, ratio: float) -> float:
        """Guidance at a scale; 0 for none."""
        ended = self.guided_scales is not None and scale >= self.guided_scales
        return 0.0 if ended else self.guidance * ratio

    def top_k(self, scale: int) -> int:
        """How many codes may be drawn at a scale."""
        return self.top_k_coarse if scale < FINE_FROM else self.top_k_fine


@dataclass(frozen=True)
class Candidates:
    """The codes that may be drawn for each token, likeliest first."""

    logits: Tensor
    """(B, L, K), -inf for codes that are ruled out."""
    codes: Tensor
    """(B, L, K) indices into the codebook."""


@dataclass(frozen=True)
class Stage:
    """One scale as it was drawn."""

    logits: Tensor
    """Guided scores (B, L, V)."""
    codes: Tensor
    """(B, L); of a soft draw the likeliest code before the draw, at all scales but the last."""
    embedded: Tensor
    """What was added for each token, (B, L, C); at the last scale with the residual."""
    latent: Tensor
    """The sum of all scales so far, (B, C, H, W)."""


@dataclass(frozen=True)
class Wish:
    """What is to be painted, beside its context; by default a square from the prompt alone."""

    canvas: LatentCanvas | None = None
    """A latent that is repainted where its tokens are not forced."""
    negative: Context | None = None
    """What guidance leads away from; without one, from having no text at all."""
    labels: Tensor | None = None
    """Class ids (B, H, W) uint8, for models that follow them."""
    grid: Grid | None = None
    """Rows and columns of the last scale; None is a canvas's, or the model's own square."""
    wrapped: bool = False
    """Whether opposite edges touch; not together with a canvas."""


def generate(
    hart: Hart, context: Context, noise: Noise, settings: SamplingSettings, wish: Wish | None = None
) -> Tensor:
    """The latent (B, C, H, W) of B images; the tokenizer decodes it."""
    for stage in coarse_to_fine(hart, context, noise, settings, wish):
        latent = stage.latent
    return latent


@torch.no_grad()
def coarse_to_fine(
    hart: Hart, context: Context, noise: Noise, settings: SamplingSettings, wish: Wish | None = None
) -> Iterator[Stage]:
    """The scales of `generate`, one after the other."""
    transformer, quantizer = hart.transformer, hart.tokenizer.quantizer
    wish, last = wish or Wish(), quantizer.last
    canvas = wish.canvas
    grid = wish.grid or (quantizer.square if canvas is None else quantizer.grids(canvas.latent)[-1])
    null = (wish.negative or hart.nothing) if settings.guidance > 0 else None
    grids = scale_grids(quantizer.patch_nums, grid)
    run, hidden = transformer.begin(context, grids, null, wish.labels)
    batch, channels = len(context.states), hart.config.tokenizer.z_channels
    latent = torch.zeros(batch, channels, *grid, device=hart.device)
    for scale in range(last + 1):
        # The reference leaves this ratio as it was when it comes to the last scale.
        ratio = min(scale, last - 1) / last
        turn = torus_turn(scale, grids) if wish.wrapped else (0, 0)
        strength = settings.strength(scale, ratio)
        if scale > 0:
            inputs = quantizer.shrink(latent.roll(turn, dims=(2, 3)), scale)
            if scale == last and settings.kept_tokens < 1:
                free = None if canvas is None else ~canvas.forced[last]
                guided = strength > 0
                hidden = _advance_partly(run, grids, hidden, inputs, guided, free, hart, settings)
            else:
                hidden = transformer.advance(run, scale, inputs, strength > 0)
        logits = transformer.logits(hidden, run.modulation)
        if strength > 0:
            logits = guide(logits, strength)
        codes, embedded = _draw(quantizer, logits, scale, ratio, noise, settings)
        if canvas is not None:
            codes, embedded = canvas.force(quantizer, scale, latent, codes, embedded)
        if scale == last:
            embedded = embedded + _residual(hart, hidden, codes, strength, noise, settings)
        lifted = quantizer.lift(embedded, scale, grid, wish.wrapped)
        latent = latent + lifted.roll((-turn[0], -turn[1]), dims=(2, 3))
        if canvas is not None and scale == last:
            latent = canvas.restore(latent)
        yield Stage(logits, codes, embedded, latent)


def _advance_partly(
    run: Run,
    grids: Sequence[Grid],
    hidden: Tensor,
    inputs: Tensor,
    guided: bool,
    free: Tensor | None,
    hart: Hart,
    settings: SamplingSettings,
) -> Tensor:
    """The last scale's hidden states (R, L, C), of which only some are new.

    Taken are the tokens that differ most from their surroundings, those that are `free` (B, L)
    first; `hidden` are the states of the scale before. (After FastVAR, arXiv 2503.23367.)
    """
    before, last = grids[-2:]
    cells = inputs.mT.reshape(len(inputs), -1, *last)
    smooth = functional.interpolate(functional.adaptive_avg_pool2d(cells, before), last)
    count = math.ceil(settings.kept_tokens * inputs.shape[1])
    unlike = (cells - smooth).square().sum(dim=1).flatten(1)
    if free is not None:
        unlike = unlike.masked_fill(~free, -1)
    kept = unlike.topk(count).indices.sort().values
    new = hart.transformer.advance(run, len(grids) - 1, inputs, guided, kept)
    states = hidden[: len(new)].mT.reshape(len(new), -1, *before).float()
    old = functional.interpolate(states, last)
    index = kept.repeat(len(new) // len(kept), 1)[..., None].expand_as(new)
    return old.flatten(2).mT.to(new.dtype).scatter(1, index, new)


def guide(logits: Tensor, strength: float) -> Tensor:
    """Classifier-free guidance: (2B, L, V), conditional half first, → (B, L, V).

    Strength 0 keeps the conditional half, and 1 already doubles its lead over the null half.
    """
    conditional, null = logits.chunk(2)
    return (1 + strength) * conditional - strength * null


def best_candidates(logits: Tensor, top_k: int, top_p: float) -> Candidates:
    """The `top_k` likeliest codes of each token; those beyond the share `top_p` are ruled out.

    Of codes with equal scores at the k-th place one is kept, where the reference keeps all.
    """
    kept, codes = logits.topk(min(top_k, logits.shape[-1]), dim=-1)
    if top_p > 0:
        rising = kept.softmax(dim=-1).flip(-1).cumsum(dim=-1).flip(-1)
        unlikely = rising <= 1 - top_p
        unlikely[..., 0] = False
        kept = kept.masked_fill(unlikely, -torch.inf)
    return Candidates(kept, codes)


def draw_codes(candidates: Candidates, noise: Tensor) -> Tensor:
    """One code per token, (B, L), by a race of exponential `noise` (B, L, K) to its probability."""
    race = candidates.logits.softmax(dim=-1) / noise
    return candidates.codes.gather(-1, race.argmax(dim=-1, keepdim=True))[..., 0]


def mix_codes(candidates: Candidates, noise: Tensor, ratio: float, codebook: Tensor) -> Tensor:
    """A mixture (B, L, C) of code vectors, the sharper the nearer `ratio` is to 1 (Gumbel softmax).

    `noise` (B, L, K) is exponential, `codebook` (V, C).
    """
    gumbel = -noise.clamp(min=torch.finfo(noise.dtype).tiny).log()
    temperature = max(MAX_TEMPERATURE * (1 - 0.95 * ratio), MIN_TEMPERATURE)
    weights = (((1 + ratio) * candidates.logits + gumbel) / temperature).softmax(dim=-1)
    mixed = functional.embedding_bag(
        candidates.codes.flatten(0, 1),
        codebook,
        mode="sum",
        per_sample_weights=weights.flatten(0, 1),
    )
    return mixed.view(*candidates.codes.shape[:2], -1)


def _draw(
    quantizer: MultiScaleQuantizer,
    logits: Tensor,
    scale: int,
    ratio: float,
    noise: Noise,
    settings: SamplingSettings,
) -> tuple[Tensor, Tensor]:
    """Codes (B, L) and what is added for them (B, L, C), before the residual."""
    codebook, vocabulary = quantizer.embedding, logits.shape[2]
    candidates = best_candidates(logits, settings.top_k(scale), settings.top_p)
    codes = candidates.codes[..., 0]
    if not settings.greedy and (scale == quantizer.last or not settings.more_smooth):
        race = noise.exponential("codes", scale, candidates.codes, vocabulary)
        codes = draw_codes(candidates, race)
    if settings.greedy or not settings.more_smooth:
        embedded = codebook(codes)
    else:
        mixing = noise.exponential("smooth", scale, candidates.codes, vocabulary)
        embedded = mix_codes(candidates, mixing, ratio, codebook.weight)
    # Scores that are no numbers must not hide behind codes that are.
    return codes, embedded + 0 * candidates.logits[..., :1]


def _residual(
    hart: Hart,
    hidden: Tensor,
    codes: Tensor,
    strength: float,
    noise: Noise,
    settings: SamplingSettings,
) -> Tensor:
    """What the codes of the last scale leave out, (B, L, C)."""
    embedded = hart.tokenizer.quantizer.embedding(codes)
    shape = embedded.shape[1:]
    if strength > 0:
        embedded = torch.cat([embedded, embedded])
    return hart.transformer.diffloss.sample(
        hart.transformer.residual_condition(hidden, embedded),
        strength,
        noise.normal("residual", 0, shape),
        lambda step: noise.normal("residual", step, shape),
        settings.residual_steps,
        settings.residual_temperature,
    )
