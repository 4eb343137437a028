"""What a run is asked for, and the samples that follow from it."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hartsim.config import load_config
from hartsim.errors import ConfigError
from hartsim.request import GenerateRequest, describe_request, in_shard, plan
from hartsim.types import ROUTES

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
