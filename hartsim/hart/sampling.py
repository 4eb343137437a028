"""Generation: the coarse-to-fine loop of HART (arXiv 2410.10812, section 3)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from hartsim.hart.config import HartConfig
from hartsim.hart.model import Hart
from hartsim.hart.noise import Noise
from hartsim.hart.quantizer import MultiScaleQuantizer
from hartsim.hart.text import Context

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
class LatentCanvas:
    """A latent that is there already, and the tokens of each scale that must reproduce it."""

    latent: Tensor
    """(B, C, P, P)"""
    forced: tuple[Tensor, ...]
    """Bool (B, L) for each scale."""

    @classmethod
    def around(
        cls,
        latent: Tensor,
        editable: Tensor,
        keep_scales: Sequence[int],
        patch_nums: Sequence[int],
    ) -> "LatentCanvas":
        """Force all tokens but those whose cell has an editable pixel.

        `editable` is bool (B, height, width); the first `keep_scales[b]` scales of sample b are
        forced everywhere.
        """
        keep = torch.tensor(keep_scales, device=latent.device)[:, None]
        changes = editable[:, None].float()
        free = [functional.adaptive_max_pool2d(changes, side).flatten(1) for side in patch_nums]
        return cls(latent, tuple((f == 0) | (keep > scale) for scale, f in enumerate(free)))

    def force(
        self,
        quantizer: MultiScaleQuantizer,
        scale: int,
        running: Tensor,
        codes: Tensor,
        embedded: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Codes (B, L) and their vectors (B, L, C), forced where they must be.

        A forced token takes the code nearest to what the `running` latent still lacks, which also
        corrects the errors of the scales before.
        """
        wanted = quantizer.nearest(quantizer.shrink(self.latent - running, scale))
        forced = self.forced[scale]
        embedded = torch.where(forced[..., None], quantizer.embedding(wanted), embedded)
        return torch.where(forced, wanted, codes), embedded

    def restore(self, latent: Tensor) -> Tensor:
        """The finished latent, with the forced cells exactly as they were."""
        forced = self.forced[-1].view(len(latent), 1, *latent.shape[2:])
        return torch.where(forced, self.latent, latent)


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
    """The sum of all scales so far, (B, C, P, P)."""


def generate(
    hart: Hart,
    context: Context,
    noise: Noise,
    settings: SamplingSettings,
    canvas: LatentCanvas | None = None,
    negative: Context | None = None,
) -> Tensor:
    """The latent (B, C, P, P) of B images; the tokenizer decodes it.

    A `canvas` is repainted where its tokens are not forced. The `negative` context is what guidance
    leads away from; without one it leads away from having no text.
    """
    for stage in coarse_to_fine(hart, context, noise, settings, canvas, negative):
        latent = stage.latent
    return latent


@torch.no_grad()
def coarse_to_fine(
    hart: Hart,
    context: Context,
    noise: Noise,
    settings: SamplingSettings,
    canvas: LatentCanvas | None = None,
    negative: Context | None = None,
) -> Iterator[Stage]:
    """The scales of `generate`, one after the other."""
    transformer, quantizer = hart.transformer, hart.tokenizer.quantizer
    guided, last = settings.guidance > 0, quantizer.last
    run, hidden = transformer.begin(context, guided, negative)
    side, channels = quantizer.patch_nums[-1], hart.config.tokenizer.z_channels
    latent = context.states.new_zeros(len(context.states), channels, side, side)
    for scale in range(last + 1):
        if scale > 0:
            hidden = transformer.advance(run, scale, quantizer.shrink(latent, scale))
        # The reference leaves this ratio as it was when it comes to the last scale.
        ratio = min(scale, last - 1) / last
        strength = settings.guidance * ratio if guided else None
        logits = transformer.logits(hidden, run.modulation)
        if strength is not None:
            logits = guide(logits, strength)
        codes, embedded = _draw(quantizer, logits, scale, ratio, noise, settings)
        if canvas is not None:
            codes, embedded = canvas.force(quantizer, scale, latent, codes, embedded)
        if scale == last:
            embedded = embedded + _residual(hart, hidden, codes, strength, noise, settings)
        latent = latent + quantizer.lift(embedded, scale)
        if canvas is not None and scale == last:
            latent = canvas.restore(latent)
        yield Stage(logits, codes, embedded, latent)


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
    """One code per token, (B, L), by a race of exponential `noise` (B, L, V) to its probability."""
    race = candidates.logits.softmax(dim=-1) / noise.gather(-1, candidates.codes)
    return candidates.codes.gather(-1, race.argmax(dim=-1, keepdim=True))[..., 0]


def mix_codes(candidates: Candidates, noise: Tensor, ratio: float, codebook: Tensor) -> Tensor:
    """A mixture (B, L, C) of code vectors, the sharper the nearer `ratio` is to 1 (Gumbel softmax).

    `noise` (B, L, V) is exponential, `codebook` (V, C).
    """
    gumbel = -noise.gather(-1, candidates.codes).clamp(min=torch.finfo(noise.dtype).tiny).log()
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
    codebook = quantizer.embedding
    candidates = best_candidates(logits, settings.top_k(scale), settings.top_p)
    codes = candidates.codes[..., 0]
    if settings.greedy:
        return codes, codebook(codes)
    if scale == quantizer.last or not settings.more_smooth:
        codes = draw_codes(candidates, noise.exponential("codes", scale, logits.shape[1:]))
    if not settings.more_smooth:
        return codes, codebook(codes)
    mixing = noise.exponential("smooth", scale, logits.shape[1:])
    return codes, mix_codes(candidates, mixing, ratio, codebook.weight)


def _residual(
    hart: Hart,
    hidden: Tensor,
    codes: Tensor,
    strength: float | None,
    noise: Noise,
    settings: SamplingSettings,
) -> Tensor:
    """What the codes of the last scale leave out, (B, L, C)."""
    embedded = hart.tokenizer.quantizer.embedding(codes)
    shape = embedded.shape[1:]
    if strength is not None:
        embedded = torch.cat([embedded, embedded])
    return hart.transformer.diffloss.sample(
        hart.transformer.residual_condition(hidden, embedded),
        strength,
        noise.normal("residual", 0, shape),
        lambda step: noise.normal("residual", step, shape),
        settings.residual_steps,
        settings.residual_temperature,
    )
