"""Same key, same bytes: in any batch, any order, any process, and after an interruption."""

import hashlib
import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from hartsim.config import HartSettings, RenderSettings
from hartsim.hart.checkpoint import save_hart
from hartsim.hart.config import hart_config
from hartsim.hart.model import new_hart
from hartsim.hart.noise import KeyedNoise
from hartsim.hart.renderer import make_renderer
from hartsim.types import CLASSES, Canvas, Layout, RenderJob
from tests.hart.conftest import require_precision

ROUTES = ("view", "texture", "backdrop", "repaint")
SIZES = ((32, 32), (32, 64), (48, 36))


def work():
    """Twelve jobs: every route, in three sizes, some with negative and calm prompts.

    Of the views two have layouts.
    """
    jobs = []
    for number in range(12):
        route, size_px = ROUTES[number % 4], SIZES[number // 4]
        calm = "an empty road" if route == "view" else ""
        job = RenderJob(
            *(route, "front", f"hazard {number} on a road", "blurred" if number % 3 else ""),
            *(size_px, f"key {number}", 0, calm),
        )
        image = np.random.default_rng(number).integers(0, 256, (*size_px, 3), dtype=np.uint8)
        mask = np.zeros(size_px, bool)
        mask[: size_px[0] // 2] = True
        labels = image[..., 0] % len(CLASSES)
        underlay = {"view": Layout(labels) if number else None, "texture": None}
        jobs.append((job, underlay.get(route, Canvas(image, mask, labels, 1))))
    return jobs


def hashes(renders):
    return {r.job.noise_key: hashlib.sha256(r.image.tobytes()).hexdigest() for r in renders}


@cache
def weights():
    """A folder of weights that heed labels, the same in every process."""
    config = hart_config("tiny")
    transformer = replace(config.transformer, label_classes=len(CLASSES))
    hart = new_hart(replace(config, transformer=transformer), seed=0)
    embedding = hart.transformer.label_embed.weight
    torch.nn.init.normal_(embedding, generator=torch.Generator().manual_seed(0))
    folder = tempfile.mkdtemp()
    save_hart(hart, Path(folder))
    return folder


def renderer(**changed):
    choices = {"device": "cpu", "threads": 1, "choices": 2, **changed}
    return make_renderer(HartSettings(name="tiny", weights=weights()), RenderSettings(**choices))


def in_batches(paint, jobs, size):
    chunks = [jobs[start : start + size] for start in range(0, len(jobs), size)]
    return [render for chunk in chunks for render in paint(chunk)]


@pytest.fixture(scope="module", params=["fp32", "int8", "bf16"])
def precision(request):
    require_precision(request.param)
    return request.param


@pytest.fixture(scope="module")
def expected(precision):
    return hashes(in_batches(renderer(precision=precision), work(), 12))


def test_twelve_keys_are_twelve_pictures(expected):
    assert len(set(expected.values())) == len(expected) == 12


@pytest.mark.parametrize("batch", [1, 5])
@pytest.mark.parametrize("backwards", [False, True])
def test_neither_batch_nor_order_matters(expected, precision, batch, backwards):
    jobs = work()[::-1] if backwards else work()
    assert hashes(in_batches(renderer(precision=precision), jobs, batch)) == expected


def test_rows_that_are_filled_or_padded_give_the_same_bytes(precision):
    three = renderer(precision=precision, rows=3)
    whole, alone = in_batches(three, work(), 12), in_batches(three, work(), 1)
    assert hashes(whole) == hashes(alone)


def test_two_processes_share_the_work(expected, precision):
    program = (
        "import json, sys; from tests.integration.test_same_bytes import *;"
        "half = work()[int(sys.argv[1])::2];"
        "print(json.dumps(hashes(in_batches(renderer(precision=sys.argv[2]), half, 4))))"
    )
    halves = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(part), precision], stdout=subprocess.PIPE, text=True
        )
        for part in range(2)
    ]
    printed = [half.communicate(timeout=120)[0] for half in halves]
    first, second = map(json.loads, printed)
    assert first.keys().isdisjoint(second)
    assert first | second == expected


def test_another_renderer_goes_on_half_way(expected, precision):
    first = in_batches(renderer(precision=precision), work()[:7], 5)
    second = in_batches(renderer(precision=precision), work()[7:], 5)
    assert hashes([*first, *second]) == expected


def test_a_changed_setting_sees_the_same_noise(monkeypatch):
    """Fewer residual steps draw the same codes: what comes of the head alone may differ."""
    seen = []

    def drawing(self, purpose, step, codes, vocabulary):
        noise = original(self, purpose, step, codes, vocabulary)
        seen.append((purpose, step, codes.clone(), noise.clone()))
        return noise

    original = KeyedNoise.exponential
    monkeypatch.setattr(KeyedNoise, "exponential", drawing)
    pictures = []
    for steps in (8, 3):
        pictures += renderer(residual_steps=steps)([work()[0]])
    assert not np.array_equal(pictures[0].image, pictures[1].image)
    assert pictures[0].cache_key != pictures[1].cache_key
    half = len(seen) // 2
    for (purpose, step, codes, noise), again in zip(seen[:half], seen[half:], strict=True):
        assert (purpose, step) == again[:2]
        assert codes.equal(again[2])
        assert noise.equal(again[3])
