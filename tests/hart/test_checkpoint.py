import json

import pytest
import torch
from safetensors.torch import save_file

from hartsim.errors import CheckpointError
from hartsim.hart.checkpoint import load_hart, save_hart
from hartsim.hart.config import hart_config
from hartsim.hart.model import new_hart
from tests.hart.conftest import write_published


def test_a_saved_model_loads_as_it_was(tiny, tmp_path):
    save_hart(tiny, tmp_path)
    loaded = load_hart(tmp_path)
    assert loaded.config == tiny.config
    assert loaded.weights_hash == tiny.weights_hash


def test_a_model_saved_in_half_precision_loads_in_full(tiny, tmp_path):
    save_hart(tiny, tmp_path, dtype=torch.float16)
    loaded = load_hart(tmp_path)
    weight, expected = loaded.transformer.head.weight, tiny.transformer.head.weight
    assert weight.dtype == torch.float32
    assert torch.equal(weight, expected.half().float())


def test_the_seed_alone_decides_random_weights():
    config = hart_config("tiny")
    first, second, other = (new_hart(config, seed).weights_hash for seed in (1, 1, 2))
    assert first == second != other


def test_making_a_model_leaves_torchs_generator_alone():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    new_hart(hart_config("tiny"), seed=0)
    assert torch.equal(torch.rand(1), expected)


def test_averaged_weights_come_before_others(tmp_path):
    folder = write_published(tmp_path / "hart")
    averaged = load_hart(folder).weights_hash
    save_file({"broken": torch.zeros(1)}, folder / "llm" / "model.safetensors")
    assert load_hart(folder).weights_hash == averaged


def test_sharded_weights_are_put_together(tiny, tmp_path):
    save_hart(tiny, tmp_path)
    tensors = tiny.transformer.state_dict()
    names = sorted(tensors)
    shards = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, keys in shards.items():
        save_file({key: tensors[key] for key in keys}, tmp_path / "llm" / file)
    index = {"weight_map": {key: file for file, keys in shards.items() for key in keys}}
    (tmp_path / "llm" / "model.safetensors.index.json").write_text(json.dumps(index))
    (tmp_path / "llm" / "model.safetensors").unlink()
    assert load_hart(tmp_path).weights_hash == tiny.weights_hash


def test_all_misfits_are_named_in_one_error(tmp_path):
    def damage(llm):
        del llm["head.bias"], llm["word_embed.bias"]
        llm["extra"] = torch.zeros(1)
        llm["decoder_norm.weight"] = torch.zeros(3)

    folder = write_published(tmp_path / "hart", damage)
    with pytest.raises(CheckpointError) as caught:
        load_hart(folder)
    message = str(caught.value)
    assert "2 tensors missing, first 'word_embed.bias'" in message
    assert "1 unknown, first 'extra'" in message
    assert "1 of a wrong shape, first 'decoder_norm.weight': (3,), must be (160,)" in message


@pytest.mark.parametrize(
    ("key", "variant"),
    [
        ("blocks.0.ada_lin.1.weight", "AdaLN in every block"),
        ("blocks.0.scale_shift_table", "shared AdaLN"),
        ("blocks.0.attn.scale_mul_1H11", "L2 norm"),
        ("blocks.0.attn.mat_qkv.weight", "GPT-2 attention"),
        ("blocks.0.ffn.fc1.weight", "GPT-2 MLP"),
        ("blocks.0.cross_attn.proj.weight", "cross-attention"),
        ("lvl_embed.weight", "table of levels"),
    ],
)
def test_unsupported_variants_are_refused_by_name(tmp_path, key, variant):
    folder = write_published(tmp_path / "hart", lambda llm: llm.update({key: torch.zeros(1)}))
    with pytest.raises(CheckpointError, match=variant):
        load_hart(folder)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"nowhere/llm/config\.json is missing"):
        load_hart(tmp_path / "nowhere")


def test_a_folder_without_weights_is_named(tiny, tmp_path):
    save_hart(tiny, tmp_path)
    (tmp_path / "text" / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"text: no weights; one of ema_model\.bin"):
        load_hart(tmp_path)


@pytest.mark.parametrize("file", ["model.safetensors", "ema_model.bin"])
def test_broken_weights_are_named(tiny, tmp_path, file):
    save_hart(tiny, tmp_path)
    (tmp_path / "llm" / file).write_bytes(b"not weights")
    with pytest.raises(CheckpointError, match=f"llm/{file}: not readable"):
        load_hart(tmp_path)


def test_an_impossible_configuration_is_refused(tiny, tmp_path):
    save_hart(tiny, tmp_path)
    config = tiny.config.to_dict()
    config["transformer"]["num_heads"] = 3
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="embed_dim is 32"):
        load_hart(tmp_path)


def test_a_text_encoder_beside_the_folder_is_preferred(tmp_path):
    folder = write_published(tmp_path / "hart")
    assert load_hart(folder).text.name == "mit-han-lab/Qwen2-VL-1.5B-Instruct"
    beside = tmp_path / "Qwen2-VL-1.5B-Instruct"
    beside.mkdir()
    assert load_hart(folder).text.name == str(beside)


def test_the_system_prompt_is_read_from_the_folder(tmp_path):
    folder = write_published(tmp_path)
    (folder / "system_prompt.txt").write_text("Enhance this:\n")
    assert load_hart(folder).text.system_prompt == "Enhance this:\n"
