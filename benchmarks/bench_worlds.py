"""How fast the embedded street draws: pictures, and complete labelled scenes, on one core.

Times are CPU times of this process, so that other work on the machine distorts them little; the
figures are what one free core delivers. Run: python benchmarks/bench_worlds.py [--json]
"""

import argparse
import json
import math
import os
import time
from collections.abc import Callable
from statistics import median

os.environ.setdefault("OMP_NUM_THREADS", "1")

from rich.console import Console
from rich.table import Table

from hartsim.scenario.compiled import CameraSetup, Conditions, PlacedObject, WorldSetup
from hartsim.types import Box3D
from hartsim.worlds.backend import probe
from hartsim.worlds.embedded import EmbeddedWorld

SIZE_PX = (256, 256)
REPEATS = 5
WEATHERS = {
    "clear": {"cloud": 0.1},
    "overcast": {"cloud": 0.9},
    "rain": {"cloud": 0.95, "rain": 0.7, "visibility_m": 260.0, "wetness": 0.85},
    "fog": {"cloud": 0.9, "visibility_m": 60.0},
}
PLACES = ("residential_street", "city_street", "highway", "country_road")
GOALS = {"pictures, no shadows": 60.0, "labelled scenes": 12.0}


def scenes() -> list[WorldSetup]:
    """Every place in four weathers, by day, at dusk and at night in turn."""
    deer = Box3D((12.0, 0.0, 0.72), (1.6, 0.45, 1.45), 1.4)
    hazard = PlacedObject("deer", "deer", "animal", True, (), deer)
    camera = CameraSetup("front", (0.6, 0.0, 1.5), math.radians(-4), 0.0, math.radians(55))
    found = []
    for index, place in enumerate(PLACES):
        for number, (weather, air) in enumerate(WEATHERS.items()):
            hour = ("day", "day", "dusk", "night")[(index + number) % 4]
            conditions = Conditions(place, weather, hour, **air)
            seed = 10 * index + number
            found.append(WorldSetup("driving", conditions, (hazard,), (camera,), seed))
    return found


def per_second(work: Callable[[WorldSetup], None], before: Callable[[WorldSetup], None]) -> float:
    """How often `work` can be done in a second: the median over scenes of their median time."""
    times = []
    for setup in scenes():
        own = []
        for _ in range(REPEATS):
            before(setup)
            started = time.process_time()
            work(setup)
            own.append(time.process_time() - started)
        times.append(median(own))
    return len(times) / sum(times)


def measure() -> dict[str, float]:
    """Rates per second, by what is done."""
    fast = EmbeddedWorld("driving", SIZE_PX, shadows=False, supersample=1)
    fine = EmbeddedWorld("driving", SIZE_PX)
    for setup in scenes():
        fast.show(setup)
        fine.show(setup)
        fine.capture()
    rates = {
        "pictures, no shadows": per_second(lambda _: fast.look() and None, _shown(fast)),
        "pictures, shadows, supersampled": per_second(lambda _: fine.look() and None, _shown(fine)),
        "labelled frames": per_second(lambda _: fine.capture() and None, _shown(fine)),
        "labelled scenes": per_second(lambda setup: _scene(fine, setup), lambda _: None),
    }
    fast.close()
    fine.close()
    return rates


def _shown(world: EmbeddedWorld) -> Callable[[WorldSetup], None]:
    def show(setup: WorldSetup) -> None:
        world.show(setup)
        world.look()

    return show


def _scene(world: EmbeddedWorld, setup: WorldSetup) -> None:
    world.show(setup)
    world.capture()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args()
    rates = measure()
    if asked.json:
        print(json.dumps({"backend": probe(), "size_px": SIZE_PX, "per_second": rates}, indent=2))
        return
    table = Table("street, 256 px, one core", "per second", "ms", "goal")
    for name, rate in rates.items():
        goal = f"{GOALS[name]:g}" if name in GOALS else ""
        table.add_row(name, f"{rate:.1f}", f"{1000 / rate:.1f}", goal)
    Console().print(table)


if __name__ == "__main__":
    main()
