"""What words mean: every phrase of the catalogue, and the words that say how many and where.

A phrase may mean one thing on a road and another on a table ("a puddle"); each task has its own.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from hartsim.scenario.catalogue import COLOURS
from hartsim.scenario.kinds import KINDS
from hartsim.scenario.schema import TASKS
from hartsim.scenario.surroundings import GROUNDS, PLACES, TIMES, WEATHERS
from hartsim.scenario.words import bare
from hartsim.types import Task

Role = Literal[
    "kind",
    "kinds",
    "place",
    "weather",
    "time",
    "ground",
    "colour",
    "dressed",
    "side",
    "distance",
    "lane",
    "motion",
    "speed",
    "reach",
    "count",
    "host",
    "none",
    "nothing",
]
Meaning = tuple[Role, str]

_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "several": 3, "many": 4}
_METRES = frozenset({"m", "metre", "metres", "meter", "meters"})
_SPEEDS: Mapping[tuple[str, ...], float] = {
    ("km", "h"): 1 / 3.6,
    ("kmh",): 1 / 3.6,
    ("kph",): 1 / 3.6,
    ("km", "per", "hour"): 1 / 3.6,
    ("kilometres", "per", "hour"): 1 / 3.6,
    ("kilometers", "per", "hour"): 1 / 3.6,
    ("mph",): 0.44704,
    ("miles", "per", "hour"): 0.44704,
    ("m", "s"): 1.0,
    ("mps",): 1.0,
    ("metres", "per", "second"): 1.0,
    ("meters", "per", "second"): 1.0,
}
"""Units of speed in metres a second."""
_LANES = {
    "oncoming": (
        *("in the oncoming lane", "in the opposite lane", "oncoming", "in the other lane"),
        *("on the other side of the road", "on the opposite side of the road"),
    ),
    "kerb": (
        *("at the kerb", "at the curb", "on the shoulder", "on the hard shoulder"),
        *("at the roadside", "by the roadside", "at the side of the road", "beside the road"),
        *("on the side of the road", "by the side of the road", "on the verge", "roadside"),
    ),
    "pavement": ("on the pavement", "on the sidewalk", "on the footpath"),
    "left": ("in the left lane", "in the overtaking lane", "in the fast lane"),
    "ego": ("in the lane", "in our lane", "in my lane", "in the ego lane", "in the ego's lane"),
}
_MOTIONS = {
    "crosses": (
        *("runs out", "running out", "run out", "comes out", "coming out", "steps out"),
        *("stepping out", "darts out", "darting out", "crosses", "crossing", "cross"),
        *("runs across", "running across", "walks across", "walking across", "dashes across"),
        *("runs into the road", "running into the road", "walks into the road"),
        *("walking into the road", "steps into the road", "stepping into the road"),
        *("runs onto the road", "running onto the road", "runs into the street"),
        *("running into the street", "crosses the road", "crossing the road"),
        *("crosses the street", "crossing the street", "leaping across the road"),
        *("leaps across the road", "jumps into the road", "riding across the road"),
        *("rides across the road", "running across the road", "runs across the road"),
        *("walking across the road", "walks across the road", "rides out", "riding out"),
    ),
    "cuts_in": (
        *("cuts in", "cutting in", "cut in", "swerves in", "swerving into the lane"),
        *("swerves into the lane", "swerving into our lane", "swerves into our lane"),
        *("cuts into our lane", "cutting into our lane", "merges", "merging", "merges in"),
        *("pulls out", "pulling out", "changes into our lane", "changing lanes", "changes lanes"),
    ),
    "brakes": (
        *("brakes", "braking", "brakes hard", "braking hard", "stops suddenly", "slams the brakes"),
        *("stopping suddenly", "slows down", "slowing down", "brakes suddenly", "suddenly brakes"),
    ),
    "falls": (
        *("falls", "falling", "falls off", "falling off", "drops", "dropping", "fall", "tumbles"),
        *("falls from", "falling from", "falls onto the road", "falling onto the road"),
    ),
    "rolls": (
        *("rolls", "rolling", "rolls into the road", "rolling into the road", "roll"),
        *("rolls onto the road", "rolling onto the road", "bounces", "bouncing"),
        *("bouncing into the road", "bounces into the road", "rolls across the road"),
    ),
}
_REACH = (
    *("pick", "pick up", "picks up", "picking up", "grasp", "grasps", "grasping", "grab", "grabs"),
    *("fetch", "fetches", "fetching", "reach for", "reaches for", "reaching for", "take", "takes"),
    *("lift", "lifts", "lifting", "move", "moves", "hand over", "hands over", "bring", "brings"),
    *("get", "gets", "wants", "must grasp", "has to grasp", "grip", "grips", "gripping", "push"),
)
_SIDES = {
    "left": ("left",),
    "right": ("right",),
    "middle": ("middle", "straight ahead", "centre", "center", "dead ahead"),
}
_DISTANCES = {
    "near": ("near", "nearby", "close", "in front", "front", "in front of the car"),
    "far": ("far", "away", "distant", "distance", "back"),
}
_BEHIND = ("behind",)
_NONE = ("no", "without", "without any", "not any", "free of")
_BESIDE = ("next to", "beside", "near a", "near an", "near the", "close to", "in front of a")

_FILLERS = (
    "a an the of on in at with and from to by into is are it its his her their there that while "
    "under over ahead out comes coming come runs running run steps stepping walks walking walk "
    "stands standing stand lies lying lie crosses crossing cross seen view photo picture image "
    "scene dashcam camera robot driver's driver driving drives parked sky weather conditions light "
    "wearing dressed across onto above beside along short way few metres very empty riding asphalt "
    "shining road-side roadside"
)
_WORD = re.compile(r"\d+(?:\.\d+)?|[a-z]+(?:['-][a-z]+)*")


@dataclass(frozen=True)
class Token:
    """A phrase of a sentence and what it means to each task; nothing where it is unknown."""

    phrase: str
    meanings: Mapping[Task, Meaning]


def words_of(text: str) -> list[str]:
    """Lower-case words and numbers; `12m` is two."""
    return _WORD.findall(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))


def tokens_of(text: str) -> list[Token]:
    """The sentence cut into numbers, the longest phrases that are known, and unknown words."""
    words = words_of(text)
    tokens, start = [], 0
    while start < len(words):
        token, length = _token_at(words[start:])
        tokens.append(token)
        start += length
    return tokens


def nearest_word(word: str) -> str:
    """The known word that an unknown one may be a misspelling of, empty where none comes close."""
    known = sorted({each for phrase in _lexicon()[0] for each in phrase})
    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=0.65)), "")


def _token_at(words: Sequence[str]) -> tuple[Token, int]:
    """The token at the start of these words, and how many of them it takes."""
    if words[0][0].isdigit():
        for unit, factor in _SPEEDS.items():
            if tuple(words[1 : 1 + len(unit)]) == unit:
                phrase = " ".join(words[: 1 + len(unit)])
                speed: Meaning = ("speed", str(float(words[0]) * factor))
                return Token(phrase, {"driving": speed}), 1 + len(unit)
        in_metres = len(words) > 1 and words[1] in _METRES
        role: Role = "distance" if in_metres else "count"
        return Token(words[0], dict.fromkeys(TASKS, (role, words[0]))), 1 + in_metres
    lexicon, longest = _lexicon()
    for length in range(min(len(words), longest), 0, -1):
        if tuple(words[:length]) in lexicon:
            return Token(" ".join(words[:length]), lexicon[tuple(words[:length])]), length
    return Token(words[0], {}), 1


@cache
def _lexicon() -> tuple[dict[tuple[str, ...], dict[Task, Meaning]], int]:
    """Every known phrase, as words, with its meanings, and the length of the longest.

    Of two meanings for one task the earlier counts.
    """
    lexicon: dict[tuple[str, ...], dict[Task, Meaning]] = {}
    for task, phrase, meaning in (*_doings(), *_things_and_places(), *_common()):
        lexicon.setdefault(tuple(words_of(phrase)), {}).setdefault(task, meaning)
    return lexicon, max(map(len, lexicon))


def _doings() -> Iterator[tuple[Task, str, Meaning]]:
    """Where things of the road are, what they do, what lies there, and what a robot is to do."""
    for lane, phrases in _LANES.items():
        for phrase in phrases:
            yield "driving", phrase, ("lane", lane)
    for motion, phrases in _MOTIONS.items():
        for phrase in phrases:
            yield "driving", phrase, ("motion", motion)
    for phrase in _MOTIONS["rolls"]:
        yield "robot", phrase, ("motion", "rolls")
    for ground in GROUNDS.values():
        for phrase in ground.all_phrases:
            yield "driving", phrase, ("ground", ground.id)
    for phrase in _REACH:
        yield "robot", phrase, ("reach", "")


def _things_and_places() -> Iterator[tuple[Task, str, Meaning]]:
    for kind in KINDS.values():
        for noun in (*map(bare, kind.nouns), *kind.synonyms):
            yield kind.task, noun, ("kind", kind.id)
        for noun in (kind.plural, *(f"{bare(noun)}s" for noun in kind.nouns)):
            yield kind.task, noun, ("kinds", kind.id)
        for action in kind.actions:
            yield kind.task, action, ("nothing", "")
    for place in PLACES.values():
        for noun in (*place.nouns, *place.synonyms):
            yield place.task, noun, ("place", place.id)
    for phrase in _BESIDE:
        yield "robot", phrase, ("host", "")
        yield "driving", phrase, ("nothing", "")


def _common() -> Iterator[tuple[Task, str, Meaning]]:
    """What means the same on a road and on a table."""
    meanings: list[tuple[Role, str, Sequence[str]]] = [
        *(("colour", colour, [colour]) for colour in COLOURS),
        *(("dressed", colour, [f"in {colour}"]) for colour in COLOURS),
        *(("count", str(number), [word]) for word, number in _NUMBERS.items()),
        *(("side", side, phrases) for side, phrases in _SIDES.items()),
        *(("distance", distance, phrases) for distance, phrases in _DISTANCES.items()),
        ("host", "", _BEHIND),
        ("none", "", _NONE),
        *(("weather", each.id, each.all_phrases) for each in WEATHERS.values()),
        *(("time", each.id, each.all_phrases) for each in TIMES.values()),
        ("nothing", "", _FILLERS.split()),
    ]
    for role, value, phrases in meanings:
        for phrase in phrases:
            for task in TASKS:
                yield task, phrase, (role, value)
