"""A process that loads one model and measures it: `python -m hartsim.bench.child JOB`.

Its memory and its start are those of a process that does nothing else. It imports PyTorch and HART
only when it runs, because that is measured, too. The outcome goes into a file, as JSON.
"""

import dataclasses
import itertools
import json
import sys
import time
from pathlib import Path
from typing import Any

from hartsim.bench.plan import Job, subject_config
from hartsim.bench.records import ColdStart, from_plain
from hartsim.errors import HartSimError


def main() -> None:
    """Do the job that the only argument describes."""
    job = from_plain(Job, json.loads(sys.argv[1]))
    python_s = time.monotonic() - job.started_s
    try:
        outcome = _written(job) if job.kind == "write" else _measured(job, python_s)
    except HartSimError as error:
        outcome = {"error": str(error)}
    Path(job.out).write_text(json.dumps(outcome), encoding="utf-8")


def _written(job: Job) -> dict[str, Any]:
    from hartsim.bench.machine import set_up
    from hartsim.bench.subject import random_hart
    from hartsim.hart.checkpoint import save_hart

    device = set_up(job.request.device, job.request.threads)
    config = subject_config(job.request.model, job.request.size_px)
    save_hart(random_hart(config, device), Path(job.weights))
    return {}


def _measured(job: Job, python_s: float) -> dict[str, Any]:
    moments = [time.perf_counter()]
    from hartsim.bench import measure
    from hartsim.bench.machine import set_up, this_machine
    from hartsim.bench.subject import load_subject

    device = set_up(job.request.device, job.request.threads)
    machine = this_machine(device)
    moments.append(time.perf_counter())
    subject = load_subject(job.request, Path(job.weights), job.precision, device)
    moments.append(time.perf_counter())
    subject.draw()
    moments.append(time.perf_counter())
    imports, load, first = (b - a for a, b in itertools.pairwise(moments))
    result = measure.measured(subject, job, ColdStart(python_s, imports, load, first))
    return {
        "machine": dataclasses.asdict(machine),
        "parameters": subject.parameters,
        "result": dataclasses.asdict(result),
    }


if __name__ == "__main__":
    main()
