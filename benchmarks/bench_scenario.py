"""How long scenario work takes: loading a file, drawing, compiling, wording, understanding.

`python benchmarks/bench_scenario.py [--json]`; milliseconds, medians over runs after a warm-up.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

from hartsim.scenario.broad import broad_scenario
from hartsim.scenario.compiler import compile_draw, compile_scenario
from hartsim.scenario.draw import draw
from hartsim.scenario.language import parse_sentence
from hartsim.scenario.library import find_scenario
from hartsim.scenario.load import parse_scenario
from hartsim.scenario.prompts import describe

CALLS, RUNS = 100, 7


def milliseconds(work: Callable[[int], object]) -> float:
    """The median over runs of the mean time of one call; each call gets a fresh number."""
    means = []
    for run in range(RUNS + 1):
        started = time.perf_counter()
        for call in range(CALLS):
            work(run * CALLS + call)
        means.append((time.perf_counter() - started) / CALLS * 1e3)
    return statistics.median(means[1:])


def measure() -> dict[str, float]:
    """Milliseconds by task."""
    text = find_scenario("child_behind_van").read_text(encoding="utf-8")
    scenario = parse_scenario(text, "child_behind_van.yaml", "child_behind_van")
    drawn, setup = draw(scenario, 0, 0), compile_draw(scenario, 0, 0).setup
    return {
        "load a file": milliseconds(lambda _: parse_scenario(text, "file", "name")),
        f"draw {len(scenario.vary)} values": milliseconds(lambda i: draw(scenario, 0, i)),
        "compile": milliseconds(lambda _: compile_scenario(drawn)),
        "one more wording": milliseconds(lambda i: describe(setup, "front", i)),
        "broad scenario": milliseconds(lambda i: broad_scenario("driving", i)),
        "understand a sentence": milliseconds(
            lambda _: parse_sentence("a deer on a snowy road at night")
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    as_json = parser.parse_args().json
    figures = measure()
    if as_json:
        print(json.dumps({name: round(value, 4) for name, value in figures.items()}))
        return
    for name, value in figures.items():
        print(f"{name:24} {value:8.3f} ms")


if __name__ == "__main__":
    main()
