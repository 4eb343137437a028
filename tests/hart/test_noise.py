import math

import pytest
import torch

from hartsim.hart.noise import KeyedNoise, seeds_of

MASK = (1 << 64) - 1
CODES = torch.arange(40).view(1, 5, 8)


def mixed(bits):
    """SplitMix64's finaliser in Python's own numbers."""
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB & MASK
    return bits ^ (bits >> 31)


def test_the_finaliser_is_splitmix64s():
    """Against the published sequence of SplitMix64 from seed 1234567."""
    state, drawn = 1234567, []
    for _ in range(3):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        drawn.append(mixed(state))
    assert drawn == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_exponential_draws_are_those_of_the_definition():
    start, stride = (int(seed) & MASK for seed in seeds_of(["key"])[0])
    stream = (1 * (1 << 20) + 3 + 1) * 0x9E3779B97F4A7C15
    start, stride = mixed((start + stream) & MASK), mixed((stride + stream) & MASK) | 1
    noise = KeyedNoise.of(["key"]).exponential("codes", 3, CODES % 8, 8)
    for counter, drawn in enumerate(noise.flatten().tolist()):
        bits = mixed((counter * stride + start) & MASK)
        assert drawn == pytest.approx(-math.log(((bits >> 41) + 0.5) / 2**23), rel=1e-5)


def test_noise_follows_the_sample_and_not_its_place():
    first = KeyedNoise.of(["a", "b", "c"]).exponential("codes", 3, CODES.expand(3, -1, -1), 40)
    second = KeyedNoise.of(["c", "a"]).exponential("codes", 3, CODES.expand(2, -1, -1), 40)
    assert torch.equal(first[[2, 0]], second)


def test_the_noise_of_a_code_does_not_depend_on_the_others():
    noise = KeyedNoise.of(["a"])
    every = noise.exponential("smooth", 1, torch.arange(16).expand(1, 4, -1), 16)
    codes = torch.tensor([[[3, 1], [15, 0], [7, 8], [2, 2]]])
    assert torch.equal(noise.exponential("smooth", 1, codes, 16), every.gather(-1, codes))


def test_noise_does_not_depend_on_what_was_drawn_before():
    noise = KeyedNoise.of(["a"])
    first = noise.normal("residual", 2, (6,))
    noise.exponential("codes", 2, CODES, 40)
    assert torch.equal(noise.normal("residual", 2, (6,)), first)


def test_purposes_and_steps_have_their_own_noise():
    noise = KeyedNoise.of(["a", "b"])
    draws = [
        tuple(noise.exponential(p, s, CODES.expand(2, -1, -1), 40)[row].flatten().tolist())
        for p in ("codes", "smooth", "residual")
        for s in range(16)
        for row in range(2)
    ]
    assert len(set(draws)) == len(draws)


def test_exponential_noise_has_its_moments():
    codes = torch.arange(4096).expand(1, 64, -1)
    draws = KeyedNoise.of(["a"]).exponential("codes", 0, codes, 4096).double()
    assert draws.min() > 0
    assert draws.mean() == pytest.approx(1, abs=0.01)
    assert draws.var() == pytest.approx(1, abs=0.02)
    assert (draws > 3).double().mean() == pytest.approx(math.exp(-3), abs=0.002)


def test_normal_noise_has_its_moments_and_no_echo():
    draws = KeyedNoise.of(["a", "b"]).normal("residual", 1, (512, 64)).double()
    assert draws.mean().abs() < 0.02
    assert draws.var() == pytest.approx(1, abs=0.02)
    assert (draws.abs() > 2).double().mean() == pytest.approx(0.0455, abs=0.002)
    assert (draws[0] * draws[1]).mean().abs() < 0.02
    assert (draws[0, 1:] * draws[0, :-1]).mean().abs() < 0.02
