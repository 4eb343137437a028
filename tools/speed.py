"""The figures of `docs/speed.md`, written into it from the files in `benchmarks/results/`.

.venv/bin/python tools/speed.py                       the tables, from the files that are there
.venv/bin/python tools/speed.py --measure             first measure all that a CPU can tell
.venv/bin/python tools/speed.py --measure speed-mini  first measure this
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from hartsim.bench import show
from hartsim.bench.speed import read_report

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "speed.md"
RESULTS = ROOT / "benchmarks" / "results"

SPEED = ("-m", "hartsim", "bench", "speed", "--device", "cpu")
COMMANDS: dict[str, tuple[str, ...]] = {
    "speed-mini": (*SPEED, "--model", "mini", "--precision", "fp32,int8", "--runs", "20"),
    "speed-0.7b-256": (
        *(*SPEED, "--model", "0.7b", "--size-px", "256"),
        *("--precision", "fp32,int8", "--runs", "3", "--batch", "1,2"),
    ),
    "cold-render": ("benchmarks/bench_cold.py",),
    "drift-mini": ("benchmarks/bench_drift.py",),
    "peers": ("benchmarks/bench_peers.py", "--device", "cpu"),
}
"""What is measured on a CPU, by the name of its file; benchmarks/bench_gpu.py writes the others."""

MARKED = re.compile(r"(<!-- figures: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for, then write the page; 1 where a command failed."""
    parser = argparse.ArgumentParser(description="Write the figures of docs/speed.md.")
    parser.add_argument("--measure", nargs="*", choices=COMMANDS, help="all without a name")
    asked = parser.parse_args(arguments)
    names = [] if asked.measure is None else asked.measure or list(COMMANDS)
    failed = [name for name in names if not measured(name)]
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), RESULTS), encoding="utf-8")
    sys.stderr.write("".join(f"failed: {name}\n" for name in failed))
    return 1 if failed else 0


def measured(name: str) -> bool:
    """Whether the command of a file succeeded; its tables go to the screen."""
    RESULTS.mkdir(exist_ok=True)
    command = [sys.executable, *COMMANDS[name], "--json", str(RESULTS / f"{name}.json")]
    sys.stderr.write(f"{name}: {' '.join(command[1:])}\n")
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def page(text: str, results: Path) -> str:
    """The page with the figures between its marks taken from the results."""

    def figures(found: re.Match[str]) -> str:
        file = results / f"{found[2]}.json"
        return "\n".join([found[1], *lines(file), "", found[3]])

    return MARKED.sub(figures, text)


def lines(file: Path) -> Iterator[str]:
    """A file's tables in Markdown; a word where there is none."""
    if not file.is_file():
        yield "Not measured yet."
        return
    content = json.loads(file.read_text(encoding="utf-8"))
    if "rows" in content:
        yield f"{content['heading']}."
        yield from table(content["rows"])
        for name, reason in content.get("failed", {}).items():
            yield ""
            yield f"{name} failed: {reason}"
        return
    report = read_report(file)
    yield f"{show.heading(report)}."
    yield from table(show.summary(report))
    for result in report.results:
        yield from table(show.stages(result))
    if report.goals:
        yield from table(show.goals(report))


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A Markdown table with an empty line before it."""
    yield ""
    for index, row in enumerate(rows):
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"
        if index == 0:
            yield f"|{'|'.join(['---', *['---:'] * (len(row) - 1)])}|"


if __name__ == "__main__":
    sys.exit(main())
