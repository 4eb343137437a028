"""What the measures share, made when it is first asked for: pictures, features, judges."""

import logging
from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from hartsim.bench.quality import drawing, judges
from hartsim.bench.quality.exam import (
    Exam,
    Record,
    attribute_targets,
    attribute_values,
    calm_prompt,
    is_scene,
    labels_with_support,
    make_exam,
    pixels_shown,
    targets_of,
)
from hartsim.bench.quality.figures import require_enough
from hartsim.bench.quality.judges import Classifier, Segmenter, Taught
from hartsim.bench.quality.plan import QualityRequest
from hartsim.errors import DatasetError
from hartsim.hart.model import Hart
from hartsim.hart.renderer import find_hart
from hartsim.hart.tokenizer import from_pixels
from hartsim.images import resize, resize_labels
from hartsim.training.corpus import HAZARD, Corpus, read_corpus
from hartsim.training.features import PhotographFeatures
from hartsim.types import UNKNOWN, Image, Labels

logger = logging.getLogger(__name__)

FEATURES_BATCH = 16
MOST_LEARNED = 20_000
"""Training pictures among which the nearest are looked for."""
MOST_FRAMES = 1200
"""True frames of each half that judges are tried on."""
LEAST_SUPPORT, LEAST_HELD_OUT = 30, 10
"""Training and held-out pictures that must show a label."""
BEST_SHARE = 0.5
"""Share of the hazards' prompts of which the best of several draws is measured: it takes longer."""


MOST_COPIES = 100
"""Training pictures by which the search for copies is tried."""
REPAINTED_SHARE, LEAST_REPAINTED, MOST_REPAINTED = 0.3, 16, 160
"""Of the count, scenes that are repainted in every way."""


class Materials:
    """Everything that is drawn or taught for one request."""

    def __init__(self, request: QualityRequest) -> None:
        self.request = request
        self.taught: dict[str, Taught] = {}
        self.repainted: dict[str, list[Image]] = {}
        self._drawn: dict[int, tuple[Image, Image]] = {}

    @cached_property
    def hart(self) -> Hart:
        """The model; CheckpointError where its weights are missing or broken."""
        folder = self.request.weights
        return find_hart("mini", None if folder is None else str(folder))

    @cached_property
    def learned(self) -> Corpus:
        """The training pictures."""
        return _with_records(read_corpus(self.request.data))

    @cached_property
    def exam(self) -> Exam:
        """The held-out pictures in two halves."""
        corpus = _with_records(read_corpus(self.request.data, held_out=True))
        return make_exam(corpus, self.request.seed)

    @cached_property
    def picks(self) -> tuple[int, ...]:
        """The held-out pictures that drawn ones are compared with."""
        return self.exam.judged[: self.request.count]

    @cached_property
    def scenes_picked(self) -> list[int]:
        """Which of the picks are scenes: every flat texture looks like some other."""
        return [n for n, record in enumerate(self.records(self.picks)) if is_scene(record)]

    @cached_property
    def hazardous(self) -> tuple[int, ...]:
        """The held-out pictures whose hazards are asked for."""
        return self.exam.with_hazards()[: self.request.count]

    @property
    def size_px(self) -> tuple[int, int]:
        """The size at which pictures are compared."""
        own = self.request.size_px
        return self.hart.config.size_px if own is None else (own, own)

    def frames(self, indices: Sequence[int]) -> list[Image]:
        """Held-out pictures as they were drawn."""
        return [self.exam.corpus.batch([i])[0] for i in indices]

    def records(self, indices: Sequence[int]) -> list[Record]:
        """What is known of held-out pictures."""
        return [self.exam.corpus.records[i] for i in indices]

    def looks(self, indices: Sequence[int]) -> list[str]:
        """How held-out pictures look."""
        return [str(record["look"]) for record in self.records(indices)]

    def prompts(self, indices: Sequence[int]) -> list[str]:
        """The first captions of held-out pictures."""
        return [self.exam.corpus.captions[i][0] for i in indices]

    def keys(self, indices: Sequence[int], kind: str = "") -> list[str]:
        """Keys of the noise for pictures of these captions."""
        return [f"quality {self.request.seed} {kind}{i}" for i in indices]

    # Pictures

    def drawn(self, indices: Sequence[int]) -> tuple[list[Image], list[Image]]:
        """A picture of each caption, and the same without its residual; drawn once."""
        todo = [i for i in indices if i not in self._drawn]
        if todo:
            made = drawing.draw(self.hart, self.prompts(todo), self.keys(todo))
            self._drawn.update(zip(todo, zip(*made, strict=True), strict=True))
        hybrid, discrete = zip(*(self._drawn[i] for i in indices), strict=True)
        return list(hybrid), list(discrete)

    @cached_property
    def calm_prompts(self) -> list[str]:
        """The captions of `hazardous` without their hazards."""
        return [calm_prompt(record) for record in self.records(self.hazardous)]

    @cached_property
    def calm(self) -> list[Image]:
        """Pictures of the calm prompts, on the noise of the others."""
        return list(drawing.draw(self.hart, self.calm_prompts, self.keys(self.hazardous))[0])

    @cached_property
    def renamed(self) -> list[Image] | None:
        """Pictures of captions that call the things of `hazardous` by other names, if there are."""
        prompts = [record.get("unseen") for record in self.records(self.hazardous)]
        if not all(prompts):
            return None
        return list(drawing.draw(self.hart, list(map(str, prompts)), self.keys(self.hazardous))[0])

    @cached_property
    def best_picks(self) -> tuple[int, ...]:
        """The hazardous captions of which several pictures are drawn."""
        return self.hazardous[: max(1, round(BEST_SHARE * len(self.hazardous)))]

    @cached_property
    def best(self) -> list[Image]:
        """Of `best_picks` the least calm of several draws."""
        picks = self.best_picks
        return self._views(picks, self.prompts(picks), self.calm_prompts[: len(picks)])

    @cached_property
    def laid_out(self) -> list[Image]:
        """As `best`, by the layouts of the frames, as the `view` route does it."""
        picks = self.best_picks
        calm = self.calm_prompts[: len(picks)]
        return self._views(picks, self.prompts(picks), calm, self.layouts(picks))

    @cached_property
    def calm_laid_out(self) -> list[Image]:
        """As `laid_out`, of calm prompts, where layouts leave open what the hazards cover."""
        picks = self.best_picks
        prompts, nothing = self.calm_prompts[: len(picks)], [""] * len(picks)
        layouts = [
            np.where(self._marks(i) == HAZARD, np.uint8(UNKNOWN), layout)
            for i, layout in zip(picks, self.layouts(picks), strict=True)
        ]
        return self._views(picks, prompts, nothing, layouts)

    def _views(
        self,
        picks: Sequence[int],
        prompts: Sequence[str],
        calm: Sequence[str],
        layouts: Sequence[Labels] | None = None,
    ) -> list[Image]:
        threads = self.request.threads
        return list(
            drawing.draw_views(self.hart, prompts, calm, layouts, self.keys(picks), threads)
        )

    def layouts(self, indices: Sequence[int]) -> list[Labels]:
        """The label maps of held-out pictures, of the model's size."""
        return [self.exam.corpus.labels_of(i, self.hart.config.size_px) for i in indices]

    def _marks(self, index: int) -> Labels:
        return resize_labels(self.exam.corpus.marks_of(index), self.hart.config.size_px)

    @cached_property
    def drawn_by_layout(self) -> list[Image]:
        """A picture of each pick's caption and layout."""
        prompts, nothing = self.prompts(self.picks), [""] * len(self.picks)
        return self._views(self.picks, prompts, nothing, self.layouts(self.picks))

    def repaint(self, of: str, keep_scales: int, follow: bool) -> list[Image]:
        """The frames `framed` repainted in one way, which `repainted` keeps under its name."""
        frames = self.frames(self.framed)
        size = frames[0].shape[:2]
        labels = [self.exam.corpus.labels_of(i, (size[0], size[1])) for i in self.framed]
        made = drawing.repaint(
            self.hart,
            frames,
            labels,
            self.prompts(self.framed),
            keep_scales,
            follow,
            self.request.threads,
        )
        self.repainted[of] = list(made)
        return self.repainted[of]

    @cached_property
    def framed(self) -> tuple[int, ...]:
        """The held-out scenes that are repainted in every way."""
        count = max(LEAST_REPAINTED, round(REPAINTED_SHARE * self.request.count))
        return self.exam.framed()[: min(MOST_REPAINTED, count)]

    @cached_property
    def reconstructed(self) -> tuple[list[Image], list[Image]]:
        """The picks behind the tokenizer, with residual and without."""
        hybrid, discrete = drawing.reconstruct(self.hart, self.frames(self.picks))
        return list(hybrid), list(discrete)

    @cached_property
    def copies(self) -> list[Image]:
        """Training pictures as the model would show them that knew their latents by heart."""
        rng = np.random.default_rng([17, self.request.seed])
        scenes = [i for i in self.learned_places if is_scene(self.learned.records[i])]
        places = rng.permutation(scenes)[:MOST_COPIES]
        pictures = [self.learned.batch([int(i)])[0] for i in places]
        return list(drawing.reconstruct(self.hart, pictures)[0])

    # Features

    @cached_property
    def net(self) -> PhotographFeatures:
        """The feature network; HartSimError says how to bring it."""
        return PhotographFeatures()

    @torch.inference_mode()
    def features(self, images: Iterable[Image]) -> NDArray[np.float32]:
        """Features (N, D) of pictures at the size at which all are compared."""
        sized = [resize(image, self.size_px) for image in images]
        parts = [
            self.net.pooled(from_pixels(torch.from_numpy(np.stack(sized[i : i + FEATURES_BATCH]))))
            for i in range(0, len(sized), FEATURES_BATCH)
        ]
        return torch.cat(parts).float().numpy()

    @cached_property
    def real_features(self) -> NDArray[np.float32]:
        """Of the picks."""
        return self.features(self.frames(self.picks))

    @cached_property
    def drawn_features(self) -> NDArray[np.float32]:
        """Of a picture of each pick's caption."""
        return self.features(self.drawn(self.picks)[0])

    @cached_property
    def learned_places(self) -> NDArray[np.intp]:
        """The training pictures that are looked at, spread over all."""
        count = min(len(self.learned), MOST_LEARNED)
        return np.linspace(0, len(self.learned) - 1, count).astype(np.intp)

    @cached_property
    def learned_features(self) -> NDArray[np.float32]:
        """Of the training pictures; kept in the folder of the judges."""
        file, key = self.request.out / "features.npz", self._features_key
        if file.is_file():
            try:
                with np.load(file) as kept:
                    if str(kept["key"]) == key:
                        return np.asarray(kept["features"], np.float32)
            except (OSError, ValueError, KeyError) as error:
                logger.warning("%s: cannot be read (%s); made anew", file, error)
        logger.info("features of %d training pictures", len(self.learned_places))
        pictures = (self.learned.batch([int(i)])[0] for i in self.learned_places)
        parts = [self.features(part) for part in _chunks(pictures, 256)]
        features = np.concatenate(parts)
        self.request.out.mkdir(parents=True, exist_ok=True)
        np.savez(file, features=features, key=np.array(key))
        return features

    @property
    def _features_key(self) -> str:
        return f"{judges.corpus_key(self.request.data)} {self.size_px} {MOST_LEARNED}"

    # Judges

    @cached_property
    def learned_pixels(self) -> list[dict[str, int]]:
        """What training pictures show, in pixels."""
        return self._pixels(self.learned, range(len(self.learned)))

    def held_out_pixels(self, indices: Sequence[int]) -> list[dict[str, int]]:
        """What held-out pictures show, in pixels."""
        return self._pixels(self.exam.corpus, indices)

    def _pixels(self, corpus: Corpus, indices: Iterable[int]) -> list[dict[str, int]]:
        size = corpus.parts[0].labels.shape[1:]
        return [
            pixels_shown(corpus.records[i], corpus.labels_of(i, (size[0], size[1])))
            for i in indices
        ]

    @cached_property
    def labels(self) -> list[str]:
        """The classes and kinds that enough training and held-out pictures show."""
        learned = labels_with_support(self.learned_pixels, LEAST_SUPPORT)
        held = set(labels_with_support(self.held_out_pixels(self.calibration), LEAST_HELD_OUT))
        found = [label for label in learned if label in held]
        require_enough(len(found), 1, "classes or kinds that enough pictures show")
        return found

    @cached_property
    def attribute_names(self) -> dict[str, list[str]]:
        """The values of weather, hour and place that can be judged."""
        return attribute_values(self.learned.records, LEAST_SUPPORT)

    @cached_property
    def calibration(self) -> tuple[int, ...]:
        """The true frames that thresholds are set on."""
        return self.exam.calibration[:MOST_FRAMES]

    @cached_property
    def judged(self) -> tuple[int, ...]:
        """The true frames that show what judges can see; drawn ones have their captions."""
        return self.exam.judged[: max(MOST_FRAMES, self.request.count)]

    @cached_property
    def classifier(self) -> Classifier:
        """Taught on the training pictures, or as it was kept."""
        settings, corpus, names = self.request.judges, self.learned, self.attribute_names
        key = judges.judge_key(judges.corpus_key(self.request.data), settings, self.labels, names)

        def teach() -> tuple[Classifier, int, float]:
            values = {n: attribute_targets(corpus.records, v, n) for n, v in names.items()}
            targets = targets_of(self.learned_pixels, self.labels)
            return judges.train_classifier(corpus, targets, self.labels, values, names, settings)

        model, self.taught["classifier"] = judges.kept(
            self.request.out / "classifier.pt",
            key,
            lambda: Classifier(self.labels, names),
            teach,
            len(corpus),
        )
        return model

    @cached_property
    def segmenter(self) -> Segmenter:
        """Taught on the training pictures, or as it was kept."""
        settings, corpus = self.request.judges, self.learned
        key = judges.judge_key(judges.corpus_key(self.request.data), settings)
        model, self.taught["segmenter"] = judges.kept(
            self.request.out / "segmenter.pt",
            key,
            Segmenter,
            lambda: judges.train_segmenter(corpus, settings),
            len(corpus),
        )
        return model

    @cached_property
    def scored_frames(self) -> tuple[tuple[NDArray[np.float32], dict[str, NDArray[np.int64]]], ...]:
        """What the classifier makes of both halves of the true frames."""
        return tuple(self.classified(self.frames(half)) for half in (self.calibration, self.judged))

    def classified(
        self, images: Sequence[Image]
    ) -> tuple[NDArray[np.float32], dict[str, NDArray[np.int64]]]:
        """What the classifier makes of pictures."""
        return judges.classify(self.classifier, images, self.request.judges.size_px)


def _with_records(corpus: Corpus) -> Corpus:
    if not all("look" in record and "content" in record for record in corpus.records):
        raise DatasetError("the corpus has records without look and content; make it again")
    return corpus


def _chunks(images: Iterable[Image], size: int) -> Iterable[list[Image]]:
    part: list[Image] = []
    for image in images:
        part.append(image)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part
