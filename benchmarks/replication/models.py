"""The models that are compared: HART, VAR, and diffusion transformers (DiT) of the same size."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from hartsim.hart.config import HartConfig, TextConfig, TokenizerConfig, TransformerConfig
from hartsim.hart.layers import Attention, RMSNorm, SinusoidEmbedding, SwiGLU
from hartsim.hart.text import Context, HashTextEncoder
from hartsim.training.transformer import new_painter

SIZE_PX = 64
SIDES = (1, 2, 3, 5, 8)
"""Token grids, coarse to fine: 103 tokens, the last 64 of them the cells that DiT denoises."""
CELLS = SIDES[-1] ** 2

HART = HartConfig(
    name="replication",
    transformer=TransformerConfig(
        context_token=48,
        context_dim=128,
        depth=4,
        embed_dim=128,
        num_heads=4,
        mlp_ratio=3.0,
        patch_nums=SIDES,
        diff_width=96,
        diff_depth=2,
    ),
    tokenizer=TokenizerConfig(
        vocab_size=2048,
        z_channels=16,
        ch=48,
        ch_mult=(1, 2),
        v_patch_nums=SIDES,
        stem_patch=4,
        encoder_blocks=1,
        decoder_blocks=2,
        attention=False,
        norm_groups=16,
        linear_shortcut=True,
    ),
    text=TextConfig(encoder="hash", buckets=2048, depth=1),
    guidance=1.0,
    more_smooth=False,
)
VAR = replace(HART, transformer=replace(HART.transformer, depth=HART.transformer.depth + 1))
"""The weights of the residual head are about those of one more block."""

Kind = Literal["hart", "var", "dit"]


@dataclass(frozen=True)
class Plan:
    """One model of the comparison."""

    kind: Kind
    config: HartConfig
    patch: int = 1
    """Side of the blocks of cells that are one token of a DiT."""


PLANS: Mapping[str, Plan] = {
    "hart": Plan("hart", HART),
    "var": Plan("var", VAR),
    "dit": Plan("dit", HART),
    "dit-patch2": Plan("dit", HART, patch=2),
}


class NoResidual(nn.Module):
    """In place of the residual head: the codes of the last scale are all there is."""

    def sample(self, z: Tensor, guidance: float, start: Tensor, *_: object) -> Tensor:
        """Nothing to add, (B, L, C)."""
        return torch.zeros_like(start)

    def loss(self, z: Tensor, *_: object) -> tuple[Tensor, Tensor]:
        """Nothing to learn, (N,) twice."""
        return z.new_zeros(len(z)), z.new_zeros(len(z))


@dataclass(frozen=True)
class Memory:
    """What all steps of a sampling see of the text, read once.

    Rows R are the B conditional ones and, if `nothing` is given, B null ones behind them, whose
    attention among equal tokens is one vector per layer.
    """

    keys: tuple[Tensor, ...]
    """(B, H, n, head channels) for each layer, and so are the values."""
    values: tuple[Tensor, ...]
    nothing: tuple[Tensor, ...] | None = None
    """(1, 1, C) for each layer."""


class TextAttention(nn.Module):
    """Attention from the cells of a latent to the text."""

    def __init__(self, channels: int, heads: int, context_dim: int) -> None:
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(channels, channels)
        self.kv = nn.Linear(context_dim, 2 * channels)
        self.proj = nn.Linear(channels, channels)

    def read(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (B, H, n, head channels) of normalised states (B, n, D)."""
        kv = self.kv(states).view(*states.shape[:2], 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        return kv[0], kv[1]

    def read_nothing(self, states: Tensor) -> Tensor:
        """What equal states (1, 1, D) bring to every cell, (1, 1, C)."""
        _, values = self.read(states)
        out: Tensor = self.proj(values.transpose(1, 2).flatten(2))
        return out

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, nothing: Tensor | None) -> Tensor:
        """What the text brings to cells (R, L, C); rows beyond those of the keys get `nothing`."""
        seeing = x[: len(keys)]
        q = self.q(seeing).view(*seeing.shape[:2], self.heads, -1).transpose(1, 2)
        mixed = functional.scaled_dot_product_attention(q, keys, values)
        out: Tensor = self.proj(mixed.transpose(1, 2).flatten(2))
        if nothing is None:
            return out
        return torch.cat([out, nothing.expand(len(x) - len(seeing), *out.shape[1:])])


class DiTBlock(nn.Module):
    """Self-attention, attention to the text and an MLP, modulated by time.

    Time enters as in PixArt (arXiv 2310.00426), by one map for all blocks and a table of each, but
    modulates the attention to the text as well.
    """

    def __init__(self, channels: int, heads: int, hidden: int, context_dim: int) -> None:
        super().__init__()
        self.norm_self = RMSNorm(channels, 1e-6)
        self.attn = Attention(channels, heads)
        self.attn.scale = (channels // heads) ** -0.5
        self.norm_text = RMSNorm(channels, 1e-6)
        self.text = TextAttention(channels, heads, context_dim)
        self.norm_ffn = RMSNorm(channels, 1e-6)
        self.ffn = SwiGLU(channels, hidden)
        self.table = nn.Parameter(torch.zeros(9, channels))

    def forward(
        self, x: Tensor, time: Tensor, keys: Tensor, values: Tensor, nothing: Tensor | None
    ) -> Tensor:
        """Map (R, L, C) at times (R or 1, 9, C)."""
        modulations = (time + self.table)[:, :, None].unbind(dim=1)  # each (R or 1, 1, C)
        scale, shift, gate = modulations[:3]
        x = x + gate * self.attn(torch.addcmul(shift, self.norm_self(x), 1 + scale))
        scale, shift, gate = modulations[3:6]
        cells = torch.addcmul(shift, self.norm_text(x), 1 + scale)
        x = x + gate * self.text(cells, keys, values, nothing)
        scale, shift, gate = modulations[6:]
        out: Tensor = x + gate * self.ffn(torch.addcmul(shift, self.norm_ffn(x), 1 + scale))
        return out


class DiT(nn.Module):
    """A diffusion transformer (arXiv 2212.09748) on the tokenizer's latents, which attends to text.

    It predicts the velocity of a rectified flow (arXiv 2209.03003) from latents, at time 0, to
    noise, at time 1; latents are normalised by channel.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: HartConfig, patch: int) -> None:
        super().__init__()
        c, z = config.transformer, config.tokenizer.z_channels
        self.patch = patch
        side = c.patch_nums[-1] // patch
        self.register_buffer("mean", torch.zeros(z, 1, 1))
        self.register_buffer("deviation", torch.ones(z, 1, 1))
        self.start = nn.Linear(z * patch**2, c.embed_dim)
        self.positions = nn.Parameter(torch.randn(side**2, c.embed_dim) * 0.02)
        self.time_embed = SinusoidEmbedding(c.embed_dim)
        self.time_map = nn.Linear(c.embed_dim, 9 * c.embed_dim)
        self.context_norm = RMSNorm(c.context_dim, c.norm_eps)
        self.blocks = nn.ModuleList(
            DiTBlock(c.embed_dim, c.num_heads, c.mlp_hidden, c.context_dim) for _ in range(c.depth)
        )
        self.norm_out = RMSNorm(c.embed_dim, 1e-6)
        self.table_out = nn.Parameter(torch.zeros(2, c.embed_dim))
        self.end = nn.Linear(c.embed_dim, z * patch**2)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=(3 * module.in_features) ** -0.5)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for closed in (self.time_map, self.end):  # "adaLN-zero": every block begins as identity
            nn.init.zeros_(closed.weight)

    def learn_statistics(self, latents: Tensor) -> None:
        """Normalise by the mean and the deviation of these latents (N, C, P, P)."""
        self.mean.copy_(latents.mean(dim=(0, 2, 3))[:, None, None])
        self.deviation.copy_(latents.std(dim=(0, 2, 3))[:, None, None])

    def normalised(self, latents: Tensor) -> Tensor:
        """What the flow ends at, (B, C, P, P)."""
        return (latents - self.mean) / self.deviation

    def latents_of(self, x: Tensor) -> Tensor:
        """The inverse of `normalised`."""
        return x * self.deviation + self.mean

    def read(self, context: Context, guided: bool = False) -> Memory:
        """The text as all steps see it."""
        states = self.context_norm(context.states)
        attending = [block.text for block in self.blocks if isinstance(block, DiTBlock)]
        pairs = [text.read(states) for text in attending]
        nothing = None
        if guided:
            blank = torch.zeros_like(states[:1, :1])
            nothing = tuple(text.read_nothing(blank) for text in attending)
        return Memory(tuple(k for k, _ in pairs), tuple(v for _, v in pairs), nothing)

    def embed_times(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """Modulations of the blocks (N, 9, C) and of the output (N, 2, C) at times (N,)."""
        embedded = self.time_embed(times * 1000)
        of_blocks = self.time_map(functional.silu(embedded)).unflatten(-1, (9, -1))
        return of_blocks, embedded[:, None] + self.table_out

    def forward(self, x: Tensor, time: tuple[Tensor, Tensor], memory: Memory) -> Tensor:
        """The velocity (R, C, P, P) at x, with one of `embed_times` for all or each of the rows."""
        of_blocks, of_end = time
        cells = functional.pixel_unshuffle(x, self.patch)
        h = self.start(cells.flatten(2).mT) + self.positions
        for index, block in enumerate(self.blocks):
            nothing = memory.nothing[index] if memory.nothing else None
            h = block(h, of_blocks, memory.keys[index], memory.values[index], nothing)
        scale, shift = of_end[:, :, None].unbind(dim=1)
        out = self.end(torch.addcmul(shift, self.norm_out(h), 1 + scale))
        return functional.pixel_shuffle(out.mT.reshape(cells.shape), self.patch)


class FlowPainter(nn.Module):
    """The part of a DiT that learns: text encoder and transformer."""

    def __init__(self, config: HartConfig, patch: int) -> None:
        super().__init__()
        self.text = HashTextEncoder(config)
        self.transformer = DiT(config, patch)
        nn.init.normal_(self.text.embedding.weight, std=0.5)
        nn.init.normal_(self.text.positions, std=0.02)


def new_model(plan: Plan, seed: int = 0) -> nn.Module:
    """Text encoder and transformer with random weights, which `seed` alone decides."""
    if plan.kind == "dit":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return FlowPainter(plan.config, plan.patch)
    painter = new_painter(plan.config, seed)
    if plan.kind == "var":
        painter.transformer.diffloss = NoResidual()  # type: ignore[assignment]
    return painter


def parameters_of(model: nn.Module) -> int:
    """How many numbers it learns."""
    return sum(weight.numel() for weight in model.parameters())
