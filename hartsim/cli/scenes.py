"""Commands about scenarios: what is in them, what becomes of them, and where they come from."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from hartsim.cli.shell import (
    PROBLEM_FOUND,
    Count,
    SamplerChoice,
    Seed,
    Wish,
    app,
    counted,
    errors,
    screen,
    tell_unknown,
)
from hartsim.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.table import Table

    from hartsim.scenario.compiled import CompiledScene
    from hartsim.scenario.coverage import Combination, Coverage
    from hartsim.scenario.language import Reader
    from hartsim.scenario.lint import Finding
    from hartsim.scenario.schema import Scenario

MISSING_SHOWN = 12
"""Pairs that `coverage` lists at most."""

scenarios = typer.Typer(
    epilog="Example: hartsim scenarios show child_behind_van", no_args_is_help=True
)
app.add_typer(
    scenarios, name="scenarios", help="List the shipped scenarios, show one, or begin your own."
)


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
        tell_unknown(said.unknown)
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
    told = f"{counted(bad, 'error')}, {counted(len(found) - bad, 'warning')}"
    screen.print(f"{counted(len(linted), 'prompt')}: {told}")
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
    from hartsim.request import coverage_of
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
    screen.print(f"{counted(scenes, 'scene')}; pairs never seen together: {len(pairs.missing)}")
    if sampler is not None:
        drawn = [load_scenario(path) for path in find_scenarios(names)]
        grid = sum(full_grid(each, settings.draw.levels) for each in drawn)
        screen.print(f"every combination of all that varies would take {counted(grid, 'scene')}")
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
        errors.print(f"[yellow]{counted(len(imported.notes), 'element')} not taken as they are[/]")


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
    screen.print(counted(len(shipped), "scenario"))


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
