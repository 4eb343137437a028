"""What textures and masks cost in environments over MuJoCo: swapping at a reset, a mask, a step.

Everything is measured in one run, as CPU time of this process, medians of several. The yardstick is
a step of an environment that observes 64-px pictures. `four tiles` is a small model with four
textures of 256 px; the others are gymnasium's, and hartsim's own street, dressed as they are where
no surfaces are named. Run: python benchmarks/bench_textures.py [--json]
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import AddRenderObservation
from rich.console import Console
from rich.table import Table

from hartsim.adapters.gymnasium.mujoco import mujoco_mask
from hartsim.adapters.gymnasium.textures import TextureRandomization
from hartsim.dataset.bank import BankWriter, Row
from hartsim.worlds.backend import load_mujoco, probe

SIDE, PICTURE_PX, PICTURES = 64, 256, 8
REPEATS, STEPS = 30, 60
GOAL_MS = 5.0

KINDS = ("texture/road", "texture/pavement", "texture/facade", "texture/grass", "backdrop")

SQUARE = f'width="{PICTURE_PX}" height="{PICTURE_PX}"'
TILES = f"""<mujoco><asset>
{
    "".join(
        f'<texture name="tile{n}" type="2d" builtin="flat" {SQUARE}/>'
        f'<material name="tile{n}" texture="tile{n}"/>'
        for n in range(4)
    )
}</asset><worldbody><light pos="0 0 3"/>
{
    "".join(
        f'<geom type="plane" size=".4 .4 .1" pos="{n - 1.5} 0 0" material="tile{n}"/>'
        for n in range(4)
    )
}</worldbody></mujoco>"""


@dataclass(frozen=True)
class Costs:
    """CPU milliseconds: of a step, its wrapper's share of it, a swap, a mask; and the surfaces."""

    surfaces: int
    step: float
    wrapper: float
    swap: float
    mask: float | None


def milliseconds(*works: Callable[[], object], repeats: int = REPEATS) -> list[float]:
    """The median CPU time of each work, done in turns, once all have been done before."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(repeats + 1):
        for work, own in zip(works, times, strict=True):
            started = time.process_time()
            work()
            own.append(time.process_time() - started)
    return [1000 * median(own[1:]) for own in times]


def make_bank(folder: Path) -> str:
    """A bank of noise of every kind."""
    rng = np.random.default_rng(0)
    with BankWriter(folder, {"made for": "bench_textures"}) as writer:
        for kind in KINDS:
            shape = (PICTURES, PICTURE_PX, PICTURE_PX, 3)
            rows = [Row("noise", 0, number, kind, "noise") for number in range(PICTURES)]
            writer.add(kind, list(rng.integers(0, 256, shape, np.uint8)), rows)
    return str(folder)


def four_tiles(folder: Path) -> "gym.Env[Any, Any]":
    """An environment of which nothing but four tiles is to be seen."""
    from gymnasium.envs.mujoco import MujocoEnv

    class FourTiles(MujocoEnv):
        metadata = {"render_modes": ["rgb_array", "depth_array", "rgbd_tuple"]}  # noqa: RUF012

        def reset_model(self) -> Any:
            self.set_state(self.init_qpos, self.init_qvel)
            return np.zeros(1)

        def step(self, action: Any) -> Any:
            self.do_simulation(self.data.ctrl.copy(), 1)
            return np.zeros(1), 0.0, False, False, {}

    file = folder / "tiles.xml"
    file.write_text(TILES)
    space = gym.spaces.Box(-1, 1, (1,), np.float64)
    return FourTiles(str(file), 1, space, "rgb_array", width=SIDE, height=SIDE)


def measure(env: "gym.Env[Any, Any]", bank: str) -> Costs:
    """What it costs to dress an environment that observes pictures."""
    with closing(TextureRandomization(env, bank)) as dressed:
        dressed.reset(seed=0)
        action = dressed.action_space.sample()
        step, wrapped = milliseconds(
            lambda: env.step(action), lambda: dressed.step(action), repeats=STEPS
        )
        # what reset does beyond the environment's own, of which the pictures all change
        episodes = iter(range(1, 10**9))

        def swap() -> None:
            dressed._episode, dressed._worn = next(episodes), {}
            dressed._dress()

        picture = np.zeros((SIDE, SIDE, 3), np.uint8)
        background = mujoco_mask("background")
        mask = None
        if not hasattr(env.unwrapped, "paint"):
            (mask,) = milliseconds(lambda: background(env, picture))
        (swapped,) = milliseconds(swap)
        return Costs(len(dressed._worn), step, wrapped - step, swapped, mask)


def gymnasiums(name: str) -> "gym.Env[Any, Any]":
    """One of gymnasium's own, observing pictures."""
    env = gym.make(name, render_mode="rgb_array", width=SIDE, height=SIDE, max_episode_steps=10**6)
    return AddRenderObservation(env)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args()
    load_mujoco()
    makers: dict[str, Callable[[Path], gym.Env[Any, Any]]] = {
        "four tiles": lambda folder: AddRenderObservation(four_tiles(folder)),
        "Reacher-v5": lambda _: gymnasiums("Reacher-v5"),
        "Ant-v5": lambda _: gymnasiums("Ant-v5"),
        "Street-v0": lambda _: gym.make("hartsim:HartSim/Street-v0", max_episode_steps=10**6),
    }
    with tempfile.TemporaryDirectory() as folder:
        bank = make_bank(Path(folder) / "bank")
        costs = {name: measure(make(Path(folder)), bank) for name, make in makers.items()}
    if asked.json:
        told = {name: asdict(each) for name, each in costs.items()}
        print(json.dumps({"backend": probe(), "size_px": SIDE, "ms": told}, indent=2))
        return
    columns = ("surfaces", "step", "+ wrapper", "swap", "swap / step", "mask", "mask / step")
    table = Table("64 px, CPU ms", *columns)
    for name, each in costs.items():
        mask = (
            ["-", "-"]
            if each.mask is None
            else [f"{each.mask:.2f}", f"{each.mask / each.step:.2f}"]
        )
        table.add_row(
            name,
            str(each.surfaces),
            f"{each.step:.2f}",
            f"{each.wrapper:+.2f}",
            f"{each.swap:.2f}",
            f"{each.swap / each.step:.2f}",
            *mask,
        )
    Console().print(table)
    Console().print(f"goal: four 256-px surfaces in at most {GOAL_MS:g} ms")


if __name__ == "__main__":
    main()
