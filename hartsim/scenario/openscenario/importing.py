"""OpenSCENARIO files as scenarios: what they say in its own words and what hartsim kept there."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hartsim.errors import ScenarioError
from hartsim.scenario.dump import to_yaml
from hartsim.scenario.load import parse_scenario
from hartsim.scenario.openscenario.catalogs import Catalogs, inside
from hartsim.scenario.openscenario.exporting import read_back, value_path
from hartsim.scenario.openscenario.kept import (
    PREFIX,
    Flat,
    differing,
    flat,
    kept_value,
    rebuilt,
    rule_of,
    with_companions,
)
from hartsim.scenario.openscenario.natives import Native, Own
from hartsim.scenario.openscenario.parameters import resolved
from hartsim.scenario.openscenario.reader import Imported, Reader, Unmapped
from hartsim.scenario.openscenario.spreads import (
    Spreads,
    distributions_beside,
    same_as_written,
    scenario_file,
    spreads_in,
)
from hartsim.scenario.openscenario.texts import parameter_names
from hartsim.scenario.openscenario.tree import Element, read_xml
from hartsim.scenario.openscenario.varying import own_distributions, tried_distributions
from hartsim.scenario.openscenario.wording import distinct
from hartsim.scenario.schema import HOST_FIELDS, TASKS, Distribution, Scenario, misfit
from hartsim.scenario.surroundings import PLACES

ROOTS = ("OpenSCENARIO", "OpenScenario")
PATH = re.compile(r"[\w.-]+")


@dataclass(frozen=True)
class _Files:
    """A scenario's document, that of its distributions, and the catalogues it may refer to."""

    path: Path
    tree: Element
    drawn: Element | None
    catalogs: Catalogs
    digest: str


@dataclass(frozen=True)
class _Kept:
    """The properties that hartsim left in a file, and what they say the file is."""

    own: Own
    properties: tuple[Element, ...]


def import_openscenario(path: str | Path, root: str | Path | None = None) -> Imported:
    """The scenario in an OpenSCENARIO 1 file, and notes on what of it has no counterpart.

    The file may also be one of parameter distributions, for the scenario that it names; those of
    NAME.xosc are found in NAME.dist.xosc beside it, too. No file outside `root` is read but the
    one asked for; `root` is its folder where nothing else is said. ScenarioError names file and
    line where the file is no such XML, is too large, or is no scenario.
    """
    files = _found(Path(path), root)
    tree = resolved(files.tree)
    kept = _kept_in(tree)
    native, notes = _native(files, tree, kept)
    scenario = native
    if kept is not None:
        scenario, notes = _with_kept(native, kept, notes)
    if files.drawn is not None:
        scenario, more = _with_vary(scenario, files, kept)
        notes = [*notes, *more]
    return Imported(_checked(scenario, files), tuple(notes))


def _found(path: Path, root: str | Path | None) -> _Files:
    folder = Path(root) if root is not None else path.parent
    tree, data = read_xml(path)
    drawn: Element | None = None
    target = scenario_file(tree)
    if target is not None:
        drawn, digested = tree, data
        place = inside(target, path.parent, folder)
        if place is None or not place.is_file():
            raise tree.error(f"the scenario '{target}' is no file below {folder}")
        path = place
        tree, data = read_xml(path)
        data += digested
    else:
        drawn, more = _beside(path)
        data += more
    _refuse_others(tree)
    locations = next(iter(resolved(tree).named("CatalogLocations")), None)
    catalogs = Catalogs(locations, path.parent, folder)
    return _Files(path, tree, drawn, catalogs, hashlib.sha256(data).hexdigest())


def _beside(path: Path) -> tuple[Element | None, bytes]:
    """The distributions in NAME.dist.xosc beside NAME.xosc, if they are for that file."""
    place = inside(distributions_beside(path).name, path.parent, path.parent)
    if place is None:
        return None, b""
    drawn, data = read_xml(place)
    target = inside(scenario_file(drawn) or "", path.parent, path.parent)
    return (drawn, data) if target == path.resolve() else (None, b"")


def _refuse_others(tree: Element) -> None:
    """ScenarioError for documents of other kinds than a scenario of version 1."""
    if tree.name not in ROOTS:
        raise tree.error("the outermost element of a scenario is OpenSCENARIO")
    for each in tree.named("Catalog"):
        raise each.error("a catalogue is no scenario")
    if not tree.named("Storyboard"):
        raise tree.error("a file without a Storyboard is no scenario")
    for each in tree.walk():
        if each.name == "Private" and "object" in each.attributes:
            raise each.error("written as in OpenSCENARIO 0.9; 1.0 to 1.3 can be read")


def _native(files: _Files, tree: Element, kept: _Kept | None) -> tuple[Scenario, list[Unmapped]]:
    """The scenario in the words of OpenSCENARIO."""
    reader = Reader(files.catalogs.entry)
    name = next(iter(distinct([files.path.stem]).values()))
    scenario = Native(tree, reader, kept.own if kept else None).scenario(name)
    return scenario, list(reader.all_notes(tree))


def _kept_in(tree: Element) -> _Kept | None:
    """The properties of the ego of an own file; None in others."""
    for entities in tree.named("Entities"):
        for entity in entities.named("ScenarioObject"):
            properties = tuple(
                part
                for part in entity.walk()
                if part.name == "Property" and part.attributes.get("name", "").startswith(PREFIX)
            )
            said = {_path(each): each for each in properties}
            if "task" in said:
                name = entity.attributes.get("name", "")
                return _Kept(_own(name, said), properties)
    return None


def _own(ego: str, said: Mapping[str, Element]) -> Own:
    task, place = (said.get(each) for each in ("task", "scene.place"))
    for known in TASKS:
        if task is not None and task.attributes.get("value") == known:
            id = place.attributes.get("value", "") if place is not None else ""
            if id in PLACES and PLACES[id].task == known:
                return Own(known, id, ego)
            raise (place or task).error(f"no place '{id}' of a {known} task")
    raise said["task"].error("no such task")


def _path(kept: Element) -> str:
    return kept.attributes["name"].removeprefix(PREFIX)


def _with_kept(
    native: Scenario, kept: _Kept, notes: Iterable[Unmapped]
) -> tuple[Scenario, list[Unmapped]]:
    """The scenario with what was kept, unless the file was changed since; and the notes left.

    A kept value counts as long as the file says in OpenSCENARIO's words what hartsim wrote.
    """
    reader = Reader()
    values, unset = _values(native, kept, reader)
    plain = flat(native)
    whole = rebuilt(plain | values, native)
    own: Flat = {"task": whole.task, "scene.place": whole.scene.place}
    again, seen = read_back(whole, own)
    changed = with_companions(differing(plain, flat(again), closely=False))
    for each in kept.properties:
        if _path(each) in changed:
            reader.note(each, "the file was changed since; what it says otherwise counts")
    final = flat(whole) | {path: plain[path] for path in changed} | dict.fromkeys(unset, None)
    return rebuilt(final, native), [*_beyond(notes, seen), *reader.notes]


def _values(native: Scenario, kept: _Kept, reader: Reader) -> tuple[Flat, list[str]]:
    """The values in the properties, by path, and the paths of fields without a value."""
    known, values = flat(native), Flat()
    unset: list[str] = []
    names = {*native.hazards, *native.objects}
    for each in kept.properties:
        path, text = _path(each), reader.text(each, "value")
        if path == "unset":
            unset = [value_path(part) for part in text.split()]
            continue
        part = path.partition(".")[0]
        if path not in known and part not in ("cameras", "textures", "where"):
            reader.note(each, "speaks of nothing in the file")
            continue
        rule = rule_of(path, native.task)
        try:
            value = kept_value(text, rule)
        except ValueError as error:
            raise each.error(f"'{text}' is not a number") from error
        problem = misfit(rule, value, native.task)
        if problem:
            raise each.error(problem)
        if path.rpartition(".")[2] in HOST_FIELDS and value not in (None, *names):
            reader.note(each, f"nothing is called '{value}'")
            continue
        values[path] = value
    return values, [path for path in unset if path in known]


def _beyond(notes: Iterable[Unmapped], seen: Sequence[tuple[str, str]]) -> list[Unmapped]:
    """The notes that would not be there if the file were as hartsim wrote it."""
    expected = Counter(seen)
    left: list[Unmapped] = []
    for note in notes:
        if expected[note.element, note.reason] > 0:
            expected[note.element, note.reason] -= 1
        else:
            left.append(note)
    return left


def _with_vary(
    scenario: Scenario, files: _Files, kept: _Kept | None
) -> tuple[Scenario, list[Unmapped]]:
    """The scenario with what its distributions leave to chance."""
    assert files.drawn is not None
    reader, drawn = Reader(), resolved(files.drawn)
    header = reader.child(drawn, "FileHeader")
    if kept is not None and header is not None:
        reader.skip(header)
    found = spreads_in(reader, drawn)
    names = {name: path for path, name in parameter_names(scenario).items()} if kept else {}
    own = {name: spread for name, spread in found.items() if name in names}
    exact = _word_for_word(scenario, drawn, own, names)

    def rerun(given: Mapping[str, str]) -> Scenario:
        return _native(files, resolved(files.tree, given), kept)[0]

    others = {name: spread for name, spread in found.items() if name not in names}
    size = sum(1 + sum(map(len, part.attributes.values())) // 50 for part in files.tree.walk())
    tried, notes = tried_distributions(scenario, others, rerun, size)
    vary = tried | own_distributions(scenario, own, names) | exact
    elements = [own[name][1] for name in own if names[name] in exact]
    lines = {part.line for each in elements for part in each.walk()}
    left = [note for note in reader.all_notes(drawn) if note.line not in lines]
    return replace(scenario, vary=vary), [*left, *notes]


def _word_for_word(
    scenario: Scenario, drawn: Element, own: Spreads, paths: Mapping[str, str]
) -> dict[str, Distribution]:
    """The distributions that are kept as a scenario file has them, and that still hold."""
    kept = {
        _path(each): each
        for header in drawn.named("FileHeader")
        for each in header.walk()
        if each.name == "Property" and each.attributes.get("name", "").startswith(PREFIX)
    }
    lines: list[str] = []
    exact: dict[str, Element] = {}
    for name, each in kept.items():
        text = each.attributes.get("value", "")
        if name in own:
            if not PATH.fullmatch(paths[name]) or len(text.splitlines()) != 1:
                raise each.error("is no distribution on one line")
            lines.append(f"  {paths[name]}: {text}\n")
            exact[paths[name]] = own[name][1]
    if not lines:
        return {}
    try:
        text = f"{to_yaml(replace(scenario, vary={}, where=()))}vary:\n{''.join(lines)}"
        read = parse_scenario(text, drawn.source, scenario.name).vary
    except ScenarioError as error:
        raise drawn.error(f"a distribution that hartsim kept: {error}") from error
    return {path: each for path, each in read.items() if same_as_written(each, exact[path])}


def _checked(scenario: Scenario, files: _Files) -> Scenario:
    """The scenario as the loader of scenario files gives it, which knows all rules."""
    source = str(files.path)
    try:
        checked = parse_scenario(to_yaml(scenario), source, scenario.name)
    except ScenarioError as error:
        place, _, problem = str(error).removeprefix(source).partition(": ")
        raise ScenarioError(f"{source}: {problem or place}") from error
    return replace(checked, source=source, source_hash=files.digest)
