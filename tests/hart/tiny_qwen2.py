"""A language model of the published kind, with random weights and a tokenizer of its kind."""

import json
from pathlib import Path

import torch

TEXTS = ["a photo of a deer on a wet road at night", "enhance this user prompt", "fog and smoke"]
PAD = "<|endoftext|>"


def write_qwen2(folder: Path, width: int = 48, seed: int = 0, **fields: object) -> Path:
    """A folder that `transformers` reads as Qwen2; `fields` change its configuration."""
    from transformers import Qwen2Config, Qwen2Model

    vocabulary = write_tokenizer(folder)
    shape = {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "initializer_range": 0.2,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        Qwen2Model(Qwen2Config(**{**shape, **fields})).save_pretrained(folder)
    return folder


def write_tokenizer(folder: Path) -> int:
    """Byte-level pairs learned from a few texts; returns how many tokens there are."""
    from tokenizers import Tokenizer
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel
    from tokenizers.trainers import BpeTrainer
    from transformers import Qwen2Tokenizer

    learned = Tokenizer(BPE())
    learned.pre_tokenizer = ByteLevel(add_prefix_space=False)
    alphabet = sorted(ByteLevel.alphabet())
    trainer = BpeTrainer(vocab_size=320, initial_alphabet=alphabet, show_progress=False)
    learned.train_from_iterator(TEXTS, trainer)
    model = json.loads(learned.to_str())["model"]
    vocabulary = {**model["vocab"], PAD: len(model["vocab"])}
    merges = [tuple(pair) for pair in model["merges"]]
    Qwen2Tokenizer(vocab=vocabulary, merges=merges, pad_token=PAD).save_pretrained(folder)
    return len(vocabulary)
