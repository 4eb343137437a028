"""What a driving scene can place on the street: one function per catalogue kind.

Each turns a `PlacedObject` into solids in the frame of its footprint's centre on the ground (and
puffs in the world's frame), filling the object's box.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from hartsim.scenario.compiled import PlacedObject
from hartsim.types import Instance, Pose, Vector3
from hartsim.worlds import figures, meshes, vehicles
from hartsim.worlds.meshes import join, moved, painted, shaded
from hartsim.worlds.motion import STILL, carried
from hartsim.worlds.solids import srgb
from hartsim.worlds.stage import Colour, Lamp, Mesh, Prop, Puff, Solid

PAINTS: tuple[Colour, ...] = (
    (0.86, 0.87, 0.88),
    (0.16, 0.17, 0.19),
    (0.55, 0.57, 0.6),
    (0.63, 0.11, 0.1),
    (0.12, 0.26, 0.5),
    (0.2, 0.36, 0.3),
    (0.78, 0.72, 0.6),
    (0.85, 0.62, 0.16),
    (0.36, 0.12, 0.2),
    (0.3, 0.46, 0.62),
)
CLOTHES: tuple[Colour, ...] = (
    (0.78, 0.2, 0.16),
    (0.2, 0.34, 0.62),
    (0.9, 0.74, 0.2),
    (0.24, 0.46, 0.32),
    (0.15, 0.16, 0.19),
    (0.87, 0.86, 0.82),
    (0.5, 0.5, 0.52),
    (0.88, 0.46, 0.14),
    (0.5, 0.28, 0.48),
    (0.36, 0.58, 0.66),
)
TROUSERS: tuple[Colour, ...] = (
    (0.2, 0.25, 0.38),
    (0.14, 0.14, 0.16),
    (0.42, 0.37, 0.3),
    (0.3, 0.31, 0.33),
)
SKINS: tuple[Colour, ...] = (
    (0.9, 0.72, 0.6),
    (0.8, 0.6, 0.46),
    (0.6, 0.42, 0.3),
    (0.42, 0.28, 0.2),
)
HAIRS: tuple[Colour, ...] = (
    (0.12, 0.09, 0.08),
    (0.34, 0.22, 0.13),
    (0.68, 0.52, 0.3),
    (0.55, 0.54, 0.53),
)


@dataclass(frozen=True)
class Look:
    """How an object appears beyond its kind: its paint, whether lamps burn, and a seed for the rest."""

    colour: Colour | None
    lights_on: bool
    seed: int
    detail: int = 2

    def pick(self, options: tuple[Colour, ...], salt: int = 0) -> Colour:
        """One of the options by the seed."""
        return options[(self.seed * 7 + salt * 13 + self.seed // 5) % len(options)]


Solids = list[Solid]
Maker = Callable[[Vector3, Look], Solids]


def _fitted(
    mesh: Mesh, size_m: Vector3, colours: Mapping[str, Colour], gloss: float = 0.1
) -> Solid:
    return Solid(
        "mesh", size_m, (0.0, 0.0, size_m[2] / 2), mesh=mesh, colours=colours, specular=gloss
    )


def _vehicle(mesh: Mesh, size_m: Vector3, look: Look, colour: Colour) -> Solids:
    """A vehicle at its size; with its lamps on, head and tail lights shine."""
    solids = [_fitted(mesh, size_m, {"paint": colour}, 0.4)]
    if not look.lights_on:
        return solids
    low, high = meshes.bounds(mesh)
    scale = np.asarray(size_m) / (high - low)
    for role, light, size, ahead in LIGHTS:
        for place in vehicles.light_places(mesh, role):
            x, y, z = (np.asarray(place) * scale).tolist()
            solids.append(_bulb((size, size * 2, size), (x + ahead, y, z), light))
    return solids


LIGHTS: tuple[tuple[str, Colour, float, float], ...] = (
    ("head", (1.0, 0.97, 0.86), 0.16, 0.04),
    ("tail", (1.0, 0.16, 0.1), 0.13, -0.04),
)
"""Role, colour, size in metres, and how far it stands out, of the lights that shine at night."""


def _bulb(size_m: Vector3, at: Vector3, light: Colour) -> Solid:
    ball = meshes.icosphere(0)
    return Solid("mesh", size_m, at, mesh=ball, colours={"paint": light}, emission=1.0)


def _car(size_m: Vector3, look: Look) -> Solids:
    tall = size_m[2] / size_m[0]
    name = "suv" if tall > 0.37 else ("sedan", "hatch", "suv", "sedan")[look.seed % 4]
    return _vehicle(vehicles.car(name, look.detail), size_m, look, look.colour or look.pick(PAINTS))


def _van(size_m: Vector3, look: Look) -> Solids:
    return _vehicle(
        vehicles.car("van", look.detail), size_m, look, look.colour or look.pick(PAINTS[:5])
    )


def _truck(size_m: Vector3, look: Look) -> Solids:
    box = ((0.88, 0.88, 0.86), (0.72, 0.3, 0.2), (0.3, 0.42, 0.55), (0.85, 0.76, 0.5))
    solids = _vehicle(vehicles.truck(), size_m, look, look.colour or look.pick(PAINTS))
    body = solids[0]
    return [replace(body, colours={**body.colours, "box": look.pick(box, 2)}), *solids[1:]]


def _bus(size_m: Vector3, look: Look) -> Solids:
    buses: tuple[Colour, ...] = (
        (0.72, 0.13, 0.11),
        (0.9, 0.72, 0.18),
        (0.14, 0.36, 0.5),
        (0.2, 0.45, 0.3),
    )
    return _vehicle(vehicles.bus(), size_m, look, look.colour or look.pick(buses))


def _motorcycle(size_m: Vector3, look: Look) -> Solids:
    helmet = look.colour or look.pick(PAINTS)
    rider = moved(figures.rider(0.55, 0.62, 1.02), (-0.15, 0.0, -0.08))
    mesh = join([vehicles.motorcycle(), rider])
    clothes = {"top": look.pick(CLOTHES, 3), "bottom": TROUSERS[1], "helmet": helmet}
    solids = _vehicle(mesh, size_m, look, helmet)
    return [replace(solids[0], colours={**solids[0].colours, **clothes}), *solids[1:]]


def _cyclist(size_m: Vector3, look: Look) -> Solids:
    mesh = join([vehicles.bicycle(), figures.rider(0.5, 0.6, 1.0)])
    colours = {
        "paint": look.pick(PAINTS, 1),
        "top": look.colour or look.pick(CLOTHES),
        "bottom": look.pick(TROUSERS, 1),
        "skin": look.pick(SKINS),
    }
    return [_fitted(mesh, size_m, colours)]


def _dressed(look: Look) -> dict[str, Colour]:
    return {
        "top": look.colour or look.pick(CLOTHES),
        "bottom": look.pick(TROUSERS, 1),
        "skin": look.pick(SKINS, 2),
        "hair": look.pick(HAIRS, 3),
        "bag": look.pick(CLOTHES, 4),
    }


def _person(gaits: tuple[str, ...], child: bool) -> Maker:
    def make(size_m: Vector3, look: Look) -> Solids:
        gait = gaits[look.seed % len(gaits)]
        mesh = figures.person(
            gait,
            child,
            skirt=look.seed % 3 == 1 and not child,
            bag=look.seed % 4 == 2,
            detail=look.detail,
        )
        low, high = meshes.bounds(mesh)
        # limbs reach as far as the gait has them; only the height is the box's
        scale = size_m[2] / float(high[2] - low[2])
        return [Solid("mesh", None, mesh=moved(mesh, scale=scale), colours=_dressed(look))]

    return make


def _deer(size_m: Vector3, look: Look) -> Solids:
    furs: tuple[Colour, ...] = ((0.55, 0.38, 0.24), (0.48, 0.33, 0.22), (0.62, 0.45, 0.3))
    mesh = figures.deer(antlers=look.seed % 3 != 0)
    scale = size_m[0] / 1.65
    return [Solid("mesh", None, mesh=moved(mesh, scale=scale), colours={"fur": look.pick(furs)})]


def _dog(size_m: Vector3, look: Look) -> Solids:
    furs: tuple[Colour, ...] = ((0.58, 0.42, 0.26), (0.16, 0.14, 0.13), (0.82, 0.76, 0.66))
    return [_fitted(figures.dog(), size_m, {"fur": look.colour or look.pick(furs)})]


def _boxes(size_m: Vector3, look: Look) -> Solids:
    """Cardboard boxes fallen over one another, one torn open."""
    rng = np.random.default_rng(look.seed)
    length, width, height = size_m
    places = (
        (-0.22, -0.2, 0.0),
        (0.25, -0.12, 0.0),
        (-0.05, 0.28, 0.0),
        (0.02, 0.0, 0.52),
        (0.36, 0.36, 0.0),
    )
    solids: Solids = []
    for k, (x, y, z) in enumerate(places):
        side = (
            length * rng.uniform(0.3, 0.42),
            width * rng.uniform(0.34, 0.46),
            height * rng.uniform(0.42, 0.54),
        )
        brown = 0.9 + 0.16 * rng.uniform(-1, 1)
        colour = (0.7 * brown, 0.52 * brown, 0.34 * brown)
        at = (x * length, y * width, z * height + side[2] / 2)
        turned = (
            meshes.turn_z(rng.uniform(-0.7, 0.7)) if z == 0 else meshes.turn((0.6, 0.8, 0.0), 0.28)
        )
        solids.append(Solid("box", side, at, turned, (*colour, 1.0), bevel_m=0.015))
        tape = (side[0] * 1.004, side[1] * 0.14, side[2] * 1.004)
        solids.append(Solid("box", tape, at, turned, (0.82, 0.7, 0.5, 1.0)))
    return solids


def _lost_load(size_m: Vector3, look: Look) -> Solids:
    """Planks strewn about two broken crates."""
    rng = np.random.default_rng(look.seed)
    length, width, height = size_m
    solids: Solids = []
    for k in range(11):
        tone = rng.uniform(0.8, 1.15)
        plank = (length * rng.uniform(0.55, 0.85), 0.16, 0.045)
        at = (
            rng.uniform(-0.16, 0.16) * length,
            rng.uniform(-0.42, 0.42) * width,
            0.03 + 0.045 * (k % 4),
        )
        turned = meshes.turn_z(rng.uniform(-0.5, 0.5))
        solids.append(Solid("box", plank, at, turned, (0.72 * tone, 0.54 * tone, 0.34 * tone, 1.0)))
    for x, y, angle in ((-0.22, 0.1, 0.4), (0.25, -0.15, -0.3)):
        crate = _crate((length * 0.3, width * 0.42, height * 0.92))
        solids.append(
            Solid("mesh", None, (x * length, y * width, 0.0), meshes.turn_z(angle), mesh=crate)
        )
    return solids


def _crate(size_m: Vector3) -> Mesh:
    """A slatted wooden crate standing on the ground."""
    x, y, z = size_m
    parts = [moved(meshes.box((x * 0.9, y * 0.9, z * 0.94)), (0, 0, z / 2))]
    inner = painted(parts[0], "inside", (0.3, 0.22, 0.14))
    slats = []
    for k in range(4):
        level = z * (k + 0.5) / 4
        slats += [
            moved(meshes.box((x, 0.03, z * 0.18)), (0, side * y / 2, level)) for side in (-1, 1)
        ]
        slats += [
            moved(meshes.box((0.03, y, z * 0.18)), (side * x / 2, 0, level)) for side in (-1, 1)
        ]
    slats += [
        moved(meshes.box((0.07, 0.07, z)), (sx * x / 2, sy * y / 2, z / 2))
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    slats += [moved(meshes.box((x, y * 0.2, 0.03)), (0, side * y * 0.36, z)) for side in (-1, 0, 1)]
    return join([inner, shaded(painted(join(slats), "wood", (0.66, 0.48, 0.3)), 0.8, 1.0)])


def _tyre(size_m: Vector3, look: Look) -> Solids:
    profile = [
        (0.29, -0.5),
        (0.46, -0.5),
        (0.5, -0.3),
        (0.5, 0.3),
        (0.46, 0.5),
        (0.29, 0.5),
        (0.26, 0.2),
        (0.26, -0.2),
        (0.29, -0.5),
    ]
    ring = meshes.lathe(profile, 20, crease_deg=35)
    keep = painted(ring, "tyre", (0.09, 0.09, 0.095))
    if look.seed % 2:
        rim = painted(meshes.cylinder(0.28, 0.5, 14), "rim", (0.5, 0.51, 0.53))
        keep = join([keep, rim])
    return [_fitted(keep, size_m, {}, 0.3)]


def _rock(size_m: Vector3, look: Look) -> Solids:
    stones: tuple[Colour, ...] = ((0.5, 0.48, 0.45), (0.56, 0.51, 0.44), (0.42, 0.42, 0.43))
    rng = np.random.default_rng(look.seed)
    big = meshes.blob(look.seed, (1, 1, 1), 0.4, 3, crease_deg=28)
    solids = [
        _fitted(shaded(painted(big, "stone", GREY), 0.6, 1.0), size_m, {"stone": look.pick(stones)})
    ]
    for k in range(4):
        a, small = rng.uniform(0, 6.3), rng.uniform(0.1, 0.2) * size_m[0]
        at = (0.52 * size_m[0] * math.cos(a), 0.52 * size_m[1] * math.sin(a), small * 0.3)
        chip = meshes.blob(look.seed + k, (1, 1, 0.7), 0.4, 0, crease_deg=28)
        solids.append(
            Solid(
                "mesh",
                (small, small, small * 0.7),
                at,
                mesh=chip,
                colours={"paint": look.pick(stones)},
            )
        )
    return solids


GREY: Colour = (0.5, 0.5, 0.5)


def _fallen_tree(size_m: Vector3, look: Look) -> Solids:
    """A trunk along x with branches and leaves at its far end, roots at the other."""
    rng = np.random.default_rng(look.seed)
    length, width, height = size_m
    thick = min(0.24, height * 0.22)
    trunk = meshes.tube(
        [(-length / 2, 0, thick), (0, 0.05, thick * 1.1), (length / 2, -0.05, thick * 1.4)],
        (thick, thick * 0.85, thick * 0.4),
        9,
    )
    parts = [shaded(painted(trunk, "bark", (0.38, 0.29, 0.22)), 0.7, 1.0)]
    cut = moved(
        meshes.cylinder(thick * 0.97, 0.02, 9),
        (-length / 2 - 0.005, 0, thick),
        meshes.turn((0.0, 1.0, 0.0), math.pi / 2),
    )
    parts.append(painted(cut, "wood", (0.74, 0.6, 0.42)))
    for k in range(9):
        x = length * rng.uniform(-0.1, 0.46)
        side = rng.uniform(-1, 1)
        tip = (x + 0.5, side * width * 0.46, height * rng.uniform(0.35, 0.85))
        parts.append(
            painted(meshes.tube([(x, 0, thick), tip], (0.06, 0.02), 5), "bark", (0.38, 0.29, 0.22))
        )
        leaf = meshes.blob(look.seed * 11 + k, (0.95, width * 0.5, height * 0.55), 0.34)
        tone = ("leaf", "leaf_dark")[k % 2]
        parts.append(
            moved(
                shaded(painted(leaf, tone, (0.28, 0.43, 0.2)), 0.55, 1.0),
                (tip[0], tip[1] * 0.75, max(tip[2], height * 0.32)),
            )
        )
    return [_fitted(join(parts), size_m, {"leaf_dark": (0.22, 0.36, 0.17)})]


def cone_mesh() -> Mesh:
    """A traffic cone, 0.75 m tall, with two white bands."""
    base = moved(meshes.box((0.4, 0.4, 0.05), 0.02), (0, 0, 0.025))
    bands = (
        (0.05, 0.16, 0.26, 0.128),
        (0.26, 0.128, 0.38, 0.1),
        (0.38, 0.1, 0.48, 0.08),
        (0.48, 0.08, 0.6, 0.053),
        (0.6, 0.053, 0.75, 0.025),
    )
    parts = [painted(base, "base", (0.12, 0.12, 0.13))]
    for k, (z0, r0, z1, r1) in enumerate(bands):
        ring = meshes.lathe([(r0, z0), (r1, z1)], 12)
        parts.append(
            painted(ring, ("cone", "white")[k % 2], ((0.93, 0.36, 0.07), (0.94, 0.94, 0.92))[k % 2])
        )
    return join(parts)


def _cones(size_m: Vector3, look: Look) -> Solids:
    """A row of cones that cuts across the box from corner to corner, one of them fallen."""
    length, width, height = size_m
    mesh = cone_mesh()
    count = max(3, round(math.hypot(length, width) / 0.8))
    solids = []
    scale = height / 0.75
    for k in range(count):
        t = k / (count - 1) - 0.5
        at = (t * (length - 0.4), -t * (width - 0.4), 0.0)
        turned = meshes.turn_z(0.4 * k)
        if k == 1 and look.seed % 3 == 0:
            at, turned = (at[0], at[1], 0.17 * scale), meshes.turn((0.0, 1.0, 0.0), 1.45)
        solids.append(Solid("mesh", None, at, turned, mesh=moved(mesh, scale=scale)))
    return solids


def _barrier(size_m: Vector3, look: Look) -> Solids:
    """A red and white barrier across y or x, whichever its box is longer in."""
    length, width, height = size_m
    along_x = length >= width
    span, thick = (length, width) if along_x else (width, length)
    parts = []
    for level in (0.82, 0.5):
        count = 8
        for k in range(count):
            x = -span / 2 + (k + 0.5) * span / count
            board = moved(meshes.box((span / count, 0.06, height * 0.22)), (x, 0, height * level))
            parts.append(
                painted(
                    board, ("red", "white")[k % 2], ((0.8, 0.12, 0.1), (0.94, 0.93, 0.9))[k % 2]
                )
            )
    for x in (-span * 0.42, span * 0.42):
        parts.append(
            painted(
                moved(meshes.box((0.07, 0.07, height)), (x, 0, height / 2)),
                "post",
                (0.32, 0.33, 0.35),
            )
        )
        parts.append(
            painted(
                moved(meshes.box((0.12, thick, 0.1), 0.03), (x, 0, 0.05)),
                "foot",
                (0.16, 0.16, 0.17),
            )
        )
    mesh = join(parts)
    turned = meshes.turn_z(0.0 if along_x else math.pi / 2)
    lamps = [
        Solid(
            "sphere",
            (0.16, 0.12, 0.18),
            (x, 0.0, height + 0.08),
            rgba=(1.0, 0.66, 0.12, 1.0),
            emission=float(look.lights_on),
        )
        for x in (-span * 0.42, span * 0.42)
    ]
    body = Solid("mesh", None, (0.0, 0.0, 0.0), turned, mesh=mesh)
    if along_x:
        return [body, *lamps]
    return [
        body,
        *(
            replace(lamp, position_m=(0.0, lamp.position_m[0], lamp.position_m[2]))
            for lamp in lamps
        ),
    ]


def _stain(edge: Colour, middle: Colour, gloss: float, layers: int = 3) -> Maker:
    """A flat irregular patch, changing colour towards its middle."""

    def make(size_m: Vector3, look: Look) -> Solids:
        solids: Solids = []
        for k in range(layers):
            share = 1 - 0.24 * k
            t = k / max(layers - 1, 1)
            r, g, b = (e + (m - e) * t for e, m in zip(edge, middle, strict=True))
            patch = meshes.disc(0.5, 28, wobble=look.seed)
            at = (0.0, 0.0, 0.012 + 0.004 * k)
            solids.append(
                Solid(
                    "mesh",
                    (size_m[0] * share, size_m[1] * share, 0.0),
                    at,
                    rgba=(r, g, b, 1.0),
                    mesh=painted(patch, "patch", (r, g, b)),
                    specular=gloss,
                )
            )
        return solids

    return make


def _pothole(size_m: Vector3, look: Look) -> Solids:
    """A broken edge, a dark hole, and crumbs of asphalt round it."""
    rng = np.random.default_rng(look.seed)
    solids = _stain((0.5, 0.49, 0.47), (0.09, 0.085, 0.08), 0.0, 4)(size_m, look)
    for _ in range(9):
        a, reach = rng.uniform(0, 6.3), rng.uniform(0.42, 0.6)
        at = (reach * size_m[0] * math.cos(a), reach * size_m[1] * math.sin(a), 0.03)
        bit = float(rng.uniform(0.05, 0.12))
        crumb = meshes.blob(int(rng.integers(99)), (1, 1, 0.6), 0.4, 0, crease_deg=20)
        solids.append(
            Solid(
                "mesh", (bit, bit, bit * 0.6), at, mesh=crumb, colours={"paint": (0.28, 0.28, 0.28)}
            )
        )
    return solids


def _nothing(size_m: Vector3, look: Look) -> Solids:
    return []


MAKERS: Mapping[str, Maker] = {
    "child": _person(("running", "walking"), child=True),
    "pedestrian": _person(("walking", "walking", "standing"), child=False),
    "adult": _person(("standing", "walking"), child=False),
    "cyclist": _cyclist,
    "motorcycle": _motorcycle,
    "deer": _deer,
    "dog": _dog,
    "cardboard_boxes": _boxes,
    "lost_load": _lost_load,
    "tyre": _tyre,
    "rock": _rock,
    "fallen_tree": _fallen_tree,
    "traffic_cones": _cones,
    "barrier": _barrier,
    "stopped_car": _car,
    "burning_car": _car,
    "car": _car,
    "van": _van,
    "truck": _truck,
    "bus": _bus,
    "pothole": _pothole,
    "oil_spill": _stain((0.1, 0.1, 0.12), (0.17, 0.13, 0.22), 0.6),
    "puddle": _stain((0.25, 0.28, 0.3), (0.34, 0.4, 0.45), 0.6),
    "smoke": _nothing,
}
"""How each catalogue kind is made; the keys are what the street can draw."""

VEHICLES = frozenset({"car", "van", "truck", "bus", "motorcycle"})
UNSNOWED = frozenset({"person", "animal", "two_wheeler", "cone", "water", "surface_hazard"})


def prop_of(
    placed: PlacedObject, number: int, dark: bool, seed: int
) -> tuple[Prop, list[Puff], list[Lamp]]:
    """A placed object as prop, smoke and lamps; `number` becomes its instance id."""
    instance = Instance(
        number, placed.name, placed.kind, placed.class_name, placed.hazard, placed.tags, placed.box
    )
    lights_on = dark and placed.kind in {*VEHICLES, "stopped_car", "barrier"}
    colour = srgb(placed.colour) if placed.colour is not None else None
    x, y, z = placed.box.centre_m
    look = Look(
        _charred(colour) if placed.kind == "burning_car" else colour,
        lights_on,
        seed,
        detail_at(x, y),
    )
    pose = Pose((x, y, z - placed.box.size_m[2] / 2), placed.box.heading_rad)
    prop = Prop(
        placed.name,
        placed.class_name,
        tuple(MAKERS[placed.kind](placed.box.size_m, look)),
        pose,
        instance,
        snowable=placed.class_name not in UNSNOWED,
    )
    puffs, lamps = _smoking(placed, instance, seed)
    return prop, puffs, [*lamps, *_headlamps(prop, pose)]


def detail_at(x: float, y: float) -> int:
    """How finely to model what stands here: 2 near the ego, 0 far away."""
    away = math.hypot(x, y)
    return 2 if away < 16 else 1 if away < 38 else 0


def _charred(colour: Colour | None) -> Colour:
    r, g, b = colour or (0.3, 0.28, 0.26)
    return (0.1 + 0.35 * r, 0.1 + 0.33 * g, 0.1 + 0.3 * b)


def _headlamps(prop: Prop, pose: Pose) -> list[Lamp]:
    """Halos of the lights that shine, each towards the end of the vehicle where it is."""
    lamps = []
    for solid in prop.solids:
        if solid.emission > 0.5:
            light = solid.colours["paint"]
            forward = math.copysign(1.0, solid.position_m[0])
            c, s = math.cos(pose.heading_rad), math.sin(pose.heading_rad)
            place = carried(solid.position_m, STILL, pose)
            aim = (c * forward, s * forward, 0.0)
            r, g, b = (0.55 * each for each in light)
            halo_m = 0.9 if g > 0.4 else 0.45
            lamps.append(Lamp(place, (r, g, b), 0.0, aim, math.pi / 2, halo_m, carrier=prop.name))
    return lamps


def _smoking(placed: PlacedObject, instance: Instance, seed: int) -> tuple[list[Puff], list[Lamp]]:
    rng = np.random.default_rng(seed)
    x, y, z = placed.box.centre_m
    length, width, height = placed.box.size_m
    if placed.kind == "smoke":
        return _cloud(rng, instance, (x, y, z), (length, width, height)), []
    if placed.kind != "burning_car":
        return [], []
    c, s = math.cos(placed.box.heading_rad), math.sin(placed.box.heading_rad)
    hood = (x + 1.2 * c, y + 1.2 * s, 1.1)
    puffs = []
    for k in range(16):
        rise = k / 15
        at = (
            hood[0] + rng.normal(0, 0.25) + rise * 0.8,
            hood[1] + rng.normal(0, 0.3) + rise * 1.6,
            hood[2] + 0.7 + rise * 5.5,
        )
        grey = 0.1 + 0.13 * rise
        puffs.append(
            Puff(at, 0.7 + 1.5 * rise, (grey, grey, grey * 1.03), 0.8 - 0.4 * rise, 0.0, instance)
        )
    for k in range(12):
        at = (
            hood[0] + rng.normal(0, 0.4) * c,
            hood[1] + rng.normal(0, 0.32),
            hood[2] + abs(rng.normal(0.1, 0.4)),
        )
        flame: Colour = ((1.0, 0.52, 0.1), (1.0, 0.74, 0.26), (0.98, 0.34, 0.06))[k % 3]
        puffs.append(Puff(at, float(rng.uniform(0.22, 0.5)), flame, 0.8, 1.0, instance))
    return puffs, [Lamp((hood[0], hood[1], 2.0), (1.2, 0.5, 0.14), 14.0)]


def _cloud(
    rng: np.random.Generator, instance: Instance, centre: Vector3, size: Vector3
) -> list[Puff]:
    puffs = []
    for _ in range(22):
        x, y, z = rng.uniform(-0.36, 0.36, 3) * size
        grey = float(rng.uniform(0.5, 0.72))
        at = (centre[0] + x, centre[1] + y, max(0.3, centre[2] + z))
        puffs.append(
            Puff(
                at,
                float(rng.uniform(0.24, 0.4)) * min(size),
                (grey, grey, grey * 1.02),
                0.6,
                0.0,
                instance,
            )
        )
    return puffs
