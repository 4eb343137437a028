"""Entities: which kind of the catalogue an OpenSCENARIO entity is, and how a kind is written."""

import re
from collections.abc import Iterator, Mapping

from hartsim.scenario.catalogue import COLOURS
from hartsim.scenario.kinds import KINDS, Kind
from hartsim.scenario.lexicon import tokens_of
from hartsim.scenario.openscenario.parameters import constant_text, value_text
from hartsim.scenario.openscenario.reader import Reader
from hartsim.scenario.openscenario.tree import Element, element
from hartsim.types import Task

CATEGORY_OF: Mapping[str, str] = {
    "Vehicle": "vehicleCategory",
    "Pedestrian": "pedestrianCategory",
    "MiscObject": "miscObjectCategory",
}
ENTITIES = tuple(CATEGORY_OF)

VEHICLES: Mapping[str, tuple[str, ...]] = {
    "bicycle": ("cyclist",),
    "bus": ("bus",),
    "car": ("car",),
    "motorbike": ("motorcycle",),
    "semitrailer": ("trailer", "truck"),
    "trailer": ("trailer", "truck"),
    "train": ("train", "tram", "bus"),
    "tram": ("tram", "bus"),
    "truck": ("truck",),
    "van": ("van",),
}
PEDESTRIANS: Mapping[str, tuple[str, ...]] = {
    "animal": ("deer",),
    "pedestrian": ("pedestrian",),
    "wheelchair": ("wheelchair_user", "wheelchair", "pedestrian"),
}
THINGS: Mapping[str, tuple[str, ...]] = {
    "barrier": ("barrier",),
    "none": ("lost_load",),
    "obstacle": ("lost_load",),
    "patch": ("puddle",),
    "pole": ("fallen_pole", "lost_load"),
    "railing": ("barrier",),
    "tree": ("fallen_tree",),
    "vegetation": ("fallen_tree",),
}
GUESSES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Vehicle": VEHICLES,
    "Pedestrian": PEDESTRIANS,
    "MiscObject": THINGS,
}
"""The kinds that a category may mean, the best first; other categories have none."""
USUAL: Mapping[str, str] = {"vehicle": "car", "pedestrian": "pedestrian", "misc": "lost_load"}
"""What an entry of a catalogue with such a name is, if nothing else is known."""

NATIVE: Mapping[str, tuple[str, str]] = {
    "car": ("Vehicle", "car"),
    "truck": ("Vehicle", "truck"),
    "bus": ("Vehicle", "bus"),
    "two_wheeler": ("Vehicle", "bicycle"),
    "person": ("Pedestrian", "pedestrian"),
    "animal": ("Pedestrian", "animal"),
    "barrier": ("MiscObject", "barrier"),
    "surface_hazard": ("MiscObject", "patch"),
    "water": ("MiscObject", "patch"),
    "vegetation": ("MiscObject", "vegetation"),
    "pole": ("MiscObject", "pole"),
    "sign": ("MiscObject", "pole"),
    "smoke_fire": ("MiscObject", "none"),
}
"""What a class of labels is in OpenSCENARIO; every other one is an obstacle."""
NATIVE_KINDS: Mapping[str, tuple[str, str]] = {
    "motorcycle": ("Vehicle", "motorbike"),
    "van": ("Vehicle", "van"),
}
MASS_KG: Mapping[str, float] = {
    "animal": 60.0,
    "barrier": 50.0,
    "bicycle": 90.0,
    "bus": 11_000.0,
    "car": 1_500.0,
    "motorbike": 250.0,
    "none": 1.0,
    "obstacle": 50.0,
    "patch": 1.0,
    "pedestrian": 75.0,
    "pole": 100.0,
    "truck": 9_000.0,
    "van": 2_500.0,
    "vegetation": 200.0,
}


def kind_of(reader: Reader, entity: Element, name: str, task: Task = "driving") -> str | None:
    """The kind that an entity is, by the name of its model, its own or its category.

    What is not called by a kind's id is a guess, and noted; None where there is nothing like it.
    """
    category = reader.text(entity, CATEGORY_OF[entity.name], "none")
    model = reader.text(entity, "name")
    if _is_own(model, entity.name, category, task):
        return model
    said = [model, reader.text(entity, "model3d"), reader.text(entity, "model"), name]
    candidates = [*_named(entity.name, category, said), *GUESSES[entity.name].get(category, ())]
    guess = next((each for each in candidates if each in KINDS), None)
    if guess is None:
        reader.leave(entity, f"nothing in the catalogue is like a '{category}' of this name")
    elif guess != category:
        reader.note(entity, f"taken for the kind '{guess}', by its name or category", "guessed")
    return guess


def kind_by_name(reader: Reader, reference: Element) -> str | None:
    """The kind that the names in a reference to an unknown catalogue speak of."""
    entry, catalog = (reader.text(reference, each) for each in ("entryName", "catalogName"))
    spoken = [id for name in ENTITIES for id in _named(name, "", [entry], strict=False)]
    usual = [id for word, id in USUAL.items() if word in catalog.lower()]
    guess = next((each for each in (*spoken, *usual) if each in KINDS), None)
    if guess is not None:
        reader.note(reference, f"taken for the kind '{guess}', by its name", "guessed")
    return guess


def colour_of(reader: Reader, entity: Element) -> str | None:
    """The colour in the name of an entity's model, where there is one."""
    model = reader.text(entity, "name")
    if model in KINDS:
        return None
    return next((word for word in _words(model).split() if word in COLOURS), None)


def native_of(kind: Kind) -> tuple[str, str]:
    """The element and the category that a kind is written as."""
    if kind.task == "robot":
        return "MiscObject", "obstacle"
    if "wheelchair" in kind.id:
        return "Pedestrian", "wheelchair"
    usual = NATIVE.get(kind.class_name, ("MiscObject", "obstacle"))
    return NATIVE_KINDS.get(kind.id, usual)


def entity(kind: Kind, scale: str, properties: Element, *before: Element) -> Element:
    """A Vehicle, Pedestrian or MiscObject of a kind; `scale` may be a parameter.

    Its reference point is the middle of its footprint, as everywhere in hartsim.
    """
    name, category = native_of(kind)
    sides = [_scaled(side, scale) for side in kind.size_m]
    box = element(
        "BoundingBox",
        element("Center", x="0", y="0", z=_scaled(kind.size_m[2] / 2, scale)),
        element("Dimensions", length=sides[0], width=sides[1], height=sides[2]),
    )
    parts = [*before, box, *(_moving_parts(kind) if name == "Vehicle" else ()), properties]
    mass = value_text(MASS_KG.get(category, MASS_KG["obstacle"]))
    return Element(name, {"name": kind.id, CATEGORY_OF[name]: category, "mass": mass}, tuple(parts))


def _scaled(side: float, scale: str) -> str:
    if scale.startswith("$"):
        return f"${{{constant_text(side)} * {scale}}}"
    return value_text(round(side * float(scale), 6))


def _moving_parts(kind: Kind) -> Iterator[Element]:
    length, width, _ = kind.size_m
    yield element("Performance", maxSpeed="70", maxAcceleration="10", maxDeceleration="10")
    wheels = {"wheelDiameter": "0.7", "trackWidth": value_text(round(0.85 * width, 3))}
    axles = (("FrontAxle", "0.5", 0.3), ("RearAxle", "0", -0.3))
    yield element(
        "Axles",
        *(
            element(
                axle,
                maxSteering=steering,
                positionX=value_text(round(share * length, 3)),
                positionZ="0.35",
                **wheels,
            )
            for axle, steering, share in axles
        ),
    )


def _is_own(model: str, entity_name: str, category: str, task: Task) -> bool:
    """Whether a model is called by a kind's id and is what that kind is written as."""
    kind = KINDS.get(model)
    return kind is not None and kind.task == task and native_of(kind) == (entity_name, category)


def _words(name: str) -> str:
    """`TrafficCone01` → `traffic cone 01`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[^A-Za-z]+", " ", name).lower()


def _named(entity_name: str, category: str, names: list[str], strict: bool = True) -> Iterator[str]:
    """The kinds that names speak of and that can be this entity, of this category if `strict`."""
    for name in names:
        for token in tokens_of(_words(name[:200])):
            role, id = token.meanings.get("driving", ("nothing", ""))
            if role in ("kind", "kinds") and _can_be(
                KINDS[id], entity_name, category if strict else None
            ):
                yield id


def _can_be(kind: Kind, entity_name: str, category: str | None) -> bool:
    name, usual = native_of(kind)
    _, of_class = NATIVE.get(kind.class_name, ("", ""))
    return name == entity_name and (name == "MiscObject" or category in (None, usual, of_class))
