"""From tensors to pixels: a batch of pictures of one kind, with nothing asked of the host between.

`paint` is a function of tensors, whose shapes the kind and the batch decide; so a device that can
record its work records all of a picture at once, see `fast`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from hartsim.hart.choosing import told_apart
from hartsim.hart.config import Grid
from hartsim.hart.edit import LatentCanvas, canvas_of_images
from hartsim.hart.model import Hart
from hartsim.hart.noise import KeyedNoise
from hartsim.hart.sampling import SamplingSettings, Wish, generate
from hartsim.hart.text import Context
from hartsim.hart.tokenizer import from_pixels, to_pixels

Tensors = Mapping[str, Tensor]


@dataclass(frozen=True)
class Kind:
    """The path that pictures take through the model; those of one kind can go together."""

    grid: Grid
    """Rows and columns of tokens."""
    seamless: bool = False
    canvas: bool = False
    labels: bool = False
    negative: bool = False
    calm: bool = False
    """Whether several pictures are drawn of each, and the one that is least `calm` is kept."""


def paint(hart: Hart, settings: SamplingSettings, kind: Kind, given: Tensors) -> Tensors:
    """`pixels` uint8 (B, H, W, 3), and whether each picture is made of `finite` numbers, (B,).

    `given` are `prompt` states (B, n, D) and `prompt_positions` (B, n) and the `seeds` (B, 2) of
    the noise. According to the kind there are also: `negative` and `calm`, each with positions;
    `canvas` uint8 (B, H, W, 3), `editable` bool (B, H, W) and `keep_scales` (B,);
    `labels` uint8 (B, H, W); and for calm kinds `seeds` are (choices, B, 2).
    """
    context = _context(given, "prompt")
    wish = Wish(
        canvas=_canvas(hart, given) if kind.canvas else None,
        negative=_context(given, "negative") if kind.negative else None,
        labels=given["labels"] if kind.labels else None,
        grid=kind.grid,
        wrapped=kind.seamless,
    )
    if kind.calm:
        latent = _least_calm(hart, settings, context, wish, given)
    else:
        latent = generate(hart, context, KeyedNoise(given["seeds"]), settings, wish)
    if kind.seamless:
        image = hart.tokenizer.decode_wrapped(latent)
        # Edges show least within a cell, whose pixels are decoded together; and on a torus they
        # may be anywhere.
        half = hart.config.tokenizer.downsampling // 2
        image = image.roll((half, half), dims=(2, 3))
    else:
        image = hart.tokenizer.decode(latent)
    return {"pixels": to_pixels(image), "finite": image.isfinite().flatten(1).all(dim=1)}


def _context(given: Tensors, name: str) -> Context:
    return Context(given[name], given[f"{name}_positions"])


def _canvas(hart: Hart, given: Tensors) -> LatentCanvas:
    images = from_pixels(given["canvas"])
    return canvas_of_images(hart.tokenizer, images, given["editable"], given["keep_scales"])


def _least_calm(
    hart: Hart, settings: SamplingSettings, context: Context, wish: Wish, given: Tensors
) -> Tensor:
    """Of several latents for each picture, the one that shows best what its prompt asks for."""
    calm = _context(given, "calm")
    for choice, seeds in enumerate(given["seeds"]):
        latent = generate(hart, context, KeyedNoise(seeds), settings, wish)
        score = told_apart(hart, latent, context, calm, wish.labels)
        if choice == 0:
            best, highest = latent, score
        better = (score > highest)[:, None, None, None]
        best, highest = torch.where(better, latent, best), torch.maximum(score, highest)
    return best
