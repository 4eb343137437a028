"""The making of hart-mini, step by step, from a corpus to a folder of weights."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from hartsim.config import TokenizerTraining, TransformerTraining
from hartsim.errors import DatasetError
from hartsim.hart.checkpoint import load_hart, save_hart
from hartsim.hart.config import HartConfig, hart_config
from hartsim.hart.growth import grown
from hartsim.hart.hub import shipped
from hartsim.hart.model import Hart
from hartsim.hart.noise import KeyedNoise
from hartsim.hart.sampling import SamplingSettings, generate
from hartsim.hart.tokenizer import Tokenizer, to_pixels
from hartsim.images import contact_sheet, encode_png
from hartsim.training.corpus import read_corpus
from hartsim.training.folder import folder_corpus
from hartsim.training.parallel import join_ranks
from hartsim.training.run import Budget, read_checkpoint
from hartsim.training.tokenizer import train_decoder, train_tokenizer
from hartsim.training.transformer import (
    Painter,
    make_lessons,
    new_painter,
    painter_of,
    redraw_last_scale,
    train_transformer,
)
from hartsim.types import Image

logger = logging.getLogger(__name__)

BATCH = 16


def train_mini_tokenizer(
    data: Path,
    out: Path,
    budget: Budget,
    how: TokenizerTraining | None = None,
    config: HartConfig | None = None,
) -> Path:
    """Train the tokenizer on a corpus; the path of its last checkpoint."""
    ranks, config = join_ranks(), config or hart_config("mini")
    corpus, held_out = (read_corpus(data, held, config.size_px) for held in (False, True))
    train_tokenizer(corpus, held_out, config, out, budget, how, ranks)
    return out / "alternating.pt"


def train_mini_transformer(
    data: Path,
    out: Path,
    budget: Budget,
    how: TransformerTraining | None = None,
    start: Path | None = None,
    config: HartConfig | None = None,
    words: Path | None = None,
) -> Path:
    """Train the transformer behind the tokenizer in `out`; the folder of the finished weights.

    With `start`, a folder of finished weights, its transformer is trained further, behind its own
    tokenizer. `words` is the table of meanings that `tools/meanings.py` made; without it that of
    the shipped weights is taken.
    """
    ranks, how = join_ranks(), how or TransformerTraining()
    out.mkdir(parents=True, exist_ok=True)
    begun = None if start is None else load_hart(start)
    config = (config or hart_config("mini")) if begun is None else begun.config
    tokenizer = trained_tokenizer(out, config) if begun is None else begun.tokenizer
    tokenizer.to(ranks.device)
    begin = new_painter(config, how.seed) if begun is None else painter_of(begun, config)
    if begun is None and config.text.meaning_dim:
        begin.text.meanings.copy_(meanings(config, words))
    corpora = {held: read_corpus(data, held == "held-out", config.size_px) for held in PARTS}
    lessons, unseen = (
        make_lessons(corpora[held], tokenizer, begin.text, config, out / f"{held}-latents.pt", how)
        for held in PARTS
    )
    captions = [corpora["held-out"].captions[i][0] for i in _spread(len(corpora["held-out"]), 24)]

    def preview(painter: Painter, step: int) -> None:
        hart = Hart(config, painter.text, painter.transformer, tokenizer)
        sheet = contact_sheet(list(sample_images(hart, captions)), columns=6)
        (out / f"samples-{step:06d}.png").write_bytes(encode_png(sheet))

    painter = train_transformer(
        lessons, unseen, tokenizer, config, out, budget, how, preview, begin, ranks
    )
    hart = Hart(config, painter.text, painter.transformer, tokenizer)
    if ranks.leads:
        save_hart(hart, out / "mini", torch.float16)
    return out / "mini"


PARTS = ("training", "held-out")


def grow_mini(
    start: Path, out: Path, labels: bool = False, finer_levels: int = 0, words: Path | None = None
) -> Path:
    """Write `start` with parts that it lacks, see `hart.growth`; the folder of the weights."""
    table = None if words is None else _table_of(words)
    try:
        hart = grown(load_hart(start), labels, finer_levels, table)
    except ValueError as error:
        raise DatasetError(f"{words or start}: the model cannot grow so: {error}") from error
    save_hart(hart, out / "mini", torch.float16)
    return out / "mini"


def train_mini_decoder(
    data: Path, out: Path, budget: Budget, how: TokenizerTraining | None = None
) -> Path:
    """Train the decoder on what the finished transformer in `out` draws; the same weights' folder.

    Pictures then look less like the patchwork that tokens drawn apart from each other make.
    """
    ranks = join_ranks()
    hart = load_hart(out / "mini").to(ranks.device)
    corpus = read_corpus(data, size_px=hart.config.size_px)

    def draw(latents: Tensor, captions: Sequence[str], generator: torch.Generator) -> Tensor:
        return redraw_last_scale(hart, latents, captions, generator)

    train_decoder(hart.tokenizer, corpus, draw, out, budget, how, ranks)
    if ranks.leads:
        save_hart(hart, out / "mini", torch.float16)
    return out / "mini"


def fine_tune(
    images: Path,
    out: Path,
    budget: Budget,
    start: Path,
    transformer: TransformerTraining | None = None,
    tokenizer: TokenizerTraining | None = None,
) -> Path:
    """Teach finished weights a folder of captioned images; the folder of the new weights.

    `images` is as in `training.folder`. Most of the budget goes to the transformer and its head,
    the rest to the decoder; encoder and codes stay. Runs on, if `out` has a run already.
    """
    size_px = load_hart(start).config.size_px
    for _ in folder_corpus(images, out / "corpus", size_px):
        pass
    parts = (DECODER_SHARE, 1 - DECODER_SHARE)
    for_decoder, for_transformer = (budget.share(part) for part in parts)
    train_mini_transformer(out / "corpus", out, for_transformer, transformer, start)
    return train_mini_decoder(out / "corpus", out, for_decoder, tokenizer)


DECODER_SHARE = 0.2
"""Of fine-tuning."""


def meanings(config: HartConfig, words: Path | None) -> Tensor:
    """The table of meanings for a text encoder: of a file, or of the shipped weights."""
    shape = (config.text.meaning_buckets + 1, config.text.meaning_dim)
    if words is None:
        file = shipped()["mini"]
        table: Tensor | None = load_hart(file).modules()["text"].state_dict().get("meanings")
    else:
        file, table = words, _table_of(words)
    if table is None or table.shape != shape:
        raise DatasetError(f"{file}: holds no meanings of shape {shape}; {ADVICE}")
    return table


ADVICE = "make some with tools/meanings.py, and name them with --words"


def _table_of(words: Path) -> Tensor:
    """The table in a file of `tools/meanings.py`."""
    try:
        tables = load_file(words)
    except (OSError, SafetensorError) as error:
        raise DatasetError(f"{words}: not readable as a table of meanings: {error}") from error
    if "meanings" not in tables or tables["meanings"].ndim != 2:
        raise DatasetError(f"{words}: holds no table of meanings; {ADVICE}")
    found: Tensor = tables["meanings"]
    return found


def trained_tokenizer(out: Path, config: HartConfig) -> Tokenizer:
    """The tokenizer of a run: of its last phase, or of the codebook's if that is all there is."""
    for phase in ("alternating", "codebook"):
        path = out / f"{phase}.pt"
        if path.exists():
            tokenizer = Tokenizer(config.tokenizer, config.transformer.patch_nums)
            tokenizer.load_state_dict(read_checkpoint(path)["model"])
            return tokenizer.eval()
    raise DatasetError(f"{out}: no tokenizer here; make one with `hartsim train tokenizer`")


@torch.inference_mode()
def sample_images(
    hart: Hart, prompts: Sequence[str], guidance: float | None = None
) -> Iterator[Image]:
    """A picture (H, W, 3) of each prompt, with noise that depends on its place in the list."""
    settings = SamplingSettings.of(hart.config)
    if guidance is not None:
        settings = replace(settings, guidance=guidance)
    for start in range(0, len(prompts), BATCH):
        part = prompts[start : start + BATCH]
        noise = KeyedNoise.of([f"sample {start + i}" for i in range(len(part))], hart.device)
        latent = generate(hart, hart.text.encode(part), noise, settings)
        yield from to_pixels(hart.tokenizer.decode(latent)).cpu().numpy()


def _spread(length: int, count: int) -> list[int]:
    return [int(i) for i in np.linspace(0, length - 1, min(count, length))]
