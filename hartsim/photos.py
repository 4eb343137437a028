"""Path-traced frames, as `tools/pathtrace` writes them, as parts of a corpus to learn from.

Each frame is a folder with `image.png`, `labels.png`, `instances.png`, `depth.npz` and
`frame.json`. Captions are those of the scene, which is compiled again from the library.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hartsim.corpus import PART_SIZE, SEEN_PX, is_scenario_held_out, wordings_of
from hartsim.errors import DatasetError
from hartsim.images import read_image, read_map
from hartsim.scenario.compiled import WorldSetup
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.library import library_scenarios
from hartsim.scenario.load import load_scenario
from hartsim.training.corpus import HAZARD, OBJECT, Entry, refuse_strangers, write_part
from hartsim.types import CLASS_ID

LOOK = "photo"


def add_photos(frames: Path, root: Path) -> Iterator[Path]:
    """Write the frames of a folder as parts of a corpus, and yield each part that was missing.

    Scenes of held-out scenarios, and what the tool marked as held out, go into held-out parts.
    Parts bear the folder's name: frames that come into it later belong into another one.
    """
    refuse_strangers(root)
    folders = [path.parent for path in sorted(frames.glob("*/frame.json"))]
    if not folders:
        raise DatasetError(f"{frames}: holds no frames of tools/pathtrace")
    held = {folder: _is_held_out(_told(folder)) for folder in folders}
    for kind in ("train", "held"):
        chosen = [folder for folder in folders if held[folder] == (kind == "held")]
        for start in range(0, len(chosen), PART_SIZE):
            name = f"{kind}-{frames.name}-{start // PART_SIZE:05d}"
            entries = map(photo_entry, chosen[start : start + PART_SIZE])
            if write_part(root, name, entries):
                yield root / name


def photo_entry(folder: Path) -> Entry:
    """One path-traced frame, texture or sky."""
    told = _told(folder)
    image = read_image(folder / "image.png")
    labels = np.asarray(read_map(folder / "labels.png"), np.uint8)
    instances = np.asarray(read_map(folder / "instances.png"), np.uint16)
    with np.load(folder / "depth.npz") as depth:
        depth_m = depth[depth.files[0]].astype(np.float32)
    for name, each in (("labels", labels), ("instances", instances), ("depth", depth_m)):
        if each.shape != image.shape[:2]:
            raise DatasetError(f"{folder}: {name} is {each.shape}, image is {image.shape[:2]}")
    things = [
        {**each, "id": int(number), "pixels": int((instances == int(number)).sum())}
        for number, each in told["table"].items()
    ]
    if "scenario" not in told:
        content = "sky" if (labels == CLASS_ID["sky"]).all() else "texture"
        nothing: dict[str, Any] = {"hazards": [], "objects": []}
        of = {"content": content, "look": LOOK, "task": None, "scenario": None, **nothing}
        return Entry(image, labels, np.zeros_like(labels), depth_m, [told["words"]], of)
    seen = [each for each in things if each["in_scene"] and each["pixels"] >= SEEN_PX]
    captions, record = _words(told, [each["name"] for each in seen])
    for kind in ("hazards", "objects"):
        record[kind] = [
            {"kind": each["kind"], "class_name": each["class"], "pixels": each["pixels"]}
            for each in things
            if each["hazard"] == (kind == "hazards") and each["pixels"]
        ]
    marks = np.zeros_like(labels)
    for each in seen:
        marks[instances == each["id"]] = HAZARD if each["hazard"] else OBJECT
    return Entry(image, labels, marks, depth_m, captions, record)


def _told(folder: Path) -> Mapping[str, Any]:
    try:
        told: Mapping[str, Any] = json.loads((folder / "frame.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{folder / 'frame.json'}: not readable ({error})") from error
    return told


def _is_held_out(told: Mapping[str, Any]) -> bool:
    if "scenario" not in told:
        return bool(told["held_out"])
    return is_scenario_held_out(told["scenario"])


def seen_from(setup: WorldSetup, told: Mapping[str, Any]) -> WorldSetup:
    """The setup with the frame's camera where it was: some views are moved a little."""
    pose = np.array(told["camera_to_base"])
    right, up = pose[:3, 0], pose[2, 2]  # to the right is level, even when looking straight down
    x, y, z = map(float, pose[:3, 3])
    cameras = tuple(
        replace(
            each,
            position_m=(x, y, z),
            pitch_rad=float(np.arcsin(np.clip(up, -1, 1))),
            yaw_rad=float(np.arctan2(right[0], -right[1])),
        )
        if each.name == told["camera"]
        else each
        for each in setup.cameras
    )
    return replace(setup, cameras=cameras)


def _words(told: Mapping[str, Any], seen: list[str]) -> tuple[list[str], dict[str, Any]]:
    """The wordings of a frame, and what is known of its scene."""
    name = told["scenario"]
    paths = library_scenarios()
    if name not in paths:
        raise DatasetError(f"a frame shows the scenario '{name}', which the library lacks")
    scene = compile_draw(load_scenario(paths[name]), told["seed"], told["index"])
    setup, camera = seen_from(scene.setup, told), told["camera"]
    captions, others = wordings_of(setup, camera, seen, LOOK)
    of = setup.conditions
    record = {
        **others,
        "content": "shipped",
        "look": LOOK,
        "task": setup.task,
        "scenario": name,
        "place": of.place,
        "weather": of.weather,
        "time_of_day": of.time_of_day,
    }
    return captions, record
