"""Signals, poles, wires and rails that failed or fell; what faces the driver faces -x."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from hartsim.types import Vector3
from hartsim.worlds import meshes
from hartsim.worlds.hazards import RED, WHITE
from hartsim.worlds.looks import Look, Maker
from hartsim.worlds.meshes import join, moved, painted, shaded
from hartsim.worlds.parts import (
    BLACK,
    STEEL,
    TIMBER,
    ZINC,
    board,
    filling,
    lettering,
    plate,
    rod,
    scattered,
    striped,
)
from hartsim.worlds.stage import Colour, Mesh, Quaternion, Solid

Solids = list[Solid]

POLE_WOOD: Colour = (0.42, 0.31, 0.22)
SPARK: Colour = (1.0, 0.85, 0.4)
SIGNAL_RED: Colour = (1.0, 0.08, 0.05)
OUT: tuple[Colour, ...] = ((0.26, 0.22, 0.22), (0.26, 0.25, 0.22), (0.22, 0.25, 0.24))
"""The lenses of a signal without light: red, amber, green."""


def about_y(angle_rad: float) -> Quaternion:
    """Leans what stands upright towards +x."""
    return meshes.turn((0.0, 1.0, 0.0), angle_rad)


def about_x(angle_rad: float) -> Quaternion:
    """Leans what stands upright towards -y."""
    return meshes.turn((1.0, 0.0, 0.0), angle_rad)


def dark_traffic_light(size_m: Vector3, look: Look) -> Solids:
    """Two signal heads without light, one on the mast at -y, one on its arm over the lane."""
    shell: Colour = ((0.1, 0.11, 0.11), (0.9, 0.68, 0.1))[look.seed % 2]
    return filling(size_m, _dark_signal(), shell=shell)


@lru_cache(maxsize=1)
def _dark_signal() -> Mesh:
    mast = [
        rod([(0.1, -1.6, 0), (0.1, -1.6, 4.6)], (0.12, 0.09), "mast", STEEL, 8),
        rod([(0.1, -1.6, 4.4), (0.1, 0, 4.75), (0.1, 1.5, 4.8)], (0.08, 0.06, 0.05), "mast", STEEL),
        board((0.5, 0.5, 0.16), (0.1, -1.6, 0.08), "foot", (0.6, 0.59, 0.57)),
    ]
    heads = [moved(_head(), at) for at in ((-0.1, -1.6, 2.75), (-0.1, 1.35, 4.1))]
    return join([*mast, *heads])


@lru_cache(maxsize=1)
def _head() -> Mesh:
    """A signal head 1.1 m tall about its middle, with a white-rimmed board behind it."""
    parts = [
        board((0.03, 0.8, 1.5), (0.12, 0, 0), "rim", WHITE, bevel=0.01),
        board((0.05, 0.64, 1.34), (0.105, 0, 0), "screen", BLACK),
        board((0.22, 0.4, 1.1), (0.02, 0, 0), "shell", BLACK, bevel=0.04),
    ]
    for k, tone in enumerate(OUT):
        z = 0.35 - 0.35 * k
        parts.append(plate(14, 0.14, 0.02, (-0.1, 0, z), f"lens{k}", tone))
        hood = meshes.turn((0.0, 1.0, 0.0), 0.12)
        parts.append(board((0.2, 0.34, 0.025), (-0.18, 0, z + 0.15), "shell", BLACK, hood))
    return join(parts)


def fallen_pole(size_m: Vector3, look: Look) -> Solids:
    """A street lamp or a utility pole that lies along x."""
    return filling(size_m, (_fallen_lamp, _fallen_utility_pole)[look.seed % 2]())


@lru_cache(maxsize=1)
def _fallen_lamp() -> Mesh:
    """Torn off at -x, its arm and head at +x."""
    pale: Colour = (0.62, 0.65, 0.67)
    mast = [(-3.2, 0, 0.2), (-1, 0.05, 0.14), (1.6, -0.05, 0.16)]
    arm = [(1.5, -0.05, 0.16), (2.3, 0.1, 0.3), (2.75, 0.6, 0.42)]
    parts = [
        rod(mast, (0.16, 0.13, 0.1), "mast", pale, 10),
        rod(arm, 0.06, "mast", pale),
        board((0.4, 0.8, 0.16), (2.85, 0.95, 0.4), "head", (0.34, 0.36, 0.38), bevel=0.06),
        board((0.3, 0.6, 0.06), (2.85, 0.97, 0.32), "glass", (0.88, 0.87, 0.78)),
        board((0.05, 0.56, 0.56), (-3.24, 0, 0.28), "foot", STEEL),
    ]
    for y, tone in ((-0.12, RED), (0.02, (0.1, 0.2, 0.6)), (0.14, (0.9, 0.75, 0.1))):
        wire = [(-3.26, y, 0.2), (-3.5, y * 2, 0.3), (-3.66, y * 4, 0.05)]
        parts.append(rod(wire, 0.022, f"wire{y}", tone, 5))
    glass = moved(meshes.blob(2, (1, 0.7, 0.3), 0.5, 0), (0, 0, 0.1))
    shards = moved(scattered(glass, 16, (1.4, 1.4), (0.04, 0.09), 5), (2.7, 0.6, 0))
    return shaded(join([*parts, painted(shards, "glass")]), 0.72, 1.0)


@lru_cache(maxsize=1)
def _fallen_utility_pole() -> Mesh:
    """Splintered at -x, its crossarms at +x, with wires trailing."""
    pole = rod([(-3.3, 0, 0.17), (3.2, 0, 0.17)], (0.17, 0.13), "wood", POLE_WOOD, 9)
    parts = [pole]
    for k in range(5):
        tip = (-3.6 - 0.05 * (k % 3), -0.12 + 0.06 * k, 0.1 + 0.06 * (k % 3))
        foot = (-3.2, -0.1 + 0.05 * k, 0.17)
        parts.append(rod([foot, tip], (0.05, 0.008), "splinter", TIMBER, 4))
    for x in (2.3, 2.9):
        lean = meshes.turn((1.0, 0.0, 0.0), 0.32)
        parts.append(board((0.12, 1.7, 0.14), (x, 0, 0.38), "arm", (0.5, 0.38, 0.27), lean))
        for y in (-0.75, -0.45, 0.45, 0.75):
            knob = moved(meshes.cylinder(0.06, 0.2, 8), (x, y, 0.52 + 0.33 * y))
            parts.append(painted(knob, "knob", (0.86, 0.88, 0.9)))
    for y, out in ((-0.75, -0.8), (0.75, 0.8), (0.45, 0.4)):
        loop = [
            (2.9, y, 0.55 + 0.33 * y),
            (1.8, out, 0.04),
            (0.2, out * 0.9, 0.03),
            (-1.6, out, 0.03),
            (-2.6, out * 0.7, 0.03),
        ]
        parts.append(rod(loop, 0.022, "wire", BLACK, 5))
    return shaded(join(parts), 0.72, 1.0)


def fallen_sign(size_m: Vector3, look: Look) -> Solids:
    """A road sign knocked over along y, its face towards the driver and somewhat up."""
    return filling(size_m, _fallen_sign(look.seed % 3))


@lru_cache(maxsize=3)
def _fallen_sign(which: int) -> Mesh:
    post = rod(
        [(0.03, 0, 0), (0.03, 0, 1.0), (0.1, 0.06, 1.5), (0.05, 0, 2.5)], 0.045, "post", ZINC
    )
    foot = painted(meshes.blob(3, (0.4, 0.4, 0.34), 0.35, 1), "concrete", (0.6, 0.59, 0.57))
    face = moved((_stop_face, _warning_face, _no_entry_face)[which](), (0, 0, 2.1))
    sign = moved(join([post, foot, face]), rotation=about_x(1.33))
    return moved(sign, rotation=about_y(0.7))


def _stop_face() -> Mesh:
    return join(
        [
            plate(8, 0.48, 0.03, (-0.02, 0, 0), "rim", WHITE),
            plate(8, 0.43, 0.03, (-0.03, 0, 0), "face", RED),
            moved(lettering("STOP", 0.28, WHITE), (-0.05, 0, 0)),
        ]
    )


def _warning_face() -> Mesh:
    mark = [
        board((0.02, 0.1, 0.3), (-0.055, 0, 0.06), "mark", BLACK),
        board((0.02, 0.1, 0.09), (-0.055, 0, -0.16), "mark", BLACK),
    ]
    return join(
        [
            plate(3, 0.56, 0.03, (-0.02, 0, 0), "rim", RED),
            plate(3, 0.37, 0.03, (-0.035, 0, 0), "face", WHITE),
            *mark,
        ]
    )


def _no_entry_face() -> Mesh:
    return join(
        [
            plate(20, 0.46, 0.03, (-0.02, 0, 0), "rim", WHITE),
            plate(20, 0.43, 0.03, (-0.03, 0, 0), "face", RED),
            board((0.02, 0.6, 0.15), (-0.05, 0, 0), "bar", WHITE),
        ]
    )


def dead_streetlight(size_m: Vector3, look: Look) -> Solids:
    """A buckled street lamp that leans towards +y, its head hanging from a wire."""
    return filling(size_m, _buckled_lamp())


@lru_cache(maxsize=1)
def _buckled_lamp() -> Mesh:
    pale: Colour = (0.58, 0.61, 0.63)
    knee, top, tip = (0.0, -0.95, 1.75), (0.05, 0.45, 4.1), (0.1, 1.15, 3.85)
    parts = [
        rod([(0, -1.1, 0), (0, -1.1, 1.0), knee], (0.14, 0.12, 0.11), "mast", pale, 9),
        rod([knee, top], (0.11, 0.08), "mast", pale, 9),
        rod([top, (0.08, 0.8, 4.15), tip], 0.06, "mast", pale),
        board((0.5, 0.5, 0.14), (0, -1.1, 0.07), "foot", (0.58, 0.57, 0.55)),
        board((0.3, 0.3, 0.3), knee, "dent", (0.42, 0.27, 0.18), about_x(-0.5)),
        rod([tip, (0.1, 1.2, 3.5), (0.1, 1.15, 3.2)], 0.025, "wire", BLACK, 5),
    ]
    head = [
        board((0.36, 0.24, 0.9), (0, 0, 0), "head", (0.24, 0.26, 0.28), bevel=0.07),
        board((0.28, 0.06, 0.64), (0, -0.11, -0.02), "glass", (0.6, 0.58, 0.5)),
    ]
    parts.append(moved(join(head), (0.1, 1.15, 2.8), about_x(0.35)))
    return join(parts)


def hanging_cable(size_m: Vector3, look: Look) -> Solids:
    """Power lines across the road: one sags, one broke and spits sparks on the lane."""
    solids = filling(size_m, _cables())
    length, width, height = size_m
    burst = (0.5 * length, 0.11 * width, 0.19 * height)
    at = (-0.2 * length, 0.07 * width, 0.13 * height)
    glow = {"paint": SPARK}
    return [*solids, Solid("mesh", burst, at, mesh=_sparks(), colours=glow, emission=1.0)]


@lru_cache(maxsize=1)
def _sparks() -> Mesh:
    """Thin rays out of one spot, upwards and aside."""
    rng = np.random.default_rng(4)
    rays = []
    for _ in range(18):
        x, y, z = rng.normal(0, (0.4, 0.5, 0.3))
        tip = np.array([x, y, 0.1 + abs(z) * 1.6]) * rng.uniform(0.5, 1.2)
        rays.append(meshes.tube([0.1 * tip, tip], (0.035, 0.008), 4))
    drops = scattered(meshes.icosphere(0), 10, (1.0, 1.6), (0.03, 0.07), 2)
    return painted(join([*rays, drops, meshes.icosphere(1, 0.16)]), "paint", SPARK)


@lru_cache(maxsize=1)
def _cables() -> Mesh:
    """The leaning pole stands at -y; the lines come from +y."""
    top = (0.1, -2.9, 4.2)
    parts = [rod([(0, -3.85, 0), top], (0.16, 0.12), "wood", POLE_WOOD, 9)]
    lean = about_x(-0.22)
    parts.append(board((1.3, 0.12, 0.14), (0.05, -3.0, 3.85), "arm", (0.5, 0.38, 0.27), lean))
    for x in (-0.5, 0.0, 0.55):
        knob = moved(meshes.cylinder(0.055, 0.2, 8), (x, -2.97, 4.02), lean)
        parts.append(painted(knob, "knob", (0.86, 0.88, 0.9)))
    for x, low in ((0.0, 0.95), (0.55, 1.6)):
        parts.append(rod(_sag((x, -2.95, 4.1), (x, 4.0, 4.4), low), 0.032, "wire", BLACK, 5))
    snapped = [
        (-0.5, -2.95, 4.05),
        (-0.5, -2.3, 2.2),
        (-0.48, -1.6, 0.75),
        (-0.4, -1.0, 0.12),
        (-0.1, -0.3, 0.035),
        (0.3, 0.2, 0.035),
        (0.1, 0.8, 0.06),
        (-0.3, 0.55, 0.16),
    ]
    parts.append(rod(snapped, 0.035, "wire", BLACK, 6))
    return join(parts)


def _sag(start: Vector3, end: Vector3, low_m: float) -> list[Vector3]:
    """Points of a line that hangs from one end to the other down to about a height."""
    (x0, y0, z0), (x1, y1, z1) = start, end
    points = []
    for t in np.linspace(0, 1, 13).tolist():
        straight = z0 + (z1 - z0) * t
        drop = (min(z0, z1) - low_m) * 4 * t * (1 - t)
        points.append((x0 + (x1 - x0) * t, y0 + (y1 - y0) * t, straight - drop))
    return points


def broken_guardrail(size_m: Vector3, look: Look) -> Solids:
    """A crash barrier along x, torn open: its end at -x bends into the road at +y."""
    return filling(size_m, _torn_rail(), 0.4)


@lru_cache(maxsize=1)
def _torn_rail() -> Mesh:
    whole = [(2.3, -0.55, 0.62), (1.2, -0.55, 0.62), (0.3, -0.5, 0.6)]
    torn = [(-0.3, -0.2, 0.5), (-0.9, 0.4, 0.46), (-1.5, 1.0, 0.75), (-1.8, 1.5, 1.3)]
    stub = [(-2.3, -0.55, 0.62), (-1.75, -0.6, 0.5), (-1.4, -0.66, 0.2)]
    parts = [_beam([*whole, *torn]), _beam(stub)]
    for x, lean in ((2.0, 0.0), (0.9, 0.0), (-0.2, 0.6), (-1.2, 1.15), (-2.1, 0.12)):
        post = moved(meshes.box((0.1, 0.14, 0.78)), (0, 0, 0.39))
        parts.append(
            painted(moved(post, (x, -0.62, 0.0), about_x(-lean)), "post", (0.56, 0.58, 0.6))
        )
    return join(parts)


def _beam(path: list[Vector3]) -> Mesh:
    """A rail of W profile along a path that is level enough for its sides to be upright."""
    points = np.array(path)
    ahead = np.gradient(points[:, :2], axis=0)
    side = np.column_stack([-ahead[:, 1], ahead[:, 0]])
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    profile = [(0.0, -0.18), (0.1, -0.1), (0.0, 0.0), (0.1, 0.1), (0.0, 0.18)]
    profile += [(out - 0.02, up) for out, up in reversed(profile)]
    rings = [
        [(x - out * a, y - out * b, z + up) for out, up in profile]
        for (x, y, z), (a, b) in zip(points, side, strict=True)
    ]
    return painted(meshes.loft(np.array(rings), crease_deg=20), "rail", (0.74, 0.76, 0.78))


def level_crossing(size_m: Vector3, look: Look) -> Solids:
    """Rails across the road, a barrier half down before them, a cross and two red lights on."""
    length, width, height = size_m
    solids = filling(size_m, _crossing())
    for y in (-0.27, 0.27):
        at = (-0.43 * length, -0.445 * width + y, 0.6 * height)
        lamp = (0.1, 0.24, 0.24)
        glow = {"paint": SIGNAL_RED}
        ball = meshes.icosphere(1)
        solids.append(Solid("mesh", lamp, at, mesh=ball, colours=glow, emission=1.0))
    return solids


@lru_cache(maxsize=1)
def _crossing() -> Mesh:
    """3.2 by 7.4 by 3.2 m; the post stands at -x, -y."""
    y = -3.29
    parts = [
        rod([(-1.25, y, 0), (-1.25, y, 3.1)], 0.07, "post", (0.8, 0.81, 0.82), 8),
        board((0.4, 0.5, 1.0), (-1.2, y, 0.5), "box", (0.55, 0.57, 0.58), bevel=0.04),
        board((0.04, 0.92, 0.42), (-1.33, y, 1.92), "screen", BLACK),
    ]
    for lean in (-0.75, 0.75):
        arm = striped((0.04, 1.3, 0.2), (0, 0, 0), 5, (RED, WHITE))
        parts.append(moved(arm, (-1.34, y, 2.66), about_x(lean)))
    bar = striped((0.09, 6.6, 0.16), (0, 3.3, 0), 11, (RED, WHITE))
    parts.append(moved(bar, (-1.42, y + 0.1, 1.0), about_x(0.2)))
    parts.append(board((0.3, 0.6, 0.4), (-1.42, y - 0.1, 0.95), "weight", (0.3, 0.31, 0.33)))
    bed = meshes.rectangles([(-0.75, 1.6, -3.7, 3.7)], 0.012)
    parts.append(painted(bed, "bed", (0.3, 0.27, 0.25)))
    for k in range(12):
        slab = board(
            (2.2, 0.42, 0.02), (0.42, -3.4 + 0.62 * k, 0.014), "sleeper", (0.46, 0.4, 0.34)
        )
        parts.append(slab)
    for x in (-0.3, 1.15):
        parts.append(board((0.09, 7.4, 0.07), (x, 0, 0.035), "rail", (0.72, 0.72, 0.74)))
    return join(parts)


MAKERS: Mapping[str, Maker] = {
    "dark_traffic_light": dark_traffic_light,
    "fallen_pole": fallen_pole,
    "fallen_sign": fallen_sign,
    "dead_streetlight": dead_streetlight,
    "hanging_cable": hanging_cable,
    "broken_guardrail": broken_guardrail,
    "level_crossing": level_crossing,
}
