"""Pixels to draw plots on: lines, discs, polygons and text with smooth edges."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hartsim.images import captioned, polygon_mask
from hartsim.types import Image

Colour = tuple[int, int, int]
Spot = tuple[float, float]
"""Column and row in pixels."""

PAPER: Colour = (255, 255, 255)
INK: Colour = (40, 44, 52)
GRID: Colour = (226, 229, 234)
SMOOTH = 3
"""Lines are drawn so many times larger, and averaged."""
SMALL_PX = 19
"""Height of a line of text."""


class Canvas:
    """Pixels that are drawn on."""

    def __init__(self, height: int, width: int) -> None:
        self.pixels = np.full((height, width, 3), PAPER, np.float32)

    def image(self) -> Image:
        """What has been drawn."""
        return np.round(self.pixels).astype(np.uint8)

    def fill(self, corners: Iterable[Spot], colour: Colour) -> None:
        """A polygon with smooth edges."""
        spots = np.array(list(corners))
        low = np.maximum(np.floor(spots.min(axis=0)).astype(int) - 2, 0)
        high = np.minimum(np.ceil(spots.max(axis=0)).astype(int) + 2, self.pixels.shape[1::-1])
        width, height = (high - low).tolist()
        if width <= 0 or height <= 0:
            return
        inside = polygon_mask((spots - low) * SMOOTH, (height * SMOOTH, width * SMOOTH))
        shares = inside.reshape(height, SMOOTH, width, SMOOTH).mean(axis=(1, 3))
        self._cover((low[1], low[0]), shares, colour)

    def line(self, a: Spot, b: Spot, colour: Colour, width: float = 1.0) -> None:
        """A straight one."""
        across = np.array([a[1] - b[1], b[0] - a[0]])
        side = across / max(float(np.hypot(*across)), 1e-6) * width / 2
        corners = [np.array(a) + side, np.array(b) + side, np.array(b) - side, np.array(a) - side]
        self.fill([(float(x), float(y)) for x, y in corners], colour)

    def disc(self, middle: Spot, radius: float, colour: Colour) -> None:
        """A filled circle."""
        turns = np.linspace(0, 2 * math.pi, 28, endpoint=False)
        self.fill(
            [(middle[0] + radius * math.cos(t), middle[1] + radius * math.sin(t)) for t in turns],
            colour,
        )

    def write(
        self,
        spot: Spot,
        text: str,
        colour: Colour = INK,
        bar_px: int = SMALL_PX,
        align: float = 0.0,
        upward: bool = False,
        bold: bool = False,
    ) -> None:
        """A line of text, whose `align`ed point (0 left, 1 right) and middle lie at the spot."""
        ink = text_ink(text, bar_px)
        if bold:
            ink[:, 1:] = np.maximum(ink[:, 1:], ink[:, :-1])
        if upward:
            ink = np.rot90(ink)
        height, width = ink.shape
        along = (0.5, 1 - align) if upward else (align, 0.5)
        left, top = spot[0] - along[0] * width, spot[1] - along[1] * height
        self._cover((max(round(top), 0), max(round(left), 0)), ink, colour)

    def paste(self, top: int, left: int, image: Image) -> None:
        """Another picture."""
        self.pixels[top : top + image.shape[0], left : left + image.shape[1]] = image

    def _cover(self, corner: tuple[int, int], shares: NDArray[Any], colour: Colour) -> None:
        top, left = corner
        part = self.pixels[top : top + shares.shape[0], left : left + shares.shape[1]]
        share = shares[: part.shape[0], : part.shape[1], None].astype(np.float32)
        part += share * (np.array(colour, np.float32) - part)


def text_ink(text: str, bar_px: int) -> NDArray[np.float32]:
    """How much of each pixel (H, W) a line of text covers, without the empty columns beside it."""
    empty = np.zeros((1, bar_px * (len(text) + 1), 3), np.uint8)
    bar = captioned(empty, text, bar_px)[1:, :, 0].astype(np.float32)
    ink: NDArray[np.float32] = (bar - bar.min()) / max(float(np.ptp(bar)), 1.0)
    inked = np.flatnonzero(ink.any(axis=0))
    return ink[:, inked[0] : inked[-1] + 1] if len(inked) else ink[:, :1]
