"""An English sentence as a scenario, by the words that the catalogue knows.

No word is dropped in silence: `Understood.unknown` has those that mean nothing here.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from hartsim.errors import ScenarioError
from hartsim.scenario.catalogue import ids_of
from hartsim.scenario.kinds import KINDS
from hartsim.scenario.lexicon import Role, Token, tokens_of
from hartsim.scenario.schema import TASKS, DrivingSpec, Scenario, SceneSpec, misfit, rules_of
from hartsim.scenario.staging import Thing, Understood, scenario_of
from hartsim.scenario.words import suggestion
from hartsim.types import Task

Reader = Callable[[str, str], str]
"""A function, such as a call of a large language model, that reads sentences in our place.

It gets the sentence and the JSON Schema of the scenario format, and returns a scenario as YAML
text. Whatever it returns is checked like any file; none is used unless it is passed.
"""

TELLING: frozenset[Role] = frozenset({"kind", "kinds", "place", "weather", "time", "ground"})
DEFAULT_PLACE: Mapping[Task, str] = {"driving": "residential_street", "robot": "kitchen_table"}
VAGUE_PLACES = frozenset({"road", "street", "table", "bench", "desk", "counter"})
"""They name a place only where the sentence names no other."""
MOST_OF_A_KIND = 4
BROUGHT_BY: Mapping[str, str] = {"rain": "wet", "snow": "snowy"}
"""What lies on the road in some weathers."""


class Meant(NamedTuple):
    """A phrase with its meaning for the task of the sentence."""

    role: Role
    value: str
    phrase: str


def parse_sentence(text: str, reader: Reader | None = None) -> tuple[Scenario, list[str]]:
    """The scenario that a sentence describes, and its words that were not understood.

    With a `reader` that is asked instead of our grammar. ScenarioError where nothing is understood,
    where things of a road and of a table are mixed, or where the reader's answer is no scenario.
    """
    if reader is not None:
        return _read_by(reader, text), []
    said = understand(text)
    return scenario_of(said), list(said.unknown)


def _read_by(reader: Reader, text: str) -> Scenario:
    from hartsim.scenario.json_schema import scenario_schema
    from hartsim.scenario.load import parse_scenario

    answer = reader(text, json.dumps(scenario_schema()))
    if not isinstance(answer, str):
        raise ScenarioError(f"the reader of '{text}' returned {type(answer).__name__}, not YAML")
    return parse_scenario(answer, "reader", "sentence")


def understand(text: str) -> Understood:
    """What a sentence says; ScenarioError as in `parse_sentence`."""
    tokens = tokens_of(text)
    task = _task_of(text, tokens)
    told = [Meant(*t.meanings[task], t.phrase) for t in tokens if task in t.meanings]
    meant = list(_without_the_absent(told))
    things, reach = _things(meant)
    unknown = tuple(token.phrase for token in tokens if task not in token.meanings)
    return Understood(
        text, task, _scene(task, meant), tuple(things), _speed_mps(meant), reach, unknown
    )


def _without_the_absent(meant: Sequence[Meant]) -> Iterator[Meant]:
    """What is meant, where `no cars` asks for none of them and `no rain` says nothing of rain."""
    absent = False
    for each in meant:
        if each.role == "none":
            absent = True
        elif absent and each.role in ("kind", "kinds"):
            yield Meant("count", "0", each.phrase)
            yield each
            absent = False
        elif absent and each.role in TELLING:
            absent = False
        else:
            yield each


def _task_of(text: str, tokens: Sequence[Token]) -> Task:
    """The task to which all that is named belongs."""
    telling = [t for t in tokens if any(role in TELLING for role, _ in t.meanings.values())]
    if not telling:
        raise ScenarioError(
            f"nothing in '{text}' is known; name a hazard, a place, a weather or a time of day, "
            "like 'a deer on a snowy road at night'"
        )
    only = {task: [t.phrase for t in telling if list(t.meanings) == [task]] for task in TASKS}
    if only["driving"] and only["robot"]:
        raise ScenarioError(
            f"'{only['driving'][0]}' belongs to a road and '{only['robot'][0]}' to a table; "
            "a sentence describes one scene"
        )
    return "robot" if only["robot"] else "driving"


def _scene(task: Task, meant: Sequence[Meant]) -> SceneSpec:
    """Where and when: the first of each that is named; a vague place only if need be.

    A ground that the weather brings anyway is left to the weather.
    """
    places = [m for m in meant if m.role == "place"]
    places.sort(key=lambda m: m.phrase in VAGUE_PLACES)
    first = {m.role: m.value for m in reversed(meant)}
    weather, time = first.get("weather", "clear"), first.get("time", "day")
    for word, known in ((weather, ids_of("weather", task)), (time, ids_of("time_of_day", task))):
        if word not in known:
            raise ScenarioError(f"no {task} scene has '{word}'; {suggestion(word, known)}")
    place = places[0].value if places else DEFAULT_PLACE[task]
    ground = first.get("ground")
    return SceneSpec(place, weather, time, None if ground == BROUGHT_BY.get(weather) else ground)


def _speed_mps(meant: Sequence[Meant]) -> float | None:
    """The ego's speed, where the sentence tells one."""
    told = [m for m in meant if m.role == "speed"]
    if not told:
        return None
    speed_mps = float(told[0].value)
    problem = misfit(rules_of(DrivingSpec)["speed_mps"], speed_mps, "driving")
    if problem:
        raise ScenarioError(f"'{told[0].phrase}' is no speed for the ego: {problem} (m/s)")
    return speed_mps


def _things(meant: Sequence[Meant]) -> tuple[list[Thing], int | None]:
    """The things named, each with the words just before it, or after it and before the next.

    Second, the place of the one that the robot is to fetch.
    """
    things: list[Thing] = []
    waiting: dict[str, Any] = {}
    has_host = False
    reach: int | None = None
    fetching = False
    for role, value, _ in meant:
        match role:
            case "kind" | "kinds":
                if has_host and things:
                    things[-1] = replace(things[-1], host=len(things))
                if fetching:
                    reach, fetching = len(things), False
                waiting.setdefault("count", 1 if role == "kind" else 2)
                things.append(Thing(KINDS[value], **waiting))
                waiting, has_host = {}, False
            case "host":
                has_host = True
            case "reach":
                fetching = reach is None
            case "count":
                waiting["count"] = int(min(float(value), MOST_OF_A_KIND))
            case "colour":
                waiting["colour"] = value
            case "dressed" if things:
                things[-1] = replace(things[-1], colour=value)
            case "side" | "distance" | "lane" | "motion" if things:
                about: dict[str, Any] = {role: value}
                things[-1] = replace(things[-1], **about)
            case "side" | "distance" | "lane":
                waiting[role] = value
    return things, reach
