"""Machines of farms and building sites: tractors and excavators."""

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from hartsim.types import Vector3
from hartsim.worlds import meshes, vehicles
from hartsim.worlds.fitting import AMBER_LIGHT, Light, fitted, road_lights
from hartsim.worlds.heavy import DARK, GREY, boxed, extruded
from hartsim.worlds.looks import Look, Maker
from hartsim.worlds.meshes import join, moved, painted, tube
from hartsim.worlds.stage import Colour, Mesh, Solid
from hartsim.worlds.vehicles import GLASS, PAINT, RIM, TYRE

MACHINE: Colour = (0.95, 0.7, 0.06)
CRAWLER: Colour = (0.11, 0.11, 0.115)
GREENS: tuple[Colour, ...] = ((0.12, 0.42, 0.14), (0.72, 0.1, 0.08), (0.1, 0.3, 0.62))

POSTS = (((0.2, 1.2), (0.25, 1.98), (0.1, 2.66)), ((-1.2, 1.2), (-1.36, 1.98), (-1.2, 2.66)))
"""The posts of a tractor's cab, along x and z."""


def tractor(size_m: Vector3, look: Look) -> list[Solid]:
    """A farm tractor with tall rear wheels, an amber light on its cab."""
    mesh = _tractor()
    paint = look.colour or look.pick(GREENS)
    is_green = paint[1] > max(paint[0], paint[2])
    rim: Colour = (0.9, 0.78, 0.1) if is_green else (0.8, 0.8, 0.78)
    lights = [Light((-0.75, 0.52, 2.86), (0.2, 0.2, 0.2), AMBER_LIGHT)]
    return fitted(mesh, size_m, {"paint": paint, "rim": rim}, 0.2, lights + road_lights(mesh, look))


@lru_cache(maxsize=1)
def _tractor() -> Mesh:
    bonnet = [(0.1, 0.95), (2.0, 0.95), (2.12, 1.15), (2.05, 1.5), (1.75, 1.62), (0.1, 1.74)]
    cabin = [(0.2, 1.2), (0.28, 2.05), (0.1, 2.66), (-1.2, 2.66), (-1.42, 1.9), (-1.2, 1.2)]
    parts = [
        extruded(bonnet, 0.42, "paint", PAINT),
        extruded(cabin, 0.66, "glass", GLASS),
        boxed((1.6, 1.5, 0.14), (-0.55, 0, 2.72), "paint", PAINT, 0.05),
        boxed((0.06, 0.66, 0.4), (2.1, 0, 1.24), "grille", DARK),
        boxed((2.6, 0.5, 0.4), (0.6, 0, 0.8), "engine", DARK),
        boxed((0.16, 1.3, 0.16), (1.35, 0, 0.56), "engine", DARK),
        boxed((0.9, 1.2, 0.5), (-0.7, 0, 1.0), "engine", DARK),
        boxed((0.3, 0.7, 0.24), (2.0, 0, 0.72), "weight", GREY, 0.04),
        painted(tube([(0.75, 0.36, 1.6), (0.75, 0.36, 2.4)], 0.06, 8), "exhaust", DARK),
        boxed((0.1, 0.1, 0.12), (-0.75, 0.52, 2.82), "engine", DARK),
    ]
    for side in (1, -1):
        for post in POSTS:
            path = [(x, side * 0.66, z) for x, z in post]
            parts.append(painted(tube(path, 0.05, 5), "paint", PAINT))
        parts.append(painted(_mudguard(side), "paint", PAINT))
        parts += _field_wheel(-0.75, side * 0.86, 0.84, 0.5)
        parts += _field_wheel(1.35, side * 0.78, 0.54, 0.32)
        parts.append(boxed((0.06, 0.2, 0.16), (2.1, side * 0.28, 1.5), "head", vehicles.HEAD))
        parts.append(boxed((0.06, 0.2, 0.14), (-1.5, side * 0.86, 1.75), "tail", vehicles.TAIL))
    return join(parts)


def _mudguard(side: int) -> Mesh:
    """An arched plate over a rear wheel."""
    angles = np.linspace(0.5, 2.8, 7)
    rings = [
        [(-0.75 + 0.94 * math.cos(a), side * y, 0.84 + 0.94 * math.sin(a)) for y in (0.62, 1.1)]
        for a in angles
    ]
    plate = meshes.loft(np.array(rings), capped=False, closed=False, crease_deg=60)
    return join([plate, meshes.inside_out(plate)])


def _field_wheel(x: float, y: float, radius: float, width: float) -> list[Mesh]:
    """A wheel with lugs on its tyre."""
    lying = meshes.turn((1.0, 0.0, 0.0), -math.copysign(math.pi / 2, y))
    tread = ((0.55, 0.5), (0.9, 0.5), (0.96, 0.3))
    profile = [*((r, -z) for r, z in tread), *reversed(tread), (0.5, 0.34)]
    tyre = meshes.lathe([(r * radius, z * width) for r, z in profile], 18)
    rim = meshes.lathe([(0.0, 0.1), (0.2, 0.12), (0.26, 0.3), (0.5, 0.34), (0.56, 0.48)], 14)
    rim = moved(rim, scale=(radius, radius, width))
    lugs = []
    for k in range(11):
        turned = meshes.turn_z(k * 2 * math.pi / 11)
        for half in (1, -1):
            lug = moved(
                meshes.box((0.1 * radius, 0.07 * radius, 0.5 * width)),
                (0.97 * radius, half * 0.05, half * 0.24 * width),
            )
            lugs.append(moved(lug, rotation=turned))
    whole = [painted(join([tyre, *lugs]), "tyre", TYRE), painted(rim, "rim", RIM)]
    return [moved(part, (x, y, radius), lying) for part in whole]


def excavator(size_m: Vector3, look: Look) -> list[Solid]:
    """A tracked excavator, its bucket near the ground."""
    mesh = _excavator()
    lights = [Light((-1.2, 0.3, 2.12), (0.2, 0.2, 0.18), AMBER_LIGHT)]
    return fitted(mesh, size_m, {"paint": look.colour or MACHINE}, 0.2, lights)


@lru_cache(maxsize=1)
def _excavator() -> Mesh:
    engine = [(-2.75, 1.1), (-2.6, 1.9), (-1.0, 2.0), (-0.3, 1.6), (-0.3, 1.1)]
    cabin = [(-0.9, 1.1), (-0.95, 2.7), (-0.2, 2.7), (0.3, 1.9), (0.25, 1.1)]
    panes = [(-0.8, 1.75), (-0.82, 2.56), (-0.22, 2.56), (0.26, 1.9), (0.24, 1.75)]
    return join(
        [
            boxed((2.3, 2.2, 0.3), (-1.0, 0, 0.98), "trim", DARK),
            boxed((1.5, 1.2, 0.5), (-1.0, 0, 0.62), "trim", DARK),
            extruded(engine, 1.1, "paint", MACHINE),
            extruded(cabin, 0.42, "paint", MACHINE, 0.68),
            extruded(panes, 0.44, "glass", GLASS, 0.68),
            boxed((1.0, 0.94, 0.1), (-0.56, 0.68, 2.74), "paint", MACHINE, 0.04),
            boxed((0.2, 1.9, 0.5), (-2.7, 0, 1.5), "trim", DARK),
            painted(tube([(-1.9, -0.6, 1.9), (-1.9, -0.6, 2.3)], 0.06, 7), "trim", DARK),
            *_arm(),
            *_track(0.98),
            *_track(-0.98),
        ]
    )


def _track(y: float) -> list[Mesh]:
    """A crawler track with its rollers."""
    around = [(-2.5, 0.36), (-2.25, 0.06), (0.3, 0.06), (0.56, 0.36), (0.4, 0.68), (-2.35, 0.68)]
    lying = meshes.turn((1.0, 0.0, 0.0), math.pi / 2)
    roller = meshes.cylinder(0.2, 0.56, 10)
    rollers = [moved(roller, (x, y, 0.36), lying) for x in (-2.2, -1.6, -1.0, -0.4, 0.22)]
    cleat = meshes.box((0.08, 0.54, 0.76))
    cleats = [moved(cleat, (-2.1 + 0.24 * k, y, 0.38)) for k in range(10)]
    return [
        extruded(around, 0.26, "track", CRAWLER, y),
        painted(join(rollers), "roller", GREY),
        painted(join(cleats), "track", CRAWLER),
    ]


def _arm() -> list[Mesh]:
    """Boom, stick, bucket and the rams between them."""
    boom = [(-0.3, 1.2), (-0.3, 1.6), (1.0, 3.1), (2.7, 2.75), (2.75, 2.5), (1.15, 2.7), (0.1, 1.2)]
    stick = [(2.35, 2.95), (2.75, 3.0), (3.3, 1.2), (3.1, 1.15)]
    bucket = [
        (3.35, 1.3),
        (3.0, 1.3),
        (2.55, 0.75),
        (2.5, 0.3),
        (2.85, 0.1),
        (3.4, 0.35),
        (3.0, 0.7),
    ]
    rams = [
        [(0.5, 0, 1.3), (1.1, 0, 2.5)],
        [(1.1, 0, 3.15), (2.4, 0, 3.0)],
        [(2.9, 0, 2.6), (3.5, 0, 1.3)],
    ]
    return [
        extruded(boom, 0.2, "paint", MACHINE, -0.1),
        extruded(stick, 0.15, "paint", MACHINE, -0.1),
        extruded(bucket, 0.5, "bucket", (0.2, 0.2, 0.21), -0.1),
        moved(painted(join([tube(ram, 0.07, 6) for ram in rams]), "ram", RIM), (0, -0.1, 0)),
    ]


MAKERS: Mapping[str, Maker] = {
    "tractor": tractor,
    "excavator": excavator,
}
"""How each of these kinds is made."""
