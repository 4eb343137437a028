"""A residual head for few steps: rectified flow instead of diffusion.

The same denoiser as in `diffusion` learns the straight way from noise to residual (rectified flow,
arXiv 2209.03003), by its end: it predicts the residual, not the direction (as in arXiv 2511.13720),
so that noise need not pass through it. Residuals are small and well told by their condition: one
step gives their mean, a few give more.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from hartsim.hart.diffusion import LATENT_SCALE, TRAIN_STEPS, Denoiser

LEAST_LEVEL = 0.25
"""Nearer to the end than this, errors count no more: few steps are taken there."""


class FlowHead(nn.Module):
    """Rectified flow of the last scale's residuals, given the transformer's view of each token."""

    def __init__(self, channels: int, condition_channels: int, width: int, depth: int) -> None:
        super().__init__()
        self.channels = channels
        self.net = Denoiser(channels, condition_channels, width, depth, parts=1)

    def sample(
        self,
        z: Tensor,
        guidance: float,
        start: Tensor,
        noise: Callable[[int], Tensor],
        steps: int = 8,
        temperature: float = 1.0,
    ) -> Tensor:
        """Residuals (B, L, C) under conditions z (R, L, channels of the transformer).

        With guidance R is 2B, conditional rows first, and with 0 R is B. `start` is the initial
        noise (B, L, C), of which `temperature` is the share that is taken; `noise` is not asked.
        """
        condition = self.net.cond_embed(z)
        levels = torch.arange(steps, 0, -1, device=z.device) * (TRAIN_STEPS / steps)
        times = self.net.time_embed(levels)
        x = temperature * start
        for left, time in zip(range(steps, 0, -1), times, strict=True):
            both = torch.cat([x, x]) if guidance else x
            (end,) = self.net.denoise(both, time + condition)
            if guidance:
                conditional, null = end.chunk(2)
                end = (1 + guidance) * conditional - guidance * null
            x = x + (end - x) / left
        return x.clamp(-1, 1) * LATENT_SCALE

    def loss(self, z: Tensor, residual: Tensor, t: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Squared error of the direction, (N,), and nothing where `ResidualHead.loss` has a bound.

        `z` (N, channels of the transformer) and `residual` (N, C) belong to tokens, `t` (N,) are
        steps out of a thousand and `noise` (N, C) is standard normal.
        """
        clean = residual / LATENT_SCALE
        level = (t[:, None] + 1) / TRAIN_STEPS
        noisy = (1 - level) * clean + level * noise
        (end,) = self.net(noisy, t + 1, z)
        error = ((end - clean) / level.clamp(min=LEAST_LEVEL)).square().mean(dim=1)
        return error, torch.zeros_like(error)
