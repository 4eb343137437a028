"""The hazards and objects that a scenario can name: words, sizes, places, tags, recipes.

They are read from the YAML files in `data/kinds`, which people may edit: one file for each group,
checked here entry by entry. What an entry may say is what `Kind` holds.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from hartsim.scenario.nodes import Node
from hartsim.scenario.standards import NHTSA, ODD, SOTIF
from hartsim.scenario.tables import PALETTES, numbers_in, one_of, read_table, texts_in, words_of
from hartsim.types import CLASSES, Task, Vector3

Zone = Literal["lane", "road", "oncoming", "parked", "verge", "table", "lying"]
Facing = Literal["along", "against", "across", "any"]
ZONES: tuple[Zone, ...] = get_args(Zone)
FACINGS: tuple[Facing, ...] = get_args(Facing)

GROUPS = (
    "people",
    "animals",
    "debris",
    "vehicles",
    "surfaces",
    "visibility",
    "infrastructure",
    "traffic",
    "table_hazards",
    "table_things",
)
"""The files of kinds; where two kinds share a word, the earlier one is meant."""


@dataclass(frozen=True)
class CarlaRecipe:
    """How to make a kind in CARLA: a pattern of blueprint ids and the attributes they must have.

    `missing` says instead why it cannot be made there.
    """

    blueprint: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    missing: str = ""


@dataclass(frozen=True)
class Kind:
    """One entry of the catalogue.

    `nouns` are interchangeable, with their article, the plainest first; `actions` complete them
    ("running into the road") where the object stands on the road or the table. `size_m` is the
    typical length, width and height; draws differ from it by up to the fraction `spread`. `zone` is
    where it is usually found and `facing` how it is turned there. `moves` marks what can come from
    behind something. `colours` are those it may be painted or dressed in. `synonyms` are
    understood in sentences but never written. The tag ids are those of `standards`. `carla` is None
    for what only robots meet.
    """

    id: str
    task: Task
    class_name: str
    nouns: tuple[str, ...]
    plural: str
    size_m: Vector3
    zone: Zone
    facing: Facing = "any"
    spread: float = 0.1
    hazard: bool = True
    moves: bool = False
    actions: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    nhtsa: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    sotif: tuple[str, ...] = ()
    carla: CarlaRecipe | None = None

    @property
    def tags(self) -> tuple[str, ...]:
        """Scheme and id of every tag, as labels carry them."""
        return tuple(
            f"{scheme}:{each}"
            for scheme, ids in (("nhtsa", self.nhtsa), ("odd", self.odd), ("sotif", self.sotif))
            for each in ids
        )


KEYS = (
    "class",
    "nouns",
    "plural",
    "synonyms",
    "actions",
    "size_m",
    "spread",
    "zone",
    "facing",
    "moves",
    "colours",
    "carla",
    "nhtsa",
    "odd",
    "sotif",
)


def _kinds_in(root: Node) -> Iterator[Kind]:
    """The kinds of one file, in its order."""
    task: Task = one_of(root.member("task"), get_args(Task))
    hazard = root.member("hazard").truth()
    root.entries(("task", "hazard", "kinds"))
    for id, node in root.member("kinds").entries().items():
        yield _kind(id, task, hazard, node)


def _kind(id: str, task: Task, hazard: bool, node: Node) -> Kind:
    entries = node.entries(KEYS)
    optional: dict[str, Any] = {}
    for name in ("synonyms", "actions"):
        optional[name] = texts_in(entries.get(name))
    for name, known in (("nhtsa", NHTSA), ("odd", ODD), ("sotif", SOTIF)):
        optional[name] = words_of(entries.get(name), known)
    if "spread" in entries:
        optional["spread"] = entries["spread"].number()
    if "facing" in entries:
        optional["facing"] = one_of(entries["facing"], FACINGS)
    if "moves" in entries:
        optional["moves"] = entries["moves"].truth()
    if "colours" in entries:
        optional["colours"] = _colours(entries["colours"])
    if task == "driving":
        optional["carla"] = _recipe(node.member("carla"))
    length, width, height = numbers_in(node.member("size_m"), 3)
    if min(length, width, height) <= 0:
        raise entries["size_m"].error("every side is longer than nothing")
    return Kind(
        id=id,
        task=task,
        class_name=one_of(node.member("class"), CLASSES),
        nouns=texts_in(node.member("nouns")),
        plural=node.member("plural").text(),
        size_m=(length, width, height),
        zone=one_of(node.member("zone"), ZONES),
        hazard=hazard,
        **optional,
    )


def _colours(node: Node) -> tuple[str, ...]:
    """A palette by name, or a list of colours."""
    if node.is_list:
        return texts_in(node)
    return PALETTES[one_of(node, tuple(PALETTES))]


def _recipe(node: Node) -> CarlaRecipe:
    parts = {name: str(part.value()) for name, part in node.entries().items()}
    blueprint, missing = parts.pop("blueprint", ""), parts.pop("missing", "")
    if bool(blueprint) == bool(missing):
        raise node.error("needs a blueprint, or the reason why it is missing")
    return CarlaRecipe(blueprint, parts, missing)


def _by_id(kinds: Iterable[Kind]) -> dict[str, Kind]:
    found: dict[str, Kind] = {}
    for kind in kinds:
        if kind.id in found:
            raise ValueError(f"two kinds are called '{kind.id}'")
        found[kind.id] = kind
    return found


KINDS: Mapping[str, Kind] = _by_id(
    kind for group in GROUPS for kind in _kinds_in(read_table(f"kinds/{group}.yaml"))
)


def kinds_of(task: Task, hazard: bool | None = None) -> tuple[Kind, ...]:
    """The kinds of a task in catalogue order; only hazards, or only others, where asked."""
    return tuple(
        kind
        for kind in KINDS.values()
        if kind.task == task and (hazard is None or kind.hazard == hazard)
    )
