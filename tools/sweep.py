"""Which width and depth of the transformer learns most in equal time, behind one tokenizer.

.venv/bin/python tools/sweep.py --data corpus --run run --minutes 8 --json sweep.json

Every size learns for the same minutes on the same pictures, one after the other; nothing else
should run meanwhile. What counts is the loss on held-out pictures: short runs favour small models,
so the curve is kept, too.
"""

import argparse
import csv
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from hartsim.config import load_training
from hartsim.hart.config import HartConfig, hart_config
from hartsim.training.corpus import Corpus, read_corpus
from hartsim.training.mini import trained_tokenizer
from hartsim.training.parallel import join_ranks
from hartsim.training.run import Budget
from hartsim.training.transformer import (
    make_lessons,
    measured,
    new_painter,
    train_transformer,
)

SIZES = ((6, 192), (8, 256), (8, 320), (10, 320), (8, 384))
"""Depth and width; heads have 64 channels."""


def main() -> None:
    """Train every size, and write what became of each."""
    parser = argparse.ArgumentParser(description="Compare sizes of the transformer.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True, help="where the tokenizer is")
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("settings", nargs="*", help="such as transformer.batch=32")
    asked = parser.parse_args()
    corpora = [read_corpus(asked.data, held, hart_config("mini").size_px) for held in (False, True)]
    found = []
    for depth, width in SIZES:
        found.append(learned(sized(depth, width), corpora, asked))
        asked.json.write_text(json.dumps(found, indent=1) + "\n")
        told = {key: value for key, value in found[-1].items() if key != "curve"}
        sys.stdout.write(json.dumps(told) + "\n")


def sized(depth: int, width: int) -> HartConfig:
    """hart-mini with another transformer."""
    mini = hart_config("mini")
    shape = replace(mini.transformer, depth=depth, embed_dim=width, num_heads=width // 64)
    return replace(mini, name=f"{depth}x{width}", transformer=shape)


def learned(config: HartConfig, corpora: list[Corpus], asked: argparse.Namespace) -> dict[str, Any]:
    """What one size makes of its minutes."""
    how, ranks = load_training(asked.settings).transformer, join_ranks()
    tokenizer = trained_tokenizer(asked.run, config).to(ranks.device)
    painter = new_painter(config, how.seed)
    lessons, unseen = (
        make_lessons(corpus, tokenizer, painter.text, config, asked.run / f"{name}-latents.pt", how)
        for name, corpus in zip(("training", "held-out"), corpora, strict=True)
    )
    folder = asked.run / "sweep" / config.name
    budget = Budget(minutes=asked.minutes)
    painter = train_transformer(
        lessons, unseen, tokenizer, config, folder, budget, how, begin=painter, ranks=ranks
    )
    codes, residual = measured(painter, tokenizer, unseen, config, how.batch)
    with (folder / "transformer.csv").open() as file:
        curve = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    return {
        "depth": config.transformer.depth,
        "width": config.transformer.embed_dim,
        "parameters": sum(p.numel() for p in painter.transformer.parameters()),
        "minutes": asked.minutes,
        "pictures_seen": int(curve[-1]["step"] + 1) * how.batch,
        "codes": round(codes, 4),
        "residual": round(residual, 4),
        "curve": curve,
    }


if __name__ == "__main__":
    main()
