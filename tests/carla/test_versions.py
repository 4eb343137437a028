"""The adapter under other clients, each against the stand-in that speaks its version.

HARTSIM_CARLA_PYTHONS names interpreters that have them, such as `0.9.15=/venv/bin/python`,
separated by commas; without an interpreter a version is skipped.
"""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("carla")
pytestmark = pytest.mark.carla

ROOT = Path(__file__).parents[2]
PYTHONS = dict(
    each.split("=", 1) for each in os.environ.get("HARTSIM_CARLA_PYTHONS", "").split(",") if each
)
WALK = """
import json, sys
import carla
import numpy as np
from hartsim.adapters.carla.capabilities import NEEDED, PAINTING, lacking
from hartsim.adapters.carla.connection import ServerAddress
from hartsim.adapters.carla.guard import file_of
from hartsim.adapters.carla.world import CarlaWorld
from hartsim.errors import WorldError
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.library import find_scenarios
from hartsim.scenario.load import load_scenario
from tests.carla.children import condition

port = int(sys.argv[1])
before, told = condition(port), {"lacks": lacking(carla, (*NEEDED, *PAINTING))}
scene = compile_draw(load_scenario(find_scenarios(["stopped_car_fog"])[0]), 0, 0)
with CarlaWorld(ServerAddress(port=port), (96, 96), map_name="current", traffic=True) as world:
    world.setup(scene)
    state = world.step(np.array([0.0, 0.5]), 0.2)
    frame = world.capture()["front"]
    seen = {each.name: int((frame.instances == each.id).sum()) for each in frame.table}
    told["seen"] = [name for name in state.hazards if seen[name] > 20]
    told["classes"] = len(np.unique(frame.labels))
    told["version"] = world.about()["server"]["server"]
    red = np.full((64, 64, 3), (255, 0, 0), np.uint8)
    told["painted"] = sorted(world.paint(dict.fromkeys(["facade_a", "facade_b"], red)))
    told["ego"] = world.about()["ego"]
told["changed"] = [name for name, value in condition(port).items() if value != before[name]]
told["left"] = file_of(ServerAddress(port=port)).exists()
print(json.dumps(told))
"""
COLLISION = """
import sys
from hartsim.adapters.carla.connection import ServerAddress
from hartsim.adapters.carla.world import CarlaWorld
from hartsim.errors import WorldError
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.library import find_scenarios
from hartsim.scenario.load import load_scenario

scene = compile_draw(load_scenario(find_scenarios(["stopped_car_fog"])[0]), 0, 0)
with CarlaWorld(ServerAddress(port=int(sys.argv[1])), (32, 32), map_name="current") as world:
    try:
        world.setup(scene)
    except WorldError as error:
        print(error)
"""


def run(version: str, program: str, server: Any, cache: Path) -> str:
    """What a program prints under the interpreter of a version's client."""
    if version not in PYTHONS:
        pytest.skip(f"no interpreter with the client {version}: HARTSIM_CARLA_PYTHONS names none")
    command = [PYTHONS[version], "-X", "faulthandler", "-c", program, str(server.port)]
    around = {**os.environ, "PYTHONPATH": str(ROOT), "HARTSIM_CACHE": str(cache)}
    done = subprocess.run(
        command, cwd=ROOT, env=around, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


@pytest.mark.parametrize("version", ["0.9.15", "0.10.0"])
def test_a_scene_is_shown_labelled_painted_and_put_back(
    version: str, standin: Callable[..., Any], tmp_path: Path
) -> None:
    server = standin(layout=version)
    told = json.loads(run(version, WALK, server, tmp_path / "cache").splitlines()[-1])
    assert told.pop("classes") >= 5
    assert told.pop("seen") != []
    assert told == {
        "lacks": [],
        "version": version,
        "painted": ["facade_a", "facade_b"],
        "ego": "vehicle.tesla.model3",
        "changed": [],
        "left": False,
    }


@pytest.mark.parametrize("version", ["0.9.15", "0.10.0"])
def test_a_place_that_is_taken_is_told_even_without_the_servers_reason(
    version: str, standin: Callable[..., Any], tmp_path: Path
) -> None:
    server = standin(layout=version, pictures="plain", collision=["vehicle.tesla.model3"])
    told = run(version, COLLISION, server, tmp_path / "cache")
    assert "cannot spawn vehicle.tesla.model3 as 'ego': something is in its way" in told


@pytest.mark.parametrize("layout", ["0.9.15", "0.10.0"])
def test_a_server_of_another_version_is_refused_before_its_streams_are_read(
    layout: str, standin: Callable[..., Any]
) -> None:
    from hartsim.adapters.carla.connection import ServerAddress, connect
    from hartsim.errors import WorldError

    server = standin(layout=layout, pictures="plain")
    with pytest.raises(WorldError, match=f"is version {layout}, the client is 0.9.16"):
        connect(ServerAddress(port=server.port))
    assert [call["call"] for call in server.calls()] == ["version"]
