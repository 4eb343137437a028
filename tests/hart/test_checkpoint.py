import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

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


def test_a_model_saved_in_steps_is_as_near_as_half_a_step(tiny, tmp_path):
    save_hart(tiny, tmp_path, dtype=torch.int8)
    loaded = load_hart(tmp_path)
    for part, module in tiny.modules().items():
        found = loaded.modules()[part].state_dict()
        for key, expected in module.state_dict().items():
            assert found[key].dtype == torch.float32
            if expected.ndim < 2:
                assert torch.equal(found[key], expected.half().float())
            else:
                rows = expected.flatten(1)
                step = rows.abs().amax(dim=1, keepdim=True) / 127
                assert ((found[key].flatten(1) - rows).abs() <= 0.5001 * step).all()


def test_steps_without_their_tensor_are_an_error(tiny, tmp_path):
    save_hart(tiny, tmp_path, dtype=torch.int8)
    file = tmp_path / "llm" / "model.safetensors"
    tensors = load_file(file)
    del tensors["head.weight"]
    save_file(tensors, file)
    with pytest.raises(CheckpointError, match=r"llm: 'head.weight.row_scale' has no int8 tensor"):
        load_hart(tmp_path)


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


def test_what_published_models_hold_besides_is_ignored(tmp_path):
    def leave_out(llm):
        for key in ("lvl_1L", "attn_bias_for_masking", "blocks.0.attn.zero_k_bias"):
            del llm[key]

    whole = load_hart(write_published(tmp_path / "whole")).weights_hash
    assert load_hart(write_published(tmp_path / "bare", leave_out)).weights_hash == whole


def test_scales_that_the_weights_were_not_trained_with_are_refused(tmp_path):
    folder = write_published(tmp_path / "hart")
    config = json.loads((folder / "llm" / "config.json").read_text())
    (folder / "llm" / "config.json").write_text(json.dumps({**config, "patch_nums": [1, 2, 4]}))
    with pytest.raises(
        CheckpointError, match=r"asks for \[12, 4, 16\] tokens at its scales, the w"
    ):
        load_hart(folder)


def test_a_configuration_of_another_size_is_refused(tmp_path):
    folder = write_published(tmp_path / "hart")
    config = json.loads((folder / "llm" / "config.json").read_text())
    (folder / "llm" / "config.json").write_text(json.dumps({**config, "depth": 5}))
    with pytest.raises(CheckpointError, match=r"missing, first 'blocks\.4\."):
        load_hart(folder)


@pytest.mark.parametrize("text", ["[]", "7", "{", '{"depth": "deep"}'])
def test_a_configuration_that_is_none_is_refused(tmp_path, text):
    folder = write_published(tmp_path / "hart")
    (folder / "llm" / "config.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"config\.json does not describe a model"):
        load_hart(folder)


def test_a_part_of_a_model_is_told_from_a_whole_one(tmp_path):
    folder = write_published(tmp_path / "hart")
    with pytest.raises(CheckpointError, match="name the folder that holds llm and tokenizer"):
        load_hart(folder / "llm")


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_weights_that_are_not_finite_are_named(tiny, tmp_path, value):
    def damage(llm):
        llm["head.weight"][3, 5] = value

    with pytest.raises(CheckpointError, match=r"NaN or infinity in tensor 'head\.weight'"):
        load_hart(write_published(tmp_path / "published", damage))
    save_hart(tiny, tmp_path / "own")
    tensors = load_file(tmp_path / "own" / "llm" / "model.safetensors")
    damage(tensors)
    save_file(tensors, tmp_path / "own" / "llm" / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"NaN or infinity in tensor 'head\.weight'"):
        load_hart(tmp_path / "own")


def test_a_file_that_would_run_code_is_refused(tmp_path):
    folder = write_published(tmp_path / "hart")
    torch.save({"head.weight": Path("/")}, folder / "llm" / "ema_model.bin")
    with pytest.raises(CheckpointError, match="holds other things than tensors"):
        load_hart(folder)


@pytest.mark.parametrize("content", [[torch.zeros(1)], {"model": {"head.weight": torch.zeros(1)}}])
def test_a_file_without_named_tensors_is_refused(tmp_path, content):
    folder = write_published(tmp_path / "hart")
    torch.save(content, folder / "llm" / "ema_model.bin")
    with pytest.raises(CheckpointError, match="something else than named tensors"):
        load_hart(folder)


def test_files_of_old_versions_of_torch_are_read(tmp_path):
    folder = write_published(tmp_path / "hart")
    expected = load_hart(folder).weights_hash
    tensors = torch.load(folder / "llm" / "ema_model.bin")
    torch.save(tensors, folder / "llm" / "ema_model.bin", _use_new_zipfile_serialization=False)
    assert load_hart(folder).weights_hash == expected


def test_a_list_of_shards_that_is_broken_is_named(tiny, tmp_path):
    save_hart(tiny, tmp_path)
    (tmp_path / "llm" / "model.safetensors").unlink()
    for text in ("{}", "[]", '{"weight_map": 3}', "{"):
        (tmp_path / "llm" / "model.safetensors.index.json").write_text(text)
        with pytest.raises(
            CheckpointError, match=r"index\.json: not readable as a list of weights"
        ):
            load_hart(tmp_path)


def test_a_model_may_be_saved_where_it_was_loaded(tiny, tmp_path):
    save_hart(tiny, tmp_path)
    loaded = load_hart(tmp_path)  # its weights are that file
    save_hart(loaded, tmp_path)
    assert load_hart(tmp_path).weights_hash == loaded.weights_hash == tiny.weights_hash


def test_weights_may_be_changed_without_changing_their_file(tiny, tmp_path):
    save_hart(tiny, tmp_path)
    loaded = load_hart(tmp_path)
    loaded.transformer.head.weight.add_(1)
    again = load_hart(tmp_path).transformer.head.weight
    assert torch.equal(again, tiny.transformer.head.weight)
    assert torch.equal(loaded.transformer.head.weight, again + 1)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="nowhere: no such folder"):
        load_hart(tmp_path / "nowhere")


def test_a_file_in_place_of_a_folder_is_told(tmp_path):
    (tmp_path / "weights.bin").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"weights\.bin: is a file; name the folder"):
        load_hart(tmp_path / "weights.bin")


def test_an_empty_folder_is_told_with_the_layouts_there_are(tmp_path):
    with pytest.raises(CheckpointError, match=r"llm/ and tokenizer/ as published, or config\.json"):
        load_hart(tmp_path)


def test_a_model_of_which_a_part_is_gone_is_told_by_the_file(tmp_path):
    folder = write_published(tmp_path / "hart")
    (folder / "tokenizer" / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"tokenizer/config\.json is missing"):
        load_hart(folder)


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
