"""The street: from a driving setup to a stage, in four places, four times of day, five weathers.

The world's frame is the ego frame of the setup: x ahead, y left. The ego's lane is 3.5 m wide round
y = 0 and traffic comes towards it in the lane round y = 3.5. To the right a strip for parked cars
(centre y = -3.2) or a shoulder ends at the kerb, y = -4.3. What the scenario leaves open is drawn
from `decor_seed`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hartsim.scenario.compiled import Conditions, PlacedObject, WorldSetup
from hartsim.types import Box3D, Image, Instance, Pose, Size, Vector3
from hartsim.worlds import houses, meshes, scenery
from hartsim.worlds.meshes import moved, painted
from hartsim.worlds.stage import (
    Colour,
    Grade,
    Lamp,
    Lighting,
    Mesh,
    Prop,
    Puff,
    Solid,
    Stage,
    Weather,
)
from hartsim.worlds.street_props import MAKERS, detail_at, prop_of
from hartsim.worlds.textures import texture

SURFACES: Mapping[str, Size] = {
    "road": (256, 256),
    "pavement": (256, 256),
    "terrain": (256, 256),
    "facade_a": (256, 256),
    "facade_b": (256, 256),
    "facade_c": (256, 256),
    "sky": (256, 256),
}
KINDS = frozenset(MAKERS)

BEHIND_M, AHEAD_M = -14.0, 190.0
LANE_M = 3.5
KERB_M = 0.13
ROAD_TILE_M, PAVEMENT_TILE_M, TERRAIN_TILE_M = 5.0, 3.0, 7.0
WHITE: Colour = (0.86, 0.86, 0.83)
YELLOW: Colour = (0.86, 0.66, 0.2)


@dataclass(frozen=True)
class Layout:
    """A place's cross-section: the road from `right` to `left`, and pavements outside it.

    `marks` are (y, dash length, gap, colour), dash 0 for a solid line.
    """

    right: float
    left: float
    pavement: float
    marks: tuple[tuple[float, float, float, Colour], ...]
    kerb: bool = True


LAYOUTS: Mapping[str, Layout] = {
    "residential_street": Layout(-4.3, 7.8, 2.2, ((1.75, 3.0, 4.5, WHITE),)),
    "city_street": Layout(
        -4.3,
        7.8,
        4.2,
        (
            (1.66, 0, 0, YELLOW),
            (1.86, 0, 0, YELLOW),
            (-1.85, 1.2, 4.8, WHITE),
            (5.35, 1.2, 4.8, WHITE),
        ),
    ),
    "highway": Layout(
        -4.9,
        5.75,
        0.0,
        ((1.75, 6.0, 9.0, WHITE), (-1.8, 0, 0, WHITE), (5.3, 0, 0, YELLOW)),
        kerb=False,
    ),
    "country_road": Layout(
        -1.95,
        5.4,
        1.5,
        ((1.75, 4.0, 6.0, WHITE), (-1.72, 0, 0, WHITE), (5.2, 0, 0, WHITE)),
        kerb=False,
    ),
}


class Decor:
    """The stage under construction: props, lamps and puffs, and the numbers of their instances."""

    def __init__(self, setup: WorldSetup) -> None:
        self.setup, self.conditions = setup, setup.conditions
        self.rng = np.random.default_rng(setup.decor_seed)
        self.props: list[Prop] = []
        self.lamps: list[Lamp] = []
        self.puffs: list[Puff] = []
        self.taken: list[tuple[float, float, float]] = []

    @property
    def dark(self) -> bool:
        """Whether lamps are lit."""
        return self.conditions.time_of_day != "day" or self.conditions.visibility_m < 150

    @property
    def night(self) -> bool:
        """Whether no light is left in the sky."""
        return self.conditions.time_of_day == "night"

    def put(
        self,
        name: str,
        class_name: str,
        mesh: Mesh,
        at: Vector3,
        heading: float = 0.0,
        scale: float = 1.0,
        **colours: Colour,
    ) -> None:
        """Set a still mesh without an instance."""
        solid = Solid(
            "mesh", None, mesh=moved(mesh, scale=scale) if scale != 1.0 else mesh, colours=colours
        )
        self.props.append(Prop(name, class_name, (solid,), Pose(at, heading)))

    def place(self, placed: PlacedObject, velocity_mps: Vector3 = (0.0, 0.0, 0.0)) -> None:
        """Set an object that labels count."""
        number = sum(prop.instance is not None for prop in self.props) + 1
        seed = (self.setup.decor_seed * 31 + number * 101) % 9973
        prop, puffs, lamps = prop_of(placed, number, self.dark, seed)
        if any(velocity_mps):
            prop = Prop(
                prop.name,
                prop.class_name,
                prop.solids,
                prop.pose,
                prop.instance,
                velocity_mps,
                prop.snowable,
            )
        self.props.append(prop)
        self.puffs += puffs
        self.lamps += lamps
        x, y, _ = placed.box.centre_m
        self.taken.append((x, y, math.hypot(*placed.box.size_m[:2]) / 2))

    def free(self, x: float, y: float, reach: float) -> bool:
        """Whether nothing countable stands within reach of this spot."""
        return all(math.hypot(x - a, y - b) > reach + r for a, b, r in self.taken)

    def extra(
        self,
        kind: str,
        class_name: str,
        size_m: Vector3,
        x: float,
        y: float,
        heading: float,
        velocity_mps: Vector3 = (0.0, 0.0, 0.0),
        up: float = 0.0,
    ) -> None:
        """Set an object of the decor's own, if its spot is free."""
        if not self.free(x, y, math.hypot(size_m[0], size_m[1]) / 2 * 0.9):
            return
        number = len(self.taken) + 1
        box = Box3D((x, y, up + size_m[2] / 2), size_m, heading)
        self.place(
            PlacedObject(f"decor {kind} {number}", kind, class_name, False, (), box), velocity_mps
        )


def build(setup: WorldSetup) -> Stage:
    """Everything there is to see of a driving setup."""
    decor = Decor(setup)
    for placed in setup.objects:
        decor.place(placed)
    place = setup.conditions.place
    layout = LAYOUTS[place]
    _ground(decor, layout, place)
    PLACES[place](decor, layout)
    _traffic(decor, layout, place)
    if decor.dark:
        _ego_lights(decor)
    conditions = setup.conditions
    lighting, weather, grade = light_of(conditions, setup.decor_seed)
    textures = _textures(decor, place)
    return Stage(
        props=tuple(decor.props),
        textures=textures,
        sky=sky_image(conditions, setup.decor_seed, weather.fog_colour),
        lighting=lighting,
        weather=weather,
        cameras=setup.cameras,
        lamps=tuple(decor.lamps),
        puffs=tuple(decor.puffs),
        grade=grade,
    )


def _sheet(x0: float, x1: float, y0: float, y1: float, z: float, tile_m: float) -> Mesh:
    corners = [(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)]
    uv = [(-y / tile_m, x / tile_m) for x, y, _ in corners]
    return meshes.quad(corners, uv)


def _surface(decor: Decor, name: str, class_name: str, surface: str, sheet: Mesh) -> None:
    solid = Solid("mesh", None, mesh=sheet, surface=surface)
    decor.props.append(Prop(name, class_name, (solid,), Pose((0.0, 0.0, 0.0), 0.0)))


def _ground(decor: Decor, layout: Layout, place: str) -> None:
    """Road, marks, kerbs, pavements and the land beyond."""
    _surface(
        decor, "terrain", "terrain", "terrain", _sheet(-30, 600, -400, 400, -0.06, TERRAIN_TILE_M)
    )
    _surface(
        decor, "road", "road", "road", _sheet(-30, 420, layout.right, layout.left, 0.0, ROAD_TILE_M)
    )
    _marks(decor, layout)
    _repairs(decor, layout)
    if layout.pavement > 0:
        high = KERB_M if layout.kerb else -0.015
        for y0, y1 in (
            (layout.right - layout.pavement, layout.right),
            (layout.left, layout.left + layout.pavement),
        ):
            _surface(
                decor,
                "pavement",
                "pavement",
                "pavement",
                _sheet(-30, 420, y0, y1, high, PAVEMENT_TILE_M),
            )
    if layout.kerb:
        for y in (layout.right - 0.07, layout.left + 0.07):
            stone = meshes.box((450, 0.16, KERB_M + 0.02), 0.0)
            decor.put(
                "kerb",
                "pavement",
                painted(stone, "stone", (0.66, 0.65, 0.62)),
                (195, y, KERB_M / 2),
            )


def _marks(decor: Decor, layout: Layout) -> None:
    covered = decor.conditions.snow_cover
    parts = []
    for y, dash, gap, colour in layout.marks:
        worn = tuple(c * 0.94 for c in colour)
        if dash == 0:
            spans = [(-20.0, 260.0)]
        else:
            spans = [(x, x + dash) for x in np.arange(-18, 200, dash + gap)]
        for x0, x1 in spans:
            sheet = _sheet(x0, x1, y - 0.07, y + 0.07, 0.012, 1.0)
            parts.append(painted(sheet, f"mark{colour}", (worn[0], worn[1], worn[2])))
    if decor.conditions.place == "city_street":
        crossing = float(decor.rng.uniform(22, 50))
        for y in np.arange(layout.right + 0.5, layout.left - 0.4, 1.1):
            parts.append(
                painted(_sheet(crossing, crossing + 3.2, y, y + 0.55, 0.013, 1.0), "mark", WHITE)
            )
    if covered < 0.6:
        decor.put("marks", "road_mark", meshes.join(parts), (0.0, 0.0, 0.0))


def _repairs(decor: Decor, layout: Layout) -> None:
    """Patches of newer asphalt and manhole covers."""
    rng = decor.rng
    if decor.conditions.snow_cover > 0.4:
        return
    parts = []
    for _ in range(7):
        x, y = rng.uniform(3, 90), rng.uniform(layout.right + 1, layout.left - 1)
        length, width = rng.uniform(1, 6), rng.uniform(0.6, 1.6)
        tone = float(rng.uniform(0.2, 0.32))
        parts.append(
            painted(
                _sheet(x, x + length, y - width / 2, y + width / 2, 0.005, 1.0),
                f"patch{tone:.2f}",
                (tone, tone, tone * 1.03),
            )
        )
    for _ in range(4):
        x, y = rng.uniform(4, 60), rng.uniform(-1.5, 5)
        parts.append(
            moved(painted(meshes.disc(0.34, 14), "cover", (0.17, 0.17, 0.18)), (x, y, 0.007))
        )
    decor.put("repairs", "road", meshes.join(parts), (0.0, 0.0, 0.0))


GREENS: tuple[Colour, ...] = (
    (0.29, 0.45, 0.18),
    (0.36, 0.49, 0.2),
    (0.25, 0.41, 0.22),
    (0.44, 0.5, 0.2),
)
AUTUMN: tuple[Colour, ...] = (
    (0.72, 0.42, 0.12),
    (0.78, 0.56, 0.16),
    (0.6, 0.28, 0.14),
    (0.5, 0.5, 0.2),
)


def _tree(decor: Decor, x: float, y: float, scale: float = 1.0, conifer: bool = False) -> None:
    rng = decor.rng
    season = AUTUMN if decor.setup.decor_seed % 5 == 3 and not conifer else GREENS
    base = season[int(rng.integers(len(season)))]
    tone = float(rng.uniform(0.88, 1.1))
    leaf = (base[0] * tone, base[1] * tone, base[2] * tone)
    dark, light = _scaled(leaf, 0.84), _scaled(leaf, 1.14)
    seed, heading = int(rng.integers(8)), float(rng.uniform(0, 6.3))
    if conifer:
        needle = _scaled((0.2, 0.33, 0.2), tone)
        decor.put(
            "spruce",
            "vegetation",
            scenery.conifer(seed, detail_at(x, y)),
            (x, y, 0.0),
            heading,
            scale,
            needle=needle,
            needle_dark=_scaled(needle, 0.85),
        )
    else:
        decor.put(
            "tree",
            "vegetation",
            scenery.broadleaf(seed, detail_at(x, y)),
            (x, y, 0.0),
            heading,
            scale,
            leaf=leaf,
            leaf_dark=dark,
            leaf_light=light,
        )


def _scaled(colour: Colour, factor: float) -> Colour:
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def _lamp_posts(decor: Decor, y: float, left: bool, first: float, step: float, z: float) -> None:
    """Street lamps along a kerb; lit ones light the road when it is dark."""
    heading = -math.pi / 2 if left else math.pi / 2
    reach = -1.6 if left else 1.6
    for x in np.arange(first, 120, step):
        decor.put("lamp", "pole", scenery.street_lamp(), (float(x), y, z), heading)
        if decor.dark:
            head = (float(x), y + reach, z + 6.55)
            bulb = Solid("box", (0.18, 0.6, 0.05), rgba=(1.0, 0.86, 0.6, 1.0), emission=1.0)
            decor.props.append(
                Prop("bulb", "light", (bulb,), Pose((head[0], head[1], head[2]), 0.0))
            )
            glow = 1.5 if x < 70 else 0.0
            if x < 75:
                decor.lamps.append(
                    Lamp(
                        (head[0], head[1], head[2] - 0.1),
                        _scaled((0.95, 0.68, 0.36), 1.0 if decor.night else 0.45),
                        17.0,
                        glow_m=glow,
                    )
                )


def _residential(decor: Decor, layout: Layout) -> None:
    """Houses in gardens behind fences and hedges, trees along the pavements."""
    rng = decor.rng
    for left in (True, False):
        line = layout.left + layout.pavement if left else layout.right - layout.pavement
        out = 1.0 if left else -1.0
        x = BEHIND_M + float(rng.uniform(0, 8))
        while x < 150:
            bays, floors = int(rng.integers(3, 6)), int(rng.integers(2, 4))
            house = houses.House(
                surface=f"facade_{'abc'[int(rng.integers(3))]}",
                bays=bays,
                floors=floors - (1 if rng.uniform() < 0.4 else 0),
                depth_m=float(rng.uniform(8, 10.5)),
                roof="gable" if rng.uniform() < 0.6 else "hip",
                roof_colour=houses.ROOFS[int(rng.integers(4))],
                door=houses.DOORS[int(rng.integers(4))],
                shine=decor.dark,
                seed=int(rng.integers(1000)),
            )
            half = house.width_m / 2
            setback = float(rng.uniform(4.0, 7.0))
            decor.props.append(
                houses.building(
                    f"house {x:.0f}", house, (x + half, line + out * setback, 0.0), left
                )
            )
            plot = house.width_m + float(rng.uniform(3.0, 7.0))
            _garden(decor, x - 1.5, plot, line, out, setback)
            x += plot
        for tree_x in np.arange(float(rng.uniform(4, 12)), 130, 15.0):
            y = line - out * 0.2 + float(rng.uniform(-0.2, 0.2))
            jitter = float(rng.uniform(-2.5, 2.5))
            if decor.free(tree_x + jitter, y, 0.8):
                _tree(decor, tree_x + jitter, y, float(rng.uniform(0.7, 1.0)))
        _lamp_posts(
            decor, line - out * (layout.pavement - 0.35), left, 11.0 if left else 26.0, 30.0, KERB_M
        )
        _parked(decor, layout, left, 0.55)
        _walkers(decor, line - out * layout.pavement / 2, 3)
    _backdrop_trees(decor, 46, 30)
    decor.put(
        "sign",
        "sign",
        scenery.sign("round", (0.93, 0.93, 0.92), (0.75, 0.1, 0.1))[1],
        (19.0, layout.right - 0.5, KERB_M),
    )
    decor.put(
        "sign post",
        "pole",
        scenery.sign("round", WHITE, WHITE)[0],
        (19.0, layout.right - 0.5, KERB_M),
    )


def _garden(decor: Decor, x: float, plot: float, line: float, out: float, setback: float) -> None:
    rng = decor.rng
    edge = int(rng.integers(4))
    middle, length = x + plot / 2, round((plot - 2.4) / 2) * 2.0
    at = (middle + 1.0, line + out * 0.3, 0.0)
    if edge == 0:
        decor.put(
            "fence",
            "barrier",
            scenery.picket_fence(length),
            at,
            wood=((0.88, 0.87, 0.83), (0.5, 0.36, 0.25))[int(rng.integers(2))],
        )
    elif edge == 1:
        decor.put(
            "hedge",
            "vegetation",
            scenery.hedge(length, int(rng.integers(4))),
            at,
            leaf=GREENS[int(rng.integers(4))],
        )
    elif edge == 2:
        decor.put("wall", "barrier", scenery.low_wall(length), at)
    for _ in range(int(rng.integers(2, 5))):
        bx, by = (
            x + float(rng.uniform(1, plot)),
            line + out * float(rng.uniform(1.0, setback - 0.8)),
        )
        decor.put(
            "bush",
            "vegetation",
            scenery.bush(int(rng.integers(6)), detail_at(bx, by)),
            (bx, by, 0.0),
            float(rng.uniform(0, 6)),
            float(rng.uniform(0.6, 1.1)),
            leaf=GREENS[int(rng.integers(4))],
            leaf_light=GREENS[1],
        )
    if rng.uniform() < 0.6:
        _tree(
            decor,
            x + plot - 1.5,
            line + out * float(rng.uniform(2, setback + 3)),
            float(rng.uniform(0.7, 1.15)),
            conifer=rng.uniform() < 0.3,
        )
    if rng.uniform() < 0.5:
        decor.put("bin", "other", scenery.bin_(), (x + 0.8, line - out * 0.3, KERB_M))


def _backdrop_trees(decor: Decor, distance: float, count: int) -> None:
    """A belt of trees behind the houses and across the end of the street."""
    rng = decor.rng
    for k in range(count):
        if k % 3 == 0:
            x, y = float(rng.uniform(150, 185)), float(rng.uniform(-45, 50))
        else:
            x, y = (
                float(rng.uniform(0, 160)),
                float(rng.choice([-1, 1])) * (distance * 0.62 + float(rng.uniform(0, 12))),
            )
        _tree(decor, x, y + 2, float(rng.uniform(1.2, 1.8)), conifer=rng.uniform() < 0.35)


def _city(decor: Decor, layout: Layout) -> None:
    """Wall to wall fronts of different heights with shops below, and a cross street's end."""
    rng = decor.rng
    for left in (True, False):
        line = layout.left + layout.pavement if left else layout.right - layout.pavement
        out = 1.0 if left else -1.0
        x = BEHIND_M
        while x < 175:
            house = _city_house(decor)
            decor.props.append(
                houses.building(
                    f"building {x:.0f}", house, (x + house.width_m / 2, line, KERB_M), left
                )
            )
            x += house.width_m
            if rng.uniform() < 0.12:
                x += 9.0
        _lamp_posts(
            decor, line - out * (layout.pavement - 0.5), left, 14.0 if left else 24.0, 24.0, KERB_M
        )
        for tree_x in np.arange(float(rng.uniform(6, 14)), 120, 18.0):
            y = line - out * (layout.pavement - 1.0)
            if decor.free(tree_x, y, 1.0) and rng.uniform() < 0.75:
                _tree(decor, tree_x, y, float(rng.uniform(0.72, 0.92)))
        _street_furniture(decor, line, out, layout)
        _parked(decor, layout, left, 0.6)
        _walkers(decor, line - out * layout.pavement / 2, 7)
    for k in range(5):
        house = _city_house(decor, tall=2)
        decor.props.append(
            houses.building(f"end {k}", house, (196.0, -34.0 + 17 * k, 0.0), left=True)
        )
        last = decor.props[-1]
        decor.props[-1] = Prop(
            last.name, last.class_name, last.solids, Pose(last.pose.position_m, -math.pi / 2)
        )
    _signals(decor, layout)


def _city_house(decor: Decor, tall: int = 0) -> houses.House:
    rng = decor.rng
    high = int(rng.choice([3, 4, 5, 6, 8, 11], p=[0.12, 0.24, 0.24, 0.2, 0.12, 0.08])) + tall
    return houses.House(
        surface=f"facade_{'abc'[int(rng.choice(3, p=[0.3, 0.35, 0.35]))]}",
        bays=int(rng.integers(3, 7)),
        floors=high,
        depth_m=float(rng.uniform(10, 14)),
        roof="flat" if high > 4 or rng.uniform() < 0.6 else "hip",
        roof_colour=houses.ROOFS[int(rng.integers(4))],
        shops=True,
        door=houses.DOORS[int(rng.integers(4))],
        shine=decor.dark,
        seed=int(rng.integers(1000)),
    )


def _street_furniture(decor: Decor, line: float, out: float, layout: Layout) -> None:
    rng = decor.rng
    kerb = line - out * (layout.pavement - 0.6)
    for _ in range(5):
        x = float(rng.uniform(5, 80))
        choice = int(rng.integers(4))
        if not decor.free(x, kerb, 1.0):
            continue
        if choice == 0:
            decor.put("bin", "other", scenery.bin_(), (x, kerb, KERB_M))
        elif choice == 1:
            decor.put(
                "bench", "other", scenery.bench(), (x, line - out * 1.2, KERB_M), -out * math.pi / 2
            )
        elif choice == 2:
            decor.put("hydrant", "other", scenery.hydrant(), (x, kerb, KERB_M))
        else:
            decor.put(
                "bus stop",
                "other",
                scenery.bus_stop(),
                (x, line - out * 1.6, KERB_M),
                -out * math.pi / 2,
            )


def _signals(decor: Decor, layout: Layout) -> None:
    x = float(decor.rng.uniform(26, 54))
    post = scenery.traffic_light()
    for y in (layout.right - 0.45, layout.left + 0.45):
        decor.put("signal", "light", post, (x, y, KERB_M))
        shown = int(decor.rng.integers(3))
        colour = ((1.0, 0.2, 0.12, 1.0), (1.0, 0.72, 0.15, 1.0), (0.25, 1.0, 0.5, 1.0))[shown]
        lens = Solid("sphere", (0.06, 0.2, 0.2), rgba=colour, emission=1.0)
        at = (x - 0.22, y, KERB_M + 3.48 - 0.28 * shown)
        decor.props.append(Prop("lens", "light", (lens,), Pose(at, 0.0)))
        if decor.dark:
            decor.lamps.append(
                Lamp(
                    at,
                    _scaled((colour[0], colour[1], colour[2]), 0.7),
                    0.0,
                    (-1.0, 0.0, 0.0),
                    math.pi,
                    0.6,
                )
            )


def _highway(decor: Decor, layout: Layout) -> None:
    """Two lanes our way, a median, two lanes towards us; rails, signs, embankments, far hills."""
    rng = decor.rng
    median = layout.left + 1.3
    far = (median + 1.3, median + 1.3 + 10.4)
    _surface(decor, "road", "road", "road", _sheet(-30, 420, far[0], far[1], 0.0, ROAD_TILE_M))
    lines = [(far[0] + 0.4, 0.0), (far[0] + 4.2, 6.0), (far[0] + 8.0, 0.0)]
    parts = []
    for y, dash in lines:
        spans = (
            [(-20.0, 260.0)] if dash == 0 else [(x, x + dash) for x in np.arange(-15, 200, 15.0)]
        )
        parts += [
            painted(_sheet(a, b, y - 0.07, y + 0.07, 0.012, 1.0), "mark", WHITE) for a, b in spans
        ]
    if decor.conditions.snow_cover < 0.6:
        decor.put("far marks", "road_mark", meshes.join(parts), (0.0, 0.0, 0.0))
    if decor.setup.decor_seed % 2:
        decor.put("median", "barrier", scenery.concrete_barrier(220.0), (95.0, median, 0.0))
    else:
        for y in (median - 0.5, median + 0.5):
            decor.put("median", "barrier", scenery.guard_rail(220.0), (95.0, y, 0.0))
    decor.put(
        "rail", "barrier", scenery.guard_rail(220.0), (95.0, layout.right - 0.7, 0.0), math.pi
    )
    for x in np.arange(0, 150, 25.0):
        decor.put("delineator", "pole", scenery.delineator(), (float(x), layout.right - 1.1, 0.0))
    _gantry(decor, float(rng.uniform(55, 110)), layout)
    _verges(decor, layout.right - 6, far[1] + 5, 26, 0.5)
    for k in range(int(rng.integers(1, 4))):
        side = bool(rng.integers(2))
        house = houses.House(
            f"facade_{'abc'[k % 3]}",
            int(rng.integers(6, 12)),
            int(rng.integers(2, 4)),
            16.0,
            "flat",
            houses.ROOFS[1],
            shine=decor.dark,
            seed=int(rng.integers(99)),
        )
        y = (
            far[1] + float(rng.uniform(22, 45))
            if side
            else layout.right - float(rng.uniform(24, 45))
        )
        decor.props.append(
            houses.building(f"hall {k}", house, (float(rng.uniform(60, 160)), y, 0.0), side)
        )
    if rng.uniform() < 0.4:
        wall = moved(meshes.box((160, 0.3, 3.2)), (0, 0, 1.6))
        solid = Solid(
            "mesh",
            None,
            mesh=Mesh(
                wall.vertices,
                wall.normals,
                wall.uv / 6.4,
                wall.roles,
                wall.shade,
                wall.names,
                wall.colours,
            ),
            surface="facade_b",
        )
        decor.props.append(
            Prop("noise wall", "building", (solid,), Pose((95.0, layout.right - 5.5, 0.0), 0.0))
        )
    _horizon(decor, 18.0)


def _gantry(decor: Decor, x: float, layout: Layout) -> None:
    """A sign bridge over our carriageway with blue or green boards."""
    right, left = layout.right - 1.6, layout.left + 1.3
    legs = [moved(meshes.box((0.3, 0.3, 6.6)), (0, y, 3.3)) for y in (right, left)]
    beam = moved(meshes.box((0.35, left - right, 0.5)), (0, (left + right) / 2, 6.5))
    decor.put(
        "gantry",
        "pole",
        painted(meshes.join([*legs, beam]), "metal", (0.5, 0.52, 0.54)),
        (x, 0.0, 0.0),
    )
    board = ((0.1, 0.28, 0.56), (0.07, 0.36, 0.24))[decor.setup.decor_seed % 2]
    parts = []
    for y, wide in ((-0.4, 3.6), (3.6, 3.6)):
        parts.append(
            painted(
                moved(meshes.box((0.1, wide, 2.0), 0.04), (-0.25, y, 6.6)),
                "rim",
                (0.93, 0.93, 0.92),
            )
        )
        parts.append(
            painted(moved(meshes.box((0.04, wide - 0.16, 1.84)), (-0.3, y, 6.6)), "board", board)
        )
        for z, length in ((7.05, 0.62), (6.55, 0.45)):
            parts.append(
                painted(
                    moved(meshes.box((0.03, wide * length, 0.24)), (-0.33, y + 0.2, z)),
                    "letters",
                    (0.95, 0.95, 0.93),
                )
            )
        arrow = moved(meshes.box((0.03, 0.16, 0.5)), (-0.33, y, 5.98))
        parts.append(painted(arrow, "letters", (0.95, 0.95, 0.93)))
    decor.put("boards", "sign", meshes.join(parts), (x, 0.0, 0.0))


def _country(decor: Decor, layout: Layout) -> None:
    """Fields, fences, a wood's edge, a barn, poles, hills."""
    rng = decor.rng
    wooded = rng.uniform() < 0.5
    _verges(
        decor, layout.right - 4.5, layout.left + 4.5, 60 if wooded else 26, 0.6 if wooded else 0.25
    )
    for side, y in ((-1, layout.right - 3.2), (1, layout.left + 3.4)):
        if rng.uniform() < 0.7:
            decor.put("fence", "barrier", scenery.wire_fence(150.0), (66.0, y, 0.0))
        for x in np.arange(float(rng.uniform(5, 20)), 140, 34.0):
            if side == 1:
                decor.put("pole", "pole", scenery.utility_pole(), (float(x), y + 2.2, 0.0))
    for x in np.arange(4, 140, 22.0):
        for y in (layout.right - 0.9, layout.left + 0.9):
            decor.put("delineator", "pole", scenery.delineator(), (float(x), y, 0.0))
    for k in range(int(rng.integers(1, 4))):
        left = bool(rng.integers(2))
        house = houses.House(
            f"facade_{'abc'[int(rng.integers(3))]}",
            int(rng.integers(3, 6)),
            int(rng.integers(1, 3)),
            9.0,
            "gable",
            houses.ROOFS[int(rng.integers(4))],
            shine=decor.dark,
            seed=int(rng.integers(99)),
        )
        y = (
            layout.left + float(rng.uniform(10, 20))
            if left
            else layout.right - float(rng.uniform(10, 20))
        )
        decor.props.append(
            houses.building(f"farm {k}", house, (float(rng.uniform(35, 130)), y, 0.0), left)
        )
    if rng.uniform() < 0.5:
        decor.put(
            "wall",
            "barrier",
            scenery.low_wall(40.0, 0.8),
            (float(rng.uniform(25, 60)), layout.right - 2.4, 0.0),
        )
    face, rim = (0.95, 0.93, 0.86), (0.78, 0.1, 0.1)
    post, plate = scenery.sign("triangle", face, rim)
    at = (float(rng.uniform(16, 40)), layout.right - 1.2, 0.0)
    decor.put("sign", "sign", plate, at)
    decor.put("sign post", "pole", post, at)
    _tufts(decor, layout)
    _horizon(decor, 26.0)


def _tufts(decor: Decor, layout: Layout) -> None:
    rng = decor.rng
    for _ in range(70):
        x = float(rng.uniform(2, 45))
        y = (
            layout.right - layout.pavement - float(rng.uniform(0, 5))
            if rng.uniform() < 0.5
            else layout.left + layout.pavement + float(rng.uniform(0, 5))
        )
        decor.put(
            "grass",
            "vegetation",
            scenery.grass_tuft(),
            (x, y, -0.05),
            float(rng.uniform(0, 6)),
            float(rng.uniform(0.6, 1.3)),
            leaf=GREENS[int(rng.integers(4))],
        )


def _verges(decor: Decor, right: float, left: float, count: int, conifers: float) -> None:
    """Trees and bushes scattered on both sides, thicker in groups."""
    rng = decor.rng
    groups = rng.uniform(0, 170, 6)
    for _ in range(count):
        out = float(rng.choice([-1, 1]))
        x = float(np.clip(rng.choice(groups) + rng.normal(0, 14), 2, 185))
        y = (left if out > 0 else right) + out * abs(float(rng.normal(2, 11)))
        if rng.uniform() < 0.72:
            _tree(decor, x, y, float(rng.uniform(0.9, 1.7)), conifer=rng.uniform() < conifers)
        else:
            decor.put(
                "bush",
                "vegetation",
                scenery.bush(int(rng.integers(6)), detail_at(x, y)),
                (x, y, 0.0),
                0.0,
                float(rng.uniform(0.8, 1.8)),
                leaf=GREENS[int(rng.integers(4))],
                leaf_light=GREENS[1],
            )


def _horizon(decor: Decor, height: float) -> None:
    """Ridges behind one another."""
    seed = decor.setup.decor_seed % 1000
    decor.put(
        "ridge",
        "terrain",
        scenery.hills(seed, 520.0, height * 2.4),
        (0.0, 0.0, 0.0),
        hill=(0.42, 0.52, 0.5),
    )
    decor.put(
        "near ridge",
        "vegetation",
        scenery.hills(seed + 1, 330.0, height),
        (0.0, 0.0, 0.0),
        hill=(0.3, 0.4, 0.24),
    )


PLACES = {
    "residential_street": _residential,
    "city_street": _city,
    "highway": _highway,
    "country_road": _country,
}


def _parked(decor: Decor, layout: Layout, left: bool, share: float) -> None:
    rng = decor.rng
    y = layout.left - 1.1 if left else -3.2
    for x in np.arange(float(rng.uniform(2, 6)), 110, 6.2):
        if rng.uniform() > share:
            continue
        heading = math.pi if left else 0.0
        if rng.uniform() < 0.12:
            decor.extra("van", "truck", (5.2, 2.0, 2.3), float(x), y, heading)
        else:
            length = float(rng.uniform(3.9, 4.7))
            decor.extra(
                "car",
                "car",
                (length, 1.78, 1.46 if rng.uniform() < 0.7 else 1.68),
                float(x),
                y,
                heading,
            )


def _walkers(decor: Decor, y: float, count: int) -> None:
    rng = decor.rng
    for _ in range(count):
        x, off = float(rng.uniform(5, 70)), float(rng.uniform(-0.6, 0.6))
        ahead = bool(rng.integers(2))
        speed = 1.3 if ahead else -1.3
        size = (0.4, 0.55, float(rng.uniform(1.58, 1.86)))
        decor.extra(
            "pedestrian",
            "person",
            size,
            x,
            y + off,
            0.0 if ahead else math.pi,
            (speed, 0.0, 0.0),
            up=KERB_M,
        )


def _traffic(decor: Decor, layout: Layout, place: str) -> None:
    """Oncoming and leading vehicles, as many as `traffic` says."""
    rng, busy = decor.rng, decor.setup.traffic
    speed = {"highway": 27.0, "country_road": 19.0}.get(place, 10.0)
    lanes = [(3.5, math.pi, -speed)]
    if place == "highway":
        lanes = [(12.55, math.pi, -speed), (16.3, math.pi, -speed * 0.85), (3.5, 0.0, speed * 1.05)]
    for y, heading, velocity in lanes:
        x = float(rng.uniform(12, 45))
        while x < 150:
            if rng.uniform() < busy * 0.8:
                _vehicle(decor, x, y, heading, velocity)
            x += float(rng.uniform(14, 40))
    if rng.uniform() < busy * 0.8:
        hazards = [
            each.box.centre_m[0] for each in decor.setup.objects if abs(each.box.centre_m[1]) < 2
        ]
        nearest = min(hazards, default=200.0)
        _vehicle(decor, max(nearest + 18, 45.0) + float(rng.uniform(0, 30)), 0.0, 0.0, speed)


def _vehicle(decor: Decor, x: float, y: float, heading: float, velocity: float) -> None:
    kind = str(
        decor.rng.choice(
            ["car", "van", "truck", "bus", "motorcycle"], p=[0.7, 0.1, 0.1, 0.06, 0.04]
        )
    )
    size, class_name = {
        "car": ((4.4, 1.8, 1.48), "car"),
        "van": ((5.2, 2.0, 2.3), "truck"),
        "truck": ((7.5, 2.4, 3.2), "truck"),
        "bus": ((10.0, 2.5, 3.1), "bus"),
        "motorcycle": ((2.1, 0.7, 1.55), "two_wheeler"),
    }[kind]
    decor.extra(kind, class_name, size, x, y, heading, (velocity, 0.0, 0.0))


def _ego_lights(decor: Decor) -> None:
    """The two headlamps of the ego, dipped."""
    strength = 1.5 if decor.night else 0.35
    for y in (-0.65, 0.65):
        aim = (1.0, -0.02 if y > 0 else -0.05, -0.045)
        decor.lamps.append(
            Lamp((1.6, y, 0.75), _scaled((1.0, 0.95, 0.82), strength), 52.0, aim, 0.36)
        )


MATERIALS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "residential_street": {
        "road": ("asphalt", "cracked_asphalt", "dark_asphalt"),
        "pavement": ("slabs", "paving", "red_paving"),
        "terrain": ("grass",),
        "facade_a": ("brick_front", "brown_front"),
        "facade_b": ("plaster_front", "beige_front", "mint_front"),
        "facade_c": ("yellow_front", "blue_front", "rose_front"),
    },
    "city_street": {
        "road": ("dark_asphalt", "asphalt"),
        "pavement": ("paving", "slabs"),
        "terrain": ("slabs", "paving"),
        "facade_a": ("glass_front", "steel_front"),
        "facade_b": ("concrete_front", "beige_front", "plaster_front"),
        "facade_c": ("brick_front", "brown_front", "rose_front", "yellow_front"),
    },
    "highway": {
        "road": ("asphalt", "light_road", "dark_asphalt"),
        "pavement": ("gravel",),
        "terrain": ("dry_grass", "meadow", "grass"),
        "facade_a": ("concrete_front",),
        "facade_b": ("noise_barrier",),
        "facade_c": ("metal_panels",),
    },
    "country_road": {
        "road": ("cracked_asphalt", "asphalt"),
        "pavement": ("gravel",),
        "terrain": ("meadow", "dry_grass", "soil"),
        "facade_a": ("planks", "red_planks"),
        "facade_b": ("stone_wall",),
        "facade_c": ("brick_front", "plaster_front"),
    },
}
"""What each surface may be made of, by place."""

VARIANTS = 6
"""Seeds per texture: a bank this small is drawn once per process."""


def _textures(decor: Decor, place: str) -> dict[str, Image]:
    rng = np.random.default_rng([decor.setup.decor_seed, 5])
    covered = decor.conditions.snow_cover
    chosen: dict[str, Image] = {}
    for surface, names in MATERIALS[place].items():
        name, seed = names[int(rng.integers(len(names)))], int(rng.integers(VARIANTS))
        if covered > 0.3 and surface in ("terrain", "pavement"):
            name = "snow"
        if covered > 0.55 and surface == "road":
            name = "snowy_road"
        chosen[surface] = texture(name, seed, lit=decor.dark and surface.startswith("facade"))
    return chosen


def light_of(conditions: Conditions, seed: int) -> tuple[Lighting, Weather, Grade]:
    """Sun, sky, air and mood of the hour and the weather."""
    elevation = max(conditions.sun_elevation_rad, math.radians(7))
    azimuth = conditions.sun_azimuth_rad
    level = math.cos(elevation)
    direction = (-level * math.cos(azimuth), -level * math.sin(azimuth), -math.sin(elevation))
    mood = MOODS[conditions.time_of_day]
    clear = 1 - min(1.0, conditions.cloud * 1.25)
    grey = 1 - clear
    sky = _mixed(mood.sky, _scaled(mood.overcast, 0.9), grey)
    sun = _scaled(mood.sun, clear)
    ground = _scaled(sky, 0.55) if conditions.snow_cover < 0.3 else _scaled(sky, 0.8)
    lighting = Lighting(
        direction,
        sun,
        sky,
        _mixed(ground, _scaled(sun, 0.45), 0.3),
        exposure=mood.exposure * (1 + 0.18 * grey if conditions.time_of_day == "day" else 1.0),
        contact=0.72 if grey > 0.5 else 0.6,
    )
    fog = _mixed(mood.haze, mood.overcast_haze, grey)
    weather = Weather(
        visibility_m=min(conditions.visibility_m, mood.visibility_m),
        fog_colour=fog,
        rain=conditions.rain,
        snow=conditions.snow,
        wetness=conditions.wetness,
        snow_cover=conditions.snow_cover,
        seed=seed,
    )
    return lighting, weather, mood.grade


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    r, g, b = (a + (c - a) * share for a, c in zip(one, other, strict=True))
    return r, g, b


@dataclass(frozen=True)
class Mood:
    """The colours of an hour; `zenith`, `middle`, `horizon` paint its clear sky, `under` its clouds."""

    sun: Colour
    sky: Colour
    overcast: Colour
    haze: Colour
    overcast_haze: Colour
    zenith: Colour
    middle: Colour
    horizon: Colour
    cloud: Colour
    under: Colour
    exposure: float
    visibility_m: float
    grade: Grade


MOODS: Mapping[str, Mood] = {
    "day": Mood(
        sun=(0.86, 0.79, 0.66),
        sky=(0.44, 0.49, 0.58),
        overcast=(0.78, 0.81, 0.86),
        haze=(0.74, 0.82, 0.89),
        overcast_haze=(0.73, 0.76, 0.79),
        zenith=(0.25, 0.47, 0.76),
        middle=(0.47, 0.67, 0.87),
        horizon=(0.8, 0.87, 0.91),
        cloud=(0.98, 0.98, 0.97),
        under=(0.73, 0.77, 0.82),
        exposure=1.04,
        visibility_m=2400,
        grade=Grade(1.08, 1.1, (1.01, 1.0, 0.98), 0.12, 0.12),
    ),
    "dusk": Mood(
        sun=(0.92, 0.48, 0.2),
        sky=(0.4, 0.36, 0.48),
        overcast=(0.46, 0.44, 0.52),
        haze=(0.8, 0.52, 0.4),
        overcast_haze=(0.47, 0.42, 0.48),
        zenith=(0.2, 0.22, 0.45),
        middle=(0.62, 0.38, 0.48),
        horizon=(0.99, 0.62, 0.32),
        cloud=(0.96, 0.52, 0.4),
        under=(0.42, 0.32, 0.45),
        exposure=0.8,
        visibility_m=1500,
        grade=Grade(1.08, 1.12, (1.03, 0.98, 1.0), 0.3, 0.18),
    ),
    "dawn": Mood(
        sun=(0.9, 0.62, 0.42),
        sky=(0.44, 0.46, 0.58),
        overcast=(0.58, 0.58, 0.66),
        haze=(0.86, 0.75, 0.75),
        overcast_haze=(0.62, 0.62, 0.68),
        zenith=(0.34, 0.47, 0.7),
        middle=(0.68, 0.66, 0.78),
        horizon=(0.99, 0.79, 0.68),
        cloud=(0.99, 0.82, 0.78),
        under=(0.62, 0.58, 0.7),
        exposure=0.88,
        visibility_m=1100,
        grade=Grade(1.04, 1.08, (1.02, 0.99, 1.01), 0.25, 0.14),
    ),
    "night": Mood(
        sun=(0.0, 0.0, 0.0),
        sky=(0.34, 0.4, 0.58),
        overcast=(0.36, 0.38, 0.48),
        haze=(0.06, 0.075, 0.13),
        overcast_haze=(0.1, 0.1, 0.13),
        zenith=(0.015, 0.025, 0.07),
        middle=(0.035, 0.055, 0.13),
        horizon=(0.1, 0.11, 0.19),
        cloud=(0.12, 0.12, 0.17),
        under=(0.06, 0.065, 0.1),
        exposure=0.32,
        visibility_m=900,
        grade=Grade(1.06, 1.08, (1.0, 1.0, 1.03), 0.4, 0.2),
    ),
}


def sky_image(conditions: Conditions, seed: int, fog: Colour) -> Image:
    """The sky of the hour with clouds (256, 512), horizon in the bottom row."""
    mood = MOODS[conditions.time_of_day]
    height, width = 256, 512
    up = np.linspace(1, 0, height, dtype=np.float32)[:, None, None]
    zenith, middle, horizon = (
        np.asarray(c, np.float32) for c in (mood.zenith, mood.middle, mood.horizon)
    )
    low = np.clip(up / 0.38, 0, 1) ** 0.8
    high = np.clip((up - 0.25) / 0.75, 0, 1)
    sky = horizon + (middle - horizon) * low
    sky = sky + (zenith - sky) * high
    sky = np.broadcast_to(sky, (height, width, 3)).copy()
    _sun_glow(sky, conditions, mood)
    if conditions.time_of_day == "night":
        _stars(sky, seed, conditions.cloud)
    _clouds(sky, conditions, mood, seed, fog)
    image = np.clip(sky * 255 + 0.5, 0, 255).astype(np.uint8)
    return image


def _sun_glow(sky: np.ndarray, conditions: Conditions, mood: Mood) -> None:
    if conditions.time_of_day == "night":
        return
    height, width = sky.shape[:2]
    turn = abs(((0.25 - conditions.sun_azimuth_rad / math.pi) % 1.0) * 2 - 1)
    column = (1 - turn) * width
    row = height * (1 - max(conditions.sun_elevation_rad, 0.04) / math.radians(45))
    if abs(math.remainder(conditions.sun_azimuth_rad, 2 * math.pi)) > math.radians(75):
        return
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    away = np.hypot(rows - row, (columns - column) * 0.5)
    glow = np.exp(-away / 60) * 0.55 + np.exp(-((away / 9) ** 2)) * 1.2
    warm = np.minimum(np.asarray(mood.sun, np.float32) * 1.15 + 0.1, 1.0)
    sky += glow[..., None] * (1 - min(1.0, conditions.cloud * 1.2)) * (warm - 0.35 * sky)


def _stars(sky: np.ndarray, seed: int, cloud: float) -> None:
    rng = np.random.default_rng([seed, 3])
    count = int(260 * (1 - cloud))
    rows, columns = rng.integers(0, 230, count), rng.integers(0, sky.shape[1], count)
    sky[rows, columns] += rng.uniform(0.15, 0.7, (count, 1)).astype(np.float32)


def _clouds(sky: np.ndarray, conditions: Conditions, mood: Mood, seed: int, fog: Colour) -> None:
    from hartsim.worlds.textures import noise

    height, width = sky.shape[:2]
    rng = np.random.default_rng([seed % 24, 9])
    field = noise(rng, 1.75, 1, 100)
    # clouds lie on a ceiling: towards the horizon they crowd together
    elevation = np.linspace(math.radians(45), math.radians(2.5), height, dtype=np.float32)
    distance = 1 / np.tan(elevation)
    rows = np.mod(distance * 24, 256).astype(np.intp)
    columns = (np.linspace(-0.5, 0.5, width)[None] * (60 + 26 * distance[:, None])).astype(
        np.intp
    ) % 256
    amount = np.clip(conditions.cloud * 1.35 + 0.22, 0, 1.25)
    cover = np.clip((field[rows[:, None], columns] + 2.2 * amount - 1.35) * 1.8, 0, 1)
    lit = np.clip(
        0.5 + 0.9 * (field[rows[:, None], columns] - field[(rows[:, None] + 5) % 256, columns]),
        0,
        1,
    )
    light, shade = np.asarray(mood.cloud, np.float32), np.asarray(mood.under, np.float32)
    if conditions.cloud > 0.5:
        haze = np.asarray(mood.overcast_haze, np.float32)
        light, shade = haze * 1.08, haze * 0.84
    tone = shade + (light - shade) * lit[..., None]
    fade = (
        np.clip((elevation / math.radians(6)) - 0.35, 0, 1)[:, None]
        if conditions.cloud < 0.5
        else np.ones((height, 1))
    )
    share = (cover * fade)[..., None]
    sky += (tone - sky) * share.astype(np.float32)
    near = np.exp(-np.linspace(height, 0, height, dtype=np.float32) / 26)[:, None, None]
    sky += (np.asarray(fog, np.float32) - sky) * near * 0.85


def instance_of(prop: Prop) -> Instance | None:
    """The instance that a prop shows, if labels count it."""
    return prop.instance
