"""The published text encoder, with a language model of its kind that has random weights."""

import json
import time

import pytest
import torch
from torch.testing import assert_close

from hartsim.errors import CheckpointError
from hartsim.hart.text import Qwen2TextEncoder
from tests.hart.tiny_qwen2 import PAD, write_qwen2

pytestmark = pytest.mark.weights

TOKENS = 24
SYSTEM = "enhance this user prompt:\n"
PROMPTS = ["a photo of a deer", "fog", "a wet road at night and smoke on the road"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_qwen2(tmp_path_factory.mktemp("text") / "Qwen2")


@pytest.fixture
def encoder(folder):
    return Qwen2TextEncoder(str(folder), TOKENS, SYSTEM, width=48)


def as_specified(folder, prompts, system, implementation="sdpa"):
    """The states and positions, computed as the reference does: all at once, nothing kept."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, attn_implementation=implementation)
    ids = tokenizer(
        prompts, padding="max_length", max_length=TOKENS, truncation=True, return_tensors="pt"
    ).input_ids
    mask = ids != tokenizer.pad_token_id
    before = tokenizer(system, truncation=True, max_length=TOKENS).input_ids if system else []
    before = torch.tensor(before, dtype=torch.long).expand(len(prompts), -1)
    out = model(
        torch.cat([before, ids], dim=1),
        torch.cat([torch.ones_like(before), mask.long()], dim=1),
        output_hidden_states=True,
    )
    return out.hidden_states[-1][:, before.shape[1] :], mask.cumsum(dim=1) - 1


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
@pytest.mark.parametrize("system", ["", SYSTEM])
@pytest.mark.parametrize("prompts", [PROMPTS[:1], PROMPTS], ids=len)
def test_states_are_those_of_the_specification(folder, prompts, system, implementation):
    context = Qwen2TextEncoder(str(folder), TOKENS, system).encode(prompts)
    states, positions = as_specified(folder, prompts, system, implementation)
    assert context.states.shape == (len(prompts), TOKENS, 48)
    assert_close(context.states, states, rtol=1e-4, atol=1e-5)
    assert torch.equal(context.position_ids, positions)


def test_the_system_prompt_is_read_once_and_never_changed(encoder):
    first = encoder.encode(PROMPTS)
    layer = encoder._read_before.layers[0]
    kept = layer.keys.clone()
    again = encoder.encode(PROMPTS)
    assert torch.equal(first.states, again.states)
    assert encoder._read_before.layers[0] is layer
    assert torch.equal(layer.keys, kept)
    assert len(kept) == 1


@pytest.mark.gpu
def test_states_on_a_gpu_are_those_on_the_cpu(encoder):
    expected = encoder.encode(PROMPTS)
    context = encoder.to(torch.device("cuda")).encode(PROMPTS)
    assert context.states.device.type == context.position_ids.device.type == "cuda"
    assert_close(context.states.cpu(), expected.states, rtol=1e-3, atol=1e-3)


def test_the_system_prompt_changes_the_states(folder, encoder):
    bare = Qwen2TextEncoder(str(folder), TOKENS).encode(PROMPTS)
    assert not torch.allclose(bare.states, encoder.encode(PROMPTS).states, atol=1e-2)


def test_states_at_padding_are_kept(encoder):
    states = encoder.encode(["fog"]).states[0]
    assert states[-1].abs().sum() > 0
    assert not torch.equal(states[-1], states[-2])


def test_prompts_do_not_change_with_their_company(encoder):
    alone = encoder.encode(PROMPTS[1:2]).states
    assert_close(encoder.encode(PROMPTS).states[1:2], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("system", ["", SYSTEM])
def test_an_empty_prompt_has_a_context(folder, system):
    context = Qwen2TextEncoder(str(folder), TOKENS, system).encode(["", "fog"])
    assert context.states.isfinite().all()
    assert context.position_ids[0].tolist() == [-1] * TOKENS  # as in the reference


def test_the_token_for_padding_is_padding_in_a_prompt_too(encoder):
    positions = encoder.encode([f"a{PAD}"]).position_ids
    assert positions.tolist() == [[0] * TOKENS]


def test_the_tokens_that_are_left_out_are_shown_once(encoder, caplog):
    prompt = "a wet road " * 30 + "and then a fox"
    encoder.encode([prompt])
    encoder.encode([prompt])
    (message,) = caplog.messages
    assert message.startswith("only the first 24 tokens of a prompt are read; left out: ")
    assert message.endswith("a wet road and then a fox")


def test_a_prompt_that_just_fits_is_not_reported(encoder, caplog):
    tokenizer, _ = encoder._loaded
    prompt = tokenizer.decode(tokenizer("a wet road " * 20).input_ids[:TOKENS])
    encoder.encode([prompt])
    assert not caplog.messages


@pytest.mark.parametrize("prompt", ["x" * 1_000_000, "wet road " * 111_111, " " * 1_000_000])
def test_a_prompt_of_a_million_characters_is_read_soon(encoder, caplog, prompt):
    encoder.encode(["fog"])
    started = time.perf_counter()
    assert encoder.encode([prompt]).states.isfinite().all()
    assert time.perf_counter() - started < 10
    assert all(len(message) < 500 for message in caplog.messages)


def test_what_is_not_a_text_is_named_with_its_place(encoder):
    with pytest.raises(TypeError, match="prompt 1 is 7, must be a text"):
        encoder.encode(["fog", 7])


def test_a_folder_without_a_model_is_named_with_the_remedy(tmp_path):
    with pytest.raises(CheckpointError, match=r"hartsim weights pull") as caught:
        Qwen2TextEncoder(str(tmp_path), TOKENS).encode(["fog"])
    assert str(caught.value).startswith(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_broken_configuration_is_named(tmp_path):
    folder = write_qwen2(tmp_path)
    (folder / "config.json").write_text('{"model_type": "qwen2", "hidden_size": "wide"}')
    with pytest.raises(CheckpointError, match="no Qwen2 text encoder"):
        Qwen2TextEncoder(str(folder), TOKENS).encode(["fog"])


def test_missing_tensors_are_an_error_and_not_random(tmp_path):
    folder = write_qwen2(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    deeper = {**config, "num_hidden_layers": 3, "layer_types": ["full_attention"] * 3}
    (folder / "config.json").write_text(json.dumps(deeper))
    with pytest.raises(CheckpointError, match=r"tensors missing, first 'layers\.2\."):
        Qwen2TextEncoder(str(folder), TOKENS).encode(["fog"])


def test_another_width_is_an_error(folder):
    with pytest.raises(CheckpointError, match="states have 48 channels, not 1536"):
        Qwen2TextEncoder(str(folder), TOKENS, width=1536).encode(["fog"])


def test_the_fingerprint_follows_the_prompt_and_the_files(folder, tmp_path):
    texts = (SYSTEM, "", SYSTEM)
    first, other, same = (Qwen2TextEncoder(str(folder), TOKENS, t).fingerprint for t in texts)
    assert first == same != other
    changed = write_qwen2(tmp_path, seed=1)
    assert Qwen2TextEncoder(str(changed), TOKENS, SYSTEM).fingerprint != first
