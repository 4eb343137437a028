from contextlib import closing

import numpy as np
import pytest

from hartsim.corpus import MIX, PORTRAITS, SEEN_PX, frame_entry, part_entries
from hartsim.scenario.broad import portrait_scenario
from hartsim.scenario.compiler import compile_draw
from hartsim.training.corpus import HAZARD
from hartsim.worlds.embedded import EmbeddedWorld


@pytest.fixture(scope="module")
def worlds():
    with (
        closing(EmbeddedWorld("driving", (64, 64))) as street,
        closing(EmbeddedWorld("robot", (64, 64))) as table,
    ):
        yield {"driving": street, "robot": table}


def first_entries(worlds, count, mix):
    entries = part_entries(3, worlds, 64, mix)
    return [next(entries) for _ in range(count)]


def test_a_part_is_the_same_whenever_it_is_made(worlds):
    for one, other in zip(
        first_entries(worlds, 10, MIX), first_entries(worlds, 10, MIX), strict=True
    ):
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.marks, other.marks)
        assert one.captions == other.captions


@pytest.mark.parametrize("task", ["driving", "robot"])
def test_a_portrait_names_and_marks_its_hazard(worlds, task):
    named = 0
    for seed in range(6):
        scene = compile_draw(portrait_scenario(task, seed), seed, 0)
        entry = frame_entry(scene, 1, worlds[task])
        (hazard,) = (thing for thing in scene.setup.objects if thing.hazard)
        marked = (entry.marks == HAZARD).sum()
        assert (marked >= SEEN_PX) == ("empty" not in entry.captions[0])
        named += marked >= SEEN_PX
        assert hazard.box.centre_m[0] < 13
    assert named >= 3


def test_both_mixes_are_of_both_tasks():
    for mix in (MIX, PORTRAITS):
        assert {content.split()[0] for content in mix} >= {"street", "tabletop"}
