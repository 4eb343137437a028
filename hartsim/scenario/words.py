"""Small helpers for English: articles, lists, and the hint for a misspelt name."""

import difflib
from collections.abc import Iterable, Sequence


def suggestion(word: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?`, or the list of what is known where nothing comes close."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"known: {', '.join(names)}" if names else "none is known here"


def with_article(noun: str) -> str:
    """`a van`, `an oil spill`."""
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def qualified(noun: str, adjective: str) -> str:
    """`a van` and `orange` → `an orange van`; a noun without article keeps none.

    Numbers come first: `two cars` and `red` → `two red cars`.
    """
    first, _, rest = noun.partition(" ")
    if first in _NUMBERS:
        return f"{first} {adjective} {rest}"
    if first not in ("a", "an"):
        return f"{adjective} {noun}"
    return with_article(f"{adjective} {rest}")


_NUMBERS = ("two", "three", "some", "several", "many")


def bare(noun: str) -> str:
    """`a van` → `van`."""
    return noun.removeprefix("a ").removeprefix("an ")


def listing(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def spoken(*words: str) -> str:
    """The non-empty words joined by single spaces."""
    return " ".join(word for word in words if word)


_IRREGULAR = {
    "man": "men",
    "person": "people",
    "foot": "feet",
    "child": "children",
    "goose": "geese",
}
_LINKS = ("of", "on", "with", "in", "from", "for", "under")


def plural_of(noun: str) -> str:
    """`van` → `vans`, `old man` → `old men`, `person on foot` → `people on foot`."""
    words = noun.split(" ")
    link = next((place for place, word in enumerate(words) if word in _LINKS), len(words))
    return " ".join([*words[: link - 1], _plural(words[link - 1]), *words[link:]])


def _plural(word: str) -> str:
    for one, many in _IRREGULAR.items():
        if word.endswith(one):
            return word.removesuffix(one) + many
    if word.endswith("y") and not word.endswith(("ay", "ey", "oy", "uy")):
        return f"{word[:-1]}ies"
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return f"{word}es"
    return f"{word[:-2]}ves" if word.endswith("fe") else f"{word}s"
