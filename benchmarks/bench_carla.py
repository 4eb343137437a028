"""How fast pictures become the CARLA client's textures, and frames of it get their effects.

.venv/bin/python -m benchmarks.bench_carla [--json FILE]

CPU milliseconds of one process, medians of rounds; no server is needed, but the `carla` client is.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hartsim.adapters.carla import textures
from hartsim.adapters.carla.labels import depth_from, labelling
from hartsim.adapters.carla.overlay import overlaid, overlay_of
from hartsim.scenario.compiled import CameraSetup, Conditions, PlacedObject, WorldSetup
from hartsim.scenario.kinds import KINDS
from hartsim.types import Box3D, Frame, Instance
from hartsim.worlds.embedded import EmbeddedWorld

ROUNDS = 9


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the CARLA adapter's own work.")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = [*texture_rows(), *overlay_rows(), *label_rows()]
    for row in rows:
        print(f"{row['what']:48}{row['ms']:>9} ms")
    if asked.json is not None:
        asked.json.write_text(json.dumps(rows, indent=1) + "\n")


def texture_rows() -> list[dict[str, Any]]:
    import carla

    rng = np.random.default_rng(1)
    rows = []
    for side in (256, 1024, 2048):
        image = rng.integers(0, 256, (side, side, 3), np.uint8)
        values = rng.random((side, side, 4), np.float32)
        colours, floats = carla.TextureColor(side, side), carla.TextureFloatColor(side, side)
        assert textures.fill(colours, image) == "buffer"
        rows.append(row(f"8-bit texture {side}", lambda c=colours, i=image: textures.fill(c, i)))
        rows.append(row(f"float texture {side}", lambda f=floats, v=values: textures.fill(f, v)))
    small, image = carla.TextureColor(256, 256), rng.integers(0, 256, (256, 256, 3), np.uint8)
    one_by_one = lambda: textures._set_pixels(small, "TextureColor", opaque(image))  # noqa: E731
    rows.append(row("8-bit texture 256, one by one", one_by_one, rounds=3))
    return rows


OVERLAYS: dict[str, tuple[str | None, dict[str, Any]]] = {
    "snow, lying and falling": (None, {"snow": 0.8, "snow_cover": 0.8}),
    "ice": (None, {"ground": "icy", "snow_cover": 0.38}),
    "mud": (None, {"ground": "muddy"}),
    "a puddle": ("puddle", {}),
    "a bank of fog": ("fog_bank", {}),
    "dirt on the glass": ("dirty_lens", {}),
}
SIZE_PX = (960, 960)
FRONT = CameraSetup("front", (1.6, 0.0, 1.4), -0.07, 0.0, 0.8)


def street_frame() -> Frame:
    """The embedded street, in as many pixels as 1280 by 720 have."""
    world = EmbeddedWorld("driving", SIZE_PX)
    clear = Conditions("city_street", "overcast", "day", cloud=0.8)
    world.show(WorldSetup("driving", clear, (), (FRONT,), 5, traffic=0.8))
    frame = world.capture()["front"]
    world.close()
    return frame


def overlay_rows() -> list[dict[str, Any]]:
    frame, rows = street_frame(), []
    for name, (kind, numbers) in OVERLAYS.items():
        objects = () if kind is None else (placed(kind),)
        conditions = Conditions("city_street", "overcast", "day", cloud=0.8, **numbers)
        overlay = overlay_of(WorldSetup("driving", conditions, objects, (FRONT,), 5))
        work = lambda o=overlay: overlaid(frame, o)  # noqa: E731
        rows.append(row(f"{name}, 960 by 960", work, rounds=5))
    return rows


def placed(kind: str) -> PlacedObject:
    size = KINDS[kind].size_m
    box = Box3D((12.0, 0.0, size[2] / 2), size, 0.0)
    return PlacedObject(kind, kind, KINDS[kind].class_name, True, (), box)


def label_rows() -> list[dict[str, Any]]:
    frame, rng = street_frame(), np.random.default_rng(2)
    metres = np.minimum(frame.depth_m, 1000.0) / 1000.0
    steps = np.round(metres.astype(np.float64) * (2**24 - 1)).astype(np.uint32)
    depth = bytes_of(steps & 255, steps >> 8 & 255, steps >> 16)
    tags = np.where(frame.labels == 5, 11, 14)
    numbers = frame.instances.astype(np.uint32)
    instance = bytes_of(tags, numbers & 255, numbers >> 8)
    actors = {each.id: each for each in frame.table}
    for id in range(1000, 1040):
        at = (*rng.uniform(-60, 60, 2).tolist(), 0.8)
        actors[id] = Instance(id, f"{id}", "car", "car", False, (), Box3D(at, (4.4, 1.8, 1.5), 0.0))

    unreals = bytes_of(tags, numbers + 7 & 255, numbers + 7 >> 8)

    def work(instance: np.ndarray) -> None:
        labelling(instance, instance, depth_from(depth), frame.camera, actors)

    assert labelling(instance, instance, frame.depth_m, frame.camera, actors).instances.any()
    return [
        row(f"labels of {len(actors)} actors by ids, 960 by 960", lambda: work(instance), 5),
        row(f"labels of {len(actors)} actors by place, 960 by 960", lambda: work(unreals), 5),
    ]


def bytes_of(red: np.ndarray, green: np.ndarray, blue: np.ndarray) -> np.ndarray:
    return np.stack([blue, green, red, np.full_like(red, 255)], axis=-1).astype(np.uint8)


def opaque(image: np.ndarray) -> np.ndarray:
    return np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])


def row(what: str, work: Callable[[], Any], rounds: int = ROUNDS) -> dict[str, Any]:
    work()
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return {"what": what, "ms": round(1000 * statistics.median(taken), 1)}


if __name__ == "__main__":
    main()
