# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the uncompressed scanline OpenEXR files that the renderer writes."""

import struct
from pathlib import Path

import numpy as np

KINDS = {0: np.dtype("<u4"), 1: np.dtype("<f2"), 2: np.dtype("<f4")}


def read_exr(path: Path) -> dict[str, np.ndarray]:
    """The channels of a file by name, each (height, width); raises ValueError if compressed."""
    data = path.read_bytes()
    if data[:4] != b"\x76\x2f\x31\x01":
        raise ValueError(f"{path}: no OpenEXR file")
    at, fields = 8, {}
    while data[at]:
        name, at = _text(data, at)
        _, at = _text(data, at)
        (size,) = struct.unpack_from("<i", data, at)
        fields[name], at = data[at + 4 : at + 4 + size], at + 4 + size
    if fields["compression"][0] != 0:
        raise ValueError(f"{path}: compressed; only uncompressed files are read")
    left, top, right, bottom = struct.unpack("<4i", fields["dataWindow"])
    width, height = right - left + 1, bottom - top + 1
    channels, inside, c = [], fields["channels"], 0
    while inside[c]:
        name, c = _text(inside, c)
        channels.append((name, KINDS[struct.unpack_from("<i", inside, c)[0]]))
        c += 16
    row_type = np.dtype([(name, kind, (width,)) for name, kind in channels])
    block = np.dtype([("y", "<i4"), ("size", "<i4"), ("row", row_type)])
    start = at + 1 + 8 * height
    rows = np.frombuffer(data, block, height, start)
    order = np.argsort(rows["y"])
    return {name: rows["row"][name][order].astype(np.float32) for name, _ in channels}


def _text(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(b"\x00", at)
    return data[at:end].decode(), end + 1
