"""What people wear over their clothes, made for upright bodies: vests, coats and hats."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from hartsim.worlds import meshes
from hartsim.worlds.meshes import join, moved, painted, shaded
from hartsim.worlds.stage import Colour, Mesh

VEST: Colour = (0.96, 0.42, 0.06)
REFLECTIVE: Colour = (0.93, 0.94, 0.9)
COAT: Colour = (0.4, 0.33, 0.27)
HAT: Colour = (0.93, 0.8, 0.12)
CAP: Colour = (0.1, 0.13, 0.24)

Section = tuple[float, float, float]
"""Height, half depth and half width of a body at that height."""


def sheath(sections: list[Section], role: str, colour: Colour, detail: int) -> Mesh:
    """A rounded skin through upright sections of a body."""
    outline = meshes.rounded(meshes.fewer(12, detail), 2.5)
    rings = [_ring(outline, *section) for section in sections]
    return shaded(meshes.loft(np.stack(rings), colour, role, crease_deg=75), 0.78, 1.0)


def _ring(outline: NDArray[np.float64], z: float, deep: float, wide: float) -> NDArray[np.float64]:
    return np.column_stack([deep * outline[:, 0], wide * outline[:, 1], np.full(len(outline), z)])


def torso_sections(hip: float, shoulder: float) -> list[Section]:
    """The trunk from below the hip to the neck."""
    span = shoulder - hip
    return [
        (hip - 0.1, 0.1, 0.145),
        (hip + 0.02, 0.115, 0.165),
        (hip + 0.35 * span, 0.1, 0.145),
        (hip + 0.75 * span, 0.125, 0.19),
        (shoulder - 0.03, 0.11, 0.2),
        (shoulder + 0.03, 0.06, 0.1),
    ]


def _girth(hip: float, shoulder: float, z: float) -> tuple[float, float]:
    """Half depth and half width of the trunk at a height."""
    levels, deep, wide = zip(*torso_sections(hip, shoulder), strict=True)
    return float(np.interp(z, levels, deep)), float(np.interp(z, levels, wide))


def _belt(
    hip: float, shoulder: float, low: float, high: float, loose_m: float, role: str, colour: Colour
) -> Mesh:
    """A band round the trunk, some way outside it."""
    levels = np.linspace(low, high, 2 if high - low < 0.1 else 5).tolist()
    sections = []
    for z in levels:
        deep, wide = _girth(hip, shoulder, z)
        sections.append((z, deep + loose_m, wide + loose_m))
    return sheath(sections, role, colour, 3)


def vest(hip: float, shoulder: float) -> list[Mesh]:
    """A safety vest with two reflecting bands round it and one over each shoulder."""
    middle = (hip + shoulder) / 2
    parts = [_belt(hip, shoulder, hip - 0.04, shoulder - 0.02, 0.022, "vest", VEST)]
    for low in (hip + 0.06, middle + 0.05):
        parts.append(_belt(hip, shoulder, low, low + 0.06, 0.03, "reflective", REFLECTIVE))
    deep, _ = _girth(hip, shoulder, shoulder - 0.14)
    for side in (1, -1):
        for ahead in (1, -1):
            size = (0.02, 0.055, shoulder - middle - 0.1)
            at = (ahead * (deep + 0.022), side * 0.1, (shoulder + middle + 0.06) / 2)
            parts.append(painted(moved(meshes.box(size), at), "reflective", REFLECTIVE))
    return parts


def coat(hip: float, shoulder: float, detail: int) -> list[Mesh]:
    """A coat down to the knees."""
    sections = [
        (hip - 0.42, 0.17, 0.21),
        (hip - 0.1, 0.145, 0.185),
        *((z, d + 0.015, w + 0.015) for z, d, w in torso_sections(hip, shoulder)[2:5]),
    ]
    return [sheath(sections, "coat", COAT, detail)]


def hard_hat(middle: float, tall: float) -> list[Mesh]:
    """A builder's helmet on a head whose middle is at this height."""
    shell = moved(meshes.sphere(0.5, 12, 6), (-0.01, 0, middle + 0.07), scale=(0.27, 0.235, tall))
    brim = moved(meshes.cylinder(0.5, 1.0, 12), (0.03, 0, middle + 0.06), scale=(0.33, 0.26, 0.025))
    return [painted(join([shell, brim]), "hat", HAT)]


def peaked_cap(middle: float, tall: float) -> list[Mesh]:
    """A police officer's cap: a wide white crown over a dark band with a peak."""
    band = moved(meshes.cylinder(0.105, 0.06, 12), (-0.01, 0, middle + 0.09))
    peak = moved(meshes.cylinder(0.5, 1.0, 10), (0.09, 0, middle + 0.07), scale=(0.16, 0.18, 0.02))
    crown = meshes.lathe([(0.1, 0), (0.155, 0.06), (0.14, 0.085), (0.0, 0.1)], 12)
    crown = moved(crown, (-0.01, 0, middle + 0.11))
    return [
        painted(join([band, peak]), "cap", CAP),
        painted(crown, "crown", (0.92, 0.93, 0.95)),
    ]


def headband(middle: float, tall: float) -> list[Mesh]:
    """A runner's headband."""
    ring = moved(meshes.cylinder(0.5, 1.0, 12), scale=(0.21, 0.184, 0.04))
    return [painted(moved(ring, (-0.014, 0, middle + 0.06)), "band", (0.95, 0.95, 0.9))]


def hood(middle: float, tall: float) -> list[Mesh]:
    """A rider's helmet: a smooth shell over the back and the top of the head."""
    shell = moved(
        meshes.sphere(0.5, 11, 7), (-0.02, 0, middle + 0.045), scale=(0.27, 0.225, tall * 0.98)
    )
    return [painted(shell, "helmet", (0.85, 0.85, 0.82))]


HATS: Mapping[str, Callable[[float, float], list[Mesh]]] = {
    "hard_hat": hard_hat,
    "peaked_cap": peaked_cap,
    "headband": headband,
    "helmet": hood,
}
"""What a head may wear; each takes the height of its middle and its own height."""
