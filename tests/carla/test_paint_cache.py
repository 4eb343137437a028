import json

import pytest

from hartsim.adapters.carla.paint_cache import PATIENCE, PaintCache

KNOWN = {"wall": {"changed": 4, "unchanged": 0}}


def test_what_was_noted_is_there_in_the_next_run(tmp_path):
    cache = PaintCache("0.9.16", "Town10HD_Opt", tmp_path)
    cache.note("BP_Wall_2", "changed")
    for _ in range(PATIENCE):
        cache.note("Road_44", "unchanged")
    cache.note("BP_Far_1", "unseen")
    cache.note("BP_Far_1", "unsure")
    cache.save()
    again = PaintCache("0.9.16", "Town10HD_Opt", tmp_path)
    assert again.paintable() == ["BP_Wall_2"]
    assert again.tried("Road_44").is_hopeless
    assert again.tried("BP_Far_1").unchanged == 0


def test_one_failure_is_not_enough_and_one_success_is_for_good(tmp_path):
    cache = PaintCache("0.9.16", "Town01", tmp_path)
    cache.note("wall", "unchanged")
    assert not cache.tried("wall").is_hopeless
    cache.note("wall", "changed")
    for _ in range(5):
        cache.note("wall", "unchanged")
    assert not cache.tried("wall").is_hopeless


def test_maps_and_versions_are_told_apart(tmp_path):
    cache = PaintCache("0.9.16", "Town01", tmp_path)
    cache.note("wall", "changed")
    cache.save()
    assert PaintCache("0.9.16", "Town02", tmp_path).paintable() == []
    assert PaintCache("0.9.15", "Town01", tmp_path).paintable() == []


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"format": 1}', '{"format": 9, "version": "0.9.16", "map": "Town01"}']
    + [
        json.dumps({"format": 1, "version": "0.9.16", "map": "Town01", "objects": each})
        for each in ([], {"wall": 3}, {"wall": {"changed": "x", "unchanged": 0}})
    ]
    + [
        json.dumps({"format": 1, "version": "0.9.16", "map": "Town01", "objects": KNOWN} | each)
        for each in ({"format": 2}, {"version": "0.9.15"}, {"map": "Town02"})
    ],
)
def test_a_broken_file_is_told_and_written_anew(tmp_path, caplog, text):
    path = PaintCache("0.9.16", "Town01", tmp_path).path
    path.parent.mkdir(parents=True)
    path.write_text(text)
    cache = PaintCache("0.9.16", "Town01", tmp_path)
    assert cache.paintable() == []
    assert str(path) in caplog.text
    cache.note("wall", "changed")
    cache.save()
    assert PaintCache("0.9.16", "Town01", tmp_path).paintable() == ["wall"]


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path, caplog):
    (tmp_path / "0.9.16").write_text("a file where the folder should be")
    cache = PaintCache("0.9.16", "Town01", tmp_path)
    cache.note("wall", "changed")
    cache.save()
    assert "is not kept" in caplog.text


def test_names_cannot_leave_the_folder(tmp_path):
    path = PaintCache("../0.9", "../../Carla/Maps/Town01", tmp_path).path
    assert path.resolve().is_relative_to(tmp_path.resolve())
    assert len(path.relative_to(tmp_path).parts) == 2


def test_it_lies_in_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HARTSIM_CACHE", str(tmp_path))
    path = PaintCache("0.9.16", "Town01").path
    assert path == tmp_path / "carla" / "0.9.16" / "Town01.json"
