"""The held-out pictures and what is known of them: who is judged, and what should be seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hartsim.scenario.broad import broad_scenario
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.prompts import describe
from hartsim.training.corpus import Corpus
from hartsim.types import CLASS_ID, CLASSES, Labels, Task

VISIBLE_PX = 400
"""Pixels of a 256-px frame from which on a thing should be seen."""
FRAME_PX = 256
SIZE_BINS = ((0, 400), (400, 1600), (1600, 6400), (6400, FRAME_PX**2 + 1))
"""Sizes of things in such pixels."""
PRESENT, ABSENT, UNSURE = 1, 0, -1
ATTRIBUTES = ("weather", "time_of_day", "place")
VEHICLES = ("car", "truck", "bus", "two_wheeler")
ON_ROADS = ("person", "animal", "cone", "barrier", "debris", "surface_hazard", "smoke_fire")
ON_TABLES = ("tool", "container", "electronics", "food", "hand")
THINGS = frozenset((*VEHICLES, *ON_ROADS, *ON_TABLES))
"""Classes whose pixels are things, that can be there or not."""

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Exam:
    """Held-out pictures in two halves with like mixtures of looks and contents.

    Thresholds are set on `calibration`; `judged` are measured, and their captions are drawn from.
    """

    corpus: Corpus
    calibration: tuple[int, ...]
    judged: tuple[int, ...]

    def with_hazards(self) -> tuple[int, ...]:
        """The judged pictures that show a hazard large enough to be asked for."""
        records = self.corpus.records
        return tuple(i for i in self.judged if hazards_asked(records[i]))

    def framed(self) -> tuple[int, ...]:
        """The judged pictures of whole scenes, with labels."""
        return tuple(i for i in self.judged if is_scene(self.corpus.records[i]))


def make_exam(corpus: Corpus, seed: int) -> Exam:
    """Split held-out pictures, in an order that the seed decides."""
    order = np.random.default_rng([13, seed]).permutation(len(corpus))
    kinds: dict[tuple[str, str], list[int]] = {}
    for index in order.tolist():
        record = corpus.records[index]
        kinds.setdefault((str(record["look"]), str(record["content"])), []).append(index)
    calibration = {i for _, group in sorted(kinds.items()) for i in group[1::2]}
    halves = [[i for i in order.tolist() if (i in calibration) == side] for side in (True, False)]
    return Exam(corpus, tuple(halves[0]), tuple(halves[1]))


def is_scene(record: Record) -> bool:
    """Whether a picture shows a street or a table top with its labels."""
    return str(record["content"]).split()[0] in ("street", "tabletop", "shipped")


def hazards_asked(record: Record) -> list[Record]:
    """The hazards of a picture that are large enough to be seen."""
    return [each for each in record.get("hazards", ()) if each["pixels"] >= VISIBLE_PX]


def size_bin(pixels: float) -> str:
    """The name of the bin of a size."""
    low, high = next(each for each in SIZE_BINS if pixels < each[1])
    if low == 0:
        return f"<{high} px"
    return f">{low} px" if high > FRAME_PX**2 else f"{low}-{high} px"


def pixels_shown(record: Record, labels: Labels | None = None) -> dict[str, int]:
    """Visible pixels of a 256-px frame by `class NAME` and `kind NAME`.

    The label map knows of things that are in no list, such as a parked row of cars.
    """
    shown: dict[str, int] = {}
    for thing in (*record.get("hazards", ()), *record.get("objects", ())):
        for name in (f"class {thing['class_name']}", f"kind {thing['kind']}"):
            shown[name] = shown.get(name, 0) + int(thing["pixels"])
    if labels is not None:
        scale = FRAME_PX**2 / labels.size
        counts = np.bincount(labels.ravel(), minlength=256)
        for name in THINGS:
            mapped = int(counts[CLASS_ID[name]] * scale)
            if mapped > shown.get(f"class {name}", 0):
                shown[f"class {name}"] = mapped
    return shown


def targets_of(shown: Sequence[Mapping[str, int]], labels: Sequence[str]) -> NDArray[np.int8]:
    """What should be seen of every label in every picture, (N, L)."""
    pixels = np.array([[each.get(label, 0) for label in labels] for each in shown], np.int64)
    pixels = pixels.reshape(len(shown), len(labels))
    unsure = np.where(pixels > 0, UNSURE, ABSENT)
    return np.where(pixels >= VISIBLE_PX, PRESENT, unsure).astype(np.int8)


def labels_with_support(shown: Sequence[Mapping[str, int]], least: int) -> list[str]:
    """The classes and kinds that are visible in at least so many pictures."""
    counts: dict[str, int] = {}
    for each in shown:
        for label, pixels in each.items():
            counts[label] = counts.get(label, 0) + (pixels >= VISIBLE_PX)
    return sorted(label for label, count in counts.items() if count >= least)


def attribute_values(records: Sequence[Record], least: int) -> dict[str, list[str]]:
    """The values of each attribute that at least so many pictures have."""
    values: dict[str, list[str]] = {}
    for name in ATTRIBUTES:
        found = [str(record[name]) for record in records if record.get(name) and is_scene(record)]
        often = [value for value in sorted(set(found)) if found.count(value) >= least]
        if len(often) > 1:
            values[name] = often
    return values


def attribute_targets(
    records: Sequence[Record], values: Sequence[str], name: str
) -> NDArray[np.int64]:
    """The number of every picture's value, (N,); -1 where it has none of them, or is no scene."""
    number = {value: index for index, value in enumerate(values)}
    found = [number.get(str(r.get(name)), -1) if is_scene(r) else -1 for r in records]
    return np.array(found, np.int64)


def calm_prompt(record: Record) -> str:
    """The prompt of a picture without its hazards.

    Where the record has none of its own, it is that of the same place, weather and hour with
    nothing in it.
    """
    if record.get("calm"):
        return str(record["calm"])
    task: Task = "robot" if record["task"] == "robot" else "driving"
    usual = broad_scenario(task, 0)
    asked = {name: str(record[name]) for name in ATTRIBUTES}
    scenario = replace(usual, scene=replace(usual.scene, **asked), hazards={}, objects={})
    setup = compile_draw(scenario, 0, 0).setup
    return describe(setup, setup.cameras[0].name, 0, (), str(record["look"]), calm=True)


def class_index(labels: Sequence[str]) -> dict[int, int]:
    """For every label that is a class: its place among the labels → the id of the class."""
    named = {place: label.removeprefix("class ") for place, label in enumerate(labels)}
    return {
        place: CLASS_ID[name]
        for place, name in named.items()
        if labels[place].startswith("class ") and name in CLASSES
    }
