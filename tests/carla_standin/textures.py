"""Textures as they arrive in calls: megabytes of MessagePack, read by numpy rather than one by one.

A pixel is an array of four numbers: 0x94, then for bytes one byte below 128 or 0xcc and one byte,
for floats 0xca and four bytes. In a run of bytes 0xcc every other one is a marker, the first being
one.
"""

from typing import Any

import msgpack
import numpy as np
from numpy.typing import NDArray

BYTES, FLOATS = "apply_color_texture_to_objects", "apply_float_color_texture_to_objects"
HEAD = 200_000
"""The bytes before the pixels: the names of the objects."""
MARK, ARRAY = 0xCC, 0x94
FLOAT_PIXEL = 21

DIFFUSE, EMISSIVE = 2, 3
"""What a texture is for: the numbers of CARLA's MaterialParameter."""

Picture = NDArray[Any]
"""(height, width, 4) uint8 or float32, red first."""


def next_call(buffer: bytearray) -> tuple[list[Any] | None, int]:
    """The first request if it brings a texture, and its bytes.

    None and 0 for another call; None and the bytes needed at least for one that is not complete.
    """
    opening = bytes(buffer[:64])
    name = FLOATS if FLOATS.encode() in opening else BYTES if BYTES.encode() in opening else None
    if name is None:
        return None, 0
    unpacker = msgpack.Unpacker(raw=False, max_buffer_size=0)
    unpacker.feed(bytes(buffer[:HEAD]))
    try:
        unpacker.read_array_header()
        kind, number, _ = unpacker.unpack(), unpacker.unpack(), unpacker.unpack()
        unpacker.read_array_header()
        metadata, names, parameter = unpacker.unpack(), unpacker.unpack(), unpacker.unpack()
        unpacker.read_array_header()
        width, height = unpacker.unpack(), unpacker.unpack()
        count = unpacker.read_array_header()
    except msgpack.OutOfData:
        return None, len(buffer) + 1
    start = unpacker.tell()
    read = floats if name == FLOATS else numbers
    pixels, size = read(buffer, start, count)
    if pixels is None:
        return None, start + size
    picture = pixels.reshape(height, width, 4)
    return [kind, number, name, [metadata, names, parameter, picture]], start + size


def shown(picture: Picture) -> NDArray[np.uint8]:
    """Paint as it shows (H, W, 3): floats are linear, and what is transparent is dark."""
    if picture.dtype != np.uint8:
        levels = 255 * np.clip(picture[..., :3], 0, 1) ** (1 / 2.2)
        return levels.astype(np.uint8)
    return (picture[..., :3] * (picture[..., 3:] / 255)).astype(np.uint8)


def mean_colour(picture: Picture) -> NDArray[np.float64]:
    """The mean (3,) of paint as it shows, 0..255."""
    mean: NDArray[np.float64] = shown(picture).mean(axis=(0, 1))
    return mean


def floats(buffer: bytearray, start: int, count: int) -> tuple[Picture | None, int]:
    """`count` pixels (count, 4) of floats from `start`, and their bytes; None for too few bytes."""
    size = FLOAT_PIXEL * count
    if len(buffer) < start + size:
        return None, size
    raw = np.frombuffer(buffer, np.uint8, size, start).reshape(count, FLOAT_PIXEL)
    values = raw[:, 1:].reshape(count, 4, 5)[:, :, 1:]
    return np.ascontiguousarray(values).view(">f4")[..., 0].astype(np.float32), size


def numbers(buffer: bytearray, start: int, count: int) -> tuple[Picture | None, int]:
    """`count` pixels (count, 4) of bytes from `start`, and their bytes; None for too few bytes."""
    wanted = 5 * count
    if len(buffer) < start + wanted:
        return None, wanted
    most = min(len(buffer) - start, 9 * count)
    raw = np.frombuffer(buffer, np.uint8, most, start)
    data = _data(raw)
    # a token is 0x94, a small number, or a marker with the byte after it
    begins = np.flatnonzero(~data)
    missing = wanted - len(begins) + int(len(begins) >= wanted and raw[begins[wanted - 1]] == MARK)
    if missing > 0 and len(begins) < wanted:
        return None, most + missing
    last = int(begins[wanted - 1])
    size = last + (2 if raw[last] == MARK else 1)
    if size > most:
        return None, size
    tokens = raw[begins[:wanted]].astype(np.uint8)
    marked = tokens == MARK
    tokens[marked] = raw[begins[:wanted][marked] + 1]
    return tokens.reshape(count, 5)[:, 1:].copy(), size


def _data(raw: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which bytes are the second of a marked number."""
    is_mark = raw == MARK
    index = np.arange(len(raw))
    # the last byte before each that is not 0xcc: the run of 0xcc begins after it
    before = np.maximum.accumulate(np.where(is_mark, -1, index))
    place = index - before - 1
    data = is_mark & (place % 2 == 1)
    follows = np.zeros(len(raw), bool)
    follows[1:] = is_mark[:-1] & ~data[:-1]
    second: NDArray[np.bool_] = data | (follows & ~is_mark)
    return second
