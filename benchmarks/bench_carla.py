"""How fast pictures become the CARLA client's textures, and frames of it get their effects.

.venv/bin/python -m benchmarks.bench_carla [--json FILE]

Wall milliseconds of one process, medians of rounds; no server is needed, but the `carla` client is.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hartsim.adapters.carla import textures

ROUNDS = 9


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the CARLA adapter's own work.")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = [*texture_rows()]
    for row in rows:
        print(f"{row['what']:44}{row['ms']:>9} ms")
    if asked.json is not None:
        asked.json.write_text(json.dumps(rows, indent=1) + "\n")


def texture_rows() -> list[dict[str, Any]]:
    import carla

    rng = np.random.default_rng(1)
    rows = []
    for side in (256, 1024, 2048):
        image = rng.integers(0, 256, (side, side, 3), np.uint8)
        values = rng.random((side, side, 4), np.float32)
        colours, floats = carla.TextureColor(side, side), carla.TextureFloatColor(side, side)
        assert textures.fill(colours, image) == "buffer"
        rows.append(row(f"8-bit texture {side}", lambda c=colours, i=image: textures.fill(c, i)))
        rows.append(row(f"float texture {side}", lambda f=floats, v=values: textures.fill(f, v)))
    small, image = carla.TextureColor(256, 256), rng.integers(0, 256, (256, 256, 3), np.uint8)
    one_by_one = lambda: textures._set_pixels(small, "TextureColor", opaque(image))  # noqa: E731
    rows.append(row("8-bit texture 256, one by one", one_by_one, rounds=3))
    return rows


def opaque(image: np.ndarray) -> np.ndarray:
    return np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])


def row(what: str, work: Callable[[], Any], rounds: int = ROUNDS) -> dict[str, Any]:
    work()
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return {"what": what, "ms": round(1000 * statistics.median(taken), 1)}


if __name__ == "__main__":
    main()
