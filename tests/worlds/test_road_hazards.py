"""Debris, surfaces, visibility and infrastructure on the street, and what the glass adds."""

from collections import Counter

import numpy as np
import pytest

from hartsim.scenario.kinds import KINDS, kinds_of
from hartsim.scenario.words import bare
from hartsim.types import CLASS_ID
from hartsim.worlds import (
    forms,
    lens,
    lost_loads,
    lost_things,
    parts,
    road_failures,
    road_surfaces,
    roadworks,
    veils,
)
from hartsim.worlds import street as street_world
from hartsim.worlds.looks import Look
from hartsim.worlds.motion import STILL
from hartsim.worlds.stage import Film
from tests.worlds.scenes import FRONT, placed, street

MADE = (
    lost_things.MAKERS
    | lost_loads.MAKERS
    | road_surfaces.MAKERS
    | road_failures.MAKERS
    | roadworks.MAKERS
)
MOST_FACES = 3000
SIZE = (64, 64)


def frame_of(world, setup, camera="front"):
    world.show(setup)
    return world.capture([camera])[camera]


def own_pixels(frame, name):
    row = next(row for row in frame.table if row.name == name)
    return frame.instances == row.id


def film(kind, seed=3):
    return Film(kind, (9.0, 0.0, 1.0), seed)


@pytest.mark.parametrize("kind", MADE)
def test_a_thing_stands_on_the_ground_with_few_faces_whatever_its_seed(kind):
    for seed in range(4):
        solids = MADE[kind](KINDS[kind].size_m, Look(None, False, seed))
        drawn = forms.place(solids, [STILL] * len(solids))
        points = np.concatenate([each.vertices.reshape(-1, 3) for each in drawn])
        assert len(points) / 3 <= MOST_FACES
        assert -0.02 < points[:, 2].min() < 0.03
        assert np.isfinite(points).all()


@pytest.mark.parametrize("kind", [*MADE, *veils.CLOUDS, *veils.FILMS, "high_beams", "sun_glare"])
def test_a_road_hazard_is_told_by_its_class_and_tags(kind):
    about = KINDS[kind]
    assert about.hazard
    assert about.odd
    assert len(about.nouns) >= 2


def test_no_word_of_a_road_hazard_means_two_kinds():
    words = [
        word
        for kind in kinds_of("driving", hazard=True)
        for word in {*map(bare, kind.nouns), *kind.synonyms, kind.plural}
    ]
    assert [word for word, count in Counter(words).items() if count > 1] == []


def test_letters_are_read_from_the_left_by_the_driver():
    letters = parts.lettering("L", 0.5, (0.0, 0.0, 0.0)).vertices.reshape(-1, 3)
    foot = letters[letters[:, 2] < -0.2]
    stem = letters[letters[:, 2] > 0.1]
    assert stem[:, 1].min() > foot[:, 1].mean()


@pytest.mark.parametrize("kind", ["flooded_road", "ice_patch"])
def test_water_and_ice_mirror_the_scene(kind):
    assert street_world.build(street(placed(kind, 10.0))).mirrors


@pytest.mark.parametrize("kind", ["dust_cloud", "fog_bank", "tyre_spray"])
def test_a_cloud_hides_what_is_behind_it(road, kind):
    frame = frame_of(road, street(placed(kind, 11.0), place="highway"))
    cloud = own_pixels(frame, kind) & (frame.labels == CLASS_ID["smoke_fire"])
    assert cloud.sum() > 200


def test_two_cameras_have_different_dirt_and_each_always_the_same():
    other = FRONT.__class__("rear", (0.0, 0.0, 1.5), 0.0, 3.1, FRONT.fov_rad)
    first, again, rear = (
        lens.marks_of(film("dirt"), camera, SIZE).cover for camera in (FRONT, FRONT, other)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, rear)


def test_dirt_lies_where_the_scenario_puts_it():
    left = lens.marks_of(Film("dirt", (10.0, 3.5, 1.0), 3), FRONT, SIZE).cover
    right = lens.marks_of(Film("dirt", (10.0, -3.5, 1.0), 3), FRONT, SIZE).cover
    assert left[28:40, 8:20].mean() > right[28:40, 8:20].mean()


def test_a_drop_shows_the_scene_upside_down():
    picture = np.zeros((3, *SIZE), np.float32)
    picture[:, :32] = 1
    marks = lens.marks_of(film("drops"), FRONT, SIZE)
    seen = lens.filmed(picture, [marks], (1.0, 1.0, 1.0))[0]
    assert marks.cover[28:36, 32].min() > 0.9
    assert seen[35, 32] > seen[28, 32]


@pytest.mark.parametrize("kind", ["dirty_lens", "lens_drops"])
def test_the_label_is_the_films_only_where_it_hides_what_is_behind(road, kind):
    without = frame_of(road, street(placed("deer", 8.0)))
    frame = frame_of(road, street(placed("deer", 8.0), placed(kind, 9.0, 1.0)))
    own = own_pixels(frame, kind)
    assert 0.02 < own.mean() < 0.5
    assert set(np.unique(frame.labels[own])) == {CLASS_ID["other"]}
    assert np.array_equal(frame.labels[~own], without.labels[~own])
    assert np.array_equal(frame.depth_m, without.depth_m)


@pytest.mark.parametrize("kind", ["dirty_lens", "lens_drops", "sun_glare", "high_beams"])
def test_a_look_is_what_a_capture_is(road, kind):
    frame = frame_of(road, street(placed(kind, 9.0, 0.4)))
    assert np.array_equal(road.look(["front"])["front"], frame.image)


def test_a_low_sun_dazzles_by_day_and_not_at_night(road):
    day = frame_of(road, street(placed("sun_glare", 9.0, 0.4), place="highway"))
    own = own_pixels(day, "sun_glare")
    assert own.sum() > 20
    assert day.image[own].mean() > 245
    night = street(placed("sun_glare", 9.0, 0.4), place="highway", time="night")
    assert not own_pixels(frame_of(road, night), "sun_glare").any()


def test_a_low_sun_behind_a_truck_does_not_dazzle(road):
    setup = street(placed("sun_glare", 30.0), placed("truck", 7.0), place="highway")
    assert not own_pixels(frame_of(road, setup), "sun_glare").any()


def test_high_beams_dazzle_only_whom_they_face(road):
    facing, away = (
        frame_of(road, street(placed("high_beams", 12.0, 0.0, turn), time="night")).image.mean()
        for turn in (np.pi, 0.0)
    )
    assert facing > 1.5 * away
