"""What a driving scene can place on the street: one maker per catalogue kind.

`prop_of` turns a `PlacedObject` into a prop whose solids stand about the middle of its footprint
and fill its box, with the smoke and the halos of lamps that belong to it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from hartsim.scenario.compiled import PlacedObject
from hartsim.types import Instance, Pose, Vector3
from hartsim.worlds import (
    animals,
    emergency,
    figures,
    hazards,
    heavy,
    herds,
    lost_loads,
    lost_things,
    machines,
    meshes,
    riders,
    road_failures,
    road_surfaces,
    roadworks,
    species,
    vehicles,
    veils,
    walkers,
    wrecks,
)
from hartsim.worlds.hazards import AMBER
from hartsim.worlds.looks import (
    CLOTHES,
    HAIRS,
    PAINTS,
    SKINS,
    TROUSERS,
    Look,
    Maker,
    srgb,
)
from hartsim.worlds.meshes import join, moved
from hartsim.worlds.motion import STILL, carried
from hartsim.worlds.stage import Colour, Lamp, Mesh, Mirror, Prop, Puff, Solid

Solids = list[Solid]

LIGHTS: tuple[tuple[str, Colour, float, float], ...] = (
    ("head", (1.0, 0.97, 0.86), 0.16, 0.04),
    ("tail", (1.0, 0.16, 0.1), 0.13, -0.04),
)
"""Role, colour, size in metres, and how far it stands out, of the lights that shine at night."""

BUSES: tuple[Colour, ...] = (
    (0.72, 0.13, 0.11),
    (0.9, 0.72, 0.18),
    (0.14, 0.36, 0.5),
    (0.2, 0.45, 0.3),
)
CARGO: tuple[Colour, ...] = (
    (0.88, 0.88, 0.86),
    (0.72, 0.3, 0.2),
    (0.3, 0.42, 0.55),
    (0.85, 0.76, 0.5),
)
DEER: tuple[Colour, ...] = ((0.55, 0.38, 0.24), (0.48, 0.33, 0.22), (0.62, 0.45, 0.3))
DOGS: tuple[Colour, ...] = ((0.58, 0.42, 0.26), (0.16, 0.14, 0.13), (0.82, 0.76, 0.66))


def _fitted(
    mesh: Mesh, size_m: Vector3, colours: Mapping[str, Colour], gloss: float = 0.1
) -> Solid:
    at = (0.0, 0.0, size_m[2] / 2)
    return Solid("mesh", size_m, at, mesh=mesh, colours=colours, specular=gloss)


def _bulb(size_m: Vector3, at: Vector3, light: Colour) -> Solid:
    ball = meshes.icosphere(0)
    return Solid("mesh", size_m, at, mesh=ball, colours={"paint": light}, emission=1.0)


def _vehicle(mesh: Mesh, size_m: Vector3, look: Look, colour: Colour, **colours: Colour) -> Solids:
    """A vehicle at its size; with its lamps on, head and tail lights shine."""
    solids = [_fitted(mesh, size_m, {"paint": colour, **colours}, 0.4)]
    if not look.lights_on:
        return solids
    low, high = meshes.bounds(mesh)
    scale = np.asarray(size_m) / (high - low)
    for role, light, size, ahead in LIGHTS:
        for place in vehicles.light_places(mesh, role):
            x, y, z = (np.asarray(place) * scale).tolist()
            solids.append(_bulb((size, size * 2, size), (x + ahead, y, z), light))
    return solids


def _car(size_m: Vector3, look: Look) -> Solids:
    tall = size_m[2] / size_m[0] > 0.37
    name = "suv" if tall else ("sedan", "hatch", "suv", "sedan")[look.seed % 4]
    mesh = vehicles.car(name, look.detail)
    return _vehicle(mesh, size_m, look, look.colour or look.pick(PAINTS))


def _stopped_car(size_m: Vector3, look: Look) -> Solids:
    """A car with its hazard lights on, day and night."""
    solids = _car(size_m, look)
    half, side, level = size_m[0] / 2 - 0.06, size_m[1] * 0.41, size_m[2] * 0.52
    for x, y in ((-half, side), (-half, -side), (half, side), (half, -side)):
        solids.append(_bulb((0.12, 0.16, 0.1), (x, y, level), AMBER))
    return solids


def _dazzling_car(size_m: Vector3, look: Look) -> Solids:
    """A car with its high beams on, day and night."""
    return _car(size_m, replace(look, lights_on=True))


def _van(size_m: Vector3, look: Look) -> Solids:
    mesh = vehicles.car("van", look.detail)
    return _vehicle(mesh, size_m, look, look.colour or look.pick(PAINTS[:5]))


def _truck(size_m: Vector3, look: Look) -> Solids:
    colour = look.colour or look.pick(PAINTS)
    return _vehicle(vehicles.truck(), size_m, look, colour, box=look.pick(CARGO, 2))


def _bus(size_m: Vector3, look: Look) -> Solids:
    return _vehicle(vehicles.bus(), size_m, look, look.colour or look.pick(BUSES))


def _motorcycle(size_m: Vector3, look: Look) -> Solids:
    colour = look.colour or look.pick(PAINTS)
    worn = {"top": look.pick(CLOTHES, 3), "bottom": TROUSERS[1], "helmet": colour}
    return _vehicle(_ridden(vehicles.motorcycle), size_m, look, colour, **worn)


def _cyclist(size_m: Vector3, look: Look) -> Solids:
    colours = {"paint": look.pick(PAINTS, 1), **_dress(look)}
    return [_fitted(_ridden(vehicles.bicycle), size_m, colours)]


@lru_cache(maxsize=2)
def _ridden(machine: Callable[[], Mesh]) -> Mesh:
    """The two-wheeler with someone on it."""
    if machine is vehicles.bicycle:
        return join([machine(), figures.rider(0.5, 1.0)])
    return join([machine(), moved(figures.rider(0.55, 1.02), (-0.15, 0.0, -0.08))])


def _dress(look: Look) -> dict[str, Colour]:
    return {
        "top": look.colour or look.pick(CLOTHES),
        "bottom": look.pick(TROUSERS, 1),
        "skin": look.pick(SKINS, 2),
        "hair": look.pick(HAIRS, 3),
        "bag": look.pick(CLOTHES, 4),
    }


def _person(gaits: tuple[str, ...], child: bool) -> Maker:
    def make(size_m: Vector3, look: Look) -> Solids:
        gait, skirt = gaits[look.seed % len(gaits)], look.seed % 3 == 1 and not child
        mesh = figures.person(gait, child, skirt, look.seed % 4 == 2, look.detail)
        low, high = meshes.bounds(mesh)
        # limbs reach as far as the gait has them: only the height is the box's
        scale = size_m[2] / float(high[2] - low[2])
        return [Solid("mesh", None, mesh=mesh, colours=_dress(look), scale=scale)]

    return make


def _deer(size_m: Vector3, look: Look) -> Solids:
    mesh = animals.deer(antlers=look.seed % 3 != 0)
    scale = size_m[0] / animals.DEER_LENGTH_M
    return [Solid("mesh", None, mesh=mesh, colours={"fur": look.pick(DEER)}, scale=scale)]


def _dog(size_m: Vector3, look: Look) -> Solids:
    return [_fitted(animals.dog(), size_m, {"fur": look.colour or look.pick(DOGS)})]


def _only_smoke(size_m: Vector3, look: Look) -> Solids:
    return []


MAKERS: Mapping[str, Maker] = {
    "child": _person(("running", "walking"), child=True),
    "pedestrian": _person(("walking", "walking", "standing"), child=False),
    "adult": _person(("standing", "walking"), child=False),
    "cyclist": _cyclist,
    "motorcycle": _motorcycle,
    "deer": _deer,
    "dog": _dog,
    "cardboard_boxes": hazards.cardboard_boxes,
    "lost_load": hazards.lost_load,
    "tyre": hazards.tyre,
    "rock": hazards.rock,
    "fallen_tree": hazards.fallen_tree,
    "traffic_cones": hazards.traffic_cones,
    "barrier": hazards.barrier,
    "pothole": hazards.pothole,
    "oil_spill": hazards.stain((0.1, 0.1, 0.12), (0.17, 0.13, 0.22), gloss=0.6),
    "puddle": hazards.stain((0.25, 0.28, 0.3), (0.34, 0.4, 0.45), gloss=0.6),
    "stopped_car": _stopped_car,
    "burning_car": _car,
    "car": _car,
    "van": _van,
    "truck": _truck,
    "bus": _bus,
    "smoke": _only_smoke,
    **walkers.MAKERS,
    **riders.MAKERS,
    **species.MAKERS,
    **herds.MAKERS,
    **emergency.MAKERS,
    **heavy.MAKERS,
    **machines.MAKERS,
    **wrecks.MAKERS,
    **lost_things.MAKERS,
    **lost_loads.MAKERS,
    **road_surfaces.MAKERS,
    **road_failures.MAKERS,
    **roadworks.MAKERS,
    "high_beams": _dazzling_car,
    "tyre_spray": _truck,
    "dust_cloud": _only_smoke,
    "fog_bank": _only_smoke,
    "sun_glare": _only_smoke,
    **dict.fromkeys(veils.FILMS, _only_smoke),
}
"""How each catalogue kind is made; the keys are what the street can draw."""

UNSNOWED = frozenset({"person", "animal", "two_wheeler", "cone", "water", "surface_hazard"})


def prop_of(
    placed: PlacedObject, number: int, lights_on: bool, seed: int, detail: int
) -> tuple[Prop, list[Puff], list[Lamp]]:
    """A placed object as prop, smoke and lamps; `number` becomes its instance id.

    `detail` 0 to 3 says how finely to model it.
    """
    burns = placed.kind == "burning_car"
    colour = srgb(placed.colour) if placed.colour is not None else None
    x, y, z = placed.box.centre_m
    look = Look(_charred(colour) if burns else colour, lights_on and not burns, seed, detail)
    instance = Instance(
        number,
        placed.name,
        placed.kind,
        placed.class_name,
        placed.hazard,
        placed.tags,
        placed.box,
    )
    prop = Prop(
        placed.name,
        placed.class_name,
        tuple(MAKERS[placed.kind](placed.box.size_m, look)),
        Pose((x, y, z - placed.box.size_m[2] / 2), placed.box.heading_rad),
        instance,
        snowable=placed.class_name not in UNSNOWED,
    )
    puffs, lamps = _smoke(placed, instance, seed)
    return prop, puffs, [*lamps, *_halos(prop)]


DAZZLE: Colour = (0.9, 0.94, 1.0)
"""The light of high beams."""

MIRRORING = {"puddle": 0.95, "oil_spill": 0.5, "flooded_road": 0.8, "ice_patch": 0.6}
"""Kinds that mirror the scene, and how strongly."""


def mirror_of(placed: PlacedObject, seed: int) -> Mirror | None:
    """How a placed object mirrors what stands behind it, if it does."""
    if placed.kind not in MIRRORING:
        return None
    size, radii = placed.box.size_m[:2], hazards.patch_radii(seed)
    strength = MIRRORING[placed.kind]
    return Mirror(_foot(placed), placed.box.heading_rad, size, radii, strength)


def _charred(colour: Colour | None) -> Colour:
    r, g, b = colour or (0.3, 0.28, 0.26)
    return (0.1 + 0.35 * r, 0.1 + 0.33 * g, 0.1 + 0.3 * b)


BEACONS = frozenset({*emergency.MAKERS, *machines.MAKERS, "garbage_truck"})
"""Kinds whose lights on top shine to all sides."""


def _is_beacon(solid: Solid, instance: Instance) -> bool:
    return instance.kind in BEACONS and solid.position_m[2] > 0.6 * instance.box.size_m[2]


def _halos(prop: Prop) -> list[Lamp]:
    """Halos of the lights that shine, each towards the end of the vehicle where it is."""
    c, s = math.cos(prop.pose.heading_rad), math.sin(prop.pose.heading_rad)
    dazzling = prop.instance is not None and prop.instance.kind == "high_beams"
    lamps = []
    for solid in prop.solids:
        if solid.emission > 0.5:
            forward = math.copysign(1.0, solid.position_m[0])
            place = carried(solid.position_m, STILL, prop.pose)
            r, g, b = (0.55 * each for each in solid.colours["paint"])
            halo_m = 0.9 if b > 0.2 else 0.45
            aim = (c * forward, s * forward, 0.0)
            lamp = Lamp(place, (r, g, b), 0.0, aim, math.pi / 2, halo_m, carrier=prop.name)
            if prop.instance is not None and _is_beacon(solid, prop.instance):
                lamp = replace(lamp, aim=None, cone_rad=math.pi)
            if dazzling and forward > 0:
                lamp = replace(lamp, colour=DAZZLE, glow_m=0.85, dazzle=0.8)
            lamps.append(lamp)
    return lamps


def _smoke(placed: PlacedObject, instance: Instance, seed: int) -> tuple[list[Puff], list[Lamp]]:
    rng = np.random.default_rng(seed)
    if placed.kind == "smoke":
        return _cloud(rng, instance), []
    if placed.kind in veils.CLOUDS:
        return veils.CLOUDS[placed.kind](rng, instance), []
    if placed.kind == "burning_car":
        hood = carried((1.2, 0.0, 1.1), STILL, Pose(_foot(placed), placed.box.heading_rad))
        puffs = [*_column_of_smoke(rng, instance, hood), *_flames(rng, instance, hood)]
        return puffs, [Lamp((hood[0], hood[1], 2.0), (1.2, 0.5, 0.14), 14.0)]
    return [], []


def _foot(placed: PlacedObject) -> Vector3:
    x, y, z = placed.box.centre_m
    return x, y, z - placed.box.size_m[2] / 2


def _column_of_smoke(rng: np.random.Generator, instance: Instance, hood: Vector3) -> list[Puff]:
    """Black smoke that rises, widens, thins out and drifts to the left."""
    puffs = []
    for rise in np.linspace(0, 1, 16).tolist():
        x = hood[0] + float(rng.normal(0, 0.25)) + rise * 0.8
        y = hood[1] + float(rng.normal(0, 0.3)) + rise * 1.6
        grey = 0.1 + 0.13 * rise
        colour, opacity = (grey, grey, grey * 1.03), 0.8 - 0.4 * rise
        at = (x, y, hood[2] + 0.7 + rise * 5.5)
        puffs.append(Puff(at, 0.7 + 1.5 * rise, colour, opacity, instance=instance))
    return puffs


FLAMES: tuple[Colour, ...] = ((1.0, 0.52, 0.1), (1.0, 0.74, 0.26), (0.98, 0.34, 0.06))


def _flames(rng: np.random.Generator, instance: Instance, hood: Vector3) -> list[Puff]:
    puffs = []
    for k in range(12):
        x, y, z = rng.normal(0, (0.3, 0.32, 0.4))
        at = (hood[0] + float(x), hood[1] + float(y), hood[2] + 0.1 + abs(float(z)))
        radius = float(rng.uniform(0.22, 0.5))
        puffs.append(Puff(at, radius, FLAMES[k % 3], 0.8, emission=1.0, instance=instance))
    return puffs


def _cloud(rng: np.random.Generator, instance: Instance) -> list[Puff]:
    """A bank of grey smoke that fills the instance's box."""
    box, puffs = instance.box, []
    for _ in range(22):
        x, y, z = (rng.uniform(-0.36, 0.36, 3) * box.size_m).tolist()
        grey, share = float(rng.uniform(0.5, 0.72)), float(rng.uniform(0.24, 0.4))
        cx, cy, cz = box.centre_m
        at = (cx + x, cy + y, max(0.3, cz + z))
        colour = (grey, grey, grey * 1.02)
        puffs.append(Puff(at, share * min(box.size_m), colour, 0.6, instance=instance))
    return puffs
