"""`hartsim generate` end to end with the test size of HART and the embedded worlds."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from hartsim.cli import run
from hartsim.hart.checkpoint import save_hart
from hartsim.hart.config import hart_config
from hartsim.hart.model import new_hart
from hartsim.images import read_image, read_map
from hartsim.types import CLASS_ID, CLASSES, UNKNOWN

JOB = ["generate", "spill_near_laptop", "child_behind_van", "--count", "2", "--seed", "1"]
SETTINGS = ["hart=tiny", "world=plain", "world.size_px=64", "render.attempts=2"]
SAMPLES = 2 * 2 * 4


def generate(out: Path, *more: str) -> Path:
    assert run([*JOB, "--out", str(out), *more, *SETTINGS]) == 0
    return out


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("whole") / "data")


def manifest(root: Path) -> str:
    return (root / "manifest.jsonl").read_text()


def folders(root: Path, route: str) -> list[Path]:
    found = sorted(root.glob(f"samples/*-{route}-front"))
    assert len(found) == 4
    return found


def test_every_sample_is_there(whole):
    assert len(manifest(whole).splitlines()) == SAMPLES


def test_pixels_outside_the_mask_are_the_frames(whole):
    for folder in (*folders(whole, "backdrop"), *folders(whole, "repaint")):
        kept = read_map(folder / "mask.png") == 0
        image, frame = read_image(folder / "image.png"), read_image(folder / "frame.png")
        assert kept.any()
        assert np.array_equal(image[kept], frame[kept])


def test_labels_are_unknown_exactly_where_a_picture_was_repainted(whole):
    for folder in (*folders(whole, "backdrop"), *folders(whole, "repaint")):
        unknown = read_map(folder / "labels.png") == UNKNOWN
        assert np.array_equal(unknown, read_map(folder / "mask.png") > 0)


def test_textures_leave_every_label_known(whole):
    for folder in folders(whole, "texture"):
        assert not (read_map(folder / "labels.png") == UNKNOWN).any()
        assert list(folder.glob("texture_*.png"))


def test_a_view_claims_no_pixels(whole):
    for folder in folders(whole, "view"):
        assert sorted(path.name for path in folder.iterdir()) == ["image.png", "sample.json"]
        assert json.loads((folder / "sample.json").read_text())["annotations"] == []


def test_hazards_are_annotated_with_their_class(whole):
    for folder in folders(whole, "repaint"):
        annotations = json.loads((folder / "sample.json").read_text())["annotations"]
        hazards = [item for item in annotations if item["hazard"]]
        assert hazards
        instances, labels = read_map(folder / "instances.png"), read_map(folder / "labels.png")
        for item in hazards:
            assert set(np.unique(labels[instances == item["id"]])) == {CLASS_ID[item["class_name"]]}


def test_a_finished_run_does_nothing(whole, capsys):
    before = {path: path.stat().st_mtime_ns for path in whole.rglob("*.*")}
    generate(whole)
    assert "nothing to do" in capsys.readouterr().out
    assert before == {path: path.stat().st_mtime_ns for path in whole.rglob("*.*")}


def test_the_batch_does_not_change_a_byte(whole, tmp_path):
    assert manifest(generate(tmp_path / "one", "render.batch=1")) == manifest(whole)


def test_merged_shards_equal_the_whole(whole, tmp_path):
    shards = [generate(tmp_path / part, "--shard", f"{part}/2") for part in "01"]
    assert run(["merge", *map(str, shards), "--out", str(tmp_path / "merged")]) == 0
    assert manifest(tmp_path / "merged") == manifest(whole)


def test_a_merge_says_what_no_shard_has(tmp_path, capsys):
    shard = generate(tmp_path / "0", "--shard", "0/2")
    there = len(manifest(shard).splitlines())
    capsys.readouterr()
    assert run(["merge", str(shard), "--out", str(tmp_path / "merged")]) == 0
    told = capsys.readouterr()
    assert f"{there} of {SAMPLES} samples merged" in told.out
    assert f"{SAMPLES - there} are in none of the shards" in told.err


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_the_same(whole, tmp_path):
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "hartsim", *JOB, "--out", str(out), *SETTINGS]
    for wanted in (2, 6, 11):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while len(list(out.glob("samples/*"))) < wanted and process.poll() is None:
            time.sleep(0.02)
        assert process.poll() is None, "ended before it could be killed"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert manifest(generate(out)) == manifest(whole)


def test_coco_holds_the_objects_and_reads_back(whole, tmp_path):
    coco = pytest.importorskip("pycocotools.coco")
    out = tmp_path / "coco.json"
    assert run(["export", "coco", str(whole), "--out", str(out), "--rejected"]) == 0
    data = coco.COCO(str(out))
    assert len(data.imgs) == SAMPLES - len(folders(whole, "view"))
    assert any(item["hazard"] for item in data.anns.values())


def test_the_gallery_shows_every_sample(whole):
    assert run(["gallery", str(whole)]) == 0
    page = (whole / "gallery.html").read_text()
    assert all(json.loads(line)["id"] in page for line in manifest(whole).splitlines())


def test_another_request_leaves_the_folder_alone(whole, capsys):
    before = manifest(whole)
    assert run([*JOB[:-1], "2", "--out", str(whole), *SETTINGS]) == 2
    assert "seed is 1 there and 2 here" in capsys.readouterr().err
    assert manifest(whole) == before


@pytest.fixture(scope="session")
def following(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Weights of a small model that heeds labels."""
    config = hart_config("tiny")
    transformer = dataclasses.replace(config.transformer, label_classes=len(CLASSES))
    hart = new_hart(dataclasses.replace(config, transformer=transformer), seed=0)
    torch.nn.init.normal_(hart.transformer.label_embed.weight)
    folder = tmp_path_factory.mktemp("following")
    save_hart(hart, folder)
    return f"hart.weights={folder}"


def views(root: Path) -> list[bytes]:
    return [(folder / "image.png").read_bytes() for folder in folders(root, "view")]


def test_views_follow_the_layout_of_their_scene_whatever_else_is_made(tmp_path, following):
    alone = generate(tmp_path / "alone", "--routes", "view", following)
    beside = generate(tmp_path / "beside", "--routes", "repaint,view", following)
    free = generate(tmp_path / "free", "--routes", "view", following, "render.layout=false")
    assert views(alone) == views(beside)
    assert not set(views(alone)) & set(views(free))
    for folder in folders(alone, "view"):
        assert sorted(path.name for path in folder.iterdir()) == ["image.png", "sample.json"]


def test_a_sentence_is_laid_out_before_it_is_painted(tmp_path, following):
    for name, more in (("laid", []), ("again", []), ("free", ["render.layout=false"])):
        words = ["render", "a deer on a road", "--out", str(tmp_path / f"{name}.png")]
        assert run([*words, following, *SETTINGS, *more]) == 0
    laid, again, free = (
        (tmp_path / f"{name}.png").read_bytes() for name in ("laid", "again", "free")
    )
    assert laid == again != free
