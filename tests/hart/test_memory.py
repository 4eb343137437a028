"""What loading a model takes of memory, measured in a process of its own."""

import dataclasses
import json
import logging
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from hartsim.hart.config import HartConfig, TokenizerConfig, TransformerConfig
from hartsim.hart.model import build_hart

logger = logging.getLogger(__name__)

PEAK = 1.15
"""The most that a load may take, as a multiple of the weights."""

LOAD = """
import json, re, sys, time
from pathlib import Path
import torch
from hartsim.hart.checkpoint import load_hart

def memory(field):  # not ru_maxrss, which a process inherits from the one that started it
    found = re.search(field + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())
    return 1024 * int(found[1])

torch.zeros(1 << 20).aminmax()
before = memory("VmRSS")
started = time.perf_counter()
hart = load_hart(Path(sys.argv[1]))
seconds = time.perf_counter() - started
tensors = [t for module in hart.modules().values() for t in module.state_dict().values()]
for tensor in tensors:
    tensor.aminmax()  # so that all of it is in memory
weights = sum(4 * tensor.numel() for tensor in tensors)
peak = (memory("VmHWM") - before) / weights
print(json.dumps({"peak": peak, "weights": weights, "seconds": seconds}))
"""

MIDDLING = HartConfig(
    transformer=TransformerConfig(
        depth=14,
        embed_dim=512,
        num_heads=8,
        diff_width=256,
        patch_nums=(1, 2, 3, 4, 6, 9, 13, 18, 24, 32),
    ),
    tokenizer=TokenizerConfig(ch=32),
)
"""About 200 MB."""


def write_random(folder: Path, config: HartConfig, file: str) -> None:
    """A folder as published, buffers included, with random weights of a configuration."""
    with torch.device("meta"):
        parts = build_hart(config).modules()
    for name, module in parts.items():
        shapes = {key: tensor.shape for key, tensor in module.state_dict().items()}
        tensors = {key: torch.empty(shape).uniform_(-1, 1) for key, shape in shapes.items()}
        fields = dataclasses.asdict(getattr(config, {"llm": "transformer"}.get(name, name)))
        (folder / name).mkdir(parents=True)
        (folder / name / "config.json").write_text(json.dumps(fields))
        if name == "llm":
            tensors |= buffers(config.transformer)
        if file.endswith(".bin"):
            torch.save(tensors, folder / name / file)
        else:
            save_file(tensors, folder / name / file)


def buffers(config: TransformerConfig) -> dict[str, torch.Tensor]:
    sizes = torch.tensor([config.context_token, *(side**2 for side in config.patch_nums[1:])])
    levels = torch.arange(len(sizes)).repeat_interleave(sizes)[None]
    mask = torch.zeros(1, 1, levels.shape[1], levels.shape[1])
    return {"lvl_1L": levels, "attn_bias_for_masking": mask}


def load_in_a_process(folder: Path) -> dict[str, float]:
    command = [sys.executable, "-c", LOAD, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("file", ["ema_model.bin", "model.safetensors"])
@pytest.mark.parametrize(
    "config",
    [
        pytest.param(MIDDLING, id="200 MB"),
        pytest.param(HartConfig(), id="0.7b", marks=pytest.mark.slow),
    ],
)
def test_a_load_takes_little_more_than_the_weights(tmp_path, monkeypatch, config, file):
    monkeypatch.setenv("HARTSIM_CACHE", str(tmp_path / "cache"))
    try:
        write_random(tmp_path / "hart", config, file)
        first = load_in_a_process(tmp_path / "hart")
        second = load_in_a_process(tmp_path / "hart")
    finally:
        shutil.rmtree(tmp_path)
    logger.info("%s: first %s, then %s", file, first, second)
    assert first["weights"] > 150e6
    assert max(first["peak"], second["peak"]) < PEAK
