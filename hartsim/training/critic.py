"""A critic of pictures: tells drawn ones from true ones, so that the decoder learns to be sharp.

Pixels and features alone make a decoder hedge: where it is in doubt it blurs, or lays a fine mesh
over all. The critic looks at every patch by itself (PatchGAN, arXiv 1611.07004), as in VQGAN (arXiv
2012.09841), with the hinge loss of arXiv 1705.02894 and spectral normalisation (arXiv 1802.05957).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

WIDTHS = (32, 64, 128)
RATE = 2e-4


class Critic(nn.Module):
    """How true the patches of pictures (B, 3, H, W) in [-1, 1] look, (B, 1, H / 8, W / 8)."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, width in zip((3, *WIDTHS), WIDTHS, strict=False):
            conv = nn.Conv2d(before, width, kernel_size=4, stride=2, padding=1)
            layers += [spectral_norm(conv), nn.LeakyReLU(0.2)]
        last = nn.Conv2d(WIDTHS[-1], 1, kernel_size=3, padding=1)
        self.layers = nn.Sequential(*layers, spectral_norm(last))

    def forward(self, image: Tensor) -> Tensor:
        """Scores: above 1 for what is surely true, below -1 for what is surely drawn."""
        scores: Tensor = self.layers(image)
        return scores

    def mistakes(self, drawn: Tensor, true: Tensor) -> Tensor:
        """The hinge loss of the critic itself; both are (B, 3, H, W)."""
        scores = self(torch.cat([drawn.detach(), true]))
        of_drawn, of_true = scores.chunk(2)
        loss: Tensor = functional.relu(1 + of_drawn).mean() + functional.relu(1 - of_true).mean()
        return loss / 2

    def rejection(self, drawn: Tensor) -> Tensor:
        """How far the critic is from taking drawn pictures for true ones; the decoder's loss."""
        loss: Tensor = -self(drawn).mean()
        return loss


def make_critic(seed: int, device: torch.device) -> tuple[Critic, torch.optim.Optimizer]:
    """A fresh critic, which `seed` alone decides, and what teaches it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        critic = Critic()
    critic.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return critic, torch.optim.AdamW(critic.parameters(), lr=RATE, betas=(0.5, 0.9))
