"""People and animals: bodies of tubes and lofts in a given pose, facing along x, on z = 0."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hartsim.worlds import meshes
from hartsim.worlds.meshes import join, moved, painted, shaded, tube
from hartsim.worlds.stage import Colour, Mesh

SKIN: Colour = (0.86, 0.67, 0.55)
HAIR: Colour = (0.2, 0.14, 0.1)
TOP: Colour = (0.75, 0.2, 0.18)
BOTTOM: Colour = (0.2, 0.24, 0.36)
SHOES: Colour = (0.12, 0.11, 0.11)
FUR: Colour = (0.55, 0.38, 0.24)
DEER_LENGTH_M = 1.65


@dataclass(frozen=True)
class Gait:
    """Angles in radians: how far the legs and arms swing, how far the body leans ahead."""

    legs: float = 0.0
    arms: float = 0.0
    lean: float = 0.0


STANDING = Gait(0.06, 0.12, 0.0)
WALKING = Gait(0.42, 0.4, 0.05)
RUNNING = Gait(0.75, 0.9, 0.2)
GAITS = {"standing": STANDING, "walking": WALKING, "running": RUNNING}


@lru_cache(maxsize=64)
def person(
    gait: str = "walking",
    child: bool = False,
    skirt: bool = False,
    bag: bool = False,
    detail: int = 3,
) -> Mesh:
    """A person 1.74 m tall (a child: the proportions of one) in "skin", "hair", "top", "bottom"."""
    pose = GAITS[gait]
    hip, shoulder, head = (0.86, 1.36, 0.23) if child else (0.92, 1.44, 0.215)
    parts = [_torso(hip, shoulder, skirt, detail), *_head(shoulder, head, detail)]
    for side, phase in ((1, 1.0), (-1, -1.0)):
        parts += _leg(side, hip, pose.legs * phase, skirt, detail)
        parts += _arm(side, shoulder, -pose.arms * phase, child, detail)
    if bag:
        rucksack = painted(meshes.box((0.15, 0.3, 0.42), 0.06), "bag", (0.2, 0.32, 0.28))
        parts.append(moved(rucksack, (-0.19, 0, shoulder - 0.22)))
    body = join(parts)
    tilted = moved(body, rotation=meshes.turn((0.0, 1.0, 0.0), pose.lean))
    return _grounded(tilted)


def _grounded(mesh: Mesh) -> Mesh:
    low, _ = meshes.bounds(mesh)
    return moved(mesh, (0.0, 0.0, -float(low[2])))


def _torso(hip: float, shoulder: float, skirt: bool, detail: int) -> Mesh:
    outline = meshes.rounded(meshes.fewer(12, detail), 2.5)
    span = shoulder - hip
    sections = [
        (hip - 0.1, 0.1, 0.145),
        (hip + 0.02, 0.115, 0.165),
        (hip + 0.35 * span, 0.1, 0.145),
        (hip + 0.75 * span, 0.125, 0.19),
        (shoulder - 0.03, 0.11, 0.2),
        (shoulder + 0.03, 0.06, 0.1),
    ]
    rings = [_ring(outline, *section) for section in sections]
    jacket = shaded(meshes.loft(np.stack(rings), TOP, "top", crease_deg=75), 0.78, 1.0)
    if not skirt:
        return jacket
    flare = [(hip + 0.05, 0.12, 0.17), (hip - 0.2, 0.17, 0.22), (hip - 0.42, 0.21, 0.26)]
    rings = [_ring(outline, *section) for section in flare]
    return join(
        [jacket, shaded(meshes.loft(np.stack(rings), BOTTOM, "bottom", crease_deg=75), 0.75, 1.0)]
    )


def _ring(outline: NDArray[np.float64], z: float, deep: float, wide: float) -> NDArray[np.float64]:
    return np.column_stack([deep * outline[:, 0], wide * outline[:, 1], np.full(len(outline), z)])


def _head(shoulder: float, height: float, detail: int) -> list[Mesh]:
    middle = shoulder + 0.09 + height * 0.55
    skull = moved(
        meshes.sphere(0.5, meshes.fewer(11, detail), meshes.fewer(7, detail)),
        (0.015, 0, middle),
        scale=(0.19, 0.155, height + 0.02),
    )
    hair = moved(
        meshes.sphere(0.5, meshes.fewer(11, detail), meshes.fewer(7, detail)),
        (-0.018, 0, middle + 0.028),
        scale=(0.205, 0.178, height * 0.98),
    )
    neck = tube(
        [(0, 0, shoulder - 0.02), (0.01, 0, middle - 0.06)], (0.055, 0.05), meshes.fewer(8, detail)
    )
    return [
        painted(join([skull, neck]), "skin", SKIN),
        painted(hair, "hair", HAIR),
    ]


def _leg(side: int, hip: float, swing: float, skirt: bool, detail: int) -> list[Mesh]:
    y = 0.085 * side
    knee_bend = max(0.0, -swing) * 0.9 + 0.05
    upper, lower = (hip - 0.06) * 0.5, (hip - 0.06) * 0.5
    knee = (upper * math.sin(swing), y, hip - upper * math.cos(swing))
    shin = swing - knee_bend
    ankle = (knee[0] + lower * math.sin(shin), y, knee[2] - lower * math.cos(shin))
    trousers = tube(
        [(0, y, hip + 0.02), (knee[0] + 0.01, y, knee[2]), ankle],
        (0.098, 0.07, 0.058),
        meshes.fewer(8, detail),
    )
    foot = moved(
        meshes.box((0.25, 0.095, 0.09), 0.035 if detail == 3 else 0.0),
        (ankle[0] + 0.055 * math.cos(shin), y, ankle[2] - 0.025 + 0.055 * math.sin(shin)),
        meshes.turn((0.0, 1.0, 0.0), -shin * 0.8),
    )
    role, colour = ("skin", SKIN) if skirt else ("bottom", BOTTOM)
    return [shaded(painted(trousers, role, colour), 0.7, 1.0), painted(foot, "shoes", SHOES)]


def _arm(side: int, shoulder: float, swing: float, child: bool, detail: int) -> list[Mesh]:
    y = (0.2 if child else 0.215) * side
    upper, lower = 0.27, 0.25
    bend = 0.25 + 0.9 * abs(swing) * (1.0 if abs(swing) > 0.6 else 0.4)
    elbow = (upper * math.sin(swing), y + 0.035 * side, shoulder - 0.05 - upper * math.cos(swing))
    fore = swing + bend
    wrist = (elbow[0] + lower * math.sin(fore), y + 0.02 * side, elbow[2] - lower * math.cos(fore))
    sleeve = tube(
        [(0, y * 0.86, shoulder - 0.03), elbow, wrist], (0.062, 0.05, 0.04), meshes.fewer(8, detail)
    )
    hand = moved(
        meshes.icosphere(int(detail == 3)),
        (wrist[0] + 0.03, wrist[1], wrist[2] - 0.05),
        scale=(0.075, 0.055, 0.12),
    )
    return [shaded(painted(sleeve, "top", TOP), 0.75, 0.98), painted(hand, "skin", SKIN)]


@lru_cache(maxsize=4)
def rider(
    lean: float = 0.35, knee_m: float = 0.62, hands_m: float = 1.0, helmet: bool = True
) -> Mesh:
    """Someone sitting astride a bicycle or motorcycle, to be set over its saddle."""
    seat, reach = 0.95, 0.52
    shoulder = (seat * 0 - 0.2 + 0.5 * math.sin(lean), 0.0, seat + 0.5 * math.cos(lean))
    torso = tube(
        [(-0.22, 0, seat - 0.02), (-0.2 + 0.2 * math.sin(lean), 0, seat + 0.22), shoulder],
        (0.13, 0.13, 0.16),
        10,
        flat=1.25,
    )
    parts = [shaded(painted(torso, "top", TOP), 0.8, 1.0)]
    top = (shoulder[0] + 0.07, 0.0, shoulder[2] + 0.22)
    parts.append(
        painted(moved(meshes.sphere(0.5, 10, 8), top, scale=(0.2, 0.17, 0.24)), "skin", SKIN)
    )
    cap = moved(
        meshes.sphere(0.5, 12, 8), (top[0] - 0.01, 0, top[2] + 0.05), scale=(0.27, 0.21, 0.2)
    )
    parts.append(
        painted(cap, "helmet" if helmet else "hair", (0.85, 0.85, 0.82) if helmet else HAIR)
    )
    for side, ahead in ((1, 0.18), (-1, -0.02)):
        knee = (0.12 + ahead * 0.4, 0.12 * side, knee_m + ahead * 0.6)
        foot = (-0.1 + ahead, 0.11 * side, knee_m - 0.36 + ahead * 0.5)
        leg = tube([(-0.2, 0.09 * side, seat - 0.02), knee, foot], (0.09, 0.068, 0.05), 8)
        parts.append(shaded(painted(leg, "bottom", BOTTOM), 0.75, 1.0))
        shoe = moved(
            meshes.box((0.24, 0.09, 0.08), 0.03), (foot[0] + 0.05, foot[1], foot[2] - 0.03)
        )
        parts.append(painted(shoe, "shoes", SHOES))
        hand = (-0.2 + reach, 0.25 * side, hands_m + 0.03)
        middle = (
            (shoulder[0] + hand[0]) / 2 - 0.02,
            0.26 * side,
            (shoulder[2] + hand[2]) / 2 - 0.06,
        )
        arm = tube(
            [(shoulder[0], 0.17 * side, shoulder[2] - 0.04), middle, hand], (0.06, 0.05, 0.04), 8
        )
        parts.append(painted(arm, "top", TOP))
        parts.append(painted(moved(meshes.sphere(0.05, 6, 5), hand), "skin", SKIN))
    return join(parts)


@lru_cache(maxsize=4)
def deer(antlers: bool = True) -> Mesh:
    """A deer, about 1.6 m long, standing alert."""
    spine = [(-0.62, 0, 0.96), (-0.45, 0, 1.0), (-0.1, 0, 0.98), (0.3, 0, 1.0), (0.5, 0, 1.04)]
    body = tube(spine, (0.09, 0.2, 0.21, 0.23, 0.14), 12, flat=0.78)
    neck = tube(
        [(0.42, 0, 1.02), (0.58, 0, 1.24), (0.68, 0, 1.46)], (0.17, 0.105, 0.08), 10, flat=0.8
    )
    head = tube(
        [(0.62, 0, 1.5), (0.74, 0, 1.5), (0.9, 0, 1.43), (0.96, 0, 1.41)],
        (0.07, 0.085, 0.05, 0.035),
        9,
    )
    parts = [shaded(painted(join([body, neck, head]), "fur", FUR), 0.72, 1.02)]
    parts.append(
        painted(moved(meshes.sphere(0.035, 6, 5), (0.97, 0, 1.41)), "nose", (0.08, 0.06, 0.06))
    )
    parts.append(
        painted(
            moved(meshes.blob(3, (0.12, 0.14, 0.2)), (-0.68, 0, 0.93)), "tail", (0.92, 0.9, 0.86)
        )
    )
    for side in (1, -1):
        ear = moved(
            meshes.sphere(0.5, 6, 5),
            (0.62, 0.1 * side, 1.6),
            meshes.turn((1.0, 0.0, 0.0), -0.7 * side),
            (0.05, 0.06, 0.17),
        )
        parts.append(painted(ear, "fur", FUR))
        parts += [
            _animal_leg(x, 0.11 * side, 0.92, swing * side, 0.085)
            for x, swing in ((0.4, 0.12), (-0.48, 0.16))
        ]
        if antlers:
            stem = [
                (0.64, 0.05 * side, 1.57),
                (0.56, 0.2 * side, 1.76),
                (0.62, 0.3 * side, 1.98),
                (0.7, 0.27 * side, 2.1),
            ]
            tines = [tube(stem, (0.02, 0.018, 0.014, 0.006), 6)]
            tines += [
                tube([at, tip], (0.015, 0.004), 5)
                for at, tip in (
                    (stem[1], (0.76, 0.23 * side, 1.9)),
                    (stem[2], (0.8, 0.34 * side, 2.06)),
                )
            ]
            parts.append(painted(join(tines), "antler", (0.72, 0.64, 0.5)))
    return _grounded(join(parts))


def _animal_leg(x: float, y: float, top: float, swing: float, thick: float) -> Mesh:
    hock = (x - 0.05 + 0.4 * top * swing, y, top * 0.45)
    foot = (x + 0.75 * top * swing, y, 0.03)
    leg = tube(
        [(x, y * 0.85, top), (x + 0.02, y, top * 0.72), hock, foot],
        (thick * 1.25, thick * 0.9, thick * 0.5, thick * 0.42),
        8,
    )
    return shaded(painted(leg, "legs", (0.42, 0.29, 0.18)), 0.6, 1.0)


@lru_cache(maxsize=2)
def dog() -> Mesh:
    """A dog of middle size, trotting."""
    spine = [(-0.36, 0, 0.44), (-0.2, 0, 0.46), (0.1, 0, 0.45), (0.28, 0, 0.47)]
    body = tube(spine, (0.07, 0.11, 0.135, 0.1), 10, flat=0.85)
    neck = tube([(0.24, 0, 0.48), (0.36, 0, 0.6)], (0.09, 0.07), 8)
    head = tube(
        [(0.32, 0, 0.62), (0.42, 0, 0.63), (0.5, 0, 0.59), (0.57, 0, 0.58)],
        (0.06, 0.075, 0.045, 0.035),
        9,
    )
    tail = tube([(-0.36, 0, 0.48), (-0.46, 0, 0.58), (-0.5, 0, 0.68)], (0.03, 0.025, 0.01), 6)
    parts = [shaded(painted(join([body, neck, head, tail]), "fur", FUR), 0.75, 1.02)]
    parts.append(
        painted(moved(meshes.sphere(0.022, 6, 5), (0.58, 0, 0.59)), "nose", (0.05, 0.05, 0.05))
    )
    for side in (1, -1):
        ear = moved(
            meshes.box((0.06, 0.02, 0.1), 0.008),
            (0.36, 0.07 * side, 0.66),
            meshes.turn((1.0, 0.0, 0.0), 0.4 * side),
        )
        parts.append(painted(ear, "ears", (0.3, 0.2, 0.13)))
        parts += [
            painted(_animal_leg(x, 0.07 * side, 0.42, swing * side, 0.05), "fur", FUR)
            for x, swing in ((0.22, 0.3), (-0.28, -0.35))
        ]
    return _grounded(join(parts))
