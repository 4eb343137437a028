"""`hartsim weights` without a hub; `tests/integration/test_weights.py` has one."""

import re

import pytest

from hartsim.cli import run


@pytest.fixture(autouse=True)
def plain_wide_screen(monkeypatch, tmp_path):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("HARTSIM_CACHE", str(tmp_path / "cache"))


def test_the_list_says_what_is_here_and_how_to_bring_the_rest(capsys):
    assert run(["weights", "list"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert any(line.startswith("mini ") and "shipped" in line for line in said)
    assert any(line.startswith("hart-0.7b-1024px ") and "not here" in line for line in said)
    both = "hart-0.7b-1024px and Qwen2-VL-1.5B-Instruct"
    assert f"to bring {both}: hartsim weights pull hart-0.7b-1024px" in said
    assert "system prompt: missing; bring it: hartsim weights prompt --from FILE" in said


def test_the_folder_of_the_shipped_weights_is_printed(capsys):
    assert run(["weights", "where", "mini"]) == 0
    assert capsys.readouterr().out.endswith("hartsim/weights/mini\n")


def test_every_column_of_the_list_has_a_heading_and_every_cell_a_word(capsys):
    assert run(["weights", "list"]) == 0
    heading, *rows = capsys.readouterr().out.splitlines()[:4]
    assert heading.split() == ["model", "here", "size", "revision", "checked"]
    assert all(len(re.split("  +", row.strip())) == 5 for row in rows)


@pytest.mark.parametrize("command", ["verify", "pull"])
def test_the_shipped_model_needs_neither_pulling_nor_a_hub(capsys, command):
    assert run(["weights", command, "mini"]) == 0
    assert "mini ships with hartsim: nothing to pull" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("weights where", "`hartsim weights pull hart-0.7b-1024px` brings it"),
        ("weights where hart-9b", "no published model is called 'hart-9b'"),
        ("weights verify", "was not pulled: `hartsim weights pull hart-0.7b-1024px` brings it"),
        ("weights prompt --from nowhere.py", "nowhere.py: no such file"),
        ("weights prompt --from .", "is a folder; name hart/utils/constants.py"),
        ("weights pull Qwen2-VL-1.5B-Instruct", "comes with hart-0.7b-1024px: name that"),
        ("weights verify Qwen2-VL-1.5B-Instruct", "comes with hart-0.7b-1024px: name that"),
        ("weights where Qwen2-VL-1.5B-Instruct", "it comes with hart-0.7b-1024px, which `hart"),
        ("weights where ..", "no published model is called '..'"),
        ("weights prompt", "Missing option '--from'"),
    ],
)
def test_a_mistake_is_one_line_with_the_remedy(capsys, line, complaint):
    assert run(line.split()) == 2
    (said,) = capsys.readouterr().err.strip().splitlines()
    assert complaint in said


def test_a_prompt_that_is_another_is_refused(capsys, tmp_path):
    source = tmp_path / "constants.py"
    source.write_text("llm_system_prompt = 'Enhance this:'\n")
    assert run(["weights", "prompt", "--from", str(source)]) == 2
    assert "the published one has 705" in capsys.readouterr().err
