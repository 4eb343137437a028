"""The looks to train on, one arm each, and the looks to be judged on, which no arm has seen."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from hartsim.adapters.gymnasium.textures import TextureRandomization
from hartsim.adapters.gymnasium.wrappers import BackdropObservation
from hartsim.dataset.bank import BankWriter, Row
from hartsim.images import read_image, resize
from hartsim.policies import Pictures
from hartsim.types import Image

HERE = Path(__file__).parent
SEEN, ELSEWHERE = str(HERE / "seen.yaml"), str(HERE / "elsewhere.yaml")
SIZE_PX = 128
ARMS = ("plain", "flat", "noise", "augmented", "hart textures", "hart backdrops")
TESTS = ("as trained", "path-traced surfaces", "elsewhere")

PATH_TRACED: Mapping[str, tuple[str, ...]] = {
    "road": ("asphalt", "cobblestones", "light concrete road", "red brick paving"),
    "terrain": ("grass", "meadow", "soil", "gravel", "snow"),
    "pavement": ("paving", "concrete floor", "slabs"),
    "facade_a": ("house front", "brick wall", "barn"),
    "facade_b": ("front with", "warehouse", "office front"),
    "facade_c": ("plaster", "stone wall", "concrete wall"),
    "sky": ("sky", "clouds", "fog"),
}
"""Words of path-traced textures that may stand for a surface."""


class Dressed(gym.Wrapper[Any, Any, Any, Any]):
    """Dresses every surface anew in each episode, with what `paint` makes of a generator."""

    def __init__(self, env: Any, paint: Callable[[np.random.Generator], Image]) -> None:
        super().__init__(env)
        self._paint = paint

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        _, info = self.env.reset(seed=seed, options=options)
        plain: Any = self.env.unwrapped
        random = np.random.default_rng([seed or 0, 1])
        plain.paint({name: self._paint(random) for name in plain.surfaces})
        return plain.look(), info


def make(arm: str, bank: Path) -> Any:
    """The environment of an arm; `bank` holds HART's pictures."""
    street = gym.make("hartsim:HartSim/Street-v0", scenario=SEEN, size_px=SIZE_PX)
    if arm == "flat":
        return Dressed(street, flat)
    if arm == "noise":
        return Dressed(street, noise)
    if arm == "hart textures":
        return TextureRandomization(street, str(bank))
    if arm == "hart backdrops":
        full = gym.make("HartSim/Street-v0", scenario=SEEN, size_px=SIZE_PX, observation="dict")
        street.close()
        behind = BackdropObservation(full, str(bank), "labels:sky,building,vegetation")
        return Pictures(behind)
    return street  # plain, and augmented in two dimensions while it learns


def make_test(test: str, surfaces: Path) -> Any:
    """The environment of a test; `surfaces` is a bank of path-traced surfaces."""
    scenario = ELSEWHERE if test == "elsewhere" else SEEN
    street = gym.make("hartsim:HartSim/Street-v0", scenario=scenario, size_px=SIZE_PX)
    if test == "path-traced surfaces":
        return TextureRandomization(street, str(surfaces))
    return street


def flat(random: np.random.Generator) -> Image:
    """One colour."""
    return np.full((8, 8, 3), random.integers(0, 256, 3), np.uint8)


def noise(random: np.random.Generator) -> Image:
    """Seamless coloured noise of several octaves about a colour."""
    side = 64
    total: NDArray[np.float64] = np.zeros((side, side, 3))
    for octave in range(1, 6):
        cells = 2**octave
        coarse = random.normal(size=(cells, cells, 3)) @ random.normal(0, 0.6, (3, 3))
        wrapped = np.pad(coarse, ((0, 1), (0, 1), (0, 0)), mode="wrap")
        spots = np.arange(side) * cells / side
        low, share = spots.astype(int), spots % 1
        rows = wrapped[low] * (1 - share)[:, None, None] + wrapped[low + 1] * share[:, None, None]
        both = rows[:, low] * (1 - share)[None, :, None] + rows[:, low + 1] * share[None, :, None]
        total += both / octave
    colour = random.integers(0, 256, 3)
    return np.clip(colour + 45 * total, 0, 255).astype(np.uint8)


def augmented(pictures: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Pictures (B, frames, H, W, 3) changed in two dimensions, strongly: each like its frames.

    Colours are mixed and shifted, contrast and brightness changed, noise added, a patch cut out.
    """
    count, _, height, width, _ = pictures.shape
    values = pictures.astype(np.float32)
    mix = np.eye(3) + random.normal(0, 0.25, (count, 3, 3))
    values = np.einsum("bfhwc,bcd->bfhwd", values, mix.astype(np.float32))
    gain = random.uniform(0.5, 1.5, (count, 1, 1, 1, 1)).astype(np.float32)
    shift = random.uniform(-50, 50, (count, 1, 1, 1, 3)).astype(np.float32)
    values = (values - 128) * gain + 128 + shift
    values += random.normal(0, 8, values[:, :1].shape).astype(np.float32)
    for picture in values:
        tall, wide = random.integers(4, 20, 2)
        top, left = random.integers(0, height - tall), random.integers(0, width - wide)
        picture[:, top : top + tall, left : left + wide] = random.uniform(0, 255, 3)
    return np.clip(values, 0, 255).astype(np.uint8)


def path_traced(frames: Path, out: Path) -> Path:
    """A bank of the path-traced textures and skies that training never uses (`held_out`)."""
    by_surface: dict[str, list[tuple[Image, Row]]] = {name: [] for name in PATH_TRACED}
    for file in sorted(frames.glob("*/frame.json")):
        told = json.loads(file.read_text())
        if not told["held_out"] or "night" in told["words"]:
            continue
        image = resize(read_image(file.parent / "image.png"), (128, 128))
        row = Row("", told["seed"], 0, told["key"], told["words"])
        is_sky = told["key"].startswith("sky")
        for surface, words in PATH_TRACED.items():
            fits = any(word in told["words"] for word in words)
            if fits and is_sky == (surface == "sky"):
                by_surface[surface].append((image, row))
    with BankWriter(out, {"made": "path-traced textures that are held out"}) as writer:
        for surface, found in by_surface.items():
            writer.add(f"texture/{surface}", [i for i, _ in found], [r for _, r in found])
    return out
