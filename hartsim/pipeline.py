"""The main path, from scenario files to a labelled dataset: read it top to bottom.

    scenarios → draw → compile → paint textures → world → frames → renders → checks → samples

Here, and only here, scenarios, worlds, the model and the dataset meet.
"""

import hashlib
import itertools
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from hartsim.config import RunConfig
from hartsim.dataset.annotate import annotate
from hartsim.dataset.checks import OF_THE_FRAME, check, check_texture
from hartsim.dataset.layout import MARKER, is_sample, read_marker
from hartsim.dataset.reader import read_samples
from hartsim.dataset.writer import DatasetWriter
from hartsim.errors import ConfigError
from hartsim.scenario.compiled import CompiledScene
from hartsim.scenario.compiler import compile_draw, compile_scenario, to_plain
from hartsim.scenario.coverage import (
    Coverage,
    Values,
    catalogue_values,
    cover,
    possible_values,
    require_factors,
    values_of,
)
from hartsim.scenario.language import parse_sentence
from hartsim.scenario.library import find_scenarios
from hartsim.scenario.load import load_scenario
from hartsim.scenario.samplers import Sampler, Sampling, make_sampler
from hartsim.scenario.schema import Scenario
from hartsim.types import (
    BACKDROP_CLASSES,
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
    Size,
    Task,
)
from hartsim.worlds import World

BACKDROP_KEEPS = 1
"""Coarse scales that a backdrop takes from the frame: its mean colour, and so its time of day."""

GLARING: Image = np.full((8, 8, 3), (255, 0, 255), np.uint8)
"""A paint that nobody would take for what was there."""

USUAL_COUNT = 8
"""Scenes of each scenario, where neither the request nor a sampler's plan says how many."""

USUAL_PX, MOST_ENLARGED = 256, 4
"""The side of pictures where none is asked for; no model's are enlarged more than so many times."""


@dataclass(frozen=True)
class GenerateRequest:
    """What `hartsim generate` was asked for; `shard` is (i, n), i counted from 0.

    `count` None takes as many scenes as complete a sampler's plan, or `USUAL_COUNT`.
    """

    scenarios: tuple[str, ...]
    count: int | None
    seed: int
    out: Path
    routes: tuple[Route, ...]
    views: tuple[str, ...]
    shard: tuple[int, int] | None
    config: RunConfig


@dataclass(frozen=True)
class Wanted:
    """A sample to be made: its id says scenario, index, route and view."""

    sampler: Sampler
    index: int
    route: Route
    view: str

    @property
    def scenario(self) -> Scenario:
        """What its scene is drawn from."""
        return self.sampler.scenario

    @property
    def key(self) -> str:
        """The key of its scene."""
        return f"{self.scenario.name}-{self.index:05d}"

    @property
    def id(self) -> str:
        """The name of its folder."""
        return f"{self.key}-{self.route}-{self.view}"


@dataclass(frozen=True)
class Shots:
    """What the world showed of a scene, by view: as it is, and with its surfaces painted.

    `changed` names the surfaces whose paint was seen to change a picture.
    """

    scene: CompiledScene
    plain: Mapping[str, Frame]
    painted: Mapping[str, Frame]
    textures: Mapping[str, Render]
    changed: frozenset[str]


def generate(request: GenerateRequest) -> Iterator[Sample]:
    """Make the samples that are not there yet, and yield each once it is safely written.

    Same request, same bytes: whatever the shards, the batch, or how often it was interrupted.
    """
    planned = plan(request)
    with ExitStack() as stack:
        # What can fail fails here, before the folder is claimed for this request.
        painter = Painter(request.config)
        worlds = Worlds(request.config, painter.size_px, stack)
        missing = [wanted for wanted in planned if not is_sample(request.out, wanted.id)]
        worlds.start({wanted.scenario.task for wanted in missing if wanted.route != "view"})
        description = describe_request(request, painter.weights_hash)
        with DatasetWriter(request.out, description) as writer:
            for group in scene_groups(missing, request.config.render.batch):
                for sample in paint_group(group, worlds, painter):
                    writer.add(sample)
                    yield sample
            writer.finish()


def plan(request: GenerateRequest) -> list[Wanted]:
    """All samples that the request, or its shard, asks for: scene by scene."""
    scenarios = read_scenarios(request.scenarios)
    for scenario in scenarios:
        require_views(scenario, request.views)
    looks = [(route, view) for route in request.routes for view in request.views]
    wanted = (
        Wanted(sampler, index, route, view)
        for sampler in samplers(scenarios, request.seed, request.count, request.config)
        for index in range(count_of(sampler, request.count))
        for route, view in looks
    )
    return [each for each in wanted if in_shard(each.id, request.shard)]


def samplers(
    scenarios: Sequence[Scenario], seed: int, count: int | None, config: RunConfig
) -> list[Sampler]:
    """How each scenario is drawn from."""
    sampling = Sampling(**asdict(config.draw))
    return [make_sampler(each, seed, sampling, count or USUAL_COUNT) for each in scenarios]


def count_of(sampler: Sampler, count: int | None) -> int:
    """How many scenes of a scenario are wanted."""
    return count or sampler.size or USUAL_COUNT


def asked_for(dataset: Path) -> int:
    """How many samples the request behind a dataset, or behind the shards of one, asks for."""
    request = read_marker(dataset)["request"]
    looks = len(request["routes"]) * len(request["views"])
    return looks * sum(int(count) for count in request["count"].values())


def read_scenarios(names: Sequence[str]) -> list[Scenario]:
    """The scenarios behind file names, library names and folders; their own names must differ."""
    by_name: dict[str, Scenario] = {}
    for scenario in (load_scenario(path) for path in find_scenarios(names)):
        other = by_name.setdefault(scenario.name, scenario)
        if other is not scenario:
            raise ConfigError(
                f"{scenario.source} and {other.source} are both called '{scenario.name}'; "
                "sample ids need distinct names"
            )
    return list(by_name.values())


def require_views(scenario: Scenario, views: Iterable[str]) -> None:
    """ConfigError where a scenario lacks one of these cameras."""
    for view in views:
        if view not in scenario.cameras:
            known = ", ".join(scenario.cameras)
            raise ConfigError(f"{scenario.source}: no camera '{view}'; there are {known}")


def in_shard(sample_id: str, shard: tuple[int, int] | None) -> bool:
    """Whether a sample belongs to a shard: decided by its id alone."""
    return shard is None or zlib.crc32(sample_id.encode()) % shard[1] == shard[0]


def scene_groups(wanted: Sequence[Wanted], batch: int) -> Iterator[list[Wanted]]:
    """Whole scenes, together until they want at least `batch` pictures."""
    group: list[Wanted] = []
    for _, same_scene in itertools.groupby(wanted, key=lambda each: each.key):
        group += same_scene
        if len(group) >= batch:
            yield group
            group = []
    if group:
        yield group


def coverage_of(
    names: Sequence[str],
    factors: Sequence[str],
    count: int | None,
    seed: int,
    config: RunConfig,
) -> tuple[int, Coverage, Coverage]:
    """How many scenes there are, and what they cover of the factors singly and in pairs.

    They are draws of scenarios, held against all that these can show, or those of a dataset, held
    against the catalogue.
    """
    if len(names) == 1 and (Path(names[0]) / MARKER).is_file():
        seen, possible = covered_by_dataset(Path(names[0]), factors)
    else:
        scenarios = read_scenarios(names)
        require_factors(scenarios, factors)
        seen = [
            values_of(compile_scenario(sampler.draw(index)), sampler.scenario, factors)
            for sampler in samplers(scenarios, seed, count, config)
            for index in range(count_of(sampler, count))
        ]
        possible = [part for each in scenarios for part in possible_values(each, factors)]
    singles, pairs = (cover(seen, possible, factors, ways) for ways in (1, 2))
    return len(seen), singles, pairs


def covered_by_dataset(root: Path, factors: Sequence[str]) -> tuple[list[Values], list[Values]]:
    """The tags of a dataset's scenes, and all that the catalogue has for their tasks."""
    require_factors((), factors)
    tags = {(each.scenario, each.index): each.tags for each in read_samples(root)}
    seen: list[Values] = [{name: each[name] for name in factors} for each in tags.values()]
    tasks = sorted({task for each in tags.values() for task in each["task"]})
    return seen, [catalogue_values("robot" if t == "robot" else "driving", factors) for t in tasks]


# A few scenes, by all routes


def paint_group(group: Sequence[Wanted], worlds: "Worlds", painter: "Painter") -> Iterator[Sample]:
    """The wanted samples: textures first, then photographs of the world, then what goes over them.

    Textures and pictures of the whole group go to the model together.
    """
    scenes = {
        each.key: compile_scenario(each.sampler.draw(each.index), painter.look) for each in group
    }
    shown = {
        each.key: surfaces_shown(scenes[each.key], worlds)
        for each in group
        if each.route == "texture"
    }
    textures = paint_textures(scenes, shown, painter)
    shots = {}
    for key, scene in scenes.items():
        views = [each.view for each in group if each.key == key and each.route != "view"]
        shots[key] = photograph(scene, views, worlds, textures.get(key, {}))
    for wanted in group:
        if wanted.route == "texture":
            yield texture_sample(wanted, shots[wanted.key])
    pictures = [wanted for wanted in group if wanted.route != "texture"]
    yield from paint_pictures(pictures, shots, painter)


def surfaces_shown(scene: CompiledScene, worlds: "Worlds") -> list[str]:
    """The surfaces that some camera sees: those whose colour it can tell."""
    world = worlds[scene.setup.task]
    world.setup(scene)
    changed = world.paint(dict.fromkeys(scene.texture_prompts, GLARING))
    return [name for name in scene.texture_prompts if name in changed]


def paint_textures(
    scenes: Mapping[str, CompiledScene], shown: Mapping[str, Sequence[str]], painter: "Painter"
) -> dict[str, dict[str, Render]]:
    """By scene and surface, textures for what is shown; one that fails its checks is redrawn."""
    todo = [(key, name) for key, names in shown.items() for name in names]
    done: dict[str, dict[str, Render]] = {key: {} for key in shown}
    for attempt in range(painter.attempts):
        jobs = [
            painter.job(scenes[key], "texture", name, scenes[key].texture_prompts[name], attempt)
            for key, name in todo
        ]
        for (key, name), render in zip(todo, painter([(job, None) for job in jobs]), strict=True):
            done[key][name] = render
        todo = [
            (key, name) for key, name in todo if _failed(check_texture(done[key][name].image, name))
        ]
    return done


def photograph(
    scene: CompiledScene, views: Iterable[str], worlds: "Worlds", textures: Mapping[str, Render]
) -> Shots:
    """Set a scene up and photograph it, and once more with its surfaces painted."""
    cameras = sorted(set(views))
    if not cameras:
        return Shots(scene, {}, {}, {}, frozenset())
    world = worlds[scene.setup.task]
    world.setup(scene)
    plain = world.capture(cameras)
    if not textures:
        return Shots(scene, plain, {}, {}, frozenset())
    changed = world.paint({surface: render.image for surface, render in textures.items()})
    return Shots(scene, plain, world.capture(cameras), textures, frozenset(changed))


def texture_sample(wanted: Wanted, shots: Shots) -> Sample:
    """A photograph of the painted world. Nothing has moved, so the plain frame's labels hold."""
    frame, image = shots.plain[wanted.view], shots.painted[wanted.view].image
    first = next(iter(shots.textures.values()))
    prompts = [f"{name}: {render.job.prompt}" for name, render in shots.textures.items()]
    job = replace(first.job, target=wanted.view, prompt="; ".join(prompts))
    render = replace(first, job=job, image=image, seconds=0.0)
    mask: Mask = (image != frame.image).any(axis=2)
    known = (frame, frame.labels, mask)
    sample = make_sample(wanted, shots.scene, render, known, shots.textures)
    seen = {"surfaces_changed": sorted(shots.changed)}
    return replace(sample, provenance={**sample.provenance, **seen})


def paint_pictures(
    wanted: Sequence[Wanted], shots: Mapping[str, Shots], painter: "Painter"
) -> Iterator[Sample]:
    """Samples by `view`, `backdrop` and `repaint`; one that fails its checks is redrawn."""
    todo, reasons = list(wanted), {each.id: list[str]() for each in wanted}
    for attempt in range(painter.attempts):
        work = [picture_work(each, shots[each.key], attempt, painter) for each in todo]
        again = []
        for each, (_, canvas), render in zip(todo, work, painter(work), strict=True):
            sample = picture_sample(each, shots[each.key], render, canvas)
            if attempt + 1 == painter.attempts or not _mendable(sample.checks):
                known = {**sample.provenance, "rejected": reasons[each.id]}
                yield replace(sample, provenance=known)
            else:
                reasons[each.id].append(_failed(sample.checks))
                again.append(each)
        todo = again


def picture_work(
    wanted: Wanted, shots: Shots, attempt: int, painter: "Painter"
) -> tuple[RenderJob, Canvas | None]:
    """What to paint, and onto what."""
    scene, route, view = shots.scene, wanted.route, wanted.view
    prompts = scene.backdrop_prompts if route == "backdrop" else scene.view_prompts
    job = painter.job(scene, route, view, prompts[view], attempt)
    if route == "view":
        return job, None
    return job, canvas_of(shots.plain[view], route, scene.setup.task, painter.keep_scales)


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


def picture_sample(wanted: Wanted, shots: Shots, render: Render, canvas: Canvas | None) -> Sample:
    """A picture with the labels that are known to hold: none where it was painted."""
    if canvas is None:
        return make_sample(wanted, shots.scene, render, None)
    frame = shots.plain[wanted.view]
    labels = np.where(canvas.editable, np.uint8(UNKNOWN), frame.labels)
    return make_sample(wanted, shots.scene, render, (frame, labels, canvas.editable))


def make_sample(
    wanted: Wanted,
    scene: CompiledScene,
    render: Render,
    known: tuple[Frame, Labels, Mask] | None,
    textures: Mapping[str, Render] | None = None,
) -> Sample:
    """A checked sample; `known` is its frame, the labels that hold for it, and what was open.

    Its annotations are the objects whose pixels are known to be true.
    """
    frame, labels, mask = known or (None, None, None)
    sample = Sample(
        id=wanted.id,
        route=wanted.route,
        scenario=scene.scenario.name,
        index=scene.index,
        seed=scene.seed,
        render=render,
        frame=frame,
        labels=labels,
        mask=mask,
        annotations=annotate(known[0].table, known[0].instances, known[1]) if known else (),
        scene=to_plain(scene),
        drawn=scene.drawn,
        tags=scene.tags,
        provenance=provenance(scene),
        textures=textures or {},
    )
    return replace(sample, checks=check(sample))


def provenance(scene: CompiledScene) -> dict[str, Any]:
    """What made a sample, beside its scene and its render: the file and the versions."""
    return {
        "scenario_file": Path(scene.scenario.source).name,
        "scenario_sha256": scene.scenario.source_hash,
        "versions": {name: version(name) for name in ("hartsim", "torch", "numpy", "mujoco")},
    }


def describe_request(request: GenerateRequest, weights_hash: str) -> dict[str, Any]:
    """What must be equal for a run to continue in a folder: all that decides a sample's bytes."""
    config = asdict(request.config)
    del config["render"]["batch"], config["hart"]["weights"]
    scenarios = read_scenarios(request.scenarios)
    drawn = samplers(scenarios, request.seed, request.count, request.config)
    return {
        "scenarios": {each.scenario.name: each.scenario.source_hash for each in drawn},
        "count": {each.scenario.name: count_of(each, request.count) for each in drawn},
        "seed": request.seed,
        "routes": list(request.routes),
        "views": list(request.views),
        "weights": weights_hash,
        "config": config,
    }


def _mendable(checks: Sequence[Check]) -> bool:
    """Whether a check has failed that another draw might pass."""
    return any(not each.passed and each.name not in OF_THE_FRAME for each in checks)


def _failed(checks: Sequence[Check]) -> str:
    return "; ".join(check.reason for check in checks if not check.passed)


# The model and the worlds


class Painter:
    """HART as a function from (job, canvas) pairs to renders, with the run's settings."""

    def __init__(self, config: RunConfig) -> None:
        from hartsim.hart.renderer import make_renderer

        self.renderer = make_renderer(config.hart, config.render)
        self.size_px = painted_size(config, self.renderer.size_px)
        self.weights_hash = self.renderer.hart.weights_hash
        self.attempts, self.negative = config.render.attempts, config.render.negative
        self.look = config.render.look
        keep, scales = config.render.keep_scales, self.renderer.scales
        if keep is not None and keep >= scales:
            raise ConfigError(
                f"render.keep_scales is {keep}, but hart={config.hart.name} has {scales} scales: "
                "a repaint that keeps all of them changes nothing"
            )
        self.keep_scales = max(scales - 2, 1) if keep is None else keep

    def __call__(self, work: Sequence[tuple[RenderJob, Canvas | None]]) -> Iterator[Render]:
        """The renders, in the order of the work."""
        return self.renderer(work)

    def job(
        self, scene: CompiledScene, route: Route, target: str, prompt: str, attempt: int
    ) -> RenderJob:
        """One picture to be made, with the key that alone seeds its noise."""
        identity = [scene.scenario.name, scene.seed, scene.index, route, target, attempt]
        noise_key = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]
        negative = scene.negative if self.negative else ""
        calm = scene.calm_prompts[target] if route == "view" else ""
        if calm == prompt:
            calm = ""
        return RenderJob(route, target, prompt, negative, self.size_px, noise_key, attempt, calm)


def painted_size(config: RunConfig, model_px: Size) -> Size:
    """The size of frames and pictures; a model of another size paints at its own and is resized."""
    side = config.world.size_px
    if side is None:
        side = max(model_px[0], min(USUAL_PX, MOST_ENLARGED * model_px[0]))
    if side > MOST_ENLARGED * model_px[0]:
        raise ConfigError(
            f"world.size_px is {side}, but hart={config.hart.name} paints {model_px[0]} pixels: "
            f"at most {MOST_ENLARGED * model_px[0]} is sensible"
        )
    return side, side


class Worlds:
    """The embedded worlds by task, each started when first needed and closed with the run."""

    def __init__(self, config: RunConfig, size_px: Size, stack: ExitStack) -> None:
        self.size_px, self.shadows, self.stack = size_px, config.world.shadows, stack
        self.open: dict[Task, World] = {}

    def start(self, tasks: Iterable[Task]) -> None:
        """Start these worlds now; WorldError where one cannot."""
        for task in sorted(tasks):
            self[task]

    def __getitem__(self, task: Task) -> World:
        if task not in self.open:
            from hartsim.worlds.embedded import EmbeddedWorld

            world = EmbeddedWorld(task, self.size_px, shadows=self.shadows)
            self.open[task] = self.stack.enter_context(closing(world))
        return self.open[task]


def render_sentence(
    text: str, config: RunConfig, seed: int = 0
) -> tuple[Image, CompiledScene, list[str]]:
    """A picture of a sentence, the scene it was understood as, and the words that were not."""
    scenario, not_understood = parse_sentence(text)
    scene = compile_draw(scenario, seed, 0, config.render.look)
    painter = Painter(config)
    view = scene.setup.cameras[0].name
    job = painter.job(scene, "view", view, scene.view_prompts[view], 0)
    render = next(painter([(job, None)]))
    return render.image, scene, not_understood
