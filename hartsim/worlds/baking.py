"""From a stage to batches: solids fused by what they wear, with a palette for their colours."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hartsim.types import CLASS_ID, Image, Pose
from hartsim.worlds import forms, meshes
from hartsim.worlds.pool import PALETTE_ROWS, PALETTE_SHADES, Batch, Finish
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
    tint: Colour


@dataclass(frozen=True, eq=False)
class Part:
    """A batch and what it stands for.

    `prop` names what moves it, None for what stands still, and `link` which of its links this is.
    """

    batch: Batch
    wear: Wear
    prop: str | None
    instance: int
    link: int = 0

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


def bake(
    stage: Stage, slots: Mapping[str, int], palette: Palette | None = None
) -> tuple[list[Part], Palette]:
    """The stage's batches and the palette they share, which may be one that others share already.

    `slots` places each surface's texture.
    """
    palette = palette or Palette()
    pairs = [(solid, prop) for prop in stage.props for solid in prop.solids]
    poses = [prop.pose if _fixed(prop) else _STILL for _, prop in pairs]
    coarse_m = [prop.coarse_m for _, prop in pairs]
    spots = forms.place([solid for solid, _ in pairs], poses, coarse_m)
    worn: dict[tuple[str | None, int, Wear], list[Batch]] = {}
    owners: dict[str, Prop] = {}
    for (solid, prop), spot in zip(pairs, spots, strict=True):
        owner = None if _fixed(prop) else prop.name
        owners[prop.name] = prop
        wear = wear_of(solid, prop)
        batch = _batch(solid, prop, spot, wear, stage, slots, palette)
        worn.setdefault((owner, solid.link, wear), []).append(batch)
    parts = [
        Part(_fused(each), wear, owner, _number(owners[owner]) if owner else 0, link)
        for (owner, link, wear), each in worn.items()
    ]
    return sorted(parts, key=lambda part: part.prop is not None), palette


def _fixed(prop: Prop) -> bool:
    """Whether it may be fused with others: nothing counts it, nothing moves it."""
    return prop.instance is None and not any(prop.velocity_mps)


def _number(prop: Prop) -> int:
    return prop.instance.id if prop.instance else 0


def wear_of(solid: Solid, prop: Prop) -> Wear:
    """What decides with which other solids this one is drawn."""
    finish = "shining" if solid.emission > 0.5 else "glossy" if solid.specular >= 0.3 else "matte"
    tint = solid.tint if solid.surface else (1.0, 1.0, 1.0)
    return Wear(solid.class_name or prop.class_name, solid.surface, finish, solid.rgba[3], tint)


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
        every[0].tint,
    )


def _batch(
    solid: Solid,
    prop: Prop,
    spot: forms.Placed,
    wear: Wear,
    stage: Stage,
    slots: Mapping[str, int],
    palette: Palette,
) -> Batch:
    if solid.surface is not None:
        uv = _surface_uv(solid, spot.mesh, stage)
        slot: int | None = slots[solid.surface]
    else:
        rows = _rows(solid, spot.mesh, palette)
        if stage.weather.snow_cover > 0.05 and prop.snowable and solid.emission <= 0.5:
            lift = 0.0 if _fixed(prop) else prop.pose.position_m[2]
            above = spot.vertices[..., 2].min(axis=1) + lift > 0.12
            lying = above & (spot.normals[..., 2].mean(axis=1) > 0.45)
            rows = np.where(lying, _white_rows(solid, spot.mesh, stage, palette), rows)
        uv, slot = _palette_uv(spot.mesh, rows), None
    return Batch(spot.vertices, spot.normals, uv, slot, wear.finish, wear.alpha, wear.tint)


def _surface_uv(solid: Solid, mesh: Mesh, stage: Stage) -> NDArray[np.float32]:
    if solid.shape == "mesh":
        return mesh.uv
    wide, high = stage.tile_m.get(solid.surface or "", (1.0, 1.0))
    corners = forms.sized(solid)
    metric = meshes.box_uv(corners)
    if wide <= 0 or high <= 0:
        return _stretched_uv(metric, corners)
    return np.asarray(metric / (wide, high), np.float32)


def _stretched_uv(metric: NDArray[np.float64], corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """One copy over each side of the box round the corners."""
    flat = corners.reshape(-1, 3)
    x, y, z = np.maximum(flat.max(axis=0) - flat.min(axis=0), 1e-9)
    face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    spans = np.array([[y, z], [x, z], [y, x]])[np.abs(face).argmax(axis=1)]
    return np.asarray(metric / spans[:, None] + 0.5, np.float32)


def _rows(solid: Solid, mesh: Mesh, palette: Palette) -> NDArray[np.intp]:
    """The palette's row for each face."""
    rows = [palette.row(colour) for colour in _colours(solid, mesh)]
    return np.array(rows)[mesh.roles]


def _white_rows(solid: Solid, mesh: Mesh, stage: Stage, palette: Palette) -> NDArray[np.intp]:
    """The palette's row for each face where snow lies on it."""
    cover = stage.weather.snow_cover
    rows = [palette.row(_whitened(colour, cover)) for colour in _colours(solid, mesh)]
    return np.array(rows)[mesh.roles]


def _palette_uv(mesh: Mesh, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    uv = _shade_uv(mesh).copy()
    uv[..., 1] = (1 - (2 * rows + 1) / (2 * PALETTE_ROWS))[:, None]
    return uv


@lru_cache(maxsize=256)
def _shade_uv(mesh: Mesh) -> NDArray[np.float32]:
    """Where in a palette's row each corner's baked light is found, (F, 3, 2)."""
    uv = np.zeros((*mesh.shade.shape, 2), np.float32)
    uv[..., 0] = (0.5 + np.clip(mesh.shade, 0, 1) * (PALETTE_SHADES - 1)) / PALETTE_SHADES
    return uv


def _colours(solid: Solid, mesh: Mesh) -> list[Colour]:
    """The colour of each role of the mesh as this solid wears it."""
    plain = solid.rgba[0], solid.rgba[1], solid.rgba[2]
    pairs = zip(mesh.names, mesh.colours, strict=True)
    return [_colour(solid, name, own, plain) for name, own in pairs]


def _colour(solid: Solid, name: str, own: Colour, plain: Colour) -> Colour:
    if name in solid.colours:
        return solid.colours[name]
    return plain if solid.shape != "mesh" else own


def _whitened(colour: Colour, cover: float) -> Colour:
    share = min(1.0, 0.25 + 0.75 * cover)
    r, g, b = (c + (s - c) * share for c, s in zip(colour, SNOW, strict=True))
    return r, g, b
