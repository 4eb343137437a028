"""Commands about policies: teach one, judge it, film it, record what it does."""

from pathlib import Path
from typing import Annotated

import typer

from hartsim.cli.models import train
from hartsim.cli.shell import (
    Names,
    Words,
    app,
    counted,
    errors,
    progress_bar,
    rows_table,
    screen,
    split_words,
)
from hartsim.errors import ConfigError

Looks = Annotated[
    str,
    typer.Option(
        metavar="LOOK,LOOK",
        help="`plain`, a bank (its textures), `backdrop:BANK`, `weather:rain` (fog, snow …).",
    ),
]
Carla = Annotated[
    str,
    typer.Option(metavar="HOST:PORT,…", help="CARLA servers to drive on, one an environment."),
]
Goal = Annotated[
    str | None, typer.Option(metavar="reach|place", help="On the table top; default reach.")
]


@train.command(
    "policy", epilog="Example: hartsim train policy bale_lies_on_country_road --out driver"
)
def train_policy(
    words: Words,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The policy; a run there goes on.")],
    method: Annotated[
        str, typer.Option(metavar="clone|ppo", help="Copy the scripted expert, or PPO.")
    ] = "clone",
    looks: Looks = "plain",
    size_px: Annotated[int, typer.Option(min=32, help="Side of the pictures it sees.")] = 64,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write figures for TensorBoard beside the tables.")
    ] = False,
    goal: Goal = None,
    actions: Annotated[
        str, typer.Option(metavar="continuous|discrete", help="What it does: numbers, or a choice.")
    ] = "continuous",
    carla: Carla = "",
) -> None:
    """Teach a policy to drive or to reach in scenarios, from pictures alone."""
    from hartsim.config import load_training
    from hartsim.policies import PolicyRequest, teach

    names, settings = split_words(words)
    request = PolicyRequest(
        scenarios=tuple(names),
        out=out,
        method=method,
        looks=tuple(looks.split(",")),
        size_px=size_px,
        config=load_training(settings),
        tensorboard=tensorboard,
        goal=goal,
        actions=actions,
        servers=listed(carla),
    )
    screen.print(f"policy → {teach(request)}")


@app.command(epilog="Example: hartsim evaluate driver/policy.pt driving --episodes 100")
def evaluate(
    policy: Annotated[Path, typer.Argument(help="policy.pt or policy.zip, in its folder.")],
    scenarios: Names,
    looks: Looks = "plain",
    episodes: Annotated[int, typer.Option(min=1, help="Of each scenario in each look.")] = 50,
    seed: Annotated[int, typer.Option(min=0, help="Of the first episode.")] = 1_000_000,
    video: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An .mp4 or .gif of three episodes.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Keep the figures here.")
    ] = None,
    carla: Carla = "",
) -> None:
    """Say how often a policy succeeds and collides, scenario by scenario, look by look."""
    import json
    from dataclasses import asdict

    from hartsim.policies import Judged, film, judge, video_writer

    if video is not None:
        video_writer(video)
    worn = looks.split(",")
    for file in (video, json_file):
        if file is not None and not file.parent.is_dir():
            raise ConfigError(f"'{file}' cannot be written: there is no folder '{file.parent}'")
    found: list[Judged] = []
    with errors.status(f"{policy}"):
        for each in judge(policy, scenarios, worn, episodes, seed, listed(carla)):
            found.append(each)
    rows = [("scenario", "look", "n", "success", "collision", "way", "reward")]
    for each in found:
        progress = "" if each.progress is None else f"{each.progress:.2f}"
        rows.append(
            (
                each.scenario,
                _short(each.look),
                str(each.episodes),
                _share(each.success, each.success_interval),
                _share(each.collision, each.collision_interval),
                progress,
                f"{each.reward:.1f}",
            )
        )
    screen.print(rows_table(rows))
    screen.print("shares with their 95 % intervals; way: the share of it that was driven")
    if json_file is not None:
        json_file.write_text(json.dumps([asdict(each) for each in found], indent=1) + "\n")
    if video is not None:
        film(policy, scenarios[0], worn[0], video, seed=seed, servers=listed(carla))
        screen.print(f"video → {video}")


@app.command(epilog="Example: hartsim record boxes_then_walker --episodes 50 --out episodes")
def record(
    scenarios: Names,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The dataset: a new or empty folder.")],
    policy: Annotated[
        Path, typer.Option(metavar="FILE|expert", help="Who plays: policy.pt or .zip, or `expert`.")
    ] = Path("expert"),
    episodes: Annotated[int, typer.Option(min=1, help="How many.")] = 10,
    looks: Looks = "plain",
    keep: Annotated[
        str, typer.Option(metavar="labels,depth", help="What else is kept of every step.")
    ] = "",
    seed: Annotated[int, typer.Option(min=0, help="Of the first episode.")] = 0,
    size_px: Annotated[
        int | None, typer.Option(min=32, help="Side of the expert's pictures; default 64.")
    ] = None,
    goal: Goal = None,
    actions: Annotated[
        str | None, typer.Option(metavar="continuous|discrete", help="Of the expert.")
    ] = None,
    carla: Carla = "",
) -> None:
    """Record episodes as a dataset in LeRobot's format, for other trainers."""
    from hartsim.recording import KEEPABLE, RecordRequest
    from hartsim.recording import record as recorded

    kept = listed(keep)
    request = RecordRequest(
        scenarios=tuple(scenarios),
        out=out,
        policy=policy,
        episodes=episodes,
        looks=tuple(looks.split(",")),
        seed=seed,
        size_px=size_px,
        keep=kept,
        goal=goal,
        actions=actions,
        servers=listed(carla),
    )
    steps = successes = 0
    with progress_bar(0) as bar:
        task = bar.add_task("episodes", total=episodes)
        for each in recorded(request):
            steps, successes = steps + each.steps, successes + each.success
            bar.advance(task)
    screen.print(f"{counted(episodes, 'episode')}, {steps} steps, {successes} succeeded → {out}")
    if left := [name for name in KEEPABLE if name not in kept]:
        screen.print(f"not kept: {' and '.join(left)}; --keep {','.join(left)} keeps them")


def listed(names: str) -> tuple[str, ...]:
    """What is separated by commas."""
    return tuple(names.split(",")) if names else ()


def _short(look: str) -> str:
    """A look without the folders that its bank lies in."""
    form, colon, name = look.rpartition(":")
    return f"{form}{colon}{Path(name).name}"


def _share(share: float, interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{share:.0%} ({100 * low:.0f}-{100 * high:.0f})"
