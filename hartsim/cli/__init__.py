"""The `hartsim` command: the only modules that print.

Every command imports what it needs inside itself, so that `hartsim --help` and `hartsim compile`
start at once. What a user can act on ends in one line and exit code 2.
"""

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from typer.exceptions import TyperException

from hartsim import __version__
from hartsim.cli import banks, carla, datasets, models, policies, scenes  # their commands
from hartsim.cli.shell import BAD_INPUT, INTERRUPTED, OK, PROBLEM_FOUND, app, errors, screen
from hartsim.errors import HartSimError

__all__ = ["app", "banks", "carla", "datasets", "main", "models", "policies", "run", "scenes"]


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
