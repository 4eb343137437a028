"""Randomness that belongs to a sample: the same draws in any batch, order, shard or process."""

import hashlib
from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor

Purpose = Literal["codes", "smooth", "residual"]
_STREAMS: dict[Purpose, int] = {"codes": 0, "smooth": 1, "residual": 2}


class Noise(Protocol):
    """Where `generate` takes its random numbers from.

    Draws are addressed by purpose and step, which is the scale for "codes" and "smooth", and for
    "residual" the diffusion step, with step 0 for the initial latent.
    """

    def exponential(self, purpose: Purpose, step: int, shape: tuple[int, ...]) -> Tensor:
        """Float32 (B, *shape) from the unit exponential distribution."""
        ...

    def normal(self, purpose: Purpose, step: int, shape: tuple[int, ...]) -> Tensor:
        """Float32 (B, *shape) from the standard normal distribution."""
        ...


class KeyedNoise:
    """Noise of B samples, each seeded by its own key alone.

    A key selects a Philox generator (Salmon et al., 2011), and purpose and step a counter far from
    all others, so that no draw depends on which draws were made before.
    """

    def __init__(self, keys: Sequence[str], device: torch.device | str = "cpu") -> None:
        digests = [hashlib.sha256(key.encode()).digest() for key in keys]
        self._seeds = [np.frombuffer(digest[:16], np.uint64) for digest in digests]
        self._device = device

    def exponential(self, purpose: Purpose, step: int, shape: tuple[int, ...]) -> Tensor:
        """Float32 (B, *shape) from the unit exponential distribution."""
        draws = np.empty((len(self._seeds), *shape), np.float32)
        for row, generator in zip(draws, self._generators(purpose, step), strict=True):
            generator.standard_exponential(dtype=np.float32, out=row)
        return torch.from_numpy(draws).to(self._device)

    def normal(self, purpose: Purpose, step: int, shape: tuple[int, ...]) -> Tensor:
        """Float32 (B, *shape) from the standard normal distribution."""
        draws = np.empty((len(self._seeds), *shape), np.float32)
        for row, generator in zip(draws, self._generators(purpose, step), strict=True):
            generator.standard_normal(dtype=np.float32, out=row)
        return torch.from_numpy(draws).to(self._device)

    def _generators(self, purpose: Purpose, step: int) -> list[np.random.Generator]:
        # A generator counts up the first words; the last two are ours to choose.
        counter = np.array([0, 0, step, _STREAMS[purpose]], np.uint64)
        return [
            np.random.Generator(np.random.Philox(key=seed, counter=counter)) for seed in self._seeds
        ]
