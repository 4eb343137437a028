"""Plain English for a scene: what a camera sees, what a surface is made of, what lies behind.

The same scene has many wordings; `wording` picks one, always the same for the same number. Where
things are is said as the picture shows it: left and right in the image, near and far.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hartsim.scenario.catalogue import colour_name
from hartsim.scenario.compiled import CameraSetup, Conditions, PlacedObject, WorldSetup
from hartsim.scenario.draw import pick, stream
from hartsim.scenario.kinds import KINDS, Kind
from hartsim.scenario.surroundings import PLACES, SURFACES, TIMES, WEATHERS
from hartsim.scenario.words import listing, qualified, spoken, with_article
from hartsim.types import Task, Vector3

Rng = np.random.Generator

NEGATIVE = "blurry, distorted, deformed, text, watermark, drawing"
GROUND_SURFACES = ("road", "pavement", "terrain")
HIDING_CLASSES = ("car", "truck", "bus")
PARKING_KINDS = ("car", "van", "truck", "bus", "motorcycle")
ROAD_LEFT_M = (-1.9, 5.3)
"""The road reaches from its right kerb to the far side of the oncoming lane."""
NEAREST_M = 0.1
MOST_OTHERS = 2
"""How many harmless things a sentence names besides the hazards."""

_OPENINGS: Mapping[Task, tuple[str, ...]] = {
    "driving": ("a dashcam photo of", "a photo from a car of", "a driver's view of", ""),
    "robot": ("a photo of", "a robot camera view of", "a close photo of", ""),
}
_DISTANCES: Mapping[str, tuple[str, ...]] = {
    "near": ("close", "very near", "close ahead"),
    "middle": ("ahead", "a short way ahead", "a few metres ahead"),
    "far": ("far ahead", "in the distance", "far away"),
}
_SIDES: Mapping[str, tuple[str, ...]] = {
    "left": ("on the left", "to the left"),
    "middle": ("in the middle", "straight ahead"),
    "right": ("on the right", "to the right"),
}


TABLE_MIDDLE_M: Vector3 = (0.5, 0.0, 0.0)


@dataclass(frozen=True)
class Sighting:
    """An object in a picture: where it falls (right, -1..1) and how far it is.

    `down` counts from where the middle of the table falls, of the half picture.
    """

    thing: PlacedObject
    right: float
    down: float
    distance_m: float

    @property
    def kind(self) -> Kind:
        """Its entry in the catalogue."""
        return KINDS[self.thing.kind]


def describe(
    setup: WorldSetup, camera: str, wording: int = 0, visible: Collection[str] | None = None
) -> str:
    """The prompt for what a camera sees; every `wording` says the same in other words.

    `visible` names the objects that a frame shows, where that is known; else geometry decides.
    """
    rng = stream("wording", setup.decor_seed, camera, wording)
    view = next(each for each in setup.cameras if each.name == camera)
    seen = [
        sighting
        for sighting in seen_by(setup.objects, view)
        if (visible is None and sighting.distance_m < 0.9 * setup.conditions.visibility_m)
        or (visible is not None and sighting.thing.name in visible)
    ]
    things, opening = _things_phrase(setup.task, seen, rng), pick(rng, _OPENINGS[setup.task])
    scene = scene_phrase(setup.task, setup.conditions, rng)
    if view.pitch_rad < -1.2:
        scene = spoken(scene, "seen from above")
    if not things:
        return spoken(opening, qualified(scene, "empty"))
    if setup.task == "robot" or rng.random() < 0.5:
        return spoken(opening, things, "on", scene)
    return f"{spoken(opening, scene)}, {things}"


def seen_by(objects: Sequence[PlacedObject], camera: CameraSetup) -> list[Sighting]:
    """The objects of which a part lies in a square picture of this camera, nearest first."""
    sightings = [_sighting(thing, camera) for thing in objects]
    return sorted((s for s in sightings if s is not None), key=lambda s: s.distance_m)


def _sighting(thing: PlacedObject, camera: CameraSetup) -> Sighting | None:
    """Where a camera sees an object: the middle of those of its centre and ends that it sees."""
    (x, y, z), heading = thing.box.centre_m, thing.box.heading_rad
    halves = [share * thing.box.size_m[0] for share in (-0.4, 0.0, 0.4)]
    points = [(x + half * math.cos(heading), y + half * math.sin(heading), z) for half in halves]
    seen = [each for point in points if (each := _in_picture(point, camera)) is not None]
    if not seen:
        return None
    right, down = (sum(values) / len(seen) for values in zip(*seen, strict=True))
    middle = _in_picture(TABLE_MIDDLE_M, camera) or (0.0, 0.0)
    distance_m = math.hypot(x - camera.position_m[0], y - camera.position_m[1])
    return Sighting(thing, right, down - middle[1], distance_m)


def _in_picture(point: Vector3, camera: CameraSetup) -> tuple[float, float] | None:
    """Where a point falls in a square picture, right and down in -1..1; None outside it."""
    ahead, left, up = (a - b for a, b in zip(point, camera.position_m, strict=True))
    yaw_cos, yaw_sin = math.cos(camera.yaw_rad), math.sin(camera.yaw_rad)
    forward, right = ahead * yaw_cos + left * yaw_sin, ahead * yaw_sin - left * yaw_cos
    tilt_cos, tilt_sin = math.cos(camera.pitch_rad), math.sin(camera.pitch_rad)
    depth, down = forward * tilt_cos + up * tilt_sin, forward * tilt_sin - up * tilt_cos
    reach = depth * math.tan(camera.fov_rad / 2)
    if depth < NEAREST_M or max(abs(right), abs(down)) >= reach:
        return None
    return right / reach, down / reach


def _things_phrase(task: Task, sightings: Sequence[Sighting], rng: Rng) -> str:
    """All hazards and a few other things, as one list."""
    hazards = [s for s in sightings if s.thing.hazard]
    others = [s for s in sightings if not s.thing.hazard]
    hiding = {s.thing.name: _hiding_place(s, others) for s in hazards}
    used = {place.thing.name for place in hiding.values() if place}
    free = [s for s in others if s.thing.name not in used][:MOST_OTHERS]
    phrases = [_thing_phrase(task, s, hiding[s.thing.name], rng) for s in hazards]
    phrases += [_thing_phrase(task, s, None, rng) for s in free]
    return listing(phrases)


def _thing_phrase(task: Task, seen: Sighting, hiding: Sighting | None, rng: Rng) -> str:
    """`a child in red running out from behind a parked van close on the right`."""
    noun = _dressed(seen, rng)
    place = _where_on_table(seen) if task == "robot" else _where_on_road(seen, rng)
    if hiding is not None:
        doing = pick(rng, ("coming out", "running out", "stepping out"))
        if seen.kind.class_name == "two_wheeler":
            doing = "riding out"
        return spoken(noun, doing, "from behind", _vehicle(hiding), place)
    return spoken(noun, _doing(seen, rng), place)


def _dressed(seen: Sighting, rng: Rng) -> str:
    """The noun with its article and, for most, its colour."""
    noun = pick(rng, seen.kind.nouns)
    colour = colour_name(seen.thing.colour)
    if not colour or rng.random() < 0.25:
        return noun
    if seen.kind.class_name == "person" or seen.kind.id == "cyclist":
        return f"{noun} in {colour}"
    return qualified(noun, colour)


def _vehicle(seen: Sighting) -> str:
    """`a parked van` beside the road, `a van` on it."""
    return seen.kind.nouns[0] if _on_road(seen) else qualified(seen.kind.nouns[0], "parked")


def _on_road(seen: Sighting) -> bool:
    low, high = ROAD_LEFT_M
    return low < seen.thing.box.centre_m[1] < high


def _doing(seen: Sighting, rng: Rng) -> str:
    """What it does, where that is true of where it stands."""
    if seen.kind.task == "robot" or _on_road(seen):
        actions = (*seen.kind.actions, "")
    elif seen.kind.class_name in ("person", "animal"):
        actions = ("standing beside the road", "at the roadside")
    else:
        actions = ("parked",) if seen.kind.id in PARKING_KINDS else ("at the roadside",)
    return pick(rng, actions)


def _where_on_road(seen: Sighting, rng: Rng) -> str:
    distance = "near" if seen.distance_m < 9 else "middle" if seen.distance_m < 18 else "far"
    side = "left" if seen.right < -0.25 else "right" if seen.right > 0.25 else "middle"
    how_far = pick(rng, _DISTANCES[distance])
    if rng.random() < 0.2:
        how_far = f"{round(seen.distance_m)} metres ahead"
    if side == "middle" and "ahead" in how_far:
        return how_far
    return spoken(how_far, pick(rng, _SIDES[side]))


def _where_on_table(seen: Sighting) -> str:
    row = "back" if seen.down < -0.12 else "front" if seen.down > 0.14 else ""
    side = "left" if seen.right < -0.25 else "right" if seen.right > 0.25 else ""
    if row and side:
        return f"at the {row} {side}"
    if row:
        return f"at the {row}"
    return f"on the {side}" if side else "in the middle"


def _hiding_place(hidden: Sighting, others: Sequence[Sighting]) -> Sighting | None:
    """The vehicle from behind which something comes: nearer to the camera and beside its way."""
    if not hidden.kind.moves:
        return None
    ahead_m, left_m, _ = hidden.thing.box.centre_m
    for other in others:
        x, y, _ = other.thing.box.centre_m
        gap_m = ahead_m - x - other.thing.box.size_m[0] / 2
        if other.kind.class_name in HIDING_CLASSES and -1 < gap_m < 4 and abs(left_m - y) < 3.6:
            return other
    return None


def scene_phrase(task: Task, conditions: Conditions, rng: Rng) -> str:
    """`a residential street at dusk in heavy rain with wet asphalt`."""
    noun = with_article(pick(rng, PLACES[conditions.place].nouns))
    time = pick(rng, TIMES[conditions.time_of_day].phrases[task])
    if task == "robot":
        return spoken(noun, time)
    weather, ground = weather_phrase(conditions, rng), _ground_phrase(conditions, rng)
    first, second = (time, weather) if rng.random() < 0.5 else (weather, time)
    return spoken(noun, first, second, ground)


def weather_phrase(conditions: Conditions, rng: Rng) -> str:
    """The weather in words that fit its strength."""
    weather = WEATHERS[conditions.weather]
    measure = next(iter(weather.numbers))
    strength = weather.numbers[measure].strength_of(getattr(conditions, measure))
    options = weather.phrases
    if strength > 0.65:
        options = weather.strong or options
    elif strength < 0.35:
        options = weather.weak or options
    return pick(rng, options)


def _ground_phrase(conditions: Conditions, rng: Rng) -> str:
    if conditions.snow_cover > 0.3:
        return pick(rng, ("with snow on the road", "with a snow-covered road", ""))
    if conditions.wetness > 0.5:
        return pick(rng, ("with wet asphalt", "with a wet shining road", ""))
    return ""


def texture_prompts(
    task: Task, conditions: Conditions, asked: Mapping[str, str], rng: Rng
) -> dict[str, str]:
    """A prompt for every surface of the task: the scenario's own words, or what suits the place."""
    prompts = {}
    for surface in SURFACES[task]:
        if surface == "sky":
            prompts[surface] = asked.get(surface) or sky_phrase(conditions, rng)
            continue
        own = pick(rng, PLACES[conditions.place].materials[surface])
        material = asked.get(surface) or _weathered(surface, own, conditions)
        prompts[surface] = f"seamless texture of {material}"
    return prompts


def _weathered(surface: str, material: str, conditions: Conditions) -> str:
    """What snow and rain make of the material on the ground."""
    if surface not in GROUND_SURFACES:
        return material
    if conditions.snow_cover > 0.3:
        return "snow-covered road with tracks" if surface == "road" else "fresh snow"
    return f"wet {material}" if conditions.wetness > 0.5 else material


def sky_phrase(conditions: Conditions, rng: Rng) -> str:
    """`a wide view of a grey rainy sky at dusk with orange and purple light`."""
    sky = pick(rng, WEATHERS[conditions.weather].sky)
    return spoken("a wide view of", sky, TIMES[conditions.time_of_day].sky)


def backdrop_prompt(task: Task, conditions: Conditions, rng: Rng) -> str:
    """What lies behind: no hazard is named, so that none is painted."""
    behind = pick(rng, PLACES[conditions.place].backdrop)
    time = pick(rng, TIMES[conditions.time_of_day].phrases[task])
    weather = "" if task == "robot" else weather_phrase(conditions, rng)
    return spoken("a photo of", behind, weather, time)
