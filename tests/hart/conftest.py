"""The tiny model with random weights, and the golden model with the reference's outputs."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from hartsim.hart.checkpoint import load_hart
from hartsim.hart.config import hart_config
from hartsim.hart.model import Hart, new_hart
from hartsim.hart.text import Context

GOLDEN = Path(__file__).parents[1] / "golden" / "hart_small"
Golden = dict[str, Tensor]


def write_published(folder: Path, changed: Callable[[Golden], None] = lambda llm: None) -> Path:
    """A folder as published, from the golden weights; `changed` may edit the llm's tensors."""
    config = json.loads((GOLDEN / "config.json").read_text())
    weights = load_file(GOLDEN / "weights.safetensors")
    parts = {
        part: {
            key.removeprefix(f"{part}."): tensor
            for key, tensor in weights.items()
            if key.startswith(f"{part}.")
        }
        for part in ("llm", "tokenizer")
    }
    changed(parts["llm"])
    for part in parts:
        (folder / part).mkdir(parents=True)
        (folder / part / "config.json").write_text(json.dumps(config[part]))
    torch.save(parts["llm"], folder / "llm" / "ema_model.bin")
    save_file(parts["tokenizer"], folder / "tokenizer" / "model.safetensors")
    return folder


@pytest.fixture(scope="session")
def golden_hart(tmp_path_factory: pytest.TempPathFactory) -> Hart:
    return load_hart(write_published(tmp_path_factory.mktemp("published") / "hart"))


@pytest.fixture(scope="session")
def golden() -> Callable[[str], Golden]:
    """Recorded arrays of the reference, by file name."""

    def load(name: str) -> Golden:
        with np.load(GOLDEN / f"{name}.npz") as arrays:
            return {key: torch.as_tensor(array) for key, array in arrays.items()}

    return load


@pytest.fixture(scope="session")
def golden_context(golden: Callable[[str], Golden]) -> Context:
    arrays = golden("teacher_forced")
    return Context(arrays["context"], arrays["context_position_ids"])


@pytest.fixture(scope="session")
def tiny() -> Hart:
    return new_hart(hart_config("tiny"), seed=0)


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


def require_precision(name):
    """Skip where this CPU cannot compute in it."""
    if name == "bf16" and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        pytest.skip("this CPU multiplies no bfloat16")
