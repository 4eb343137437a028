"""How fast pictures are read from a bank at random, against an array of them in memory.

A read copies one picture into a buffer, as an environment does with what it wears. Bank and array
hold the same pictures, are read in the same order and in turns, and each turn gives one ratio; the
figures are medians. Times are CPU times of this process, so that other work on the machine distorts
them little. Run: python benchmarks/bench_bank.py [--json]
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Protocol

import numpy as np
from rich.console import Console
from rich.table import Table

from hartsim.banks import SHARD_SIZE
from hartsim.dataset.bank import BankWriter, Row, open_bank
from hartsim.types import Image

SIZES_PX = (64, 256)
PICTURES, READS, TURNS = 512, 4000, 15


class Pictures(Protocol):
    """What can be read by number."""

    def __getitem__(self, number: int) -> Image: ...


def write_bank(path: Path) -> dict[int, Image]:
    """A bank of noise with one kind for each size; the same pictures as arrays, (N, H, W, 3)."""
    generator = np.random.default_rng(0)
    arrays = {}
    with BankWriter(path, {"benchmark": "bank"}) as writer:
        for side in SIZES_PX:
            shape = (PICTURES, side, side, 3)
            arrays[side] = generator.integers(0, 256, shape, np.uint8)
            for first in range(0, PICTURES, SHARD_SIZE):
                numbers = range(first, first + SHARD_SIZE)
                rows = [Row("noise", 0, number, "front", "noise") for number in numbers]
                writer.add(f"view/{side}", list(arrays[side][numbers]), rows)
    return arrays


def reads_per_second(pictures: Pictures, numbers: Sequence[int], into: Image) -> float:
    started = time.process_time()
    for number in numbers:
        np.copyto(into, pictures[number])
    return len(numbers) / (time.process_time() - started)


def microseconds(work: Callable[[int], object]) -> float:
    """The median over turns of the mean time of one call."""
    times = []
    for _ in range(TURNS):
        started = time.process_time()
        for call in range(READS):
            work(call)
        times.append((time.process_time() - started) / READS * 1e6)
    return median(times)


def measure(path: Path) -> dict[str, dict[str, float]]:
    """Reads per second and their ratio by size, and what choosing and refreshing cost."""
    arrays = write_bank(path)
    bank = open_bank(path)
    generator = np.random.default_rng(1)
    figures = {}
    for side, array in arrays.items():
        pictures, into = bank.images(f"view/{side}"), np.empty((side, side, 3), np.uint8)
        rates = []
        for _ in range(TURNS + 1):
            numbers = generator.integers(PICTURES, size=READS).tolist()
            of_bank = reads_per_second(pictures, numbers, into)
            rates.append((of_bank, reads_per_second(array, numbers, into)))
        of_bank, of_array = (median(each) for each in zip(*rates[1:], strict=True))
        figures[f"{side} px"] = {
            "bank, reads/s": of_bank,
            "array, reads/s": of_array,
            "ratio": median(bank_rate / array_rate for bank_rate, array_rate in rates[1:]),
        }
    opening = [open_seconds(path) for _ in range(TURNS)]
    figures["once"] = {
        "choose, us": microseconds(lambda call: bank.choose("view/64", 0, call)),
        "refresh with nothing new, us": microseconds(lambda _: bank.refresh()),
        "open, ms": median(opening) * 1e3,
    }
    return figures


def open_seconds(path: Path) -> float:
    started = time.process_time()
    open_bank(path)
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    as_json = parser.parse_args().json
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder) / "bank")
    if as_json:
        print(json.dumps(figures, indent=2))
        return
    table = Table("", "", "figure")
    for place, by_name in figures.items():
        for name, figure in by_name.items():
            table.add_row(place, name, f"{figure:,.2f}" if figure < 100 else f"{figure:,.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
