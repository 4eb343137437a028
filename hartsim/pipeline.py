"""The main path, from scenario files to a labelled dataset: read it top to bottom.

    scenarios → draw → compile → paint textures → world → frames → renders → checks → samples

Here, and only here, scenarios, worlds, the model and the dataset meet.
"""

import hashlib
import itertools
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
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
from hartsim.errors import ConfigError, WorldLostError
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
from hartsim.scenario.draw import fixed
from hartsim.scenario.language import parse_sentence
from hartsim.scenario.library import find_scenarios
from hartsim.scenario.load import load_scenario
from hartsim.scenario.samplers import Sampler, Sampling, make_sampler
from hartsim.scenario.schema import Scenario
from hartsim.simulators import Worlds, described, lacking, recorded, require_showable, stage
from hartsim.types import (
    BACKDROP_CLASSES,
    CLASS_ID,
    UNKNOWN,
    Annotation,
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
from hartsim.worlds.cruise import keep_lane

BACKDROP_KEEPS = 1
"""Coarse scales that a backdrop takes from the frame: its mean colour, and so its time of day."""

USUAL_COUNT = 8
"""Scenes of each scenario, where neither the request nor a sampler's plan says how many."""

USUAL_PX, MOST_ENLARGED = 256, 4
"""The side of pictures where none is asked for; no model's are enlarged more than so many times."""


@dataclass(frozen=True)
class GenerateRequest:
    """What `hartsim generate` was asked for; `shard` is (i, n), i counted from 0.

    `count` None takes as many scenes as complete a sampler's plan, or `USUAL_COUNT`. Samples show
    the scene after so many seconds of driving as `moments_s` says. `replay` is a dataset whose
    scenes CARLA recorded, to be shown once more from its recordings; `scene` changes what all
    scenarios say of their scenes, such as {"weather": "fog"}.
    """

    scenarios: tuple[str, ...]
    count: int | None
    seed: int
    out: Path
    routes: tuple[Route, ...]
    views: tuple[str, ...]
    shard: tuple[int, int] | None
    config: RunConfig
    moments_s: tuple[float, ...] = (0.0,)
    replay: Path | None = None
    scene: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """A sample to be made: its id says scenario, index, route, view and, later ones, when."""

    sampler: Sampler
    index: int
    route: Route
    view: str
    moment_s: float = 0.0

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
        when = f"-{round(1000 * self.moment_s):06d}ms" if self.moment_s else ""
        return f"{self.key}-{self.route}-{self.view}{when}"

    @property
    def shot(self) -> "Shot":
        """Which picture of the scene it rests on."""
        return self.moment_s, self.view


Shot = tuple[float, str]
"""A picture of a scene: after how many seconds, by which camera."""


@dataclass(frozen=True)
class Shots:
    """What the world showed of a scene: as it is, and with its surfaces painted.

    `changed` names the surfaces whose paint was seen to change a picture; `about` says what showed
    it, where that is not the same for all scenes.
    """

    scene: CompiledScene
    plain: Mapping[Shot, Frame] = field(default_factory=dict)
    painted: Mapping[Shot, Frame] = field(default_factory=dict)
    textures: Mapping[str, Render] = field(default_factory=dict)
    changed: frozenset[str] = frozenset()
    about: Mapping[str, Any] = field(default_factory=dict)


def generate(request: GenerateRequest, left_out: dict[str, str] | None = None) -> Iterator[Sample]:
    """Make the samples that are not there yet, and yield each once it is safely written.

    Same request, same bytes: whatever the shards, the batch, or how often it was interrupted.
    `left_out` is filled with the scenes that the simulator cannot show, by key, and why.
    """
    left_out = {} if left_out is None else left_out
    planned = plan(request, left_out)
    # What can fail fails here, before the folder is claimed for this request.
    painter = Painter(request.config)
    with Worlds(request.config, painter.size_px, request.replay) as worlds:
        missing = [wanted for wanted in planned if not is_sample(request.out, wanted.id)]
        worlds.start({wanted.scenario.task for wanted in missing if wanted.route != "view"})
        simulator = worlds.simulator(request.out)
        description = describe_request(request, painter.weights_hash, simulator)
        with DatasetWriter(request.out, description) as writer:
            for group in scene_groups(missing, request.config.render.batch):
                for sample in painted_at_last(group, worlds, painter, left_out):
                    writer.add(sample)
                    yield sample
            writer.finish()


def plan(request: GenerateRequest, left_out: dict[str, str] | None = None) -> list[Wanted]:
    """All samples that the request, or its shard, asks for: scene by scene.

    `left_out` is filled with the scenes that the simulator is known not to have, and why.
    """
    scenarios = read_scenarios(request.scenarios, request.scene)
    require_showable(scenarios, request.config)
    for scenario in scenarios:
        require_views(scenario, request.views)
    looks = looks_of(request.routes, request.views, request.moments_s)
    wanted = (
        Wanted(sampler, index, route, view, moment_s)
        for sampler in samplers(scenarios, request.seed, request.count, request.config)
        for index in shown_indices(sampler, request, left_out)
        for route, view, moment_s in looks
    )
    return [each for each in wanted if in_shard(each.id, request.shard)]


def looks_of(
    routes: Sequence[Route], views: Sequence[str], moments_s: Sequence[float]
) -> list[tuple[Route, str, float]]:
    """The samples of one scene; a view, which rests on no frame, is made once for all moments."""
    return [
        (route, view, moment_s)
        for moment_s in moments_s
        for route in routes
        for view in views
        if route != "view" or moment_s == moments_s[0]
    ]


def shown_indices(
    sampler: Sampler, request: GenerateRequest, left_out: dict[str, str] | None = None
) -> list[int]:
    """The numbers of the draws that the simulator can show, as far as one knows beforehand."""
    indices = list(range(count_of(sampler, request.count)))
    if request.config.world.simulator == "embedded":
        return indices
    reasons = {k: lacking(sampler.draw(k).scenario, request.config) for k in indices}
    if left_out is not None:
        name = sampler.scenario.name
        left_out |= {f"{name}-{k:05d}": reason for k, reason in reasons.items() if reason}
    return [k for k in indices if not reasons[k]]


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
    looks = looks_of(request["routes"], request["views"], request.get("moments_s", [0.0]))
    return len(looks) * sum(int(count) for count in request["count"].values())


def read_scenarios(names: Sequence[str], scene: Mapping[str, str] | None = None) -> list[Scenario]:
    """The scenarios behind file names, library names and folders; their own names must differ.

    `scene` takes the place of what they say, or draw, of their scenes.
    """
    by_name: dict[str, Scenario] = {}
    for scenario in (load_scenario(path) for path in find_scenarios(names)):
        if scene:
            paths = {f"scene.{name}": value for name, value in scene.items()}
            scenario = fixed(scenario, paths)
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


def painted_at_last(
    group: Sequence[Wanted], worlds: Worlds, painter: "Painter", left_out: dict[str, str]
) -> Iterator[Sample]:
    """As `paint_group`, made anew where the simulator is lost meanwhile and comes back."""
    done: set[str] = set()
    while True:
        rest = [each for each in group if each.id not in done]
        try:
            for sample in paint_group(rest, worlds, painter, left_out):
                yield sample
                done.add(sample.id)
        except WorldLostError as lost:
            worlds.renew(lost)
        else:
            return


def paint_group(
    group: Sequence[Wanted], worlds: Worlds, painter: "Painter", left_out: dict[str, str]
) -> Iterator[Sample]:
    """The wanted samples: textures first, then photographs of the world, then what goes over them.

    Textures and pictures of the whole group go to the model together. A scene that the simulator
    cannot show gets into `left_out`, with the reason.
    """
    scenes = {
        each.key: compile_scenario(each.sampler.draw(each.index), painter.look) for each in group
    }
    with_textures = dict.fromkeys(each.key for each in group if each.route == "texture")
    shown = {key: surfaces_shown(scenes[key], worlds, left_out) for key in with_textures}
    textures = paint_textures(scenes, shown, painter)
    shots = {}
    for key, scene in scenes.items():
        wanted = {each.shot for each in group if each.key == key and each.route != "view"}
        shots[key] = photograph(scene, sorted(wanted), worlds, textures.get(key, {}), left_out)
    ready = [each for each in group if each.key not in left_out]
    for each in ready:
        if each.route == "texture":
            yield texture_sample(each, shots[each.key], painter)
    yield from paint_pictures([each for each in ready if each.route != "texture"], shots, painter)


def surfaces_shown(scene: CompiledScene, worlds: Worlds, left_out: dict[str, str]) -> list[str]:
    """The surfaces that some camera sees."""
    world = stage(scene, worlds, left_out)
    return [] if world is None else sorted(world.showing(scene.texture_prompts))


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
    scene: CompiledScene,
    wanted: Sequence[Shot],
    worlds: Worlds,
    textures: Mapping[str, Render],
    left_out: dict[str, str],
) -> Shots:
    """Set a scene up and photograph it, and once more with its surfaces painted.

    Where later moments are wanted the ego drives on between them, and from the start again.
    """
    world = stage(scene, worlds, left_out) if wanted else None
    if world is None:
        return Shots(scene)
    with recorded(scene, world, worlds):
        plain = photographs(world, scene, wanted, worlds.tick_s)
    about = world.about()
    if not textures:
        return Shots(scene, plain, about=about)
    if wanted[-1][0] > 0:
        world.setup(scene)
    changed = world.paint({surface: render.image for surface, render in textures.items()})
    painted = photographs(world, scene, wanted, worlds.tick_s)
    return Shots(scene, plain, painted, textures, frozenset(changed), about)


def photographs(
    world: World, scene: CompiledScene, wanted: Sequence[Shot], tick_s: float
) -> dict[Shot, Frame]:
    """What the cameras see at each moment wanted; between them the ego keeps to its lane."""
    frames: dict[Shot, Frame] = {}
    for moment_s, shots in itertools.groupby(wanted, key=lambda shot: shot[0]):
        while world.state().time_s < moment_s - tick_s / 2:
            action = keep_lane(world.state(), world.obstacles().values(), scene.setup.speed_mps)
            world.step(action, tick_s)
        seen = world.capture([view for _, view in shots])
        frames |= {(moment_s, view): frame for view, frame in seen.items()}
    return frames


def texture_sample(wanted: Wanted, shots: Shots, painter: "Painter") -> Sample:
    """A photograph of the painted world, with the labels of that very moment.

    Its textures are those that were seen; which were tried besides, its provenance says.

    Its frame is the picture without paint, where that shows the same things in the same places;
    with traffic that drives by itself it may not, and then the photograph stands alone.
    """
    before = shots.plain[wanted.shot]
    after = shots.painted.get(wanted.shot, before)
    image = after.image
    still = np.array_equal(before.instances, after.instances)
    frame = replace(after, image=before.image if still else image)
    textures = {name: shots.textures[name] for name in sorted(shots.changed)}
    prompts = [f"{name}: {render.job.prompt}" for name, render in textures.items()]
    job = painter.job(shots.scene, "texture", wanted.view, "; ".join(prompts), 0)
    paint = next(iter(shots.textures.values()), painter.nothing(job, image))
    job = replace(paint.job, target=wanted.view, prompt=job.prompt)
    render = replace(paint, job=job, image=image, seconds=0.0)
    mask: Mask = (image != frame.image).any(axis=2)
    sample = make_sample(wanted, shots, render, (frame, frame.labels, mask), textures)
    tried = {"surfaces_tried": sorted(shots.textures), "surfaces_changed": sorted(textures)}
    return replace(sample, provenance={**sample.provenance, **tried})


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
    return job, canvas_of(shots.plain[wanted.shot], route, scene.setup.task, painter.keep_scales)


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
        return make_sample(wanted, shots, render, None)
    frame = shots.plain[wanted.shot]
    labels = np.where(canvas.editable, np.uint8(UNKNOWN), frame.labels)
    return make_sample(wanted, shots, render, (frame, labels, canvas.editable))


def make_sample(
    wanted: Wanted,
    shots: Shots,
    render: Render,
    known: tuple[Frame, Labels, Mask] | None,
    textures: Mapping[str, Render] | None = None,
) -> Sample:
    """A checked sample; `known` is its frame, the labels that hold for it, and what was open.

    Its annotations are the objects whose pixels are known to be true.
    """
    frame, labels, mask = known or (None, None, None)
    scene = shots.scene
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
        annotations=annotations_of(known[0], known[1], shots) if known else (),
        scene=to_plain(scene),
        drawn=scene.drawn,
        tags=scene.tags,
        provenance=provenance(wanted, shots),
        textures=textures or {},
    )
    return replace(sample, checks=check(sample))


def annotations_of(frame: Frame, labels: Labels, shots: Shots) -> tuple[Annotation, ...]:
    """The objects whose pixels are known to be true; in CARLA, with how much of each is hidden."""
    found = annotate(frame.table, frame.instances, labels)
    if not shots.about:
        return found
    from hartsim.adapters.carla.visibility import sights

    seen = sights(frame)
    return tuple(
        replace(
            each,
            occluded=round(seen[each.instance.id].occluded, 4),
            truncated=round(seen[each.instance.id].truncated, 4),
        )
        if each.instance.id in seen
        else each
        for each in found
    )


def provenance(wanted: Wanted, shots: Shots) -> dict[str, Any]:
    """What made a sample, beside its scene and its render: the file, the versions, the server."""
    scenario = shots.scene.scenario
    found: dict[str, Any] = {
        "scenario_file": Path(scenario.source).name,
        "scenario_sha256": scenario.source_hash,
        "versions": {name: version(name) for name in ("hartsim", "torch", "numpy", "mujoco")},
    }
    if wanted.moment_s:
        found["moment_s"] = wanted.moment_s
    if shots.about:
        found["simulator"] = dict(shots.about)
    return found


def describe_request(
    request: GenerateRequest, weights_hash: str, simulator: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What must be equal for a run to continue in a folder: all that decides a sample's bytes.

    `simulator` says which one it is, where that is not the embedded one.
    """
    scenarios = read_scenarios(request.scenarios, request.scene)
    drawn = samplers(scenarios, request.seed, request.count, request.config)
    description: dict[str, Any] = {
        "scenarios": {each.scenario.name: each.scenario.source_hash for each in drawn},
        "count": {each.scenario.name: len(shown_indices(each, request)) for each in drawn},
        "seed": request.seed,
        "routes": list(request.routes),
        "views": list(request.views),
        "weights": weights_hash,
        "config": described(request.config),
    }
    if request.moments_s != (0.0,):
        description["moments_s"] = list(request.moments_s)
    if request.scene:
        description["scene"] = dict(request.scene)
    if simulator:
        description["simulator"] = dict(simulator)
    return description


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

    def nothing(self, job: RenderJob, image: Image) -> Render:
        """A picture that is as it was, as the render of a job that painted nothing."""
        return Render(job, image, self.weights_hash, {}, "", 0.0)

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
