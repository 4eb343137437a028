"""What the documents say, tried."""

import re
from pathlib import Path
from typing import get_args

import pytest

from hartsim.cli import app
from hartsim.scenario.catalogue import Vocabulary, ids_of
from hartsim.scenario.load import parse_scenario
from hartsim.scenario.motion import MOTIONS
from hartsim.scenario.schema import DISTRIBUTIONS, TASKS
from tools.catalogue import page

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CATALOGUE = (ROOT / "docs" / "catalogue.md").read_text()
REFERENCE = (ROOT / "docs" / "scenarios.md").read_text()


def blocks(language):
    fence = re.compile(rf"```{language}\n(.*?)```", re.DOTALL)
    return [text for path in DOCUMENTS for text in fence.findall(path.read_text())]


@pytest.mark.parametrize("code", blocks("python"))
def test_the_python_of_the_documents_runs(code):
    exec(compile(code, "document", "exec"), {})


@pytest.mark.parametrize("text", blocks("yaml"))
def test_the_scenarios_of_the_documents_load(text):
    assert parse_scenario(text, "document", "shown").hazards


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("vocabulary", get_args(Vocabulary))
def test_the_catalogue_names_every_id(task, vocabulary):
    assert {each for each in ids_of(vocabulary, task) if f"`{each}`" not in CATALOGUE} == set()


def test_the_page_of_the_catalogue_is_what_its_files_say():
    assert page() == CATALOGUE, "run tools/catalogue.py"


def test_the_reference_names_every_motion_and_distribution():
    names = [*(f"`{motion}`" for motion in MOTIONS), *(f"{{{kind}: " for kind in DISTRIBUTIONS)]
    assert [name for name in names if name not in REFERENCE] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_shown_exists(path):
    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    known |= {group.name for group in app.registered_groups}
    shown = re.findall(r"(?:^\$ |`)hartsim ([a-z]+)", path.read_text(), re.MULTILINE)
    assert set(shown) <= known


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_linked_to_is_there(path):
    links = re.findall(r"\]\((?!https?://)([^)#]+)\)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []
