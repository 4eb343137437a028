"""How fast the environments step, and what drawing and resetting cost.

.venv/bin/python benchmarks/bench_envs.py [--json FILE]

CPU milliseconds of one process, medians of rounds in which all environments take turns; steps per
second are those of one free core. `full` is the picture that `hartsim generate` draws.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym

import hartsim  # noqa: F401
from hartsim.adapters.gymnasium.experts import expert_of

STREET, TABLE = "HartSim/Street-v0", "HartSim/Tabletop-v0"
SUBJECTS: dict[str, tuple[str, dict[str, Any]]] = {
    "street, country road": (STREET, {"scenario": "deer_snow_road"}),
    "street, highway at night": (STREET, {"scenario": "lost_load_highway"}),
    "street, fog": (STREET, {"scenario": "stopped_car_fog"}),
    "street, houses": (STREET, {"scenario": "child_behind_van"}),
    "street, houses, full": (STREET, {"scenario": "child_behind_van", "draft": False}),
    "street, houses, dict": (STREET, {"scenario": "child_behind_van", "observation": "dict"}),
    "table top": (TABLE, {"scenario": "books_lean_over_the_mug"}),
    "table top, full": (TABLE, {"scenario": "books_lean_over_the_mug", "draft": False}),
}
ROUNDS, STEPS, RESETS = 5, 40, 3


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the environments' speed.")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    envs = {name: gym.make(kind, **arguments) for name, (kind, arguments) in SUBJECTS.items()}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in envs}
    for number in range(ROUNDS):
        for name, env in envs.items():
            reset_ms = cpu_ms(lambda env=env, number=number: env.reset(seed=number), RESETS)
            taken[name].append((steps_ms(env, number), reset_ms))
    for env in envs.values():
        env.close()
    tell(taken, "64 px", asked.json)


def tell(taken: dict[str, list[tuple[float, float]]], title: str, file: Path | None) -> None:
    """Print and keep the medians of milliseconds of a step and of a reset, by environment."""
    rows = [
        {
            "environment": name,
            "step_ms": round(statistics.median(step for step, _ in each), 2),
            "steps_per_s": round(1000 / statistics.median(step for step, _ in each)),
            "reset_ms": round(statistics.median(reset for _, reset in each), 1),
        }
        for name, each in taken.items()
    ]
    print(f"{title:34}{'step':>10}{'steps/s':>10}{'reset':>10}")
    for row in rows:
        step, rate, reset = row["step_ms"], row["steps_per_s"], row["reset_ms"]
        print(f"{row['environment']:34}{step:>7} ms{rate:>10}{reset:>7} ms")
    if file is not None:
        file.write_text(json.dumps(rows, indent=1) + "\n")


def steps_ms(env: Any, seed: int) -> float:
    """Milliseconds a step, as the expert drives; resets and the expert's own time do not count."""
    expert, total, count = expert_of(env), 0.0, 0
    while count < STEPS:
        env.reset(seed=seed + count)
        expert.begin()
        done = False
        while not done and count < STEPS:
            action = expert.act()
            start = time.process_time()
            _, _, terminated, truncated, _ = env.step(action)
            total += time.process_time() - start
            done, count = terminated or truncated, count + 1
    return 1000 * total / count


def cpu_ms(work: Callable[[], object], times: int) -> float:
    """Milliseconds of CPU time that each takes."""
    work()
    start = time.process_time()
    for _ in range(times):
        work()
    return 1000 * (time.process_time() - start) / times


if __name__ == "__main__":
    main()
