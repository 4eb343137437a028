"""A street stage under construction, and the things that streets everywhere have beside them."""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from hartsim.scenario.compiled import Conditions, PlacedObject, WorldSetup
from hartsim.types import Box3D, Pose, Vector3
from hartsim.worlds import meshes
from hartsim.worlds.greenery import AUTUMN, GREENS
from hartsim.worlds.kits import kit_for
from hartsim.worlds.looks import coarse_at, detail_at
from hartsim.worlds.meshes import moved, painted
from hartsim.worlds.stage import Colour, Lamp, Mesh, Mirror, Prop, Puff, Solid
from hartsim.worlds.street_props import mirror_of, prop_of

KERB_M = 0.13
LIFT_M = 0.012
"""How far marks lie above the road: enough for the depth buffer, too little to see."""

WHITE: Colour = (0.86, 0.86, 0.83)
YELLOW: Colour = (0.86, 0.66, 0.2)
TAR: Colour = (0.13, 0.13, 0.14)
SODIUM: Colour = (0.95, 0.68, 0.36)
"""The light of street lamps."""

TURN_RAD = 0.6
"""How far the ego may turn before it sees what was modelled roughly."""

NEAREST_M = 5.0
"""How near the camera comes to what it drives up to; beside the road that leaves the view sooner,
at about twice its distance from the middle."""
MOST_COARSE = 0.1
"""The most that may be left out of a hazard, of its length: small ones count too."""
FAR_M, ASIDE_M = 50.0, 16.0
"""Farther than this beyond the goal, or beside the road, rough trees are mere clumps."""

Rng = np.random.Generator


@dataclass(frozen=True)
class Mark:
    """A painted line along the road: dash 0 is a solid one."""

    y_m: float
    dash_m: float = 0.0
    gap_m: float = 0.0
    colour: Colour = WHITE


@dataclass(frozen=True)
class Layout:
    """A place's cross-section: the road from `right` to `left`, and pavements outside it."""

    right: float
    left: float
    pavement: float
    marks: tuple[Mark, ...]
    kerb: bool = True

    def edge(self, left: bool) -> float:
        """The outer edge of the pavement on this side."""
        return self.left + self.pavement if left else self.right - self.pavement


class Decor:
    """Props, lamps and puffs as they are put, and the numbers of their instances.

    Chance comes in separate streams (`rng(name)`), so that another hazard does not move the houses.
    """

    def __init__(self, setup: WorldSetup, sharpness: float = 1.0) -> None:
        self.setup, self._sharpness, self.kit = setup, sharpness, kit_for(sharpness)
        self.props: list[Prop] = []
        self.lamps: list[Lamp] = []
        self.puffs: list[Puff] = []
        self.mirrors: list[Mirror] = []
        self._taken: list[tuple[float, float, float]] = []

    def detail(self, x: float, y: float) -> int:
        """How finely to model what stands here: roughly where no camera looks, even at a turn."""
        bearing = math.atan2(y, x)
        for camera in self.setup.cameras:
            aside = abs(math.remainder(bearing - camera.yaw_rad, 2 * math.pi))
            if aside < camera.fov_rad / 2 + TURN_RAD or math.hypot(x, y) < 4:
                return detail_at(x, y, self._sharpness)
        return 0

    @property
    def conditions(self) -> Conditions:
        """Place, weather and time of day."""
        return self.setup.conditions

    @property
    def dark(self) -> bool:
        """Whether lamps are lit."""
        return self.conditions.time_of_day != "day"

    @property
    def night(self) -> bool:
        """Whether no light is left in the sky."""
        return self.conditions.time_of_day == "night"

    @property
    def bare(self) -> bool:
        """Whether the ground shows; else snow hides marks and repairs."""
        return self.conditions.snow_cover < 0.55

    def rng(self, name: str) -> Rng:
        """A stream of chance of its own for this purpose."""
        return np.random.default_rng([self.setup.decor_seed, *name.encode()])

    def put(
        self,
        class_name: str,
        mesh: Mesh,
        at: Vector3,
        heading_rad: float = 0.0,
        scale: float = 1.0,
        **colours: Colour,
    ) -> None:
        """Set a still thing that labels do not count."""
        solid = Solid("mesh", None, mesh=mesh, colours=colours, scale=scale)
        self.add(class_name, (solid,), at, heading_rad)

    def add(
        self, class_name: str, solids: Sequence[Solid], at: Vector3, heading_rad: float = 0.0
    ) -> None:
        """Set still solids that labels do not count."""
        name, pose = f"decor {len(self.props)}", Pose(at, heading_rad)
        # rough plants have their snow on already
        snowable = not (self.kit.is_rough and class_name == "vegetation")
        self.props.append(Prop(name, class_name, tuple(solids), pose, snowable=snowable))

    def place(
        self, placed: PlacedObject, velocity_mps: Vector3 = (0.0, 0.0, 0.0), parked: bool = False
    ) -> None:
        """Set an object that labels count; parked ones have their lamps off."""
        number = len(self._taken) + 1
        x, y, _ = placed.box.centre_m
        seed = zlib.crc32(f"{self.setup.decor_seed} {x:.1f} {y:.1f}".encode()) % 9973
        prop, puffs, lamps = prop_of(
            placed, number, self.dark and not parked, seed, self.detail(x, y)
        )
        coarse_m = coarse_at(max(NEAREST_M, 2 * abs(y)), self._sharpness)
        if placed.hazard:
            coarse_m = min(coarse_m, MOST_COARSE * max(placed.box.size_m))
        self.props.append(replace(prop, velocity_mps=velocity_mps, coarse_m=coarse_m))
        self.puffs += puffs
        self.lamps += lamps
        mirror = mirror_of(placed, seed)
        self.mirrors += [mirror] if mirror else []
        self._taken.append((x, y, math.hypot(*placed.box.size_m[:2]) / 2))

    def free(self, x: float, y: float, reach_m: float) -> bool:
        """Whether nothing countable stands within reach of this spot."""
        return all(math.hypot(x - a, y - b) > reach_m + r for a, b, r in self._taken)

    def extra(
        self,
        kind: str,
        class_name: str,
        box: Box3D,
        velocity_mps: Vector3 = (0.0, 0.0, 0.0),
        parked: bool = False,
    ) -> None:
        """Set an object that the scenario does not name, if its spot is free."""
        x, y, _ = box.centre_m
        if self.free(x, y, 0.45 * math.hypot(*box.size_m[:2])):
            name = f"decor {kind} {len(self._taken) + 1}"
            placed = PlacedObject(name, kind, class_name, False, (), box)
            self.place(placed, velocity_mps, parked)


def scaled(colour: Colour, factor: float) -> Colour:
    """The colour brightened or darkened."""
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def pick(rng: Rng, colours: Sequence[Colour]) -> Colour:
    """One of the colours."""
    return colours[int(rng.integers(len(colours)))]


def paint_marks(decor: Decor, marks: Sequence[Mark]) -> None:
    """Lines along the road, unless snow hides them."""
    if not decor.bare:
        return
    for colour in sorted({mark.colour for mark in marks}):
        spans = []
        for mark in marks:
            if mark.colour != colour:
                continue
            period = mark.dash_m + mark.gap_m if mark.dash_m else 280.0
            length = mark.dash_m or 280.0
            for x in np.arange(-20, 200, period):
                spans.append((x, x + length, mark.y_m - 0.07, mark.y_m + 0.07))
        stripes = painted(meshes.rectangles(spans, LIFT_M), "mark", colour)
        decor.put("road_mark", stripes, (0.0, 0.0, 0.0))


def repair(decor: Decor, layout: Layout, town: bool) -> None:
    """What traffic and workmen leave on a road: patches, filled cracks, covers, wheel tracks.

    Roughly, cracks and covers are too small to show.
    """
    if not decor.bare:
        return
    rng = decor.rng("repairs")
    for tone in rng.uniform(0.24, 0.4, 2).tolist():
        spans = []
        for _ in range(3):
            x, y = rng.uniform(3, 90), rng.uniform(layout.right + 1, layout.left - 1)
            length, width = rng.uniform(1, 6), rng.uniform(0.6, 1.6)
            spans.append((x, x + length, y - width / 2, y + width / 2))
        _stain(decor, meshes.rectangles(spans, 0.005), (tone, tone, tone * 1.03), 0.45)
    lanes = [(-20, 260, y - 0.3, y + 0.3) for y in (-0.8, 0.8, 2.7, 4.3)]
    if decor.kit.is_rough:
        _stain(decor, meshes.rectangles(lanes, 0.004), (0.16, 0.16, 0.17), 0.07)
        return
    for _ in range(4):
        x, y = float(rng.uniform(3, 45)), float(rng.uniform(layout.right + 1, layout.left - 1))
        tar = Solid("mesh", None, rgba=(*TAR, 0.5), mesh=_crack(int(rng.integers(12))))
        decor.add("road", (tar,), (x, y, 0.007), float(rng.choice([0.0, 1.57, 3.14])))
    if town:
        rim = painted(meshes.disc(0.36, 16), "rim", (0.24, 0.24, 0.25))
        lid = painted(meshes.disc(0.3, 16), "lid", (0.38, 0.37, 0.36))
        cover = meshes.join([rim, moved(lid, (0.0, 0.0, 0.003))])
        for _ in range(4):
            x, y = float(rng.uniform(4, 60)), float(rng.uniform(-1.5, 5))
            decor.put("road", cover, (x, y, 0.008))
    _stain(decor, meshes.rectangles(lanes, 0.004), (0.16, 0.16, 0.17), 0.07)


def _stain(decor: Decor, mesh: Mesh, colour: Colour, opacity: float) -> None:
    """Lay a flat mesh on the road that lets some of it show through."""
    solid = Solid("mesh", None, rgba=(*colour, opacity), mesh=painted(mesh, "stain", colour))
    decor.add("road", (solid,), (0.0, 0.0, 0.0))


@lru_cache(maxsize=12)
def _crack(seed: int) -> Mesh:
    """A wandering line of tar along x, a few centimetres wide and up to four metres long.

    It thins out towards its ends.
    """
    rng = np.random.default_rng(seed)
    count = int(rng.integers(10, 19))
    heading = 0.8 * np.cumsum(rng.normal(0, 0.25, count))
    line = np.cumsum(0.22 * np.column_stack([np.cos(heading), np.sin(heading)]), axis=0)
    line -= line.mean(axis=0)
    width = 0.022 * np.sqrt(np.sin(np.linspace(0.02, math.pi - 0.02, count)))[:, None]
    side = width * np.column_stack([-np.sin(heading), np.cos(heading)])
    left, right = (np.column_stack([line + s, np.zeros(count)]) for s in (side, -side))
    corners = np.stack([right[:-1], right[1:], left[1:], left[:-1]], axis=1)
    return painted(meshes.quads(corners), "tar", TAR)


def plant_tree(
    decor: Decor, rng: Rng, x: float, y: float, scale: float, conifer: bool = False
) -> None:
    """A tree of a colour that suits the season; every fifth street is in autumn."""
    season = AUTUMN if decor.setup.decor_seed % 5 == 3 else GREENS
    leaf, seed, heading = pick(rng, season), int(rng.integers(8)), float(rng.uniform(0, 6.3))
    detail, snow = decor.detail(x, y), decor.conditions.snow_cover
    if decor.kit.is_rough:
        detail = int(x < decor.setup.goal_m + FAR_M and abs(y) < ASIDE_M)
    if conifer:
        solids = decor.kit.conifer(seed, detail, snow, scale)
    else:
        solids = decor.kit.broadleaf(seed, detail, leaf, snow, scale)
    decor.add("vegetation", solids, (x, y, 0.0), heading)


def plant_bush(decor: Decor, rng: Rng, x: float, y: float, scale: float) -> None:
    """A shrub."""
    leaf, seed, heading = pick(rng, GREENS), int(rng.integers(6)), float(rng.uniform(0, 6.3))
    snow = decor.conditions.snow_cover
    solids = decor.kit.bush(seed, decor.detail(x, y), leaf, snow, scale)
    decor.add("vegetation", solids, (x, y, 0.0), heading)


def lamp_posts(
    decor: Decor, y: float, left: bool, first_m: float, step_m: float, up_m: float
) -> None:
    """Street lamps along a kerb; in the dark they light the road."""
    reach = -1.6 if left else 1.6
    strength = 1.0 if decor.night else 0.42
    for x in np.arange(first_m, 110, step_m).tolist():
        decor.put("pole", decor.kit.street_lamp(), (x, y, up_m), math.copysign(math.pi / 2, reach))
        if decor.dark:
            head = (x, y + reach, up_m + 6.55)
            bulb = Solid("box", (0.2, 0.6, 0.06), rgba=(1.0, 0.88, 0.64, 1.0), emission=1.0)
            decor.add("light", (bulb,), head)
            light = Lamp(
                head,
                scaled(SODIUM, strength * 1.3),
                reach_m=16.0 if x < 55 else 0.0,
                aim=(0.0, 0.0, -1.0),
                cone_rad=1.45,
                glow_m=1.3 if x < 75 else 0.0,
            )
            decor.lamps.append(light)


def park_cars(decor: Decor, layout: Layout, left: bool, share: float) -> None:
    """Cars and a few vans along a kerb, their lamps off."""
    rng = decor.rng(f"parked {left}")
    y = layout.left - 1.1 if left else -3.2
    for x in np.arange(float(rng.uniform(2, 6)), 100, 6.2).tolist():
        there, van, tall = rng.uniform(size=3)
        length, skew = float(rng.uniform(3.9, 4.7)), float(rng.normal(0, 0.02))
        heading = (math.pi if left else 0.0) + skew
        if there > share:
            continue
        if van < 0.12:
            decor.extra("van", "truck", _standing((5.2, 2.0, 2.3), x, y, heading), parked=True)
        else:
            size = (length, 1.78, 1.46 if tall < 0.7 else 1.68)
            decor.extra("car", "car", _standing(size, x, y, heading), parked=True)


def walk_people(decor: Decor, y: float, count: int) -> None:
    """Passers-by along a pavement, in both directions."""
    rng = decor.rng(f"walkers {y:.1f}")
    for _ in range(count):
        x, off = float(rng.uniform(5, 65)), float(rng.uniform(-0.6, 0.6))
        height, ahead = float(rng.uniform(1.58, 1.86)), bool(rng.integers(2))
        box = _standing((0.4, 0.55, height), x, y + off, 0.0 if ahead else math.pi, KERB_M)
        decor.extra("pedestrian", "person", box, (1.3 if ahead else -1.3, 0.0, 0.0))


VEHICLES: Sequence[tuple[str, str, Vector3, float]] = (
    ("car", "car", (4.4, 1.8, 1.48), 0.7),
    ("van", "truck", (5.2, 2.0, 2.3), 0.1),
    ("truck", "truck", (7.5, 2.4, 3.2), 0.1),
    ("bus", "bus", (10.0, 2.5, 3.1), 0.06),
    ("motorcycle", "two_wheeler", (2.1, 0.7, 1.55), 0.04),
)
"""Kind, class, size and share of what drives about."""


@dataclass(frozen=True)
class Lane:
    """A lane with traffic: where it is, and how fast it drives, negative towards the ego."""

    y_m: float
    speed_mps: float


def drive_traffic(decor: Decor, lanes: Sequence[Lane]) -> None:
    """As many vehicles in these lanes as the setup's `traffic` asks for."""
    for lane in lanes:
        rng = decor.rng(f"traffic {lane.y_m}")
        x = float(rng.uniform(12, 45))
        while x < 150:
            there, which, gap = rng.uniform(size=3)
            if there < decor.setup.traffic * 0.8:
                _vehicle(decor, x, lane, float(which))
            x += 14 + 26 * float(gap)


def lead_vehicle(decor: Decor, speed_mps: float) -> None:
    """Perhaps someone in the ego's own lane, beyond its hazards."""
    rng = decor.rng("leading")
    there, which, gap = rng.uniform(size=3)
    ahead = [
        placed.box.centre_m[0]
        for placed in decor.setup.objects
        if abs(placed.box.centre_m[1]) < 2.5
    ]
    if there < decor.setup.traffic * 0.8:
        x = max(max(ahead, default=0.0) + 18, 45.0) + 30 * float(gap)
        _vehicle(decor, x, Lane(0.0, speed_mps), float(which))


def _vehicle(decor: Decor, x: float, lane: Lane, which: float) -> None:
    shares = np.cumsum([share for *_, share in VEHICLES])
    kind, class_name, size, _ = VEHICLES[min(int(np.searchsorted(shares, which)), 4)]
    heading = 0.0 if lane.speed_mps > 0 else math.pi
    box = _standing(size, x, lane.y_m, heading)
    decor.extra(kind, class_name, box, (lane.speed_mps, 0.0, 0.0))


def _standing(size_m: Vector3, x: float, y: float, heading_rad: float, up_m: float = 0.0) -> Box3D:
    return Box3D((x, y, up_m + size_m[2] / 2), size_m, heading_rad)
