"""Multi-scale residual quantization: a latent as token grids from coarse to fine.

Source: VAR, arXiv 2404.02905; the continuous remainder of the last scale is HART's, arXiv
2410.10812.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hartsim.hart.config import Grid, TokenizerConfig, scale_grids


@dataclass(frozen=True)
class Quantized:
    """A latent (B, C, H, W) taken apart, coarse to fine."""

    codes: tuple[Tensor, ...]
    """Code indices of each scale, (B, P * P) row-major."""
    residual: Tensor
    """What the scales before the last leave over, (B, L, C): the last scale's continuous target."""
    running: tuple[Tensor, ...]
    """The sum of the scales up to and including each, (B, C, H, W)."""

    @property
    def discrete(self) -> Tensor:
        """The latent as its codes alone describe it, (B, C, H, W)."""
        return self.running[-1]


class SmoothingConv(nn.Conv2d):
    """The paper's phi: a blend of its input and a 3x3 convolution of it."""

    def __init__(self, channels: int, share: float) -> None:
        super().__init__(channels, channels, kernel_size=3, padding=1)
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """Smooth (B, C, H, W)."""
        return x * (1 - self.share) + super().forward(x) * self.share


class SharedSmoothing(nn.Module):
    """A few smoothing convolutions shared by all scales, each scale taking the nearest."""

    def __init__(self, channels: int, count: int, share: float) -> None:
        super().__init__()
        self.qresi_ls = nn.ModuleList(SmoothingConv(channels, share) for _ in range(count))

    def index(self, scale: int, scales: int) -> int:
        """Which convolution serves scale number `scale` of `scales`."""
        count = len(self.qresi_ls)
        margin = 1 / (3 * count)
        ticks = np.linspace(margin, 1 - margin, count)
        return int(np.abs(ticks - scale / (scales - 1)).argmin())

    def forward(self, x: Tensor, scale: int, scales: int) -> Tensor:
        """Smooth the upsampled codes (B, C, H, W) of one scale."""
        out: Tensor = self.qresi_ls[self.index(scale, scales)](x)
        return out


class MultiScaleQuantizer(nn.Module):
    """A codebook and the arithmetic between codes, latents and transformer inputs.

    Latents are (B, C, P, P) with P the last of `patch_nums`, or (B, C, H, W) with no side longer;
    tokens are (B, L, C), row-major over the grid of their scale (see `scale_grids`). What is
    `wrapped` is a torus, where opposite edges touch.
    """

    def __init__(self, config: TokenizerConfig, patch_nums: Sequence[int]) -> None:
        super().__init__()
        self.patch_nums = tuple(patch_nums)
        self.embedding = nn.Embedding(config.vocab_size, config.z_channels)
        self.quant_resi = SharedSmoothing(
            config.z_channels, config.share_quant_resi, config.quant_resi
        )
        bound = 1 / config.vocab_size
        nn.init.uniform_(self.embedding.weight, -bound, bound)

    @property
    def last(self) -> int:
        """Index of the last scale."""
        return len(self.patch_nums) - 1

    @property
    def square(self) -> Grid:
        """The grid of the last scale, if nothing else is said."""
        return self.patch_nums[-1], self.patch_nums[-1]

    def nearest(self, tokens: Tensor) -> Tensor:
        """Indices (...) of the codes with the least L2 distance to vectors (..., C)."""
        codebook = self.embedding.weight
        flat = tokens.reshape(-1, tokens.shape[-1])
        distances = torch.addmm(codebook.square().sum(dim=1), flat, codebook.T, alpha=-2)
        return distances.argmin(dim=1).view(tokens.shape[:-1])

    def grids(self, latent: Tensor) -> tuple[Grid, ...]:
        """The grid of every scale for latents like this one."""
        return scale_grids(self.patch_nums, (latent.shape[2], latent.shape[3]))

    def shrink(self, latent: Tensor, scale: int) -> Tensor:
        """Area-average a latent to the tokens of a scale."""
        grid = self.grids(latent)[scale]
        return functional.interpolate(latent, size=grid, mode="area").flatten(2).mT

    def lift(
        self, embedded: Tensor, scale: int, last: Grid | None = None, wrapped: bool = False
    ) -> Tensor:
        """What the token vectors of a scale add to a latent of `last` rows and columns.

        Bicubic upsampling, then smoothing; the last scale's vectors are added as they are.
        """
        last = last or self.square
        height, width = scale_grids(self.patch_nums, last)[scale]
        cells = embedded.mT.reshape(len(embedded), -1, height, width)
        if scale == self.last:
            return cells
        if wrapped:
            return self._lift_wrapped(cells, scale, last)
        grown = functional.interpolate(cells, size=last, mode="bicubic")
        smooth: Tensor = self.quant_resi(grown, scale, len(self.patch_nums))
        return smooth

    def _lift_wrapped(self, cells: Tensor, scale: int, last: Grid) -> Tensor:
        """As `lift`, on a torus: of three by three copies, the middle one."""
        tiled = functional.interpolate(
            cells.repeat(1, 1, 3, 3), size=(3 * last[0], 3 * last[1]), mode="bicubic"
        )
        smooth: Tensor = self.quant_resi(tiled, scale, len(self.patch_nums))
        return smooth[..., last[0] : 2 * last[0], last[1] : 2 * last[1]]

    def encode(
        self, latent: Tensor, disturb: Callable[[Tensor], Tensor] | None = None
    ) -> Quantized:
        """Take a latent apart; gradients reach the codebook and the smoothing, not the latent.

        With `disturb`, a function of tokens (B, L, C), all scales but the last add the codes of the
        disturbed tokens instead; the codes returned are those that each scale should have added.
        """
        rest, last = latent.detach(), self.grids(latent)[-1]
        total = torch.zeros_like(rest)
        codes, running = [], []
        for scale in range(len(self.patch_nums)):
            tokens = self.shrink(rest, scale)
            codes.append(self.nearest(tokens.detach()))
            added = codes[-1]
            if disturb is not None and scale != self.last:
                added = self.nearest(disturb(tokens.detach()))
            lifted = self.lift(self.embedding(added), scale, last)
            total = total + lifted
            rest = rest - lifted.detach()
            running.append(total)
        return Quantized(tuple(codes), tokens, tuple(running))

    def decode(self, codes: Sequence[Tensor], last: Grid | None = None) -> Tensor:
        """The latent of `last` rows and columns that codes alone describe."""
        lifted = [self.lift(self.embedding(c), scale, last) for scale, c in enumerate(codes)]
        return torch.stack(lifted).sum(dim=0)

    def next_inputs(self, quantized: Quantized) -> Tensor:
        """Teacher-forcing inputs of all scales after the first, (B, L, C)."""
        sums = quantized.running[:-1]
        return torch.cat([self.shrink(total, s + 1) for s, total in enumerate(sums)], dim=1)


def codebook_loss(latent: Tensor, quantized: Quantized, beta: float) -> Tensor:
    """The quantizer's training loss, averaged over scales: codebook plus beta times commitment."""
    loss = latent.new_zeros(())
    for total in quantized.running:
        loss = loss + functional.mse_loss(total, latent.detach())
        loss = loss + beta * functional.mse_loss(latent, total.detach())
    return loss / len(quantized.running)
