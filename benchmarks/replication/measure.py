"""Quality and time of every model at every number of steps.

Quality is the distance between features of held-out pictures and of pictures drawn from their
captions, in EfficientNet-Lite0 (`hartsim.training.features`): named after it, and no FID.
"""

import copy
import json
import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.replication.compare import Features, Kernels
from benchmarks.replication.flow import SOLVERS, Solver, draw_latents
from benchmarks.replication.models import PLANS, SIZE_PX, NoResidual
from benchmarks.replication.train import trained_model, trained_tokenizer
from hartsim.bench.machine import timed
from hartsim.bench.records import Lap
from hartsim.hart.model import Hart
from hartsim.hart.noise import KeyedNoise
from hartsim.hart.sampling import SamplingSettings, generate
from hartsim.hart.tokenizer import Tokenizer, from_pixels, to_pixels
from hartsim.training.corpus import Corpus, read_corpus
from hartsim.training.features import PhotographFeatures

logger = logging.getLogger(__name__)

BATCH = 32
VALIDATION, TEST = 160, 800
"""Held-out pictures for the choice of settings, and for the figures."""
RESIDUAL_STEPS = (0, 2, 4, 8)
"""The sampler of the residual head takes two steps at least; 0 leaves the residual out."""
EVALUATIONS = (1, 2, 4, 8, 10, 20, 50)
GUIDANCES = (0.0, 0.5, 1.0, 2.0, 4.0)
TOP_PS = (0.0, 0.9)
TEMPERATURES = (0.6, 0.3, 0.1)
"""Besides 1, at which guidance and top-p are chosen first."""
FEW, MANY = 4, 10
"""Evaluations at which guidance and solver of a DiT are chosen, for less than MANY and for more."""

Draw = Callable[[Sequence[str], Sequence[str]], Tensor]
"""Pictures (B, H, W, 3) uint8 of prompts, with noise by keys."""


@dataclass(frozen=True)
class Setting:
    """How a model is sampled."""

    model: str
    steps: int
    """Of the residual head, or evaluations of a DiT."""
    guidance: float
    top_p: float = 0.0
    temperature: float = 1.0
    """Of the residual head."""
    solver: Solver = "multistep"

    @property
    def name(self) -> str:
        """For files."""
        if PLANS[self.model].kind == "dit":
            return f"{self.model}-{self.steps}-{self.solver}-g{self.guidance:g}"
        name = f"{self.model}-{self.steps}-g{self.guidance:g}-p{self.top_p:g}"
        return name if self.temperature == 1 else f"{name}-t{self.temperature:g}"


def drawing(setting: Setting, model: Any, tokenizer: Tokenizer) -> Draw:
    """A function that draws as the setting says, from prompts to pixels."""
    plan = PLANS[setting.model]
    if plan.kind == "dit":
        return partial(_draw_by_flow, setting, model, tokenizer)
    if plan.kind == "hart" and setting.steps == 0:
        model = copy.deepcopy(model)
        model.transformer.diffloss = NoResidual()
    hart = Hart(plan.config, model.text, model.transformer, tokenizer)
    settings = replace(
        SamplingSettings.of(plan.config),
        guidance=setting.guidance,
        top_p=setting.top_p,
        residual_steps=max(setting.steps, 2),
        residual_temperature=setting.temperature,
    )
    return partial(_draw_by_scale, hart, settings)


@torch.inference_mode()
def _draw_by_scale(
    hart: Hart, settings: SamplingSettings, prompts: Sequence[str], keys: Sequence[str]
) -> Tensor:
    latent = generate(hart, hart.text.encode(prompts), KeyedNoise.of(keys), settings)
    return to_pixels(hart.tokenizer.decode(latent))


@torch.inference_mode()
def _draw_by_flow(
    setting: Setting, model: Any, tokenizer: Tokenizer, prompts: Sequence[str], keys: Sequence[str]
) -> Tensor:
    shape = (tokenizer.config.z_channels, *tokenizer.quantizer.square)
    start = KeyedNoise.of(keys).normal("residual", 0, shape)
    context = model.text.encode(prompts)
    latent = draw_latents(model, context, start, setting.steps, setting.solver, setting.guidance)
    return to_pixels(tokenizer.decode(latent))


@dataclass(frozen=True)
class Split:
    """Held-out pictures by their place in the corpus."""

    name: str
    corpus: Corpus
    picks: Sequence[int]

    @property
    def prompts(self) -> list[str]:
        """The first wording of each."""
        return [self.corpus.captions[pick][0] for pick in self.picks]


def splits_of(data: Path) -> tuple[Split, Split]:
    """The pictures for choosing settings and those for the figures; they share none."""
    corpus = read_corpus(data, held_out=True, size_px=(SIZE_PX, SIZE_PX))
    order = np.random.default_rng(0).permutation(len(corpus)).tolist()
    if len(order) < VALIDATION + TEST:
        raise ValueError(f"{data}: {len(order)} held-out pictures, {VALIDATION + TEST} are needed")
    chosen = order[:VALIDATION], order[VALIDATION : VALIDATION + TEST]
    return Split("validation", corpus, chosen[0]), Split("test", corpus, chosen[1])


class Judge:
    """Features of pictures, kept in a folder under the names of what made them."""

    def __init__(self, out: Path, split: Split) -> None:
        self.folder, self.split = out / "features", split
        self.net = PhotographFeatures().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.folder.mkdir(parents=True, exist_ok=True)

    def real(self) -> Features:
        """Of the held-out pictures themselves."""
        return self._kept("real", lambda: self._pictures())

    def reconstructed(self, tokenizer: Tokenizer, discrete: bool) -> Features:
        """Of the held-out pictures after the tokenizer, from codes alone or with the residual."""

        def pictures() -> Iterable[Tensor]:
            for batch in self._pictures():
                with torch.inference_mode():
                    latent = tokenizer.latent(from_pixels(batch))
                    if discrete:
                        latent = tokenizer.quantizer.encode(latent).discrete
                    yield to_pixels(tokenizer.decode(latent))

        return self._kept(f"tokenizer-{'discrete' if discrete else 'hybrid'}", pictures)

    def drawn(self, setting: Setting, trained: tuple[Any, int], tokenizer: Tokenizer) -> Features:
        """Of pictures drawn from the captions of the held-out ones, after so many steps."""
        model, steps = trained
        draw, prompts = drawing(setting, model, tokenizer), self.split.prompts

        def pictures() -> Iterable[Tensor]:
            for start in range(0, len(prompts), BATCH):
                part = prompts[start : start + BATCH]
                yield draw(part, [f"picture {start + i}" for i in range(len(part))])

        return self._kept(f"{setting.name}-after-{steps}", pictures)

    def _pictures(self) -> Iterable[Tensor]:
        for start in range(0, len(self.split.picks), BATCH):
            yield torch.from_numpy(self.split.corpus.batch(self.split.picks[start : start + BATCH]))

    @torch.inference_mode()
    def _kept(self, name: str, pictures: Callable[[], Iterable[Tensor]]) -> Features:
        path = self.folder / f"{self.split.name}-{name}.npy"
        if not path.exists():
            images = (
                from_pixels(batch).contiguous(memory_format=torch.channels_last)
                for batch in pictures()
            )
            found = [self.net.pooled(image).numpy() for image in images]
            aside = path.with_name(f".{os.getpid()}-{path.name}")
            np.save(aside, np.concatenate(found))
            os.replace(aside, path)
        features: Features = np.load(path).astype(np.float64)
        return features


def kid_of(real: Features, made: Features) -> float:
    """Every picture counted once."""
    return Kernels.of(real, made).distance(np.ones(len(real)))


def search(name: str, out: Path, data: Path) -> dict[str, Any]:
    """The settings of a model at every number of steps, chosen on the validation pictures.

    Kept in `out`; `tried` holds the kernel distance of everything that was tried.
    """
    trained = trained_model(name, out / "models")
    path = out / f"search-{name}-after-{trained[1]}.json"
    if path.exists():
        kept: dict[str, Any] = json.loads(path.read_text())
        return kept
    validation, _ = splits_of(data)
    judge, tokenizer = Judge(out, validation), trained_tokenizer(out)
    real, tried = judge.real(), dict[str, float]()

    def best(candidates: Sequence[Setting]) -> Setting:
        for each in candidates:
            if each.name not in tried:
                tried[each.name] = kid_of(real, judge.drawn(each, trained, tokenizer))
                logger.info("%s: %.4f", each.name, tried[each.name])
        return min(candidates, key=lambda each: tried[each.name])

    chosen = (_search_flow if PLANS[name].kind == "dit" else _search_scales)(name, best)
    found = {"chosen": [asdict(each) for each in chosen], "tried": tried}
    path.write_text(json.dumps(found, indent=1) + "\n")
    return found


Best = Callable[[Sequence[Setting]], Setting]


def _search_scales(name: str, best: Best) -> list[Setting]:
    """Guidance and top-p, the residual head's temperature, guidance again; at the most steps."""
    with_head = PLANS[name].kind == "hart"
    steps = RESIDUAL_STEPS if with_head else (0,)
    found = best([Setting(name, steps[-1], g, p) for g in GUIDANCES for p in TOP_PS])
    if with_head:
        found = best([found, *(replace(found, temperature=t) for t in TEMPERATURES)])
        found = best([replace(found, guidance=g) for g in GUIDANCES])
    return [replace(found, steps=each) for each in steps]


def _search_flow(name: str, best: Best) -> list[Setting]:
    """Guidance, then the solver, at few evaluations and at many."""
    by_number = {}
    for evaluations in (FEW, MANY):
        guided = best([Setting(name, evaluations, g) for g in GUIDANCES])
        by_number[evaluations] = best([replace(guided, solver=each) for each in SOLVERS])
    chosen = []
    for evaluations in EVALUATIONS:
        like = by_number[FEW if evaluations < MANY else MANY]
        solver: Solver = "euler" if evaluations == 1 else like.solver  # where all are the same
        chosen.append(replace(like, steps=evaluations, solver=solver))
    return chosen


def settings_of(found: Mapping[str, Any]) -> list[Setting]:
    """What `search` has chosen."""
    return [Setting(**each) for each in found["chosen"]]


def times_in_turns(
    draws: Mapping[str, Draw], prompts: Sequence[str], batch: int, rounds: int
) -> dict[str, list[Lap]]:
    """Laps of all draws by their names, of so many pictures each; rounds take all in turns."""
    part = [prompts[i % len(prompts)] for i in range(batch)]
    keys = [f"timed {i}" for i in range(batch)]
    laps: dict[str, list[Lap]] = {name: [] for name in draws}
    for number in range(rounds + 1):
        for name, draw in draws.items():
            lap = timed(partial(draw, part, keys), torch.device("cpu"))
            if number > 0:  # the first round warms up
                laps[name].append(lap)
    return laps


def all_times(
    settings: Sequence[Setting], out: Path, data: Path, batch: int, rounds: int
) -> dict[str, list[Lap]]:
    """`times_in_turns` of trained models."""
    tokenizer = trained_tokenizer(out)
    models = {each.model: trained_model(each.model, out / "models")[0] for each in settings}
    draws = {each.name: drawing(each, models[each.model], tokenizer) for each in settings}
    _, test = splits_of(data)
    return times_in_turns(draws, test.prompts, batch, rounds)
