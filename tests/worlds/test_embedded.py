import dataclasses
import hashlib
import math
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest

from hartsim.errors import WorldError
from hartsim.images import resize
from hartsim.scenario.compiled import CameraSetup
from hartsim.scenario.kinds import KINDS, kinds_of
from hartsim.types import CLASS_ID, CLASSES, Pose
from hartsim.worlds.embedded import EmbeddedWorld
from hartsim.worlds.places import PLACES
from tests.worlds.scenes import AIR, FRONT, SUN_RAD, placed, street

HOLLOW = {
    *("smoke", "dust_cloud", "fog_bank", "sun_glare", "dirty_lens", "lens_drops"),
    *("traffic_cones", "lost_load", "fallen_tree", "tyre", "barrier", "bicycle_lying"),
    *("open_manhole", "dark_traffic_light", "dead_streetlight", "hanging_cable"),
    *("level_crossing", "road_closed_sign", "arrow_trailer", "tyre_spray"),
}
"""Kinds with nothing to see at the middle of their box."""
UPRIGHT = [kind.id for kind in kinds_of("driving") if kind.id not in HOLLOW]
"""Kinds that show themselves at the middle of their box."""


def frame_of(world, setup, camera="front"):
    world.show(setup)
    return world.capture([camera])[camera]


def row_of(frame, name):
    return next(row for row in frame.table if row.name == name)


def digest(frame):
    arrays = (frame.image, frame.labels, frame.instances, frame.depth_m)
    return hashlib.sha256(b"".join(each.tobytes() for each in arrays)).hexdigest()


def plain(colour, size=64):
    return np.full((size, size, 3), colour, np.uint8)


@pytest.mark.parametrize("kind", UPRIGHT)
def test_the_middle_of_a_hazards_box_is_seen_where_the_camera_projects_it(road, kind):
    frame = frame_of(road, street(placed(kind, 11.0, -0.4, 0.3)))
    row = row_of(frame, kind)
    ((column, line, depth),) = frame.camera.project(np.array([row.box.centre_m]))
    assert frame.instances[int(line), int(column)] == row.id
    assert frame.labels[int(line), int(column)] == CLASS_ID[KINDS[kind].class_name]
    assert abs(frame.depth_m[int(line), int(column)] - depth) < max(row.box.size_m[:2]) / 2 + 0.4


@pytest.mark.parametrize("kind", [kind.id for kind in kinds_of("driving")])
def test_every_kind_covers_pixels_of_its_class(road, kind):
    frame = frame_of(road, street(placed(kind, 9.0, 0.0, 1.2)))
    seen = frame.instances == row_of(frame, kind).id
    assert seen.sum() > 8
    allowed = {CLASS_ID[KINDS[kind].class_name], CLASS_ID["smoke_fire"]}
    assert set(np.unique(frame.labels[seen])) <= allowed


def test_every_instance_in_the_picture_is_in_the_table(road):
    frame = frame_of(road, street(placed("deer"), place="city_street", traffic=1.0))
    known = {row.id: CLASS_ID[row.class_name] for row in frame.table}
    for number in np.unique(frame.instances[frame.instances > 0]):
        classes = set(np.unique(frame.labels[frame.instances == number]))
        assert classes == {known[number]}


def test_labels_are_classes_and_sky_is_infinitely_far(road):
    frame = frame_of(road, street())
    assert frame.labels.max() < len(CLASSES)
    assert np.array_equal(frame.labels == CLASS_ID["sky"], np.isinf(frame.depth_m))
    assert frame.image.dtype == np.uint8
    assert frame.instances.dtype == np.uint16


@pytest.mark.parametrize("weather", ["rain", "fog", "overcast"])
def test_weather_changes_the_picture_and_not_the_labels(road, weather):
    clear = frame_of(road, street(placed("deer")))
    other = frame_of(road, street(placed("deer"), weather=weather))
    assert np.array_equal(clear.labels, other.labels)
    assert np.array_equal(clear.depth_m, other.depth_m)
    assert np.abs(clear.image.astype(int) - other.image).mean() > 10


def test_fog_hides_what_is_far(road):
    def contrast(weather):
        frame = frame_of(road, street(weather=weather))
        far = (frame.depth_m > 60) & np.isfinite(frame.depth_m)
        return frame.image[far].astype(float).std()

    assert contrast("fog") < 0.3 * contrast("clear")


def test_smoke_takes_the_label_only_where_it_hides_what_is_behind(road):
    frame = frame_of(road, street(placed("smoke", 10.0), place="highway"))
    without = frame_of(road, street(place="highway"))
    smoke = frame.labels == CLASS_ID["smoke_fire"]
    row = row_of(frame, "smoke")
    assert 20 < smoke.sum() < 0.5 * smoke.size
    assert (frame.instances[smoke] == row.id).all()
    assert np.array_equal(frame.labels[~smoke], without.labels[~smoke])


def test_the_depth_of_smoke_is_that_of_what_stands_in_it(road):
    frame = frame_of(road, street(placed("smoke", 10.0), place="highway"))
    without = frame_of(road, street(place="highway"))
    assert np.array_equal(frame.depth_m, without.depth_m)


def test_a_burning_car_is_one_instance_of_car_and_fire(road):
    frame = frame_of(road, street(placed("burning_car", 12.0), time="dusk"))
    seen = frame.instances == row_of(frame, "burning_car").id
    assert set(np.unique(frame.labels[seen])) == {CLASS_ID["car"], CLASS_ID["smoke_fire"]}


def test_night_is_darker_than_day_and_headlights_show_the_road(road):
    day = frame_of(road, street(place="country_road")).image.mean()
    frame = frame_of(road, street(place="country_road", time="night"))
    assert frame.image.mean() < 0.4 * day
    ground = frame.labels == CLASS_ID["road"]
    near, far = ground & (frame.depth_m < 15), ground & (frame.depth_m > 70)
    assert frame.image[near].mean() > 2 * frame.image[far].mean()


def test_shadows_darken_the_road_beside_a_car():
    lit, shaded = (EmbeddedWorld(size_px=(64, 64), shadows=shadows) for shadows in (False, True))
    setup = street(placed("truck", 9.0), place="highway")
    dark = frame_of(shaded, setup).image.astype(int) - frame_of(lit, setup).image
    assert (dark.mean(axis=-1) < -15).mean() > 0.01
    lit.close()
    shaded.close()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("weather", AIR)
@pytest.mark.parametrize("time", SUN_RAD)
def test_every_place_weather_and_hour_makes_a_picture(road, place, weather, time):
    setup = street(placed("deer"), place=place, weather=weather, time=time, traffic=0.6)
    frame = frame_of(road, setup)
    assert frame.image.std() > 4
    assert (frame.instances == row_of(frame, "deer").id).any()


def test_the_places_look_different(road):
    shares = []
    for place in PLACES:
        frame = frame_of(road, street(place=place))
        shares.append(np.bincount(frame.labels.ravel(), minlength=len(CLASSES)) / frame.labels.size)
    apart = [np.abs(a - b).sum() for i, a in enumerate(shares) for b in shares[:i]]
    assert min(apart) > 0.1


def test_other_seeds_make_other_streets(road):
    one, other = frame_of(road, street(seed=1)), frame_of(road, street(seed=2))
    assert (one.labels != other.labels).mean() > 0.05


def test_the_same_setup_gives_the_same_bytes_whatever_came_between(road):
    setup = street(placed("deer"), weather="rain", time="dusk", traffic=0.8)
    before = digest(frame_of(road, setup))
    frame_of(road, street(place="city_street", seed=9, weather="snow"))
    road.paint({"road": plain((200, 0, 0))})
    assert digest(frame_of(road, setup)) == before


def test_the_same_setup_gives_the_same_bytes_in_another_process(road):
    code = (
        "from tests.worlds.scenes import street, placed\n"
        "from tests.worlds.test_embedded import digest, frame_of\n"
        "from hartsim.worlds.embedded import EmbeddedWorld\n"
        "world = EmbeddedWorld('driving', size_px=(128, 128))\n"
        "print(digest(frame_of(world, street(placed('deer'), time='night', traffic=0.8))))\n"
        "world.close()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = digest(frame_of(road, street(placed("deer"), time="night", traffic=0.8)))
    assert done.stdout.strip() == here


def test_a_look_is_the_picture_of_a_capture(road):
    frame = frame_of(road, street(placed("deer"), weather="rain"))
    assert np.array_equal(road.look()["front"], frame.image)


def test_painting_reports_the_surfaces_that_were_seen_to_change(road):
    road.show(street(place="city_street"))
    names = ("road", "pavement", "facade_b", "sky")
    changed = road.paint({name: plain((250, 40, 180)) for name in names})
    assert changed == set(names)


def test_painting_what_no_camera_sees_reports_nothing(road):
    up = CameraSetup("up", (0.6, 0.0, 1.5), math.radians(80), 0.0, 0.6)
    road.show(street(place="country_road", cameras=(up,)))
    assert road.paint({"road": plain((250, 40, 180))}) == set()


def test_painting_the_same_again_changes_nothing(road):
    road.show(street())
    road.paint({"road": plain((90, 90, 200))})
    assert road.paint({"road": plain((90, 90, 200))}) == set()


def test_painting_changes_only_the_named_surfaces_pixels(road):
    before = frame_of(road, street(place="highway"))
    road.paint({"road": plain((200, 30, 30))})
    after = road.capture()["front"]
    elsewhere = ~np.isin(before.labels, [CLASS_ID["road"], CLASS_ID["road_mark"]])
    changed = np.abs(before.image.astype(int) - after.image).max(axis=-1) > 3
    # rails and posts thinner than a pixel let the road through
    assert changed[elsewhere].mean() < 0.03
    assert changed[before.labels == CLASS_ID["road"]].mean() > 0.85
    assert np.array_equal(before.labels, after.labels)


def test_paint_is_gone_after_the_next_setup(road):
    before = digest(frame_of(road, street()))
    road.paint({"road": plain((200, 30, 30)), "sky": plain((0, 200, 0))})
    assert digest(frame_of(road, street())) == before


def test_a_painted_sky_is_upright_and_unmirrored(road):
    image = plain((0, 0, 0), 256)
    image[128:, :128], image[128:, 128:] = (255, 0, 0), (0, 0, 255)
    road.show(street(place="highway"))
    road.paint({"sky": image})
    frame = road.capture()["front"]
    sky = frame.labels == CLASS_ID["sky"]
    left, right = frame.image[:, :56][sky[:, :56]], frame.image[:, 72:][sky[:, 72:]]
    assert left[:, 0].mean() > 3 * left[:, 2].mean()
    assert right[:, 2].mean() > 3 * right[:, 0].mean()


def test_a_painted_road_has_the_top_of_its_texture_ahead(road):
    image = plain((0, 0, 0), 256)
    image[:128] = (255, 255, 255)
    down = CameraSetup("down", (0.0, 0.0, 6.0), math.radians(-90), 0.0, math.radians(40))
    road.show(street(place="highway", cameras=(down,)))
    road.paint({"road": image})
    frame = road.capture(["down"])["down"]
    grey = frame.image.mean(axis=(1, 2))
    # one copy covers five metres: rows ahead of x = 0 show its lower, black half first
    assert grey[30:60].mean() < grey[66:96].mean()


@pytest.mark.parametrize(
    "image",
    [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.float32), np.zeros((0, 0, 3), np.uint8)],
    ids=["grey", "float", "empty"],
)
def test_only_rgb_bytes_are_paint(road, image):
    road.show(street())
    with pytest.raises(WorldError, match=r"texture for 'road' is .*; paint takes uint8 RGB"):
        road.paint({"road": image})


def test_an_action_that_is_no_number_moves_nothing(road):
    road.show(street())
    before = road.state()
    with pytest.raises(WorldError, match="step takes finite numbers"):
        road.step(np.array([np.nan, 0.0]), 0.1)
    assert road.state() == before


def test_an_unknown_surface_names_the_known_ones(road):
    road.show(street())
    with pytest.raises(WorldError, match="no surface 'raod' to paint; there are: box, facade_a"):
        road.paint({"raod": plain((1, 2, 3))})


def test_an_unknown_camera_names_the_mounted_ones(road):
    road.show(street())
    with pytest.raises(WorldError, match="no camera 'back'; mounted are: front"):
        road.capture(["back"])


def test_a_world_that_shows_nothing_says_so():
    world = EmbeddedWorld(size_px=(32, 32))
    with pytest.raises(WorldError, match="call setup"):
        world.capture()
    world.close()
    world.close()


def test_a_scene_of_another_task_is_refused(road):
    setup = dataclasses.replace(street(), task="robot")
    with pytest.raises(WorldError, match="a robot scene cannot be shown in a driving world"):
        road.show(setup)


def test_driving_straight_moves_the_ego_by_speed_times_time(road):
    road.show(street(place="country_road", speed_mps=12.0))
    state = road.step(np.array([0.0, 0.0]), 0.5)
    assert state.ego.position_m[0] == pytest.approx(6.0)
    assert state.time_s == pytest.approx(0.5)
    assert state.speed_mps == pytest.approx(12.0)


def test_steering_left_turns_left_and_braking_stops(road):
    road.show(street(speed_mps=8.0))
    state = road.step(np.array([1.0, -1.0]), 2.0)
    assert state.ego.heading_rad > 0.2
    assert state.ego.position_m[1] > 0
    assert state.speed_mps == 0


def test_after_a_step_the_hazard_is_nearer_in_the_picture_and_the_table(road):
    setup = street(placed("stopped_car", 30.0), speed_mps=10.0)
    before = frame_of(road, setup)
    road.step(np.zeros(2), 1.0)
    after = road.capture()["front"]
    row = row_of(after, "stopped_car")
    assert row.box.centre_m[0] == pytest.approx(20.0)
    assert (after.instances == row.id).sum() > 1.6 * (before.instances == row.id).sum()
    ((column, line, _),) = after.camera.project(np.array([row.box.centre_m]))
    assert after.instances[int(line), int(column)] == row.id


def test_a_turned_ego_still_sees_hazards_where_the_camera_projects_them(road):
    road.show(street(placed("stopped_car", 30.0, 3.0), speed_mps=10.0))
    road.step(np.array([0.12, 0.0]), 1.0)
    frame = road.capture()["front"]
    row = row_of(frame, "stopped_car")
    ((column, line, _),) = frame.camera.project(np.array([row.box.centre_m]))
    assert frame.instances[int(line), int(column)] == row.id


def test_traffic_moves_and_parked_cars_stay(road):
    road.show(street(place="residential_street", traffic=1.0, speed_mps=0.0))
    before = {row.name: row.box.centre_m for row in road.capture()["front"].table}
    road.step(np.zeros(2), 0.5)
    after = {row.name: row.box.centre_m for row in road.capture()["front"].table}
    moved = {name for name in before if before[name] != after[name]}
    assert moved
    assert set(before) - moved


def test_driving_into_something_is_a_collision(road):
    road.show(street(placed("rock", 8.0), speed_mps=10.0))
    assert road.step(np.zeros(2), 0.2).collisions == ()
    assert road.step(np.zeros(2), 0.6).collisions == ("rock",)


def test_states_tell_where_hazards_are_in_the_frame_of_the_setup(road):
    road.show(street(placed("rock", 25.0), speed_mps=10.0))
    state = road.step(np.zeros(2), 0.5)
    assert state.hazards == {"rock": Pose((25.0, 0.0, 0.0), 0.0)}


def test_several_cameras_see_the_same_things_from_their_places(road):
    side = CameraSetup("side", (0.0, 0.0, 1.5), 0.0, math.pi / 2, 1.0)
    road.show(street(placed("deer", 12.0), cameras=(FRONT, side)))
    frames = road.capture()
    assert set(frames) == {"front", "side"}
    number = row_of(frames["front"], "deer").id
    assert (frames["front"].instances == number).any()
    assert not (frames["side"].instances == number).any()
    assert road.capture(["side"]).keys() == {"side"}


def test_a_draft_shows_the_same_things_in_the_same_places():
    setup = street(placed("stopped_car", 12.0), time="night")
    draft = EmbeddedWorld("driving", (64, 64), draft=True)
    full = EmbeddedWorld("driving", (64, 64))
    with closing(draft), closing(full):
        one, other = frame_of(draft, setup), frame_of(full, setup)
    assert (one.labels == other.labels).mean() > 0.95
    assert (one.instances == other.instances).mean() > 0.98
    small, large = (resize(each.image, (8, 8)).astype(float) for each in (one, other))
    assert np.abs(small - large).mean() < 25
    assert np.corrcoef(small.ravel(), large.ravel())[0, 1] > 0.8


def test_a_draft_hides_what_fog_hides():
    with closing(EmbeddedWorld("driving", (64, 64), draft=True)) as draft:
        clear = frame_of(draft, street(placed("stopped_car", 30.0))).image
        fog = frame_of(draft, street(placed("stopped_car", 30.0), weather="fog")).image
    assert fog.std() < 0.7 * clear.std()


def test_a_remembered_moment_comes_back(road):
    road.show(street(placed("rock", 25.0), speed_mps=10.0, traffic=1.0))
    road.step(np.array([0.2, 0.5]), 0.5)
    memory, before = road.remember(), road.look()["front"]
    after = road.step(np.array([-0.2, 0.0]), 0.5)
    road.recall(memory)
    assert np.array_equal(road.look()["front"], before)
    assert road.step(np.array([-0.2, 0.0]), 0.5) == after


def test_a_moment_is_remembered_for_another_world(road):
    road.show(street(placed("rock", 25.0), speed_mps=10.0))
    road.step(np.array([0.2, 0.5]), 0.5)
    with closing(EmbeddedWorld("driving", road.size_px)) as other:
        other.recall(road.remember())
        assert np.array_equal(other.look()["front"], road.look()["front"])


def test_obstacles_are_where_they_are_now(road):
    road.show(street(placed("rock", 25.0), place="residential_street", traffic=1.0))
    before = road.obstacles()
    road.step(np.zeros(2), 1.0)
    after = road.obstacles()
    assert after["rock"] == before["rock"]
    assert any(after[name] != before[name] for name in before)


def test_the_ego_is_off_the_road_beyond_its_edge(road):
    road.show(street(speed_mps=10.0))
    assert not road.step(np.zeros(2), 0.5).off_road
    assert road.step(np.array([-1.0, 0.0]), 1.5).off_road


def test_textures_are_worn_without_a_look(road):
    road.show(street())
    plain = road.look()["front"]
    road.wear({"road": np.full((32, 32, 3), (200, 0, 0), np.uint8)})
    assert (road.look()["front"][..., 0].astype(int) - plain[..., 0]).max() > 60
    with pytest.raises(WorldError, match="no surface 'moon'"):
        road.wear({"moon": plain})
