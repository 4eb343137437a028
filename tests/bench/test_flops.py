"""The closed forms against published totals, and against PyTorch's own count."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from hartsim.bench.flops import (
    FLOP_PER_MAC,
    attention_macs,
    block_weights,
    decoder_macs,
    drawing_cost,
    total_macs,
)
from hartsim.bench.plan import subject_config
from hartsim.bench.subject import Subject, parameters, random_hart
from hartsim.hart.config import SIZES
from hartsim.hart.model import new_hart
from hartsim.hart.sampling import SamplingSettings
from hartsim.hart.text import Context
from hartsim.hart.tokenizer import Tokenizer

PARTS = {
    256: {
        "blocks": "1330.4",
        "attention": "85.4",
        "head": "12.4",
        "levels": "2.7",
        "context": "1.4",
        "words": "0.07",
        "smoothing": "0.02",
        "residual": "149.7",
        "decoder": "196.9",
    },
    512: {
        "blocks": "3450.4",
        "attention": "594.1",
        "head": "32.0",
        "levels": "7.0",
        "context": "1.4",
        "words": "0.2",
        "smoothing": "0.08",
        "residual": "598.6",
        "decoder": "791.5",
    },
    1024: {
        "blocks": "13249.8",
        "attention": "8828.2",
        "head": "122.8",
        "levels": "26.8",
        "context": "1.4",
        "words": "0.9",
        "smoothing": "0.5",
        "residual": "2394.4",
        "decoder": "3230.2",
    },
}
"""GMACs of one guided picture in the reference's way, counted there with the flop counter."""

TOTALS = {256: (1779, 792), 512: (5475, 2345), 1024: (27855, 12326)}
"""Of all these parts, guided; and without guidance and decoder."""

BY_SCALE = {
    "1x1": (407.7, 13.3),
    "12x12": (195.7, 13.3),
    "16x16": (347.9, 33.4),
    "21x21": (599.3, 86.2),
    "27x27": (990.7, 220.8),
    "36x36": (1761.2, 640.2),
    "48x48": (3131.0, 1920.9),
    "64x64": (5566.3, 5888.8),
}
"""GMACs of blocks and attention at 1024 px."""


def reference(size_px: int, guided: bool = True):
    return drawing_cost(subject_config("0.7b", size_px), 1, guided, "reference")


def counted(work) -> int:
    """MACs by PyTorch's counter, with attention as the products that it is made of."""
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        work()
    return counter.get_total_flops() // FLOP_PER_MAC


@pytest.mark.parametrize(
    ("size_px", "part", "printed"),
    [(size, part, printed) for size, parts in PARTS.items() for part, printed in parts.items()],
)
def test_the_parts_are_the_published_ones_to_every_digit(size_px, part, printed):
    digits = len(printed.partition(".")[2])
    assert f"{total_macs(reference(size_px), part) / 1e9:.{digits}f}" == printed


@pytest.mark.parametrize(("size_px", "totals"), TOTALS.items())
def test_the_totals_are_the_published_ones(size_px, totals):
    # They leave out the embedded codes of the residual's condition, which the reference computes.
    guided, single = reference(size_px), reference(size_px, guided=False)
    all_of_it = total_macs(guided) - total_macs(guided, "condition")
    bare = total_macs(single) - total_macs(single, "condition", "decoder")
    assert (round(all_of_it / 1e9), round(bare / 1e9)) == totals


@pytest.mark.parametrize(("stage", "gmacs"), BY_SCALE.items())
def test_each_scale_costs_what_is_published(stage, gmacs):
    (cost,) = [each for each in reference(1024) if each.stage == stage]
    assert tuple(round(cost.macs[part] / 1e9, 1) for part in ("blocks", "attention")) == gmacs


@pytest.mark.parametrize("model", SIZES)
def test_the_decoder_s_form_is_what_pytorch_counts(model):
    config = subject_config(model)
    side = config.transformer.patch_nums[-1]
    with torch.device("meta"):
        tokenizer = Tokenizer(config.tokenizer, config.transformer.patch_nums)
        latent = torch.zeros(1, config.tokenizer.z_channels, side, side)
    macs = counted(lambda: tokenizer.decode(latent))
    assert macs == decoder_macs(config.tokenizer, side)


def test_the_blocks_forms_are_what_pytorch_counts():
    """In the training forward, where all tokens go through at once and all pairs are computed."""
    config = subject_config("tiny")
    c, z = config.transformer, config.tokenizer.z_channels
    transformer = new_hart(config, seed=0).transformer
    states, positions = (
        torch.zeros(1, c.context_token, c.context_dim),
        torch.arange(c.context_token),
    )
    inputs, tokens = torch.zeros(1, c.image_tokens, z), c.context_token + c.image_tokens
    macs = counted(lambda: transformer(Context(states, positions[None]), inputs))
    blocks = tokens * block_weights(c) + attention_macs(c, tokens**2)
    head = (c.image_tokens + 1) * c.embed_dim * config.tokenizer.vocab_size + 2 * c.embed_dim**2
    start = c.context_token * c.context_dim * c.embed_dim + c.image_tokens * z * c.embed_dim
    levels = len(c.patch_nums) * (256 * c.embed_dim + c.embed_dim**2)
    assert macs == blocks + head + start + levels


def test_the_residual_s_form_is_what_pytorch_counts():
    config = subject_config("tiny")
    c, z = config.transformer, config.tokenizer.z_channels
    head, tokens = new_hart(config, seed=0).transformer.diffloss, c.patch_nums[-1] ** 2
    start, seen = torch.zeros(1, tokens, z), torch.zeros(2, tokens, c.embed_dim)
    macs = counted(lambda: head.sample(seen, 1.0, start, lambda _: start, config.residual_steps))
    (cost,) = [each for each in drawing_cost(config) if each.stage == "residual"]
    assert macs == cost.macs["residual"]


def test_the_text_s_form_is_what_pytorch_counts():
    config = subject_config("tiny")
    encoder = new_hart(config, seed=0).text
    macs = counted(lambda: encoder.encode(["a child runs into the street"]))
    assert macs == total_macs(drawing_cost(config)[:1])


@pytest.mark.parametrize("batch", [1, 2])
def test_the_engine_does_what_our_form_says(batch):
    """But for the embedded levels, which it may keep, or embed once more."""
    config = subject_config("tiny")
    hart = random_hart(config, torch.device("cpu"))
    subject = Subject(hart, SamplingSettings.of(config), parameters(hart))
    subject.draw()  # reads the null context, once for these weights
    costs = drawing_cost(config, batch)
    difference = counted(lambda: subject.draw(batch)) - total_macs(costs)
    assert abs(difference) <= total_macs(costs, "levels")


@pytest.mark.parametrize("model", SIZES)
@pytest.mark.parametrize("guided", [True, False])
def test_our_way_never_takes_more_than_the_reference_s(model, guided):
    config = subject_config(model)
    for ours, theirs in zip(
        drawing_cost(config, 2, guided)[1:],
        drawing_cost(config, 2, guided, "reference")[1:],
        strict=True,
    ):
        assert (ours.stage, ours.flops <= theirs.flops) == (theirs.stage, True)


def test_two_pictures_take_twice_the_arithmetic_but_not_twice_the_weights():
    config = subject_config("tiny")
    one, two = drawing_cost(config, 1), drawing_cost(config, 2)
    once = total_macs(one, "levels") + config.residual_steps * (256 * 32 + 32**2)
    assert total_macs(two) == 2 * total_macs(one) - once
    assert [each.weights for each in one] == [each.weights for each in two]


def test_without_guidance_there_are_half_the_rows():
    config = subject_config("0.7b", 512)
    guided, single = drawing_cost(config), drawing_cost(config, guided=False)
    of_image = [total_macs(costs[2:], "blocks") for costs in (guided, single)]
    assert of_image[0] == 2 * of_image[1]
