from dataclasses import replace

import numpy as np
import pytest

from hartsim.adapters.carla.blueprints import DRESSED, EFFECTS, PATCH_EFFECTS
from hartsim.adapters.carla.overlay import FIRST_ID, overlaid, overlay_of
from hartsim.errors import WorldError
from hartsim.scenario.compiled import Conditions, PlacedObject, WorldSetup
from hartsim.scenario.kinds import KINDS
from hartsim.types import CLASS_ID, UNKNOWN, Box3D, Pose
from hartsim.worlds.embedded import EmbeddedWorld
from hartsim.worlds.motion import STILL
from tests.carla.scenes import FRONT, ROAD, SKY, box, flat_street

CAR = box(1, "car", (16.0, 0.0, 0.75), (4.4, 1.8, 1.5))
WALKER = box(2, "person", (9.0, -1.5, 0.87), (0.4, 0.5, 1.74))
TRAFFIC = [(CAR, (40, 50, 130)), (WALKER, (180, 60, 60))]
PATCHES = sorted(PATCH_EFFECTS)
CLOUDS = ("dust_cloud", "fog_bank", "smoke")


def hazard(kind, ahead_m=9.0, left_m=0.0):
    size = KINDS[kind].size_m
    where = Box3D((ahead_m, left_m, size[2] / 2), size, 0.0)
    return PlacedObject(f"my_{kind}", kind, KINDS[kind].class_name, True, (), where)


def setup_with(*objects, seed=7, time="day", **numbers):
    conditions = Conditions("country_road", "overcast", time, cloud=0.8, **numbers)
    return WorldSetup("driving", conditions, objects, (FRONT,), seed)


def shown(frame, *objects, seed=7, ego=STILL, time_s=0.0, **numbers):
    return overlaid(frame, overlay_of(setup_with(*objects, seed=seed, **numbers)), ego, time_s)


def differs(one, other):
    return (one.image != other.image).any(axis=2)


def bright(frame):
    return frame.image.mean(axis=2)


def test_without_anything_to_add_the_frame_itself_comes_back():
    frame = flat_street(TRAFFIC)
    assert shown(frame, rain=0.7, wetness=0.9, visibility_m=60.0) is frame


@pytest.mark.parametrize("kind", sorted(EFFECTS))
def test_labels_change_only_where_the_picture_does_and_depth_never(kind):
    frame = flat_street(TRAFFIC)
    after = shown(frame, hazard(kind, 40.0 if kind == "sun_glare" else 10.0))
    assert differs(frame, after).any()
    changed = (frame.labels != after.labels) | (frame.instances != after.instances)
    assert changed.any()
    # a drop may happen to show what was there
    assert (changed & ~differs(frame, after)).sum() <= 0.005 * changed.sum()
    assert after.depth_m is frame.depth_m
    own = after.instances == FIRST_ID
    assert (after.labels[own] == CLASS_ID[KINDS[kind].class_name]).all()
    assert [each.name for each in after.table][-1] == f"my_{kind}"


@pytest.mark.parametrize("objects", [(), *[(hazard(kind),) for kind in ("mud", "dirty_lens")]])
def test_the_same_seed_place_and_time_give_the_same_bytes(objects):
    frame = flat_street(TRAFFIC)
    told = {"snow": 0.8, "snow_cover": 0.6, "time_s": 1.3}
    one, same = (shown(frame, *objects, **told) for _ in range(2))
    assert (one.image == same.image).all()
    assert (one.labels == same.labels).all()
    assert differs(one, shown(frame, *objects, seed=8, **told)).any()


def test_snow_whitens_the_ground_and_neither_walkers_nor_the_sky():
    frame = flat_street(TRAFFIC)
    after = shown(frame, snow_cover=0.9)
    road = frame.labels == CLASS_ID["road"]
    assert bright(after)[road].mean() > bright(frame)[road].mean() + 60
    untouched = np.isin(frame.labels, [CLASS_ID["person"], CLASS_ID["sky"]])
    assert not differs(frame, after)[untouched].any()


def test_more_snow_hides_more():
    frame = flat_street()
    light = [bright(shown(frame, snow_cover=cover)).mean() for cover in (0.0, 0.3, 0.6, 0.9)]
    assert light == sorted(light)
    assert light[3] - light[0] > 30


def test_under_snow_marks_are_road_and_all_else_is_what_it_was():
    frame = flat_street(TRAFFIC)
    after = shown(frame, snow_cover=0.95)
    marks = frame.labels == CLASS_ID["road_mark"]
    assert (after.labels[~marks] == frame.labels[~marks]).all()
    assert (after.labels[marks] == CLASS_ID["road"]).mean() > 0.8
    assert (after.instances == frame.instances).all()


def test_snow_is_as_dark_as_the_night():
    dark = flat_street(light=0.15)
    after = shown(dark, snow_cover=0.9, time="night")
    road = dark.labels == CLASS_ID["road"]
    assert bright(dark)[road].mean() + 8 < bright(after)[road].mean() < 80


def test_snow_lies_still_while_the_ego_drives():
    """The same piece of road is as white, seen from two metres further on."""
    ego = Pose((2.0, 0.0, 0.0), 0.0)
    first = shown(flat_street(), snow_cover=0.45)
    later = shown(flat_street(ego=ego), ego=ego, snow_cover=0.45)
    at = np.array([[x, y, 0.0] for x in np.linspace(9, 14, 12) for y in np.linspace(-1.4, 1, 9)])
    here = first.camera.project(at)[:, 1::-1].astype(int)
    there = later.camera.project(at - (2.0, 0.0, 0.0))[:, 1::-1].astype(int)
    one, other = (bright(f)[p[:, 0], p[:, 1]] for f, p in ((first, here), (later, there)))
    assert np.corrcoef(one, other)[0, 1] > 0.7
    jumbled = bright(later)[here[:, 0], here[:, 1]]
    assert np.corrcoef(one, jumbled)[0, 1] < 0.4


def test_flakes_fall_and_hide_what_is_behind_them():
    frame = flat_street(TRAFFIC)
    one, later = (shown(frame, snow=1.0, time_s=t) for t in (0.0, 0.2))
    assert differs(one, later).any()
    hidden = one.labels != frame.labels
    assert 0 < hidden.mean() < 0.05
    assert (one.labels[hidden] == UNKNOWN).all()
    assert (one.instances[hidden] == 0).all()


def test_no_flake_falls_behind_what_is_seen():
    frame = flat_street()
    close = replace(frame, depth_m=np.full_like(frame.depth_m, 0.5))
    assert not differs(close, shown(close, snow=1.0)).any()


@pytest.mark.parametrize("kind", PATCHES)
def test_a_patch_lies_on_the_road_within_its_box_and_nowhere_else(kind):
    frame, placed = flat_street(TRAFFIC), hazard(kind, 10.0, 0.3)
    after = shown(frame, placed)
    own = after.instances == FIRST_ID
    assert own.sum() > 10
    rows, columns = np.nonzero(own)
    corners = after.camera.project(placed.box.corners())
    assert columns.min() >= corners[:, 0].min() - 3
    assert columns.max() <= corners[:, 0].max() + 3
    assert rows.min() >= corners[:, 1].min() - 3
    level = {CLASS_ID[name] for name in ("road", "road_mark", "terrain")}
    assert set(np.unique(frame.labels[own])) <= level
    around = np.zeros_like(own)
    around[rows.min() - 12 : rows.max() + 12, columns.min() - 12 : columns.max() + 12] = True
    assert not differs(frame, after)[~around].any()


def test_what_stands_on_a_patch_stays_what_it_is():
    frame = flat_street(TRAFFIC)
    after = shown(frame, hazard("flooded_road", 9.0))
    for id in (1, 2):
        assert (after.instances[frame.instances == id] == id).all()
    assert not differs(frame, after)[frame.instances == 2].any()


def test_what_lies_flat_on_the_road_is_not_taken_for_the_road():
    mat = box(4, "terrain", (9.0, 0.0, 0.01), (1.5, 1.5, 0.02))
    frame = flat_street([(mat, (120, 40, 40))])
    after = shown(frame, hazard("flooded_road", 9.0))
    assert (after.instances[frame.instances == 4] == 4).all()
    assert (after.instances == FIRST_ID).sum() > 100


def test_a_patch_stays_where_it_is_while_the_ego_drives_and_turns():
    ego, placed = Pose((4.0, 0.5, 0.0), 0.1), hazard("oil_spill", 12.0, 1.0)
    after = shown(flat_street(ego=ego), placed, ego=ego)
    rows, columns = np.nonzero(after.instances == FIRST_ID)
    instance = after.table[-1]
    middle = after.camera.project(np.array([instance.box.centre_m]))[0]
    assert abs(columns.mean() - middle[0]) < 4
    assert abs(rows.mean() - middle[1]) < 4


def test_ice_mirrors_what_stands_behind_it():
    wall = box(3, "building", (30.0, 0.0, 4.0), (1.0, 20.0, 8.0))
    frame = flat_street([(wall, (230, 30, 30))])
    after = shown(frame, ground="icy")
    road = frame.labels == CLASS_ID["road"]
    gained = after.image.astype(int) - frame.image
    red = (gained[..., 0] - gained[..., 1])[road]
    assert red.mean() > 8
    assert not differs(frame, after)[frame.labels == CLASS_ID["building"]].any()


def test_mud_covers_the_road_and_its_marks_and_not_the_grass():
    frame = flat_street(TRAFFIC)
    after = shown(frame, ground="muddy")
    road, grass = (frame.labels == CLASS_ID[name] for name in ("road", "terrain"))
    assert not differs(frame, after)[grass].any()
    brown = after.image[road].astype(int)
    assert (brown[:, 0] > brown[:, 2] + 15).mean() > 0.5
    marks = frame.labels == CLASS_ID["road_mark"]
    assert (after.labels[marks] == CLASS_ID["road"]).any()


@pytest.mark.parametrize("kind", CLOUDS)
def test_a_cloud_hides_what_is_behind_and_not_what_is_before_it(kind):
    frame = flat_street(TRAFFIC)
    behind_walker = shown(frame, hazard(kind, 13.0))
    assert (behind_walker.labels[frame.instances == 2] == CLASS_ID["person"]).mean() > 0.9
    own = behind_walker.instances == FIRST_ID
    assert own.sum() > 100
    assert set(np.unique(behind_walker.labels[own])) == {CLASS_ID["smoke_fire"]}


def test_dirt_on_the_glass_has_its_own_label_and_number():
    frame = flat_street(TRAFFIC)
    after = shown(frame, hazard("dirty_lens"))
    own = after.instances == FIRST_ID
    assert 0.02 < own.mean() < 0.6
    assert (after.labels[own] == CLASS_ID["other"]).all()
    assert (after.labels[~own] == frame.labels[~own]).all()


def test_several_hazards_are_numbered_downward_by_name():
    frame = flat_street(TRAFFIC)
    after = shown(frame, hazard("puddle", 7.0), hazard("mud", 12.0))
    assert [(each.id, each.name) for each in after.table[2:]] == [
        (FIRST_ID, "my_mud"),
        (FIRST_ID - 1, "my_puddle"),
    ]
    assert {FIRST_ID, FIRST_ID - 1} <= set(np.unique(after.instances).tolist())


def test_actors_are_no_part_of_the_overlay():
    overlay = overlay_of(setup_with(hazard("stopped_car"), hazard("pedestrian")))
    assert overlay.is_nothing


@pytest.mark.parametrize("number", [{"snow": 0.5}, {"snow_cover": 0.8}, {"ground": "icy"}])
def test_a_frame_of_nothing_but_sky_stands_it(number):
    frame = flat_street()
    empty = replace(
        frame,
        image=np.full_like(frame.image, SKY),
        labels=np.full_like(frame.labels, CLASS_ID["sky"]),
        depth_m=np.full_like(frame.depth_m, np.inf),
    )
    after = shown(empty, **number)
    assert differs(empty, after).any() == ("snow" in number)


def test_a_frame_of_another_camera_is_refused():
    frame = flat_street()
    other = replace(frame, camera=replace(frame.camera, name="rear"))
    with pytest.raises(WorldError, match="no camera 'rear' in the setup; there are: front"):
        shown(other, snow=0.5)


def test_a_number_that_an_actor_has_is_not_given_again():
    taken = replace(CAR, id=FIRST_ID)
    with pytest.raises(WorldError, match=r"camera 'front': instance 65535 is both an actor's"):
        shown(flat_street([(taken, ROAD)]), hazard("puddle"))


@pytest.mark.parametrize("kind", sorted(DRESSED))
def test_fire_and_spray_go_where_their_actor_goes(kind):
    placed = hazard(kind, 14.0)
    there = replace(CAR, name=placed.name, box=placed.box, class_name=placed.class_name)
    frame = flat_street([(there, (40, 50, 130))])
    here = shown(frame, placed)
    own = (here.labels == CLASS_ID["smoke_fire"]) & (here.instances == there.id)
    assert own.sum() > 30
    away = Box3D((14.0, 3.5, placed.box.centre_m[2]), placed.box.size_m, 0.0)
    moved = replace(there, box=away)
    gone = shown(flat_street([(moved, (40, 50, 130))]), placed)
    shifted = (gone.labels == CLASS_ID["smoke_fire"]) & (gone.instances == there.id)
    assert np.nonzero(shifted)[1].mean() < np.nonzero(own)[1].mean() - 15
    assert [each.id for each in here.table] == [there.id]


def test_nothing_burns_where_the_actor_is_not_there_yet():
    frame = flat_street(TRAFFIC)
    after = shown(frame, hazard("burning_car"))
    assert not differs(frame, after).any()


def test_dirt_lies_where_the_embedded_street_has_it():
    """The same film, by the embedded world and over a frame of it without."""
    camera = replace(FRONT, position_m=(1.6, 0.0, 1.4))
    dirty = replace(setup_with(hazard("dirty_lens")), cameras=(camera,))
    world = EmbeddedWorld("driving", (128, 128), shadows=False)
    world.show(replace(dirty, objects=()))
    clean = world.capture()["front"]
    world.show(dirty)
    theirs = world.capture()["front"]
    world.close()
    ours = overlaid(clean, overlay_of(dirty))
    id = next(each.id for each in theirs.table if each.kind == "dirty_lens")
    own = ours.instances == FIRST_ID
    assert own.sum() > 200
    assert (own == (theirs.instances == id)).all()
    assert (ours.labels == theirs.labels).mean() > 0.999
