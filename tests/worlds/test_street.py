import math
from contextlib import closing

import numpy as np
import pytest

from hartsim.errors import WorldError
from hartsim.scenario.kinds import KINDS, kinds_of
from hartsim.scenario.surroundings import STREET_SURFACES
from hartsim.types import CLASS_ID
from hartsim.worlds import forms, street
from hartsim.worlds.embedded import EmbeddedWorld, drawable_kinds
from hartsim.worlds.motion import STILL
from hartsim.worlds.places import PLACES
from hartsim.worlds.textures import WORDS, texture
from tests.worlds.scenes import placed
from tests.worlds.scenes import street as street_setup

DRIVING_KINDS = [kind.id for kind in kinds_of("driving")]
WITH_LIMBS = {"child", "pedestrian", "adult", "deer"}
"""Kinds whose limbs and antlers may reach out of the box that the scenario gives them."""
WITHOUT_SOLIDS = {"smoke", "dust_cloud", "fog_bank", "sun_glare", "dirty_lens", "lens_drops"}
"""Kinds that hide the road and have no shape."""


def corners(prop):
    """All corners of a prop's solids in its own frame, (N, 3)."""
    drawn = forms.place(prop.solids, [STILL] * len(prop.solids))
    return np.concatenate([each.vertices.reshape(-1, 3) for each in drawn])


def prop_named(stage, name):
    return next(prop for prop in stage.props if prop.name == name)


def test_every_driving_kind_of_the_catalogue_can_be_drawn():
    assert set(DRIVING_KINDS) <= drawable_kinds("driving")


def test_the_street_paints_what_the_catalogue_names():
    assert set(street.SURFACES) == set(STREET_SURFACES)


@pytest.mark.parametrize("kind", [kind for kind in DRIVING_KINDS if kind not in WITHOUT_SOLIDS])
def test_objects_fill_their_box_and_stay_within_it(kind):
    stage = street.build(street_setup(placed(kind, 10.0)))
    points = corners(prop_named(stage, kind))
    size = np.array(KINDS[kind].size_m)
    low, high = points.min(axis=0), points.max(axis=0)
    slack = 0.75 if kind in WITH_LIMBS else 0.09
    assert (low > -size / 2 * (1, 1, 0) - slack).all()
    assert (high < size * (0.5, 0.5, 1) + slack).all()
    assert ((high - low)[:2] > 0.6 * size[:2]).all()


def test_smoke_fills_its_box():
    setup = street_setup(placed("smoke", 10.0))
    centres = np.array([puff.position_m for puff in street.build(setup).puffs])
    assert np.abs(centres.mean(axis=0) - (10.0, 0.0, 1.2)).max() < 0.5
    assert (np.ptp(centres, axis=0) > 1.0).all()


@pytest.mark.parametrize("place", PLACES)
def test_decor_keeps_clear_of_what_the_scenario_places(place):
    wanted = placed("stopped_car", 20.0, -3.2)
    stage = street.build(street_setup(wanted, place=place, traffic=1.0))
    x, y, _ = wanted.box.centre_m
    others = [p.instance.box for p in stage.props if p.instance and p.name != "stopped_car"]
    away = [math.hypot(box.centre_m[0] - x, box.centre_m[1] - y) for box in others]
    assert min(away, default=9.0) > 2.4


@pytest.mark.parametrize("place", PLACES)
def test_nothing_stands_in_the_lane_before_the_hazard(place):
    for seed in range(6):
        stage = street.build(
            street_setup(placed("deer", 30.0), place=place, traffic=1.0, seed=seed)
        )
        lane = [
            p.name
            for p in stage.props
            if p.instance and p.name != "deer" and abs(p.instance.box.centre_m[1]) < 1.5
        ]
        assert all(prop_named(stage, name).instance.box.centre_m[0] > 40 for name in lane)


def test_only_the_scenarios_own_objects_are_hazards():
    stage = street.build(street_setup(placed("deer"), traffic=1.0))
    assert [p.name for p in stage.props if p.instance and p.instance.hazard] == ["deer"]


def test_instances_are_numbered_from_one_without_gaps():
    stage = street.build(street_setup(placed("deer"), placed("rock", 20.0), traffic=1.0))
    numbers = sorted(p.instance.id for p in stage.props if p.instance)
    assert numbers == list(range(1, len(numbers) + 1))


def test_another_hazard_does_not_move_the_houses():
    def walls(setup):
        return [p for p in street.build(setup).props if p.class_name == "building"]

    one, other = walls(street_setup(placed("deer"))), walls(street_setup(placed("rock", 25.0)))
    assert [p.pose for p in one] == [p.pose for p in other]


def test_more_traffic_means_more_moving_vehicles():
    def vehicles(traffic):
        stage = street.build(street_setup(place="country_road", traffic=traffic))
        return sum(any(p.velocity_mps) for p in stage.props if p.class_name != "person")

    assert vehicles(0.0) == 0
    assert vehicles(1.0) > vehicles(0.3)


def test_lamps_are_lit_in_the_dark_only():
    assert not street.build(street_setup(time="day")).lamps
    assert street.build(street_setup(time="night")).lamps


def test_a_colour_of_the_scenario_is_worn():
    red = (0.5, 0.02, 0.02)
    stage = street.build(street_setup(placed("car", colour=red)))
    r, g, b = prop_named(stage, "car").solids[0].colours["paint"]
    assert r > 0.6
    assert max(g, b) < 0.2


def test_an_unknown_place_names_the_known_ones():
    with pytest.raises(WorldError, match="no place 'moon'; there are: residential_street"):
        street.build(street_setup(place="moon"))


def test_every_material_of_every_place_has_words():
    for place in PLACES.values():
        for names in place.materials.values():
            assert all(name in WORDS for name in names)


@pytest.mark.parametrize("name", ["asphalt", "grass", "paving", "brick_front", "noise_barrier"])
def test_textures_are_seamless(name):
    image = texture(name, 1).astype(float)
    steps = np.abs(np.diff(image, axis=1)).mean(axis=(0, 2))
    across = np.abs(image[:, 0] - image[:, -1]).mean()
    assert across < 1.1 * steps.max()


def test_houses_have_lit_windows_in_the_dark_only():
    def glowing(time):
        stage = street.build(street_setup(time=time))
        walls = [p for p in stage.props if p.class_name == "building"]
        return sum(solid.emission for p in walls for solid in p.solids)

    assert glowing("day") == 0
    assert glowing("night") > 5


def test_classes_used_are_those_of_the_dataset():
    stage = street.build(street_setup(place="city_street", traffic=1.0))
    classes = {solid.class_name or p.class_name for p in stage.props for solid in p.solids}
    assert classes <= set(CLASS_ID)
    assert {"road", "building", "pavement", "vegetation", "pole", "person", "car"} <= classes


def test_boxes_on_the_road_can_be_painted():
    world = EmbeddedWorld("driving", (96, 96), shadows=False)
    with closing(world):
        world.show(street_setup(placed("cardboard_boxes", 6.0, 0.2)))
        before = world.capture()["front"]
        assert world.paint({"box": np.full((8, 8, 3), (0, 90, 250), np.uint8)}) == {"box"}
        after = world.capture()["front"]
    changed = np.abs(before.image.astype(int) - after.image).max(axis=-1) > 8
    assert changed[before.instances == 1].mean() > 0.5
    assert changed[before.instances == 0].mean() < 0.01
