from dataclasses import replace

import numpy as np
import pytest
import torch

from hartsim.config import TransformerTraining
from hartsim.errors import DatasetError
from hartsim.hart.config import hart_config
from hartsim.hart.model import new_hart
from hartsim.hart.tokenizer import Tokenizer
from hartsim.hart.transformer import drop_labels
from hartsim.training.corpus import HAZARD, OBJECT, Corpus, Part
from hartsim.training.parallel import Ranks
from hartsim.training.run import Average, Budget
from hartsim.training.transformer import (
    Batch,
    Lessons,
    Painter,
    _take_up,
    cell_weights,
    disturbed,
    draw_codes,
    losses,
    make_lessons,
    make_optimizers,
    new_painter,
    painter_of,
    redraw_last_scale,
    token_weights,
    train_transformer,
)
from hartsim.types import CLASSES, UNKNOWN
from tests.training.fakes import fake_corpus, stop_after

CONFIG = hart_config("tiny")
LABELLED = replace(CONFIG, transformer=replace(CONFIG.transformer, label_classes=len(CLASSES)))


def corpus_of(images, marks=None):
    maps, count = images[..., 0] * 0, len(images)
    marks = maps if marks is None else marks
    part = Part(images, maps, marks, maps, [["one"]] * count, [{}] * count)
    return Corpus((part,))


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
    return Lessons(latents, weights, None, ids, torch.arange(6), torch.ones(6, dtype=torch.long))


def test_a_few_steps_lower_both_losses(painter, lessons):
    tokenizer = Tokenizer(CONFIG.tokenizer, CONFIG.transformer.patch_nums)
    optimizer = torch.optim.AdamW(painter.parameters(), lr=3e-3)
    generator = torch.Generator().manual_seed(0)
    seen = []
    for step in range(40):
        codes, residual = losses(painter, tokenizer, lessons.batch(step, 6), CONFIG, generator)
        optimizer.zero_grad()
        (codes + residual).backward()
        optimizer.step()
        seen.append((codes.item(), residual.item()))
    assert seen[-1][0] < 0.8 * seen[0][0]
    assert seen[-1][1] < 0.8 * seen[0][1]


def test_an_epoch_shows_every_picture_once(lessons):
    shown = torch.cat([lessons.batch(step, 2).latents for step in range(3)])
    assert len(shown.flatten(1).unique(dim=0)) == 6


def test_each_picture_keeps_its_own_wordings(painter):
    latents = torch.arange(2.0)[:, None, None, None]
    ids = painter.text.token_ids(["one", "first", "two"])
    weights = torch.ones(2, 1, 1)
    lessons = Lessons(latents, weights, None, ids, torch.tensor([0, 2]), torch.tensor([2, 1]))
    for step in range(10):
        shown, _, _, wordings = lessons.batch(step, 2)
        row = int((shown.flatten() == 1).nonzero())
        assert torch.equal(wordings[row], ids[2])
        assert not torch.equal(wordings[1 - row], ids[2])


def test_cells_that_show_a_hazard_weigh_more_at_every_scale():
    weights = torch.ones(1, 4, 4)
    weights[0, 3, 3] = 9.0
    kept = torch.tensor([[0, 15]])
    assert token_weights(weights, (1, 2, 4), kept).tolist() == [[1.5, 1, 1, 1, 3, 1.5, 1.5]]


def test_marks_become_weights_of_cells():
    marks = np.zeros((1, 8, 8), np.uint8)
    marks[0, :4, :4] = HAZARD
    marks[0, 4:, 4:6] = OBJECT
    how = TransformerTraining(object_weight=3, hazard_weight=9)
    unnamed, named, hazard = 1, 3, 9
    assert cell_weights(corpus_of(marks[..., None].repeat(3, 3), marks), 2, how).tolist() == [
        [[hazard, unnamed], [unnamed, (1 + named) / 2]]
    ]


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
        corpus = corpus_of(images[:count])
        cache = tmp_path / "latents.pt"
        return make_lessons(corpus, tokenizer, painter.text, CONFIG, cache).latents

    two, three = latents(2), latents(3)
    assert len(two) == 2
    assert len(three) == 3
    assert torch.equal(latents(3), three)


def test_training_goes_on_from_the_weights_of_a_model():
    hart = new_hart(CONFIG, seed=3)
    for config in (CONFIG, LABELLED):
        painter = painter_of(hart, config)
        assert torch.equal(painter.transformer.head.weight, hart.transformer.head.weight)
        assert torch.equal(painter.text.embedding.weight, hart.text.embedding.weight)
        painter.transformer.head.weight.data.zero_()
        assert hart.transformer.head.weight.any()


def test_a_model_that_begins_to_follow_labels_paints_as_before():
    hart = new_hart(CONFIG, seed=3)
    context, inputs = hart.text.encode(["a road"]), torch.randn(1, 29, 8)
    labels = torch.randint(0, 40, (1, 32, 32), dtype=torch.uint8)
    transformer = painter_of(hart, LABELLED).transformer
    plain, following = hart.transformer(context, inputs), transformer(context, inputs, None, labels)
    assert torch.equal(plain.logits, following.logits)


def test_labels_are_learned_beside_the_text():
    """Two kinds of pictures under one caption, which only their labels tell apart."""
    generator = torch.Generator().manual_seed(0)
    painter = new_painter(LABELLED, seed=0)
    tokenizer = Tokenizer(CONFIG.tokenizer, CONFIG.transformer.patch_nums)
    torch.nn.init.normal_(tokenizer.quantizer.embedding.weight, generator=generator)
    latents = torch.randn(2, 8, 4, 4, generator=generator)
    labels = torch.tensor([0, 5], dtype=torch.uint8)[:, None, None].expand(2, 32, 32)
    ids = painter.text.token_ids(["a road", "a road"])
    batch = Batch(latents, torch.ones(2, 4, 4), labels, ids)
    optimizer = torch.optim.AdamW(painter.parameters(), lr=5e-3)
    often = replace(LABELLED, transformer=replace(LABELLED.transformer, label_drop_rate=0.2))
    for _ in range(40):
        codes, residual = losses(painter, tokenizer, batch, often, generator)
        optimizer.zero_grad()
        (codes + residual).backward()
        optimizer.step()

    @torch.no_grad()
    def loss(shown):
        seeds = (torch.Generator().manual_seed(seed) for seed in range(8))
        kept = replace(LABELLED, transformer=replace(LABELLED.transformer, label_drop_rate=0.0))
        each = [losses(painter, tokenizer, batch._replace(labels=shown), kept, g) for g in seeds]
        return sum(codes.item() for codes, _ in each) / len(each)

    assert loss(labels) < 0.9 * loss(labels.flip(0))
    assert loss(labels) < loss(torch.full_like(labels, UNKNOWN)) < loss(labels.flip(0))


def test_about_the_asked_share_of_labels_is_dropped():
    labels = torch.zeros(4000, 1, 1, dtype=torch.uint8)
    dropped = drop_labels(labels, 0.3, torch.Generator().manual_seed(0))
    assert set(dropped.unique().tolist()) == {0, UNKNOWN}
    assert 0.27 < (dropped == UNKNOWN).float().mean() < 0.33


def test_more_pictures_a_step_than_there_are_is_an_error(lessons):
    with pytest.raises(DatasetError, match="6 pictures are fewer than a step takes: 7 on each"):
        lessons.batch(0, 7)


def test_processes_learn_from_different_pictures(lessons):
    parts = [lessons.batch(0, 2, ranks=Ranks(rank, 3)).latents for rank in range(3)]
    assert len(torch.cat(parts).flatten(1).unique(dim=0)) == 6


@pytest.fixture
def school(tmp_path):
    """A corpus with labels as lessons, and the tokenizer that made them."""
    corpus = fake_corpus(tmp_path / "corpus", count=12, side=32)
    tokenizer = new_hart(LABELLED, seed=0).tokenizer
    text = new_painter(LABELLED, 0).text
    return make_lessons(corpus, tokenizer, text, LABELLED, tmp_path / "latents.pt"), tokenizer


def test_an_interrupted_training_ends_in_the_same_bytes(school, tmp_path, monkeypatch):
    lessons, tokenizer = school
    how, budget = TransformerTraining(batch=4, warm_up_steps=2), Budget(steps=8)

    def train(folder):
        return train_transformer(lessons, None, tokenizer, LABELLED, folder, budget, how)

    whole = train(tmp_path / "whole").state_dict()
    with monkeypatch.context() as patch:
        stop_after(patch, 5)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "parts")
    parts = train(tmp_path / "parts").state_dict()
    assert all(torch.equal(whole[key], parts[key]) for key in whole)


def test_held_out_pictures_are_measured_now_and_then(school, tmp_path):
    lessons, tokenizer = school
    how, seen = TransformerTraining(batch=4, preview_every=3), []

    def preview(painter, step):
        seen.append(step)

    budget = Budget(steps=6)
    train_transformer(lessons, lessons, tokenizer, LABELLED, tmp_path, budget, how, preview)
    rows = (tmp_path / "transformer-held-out.csv").read_text().splitlines()
    assert seen == [3, 6]
    assert rows[0] == "step,minutes,codes,residual"
    assert [row.split(",")[0] for row in rows[1:]] == ["3", "6"]


def test_a_run_of_another_size_is_told(tmp_path):
    config = hart_config("tiny")
    optimizers = make_optimizers(new_painter(config, 0), TransformerTraining())
    larger = replace(config, transformer=replace(config.transformer, depth=3))
    state = {"model": new_painter(larger, 0).state_dict()}
    with pytest.raises(DatasetError, match="of another size of model"):
        _take_up(state, new_painter(config, 0), optimizers, Average(new_painter(config, 0), 0.9))
