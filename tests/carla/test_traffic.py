"""Traffic that CARLA's own manager drives: in children, since its thread can end a process."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.carla.children import begin, condition, end, line_of, run

pytest.importorskip("carla")
pytestmark = [pytest.mark.carla, pytest.mark.slow]

DRIVE = """
import json
from dataclasses import replace


def busy(name):
    made = scene(name)
    return replace(made, setup=replace(made.setup, traffic=0.2))


def places(carla_world):
    boxes = carla_world.obstacles()
    return {n: [round(c, 3) for c in b.centre_m] for n, b in boxes.items() if "traffic" in n}


carla_world = world(traffic=True)
carla_world.setup(busy("child_behind_van"))
before = places(carla_world)
for _ in range(20):
    carla_world.step(np.array([0.0, -1.0]), 0.1)
frame = carla_world.capture()["front"]
seen = sorted(each.name for each in frame.table if not each.hazard)
"""
TELL = """
say(json.dumps([before, places(carla_world), seen]))
"""


@pytest.fixture
def server(standin: Callable[..., Any]) -> Any:
    """A server that draws boxes on a plain."""
    return standin(pictures="plain")


def driven(server: Any, cache: Path, more: str = "", tm_port: int = 8123) -> Any:
    return json.loads(run(DRIVE + TELL + more, server, cache, tm_port).splitlines()[0])


def test_cars_drive_by_themselves_and_are_labelled(server: Any, tmp_path: Path) -> None:
    before, after, seen = driven(server, tmp_path)
    assert len(before) >= 3
    moved = [name for name in before if name in after and before[name] != after[name]]
    assert moved
    assert set(after) <= set(seen)


def test_the_same_seed_drives_the_same_cars(standin: Callable[..., Any], tmp_path: Path) -> None:
    one, other = (
        driven(standin(pictures="plain"), tmp_path / name, tm_port=port)
        for name, port in (("a", 8124), ("b", 8125))
    )
    assert one == other


@pytest.mark.parametrize("ending", ["carla_world.close()", "raise ValueError", "sys.exit(1)"])
def test_the_server_is_left_as_it_was_and_the_manager_ends(
    server: Any, tmp_path: Path, ending: str
) -> None:
    before = condition(server.port)
    status, _, errors = end(begin(DRIVE + ending, server, tmp_path, 8126))
    assert status in (0, 1), errors
    assert condition(server.port) == before


def test_scene_after_scene_in_other_maps_ends_no_process(server: Any, tmp_path: Path) -> None:
    more = """
carla_world.close()
with world(traffic=True, map_name="") as carla_world:
    for name in ("child_behind_van", "stopped_car_fog", "child_behind_van"):
        carla_world.setup(busy(name))
        carla_world.step(np.zeros(2), 0.2)
say("done")
"""
    status, out, errors = end(begin(DRIVE + TELL + more, server, tmp_path, 8127))
    assert (status, out.splitlines()[-1:]) == (0, ["done"]), errors


def test_a_signal_ends_the_traffic_too(server: Any, tmp_path: Path) -> None:
    before = condition(server.port)
    child = begin(DRIVE + 'say("ready")\ntime.sleep(60)', server, tmp_path, 8128)
    assert line_of(child) == "ready"
    child.terminate()
    status, _, errors = end(child)
    assert status == -15, errors
    assert condition(server.port) == before
