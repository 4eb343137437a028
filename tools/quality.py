"""The figures of `docs/quality.md`, written into it from the files in `benchmarks/results/`.

.venv/bin/python tools/quality.py                  the tables, from the files that are there
.venv/bin/python tools/quality.py --data corpus    first measure the shipped model on a corpus
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from hartsim.bench.quality import show
from hartsim.bench.quality.figures import Findings, Row
from hartsim.bench.quality.measure import read_report
from hartsim.images import encode_jpeg, read_image

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "quality.md"
RESULTS = ROOT / "benchmarks" / "results"
PICTURE = ROOT / "docs" / "images" / "quality.jpg"
NAME = "quality-mini"

MARKED = re.compile(r"(<!-- figures: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure if a corpus is named, then write the page; 1 where the command failed."""
    parser = argparse.ArgumentParser(description="Write the figures of docs/quality.md.")
    parser.add_argument("--data", type=Path, help="a corpus that `hartsim train data` made")
    parser.add_argument("--out", type=Path, default=Path("quality"), help="where judges are kept")
    parser.add_argument("--count", type=int, default=480)
    asked = parser.parse_args(arguments)
    failed = asked.data is not None and not measured(asked.data, asked.out, asked.count)
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), RESULTS), encoding="utf-8")
    return 1 if failed else 0


def measured(data: Path, out: Path, count: int) -> bool:
    """Whether the command succeeded; its tables go to the screen."""
    RESULTS.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "hartsim", "bench", "quality", "--data", str(data)]
    command += ["--out", str(out), "--count", str(count)]
    drawn = out / "quality.png"
    command += ["--json", str(RESULTS / f"{NAME}.json"), "--picture", str(drawn)]
    sys.stderr.write(f"{' '.join(command[1:])}\n")
    if subprocess.run(command, check=False).returncode:
        return False
    PICTURE.write_bytes(encode_jpeg(read_image(drawn)))
    return True


def page(text: str, results: Path) -> str:
    """The page with the figures between its marks taken from the results."""

    def figures(found: re.Match[str]) -> str:
        return "\n".join([found[1], *lines(results / f"{found[2]}.json"), "", found[3]])

    return MARKED.sub(figures, text)


def lines(file: Path) -> Iterator[str]:
    """A file's tables in Markdown; a word where there is none."""
    if not file.is_file():
        yield "Not measured yet."
        return
    plain = json.loads(file.read_text(encoding="utf-8"))
    if isinstance(plain, list):  # what tools/hybrid.py keeps: rows alone
        for table in show.tables(Findings("distances", tuple(Row(**row) for row in plain))):
            yield from markdown(table)
        return
    report = read_report(file)
    yield f"{show.heading(report)}."
    for line in show.taught(report):
        yield ""
        yield f"{line}."
    for findings in report.findings:
        yield ""
        yield f"**{show.TITLES[findings.name]}** ({findings.seconds:.0f} s)"
        for table in show.tables(findings):
            yield from markdown(table)
        for reason in findings.left_out:
            yield ""
            yield f"Left out: {reason}."


def markdown(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A Markdown table with an empty line before it."""
    yield ""
    for index, row in enumerate(rows):
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"
        if index == 0:
            yield f"|{'|'.join(['---', *['---:'] * (len(row) - 1)])}|"


if __name__ == "__main__":
    sys.exit(main())
