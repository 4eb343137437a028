# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: T201
"""Mode `setup`: Blender in an environment of its own, and the models, into the cache folder."""

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGES = ("bpy==4.5.15", "numpy")
MODELS = "sweethome3d-furniture"
LIBRARIES = "libxrender1 libxi6 libxkbcommon0 libsm6 libice6 libxxf86vm1 libxfixes3"


def cache_folder() -> Path:
    """Where setup puts things if nothing else is asked: the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "hartsim" / "pathtrace"


def models_folder(folder: Path) -> Path:
    """Where the models lie below a setup's folder."""
    return folder / "models"


def install(folder: Path) -> str:
    """Set up everything below a folder; returns the command that starts the tool there."""
    folder.mkdir(parents=True, exist_ok=True)
    python = folder / "venv" / "bin" / "python"
    if not python.exists():
        _call(sys.executable, "-m", "venv", str(folder / "venv"))
    _call(str(python), "-m", "pip", "install", "--quiet", *PACKAGES)
    if not any(models_folder(folder).glob("*/PluginFurnitureCatalog.properties")):
        _unpack_models(models_folder(folder))
    check = subprocess.run([str(python), "-c", "import bpy"], capture_output=True, text=True)
    if check.returncode:
        raise RuntimeError(
            f"bpy does not start: {check.stderr.strip().splitlines()[-1]}\n"
            f"On Debian it needs: apt-get install {LIBRARIES}"
        )
    return f"{python} -m tools.pathtrace"


def _unpack_models(models: Path) -> None:
    with tempfile.TemporaryDirectory() as work:
        _call("apt-get", "download", MODELS, cwd=work)
        package = next(Path(work).glob("*.deb"))
        _call("dpkg", "-x", str(package), f"{work}/x")
        for archive in sorted(Path(work).rglob("*.sh3f")):
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(models / archive.stem)


def _call(*command: str, cwd: str | None = None) -> None:
    print("+", " ".join(command), file=sys.stderr)
    subprocess.run(command, check=True, cwd=cwd)
