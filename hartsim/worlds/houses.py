"""Buildings: walls in paintable surfaces, with roofs, cornices, doors, shop fronts and chimneys.

Buildings stand with their front along x at y = 0 and their depth towards +y, so that the street
lies at -y. Their parts come in few sizes and are made once.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from hartsim.types import Pose, Vector3
from hartsim.worlds import meshes
from hartsim.worlds.meshes import join, moved, painted, shaded
from hartsim.worlds.stage import Colour, Mesh, Prop, Solid

BAY_M = 3.2
"""One bay and one floor of a front; a copy of its texture shows four by four."""

ROOFS: tuple[Colour, ...] = (
    (0.5, 0.23, 0.17),
    (0.33, 0.31, 0.32),
    (0.44, 0.29, 0.21),
    (0.27, 0.31, 0.36),
)
DOORS: tuple[Colour, ...] = (
    (0.3, 0.16, 0.1),
    (0.14, 0.25, 0.2),
    (0.5, 0.12, 0.1),
    (0.15, 0.2, 0.34),
)
AWNINGS: tuple[Colour, ...] = (
    (0.7, 0.18, 0.14),
    (0.13, 0.36, 0.28),
    (0.16, 0.27, 0.5),
    (0.85, 0.62, 0.18),
    (0.55, 0.2, 0.32),
)
STONE: Colour = (0.5, 0.48, 0.46)
FRAME: Colour = (0.88, 0.87, 0.84)

TINTS: tuple[Colour, ...] = (
    (1.0, 1.0, 1.0),
    (1.0, 0.93, 0.84),
    (0.86, 0.9, 0.96),
    (0.92, 0.84, 0.82),
    (0.84, 0.9, 0.84),
)
"""What makes houses of one texture differ."""

GLOWS: tuple[Colour, ...] = (
    (1.0, 0.82, 0.5),
    (1.0, 0.88, 0.64),
    (1.0, 0.74, 0.4),
    (0.94, 0.96, 1.0),
)
"""The light behind windows."""


@dataclass(frozen=True)
class House:
    """A building to be put up: sizes in bays and floors, the surface of its walls, its roof.

    `lit` puts light behind some of its windows.
    """

    surface: str
    bays: int
    floors: int
    deep_bays: int
    roof: str
    roof_colour: Colour
    shops: bool = False
    door: Colour = DOORS[0]
    lit: bool = False
    tint: Colour = (1.0, 1.0, 1.0)
    seed: int = 0

    @property
    def width_m(self) -> float:
        """The length of its front."""
        return self.bays * BAY_M

    @property
    def depth_m(self) -> float:
        """From its front to its back."""
        return self.deep_bays * BAY_M

    @property
    def foot_m(self) -> float:
        """From the ground to the lowest whole floor of its texture."""
        return 0.6 if self.shops else 0.3

    @property
    def height_m(self) -> float:
        """The height of its walls."""
        return self.floors * BAY_M + self.foot_m


def building(
    name: str, house: House, place_m: Vector3, heading_rad: float, rough: bool = False
) -> Prop:
    """The house with the middle of its front at a place, its front turned to -y by `heading`.

    A `rough` one has a plain door, neither chimney nor gutter, and one of two tints.
    """
    walls = _walls(house.bays, house.floors, house.deep_bays, house.foot_m, house.seed % 4)
    tint = house.tint if not rough or house.tint in TINTS[:2] else TINTS[0]
    solids = [Solid("mesh", None, surface=house.surface, mesh=walls, tint=tint)]
    if house.lit:
        panes = _lit_windows(
            house.bays, house.floors, house.deep_bays, house.foot_m, house.seed % 8
        )
        solids.append(Solid("mesh", None, mesh=panes, emission=1.0))
    if house.shops:
        solids += _shop_fronts(house, fine=place_m[0] < 45 and not rough)
    else:
        solids += _plinth(house, rough)
    top = (0.0, 0.0, house.height_m)
    if house.roof == "flat":
        roof = _flat_roof(house.bays, house.deep_bays, house.seed % 4)
        solids.append(Solid("mesh", None, top, mesh=roof))
    else:
        roof = _pitched_roof(house.bays, house.deep_bays, house.roof == "gable", rough)
        solids.append(Solid("mesh", None, top, mesh=roof, colours={"roof": house.roof_colour}))
    return Prop(name, "building", tuple(solids), Pose(place_m, heading_rad))


@lru_cache(maxsize=256)
def _lit_windows(bays: int, floors: int, deep_bays: int, foot_m: float, seed: int) -> Mesh:
    """Panes of light, a hand before the walls, where the textures have their windows."""
    rng = np.random.default_rng([seed, bays, floors, deep_bays])
    half, deep = bays * BAY_M / 2, deep_bays * BAY_M
    panes: dict[int, list[list[Vector3]]] = {}
    for start, along, count in (
        ((-half, -0.03), (1.0, 0.0), bays),
        ((half + 0.03, 0.0), (0.0, 1.0), deep_bays),
        ((-half - 0.03, deep), (0.0, -1.0), deep_bays),
    ):
        for bay in range(count):
            for floor in range(floors):
                if rng.uniform() < 0.3:
                    wide, low = rng.uniform(0.42, 0.6), foot_m + floor * BAY_M
                    x, y = (start[k] + along[k] * (bay + 0.5) * BAY_M for k in range(2))
                    dx, dy = along[0] * wide, along[1] * wide
                    bottom, top = low + 0.66, low + 2.5
                    corners = [(x - dx, y - dy, bottom), (x + dx, y + dy, bottom)]
                    corners += [(x + dx, y + dy, top), (x - dx, y - dy, top)]
                    panes.setdefault(int(rng.choice(4, p=[0.4, 0.3, 0.2, 0.1])), []).append(corners)
    meshes_by_glow = [
        painted(meshes.quads(corners), f"glow{glow}", GLOWS[glow])
        for glow, corners in sorted(panes.items())
    ]
    return join(meshes_by_glow or [painted(meshes.quad([(0, 0, 0)] * 4), "glow0", GLOWS[0])])


@lru_cache(maxsize=256)
def _walls(bays: int, floors: int, deep_bays: int, foot_m: float, shift: int) -> Mesh:
    """Four walls; their windows stand on whole bays, from the foot of the upper floors."""
    half, deep, high = bays * BAY_M / 2, deep_bays * BAY_M, floors * BAY_M + foot_m
    corners = [(-half, 0.0), (half, 0.0), (half, deep), (-half, deep)]
    low, top = -foot_m / (4 * BAY_M), floors / 4
    points, coords = [], []
    for k, wide in enumerate((bays, deep_bays, bays, deep_bays)):
        (x0, y0), (x1, y1) = corners[k], corners[(k + 1) % 4]
        points.append([(x0, y0, 0), (x1, y1, 0), (x1, y1, high), (x0, y0, high)])
        left, right = shift / 4, (shift + wide) / 4
        coords.append([(left, low), (right, low), (right, top), (left, top)])
    return meshes.quads(points, coords)


def _plinth(house: House, rough: bool) -> list[Solid]:
    """A plinth, and a door with its steps in one of the bays."""
    door_x = -house.width_m / 2 + BAY_M * (0.5 + house.seed % house.bays)
    size = (house.width_m + 0.08, house.depth_m + 0.08, 0.5)
    at = (0.0, house.depth_m / 2, 0.25)
    return [
        Solid("box", size, at, rgba=(*STONE, 1.0)),
        Solid("mesh", None, (door_x, 0.0, 0.0), mesh=_door(rough), colours={"door": house.door}),
    ]


@lru_cache(maxsize=2)
def _door(rough: bool) -> Mesh:
    if rough:
        sheets = (("frame", FRAME, 0.75, 2.5, -0.1), ("door", DOORS[0], 0.5, 2.2, -0.16))
        return join(
            [
                painted(meshes.quad([(-w, y, 0), (w, y, 0), (w, y, z), (-w, y, z)]), role, colour)
                for role, colour, w, z, y in sheets
            ]
        )
    blocks: Sequence[meshes.Block] = [
        ((1.5, 0.16, 2.5), (0, -0.03, 1.25), "frame", FRAME),
        ((1.1, 0.1, 2.2), (0, -0.08, 1.15), "door", DOORS[0]),
        ((0.7, 0.12, 0.36), (0, -0.09, 1.85), "glass", (0.3, 0.36, 0.4)),
        ((1.7, 0.9, 0.18), (0, -0.4, 0.09), "step", STONE),
        ((1.9, 0.9, 0.1), (0, -0.4, 2.62), "frame", FRAME),
    ]
    return meshes.blocks(blocks)


def _shop_fronts(house: House, fine: bool) -> list[Solid]:
    front, panes = _shops(house.bays, house.seed % 6, fine)
    colours = {f"pane{k}": glow for k, glow in enumerate(GLOWS)} if house.lit else {}
    return [
        Solid("mesh", None, mesh=front, colours={"door": house.door}),
        Solid("mesh", None, mesh=panes, emission=float(house.lit), colours=colours),
    ]


@lru_cache(maxsize=64)
def _shops(bays: int, seed: int, fine: bool) -> tuple[Mesh, Mesh]:
    """The ground floor's stone, doors, boards and awnings; and its window panes."""
    rng = np.random.default_rng(seed)
    high, length = BAY_M + 0.35, bays * BAY_M
    stone: Colour = ((0.36, 0.35, 0.35), (0.22, 0.26, 0.27), (0.42, 0.33, 0.27))[seed % 3]
    wall = moved(meshes.box((length + 0.06, 0.16, high)), (0, -0.02, high / 2))
    parts, panes = [painted(wall, "stone", stone)], []
    wide = BAY_M * (2 if bays % 2 == 0 else bays)
    for k in range(round(length / wide)):
        middle = -length / 2 + (k + 0.5) * wide
        colour = AWNINGS[int(rng.integers(len(AWNINGS)))]
        panes += _shop_panes(middle, wide, int(rng.integers(4)))
        parts += _shop_details(middle, wide, high, colour, k)
        if rng.uniform() < 0.65:
            stripes = max(4, int(wide / 0.5)) if fine else 2
            parts.append(_awning(middle, wide - 0.4, high - 0.65, colour, stripes))
    return join(parts), join(panes)


def _shop_panes(middle: float, wide: float, glow: int) -> list[Mesh]:
    """Large panes between slim posts."""
    left, right = middle - wide / 2 + 1.45, middle + wide / 2 - 0.3
    count = max(1, round((right - left) / 1.5))
    edges = np.linspace(left, right, count + 1)
    corners = [
        [
            (a + 0.06, -0.12, 0.4),
            (b - 0.06, -0.12, 0.4),
            (b - 0.06, -0.12, 2.5),
            (a + 0.06, -0.12, 2.5),
        ]
        for a, b in pairwise(edges.tolist())
    ]
    panes = painted(meshes.quads(corners), f"pane{glow}", (0.32, 0.38, 0.42))
    return [shaded(panes, 0.8, 1.0)]


def _shop_details(middle: float, wide: float, high: float, colour: Colour, k: int) -> list[Mesh]:
    door = moved(meshes.box((1.0, 0.12, 2.2)), (middle - wide / 2 + 0.75, -0.08, 1.1))
    board = moved(meshes.box((wide - 0.3, 0.2, 0.55)), (middle, -0.12, high - 0.35))
    letters = moved(meshes.box((wide * 0.5, 0.04, 0.2)), (middle, -0.24, high - 0.35))
    return [
        painted(door, "door", DOORS[0]),
        painted(board, f"board{k}", colour),
        painted(letters, "letters", (0.93, 0.9, 0.8)),
    ]


def _awning(middle: float, wide: float, high: float, colour: Colour, count: int) -> Mesh:
    """A striped cloth leaning out over the pavement."""
    edges = middle - wide / 2 + wide * np.arange(count + 1) / count
    out, low, level = -1.15, high - 0.72, high - 0.5
    corners = []
    for x0, x1 in pairwise(edges.tolist()):
        corners.append([(x0, out, level), (x1, out, level), (x1, -0.1, high), (x0, -0.1, high)])
        corners.append([(x0, out, low), (x1, out, low), (x1, out, level), (x0, out, level)])
    stripe = np.repeat(np.arange(count) % 2 if count > 2 else np.zeros(2, np.intp), 4)
    names = (f"awning {colour}", "awning white")
    return meshes.repainted(meshes.quads(corners), names, stripe, (colour, (0.92, 0.9, 0.86)))


@lru_cache(maxsize=128)
def _pitched_roof(bays: int, deep_bays: int, gable: bool, rough: bool) -> Mesh:
    """Tiled slopes over the eaves, at z = 0, with a chimney and a gutter."""
    half, deep, eaves = bays * BAY_M / 2, deep_bays * BAY_M, 0.45
    rise = min(deep, 9.6) * (0.42 if gable else 0.34)
    ridge = half + eaves if gable else max(half - deep * 0.35, half * 0.2)
    a, b = (-half - eaves, -eaves, -0.1), (half + eaves, -eaves, -0.1)
    c, d = (half + eaves, deep + eaves, -0.1), (-half - eaves, deep + eaves, -0.1)
    e, f = (-ridge, deep / 2, rise), (ridge, deep / 2, rise)
    points = [a, b, c, d, e, f]
    slopes = [[0, 1, 5], [0, 5, 4], [2, 3, 4], [2, 4, 5], [1, 0, 3], [1, 3, 2]]
    ends = [] if gable else [[1, 2, 5], [3, 0, 4]]
    tiles = meshes.mesh_of(points, slopes + ends, crease_deg=10)
    parts = [shaded(painted(tiles, "roof", ROOFS[0]), 0.82, 1.0)]
    if gable:
        wall = [(half, 0.0, 0.0), (half, deep, 0.0), (half, deep / 2, rise * 0.96)]
        other = [(-x, y, z) for x, y, z in wall]
        triangles = meshes.mesh_of(wall + other, [[0, 1, 2], [3, 5, 4]])
        parts.append(painted(triangles, "gable", (0.85, 0.82, 0.76)))
    if rough:
        return join(parts)
    chimney = moved(meshes.box((0.7, 0.7, 1.5)), (half * 0.5, deep * 0.62, rise * 0.85))
    parts.append(painted(chimney, "chimney", (0.5, 0.3, 0.25)))
    gutter = moved(meshes.box((2 * half + 2 * eaves, 0.14, 0.12)), (0, -eaves, -0.12))
    parts.append(painted(gutter, "gutter", (0.85, 0.84, 0.8)))
    return join(parts)


@lru_cache(maxsize=128)
def _flat_roof(bays: int, deep_bays: int, seed: int) -> Mesh:
    """A cornice and a parapet at z = 0, with boxes of machinery behind."""
    rng = np.random.default_rng(seed)
    wide, deep = bays * BAY_M, deep_bays * BAY_M
    stone: Colour = (0.72, 0.7, 0.66) if seed % 2 else (0.5, 0.5, 0.5)
    cornice = moved(meshes.box((wide + 0.5, deep + 0.5, 0.35)), (0, deep / 2, 0.1))
    parapet = moved(meshes.box((wide + 0.1, deep + 0.1, 0.5)), (0, deep / 2, 0.4))
    parts = [painted(cornice, "cornice", stone), painted(parapet, "parapet", stone)]
    for _ in range(int(rng.integers(1, 4))):
        size = (rng.uniform(1.2, 3.0), rng.uniform(1.2, 2.5), rng.uniform(0.8, 2.2))
        x, y = rng.uniform(-wide / 3, wide / 3), deep * rng.uniform(0.3, 0.7)
        plant = moved(meshes.box(size), (x, y, 0.6 + size[2] / 2))
        parts.append(painted(plant, "plant", (0.58, 0.59, 0.6)))
    return join(parts)


def facing(left: bool) -> float:
    """The heading of a building on the left or the right of a street along x."""
    return 0.0 if left else math.pi
