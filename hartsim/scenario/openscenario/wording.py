"""Words and names in other people's files, as scenarios can hold them."""

import re
from collections.abc import Iterable, Mapping

from hartsim.scenario.lexicon import tokens_of


def place_in(texts: Iterable[str]) -> str | None:
    """The first place that texts speak of."""
    for text in texts:
        for token in tokens_of(text[:300].replace("_", " ")):
            role, id = token.meanings.get("driving", ("nothing", ""))
            if role == "place":
                return id
    return None


def sentence(text: str) -> str:
    """One line of text that a scenario file can hold."""
    return " ".join(text.split())[:300].replace("${", "{")


def distinct(names: Iterable[str]) -> Mapping[str, str]:
    """A name that a scenario may use for each entity, the same where that is possible."""
    given: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        base = re.sub("[^A-Za-z0-9_-]+", "_", name).strip("_-") or "thing"
        new, count = base, 1
        while new in taken:
            count += 1
            new = f"{base}_{count}"
        taken.add(new)
        given[name] = new
    return given
