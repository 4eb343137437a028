"""What a wheel carries, and whether it works in an environment far from the checkout."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHIPPED_FOLDERS = {"scenarios": "hartsim/library/", "configs": "hartsim/library/", "hartsim": ""}
"""Where the folders of the checkout lie in a wheel."""

LARGEST_FILE_MB = 15


def done(*command: str | Path, folder: Path) -> str:
    """The standard output of a command that must succeed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """A wheel built from a copy of the sources, so that the checkout stays clean."""
    copy = tmp_path_factory.mktemp("sources")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in SHIPPED_FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    done(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", ".", folder=copy)
    return next(copy.glob("*.whl"))


@pytest.fixture(scope="session")
def elsewhere(wheel, tmp_path_factory) -> Path:
    """An environment with the wheel and its dependencies, which knows nothing of the checkout."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "env", with_pip=False, symlinks=True)
    python = folder / "env" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index")
    done(*pip, "--no-deps", wheel, folder=folder)
    # A .pth file adds a path without running the .pth files there: no editable hartsim comes along.
    (site,) = folder.glob("env/lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return folder


def test_every_package_is_listed():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packages = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in ROOT.glob("hartsim/**/__init__.py")
    }
    assert set(settings["packages"]) == packages | set(settings["package-dir"])


@pytest.mark.slow
def test_the_wheel_carries_every_file_that_is_needed(wheel):
    carried = set(zipfile.ZipFile(wheel).namelist())
    needed = {
        f"{place}{path.relative_to(ROOT)}"
        for name, place in SHIPPED_FOLDERS.items()
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert needed - carried == set()


@pytest.mark.slow
def test_no_file_of_the_wheel_is_too_large(wheel):
    sizes_mb = {info.filename: info.file_size / 2**20 for info in zipfile.ZipFile(wheel).infolist()}
    assert {name for name, size in sizes_mb.items() if size > LARGEST_FILE_MB} == set()


@pytest.mark.slow
def test_the_wheel_compiles_a_library_scenario_elsewhere(elsewhere):
    command = (elsewhere / "env/bin/hartsim", "compile", "child_behind_van", "--json")
    scene = json.loads(done(*command, folder=elsewhere))
    assert scene["scenario"]["name"] == "child_behind_van"


@pytest.mark.slow
def test_the_wheel_generates_a_sample_elsewhere(elsewhere):
    done(
        *(elsewhere / "env/bin/hartsim", "generate", "child_behind_van"),
        *("--count", "1", "--routes", "repaint", "--out", "data", "render.attempts=1"),
        folder=elsewhere,
    )
    assert len(list(elsewhere.glob("data/samples/*/sample.json"))) == 1
