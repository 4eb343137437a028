import hashlib
import textwrap

import pytest

from hartsim.errors import CheckpointError
from hartsim.hart import system_prompt
from hartsim.hart.checkpoint import load_hart
from hartsim.hart.system_prompt import find, keep, read
from tests.hart.conftest import write_published

STAND_IN = "Enhance this:\nUser Prompt:\n"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HARTSIM_CACHE", str(tmp_path / "cache"))
    system_prompt._warn_once.cache_clear()


@pytest.fixture
def stand_in_is_published(monkeypatch):
    monkeypatch.setattr(system_prompt, "LENGTH", len(STAND_IN))
    monkeypatch.setattr(system_prompt, "SHA256", hashlib.sha256(STAND_IN.encode()).hexdigest())


def constants(folder, value):
    path = folder / "constants.py"
    path.write_text(f"import nothing_of_this_name\nother = 3\nllm_system_prompt = {value}\n")
    return path


WRITTEN = {
    "one literal": repr(STAND_IN),
    "side by side": '("Enhance this:\\n"\n  "User Prompt:\\n")',
    "joined": '"Enhance this:\\n" + "User " + ("Prompt:" + "\\n")',
    "over lines": '"""Enhance this:\nUser Prompt:\n"""',
    "continued": '"Enhance this:\\n" \\\n  "User Prompt:\\n"',
}


@pytest.mark.parametrize("value", WRITTEN.values(), ids=WRITTEN)
def test_the_prompt_is_read_however_it_is_written(tmp_path, value):
    assert read(constants(tmp_path, value)) == STAND_IN


def test_an_annotated_prompt_in_a_class_is_read(tmp_path):
    path = tmp_path / "constants.py"
    path.write_text("class C:\n    llm_system_prompt: str = 'x'\n")
    assert read(path) == "x"


@pytest.mark.parametrize("value", ["make()", "f'{open}'", "3", "'a' * 705", "b'x'", "x = 'y'.z"])
def test_nothing_is_run_to_find_the_prompt(tmp_path, value):
    with pytest.raises(CheckpointError, match="llm_system_prompt is not a plain string"):
        read(constants(tmp_path, value))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x = 3", "assigns nothing to llm_system_prompt"),
        ("def broken(:", "not readable as Python"),
        ("a\0b", "not readable as Python"),
        ("(" * 5000, "not readable as Python"),
        ("#" * (1 << 21), "too large for a file of constants"),
    ],
)
def test_another_file_is_refused(tmp_path, text, complaint):
    path = tmp_path / "constants.py"
    path.write_text(text)
    with pytest.raises(CheckpointError, match=complaint):
        keep(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"constants\.py: no such file"):
        keep(tmp_path / "constants.py")


def test_a_folder_is_told_from_a_file(tmp_path):
    with pytest.raises(CheckpointError, match="is a folder; name hart/utils/constants"):
        keep(tmp_path)


def test_another_prompt_is_refused_and_not_kept(tmp_path):
    with pytest.raises(
        CheckpointError, match=r"has 27 characters .* the published one has 705 and"
    ):
        keep(constants(tmp_path, repr(STAND_IN)))
    assert find(tmp_path) == ""


def test_a_prompt_of_the_right_length_must_be_the_right_one(tmp_path):
    with pytest.raises(CheckpointError, match="has 705 characters and sha256"):
        keep(constants(tmp_path, repr("x" * 705)))


def test_the_prompt_that_is_kept_is_found(tmp_path, caplog, stand_in_is_published):
    keep(constants(tmp_path, repr(STAND_IN)))
    assert find(tmp_path / "hart") == STAND_IN
    assert not caplog.messages


def test_a_missing_prompt_is_told_once_with_the_remedy(tmp_path, caplog):
    assert find(tmp_path) == find(tmp_path) == ""
    (message,) = caplog.messages
    assert "the system prompt is missing" in message
    assert "hartsim weights prompt --from FILE" in message


def test_a_prompt_in_the_folder_comes_first_and_another_one_is_told(tmp_path, caplog):
    folder = write_published(tmp_path / "hart")
    (folder / "system_prompt.txt").write_bytes(b"Enhance this:\r\n")
    assert load_hart(folder).text.system_prompt == "Enhance this:\r\n"
    assert "is not the system prompt of the published model" in caplog.text


def test_the_source_is_not_imported(tmp_path, stand_in_is_published):
    trap = tmp_path / "sprung"
    text = f"""
        open({str(trap)!r}, "w")
        llm_system_prompt = {STAND_IN!r}
    """
    path = tmp_path / "constants.py"
    path.write_text(textwrap.dedent(text))
    keep(path)
    assert not trap.exists()
