"""Models in and out of folders: our own layout, and the published one.

Ours is `config.json` beside `llm/`, `tokenizer/` and `text/`, each with `model.safetensors`. The
published one has a `config.json` in each of `llm/` and `tokenizer/`. State-dict keys are the same.
Weights are mapped into memory and never copied, if they are float32: ours as they are, published
ones as `hartsim.hart.conversion` keeps them.
"""

import json
import logging
import pickle
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from hartsim.errors import CheckpointError
from hartsim.hart import conversion, system_prompt
from hartsim.hart.config import HartConfig, TransformerConfig
from hartsim.hart.model import Hart, build_hart
from hartsim.hart.store import writing
from hartsim.hart.text import Qwen2TextEncoder

logger = logging.getLogger(__name__)

PUBLISHED_PARTS = ("llm", "tokenizer")

# The averaged weights are what the reference generates with, so they come first.
WEIGHT_FILES = ("ema_model.bin", "model.safetensors", "pytorch_model.bin")
INDEX_FILES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")

LEVELS = "lvl_1L"
"""The scale of every token: not needed, but it tells whether `patch_nums` is right."""

ROW_SCALE = ".row_scale"
"""Ending of the tensors that say how large the steps of int8 rows are."""

IGNORED = re.compile(
    rf"{LEVELS}|attn_bias_for_masking|blocks\.\d+\.attn\.zero_k_bias"
    r"|vae\.quantize\.ema_vocab_hit_SV|vae\.decoder2\..*|vae\.post_quant_conv2\..*|disc\..*"
)
"""Tensors of published checkpoints that generation does not need."""

UNSUPPORTED = {
    r"blocks\.0\.ada_lin\..*": "AdaLN in every block",
    r"blocks\.0\.scale_shift_table": "shared AdaLN",
    r"blocks\.0\.attn\.scale_mul_1H11": "attention with L2 norm",
    r"blocks\.0\.attn\.mat_qkv\..*": "GPT-2 attention",
    r"blocks\.0\.ffn\.fc1\..*": "the GPT-2 MLP",
    r"blocks\.0\.cross_attn\..*": "cross-attention",
    r"lvl_embed\.weight": "a table of levels",
    r"pos_1LC|pos_start": "absolute positions",
}
"""Variants of the reference's code that no published model is known to use, by tell-tale keys."""


def load_hart(path: Path) -> Hart:
    """The model in a folder of either layout, in float32 on the CPU.

    Of a published model, the text encoder is the one beside the folder, if there is one there.
    Raises CheckpointError if something is missing, broken, superfluous, or an unsupported variant.
    """
    _require_model_folder(path)
    config = _read_config(path)
    with torch.device("meta"), _Unfilled():
        hart = build_hart(config)
    digests, published = {}, _is_published(path)
    for name, module in hart.modules().items():
        folder, need = path / name, module.state_dict()
        read = _published(folder, need, config) if published else _own(folder, need)
        tensors, digests[name] = read
        floats = {key: tensor.to(torch.float32) for key, tensor in tensors.items()}
        module.load_state_dict(floats, assign=True)
    hart = replace(hart, digests=digests)
    if config.text.encoder == "qwen2":
        hart = replace(hart, text=_published_text(config, path))
    logger.info("loaded HART %s from %s", config.name, path)
    return hart


def sources_of(folder: Path) -> list[Path]:
    """The files that a part of a published model is made of: configuration, index, weights."""
    for name in WEIGHT_FILES:
        if (folder / name).is_file():
            return [folder / "config.json", folder / name]
    for name in INDEX_FILES:
        if (folder / name).is_file():
            shards = _shards(folder / name)
            return [folder / "config.json", folder / name, *shards]
    raise CheckpointError(f"{folder}: no weights; one of {', '.join(WEIGHT_FILES)} is needed")


def _is_published(path: Path) -> bool:
    return (path / "llm" / "config.json").is_file()


def _published_text(config: HartConfig, path: Path) -> Qwen2TextEncoder:
    """The language model beside the weights, or of transformers' cache."""
    beside = path.parent / Path(config.text.model).name
    model = str(beside) if beside.is_dir() else config.text.model
    width, tokens = config.transformer.context_dim, config.transformer.context_token
    return Qwen2TextEncoder(model, tokens, system_prompt.find(path), width)


class _Unfilled(TorchFunctionMode):
    """Build modules without torch's default weights, whose making takes seconds to prepare for."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if getattr(func, "__module__", "") == nn.init.__name__:
            return kwargs["tensor"] if kwargs else args[0]
        return func(*args, **(kwargs or {}))


def save_hart(hart: Hart, path: Path, dtype: torch.dtype = torch.float32) -> None:
    """Write a model in our layout; loading gives float32 again.

    float16 halves the files. int8 quarters them: of matrices and convolutions each row is stored in
    255 steps of its own size, under the tensor's name with `.row_scale` for the steps.
    """
    for name, module in hart.modules().items():
        folder = path / name
        tensors = {key: tensor.detach().cpu() for key, tensor in module.state_dict().items()}
        if dtype == torch.int8:
            tensors = _in_steps(tensors)
        else:
            tensors = {key: tensor.to(dtype).contiguous() for key, tensor in tensors.items()}
        with writing(folder / "model.safetensors") as file:  # aside: the old one may be mapped here
            save_file(tensors, file.name)
    text = json.dumps(hart.config.to_dict(), indent=1) + "\n"
    (path / "config.json").write_text(text, encoding="utf-8")


def _in_steps(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors with two dimensions or more as int8 and float32 row scales; others as float16."""
    stored: dict[str, Tensor] = {}
    for key, tensor in tensors.items():
        if tensor.ndim < 2:
            stored[key] = tensor.half().contiguous()
            continue
        rows = tensor.float().flatten(1)
        scale = (rows.abs().amax(dim=1) / 127).clamp(min=torch.finfo(torch.float32).tiny)
        stored[key] = (rows / scale[:, None]).round().to(torch.int8).view(tensor.shape).contiguous()
        stored[key + ROW_SCALE] = scale
    return stored


def _from_steps(folder: Path, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """What `_in_steps` stored, in float32; other tensors as they are."""
    scales = {key: tensors.pop(key) for key in list(tensors) if key.endswith(ROW_SCALE)}
    for key, scale in scales.items():
        steps = tensors.get(key.removesuffix(ROW_SCALE))
        if steps is None or steps.dtype != torch.int8 or len(steps) != len(scale):
            raise CheckpointError(
                f"{folder}: '{key}' has no int8 tensor of {len(scale)} rows beside it"
            )
        full = steps.float().flatten(1) * scale[:, None]
        tensors[key.removesuffix(ROW_SCALE)] = full.view(steps.shape)
    return tensors


def _require_model_folder(path: Path) -> None:
    if not path.exists():
        raise CheckpointError(f"{path}: no such folder")
    if not path.is_dir():
        raise CheckpointError(f"{path}: is a file; name the folder of a model")
    parts = [path, *(path / part for part in PUBLISHED_PARTS)]
    if not any((folder / "config.json").exists() for folder in parts):
        raise CheckpointError(
            f"{path}: holds no model; expected are llm/ and tokenizer/ as published, "
            "or config.json beside llm/, tokenizer/ and text/"
        )


def read_config(file: Path) -> HartConfig:
    """A model's configuration from a file like the `config.json` that `save_hart` writes."""
    try:
        return HartConfig.from_dict(_read_json(file))
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{file}: does not describe a model: {error}") from error


def _read_config(path: Path) -> HartConfig:
    own = path / "config.json"
    try:
        if own.is_file() and not _is_published(path):
            return _own_config(_read_json(own), path)
        return HartConfig.from_published(
            *(_read_json(path / part / "config.json") for part in PUBLISHED_PARTS)
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: config.json does not describe a model: {error}") from error


def _own_config(fields: Mapping[str, Any], path: Path) -> HartConfig:
    if "model_type" in fields:  # the reference's own scripts want that folder
        raise CheckpointError(
            f"{path}: a part of a model; name the folder that holds {' and '.join(PUBLISHED_PARTS)}"
        )
    return HartConfig.from_dict(fields)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} is missing") from error
    if not isinstance(content, dict):
        raise ValueError(f"it holds {type(content).__name__}, not an object")
    return content


Read = tuple[dict[str, Tensor], str]
"""Tensors, and `conversion.digest_of` them."""


def _own(folder: Path, need: Mapping[str, Tensor]) -> Read:
    """The tensors of a part in our layout, looked through at every load."""
    tensors = _from_steps(folder, _needed(_read_all(sources_of(folder)[1:])))
    _require_fit(folder, need, tensors)
    return tensors, conversion.look_through(folder, tensors)


def _published(folder: Path, need: Mapping[str, Tensor], config: HartConfig) -> Read:
    """The tensors of a part as published, which are looked through once, and then kept."""
    sources = sources_of(folder)
    checked = conversion.find(sources)
    if checked is None:
        tensors = _read_all(sources[1:])
        _require_supported(folder, tensors)
        _require_levels(folder, tensors, config.transformer)
        tensors = _needed(tensors)
        _require_fit(folder, need, tensors)
        checked = conversion.keep(sources, tensors)
    tensors = _needed(_read_all([checked.file]))
    _require_fit(folder, need, tensors)
    return tensors, checked.digest


def _needed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key: tensor for key, tensor in tensors.items() if not IGNORED.fullmatch(key)}


def _shards(index: Path) -> list[Path]:
    try:
        names: dict[str, str] = _read_json(index)["weight_map"]
        return [index.parent / name for name in sorted(set(names.values()))]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{index}: not readable as a list of weights: {error}") from error


def _read_all(files: Sequence[Path]) -> dict[str, Tensor]:
    """The tensors of several files, mapped: what is not touched is never read."""
    tensors: dict[str, Tensor] = {}
    for file in files:
        if file.suffix != ".json":
            tensors.update(_read(file))
    return tensors


def _read(file: Path) -> dict[str, Tensor]:
    read = _read_safetensors if file.suffix == ".safetensors" else _read_pickle
    try:
        return read(file)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{file}: not readable as weights: it is broken, or holds other things than tensors"
        ) from error
    except (OSError, RuntimeError, EOFError, SafetensorError) as error:
        raise CheckpointError(f"{file}: not readable as weights: {error}") from error


def _read_safetensors(file: Path) -> dict[str, Tensor]:
    with safe_open(file, framework="pt") as source:
        return {key: source.get_tensor(key) for key in list(source.keys())}


def _read_pickle(file: Path) -> dict[str, Tensor]:
    mapped = zipfile.is_zipfile(file)  # files of before torch 1.6 are not
    content = torch.load(file, map_location="cpu", weights_only=True, mmap=mapped)
    if not isinstance(content, dict) or not all(isinstance(t, Tensor) for t in content.values()):
        raise CheckpointError(f"{file}: holds something else than named tensors")
    return content


def _require_supported(folder: Path, tensors: Mapping[str, Tensor]) -> None:
    for pattern, variant in UNSUPPORTED.items():
        for key in tensors:
            if re.fullmatch(pattern, key):
                raise CheckpointError(
                    f"{folder}: a model with {variant} is not supported ('{key}')"
                )


def _require_levels(folder: Path, tensors: Mapping[str, Tensor], config: TransformerConfig) -> None:
    """No weight has the shape of `patch_nums`, so only this would tell that they are wrong."""
    if LEVELS not in tensors:
        return
    _, counts = torch.unique_consecutive(tensors[LEVELS], return_counts=True)
    tokens = counts.tolist()
    expected = [config.context_token, *(side * side for side in config.patch_nums[1:])]
    if tokens != expected:
        raise CheckpointError(
            f"{folder}: config.json asks for {expected} tokens at its scales, the weights were "
            f"trained with {tokens}"
        )


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
