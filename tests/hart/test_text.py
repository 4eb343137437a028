import sys
import time
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from hartsim.errors import CheckpointError
from hartsim.hart.config import TextConfig, hart_config
from hartsim.hart.text import HashTextEncoder, Qwen2TextEncoder, gram_ids


def test_contexts_have_the_models_shape(tiny):
    context = tiny.text.encode(["a wet road at night", "fog"])
    assert context.states.shape == (2, 64, 16)
    assert context.position_ids.tolist() == [[0, 1, 2, 3] + [4] * 60, [0] * 64]


def test_case_and_punctuation_do_not_matter(tiny):
    first, second = tiny.text.encode(["A wet, icy road!", "a wet icy  road"]).states
    assert torch.equal(first, second)


def test_word_order_matters(tiny):
    first, second = tiny.text.encode(["red car blue truck", "blue car red truck"]).states
    assert not torch.allclose(first, second)


def test_an_empty_prompt_has_a_context(tiny):
    context = tiny.text.encode([""])
    assert context.states.isfinite().all()
    assert not context.position_ids.any()


def test_similar_words_share_grams(tiny):
    ids = tiny.text.token_ids(["overturned overturning cone"])[0]
    grams = [set(row[row > 0].tolist()) for row in ids[:3]]
    assert len(grams[0] & grams[1]) > 5 * len(grams[0] & grams[2])


def test_a_prompt_does_not_change_with_its_company(tiny):
    alone = tiny.text.encode(["a deer"]).states
    assert_close(tiny.text.encode(["a deer", "smoke"]).states[:1], alone)


def test_words_beyond_the_context_are_reported(tiny, caplog):
    ids = tiny.text.token_ids([" ".join(f"word{i}" for i in range(65))])
    assert "only the first 64 words" in caplog.text
    assert (ids[0, :, 0] > 0).all()


def test_a_thousand_prompts_are_tokenised_in_a_moment():
    encoder = HashTextEncoder(hart_config("mini"))
    prompts = [f"a photo of a red truck{i} overturned on the wet motorway" for i in range(1000)]
    started = time.perf_counter()
    encoder.token_ids(prompts)
    assert time.perf_counter() - started < 1.0


def test_the_words_that_are_left_out_are_shown_once(tiny, caplog):
    prompt = " ".join([*["word"] * 64, "then", "a", "deer"])
    tiny.text.encode([prompt])
    tiny.text.encode([prompt])
    assert caplog.messages == [
        "only the first 64 words of a prompt are read; left out: then a deer"
    ]


@pytest.mark.parametrize("prompt", ["x" * 1_000_000, "wet road " * 111_111, "\n" * 1_000_000])
def test_a_prompt_of_a_million_characters_is_read_in_a_moment(tiny, caplog, prompt):
    started = time.perf_counter()
    assert tiny.text.encode([prompt]).states.isfinite().all()
    assert time.perf_counter() - started < 2.0
    assert all(len(message) < 500 for message in caplog.messages)


def test_grams_of_a_long_word_are_the_same_as_ever(tiny):
    long, longer = tiny.text.token_ids(["abcdefgh" * 20, "abcdefgh" * 21])
    assert torch.equal(long[0, 1:], longer[0, 1:])
    assert long[0, 0] != longer[0, 0]


@pytest.mark.parametrize(
    ("prompts", "complaint"),
    [
        ([5], "prompt 0 is 5, must be a text"),
        (["a deer", None], "prompt 1 is None, must be a text"),
        (["a deer", b"fog"], "prompt 1 is b'fog', must be a text"),
        ("a deer", "prompts is 'a deer', must be a list of texts"),
    ],
)
def test_what_is_not_a_text_is_named_with_its_place(tiny, prompts, complaint):
    with pytest.raises(TypeError, match=complaint):
        tiny.text.encode(prompts)


def test_without_transformers_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(CheckpointError, match=r'pip install "hartsim\[weights\]"'):
        Qwen2TextEncoder("nowhere", 300).encode(["a road"])


@pytest.fixture
def meaning():
    """An encoder with a table of meanings, in which `lorry` is near `truck`."""
    tiny = hart_config("tiny")
    config = replace(tiny, text=replace(tiny.text, meaning_dim=4, meaning_buckets=1024))
    torch.manual_seed(0)
    encoder = HashTextEncoder(config)
    torch.nn.init.zeros_(encoder.embedding.weight)
    for word, place in (("truck", 1.0), ("lorry", 0.9), ("cloud", -1.0)):
        ids = torch.from_numpy(gram_ids(word, 1024, 32)).long()
        encoder.meanings[ids[ids > 0]] = place
    return encoder


@torch.no_grad()
def test_a_word_is_near_those_of_like_meaning(meaning):
    truck, lorry, cloud = meaning.encode(["a truck", "a lorry", "a cloud"]).states
    assert (truck - lorry).norm() < 0.3 * (truck - cloud).norm()


def test_meanings_are_kept_but_not_learned(meaning):
    assert "meanings" in meaning.state_dict()
    assert "meanings" not in dict(meaning.named_parameters())


def test_words_have_the_same_rows_of_their_own_with_meanings_or_without(meaning):
    plain = HashTextEncoder(hart_config("tiny"))
    prompts = ["two deer cross an icy road"]
    ids = meaning.token_ids(prompts)
    wrapped = torch.where(ids == 0, ids, (ids - 1) % 256 + 1)
    assert torch.equal(wrapped, plain.token_ids(prompts))


def test_tables_of_n_grams_must_fit_each_other():
    with pytest.raises(ValueError, match="meaning_buckets is 1000, must be a multiple of buckets"):
        TextConfig(encoder="hash", buckets=256, meaning_dim=4, meaning_buckets=1000)
