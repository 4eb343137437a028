"""Commands about models: a picture, their weights, their training, their speed."""

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from hartsim.cli.shell import (
    PROBLEM_FOUND,
    Seed,
    Settings,
    Shard,
    app,
    configured,
    counted,
    errors,
    rows_table,
    screen,
    shard_of,
    tell_unknown,
)
from hartsim.errors import ConfigError

if TYPE_CHECKING:
    from hartsim.bench.plan import SpeedRequest
    from hartsim.bench.quality.plan import QualityRequest
    from hartsim.hart.config import HartConfig
    from hartsim.hart.hub import Record
    from hartsim.training.run import Budget

train = typer.Typer(
    epilog="Example: hartsim train tokenizer --data corpus --out run --minutes 60",
    no_args_is_help=True,
)
weights = typer.Typer(epilog="Example: hartsim weights pull", no_args_is_help=True)
bench = typer.Typer(
    epilog="Example: hartsim bench speed --model 0.7b --precision fp32,int8 --json speed.json",
    no_args_is_help=True,
)
app.add_typer(
    train, name="train", help="Train hart-mini, on frames or on your own images, and policies."
)
app.add_typer(bench, name="bench", help="Measure what hartsim can do on this machine.")
app.add_typer(
    weights, name="weights", help="Bring the published model, list what is here, and check it."
)

Corpus = Annotated[Path, typer.Option(metavar="DIR", help="What `train data` made.")]
TrainingRun = Annotated[
    Path, typer.Option(metavar="DIR", help="Checkpoints, logs, sheets; a run there goes on.")
]
Minutes = Annotated[
    float, typer.Option(min=0.1, help="Budget, with all resumptions; `--steps` comes before it.")
]
Steps = Annotated[
    int | None, typer.Option(min=1, help="Budget in steps: the same bytes, however interrupted.")
]
TrainingSettings = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SETTING]...", help="Such as transformer=gpu or tokenizer.batch=64, see the docs."
    ),
]
ModelSize = Annotated[
    str, typer.Option(metavar="NAME|FILE", help="A size of hartsim's, or your own config.json.")
]
ModelName = Annotated[
    str, typer.Argument(metavar="MODEL", help="A model of `weights list`; 0.7b is understood, too.")
]


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
    from hartsim.dataset.durable import replace_durably
    from hartsim.images import encode_png
    from hartsim.pipeline import render_sentence

    if not out.parent.is_dir():
        raise ConfigError(f"--out is '{out}', but there is no folder '{out.parent}'")
    if out.suffix.lower() != ".png" or out.is_dir():
        raise ConfigError(f"--out is '{out}', must be a file name that ends in .png")
    image, scene, not_understood = render_sentence(sentence, configured(settings or []), seed)
    tell_unknown(not_understood)
    replace_durably(out, encode_png(image))
    prompt = next(iter(scene.view_prompts.values()))
    screen.print(f"{escape(prompt)} → {out}")


@train.callback()
def start_training() -> None:
    """Show what training logs."""
    logging.getLogger("hartsim").setLevel(logging.INFO)


@train.command("data", epilog="Example: hartsim train data --out corpus --parts 40 --shard 0/2")
def train_data(
    out: Annotated[Path, typer.Option(metavar="DIR", help="The corpus.")],
    parts: Annotated[int, typer.Option(min=1, help="Of 250 pictures each, some held out.")] = 160,
    first: Annotated[int, typer.Option(min=0, help="Number of the first part.")] = 0,
    shard: Shard = None,
) -> None:
    """Draw captioned pictures of the embedded worlds; parts that are there are kept."""
    from hartsim.corpus import make_corpus

    parts_made = make_corpus(out, parts, shard=shard_of(shard) or (0, 1), first=first)
    made = sum(1 for _ in parts_made)
    screen.print(f"{made} parts made → {out}")


@train.command("photos", epilog="Example: hartsim train photos frames --out corpus")
def train_photos(
    frames: Annotated[Path, typer.Argument(help="What tools/pathtrace wrote.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The corpus.")],
) -> None:
    """Add path-traced frames and textures to a corpus; parts that are there are kept."""
    from hartsim.photos import add_photos

    made = sum(1 for _ in add_photos(frames, out))
    screen.print(f"{made} parts made → {out}")


@train.command(epilog="Example: hartsim train tokenizer --data corpus --out run --minutes 60")
def tokenizer(
    data: Corpus,
    out: TrainingRun,
    settings: TrainingSettings = None,
    minutes: Minutes = 60,
    steps: Steps = None,
    size: ModelSize = "mini",
) -> None:
    """Train the tokenizer, in three phases that share the budget."""
    from hartsim.config import load_training
    from hartsim.training.mini import train_mini_tokenizer

    how = load_training(settings or ()).tokenizer
    budget = _budget(minutes, steps)
    done = train_mini_tokenizer(data, out, budget, how, _model_config(size))
    screen.print(f"tokenizer → {done}")


@train.command(epilog="Example: hartsim train transformer --data corpus --out run --minutes 120")
def transformer(
    data: Corpus,
    out: TrainingRun,
    settings: TrainingSettings = None,
    minutes: Minutes = 120,
    steps: Steps = None,
    size: ModelSize = "mini",
    start: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Finished weights to train further, such as the shipped."),
    ] = None,
    words: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What tools/meanings.py made; default the shipped."),
    ] = None,
) -> None:
    """Train the transformer behind the tokenizer of the same run, and write the weights."""
    from hartsim.config import load_training
    from hartsim.training.mini import train_mini_transformer

    how = load_training(settings or ()).transformer
    budget = _budget(minutes, steps)
    done = train_mini_transformer(data, out, budget, how, start, _model_config(size), words)
    screen.print(f"weights → {done}")


@train.command(epilog="Example: hartsim train grow hartsim/weights/mini --out run --labels")
def grow(
    weights: Annotated[Path, typer.Argument(metavar="DIR", help="Finished weights.")],
    out: TrainingRun,
    labels: Annotated[
        bool, typer.Option("--labels", help="Let the transformer follow label maps.")
    ] = False,
    finer_levels: Annotated[
        int, typer.Option(min=0, help="Levels more for the decoder: twice the side each.")
    ] = 0,
    words: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A table of meanings, of tools/meanings.py."),
    ] = None,
) -> None:
    """Give finished weights parts that they lack, which do nothing until they are trained."""
    from hartsim.training.mini import grow_mini

    screen.print(f"weights → {grow_mini(weights, out, labels, finer_levels, words)}")


@train.command(epilog="Example: hartsim train decoder --data corpus --out run --minutes 15")
def decoder(
    data: Corpus,
    out: TrainingRun,
    settings: TrainingSettings = None,
    minutes: Minutes = 15,
    steps: Steps = None,
) -> None:
    """Train the decoder on what the run's transformer draws, and write the weights again."""
    from hartsim.config import load_training
    from hartsim.training.mini import train_mini_decoder

    how = load_training(settings or ()).tokenizer
    screen.print(f"weights → {train_mini_decoder(data, out, _budget(minutes, steps), how)}")


@train.command("fine-tune", epilog="Example: hartsim train fine-tune my-photos --out run")
def train_fine_tune(
    images: Annotated[Path, typer.Argument(help="Your images, each with its caption.")],
    out: TrainingRun,
    settings: TrainingSettings = None,
    minutes: Minutes = 30,
    steps: Steps = None,
    start: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Weights to begin with; default the shipped.")
    ] = None,
) -> None:
    """Teach the model your own images, from a folder of them with captions and label maps."""
    from hartsim.config import load_training
    from hartsim.hart.hub import shipped
    from hartsim.training.mini import fine_tune

    how = load_training(["transformer=fine-tune", *(settings or ())])
    budget, start = _budget(minutes, steps), start or shipped()["mini"]
    done = fine_tune(images, out, budget, start, how.transformer, how.tokenizer)
    screen.print(f"weights → {done}; to paint with them: hart.weights={done}")


def _budget(minutes: float, steps: int | None) -> "Budget":
    from hartsim.training.run import Budget

    return Budget(minutes=minutes) if steps is None else Budget(steps=steps)


def _model_config(size: str) -> "HartConfig":
    """The configuration of a size of hartsim's, or in a file."""
    from hartsim.hart.checkpoint import read_config
    from hartsim.hart.config import SIZES

    if size in SIZES:
        return SIZES[size]
    if not Path(size).is_file():
        raise ConfigError(
            f"--size is '{size}', must be one of {', '.join(SIZES)}, or the file of a configuration"
        )
    return read_config(Path(size))


@bench.command("speed", epilog="Example: hartsim bench speed --model 0.7b --precision fp32,int8")
def bench_speed(
    model: Annotated[
        str, typer.Option(metavar="mini|tiny|0.7b", help="What is measured.")
    ] = "mini",
    size_px: Annotated[
        int | None,
        typer.Option(metavar="PX", help="Side of the pictures; default the model's, 0.7b: 256."),
    ] = None,
    precision: Annotated[
        str, typer.Option(metavar="P,P", help="Of fp32, int8, bf16, fp16, fp8, with commas.")
    ] = "fp32",
    batch: Annotated[
        str,
        typer.Option(
            metavar="N,N|auto", help="Pictures together, with commas; auto doubles while it pays."
        ),
    ] = "auto",
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="auto, cpu, cuda or cuda:N.")
    ] = "auto",
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
    from hartsim.bench.plan import SpeedRequest

    if out is not None:
        _require_writable("--json", out)
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
    _measure_speed(request, out)


def _measure_speed(request: "SpeedRequest", out: Path | None) -> None:
    """Measure one precision after the other and show each at once; the report goes to `out`."""
    from hartsim.bench import show
    from hartsim.bench.speed import measure, report, write_report

    cores, load = os.cpu_count() or 1, os.getloadavg()[0]
    if request.threads is not None and request.threads > cores:
        errors.print(f"[yellow]--threads is {request.threads}, more than the {cores} cores here[/]")
    screen.print(f"measuring {escape(show.plan(request))}; {cores} cores, load {load:.1f}")
    measured, of = [], counted(len(request.precisions), "precision")
    with errors.status(f"{request.model}: the first of {of}"):
        for each in measure(request):
            measured.append(each)
            found = report(request, measured)
            if len(measured) == 1:
                screen.print(escape(show.heading(found)))
            screen.print(rows_table(show.stages(each.result)))
            screen.print(rows_table(show.sweep(each.result)), each.result.sweep_ended)
            if out is not None:  # at once: the next precision may take long
                write_report(found, out)
    screen.print(rows_table(show.summary(found)))
    if found.goals:
        screen.print(rows_table(show.goals(found)))
    screen.print(f"latency: the median of {counted(request.runs, 'run')}")
    screen.print("what the rows and columns mean: docs/speed.md")
    if out is not None:
        screen.print(f"report → {out}")


@bench.command("quality", epilog="Example: hartsim bench quality --data corpus --json quality.json")
def bench_quality(
    data: Corpus,
    weights_at: Annotated[
        Path | None,
        typer.Option("--weights", metavar="DIR", help="A model's folder; default the shipped."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Captions of which pictures are drawn.")] = 480,
    seed: Seed = 0,
    only: Annotated[
        str | None,
        typer.Option(metavar="NAME,NAME", help="Measures, with commas; docs/quality.md has them."),
    ] = None,
    minutes: Annotated[float, typer.Option(help="To teach each judge, once.")] = 6,
    size_px: Annotated[
        int | None,
        typer.Option(metavar="PX", help="Side of the pictures compared; default the model's."),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Judges and features, to be used again.")
    ] = Path("quality"),
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Keep the report here.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A PNG of bars and examples.")
    ] = None,
) -> None:
    """Measure how good HART's pictures are, on captioned pictures that it never saw."""
    from hartsim.bench.quality.plan import MEASURES, JudgeSettings, QualityRequest

    for option, file in (("--json", json_file), ("--picture", picture)):
        if file is not None:
            _require_writable(option, file)
    names = MEASURES if only is None else tuple(_listed(only))
    judges = JudgeSettings(minutes=minutes)
    request = QualityRequest(
        data, weights_at, count, seed, names, out, size_px=size_px, judges=judges
    )
    _measure_quality(request, json_file, picture)


def _measure_quality(
    request: "QualityRequest", json_file: Path | None, picture: Path | None
) -> None:
    """Show what each measure finds as soon as it does; keep the report, and draw it."""
    from hartsim.bench.quality import show
    from hartsim.bench.quality.materials import Materials
    from hartsim.bench.quality.measure import measure, report, write_report

    logging.getLogger("hartsim").setLevel(logging.INFO)
    materials, findings = Materials(request), []
    for each in measure(materials):
        findings.append(each)
        screen.print(escape(show.TITLES[each.name]))
        for table in show.tables(each):
            screen.print(rows_table(table))
        for reason in each.left_out:
            screen.print(f"[yellow]left out[/] {escape(reason)}")
        if json_file is not None:  # at once: the next measure may take long
            write_report(report(materials, findings), json_file)
    found = report(materials, findings)
    for line in (show.heading(found), *show.taught(found)):
        screen.print(escape(line))
    if picture is not None:
        from hartsim.bench.quality.sheet import sheet, strips_of
        from hartsim.dataset.durable import replace_durably
        from hartsim.images import encode_png

        replace_durably(picture, encode_png(sheet(found, strips_of(materials)), 6))
    for file in (json_file, picture):
        if file is not None:
            screen.print(f"report → {file}")


def _require_writable(option: str, file: Path) -> None:
    """Before minutes are spent; a file that is not there is not left behind."""
    if not file.parent.is_dir():
        raise ConfigError(f"{option} is '{file}', but there is no folder '{file.parent}'")
    was_there = file.exists()
    try:
        file.open("ab").close()
        if not was_there:
            file.unlink()
    except OSError as error:
        raise ConfigError(
            f"{option} is '{file}', which cannot be written: {error.strerror}"
        ) from error


def _listed(text: str) -> list[str]:
    """The words between commas."""
    return [each.strip() for each in text.split(",") if each.strip()]


def _numbers(option: str, text: str) -> tuple[int, ...]:
    words = _listed(text)
    if not words or not all(word.isdecimal() for word in words):
        raise ConfigError(f"{option} is '{text}', must be numbers with commas, such as 1,2,4")
    return tuple(map(int, words))


_SHIPPED = "ships with hartsim: nothing to pull; it is checked at every load"


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

    if name in hub.shipped():
        screen.print(f"{name} {_SHIPPED}")
        return
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

    table = Table("model", "here", "size", "revision", "checked", box=None, pad_edge=False)
    for name, folder in hub.shipped().items():
        size = sum(path.stat().st_size for path in folder.rglob("*.safetensors"))
        table.add_row(name, "shipped", _size(size), "-", "at every load")
    for model in hub.MODELS:
        checked = "and converted" if hub.is_converted(model) else "when pulled"
        table.add_row(*_pulled(model.weights, checked))
        table.add_row(*_pulled(model.text, "when pulled"))
    screen.print(table)
    for model in hub.MODELS:
        if hub.cached_weights(model.name) is None:
            both = f"{model.name} and {hub.folder_name(model.text)}"
            screen.print(f"to bring {both}: hartsim weights pull {model.name}")
    there = system_prompt.kept().is_file()
    told = system_prompt.kept() if there else f"missing; bring it: {system_prompt.BRING}"
    screen.print(f"system prompt: {told}")


def _pulled(repo: str, checked: str) -> tuple[str, str, str, str, str]:
    """A repository, whether it is here, its size, its revision and how it was checked."""
    from hartsim.hart import hub

    record = hub.record_of(repo)
    if record is not None and not hub.missing_files(record):
        return hub.folder_name(repo), "pulled", _size(record.size), _revision(record), checked
    if part := hub.unfinished(repo) or record:
        return hub.folder_name(repo), "in part", "-", _revision(part), "-"
    return hub.folder_name(repo), "not here", "-", "-", "-"


@weights.command("verify", epilog="Example: hartsim weights verify")
def verify_weights(name: ModelName = "hart-0.7b-1024px") -> None:
    """Read every byte of a model and say which files are missing or changed."""
    from hartsim.hart import hub
    from hartsim.hart.checkpoint import load_hart

    if name in hub.shipped():
        load_hart(hub.shipped()[name])
        screen.print(f"{name} {_SHIPPED}, and was now")
        return
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

    print(hub.find_folder(name))


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
