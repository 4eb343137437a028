"""From solids to placed corners, fast: each shape is made once, then stretched where it may be."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from hartsim.errors import WorldError
from hartsim.types import Pose
from hartsim.worlds import meshes
from hartsim.worlds.stage import Mesh, Solid

Corners = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Form:
    """A mesh about its middle that stretches to any size.

    A corner (F, 3, 3) lies at `unit` times the scale plus `ease` times the radius of what is
    rounded: a box's bevel, a capsule's straight half.
    """

    mesh: Mesh
    unit: Corners
    ease: Corners | None = None


@dataclass(frozen=True, eq=False)
class Placed:
    """A solid's mesh, and where its corners are and its normals point, each (F, 3, 3)."""

    mesh: Mesh
    vertices: Corners
    normals: Corners


def place(
    solids: Sequence[Solid], poses: Sequence[Pose], coarse_m: Sequence[float] | None = None
) -> list[Placed]:
    """The solids where they are, each moved by a pose; those of one form are placed together.

    `coarse_m` says for each how large what may be lost of it is, 0 for nothing.
    """
    formed = [_formed(solid) for solid in solids]
    if coarse_m is not None:
        formed = [
            _coarsened(solid, form, cell_m) if cell_m > 0 and solid.surface is None else form
            for solid, form, cell_m in zip(solids, formed, coarse_m, strict=True)
        ]
    linear, offsets = _motions(solids, poses)
    alike: dict[int, list[int]] = {}
    for index, (form, _, _) in enumerate(formed):
        alike.setdefault(id(form), []).append(index)
    result: dict[int, Placed] = {}
    for members in alike.values():
        form, scale, radius = formed[members[0]]
        if len(members) == 1:
            index = members[0]
            result[index] = _moved(form, scale, radius, linear[index], offsets[index])
            continue
        scales = np.stack([formed[index][1] for index in members])
        radii = np.array([formed[index][2] for index in members], np.float32)
        vertices, normals = _spread(form, scales, radii, linear[members], offsets[members])
        for index, corners, directions in zip(members, vertices, normals, strict=True):
            result[index] = Placed(form.mesh, corners, directions)
    return [result[index] for index in range(len(solids))]


def _moved(form: Form, scale: Corners, radius: float, linear: Corners, offset: Corners) -> Placed:
    """One solid, without the cost of treating it as several."""
    even = scale[0] == scale[1] == scale[2]
    local: Corners = form.unit if even and scale[0] == 1 else form.unit * scale
    if form.ease is not None:
        local = np.asarray(local + form.ease * np.float32(radius), np.float32)
    normals: Corners = form.mesh.normals
    if not even:
        steep = normals / np.maximum(scale, np.float32(1e-6))
        length = np.sqrt(np.einsum("ijk,ijk->ij", steep, steep))
        normals = np.asarray(steep / length[..., None], np.float32)
    # one long product: NumPy is slow at many small ones
    vertices, directions = (np.dot(each.reshape(-1, 3), linear.T) for each in (local, normals))
    vertices += offset
    return Placed(form.mesh, vertices.reshape(local.shape), directions.reshape(local.shape))


def _spread(
    form: Form, scales: Corners, radii: Corners, linear: Corners, offsets: Corners
) -> tuple[Corners, Corners]:
    """The corners and normals (S, F, 3, 3) of S solids of one form."""
    count, shape = len(scales), form.unit.shape
    local = form.unit * scales[:, None, None]
    if form.ease is not None:
        local += form.ease * radii[:, None, None, None]
    turn = linear.transpose(0, 2, 1)
    vertices: Corners = np.asarray(local.reshape(count, -1, 3) @ turn, np.float32)
    vertices += offsets[:, None]
    straight = form.mesh.normals.reshape(-1, 3)
    if (scales == scales[:, :1]).all():
        return vertices.reshape(count, *shape), (straight @ turn).reshape(count, *shape)
    steep = straight / np.maximum(scales, np.float32(1e-6))[:, None]
    normals: Corners = np.asarray(steep @ turn, np.float32)
    normals /= np.sqrt((normals * normals).sum(axis=-1, keepdims=True)) + np.float32(1e-12)
    return vertices.reshape(count, *shape), normals.reshape(count, *shape)


def _motions(solids: Sequence[Solid], poses: Sequence[Pose]) -> tuple[Corners, Corners]:
    """For each solid its rotation (S, 3, 3) and its place (S, 3), its prop's pose included."""
    w, x, y, z = np.array([solid.rotation for solid in solids]).T
    turns = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    ).transpose(2, 0, 1)
    headings = np.array([pose.heading_rad for pose in poses])
    c, s, flat = np.cos(headings), np.sin(headings), np.zeros(len(poses))
    about = np.array([[c, -s, flat], [s, c, flat], [flat, flat, flat + 1]]).transpose(2, 0, 1)
    places = np.array([solid.position_m for solid in solids])
    moved = np.einsum("sij,sj->si", about, places) + np.array([pose.position_m for pose in poses])
    return (about @ turns).astype(np.float32), moved.astype(np.float32)


def sized(solid: Solid) -> Corners:
    """The solid's corners (F, 3, 3) about its own centre, before it is turned."""
    form, scale, radius = _formed(solid)
    local: Corners = form.unit * scale
    return local if form.ease is None else local + form.ease * np.float32(radius)


def _formed(solid: Solid) -> tuple[Form, Corners, float]:
    """The solid's form, its scale (3,) and its radius."""
    if solid.shape == "mesh" and solid.mesh is None:
        raise WorldError(f"a solid of shape 'mesh' at {solid.position_m} brings no mesh")
    if solid.size_m is None:
        if solid.mesh is None:
            raise WorldError(f"a {solid.shape} at {solid.position_m} has no size")
        return _as_modelled(solid.mesh), np.full(3, solid.scale, np.float32), 0.0
    size = np.array(solid.size_m, np.float32)
    if solid.mesh is not None:
        return _stretchable(solid.mesh), size, 0.0
    if solid.shape == "box" and solid.bevel_m > 0:
        return _bevelled(), size, min(solid.bevel_m, 0.49 * min(solid.size_m))
    if solid.shape == "capsule":
        straight = max(solid.size_m[2] - solid.size_m[0], 0.0) / 2
        return _capsule(), size[[0, 1, 0]], straight
    return _primitive(solid.shape), size, 0.0


@lru_cache(maxsize=64)
def _as_modelled(mesh: Mesh) -> Form:
    return Form(mesh, mesh.vertices)


@lru_cache(maxsize=256)
def _stretchable(mesh: Mesh) -> Form:
    """The mesh about its middle, one unit long in every direction in which it is not flat."""
    low, high = meshes.bounds(mesh)
    span = np.where(high - low > 1e-9, high - low, 1.0)
    unit = ((mesh.vertices - (low + high) / 2) / span).astype(np.float32)
    return Form(meshes.moved(mesh, scale=tuple((1 / span).tolist())), unit)


@cache
def _primitive(shape: str) -> Form:
    if shape == "box":
        mesh = meshes.box()
    elif shape == "sphere":
        mesh = meshes.sphere(0.5, 16, 10)
    else:
        mesh = meshes.cone(0.5, 1.0, 18, top=0.5 if shape == "cylinder" else 0.0)
    return Form(mesh, mesh.vertices)


@cache
def _bevelled() -> Form:
    bevel = 0.1
    mesh = meshes.box((1.0, 1.0, 1.0), bevel)
    unit = (0.5 * np.sign(np.round(mesh.vertices, 4))).astype(np.float32)
    return Form(mesh, unit, (mesh.vertices - unit) / np.float32(bevel))


@cache
def _capsule() -> Form:
    return _eased_capsule(14)


def _eased_capsule(sides: int) -> Form:
    mesh = meshes.capsule(0.5, 3.0, sides)
    ease = np.zeros_like(mesh.vertices)
    ease[..., 2] = np.sign(mesh.vertices[..., 2])
    return Form(mesh, mesh.vertices - ease, ease)


Formed = tuple[Form, Corners, float]


def _coarsened(solid: Solid, formed: Formed, cell_m: float) -> Formed:
    """The form without what is smaller than a cell; cells come in few sizes, to be shared."""
    form, scale, radius = formed
    if form.ease is not None:
        if solid.shape == "box":
            return formed if radius > cell_m else (_primitive("box"), scale, 0.0)
        return (_rough_capsule(), scale, radius)
    x, y, z = (math.floor(2 * math.log2(cell_m / max(each, 1e-6))) for each in scale.tolist())
    return _coarse(form, (x, y, z)), scale, radius


LEAST_CELLS = 2.6
"""How many cells a form has at least each way, so that none is lost altogether."""
FINER, KEPT = 3, 0.7
"""How often cells may be halved until so much of a form's skin is left, else all is kept."""
Floats = NDArray[np.float64]


@lru_cache(maxsize=1024)
def _coarse(form: Form, steps: tuple[int, int, int]) -> Form:
    """The form without what is smaller than cells, 2 to the half of each step long.

    Where too much would be lost, as of a bicycle's tubes, cells are smaller.
    """
    corners = form.unit.reshape(-1, 3)
    span = np.maximum(corners.max(axis=0) - corners.min(axis=0), 1e-6)
    cells = np.minimum(2.0 ** (np.array(steps) / 2), span / LEAST_CELLS)
    for _ in range(FINER):
        coarse = _clustered(form, cells)
        if _area(coarse.unit) > KEPT * _area(form.unit):
            return coarse
        cells = cells / 2
    return form


def _clustered(form: Form, cells: Floats) -> Form:
    """The form with one corner for all that lie in a cell: the one farthest from the middle.

    Triangles that come to nothing, or twice, go. Source: Rossignac and Borrel, Multi-resolution 3D
    approximations for rendering (1993).
    """
    corners = form.unit.reshape(-1, 3)
    low, high = corners.min(axis=0), corners.max(axis=0)
    about = corners - (low + high) / 2
    places = np.rint(about / cells).astype(np.int64) + (1 << 20)
    keys = (places[:, 0] << 42) + (places[:, 1] << 21) + places[:, 2]
    _, cell_of = np.unique(keys, return_inverse=True)
    order = np.lexsort((((about / np.maximum(high - low, 1e-6)) ** 2).sum(axis=1), cell_of))
    last = np.append(np.flatnonzero(np.diff(cell_of[order])), len(order) - 1)
    faces = cell_of.reshape(-1, 3)
    first = faces.argmin(axis=1)[:, None]
    turned = faces[np.arange(len(faces))[:, None], (first + np.arange(3)) % 3]
    once = np.sort(np.unique(turned, axis=0, return_index=True)[1])
    a, b, c = faces[once].T
    own = once[(a != b) & (b != c) & (a != c)]
    return Form(
        meshes.chosen(form.mesh, own), np.ascontiguousarray(corners[order[last]][faces[own]])
    )


def _area(triangles: Corners) -> float:
    a, b, c = (triangles[:, k] for k in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum())


@cache
def _rough_capsule() -> Form:
    return _eased_capsule(6)
