"""Text encoders: prompts in, the context tokens' states out.

`Qwen2TextEncoder` is the published model's, `HashTextEncoder` our own small one, which is trained
together with the transformer.
"""

import copy
import functools
import hashlib
import itertools
import logging
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hartsim.errors import CheckpointError
from hartsim.hart.config import HartConfig
from hartsim.hart.layers import Block, RMSNorm
from hartsim.hart.store import sha256_of

logger = logging.getLogger(__name__)

WORD = re.compile(r"\w+")
GRAM_LENGTHS = (3, 4, 5)
PADDING = 0

SHOWN = 300
"""Characters of the rest of a long prompt that a warning shows."""

FILES_OF_QWEN2 = (".safetensors", ".bin", ".json", ".txt")
"""Suffixes of the files that decide what the language model makes of a prompt."""


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
    `meanings`, if the configuration has it, is not learned here: it comes from `tools/meanings.py`,
    and brings words that no picture was learned by near to others of like meaning.
    """

    def __init__(self, config: HartConfig) -> None:
        super().__init__()
        text, width = config.text, config.transformer.context_dim
        self.config = text
        self.tokens = config.transformer.context_token
        self.embedding = nn.Embedding(text.buckets + 1, width, padding_idx=PADDING)
        self.meaning_embed: nn.Linear | None = None
        if text.meaning_dim:
            rows = torch.zeros(text.meaning_buckets + 1, text.meaning_dim)
            self.meanings = nn.Buffer(rows)
            self.meaning_embed = nn.Linear(text.meaning_dim, width, bias=False)
        self.positions = nn.Parameter(torch.zeros(self.tokens, width))
        self.blocks = nn.ModuleList(
            Block(width, text.num_heads, 4 * width, config.transformer.norm_eps)
            for _ in range(text.depth)
        )
        self.norm = RMSNorm(width, config.transformer.norm_eps)

    def token_ids(self, prompts: Sequence[str]) -> Tensor:
        """Table rows of each word's n-grams, int32 (B, n, grams per word), 0 for padding.

        They are rows of the larger table, where there are two. Words beyond n are cut; so are the
        longest n-grams of very long words.
        """
        _require_texts(prompts)
        ids = np.zeros((len(prompts), self.tokens, self.config.grams_per_word), np.int32)
        for row, prompt in zip(ids, prompts, strict=True):
            words = WORD.findall(prompt.lower())
            if len(words) > self.tokens:
                _warn_of_cut(f"{self.tokens} words", " ".join(words[self.tokens :]))
            for i, word in enumerate(words[: self.tokens]):
                row[i] = gram_ids(word, self._rows, self.config.grams_per_word)
        return torch.from_numpy(ids)

    def forward(self, ids: Tensor) -> Context:
        """The context of `token_ids`."""
        real = ids[..., 0] != PADDING
        words = mean_rows(_wrapped(ids, self.config.buckets), self.embedding.weight)
        if self.meaning_embed is not None:
            words = words + self.meaning_embed(mean_rows(ids, self.meanings))
        x = words + self.positions
        seen = real.clone()
        seen[:, 0] = True  # an empty prompt needs something to attend to
        for block in self.blocks:
            x = block(x, mask=seen[:, None, None])
        return Context(self.norm(x), positions_of(real).clamp(min=0))

    @property
    def _rows(self) -> int:
        text = self.config
        return text.meaning_buckets if text.meaning_dim else text.buckets

    def encode(self, prompts: Sequence[str]) -> Context:
        """The context of B prompts."""
        context: Context = self(self.token_ids(prompts).to(self.positions.device))
        return context


def mean_rows(ids: Tensor, table: Tensor) -> Tensor:
    """Means (B, n, C) of the rows of a table (V, C) with these ids (B, n, K), padding left out."""
    flat = functional.embedding_bag(ids.flatten(0, 1), table, mode="mean", padding_idx=PADDING)
    return flat.view(*ids.shape[:2], -1)


def _wrapped(ids: Tensor, buckets: int) -> Tensor:
    """Rows of a larger table as those of a smaller one, with `buckets` rows that divide its own."""
    return torch.where(ids == PADDING, ids, (ids - 1) % buckets + 1)


class Qwen2TextEncoder:
    """The published encoder: last hidden states of a Qwen2 language model, which stays frozen.

    `model` is a folder, or a hub name that is looked up in the cache of `transformers` alone; it is
    read at the first prompt, and CheckpointError says if it is missing, incomplete, or of another
    `width`, or if the `transformers` library is missing. The published transformer was trained on
    prompts behind a fixed `system_prompt`, which is its authors' and does not ship with hartsim;
    without it pictures follow their prompts less well.
    """

    def __init__(
        self, model: str, tokens: int, system_prompt: str = "", width: int | None = None
    ) -> None:
        self.name = model
        self.dtype = torch.float32
        self.tokens = tokens
        self.system_prompt = system_prompt
        self.width = width
        self.device = torch.device("cpu")
        self._read_before: Any = None

    def to(self, device: torch.device) -> "Qwen2TextEncoder":
        """Choose the device; takes effect at the next prompt."""
        self.device = device
        self._read_before = None
        return self

    @functools.cached_property
    def fingerprint(self) -> str:
        """Hexadecimal digits that change with the system prompt or a file of the language model."""
        digest = hashlib.sha256(f"{self.tokens} {self.system_prompt}".encode())
        if not Path(self.name).is_dir():  # nothing to read yet: its name is all that is known
            digest.update(self.name.encode())
        for file in sorted(Path(self.name).glob("*")):
            if file.suffix in FILES_OF_QWEN2:
                digest.update(f"{file.name} {sha256_of(file)}".encode())
        return digest.hexdigest()

    @torch.no_grad()
    def encode(self, prompts: Sequence[str]) -> Context:
        """The context of B prompts, each behind the system prompt, whose own states are dropped."""
        tokenizer, model = self._loaded
        ids = self._token_ids(prompts)
        real = ids != tokenizer.pad_token_id
        memory = self._memory(len(ids))
        seen = functional.pad(real, (memory.get_seq_length(), 0), value=True)
        seen[:, 0] |= ~seen.any(dim=1)  # an empty prompt needs something to attend to
        # By position: the name of the fourth argument depends on the version of transformers.
        out = model(ids.to(self.device), seen.long().to(self.device), None, memory)
        # States at padding are kept on purpose: the transformer was trained on them.
        return Context(out.last_hidden_state.float(), positions_of(real).to(self.device))

    def _token_ids(self, prompts: Sequence[str]) -> Tensor:
        """Ids (B, n) of prompts, padded and cut to n tokens; what is cut off is logged."""
        _require_texts(prompts)
        tokenizer, _ = self._loaded
        read = tokenizer(
            list(prompts),
            padding="max_length",
            truncation=True,
            max_length=self.tokens,
            return_offsets_mapping=True,
            return_tensors="pt",
        )
        ends = read.offset_mapping[..., 1].amax(dim=1).tolist()
        full = (read.input_ids != tokenizer.pad_token_id).all(dim=1).tolist()
        for prompt, end in itertools.compress(zip(prompts, ends, strict=True), full):
            if dropped := prompt[end:].strip():
                _warn_of_cut(f"{self.tokens} tokens", dropped)
        ids: Tensor = read.input_ids
        return ids

    def _memory(self, rows: int) -> Any:
        """What the model remembers of reading the system prompt, once for each of the rows.

        It is a copy, to be written to. The prompt is read once; what follows does not change that.
        """
        tokenizer, model = self._loaded
        if self._read_before is None:
            from transformers import DynamicCache

            memory = DynamicCache(config=model.to(self.device).config)
            if self.system_prompt:
                cut = {"truncation": True, "max_length": self.tokens, "return_tensors": "pt"}
                ids = tokenizer(self.system_prompt, **cut).input_ids.to(self.device)
                model(ids, None, None, memory)
            self._read_before = memory
        memory = copy.deepcopy(self._read_before)
        memory.batch_repeat_interleave(rows)
        return memory

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
            tokenizer = AutoTokenizer.from_pretrained(self.name, local_files_only=True)
            model, found = AutoModel.from_pretrained(
                self.name,
                local_files_only=True,
                attn_implementation="sdpa",  # flash attention would leave out states at padding
                dtype=self.dtype,
                output_loading_info=True,
            )
        except Exception as error:  # a library that raises whatever its own libraries do
            (reason, *_) = str(error).splitlines() or [type(error).__name__]
            raise CheckpointError(
                f"{self.name}: no Qwen2 text encoder; to bring it: hartsim weights pull ({reason})"
            ) from error
        self._require_whole(tokenizer, model, found)
        return tokenizer, model.eval()

    def _require_whole(self, tokenizer: Any, model: Any, found: Mapping[str, Any]) -> None:
        if missing := sorted(found["missing_keys"]):
            raise CheckpointError(
                f"{self.name}: {len(missing)} tensors missing, first '{missing[0]}'"
            )
        width = model.config.hidden_size
        if self.width not in (None, width):
            raise CheckpointError(
                f"{self.name}: its states have {width} channels, not {self.width}"
            )
        if tokenizer.pad_token_id is None:
            raise CheckpointError(f"{self.name}: its tokenizer has no token for padding")


def _require_texts(prompts: Sequence[str]) -> None:
    if isinstance(prompts, str):
        raise TypeError(f"prompts is {prompts!r}, must be a list of texts")
    for index, prompt in enumerate(prompts):
        if not isinstance(prompt, str):
            raise TypeError(f"prompt {index} is {prompt!r}, must be a text")


def _warn_of_cut(kept: str, dropped: str) -> None:
    shown = dropped if len(dropped) <= SHOWN else f"{dropped[:SHOWN]}…"
    _warn_once(f"only the first {kept} of a prompt are read; left out: {shown}")


@functools.lru_cache(maxsize=1024)
def _warn_once(message: str) -> None:
    logger.warning("%s", message)


@functools.lru_cache(maxsize=65536)
def gram_ids(word: str, buckets: int, limit: int) -> NDArray[np.int32]:
    """Rows of a word's n-grams in a table of `buckets`, padded and cut to `limit`; it is first."""
    marked = f"<{word}>"
    grams = (
        marked[i : i + length] for length in GRAM_LENGTHS for i in range(len(marked) - length + 1)
    )
    read = itertools.islice(itertools.chain([word], grams), limit)
    ids = np.full(limit, PADDING, np.int32)
    hashed = [zlib.crc32(gram.encode()) % buckets + 1 for gram in read]
    ids[: len(hashed)] = hashed
    return ids
