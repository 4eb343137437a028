"""What training the decoder on codes and on continuous latents costs the codes, and brings.

cp run/continuous.pt run/codebook.pt discrete/
.venv/bin/hartsim train tokenizer --data corpus --out discrete tokenizer.discrete_share=1
.venv/bin/python tools/hybrid.py --data corpus run discrete --json hybrid.json

Both tokenizers share encoder and codes; their decoders learned for as long, one from codes by half
(HART, arXiv 2410.10812, section 3.1), the other from codes alone. Held-out pictures are decoded
from codes, and from codes with the continuous remainder.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from hartsim.bench.quality.distances import distances, reconstruction
from hartsim.bench.quality.figures import Row
from hartsim.hart.config import hart_config
from hartsim.hart.tokenizer import Tokenizer, from_pixels, to_pixels
from hartsim.training.corpus import Corpus, read_corpus
from hartsim.training.features import PhotographFeatures
from hartsim.training.mini import trained_tokenizer
from hartsim.types import Image

BATCH = 16


def main() -> None:
    """Print the figures, and keep them."""
    parser = argparse.ArgumentParser(description="Compare tokenizers on held-out pictures.")
    parser.add_argument("runs", type=Path, nargs="+", help="folders of `train tokenizer`")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--count", type=int, default=480)
    parser.add_argument("--json", type=Path, required=True)
    asked = parser.parse_args()
    config = hart_config("mini")
    corpus = read_corpus(asked.data, held_out=True, size_px=config.size_px)
    picks = np.linspace(0, len(corpus) - 1, min(asked.count, len(corpus))).astype(int).tolist()
    looks = [str(corpus.records[i]["look"]) for i in picks]
    real = [image for part in batches(corpus, picks) for image in part]
    sets: dict[str, list[Image]] = {}
    for run in asked.runs:
        made = decoded(trained_tokenizer(run, config), corpus, picks)
        sets |= {f"{run.name}, {name}": images for name, images in made.items()}
    net = PhotographFeatures()
    found = distances(
        features(net, real), {name: features(net, made) for name, made in sets.items()}, {}, looks
    ).rows
    stacked = {name: np.stack(made) for name, made in sets.items()}
    rows = [*found, *reconstruction(np.stack(real), stacked, looks)]
    asked.json.write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=1) + "\n")
    sys.stdout.write("\n".join(map(told, rows)) + "\n")


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
