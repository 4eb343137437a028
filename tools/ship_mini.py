"""Put finished weights of a run into the package, in int8 steps of their rows.

.venv/bin/python tools/ship_mini.py run/mini
"""

import argparse
import sys
from pathlib import Path

import torch

from hartsim.hart.checkpoint import load_hart, save_hart
from hartsim.hart.hub import shipped

MOST_BYTES, MOST_OF_A_FILE = 30_000_000, 15 * 2**20


def main() -> None:
    """Write the files, and say how large they are."""
    parser = argparse.ArgumentParser(description="Ship the weights of a run.")
    parser.add_argument("weights", type=Path)
    parser.add_argument("--out", type=Path, default=shipped()["mini"])
    asked = parser.parse_args()
    save_hart(load_hart(asked.weights), asked.out, torch.int8)
    sizes = {file: file.stat().st_size for file in sorted(asked.out.rglob("*.safetensors"))}
    for file, size in sizes.items():
        sys.stdout.write(f"{file.relative_to(asked.out)} {size / 1e6:.1f} MB\n")
    if sum(sizes.values()) > MOST_BYTES or max(sizes.values()) > MOST_OF_A_FILE:
        sys.exit(f"too large to ship: {MOST_BYTES / 1e6:.0f} MB in all, 15 MiB a file at most")


if __name__ == "__main__":
    main()
