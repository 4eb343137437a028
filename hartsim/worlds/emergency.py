"""Police cars, ambulances and fire engines, their lights flashing."""

import math
from collections.abc import Mapping
from functools import lru_cache

from hartsim.types import Vector3
from hartsim.worlds import meshes, vehicles
from hartsim.worlds.fitting import BLUE_LIGHT, RED_LIGHT, Light, fitted, road_lights
from hartsim.worlds.liveries import both_sides, checks, cross
from hartsim.worlds.looks import Look, Maker
from hartsim.worlds.meshes import join, moved, painted, shaded
from hartsim.worlds.stage import Colour, Mesh, Solid
from hartsim.worlds.vehicles import SEDAN, TRIM, VAN

WHITE: Colour = (0.92, 0.93, 0.94)
BLACK: Colour = (0.06, 0.06, 0.07)
BLUE: Colour = (0.08, 0.2, 0.62)
YELLOW: Colour = (0.9, 0.88, 0.12)
RED: Colour = (0.78, 0.07, 0.06)
SILVER: Colour = (0.66, 0.68, 0.7)


def police_car(size_m: Vector3, look: Look) -> list[Solid]:
    """A patrol car: white with blue and yellow checks, or black with white doors."""
    checked = look.seed % 2 == 0
    mesh = _police_car(checked, look.detail)
    other = BLUE_LIGHT if checked else RED_LIGHT
    bar = [
        Light((-0.34, side * 0.33, 1.58), (0.28, 0.52, 0.18), light, True)
        for side, light in ((1, other), (-1, BLUE_LIGHT))
    ]
    colours = {"paint": WHITE if checked else BLACK}
    return fitted(mesh, size_m, colours, 0.4, bar + road_lights(mesh, look))


@lru_cache(maxsize=8)
def _police_car(checked: bool, detail: int) -> Mesh:
    base = moved(meshes.box((0.3, 1.2, 0.06)), (-0.34, 0, 1.48))
    strut = moved(meshes.box((0.24, 0.16, 0.18)), (-0.34, 0, 1.58))
    parts = [vehicles.car("sedan", detail), painted(join([base, strut]), "bar", TRIM)]
    if checked:
        colours = (("check", BLUE), ("other_check", YELLOW))
        parts += checks(SEDAN, (-2.1, 1.9), (0.5, 0.84), 8, colours)
    else:
        parts.append(both_sides(SEDAN, (-1.02, 0.98), (0.32, 0.93), "door", WHITE))
        parts.append(painted(_star(), "star", (0.85, 0.7, 0.25)))
    return join(parts)


def _star() -> Mesh:
    """A badge on each front door."""
    shield = meshes.disc(0.16, 6)
    badges = []
    for side in (1, -1):
        turned = meshes.turn((1.0, 0.0, 0.0), -side * math.pi / 2)
        badges.append(moved(shield, (0.4, side * 0.945, 0.66), turned))
    return join(badges)


def ambulance(size_m: Vector3, look: Look) -> list[Solid]:
    """A high white van with a red band, red crosses and blue lights."""
    mesh = _ambulance(look.detail)
    lights = [
        Light((x, side * 0.56, 2.36), (0.3, 0.42, 0.16), BLUE_LIGHT, True)
        for x in (0.96, -2.3)
        for side in (1, -1)
    ]
    lights += [Light((2.5, side * 0.4, 0.84), (0.06, 0.14, 0.09), BLUE_LIGHT) for side in (1, -1)]
    return fitted(mesh, size_m, {"paint": WHITE}, 0.4, lights + road_lights(mesh, look))


@lru_cache(maxsize=4)
def _ambulance(detail: int) -> Mesh:
    bases = []
    for x in (0.96, -2.3):
        bases.append(moved(meshes.box((0.36, 1.62, 0.08), 0.02), (x, 0, 2.29)))
        bases.append(moved(meshes.box((0.3, 0.6, 0.16), 0.02), (x, 0, 2.36)))
    parts = [vehicles.car("van", detail), painted(join(bases), "bar", WHITE)]
    parts.append(both_sides(VAN, (-2.5, 2.3), (0.78, 1.06), "band", RED))
    parts.append(both_sides(VAN, (-2.5, 1.0), (1.2, 1.3), "line", YELLOW))
    for side in (1, -1):
        parts.append(moved(cross(RED, "band", 0.56, 0.1), (-1.2, side * 0.9, 1.72)))
        window = moved(meshes.box((0.7, 0.08, 0.4)), (-0.1, side * 0.885, 1.8))
        parts.append(painted(window, "glass", vehicles.GLASS))
        pane = moved(meshes.box((0.05, 0.56, 0.46)), (-2.55, side * 0.36, 1.78))
        parts.append(painted(pane, "glass", vehicles.GLASS))
    across = meshes.turn_z(math.pi / 2)
    rear = moved(cross(RED, "band", 0.42, 0.08), (-2.57, 0.0, 1.36), across)
    chevron = moved(meshes.box((0.04, 1.6, 0.2)), (-2.59, 0, 0.98))
    return join([*parts, rear, painted(chevron, "band", RED)])


def fire_truck(size_m: Vector3, look: Look) -> list[Solid]:
    """A red fire engine with silver shutters, a ladder on its roof and blue lights."""
    mesh = _fire_truck()
    lights = [
        Light((3.2, side * 0.68, 2.9), (0.34, 0.56, 0.2), BLUE_LIGHT, True) for side in (1, -1)
    ]
    lights += [
        Light((-3.62, side * 0.98, 2.92), (0.2, 0.24, 0.2), BLUE_LIGHT, True) for side in (1, -1)
    ]
    return fitted(mesh, size_m, {"paint": RED}, 0.3, lights + road_lights(mesh, look))


@lru_cache(maxsize=1)
def _fire_truck() -> Mesh:
    crew = moved(meshes.box((1.5, 2.28, 1.9), 0.08), (1.3, 0, 1.6))
    body = moved(meshes.box((4.3, 2.4, 2.1), 0.06), (-1.58, 0, 1.78))
    parts = [
        vehicles.cab(),
        shaded(painted(join([crew, body]), "paint", RED), 0.72, 1.0),
        painted(moved(meshes.box((7.2, 0.9, 0.3)), (-0.1, 0, 0.72)), "trim", TRIM),
        painted(moved(meshes.box((0.12, 2.3, 0.3), 0.03), (-3.76, 0, 0.6)), "stripe", WHITE),
        painted(moved(meshes.box((0.24, 2.34, 0.34), 0.06), (3.68, 0, 0.52)), "stripe", WHITE),
        painted(moved(meshes.box((0.4, 1.9, 0.1), 0.03), (3.2, 0, 2.76)), "trim", TRIM),
        painted(moved(meshes.box((0.05, 1.5, 1.5)), (-3.73, 0, 1.9)), "shutter", SILVER),
        *_ladder(),
    ]
    for side in (1, -1):
        for x in (-3.0, -1.62, -0.24):
            shutter = moved(meshes.box((1.18, 0.05, 1.24)), (x, side * 1.195, 2.02))
            parts.append(painted(shutter, "shutter", SILVER))
            slats = [
                moved(meshes.box((1.18, 0.055, 0.03)), (x, side * 1.197, z))
                for z in (1.6, 1.84, 2.08, 2.32)
            ]
            parts.append(painted(join(slats), "slat", (0.46, 0.48, 0.5)))
        window = moved(meshes.box((1.0, 0.06, 0.62)), (1.3, side * 1.13, 2.05))
        parts.append(painted(window, "glass", vehicles.GLASS))
        stripe = moved(meshes.box((7.2, 0.05, 0.2)), (-0.1, side * 1.19, 1.2))
        parts.append(painted(stripe, "stripe", WHITE))
        yellow = moved(meshes.box((7.2, 0.05, 0.07)), (-0.1, side * 1.19, 1.05))
        parts.append(painted(yellow, "line", YELLOW))
        tail = moved(meshes.box((0.06, 0.26, 0.2)), (-3.78, side * 1.0, 0.95))
        parts.append(painted(tail, "tail", vehicles.TAIL))
        parts += [vehicles.wheel(x, side * 1.215, 0.48, 2, 0.32) for x in (2.6, -2.1)]
        parts += [vehicles.arch(x, side * 1.203, 0.48, 2) for x in (2.6, -2.1)]
    return join(parts)


def _ladder() -> list[Mesh]:
    """A ladder lying on the roof on two trestles."""
    rails = [moved(meshes.box((6.0, 0.08, 0.16)), (-0.7, y, 3.2)) for y in (0.36, -0.36)]
    rungs = [moved(meshes.box((0.06, 0.7, 0.06)), (-3.4 + 0.45 * k, 0, 3.2)) for k in range(13)]
    feet = [moved(meshes.box((0.16, 0.9, 0.36)), (x, 0, 2.96)) for x in (-3.2, 0.9)]
    return [painted(join([*rails, *rungs]), "ladder", SILVER), painted(join(feet), "trim", TRIM)]


MAKERS: Mapping[str, Maker] = {
    "ambulance": ambulance,
    "police_car": police_car,
    "fire_truck": fire_truck,
}
"""How each of these kinds is made."""
