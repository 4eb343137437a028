"""What a HART model is made of: sizes of the transformer, the tokenizer and the text encoder.

Field names are those of the published `llm/config.json` and `tokenizer/config.json`, and defaults
are the published 0.7B model at 1024 px (arXiv 2410.10812). Fields that the published models lack
have defaults that leave the published architecture as it is.
"""

import dataclasses
import functools
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hartsim.types import CLASSES

PATCH_NUMS_1024 = (1, 2, 3, 4, 5, 7, 9, 12, 16, 21, 27, 36, 48, 64)

LEAST_STEPS: Mapping[str, int] = {"iddpm": 2, "flow": 1}
"""Of each process of the residual head."""

Grid = tuple[int, int]
"""Rows and columns of tokens."""


@dataclass(frozen=True)
class TransformerConfig:
    """The autoregressive transformer and its residual-diffusion head."""

    context_token: int = 300
    """Text positions at the start of every sequence."""
    context_dim: int = 1536
    """Width of the text encoder's states."""
    depth: int = 24
    embed_dim: int = 1536
    num_heads: int = 24
    mlp_ratio: float = 4.0
    norm_eps: float = 1e-6
    patch_nums: tuple[int, ...] = PATCH_NUMS_1024
    """Side of the token grid at each scale, coarse to fine."""
    diff_width: int = 1024
    diff_depth: int = 6
    diff_process: Literal["iddpm", "flow"] = "iddpm"
    """How the head makes residuals of noise: the published diffusion, or rectified flow, which
    needs fewer steps."""
    diffusion_batch_mul: int = 4
    """Noise levels drawn per token in each training step of the head."""
    cond_drop_rate: float = 0.1
    """Share of training rows that lose their text."""
    label_classes: int = 0
    """Classes of the label maps that pictures may follow; 0 for a model that takes none."""
    label_drop_rate: float = 0.5
    """Share of training rows that lose their labels."""

    def __post_init__(self) -> None:
        _require_positive(
            self, "context_token", "context_dim", "depth", "num_heads", "diff_width", "diff_depth"
        )
        if self.embed_dim % (4 * self.num_heads) or self.embed_dim <= 0:
            raise ValueError(
                f"embed_dim is {self.embed_dim}; rotary embeddings need a multiple of "
                f"4 * num_heads = {4 * self.num_heads}"
            )
        if self.diff_process not in LEAST_STEPS:
            raise ValueError(f"diff_process is {self.diff_process!r}, must be 'iddpm' or 'flow'")
        _require_scales("patch_nums", self.patch_nums)

    @property
    def head_dim(self) -> int:
        """Channels of one attention head."""
        return self.embed_dim // self.num_heads

    @property
    def mlp_hidden(self) -> int:
        """Hidden width of the SwiGLU: two thirds of the ratio, rounded up to 256."""
        return (int(self.embed_dim * self.mlp_ratio * 2 / 3) + 255) // 256 * 256

    @property
    def image_tokens(self) -> int:
        """Input tokens of the scales after the first, which has the context as its input."""
        return sum(side * side for side in self.patch_nums[1:])


@dataclass(frozen=True)
class TokenizerConfig:
    """The hybrid tokenizer: a convolutional autoencoder and a multi-scale residual quantizer."""

    vocab_size: int = 4096
    z_channels: int = 32
    ch: int = 160
    ch_mult: tuple[int, ...] = (1, 1, 2, 2, 4)
    quant_resi: float = 0.5
    """Share of the convolution in the smoothing of upsampled codes."""
    share_quant_resi: int = 4
    """Smoothing convolutions, shared by all scales."""
    beta: float = 0.25
    """Weight of the commitment term in training."""
    v_patch_nums: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 8, 10, 13, 16)
    """The scales of the tokenizer's own training; generation uses the transformer's."""
    stem_patch: int = 1
    """Side of the pixel blocks folded into channels before the first convolution."""
    encoder_blocks: int = 2
    decoder_blocks: int = 3
    attention: bool = True
    """Self-attention at the lowest resolution."""
    norm_groups: int = 32
    decoder_ch: int = 0
    """Channels of the decoder; 0 is `ch`. Fewer are faster, and need a training of their own."""
    linear_shortcut: bool = False
    """A linear map of whole blocks of pixels beside the encoder, and one of cells to pixels beside
    the decoder."""
    finer_levels: int = 0
    """Levels with which the decoder goes on, each to twice the side. The encoder reads pictures
    that are made smaller by as much, so codes stay what they were."""

    def __post_init__(self) -> None:
        _require_positive(self, "vocab_size", "z_channels", "ch", "share_quant_resi", "stem_patch")
        _require_positive(self, "encoder_blocks", "decoder_blocks", "norm_groups")
        if not self.ch_mult or any(self.ch * mult % self.norm_groups for mult in self.ch_mult):
            raise ValueError(
                f"ch {self.ch} times ch_mult {self.ch_mult}: every level needs a multiple of "
                f"norm_groups = {self.norm_groups}"
            )
        if self.decoder_ch % self.norm_groups:
            raise ValueError(
                f"decoder_ch is {self.decoder_ch}, must be a multiple of norm_groups = "
                f"{self.norm_groups}"
            )
        if self.finer_levels < 0:
            raise ValueError(f"finer_levels is {self.finer_levels}, must be at least 0")
        _require_scales("v_patch_nums", self.v_patch_nums)

    @property
    def encoded_cell_px(self) -> int:
        """Pixels along one side of a latent cell, of the pictures that the encoder reads."""
        return int(self.stem_patch * 2 ** (len(self.ch_mult) - 1))

    @property
    def enlargement(self) -> int:
        """How many times as wide pictures are as what the encoder reads of them."""
        return int(2**self.finer_levels)

    @property
    def downsampling(self) -> int:
        """Pixels along one side of a latent cell."""
        return self.encoded_cell_px * self.enlargement


@dataclass(frozen=True)
class TextConfig:
    """The text encoder: the published language model, or our own small one."""

    encoder: Literal["qwen2", "hash"] = "qwen2"
    model: str = "mit-han-lab/Qwen2-VL-1.5B-Instruct"
    """Folder or hub name of the language model ("qwen2" only)."""
    buckets: int = 8192
    """Rows of the table that character n-grams are hashed into ("hash" only)."""
    grams_per_word: int = 32
    meaning_dim: int = 0
    """Channels of a second table of n-grams, fixed, in which words of like meaning are near each
    other ("hash" only); 0 for none."""
    meaning_buckets: int = 32768
    """Rows of that table, a multiple of `buckets`."""
    depth: int = 2
    num_heads: int = 4

    def __post_init__(self) -> None:
        if self.encoder not in ("qwen2", "hash"):
            raise ValueError(f"encoder is {self.encoder!r}, must be 'qwen2' or 'hash'")
        _require_positive(self, "buckets", "grams_per_word", "num_heads")
        if self.meaning_dim and self.meaning_buckets % self.buckets:
            raise ValueError(
                f"meaning_buckets is {self.meaning_buckets}, must be a multiple of buckets = "
                f"{self.buckets}"
            )


@dataclass(frozen=True)
class HartConfig:
    """A whole model, with the sampling choices it was made for."""

    name: str = "0.7b"
    transformer: TransformerConfig = field(default_factory=TransformerConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    text: TextConfig = field(default_factory=TextConfig)
    guidance: float = 4.5
    more_smooth: bool = True
    top_p: float = 0.0
    """Share of the probability from which codes are drawn; 0 is all of it."""
    residual_steps: int = 8
    residual_temperature: float = 1.0
    """Noise in the steps of the residual head, as a share of what it asks for."""
    choices: int = 1
    """Pictures drawn of a view, of which the one that shows best what is asked for is kept."""

    def __post_init__(self) -> None:
        least = LEAST_STEPS[self.transformer.diff_process]
        if self.residual_steps < least:
            raise ValueError(f"residual_steps is {self.residual_steps}, must be at least {least}")
        if self.text.encoder == "hash" and self.transformer.context_dim % self.text.num_heads:
            raise ValueError(
                f"context_dim is {self.transformer.context_dim}, must be a multiple of the text "
                f"encoder's num_heads = {self.text.num_heads}"
            )

    @property
    def size_px(self) -> tuple[int, int]:
        """Size (height, width) of the images that the model makes."""
        side = self.transformer.patch_nums[-1] * self.tokenizer.downsampling
        return side, side

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain data, for `config.json`."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "HartConfig":
        """The inverse of `to_dict`; a ValueError or TypeError names a field that is wrong."""
        parts = {
            "transformer": TransformerConfig(**_tuples(fields["transformer"])),
            "tokenizer": TokenizerConfig(**_tuples(fields["tokenizer"])),
            "text": TextConfig(**fields["text"]),
        }
        return cls(**{**fields, **parts})

    @classmethod
    def from_published(cls, llm: Mapping[str, Any], tokenizer: Mapping[str, Any]) -> "HartConfig":
        """Read the two published `config.json` files; what does not shape the model is ignored."""
        return cls(
            name=str(llm.get("name", "published")),
            transformer=TransformerConfig(**_known(TransformerConfig, llm)),
            tokenizer=TokenizerConfig(**_known(TokenizerConfig, tokenizer)),
            residual_steps=int(llm.get("num_sampling_steps", 8)),
        )


@functools.lru_cache(maxsize=256)
def scale_grids(patch_nums: tuple[int, ...], last: Grid) -> tuple[Grid, ...]:
    """The grid of every scale, coarse to fine, for pictures of `last` cells.

    Scales keep their shares of the picture: square pictures have the sides of `patch_nums`, others
    the nearest. ValueError for a side longer than those that the weights were trained on.
    """
    if not all(1 <= side <= patch_nums[-1] for side in last):
        raise ValueError(
            f"a picture of {last[0]} x {last[1]} tokens is asked for; the weights know "
            f"1 to {patch_nums[-1]} on a side"
        )
    shares = (last[0] / patch_nums[-1], last[1] / patch_nums[-1])
    return tuple((max(1, round(p * shares[0])), max(1, round(p * shares[1]))) for p in patch_nums)


def _require_positive(config: object, *names: str) -> None:
    for name in names:
        value = getattr(config, name)
        if value < 1:
            raise ValueError(f"{name} is {value}, must be at least 1")


def _require_scales(name: str, sides: tuple[int, ...]) -> None:
    increasing = all(a < b for a, b in itertools.pairwise(sides))
    if len(sides) < 2 or sides[0] != 1 or not increasing:
        raise ValueError(f"{name} is {sides}, must be at least two sides that grow from 1")


def _tuples(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in fields.items()}


def _known(config: type, fields: Mapping[str, Any]) -> dict[str, Any]:
    names = {f.name for f in dataclasses.fields(config)}
    return _tuples({name: value for name, value in fields.items() if name in names})


SIZES: dict[str, HartConfig] = {
    "tiny": HartConfig(
        name="tiny",
        transformer=TransformerConfig(
            context_token=64,
            context_dim=16,
            depth=2,
            embed_dim=32,
            num_heads=2,
            patch_nums=(1, 2, 3, 4),
            diff_width=32,
            diff_depth=1,
        ),
        tokenizer=TokenizerConfig(
            vocab_size=64,
            z_channels=8,
            ch=16,
            ch_mult=(1, 1, 2),
            v_patch_nums=(1, 2, 3, 4),
            stem_patch=2,
            encoder_blocks=1,
            decoder_blocks=1,
            attention=False,
            norm_groups=8,
        ),
        text=TextConfig(encoder="hash", buckets=256, depth=1, num_heads=2),
    ),
    "mini": HartConfig(
        name="mini",
        transformer=TransformerConfig(
            context_token=48,
            context_dim=160,
            depth=6,
            embed_dim=192,
            num_heads=3,
            patch_nums=(1, 2, 3, 5, 9, 16),
            diff_width=256,
            diff_depth=3,
            diffusion_batch_mul=2,
            label_classes=len(CLASSES),
        ),
        tokenizer=TokenizerConfig(
            vocab_size=2048,
            z_channels=16,
            ch=48,
            ch_mult=(1, 2),
            v_patch_nums=(1, 2, 3, 5, 9, 16),
            stem_patch=4,
            encoder_blocks=1,
            decoder_blocks=2,
            attention=False,
            norm_groups=16,
            linear_shortcut=True,
            finer_levels=1,
        ),
        text=TextConfig(encoder="hash", buckets=2048, meaning_dim=64),
        guidance=2.0,
        top_p=0.8,
        residual_steps=8,
        residual_temperature=0.2,
        choices=4,
    ),
    "0.7b": HartConfig(),
}
"""The named sizes: `tiny` for tests, `mini` our own default, `0.7b` the published one."""


def hart_config(name: str) -> HartConfig:
    """The named size; raises ValueError for a name that is not in `SIZES`."""
    if name not in SIZES:
        raise ValueError(f"no HART size is called {name!r}; there are {', '.join(SIZES)}")
    return SIZES[name]
