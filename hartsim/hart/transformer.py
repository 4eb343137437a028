"""HART's autoregressive transformer over scales (arXiv 2410.10812, section 3.2).

The sequence is the text context, then the token grids from coarse to fine. The last context
position predicts the single token of the first scale; every later scale predicts its own tokens
from an area-averaged view of what the scales before it have drawn.
"""

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from hartsim.hart.config import Grid, HartConfig, scale_grids
from hartsim.hart.diffusion import ResidualHead
from hartsim.hart.flow import FlowHead
from hartsim.hart.layers import (
    Block,
    KVCache,
    RMSNorm,
    Rotary,
    SinusoidEmbedding,
    image_rotary,
    text_rotary,
)
from hartsim.hart.text import Context
from hartsim.types import UNKNOWN

KEPT_AT_LEAST = 32
LABEL_PARTS = 4
"""Parts along one side of a cell, of which each shows its own shares of the classes."""


class AdaptiveNorm(nn.Module):
    """The norm before the head, modulated by the context as a whole."""

    def __init__(self, channels: int, eps: float) -> None:
        super().__init__()
        self.ln_wo_grad = RMSNorm(channels, eps)
        self.ada_lin = nn.Sequential(nn.SiLU(), nn.Linear(channels, 2 * channels))

    def modulation(self, context: Tensor) -> Tensor:
        """Scale and shift, (R, 1, 2C), of embedded context tokens (R, n, C)."""
        out: Tensor = self.ada_lin(context.amax(dim=1, keepdim=True))
        return out

    def forward(self, x: Tensor, modulation: Tensor) -> Tensor:
        """Normalise (R, L, C)."""
        scale, shift = modulation.chunk(2, dim=-1)
        out: Tensor = self.ln_wo_grad(x) * (1 + scale) + shift
        return out


@dataclass(frozen=True)
class Prediction:
    """What the training forward returns."""

    logits: Tensor
    """(B, 1 + L, V): for every token of every scale, the last scale's `kept` ones only."""
    hidden: Tensor
    """(B, K, C): the last layer at the last scale's kept tokens."""


@dataclass(frozen=True)
class Nothing:
    """What the null context, `context_token` tokens without states at position 0, leaves behind.

    Attention among equals returns their common value, so one token stands for all of them.
    """

    keys: Tensor
    """(layers, 1, H, 1, head channels), and so are the values."""
    values: Tensor
    modulation: Tensor
    """(1, 1, 2C)"""


@dataclass(frozen=True)
class Run:
    """A generation under way: all that does not change from scale to scale, and the cache.

    Rows R are the B conditional ones and, if `guided`, B null ones behind them.
    """

    batch: int
    guided: bool
    levels: Tensor
    modulation: Tensor
    rotary: tuple[Rotary, ...]
    labels: tuple[Tensor, ...]
    """What a label map adds to the tokens of each scale after the first, (B, L, C); or nothing."""
    starts: tuple[int, ...]
    """Tokens in the cache before each scale."""
    cache: KVCache


class HartTransformer(nn.Module):
    """The transformer with its token head and its residual-diffusion head `diffloss`."""

    def __init__(self, config: HartConfig) -> None:
        super().__init__()
        c, latent_channels = config.transformer, config.tokenizer.z_channels
        self.config = c
        self.word_embed = nn.Linear(latent_channels, c.embed_dim)
        self.context_norm = RMSNorm(c.context_dim, c.norm_eps)
        self.context_embed = nn.Linear(c.context_dim, c.embed_dim)
        self.lvl_embed = SinusoidEmbedding(c.embed_dim)
        self.blocks = nn.ModuleList(
            Block(c.embed_dim, c.num_heads, c.mlp_hidden, c.norm_eps) for _ in range(c.depth)
        )
        self.head_nm = AdaptiveNorm(c.embed_dim, c.norm_eps)
        self.head = nn.Linear(c.embed_dim, config.tokenizer.vocab_size)
        self.decoder_norm = RMSNorm(c.embed_dim, c.norm_eps)
        self.label_embed: nn.Conv2d | None = None
        if c.label_classes:
            self.label_embed = nn.Conv2d(
                c.label_classes, c.embed_dim, LABEL_PARTS, LABEL_PARTS, bias=False
            )
            nn.init.zeros_(self.label_embed.weight)
        head = FlowHead if c.diff_process == "flow" else ResidualHead
        self.diffloss = head(latent_channels, c.embed_dim, c.diff_width, c.diff_depth)

    def forward(
        self,
        context: Context,
        inputs: Tensor,
        kept: Tensor | None = None,
        labels: Tensor | None = None,
        grid: Grid | None = None,
    ) -> Prediction:
        """Predict all scales at once, from the true tokens before each (training).

        `inputs` (B, L, latent channels) are the quantizer's `next_inputs`; `kept` (B, K) are the
        last scale's tokens that take part, all by default (see `draw_kept_tokens`); `labels` are
        as in `embed_labels`; `grid` is the last scale's, by default the model's own square.
        """
        sides = self.config.patch_nums
        grids = scale_grids(sides, grid or (sides[-1], sides[-1]))
        before = inputs.shape[1] - grids[-1][0] * grids[-1][1]
        index = torch.arange(inputs.shape[1], device=inputs.device).expand(len(inputs), -1)
        if kept is not None:
            index = torch.cat([index[:, :before], before + kept], dim=1)
        embedded = self.embed_context(context)
        tokens = self.word_embed(inputs.to(self.like.dtype))
        if labels is not None:
            tokens = tokens + torch.cat(self.embed_labels(labels, grids), dim=1)
        tokens = tokens.gather(1, index[..., None].expand(-1, -1, tokens.shape[2]))

        of_image = _levels(grids[1:], inputs.device)
        level = torch.cat([of_image.new_zeros(embedded.shape[1]), of_image[: index.shape[1]]])
        x = torch.cat([embedded, tokens], dim=1) + self.embed_levels()[level]

        image = Rotary.join(list(self.image_tables(context.position_ids[:, -1], grids)))
        text = text_rotary(context.position_ids, self.config.head_dim).to(x.dtype)
        rotary = Rotary.join([text, image.pick(index)])
        mask = level[:, None] >= level[None, :]
        for block in self.blocks:
            x = block(x, rotary, mask)
        predicting = x[:, embedded.shape[1] - 1 :]
        logits = self.logits(predicting, self.head_nm.modulation(embedded))
        return Prediction(logits, x[:, embedded.shape[1] + before :])

    @torch.no_grad()
    def begin(
        self,
        context: Context,
        grids: Sequence[Grid],
        null: Nothing | Context | None = None,
        labels: Tensor | None = None,
    ) -> tuple[Run, Tensor]:
        """Read the context; return the run and the hidden state (B, 1, C) of the first scale.

        With a `null` context the run is guided: from nothing at all (see `read_nothing`), or from a
        negative prompt. `labels` are as in `embed_labels`; the null rows do not see them.
        """
        c, (batch, length, _) = self.config, context.states.shape
        rows = batch if null is None else 2 * batch
        sizes = [length, *(height * width for height, width in grids[1:])]
        starts = (0, *itertools.accumulate(sizes))[: len(grids)]
        cache = KVCache.allocate(self.like, c.depth, rows, c.num_heads, starts[-1], c.head_dim)
        levels = self.embed_levels()
        hidden, modulation, offsets = self._read_text(context, cache.rows(0, batch), levels)
        if isinstance(null, Context):
            _, other, start = self._read_text(null, cache.rows(batch, rows), levels)
            modulation, offsets = torch.cat([modulation, other]), torch.cat([offsets, start])
        elif null is not None:
            # Attention with a bias is slow on CUDA; there the one key is written out again.
            first = 0 if self.like.is_cuda else length - 1
            cache.keys[:, batch:, :, first:length] = null.keys
            cache.values[:, batch:, :, first:length] = null.values
            cache = replace(cache, short_rows=batch if first else 0, short_from=first)
            modulation = torch.cat([modulation, null.modulation.expand(batch, -1, -1)])
            offsets = torch.cat([offsets, torch.zeros_like(offsets)])
        shown = () if labels is None else self.embed_labels(labels, grids)
        rotary = self.image_tables(offsets, grids)
        run = Run(batch, null is not None, levels, modulation, rotary, shown, starts, cache)
        return run, hidden

    @torch.no_grad()
    def advance(
        self, run: Run, scale: int, inputs: Tensor, guided: bool = True, kept: Tensor | None = None
    ) -> Tensor:
        """Hidden states (R, L, C) of a scale after the first; `inputs` (B, L, latent channels).

        Without guidance, here or in the run, R is B. Of the last scale `kept` (B, K) may name the
        tokens that take part.
        """
        x = self.word_embed(inputs.to(self.like.dtype)) + run.levels[scale]
        labelled = x + run.labels[scale - 1] if run.labels else x
        rotary, rows = run.rotary[scale - 1], run.batch
        if run.guided and guided:
            x, rows = torch.cat([labelled, x]), 2 * run.batch
        else:
            x = labelled
        rotary = rotary.rows(rows)
        if kept is not None:
            index = kept.repeat(rows // run.batch, 1)
            x = x.gather(1, index[..., None].expand(-1, -1, x.shape[2]))
            rotary = rotary.pick(index)
        return self._through_blocks(x, rotary, run.cache.rows(0, rows), run.starts[scale])

    def logits(self, hidden: Tensor, modulation: Tensor) -> Tensor:
        """Scores (R, L, V) of the codes."""
        out: Tensor = self.head(self.head_nm(hidden, modulation[: len(hidden)]))
        return out.float()

    def residual_condition(self, hidden: Tensor, embedded_codes: Tensor) -> Tensor:
        """What the diffusion head sees of last-scale tokens: (..., C) and codes (..., latent)."""
        words = self.word_embed(embedded_codes.to(self.like.dtype))
        out: Tensor = self.decoder_norm(hidden + words)
        return out

    @property
    def like(self) -> Tensor:
        """A tensor with the dtype and the device of the model."""
        return self.decoder_norm.weight

    def embed_context(self, context: Context) -> Tensor:
        """Context tokens (B, n, C)."""
        states = context.states.to(self.like.dtype)
        out: Tensor = self.context_embed(self.context_norm(states))
        return out

    def embed_levels(self) -> Tensor:
        """One vector per scale, (S, C); the context has the first."""
        scales = torch.arange(len(self.config.patch_nums), device=self.like.device)
        out: Tensor = self.lvl_embed(scales)
        return out

    def embed_labels(self, labels: Tensor, grids: Sequence[Grid]) -> tuple[Tensor, ...]:
        """What class ids (B, H, W) uint8 add to the tokens of each scale but the first, (B, L, C).

        H and W are those of the picture; ids beyond the model's classes, such as that of unknown
        pixels, add nothing. ValueError for a model that follows no labels.
        """
        if self.label_embed is None:
            raise ValueError("labels are given, but this model follows none (label_classes is 0)")
        ids = torch.arange(self.config.label_classes, device=labels.device)
        shown = (labels[:, None] == ids[:, None, None]).to(self.like.dtype)
        parts = (LABEL_PARTS * grids[-1][0], LABEL_PARTS * grids[-1][1])
        cells = self.label_embed(functional.adaptive_avg_pool2d(shown, parts))
        pooled = [functional.adaptive_avg_pool2d(cells, grid) for grid in grids[1:]]
        return tuple(each.flatten(2).mT for each in pooled)

    def image_tables(self, offsets: Tensor, grids: Sequence[Grid]) -> tuple[Rotary, ...]:
        """Rotary tables of the scales after the first, for rows with text up to `offsets` (R,)."""
        return tuple(
            image_rotary(grid, grids[-1], offsets, self.config.head_dim).to(self.like.dtype)
            for grid in grids[1:]
        )

    @torch.no_grad()
    def read_nothing(self) -> Nothing:
        """What the null context leaves in the cache, the same for every prompt."""
        c = self.config
        nothing = Context(
            self.like.new_zeros(1, 1, c.context_dim),
            torch.zeros(1, 1, dtype=torch.long, device=self.like.device),
        )
        cache = KVCache.allocate(self.like, c.depth, 1, c.num_heads, 1, c.head_dim)
        _, modulation, _ = self._read_text(nothing, cache, self.embed_levels())
        return Nothing(cache.keys, cache.values, modulation)

    def _read_text(
        self, context: Context, cache: KVCache, levels: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Fill the cache; last hidden state (R, 1, C), modulation (R, 1, 2C), offsets (R,)."""
        embedded = self.embed_context(context)
        rotary = text_rotary(context.position_ids, self.config.head_dim).to(self.like.dtype)
        hidden = self._through_blocks(embedded + levels[0], rotary, cache, 0)
        return hidden[:, -1:], self.head_nm.modulation(embedded), context.position_ids[:, -1]

    def _through_blocks(self, x: Tensor, rotary: Rotary, cache: KVCache, start: int) -> Tensor:
        for layer, block in enumerate(self.blocks):
            x = block(x, rotary, cache=cache.layer(layer, start))
        return x


@functools.cache
@torch.inference_mode(False)
def _levels(grids: tuple[Grid, ...], device: torch.device) -> Tensor:
    """The scale, from 1, of every token of these grids, (L,)."""
    scales = [s for s, grid in enumerate(grids, 1) for _ in range(grid[0] * grid[1])]
    return torch.tensor(scales, device=device)


def drop_context(context: Context, rate: float, generator: torch.Generator) -> Context:
    """Replace the context of about `rate` of the rows by the null context (training).

    The reference compares a normal, not a uniform, draw with the rate and so drops far more.
    """
    draws = torch.rand(len(context.states), generator=generator, device=generator.device)
    kept = (draws >= rate).to(context.states.device)
    return Context(context.states * kept[:, None, None], context.position_ids * kept[:, None])


def drop_labels(labels: Tensor, rate: float, generator: torch.Generator) -> Tensor:
    """Replace the labels (B, H, W) of about `rate` of the rows by unknown ones (training)."""
    dropped = torch.rand(len(labels), generator=generator, device=generator.device) < rate
    return labels.masked_fill(dropped.to(labels.device)[:, None, None], UNKNOWN)


def draw_kept_tokens(
    rows: int, tokens: int, generator: torch.Generator, weights: Tensor | None = None
) -> Tensor:
    """Which of the last scale's tokens take part in a training step: sorted indices (rows, K).

    One drop ratio per batch, from a normal around 1 cut to [.5, 1]; at least 32 tokens remain. The
    reference draws all tokens alike; with `weights` (rows, tokens), above 0, those that weigh
    more are drawn more often (Efraimidis and Spirakis, 2006).
    """
    ratio = torch.empty(1, device=generator.device)
    nn.init.trunc_normal_(ratio, mean=1.0, std=0.25, a=0.5, b=1.0, generator=generator)
    dropped = max(min(math.ceil(ratio.item() * tokens), tokens - KEPT_AT_LEAST), 0)
    lots = torch.rand(rows, tokens, generator=generator, device=generator.device)
    if weights is not None:
        lots = lots.log() / weights
    return lots.argsort(dim=1)[:, dropped:].sort(dim=1).values


def init_transformer(model: HartTransformer) -> None:
    """Initialise for training, from torch's current seed.

    Embeddings and projections start small, each block's outputs smaller with depth, the denoiser's
    modulations at zero (as in DiT, arXiv 2212.09748).
    """
    std = math.sqrt(1 / (3 * model.config.embed_dim))
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith(("attn.proj.weight", "ffn.down_proj.weight")):
                weight.div_(math.sqrt(2 * model.config.depth))
            if "adaLN_modulation" in name or "final_layer.linear" in name:
                nn.init.zeros_(weight)
        model.head.weight.mul_(0.02)
