"""The parts of the main path that need no model and no simulator."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hartsim.config import load_config
from hartsim.errors import ConfigError
from hartsim.painter import Painter, painted_size
from hartsim.pipeline import canvas_of, scene_groups
from hartsim.request import GenerateRequest, describe_request, in_shard, plan
from hartsim.types import CLASS_ID, ROUTES
from tests.fakes import frame_of

REQUEST = GenerateRequest(
    scenarios=("child_behind_van", "spill_near_laptop"),
    count=3,
    seed=1,
    out=Path("unused"),
    routes=ROUTES,
    views=("front",),
    shard=None,
    config=load_config(["hart=tiny"]),
)


def test_every_scene_is_wanted_by_every_route_and_view():
    ids = [wanted.id for wanted in plan(REQUEST)]
    assert len(ids) == len(set(ids)) == 2 * 3 * 4
    assert "spill_near_laptop-00002-repaint-front" in ids


@given(st.integers(1, 9))
def test_shards_share_out_the_samples(parts):
    shards = [plan(replace(REQUEST, shard=(part, parts))) for part in range(parts)]
    together = [wanted.id for shard in shards for wanted in shard]
    assert sorted(together) == sorted(wanted.id for wanted in plan(REQUEST))


def test_a_sample_stays_in_its_shard_when_more_are_asked_for():
    more = plan(replace(REQUEST, count=9, shard=(0, 2)))
    assert {w.id for w in plan(replace(REQUEST, shard=(0, 2)))} <= {w.id for w in more}
    assert all(in_shard(wanted.id, (0, 2)) for wanted in more)


@given(st.integers(1, 40))
def test_groups_hold_whole_scenes_in_order(batch):
    wanted = plan(REQUEST)
    groups = list(scene_groups(wanted, batch))
    assert [each for group in groups for each in group] == wanted
    keys = [{each.key for each in group} for group in groups]
    assert sum(map(len, keys)) == 6


def test_an_unknown_view_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"van\.yaml: no camera 'rear'; there are fr"):
        plan(replace(REQUEST, views=("front", "rear")))


def test_two_scenarios_of_one_name_are_refused(tmp_path):
    text = Path("scenarios/driving/people/child_behind_van.yaml").read_text()
    (tmp_path / "other.yaml").write_text(f"name: child_behind_van\n{text}")
    names = ("child_behind_van", str(tmp_path / "other.yaml"))
    with pytest.raises(ConfigError, match="are both called 'child_behind_van'"):
        plan(replace(REQUEST, scenarios=names))


def test_the_batch_does_not_make_another_request():
    other = replace(REQUEST, config=load_config(["hart=tiny", "render.batch=1"]), shard=(0, 2))
    assert describe_request(other, "w") == describe_request(REQUEST, "w")


def test_a_setting_that_changes_pictures_makes_another_request():
    other = replace(REQUEST, config=load_config(["hart=tiny", "render.guidance=2"]))
    assert describe_request(other, "w") != describe_request(REQUEST, "w")


def test_other_weights_are_another_request():
    assert describe_request(REQUEST, "these") != describe_request(REQUEST, "those")


@pytest.mark.parametrize(("model_px", "side"), [(32, 128), (128, 256), (256, 256), (1024, 1024)])
def test_pictures_are_of_the_usual_size_where_the_model_allows(model_px, side):
    assert painted_size(load_config([]), (model_px, model_px)) == (side, side)


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


def test_a_repaint_that_keeps_every_scale_is_refused():
    config = load_config(["hart=tiny", "render.keep_scales=4"])
    with pytest.raises(ConfigError, match=r"keep_scales is 4, but hart=tiny has 4 scales"):
        Painter(config)
