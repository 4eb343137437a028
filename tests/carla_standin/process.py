"""Stand-in servers, and clients, in processes of their own: a client's crash ends its process."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
        assert self.process.stdout is not None
        self.process.stdout.close()


def start(folder: Path, **knobs: Any) -> StandIn:
    """A stand-in server with these knobs (see `tests.carla_standin.knobs`), ready for clients.

    Its log, and its recordings, go to the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "calls.jsonl"
    command = [sys.executable, "-m", "tests.carla_standin"]
    command += flags({"log": str(log), "folder": str(folder), "parent": os.getpid(), **knobs})
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    ready = process.stdout.readline().split()
    if ready[:1] != ["ready"]:
        process.kill()
        raise RuntimeError(f"the stand-in did not start: {' '.join(command)}")
    return StandIn(int(ready[1]), log, process)


def run_client(module: str, *arguments: object, limit_s: float = 180.0) -> str:
    """What a client prints that runs as a module; AssertionError if it fails."""
    command = [sys.executable, "-X", "faulthandler", "-m", module, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=limit_s)
    assert done.returncode == 0, f"{module} ended with {done.returncode}: {done.stderr[-3000:]}"
    return done.stdout
