# SPDX-License-Identifier: GPL-3.0-or-later
"""What can lie on the table: a maker for each kind, from models or procedural."""

import math
from collections.abc import Callable, Mapping

import numpy as np
from mathutils import Matrix

from tools.pathtrace.kinds import TABLE_KINDS
from tools.pathtrace.roadthings import Maker, Put, uniform
from tools.pathtrace.shapes import Build, outline
from tools.pathtrace.stage import Stage

STEEL, DARK, WHITE = (0.5, 0.5, 0.51), (0.02, 0.02, 0.022), (0.7, 0.7, 0.69)
BRIGHT = (
    (0.5, 0.04, 0.03),
    (0.02, 0.12, 0.4),
    (0.03, 0.25, 0.08),
    (0.7, 0.4, 0.03),
    (0.6, 0.6, 0.58),
)
SKIN = (
    (0.52, 0.3, 0.2),
    (0.42, 0.23, 0.15),
    (0.25, 0.125, 0.075),
    (0.1, 0.05, 0.032),
    (0.58, 0.36, 0.26),
)


def upright(kind: str) -> Maker:
    """A vessel as high as its box, in the asked colour."""

    def make(stage: Stage, put: Put, rng: np.random.Generator) -> None:
        name = stage.pick(kind, rng)
        size = stage.size(name)
        scale = put.size[2] / size[2]
        across = min(1.0, 1.45 * max(put.size[:2]) / (max(size[:2]) * scale))
        paint = stage.palette.plain(tuple(put.colour), 0.25) if put.colour else None
        stage.model(
            name, put.number, put.at, put.yaw, (scale * across, scale * across, scale), paint
        )

    return make


def along(kind: str) -> Maker:
    """A long thing that lies: its longest side along the box, its shortest up."""

    def make(stage: Stage, put: Put, rng: np.random.Generator) -> None:
        name = stage.pick(kind, rng)
        size = np.asarray(stage.size(name))
        order = np.argsort(-size)
        if order[0] != 2 and order[2] == 2:
            yaw = put.yaw + (0.0 if order[0] == 0 else math.pi / 2)
            scale = put.size[0] / size[order[0]]
            paint = stage.palette.plain(tuple(put.colour), 0.4) if put.colour else None
            stage.model(name, put.number, put.at, yaw, scale, paint)
            return
        # The model stands or lies on edge: lay it down by turning it about its length.
        scale = put.size[0] / size[order[0]]
        turn = Matrix.Rotation(math.pi / 2, 3, "X" if order[0] == 0 else "Y")
        low = 0.5 * size[order[2]] * scale
        if order[0] == 2:
            at = put.world(-0.5 * put.size[0], 0, low)
            stage.model(
                name, put.number, at, put.yaw, scale, None, Matrix.Rotation(math.pi / 2, 3, "Y")
            )
            return
        yaw = put.yaw + (0.0 if order[0] == 0 else math.pi / 2)
        side = 0.5 * size[2] * scale
        at = put.world(0, side, low) if order[0] == 0 else put.world(-side, 0, low)
        paint = stage.palette.plain(tuple(put.colour), 0.4) if put.colour else None
        stage.model(name, put.number, at, yaw, scale, paint, turn)

    return make


def lathed(
    profile: list[tuple[float, float]],
    colour: tuple[float, float, float],
    rough: float,
    glass: float = 0.0,
) -> Maker:
    """A turned vessel; the profile has radius 1 at most and height 1."""

    def make(stage: Stage, put: Put, rng: np.random.Generator) -> None:
        radius = min(put.size[:2]) / 2
        tone = tuple(put.colour) if put.colour else colour
        build = Build()
        # Walls to be seen through, without the many bounces that real glass takes.
        skin = stage.palette.plain(tone, rough, alpha=1 - glass)
        build.lathe([(max(r * radius, 1e-4), h * put.size[2]) for r, h in profile], skin, sides=32)
        stage.solid(build, put.number, put.at, put.yaw)

    return make


WINE = [
    (0.75, 0.0),
    (0.75, 0.012),
    (0.1, 0.04),
    (0.07, 0.3),
    (0.12, 0.4),
    (0.6, 0.5),
    (0.85, 0.65),
    (0.8, 0.85),
    (0.68, 1.0),
    (0.65, 1.0),
    (0.76, 0.85),
    (0.8, 0.66),
    (0.55, 0.53),
    (0.02, 0.45),
]
JAR = [
    (0.9, 0.0),
    (1.0, 0.04),
    (1.0, 0.7),
    (0.78, 0.8),
    (0.78, 0.86),
    (0.86, 0.87),
    (0.86, 1.0),
    (0.01, 1.0),
]
BOWL = [
    (0.4, 0.0),
    (0.42, 0.06),
    (0.75, 0.35),
    (0.95, 0.75),
    (1.0, 1.0),
    (0.96, 1.0),
    (0.9, 0.75),
    (0.7, 0.4),
    (0.02, 0.14),
]
PLATE = [(0.55, 0.0), (0.6, 0.2), (1.0, 0.9), (1.0, 1.0), (0.93, 0.95), (0.6, 0.4), (0.02, 0.3)]
CUP = [(0.68, 0.0), (0.72, 0.02), (1.0, 0.98), (1.0, 1.0), (0.94, 1.0), (0.68, 0.08), (0.02, 0.07)]
VASE = [
    (0.5, 0.0),
    (0.8, 0.15),
    (1.0, 0.4),
    (0.8, 0.68),
    (0.42, 0.85),
    (0.55, 1.0),
    (0.48, 1.0),
    (0.36, 0.86),
    (0.02, 0.7),
]


def stacked(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """Cups one in the other, a little askew."""
    count, each = 4, put.size[2] / 1.9
    for k in range(count):
        level = k * (put.size[2] - each) / (count - 1)
        inner = Put(
            put.kind,
            put.number,
            put.world(rng.normal(0, 0.004), rng.normal(0, 0.004), level),
            (put.size[0] * 0.85, put.size[1] * 0.85, each),
            put.yaw,
            put.colour or BRIGHT[k % 5],
            put.night,
        )
        lathed(CUP, WHITE, 0.3)(stage, inner, rng)


def fruit(colour: tuple[float, float, float], rough: float, squash: float) -> Maker:
    """A round fruit with a stalk."""

    def make(stage: Stage, put: Put, rng: np.random.Generator) -> None:
        radius, high = put.size[0] / 2, put.size[2]
        tone = tuple(put.colour) if put.colour else colour
        skin = stage.palette.mottled(tone, tuple(min(1, 1.35 * c + 0.02) for c in tone), 40, rough)
        angle = np.linspace(-math.pi / 2, math.pi / 2, 19)
        profile = []
        for a in angle:
            dip = squash * math.exp(-((abs(a) - math.pi / 2) ** 2) / 0.06) * (1 if a > 0 else 0.5)
            profile.append(
                (
                    max(radius * math.cos(a), 1e-4),
                    high * (0.5 + 0.5 * math.sin(a)) - dip * high * math.copysign(0.12, a),
                )
            )
        build = Build()
        build.lathe(profile, skin, sides=28)
        if squash:
            stalk = stage.palette.plain((0.09, 0.05, 0.02), 0.8)
            build.tube(
                [(0, 0, high * 0.85), (0.002, 0, high), (0.006, 0.002, high * 1.12)],
                0.0017,
                stalk,
                6,
            )
        stage.solid(build, put.number, put.at, put.yaw)

    return make


def banana(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A bent yellow tube with dark ends."""
    length, width, height = put.size
    peel = stage.palette.mottled((0.6, 0.42, 0.03), (0.7, 0.52, 0.06), 30, 0.5)
    build = Build()
    t = np.linspace(-1, 1, 15)
    for a, b in ((0, 5), (4, 11), (10, 15)):
        part = t[a:b]
        radius = height * (0.3 if a != 4 else 0.48)
        path = [
            (0.5 * length * s, width * 0.35 * (1 - s * s) * 1.2 - width * 0.25, height * 0.5)
            for s in part
        ]
        build.tube(path, radius, peel, 8)
    tip = stage.palette.plain((0.06, 0.04, 0.02), 0.8)
    end = 0.5 * length
    build.tube(
        [(end * 0.96, -width * 0.22, height * 0.5), (end * 1.06, -width * 0.3, height * 0.5)],
        height * 0.16,
        tip,
        6,
    )
    stage.solid(build, put.number, put.at, put.yaw)


def block(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A toy brick with studs."""
    length, width, height = put.size
    plastic = stage.palette.plain(tuple(put.colour) if put.colour else BRIGHT[0], 0.25)
    build, body = Build(), height * 0.84
    build.box((0, 0, body / 2), (length, width, body), plastic)
    columns, rows = max(1, round(length / 0.036)), max(1, round(width / 0.036))
    for i in range(columns):
        for j in range(rows):
            x, y = ((i + 0.5) / columns - 0.5) * length, ((j + 0.5) / rows - 0.5) * width
            r = 0.3 * min(length / columns, width / rows)
            build.lathe([(r, body), (r, height)], plastic, (x, y, 0), 16)
    stage.solid(build, put.number, put.at, put.yaw)


def carton(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A closed cardboard box with tape."""
    paper = stage.palette.tile("brown cardboard", int(rng.integers(3)), 0.4)
    tape = stage.palette.plain((0.4, 0.3, 0.17), 0.3)
    build, (length, width, height) = Build(), put.size
    build.box((0, 0, height / 2), put.size, paper)
    build.box((0, 0, height / 2 + 0.0006), (length * 1.003, width * 0.18, height), tape)
    stage.solid(build, put.number, put.at, put.yaw)


def notebook(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A closed book or notebook."""
    length, width, height = put.size
    cover = stage.palette.plain(
        tuple(put.colour) if put.colour else BRIGHT[int(rng.integers(5))], 0.5
    )
    paper = stage.palette.plain((0.7, 0.68, 0.6), 0.9)
    build = Build()
    build.box((0, 0, height / 2), (length * 0.97, width * 0.97, height * 0.8), paper)
    for z in (height * 0.05, height * 0.95):
        build.box((0, 0, z), (length, width, height * 0.1), cover)
    build.box((0, -width / 2 + 0.002, height / 2), (length, 0.004, height), cover)
    stage.solid(build, put.number, put.at, put.yaw)


def books(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """Books that stand and lean on each other."""
    length, width, height = put.size
    build, at = Build(), -length / 2
    paper = stage.palette.plain((0.7, 0.68, 0.6), 0.9)
    while at < length / 2 - 0.03:
        thick, tall = float(rng.uniform(0.018, 0.04)), float(rng.uniform(0.72, 0.92)) * height
        lean = float(rng.uniform(0.05, 0.32))
        cover = stage.palette.plain(BRIGHT[int(rng.integers(5))], 0.5)
        piece = Build()
        deep = width * float(rng.uniform(0.75, 0.95))
        piece.box((0, 0, tall / 2), (thick * 0.8, deep * 0.97, tall * 0.97), paper)
        for x in (-thick / 2, thick / 2):
            piece.box((x, 0, tall / 2), (thick * 0.12, deep, tall), cover)
        piece.box((0, -deep / 2, tall / 2), (thick, thick * 0.12, tall), cover)
        turn = np.array(Matrix.Rotation(lean, 3, "Y"))
        points = np.asarray(piece.points) @ turn.T + np.array([at, 0, thick * math.sin(lean) / 2])
        base = len(build.points)
        build.points += [tuple(p) for p in points.tolist()]
        for face, slot, smooth in zip(piece.faces, piece.slots, piece.smooth, strict=True):
            build.faces.append(tuple(base + i for i in face))
            build.slots.append(build.slot(piece.materials[slot]))
            build.smooth.append(smooth)
        build.uvs += piece.uvs
        at += thick / math.cos(lean) + 0.012
        if at + tall * math.sin(0.32) > length / 2 + 0.05:
            break
    stage.solid(build, put.number, put.at, put.yaw)


def cloth(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A crumpled cloth."""
    length, width, height = put.size
    x = np.linspace(-0.5, 0.5, 44)
    gx, gy = np.meshgrid(x, x, indexing="ij")
    folds = sum(
        rng.uniform(0.3, 1)
        * np.sin(rng.normal(0, 11) * gx + rng.normal(0, 11) * gy + rng.uniform(0, 6)) ** 2
        for _ in range(6)
    )
    folds = (folds - folds.min()) / np.ptp(folds)
    fall = np.clip(1.35 - 2.2 * np.hypot(gx, gy) ** 1.5, 0.06, 1)
    tone = tuple(put.colour) if put.colour else (0.55, 0.53, 0.48)
    fabric = stage.palette.mottled(tone, tuple(0.8 * c for c in tone), 60, 0.95)
    build = Build()
    wave = 1 + 0.09 * np.sin(5 * gy + rng.uniform(0, 6))
    build.sheet(
        gx * length * wave,
        gy * width * (1 + 0.09 * np.sin(6 * gx)),
        height * folds * fall + 0.002,
        fabric,
    )
    stage.solid(build, put.number, put.at, put.yaw)


def film(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """Crumpled clear film."""
    length, width, height = put.size
    x = np.linspace(-0.5, 0.5, 36)
    gx, gy = np.meshgrid(x, x, indexing="ij")
    folds = sum(
        np.abs(np.sin(rng.normal(0, 14) * gx + rng.normal(0, 14) * gy + rng.uniform(0, 6)))
        for _ in range(6)
    )
    folds = (folds - folds.min()) / np.ptp(folds)
    build = Build()
    fall = np.clip(1.3 - 2 * np.hypot(gx, gy), 0.05, 1)
    plastic = stage.palette.plain((0.7, 0.73, 0.76), 0.1, alpha=0.62)
    build.sheet(gx * length, gy * width, height * folds * fall + 0.002, plastic)
    stage.solid(build, put.number, put.at, put.yaw)


def roll(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A roll of tape, flat."""
    radius, high = put.size[0] / 2, put.size[2]
    tape = stage.palette.plain(tuple(put.colour) if put.colour else (0.5, 0.4, 0.2), 0.25)
    core = stage.palette.plain((0.35, 0.25, 0.15), 0.8)
    build = Build()
    build.lathe(
        [(radius * 0.7, 0), (radius, 0), (radius, high), (radius * 0.7, high), (radius * 0.7, 0)],
        tape,
        sides=36,
    )
    build.lathe(
        [
            (radius * 0.64, 0),
            (radius * 0.7, 0.0),
            (radius * 0.7, high * 1.01),
            (radius * 0.64, high * 1.01),
            (radius * 0.64, 0),
        ],
        core,
        sides=36,
    )
    keep = [f for f in range(len(build.faces)) if len(build.faces[f]) == 4]
    flat, kept = [], 0
    for f, face in enumerate(build.faces):
        if f in set(keep):
            flat += build.uvs[kept : kept + len(face)]
        kept += len(face)
    build.faces, build.uvs = [build.faces[f] for f in keep], flat
    build.slots, build.smooth = [build.slots[f] for f in keep], [build.smooth[f] for f in keep]
    stage.solid(build, put.number, put.at, put.yaw)


def cable(loops: float, thick: float) -> Maker:
    """A cable or rope in loose loops over its box."""

    def make(stage: Stage, put: Put, rng: np.random.Generator) -> None:
        length, width, height = put.size
        tone = tuple(put.colour) if put.colour else (DARK if thick < 0.006 else (0.45, 0.36, 0.22))
        rubber = stage.palette.plain(tone, 0.6)
        t = np.linspace(0, 1, int(40 * loops) + 30)
        a, b, c = rng.uniform(0, 6, 3)
        angle = 2 * math.pi * loops * t
        r = 0.55 + 0.4 * np.sin(angle * 0.37 + a)
        x = 0.46 * length * np.clip(r * np.cos(angle + b) + 0.25 * np.sin(3 * t + c), -1, 1)
        y = 0.46 * width * np.clip(r * np.sin(angle + b), -1, 1)
        z = thick + (max(height - 2 * thick, 0)) * 0.5 * (1 - np.cos(angle * 1.7)) * (
            0.4 if loops < 2 else 1
        )
        build = Build()
        build.tube(list(zip(x.tolist(), y.tolist(), z.tolist(), strict=True)), thick, rubber, 8)
        stage.solid(build, put.number, put.at, put.yaw)

    return make


def many(
    draw: Callable[[Build, Stage, np.random.Generator, float, float], None], count: int
) -> Maker:
    """Many small things over the box."""

    def make(stage: Stage, put: Put, rng: np.random.Generator) -> None:
        build = Build()
        for _ in range(count):
            r, a = math.sqrt(rng.uniform()) * 0.47, rng.uniform(0, 2 * math.pi)
            draw(build, stage, rng, r * math.cos(a) * put.size[0], r * math.sin(a) * put.size[1])
        stage.solid(build, put.number, put.at, put.yaw)

    return make


def _marble(build: Build, stage: Stage, rng: np.random.Generator, x: float, y: float) -> None:
    radius = float(rng.uniform(0.007, 0.011))
    glass = stage.palette.plain(BRIGHT[int(rng.integers(5))], 0.03)
    angle = np.linspace(-math.pi / 2, math.pi / 2, 9)
    build.lathe(
        [(max(radius * math.cos(a), 1e-5), radius + radius * math.sin(a)) for a in angle],
        glass,
        (x, y, 0),
        14,
    )


def _screw(build: Build, stage: Stage, rng: np.random.Generator, x: float, y: float) -> None:
    steel = stage.palette.plain((0.45, 0.43, 0.38), 0.3, 0.9)
    long, yaw = float(rng.uniform(0.02, 0.04)), float(rng.uniform(0, 6.3))
    c, s = math.cos(yaw), math.sin(yaw)
    path = [(x + c * t * long, y + s * t * long, 0.002 + 0.002 * (1 - t)) for t in (0, 0.5, 1)]
    build.tube(path, 0.0018, steel, 6)
    build.tube(
        [
            (x - c * 0.002, y - s * 0.002, 0.0045),
            (x, y, 0.0045),
            (x + c * 0.001, y + s * 0.001, 0.0045),
        ],
        0.004,
        steel,
        8,
    )


def _nail(build: Build, stage: Stage, rng: np.random.Generator, x: float, y: float) -> None:
    _screw(build, stage, rng, x, y)


def _pin(build: Build, stage: Stage, rng: np.random.Generator, x: float, y: float) -> None:
    head = stage.palette.plain(BRIGHT[int(rng.integers(5))], 0.3)
    steel = stage.palette.plain(STEEL, 0.2, 1.0)
    build.lathe(
        [(0.005, 0), (0.0055, 0.0015), (0.003, 0.003), (0.003, 0.007), (0.0045, 0.009)],
        head,
        (x, y, 0.0),
        12,
    )
    build.tube([(x, y, 0.009), (x, y, 0.013), (x, y, 0.018)], 0.0006, steel, 5)


def _shard(colour: tuple[float, float, float], alpha: float) -> Callable[..., None]:
    def draw(build: Build, stage: Stage, rng: np.random.Generator, x: float, y: float) -> None:
        glass = stage.palette.plain(colour, 0.03, alpha=alpha)
        count, size = int(rng.integers(3, 6)), float(rng.uniform(0.006, 0.035))
        angle = np.sort(rng.uniform(0, 2 * math.pi, count))
        tilt = rng.normal(0, 0.35, 2)
        ring = [(x + size * math.cos(a), y + size * math.sin(a)) for a in angle]
        low = [
            (a, b, 0.002 + max(0.0, float((a - x) * tilt[0] + (b - y) * tilt[1])) + 0.001)
            for a, b in ring
        ]
        high = [(a, b, c + 0.003) for a, b, c in low]
        build.face(low, glass)
        build.face(high, glass)
        for i in range(count):
            j = (i + 1) % count
            build.face([low[i], low[j], high[j], high[i]], glass)

    return draw


def broken_plate(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A plate in pieces: sectors moved apart."""
    radius = put.size[0] / 2
    glaze = stage.palette.plain(tuple(put.colour) if put.colour else WHITE, 0.15)
    edges = np.sort(rng.uniform(0, 2 * math.pi, 6))
    for a, b in zip(edges, [*edges[1:], edges[0] + 2 * math.pi], strict=True):
        build, middle = Build(), (a + b) / 2
        steps = np.linspace(a + 0.03, b - 0.03, max(3, int((b - a) * 6)))
        for k in range(len(steps) - 1):
            p, q = steps[k], steps[k + 1]
            for (r0, h0), (r1, h1) in (((0.02, 0.2), (0.6, 0.25)), ((0.6, 0.25), (0.95, 1.0))):
                z0, z1 = put.size[2] * h0, put.size[2] * h1
                build.face(
                    [
                        (r0 * radius * math.cos(p), r0 * radius * math.sin(p), z0),
                        (r1 * radius * math.cos(p), r1 * radius * math.sin(p), z1),
                        (r1 * radius * math.cos(q), r1 * radius * math.sin(q), z1),
                        (r0 * radius * math.cos(q), r0 * radius * math.sin(q), z0),
                    ],
                    glaze,
                )
        move = float(rng.uniform(0.004, 0.016))
        stage.solid(
            build, put.number, put.world(move * math.cos(middle), move * math.sin(middle)), put.yaw
        )


def knife(wide: float) -> Maker:
    """A blade with a handle, flat on the table."""

    def make(stage: Stage, put: Put, rng: np.random.Generator) -> None:
        length, width, height = put.size
        steel = stage.palette.plain((0.6, 0.6, 0.61), 0.15, 1.0)
        handle = stage.palette.plain(
            tuple(put.colour)
            if put.colour
            else ((0.02, 0.02, 0.02), (0.12, 0.06, 0.03))[int(rng.integers(2))],
            0.4,
        )
        build, blade, z = Build(), 0.62 * length, height * 0.5
        half = 0.5 * width * wide
        x0, x1 = length / 2 - blade, length / 2
        tip = [
            (x0, -half, z),
            (x1 - half * (0.3 if wide > 0.9 else 2.2), -half, z),
            (x1, half * 0.6, z),
            (x1 - 0.004, half, z),
            (x0, half, z),
        ]
        for lift in (0.0, 0.0016):
            build.face([(a, b, c + lift) for a, b, c in tip], steel)
        for i in range(len(tip)):
            p, q = tip[i], tip[(i + 1) % len(tip)]
            build.face([p, q, (q[0], q[1], q[2] + 0.0016), (p[0], p[1], p[2] + 0.0016)], steel)
        grip = length - blade
        build.box(
            (-length / 2 + grip / 2, half * 0.3, z),
            (grip, min(0.024, width * 0.5), min(height, 0.016)),
            handle,
        )
        stage.solid(build, put.number, put.at, put.yaw)

    return make


def box_cutter(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A cutter with its blade out."""
    length, width, height = put.size
    shell = stage.palette.plain(tuple(put.colour) if put.colour else (0.7, 0.4, 0.03), 0.35)
    steel = stage.palette.plain((0.6, 0.6, 0.61), 0.15, 1.0)
    build = Build()
    build.box((-length * 0.12, 0, height * 0.5), (length * 0.7, width * 0.7, height * 0.9), shell)
    build.box(
        (-length * 0.1, 0, height * 0.98),
        (length * 0.1, width * 0.3, height * 0.25),
        stage.palette.plain(DARK, 0.5),
    )
    x0, x1, z = length * 0.22, length * 0.5, height * 0.5
    build.face(
        [
            (x0, -width * 0.22, z),
            (x1 - width * 0.4, -width * 0.22, z),
            (x1, width * 0.22, z),
            (x0, width * 0.22, z),
        ],
        steel,
    )
    stage.solid(build, put.number, put.at, put.yaw)


def razor(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A double-edged blade."""
    length, width, _ = put.size
    steel = stage.palette.plain((0.6, 0.6, 0.61), 0.12, 1.0)
    dark = stage.palette.plain(DARK, 0.6)
    build = Build()
    build.box((0, 0, 0.0015), (length * 0.92, width, 0.0012), steel)
    build.box((0, 0, 0.0016), (length, width * 0.6, 0.0012), steel)
    build.box((0, 0, 0.0024), (length * 0.62, width * 0.08, 0.0004), dark)
    stage.solid(build, put.number, put.at, put.yaw)


def saw_blade(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A toothed disc."""
    radius = put.size[0] / 2
    steel = stage.palette.plain((0.45, 0.45, 0.46), 0.25, 1.0)
    build, ring = Build(), []
    teeth = 28
    for k in range(teeth):
        for r, shift in ((0.93, 0.0), (1.0, 0.75)):
            a = 2 * math.pi * (k + shift) / teeth
            ring.append((radius * r * math.cos(a), radius * r * math.sin(a)))
    build.face([(x, y, 0.006) for x, y in ring], steel)
    for i in range(len(ring)):
        p, q = ring[i], ring[(i + 1) % len(ring)]
        build.face([(*p, 0.003), (*q, 0.003), (*q, 0.006), (*p, 0.006)], steel)
    mark = stage.palette.plain(tuple(put.colour) if put.colour else (0.5, 0.03, 0.03), 0.4)
    build.lathe([(radius * 0.5, 0.006), (radius * 0.5, 0.0065)], mark, sides=32)
    build.lathe(
        [(radius * 0.12, 0.0065), (radius * 0.12, 0.007)], stage.palette.plain(DARK, 0.8), sides=20
    )
    stage.solid(build, put.number, put.at, put.yaw)


def keyboard(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A keyboard with rows of keys; its long side lies across."""
    length, width, height = put.size
    tone = (DARK, (0.6, 0.6, 0.6), (0.2, 0.2, 0.21))[int(rng.integers(3))]
    base, key = (
        stage.palette.plain(tone, 0.5),
        stage.palette.plain(tuple(min(0.8, c * 1.3 + 0.015) for c in tone), 0.5),
    )
    build = Build()
    build.box((0, 0, height * 0.3), (length, width, height * 0.6), base)
    rows, columns = 5, max(8, round(width / 0.021))
    for i in range(rows):
        for j in range(columns):
            if i == 0 and 0.25 < j / columns < 0.6:
                continue
            x, y = (i - 2) * length / 5.8, ((j + 0.5) / columns - 0.5) * width * 0.95
            build.box(
                (x, y, height * 0.75), (length / 7, width * 0.8 / columns, height * 0.35), key
            )
    build.box((-2 * length / 5.8, 0, height * 0.75), (length / 7, width * 0.32, height * 0.35), key)
    stage.solid(build, put.number, put.at, put.yaw)


def candle(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A burning candle."""
    radius, high = put.size[0] / 2 * 0.85, put.size[2] * 0.72
    wax = stage.palette.plain(tuple(put.colour) if put.colour else (0.7, 0.66, 0.55), 0.45)
    flame = stage.palette.plain((1.0, 0.55, 0.15), 0.5, glow=18.0)
    build = Build()
    build.lathe(
        [
            (radius, 0),
            (radius, high),
            (radius * 0.9, high),
            (radius * 0.8, high * 0.97),
            (0.003, high * 0.965),
        ],
        wax,
        sides=28,
    )
    build.tube(
        [(0, 0, high * 0.96), (0.001, 0, high * 1.0), (0.002, 0, high * 1.06)],
        0.0016,
        stage.palette.plain(DARK, 0.9),
        6,
    )
    tall = put.size[2] - high
    shape = [(0.0005, 0.1), (0.2, 0.25), (0.24, 0.4), (0.14, 0.7), (0.001, 1.0)]
    build.lathe([(r * tall * 0.7, high + h * tall) for r, h in shape], flame, sides=14)
    stage.solid(build, put.number, put.at, put.yaw)
    stage.lamp((*put.at[:2], put.at[2] + high + 0.03), 0.6, (1.0, 0.6, 0.25), 0.01)


def mirror(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A hand mirror, flat."""
    length, width, height = put.size
    frame = stage.palette.plain(tuple(put.colour) if put.colour else (0.5, 0.3, 0.2), 0.4)
    build = Build()
    radius = width / 2
    at = (length / 2 - radius, 0, 0)
    build.lathe([(radius, 0), (radius, height), (radius * 0.94, height)], frame, at, 36)
    build.lathe(
        [(radius * 0.9, height), (radius * 0.9, height * 1.05)],
        stage.palette.plain((0.85, 0.86, 0.87), 0.01, 1.0),
        at,
        36,
    )
    long = length - 2 * radius
    build.box((-length / 2 + long / 2, 0, height / 2), (long, 0.025, height), frame)
    stage.solid(build, put.number, put.at, put.yaw)


def egg_tray(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """Eggs in a tray of pulp."""
    length, width, height = put.size
    pulp = stage.palette.mottled((0.25, 0.24, 0.23), (0.35, 0.34, 0.32), 60, 0.95)
    build = Build()
    columns, rows = max(3, round(length / 0.048)), max(2, round(width / 0.048))
    build.box((0, 0, height * 0.2), (length, width, height * 0.4), pulp)
    angle = np.linspace(-math.pi / 2, math.pi / 2, 11)
    for i in range(columns):
        for j in range(rows):
            if rng.uniform() < 0.12:
                continue
            shell = stage.palette.plain(
                ((0.62, 0.4, 0.26), (0.7, 0.55, 0.42), (0.74, 0.7, 0.64))[int(rng.integers(3))], 0.5
            )
            r = 0.44 * min(length / columns, width / rows)
            x, y = ((i + 0.5) / columns - 0.5) * length, ((j + 0.5) / rows - 0.5) * width
            profile = [
                (
                    max(r * math.cos(a) * (1 - 0.12 * math.sin(a)), 1e-4),
                    height * 0.62 + height * 0.38 * math.sin(a),
                )
                for a in angle
            ]
            build.lathe(profile, shell, (x, y, 0), 16)
    stage.solid(build, put.number, put.at, put.yaw)


def powder(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """White powder in a flat heap."""
    build = Build()
    white = stage.palette.mottled((0.62, 0.61, 0.58), (0.74, 0.73, 0.71), 120, 1.0, 0.002)
    build.blob(outline(rng, put.size[:2], 0.3), white, 0.001, put.size[2] * 0.8)
    stage.solid(build, put.number, put.at, put.yaw)
    many(
        lambda b, s, r, x, y: b.box((x * 1.05, y * 1.05, 0.002), (0.006, 0.005, 0.004), white), 60
    )(stage, put, rng)


def hand(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A hand that reaches over the table with its forearm in a sleeve; fingers towards +x."""
    length, width, height = put.size
    # A palm is about a quarter of hand and forearm together, whatever the age.
    unit = min(width / 0.1, length / 0.3)
    bone = 0.19 * unit
    tone = SKIN[int(rng.integers(len(SKIN)))]
    skin = stage.palette.mottled(tone, (tone[0] * 1.06, tone[1] * 0.96, tone[2] * 0.94), 18, 0.5)
    z = max(height * 0.45, 0.022 * unit)
    tip = length / 2
    knuckle, wrist = tip - 0.085 * unit, tip - bone
    build = Build()
    arm = np.linspace(-length / 2, wrist + 0.01 * unit, 8)
    build.tube([(float(x), 0.0, z + 0.008 * unit) for x in arm], 0.026 * unit, skin, 14)
    for y, r in ((-0.027, 0.0135), (-0.009, 0.0145), (0.009, 0.0145), (0.027, 0.0135)):
        path = [
            (wrist - 0.005 * unit, y * 0.6 * unit, z + 0.006 * unit),
            (0.5 * (wrist + knuckle), y * unit, z + 0.008 * unit),
            (knuckle, y * 1.15 * unit, z + 0.006 * unit),
        ]
        build.tube(path, r * unit, skin, 10)
    curl = rng.uniform(0.25, 0.7)
    for k, (y, long) in enumerate(
        ((-0.033, 0.062), (-0.011, 0.08), (0.011, 0.085), (0.033, 0.074))
    ):
        spread = y * (1.25 + 0.1 * rng.normal()) * unit
        path, bend = [], 0.0
        x, h = knuckle - 0.012 * unit, z + 0.007 * unit
        for _ in range(5):
            path.append((x, spread, max(h, 0.009 * unit)))
            x += long * unit / 4 * math.cos(bend)
            h -= long * unit / 4 * math.sin(bend)
            bend += curl * 0.35
        build.tube(path, (0.0088 - 0.0006 * (k == 0)) * unit, skin, 10)
    side = 1 if rng.uniform() < 0.5 else -1
    thumb = [
        (wrist + 0.01 * unit, side * 0.018 * unit, z),
        (wrist + 0.045 * unit, side * 0.045 * unit, z - 0.004 * unit),
        (wrist + 0.075 * unit, side * 0.058 * unit, max(z - 0.01 * unit, 0.01 * unit)),
        (wrist + 0.1 * unit, side * 0.06 * unit, max(z - 0.014 * unit, 0.01 * unit)),
    ]
    build.tube(thumb, 0.0105 * unit, skin, 10)
    flesh = stage.solid(build, put.number, put.at, put.yaw)
    melt = flesh.modifiers.new("melt", "REMESH")
    melt.mode, melt.voxel_size, melt.use_smooth_shade = "VOXEL", 0.0035 * unit, True
    soft = flesh.modifiers.new("soft", "SMOOTH")
    soft.factor, soft.iterations = 0.6, 6
    sleeve = Build()
    cloth_tone = BRIGHT[int(rng.integers(5))] if rng.uniform() < 0.6 else (0.04, 0.05, 0.09)
    fabric = stage.palette.mottled(cloth_tone, tuple(0.75 * c for c in cloth_tone), 70, 0.95)
    end = wrist - 0.06 * unit - float(rng.uniform(0, 0.3)) * (wrist + length / 2)
    far = -length / 2 - 0.25
    steps = np.linspace(far, end, 14)
    sleeve.tube(
        [(float(x), 0.002 * math.sin(40 * x), z + 0.012 * unit) for x in steps],
        0.037 * unit,
        fabric,
        18,
    )
    stage.solid(sleeve, put.number, put.at, put.yaw)


def iron_pan(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A black pan with a handle and hot oil in it."""
    length, width, height = put.size
    black = stage.palette.plain(
        tuple(put.colour) if put.colour else (0.012, 0.012, 0.013), 0.35, 0.4
    )
    radius, deep = width / 2, min(0.055, height * 0.5)
    build = Build()
    at = (length / 2 - radius, 0, 0)
    build.lathe(
        [
            (radius * 0.8, 0),
            (radius, deep),
            (radius * 0.97, deep),
            (radius * 0.78, 0.008),
            (0.001, 0.007),
        ],
        black,
        at,
        36,
    )
    oil = stage.palette.plain((0.25, 0.15, 0.03), 0.05, coat=1.0)
    build.lathe([(radius * 0.85, deep * 0.3), (0.001, deep * 0.3001)], oil, at, 36)
    x1 = length / 2 - 2 * radius
    build.tube(
        [
            (x1 + 0.01, 0, deep * 0.85),
            (0.5 * (x1 - length / 2), 0, deep + 0.015),
            (-length / 2, 0, deep + 0.03),
        ],
        0.011,
        black,
        10,
    )
    stage.solid(build, put.number, put.at, put.yaw)


def hot_plate(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """An electric hot plate whose ring glows."""
    length, width, height = put.size
    shell, knob = stage.palette.plain((0.6, 0.6, 0.6), 0.35), stage.palette.plain(DARK, 0.5)
    glow = stage.palette.plain((1.0, 0.16, 0.03), 0.5, glow=4.0)
    build = Build()
    build.box((0, 0, height * 0.4), (length, width, height * 0.75), shell)
    radius = 0.38 * min(length, width)
    build.lathe(
        [(radius * 1.05, height * 0.77), (radius * 1.05, height * 0.85)],
        knob,
        (0.03 * length, 0, 0),
        36,
    )
    for r in (0.95, 0.7, 0.45, 0.2):
        ring = [
            (radius * r * math.cos(a) + 0.03 * length, radius * r * math.sin(a), height * 0.9)
            for a in np.linspace(0, 6.2, 26)
        ]
        build.tube(ring, radius * 0.075, glow, 6)
    build.tube(
        [
            (-length / 2, 0, height * 0.4),
            (-length / 2 - 0.01, 0, height * 0.4),
            (-length / 2 - 0.018, 0, height * 0.4),
        ],
        0.014,
        knob,
        14,
    )
    stage.solid(build, put.number, put.at, put.yaw)


def bulb(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A light bulb on its side."""
    length, radius = put.size[0], put.size[2] / 2
    glass = stage.palette.plain((0.75, 0.76, 0.74), 0.12)
    brass = stage.palette.plain((0.5, 0.48, 0.42), 0.3, 0.9)
    turn = np.array(Matrix.Rotation(math.pi / 2, 3, "Y"))
    shape = [
        (0.02, 0),
        (0.55, 0.04),
        (0.92, 0.2),
        (1.0, 0.36),
        (0.86, 0.52),
        (0.52, 0.68),
        (0.42, 0.76),
    ]
    build = Build()
    build.lathe(
        [(r * radius, (1 - h) * length - length / 2) for r, h in reversed(shape)],
        glass,
        (0, 0, radius),
        24,
        turn,
    )
    build.lathe(
        [
            (0.3 * radius, -length / 2),
            (0.42 * radius, -length / 2 + 0.02 * length),
            (0.42 * radius, -0.26 * length),
        ],
        brass,
        (0, 0, radius),
        18,
        turn,
    )
    stage.solid(build, put.number, put.at, put.yaw)


def syringe(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A syringe with its needle."""
    length, _, height = put.size
    clear, white = (
        stage.palette.plain((0.7, 0.74, 0.76), 0.1, alpha=0.6),
        stage.palette.plain(WHITE, 0.4),
    )
    steel, z = stage.palette.plain(STEEL, 0.15, 1.0), height / 2
    radius = min(0.012, height * 0.4)
    build = Build()

    def rod(a: float, b: float, r: float, material: object) -> None:
        build.tube(
            [(a * length, 0, z), ((a + b) / 2 * length, 0, z), (b * length, 0, z)], r, material, 14
        )

    rod(-0.15, 0.22, radius, clear)
    rod(-0.13, 0.05, radius * 0.85, stage.palette.plain((0.3, 0.02, 0.02), 0.2))
    rod(-0.48, -0.1, radius * 0.4, white)
    rod(-0.5, -0.48, radius * 1.2, white)
    rod(-0.16, -0.145, radius * 1.7, white)
    rod(0.22, 0.27, radius * 0.4, white)
    rod(0.27, 0.5, 0.0011, steel)
    stage.solid(build, put.number, put.at, put.yaw)


def liquid(colour: tuple[float, float, float], rough: float = 0.03) -> Maker:
    """A spill on the table: a thin film with a rounded rim."""

    def make(stage: Stage, put: Put, rng: np.random.Generator) -> None:
        build = Build()
        film_ = stage.palette.plain(tuple(put.colour) if put.colour else colour, rough, coat=1.0)
        build.blob(outline(rng, put.size[:2], 0.24), film_, 0.0006, 0.0022)
        for _ in range(5):
            x, y = rng.uniform(-0.45, 0.45, 2) * np.asarray(put.size[:2])
            r = float(rng.uniform(0.003, 0.01))
            build.lathe([(r, 0.0), (r * 0.8, 0.0018), (0.0005, 0.0025)], film_, (x, y, 0), 14)
        stage.solid(build, put.number, put.at, put.yaw)

    return make


def water(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """Clear water: what lies under it shows, darker, and lights mirror in it."""
    build = Build()
    clear = stage.palette.plain((0.6, 0.65, 0.68), 0.02, alpha=0.3)
    build.blob(outline(rng, put.size[:2], 0.24), clear, 0.0006, 0.003)
    stage.solid(build, put.number, put.at, put.yaw)


def phone(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A phone, flat."""
    length, width, height = put.size
    if rng.uniform() < 0.4:
        along("phone")(stage, put, rng)
        return
    build = Build()
    build.box(
        (0, 0, height / 2),
        put.size,
        stage.palette.plain(((0.02, 0.02, 0.02), (0.6, 0.6, 0.61))[int(rng.integers(2))], 0.3, 0.5),
    )
    build.box(
        (0, 0, height + 0.0003),
        (length * 0.96, width * 0.93, 0.0006),
        stage.palette.plain((0.008, 0.008, 0.01), 0.04),
    )
    stage.solid(build, put.number, put.at, put.yaw)


def laptop(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A laptop as wide as its box; it opens towards +x."""
    name = stage.pick("laptop", rng)
    stage.model(name, put.number, put.at, put.yaw, put.size[1] / stage.size(name)[1])


MAKERS: Mapping[str, Maker] = {
    "mug": upright("mug"),
    "cup": lathed(CUP, WHITE, 0.3),
    "stacked_cups": stacked,
    "bottle": upright("bottle"),
    "plate": lathed(PLATE, WHITE, 0.15),
    "bowl": lathed(BOWL, WHITE, 0.2),
    "glass_jar": lathed(JAR, (0.5, 0.55, 0.53), 0.04, 0.65),
    "wine_glass": lathed(WINE, (0.9, 0.92, 0.92), 0.02, 0.72),
    "vase": lathed(VASE, (0.05, 0.1, 0.3), 0.2),
    "cardboard_box": carton,
    "hot_pan": iron_pan,
    "kettle": uniform("kettle"),
    "orange": fruit((0.65, 0.22, 0.02), 0.5, 0.0),
    "apple": fruit((0.35, 0.03, 0.02), 0.25, 1.0),
    "banana": banana,
    "egg_tray": egg_tray,
    "toy_block": block,
    "notebook": notebook,
    "book": notebook,
    "leaning_books": books,
    "crumpled_cloth": cloth,
    "plastic_film": film,
    "tape_roll": roll,
    "candle": candle,
    "mirror": mirror,
    "rope": cable(2.5, 0.006),
    "power_cable": cable(1.4, 0.0045),
    "cable_tangle": cable(6.0, 0.0035),
    "marbles": many(_marble, 22),
    "scattered_screws": many(_screw, 26),
    "nails": many(_nail, 26),
    "drawing_pins": many(_pin, 30),
    "broken_glass": many(_shard((0.62, 0.7, 0.68), 0.6), 46),
    "broken_plate": broken_plate,
    "powder_spill": powder,
    "phone": phone,
    "laptop": laptop,
    "keyboard": keyboard,
    "hot_plate": hot_plate,
    "lightbulb": bulb,
    "human_hand": hand,
    "child_hand": hand,
    "forearm": hand,
    "house_cat": uniform("house_cat"),
    "hammer": along("hammer"),
    "screwdriver": along("screwdriver"),
    "power_drill": along("drill"),
    "spoon": along("spoon"),
    "scissors": along("scissors"),
    "knife": knife(0.8),
    "cleaver": knife(1.0),
    "box_cutter": box_cutter,
    "razor_blade": razor,
    "saw_blade": saw_blade,
    "syringe": syringe,
    "water_spill": water,
    "milk_spill": liquid((0.7, 0.69, 0.66), 0.08),
    "coffee_spill": liquid((0.05, 0.02, 0.008)),
    "wine_spill": liquid((0.12, 0.004, 0.012)),
    "oil_spill_table": liquid((0.3, 0.19, 0.02)),
}
assert set(MAKERS) == TABLE_KINDS, set(MAKERS) ^ TABLE_KINDS
