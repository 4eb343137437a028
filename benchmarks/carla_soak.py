"""Run after run against one stand-in server: none may fail, leave an actor behind or differ.

.venv/bin/python -m benchmarks.carla_soak [--count 20] [--json FILE]

Every run is a process of its own, with four cameras, a lidar and paint; what it leaves is told by
the server's log of calls and by a client that looks afterwards.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.carla.children import condition
from tests.carla_standin.process import start
from tests.integration.carla_runs import alive, begin, words, write_scenarios

SAME = ("settings", "weather", "map", "spectator")
LIMIT_S = 300.0


def main() -> None:
    parser = argparse.ArgumentParser(description="Repeat runs of hartsim carla and count faults.")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--pictures", default="plain", help="plain, street or predrawn")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = soak(Path(folder), asked.count, asked.pictures)
    for name, value in told.items():
        print(f"{name:24}{value}")
    if asked.json is not None:
        asked.json.write_text(json.dumps(told, indent=1) + "\n")


def soak(folder: Path, count: int, pictures: str) -> dict[str, Any]:
    """How many of so many runs failed, leaked, changed the server, or made other bytes."""
    server = start(folder / "server", pictures=pictures)
    scenarios = write_scenarios(folder / "scenarios")
    before = condition(server.port)
    told = {"runs": 0, "failed": 0, "leaked actors": 0, "server changed": 0, "other bytes": 0}
    first, started = "", time.monotonic()
    for number in range(count):
        out = folder / f"run {number}"
        process = begin(words(scenarios, server.port, out), folder / "cache")
        _, errors = process.communicate(timeout=LIMIT_S)
        told["runs"] += 1
        if process.returncode != 0:
            told["failed"] += 1
            print(f"run {number} ended with {process.returncode}: {errors[-500:]}")
            continue
        manifest = (out / "manifest.jsonl").read_text()
        first = first or manifest
        told["other bytes"] += manifest != first
        if manifest != first:
            print(f"run {number} differs from the first in {_difference(first, manifest)}")
        after = condition(server.port)
        told["server changed"] += any(before[name] != after[name] for name in SAME)
        told["leaked actors"] += max(0, len(after["actors"]) - len(before["actors"]))
    told["leaked by the log"] = alive(server.calls())
    server.stop()
    return {**told, "calls": len(server.calls()), "seconds": round(time.monotonic() - started)}


def _difference(first: str, other: str) -> str:
    """The first sample and key in which two manifests differ."""
    for one, two in zip(first.splitlines(), other.splitlines(), strict=False):
        theirs, ours = json.loads(one), json.loads(two)
        if theirs != ours:
            keys = [name for name in theirs if theirs[name] != ours.get(name)]
            files = [
                name for name in theirs["files"] if theirs["files"][name] != ours["files"].get(name)
            ]
            return f"{theirs['id']}: {', '.join(keys)}; files: {', '.join(files)}"
    return "the number of its samples"


if __name__ == "__main__":
    main()
