# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frames there are: their keys, seeds, shards, and which scenes are held out."""

import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

HELD_OUT_ONE_IN = 8


def held_out(scenario: str) -> bool:
    """Whether a scenario's frames belong to the held-out part."""
    return zlib.crc32(scenario.encode()) % HELD_OUT_ONE_IN == 0


def key_of(scene: Mapping[str, Any], camera: str, view: int = 0) -> str:
    """The folder name of a frame; views beyond the first carry their number."""
    key = f"{scene['scenario']['name']}-{scene['seed']}-{scene['index']}-{camera}"
    return f"{key}-v{view}" if view else key


def seed_of(key: str) -> int:
    """The seed of everything that a key leaves open."""
    return zlib.crc32(key.encode())


def parse_shard(text: str) -> tuple[int, int]:
    """'2/5' → (2, 5): the second of five parts; raises ValueError for anything else."""
    number, slash, count = text.partition("/")
    if not (slash and number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
        raise ValueError(f"shard '{text}' is not i/n with 1 <= i <= n")
    return int(number), int(count)


def shard(lines: Iterable[str], part: tuple[int, int]) -> Iterator[str]:
    """Every n-th line, beginning with the i-th."""
    number, count = part
    return (line for at, line in enumerate(lines) if at % count == number - 1)


def read_lines(path: str) -> Iterable[str]:
    """The lines of a file, or of the standard input for '-'."""
    if path == "-":
        return sys.stdin
    if not Path(path).is_file():
        raise ValueError(f"{path}: no such file; it is what `hartsim compile … --json` prints")
    return Path(path).read_text(encoding="utf-8").splitlines()
