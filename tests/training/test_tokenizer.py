import pytest
import torch
from torch.testing import assert_close

from hartsim.hart.config import hart_config
from hartsim.hart.tokenizer import Tokenizer
from hartsim.training.tokenizer import RESIDUAL_STD, calibrate, revive_codes


@pytest.fixture
def tokenizer():
    config = hart_config("tiny")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Tokenizer(config.tokenizer, config.transformer.patch_nums)


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(1)
    return torch.rand(160, 3, 32, 32, generator=generator) * 2 - 1


@torch.no_grad()
def test_calibration_leaves_pictures_as_they_were(tokenizer, images):
    before = tokenizer.decode(tokenizer.latent(images[:4]))
    calibrate(tokenizer, tokenizer.latent(images))
    assert_close(tokenizer.decode(tokenizer.latent(images[:4])), before, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_calibration_fits_the_residual_to_its_head(tokenizer, images):
    latents = calibrate(tokenizer, tokenizer.latent(images))
    quantizer = tokenizer.quantizer
    residual = quantizer.encode(latents).residual
    rest = residual - quantizer.embedding(quantizer.nearest(residual))
    assert float(rest.std()) == pytest.approx(RESIDUAL_STD, rel=0.1)


@torch.no_grad()
def test_codes_that_nothing_uses_are_revived(tokenizer, images):
    latents = tokenizer.latent(images)
    tokenizer.quantizer.embedding.weight.fill_(50.0)
    tokenizer.quantizer.embedding.weight[0] = 0.0
    revive_codes(tokenizer, latents, seed=0)
    codes = torch.cat(tokenizer.quantizer.encode(latents).codes, dim=1)
    assert len(codes.unique()) > 8
