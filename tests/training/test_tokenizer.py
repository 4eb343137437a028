from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from hartsim.config import TokenizerTraining
from hartsim.hart.config import hart_config
from hartsim.hart.tokenizer import Tokenizer
from hartsim.training.run import Budget
from hartsim.training.tokenizer import (
    calibrate,
    revive_codes,
    start_from_principal_components,
    train_tokenizer,
    window,
)
from tests.training.fakes import fake_corpus, stop_after


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
    calibrate(tokenizer, tokenizer.latent(images), 0.24)
    assert_close(tokenizer.decode(tokenizer.latent(images[:4])), before, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_calibration_fits_the_residual_to_its_head(tokenizer, images):
    latents = calibrate(tokenizer, tokenizer.latent(images), 0.3)
    quantizer = tokenizer.quantizer
    residual = quantizer.encode(latents).residual
    rest = residual - quantizer.embedding(quantizer.nearest(residual))
    assert float(rest.std()) == pytest.approx(0.3, rel=0.1)


@torch.no_grad()
def test_codes_that_nothing_uses_are_revived(tokenizer, images):
    latents = tokenizer.latent(images)
    tokenizer.quantizer.embedding.weight.fill_(50.0)
    tokenizer.quantizer.embedding.weight[0] = 0.0
    revive_codes(tokenizer, latents, seed=0)
    codes = torch.cat(tokenizer.quantizer.encode(latents).codes, dim=1)
    assert len(codes.unique()) > 8


def test_the_linear_start_draws_smooth_pictures_better_than_their_mean():
    config = replace(hart_config("tiny").tokenizer, linear_shortcut=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        tokenizer = Tokenizer(config)
        coarse = torch.randn(40, 3, 4, 4)
    images = torch.nn.functional.interpolate(coarse, size=(32, 32), mode="bicubic")
    start_from_principal_components(tokenizer, images)
    with torch.no_grad():
        error = (tokenizer.decode(tokenizer.latent(images)) - images).square().mean()
    assert error < 0.05 * images.var()


def test_a_window_shows_the_same_place_in_latents_and_pictures():
    latent = torch.arange(16.0).view(1, 1, 4, 4)
    image = latent.repeat_interleave(8, 2).repeat_interleave(8, 3)
    for seed in range(5):
        cells, piece = window(latent, image, 16, np.random.default_rng(seed))
        assert cells.shape[2:] == (2, 2)
        assert torch.equal(piece[..., ::8, ::8], cells)


@pytest.fixture
def corpus(tmp_path):
    return fake_corpus(tmp_path / "corpus", count=20, side=32)


def test_an_interrupted_tokenizer_ends_in_the_same_bytes(corpus, tmp_path, monkeypatch):
    """Stopped in the first phase, then in the last."""
    how, budget = TokenizerTraining(batch=4, crop_px=16, perceptual=0.0), Budget(steps=20)

    def train(folder):
        return train_tokenizer(corpus, corpus, hart_config("tiny"), folder, budget, how)

    whole = train(tmp_path / "whole").state_dict()
    for stop in (7, 9):
        with monkeypatch.context() as patch:
            stop_after(patch, stop)
            with pytest.raises(KeyboardInterrupt):
                train(tmp_path / "parts")
    parts = train(tmp_path / "parts").state_dict()
    assert all(torch.equal(whole[key], parts[key]) for key in whole)
