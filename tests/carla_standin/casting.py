"""Who plays whom: actors as things of hartsim's catalogue."""

import math
from fnmatch import fnmatchcase

from hartsim.scenario.compiled import PlacedObject
from hartsim.types import Box3D, Instance, Pose, Vector3
from hartsim.worlds.stage import Lamp, Prop, Solid
from hartsim.worlds.street_props import prop_of
from tests.carla_standin.actors import Actor

CAST: tuple[tuple[str, str, str], ...] = (
    ("vehicle.dodge.charger_police*", "police_car", "car"),
    ("vehicle.ford.ambulance", "ambulance", "truck"),
    ("vehicle.carlamotors.firetruck", "fire_truck", "truck"),
    ("static.prop.box0*", "cardboard_boxes", "debris"),
    ("static.prop.creasedbox0*", "cardboard_boxes", "debris"),
    ("static.prop.ironplank", "steel_plate", "surface_hazard"),
    ("static.prop.dirtdebris0*", "gravel_spill", "debris"),
    ("static.prop.shoppingtrolley", "shopping_trolley", "debris"),
    ("static.prop.shoppingcart", "shopping_trolley", "debris"),
    ("static.prop.haybale*", "hay_bale", "debris"),
    ("static.prop.travelcase", "suitcase", "debris"),
    ("static.prop.barrel", "oil_drum", "debris"),
    ("static.prop.trafficcone0*", "traffic_cones", "cone"),
    ("static.prop.constructioncone", "traffic_cones", "cone"),
    ("static.prop.streetbarrier", "barrier", "barrier"),
    ("static.prop.warning*", "road_closed_sign", "sign"),
)
"""Patterns of blueprints, the kind and the class that stand for them."""

BASES = {
    "car": ("car", "car"),
    "van": ("van", "truck"),
    "truck": ("truck", "truck"),
    "bus": ("bus", "bus"),
    "motorcycle": ("motorcycle", "two_wheeler"),
    "bicycle": ("cyclist", "two_wheeler"),
}
FIGURE_M = (0.45, 0.55)
LIT = 1 | 2 | 4
"""Position lamps, low beams, high beams."""


def kind_of(actor: Actor) -> tuple[str, str] | None:
    """The kind and class that stand for an actor; None for a plain box."""
    name, told = actor.blueprint.id, actor.attributes
    for pattern, kind, class_name in CAST:
        if fnmatchcase(name, pattern):
            return kind, class_name
    if actor.kind == "walker":
        return ("child" if told.get("age") == "child" else "adult"), "person"
    return BASES.get(told.get("base_type", ""))


def props_of(actor: Actor, number: int, pose: Pose) -> tuple[Prop, list[Lamp]]:
    """An actor as a prop of the street that stands at a pose, and its lamps.

    `number` becomes its instance.
    """
    size: Vector3 = actor.blueprint.size_m
    if actor.kind == "walker":
        size = (*FIGURE_M, size[2])
    cast, name = kind_of(actor), f"actor {actor.id}"
    x, y, z = pose.position_m
    box = Box3D((x, y, z + size[2] / 2), size, pose.heading_rad)
    if cast is None:
        instance = Instance(number, name, actor.blueprint.id, "other", False, (), box)
        solid = Solid("box", size, (0.0, 0.0, size[2] / 2), rgba=_tone(actor))
        return Prop(name, "other", (solid,), pose, instance), []
    placed = PlacedObject(name, *cast, False, (), box, _colour(actor))
    prop, _, lamps = prop_of(placed, number, bool(actor.lights & LIT), actor.blueprint.uid, 2)
    return prop, lamps


def _colour(actor: Actor) -> Vector3 | None:
    """The linear colour that it was given."""
    text = actor.attributes.get("color")
    if text is None:
        return None
    red, green, blue = (math.pow(int(part) / 255, 2.2) for part in text.split(","))
    return red, green, blue


def _tone(actor: Actor) -> tuple[float, float, float, float]:
    """A dull colour of its own."""
    number = actor.blueprint.uid
    red, green, blue = (0.3 + (number * k % 40) / 100 for k in (7, 11, 13))
    return red, green, blue, 1.0
