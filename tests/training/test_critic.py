"""The critic of pictures, and the decoder that heeds it."""

from dataclasses import replace

import pytest
import torch

from hartsim.config import TokenizerTraining
from hartsim.hart.config import hart_config
from hartsim.hart.tokenizer import Tokenizer
from hartsim.training import tokenizer as training
from hartsim.training.corpus import read_corpus
from hartsim.training.critic import make_critic
from hartsim.training.features import shifted
from hartsim.training.run import Budget
from tests.training.fakes import fake_corpus, stop_after

TINY = hart_config("tiny")
HOW = TokenizerTraining(batch=2, crop_px=32, perceptual=0.0, adversarial=0.1)
STEPS = 6


def test_scores_are_given_patch_by_patch():
    critic, _ = make_critic(0, torch.device("cpu"))
    assert critic(torch.zeros(2, 3, 64, 32)).shape == (2, 1, 8, 4)


def test_a_critic_learns_to_tell_a_mesh_from_a_smooth_picture():
    critic, optimizer = make_critic(0, torch.device("cpu"))
    generator = torch.Generator().manual_seed(0)
    mesh = torch.tensor([1.0, -1.0]).repeat(16) * 0.05

    def pictures():
        grey = torch.rand(4, 3, 1, 1, generator=generator) - 0.5
        return grey.expand(4, 3, 32, 32), grey.expand(4, 3, 32, 32) + mesh

    for _ in range(60):
        true, drawn = pictures()
        optimizer.zero_grad()
        critic.mistakes(drawn, true).backward()
        optimizer.step()
    true, drawn = pictures()
    assert critic(true).mean() > critic(drawn).mean() + 0.5
    assert critic.rejection(drawn) > critic.rejection(true)


def test_the_critic_is_not_taught_to_the_decoder_that_it_judges():
    critic, _ = make_critic(0, torch.device("cpu"))
    drawn = torch.zeros(1, 3, 16, 16, requires_grad=True)
    critic.mistakes(drawn, torch.ones(1, 3, 16, 16)).backward()
    assert drawn.grad is None


def taught(folder, corpus, steps, how=HOW):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        tokenizer = Tokenizer(TINY.tokenizer, TINY.transformer.patch_nums)
    training.train_decoder(tokenizer, corpus, lambda z, *_: z, folder, Budget(steps=steps), how)
    return tokenizer.vae.decoder.conv_out.weight


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "CRITIC_ALONE", 1)
    fake_corpus(tmp_path / "corpus", count=6, side=32)
    return read_corpus(tmp_path / "corpus")


def test_a_decoder_that_heeds_the_critic_learns_something_else(corpus, tmp_path):
    without = taught(tmp_path / "a", corpus, STEPS, replace(HOW, adversarial=0.0))
    assert not torch.equal(taught(tmp_path / "b", corpus, STEPS), without)


def test_an_interrupted_run_ends_in_the_same_bytes(corpus, tmp_path, monkeypatch):
    whole = taught(tmp_path / "whole", corpus, STEPS)
    with monkeypatch.context() as patch:
        stop_after(patch, 3)
        with pytest.raises(KeyboardInterrupt):
            taught(tmp_path / "halves", corpus, STEPS)
    assert torch.equal(taught(tmp_path / "halves", corpus, STEPS), whole)


def test_pictures_are_shifted_together_and_otherwise_each_time():
    rows = torch.arange(32.0)[:, None].expand(32, 32)
    pair = torch.stack([rows, rows + 100])[:, None]
    starts = set()
    for seed in range(40):
        one, other = shifted(pair, torch.Generator().manual_seed(seed)).chunk(2)
        assert one.shape == (1, 1, 24, 24)
        assert torch.equal(one + 100, other)
        starts.add(int(one[0, 0, 0, 0]))
    assert starts == set(range(8))
