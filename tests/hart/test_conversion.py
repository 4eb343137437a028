import os
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from hartsim.errors import CheckpointError
from hartsim.hart import conversion
from hartsim.hart.checkpoint import load_hart, sources_of
from hartsim.hart.conversion import digest_of
from tests.hart.conftest import write_published


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HARTSIM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def kept(folder, part="llm"):
    return conversion.find(sources_of(folder / part))


def test_weights_are_converted_once(tmp_path):
    folder = write_published(tmp_path / "hart")
    assert kept(folder) is None
    load_hart(folder)
    before = kept(folder).file.stat()
    load_hart(folder)
    assert kept(folder).file.stat() == before


def test_the_converted_file_is_float32_and_has_only_what_is_needed(tmp_path):
    folder = write_published(tmp_path / "hart", lambda llm: llm.update({"head.bias": half(llm)}))
    hart = load_hart(folder)
    tensors = load_file(kept(folder).file)
    assert set(tensors) == set(hart.transformer.state_dict())
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float32}
    assert torch.equal(tensors["head.bias"], hart.transformer.head.bias)


def half(llm):
    return llm["head.bias"].half()


def test_a_changed_source_is_converted_anew(tmp_path):
    folder = write_published(tmp_path / "hart")
    first = load_hart(folder).weights_hash
    tensors = torch.load(folder / "llm" / "ema_model.bin")
    tensors["head.bias"] += 1
    torch.save(tensors, folder / "llm" / "ema_model.bin")
    assert kept(folder) is None
    assert load_hart(folder).weights_hash != first


def test_a_changed_configuration_is_checked_anew(tmp_path):
    folder = write_published(tmp_path / "hart")
    load_hart(folder)
    os.utime(folder / "llm" / "config.json", (1, 1))
    assert kept(folder) is None


def test_a_damaged_copy_is_made_anew(tmp_path):
    folder = write_published(tmp_path / "hart")
    expected = load_hart(folder).weights_hash
    os.truncate(kept(folder).file, 1000)
    assert kept(folder) is None
    assert load_hart(folder).weights_hash == expected


def test_float32_safetensors_stay_where_they_are(tmp_path, cache):
    folder = write_published(tmp_path / "hart")
    load_hart(folder)
    assert kept(folder, "tokenizer").file == folder / "tokenizer" / "model.safetensors"
    assert len(list(cache.glob("converted/*.safetensors"))) == 1


def test_weights_are_mapped_and_not_copied(tmp_path):
    folder = write_published(tmp_path / "hart")
    hart = load_hart(folder)
    maps = Path("/proc/self/maps").read_text()
    assert all(str(kept(folder, part).file) in maps for part in ("llm", "tokenizer"))
    assert hart.transformer.head.weight.requires_grad


def test_an_interrupted_conversion_leaves_nothing_that_is_used(tmp_path, cache, monkeypatch):
    folder = write_published(tmp_path / "hart")

    def stop(place, name, tensor):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(conversion, "require_finite", stop)
        with pytest.raises(KeyboardInterrupt):
            load_hart(folder)
    assert kept(folder) is None
    assert not [path for path in cache.rglob("*") if "safetensors" in path.name]
    load_hart(folder)
    assert kept(folder) is not None


def test_what_a_killed_process_left_is_cleared_away(tmp_path, cache):
    folder = write_published(tmp_path / "hart")
    load_hart(folder)
    place = kept(folder).file
    leftover = place.with_name(f".{place.name}.12345")
    leftover.write_bytes(b"part")
    place.unlink()
    load_hart(folder)
    assert place.is_file()
    assert not leftover.exists()


def test_a_cache_that_cannot_be_written_is_named(tmp_path, cache):
    cache.write_text("a file")
    with pytest.raises(CheckpointError, match=r"cannot be written .*HARTSIM_CACHE=FOLDER"):
        load_hart(write_published(tmp_path / "hart"))


def test_the_digest_that_is_kept_is_that_of_the_loaded_weights(tmp_path):
    folder = write_published(tmp_path / "hart")
    hart = load_hart(folder)
    expected = {part: digest_of(module.state_dict()) for part, module in hart.modules().items()}
    assert hart.digests == expected


@pytest.mark.parametrize("change", ["name", "value"])
def test_the_digest_changes_with_every_name_and_value(change):
    tensors = {"a": torch.arange(4.0), "b": torch.zeros(2, 2)}
    other = {**tensors, "a": torch.tensor([0.0, 1, 2, 4])}
    if change == "name":
        other = {"a": tensors["a"], "c": tensors["b"]}
    assert digest_of(tensors) != digest_of(other)
    assert digest_of(tensors) == digest_of(dict(reversed(tensors.items())))


def test_a_changed_byte_of_the_copy_is_found(tmp_path):
    folder = write_published(tmp_path / "hart")
    load_hart(folder)
    checked = kept(folder)
    assert not conversion.is_changed(checked)
    content = bytearray(checked.file.read_bytes())
    content[-1] ^= 1
    checked.file.write_bytes(content)
    assert conversion.is_changed(checked)


def test_other_readers_of_safetensors_understand_the_copy(tmp_path):
    tensors = {
        "a": torch.zeros(()),
        "b": torch.ones(3).bfloat16(),
        "c": torch.ones(2, 2).double().T,
    }
    source = tmp_path / "model.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, source)
    checked = conversion.keep([source], tensors)
    with safe_open(checked.file, framework="pt") as file:
        assert sorted(file.keys()) == ["a", "b", "c"]
        assert all(torch.equal(file.get_tensor(key), tensors[key].float()) for key in tensors)
