"""From a stage to batches: solids fused by what they wear, with a palette for their colours."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hartsim.errors import WorldError
from hartsim.types import CLASS_ID, Image, Pose, Vector3
from hartsim.worlds import meshes
from hartsim.worlds.pool import CEILING, PALETTE_ROWS, PALETTE_SHADES, Batch, Finish
from hartsim.worlds.stage import Colour, Mesh, Prop, Solid, Stage

SNOW: Colour = (0.93, 0.95, 0.99)
_STILL = Pose((0.0, 0.0, 0.0), 0.0)


@dataclass(frozen=True)
class Wear:
    """What makes two solids drawable in one call."""

    class_name: str
    surface: str | None
    finish: Finish
    alpha: float


@dataclass(frozen=True, eq=False)
class Part:
    """A batch and what it stands for: `prop` names what moves it, None for what stands still."""

    batch: Batch
    wear: Wear
    prop: str | None
    instance: int

    @property
    def class_id(self) -> int:
        """Its id among CLASSES."""
        return CLASS_ID[self.wear.class_name]


class Palette:
    """Colours as rows of one small texture, darkening from right to left."""

    def __init__(self) -> None:
        self._rows: dict[Colour, int] = {}

    def row(self, colour: Colour) -> int:
        """The row of this colour; once all are taken, of the colour most like it."""
        rounded = (round(colour[0], 2), round(colour[1], 2), round(colour[2], 2))
        if rounded not in self._rows:
            if len(self._rows) == PALETTE_ROWS:
                return self._nearest(rounded)
            self._rows[rounded] = len(self._rows)
        return self._rows[rounded]

    def _nearest(self, colour: Colour) -> int:
        known = np.array(list(self._rows))
        return int(np.abs(known - np.array(colour)).sum(axis=1).argmin())

    def image(self) -> Image:
        """The texture: two rows of pixels per colour, so that neighbours never mix."""
        colours = np.zeros((PALETTE_ROWS, 3))
        colours[: len(self._rows)] = list(self._rows)
        shades = np.linspace(0, 1, PALETTE_SHADES)
        pixels = np.rint(255 * np.clip(colours[:, None] * shades[:, None], 0, 1)).astype(np.uint8)
        return np.repeat(pixels, 2, axis=0)


def bake(stage: Stage, slots: Mapping[str, int]) -> tuple[list[Part], Palette]:
    """The stage's batches and the palette that they share; `slots` places each surface's texture."""
    palette = Palette()
    still: dict[Wear, list[Batch]] = {}
    moving: list[Part] = []
    for prop in stage.props:
        fixed = prop.instance is None and not any(prop.velocity_mps)
        pose = prop.pose if fixed else _STILL
        worn: dict[Wear, list[Batch]] = {} if not fixed else still
        for solid in prop.solids:
            wear = wear_of(solid, prop)
            worn.setdefault(wear, []).append(_batch(solid, prop, pose, wear, stage, slots, palette))
        if not fixed:
            instance = prop.instance.id if prop.instance else 0
            moving += [Part(_fused(each), wear, prop.name, instance) for wear, each in worn.items()]
    parts = [Part(_fused(each), wear, None, 0) for wear, each in still.items()]
    return parts + moving, palette


def wear_of(solid: Solid, prop: Prop) -> Wear:
    """What decides with which other solids this one is drawn."""
    finish = "shining" if solid.emission > 0.5 else "glossy" if solid.specular >= 0.3 else "matte"
    return Wear(solid.class_name or prop.class_name, solid.surface, finish, solid.rgba[3])


def _fused(batches: Iterable[Batch]) -> Batch:
    every = list(batches)
    if len(every) == 1:
        return every[0]
    return Batch(
        np.concatenate([each.vertices for each in every]),
        np.concatenate([each.normals for each in every]),
        np.concatenate([each.uv for each in every]),
        every[0].texture,
        every[0].finish,
        every[0].alpha,
    )


def _batch(
    solid: Solid,
    prop: Prop,
    pose: Pose,
    wear: Wear,
    stage: Stage,
    slots: Mapping[str, int],
    palette: Palette,
) -> Batch:
    mesh = shape_of(solid)
    placed = meshes.moved(mesh, solid.position_m, solid.rotation)
    if pose is not _STILL:
        placed = meshes.moved(placed, pose.position_m, meshes.turn_z(pose.heading_rad))
    if solid.surface is not None:
        uv = _surface_uv(solid, mesh, stage)
        slot: int | None = slots[solid.surface]
    else:
        lift = 0.0 if pose is not _STILL else prop.pose.position_m[2]
        uv, slot = _palette_uv(solid, placed, prop, stage, palette, lift), None
    return Batch(placed.vertices, placed.normals, uv, slot, wear.finish, wear.alpha)


def shape_of(solid: Solid) -> Mesh:
    """The solid's mesh at its size, about its own centre."""
    if solid.shape == "mesh":
        if solid.mesh is None:
            raise WorldError(f"a solid of shape 'mesh' at {solid.position_m} brings no mesh")
        return solid.mesh if solid.size_m is None else _stretched(solid.mesh, solid.size_m)
    if solid.size_m is None:
        raise WorldError(f"a {solid.shape} at {solid.position_m} has no size")
    if solid.shape == "box":
        return meshes.box(solid.size_m, solid.bevel_m)
    if solid.shape == "capsule":
        return _capsule(solid.size_m)
    return meshes.moved(_unit(solid.shape), scale=solid.size_m)


def _stretched(mesh: Mesh, size_m: Vector3) -> Mesh:
    low, high = meshes.bounds(mesh)
    span = np.where(high - low > 1e-9, high - low, 1.0)
    fx, fy, fz = np.asarray(size_m) / span
    middle = (low + high) / 2
    centred = meshes.moved(mesh, (-middle[0], -middle[1], -middle[2]))
    return meshes.moved(centred, scale=(fx, fy, fz))


@lru_cache(maxsize=8)
def _unit(shape: str) -> Mesh:
    makers = {
        "sphere": lambda: meshes.sphere(0.5, 16, 10),
        "cylinder": lambda: meshes.cylinder(0.5, 1.0, 18),
        "cone": lambda: meshes.cone(0.5, 1.0, 18),
    }
    return makers[shape]()


@lru_cache(maxsize=64)
def _capsule(size_m: Vector3) -> Mesh:
    round_ends = meshes.capsule(size_m[0] / 2, size_m[2], 14)
    return meshes.moved(round_ends, scale=(1.0, size_m[1] / size_m[0], 1.0))


def _surface_uv(solid: Solid, mesh: Mesh, stage: Stage) -> NDArray[np.float32]:
    if solid.shape == "mesh":
        return mesh.uv
    wide, high = stage.tile_m.get(solid.surface or "", (1.0, 1.0))
    metric = meshes.box_uv(mesh.vertices)
    if wide <= 0 or high <= 0:
        return _stretched_uv(metric, mesh)
    return (metric / (wide, high)).astype(np.float32)


def _stretched_uv(metric: NDArray[np.float64], mesh: Mesh) -> NDArray[np.float32]:
    """One copy over each side of the mesh's box."""
    low, high = meshes.bounds(mesh)
    x, y, z = np.maximum(high - low, 1e-9)
    face = np.cross(
        mesh.vertices[:, 1] - mesh.vertices[:, 0], mesh.vertices[:, 2] - mesh.vertices[:, 0]
    )
    spans = np.array([[y, z], [x, z], [y, x]])[np.abs(face).argmax(axis=1)]
    return (metric / spans[:, None] + 0.5).astype(np.float32)


def _palette_uv(
    solid: Solid, placed: Mesh, prop: Prop, stage: Stage, palette: Palette, lift_m: float
) -> NDArray[np.float32]:
    plain = solid.rgba[0], solid.rgba[1], solid.rgba[2]
    colours = [
        _colour(solid, name, own, plain)
        for name, own in zip(placed.names, placed.colours, strict=True)
    ]
    rows = np.array([palette.row(colour) for colour in colours])[placed.roles]
    cover = stage.weather.snow_cover
    if cover > 0.05 and prop.snowable and solid.emission <= 0.5:
        white = np.array([palette.row(_whitened(colour, cover)) for colour in colours])
        above = placed.vertices[..., 2].min(axis=1) + lift_m > 0.12
        rows = np.where(
            above & (placed.normals[..., 2].mean(axis=1) > 0.45), white[placed.roles], rows
        )
    u = (0.5 + np.clip(placed.shade, 0, 1) * (PALETTE_SHADES - 1)) / PALETTE_SHADES
    v = 1 - (2 * rows + 1) / (2 * PALETTE_ROWS)
    return np.stack([u, np.broadcast_to(v[:, None], u.shape)], axis=-1).astype(np.float32)


def _colour(solid: Solid, name: str, own: Colour, plain: Colour) -> Colour:
    if name in solid.colours:
        return solid.colours[name]
    return plain if solid.shape != "mesh" else own


def _whitened(colour: Colour, cover: float) -> Colour:
    share = min(1.0, 0.25 + 0.75 * cover)
    r, g, b = (c + (s - c) * share for c, s in zip(colour, SNOW, strict=True))
    return r, g, b


def dimmed(image: Image) -> Image:
    """The image as a surface that shines by itself may wear it without counting as a light."""
    return np.asarray(image * np.float32(CEILING * 0.98), np.uint8)


def surfaces_of(stage: Stage) -> Iterator[str]:
    """The paintable surfaces that some solid wears."""
    worn = {solid.surface for prop in stage.props for solid in prop.solids if solid.surface}
    yield from (name for name in stage.textures if name in worn)


def heading_of(rotation_rad: float) -> float:
    """The angle in -pi..pi."""
    return math.remainder(rotation_rad, 2 * math.pi)
