"""Repaints and seamless textures: the loop of `sampling` with a canvas under it."""

from dataclasses import replace

import torch
from torch import Tensor

from hartsim.hart.config import Grid
from hartsim.hart.model import Hart
from hartsim.hart.noise import Noise
from hartsim.hart.sampling import LatentCanvas, SamplingSettings, Wish, generate
from hartsim.hart.text import Context


@torch.no_grad()
def canvas_of_images(
    hart: Hart, images: Tensor, editable: Tensor, keep_scales: Tensor
) -> LatentCanvas:
    """The canvas of images (B, 3, H, W) in [-1, 1] that may change where `editable` (B, H, W).

    The first `keep_scales[b]` scales of image b stay as they are everywhere.
    """
    latent = hart.tokenizer.latent(images)
    grids = hart.tokenizer.quantizer.grids(latent)
    return LatentCanvas.around(latent, editable, keep_scales, grids)


def generate_seamless(
    hart: Hart,
    context: Context,
    noise: Noise,
    seam_noise: Noise,
    settings: SamplingSettings,
    wish: Wish,
) -> Tensor:
    """Latents (B, C, H, W) of textures that continue across their edges.

    A texture is generated on a torus, rolled by half so that its edges meet in the middle, and
    repainted along the cross where they meet. `Tokenizer.decode_wrapped` decodes it without a seam.
    """
    wish = replace(wish, wrapped=True)
    latent = generate(hart, context, noise, settings, wish)
    grids = hart.tokenizer.quantizer.grids(latent)
    height, width = grids[-1]
    rolled = latent.roll((height // 2, width // 2), dims=(2, 3))
    seam = seam_cells(grids[-1]).to(latent.device).expand(len(latent), -1, -1)
    keep_scales = torch.full_like(latent[:, 0, 0, 0], len(grids) // 2)
    canvas = LatentCanvas.around(rolled, seam, keep_scales, grids)
    return generate(hart, context, seam_noise, settings, replace(wish, canvas=canvas))


def seam_cells(grid: Grid) -> Tensor:
    """The cross through the middle of a grid, a quarter of its sides wide, as bool (H, W)."""
    rows, columns = (
        (torch.arange(side) - side // 2 + max(1, side // 8)) // (2 * max(1, side // 8)) == 0
        for side in grid
    )
    return rows[:, None] | columns[None, :]
