import math
from dataclasses import replace

import numpy as np
import pytest

from hartsim.errors import WorldError
from hartsim.scenario.compiled import CameraSetup, Conditions, PlacedObject, WorldSetup
from hartsim.scenario.kinds import KINDS, kinds_of
from hartsim.scenario.surroundings import PLACES
from hartsim.types import Box3D
from hartsim.worlds import tabletop
from hartsim.worlds.arm import ARM
from hartsim.worlds.embedded import EmbeddedWorld
from hartsim.worlds.tabletop_rooms import TABLE_X_M, TABLE_Y_M

FRONT = CameraSetup("front", (1.66, 0.22, 0.92), math.radians(-28.5), math.radians(187.5), 0.8)
TOP = CameraSetup("top", (0.44, 0.0, 1.45), math.radians(-90), math.pi, 0.87)
ROOMS = [id for id, place in PLACES.items() if place.task == "robot"]
TABLE_KINDS = [kind.id for kind in kinds_of("robot")]
HOLLOW = {"power_cable", "broken_glass", "scissors"}
"""Kinds that may show the table where their middle is."""


def thing(kind, ahead_m=0.55, left_m=0.0, heading_rad=0.0):
    size = KINDS[kind].size_m
    box = Box3D((ahead_m, left_m, size[2] / 2), size, heading_rad)
    return PlacedObject(kind, kind, KINDS[kind].class_name, KINDS[kind].hazard, (), box)


def setup_of(*things, place="office_desk", time="day", seed=3, clutter=0.0, cameras=(FRONT, TOP)):
    return WorldSetup(
        "robot", Conditions(place, "clear", time), things, cameras, seed, clutter=clutter
    )


def scattered(stage, asked):
    names = {ARM, *(each.name for each in asked)}
    return [p.instance for p in stage.props if p.instance and p.instance.name not in names]


def radius(box):
    return math.hypot(*box.size_m[:2]) / 2


@pytest.fixture(scope="module")
def world():
    world = EmbeddedWorld("robot", size_px=(192, 192), supersample=1)
    yield world
    world.close()


def shown(world, setup, camera="front"):
    world.show(setup)
    return world.capture([camera])[camera]


def mask_of(frame, name):
    row = next(each for each in frame.table if each.name == name)
    return frame.instances == row.id


def projected(frame, points):
    columns, rows, _ = frame.camera.project(np.asarray(points)).T
    return columns, rows


def test_every_table_kind_of_the_catalogue_can_be_drawn():
    assert set(TABLE_KINDS) <= tabletop.KINDS


@pytest.mark.parametrize("kind", TABLE_KINDS)
@pytest.mark.parametrize("camera", ["front", "top"])
def test_things_are_seen_where_the_scenario_puts_them(world, kind, camera):
    each = thing(kind, heading_rad=math.pi if kind == "human_hand" else 0.3)
    frame = shown(world, setup_of(each), camera)
    mask = mask_of(frame, kind)
    columns, rows = projected(frame, each.box.corners())
    middle_row, middle_column = (np.median(found) for found in np.nonzero(mask))
    assert rows.min() - 1 <= middle_row <= rows.max() + 1
    assert columns.min() - 1 <= middle_column <= columns.max() + 1


@pytest.mark.parametrize("kind", sorted(set(TABLE_KINDS) - HOLLOW))
def test_the_projected_centre_lies_in_the_mask(world, kind):
    each = thing(kind, heading_rad=math.pi if kind == "human_hand" else 0.3)
    frame = shown(world, setup_of(each))
    columns, rows = projected(frame, [each.box.centre_m])
    assert mask_of(frame, kind)[int(rows[0]), int(columns[0])]


def test_the_label_of_a_thing_is_its_class(world):
    frame = shown(world, setup_of(thing("apple"), clutter=0.8))
    assert set(np.unique(frame.labels[mask_of(frame, "apple")])) == {29}


def test_the_arm_is_one_robot_instance_that_is_no_hazard(world):
    frame = shown(world, setup_of(thing("mug")))
    arm = next(each for each in frame.table if each.name == ARM)
    assert (arm.class_name, arm.hazard) == ("robot", False)
    assert set(np.unique(frame.labels[mask_of(frame, ARM)])) == {22}


def test_the_same_setup_gives_the_same_bytes(world):
    setup = setup_of(thing("coffee_spill"), clutter=0.7)
    first = shown(world, setup)
    shown(world, setup_of(thing("knife"), place="lab_bench", seed=8))
    again = shown(world, setup)
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.instances, again.instances)


def test_another_decor_seed_gives_another_room(world):
    first = shown(world, setup_of(thing("mug"), seed=1))
    other = shown(world, setup_of(thing("mug"), seed=2))
    assert np.abs(first.image.astype(int) - other.image).mean() > 5


def test_night_is_darker_than_day(world):
    for place in ROOMS:
        day = shown(world, setup_of(thing("mug"), place=place)).image.mean()
        assert shown(world, setup_of(thing("mug"), place=place, time="night")).image.mean() < day


@pytest.mark.parametrize("seed", range(12))
def test_clutter_keeps_clear_of_the_scenario_and_of_itself(seed):
    asked = (thing("laptop", 0.5, 0.2), thing("human_hand", 0.6, -0.2))
    stage = tabletop.build(setup_of(*asked, place=ROOMS[seed % 4], seed=seed, clutter=1.0))
    lying = [each.box for each in scattered(stage, asked)]
    boxes = [each.box for each in asked] + lying
    for place, box in enumerate(lying, start=len(asked)):
        for other in boxes[:place]:
            apart = math.dist(box.centre_m[:2], other.centre_m[:2])
            assert apart > radius(box) + radius(other)


@pytest.mark.parametrize("place", ROOMS)
def test_clutter_lies_wholly_on_the_table(place):
    stage = tabletop.build(setup_of(place=place, clutter=1.0))
    for each in scattered(stage, ()):
        x, y, _ = each.box.corners().T
        assert TABLE_X_M[0] <= min(x) <= max(x) <= TABLE_X_M[1]
        assert np.abs(y).max() <= TABLE_Y_M[1]


def test_clutter_grows_with_what_is_asked_and_is_never_a_hazard():
    counts = []
    for clutter in (0.0, 0.4, 1.0):
        found = scattered(tabletop.build(setup_of(clutter=clutter)), ())
        assert not any(each.hazard for each in found)
        counts.append(len(found))
    assert counts[0] == 0 < counts[1] < counts[2]


def test_adding_a_thing_leaves_the_look_of_the_others():
    mug, book = thing("mug", 0.4, -0.2), thing("book", 0.6, 0.3)
    alone = {p.name: p for p in tabletop.build(setup_of(mug)).props}
    together = {p.name: p for p in tabletop.build(setup_of(book, mug)).props}
    assert [s.rgba for s in alone["mug"].solids] == [s.rgba for s in together["mug"].solids]


def test_instance_ids_are_unique():
    stage = tabletop.build(setup_of(thing("mug"), thing("knife", 0.4, 0.3), clutter=1.0))
    ids = [prop.instance.id for prop in stage.props if prop.instance]
    assert len({0, *ids}) == len(ids) + 1


def test_a_place_that_is_no_room_is_named():
    with pytest.raises(WorldError, match="no place 'highway'; there are: kitchen_table"):
        tabletop.build(setup_of(place="highway"))


def test_a_kind_that_cannot_be_drawn_is_named():
    deer = replace(thing("mug"), name="bambi", kind="deer")
    with pytest.raises(WorldError, match="bambi: the table top cannot draw 'deer'"):
        tabletop.build(setup_of(deer))


def test_the_gripper_moves_as_told_and_reports_what_it_touches(world):
    mug = thing("mug", 0.5, 0.0)
    world.show(setup_of(mug, cameras=(FRONT,)))
    for _ in range(60):
        gap = np.array(mug.box.centre_m) - world.state().ego.position_m
        state = world.step(gap / np.linalg.norm(gap), 0.1)
    assert state.collisions == ("mug",)
    assert math.dist(state.ego.position_m, mug.box.centre_m) < 0.03


def test_a_step_changes_the_picture_and_nothing_but_the_arm(world):
    world.show(setup_of(thing("mug", 0.6, 0.3), cameras=(TOP,)))
    before = world.capture()["top"]
    world.step(np.array([0.0, -1.0, 0.0]), 0.5)
    after = world.capture()["top"]
    moved = before.instances != after.instances
    assert moved.any()
    assert {0, 1} >= set(np.unique(before.instances[moved])) | set(
        np.unique(after.instances[moved])
    )


@pytest.mark.parametrize("surface", sorted(tabletop.SURFACES))
def test_every_surface_takes_paint(world, surface):
    world.show(setup_of(thing("cardboard_box")))
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 255
    assert world.paint({surface: red}) == {surface}
