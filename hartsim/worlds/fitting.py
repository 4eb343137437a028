"""Meshes fitted to the box of an object, and the lights that shine on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hartsim.types import Vector3
from hartsim.worlds import meshes, vehicles
from hartsim.worlds.looks import Look
from hartsim.worlds.stage import Colour, Mesh, Solid

BLUE_LIGHT: Colour = (0.25, 0.45, 1.0)
RED_LIGHT: Colour = (1.0, 0.14, 0.1)
AMBER_LIGHT: Colour = (1.0, 0.62, 0.1)
WHITE_LIGHT: Colour = (1.0, 0.97, 0.86)


@dataclass(frozen=True)
class Light:
    """A light that shines: where its middle is in the frame of its mesh, its size, its colour."""

    at: Vector3
    size_m: Vector3
    colour: Colour
    is_square: bool = False


HEAD_M, TAIL_M = (0.16, 0.32, 0.16), (0.13, 0.26, 0.13)
"""The sizes of head and tail lights."""


def fitted(
    mesh: Mesh,
    size_m: Vector3,
    colours: Mapping[str, Colour],
    gloss: float = 0.1,
    lights: Sequence[Light] = (),
) -> list[Solid]:
    """The mesh stretched to fill a box that stands on the ground, with its lights on it."""
    low, high = meshes.bounds(mesh)
    scale = np.asarray(size_m) / (high - low)
    middle = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
    at = (0.0, 0.0, size_m[2] / 2)
    solids = [Solid("mesh", size_m, at, mesh=mesh, colours=colours, specular=gloss)]
    for light in lights:
        x, y, z = ((np.asarray(light.at) - middle) * scale).tolist()
        solids.append(_shining(light, (x, y, z)))
    return solids


def _shining(light: Light, at: Vector3) -> Solid:
    shape = meshes.box() if light.is_square else meshes.icosphere(0)
    colours = {"paint": light.colour}
    return Solid("mesh", light.size_m, at, mesh=shape, colours=colours, emission=1.0)


def carried_along(lights: Sequence[Light], position_m: Vector3, angle_rad: float) -> list[Light]:
    """The lights of a mesh that was turned about z and then moved."""
    turned = meshes.matrix_of(meshes.turn_z(angle_rad))
    places = [(turned @ light.at + position_m).tolist() for light in lights]
    return [replace(light, at=(x, y, z)) for light, (x, y, z) in zip(lights, places, strict=True)]


def head_lights(mesh: Mesh) -> list[Light]:
    """The head lights of a vehicle's mesh, switched on."""
    places = vehicles.light_places(mesh, "head")
    return [Light((x + 0.04, y, z), HEAD_M, WHITE_LIGHT) for x, y, z in places]


def road_lights(mesh: Mesh, look: Look) -> list[Light]:
    """Head and tail lights, where lamps are on."""
    if not look.lights_on:
        return []
    tails = vehicles.light_places(mesh, "tail")
    red = [Light((x - 0.04, y, z), TAIL_M, RED_LIGHT) for x, y, z in tails]
    return head_lights(mesh) + red


def warning_lights(mesh: Mesh) -> list[Light]:
    """Four amber indicators beside the head and tail lights, all on."""
    size = (0.12, 0.16, 0.12)
    lights = []
    for role, ahead in (("head", 0.05), ("tail", -0.05)):
        for x, y, z in vehicles.light_places(mesh, role):
            lights.append(Light((x + ahead, y * 1.12, z), size, AMBER_LIGHT))
    return lights
