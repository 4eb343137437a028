"""The parts that HART's transformer, diffusion head and text encoder are built from.

Module and parameter names are those of the published state dict, odd ones included.
Source: HART, arXiv 2410.10812; rotary embeddings after RoFormer (arXiv 2104.09864).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from hartsim.hart.config import Grid

ROTARY_BASE = 10000.0
SINUSOID_CHANNELS = 256


class RMSNorm(nn.Module):
    """Root-mean-square normalisation over the last axis, with a learned weight."""

    def __init__(self, channels: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (..., C)."""
        return functional.rms_norm(x, self.weight.shape, self.weight, self.eps)


class SwiGLU(nn.Module):
    """The Llama MLP: down(SiLU(gate(x)) * up(x)), without biases."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(channels, hidden, bias=False)
        self.up_proj = nn.Linear(channels, hidden, bias=False)
        self.down_proj = nn.Linear(hidden, channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., C) to (..., C)."""
        out: Tensor = self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class SinusoidEmbedding(nn.Module):
    """An MLP over sinusoids: embeds a level, or a diffusion timestep."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(SINUSOID_CHANNELS, channels), nn.SiLU(), nn.Linear(channels, channels)
        )

    def forward(self, values: Tensor) -> Tensor:
        """Embed (N,) numbers as (N, C)."""
        half = SINUSOID_CHANNELS // 2
        steps = torch.arange(half, device=values.device, dtype=torch.float32)
        angles = values.float()[:, None] * torch.exp(-math.log(ROTARY_BASE) * steps / half)
        waves = torch.cat([angles.cos(), angles.sin()], dim=-1)
        out: Tensor = self.mlp(waves.to(next(self.mlp.parameters()).dtype))
        return out


@dataclass(frozen=True)
class Rotary:
    """Tables of rotary embeddings, (R, 1, L, head channels) each, shared by all layers."""

    cos: Tensor
    sin: Tensor

    @classmethod
    def of_angles(cls, angles: Tensor) -> "Rotary":
        """The tables of angles (R, L, head channels)."""
        return cls(angles.cos()[:, None], angles.sin()[:, None])

    def rotate(self, x: Tensor) -> Tensor:
        """Turn queries or keys (..., R, H, L, head channels)."""
        first, second = x.chunk(2, dim=-1)
        return torch.addcmul(x * self.cos, torch.cat([-second, first], dim=-1), self.sin)

    def to(self, dtype: torch.dtype) -> "Rotary":
        """The tables in another precision; they are always made in float32."""
        return Rotary(self.cos.to(dtype), self.sin.to(dtype))

    def rows(self, count: int) -> "Rotary":
        """The tables of the first rows."""
        return Rotary(self.cos[:count], self.sin[:count])

    def pick(self, kept: Tensor) -> "Rotary":
        """The tables of the tokens `kept`, (R, K) indices along L."""
        index = kept[:, None, :, None].expand(-1, 1, -1, self.cos.shape[-1])
        return Rotary(self.cos.gather(2, index), self.sin.gather(2, index))

    @staticmethod
    def join(parts: "list[Rotary]") -> "Rotary":
        """One table for the tokens of all parts, in their order."""
        return Rotary(
            torch.cat([part.cos for part in parts], dim=2),
            torch.cat([part.sin for part in parts], dim=2),
        )


def text_rotary(positions: Tensor, head_dim: int) -> Rotary:
    """Tables for text tokens at `positions` (R, L)."""
    half = head_dim // 2
    angles = positions.float()[..., None] * _frequencies(half, positions.device)
    return Rotary.of_angles(torch.cat([angles, angles], dim=-1))


def image_rotary(grid: Grid, last: Grid, offsets: Tensor, head_dim: int) -> Rotary:
    """Tables for a row-major grid of tokens, which span the cells of the `last` grid.

    `offsets` (R,) is the position of the last text token of each row, where the grid begins.
    """
    positions = grid_positions(grid, last, offsets)
    angles = positions[..., None] * _frequencies(head_dim // 4, offsets.device)
    rows, columns = angles.unbind(dim=-2)
    # `rotate` pairs channel d with d + half, hence a row angle with a column angle. That is no
    # rotation and not purely relative, but it is what the published weights were trained with.
    return Rotary.of_angles(torch.cat([rows, rows, columns, columns], dim=-1))


def grid_positions(grid: Grid, last: Grid, offsets: Tensor) -> Tensor:
    """Row and column (R, L, 2) of a grid's tokens, in cells of the last grid."""
    rows, columns = (
        torch.arange(side, device=offsets.device, dtype=torch.float32) / side * cells
        for side, cells in zip(grid, last, strict=True)
    )
    return torch.cartesian_prod(rows, columns) + offsets.float()[:, None, None]


def _frequencies(count: int, device: torch.device) -> Tensor:
    steps = torch.arange(count, device=device, dtype=torch.float32)
    return torch.pow(ROTARY_BASE, -steps / count)


@dataclass(frozen=True)
class KVCache:
    """Keys and values of all layers in one static allocation.

    The last `short_rows` rows begin at the token `short_from` instead of the first, and their first
    key counts for all those before it as well.
    """

    keys: Tensor
    values: Tensor
    short_rows: int = 0
    short_from: int = 0

    @classmethod
    def allocate(
        cls, like: Tensor, layers: int, rows: int, heads: int, tokens: int, head_dim: int
    ) -> "KVCache":
        """An empty cache (layers, R, H, L, head channels) with the dtype and device of `like`."""
        shape = (layers, rows, heads, tokens, head_dim)
        return cls(like.new_empty(shape), like.new_empty(shape))

    def rows(self, start: int, stop: int) -> "KVCache":
        """Some rows of the same memory."""
        short = max(0, stop - (self.keys.shape[1] - self.short_rows))
        return KVCache(self.keys[:, start:stop], self.values[:, start:stop], short, self.short_from)

    def layer(self, index: int, filled: int) -> "LayerCache":
        """One layer, which has seen `filled` tokens."""
        return LayerCache(
            self.keys[index], self.values[index], filled, self.short_rows, self.short_from
        )


@dataclass(frozen=True)
class LayerCache:
    """One layer of a `KVCache`."""

    keys: Tensor
    values: Tensor
    filled: int
    short_rows: int
    short_from: int

    def attend(self, q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
        """Let queries (R, H, L, head channels) see what the layer has seen, and their own tokens.

        Their keys and values are kept, unless the cache has no room left: the last scale's are
        never asked for again.
        """
        start, end = self.filled, self.filled + k.shape[2]
        if end <= self.keys.shape[2]:
            self.keys[:, :, start:end] = k
            self.values[:, :, start:end] = v
            k, v = self.keys[:, :, :end], self.values[:, :, :end]
        else:
            k = torch.cat([self.keys[:, :, :start], k], dim=2)
            v = torch.cat([self.values[:, :, :start], v], dim=2)
        full = len(q) - self.short_rows
        long = functional.scaled_dot_product_attention(q[:full], k[:full], v[:full], scale=scale)
        if not self.short_rows:
            return long
        first = self.short_from
        bias = q.new_zeros(k.shape[2] - first)
        bias[0] = math.log(first + 1)
        short = functional.scaled_dot_product_attention(
            q[full:],
            k[full:, :, first:],
            v[full:, :, first:],
            attn_mask=bias.expand(1, 1, q.shape[2], -1),
            scale=scale,
        )
        return torch.cat([long, short])


class Attention(nn.Module):
    """Multi-head self-attention with rotary embeddings; keys have no bias."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        # A quarter of the usual scale: the published weights expect it.
        self.scale = 0.25 / math.sqrt(channels // heads)
        self.qkv_proj = nn.Linear(channels, 3 * channels, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(channels))
        self.v_bias = nn.Parameter(torch.zeros(channels))
        self.proj = nn.Linear(channels, channels)

    @property
    def qkv_bias(self) -> Tensor:
        """The bias (3C,) of queries, keys and values together."""
        return torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])

    def forward(
        self,
        x: Tensor,
        rotary: Rotary | None = None,
        mask: Tensor | None = None,
        cache: LayerCache | None = None,
    ) -> Tensor:
        """Attend over x (R, L, C) and, with a cache, over all that the layer saw before.

        `mask` is True where a query (its second-last axis) may see a key (its last).
        """
        if self.qkv_proj.bias is None:
            qkv = functional.linear(x, self.qkv_proj.weight, self.qkv_bias)
        else:  # made ready to generate, see `prepared`
            qkv = self.qkv_proj(x)
        qkv = qkv.view(*x.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k, v = qkv if rotary is None else (*rotary.rotate(qkv[:2]), qkv[2])
        if cache is not None:
            out = cache.attend(q, k, v, self.scale)
        else:
            out = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=self.scale)
        projected: Tensor = self.proj(out.transpose(1, 2).flatten(2))
        return projected


class Block(nn.Module):
    """A pre-norm transformer block; one norm serves both attention and MLP."""

    def __init__(self, channels: int, heads: int, mlp_hidden: int, eps: float) -> None:
        super().__init__()
        self.ln_wo_grad = RMSNorm(channels, eps)
        self.attn = Attention(channels, heads)
        self.ffn = SwiGLU(channels, mlp_hidden)

    def forward(
        self,
        x: Tensor,
        rotary: Rotary | None = None,
        mask: Tensor | None = None,
        cache: LayerCache | None = None,
    ) -> Tensor:
        """Map (R, L, C) to (R, L, C); arguments as in `Attention`."""
        x = x + self.attn(self.ln_wo_grad(x), rotary, mask, cache)
        out: Tensor = x + self.ffn(self.ln_wo_grad(x))
        return out
