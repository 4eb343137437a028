"""Commands that make datasets, and that keep, show and pass them on."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape

from hartsim.cli.shell import (
    PROBLEM_FOUND,
    Dataset,
    SamplerChoice,
    Seed,
    Settings,
    Shard,
    Wish,
    Words,
    app,
    configured,
    counted,
    errors,
    given,
    progress_bar,
    screen,
    shard_of,
    split_words,
)
from hartsim.errors import ConfigError, WorldError, WorldLostError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from hartsim.augment import AugmentRequest
    from hartsim.config import RunConfig
    from hartsim.request import GenerateRequest

MOST_FAILURES = 12
"""How many failed checks are told one by one."""


@app.command(
    epilog="Example: hartsim generate child_behind_van scenarios/robot --count 8 --seed 1 "
    "--out data --routes view,repaint render.guidance=3"
)
def generate(
    words: Words,
    count: Wish = None,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Dataset folder.")] = Path("data"),
    routes: Annotated[
        str | None, typer.Option(help="Of view, texture, backdrop, repaint; default all.")
    ] = None,
    views: Annotated[str | None, typer.Option(help="Cameras, with commas; default front.")] = None,
    sampler: SamplerChoice = None,
    shard: Shard = None,
) -> None:
    """Make a labelled dataset from scenarios; run again, it goes on where it stopped."""
    names, overrides = split_words(words)
    options = {"dataset.routes": routes, "dataset.views": views, "draw.sampler": sampler}
    config = configured([*overrides, *given(options)])
    screen.print(carried_out(request_of(names, count, seed, out, shard, config)))


def request_of(
    names: Sequence[str],
    count: int | None,
    seed: int,
    out: Path,
    shard: str | None,
    config: "RunConfig",
    moments_s: tuple[float, ...] = (0.0,),
) -> "GenerateRequest":
    """What the options of a command ask for."""
    from hartsim.request import GenerateRequest

    return GenerateRequest(
        scenarios=tuple(names),
        count=count,
        seed=seed,
        out=out,
        routes=config.dataset.routes,
        views=config.dataset.views,
        shard=shard_of(shard),
        config=config,
        moments_s=moments_s,
    )


def carried_out(request: "GenerateRequest") -> str:
    """Make the samples under a progress bar, tell which scenes were left out; the summary."""
    from hartsim.dataset.layout import sample_folders
    from hartsim.pipeline import generate
    from hartsim.request import plan

    left_out: dict[str, str] = {}
    ids = [wanted.id for wanted in plan(request, left_out)]
    there = len({folder.name for folder in sample_folders(request.out)}.intersection(ids))
    started, made, failed = time.perf_counter(), 0, 0
    try:
        with progress_bar(there) as progress:
            bar = progress.add_task("the first scene", total=len(ids), completed=there)
            for sample in generate(request, left_out):
                made, failed = made + 1, failed + (not sample.passed)
                progress.update(bar, advance=1, description=sample.id)
    except WorldLostError as error:
        safe = f"{counted(made + there, 'sample')} of {len(ids)} are safe in {request.out}"
        raise WorldLostError(
            f"{str(error).rstrip('.?')}. {safe}; the same command goes on from there once "
            "the server runs again"
        ) from error
    seconds = time.perf_counter() - started
    if left_out:
        _tell_left_out(left_out)
    if left_out and not made + there:
        raise WorldError("not one of the scenes could be shown, for the reasons above")
    if not made:
        return f"nothing to do: all {counted(len(ids), 'sample')} are in {request.out}"
    return (
        f"{counted(made, 'sample')} in {seconds:.0f} s ({made / seconds:.2f}/s), {failed} with a "
        f"failed check, {there} were there before → {request.out}"
    )


def _tell_left_out(left_out: "Mapping[str, str]") -> None:
    """How many scenes the simulator could not show, and why."""
    from collections import defaultdict

    scenes: dict[str, list[str]] = defaultdict(list)
    for key, reason in left_out.items():
        scenes[reason].append(key)
    screen.print(f"[yellow]left out: {counted(len(left_out), 'scene')}[/]")
    for reason, keys in sorted(scenes.items()):
        screen.print(f"  {counted(len(keys), 'scene')}, {escape(keys[0])} first: {escape(reason)}")


@app.command(
    epilog="Example: hartsim augment coco --route repaint --scenario deer_snow_road "
    "--out augmented --change road,sky render.keep_scales=3"
)
def augment(
    folder: Annotated[
        Path, typer.Argument(metavar="COCO_DIR", help="Pictures with COCO annotations.")
    ],
    route: Annotated[
        Literal["repaint", "backdrop"], typer.Option(help="Keep the picture's structure, or not.")
    ],
    scenario: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="Where the new looks are drawn from.")
    ],
    out: Annotated[str, typer.Option(metavar="DIR", help="The new COCO folder.")],
    settings: Settings = None,
    count: Annotated[int, typer.Option(min=1, help="New looks of each picture.")] = 1,
    seed: Seed = 0,
    change: Annotated[
        str | None,
        typer.Option(metavar="CAT,CAT", help="Categories that may change, such as sky,road."),
    ] = None,
    objects: Annotated[
        bool,
        typer.Option("--objects", help="Ask for the scenario's objects too, which get no labels."),
    ] = False,
    margin: Annotated[
        int, typer.Option(min=0, max=256, help="Pixels that are kept round every object.")
    ] = 3,
    annotations: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The annotation file; default: found.")
    ] = None,
) -> None:
    """Give pictures with COCO annotations new looks; their objects and annotations stay."""
    from hartsim.augment import AugmentRequest

    if not out:
        raise ConfigError("--out is empty, must name a folder")
    request = AugmentRequest(
        folder=folder,
        route=route,
        scenario=scenario,
        out=Path(out),
        count=count,
        seed=seed,
        change=() if change is None else tuple(each.strip() for each in change.split(",")),
        objects=objects,
        margin_px=margin,
        annotations=annotations,
        config=configured(settings or []),
    )
    screen.print(_augment(request))


def _augment(request: "AugmentRequest") -> str:
    """Make the pictures under a progress bar, show what was dropped or failed; the summary."""
    from hartsim.augment import carry_out, plan
    from hartsim.dataset.augmented import read_dropped, read_failed

    planned = plan(request)
    there = len(planned.variants) - len(planned.missing)
    started, made, failed = time.perf_counter(), 0, 0
    with progress_bar(there) as progress:
        bar = progress.add_task("the first", total=len(planned.variants), completed=there)
        for each in carry_out(planned):
            made, failed = made + 1, failed + bool(each.said["failed"])
            progress.update(bar, advance=1, description=each.variant.name)
    seconds = time.perf_counter() - started
    if dropped := read_dropped(request.out):
        screen.print(_dropped_table(dropped))
    if failures := read_failed(request.out):
        screen.print(_failed_table(failures))
        if len(failures) > MOST_FAILURES:
            screen.print(f"and {len(failures) - MOST_FAILURES} more")
    if not made:
        return f"nothing to do: all {counted(there, 'picture')} are in {request.out}"
    return (
        f"{counted(made, 'picture')} in {seconds:.0f} s ({made / seconds:.2f}/s), {failed} with a "
        f"failed check, {there} were there before → {request.out}"
    )


def _dropped_table(dropped: "Sequence[Mapping[str, str]]") -> "Table":
    """How many annotations were dropped, by category and reason."""
    from collections import Counter

    from rich.table import Table

    table = Table("dropped", "annotations of", "because", box=None, pad_edge=False)
    counts = Counter((each["category"] or "no category", each["reason"]) for each in dropped)
    for (category, reason), number in sorted(counts.items()):
        table.add_row(str(number), escape(category), reason)
    return table


def _failed_table(failed: "Sequence[tuple[str, str]]") -> "Table":
    """Which pictures failed a check, and why: of all in the folder, the first few."""
    from rich.table import Table

    table = Table("failed", "because", box=None, pad_edge=False)
    for name, reason in failed[:MOST_FAILURES]:
        table.add_row(escape(name), escape(reason))
    return table


@app.command(epilog="Example: hartsim merge part0 part1 --out data")
def merge(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR", help="Shards of one run.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The dataset that unites them.")],
) -> None:
    """Unite the shards of one run in one dataset."""
    from hartsim.dataset.layout import sample_folders
    from hartsim.dataset.writer import merge
    from hartsim.request import asked_for

    manifest = merge(folders, out)
    there, wanted = len(sample_folders(out)), asked_for(out)
    screen.print(f"{there} of {counted(wanted, 'sample')} merged → {manifest}")
    if there < wanted:
        errors.print(f"[yellow]{wanted - there} are in none of the shards[/]; generate them too")


@app.command(
    epilog="Example: hartsim export coco data --out data/coco.json; "
    "hartsim export xosc child_behind_van --out xosc"
)
def export(
    form: Annotated[str, typer.Argument(metavar="coco|xosc", help="The format.")],
    folder: Annotated[
        Path, typer.Argument(metavar="DIR|SCENARIO", help="A dataset; for xosc, a scenario.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="coco: a .json file, or a folder that gets the pictures too; xosc: a folder."
        ),
    ] = None,
    rejected: Annotated[
        bool, typer.Option("--rejected", help="Take samples that failed a check as well.")
    ] = False,
) -> None:
    """Write labels that are known to be true, or a scenario, in a format that others read."""
    if form == "xosc":
        from hartsim.scenario.load import load_scenario
        from hartsim.scenario.openscenario import export_openscenario

        for path in export_openscenario(load_scenario(folder), out or Path(".")):
            screen.print(str(path))
        return
    if form != "coco":
        raise ConfigError(f"there is no export to '{form}'; there are coco and xosc")
    from hartsim.dataset.export import export_coco

    screen.print(f"{form} → {export_coco(folder, out or folder / 'coco.json', rejected)}")


@app.command(epilog="Example: hartsim gallery data")
def gallery(folder: Dataset) -> None:
    """Write one page, readable from disk, that shows a dataset."""
    from hartsim.dataset.gallery import write_gallery

    screen.print(f"open {write_gallery(folder)} in a browser")


@app.command(epilog="Example: hartsim verify data")
def verify(folder: Dataset) -> None:
    """Read every file of a dataset and say which are missing or changed."""
    from hartsim.dataset.augmented import is_augmented, verify_pictures
    from hartsim.dataset.layout import sample_folders
    from hartsim.dataset.reader import verify

    if is_augmented(folder):
        count, problems = verify_pictures(folder)
        whole = counted(count, "picture")
    else:
        problems = verify(folder)
        whole = f"{len(sample_folders(folder))} samples"
    for problem in problems:
        screen.print(f"[red]{escape(problem)}[/]")
    if problems:
        raise typer.Exit(PROBLEM_FOUND)
    screen.print(f"{whole}, every byte as it was written")
