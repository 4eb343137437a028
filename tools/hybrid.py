"""What training the decoder on codes and on continuous latents costs the codes, and brings.

.venv/bin/python tools/hybrid.py --data corpus --weights run/mini --work work --json hybrid.json

Two decoders begin with that of the weights, and learn for as many steps from the same pictures:
`hybrid` from codes by half (HART, arXiv 2410.10812, section 3.1), `discrete` from codes alone.
Encoder and codes are the same. Held-out pictures are decoded from codes, and from codes with the
continuous remainder. An interrupted run goes on where it stopped.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from hartsim.bench.quality.distances import distances, reconstruction
from hartsim.bench.quality.figures import Row
from hartsim.config import load_training
from hartsim.hart.checkpoint import load_hart
from hartsim.hart.tokenizer import Tokenizer, from_pixels, to_pixels
from hartsim.training.corpus import Corpus, read_corpus
from hartsim.training.features import PhotographFeatures
from hartsim.training.parallel import Ranks
from hartsim.training.run import Budget, Run
from hartsim.training.tokenizer import School, alternating
from hartsim.types import Image

BATCH = 16
SHARES = {"hybrid": 0.5, "discrete": 1.0}
"""Of the steps, how many show a decoder codes alone."""


def main() -> None:
    """Teach both decoders, print the figures, and keep them."""
    parser = argparse.ArgumentParser(description="Compare decoders on held-out pictures.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--count", type=int, default=480)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("settings", nargs="*", help="such as tokenizer.batch=4")
    asked = parser.parse_args()
    size_px = load_hart(asked.weights).config.size_px
    lessons, corpus = (read_corpus(asked.data, held, size_px) for held in (False, True))
    picks = np.linspace(0, len(corpus) - 1, min(asked.count, len(corpus))).astype(int).tolist()
    looks = [str(corpus.records[i]["look"]) for i in picks]
    real = [image for part in batches(corpus, picks) for image in part]
    sets: dict[str, list[Image]] = {}
    for name in SHARES:
        made = decoded(taught(name, lessons, asked), corpus, picks)
        sets |= {f"{name} decoder, {shown}": images for shown, images in made.items()}
    net = PhotographFeatures()
    found = distances(
        features(net, real), {name: features(net, made) for name, made in sets.items()}, {}, looks
    ).rows
    stacked = {name: np.stack(made) for name, made in sets.items()}
    rows = [*found, *reconstruction(np.stack(real), stacked, looks)]
    asked.json.write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=1) + "\n")
    sys.stdout.write("\n".join(map(told, rows)) + "\n")


def taught(name: str, lessons: Corpus, asked: argparse.Namespace) -> Tokenizer:
    """The tokenizer of the weights with a decoder that has learned on."""
    tokenizer = load_hart(asked.weights).tokenizer
    how = replace(load_training(asked.settings).tokenizer, discrete_share=SHARES[name])
    (asked.work / name).mkdir(parents=True, exist_ok=True)
    run = Run(asked.work / name, "alternating", Budget(steps=asked.steps), Ranks(), how.seed)
    alternating(School(tokenizer, PhotographFeatures(), lessons, how, Ranks()), run)
    return tokenizer.eval()


def told(row: Row) -> str:
    """A line of the table."""
    interval = f"[{row.low:.4f}, {row.high:.4f}]"
    return f"{row.figure:18} {row.of:28} {row.group:8} {row.value:9.4f} {interval}"


def batches(corpus: Corpus, picks: list[int]) -> Iterator[Image]:
    """The pictures, some at a time, (B, H, W, 3)."""
    return (corpus.batch(picks[start : start + BATCH]) for start in range(0, len(picks), BATCH))


@torch.inference_mode()
def decoded(tokenizer: Tokenizer, corpus: Corpus, picks: list[int]) -> dict[str, list[Image]]:
    """Pictures decoded from codes, and from the whole latent."""
    made: dict[str, list[Image]] = {"codes": [], "codes and remainder": []}
    for part in batches(corpus, picks):
        latent = tokenizer.latent(from_pixels(torch.from_numpy(part)))
        codes = tokenizer.quantizer.encode(latent).discrete
        for name, shown in zip(made, (codes, latent), strict=True):
            made[name] += list(to_pixels(tokenizer.decode(shown)).numpy())
    return made


@torch.inference_mode()
def features(net: PhotographFeatures, images: list[Image]) -> np.ndarray:
    """Features (N, D)."""
    parts = (np.stack(images[start : start + BATCH]) for start in range(0, len(images), BATCH))
    return np.concatenate(
        [net.pooled(from_pixels(torch.from_numpy(part))).numpy() for part in parts]
    )


if __name__ == "__main__":
    main()
