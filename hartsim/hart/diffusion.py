"""The residual-diffusion head: what the last scale's codes leave out, token by token.

Source: HART, arXiv 2410.10812, on the head of MAR (arXiv 2406.11838) and the learned-variance
process of IDDPM (arXiv 2102.09672). Arithmetic on noisy latents stays in float32: at the noisiest
step the predicted latent is 20,000 times the prediction error.
"""

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hartsim.hart.layers import SinusoidEmbedding

TRAIN_STEPS = 1000
LATENT_SCALE = 0.6
"""Residuals are divided by this before diffusion."""
NORM_EPS = 1e-6


@dataclass(frozen=True)
class Schedule:
    """A noise schedule; arrays have one float64 entry per step, from clean to noisy."""

    timesteps: NDArray[np.int64]
    betas: NDArray[np.float64]
    alphas_cumprod: NDArray[np.float64]

    @classmethod
    def over(cls, timesteps: NDArray[np.int64], alphas_cumprod: NDArray[np.float64]) -> "Schedule":
        """The process that visits `timesteps`, with the given products of alphas there."""
        previous = np.append(1.0, alphas_cumprod[:-1])
        return cls(timesteps, 1 - alphas_cumprod / previous, alphas_cumprod)

    @property
    def alphas_cumprod_previous(self) -> NDArray[np.float64]:
        """Products of alphas one step cleaner."""
        return np.append(1.0, self.alphas_cumprod[:-1])

    @property
    def posterior_mean_clean(self) -> NDArray[np.float64]:
        """Weight of the clean latent in the posterior's mean."""
        signal = np.sqrt(self.alphas_cumprod_previous)
        weight: NDArray[np.float64] = self.betas * signal / (1 - self.alphas_cumprod)
        return weight

    @property
    def posterior_mean_noisy(self) -> NDArray[np.float64]:
        """Weight of the noisy latent in the posterior's mean."""
        noise = 1 - self.alphas_cumprod_previous
        weight: NDArray[np.float64] = noise * np.sqrt(1 - self.betas) / (1 - self.alphas_cumprod)
        return weight

    @property
    def posterior_log_variance(self) -> NDArray[np.float64]:
        """Log variance of the posterior; the first step, which has none, takes the second's."""
        variance = self.betas * (1 - self.alphas_cumprod_previous) / (1 - self.alphas_cumprod)
        logarithm: NDArray[np.float64] = np.log(np.append(variance[1], variance[1:]))
        return logarithm


@functools.cache
def training_schedule() -> Schedule:
    """The cosine schedule over all timesteps."""
    u = np.arange(TRAIN_STEPS + 1) / TRAIN_STEPS
    level = np.cos((u + 0.008) / 1.008 * np.pi / 2) ** 2
    betas = np.minimum(1 - level[1:] / level[:-1], 0.999)
    return Schedule(np.arange(TRAIN_STEPS), betas, np.cumprod(1 - betas))


@functools.cache
def sampling_schedule(steps: int) -> Schedule:
    """The same process at `steps` evenly spread timesteps, the first and last included."""
    timesteps = np.rint(np.linspace(0, TRAIN_STEPS - 1, steps)).astype(np.int64)
    return Schedule.over(timesteps, training_schedule().alphas_cumprod[timesteps])


class ResidualMLP(nn.Module):
    """One block of the denoiser, modulated by timestep and condition."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.in_ln = nn.LayerNorm(width, NORM_EPS)
        self.mlp = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 3 * width))

    def forward(self, h: Tensor, y: Tensor) -> Tensor:
        """Update h under y, both (..., W)."""
        shift, scale, gate = self.adaLN_modulation(y).chunk(3, dim=-1)
        out: Tensor = h + gate * self.mlp(self.in_ln(h) * (1 + scale) + shift)
        return out


class FinalLayer(nn.Module):
    """The denoiser's output layer."""

    def __init__(self, width: int, channels_out: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, channels_out)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))

    def forward(self, h: Tensor, y: Tensor) -> Tensor:
        """Map h under y, both (..., W), to (..., channels out)."""
        shift, scale = self.adaLN_modulation(y).chunk(2, dim=-1)
        normed = functional.layer_norm(h, h.shape[-1:], eps=NORM_EPS)
        out: Tensor = self.linear(normed * (1 + scale) + shift)
        return out


class Denoiser(nn.Module):
    """A per-token MLP that predicts noise and the variance's place between its bounds.

    These are its two `parts`; with one it predicts something else, see `flow`.
    """

    def __init__(
        self, channels: int, condition_channels: int, width: int, depth: int, parts: int = 2
    ) -> None:
        super().__init__()
        self.parts = parts
        self.time_embed = SinusoidEmbedding(width)
        self.cond_embed = nn.Linear(condition_channels, width)
        self.input_proj = nn.Linear(channels, width)
        self.res_blocks = nn.ModuleList(ResidualMLP(width) for _ in range(depth))
        self.final_layer = FinalLayer(width, parts * channels)

    def forward(self, x: Tensor, t: Tensor, z: Tensor) -> tuple[Tensor, ...]:
        """Noise and variance share, (N, C) each, of x (N, C) at timesteps t (N,) under z."""
        return self.denoise(x, self.time_embed(t) + self.cond_embed(z))

    def denoise(self, x: Tensor, y: Tensor) -> tuple[Tensor, ...]:
        """As `forward`, with timestep and condition already embedded as y (..., W)."""
        h = self.input_proj(x.to(y.dtype))
        for block in self.res_blocks:
            h = block(h, y)
        parts: tuple[Tensor, ...] = self.final_layer(h, y).float().chunk(self.parts, dim=-1)
        return parts


class ResidualHead(nn.Module):
    """Diffusion of the last scale's residuals, given the transformer's view of each token."""

    def __init__(self, channels: int, condition_channels: int, width: int, depth: int) -> None:
        super().__init__()
        self.channels = channels
        self.net = Denoiser(channels, condition_channels, width, depth)

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
        noise (B, L, C) and `noise(i)` that of step i, counted down from steps - 1 to 1.
        """
        for x in self.denoising(z, guidance, start, noise, steps, temperature):
            last = x
        return last * LATENT_SCALE

    def denoising(
        self,
        z: Tensor,
        guidance: float,
        start: Tensor,
        noise: Callable[[int], Tensor],
        steps: int,
        temperature: float,
    ) -> Iterator[Tensor]:
        """The noisy residuals (B, L, C), before scaling, after each step of `sample`."""
        schedule = sampling_schedule(steps)
        condition = self.net.cond_embed(z)
        times = self.net.time_embed(_timesteps(steps, z.device))
        x = start
        for i in reversed(range(steps)):
            both = torch.cat([x, x]) if guidance else x
            predicted, share = self.net.denoise(both, times[i] + condition)
            if guidance:
                # Only the noise is guided; the variance is the conditional one.
                conditional, null = predicted.chunk(2)
                predicted = (1 + guidance) * conditional - guidance * null
                share = share.chunk(2)[0]
            step = noise(i) if i > 0 else None
            x = _denoising_step(schedule, i, x, predicted, share, step, temperature)
            yield x

    def loss(self, z: Tensor, residual: Tensor, t: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Squared error of the noise, and variational bound in bits, (N,) each; add their means.

        `z` (N, channels of the transformer) and `residual` (N, C) belong to tokens, `t` (N,) are
        timesteps of the full schedule and `noise` (N, C) is standard normal.
        """
        schedule = training_schedule()
        clean = residual / LATENT_SCALE
        level = _at(schedule.alphas_cumprod, t)
        noisy = level.sqrt() * clean + (1 - level).sqrt() * noise
        predicted, share = self.net(noisy, t, z)
        error = (predicted - noise).square().mean(dim=1)
        return error, _variational_bound(schedule, t, clean, noisy, predicted.detach(), share)


@functools.cache
@torch.inference_mode(False)
def _timesteps(steps: int, device: torch.device) -> Tensor:
    """The timesteps of a sampling schedule, kept where they are used."""
    return torch.from_numpy(sampling_schedule(steps).timesteps).to(device)


def _denoising_step(
    schedule: Schedule,
    i: int,
    x: Tensor,
    predicted: Tensor,
    share: Tensor,
    noise: Tensor | None,
    temperature: float,
) -> Tensor:
    level = float(schedule.alphas_cumprod[i])
    clean = x * math.sqrt(1 / level) - predicted * math.sqrt(1 / level - 1)
    clean = clean.clamp(-1, 1)
    mean = clean * float(schedule.posterior_mean_clean[i])
    mean = mean + x * float(schedule.posterior_mean_noisy[i])
    if noise is None:
        return mean
    f = (share + 1) / 2
    least, most = float(schedule.posterior_log_variance[i]), math.log(schedule.betas[i])
    log_variance = f * most + (1 - f) * least
    return mean + (0.5 * log_variance).exp() * noise * temperature


def _variational_bound(
    schedule: Schedule, t: Tensor, clean: Tensor, noisy: Tensor, predicted: Tensor, share: Tensor
) -> Tensor:
    """One term of the variational bound per token (N,), in bits per channel."""
    level = _at(schedule.alphas_cumprod, t)
    weight_clean = _at(schedule.posterior_mean_clean, t)
    weight_noisy = _at(schedule.posterior_mean_noisy, t)
    true_log_variance = _at(schedule.posterior_log_variance, t)

    f = (share + 1) / 2
    log_variance = f * _at(np.log(schedule.betas), t) + (1 - f) * true_log_variance
    predicted_clean = noisy * (1 / level).sqrt() - predicted * (1 / level - 1).sqrt()
    mean = weight_clean * predicted_clean + weight_noisy * noisy
    true_mean = weight_clean * clean + weight_noisy * noisy

    difference = true_log_variance - log_variance
    divergence = 0.5 * (
        difference.exp() - 1 - difference + (true_mean - mean).square() / log_variance.exp()
    )
    likelihood = _discretised_log_likelihood(clean, mean, 0.5 * log_variance)
    nats = torch.where(t[:, None] == 0, -likelihood, divergence)
    return nats.mean(dim=1) / math.log(2)


def _discretised_log_likelihood(x: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    """Log probability of x under a Gaussian whose support is cut into bins of 2/255."""
    centred, inverse = x - mean, (-log_scale).exp()
    above = _normal_cdf(inverse * (centred + 1 / 255))
    below = _normal_cdf(inverse * (centred - 1 / 255))
    inner = torch.where(x > 0.999, 1 - below, above - below)
    return torch.where(x < -0.999, above, inner).clamp(min=1e-12).log()


def _normal_cdf(x: Tensor) -> Tensor:
    """The usual tanh approximation of the normal distribution function."""
    return 0.5 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def _at(values: NDArray[np.float64], t: Tensor) -> Tensor:
    """Entries of a schedule at timesteps (N,), as float32 (N, 1)."""
    return torch.from_numpy(values).to(t.device)[t].float()[:, None]
