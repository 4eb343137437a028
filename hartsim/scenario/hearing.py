"""From the tokens of a sentence to the things it names, each with what is said about it.

One pass from left to right. What is said of a thing follows it ("a deer on the left") or comes just
before it ("on the left a deer"); what is said of something that the catalogue does not know is not
laid on the thing before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from hartsim.scenario.kinds import KINDS
from hartsim.scenario.lexicon import Role, Token
from hartsim.scenario.staging import VEHICLES, Thing
from hartsim.types import Task

MOST_OF_A_KIND = 6
LIVING = frozenset({"person", "animal", "two_wheeler"})
LIGHT_ROLES: frozenset[Role] = frozenset({"nothing", "article", "the", "count", "colour"})
"""They may stand between a position and the thing it belongs to."""
BREAKS: frozenset[Role] = frozenset({"comma", "stop", "and", "or"})


class Meant(NamedTuple):
    """A phrase with its meaning for the task of the sentence; None where it has none."""

    role: Role | None
    value: str
    phrase: str


def heard_as(token: Token, task: Task) -> Meant:
    """What a token means for a task."""
    role, value = token.meanings.get(task, (None, ""))
    return Meant(role, value, token.phrase)


class Heard:
    """What a sentence says of things: `things` and `reach`, the place of one of them.

    Of the words that are not known, `unknown` name something, and `passed_over` tell only how
    things are or what else they do.
    """

    def __init__(self, task: Task, tokens: Sequence[Token]) -> None:
        self.task = task
        self.meant = [heard_as(token, task) for token in tokens]
        self.things: list[Thing] = []
        self.reach: int | None = None
        self.unknown: list[str] = []
        self.passed_over: list[str] = []
        self._absent = negated(self.meant)
        self._waiting: dict[str, str] = {}
        self._current: int | None = None
        self._group: list[int] = []
        self._shared = False
        self._seeks_host: int | None = None
        self._first_host: int | None = None
        self._fetching = False
        self._of_stranger = False
        self._leaning = ""
        for place, each in enumerate(self.meant):
            self._hear(place, each)

    def present(self) -> Iterator[Meant]:
        """What is meant, without what the sentence says is absent."""
        return (m for m, absent in zip(self.meant, self._absent, strict=True) if not absent)

    def _hear(self, place: int, each: Meant) -> None:
        role, value, phrase = each
        if role is None:
            self._meet_stranger(place, phrase)
        elif self._absent[place]:
            if role in ("kind", "kinds"):
                self.things.append(Thing(KINDS[value], count=0))
                self._forget()
        elif role in ("kind", "kinds"):
            self._meet(place, value, several=role == "kinds")
        elif role in ("count", "colour"):
            self._qualify(place, role, value)
        elif role in ("side", "distance", "lane"):
            self._locate(place, role, value)
        elif role in ("motion", "crossing place"):
            for index in self._about():
                self.things[index] = _moving(self.things[index], value, role == "motion")
        elif role == "dressed":
            self._say("colour", value)
        elif role == "host":
            self._seeks_host, self._leaning = self._current, value
            self._first_host = -1 if self._current is None else None
        elif role == "host it":
            self._leaning = value
            self._lean_on_last()
        elif role == "fetch":
            self._fetching = self.reach is None
        elif role == "together":
            self._shared = len(self._group) > 1
        elif role == "stop":
            self._group, self._shared, self._seeks_host = [], False, None

    def _meet(self, place: int, kind_id: str, several: bool) -> None:
        """A thing is named: a new one, or one of those named before."""
        index = self._named_before(place, kind_id)
        if index is None:
            index = len(self.things)
            count = self._waiting.pop("count", "2" if several else "1")
            number = int(min(float(count), MOST_OF_A_KIND))
            self.things.append(Thing(KINDS[kind_id], number))
            joined = self._joined(place)
            self._group, self._shared = [*(self._group if joined else []), index], False
        if self._seeks_host not in (None, index):
            self._host(self._seeks_host, index)
        elif self._first_host == -1:
            self._first_host = index
        elif self._first_host is not None:
            self._host(index, self._first_host)
            self._first_host = None
        elif self._fetching:
            self.reach, self._fetching = index, False
        self._seeks_host, self._current, self._of_stranger = None, index, False
        for name in tuple(self._waiting):
            self._say(name, self._waiting.pop(name))

    def _named_before(self, place: int, kind_id: str) -> int | None:
        """The thing that these words mean again: `the van` after a van, `tree trunk` as one."""
        before = self.meant[place - 1] if place else None
        alike = [i for i, t in enumerate(self.things) if t.kind.id == kind_id and t.count]
        if before is None or not alike:
            return None
        adjacent = before.role == "kind" and before.value == kind_id
        return alike[-1] if adjacent or (before.role == "the" and not self._waiting) else None

    def _joined(self, place: int) -> bool:
        """Whether only `and`, a comma and light words lie between this thing and the last one."""
        seen_break = False
        for each in reversed(self.meant[:place]):
            if each.role in ("and", "comma"):
                seen_break = True
            elif each.role in ("kind", "kinds"):
                return seen_break and self._current is not None
            elif each.role not in LIGHT_ROLES:
                return False
        return False

    def _meet_stranger(self, place: int, phrase: str) -> None:
        """A word that is not known; where it names something, what follows is said of that."""
        if names_something(self.meant, place):
            self.unknown.append(phrase)
            self._forget()
        else:
            self.passed_over.append(phrase)

    def _forget(self) -> None:
        """What follows is said of something that is not there, or that nobody knows."""
        self._current, self._seeks_host, self._shared = None, None, False
        self._fetching, self._of_stranger = False, True
        self._waiting.clear()

    def _qualify(self, place: int, role: Role, value: str) -> None:
        """A number or a colour belongs to what follows, or else a colour to what was named."""
        follower = self._next(place)
        noun = KINDS.get(value)
        if noun is not None and noun.task == self.task and follower not in ("kind", "kinds"):
            self._meet(place, value, several=False)  # an orange is both
        elif follower in ("kind", "kinds"):
            self._waiting[role] = value
        elif role == "colour" and follower is not None:
            self._say("colour", value)

    def _locate(self, place: int, role: Role, value: str) -> None:
        """A position belongs to the thing before it, or to the one that follows at once."""
        before = self.meant[place - 1].role if place else "stop"
        back = place - 1
        while before in ("nothing", "the", "article") and back > 0:
            back -= 1
            before = self.meant[back].role
        opens = before in BREAKS or (back <= 0 and before not in ("kind", "kinds"))
        follows = opens and self._next(place) in ("kind", "kinds")
        if follows or (self._current is None and not self._of_stranger):
            self._waiting[role] = value
        else:
            self._say(role, value)

    def _next(self, place: int) -> Role | None:
        """The role of the next phrase that says something; None for an unknown word."""
        for each in self.meant[place + 1 :]:
            if each.role not in LIGHT_ROLES:
                return each.role
        return "stop"

    def _about(self) -> list[int]:
        """The things that words are about now."""
        if self._shared:
            return self._group
        return [] if self._current is None else [self._current]

    def _say(self, name: str, value: str) -> None:
        for index in self._about():
            thing = self.things[index]
            if name == "distance" and thing.distance[:1].isdigit() and not value[:1].isdigit():
                continue
            said: dict[str, Any] = {name: value}
            self.things[index] = replace(thing, **said)

    def _host(self, index: int | None, host: int) -> None:
        if index is not None and index != host and self.things[host].host != index:
            self.things[index] = replace(self.things[index], host=host, leaning=self._leaning)

    def _lean_on_last(self) -> None:
        """`behind it`: by the thing that was named before this one."""
        others = [i for i, t in enumerate(self.things) if t.count and i != self._current]
        if others and self._current is not None:
            self._host(self._current, others[-1])


def names_something(meant: Sequence[Meant], place: int) -> bool:
    """Whether an unknown word looks like a noun and not like a verb, an adverb or an adjective.

    In `a rusty zeppelin drifts low` that is the last of the unknown words after the article before
    one that looks like a verb; before a known noun all are adjectives.
    """
    first, last = place, place
    while first and meant[first - 1].role is None:
        first -= 1
    while last + 1 < len(meant) and meant[last + 1].role is None:
        last += 1
    words = [each.phrase for each in meant[first : last + 1]]
    before = meant[first - 1] if first else Meant("stop", "", "")
    after = meant[last + 1].role if last + 1 < len(meant) else "stop"
    if meant[place].phrase in NOT_TO_BE_HAD:
        return True
    if before.role in ("article", "the", "count", "colour", "none"):
        noun = next((i for i, w in enumerate(words[1:]) if _like_a_verb(w)), len(words) - 1)
        known_noun = after in ("kind", "kinds", "place", "weather", "time", "comma")
        if (
            known_noun
            and noun == len(words) - 1
            and (after != "comma" or _is_adjective(meant, last))
        ):
            return False
        return place == first + noun
    opens = before.phrase in ("with", "by", "of")
    if before.role in BREAKS:
        follows_noun = first > 1 and meant[first - 2].role in ("kind", "kinds", None)
        opens = not (follows_noun and after in BREAKS)
    return opens and place == first and not _like_a_verb(words[0])


def _is_adjective(meant: Sequence[Meant], last: int) -> bool:
    """Whether more adjectives and a known noun follow the comma: `a massive, jagged boulder`."""
    rest = meant[last + 2 : last + 4]
    return len(rest) == 2 and rest[0].role is None and rest[1].role in ("kind", "kinds")


NOT_TO_BE_HAD = frozenset(
    ("purple", "pink", "violet", "turquoise", "beige", "golden", "magenta", "cyan", "striped")
)
"""Adjectives that a picture would show, and that no catalogue colour can."""


def _like_a_verb(word: str) -> bool:
    return word.endswith(("ing", "ed", "ly")) or (word.endswith("s") and not word.endswith("ss"))


def negated(meant: Sequence[Meant]) -> list[bool]:
    """Which phrases are said to be absent: the first that tells something after `no`, and so on."""
    absent, marks, again = False, [], False
    for role, _, _ in meant:
        telling = role in ("kind", "kinds", "place", "weather", "time", "ground")
        marks.append((absent and telling) or role == "none")
        if role == "none":
            absent = True
        elif telling:
            absent, again = False, absent
        elif role == "or":
            absent = again
        elif role in ("stop", None):
            absent, again = False, False
    return marks


def _moving(thing: Thing, motion: str, surely: bool) -> Thing:
    """The thing with its motion, if it is one that such things do; the first told counts."""
    living, vehicle = thing.kind.class_name in LIVING, thing.kind.class_name in VEHICLES
    if motion == "enters":
        motion = "cuts_in" if vehicle and not living else "crosses"
    if motion == "rolls" and living:
        motion = "crosses"
    if thing.motion or (motion == "crosses" and not (living or (surely and thing.kind.moves))):
        return thing
    if motion in ("cuts_in", "brakes") and not vehicle:
        return thing
    return replace(thing, motion=motion)
