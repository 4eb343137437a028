"""Scenarios as OpenSCENARIO 1.2 files, with their road, their catalogues and what varies."""

import re
from collections.abc import Mapping
from pathlib import Path

from hartsim.errors import ScenarioError
from hartsim.scenario.nodes import Value
from hartsim.scenario.openscenario.catalogs import entry_in
from hartsim.scenario.openscenario.documents import documents, ego_name
from hartsim.scenario.openscenario.kept import Flat, differing, flat
from hartsim.scenario.openscenario.natives import Native, Own
from hartsim.scenario.openscenario.parameters import resolved
from hartsim.scenario.openscenario.reader import Reader
from hartsim.scenario.openscenario.roads import opendrive, road_of
from hartsim.scenario.openscenario.spreads import distributions_beside, written_distributions
from hartsim.scenario.openscenario.texts import Texts
from hartsim.scenario.openscenario.tree import Element, parse_xml, xml_text
from hartsim.scenario.schema import Scenario
from hartsim.scenario.surroundings import PLACES


def export_openscenario(scenario: Scenario, folder: str | Path) -> list[Path]:
    """Write NAME.xosc and what it needs into a folder, which is made; the paths, that one first.

    Beside it lie NAME.xodr (the road, for driving), NAME.dist.xosc (what `vary` leaves to chance)
    and NAME.catalogs/ (what a varied kind, weather, time or ground may be). ScenarioError for text
    that XML cannot hold, and where the files cannot be written.
    """
    files = exported(scenario)
    paths = [Path(folder) / name for name in files]
    try:
        if not scenario.vary:  # that of an earlier export would be taken for this one's
            distributions_beside(paths[0]).unlink(missing_ok=True)
        for path, text in zip(paths, files.values(), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"{folder}: cannot be written: {error}") from error
    return paths


def exported(scenario: Scenario) -> dict[str, str]:
    """The texts of the files of a scenario, by their names."""
    written = documents(scenario, needed(scenario))
    name = scenario.name
    files: dict[str, Element] = {f"{name}.xosc": written.root}
    if scenario.task == "driving":
        files[f"{name}.xodr"] = opendrive(road_of(PLACES[scenario.scene.place].lanes_m), name)
    if scenario.vary:
        files[f"{name}.dist.xosc"] = written_distributions(scenario)
    files |= {f"{name}.catalogs/{each}.xosc": root for each, root in written.catalogs.items()}
    return {path: xml_text(root) for path, root in files.items()}


def needed(scenario: Scenario) -> Flat:
    """The values that reading what is written would not give back, by path."""
    values = flat(scenario)
    own = {path: values[path] for path in ("task", "scene.place")}
    native, _ = read_back(scenario, own)
    unset = [path for path in scenario.vary if values.get(value_path(path), "") is None]
    paths = [
        *differing(values, flat(native)),
        *_not_used(scenario, own),
        *map(value_path, unset),
    ]
    kept = {path: values[path] for path in paths if path in values}
    return own | kept | ({"unset": " ".join(unset)} if unset else {})


def read_back(
    scenario: Scenario, kept: Mapping[str, Value | None]
) -> tuple[Scenario, list[tuple[str, str]]]:
    """What OpenSCENARIO's own words say of a scenario; and the elements and reasons noted."""
    written = documents(scenario, kept)
    texts = {"": written.root, **written.catalogs}
    read = {name: parse_xml(xml_text(root).encode(), name) for name, root in texts.items()}
    catalogs = [catalog for root in read.values() for catalog in root.named("Catalog")]
    reader, root = Reader(lambda each: entry_in(catalogs, each)), resolved(read[""])
    own = Own(scenario.task, scenario.scene.place, ego_name(scenario))
    native = Native(root, reader, own).scenario(scenario.name)
    return native, [(note.element, note.reason) for note in reader.all_notes(root)]


def value_path(path: str) -> str:
    """The path of `flat` for one of `vary`."""
    part, _, rest = path.partition(".")
    return f"things.{rest}" if part in ("hazards", "objects") else path


def _not_used(scenario: Scenario, own: Flat) -> list[str]:
    """The varied paths whose parameters appear nowhere in OpenSCENARIO's own words."""
    written = documents(scenario, own).root
    used = " ".join(
        text
        for each in written.walk()
        if each.name != "ParameterDeclaration"
        for text in each.attributes.values()
    )
    words = set(re.findall(r"\w+", used))
    return [
        value_path(path) for path, name in Texts(scenario).parameters.items() if name not in words
    ]
