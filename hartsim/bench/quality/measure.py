"""`hartsim bench quality`: one measure after the other, and the report of them all."""

import dataclasses
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hartsim import __version__
from hartsim.bench.quality import drawing
from hartsim.bench.quality.agreement import LEAST as LEAST_FRAMES
from hartsim.bench.quality.agreement import TRUE, agreement
from hartsim.bench.quality.attributes import attributes
from hartsim.bench.quality.distances import distances, reconstruction
from hartsim.bench.quality.diversity import LEAST as LEAST_PROMPTS
from hartsim.bench.quality.diversity import diversity, memorised, nearest
from hartsim.bench.quality.exam import class_index, targets_of
from hartsim.bench.quality.figures import Findings, LeftOut, Row, require_enough
from hartsim.bench.quality.hazards import (
    BY_LAYOUT,
    CALM,
    CALM_BY_LAYOUT,
    UNSEEN,
    Judged,
    hazards_present,
)
from hartsim.bench.quality.judges import Taught, segment, segmenter_scores
from hartsim.bench.quality.materials import Materials
from hartsim.bench.quality.plan import MEASURES
from hartsim.bench.quality.seams import seams
from hartsim.images import resize

logger = logging.getLogger(__name__)

REPEATED_PROMPTS, DRAWS = 24, 4
TEXTURES = 48


@dataclasses.dataclass(frozen=True)
class Report:
    """One run of `hartsim bench quality`."""

    date: str
    hartsim: str
    torch: str
    model: str
    weights: str
    """Hash of the weights."""
    shipped: bool
    size_px: int
    compared_px: int
    count: int
    seed: int
    learned: int
    """Training pictures of the corpus."""
    held_out: Mapping[str, int]
    """By look."""
    judges: tuple[Taught, ...]
    findings: tuple[Findings, ...]


def measure(materials: Materials) -> Iterator[Findings]:
    """What each measure finds, in the order of `MEASURES`; one that cannot be had says why."""
    torch.set_num_threads(materials.request.threads)
    _ = materials.exam, materials.learned, materials.hart  # what can fail fails here
    for name in MEASURES:
        if name not in materials.request.only:
            continue
        began = time.monotonic()
        try:
            found = BY_NAME[name](materials)
        except LeftOut as reason:
            found = Findings(name, left_out=(str(reason),))
        seconds = round(time.monotonic() - began, 1)
        logger.info("%s: %d figures in %.0f s", name, len(found.rows), seconds)
        yield dataclasses.replace(found, seconds=seconds)


def report(materials: Materials, findings: Sequence[Findings]) -> Report:
    """All that is to be kept of a run."""
    corpus, hart = materials.exam.corpus, materials.hart
    looks = [str(record["look"]) for record in corpus.records]
    request = materials.request
    return Report(
        date=datetime.now(UTC).date().isoformat(),
        hartsim=__version__,
        torch=torch.__version__,
        model=hart.config.name,
        weights=hart.weights_hash,
        shipped=request.weights is None,
        size_px=hart.config.size_px[0],
        compared_px=materials.size_px[0],
        count=request.count,
        seed=request.seed,
        learned=len(materials.learned),
        held_out={look: looks.count(look) for look in sorted(set(looks))},
        judges=tuple(materials.taught[name] for name in sorted(materials.taught)),
        findings=tuple(findings),
    )


def write_report(found: Report, file: Path) -> None:
    """As JSON."""
    text = json.dumps(dataclasses.asdict(found), indent=1, allow_nan=False)
    file.write_text(text + "\n", encoding="utf-8")


def read_report(file: Path) -> Report:
    """The report in a file; ValueError where it is none."""
    plain: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    try:
        findings = tuple(_findings(each) for each in plain.pop("findings"))
        taught = tuple(Taught(**each) for each in plain.pop("judges"))
        return Report(**plain, judges=taught, findings=findings)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{file}: no report of hartsim bench quality ({error})") from error


def _findings(plain: Mapping[str, Any]) -> Findings:
    rows = tuple(Row(**row) for row in plain["rows"])
    return Findings(plain["name"], rows, tuple(plain["left_out"]), plain["seconds"])


def measure_distances(m: Materials) -> Findings:
    """Of reconstructed and drawn pictures to true ones, and of true ones to each other."""
    looks, real = m.looks(m.picks), m.real_features
    hybrid, discrete = m.reconstructed
    bare = m.drawn(m.picks)[1]
    others = m.exam.calibration[: len(m.picks)]
    learned = np.random.default_rng([16, m.request.seed]).permutation(len(m.learned_features))
    made = {
        "reconstructed, hybrid": m.features(hybrid),
        "reconstructed, discrete": m.features(discrete),
        "generated, hybrid": m.drawn_features,
        "generated, discrete": m.features(bare),
    }
    if m.hart.config.transformer.label_classes:
        made[BY_LAYOUT] = m.features(m.drawn_by_layout)
    found = distances(
        real,
        made,
        {
            "other held-out (floor)": m.features(m.frames(others)),
            "training pictures": m.learned_features[learned[: len(m.picks)]],
        },
        looks,
        m.request.seed,
    )
    own = np.stack([resize(image, m.hart.config.size_px) for image in m.frames(m.picks)])
    sets = {"reconstructed, hybrid": hybrid, "reconstructed, discrete": discrete}
    pixels = reconstruction(own, {of: np.stack(made) for of, made in sets.items()}, looks)
    return dataclasses.replace(found, rows=(*found.rows, *pixels))


def measure_hazards(m: Materials) -> Findings:
    """Whether hazards asked for are seen, by the classifier, and their classes by the segmenter."""
    require_enough(len(m.hazardous), 20, "held-out pictures with a hazard to ask for")
    seen = [targets_of(m.held_out_pixels(half), m.labels) for half in (m.calibration, m.judged)]
    sets = {"generated": (m.hazardous, m.drawn(m.hazardous)[0])}
    choices = m.hart.config.choices
    best_of = f", best of {choices}" if choices > 1 else ""
    if best_of:
        sets[f"generated{best_of}"] = (m.best_picks, m.best)
    if m.renamed:
        sets[UNSEEN] = (m.hazardous, m.renamed)
    sets[CALM] = (m.hazardous, m.calm)
    if m.hart.config.transformer.label_classes:
        sets[f"{BY_LAYOUT}{best_of}"] = (m.best_picks, m.laid_out)
        sets[CALM_BY_LAYOUT] = (m.best_picks, m.calm_laid_out)

    scored = m.scored_frames
    by_set = {TRUE: Judged(scored[1][0], m.records(m.judged))}
    for of, (picks, images) in sets.items():
        by_set[of] = Judged(m.classified(images)[0], m.records(picks))
    halves = [(scores[0], targets) for scores, targets in zip(scored, seen, strict=True)]
    found = [hazards_present("classifier", m.labels, halves[0], halves[1], by_set)]
    left_out: list[str] = []
    try:
        found.append(_by_segmenter(m, seen, sets))
    except LeftOut as reason:
        left_out.append(f"segmenter: {reason}")
    rows = tuple(row for each in found for row in each.rows)
    return Findings("hazards", rows, (*(t for each in found for t in each.left_out), *left_out))


def _by_segmenter(m: Materials, seen: Sequence[Any], sets: Mapping[str, Any]) -> Findings:
    """The second opinion, on classes only."""
    places = class_index(m.labels)
    require_enough(len(places), 1, "classes that enough pictures show")
    labels, ids, size_px = (
        [m.labels[i] for i in places],
        [*places.values()],
        m.request.judges.size_px,
    )

    def scores(images: Sequence[Any]) -> Any:
        return segmenter_scores(m.segmenter, images, ids, size_px)

    halves = [
        (scores(m.frames(half)), targets[:, list(places)])
        for half, targets in zip((m.calibration, m.judged), seen, strict=True)
    ]
    by_set = {TRUE: Judged(halves[1][0], m.records(m.judged))}
    by_set |= {of: Judged(scores(made), m.records(picks)) for of, (picks, made) in sets.items()}
    return hazards_present("segmenter", labels, halves[0], halves[1], by_set)


def measure_attributes(m: Materials) -> Findings:
    """Whether weather, hour and place are as asked."""
    drawn = m.classified(m.drawn(m.picks)[0])[1]
    sets = {
        TRUE: (m.scored_frames[1][1], m.records(m.judged)),
        "generated": (drawn, m.records(m.picks)),
    }
    return attributes(m.attribute_names, sets)


def measure_agreement(m: Materials) -> Findings:
    """Whether repaints show what their labels say."""
    require_enough(len(m.framed), LEAST_FRAMES, "held-out frames with labels")
    side = m.request.judges.size_px
    shown = [m.exam.corpus.labels_of(i, (side, side)) for i in m.framed]
    seen = {TRUE: list(segment(m.segmenter, m.frames(m.framed), side))}
    for of, (keep, follow) in ways_to_repaint(m).items():
        seen[of] = list(segment(m.segmenter, m.repaint(of, keep, follow), side))
        logger.info("repainted: %s", of)
    found = agreement(shown, seen)
    if m.hart.config.transformer.label_classes:
        return found
    return dataclasses.replace(
        found, left_out=(*found.left_out, "with labels: this model takes none (label_classes is 0)")
    )


def ways_to_repaint(m: Materials) -> dict[str, tuple[int, bool]]:
    """By name, how many scales are kept from the frame and whether labels are given.

    What is kept is what the `repaint` route keeps where nothing else is asked for.
    """
    kept = max(len(m.hart.config.transformer.patch_nums) - 2, 1)
    ways = {"prompt alone": (0, False), f"{kept} scales kept": (kept, False)}
    if m.hart.config.transformer.label_classes:
        ways |= {"labels": (0, True), f"labels, {kept} scales kept": (kept, True)}
    return ways


def measure_diversity(m: Materials) -> Findings:
    """Whether pictures differ from each other and from what the model learned from."""
    rows: list[Row] = []
    left_out: list[str] = []
    try:
        rows += _pairwise(m)
    except LeftOut as reason:
        left_out.append(f"pairwise distances: {reason}")
    near, held_out = (
        nearest(features[m.scenes_picked], m.learned_features)
        for features in (m.drawn_features, m.real_features)
    )
    found = memorised(near, held_out, nearest(m.features(m.copies), m.learned_features))
    return Findings("diversity", (*rows, *found.rows), (*left_out, *found.left_out))


def _pairwise(m: Materials) -> list[Row]:
    framed = m.exam.framed()
    require_enough(len(framed), LEAST_PROMPTS, "held-out scenes")
    picks = framed[:: max(1, len(framed) // REPEATED_PROMPTS)][:REPEATED_PROMPTS]
    keys = [m.keys(picks, f"again {number} ") for number in range(DRAWS)]
    made = [drawing.draw(m.hart, m.prompts(picks), each)[0] for each in keys]
    features = [m.features(list(each)) for each in made]
    repeated = [np.stack(each) for each in zip(*features, strict=True)]
    return diversity(repeated, m.features(m.frames(picks)))


def measure_seams(m: Materials) -> Findings:
    """Whether textures show where they begin again."""
    corpus = m.exam.corpus
    picks = [i for i, record in enumerate(corpus.records) if record["content"] == "texture"]
    picks = picks[: min(TEXTURES, m.request.count)]
    require_enough(len(picks), 8, "held-out textures")
    made = drawing.draw_textures(m.hart, m.prompts(picks), m.request.seed, m.request.threads)
    true = [resize(image, m.hart.config.size_px) for image in m.frames(picks)]
    return seams({"generated": list(made), "true textures": true})


BY_NAME: Mapping[str, Callable[[Materials], Findings]] = {
    "distances": measure_distances,
    "hazards": measure_hazards,
    "attributes": measure_attributes,
    "agreement": measure_agreement,
    "diversity": measure_diversity,
    "seams": measure_seams,
}
