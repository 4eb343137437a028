"""People: bodies of tubes and lofts in a given stance, facing along x, on z = 0."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hartsim.types import Vector3
from hartsim.worlds import clothing, meshes
from hartsim.worlds.clothing import REFLECTIVE
from hartsim.worlds.meshes import join, moved, painted, shaded, tube
from hartsim.worlds.stage import Colour, Mesh

SKIN: Colour = (0.86, 0.67, 0.55)
HAIR: Colour = (0.2, 0.14, 0.1)
TOP: Colour = (0.75, 0.2, 0.18)
BOTTOM: Colour = (0.2, 0.24, 0.36)
SHOES: Colour = (0.12, 0.11, 0.11)
HELMET: Colour = (0.85, 0.85, 0.82)

UPPER_ARM_M, FOREARM_M = 0.28, 0.27

Points = NDArray[np.float64]
Vector2 = tuple[float, float]


@dataclass(frozen=True)
class Gait:
    """How a body is held.

    `legs`, `arms` and `lean` are angles in radians: how far legs and arms swing, how far the whole
    body leans ahead; `stoop` bends it ahead at the hip. `drop_m` lowers the hip. A hand or foot
    that holds or stands on something is at that place, in metres from below the hip on the ground;
    else it swings.
    """

    legs: float = 0.0
    arms: float = 0.0
    lean: float = 0.0
    stoop: float = 0.0
    drop_m: float = 0.0
    left_hand: Vector3 | None = None
    right_hand: Vector3 | None = None
    left_foot: Vector3 | None = None
    right_foot: Vector3 | None = None


SEATED = Gait(
    drop_m=0.36,
    left_hand=(0.14, 0.31, 0.68),
    right_hand=(0.14, -0.31, 0.68),
    left_foot=(0.56, 0.1, 0.2),
    right_foot=(0.56, -0.1, 0.2),
)
RIDING = Gait(
    stoop=0.1,
    drop_m=0.02,
    left_hand=(0.4, 0.08, 1.12),
    right_hand=(0.4, -0.08, 1.12),
    left_foot=(0.16, 0.31, 0.24),
    right_foot=(0.16, -0.31, 0.24),
)
"""Astride a horse."""
CYCLING = Gait(
    stoop=0.4,
    left_hand=(0.52, 0.24, 1.08),
    right_hand=(0.52, -0.24, 1.08),
    left_foot=(0.28, 0.11, 0.34),
    right_foot=(0.08, -0.11, 0.16),
)
GAITS = {
    "standing": Gait(0.06, 0.12),
    "walking": Gait(0.42, 0.4, 0.05),
    "running": Gait(0.75, 0.9, 0.2),
    "jogging": Gait(0.62, 0.95, 0.14),
    "with_stick": Gait(0.2, 0.22, stoop=0.52, right_hand=(0.5, -0.24, 0.86)),
    "pushing": Gait(0.4, stoop=0.12, left_hand=(0.5, 0.2, 1.0), right_hand=(0.5, -0.2, 1.0)),
    "with_umbrella": Gait(0.36, 0.3, 0.03, right_hand=(0.2, -0.17, 1.2)),
    "digging": Gait(0.2, stoop=0.3, left_hand=(0.52, 0.06, 0.82), right_hand=(0.24, -0.3, 1.04)),
    "directing": Gait(0.05, left_hand=(0.05, 0.7, 1.42), right_hand=(0.2, -0.5, 1.84)),
    "steering": Gait(
        left_hand=(0.38, 0.23, 1.1),
        right_hand=(0.38, -0.23, 1.1),
        left_foot=(0.12, 0.06, 0.08),
        right_foot=(-0.2, -0.06, 0.08),
    ),
    "balancing": Gait(
        stoop=0.34,
        drop_m=0.2,
        left_hand=(0.26, 0.6, 1.12),
        right_hand=(0.1, -0.62, 1.2),
        left_foot=(0.04, 0.31, 0.08),
        right_foot=(0.0, -0.27, 0.08),
    ),
    "seated": SEATED,
    "riding": RIDING,
    "cycling": CYCLING,
}


@dataclass(frozen=True)
class _Body:
    """Measures of one body in metres; `side` functions take 1 for left and -1 for right."""

    hip: float
    shoulder: float
    head: float
    bone: float
    child: bool
    pose: Gait

    def stooped(self, points: ArrayLike) -> NDArray[np.float64]:
        """Where points (..., 3) of the upright body come to lie when it bends at the hip."""
        upright = np.array(points, np.float64)
        rise = upright[..., 2] - self.hip
        angle = self.pose.stoop * np.clip(rise / 0.3, 0.0, 1.0)
        x, c, s = upright[..., 0].copy(), np.cos(angle), np.sin(angle)
        upright[..., 0] = x * c + rise * s
        upright[..., 2] = self.hip + rise * c - x * s
        return upright


@lru_cache(maxsize=96)
def person(
    gait: str = "walking",
    child: bool = False,
    skirt: bool = False,
    bag: bool = False,
    detail: int = 3,
    wears: tuple[str, ...] = (),
) -> Mesh:
    """A person 1.74 m tall (a child: the proportions of one) in "skin", "hair", "top", "bottom".

    `wears` may name "shorts", "bare_arms", "coat", "vest", "bands" (reflecting, round the legs),
    and one of `clothing.HATS`.
    """
    pose = GAITS[gait]
    standing, shoulder, head = (0.86, 1.36, 0.23) if child else (0.92, 1.44, 0.215)
    lowered = standing - pose.drop_m
    body = _Body(lowered, shoulder - pose.drop_m, head, (standing - 0.06) / 2, child, pose)
    parts = [_bent(part, body) for part in _trunk(body, skirt, bag, detail, wears)]
    for side in (1, -1):
        parts += _leg(_leg_path(body, side), skirt, detail, wears)
        parts += _arm(_arm_path(body, side), detail, "bare_arms" in wears)
    tilted = moved(join(parts), rotation=meshes.turn((0.0, 1.0, 0.0), pose.lean))
    return grounded(tilted)


def grounded(mesh: Mesh) -> Mesh:
    """The mesh with its lowest point at z = 0."""
    low, _ = meshes.bounds(mesh)
    return moved(mesh, (0.0, 0.0, -float(low[2])))


def _bent(part: Mesh, body: _Body) -> Mesh:
    if not body.pose.stoop:
        return part
    return replace(part, vertices=body.stooped(part.vertices).astype(np.float32))


def _trunk(body: _Body, skirt: bool, bag: bool, detail: int, wears: tuple[str, ...]) -> list[Mesh]:
    """Torso and head, upright, with what is worn on them."""
    hip, shoulder = body.hip, body.shoulder
    parts = [clothing.sheath(clothing.torso_sections(hip, shoulder), "top", TOP, detail)]
    if skirt:
        flare = [(hip + 0.05, 0.12, 0.17), (hip - 0.2, 0.17, 0.22), (hip - 0.42, 0.21, 0.26)]
        parts.append(clothing.sheath(flare, "bottom", BOTTOM, detail))
    if bag:
        rucksack = painted(meshes.box((0.15, 0.3, 0.42), 0.06), "bag", (0.2, 0.32, 0.28))
        parts.append(moved(rucksack, (-0.19, 0, shoulder - 0.22)))
    if "vest" in wears:
        parts += clothing.vest(hip, shoulder)
    if "coat" in wears:
        parts += clothing.coat(hip, shoulder, detail)
    middle = shoulder + 0.09 + body.head * 0.55
    parts += _head(shoulder, middle, body.head, detail)
    for name, hat in clothing.HATS.items():
        if name in wears:
            parts += hat(middle, body.head)
    return parts


def _head(shoulder: float, middle: float, height: float, detail: int) -> list[Mesh]:
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


def joint(start: ArrayLike, end: ArrayLike, bones: Vector2, toward: Vector3) -> Points:
    """Where a limb of two bones from `start` to `end` bends, its joint pointing `toward`."""
    first, second = bones
    origin, line = np.asarray(start, np.float64), np.subtract(end, start)
    length = float(np.linalg.norm(line))
    ahead, span = line / length, min(length, first + second)
    along = (first**2 - second**2 + span**2) / (2 * span)
    aside = np.asarray(toward, np.float64)
    aside = aside - (aside @ ahead) * ahead
    out = math.sqrt(max(first**2 - along**2, 0.0))
    return origin + along * ahead + out * aside / np.linalg.norm(aside)


def _leg_path(body: _Body, side: int) -> Points:
    """Hip, knee and ankle (3, 3)."""
    y, hip, bone = 0.085 * side, body.hip, body.bone
    foot = body.pose.left_foot if side > 0 else body.pose.right_foot
    top = (0.0, y, hip + 0.02)
    if foot is not None:
        return np.array([top, joint(top, foot, (bone, bone), (1.0, 0.25 * side, 0.3)), foot])
    swing = body.pose.legs * side
    shin = swing - max(0.0, -swing) * 0.9 - 0.05
    knee = (bone * math.sin(swing), y, hip - bone * math.cos(swing))
    ankle = (knee[0] + bone * math.sin(shin), y, knee[2] - bone * math.cos(shin))
    return np.array([top, knee, ankle])


def _leg(path: Points, skirt: bool, detail: int, wears: tuple[str, ...]) -> list[Mesh]:
    hip, knee, ankle = path
    sides = meshes.fewer(8, detail)
    trousers = tube([hip, np.add(knee, (0.01, 0, 0)), ankle], (0.098, 0.07, 0.058), sides)
    role, colour = ("skin", SKIN) if skirt else ("bottom", BOTTOM)
    parts = [shaded(painted(trousers, role, colour), 0.7, 1.0)]
    if "shorts" in wears:
        calf = tube([knee * 0.8 + hip * 0.2, knee, ankle], (0.07, 0.066, 0.05), sides)
        thigh = tube([hip, knee * 0.72 + hip * 0.28], (0.11, 0.098), sides)
        parts = [painted(calf, "skin", SKIN), painted(thigh, "bottom", BOTTOM)]
    if "bands" in wears:
        for share in (0.2, 0.5):
            low, high = (knee + (ankle - knee) * each for each in (share, share + 0.14))
            parts.append(painted(tube([low, high], 0.076, sides), "reflective", REFLECTIVE))
    return [*parts, _shoe(knee, ankle, detail)] if detail else parts


def _shoe(knee: Points, ankle: Points, detail: int) -> Mesh:
    """The shoe below an ankle, tilted as the shin is."""
    shin = math.atan2(ankle[0] - knee[0], knee[2] - ankle[2])
    foot = moved(
        meshes.box((0.25, 0.095, 0.09), 0.035 if detail == 3 else 0.0),
        (
            ankle[0] + 0.055 * math.cos(shin),
            ankle[1],
            ankle[2] - 0.025 + 0.055 * math.sin(shin),
        ),
        meshes.turn((0.0, 1.0, 0.0), -shin * 0.8),
    )
    return painted(foot, "shoes", SHOES)


def _arm_path(body: _Body, side: int) -> Points:
    """Shoulder, elbow and wrist (3, 3)."""
    y, pose = (0.2 if body.child else 0.215) * side, body.pose
    hand = pose.left_hand if side > 0 else pose.right_hand
    if hand is not None:
        top = body.stooped((0, y * 0.86, body.shoulder - 0.04))
        elbow = joint(top, hand, (UPPER_ARM_M, FOREARM_M), (-0.35, 0.6 * side, -1.0))
        return np.array([top, elbow, hand])
    upper, lower, swing = 0.27, 0.25, -pose.arms * side
    bend = 0.25 + 0.9 * abs(swing) * (1.0 if abs(swing) > 0.6 else 0.4)
    shoulder, fore = body.shoulder, swing + bend
    elbow_at = (
        upper * math.sin(swing),
        y + 0.035 * side,
        shoulder - 0.05 - upper * math.cos(swing),
    )
    wrist = (
        elbow_at[0] + lower * math.sin(fore),
        y + 0.02 * side,
        elbow_at[2] - lower * math.cos(fore),
    )
    hanging = np.array([(0, y * 0.86, shoulder - 0.03), elbow_at, wrist])
    bent: Points = hanging + (body.stooped(hanging[0]) - hanging[0])
    return bent


def _arm(path: Points, detail: int, bare: bool) -> list[Mesh]:
    wrist = path[2]
    sleeve = tube(path, (0.062, 0.05, 0.04), meshes.fewer(8, detail))
    hand = moved(
        meshes.icosphere(int(detail == 3)),
        (wrist[0] + 0.03, wrist[1], wrist[2] - 0.05),
        scale=(0.075, 0.055, 0.12),
    )
    role, colour = ("skin", SKIN) if bare else ("top", TOP)
    arm = shaded(painted(sleeve, role, colour), 0.75, 0.98)
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
