"""Which width and depth of the transformer learns most from equal compute, behind one tokenizer.

.venv/bin/python tools/sweep.py --data corpus --weights run/mini --work work --json sweep.json

The smallest size sees so many pictures; the others see fewer, in inverse proportion to their
parameters. All begin with the text encoder of the weights. What counts is the loss on held-out
pictures: short runs favour small models, so the curve is kept, too. `tools/sweep.py --time FILE`
then adds what a picture of each size takes on this machine.
"""

import argparse
import csv
import json
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from hartsim.config import load_training
from hartsim.hart.checkpoint import load_hart
from hartsim.hart.config import HartConfig
from hartsim.hart.hub import shipped
from hartsim.hart.model import Hart, new_hart
from hartsim.training.corpus import Corpus, read_corpus
from hartsim.training.mini import sample_images
from hartsim.training.parallel import join_ranks
from hartsim.training.run import Budget
from hartsim.training.transformer import (
    Painter,
    make_lessons,
    measured,
    new_painter,
    train_transformer,
)

SIZES = ((4, 192), (6, 192), (8, 256), (8, 320))
"""Depth and width; heads have 64 channels."""
ROUNDS = 9


def main() -> None:
    """Train every size, and write what became of each."""
    parser = argparse.ArgumentParser(description="Compare sizes of the transformer.")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--weights", type=Path, default=shipped()["mini"], help="their tokenizer")
    parser.add_argument("--work", type=Path, default=Path("sweep"))
    parser.add_argument("--pictures", type=int, default=6400, help="that the smallest sees")
    parser.add_argument("--json", type=Path, default=Path("sweep.json"))
    parser.add_argument("--time", type=Path, help="a finished sweep, to which times are added")
    parser.add_argument("settings", nargs="*", help="such as transformer.batch=32")
    asked = parser.parse_args()
    hart = load_hart(asked.weights)
    if asked.time is not None:
        return add_times(hart, asked.time)
    if asked.data is None:
        parser.error("--data is missing: the corpus to learn from")
    corpora = [read_corpus(asked.data, held, hart.config.size_px) for held in (False, True)]
    found: list[dict[str, Any]] = []
    for depth, width in SIZES:
        found.append(learned(hart, (depth, width), corpora, asked))
        asked.json.write_text(json.dumps(found, indent=1) + "\n")
        told = {key: value for key, value in found[-1].items() if key != "curve"}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


def learned(
    hart: Hart, size: tuple[int, int], corpora: list[Corpus], asked: argparse.Namespace
) -> dict[str, Any]:
    """What one size makes of its compute."""
    how, ranks = load_training(asked.settings).transformer, join_ranks()
    config, tokenizer = sized(hart.config, *size), hart.tokenizer.to(ranks.device)
    painter = new_painter(config, how.seed)
    painter.text.load_state_dict(hart.modules()["text"].state_dict())  # known to all sizes alike
    own = parameters(painter)
    least = parameters(new_painter(sized(hart.config, *SIZES[0]), how.seed))
    budget = Budget(steps=round(asked.pictures / how.batch * least / own))
    asked.work.mkdir(parents=True, exist_ok=True)
    lessons, unseen = (
        make_lessons(
            corpus, tokenizer, painter.text, config, asked.work / f"{name}-latents.pt", how
        )
        for name, corpus in zip(("training", "held-out"), corpora, strict=True)
    )
    painter = train_transformer(
        lessons,
        unseen,
        tokenizer,
        config,
        asked.work / config.name,
        budget,
        how,
        None,
        painter,
        ranks,
    )
    codes, residual = measured(painter, tokenizer, unseen, config, how.batch)
    with (asked.work / config.name / "transformer.csv").open() as file:
        curve = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    return {
        "depth": config.transformer.depth,
        "width": config.transformer.embed_dim,
        "parameters": own,
        "pictures_seen": (budget.steps or 0) * how.batch,
        "codes": round(codes, 4),
        "residual": round(residual, 4),
        "curve": curve,
    }


def add_times(hart: Hart, file: Path) -> None:
    """Put into a finished sweep what a picture takes; all sizes in turns, so that none is lucky."""
    found = json.loads(file.read_text())
    harts = [new_hart(sized(hart.config, each["depth"], each["width"]), seed=0) for each in found]
    seconds: list[list[float]] = [[] for _ in harts]
    for number in range(ROUNDS + 1):
        for times, each in zip(seconds, harts, strict=True):
            began = time.perf_counter()
            next(sample_images(each, [f"picture {number}"]))
            times.append(time.perf_counter() - began)
    for each, times in zip(found, seconds, strict=True):
        each["seconds_a_picture"] = round(statistics.median(times[1:]), 4)
    file.write_text(json.dumps(found, indent=1) + "\n")


def parameters(painter: Painter) -> int:
    """How many the transformer has, its residual head among them."""
    return sum(p.numel() for p in painter.transformer.parameters())


def sized(config: HartConfig, depth: int, width: int) -> HartConfig:
    """The same with another transformer."""
    heads = width // 64
    shape = replace(config.transformer, depth=depth, embed_dim=width, num_heads=heads)
    return replace(config, name=f"{depth}x{width}", transformer=shape)


if __name__ == "__main__":
    main()
