from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from hartsim.config import HartSettings, RenderSettings
from hartsim.errors import ConfigError
from hartsim.hart.config import TransformerConfig, hart_config
from hartsim.hart.diffusion import LATENT_SCALE
from hartsim.hart.flow import FlowHead
from hartsim.hart.model import new_hart
from hartsim.hart.noise import KeyedNoise
from hartsim.hart.renderer import make_renderer
from hartsim.hart.sampling import SamplingSettings, generate


def unasked(step):
    raise AssertionError(f"noise of step {step} was asked for")


@pytest.fixture
def taught():
    """A head that has learned residuals which follow from their condition, but for some noise."""
    with torch.random.fork_rng(), torch.enable_grad():
        torch.manual_seed(0)
        head = FlowHead(2, 4, 64, 2)
        optimizer = torch.optim.AdamW(head.parameters(), lr=3e-3)
        for _ in range(400):
            z, residual = told(256)
            t = torch.randint(1000, (256,))
            error, other = head.loss(z, residual, t, torch.randn(256, 2))
            assert not other.any()
            optimizer.zero_grad()
            error.mean().backward()
            optimizer.step()
    return head.requires_grad_(False)


def told(count):
    z = torch.randn(count, 4)
    mean = 0.2 * torch.tanh(z[:, :2])
    return z, mean + 0.05 * torch.randn(count, 2)


@pytest.mark.parametrize("steps", [1, 2, 4, 8])
def test_residuals_are_those_that_were_learned(taught, steps):
    z = torch.randn(500, 4, generator=torch.Generator().manual_seed(1))
    start = torch.randn(500, 2, generator=torch.Generator().manual_seed(2))
    found = taught.sample(z, 0.0, start, unasked, steps, temperature=0.0)
    assert (found - 0.2 * torch.tanh(z[:, :2])).square().mean().sqrt() < 0.05


def test_several_steps_bring_back_the_spread(taught):
    z = torch.zeros(2000, 4)
    start = torch.randn(2000, 2, generator=torch.Generator().manual_seed(2))
    one, many = (taught.sample(z, 0.0, start, unasked, steps) for steps in (1, 8))
    assert 0.015 < float(many.std()) < 0.08
    assert float(one.std()) < 0.8 * float(many.std())


def test_guidance_leads_away_from_the_null_rows(taught):
    z, start = torch.randn(1, 4), torch.randn(1, 2)
    both = torch.cat([z, torch.zeros(1, 4)])
    plain, null = (taught.sample(each, 0.0, start, unasked, 1, 0.0) for each in both.split(1))
    guided = taught.sample(both, 0.5, start, unasked, 1, 0.0)
    assert_close(guided, 1.5 * plain - 0.5 * null, rtol=0, atol=1e-5)


def test_residuals_stay_within_their_bounds():
    head = FlowHead(2, 4, 16, 1)
    wild = head.sample(torch.zeros(5, 4), 0.0, 100 * torch.ones(5, 2), unasked, 2)
    assert wild.abs().max() <= LATENT_SCALE + 1e-6


def test_a_model_with_flow_draws_in_one_step_and_keeps_its_keys():
    config = hart_config("tiny")
    config = replace(
        config,
        transformer=replace(config.transformer, diff_process="flow"),
        residual_steps=1,
    )
    hart = new_hart(config, seed=0)
    settings = SamplingSettings.of(config)
    first, again, other = (
        generate(hart, hart.text.encode(["a road"]), KeyedNoise.of([key]), settings)
        for key in ("a", "a", "b")
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_process_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match="diff_process is 'edm', must be 'iddpm' or 'flow'"):
        TransformerConfig(diff_process="edm")


def test_too_few_steps_for_the_published_process_are_refused():
    choice = RenderSettings(residual_steps=1, device="cpu")
    with pytest.raises(ConfigError, match=r"residual_steps is 1; this model's .* needs 2 at least"):
        make_renderer(HartSettings(name="tiny"), choice)
