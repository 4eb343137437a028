"""HART's autoregressive transformer over scales (arXiv 2410.10812, section 3.2).

The sequence is the text context, then the token grids from coarse to fine. The last context
position predicts the single token of the first scale; every later scale predicts its own tokens
from an area-averaged view of what the scales before it have drawn.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hartsim.hart.config import HartConfig
from hartsim.hart.diffusion import ResidualHead
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

KEPT_AT_LEAST = 32


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
class Run:
    """A generation under way: all that does not change from scale to scale, and the cache.

    Rows R are the B conditional ones and, if `guided`, B null ones behind them.
    """

    guided: bool
    levels: Tensor
    modulation: Tensor
    rotary: tuple[Rotary, ...]
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
        self.diffloss = ResidualHead(latent_channels, c.embed_dim, c.diff_width, c.diff_depth)

    def forward(self, context: Context, inputs: Tensor, kept: Tensor | None = None) -> Prediction:
        """Predict all scales at once, from the true tokens before each (training).

        `inputs` (B, L, latent channels) are the quantizer's `next_inputs`; `kept` (B, K) are the
        last scale's tokens that take part, all by default (see `draw_kept_tokens`).
        """
        sides = self.config.patch_nums
        before = inputs.shape[1] - sides[-1] ** 2
        index = torch.arange(inputs.shape[1], device=inputs.device).expand(len(inputs), -1)
        if kept is not None:
            index = torch.cat([index[:, :before], before + kept], dim=1)
        embedded = self.embed_context(context)
        tokens = self.word_embed(inputs.gather(1, index[..., None].expand(-1, -1, inputs.shape[2])))

        sizes = torch.tensor([side * side for side in sides[1:]], device=inputs.device)
        of_image = torch.arange(1, len(sides), device=inputs.device).repeat_interleave(sizes)
        level = torch.cat([of_image.new_zeros(embedded.shape[1]), of_image[: index.shape[1]]])
        x = torch.cat([embedded, tokens], dim=1) + self.embed_levels()[level]

        image = Rotary.join(list(self.image_tables(context.position_ids[:, -1])))
        text = text_rotary(context.position_ids, self.config.head_dim)
        rotary = Rotary.join([text, image.pick(index)])
        mask = level[:, None] >= level[None, :]
        for block in self.blocks:
            x = block(x, rotary, mask)
        predicting = x[:, embedded.shape[1] - 1 :]
        logits = self.logits(predicting, self.head_nm.modulation(embedded))
        return Prediction(logits, x[:, embedded.shape[1] + before :])

    @torch.no_grad()
    def begin(
        self, context: Context, guided: bool, negative: Context | None = None
    ) -> tuple[Run, Tensor]:
        """Read the context; return the run and the hidden state (R, 1, C) of the first scale.

        The null rows of a guided run have the `negative` context, by default none at all.
        """
        c, (batch, length, _) = self.config, context.states.shape
        rows = 2 * batch if guided else batch
        weight = self.head.weight
        tokens = length + c.image_tokens
        cache = KVCache.allocate(weight, c.depth, rows, c.num_heads, tokens, c.head_dim)
        hidden, modulation, offsets = self._read_text(context, cache.rows(0, batch))
        if guided:
            null_cache = cache.rows(batch, rows)
            null = (
                self._read_text(negative, null_cache)
                if negative is not None
                else self._read_nothing(length, null_cache)
            )
            hidden = torch.cat([hidden, null[0]])
            modulation = torch.cat([modulation, null[1]])
            offsets = torch.cat([offsets, null[2]])
        cache.filled = length
        rotary = self.image_tables(offsets)
        return Run(guided, self.embed_levels(), modulation, rotary, cache), hidden

    @torch.no_grad()
    def advance(self, run: Run, scale: int, inputs: Tensor) -> Tensor:
        """Hidden states (R, L, C) of a scale after the first; `inputs` (B, L, latent channels)."""
        x = self.word_embed(inputs) + run.levels[scale]
        if run.guided:
            x = torch.cat([x, x])
        return self._through_blocks(x, run.rotary[scale - 1], run.cache)

    def logits(self, hidden: Tensor, modulation: Tensor) -> Tensor:
        """Scores (R, L, V) of the codes."""
        out: Tensor = self.head(self.head_nm(hidden, modulation))
        return out

    def residual_condition(self, hidden: Tensor, embedded_codes: Tensor) -> Tensor:
        """What the diffusion head sees of last-scale tokens: (..., C) and codes (..., latent)."""
        out: Tensor = self.decoder_norm(hidden + self.word_embed(embedded_codes))
        return out

    def embed_context(self, context: Context) -> Tensor:
        """Context tokens (B, n, C)."""
        out: Tensor = self.context_embed(self.context_norm(context.states))
        return out

    def embed_levels(self) -> Tensor:
        """One vector per scale, (S, C); the context has the first."""
        scales = torch.arange(len(self.config.patch_nums), device=self.head.weight.device)
        out: Tensor = self.lvl_embed(scales)
        return out

    def image_tables(self, offsets: Tensor) -> tuple[Rotary, ...]:
        """Rotary tables of the scales after the first, for rows with text up to `offsets` (R,)."""
        sides = self.config.patch_nums
        return tuple(
            image_rotary(side, sides[-1], offsets, self.config.head_dim) for side in sides[1:]
        )

    def _read_text(self, context: Context, cache: KVCache) -> tuple[Tensor, Tensor, Tensor]:
        """Fill the cache; last hidden state (R, 1, C), modulation (R, 1, 2C), offsets (R,)."""
        embedded = self.embed_context(context)
        rotary = text_rotary(context.position_ids, self.config.head_dim)
        hidden = self._through_blocks(embedded + self.embed_levels()[0], rotary, cache)
        return hidden[:, -1:], self.head_nm.modulation(embedded), context.position_ids[:, -1]

    def _read_nothing(self, length: int, cache: KVCache) -> tuple[Tensor, Tensor, Tensor]:
        """As `_read_text` for the null context: `length` tokens without states, at position 0.

        Attention among equals returns their common value, so one token stands for all of them.
        """
        c, rows, weight = self.config, cache.keys.shape[1], self.head.weight
        nothing = Context(
            weight.new_zeros(1, 1, c.context_dim),
            torch.zeros(1, 1, dtype=torch.long, device=weight.device),
        )
        single = KVCache.allocate(weight, c.depth, 1, c.num_heads, 1, c.head_dim)
        hidden, modulation, offsets = self._read_text(nothing, single)
        cache.keys[..., :length, :] = single.keys
        cache.values[..., :length, :] = single.values
        return hidden.expand(rows, -1, -1), modulation.expand(rows, -1, -1), offsets.expand(rows)

    def _through_blocks(self, x: Tensor, rotary: Rotary, cache: KVCache) -> Tensor:
        for layer, block in enumerate(self.blocks):
            x = block(x, rotary, cache=cache, layer=layer)
        cache.filled += x.shape[1]
        return x


def drop_context(context: Context, rate: float, generator: torch.Generator) -> Context:
    """Replace the context of about `rate` of the rows by the null context (training).

    The reference compares a normal, not a uniform, draw with the rate and so drops far more.
    """
    draws = torch.rand(len(context.states), generator=generator, device=generator.device)
    kept = (draws >= rate).to(context.states.device)
    return Context(context.states * kept[:, None, None], context.position_ids * kept[:, None])


def draw_kept_tokens(rows: int, tokens: int, generator: torch.Generator) -> Tensor:
    """Which of the last scale's tokens take part in a training step: sorted indices (rows, K).

    One drop ratio per batch, from a normal around 1 cut to [.5, 1]; at least 32 tokens remain.
    """
    ratio = torch.empty(1, device=generator.device)
    nn.init.trunc_normal_(ratio, mean=1.0, std=0.25, a=0.5, b=1.0, generator=generator)
    dropped = max(min(math.ceil(ratio.item() * tokens), tokens - KEPT_AT_LEAST), 0)
    order = torch.rand(rows, tokens, generator=generator, device=generator.device).argsort(dim=1)
    return order[:, dropped:].sort(dim=1).values


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
