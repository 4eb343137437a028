# SPDX-License-Identifier: GPL-3.0-or-later
"""Streets: ground, marks, buildings, trees, parked cars and lamps of the four kinds of place."""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from tools.pathtrace import houses, sky
from tools.pathtrace.materials import Rgb
from tools.pathtrace.roadthings import MAKERS, PAINTS, Put
from tools.pathtrace.shapes import Build
from tools.pathtrace.stage import Stage

WHITE, YELLOW = (0.62, 0.62, 0.6), (0.6, 0.42, 0.06)


@dataclass(frozen=True)
class Mark:
    """A line along the road: whole, or so many metres of paint and of gap."""

    y: float
    paint_m: float = 0.0
    gap_m: float = 0.0
    colour: Rgb = WHITE


@dataclass(frozen=True)
class Layout:
    """The cross-section: the road from `right` to `left`, pavements outside it."""

    right: float
    left: float
    pavement: float
    marks: tuple[Mark, ...]
    kerb: bool
    oncoming: tuple[tuple[float, int], ...] = ()

    def edge(self, left: bool) -> float:
        """The outer edge of the pavement."""
        return self.left + self.pavement if left else self.right - self.pavement


LAYOUTS: Mapping[str, Layout] = {
    "residential_street": Layout(-4.3, 7.8, 2.2, (Mark(1.75, 3.0, 4.5),), True, ((3.5, -1),)),
    "city_street": Layout(
        -4.3,
        7.8,
        4.2,
        (
            Mark(1.66, colour=YELLOW),
            Mark(1.86, colour=YELLOW),
            Mark(-1.85, 1.2, 4.8),
            Mark(5.35, 1.2, 4.8),
        ),
        True,
        ((3.5, -1),),
    ),
    "highway": Layout(
        -4.9,
        5.75,
        0.0,
        (Mark(1.75, 6.0, 9.0), Mark(-1.8), Mark(5.3, colour=YELLOW)),
        False,
        ((10.6, -1), (14.4, -1), (3.5, 1)),
    ),
    "country_road": Layout(
        -1.95, 5.4, 1.5, (Mark(1.75, 4.0, 6.0), Mark(-1.72), Mark(5.2)), False, ((3.5, -1),)
    ),
}
FAR_EDGES = (8.35, 18.75)


def build(stage: Stage, scene: Mapping[str, Any]) -> list[str]:
    """Everything to see of a driving scene; returns the names that could not be drawn.

    Raises ValueError if one of those is a hazard, or the place is unknown.
    """
    setup, words = scene["setup"], scene["texture_prompts"]
    conditions = setup["conditions"]
    if conditions["place"] not in LAYOUTS:
        raise ValueError(f"no place '{conditions['place']}'")
    layout = LAYOUTS[conditions["place"]]
    cut = {key: value.removeprefix("seamless texture of ") for key, value in words.items()}
    stage.palette.weather(conditions["wetness"], conditions["snow_cover"])
    left_out = _objects(stage, setup)
    _ground(stage, layout, cut, conditions)
    _marks(stage, layout, conditions)
    night = conditions["time_of_day"] == "night"
    dark = conditions["time_of_day"] != "day" or conditions["sun_elevation_rad"] < 0.05
    {
        "residential_street": _residential,
        "city_street": _city,
        "highway": _highway,
        "country_road": _country,
    }[conditions["place"]](stage, layout, cut, dark, night)
    _traffic(stage, layout, setup, dark, night)
    _light(stage, conditions, night)
    return left_out


def _objects(stage: Stage, setup: Mapping[str, Any]) -> list[str]:
    missing = []
    night = setup["conditions"]["time_of_day"] == "night"
    for thing in setup["objects"]:
        maker = MAKERS.get(thing["kind"])
        if maker is None:
            if thing["hazard"]:
                raise ValueError(f"no way to draw a '{thing['kind']}'")
            missing.append(thing["name"])
            continue
        box = thing["box"]
        number = stage.thing(
            thing["name"], thing["kind"], thing["class_name"], hazard=thing["hazard"], in_scene=True
        )
        x, y, z = box["centre_m"]
        put = Put(
            thing["kind"],
            number,
            (x, y, z - box["size_m"][2] / 2),
            tuple(box["size_m"]),
            box["heading_rad"],
            tuple(thing["colour"]) if thing["colour"] else None,
            night,
        )
        stage.taken.append((x, y, 0.5 * math.hypot(*box["size_m"][:2]) + 0.3))
        maker(stage, put, stage.rng(f"object {thing['name']}"))
    return missing


def _ground(
    stage: Stage, layout: Layout, cut: Mapping[str, str], conditions: Mapping[str, Any]
) -> None:
    palette, rng = stage.palette, stage.rng("ground")
    seed = int(rng.integers(4))
    muddy = conditions["ground"] == "muddy"
    words = "brown field soil" if muddy else cut["road"]
    gloss = 0.28 if conditions["ground"] == "icy" else 1.0
    road = palette.tile(words, seed, 4.0, ground=True, gloss=gloss)
    build = Build()
    _strip(build, -30, 420, layout.right, layout.left, 0.0, road)
    if not layout.kerb and layout.pavement == 0:
        _strip(build, -30, 420, *FAR_EDGES, 0.0, road)
    stage.solid(build, stage.stuff("road"))
    _wear(stage, layout, rng)
    build = Build()
    land = palette.tile(cut["terrain"], seed, 5.0, ground=True, bump=1.6)
    _land(build, layout, rng, land, flat=layout.kerb)
    stage.solid(build, stage.stuff("vegetation" if _green(cut["terrain"]) else "terrain"))
    if layout.pavement > 0:
        build = Build()
        words = cut["pavement"]
        slab = palette.tile(words, seed, 2.4 if layout.kerb else 3.0, ground=True)
        level = 0.13 if layout.kerb else -0.012
        for left in (True, False):
            inner = layout.left if left else layout.right
            low, high = sorted((inner, layout.edge(left)))
            _strip(build, -30, 420, low, high, level, slab)
        kind = "pavement"
        if not layout.kerb:
            kind = "vegetation" if _green(words) else "terrain"
        stage.solid(build, stage.stuff(kind))
    if layout.kerb:
        stone = palette.tile("grey concrete wall", 0, 1.5, (1.15, 1.14, 1.1), ground=True)
        build = Build()
        for y in (layout.right - 0.07, layout.left + 0.07):
            build.box((195, y, 0.07), (450, 0.15, 0.145), stone)
        stage.solid(build, stage.stuff("pavement"))


def _green(words: str) -> bool:
    return "grass" in words or "meadow" in words


def _strip(
    build: Build, x0: float, x1: float, y0: float, y1: float, z: float, material: bpy.types.Material
) -> None:
    corners = [(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)]
    build.face(corners, material, [(x, y) for x, y, _ in corners])


def _land(
    build: Build, layout: Layout, rng: np.random.Generator, material: bpy.types.Material, flat: bool
) -> None:
    """The land on both sides: flat beside the road, rolling farther out, hills at the horizon."""
    x = np.concatenate([np.linspace(-30, 120, 26), np.geomspace(135, 1500, 14)])
    wave = [
        (rng.uniform(0.004, 0.03), rng.uniform(-0.03, 0.03), rng.uniform(0, 6)) for _ in range(6)
    ]
    outer = FAR_EDGES[1] if layout.pavement == 0 and not layout.kerb else layout.edge(True)
    for side, edge in ((1, outer), (-1, -layout.edge(False))):
        y = np.concatenate([[edge - 0.4], edge + np.geomspace(0.5, 900, 16)])
        gx, gy = np.meshgrid(x, y * side, indexing="ij")
        far = np.clip((np.abs(gy) - edge - 4) / 60, 0, 1)
        roll = sum(np.sin(a * gx + b * gy + c) for a, b, c in wave)
        amount = 0.0 if flat else 1.0
        z = -0.05 + amount * far * (0.7 * roll + 0.02 * np.clip(np.abs(gy) - edge, 0, 300))
        z += far * np.clip((gx - 300) / 900, 0, 1) * (26 + 9 * roll)
        build.sheet(x, y * side, z, material)
    _strip(build, 419, 1500, -layout.right, outer, -0.06, material)
    corners = [(-30, -40, -0.3), (1500, -40, -0.3), (1500, 40, -0.3), (-30, 40, -0.3)]
    build.face(corners, material, [(a, b) for a, b, _ in corners])


def _wear(stage: Stage, layout: Layout, rng: np.random.Generator) -> None:
    """Patches of newer asphalt, tar over cracks and lids: part of the road."""
    palette, number = stage.palette, stage.stuff("road")
    if palette.snow > 0.4:
        return
    build = Build()
    tar = palette.plain((0.016, 0.016, 0.017), 0.5)
    for _ in range(int(rng.integers(0, 5))):
        x, y = rng.uniform(4, 45), rng.uniform(layout.right + 0.8, layout.left - 0.8)
        words = ("dark asphalt", "grey asphalt")[int(rng.integers(2))]
        fresh = palette.tile(words, 1, 3.0, ground=True)
        long, wide = rng.uniform(1.0, 5), rng.uniform(0.6, 1.8)
        _strip(
            build,
            x,
            x + long,
            max(y - wide, layout.right),
            min(y + wide, layout.left),
            0.002,
            fresh,
        )
    for _ in range(int(rng.integers(0, 7))):
        x, y, yaw = (
            rng.uniform(3, 40),
            rng.uniform(layout.right + 0.6, layout.left - 0.6),
            rng.normal(0, 0.5),
        )
        if rng.uniform() < 0.4:
            yaw += math.pi / 2
        steps = np.cumsum(np.column_stack([np.full(14, 0.35), rng.normal(0, 0.09, 14)]), 0)
        c, s = math.cos(yaw), math.sin(yaw)
        points = [(x + c * a - s * b, y + s * a + c * b) for a, b in steps]
        points = [p for p in points if layout.right + 0.1 < p[1] < layout.left - 0.1]
        for (ax, ay), (bx, by) in itertools.pairwise(points):
            n = math.hypot(bx - ax, by - ay)
            if n > 0.8:
                continue
            ox, oy = -(by - ay) / n * 0.022, (bx - ax) / n * 0.022
            build.face(
                [
                    (ax - ox, ay - oy, 0.003),
                    (bx - ox, by - oy, 0.003),
                    (bx + ox, by + oy, 0.003),
                    (ax + ox, ay + oy, 0.003),
                ],
                tar,
            )
    if layout.kerb:
        iron = palette.mottled((0.05, 0.048, 0.045), (0.11, 0.1, 0.095), 40, 0.5)
        for _ in range(int(rng.integers(1, 4))):
            at = (rng.uniform(5, 40), rng.uniform(layout.right + 1, layout.left - 1), 0.0)
            build.lathe([(0.34, 0.002), (0.33, 0.006)], iron, at, 28)
    stage.solid(build, number)


def _marks(stage: Stage, layout: Layout, conditions: Mapping[str, Any]) -> None:
    if conditions["snow_cover"] > 0.4 or conditions["ground"] == "muddy":
        return
    rng, build = stage.rng("marks"), Build()
    worn = float(rng.uniform(0.55, 1.0))
    for mark in layout.marks:
        low = tuple(0.13 * (1 - worn) + c * worn * 0.75 for c in mark.colour)
        paint = stage.palette.mottled(low, tuple(c * worn for c in mark.colour), 9, 0.6)
        x, shift = -20.0, float(rng.uniform(0, 6))
        while x < 300:
            end = x + (mark.paint_m or 320.0)
            _strip(build, x + shift, end + shift, mark.y - 0.06, mark.y + 0.06, 0.004, paint)
            x = end + (mark.gap_m or 400.0)
    if layout.pavement > 3 and rng.uniform() < 0.6:
        paint = stage.palette.mottled((0.4, 0.4, 0.39), WHITE, 9, 0.6)
        x = float(rng.uniform(10, 34))
        for y in np.arange(layout.right + 0.4, layout.left - 0.3, 1.0):
            _strip(build, x, x + 3.2, float(y), float(y) + 0.5, 0.0045, paint)
    stage.solid(build, stage.stuff("road_mark"))


def _residential(
    stage: Stage, layout: Layout, cut: Mapping[str, str], dark: bool, night: bool
) -> None:
    for left in (True, False):
        rng = stage.rng(f"houses {left}")
        out, line = (1.0 if left else -1.0), layout.edge(left)
        x = -14 + float(rng.uniform(0, 8))
        while x < 110:
            wide = float(rng.uniform(8, 14))
            back = float(rng.uniform(4.0, 8.0))
            _house(
                stage,
                rng,
                cut,
                x,
                wide,
                line + out * back,
                left,
                int(rng.choice([1, 2, 2, 3])),
                gable=bool(rng.uniform() < 0.85),
                shops=False,
                dark=dark,
            )
            plot = wide + float(rng.uniform(3, 8))
            _garden(stage, rng, x - 1.5, plot, line, out, back)
            x += plot
        _trees(stage, rng, line - out * 0.4, 14.0, (6.0, 9.0), 100)
        _lamps(stage, line - out * (layout.pavement - 0.35), left, 30.0, night, dark)
        _park(stage, layout, left, 0.55)
        _walkers(stage, rng, line - out * layout.pavement / 2, 3)
    _wood(stage, -30, 36, 26)


def _house(
    stage: Stage,
    rng: np.random.Generator,
    cut: Mapping[str, str],
    x: float,
    wide: float,
    line: float,
    left: bool,
    floors: int,
    gable: bool,
    shops: bool,
    dark: bool,
) -> None:
    words = cut[f"facade_{'abc'[int(rng.integers(3))]}"]
    house = houses.House(
        words, wide, float(rng.uniform(8, 12)), floors, gable, shops, dark, detail=x < 70
    )
    mesh = houses.build(stage.palette, house, rng)
    at = (x, line, 0.0) if left else (x + wide, line, 0.0)
    stage.put(mesh, stage.stuff("building"), at, 0.0 if left else math.pi)


def _garden(
    stage: Stage,
    rng: np.random.Generator,
    x: float,
    plot: float,
    line: float,
    out: float,
    back: float,
) -> None:
    choice, green = rng.uniform(), stage.stuff("vegetation")
    y = line + out * 0.45
    if choice < 0.45:
        name = stage.pick("hedge", rng)
        long, wide, high = stage.size(name)
        scale = (0.7 / long, 1.6 / wide, float(rng.uniform(0.8, 1.4)) / high)
        for at in np.arange(x + 1.2, x + plot - 1.8, 1.45):
            stage.model(
                name, green, (float(at), y, 0), math.pi / 2, (1.7 / long, 0.8 / wide, scale[2])
            )
    elif choice < 0.75:
        build = Build()
        tone = ((0.6, 0.59, 0.56), (0.2, 0.13, 0.08))[int(rng.integers(2))]
        wood = stage.palette.mottled(tone, tuple(0.75 * c for c in tone), 6, 0.8)
        for at in np.arange(x + 0.6, x + plot - 1.6, 0.16):
            build.box((float(at), y, 0.45), (0.09, 0.025, 0.9), wood)
        for z in (0.25, 0.7):
            build.box((x + plot / 2 - 0.5, y + out * 0.03, z), (plot - 2.2, 0.03, 0.07), wood)
        stage.solid(build, stage.stuff("barrier"))
    for _ in range(int(rng.integers(2, 6))):
        name = stage.pick("bush", rng)
        tall = float(rng.uniform(0.5, 1.5))
        spot = (
            x + float(rng.uniform(0.5, plot)),
            line + out * float(rng.uniform(1.2, back - 0.4)),
            0,
        )
        stage.model(name, green, spot, float(rng.uniform(0, 6)), tall / stage.size(name)[2])
    if rng.uniform() < 0.65:
        kind = "tree" if rng.uniform() < 0.7 else "conifer"
        _tree(
            stage, rng, kind, x + plot - 1.2, line + out * float(rng.uniform(2, back)), (4.0, 8.0)
        )
    if rng.uniform() < 0.4:
        name = stage.pick("bin", rng)
        number = stage.thing(f"bin {x:.0f} {out:.0f}", "bin", "other")
        stage.model(
            name,
            number,
            (x + 0.6, line - out * 0.35, 0.13),
            float(rng.uniform(0, 6)),
            0.95 / stage.size(name)[2],
        )


def _tree(
    stage: Stage,
    rng: np.random.Generator,
    kind: str,
    x: float,
    y: float,
    tall: tuple[float, float],
    z: float = -0.03,
) -> None:
    if stage.palette.snow > 0.3 and kind == "conifer":
        kind = "conifer_snow"
    name = stage.pick(kind, rng)
    height = float(rng.uniform(*tall))
    scale = height / stage.size(name)[2]
    wide = float(rng.uniform(0.9, 1.15))
    stage.model(
        name,
        stage.stuff("vegetation"),
        (x, y, z),
        float(rng.uniform(0, 6.3)),
        (scale * wide, scale * wide, scale),
    )


def _trees(
    stage: Stage,
    rng: np.random.Generator,
    y: float,
    step: float,
    tall: tuple[float, float],
    end: float,
) -> None:
    kind_rng = int(rng.integers(1 << 30))
    x = float(rng.uniform(3, 12))
    while x < end:
        if stage.take(x, y, 0.6):
            _tree(stage, np.random.default_rng([kind_rng, int(x)]), "tree", x, y, tall)
        x += step + float(rng.uniform(-2.5, 4))


def _wood(stage: Stage, right: float, left: float, count: int) -> None:
    rng = stage.rng("wood")
    for k in range(count):
        if k % 3 == 0:
            x, y = 150 + 50 * rng.uniform(), -55 + 115 * rng.uniform()
        else:
            side = left + 14 * rng.uniform() if rng.uniform() < 0.5 else right - 14 * rng.uniform()
            x, y = 170 * rng.uniform(), side
        kind = "conifer" if rng.uniform() < 0.3 else "tree"
        _tree(stage, rng, kind, float(x), float(y), (8.0, 14.0))


def _lamps(stage: Stage, y: float, left: bool, step: float, night: bool, dark: bool) -> None:
    rng = stage.rng(f"lamps {left}")
    x = float(rng.uniform(6, 14)) + (0 if left else step / 2)
    number, tall = stage.stuff("pole"), 6.4
    name = stage.pick("lamp_post", rng)
    warm = (1.0, 0.62, 0.28) if rng.uniform() < 0.5 else (1.0, 0.86, 0.68)
    while x < 130:
        stage.model(
            name,
            number,
            (x, y, 0.0),
            -math.pi / 2 if left else math.pi / 2,
            tall / stage.size(name)[2],
        )
        if dark:
            over = y + (-1.0 if left else 1.0)
            strength = 700.0 if night else 60.0
            stage.lamp((x, over, tall - 0.15), strength, warm, 0.12, (2.6, 0.6, (0, 0, -1)))
            bulb = Build()
            bulb.box((0, 0, 0), (0.3, 0.18, 0.06), stage.palette.plain(warm, 0.3, glow=25.0))
            stage.solid(bulb, stage.stuff("light"), (x, over, tall - 0.08))
        x += step


def _park(stage: Stage, layout: Layout, left: bool, share: float) -> None:
    rng = stage.rng(f"parked {left}")
    y = layout.left - 1.15 if left else layout.right + 1.1
    x = -8.0 + float(rng.uniform(0, 3))
    while x < 90:
        long = 4.4
        if rng.uniform() < share and stage.take(x + long / 2, y, 1.9):
            kind = "van" if rng.uniform() < 0.08 else "car"
            _drive(
                stage,
                rng,
                kind,
                f"parked {left} {x:.0f}",
                x + long / 2,
                y + float(rng.normal(0, 0.08)),
                (math.pi if left else 0.0) + float(rng.normal(0, 0.02)),
            )
        x += long + float(rng.uniform(0.8, 2.4))


def _drive(
    stage: Stage, rng: np.random.Generator, kind: str, name: str, x: float, y: float, yaw: float
) -> None:
    model = stage.pick(kind, rng)
    long = {"car": 4.35, "van": 5.4, "truck": 7.5, "bus": 11.5, "motorcycle": 2.1}[kind]
    long = min(long, stage.size(model)[0]) if kind == "car" else long
    class_name = {"van": "truck", "motorcycle": "two_wheeler"}.get(kind, kind)
    number = stage.thing(name, kind, class_name)
    paint = stage.palette.car_paint(PAINTS[int(rng.integers(len(PAINTS)))])
    stage.model(model, number, (x, y, 0.0), yaw, long / stage.size(model)[0], paint)


def _walkers(stage: Stage, rng: np.random.Generator, y: float, count: int) -> None:
    for k in range(count):
        x, side = float(rng.uniform(6, 60)), float(rng.normal(0, 0.4))
        if not stage.take(x, y + side, 0.5):
            continue
        model = stage.pick("adult", rng)
        number = stage.thing(f"walker {y:.0f} {k}", "adult", "person")
        tall = float(rng.uniform(1.6, 1.86)) / stage.size(model)[2]
        yaw = (0 if rng.uniform() < 0.5 else math.pi) + float(rng.normal(0, 0.3))
        stage.model(model, number, (x, y + side, 0.13), yaw, tall)


def _city(stage: Stage, layout: Layout, cut: Mapping[str, str], dark: bool, night: bool) -> None:
    for left in (True, False):
        rng = stage.rng(f"houses {left}")
        out, line = (1.0 if left else -1.0), layout.edge(left)
        x = -14.0
        while x < 160:
            wide = float(rng.uniform(9, 19))
            floors = int(rng.choice([3, 4, 5, 6, 8, 11], p=[0.15, 0.25, 0.25, 0.2, 0.1, 0.05]))
            _house(
                stage,
                rng,
                cut,
                x,
                wide,
                line,
                left,
                floors,
                gable=floors < 5 and rng.uniform() < 0.35,
                shops=True,
                dark=dark,
            )
            x += wide + (8.0 if rng.uniform() < 0.1 else 0.0)
        kerb = line - out * (layout.pavement - 0.5)
        _lamps(stage, kerb, left, 24.0, night, dark)
        _trees(stage, rng, line - out * (layout.pavement - 1.1), 19.0, (5.0, 8.0), 90)
        _park(stage, layout, left, 0.6)
        _walkers(stage, rng, line - out * layout.pavement / 2, 7)
        _furniture(stage, rng, kerb, line - out * 0.9, out)
    rng = stage.rng("end")
    for k in range(4):
        mesh = houses.build(
            stage.palette,
            houses.House(
                cut[f"facade_{'abc'[int(rng.integers(3))]}"],
                18.0,
                10.0,
                int(rng.integers(4, 10)),
                False,
                True,
                dark,
                False,
            ),
            rng,
        )
        stage.put(mesh, stage.stuff("building"), (185, 34 - 18 * k, 0), -math.pi / 2)


def _furniture(
    stage: Stage, rng: np.random.Generator, kerb: float, wall: float, out: float
) -> None:
    for k in range(7):
        kind = ("bin", "bench", "hydrant", "mailbox", "bin")[int(rng.integers(5))]
        x = float(rng.uniform(4, 60))
        y = wall if kind == "bench" else kerb
        if not stage.take(x, y, 0.8):
            continue
        tall = {"bin": 0.95, "bench": 0.8, "hydrant": 0.76, "mailbox": 1.15}[kind]
        name = stage.pick(kind, rng)
        number = stage.thing(f"{kind} {out:.0f} {k}", kind, "other")
        stage.model(name, number, (x, y, 0.13), -out * math.pi / 2, tall / stage.size(name)[2])


def _highway(stage: Stage, layout: Layout, cut: Mapping[str, str], dark: bool, night: bool) -> None:
    steel = stage.palette.plain((0.42, 0.43, 0.44), 0.35, 0.8)
    build = Build()
    for y in (layout.right - 0.6, layout.left + 0.7, FAR_EDGES[0] - 0.7, FAR_EDGES[1] + 0.6):
        for z, deep in ((0.53, 0.06), (0.7, 0.06)):
            build.box((195, y, z), (450, deep, 0.12), steel)
        build.box((195, y, 0.615), (450, 0.03, 0.08), steel)
        for x in np.arange(-20, 140, 4.0):
            build.box((float(x), y + 0.05, 0.3), (0.07, 0.1, 0.6), steel)
    stage.solid(build, stage.stuff("barrier"))
    rng = stage.rng("verge")
    green = stage.stuff("vegetation")
    for _ in range(46):
        left = bool(rng.uniform() < 0.5)
        x = float(rng.uniform(-5, 260))
        y = (
            FAR_EDGES[1] + float(rng.uniform(4, 40))
            if left
            else layout.right - float(rng.uniform(4, 40))
        )
        if rng.uniform() < 0.35:
            name = stage.pick("bush", rng)
            stage.model(
                name,
                green,
                (x, y, 0),
                float(rng.uniform(0, 6)),
                float(rng.uniform(1, 2.6)) / stage.size(name)[2],
            )
        else:
            _tree(stage, rng, "conifer" if rng.uniform() < 0.35 else "tree", x, y, (6.0, 13.0))
    strip = Build()
    land = stage.palette.tile(cut["terrain"], 1, 5.0, ground=True, bump=1.5)
    _strip(strip, -30, 420, layout.left, FAR_EDGES[0], -0.03, land)
    stage.solid(strip, green if _green(cut["terrain"]) else stage.stuff("terrain"))
    if rng.uniform() < 0.35:
        wall, high = Build(), float(rng.uniform(2.5, 4.5))
        panel = stage.palette.tile("grey noise barrier panels", 0, 3.0)
        y = layout.right - 2.4
        wall.face([(-20, y, 0), (260, y, 0), (260, y, high), (-20, y, high)], panel)
        for x in np.arange(-20, 200, 4.0):
            wall.box((float(x), y + 0.06, high / 2), (0.16, 0.16, high), steel)
        stage.solid(wall, stage.stuff("barrier"))
    _gantry(stage, rng, layout)
    for _ in range(2):
        x = float(rng.uniform(90, 300))
        y = layout.right - float(rng.uniform(30, 70))
        _house(stage, rng, cut, x, float(rng.uniform(20, 40)), y, False, 2, False, False, dark)


def _gantry(stage: Stage, rng: np.random.Generator, layout: Layout) -> None:
    if rng.uniform() > 0.6:
        return
    x = float(rng.uniform(45, 130))
    steel = stage.palette.plain((0.3, 0.3, 0.31), 0.4, 0.7)
    build, board = Build(), Build()
    for y in (layout.right - 1.2, layout.left + 1.3):
        build.box((x, y, 3.2), (0.3, 0.3, 6.4), steel)
    middle, wide = (layout.right + layout.left) / 2, layout.left - layout.right + 2.6
    build.box((x, middle, 6.3), (0.4, wide, 0.4), steel)
    tone = ((0.01, 0.1, 0.4), (0.0, 0.2, 0.09))[int(rng.integers(2))]
    board.box((x - 0.25, 0.2, 6.3), (0.08, 4.6, 2.0), stage.palette.plain(tone, 0.4))
    white = stage.palette.plain((0.75, 0.75, 0.75), 0.4)
    for k in range(3):
        long = float(rng.uniform(1.2, 3.2))
        board.box((x - 0.3, 1.9 - long / 2, 6.85 - 0.5 * k), (0.02, long, 0.2), white)
    stage.solid(build, stage.stuff("pole"))
    stage.solid(board, stage.stuff("sign"))


def _country(stage: Stage, layout: Layout, cut: Mapping[str, str], dark: bool, night: bool) -> None:
    rng = stage.rng("country")
    style = rng.uniform()
    green = stage.stuff("vegetation")
    forest = style < 0.35
    for left in (True, False):
        out, line = (1.0 if left else -1.0), layout.edge(left)
        if forest:
            conifer = rng.uniform() < 0.6
            for _ in range(60):
                x, y = float(rng.uniform(-5, 170)), line + out * float(2.2 + rng.exponential(7))
                kind = "conifer" if rng.uniform() < (0.8 if conifer else 0.2) else "tree"
                _tree(stage, rng, kind, x, y, (8.0, 15.0))
            for _ in range(26):
                name = stage.pick("bush", rng)
                spot = (float(rng.uniform(2, 70)), line + out * float(rng.uniform(1.0, 7)), -0.03)
                stage.model(
                    name,
                    green,
                    spot,
                    float(rng.uniform(0, 6)),
                    float(rng.uniform(0.4, 1.3)) / stage.size(name)[2],
                )
            continue
        if rng.uniform() < 0.5:
            _trees(
                stage,
                rng,
                line + out * float(rng.uniform(1.5, 3)),
                float(rng.uniform(9, 18)),
                (6.0, 11.0),
                140,
            )
        if rng.uniform() < 0.5:
            wood = stage.palette.mottled((0.1, 0.085, 0.07), (0.28, 0.25, 0.21), 7, 0.9)
            fence = Build()
            y = line + out * 2.6
            for x in np.arange(-6, 90, 2.4):
                fence.box((float(x), y, 0.55), (0.1, 0.1, 1.2), wood)
            for z in (0.45, 0.95):
                fence.box((42, y, z), (98, 0.04, 0.12), wood)
            stage.solid(fence, stage.stuff("barrier"))
        for _ in range(18):
            x, y = float(rng.uniform(15, 240)), line + out * float(rng.uniform(9, 90))
            _tree(stage, rng, "conifer" if rng.uniform() < 0.3 else "tree", x, y, (6.0, 13.0))
        if rng.uniform() < 0.55:
            x = float(rng.uniform(25, 100))
            _house(
                stage,
                rng,
                cut,
                x,
                float(rng.uniform(9, 16)),
                line + out * float(rng.uniform(9, 24)),
                left,
                int(rng.choice([1, 2])),
                True,
                False,
                dark,
            )
    _wood(stage, -70, 80, 24)
    _tufts(stage, layout, rng, cut)
    posts = Build()
    white, black = (
        stage.palette.plain((0.7, 0.7, 0.69), 0.5),
        stage.palette.plain((0.02, 0.02, 0.02), 0.5),
    )
    for x in np.arange(float(rng.uniform(4, 18)), 150, 25.0):
        for y in (layout.edge(False) + 0.5, layout.edge(True) - 0.5):
            posts.box((float(x), y, 0.5), (0.1, 0.1, 1.0), white)
            posts.box((float(x), y, 0.82), (0.105, 0.105, 0.2), black)
    stage.solid(posts, stage.stuff("pole"))


def _tufts(stage: Stage, layout: Layout, rng: np.random.Generator, cut: Mapping[str, str]) -> None:
    """Standing grass beside the road, near the camera."""
    if stage.palette.snow > 0.4 or not _green(cut["terrain"]):
        return
    dry = "dry" in cut["terrain"]
    tones = (
        [(0.24, 0.2, 0.08), (0.3, 0.26, 0.12), (0.14, 0.16, 0.04)]
        if dry
        else [(0.06, 0.11, 0.02), (0.1, 0.16, 0.035), (0.17, 0.18, 0.06)]
    )
    blades = [stage.palette.plain(tone, 0.7) for tone in tones]
    tuft = Build()
    for _ in range(420):
        x, y = rng.uniform(-0.9, 0.9, 2)
        yaw, lean = rng.uniform(0, 6.3), rng.normal(0, 0.09, 2)
        tall, wide = float(rng.uniform(0.1, 0.36)), 0.006
        dx, dy = math.cos(yaw) * wide, math.sin(yaw) * wide
        tuft.face(
            [(x - dx, y - dy, 0), (x + dx, y + dy, 0), (x + lean[0], y + lean[1], tall)],
            blades[int(rng.integers(3))],
        )
    mesh = tuft.mesh("tuft")
    green = stage.stuff("vegetation")
    for left in (True, False):
        out, line = (1.0 if left else -1.0), layout.edge(left)
        for x in np.arange(2.0, 34, 1.5):
            for lane in range(2 if x < 20 else 1):
                spot = (
                    float(x) + float(rng.normal(0, 0.3)),
                    line + out * (0.7 + 1.5 * lane + float(rng.normal(0, 0.25))),
                    -0.05,
                )
                stage.put(
                    mesh, green, spot, float(rng.uniform(0, 6.3)), float(rng.uniform(0.6, 1.25))
                )


def _traffic(
    stage: Stage, layout: Layout, setup: Mapping[str, Any], dark: bool, night: bool
) -> None:
    rng = stage.rng("traffic")
    for y, way in layout.oncoming:
        x = float(rng.uniform(14, 60))
        while x < 160:
            if rng.uniform() < setup["traffic"] * 0.9 and stage.take(x, y, 3.2):
                kind = str(rng.choice(["car", "van", "truck", "bus"], p=[0.78, 0.1, 0.08, 0.04]))
                if kind in ("truck", "bus") and not stage.take(x + 5 * way, y, 2.0):
                    kind = "car"
                yaw = 0.0 if way > 0 else math.pi
                _drive(stage, rng, kind, f"traffic {y:.0f} {x:.0f}", x, y, yaw)
                if dark:
                    _car_lights(stage, x, y, way, night)
            x += float(rng.uniform(14, 50))


def _car_lights(stage: Stage, x: float, y: float, way: int, night: bool) -> None:
    """Glowing lamps of a car that drives in the dark: white ahead, red behind."""
    white, red = Build(), Build()
    glow = stage.palette.plain((1.0, 0.93, 0.8), 0.2, glow=25.0 if night else 12.0)
    tail = stage.palette.plain((1.0, 0.02, 0.015), 0.2, glow=6.0)
    number = stage.stuff("light")
    for side in (-0.6, 0.6):
        white.box((x + way * 2.2, y + side, 0.66), (0.05, 0.2, 0.1), glow)
        red.box((x - way * 2.2, y + side, 0.8), (0.05, 0.2, 0.1), tail)
        if night and way < 0 and x < 90:
            stage.lamp(
                (x + way * 2.35, y + side, 0.66),
                350,
                (1, 0.93, 0.8),
                0.06,
                (0.9, 0.5, (way, 0.06 * way, -0.06)),
            )
    stage.solid(white, number)
    stage.solid(red, number)


def _light(stage: Stage, conditions: Mapping[str, Any], night: bool) -> None:
    rng = stage.rng("sky")
    painted = sky.paint(conditions, rng)
    world = bpy.context.scene.world or bpy.data.worlds.new("world")
    bpy.context.scene.world = world
    world.use_nodes = True
    tree = world.node_tree
    tree.nodes.clear()
    # Cycles knows pictures by their address: the old one goes only when the new one is there.
    old_skies = [i for i in bpy.data.images if i.name.startswith("sky")]
    height, width = painted.shape[:2]
    picture = bpy.data.images.new("sky", width, height, alpha=False, float_buffer=True)
    picture.colorspace_settings.name = "Linear Rec.709"
    full = np.ones((height, width, 4), np.float32)
    full[..., :3] = painted[::-1]
    picture.pixels.foreach_set(full.ravel())
    for old in old_skies:
        bpy.data.images.remove(old)
    node = tree.nodes.new("ShaderNodeTexEnvironment")
    node.image = picture
    back = tree.nodes.new("ShaderNodeBackground")
    end = tree.nodes.new("ShaderNodeOutputWorld")
    tree.links.new(node.outputs[0], back.inputs[0])
    tree.links.new(back.outputs[0], end.inputs[0])
    power, colour, soft = sky.sun_light(conditions)
    stage.sun(
        -sky.sun_direction(conditions) if not night else (0.3, 0.4, -0.8), power, colour, soft
    )
    dark = conditions["time_of_day"] != "day"
    if dark:
        strength = 1.0 if night else 0.12
        # From farther back than the bumper: the near road would be a white hole otherwise.
        for side in (-0.45, 0.45):
            at = (-2.5, side, 1.15)
            stage.lamp(at, 2600 * strength, (1, 0.95, 0.86), 0.06, (0.36, 1.0, (1, -0.02, -0.03)))
            stage.lamp(at, 350 * strength, (1, 0.95, 0.86), 0.06, (1.4, 1.0, (1, 0, -0.05)))
