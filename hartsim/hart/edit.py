"""Repaints and seamless textures: the loop of `sampling` with a canvas under it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from hartsim.hart.model import Hart
from hartsim.hart.noise import Noise
from hartsim.hart.sampling import LatentCanvas, SamplingSettings, generate
from hartsim.hart.text import Context


@torch.no_grad()
def canvas_of_images(
    hart: Hart, images: Tensor, editable: Tensor, keep_scales: Sequence[int]
) -> LatentCanvas:
    """The canvas of images (B, 3, H, W) in [-1, 1] that may change where `editable` (B, H, W).

    The first `keep_scales[b]` scales of image b stay as they are everywhere.
    """
    patch_nums = hart.tokenizer.quantizer.patch_nums
    return LatentCanvas.around(hart.tokenizer.latent(images), editable, keep_scales, patch_nums)


def generate_seamless(
    hart: Hart,
    context: Context,
    noise: Noise,
    seam_noise: Noise,
    settings: SamplingSettings,
    negative: Context | None = None,
) -> Tensor:
    """Latents (B, C, P, P) of textures that continue across their edges.

    A texture is generated, rolled by half so that its edges meet in the middle, and repainted
    along the cross where they meet. `Tokenizer.decode_wrapped` decodes it without a seam.
    """
    latent = generate(hart, context, noise, settings, negative=negative)
    patch_nums = hart.tokenizer.quantizer.patch_nums
    half = patch_nums[-1] // 2
    rolled = latent.roll((half, half), dims=(2, 3))
    seam = seam_cells(patch_nums[-1]).to(latent.device).expand(len(latent), -1, -1)
    keep_scales = [len(patch_nums) // 2] * len(latent)
    canvas = LatentCanvas.around(rolled, seam, keep_scales, patch_nums)
    return generate(hart, context, seam_noise, settings, canvas, negative)


def seam_cells(side: int) -> Tensor:
    """The cross through the middle of a grid, a quarter of its side wide, as bool (side, side)."""
    reach = max(1, side // 8)
    line = torch.zeros(side, dtype=torch.bool)
    line[side // 2 - reach : side // 2 + reach] = True
    return line[:, None] | line[None, :]
