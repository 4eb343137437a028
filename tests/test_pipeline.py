"""The parts of the main path that need no model and no simulator."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hartsim.config import load_config
from hartsim.errors import ConfigError, WorldError
from hartsim.pipeline import canvas_of, render_sentence, scene_groups, told_of_layouts
from hartsim.request import plan
from hartsim.types import CLASS_ID
from tests.fakes import frame_of
from tests.test_request import REQUEST


@given(st.integers(1, 40))
def test_groups_hold_whole_scenes_in_order(batch):
    wanted = plan(REQUEST)
    groups = list(scene_groups(wanted, batch))
    assert [each for group in groups for each in group] == wanted
    keys = [{each.key for each in group} for group in groups]
    assert sum(map(len, keys)) == 6


def test_a_backdrop_leaves_everything_but_the_backdrop():
    frame = frame_of("child_behind_van")
    editable = canvas_of(frame, "backdrop", "driving", keep_scales=2).editable
    behind = np.isin(frame.labels, [CLASS_ID[n] for n in ("sky", "building", "vegetation")])
    assert editable.any()
    assert not (editable & ~behind).any()


def test_a_repaint_leaves_every_object():
    frame = frame_of("child_behind_van")
    canvas = canvas_of(frame, "repaint", "driving", keep_scales=2)
    assert canvas.editable.any()
    assert not canvas.editable[frame.instances > 0].any()


@pytest.mark.parametrize("routes", [["view"], ["view", "view"]])
def test_where_views_alone_need_a_world_the_way_without_is_told(routes):
    told = r"no OpenGL; or set render\.layout=false"
    with pytest.raises(WorldError, match=told), told_of_layouts(routes):
        raise WorldError("no OpenGL")


@pytest.mark.parametrize("routes", [["view", "repaint"], ["texture"]])
def test_other_routes_cannot_do_without(routes):
    with pytest.raises(WorldError, match=r"^no OpenGL$"), told_of_layouts(routes):
        raise WorldError("no OpenGL")


def test_a_sentence_is_not_laid_out_by_carla():
    with pytest.raises(ConfigError, match=r"world\.simulator is carla, but sentences are laid out"):
        render_sentence("a deer on a road", load_config(["world.simulator=carla"]))
