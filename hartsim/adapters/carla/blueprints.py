"""Which of CARLA's blueprints stands for each kind of the catalogue, or why none may.

The recipes are the catalogue's (`hartsim/scenario/data/kinds`). A kind without one is either drawn
into the frames (`overlay.py`) or set by the weather, or it is refused by name: a label never claims
what is not there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, Literal, get_args

from hartsim.errors import WorldError
from hartsim.scenario.draw import stream
from hartsim.scenario.kinds import KINDS, CarlaRecipe, Kind, kinds_of
from hartsim.scenario.words import suggestion
from hartsim.types import Vector3

How = Literal["prop", "walker", "vehicle", "effect"]
HOWS: tuple[How, ...] = get_args(How)

FAMILIES: Mapping[str, How] = {
    "static.prop.": "prop",
    "walker.": "walker",
    "vehicle.": "vehicle",
}

LENS_EFFECTS = frozenset({"dirty_lens", "lens_drops"})
CLOUD_EFFECTS = frozenset({"dust_cloud", "fog_bank", "smoke"})
PATCH_EFFECTS = frozenset(
    {"puddle", "flooded_road", "oil_spill", "ice_patch", "mud", "pothole", "wet_leaves"}
)
SKY_EFFECTS = frozenset({"sun_glare"})
EFFECTS = LENS_EFFECTS | CLOUD_EFFECTS | PATCH_EFFECTS | SKY_EFFECTS
"""Kinds that no actor stands for: `overlay.py` draws them, a low sun `weather.py` sets as well."""

DRESSED: Mapping[str, CarlaRecipe] = {
    "burning_car": CarlaRecipe("vehicle.*", {"base_type": "car"}),
    "tyre_spray": CarlaRecipe("vehicle.*", {"base_type": "truck"}),
}
"""Kinds that an actor stands for to which `overlay.py` adds fire and smoke, or spray."""

STAND_INS: Mapping[str, str] = {
    "lost_load": "planks of iron",
    "rock": "a heap of dirt and rubble",
    "gravel_spill": "a heap of dirt and rubble",
    "steel_plate": "a plank of iron",
    "work_zone": "a warning sign of road works",
    "road_closed_sign": "a warning sign of road works",
    "concrete_blocks": "a street barrier",
}
"""Kinds whose blueprint is only the nearest thing there is: what is seen instead."""

SETTINGS: Mapping[str, tuple[CarlaRecipe, Mapping[str, str]]] = {
    "wheelchair_user": (
        CarlaRecipe("walker.pedestrian.*", {"can_use_wheelchair": "true"}),
        {"use_wheelchair": "true"},
    ),
}
"""Kinds that a blueprint makes once it is told to: which, and what it is told."""

LIGHTS: Mapping[str, tuple[str, ...]] = {
    "high_beams": ("Position", "LowBeam", "HighBeam"),
    "police_car": ("Position", "LowBeam", "Special1"),
    "ambulance": ("Position", "LowBeam", "Special1"),
    "fire_truck": ("Position", "LowBeam", "Special1"),
}
"""Names of `carla.VehicleLightState` that a kind shines with, day and night."""

EMERGENCY = ("special_type", "emergency")
POLICE = frozenset({"walker.pedestrian.0030", "walker.pedestrian.0032"})
"""The walkers in uniform of CARLA's catalogue of pedestrians."""

REMEDY = "leave it out, take another kind, or show the scene in the embedded world"


@dataclass(frozen=True)
class Prototype:
    """What stands for a kind in CARLA.

    `blueprints` are patterns of ids, any of which will do; what is chosen has all `attributes`.
    `settings` are told to it before it is spawned, `lights` switched on afterwards. `size_m` is the
    kind's typical size; what is spawned has a box of its own. `stands_in` says what is seen where
    that is not quite the kind. An effect has no blueprint.
    """

    kind: str
    how: How
    size_m: Vector3
    blueprints: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    lights: tuple[str, ...] = ()
    stands_in: str = ""


@dataclass(frozen=True)
class Blueprint:
    """One entry of a server's library: its id and the values of its attributes as texts."""

    id: str
    attributes: Mapping[str, str] = field(default_factory=dict)


def prototype_for(kind: str) -> Prototype:
    """What stands for a driving kind of the catalogue.

    WorldError for a kind that CARLA does not have, with the reason, and for one nobody knows.
    """
    entry = _entry(kind)
    if kind in EFFECTS:
        return Prototype(kind, "effect", entry.size_m)
    recipe, settings = SETTINGS.get(kind, (DRESSED.get(kind, entry.carla), {}))
    assert recipe is not None  # every driving kind has one
    if recipe.missing:
        raise WorldError(f"kind '{kind}' cannot be shown in CARLA: {recipe.missing}; {REMEDY}")
    return Prototype(
        kind=kind,
        how=_how(recipe.blueprint),
        size_m=entry.size_m,
        blueprints=(recipe.blueprint,),
        attributes=MappingProxyType(dict(recipe.attributes)),
        settings=MappingProxyType(dict(settings)),
        lights=LIGHTS.get(kind, ()),
        stands_in=STAND_INS.get(kind, ""),
    )


def missing_kinds() -> dict[str, str]:
    """The driving kinds that cannot be shown, and why."""
    reasons = {}
    for kind in kinds_of("driving"):
        if kind.id not in EFFECTS | SETTINGS.keys() | DRESSED.keys():
            assert kind.carla is not None
            if kind.carla.missing:
                reasons[kind.id] = kind.carla.missing
    return reasons


def choose(prototype: Prototype, library: Sequence[Blueprint], seed: int, name: str = "") -> str:
    """The id of the blueprint that this seed takes for the object of this name.

    Plain cars and walkers are never police or ambulances. WorldError where the server has none.
    """
    fitting = sorted(each.id for each in library if fits(prototype, each))
    if not fitting:
        raise WorldError(_nothing_fits(prototype, library))
    rng = stream("blueprint", prototype.kind, seed, name)
    return fitting[int(rng.integers(len(fitting)))]


def fits(prototype: Prototype, blueprint: Blueprint) -> bool:
    """Whether a blueprint may stand for the kind."""
    if not _is_called(prototype, blueprint):
        return False
    has = {name: value.lower() for name, value in blueprint.attributes.items()}
    if any(has.get(name) != value.lower() for name, value in prototype.attributes.items()):
        return False
    if any(pattern.endswith(".*") for pattern in prototype.blueprints):
        name, value = EMERGENCY
        return has.get(name) != value and blueprint.id not in POLICE
    return True


def _is_called(prototype: Prototype, blueprint: Blueprint) -> bool:
    return any(fnmatchcase(blueprint.id, pattern) for pattern in prototype.blueprints)


def colour_setting(colour: Vector3) -> str:
    """A linear RGB colour in 0..1 as the `color` attribute of a vehicle: sRGB bytes."""
    return ",".join(str(_srgb_byte(each)) for each in colour)


def blueprints_of(library: Any) -> tuple[Blueprint, ...]:
    """The entries of a `carla.BlueprintLibrary` as plain values."""
    return tuple(
        Blueprint(each.id, {attribute.id: text_of(attribute) for attribute in each})
        for each in library
    )


def text_of(attribute: Any) -> str:
    """The value of a `carla.ActorAttribute` as it would be set."""
    import carla

    kinds = carla.ActorAttributeType
    if attribute.type == kinds.Bool:
        return "true" if attribute.as_bool() else "false"
    if attribute.type == kinds.Int:
        return str(attribute.as_int())
    if attribute.type == kinds.Float:
        return f"{attribute.as_float():g}"
    if attribute.type == kinds.RGBColor:
        colour = attribute.as_color()
        return f"{colour.r},{colour.g},{colour.b}"
    return str(attribute.as_str())


def _entry(kind: str) -> Kind:
    known = [each.id for each in kinds_of("driving")]
    if kind not in known:
        what = "is for robots" if kind in KINDS else "is not in the catalogue"
        raise WorldError(f"kind '{kind}' {what}; {suggestion(kind, known)}")
    return KINDS[kind]


def _how(pattern: str) -> How:
    for start, how in FAMILIES.items():
        if pattern.startswith(start):
            return how
    raise WorldError(
        f"'{pattern}' is no blueprint that can be placed; it begins with {', '.join(FAMILIES)}"
    )


def _nothing_fits(prototype: Prototype, library: Sequence[Blueprint]) -> str:
    wanted = " or ".join(prototype.blueprints)
    if prototype.attributes:
        wanted += " with " + ", ".join(
            f"{name}={value}" for name, value in prototype.attributes.items()
        )
    by_id = [each for each in library if _is_called(prototype, each)]
    has = f"{len(by_id)} with such an id"
    for name in prototype.attributes:
        values = sorted({each.attributes[name] for each in by_id if name in each.attributes})
        has += f", whose {name} is {' or '.join(values)}" if values else f", none with {name}"
    return (
        f"kind '{prototype.kind}' needs the blueprint {wanted}; "
        f"the server has {len(library)} blueprints, {has}; {REMEDY}"
    )


def _srgb_byte(linear: float) -> int:
    if not 0 <= linear <= 1:
        raise WorldError(f"a colour has {linear}; linear RGB goes from 0 to 1")
    curved = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
    return round(255 * curved)
