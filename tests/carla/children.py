"""Programs in processes of their own, and what a server is like, for tests of what they leave."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PREAMBLE = """
import faulthandler, sys, time
faulthandler.enable()
import numpy as np
from hartsim.adapters.carla.connection import ServerAddress, connect
from hartsim.adapters.carla.guard import Guard
from hartsim.adapters.carla.rig import RigConfig
from hartsim.adapters.carla.world import CarlaWorld
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.library import find_scenarios
from hartsim.scenario.load import load_scenario

address = ServerAddress(port=int(sys.argv[1]), tm_port=int(sys.argv[2]), timeout_s=10)


def scene(name, index=0):
    return compile_draw(load_scenario(find_scenarios([name])[0]), 0, index)


def world(**how):
    return CarlaWorld(address, (64, 64), **{"map_name": "current", **how})


def say(text):
    print(text, flush=True)
"""

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 60


def begin(program: str, server: Any, cache: Path, tm_port: int = 8000) -> "subprocess.Popen[str]":
    """Start a program, after the preamble, against a server."""
    environment = {**os.environ, "HARTSIM_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PREAMBLE + program, str(server.port), str(tm_port)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True)


def line_of(child: "subprocess.Popen[str]") -> str:
    """The next line that a child prints."""
    assert child.stdout is not None
    return child.stdout.readline().strip()


def end(child: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """Wait for a child: its exit status, and the rest of what it printed and complained."""
    try:
        out, errors = child.communicate(timeout=TIMEOUT_S)
    finally:
        child.kill()
    return child.returncode, out, errors


def run(program: str, server: Any, cache: Path, tm_port: int = 8000) -> str:
    """What a program prints; it must end well."""
    status, out, errors = end(begin(program, server, cache, tm_port))
    assert status == 0, errors
    return out


def condition(port: int) -> dict[str, Any]:
    """What a server is like, told by a client of its own."""
    from hartsim.adapters.carla.connection import ServerAddress, connect
    from hartsim.adapters.carla.guard import properties, settle

    connection = connect(ServerAddress(port=port, timeout_s=5.0))
    settle(connection)
    world = connection.world
    actors = world.get_actors()
    lights = actors.filter("traffic.traffic_light*")
    at = world.get_spectator().get_transform()
    return {
        "settings": properties(world.get_settings()),
        "weather": properties(world.get_weather()),
        "actors": sorted((each.id, each.type_id) for each in actors),
        "map": world.get_map().name,
        "held lights": [str(each.get_state()) for each in lights if each.is_frozen()],
        "spectator": (at.location.x, at.location.y, at.location.z, at.rotation.yaw),
    }
