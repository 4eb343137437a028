"""Plain English for a scene: what a camera sees, what a surface is made of, what lies behind.

The same scene has many wordings; a number picks one, the same each time. No
prompt is longer than what the smallest text encoder reads: what matters least is left out.
"""

import logging
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from hartsim.scenario.catalogue import COLOURS
from hartsim.scenario.compiled import Conditions, WorldSetup
from hartsim.scenario.draw import pick, stream
from hartsim.scenario.kinds import KINDS
from hartsim.scenario.lexicon import tokens_of, words_of
from hartsim.scenario.sightings import seen_by
from hartsim.scenario.surroundings import GROUNDS, PLACES, SURFACES, TIMES, WEATHERS
from hartsim.scenario.wording import (
    DISTANCES,
    SIDES,
    SNOWY,
    WET,
    Mention,
    Nouns,
    Rng,
    SceneWords,
    scene_said,
    things_said,
    weather_phrase,
    written,
)
from hartsim.scenario.words import listing, qualified, spoken, suggestion
from hartsim.types import Task

logger = logging.getLogger(__name__)

MOST_WORDS = 48
"""The words that the smallest text encoder reads of a prompt; `counted` counts as it does."""
GROUND_SURFACES = ("road", "pavement", "terrain")

_UNDER_SNOW = {"road": "snow-covered road with tracks"}
_FRESH_SNOW = "fresh snow"


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
    texts: list[str] = [*COLOURS, *SNOWY, *WET, *_UNDER_SNOW.values(), _FRESH_SNOW]
    texts += [each for words in (*DISTANCES.values(), *SIDES.values()) for each in words]
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
    hazards, others = things_said(setup.task, seen, nouns, rng)
    openings = look_called(look).views[setup.task]
    said = View(
        opening=pick(rng, openings),
        hazards=() if calm else hazards,
        others=others,
        scene=scene_said(setup.task, setup.conditions, nouns, rng),
        angle="seen from above" if view.pitch_rad < -1.2 else "",
        scene_first=setup.task != "robot" and rng.random() >= 0.5,
        needs_opening="" not in openings,
    )
    return _fitting(map(_text_of, _ever_shorter(said)))


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
