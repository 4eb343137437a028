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
def told_apart(hart: Hart, latent: Tensor, asked: Context, calm: Context) -> Tensor:
    """How much likelier, in nats, each latent's codes are under `asked` than under `calm`, (B,).

    `latent` is (B, C, H, W); both contexts have B rows.
    """
    quantizer = hart.tokenizer.quantizer
    quantized = quantizer.encode(latent)
    inputs, codes = quantizer.next_inputs(quantized), torch.cat(quantized.codes, dim=1)

    def likelihood(context: Context) -> Tensor:
        logits = hart.transformer(context, inputs, grid=quantizer.grids(latent)[-1]).logits
        nats = functional.cross_entropy(logits.flatten(0, 1), codes.flatten(), reduction="none")
        return -nats.view(codes.shape).sum(dim=1)

    return likelihood(asked) - likelihood(calm)
