"""What texts may not ask for: hazards are shown before harm is done, and nobody real is shown.

The lists are in `data/decency.yaml`, and short on purpose. They are there so that nobody gets such
pictures by a careless sentence, and would rather let a strange text pass than stop an honest one.
"""

import re
from collections.abc import Iterator

from hartsim.errors import ScenarioError
from hartsim.scenario.prompts import is_known
from hartsim.scenario.tables import read_table, texts_in

INSTEAD_OF_HARM = (
    "hazards are shown before harm: say what is about to happen, like 'a child running into the "
    "road in front of a truck'"
)
INSTEAD_OF_NAMES = (
    "say what one sees of them, like 'a man in a suit', and write names of things and places in "
    "small letters"
)

MOST_TITLE_CASE = 4
"""From so many longer words on, a text in which each has a capital is a headline."""
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_BREAK = re.compile(r"[,;:!?()\"/\n]|(?<=[^\W\d_]{5})\.\s")
_TABLE = read_table("decency.yaml")


def _words(name: str) -> frozenset[str]:
    return frozenset(texts_in(_TABLE.member(name)))


def _phrases(name: str) -> re.Pattern[str]:
    """Any of a list of expressions, as whole words."""
    expression = "|".join(texts_in(_TABLE.member(name)))
    for part in ("person", "limb", "vehicle", "count", "being"):
        expression = expression.replace(part.upper(), _TABLE.member(part).text())
    return re.compile(rf"\b(?:{expression})\b")


_HARM, _HARMLESS, _FIGURES = _phrases("harm"), _phrases("harmless"), _phrases("figures")
_TITLES = _words("titles")
_NAMES_OF_NO_PERSON = _words("brands") | _words("places") | _words("calendar")


def refuse(text: str, source: str) -> None:
    """Raise ScenarioError for a text that asks for harm done or for a real person.

    The error begins with `source` and says how to say it instead.
    """
    if problem := objection(text):
        raise ScenarioError(f"{source}: {problem}")


def objection(text: str) -> str:
    """Why a text is refused and how to say it instead; empty where nothing speaks against it."""
    if words := harm_in(text):
        return f"'{words}' is harm done; {INSTEAD_OF_HARM}"
    if name := person_in(text):
        return f"'{name}' reads like the name of a real person; {INSTEAD_OF_NAMES}"
    return ""


def harm_in(text: str) -> str:
    """The first words of a text that ask for blood, death or wounds, empty where none do."""
    plain = re.sub(r"[\s_-]+", " ", text.lower())
    found = _HARM.search(_HARMLESS.sub(";", plain))
    return found.group() if found else ""


def person_in(text: str) -> str:
    """What reads like the name of a real person in a text, empty where nothing does.

    That is a well-known name, a title before a name, or two words in a row that have capitals and
    are neither the catalogue's nor names of known places or brands.
    """
    plain = " ".join(re.sub(r"[^\w']+", " ", text.lower()).split())
    if found := _FIGURES.search(plain):
        return found.group()
    if _is_headline(text):
        return ""
    for part in _BREAK.split(text):
        words = [each.removesuffix("'s").removesuffix("\u2019s") for each in _WORD.findall(part)]
        for run in _runs_of_names(words):
            return " ".join(run)
    return ""


def _is_headline(text: str) -> bool:
    """Whether every longer word has a capital, so that capitals say nothing."""
    longer = [word for word in _WORD.findall(text) if len(word) > 3]
    return len(longer) >= MOST_TITLE_CASE and all(word[0].isupper() for word in longer)


def _runs_of_names(words: list[str]) -> Iterator[list[str]]:
    """Words in a row that together name a person, as far as one can tell from their capitals."""
    run: list[str] = []
    for word in (*words, ""):
        if _may_be_name(word) or _is_title(word):
            run.append(word)
            continue
        if _names_person(run):
            yield run
        run = []


def _may_be_name(word: str) -> bool:
    """`Smith`, `McDonald`, and the `W` of George W Bush; `GPS` is none, nor is a known word."""
    if not word[:1].isupper() or (word.isupper() and len(word) > 1):
        return False
    small = word.lower()
    return small in _NAMES_OF_NO_PERSON or not (len(small) > 1 and is_known(small))


def _is_title(word: str) -> bool:
    return word.lower() in _TITLES


def _names_person(run: list[str]) -> bool:
    if any(word.lower() in _NAMES_OF_NO_PERSON for word in run):
        return False
    names = [word for word in run if not _is_title(word) and len(word) > 1]
    titled = any(_is_title(word) for word in run[:-1])
    return len(names) >= (1 if titled else 2)
