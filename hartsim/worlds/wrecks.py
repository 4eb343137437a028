"""Cars, vans and motorcycles that lie, stand or move as they should not."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from hartsim.types import Vector3
from hartsim.worlds import liveries, meshes, vehicles
from hartsim.worlds.fitting import carried_along, fitted, head_lights, road_lights, warning_lights
from hartsim.worlds.looks import PAINTS, Look, Maker
from hartsim.worlds.meshes import Points, join, moved, painted, shaded, tube
from hartsim.worlds.stage import Colour, Mesh, Solid
from hartsim.worlds.vehicles import GLASS, PAINT, SEDAN, TRIM

INSIDE: Colour = (0.05, 0.05, 0.055)
SEAT: Colour = (0.3, 0.27, 0.25)
STEEL: Colour = (0.45, 0.46, 0.48)
CARTON: Colour = (0.66, 0.48, 0.3)
CREAM: Colour = (0.93, 0.92, 0.88)


def _paint(look: Look, salt: int = 0) -> Colour:
    return look.colour or look.pick(PAINTS, salt)


def wrong_way_car(size_m: Vector3, look: Look) -> list[Solid]:
    """A car whose head lights are on, day and night."""
    mesh = vehicles.car(("sedan", "hatch", "suv")[look.seed % 3], look.detail)
    lights = road_lights(mesh, look) or head_lights(mesh)
    return fitted(mesh, size_m, {"paint": _paint(look)}, 0.4, lights)


def overturned_car(size_m: Vector3, look: Look) -> list[Solid]:
    """A car on its crushed roof, wheels up, its underside showing."""
    mesh = _overturned(("hatch", "sedan")[look.seed % 2], look.detail)
    return fitted(mesh, size_m, {"paint": _paint(look)}, 0.3)


@lru_cache(maxsize=8)
def _overturned(name: str, detail: int) -> Mesh:
    shape = vehicles.SHAPES[name]
    car = crumpled(vehicles.car(name, detail), _crushed_roof)
    below = join([car, *_underside(shape)])
    over = moved(below, rotation=meshes.turn((1.0, 0.0, 0.0), math.pi - 0.06))
    nose_down = moved(over, rotation=meshes.turn((0.0, 1.0, 0.0), 0.05))
    glass = [
        moved(meshes.box((0.09, 0.07, 0.02)), (x, y, -1.36), meshes.turn_z(x * 7))
        for x, y in ((1.5, 0.9), (0.2, -1.0), (-0.5, 0.95), (-1.2, 0.8), (0.9, -0.7), (1.7, 0.2))
    ]
    return join([nose_down, painted(join(glass), "shards", (0.7, 0.78, 0.8))])


def _crushed_roof(points: Points) -> Points:
    """The cabin pressed down and to one side."""
    above = np.clip((points[..., 2] - 0.95) / 0.5, 0.0, 1.0)
    points[..., 2] -= 0.13 * above
    points[..., 1] += 0.08 * above
    return points


def _underside(shape: vehicles.Shape) -> list[Mesh]:
    """What a car hides below: floor, axles, exhaust, engine sump and tank."""
    low = shape.clearance
    rear, front = shape.wheels
    floor = moved(meshes.box((rear * -2 + 1.1, 1.34, 0.05)), (0.0, 0.0, low - 0.01))
    sump = moved(meshes.box((0.7, 0.7, 0.12), 0.03), (front - 0.05, 0.0, low - 0.04))
    tank = moved(meshes.box((0.5, 0.9, 0.1), 0.03), (rear + 0.65, 0.0, low - 0.04))
    axles = [tube([(x, -0.8, 0.32), (x, 0.8, 0.32)], 0.06, 6) for x in (rear, front)]
    beams = [moved(meshes.box((0.16, 1.3, 0.1)), (x, 0.0, low - 0.03)) for x in (rear, front)]
    pipe = [(front - 0.2, 0.1, low - 0.06), (0.1, 0.1, low - 0.07), (rear - 0.7, 0.42, low - 0.04)]
    box = moved(meshes.box((0.55, 0.24, 0.1), 0.03), (rear - 0.42, 0.42, low - 0.04))
    return [
        painted(floor, "floor", (0.13, 0.13, 0.14)),
        painted(join([sump, *axles, *beams]), "steel", (0.24, 0.24, 0.25)),
        painted(join([tube(pipe, 0.05, 6), box, tank]), "exhaust", STEEL),
    ]


def crumpled(mesh: Mesh, bend: Callable[[Points], Points]) -> Mesh:
    """The mesh with its corners moved by `bend`, every triangle flat as in torn sheet metal."""
    vertices = bend(mesh.vertices.astype(np.float64))
    normals = meshes.cross(vertices[:, 1] - vertices[:, 0], vertices[:, 2] - vertices[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    flat = np.repeat(normals[:, None], 3, axis=1).astype(np.float32)
    return replace(mesh, vertices=vertices.astype(np.float32), normals=flat)


def crashed_cars(size_m: Vector3, look: Look) -> list[Solid]:
    """A car that ran into the side of another: bonnet up, doors dented, pieces about."""
    mesh = _crashed(min(look.detail, 2))
    return fitted(mesh, size_m, {"paint": _paint(look, 1), "other": look.pick(PAINTS, 4)}, 0.3)


@lru_cache(maxsize=4)
def _crashed(detail: int) -> Mesh:
    front = join([crumpled(vehicles.car("sedan", detail), _crushed_nose), _open_bonnet()])
    struck = crumpled(vehicles.car("hatch", detail), _dented_side)
    names = tuple("other" if name == "paint" else name for name in struck.names)
    struck = replace(struck, names=names)
    pieces = [
        moved(meshes.box((0.9, 0.14, 0.2), 0.05), (0.2, 2.15, 0.1), meshes.turn_z(0.7)),
        moved(meshes.box((0.3, 0.24, 0.03)), (-0.35, 1.55, 0.02), meshes.turn_z(0.4)),
        moved(meshes.box((0.5, 0.12, 0.14), 0.04), (-0.6, -1.9, 0.08), meshes.turn_z(-0.6)),
    ]
    bits = [
        moved(meshes.box((0.13, 0.1, 0.03)), (x, y, 0.02), meshes.turn_z(3 * x))
        for x, y in ((0.0, 1.5), (-0.3, 1.95), (-0.7, 1.4), (0.1, -1.6), (-0.5, -1.4), (-1.0, 1.8))
    ]
    return join(
        [
            moved(front, (-1.5, 0.1, 0.0), meshes.turn_z(0.2)),
            moved(struck, (1.35, 0.05, 0.0), meshes.turn_z(1.83)),
            painted(join(pieces), "trim", TRIM),
            painted(join(bits), "shards", (0.8, 0.84, 0.86)),
        ]
    )


def _ripples(points: Points, depth: Points) -> Points:
    """Uneven folds as deep as `depth`, the same wherever corners meet."""
    x, y, z = (points[..., axis].copy() for axis in range(3))
    points[..., 0] += depth * np.sin(9 * y + 4 * z)
    points[..., 1] += depth * np.sin(8 * x + 6 * z + 1)
    points[..., 2] += depth * np.sin(7 * x + 8 * y + 2)
    return points


def _crushed_nose(points: Points) -> Points:
    """The front end pushed in by 0.6 m, folded and lifted."""
    depth = np.clip((points[..., 0] - 0.9) / 1.4, 0.0, 1.0)
    wheel = points[..., 2] < 0.3
    points[..., 0] -= 0.62 * depth**1.3
    points[..., 2] += np.where(wheel, 0.0, 0.13 * np.sin(depth * math.pi))
    return _ripples(points, np.where(wheel, 0.0, 0.09 * depth))


def _dented_side(points: Points) -> Points:
    """The left side pushed in about the doors."""
    near = np.clip(points[..., 1] / 0.6, 0.0, 1.0) * np.exp(-(((points[..., 0] - 0.1) / 0.9) ** 2))
    points[..., 1] -= 0.42 * near
    return _ripples(points, 0.07 * near)


def _open_bonnet() -> Mesh:
    """A bent bonnet that stands up before the windscreen, and the engine below it."""
    fold = [(0.86, 0.98), (1.12, 1.36), (1.42, 1.3), (1.6, 1.12)]
    rings = [[(x, y, z + 0.03 * abs(y)) for y in (-0.72, 0.0, 0.72)] for x, z in fold]
    lid = meshes.loft(np.array(rings), capped=False, closed=False, crease_deg=15)
    engine = moved(meshes.box((0.55, 1.0, 0.3), 0.06), (1.3, 0, 0.78))
    return join(
        [
            painted(lid, "paint", PAINT),
            painted(meshes.inside_out(moved(lid, (0, 0, -0.01))), "trim", TRIM),
            painted(engine, "engine", (0.22, 0.22, 0.23)),
        ]
    )


DOOR_X, DOOR_HINGE_X, DOOR_OPEN_RAD = -0.2, 0.98, 1.12
"""Where a sedan's front door ends and where it hangs, and how far it stands open."""


def car_with_open_door(size_m: Vector3, look: Look) -> list[Solid]:
    """A parked car whose driver's door stands open to the road."""
    mesh = _with_open_door(look.detail)
    return fitted(mesh, size_m, {"paint": _paint(look)}, 0.4, road_lights(mesh, look))


@lru_cache(maxsize=4)
def _with_open_door(detail: int) -> Mesh:
    hole = liveries.patch(SEDAN, (DOOR_X, DOOR_HINGE_X), (0.36, 0.95), "inside", INSIDE)
    gap = liveries.patch(SEDAN, (DOOR_X + 0.04, 0.5), (0.95, 1.34), "inside", INSIDE)
    seat = moved(meshes.box((0.5, 0.12, 0.2), 0.04), (0.2, 0.87, 0.5))
    back = moved(meshes.box((0.14, 0.12, 0.5), 0.04), (-0.08, 0.86, 0.75))
    sill = moved(meshes.box((1.1, 0.06, 0.05)), (0.4, 0.89, 0.33))
    about = moved(_door_leaf(), (-DOOR_HINGE_X, -0.9, 0.0))
    swung = moved(about, (DOOR_HINGE_X, 0.9, 0.0), meshes.turn_z(-DOOR_OPEN_RAD))
    inner = [painted(join([seat, back]), "lining", SEAT), painted(sill, "sill", STEEL)]
    return join([vehicles.car("sedan", detail), hole, gap, swung, *inner])


def _door_leaf() -> Mesh:
    """A sedan's left front door, shut: skin, lining and the frame of its window."""
    skin = liveries.patch(SEDAN, (DOOR_X, DOOR_HINGE_X), (0.34, 0.95), "paint", PAINT)
    around = [(0.9, 0.84, 0.98), (0.42, 0.72, 1.33), (-0.18, 0.7, 1.37), (-0.2, 0.86, 0.95)]
    lining = meshes.inside_out(moved(skin, (0, -0.05, 0)))
    edge = moved(meshes.box((0.03, 0.07, 0.58)), (DOOR_X, 0.88, 0.65))
    return join(
        [
            skin,
            painted(tube(around, 0.035, 5), "paint"),
            painted(join([lining, edge]), "lining", SEAT),
        ]
    )


def double_parked_van(size_m: Vector3, look: Look) -> list[Solid]:
    """A delivery van with hazard lights on and its rear doors open, parcels inside."""
    mesh = _unloading(look.detail)
    colour = look.colour or look.pick(PAINTS[:1] + PAINTS[6:8])
    lights = warning_lights(mesh) + road_lights(mesh, look)
    return fitted(mesh, size_m, {"paint": colour}, 0.3, lights)


@lru_cache(maxsize=4)
def _unloading(detail: int) -> Mesh:
    hole = moved(meshes.box((0.06, 1.5, 1.34)), (-2.56, 0, 1.42))
    parcels = [
        moved(meshes.box((0.08, wide, tall), 0.01), (-2.6, y, 0.78 + tall / 2 + up))
        for y, wide, tall, up in (
            (-0.42, 0.5, 0.42, 0.0),
            (0.2, 0.6, 0.5, 0.0),
            (-0.3, 0.62, 0.36, 0.43),
            (0.36, 0.34, 0.3, 0.51),
        )
    ]
    parts = [
        vehicles.car("van", detail),
        painted(hole, "inside", INSIDE),
        painted(join(parcels), "carton", CARTON),
    ]
    for side in (1, -1):
        leaf = moved(meshes.box((0.8, 0.05, 1.42), 0.02), (-0.4, 0, 0))
        pane = moved(meshes.box((0.46, 0.06, 0.4)), (-0.4, 0, 0.42))
        door = join([painted(leaf, "paint", PAINT), painted(pane, "glass", GLASS)])
        at = (-2.55, side * 0.84, 1.42)
        parts.append(moved(door, at, meshes.turn_z(-side * 0.28)))
    return join(parts)


def fallen_motorcycle(size_m: Vector3, look: Look) -> list[Solid]:
    """A motorcycle lying on its side."""
    return fitted(_fallen(), size_m, {"paint": _paint(look)}, 0.4)


@lru_cache(maxsize=1)
def _fallen() -> Mesh:
    return moved(vehicles.motorcycle(), rotation=meshes.turn((1.0, 0.0, 0.0), 1.32))


def swerving_caravan(size_m: Vector3, look: Look) -> list[Solid]:
    """A car and its caravan, swung out of line with each other."""
    car = vehicles.car("suv", look.detail)
    lights = [
        *carried_along(road_lights(car, look), *CAR_AT),
        *carried_along(road_lights(_caravan(), look), *CARAVAN_AT),
    ]
    return fitted(_with_caravan(look.detail), size_m, {"paint": _paint(look)}, 0.3, lights)


CAR_AT: tuple[Vector3, float] = ((2.6, 0.0, 0.0), 0.26)
CARAVAN_AT: tuple[Vector3, float] = ((-2.35, 0.35, 0.0), -0.3)
"""Where a car and its caravan are, and their headings in radians."""


@lru_cache(maxsize=4)
def _with_caravan(detail: int) -> Mesh:
    halves = ((vehicles.car("suv", detail), *CAR_AT), (_caravan(), *CARAVAN_AT))
    bar = tube([(0.5, -0.55, 0.45), (0.0, -0.4, 0.48)], 0.06, 6)
    both = [moved(half, at, meshes.turn_z(heading)) for half, at, heading in halves]
    return join([*both, painted(bar, "trim", TRIM)])


@lru_cache(maxsize=1)
def _caravan() -> Mesh:
    """A white touring caravan, 4.6 m long without its drawbar, about its axle."""
    upper = [(-2.3, 1.3), (-2.1, 2.3), (-1.6, 2.58), (1.5, 2.58), (2.05, 2.2), (2.3, 1.3)]
    side = [(-2.2, 0.62), *upper, (2.1, 0.56), (1.4, 0.42), (-1.5, 0.42)]
    rings = [
        [(x * s, y, 0.42 + (z - 0.42) * s) for x, z in side]
        for y, s in ((-1.1, 0.98), (-1.04, 1.0), (1.04, 1.0), (1.1, 0.98))
    ]
    shell = shaded(meshes.loft(np.array(rings), CREAM, "shell", crease_deg=30), 0.75, 1.0)
    parts = [shell, *_caravan_side(1), *_caravan_side(-1)]
    rear = moved(meshes.box((0.06, 1.5, 0.6), 0.02), (-2.22, 0, 1.75))
    front = moved(meshes.box((0.06, 1.6, 0.6), 0.02), (2.2, 0, 1.75), meshes.turn((0, 1, 0), -0.2))
    door = moved(meshes.box((0.62, 0.05, 1.7), 0.02), (0.1, -1.1, 1.35))
    plate = moved(meshes.box((0.03, 0.5, 0.12)), (-2.3, 0, 0.75))
    bars = [tube([(2.1, y, 0.48), (3.1, 0, 0.48)], 0.05, 5) for y in (0.6, -0.6)]
    return join(
        [
            *parts,
            painted(join([rear, front]), "glass", GLASS),
            painted(door, "line", STEEL),
            painted(plate, "plate", vehicles.PLATE),
            painted(join(bars), "trim", TRIM),
        ]
    )


def _caravan_side(y: int) -> list[Mesh]:
    """Windows, stripes, wheel and tail light of one side."""
    pane = meshes.box((0.95, 0.05, 0.6), 0.02)
    panes = [moved(pane, (x, y * 1.09, 1.65)) for x in (-1.2, 1.1)]
    band = moved(meshes.box((4.1, 0.04, 0.14)), (0, y * 1.1, 1.02))
    skirt = moved(meshes.box((3.6, 0.05, 0.1)), (0, y * 1.09, 0.8))
    lamp = moved(meshes.box((0.06, 0.2, 0.34), 0.02), (-2.28, y * 0.86, 0.95))
    return [
        painted(join(panes), "glass", GLASS),
        painted(band, "paint", PAINT),
        painted(skirt, "line", STEEL),
        painted(lamp, "tail", vehicles.TAIL),
        vehicles.wheel(-0.1, y * 1.12, 0.33, 2),
        vehicles.arch(-0.1, y * 1.1, 0.36, 2),
    ]


MAKERS: Mapping[str, Maker] = {
    "wrong_way_car": wrong_way_car,
    "overturned_car": overturned_car,
    "crashed_cars": crashed_cars,
    "car_with_open_door": car_with_open_door,
    "double_parked_van": double_parked_van,
    "fallen_motorcycle": fallen_motorcycle,
    "swerving_caravan": swerving_caravan,
}
"""How each of these kinds is made."""
