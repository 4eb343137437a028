"""Plain English for a scene: what a camera sees, what a surface is made of, what lies behind.

The same scene has many wordings; `wording` picks one, always the same for the same number. Where
things are is said as the picture shows it: left and right in the image, near and far. No prompt is
longer than what the smallest text encoder reads: what matters least is left out.
"""

import logging
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from hartsim.scenario.catalogue import COLOURS, colour_name
from hartsim.scenario.compiled import CameraSetup, Conditions, PlacedObject, WorldSetup
from hartsim.scenario.draw import pick, stream
from hartsim.scenario.kinds import KINDS, Kind
from hartsim.scenario.lexicon import tokens_of, words_of
from hartsim.scenario.surroundings import GROUNDS, PLACES, SURFACES, TIMES, WEATHERS
from hartsim.scenario.words import listing, qualified, spoken, suggestion, with_article
from hartsim.types import Task, Vector3

Rng = np.random.Generator

logger = logging.getLogger(__name__)

MOST_WORDS = 48
"""The words that the smallest text encoder reads of a prompt; `counted` counts as it does."""
GROUND_SURFACES = ("road", "pavement", "terrain")
HIDING_CLASSES = ("car", "truck", "bus")
PARKING_KINDS = ("car", "van", "truck", "bus", "motorcycle")
ROAD_LEFT_M = (-1.9, 5.3)
"""The road reaches from its right kerb to the far side of the oncoming lane."""
NEAREST_M = 0.1
RIDERS = ("cyclist", "child_on_bicycle", "horse_rider")
"""Kinds whose colour is that of clothes, besides people."""
ON_THE_LENS = ("dirty_lens", "lens_drops", "sun_glare")
"""Kinds that lie over the whole picture, and at no distance."""
MOST_OTHERS = 2
"""How many harmless things a sentence names besides the hazards."""

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
_SNOWY = ("with snow on the road", "with a snow-covered road", "")
_WET = ("with wet asphalt", "with a wet shining road", "")
_UNDER_SNOW = {"road": "snow-covered road with tracks"}
_FRESH_SNOW = "fresh snow"

TABLE_MIDDLE_M: Vector3 = (0.5, 0.0, 0.0)


@dataclass(frozen=True)
class Look:
    """The words for how pictures are made.

    `views` are the openings of what a camera sees, of which an empty one says nothing of the look;
    the others open backdrops, textures and skies. `negative` names what no picture should show.
    """

    views: Mapping[Task, tuple[str, ...]]
    backdrop: str
    texture: str
    sky: str
    negative: str


# Every look has as many openings as any other, so that a look changes nothing but them.
LOOKS: Mapping[str, Look] = {
    "photo": Look(
        views={
            "driving": ("a dashcam photo of", "a photo from a car of", "a driver's view of", ""),
            "robot": ("a photo of", "a robot camera view of", "a close photo of", ""),
        },
        backdrop="a photo of",
        texture="seamless texture of",
        sky="a wide view of",
        negative="blurry, distorted, deformed, text, watermark, drawing",
    ),
    "render": Look(
        views={
            "driving": (
                "a computer game view of",
                "a simulator picture of",
                "a driving game screenshot of",
                "a rendered view from a car of",
            ),
            "robot": (
                "a computer game view of",
                "a simulator picture of",
                "a close rendered picture of",
                "a rendered robot camera view of",
            ),
        },
        backdrop="a computer game view of",
        texture="seamless computer game texture of",
        sky="a wide computer game view of",
        negative="photo, photograph, film grain, blurry, distorted, deformed, text, watermark",
    ),
}


def look_called(name: str) -> Look:
    """The look of this name; ValueError where there is none."""
    if name not in LOOKS:
        raise ValueError(f"no look is called '{name}'; {suggestion(name, LOOKS)}")
    return LOOKS[name]


def counted(text: str) -> list[str]:
    """The words of a text as text encoders count them: `driver's` and `snow-covered` are two."""
    return _COUNTED.findall(text.lower())


def beginning(text: str, count: int) -> str:
    """A text up to the end of so many words, or all of it."""
    words = list(_COUNTED.finditer(text))
    return text if len(words) <= count else text[: words[count - 1].end()]


_COUNTED = re.compile(r"\w+")


@cache
def vocabulary() -> frozenset[str]:
    """Every word of the catalogue and of the looks, in small letters."""
    texts: list[str] = [*COLOURS, *_SNOWY, *_WET, *_UNDER_SNOW.values(), _FRESH_SNOW]
    texts += [each for words in (*_DISTANCES.values(), *_SIDES.values()) for each in words]
    for kind in KINDS.values():
        texts += [*kind.nouns, kind.plural, *kind.synonyms, *kind.actions]
    for place in PLACES.values():
        texts += [*place.nouns, *place.synonyms, *place.backdrop]
        texts += [each for materials in place.materials.values() for each in materials]
    for weather in WEATHERS.values():
        texts += [*weather.all_phrases, *weather.sky]
    for ground in GROUNDS.values():
        texts += ground.all_phrases
    for time in TIMES.values():
        texts += [*time.all_phrases, time.sky]
    for look in LOOKS.values():
        texts += [*(each for openings in look.views.values() for each in openings)]
        texts += [look.backdrop, look.texture, look.sky]
    return frozenset(word for text in texts for word in words_of(text))


def is_known(word: str) -> bool:
    """Whether prompts are made of this word, or sentences may use it."""
    small = word.lower()
    return small in vocabulary() or any(token.meanings for token in tokens_of(small))


Nouns = Callable[[Sequence[str], Sequence[str]], Sequence[str]]
"""The nouns that may be said, of those that prompts are written with and those only understood."""


def written(nouns: Sequence[str], synonyms: Sequence[str]) -> Sequence[str]:
    """What prompts are written with."""
    return nouns


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
    setup: WorldSetup,
    camera: str,
    wording: int = 0,
    visible: Collection[str] | None = None,
    look: str = "photo",
    calm: bool = False,
    nouns: Nouns = written,
) -> str:
    """The prompt for what a camera sees; every `wording` says the same in other words.

    `visible` names the objects that a frame shows, where that is known; else geometry decides.
    `look` is one of `LOOKS`. With `calm` the same words leave out the hazards. `nouns` chooses what
    things and places may be called.
    """
    rng = stream("wording", setup.decor_seed, camera, wording)
    view = next(each for each in setup.cameras if each.name == camera)
    seen = [
        sighting
        for sighting in seen_by(setup.objects, view)
        if (visible is None and sighting.distance_m < 0.9 * setup.conditions.visibility_m)
        or (visible is not None and sighting.thing.name in visible)
    ]
    hazards, others = _things(setup.task, seen, nouns, rng)
    openings = look_called(look).views[setup.task]
    said = View(
        opening=pick(rng, openings),
        hazards=() if calm else hazards,
        others=others,
        scene=_scene(setup.task, setup.conditions, nouns, rng),
        angle="seen from above" if view.pitch_rad < -1.2 else "",
        scene_first=setup.task != "robot" and rng.random() >= 0.5,
        needs_opening="" not in openings,
    )
    return _fitting(map(_text_of, _ever_shorter(said)))


@dataclass(frozen=True)
class Mention:
    """What is said of a thing: `a child in red`, `crossing the road`, `close on the right`."""

    noun: str
    doing: str
    where: str


@dataclass(frozen=True)
class SceneWords:
    """`a residential street`, `at dusk` and `in heavy rain`, `with wet asphalt`.

    A ground that the scenario asks for counts as a circumstance.
    """

    place: str
    circumstances: tuple[str, ...]
    ground: str = ""


@dataclass(frozen=True)
class View:
    """What a camera sees, part by part; an empty part is not said, the nearest things come first.

    `needs_opening` marks a look that would be lost without one.
    """

    opening: str
    hazards: tuple[Mention, ...]
    others: tuple[Mention, ...]
    scene: SceneWords
    angle: str
    scene_first: bool
    needs_opening: bool


def _text_of(view: View) -> str:
    mentions = (*view.hazards, *view.others)
    things = listing([spoken(each.noun, each.doing, each.where) for each in mentions])
    place = view.scene.place if things else qualified(view.scene.place, "empty")
    scene = spoken(place, *view.scene.circumstances, view.scene.ground, view.angle)
    if not things:
        return spoken(view.opening, scene)
    if view.scene_first:
        return f"{spoken(view.opening, scene)}, {things}"
    return spoken(view.opening, things, "on" if place else "", scene)


def _ever_shorter(view: View) -> Iterator[View]:
    """The view, then with ever less in it; from the second on, the hazards are named first.

    What the ground is like goes first, then the opening, then harmless things from the farthest;
    then what the hazards do and where they are, then the scene. Of the hazards one always stays.
    """
    yield view
    view = replace(view, scene_first=False, scene=replace(view.scene, ground=""))
    yield view
    if not view.needs_opening:
        view = replace(view, opening="")
        yield view
    while view.others and len(view.hazards + view.others) > 1:
        view = replace(view, others=view.others[:-1])
        yield view
    for mentions in _ever_plainer(view.hazards):
        view = replace(view, hazards=mentions)
        yield view
    for scene in _ever_vaguer(view.scene):
        view = replace(view, scene=scene, angle="")
        yield view
    view = replace(view, opening="")
    yield view
    while len(view.hazards) > 1:
        view = replace(view, hazards=view.hazards[:-1])
        yield view


def _ever_plainer(mentions: tuple[Mention, ...]) -> Iterator[tuple[Mention, ...]]:
    """Without where they are, from the farthest to the nearest, and then without what they do."""
    for unsaid in ({"where": ""}, {"where": "", "doing": ""}):
        for place in reversed(range(len(mentions))):
            plainer = replace(mentions[place], **unsaid)
            mentions = (*mentions[:place], plainer, *mentions[place + 1 :])
            yield mentions


def _ever_vaguer(scene: SceneWords) -> Iterator[SceneWords]:
    """Without its angle, then without one circumstance after the other, then without the place."""
    yield scene
    for kept in reversed(range(len(scene.circumstances))):
        yield replace(scene, circumstances=scene.circumstances[:kept])
    yield SceneWords("", ())


def _fitting(texts: Iterable[str]) -> str:
    """The first text of which all is read, or else what is read of the last."""
    text = ""
    for text in texts:
        if len(counted(text)) <= MOST_WORDS:
            return text
    logger.warning("the prompt is cut after %d words: %r", MOST_WORDS, text)
    return beginning(text, MOST_WORDS)


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


def _things(
    task: Task, sightings: Sequence[Sighting], nouns: Nouns, rng: Rng
) -> tuple[tuple[Mention, ...], tuple[Mention, ...]]:
    """What is said of all hazards, and of a few other things."""
    hazards = [s for s in sightings if s.thing.hazard]
    others = [s for s in sightings if not s.thing.hazard]
    hiding = {s.thing.name: _hiding_place(s, others) for s in hazards}
    used = {place.thing.name for place in hiding.values() if place}
    free = [s for s in others if s.thing.name not in used][:MOST_OTHERS]
    mentions = tuple(_mention(task, s, hiding[s.thing.name], nouns, rng) for s in hazards)
    return mentions, tuple(_mention(task, s, None, nouns, rng) for s in free)


def _mention(
    task: Task, seen: Sighting, hiding: Sighting | None, nouns: Nouns, rng: Rng
) -> Mention:
    """`a child in red`, `running out from behind a parked van`, `close on the right`."""
    noun = _dressed(seen, nouns, rng)
    where = _where_on_table(seen) if task == "robot" else _where_on_road(seen, rng)
    if hiding is None:
        return Mention(noun, _doing(seen, rng), where)
    doing = pick(rng, ("coming out", "running out", "stepping out"))
    if seen.kind.class_name == "two_wheeler":
        doing = "riding out"
    return Mention(noun, spoken(doing, "from behind", _vehicle(hiding)), where)


def _dressed(seen: Sighting, nouns: Nouns, rng: Rng) -> str:
    """The noun with its article and, for most, its colour."""
    noun = pick(rng, nouns(seen.kind.nouns, seen.kind.synonyms))
    colour = colour_name(seen.thing.colour)
    if not colour or rng.random() < 0.25:
        return noun
    if seen.kind.class_name == "person" or seen.kind.id in RIDERS:
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
    if seen.kind.id in ON_THE_LENS:
        return ""
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


def _scene(task: Task, conditions: Conditions, nouns: Nouns, rng: Rng) -> SceneWords:
    """`a residential street`, `at dusk`, `in heavy rain`, `with wet asphalt`."""
    where = PLACES[conditions.place]
    place = with_article(pick(rng, nouns(where.nouns, where.synonyms)))
    time = pick(rng, TIMES[conditions.time_of_day].phrases[task])
    if task == "robot":
        return SceneWords(place, (time,))
    weather, ground = weather_phrase(conditions, rng), _ground_phrase(conditions, rng)
    circumstances = (time, weather) if rng.random() < 0.5 else (weather, time)
    if conditions.ground:
        return SceneWords(place, (*circumstances, ground))
    return SceneWords(place, circumstances, ground)


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
    """What lies on the road: always said where the scenario asks for it."""
    if conditions.ground:
        return pick(rng, GROUNDS[conditions.ground].phrases)
    if conditions.snow_cover > 0.3:
        return pick(rng, _SNOWY)
    return pick(rng, _WET) if conditions.wetness > 0.5 else ""


def texture_prompts(
    task: Task,
    conditions: Conditions,
    asked: Mapping[str, str],
    rng: Rng,
    look: str = "photo",
) -> dict[str, str]:
    """A prompt for every surface of the task: the scenario's own words, or what suits the place."""
    prompts = {}
    for surface in SURFACES[task]:
        if surface == "sky":
            prompts[surface] = asked.get(surface) or sky_phrase(conditions, rng, look)
        else:
            own = pick(rng, PLACES[conditions.place].materials[surface])
            material = asked.get(surface) or _weathered(surface, own, conditions)
            prompts[surface] = spoken(look_called(look).texture, material)
    return {surface: _fitting([prompt]) for surface, prompt in prompts.items()}


def _weathered(surface: str, material: str, conditions: Conditions) -> str:
    """What snow and rain make of the material on the ground."""
    if surface not in GROUND_SURFACES:
        return material
    if conditions.snow_cover > 0.3:
        return _UNDER_SNOW.get(surface, _FRESH_SNOW)
    return f"wet {material}" if conditions.wetness > 0.5 else material


def sky_phrase(conditions: Conditions, rng: Rng, look: str = "photo") -> str:
    """`a wide view of a grey rainy sky at dusk with orange and purple light`."""
    sky = pick(rng, WEATHERS[conditions.weather].sky)
    return spoken(look_called(look).sky, sky, TIMES[conditions.time_of_day].sky)


def backdrop_prompt(task: Task, conditions: Conditions, rng: Rng, look: str = "photo") -> str:
    """What lies behind: no hazard is named, so that none is painted."""
    behind = pick(rng, PLACES[conditions.place].backdrop)
    time = pick(rng, TIMES[conditions.time_of_day].phrases[task])
    weather = "" if task == "robot" else weather_phrase(conditions, rng)
    opening = look_called(look).backdrop
    return _fitting(
        [
            spoken(opening, behind, weather, time),
            spoken(behind, weather, time),
            spoken(behind, weather),
            behind,
        ]
    )
