"""Cars, vans, trucks, buses and two-wheelers: lofted bodies with wheels, glass and lights.

Each model is a mesh on its wheels (z = 0 is the ground), heading along x, in the roles "paint",
"glass", "tyre", "rim", "trim", "head" and "tail" (lights), "plate". Lit lights are separate solids.
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hartsim.types import Vector3
from hartsim.worlds import meshes
from hartsim.worlds.meshes import join, loft, moved, painted, shaded
from hartsim.worlds.stage import Colour, Mesh, Quaternion

GLASS: Colour = (0.24, 0.31, 0.37)
TYRE: Colour = (0.07, 0.07, 0.075)
RIM: Colour = (0.62, 0.64, 0.66)
TRIM: Colour = (0.1, 0.1, 0.11)
SPOKE: Colour = (0.3, 0.31, 0.32)
HEAD: Colour = (0.9, 0.92, 0.9)
TAIL: Colour = (0.66, 0.06, 0.05)
PLATE: Colour = (0.88, 0.88, 0.84)
PAINT: Colour = (0.6, 0.1, 0.1)
SQUARENESS = 4.2
"""The exponent of the superellipse that a car's cross-section is."""


@dataclass(frozen=True)
class Shape:
    """A car's side view and plan: stations along x in metres from the middle.

    `hood` lists (x, height of the upper edge, half width); `cabin` (x, roof height, half width of
    the roof), which starts and ends at the belt line; `wheels` are x of the axles.
    """

    hood: tuple[tuple[float, float, float], ...]
    cabin: tuple[tuple[float, float, float], ...]
    belt: float
    wheels: tuple[float, float]
    radius: float
    pillars: tuple[float, ...]
    clearance: float = 0.2


SEDAN = Shape(
    hood=(
        (-2.28, 0.72, 0.66),
        (-2.22, 0.9, 0.8),
        (-1.75, 0.99, 0.88),
        (-1.0, 0.97, 0.9),
        (0.0, 0.96, 0.91),
        (1.0, 0.95, 0.9),
        (1.6, 0.86, 0.88),
        (2.08, 0.72, 0.82),
        (2.26, 0.58, 0.68),
    ),
    cabin=(
        (-1.72, 0.97, 0.72),
        (-0.95, 1.4, 0.6),
        (-0.3, 1.46, 0.62),
        (0.25, 1.44, 0.61),
        (1.12, 0.94, 0.74),
    ),
    belt=0.94,
    wheels=(-1.38, 1.36),
    radius=0.33,
    pillars=(-0.22,),
)
HATCH = Shape(
    hood=(
        (-1.98, 0.7, 0.7),
        (-1.92, 0.98, 0.82),
        (-1.0, 1.0, 0.87),
        (0.0, 0.98, 0.88),
        (0.9, 0.97, 0.88),
        (1.5, 0.86, 0.86),
        (1.88, 0.7, 0.78),
        (2.0, 0.56, 0.66),
    ),
    cabin=(
        (-1.9, 0.97, 0.72),
        (-1.5, 1.44, 0.6),
        (-0.4, 1.52, 0.63),
        (0.25, 1.49, 0.62),
        (1.1, 0.96, 0.74),
    ),
    belt=0.96,
    wheels=(-1.22, 1.26),
    radius=0.32,
    pillars=(-0.3,),
)
SUV = Shape(
    hood=(
        (-2.22, 0.78, 0.76),
        (-2.16, 1.08, 0.88),
        (-1.0, 1.12, 0.93),
        (0.0, 1.11, 0.94),
        (0.9, 1.1, 0.93),
        (1.6, 1.04, 0.91),
        (2.1, 0.9, 0.85),
        (2.24, 0.68, 0.74),
    ),
    cabin=(
        (-2.12, 1.08, 0.8),
        (-1.85, 1.62, 0.7),
        (-0.4, 1.72, 0.72),
        (0.35, 1.68, 0.71),
        (1.1, 1.08, 0.8),
    ),
    belt=1.07,
    wheels=(-1.36, 1.38),
    radius=0.38,
    pillars=(-0.3, -1.25),
    clearance=0.26,
)
VAN = Shape(
    hood=(
        (-2.58, 0.8, 0.86),
        (-2.54, 1.12, 0.96),
        (-1.0, 1.16, 0.99),
        (0.5, 1.16, 0.99),
        (1.5, 1.14, 0.98),
        (2.1, 1.05, 0.95),
        (2.5, 0.86, 0.86),
        (2.6, 0.64, 0.76),
    ),
    cabin=(
        (-2.56, 1.12, 0.9),
        (-2.5, 2.2, 0.82),
        (-1.0, 2.28, 0.84),
        (0.9, 2.26, 0.84),
        (1.25, 2.1, 0.8),
        (2.05, 1.08, 0.88),
    ),
    belt=1.12,
    wheels=(-1.65, 1.7),
    radius=0.35,
    pillars=(),
)
SHAPES = {"sedan": SEDAN, "hatch": HATCH, "suv": SUV, "van": VAN}


@lru_cache(maxsize=32)
def car(name: str, detail: int = 3) -> Mesh:
    """A passenger car or van by the name of its shape, lights off; `detail` is 0 to 3."""
    shape = SHAPES[name]
    parts = [_body(shape, detail), _cabin(shape, name != "van", detail)]
    for x in shape.wheels:
        for side in (-1, 1):
            half = side * _half_width(shape, x)
            parts.append(wheel(x, half, shape.radius, detail))
            if detail > 1:
                parts.append(arch(x, half, shape.radius, detail))
    return join(parts + _lights(shape, detail) + _trims(shape, detail))


def _half_width(shape: Shape, x: float) -> float:
    return float(np.interp(x, [each[0] for each in shape.hood], [each[2] for each in shape.hood]))


def _block(size: Vector3, bevel: float, detail: int) -> Mesh:
    """A box whose bevels are left out where they would not be seen."""
    return meshes.box(size, bevel if detail == 3 else 0.0)


def _body(shape: Shape, detail: int) -> Mesh:
    """The lower body: rounded sections from bumper to bumper."""
    around = (6, 8, 12, 16)[detail]
    outline = meshes.rounded(around, SQUARENESS)
    belly = 1 - 0.05 * np.maximum(-outline[:, 1], 0)
    rings = []
    ends = shape.hood[0][0], shape.hood[-1][0]
    for x, top, half in shape.hood if detail > 1 else shape.hood[::2]:
        low = shape.clearance + (0.16 if x in ends else 0.0)
        middle, reach = (top + low) / 2, (top - low) / 2
        y, z = half * outline[:, 0] * belly, middle + reach * outline[:, 1]
        rings.append(np.column_stack([np.full(around, x), y, z]))
    return shaded(loft(np.stack(rings), PAINT, "paint", crease_deg=38), 0.62, 1.0)


def _cabin(shape: Shape, windows: bool, detail: int) -> Mesh:
    """The greenhouse: glass between belt and roof, painted pillars and roof."""
    stations = _with_pillars(shape) if detail else list(shape.cabin)
    rings = []
    for x, roof, half in stations:
        base = min(shape.belt, roof) - 0.03
        wide = _half_width(shape, x) * 0.94
        rise = max(roof - base, 0.02)
        points = [
            (wide, base),
            (wide + (half - wide) * 0.5, base + rise * 0.5),
            (half, roof - 0.09 * min(1.0, rise * 3)),
            (half * 0.82, roof - 0.015),
            (0.0, roof + 0.02),
        ]
        ring = points + [(-y, z) for y, z in reversed(points[:-1])]
        rings.append([(x, y, z) for y, z in ring])
    glass = _glazing(shape, [each[0] for each in stations], windows)
    shell = loft(
        np.array(rings),
        PAINT,
        "paint",
        capped=False,
        closed=False,
        crease_deg=35,
        roles={"glass": (GLASS, glass)},
    )
    return _upward(shell)


def _upward(mesh: Mesh) -> Mesh:
    """An open shell turned so that its roof faces up."""
    return mesh if mesh.normals[..., 2].sum() > 0 else meshes.inside_out(mesh)


def _with_pillars(shape: Shape) -> list[tuple[float, float, float]]:
    xs = [each[0] for each in shape.cabin]
    roofs = [each[1] for each in shape.cabin]
    halves = [each[2] for each in shape.cabin]
    extra = [edge for x in shape.pillars for edge in (x - 0.06, x + 0.06)]
    every = sorted(set(xs) | set(extra))
    return [(x, float(np.interp(x, xs, roofs)), float(np.interp(x, xs, halves))) for x in every]


def _glazing(shape: Shape, xs: list[float], windows: bool) -> NDArray[np.bool_]:
    """Which quads of the cabin's skin are glass: (stations - 1, 8)."""
    glass = np.zeros((len(xs) - 1, 8), bool)
    last = len(xs) - 2
    for row, (x0, x1) in enumerate(pairwise(xs)):
        pillar = any(abs((x0 + x1) / 2 - x) < 0.05 for x in shape.pillars)
        if row in (0, last):
            glass[row, 2:6] = windows or row == last
        elif not pillar and (windows or x0 > 0.6):
            glass[row, [0, 1, 6, 7]] = True
    if not windows:
        glass[last - 1, [0, 1, 6, 7]] = True
    return glass


def _lying(y: float) -> Quaternion:
    """The turn that lays z outward on the side of the car where y is."""
    return meshes.turn((1.0, 0.0, 0.0), -math.copysign(math.pi / 2, y))


def wheel(x: float, y: float, radius: float, detail: int, width: float = 0.22) -> Mesh:
    """A wheel on the side of the car where y is; far away only its dark outer face."""
    sides = meshes.fewer(14, detail)
    rim = painted(meshes.disc(radius * 0.66, sides), "rim", RIM)
    parts = [moved(rim, (0, 0, width / 2 + 0.004))] if detail else []
    if detail > 1:
        profile = ((1.0, -0.5), (1.0, 0.3), (0.94, 0.5), (0.64, 0.5))[:: 1 if detail == 3 else 3]
        rings = [
            np.column_stack([meshes.circle(sides, r * radius), np.full(sides, z * width)])
            for r, z in profile
        ]
        parts.append(painted(loft(np.stack(rings), capped=False), "tyre", TYRE))
    else:
        face = painted(meshes.disc(radius, sides), "tyre", TYRE)
        parts.append(moved(face, (0, 0, width / 2 + 0.002)))
    if detail == 3:
        parts += [_gap(radius, angle, width / 2 + 0.01) for angle in np.arange(5) * 1.2566 + 0.6]
    inset = math.copysign(abs(y) - width / 2 + 0.005, y)
    return moved(join(parts), (x, inset, radius), _lying(y))


def _gap(radius: float, angle: float, z: float) -> Mesh:
    """One of the dark openings between the spokes of a rim."""
    edge = [(0.2, -0.16), (0.56, -0.42), (0.56, 0.42), (0.2, 0.16)]
    corners = [
        (r * radius * math.cos(angle + a), r * radius * math.sin(angle + a), z) for r, a in edge
    ]
    return painted(meshes.quad(corners), "trim", TRIM)


def arch(x: float, y: float, radius: float, detail: int) -> Mesh:
    """The dark opening round a wheel: a disc that shows as a rim above the tyre."""
    disc = painted(meshes.disc(radius * 1.17, meshes.fewer(16, detail)), "trim", TRIM)
    opening = moved(disc, (x, math.copysign(abs(y) + 0.004, y), radius), _lying(y))
    clear_of_ground = np.maximum(opening.vertices, np.array([-np.inf, -np.inf, 0.15], np.float32))
    return replace(opening, vertices=clear_of_ground)


def _lights(shape: Shape, detail: int) -> list[Mesh]:
    front, rear = shape.hood[-2], shape.hood[1]
    nose, tail = shape.hood[-1], shape.hood[0]
    head_z, tail_z = nose[1] + 0.06, rear[1] - 0.13
    parts = []
    for side in (-1, 1):
        head = moved(
            _block((0.2, 0.36, 0.13), 0.04, detail),
            (front[0] + 0.05, side * (front[2] - 0.16), head_z),
        )
        lamp = moved(
            _block((0.12, 0.3, 0.16), 0.04, detail), (rear[0], side * (rear[2] - 0.13), tail_z)
        )
        parts += [painted(head, "head", HEAD), painted(lamp, "tail", TAIL)]
    plates = [((0.03, 0.5, 0.12), (tail[0] - 0.005, 0.0, tail_z - 0.14))]
    plates += [((0.04, 0.5, 0.11), (nose[0], 0.0, 0.42))]
    return parts + [painted(moved(meshes.box(size), at), "plate", PLATE) for size, at in plates]


def _trims(shape: Shape, detail: int) -> list[Mesh]:
    nose, tail = shape.hood[-1], shape.hood[0]
    parts = [
        moved(meshes.box((0.08, 1.1, 0.16)), (nose[0] - 0.02, 0, nose[1] - 0.04)),
        moved(meshes.box((0.1, 1.36, 0.14)), (tail[0] + 0.03, 0, 0.4)),
        moved(meshes.box((0.1, 1.3, 0.12)), (nose[0] - 0.06, 0, 0.34)),
    ]
    belt = shape.cabin[-1]
    for side in (-1, 1) if detail > 1 else ():
        wide = _half_width(shape, belt[0])
        at = (belt[0] - 0.18, side * (wide + 0.06), shape.belt + 0.08)
        parts.append(moved(meshes.box((0.14, 0.2, 0.13)), at))
    return [painted(part, "trim", TRIM) for part in (parts if detail else [])]


@lru_cache(maxsize=4)
def truck(box_colour: Colour = (0.86, 0.87, 0.88)) -> Mesh:
    """A box truck, 7.5 m long."""
    box = painted(moved(meshes.box((5.4, 2.4, 2.35), 0.05), (-0.98, 0, 2.05)), "box", box_colour)
    parts = [
        cab(),
        shaded(box, 0.72, 1.0),
        painted(moved(meshes.box((7.0, 0.9, 0.3)), (-0.1, 0, 0.72)), "trim", TRIM),
        painted(moved(meshes.box((0.12, 2.3, 0.3), 0.03), (-3.66, 0, 0.6)), "trim", TRIM),
        painted(moved(meshes.box((2.6, 2.2, 0.35)), (-0.4, 0, 0.6)), "trim", TRIM),
    ]
    for side in (-1, 1):
        parts.append(
            painted(moved(meshes.box((0.06, 0.26, 0.16)), (-3.7, side * 0.98, 0.82)), "tail", TAIL)
        )
        parts.append(
            painted(moved(meshes.box((0.04, 0.03, 2.1)), (-3.69, side * 0.04, 2.0)), "trim", TRIM)
        )
        parts += [wheel(x, side * 1.17, 0.46, 2, 0.3) for x in (2.65, -2.2)]
    parts.append(painted(moved(meshes.box((0.03, 0.52, 0.12)), (-3.73, 0, 0.62)), "plate", PLATE))
    return join(parts)


@lru_cache(maxsize=1)
def cab() -> Mesh:
    """A truck's cab without wheels, from x = 1.9 to 3.75 m, with windows, lamps and bumper."""
    parts = [
        painted(moved(meshes.box((1.75, 2.3, 1.0), 0.12), (2.8, 0, 1.05)), "paint", PAINT),
        painted(_cab_top(2.8, 1.75, 2.3, 1.5, 2.55), "paint", PAINT),
        painted(moved(meshes.box((0.2, 2.3, 0.35), 0.06), (3.66, 0, 0.5)), "trim", TRIM),
        *_truck_glass(),
    ]
    for side in (-1, 1):
        lamp = moved(meshes.box((0.08, 0.3, 0.16), 0.03), (3.72, side * 0.9, 0.82))
        mirror = moved(meshes.box((0.1, 0.12, 0.5), 0.03), (3.5, side * 1.3, 1.85))
        parts += [painted(lamp, "head", HEAD), painted(mirror, "trim", TRIM)]
    return join(parts)


def _cab_top(x: float, length: float, width: float, low: float, high: float) -> Mesh:
    """The upper cab, leaning back at its windscreen."""
    half, front = width / 2, x + length / 2
    rings = []
    for z, lean, narrow in ((low, 0.0, 0.0), (high - 0.15, 0.22, 0.06), (high, 0.4, 0.2)):
        rings.append(
            [
                (front - lean, half - narrow, z),
                (x - length / 2, half - narrow, z),
                (x - length / 2, -half + narrow, z),
                (front - lean, -half + narrow, z),
            ]
        )
    return loft(np.array(rings))


def _truck_glass() -> list[Mesh]:
    front = 3.675
    screen = meshes.quad(
        [
            (front + 0.02, -1.02, 1.58),
            (front + 0.02, 1.02, 1.58),
            (front - 0.19, 0.98, 2.34),
            (front - 0.19, -0.98, 2.34),
        ]
    )
    sides = [moved(meshes.box((0.85, 0.04, 0.6)), (2.95, side * 1.135, 1.95)) for side in (-1, 1)]
    return [painted(shaded(each, 0.75, 1.0), "glass", GLASS) for each in (screen, *sides)]


@lru_cache(maxsize=1)
def bus() -> Mesh:
    """A city bus, 10 m long, with a band of windows."""
    parts = [
        painted(
            shaded(moved(meshes.box((9.9, 2.5, 2.62), 0.16), (0, 0, 1.69)), 0.7, 1.0),
            "paint",
            PAINT,
        ),
        painted(
            moved(meshes.box((9.5, 2.3, 0.12), 0.05), (0, 0, 3.04)), "roof", (0.86, 0.87, 0.88)
        ),
        painted(moved(meshes.box((9.93, 2.53, 0.2)), (0, 0, 0.55)), "trim", TRIM),
        painted(moved(meshes.box((0.06, 2.2, 1.3), 0.02), (4.95, 0, 1.95)), "glass", GLASS),
        painted(moved(meshes.box((0.06, 1.9, 0.85), 0.02), (-4.95, 0, 2.15)), "glass", GLASS),
        painted(moved(meshes.box((0.04, 1.3, 0.24)), (4.98, 0, 2.8)), "sign", (0.95, 0.75, 0.2)),
    ]
    for side in (-1, 1):
        for x in np.arange(-4.2, 4.3, 1.4):
            parts.append(
                painted(
                    moved(meshes.box((1.24, 0.05, 0.92)), (x, side * 1.245, 2.05)), "glass", GLASS
                )
            )
        for x in (4.2, 0.0) if side < 0 else ():
            parts.append(
                painted(
                    moved(meshes.box((1.1, 0.06, 1.95)), (x, side * 1.25, 1.55)), "glass", GLASS
                )
            )
        parts += [wheel(x, side * 1.275, 0.48, 2, 0.3) for x in (3.1, -2.9)]
        parts += [arch(x, side * 1.262, 0.48, 2) for x in (3.1, -2.9)]
        parts.append(
            painted(
                moved(meshes.box((0.08, 0.34, 0.2), 0.03), (4.95, side * 0.95, 0.85)), "head", HEAD
            )
        )
        parts.append(
            painted(moved(meshes.box((0.06, 0.2, 0.42)), (-4.95, side * 1.08, 1.1)), "tail", TAIL)
        )
        parts.append(
            painted(
                moved(meshes.box((0.1, 0.14, 0.4), 0.03), (4.9, side * 1.38, 2.3)), "trim", TRIM
            )
        )
    parts.append(painted(moved(meshes.box((0.03, 0.52, 0.12)), (-4.98, 0, 0.8)), "plate", PLATE))
    return join(parts)


def hoop(x: float, radius: float, thick: float, width: float) -> list[Mesh]:
    """A thin upright wheel with spokes, in the x-z plane."""
    angle = np.linspace(0, 2 * math.pi, 15)
    path = np.column_stack(
        [x + radius * np.cos(angle), np.zeros(15), radius + thick + radius * np.sin(angle)]
    )
    hoop = painted(meshes.tube(path, thick, 5), "tyre", TYRE)
    lying = meshes.turn((1.0, 0.0, 0.0), math.pi / 2)
    hub = painted(
        moved(meshes.cylinder(radius * 0.14, width, 8), (x, 0, radius + thick), lying), "rim", RIM
    )
    spokes = [
        painted(
            meshes.tube(
                [
                    (x, 0, radius + thick),
                    (x + radius * math.cos(a), 0, radius + thick + radius * math.sin(a)),
                ],
                0.008,
                3,
            ),
            "spoke",
            SPOKE,
        )
        for a in np.arange(8) * (math.pi / 4)
    ]
    return [hoop, hub, *spokes]


@lru_cache(maxsize=1)
def bicycle() -> Mesh:
    """A bicycle, 1.75 m long."""
    frame = [
        ((-0.52, 0, 0.35), (-0.12, 0, 0.3), 0.02),
        ((-0.12, 0, 0.3), (-0.22, 0, 0.88), 0.02),
        ((-0.52, 0, 0.35), (-0.2, 0, 0.78), 0.016),
        ((-0.12, 0, 0.3), (0.38, 0, 0.78), 0.024),
        ((-0.2, 0, 0.78), (0.37, 0, 0.84), 0.02),
        ((0.56, 0, 0.35), (0.34, 0, 0.98), 0.02),
    ]
    parts = [painted(meshes.tube([a, b], r, 6), "paint", PAINT) for a, b, r in frame]
    parts += hoop(-0.52, 0.32, 0.025, 0.08) + hoop(0.56, 0.32, 0.025, 0.08)
    parts.append(
        painted(
            meshes.tube([(0.3, -0.28, 1.0), (0.36, 0, 0.98), (0.3, 0.28, 1.0)], 0.018, 6),
            "trim",
            TRIM,
        )
    )
    parts.append(
        painted(moved(meshes.box((0.26, 0.13, 0.06), 0.025), (-0.23, 0, 0.92)), "trim", TRIM)
    )
    return join(parts)


@lru_cache(maxsize=1)
def motorcycle() -> Mesh:
    """A motorcycle without its rider, 2.1 m long."""
    tank = [(-0.3, 0.08, 0.78), (0.0, 0.17, 0.86), (0.3, 0.14, 0.9), (0.42, 0.06, 0.86)]
    outline = meshes.rounded(10, 2.6)
    rings = [
        np.column_stack([np.full(10, x), w * outline[:, 0], z + 0.13 * outline[:, 1]])
        for x, w, z in tank
    ]
    parts = [
        painted(loft(np.stack(rings), PAINT), "paint", PAINT),
        painted(moved(meshes.box((0.75, 0.26, 0.12), 0.05), (-0.45, 0, 0.8)), "trim", TRIM),
        painted(
            moved(meshes.box((0.5, 0.3, 0.4), 0.08), (0.02, 0, 0.5)), "engine", (0.3, 0.31, 0.33)
        ),
        painted(moved(meshes.box((0.3, 0.22, 0.14), 0.05), (-0.82, 0, 0.86)), "paint", PAINT),
        painted(moved(meshes.box((0.06, 0.18, 0.1), 0.02), (-0.98, 0, 0.84)), "tail", TAIL),
        painted(moved(meshes.sphere(0.1), (0.62, 0, 0.92)), "head", HEAD),
        painted(meshes.tube([(0.72, 0.07, 0.33), (0.5, 0.07, 1.0)], 0.03, 6), "rim", RIM),
        painted(meshes.tube([(0.72, -0.07, 0.33), (0.5, -0.07, 1.0)], 0.03, 6), "rim", RIM),
        painted(
            meshes.tube([(0.36, -0.36, 1.05), (0.48, 0, 1.0), (0.36, 0.36, 1.05)], 0.02, 6),
            "trim",
            TRIM,
        ),
        painted(meshes.tube([(0.1, -0.2, 0.35), (-0.85, -0.2, 0.4)], 0.05, 7), "rim", RIM),
        painted(meshes.tube([(-0.65, 0.0, 0.33), (-0.2, 0.0, 0.5)], 0.05, 6), "trim", TRIM),
    ]
    parts += hoop(-0.68, 0.25, 0.075, 0.2) + hoop(0.72, 0.26, 0.065, 0.16)
    return join(parts)


def light_places(mesh: Mesh, role: str) -> list[Vector3]:
    """The middles of the left and right lights of a vehicle's mesh, by the role that they wear."""
    if role not in mesh.names:
        return []
    faces = mesh.vertices[mesh.roles == mesh.names.index(role)].reshape(-1, 3)
    sides = [faces[faces[:, 1] >= 0], faces[faces[:, 1] < 0]]
    return [
        (float(m[0]), float(m[1]), float(m[2]))
        for m in (side.mean(axis=0) for side in sides if len(side))
    ]
