"""One server, one world: who comes at once, who was killed, and who was forked."""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hartsim.adapters.carla import guard
from hartsim.adapters.carla.connection import ServerAddress, connect
from hartsim.adapters.carla.guard import Guard, Taken, found_at, restore
from tests.carla.children import begin, end, line_of

pytest.importorskip("carla")
pytestmark = pytest.mark.carla

SHOW = """
import os
carla_world = world()
carla_world.setup(scene("cones_blown_into_open_lane"))
"""
FORK = """
child = os.fork()
if child == 0:
    os.kill(os.getpid(), 15)
    time.sleep(30)
say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
carla_world.step(np.zeros(2), 0.1)
say("goes on")
carla_world.close()
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own, for it and its children."""
    monkeypatch.setenv("HARTSIM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def plain(standin: Callable[..., Any]) -> Any:
    return standin(pictures="plain")


def test_of_two_that_come_at_once_one_gets_the_server(
    plain: Any, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = ServerAddress(port=plain.port)
    first, second = Guard(connect(address)), Guard(connect(address))
    looked = guard._refuse_if_ticked

    def meanwhile(connection: Any) -> None:
        if connection is second.connection:
            first.begin()
        looked(connection)

    monkeypatch.setattr(guard, "_refuse_if_ticked", meanwhile)
    with pytest.raises(Taken, match="another world of this process has the server"):
        second.begin()
    assert found_at(first.path, address) == first.found
    first.restore()
    assert [each.name for each in first.path.parent.iterdir()] == []


def test_a_killed_process_whose_parent_does_not_ask_counts_as_ended(
    plain: Any, cache: Path
) -> None:
    child = begin(SHOW + "say('ready'); time.sleep(60)", plain, cache)
    assert line_of(child) == "ready"
    child.kill()
    stat = Path(f"/proc/{child.pid}/stat")
    while stat.read_text().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.01)
    assert any("destroyed" in done for done in restore(ServerAddress(port=plain.port)))
    end(child)


def test_a_forked_process_that_ends_leaves_its_parent_the_server(plain: Any, cache: Path) -> None:
    child = begin(SHOW + FORK, plain, cache)
    assert line_of(child) == str(-signal.SIGTERM)
    assert line_of(child) == "goes on"
    assert end(child)[0] == 0
