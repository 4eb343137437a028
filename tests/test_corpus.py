from collections import Counter
from contextlib import closing

import numpy as np
import pytest

from hartsim.corpus import (
    MIX,
    PART_SIZE,
    SEEN_PX,
    entry_of,
    frame_entry,
    is_held_out,
    is_scenario_held_out,
    part_entries,
    shipped_scenario,
    texture_entry,
)
from hartsim.scenario.broad import portrait_scenario
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.library import library_scenarios
from hartsim.training.corpus import HAZARD
from hartsim.worlds.embedded import EmbeddedWorld


@pytest.fixture(scope="module")
def worlds():
    with (
        closing(EmbeddedWorld("driving", (64, 64))) as street,
        closing(EmbeddedWorld("robot", (64, 64))) as table,
    ):
        yield {"driving": street, "robot": table}


def first_entries(worlds, count):
    entries = part_entries(3, worlds, 64)
    return [next(entries) for _ in range(count)]


def test_a_part_is_the_same_whenever_it_is_made(worlds):
    for one, other in zip(first_entries(worlds, 8), first_entries(worlds, 8), strict=True):
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.depth_m, other.depth_m)
        assert (one.captions, one.record) == (other.captions, other.record)


@pytest.mark.parametrize("content", MIX)
def test_every_content_has_words_and_a_record(worlds, content):
    entry = entry_of(content, 5 * PART_SIZE, worlds, 64)
    assert entry.image.shape == (64, 64, 3)
    assert entry.labels.shape == entry.marks.shape == entry.depth_m.shape == (64, 64)
    assert all(entry.captions)
    assert entry.record["content"] == content
    assert entry.record["look"] == "render"


@pytest.mark.parametrize("task", ["driving", "robot"])
def test_a_portrait_names_and_marks_its_hazard(worlds, task):
    named = 0
    for seed in range(6):
        scene = compile_draw(portrait_scenario(task, seed), seed, 0)
        entry = frame_entry("portrait", scene, scene.setup.cameras[0].name, worlds[task])
        (hazard,) = (thing for thing in scene.setup.objects if thing.hazard)
        marked = (entry.marks == HAZARD).sum()
        assert marked == sum(each["pixels"] for each in entry.record["hazards"]) or marked == 0
        assert (marked >= SEEN_PX) == (" empty " not in entry.captions[0])
        named += marked >= SEEN_PX
        assert hazard.box.centre_m[0] < 13
    assert named >= 3


def test_no_held_out_scenario_is_learned_from():
    names = [path.stem for path in library_scenarios().values()]
    held = [name for name in names if is_scenario_held_out(name)]
    assert 0.05 < len(held) / len(names) < 0.25
    for seed in range(40):
        assert is_scenario_held_out(shipped_scenario(seed, held_out=True).name)
        assert not is_scenario_held_out(shipped_scenario(seed).name)


def test_no_held_out_texture_is_learned_from():
    def pictures(held_out):
        entries = (texture_entry(seed, 32, held_out) for seed in range(30))
        return {np.sort(each.image, axis=None).tobytes() for each in entries}

    assert not pictures(True) & pictures(False)


def test_about_one_part_in_twenty_is_held_out():
    assert Counter(map(is_held_out, range(400)))[True] == 20
