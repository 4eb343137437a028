"""A whole HART model: text encoder, transformer and tokenizer."""

import functools
import hashlib
import json
from dataclasses import dataclass

import torch
from torch import nn

from hartsim.hart.config import HartConfig
from hartsim.hart.text import HashTextEncoder, Qwen2TextEncoder, TextEncoder
from hartsim.hart.tokenizer import Tokenizer
from hartsim.hart.transformer import HartTransformer, init_transformer


@dataclass(frozen=True, eq=False)
class Hart:
    """The parts of one model, on one device."""

    config: HartConfig
    text: TextEncoder
    transformer: HartTransformer
    tokenizer: Tokenizer

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.transformer.head.weight.device

    def to(self, device: torch.device) -> "Hart":
        """Move all parts, in place."""
        for part in (self.text, self.transformer, self.tokenizer):
            part.to(device)
        return self

    def modules(self) -> dict[str, nn.Module]:
        """The parts that have weights of their own, by the name of their checkpoint folder."""
        parts: dict[str, nn.Module] = {"llm": self.transformer, "tokenizer": self.tokenizer}
        if isinstance(self.text, nn.Module):
            parts["text"] = self.text
        return parts

    @functools.cached_property
    def weights_hash(self) -> str:
        """Sixteen hexadecimal digits that change with any weight or field of the configuration."""
        digest = hashlib.sha256(json.dumps(self.config.to_dict(), sort_keys=True).encode())
        for part, module in self.modules().items():
            for name, tensor in sorted(module.state_dict().items()):
                digest.update(f"{part}.{name}".encode())
                digest.update(memoryview(tensor.contiguous().cpu().numpy()).cast("B"))
        return digest.hexdigest()[:16]


def new_hart(config: HartConfig, seed: int) -> Hart:
    """A model with random weights, which `seed` alone decides; for training and tests."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        hart = build_hart(config)
        init_transformer(hart.transformer)
    return hart


def build_hart(config: HartConfig) -> Hart:
    """The modules of a configuration, with torch's default weights, on torch's default device."""
    if config.text.encoder == "hash":
        text: TextEncoder = HashTextEncoder(config)
    else:
        text = Qwen2TextEncoder(config.text.model, config.transformer.context_token)
    tokenizer = Tokenizer(config.tokenizer, config.transformer.patch_nums)
    return Hart(config, text, HartTransformer(config), tokenizer)
