"""The path tracing tool's own logic; drawing itself needs Blender and is tested where that is."""

import importlib.util
import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from hartsim.scenario.kinds import kinds_of
from hartsim.types import CLASSES, UNKNOWN
from tools.pathtrace import assets, classes, keys, kinds, output, png, surfaces, textures
from tools.pathtrace.__main__ import main, parser

MODELS = assets.load_table()
SCENE = {"scenario": {"name": "deer_at_dusk"}, "seed": 7, "index": 2}


def test_the_classes_are_those_of_hartsim():
    assert classes.CLASSES == CLASSES
    assert classes.UNKNOWN == UNKNOWN


def test_the_credits_are_those_of_the_table():
    text = assets.TABLE.with_name("ATTRIBUTION.md").read_text(encoding="utf-8")
    assert text == assets.attribution(MODELS)


def test_every_model_has_an_author_a_licence_a_size_and_a_kind():
    for model in MODELS:
        assert model.author
        assert model.licence in assets.LICENCES
        assert len(model.sha256) == 64
        assert len(model.size_m) == 3
        assert min(model.size_m) > 0
        assert model.kinds


def test_a_licence_that_is_not_allowed_is_refused(tmp_path):
    row = json.loads(assets.TABLE.read_text(encoding="utf-8"))["models"][0]
    table = tmp_path / "assets.json"
    table.write_text(json.dumps({"models": [{**row, "licence": "CC-BY-NC-4.0"}]}))
    with pytest.raises(assets.AssetError, match=r"licence 'CC-BY-NC-4\.0' is none of"):
        assets.load_table(table)


def test_a_model_with_another_hash_is_refused(tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "m.obj").write_text("v 0 0 0\n")
    model = replace(MODELS[0], file="m/m.obj")
    with pytest.raises(assets.AssetError, match="only the models of the table are drawn"):
        assets.checked_file(model, tmp_path)
    right = replace(model, sha256=assets.folder_sha256(tmp_path / "m" / "m.obj"))
    assert assets.checked_file(right, tmp_path).name == "m.obj"


def test_a_missing_model_names_the_setup(tmp_path):
    with pytest.raises(assets.AssetError, match="run the tool's setup first"):
        assets.checked_file(MODELS[0], tmp_path)


def test_held_out_scenes_share_no_model_of_a_kind_with_three():
    for members in assets.by_kind(MODELS).values():
        names = [model.name for model in members]
        trained, held = set(assets.allowed(names, False)), set(assets.allowed(names, True))
        assert trained
        assert held
        if len(names) >= 3:
            assert not trained & held
            assert trained | held == set(names)
        else:
            assert trained == held == set(names)


def test_a_key_names_scenario_seed_index_camera_and_later_views():
    assert keys.key_of(SCENE, "front") == "deer_at_dusk-7-2-front"
    assert keys.key_of(SCENE, "front", 3) == "deer_at_dusk-7-2-front-v3"
    assert keys.seed_of("a") != keys.seed_of("b")


def test_about_one_scenario_in_eight_is_held_out():
    share = np.mean([keys.held_out(f"scenario {n}") for n in range(4000)])
    assert 0.1 < share < 0.15
    assert keys.held_out("city") == keys.held_out("city")


def test_shards_part_the_lines_without_overlap():
    lines = [str(n) for n in range(11)]
    parts = [list(keys.shard(lines, (i, 3))) for i in (1, 2, 3)]
    assert sorted((line for part in parts for line in part), key=int) == lines
    assert parts[0] == ["0", "3", "6", "9"]


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "-1/2", "1/"])
def test_a_shard_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="is not i/n"):
        keys.parse_shard(text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scenes", "x", "--out", "o", "--shard", "3/2"], "is not i/n"),
        (["scenes", "x", "--out", "o", "--size", "33"], "even number from 32"),
        (["scenes", "x", "--out", "o", "--samples", "0"], "whole number above 0"),
        (["scenes", "x"], "--out"),
        ([], "mode"),
    ],
)
def test_a_wrong_argument_is_named(arguments, message, capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(arguments)
    assert message in capsys.readouterr().err


def test_a_missing_file_of_scenes_is_one_line_of_error(tmp_path, capsys):
    assert main(["textures", str(tmp_path / "none"), "--out", str(tmp_path)]) == 1
    assert "no such file" in capsys.readouterr().err


def test_the_logic_imports_without_blender():
    if importlib.util.find_spec("bpy") is None:
        assert "bpy" not in sys.modules


@pytest.mark.parametrize(
    "pixels",
    [
        np.arange(48, dtype=np.uint8).reshape(4, 4, 3),
        np.arange(16, dtype=np.uint8).reshape(4, 4),
        (np.arange(12, dtype=np.uint16) * 5000).reshape(3, 4),
    ],
)
def test_a_png_reads_back_as_it_was(pixels, tmp_path):
    png.write_png(tmp_path / "a.png", pixels)
    assert np.array_equal(png.read_png(tmp_path / "a.png"), pixels)


@pytest.mark.parametrize("words", ["grey asphalt", "red brick wall with windows", "white marble"])
def test_a_surface_is_seamless_and_the_same_again(words):
    tile = surfaces.surface(words, 3, 64)
    assert np.array_equal(tile.colour, surfaces.surface(words, 3, 64).colour)
    inner = np.abs(np.diff(tile.colour, axis=0)).mean()
    seam = np.abs(tile.colour[0] - tile.colour[-1]).mean()
    assert seam < 4 * inner + 0.02


def test_wet_surfaces_are_darker_and_smoother():
    dry, wet = (surfaces.surface(w, 1, 64) for w in ("grey asphalt", "wet grey asphalt"))
    assert wet.colour.mean() < dry.colour.mean()
    assert wet.rough.mean() < dry.rough.mean()


def test_a_frame_is_written_whole_and_kept(tmp_path):
    job = textures.Job("seamless texture of grey asphalt", 0)
    assert not output.is_done(tmp_path, job.key)
    counts = textures.run([job, job], tmp_path, 32, None)
    assert (counts["written"], counts["there_before"]) == (1, 1)
    assert sorted(p.name for p in (tmp_path / job.key).iterdir()) == sorted(output.PARTS)
    assert (png.read_png(tmp_path / job.key / "labels.png") == UNKNOWN).all()
    facts = json.loads((tmp_path / job.key / "frame.json").read_text())
    assert facts["words"] == "seamless texture of grey asphalt"


def test_labels_and_instances_follow_the_entries():
    class Entry:
        def __init__(self, class_name, thing):
            self.name = self.kind = self.class_name = class_name
            self.thing, self.hazard, self.in_scene = thing, thing, thing

    entries = [Entry("sky", False), Entry("road", False), Entry("car", True)]
    labels, instances = output.labels_of(np.array([[0, 1], [2, 2]]), entries)
    assert labels.tolist() == [[5, 0], [9, 9]]
    assert instances.tolist() == [[0, 0], [2, 2]]
    assert output.table_of(instances, entries)["2"]["pixels"] == 2


def test_the_kinds_are_kinds_of_the_catalogue():
    road = {kind.id for kind in kinds_of("driving")}
    table = {kind.id for kind in kinds_of("robot")}
    assert road >= kinds.ROAD_KINDS
    assert table >= kinds.TABLE_KINDS


@pytest.mark.slow
def test_the_makers_are_those_of_the_list():
    pytest.importorskip("bpy", reason="Blender's bpy is not in this environment")
    from tools.pathtrace import roadthings, tablethings

    assert set(roadthings.MAKERS) == kinds.ROAD_KINDS
    assert set(tablethings.MAKERS) == kinds.TABLE_KINDS
