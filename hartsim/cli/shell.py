"""What all commands share: the app, the screens, common arguments, and how things are said."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from hartsim.errors import ConfigError

if TYPE_CHECKING:
    from rich.progress import Progress
    from rich.table import Table

    from hartsim.config import RunConfig

OK, PROBLEM_FOUND, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(
    epilog="Example: hartsim generate child_behind_van --count 8 --out data",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
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
    list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Settings: render.guidance=3.")
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
Dataset = Annotated[Path, typer.Argument(metavar="DIR", help="A dataset folder.")]


def counted(count: int, noun: str) -> str:
    """How many there are, in words."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def given(options: Mapping[str, object]) -> list[str]:
    """The options that were given, as settings."""
    return [f"{key}={value}" for key, value in options.items() if value is not None]


def configured(overrides: Sequence[str]) -> "RunConfig":
    """The settings of a run; says so where they make pictures that nobody would want."""
    from hartsim.config import load_config

    config = load_config(overrides)
    if config.hart.name == "tiny" and config.hart.weights is None:
        errors.print("[yellow]hart=tiny has random weights[/]: it paints noise, for tests")
    return config


def progress_bar(before: int) -> "Progress":
    """A bar whose rate counts from the start of this run, with `before` samples already there."""
    from rich import progress

    class Rate(progress.ProgressColumn):
        def render(self, task: progress.Task) -> str:
            made, seconds = task.completed - before, task.elapsed or 0.0
            if not made or not seconds:
                return "-.--/s  -:--:-- left"
            if task.total is None:
                return f"{made / seconds:.2f}/s"
            left = timedelta(seconds=round((task.total - task.completed) * seconds / made))
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


def shard_of(text: str | None) -> tuple[int, int] | None:
    """The part and the number of parts of `--shard I/N`; ConfigError for anything else."""
    if text is None:
        return None
    part, _, parts = text.partition("/")
    if part.isdecimal() and parts.isdecimal() and int(part) < int(parts):
        return int(part), int(parts)
    raise ConfigError(f"--shard is '{text}', must be I/N with I from 0 to N-1, such as 0/4")


def split_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Scenarios, and overrides: the words with an equals sign that name no file."""
    overrides = [word for word in words if "=" in word and not Path(word).exists()]
    names = [word for word in words if word not in overrides]
    if not names:
        raise ConfigError(f"no scenario named, only settings ({', '.join(overrides)})")
    return names, overrides


def tell_unknown(words: Sequence[str]) -> None:
    """Say which words of a sentence were not understood."""
    if words:
        told = ", ".join(with_hint(word) for word in words)
        errors.print(f"[yellow]not understood: {escape(told)}[/]")


def with_hint(word: str) -> str:
    """A word with the nearest known one, if there is one near."""
    from hartsim.scenario.lexicon import nearest_word

    near = nearest_word(word)
    return f"{word} (did you mean '{near}'?)" if near else word


def rows_table(rows: "Sequence[Sequence[str]]") -> "Table":
    """A table whose first row says what the columns are; all but the first are numbers."""
    from rich.table import Column, Table

    first, *others = rows[0]
    columns = [Column(name, justify="right") for name in others]
    table = Table(first, *columns, box=None, pad_edge=False)
    for row in rows[1:]:
        table.add_row(*map(escape, row))
    return table
