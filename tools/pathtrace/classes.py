# SPDX-License-Identifier: GPL-3.0-or-later
"""The class names by id, as they stand in `labels.png`; a test compares them with hartsim's."""

CLASSES: tuple[str, ...] = tuple(
    [
        "road",
        "road_mark",
        "pavement",
        "building",
        "vegetation",
        "sky",
        "pole",
        "sign",
        "light",
        "car",
        "truck",
        "bus",
        "two_wheeler",
        "person",
        "animal",
        "cone",
        "barrier",
        "debris",
        "surface_hazard",
        "smoke_fire",
        "water",
        "terrain",
        "robot",
        "table",
        "wall",
        "floor",
        "tool",
        "container",
        "electronics",
        "food",
        "hand",
        "other",
    ]
)
CLASS_ID = {name: index for index, name in enumerate(CLASSES)}
UNKNOWN = 255
"""The label of a pixel about which nothing is known to be true."""
