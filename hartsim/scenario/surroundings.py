"""Places, weathers, grounds and times of day: their words, materials, light and tags.

They are read from the YAML files in `data`, which people may edit. The tag ids are those of
`standards`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar, get_args

from hartsim.scenario.nodes import Node
from hartsim.scenario.standards import ODD, SOTIF
from hartsim.scenario.tables import numbers_in, one_of, read_table, texts_in, words_of
from hartsim.types import Task

Entry = TypeVar("Entry")
TASKS: tuple[Task, ...] = get_args(Task)

STREET_SURFACES = ("road", "pavement", "terrain", "facade_a", "facade_b", "facade_c", "sky", "box")
TABLETOP_SURFACES = ("table", "wall", "floor", "box")
SURFACES: Mapping[Task, tuple[str, ...]] = {
    "driving": STREET_SURFACES,
    "robot": TABLETOP_SURFACES,
}


@dataclass(frozen=True)
class Place:
    """Where a scene plays: `nouns` without article, and what its surfaces may be made of.

    `synonyms` are understood in sentences but never written. `lanes_m` says by name how far left
    of the ego the middle of a lane lies.
    """

    id: str
    task: Task
    nouns: tuple[str, ...]
    backdrop: tuple[str, ...]
    materials: Mapping[str, tuple[str, ...]]
    odd: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    lanes_m: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Slope:
    """A number that follows the strength 0..1 of a weather from `weak` to `strong`."""

    weak: float
    strong: float

    def at(self, strength: float) -> float:
        """The number at this strength."""
        return self.weak + (self.strong - self.weak) * strength

    def strength_of(self, number: float) -> float:
        """The strength at which the number is this one."""
        return (number - self.weak) / (self.strong - self.weak)


@dataclass(frozen=True)
class Weather:
    """A weather: words for any strength, for a weak and for a strong one, and its numbers.

    `numbers` are fields of `Conditions` that differ from a clear day's.
    """

    id: str
    tasks: tuple[Task, ...]
    phrases: tuple[str, ...]
    weak: tuple[str, ...]
    strong: tuple[str, ...]
    synonyms: tuple[str, ...]
    sky: tuple[str, ...]
    numbers: Mapping[str, Slope]
    odd: tuple[str, ...] = ()
    sotif: tuple[str, ...] = ()

    @property
    def all_phrases(self) -> tuple[str, ...]:
        """Everything that says this weather."""
        return (*self.synonyms, *self.phrases, *self.weak, *self.strong)


@dataclass(frozen=True)
class Ground:
    """What lies on the road; `numbers` are fields of `Conditions` that it sets."""

    id: str
    phrases: tuple[str, ...]
    synonyms: tuple[str, ...]
    numbers: Mapping[str, float]
    odd: tuple[str, ...] = ()
    sotif: tuple[str, ...] = ()

    @property
    def all_phrases(self) -> tuple[str, ...]:
        """Everything that says this ground."""
        return (*self.synonyms, *self.phrases)


@dataclass(frozen=True)
class TimeOfDay:
    """A time of day: its words by task, how it makes the sky look, how high the sun stands."""

    id: str
    tasks: tuple[Task, ...]
    phrases: Mapping[Task, tuple[str, ...]]
    synonyms: tuple[str, ...]
    sky: str
    sun_elevation_deg: tuple[float, float]
    odd: tuple[str, ...] = ()
    sotif: tuple[str, ...] = ()

    @property
    def all_phrases(self) -> tuple[str, ...]:
        """Everything that says this time of day."""
        return (*self.synonyms, *(each for task in self.tasks for each in self.phrases[task]))


def _read(file: str, keys: tuple[str, ...], make: Callable[[str, Node], Entry]) -> dict[str, Entry]:
    """The entries of a file by id."""
    found: dict[str, Entry] = {}
    for id, node in read_table(file).entries().items():
        node.entries(keys)
        found[id] = make(id, node)
    return found


def _place(id: str, node: Node) -> Place:
    entries = node.entries()
    task: Task = one_of(node.member("task"), TASKS)
    surfaces = [each for each in SURFACES[task] if each != "sky"]
    materials = node.member("materials")
    materials.entries(surfaces)
    return Place(
        id=id,
        task=task,
        nouns=texts_in(node.member("nouns")),
        backdrop=texts_in(node.member("backdrop")),
        materials={surface: texts_in(materials.member(surface)) for surface in surfaces},
        odd=words_of(entries.get("odd"), ODD),
        synonyms=texts_in(entries.get("synonyms")),
        lanes_m={lane: node.number() for lane, node in entries["lanes_m"].entries().items()}
        if "lanes_m" in entries
        else {},
    )


def _weather(id: str, node: Node) -> Weather:
    entries = node.entries()
    return Weather(
        id=id,
        tasks=tuple(one_of(item, TASKS) for item in node.member("tasks").items()),
        phrases=texts_in(node.member("phrases")),
        weak=texts_in(entries.get("weak")),
        strong=texts_in(entries.get("strong")),
        synonyms=texts_in(entries.get("synonyms")),
        sky=texts_in(node.member("sky")),
        numbers={
            name: Slope(*numbers_in(slope, 2))
            for name, slope in node.member("numbers").entries(MEASURES).items()
        },
        odd=words_of(entries.get("odd"), ODD),
        sotif=words_of(entries.get("sotif"), SOTIF),
    )


def _ground(id: str, node: Node) -> Ground:
    entries = node.entries()
    numbers = node.member("numbers").entries(MEASURES)
    return Ground(
        id=id,
        phrases=texts_in(node.member("phrases")),
        synonyms=texts_in(entries.get("synonyms")),
        numbers={name: number.number() for name, number in numbers.items()},
        odd=words_of(entries.get("odd"), ODD),
        sotif=words_of(entries.get("sotif"), SOTIF),
    )


def _time_of_day(id: str, node: Node) -> TimeOfDay:
    entries, phrases = node.entries(), node.member("phrases").entries(TASKS)
    low, high = numbers_in(node.member("sun_elevation_deg"), 2)
    return TimeOfDay(
        id=id,
        tasks=tuple(task for task in TASKS if task in phrases),
        phrases={task: texts_in(phrases[task]) for task in TASKS if task in phrases},
        synonyms=texts_in(node.member("synonyms")),
        sky=node.member("sky").text(),
        sun_elevation_deg=(low, high),
        odd=words_of(entries.get("odd"), ODD),
        sotif=words_of(entries.get("sotif"), SOTIF),
    )


MEASURES = ("visibility_m", "rain", "snow", "wetness", "snow_cover", "cloud")
"""The numbers of `Conditions` that a weather sets."""
_PLACE_KEYS = ("task", "nouns", "synonyms", "backdrop", "materials", "odd", "lanes_m")
_WEATHER_KEYS = ("tasks", "phrases", "weak", "strong", "synonyms", "sky", "numbers", "odd", "sotif")
_GROUND_KEYS = ("phrases", "synonyms", "numbers", "odd", "sotif")
_TIME_KEYS = ("phrases", "synonyms", "sky", "sun_elevation_deg", "odd", "sotif")

PLACES: Mapping[str, Place] = _read("places.yaml", _PLACE_KEYS, _place)
WEATHERS: Mapping[str, Weather] = _read("weathers.yaml", _WEATHER_KEYS, _weather)
GROUNDS: Mapping[str, Ground] = _read("grounds.yaml", _GROUND_KEYS, _ground)
TIMES: Mapping[str, TimeOfDay] = _read("times_of_day.yaml", _TIME_KEYS, _time_of_day)
