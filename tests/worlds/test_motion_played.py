from contextlib import closing

import numpy as np
import pytest

from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.load import parse_scenario
from hartsim.worlds.embedded import EmbeddedWorld

DRIVING = "task: driving\nscene: {place: highway}\ndriving: {speed_mps: 10, traffic: 0}\n"
STRAIGHT = np.zeros(2)


@pytest.fixture(scope="module")
def table():
    with closing(EmbeddedWorld("robot", size_px=(64, 64))) as world:
        yield world


def scene(text):
    return compile_draw(parse_scenario(text, "test.yaml", "test"), 0, 0)


def test_a_child_runs_when_the_ego_comes_near(road):
    text = "hazards: {c: {kind: child, ahead_m: 20, left_m: -3, heading_deg: 90, motion: crosses,"
    road.setup(scene(DRIVING + text + " speed_mps: 2, when_distance_m: 12}}\n"))
    before = road.step(STRAIGHT, 0.5).hazards["c"]
    assert before.position_m[1] == pytest.approx(-3.0)
    after = road.step(STRAIGHT, 1.0).hazards["c"]
    assert after.position_m[1] > -2.6


def test_the_picture_shows_where_things_are_now(road):
    text = "hazards: {c: {kind: stopped_car, ahead_m: 14, left_m: 3.5, motion: drives,"
    road.setup(scene(DRIVING + text + " speed_mps: 20}}\n"))
    near = road.capture(["front"])["front"]
    road.step(STRAIGHT, 1.0)
    far = road.capture(["front"])["front"]
    assert (far.instances == 1).sum() < 0.6 * (near.instances == 1).sum()
    assert far.table[0].box.centre_m[0] == pytest.approx(
        near.table[0].box.centre_m[0] + 10, abs=0.1
    )


def test_what_has_not_appeared_is_neither_seen_nor_labelled_nor_hit(road):
    text = (
        "hazards: {d: {kind: deer, ahead_m: 6, heading_deg: 90, motion: appears, when_time_s: 2}}"
    )
    road.setup(scene(DRIVING.replace("10", "0") + text))
    frame = road.capture(["front"])["front"]
    assert not (frame.instances == 1).any()
    assert [each.name for each in frame.table if each.name == "d"] == []
    assert road.step(STRAIGHT, 1.0).hazards == {}
    state = road.step(STRAIGHT, 1.2)
    assert list(state.hazards) == ["d"]
    assert (road.capture(["front"])["front"].instances == 1).any()


def test_a_load_falls_to_the_road(road):
    text = (
        "hazards: {b: {kind: cardboard_boxes, ahead_m: 15, up_m: 2, motion: falls, when_time_s: 1}}"
    )
    road.setup(scene(DRIVING + text))
    assert road.step(STRAIGHT, 0.9).hazards["b"].position_m[2] == pytest.approx(2.0)
    assert road.step(STRAIGHT, 1.0).hazards["b"].position_m[2] == 0.0


def test_a_hand_reaches_over_the_table(table):
    text = (
        "task: robot\nscene: {place: kitchen_table}\nrobot: {clutter: 0}\nhazards: {h: {kind: "
        "human_hand, ahead_m: 0.5, left_m: -0.5, heading_deg: 90, motion: drives, speed_mps: 0.2}}"
    )
    table.setup(scene(text))
    state = table.step(np.zeros(3), 1.0)
    assert state.hazards["h"].position_m[1] == pytest.approx(-0.3, abs=0.01)


def test_smoke_goes_with_what_it_belongs_to_and_is_no_obstacle(road):
    text = "hazards: {s: {kind: smoke, ahead_m: 8, motion: drives, speed_mps: 30}}"
    road.setup(scene(DRIVING.replace("10", "0") + text))
    near = (road.capture(["front"])["front"].instances == 1).sum()
    assert road.step(STRAIGHT, 2.0).collisions == ()
    assert (road.capture(["front"])["front"].instances == 1).sum() < near / 2
    road.setup(scene(DRIVING + "hazards: {s: {kind: smoke, ahead_m: 6}}"))
    assert road.step(STRAIGHT, 1.0).collisions == ()
