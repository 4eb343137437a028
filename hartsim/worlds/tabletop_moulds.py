"""Moulded shapes: meshes wrapped round distance fields, of which hands and animals are made.

The surface is found by naive surface nets (after Gibson, "Constrained Elastic Surface Nets", 1998).
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hartsim.types import Vector3
from hartsim.worlds.meshes import mesh_of
from hartsim.worlds.stage import Mesh

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Field = Callable[[Array], Array]


def moulded(field: Field, low: Vector3, high: Vector3, cells: int) -> Mesh:
    """The surface where a distance field is zero; `cells` along the longest side of the bounds."""
    step = max(h - lo for lo, h in zip(low, high, strict=True)) / cells
    axes = [np.arange(lo, h + step, step) for lo, h in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = field(grid.reshape(-1, 3)).reshape(grid.shape[:3])
    vertices, index = _net_vertices(values)
    return mesh_of(np.array(low) + vertices * step, _net_faces(values, index), crease_deg=80)


def _net_vertices(values: Array) -> tuple[Array, Indices]:
    """One vertex per cell that the surface crosses, at the mean of its edges' crossings."""
    shape = tuple(n - 1 for n in values.shape)
    total, count = np.zeros((*shape, 3)), np.zeros(shape)
    corners = [(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]
    for first in corners:
        for axis in range(3):
            if first[axis]:
                continue
            second = tuple(c + (n == axis) for n, c in enumerate(first))
            a, b = _shifted(values, first, shape), _shifted(values, second, shape)
            crossed = (a < 0) != (b < 0)
            share = np.where(crossed, a / np.where(crossed, a - b, 1.0), 0.0)
            along = np.eye(3)[axis] * share[..., None]
            total += np.where(crossed[..., None], np.array(first) + along, 0.0)
            count += crossed
    found = count > 0
    index = np.full(shape, -1, np.intp)
    index[found] = np.arange(found.sum())
    return np.argwhere(found) + total[found] / count[found][:, None], index


def _shifted(values: Array, corner: tuple[int, ...], shape: tuple[int, ...]) -> Array:
    return values[tuple(slice(c, c + n) for c, n in zip(corner, shape, strict=True))]


def _net_faces(values: Array, index: Indices) -> Indices:
    """Two triangles for each grid edge that the surface crosses, wound to face outwards."""
    faces = []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        inside = np.moveaxis(values, (axis, u, v), (0, 1, 2)) < 0
        cells = np.moveaxis(index, (axis, u, v), (0, 1, 2))
        crossing = inside[:-1, 1:-1, 1:-1] != inside[1:, 1:-1, 1:-1]
        a, b = cells[:, :-1, :-1][crossing], cells[:, 1:, :-1][crossing]
        c, d = cells[:, 1:, 1:][crossing], cells[:, :-1, 1:][crossing]
        leaves = inside[:-1, 1:-1, 1:-1][crossing][:, None]
        quads = np.where(leaves, np.column_stack([a, b, c, d]), np.column_stack([a, d, c, b]))
        faces += [quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]
    return np.vstack(faces)


def melted(distances: Sequence[Array], softness: float) -> Array:
    """The union of fields, blended where they meet (the exponential smooth minimum)."""
    stacked = np.stack(distances)
    return np.asarray(-softness * np.log(np.exp(-stacked / softness).sum(axis=0)))


def rounded_rod(points: Array, start: Vector3, end: Vector3, first: float, last: float) -> Array:
    """The distance to a capsule whose radius runs from `first` to `last`."""
    a, axis = np.array(start), np.array(end) - np.array(start)
    along = np.clip((points - a) @ axis / (axis @ axis), 0, 1)
    distance = np.linalg.norm(points - a - along[:, None] * axis, axis=1)
    return np.asarray(distance - first - (last - first) * along)


def hand_field(points: Array, plump: float = 1.0) -> Array:
    """A right hand, palm down, fingers along +x; a unit is the length of hand and wrist.

    `plump` thickens the fingers and shortens them by as much.
    """
    fingers: list[tuple[Vector3, Vector3, Vector3, float]] = [
        # knuckle, middle joint, tip, radius
        ((0.06, 0.170, 0.06), (0.25, 0.225, 0.085), (0.40, 0.240, 0.03), 0.042),
        ((0.08, 0.060, 0.07), (0.30, 0.080, 0.095), (0.47, 0.085, 0.03), 0.046),
        ((0.07, -0.050, 0.07), (0.29, -0.060, 0.09), (0.45, -0.068, 0.03), 0.044),
        ((0.03, -0.150, 0.055), (0.20, -0.185, 0.075), (0.33, -0.205, 0.025), 0.038),
    ]
    parts = []
    for knuckle, bend, end, slim in fingers:
        radius = slim * plump
        middle, tip = _towards(knuckle, bend, 1 / plump), _towards(knuckle, end, 1 / plump)
        parts.append(rounded_rod(points, knuckle, middle, radius * 1.12, radius))
        parts.append(rounded_rod(points, middle, tip, radius, radius * 0.8))
    parts.append(rounded_rod(points, (-0.24, 0.12, 0.04), (-0.06, 0.29, 0.045), 0.07, 0.052))
    parts.append(rounded_rod(points, (-0.06, 0.29, 0.045), (0.09, 0.345, 0.03), 0.05, 0.036))
    parts.append(_egg(points, (-0.13, 0.01, 0.045), (0.27, 0.215, 0.085)))
    parts.append(rounded_rod(points, (-0.32, 0.0, 0.05), (-0.55, 0.0, 0.055), 0.085, 0.09))
    return melted(parts, 0.016)


def _towards(start: Vector3, end: Vector3, share: float) -> Vector3:
    x, y, z = (a + share * (b - a) for a, b in zip(start, end, strict=True))
    return (x, y, z)


def cat_field(points: Array) -> Array:
    """A cat that lies with its head up, nose towards +x; a unit is about its length."""
    parts = [
        _egg(points, (-0.13, 0.0, 0.15), (0.31, 0.175, 0.155)),
        _egg(points, (0.1, 0.0, 0.165), (0.16, 0.145, 0.165)),
        rounded_rod(points, (0.16, 0.0, 0.22), (0.25, 0.0, 0.34), 0.11, 0.1),
        _egg(points, (0.275, 0.0, 0.4), (0.14, 0.158, 0.132)),
        _egg(points, (0.395, 0.0, 0.36), (0.05, 0.066, 0.047)),
    ]
    for side in (-1.0, 1.0):
        parts.append(_egg(points, (-0.24, 0.15 * side, 0.1), (0.14, 0.07, 0.11)))
        parts.append(
            rounded_rod(points, (-0.2, 0.19 * side, 0.035), (-0.04, 0.2 * side, 0.03), 0.04, 0.035)
        )
        parts.append(
            rounded_rod(points, (0.12, 0.09 * side, 0.05), (0.42, 0.07 * side, 0.03), 0.05, 0.036)
        )
        parts.append(
            rounded_rod(
                points, (0.25, 0.09 * side, 0.47), (0.24, 0.135 * side, 0.615), 0.062, 0.012
            )
        )
    bends = [(-0.4, 0.02, 0.07), (-0.56, 0.08, 0.045), (-0.58, 0.24, 0.04), (-0.38, 0.33, 0.04)]
    for start, end in pairwise(bends):
        parts.append(rounded_rod(points, start, end, 0.042, 0.038))
    return melted(parts, 0.014)


def _egg(points: Array, centre: Vector3, radii: Vector3) -> Array:
    """About the distance to an ellipsoid."""
    reach = np.linalg.norm((points - np.array(centre)) / np.array(radii), axis=1)
    return np.asarray((reach - 1) * min(radii))
