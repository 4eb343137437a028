"""Large vehicles: school buses, refuse trucks, jackknifed trucks."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from hartsim.types import Vector3
from hartsim.worlds import meshes, vehicles
from hartsim.worlds.fitting import (
    AMBER_LIGHT,
    RED_LIGHT,
    Light,
    carried_along,
    fitted,
    road_lights,
    warning_lights,
)
from hartsim.worlds.looks import PAINTS, Look, Maker
from hartsim.worlds.meshes import join, moved, painted, shaded, tube
from hartsim.worlds.stage import Colour, Mesh, Solid
from hartsim.worlds.vehicles import GLASS, PAINT, RIM, TRIM

SCHOOL_YELLOW: Colour = (0.96, 0.66, 0.04)
WHITE: Colour = (0.92, 0.92, 0.9)
RED: Colour = (0.8, 0.08, 0.07)
GREY: Colour = (0.42, 0.44, 0.46)
DARK: Colour = (0.14, 0.14, 0.15)
BODIES: tuple[Colour, ...] = ((0.92, 0.45, 0.08), (0.2, 0.48, 0.26), (0.9, 0.9, 0.88))
TAPE: tuple[tuple[str, Colour], ...] = (("red", RED), ("white", WHITE))
"""Roles and colours of reflecting tape, in turns."""

Outline = Sequence[tuple[float, float]]
"""Corners along x and z of something seen from its side."""


def extruded(outline: Outline, half: float, role: str, colour: Colour, y: float = 0.0) -> Mesh:
    """A solid that has this outline from its side and is `half` wide to the left and right."""
    rings = [[(x, y + side, z) for x, z in outline] for side in (-half, half)]
    return meshes.loft(np.array(rings), colour, role, crease_deg=20)


def boxed(
    size: Vector3, at: Vector3, role: str = "paint", colour: Colour = PAINT, bevel: float = 0.0
) -> Mesh:
    """A box of one role and colour."""
    return painted(moved(meshes.box(size, bevel), at), role, colour)


def school_bus(size_m: Vector3, look: Look) -> list[Solid]:
    """A yellow school bus with a bonnet, its red lights on and its stop sign out."""
    mesh = _school_bus()
    lights = [
        Light((x, side * y, 2.9), (0.1, 0.24, 0.2), RED_LIGHT)
        for x in (3.0, -4.6)
        for y in (0.82, 0.5)
        for side in (1, -1)
    ]
    return fitted(mesh, size_m, {}, 0.3, lights + road_lights(mesh, look))


@lru_cache(maxsize=1)
def _school_bus() -> Mesh:
    body = shaded(boxed((7.5, 2.4, 2.5), (-0.85, 0, 1.8), "paint", SCHOOL_YELLOW, 0.18), 0.72, 1.0)
    bonnet = [(2.8, 0.6), (4.4, 0.6), (4.55, 0.75), (4.5, 1.45), (4.2, 1.66), (2.8, 1.8)]
    parts = [
        body,
        boxed((7.2, 2.1, 0.1), (-0.85, 0, 3.06), "roof", WHITE, 0.04),
        extruded(bonnet, 0.98, "paint", SCHOOL_YELLOW),
        boxed((0.06, 1.3, 0.6), (4.54, 0, 1.12), "grille", DARK),
        boxed((0.2, 2.2, 0.3), (4.6, 0, 0.62), "trim", TRIM, 0.04),
        boxed((0.16, 2.3, 0.3), (-4.64, 0, 0.62), "trim", TRIM, 0.04),
        boxed((0.06, 2.1, 0.82), (2.9, 0, 2.2), "glass", GLASS, 0.02),
        boxed((0.06, 0.8, 1.6), (-4.6, 0, 1.7), "panel", (0.86, 0.56, 0.03)),
        boxed((0.07, 0.62, 0.6), (-4.61, 0, 2.2), "glass", GLASS),
        boxed((0.07, 2.0, 0.26), (2.9, 0, 2.84), "trim", TRIM),
        boxed((0.07, 2.0, 0.26), (-4.6, 0, 2.84), "trim", TRIM),
        *_stop_sign(),
    ]
    door = boxed((0.8, 0.06, 1.9), (2.35, -1.19, 1.65), "trim", TRIM)
    return join([*parts, door, *_school_bus_side(1), *_school_bus_side(-1)])


def _school_bus_side(side: int) -> list[Mesh]:
    """Windows, black rails, wheels, lamps and the mirror of one side."""
    rails = [boxed((7.3, 0.06, 0.07), (-0.85, side * 1.195, z)) for z in (1.1, 1.46, 1.84)]
    rails.append(tube([(2.95, side * 1.1, 2.5), (3.5, side * 1.3, 2.2)], 0.04, 5))
    rails.append(boxed((0.1, 0.2, 0.34), (3.5, side * 1.3, 2.05)))
    panes = [boxed((0.68, 0.05, 0.66), (-4.1 + 0.86 * k, side * 1.19, 2.3)) for k in range(8)]
    parts = [
        painted(join(rails), "trim", TRIM),
        painted(join(panes), "glass", GLASS),
        boxed((0.08, 0.3, 0.2), (4.56, side * 0.8, 1.1), "head", vehicles.HEAD),
        boxed((0.06, 0.22, 0.22), (-4.62, side * 0.92, 1.2), "tail", vehicles.TAIL),
    ]
    for x, half in ((3.55, 0.985), (-2.9, 1.2)):
        parts.append(vehicles.arch(x, side * half, 0.52, 2))
        parts.append(vehicles.wheel(x, side * (half + 0.018), 0.48, 2, 0.3))
    return parts


def _stop_sign() -> list[Mesh]:
    """A red octagon with a white rim that stands out on the left, seen from both ends."""
    parts = [boxed((0.04, 0.5, 0.06), (1.9, 1.3, 1.62), "trim", TRIM)]
    for facing in (1, -1):
        turned = meshes.turn((0.0, 1.0, 0.0), facing * math.pi / 2)
        rim = moved(meshes.disc(0.34, 8), (1.9 + facing * 0.03, 1.56, 1.62), turned)
        face = moved(meshes.disc(0.29, 8), (1.9 + facing * 0.04, 1.56, 1.62), turned)
        parts += [painted(rim, "sign_rim", WHITE), painted(face, "sign", RED)]
    return parts


def garbage_truck(size_m: Vector3, look: Look) -> list[Solid]:
    """A refuse truck with a ribbed body, an open hopper and amber lights."""
    mesh = _garbage_truck()
    lights = [Light((3.1, side * 0.8, 2.72), (0.26, 0.3, 0.2), AMBER_LIGHT) for side in (1, -1)]
    lights += [Light((-3.2, side * 0.9, 2.98), (0.24, 0.26, 0.2), AMBER_LIGHT) for side in (1, -1)]
    body = look.colour or look.pick(BODIES)
    colours = {"paint": WHITE, "body": body}
    return fitted(mesh, size_m, colours, 0.2, lights + road_lights(mesh, look))


@lru_cache(maxsize=1)
def _garbage_truck() -> Mesh:
    hull = [(1.7, 0.95), (1.7, 2.7), (1.4, 3.05), (-2.5, 3.05), (-2.5, 0.95)]
    mouth = boxed((0.1, 1.96, 1.0), (0, 0, 0), "inside", DARK)
    tail = [(-2.5, 0.9), (-2.5, 3.1), (-3.2, 3.0), (-3.72, 2.3), (-3.86, 1.75), (-3.3, 0.9)]
    parts = [
        vehicles.cab(),
        extruded(hull, 1.2, "body", BODIES[0]),
        extruded(tail, 1.22, "body", BODIES[0]),
        boxed((7.0, 0.9, 0.3), (-0.1, 0, 0.74), "trim", TRIM),
        moved(mouth, (-3.66, 0, 1.42), meshes.turn((0.0, 1.0, 0.0), 0.58)),
        boxed((0.5, 2.3, 0.1), (-3.7, 0, 0.62), "step", GREY),
        boxed((0.3, 1.4, 0.12), (3.1, 0, 2.6), "trim", TRIM),
        *_bin(),
    ]
    for number, y in enumerate(np.arange(-1.0, 1.1, 0.4).tolist()):
        role, colour = TAPE[number % 2]
        parts.append(boxed((0.06, 0.4, 0.2), (-3.96, y, 0.62), role, colour))
    for side in (1, -1):
        for x in np.arange(-2.1, 1.6, 0.6).tolist():
            parts.append(boxed((0.1, 0.08, 1.9), (x, side * 1.21, 2.0), "rib", GREY))
        parts.append(boxed((4.0, 0.06, 0.18), (-0.4, side * 1.23, 1.05), "rib", GREY))
        parts.append(boxed((0.06, 0.24, 0.2), (-3.94, side * 1.06, 0.9), "tail", vehicles.TAIL))
        for x in (2.65, -1.7, -2.7):
            parts.append(vehicles.wheel(x, side * 1.19, 0.46, 2, 0.3))
    return join(parts)


def _bin() -> list[Mesh]:
    """A wheeled bin lifted to the hopper."""
    tilt = meshes.turn((0.0, 1.0, 0.0), -0.5)
    tub = moved(meshes.cone(0.42, 1.0, 4, top=0.52), rotation=meshes.turn_z(math.pi / 4))
    lid = moved(meshes.box((0.74, 0.74, 0.07)), (0, 0, 0.53))
    return [
        painted(moved(tub, (-3.72, -0.46, 1.12), tilt, (0.9, 0.9, 0.9)), "bin", (0.13, 0.3, 0.16)),
        painted(moved(lid, (-3.72, -0.46, 1.12), tilt, (0.9, 0.9, 0.9)), "lid", (0.85, 0.66, 0.1)),
    ]


def jackknifed_truck(size_m: Vector3, look: Look) -> list[Solid]:
    """A truck whose trailer has swung round against it, hazard lights on."""
    mesh = _jackknifed()
    colours = {
        "paint": look.colour or look.pick(PAINTS),
        "trailer": look.pick(PAINTS[:1] + PAINTS[4:8], 3),
    }
    lights = [
        *carried_along(warning_lights(_trailer()), *TRAILER_AT),
        *carried_along(warning_lights(_tractor_unit()), *TRACTOR_AT),
    ]
    return fitted(mesh, size_m, colours, 0.2, lights)


TRAILER_AT: tuple[Vector3, float] = ((-0.9, -0.5, 0.0), -0.16)
TRACTOR_AT: tuple[Vector3, float] = ((3.2, 0.35, 0.0), 1.15)
"""Where the halves of a jackknifed truck stand, and their headings in radians."""


@lru_cache(maxsize=1)
def _jackknifed() -> Mesh:
    halves = ((_trailer(), *TRAILER_AT), (_tractor_unit(), *TRACTOR_AT))
    return join([moved(half, at, meshes.turn_z(heading)) for half, at, heading in halves])


@lru_cache(maxsize=1)
def _trailer() -> Mesh:
    """A box trailer 8.4 m long on two axles."""
    box = shaded(boxed((8.4, 2.4, 2.6), (0, 0, 2.3), "trailer", WHITE, 0.04), 0.72, 1.0)
    parts = [
        box,
        boxed((8.0, 1.0, 0.3), (0, 0, 0.86), "trim", TRIM),
        boxed((0.12, 2.3, 0.26), (-4.2, 0, 0.66), "trim", TRIM),
        boxed((0.04, 0.05, 2.4), (-4.21, 0, 2.3), "trim", TRIM),
        boxed((0.05, 2.3, 0.16), (-4.21, 0, 1.12), "red", RED),
    ]
    for side in (1, -1):
        parts.append(boxed((3.4, 0.06, 0.5), (0.4, side * 1.12, 0.75), "guard", GREY))
        parts.append(boxed((0.12, 0.12, 0.9), (2.6, side * 0.7, 0.5), "trim", TRIM))
        parts.append(boxed((0.06, 0.28, 0.2), (-4.22, side * 0.98, 0.9), "tail", vehicles.TAIL))
        parts += [vehicles.wheel(x, side * 1.15, 0.48, 2, 0.34) for x in (-2.2, -3.3)]
        for number, x in enumerate(np.arange(-3.8, 4.0, 0.95).tolist()):
            role, colour = TAPE[number % 2]
            parts.append(boxed((0.5, 0.03, 0.08), (x, side * 1.205, 1.1), role, colour))
    return join(parts)


@lru_cache(maxsize=1)
def _tractor_unit() -> Mesh:
    """A tractor unit about its coupling: high cab ahead, bare frame behind."""
    parts = [
        moved(vehicles.cab(), (-1.5, 0, 0.0), scale=(1.0, 1.03, 1.28)),
        boxed((3.6, 0.9, 0.26), (0.7, 0, 0.78), "trim", TRIM),
        boxed((0.9, 0.9, 0.12), (0.0, 0, 0.98), "coupling", GREY),
        boxed((0.3, 2.0, 0.5), (0.6, 0, 3.3), "paint", PAINT, 0.08),
    ]
    for side in (1, -1):
        parts.append(boxed((0.9, 0.5, 0.5), (0.95, side * 0.9, 0.62), "tank", RIM, 0.1))
        parts += [vehicles.wheel(x, side * 1.17, 0.48, 2, 0.32) for x in (1.45, -0.3)]
    return join(parts)


MAKERS: Mapping[str, Maker] = {
    "school_bus": school_bus,
    "garbage_truck": garbage_truck,
    "jackknifed_truck": jackknifed_truck,
}
"""How each of these kinds is made."""
