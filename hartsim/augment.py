"""New looks for the pictures of a COCO set, whose objects and their labels stay as they are.

    COCO set → masks of what stays → prompts of a scenario → renders → checks → COCO set

Here a foreign dataset meets scenarios and the model, without a world.
"""

import hashlib
import itertools
import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from hartsim.config import GROUPS, RunConfig
from hartsim.dataset.augmented import Augmented, Variant, add, claimed, finish, is_there
from hartsim.dataset.checks import DEFAULT_LIMITS, contrast, exposure, painted, sharpness, untouched
from hartsim.dataset.coco import CocoPicture, CocoSet, mask_of, read_coco
from hartsim.dataset.export import run_lengths
from hartsim.errors import ConfigError, DatasetError, HartSimError, ScenarioError
from hartsim.images import grow, read_as_annotated
from hartsim.painter import Painter
from hartsim.pipeline import BACKDROP_KEEPS
from hartsim.scenario.compiled import CompiledScene
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.library import group_of, library_folders, library_scenarios
from hartsim.scenario.load import load_scenario
from hartsim.scenario.schema import Scenario
from hartsim.scenario.words import suggestion
from hartsim.types import UNKNOWN, Canvas, Check, Image, Mask, RenderJob, Route

logger = logging.getLogger(__name__)

EDITS: tuple[Route, ...] = ("repaint", "backdrop")
"""The routes that start from a picture."""

MARGIN_PX = 3
"""What is kept round every object unless the request says otherwise."""

FEATHER_PX = 3
"""Over how many pixels a new look fades in unless the settings say; wider, halos show."""

LOOK_TAGS = ("place", "weather", "ground", "time_of_day")
"""The tags of a scene that a new look is asked to have; the others tell of objects."""

CHANGED = "its category was given up with --change"
PLACELESS = "it has neither a segmentation nor a box"
OUTSIDE = "no pixel of it lies in the picture"

UNPAINTED = "nothing in it may change"
"""What a picture failed that is covered by objects, and so stays as it was."""


@dataclass(frozen=True)
class AugmentRequest:
    """What `hartsim augment` was asked for: `count` new looks of every picture in `folder`.

    `change` names the categories whose pixels may change although they are annotated. With
    `objects`, prompts name what the scenario has in it, and not only place, weather and light; what
    is painted of it has no annotation. `annotations` is the file to read where `folder` has
    several, or none of the usual name.
    """

    folder: Path
    route: Route
    scenario: str
    out: Path
    count: int = 1
    seed: int = 0
    change: tuple[str, ...] = ()
    objects: bool = False
    margin_px: int = MARGIN_PX
    annotations: Path | None = None
    config: RunConfig = field(default_factory=RunConfig)


@dataclass(frozen=True)
class Plan:
    """A request with all that it names looked up: the pictures to make, in order.

    `changed` holds the ids of the categories that are given up. The request has its own feather.
    """

    request: AugmentRequest
    source: CocoSet
    scenario: Scenario
    changed: frozenset[int]
    variants: tuple[Variant, ...]

    @cached_property
    def missing(self) -> list[Variant]:
        """The variants that are not there, or not whole, when first asked."""
        return [each for each in self.variants if not is_there(self.request.out, each.name)]


def augment(request: AugmentRequest) -> Iterator[Augmented]:
    """Make the pictures that are not there yet, and yield each once it is safely written.

    Same request, same bytes: whatever the batch, or how often it was interrupted.
    """
    return carry_out(plan(request))


def plan(request: AugmentRequest) -> Plan:
    """The request, found sound; ConfigError, ScenarioError or DatasetError where it is not."""
    if request.route not in EDITS:
        raise ConfigError(f"--route is '{request.route}', must be {' or '.join(EDITS)}")
    for group in GROUPS.keys() - {"hart", "render"}:
        if getattr(request.config, group) != GROUPS[group]():
            raise ConfigError(f"augment heeds no setting of '{group}', only of hart and render")
    render = request.config.render
    if request.route == "backdrop" and render.keep_scales is not None:
        raise ConfigError(
            f"render.keep_scales is {render.keep_scales}, but --route backdrop keeps the mean "
            "colour alone; leave it out, or take --route repaint"
        )
    scenario = one_scenario(request.scenario)
    source = read_coco(request.folder, request.annotations)
    changed = categories_called(request.change, source)
    if render.feather_px is None:
        render = replace(render, feather_px=FEATHER_PX)
        request = replace(request, config=replace(request.config, render=render))
    else:
        refuse_wide_feather(render.feather_px, source.pictures)
    return Plan(request, source, scenario, changed, tuple(variants_of(source, request.count)))


def one_scenario(name: str) -> Scenario:
    """The scenario of a name or file; ScenarioError where it is none, or a group of them."""
    shipped = library_scenarios()
    if name in library_folders() and name not in shipped and not Path(name).is_file():
        first = next(each for each, path in shipped.items() if name in group_of(path).split("/"))
        raise ScenarioError(
            f"'{name}' is a group of scenarios; augment takes one, such as {first}; "
            "`hartsim scenarios list` shows them all"
        )
    return load_scenario(name)


def refuse_wide_feather(feather_px: int, pictures: Sequence[CocoPicture]) -> None:
    """ConfigError for a feather that lets no pixel of the smallest picture be new in full."""
    smallest = min(pictures, key=lambda each: min(each.size_px))
    height, width = smallest.size_px
    if feather_px > min(height, width) / 2:
        raise ConfigError(
            f"render.feather_px is {feather_px}, more than half the shorter side of the smallest "
            f"picture, {smallest.path} of {width}x{height} pixels"
        )


def carry_out(planned: Plan) -> Iterator[Augmented]:
    """Make what is missing of a plan, and yield each picture once it is safely written."""
    request = planned.request
    painter = Painter(request.config)
    with claimed(request.out, describe_request(planned, painter.weights_hash)):
        missing = iter(planned.missing)
        while group := list(itertools.islice(missing, request.config.render.batch)):
            for made in paint_group(group, planned, painter):
                add(request.out, made)
                yield made
        finish(request.out, planned.source, planned.variants)


def variants_of(source: CocoSet, count: int) -> Iterator[Variant]:
    """So many variants of each picture, each with another draw."""
    pictures = enumerate(zip(source.pictures, names_of(source.pictures), strict=True))
    for place, (picture, name) in pictures:
        for number in range(count):
            own = f"{name}-{number}" if count > 1 else name
            yield Variant(picture, number, place * count + number, own)


def names_of(pictures: Sequence[CocoPicture]) -> list[str]:
    """A name for each picture: its file's own where all differ, else with its number before."""
    stems = [PurePosixPath(each.entry["file_name"]).stem for each in pictures]
    names = [re.sub(r"^\.|[^\w.-]", "_", stem) for stem in stems]
    if len({name.casefold() for name in names}) == len(names):
        return names
    digits = len(str(len(names)))
    return [f"{number:0{digits}}-{name}" for number, name in enumerate(names)]


def categories_called(names: Sequence[str], source: CocoSet) -> frozenset[int]:
    """The ids of the categories of these names; ConfigError for a name that none has."""
    known = set(source.categories.values())
    for name in names:
        if not name:
            raise ConfigError(f"--change is '{','.join(names)}', which has an empty name in it")
        if name not in known:
            raise ConfigError(f"{source.source}: no category '{name}'; {suggestion(name, known)}")
    return frozenset(number for number, name in source.categories.items() if name in names)


def describe_request(planned: Plan, weights_hash: str) -> dict[str, Any]:
    """What must be equal for a run to continue in a folder: all that decides a byte of it."""
    request, scenario = planned.request, planned.scenario
    config = asdict(request.config)
    del config["render"]["batch"], config["hart"]["weights"]
    return {
        "annotations": planned.source.sha256,
        "route": request.route,
        "scenario": {scenario.name: scenario.source_hash},
        "count": request.count,
        "seed": request.seed,
        "change": sorted(request.change),
        "objects": request.objects,
        "margin_px": request.margin_px,
        "weights": weights_hash,
        "config": {group: config[group] for group in ("hart", "render")},
    }


# What stays


@dataclass(frozen=True)
class Opened:
    """A variant about to be painted: its scene, its canvas, and what it loses by annotation id."""

    variant: Variant
    scene: CompiledScene
    canvas: Canvas
    dropped: Mapping[int, str]


def open_variant(variant: Variant, planned: Plan, painter: Painter) -> Opened:
    """A picture with what may change of it, under a draw of the scenario."""
    request, picture = planned.request, variant.picture
    try:
        image = read_as_annotated(picture.path, picture.size_px)
    except HartSimError as error:
        place = f"{planned.source.source}: image {picture.entry['id']}"
        raise DatasetError(f"{place}: {error}") from error
    kept, dropped = what_stays(picture, planned.changed)
    editable = ~grow(kept, request.margin_px)
    labels = np.full(editable.shape, UNKNOWN, np.uint8)
    keep_scales = painter.keep_scales if request.route == "repaint" else BACKDROP_KEEPS
    scene = compile_draw(planned.scenario, request.seed, variant.index, painter.look)
    return Opened(variant, scene, Canvas(image, editable, labels, keep_scales), dropped)


def what_stays(picture: CocoPicture, changed: frozenset[int]) -> tuple[Mask, dict[int, str]]:
    """The pixels of all objects that stay true, and why the others do not, by annotation id.

    Where objects overlap, what stays wins: no pixel of it is ever given up.
    """
    kept: Mask = np.zeros(picture.size_px, np.bool_)
    dropped = {}
    for each in picture.annotations:
        mask = mask_of(each, picture.size_px)
        if each.get("category_id") in changed:
            dropped[each["id"]] = CHANGED
        elif mask is None:
            dropped[each["id"]] = PLACELESS
        elif not mask.any():
            dropped[each["id"]] = OUTSIDE
        else:
            kept |= mask
    return kept, dropped


# New looks


def paint_group(group: Sequence[Variant], planned: Plan, painter: Painter) -> Iterator[Augmented]:
    """The pictures of a group; one that fails its checks is redrawn."""
    todo = []
    for each in (open_variant(variant, planned, painter) for variant in group):
        if each.canvas.editable.any():
            todo.append(each)
        else:
            yield unpainted(each, planned.request)
    for attempt in range(painter.attempts):
        work = [(job_of(each, planned.request, attempt, painter), each.canvas) for each in todo]
        again = []
        for each, (job, canvas), render in zip(todo, work, painter(work), strict=True):
            failed = failures(canvas, render.image)
            if failed and attempt + 1 < painter.attempts:
                again.append(each)
            else:
                said = what_is_said(each, job.route, job.prompt, failed)
                yield Augmented(each.variant, render.image, said, each.dropped)
        todo = again


def unpainted(opened: Opened, request: AugmentRequest) -> Augmented:
    """A picture in which nothing may change, as it was; logged once for all its variants."""
    variant, entry = opened.variant, opened.variant.picture.entry
    if variant.number == 0:
        logger.warning("%s: %s, so it stays as it is", variant.picture.path, UNPAINTED)
    said = what_is_said(opened, request.route, entry.get("prompt", ""), [UNPAINTED], ())
    return Augmented(variant, opened.canvas.image, said, opened.dropped)


def job_of(opened: Opened, request: AugmentRequest, attempt: int, painter: Painter) -> RenderJob:
    """What to paint; scenario, seed, route, file and variant alone seed its noise."""
    scene, variant, route = opened.scene, opened.variant, request.route
    prompts = scene.view_prompts if request.objects else scene.backdrop_prompts
    camera = scene.setup.cameras[0].name
    file_name = variant.picture.entry["file_name"]
    identity = [scene.scenario.name, scene.seed, route, file_name, variant.number, attempt]
    noise_key = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]
    job = painter.job(scene, route, camera, prompts[camera], attempt)
    return replace(job, size_px=variant.picture.size_px, noise_key=noise_key)


def failures(canvas: Canvas, image: Image) -> list[str]:
    """What is wrong with a picture and was not so before, one sentence each."""
    source, editable = canvas.image, canvas.editable
    assert untouched(source, image, editable).passed, "a renderer paints inside the mask alone"
    looks = zip(looks_of(source), looks_of(image), strict=True)
    verdicts = [after for before, after in looks if before.passed]
    verdicts.insert(0, painted(source, image, editable, DEFAULT_LIMITS.painted))
    return [
        f"{each.name}: {each.reason}; the limit is {each.limit:g}"
        for each in verdicts
        if not each.passed
    ]


def looks_of(image: Image) -> tuple[Check, ...]:
    """Verdicts on a whole picture."""
    limits = DEFAULT_LIMITS
    return (
        exposure(image, limits.exposure),
        contrast(image, limits.contrast),
        sharpness(image, limits.sharpness),
    )


def what_is_said(
    opened: Opened,
    route: Route,
    prompt: str,
    failed: Sequence[str],
    asked: Sequence[str] = LOOK_TAGS,
) -> dict[str, Any]:
    """What the set says of a picture beside what it said before.

    Its tags are the source's own, but for those `asked`, which are what was asked for.
    """
    picture, scene = opened.variant.picture, opened.scene
    before, unknown = picture.entry.get("tags"), opened.canvas.editable
    if picture.unknown is not None:
        unknown = unknown | picture.unknown
    return {
        "source": picture.entry["file_name"],
        "scenario": scene.scenario.name,
        "index": scene.index,
        "route": route,
        "prompt": prompt,
        "tags": {
            **(before if isinstance(before, Mapping) else {}),
            **{group: scene.tags[group] for group in asked},
        },
        "failed": list(failed),
        "unknown": run_lengths(unknown),
    }
