"""Whatever strangers feed to the compiler, it answers with a scene or with one clear error.

A few thousand mutations by default; HARTSIM_FUZZ=100000 says how many instead.
"""

import os
import random
import signal
import sys
from contextlib import contextmanager

import pytest

from hartsim.errors import ScenarioError
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.language import parse_sentence
from hartsim.scenario.library import library_scenarios
from hartsim.scenario.load import parse_scenario

COUNT = int(os.environ.get("HARTSIM_FUZZ", "1500"))
CPU_SECONDS = 1.0
ODD = (
    *("1e999", "-1e999", ".nan", ".inf", "9" * 400, "0x1F", "1_000", "-0", "1e-320", "~", "null"),
    *(
        "true",
        "[]",
        "{}",
        "[[]]",
        "''",
        "!!python/object:os.system x",
        "!!timestamp soon",
        "&a",
        "*a",
    ),
    *(
        "${oc.env:HOME}",
        "<<: *a",
        "? ",
        "- ",
        ": ",
        "|",
        ">",
        "%YAML 9",
        "\t",
        "\x00",
        "\ufeff",
        "é",
    ),
    *(
        "../../etc/passwd",
        "/etc/hosts",
        "C:\\x",
        "a" * 5000,
        "🦌",
        "__import__('os')",
        "1/0",
        "2**99999",
    ),
    *(
        "extends: fuzz",
        "include: [deer_snow_road]",
        "where: [1 < 2]",
        "where: a.b.c > 1",
        "---",
        "...",
    ),
)
SENTENCES = (
    "a child runs out from behind a white van on a wet street at dusk",
    "at 50 km/h on an icy highway, two deer cross 20 m ahead on the left, no cars",
    "pick up the red mug next to a knife on the kitchen table at night",
    "cardboard boxes falling off a truck in heavy rain, several cones on the right",
)


@contextmanager
def limited_cpu():
    """Fails where the body takes more than a second of this process's own time."""

    def too_long(number, frame):
        raise AssertionError(f"took more than {CPU_SECONDS} s of processor time")

    before = signal.signal(signal.SIGVTALRM, too_long)
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@pytest.fixture(scope="module")
def written():
    """Files that were opened to be written, or that are no YAML, while the module runs."""
    state = {"on": True}
    touched = []

    def hook(event, arguments):
        if state["on"] and event == "open" and isinstance(arguments[0], str):
            path, mode, _ = arguments
            if set(mode or "") & set("wax+") or not path.endswith((".yaml", ".yml", ".py", ".pyc")):
                touched.append((path, mode))

    sys.addaudithook(hook)
    yield touched
    state["on"] = False


def mutated(text: str, chance: random.Random, pool: list[str]) -> str:
    """The text after one to four random changes."""
    for _ in range(chance.randint(1, 4)):
        if not text:
            return chance.choice(ODD)
        start = chance.randrange(len(text))
        end = min(len(text), start + chance.choice((1, 1, 2, 5, 20, 80)))
        match chance.randrange(7):
            case 0:
                text = text[:start] + text[end:]
            case 1:
                text = text[:start] + chance.choice(ODD) + text[end:]
            case 2:
                text = text[:start] + text[start:end] * chance.choice((2, 3, 40)) + text[end:]
            case 3:
                text = text[:start] + chance.choice(pool) + text[start:]
            case 4:
                text = (
                    text[:start]
                    + chr(chance.choice((0, 9, 34, 58, 91, 123, 8232, 65)))
                    + text[end:]
                )
            case 5:
                word = chance.choice(pool)
                text = text.replace(word, chance.choice((*pool, *ODD)), chance.choice((1, -1)))
            case 6:
                lines = text.split("\n")
                chance.shuffle(lines)
                text = "\n".join(lines)
    return text


def refuse_or_compile(read, originals, seed, written):
    """Mutations of the originals, read as scenarios: each compiles, or is refused in words."""
    pool = sorted({word for text in originals for word in text.split()})
    chance = random.Random(seed)
    scenes, told = 0, []
    for number in range(COUNT):
        text = mutated(chance.choice(originals), chance, pool)
        with limited_cpu():
            try:
                compile_draw(read(text), number, 0)
                scenes += 1
            except ScenarioError as error:
                told.append(str(error))
    assert 0 < scenes < COUNT
    assert all(told)
    assert written == []


def test_mutated_scenarios_are_scenes_or_errors(written):
    originals = [path.read_text() for path in library_scenarios().values()]
    refuse_or_compile(lambda text: parse_scenario(text, "fuzz.yaml", "fuzz"), originals, 0, written)


def test_mutated_sentences_are_scenes_or_errors(written):
    refuse_or_compile(lambda text: parse_sentence(text)[0], SENTENCES, 1, written)
