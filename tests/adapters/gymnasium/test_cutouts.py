import logging

import numpy as np
import pytest

from hartsim.adapters.gymnasium import cutouts
from hartsim.adapters.gymnasium.cutouts import cutouts_of, keep, kept, require_cuttable
from hartsim.adapters.gymnasium.cutting import cut_out
from hartsim.errors import WorldError
from hartsim.scenario.kinds import KINDS
from tests.adapters.gymnasium.conftest import board


def test_what_is_kept_comes_back_as_it_was(monkeypatch, tmp_path):
    monkeypatch.setenv("HARTSIM_CACHE", str(tmp_path))
    keep("deer", [(board(4.0), board(9.0)), (board(5.0),)])
    found = cutouts_of("deer")
    assert [[cut.away_m for cut in variant] for variant in found] == [[4.0, 9.0], [5.0]]
    assert found[0][0].foot == board(4.0).foot
    for name in ("image", "mask", "shade", "behind_m"):
        assert np.array_equal(getattr(found[1][0], name), getattr(board(5.0), name))


def test_broken_cutouts_are_not_used_and_it_is_said(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("HARTSIM_CACHE", str(tmp_path))
    keep("deer", [(board(4.0),)])
    (path,) = tmp_path.rglob("deer-*.npz")
    path.write_bytes(path.read_bytes()[:200])
    with caplog.at_level(logging.WARNING):
        assert kept("deer") is None
    assert f"{path}: broken, and made anew" in caplog.text


def test_a_world_that_cannot_draw_is_told_of(monkeypatch, tmp_path):
    monkeypatch.setenv("HARTSIM_CACHE", str(tmp_path))
    monkeypatch.setattr(cutouts.sys, "executable", "/bin/false")
    with pytest.raises(WorldError, match="no cut-outs of 'deer' could be made: no reason given"):
        cutouts_of("deer")


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        ("dear", "no hazard is called 'dear'; did you mean 'deer'"),
        ("fog_bank", "'fog_bank' is no thing that could be put in"),
    ],
)
def test_what_is_no_thing_is_refused(kind, complaint):
    with pytest.raises(ValueError, match=complaint):
        require_cuttable(kind)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pedestrian", "kettle"])
def test_things_are_cut_out_whole_and_to_scale(kind):
    variants = cut_out(kind)
    assert len(variants) == 3
    for cut in (cut for variant in variants for cut in variant):
        rows = np.flatnonzero(cut.mask.any(axis=1))
        assert len(rows) / cut.px_per_m == pytest.approx(KINDS[kind].size_m[2], rel=0.4)
        assert cut.foot[1] > rows[0]
        assert (cut.shade[cut.mask] == 255).all()
        assert (cut.behind_m[~cut.mask] == 0).all()
        assert 0.02 < cut.mask.mean() < 0.98
    assert [cut.away_m for cut in variants[0]] == sorted(cut.away_m for cut in variants[0])
