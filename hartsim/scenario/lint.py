"""What keeps a prompt from being painted as it is meant, and what would be better.

The rules say what models of this kind are known to do: they read so many words and no more, know
the words that they were trained on, draw whatever is named, and heed best what is said first.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from hartsim.scenario.compiled import CompiledScene
from hartsim.scenario.decency import INSTEAD_OF_HARM, INSTEAD_OF_NAMES, harm_in, person_in
from hartsim.scenario.kinds import KINDS
from hartsim.scenario.language import VAGUE_PLACES
from hartsim.scenario.lexicon import Role, Token, nearest_word, tokens_of, words_of
from hartsim.scenario.prompts import MOST_WORDS, beginning, counted, is_known
from hartsim.scenario.schema import TASKS
from hartsim.scenario.words import listing
from hartsim.types import Task

Severity = Literal["error", "warning"]
FindingId = Literal[
    "refused",
    "too_long",
    "negation",
    "contradiction",
    "no_hazard",
    "late_hazard",
    "unknown_word",
    "vague_word",
    "repetition",
]
SEVERITIES: Mapping[FindingId, Severity] = {
    "refused": "error",
    "too_long": "error",
    "negation": "error",
    "contradiction": "error",
    "no_hazard": "warning",
    "late_hazard": "warning",
    "unknown_word": "warning",
    "vague_word": "warning",
    "repetition": "warning",
}
"""An error is painted otherwise than it says; a warning perhaps."""

LATE = 30
"""A hazard that is first named after so many words is named late."""
NEGATIONS = frozenset({"not", "never", "nothing", "nobody", "none", "neither", "nor", "except"})
QUALITY = "leave it out: it says nothing that can be seen"
WHICH = "name it: a deer, a tyre, a pallet"
HOW = "say what makes it so: how near, what it does, which weather"
COUNT = "say how many: two, three"
WHERE = "say where: on the left, far ahead, behind a parked van"
VAGUE: Mapping[str, str] = {
    **dict.fromkeys(("thing", "things", "stuff", "something", "object", "objects", "item"), WHICH),
    **dict.fromkeys(("items", "hazard", "hazards", "obstacle", "obstacles", "danger"), WHICH),
    **dict.fromkeys(("dangerous", "scary", "risky", "critical", "bad", "weird", "unusual"), HOW),
    **dict.fromkeys(("extreme", "rare", "difficult", "interesting"), HOW),
    **dict.fromkeys(("somewhere", "anywhere", "someplace"), WHERE),
    **dict.fromkeys(("nice", "beautiful", "good", "great", "amazing", "awesome", "cool"), QUALITY),
    **dict.fromkeys(("realistic", "photorealistic", "detailed", "masterpiece", "quality"), QUALITY),
    **dict.fromkeys(("hd", "uhd", "k", "best", "ultra", "etc"), QUALITY),
    **dict.fromkeys(("various", "some", "multiple", "lots", "numerous"), COUNT),
}
"""Words that nothing in a picture answers to, and what to say instead."""
SUGGESTIVE = frozenset(
    (
        *("dark", "headlights", "lamp", "lamp light", "dim light", "bright light", "clouds"),
        *("dry", "wet", "icy", "winter", "storm", "snow-covered", "light"),
    )
)
"""They suggest a weather or a time but go with others too: a dark car by day, a wet road in fog."""

_SCENE: Mapping[Role, str] = {"place": "place", "weather": "weather", "time": "time of day"}
_TELLING: frozenset[Role] = frozenset(
    ("kind", "kinds", "place", "weather", "time", "ground", "colour", "dressed")
)
_REPEATED_WORDS = (3, 12)
"""How long a repeated phrase may be."""


@dataclass(frozen=True)
class Finding:
    """Something in a prompt: what it is, the words concerned, and what would be better."""

    id: FindingId
    words: str
    better: str

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return SEVERITIES[self.id]


def lint(
    prompt: str, task: Task | None = None, hazards: Collection[str] | None = None
) -> tuple[Finding, ...]:
    """What is wrong with a prompt, the worst first; nothing where all is well.

    Without a task it is the one to which most of the words belong. `hazards` are the kinds of which
    one has to be named, by id: by default all hazards of the catalogue; with none, none need be.
    """
    tokens = tokens_of(prompt)
    likely = task or _likely_task(tokens)
    found = [
        *_refused(prompt),
        *_too_long(prompt),
        *_negations(tokens),
        *([] if task else _strangers(tokens, likely)),
        *_contradictions(tokens, likely),
        *_missing_hazard(prompt, likely, hazards),
        *_unknown_words(prompt),
        *_vague_words(tokens),
        *_repetitions(prompt, tokens, likely),
    ]
    worst_first = list(SEVERITIES)
    return tuple(sorted(dict.fromkeys(found), key=lambda each: worst_first.index(each.id)))


def lint_scene(scene: CompiledScene) -> dict[str, tuple[Finding, ...]]:
    """What is wrong with every prompt of a scene, by route and camera or surface.

    Repetitions are its own affair: a scene with two deer says so twice.
    """
    task = scene.setup.task
    hazards = [thing.kind for thing in scene.setup.objects if thing.hazard]
    prompts = [(f"view {name}", text, hazards) for name, text in scene.view_prompts.items()]
    prompts += [(f"backdrop {name}", text, []) for name, text in scene.backdrop_prompts.items()]
    prompts += [(f"texture {name}", text, []) for name, text in scene.texture_prompts.items()]
    return {
        name: tuple(each for each in lint(text, task, named) if each.id != "repetition")
        for name, text, named in prompts
    }


def _likely_task(tokens: Sequence[Token]) -> Task:
    return max(TASKS, key=lambda task: sum(list(t.meanings) == [task] for t in tokens))


def _refused(prompt: str) -> Iterator[Finding]:
    if words := harm_in(prompt):
        yield Finding("refused", words, INSTEAD_OF_HARM)
    if name := person_in(prompt):
        yield Finding("refused", name, INSTEAD_OF_NAMES)


def _too_long(prompt: str) -> Iterator[Finding]:
    words = counted(prompt)
    if len(words) > MOST_WORDS:
        yield Finding(
            "too_long",
            " ".join(words[MOST_WORDS:]),
            f"say it in {MOST_WORDS} words, these are {len(words)}: what comes after is not read",
        )


def _negations(tokens: Sequence[Token]) -> Iterator[Finding]:
    better = (
        "name what is there, like 'an empty road': models draw what is named; what they should not "
        "draw belongs into the negative prompt"
    )
    for place, token in enumerate(tokens):
        is_none = any(role == "none" for role, _ in token.meanings.values())
        if is_none or _is_negation(token.phrase):
            words = " ".join(each.phrase for each in tokens[place : place + 2])
            yield Finding("negation", words, better)


def _contradictions(tokens: Sequence[Token], task: Task) -> Iterator[Finding]:
    for role, noun in _SCENE.items():
        phrases: dict[str, str] = {}
        for said in _said(tokens, task, role):
            phrases.setdefault(said.value, said.phrase)
        if len(phrases) > 1:
            better = f"a scene has one {noun}; keep one of them"
            yield Finding("contradiction", listing([*phrases.values()]), better)


def _strangers(tokens: Sequence[Token], task: Task) -> Iterator[Finding]:
    """Things that only scenes of another task have."""
    named = [token for token in tokens if task not in token.meanings]
    strangers = [
        token.phrase
        for token in named
        if any(role in ("kind", "kinds") for role, _ in token.meanings.values())
    ]
    if strangers:
        better = f"no {task} scene has that; describe one scene"
        yield Finding("contradiction", listing(strangers), better)


class Said(NamedTuple):
    """An id of the catalogue, the phrase that says it, and its place among the tokens."""

    value: str
    phrase: str
    place: int


def _said(tokens: Sequence[Token], task: Task, role: Role) -> list[Said]:
    """What is said of a scene outright."""
    return [
        Said(token.meanings[task][1], token.phrase, place)
        for place, token in enumerate(tokens)
        if task in token.meanings
        and token.meanings[task][0] == role
        and token.phrase not in SUGGESTIVE | VAGUE_PLACES
    ]


def _missing_hazard(prompt: str, task: Task, hazards: Collection[str] | None) -> Iterator[Finding]:
    known = [kind.id for kind in KINDS.values() if kind.hazard] if hazards is None else hazards
    if not known:
        return
    named = _hazards_in(prompt, task, known)
    if not named:
        better = "name one, like 'a deer crossing the road': pictures of hazards are wanted"
        yield Finding("no_hazard", "", better)
    elif not _hazards_in(beginning(prompt, LATE), task, known):
        better = f"name it first: after {LATE} words little is heeded"
        yield Finding("late_hazard", named[0], better)


def _hazards_in(text: str, task: Task, known: Collection[str]) -> list[str]:
    return [
        token.phrase
        for token in tokens_of(text)
        if task in token.meanings
        and token.meanings[task][0] in ("kind", "kinds")
        and token.meanings[task][1] in known
    ]


def _unknown_words(prompt: str) -> Iterator[Finding]:
    for word in words_of(prompt):
        if word[0].isalpha() and not (is_known(word) or word in VAGUE or _is_negation(word)):
            near = nearest_word(word)
            hint = f"did you mean '{near}'?" if near else "say it in the catalogue's words"
            yield Finding("unknown_word", word, f"{hint} (hart-mini has never seen this one)")


def _is_negation(word: str) -> bool:
    return word in NEGATIONS or word.endswith("n't")


def _vague_words(tokens: Sequence[Token]) -> Iterator[Finding]:
    for token in tokens:
        if token.phrase in VAGUE:
            yield Finding("vague_word", token.phrase, VAGUE[token.phrase])


def _repetitions(prompt: str, tokens: Sequence[Token], task: Task) -> Iterator[Finding]:
    words = words_of(prompt)
    for word, following in pairwise(words):
        if word == following and word[0].isalpha():
            yield Finding("repetition", f"{word} {following}", "say it once")
    if phrase := _repeated_phrase(words):
        yield Finding("repetition", phrase, "say it once, or count: 'two deer'")
    roles: tuple[Role, ...] = ("weather", "time")
    for role in roles:
        for said, again in pairwise(_said(tokens, task, role)):
            # side by side they are one description: an overcast grey sky
            if said.value == again.value and again.place > said.place + 1:
                twice = listing([said.phrase, again.phrase])
                yield Finding("repetition", twice, f"say the {_SCENE[role]} once")


def _repeated_phrase(words: Sequence[str]) -> str:
    """The longest phrase that stands there twice and says something; empty where none does."""
    shortest, longest = _REPEATED_WORDS
    for length in range(min(longest, len(words) // 2), shortest - 1, -1):
        for start in range(len(words) - 2 * length + 1):
            phrase = words[start : start + length]
            rest = words[start + length :]
            again = any(rest[at : at + length] == phrase for at in range(len(rest)))
            if again and sum(map(_says_something, phrase)) > 1:
                return " ".join(_trimmed(phrase))
    return ""


def _trimmed(phrase: Sequence[str]) -> Sequence[str]:
    """Without the little words at its ends."""
    telling = [at for at, word in enumerate(phrase) if _says_something(word)]
    return phrase[telling[0] : telling[-1] + 1]


def _says_something(word: str) -> bool:
    """Whether it is a word for something seen, or an unknown one."""
    if word in VAGUE_PLACES:
        return False
    roles = {role for token in tokens_of(word) for role, _ in token.meanings.values()}
    return not roles or bool(roles & _TELLING)
