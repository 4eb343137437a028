"""Commands about banks: renders made ahead for environments to wear."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from hartsim.cli.shell import (
    PROBLEM_FOUND,
    Seed,
    Words,
    app,
    configured,
    counted,
    progress_bar,
    rows_table,
    screen,
    split_words,
)
from hartsim.errors import ConfigError

if TYPE_CHECKING:
    from hartsim.banks import BankRequest
    from hartsim.dataset.bank import Bank, Pictures
    from hartsim.types import Image

USUAL_SIZE = 100
"""Pictures of each kind, where nobody says how many and nobody follows."""

NAMES_SHOWN = 8
"""How many scenarios of a bank are named."""

SHEET_COLUMNS, SHEET_PX = 8, 128
"""Pictures of each kind on a contact sheet, and their side."""

bank = typer.Typer(
    epilog="Example: hartsim bank build child_behind_van --size 100 --out bank",
    no_args_is_help=True,
)
app.add_typer(bank, name="bank", help="Make renders ahead, for environments to wear.")

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A bank's folder.")]


@bank.command(
    epilog="Example: hartsim bank build scenarios/driving --size 500 --kinds texture,backdrop "
    "--seed 0 --out bank world.size_px=128"
)
def build(
    words: Words,
    size: Annotated[
        int | None,
        typer.Option(min=1, help="Pictures of each kind; default 100, with --follow no end."),
    ] = None,
    kinds: Annotated[
        str, typer.Option(help="Of texture, texture/SURFACE, backdrop, view, with commas.")
    ] = "texture,backdrop",
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The bank's folder.")] = Path("bank"),
    follow: Annotated[
        bool,
        typer.Option("--follow", help="Go on, a few pictures at a time, while a training reads."),
    ] = False,
) -> None:
    """Paint textures, backdrops and views ahead; run again, it goes on where it stopped."""
    from hartsim.banks import FOLLOWED_SHARD_SIZE, SHARD_SIZE, BankRequest

    names, overrides = split_words(words)
    request = BankRequest(
        scenarios=tuple(names),
        kinds=tuple(each.strip() for each in kinds.split(",") if each.strip()),
        size=USUAL_SIZE if size is None and not follow else size,
        seed=seed,
        out=out,
        config=configured(overrides),
        shard_size=FOLLOWED_SHARD_SIZE if follow else SHARD_SIZE,
    )
    screen.print(_build(request))


def _build(request: "BankRequest") -> str:
    """Paint the pictures under a progress bar; the summary."""
    from hartsim.banks import build_bank, plan
    from hartsim.dataset.bank import is_bank, open_bank

    kinds = plan(request)
    counts = open_bank(request.out).kinds if is_bank(request.out) else {}
    there = sum(min(counts.get(kind, 0), request.size or counts.get(kind, 0)) for kind in kinds)
    total = None if request.size is None else request.size * len(kinds)
    started, made, failed = time.perf_counter(), 0, 0
    with progress_bar(there) as progress:
        bar = progress.add_task("the first", total=total, completed=there)
        for painted in build_bank(request):
            made, failed = made + 1, failed + bool(painted.failed)
            wanted = painted.wanted
            progress.update(bar, advance=1, description=f"{wanted.scene.key} {wanted.kind}")
    seconds = time.perf_counter() - started
    if not made:
        return f"nothing to do: all {counted(there, 'picture')} are in {request.out}"
    return (
        f"{counted(made, 'picture')} in {seconds:.0f} s ({made / seconds:.2f}/s), {failed} with a "
        f"failed check, {there} were there before → {request.out}"
    )


@bank.command(epilog="Example: hartsim bank show bank --sheet bank.png")
def show(
    folder: Folder,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A .png with some pictures of each kind.")
    ] = None,
) -> None:
    """Say what a bank holds: kinds, how many pictures of each, their size and where from."""
    from hartsim.dataset.bank import open_bank
    from hartsim.dataset.durable import replace_durably
    from hartsim.images import encode_png

    if sheet is not None and (sheet.suffix != ".png" or not sheet.parent.is_dir()):
        raise ConfigError(f"--sheet is '{sheet}', must be a .png file in a folder that is there")
    opened = open_bank(folder)
    if not opened.kinds:
        screen.print(f"{folder}: no pictures yet")
        return
    header = ("kind", "pictures", "pixels", "MB", "scenarios", "weights", "failed a check")
    screen.print(rows_table([header, *(_line(kind, opened) for kind in opened.kinds)]))
    names = sorted({row.scenario for kind in opened.kinds for row in opened.images(kind).rows})
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    screen.print(f"of {', '.join(names[:NAMES_SHOWN])}{more}")
    if sheet is not None:
        replace_durably(sheet, encode_png(_sheet(opened)))
        screen.print(f"picture → {sheet}")


def _line(kind: str, opened: "Bank") -> tuple[str, ...]:
    """What `show` says of one kind."""
    pictures = opened.images(kind)
    height, width = pictures.size_px
    rows = list(pictures.rows)
    return (
        kind,
        str(len(rows)),
        f"{width}x{height}",
        f"{len(rows) * height * width * 3 / 1e6:.1f}",
        str(len({row.scenario for row in rows})),
        ", ".join(sorted({row.weights_hash[:8] for row in rows})),
        str(sum(bool(row.failed) for row in rows)),
    )


def _sheet(opened: "Bank") -> "Image":
    """One line of pictures of each kind, evenly from first to last."""
    from hartsim.images import contact_sheet

    tiles = [tile for kind in opened.kinds for tile in _tiles(kind, opened.images(kind))]
    return contact_sheet(tiles, SHEET_COLUMNS)


def _tiles(kind: str, pictures: "Pictures") -> "list[Image]":
    """Captioned pictures of a kind, and dark ones where it has too few."""
    import numpy as np

    from hartsim.images import captioned, resize

    shown = min(len(pictures), SHEET_COLUMNS)
    numbers = np.linspace(0, len(pictures) - 1, shown).round().astype(int).tolist()
    tiles = [
        captioned(resize(pictures[number], (SHEET_PX, SHEET_PX)), f"{kind} {number}")
        for number in numbers
    ]
    return tiles + [np.full_like(tiles[0], 24)] * (SHEET_COLUMNS - shown)


@bank.command(epilog="Example: hartsim bank verify bank")
def verify(folder: Folder) -> None:
    """Read every byte of a bank and say which files are missing or changed."""
    from hartsim.dataset.bank import open_bank, verify_bank

    problems = verify_bank(folder)
    for problem in problems:
        screen.print(f"[red]{escape(problem)}[/]")
    if problems:
        raise typer.Exit(PROBLEM_FOUND)
    count = sum(open_bank(folder).kinds.values())
    screen.print(f"{counted(count, 'picture')}, every byte as it was written")
