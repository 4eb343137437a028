"""The library for people: `docs/library.md` from the scenario files, and sheets of all of them.

.venv/bin/python tools/library.py                                 the page
.venv/bin/python tools/library.py --sheet                         the pictures as well
.venv/bin/python tools/library.py --sheet --samples runs/library  goes on where it was interrupted
.venv/bin/python tools/library.py --sheet --only deer_snow_road --images /tmp/shown
"""

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from hartsim.config import load_config
from hartsim.dataset.layout import sample_folders
from hartsim.images import captioned, contact_sheet, encode_jpeg, read_image, resize
from hartsim.pipeline import generate
from hartsim.request import GenerateRequest
from hartsim.scenario.library import group_of, library_scenarios
from hartsim.scenario.load import load_scenario
from hartsim.scenario.schema import TASKS, Scenario
from hartsim.types import Image, Sample

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = DOCS / "library.md"
TILE_PX, COLUMNS = 112, 5
SEED = 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the page, and with `--sheet` the pictures."""
    asked = parsed(arguments)
    PAGE.write_text(page(), encoding="utf-8")
    if asked.sheet:
        with tempfile.TemporaryDirectory() as scratch:
            samples = asked.samples or Path(scratch) / "samples"
            for sample in repainted(asked.only or library_scenarios(), samples):
                sys.stderr.write(f"{sample.id}\n")
            write_sheets(samples, asked.images)


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description="Write docs/library.md, and sheets of pictures.")
    parser.add_argument("--sheet", action="store_true", help="make the pictures too")
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME", help="show these alone")
    parser.add_argument("--samples", type=Path, metavar="FOLDER", help="keep the samples here")
    parser.add_argument("--images", type=Path, default=DOCS / "images", metavar="FOLDER")
    return parser.parse_args(arguments)


def repainted(names: Iterable[str], samples: Path) -> Iterator[Sample]:
    """One repainted scene of each scenario, by the default model; those there already stay."""
    request = GenerateRequest(
        scenarios=tuple(names),
        count=1,
        seed=SEED,
        out=samples,
        routes=("repaint",),
        views=("front",),
        shard=None,
        config=load_config(),
    )
    return generate(request)


def write_sheets(samples: Path, images: Path) -> None:
    """A sheet for each task of which there are samples."""
    images.mkdir(parents=True, exist_ok=True)
    for task in TASKS:
        names = [each.name for _, group in groups(task) for each in group]
        tiles = list(tiles_of(names, samples))
        if tiles:
            sheet = encode_jpeg(contact_sheet(tiles, COLUMNS))
            (images / f"library-{task}.jpg").write_bytes(sheet)


def tiles_of(names: Iterable[str], samples: Path) -> Iterator[Image]:
    """The frame and beside it the picture of every scenario that has a sample, above its name."""
    folders = {folder.name.rsplit("-", 3)[0]: folder for folder in sample_folders(samples)}
    for name in names:
        if name in folders:
            pair = [read_image(folders[name] / f"{part}.png") for part in ("frame", "image")]
            tile = np.hstack([resize(picture, (TILE_PX, TILE_PX)) for picture in pair])
            yield captioned(tile, name.replace("_", " "))


def groups(task: str) -> list[tuple[str, list[Scenario]]]:
    """The scenarios of a task by folder, both in alphabetical order."""
    found: dict[str, list[Scenario]] = {}
    for name, path in sorted(library_scenarios().items()):
        group = group_of(path)
        if group.split("/")[0] == task:
            found.setdefault(group, []).append(load_scenario(name))
    return sorted(found.items())


def page() -> str:
    """The page as Markdown."""
    lines = [
        "# The library",
        "",
        "Every scenario that ships with hartsim, made from the files in `scenarios/` by",
        "`tools/library.py`. Names of scenarios and of folders are what commands take:",
        "`hartsim generate animals --count 4`. In the sheets the frame of the embedded world",
        "stands on the left and its repaint by the shipped model on the right.",
        "",
    ]
    for task in TASKS:
        found = groups(task)
        count = sum(len(scenarios) for _, scenarios in found)
        lines += [f"## {task.capitalize()}: {count} scenarios", ""]
        lines += [f"![all scenarios of the {task} tasks](images/library-{task}.jpg)", ""]
        for group, scenarios in found:
            lines += [f"### {group.split('/')[-1].capitalize()}", ""]
            lines += [_line(group, each) for each in scenarios]
            lines.append("")
    return "\n".join(lines[:-1]) + "\n"


def _line(group: str, scenario: Scenario) -> str:
    link = f"../scenarios/{group}/{scenario.name}.yaml"
    return f"* [`{scenario.name}`]({link}): {scenario.about}"


if __name__ == "__main__":
    main()
