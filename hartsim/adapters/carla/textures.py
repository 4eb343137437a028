"""From pictures to the client's textures, thirty times a second rather than once in ten.

The client sets textures pixel by pixel, which takes seconds for 1024 by 1024. Its own buffer can be
written at once instead. Where that lies no interface says, so it is looked for where the wheels of
0.9.15, 0.9.16 and 0.10.0 have it, believed only where every number there fits the texture, and what
was written is read back through `get`. Wherever anything does not fit, pixels are set one by one.
"""

import ctypes
import logging
import os
import struct
import sys
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hartsim.errors import WorldError
from hartsim.types import Image

logger = logging.getLogger(__name__)

Floats = NDArray[np.float32]
"""A map of numbers (H, W, 4): red, green, blue, alpha."""
Way = Literal["buffer", "pixels"]

SMALL_PX = 1024
"""What is larger takes longer to send than the client waits by default."""
LARGEST_PX = 2048
"""What is larger takes the server minutes and a hundred megabytes."""

_HOLDER_AT = 40
"""Where a Boost.Python instance points to the holder of its C++ value."""
_TEXTURE = struct.Struct("<16xIIQQ")
"""Of the holder: width, height, and where the vector of pixels begins and ends."""
_BYTES_PER_PIXEL = {"TextureColor": 4, "TextureFloatColor": 16}
_PROBES = 16
"""So many pixels are read back after the buffer was written, and so are the corners."""


def texture_color(image: Image) -> Any:
    """A `carla.TextureColor` of an 8-bit picture (H, W, 3), opaque everywhere."""
    import carla

    height, width = check_size(image.shape)
    texture = carla.TextureColor(width, height)
    fill(texture, image)
    return texture


def texture_floats(values: Floats) -> Any:
    """A `carla.TextureFloatColor` of a map (H, W, 4), such as `normal_map` and `surface_map` give.

    The server narrows its numbers to half floats.
    """
    import carla

    height, width = check_size(values.shape)
    texture = carla.TextureFloatColor(width, height)
    fill(texture, values)
    return texture


def normal_map(heights: NDArray[np.floating[Any]], depth_px: float = 4.0) -> Floats:
    """The normals of a surface that repeats, by its heights (H, W) in 0..1: (H, W, 4) in 0..1.

    `depth_px` is how many pixels lie between 0 and 1. Red points right and green down, as in
    Unreal; flat ground is (0.5, 0.5, 1).
    """
    check_size((*heights.shape, 1))
    rise = np.asarray(heights, np.float32) * np.float32(depth_px)
    right = (np.roll(rise, -1, axis=1) - np.roll(rise, 1, axis=1)) / 2
    down = (np.roll(rise, -1, axis=0) - np.roll(rise, 1, axis=0)) / 2
    normals = np.stack([-right, -down, np.ones_like(rise)], axis=-1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return np.concatenate([normals / 2 + 0.5, np.ones_like(rise[..., None])], axis=-1)


def surface_map(
    roughness: NDArray[np.floating[Any]],
    occlusion: float = 1.0,
    metallic: float = 0.0,
    emission: float = 0.0,
) -> Floats:
    """How rough (H, W), shaded, metallic and shining a surface is, 0..1, in CARLA's order.

    The result (H, W, 4) is for `carla.MaterialParameter.AO_Roughness_Metallic_Emissive`.
    """
    height, width = check_size((*roughness.shape, 1))
    for name, value in {
        "roughness": roughness,
        "occlusion": occlusion,
        "metallic": metallic,
        "emission": emission,
    }.items():
        numbers = np.asarray(value, np.float64)
        if not (numbers.min() >= 0 and numbers.max() <= 1):
            raise WorldError(f"the surface map's {name} leaves 0..1")
    values = np.empty((height, width, 4), np.float32)
    values[..., 0], values[..., 1] = occlusion, roughness
    values[..., 2], values[..., 3] = metallic, emission
    return values


def check_size(shape: tuple[int, ...]) -> tuple[int, int]:
    """Height and width of a texture; WorldError where it has none, or is too large to send."""
    if len(shape) != 3 or 0 in shape:
        raise WorldError(f"a texture is (height, width, channels), not {shape}")
    height, width = shape[:2]
    if max(height, width) > LARGEST_PX:
        raise WorldError(
            f"a texture of {width}x{height} pixels is too large: CARLA's server stands still while "
            f"it copies it; make it at most {LARGEST_PX} pixels wide and high, better {SMALL_PX}"
        )
    return height, width


def fill(texture: Any, image: Image | Floats) -> Way:
    """Make a texture show a picture of its size; says whether its buffer was written.

    8-bit pictures (H, W, 3 or 4) are for `carla.TextureColor`, float ones (H, W, 4) for
    `carla.TextureFloatColor`. The picture's top row becomes the texture's last, as in CARLA's own
    `apply_texture.py`.
    """
    kind = type(texture).__name__
    values = _checked(texture, kind, image)[::-1]
    pixels = _buffer(texture, kind)
    if pixels is not None:
        in_memory = (2, 1, 0, 3) if kind == "TextureColor" else (0, 1, 2, 3)
        for channel, source in enumerate(in_memory):
            pixels[..., channel] = values[..., source]
        if _reads_back(texture, kind, values):
            return "buffer"
        logger.warning("%s does not read back what was written; setting pixels one by one", kind)
    _set_pixels(texture, kind, values)
    return "pixels"


def _checked(texture: Any, kind: str, image: Image | Floats) -> NDArray[Any]:
    """The picture with an alpha of its own, in the texture's format."""
    if kind not in _BYTES_PER_PIXEL:
        raise WorldError(f"a {kind} is no texture of CARLA's")
    dtype = np.uint8 if kind == "TextureColor" else np.float32
    channels = (3, 4) if kind == "TextureColor" else (4,)
    if image.dtype != dtype or image.ndim != 3 or image.shape[2] not in channels:
        wanted = " or ".join(str(each) for each in channels)
        raise WorldError(
            f"a {kind} is filled from {np.dtype(dtype)} (height, width, {wanted}), "
            f"not {image.dtype} {image.shape}"
        )
    size = (texture.height, texture.width)
    if image.shape[:2] != size:
        raise WorldError(f"the picture is {image.shape[:2]}, the texture {size}")
    if kind == "TextureFloatColor" and not np.isfinite(image).all():
        raise WorldError("the map for a TextureFloatColor has numbers that are not finite")
    if image.shape[2] == 4:
        return image
    opaque = np.empty((*image.shape[:2], 4), np.uint8)
    opaque[..., :3], opaque[..., 3] = image, 255
    return opaque


def _buffer(texture: Any, kind: str) -> NDArray[Any] | None:
    """The texture's own pixels (H, W, 4), to be written; None where they are not found for sure.

    Memory is first read through the kernel, which refuses addresses that are none instead of
    ending the process. The result is valid as long as the texture lives and keeps its size.
    """
    if sys.implementation.name != "cpython" or struct.calcsize("P") != 8:
        return None
    try:
        memory = os.open("/proc/self/mem", os.O_RDONLY)
    except OSError:
        return None
    try:
        (holder,) = struct.unpack("<Q", os.pread(memory, 8, id(texture) + _HOLDER_AT))
        width, height, begin, end = _TEXTURE.unpack(os.pread(memory, _TEXTURE.size, holder))
        size = width * height * _BYTES_PER_PIXEL[kind]
        fits = (width, height) == (texture.width, texture.height) and end - begin == size
        if not fits or size == 0 or begin % 4:
            return None
        ends = os.pread(memory, 1, begin) + os.pread(memory, 1, end - 1)
        if len(ends) != 2:
            return None
    except (OSError, OverflowError, struct.error):
        return None
    finally:
        os.close(memory)
    raw = (ctypes.c_uint8 * size).from_address(begin)
    dtype = np.uint8 if kind == "TextureColor" else np.float32
    return np.frombuffer(raw, dtype).reshape(height, width, 4)


def _reads_back(texture: Any, kind: str, values: NDArray[Any]) -> bool:
    """Whether `get` gives what was written, at the corners and at places all over."""
    height, width = values.shape[:2]
    rng = np.random.default_rng(height * 100_003 + width)
    rows = [0, 0, height - 1, height - 1, *rng.integers(height, size=_PROBES).tolist()]
    columns = [0, width - 1, 0, width - 1, *rng.integers(width, size=_PROBES).tolist()]
    for row, column in zip(rows, columns, strict=True):
        got = texture.get(column, row)
        if not np.array_equal(values[row, column], (got.r, got.g, got.b, got.a)):
            return False
    return True


def _set_pixels(texture: Any, kind: str, values: NDArray[Any]) -> None:
    """Set every pixel by the client's own method, which checks no bounds: sizes were checked."""
    import carla

    make = carla.Color if kind == "TextureColor" else carla.FloatColor
    colour = make(0, 0, 0, 0)
    for row, line in enumerate(values.tolist()):
        for column, (red, green, blue, alpha) in enumerate(line):
            colour.r, colour.g, colour.b, colour.a = red, green, blue, alpha
            texture.set(column, row, colour)
