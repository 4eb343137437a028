"""The looks that policies are taught and judged in, and how the figures are put together."""

import json

import numpy as np
import pytest

from benchmarks.generalisation.__main__ import SEEDS, interval, picture, table
from benchmarks.generalisation.arms import (
    ARMS,
    ELSEWHERE,
    SEEN,
    TESTS,
    augmented,
    flat,
    make,
    noise,
    path_traced,
)
from hartsim.dataset.bank import open_bank
from hartsim.images import encode_png
from hartsim.scenario.draw import draw
from hartsim.scenario.load import load_scenario


def test_what_is_judged_elsewhere_was_never_taught():
    def drawn(path):
        scenario = load_scenario(path)
        scenes = [draw(scenario, 0, index).scenario.scene for index in range(40)]
        return {(each.place, each.weather, each.time_of_day) for each in scenes}

    seen, elsewhere = drawn(SEEN), drawn(ELSEWHERE)
    assert {place for place, _, _ in seen}.isdisjoint(place for place, _, _ in elsewhere)
    assert {hour for _, _, hour in seen}.isdisjoint(hour for _, _, hour in elsewhere)


@pytest.mark.parametrize("paint", [flat, noise])
def test_every_episode_is_painted_otherwise(paint):
    one, same, other = (paint(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_noise_wraps_round():
    image = noise(np.random.default_rng(3)).astype(int)
    inside = np.abs(np.diff(image, axis=0)).mean()
    assert np.abs(image[0] - image[-1]).mean() < 2 * inside


def test_augmentation_changes_the_frames_of_a_step_alike():
    picture = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    pictures = np.broadcast_to(picture, (3, 2, 32, 32, 3))
    changed = augmented(pictures, np.random.default_rng(1)).astype(int)
    assert np.array_equal(changed[:, 0], changed[:, 1])
    assert np.abs(changed[0] - changed[1]).mean() > 10


@pytest.mark.parametrize("arm", ["plain", "flat", "noise"])
def test_an_arm_changes_looks_alone(arm, tmp_path):
    env, plain = make(arm, tmp_path), make("plain", tmp_path)
    try:
        one, other = env.reset(seed=5), plain.reset(seed=5)
        assert one[1]["scene"] == other[1]["scene"]
        assert np.array_equal(one[0], other[0]) == (arm == "plain")
        action = np.array([0.1, 0.5], np.float32)
        assert env.step(action)[1] == plain.step(action)[1]
    finally:
        env.close()
        plain.close()


def test_path_traced_that_are_not_held_out_are_left_out(tmp_path):
    surfaces = ("grey asphalt", "green meadow", "paving stones", "brick wall", "office front")
    words = [*surfaces, "plaster wall", "sky with clouds"]
    for number, (each, held_out) in enumerate((w, h) for w in words for h in (True, False)):
        folder = tmp_path / "frames" / f"{number}"
        folder.mkdir(parents=True)
        image = np.full((16, 16, 3), 200 if held_out else 10, np.uint8)
        (folder / "image.png").write_bytes(encode_png(image))
        key = f"{'sky' if 'sky' in each else 'texture'}-{number}"
        told = {"key": key, "words": each, "seed": 0, "held_out": held_out}
        (folder / "frame.json").write_text(json.dumps(told))
    bank = open_bank(path_traced(tmp_path / "frames", tmp_path / "bank"))
    assert bank.kinds["texture/sky"] == 1
    assert all(bank.images(kind)[0].min() == 200 for kind in bank.kinds)


def test_an_interval_is_wider_where_seeds_disagree():
    alike = np.tile([1.0, 0.0], (3, 20))
    unlike = np.repeat([[1.0], [0.0], [0.5]], 40, axis=1)
    low, high = interval(alike)
    assert low < 0.5 < high
    assert high - low < np.subtract(*interval(unlike)[::-1])


def test_the_table_and_the_picture_show_every_arm():
    rows = [
        {"test": test, "arm": arm, "success": 0.5, "interval": [0.4, 0.6], "by_seed": []}
        for test in TESTS
        for arm in (*ARMS, "expert")
    ]
    text = table(rows)
    assert all(f"| {arm} | 50% (40% to 60%)" in text for arm in ARMS)
    image = picture(rows)
    empty = picture([{**row, "success": 0.0, "interval": [0.0, 0.0]} for row in rows])
    assert image.shape == empty.shape
    assert (image != empty).any()
    assert len(SEEDS) >= 3
