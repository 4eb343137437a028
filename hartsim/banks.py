"""The making of a bank, read it top to bottom: renders ahead of those who will wear them.

    scenarios → draw → compile → prompts → renders → checks → shards

No world is needed: surfaces and whole pictures are painted from their prompts alone.
"""

import logging
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hartsim.augment import LOOK_TAGS
from hartsim.config import RunConfig
from hartsim.dataset.bank import BankWriter, Row
from hartsim.dataset.checks import DEFAULT_LIMITS, check_texture, contrast, exposure, sharpness
from hartsim.errors import ConfigError
from hartsim.painter import Painter
from hartsim.request import read_scenarios, require_views, samplers
from hartsim.scenario.compiled import CompiledScene
from hartsim.scenario.compiler import compile_scenario
from hartsim.scenario.samplers import Sampler
from hartsim.scenario.surroundings import SURFACES
from hartsim.scenario.words import suggestion
from hartsim.types import ROUTES, Image, Render, RenderJob

logger = logging.getLogger(__name__)

SHARD_SIZE, FOLLOWED_SHARD_SIZE = 32, 4
"""Pictures that are written together: many make few files, few are soon seen by readers."""

WHOLE = ("backdrop", "view")
"""Kinds of whole pictures; the others are `texture/<surface>`."""

FINITE_SAMPLERS = ("sobol", "latin")
"""Samplers that must know how many draws there will be, where a bank may always grow."""


@dataclass(frozen=True)
class BankRequest:
    """What `hartsim bank build` was asked for: `size` pictures of each kind, or None for no end.

    Kinds are `backdrop`, `view`, `texture/<surface>`, and `texture` for every surface there is.
    What a picture looks like depends neither on them nor on `size` and `shard_size`.
    """

    scenarios: tuple[str, ...]
    kinds: tuple[str, ...]
    size: int | None
    seed: int
    out: Path
    config: RunConfig
    shard_size: int = SHARD_SIZE


@dataclass(frozen=True)
class Source:
    """Where pictures of a kind come from: draws of a scenario, for one surface or camera."""

    sampler: Sampler
    target: str


@dataclass(frozen=True)
class Wanted:
    """A picture to be made."""

    kind: str
    scene: CompiledScene
    target: str


@dataclass(frozen=True)
class Painted:
    """A picture as it was made; `failed` says why its last attempt was rejected as well, if so."""

    wanted: Wanted
    render: Render
    failed: tuple[str, ...]


def build_bank(request: BankRequest) -> Iterator[Painted]:
    """Add what is missing to a bank, and yield each picture as it is painted.

    Kinds grow side by side, a shard at a time, which readers see from then on. Same request, same
    bytes, however often it was interrupted; an interruption loses a shard at most.
    """
    sources = plan(request)
    painter = Painter(request.config)
    started, made = time.perf_counter(), 0
    size, batch = request.size or sys.maxsize, request.config.render.batch
    with BankWriter(request.out, describe_request(request, painter)) as writer:
        while kind := next_kind({kind: writer.count(kind) for kind in sources}, size):
            first, shard = writer.count(kind), list[Painted]()
            end = min(first + request.shard_size, size)
            for start in range(first, end, batch):
                numbers = range(start, min(start + batch, end))
                wanted = [wanted_of(kind, number, sources[kind], painter) for number in numbers]
                for painted in paint(wanted, painter):
                    shard.append(painted)
                    yield painted
            writer.add(kind, [each.render.image for each in shard], [row_of(e) for e in shard])
            made += len(shard)
    seconds = time.perf_counter() - started
    logger.info("%d pictures in %.0f s, weights %s", made, seconds, painter.weights_hash)


def plan(request: BankRequest) -> dict[str, list[Source]]:
    """Where the pictures of each kind come from, in turns.

    ScenarioError or ConfigError for what does not exist, or would not be heeded.
    """
    config = request.config
    if not request.kinds:
        raise ConfigError("no kind of pictures is asked for; name texture, backdrop or view")
    if not config.world.shadows or config.dataset.routes != ROUTES:
        raise ConfigError("a bank heeds neither world.shadows nor dataset.routes; leave them out")
    if config.draw.sampler in FINITE_SAMPLERS:
        raise ConfigError(
            f"draw.sampler is {config.draw.sampler}, which must know how many draws there will be; "
            "a bank may always grow: take random, rare, grid or pairwise"
        )
    scenarios = sorted(read_scenarios(request.scenarios), key=lambda each: each.name)
    drawn = samplers(scenarios, request.seed, None, config)
    surfaces = dict.fromkeys(name for each in scenarios for name in SURFACES[each.task])
    textures = [f"texture/{name}" for name in surfaces]
    kinds: dict[str, list[Source]] = {}
    for asked in request.kinds:
        if asked not in (*WHOLE, "texture", *textures):
            known = suggestion(asked, [*WHOLE, "texture", *textures])
            raise ConfigError(f"no kind '{asked}' of pictures; {known}")
        for kind in textures if asked == "texture" else [asked]:
            kinds[kind] = sources_of(kind, drawn, config.dataset.views)
    return kinds


def sources_of(kind: str, drawn: Sequence[Sampler], views: Sequence[str]) -> list[Source]:
    """The scenarios that have a kind's surface, or every camera of every scenario."""
    if kind in WHOLE:
        for each in drawn:
            require_views(each.scenario, views)
        return [Source(each, view) for each in drawn for view in views]
    surface = kind.removeprefix("texture/")
    return [Source(each, surface) for each in drawn if surface in SURFACES[each.scenario.task]]


def next_kind(counts: Mapping[str, int], size: int) -> str | None:
    """The kind with the fewest pictures, the first of several; None where all have enough."""
    fewest = min(counts, key=lambda kind: counts[kind])
    return fewest if counts[fewest] < size else None


def wanted_of(kind: str, number: int, sources: Sequence[Source], painter: Painter) -> Wanted:
    """Picture `number` of a kind: its sources take turns, each with one draw after the other."""
    index, turn = divmod(number, len(sources))
    source = sources[turn]
    scene = compile_scenario(source.sampler.draw(index), painter.look)
    return Wanted(kind, scene, source.target)


def paint(wanted: Sequence[Wanted], painter: Painter) -> list[Painted]:
    """The pictures; one that fails its checks is redrawn, and kept after the last attempt."""
    done: dict[int, Painted] = {}
    todo = dict(enumerate(wanted))
    for attempt in range(painter.attempts):
        jobs = [job_of(each, painter, attempt) for each in todo.values()]
        renders = painter([(job, None) for job in jobs])
        for (place, each), render in zip(todo.items(), renders, strict=True):
            done[place] = Painted(each, render, failures(each, render.image))
        todo = {place: each for place, each in todo.items() if done[place].failed}
    return [done[place] for place in range(len(wanted))]


def job_of(wanted: Wanted, painter: Painter, attempt: int) -> RenderJob:
    """What to paint, on the noise that the pipeline would take for it."""
    scene, target = wanted.scene, wanted.target
    if wanted.kind == "view":
        return painter.job(scene, "view", target, scene.view_prompts[target], attempt)
    if wanted.kind == "backdrop":
        # Painted as views are, whole; there is no hazard by which several draws could be compared.
        job = painter.job(scene, "backdrop", target, scene.backdrop_prompts[target], attempt)
        return replace(job, route="view")
    return painter.job(scene, "texture", target, scene.texture_prompts[target], attempt)


def failures(wanted: Wanted, image: Image) -> tuple[str, ...]:
    """Why the checks of its kind reject a picture; empty where they do not."""
    if wanted.kind not in WHOLE:
        checks = check_texture(image, wanted.target)
    else:
        limits = DEFAULT_LIMITS
        checks = exposure(image, limits.exposure), contrast(image, limits.contrast)
        if wanted.kind == "view":  # fog and snow may well make a place soft that has nothing in it
            checks = *checks, sharpness(image, limits.sharpness)
    return tuple(check.reason for check in checks if not check.passed)


def row_of(painted: Painted) -> Row:
    """What the bank knows of a picture; tags of objects only where objects were asked for."""
    wanted, render = painted.wanted, painted.render
    scene = wanted.scene
    names = scene.tags if wanted.kind == "view" else LOOK_TAGS
    return Row(
        scenario=scene.scenario.name,
        seed=scene.seed,
        index=scene.index,
        target=wanted.target,
        prompt=render.job.prompt,
        tags={name: scene.tags[name] for name in names},
        attempt=render.job.attempt,
        failed=painted.failed,
        noise_key=render.job.noise_key,
        cache_key=render.cache_key,
        weights_hash=render.weights_hash,
    )


def describe_request(request: BankRequest, painter: Painter) -> dict[str, Any]:
    """What must be equal for a run to continue a bank: all that decides a picture's bytes."""
    config = request.config
    render = asdict(config.render)
    del render["batch"], render["layout"]
    scenarios = read_scenarios(request.scenarios)
    return {
        "scenarios": {each.name: each.source_hash for each in scenarios},
        "seed": request.seed,
        "views": list(config.dataset.views),
        "size_px": list(painter.size_px),
        "hart": config.hart.name,
        "weights": painter.weights_hash,
        "render": render,
        "draw": asdict(config.draw),
    }
