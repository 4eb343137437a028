import dataclasses

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from benchmarks.bench_tiles import seam_energies, textures
from hartsim.hart.config import scale_grids
from hartsim.hart.edit import LatentCanvas, canvas_of_images, torus_turn
from hartsim.hart.noise import KeyedNoise
from hartsim.hart.sampling import SamplingSettings, Wish, coarse_to_fine, generate

GRIDS = scale_grids((1, 2, 3, 4), (4, 4))
SETTINGS = SamplingSettings(guidance=2.0)


def corner_mask():
    """Editable in the upper left quarter of 32 x 32 pixels."""
    mask = torch.zeros(1, 32, 32, dtype=torch.bool)
    mask[:, :16, :16] = True
    return mask


def test_cells_without_editable_pixels_are_forced():
    canvas = LatentCanvas.around(torch.zeros(1, 8, 4, 4), corner_mask(), torch.tensor([0]), GRIDS)
    assert canvas.forced[0].tolist() == [[False]]
    assert canvas.forced[1].tolist() == [[False, True, True, True]]
    assert canvas.forced[3].view(4, 4)[:2, :2].logical_not().all()
    assert canvas.forced[3].sum() == 12


def test_one_editable_pixel_frees_its_cell():
    mask = torch.zeros(1, 32, 32, dtype=torch.bool)
    mask[0, 31, 0] = True
    canvas = LatentCanvas.around(torch.zeros(1, 8, 4, 4), mask, torch.tensor([0]), GRIDS)
    assert canvas.forced[3].logical_not().nonzero().tolist() == [[0, 12]]


def test_kept_scales_are_forced_everywhere():
    canvas = LatentCanvas.around(
        torch.zeros(2, 8, 4, 4), corner_mask().expand(2, -1, -1), torch.tensor([0, 2]), GRIDS
    )
    assert [forced[1].all().item() for forced in canvas.forced] == [True, True, False, False]
    assert not canvas.forced[0][0].any()


def test_forced_cells_keep_the_latent_exactly(tiny):
    image = torch.rand(1, 3, 32, 32) * 2 - 1
    canvas = canvas_of_images(tiny.tokenizer, image, corner_mask(), torch.tensor([1]))
    latent = generate(
        tiny, tiny.text.encode(["fire"]), KeyedNoise.of(["k"]), SETTINGS, Wish(canvas)
    )
    assert torch.equal(latent[..., 2:], canvas.latent[..., 2:])
    assert not torch.equal(latent[..., :2, :2], canvas.latent[..., :2, :2])


def test_forced_codes_are_those_of_the_canvas_if_all_are_forced(tiny):
    canvas = LatentCanvas.around(
        torch.randn(1, 8, 4, 4), torch.zeros(1, 32, 32, dtype=torch.bool), torch.tensor([0]), GRIDS
    )
    stages = list(
        coarse_to_fine(tiny, tiny.text.encode(["x"]), KeyedNoise.of(["k"]), SETTINGS, Wish(canvas))
    )
    expected = tiny.tokenizer.quantizer.encode(canvas.latent).codes
    assert all(torch.equal(s.codes, codes) for s, codes in zip(stages, expected, strict=True))


def test_every_other_scale_sees_the_torus_turned():
    grids = scale_grids((1, 2, 3, 5, 9, 16), (16, 12))
    assert [torus_turn(scale, grids) for scale in range(6)] == [(8, 6), (0, 0)] * 3


def test_a_turned_scale_adds_where_it_has_looked(tiny):
    """With one code for everything, turned or not, a torus gets the same everywhere."""
    context, noise = tiny.text.encode(["bricks"]), KeyedNoise.of(["k"])
    seen = []

    def forward(run, scale, inputs, *rest):
        seen.append(inputs.clone())
        return advance(run, scale, inputs, *rest)

    advance, tiny.transformer.advance = tiny.transformer.advance, forward
    try:
        stages = list(coarse_to_fine(tiny, context, noise, SETTINGS, Wish(wrapped=True)))
    finally:
        tiny.transformer.advance = advance
    quantizer = tiny.tokenizer.quantizer
    turned = quantizer.shrink(stages[1].latent.roll((2, 2), dims=(2, 3)), 2)
    assert torch.equal(seen[1], turned)
    lifted = quantizer.lift(stages[2].embedded, 2, wrapped=True).roll((-2, -2), dims=(2, 3))
    assert_close(stages[2].latent, stages[1].latent + lifted)


def test_what_is_lifted_on_a_torus_does_not_know_where_its_edges_are(tiny):
    quantizer, tokens = tiny.tokenizer.quantizer, torch.randn(1, 4, 8)
    lifted = quantizer.lift(tokens, 1, wrapped=True)
    moved = quantizer.lift(
        tokens.view(1, 2, 2, 8).roll((1, 1), dims=(1, 2)).flatten(1, 2), 1, wrapped=True
    )
    assert_close(moved, lifted.roll((2, 2), dims=(2, 3)))
    assert not torch.allclose(quantizer.lift(tokens, 1), lifted)


@pytest.mark.parametrize(("keep", "free"), [(0, 4), (4, 2)])
def test_of_few_tokens_the_free_ones_come_first(tiny, keep, free):
    """Half of a canvas's last scale is worked out: its four free cells are among the eight."""
    mask = torch.zeros(1, 32, 32, dtype=torch.bool)
    mask[:, :16, :16] = True
    canvas = canvas_of_images(tiny.tokenizer, torch.zeros(1, 3, 32, 32), mask, torch.tensor([0]))
    kept = []

    def forward(run, scale, inputs, guided=True, chosen=None):
        kept.append(chosen)
        return advance(run, scale, inputs, guided, chosen)

    advance, tiny.transformer.advance = tiny.transformer.advance, forward
    try:
        few = dataclasses.replace(SETTINGS, kept_tokens=0.25 if keep == 0 else 0.1)
        generate(tiny, tiny.text.encode(["fire"]), KeyedNoise.of(["k"]), few, Wish(canvas))
    finally:
        tiny.transformer.advance = advance
    chosen = kept[-1][0]
    assert (~canvas.forced[-1][0][chosen]).sum() == free


@pytest.mark.slow
def test_textures_of_hart_mini_show_no_seam():
    """Across the edges as inside, and where they were as at any border between tokens."""
    edges, seams, _ = np.mean([seam_energies(tile) for tile in textures(32)], axis=0)
    assert edges < 1.1
    assert seams < 1.1


def test_a_picture_that_is_no_texture_shows_its_seam():
    ramp = np.linspace(0, 255, 128)[None, :, None] * np.ones((128, 1, 3))
    across, *_ = seam_energies(ramp.astype(np.uint8))
    assert across > 100
