"""What the faster ways of painting cost in likeness: hart-mini, its own weights, the same noise.

.venv/bin/python benchmarks/bench_drift.py [--scenarios 24] [--json FILE]

A picture is held against the one that float32 and all steps make of the same prompt and noise. The
last row is the yardstick: another noise, so another picture of the same prompt. For precisions,
whose pictures part as soon as one code is drawn differently, the scores are compared as well, each
scale given the true codes before it.
"""

import argparse
import dataclasses
import json
import math
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from hartsim.bench.machine import this_machine
from hartsim.hart.model import Hart
from hartsim.hart.noise import KeyedNoise
from hartsim.hart.prepared import prepare
from hartsim.hart.renderer import find_hart
from hartsim.hart.sampling import SamplingSettings, generate
from hartsim.hart.tokenizer import to_pixels
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.library import library_scenarios
from hartsim.scenario.load import load_scenario

Switch = tuple[str, str, dict[str, object]]


def switches(scales: int) -> list[Switch]:
    """Name, precision and changed settings of every way; the first is what others are held to."""
    return [
        ("float32, all steps", "fp32", {}),
        ("bfloat16", "bf16", {}),
        ("int8", "int8", {}),
        ("4 residual steps", "fp32", {"residual_steps": 4}),
        ("2 residual steps", "fp32", {"residual_steps": 2}),
        ("no guidance at the last 2 scales", "fp32", {"guided_scales": scales - 2}),
        ("half of the last scale's tokens", "fp32", {"kept_tokens": 0.5}),
    ]


def prompts(count: int) -> list[str]:
    """A view of each of so many scenarios, spread over the library."""
    paths = sorted(library_scenarios().values())
    picked = [paths[i * len(paths) // count] for i in range(count)]
    scenes = [compile_draw(load_scenario(path), 0, 0) for path in picked]
    return [next(iter(scene.view_prompts.values())) for scene in scenes]


def paint(
    hart: Hart, settings: SamplingSettings, asked: Sequence[str], key: str = ""
) -> tuple[list[Tensor], float]:
    """Pictures (H, W, 3), and the median CPU time of one."""
    pictures, seconds = [], []
    for number, prompt in enumerate(asked):
        context = hart.text.encode([prompt])
        started = time.process_time()
        latent = generate(hart, context, KeyedNoise.of([f"{number}{key}"]), settings)
        pictures.append(to_pixels(hart.tokenizer.decode(latent))[0].float())
        seconds.append(time.process_time() - started)
    return pictures, statistics.median(seconds)


def likeness(pictures: Sequence[Tensor], others: Sequence[Tensor]) -> float:
    """Median PSNR in dB."""
    errors = [(a - b).square().mean().item() for a, b in zip(pictures, others, strict=True)]
    return statistics.median(10 * math.log10(255**2 / max(error, 1e-3)) for error in errors)


def scores(hart: Hart, asked: Sequence[str], pictures: Sequence[Tensor]) -> Tensor:
    """Scores (N, L, V) of all codes of the pictures, given those before them."""
    rows = []
    for prompt, picture in zip(asked, pictures, strict=True):
        image = picture.permute(2, 0, 1)[None] / 127.5 - 1
        quantized = hart.tokenizer.encode(image)
        inputs = hart.tokenizer.quantizer.next_inputs(quantized)
        rows.append(hart.transformer(hart.text.encode([prompt]), inputs).logits)
    return torch.cat(rows)


@torch.inference_mode()
def measure(count: int) -> list[list[str]]:
    """The table; the first row says what the columns are."""
    asked, found = prompts(count), [["way", "CPU time", "PSNR", "same best code", "divergence"]]
    settings = SamplingSettings.of(find_hart("mini", None).config)
    scales = len(find_hart("mini", None).config.transformer.patch_nums)
    whole = prepare(find_hart("mini", None), "fp32")
    first, base = paint(whole, settings, asked)
    expected = scores(whole, asked, first)
    for name, precision, changes in switches(scales):
        hart = whole if precision == "fp32" else prepare(find_hart("mini", None), precision)
        pictures, seconds = paint(hart, dataclasses.replace(settings, **changes), asked)
        row = [name, f"{1000 * seconds:.0f} ms ({seconds / base:.2f}x)"]
        row.append(f"{likeness(first, pictures):.1f} dB" if name != "float32, all steps" else "-")
        if precision != "fp32":
            seen = scores(hart, asked, first)
            same = (seen.argmax(-1) == expected.argmax(-1)).float().mean().item()
            logs = seen.log_softmax(-1), expected.log_softmax(-1)
            nats = functional.kl_div(*logs, reduction="none", log_target=True).sum(-1).mean()
            row += [f"{100 * same:.1f} %", f"{nats.item():.5f} nats"]
        found.append([*row, *["-"] * (5 - len(row))])
    pictures, _ = paint(whole, settings, asked, key="/another")
    found.append(["another noise", "-", f"{likeness(first, pictures):.1f} dB", "-", "-"])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenarios", type=int, default=24)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="file of the results")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    rows = measure(asked.scenarios)
    for row in rows:
        print("".join(f"{cell:34}" if i == 0 else f"{cell:>20}" for i, cell in enumerate(row)))
    if asked.json:
        machine = this_machine(torch.device("cpu"))
        where = f"{machine.cpu}, PyTorch {machine.torch}"
        heading = f"hart-mini, {asked.scenarios} scenarios, medians; {where}"
        content = {"heading": heading, "machine": dataclasses.asdict(machine), "rows": rows}
        asked.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
