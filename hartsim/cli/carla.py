"""Commands that show scenarios in a CARLA server, and that look after one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from hartsim.cli.datasets import carried_out, request_of
from hartsim.cli.shell import (
    PROBLEM_FOUND,
    Dataset,
    SamplerChoice,
    Seed,
    Shard,
    Wish,
    Words,
    app,
    configured,
    counted,
    errors,
    given,
    screen,
    split_words,
)
from hartsim.errors import ConfigError, WorldError

if TYPE_CHECKING:
    from rich.table import Table

    from hartsim.adapters.carla.doctor import Finding
    from hartsim.adapters.carla.plan import Server
    from hartsim.config import RunConfig
    from hartsim.rehearsal import Rehearsal
    from hartsim.request import GenerateRequest

MOST_SCENES = 12
"""How many scenes a dry run tells one by one."""

carla = typer.Typer(
    epilog="Example: hartsim carla run child_behind_van --count 8 --out data", no_args_is_help=True
)
app.add_typer(carla, name="carla", help="Show scenarios in a CARLA server; look after the server.")

Host = Annotated[
    str | None, typer.Option(metavar="NAME", help="Where the server runs; default 127.0.0.1.")
]
Port = Annotated[int | None, typer.Option(help="Its RPC port; default 2000.")]
Map = Annotated[
    str | None,
    typer.Option(
        "--map", metavar="NAME", help="A map, `current`, or `auto`: the one that fits the scene."
    ),
]
Patience = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="How long to wait for a server that has gone."),
]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Dataset folder.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")
]
Views = Annotated[str | None, typer.Option(help="Cameras, with commas; default front.")]


@carla.command(
    epilog="Example: hartsim carla run child_behind_van scenarios/driving/animals --count 8 "
    "--out data --routes texture,repaint carla.lidar=true"
)
def run(
    words: Words,
    count: Wish = None,
    seed: Seed = 0,
    out: Out = Path("data"),
    routes: Annotated[
        str | None, typer.Option(help="Of view, texture, backdrop, repaint; default all.")
    ] = None,
    views: Views = None,
    sampler: SamplerChoice = None,
    shard: Shard = None,
    host: Host = None,
    port: Port = None,
    map_name: Map = None,
    patience: Patience = None,
    dry_run: DryRun = False,
) -> None:
    """Make a labelled dataset in CARLA; run again, it goes on where it stopped."""
    names, settings = split_words(words)
    asked = {"dataset.routes": routes, "dataset.views": views, "draw.sampler": sampler}
    config = _configured([*settings, *given(asked)], host, port, map_name, patience)
    request = request_of(names, count, seed, out, shard, config)
    _carry_out(request, dry_run)


@carla.command(
    epilog="Example: hartsim carla record double_parked_van_hides_cyclist --seconds 6 "
    "--every 0.5 --out drive"
)
def record(
    words: Words,
    count: Annotated[int, typer.Option(min=1, help="Scenes of each scenario.")] = 1,
    seed: Seed = 0,
    out: Out = Path("recorded"),
    seconds: Annotated[float, typer.Option(min=0, help="How long the ego drives.")] = 5.0,
    every: Annotated[float, typer.Option(min=0, help="Seconds between two samples.")] = 1.0,
    routes: Annotated[
        str, typer.Option(help="Of texture, backdrop, repaint, view.")
    ] = "texture,backdrop,repaint",
    views: Views = None,
    host: Host = None,
    port: Port = None,
    map_name: Map = None,
    patience: Patience = None,
    dry_run: DryRun = False,
) -> None:
    """Drive along the lane with CARLA's recorder on, so that what moves does, and take samples."""
    names, settings = split_words(words)
    asked = {"dataset.routes": routes, "dataset.views": views, "carla.recorder": "true"}
    config = _configured([*settings, *given(asked)], host, port, map_name, patience)
    moments_s = _moments_s(seconds, every, config.carla.tick_s)
    request = request_of(names, count, seed, out, None, config, moments_s)
    _carry_out(request, dry_run)


@carla.command(
    epilog="Example: hartsim carla replay recorded --out fog --weather fog --routes texture"
)
def replay(
    recorded: Dataset,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SCENARIO|KEY=VALUE",
            help="The scenarios where they are no library names; then settings.",
        ),
    ] = None,
    out: Out = Path("replayed"),
    weather: Annotated[str | None, typer.Option(help="Instead of the scenario's own.")] = None,
    time_of_day: Annotated[str | None, typer.Option(help="Instead of the scenario's own.")] = None,
    ground: Annotated[str | None, typer.Option(help="Instead of the scenario's own.")] = None,
    routes: Annotated[
        str | None, typer.Option(help="Of texture, backdrop, repaint, view; default as recorded.")
    ] = None,
    views: Annotated[str | None, typer.Option(help="Cameras; default as recorded.")] = None,
    host: Host = None,
    port: Port = None,
    patience: Patience = None,
) -> None:
    """Show what `record` recorded once more: with other weather, looks, cameras or sensors."""
    from hartsim.dataset.layout import read_marker
    from hartsim.request import read_scenarios

    told = read_marker(recorded)["request"]
    settings = [word for word in words or [] if "=" in word and not Path(word).exists()]
    names = [word for word in words or [] if word not in settings] or sorted(told["scenarios"])
    asked = {
        "dataset.routes": routes or ",".join(told["routes"]),
        "dataset.views": views or ",".join(told["views"]),
        **{f"draw.{name}": value for name, value in told["config"]["draw"].items()},
    }
    config = _configured([*given(asked), *settings], host, port, None, patience)
    for scenario in read_scenarios(names):
        if told["scenarios"].get(scenario.name) != scenario.source_hash:
            raise ConfigError(
                f"{scenario.source}: is not what {recorded} was recorded of; name the files that "
                f"it was: {', '.join(sorted(told['scenarios']))}"
            )
    scene = {"weather": weather, "time_of_day": time_of_day, "ground": ground}
    count = max(int(each) for each in told["count"].values())
    request = request_of(
        names, count, told["seed"], out, None, config, tuple(told.get("moments_s", (0.0,)))
    )
    changed = {name: value for name, value in scene.items() if value is not None}
    screen.print(carried_out(replace(request, replay=recorded, scene=changed)))


@carla.command(epilog="Example: hartsim carla restore --port 2000")
def restore(host: Host = None, port: Port = None) -> None:
    """Put a server back to what it was before a run that could not, such as after a kill -9."""
    from hartsim.adapters.carla.guard import restore
    from hartsim.simulators import address_of

    for line in restore(address_of(_configured([], host, port, None, None).carla)):
        screen.print(escape(line))


@carla.command(epilog="Example: hartsim carla doctor --host simulator --port 2000")
def doctor(
    host: Host = None,
    port: Port = None,
    look_only: Annotated[
        bool, typer.Option("--look-only", help="Change nothing on the server, not for a moment.")
    ] = False,
    no_paint: Annotated[
        bool, typer.Option("--no-paint", help="Paint nothing, which loads the map anew.")
    ] = False,
) -> None:
    """Say what works with a server: version, maps, sensors, paint; exit 1 where something fails."""
    from hartsim.adapters.carla.doctor import examine
    from hartsim.simulators import address_of

    address = address_of(_configured([], host, port, None, None).carla)
    with errors.status(f"looking at {address}"):
        findings = list(examine(address, trial=not look_only, paint=not no_paint))
    screen.print(_findings_table(findings))
    for finding in findings:
        if finding.remedy:
            screen.print(f"for {finding.name}: [bold]{escape(finding.remedy)}[/]")
    if any(finding.status == "wrong" for finding in findings):
        raise typer.Exit(PROBLEM_FOUND)


def _configured(
    settings: Sequence[str],
    host: str | None,
    port: int | None,
    map_name: str | None,
    patience: float | None,
) -> "RunConfig":
    """The settings of a run in CARLA; options win over settings."""
    options: dict[str, object] = {
        "world.simulator": "carla",
        "carla.host": host,
        "carla.port": port,
        "carla.map": map_name,
        "carla.patience_s": patience,
    }
    return configured([*settings, *given(options)])


def _moments_s(seconds: float, every: float, tick_s: float) -> tuple[float, ...]:
    """The moments of samples; ConfigError for a pace that is no number of ticks."""
    ticks = round(every / tick_s)
    if ticks < 1 or abs(ticks * tick_s - every) > 1e-6:
        raise ConfigError(
            f"--every is {every:g} s, must be a number of ticks of {tick_s:g} s (carla.tick_s)"
        )
    count = int(seconds / every + 1e-9)
    return tuple(round(k * every, 6) for k in range(count + 1))


def _carry_out(request: "GenerateRequest", dry_run: bool) -> None:
    """Make the samples, or say what would be done."""
    if dry_run:
        _rehearse(request)
    else:
        screen.print(carried_out(request))


def _rehearse(request: "GenerateRequest") -> None:
    """Say what a run would do."""
    from hartsim.rehearsal import rehearse, sensors_of, server_of

    server = None
    try:
        server = server_of(request)
    except WorldError as error:
        errors.print(f"[yellow]without a server: {escape(str(error))}[/]")
    if server is not None:
        _print_server(server)
    scenes = list(rehearse(request, server))
    for each in scenes[:MOST_SCENES]:
        _print_scene(each)
    if len(scenes) > MOST_SCENES:
        screen.print(f"and {len(scenes) - MOST_SCENES} more scenes, all of which are counted below")
    screen.print(_stand_ins_table(scenes))
    shown = [each for each in scenes if not each.plan.trouble]
    first = scenes[0].scene.setup.cameras
    looks = f"{', '.join(camera.name for camera in first)}"
    screen.print(f"cameras: {looks}, four sensors each; {_lidar_words(request)}")
    screen.print(
        f"{counted(len(shown), 'scene')} of {len(scenes)} with up to "
        f"{max(sensors_of(request, each.scene) for each in scenes)} sensors, at least "
        f"{sum(each.ticks for each in shown)} ticks; "
        f"{counted(len(request.moments_s), 'moment')} each; nothing was changed"
    )


def _print_server(server: "Server") -> None:
    screen.print(
        f"CARLA {server.version} shows {server.map_name}, which has "
        f"{counted(server.starts, 'place')} to start from; maps: {', '.join(server.maps)}"
    )


def _print_scene(each: "Rehearsal") -> None:
    scene, plan = each.scene, each.plan
    conditions = scene.setup.conditions
    screen.print(
        f"[bold]{scene.key}[/] on {plan.map_name or 'no map'}: {conditions.place}, "
        f"{conditions.weather}, {conditions.time_of_day}"
    )
    for thing in plan.things:
        what = f"[red]{escape(thing.trouble)}[/]" if thing.trouble else escape(thing.blueprint)
        note = f" [yellow]({thing.note})[/]" if thing.note else ""
        kind = "" if thing.kind == thing.name else f" ({thing.kind})"
        hazard = "hazard " if thing.hazard else ""
        screen.print(f"  {hazard}{escape(thing.name)}{kind}: {what}{note}")
    told = [f"{name} {value:.4g}" for name, value in plan.weather.items()]
    screen.print(f"  [dim]weather: {', '.join(told)}[/]")
    if each.surfaces:
        screen.print(f"  [dim]textures: {', '.join(each.surfaces)}, where seen[/]")
    for trouble in plan.trouble:
        if not any(thing.trouble and thing.trouble in trouble for thing in plan.things):
            screen.print(f"  [red]{escape(trouble)}[/]")


def _stand_ins_table(scenes: "Sequence[Rehearsal]") -> "Table":
    """What stands for each kind, or why nothing does, and in how many scenes."""
    from rich.table import Column, Table

    found = Counter(
        (thing.kind, thing.trouble or thing.blueprint or "", bool(thing.trouble))
        for each in scenes
        for thing in each.plan.things
    )
    table = Table("kind", "in CARLA", Column("scenes", justify="right"), box=None, pad_edge=False)
    for (kind, what, is_missing), number in sorted(found.items()):
        shown = f"[red]left out:[/] {escape(what)}" if is_missing else escape(what)
        table.add_row(kind, shown, str(number))
    return table


def _lidar_words(request: "GenerateRequest") -> str:
    carla = request.config.carla
    if not carla.lidar:
        return "no lidar (carla.lidar=true)"
    return f"a lidar of {carla.lidar_channels} channels and {carla.lidar_range_m:g} m"


def _findings_table(findings: "Sequence[Finding]") -> "Table":
    from rich.table import Column, Table

    colours = {"ok": "green", "note": "yellow", "wrong": "red"}
    table = Table.grid("", "", Column(overflow="fold"), padding=(0, 2))
    for finding in findings:
        status = f"[{colours[finding.status]}]{finding.status}[/]"
        table.add_row(finding.name, status, escape(finding.detail))
    return table
