# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: T201
"""The command line: setup, scenes, textures, sheet, kinds, credits."""

import argparse
import itertools
import json
import sys
from pathlib import Path

from tools.pathtrace import keys
from tools.pathtrace.assets import AssetError, attribution, load_table
from tools.pathtrace.install import cache_folder, install, models_folder


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(prog="python -m tools.pathtrace", description=__doc__)
    modes = top.add_subparsers(dest="mode", required=True)
    setup = modes.add_parser("setup", help="install Blender and the models")
    setup.add_argument("folder", nargs="?", type=Path, default=cache_folder())
    scenes = modes.add_parser("scenes", help="draw compiled scenes")
    scenes.add_argument("lines", help="what `hartsim compile … --json` printed; - for stdin")
    scenes.add_argument("--samples", type=_positive, default=6, help="samples a pixel")
    scenes.add_argument("--views", type=_positive, default=1, help="views a camera")
    scenes.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    scenes.add_argument("--threads", type=int, default=0, help="0 for all")
    scenes.add_argument("--models", type=Path, default=models_folder(cache_folder()))
    textures = modes.add_parser("textures", help="draw seamless surfaces and skies")
    textures.add_argument("lines", help="compiled scenes, for their words; - for stdin")
    textures.add_argument("--seeds", type=_positive, default=8, help="pictures a phrase")
    for mode in (scenes, textures):
        mode.add_argument("--out", type=Path, required=True)
        mode.add_argument("--size", type=_size, default=256, help="pixels a side")
        mode.add_argument("--shard", type=_shard, default=(1, 1), help="i/n: the i-th of n parts")
        mode.add_argument("--limit", type=_positive, help="stop after so many new frames")
    sheet = modes.add_parser("sheet", help="a contact sheet of written frames")
    sheet.add_argument("frames", type=Path)
    sheet.add_argument("picture", type=Path)
    sheet.add_argument("--count", type=_positive, default=24)
    sheet.add_argument("--columns", type=_positive, default=6)
    sheet.add_argument("--labels", action="store_true", help="the labels beside each image")
    modes.add_parser("kinds", help="the kinds that can be drawn")
    modes.add_parser("credits", help="print ATTRIBUTION.md")
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    given = parser().parse_args(arguments)
    try:
        return _MODES[given.mode](given)
    except (AssetError, ValueError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _setup(given: argparse.Namespace) -> int:
    print(f"ready: {install(given.folder)} scenes --models {models_folder(given.folder)} …")
    return 0


def _scenes(given: argparse.Namespace) -> int:
    try:
        from tools.pathtrace import scenes
    except ModuleNotFoundError as error:
        raise RuntimeError(f"{error}; start the tool with the Python that setup made") from error
    settings = scenes.Settings(given.size, given.samples, given.views, given.device, given.threads)
    lines = keys.shard(keys.read_lines(given.lines), given.shard)
    tally = scenes.run(lines, given.models, given.out, settings, given.limit)
    print(json.dumps(tally.summary(), indent=1))
    return 0


def _textures(given: argparse.Namespace) -> int:
    from tools.pathtrace import textures

    jobs = textures.jobs(keys.read_lines(given.lines), given.seeds)
    part = itertools.islice(jobs, given.shard[0] - 1, None, given.shard[1])
    print(json.dumps(textures.run(part, given.out, given.size, given.limit), indent=1))
    return 0


def _sheet(given: argparse.Namespace) -> int:
    from tools.pathtrace.sheet import contact_sheet

    shown = contact_sheet(given.frames, given.picture, given.count, given.columns, given.labels)
    print(f"{shown} frames on {given.picture}")
    return 0


def _kinds(given: argparse.Namespace) -> int:
    from tools.pathtrace.kinds import ROAD_KINDS, TABLE_KINDS

    print("driving:", ", ".join(sorted(ROAD_KINDS)))
    print("robot:", ", ".join(sorted(TABLE_KINDS)))
    return 0


def _credits(given: argparse.Namespace) -> int:
    print(attribution(load_table()), end="")
    return 0


_MODES = {
    "setup": _setup,
    "scenes": _scenes,
    "textures": _textures,
    "sheet": _sheet,
    "kinds": _kinds,
    "credits": _credits,
}


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number above 0")
    return int(text)


def _size(text: str) -> int:
    size = _positive(text)
    if size % 2 or not 32 <= size <= 4096:
        raise argparse.ArgumentTypeError(f"size {size} is not an even number from 32 to 4096")
    return size


def _shard(text: str) -> tuple[int, int]:
    try:
        return keys.parse_shard(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
