"""From a frame's instance map to the boxes and masks of its objects."""

from collections.abc import Iterable

import numpy as np

from hartsim.types import UNKNOWN, Annotation, Instance, Instances, Labels, Mask


def annotate(
    table: Iterable[Instance], instances: Instances, labels: Labels
) -> tuple[Annotation, ...]:
    """The objects of a picture whose pixels are known to be true, in the order of the table.

    `labels` are those that hold for the picture; an object's mask leaves out UNKNOWN pixels, and an
    object without a known pixel is left out.
    """
    known = labels != UNKNOWN
    masks = ((instance, (instances == instance.id) & known) for instance in table)
    return tuple(Annotation(item, box_of(mask), mask) for item, mask in masks if mask.any())


def box_of(mask: Mask) -> tuple[int, int, int, int]:
    """The tight box (column, row, width, height) in pixels round a mask with any pixel set."""
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    return left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top
