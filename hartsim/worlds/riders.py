"""People on wheels and on horseback."""

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from hartsim.types import Vector3
from hartsim.worlds import figures, meshes, vehicles
from hartsim.worlds.fitting import fitted
from hartsim.worlds.looks import PAINTS, Look, Maker
from hartsim.worlds.meshes import join, moved, painted, tube
from hartsim.worlds.species import COATS, animal
from hartsim.worlds.stage import Mesh, Solid
from hartsim.worlds.walkers import DARK, METAL, SPORTS, dressed, wheel

CHILD = 0.63
"""How tall a child of a rider is, of an adult."""


def wheelchair_user(size_m: Vector3, look: Look) -> list[Solid]:
    """Someone in a wheelchair, hands on its rims."""
    return fitted(_in_wheelchair(look.detail), size_m, dressed(look))


@lru_cache(maxsize=4)
def _in_wheelchair(detail: int) -> Mesh:
    person = moved(figures.person("seated", detail=detail), (0.0, 0.0, 0.04))
    seat = moved(meshes.box((0.46, 0.44, 0.06), 0.02), (0.04, 0, 0.5))
    back = moved(meshes.box((0.05, 0.44, 0.46), 0.02), (-0.2, 0, 0.74))
    rest = moved(meshes.box((0.2, 0.34, 0.03)), (0.6, 0, 0.12))
    fabric = painted(join([seat, back, rest]), "seat", DARK)
    return join([person, fabric, *_wheelchair_side(1), *_wheelchair_side(-1)])


def _wheelchair_side(side: int) -> list[Mesh]:
    """A tall wheel with its push rim, a small one, tubes and an armrest."""
    y, frame_y, fork_y = 0.33 * side, 0.22 * side, 0.24 * side
    around = np.linspace(0, 2 * math.pi, 15)
    ring = np.column_stack(
        [0.26 * np.cos(around), np.full(15, y + 0.04 * side), 0.325 + 0.26 * np.sin(around)]
    )
    tubes = (
        [(-0.36, frame_y, 0.98), (-0.24, frame_y, 0.96), (-0.2, frame_y, 0.5)],
        [(-0.2, frame_y, 0.5), (0.36, frame_y, 0.5), (0.56, 0.16 * side, 0.14)],
        [(0.36, fork_y, 0.5), (0.46, fork_y, 0.1)],
    )
    armrest = moved(meshes.box((0.36, 0.05, 0.24), 0.02), (0.0, 0.25 * side, 0.66))
    return [
        moved(join(vehicles.hoop(0.0, 0.3, 0.025, 0.07)), (0.0, y, 0.0)),
        painted(tube(ring, 0.014, 5), "chrome", METAL),
        wheel((0.46, fork_y, 0.08), 0.08, 0.04),
        painted(join([tube(each, 0.018, 6) for each in tubes]), "frame"),
        painted(armrest, "side", DARK),
    ]


def skateboarder(size_m: Vector3, look: Look) -> list[Solid]:
    """Someone on a skateboard, sideways, knees bent and arms out."""
    colours = dressed(look, deck=look.pick(SPORTS, 2), shoes=(0.9, 0.9, 0.88))
    return fitted(_on_skateboard(look.detail), size_m, colours)


@lru_cache(maxsize=4)
def _on_skateboard(detail: int) -> Mesh:
    sideways = meshes.turn_z(-math.pi / 2)
    person = moved(figures.person("balancing", detail=detail), (0.02, 0.03, 0.13), sideways)
    wide = [(-0.52, 0.03, 0.2), (-0.4, 0.12, 0.12), (0.4, 0.12, 0.12), (0.52, 0.03, 0.2)]
    rings = [[(x, y, z) for y, z in _slab(half, level)] for x, half, level in wide]
    parts = [person, painted(meshes.loft(np.array(rings)), "deck", SPORTS[0])]
    parts += [wheel((x, y, 0.045), 0.045, 0.06) for x in (-0.3, 0.3) for y in (0.1, -0.1)]
    return join(parts)


def _slab(half: float, level: float) -> list[tuple[float, float]]:
    """The cross-section of a thin board."""
    return [(half, level), (half, level + 0.025), (-half, level + 0.025), (-half, level)]


def scooter_rider(size_m: Vector3, look: Look) -> list[Solid]:
    """Someone standing on an electric kick scooter."""
    colours = dressed(look, paint=DARK, accent=look.pick(SPORTS, 2), helmet=look.pick(SPORTS, 4))
    return fitted(_on_scooter(look.detail), size_m, colours)


@lru_cache(maxsize=4)
def _on_scooter(detail: int) -> Mesh:
    person = figures.person("steering", detail=detail, wears=("helmet",))
    deck = moved(meshes.box((0.72, 0.17, 0.08), 0.02), (-0.02, 0, 0.16))
    stem = tube([(0.5, 0, 0.14), (0.4, 0, 0.66), (0.34, 0, 1.26)], 0.035, 7)
    bar = tube([(0.34, 0.28, 1.26), (0.36, 0, 1.27), (0.34, -0.28, 1.26)], 0.022, 6)
    neck = tube([(0.3, 0, 0.17), (0.46, 0, 0.3)], 0.045, 6)
    lamp = moved(meshes.box((0.06, 0.07, 0.08), 0.02), (0.4, 0, 1.12))
    strip = moved(meshes.box((0.6, 0.175, 0.03)), (-0.02, 0, 0.16))
    return join(
        [
            moved(person, (-0.04, 0.0, 0.2)),
            painted(join([deck, stem, bar, neck]), "paint", DARK),
            painted(strip, "accent", SPORTS[2]),
            painted(lamp, "head", (0.95, 0.95, 0.9)),
            wheel((0.52, 0, 0.12), 0.12, 0.06),
            wheel((-0.44, 0, 0.12), 0.12, 0.06),
        ]
    )


def child_on_bicycle(size_m: Vector3, look: Look) -> list[Solid]:
    """A child with a helmet on a small bicycle with stabilisers and a pennant."""
    colours = dressed(look, paint=look.pick(PAINTS[3:6], 1), helmet=look.pick(SPORTS, 2))
    return fitted(_child_on_bicycle(look.detail), size_m, colours)


@lru_cache(maxsize=4)
def _child_on_bicycle(detail: int) -> Mesh:
    person = figures.person("cycling", child=True, detail=detail, wears=("helmet",))
    mast = tube([(-0.3, 0, 0.2), (-0.34, 0, 1.36)], 0.008, 4)
    corners = [(-0.34, 0, 1.36), (-0.34, 0, 1.16), (-0.64, 0.02, 1.26)]
    pennant = meshes.mesh_of(corners, [(0, 1, 2), (2, 1, 0)])
    parts = [
        moved(person, (-0.12, 0, 0.0), scale=CHILD),
        moved(vehicles.bicycle(), scale=(0.6, 0.75, 0.58)),
        painted(mast, "mast", (0.9, 0.9, 0.88)),
        painted(pennant, "pennant", (1.0, 0.45, 0.05)),
    ]
    for side in (1, -1):
        strut = tube(
            [(-0.31, 0, 0.2), (-0.31, 0.17 * side, 0.18), (-0.33, 0.2 * side, 0.08)], 0.014, 5
        )
        parts += [painted(strut, "strut", METAL), wheel((-0.33, 0.22 * side, 0.07), 0.07, 0.04)]
    return join(parts)


def horse_rider(size_m: Vector3, look: Look) -> list[Solid]:
    """Someone with a helmet on a walking horse."""
    fur, mane = COATS["horse"][look.seed % len(COATS["horse"])]
    colours = dressed(look, fur=fur, mane=mane, helmet=DARK, bottom=(0.86, 0.83, 0.75))
    return fitted(_on_horse(look.detail), size_m, colours)


@lru_cache(maxsize=4)
def _on_horse(detail: int) -> Mesh:
    person = figures.person("riding", detail=detail, wears=("helmet",))
    saddle = moved(meshes.sphere(0.5, 10, 6), (-0.06, 0, 1.44), scale=(0.6, 0.5, 0.26))
    reins = [
        tube(
            [(0.36, 0.08 * side, 1.7), (0.8, 0.16 * side, 1.72), (1.2, 0.09 * side, 1.72)], 0.012, 4
        )
        for side in (1, -1)
    ]
    return join(
        [
            animal("horse"),
            moved(person, (-0.06, 0.0, 0.62)),
            painted(join([saddle, *reins]), "leather", (0.2, 0.12, 0.08)),
        ]
    )


MAKERS: Mapping[str, Maker] = {
    "wheelchair_user": wheelchair_user,
    "skateboarder": skateboarder,
    "scooter_rider": scooter_rider,
    "child_on_bicycle": child_on_bicycle,
    "horse_rider": horse_rider,
}
"""How each of these kinds is made."""
