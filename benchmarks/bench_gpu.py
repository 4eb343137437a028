"""Everything that is to be known of a CUDA device, in one run of a quarter of an hour.

.venv/bin/python benchmarks/bench_gpu.py [--out DIR] [--budget-s 840]
.venv/bin/python benchmarks/bench_gpu.py --rehearse     the same, small, on a CPU

Steps go from the most to the least important: HART's 0.7B shape with random weights at 512 and at
1024 px (the same mathematics as the reference's), each switch of the fast mode with its gain and
its drift, the tests that need a GPU, and the peers. Every step is a process of its own that writes
its file as soon as it knows something; `gpu-run.json` says what was done, cut off, or left out
because the rest of the budget was too short for it.
"""

import argparse
import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from hartsim.bench.machine import set_up, this_machine, timed
from hartsim.bench.plan import subject_config
from hartsim.bench.records import Machine, Timing
from hartsim.bench.show import seconds
from hartsim.bench.subject import Subject, random_hart, subject_of, with_settings
from hartsim.hart.config import HartConfig

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
LAST_SCALES = 2
SPARE_S = 5.0
SAID = 2000
"""Characters that are kept of what a step printed."""

Status = Literal["done", "failed", "cut off", "left out"]


@dataclass(frozen=True)
class Switch:
    """One way to be faster."""

    name: str
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Fields of `SamplingSettings` that are changed."""
    precision: str | None = None
    """None is that of the run."""
    fuse: bool = False
    """Compile the blocks: the same mathematics, on CUDA alone."""
    light: bool = False
    """A decoder of fewer channels, with random weights: what it draws is not to be compared."""


# New switches of the fast mode go here, and nowhere else in this file.
def variants(config: HartConfig, device: torch.device) -> list[Switch]:
    """The fast mode's switches, each alone.

    The first is what all others are compared with.
    """
    scales = len(config.transformer.patch_nums)
    fewer = {"guided_scales": scales - LAST_SCALES}
    quantised = "fp8" if device.type == "cuda" else "int8"
    switches = [
        Switch("4 residual steps", {"residual_steps": 4}),
        Switch("2 residual steps", {"residual_steps": 2}),
        Switch(f"no guidance at the last {LAST_SCALES} scales", fewer),
        Switch("half of the last scale's tokens", {"kept_tokens": 0.5}),
        Switch(quantised, precision=quantised),
        Switch("light decoder", light=True),
    ]
    together: dict[str, Any] = {}
    for switch in switches:
        together |= switch.settings
    fused = [Switch("fused kernels", fuse=True)] if device.type == "cuda" else []
    all_of_them = Switch("all of these", together, quantised, light=True)
    return [Switch("same maths"), *switches, all_of_them, *fused]


@dataclass(frozen=True)
class Variant:
    """What one switch brings and what it changes."""

    name: str
    settings: dict[str, Any]
    precision: str
    latency: Timing
    batch: int
    images_per_s: float
    gain: float
    """The first variant's latency over this one's."""
    psnr_db: float | None
    """Of its pictures to the first variant's with the same noise; None for equal ones."""
    mean_difference: float
    """Of pixels from 0 to 255."""


@dataclass(frozen=True)
class VariantsReport:
    """All variants of one size of pictures."""

    machine: Machine
    model: str
    size_px: int
    precision: str
    variants: tuple[Variant, ...]


@dataclass(frozen=True)
class Step:
    """One process of the run."""

    name: str
    command: tuple[str, ...]
    least_s: float
    """With less time left, it is not begun."""


@dataclass(frozen=True)
class Done:
    """What became of a step."""

    name: str
    status: Status
    seconds: float
    said: str
    """The end of what it printed, unless it is done."""


def steps(out: Path, rehearse: bool) -> list[Step]:
    """In the order of their importance."""
    python, here = sys.executable, str(Path(__file__).resolve())
    speed = (python, "-m", "hartsim", "bench", "speed")
    if rehearse:
        sizes: Sequence[tuple[int, str, str]] = [(32, "1,2", "2")]
        model, precision, device = "tiny", "fp32", "cpu"
        peers: tuple[str, ...] = ("--only", "SANA-Sprint-0.6B", "--runs", "1", "--threads", "1")
    else:
        sizes = [(512, "1,4,16,32", "20"), (1024, "1,2,4,8", "20")]
        model, precision, device = "0.7b", "bf16", "cuda"
        peers = ()
    found = []
    for size, batches, runs in sizes:
        options = ("--model", model, "--size-px", str(size), "--precision", precision)
        options += ("--device", device, "--runs", runs)
        file = str(out / f"gpu-speed-{size}.json")
        command = (*speed, *options, "--batch", batches, "--json", file)
        found.append(Step(f"speed {size} px", command, 0 if rehearse else 90))
    for size, batches, runs in sizes:
        options = ("--variants", str(size), "--model", model, "--precision", precision)
        options += ("--device", device, "--runs", runs, "--batch", batches.split(",")[-1])
        command = (python, here, *options, "--out", str(out))
        found.append(Step(f"variants {size} px", command, 0 if rehearse else 60))
    pytest = (python, "-m", "pytest", str(ROOT / "tests"), "-m", "gpu", "-q")
    found.append(Step("tests", pytest, 0 if rehearse else 60))
    file = str(out / "gpu-peers.json")
    script = str(ROOT / "benchmarks" / "bench_peers.py")
    command = (python, script, "--device", device, *peers, "--json", file)
    found.append(Step("peers", command, 0 if rehearse else 120))
    return found


def carry_out(found: Sequence[Step], budget_s: float) -> Iterator[Done]:
    """Step after step, within the budget."""
    end = time.monotonic() + budget_s
    for step in found:
        left = end - time.monotonic()
        if left < step.least_s + SPARE_S:
            needs = f"{left:.0f} s are left, it needs {step.least_s:.0f}"
            yield Done(step.name, "left out", 0.0, needs)
            continue
        started = time.monotonic()
        status, said = _run(step.command, left - SPARE_S)
        yield Done(step.name, status, time.monotonic() - started, said)


def _run(command: Sequence[str], limit_s: float) -> tuple[Status, str]:
    """What became of a process, and the end of what it said unless all went well."""
    both: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    # A group of its own, so that none of its children outlives it and keeps the device busy.
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, **both)
    try:
        said, _ = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        return "cut off", said[-SAID:]
    # pytest ends with 5 where no test is marked so.
    return ("done", "") if process.returncode in (0, 5) else ("failed", said[-SAID:])


def measure_variants(
    model: str, size_px: int, precision: str, device: torch.device, runs: int, batch: int
) -> Iterator[VariantsReport]:
    """The report, longer by one variant each time."""
    config = subject_config(model, size_px)
    report = VariantsReport(this_machine(device), model, size_px, precision, ())
    subjects: dict[tuple[str, bool, bool], Subject] = {}
    for switch in variants(config, device):
        chosen = (switch.precision or precision, switch.fuse, switch.light)
        if chosen not in subjects:
            hart = random_hart(with_light_decoder(config) if switch.light else config, device)
            subjects[chosen] = subject_of(model, hart, *chosen[:2])
        subject = with_settings(subjects[chosen], switch.settings)
        latency = _laps(subject.draw, runs, device)
        together = _laps(partial(subject.draw, batch), 2, device)
        first = report.variants[0].latency if report.variants else latency
        found = Variant(
            name=switch.name,
            settings=switch.settings,
            precision=chosen[0],
            latency=latency,
            batch=batch,
            images_per_s=batch / together.wall_s,
            gain=first.wall_s / latency.wall_s,
            **_drift(subjects[precision, False, False].draw(2), subject.draw(2)),
        )
        report = dataclasses.replace(report, variants=(*report.variants, found))
        yield report


def with_light_decoder(config: HartConfig) -> HartConfig:
    """The same model with two fifths of the decoder's channels, as far as its norms allow."""
    tokenizer = config.tokenizer
    groups = tokenizer.norm_groups
    channels = max(1, round(0.4 * tokenizer.ch / groups)) * groups
    light = dataclasses.replace(tokenizer, decoder_ch=channels)
    return dataclasses.replace(config, tokenizer=light)


def _laps(work: Callable[[], object], runs: int, device: torch.device) -> Timing:
    work()
    return Timing.of([timed(work, device) for _ in range(runs)])


def _drift(first: Tensor, other: Tensor) -> dict[str, Any]:
    """How far pictures, uint8, are from the first's."""
    difference = first.float() - other.float()
    square = difference.square().mean()
    psnr = None if square == 0 else float(20 * torch.log10(255 / square.sqrt()))
    return {"psnr_db": psnr, "mean_difference": float(difference.abs().mean())}


def rows(report: VariantsReport) -> list[list[str]]:
    """The variants as words; the first row says what the columns are."""
    found = [[f"{report.model}, {report.size_px} px", "latency", "gain", "pictures/s", "drift"]]
    for each in report.variants:
        psnr = "none" if each.psnr_db is None else f"PSNR {each.psnr_db:.1f} dB"
        many = f"{each.images_per_s:.3g} ({each.batch})"
        found.append([each.name, seconds(each.latency.wall_s), f"{each.gain:.2f}x", many, psnr])
    return found


def heading(report: VariantsReport) -> str:
    """What was measured, and where."""
    m = report.machine
    return (
        f"{report.model}, {report.size_px} px, {report.precision}, random weights, text given; "
        f"drift is from the pictures of the first row; {m.gpu or m.cpu}, PyTorch {m.torch}"
    )


def write(value: object, file: Path) -> None:
    """As JSON."""
    file.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def parsed() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--out", type=Path, help="folder of the results; default benchmarks/results"
    )
    parser.add_argument("--budget-s", type=float, default=840.0, help="what all steps may take")
    parser.add_argument("--rehearse", action="store_true", help="go through it on a CPU, small")
    one = parser.add_argument_group("one step of it")
    one.add_argument("--variants", type=int, metavar="PX", help="the fast mode's switches")
    one.add_argument("--model", default="0.7b")
    one.add_argument("--precision", default="bf16")
    one.add_argument("--device", default="cuda")
    one.add_argument("--runs", type=int, default=20)
    one.add_argument("--batch", type=int, default=8)
    return parser.parse_args()


def main() -> None:
    asked = parsed()
    if asked.variants:
        device = set_up(asked.device, None)
        for report in measure_variants(
            asked.model, asked.variants, asked.precision, device, asked.runs, asked.batch
        ):
            words = {"heading": heading(report), "rows": rows(report)}
            file = asked.out / f"gpu-variants-{asked.variants}.json"
            write({**dataclasses.asdict(report), **words}, file)
        return
    if not asked.rehearse and not torch.cuda.is_available():
        print("nothing measured: no CUDA device; --rehearse goes through it on a CPU")
        return
    out = asked.out or (Path(tempfile.mkdtemp()) if asked.rehearse else RESULTS)
    out.mkdir(parents=True, exist_ok=True)
    screen, done = Console(soft_wrap=True, highlight=False), list[Done]()
    for each in carry_out(steps(out, asked.rehearse), asked.budget_s):
        done.append(each)
        write([dataclasses.asdict(one) for one in done], out / "gpu-run.json")
        screen.print(f"{each.name}: {each.status} after {seconds(each.seconds)}")
        if each.said:
            screen.print(each.said, markup=False)
    for file in sorted(out.glob("gpu-variants-*.json")):
        first, *others = json.loads(file.read_text(encoding="utf-8"))["rows"]
        table = Table(*first, box=None, pad_edge=False)
        for row in others:
            table.add_row(*row)
        screen.print(table)
    screen.print(f"results → {out}")


if __name__ == "__main__":
    main()
