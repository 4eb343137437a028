"""Sentences with what they mean, and how well the grammar does on them.

The tuning sets were looked at while the grammar was written; `held_out.yaml` was written without
sight of the grammar, and the grammar was never changed for it.
"""

from collections import Counter
from pathlib import Path

import yaml

from hartsim.errors import ScenarioError
from hartsim.scenario.language import DEFAULT_PLACE, understand

FOLDER = Path(__file__).parents[1] / "data" / "sentences"
ABOUT_THINGS = ("count", "colour", "side", "distance", "lane", "motion", "beside")


def read(name):
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text())


def plain(value):
    """A number as text, rounded to a tenth, and any other text as it is."""
    try:
        return f"{round(float(value), 1):g}"
    except ValueError:
        return str(value)


def wanted(entry):
    """The slots that a sentence should fill, each with how often."""
    slots = Counter([("task", entry["task"])])
    for name in ("place", "weather", "ground", "time_of_day", "reach"):
        if name in entry:
            slots[name, entry[name]] += 1
    if "speed_kmh" in entry:
        slots["speed_kmh", int(entry["speed_kmh"])] += 1
    for thing in entry.get("things", ()):
        slots["thing", thing["kind"]] += 1
        for name in ABOUT_THINGS:
            if name in thing:
                slots[f"{thing['kind']}.{name}", plain(thing[name])] += 1
    for word in entry.get("unknown", ()):
        slots["unknown", word] += 1
    return slots


def found(text):
    """The slots that the grammar fills."""
    try:
        said = understand(text)
    except ScenarioError:
        return Counter()
    slots = Counter([("task", said.task)])
    scene = said.scene
    defaults = {
        "place": DEFAULT_PLACE[said.task],
        "weather": "clear",
        "time_of_day": "day",
        "ground": None,
    }
    for name, default in defaults.items():
        if getattr(scene, name) != default and (name != "place" or said.place_named):
            slots[name, getattr(scene, name)] += 1
    if said.speed_mps is not None:
        slots["speed_kmh", int(said.speed_mps * 3.6 + 1e-3)] += 1
    if said.reach is not None:
        slots["reach", said.things[said.reach].kind.id] += 1
    for thing in said.things:
        if not thing.count:
            continue
        slots["thing", thing.kind.id] += 1
        values = {name: getattr(thing, name) for name in ABOUT_THINGS[:-1]}
        values["count"] = "" if thing.count == 1 else thing.count
        values["beside"] = "" if thing.host is None else said.things[thing.host].kind.id
        for name, value in values.items():
            if value:
                slots[f"{thing.kind.id}.{name}", plain(value)] += 1
    for word in said.unknown:
        slots["unknown", word] += 1
    return slots


def without_defaults(slots):
    """The slots, less those that say what is meant anyway."""
    plain = {("place", place) for place in DEFAULT_PLACE.values()}
    plain |= {("weather", "clear"), ("time_of_day", "day")}
    return Counter({slot: count for slot, count in slots.items() if slot not in plain})


def score(entries):
    """Share of sentences understood exactly, and the F1 of all slots."""
    exact = right = asked = given = 0
    for entry in entries:
        want, have = without_defaults(wanted(entry)), found(entry["say"])
        exact += want == have
        right += (want & have).total()
        asked, given = asked + want.total(), given + have.total()
    return exact / len(entries), 2 * right / (asked + given)
