"""What repaints and seamless textures add to the loop of `sampling`: a canvas, and a torus."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from hartsim.hart.config import Grid
from hartsim.hart.quantizer import MultiScaleQuantizer
from hartsim.hart.tokenizer import Tokenizer


@dataclass(frozen=True)
class LatentCanvas:
    """A latent that is there already, and the tokens of each scale that must reproduce it."""

    latent: Tensor
    """(B, C, H, W)"""
    forced: tuple[Tensor, ...]
    """Bool (B, L) for each scale."""

    @classmethod
    def around(
        cls,
        latent: Tensor,
        editable: Tensor,
        keep_scales: Tensor,
        grids: Sequence[Grid],
    ) -> "LatentCanvas":
        """Force all tokens but those whose cell has an editable pixel.

        `editable` is bool (B, height, width); the first `keep_scales[b]` scales of sample b, (B,),
        are forced everywhere.
        """
        keep = keep_scales[:, None]
        changes = editable[:, None].float()
        free = [functional.adaptive_max_pool2d(changes, grid).flatten(1) for grid in grids]
        return cls(latent, tuple((f == 0) | (keep > scale) for scale, f in enumerate(free)))

    def force(
        self,
        quantizer: MultiScaleQuantizer,
        scale: int,
        running: Tensor,
        codes: Tensor,
        embedded: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Codes (B, L) and their vectors (B, L, C), forced where they must be.

        A forced token takes the code nearest to what the `running` latent still lacks, which also
        corrects the errors of the scales before.
        """
        wanted = quantizer.nearest(quantizer.shrink(self.latent - running, scale))
        forced = self.forced[scale]
        embedded = torch.where(forced[..., None], quantizer.embedding(wanted), embedded)
        return torch.where(forced, wanted, codes), embedded

    def restore(self, latent: Tensor) -> Tensor:
        """The finished latent, with the forced cells exactly as they were."""
        forced = self.forced[-1].view(len(latent), 1, *latent.shape[2:])
        return torch.where(forced, self.latent, latent)


@torch.no_grad()
def canvas_of_images(
    tokenizer: Tokenizer, images: Tensor, editable: Tensor, keep_scales: Tensor
) -> LatentCanvas:
    """The canvas of images (B, 3, H, W) in [-1, 1] that may change where `editable` (B, H, W).

    The first `keep_scales[b]` scales of image b stay as they are everywhere.
    """
    latent = tokenizer.latent(images)
    grids = tokenizer.quantizer.grids(latent)
    return LatentCanvas.around(latent, editable, keep_scales, grids)


def torus_turn(scale: int, grids: Sequence[Grid]) -> Grid:
    """By how many cells a torus is rolled before a scale sees it.

    The weights know no torus: tokens at opposite edges are far apart to them. So every other scale
    sees the picture rolled by half, and what one draws without sight of its neighbour, the next one
    sees in the middle and mends. The finest sees it as it is.
    """
    turned = (len(grids) - 1 - scale) % 2 == 1
    return (grids[-1][0] // 2, grids[-1][1] // 2) if turned else (0, 0)
