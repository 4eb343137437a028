"""All figures of a run in one record: points of quality and time, and ratios with intervals."""

import dataclasses
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.replication.compare import (
    Features,
    Kernels,
    Reach,
    draws_with_replacement,
    frechet_of,
    interval,
    ratio_at_equal_quality,
)
from benchmarks.replication.flops import flops_of_picture
from benchmarks.replication.measure import (
    Judge,
    Setting,
    all_times,
    kid_of,
    search,
    settings_of,
    splits_of,
)
from benchmarks.replication.models import PLANS, SIZE_PX, new_model, parameters_of
from benchmarks.replication.train import (
    HOW,
    SAMPLES,
    flops_per_sample,
    lessons_of,
    samples_for,
    seconds_of,
    trained_model,
    trained_tokenizer,
)
from hartsim.bench.machine import this_machine
from hartsim.bench.records import Lap, Machine
from hartsim.hart.conversion import digest_of

logger = logging.getLogger(__name__)

KID_RESAMPLES, FRECHET_RESAMPLES = 1000, 40
BATCHED = 16
ROUNDS, BATCHED_ROUNDS = 9, 5
Metric = str


@dataclass(frozen=True)
class Trained:
    """One model and what it has learned from."""

    model: str
    parameters: int
    samples: int
    planned_samples: int
    """For the same arithmetic as HART's."""
    flops: int
    seconds: float
    """Wall time of its training, on a machine with other work."""


@dataclass(frozen=True)
class Point:
    """One model at one number of steps; times are of one picture, in seconds."""

    setting: Setting
    flops: int
    kid: float
    kid_interval: tuple[float, float]
    frechet: float
    cpu_s: float
    wall_s: float
    batched_cpu_s: float
    batched_wall_s: float


@dataclass(frozen=True)
class Ratio:
    """How many times longer a DiT takes than a point, for the point's quality."""

    point: str
    dit: str
    time: str
    """`cpu_s`, `batched_cpu_s` or `flops`."""
    metric: Metric
    ratio: float
    interval: tuple[float, float]
    reach: Reach
    """Whether the ratio is one, or a bound: `at most` this, or at least this (`never`)."""
    shares: Mapping[Reach, float]
    """Of the resamples."""


@dataclass(frozen=True)
class Report:
    """One run of the comparison."""

    date: str
    machine: Machine
    pictures: Mapping[str, int]
    """Of training, validation and test."""
    size_px: int
    tokenizer: str
    """Digits that change with any of its weights."""
    reconstruction: Mapping[str, float]
    """Distances of the test pictures after the tokenizer, and between two halves of them."""
    trained: tuple[Trained, ...]
    points: tuple[Point, ...]
    ratios: tuple[Ratio, ...]
    tried: Mapping[str, float]
    """Kernel distances on the validation pictures, of all settings that were searched."""


def make_report(out: Path, data: Path, names: Sequence[str]) -> Report:
    """Measure whatever is not measured yet, and put it together."""
    found = {name: search(name, out, data) for name in names}
    settings = [each for kept in found.values() for each in settings_of(kept)]
    validation, test = splits_of(data)
    judge, tokenizer = Judge(out, test), trained_tokenizer(out)
    real = judge.real()
    made: dict[str, Features] = {}
    for setting in settings:
        trained = trained_model(setting.model, out / "models")
        made[setting.name] = judge.drawn(setting, trained, tokenizer)
        logger.info("%s: %.4f", setting.name, kid_of(real, made[setting.name]))
    singles = all_times(settings, out, data, 1, ROUNDS)
    together = all_times(settings, out, data, BATCHED, BATCHED_ROUNDS)
    laps = {name: (singles[name], together[name]) for name in made}

    kernels = {name: Kernels.of(real, features) for name, features in made.items()}
    draws = list(_draws(len(real), KID_RESAMPLES))
    kids = {n: np.array([k.distance(w) for w in draws]) for n, k in kernels.items()}
    frechets = {
        n: np.array([_frechet_resampled(real, f, w) for w in draws[:FRECHET_RESAMPLES]])
        for n, f in made.items()
    }
    points = [_point(s, real, made[s.name], kids[s.name], *laps[s.name]) for s in settings]
    reconstructed = {
        f"{kind}_{metric}": measured(real, judge.reconstructed(tokenizer, kind == "discrete"))
        for kind in ("discrete", "hybrid")
        for metric, measured in (("kid", kid_of), ("frechet", frechet_of))
    }
    half = len(real) // 2
    halves = {"kid_of_two_halves": kid_of(real[:half], real[half : 2 * half])}
    return Report(
        date=datetime.now(UTC).date().isoformat(),
        machine=this_machine(torch.device("cpu")),
        pictures={
            "training": len(lessons_of(data, out).latents),
            "validation": len(validation.picks),
            "test": len(test.picks),
        },
        size_px=SIZE_PX,
        tokenizer=digest_of(tokenizer.state_dict())[:16],
        reconstruction=reconstructed | halves,
        trained=tuple(_trained(name, out) for name in names),
        points=tuple(points),
        ratios=tuple(_ratios(points, laps, {"kid": kids, "frechet": frechets})),
        tried={key: value for kept in found.values() for key, value in kept["tried"].items()},
    )


def _draws(count: int, times: int) -> Iterator[Features]:
    """The same resamples for all points, so that models are compared on the same pictures."""
    for number in range(times):
        yield draws_with_replacement(count, np.random.default_rng([1, number]))


def _frechet_resampled(real: Features, made: Features, counts: Features) -> float:
    picks = np.repeat(np.arange(len(real)), counts.astype(int))
    return frechet_of(real[picks], made[picks])


def _point(
    setting: Setting,
    real: Features,
    made: Features,
    kids: Features,
    single: Sequence[Lap],
    together: Sequence[Lap],
) -> Point:
    plan = PLANS[setting.model]
    return Point(
        setting=setting,
        flops=flops_of_picture(plan, setting.steps, setting.guidance > 0, setting.solver),
        kid=kid_of(real, made),
        kid_interval=interval(kids),
        frechet=frechet_of(real, made),
        cpu_s=float(np.median([lap.cpu_s for lap in single])),
        wall_s=float(np.median([lap.wall_s for lap in single])),
        batched_cpu_s=float(np.median([lap.cpu_s for lap in together])) / BATCHED,
        batched_wall_s=float(np.median([lap.wall_s for lap in together])) / BATCHED,
    )


def _trained(name: str, out: Path) -> Trained:
    _, steps = trained_model(name, out / "models")
    return Trained(
        model=name,
        parameters=parameters_of(new_model(PLANS[name])),
        samples=steps * HOW.batch,
        planned_samples=samples_for(name, SAMPLES),
        flops=steps * HOW.batch * flops_per_sample(name),
        seconds=seconds_of(name, out / "models"),
    )


Resampled = Mapping[str, Features]
"""The values of a metric by point, one per resample."""


def _ratios(
    points: Sequence[Point],
    laps: Mapping[str, tuple[Sequence[Lap], Sequence[Lap]]],
    resampled: Mapping[Metric, Resampled],
) -> Iterator[Ratio]:
    """Of every point of HART and VAR to every DiT, by every measure of time and quality."""
    kinds = {name: PLANS[name].kind for name in PLANS}
    dits = sorted({p.setting.model for p in points if kinds[p.setting.model] == "dit"})
    ours = [p for p in points if kinds[p.setting.model] != "dit"]
    for metric, values in resampled.items():
        for time in ("cpu_s", "batched_cpu_s", "flops"):
            times_of = _resampled_times(points, laps, time)
            for dit in dits:
                curve = [p for p in points if p.setting.model == dit]
                for point in ours:
                    yield _ratio(point, curve, time, metric, values, times_of)


TimesOf = Callable[[int], Mapping[str, float]]


def _resampled_times(
    points: Sequence[Point],
    laps: Mapping[str, tuple[Sequence[Lap], Sequence[Lap]]],
    time: str,
) -> TimesOf:
    """The times of all points in a resample of the rounds, which all points share."""
    if time == "flops":
        return lambda _: {p.setting.name: float(p.flops) for p in points}
    column, each = (0, 1) if time == "cpu_s" else (1, BATCHED)
    seconds = {
        p.setting.name: np.array([x.cpu_s for x in laps[p.setting.name][column]]) / each
        for p in points
    }

    def times(number: int) -> dict[str, float]:
        rounds = len(next(iter(seconds.values())))
        picks = np.random.default_rng([2, number]).integers(rounds, size=rounds)
        return {name: float(np.median(values[picks])) for name, values in seconds.items()}

    return times


def _ratio(
    point: Point,
    curve: Sequence[Point],
    time: str,
    metric: Metric,
    values: Resampled,
    times_of: TimesOf,
) -> Ratio:
    own, others = point.setting.name, [p.setting.name for p in curve]
    ratio, reach = ratio_at_equal_quality(
        [getattr(p, time) for p in curve],
        [getattr(p, metric) for p in curve],
        getattr(point, time),
        getattr(point, metric),
    )
    found = []
    for number in range(len(values[own])):
        times = times_of(number)
        found.append(
            ratio_at_equal_quality(
                [times[name] for name in others],
                [values[name][number] for name in others],
                times[own],
                values[own][number],
            )
        )
    reaches = [each for _, each in found]
    shares: dict[Reach, float] = {
        each: reaches.count(each) / len(reaches) for each in ("at most", "within", "never")
    }
    bounds = interval(np.inf if each == "never" else value for value, each in found)
    return Ratio(own, curve[0].setting.model, time, metric, ratio, bounds, reach, shares)


def plain(report: Report) -> dict[str, Any]:
    """For JSON; infinite ends of intervals become null."""

    def finite(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: finite(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [finite(each) for each in value]
        if isinstance(value, float):
            return None if not np.isfinite(value) else float(f"{value:.5g}")
        return value

    named = dataclasses.asdict(report)
    for point, shown in zip(report.points, named["points"], strict=True):
        shown["name"] = point.setting.name
    result: dict[str, Any] = finite(named)
    return result
