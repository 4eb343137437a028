"""Sensors deliver together, and those that do not are named, and listened to once more."""

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hartsim.adapters.carla.connection import ServerAddress
from hartsim.adapters.carla.coordinates import fov_to_carla
from hartsim.adapters.carla.rig import (
    COLOUR,
    DEPTH,
    Lidar,
    RigConfig,
    Silent,
    Stream,
    camera_attributes,
    lidar_attributes,
)
from hartsim.adapters.carla.world import CarlaWorld
from hartsim.errors import WorldError
from hartsim.scenario.compiled import CameraSetup
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.library import find_scenarios
from hartsim.scenario.load import load_scenario
from tests.carla.children import begin, end

pytest.importorskip("carla")
pytestmark = pytest.mark.carla

FRONT = CameraSetup("front", (0.6, 0.0, 1.5), 0.0, 0.0, math.radians(55))
SCENE = compile_draw(load_scenario(find_scenarios(["child_behind_van"])[0]), 0, 0)
QUICK = RigConfig(timeout_s=0.5, warm_up_ticks=4)


@pytest.fixture
def shown(
    standin: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., CarlaWorld]]:
    """A world with a scene on a server with these knobs."""
    monkeypatch.setenv("HARTSIM_CACHE", str(tmp_path / "cache"))
    worlds: list[CarlaWorld] = []

    def show(rig: RigConfig = QUICK, **knobs: Any) -> CarlaWorld:
        server = standin(**{"pictures": "plain", **knobs})
        address = ServerAddress(port=server.port, timeout_s=10)
        worlds.append(CarlaWorld(address, (48, 64), "current", rig))
        worlds[-1].setup(SCENE)
        return worlds[-1]

    yield show
    for world in worlds:
        world.close()


def test_cameras_get_our_size_and_their_view_across() -> None:
    told = camera_attributes(FRONT, (48, 64), COLOUR, RigConfig(attributes={"iso": "100"}))
    assert (told["image_size_x"], told["image_size_y"]) == ("64", "48")
    assert float(told["fov"]) == pytest.approx(fov_to_carla(FRONT, (48, 64)))
    assert float(told["fov"]) > 55
    assert (told["iso"], told["lens_k"], told["motion_blur_intensity"]) == ("100", "0", "0")
    assert "iso" not in camera_attributes(
        FRONT, (48, 64), DEPTH, RigConfig(attributes={"iso": "1"})
    )


def test_a_lidar_turns_once_in_every_tick() -> None:
    assert float(lidar_attributes(Lidar(), 0.05)["rotation_frequency"]) == pytest.approx(20)


def test_all_sensors_deliver_the_same_frame_and_their_places(
    shown: Callable[..., CarlaWorld],
) -> None:
    world = shown()
    rig, frame = world._rig, world._tick()
    assert rig is not None
    readings = rig.collect(frame)
    assert set(readings) == {
        *("front.rgb", "front.depth", "front.semantic_segmentation"),
        "front.instance_segmentation",
    }
    assert {each.frame for each in readings.values()} == {frame}
    assert {each.values.shape for each in readings.values()} == {(48, 64, 4)}
    assert len({each.placement for each in readings.values()}) == 1


def test_pictures_are_copies_that_outlive_their_frame(shown: Callable[..., CarlaWorld]) -> None:
    world = shown()
    rig = world._rig
    assert rig is not None
    first = rig.collect(world._tick())["front.depth"].values
    kept = first.copy()
    for _ in range(20):
        rig.collect(world._tick())
    assert first.flags.owndata
    assert np.array_equal(first, kept)


def test_a_sensor_that_never_delivers_is_named(shown: Callable[..., CarlaWorld]) -> None:
    with pytest.raises(
        Silent,
        match=r"no picture of sensor 'front\.depth' \(none ever\) in 4 ticks of warm-up",
    ):
        shown(dead_stream=["sensor.camera.depth"])


def test_a_frame_that_is_lost_costs_one_more_tick(
    shown: Callable[..., CarlaWorld], caplog: pytest.LogCaptureFixture
) -> None:
    world = shown(lost_frames=[8, 9])
    for _ in range(14):
        world.step(np.zeros(2), 0.05)
        frame = world.capture()["front"]
        assert {each.frame for each in world._readings.values()} == {world._frame}
        assert (frame.instances > 0).any()
    assert "listening to them anew" in caplog.text


def test_a_stream_that_stays_silent_after_that_is_an_error_with_its_last_frame(
    shown: Callable[..., CarlaWorld],
) -> None:
    world = shown(lost_frames=list(range(12, 1000)))
    began = time.monotonic()

    def drive() -> None:
        for _ in range(20):
            world.step(np.zeros(2), 0.05)
            world.capture()

    with pytest.raises(Silent, match=r"'front\.rgb' \(last frame \d+\), 'front\.depth' \(last"):
        drive()
    assert time.monotonic() - began < 10


def test_frames_of_somebody_else_s_ticks_are_refused(shown: Callable[..., CarlaWorld]) -> None:
    world = shown()
    rig, frame = world._rig, world._frame
    assert rig is not None
    rig.collect(frame)
    world._connection.world.tick()
    with pytest.raises(WorldError, match=f"while frame {frame} is wanted; only one client may"):
        rig.collect(frame)


def test_queues_do_not_grow_while_nobody_looks(shown: Callable[..., CarlaWorld]) -> None:
    world = shown()
    for _ in range(30):
        world.step(np.zeros(2), 0.05)
    rig = world._rig
    assert rig is not None
    assert max(stream._arrived.qsize() for stream in rig.streams.values()) <= 2


def test_listening_again_stops_first() -> None:
    done: list[str] = []

    def note(what: str) -> Callable[..., None]:
        return lambda *_: done.append(what)

    sensor = SimpleNamespace(type_id="sensor.camera.rgb", stop=note("stop"), listen=note("listen"))
    sensor.is_listening = lambda: "listen" in done
    stream = Stream("front.rgb", sensor)
    stream.listen()
    stream.listen()
    assert done == ["listen", "stop", "listen"]


def test_data_that_cannot_be_read_is_an_error_of_its_sensor() -> None:
    heard: list[Callable[[Any], None]] = []
    sensor = SimpleNamespace(type_id="sensor.camera.rgb", listen=heard.append)
    sensor.is_listening = lambda: False
    stream = Stream("front.rgb", sensor)
    stream.listen()
    heard[0](SimpleNamespace(frame=1, raw_data=b"123", width=2, height=2))
    with pytest.raises(WorldError, match=r"sensor 'front\.rgb' gave what cannot be read: "):
        stream.reading(1, time.monotonic() + 1)


def test_a_server_that_dies_is_told_and_the_program_goes_on(
    standin: Callable[..., Any], tmp_path: Path
) -> None:
    program = """
from hartsim.errors import WorldLostError
carla_world = world(rig=RigConfig(timeout_s=1))
carla_world._connection.client.set_timeout(2.0)
carla_world.setup(scene("child_behind_van"))
try:
    for _ in range(100):
        carla_world.step(np.zeros(2), 0.05)
        carla_world.capture()
except WorldLostError as error:
    say(error)
try:
    carla_world.close()
except WorldLostError as error:
    say(error)
say("goes on")
"""
    server = standin(pictures="plain", die_at=["tick_cue:30"])
    _, out, errors = end(begin(program, server, tmp_path))
    lines = out.strip().splitlines()
    assert len(lines) == 3, errors
    assert "to take a step: no answer within" in lines[0]
    assert lines[1].startswith("nothing listens at 127.0.0.1:")
    assert lines[2] == "goes on"
