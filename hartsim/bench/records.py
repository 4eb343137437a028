"""What is measured, as values: written to JSON with `dataclasses.asdict`, read with `from_plain`.

Times are seconds, sizes bytes, arithmetic FLOP. CPU time is that of the whole process, over all of
its threads.
"""

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from hartsim.bench.plan import SpeedRequest

LEAST_RUNS_FOR_P95 = 20

Record = TypeVar("Record")


@dataclass(frozen=True)
class Lap:
    """One run of something."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True)
class Timing:
    """Several runs of the same thing: medians, and the spread of the wall time."""

    runs: int
    wall_s: float
    wall_min_s: float
    wall_max_s: float
    wall_p95_s: float | None
    """None for fewer runs than a 95th percentile needs."""
    cpu_s: float

    @classmethod
    def of(cls, laps: Sequence[Lap]) -> "Timing":
        """Of at least one run."""
        walls = sorted(lap.wall_s for lap in laps)
        return cls(
            runs=len(laps),
            wall_s=statistics.median(walls),
            wall_min_s=walls[0],
            wall_max_s=walls[-1],
            wall_p95_s=(
                walls[math.ceil(0.95 * len(walls)) - 1]
                if len(walls) >= LEAST_RUNS_FOR_P95
                else None
            ),
            cpu_s=statistics.median(lap.cpu_s for lap in laps),
        )


@dataclass(frozen=True)
class Rate:
    """How much of something a second brings: FLOP or bytes."""

    per_s: float
    per_cpu_s: float

    @classmethod
    def of(cls, amount: float, laps: Sequence[Lap]) -> "Rate":
        """From the median run, each of which did `amount`."""
        timing = Timing.of(laps)
        return cls(amount / timing.wall_s, amount / timing.cpu_s)


@dataclass(frozen=True)
class Rates:
    """What the machine can do, measured between the runs that it is compared with."""

    gemm: dict[str, Rate]
    """FLOP of products of large square matrices, by precision."""
    copy: Rate
    """Bytes of a large copy, read and written."""


@dataclass(frozen=True)
class Machine:
    """Where it was measured."""

    system: str
    cpu: str
    cores: int
    threads: int
    memory_bytes: int
    gpu: str
    """Empty without one."""
    load: float
    """Processes that wanted to run at the start, averaged over a minute."""
    python: str
    torch: str
    hartsim: str


@dataclass(frozen=True)
class ColdStart:
    """From the start of the process to the first picture, by what the time went into."""

    python_s: float
    imports_s: float
    load_s: float
    first_image_s: float

    @property
    def total_s(self) -> float:
        """All of it."""
        return self.python_s + self.imports_s + self.load_s + self.first_image_s


@dataclass(frozen=True)
class Memory:
    """Of a process that loaded one model and drew single pictures with it, and nothing else."""

    rss_bytes: int
    mapped_bytes: int
    """The share of it that is mapped from files, and that the system can take back."""
    peak_rss_bytes: int
    cuda_allocated_bytes: int | None
    """The most that tensors took on the GPU; None on a CPU."""
    cuda_reserved_bytes: int | None


@dataclass(frozen=True)
class StageResult:
    """One stage of drawing a single picture, beside the least time that it could take."""

    name: str
    wall_s: float
    cpu_s: float
    flops: int
    read_bytes: int
    """Weights, keys and values."""
    roofline_s: float
    """The longer of its arithmetic at the GEMM rate and its reading at the copy rate."""
    roofline_cpu_s: float
    """The same in CPU time."""


@dataclass(frozen=True)
class Throughput:
    """Pictures drawn together."""

    batch: int
    wall_s: float
    cpu_s: float

    @property
    def images_per_s(self) -> float:
        """Of wall time."""
        return self.batch / self.wall_s


@dataclass(frozen=True)
class Result:
    """All about one model at one precision."""

    precision: str
    cold_start: ColdStart
    memory: Memory
    latency: Timing
    rates: Rates
    flops: int
    """Of one picture, as we draw it."""
    reference_flops: int
    """Of the same picture in the reference's way."""
    stages: tuple[StageResult, ...]
    sweep: tuple[Throughput, ...]
    sweep_ended: str
    """Why no larger batch was tried."""

    @property
    def best(self) -> Throughput:
        """The batch that draws most pictures a second."""
        return max(self.sweep, key=lambda each: each.images_per_s)

    @property
    def of_roofline(self) -> float:
        """The sum of the stages' least wall times, as a share of the latency."""
        return sum(stage.roofline_s for stage in self.stages) / self.latency.wall_s


@dataclass(frozen=True)
class Goal:
    """A promise and what became of it: `value` must not be above `limit`."""

    name: str
    value: float
    limit: float
    unit: str

    @property
    def met(self) -> bool:
        """Whether it is kept."""
        return self.value <= self.limit


@dataclass(frozen=True)
class SpeedReport:
    """One run of `hartsim bench speed`."""

    date: str
    request: SpeedRequest
    machine: Machine
    model: str
    size_px: int
    weights: str
    """Shipped, or random: these measure speed only."""
    text: str
    """What the text stage is."""
    parameters: dict[str, int]
    """By part of the model."""
    results: tuple[Result, ...]
    goals: tuple[Goal, ...]


def from_plain(kind: type[Record], plain: Any) -> Record:
    """The inverse of `asdict`, also for what JSON made of it; ValueError says what does not fit."""
    record: Record = _read(kind, plain, kind.__name__)
    return record


def _read(kind: Any, plain: Any, place: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        if not isinstance(plain, Mapping) or set(plain) != set(hints):
            there = ", ".join(plain) if isinstance(plain, Mapping) else repr(plain)
            raise ValueError(f"{place} has {there}, must have {', '.join(hints)}")
        return kind(**{name: _read(h, plain[name], f"{place}.{name}") for name, h in hints.items()})
    if origin is UnionType:
        return None if plain is None else _read(arguments[0], plain, place)
    if origin is tuple and isinstance(plain, list | tuple):
        return tuple(_read(arguments[0], each, f"{place}[{i}]") for i, each in enumerate(plain))
    if origin is dict and isinstance(plain, Mapping):
        return {name: _read(arguments[1], each, f"{place}.{name}") for name, each in plain.items()}
    if origin is Literal and plain in arguments:
        return plain
    if kind is float and type(plain) is int:
        return float(plain)
    if not isinstance(kind, type) or type(plain) is not kind:
        raise ValueError(f"{place} is {plain!r}, must be {getattr(kind, '__name__', kind)}")
    return plain
