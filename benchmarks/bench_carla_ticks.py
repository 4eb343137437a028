"""How many synchronous ticks a second a CARLA world makes, and what the adapter adds to each.

.venv/bin/python -m benchmarks.bench_carla_ticks [--json FILE]

Against the tests' stand-in server with pictures drawn beforehand, one camera of 256 px. A tick of
the adapter (step and look, or step and capture) is compared with one of the bare client that puts
the same actors into place, ticks and waits for the same pictures; rounds of both take turns.
CPU milliseconds are those of this process, which is disturbed less by others than the clock.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from hartsim.adapters.carla.connection import ServerAddress
from hartsim.adapters.carla.rig import RigConfig
from hartsim.adapters.carla.world import CarlaWorld
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.library import find_scenarios
from hartsim.scenario.load import load_scenario
from tests.carla_standin.process import start

ROUNDS, TICKS, TICK_S = 9, 60, 0.05
SCENE = "child_behind_van"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the ticks of a CARLA world.")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HARTSIM_CACHE"] = folder
        rows = [
            measure(Path(folder) / "colour", "colour alone", RigConfig(labels=False)),
            measure(Path(folder) / "labels", "colour, depth, classes, objects", RigConfig()),
        ]
    print(f"{'':34}{'ticks/s':>9}{'bare':>9}{'CPU ms':>9}{'bare':>9}{'added':>9}")
    for row in rows:
        numbers = [row["ticks_per_s"], row["bare_per_s"], row["cpu_ms"], row["bare_cpu_ms"]]
        print(f"{row['what']:34}" + "".join(f"{each:9.2f}" for each in [*numbers, row["added_ms"]]))
    if asked.json is not None:
        asked.json.write_text(json.dumps(rows, indent=1) + "\n")


def measure(folder: Path, what: str, rig: RigConfig) -> dict[str, Any]:
    """The medians of one rig."""
    server = start(folder, pictures="predrawn")
    try:
        address = ServerAddress(port=server.port)
        with CarlaWorld(address, (256, 256), "current", rig, TICK_S) as world:
            world.setup(compile_draw(load_scenario(find_scenarios([SCENE])[0]), 0, 0))
            see = world.capture if rig.labels else world.look

            def adapted() -> None:
                world.step(np.zeros(2), TICK_S)
                see()

            rounds = []
            for _ in range(ROUNDS + 1):
                ours = timed(adapted)
                with Bare(world) as bare:
                    rounds.append((ours, timed(bare.tick)))
    finally:
        server.stop()
    (clock, cpu), (bare_clock, bare_cpu) = (
        [statistics.median(values) for values in zip(*each, strict=True)]
        for each in zip(*rounds[1:], strict=True)
    )
    return {
        "what": what,
        "ticks_per_s": 1000 / clock,
        "bare_per_s": 1000 / bare_clock,
        "cpu_ms": cpu,
        "bare_cpu_ms": bare_cpu,
        "added_ms": cpu - bare_cpu,
    }


def timed(tick: Callable[[], None]) -> tuple[float, float]:
    """Milliseconds of clock and CPU that one tick takes, over a round of them."""
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(TICKS):
        tick()
    spent = time.perf_counter() - began, time.process_time() - cpu
    return spent[0] / TICKS * 1000, spent[1] / TICKS * 1000


class Bare:
    """The same tick by the client alone, with the adapter's cameras and callbacks of its own."""

    def __init__(self, world: CarlaWorld) -> None:
        import carla

        show, self.server = world._staged(), world._connection
        self.world, self.apply = world, carla.command.ApplyTransform
        actors = [show.ego.id, *(each.actor for each in show.play.staged.values())]
        self.places = {id: self.server.world.get_actor(id).get_transform() for id in actors}
        self.queues: list[SimpleQueue[tuple[int, Any]]] = []

    def __enter__(self) -> "Bare":
        assert self.world._rig is not None
        for stream in self.world._rig.streams.values():
            self.queues.append(SimpleQueue())
            stream.sensor.stop()
            stream.sensor.listen(_into(self.queues[-1]))
        for _ in range(10):  # a stream opens some time after it is listened to
            self.server.world.tick()
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        rig = self.world._rig
        assert rig is not None
        for stream in rig.streams.values():
            stream.listen()
        self.world._readings = rig.warm_up(self.world._tick)

    def tick(self) -> None:
        commands = [self.apply(id, place) for id, place in self.places.items()]
        self.server.client.apply_batch(commands)
        frame = self.server.world.tick()
        for queue in self.queues:
            while queue.get(timeout=5)[0] < frame:
                pass


def _into(queue: "SimpleQueue[tuple[int, Any]]") -> Callable[[Any], None]:
    return lambda image: queue.put((image.frame, bytes(image.raw_data)))


if __name__ == "__main__":
    main()
