# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: T201
"""Mode `textures`: seamless surfaces and skies for scenes' phrases; needs no Blender."""

import itertools
import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tools.pathtrace import VERSION, keys, output, sky
from tools.pathtrace.classes import CLASS_ID, UNKNOWN
from tools.pathtrace.surfaces import known, lit, surface

SURFACE_WORDS = "seamless texture of "
TURN_AT_MOST = 0.6


@dataclass(frozen=True)
class Job:
    """One picture to be: its words, and for skies the conditions to paint."""

    words: str
    seed: int
    conditions: Mapping[str, Any] | None = None

    @property
    def key(self) -> str:
        """The folder name."""
        kind = "sky" if self.conditions else "texture"
        name = self.words.removeprefix(SURFACE_WORDS).removeprefix("a wide view of ")
        return f"{kind}-{''.join(c if c.isalnum() else '_' for c in name)}-{self.seed}"


def jobs(lines: Iterable[str], seeds: int) -> Iterator[Job]:
    """Every phrase of the scenes that can be drawn, each with so many seeds; seed by seed."""
    skies: dict[str, Mapping[str, Any]] = {}
    surfaces: set[str] = set()
    for line in lines:
        scene = json.loads(line)
        for target, words in scene["texture_prompts"].items():
            if target == "sky":
                skies.setdefault(words, scene["setup"]["conditions"])
            elif known(words.removeprefix(SURFACE_WORDS)):
                surfaces.add(words)
    plain = sorted(surfaces), sorted(skies)
    return itertools.chain.from_iterable(
        itertools.chain(
            (Job(words, seed) for words in plain[0]),
            (Job(words, seed, skies[words]) for words in plain[1]),
        )
        for seed in range(seeds)
    )


def run(todo: Iterable[Job], out: Path, size: int, limit: int | None) -> dict[str, Any]:
    """Write the pictures that are not there yet; returns the counts."""
    out.mkdir(parents=True, exist_ok=True)
    written, there, started = 0, 0, time.perf_counter()
    for job in todo:
        if limit is not None and written >= limit:
            break
        if output.is_done(out, job.key):
            there += 1
            continue
        output.write(out, job.key, draw(job, size))
        written += 1
        print(f"{written:6d} {job.key}", file=sys.stderr)
    seconds = (time.perf_counter() - started) / max(written, 1)
    return {"written": written, "there_before": there, "seconds_per_frame": round(seconds, 3)}


def draw(job: Job, size: int) -> output.Frame:
    """The picture of a job; the same job gives the same picture."""
    rng = np.random.default_rng(keys.seed_of(job.key))
    if job.conditions:
        image, label = _sky_view(job.conditions, rng, size), CLASS_ID["sky"]
    else:
        words = job.words.removeprefix(SURFACE_WORDS)
        tile = surface(words, 1000 + job.seed, size)
        image, label = lit(tile, rng), UNKNOWN
    facts = {
        "key": job.key,
        "words": job.words,
        "seed": job.seed,
        "held_out": keys.held_out(job.key),
        "size": [size, size],
        "seamless": job.conditions is None,
        "table": {},
        "assets": [],
        "tool_version": VERSION,
    }
    pixels = np.clip(255 * image + 0.5, 0, 255).astype(np.uint8)
    shape = (size, size)
    far = np.inf if job.conditions else np.nan
    return output.Frame(
        pixels,
        np.full(shape, label, np.uint8),
        np.zeros(shape, np.uint16),
        np.full(shape, far, np.float32),
        facts,
    )


def _sky_view(conditions: Mapping[str, Any], rng: np.random.Generator, size: int) -> np.ndarray:
    """A pinhole view of the sky alone: the horizon is at or under the lower edge."""
    painted = sky.paint(conditions, rng, width=4 * max(size, 256))
    height, width = painted.shape[0] // 2, painted.shape[1]
    fov = float(rng.uniform(0.8, 1.25))
    pitch = 0.5 * fov + float(rng.uniform(0.0, 0.15))
    yaw = conditions["sun_azimuth_rad"] + float(rng.normal(0, TURN_AT_MOST))
    at = (np.arange(size) + 0.5) / size * 2 - 1
    u, v = np.meshgrid(-at * np.tan(fov / 2), -at * np.tan(fov / 2))
    x = np.cos(pitch) - v * np.sin(pitch)
    z = np.sin(pitch) + v * np.cos(pitch)
    azimuth = np.arctan2(u, x) + yaw
    elevation = np.arctan2(z, np.hypot(x, u))
    column = (np.pi - azimuth) / (2 * np.pi) * width
    row = np.clip((1 - elevation / (np.pi / 2)) * height, 0, height - 1.001)
    light = _bilinear(painted[:height], row, column)
    luma = light @ np.array([0.2126, 0.7152, 0.0722])
    target = {"night": 0.05, "dusk": 0.3, "dawn": 0.34}.get(conditions["time_of_day"], 0.5)
    light = light * target * float(rng.uniform(0.85, 1.15)) / max(float(luma.mean()), 1e-4)
    return (1 - np.exp(-1.5 * light)) ** (1 / 2.2)


def _bilinear(image: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Samples of an image that is periodic across."""
    i, j = np.floor(row).astype(int), np.floor(column).astype(int)
    fi, fj = (row - i)[..., None], (column - j)[..., None]
    below = np.minimum(i + 1, image.shape[0] - 1)
    a, b = j % image.shape[1], (j + 1) % image.shape[1]
    upper = image[i, a] * (1 - fj) + image[i, b] * fj
    lower = image[below, a] * (1 - fj) + image[below, b] * fj
    return upper * (1 - fi) + lower * fi
