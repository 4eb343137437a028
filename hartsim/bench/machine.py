"""What the machine is and what it can do: its name, its memory, its rates."""

import os
import platform
import re
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from hartsim import __version__
from hartsim.bench.records import Lap, Machine, Memory, Rate, Rates
from hartsim.errors import ConfigError
from hartsim.hart.prepared import Int8Linear, PackedLinear

Work = Callable[[], object]

GEMM_SIDE = {"cpu": 2048, "cuda": 8192}
COPY_BYTES = {"cpu": 2**27, "cuda": 2**31}
"""Far more than any cache holds."""
PROBES = 4
"""How often the rates are measured among the runs of what they are compared with."""


def set_up(name: str, threads: int | None) -> torch.device:
    """The device called `auto`, `cpu`, `cuda` or `cuda:N`, with so many CPU threads beside it.

    ConfigError where it is missing.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    count = torch.cuda.device_count()
    if name == "auto":
        return torch.device("cuda" if count else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= count:
        raise ConfigError(f"--device is '{name}', but there are {count} CUDA devices here")
    return device


def this_machine(device: torch.device) -> Machine:
    """Its description, with the device that is measured."""
    return Machine(
        system=f"{platform.system()} {platform.machine()}",
        cpu=_cpu_name(),
        cores=os.cpu_count() or 1,
        threads=torch.get_num_threads(),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        gpu=torch.cuda.get_device_name(device) if device.type == "cuda" else "",
        load=os.getloadavg()[0],
        python=platform.python_version(),
        torch=torch.__version__,
        hartsim=__version__,
    )


def memory_used(device: torch.device) -> Memory:
    """Of this process until now."""
    on_gpu = device.type == "cuda"
    # Where there is no /proc, the peak is all that the system tells; macOS counts it in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return Memory(
        rss_bytes=_proc_bytes("/proc/self/status", "VmRSS") or peak,
        mapped_bytes=_proc_bytes("/proc/self/status", "RssFile") or 0,
        peak_rss_bytes=peak,
        cuda_allocated_bytes=torch.cuda.max_memory_allocated(device) if on_gpu else None,
        cuda_reserved_bytes=torch.cuda.max_memory_reserved(device) if on_gpu else None,
    )


def memory_available() -> int | None:
    """Bytes that a process may still take without swapping; None where it is not known."""
    return _proc_bytes("/proc/meminfo", "MemAvailable")


def timed(work: Work, device: torch.device) -> Lap:
    """One run, with all that it started on the device."""
    synchronise(device)
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    synchronise(device)
    return Lap(time.perf_counter() - wall, time.process_time() - cpu)


def synchronise(device: torch.device) -> None:
    """Wait for the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def timed_among_rates(work: Work, runs: int, device: torch.device) -> tuple[list[Lap], Rates]:
    """Runs of `work`, and the machine's rates in the same minutes, so that both see the same load.

    Both must be warm; rates are measured a few times between runs, not between all, so that most
    runs find the caches as they left them.
    """
    probes = _probes(device)
    found: dict[str, list[Lap]] = {name: [] for name in probes}
    laps: list[Lap] = []
    for probe in probes.values():
        probe.work()
    for run in range(runs):
        if run % max(1, runs // PROBES) == 0:
            for name, probe in probes.items():
                found[name].append(timed(probe.work, device))
        laps.append(timed(work, device))
    rates = {name: Rate.of(probe.amount, found[name]) for name, probe in probes.items()}
    copy = rates.pop("copy")
    return laps, Rates(rates, copy)


@dataclass(frozen=True)
class _Probe:
    """Something that is done at the machine's own speed."""

    work: Work
    amount: float


def _probes(device: torch.device) -> dict[str, _Probe]:
    """One for the copy rate, and one for every precision in which the device multiplies."""
    side = GEMM_SIDE[device.type]
    makers: Mapping[str, Callable[[Tensor, Tensor], Work]]
    if device.type == "cuda":
        halves = {"bf16": torch.bfloat16, "fp16": torch.float16}
        makers = {name: _gemm(dtype) for name, dtype in halves.items()}
        makers = {"fp32": _gemm(torch.float32), **makers, "fp8": _gemm_fp8}
    else:
        makers = {"fp32": _packed(torch.float32), "bf16": _packed(torch.bfloat16)}
        makers = {**makers, "int8": lambda left, right: partial(Int8Linear(right, None), left)}
    left, right = torch.randn(2, side, side, device=device)
    source = torch.ones(COPY_BYTES[device.type] // 4, device=device)
    target = torch.empty_like(source)
    probes = {"copy": _Probe(lambda: target.copy_(source), 2 * COPY_BYTES[device.type])}
    for name, maker in makers.items():
        try:
            work = maker(left, right)
            work()
        except (RuntimeError, ValueError, AttributeError, NotImplementedError):
            continue  # this device, or this PyTorch, has no such product
        probes[name] = _Probe(work, 2 * side**3)
    return probes


def _gemm(dtype: torch.dtype) -> Callable[[Tensor, Tensor], Work]:
    def maker(left: Tensor, right: Tensor) -> Work:
        a, b = left.to(dtype), right.to(dtype)
        out = torch.empty_like(a)
        return lambda: torch.mm(a, b, out=out)

    return maker


def _packed(dtype: torch.dtype) -> Callable[[Tensor, Tensor], Work]:
    """As fast as a CPU multiplies: with one side in the order in which oneDNN reads it.

    It is up to half as fast again as a plain product, by which a model would beat its roofline.
    """
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return _gemm(dtype)
    return lambda left, right: partial(PackedLinear(right, None, dtype), left)


def _gemm_fp8(left: Tensor, right: Tensor) -> Work:
    a, b = left.to(torch.float8_e4m3fn), right.to(torch.float8_e4m3fn).T
    one = torch.ones((), device=left.device)
    return lambda: torch._scaled_mm(a, b, one, one, out_dtype=torch.bfloat16)


def _cpu_name() -> str:
    found = re.search(r"model name\s*:\s*(.+)", _proc("/proc/cpuinfo"))
    return found[1] if found else platform.processor() or "unknown"


def _proc_bytes(path: str, name: str) -> int | None:
    found = re.search(rf"^{name}:\s+(\d+) kB", _proc(path), re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def _proc(path: str) -> str:
    """A file of Linux's /proc; empty elsewhere."""
    file = Path(path)
    return file.read_text(encoding="utf-8") if file.is_file() else ""
