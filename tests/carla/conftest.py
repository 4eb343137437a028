"""The fixture `standin`: stand-in servers in processes of their own, stopped after each test."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.carla_standin.knobs import flags

ROOT = Path(__file__).parents[2]


@dataclass
class StandIn:
    """A running stand-in server."""

    port: int
    log: Path
    process: "subprocess.Popen[str]"

    def calls(self, *names: str) -> list[dict[str, Any]]:
        """The calls that arrived, or those of these names: {"call", "args", "time_s"} each."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        calls = [json.loads(line) for line in lines]
        return [call for call in calls if not names or call["call"] in names]

    def stop(self) -> None:
        """Kill the server; doing so twice is harmless."""
        self.process.kill()
        self.process.wait()


def start(folder: Path, **knobs: Any) -> StandIn:
    """A stand-in server with these knobs (see `tests.carla_standin.knobs`), ready for clients."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "calls.jsonl"
    command = [sys.executable, "-m", "tests.carla_standin"]
    command += flags({"log": str(log), "folder": str(folder), **knobs})
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    ready = process.stdout.readline().split()
    if ready[:1] != ["ready"]:
        process.kill()
        raise RuntimeError(f"the stand-in did not start: {' '.join(command)}")
    return StandIn(int(ready[1]), log, process)


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[Callable[..., StandIn]]:
    """Starts stand-in servers: `standin(pictures="plain", delay_s=0.1)`."""
    pytest.importorskip("carla")
    running: list[StandIn] = []

    def run(**knobs: Any) -> StandIn:
        server = start(tmp_path / f"server{len(running)}", **knobs)
        running.append(server)
        return server

    yield run
    for server in running:
        server.stop()
        assert server.process.stdout is not None
        server.process.stdout.close()
