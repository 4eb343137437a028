"""The parts of `hartsim.hart.hub` that need no hub; `tests/integration/test_weights.py` has one."""

import sys
from dataclasses import asdict

import pytest

from hartsim.errors import CheckpointError
from hartsim.hart import hub
from hartsim.hart.checkpoint import load_hart
from hartsim.hart.store import sha256_of, write_record
from tests.hart.conftest import write_published

MODEL = hub.MODELS[0]
CONFIGS = ["llm/config.json", "tokenizer/config.json"]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HARTSIM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def pulled(tmp_path):
    """The folders of a model's two repositories, as a pull leaves them."""
    write_published(tmp_path / "weights")
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "config.json").write_text("{}")
    for repo, folder in ((MODEL.weights, tmp_path / "weights"), (MODEL.text, tmp_path / "text")):
        paths = [path for path in folder.rglob("*") if path.is_file()]
        files = {
            str(path.relative_to(folder)): hub.Stored(path.stat().st_size, sha256_of(path))
            for path in paths
        }
        record = hub.Record(repo, "main", "c" * 40, files)
        write_record(hub.folder_of(repo).with_name(f"{hub.folder_name(repo)}.json"), asdict(record))
        hub._link(hub.folder_of(repo), folder)
    return tmp_path / "weights", tmp_path / "text"


@pytest.mark.parametrize("name", ["0.7b", "hart-0.7b-1024px", "mit-han-lab/hart-0.7b-1024px"])
def test_a_model_has_several_names(name):
    assert hub.published(name) == MODEL


def test_the_text_encoder_is_the_one_that_loading_looks_for_beside_the_weights(pulled):
    folder = hub.find_weights("0.7b")
    assert load_hart(folder).text.name == str(folder.parent / "Qwen2-VL-1.5B-Instruct")


def test_a_pulled_model_is_found_by_its_size(pulled, cache):
    assert hub.cached_weights("0.7b") == cache / "pulled" / "hart-0.7b-1024px"


def test_a_model_that_was_not_pulled_is_told_with_the_command():
    assert hub.cached_weights("0.7b") is None
    with pytest.raises(CheckpointError, match=r"`hartsim weights pull hart-0\.7b-1024px` brings"):
        hub.find_weights("0.7b")


@pytest.mark.parametrize("gone", ["weights/llm/ema_model.bin", "text/config.json"])
def test_a_model_of_which_a_file_is_gone_is_not_found(pulled, tmp_path, gone):
    (tmp_path / gone).unlink()
    assert hub.cached_weights("0.7b") is None


def test_whether_weights_are_converted_is_known(pulled):
    assert not hub.is_converted(MODEL)
    load_hart(hub.find_weights("0.7b"))
    assert hub.is_converted(MODEL)


def test_every_changed_file_is_named(pulled, tmp_path):
    load_hart(hub.find_weights("0.7b"))
    assert list(hub.verify(MODEL)) == []
    (tmp_path / "text" / "config.json").write_text("[]")
    (tmp_path / "weights" / "llm" / "config.json").unlink()
    problems = list(hub.verify(MODEL))
    assert [problem.split("/")[-1] for problem in problems] == [
        "config.json: missing",
        "config.json: changed since it was pulled",
    ]


def test_a_damaged_conversion_is_named(pulled, cache):
    load_hart(hub.find_weights("0.7b"))
    (converted,) = cache.glob("converted/*.safetensors")
    content = bytearray(converted.read_bytes())
    content[-1] ^= 1
    converted.write_bytes(content)
    assert list(hub.verify(MODEL)) == [f"{converted}: changed since it was converted; delete it"]


def test_what_was_never_pulled_cannot_be_verified():
    with pytest.raises(CheckpointError, match="was not pulled: `hartsim weights pull"):
        list(hub.verify(MODEL))


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        (["ema_model.bin", "model.safetensors"], ["ema_model.bin"]),
        (["model.safetensors", "pytorch_model.bin"], ["model.safetensors"]),
        (
            ["model-00001-of-2.safetensors", "model-00002-of-2.safetensors", "optimizer.bin"],
            ["model.safetensors.index.json", "model-00001-of-2.safetensors"],
        ),
    ],
)
def test_only_the_weights_that_loading_reads_are_pulled(there, chosen):
    if "optimizer.bin" in there:
        there = [*there, "model.safetensors.index.json"]
        chosen = [*chosen, "model-00002-of-2.safetensors"]
    needed = [f"llm/{name}" for name in chosen]
    tokenizer = ["tokenizer/model.safetensors"]
    files = [*CONFIGS, *(f"llm/{name}" for name in there), *tokenizer, "README.md"]
    assert hub._files_of_model(sorted(files)) == [CONFIGS[0], *needed, CONFIGS[1], *tokenizer]


@pytest.mark.parametrize(
    ("there", "missing"),
    [
        ([], "llm/config.json"),
        ([*CONFIGS], "llm/model.safetensors"),
        ([*CONFIGS, "llm/ema_model.bin"], "tokenizer/model.safetensors"),
    ],
)
def test_what_a_repository_lacks_is_named(there, missing):
    with pytest.raises(LookupError, match=missing):
        hub._files_of_model(there)


def test_a_text_encoder_comes_with_its_tokenizer():
    there = ["README.md", "config.json", "merges.txt", "model.safetensors", "vocab.json"]
    expected = ["vocab.json", "merges.txt", "config.json", "model.safetensors"]
    assert hub._files_of_text_encoder(there) == expected
    with pytest.raises(LookupError, match=r"tokenizer\.json"):
        hub._files_of_text_encoder(["config.json", "model.safetensors"])


def test_without_the_hubs_library_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(CheckpointError, match=r'pip install "hartsim\[weights\]"'):
        list(hub.pull(MODEL))


def test_the_text_encoder_of_a_pulled_model_is_found_by_its_name(pulled, cache):
    expected = cache / "pulled" / "Qwen2-VL-1.5B-Instruct"
    assert hub.find_folder("Qwen2-VL-1.5B-Instruct") == hub.find_folder(MODEL.text) == expected


def test_a_shipped_model_is_found_by_its_name():
    assert hub.find_folder("mini") == hub.shipped()["mini"]


def test_a_cache_that_cannot_be_used_is_told_before_the_hub_is_asked(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("HARTSIM_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(hub, "_ask_hub", None)
    with pytest.raises(CheckpointError, match=r"cannot be written .* another place: HARTSIM_CACHE"):
        next(hub.pull(MODEL))


@pytest.mark.parametrize(
    ("begun", "remedy"), [(False, "hart.weights=FOLDER"), (True, "it goes on from here")]
)
def test_a_lost_connection_goes_on_only_where_something_had_come(begun, remedy):
    pytest.importorskip("huggingface_hub")
    with (
        pytest.raises(CheckpointError) as caught,
        hub._failures_told(MODEL.weights, "main", begun),
    ):
        raise OSError("no route")
    assert remedy in str(caught.value)
    assert ("goes on" in str(caught.value)) == begun


def test_an_offline_hub_is_told_with_the_remedy():
    library = pytest.importorskip("huggingface_hub")
    from huggingface_hub.errors import OfflineModeIsEnabled

    told = hub._told(library, OfflineModeIsEnabled("offline"), "main", begun=False)
    assert "unset it, or copy the cache" in told
