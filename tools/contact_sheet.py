"""The README's picture: for each scenario of a dataset, the frame and what each route made of it.

.venv/bin/python tools/contact_sheet.py demo docs/images/contact.png
"""

import sys
from pathlib import Path

from hartsim.dataset.layout import sample_folders
from hartsim.images import contact_sheet, encode_png, read_image

ROUTES = ("texture", "backdrop", "repaint", "view")


def main(dataset: Path, out: Path) -> None:
    """Write a sheet with one row per scene: frame, then the routes."""
    scenes = sorted({folder.name.rsplit("-", 2)[0] for folder in sample_folders(dataset)})
    pictures = []
    for scene in scenes:
        folders = [dataset / "samples" / f"{scene}-{route}-front" for route in ROUTES]
        if all(folder.is_dir() for folder in folders):
            pictures.append(read_image(folders[0] / "frame.png"))
            pictures += [read_image(folder / "image.png") for folder in folders]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(encode_png(contact_sheet(pictures, columns=1 + len(ROUTES)), level=9))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
