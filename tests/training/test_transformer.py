import numpy as np
import pytest
import torch

from hartsim.hart.config import hart_config
from hartsim.hart.model import new_hart
from hartsim.hart.tokenizer import Tokenizer
from hartsim.training.corpus import HAZARD, OBJECT, Corpus
from hartsim.training.transformer import (
    MARK_WEIGHTS,
    Lessons,
    Painter,
    cell_weights,
    disturbed,
    draw_codes,
    losses,
    make_lessons,
    painter_of,
    redraw_last_scale,
    token_weights,
)

CONFIG = hart_config("tiny")


@pytest.fixture
def painter():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Painter(CONFIG)


@pytest.fixture
def lessons(painter):
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(6, 8, 4, 4, generator=generator)
    ids = painter.text.token_ids([f"picture {word}" for word in "abcdef"])
    weights = torch.ones(6, 4, 4)
    return Lessons(latents, weights, ids, torch.arange(6), torch.ones(6, dtype=torch.long))


def test_a_few_steps_lower_both_losses(painter, lessons):
    tokenizer = Tokenizer(CONFIG.tokenizer, CONFIG.transformer.patch_nums)
    optimizer = torch.optim.AdamW(painter.parameters(), lr=3e-3)
    generator = torch.Generator().manual_seed(0)
    batches = lessons.batches(6, generator)
    seen = []
    for _ in range(40):
        codes, residual = losses(painter, tokenizer, *next(batches), CONFIG, generator)
        optimizer.zero_grad()
        (codes + residual).backward()
        optimizer.step()
        seen.append((codes.item(), residual.item()))
    assert seen[-1][0] < 0.8 * seen[0][0]
    assert seen[-1][1] < 0.8 * seen[0][1]


def test_an_epoch_shows_every_picture_once(lessons):
    batches = lessons.batches(2, torch.Generator().manual_seed(0))
    shown = torch.cat([next(batches)[0] for _ in range(3)])
    assert len(shown.flatten(1).unique(dim=0)) == 6


def test_each_picture_keeps_its_own_wordings(painter):
    latents = torch.arange(2.0)[:, None, None, None]
    ids = painter.text.token_ids(["one", "first", "two"])
    weights = torch.ones(2, 1, 1)
    lessons = Lessons(latents, weights, ids, torch.tensor([0, 2]), torch.tensor([2, 1]))
    batches = lessons.batches(2, torch.Generator().manual_seed(0))
    for _ in range(10):
        shown, _, wordings = next(batches)
        row = int((shown.flatten() == 1).nonzero())
        assert torch.equal(wordings[row], ids[2])
        assert not torch.equal(wordings[1 - row], ids[2])


def test_cells_that_show_a_hazard_weigh_more_at_every_scale():
    weights = torch.ones(1, 4, 4)
    weights[0, 3, 3] = 9.0
    kept = torch.tensor([[0, 15]])
    assert token_weights(weights, (1, 2, 4), kept).tolist() == [[1.5, 1, 1, 1, 3, 1, 9]]


def test_marks_become_weights_of_cells():
    marks = np.zeros((1, 8, 8), np.uint8)
    marks[0, :4, :4] = HAZARD
    marks[0, 4:, 4:6] = OBJECT
    corpus = Corpus((np.zeros((1, 8, 8, 3), np.uint8),), (marks,), (("one",),))
    unnamed, named, hazard = MARK_WEIGHTS
    assert cell_weights(corpus, 2).tolist() == [[[hazard, unnamed], [unnamed, (1 + named) / 2]]]


def test_unlikely_codes_are_never_drawn():
    logits = torch.tensor([[[9.0, 8.5, -9.0, -9.0]]]).expand(1, 200, 4)
    drawn = draw_codes(logits, torch.Generator().manual_seed(0))
    assert set(drawn.unique().tolist()) == {0, 1}


def test_targets_make_up_for_wrong_codes():
    quantizer = Tokenizer(CONFIG.tokenizer, CONFIG.transformer.patch_nums).quantizer
    torch.nn.init.normal_(quantizer.embedding.weight, generator=torch.Generator().manual_seed(0))
    latents = torch.randn(3, 8, 4, 4, generator=torch.Generator().manual_seed(1))
    right = quantizer.encode(latents)
    wrong = quantizer.encode(latents, lambda tokens: tokens + 2)
    assert torch.equal(wrong.codes[0], right.codes[0])
    assert not torch.equal(wrong.running[0], right.running[0])
    torch.testing.assert_close(wrong.running[-2] + quantizer.lift(wrong.residual, 3), latents)


def test_tokens_without_strength_stay_as_they_are():
    tokens = torch.randn(2, 5, 4, generator=torch.Generator().manual_seed(0))
    strength = torch.tensor([0.0, 1.0])[:, None, None]
    moved = disturbed(tokens, strength, torch.Generator().manual_seed(1)) != tokens
    assert not moved[0].any()
    assert moved[1].all()


def test_only_the_last_scale_is_redrawn():
    hart = new_hart(CONFIG, seed=0)
    latents = torch.randn(2, 8, 4, 4, generator=torch.Generator().manual_seed(0))
    captions = ["a road", "a table"]
    first, second = (
        redraw_last_scale(hart, latents, captions, torch.Generator().manual_seed(seed))
        for seed in (1, 2)
    )
    coarse = hart.tokenizer.quantizer.encode(latents).running[-2]
    furthest = hart.tokenizer.quantizer.embedding.weight.abs().max() + 0.6
    assert not torch.equal(first, second)
    assert (first - coarse).abs().max() <= furthest


def test_latents_are_kept_for_the_same_pictures_only(painter, tmp_path):
    tokenizer = Tokenizer(CONFIG.tokenizer, CONFIG.transformer.patch_nums)
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)

    def latents(count):
        corpus = Corpus((images[:count],), (images[:count, ..., 0] * 0,), (("one",),) * count)
        return make_lessons(corpus, tokenizer, painter.text, tmp_path / "latents.pt").latents

    two, three = latents(2), latents(3)
    assert len(two) == 2
    assert len(three) == 3
    assert torch.equal(latents(3), three)


def test_training_goes_on_from_the_weights_of_a_model():
    hart = new_hart(CONFIG, seed=3)
    painter = painter_of(hart)
    assert torch.equal(painter.transformer.head.weight, hart.transformer.head.weight)
    assert torch.equal(painter.text.embedding.weight, hart.text.embedding.weight)
    painter.transformer.head.weight.data.zero_()
    assert hart.transformer.head.weight.any()
