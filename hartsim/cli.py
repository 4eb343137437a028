"""The `hartsim` command: the only module that prints.

Every command imports what it needs inside itself, so that `hartsim --help` and `hartsim compile`
start at once. What a user can act on ends in one line and exit code 2.
"""

import logging
import os
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape
from typer.exceptions import TyperException

from hartsim import __version__
from hartsim.errors import ConfigError, HartSimError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.progress import Progress
    from rich.table import Table

    from hartsim.augment import AugmentRequest
    from hartsim.hart.hub import Record
    from hartsim.pipeline import GenerateRequest
    from hartsim.scenario.compiled import CompiledScene
    from hartsim.scenario.coverage import Combination, Coverage
    from hartsim.scenario.language import Reader
    from hartsim.scenario.lint import Finding
    from hartsim.scenario.schema import Scenario

MISSING_SHOWN = 12
"""Pairs that `coverage` lists at most."""

OK, PROBLEM_FOUND, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(
    epilog="Example: hartsim generate child_behind_van --count 8 --out data",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
scenarios = typer.Typer(
    epilog="Example: hartsim scenarios show child_behind_van", no_args_is_help=True
)
train = typer.Typer(
    epilog="Example: hartsim train tokenizer --data corpus --out run --minutes 60",
    no_args_is_help=True,
)
weights = typer.Typer(epilog="Example: hartsim weights pull", no_args_is_help=True)
app.add_typer(
    train, name="train", help="Train hart-mini: data, tokenizer, transformer, decoder, measure."
)
bench = typer.Typer(
    epilog="Example: hartsim bench speed --model 0.7b --precision fp32,int8 --json speed.json",
    no_args_is_help=True,
)
app.add_typer(bench, name="bench", help="Measure what hartsim can do on this machine.")
app.add_typer(
    scenarios, name="scenarios", help="List the shipped scenarios, show one, or begin your own."
)
app.add_typer(
    weights, name="weights", help="Bring the published model, list what is here, and check it."
)

screen = Console(soft_wrap=True, highlight=False)
errors = Console(stderr=True, soft_wrap=True, highlight=False)

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="SCENARIO|KEY=VALUE",
        help="Scenario files, folders or library names; then settings: render.guidance=3.",
    ),
]
Names = Annotated[
    list[str],
    typer.Argument(metavar="SCENARIO", help="Scenario files, folders or library names."),
]
Settings = Annotated[
    list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Settings: hart=tiny.")
]
Count = Annotated[int, typer.Option(min=1, help="Scenes to draw from each scenario.")]
Wish = Annotated[
    int | None,
    typer.Option(min=1, help="Scenes of each scenario; default 8, or what a sampler's plan needs."),
]
Seed = Annotated[int, typer.Option(min=0, help="Decides every draw and every picture.")]
SamplerChoice = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Of random, sobol, latin, grid, pairwise, rare; default random."
    ),
]
Shard = Annotated[
    str | None, typer.Option(metavar="I/N", help="Make only part I, counted from 0, of N.")
]
Corpus = Annotated[Path, typer.Option(metavar="DIR", help="What `train data` made.")]
TrainingRun = Annotated[
    Path, typer.Option(metavar="DIR", help="Checkpoints, logs, sheets; a run there goes on.")
]
Minutes = Annotated[float, typer.Option(min=0.1, help="Budget, with all resumptions.")]
Dataset = Annotated[Path, typer.Argument(metavar="DIR", help="A dataset folder.")]
ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="A model of `weights list`.")]


def main() -> None:
    """Run the command line of this process and exit."""
    if "OMP_WAIT_POLICY" not in os.environ:
        # PyTorch's threads, waiting for each other, would keep cores from whoever else needs them.
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit code, and turns users' errors into one line each."""
    try:
        code: int = app(args=list(arguments), prog_name="hartsim", standalone_mode=False) or OK
    except TyperException as error:
        return _fail(error.format_message())
    except HartSimError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    if code == INTERRUPTED:
        errors.print("[yellow]stopped[/]; the same command again goes on from here")
    return code


def _fail(message: str) -> int:
    if message:  # typer's is empty where it has shown the help instead
        errors.print(f"[red]error: {escape(' '.join(message.split()))}[/]")
    return BAD_INPUT


def _show_version(wanted: bool) -> None:
    if wanted:
        screen.print(f"hartsim {__version__}")
        raise typer.Exit


@app.callback()
def start(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show it and exit."),
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log what happens.")] = False,
) -> None:
    """Make labelled pictures of rare and dangerous scenes for driving and robot policies."""
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")


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
    from hartsim.config import load_config
    from hartsim.pipeline import GenerateRequest

    names, overrides = _split(words)
    options = {"dataset.routes": routes, "dataset.views": views, "draw.sampler": sampler}
    overrides += [f"{key}={value}" for key, value in options.items() if value is not None]
    config = load_config(overrides)
    request = GenerateRequest(
        scenarios=tuple(names),
        count=count,
        seed=seed,
        out=out,
        routes=config.dataset.routes,
        views=config.dataset.views,
        shard=_shard(shard),
        config=config,
    )
    screen.print(_generate(request))


def _generate(request: "GenerateRequest") -> str:
    """Make the samples under a progress bar; the summary."""
    from hartsim.dataset.layout import sample_folders
    from hartsim.pipeline import generate, plan

    ids = [wanted.id for wanted in plan(request)]
    there = len({folder.name for folder in sample_folders(request.out)}.intersection(ids))
    started, made, failed = time.perf_counter(), 0, 0
    with _progress(there) as progress:
        bar = progress.add_task("the first scene", total=len(ids), completed=there)
        for sample in generate(request):
            made, failed = made + 1, failed + (not sample.passed)
            progress.update(bar, advance=1, description=sample.id)
    seconds = time.perf_counter() - started
    if not made:
        return f"nothing to do: all {_counted(len(ids), 'sample')} are in {request.out}"
    return (
        f"{_counted(made, 'sample')} in {seconds:.0f} s ({made / seconds:.2f}/s), {failed} with a "
        f"failed check, {there} were there before → {request.out}"
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _progress(before: int) -> "Progress":
    """A bar whose rate counts from the start of this run, with `before` samples already there."""
    from rich import progress

    class Rate(progress.ProgressColumn):
        def render(self, task: progress.Task) -> str:
            made, seconds = task.completed - before, task.elapsed or 0.0
            if not made or not seconds:
                return "-.--/s  -:--:-- left"
            to_do = (task.total or 0) - task.completed
            left = timedelta(seconds=round(to_do * seconds / made))
            return f"{made / seconds:.2f}/s  {left} left"

    return progress.Progress(
        progress.SpinnerColumn(style="cyan"),
        progress.BarColumn(complete_style="cyan", finished_style="green"),
        progress.MofNCompleteColumn(),
        Rate(),
        progress.TextColumn("{task.description}"),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )


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
    out: Annotated[Path, typer.Option(metavar="DIR", help="The new COCO folder.")],
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
    from hartsim.config import load_config

    request = AugmentRequest(
        folder=folder,
        route=route,
        scenario=scenario,
        out=out,
        count=count,
        seed=seed,
        change=tuple(each.strip() for each in (change or "").split(",") if each.strip()),
        objects=objects,
        margin_px=margin,
        annotations=annotations,
        config=load_config(settings or []),
    )
    screen.print(_augment(request))


def _augment(request: "AugmentRequest") -> str:
    """Make the pictures under a progress bar and show what was dropped; the summary."""
    from hartsim.augment import carry_out, plan
    from hartsim.dataset.augmented import read_dropped

    planned = plan(request)
    there = len(planned.variants) - len(planned.missing)
    started, made, failed = time.perf_counter(), 0, 0
    with _progress(there) as progress:
        bar = progress.add_task("the first", total=len(planned.variants), completed=there)
        for each in carry_out(planned):
            made, failed = made + 1, failed + bool(each.said["failed"])
            progress.update(bar, advance=1, description=each.variant.name)
    seconds = time.perf_counter() - started
    if dropped := read_dropped(request.out):
        screen.print(_dropped_table(dropped))
    if not made:
        return f"nothing to do: all {_counted(there, 'picture')} are in {request.out}"
    return (
        f"{_counted(made, 'picture')} in {seconds:.0f} s ({made / seconds:.2f}/s), {failed} with a "
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


@app.command(epilog="Example: hartsim merge part0 part1 --out data")
def merge(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR", help="Shards of one run.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The dataset that unites them.")],
) -> None:
    """Unite the shards of one run in one dataset."""
    from hartsim.dataset.layout import sample_folders
    from hartsim.dataset.writer import merge
    from hartsim.pipeline import asked_for

    manifest = merge(folders, out)
    there, wanted = len(sample_folders(out)), asked_for(out)
    screen.print(f"{there} of {_counted(wanted, 'sample')} merged → {manifest}")
    if there < wanted:
        errors.print(f"[yellow]{wanted - there} are in none of the shards[/]; generate them too")


@app.command(
    "compile",
    epilog='Example: hartsim compile "a deer on an icy road at dusk" --yaml',
)
def compile_(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="SCENARIO|SENTENCE",
            help="Scenario files, folders, library names, or sentences in quotes.",
        ),
    ],
    count: Count = 1,
    seed: Seed = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    as_yaml: Annotated[
        bool, typer.Option("--yaml", help="The scenarios as files, not their scenes.")
    ] = False,
    reader: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:FUNCTION",
            help="Your own function, such as a language model's, that reads the sentences.",
        ),
    ] = None,
) -> None:
    """Show the scenes that scenarios become: what is set up, painted and tagged."""
    import json

    from hartsim.scenario.compiler import compile_draw, to_plain
    from hartsim.scenario.dump import to_yaml

    for scenario in _scenarios(words, reader):
        if as_yaml:
            print(to_yaml(scenario), end="")
            continue
        for index in range(count):
            scene = compile_draw(scenario, seed, index)
            if as_json:
                print(json.dumps(to_plain(scene), allow_nan=False))
            else:
                _print_scene(scene)


def _scenarios(words: Sequence[str], reader: str | None) -> "Iterator[Scenario]":
    """The scenarios of names, files, folders and sentences; a sentence has a space in it."""
    from hartsim.scenario.language import parse_sentence, understand
    from hartsim.scenario.library import find_scenarios
    from hartsim.scenario.load import load_scenario
    from hartsim.scenario.staging import scenario_of

    read_by = _function(reader) if reader else None
    for word in words:
        if " " not in word.strip() or Path(word).exists():
            yield from map(load_scenario, find_scenarios([word]))
            continue
        if read_by is not None:
            yield parse_sentence(word, read_by)[0]
            continue
        said = understand(word)
        _tell_unknown(said.unknown)
        if said.passed_over:
            errors.print(f"[dim]passed over: {escape(', '.join(said.passed_over))}[/]")
        yield scenario_of(said)


def _function(place: str) -> "Reader":
    """The function that `module:function` names."""
    from importlib import import_module

    module, _, name = place.partition(":")
    try:
        found: Reader = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"--reader is '{place}', must be MODULE:FUNCTION: {error}") from error
    return found


def _tell_unknown(words: Sequence[str]) -> None:
    if words:
        told = ", ".join(_with_hint(word) for word in words)
        errors.print(f"[yellow]not understood: {escape(told)}[/]")


@app.command("lint", epilog='Example: hartsim lint "a deer on a road, no cars" child_behind_van')
def lint_(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="SCENARIO|PROMPT",
            help="Prompts in quotes, or scenario files, folders and library names.",
        ),
    ],
    count: Count = 1,
    seed: Seed = 0,
) -> None:
    """Say what keeps prompts from being painted as they are meant, and what would be better."""
    from rich.table import Table

    linted = [each for word in words for each in _linted(word, count, seed)]
    found = dict.fromkeys((where, each) for where, findings in linted for each in findings)
    table = Table("prompt", "", "finding", "words", "better", box=None, pad_edge=False)
    for where, finding in found:
        colour = "red" if finding.severity == "error" else "yellow"
        name = finding.id.replace("_", " ")
        shown = (escape(where), f"[{colour}]{finding.severity}[/]", name)
        table.add_row(*shown, escape(finding.words), escape(finding.better))
    if found:
        screen.print(table)
    bad = sum(finding.severity == "error" for _, finding in found)
    told = f"{_counted(bad, 'error')}, {_counted(len(found) - bad, 'warning')}"
    screen.print(f"{_counted(len(linted), 'prompt')}: {told}")
    if bad:
        raise typer.Exit(PROBLEM_FOUND)


def _linted(word: str, count: int, seed: int) -> "Iterator[tuple[str, tuple[Finding, ...]]]":
    """The findings of a prompt, or of every prompt of a scenario's scenes, with where it is."""
    from hartsim.scenario.compiler import compile_draw
    from hartsim.scenario.library import find_scenarios
    from hartsim.scenario.lint import lint, lint_scene
    from hartsim.scenario.load import load_scenario

    if " " in word.strip() and not Path(word).exists():
        yield word, lint(word)
        return
    for scenario in map(load_scenario, find_scenarios([word])):
        for index in range(count):
            for name, findings in lint_scene(compile_draw(scenario, seed, index)).items():
                yield f"{scenario.name} {name}", findings


def _print_scene(scene: "CompiledScene") -> None:
    screen.print(f"[bold]{scene.key}[/] ({scene.setup.task}, seed {scene.seed})")
    shown = {path: f"{v:.4g}" if isinstance(v, float) else v for path, v in scene.drawn.items()}
    rows = [(f"drawn {path}", value) for path, value in shown.items()]
    rows += [(f"view {camera}", text) for camera, text in scene.view_prompts.items()]
    rows += [(f"backdrop {camera}", text) for camera, text in scene.backdrop_prompts.items()]
    rows += [(f"texture {surface}", text) for surface, text in scene.texture_prompts.items()]
    rows += [(f"tags {group}", ", ".join(tags)) for group, tags in scene.tags.items() if tags]
    for title, value in rows:
        screen.print(f"  [cyan]{title}[/]: {escape(str(value))}")


@app.command(epilog="Example: hartsim coverage driving --by weather,time_of_day,hazard --count 20")
def coverage(
    names: Annotated[
        list[str], typer.Argument(metavar="SCENARIO|DIR", help="Scenarios, or one dataset.")
    ],
    by: Annotated[
        str, typer.Option(help="Tags (weather, hazard, nhtsa …) or varied paths, with commas.")
    ] = "place,weather,time_of_day,hazard",
    count: Wish = None,
    seed: Seed = 0,
    sampler: SamplerChoice = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An .svg picture of the pairs.")
    ] = None,
) -> None:
    """Show which values, and pairs of values, a set of draws or a dataset covers, and which not.

    Draws are held against all that the scenarios can show, a dataset against the whole catalogue.
    """
    from hartsim.config import load_config
    from hartsim.dataset.durable import replace_durably
    from hartsim.pipeline import coverage_of
    from hartsim.scenario.coverage import as_svg
    from hartsim.scenario.library import find_scenarios
    from hartsim.scenario.load import load_scenario
    from hartsim.scenario.samplers import full_grid

    if out is not None and out.suffix != ".svg":
        raise ConfigError(f"--out is '{out}', must be a file name that ends in .svg")
    factors = [each.strip() for each in by.split(",") if each.strip()]
    settings = load_config([f"draw.sampler={sampler}"] if sampler else [])
    scenes, singles, pairs = coverage_of(names, factors, count, seed, settings)
    screen.print(_coverage_table(singles, pairs))
    screen.print(f"{_counted(scenes, 'scene')}; pairs never seen together: {len(pairs.missing)}")
    if sampler is not None:
        drawn = [load_scenario(path) for path in find_scenarios(names)]
        grid = sum(full_grid(each, settings.draw.levels) for each in drawn)
        screen.print(f"every combination of all that varies would take {_counted(grid, 'scene')}")
    for (_, one), (_, other) in pairs.missing[:MISSING_SHOWN]:
        screen.print(f"  {one} with {other}")
    if len(pairs.missing) > MISSING_SHOWN:
        screen.print(f"  and {len(pairs.missing) - MISSING_SHOWN} more")
    if out is not None:
        replace_durably(out, as_svg(pairs).encode())
        screen.print(f"picture → {out}")


def _coverage_table(singles: "Coverage", pairs: "Coverage") -> "Table":
    """Per factor what is seen of it alone and in pairs, and last of all together."""
    from rich.table import Table

    table = Table("factor", "values seen", "pairs seen", "never seen", box=None, pad_edge=False)
    for name in (*singles.factors, ""):
        alone = {each: n for each, n in singles.counts.items() if not name or each[0][0] == name}
        both = {p: n for p, n in pairs.counts.items() if not name or name in (p[0][0], p[1][0])}
        never = ", ".join(each[0][1] for each, n in alone.items() if not n) if name else ""
        table.add_row(name or "[bold]all[/]", _share(alone), _share(both), escape(never))
    return table


def _share(counts: "Mapping[Combination, int]") -> str:
    if not counts:
        return "-"
    seen = sum(n > 0 for n in counts.values())
    return f"{seen} of {len(counts)} ({100 * seen / len(counts):.0f} %)"


@app.command(epilog='Example: hartsim render "a deer on a snowy road at night" --out deer.png')
def render(
    sentence: Annotated[str, typer.Argument(help="What to show, in plain English.")],
    settings: Settings = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The PNG file.")] = Path("render.png"),
    seed: Seed = 0,
) -> None:
    """Make one picture from a sentence."""
    if any("=" not in word for word in settings or ()):
        words = " ".join([sentence, *(settings or ())])
        raise ConfigError(f"the sentence is several words here; put it in quotes: '{words}'")
    from hartsim.config import load_config
    from hartsim.dataset.durable import replace_durably
    from hartsim.images import encode_png
    from hartsim.pipeline import render_sentence

    if not out.parent.is_dir():
        raise ConfigError(f"--out is '{out}', but there is no folder '{out.parent}'")
    if out.suffix.lower() != ".png" or out.is_dir():
        raise ConfigError(f"--out is '{out}', must be a file name that ends in .png")
    image, scene, not_understood = render_sentence(sentence, load_config(settings or []), seed)
    _tell_unknown(not_understood)
    replace_durably(out, encode_png(image))
    prompt = next(iter(scene.view_prompts.values()))
    screen.print(f"{escape(prompt)} → {out}")


def _with_hint(word: str) -> str:
    from hartsim.scenario.lexicon import nearest_word

    near = nearest_word(word)
    return f"{word} (did you mean '{near}'?)" if near else word


@app.command("import", epilog="Example: hartsim import CutIn.xosc --out cut_in.yaml")
def import_(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="An OpenSCENARIO file, .xosc.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A .yaml file; default: only print it.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not list what was left out.")] = False,
) -> None:
    """Read an OpenSCENARIO file as a scenario, and list what did not become part of it."""
    from hartsim.dataset.durable import replace_durably
    from hartsim.scenario.dump import to_yaml
    from hartsim.scenario.openscenario import import_openscenario

    if out is not None and (out.suffix not in (".yaml", ".yml") or not out.parent.is_dir()):
        raise ConfigError(f"--out is '{out}', must be a .yaml file in a folder that is there")
    imported = import_openscenario(path)
    text = to_yaml(imported.scenario)
    if out is None:
        print(text, end="")
    else:
        replace_durably(out, text.encode())
        screen.print(f"scenario → {out}")
    for note in () if quiet else imported.notes:
        errors.print(f"[dim]{escape(str(note))}[/]")
    if imported.notes:
        errors.print(f"[yellow]{_counted(len(imported.notes), 'element')} not taken as they are[/]")


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
    from hartsim.dataset.layout import sample_folders
    from hartsim.dataset.reader import verify

    problems = verify(folder)
    for problem in problems:
        screen.print(f"[red]{escape(problem)}[/]")
    if problems:
        raise typer.Exit(PROBLEM_FOUND)
    screen.print(f"{len(sample_folders(folder))} samples, every byte as it was written")


@app.command(epilog="Example: hartsim doctor")
def doctor() -> None:
    """Say what this machine lacks, and the one command that brings each missing thing."""
    from rich.table import Column, Table

    from hartsim.doctor import examine

    colours = {"ok": "green", "optional": "yellow", "missing": "red"}
    findings = list(examine(Path.cwd()))
    table = Table.grid("", "", Column(overflow="fold"), padding=(0, 2))
    for finding in findings:
        status = f"[{colours[finding.status]}]{finding.status}[/]"
        table.add_row(finding.name, status, escape(finding.detail))
    screen.print(table)
    for finding in findings:
        if finding.remedy:
            screen.print(f"for {finding.name}: [bold]{escape(finding.remedy)}[/]")
    if any(finding.status == "missing" for finding in findings):
        raise typer.Exit(PROBLEM_FOUND)


@train.callback()
def start_training() -> None:
    """Show what training logs."""
    logging.getLogger("hartsim").setLevel(logging.INFO)


@train.command("data", epilog="Example: hartsim train data --out corpus --parts 40 --shard 0/2")
def train_data(
    out: Annotated[Path, typer.Option(metavar="DIR", help="The corpus.")],
    parts: Annotated[int, typer.Option(min=1, help="Of 250 pictures each, some held out.")] = 40,
    shard: Shard = None,
    portraits: Annotated[
        bool, typer.Option("--portraits", help="Hazards alone and near, besides the usual mix.")
    ] = False,
) -> None:
    """Draw captioned pictures of the embedded worlds; parts that are there are kept."""
    from hartsim.corpus import make_corpus

    parts_made = make_corpus(out, parts, shard=_shard(shard) or (0, 1), portraits=portraits)
    made = sum(1 for _ in parts_made)
    screen.print(f"{made} parts made → {out}")


@train.command(epilog="Example: hartsim train tokenizer --data corpus --out run --minutes 60")
def tokenizer(data: Corpus, out: TrainingRun, minutes: Minutes = 60) -> None:
    """Train the tokenizer, in three phases that share the minutes."""
    from hartsim.training.mini import train_mini_tokenizer

    screen.print(f"tokenizer → {train_mini_tokenizer(data, out, minutes)}")


@train.command(epilog="Example: hartsim train transformer --data corpus --out run --minutes 120")
def transformer(
    data: Corpus,
    out: TrainingRun,
    minutes: Minutes = 120,
    start: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Finished weights to train further, such as the shipped."),
    ] = None,
) -> None:
    """Train the transformer behind the tokenizer of the same run, and write the weights."""
    from hartsim.training.mini import train_mini_transformer

    screen.print(f"weights → {train_mini_transformer(data, out, minutes, start)}")


@train.command(epilog="Example: hartsim train decoder --data corpus --out run --minutes 15")
def decoder(data: Corpus, out: TrainingRun, minutes: Minutes = 15) -> None:
    """Train the decoder on what the run's transformer draws, and write the weights again."""
    from hartsim.training.mini import train_mini_decoder

    screen.print(f"weights → {train_mini_decoder(data, out, minutes)}")


@train.command(epilog="Example: hartsim train measure --data corpus --out run")
def measure(data: Corpus, out: TrainingRun) -> None:
    """Measure the weights of a run on pictures that it never saw."""
    from hartsim.training.mini import measure_weights

    for name, value in measure_weights(data, out).items():
        screen.print(f"{name} {value}")


@bench.command("speed", epilog="Example: hartsim bench speed --model 0.7b --precision fp32,int8")
def bench_speed(
    model: Annotated[str, typer.Option(help="Of mini, tiny, 0.7b.")] = "mini",
    size_px: Annotated[
        int | None, typer.Option(help="Side of the pictures; default the model's, 0.7b: 256.")
    ] = None,
    precision: Annotated[
        str, typer.Option(help="Of fp32, int8, bf16, fp16, fp8, with commas.")
    ] = "fp32",
    batch: Annotated[
        str, typer.Option(help="Pictures together, with commas; auto doubles while that pays.")
    ] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    runs: Annotated[
        int, typer.Option(min=1, help="Of the latency; a 95th percentile needs 20.")
    ] = 10,
    threads: Annotated[int | None, typer.Option(min=1, help="Of the CPU; default all.")] = None,
    fuse: Annotated[bool, typer.Option("--fuse", help="Compile the blocks, on CUDA.")] = False,
    out: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Keep the report here.")
    ] = None,
) -> None:
    """Measure HART: latency, throughput, memory, start, and every stage against its roofline."""
    from hartsim.bench import show
    from hartsim.bench.plan import SpeedRequest
    from hartsim.bench.speed import measure, report, write_report

    if out is not None and not out.parent.is_dir():
        raise ConfigError(f"--json is '{out}', but there is no folder '{out.parent}'")
    request = SpeedRequest(
        model=model,
        size_px=size_px,
        precisions=tuple(_listed(precision)),
        batches=None if batch == "auto" else _numbers("--batch", batch),
        device=device,
        runs=runs,
        threads=threads,
        fuse=fuse,
    )
    measured = []
    with errors.status(f"{model}: the first of {_counted(len(request.precisions), 'precision')}"):
        for each in measure(request):
            measured.append(each)
            screen.print(_rows_table(show.stages(each.result)))
            screen.print(_rows_table(show.sweep(each.result)), each.result.sweep_ended)
            found = report(request, measured)
            if out is not None:  # at once: the next precision may take long
                write_report(found, out)
    screen.print(_rows_table(show.summary(found)))
    if found.goals:
        screen.print(_rows_table(show.goals(found)))
    screen.print(escape(show.heading(found)))
    if out is not None:
        screen.print(f"report → {out}")


def _rows_table(rows: "Sequence[Sequence[str]]") -> "Table":
    """A table whose first row says what the columns are; all but the first are numbers."""
    from rich.table import Column, Table

    first, *others = rows[0]
    columns = [Column(name, justify="right") for name in others]
    table = Table(first, *columns, box=None, pad_edge=False)
    for row in rows[1:]:
        table.add_row(*map(escape, row))
    return table


def _listed(text: str) -> list[str]:
    """The words between commas."""
    return [each.strip() for each in text.split(",") if each.strip()]


def _numbers(option: str, text: str) -> tuple[int, ...]:
    words = _listed(text)
    if not words or not all(word.isdecimal() for word in words):
        raise ConfigError(f"{option} is '{text}', must be numbers with commas, such as 1,2,4")
    return tuple(map(int, words))


@scenarios.command("list", epilog="Example: hartsim scenarios list")
def list_scenarios() -> None:
    """List the shipped scenarios by folder; a folder's name stands for all below it."""
    from itertools import groupby

    from hartsim.scenario.library import group_of, library_scenarios
    from hartsim.scenario.load import load_scenario

    shipped = sorted(library_scenarios().values())
    for group, paths in groupby(shipped, group_of):
        screen.print(f"[cyan]{group}[/]")
        for path in paths:
            screen.print(f"  [bold]{path.stem}[/]: {escape(load_scenario(path).about)}")
    screen.print(_counted(len(shipped), "scenario"))


@scenarios.command("show", epilog="Example: hartsim scenarios show child_behind_van")
def show_scenario(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A library name or a file.")],
) -> None:
    """Print a scenario file: the start of one of your own."""
    from hartsim.scenario.load import read_scenario

    print(read_scenario(name)[1], end="")


@scenarios.command("new", epilog="Example: hartsim scenarios new my_deer.yaml")
def new_scenario(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The .yaml file to write.")],
    like: Annotated[str, typer.Option(help="The scenario to start from.")] = "deer_snow_road",
) -> None:
    """Write a scenario file of your own, to be changed."""
    from hartsim.dataset.durable import replace_durably
    from hartsim.scenario.load import parse_scenario, read_scenario

    if path.suffix not in (".yaml", ".yml"):
        raise ConfigError(f"'{path}' must be a file name that ends in .yaml")
    if path.exists():
        raise ConfigError(f"{path}: there already; choose another name")
    if not path.parent.is_dir():
        raise ConfigError(f"{path}: there is no folder '{path.parent}'")
    _, text = read_scenario(like)
    parse_scenario(text, str(path), path.stem)
    replace_durably(path, text.encode())
    screen.print(f"{path}: change it, then: hartsim compile {path}")


@scenarios.command("schema", epilog="Example: hartsim scenarios schema > scenario.schema.json")
def show_schema() -> None:
    """Print the format as JSON Schema, for editors."""
    import json

    from hartsim.scenario.json_schema import scenario_schema

    print(json.dumps(scenario_schema(), indent=1))


@weights.command("pull", epilog="Example: hartsim weights pull hart-0.7b-1024px --revision main")
def pull_weights(
    name: ModelName = "hart-0.7b-1024px",
    revision: Annotated[
        str | None, typer.Option(help="Branch, tag or commit; default: what was pulled before.")
    ] = None,
    text_revision: Annotated[
        str | None, typer.Option(help="The same, of the text encoder's repository.")
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Ask the hub where the revisions are now.")
    ] = False,
) -> None:
    """Bring a published model, or what is missing of it, and check that it can be loaded."""
    from hartsim.hart import hub, system_prompt
    from hartsim.hart.checkpoint import load_hart

    model, shown = hub.published(name), ""
    for each in hub.pull(model, revision, text_revision, update):
        if each.record.repo != shown:
            shown = each.record.repo
            screen.print(f"{shown} at {_revision(each.record)}, {_size(each.record.size)}")
        screen.print(f"  {escape(each.file)} {'fetched' if each.fetched else 'was here'}")
    folder = hub.find_weights(name)
    load_hart(folder)
    screen.print(f"checked, ready for hart={model.size} → {folder}")
    if not system_prompt.kept().is_file():
        errors.print(f"[yellow]the system prompt is missing[/]; bring it: {system_prompt.BRING}")


def _revision(record: "Record") -> str:
    return escape(f"{record.commit[:12]} ({record.revision})")


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


@weights.command("list", epilog="Example: hartsim weights list")
def list_weights() -> None:
    """List the models there are, and what is here of each."""
    from rich.table import Table

    from hartsim.hart import hub, system_prompt
    from hartsim.library import library_path

    table = Table("model", "", "size", "revision", "checked", box=None, pad_edge=False)
    for folder in sorted(path for path in library_path("weights").iterdir() if path.is_dir()):
        size = sum(path.stat().st_size for path in folder.rglob("*.safetensors"))
        table.add_row(folder.name, "shipped", _size(size), "", "at every load")
    for model in hub.MODELS:
        checked = "and converted" if hub.is_converted(model) else "no"
        table.add_row(*_pulled(model.weights), checked)
        table.add_row(*_pulled(model.text), "")
    screen.print(table)
    there = system_prompt.kept().is_file()
    told = system_prompt.kept() if there else f"missing; bring it: {system_prompt.BRING}"
    screen.print(f"system prompt: {told}")


def _pulled(repo: str) -> tuple[str, str, str, str]:
    """A repository, whether it is here, its size and its revision."""
    from hartsim.hart import hub

    record = hub.record_of(repo)
    if record is not None and not hub.missing_files(record):
        return hub.folder_name(repo), "pulled", _size(record.size), _revision(record)
    if part := hub.unfinished(repo) or record:
        return hub.folder_name(repo), "in part", "", _revision(part)
    return hub.folder_name(repo), "not here", "", ""


@weights.command("verify", epilog="Example: hartsim weights verify")
def verify_weights(name: ModelName = "hart-0.7b-1024px") -> None:
    """Read every byte of a pulled model and say which files are missing or changed."""
    from hartsim.hart import hub

    model = hub.published(name)
    problems = list(hub.verify(model))
    for problem in problems:
        screen.print(f"[red]{escape(problem)}[/]")
    if problems:
        errors.print(f"to bring them again: hartsim weights pull {model.name}")
        raise typer.Exit(PROBLEM_FOUND)
    screen.print(f"{model.name}: every byte as it was pulled")


@weights.command("where", epilog="Example: hartsim weights where")
def where_weights(name: ModelName = "hart-0.7b-1024px") -> None:
    """Print the folder of a model's weights."""
    from hartsim.hart import hub
    from hartsim.library import library_path

    shipped = library_path("weights") / name
    print(shipped if shipped.is_dir() else hub.find_weights(name))


@weights.command("prompt", epilog="Example: hartsim weights prompt --from hart/utils/constants.py")
def bring_prompt(
    source: Annotated[
        Path, typer.Option("--from", metavar="FILE", help="The reference's constants.py.")
    ],
) -> None:
    """Keep the published model's system prompt, read from your copy of the reference.

    The file is read as text; nothing in it is run.
    """
    from hartsim.hart import system_prompt

    screen.print(f"system prompt → {system_prompt.keep(source)}")


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Scenarios, and overrides: the words with an equals sign that name no file."""
    overrides = [word for word in words if "=" in word and not Path(word).exists()]
    names = [word for word in words if word not in overrides]
    if not names:
        raise ConfigError(f"no scenario named, only settings ({', '.join(overrides)})")
    return names, overrides


def _shard(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    part, _, parts = text.partition("/")
    if part.isdecimal() and parts.isdecimal() and int(part) < int(parts):
        return int(part), int(parts)
    raise ConfigError(f"--shard is '{text}', must be I/N with I from 0 to N-1, such as 0/4")
