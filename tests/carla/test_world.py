"""Scenes on the stand-in server through the real client: what is set up, moves and is seen."""

import json
import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hartsim.adapters.carla.actors import Missing
from hartsim.adapters.carla.connection import ServerAddress
from hartsim.adapters.carla.rig import Lidar, RigConfig
from hartsim.adapters.carla.weather import FIELDS, weather_numbers
from hartsim.adapters.carla.world import CarlaWorld
from hartsim.errors import WorldError
from hartsim.scenario.compiled import CompiledScene
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.library import find_scenarios
from hartsim.scenario.load import load_scenario
from hartsim.scenario.motion import Motion
from hartsim.types import CLASS_ID, Box3D
from hartsim.worlds import World
from hartsim.worlds.embedded import EmbeddedWorld

carla = pytest.importorskip("carla")
pytestmark = pytest.mark.carla

AHEAD = np.zeros(2)
Open = Callable[..., CarlaWorld]


def scene(name: str, index: int = 0, **objects: Any) -> CompiledScene:
    """A draw of a library scenario; `objects` replaces fields of the things of these names."""
    drawn = compile_draw(load_scenario(find_scenarios([name])[0]), 0, index)
    things = tuple(replace(each, **objects.get(each.name, {})) for each in drawn.setup.objects)
    return replace(drawn, setup=replace(drawn.setup, objects=things))


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARTSIM_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def opened() -> Iterator[Open]:
    """Opens worlds at a server, and closes them."""
    worlds: list[CarlaWorld] = []

    def open_world(server: Any, **how: Any) -> CarlaWorld:
        address = ServerAddress(port=server.port, timeout_s=how.pop("timeout_s", 10.0))
        world = CarlaWorld(address, how.pop("size_px", (96, 96)), **{"map_name": "current", **how})
        worlds.append(world)
        return world

    yield open_world
    for world in worlds:
        world.close()


@pytest.fixture
def plain(standin: Callable[..., Any]) -> Any:
    """A server that draws boxes on a plain."""
    return standin(pictures="plain")


LIBRARY = (
    "child_behind_van",
    "cones_blown_into_open_lane",
    "stopped_car_fog",
    "suitcase_off_roof_rack",
    "flooded_road_after_cloudburst",
    "police_stop_on_shoulder",
    "wheelchair_between_parked_cars",
    "cyclist_without_light_in_fog",
)


@pytest.mark.slow
def test_scenes_of_the_library_are_seen_as_they_are_labelled(
    standin: Callable[..., Any], opened: Open
) -> None:
    world: World = opened(standin(), map_name="", size_px=(160, 160))
    for name in LIBRARY:
        shown = scene(name)
        world.setup(shown)
        frames = world.capture()
        assert set(frames) == {camera.name for camera in shown.setup.cameras}
        for frame in frames.values():
            names = {each.name for each in frame.table}
            assert names == {each.name for each in shown.setup.objects}
            numbers = {each.id for each in frame.table}
            assert set(np.unique(frame.instances)) <= numbers | {0}
            seen = [each for each in frame.table if (frame.instances == each.id).sum() > 12]
            assert [each for each in seen if each.hazard], name
            for each in seen:
                own = frame.instances == each.id
                assert (frame.labels[own] == CLASS_ID[each.class_name]).all(), (name, each.name)


def test_boxes_lie_where_their_pixels_are(plain: Any, opened: Open) -> None:
    world = opened(plain)
    world.setup(scene("child_behind_van"))
    for _ in range(2):
        frame = world.capture()["front"]
        for each in frame.table:
            own = frame.instances == each.id
            rows, columns = np.nonzero(own)
            pixels = frame.camera.project(each.box.corners())
            assert len(rows) > 20, each.name
            assert pixels[:, 0].min() - 1.5 <= columns.min(), each.name
            assert columns.max() <= pixels[:, 0].max() + 1.5, each.name
            assert pixels[:, 2].min() - 0.1 <= frame.depth_m[own].min(), each.name
        world.step(np.array([0.1, 0.5]), 0.1)


def test_every_sensor_shows_the_last_tick(plain: Any, opened: Open) -> None:
    world = opened(plain, rig=RigConfig(lidars=(Lidar(points_per_second=20_000),)))
    world.setup(scene("child_behind_van"))
    for _ in range(5):
        world.step(AHEAD, 0.15)
        world.capture()
        frames = {reading.frame for reading in world._readings.values()}
        assert frames == {world._connection.world.get_snapshot().frame}
        assert len(world._readings) == 5


@pytest.mark.slow
def test_the_ego_and_what_moves_do_as_in_the_embedded_world(plain: Any, opened: Open) -> None:
    shown = scene("child_behind_van")
    there, here = opened(plain), EmbeddedWorld(size_px=(32, 32), draft=True)
    there.setup(shown)
    here.setup(shown)
    for k in range(30):
        action = np.array([0.2 * math.sin(k), 0.4])
        one, other = there.step(action, 0.05), here.step(action, 0.05)
        assert one.ego.position_m == pytest.approx(other.ego.position_m, abs=1e-6)
        assert one.ego.heading_rad == pytest.approx(other.ego.heading_rad)
        assert one.speed_mps == pytest.approx(other.speed_mps)
        assert one.time_s == pytest.approx(other.time_s)
        assert set(one.hazards) == set(other.hazards) == {"child"}
        expected = other.hazards["child"]
        assert one.hazards["child"].position_m == pytest.approx(expected.position_m, abs=1e-6)
    here.close()


def test_actors_are_where_the_state_says(plain: Any, opened: Open) -> None:
    world = opened(plain)
    world.setup(scene("child_behind_van"))
    state = world.step(np.array([0.3, 1.0]), 0.5)
    show, server = world._staged(), world._connection.world
    at = server.get_actor(show.ego.id).get_transform().location
    expected = show.anchor.point_to_carla(state.ego.position_m)
    assert (at.x, at.y, at.z) == pytest.approx(expected, abs=1e-3)
    for name, box in world.obstacles().items():
        staged = show.play.staged[name]
        actor = server.get_actor(staged.actor)
        corners = [
            (v.x, v.y, v.z) for v in actor.bounding_box.get_world_vertices(actor.get_transform())
        ]
        ours = show.anchor.points_to_carla(box.corners())
        assert np.array(corners).mean(0) == pytest.approx(ours.mean(0), abs=2e-3)
        assert min(z for _, _, z in corners) == pytest.approx(at.z, abs=2e-3), "on the ground"


MOTIONS = [
    Motion("crosses", 2.0),
    Motion("drives", 3.0, when_time_s=0.2),
    Motion("brakes", 6.0, when_distance_m=8.0),
    Motion("rolls", 2.0),
    Motion("cuts_in", 5.0, when_time_s=0.1),
    Motion("falls"),
]


@pytest.mark.parametrize("motion", MOTIONS, ids=lambda motion: motion.name)
def test_actors_follow_their_motions(plain: Any, opened: Open, motion: Motion) -> None:
    up = 2.0 if motion.name == "falls" else 0.0
    box = Box3D((12.0, 2.0, 0.5 + up), (0.8, 0.8, 1.0), 0.0)
    shown = scene("suitcase_off_roof_rack", suitcase={"motion": motion, "box": box})
    world = opened(plain)
    world.setup(shown)
    start = _suitcase(world)
    for _ in range(12):
        world.step(AHEAD, 0.05)
    assert math.dist(start, _suitcase(world)) > 0.3
    pose = world.state().hazards["suitcase"]
    expected = world._staged().anchor.point_to_carla(pose.position_m)
    assert _suitcase(world)[:2] == pytest.approx(expected[:2], abs=0.2)


def _suitcase(world: CarlaWorld) -> tuple[float, float, float]:
    actor = world._staged().play.staged["suitcase"].actor
    at = world._connection.world.get_snapshot().find(actor).get_transform().location
    return at.x, at.y, at.z


def test_what_appears_is_out_of_sight_before_and_in_no_table(plain: Any, opened: Open) -> None:
    motion = Motion("appears", when_time_s=0.3)
    shown = scene("suitcase_off_roof_rack", suitcase={"motion": motion})
    world = opened(plain)
    world.setup(shown)
    frame = world.capture()["front"]
    assert "suitcase" not in {each.name for each in frame.table}
    assert "suitcase" not in world.obstacles()
    assert "suitcase" not in world.state().hazards
    assert _suitcase(world)[2] < -50
    world.step(AHEAD, 0.3)
    frame = world.capture()["front"]
    number = {each.name: each.id for each in frame.table}["suitcase"]
    assert "suitcase" in world.obstacles()
    assert (frame.instances == number).any()


def test_driving_into_a_thing_is_a_collision_of_that_step(plain: Any, opened: Open) -> None:
    world = opened(plain)
    world.setup(scene("stopped_car_fog"))
    states = [world.step(AHEAD, 0.1) for _ in range(12)]
    assert states[0].collisions == ()
    assert "car" in {name for state in states for name in state.collisions}


def test_the_road_ends_where_the_map_says(plain: Any, opened: Open) -> None:
    world = opened(plain)
    world.setup(scene("child_behind_van"))
    right, left = world.state().road_m
    assert right == pytest.approx(-(1.75 + 2.55), abs=0.01)
    assert left == pytest.approx(1.75 + 3.5 + 2.55, abs=0.01)
    assert not world.state().off_road


def test_the_weather_reaches_the_wire(plain: Any, opened: Open) -> None:
    world = opened(plain)
    shown = scene("child_behind_van")
    world.setup(shown)
    sent = plain.calls("set_weather_parameters")[-1]["args"][0]
    wanted = weather_numbers(shown.setup.conditions, world._staged().anchor)
    assert dict(zip(FIELDS, sent, strict=True)) == pytest.approx(wanted, rel=1e-5)


def test_the_place_chooses_the_map_and_a_name_overrides_it(plain: Any, opened: Open) -> None:
    world = opened(plain, map_name="")
    world.setup(scene("bale_lies_on_country_road"))
    assert world.about()["map"] == "Town07"
    world.close()
    world = opened(plain, map_name="Town04")
    world.setup(scene("bale_lies_on_country_road"))
    assert world.about()["map"] == "Town04"


def test_the_same_seed_stands_in_the_same_place(plain: Any, opened: Open) -> None:
    world = opened(plain)
    abouts = []
    for index in (0, 0, 1, 2, 3):
        world.setup(scene("child_behind_van", index))
        abouts.append(world.about())
    assert abouts[0] == abouts[1]
    assert len({str(about["location_m"]) for about in abouts}) > 1


def test_setting_up_again_leaves_nothing_of_the_scene_before(plain: Any, opened: Open) -> None:
    world = opened(plain)
    world.setup(scene("child_behind_van"))
    count = len(world._connection.world.get_actors())
    for _ in range(3):
        world.setup(scene("child_behind_van"))
        assert len(world._connection.world.get_actors()) == count
    assert len(plain.calls("load_new_episode")) == 0


def test_what_is_in_the_way_is_cleared_by_spawning_higher(plain: Any, opened: Open) -> None:
    world = opened(plain)
    shown = scene("stopped_car_fog")
    two = shown.setup.objects[0], replace(shown.setup.objects[0], name="twin", hazard=False)
    world.setup(replace(shown, setup=replace(shown.setup, objects=two)))
    boxes = world.obstacles()
    assert boxes["car"].centre_m[:2] == pytest.approx(boxes["twin"].centre_m[:2])
    spawned = [call["args"] for call in plain.calls("spawn_actor")]
    assert len(spawned) > 3


def test_a_thing_that_can_never_be_spawned_is_named(
    standin: Callable[..., Any], opened: Open
) -> None:
    world = opened(standin(pictures="plain", collision=["static.prop.travelcase"]))
    with pytest.raises(WorldError, match=r"cannot spawn static\.prop\.travelcase as 'suitcase'"):
        world.setup(scene("suitcase_off_roof_rack"))


def test_kinds_that_carla_lacks_are_refused_together_or_left_out(plain: Any, opened: Open) -> None:
    shown = scene("boxes_then_walker")
    with pytest.raises(WorldError, match=r"thing: kind '\w+' cannot.*; walker: kind"):
        opened(plain).setup(shown)
    assert not plain.calls("spawn_actor", "set_episode_settings")


def test_kinds_that_carla_lacks_are_left_out_where_asked(
    plain: Any, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    leave: Missing = "leave out"
    world = opened(plain, missing=leave)
    world.setup(scene("boxes_then_walker"))
    assert "left out thing: kind" in caplog.text
    assert world.state().hazards == {}


def test_robot_scenes_are_refused(plain: Any, opened: Open) -> None:
    with pytest.raises(WorldError, match="a robot scene cannot be shown in CARLA"):
        opened(plain).setup(_robot())


def _robot() -> CompiledScene:
    return scene(sorted(each.stem for each in find_scenarios(["robot"]))[0])


@pytest.mark.slow
def test_snow_is_added_to_pictures_as_carla_has_none(
    standin: Callable[..., Any], opened: Open
) -> None:
    shown = scene("stopped_car_fog")
    snowy = replace(shown.setup.conditions, snow_cover=1.0, visibility_m=math.inf)
    world = opened(standin())
    world.setup(replace(shown, setup=replace(shown.setup, conditions=snowy)))
    frame = world.capture()["front"]
    world.setup(shown)
    bare = world.capture()["front"]
    road = (frame.labels == CLASS_ID["road"]) & (bare.labels == CLASS_ID["road"])
    assert frame.image[road].mean() > bare.image[road].mean() + 30
    assert np.array_equal(world.look()["front"], bare.image)


def test_looking_is_seeing_what_capture_sees(plain: Any, opened: Open) -> None:
    for name in ("child_behind_van", "flooded_road_after_cloudburst"):
        world = opened(plain)
        world.setup(scene(name))
        world.step(AHEAD, 0.1)
        assert np.array_equal(world.look()["front"], world.capture()["front"].image)
        world.close()


def test_without_labels_there_is_one_camera_and_no_capture(plain: Any, opened: Open) -> None:
    world = opened(plain, rig=RigConfig(labels=False))
    world.setup(scene("child_behind_van"))
    assert len(plain.calls("spawn_actor_with_parent")) == 1
    assert world.look()["front"].shape == (96, 96, 3)
    with pytest.raises(WorldError, match="no labels and depth are mounted"):
        world.capture()


def test_the_lidar_sees_the_hazard_in_the_ego_frame(plain: Any, opened: Open) -> None:
    lidar = Lidar(position_m=(0.0, 0.0, 1.9), points_per_second=400_000)
    world = opened(plain, rig=RigConfig(lidars=(lidar,)))
    world.setup(scene("stopped_car_fog"))
    frame = world.capture()["front"]
    points = frame.lidar
    assert points is not None
    assert points.dtype == np.float32
    box = {each.name: each for each in frame.table}["car"].box
    near = np.abs(points[:, :3] - box.centre_m)
    assert (near < np.array(box.size_m) / 2 + 0.15).all(axis=1).sum() > 20
    ground = points[(np.abs(points[:, 1]) < 1) & (points[:, 0] > 3) & (points[:, 0] < 6)]
    assert np.median(ground[:, 2]) == pytest.approx(0.0, abs=0.05)


@pytest.mark.slow
def test_paint_is_told_by_looking_and_gone_with_the_next_scene(
    standin: Callable[..., Any], opened: Open
) -> None:
    server = standin()
    world = opened(server, size_px=(128, 128))
    shown = scene("cones_blown_into_open_lane")
    clear = replace(
        shown.setup.conditions,
        **{"weather": "clear", "rain": 0.0, "visibility_m": math.inf, "sun_elevation_rad": 0.8},
    )
    shown = replace(shown, setup=replace(shown.setup, conditions=clear))
    world.setup(shown)
    before = world.look()["front"]
    paint = np.zeros((64, 64, 3), np.uint8)
    paint[:, :32] = (255, 0, 255)
    names = sorted(world.showing(["facade_a", "facade_b", "facade_c"]))
    assert names
    assert world.paint(dict.fromkeys(names, paint))
    assert not np.array_equal(world.look()["front"], before)
    world.setup(shown)
    assert len(server.calls("load_new_episode")) == 1
    assert np.abs(world.look()["front"].astype(int) - before).mean() < 3


def test_the_box_surface_is_the_spawned_boxes(plain: Any, opened: Open) -> None:
    shown = scene("suitcase_off_roof_rack", suitcase={"kind": "cardboard_boxes"})
    world = opened(plain)
    world.setup(shown)
    world.wear({"box": np.full((16, 16, 3), 90, np.uint8)})
    (call,) = plain.calls("apply_color_texture_to_objects")
    actor = world._staged().play.staged["suitcase"].actor
    assert call["args"][0] == [world._staged().play.unreal["suitcase"]]
    assert call["args"][0][0].endswith(str(actor))


def test_with_physics_carla_drives_the_ego(plain: Any, opened: Open) -> None:
    world = opened(plain, physics=True)
    world.setup(scene("child_behind_van"))
    for _ in range(20):
        state = world.step(np.array([0.2, 1.0]), 0.1)
    assert state.speed_mps > 2
    assert state.ego.position_m[0] > 2
    assert state.ego.position_m[1] > 0.02, "a positive steering is to the left"
    frame = world.capture()["front"]
    assert {each.name for each in frame.table} == {
        each.name for each in scene("child_behind_van").setup.objects
    }


def test_steps_are_whole_ticks(plain: Any, opened: Open) -> None:
    world = opened(plain)
    with pytest.raises(WorldError, match=r"call setup\(scene\) first"):
        world.step(AHEAD, 0.1)
    world.setup(scene("child_behind_van"))
    assert world.step(AHEAD, 0.15).time_s == pytest.approx(0.15)
    for seconds, action in ((0.07, AHEAD), (0.0, AHEAD), (0.1, np.array([np.nan, 0]))):
        with pytest.raises(WorldError):
            world.step(action, seconds)
    with pytest.raises(WorldError, match=r"tick_s is 0\.5"):
        opened(plain, tick_s=0.5)


def test_it_cannot_go_back_and_says_why(plain: Any, opened: Open) -> None:
    world = opened(plain)
    for back in (world.remember, lambda: world.recall(None)):
        with pytest.raises(WorldError, match="CARLA cannot go back"):
            back()


def test_unknown_cameras_and_surfaces_are_named(plain: Any, opened: Open) -> None:
    world = opened(plain)
    world.setup(scene("child_behind_van"))
    with pytest.raises(WorldError, match="no camera 'rear'; mounted are: front"):
        world.capture(["rear"])
    with pytest.raises(WorldError, match="no surface 'ceiling'"):
        world.wear({"ceiling": np.zeros((8, 8, 3), np.uint8)})


def test_an_ego_that_somebody_destroys_is_missed(plain: Any, opened: Open) -> None:
    world = opened(plain)
    world.setup(scene("child_behind_van"))
    other = carla.Client("127.0.0.1", plain.port)
    other.set_timeout(5)
    other.get_world()
    other.apply_batch_sync([carla.command.DestroyActor(world._staged().ego.id)], False)
    with pytest.raises(WorldError, match="the ego is gone from 127"):
        world.step(AHEAD, 0.1)


def test_an_ego_that_somebody_moves_is_told(
    plain: Any, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    world = opened(plain)
    world.setup(scene("child_behind_van"))
    other = carla.Client("127.0.0.1", plain.port)
    other.set_timeout(5)
    other.get_world()
    ego, place = world._staged().ego.id, carla.Transform(carla.Location(500, 0, 0))
    other.apply_batch_sync([carla.command.ApplyTransform(ego, place)], False)
    world._tick()
    with caplog.at_level(logging.WARNING):
        world.capture()
    assert "from where it should be: something else moves the ego" in caplog.text


def test_what_is_about_a_scene_is_plain_and_names_no_run(plain: Any, opened: Open) -> None:
    world = opened(plain)
    assert world.about()["server"]["server"] == "0.9.16"
    world.setup(scene("child_behind_van"))
    about = world.about()
    assert about["things"]["child"].startswith("walker.pedestrian.")
    assert about["ego"] == "vehicle.tesla.model3"
    assert json.loads(json.dumps(about)) == about
    world.close()
    again = opened(plain)
    again.setup(scene("child_behind_van"))
    assert again.about() == about
