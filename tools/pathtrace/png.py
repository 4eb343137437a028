# SPDX-License-Identifier: GPL-3.0-or-later
"""PNG files written with the standard library: 8-bit RGB or grey, 16-bit grey."""

import struct
import zlib
from pathlib import Path

import numpy as np


def png_bytes(image: np.ndarray) -> bytes:
    """An image as a PNG file: uint8 (h, w, 3) or (h, w), or uint16 (h, w)."""
    if image.dtype == np.uint16:
        depth, colour, raw = 16, 0, image.astype(">u2")
    elif image.dtype == np.uint8:
        depth, colour, raw = 8, (2 if image.ndim == 3 else 0), image
    else:
        raise ValueError(f"no PNG for {image.dtype}; uint8 or uint16 expected")
    height, width = image.shape[:2]
    rows = np.ascontiguousarray(raw).view(np.uint8).reshape(height, -1)
    body = b"".join(b"\x00" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(body, 6)), _chunk(b"IEND", b""))
    )


def write_png(path: Path, image: np.ndarray) -> None:
    """Write an image as a PNG file."""
    path.write_bytes(png_bytes(image))


def read_png(path: Path) -> np.ndarray:
    """Read back a PNG of this module, whose rows carry no filter."""
    data, at, body, header = path.read_bytes(), 8, b"", b""
    while at < len(data):
        (size,), kind = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        content = data[at + 8 : at + 8 + size]
        header = content if kind == b"IHDR" else header
        body += content if kind == b"IDAT" else b""
        at += size + 12
    width, height, depth, colour = struct.unpack(">IIBB", header[:10])
    channels, kind = (3 if colour == 2 else 1), (">u2" if depth == 16 else np.uint8)
    rows = np.frombuffer(zlib.decompress(body), np.uint8).reshape(height, -1)
    if rows[:, 0].any():
        raise ValueError(f"{path}: its rows are filtered; only this tool's own files are read")
    pixels = np.ascontiguousarray(rows[:, 1:]).view(kind).astype(np.dtype(kind).newbyteorder("="))
    return pixels.reshape((height, width, 3) if channels == 3 else (height, width))


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
