"""What is measured of a model that is loaded: memory, latency, stages, throughput."""

from collections.abc import Callable, Iterator, Mapping

import torch

from hartsim.bench.flops import Cost, Way, drawing_cost
from hartsim.bench.machine import memory_available, memory_used, timed, timed_among_rates
from hartsim.bench.plan import Job
from hartsim.bench.records import (
    ColdStart,
    Rate,
    Rates,
    Result,
    StageResult,
    Throughput,
    Timing,
)
from hartsim.bench.subject import Subject

WORTHWHILE = 1.03
"""How much faster a batch must be than the best before it for a larger one to be tried."""
MOST_PICTURES = 256
SWEEP_RUNS, STAGE_RUNS = 2, 5

BYTES: Mapping[str, int] = {"fp32": 4, "int8": 1, "bf16": 2, "fp16": 2, "fp8": 1}


def measured(subject: Subject, job: Job, cold_start: ColdStart) -> Result:
    """All about a subject that has drawn one picture since its process began, and no more."""
    request, device = job.request, subject.device
    subject.draw()
    memory = memory_used(device)
    laps, rates = timed_among_rates(subject.draw, request.runs, device)
    latency = Timing.of(laps)
    stages = staged(subject, job.precision, rates, min(request.runs, STAGE_RUNS))
    sweep, ended = swept(subject, request.batches, latency)
    return Result(
        precision=job.precision,
        cold_start=cold_start,
        memory=memory,
        latency=latency,
        rates=rates,
        flops=sum(cost.flops for cost in costs_of(subject)),
        reference_flops=sum(cost.flops for cost in costs_of(subject, "reference")),
        stages=tuple(stages),
        sweep=sweep,
        sweep_ended=ended,
    )


def costs_of(subject: Subject, way: Way = "ours") -> list[Cost]:
    """The stages of one picture, but for text that is given."""
    costs = drawing_cost(subject.hart.config, 1, subject.settings.guidance > 0, way)
    return costs if subject.states is None else costs[1:]


def staged(subject: Subject, precision: str, rates: Rates, runs: int) -> Iterator[StageResult]:
    """The stages of a picture, with their rooflines."""
    costs, beside = costs_of(subject), precision_beside(precision, subject.device)
    laps = zip(*(subject.laps()[-len(costs) :] for _ in range(runs)), strict=True)
    for cost, stage_laps in zip(costs, laps, strict=True):
        timing = Timing.of(stage_laps)
        of_weights = beside if cost.stage in ("text", "decode") else precision
        read = cost.weights * BYTES[of_weights] + cost.cached * BYTES[beside]
        roofline = roofline_of(cost, of_weights, beside, read, rates)
        yield StageResult(
            name=cost.stage,
            wall_s=timing.wall_s,
            cpu_s=timing.cpu_s,
            flops=cost.flops,
            read_bytes=read,
            roofline_s=roofline(lambda rate: rate.per_s),
            roofline_cpu_s=roofline(lambda rate: rate.per_cpu_s),
        )


def precision_beside(precision: str, device: torch.device) -> str:
    """That of what is no product with a layer's weights: attention, convolutions, the cache."""
    return "fp32" if device.type == "cpu" else {"fp8": "bf16"}.get(precision, precision)


def roofline_of(
    cost: Cost, precision: str, beside: str, read: int, rates: Rates
) -> Callable[[Callable[[Rate], float]], float]:
    """The least time of a stage, by a kind of rate: of its arithmetic, or of what it reads."""
    usual = rates.gemm[beside]
    # Where a precision has no product of its own, its weights are stored so, but used as usual.
    fast = rates.gemm.get(precision, usual)
    rest = cost.flops - cost.linear_flops

    def least(per_s: Callable[[Rate], float]) -> float:
        arithmetic = cost.linear_flops / per_s(fast) + rest / per_s(usual)
        return max(arithmetic, read / per_s(rates.copy))

    return least


def swept(
    subject: Subject, batches: tuple[int, ...] | None, single: Timing
) -> tuple[tuple[Throughput, ...], str]:
    """Batch after batch, and why there are no more: the wish, the gain or the memory."""
    device, before = subject.device, memory_used(subject.device).peak_rss_bytes
    found: list[Throughput] = []
    for batch in batches or doubled():
        available, grown = memory_available(), memory_used(device).peak_rss_bytes - before
        if available is not None and available < 2 * grown:
            return tuple(found), f"{batch} pictures would not fit into memory"
        try:
            timing = single if batch == 1 else _repeated(subject, batch)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            return tuple(found), f"{batch} pictures do not fit into memory"
        best = max((each.images_per_s for each in found), default=0.0)
        found.append(Throughput(batch, timing.wall_s, timing.cpu_s))
        if batches is None and found[-1].images_per_s < WORTHWHILE * best:
            faster = "hardly faster" if found[-1].images_per_s > best else "no faster"
            return tuple(found), f"{batch} pictures are {faster} each than fewer"
    if batches is None:
        return tuple(found), f"stopped at {found[-1].batch} pictures, the most it tries"
    return tuple(found), "no more were asked for"


def doubled() -> Iterator[int]:
    """1, 2, 4, ... pictures."""
    batch = 1
    while batch <= MOST_PICTURES:
        yield batch
        batch *= 2


def _repeated(subject: Subject, batch: int) -> Timing:
    subject.draw(batch)
    return Timing.of(
        [timed(lambda: subject.draw(batch), subject.device) for _ in range(SWEEP_RUNS)]
    )
