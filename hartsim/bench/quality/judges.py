"""The judges: networks that learn from true training frames, and never see a drawn picture.

The classifier says which classes and kinds of things a picture shows, and its weather, hour and
place; it begins with EfficientNet-Lite0. The segmenter names the class of every pixel; it begins
with random weights, and shares nothing with any network that the model was trained by.
"""

import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hartsim.bench.quality.exam import ABSENT, PRESENT, UNSURE, class_index
from hartsim.bench.quality.figures import LeftOut
from hartsim.bench.quality.plan import JudgeSettings
from hartsim.hart.tokenizer import from_pixels
from hartsim.images import resize
from hartsim.training.corpus import Corpus
from hartsim.training.features import PhotographFeatures
from hartsim.types import CLASSES, UNKNOWN, Image

logger = logging.getLogger(__name__)

VERSION = 1
"""Raised with any change here that makes judges learn otherwise."""
LEAST_PICTURES = 64
CELL_SHARE = 0.25
"""Share of a cell's pixels from which on it shows a class."""
TOP_CELLS = 6
WIDTH = 128
HEAD_RATE, TRUNK_RATE, SEGMENTER_RATE = 2e-3, 4e-4, 3e-3
WARM_UP_STEPS = 50
SOFT_SHARE = 0.3
"""Share of pictures that are softened in training, so that soft pictures are not strange."""

Names = Mapping[str, Sequence[str]]
Judge = TypeVar("Judge", bound=nn.Module)


@dataclass(frozen=True)
class Taught:
    """How a judge came about."""

    name: str
    parameters: int
    pictures: int
    steps: int
    minutes: float
    key: str


class Classifier(nn.Module):
    """Scores of labels, and of the values of attributes, for pictures (B, 3, H, W) in [-1, 1].

    Labels are scored in every cell, and a picture by its highest cells: things may be small.
    """

    def __init__(self, labels: Sequence[str], attributes: Names) -> None:
        super().__init__()
        self.features = PhotographFeatures()
        self.features.requires_grad_(True)
        fine, coarse = (m.shape[1] for m in self.features.maps(torch.zeros(1, 3, 64, 64))[-2:])
        self.mix = nn.Sequential(
            nn.Conv2d(fine + coarse, WIDTH, 3, padding=1, bias=False),
            nn.GroupNorm(8, WIDTH),
            nn.ReLU(),
        )
        self.cells = nn.Conv2d(WIDTH, len(labels), 1)
        self.whole = nn.Linear(coarse, len(labels))
        self.attributes = nn.ModuleDict(
            {name: nn.Linear(coarse + WIDTH, len(values)) for name, values in attributes.items()}
        )
        assert self.cells.bias is not None
        nn.init.constant_(self.cells.bias, -3.0)  # most things are in few cells

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Scores of labels (B, L), in cells (B, L, h, w), and of attributes' values (B, V)."""
        fine, coarse = self.features.maps(image)[-2:]
        grown = functional.interpolate(coarse, fine.shape[2:], mode="bilinear")
        mixed = self.mix(torch.cat([fine, grown], dim=1))
        cells = self.cells(mixed)
        means = coarse.mean(dim=(2, 3))
        highest = cells.flatten(2).topk(min(TOP_CELLS, cells[0, 0].numel()), dim=2).values
        pooled = torch.cat([means, mixed.mean(dim=(2, 3))], dim=1)
        told = {name: head(pooled) for name, head in self.attributes.items()}
        return highest.mean(dim=2) + self.whole(means), cells, told

    def train(self, mode: bool = True) -> "Classifier":
        """As of any module, but the trunk keeps its statistics: batches here are small."""
        super().train(mode)
        self.features.eval()
        return self


class Segmenter(nn.Module):
    """Scores of classes for every pixel, (B, C, H, W), of pictures (B, 3, H, W) in [-1, 1].

    A small U-Net (arXiv 1505.04597) over blocks of two by two pixels.
    """

    def __init__(
        self, widths: Sequence[int] = (32, 48, 64, 96), classes: int = len(CLASSES)
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(12, widths[0], 3, padding=1)
        self.down = nn.ModuleList(
            _conv(a, b) for a, b in zip((widths[0], *widths[:-1]), widths, strict=True)
        )
        self.deep = _conv(widths[-1], widths[-1])
        pairs = zip(widths[:0:-1], widths[-2::-1], strict=True)
        self.up = nn.ModuleList(_conv(below + beside, beside) for below, beside in pairs)
        self.out = nn.Conv2d(widths[0], 4 * classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Scores of classes."""
        x = functional.relu(self.stem(functional.pixel_unshuffle(image, 2)))
        kept = []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else functional.max_pool2d(x, 2))
            kept.append(x)
        x = x + self.deep(x)
        for block, beside in zip(self.up, kept[-2::-1], strict=True):
            grown = functional.interpolate(x, beside.shape[2:], mode="nearest")
            x = block(torch.cat([grown, beside], dim=1))
        return functional.pixel_shuffle(self.out(x), 2)


def _conv(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
        nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    )


def train_classifier(
    corpus: Corpus,
    targets: NDArray[np.int8],
    labels: Sequence[str],
    attributes: Mapping[str, NDArray[np.int64]],
    values: Names,
    settings: JudgeSettings,
) -> tuple[Classifier, int, float]:
    """A classifier of the corpus, with the steps and minutes that it took.

    `targets` (N, L) are as `exam.targets_of` has them, `attributes` numbers of values (N,).
    """
    model = _seeded(lambda: Classifier(labels, values), settings.seed)
    classes = class_index(labels)
    seen = torch.from_numpy(targets)
    numbers = {name: torch.from_numpy(each) for name, each in attributes.items()}
    present, absent = (seen == PRESENT).sum(0), (seen == ABSENT).sum(0)
    weights = (absent / present.clamp(min=1)).sqrt().clamp(1, 6).float()

    def loss(picks: Tensor, image: Tensor, shown: Tensor) -> Tensor:
        scores, cells, told = model(image)
        wanted = seen[picks]
        total = _presence_loss(scores, wanted, weights)
        total = total + _cell_loss(cells, shown, classes)
        for name, each in told.items():
            true = numbers[name][picks]
            if (true >= 0).any():
                total = total + 0.3 * functional.cross_entropy(each, true, ignore_index=-1)
        return total

    heads = [p for n, p in model.named_parameters() if not n.startswith("features.")]
    groups = [
        {"params": heads, "lr": HEAD_RATE},
        {"params": list(model.features.parameters()), "lr": TRUNK_RATE},
    ]
    steps, minutes = _train(model, groups, corpus, loss, settings, "classifier")
    return model, steps, minutes


def _presence_loss(scores: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
    found = functional.binary_cross_entropy_with_logits(
        scores, (wanted == PRESENT).float(), pos_weight=weights, reduction="none"
    )
    sure = wanted != UNSURE
    return (found * sure).sum() / sure.sum().clamp(min=1)


def _cell_loss(cells: Tensor, shown: Tensor, classes: Mapping[int, int]) -> Tensor:
    """Whether cells show classes, by the label maps (B, H, W)."""
    if not classes:
        return cells.new_zeros(())
    places, ids = list(classes), torch.tensor(list(classes.values()))
    masks = (shown[:, None] == ids[:, None, None]).float()
    share = functional.adaptive_avg_pool2d(masks, (cells.shape[2], cells.shape[3]))
    weight = torch.where(share > 0, 4.0, 1.0) * ((share == 0) | (share >= CELL_SHARE))
    found = functional.binary_cross_entropy_with_logits(
        cells[:, places], (share >= CELL_SHARE).float(), weight=weight, reduction="none"
    )
    mean: Tensor = found.mean()
    return mean


def train_segmenter(corpus: Corpus, settings: JudgeSettings) -> tuple[Segmenter, int, float]:
    """A segmenter of the corpus, with the steps and minutes that it took."""
    model = _seeded(Segmenter, settings.seed)
    weights = _class_weights(corpus, settings)

    def loss(picks: Tensor, image: Tensor, shown: Tensor) -> Tensor:
        wanted = torch.where(shown == UNKNOWN, -100, shown)
        if (wanted < 0).all():  # nothing is known of any pixel, and a mean over none is no number
            wanted = torch.zeros_like(wanted)
            return 0.0 * functional.cross_entropy(model(image), wanted)
        found: Tensor = functional.cross_entropy(model(image), wanted, weights)
        return found

    groups = [{"params": list(model.parameters()), "lr": SEGMENTER_RATE}]
    steps, minutes = _train(model, groups, corpus, loss, settings, "segmenter")
    return model, steps, minutes


def _class_weights(corpus: Corpus, settings: JudgeSettings) -> Tensor:
    """Rarer classes weigh more, by the root of how rare they are in a sample of the corpus."""
    side = (settings.size_px, settings.size_px)
    picks = np.linspace(0, len(corpus) - 1, min(len(corpus), 400)).astype(int)
    counts = sum(np.bincount(corpus.labels_of(i, side).ravel(), minlength=256) for i in picks)
    shares = torch.from_numpy(np.asarray(counts)[: len(CLASSES)]).float()
    shares = shares / shares.sum().clamp(min=1)
    weights = shares.clamp(min=1e-4).rsqrt()
    return (weights / weights[shares > 0].mean()).clamp(0.2, 5) if (shares > 0).any() else weights


def _seeded(make: Callable[[], Judge], seed: int) -> Judge:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def _train(
    model: nn.Module,
    groups: list[dict[str, Any]],
    corpus: Corpus,
    loss: Callable[[Tensor, Tensor, Tensor], Tensor],
    settings: JudgeSettings,
    name: str,
) -> tuple[int, float]:
    """Train until minutes or steps are spent; the learning rate falls with what is left of them."""
    if len(corpus) < LEAST_PICTURES:
        raise LeftOut(f"{len(corpus)} training pictures, at least {LEAST_PICTURES} are needed")
    optimizer = torch.optim.AdamW(groups, weight_decay=0.02)
    peaks = [group["lr"] for group in groups]
    model.train()
    began, step, spent = time.monotonic(), 0, 0.0
    for picks, image, shown in _batches(corpus, settings):
        spent = (time.monotonic() - began) / (60 * settings.minutes)
        progress = max(spent, step / settings.most_steps)
        if progress >= 1:
            break
        rate = min(1.0, (step + 1) / WARM_UP_STEPS) * 0.5 * (1 + np.cos(np.pi * progress))
        for group, peak in zip(optimizer.param_groups, peaks, strict=True):
            group["lr"] = peak * rate
        optimizer.zero_grad(set_to_none=True)
        found = loss(picks, image, shown)
        found.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimizer.step()
        if step % 100 == 0:
            logger.info("%s: step %d, loss %.3f, %.0f %%", name, step, found.item(), 100 * progress)
        step += 1
    model.eval()
    return step, spent * settings.minutes


def _batches(corpus: Corpus, settings: JudgeSettings) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Endless batches of places, pictures in [-1, 1] and label maps, some mirrored or softened."""
    rng, side = np.random.default_rng([15, settings.seed]), (settings.size_px, settings.size_px)
    while True:
        order = rng.permutation(len(corpus))
        for start in range(0, len(order), settings.batch):
            picks = order[start : start + settings.batch].tolist()
            image = np.stack([resize(each, side) for each in corpus.batch(picks)])
            shown = np.stack([corpus.labels_of(i, side) for i in picks])
            mirrored = rng.random(len(picks)) < 0.5
            image[mirrored], shown[mirrored] = image[mirrored, :, ::-1], shown[mirrored, :, ::-1]
            lit = rng.uniform(0.92, 1.08, (len(picks), 1, 1, 1)).astype(np.float32)
            pictures = (from_pixels(torch.from_numpy(image)) * torch.from_numpy(lit)).clamp(-1, 1)
            soft = torch.from_numpy(rng.random(len(picks)) < SOFT_SHARE)
            pictures = torch.where(soft[:, None, None, None], _softened(pictures), pictures)
            yield torch.tensor(picks), pictures, torch.from_numpy(shown).long()


def _softened(pictures: Tensor) -> Tensor:
    small = functional.avg_pool2d(pictures, 2)
    return functional.interpolate(small, pictures.shape[2:], mode="bilinear")


@torch.inference_mode()
def classify(
    model: Classifier, images: Sequence[Image], size_px: int, batch: int = 32
) -> tuple[NDArray[np.float32], dict[str, NDArray[np.int64]]]:
    """Scores of labels (N, L), and the number of each attribute's likeliest value (N,)."""
    scores, told = [], {name: list[Tensor]() for name in model.attributes}
    for pictures in _pictures(images, size_px, batch):
        found, _, heads = model(pictures)
        scores.append(found)
        for name, each in heads.items():
            told[name].append(each.argmax(dim=1))
    values = {name: torch.cat(each).numpy() for name, each in told.items()}
    return torch.cat(scores).numpy(), values


@torch.inference_mode()
def segment(
    model: Segmenter, images: Sequence[Image], size_px: int, batch: int = 32
) -> NDArray[np.uint8]:
    """The likeliest class of every pixel, (N, size_px, size_px)."""
    parts = [model(each).argmax(dim=1).byte() for each in _pictures(images, size_px, batch)]
    return torch.cat(parts).numpy()


@torch.inference_mode()
def segmenter_scores(
    model: Segmenter, images: Sequence[Image], classes: Sequence[int], size_px: int
) -> NDArray[np.float32]:
    """For every picture and class how many pixels look like it, by their probabilities, (N, L)."""
    ids = torch.tensor(list(classes))
    parts = []
    for pictures in _pictures(images, size_px, 32):
        chances = model(pictures).softmax(dim=1)[:, ids]
        # Chances below a half say little of one thing, and much of all the doubts of a picture.
        parts.append(torch.where(chances > 0.5, chances, 0).sum(dim=(2, 3)) + chances.amax((2, 3)))
    return torch.cat(parts).numpy()


def _pictures(images: Sequence[Image], size_px: int, batch: int) -> Iterator[Tensor]:
    for start in range(0, len(images), batch):
        part = [resize(each, (size_px, size_px)) for each in images[start : start + batch]]
        yield from_pixels(torch.from_numpy(np.stack(part)))


def judge_key(corpus_key: str, settings: JudgeSettings, *more: object) -> str:
    """Sixteen digits that change with the corpus, the settings and what is judged."""
    plain = json.dumps([VERSION, corpus_key, asdict(settings), *more], sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()[:16]


def corpus_key(root: Path, held_out: bool = False) -> str:
    """Sixteen digits that change with the pictures of a corpus: names, sizes, captions, records."""
    digest = hashlib.sha256()
    for folder in sorted(p for p in root.glob("[!.]*") if p.is_dir()):
        if folder.name.startswith("held") != held_out:
            continue
        digest.update(folder.name.encode())
        for file in sorted(folder.iterdir()):
            digest.update(f"{file.name} {file.stat().st_size}".encode())
            if file.suffix == ".json":
                digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def kept(
    file: Path,
    key: str,
    make: Callable[[], Judge],
    teach: Callable[[], tuple[Judge, int, float]],
    pictures: int,
) -> tuple[Judge, Taught]:
    """The judge in a file if it has this key, or else a newly taught one, which is kept there."""
    found = _read(file)
    if found is not None and found["taught"]["key"] == key:
        judge = make()
        judge.load_state_dict(found["model"])
        return judge.eval(), Taught(**found["taught"])
    judge, steps, minutes = teach()
    count = sum(weight.numel() for weight in judge.parameters())
    taught = Taught(file.stem, count, pictures, steps, round(minutes, 2), key)
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_suffix(".tmp")
    torch.save({"model": judge.state_dict(), "taught": asdict(taught)}, aside)
    os.replace(aside, file)
    return judge, taught


def _read(file: Path) -> dict[str, Any] | None:
    """What a file keeps; None where it is not there, or is none of ours, and is made anew."""
    if not file.is_file():
        return None
    try:
        found: dict[str, Any] = torch.load(file, weights_only=True)
        return found if set(found) == {"model", "taught"} else None
    except Exception as error:  # on junk the unpickler raises whatever it stumbles over
        logger.warning("%s: cannot be read (%s); the judge is taught anew", file, error)
        return None
