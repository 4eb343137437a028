# SPDX-License-Identifier: GPL-3.0-or-later
"""Contact sheets of written frames."""

import zlib
from pathlib import Path

import numpy as np

from tools.pathtrace.png import read_png, write_png


def contact_sheet(frames: Path, picture: Path, count: int, columns: int, labels: bool) -> int:
    """Write a sheet of up to `count` frames, spread over the folder; returns how many it shows."""
    folders = [each for each in frames.iterdir() if (each / "frame.json").is_file()]
    if not folders:
        raise ValueError(f"{frames}: no frames")
    folders.sort(key=lambda each: zlib.crc32(each.name.encode()))
    tiles = []
    for folder in folders[:count]:
        image = read_png(folder / "image.png")
        if labels:
            colours = (np.arange(256)[:, None] * np.array([[67, 129, 213]]) + 40) % 256
            image = np.hstack([image, colours.astype(np.uint8)[read_png(folder / "labels.png")]])
        tiles.append(image)
    height = max(tile.shape[0] for tile in tiles) + 4
    width = max(tile.shape[1] for tile in tiles) + 4
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * height, min(columns, len(tiles)) * width, 3), 24, np.uint8)
    for at, tile in enumerate(tiles):
        y, x = (at // columns) * height, (at % columns) * width
        sheet[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
    write_png(picture, sheet)
    return len(tiles)
