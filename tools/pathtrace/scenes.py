# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: T201
"""Mode `scenes`: compiled scenes in, labelled frames out."""

import json
import math
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from tools.pathtrace import VERSION, keys, output, sky, stage, street, tabletop
from tools.pathtrace.assets import AssetError
from tools.pathtrace.develop import develop
from tools.pathtrace.materials import Palette
from tools.pathtrace.models import Store


@dataclass(frozen=True)
class Settings:
    """How frames are drawn."""

    size: int
    samples: int
    views: int
    device: str
    threads: int


@dataclass
class Tally:
    """What a run did."""

    written: int = 0
    there: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def summary(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "written": self.written,
            "there_before": self.there,
            "scenes_left_out": dict(self.left_out.most_common()),
            "kinds_drawn": dict(self.kinds.most_common()),
            "seconds_per_frame": round(self.seconds / max(self.written, 1), 3),
        }


def run(
    lines: Iterable[str], models: Path, out: Path, settings: Settings, limit: int | None
) -> Tally:
    """Draw the scenes of these JSON lines; frames that are there already are kept."""
    out.mkdir(parents=True, exist_ok=True)
    device = stage.prepare(settings.device, settings.threads)
    store, palette, tally = Store(models), Palette(), Tally()
    shared = Path("/dev/shm")
    base = shared if shared.is_dir() else None
    with tempfile.TemporaryDirectory(dir=base) as work:
        for line in lines:
            if limit is not None and tally.written >= limit:
                break
            scene = json.loads(line)
            started, before = time.perf_counter(), tally.written
            try:
                _draw(scene, store, palette, out, settings, device, Path(work), tally)
            except AssetError:
                raise
            except ValueError as error:
                tally.left_out[str(error)] += 1
                print(f"left out {scene['scenario']['name']}: {error}", file=sys.stderr)
                continue
            took = time.perf_counter() - started
            new = tally.written - before
            if new:
                tally.seconds += took
                name = scene["scenario"]["name"]
                print(
                    f"{tally.written:6d} {took / new:6.2f} s/frame {name}",
                    file=sys.stderr,
                    flush=True,
                )
    return tally


def _draw(
    scene: Mapping[str, Any],
    store: Store,
    palette: Palette,
    out: Path,
    settings: Settings,
    device: str,
    work: Path,
    tally: Tally,
) -> None:
    wanted = [
        (camera, view, keys.key_of(scene, camera["name"], view))
        for camera in scene["setup"]["cameras"]
        for view in range(settings.views)
    ]
    missing = [each for each in wanted if not output.is_done(out, each[2])]
    tally.there += len(wanted) - len(missing)
    if not missing:
        return
    name = scene["scenario"]["name"]
    scene_seed = keys.seed_of(
        f"{name}-{scene['seed']}-{scene['index']}-{scene['setup']['decor_seed']}"
    )
    indoors = scene["setup"]["task"] == "robot"
    built = stage.Stage(store, palette, keys.held_out(name), scene_seed)
    left_out = (tabletop if indoors else street).build(built, scene)
    conditions = scene["setup"]["conditions"]
    air = sky.horizon_colour(conditions)
    for camera, view, key in missing:
        rng = np.random.default_rng(keys.seed_of(key))
        pose = _moved(camera, view, indoors, rng)
        lens = stage.aim(
            pose["position_m"], pose["yaw_rad"], pose["pitch_rad"], camera["fov_rad"], settings.size
        )
        shot = stage.render(settings.samples, 3 if indoors else 2, keys.seed_of(key), work)
        image = develop(shot, conditions, air, rng, indoors)
        labels, instances = output.labels_of(shot.numbers, built.entries)
        table = output.table_of(instances, built.entries)
        facts = {
            "key": key,
            "scenario": name,
            "seed": scene["seed"],
            "index": scene["index"],
            "camera": camera["name"],
            "view": view,
            "held_out": built.held_out,
            "size": [settings.size, settings.size],
            **lens,
            "conditions": conditions,
            "words": scene.get("view_prompts", {}).get(camera["name"], "") if view == 0 else "",
            "table": table,
            "left_out": left_out,
            "assets": sorted(built.assets),
            "render": {
                "samples": settings.samples,
                "device": device,
                "blender": bpy.app.version_string,
            },
            "tool_version": VERSION,
        }
        output.write(out, key, output.Frame(image, labels, instances, shot.depth_m, facts))
        tally.written += 1
        tally.kinds.update(
            {row["kind"] for row in table.values() if row["in_scene"] and row["pixels"]}
        )


def _moved(
    camera: Mapping[str, Any], view: int, indoors: bool, rng: np.random.Generator
) -> dict[str, Any]:
    """The camera's own pose for view 0, else moved and turned a little."""
    pose = {key: camera[key] for key in ("position_m", "yaw_rad", "pitch_rad")}
    if view == 0:
        return pose
    reach = (0.12, 0.12, 0.08) if indoors else (0.8, 0.5, 0.15)
    turn = 0.05 if indoors else 0.09
    down = abs(camera["pitch_rad"]) > 1.3
    moved = [p + float(rng.uniform(-r, r)) for p, r in zip(pose["position_m"], reach, strict=True)]
    return {
        "position_m": moved,
        "yaw_rad": pose["yaw_rad"] + float(rng.uniform(-turn, turn)) * (math.pi if down else 1),
        "pitch_rad": pose["pitch_rad"] + float(rng.uniform(-0.04, 0.04)) * (0 if down else 1),
    }
