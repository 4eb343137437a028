"""The main path, from scenario files to a labelled dataset: read it top to bottom.

    scenarios → draw → compile → paint textures → world → frames → renders → checks → samples

Here, and only here, scenarios, worlds, the model and the dataset meet.
"""

import hashlib
import json
import logging
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hartsim.config import RunConfig
from hartsim.dataset.annotate import annotate
from hartsim.dataset.checks import check, check_texture
from hartsim.dataset.writer import DatasetWriter
from hartsim.errors import ConfigError
from hartsim.scenario.compiled import CompiledScene
from hartsim.scenario.compiler import compile_draw, to_plain
from hartsim.scenario.language import parse_sentence
from hartsim.scenario.library import find_scenarios
from hartsim.scenario.load import load_scenario
from hartsim.scenario.schema import Scenario
from hartsim.types import (
    CLASS_ID,
    UNKNOWN,
    Canvas,
    Check,
    Frame,
    Image,
    Labels,
    Mask,
    Render,
    RenderJob,
    Route,
    Sample,
    Task,
)
from hartsim.worlds import World

logger = logging.getLogger(__name__)

BACKDROP_CLASSES: Mapping[Task, tuple[str, ...]] = {
    "driving": ("sky", "building", "vegetation"),
    "robot": ("wall", "floor"),
}
"""What stands behind everything else: the `backdrop` route repaints it from the prompt alone."""

BACKDROP_KEEPS = 1
"""Coarse scales that a backdrop takes from the frame: its mean colour, and so its time of day."""


@dataclass(frozen=True)
class GenerateRequest:
    """What `hartsim generate` was asked for; `shard` is (i, n), i counted from 0."""

    scenarios: tuple[str, ...]
    count: int
    seed: int
    out: Path
    routes: tuple[Route, ...]
    views: tuple[str, ...]
    shard: tuple[int, int] | None
    config: RunConfig


def generate(request: GenerateRequest) -> Iterator[Sample]:
    """Make the samples that are not there yet, and yield each once it is safely written.

    Same request, same bytes: whatever the shards, the batch, or how often it was interrupted.
    """
    scenarios = read_scenarios(request.scenarios)
    planned = plan(request)
    with ExitStack() as stack:
        writer = stack.enter_context(DatasetWriter(request.out, describe_request(request)))
        missing = {sample_id for sample_id in planned if not writer.has(sample_id)}
        if missing:
            painter = Painter(request.config)
            worlds = Worlds(request.config, painter.size_px, stack)
            for scene in compile_scenes(scenarios, request):
                wanted = [entry for entry in entries(scene, request) if entry[0] in missing]
                if wanted:
                    for sample in paint_scene(scene, wanted, worlds[scene.setup.task], painter):
                        writer.add(sample)
                        yield sample
        writer.finish()


def plan(request: GenerateRequest) -> list[str]:
    """The ids of all samples that the request (its shard, if it names one) asks for."""
    names = [scenario.name for scenario in read_scenarios(request.scenarios)]
    keys = (f"{name}-{index:05d}" for name in names for index in range(request.count))
    ids = [f"{key}-{route}-{view}" for key in keys for route, view in _looks(request)]
    return [sample_id for sample_id in ids if in_shard(sample_id, request.shard)]


def in_shard(sample_id: str, shard: tuple[int, int] | None) -> bool:
    """Whether a sample belongs to a shard: decided by its id alone."""
    return shard is None or zlib.crc32(sample_id.encode()) % shard[1] == shard[0]


def read_scenarios(names: Sequence[str]) -> list[Scenario]:
    """The scenarios behind file names, library names and folders; names must be distinct."""
    scenarios = [load_scenario(path) for path in find_scenarios(names)]
    by_name: dict[str, Scenario] = {}
    for scenario in scenarios:
        other = by_name.setdefault(scenario.name, scenario)
        if other is not scenario:
            raise ConfigError(
                f"{scenario.source} and {other.source} are both called '{scenario.name}'; "
                "sample ids need distinct names"
            )
    return scenarios


def compile_scenes(
    scenarios: Sequence[Scenario], request: GenerateRequest
) -> Iterator[CompiledScene]:
    """`count` concrete scenes of each scenario; a view that a scenario lacks is an error."""
    for scenario in scenarios:
        for index in range(request.count):
            scene = compile_draw(scenario, request.seed, index)
            cameras = {camera.name for camera in scene.setup.cameras}
            for view in request.views:
                if view not in cameras:
                    raise ConfigError(
                        f"{scenario.source}: no camera '{view}', there are {sorted(cameras)}"
                    )
            yield scene


def entries(scene: CompiledScene, request: GenerateRequest) -> list[tuple[str, Route, str]]:
    """The (sample id, route, camera) of a scene, in the order of the request."""
    return [(f"{scene.key}-{route}-{view}", route, view) for route, view in _looks(request)]


def _looks(request: GenerateRequest) -> list[tuple[Route, str]]:
    return [(route, view) for route in request.routes for view in request.views]


# One scene, by all routes


def paint_scene(
    scene: CompiledScene,
    wanted: Sequence[tuple[str, Route, str]],
    world: World,
    painter: "Painter",
) -> Iterator[Sample]:
    """The wanted samples of one scene: first those over its frames, then the painted world."""
    views = sorted({view for _, _, view in wanted})
    world.setup(scene)
    frames = world.capture(views)
    pictures = [entry for entry in wanted if entry[1] != "texture"]
    yield from paint_pictures(scene, pictures, frames, painter)
    textured = [entry for entry in wanted if entry[1] == "texture"]
    if textured:
        yield from paint_world(scene, textured, frames, world, painter)


def paint_pictures(
    scene: CompiledScene,
    wanted: Sequence[tuple[str, Route, str]],
    frames: Mapping[str, Frame],
    painter: "Painter",
) -> Iterator[Sample]:
    """Samples by `view`, `backdrop` and `repaint`; a rejected one is drawn again."""
    attempt, todo = 0, list(wanted)
    while todo:
        work = [picture_job(scene, *entry, frames[entry[2]], attempt, painter) for entry in todo]
        again = []
        for entry, (_, canvas), render in zip(todo, work, painter(work), strict=True):
            sample = picture_sample(scene, entry[0], render, canvas, frames[entry[2]])
            if sample.passed or attempt + 1 == painter.attempts:
                yield sample
            else:
                again.append(entry)
                logger.info("%s drawn again: %s", entry[0], _failed(sample.checks))
        attempt, todo = attempt + 1, again


def picture_job(
    scene: CompiledScene,
    sample_id: str,
    route: Route,
    view: str,
    frame: Frame,
    attempt: int,
    painter: "Painter",
) -> tuple[RenderJob, Canvas | None]:
    """What to paint, and onto what."""
    prompts = scene.backdrop_prompts if route == "backdrop" else scene.view_prompts
    job = make_job(scene, route, view, prompts[view], attempt, painter)
    if route == "view":
        return job, None
    return job, canvas_of(frame, route, scene.setup.task, painter.keep_scales)


def canvas_of(frame: Frame, route: Route, task: Task, keep_scales: int) -> Canvas:
    """What may change in a frame: the backdrop's classes, or everything but the actors.

    A repaint keeps the frame's coarse structure (`keep_scales`), a backdrop hardly more than its
    mean colour. Pixels of any instance stay.
    """
    actor = frame.instances > 0
    if route == "backdrop":
        ids = [CLASS_ID[name] for name in BACKDROP_CLASSES[task]]
        editable: Mask = np.isin(frame.labels, ids) & ~actor
        return Canvas(frame.image, editable, frame.labels, BACKDROP_KEEPS)
    return Canvas(frame.image, ~actor, frame.labels, keep_scales)


def picture_sample(
    scene: CompiledScene, sample_id: str, render: Render, canvas: Canvas | None, frame: Frame
) -> Sample:
    """A render with the labels that are known to hold for it."""
    if canvas is None:
        return make_sample(scene, sample_id, render, None, None, None)
    labels = np.where(canvas.editable, np.uint8(UNKNOWN), frame.labels)
    return make_sample(scene, sample_id, render, frame, labels, canvas.editable)


def paint_world(
    scene: CompiledScene,
    wanted: Sequence[tuple[str, Route, str]],
    frames: Mapping[str, Frame],
    world: World,
    painter: "Painter",
) -> Iterator[Sample]:
    """Samples by `texture`: the world's surfaces are painted and it is photographed again.

    Geometry has not moved, so every label of the plain frame still holds.
    """
    renders = paint_textures(scene, world, painter)
    painted = world.paint({surface: render.image for surface, render in renders.items()})
    textures = {surface: render for surface, render in renders.items() if surface in painted}
    views = [view for _, _, view in wanted]
    after = world.capture(views)
    for sample_id, _, view in wanted:
        frame, first = frames[view], next(iter(renders.values()))
        changed: Mask = (after[view].image != frame.image).any(axis=2)
        job = replace(first.job, target=view, prompt="; ".join(_prompts(renders)))
        render = replace(first, job=job, image=after[view].image, seconds=0.0)
        yield make_sample(scene, sample_id, render, frame, frame.labels, changed, textures)


def paint_textures(scene: CompiledScene, world: World, painter: "Painter") -> dict[str, Render]:
    """A texture for each surface that the scene has a prompt for; rejected ones are drawn again."""
    done: dict[str, Render] = {}
    todo = [surface for surface in scene.texture_prompts if surface in world.surfaces]
    for attempt in range(painter.attempts):
        jobs = [
            make_job(scene, "texture", surface, scene.texture_prompts[surface], attempt, painter)
            for surface in todo
        ]
        for surface, render in zip(todo, painter([(job, None) for job in jobs]), strict=True):
            done[surface] = render
        todo = [name for name in todo if _failed(check_texture(done[name].image, name))]
    return done


def _prompts(renders: Mapping[str, Render]) -> list[str]:
    return [f"{surface}: {render.job.prompt}" for surface, render in renders.items()]


# Jobs and samples


def make_job(
    scene: CompiledScene,
    route: Route,
    target: str,
    prompt: str,
    attempt: int,
    painter: "Painter",
) -> RenderJob:
    """One picture to be made, with the key that alone seeds its noise."""
    name, seed, index = scene.scenario.name, scene.seed, scene.index
    key = _digest([name, seed, index, route, target, attempt])
    negative = scene.negative if painter.negative else ""
    return RenderJob(route, target, prompt, negative, painter.size_px, key, attempt)


def make_sample(
    scene: CompiledScene,
    sample_id: str,
    render: Render,
    frame: Frame | None,
    labels: Labels | None,
    mask: Mask | None,
    textures: Mapping[str, Render] | None = None,
) -> Sample:
    """A checked sample; its annotations are the objects whose pixels are known to be true."""
    sample = Sample(
        id=sample_id,
        route=render.job.route,
        scenario=scene.scenario.name,
        index=scene.index,
        seed=scene.seed,
        render=render,
        frame=frame,
        labels=labels,
        mask=mask,
        annotations=()
        if frame is None or labels is None
        else annotate(frame.table, frame.instances, labels),
        scene=to_plain(scene),
        drawn=scene.drawn,
        tags=scene.tags,
        provenance=provenance(scene),
        textures=textures or {},
    )
    return replace(sample, checks=check(sample))


def provenance(scene: CompiledScene) -> dict[str, Any]:
    """What made a sample, beside its scene and its render: the file and the versions."""
    from hartsim import __version__

    return {
        "scenario_file": Path(scene.scenario.source).name,
        "scenario_sha256": scene.scenario.source_hash,
        "versions": {"hartsim": __version__, "numpy": np.__version__},
    }


def describe_request(request: GenerateRequest) -> dict[str, Any]:
    """What must be equal for a run to continue in a folder: all that decides a sample's bytes."""
    config = asdict(request.config)
    config["render"].pop("batch")
    return {
        "scenarios": {s.name: s.source_hash for s in read_scenarios(request.scenarios)},
        "count": request.count,
        "seed": request.seed,
        "routes": list(request.routes),
        "views": list(request.views),
        "config": config,
    }


def _digest(values: Sequence[str | int]) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:32]


def _failed(checks: Sequence[Check]) -> str:
    return "; ".join(check.reason for check in checks if not check.passed)


# The model and the worlds


class Painter:
    """HART as a function from (job, canvas) pairs to renders, with the run's settings."""

    def __init__(self, config: RunConfig) -> None:
        from hartsim.hart.renderer import make_renderer

        self.renderer = make_renderer(config.hart, config.render)
        self.attempts, self.negative = config.render.attempts, config.render.negative
        self.size_px = self.renderer.size_px
        scales = self.renderer.scales
        keep = config.render.keep_scales
        self.keep_scales = scales // 2 if keep is None else min(keep, scales)

    def __call__(self, work: Sequence[tuple[RenderJob, Canvas | None]]) -> Iterator[Render]:
        """The renders, in the order of the work."""
        return self.renderer(work)


class Worlds:
    """The embedded worlds by task, each started when first needed and closed with the run."""

    def __init__(self, config: RunConfig, size_px: tuple[int, int], stack: ExitStack) -> None:
        wanted = config.world.size_px
        if wanted is not None and (wanted, wanted) != size_px:
            raise ConfigError(
                f"world.size_px is {wanted}, but hart={config.hart.name} paints {size_px[0]} "
                "pixels; leave world.size_px out"
            )
        self.size_px, self.shadows, self.stack = size_px, config.world.shadows, stack
        self.open: dict[Task, World] = {}

    def __getitem__(self, task: Task) -> World:
        if task not in self.open:
            from hartsim.worlds.embedded import EmbeddedWorld

            started = time.perf_counter()
            world = EmbeddedWorld(task, self.size_px, shadows=self.shadows)
            self.open[task] = self.stack.enter_context(closing(world))
            logger.info("%s world started in %.1f s", task, time.perf_counter() - started)
        return self.open[task]


def render_sentence(
    text: str, config: RunConfig, seed: int = 0
) -> tuple[Image, CompiledScene, list[str]]:
    """A picture of a sentence, the scene it was understood as, and the words that were not."""
    scenario, not_understood = parse_sentence(text)
    scene = compile_draw(scenario, seed, 0)
    painter = Painter(config)
    view = scene.setup.cameras[0].name
    job = make_job(scene, "view", view, scene.view_prompts[view], 0, painter)
    render = next(iter(painter([(job, None)])))
    return render.image, scene, not_understood
