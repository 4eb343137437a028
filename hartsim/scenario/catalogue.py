"""The catalogue's vocabularies: which ids a task's fields may hold, and the colours."""

from collections.abc import Mapping
from functools import cache
from typing import Literal

from hartsim.scenario.kinds import kinds_of
from hartsim.scenario.motion import MOTIONS
from hartsim.scenario.surroundings import GROUNDS, PLACES, SURFACES, TIMES, WEATHERS
from hartsim.types import Task, Vector3

Vocabulary = Literal[
    "kind", "place", "weather", "ground", "time_of_day", "colour", "surface", "lane", "motion"
]

COLOURS: Mapping[str, Vector3] = {
    "white": (0.85, 0.85, 0.85),
    "silver": (0.5, 0.52, 0.55),
    "grey": (0.18, 0.18, 0.19),
    "black": (0.012, 0.012, 0.014),
    "red": (0.5, 0.02, 0.02),
    "orange": (0.75, 0.2, 0.02),
    "yellow": (0.8, 0.55, 0.03),
    "green": (0.03, 0.22, 0.06),
    "blue": (0.03, 0.1, 0.45),
    "brown": (0.14, 0.06, 0.025),
}
"""Linear RGB in 0..1 by name."""


@cache
def ids_of(vocabulary: Vocabulary, task: Task) -> tuple[str, ...]:
    """The ids that a field of this vocabulary may hold in a scenario of this task."""
    ids: Mapping[Vocabulary, tuple[str, ...]] = {
        "kind": tuple(kind.id for kind in kinds_of(task)),
        "place": tuple(id for id, place in PLACES.items() if place.task == task),
        "weather": tuple(id for id, weather in WEATHERS.items() if task in weather.tasks),
        "ground": tuple(GROUNDS) if task == "driving" else (),
        "time_of_day": tuple(id for id, time in TIMES.items() if task in time.tasks),
        "colour": tuple(COLOURS),
        "surface": SURFACES[task],
        "lane": tuple(dict.fromkeys(lane for p in PLACES.values() for lane in p.lanes_m))
        if task == "driving"
        else (),
        "motion": MOTIONS,
    }
    return ids[vocabulary]


def colour_name(colour: Vector3 | None) -> str:
    """The name of a catalogue colour, empty for any other."""
    return next((name for name, rgb in COLOURS.items() if rgb == colour), "")
