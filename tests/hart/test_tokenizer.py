from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from hartsim.hart.quantizer import codebook_loss
from hartsim.hart.tokenizer import Tokenizer, from_pixels, to_pixels

BOUND = {"rtol": 0, "atol": 1e-4}


def test_the_encoder_agrees_with_the_reference(golden_hart, golden):
    arrays = golden("tokenizer")
    assert_close(golden_hart.tokenizer.latent(arrays["image"]), arrays["f"], **BOUND)


def test_codes_and_remainder_agree_with_the_reference(golden_hart, golden):
    arrays = golden("tokenizer")
    quantized = golden_hart.tokenizer.quantizer.encode(arrays["f"])
    for scale, codes in enumerate(quantized.codes):
        assert torch.equal(codes, arrays[f"idx_{scale}"])
    assert_close(quantized.residual, arrays["frest_last"], **BOUND)


def test_running_latents_agree_with_the_reference(golden_hart, golden):
    arrays = golden("tokenizer")
    quantizer = golden_hart.tokenizer.quantizer
    quantized = quantizer.encode(arrays["f"])
    assert_close(torch.stack(quantized.running[:-1]), arrays["fhat_scales"][:-1], **BOUND)
    assert_close(quantized.discrete, arrays["fhat_discrete_hybrid"], **BOUND)
    assert_close(quantizer.decode(quantized.codes), arrays["fhat_discrete_hybrid"], **BOUND)
    assert_close(quantizer.next_inputs(quantized), arrays["var_input"], **BOUND)


def test_smoothing_the_last_scale_too_gives_the_discrete_only_latent(golden_hart, golden):
    arrays = golden("tokenizer")
    quantizer = golden_hart.tokenizer.quantizer
    grid = quantizer.lift(quantizer.embedding(arrays["idx_8"]), scale=8)
    latent = arrays["fhat_scales"][-2] + quantizer.quant_resi(grid, scale=8, scales=9)
    assert_close(latent, arrays["fhat_scales"][-1], **BOUND)
    decoded = golden_hart.tokenizer.decode(latent)
    assert_close(decoded, arrays["rec_discrete_allphi_raw"], **BOUND)


@pytest.mark.parametrize(
    ("scales", "indices"),
    [
        (9, [0, 0, 1, 1, 2, 2, 2, 3, 3]),
        (10, [0, 0, 1, 1, 1, 2, 2, 3, 3, 3]),
        (14, [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3]),
    ],
)
def test_each_scale_takes_the_smoothing_of_the_paper(golden_hart, scales, indices):
    smoothing = golden_hart.tokenizer.quantizer.quant_resi
    assert [smoothing.index(scale, scales) for scale in range(scales)] == indices


def test_the_smoothing_of_each_scale_is_the_references(golden_hart, golden):
    smoothing = golden_hart.tokenizer.quantizer.quant_resi
    assert [smoothing.index(scale, 9) for scale in range(9)] == golden("tokenizer")[
        "phi_index"
    ].tolist()


def test_decoded_pictures_agree_with_the_reference(golden_hart, golden):
    arrays = golden("tokenizer")
    unit = (golden_hart.tokenizer.decode(arrays["f"]).clamp(-1, 1) + 1) / 2
    assert_close(unit, arrays["rec_continuous_01"], **BOUND)


@pytest.mark.parametrize(
    ("latent", "image"),
    [("f", "rec_continuous_raw"), ("fhat_discrete_hybrid", "rec_discrete_hybrid_raw")],
)
def test_the_decoder_agrees_with_the_reference(golden_hart, golden, latent, image):
    arrays = golden("tokenizer")
    assert_close(golden_hart.tokenizer.decode(arrays[latent]), arrays[image], **BOUND)


def test_codes_and_remainder_add_up_to_the_latent(tiny):
    latent = torch.randn(2, 8, 4, 4)
    quantized = tiny.tokenizer.quantizer.encode(latent)
    rebuilt = quantized.running[-2] + quantized.residual.mT.reshape(latent.shape)
    assert_close(rebuilt, latent)


def test_images_of_another_size_are_refused(tiny):
    with pytest.raises(ValueError, match=r"image is \(3, 32, 40\), .* multiples of 8 up to 32"):
        tiny.tokenizer.latent(torch.zeros(1, 3, 32, 40))
    assert tiny.tokenizer.latent(torch.zeros(1, 3, 32, 16)).shape == (1, 8, 4, 2)


def test_pixels_are_truncated_and_clamped():
    image = torch.tensor([-2.0, -1.0, 0.999, 2.0]).view(1, 1, 1, 4).expand(1, 3, 1, 4)
    assert to_pixels(image)[0, 0, :, 0].tolist() == [0, 0, 254, 255]
    assert from_pixels(to_pixels(image))[0, 0, 0].tolist()[::3] == [-1.0, 1.0]


def test_a_wrapped_decode_does_not_know_where_the_edge_is(tiny):
    latent = torch.randn(1, 8, 4, 4)
    rolled = latent.roll((2, 2), dims=(2, 3))
    image = tiny.tokenizer.decode_wrapped(latent)
    again = tiny.tokenizer.decode_wrapped(rolled).roll((-16, -16), dims=(2, 3))
    assert_close(image, again, rtol=0, atol=1e-4)


def test_the_codebook_loss_reaches_latent_codes_and_smoothing(tiny):
    quantizer = tiny.tokenizer.quantizer
    latent = torch.randn(1, 8, 4, 4, requires_grad=True)
    with torch.enable_grad():
        loss = codebook_loss(latent, quantizer.encode(latent), beta=0.25)
        weights = [latent, quantizer.embedding.weight, quantizer.quant_resi.qresi_ls[0].weight]
        gradients = torch.autograd.grad(loss, weights)
    assert all(gradient.abs().sum() > 0 for gradient in gradients)


def test_a_light_decoder_reads_the_same_latents(tiny):
    light = replace(tiny.config.tokenizer, decoder_ch=8)
    tokenizer = Tokenizer(light, (1, 2, 3, 4))
    assert tokenizer.decode(torch.zeros(1, 8, 4, 4)).shape == (1, 3, 32, 32)
    whole = sum(weight.numel() for weight in tiny.tokenizer.vae.decoder.parameters())
    assert sum(weight.numel() for weight in tokenizer.vae.decoder.parameters()) < 0.4 * whole


def test_decoder_channels_that_the_norms_cannot_divide_are_refused(tiny):
    with pytest.raises(ValueError, match="decoder_ch is 12, must be a multiple of norm_groups = 8"):
        replace(tiny.config.tokenizer, decoder_ch=12)
