"""What stands beside the road in each of the four places."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from hartsim.types import Vector3
from hartsim.worlds import greenery, houses, meshes, scenery
from hartsim.worlds.decor import (
    KERB_M,
    WHITE,
    YELLOW,
    Decor,
    Lane,
    Layout,
    Mark,
    Rng,
    lamp_posts,
    paint_marks,
    park_cars,
    pick,
    plant_bush,
    plant_tree,
    scaled,
    walk_people,
)
from hartsim.worlds.houses import DOORS, ROOFS, TINTS, House
from hartsim.worlds.meshes import moved, painted
from hartsim.worlds.stage import Colour, Lamp, Solid

BEHIND_M = -14.0


@dataclass(frozen=True)
class Place:
    """A kind of street: its cross-section, what is built beside it, where traffic drives.

    `materials` names the textures that each surface may wear.
    """

    layout: Layout
    build: Callable[[Decor, Layout], None]
    lanes: tuple[Lane, ...]
    speed_mps: float
    materials: Mapping[str, tuple[str, ...]]


def _residential(decor: Decor, layout: Layout) -> None:
    """Houses in gardens behind fences and hedges, trees along the pavements."""
    for left in (True, False):
        rng = decor.rng(f"houses {left}")
        out, line = (1.0 if left else -1.0), layout.edge(left)
        x = BEHIND_M + float(rng.uniform(0, 8))
        while x < 150:
            house = _villa(decor, rng)
            setback = float(rng.uniform(4.0, 7.0))
            plot = house.width_m + float(rng.uniform(3.0, 7.0))
            middle = (x + house.width_m / 2, line + out * setback, 0.0)
            _put_up(decor, f"house {left} {x:.0f}", house, middle, houses.facing(left))
            _garden(decor, rng, x - 1.5, plot, line, out, setback)
            x += plot
        _avenue(decor, line - out * 0.2, 15.0, 0.85)
        kerb = line - out * (layout.pavement - 0.35)
        lamp_posts(decor, kerb, left, 11.0 if left else 26.0, 30.0, KERB_M)
        park_cars(decor, layout, left, 0.55)
        walk_people(decor, line - out * layout.pavement / 2, 3)
    _wood(decor, -30.0, 34.0, 16)
    _sign(decor, "round", WHITE, (0.78, 0.1, 0.1), 19.0, layout.right - 0.5)


def _put_up(decor: Decor, name: str, house: House, at: Vector3, heading_rad: float) -> None:
    decor.props.append(houses.building(name, house, at, heading_rad, decor.kit.is_rough))


def _villa(decor: Decor, rng: Rng) -> House:
    return House(
        surface=f"facade_{'abc'[int(rng.integers(3))]}",
        bays=int(rng.integers(3, 6)),
        floors=int(rng.choice([1, 2, 2, 3])),
        deep_bays=3,
        roof="gable" if rng.uniform() < 0.6 else "hip",
        roof_colour=pick(rng, ROOFS),
        door=pick(rng, DOORS),
        lit=decor.dark,
        tint=pick(rng, TINTS),
        seed=int(rng.integers(1000)),
    )


def _garden(
    decor: Decor, rng: Rng, x: float, plot: float, line: float, out: float, setback: float
) -> None:
    """A boundary towards the pavement, bushes, perhaps a tree and a bin."""
    length = round((plot - 2.4) / 2) * 2.0
    at = (x + plot / 2 + 1.0, line + out * 0.3, 0.0)
    edge = int(rng.integers(4))
    if edge == 0:
        wood = pick(rng, ((0.88, 0.87, 0.83), (0.5, 0.36, 0.25)))
        decor.put("barrier", decor.kit.picket_fence(length), at, wood=wood)
    elif edge == 1:
        snow = decor.conditions.snow_cover
        hedge = decor.kit.hedge(length, int(rng.integers(4)), pick(rng, greenery.GREENS[:3]), snow)
        decor.add("vegetation", hedge, at)
    elif edge == 2:
        decor.put("barrier", scenery.low_wall(length), at)
    for _ in range(int(rng.integers(1, 4))):
        bush_x = x + float(rng.uniform(1, plot))
        bush_y = line + out * float(rng.uniform(1.0, setback - 0.8))
        plant_bush(decor, rng, bush_x, bush_y, float(rng.uniform(0.6, 1.1)))
    there, deep, size, conifer, bin_there = rng.uniform(size=5).tolist()
    if there < 0.6:
        tree_y = line + out * (2 + deep * (setback + 1))
        plant_tree(decor, rng, x + plot - 1.5, tree_y, 0.7 + 0.45 * size, conifer < 0.3)
    if bin_there < 0.4:
        decor.put("other", decor.kit.bin(), (x + 0.8, line - out * 0.3, KERB_M))


def _avenue(decor: Decor, y: float, step_m: float, scale: float) -> None:
    """Trees in a row along the street."""
    rng = decor.rng(f"avenue {y:.1f}")
    for x in np.arange(float(rng.uniform(4, 12)), 125, step_m).tolist():
        tree_x = x + float(rng.uniform(-2.5, 2.5))
        size = scale * float(rng.uniform(0.84, 1.16))
        if decor.free(tree_x, y, 0.9):
            plant_tree(decor, rng, tree_x, y, size)


def _wood(decor: Decor, right: float, left: float, count: int) -> None:
    """A belt of trees behind the houses and across the end of the street."""
    rng = decor.rng("wood")
    for k in range(count):
        along, across, deep, size = rng.uniform(size=4).tolist()
        if k % 3 == 0:
            x, y = 150 + 35 * along, -45 + 95 * across
        else:
            x, y = 160 * along, (left + 12 * deep) if across < 0.5 else (right - 12 * deep)
        plant_tree(decor, rng, x, y, 1.2 + 0.6 * size, conifer=bool(rng.uniform() < 0.35))


def _sign(decor: Decor, shape: str, face: Colour, rim: Colour, x: float, y: float) -> None:
    post, plate = scenery.sign(shape, face, rim)
    decor.put("pole", post, (x, y, 0.0))
    decor.put("sign", plate, (x, y, 0.0))


def _city(decor: Decor, layout: Layout) -> None:
    """Wall to wall fronts of different heights with shops below; more across the end."""
    for left in (True, False):
        rng = decor.rng(f"houses {left}")
        out, line = (1.0 if left else -1.0), layout.edge(left)
        x = BEHIND_M
        while x < 172:
            house = _town_house(decor, rng)
            middle = (x + house.width_m / 2, line, KERB_M)
            name = f"house {left} {x:.0f}"
            _put_up(decor, name, house, middle, houses.facing(left))
            x += house.width_m + (9.0 if rng.uniform() < 0.12 else 0.0)
        kerb = line - out * (layout.pavement - 0.5)
        lamp_posts(decor, kerb, left, 14.0 if left else 24.0, 24.0, KERB_M)
        _avenue(decor, line - out * (layout.pavement - 1.0), 21.0, 0.8)
        _furniture(decor, line, out, layout)
        park_cars(decor, layout, left, 0.6)
        walk_people(decor, line - out * layout.pavement / 2, 6)
    rng = decor.rng("end")
    for k in range(5):
        house = _town_house(decor, rng, taller=2)
        across = (196.0, -34.0 + 17.0 * k, 0.0)
        _put_up(decor, f"end {k}", house, across, -math.pi / 2)
    _signals(decor, layout)
    _crossing(decor, layout)


def _town_house(decor: Decor, rng: Rng, taller: int = 0) -> House:
    floors = int(rng.choice([3, 4, 5, 6, 8, 11], p=[0.12, 0.24, 0.24, 0.2, 0.12, 0.08])) + taller
    return House(
        surface=f"facade_{'abc'[int(rng.choice(3, p=[0.3, 0.35, 0.35]))]}",
        bays=int(rng.integers(3, 7)),
        floors=floors,
        deep_bays=4,
        roof="flat" if floors > 4 or rng.uniform() < 0.6 else "hip",
        roof_colour=pick(rng, ROOFS),
        shops=True,
        door=pick(rng, DOORS),
        lit=decor.dark,
        tint=pick(rng, TINTS),
        seed=int(rng.integers(1000)),
    )


def _furniture(decor: Decor, line: float, out: float, layout: Layout) -> None:
    """Bins, benches, hydrants and a bus shelter along the pavement."""
    rng = decor.rng(f"furniture {out}")
    kerb, wall, inward = line - out * (layout.pavement - 0.6), line - out * 1.4, -out * math.pi / 2
    for _ in range(5):
        x, choice = float(rng.uniform(5, 80)), int(rng.integers(4))
        if not decor.free(x, kerb, 1.0):
            continue
        if choice == 0:
            decor.put("other", decor.kit.bin(), (x, kerb, KERB_M))
        elif choice == 1:
            decor.put("other", scenery.bench(), (x, wall, KERB_M), inward)
        elif choice == 2:
            decor.put("other", scenery.hydrant(), (x, kerb, KERB_M))
        else:
            decor.put("other", scenery.bus_stop(), (x, wall, KERB_M), inward)


LENSES: tuple[Colour, ...] = ((1.0, 0.2, 0.12), (1.0, 0.72, 0.15), (0.25, 1.0, 0.5))


def _signals(decor: Decor, layout: Layout) -> None:
    """A pair of traffic lights, both showing the same."""
    rng = decor.rng("signals")
    x, shown = float(rng.uniform(26, 54)), int(rng.integers(3))
    for y in (layout.right - 0.45, layout.left + 0.45):
        decor.put("light", scenery.traffic_light(), (x, y, KERB_M))
        glass = painted(meshes.icosphere(0), "paint", LENSES[shown])
        lens = Solid("mesh", (0.06, 0.2, 0.2), mesh=glass, emission=1.0)
        at = (x - 0.22, y, KERB_M + 3.48 - 0.28 * shown)
        decor.add("light", (lens,), at)
        if decor.dark:
            glow = scaled(LENSES[shown], 0.7)
            decor.lamps.append(Lamp(at, glow, 0.0, (-1.0, 0.0, 0.0), math.pi, 0.6))


def _crossing(decor: Decor, layout: Layout) -> None:
    """A zebra crossing."""
    if decor.bare:
        x = float(decor.rng("crossing").uniform(20, 48))
        spans = [
            (x, x + 3.2, y, y + 0.55) for y in np.arange(layout.right + 0.5, layout.left - 0.4, 1.1)
        ]
        stripes = painted(meshes.rectangles(spans, 0.014), "mark", WHITE)
        decor.put("road_mark", stripes, (0.0, 0.0, 0.0))


FAR_EDGES = (8.35, 18.75)
"""The carriageway towards us on a highway: from y to y."""


def _highway(decor: Decor, layout: Layout) -> None:
    """Two lanes our way, a median, two lanes towards us; rails, signs, halls, far hills."""
    rng = decor.rng("highway")
    paint_marks(decor, [Mark(8.75), Mark(12.55, 6.0, 9.0), Mark(16.35)])
    median = (layout.left + FAR_EDGES[0]) / 2
    if rng.uniform() < 0.5:
        decor.put("barrier", scenery.concrete_barrier(220.0), (95.0, median, 0.0))
    else:
        for y, heading in ((median - 0.4, math.pi), (median + 0.4, 0.0)):
            decor.put("barrier", decor.kit.guard_rail(220.0), (95.0, y, 0.0), heading)
    decor.put("barrier", decor.kit.guard_rail(220.0), (95.0, layout.right - 0.7, 0.0), 0.0)
    for x in np.arange(0, 150, 25.0).tolist():
        decor.put("pole", decor.kit.delineator(), (x, layout.right - 1.1, 0.0))
    _gantry(decor, float(rng.uniform(40, 100)), layout)
    _verges(decor, layout.right - 6, FAR_EDGES[1] + 5, 30, 0.5)
    for k in range(int(rng.integers(2, 5))):
        _hall(decor, rng, k, layout)
    if rng.uniform() < 0.4:
        wall = Solid("box", (160.0, 0.3, 3.2), surface="facade_b")
        decor.add("building", (wall,), (95.0, layout.right - 5.5, 1.6))
    _horizon(decor, 22.0)


def _hall(decor: Decor, rng: Rng, k: int, layout: Layout) -> None:
    """A large building some way off the road."""
    left = bool(rng.integers(2))
    bays, floors = int(rng.integers(6, 12)), int(rng.integers(2, 5))
    surface = f"facade_{'ac'[k % 2]}"
    lit = decor.dark and surface == "facade_a"
    hall = House(surface, bays, floors, 5, "flat", ROOFS[1], lit=lit, seed=k)
    away, x = float(rng.uniform(18, 40)), float(rng.uniform(50, 160))
    y = FAR_EDGES[1] + away if left else layout.right - away
    _put_up(decor, f"hall {k}", hall, (x, y, 0.0), houses.facing(left))


def _gantry(decor: Decor, x: float, layout: Layout) -> None:
    """A sign bridge over our carriageway with blue or green boards."""
    right, left = layout.right - 1.6, layout.left + 0.9
    legs = [moved(meshes.box((0.3, 0.3, 6.6)), (0, y, 3.3)) for y in (right, left)]
    beam = moved(meshes.box((0.35, left - right, 0.5)), (0, (left + right) / 2, 6.5))
    frame = painted(meshes.join([*legs, beam]), "metal", (0.5, 0.52, 0.54))
    decor.put("pole", frame, (x, 0.0, 0.0))
    board = ((0.1, 0.28, 0.56), (0.07, 0.36, 0.24))[decor.setup.decor_seed % 2]
    white: Colour = (0.95, 0.95, 0.93)
    parts = []
    for y in (-0.4, 3.5):
        blocks: list[meshes.Block] = [
            ((0.1, 3.6, 2.0), (-0.25, y, 6.6), "rim", white),
            ((0.04, 3.44, 1.84), (-0.3, y, 6.6), "board", board),
            ((0.03, 2.2, 0.26), (-0.33, y + 0.2, 7.1), "letters", white),
            ((0.03, 1.6, 0.26), (-0.33, y + 0.4, 6.6), "letters", white),
            ((0.03, 0.16, 0.5), (-0.33, y, 6.03), "letters", white),
        ]
        parts.append(meshes.blocks(blocks))
    decor.put("sign", meshes.join(parts), (x, 0.0, 0.0))


def _country(decor: Decor, layout: Layout) -> None:
    """Fields, fences, a wood's edge, a barn, poles, hills."""
    rng = decor.rng("country")
    wooded = rng.uniform() < 0.5
    count, conifers = (52, 0.6) if wooded else (28, 0.25)
    _verges(decor, layout.right - 4.5, layout.left + 4.5, count, conifers)
    for side, y in ((-1, layout.right - 3.2), (1, layout.left + 3.4)):
        if rng.uniform() < 0.7:
            decor.put("barrier", decor.kit.wire_fence(120.0), (56.0, y, 0.0))
        if side == 1:
            for x in np.arange(float(rng.uniform(5, 20)), 140, 34.0).tolist():
                decor.put("pole", decor.kit.utility_pole(), (x, y + 2.2, 0.0))
    for x in np.arange(4, 110, 22.0).tolist():
        for y in (layout.right - 0.9, layout.left + 0.9):
            decor.put("pole", decor.kit.delineator(), (x, y, 0.0))
    for k in range(int(rng.integers(1, 4))):
        _farm(decor, rng, k, layout)
    if rng.uniform() < 0.5:
        at = (float(rng.uniform(25, 60)), layout.right - 2.4, 0.0)
        decor.put("barrier", scenery.low_wall(40.0, 0.8), at)
    warning_x = float(rng.uniform(16, 40))
    _sign(decor, "triangle", (0.95, 0.93, 0.86), (0.78, 0.1, 0.1), warning_x, layout.right - 1.2)
    _tufts(decor, layout)
    _horizon(decor, 32.0)


def _farm(decor: Decor, rng: Rng, k: int, layout: Layout) -> None:
    left = bool(rng.integers(2))
    surface = f"facade_{'abc'[int(rng.integers(3))]}"
    bays, floors = int(rng.integers(3, 6)), int(rng.integers(1, 3))
    colour = pick(rng, ROOFS)
    lit = decor.dark and surface == "facade_c"
    barn = House(surface, bays, floors, 3, "gable", colour, lit=lit, seed=k)
    away, x = float(rng.uniform(9, 20)), float(rng.uniform(30, 130))
    y = layout.left + away if left else layout.right - away
    _put_up(decor, f"farm {k}", barn, (x, y, 0.0), houses.facing(left))


def _tufts(decor: Decor, layout: Layout) -> None:
    """Long grass along both verges."""
    rng = decor.rng("tufts")
    for x in np.arange(5, 50, 9.0).tolist():
        for left in (True, False):
            out = 1.0 if left else -1.0
            y = layout.edge(left) + out * 2.2
            seed = int(rng.integers(4))
            mesh = decor.kit.tuft_field(seed)
            decor.put("vegetation", mesh, (x, y, -0.05), leaf=scaled(pick(rng, GRASSES), 1.0))


GRASSES: tuple[Colour, ...] = ((0.42, 0.52, 0.22), (0.52, 0.55, 0.28), (0.6, 0.56, 0.3))


def _verges(decor: Decor, right: float, left: float, count: int, conifers: float) -> None:
    """Trees and bushes scattered on both sides, thicker in groups."""
    rng = decor.rng("verges")
    groups = rng.uniform(0, 170, 6)
    for _ in range(count):
        group, out = int(rng.integers(6)), 1.0 if rng.uniform() < 0.5 else -1.0
        x = float(np.clip(groups[group] + rng.normal(0, 14), 2, 185))
        y = (left if out > 0 else right) + out * abs(float(rng.normal(2, 11)))
        tree, size, conifer = rng.uniform(size=3).tolist()
        if tree < 0.72:
            plant_tree(decor, rng, x, y, 0.9 + 0.8 * size, conifer < conifers)
        else:
            plant_bush(decor, rng, x, y, 0.8 + size)


def _horizon(decor: Decor, height_m: float) -> None:
    """Ridges behind one another."""
    seed = decor.setup.decor_seed % 1000
    far, near = scenery.hills(seed, 560.0, height_m * 2.6), scenery.hills(seed + 1, 330.0, height_m)
    decor.put("terrain", far, (0.0, 0.0, 0.0), hill=(0.4, 0.5, 0.5))
    decor.put("vegetation", near, (0.0, 0.0, 0.0), hill=(0.31, 0.42, 0.24))


PLACES: Mapping[str, Place] = {
    "residential_street": Place(
        Layout(-4.3, 7.8, 2.2, (Mark(1.75, 3.0, 4.5),)),
        _residential,
        (Lane(3.5, -10.0),),
        9.0,
        {
            "road": ("asphalt", "cracked_asphalt", "dark_asphalt"),
            "pavement": ("slabs", "paving", "red_paving"),
            "terrain": ("grass",),
            "facade_a": ("brick_front", "brown_front"),
            "facade_b": ("plaster_front", "beige_front", "mint_front"),
            "facade_c": ("yellow_front", "blue_front", "rose_front"),
        },
    ),
    "city_street": Place(
        Layout(
            -4.3,
            7.8,
            4.2,
            (
                Mark(1.66, colour=YELLOW),
                Mark(1.86, colour=YELLOW),
                Mark(-1.85, 1.2, 4.8),
                Mark(5.35, 1.2, 4.8),
            ),
        ),
        _city,
        (Lane(3.5, -10.0),),
        9.0,
        {
            "road": ("dark_asphalt", "asphalt"),
            "pavement": ("paving", "slabs"),
            "terrain": ("slabs", "paving"),
            "facade_a": ("glass_front", "steel_front"),
            "facade_b": ("concrete_front", "beige_front", "plaster_front"),
            "facade_c": ("brick_front", "brown_front", "rose_front", "yellow_front"),
        },
    ),
    "highway": Place(
        Layout(
            -4.9,
            5.75,
            0.0,
            (Mark(1.75, 6.0, 9.0), Mark(-1.8), Mark(5.3, colour=YELLOW)),
            kerb=False,
        ),
        _highway,
        (Lane(10.6, -27.0), Lane(14.4, -23.0), Lane(3.5, 28.0)),
        24.0,
        {
            "road": ("asphalt", "light_road", "dark_asphalt"),
            "pavement": ("gravel",),
            "terrain": ("dry_grass", "meadow", "grass"),
            "facade_a": ("concrete_front",),
            "facade_b": ("noise_barrier",),
            "facade_c": ("metal_panels",),
        },
    ),
    "country_road": Place(
        Layout(
            -1.95,
            5.4,
            1.5,
            (Mark(1.75, 4.0, 6.0), Mark(-1.72), Mark(5.2)),
            kerb=False,
        ),
        _country,
        (Lane(3.5, -19.0),),
        17.0,
        {
            "road": ("cracked_asphalt", "asphalt"),
            "pavement": ("gravel",),
            "terrain": ("meadow", "dry_grass", "soil"),
            "facade_a": ("planks", "red_planks"),
            "facade_b": ("stone_wall",),
            "facade_c": ("brick_front", "plaster_front"),
        },
    ),
}
