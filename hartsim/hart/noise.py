"""Randomness that belongs to a sample: the same draws in any batch, order, shard or process.

Every number is a function of its sample's key and of what it is for, computed where it is used:
no generator has a state, nothing is drawn on one device and sent to another, and only those
numbers exist that somebody asks for. The function is SplitMix64 (Steele, Lea, Flood, 2014, "Fast
splittable pseudorandom number generators"): a counter times an odd constant, mixed.
"""

import hashlib
from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor

Purpose = Literal["codes", "smooth", "residual"]
_PURPOSES: dict[Purpose, int] = {"codes": 1, "smooth": 2, "residual": 3}
_STEPS = 1 << 20
"""More steps than any purpose has."""
_MIXERS = ((30, -0x40A7B892E31B1A47), (27, -0x6B2FB644ECCEEE15))
"""Shifts and multipliers of SplitMix64's finaliser, the multipliers as signed numbers."""
_GOLDEN = -0x61C8864680B583EB
"""The odd number next to 2 ** 64 over the golden ratio, signed."""


class Noise(Protocol):
    """Where `generate` takes its random numbers from.

    Draws are addressed by purpose and step, which is the scale for "codes" and "smooth", and for
    "residual" the diffusion step, with step 0 for the initial latent.
    """

    def exponential(self, purpose: Purpose, step: int, codes: Tensor, vocabulary: int) -> Tensor:
        """Float32 (B, L, K) from the unit exponential distribution, for codes (B, L, K).

        The number of a code does not depend on which others are asked for.
        """
        ...

    def normal(self, purpose: Purpose, step: int, shape: tuple[int, ...]) -> Tensor:
        """Float32 (B, *shape) from the standard normal distribution."""
        ...


class KeyedNoise:
    """Noise of B samples, each seeded by its own key alone.

    `seeds` (B, 2) are what `seeds_of` makes of the keys, on the device that draws.
    """

    def __init__(self, seeds: Tensor) -> None:
        self._seeds = seeds

    @classmethod
    def of(cls, keys: Sequence[str], device: torch.device | str = "cpu") -> "KeyedNoise":
        """The noise of samples with these keys."""
        return cls(seeds_of(keys).to(device))

    def exponential(self, purpose: Purpose, step: int, codes: Tensor, vocabulary: int) -> Tensor:
        """Float32 (B, L, K) from the unit exponential distribution, for codes (B, L, K)."""
        first = torch.arange(codes.shape[1], device=codes.device)[:, None] * vocabulary
        return -_uniform(self._bits(purpose, step, codes + first)).log_()

    def normal(self, purpose: Purpose, step: int, shape: tuple[int, ...]) -> Tensor:
        """Float32 (B, *shape) from the standard normal distribution, by Box and Muller's way."""
        numbers = torch.arange(int(np.prod(shape)), device=self._seeds.device).view(1, *shape)
        bits = self._bits(purpose, step, numbers)
        radius = _uniform(bits).log_().mul_(-2).sqrt_()
        return radius * (2 * torch.pi * _uniform(bits << 23)).cos_()

    def _bits(self, purpose: Purpose, step: int, numbers: Tensor) -> Tensor:
        """Random int64 for each of the `numbers` (1 or B, ...), different for every stream."""
        stream = _signed((_PURPOSES[purpose] * _STEPS + step + 1) * _GOLDEN)
        start, stride = _mixed(self._seeds + stream).unbind(dim=1)
        like = (-1, *[1] * (numbers.ndim - 1))
        return _mixed(numbers * (stride | 1).view(like) + start.view(like))


def seeds_of(keys: Sequence[str]) -> Tensor:
    """Two numbers for each key, int64 (B, 2): where its sequence begins, and its stride."""
    digests = b"".join(hashlib.sha256(key.encode()).digest()[:16] for key in keys)
    return torch.from_numpy(np.frombuffer(digests, np.int64).reshape(-1, 2).copy())


def _mixed(bits: Tensor) -> Tensor:
    """SplitMix64's finaliser; int64 in torch wraps around as unsigned numbers do."""
    for shift, multiplier in _MIXERS:
        bits = (bits ^ _shifted(bits, shift)) * multiplier
    return bits ^ _shifted(bits, 31)


def _shifted(bits: Tensor, count: int) -> Tensor:
    """Shift right, filling with zeros."""
    return (bits >> count).bitwise_and_((1 << (64 - count)) - 1)


def _uniform(bits: Tensor) -> Tensor:
    """The upper 23 bits as float32 between 0 and 1, both excluded."""
    return _shifted(bits, 41).float().add_(0.5).mul_(2.0**-23)


def _signed(value: int) -> int:
    """A number modulo 2 ** 64, as int64 has it."""
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)
