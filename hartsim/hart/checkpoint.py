"""Models in and out of folders: our own layout, and the published one.

Ours is `config.json` beside `llm/`, `tokenizer/` and `text/`, each with `model.safetensors`. The
published one has a `config.json` in each of `llm/` and `tokenizer/`. State-dict keys are the same.
"""

import json
import logging
import pickle
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from hartsim.errors import CheckpointError
from hartsim.hart.config import HartConfig
from hartsim.hart.model import Hart, build_hart
from hartsim.hart.text import Qwen2TextEncoder

logger = logging.getLogger(__name__)

# The averaged weights are what the reference generates with, so they come first.
WEIGHT_FILES = ("ema_model.bin", "model.safetensors", "pytorch_model.bin")
INDEX_FILES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")

IGNORED = re.compile(
    r"lvl_1L|attn_bias_for_masking|blocks\.\d+\.attn\.zero_k_bias"
    r"|vae\.quantize\.ema_vocab_hit_SV|vae\.decoder2\..*|vae\.post_quant_conv2\..*|disc\..*"
)
"""Tensors of published checkpoints that generation does not need."""

SYSTEM_FILE = "system_prompt.txt"
"""`llm_system_prompt` of the reference's `hart/utils/constants.py`, to be copied here by hand."""

UNSUPPORTED = {
    "blocks.0.ada_lin.1.weight": "AdaLN in every block",
    "blocks.0.scale_shift_table": "shared AdaLN",
    "blocks.0.attn.scale_mul_1H11": "attention with L2 norm",
    "blocks.0.attn.mat_qkv.weight": "GPT-2 attention",
    "blocks.0.ffn.fc1.weight": "the GPT-2 MLP",
    "blocks.0.cross_attn.proj.weight": "cross-attention",
    "lvl_embed.weight": "a table of levels",
    "pos_1LC": "absolute positions",
}
"""Variants of the reference's code that no published model is known to use, by a tell-tale key."""


def load_hart(path: Path) -> Hart:
    """The model in a folder of either layout, in float32 on the CPU.

    A copy of the published text encoder beside the folder is used instead of the hub's.
    Raises CheckpointError if something is missing, broken, superfluous, or an unsupported variant.
    """
    config = _read_config(path)
    with torch.device("meta"):
        hart = build_hart(config)
    for name, module in hart.modules().items():
        _fill(module, path / name)
    if config.text.encoder == "qwen2":
        hart = replace(hart, text=_published_text(config, path))
    logger.info("loaded HART %s from %s", config.name, path)
    return hart


def _published_text(config: HartConfig, path: Path) -> Qwen2TextEncoder:
    """The language model beside the weights, or from the hub, behind the user's `SYSTEM_FILE`."""
    beside = path.parent / Path(config.text.model).name
    model = str(beside) if beside.is_dir() else config.text.model
    system = path / SYSTEM_FILE
    prompt = system.read_text(encoding="utf-8") if system.is_file() else ""
    if not prompt:
        logger.warning("%s is missing: prompts go without their system prompt", system)
    return Qwen2TextEncoder(model, config.transformer.context_token, prompt)


def save_hart(hart: Hart, path: Path, dtype: torch.dtype = torch.float32) -> None:
    """Write a model in our layout; float16 halves the files, and loading gives float32 again."""
    for name, module in hart.modules().items():
        folder = path / name
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {
            key: tensor.detach().cpu().to(dtype).contiguous()
            for key, tensor in module.state_dict().items()
        }
        save_file(tensors, folder / "model.safetensors")
    text = json.dumps(hart.config.to_dict(), indent=1) + "\n"
    (path / "config.json").write_text(text, encoding="utf-8")


def _read_config(path: Path) -> HartConfig:
    own = path / "config.json"
    try:
        if own.is_file():
            return HartConfig.from_dict(_read_json(own))
        return HartConfig.from_published(
            _read_json(path / "llm" / "config.json"), _read_json(path / "tokenizer" / "config.json")
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: config.json does not describe a model: {error}") from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} is missing") from error
    return content


def _fill(module: nn.Module, folder: Path) -> None:
    """Give a module, built without memory, the tensors of a folder."""
    tensors: dict[str, Tensor] = {}
    for file in _weight_files(folder):
        tensors.update(_read_tensors(file))
    for key, variant in UNSUPPORTED.items():
        if key in tensors:
            raise CheckpointError(f"{folder}: a model with {variant} is not supported ('{key}')")
    _require_fit(folder, module.state_dict(), tensors)
    floats = {key: tensor.to(torch.float32) for key, tensor in tensors.items()}
    module.load_state_dict(floats, assign=True)


def _weight_files(folder: Path) -> list[Path]:
    for name in WEIGHT_FILES:
        if (folder / name).is_file():
            return [folder / name]
    for name in INDEX_FILES:
        if (folder / name).is_file():
            shards = _read_json(folder / name)["weight_map"].values()
            return [folder / shard for shard in sorted(set(shards))]
    raise CheckpointError(f"{folder}: no weights; one of {', '.join(WEIGHT_FILES)} is needed")


def _read_tensors(file: Path) -> dict[str, Tensor]:
    read = _read_safetensors if file.suffix == ".safetensors" else _read_pickle
    try:
        return read(file, lambda key: not IGNORED.fullmatch(key))
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, SafetensorError) as error:
        raise CheckpointError(f"{file}: not readable as weights: {error}") from error


def _read_safetensors(file: Path, wanted: Callable[[str], bool]) -> dict[str, Tensor]:
    with safe_open(file, framework="pt") as source:
        keys = filter(wanted, source.keys())
        return {key: source.get_tensor(key) for key in keys}


def _read_pickle(file: Path, wanted: Callable[[str], bool]) -> dict[str, Tensor]:
    # Mapped, so that the ignored tensors, hundreds of megabytes, are never read.
    content = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    return {key: tensor for key, tensor in content.items() if wanted(key)}


def _require_fit(folder: Path, need: Mapping[str, Tensor], have: Mapping[str, Tensor]) -> None:
    problems = []
    missing = [key for key in need if key not in have]
    unknown = [key for key in have if key not in need]
    misshaped = [key for key in need if key in have and have[key].shape != need[key].shape]
    if missing:
        problems.append(f"{len(missing)} tensors missing, first '{missing[0]}'")
    if unknown:
        problems.append(f"{len(unknown)} unknown, first '{unknown[0]}'")
    if misshaped:
        key = misshaped[0]
        problems.append(
            f"{len(misshaped)} of a wrong shape, first '{key}': "
            f"{tuple(have[key].shape)}, must be {tuple(need[key].shape)}"
        )
    if problems:
        raise CheckpointError(f"{folder}: {'; '.join(problems)}")
