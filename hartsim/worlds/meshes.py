"""Meshes from a few lines of arithmetic: solids, lofts, tubes and blobs, joined and coloured.

Every function returns a `Mesh` of loose triangles in metres, x ahead, y left, z up, facing outward.
Meshes are values: `moved`, `painted` and `join` return new ones.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hartsim.types import Vector3
from hartsim.worlds.stage import Colour, Mesh, Quaternion

Points = NDArray[np.float64]
Corners = NDArray[np.float32]
Block = tuple[Vector3, Vector3, str, Colour]
"""A box: its size, where its middle is, its role and its colour."""
GREY: Colour = (0.7, 0.7, 0.7)
UPRIGHT: Quaternion = (1.0, 0.0, 0.0, 0.0)


def turn_z(angle_rad: float) -> Quaternion:
    """The rotation anticlockwise about z, (w, x, y, z)."""
    return (math.cos(angle_rad / 2), 0.0, 0.0, math.sin(angle_rad / 2))


def turn(axis: Vector3, angle_rad: float) -> Quaternion:
    """The rotation by an angle about a unit axis, (w, x, y, z)."""
    s = math.sin(angle_rad / 2)
    return (math.cos(angle_rad / 2), axis[0] * s, axis[1] * s, axis[2] * s)


def matrix_of(rotation: Quaternion) -> Points:
    """The 3x3 matrix of a unit quaternion."""
    w, x, y, z = rotation
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def mesh_of(
    vertices: ArrayLike,
    faces: ArrayLike,
    colour: Colour = GREY,
    role: str = "paint",
    crease_deg: float = 42.0,
    uv: ArrayLike | None = None,
) -> Mesh:
    """A mesh from shared vertices (V, 3) and triangles (F, 3) of indices into them.

    Edges sharper than `crease_deg` stay sharp; without `uv` (V, 2) textures lie as on a box.
    """
    points = np.asarray(vertices, np.float64)
    corners = np.asarray(faces, np.intp)
    triangles = points[corners]
    keep = np.linalg.norm(_face_normals(triangles), axis=1) > 1e-12
    corners, triangles = corners[keep], triangles[keep]
    normals = _smooth_normals(points, corners, triangles, crease_deg)
    coords = np.asarray(uv, np.float64)[corners] if uv is not None else box_uv(triangles)
    return Mesh(
        triangles.astype(np.float32),
        normals.astype(np.float32),
        coords.astype(np.float32),
        np.zeros(len(corners), np.intp),
        np.ones((len(corners), 3), np.float32),
        (role,),
        (colour,),
    )


def _face_normals(triangles: Points) -> Points:
    """Normals (F, 3) as long as twice the triangles' areas."""
    return cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])


def cross(a: Points, b: Points) -> Points:
    """The cross products of rows (N, 3); `np.cross` is several times slower on small arrays."""
    x = a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1]
    y = a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2]
    z = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return np.column_stack([x, y, z])


def _smooth_normals(
    points: Points, corners: NDArray[np.intp], triangles: Points, crease_deg: float
) -> Points:
    """Corner normals (F, 3, 3): the mean over the faces there that are not across a crease."""
    _, place = np.unique(np.round(points, 6), axis=0, return_inverse=True)
    faces = _face_normals(triangles)
    unit = faces / np.linalg.norm(faces, axis=1, keepdims=True)
    at = place.ravel()[corners].ravel()
    order = np.argsort(at, kind="stable")
    counts = np.bincount(at)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    fans = counts[at]
    corner = np.repeat(np.arange(len(at)), fans)
    step = np.arange(len(corner)) - np.repeat(np.cumsum(fans) - fans, fans)
    neighbour = order[np.repeat(starts[at], fans) + step] // 3
    near = np.einsum("ij,ij->i", unit[corner // 3], unit[neighbour]) > math.cos(
        math.radians(crease_deg)
    )
    total = np.zeros((len(at), 3))
    np.add.at(total, corner[near], faces[neighbour[near]])
    total /= np.linalg.norm(total, axis=1, keepdims=True)
    return total.reshape(-1, 3, 3)


def box_uv(triangles: NDArray[np.floating]) -> Points:
    """Metric texture coordinates (F, 3, 2), upright and unmirrored on each side of a box.

    Seen from outside u runs to the right and v up; on top, v runs ahead.
    """
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    axis = np.abs(normals).argmax(axis=1)
    sign = np.sign(normals[np.arange(len(normals)), axis])[:, None]
    x, y, z = triangles[..., 0], triangles[..., 1], triangles[..., 2]
    u = np.where((axis == 0)[:, None], sign * y, np.where((axis == 1)[:, None], -sign * x, -y))
    v = np.where((axis == 2)[:, None], sign * x, z)
    return np.stack([u, v], axis=-1).astype(np.float64)


def moved(
    mesh: Mesh,
    position_m: Vector3 = (0.0, 0.0, 0.0),
    rotation: Quaternion = UPRIGHT,
    scale: Vector3 | float = 1.0,
) -> Mesh:
    """The mesh scaled along its own axes, then rotated, then moved."""
    if rotation == UPRIGHT and scale == 1.0:
        shift = np.asarray(position_m, np.float32)
        return _with(mesh, mesh.vertices + shift, mesh.normals, mesh.uv, mesh.shade)
    factors = np.broadcast_to(np.asarray(scale, np.float32), 3)
    matrix = matrix_of(rotation).astype(np.float32)
    shift = np.asarray(position_m, np.float32)
    vertices = np.asarray((mesh.vertices * factors) @ matrix.T + shift, np.float32)
    normals = np.asarray((mesh.normals / factors) @ matrix.T, np.float32)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True) + 1e-12
    if np.prod(factors) < 0:
        return _with(
            mesh, vertices[:, ::-1], normals[:, ::-1], mesh.uv[:, ::-1], mesh.shade[:, ::-1]
        )
    return _with(mesh, vertices, normals, mesh.uv, mesh.shade)


def _with(
    mesh: Mesh,
    vertices: NDArray[np.float32],
    normals: NDArray[np.float32],
    uv: NDArray[np.float32],
    shade: NDArray[np.float32],
) -> Mesh:
    return Mesh(vertices, normals, uv, mesh.roles, shade, mesh.names, mesh.colours)


def chosen(mesh: Mesh, triangles: NDArray[np.generic]) -> Mesh:
    """These triangles of a mesh: a mask, or indices."""
    return replace(
        mesh,
        vertices=mesh.vertices[triangles],
        normals=mesh.normals[triangles],
        uv=mesh.uv[triangles],
        roles=mesh.roles[triangles],
        shade=mesh.shade[triangles],
    )


def mirrored_y(mesh: Mesh) -> Mesh:
    """The mesh's mirror image, left for right."""
    return moved(mesh, scale=(1.0, -1.0, 1.0))


def inside_out(mesh: Mesh) -> Mesh:
    """The mesh facing the other way."""
    flipped = mesh.vertices[:, ::-1], -mesh.normals[:, ::-1], mesh.uv[:, ::-1], mesh.shade[:, ::-1]
    return _with(mesh, *flipped)


def painted(mesh: Mesh, role: str, colour: Colour = GREY) -> Mesh:
    """The mesh all in one role."""
    return Mesh(
        mesh.vertices,
        mesh.normals,
        mesh.uv,
        np.zeros_like(mesh.roles),
        mesh.shade,
        (role,),
        (colour,),
    )


def repainted(
    mesh: Mesh, names: Sequence[str], which: ArrayLike, colours: Sequence[Colour]
) -> Mesh:
    """The mesh with `which` (F,) of the named roles on each face."""
    return Mesh(
        mesh.vertices,
        mesh.normals,
        mesh.uv,
        np.asarray(which, np.intp),
        mesh.shade,
        tuple(names),
        tuple(colours),
    )


def shaded(mesh: Mesh, low: float, high: float = 1.0, axis: int = 2) -> Mesh:
    """The mesh with baked light running from `low` at its bottom to `high` at its top."""
    along = mesh.vertices[..., axis]
    span = max(float(along.max() - along.min()), 1e-6)
    shade = low + (high - low) * (along - along.min()) / span
    return _with(
        mesh, mesh.vertices, mesh.normals, mesh.uv, (mesh.shade * shade).astype(np.float32)
    )


def join(meshes: Sequence[Mesh]) -> Mesh:
    """All the meshes as one; roles of one name become one, coloured as in the first that has it."""
    colours: dict[str, Colour] = {}
    for mesh in meshes:
        for name, colour in zip(mesh.names, mesh.colours, strict=True):
            colours.setdefault(name, colour)
    place = {name: index for index, name in enumerate(colours)}
    roles = [np.array([place[name] for name in mesh.names])[mesh.roles] for mesh in meshes]
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([mesh.uv for mesh in meshes]),
        np.concatenate(roles),
        np.concatenate([mesh.shade for mesh in meshes]),
        tuple(colours),
        tuple(colours.values()),
    )


def bounds(mesh: Mesh) -> tuple[Points, Points]:
    """The least and greatest corner of the mesh's upright box."""
    flat = mesh.vertices.reshape(-1, 3).astype(np.float64)
    return flat.min(axis=0), flat.max(axis=0)


def loft(
    rings: ArrayLike,
    colour: Colour = GREY,
    role: str = "paint",
    capped: bool = True,
    closed: bool = True,
    crease_deg: float = 42.0,
    roles: Mapping[str, tuple[Colour, NDArray[np.bool_]]] | None = None,
) -> Mesh:
    """A skin over S rings of P points each, (S, P, 3), with flat ends where `capped`.

    `roles` paints quads: a name maps to a colour and a mask (S-1, P), or (S-1, P-1) when the rings
    are not `closed`. The skin is turned outward whichever way the rings run.
    """
    points = np.asarray(rings, np.float64)
    sections, around = points.shape[:2]
    index = np.arange(sections * around).reshape(sections, around)
    following = np.roll(index, -1, axis=1) if closed else index[:, 1:]
    here = index if closed else index[:, :-1]
    quads = np.stack([here[:-1], following[:-1], following[1:], here[1:]], axis=-1).reshape(-1, 4)
    faces = [quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]
    vertices = points.reshape(-1, 3)
    if capped:
        centres = points[[0, -1]].mean(axis=1)
        first, last = len(vertices), len(vertices) + 1
        vertices = np.concatenate([vertices, centres])
        ends = np.stack([here[[0, -1]], following[[0, -1]]], axis=-1)
        faces.append(np.column_stack([ends[0][:, ::-1], np.full(len(ends[0]), first)]))
        faces.append(np.column_stack([ends[1], np.full(len(ends[1]), last)]))
    triangles = np.concatenate(faces)
    if _signed_volume(vertices[triangles]) < 0:
        triangles = triangles[:, ::-1]
    names, colours, which = _quad_roles(roles or {}, len(quads), len(triangles), colour, role)
    return _repaint_kept(vertices, triangles, crease_deg, names, colours, which)


def _signed_volume(triangles: Points) -> float:
    middle = triangles.reshape(-1, 3).mean(axis=0)
    a, b, c = np.moveaxis(triangles - middle, 1, 0)
    return float(np.einsum("ij,ij->", np.cross(a, b), c))


def _quad_roles(
    roles: Mapping[str, tuple[Colour, NDArray[np.bool_]]],
    quads: int,
    triangles: int,
    colour: Colour,
    role: str,
) -> tuple[list[str], list[Colour], NDArray[np.intp]]:
    names, colours = [role], [colour]
    which = np.zeros(triangles, np.intp)
    for name, (paint, mask) in roles.items():
        names.append(name)
        colours.append(paint)
        where = np.flatnonzero(mask.ravel())
        which[where] = which[where + quads] = len(names) - 1
    return names, colours, which


def _repaint_kept(
    vertices: Points,
    triangles: NDArray[np.intp],
    crease_deg: float,
    names: Sequence[str],
    colours: Sequence[Colour],
    which: NDArray[np.intp],
) -> Mesh:
    keep = np.linalg.norm(_face_normals(vertices[triangles]), axis=1) > 1e-12
    mesh = mesh_of(vertices, triangles[keep], crease_deg=crease_deg)
    return repainted(mesh, names, which[keep], colours)


def fewer(count: int, detail: int) -> int:
    """How many sides a round thing needs at a detail of 3 (near) to 0 (far away)."""
    return max(4, round(count * (0.36, 0.5, 0.7, 1.0)[detail]))


def circle(sides: int, radius: float = 1.0, phase: float = 0.0) -> Points:
    """Points (sides, 2) of a circle, anticlockwise."""
    angle = phase + np.arange(sides) * (2 * math.pi / sides)
    return radius * np.column_stack([np.cos(angle), np.sin(angle)])


def rounded(sides: int, exponent: float) -> Points:
    """Points (sides, 2) of a superellipse in -1..1: exponent 2 is a circle, 5 nearly a square."""
    angle = (np.arange(sides) + 0.5) * (2 * math.pi / sides)
    c, s = np.cos(angle), np.sin(angle)
    radius = (np.abs(c) ** exponent + np.abs(s) ** exponent) ** (-1 / exponent)
    return np.column_stack([radius * c, radius * s])


def box(size: Vector3 = (1.0, 1.0, 1.0), bevel: float = 0.0, colour: Colour = GREY) -> Mesh:
    """A box about the origin with the bevel in metres; textures lie upright on every side."""
    if bevel > 0:
        return _bevelled_box(size, min(bevel, 0.49 * min(size)), colour)
    unit, spans = _unit_box()
    extent = np.asarray(size, np.float32)
    return Mesh(
        unit.vertices * extent,
        unit.normals,
        unit.uv * extent[spans][:, None],
        unit.roles,
        unit.shade,
        unit.names,
        (colour,),
    )


@cache
def _unit_box() -> tuple[Mesh, NDArray[np.intp]]:
    """A cube of one metre, and the two axes (F, 2) that the texture on each face runs along."""
    sides = []
    for axis in range(3):
        across = np.eye(3)[(axis + 1) % 3], np.eye(3)[(axis + 2) % 3]
        for sign in (-1, 1):
            turns = ((-1, -1), (1, -1), (1, 1), (-1, 1))[::sign]
            middle = sign * np.eye(3)[axis]
            sides.append([(middle + a * across[0] + b * across[1]) / 2 for a, b in turns])
    faces = quads(np.array(sides))
    mesh = replace(faces, uv=box_uv(faces.vertices).astype(np.float32))
    facing = np.abs(mesh.normals[:, 0]).argmax(axis=1)
    return mesh, np.array([[1, 2], [0, 2], [1, 0]])[facing]


def _bevelled_box(size: Vector3, bevel: float, colour: Colour) -> Mesh:
    x, y, z = (0.5 * length for length in size)
    square = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], np.float64)
    rings = []
    for level, inset in ((-z, bevel), (-z + bevel, 0.0), (z - bevel, 0.0), (z, bevel)):
        ends = square * [x - inset, y - inset]
        starts = np.array([[0, -1], [1, 0], [0, 1], [-1, 0]]) * bevel * 0.7
        finishes = np.array([[-1, 0], [0, -1], [1, 0], [0, 1]]) * bevel * 0.7
        ring = np.stack([ends + starts, ends + finishes], axis=1).reshape(-1, 2)
        rings.append(np.column_stack([ring, np.full(8, level)]))
    return loft(np.stack(rings), colour, crease_deg=50)


def blocks(boxes: Sequence[Block]) -> Mesh:
    """Boxes joined."""
    return join([painted(moved(box(size), at), role, colour) for size, at, role, colour in boxes])


def sphere(radius: float = 0.5, sides: int = 12, stacks: int = 8, colour: Colour = GREY) -> Mesh:
    """A ball about the origin."""
    tilt = np.linspace(-math.pi / 2, math.pi / 2, stacks + 1)
    ring = circle(sides)
    rings = np.stack(
        [np.column_stack([ring * math.cos(t), np.full(sides, math.sin(t))]) for t in tilt]
    )
    return loft(radius * rings, colour, capped=False, crease_deg=80)


@lru_cache(maxsize=8)
def icosphere(level: int, radius: float = 0.5, colour: Colour = GREY) -> Mesh:
    """A ball of 20 equal triangles, each cut in four `level` times."""
    golden = (1 + math.sqrt(5)) / 2
    points = np.array(
        [
            [a * x, b * y, 0.0]
            if axis == 0
            else [0.0, a * x, b * y]
            if axis == 1
            else [b * y, 0.0, a * x]
            for axis in range(3)
            for a in (-1, 1)
            for b in (-1, 1)
            for x, y in ((1.0, golden),)
        ]
    )
    triangles = _hull_of_icosahedron(points)
    for _ in range(level):
        a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
        ab, bc, ca = a + b, b + c, c + a
        parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        triangles = np.concatenate([np.stack(part, axis=1) for part in parts])
        triangles /= np.linalg.norm(triangles, axis=-1, keepdims=True)
    points = radius * triangles.reshape(-1, 3)
    return mesh_of(points, np.arange(len(points)).reshape(-1, 3), colour, crease_deg=89)


def _hull_of_icosahedron(points: Points) -> Points:
    """The 20 faces (20, 3, 3) among 12 corners: all triples that are 2 apart, turned outward."""
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
    near = np.abs(apart - 2) < 1e-6
    triples = [
        (i, j, k)
        for i in range(12)
        for j in range(i + 1, 12)
        for k in range(j + 1, 12)
        if near[i, j] and near[j, k] and near[i, k]
    ]
    faces = points[np.array(triples)]
    inward = np.einsum("ij,ij->i", _face_normals(faces), faces.mean(axis=1)) < 0
    faces[inward] = faces[inward][:, ::-1]
    unit: Points = faces / np.linalg.norm(faces, axis=-1, keepdims=True)
    return unit


def lathe(
    profile: ArrayLike, sides: int = 14, colour: Colour = GREY, crease_deg: float = 42.0
) -> Mesh:
    """The solid that a profile (N, 2) of radius and height makes when turned about z."""
    rings = np.stack(
        [
            np.column_stack([circle(sides, max(r, 1e-5)), np.full(sides, z)])
            for r, z in np.asarray(profile)
        ]
    )
    return loft(rings, colour, crease_deg=crease_deg)


def cylinder(
    radius: float = 0.5, height: float = 1.0, sides: int = 14, colour: Colour = GREY
) -> Mesh:
    """A cylinder along z about the origin."""
    return lathe([(radius, -height / 2), (radius, height / 2)], sides, colour)


def cone(
    radius: float = 0.5,
    height: float = 1.0,
    sides: int = 14,
    top: float = 0.0,
    colour: Colour = GREY,
) -> Mesh:
    """A cone along z about the origin, cut off at the radius `top`."""
    return lathe([(radius, -height / 2), (top, height / 2)], sides, colour)


def capsule(
    radius: float = 0.25, length: float = 1.0, sides: int = 12, colour: Colour = GREY
) -> Mesh:
    """A cylinder along z with round ends, `length` over all."""
    tilt = np.linspace(0, math.pi / 2, 4)
    straight = max(length / 2 - radius, 0.0)
    top = [(radius * math.cos(t), straight + radius * math.sin(t)) for t in tilt]
    profile = [(r, -z) for r, z in reversed(top)] + top
    return lathe(profile, sides, colour, crease_deg=80)


def tube(
    path: ArrayLike,
    radii: ArrayLike,
    sides: int = 8,
    colour: Colour = GREY,
    role: str = "paint",
    flat: float = 1.0,
) -> Mesh:
    """A round skin along a path (N, 3) with a radius at each point; `flat` squeezes it sideways."""
    points = np.asarray(path, np.float64)
    radius = np.broadcast_to(np.asarray(radii, np.float64), len(points))
    ahead = np.gradient(points, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    side = np.cross(ahead, _least_along(ahead))
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up = np.cross(ahead, side)
    ring = circle(sides)
    rings = (
        points[:, None]
        + radius[:, None, None] * flat * ring[None, :, :1] * side[:, None]
        + radius[:, None, None] * ring[None, :, 1:] * up[:, None]
    )
    return loft(rings, colour, role, crease_deg=75)


def _least_along(directions: Points) -> Points:
    """One world axis, the same for the whole path, that the path follows least."""
    axis = int(np.abs(directions).max(axis=0).argmin())
    picked = np.zeros(3)
    picked[axis] = 1.0
    return picked


def blob(
    seed: int,
    size: Vector3 = (1.0, 1.0, 1.0),
    roughness: float = 0.18,
    level: int = 1,
    colour: Colour = GREY,
    crease_deg: float = 80,
) -> Mesh:
    """A lumpy ball, the same for the same seed: foliage, rocks, crumpled paper.

    Its 36, 80, 80 or 320 triangles depend on `level`.
    """
    base = (sphere(0.5, 6, 4), icosphere(1), icosphere(1), icosphere(2))[level]
    rng = np.random.default_rng(seed)
    waves = rng.normal(size=(6, 3)) * np.array([[3.0], [3.0], [5.0], [5.0], [8.0], [8.0]])
    phases = rng.uniform(0, 2 * math.pi, 6)
    unit = base.vertices.reshape(-1, 3).astype(np.float64) * 2
    swell = 1 + roughness * np.sin(unit @ waves.T + phases).mean(axis=1) * 2.2
    points = unit * swell[:, None] * 0.5 * np.asarray(size)
    faces = np.arange(len(points)).reshape(-1, 3)
    return mesh_of(points, faces, colour, crease_deg=crease_deg)


def quad(
    corners: ArrayLike, uv: ArrayLike = ((0, 0), (1, 0), (1, 1), (0, 1)), colour: Colour = GREY
) -> Mesh:
    """A flat four-cornered sheet (4, 3), anticlockwise seen from its front."""
    return quads(np.asarray(corners)[None], np.asarray(uv)[None], colour)


def quads(corners: ArrayLike, uv: ArrayLike | None = None, colour: Colour = GREY) -> Mesh:
    """N flat sheets (N, 4, 3), each anticlockwise seen from its front."""
    points = np.asarray(corners, np.float64)
    coords = np.zeros((*points.shape[:2], 2)) if uv is None else np.asarray(uv, np.float64)
    fan = np.array([[0, 1, 2], [0, 2, 3]])
    triangles = points[:, fan].reshape(-1, 3, 3)
    normals = _face_normals(triangles)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    count = len(triangles)
    return Mesh(
        triangles.astype(np.float32),
        np.repeat(normals[:, None], 3, axis=1).astype(np.float32),
        coords[:, fan].reshape(-1, 3, 2).astype(np.float32),
        np.zeros(count, np.intp),
        np.ones((count, 3), np.float32),
        ("paint",),
        (colour,),
    )


def rectangles(spans: ArrayLike, z: float, colour: Colour = GREY) -> Mesh:
    """N flat rectangles facing up, (N, 4): x from, x to, y from, y to."""
    x0, x1, y0, y1 = np.asarray(spans, np.float64).T
    level = np.full_like(x0, z)
    corners = [(x0, y0, level), (x1, y0, level), (x1, y1, level), (x0, y1, level)]
    return quads(np.stack([np.stack(corner, axis=-1) for corner in corners], axis=1), None, colour)


def disc(
    radius: float = 0.5, sides: int = 16, colour: Colour = GREY, wobble: int | None = None
) -> Mesh:
    """A flat disc facing up at z = 0; a `wobble` seed makes its edge irregular, like a puddle's."""
    edge = np.ones(sides) if wobble is None else wobbly(sides, wobble)
    ring = circle(sides, radius) * edge[:, None]
    points = np.column_stack([np.vstack([ring, [[0, 0]]]), np.zeros(sides + 1)])
    index = np.arange(sides)
    faces = np.column_stack([index, np.roll(index, -1), np.full(sides, sides)])
    return mesh_of(points, faces, colour)


def wobbly(sides: int, seed: int) -> Points:
    """Radii (sides,) about 1 of an irregular edge, anticlockwise from x."""
    rng = np.random.default_rng(seed)
    angle = np.arange(sides) * (2 * math.pi / sides)
    waves = [
        rng.uniform(-0.22, 0.22) / k**0.5 * np.cos(k * angle + rng.uniform(0, 6.3))
        for k in (2, 3, 4, 5)
    ]
    edge: Points = 1 + np.sum(waves, axis=0)
    return edge
