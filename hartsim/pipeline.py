"""The main path, from scenario files to a labelled dataset: read it top to bottom.

    scenarios → draw → compile → paint textures → world → frames → renders → checks → samples

Here, and only here, scenarios, worlds, the model and the dataset meet.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from hartsim.config import RunConfig
from hartsim.dataset.annotate import annotate
from hartsim.dataset.checks import OF_THE_FRAME, check, check_texture
from hartsim.dataset.layout import is_sample
from hartsim.dataset.writer import DatasetWriter
from hartsim.errors import ConfigError, WorldError, WorldLostError
from hartsim.painter import Painter
from hartsim.request import GenerateRequest, Shot, Wanted, describe_request, plan
from hartsim.scenario.compiled import CompiledScene
from hartsim.scenario.compiler import compile_draw, compile_scenario, to_plain
from hartsim.scenario.language import parse_sentence
from hartsim.simulators import Worlds, recorded, stage
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
    Layout,
    Mask,
    Render,
    RenderJob,
    Route,
    Sample,
    Task,
    Underlay,
)
from hartsim.worlds import World
from hartsim.worlds.cruise import keep_lane

BACKDROP_KEEPS = 1
"""Coarse scales that a backdrop takes from the frame: its mean colour, and so its time of day."""


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
        framed = [each for each in missing if painter.rests_on_frame(each.route)]
        with told_of_layouts(each.route for each in framed):
            worlds.start({wanted.scenario.task for wanted in framed})
        simulator = worlds.simulator(request.out)
        description = describe_request(request, painter.weights_hash, simulator)
        with DatasetWriter(request.out, description) as writer:
            for group in scene_groups(missing, request.config.render.batch):
                for sample in painted_at_last(group, worlds, painter, left_out):
                    writer.add(sample)
                    yield sample
            writer.finish()


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


# A few scenes, by all routes


def painted_at_last(
    group: Sequence[Wanted], worlds: Worlds, painter: Painter, left_out: dict[str, str]
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
    group: Sequence[Wanted], worlds: Worlds, painter: Painter, left_out: dict[str, str]
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
        same_scene = [each for each in group if each.key == key]
        wanted = {each.shot for each in same_scene if painter.rests_on_frame(each.route)}
        shots[key] = photograph(scene, sorted(wanted), worlds, textures.get(key, {}), left_out)
    ready = [
        each for each in group if each.key not in left_out or not painter.rests_on_frame(each.route)
    ]
    for each in ready:
        if each.route == "texture":
            yield texture_sample(each, shots[each.key], painter)
    yield from paint_pictures([each for each in ready if each.route != "texture"], shots, painter)


def surfaces_shown(scene: CompiledScene, worlds: Worlds, left_out: dict[str, str]) -> list[str]:
    """The surfaces that some camera sees."""
    world = stage(scene, worlds, left_out)
    return [] if world is None else sorted(world.showing(scene.texture_prompts))


def paint_textures(
    scenes: Mapping[str, CompiledScene], shown: Mapping[str, Sequence[str]], painter: Painter
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


def texture_sample(wanted: Wanted, shots: Shots, painter: Painter) -> Sample:
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
    wanted: Sequence[Wanted], shots: Mapping[str, Shots], painter: Painter
) -> Iterator[Sample]:
    """Samples by `view`, `backdrop` and `repaint`; one that fails its checks is redrawn."""
    todo, reasons = list(wanted), {each.id: list[str]() for each in wanted}
    for attempt in range(painter.attempts):
        work = [picture_work(each, shots[each.key], attempt, painter) for each in todo]
        again = []
        for each, (_, underlay), render in zip(todo, work, painter(work), strict=True):
            sample = picture_sample(each, shots[each.key], render, underlay)
            if attempt + 1 == painter.attempts or not _mendable(sample.checks):
                known = {**sample.provenance, "rejected": reasons[each.id]}
                yield replace(sample, provenance=known)
            else:
                reasons[each.id].append(_failed(sample.checks))
                again.append(each)
        todo = again


def picture_work(
    wanted: Wanted, shots: Shots, attempt: int, painter: Painter
) -> tuple[RenderJob, Underlay]:
    """What to paint, and onto what; of a view the simulator may say what should be where."""
    scene, route, view = shots.scene, wanted.route, wanted.view
    prompts = scene.backdrop_prompts if route == "backdrop" else scene.view_prompts
    job = painter.job(scene, route, view, prompts[view], attempt)
    if route == "view":
        return job, Layout(shots.plain[wanted.shot].labels) if painter.layout else None
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


def picture_sample(wanted: Wanted, shots: Shots, render: Render, underlay: Underlay) -> Sample:
    """A picture with the labels that are known to hold: none where it was painted.

    A layout is what a view should show; nobody knows whether it does.
    """
    if underlay is None:  # whatever else the simulator shows of the scene has no part in it
        return make_sample(wanted, replace(shots, about={}), render, None)
    if isinstance(underlay, Layout):
        sample = make_sample(wanted, shots, render, None)
        return replace(sample, provenance={**sample.provenance, "layout": True})
    frame = shots.plain[wanted.shot]
    labels = np.where(underlay.editable, np.uint8(UNKNOWN), frame.labels)
    return make_sample(wanted, shots, render, (frame, labels, underlay.editable))


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


def _mendable(checks: Sequence[Check]) -> bool:
    """Whether a check has failed that another draw might pass."""
    return any(not each.passed and each.name not in OF_THE_FRAME for each in checks)


def _failed(checks: Sequence[Check]) -> str:
    return "; ".join(check.reason for check in checks if not check.passed)


# A sentence


def render_sentence(
    text: str, config: RunConfig, seed: int = 0
) -> tuple[Image, CompiledScene, list[str]]:
    """A picture of a sentence, the scene it was understood as, and the words that were not."""
    scenario, not_understood = parse_sentence(text)
    scene = compile_draw(scenario, seed, 0, config.render.look)
    painter = Painter(config)
    view = scene.setup.cameras[0].name
    layout = layout_of(scene, view, painter, config) if painter.layout else None
    job = painter.job(scene, "view", view, scene.view_prompts[view], 0)
    render = next(painter([(job, layout)]))
    return render.image, scene, not_understood


def layout_of(scene: CompiledScene, view: str, painter: Painter, config: RunConfig) -> Layout:
    """What the embedded world shows of a scene, and where."""
    if config.world.simulator != "embedded":
        raise ConfigError(
            f"world.simulator is {config.world.simulator}, but sentences are laid out by the "
            "embedded world; leave it out, or set render.layout=false"
        )
    with told_of_layouts(["view"]), Worlds(config, painter.size_px) as worlds:
        shots = photograph(scene, [(0.0, view)], worlds, {}, {})
    return Layout(shots.plain[0.0, view].labels)


@contextmanager
def told_of_layouts(routes: Iterable[Route]) -> Iterator[None]:
    """Where only views need a world, and none starts, the error says how to do without."""
    try:
        yield
    except WorldError as error:
        if set(routes) != {"view"}:
            raise
        raise WorldError(
            f"{error}; or set render.layout=false, to paint by prompts alone"
        ) from error
