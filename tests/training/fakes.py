"""A small corpus, and a training run that is interrupted."""

import numpy as np

from hartsim.training.corpus import Entry, read_corpus, write_part
from hartsim.training.run import Run
from hartsim.types import CLASSES


def fake_entries(count, side, first=0):
    """Pictures of two fields, whose colours their captions name and their labels tell apart."""
    for number in range(first, first + count):
        rng = np.random.default_rng(number)
        labels = np.full((side, side), rng.integers(len(CLASSES)), np.uint8)
        labels[side // 2 :] = rng.integers(len(CLASSES))
        colours = np.random.default_rng(0).integers(256, size=(len(CLASSES), 3)).astype(np.uint8)
        captions = [f"{CLASSES[labels[0, 0]]} above {CLASSES[labels[-1, 0]]}", f"number {number}"]
        depth_m = np.full((side, side), 5.0, np.float32)
        record = {"content": "fake", "hazards": [], "objects": []}
        yield Entry(colours[labels], labels, np.zeros_like(labels), depth_m, captions, record)


def fake_corpus(root, count, side):
    write_part(root, "train-00000", fake_entries(count, side))
    write_part(root, "held-00001", fake_entries(max(count // 2, 2), side, first=count))
    return read_corpus(root)


def stop_after(patch, steps):
    """Interrupt runs after so many steps of all phases together; each step is saved."""
    taken = []

    def due(run):
        taken.append(run.step)
        if len(taken) > steps:
            raise KeyboardInterrupt
        return True

    patch.setattr(Run, "due", due)
