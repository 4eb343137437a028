"""Choosing among several draws of one prompt: the picture that shows best what is asked for.

A small model leaves things out. Of several pictures, the one is taken whose codes the prompt makes
likelier than the calm prompt, which is the same without what is asked for: the pointwise mutual
information of picture and request. (Ranking by the model's own likelihood: CogView, arXiv
2105.13290, section 3.1; against an unconditional one: Parti, arXiv 2206.10789, section 4.)
"""

import torch
from torch import Tensor
from torch.nn import functional

from hartsim.hart.model import Hart
from hartsim.hart.text import Context


@torch.no_grad()
def told_apart(
    hart: Hart, latent: Tensor, asked: Context, calm: Context, labels: Tensor | None = None
) -> Tensor:
    """How much likelier, in nats, each latent's codes are under `asked` than under `calm`, (B,).

    `latent` is (B, C, H, W); both contexts have B rows, and so have `labels` (B, H, W) if the
    latents follow some.
    """
    quantizer = hart.tokenizer.quantizer
    quantized = quantizer.encode(latent)
    inputs, codes = quantizer.next_inputs(quantized), torch.cat(quantized.codes, dim=1)

    both = Context(
        torch.cat([asked.states, calm.states]), torch.cat([asked.position_ids, calm.position_ids])
    )
    grid = quantizer.grids(latent)[-1]
    if labels is not None:
        labels = labels.repeat(2, 1, 1)
    logits = hart.transformer(both, inputs.repeat(2, 1, 1), labels=labels, grid=grid).logits
    codes = codes.repeat(2, 1)
    nats = functional.cross_entropy(logits.flatten(0, 1), codes.flatten(), reduction="none")
    likelier, less = (-nats.view(codes.shape).sum(dim=1)).chunk(2)
    return likelier - less
