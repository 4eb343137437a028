"""Buildings: walls in paintable surfaces, with roofs, cornices, doors, shop fronts and chimneys.

Buildings stand with their front along x at y = 0 and their depth towards +y, so that the street lies
at -y; `turned` faces them the other way.
"""

import math
from dataclasses import dataclass

import numpy as np

from hartsim.types import Pose, Vector3
from hartsim.worlds import meshes
from hartsim.worlds.meshes import join, moved, painted, shaded
from hartsim.worlds.stage import Colour, Mesh, Prop, Solid

BAY_M = 3.2
"""One bay and one floor of a front; a copy of its texture shows four by four."""

ROOFS: tuple[Colour, ...] = (
    (0.48, 0.22, 0.17),
    (0.33, 0.3, 0.3),
    (0.42, 0.27, 0.2),
    (0.26, 0.3, 0.34),
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


@dataclass(frozen=True)
class House:
    """A building to be put up: sizes in bays and floors, the surface of its walls, its roof."""

    surface: str
    bays: int
    floors: int
    depth_m: float
    roof: str
    roof_colour: Colour
    shops: bool = False
    door: Colour = DOORS[0]
    shine: bool = False
    seed: int = 0

    @property
    def width_m(self) -> float:
        """The length of its front."""
        return self.bays * BAY_M

    @property
    def height_m(self) -> float:
        """The height of its walls."""
        return self.floors * BAY_M + (0.6 if self.shops else 0.3)


def building(name: str, house: House, place_m: Vector3, left: bool) -> Prop:
    """The house with the middle of its front at a place, on the left or right of a street."""
    solids = [_walls(house), *_base(house), *_roof(house)]
    return Prop(name, "building", tuple(solids), Pose(place_m, 0.0 if left else math.pi))


def _walls(house: House) -> Solid:
    """Four walls; their windows stand on whole bays, from the foot of the upper floors."""
    half, deep, high = house.width_m / 2, house.depth_m, house.height_m
    foot = high - house.floors * BAY_M
    corners = [(-half, 0.0), (half, 0.0), (half, deep), (-half, deep)]
    walls = []
    shift = house.seed % 4
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        length = math.hypot(x1 - x0, y1 - y0)
        bays = max(1, round(length / BAY_M)) / 4
        low = -foot / (4 * BAY_M)
        top = low + high / (4 * BAY_M)
        u = shift / 4
        walls.append(
            meshes.quad(
                [(x0, y0, 0), (x1, y1, 0), (x1, y1, high), (x0, y0, high)],
                [(u, low), (u + bays, low), (u + bays, top), (u, top)],
            )
        )
    return Solid("mesh", None, surface=house.surface, mesh=join(walls), emission=float(house.shine))


def _base(house: House) -> list[Solid]:
    """The ground floor: shop fronts with awnings, or a plinth with a door and steps."""
    if house.shops:
        return _shop_fronts(house)
    half = house.width_m / 2
    door_x = -half + BAY_M * (0.5 + house.seed % house.bays)
    plinth = moved(
        meshes.box((house.width_m + 0.08, house.depth_m + 0.08, 0.5)), (0, house.depth_m / 2, 0.25)
    )
    frame = moved(meshes.box((1.5, 0.16, 2.5)), (door_x, -0.03, 1.25))
    leaf = moved(meshes.box((1.1, 0.1, 2.2)), (door_x, -0.08, 1.15))
    light = moved(meshes.box((0.7, 0.12, 0.36)), (door_x, -0.09, 1.85))
    steps = moved(meshes.box((1.7, 0.9, 0.18)), (door_x, -0.4, 0.09))
    parts = [
        painted(plinth, "plinth", (0.5, 0.48, 0.46)),
        painted(frame, "frame", (0.88, 0.87, 0.84)),
        painted(leaf, "door", house.door),
        painted(light, "glass", (0.3, 0.36, 0.4)),
        painted(steps, "plinth", (0.5, 0.48, 0.46)),
    ]
    return [Solid("mesh", None, mesh=join(parts))]


def _shop_fronts(house: House) -> list[Solid]:
    rng = np.random.default_rng(house.seed)
    high = house.height_m - (house.floors - 1) * BAY_M - 0.25
    half = house.width_m / 2
    parts = [
        painted(
            moved(meshes.box((house.width_m + 0.06, 0.16, high)), (0, -0.02, high / 2)),
            "stone",
            (0.36, 0.35, 0.35),
        )
    ]
    glow = []
    wide = BAY_M * (2 if house.bays % 2 == 0 else house.bays)
    for k in range(round(house.width_m / wide)):
        middle = -half + (k + 0.5) * wide
        awning = AWNINGS[int(rng.integers(len(AWNINGS)))]
        pane = moved(
            meshes.box((wide - 1.9, 0.1, high - 1.15)),
            (middle + 0.5, -0.08, 0.35 + (high - 1.15) / 2),
        )
        glow.append(painted(shaded(pane, 0.8, 1.0), "pane", (0.3, 0.36, 0.4)))
        parts.append(
            painted(
                moved(meshes.box((1.0, 0.12, 2.2)), (middle - wide / 2 + 0.75, -0.08, 1.1)),
                "door",
                house.door,
            )
        )
        board = moved(meshes.box((wide - 0.3, 0.2, 0.55)), (middle, -0.12, high - 0.35))
        parts.append(painted(board, f"board{k}", awning))
        parts.append(
            painted(
                moved(meshes.box((wide * 0.5, 0.04, 0.2)), (middle, -0.24, high - 0.35)),
                "letters",
                (0.93, 0.9, 0.8),
            )
        )
        if rng.uniform() < 0.65:
            parts += _awning(middle, wide - 0.4, high - 0.65, awning)
    lit = Solid(
        "mesh",
        None,
        mesh=join(glow),
        emission=float(house.shine),
        colours={"pane": (1.0, 0.86, 0.6)} if house.shine else {},
    )
    return [Solid("mesh", None, mesh=join(parts)), lit]


def _awning(middle: float, wide: float, high: float, colour: Colour) -> list[Mesh]:
    """A striped cloth leaning out over the pavement."""
    stripes = []
    count = max(4, int(wide / 0.5))
    for k in range(count):
        x0, x1 = middle - wide / 2 + wide * k / count, middle - wide / 2 + wide * (k + 1) / count
        top = meshes.quad(
            [(x0, -1.15, high - 0.5), (x1, -1.15, high - 0.5), (x1, -0.1, high), (x0, -0.1, high)]
        )
        edge = meshes.quad(
            [
                (x0, -1.15, high - 0.72),
                (x1, -1.15, high - 0.72),
                (x1, -1.15, high - 0.5),
                (x0, -1.15, high - 0.5),
            ]
        )
        tone = colour if k % 2 == 0 else (0.92, 0.9, 0.86)
        stripes += [
            painted(join([top, edge]), f"awning{colour}" if k % 2 == 0 else "awning_light", tone)
        ]
    return stripes


def _roof(house: House) -> list[Solid]:
    half, deep, high = house.width_m / 2, house.depth_m, house.height_m
    if house.roof == "flat":
        return [Solid("mesh", None, mesh=_flat_roof(house))]
    rise = min(deep, 9.0) * (0.42 if house.roof == "gable" else 0.34)
    eaves, ridge = 0.45, (half if house.roof == "gable" else max(half - deep * 0.35, half * 0.2))
    a, b = (-half - eaves, -eaves, high - 0.1), (half + eaves, -eaves, high - 0.1)
    c, d = (half + eaves, deep + eaves, high - 0.1), (-half - eaves, deep + eaves, high - 0.1)
    e, f = (
        (-ridge - (eaves if house.roof == "gable" else 0), deep / 2, high + rise),
        (ridge + (eaves if house.roof == "gable" else 0), deep / 2, high + rise),
    )
    slopes = meshes.mesh_of(
        [a, b, c, d, e, f],
        [[0, 1, 5], [0, 5, 4], [2, 3, 4], [2, 4, 5], [1, 2, 5], [3, 0, 4], [1, 0, 3], [1, 3, 2]],
        crease_deg=10,
    )
    parts = [shaded(painted(slopes, "roof", house.roof_colour), 0.82, 1.0)]
    if house.roof == "gable":
        ends = [
            meshes.mesh_of(
                [(x, 0.0, high), (x, deep, high), (x, deep / 2, high + rise * 0.97)],
                [[0, 1, 2]] if x > 0 else [[0, 2, 1]],
            )
            for x in (-half - 0.01, half + 0.01)
        ]
        parts.append(painted(join(ends), "gable", (0.85, 0.82, 0.76)))
        parts[0] = shaded(painted(_without_ends(slopes), "roof", house.roof_colour), 0.82, 1.0)
    chimney = moved(meshes.box((0.7, 0.7, 1.5)), (half * 0.5, deep * 0.62, high + rise * 0.85))
    parts.append(painted(chimney, "chimney", (0.5, 0.3, 0.25)))
    gutter = moved(meshes.box((2 * half + 2 * eaves, 0.14, 0.12)), (0, -eaves, high - 0.12))
    parts.append(painted(gutter, "gutter", (0.85, 0.84, 0.8)))
    return [Solid("mesh", None, mesh=join(parts))]


def _without_ends(slopes: Mesh) -> Mesh:
    """The two slopes of a gable roof, without its triangles."""
    keep = np.ones(len(slopes.vertices), bool)
    keep[4:6] = False
    return Mesh(
        slopes.vertices[keep],
        slopes.normals[keep],
        slopes.uv[keep],
        slopes.roles[keep],
        slopes.shade[keep],
        slopes.names,
        slopes.colours,
    )


def _flat_roof(house: House) -> Mesh:
    """A cornice, a parapet, and boxes of machinery behind it."""
    rng = np.random.default_rng(house.seed)
    wide, deep, high = house.width_m, house.depth_m, house.height_m
    stone: Colour = (0.72, 0.7, 0.66) if house.seed % 2 else (0.5, 0.5, 0.5)
    parts = [
        painted(
            moved(meshes.box((wide + 0.5, deep + 0.5, 0.35)), (0, deep / 2, high + 0.1)),
            "cornice",
            stone,
        ),
        painted(
            moved(meshes.box((wide + 0.1, deep + 0.1, 0.5)), (0, deep / 2, high + 0.4)),
            "parapet",
            stone,
        ),
    ]
    for _ in range(int(rng.integers(1, 4))):
        size = (rng.uniform(1.2, 3.0), rng.uniform(1.2, 2.5), rng.uniform(0.8, 2.2))
        at = (
            rng.uniform(-wide / 3, wide / 3),
            deep * rng.uniform(0.3, 0.7),
            high + 0.6 + size[2] / 2,
        )
        parts.append(painted(moved(meshes.box(size), at), "plant", (0.58, 0.59, 0.6)))
    return join(parts)
