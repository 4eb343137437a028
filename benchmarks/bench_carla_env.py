"""How many steps a second `HartSim/Carla-v0` takes, against the tests' stand-in for a server.

.venv/bin/python -m benchmarks.bench_carla_env [--json FILE]

The stand-in sends pictures that were drawn before, so that what is measured is the adapter, the
client and the wire: what a real server takes to draw comes on top. Wall milliseconds, medians of
rounds in which all take turns; the embedded street is there to compare with.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

import hartsim  # noqa: F401
from benchmarks.bench_envs import tell
from tests.carla_standin.process import start

SCENARIO = "cones_blown_into_open_lane"
CARLA = "HartSim/Carla-v0"
SUBJECTS: dict[str, dict[str, Any]] = {
    "pictures alone, 1 tick a step": {"labels": False, "tick_s": 0.1},
    "pictures alone": {"labels": False},
    "pictures, all sensors mounted": {},
    "dict": {"observation": "dict"},
    "pictures alone, 256 px": {"labels": False, "size_px": 256},
    "dict, 256 px": {"observation": "dict", "size_px": 256},
}
ROUNDS, STEPS = 5, 30


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure HartSim/Carla-v0 without a simulator.")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        servers = {
            name: start(Path(folder) / str(k), pictures="predrawn")
            for k, name in enumerate(SUBJECTS)
        }
        envs = {
            name: gym.make(CARLA, scenario=SCENARIO, port=servers[name].port, **how)
            for name, how in SUBJECTS.items()
        }
        envs["the embedded street, to compare"] = gym.make("HartSim/Street-v0", scenario=SCENARIO)
        try:
            taken = measured(envs)
        finally:
            for env in envs.values():
                env.close()
            for server in servers.values():
                server.stop()
    tell(taken, "", asked.json)


def measured(envs: dict[str, Any]) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds of a step and of a reset of each environment, round by round."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in envs}
    for env in envs.values():
        env.reset(seed=0)  # what is loaded and learned once does not count
    for number in range(ROUNDS):
        for name, env in envs.items():
            began = time.perf_counter()
            env.reset(seed=number)
            reset_ms = 1000 * (time.perf_counter() - began)
            taken[name].append((step_ms(env), reset_ms))
    return taken


def step_ms(env: Any) -> float:
    """Milliseconds a step, at a crawl, so that no episode ends meanwhile."""
    crawl = np.array([0.0, -0.3], np.float32)
    began = time.perf_counter()
    for _ in range(STEPS):
        env.step(crawl)
    return 1000 * (time.perf_counter() - began) / STEPS


if __name__ == "__main__":
    main()
