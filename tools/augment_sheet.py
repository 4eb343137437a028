"""The picture of docs/augment.md: sources, what may change in them, and what became of them.

.venv/bin/python tools/augment_sheet.py coco snow night --out docs/images/augment.jpg
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from hartsim.dataset.coco import mask_of
from hartsim.dataset.durable import replace_durably
from hartsim.images import captioned, contact_sheet, encode_jpeg, read_image
from hartsim.types import Image

ROWS = 4
ORANGE = np.array([255, 150, 30])


def main() -> None:
    """Write the sheet of a source set and of two sets made from it."""
    parser = argparse.ArgumentParser(description="Lay augmented pictures beside their sources.")
    parser.add_argument("source", type=Path)
    parser.add_argument("made", type=Path, nargs=2)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    before = entries(asked.source)
    sets = [{each["source"]: each for each in entries(folder)} for folder in asked.made]
    cells: list[Image] = []
    for entry in before[:ROWS]:
        name = entry["file_name"]
        image = read_image(asked.source / name)
        looks = [one[name] for one in sets]
        mask = mask_of({"id": name, "segmentation": looks[0]["unknown"]}, image.shape[:2])
        assert mask is not None, f"{name}: nothing says what was painted"
        tinted = np.where(mask[..., None], 0.35 * image + 0.65 * ORANGE, image)
        cells += [captioned(image, "before")]
        cells += [captioned(tinted.astype(np.uint8), "orange: what may change")]
        for folder, look in zip(asked.made, looks, strict=True):
            made = read_image(folder / look["file_name"])
            cells += [captioned(made, f"{look['route']}: {look['scenario']}")]
    replace_durably(asked.out, encode_jpeg(contact_sheet(cells, 4)))


def entries(folder: Path) -> list[dict[str, Any]]:
    """The images of a COCO folder."""
    images: list[dict[str, Any]] = json.loads((folder / "annotations.json").read_text())["images"]
    return images


if __name__ == "__main__":
    main()
