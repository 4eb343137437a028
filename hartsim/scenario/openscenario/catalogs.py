"""Catalogue files: what a CatalogReference means, looked for below the scenario's folder only."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from hartsim.errors import ScenarioError
from hartsim.scenario.openscenario.parameters import resolved
from hartsim.scenario.openscenario.tree import Element, read_xml

MOST_FILES, MOST_BYTES = 200, 20 * 2**20
"""How much is read in search of an entry."""


def inside(path: str, folder: Path, root: Path) -> Path | None:
    """The place that a path in a file in `folder` means; None where it leads out of `root`."""
    try:
        place = (folder / path).resolve()
        return place if place.is_relative_to(root.resolve()) and place.exists() else None
    except (OSError, ValueError, RuntimeError):  # too long, with a zero byte, a ring of links
        return None


def entry_in(catalogs: Iterable[Element], reference: Element) -> Element | None:
    """The entry with the reference's values for its parameters; None where there is none."""
    wanted = reference.attributes.get("catalogName"), reference.attributes.get("entryName")
    given = {
        each.attributes.get("parameterRef", "").lstrip("$"): each.attributes.get("value", "")
        for group in reference.named("ParameterAssignments")
        for each in group.named("ParameterAssignment")
    }
    for catalog in catalogs:
        if catalog.attributes.get("name") == wanted[0]:
            for entry in catalog.children:
                if entry.attributes.get("name") == wanted[1]:
                    return resolved(entry, given)
    return None


class Catalogs:
    """The catalogue files in the folders that a scenario names; they are read when asked for."""

    def __init__(self, locations: Element | None, folder: Path, root: Path) -> None:
        self.root = root
        directories = [
            inside(directory.attributes.get("path", ""), folder, root)
            for location in (locations.children if locations else ())
            for directory in location.named("Directory")
        ]
        self.places = list(dict.fromkeys(place for place in directories if place))
        self._catalogs: list[Element] = []
        self._unread: Iterator[Element] = self._all()

    def entry(self, reference: Element) -> Element | None:
        """The entry that a CatalogReference means, with its values for the entry's parameters."""
        return entry_in(self._read(), reference)

    def _read(self) -> Iterator[Element]:
        """The catalogues that were read already, then the others, one by one."""
        yield from self._catalogs
        for catalog in self._unread:
            self._catalogs.append(catalog)
            yield catalog

    def _all(self) -> Iterator[Element]:
        left = MOST_BYTES
        for path in self._files()[:MOST_FILES]:
            try:
                root, data = read_xml(path)
            except ScenarioError:  # a file that nothing may refer to; what it lacks is noted
                continue
            left -= len(data)
            if left < 0:
                return
            yield from root.named("Catalog")

    def _files(self) -> list[Path]:
        """The catalogue files in all places, links out of the folder tree aside."""
        found: list[Path] = []
        for place in self.places:
            paths = sorted(place.glob("*.xosc")) if place.is_dir() else [place]
            found += [path for path in paths if inside(path.name, path.parent, self.root)]
        return list(dict.fromkeys(found))
