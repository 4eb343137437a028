import pytest
import torch
from torch.testing import assert_close

from hartsim.hart.config import scale_grids
from hartsim.hart.diffusion import LATENT_SCALE
from hartsim.hart.layers import grid_positions, text_rotary
from hartsim.hart.text import Context, positions_of
from hartsim.hart.transformer import draw_kept_tokens, drop_context
from hartsim.training.transformer import residual_target

BOUND = {"rtol": 0, "atol": 1e-4}
LOGITS = {"rtol": 0, "atol": 5e-4}
GRIDS = scale_grids((1, 2, 3, 4, 5, 6, 7, 8, 10), (10, 10))


def test_text_rotary_embeddings_agree_with_the_reference(golden, golden_context):
    arrays = golden("rope_and_level")
    rotary = text_rotary(golden_context.position_ids, head_dim=32)
    assert_close(rotary.cos[:, 0], arrays["ctx_cos"], **BOUND)
    assert_close(rotary.sin[:, 0], arrays["ctx_sin"], **BOUND)
    assert_close(rotary.rotate(arrays["ctx_q"]), arrays["ctx_q_rot"], **BOUND)


@pytest.mark.parametrize("scale", [1, 4, 8])
def test_image_rotary_embeddings_agree_with_the_reference(
    golden_hart, golden, golden_context, scale
):
    arrays = golden("rope_and_level")
    offsets = golden_context.position_ids[:, -1]
    side = golden_hart.config.transformer.patch_nums[scale]
    positions = grid_positions((side, side), (10, 10), offsets)
    assert_close(positions, arrays[f"img{scale}_pos"], **BOUND)
    tables = golden_hart.transformer.image_tables(offsets, GRIDS)
    rotary = tables[scale - 1]
    assert_close(rotary.cos[:, 0], arrays[f"img{scale}_cos"], **BOUND)
    assert_close(rotary.sin[:, 0], arrays[f"img{scale}_sin"], **BOUND)
    assert_close(rotary.rotate(arrays[f"img{scale}_q"]), arrays[f"img{scale}_q_rot"], **BOUND)


def test_padding_stays_where_the_last_token_was(golden):
    arrays = golden("teacher_forced")
    assert torch.equal(positions_of(arrays["context_mask"]), arrays["context_position_ids"])


def test_level_vectors_agree_with_the_reference(golden_hart, golden):
    levels = golden_hart.transformer.embed_levels()
    assert_close(levels, golden("rope_and_level")["lvl_embed"], **BOUND)


def test_teacher_forced_logits_agree_with_the_reference(golden_hart, golden, golden_context):
    arrays = golden("teacher_forced")
    prediction = golden_hart.transformer(golden_context, arrays["x_in"])
    assert_close(prediction.logits, arrays["logits_full"], **LOGITS)


def test_leaving_out_tokens_agrees_with_the_reference(golden_hart, golden, golden_context):
    arrays = golden("teacher_forced")
    kept = (~arrays["drop_mask"]).nonzero()[:, 1].view(2, -1)
    prediction = golden_hart.transformer(golden_context, arrays["x_in"], kept)
    assert_close(prediction.logits[:, -35:], arrays["logits_subsampled_last"], **LOGITS)
    codes = golden_hart.tokenizer.quantizer.embedding(arrays["sampled_idx_subsampled"])
    z = golden_hart.transformer.residual_condition(prediction.hidden, codes)
    assert_close(z.flatten(0, 1), arrays["diff_z"], **BOUND)
    target = residual_target(golden("tokenizer")["frest_last"], kept, codes) / LATENT_SCALE
    assert_close(target.flatten(0, 1), arrays["diff_x_start"], **BOUND)


def test_cached_inference_agrees_with_the_reference(golden_hart, golden, golden_context):
    arrays, tokens = golden("cached_logits"), golden("tokenizer")
    transformer, quantizer = golden_hart.transformer, golden_hart.tokenizer.quantizer
    running = quantizer.encode(tokens["f"]).running
    run, hidden = transformer.begin(golden_context, GRIDS, golden_hart.nothing)
    for scale in range(9):
        if scale > 0:
            inputs = quantizer.shrink(running[scale - 1], scale)
            hidden = transformer.advance(run, scale, inputs)
        # the first scale is not guided, so its null rows are not made
        expected = arrays[f"logits_{scale}"]
        logits = transformer.logits(hidden, run.modulation)[:, : expected.shape[1]]
        assert_close(logits, expected[: len(logits)], **LOGITS)
        assert len(logits) == (4 if scale else 2)


def test_one_null_token_stands_for_all(golden_hart, golden, golden_context):
    transformer, quantizer = golden_hart.transformer, golden_hart.tokenizer.quantizer
    nothing = Context(
        torch.zeros_like(golden_context.states), torch.zeros_like(golden_context.position_ids)
    )
    latent = golden("tokenizer")["f"]
    short, _ = transformer.begin(golden_context, GRIDS, golden_hart.nothing)
    long, _ = transformer.begin(golden_context, GRIDS, nothing)
    for scale in range(1, 9):
        inputs = quantizer.shrink(latent, scale)
        ours, whole = (
            transformer.advance(short, scale, inputs),
            transformer.advance(long, scale, inputs),
        )
        assert_close(ours, whole, rtol=0, atol=2e-5)
    assert short.cache.short_rows == 2
    assert long.cache.short_rows == 0


def test_the_last_scale_leaves_nothing_in_the_cache(golden_hart, golden_context):
    run, _ = golden_hart.transformer.begin(golden_context, GRIDS)
    tokens = golden_context.states.shape[1] + sum(h * w for h, w in GRIDS[1:-1])
    assert run.cache.keys.shape[3] == run.starts[-1] == tokens


def test_some_tokens_of_the_last_scale_are_as_among_all(golden_hart, golden, golden_context):
    transformer, quantizer = golden_hart.transformer, golden_hart.tokenizer.quantizer
    latent, everything = golden("tokenizer")["f"], torch.arange(100).repeat(2, 1)
    run, _ = transformer.begin(golden_context, GRIDS, golden_hart.nothing)
    for scale in range(1, 9):
        inputs = quantizer.shrink(latent, scale)
        hidden = transformer.advance(run, scale, inputs)
    assert_close(transformer.advance(run, 8, inputs, kept=everything), hidden)
    some = transformer.advance(run, 8, inputs, guided=False, kept=everything[:, ::2])
    assert some.shape == (2, 50, 160)


def test_dropped_rows_are_the_null_context(golden_context):
    dropped = drop_context(golden_context, 1.0, torch.Generator().manual_seed(0))
    assert not dropped.states.any()
    assert not dropped.position_ids.any()


def test_about_the_asked_share_of_rows_is_dropped():
    context = Context(torch.ones(4000, 1, 1), torch.ones(4000, 1, dtype=torch.long))
    dropped = drop_context(context, 0.1, torch.Generator().manual_seed(0))
    assert 0.07 < 1 - dropped.states.mean() < 0.13


def test_kept_tokens_are_sorted_distinct_and_few():
    kept = draw_kept_tokens(3, 256, torch.Generator().manual_seed(0))
    assert (kept.diff(dim=1) > 0).all()
    assert 32 <= kept.shape[1] <= 128
    assert draw_kept_tokens(3, 16, torch.Generator()).shape == (3, 16)


def test_heavier_tokens_are_kept_more_often():
    weights = torch.ones(2000, 256)
    weights[:, 7] = 8.0
    weights[:, 9] = 1e-3
    kept = draw_kept_tokens(2000, 256, torch.Generator().manual_seed(0), weights)
    plain, heavy, light = ((kept == token).float().sum() / 2000 for token in (3, 7, 9))
    share = kept.shape[1] / 256
    assert abs(plain - share) < 0.05
    assert heavy > min(3 * share, 0.9)
    assert light < 0.1 * share


def test_the_training_losses_reach_every_weight(tiny):
    transformer, quantizer = tiny.transformer, tiny.tokenizer.quantizer
    quantized = quantizer.encode(torch.randn(2, 8, 4, 4))
    with torch.enable_grad():
        context = tiny.text(tiny.text.token_ids(["a car", "fog"]))
        prediction = transformer(context, quantizer.next_inputs(quantized))
        codes = quantizer.embedding(quantized.codes[-1]).detach()
        z = transformer.residual_condition(prediction.hidden, codes).flatten(0, 1)
        target = (quantized.residual - codes).flatten(0, 1)
        error, bound = transformer.diffloss.loss(
            z, target, torch.arange(32) * 30, torch.randn_like(target)
        )
        loss = prediction.logits.square().mean() + error.mean() + bound.mean()
        parameters = {**dict(transformer.named_parameters()), **dict(tiny.text.named_parameters())}
        gradients = torch.autograd.grad(loss, list(parameters.values()))
    assert all(gradient.isfinite().all() for gradient in gradients)
