"""What a picture costs, in closed forms: arithmetic, and the memory that must be read for it.

A MAC is one multiplication with its addition and counts as 2 FLOP. Products of matrices and
convolutions are counted; norms, softmax, sampling and resizing are not, as is usual. Two counts of
the same mathematics: the reference's way (arXiv 2410.10812 and its code), and ours, which leaves
out what has no effect on the picture:

* the null context is the same for all pictures: read once for the weights, not once per picture;
* its tokens are all equal, so that one key stands for them all;
* codes are predicted where one is drawn, not at every context token;
* one embedded level, timestep or condition serves all tokens and steps that share it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from hartsim.hart.config import HartConfig, TokenizerConfig, TransformerConfig

Way = Literal["ours", "reference"]

FLOP_PER_MAC = 2
SINUSOIDS = 256
"""Channels of the embedding of levels and timesteps before its first layer."""

UNQUANTISED = frozenset({"attention", "smoothing", "decoder"})
"""Parts that are no products with a matrix of weights, and stay in floating point."""


@dataclass(frozen=True)
class Cost:
    """What one stage of drawing a batch takes."""

    stage: str
    macs: Mapping[str, int]
    """By part: blocks, attention, head, levels, context, words, smoothing, condition, residual,
    decoder, text."""
    weights: int = 0
    """Numbers read as weights, once for each time that the whole batch passes them."""
    cached: int = 0
    """Keys and values that attention reads, as a count of numbers."""

    @property
    def flops(self) -> int:
        """All of its arithmetic."""
        return FLOP_PER_MAC * sum(self.macs.values())

    @property
    def linear_flops(self) -> int:
        """The share that is products with matrices of weights."""
        kept = (macs for part, macs in self.macs.items() if part not in UNQUANTISED)
        return FLOP_PER_MAC * sum(kept)


def drawing_cost(
    config: HartConfig, batch: int = 1, guided: bool = True, way: Way = "ours"
) -> list[Cost]:
    """The stages of drawing `batch` pictures: text, every scale, residual, decoding.

    The text stage is that of our own encoder, and free with a language model's, which is not ours.
    """
    scales = _our_scales if way == "ours" else _reference_scales
    residual = _our_residual if way == "ours" else _reference_residual
    side = config.transformer.patch_nums[-1]
    weights = sum(each for each, _ in _decoder_layers(config.tokenizer, side))
    return [
        _text(config, batch),
        *scales(config, batch, guided),
        residual(config, batch, guided),
        Cost("decode", {"decoder": batch * decoder_macs(config.tokenizer, side)}, weights),
    ]


def total_macs(costs: list[Cost], *parts: str) -> int:
    """The sum over stages, of the named parts or of all."""
    return sum(
        macs for cost in costs for part, macs in cost.macs.items() if not parts or part in parts
    )


def block_weights(config: TransformerConfig) -> int:
    """Weights of all blocks: four square projections and a SwiGLU in each."""
    channels = config.embed_dim
    return config.depth * (4 * channels**2 + 3 * channels * config.mlp_hidden)


def attention_macs(config: TransformerConfig, pairs: int) -> int:
    """Scores and mixtures of all layers for that many pairs of a query and a key."""
    return config.depth * 2 * pairs * config.embed_dim


def decoder_macs(config: TokenizerConfig, side: int) -> int:
    """Decoding one latent of side x side cells, as `Tokenizer.decode` does it."""
    attended = config.decoder_blocks + 1 if config.attention else 0
    pairs = side**4
    mixing = attended * 2 * pairs * config.ch * config.ch_mult[-1]
    return mixing + sum(weights * cells for weights, cells in _decoder_layers(config, side))


def scale_name(side: int) -> str:
    """What the stage of a scale is called."""
    return f"{side}x{side}"


def _reference_scales(config: HartConfig, batch: int, guided: bool) -> Iterator[Cost]:
    c, rows = config.transformer, batch * (1 + guided)
    head, modulation = c.embed_dim * config.tokenizer.vocab_size, 2 * c.embed_dim**2
    seen = 0
    for scale, side in enumerate(c.patch_nums):
        tokens = side**2 if scale else c.context_token
        seen += tokens
        macs = {
            "blocks": rows * tokens * block_weights(c),
            "attention": attention_macs(c, rows * tokens * seen),
            "head": rows * (tokens * head + modulation),
        }
        if scale:
            macs["words"] = rows * tokens * config.tokenizer.z_channels * c.embed_dim
        else:
            macs["context"] = rows * tokens * c.context_dim * c.embed_dim
            macs["levels"] = (c.context_token + c.image_tokens) * _sinusoid_weights(c.embed_dim)
        macs["smoothing"] = batch * _smoothing_macs(config, side)
        cached = c.depth * 2 * c.embed_dim * rows * seen
        yield Cost(scale_name(side), macs, block_weights(c) + head, cached)


def _our_scales(config: HartConfig, batch: int, guided: bool) -> Iterator[Cost]:
    c, rows = config.transformer, batch * (1 + guided)
    head, modulation = c.embed_dim * config.tokenizer.vocab_size, 2 * c.embed_dim**2
    levels, start = _sinusoid_weights(c.embed_dim), c.context_dim * c.embed_dim
    per_key = c.depth * 2 * c.embed_dim
    yield Cost(
        scale_name(c.patch_nums[0]),
        {
            "blocks": batch * c.context_token * block_weights(c),
            "attention": attention_macs(c, batch * c.context_token**2),
            "head": batch * (head + modulation),
            "context": batch * c.context_token * start,
            "levels": len(c.patch_nums) * levels,
            "smoothing": batch * _smoothing_macs(config, c.patch_nums[0]),
        },
        block_weights(c) + head + modulation + start + levels,
        batch * c.context_token * per_key,
    )
    seen, seen_by_null = c.context_token, 1
    for side in c.patch_nums[1:]:
        tokens = side**2
        seen, seen_by_null = seen + tokens, seen_by_null + tokens
        keys = batch * (seen + (seen_by_null if guided else 0))
        macs = {
            "blocks": rows * tokens * block_weights(c),
            "attention": attention_macs(c, tokens * keys),
            "head": rows * tokens * head,
            "words": batch * tokens * config.tokenizer.z_channels * c.embed_dim,
            "smoothing": batch * _smoothing_macs(config, side),
        }
        yield Cost(scale_name(side), macs, block_weights(c) + head, keys * per_key)


def _reference_residual(config: HartConfig, batch: int, guided: bool) -> Cost:
    c, steps = config.transformer, config.residual_steps
    tokens = batch * (1 + guided) * c.patch_nums[-1] ** 2
    once = c.embed_dim * c.diff_width + _sinusoid_weights(c.diff_width)
    macs = {
        "condition": tokens * config.tokenizer.z_channels * c.embed_dim,
        "residual": steps * tokens * (once + _denoiser_weights(config)),
    }
    return Cost("residual", macs, steps * (once + _denoiser_weights(config)))


def _our_residual(config: HartConfig, batch: int, guided: bool) -> Cost:
    c, steps = config.transformer, config.residual_steps
    tokens = batch * (1 + guided) * c.patch_nums[-1] ** 2
    condition, times = c.embed_dim * c.diff_width, _sinusoid_weights(c.diff_width)
    macs = {
        "condition": tokens * config.tokenizer.z_channels * c.embed_dim,
        "residual": tokens * (condition + steps * _denoiser_weights(config)) + steps * times,
    }
    return Cost("residual", macs, condition + times + steps * _denoiser_weights(config))


def _text(config: HartConfig, batch: int) -> Cost:
    """Our encoder's blocks, over all positions, padding included."""
    if config.text.encoder != "hash":
        return Cost("text", {})
    tokens, width = config.transformer.context_token, config.transformer.context_dim
    weights = config.text.depth * (4 * width**2 + 3 * width * 4 * width)
    pairs = config.text.depth * 2 * batch * tokens**2 * width
    macs = {"text": batch * tokens * weights, "attention": pairs}
    return Cost("text", macs, weights)


def _sinusoid_weights(width: int) -> int:
    return SINUSOIDS * width + width**2


def _denoiser_weights(config: HartConfig) -> int:
    """What every token passes at every step; three of the five squares in a block are adaLN."""
    width, channels = config.transformer.diff_width, config.tokenizer.z_channels
    blocks = config.transformer.diff_depth * 5 * width**2
    parts = 2 if config.transformer.diff_process == "iddpm" else 1
    return channels * width + blocks + 2 * width**2 + parts * channels * width


def _smoothing_macs(config: HartConfig, side: int) -> int:
    """The 3x3 convolution of a scale's upsampled codes; the last scale has none."""
    last = config.transformer.patch_nums[-1]
    return 0 if side == last else last**2 * 9 * config.tokenizer.z_channels**2


def _decoder_layers(config: TokenizerConfig, side: int) -> Iterator[tuple[int, int]]:
    """Weights of each convolution of the decoder, and the cells to which it is applied."""
    z, widths = config.z_channels, [config.ch * mult for mult in config.ch_mult]
    cells, lowest = side**2, len(widths) - 1
    yield 9 * z**2, cells
    yield 9 * z * widths[-1], cells
    middle = [(widths[-1], widths[-1])] * 2
    if config.attention:
        # Beside the middle's: one after each block of the lowest level.
        yield (config.decoder_blocks + 1) * 4 * widths[-1] ** 2, cells
    for level in reversed(range(len(widths))):
        before, width = widths[min(level + 1, lowest)], widths[level]
        blocks = [(before, width)] + [(width, width)] * (config.decoder_blocks - 1)
        for channels_in, channels_out in [*middle, *blocks]:
            shortcut = channels_in * channels_out if channels_in != channels_out else 0
            yield 9 * channels_out * (channels_in + channels_out) + shortcut, cells
        middle = []
        if level:
            cells *= 4
            yield 9 * width**2, cells
    out = 9 * widths[0] * 3 * config.stem_patch**2
    yield out, cells
    if config.linear_shortcut:
        yield 9 * z * 3 * config.encoded_cell_px**2, side**2
    for _ in range(config.finer_levels):
        cells *= 4
        yield 9 * widths[0] ** 2 * (1 + 2 * config.decoder_blocks), cells
        yield out + 9 * 3 * config.stem_patch**2, cells
