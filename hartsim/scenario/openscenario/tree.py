"""XML as trees of elements that know their line; whatever could harm is refused while reading."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from hartsim.errors import ScenarioError

LARGEST_BYTES = 10 * 2**20
DEEPEST = 100
MOST_ELEMENTS = 200_000
MOST_EXPRESSIONS = 200_000
"""Limits of a file, that of expressions in characters; real ones stay far below."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\t": "&#9;",
    "\n": "&#10;",
    "\r": "&#13;",
}


@dataclass(frozen=True, eq=False)
class Element:
    """An element with its attributes, children and place; elements are equal to themselves only."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: tuple["Element", ...] = ()
    line: int = 0
    source: str = ""

    def error(self, problem: str) -> ScenarioError:
        """An error that names this place, to be raised."""
        return ScenarioError(f"{self.source}:{self.line}: {self.name}: {problem}")

    def named(self, name: str) -> list["Element"]:
        """The children of this name."""
        return [child for child in self.children if child.name == name]

    def walk(self) -> Iterator["Element"]:
        """The element and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


def element(name: str, /, *children: Element | None, **attributes: str | None) -> Element:
    """A new element; None stands for a child or an attribute that is left out."""
    given = {key: value for key, value in attributes.items() if value is not None}
    return Element(name, given, tuple(child for child in children if child is not None))


def read_xml(path: Path) -> tuple[Element, bytes]:
    """The root of an XML file and the file's bytes; ScenarioError where it cannot be read."""
    try:
        if not path.is_file():
            raise ScenarioError(f"{path}: no such file")
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ScenarioError(f"{path}: cannot be read: {error}") from error
    return parse_xml(data, str(path)), data


def parse_xml(data: bytes, source: str) -> Element:
    """The root of an XML document without document type or entities, within the limits."""
    if len(data) > LARGEST_BYTES:
        raise ScenarioError(f"{source}: larger than {LARGEST_BYTES / 2**20:g} MB")
    growing = _Growing(source)
    parser = growing.parser
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        problem = expat.ErrorString(error.code)
        raise ScenarioError(f"{source}:{error.lineno}: not valid XML: {problem}") from error
    except (ValueError, LookupError) as error:
        line = parser.CurrentLineNumber
        raise ScenarioError(f"{source}:{line}: not valid XML: {error}") from error
    return growing.root()


class _Growing:
    """A tree while it is being read."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.StartDoctypeDeclHandler = self.refuse
        self.parser.EntityDeclHandler = self.refuse
        self.parser.ExternalEntityRefHandler = self.refuse
        self.open: list[tuple[str, dict[str, str], list[Element], int]] = [("", {}, [], 0)]
        self.count = self.expressions = 0

    def error(self, problem: str) -> ScenarioError:
        return ScenarioError(f"{self.source}:{self.parser.CurrentLineNumber}: {problem}")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if self.count > MOST_ELEMENTS:
            raise self.error(f"more than {MOST_ELEMENTS} elements")
        self.expressions += sum(len(text) for text in attributes.values() if text[:2] == "${")
        if self.expressions > MOST_EXPRESSIONS:
            raise self.error(f"more than {MOST_EXPRESSIONS} characters of expressions")
        if len(self.open) > DEEPEST:
            raise self.error(f"nested more than {DEEPEST} levels deep")
        self.open.append((name, attributes, [], self.parser.CurrentLineNumber))

    def end(self, _: str) -> None:
        name, attributes, children, line = self.open.pop()
        self.open[-1][2].append(Element(name, attributes, tuple(children), line, self.source))

    def refuse(self, *_: object) -> int:
        raise self.error("a document type or an entity, which scenario files do not have")

    def root(self) -> Element:
        return self.open[0][2][0]


def xml_text(root: Element) -> str:
    """The document of a tree, indented; ScenarioError for characters that XML cannot hold."""
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + "".join(_lines(root, ""))


def _lines(part: Element, indent: str) -> Iterator[str]:
    attributes = "".join(f' {name}="{_escaped(text)}"' for name, text in part.attributes.items())
    if not part.children:
        yield f"{indent}<{part.name}{attributes}/>\n"
        return
    yield f"{indent}<{part.name}{attributes}>\n"
    for child in part.children:
        yield from _lines(child, indent + "  ")
    yield f"{indent}</{part.name}>\n"


def _escaped(text: str) -> str:
    unfit = _NOT_XML.search(text)
    if unfit:
        raise ScenarioError(f"{text!r} holds {unfit.group()!r}, which XML cannot hold")
    return "".join(_ESCAPES.get(character, character) for character in text)
