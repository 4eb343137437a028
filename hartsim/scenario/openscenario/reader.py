"""Reading a tree while remembering what was read, so that nothing is left out in silence."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from hartsim.scenario.openscenario.parameters import Unresolved
from hartsim.scenario.openscenario.tree import Element
from hartsim.scenario.schema import Scenario

Degree = Literal["not mapped", "approximated", "guessed"]

WHY: Mapping[str, str] = {
    "ActivateControllerAction": "the ego is driven by whatever is tested",
    "AssignRouteAction": "the ego's way is straight ahead",
    "Axles": "things have no axles",
    "BoundingBox": "sizes are those of the kind",
    "ConstraintGroup": "what parameters may be is not kept",
    "Controller": "the ego is driven by whatever is tested",
    "ControllerAction": "the ego is driven by whatever is tested",
    "Dimensions": "sizes are those of the kind",
    "ObjectController": "things follow their motion, not a controller",
    "Performance": "motions know no limits of engines and brakes",
    "Properties": "no properties of ours",
    "StopTrigger": "scenes end when the goal is reached or time is up",
    "Trailer": "there are no trailers that are drawn",
    "TrailerHitch": "there are no trailers that are drawn",
    "TrafficSignals": "there are no traffic lights that change",
}
"""Why some common elements are left out."""

WORKED_OUT = ("CatalogLocations", "ParameterDeclarations", "ParameterAssignments")
"""Elements that have done their duty before anything else is read."""

LARGEST = 1e12
"""Numbers beyond it are no metres, seconds or degrees."""

Follow = Callable[[Element], Element | None]


@dataclass(frozen=True)
class Unmapped:
    """An element that did not become part of the scenario as it stands, and why.

    `degree` says whether it was left out, came in changed, or stands for what a name suggests.
    """

    element: str
    line: int
    reason: str
    degree: Degree = "not mapped"
    source: str = ""

    def __str__(self) -> str:
        return f"{self.source}:{self.line}: {self.element}: {self.degree}: {self.reason}"


@dataclass(frozen=True)
class Imported:
    """A scenario from an OpenSCENARIO file, and all that the file says beyond it."""

    scenario: Scenario
    notes: tuple[Unmapped, ...] = ()


class Reader:
    """Gives the children and attributes of elements, and notes what nobody asked for.

    `follow` finds what a CatalogReference means; None where it is not found.
    """

    def __init__(self, follow: Follow = lambda _: None) -> None:
        self.follow = follow
        self.notes: list[Unmapped] = []
        self._read: dict[Element, bool] = {}
        self._followed: list[Element] = []

    def child(self, parent: Element | None, *names: str) -> Element | None:
        """The first child with one of these names."""
        for child in parent.children if parent else ():
            if child.name in names:
                return self._seen(child)
        return None

    def children(self, parent: Element | None, *names: str) -> list[Element]:
        """The children with one of these names; all where none is given."""
        return [
            self._seen(child)
            for child in (parent.children if parent else ())
            if not names or child.name in names
        ]

    def below(self, parent: Element | None, *names: str) -> Element | None:
        """The element at the end of a path of names."""
        for name in names:
            parent = self.child(parent, name)
        return parent

    def referred(self, parent: Element | None, *names: str) -> Element | None:
        """A child with one of these names, in the file or in the catalogue it refers to."""
        found = self.child(parent, *names, "CatalogReference")
        return self.followed(found, *names) if found is not None else None

    def followed(self, element: Element, *names: str) -> Element | None:
        """The element itself, or the catalogue's entry that it refers to."""
        if element.name != "CatalogReference":
            return element
        entry = self.follow(element)
        if entry is None or entry.name not in names:
            wanted = element.attributes.get("entryName", "")
            self.leave(element, f"no {' or '.join(names)} '{wanted}' in the catalogues")
            return None
        self.skip(element)
        self._followed.append(entry)
        return self._seen(entry)

    def text(self, element: Element | None, attribute: str, default: str = "") -> str:
        """The text of an attribute; the default where it is missing or not known."""
        text = element.attributes.get(attribute, default) if element else default
        if element is not None and isinstance(text, Unresolved):
            self.note(element, f"{attribute} is {str(text)!r}, which cannot be worked out")
            return default
        return text

    def number(self, element: Element | None, attribute: str, default: float = 0.0) -> float:
        """The finite number in an attribute, the default where there is none."""
        text = self.text(element, attribute)
        if element is None or not text:
            return default
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not abs(number) <= LARGEST:
            self.note(element, f"{attribute} is {text!r}, not a number")
            return default
        return number

    def note(self, element: Element, reason: str, degree: Degree = "not mapped") -> None:
        """Say what is not as it stands."""
        self.notes.append(Unmapped(element.name, element.line, reason, degree, element.source))

    def leave(self, element: Element, reason: str) -> None:
        """Leave out an element and all below it."""
        self.skip(element)
        self.note(element, reason)

    def skip(self, element: Element) -> None:
        """Say nothing of what is below an element."""
        self._read[element] = False

    def all_notes(self, root: Element) -> tuple[Unmapped, ...]:
        """The notes, with one for whatever nobody asked for, in the order of the files."""
        for part in (root, *self._followed):
            for each in self._unread(part):
                self.note(each, WHY.get(each.name, "has no counterpart"))
        return tuple(sorted(dict.fromkeys(self.notes), key=lambda each: (each.source, each.line)))

    def _unread(self, parent: Element) -> list[Element]:
        """The outermost elements below that nobody asked for."""
        found: list[Element] = []
        for child in parent.children:
            if child.name in WORKED_OUT:
                found += [part for part in child.walk() if part.name == "ConstraintGroup"]
            elif child not in self._read:
                found.append(child)
            elif self._read[child]:
                found += self._unread(child)
        return found

    def _seen(self, element: Element) -> Element:
        self._read.setdefault(element, True)
        return element
