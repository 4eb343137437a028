import json
from dataclasses import replace

import numpy as np
import pytest

from hartsim.corpus import is_scenario_held_out
from hartsim.errors import DatasetError
from hartsim.images import encode_png
from hartsim.photos import add_photos, photo_entry, seen_from
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.kinds import KINDS
from hartsim.scenario.library import library_scenarios
from hartsim.scenario.load import load_scenario
from hartsim.training.corpus import HAZARD, read_corpus
from hartsim.types import CLASS_ID, UNKNOWN

SIDE = 32
LEARNED = "child_behind_van"
HELD_OUT = next(name for name in sorted(library_scenarios()) if is_scenario_held_out(name))


def save(folder, facts, label, instances):
    folder.mkdir(parents=True)
    maps = {
        "image": np.full((SIDE, SIDE, 3), 99, np.uint8),
        "labels": np.full((SIDE, SIDE), label, np.uint8),
        "instances": instances.astype(np.uint16),
    }
    for name, pixels in maps.items():
        (folder / f"{name}.png").write_bytes(encode_png(pixels))
    np.savez_compressed(folder / "depth.npz", depth_m=np.full((SIDE, SIDE), 7, np.float32))
    (folder / "frame.json").write_text(json.dumps(facts))


def pose_of(camera):
    """Camera to base, in the optical frame: x right, y down, z ahead."""
    pitch, yaw = camera.pitch_rad, camera.yaw_rad
    axis = [np.cos(pitch) * np.cos(yaw), np.cos(pitch) * np.sin(yaw), np.sin(pitch)]
    right = [np.sin(yaw), -np.cos(yaw), 0.0]
    columns = [right, np.cross(axis, right), axis, camera.position_m]
    return [*np.array(columns).T.tolist(), [0, 0, 0, 1]]


def save_frame(root, name):
    """A frame of the first hazard, in the upper half."""
    scene = compile_draw(load_scenario(library_scenarios()[name]), 5, 0)
    thing = next(each for each in scene.setup.objects if each.hazard)
    told = {"name": thing.name, "kind": thing.kind, "class": thing.class_name}
    table = {"3": {**told, "hazard": True, "in_scene": True}}
    pose = pose_of(scene.setup.cameras[0])
    facts = {"scenario": name, "seed": 5, "index": 0, "camera": "front", "table": table}
    facts["camera_to_base"] = pose
    instances = np.zeros((SIDE, SIDE))
    instances[: SIDE // 2] = 3
    save(root / f"{name}-5-0-front", facts, CLASS_ID[thing.class_name], instances)
    return thing


def save_texture(root, words, held_out, label=UNKNOWN):
    facts = {"words": words, "held_out": held_out, "table": {}}
    save(root / words.replace(" ", "_"), facts, label, np.zeros((SIDE, SIDE)))


@pytest.fixture
def frames(tmp_path):
    root = tmp_path / "frames"
    for name in (LEARNED, HELD_OUT):
        save_frame(root, name)
    save_texture(root, "seamless texture of red brick", held_out=False)
    save_texture(root, "a wide view of a clear sky", held_out=True, label=CLASS_ID["sky"])
    return root


def test_scenes_and_assets_are_held_out_by_key(frames, tmp_path):
    assert len(list(add_photos(frames, tmp_path / "corpus"))) == 2
    learned, held = (read_corpus(tmp_path / "corpus", held_out) for held_out in (False, True))
    assert {r["scenario"] for r in learned.records} == {LEARNED, None}
    assert {r["scenario"] for r in held.records} == {HELD_OUT, None}
    assert [r["content"] for r in held.records if r["scenario"] is None] == ["sky"]


def test_captions_are_the_scene_s_in_the_words_of_photographs(frames):
    entry = photo_entry(frames / f"{LEARNED}-5-0-front")
    assert len(set(entry.captions)) > 1
    names = (*KINDS["child"].nouns, *KINDS["child"].synonyms)
    assert all(any(name.removeprefix("a ") in c for name in names) for c in entry.captions)
    assert not any("game" in caption or "render" in caption for caption in entry.captions)
    assert entry.record["hazards"] == [
        {"kind": "child", "class_name": "person", "pixels": SIDE * SIDE // 2}
    ]
    assert (entry.marks == HAZARD).sum() == SIDE * SIDE // 2


def test_words_are_of_where_the_camera_was(frames):
    setup = compile_draw(load_scenario(library_scenarios()[LEARNED]), 5, 0).setup
    told = json.loads((frames / f"{LEARNED}-5-0-front" / "frame.json").read_text())
    same = seen_from(setup, told).cameras[0]
    for name in ("pitch_rad", "yaw_rad", "position_m", "fov_rad"):
        assert getattr(same, name) == pytest.approx(getattr(setup.cameras[0], name), abs=1e-9)
    for pitch in (-0.2, -np.pi / 2):
        angles = {"yaw_rad": 0.4, "pitch_rad": pitch}
        moved = replace(setup.cameras[0], **angles, position_m=(1.0, 2.0, 3.0))
        found = seen_from(setup, {**told, "camera_to_base": pose_of(moved)}).cameras[0]
        assert (found.yaw_rad, found.pitch_rad) == pytest.approx((0.4, pitch))
        assert found.position_m == (1.0, 2.0, 3.0)


def test_what_a_frame_does_not_show_is_not_said(frames):
    folder = frames / f"{LEARNED}-5-0-front"
    (folder / "instances.png").write_bytes(encode_png(np.zeros((SIDE, SIDE), np.uint16)))
    entry = photo_entry(folder)
    assert entry.record["hazards"] == []
    assert not any("child" in caption for caption in entry.captions)


def test_a_scenario_that_the_library_lacks_is_named(frames):
    folder = frames / f"{LEARNED}-5-0-front"
    told = json.loads((folder / "frame.json").read_text())
    (folder / "frame.json").write_text(json.dumps({**told, "scenario": "moon_landing"}))
    with pytest.raises(DatasetError, match="scenario 'moon_landing', which the library lacks"):
        photo_entry(folder)


def test_maps_of_another_size_are_named(frames):
    folder = frames / f"{LEARNED}-5-0-front"
    (folder / "labels.png").write_bytes(encode_png(np.zeros((4, 4), np.uint8)))
    with pytest.raises(DatasetError, match=r"labels is \(4, 4\), image is \(32, 32\)"):
        photo_entry(folder)


def test_a_folder_without_frames_is_an_error(tmp_path):
    with pytest.raises(DatasetError, match="holds no frames"):
        list(add_photos(tmp_path, tmp_path / "corpus"))
