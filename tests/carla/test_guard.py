"""A server is left as it was found: by closing, exceptions, signals, and after a kill -9."""

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hartsim.adapters.carla.connection import ServerAddress, connect
from hartsim.adapters.carla.guard import Guard, file_of, found_at, restore
from hartsim.errors import WorldError, WorldLostError
from tests.carla.children import begin, condition, end, line_of, run

pytest.importorskip("carla")
pytestmark = pytest.mark.carla

SHOW = """
carla_world = world(spectator=True)
carla_world.setup(scene("cones_blown_into_open_lane"))
carla_world.step(np.zeros(2), 0.1)
"""
PAINT = """
carla_world.wear(dict.fromkeys(["facade_a", "facade_b", "facade_c"], np.zeros((8, 8, 3), np.uint8)))
"""
WAIT = """
say("ready")
time.sleep(60)
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own, for it and its children."""
    monkeypatch.setenv("HARTSIM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def crowded(standin: Callable[..., Any]) -> Any:
    """A server with settings, weather, actors and frozen lights of somebody else's."""
    return standin(pictures="plain", crowded=True)


def changed(before: Any, server: Any) -> dict[str, tuple[Any, Any]]:
    """What is otherwise than before, by name."""
    now = condition(server.port)
    return {name: (before[name], now[name]) for name in before if before[name] != now[name]}


def test_while_a_scene_is_on_show_the_server_is_another(crowded: Any, cache: Path) -> None:
    before = condition(crowded.port)
    child = begin(SHOW + WAIT, crowded, cache)
    assert line_of(child) == "ready"
    assert set(changed(before, crowded)) >= {"settings", "weather", "actors", "spectator"}
    child.kill()
    end(child)


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("carla_world.close(); carla_world.close()", 0),
        ("", 0),
        ("raise ValueError('the user erred')", 1),
        ("sys.exit(3)", 3),
        ("carla_world.step(np.zeros(3) * np.nan, 0.1)", 1),
    ],
    ids=["closed", "not closed", "exception", "exit", "refused step"],
)
def test_all_is_as_before_however_a_program_ends(
    crowded: Any, cache: Path, ending: str, status: int
) -> None:
    before = condition(crowded.port)
    assert end(begin(SHOW + ending, crowded, cache))[0] == status
    assert changed(before, crowded) == {}
    assert not list((cache / "carla").glob("*.json"))


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, -signal.SIGINT)],
    ids=["SIGTERM", "SIGINT"],
)
def test_all_is_as_before_after_a_signal_which_still_ends_the_program(
    crowded: Any, cache: Path, number: int, status: int
) -> None:
    before = condition(crowded.port)
    child = begin(SHOW + WAIT, crowded, cache)
    assert line_of(child) == "ready"
    child.send_signal(number)
    got, _, errors = end(child)
    assert got == status, errors
    assert ("KeyboardInterrupt" in errors) == (number == signal.SIGINT)
    assert changed(before, crowded) == {}


def test_a_signal_in_the_middle_of_setting_up_leaks_nothing(crowded: Any, cache: Path) -> None:
    before = condition(crowded.port)
    program = """
import os, signal, threading
carla_world = world()
threading.Timer(float(sys.argv[2]) / 1000, os.kill, (os.getpid(), signal.SIGTERM)).start()
while True:
    carla_world.setup(scene("child_behind_van"))
"""
    for milliseconds in (130, 310, 620):
        assert end(begin(program, crowded, cache, milliseconds))[0] == -signal.SIGTERM
        assert changed(before, crowded) == {}


def test_the_handlers_that_were_there_are_called_and_come_back(crowded: Any, cache: Path) -> None:
    program = """
import os, signal
mine = lambda number, frame: say(f"mine {number}")
signal.signal(signal.SIGTERM, mine)
signal.signal(signal.SIGINT, signal.SIG_IGN)
carla_world = world()
os.kill(os.getpid(), signal.SIGINT)
carla_world.setup(scene("child_behind_van"))
os.kill(os.getpid(), signal.SIGTERM)
say(signal.getsignal(signal.SIGTERM) is mine)
say(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)
"""
    before = condition(crowded.port)
    assert run(program, crowded, cache).split("\n")[:3] == ["mine 15", "True", "True"]
    assert changed(before, crowded) == {}


def killed(program: str, server: Any, cache: Path) -> None:
    """Run a program until it is ready, and let it no time to clean up."""
    child = begin(program + WAIT, server, cache)
    assert line_of(child) == "ready"
    child.kill()
    end(child)


def test_what_a_killed_program_left_is_restored_from_its_file(crowded: Any, cache: Path) -> None:
    before = condition(crowded.port)
    killed(SHOW, crowded, cache)
    address = ServerAddress(port=crowded.port)
    done = restore(address)
    assert done[0] == "destroyed 7 actors by their role names"
    assert changed(before, crowded) == {}
    assert restore(address) == [
        f"nothing of ours to put back at 127.0.0.1:{crowded.port}: there is no {file_of(address)}"
    ]


def test_the_next_program_puts_back_what_a_killed_one_left(crowded: Any, cache: Path) -> None:
    before = condition(crowded.port)
    killed(SHOW, crowded, cache)
    run(SHOW, crowded, cache)
    assert changed(before, crowded) == {}


def test_another_map_is_put_back_as_well(standin: Callable[..., Any], cache: Path) -> None:
    server = standin(pictures="plain")
    before = condition(server.port)
    run("with world(map_name='Town04') as w: w.setup(scene('child_behind_van'))", server, cache)
    assert [call["args"][0][-6:] for call in server.calls("load_new_episode")] == [
        "Town04",
        "HD_Opt",
    ]
    assert changed(before, server) == {}


def test_paint_goes_with_its_map(standin: Callable[..., Any], cache: Path) -> None:
    server = standin(pictures="plain")
    run(SHOW + PAINT, server, cache)
    assert server.calls("apply_color_texture_to_objects")
    (load,) = server.calls("load_new_episode")
    assert load["args"][0].endswith("Town10HD_Opt")


def test_a_map_that_others_use_is_neither_loaded_nor_reloaded(crowded: Any, cache: Path) -> None:
    before = condition(crowded.port)
    program = "world(map_name='Town04').setup(scene('child_behind_van'))"
    status, _, errors = end(begin(program, crowded, cache))
    assert status == 1
    assert "loading Town04 would take away 4 actors of others, such as " in errors
    _, _, errors = end(begin(SHOW + PAINT, crowded, cache))
    assert "kept the map and its paint for 4 actors of others" in errors
    assert not crowded.calls("load_new_episode")
    assert changed(before, crowded) == {}


def test_actors_go_in_one_batch_sensors_first_and_after_they_were_stopped(
    crowded: Any, cache: Path
) -> None:
    run(SHOW, crowded, cache)
    batches = [call["args"][0] for call in crowded.calls("apply_batch")]
    (gone,) = [batch for batch in batches if batch and batch[0][0][0] == 1]
    spawned = crowded.calls("spawn_actor", "spawn_actor_with_parent")
    assert len(gone) == len(spawned)
    ids = [command[0][1][0] for command in gone]
    sensors, rest = ids[:4], ids[4:]
    assert len(crowded.calls("spawn_actor_with_parent")) == 4
    assert sensors == list(range(sensors[0], sensors[0] + 4)), "mounted one after the other"
    assert min(rest) == rest[0] < sensors[0], "on the ego, which was there before"
    assert not crowded.calls("destroy_actor")


def test_a_recording_of_ours_is_ended(crowded: Any, cache: Path) -> None:
    run(SHOW + "carla_world.start_recording('mine.log')", crowded, cache)
    assert len(crowded.calls("start_recorder")) == 1
    assert len(crowded.calls("stop_recorder")) == 1
    run(SHOW, crowded, cache)
    assert len(crowded.calls("stop_recorder")) == 1, "others' recordings go on"


def test_a_server_that_another_program_has_is_refused(crowded: Any, cache: Path) -> None:
    child = begin(SHOW + WAIT, crowded, cache)
    assert line_of(child) == "ready"
    connection = connect(ServerAddress(port=crowded.port))
    with pytest.raises(WorldError, match=f"process {child.pid} has the server at 127"):
        Guard(connection).begin()
    with pytest.raises(WorldError, match=f"process {child.pid} has the server at 127"):
        restore(connection.address)
    child.kill()
    end(child)


def test_a_server_may_be_taken_once_by_a_program(crowded: Any, cache: Path) -> None:
    connection = connect(ServerAddress(port=crowded.port))
    with Guard(connection), pytest.raises(WorldError, match="has the server at"):
        Guard(connection).begin()
    with Guard(connection) as again:
        assert again.found.map_name == "Town10HD_Opt"


def test_a_world_that_somebody_else_ticks_is_refused(crowded: Any, cache: Path) -> None:
    ticking = """
import carla
world = carla.Client("127.0.0.1", address.port).get_world()
settings = world.get_settings()
settings.synchronous_mode = True
world.apply_settings(settings)
say("ready")
while True:
    world.tick()
    time.sleep(0.05)
"""
    child = begin(ticking, crowded, cache)
    assert line_of(child) == "ready"
    connection = connect(ServerAddress(port=crowded.port))
    with pytest.raises(WorldError, match="is synchronous and somebody else ticks it"):
        Guard(connection).begin()
    child.kill()
    end(child)
    with Guard(connect(ServerAddress(port=crowded.port))):
        pass


def test_a_server_that_has_gone_keeps_the_file_and_does_not_keep_the_program(
    crowded: Any, cache: Path
) -> None:
    connection = connect(ServerAddress(port=crowded.port, timeout_s=60))
    guard = Guard(connection)
    guard.begin()
    crowded.stop()
    with pytest.raises(WorldLostError, match="nothing listens"):
        guard.restore()
    left = found_at(file_of(connection.address), connection.address)
    assert left is not None
    assert left.process == os.getpid()


@pytest.mark.parametrize("text", ["{", "[]", '{"hartsim_carla_found": 1}', "null"])
def test_a_file_that_says_nothing_is_an_error_that_names_it(text: str, cache: Path) -> None:
    address = ServerAddress(port=2345)
    path = file_of(address)
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(WorldError, match=r"127\.0\.0\.1-2345\.json does not say what the server"):
        found_at(path, address)


def test_a_file_of_another_machine_is_not_acted_on(crowded: Any, cache: Path) -> None:
    killed(SHOW, crowded, cache)
    address = ServerAddress(port=crowded.port)
    path = file_of(address)
    path.write_text(json.dumps({**json.loads(path.read_text()), "machine": "elsewhere"}))
    with pytest.raises(WorldError, match="on elsewhere has the server"):
        restore(address)


def test_outside_the_main_thread_closing_alone_restores(
    crowded: Any, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    connection = connect(ServerAddress(port=crowded.port))

    def work() -> None:
        with Guard(connection):
            assert signal.getsignal(signal.SIGTERM) is before

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert "signals do not put the server back, close() does" in caplog.text
