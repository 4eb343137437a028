"""Pictures of the model that is measured: reconstructed, drawn, repainted, seamless."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hartsim.hart.model import Hart
from hartsim.hart.noise import KeyedNoise
from hartsim.hart.renderer import HartRenderer
from hartsim.hart.sampling import SamplingSettings, generate
from hartsim.hart.tokenizer import from_pixels, to_pixels
from hartsim.images import resize
from hartsim.types import UNKNOWN, Canvas, Image, Labels, Layout, RenderJob

logger = logging.getLogger(__name__)

BATCH = 16
ROWS = 8
Pictures = NDArray[np.uint8]
"""(N, H, W, 3)"""


@torch.inference_mode()
def reconstruct(hart: Hart, images: Sequence[Image]) -> tuple[Pictures, Pictures]:
    """Pictures of the model's size behind its tokenizer: from codes with residual, and without."""
    hybrid, discrete = [], []
    for start in range(0, len(images), BATCH):
        part = [resize(each, hart.config.size_px) for each in images[start : start + BATCH]]
        latent = hart.tokenizer.latent(from_pixels(torch.from_numpy(np.stack(part))))
        codes = hart.tokenizer.quantizer.encode(latent).discrete
        hybrid.append(to_pixels(hart.tokenizer.decode(latent)).numpy())
        discrete.append(to_pixels(hart.tokenizer.decode(codes)).numpy())
    return np.concatenate(hybrid), np.concatenate(discrete)


@torch.inference_mode()
def draw(hart: Hart, prompts: Sequence[str], keys: Sequence[str]) -> tuple[Pictures, Pictures]:
    """Pictures of prompts as the sampler draws them, and the same codes without the residual.

    One picture is drawn of each: the model's `choices` are not used here.
    """
    settings = SamplingSettings.of(hart.config)
    hybrid, discrete = [], []
    for start in range(0, len(prompts), BATCH):
        context = hart.text.encode(prompts[start : start + BATCH])
        noise = KeyedNoise.of(keys[start : start + BATCH])
        with residuals_of(hart) as residuals:
            latent = generate(hart, context, noise, settings)
        quantizer = hart.tokenizer.quantizer
        # The last scale's vectors are added as they are, so the residual comes off again exactly.
        bare = latent - quantizer.lift(residuals[-1], quantizer.last)
        hybrid.append(to_pixels(hart.tokenizer.decode(latent)).numpy())
        discrete.append(to_pixels(hart.tokenizer.decode(bare)).numpy())
        if start and start % (8 * BATCH) == 0:
            logger.info("%d of %d pictures drawn", start, len(prompts))
    return np.concatenate(hybrid), np.concatenate(discrete)


@contextmanager
def residuals_of(hart: Hart) -> Iterator[list[Tensor]]:
    """What the residual head gives, (B, L, C) each time that it is asked."""
    head, given = hart.transformer.diffloss, list[Tensor]()
    sample = head.sample

    def listened(*args: object, **named: object) -> Tensor:
        residual: Tensor = sample(*args, **named)  # type: ignore[arg-type]
        given.append(residual)
        return residual

    head.__dict__["sample"] = listened
    try:
        yield given
    finally:
        del head.__dict__["sample"]


def draw_views(
    hart: Hart,
    prompts: Sequence[str],
    calm: Sequence[str],
    layouts: Sequence[Labels] | None,
    keys: Sequence[str],
    threads: int,
) -> Pictures:
    """Pictures as the `view` route makes them, from prompts alone or by layouts, too.

    Of several draws the one is taken that is least calm; of an empty calm prompt there is but one.
    """
    size = hart.config.size_px
    underlays = [None] * len(prompts) if layouts is None else [Layout(each) for each in layouts]
    work = [
        (RenderJob("view", "front", prompt, "", size, key, calm=without), underlay)
        for prompt, without, key, underlay in zip(prompts, calm, keys, underlays, strict=True)
    ]
    return np.stack([render.image for render in _renderer(hart, threads)(work)])


def repaint(
    hart: Hart,
    images: Sequence[Image],
    labels: Sequence[Labels],
    prompts: Sequence[str],
    keep_scales: int,
    follow: bool,
    threads: int,
) -> Pictures:
    """Frames repainted all over, as the `repaint` route does it, in the model's own size.

    The first scales are kept from the frames; with `follow` the labels are given to the model,
    without it they are unknown everywhere, which it takes as none.
    """
    size = hart.config.size_px
    work = []
    for number, (image, shown, prompt) in enumerate(zip(images, labels, prompts, strict=True)):
        given = shown if follow else np.full_like(shown, UNKNOWN)
        canvas = Canvas(image, np.ones(image.shape[:2], np.bool_), given, keep_scales)
        job = RenderJob("repaint", "front", prompt, "", image.shape[:2], f"repaint {number}")
        work.append((job, canvas))
    # All is painted, to the edge: nothing fades in.
    renderer = replace(_renderer(hart, threads), feather_px=0)
    return np.stack([resize(render.image, size) for render in renderer(work)])


def draw_textures(hart: Hart, prompts: Sequence[str], seed: int, threads: int) -> Pictures:
    """Seamless textures as the `texture` route makes them."""
    size = hart.config.size_px
    jobs = [
        RenderJob("texture", "tile", prompt, "", size, f"tile {seed} {number}")
        for number, prompt in enumerate(prompts)
    ]
    return np.stack([r.image for r in _renderer(hart, threads)([(job, None) for job in jobs])])


def _renderer(hart: Hart, threads: int) -> HartRenderer:
    return HartRenderer(hart, SamplingSettings.of(hart.config), ROWS, threads)
