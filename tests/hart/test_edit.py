import numpy as np
import pytest
import torch

from benchmarks.bench_tiles import seam_energies, textures
from hartsim.hart.config import scale_grids
from hartsim.hart.edit import canvas_of_images, generate_seamless, seam_cells
from hartsim.hart.noise import KeyedNoise
from hartsim.hart.sampling import LatentCanvas, SamplingSettings, Wish, coarse_to_fine, generate

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
    canvas = canvas_of_images(tiny, image, corner_mask(), torch.tensor([1]))
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


def test_the_seam_is_a_cross_through_the_middle():
    cells = seam_cells((16, 16))
    assert cells[7:9].all()
    assert cells[:, 7:9].all()
    assert not cells[0, 0]
    assert cells.float().mean() < 0.5


def test_seamless_textures_are_repainted_along_the_cross_only(tiny):
    context, first, second = (
        tiny.text.encode(["bricks"]),
        KeyedNoise.of(["k"]),
        KeyedNoise.of(["s"]),
    )
    latent = generate_seamless(tiny, context, first, second, SETTINGS, Wish())
    rolled = generate(tiny, context, first, SETTINGS, Wish(wrapped=True)).roll((2, 2), dims=(2, 3))
    seam = seam_cells((4, 4))
    assert torch.equal(latent[..., ~seam], rolled[..., ~seam])
    assert not torch.equal(latent[..., seam], rolled[..., seam])


@pytest.mark.slow
def test_textures_of_hart_mini_show_no_seam():
    """The gradient across the seams is that of any other place, within a tenth."""
    edges, seams = zip(*map(seam_energies, textures(32)), strict=True)
    assert np.mean(edges) < 1.1
    assert np.mean(seams) < 1.1


def test_a_picture_that_is_no_texture_shows_its_seam():
    ramp = np.linspace(0, 255, 128)[None, :, None] * np.ones((128, 1, 3))
    across, _ = seam_energies(ramp.astype(np.uint8))
    assert across > 100
