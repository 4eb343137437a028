"""What one picture takes as a command, from nothing: the process, its imports, the picture.

.venv/bin/python benchmarks/bench_cold.py [--runs 5] [--json FILE]

In every round three processes run one after the other: `hartsim render`, one that imports all
modules that `hartsim render` had loaded at its end, and one that does nothing. The first round
warms the caches of the disk and is not counted.
"""

import argparse
import dataclasses
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from hartsim.bench.machine import this_machine
from hartsim.bench.records import Lap
from hartsim.bench.show import seconds

SENTENCE = "a deer on a snowy road at night"

LIST_MODULES = """
import json, sys
from hartsim.cli import run
code = run(["render", sys.argv[1], "--out", sys.argv[2]])
with open(sys.argv[3], "w") as file:
    json.dump(list(sys.modules), file)
sys.exit(code)
"""
IMPORT_MODULES = """
import importlib, json, sys
with open(sys.argv[1]) as file:
    names = json.load(file)
for name in names:
    try:
        importlib.import_module(name)
    except ImportError:  # a module that others make while they run
        pass
"""


def lap(*arguments: str) -> Lap:
    """One Python process from its start to its end."""
    before, started = _cpu_of_children(), time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return Lap(time.perf_counter() - started, _cpu_of_children() - before)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(runs: int, scratch: Path) -> list[list[str]]:
    """The table; the first row says what the columns are."""
    picture, modules = str(scratch / "picture.png"), str(scratch / "modules.json")
    lap("-c", LIST_MODULES, SENTENCE, picture, modules)
    processes = {
        "hartsim render": ("-m", "hartsim", "render", SENTENCE, "--out", picture),
        "  of it Python and imports": ("-c", IMPORT_MODULES, modules),
        "  of that Python alone": ("-c", "pass"),
    }
    laps: dict[str, list[Lap]] = {name: [] for name in processes}
    for turn in range(runs + 1):
        for name, arguments in processes.items():
            found = lap(*arguments)
            if turn:
                laps[name].append(found)
    whole = statistics.median(each.wall_s for each in laps["hartsim render"])
    rows = [["process", "wall", "least", "most", "CPU time", "of the whole"]]
    return rows + [[name, *cells(each, whole)] for name, each in laps.items()]


def cells(laps: Sequence[Lap], whole_s: float) -> list[str]:
    """Median, least and most wall time, median CPU time, and the share of the whole command."""
    walls = [each.wall_s for each in laps]
    cpu_s = statistics.median(each.cpu_s for each in laps)
    times = statistics.median(walls), min(walls), max(walls), cpu_s
    return [*map(seconds, times), f"{100 * times[0] / whole_s:.0f} %"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path, help="file of the results")
    asked = parser.parse_args()
    if asked.runs < 1:
        parser.error(f"--runs is {asked.runs}, must be at least 1")
    machine = this_machine(torch.device("cpu"))
    with tempfile.TemporaryDirectory(prefix="hartsim-bench-") as scratch:
        rows = measure(asked.runs, Path(scratch))
    for row in rows:
        print("".join(f"{cell:30}" if i == 0 else f"{cell:>14}" for i, cell in enumerate(row)))
    if asked.json:
        where = f"{machine.cpu}, {machine.cores} cores, load {machine.load:.1f}"
        heading = f'`hartsim render "{SENTENCE}"`, {asked.runs} runs, medians; {where}, PyTorch '
        content = {
            "heading": heading + machine.torch,
            "machine": dataclasses.asdict(machine),
            "rows": rows,
        }
        asked.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
