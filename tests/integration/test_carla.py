"""`hartsim carla run` end to end: the real client, a stand-in server, the test size of HART."""

import hashlib
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hartsim.cli import run
from hartsim.dataset.reader import read_samples, verify
from hartsim.images import read_image
from hartsim.types import UNKNOWN
from tests.carla.children import condition
from tests.carla_standin.process import StandIn, start
from tests.integration.carla_runs import alive, begin, words, write_scenarios

pytest.importorskip("carla")
pytestmark = pytest.mark.carla

SCENES, VIEWS, ROUTES = 6, 4, 2
PATIENCE_S = 60


@pytest.fixture(scope="module")
def scenarios(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return write_scenarios(tmp_path_factory.mktemp("scenarios"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    running = start(tmp_path_factory.mktemp("server"), pictures="plain")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def before(server: StandIn) -> dict[str, Any]:
    return condition(server.port)


@pytest.fixture(scope="module")
def whole(
    server: StandIn,
    before: dict[str, Any],
    scenarios: list[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A dataset of three scenarios, two draws each."""
    out = tmp_path_factory.mktemp("whole") / "data"
    process = begin(words(scenarios, server.port, out), out.parent / "cache")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return out


def manifest(root: Path) -> str:
    return (root / "manifest.jsonl").read_text()


def of_the_first(root: Path) -> str:
    """The part of a manifest that is of the first scenario alone."""
    lines = manifest(root).splitlines(keepends=True)
    return "".join(line for line in lines if json.loads(line)["scenario"] == "child_by_van")


def folders(root: Path, route: str) -> list[Path]:
    found = sorted(root.glob(f"samples/*-{route}-*"))
    assert len(found) == SCENES * VIEWS
    return found


def told(folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder / "sample.json").read_text())
    return data


def pixels_hash(path: Path) -> str:
    """The hash that the stand-in gives to a texture of these pixels, which count from below."""
    pixels = read_image(path)[::-1]
    opaque = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    return hashlib.sha256(opaque.tobytes()).hexdigest()


def test_every_sample_is_there_and_whole(whole):
    assert len(manifest(whole).splitlines()) == SCENES * VIEWS * ROUTES
    assert verify(whole) == []


def test_four_cameras_share_the_sweep_of_their_moment(whole):
    sweeps: dict[tuple[str, int], set[bytes]] = {}
    for record in read_samples(whole):
        if record.route == "repaint":
            lidar = record.lidar()
            assert lidar is not None
            assert len(lidar) > 100
            key = (record.scenario, record.index)
            sweeps.setdefault(key, set()).add(lidar.tobytes())
    assert len(sweeps) == SCENES
    assert all(len(each) == 1 for each in sweeps.values())


def test_paint_was_seen_and_its_textures_are_kept(whole):
    changed = set()
    for folder in folders(whole, "texture"):
        data = told(folder)
        seen = data["provenance"]["surfaces_changed"]
        assert sorted(data["textures"]) == seen
        assert all(f"texture_{name}.png" in data["files"] for name in seen)
        assert [each["passed"] for each in data["checks"] if each["name"] == "paint_seen"] == [
            bool(seen)
        ]
        changed |= set(seen)
    assert changed & {"facade_a", "facade_b", "facade_c"}
    assert "road" not in changed, "the stand-in's road takes no paint"


def test_the_textures_that_are_kept_reached_the_server(whole, server):
    calls = server.calls("apply_color_texture_to_objects")
    there = {call["args"][2]["sha256"] for call in calls}
    kept = {
        pixels_hash(folder / f"texture_{name}.png")
        for folder in folders(whole, "texture")
        for name in told(folder)["textures"]
    }
    assert kept
    assert kept <= there


def test_painted_pictures_differ_where_the_mask_says(whole):
    changed = 0
    for folder in folders(whole, "texture"):
        image, frame = read_image(folder / "image.png"), read_image(folder / "frame.png")
        mask = read_image(folder / "mask.png")[..., 0] > 0
        assert np.array_equal((image != frame).any(axis=2), mask)
        changed += mask.any()
    assert changed


def test_objects_have_boxes_in_the_picture_and_in_space(whole):
    child = [
        item
        for folder in folders(whole, "repaint")
        if "child_by_van" in folder.name
        for item in told(folder)["annotations"]
        if item["kind"] == "child"
    ]
    assert len(child) == 2
    for item in child:
        assert 7 < item["box"]["centre_m"][0] < 12
        assert item["class_name"] == "person"
        assert item["occluded"] < 0.2
        assert item["truncated"] == 0


def test_labels_stay_known_on_painted_surfaces(whole):
    for record in read_samples(whole):
        labels = record.labels()
        assert labels is not None
        assert (labels == UNKNOWN).any() == (record.route == "repaint")


def test_provenance_names_client_server_map_and_weather(whole):
    for folder in folders(whole, "repaint"):
        about = told(folder)["provenance"]["simulator"]
        assert about["server"] == {"name": "carla", "client": "0.9.16", "server": "0.9.16"}
        assert about["map"] == "Town10HD_Opt"
        assert about["weather"]["cloudiness"] > 50


def test_the_server_is_as_it_was(whole, server, before):
    after = condition(server.port)
    kinds = {
        when: sorted(kind for _, kind in found["actors"])
        for when, found in (("before", before), ("after", after))
    }
    assert kinds["before"] == kinds["after"]
    for name in ("settings", "weather", "map", "spectator"):
        assert before[name] == after[name], name
    assert alive(server.calls()) == 0


def test_the_same_request_again_does_nothing(whole, scenarios, capsys):
    # not even a server is needed: port 1 is nobody's
    assert run(words(scenarios, 1, whole)) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_coco_and_gallery_take_such_a_dataset(whole, tmp_path):
    out = tmp_path / "coco.json"
    assert run(["export", "coco", str(whole), "--out", str(out), "--rejected"]) == 0
    data = json.loads(out.read_text())
    children = [each for each in data["annotations"] if each["kind"] == "child"]
    assert len(children) == 2 * ROUTES
    assert all(0 <= each["occluded"] <= 1 and each["box_3d"] for each in children)
    assert run(["gallery", str(whole)]) == 0
    page = (whole / "gallery.html").read_text()
    assert all(json.loads(line)["id"] in page for line in manifest(whole).splitlines())


def wait_for(out: Path, samples: int, process: Any, seconds: float = 60.0) -> None:
    """Wait until so many samples are written while a run goes on."""
    until_s = time.monotonic() + seconds
    while len(list(out.glob("samples/*/sample.json"))) < samples:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until_s
        time.sleep(0.02)


@pytest.mark.slow
def test_a_run_killed_in_the_middle_goes_on_and_ends_the_same(whole, scenarios, tmp_path):
    server = start(tmp_path / "server", pictures="plain")
    out, cache = tmp_path / "data", tmp_path / "cache"
    before = condition(server.port)
    try:
        process = begin(words(scenarios[:1], server.port, out), cache)
        wait_for(out, VIEWS * ROUTES, process)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert condition(server.port)["settings"] != before["settings"]
        again = begin(words(scenarios[:1], server.port, out), cache)
        printed, errors = again.communicate(timeout=60)
        assert again.returncode == 0, errors
        assert "were there before" in printed
        assert "0 were there before" not in printed
        assert "putting it back" in errors
        assert manifest(out) == of_the_first(whole)
        assert alive(server.calls()) == 0
        assert condition(server.port)["settings"] == before["settings"]
    finally:
        server.stop()


@pytest.mark.slow
def test_a_server_that_dies_is_waited_for_and_the_scene_made_anew(whole, scenarios, tmp_path):
    server = start(tmp_path / "first", pictures="plain", die_at=["tick_cue:14"])
    out = tmp_path / "data"
    port = server.port
    patience = ("--patience", str(PATIENCE_S), "carla.timeout_s=3", "carla.sensor_timeout_s=3")
    process = begin(words(scenarios[:1], port, out, *patience), tmp_path / "cache")
    assert server.process.wait(60) == 70
    server.stop()
    assert process.poll() is None
    second = start(tmp_path / "second", pictures="plain", port=port)
    try:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        assert "Waiting up to 60 s for it to come back" in errors
        assert "made anew" in errors
        assert manifest(out) == of_the_first(whole)
        assert alive(second.calls()) == 0
    finally:
        second.stop()


@pytest.mark.slow
def test_a_server_lost_for_good_names_what_is_safe(scenarios, tmp_path):
    server = start(tmp_path / "server", pictures="plain", die_at=["tick_cue:14"])
    out = tmp_path / "data"
    patience = ("--patience", "0", "carla.timeout_s=3", "carla.sensor_timeout_s=3")
    process = begin(words(scenarios[:1], server.port, out, *patience), tmp_path / "cache")
    _, errors = process.communicate(timeout=60)
    server.stop()
    there = len(list(out.glob("samples/*/sample.json")))
    assert process.returncode == 2
    said = " ".join(errors.split())
    assert f"{there} samples of 16 are safe in {out}" in said
    assert "the same command goes on" in said
