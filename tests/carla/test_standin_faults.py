"""The stand-in's faults, as the real client meets them."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.carla_standin.knobs import flags, parse
from tests.carla_standin.process import ROOT

carla = pytest.importorskip("carla")

BLUE = "BP_Apartment04_v05_Opt_2"
"""A house of the plain."""


SHORT_S = 0.5
"""How long to wait for what does not come."""


def client_of(server: Any) -> Any:
    client = carla.Client("127.0.0.1", server.port, 8)
    client.set_timeout(20.0)
    return client


def ticking(client: Any) -> Any:
    world = client.get_world()
    settings = world.get_settings()
    settings.synchronous_mode, settings.fixed_delta_seconds = True, 0.05
    world.apply_settings(settings)
    return world


def test_a_silent_call_times_out_and_the_others_do_not(standin: Callable[..., Any]) -> None:
    client = client_of(standin(pictures="plain", silent=["get_available_maps"]))
    assert client.get_server_version() == "0.9.16"
    client.set_timeout(SHORT_S)
    with pytest.raises(RuntimeError, match="time-out"):
        client.get_available_maps()


def test_a_tick_that_is_not_answered_happens_all_the_same(standin: Callable[..., Any]) -> None:
    client = client_of(standin(pictures="plain", silent=["tick_cue:3"]))
    world = ticking(client)
    frames = [world.tick(), world.tick()]
    client.set_timeout(SHORT_S)
    with pytest.raises(RuntimeError, match="time-out"):
        world.tick()
    assert world.get_snapshot().frame == frames[-1] + 1


def test_a_server_dies_of_a_call(standin: Callable[..., Any]) -> None:
    server = standin(pictures="plain", die_at=["get_names_of_all_objects:1"])
    client = client_of(server)
    world = client.get_world()
    assert world.get_names_of_all_objects()
    client.set_timeout(SHORT_S)
    with pytest.raises(RuntimeError, match="time-out"):
        world.get_names_of_all_objects()
    assert server.process.wait(20) == 70


def test_a_delayed_call_takes_its_time(standin: Callable[..., Any]) -> None:
    client = client_of(standin(pictures="plain", call_delay_s={"version": 0.3}))
    begun = time.monotonic()
    client.get_server_version()
    assert time.monotonic() - begun > 0.29


def test_a_call_that_fails_says_why(standin: Callable[..., Any]) -> None:
    client = client_of(standin(pictures="plain", error={"get_available_maps": "disk on fire"}))
    with pytest.raises(RuntimeError, match="disk on fire"):
        client.get_available_maps()


def test_another_version_is_reported(standin: Callable[..., Any]) -> None:
    server = standin(pictures="plain", version="0.9.13")
    assert client_of(server).get_server_version() == "0.9.13"


def test_a_server_dies_after_its_last_tick(standin: Callable[..., Any]) -> None:
    server = standin(pictures="plain", die_after_ticks=500)
    client = client_of(server)
    world = ticking(client)
    while world.get_snapshot().frame < 499:
        world.tick()
    client.set_timeout(SHORT_S)
    with pytest.raises(RuntimeError, match="time-out"):
        world.tick()
    assert server.process.wait(20) == 70


def test_what_may_not_be_spawned_collides(standin: Callable[..., Any]) -> None:
    server = standin(pictures="plain", collision=["static.prop.*"])
    world = ticking(client_of(server))
    library = world.get_blueprint_library()
    with pytest.raises(RuntimeError, match="collision"):
        world.spawn_actor(library.find("static.prop.barrel"), carla.Transform())
    point = world.get_map().get_spawn_points()[0]
    assert world.try_spawn_actor(library.find("vehicle.audi.tt"), point) is not None


def test_an_object_that_is_gone_cannot_be_painted(standin: Callable[..., Any]) -> None:
    server = standin(pictures="plain", unknown=[BLUE])
    world = ticking(client_of(server))
    assert BLUE in world.get_names_of_all_objects()
    texture = carla.TextureColor(4, 4)
    with pytest.raises(RuntimeError, match="unable to find Actor"):
        world.apply_color_texture_to_object(BLUE, carla.MaterialParameter.Diffuse, texture)


def test_a_server_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    source = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from tests.carla_standin.process import start\n"
        "print(start(Path(sys.argv[1]), pictures='plain').process.pid, flush=True)\n"
        "os._exit(0)\n"
    )
    command = [sys.executable, "-c", source, str(tmp_path)]
    told = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=90)
    state = Path(f"/proc/{int(told.stdout)}")
    for _ in range(400):
        if not state.exists() or " Z " in (state / "stat").read_text():
            return
        time.sleep(0.05)
    pytest.fail("the server still runs")


def test_a_crowded_server_has_settings_weather_and_actors_of_its_own(
    standin: Callable[..., Any],
) -> None:
    world = client_of(standin(pictures="plain", crowded=True)).get_world()
    settings = world.get_settings()
    assert (settings.fixed_delta_seconds, settings.max_substeps) == (0.1, 5)
    assert world.get_weather().sun_altitude_angle == 25.0
    kinds = {actor.type_id for actor in world.get_actors()}
    assert {"vehicle.audi.tt", "walker.pedestrian.0004", "sensor.camera.rgb"} <= kinds


def heard(port: int) -> list[int]:
    """Which of its first five messages come to a client in a process of its own."""
    source = (
        "import os, sys, time, carla\n"
        "from tests.carla.probes import Visit\n"
        "visit = Visit(int(sys.argv[1]))\n"
        "frames = []\n"
        "blueprint = visit.library.find('sensor.camera.depth')\n"
        "blueprint.set_attribute('image_size_x', '32')\n"
        "blueprint.set_attribute('image_size_y', '32')\n"
        "camera = visit.world.spawn_actor(blueprint, carla.Transform(), attach_to=visit.car)\n"
        "camera.listen(lambda image: frames.append(image.frame))\n"
        "while not frames or visit.world.get_snapshot().frame < frames[0] + 4:\n"
        "    visit.world.tick()\n"
        "    time.sleep(0.05)\n"
        "time.sleep(0.5)\n"
        "numbers = [frame - frames[0] + 1 for frame in frames]\n"
        "print([number for number in numbers if number <= 5], flush=True)\n"
        "os._exit(0)\n"
    )
    command = [sys.executable, "-c", source, str(port)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.strip("[]\n").split(",") if word.strip()]


def test_lost_frames_are_missing_and_no_others(standin: Callable[..., Any]) -> None:
    assert heard(standin(pictures="plain", lost_frames=[2, 4]).port) == [1, 3, 5]


def test_late_pictures_come_for_the_frames_they_show(standin: Callable[..., Any]) -> None:
    assert heard(standin(pictures="plain", late_s=0.07).port) == [1, 2, 3, 4, 5]


def test_a_dead_stream_ends_after_its_last_message(standin: Callable[..., Any]) -> None:
    server = standin(pictures="plain", dead_stream=["sensor.camera.*"], dead_after=2)
    assert heard(server.port) == [1, 2]


@pytest.mark.parametrize("layout", ["0.9.15", "0.10.0"])
def test_older_and_newer_layouts_are_not_those_of_this_client(layout: str) -> None:
    knobs = parse(flags({"layout": layout, "pictures": "plain"}))
    assert (knobs.world_observer, knobs.attribute_base, knobs.has_sockets) == (16, 0, False)
    assert knobs.reported_version == layout


def test_a_server_of_another_layout_ends_the_clients_process(standin: Callable[..., Any]) -> None:
    server = standin(pictures="plain", layout="0.9.15")
    source = (
        f"import carla\nclient = carla.Client('127.0.0.1', {server.port})\n"
        "client.set_timeout(30.0)\nworld = client.get_world()\nworld.wait_for_tick()\n"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, timeout=90)
    assert done.returncode < 0
