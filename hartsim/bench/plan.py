"""What is to be measured: checked before anything slow begins, and handed to child processes."""

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hartsim.errors import ConfigError
from hartsim.hart.config import PATCH_NUMS_1024, SIZES, HartConfig, TextConfig
from hartsim.library import library_path

SCALES = {
    16: (1, 2, 3, 4, 5, 6, 8, 10, 13, 16),
    32: (1, 2, 3, 4, 6, 9, 13, 18, 24, 32),
    64: PATCH_NUMS_1024,
}
"""Token grids by the side of the last: those of the published models."""

USUAL_SIZE_PX = {"0.7b": 256}
"""Where it is not the model's own: 1024 px take a CPU minutes."""

PRECISIONS = ("fp32", "int8", "bf16", "fp16", "fp8")
"""On one device or another; `hartsim.hart.prepared` knows which."""


MOST_THREADS = 256
"""Far more and a typing error ends in a machine that does nothing else."""


@dataclass(frozen=True)
class SpeedRequest:
    """What `hartsim bench speed` is asked for; ConfigError names a wish that cannot be met."""

    model: str = "mini"
    size_px: int | None = None
    """None is the model's own size, or what `USUAL_SIZE_PX` has."""
    precisions: tuple[str, ...] = ("fp32",)
    batches: tuple[int, ...] | None = None
    """None tries 1, 2, 4, ... until it stops paying or memory ends."""
    device: str = "auto"
    runs: int = 10
    threads: int | None = None
    """None is PyTorch's choice."""
    fuse: bool = False
    """Whether blocks are compiled, on CUDA."""

    def __post_init__(self) -> None:
        subject_config(self.model, self.size_px)
        for precision in self.precisions:
            if precision not in PRECISIONS:
                there = ", ".join(PRECISIONS)
                raise ConfigError(f"--precision is '{precision}', must be of {there}")
        if not self.precisions:
            raise ConfigError(f"--precision names none; there are {', '.join(PRECISIONS)}")
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", self.device):
            raise ConfigError(f"--device is '{self.device}', must be auto, cpu, cuda or cuda:N")
        if self.batches is not None and (not self.batches or min(self.batches) < 1):
            given = ",".join(map(str, self.batches))
            raise ConfigError(f"--batch is '{given}', must be numbers from 1, or auto")
        if self.runs < 1:
            raise ConfigError(f"--runs is {self.runs}, must be at least 1")
        if self.threads is not None and not 1 <= self.threads <= MOST_THREADS:
            raise ConfigError(f"--threads is {self.threads}, must be 1 to {MOST_THREADS}")


@dataclass(frozen=True)
class Job:
    """What one child process does: write random weights into a folder, or measure those there."""

    kind: Literal["write", "measure"]
    request: SpeedRequest
    precision: str
    weights: str
    out: str
    """The file that takes the outcome."""
    started_s: float
    """The system's monotonic clock just before the child was started."""


def subject_config(model: str, size_px: int | None = None) -> HartConfig:
    """The configuration of a named size for square pictures of `size_px`.

    In place of a language model, which is not ours, it has a text encoder of no size: that is not
    measured, but given its output. ConfigError for a name or size that does not exist.
    """
    if model not in SIZES:
        raise ConfigError(f"--model is '{model}', must be of {', '.join(SIZES)}")
    config = SIZES[model]
    cell, own = config.tokenizer.downsampling, config.size_px[0]
    if size_px is None:
        size_px = USUAL_SIZE_PX.get(model, own)
    sizes = sorted({own, *(cell * side for side in SCALES)})
    if size_px not in sizes:
        raise ConfigError(f"--size-px is {size_px}; {model} has {', '.join(map(str, sizes))}")
    if size_px != own:
        shaped = dataclasses.replace(config.transformer, patch_nums=SCALES[size_px // cell])
        config = dataclasses.replace(config, transformer=shaped)
    if is_given_text(model):
        nothing = TextConfig(encoder="hash", buckets=1, depth=0, num_heads=1)
        config = dataclasses.replace(config, text=nothing)
    return config


def is_given_text(model: str) -> bool:
    """Whether the text encoder of a named size is a language model that is not ours."""
    return SIZES[model].text.encoder != "hash"


def shipped_weights(model: str, config: HartConfig) -> Path | None:
    """The folder of the weights that ship with hartsim, if they are of this very shape."""
    folder = library_path("weights") / model
    return folder if folder.is_dir() and config == SIZES[model] else None
