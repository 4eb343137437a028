"""People: bodies of tubes and lofts in a given pose, facing along x, on z = 0."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hartsim.types import Vector3
from hartsim.worlds import meshes
from hartsim.worlds.meshes import join, moved, painted, shaded, tube
from hartsim.worlds.stage import Colour, Mesh

SKIN: Colour = (0.86, 0.67, 0.55)
HAIR: Colour = (0.2, 0.14, 0.1)
TOP: Colour = (0.75, 0.2, 0.18)
BOTTOM: Colour = (0.2, 0.24, 0.36)
SHOES: Colour = (0.12, 0.11, 0.11)
HELMET: Colour = (0.85, 0.85, 0.82)


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
    return grounded(tilted)


def grounded(mesh: Mesh) -> Mesh:
    """The mesh with its lowest point at z = 0."""
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
    leg = shaded(painted(trousers, role, colour), 0.7, 1.0)
    return [leg, painted(foot, "shoes", SHOES)] if detail else [leg]


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
    arm = shaded(painted(sleeve, "top", TOP), 0.75, 0.98)
    return [arm, painted(hand, "skin", SKIN)] if detail else [arm]


@lru_cache(maxsize=4)
def rider(lean: float = 0.35, hands_m: float = 1.0) -> Mesh:
    """Someone with a helmet astride a bicycle or motorcycle, to be set over its saddle."""
    seat, back = 0.95, -0.2
    chest = (back + 0.5 * math.sin(lean), 0.0, seat + 0.5 * math.cos(lean))
    neck = (chest[0] + 0.03, 0.0, chest[2] + 0.06)
    spine = [(back - 0.02, 0, seat - 0.04), (back + 0.09, 0, seat + 0.22), chest, neck]
    torso = tube(spine, (0.12, 0.14, 0.15, 0.06), 10, flat=1.25)
    head = (chest[0] + 0.08, 0.0, chest[2] + 0.22)
    face = moved(meshes.sphere(0.5, 10, 7), head, scale=(0.2, 0.17, 0.25))
    cap = moved(
        meshes.sphere(0.5, 10, 7), (head[0] - 0.01, 0, head[2] + 0.05), scale=(0.27, 0.21, 0.2)
    )
    parts = [
        shaded(painted(torso, "top", TOP), 0.8, 1.0),
        painted(face, "skin", SKIN),
        painted(cap, "helmet", HELMET),
    ]
    for side, ahead in ((1, 0.18), (-1, -0.02)):
        parts += _riding_leg(side, ahead, (back, 0.09 * side, seat - 0.02))
        parts += _riding_arm(side, chest, (back + 0.52, 0.25 * side, hands_m + 0.03))
    return join(parts)


def _riding_leg(side: int, ahead: float, hip: Vector3) -> list[Mesh]:
    knee = (0.12 + ahead * 0.4, 0.12 * side, 0.62 + ahead * 0.6)
    foot = (-0.1 + ahead, 0.11 * side, 0.26 + ahead * 0.5)
    leg = tube([hip, knee, foot], (0.09, 0.068, 0.05), 8)
    shoe = moved(meshes.box((0.24, 0.09, 0.08), 0.03), (foot[0] + 0.05, foot[1], foot[2] - 0.03))
    return [shaded(painted(leg, "bottom", BOTTOM), 0.75, 1.0), painted(shoe, "shoes", SHOES)]


def _riding_arm(side: int, chest: Vector3, hand: Vector3) -> list[Mesh]:
    shoulder = (chest[0], 0.17 * side, chest[2] - 0.04)
    elbow = ((chest[0] + hand[0]) / 2 - 0.02, 0.26 * side, (chest[2] + hand[2]) / 2 - 0.06)
    arm = tube([shoulder, elbow, hand], (0.06, 0.05, 0.04), 8)
    return [painted(arm, "top", TOP), painted(moved(meshes.icosphere(0, 0.05), hand), "skin", SKIN)]
