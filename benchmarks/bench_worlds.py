"""How fast the embedded worlds draw: pictures, and complete labelled scenes, on one core.

Scenes come from the whole catalogue: every place, weather and time of day. Times are CPU times of
this process, so that other work on the machine distorts them little; the figures are what one free
core delivers. Run: python benchmarks/bench_worlds.py [--json]
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from statistics import fmean, median

os.environ.setdefault("OMP_NUM_THREADS", "1")

from rich.console import Console
from rich.table import Table

from hartsim.scenario.broad import broad_scenario
from hartsim.scenario.compiled import WorldSetup
from hartsim.scenario.compiler import compile_draw
from hartsim.types import Task
from hartsim.worlds.backend import probe
from hartsim.worlds.embedded import EmbeddedWorld

SIZE_PX = (256, 256)
SCENES, REPEATS = 24, 3
GOALS = {"pictures, no shadows": 60.0, "labelled scenes": 12.0}
NAMES: dict[Task, str] = {"driving": "street", "robot": "table top"}

Work = Callable[[WorldSetup], object]


def scenes(task: Task) -> list[WorldSetup]:
    """Scenes of the whole catalogue, always the same."""
    return [
        compile_draw(broad_scenario(task, seed), seed, 0).setup
        for seed in range(7000, 7000 + SCENES)
    ]


def per_second(setups: Sequence[WorldSetup], before: Work, work: Work) -> float:
    """How often `work` can be done in a second: from the mean over scenes of their median times."""
    times = []
    for setup in setups:
        own = []
        for _ in range(REPEATS):
            before(setup)
            started = time.process_time()
            work(setup)
            own.append(time.process_time() - started)
        times.append(median(own))
    return 1 / fmean(times)


def measure(task: Task) -> dict[str, float]:
    """Rates per second, by what is done."""
    setups = scenes(task)
    with (
        closing(EmbeddedWorld(task, SIZE_PX, shadows=False, supersample=1)) as fast,
        closing(EmbeddedWorld(task, SIZE_PX)) as fine,
    ):

        def shown(world: EmbeddedWorld) -> Work:
            def show(setup: WorldSetup) -> None:
                world.show(setup)
                world.look(["front"])

            return show

        def labelled(setup: WorldSetup) -> None:
            fine.show(setup)
            fine.capture(["front"])

        for setup in setups:  # textures and meshes are made once for each process
            fast.show(setup)
            labelled(setup)
        return {
            "pictures, no shadows": per_second(setups, shown(fast), lambda _: fast.look(["front"])),
            "pictures, shadows, supersampled": per_second(
                setups, shown(fine), lambda _: fine.look(["front"])
            ),
            "labelled frames": per_second(setups, shown(fine), lambda _: fine.capture(["front"])),
            "labelled scenes": per_second(setups, lambda _: None, labelled),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args()
    rates = {NAMES[task]: measure(task) for task in NAMES}
    if asked.json:
        print(json.dumps({"backend": probe(), "size_px": SIZE_PX, "per_second": rates}, indent=2))
        return
    for world, by_name in rates.items():
        table = Table(f"{world}, 256 px, one core", "per second", "ms", "goal")
        for name, rate in by_name.items():
            goal = f"{GOALS[name]:g}" if name in GOALS else ""
            table.add_row(name, f"{rate:.1f}", f"{1000 / rate:.1f}", goal)
        Console().print(table)


if __name__ == "__main__":
    main()
