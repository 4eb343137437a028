"""Muon: steps of orthogonalised momentum, for the weight matrices of transformers.

Source: K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024.
`torch.optim.Muon` orthogonalises in bfloat16, which CPUs without it emulate at a tenth of the
speed; this one stays in the weights' own dtype.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic iteration, which drives all singular values towards 1."""
ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, made orthogonal; every parameter is a matrix.

    Tall matrices whose height is a multiple of their width are taken as square ones on top of each
    other, as in a joint projection to queries, keys and values.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        lr: float = 0.02,
        momentum: float = 0.95,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update all parameters that have a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                state["momentum"].lerp_(weight.grad, 1 - group["momentum"])
                update = weight.grad.lerp(state["momentum"], group["momentum"])
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.sub_(orthogonal_parts(update), alpha=group["lr"])


def orthogonal_parts(update: Tensor) -> Tensor:
    """The nearest (semi-)orthogonal matrix, scaled to change outputs alike for any shape."""
    height, width = update.shape
    parts = height // width if height % width == 0 else 1
    stacked = orthogonalised(update.view(parts, height // parts, width))
    scale = max(1.0, height / parts / width) ** 0.5
    return stacked.reshape(height, width).mul(scale)


def orthogonalised(matrices: Tensor) -> Tensor:
    """Matrices (N, H, W) with all singular values near 1, by a Newton-Schulz iteration."""
    a, b, c = COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    x: Tensor = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x
