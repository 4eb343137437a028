"""`hartsim bench speed`: a child process for each precision, and what follows from them all."""

import dataclasses
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hartsim.bench.plan import (
    Job,
    SpeedRequest,
    is_given_text,
    shipped_weights,
    subject_config,
)
from hartsim.bench.records import Goal, Machine, Result, SpeedReport, from_plain
from hartsim.errors import HartSimError

logger = logging.getLogger(__name__)

GIB = 2**30

GOALS_FOR = ("0.7b", 256)
"""The model, and the size of its pictures on a CPU, that the goals are set for."""
MOST_OF_GEMM, MOST_OF_FP32 = 1.3, 0.65
MOST_RSS_GIB = {"fp32": 4.0, "int8": 1.9}


@dataclasses.dataclass(frozen=True)
class Measured:
    """What came out of one child process."""

    machine: Machine
    parameters: dict[str, int]
    result: Result


def measure(request: SpeedRequest) -> Iterator[Measured]:
    """One after the other, in the order of the precisions; minutes each, for a large model.

    HartSimError for a device or a precision that is not here, and for a child that was ended.
    """
    config = subject_config(request.model, request.size_px)
    with tempfile.TemporaryDirectory(prefix="hartsim-bench-") as scratch:
        weights = shipped_weights(request.model, config)
        if weights is None:
            weights = Path(scratch) / "weights"
            _in_child("write", request, "fp32", weights, Path(scratch))
        for precision in request.precisions:
            outcome = _in_child("measure", request, precision, weights, Path(scratch))
            yield from_plain(Measured, outcome)


def report(request: SpeedRequest, measured: Sequence[Measured]) -> SpeedReport:
    """All that is to be kept of a run."""
    config = subject_config(request.model, request.size_px)
    results = [each.result for each in measured]
    shipped = shipped_weights(request.model, config)
    return SpeedReport(
        date=datetime.now(UTC).date().isoformat(),
        request=request,
        machine=measured[0].machine,
        model=request.model,
        size_px=config.size_px[0],
        weights="random" if shipped is None else "shipped",
        text="given states" if is_given_text(request.model) else "our own encoder",
        parameters=measured[0].parameters,
        results=tuple(results),
        goals=tuple(goals(request, measured[0].machine, results)),
    )


def goals(request: SpeedRequest, machine: Machine, results: Sequence[Result]) -> Iterator[Goal]:
    """What was promised of the large model on a CPU; nothing for other models and devices."""
    size = subject_config(request.model, request.size_px).size_px[0]
    if (request.model, size) != GOALS_FOR or machine.gpu:
        return
    by_precision: Mapping[str, Result] = {each.precision: each for each in results}
    if fp32 := by_precision.get("fp32"):
        least = fp32.flops / fp32.rates.gemm["fp32"].per_cpu_s
        ratio = fp32.latency.cpu_s / least
        yield Goal("fp32: CPU time over FLOPs at the GEMM rate", ratio, MOST_OF_GEMM, "x")
    if fp32 and (int8 := by_precision.get("int8")):
        ratio = int8.latency.cpu_s / fp32.latency.cpu_s
        yield Goal("int8: CPU time over that of fp32", ratio, MOST_OF_FP32, "x")
    for precision, most in MOST_RSS_GIB.items():
        if precision in by_precision:
            rss = by_precision[precision].memory.rss_bytes / GIB
            yield Goal(f"{precision}: resident memory", rss, most, "GiB")


def write_report(report: SpeedReport, file: Path) -> None:
    """As JSON; `read_report` reads it."""
    text = json.dumps(dataclasses.asdict(report), indent=1, allow_nan=False)
    file.write_text(text + "\n", encoding="utf-8")


def read_report(file: Path) -> SpeedReport:
    """The report in a file; ValueError says what does not fit."""
    return from_plain(SpeedReport, json.loads(file.read_text(encoding="utf-8")))


def _in_child(
    kind: str, request: SpeedRequest, precision: str, weights: Path, scratch: Path
) -> dict[str, Any]:
    out = scratch / f"{kind}-{precision}.json"
    logger.info("%s %s %s", kind, request.model, precision)
    job = Job(
        kind="write" if kind == "write" else "measure",
        request=request,
        precision=precision,
        weights=str(weights),
        out=str(out),
        started_s=time.monotonic(),
    )
    command = [sys.executable, "-m", "hartsim.bench.child", json.dumps(dataclasses.asdict(job))]
    code = subprocess.run(command, check=False).returncode
    if not out.is_file():
        raise HartSimError(
            f"{precision}: the measuring process ended with code {code} and without a result"
            + ("; did memory end?" if code < 0 else "")
        )
    outcome: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    if "error" in outcome:
        raise HartSimError(outcome["error"])
    return outcome
