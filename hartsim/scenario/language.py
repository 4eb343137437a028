"""An English sentence as a scenario, by the words that the catalogue knows.

No word is dropped in silence: `Understood.unknown` has those that mean nothing here.
"""

import json
from collections.abc import Callable, Mapping, Sequence

from hartsim.errors import ScenarioError
from hartsim.scenario.catalogue import ids_of
from hartsim.scenario.decency import refuse
from hartsim.scenario.hearing import Heard, Meant, heard_as, negated
from hartsim.scenario.lexicon import Role, Token, tokens_of
from hartsim.scenario.schema import TASKS, DrivingSpec, Scenario, SceneSpec, misfit, rules_of
from hartsim.scenario.staging import Understood, scenario_of
from hartsim.scenario.words import suggestion
from hartsim.types import Task

Reader = Callable[[str, str], str]
"""A function, such as a call of a large language model, that reads sentences in our place.

It gets the sentence and the JSON Schema of the scenario format, and returns a scenario as YAML
text. Whatever it returns is checked like any file; none is used unless it is passed.
"""

LONGEST = 2000
"""Characters of a sentence."""
TELLING: frozenset[Role] = frozenset({"kind", "kinds", "place", "weather", "time", "ground"})
DEFAULT_PLACE: Mapping[Task, str] = {"driving": "residential_street", "robot": "kitchen_table"}
VAGUE_PLACES = frozenset({"road", "street", "table", "table top", "tabletop"})
"""They name a place only where the sentence names no other."""
BROUGHT_BY: Mapping[str, str] = {"rain": "wet", "snow": "snowy"}
"""What lies on the road in some weathers."""


def parse_sentence(text: str, reader: Reader | None = None) -> tuple[Scenario, list[str]]:
    """The scenario that a sentence describes, and its words that were not understood.

    With a `reader` that is asked instead of our grammar. ScenarioError where nothing is understood,
    where things of a road and of a table are mixed, where the reader's answer is no scenario, and
    for what `decency` refuses.
    """
    if reader is not None:
        refuse(text, f"'{text}'")
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
    if len(text) > LONGEST:
        raise ScenarioError(f"a sentence of {len(text)} characters; at most {LONGEST}")
    refuse(text, f"'{text}'")
    tokens = tokens_of(text)
    task = _task_of(text, tokens)
    heard = Heard(task, tokens)
    meant = list(heard.present())
    scene, place_named = _scene(task, meant)
    return Understood(
        text=text,
        task=task,
        scene=scene,
        things=tuple(heard.things),
        speed_mps=_speed_mps(meant),
        reach=heard.reach,
        unknown=tuple(heard.unknown),
        passed_over=tuple(heard.passed_over),
        place_named=place_named,
    )


def _task_of(text: str, tokens: Sequence[Token]) -> Task:
    """The task to which all that is named belongs, but for what is said to be absent."""
    absent = negated([heard_as(t, next(iter(t.meanings), "driving")) for t in tokens])
    telling = [
        token
        for token, is_absent in zip(tokens, absent, strict=True)
        if not is_absent and any(role in TELLING for role, _ in token.meanings.values())
    ]
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
    if not (only["driving"] or only["robot"]):
        fetches = any(m[0] == "fetch" for t in tokens for m in t.meanings.values())
        return "robot" if fetches and all("robot" in t.meanings for t in telling) else "driving"
    return "robot" if only["robot"] else "driving"


def _scene(task: Task, meant: Sequence[Meant]) -> tuple[SceneSpec, bool]:
    """Where and when: the first of each that is named; a vague place only if need be.

    A ground that the weather brings anyway is left to the weather. Second, whether the place was
    named, and not only a road or a table as such.
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
    if ground == BROUGHT_BY.get(weather):
        ground = None
    named = bool(places) and places[0].phrase not in VAGUE_PLACES
    return SceneSpec(place, weather, time, ground), named


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
