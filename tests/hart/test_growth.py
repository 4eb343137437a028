from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from hartsim.errors import CheckpointError
from hartsim.hart import growth
from hartsim.hart.config import hart_config
from hartsim.hart.model import new_hart
from hartsim.types import CLASSES

PROMPTS = ["a deer on a snowy road", "two boxes"]


@pytest.fixture(scope="module")
def small():
    return new_hart(hart_config("tiny"), seed=3)


def logits(hart, labels=None):
    c = hart.config
    inputs = torch.zeros(2, c.transformer.image_tokens, c.tokenizer.z_channels)
    inputs += torch.arange(c.transformer.image_tokens)[:, None] / 10
    with torch.no_grad():
        return hart.transformer(hart.text.encode(PROMPTS), inputs, labels=labels).logits


def test_a_grown_model_predicts_as_before_with_and_without_labels(small):
    large = growth.grown(small, labels=True, meanings=torch.randn(513, 8))
    labels = torch.randint(len(CLASSES), (2, 64, 64), dtype=torch.uint8)
    torch.testing.assert_close(logits(large), logits(small), rtol=0, atol=1e-5)
    torch.testing.assert_close(logits(large, labels), logits(small), rtol=0, atol=1e-5)


def test_a_finer_level_draws_the_same_picture_twice_as_wide(small):
    large = growth.grown(small, finer_levels=1)
    latent = torch.randn(1, 8, 4, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before, after = small.tokenizer.decode(latent), large.tokenizer.decode(latent)
    wider = functional.interpolate(before, scale_factor=2.0, mode="bilinear")
    torch.testing.assert_close(after, wider, rtol=0, atol=1e-5)
    assert large.config.size_px == tuple(2 * side for side in small.config.size_px)


def test_codes_of_a_picture_are_those_of_the_picture_half_as_wide(small):
    large = growth.grown(small, finer_levels=1)
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        codes = large.tokenizer.encode(image).codes
        smaller = small.tokenizer.encode(functional.avg_pool2d(image, 2)).codes
    assert all(torch.equal(a, b) for a, b in zip(codes, smaller, strict=True))


def test_a_wrapped_decode_has_no_edge_in_its_finer_level(small):
    large = growth.grown(small, finer_levels=1)
    for conv in (level.conv_out for level in large.tokenizer.vae.decoder.finer):
        torch.nn.init.normal_(conv.weight, std=0.05)
    latent = torch.randn(1, 8, 4, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        image = large.tokenizer.decode_wrapped(latent)
        rolled = large.tokenizer.decode_wrapped(latent.roll((1, 2), dims=(2, 3)))
        plain = large.tokenizer.decode(latent)
    cell = large.config.tokenizer.downsampling
    again = rolled.roll((-cell, -2 * cell), dims=(2, 3))
    torch.testing.assert_close(again, image, rtol=0, atol=1e-4)
    assert (plain - image).abs().max() > 1e-2


def test_a_second_table_of_meanings_is_refused(small):
    large = growth.grown(small, meanings=torch.randn(513, 8))
    with pytest.raises(CheckpointError, match="takes no table of meanings more"):
        growth.grown(large, meanings=torch.randn(513, 8))


def test_weights_of_another_shape_do_not_grow(small):
    strange = replace(small, config=replace(small.config, guidance=1.0))
    strange.tokenizer.vae.decoder.register_parameter("strange", torch.nn.Parameter(torch.zeros(1)))
    try:
        with pytest.raises(CheckpointError, match=r"'vae\.decoder\.strange' is not in both"):
            growth.grown(strange, labels=True)
    finally:
        del strange.tokenizer.vae.decoder.strange
