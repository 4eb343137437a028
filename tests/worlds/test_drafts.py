import math
from contextlib import closing

import numpy as np
import pytest

from hartsim.scenario.kinds import kinds_of
from hartsim.types import Pose
from hartsim.worlds import (
    forms,
    greenery,
    kits,
    meshes,
    scenery,
    sketching,
    vehicles,
)
from hartsim.worlds.arm import ARM, ArmState
from hartsim.worlds.arm_body import LIVERIES, arm_prop, link_frames
from hartsim.worlds.embedded import EmbeddedWorld
from hartsim.worlds.meshes import bounds, join
from hartsim.worlds.motion import STILL, carried
from hartsim.worlds.stage import Lamp, Solid
from tests.worlds.scenes import placed, street
from tests.worlds.test_tabletop import TABLE_KINDS, setup_of, thing

SMALL = (64, 64)


@pytest.fixture(scope="module")
def streets():
    draft, full = (EmbeddedWorld("driving", SMALL, draft=is_draft) for is_draft in (True, False))
    with closing(draft), closing(full):
        yield draft, full


@pytest.fixture(scope="module")
def tables():
    draft, full = (EmbeddedWorld("robot", SMALL, draft=is_draft) for is_draft in (True, False))
    with closing(draft), closing(full):
        yield draft, full


def masks(worlds, setup, name):
    """Where an instance is in the pictures of two worlds."""
    for world in worlds:
        world.show(setup)
        frame = world.capture(["front"])["front"]
        yield frame.instances == next(row.id for row in frame.table if row.name == name)


def shared(one, other):
    return (one & other).sum() / max(1, (one | other).sum())


@pytest.mark.parametrize("kind", [kind.id for kind in kinds_of("driving")])
def test_every_kind_on_a_street_is_in_a_draft_where_it_is_in_full(streets, kind):
    assert shared(*masks(streets, street(placed(kind, 9.0, -0.4, 0.3)), kind)) > 0.6


@pytest.mark.parametrize("kind", TABLE_KINDS)
def test_every_kind_on_a_table_is_in_a_draft_where_it_is_in_full(tables, kind):
    assert shared(*masks(tables, setup_of(thing(kind, heading_rad=0.3)), kind)) > 0.5


@pytest.mark.parametrize("place", ["residential_street", "city_street", "highway", "country_road"])
def test_the_street_of_a_draft_has_the_classes_of_a_full_one_in_their_places(streets, place):
    labels = []
    for world in streets:
        world.show(street(placed("child", 12.0), place=place))
        labels.append(world.capture(["front"])["front"].labels)
    assert (labels[0] == labels[1]).mean() > 0.95


def test_a_draft_has_less_than_half_of_the_triangles(streets):
    def triangles(world):
        world.show(street(placed("child", 12.0), traffic=0.5))
        return sum(len(part.batch.vertices) for part in world._studio._parts)

    assert triangles(streets[0]) < 0.5 * triangles(streets[1])


def test_a_draft_as_large_as_a_full_picture_shows_all_there_is():
    large = (256, 256)
    draft = EmbeddedWorld("driving", large, draft=True)
    full = EmbeddedWorld("driving", large, supersample=1)
    with closing(draft), closing(full):
        one, other = masks((draft, full), street(placed("child", 8.0)), "child")
    assert np.array_equal(one, other)


def test_the_sky_turns_with_the_ego_in_a_draft_as_in_full(streets):
    tops = []
    for world in streets:
        world.show(street(weather="overcast", speed_mps=8.0))
        for _ in range(4):
            world.step(np.array([1.0, 0.0]), 0.5)
        frame = world.capture(["front"])["front"]
        assert abs(world.state().ego.heading_rad) > 0.8
        tops.append(frame.image[:20].astype(float)[np.isinf(frame.depth_m[:20])])
    assert len(tops[0]) > 300
    assert np.abs(tops[0].mean(axis=0) - tops[1].mean(axis=0)).max() < 12


def test_headlights_go_along_with_the_ego_in_a_draft(streets):
    draft, _ = streets
    draft.show(street(time="night", place="country_road", speed_mps=15.0))
    before = draft.look()["front"][40:].mean()
    for _ in range(6):
        draft.step(np.array([0.0, 0.0]), 0.5)
    assert draft.state().ego.position_m[0] > 40
    assert draft.look()["front"][40:].mean() == pytest.approx(before, rel=0.25)


def test_lanterns_go_where_their_carriers_take_them():
    start, now = Pose((3.0, 1.0, 0.0), 0.4), Pose((8.0, -2.0, 0.5), 1.9)
    lamps = [
        Lamp((4.0, 2.0, 1.0), (1.0, 1.0, 1.0), 9.0, (1.0, 0.0, 0.0), 0.5, carrier="car"),
        Lamp((7.0, 0.0, 6.0), (1.0, 1.0, 1.0), 9.0, (0.0, 0.0, -1.0), 0.5),
        Lamp((4.0, 2.0, 1.0), (1.0, 1.0, 1.0), 0.0, carrier="car"),
    ]
    lanterns = sketching.lanterns_of(lamps, {"car": start})
    places, aims = sketching._carried(lanterns, {"car": now})
    assert np.allclose(places, [carried((4.0, 2.0, 1.0), start, now), (7.0, 0.0, 6.0)])
    assert np.allclose(aims, [(math.cos(1.5), math.sin(1.5), 0.0), (0.0, 0.0, -1.0)])


def test_the_bent_arm_of_a_draft_is_where_a_new_mesh_would_be(tables):
    seen = []
    for world in tables:
        world.show(setup_of(thing("apple", 0.6, 0.3)))
        for _ in range(10):
            world.step(np.array([0.8, -1.0, 0.6, 1.0]), 0.2)
        frame = world.capture(["front"])["front"]
        row = next(each for each in frame.table if each.name == ARM)
        seen.append((frame.instances == row.id, row.box))
    assert seen[0][1] == seen[1][1]
    assert shared(seen[0][0], seen[1][0]) > 0.85


def test_an_arm_remembered_in_a_draft_comes_back(tables):
    draft, _ = tables
    draft.show(setup_of(thing("apple", 0.6, 0.3)))
    draft.step(np.array([0.5, 1.0, 0.5]), 0.4)
    memory, before = draft.remember(), draft.look()["front"]
    draft.step(np.array([-1.0, -1.0, 0.0]), 0.6)
    assert not np.array_equal(draft.look()["front"], before)
    draft.recall(memory)
    assert np.array_equal(draft.look()["front"], before)


@pytest.mark.parametrize("link", [4, 5, 6])
def test_the_links_of_the_tool_go_where_the_arm_is_drawn_anew(link):
    here, there = ArmState((0.4, 0.1, 0.2), 0.3, 0.08), ArmState((0.5, -0.3, 0.35), -0.9, 0.03)

    def corners(state):
        prop = arm_prop(state, LIVERIES[0], 1)
        every = forms.place(prop.solids, [prop.pose] * len(prop.solids))
        own = [e for solid, e in zip(prop.solids, every, strict=True) if solid.link == link]
        return np.concatenate([each.vertices.reshape(-1, 3) for each in own])

    motion = (link_frames(there) @ np.linalg.inv(link_frames(here)))[link]
    moved = corners(here) @ motion[:3, :3].T + motion[:3, 3]
    assert np.allclose(moved, corners(there), atol=1e-5)


SHAPES = {
    "car": vehicles.car("sedan", 3),
    "tree": join(greenery._broadleaf(1, 3)[1:]),
    "ball": meshes.sphere(0.5, 24, 16),
    "lamp": scenery.street_lamp(),
}


@pytest.mark.parametrize("cell_m", [0.05, 0.2, 1.0])
@pytest.mark.parametrize("name", SHAPES)
def test_a_coarse_form_keeps_its_size_and_most_of_its_skin(name, cell_m):
    solid = Solid("mesh", None, mesh=SHAPES[name])
    (fine,), (coarse,) = (forms.place([solid], [STILL], [cell]) for cell in (0.0, cell_m))
    assert len(coarse.vertices) <= len(fine.vertices)
    low, high = (each.vertices.min(axis=(0, 1)) for each in (fine, coarse))
    assert np.allclose(low, high, atol=0.51 * cell_m + 1e-6)
    assert forms._area(coarse.vertices) > forms.KEPT * forms._area(fine.vertices)


def test_a_coarse_form_has_fewer_triangles():
    solid = Solid("mesh", None, mesh=SHAPES["ball"])
    assert len(forms.place([solid], [STILL], [0.25])[0].vertices) < 0.3 * len(
        SHAPES["ball"].vertices
    )


def mesh_of(made):
    """All of a kit's thing as one mesh."""
    if isinstance(made, list):
        return join([each.mesh for each in made])
    return made


@pytest.mark.parametrize(
    ("name", "arguments", "share"),
    [
        ("broadleaf", (2, 1, (0.5, 0.7, 0.3), 0.0, 1.0), 0.5),
        ("broadleaf", (2, 0, (0.5, 0.7, 0.3), 0.0, 1.0), 0.5),
        ("conifer", (2, 1, 0.0, 1.0), 0.5),
        ("bush", (2, 1, (0.5, 0.7, 0.3), 0.0, 1.0), 0.6),
        ("hedge", (8.0, 2, (0.5, 0.7, 0.3), 0.0), 0.5),
        ("tuft_field", (2,), 0.5),
        ("street_lamp", (), 0.5),
        ("utility_pole", (), 0.5),
        ("delineator", (), 0.5),
        ("picket_fence", (8.0,), 0.6),
        ("guard_rail", (60.0,), 0.8),
        ("wire_fence", (60.0,), 0.6),
        ("bin", (), 0.6),
    ],
)
def test_a_rough_thing_is_as_large_as_a_fine_one_in_fewer_triangles(name, arguments, share):
    fine, rough = (mesh_of(getattr(kit, name)(*arguments)) for kit in (kits.FINE, kits.ROUGH))
    assert len(rough.vertices) <= share * len(fine.vertices)
    (low, high), (least, most) = bounds(fine), bounds(rough)
    tolerance = 0.2 * (high - low).max() + 0.05
    assert np.allclose(low, least, atol=tolerance)
    assert np.allclose(high, most, atol=tolerance)
