"""From pictures to a folder of weights, with a tiny model and a few steps of everything."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from hartsim.config import TokenizerTraining, TransformerTraining
from hartsim.errors import DatasetError
from hartsim.hart.checkpoint import load_hart, save_hart
from hartsim.hart.config import hart_config
from hartsim.hart.model import new_hart
from hartsim.images import encode_png, read_image
from hartsim.training.mini import (
    fine_tune,
    grow_mini,
    meanings,
    sample_images,
    train_mini_decoder,
    train_mini_tokenizer,
    train_mini_transformer,
)
from hartsim.training.run import Budget
from hartsim.types import CLASSES
from tests.training.fakes import fake_corpus

TINY = hart_config("tiny")
FOLLOWING = replace(TINY, transformer=replace(TINY.transformer, label_classes=len(CLASSES)))
LEARN = TransformerTraining(batch=4, warm_up_steps=2, preview_every=2)
SEE = TokenizerTraining(batch=4, crop_px=16, perceptual=0.0)
FEW = Budget(steps=4)


def test_every_step_of_the_way_leaves_weights_that_draw(tmp_path):
    data, out = tmp_path / "corpus", tmp_path / "run"
    fake_corpus(data, count=12, side=32)
    assert train_mini_tokenizer(data, out, Budget(steps=10), SEE, FOLLOWING).is_file()
    weights = train_mini_transformer(data, out, FEW, LEARN, config=FOLLOWING)
    before = load_hart(weights)
    assert before.config == FOLLOWING
    assert read_image(out / "samples-000002.png").shape[2] == 3
    after = load_hart(train_mini_decoder(data, out, FEW, SEE))
    assert torch.equal(before.transformer.head.weight, after.transformer.head.weight)
    decoders = [hart.tokenizer.vae.decoder.conv_out.weight for hart in (before, after)]
    assert not torch.equal(*decoders)
    (image,) = sample_images(after, ["a road"])
    assert image.shape == (32, 32, 3)


@pytest.fixture
def images(tmp_path):
    root = tmp_path / "images"
    root.mkdir()
    for number in range(8):
        image = np.full((40, 50, 3), 30 * number, np.uint8)
        (root / f"{number}.png").write_bytes(encode_png(image))
        (root / f"{number}.txt").write_text(f"grey number {number}")
    return root


def test_finished_weights_learn_a_folder_of_images(images, tmp_path):
    hart, start = new_hart(TINY, seed=0), tmp_path / "start"
    save_hart(hart, start)
    done = fine_tune(images, tmp_path / "run", Budget(steps=6), start, LEARN, SEE)
    learned = load_hart(done)
    assert learned.config == hart.config
    pairs = {name: learned.modules()[name].state_dict() for name in ("llm", "text", "tokenizer")}
    for name, key in (("llm", "head.weight"), ("text", "embedding.weight")):
        assert not torch.equal(pairs[name][key], hart.modules()[name].state_dict()[key])
    codes = "vae.quantize.embedding.weight"
    assert torch.equal(pairs["tokenizer"][codes], hart.tokenizer.state_dict()[codes].half().float())


def test_finished_weights_grow_and_learn_on(tmp_path):
    start, out, words = tmp_path / "start", tmp_path / "run", tmp_path / "words.safetensors"
    save_hart(new_hart(TINY, seed=0), start)
    save_file({"meanings": torch.randn(513, 4)}, words)
    grown = load_hart(grow_mini(start, out, labels=True, finer_levels=1, words=words)).config
    assert grown.transformer.label_classes == len(CLASSES)
    assert (grown.size_px, grown.text.meaning_dim) == ((64, 64), 4)
    fake_corpus(tmp_path / "corpus", count=12, side=64)
    before = load_hart(out / "mini")
    after = load_hart(train_mini_decoder(tmp_path / "corpus", out, FEW, SEE))
    finer = [hart.tokenizer.vae.decoder.finer[0].conv_out.weight for hart in (before, after)]
    assert not torch.equal(*finer)
    save_file({"meanings": torch.randn(10, 4)}, words)
    with pytest.raises(DatasetError, match="cannot grow so: meaning_buckets is 9"):
        grow_mini(start, out, words=words)


def test_a_missing_table_of_meanings_is_told(tmp_path):
    config = replace(TINY, text=replace(TINY.text, meaning_dim=4, meaning_buckets=512))
    file = tmp_path / "words.safetensors"
    table = torch.rand(513, 4)
    save_file({"meanings": table}, file)
    assert torch.equal(meanings(config, file), table)
    save_file({"meanings": table[:9]}, file)
    with pytest.raises(DatasetError, match=r"no meanings of shape \(513, 4\); make some with"):
        meanings(config, file)
    with pytest.raises(DatasetError, match="not readable as a table of meanings"):
        meanings(config, tmp_path / "absent.safetensors")
