"""A whole HART model: text encoder, transformer and tokenizer."""

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import nn

from hartsim.hart.config import HartConfig
from hartsim.hart.conversion import digest_of
from hartsim.hart.text import HashTextEncoder, Qwen2TextEncoder, TextEncoder
from hartsim.hart.tokenizer import Tokenizer
from hartsim.hart.transformer import HartTransformer, Nothing, init_transformer


@dataclass(frozen=True, eq=False)
class Hart:
    """The parts of one model, on one device."""

    config: HartConfig
    text: TextEncoder
    transformer: HartTransformer
    tokenizer: Tokenizer
    precision: str = "fp32"
    """What its layers compute in, see `prepared`."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """What is known of the parts' weights by `digest_of`, from when they were checked."""

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.transformer.like.device

    def to(self, device: torch.device) -> "Hart":
        """Move all parts, in place."""
        for part in (self.text, self.transformer, self.tokenizer):
            part.to(device)
        self.__dict__.pop("nothing", None)
        return self

    @functools.cached_property
    def nothing(self) -> Nothing:
        """The null context as these weights read it; asked for once they no longer change."""
        return self.transformer.read_nothing()

    def modules(self) -> dict[str, nn.Module]:
        """The parts that have weights of their own, by the name of their checkpoint folder."""
        parts: dict[str, nn.Module] = {"llm": self.transformer, "tokenizer": self.tokenizer}
        if isinstance(self.text, nn.Module):
            parts["text"] = self.text
        return parts

    @functools.cached_property
    def weights_hash(self) -> str:
        """Sixteen hexadecimal digits that change with any weight or field of the configuration.

        They are those of the weights as they were loaded, or else as they are when first asked for.
        """
        digest = hashlib.sha256(json.dumps(self.config.to_dict(), sort_keys=True).encode())
        for part, module in self.modules().items():
            known = self.digests.get(part) or digest_of(module.state_dict())
            digest.update(f"{part} {known}".encode())
        if isinstance(self.text, Qwen2TextEncoder):
            digest.update(self.text.fingerprint.encode())
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
