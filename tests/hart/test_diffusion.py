import torch
from torch.testing import assert_close

from hartsim.hart.diffusion import sampling_schedule, training_schedule

BOUND = {"rtol": 0, "atol": 1e-4}


def agrees_but_for_flips(actual, expected):
    """At the noisiest step one bit of the noise can flip a sign: allow one value in a thousand."""
    return ((actual - expected).abs() > 1e-4).float().mean() <= 1e-3


def test_the_denoiser_agrees_with_the_reference(golden_hart, golden):
    arrays = golden("denoiser")
    out = golden_hart.transformer.diffloss.net(arrays["x"], arrays["t"], arrays["c"])
    assert_close(torch.cat(out, dim=1), arrays["out"], **BOUND)


def test_guidance_leads_the_noise_and_not_the_variance(golden_hart, golden):
    arrays = golden("denoiser")
    strength = arrays["out_cfg_scale"].item()
    x = arrays["x"][:24].repeat(2, 1)
    noise, share = golden_hart.transformer.diffloss.net(x, arrays["t"], arrays["c"])
    conditional, null = noise.chunk(2)
    guided = ((1 + strength) * conditional - strength * null).repeat(2, 1)
    assert_close(torch.cat([guided, share], dim=1), arrays["out_cfg"], **BOUND)


def test_the_sampling_schedule_agrees_with_the_reference(golden):
    arrays, schedule = golden("denoiser"), sampling_schedule(8)
    assert schedule.timesteps.tolist() == arrays["timestep_map"].tolist()
    for ours, theirs in {
        "betas": "betas",
        "alphas_cumprod": "alphas_cumprod",
        "posterior_mean_clean": "posterior_mean_coef1",
        "posterior_mean_noisy": "posterior_mean_coef2",
        "posterior_log_variance": "posterior_log_variance_clipped",
    }.items():
        assert_close(torch.from_numpy(getattr(schedule, ours)), arrays[theirs])


def test_the_training_schedule_agrees_with_the_reference(golden):
    levels = torch.from_numpy(training_schedule().alphas_cumprod)
    assert_close(levels, golden("denoiser")["train_alphas_cumprod"])


def test_guided_sampling_agrees_with_the_reference(golden_hart, golden):
    arrays = golden("denoiser")
    out = golden_hart.transformer.diffloss.sample(
        arrays["c"].view(2, 24, -1),
        2.5,
        arrays["sample_noise_init"][None],
        lambda step: arrays["sample_noise_steps"][7 - step][None],
    )
    assert agrees_but_for_flips(out[0], arrays["sample_out"])
    assert out.abs().max() <= 0.6


def test_every_step_of_sampling_agrees_with_the_reference(golden_hart, golden):
    arrays = golden("denoiser")
    states = golden_hart.transformer.diffloss.denoising(
        arrays["c"].view(2, 24, -1),
        2.5,
        arrays["sample_noise_init"][None],
        lambda step: arrays["sample_noise_steps"][7 - step][None],
        steps=8,
        temperature=1.0,
    )
    for state, expected in zip(states, arrays["sample_x_after_step"], strict=True):
        assert agrees_but_for_flips(state[0], expected)


def test_unguided_sampling_agrees_with_the_reference(golden_hart, golden):
    arrays = golden("denoiser")
    out = golden_hart.transformer.diffloss.sample(
        arrays["c"][None, :24],
        None,
        arrays["sample2_noise_init"][None],
        lambda step: arrays["sample2_noise_steps"][7 - step][None],
        temperature=0.7,
    )
    assert agrees_but_for_flips(out[0], arrays["sample2_out"])


def test_the_training_loss_agrees_with_the_reference(golden_hart, golden):
    arrays = golden("teacher_forced")
    times = arrays["diff_repeats"].item()
    error, bound = golden_hart.transformer.diffloss.loss(
        arrays["diff_z"].repeat(times, 1),
        arrays["diff_x_start"].repeat(times, 1) * 0.6,
        arrays["diff_t"],
        arrays["diff_noise"],
    )
    assert_close(error, arrays["diff_mse"], **BOUND)
    assert_close(bound, arrays["diff_vb"], rtol=0, atol=1e-3)
    assert_close((error + bound).mean(), arrays["diff_loss"], rtol=0, atol=1e-3)
