"""Text encoders: prompts in, the context tokens' states out.

`Qwen2TextEncoder` is the published model's, `HashTextEncoder` our own small one, which is trained
together with the transformer.
"""

import functools
import logging
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hartsim.errors import CheckpointError
from hartsim.hart.config import HartConfig
from hartsim.hart.layers import Block, RMSNorm

logger = logging.getLogger(__name__)

WORD = re.compile(r"\w+")
GRAM_LENGTHS = (3, 4, 5)
PADDING = 0


@dataclass(frozen=True)
class Context:
    """What the transformer sees of B prompts: padded to n = `context_token` positions."""

    states: Tensor
    """Float32 (B, n, D); the states of padding are used, too."""
    position_ids: Tensor
    """Integers (B, n): 0, 1, ... up to the last real token, then that token's again."""


def positions_of(real: Tensor) -> Tensor:
    """Positions (B, n) of tokens that are `real` or padding, which stays where the last one was."""
    return real.cumsum(dim=1) - 1


class TextEncoder(Protocol):
    """Anything that turns prompts into a context."""

    def encode(self, prompts: Sequence[str]) -> Context:
        """The context of B prompts."""
        ...

    def to(self, device: torch.device) -> Any:
        """Move to a device, in place."""
        ...


class HashTextEncoder(nn.Module):
    """Words as means of hashed character n-grams (fastText, arXiv 1607.04606), then a transformer.

    Spelling variants and unseen words share n-grams with known ones, and no vocabulary is needed.
    """

    def __init__(self, config: HartConfig) -> None:
        super().__init__()
        text, width = config.text, config.transformer.context_dim
        self.config = text
        self.tokens = config.transformer.context_token
        self.embedding = nn.Embedding(text.buckets + 1, width, padding_idx=PADDING)
        self.positions = nn.Parameter(torch.zeros(self.tokens, width))
        self.blocks = nn.ModuleList(
            Block(width, text.num_heads, 4 * width, config.transformer.norm_eps)
            for _ in range(text.depth)
        )
        self.norm = RMSNorm(width, config.transformer.norm_eps)

    def token_ids(self, prompts: Sequence[str]) -> Tensor:
        """Table rows of each word's n-grams, int32 (B, n, grams per word), 0 for padding.

        Words beyond n are cut; so are the longest n-grams of very long words.
        """
        ids = np.zeros((len(prompts), self.tokens, self.config.grams_per_word), np.int32)
        for row, prompt in zip(ids, prompts, strict=True):
            words = WORD.findall(prompt.lower())
            if len(words) > self.tokens:
                _warn_of_cut(prompt, self.tokens)
            for i, word in enumerate(words[: self.tokens]):
                row[i] = _gram_ids(word, self.config.buckets, self.config.grams_per_word)
        return torch.from_numpy(ids)

    def forward(self, ids: Tensor) -> Context:
        """The context of `token_ids`."""
        real = ids[..., 0] != PADDING
        words = functional.embedding_bag(
            ids.flatten(0, 1), self.embedding.weight, mode="mean", padding_idx=PADDING
        )
        x = words.view(*ids.shape[:2], -1) + self.positions
        seen = real.clone()
        seen[:, 0] = True  # an empty prompt needs something to attend to
        for block in self.blocks:
            x = block(x, mask=seen[:, None, None])
        return Context(self.norm(x), positions_of(real).clamp(min=0))

    def encode(self, prompts: Sequence[str]) -> Context:
        """The context of B prompts."""
        context: Context = self(self.token_ids(prompts).to(self.positions.device))
        return context


class Qwen2TextEncoder:
    """The published encoder: last hidden states of a Qwen2 language model, which stays frozen.

    `model` is a folder or hub name, read at the first prompt; CheckpointError says if it is missing
    there or if the `transformers` library is. The published transformer was trained on prompts
    behind a fixed `system_prompt`, which is its authors' and does not ship with hartsim; without it
    pictures follow their prompts less well.
    """

    def __init__(self, model: str, tokens: int, system_prompt: str = "") -> None:
        self.name = model
        self.tokens = tokens
        self.system_prompt = system_prompt
        self.device = torch.device("cpu")

    def to(self, device: torch.device) -> "Qwen2TextEncoder":
        """Choose the device; takes effect at the next prompt."""
        self.device = device
        return self

    @torch.no_grad()
    def encode(self, prompts: Sequence[str]) -> Context:
        """The context of B prompts, each behind the system prompt, whose own states are dropped."""
        tokenizer, model = self._loaded
        cut = {"truncation": True, "max_length": self.tokens, "return_tensors": "pt"}
        ids = tokenizer(list(prompts), padding="max_length", **cut).input_ids
        system = ids[:, :0]
        if self.system_prompt:
            system = tokenizer(self.system_prompt, **cut).input_ids.expand(len(prompts), -1)
        real = ids != tokenizer.pad_token_id
        seen = torch.cat([torch.ones_like(system), real.long()], dim=1)
        out = model.to(self.device)(
            input_ids=torch.cat([system, ids], dim=1).to(self.device),
            attention_mask=seen.to(self.device),
        )
        # States at padding are kept on purpose: the transformer was trained on them.
        states = out.last_hidden_state[:, system.shape[1] :].float()
        return Context(states, positions_of(real).to(self.device))

    @functools.cached_property
    def _loaded(self) -> tuple[Any, Any]:
        try:
            from transformers import AutoModel, AutoTokenizer
        except ImportError as error:
            raise CheckpointError(
                "the published text encoder needs the transformers library: "
                'pip install "hartsim[weights]"'
            ) from error
        try:
            model = AutoModel.from_pretrained(self.name).float().eval()
            return AutoTokenizer.from_pretrained(self.name), model
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{self.name}: no Qwen2 text encoder there ({error})") from error


@functools.lru_cache(maxsize=1024)  # once per prompt
def _warn_of_cut(prompt: str, tokens: int) -> None:
    logger.warning("only the first %d words are read of %r", tokens, prompt)


@functools.lru_cache(maxsize=65536)
def _gram_ids(word: str, buckets: int, limit: int) -> NDArray[np.int32]:
    marked = f"<{word}>"
    grams = [word] + [
        marked[i : i + length] for length in GRAM_LENGTHS for i in range(len(marked) - length + 1)
    ]
    ids = np.full(limit, PADDING, np.int32)
    hashed = [zlib.crc32(gram.encode()) % buckets + 1 for gram in grams[:limit]]
    ids[: len(hashed)] = hashed
    return ids
