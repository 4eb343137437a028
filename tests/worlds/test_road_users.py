import itertools
import math

import numpy as np
import pytest

from hartsim.scenario.kinds import KINDS
from hartsim.worlds import (
    animals,
    emergency,
    figures,
    forms,
    heavy,
    herds,
    liveries,
    machines,
    meshes,
    riders,
    species,
    street,
    vehicles,
    walkers,
    wrecks,
)
from hartsim.worlds.fitting import Light, carried_along, fitted, warning_lights
from hartsim.worlds.looks import Look
from hartsim.worlds.motion import STILL
from hartsim.worlds.quadrupeds import patched, smooth
from tests.worlds.scenes import placed
from tests.worlds.scenes import street as street_setup

MODULES = (walkers, riders, species, herds, emergency, heavy, machines, wrecks)
MAKERS = {kind: make for module in MODULES for kind, make in module.MAKERS.items()}
MOST_FACES = 3500


def made(kind, seed=0, lights_on=False, detail=3, colour=None):
    return MAKERS[kind](KINDS[kind].size_m, Look(colour, lights_on, seed, detail))


def corners(solids):
    drawn = forms.place(solids, [STILL] * len(solids))
    return np.concatenate([each.vertices.reshape(-1, 3) for each in drawn])


def shining(solids):
    return [solid for solid in solids if solid.emission > 0.5]


@pytest.mark.parametrize("kind", MAKERS)
def test_every_look_of_a_road_user_fills_its_box_and_stands_on_the_ground(kind):
    size = np.array(KINDS[kind].size_m)
    for seed, detail, lights_on in itertools.product(range(3), (0, 3), (False, True)):
        points = corners(made(kind, seed, lights_on, detail))
        low, high = points.min(axis=0), points.max(axis=0)
        assert np.abs(low / size + (0.5, 0.5, 0.0)).max() < 0.12
        assert np.abs(high / size - (0.5, 0.5, 1.0)).max() < 0.12
        assert abs(low[2]) < 0.03


@pytest.mark.parametrize("kind", MAKERS)
def test_a_road_user_has_few_enough_faces_to_be_drawn_fast(kind):
    drawn = forms.place(made(kind), [STILL] * len(made(kind)))
    assert sum(len(each.vertices) for each in drawn) <= MOST_FACES


@pytest.mark.parametrize("kind", MAKERS)
def test_a_road_user_has_finite_corners_and_unit_normals(kind):
    for each in forms.place(made(kind), [STILL] * len(made(kind))):
        assert np.isfinite(each.vertices).all()
        assert np.abs(np.linalg.norm(each.normals, axis=-1) - 1).max() < 0.05


@pytest.mark.parametrize("kind", emergency.MAKERS)
def test_emergency_vehicles_flash_blue_by_day(kind):
    blue = [solid for solid in shining(made(kind)) if solid.colours["paint"][2] > 0.9]
    assert blue
    assert all(solid.position_m[2] > 0.3 * KINDS[kind].size_m[2] for solid in blue)


def test_the_blue_lights_of_an_ambulance_are_seen_from_all_sides():
    lamps = street.build(street_setup(placed("ambulance"))).lamps
    assert any(lamp.aim is None for lamp in lamps)
    assert all(lamp.carrier == "ambulance" for lamp in lamps)


def test_a_wrong_way_car_has_its_head_lights_on_by_day():
    lights = shining(made("wrong_way_car"))
    assert len(lights) == 2
    assert all(light.position_m[0] > 0.4 * KINDS["wrong_way_car"].size_m[0] for light in lights)


def test_a_jackknifed_truck_warns_at_both_of_its_ends():
    ahead = [light.position_m[0] for light in shining(made("jackknifed_truck"))]
    assert len(ahead) == 4
    assert min(ahead) < -4 < 2 < max(ahead)


def test_a_colour_of_the_scenario_is_worn_by_those_that_have_one():
    green = (0.1, 0.8, 0.2)
    for kind in (each for each in MAKERS if KINDS[each].colours):
        worn = [colour for solid in made(kind, colour=green) for colour in solid.colours.values()]
        assert green in worn, kind


def test_a_hand_that_holds_something_is_where_its_gait_says():
    skin = figures.person("with_stick")
    hands = skin.vertices[skin.roles == skin.names.index("skin")].reshape(-1, 3)
    wanted = figures.GAITS["with_stick"].right_hand
    assert np.linalg.norm(hands - wanted, axis=1).min() < 0.12


@pytest.mark.parametrize("end", [(0.3, 0.1, 0.9), (0.0, 0.0, 1.45), (0.5, -0.2, 1.2)])
def test_a_limb_keeps_the_length_of_its_bones(end):
    start, bones = (0.0, 0.0, 1.4), (0.28, 0.27)
    bend = figures.joint(start, end, bones, (-0.3, 0.5, -1.0))
    assert np.linalg.norm(bend - start) == pytest.approx(bones[0])
    if np.linalg.norm(np.subtract(end, start)) < sum(bones):
        assert np.linalg.norm(bend - end) == pytest.approx(bones[1])


def test_someone_seated_has_the_hip_lower_and_the_feet_ahead():
    seated, standing = (figures.person(gait) for gait in ("seated", "standing"))
    height = [meshes.bounds(each)[1][2] for each in (seated, standing)]
    assert height[1] - height[0] == pytest.approx(figures.SEATED.drop_m, abs=0.15)
    assert meshes.bounds(seated)[1][0] > 0.5


def test_about_the_wanted_share_of_a_fur_is_patched():
    cow = species.animal("cow")
    fur, patch = (cow.roles == cow.names.index(name) for name in ("fur", "patch"))
    assert patch.sum() / (fur.sum() + patch.sum()) == pytest.approx(0.45, abs=0.02)
    assert patched(animals.dog(), "wool", "patch", (0, 0, 0), 0.5, 1) is animals.dog()


def test_a_smooth_curve_passes_through_its_knots():
    knots = [(0.0, 0.0, 0.0), (1.0, 0.0, 1.0), (2.0, 0.0, 0.5), (3.0, 0.0, 0.0)]
    assert np.allclose(smooth(knots, 4)[::4], knots)


def test_what_is_painted_on_a_car_lies_just_outside_its_body():
    sheet = liveries.patch(vehicles.SEDAN, (-1.0, 1.0), (0.4, 0.9), "stripe", (1, 1, 1))
    widest = max(half for _, _, half in vehicles.SEDAN.hood)
    side = sheet.vertices[..., 1]
    assert (side > 0.75).all()
    assert side.max() < widest + 0.02
    assert (sheet.normals[..., 1] > 0).all()


def test_the_lights_of_a_turned_mesh_turn_with_it():
    light = Light((2.0, 0.0, 1.0), (0.1, 0.1, 0.1), (1.0, 0.0, 0.0))
    (moved,) = carried_along([light], (1.0, 0.0, 0.0), math.pi / 2)
    assert moved.at == pytest.approx((1.0, 2.0, 1.0))


def test_a_van_has_four_warning_lights_at_its_corners():
    van = vehicles.car("van")
    lights = warning_lights(van)
    assert {(light.at[0] > 0, light.at[1] > 0) for light in lights} == set(
        itertools.product((True, False), repeat=2)
    )
    solids = fitted(van, (5.2, 2.0, 2.3), {}, lights=lights)
    assert len(shining(solids)) == 4


def test_torn_metal_is_flat_and_has_as_many_faces_as_before():
    car = vehicles.car("hatch")
    torn = wrecks.crumpled(car, lambda points: points * (0.8, 1.0, 1.0))
    assert len(torn.vertices) == len(car.vertices)
    assert (torn.normals[:, 0] == torn.normals[:, 1]).all()
