"""`hartsim weights` end to end, against a hub on this machine."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
import torch

from tests.fake_hub import FakeHub
from tests.hart.conftest import write_published
from tests.hart.tiny_qwen2 import write_qwen2

pytestmark = [pytest.mark.weights, pytest.mark.slow]

WEIGHTS = "mit-han-lab/hart-0.7b-1024px"
TEXT = "mit-han-lab/Qwen2-VL-1.5B-Instruct"
NOT_NEEDED = {"README.md": b"a card", "llm/model.safetensors": b"not averaged"}

READ_AT_ONCE = 10 << 20
"""Bytes that the hub's library takes from a connection at once."""

NEEDED = [
    "llm/config.json",
    "llm/ema_model.bin",
    "tokenizer/config.json",
    "tokenizer/model.safetensors",
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    return write_published(folder / "hart"), write_qwen2(folder / "Qwen2")


@pytest.fixture
def hub(folders):
    hub = FakeHub()
    hub.publish_folder(WEIGHTS, folders[0])
    for commit in hub.repos[WEIGHTS].values():
        commit.update(NOT_NEEDED)
    hub.publish_folder(TEXT, folders[1])
    with hub.served():
        yield hub


@pytest.fixture
def environment(hub, tmp_path):
    ours = {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(tmp_path / "hf"),
        "HARTSIM_CACHE": str(tmp_path / "cache"),
        "NO_COLOR": "1",
        "OMP_NUM_THREADS": "1",
    }
    theirs = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return {**theirs, **ours}


@pytest.fixture
def hartsim(environment):
    """A function that runs a command and returns its exit code and what it said."""

    def run(*words, **changed):
        command = [sys.executable, "-m", "hartsim", *words]
        env = {**environment, **changed}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout + done.stderr

    return run


def test_a_model_is_pulled_found_checked_and_used_offline(hub, hartsim, tmp_path):
    code, said = hartsim("weights", "pull")
    assert code == 0, said
    assert f"{WEIGHTS} at {hub.commit_of(WEIGHTS, 'main')[:12]} (main)" in said
    assert "the system prompt is missing; bring it: hartsim weights prompt" in said
    assert [name for name in hub.fetched() if "/" in name] == NEEDED

    hub.down = 500
    code, said = hartsim("weights", "where", "0.7b")
    assert (code, said.strip()) == (0, str(tmp_path / "cache/pulled/hart-0.7b-1024px"))
    code, said = hartsim("weights", "list")
    assert re.search(r"hart-0.7b-1024px +pulled +\d+\.\d MB +\w{12} \(main\) +and converted", said)
    assert re.search(r"Qwen2-VL-1.5B-Instruct +pulled", said)
    code, said = hartsim("weights", "verify")
    assert (code, said.strip()) == (0, "hart-0.7b-1024px: every byte as it was pulled")
    code, said = hartsim("weights", "pull", HF_HUB_OFFLINE="1")
    assert code == 0, said
    assert said.count("was here") == len(hub.fetched())

    picture = tmp_path / "deer.png"
    where = f"hart.weights={tmp_path / 'cache/pulled/hart-0.7b-1024px'}"
    code, said = hartsim("render", "a deer", "hart=0.7b", where, "--out", str(picture))
    assert code == 0, said
    assert picture.is_file()


def test_what_is_damaged_or_gone_is_named_and_brought_again(hub, hartsim, tmp_path):
    assert hartsim("weights", "pull")[0] == 0
    llm = tmp_path / "cache/pulled/hart-0.7b-1024px/llm"
    content = bytearray((llm / "ema_model.bin").read_bytes())
    content[len(content) // 2] ^= 1
    (llm / "ema_model.bin").write_bytes(content)
    (llm / "config.json").unlink()
    code, said = hartsim("weights", "verify")
    assert code == 1
    assert f"{llm}/ema_model.bin: changed since it was pulled" in said
    assert f"{llm}/config.json: missing" in said
    assert "hartsim weights pull hart-0.7b-1024px" in said
    hub.asked.clear()
    code, said = hartsim("weights", "pull")
    assert code == 0, said
    assert hub.fetched() in (NEEDED[:2], ["llm/ema_model.bin"])  # the bytes of the other are here
    assert hartsim("weights", "verify")[0] == 0


def test_a_broken_connection_is_taken_up_where_it_broke(hub, hartsim, tmp_path):
    def enlarge(llm):
        llm["attn_bias_for_masking"] = torch.zeros(1, 1, 2000, 2000)

    hub.publish_folder(WEIGHTS, write_published(tmp_path / "large", enlarge))
    hub.cut["llm/ema_model.bin"] = (READ_AT_ONCE + 1000, 1)
    code, said = hartsim("weights", "pull")
    if code:  # some versions of huggingface_hub take it up at the next pull only
        code, said = hartsim("weights", "pull")
    assert code == 0, said
    ranges = [asked for _, path, asked in hub.asked if path.endswith("ema_model.bin")]
    assert {f"bytes={READ_AT_ONCE}-", f"bytes={READ_AT_ONCE + 1000}-"} & {*ranges}


def test_a_pull_that_was_stopped_goes_on_with_its_commit(hub, environment, hartsim):
    hub.cut["tokenizer/model.safetensors"] = (0, 99)  # it is tried again for some seconds
    command = [sys.executable, "-m", "hartsim", "weights", "pull"]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    while "tokenizer/model.safetensors" not in hub.fetched():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command again goes on from here" in said
    assert "in part" in hartsim("weights", "list")[1]

    first = hub.commit_of(WEIGHTS, "main")
    hub.publish(WEIGHTS, {"llm/config.json": b"{}"})
    hub.cut.clear()
    hub.asked.clear()
    code, said = hartsim("weights", "pull")
    assert code == 0, said
    assert f"at {first[:12]} (main)" in said
    assert "llm/ema_model.bin was here" in said
    assert hub.fetched()[0] == "tokenizer/model.safetensors"


def test_a_pulled_commit_stays_until_another_is_asked_for(hub, hartsim, folders, tmp_path):
    assert hartsim("weights", "pull")[0] == 0
    first = hub.commit_of(WEIGHTS, "main")
    later = hub.publish_folder(WEIGHTS, folders[0])
    assert f"at {first[:12]} (main)" in hartsim("weights", "pull")[1]
    assert f"at {later[:12]} (main)" in hartsim("weights", "pull", "--update")[1]
    assert f"at {first[:12]} ({first})" in hartsim("weights", "pull", "--revision", first)[1]
    assert (tmp_path / "cache/pulled/hart-0.7b-1024px").resolve().name == first


@pytest.mark.parametrize(
    ("damage", "words", "changed", "complaint"),
    [
        (lambda hub: hub.repos.pop(WEIGHTS), "", {}, "has no such repository, or not for you"),
        (None, "--revision v9", {}, "does not have it at revision 'v9'; choose with --revision"),
        (None, "", {"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE forbids to ask the hub"),
        (lambda hub: setattr(hub, "down", 503), "", {}, "answers with status 503; try again later"),
        (lambda hub: setattr(hub, "down", 403), "", {}, "status 403); perhaps: hf auth login"),
        (None, "", {"HF_ENDPOINT": "http://127.0.0.1:9"}, "cannot be reached"),
        (None, "", {"HF_HOME": "/proc/1"}, "/proc/1"),
        (lambda hub: hub.publish(WEIGHTS, {"llm/x": b""}), "", {}, "has no llm/config.json at"),
        (None, "hart-9b", {}, "no published model is called 'hart-9b'; there is hart-0.7b-1024px"),
    ],
)
def test_what_goes_wrong_is_one_line_with_the_remedy(
    hub, hartsim, damage, words, changed, complaint
):
    if damage is not None:
        damage(hub)
    code, said = hartsim("weights", "pull", *words.split(), **changed)
    assert code == 2
    (line,) = said.strip().splitlines()
    assert line.startswith("error: ")
    assert complaint in line


def test_a_connection_that_keeps_breaking_is_one_line_with_the_remedy(hub, hartsim):
    hub.cut["llm/ema_model.bin"] = (1000, 99)
    code, said = hartsim("weights", "pull")
    assert code == 2
    assert said.splitlines()[-2].strip() == "llm/config.json fetched"
    assert "broke off" in said.splitlines()[-1]


def test_a_file_that_arrives_broken_is_not_taken(hub, hartsim, monkeypatch):
    monkeypatch.setattr("tests.fake_hub.sibling", lying_sibling)
    code, said = hartsim("weights", "pull")
    assert code == 2
    assert "llm/ema_model.bin arrived broken; run the same command again" in said
    code, said = hartsim("weights", "where")
    assert "`hartsim weights pull hart-0.7b-1024px` brings it" in said


def lying_sibling(name, content):
    told = {"rfilename": name, "size": len(content)}
    if name.endswith("ema_model.bin"):
        told["lfs"] = {"size": len(content), "sha256": "0" * 64, "pointerSize": 130}
    return told


def test_a_model_that_cannot_be_loaded_is_refused_by_the_pull(hub, hartsim):
    files = hub.repos[WEIGHTS][hub.commit_of(WEIGHTS, "main")]
    files["llm/config.json"] = files["llm/config.json"].replace(b'"depth": 4', b'"depth": 5')
    code, said = hartsim("weights", "pull")
    assert code == 2
    assert "tensors missing" in said
