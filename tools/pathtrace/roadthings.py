# SPDX-License-Identifier: GPL-3.0-or-later
"""What can stand, lie or drive on a street: a maker for each kind, from models or procedural."""

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from mathutils import Matrix

from tools.pathtrace.kinds import ROAD_KINDS
from tools.pathtrace.shapes import Build, outline
from tools.pathtrace.stage import Stage

PAINTS = (
    (0.6, 0.6, 0.59),
    (0.62, 0.63, 0.64),
    (0.012, 0.012, 0.013),
    (0.03, 0.03, 0.033),
    (0.1, 0.1, 0.105),
    (0.25, 0.255, 0.26),
    (0.32, 0.02, 0.02),
    (0.02, 0.05, 0.2),
    (0.03, 0.09, 0.06),
    (0.28, 0.24, 0.18),
)
SOFA_TONES = ((0.2, 0.06, 0.05), (0.1, 0.12, 0.2), (0.25, 0.2, 0.14), (0.12, 0.12, 0.12))


@dataclass(frozen=True)
class Put:
    """An object as its makers need it: a box on the ground at `at`, turned by `yaw`."""

    kind: str
    number: int
    at: tuple[float, float, float]
    size: tuple[float, float, float]
    yaw: float
    colour: tuple[float, float, float] | None
    night: bool

    def world(self, x: float, y: float, z: float = 0.0) -> tuple[float, float, float]:
        """A point of the box's own frame (its foot's middle is the origin) in the world."""
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        return (self.at[0] + c * x - s * y, self.at[1] + s * x + c * y, self.at[2] + z)


Maker = Callable[[Stage, Put, np.random.Generator], None]


def vehicle(kind: str) -> Maker:
    """A vehicle from models, as long as its box."""

    def make(stage: Stage, put: Put, rng: np.random.Generator) -> None:
        name = stage.pick(kind, rng, like=put.size[0])
        scale = put.size[0] / stage.size(name)[0]
        paint = None if kind == "motorcycle" else _paint(stage, put, rng)
        stage.model(name, put.number, put.at, put.yaw, scale, paint)

    return make


def _paint(stage: Stage, put: Put, rng: np.random.Generator) -> object:
    if put.colour is None:
        return stage.palette.car_paint(PAINTS[int(rng.integers(len(PAINTS)))])
    return stage.palette.car_paint(tuple(put.colour))


def high_beams(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A car whose lamps shine towards the camera."""
    vehicle("car")(stage, put, rng)
    glow = stage.palette.plain((1.0, 0.95, 0.85), 0.2, glow=60.0)
    for side in (-1, 1):
        lens = Build()
        lens.lathe(
            [(0.0, 0), (0.09, 0.01), (0.09, 0.03), (0, 0.04)],
            glow,
            turn=np.array(Matrix.Rotation(math.pi / 2, 3, "Y")),
        )
        at = put.world(put.size[0] / 2 - 0.06, side * put.size[1] * 0.34, put.size[2] * 0.46)
        stage.solid(lens, put.number, at, put.yaw)
        ahead = (math.cos(put.yaw), math.sin(put.yaw), -0.03)
        stage.lamp(
            put.world(put.size[0] / 2 + 0.1, side * put.size[1] * 0.34, put.size[2] * 0.46),
            900,
            (1, 0.95, 0.85),
            0.08,
            (1.0, 0.6, ahead),
        )


def overturned(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A car on its roof."""
    name = stage.pick("car", rng, like=put.size[0])
    scale = put.size[0] / stage.size(name)[0]
    turn = Matrix.Rotation(math.pi, 3, "X")
    height = stage.size(name)[2] * scale
    at = (put.at[0], put.at[1], put.at[2] + height)
    stage.model(name, put.number, at, put.yaw, scale, _paint(stage, put, rng), turn)
    _shards(stage, put, rng, 26, put.size[0] * 0.55)


def crashed(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """Two cars in each other's way."""
    for x, y, yaw, share in ((-0.16, -0.2, 0.25, 0.62), (0.22, 0.16, 1.9, 0.58)):
        name = stage.pick("car", rng, like=4.3)
        scale = min(put.size[0] * share, 4.6) / stage.size(name)[0]
        paint = (
            _paint(stage, put, rng)
            if x < 0
            else stage.palette.car_paint(PAINTS[int(rng.integers(len(PAINTS)))])
        )
        at = put.world(x * put.size[0], y * put.size[1])
        stage.model(name, put.number, at, put.yaw + yaw, scale, paint)
    _shards(stage, put, rng, 40, put.size[0] * 0.4)


def _shards(stage: Stage, put: Put, rng: np.random.Generator, count: int, reach: float) -> None:
    bits = Build()
    tones = [
        stage.palette.plain(c, 0.3)
        for c in ((0.02, 0.02, 0.02), (0.5, 0.52, 0.55), (0.3, 0.02, 0.02))
    ]
    for _ in range(count):
        x, y = rng.normal(0, reach * 0.5, 2)
        size = rng.uniform(0.02, 0.14, 3) * np.array([1, 1, 0.3])
        bits.box((x, y, size[2] / 2), tuple(size), tones[int(rng.integers(3))], rng.uniform(0, 3))
    stage.solid(bits, put.number, (*put.at[:2], put.at[2] + 0.003), put.yaw)


def lying_wheels(kind: str) -> Maker:
    """A bicycle or motorcycle on its side."""

    def make(stage: Stage, put: Put, rng: np.random.Generator) -> None:
        name = stage.pick(kind, rng)
        length, width, _ = stage.size(name)
        scale = put.size[0] / length
        side = 1 if rng.uniform() < 0.5 else -1
        lean = 1.34 if kind == "motorcycle" else 1.48
        turn = Matrix.Rotation(side * lean, 3, "X")
        at = put.world(
            0, side * put.size[1] * 0.42, 0.5 * width * scale * (0.9 if lean > 1.4 else 0.8)
        )
        stage.model(name, put.number, at, put.yaw, scale, None, turn)

    return make


def person(kind: str = "adult") -> Maker:
    """Somebody on foot, as tall as the box."""

    def make(stage: Stage, put: Put, rng: np.random.Generator) -> None:
        name = stage.pick(kind, rng)
        stage.model(name, put.number, put.at, put.yaw, put.size[2] / stage.size(name)[2])

    return make


def crowd(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """Several people over the box's ground."""
    count = max(3, int(put.size[0] * put.size[1] * 0.8))
    spots: list[tuple[float, float]] = []
    for _ in range(count * 6):
        x, y = rng.uniform(-0.42, 0.42) * put.size[0], rng.uniform(-0.42, 0.42) * put.size[1]
        if len(spots) < count and all(math.hypot(x - a, y - b) > 0.55 for a, b in spots):
            spots.append((x, y))
            name = stage.pick("adult", rng)
            tall = rng.uniform(0.88, 1.0) * min(put.size[2], 1.92)
            yaw = put.yaw + rng.normal(0, 0.8)
            stage.model(name, put.number, put.world(x, y), yaw, tall / stage.size(name)[2])


def with_thing(kind: str, ahead: float, tall_m: float) -> Maker:
    """An adult with something before or over them."""

    def make(stage: Stage, put: Put, rng: np.random.Generator) -> None:
        name, other = stage.pick("adult", rng), stage.pick(kind, rng)
        back = put.size[0] * (0.5 - ahead)
        height = min(put.size[2], 1.85)
        stage.model(name, put.number, put.world(-back, 0), put.yaw, height / stage.size(name)[2])
        stage.model(
            other,
            put.number,
            put.world(put.size[0] * ahead - 0.1, 0),
            put.yaw,
            tall_m / stage.size(other)[2],
        )

    return make


def umbrella(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """An adult under an umbrella."""
    name = stage.pick("adult", rng)
    stage.model(name, put.number, put.at, put.yaw, 0.78 * put.size[2] / stage.size(name)[2])
    tone = tuple(put.colour) if put.colour else (0.02, 0.02, 0.03)
    cloth, pole = stage.palette.plain(tone, 0.7), stage.palette.plain((0.05, 0.05, 0.05), 0.3)
    top, radius = put.size[2], min(0.55, put.size[0] * 0.48)
    build = Build()
    profile = [
        (radius, top - 0.32),
        (radius * 0.75, top - 0.17),
        (radius * 0.4, top - 0.07),
        (0.01, top - 0.04),
    ]
    build.lathe(profile, cloth, (0.1, 0.0, 0), 8, smooth=False)
    build.lathe([(0.012, 0.95), (0.012, top)], pole, (0.16, 0.0, 0), 6)
    stage.solid(build, put.number, put.at, put.yaw)


def wheelchair(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """Somebody who sits in a wheelchair."""
    chair = stage.pick("wheelchair", rng)
    stage.model(chair, put.number, put.at, put.yaw, 0.72 * put.size[2] / stage.size(chair)[2])
    name = stage.pick("sitting_adult", rng)
    scale = 0.97 * put.size[2] / stage.size(name)[2]
    stage.model(name, put.number, put.world(0.12, 0, 0.06), put.yaw, scale)


def cyclist(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """Somebody on a bicycle: a sitting figure, lifted so far that the feet are at the pedals."""
    bicycle, rider = stage.pick("bicycle", rng), stage.pick("rider", rng)
    stage.model(bicycle, put.number, put.at, put.yaw, put.size[0] / stage.size(bicycle)[0])
    scale = 0.8 * put.size[2] / stage.size(rider)[2]
    seat = put.world(-0.06 * put.size[0], 0, 0.2 * put.size[2])
    lean = Matrix.Rotation(0.16, 3, "Y")
    stage.model(rider, put.number, seat, put.yaw, scale, None, lean)


def skateboarder(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """Somebody who stands on a skateboard, sideways."""
    board, name = stage.pick("skateboard", rng), stage.pick("adult", rng)
    stage.model(board, put.number, put.at, put.yaw, 0.8 / stage.size(board)[0])
    tall = (put.size[2] - 0.1) / stage.size(name)[2]
    stage.model(name, put.number, put.world(0, 0, 0.1), put.yaw + 1.1, tall)


def beast(kind: str) -> Maker:
    """An animal from models, as high as its box."""

    def make(stage: Stage, put: Put, rng: np.random.Generator) -> None:
        name = stage.pick(kind, rng)
        scale = min(put.size[2] / stage.size(name)[2], 1.25 * put.size[0] / stage.size(name)[0])
        stage.model(name, put.number, put.at, put.yaw, scale)

    return make


def filling(kind: str) -> Maker:
    """A model stretched to its box."""

    def make(stage: Stage, put: Put, rng: np.random.Generator) -> None:
        name = stage.pick(kind, rng)
        scale = [a / b for a, b in zip(put.size, stage.size(name), strict=True)]
        paint = stage.palette.plain(tuple(put.colour), 0.7) if put.colour else None
        stage.model(name, put.number, put.at, put.yaw, scale, paint)

    return make


def uniform(kind: str, tall: bool = True) -> Maker:
    """A model in its own proportions, as high (or as long) as its box."""

    def make(stage: Stage, put: Put, rng: np.random.Generator) -> None:
        name = stage.pick(kind, rng)
        axis = 2 if tall else 0
        paint = stage.palette.plain(tuple(put.colour), 0.55) if put.colour else None
        stage.model(
            name, put.number, put.at, put.yaw, put.size[axis] / stage.size(name)[axis], paint
        )

    return make


def ball(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A ball that rests on the road."""
    radius = put.size[2] / 2
    if put.colour is None or rng.uniform() < 0.4:
        name = stage.pick("ball", rng)
        stage.model(name, put.number, put.at, rng.uniform(0, 6), put.size[2] / stage.size(name)[2])
        return
    build = Build()
    angle = np.linspace(-math.pi / 2, math.pi / 2, 17)
    profile = [(max(radius * math.cos(a), 1e-4), radius + radius * math.sin(a)) for a in angle]
    build.lathe(profile, stage.palette.plain(tuple(put.colour), 0.3), sides=28)
    stage.solid(build, put.number, put.at)


def cones(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """Several cones over the box."""
    name = stage.pick("cone", rng)
    scale = put.size[2] / stage.size(name)[2]
    count = max(2, round(max(put.size[:2]) / 0.85))
    for k in range(count):
        t = (k + 0.5) / count - 0.5
        x = t * (put.size[0] - 0.4)
        y = t * (put.size[1] - 0.4) if rng.uniform() < 0.8 else -t * (put.size[1] - 0.4)
        turn = Matrix.Rotation(1.62, 3, "X") if k and rng.uniform() < 0.12 else None
        z = 0.19 * scale if turn else 0.0
        stage.model(name, put.number, put.world(x, y, z), rng.uniform(0, 6), scale, turn=turn)


def heap(kind: str, size_m: tuple[float, float]) -> Maker:
    """Several models of a kind, the last ones on top."""

    def make(stage: Stage, put: Put, rng: np.random.Generator) -> None:
        count = max(2, min(7, round(put.size[0] * put.size[1] / 0.5)))
        for _ in range(count):
            name = stage.pick(kind, rng)
            wide = rng.uniform(*size_m)
            scale = wide / stage.size(name)[0]
            x = rng.uniform(-0.38, 0.38) * put.size[0]
            y = rng.uniform(-0.38, 0.38) * put.size[1]
            stage.model(name, put.number, put.world(x, y), rng.uniform(0, 6), scale)

    return make


def cardboard(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """Boxes that fell from somewhere: some models, some folded here."""
    heap("box", (0.4, 0.75))(stage, put, rng)
    stacked = Build()
    paper = stage.palette.tile("brown cardboard", 1, 1.0)
    size = rng.uniform(0.3, 0.55, 3) * np.array([1.2, 1, 0.8])
    stacked.box((0, 0, size[2] / 2), tuple(size), paper, rng.uniform(0, 3))
    stage.solid(stacked, put.number, put.world(0.1, 0.1), put.yaw)


def lost_load(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """Crates, sacks and boxes."""
    heap("crate", (0.4, 0.6))(stage, put, rng)
    heap("box", (0.35, 0.6))(stage, put, rng)


def patch(
    low: tuple[float, float, float],
    high: tuple[float, float, float],
    scale: float,
    rough: float,
    dome: float = 0.0,
    bump: float = 0.0,
) -> Maker:
    """A flat or domed patch on the ground in two colours."""

    def make(stage: Stage, put: Put, rng: np.random.Generator) -> None:
        build = Build()
        tint = tuple(put.colour) if put.colour else None
        material = stage.palette.mottled(tint or low, tint or high, scale, rough, bump)
        build.blob(outline(rng, put.size[:2]), material, 0.006, dome * put.size[2])
        stage.solid(build, put.number, put.at, put.yaw)

    return make


def pool(colour: tuple[float, float, float], rough: float = 0.02) -> Maker:
    """Standing water: dark and a mirror."""

    def make(stage: Stage, put: Put, rng: np.random.Generator) -> None:
        build = Build()
        water = stage.palette.plain(tuple(put.colour) if put.colour else colour, rough, coat=1.0)
        spread = outline(rng, put.size[:2], 0.22)
        build.blob(spread, water, 0.008)
        stage.solid(build, put.number, put.at, put.yaw)

    return make


def drift(material: Callable[[Stage], object]) -> Maker:
    """Loose matter blown or tipped into a heap."""

    def make(stage: Stage, put: Put, rng: np.random.Generator) -> None:
        length, width, height = put.size
        x, y = np.linspace(-0.5, 0.5, 30), np.linspace(-0.5, 0.5, 30)
        gx, gy = np.meshgrid(x, y, indexing="ij")
        r = np.hypot(gx, gy) * 2
        ripple = sum(
            rng.normal(0, 0.1)
            * np.sin(rng.uniform(3, 13) * gx + rng.uniform(3, 13) * gy + rng.uniform(0, 6))
            for _ in range(8)
        )
        z = np.clip(1 - r**1.6, 0, 1) * (0.85 + ripple) * height - 0.012
        build = Build()
        build.sheet(x * length, y * width, z, material(stage))
        stage.solid(build, put.number, put.at, put.yaw)

    return make


def gravel(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A spilt heap with stones round it."""
    drift(lambda s: s.palette.tile("coarse gravel", 1, 1.2, bump=2.0))(stage, put, rng)
    _stones(stage, put, rng, 60, (0.03, 0.1))


def _stones(
    stage: Stage, put: Put, rng: np.random.Generator, count: int, size: tuple[float, float]
) -> None:
    name = stage.pick("rock", rng)
    for _ in range(count):
        x, y = rng.normal(0, 0.24, 2) * np.asarray(put.size[:2])
        if abs(x) < put.size[0] / 2 and abs(y) < put.size[1] / 2:
            scale = rng.uniform(*size) / stage.size(name)[0]
            stage.model(name, put.number, put.world(x, y), rng.uniform(0, 6), scale)


def pothole(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A hole: broken rim, dark ground, perhaps water."""
    build, palette = Build(), stage.palette
    spread = outline(rng, put.size[:2], 0.26)
    build.blob(
        spread, palette.mottled((0.05, 0.048, 0.045), (0.14, 0.13, 0.12), 14, 0.95, 0.02), 0.005
    )
    build.blob(
        spread * 0.84,
        palette.mottled((0.012, 0.012, 0.011), (0.09, 0.08, 0.07), 22, 1.0, 0.03),
        0.007,
    )
    if palette.wet > 0.4 or rng.uniform() < 0.35:
        build.blob(spread * 0.6, palette.plain((0.02, 0.02, 0.02), 0.03), 0.009)
    stage.solid(build, put.number, put.at, put.yaw)
    _stones(stage, put, rng, 14, (0.02, 0.06))


def broken_asphalt(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """Slabs of a broken surface."""
    build, palette = Build(), stage.palette
    base = palette.mottled((0.03, 0.028, 0.025), (0.12, 0.11, 0.1), 12, 1.0, 0.03)
    build.blob(outline(rng, put.size[:2], 0.2), base, 0.005)
    tar = palette.tile("old cracked asphalt", 0, 3.0, bump=2.0)
    for _ in range(22):
        x, y = rng.uniform(-0.38, 0.38, 2) * np.asarray(put.size[:2])
        size = (*rng.uniform(0.18, 0.55, 2), rng.uniform(0.03, 0.09))
        build.box((x, y, size[2] / 2), size, tar, rng.uniform(0, 3))
    stage.solid(build, put.number, put.at, put.yaw)


def trench(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """An open trench with the earth beside it."""
    build, palette = Build(), stage.palette
    length, width, height = put.size
    build.blob(
        outline(rng, (length, width * 0.62), 0.06), palette.plain((0.006, 0.005, 0.004), 1.0), 0.006
    )
    rim = palette.mottled((0.06, 0.04, 0.025), (0.16, 0.11, 0.07), 8, 1.0, 0.03)
    x = np.linspace(-length / 2, length / 2, 30)
    y = np.linspace(width * 0.26, width / 2, 10)
    gx, gy = np.meshgrid(x, y, indexing="ij")
    across = np.sin((gy - y[0]) / (y[-1] - y[0]) * math.pi)
    z = height * across * (0.75 + 0.2 * np.sin(gx * 2.3) + 0.1 * rng.normal(size=gx.shape)) - 0.01
    build.sheet(x, y, z, rim)
    stage.solid(build, put.number, put.at, put.yaw)


def manhole(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A black hole with an iron rim, its lid beside it."""
    build, palette = Build(), stage.palette
    radius = min(0.36, put.size[0] * 0.3)
    iron = palette.mottled((0.05, 0.045, 0.04), (0.12, 0.1, 0.09), 30, 0.5)
    far = put.size[1] * 0.5 - radius - 0.02
    build.lathe(
        [(radius + 0.07, 0.0), (radius + 0.06, 0.012), (radius, 0.013)], iron, (0, -far, 0), 32
    )
    build.lathe(
        [(radius, 0.013), (radius * 0.99, 0.0145)],
        palette.plain((0.002, 0.002, 0.002), 1.0),
        (0, -far, 0),
        32,
    )
    build.lathe(
        [(radius, 0.0), (radius, 0.06), (radius - 0.02, 0.07)], iron, (0.15, far * 0.9, 0), 32
    )
    stage.solid(build, put.number, put.at, put.yaw)


def speed_bump(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A rubber hump across the lane with yellow stripes."""
    length, width, height = put.size
    build, palette = Build(), stage.palette
    tones = (palette.plain((0.02, 0.02, 0.02), 0.7), palette.plain((0.6, 0.4, 0.02), 0.7))
    x = np.linspace(-length / 2, length / 2, 12)
    z = height * np.cos(x / length * math.pi)
    count = max(4, round(width / 0.5))
    for k in range(count):
        y = np.linspace(-width / 2 + k * width / count, -width / 2 + (k + 1) * width / count, 2)
        build.sheet(x, y, np.repeat(z[:, None], 2, 1), tones[k % 2])
    stage.solid(build, put.number, put.at, put.yaw)


def steel_plate(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A rusty plate over a hole."""
    build = Build()
    rust = stage.palette.mottled((0.13, 0.075, 0.045), (0.24, 0.2, 0.17), 3, 0.5)
    build.box((0, 0, put.size[2] / 2), put.size, rust)
    stage.solid(build, put.number, put.at, put.yaw)


def leaves(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """Many flat leaves."""
    tones = [
        stage.palette.plain(c, 0.5)
        for c in (
            (0.3, 0.13, 0.03),
            (0.4, 0.24, 0.04),
            (0.2, 0.08, 0.03),
            (0.35, 0.3, 0.05),
            (0.12, 0.06, 0.03),
        )
    ]
    build = Build()
    spread = put.size[0] * put.size[1]
    for _ in range(int(min(2600, 130 * spread))):
        r, a = math.sqrt(rng.uniform()), rng.uniform(0, 2 * math.pi)
        x, y = 0.5 * r * math.cos(a) * put.size[0], 0.5 * r * math.sin(a) * put.size[1]
        s, t = rng.uniform(0.035, 0.07), rng.uniform(0, 6.28)
        z = 0.006 + rng.uniform(0, max(put.size[2], 0.03))
        c, d = math.cos(t) * s, math.sin(t) * s
        lift = rng.uniform(0, 0.03)
        build.face(
            [
                (x - c, y - d, z),
                (x + d * 0.6, y - c * 0.6, z + lift),
                (x + c, y + d, z),
                (x - d * 0.6, y + c * 0.6, z),
            ],
            tones[int(rng.integers(5))],
        )
    stage.solid(build, put.number, put.at, put.yaw)


def tyre(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A tyre, flat on the road."""
    build = Build()
    big, half = put.size[0] / 2, put.size[2] / 2
    rubber = stage.palette.plain((0.018, 0.018, 0.018), 0.75)
    profile = [
        (big * 0.58, half * 0.5),
        (big * 0.7, 0.0),
        (big * 0.93, 0.0),
        (big, half * 0.4),
        (big, half * 1.6),
        (big * 0.93, 2 * half),
        (big * 0.7, 2 * half),
        (big * 0.58, half * 1.5),
        (big * 0.55, half),
    ]
    build.lathe([*profile, profile[0]], rubber, sides=36)
    build.faces, build.slots, build.smooth = build.faces[:-2], build.slots[:-2], build.smooth[:-2]
    build.uvs = build.uvs[: 4 * len(build.faces)]
    stage.solid(build, put.number, put.at, put.yaw)


def drum(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A steel drum, standing or on its side as its box says."""
    radius, long = min(put.size[1], put.size[2]) / 2, max(put.size[0], put.size[2])
    lying = put.size[0] > put.size[2]
    tone = tuple(put.colour) if put.colour else (0.05, 0.15, 0.35)
    paint = stage.palette.plain(tone, 0.4, 0.3)
    profile = [(radius * 0.97, 0)]
    for at in (0.02, 0.33, 0.66, 0.98):
        profile += [
            (radius * 0.97, long * (at - 0.015)),
            (radius, long * at),
            (radius * 0.97, long * (at + 0.015)),
        ]
    build = Build()
    profile = [(r, max(0, min(long, h))) for r, h in profile] + [(radius * 0.97, long)]
    turn = np.array(Matrix.Rotation(math.pi / 2, 3, "Y")) if lying else None
    centre = (-long / 2, 0, radius) if lying else (0, 0, 0)
    build.lathe(profile, paint, centre, 28, turn)
    stage.solid(build, put.number, put.at, put.yaw)


def hay_bale(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A round bale on its side."""
    radius, wide = put.size[2] / 2, put.size[1]
    hay = stage.palette.tile("dry grass", 1, 1.1, (1.5, 1.25, 0.8), bump=2.5)
    build = Build()
    turn = np.array(Matrix.Rotation(math.pi / 2, 3, "X"))
    profile = [(radius * 0.96, 0), (radius, 0.06), (radius, wide - 0.06), (radius * 0.96, wide)]
    build.lathe(profile, hay, (0, wide / 2, radius), 40, turn)
    stage.solid(build, put.number, put.at, put.yaw)


def ladder(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """An aluminium ladder, lying."""
    length, width, height = put.size
    alu = stage.palette.plain((0.55, 0.56, 0.57), 0.3, 0.9)
    build = Build()
    for y in (-width / 2 + 0.03, width / 2 - 0.03):
        build.box((0, y, height / 2), (length, 0.035, min(height, 0.08)), alu)
    for x in np.arange(-length / 2 + 0.15, length / 2, 0.28):
        build.box((float(x), 0, height / 2), (0.035, width - 0.06, 0.03), alu)
    stage.solid(build, put.number, put.at, put.yaw)


def pipes(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """Steel pipes, scattered."""
    build = Build()
    steel = stage.palette.mottled((0.3, 0.29, 0.28), (0.45, 0.44, 0.43), 6, 0.35)
    radius = min(0.055, put.size[2] / 5)
    for k in range(8):
        yaw = rng.normal(0, 0.25)
        half = 0.46 * put.size[0] * rng.uniform(0.8, 1)
        x, y = rng.normal(0, 0.04) * put.size[0], rng.uniform(-0.35, 0.35) * put.size[1]
        z = radius + (2 * radius if k > 5 else 0)
        ends = [(x + s * half * math.cos(yaw), y + s * half * math.sin(yaw), z) for s in (-1, 0, 1)]
        build.tube(ends, radius, steel, 12)
    stage.solid(build, put.number, put.at, put.yaw)


def branches(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """Broken boughs with leaves."""
    build = Build()
    bark = stage.palette.mottled((0.05, 0.035, 0.025), (0.16, 0.12, 0.09), 30, 0.95, 0.01)
    greens = [
        stage.palette.plain(c, 0.6)
        for c in ((0.06, 0.12, 0.02), (0.1, 0.17, 0.04), (0.14, 0.15, 0.04))
    ]
    length, width, height = put.size
    for k in range(3 + int(length * 2)):
        yaw, t = rng.normal(0, 0.8), rng.uniform(-0.25, 0.25)
        along = np.linspace(-0.5, 0.5, 7) * length * rng.uniform(0.5, 0.95)
        sway = np.cumsum(rng.normal(0, 0.05, 7)) * width
        lift = np.abs(np.cumsum(rng.normal(0, 0.12, 7))) * height * 0.6 + 0.03
        path = [
            (
                float(np.clip(a * math.cos(yaw) - s * math.sin(yaw), -length / 2, length / 2)),
                float(
                    np.clip(
                        a * math.sin(yaw) + s * math.cos(yaw) + t * width, -width / 2, width / 2
                    )
                ),
                float(min(h, height)),
            )
            for a, s, h in zip(along, sway, lift, strict=True)
        ]
        build.tube(path, 0.045 * rng.uniform(0.4, 1.0) if k < 3 else 0.013, bark, 6)
        for p in path[2:]:
            for _ in range(26):
                q = np.asarray(p) + rng.normal(0, 0.13, 3) * np.array([1.2, 1.2, 0.7])
                q[2] = abs(q[2]) + 0.01
                a, b = rng.normal(0, 0.035, 3), rng.normal(0, 0.035, 3)
                build.face(
                    [tuple(q - a), tuple(q + b), tuple(q + a), tuple(q - b)],
                    greens[int(rng.integers(3))],
                )
    stage.solid(build, put.number, put.at, put.yaw)


def fallen_tree(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A tree on its side."""
    name = stage.pick("tree", rng)
    _, width, height = stage.size(name)
    scale = put.size[0] / height
    turn = Matrix.Rotation(-math.pi / 2, 3, "Y")
    squash = min(1.0, 1.6 * put.size[1] / (width * scale))
    thing = stage.model(
        name,
        put.number,
        put.world(put.size[0] / 2, 0, 0.22 + 0.2 * put.size[2]),
        put.yaw,
        (scale * squash * 0.75, scale * squash, scale),
        turn=turn,
    )
    thing.name = "fallen tree"


def mattress(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A mattress with rounded edges, flat or bent as its box says."""
    length, width, height = put.size
    x, y = np.linspace(-0.5, 0.5, 25), np.linspace(-0.5, 0.5, 17)
    gx, gy = np.meshgrid(x, y, indexing="ij")
    thick = min(0.24, height)
    bend = max(height - thick, 0) * (2 * np.abs(gx)) ** 2
    edge = np.clip(np.minimum(0.5 - np.abs(gx), 0.5 - np.abs(gy)) * 14, 0, 1) ** 0.5
    quilt = 0.012 * np.abs(np.sin(gx * 26)) * np.abs(np.sin(gy * 20))
    tone = tuple(0.35 + 0.5 * c for c in put.colour) if put.colour else (0.6, 0.57, 0.5)
    cloth = stage.palette.mottled(tone, tuple(0.85 * c for c in tone), 3, 0.95)
    build = Build()
    build.sheet(x * length, y * width, bend + thick * (0.5 + 0.5 * edge) + quilt, cloth)
    build.sheet(x * length, y * width, bend + thick * (0.5 - 0.5 * edge) + 0.003, cloth)
    stage.solid(build, put.number, put.at, put.yaw)


def suitcase(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A hard case on wheels with its handle out."""
    depth, width, height = put.size
    tone = tuple(put.colour) if put.colour else (0.03, 0.03, 0.04)
    shell, dark = stage.palette.plain(tone, 0.35), stage.palette.plain((0.02, 0.02, 0.02), 0.4)
    build, body = Build(), 0.72 * height
    for k in range(7):
        build.box(
            (0, (k - 3) * width / 7.2, 0.05 + body / 2), (depth * 0.92, width / 8, body), shell
        )
    build.box((0, 0, 0.05 + body / 2), (depth * 0.86, width * 0.97, body * 0.97), shell)
    for y in (-width * 0.25, width * 0.25):
        build.box(
            (-depth * 0.3, y, body + 0.5 * (height - body)), (0.02, 0.02, height - body), dark
        )
    build.box((-depth * 0.3, 0, height - 0.015), (0.03, width * 0.55, 0.03), dark)
    for x in (-0.35, 0.35):
        for y in (-0.35, 0.35):
            build.box((x * depth, y * width, 0.03), (0.05, 0.03, 0.06), dark)
    stage.solid(build, put.number, put.at, put.yaw)


def sheet(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """Crumpled plastic sheeting."""
    length, width, height = put.size
    x, y = np.linspace(-0.5, 0.5, 40), np.linspace(-0.5, 0.5, 40)
    gx, gy = np.meshgrid(x, y, indexing="ij")
    folds = sum(
        rng.uniform(0.3, 1)
        * np.abs(np.sin(rng.normal(0, 9) * gx + rng.normal(0, 9) * gy + rng.uniform(0, 6)))
        for _ in range(6)
    )
    folds = (folds - folds.min()) / np.ptp(folds)
    z = height * folds * np.clip(1.2 - 2 * np.hypot(gx, gy), 0, 1) + 0.01
    tone = tuple(put.colour) if put.colour else (0.6, 0.62, 0.64)
    build = Build()
    wobble = 0.05 * np.sin(7 * gy)
    build.sheet(
        (gx + wobble * gx) * length, (gy + wobble * gy) * width, z, stage.palette.plain(tone, 0.25)
    )
    stage.solid(build, put.number, put.at, put.yaw)


def barrier(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A plank barrier on two feet in red and white."""
    _boards(stage, put, put.at, put.yaw, max(put.size[:2]), put.size[2], put.size[0] > put.size[1])


def _boards(
    stage: Stage,
    put: Put,
    at: tuple[float, float, float],
    yaw: float,
    wide: float,
    high: float,
    along: bool,
) -> None:
    red, white = (
        stage.palette.plain((0.45, 0.02, 0.02), 0.45),
        stage.palette.plain((0.72, 0.72, 0.7), 0.45),
    )
    steel = stage.palette.plain((0.25, 0.25, 0.26), 0.5, 0.7)
    build, count = Build(), max(4, round(wide / 0.3))
    for z in (0.9 * high, 0.52 * high):
        for k in range(count):
            y = -wide / 2 + (k + 0.5) * wide / count
            build.box((0, y, z), (0.03, wide / count, 0.2 * high), (red, white)[k % 2])
    for y in (-wide * 0.38, wide * 0.38):
        build.box((0.03, y, high * 0.5), (0.04, 0.05, high), steel)
        build.box((0, y, 0.04), (0.5, 0.12, 0.08), stage.palette.plain((0.03, 0.03, 0.03), 0.8))
    stage.solid(build, put.number, at, yaw + (math.pi / 2 if along else 0))


def work_zone(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """Barriers round a heap of earth, with cones before them."""
    length, width, height = put.size
    _boards(stage, put, put.world(-length * 0.42, 0), put.yaw, width * 0.9, min(height, 1.1), False)
    _boards(stage, put, put.world(length * 0.42, 0), put.yaw, width * 0.9, min(height, 1.1), False)
    inner = Put(
        put.kind,
        put.number,
        put.at,
        (length * 0.6, width * 0.6, 0.45 * height),
        put.yaw,
        None,
        put.night,
    )
    drift(lambda s: s.palette.tile("brown field soil", 0, 1.5, bump=2.0))(stage, inner, rng)
    name = stage.pick("cone", rng)
    for y in (-0.45, 0.0, 0.45):
        stage.model(
            name, put.number, put.world(-length * 0.48, y * width), 0.0, 0.7 / stage.size(name)[2]
        )


def jersey(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """Concrete blocks in a row."""
    length, width, height = put.size
    wet = stage.palette.tile("grey concrete wall", 1, 2.0, (1.25, 1.22, 1.18))
    count = max(1, round(length / 1.9))
    build = Build()
    for k in range(count):
        x0 = -length / 2 + k * length / count + 0.03
        x1 = x0 + length / count - 0.06
        half, shift = min(width, 0.62) / 2, rng.normal(0, 0.04)
        profile = [
            (-half, 0),
            (-half, 0.08),
            (-half * 0.5, 0.35 * height),
            (-half * 0.3, height),
            (half * 0.3, height),
            (half * 0.5, 0.35 * height),
            (half, 0.08),
            (half, 0),
        ]
        for (ya, za), (yb, zb) in itertools.pairwise(profile):
            build.face(
                [
                    (x0, ya + shift, za),
                    (x1, ya + shift, za),
                    (x1, yb + shift, zb),
                    (x0, yb + shift, zb),
                ],
                wet,
            )
        for x in (x0, x1):
            build.face([(x, y + shift, z) for y, z in profile], wet)
    stage.solid(build, put.number, put.at, put.yaw)


def closed_sign(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A barrier with the round sign for no entry in the middle."""
    high, wide = put.size[2], put.size[1]
    _boards(stage, put, put.at, put.yaw, wide, min(1.0, high * 0.5), False)
    red, white = (
        stage.palette.plain((0.5, 0.01, 0.015), 0.4),
        stage.palette.plain((0.75, 0.75, 0.74), 0.4),
    )
    radius = min(0.4, high * 0.2)
    build = Build()
    turn = np.array(Matrix.Rotation(math.pi / 2, 3, "Y"))
    z = high - radius
    for x, r, tone in ((0.0, radius, red), (0.012, radius * 0.74, white)):
        build.lathe([(r, 0), (r, 0.01)], tone, (x, 0, z), 36, turn)
        build.lathe([(r, 0), (r, 0.01)], tone, (-x - 0.01, 0, z), 36, turn)
    build.box((0.03, 0, z / 2), (0.05, 0.05, z), stage.palette.plain((0.3, 0.3, 0.31), 0.4, 0.7))
    stage.solid(build, put.number, put.at, put.yaw)


def fallen_pole(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A wooden pole across the road, with its arm and wires."""
    length, width, _height = put.size
    wood = stage.palette.mottled((0.09, 0.065, 0.045), (0.2, 0.15, 0.11), 14, 0.9, 0.01)
    build = Build()
    build.tube([(-length / 2, 0, 0.13), (0, 0, 0.13), (length / 2, 0, 0.13)], 0.13, wood, 14)
    build.box((length * 0.36, 0, 0.2), (0.1, width * 0.9, 0.12), wood)
    wire = stage.palette.plain((0.02, 0.02, 0.02), 0.5)
    for y in (-0.35, 0.35):
        path = [
            (
                length * 0.36 - t * length * 0.7,
                y * width + 0.2 * math.sin(5 * t),
                0.2 * (1 - t) ** 3 + 0.01,
            )
            for t in np.linspace(0, 1, 12)
        ]
        build.tube(path, 0.012, wire, 5)
    stage.solid(build, put.number, put.at, put.yaw)


def dead_lamp(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A street lamp that gives no light."""
    name = stage.pick("lamp_post", rng)
    stage.model(name, put.number, put.at, put.yaw, put.size[2] / stage.size(name)[2])


def fallen_sign(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A road sign on the ground with its post."""
    _, width, _ = put.size
    build, steel = Build(), stage.palette.plain((0.35, 0.35, 0.36), 0.4, 0.8)
    build.tube([(0, -width / 2, 0.05), (0, 0, 0.07), (0, width / 2 - 0.5, 0.3)], 0.04, steel, 10)
    red, white = (
        stage.palette.plain((0.5, 0.01, 0.015), 0.35),
        stage.palette.plain((0.75, 0.75, 0.74), 0.35),
    )
    tilt = np.array(Matrix.Rotation(-0.5, 3, "X"))
    for z, r, tone in ((0.0, 0.42, red), (0.012, 0.33, white)):
        build.lathe(
            [(r, 0), (r, 0.012)],
            tone,
            (0, width / 2 - 0.45, 0.3 + z),
            3,
            tilt,
            False,
        )
    stage.solid(build, put.number, put.at, put.yaw)


def bumper(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A torn-off bumper: a bent bar with ribs, and splinters."""
    length, width, height = put.size
    tone = tuple(put.colour) if put.colour else (0.1, 0.1, 0.1)
    paint = stage.palette.car_paint(tone)
    build = Build()
    y = np.linspace(-width / 2, width / 2, 24)
    t = np.linspace(0, 1, 9)
    gy, gt = np.meshgrid(y, t, indexing="ij")
    bow = length * 0.55 * (2 * np.abs(gy) / width) ** 3
    x = length / 2 - bow - 0.1 * (2 * gt - 1) ** 2
    build.sheet(x - 0.2, gy, 0.02 + 0.8 * height * gt, paint)
    stage.solid(build, put.number, put.at, put.yaw)
    _shards(stage, put, rng, 10, width * 0.3)


def hanging_cable(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """A cable that sags across the road."""
    _, width, height = put.size
    build = Build()
    t = np.linspace(-1, 1, 30)
    path = [(0.1 * s, s * width / 2, 0.5 + (height - 0.5) * abs(s) ** 1.7) for s in t]
    build.tube(path, 0.022, stage.palette.plain((0.015, 0.015, 0.015), 0.5), 6)
    stage.solid(build, put.number, put.at, put.yaw)


def worker(stage: Stage, put: Put, rng: np.random.Generator) -> None:
    """An adult in a vest and helmet."""
    name = stage.pick("adult", rng)
    high = put.size[2]
    stage.model(name, put.number, put.at, put.yaw, 0.97 * high / stage.size(name)[2])
    vest = stage.palette.plain((0.85, 0.3, 0.02), 0.7)
    band = stage.palette.plain((0.75, 0.76, 0.7), 0.25)
    helmet = stage.palette.plain((0.8, 0.5, 0.02), 0.3)
    build = Build()
    shape = np.diag([0.72, 1.05, 1.0])
    torso = [(0.2, 0.5), (0.205, 0.56), (0.205, 0.68), (0.215, 0.76), (0.17, 0.83)]
    build.lathe([(r * high / 1.75, z * high) for r, z in torso], vest, (0, 0, 0), 20, shape)
    for z in (0.58, 0.68):
        r = 0.209 * high / 1.75
        build.lathe([(r, z * high), (r, (z + 0.025) * high)], band, (0, 0, 0), 20, shape)
    cap = [(0.135, 0.94), (0.13, 0.955), (0.115, 0.985), (0.07, 1.005), (0.01, 1.01)]
    build.lathe([(r * high / 1.75, z * high) for r, z in cap], helmet, (0.01, 0, 0), 20)
    stage.solid(build, put.number, put.at, put.yaw)


MAKERS: Mapping[str, Maker] = {
    "car": vehicle("car"),
    "stopped_car": vehicle("car"),
    "wrong_way_car": vehicle("car"),
    "high_beams": high_beams,
    "overturned_car": overturned,
    "crashed_cars": crashed,
    "van": vehicle("van"),
    "double_parked_van": vehicle("van"),
    "truck": vehicle("truck"),
    "bus": vehicle("bus"),
    "cyclist": cyclist,
    "skateboarder": skateboarder,
    "motorcycle": vehicle("motorcycle"),
    "fallen_motorcycle": lying_wheels("motorcycle"),
    "bicycle_lying": lying_wheels("bicycle"),
    "pedestrian": person(),
    "adult": person(),
    "elderly_pedestrian": person(),
    "child": person("child"),
    "crowd": crowd,
    "construction_worker": worker,
    "pushchair": with_thing("stroller", 0.3, 1.0),
    "wheelchair_user": wheelchair,
    "umbrella_pedestrian": umbrella,
    "horse": beast("horse"),
    "dog": beast("dog"),
    "cat": beast("cat"),
    "traffic_cones": cones,
    "ball": ball,
    "branches": branches,
    "fallen_tree": fallen_tree,
    "mattress": mattress,
    "sofa": filling("sofa"),
    "suitcase": suitcase,
    "rock": filling("rock"),
    "oil_drum": drum,
    "tyre": tyre,
    "hay_bale": hay_bale,
    "ladder": ladder,
    "metal_pipes": pipes,
    "cardboard_boxes": cardboard,
    "lost_load": lost_load,
    "pallet": filling("pallet"),
    "plastic_sheet": sheet,
    "gravel_spill": gravel,
    "bumper": bumper,
    "barrier": barrier,
    "work_zone": work_zone,
    "concrete_blocks": jersey,
    "road_closed_sign": closed_sign,
    "fallen_sign": fallen_sign,
    "fallen_pole": fallen_pole,
    "dead_streetlight": dead_lamp,
    "hanging_cable": hanging_cable,
    "puddle": pool((0.02, 0.021, 0.022)),
    "flooded_road": pool((0.03, 0.028, 0.022)),
    "oil_spill": pool((0.004, 0.004, 0.005), 0.12),
    "paint_spill": patch((0.5, 0.4, 0.05), (0.5, 0.4, 0.05), 4, 0.25),
    "ice_patch": patch((0.36, 0.42, 0.47), (0.6, 0.65, 0.7), 1.5, 0.12),
    "mud": patch((0.045, 0.03, 0.018), (0.13, 0.09, 0.055), 3, 0.55, 0.7, 0.05),
    "pothole": pothole,
    "broken_asphalt": broken_asphalt,
    "open_trench": trench,
    "open_manhole": manhole,
    "speed_bump": speed_bump,
    "steel_plate": steel_plate,
    "wet_leaves": leaves,
    "snow_drift": drift(
        lambda s: s.palette.mottled((0.72, 0.76, 0.82), (0.8, 0.82, 0.86), 2, 0.6, 0.02)
    ),
    "sand_drift": drift(
        lambda s: s.palette.mottled((0.36, 0.27, 0.16), (0.48, 0.38, 0.24), 9, 0.95, 0.01)
    ),
}
assert set(MAKERS) == ROAD_KINDS, set(MAKERS) ^ ROAD_KINDS
