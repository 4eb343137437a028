"""Where the time of a picture goes, and what each saving is worth: ratios within one run.

.venv/bin/python benchmarks/bench_hart.py [--size mini] [--json FILE]
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import torch

from hartsim.hart.config import hart_config
from hartsim.hart.model import new_hart
from hartsim.hart.noise import KeyedNoise
from hartsim.hart.sampling import SamplingSettings, generate

PROMPT = "a dashcam photo of a child running into a wet residential street at dusk"


def seconds(work: Callable[[], object], runs: int) -> float:
    """Median wall time after one warm-up."""
    work()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


@torch.inference_mode()
def measure(size: str, runs: int) -> dict[str, float]:
    """Seconds of each variant and stage."""
    config = hart_config(size)
    hart = new_hart(config, seed=0)
    settings = SamplingSettings.of(config)
    context = hart.text.encode([PROMPT])
    side, channels = config.transformer.patch_nums[-1], config.tokenizer.z_channels
    latent = torch.zeros(1, channels, side, side)

    def draw(changed: SamplingSettings) -> Callable[[], object]:
        return lambda: generate(hart, context, KeyedNoise(["key"]), changed)

    return {
        "codes and residual": seconds(draw(settings), runs),
        "without guidance": seconds(draw(replace(settings, guidance=0.0)), runs),
        "without soft draws": seconds(draw(replace(settings, more_smooth=False)), runs),
        "2 residual steps": seconds(draw(replace(settings, residual_steps=2)), runs),
        "text": seconds(lambda: hart.text.encode([PROMPT]), runs),
        "decoder": seconds(lambda: hart.tokenizer.decode(latent), runs),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="mini", help="tiny or mini")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    figures = measure(arguments.size, arguments.runs)
    if arguments.json:
        print(json.dumps(figures))
        return
    whole = figures["codes and residual"]
    print(f"hart={arguments.size}, one picture, {torch.get_num_threads()} threads")
    for name, value in figures.items():
        print(f"{name:20} {1000 * value:8.1f} ms {value / whole:6.2f} of codes and residual")


if __name__ == "__main__":
    main()
