"""The comparison step by step; every step keeps what it has done, and goes on where it was.

python -m benchmarks.replication data|tokenizer|train|measure|plot --out DIR
"""

import argparse
import json
import logging
from pathlib import Path

import torch

from benchmarks.replication.models import PLANS
from benchmarks.replication.plot import figure, pictures_of
from benchmarks.replication.report import make_report, plain
from benchmarks.replication.show import write_tables
from benchmarks.replication.train import (
    HOW,
    SAMPLES,
    lessons_of,
    make_tokenizer,
    samples_for,
    take_tokenizer,
    train,
    trained_tokenizer,
)
from hartsim.corpus import HELD_OUT_EVERY, PART_SIZE, make_corpus
from hartsim.images import encode_png

ROOT = Path(__file__).parents[2]
RENDER_PX = 128
"""Pictures are drawn at twice the size and averaged."""
TRAIN_PARTS, HELD_OUT_PARTS = 42, 6
"""Parts with the lowest numbers, some of them held out, and held-out parts in all."""
JSON = ROOT / "benchmarks" / "results" / "replication.json"
PICTURE = ROOT / "docs" / "images" / "replication.png"
PAGE = ROOT / "docs" / "replication.md"


def data(asked: argparse.Namespace) -> None:
    """Draw the corpus: 10,000 pictures to learn from, 1,500 held out."""
    share, shares = map(int, asked.shard.split("/"))
    numbers = [*range(TRAIN_PARTS)]
    held_out = range(HELD_OUT_EVERY - 1, HELD_OUT_EVERY * HELD_OUT_PARTS, HELD_OUT_EVERY)
    numbers += [number for number in held_out if number >= TRAIN_PARTS]
    for number in numbers[share::shares]:
        for part in make_corpus(asked.data, 1, RENDER_PX, first=number):
            print(f"{part}: {PART_SIZE} pictures")


def tokenizer(asked: argparse.Namespace) -> None:
    """Train a tokenizer, or take the one of a folder of weights."""
    if asked.weights is not None:
        take_tokenizer(asked.weights, asked.out)
    else:
        make_tokenizer(asked.data, asked.out, asked.minutes)


def train_models(asked: argparse.Namespace) -> None:
    """Train the models, or go on."""
    lessons, tokens = lessons_of(asked.data, asked.out), trained_tokenizer(asked.out)
    for name in asked.model:
        steps = samples_for(name, asked.samples) // HOW.batch
        train(name, tokens, lessons, asked.out / "models", steps)
        print(f"{name}: {steps} steps of {HOW.batch} pictures")


def measure(asked: argparse.Namespace) -> None:
    """Search settings, draw, compare, time; write the JSON."""
    report = make_report(asked.out, asked.data, asked.model)
    asked.json.write_text(json.dumps(plain(report), indent=1) + "\n", encoding="utf-8")
    print(f"{len(report.points)} points, {len(report.ratios)} ratios → {asked.json}")


def plot(asked: argparse.Namespace) -> None:
    """Draw the picture of the JSON, with pictures of the models under it; write its tables."""
    report = json.loads(asked.json.read_text())
    rows = pictures_of(report, asked.out, asked.data)
    asked.png.write_bytes(encode_png(figure(report, rows), level=9))
    write_tables(report, asked.page)
    print(f"→ {asked.png}, {asked.page}")


STEPS = {
    "data": data,
    "tokenizer": tokenizer,
    "train": train_models,
    "measure": measure,
    "plot": plot,
}


def parsed() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.replication",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="of the run")
    parser.add_argument("--data", type=Path, metavar="DIR", help="the corpus; DIR/corpus")
    parser.add_argument("--shard", default="0/1", help="of the data, as in 0/2")
    parser.add_argument("--weights", type=Path, metavar="DIR", help="whose tokenizer is taken")
    parser.add_argument("--minutes", type=float, default=60, help="of training a tokenizer")
    parser.add_argument("--model", nargs="+", choices=PLANS, default=list(PLANS))
    parser.add_argument("--samples", type=int, default=SAMPLES, help="that HART learns from")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, default=JSON, metavar="FILE")
    parser.add_argument("--png", type=Path, default=PICTURE, metavar="FILE")
    parser.add_argument("--page", type=Path, default=PAGE, metavar="FILE")
    asked = parser.parse_args()
    asked.data = asked.data or asked.out / "corpus"
    return asked


def main() -> None:
    """Take the step that is asked for."""
    asked = parsed()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(asked.threads)
    STEPS[asked.step](asked)


if __name__ == "__main__":
    main()
