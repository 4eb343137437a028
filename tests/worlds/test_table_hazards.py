import numpy as np
import pytest

from hartsim.scenario.compiled import CameraSetup, Conditions, WorldSetup
from hartsim.scenario.kinds import kinds_of
from hartsim.scenario.words import bare
from hartsim.types import CLASS_ID, Pose
from hartsim.worlds import forms, meshes, tabletop
from hartsim.worlds.embedded import EmbeddedWorld
from hartsim.worlds.meshes import turn_z
from hartsim.worlds.solids import block
from hartsim.worlds.tabletop_hazards import HAZARDS
from hartsim.worlds.tabletop_hot import GLOWS
from hartsim.worlds.tabletop_props import posed, strewn
from hartsim.worlds.tabletop_wares import WARES
from tests.worlds.scenes import placed

FRONT = CameraSetup("front", (1.66, 0.22, 0.92), -0.497, 3.272, 0.8)
TOP = CameraSetup("top", (0.44, 0.0, 1.45), -1.5708, 3.1416, 0.87)
TABLE_KINDS = kinds_of("robot")
WITH_ARMS = {"human_hand", "child_hand", "forearm"}
"""What belongs to someone who sits at the table and so rises out of its box."""
HAZARD_KINDS = [kind for kind in TABLE_KINDS if kind.hazard]
EDGE_M = 0.006
"""How far a splinter or a seam may stick out."""


def corners_of(kind, seed=0):
    solids = tabletop.DRAWN[kind.id](kind.size_m, None, np.random.default_rng(seed))
    spots = forms.place(solids, [Pose((0.0, 0.0, 0.0), 0.0)] * len(solids))
    return np.concatenate([spot.vertices.reshape(-1, 3) for spot in spots])


def words_for(kind):
    singular = {*map(bare, kind.nouns), *kind.synonyms}
    return singular | {kind.plural, *(f"{bare(noun)}s" for noun in kind.nouns)}


@pytest.fixture(scope="module")
def world():
    world = EmbeddedWorld("robot", size_px=(160, 160), supersample=1)
    yield world
    world.close()


def shown(world, *things, time="day"):
    conditions = Conditions("kitchen_table", "clear", time)
    world.show(WorldSetup("robot", conditions, things, (FRONT, TOP), 3))
    return world.capture()


@pytest.mark.parametrize("kind", HAZARD_KINDS, ids=lambda kind: kind.id)
def test_a_hazard_shows_itself_in_its_class_from_both_cameras(world, kind):
    for frame in shown(world, placed(kind.id, 0.5, heading_rad=-2.0)).values():
        row = next(each for each in frame.table if each.name == kind.id)
        seen = frame.instances == row.id
        assert seen.sum() > 20
        assert set(np.unique(frame.labels[seen])) == {CLASS_ID[kind.class_name]}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", HAZARD_KINDS, ids=lambda kind: kind.id)
def test_a_hazard_stays_on_the_table_and_but_for_arms_in_its_box(kind, seed):
    corners = corners_of(kind, seed)
    assert corners[:, 2].min() > -0.001
    if kind.id not in WITH_ARMS:
        length, width, height = kind.size_m
        outside = np.abs(corners - (0, 0, height / 2)) - np.array([length, width, height]) / 2
        assert outside.max() < EDGE_M


@pytest.mark.parametrize("kind", HAZARD_KINDS, ids=lambda kind: kind.id)
def test_a_hazard_is_drawn_with_few_triangles(kind):
    assert len(corners_of(kind)) / 3 < 3_500


def test_every_hazard_of_the_table_has_its_own_recipe():
    assert set(HAZARDS) == {kind.id for kind in HAZARD_KINDS}
    assert len(set(HAZARDS.values())) == len(HAZARDS)


def test_hazards_and_harmless_things_share_no_recipe():
    assert not set(HAZARDS) & {*WARES, *(kind.id for kind in TABLE_KINDS if not kind.hazard)}


def test_no_word_means_two_kinds_of_thing_on_a_table():
    taken = {}
    for kind in TABLE_KINDS:
        for words in words_for(kind):
            assert taken.setdefault(words, kind.id) == kind.id, words


@pytest.mark.parametrize("kind", sorted(set(GLOWS) - {"soldering_iron"}))
def test_what_glows_lights_the_table_beside_it_at_night(world, kind):
    def brightness(*things):
        frame = shown(world, *things, time="night")["top"]
        ((column, row, _),) = frame.camera.project(np.array([[0.5, 0.19, 0.0]]))
        return frame.image[int(row) - 2 : int(row) + 3, int(column) - 2 : int(column) + 3].mean()

    assert brightness(placed(kind, 0.5)) > brightness() + 2


def test_posed_solids_keep_their_places_among_each_other():
    pair = (block((0.1,) * 3, (0.2, 0.0, 0.0), (1, 1, 1)), block((0.1,) * 3, (0, 0, 0), (1, 1, 1)))
    first, second = posed(pair, (1.0, 2.0, 3.0), turn_z(np.pi / 2))
    assert first.position_m == pytest.approx((1.0, 2.2, 3.0))
    assert second.position_m == pytest.approx((1.0, 2.0, 3.0))
    turned = meshes.matrix_of(first.rotation) @ (1.0, 0.0, 0.0)
    assert turned == pytest.approx((0.0, 1.0, 0.0))


@pytest.mark.parametrize("count", [1, 2, 9, 20])
def test_what_is_strewn_fills_a_disc_from_its_middle(count):
    spots = np.array(strewn(count))
    assert len(spots) == count
    assert spots[0] == pytest.approx((0.0, 0.0))
    assert np.hypot(*spots.T).max() <= 0.5 + 1e-9
