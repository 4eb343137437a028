"""Pictures in and out of files, and the few pixel operations that every package shares.

The only home of OpenCV: its BGR order, its integer return codes and its silence about missing files
end here.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hartsim.errors import HartSimError
from hartsim.types import Image, Labels, Mask, Size

OPENCV_VERSION: str = cv2.__version__
"""What resizes; another version may round otherwise."""


def encode_png(pixels: NDArray[np.generic], level: int = 1) -> bytes:
    """PNG bytes of an RGB image (H, W, 3) uint8 or a map (H, W) uint8, uint16 or bool.

    The bytes depend on the pixels, `level` and the library version alone.
    """
    array = np.asarray(pixels)
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    if array.ndim == 3:
        array = cv2.cvtColor(array, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".png", array, [cv2.IMWRITE_PNG_COMPRESSION, level])
    if not done:
        raise ValueError(f"cannot encode {array.dtype} pixels of shape {array.shape} as PNG")
    return data.tobytes()


def encode_jpeg(image: Image, quality: int = 88) -> bytes:
    """JPEG bytes of an RGB image (H, W, 3) uint8."""
    done, data = cv2.imencode(
        ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not done:
        raise ValueError(f"cannot encode pixels of shape {image.shape} as JPEG")
    return data.tobytes()


def decode_image(data: bytes, source: str = "image") -> Image:
    """RGB pixels (H, W, 3) of PNG or JPEG bytes; `source` names them in the error."""
    decoded = _decoded(data, cv2.IMREAD_COLOR)
    if decoded is None:
        raise HartSimError(f"{source}: not a readable picture")
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def decode_map(data: bytes, source: str = "map") -> NDArray[np.generic]:
    """A label or instance map (H, W), uint8 or uint16 as stored, from PNG bytes."""
    decoded = _decoded(data, cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.ndim != 2:
        raise HartSimError(f"{source}: not a readable map of one channel")
    return np.asarray(decoded)


def _decoded(data: bytes, mode: int) -> NDArray[np.integer[Any] | np.floating[Any]] | None:
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), mode)
    except cv2.error:  # where other damage gives None, an empty file raises
        return None


def read_image(path: Path) -> Image:
    """RGB pixels of a picture file; HartSimError where it is missing or broken."""
    return decode_image(_read(path), str(path))


def read_as_annotated(path: Path, size_px: Size) -> Image:
    """RGB pixels of a picture whose annotations are made for (height, width), exactly as stored.

    Only where it has that size turned by its EXIF tag alone, it is turned. HartSimError where it is
    of another size, and where it holds more than 8 bits of opaque RGB or grey, or CMYK.
    """
    data = _read(path)
    if _jpeg_channels(data) == 4:
        raise HartSimError(f"{path}: CMYK, whose colours could not be kept; convert it to RGB")
    stored = _decoded(data, cv2.IMREAD_UNCHANGED)
    if stored is None:
        raise HartSimError(f"{path}: not a readable picture")
    if stored.dtype != np.uint8:
        raise HartSimError(f"{path}: {stored.dtype} pixels, of which 8 bits could be kept; convert")
    if stored.ndim == 3 and stored.shape[2] == 4 and (stored[..., 3] < 255).any():
        raise HartSimError(f"{path}: partly transparent, which could not be kept; make it opaque")
    for mode in (cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION, cv2.IMREAD_COLOR):
        pixels = _decoded(data, mode)
        if pixels is not None and pixels.shape[:2] == size_px:
            return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)
    (height, width), (rows, columns) = stored.shape[:2], size_px
    raise HartSimError(f"{path}: {width}x{height} pixels, annotated as {columns}x{rows}")


def _jpeg_channels(data: bytes) -> int:
    """How many channels a JPEG has, by the header of its frame; 0 for any other file."""
    place = 2 if data.startswith(b"\xff\xd8\xff") else len(data)
    while place + 9 < len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        # C4, C8 and CC lie among the frame headers and are none.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return data[place + 9]
        fill = marker == 0xFF
        place += 1 if fill else 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return 0


def read_map(path: Path) -> NDArray[np.generic]:
    """A label or instance map from a PNG file; HartSimError where it is missing or broken."""
    return decode_map(_read(path), str(path))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise HartSimError(f"{path}: {error.strerror}") from error


def resize(image: Image, size_px: Size) -> Image:
    """The image at (height, width): area-averaged when it shrinks, cubic when it grows."""
    height, width = size_px
    if image.shape[:2] == (height, width):
        return image
    shrinks = height * width < image.shape[0] * image.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=method), np.uint8)


def resize_labels(labels: Labels, size_px: Size) -> Labels:
    """The class ids at (height, width): those of the nearest pixels."""
    height, width = size_px
    nearest = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(nearest, np.uint8)


def composite(below: Image, above: Image, mask: Mask) -> Image:
    """Show `above` where the mask is True and `below` elsewhere; all share one size."""
    if not below.shape[:2] == above.shape[:2] == mask.shape:
        raise ValueError(f"mask is {mask.shape}, below {below.shape[:2]}, above {above.shape[:2]}")
    return np.where(mask[..., None], above, below)


def fade_in(below: Image, above: Image, mask: Mask, reach_px: float) -> Image:
    """Like `composite`, but `above` fades in within `reach_px` of the mask's border.

    Where the mask is False, `below` stays as it is, bit for bit.
    """
    distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    share = np.minimum(distance / max(reach_px, 1), 1)[..., None]
    mixed = np.round(below + (above.astype(np.float32) - below) * share).astype(np.uint8)
    return composite(below, mixed, mask)


def polygon_mask(corners: NDArray[np.float64], size_px: Size) -> Mask:
    """Every pixel that a polygon touches, and at most two more on each side.

    Corners are (N, 2), column and row, where the first pixel reaches from 0 to 1; they may lie
    outside. Source of the convention: COCO's polygons.
    """
    mask = np.zeros(size_px, np.uint8)
    bits = 4  # of a pixel's fraction
    points = [np.round((corners - 0.5) * 2**bits).astype(np.int32)]
    cv2.fillPoly(mask, points, 1, cv2.LINE_8, bits)
    cv2.polylines(mask, points, True, 1, 2, cv2.LINE_8, bits)
    return mask > 0


def grow(mask: Mask, reach_px: int) -> Mask:
    """The mask with all pixels at most so far from it."""
    side = 2 * reach_px + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return cv2.dilate(mask.astype(np.uint8), disc) > 0


def captioned(image: Image, text: str, bar_px: int = 16) -> Image:
    """The image above a dark bar of `bar_px` with a line of text, cut off where it is too long."""
    height, width = image.shape[:2]
    taller = np.full((height + bar_px, width, 3), 24, np.uint8)
    taller[:height] = image
    spot, size = (3, height + bar_px - 5), bar_px / 40
    cv2.putText(taller, text, spot, cv2.FONT_HERSHEY_SIMPLEX, size, (230, 230, 230), 1, cv2.LINE_AA)
    return taller


def contact_sheet(images: list[Image], columns: int, gap_px: int = 4) -> Image:
    """The images, all of one size, in rows of `columns` with dark gaps between."""
    if not images:
        raise ValueError("a contact sheet needs at least one image")
    height, width = images[0].shape[:2]
    rows = -(-len(images) // columns)
    sheet = np.full(
        (rows * (height + gap_px) + gap_px, columns * (width + gap_px) + gap_px, 3), 24, np.uint8
    )
    for index, image in enumerate(images):
        top = gap_px + (index // columns) * (height + gap_px)
        left = gap_px + (index % columns) * (width + gap_px)
        sheet[top : top + height, left : left + width] = image
    return sheet
