"""Runs of `hartsim carla` against stand-in servers: what they are told, and what they leave."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

CAMERAS = """
cameras:
  front: {ahead_m: 0.6, left_m: 0, up_m: 1.5}
  left: {ahead_m: 0.2, left_m: 0.8, up_m: 1.5, yaw_deg: 90}
  right: {ahead_m: 0.2, left_m: -0.8, up_m: 1.5, yaw_deg: -90}
  rear: {ahead_m: -1.5, left_m: 0, up_m: 1.5, yaw_deg: 180}
"""
SCENARIOS = {
    "child_by_van": (
        "hazards: {child: {kind: child, ahead_m: 9, left_m: -0.5, heading_deg: 90}}\n"
        "objects: {van: {kind: van, ahead_m: 14, left_m: -3.2}}\n"
        "vary: {hazards.child.ahead_m: {uniform: [8, 11]}}\n"
    ),
    "car_cuts_in": (
        "hazards: {car: {kind: stopped_car, ahead_m: 16, left_m: 3.4, motion: cuts_in, "
        "speed_mps: 6, when_time_s: 0}}\nvary: {hazards.car.ahead_m: {uniform: [14, 18]}}\n"
    ),
    "puddle_and_cone": (
        "hazards: {puddle: {kind: puddle, ahead_m: 9, left_m: 0.3}, "
        "cone: {kind: traffic_cones, ahead_m: 12, left_m: 1}}\n"
        "vary: {hazards.cone.left_m: {uniform: [0.5, 1.5]}}\n"
    ),
}
"""Three short scenarios in a city, whose things CARLA has."""

SETTINGS = (
    *("hart=tiny", "world.size_px=48", "render.attempts=1", "render.batch=4"),
    *("carla.lidar=true", "carla.lidar_points_per_second=20000", "carla.lidar_channels=8"),
)


def write_scenarios(folder: Path) -> list[str]:
    """The scenarios as files; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in SCENARIOS.items():
        head = "task: driving\nscene: {place: city_street, weather: overcast}\n"
        speed = "driving: {speed_mps: 6, traffic: 0}\n"
        (folder / f"{name}.yaml").write_text(head + text + speed + CAMERAS)
    return [str(folder / f"{name}.yaml") for name in SCENARIOS]


def words(scenarios: Iterable[str], port: int, out: Path, *more: str) -> list[str]:
    """The command line of a run: two draws, four cameras, a lidar."""
    views = "front,left,right,rear"
    return [
        *("carla", "run", *scenarios, "--count", "2", "--port", str(port), "--out", str(out)),
        *("--views", views, "--routes", "texture,repaint", *SETTINGS, *more),
    ]


def begin(arguments: Iterable[str], cache: Path) -> "subprocess.Popen[str]":
    """Start a command in a process of its own."""
    environment = {**os.environ, "HARTSIM_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "hartsim", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def alive(calls: Iterable[dict[str, Any]]) -> int:
    """How many actors of the calls' log were born and not destroyed.

    Loading a map destroys all.
    """
    count = 0
    for call in calls:
        if call["call"].startswith("spawn_actor"):
            count += 1
        elif call["call"] == "load_new_episode":
            count = 0
        elif call["call"] == "destroy_actor":
            count -= 1
        elif call["call"] == "apply_batch":
            count -= sum(command[0][0] == 1 for command in call["args"][0])
    return count
