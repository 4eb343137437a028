"""Farm animals, game, pets and bears: what tells each species from a body on four legs."""

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np

from hartsim.types import Vector3
from hartsim.worlds import meshes
from hartsim.worlds.builds import BEAR, CAT, COW, FOX, HORSE, MOOSE, SHEEP, WHITE, WILD_BOAR
from hartsim.worlds.figures import grounded
from hartsim.worlds.fitting import fitted
from hartsim.worlds.looks import Look, Maker
from hartsim.worlds.meshes import join, mirrored_y, moved, painted, tube
from hartsim.worlds.quadrupeds import BLACK, Build, oval, patched, quadruped, smooth
from hartsim.worlds.stage import Colour, Mesh, Solid

HORN: Colour = (0.82, 0.76, 0.62)
PINK: Colour = (0.86, 0.62, 0.56)


def _both(part: Mesh) -> Mesh:
    """The part and its mirror image."""
    return join([part, mirrored_y(part)])


def _cow_parts() -> list[Mesh]:
    """Horns, a pale muzzle and an udder."""
    horn = tube(
        [(1.0, 0.1, 1.48), (1.02, 0.24, 1.54), (1.08, 0.26, 1.66)], (0.035, 0.028, 0.006), 6
    )
    muzzle = moved(meshes.sphere(0.5, 9, 6), (1.4, 0, 1.18), scale=(0.16, 0.2, 0.2))
    udder = moved(meshes.sphere(0.5, 9, 6), (-0.5, 0, 0.68), scale=(0.36, 0.32, 0.26))
    return [
        painted(_both(horn), "horn", HORN),
        painted(muzzle, "muzzle", PINK),
        painted(udder, "udder", PINK),
    ]


def _horse_parts() -> list[Mesh]:
    """A mane from the withers to between the ears."""
    crest = smooth([(0.34, 0, 1.52), (0.56, 0, 1.7), (0.76, 0, 1.92), (0.98, 0, 2.07)])
    mane = oval(crest, 0.085, 7, 0.55)
    locks = [
        tube([(x, -0.05, z - 0.02), (x - 0.04, -0.16, z - 0.2)], (0.07, 0.03), 5, flat=0.5)
        for x, _, z in crest[1::2].tolist()
    ]
    return [painted(join([mane, *locks]), "mane", BLACK)]


def _moose_parts() -> list[Mesh]:
    """Shovel antlers, a bell below the throat."""
    bell = tube([(1.06, 0, 1.62), (1.1, 0, 1.46), (1.1, 0, 1.28)], (0.08, 0.07, 0.02), 6)
    return [painted(bell, "fur", MOOSE.fur), painted(_both(_shovel()), "horn", HORN)]


def _shovel() -> Mesh:
    """The left antler: a beam that opens into a flat palm with points."""
    beam = tube([(1.0, 0.08, 1.98), (0.98, 0.3, 2.06), (0.94, 0.46, 2.12)], (0.04, 0.035, 0.04), 6)
    rim = [
        (1.0, 0.36, 2.06),
        (1.26, 0.5, 2.1),
        (1.25, 0.58, 2.17),
        (1.36, 0.74, 2.32),
        (1.24, 0.78, 2.36),
        (1.2, 0.9, 2.52),
        (1.09, 0.88, 2.5),
        (1.0, 0.96, 2.6),
        (0.9, 0.91, 2.53),
        (0.78, 0.94, 2.58),
        (0.73, 0.86, 2.5),
        (0.6, 0.8, 2.46),
        (0.66, 0.6, 2.26),
        (0.8, 0.42, 2.1),
    ]
    middle = (0.96, 0.66, 2.26)
    fan = [(k, (k + 1) % len(rim), len(rim)) for k in range(len(rim))]
    palm = meshes.mesh_of([*rim, middle], fan, crease_deg=20)
    below = moved(meshes.inside_out(palm), (0.0, 0.012, -0.02))
    return join([beam, palm, below])


def _boar_parts() -> list[Mesh]:
    """A flat snout, tusks, and a crest of bristles along the back."""
    upright = meshes.turn((0.0, 1.0, 0.0), 1.4)
    disc = moved(meshes.cylinder(0.07, 0.03, 9), (0.99, 0, 0.315), upright)
    tusk = tube(
        [(0.86, 0.07, 0.3), (0.92, 0.11, 0.32), (0.9, 0.12, 0.42)], (0.018, 0.015, 0.003), 5
    )
    back = smooth(
        ((-0.46, 0, 0.7), (-0.1, 0, 0.77), (0.2, 0, 0.9), (0.46, 0, 0.8), (0.62, 0, 0.66))
    )
    crest = oval(back, 0.08, 6, 0.4)
    return [
        painted(disc, "snout", (0.45, 0.33, 0.3)),
        painted(_both(tusk), "tusk", WHITE),
        painted(crest, "bristle", (0.1, 0.08, 0.07)),
    ]


def _fox_parts() -> list[Mesh]:
    """A white bib, cheeks and tip of the tail, a black nose."""
    bib = moved(meshes.sphere(0.5, 9, 6), (0.29, 0, 0.4), scale=(0.14, 0.15, 0.24))
    chin = tube([(0.4, 0, 0.49), (0.5, 0, 0.465), (0.57, 0, 0.455)], (0.05, 0.034, 0.016), 7)
    tip = tube([(-0.74, 0, 0.265), (-0.82, 0, 0.25), (-0.9, 0, 0.25)], (0.082, 0.06, 0.01), 8)
    nose = moved(meshes.icosphere(0, 0.02), (0.58, 0, 0.47))
    return [painted(join([bib, chin, tip]), "white", WHITE), painted(nose, "nose", BLACK)]


def _bear_parts() -> list[Mesh]:
    """A pale muzzle with a dark nose."""
    muzzle = tube([(0.92, 0, 0.82), (1.02, 0, 0.79), (1.1, 0, 0.78)], (0.15, 0.115, 0.08), 9)
    nose = moved(meshes.sphere(0.05, 7, 5), (1.12, 0, 0.81))
    return [painted(muzzle, "muzzle", (0.52, 0.39, 0.26)), painted(nose, "nose", BLACK)]


def _sheep_parts() -> list[Mesh]:
    """Locks of wool all over the trunk."""
    places = [(x, a) for x in (-0.24, 0.22) for a in (-1.0, 1.0)]
    locks = []
    for number, (x, angle) in enumerate(places):
        at = (x, 0.24 * np.sin(angle), 0.64 + 0.24 * np.cos(angle))
        lock = meshes.blob(number, (0.6, 0.46, 0.38), 0.22, level=0)
        locks.append(moved(lock, (at[0], float(at[1]), float(at[2]))))
    return [painted(join(locks), "fur", SHEEP.fur)]


def _none() -> list[Mesh]:
    return []


SPECIES: Mapping[str, tuple[Build, Callable[[], list[Mesh]]]] = {
    "cow": (COW, _cow_parts),
    "horse": (HORSE, _horse_parts),
    "moose": (MOOSE, _moose_parts),
    "wild_boar": (WILD_BOAR, _boar_parts),
    "cat": (CAT, _none),
    "fox": (FOX, _fox_parts),
    "bear": (BEAR, _bear_parts),
    "sheep": (SHEEP, _sheep_parts),
}


@lru_cache(maxsize=24)
def animal(name: str, pattern: int = 0) -> Mesh:
    """An animal of a species; cows and cats have patches that differ from pattern to pattern."""
    build, parts = SPECIES[name]
    body = join([*quadruped(build), *parts()])
    if name in PATCHES:
        body = patched(body, "fur", "patch", BLACK, PATCHES[name], pattern)
    return grounded(body)


PATCHES = {"cow": 0.45, "cat": 0.3}
"""Which share of a species' fur has another colour."""

COATS: Mapping[str, tuple[tuple[Colour, Colour], ...]] = {
    "cow": (
        (WHITE, (0.08, 0.07, 0.07)),
        (WHITE, (0.5, 0.26, 0.13)),
        ((0.55, 0.31, 0.17), (0.48, 0.26, 0.14)),
    ),
    "horse": (
        ((0.45, 0.25, 0.13), BLACK),
        ((0.3, 0.16, 0.09), BLACK),
        ((0.85, 0.83, 0.8), (0.75, 0.73, 0.7)),
    ),
    "moose": (((0.2, 0.14, 0.1), BLACK), ((0.27, 0.19, 0.13), BLACK)),
    "wild_boar": (((0.2, 0.165, 0.135), BLACK), ((0.28, 0.22, 0.17), BLACK)),
    "cat": (
        ((0.8, 0.5, 0.24), (0.6, 0.32, 0.12)),
        ((0.09, 0.08, 0.08), (0.05, 0.05, 0.05)),
        ((0.5, 0.49, 0.48), (0.26, 0.25, 0.25)),
        (WHITE, (0.1, 0.09, 0.09)),
    ),
    "fox": (((0.8, 0.36, 0.12), BLACK), ((0.72, 0.3, 0.1), BLACK)),
    "bear": (((0.3, 0.19, 0.11), BLACK), ((0.4, 0.27, 0.15), BLACK), ((0.1, 0.085, 0.08), BLACK)),
}
"""Fur, and patches or mane, of each species."""


def _maker(name: str) -> Maker:
    def make(size_m: Vector3, look: Look) -> list[Solid]:
        coats = COATS[name]
        fur, other = coats[look.seed % len(coats)]
        colours = {"fur": look.colour or fur, "patch": other}
        if name == "horse":
            colours["mane"] = other
        return fitted(animal(name, look.seed % 3), size_m, colours)

    return make


MAKERS: Mapping[str, Maker] = {name: _maker(name) for name in COATS}
"""How each of these kinds is made."""
