# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames on disk: written aside, then renamed, so that a folder that is there is whole."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tools.pathtrace.classes import CLASS_ID
from tools.pathtrace.png import write_png

PARTS = ("image.png", "labels.png", "instances.png", "depth.npz", "frame.json")


@dataclass(frozen=True)
class Frame:
    """One frame: uint8 (h, w, 3), uint8, uint16 and float32 (h, w), and the facts."""

    image: np.ndarray
    labels: np.ndarray
    instances: np.ndarray
    depth_m: np.ndarray
    facts: Mapping[str, Any]


def is_done(out: Path, key: str) -> bool:
    """Whether this frame was written before."""
    return (out / key / PARTS[-1]).is_file()


def write(out: Path, key: str, frame: Frame) -> None:
    """Write a frame's folder in one step."""
    aside = out / f".{key}.{os.getpid()}"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    write_png(aside / "image.png", frame.image)
    write_png(aside / "labels.png", frame.labels)
    write_png(aside / "instances.png", frame.instances)
    np.savez_compressed(aside / "depth.npz", depth_m=frame.depth_m)
    text = json.dumps(frame.facts, indent=1, ensure_ascii=False)
    (aside / "frame.json").write_text(text + "\n", encoding="utf-8")
    shutil.rmtree(out / key, ignore_errors=True)
    aside.rename(out / key)


def labels_of(numbers: np.ndarray, entries: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """(labels, instances) from the numbers that the id pass saw."""
    classes = np.array([CLASS_ID[entry.class_name] for entry in entries], np.uint8)
    things = np.array([i if entry.thing else 0 for i, entry in enumerate(entries)], np.uint16)
    return classes[numbers], things[numbers]


def table_of(instances: np.ndarray, entries: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """What each instance is: everything of the scene, and what else is seen."""
    pixels = np.bincount(instances.ravel(), minlength=len(entries))
    return {
        str(number): {
            "name": entry.name,
            "kind": entry.kind,
            "class": entry.class_name,
            "hazard": entry.hazard,
            "in_scene": entry.in_scene,
            "pixels": int(pixels[number]),
        }
        for number, entry in enumerate(entries)
        if entry.thing and (entry.in_scene or pixels[number])
    }
