"""Reading the catalogue's own YAML files, with the place of whatever is wrong in them."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from hartsim.scenario.nodes import Node, parse_yaml
from hartsim.scenario.words import suggestion

Word = TypeVar("Word", bound=str)

FOLDER = Path(__file__).resolve().parent / "data"

PALETTES: Mapping[str, tuple[str, ...]] = {
    "clothes": ("red", "blue", "yellow", "green", "black", "white", "grey", "orange"),
    "cups": ("white", "red", "blue", "green", "yellow", "black"),
    "paints": ("white", "black", "grey", "silver", "red", "blue", "green", "yellow"),
}
"""Lists of colours that many kinds share."""


def read_table(name: str) -> Node:
    """The root of a file in the catalogue's folder."""
    path = FOLDER / name
    return parse_yaml(path.read_text(encoding="utf-8"), str(path))


def texts_in(node: Node | None) -> tuple[str, ...]:
    """The texts of a list; none where there is no list."""
    return () if node is None else tuple(item.text() for item in node.items())


def words_of(node: Node | None, known: Collection[str]) -> tuple[str, ...]:
    """The texts of a list, each of which must be known."""
    return () if node is None else tuple(one_of(item, tuple(known)) for item in node.items())


def one_of(node: Node, known: Sequence[Word]) -> Word:
    """The text here, which must be known."""
    text = node.text()
    for word in known:
        if word == text:
            return word
    raise node.error(f"unknown '{text}'; {suggestion(text, known)}")


def numbers_in(node: Node, count: int) -> list[float]:
    """The numbers of a list of this length."""
    numbers = [item.number() for item in node.items()]
    if len(numbers) != count:
        raise node.error(f"needs {count} numbers, not {len(numbers)}")
    return numbers
