"""Noise that reproduces the reference's runs, for the golden tests."""

from collections.abc import Sequence

import torch
from torch import Tensor

from hartsim.hart.noise import Purpose


class RecordedNoise:
    """Residual noise as the reference recorded it; exponential draws of a seeded generator.

    `steps` are the residual noises in sampling order, from the noisiest step down. If `races` and
    `mixtures` are given, (B, all tokens, V) in the order of the scales, they replace the generator.
    """

    def __init__(
        self,
        start: Tensor,
        steps: Tensor,
        rows: int = 1,
        seed: int = 0,
        races: Tensor | None = None,
        mixtures: Tensor | None = None,
        patch_nums: Sequence[int] = (),
    ) -> None:
        self.start, self.steps, self.rows = start, steps, rows
        self.generator = torch.Generator().manual_seed(seed)
        sizes = [side * side for side in patch_nums]
        self.recorded: dict[str, Sequence[Tensor]] = {}
        if races is not None and mixtures is not None:
            self.recorded = {"codes": races.split(sizes, 1), "smooth": mixtures.split(sizes, 1)}

    def exponential(self, purpose: Purpose, step: int, codes: Tensor, vocabulary: int) -> Tensor:
        if self.recorded:
            return self.recorded[purpose][step].gather(-1, codes)
        every = torch.empty(self.rows, codes.shape[1], vocabulary)
        return every.exponential_(generator=self.generator).gather(-1, codes)

    def normal(self, purpose: Purpose, step: int, shape: tuple[int, ...]) -> Tensor:
        noise = self.start if step == 0 else self.steps[len(self.steps) - 1 - step]
        return noise.view(self.rows, *shape)
