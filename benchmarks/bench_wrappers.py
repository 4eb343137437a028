"""What looks cost for each frame: pasting, masks, weather, hazards, and vector against single.

Times are CPU times of this process in one run, medians of several, at 64 px. The yardstick is a
step of a MuJoCo environment that observes 64-px pictures (Reacher-v5). Hazards are cut out first,
once on a machine. Run: python benchmarks/bench_wrappers.py [--json]
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import SyncVectorEnv
from gymnasium.wrappers import AddRenderObservation
from rich.console import Console
from rich.table import Table

from hartsim.adapters.gymnasium import vector, wrappers
from hartsim.adapters.gymnasium.looks import paste
from hartsim.adapters.gymnasium.masks import mask_source
from hartsim.dataset.bank import BankWriter, Row
from hartsim.types import CLASS_ID, Image, Mask
from hartsim.worlds.backend import load_mujoco

SIDE, NUMBER, REPEATS = 64, 8, 9
RNG = np.random.default_rng(0)
STEP = f"MuJoCo: step with a {SIDE}-px picture"
GIVEN: Mask = RNG.random((SIDE, SIDE)) < 0.5


def given(env: Any, image: Image) -> Mask:
    """A mask that costs nothing."""
    return GIVEN


class Still(gym.Env[Any, Any]):
    """The same observation at every step, so that what is measured is the wrapper."""

    metadata = {"render_modes": [], "render_fps": 10}  # noqa: RUF012

    def __init__(self) -> None:
        size_px = (SIDE, SIDE)
        self.action_space = spaces.Discrete(2)
        self.observation_space = spaces.Dict(
            {
                "image": spaces.Box(0, 255, (*size_px, 3), np.uint8),
                "labels": spaces.Box(0, 255, size_px, np.uint8),
                "depth": spaces.Box(0, 1000, size_px, np.float32),
            }
        )
        rng = np.random.default_rng(1)
        self.seen = {
            "image": rng.integers(0, 255, (*size_px, 3), np.uint8),
            "labels": np.where(GIVEN, CLASS_ID["sky"], CLASS_ID["road"]).astype(np.uint8),
            "depth": rng.uniform(5, 200, size_px).astype(np.float32),
        }

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return self.seen, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return self.seen, 0.0, False, False, {}


def seconds(works: Mapping[str, Callable[[], Any]], times: int) -> dict[str, float]:
    """CPU seconds of one call of each: medians of rounds in turn, after one to warm up."""
    rounds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(REPEATS + 1):
        for name, work in works.items():
            begun = time.process_time()
            for _ in range(times):
                work()
            rounds[name].append((time.process_time() - begun) / times)
    return {name: median(each[1:]) for name, each in rounds.items()}


def stepping(env: Any) -> Callable[[], Any]:
    """What takes a step of an environment, or of many."""
    env.reset(seed=0)
    space = env.action_space
    action = np.zeros(space.shape, space.dtype)
    return lambda: env.step(action)


def added(bare: Any, dressed: Mapping[str, Any], times: int, number: int = 1) -> dict[str, float]:
    """CPU seconds that looks add to a step, for each of a number of environments."""
    every = {"": bare, **dressed}
    found = seconds({name: stepping(env) for name, env in every.items()}, times)
    return {name: (found[name] - found[""]) / number for name in dressed}


def make_bank(folder: Path) -> str:
    with BankWriter(folder, {"made for": "bench_wrappers"}) as writer:
        images = list(RNG.integers(0, 255, (16, 256, 256, 3), np.uint8))
        rows = [Row("bench", 0, n, "front", "noise") for n in range(len(images))]
        writer.add("backdrop", images, rows)
    return str(folder)


def measure(bank: str) -> dict[str, float]:
    """Microseconds for each frame, by what is done."""
    image, picture = RNG.integers(0, 255, (2, SIDE, SIDE, 3), np.uint8)
    labels = Still().seen["labels"]
    of_labels, of_colour = mask_source("labels:sky"), mask_source("colour:#101010±12")
    alone = {
        "pasting alone, mask given": lambda: paste(image, picture, GIVEN),
        "mask by labels": lambda: of_labels(None, image, labels),
        "mask by colour": lambda: of_colour(None, image),
    }
    backdrop, weather = wrappers.BackdropObservation, wrappers.WeatherObservation
    given_mask = f"{Path(__file__).stem}:given"
    dressed = {
        "wrapper: backdrop, mask given": backdrop(Still(), bank, given_mask),
        "wrapper: backdrop by labels": backdrop(Still(), bank, "labels:sky"),
        "wrapper: backdrop, feathered": backdrop(Still(), bank, "labels:sky", feather_px=2),
        "wrapper: fog": weather(Still(), "fog", 0.5),
        "wrapper: rain": weather(Still(), "rain", 0.5),
        "wrapper: snow": weather(Still(), "snow", 0.5),
        "wrapper: drops on the lens": weather(Still(), "lens_drops", 0.5),
        "wrapper: a hazard": wrappers.HazardObservation(Still(), ["deer"]),
    }
    found = seconds(alone, 1000) | added(Still(), dressed, 200)
    found |= _vectors("BackdropObservation", {"bank": bank, "mask": "labels:sky"})
    found |= _vectors("WeatherObservation", {"weather": "fog", "strength": 0.5})
    found |= _mujoco(bank, given_mask)
    return {name: 1e6 * value for name, value in found.items()}


def _vectors(name: str, arguments: Mapping[str, Any]) -> dict[str, float]:
    """What a look adds to a step of many environments, for each of them."""
    single = partial(_wrapped, getattr(wrappers, name), arguments)
    dressed = {
        f"{NUMBER} single {name}s, each": SyncVectorEnv([single] * NUMBER),
        f"one vector {name}, each": getattr(vector, name)(
            SyncVectorEnv([Still] * NUMBER), **arguments
        ),
    }
    return added(SyncVectorEnv([Still] * NUMBER), dressed, 50, NUMBER)


def _wrapped(wrapper: Any, arguments: Mapping[str, Any]) -> Any:
    return wrapper(Still(), **arguments)


def _mujoco(bank: str, given_mask: str) -> dict[str, float]:
    """A step of a MuJoCo environment with pictures, dressed and not, and what its mask costs."""

    def pixels() -> Any:
        env = gym.make("Reacher-v5", render_mode="rgb_array", width=SIDE, height=SIDE)
        return AddRenderObservation(env)

    env, dressed = pixels(), wrappers.BackdropObservation(pixels(), bank, given_mask)
    image, _ = env.reset(seed=0)
    mask = mask_source("mujoco:background")
    found = seconds(
        {
            STEP: stepping(env),
            "MuJoCo: the same step dressed, mask given": stepping(dressed),
            "MuJoCo: mask by a segmentation pass": lambda: mask(env, image),
        },
        30,
    )
    dressed.close()
    env.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args()
    load_mujoco()  # chooses what draws, before Gymnasium does
    with tempfile.TemporaryDirectory() as folder:
        found = measure(make_bank(Path(folder) / "bank"))
    step = found[STEP]
    ratios = {name: value / step for name, value in found.items()}
    if asked.json:
        print(json.dumps({"microseconds": found, "of_a_mujoco_step": ratios}, indent=2))
        return
    table = Table(f"{SIDE} px, one core", "µs a frame", "frames/s", "of a MuJoCo pixel step")
    for name, value in found.items():
        table.add_row(name, f"{value:.1f}", f"{1e6 / value:,.0f}", f"{100 * ratios[name]:.2f} %")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
