from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from hartsim.hart.config import hart_config, scale_grids
from hartsim.hart.model import new_hart
from hartsim.hart.noise import KeyedNoise
from hartsim.hart.sampling import (
    SamplingSettings,
    Wish,
    best_candidates,
    coarse_to_fine,
    draw_codes,
    generate,
    mix_codes,
)
from hartsim.hart.text import Context
from hartsim.hart.tokenizer import to_pixels
from tests.hart.recorded import RecordedNoise

SIDES = (1, 2, 3, 4, 5, 6, 7, 8, 10)
SETTINGS = SamplingSettings()


def first_row(context):
    return Context(context.states[:1], context.position_ids[:1])


def test_greedy_generation_agrees_with_the_reference(golden_hart, golden, golden_context):
    arrays = golden("greedy")
    noise = RecordedNoise(arrays["diff_noise_init"], arrays["diff_noise_steps"], rows=2)
    settings = SamplingSettings(guidance=arrays["cfg"].item(), more_smooth=False, greedy=True)
    stages = list(coarse_to_fine(golden_hart, golden_context, noise, settings))
    for scale, stage in enumerate(stages):
        assert torch.equal(stage.codes, arrays[f"idx_{scale}"])
    latents = torch.stack([stage.latent for stage in stages[:-1]])
    assert_close(latents, arrays["fhat_after_scale"], rtol=0, atol=1e-4)
    quantizer = golden_hart.tokenizer.quantizer
    inputs = [quantizer.shrink(stage.latent, scale + 1) for scale, stage in enumerate(stages[:-1])]
    assert_close(torch.cat(inputs, dim=1), arrays["next_inputs"], rtol=0, atol=1e-4)
    assert_close(stages[-1].latent, arrays["f_hat"], rtol=0, atol=1e-3)
    image = golden_hart.tokenizer.decode(stages[-1].latent)
    assert_close((image.clamp(-1, 1) + 1) / 2, arrays["image01"], rtol=0, atol=1e-3)
    pixels = to_pixels(image).permute(0, 3, 1, 2)
    assert (pixels == arrays["image_uint8"]).float().mean() >= 0.999


def test_as_many_codes_may_be_drawn_as_the_reference_lets(golden):
    asked = [SETTINGS.top_k(scale) for scale in range(9)]
    assert asked == golden("greedy")["top_k_used"].tolist()


def test_the_residual_head_is_guided_as_the_scale_before(golden):
    arrays = golden("greedy")
    assert arrays["diffusion_cfg"].item() == pytest.approx(arrays["cfg"].item() * 7 / 8)


def test_the_greedy_image_agrees_with_the_reference(golden_hart, golden):
    arrays = golden("greedy")
    image = golden_hart.tokenizer.decode(arrays["f_hat"])
    assert_close((image.clamp(-1, 1) + 1) / 2, arrays["image01"], rtol=0, atol=1e-3)
    pixels = to_pixels(image).permute(0, 3, 1, 2)
    assert (pixels == arrays["image_uint8"]).float().mean() >= 0.999


def test_the_greedy_residual_agrees_with_the_reference(golden_hart, golden, golden_context):
    arrays = golden("greedy")
    noise = RecordedNoise(arrays["diff_noise_init"], arrays["diff_noise_steps"], rows=2)
    settings = SamplingSettings(more_smooth=False, greedy=True)
    *_, last = coarse_to_fine(golden_hart, golden_context, noise, settings)
    residual = last.embedded - golden_hart.tokenizer.quantizer.embedding(last.codes)
    wrong = (residual - arrays["diff_residual"]).abs() > 1e-4
    assert wrong.float().mean() <= 1e-3


def test_sampling_with_the_references_seed_draws_its_codes(golden_hart, golden, golden_context):
    arrays = golden("sampled")
    noise = RecordedNoise(
        arrays["diff_noise_init"], arrays["diff_noise_steps"], seed=arrays["g_seed"].item()
    )
    settings = SamplingSettings(more_smooth=False)
    stages = list(coarse_to_fine(golden_hart, first_row(golden_context), noise, settings))
    assert torch.equal(torch.cat([s.codes for s in stages], dim=1), arrays["plain_idx"])
    # The head's first step is nearly the sign of a difference, which noise in float32 may flip.
    wrong = (stages[-1].latent - arrays["plain_f_hat"]).abs() > 1e-3
    assert wrong.float().mean() <= 1e-3
    image = golden_hart.tokenizer.decode(stages[-1].latent)
    assert_close((image.clamp(-1, 1) + 1) / 2, arrays["plain_image01"], rtol=0, atol=1e-3)


def test_smooth_sampling_agrees_with_the_reference(golden_hart, golden, golden_context):
    arrays = golden("sampled")
    noise = RecordedNoise(
        arrays["diff_noise_init"],
        arrays["diff_noise_steps"],
        races=arrays["exp_multinomial"],
        mixtures=arrays["exp_gumbel"],
        patch_nums=SIDES,
    )
    latent = generate(golden_hart, first_row(golden_context), noise, SETTINGS)
    assert_close(latent, arrays["smooth_f_hat"], rtol=0, atol=0.1)
    image = (golden_hart.tokenizer.decode(latent).clamp(-1, 1) + 1) / 2
    assert_close(image, arrays["smooth_image01"], rtol=0, atol=2e-2)


@pytest.mark.parametrize("scale", range(9))
def test_each_smooth_draw_agrees_with_the_reference(golden_hart, golden, scale):
    arrays = golden("sampled")
    sizes = [side * side for side in SIDES]
    names = ("smooth_guided_logits", "exp_multinomial", "exp_gumbel", "smooth_idx", "smooth_e")
    logits, races, mixtures, codes, mixed = (arrays[n].split(sizes, 1)[scale] for n in names)
    candidates = best_candidates(logits, SETTINGS.top_k(scale), SETTINGS.top_p)
    assert torch.equal(draw_codes(candidates, races.gather(-1, candidates.codes)), codes)
    codebook = golden_hart.tokenizer.quantizer.embedding.weight
    mixing = mixtures.gather(-1, candidates.codes)
    mixture = mix_codes(candidates, mixing, min(scale, 7) / 8, codebook)
    assert_close(mixture, mixed, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "top_k", "top_p"),
    [("k300", 300, 0.0), ("k600", 600, 0.0), ("p90", 768, 0.9), ("k300p90", 300, 0.9)],
)
def test_filters_keep_what_the_reference_keeps(golden, name, top_k, top_p):
    arrays = golden("sampled")
    candidates = best_candidates(arrays["unit_logits"], top_k, top_p)
    kept = candidates.logits.isfinite().sum(dim=-1)
    assert torch.equal(kept, arrays[f"unit_kept_{name}"])
    race = arrays["unit_exp"][None].gather(-1, candidates.codes)
    codes = draw_codes(candidates, race)
    assert torch.equal(codes, arrays[f"unit_idx_{name}"])


def test_the_best_code_survives_any_share():
    candidates = best_candidates(torch.tensor([[[3.0, 1.0, 2.0]]]), top_k=3, top_p=1e-6)
    assert candidates.logits.isfinite().tolist() == [[[True, False, False]]]
    assert candidates.codes[0, 0, 0] == 0


@pytest.mark.parametrize("guidance", [0.0, 3.0])
def test_samples_do_not_change_with_their_company(tiny, guidance):
    prompts, keys = ["a red car", "a cone", "snow on the road"], ["x", "y", "z"]
    settings = SamplingSettings(guidance=guidance)
    together = generate(tiny, tiny.text.encode(prompts), KeyedNoise.of(keys), settings)
    order = [2, 0, 1]
    context = tiny.text.encode([prompts[i] for i in order])
    again = generate(tiny, context, KeyedNoise.of([keys[i] for i in order]), settings)
    assert_close(again, together[order], rtol=0, atol=1e-4)


def test_without_guidance_there_are_no_null_rows(tiny):
    grids = scale_grids((1, 2, 3, 4), (4, 4))
    run, hidden = tiny.transformer.begin(tiny.text.encode(["a", "b"]), grids)
    assert hidden.shape[0] == run.cache.keys.shape[1] == 2


def test_a_negative_prompt_changes_the_picture(tiny):
    context, noise = tiny.text.encode(["a road"]), KeyedNoise.of(["k"])
    plain = generate(tiny, context, noise, SETTINGS)
    led = generate(tiny, context, noise, SETTINGS, Wish(negative=tiny.text.encode(["blurred"])))
    assert not torch.equal(plain, led)


@pytest.mark.parametrize("grid", [(4, 2), (1, 4), (3, 3)])
def test_pictures_need_not_be_square(tiny, grid):
    context, noise = tiny.text.encode(["a road"]), KeyedNoise.of(["k"])
    latent = generate(tiny, context, noise, SETTINGS, Wish(grid=grid))
    assert latent.shape == (1, 8, *grid)
    assert tiny.tokenizer.decode(latent).shape == (1, 3, 8 * grid[0], 8 * grid[1])


def test_sides_longer_than_the_weights_know_are_refused(tiny):
    context, noise = tiny.text.encode(["a road"]), KeyedNoise.of(["k"])
    with pytest.raises(
        ValueError, match="picture of 4 x 5 tokens is asked for; the weights know 1 to 4"
    ):
        generate(tiny, context, noise, SETTINGS, Wish(grid=(4, 5)))


@pytest.mark.parametrize(
    "part", ["head.weight", "blocks.1.ffn.down_proj.weight", "word_embed.bias"]
)
def test_weights_that_are_no_numbers_show_in_the_latent(part):
    broken = new_hart(hart_config("tiny"), seed=0)
    broken.transformer.get_parameter(part).view(-1)[3] = torch.nan
    latent = generate(broken, broken.text.encode(["a"]), KeyedNoise.of(["k"]), SETTINGS)
    assert latent.isnan().any()


def test_guidance_may_end_early(tiny):
    context, noise = tiny.text.encode(["a road"]), KeyedNoise.of(["k"])
    whole = [s.logits for s in coarse_to_fine(tiny, context, noise, SETTINGS)]
    early = replace(SETTINGS, guided_scales=2)
    part = [s.logits for s in coarse_to_fine(tiny, context, noise, early)]
    assert all(torch.equal(a, b) for a, b in zip(whole[:2], part[:2], strict=True))
    assert not torch.equal(whole[2], part[2])
    never = replace(SETTINGS, guided_scales=0)
    unguided = replace(SETTINGS, guidance=0.0)
    assert_close(generate(tiny, context, noise, never), generate(tiny, context, noise, unguided))


@pytest.mark.parametrize("guidance", [0.0, 3.0])
def test_all_tokens_kept_is_as_none_left_out(tiny, guidance):
    context, noise = tiny.text.encode(["a road", "b"]), KeyedNoise.of(["k", "l"])
    settings = replace(SETTINGS, guidance=guidance)

    def last_logits(share):
        kept = replace(settings, kept_tokens=share)
        return list(coarse_to_fine(tiny, context, noise, kept))[-1].logits

    whole = last_logits(1.0)
    assert_close(last_logits(0.99), whole, rtol=0, atol=1e-5)
    assert ((last_logits(0.5) - whole).abs().amax(dim=-1) > 1e-5).all()
