"""What is said of things and of their scene: nouns, what they do, where they are, the weather.

Where things are is said as the picture shows it: left and right in the image, near and far.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hartsim.scenario.catalogue import colour_name
from hartsim.scenario.compiled import Conditions
from hartsim.scenario.draw import pick
from hartsim.scenario.sightings import Sighting
from hartsim.scenario.surroundings import GROUNDS, PLACES, TIMES, WEATHERS
from hartsim.scenario.words import qualified, spoken, with_article
from hartsim.types import Task

Rng = np.random.Generator

Nouns = Callable[[Sequence[str], Sequence[str]], Sequence[str]]
"""The nouns that may be said, of those that prompts are written with and those only understood."""

HIDING_CLASSES = ("car", "truck", "bus")
PARKING_KINDS = ("car", "van", "truck", "bus", "motorcycle")
ROAD_LEFT_M = (-1.9, 5.3)
"""The road reaches from its right kerb to the far side of the oncoming lane."""
RIDERS = ("cyclist", "child_on_bicycle", "horse_rider")
"""Kinds whose colour is that of clothes, besides people."""
ON_THE_LENS = ("dirty_lens", "lens_drops", "sun_glare")
"""Kinds that lie over the whole picture, and at no distance."""
MOST_OTHERS = 2
"""How many harmless things a sentence names besides the hazards."""

DISTANCES: Mapping[str, tuple[str, ...]] = {
    "near": ("close", "very near", "close ahead"),
    "middle": ("ahead", "a short way ahead", "a few metres ahead"),
    "far": ("far ahead", "in the distance", "far away"),
}
SIDES: Mapping[str, tuple[str, ...]] = {
    "left": ("on the left", "to the left"),
    "middle": ("in the middle", "straight ahead"),
    "right": ("on the right", "to the right"),
}
SNOWY = ("with snow on the road", "with a snow-covered road", "")
WET = ("with wet asphalt", "with a wet shining road", "")


def written(nouns: Sequence[str], synonyms: Sequence[str]) -> Sequence[str]:
    """What prompts are written with."""
    return nouns


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


def things_said(
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
    how_far = pick(rng, DISTANCES[distance])
    if rng.random() < 0.2:
        how_far = f"{round(seen.distance_m)} metres ahead"
    if side == "middle" and "ahead" in how_far:
        return how_far
    return spoken(how_far, pick(rng, SIDES[side]))


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


def scene_said(task: Task, conditions: Conditions, nouns: Nouns, rng: Rng) -> SceneWords:
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
        return pick(rng, SNOWY)
    return pick(rng, WET) if conditions.wetness > 0.5 else ""
