"""What words mean: every phrase of the catalogue, and the words that say how many and where.

A phrase may mean one thing on a road and another on a table ("a puddle"); each task has its own.
The words that the catalogue does not bring are in `data/words.yaml`.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from hartsim.scenario.catalogue import COLOURS
from hartsim.scenario.kinds import KINDS
from hartsim.scenario.nodes import Node
from hartsim.scenario.schema import TASKS
from hartsim.scenario.surroundings import GROUNDS, PLACES, TIMES, WEATHERS
from hartsim.scenario.tables import read_table, texts_in
from hartsim.scenario.words import bare, plural_of
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
    "crossing place",
    "speed",
    "fetch",
    "count",
    "host",
    "host it",
    "none",
    "together",
    "article",
    "the",
    "and",
    "or",
    "comma",
    "stop",
    "nothing",
]
Meaning = tuple[Role, str]

_PIECE = re.compile(r"\d+(?:\.\d+)?|[a-z]+(?:['-][a-z]+)*|[.,;:!?]")
_PUNCTUATION: Mapping[str, Role] = {",": "comma", **dict.fromkeys(".;:!?", "stop")}
_GARMENTS = (
    *("jacket", "coat", "shirt", "t-shirt", "hoodie", "dress", "vest", "sweater", "raincoat"),
    *("jumper", "suit", "top", "uniform", "anorak", "parka", "poncho"),
)
WORDS_FILE = "words.yaml"
FARTHEST_M = 1e6
"""Farther than anything may be, so that any number of digits can be told apart from words."""


@dataclass(frozen=True)
class Token:
    """A phrase of a sentence and what it means to each task; nothing where it is unknown."""

    phrase: str
    meanings: Mapping[Task, Meaning]


def words_of(text: str) -> list[str]:
    """Lower-case words and numbers; `12m` is two."""
    return [piece for piece in _pieces(text) if piece not in _PUNCTUATION]


def _pieces(text: str) -> list[str]:
    """Lower-case words, numbers and marks."""
    return _PIECE.findall(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))


def tokens_of(text: str) -> list[Token]:
    """The sentence cut into numbers, marks, the longest phrases known, and unknown words."""
    spellings = _small_words().spellings
    pieces = [spellings.get(piece, piece) for piece in _pieces(text)]
    tokens, start = [], 0
    while start < len(pieces):
        token, length = _token_at(pieces[start:])
        tokens.append(token)
        start += length
    return tokens


def nearest_word(word: str) -> str:
    """The known word that an unknown one may be a misspelling of, empty where none comes close."""
    return next(iter(difflib.get_close_matches(word, _telling_words(), n=1, cutoff=0.72)), "")


@cache
def _telling_words() -> list[str]:
    """The words of phrases that say something, and not only hold a sentence together."""
    small: set[Role] = {"nothing", "article", "the", "and", "or", "together", "host", "host it"}
    phrases = {
        phrase
        for phrase, meanings in _lexicon()[0].items()
        if not small.issuperset(role for role, _ in meanings.values())
    }
    return sorted({word for phrase in phrases for word in phrase})


def _token_at(pieces: Sequence[str]) -> tuple[Token, int]:
    """The token at the start of these pieces, and how many of them it takes."""
    first = pieces[0]
    if first in _PUNCTUATION:
        return Token(first, dict.fromkeys(TASKS, (_PUNCTUATION[first], first))), 1
    if first[0].isdigit():
        return _number_at(pieces)
    lexicon, longest = _lexicon()
    for length in range(min(len(pieces), longest), 0, -1):
        if tuple(pieces[:length]) in lexicon:
            return Token(" ".join(pieces[:length]), lexicon[tuple(pieces[:length])]), length
    return Token(first, {}), 1


def _number_at(pieces: Sequence[str]) -> tuple[Token, int]:
    """A speed, a distance or a count."""
    words, number = _small_words(), float(pieces[0])
    for unit, factor in words.speeds.items():
        if tuple(pieces[1 : 1 + len(unit)]) == unit:
            speed: Meaning = ("speed", str(number * factor))
            return Token(" ".join(pieces[: 1 + len(unit)]), {"driving": speed}), 1 + len(unit)
    if len(pieces) > 1 and pieces[1] in words.metres:
        away = len(pieces) > 2 and pieces[2] == "away"
        metres = f"{min(round(number * words.metres[pieces[1]], 2), FARTHEST_M):g}"
        meaning: Meaning = ("distance", metres)
        return Token(pieces[0], dict.fromkeys(TASKS, meaning)), 2 + away
    return Token(pieces[0], dict.fromkeys(TASKS, ("count", pieces[0]))), 1


@dataclass(frozen=True)
class _SmallWords:
    """`words.yaml`: what is looked up while a sentence is cut, and the rest as nodes."""

    spellings: Mapping[str, str]
    metres: Mapping[str, float]
    speeds: Mapping[tuple[str, ...], float]
    entries: Mapping[str, Node]


@cache
def _small_words() -> _SmallWords:
    entries = read_table(WORDS_FILE).entries()
    speeds = entries["metres_a_second"].entries()
    return _SmallWords(
        {word: node.text() for word, node in entries["spellings"].entries().items()},
        {unit: node.number() for unit, node in entries["metres"].entries().items()},
        {tuple(unit.split()): node.number() for unit, node in speeds.items()},
        entries,
    )


@cache
def _lexicon() -> tuple[dict[tuple[str, ...], dict[Task, Meaning]], int]:
    """Every known phrase, as words, with its meanings, and the length of the longest.

    Of two meanings for one task the earlier counts.
    """
    lexicon: dict[tuple[str, ...], dict[Task, Meaning]] = {}
    for tasks, meaning, phrases in (*_doings(), *_catalogue(), *_common()):
        for phrase in phrases:
            meanings = lexicon.setdefault(tuple(words_of(phrase)), {})
            for task in tasks:
                meanings.setdefault(task, meaning)
    return lexicon, max(map(len, lexicon))


Line = tuple[Sequence[Task], Meaning, Iterable[str]]
"""Tasks, what the phrases mean to them, and the phrases."""
ROAD: tuple[Task, ...] = ("driving",)
TABLE: tuple[Task, ...] = ("robot",)


def _doings() -> Iterator[Line]:
    """Where things of the road are, what they do, what lies there, and what a robot is to do."""
    words = _small_words().entries
    for lane, node in words["lanes"].entries().items():
        yield ROAD, ("lane", lane), texts_in(node)
    for motion, node in words["motions"].entries().items():
        yield ROAD, ("motion", motion), texts_in(node)
    crossing = words["crossing"].entries()
    for forms in texts_in(crossing["verbs"]):
        for way in texts_in(crossing["ways"]):
            yield ROAD, ("motion", "crosses"), [f"{form} {way}" for form in forms.split()]
    rolling = texts_in(words["motions"].entries()["rolls"])
    for way in texts_in(crossing["ways"]):
        yield TASKS, ("motion", "rolls"), [f"{form} {way}" for form in rolling]
    yield ROAD, ("crossing place", "crosses"), texts_in(crossing["places"])
    yield ROAD, ("crossing place", "enters"), texts_in(words["entering"])
    yield TABLE, ("motion", "rolls"), rolling
    for ground in GROUNDS.values():
        yield ROAD, ("ground", ground.id), ground.all_phrases
    yield ROAD, ("nothing", ""), texts_in(words["front"])
    yield TABLE, ("distance", "near"), texts_in(words["front"])
    yield TABLE, ("fetch", ""), texts_in(words["fetch"])
    hosts = words["hosts"].entries()
    yield ROAD, ("host", "behind"), texts_in(hosts["driving"])
    yield ROAD, ("host", "beside"), texts_in(hosts["beside"])
    yield TABLE, ("host", "beside"), [*texts_in(hosts["robot"]), *texts_in(hosts["beside"])]
    yield TABLE, ("host", "beside"), texts_in(hosts["driving"])
    at_hand = [
        phrase for phrase in texts_in(hosts["robot"]) if phrase.startswith(("near", "close"))
    ]
    yield ROAD, ("nothing", ""), at_hand
    for phrase in texts_in(hosts["it"]):
        yield ROAD, ("host it", "behind" if "behind" in phrase else "beside"), [phrase]
        yield TABLE, ("host it", "beside"), [phrase]


def _catalogue() -> Iterator[Line]:
    for kind in KINDS.values():
        nouns = [*map(bare, kind.nouns), *kind.synonyms]
        yield (kind.task,), ("kind", kind.id), nouns
        one_of_them = any(noun.endswith(f" {kind.plural}") for noun in nouns)
        plurals = [kind.plural, *map(plural_of, nouns)]
        yield (kind.task,), ("kind" if one_of_them else "kinds", kind.id), plurals[:1]
        yield (kind.task,), ("kinds", kind.id), plurals[1:]
    for kind in KINDS.values():
        yield (kind.task,), ("nothing", ""), kind.actions
    for place in PLACES.values():
        nouns = [*place.nouns, *place.synonyms]
        yield (place.task,), ("place", place.id), [*nouns, *map(plural_of, nouns)]


def _common() -> Iterator[Line]:
    """What means the same on a road and on a table."""
    words = _small_words().entries
    for colour in COLOURS:
        yield TASKS, ("colour", colour), [colour, f"{colour}-coloured", f"{colour} coloured"]
        dressed = [
            f"{how} {colour}"
            for how in ("in", "wearing", "wears", "dressed in", "clad in", "clothed in", "all in")
        ]
        dressed += [
            f"{how} a {colour} {garment}"
            for how in ("in", "with", "wearing", "wears", "dressed in", "clad in")
            for garment in _GARMENTS
        ]
        yield TASKS, ("dressed", colour), dressed
    for number, node in words["numbers"].entries().items():
        yield TASKS, ("count", str(node.number())), [number]
    for side, node in words["sides"].entries().items():
        yield TASKS, ("side", side), texts_in(node)
    for distance, node in words["distances"].entries().items():
        yield TASKS, ("distance", distance), texts_in(node)
    yield TASKS, ("none", ""), texts_in(words["none"])
    for weather in WEATHERS.values():
        phrases = weather.all_phrases
        said = [phrase.removeprefix("in ").removeprefix("under ") for phrase in phrases]
        yield TASKS, ("weather", weather.id), [*phrases, *said]
    for time in TIMES.values():
        yield TASKS, ("time", time.id), time.all_phrases
    yield TASKS, ("together", ""), texts_in(words["together"])
    yield TASKS, ("article", ""), ("a", "an", "another", "some", "any", "every", "each")
    yield TASKS, ("the", ""), ("the", "this", "that")
    yield TASKS, ("and", ""), ("and",)
    yield TASKS, ("or", ""), ("or",)
    yield TASKS, ("nothing", ""), texts_in(words["asides"])
    yield TASKS, ("nothing", ""), words["fillers"].text().split()
