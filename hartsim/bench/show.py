"""Reports as tables of words, for a screen or a page: the first row says what the columns are."""

from collections.abc import Callable

from hartsim.bench.plan import SpeedRequest, subject_config
from hartsim.bench.records import Goal, Result, SpeedReport

Rows = list[list[str]]

MIB, GIB = 2**20, 2**30


def heading(report: SpeedReport) -> str:
    """What was measured, where and when."""
    m = report.machine
    where = m.gpu or f"{m.cpu}, {m.cores} cores, {m.threads} threads"
    return (
        f"{report.model}, {report.size_px} px, {_count(report)} parameters ({report.weights} "
        f"weights, text: {report.text}); {where}, {m.memory_bytes / GIB:.0f} GiB, load "
        f"{m.load:.1f}, PyTorch {m.torch}, {report.date}"
    )


def plan(request: SpeedRequest) -> str:
    """What is going to be measured, before anything is."""
    size_px = subject_config(request.model, request.size_px).size_px[0]
    return f"{request.model}, {size_px} px, {', '.join(request.precisions)} on {request.device}"


def summary(report: SpeedReport) -> Rows:
    """One column for each precision."""
    lines: list[tuple[str, Callable[[Result], str]]] = [
        ("latency of 1 picture", lambda r: seconds(r.latency.wall_s)),
        ("  least and most", _spread),
        ("  95 % within", _p95),
        ("CPU time of 1 picture", lambda r: seconds(r.latency.cpu_s)),
        ("best throughput", lambda r: f"{r.best.images_per_s:.3g}/s, {r.best.batch} together"),
        ("FLOP of 1 picture", lambda r: amount(r.flops, "FLOP")),
        ("  in the reference's way", lambda r: amount(r.reference_flops, "FLOP")),
        ("GEMM rate", lambda r: f"{amount(_gemm(r), 'FLOP')}/s"),
        ("copy rate", lambda r: f"{amount(r.rates.copy.per_s, 'B')}/s"),
        ("roofline's share of latency", lambda r: f"{100 * r.of_roofline:.0f} %"),
        ("resident memory", lambda r: f"{r.memory.rss_bytes / GIB:.2f} GiB"),
        ("  mapped from files", lambda r: f"{r.memory.mapped_bytes / GIB:.2f} GiB"),
        ("  at most, with loading", lambda r: f"{r.memory.peak_rss_bytes / GIB:.2f} GiB"),
        ("GPU memory of tensors", lambda r: _gib(r.memory.cuda_allocated_bytes)),
        ("  reserved", lambda r: _gib(r.memory.cuda_reserved_bytes)),
        ("first picture after", lambda r: seconds(r.cold_start.total_s)),
        ("  Python", lambda r: seconds(r.cold_start.python_s)),
        ("  imports", lambda r: seconds(r.cold_start.imports_s)),
        ("  weights", lambda r: seconds(r.cold_start.load_s)),
        ("  picture", lambda r: seconds(r.cold_start.first_image_s)),
    ]
    rows = [[name, *(show(result) for result in report.results)] for name, show in lines]
    return [["", *(result.precision for result in report.results)]] + [
        row for row in rows if any(row[1:])
    ]


def stages(result: Result) -> Rows:
    """The stages of a single picture and how near they come to their rooflines."""
    rows = [[result.precision, "wall", "CPU", "FLOP", "read", "roofline", "share", "of CPU time"]]
    for each in result.stages:
        rows.append(
            [
                each.name,
                seconds(each.wall_s),
                seconds(each.cpu_s),
                amount(each.flops, "FLOP"),
                _read(each.read_bytes),
                seconds(each.roofline_s),
                _share(each.roofline_s, each.wall_s),
                _share(each.roofline_cpu_s, each.cpu_s),
            ]
        )
    return rows


def sweep(result: Result) -> Rows:
    """Batches and what they bring."""
    rows = [["pictures together", "wall", "CPU of each", "pictures/s"]]
    for each in result.sweep:
        cpu = seconds(each.cpu_s / each.batch)
        rows.append([str(each.batch), seconds(each.wall_s), cpu, f"{each.images_per_s:.3g}"])
    return rows


def goals(report: SpeedReport) -> Rows:
    """What was promised and what became of it."""
    return [["goal", "at most", "is", ""], *map(_goal, report.goals)]


def seconds(value: float) -> str:
    """A time with three digits."""
    return f"{value:.3g} s" if value >= 1 else f"{1000 * value:.3g} ms"


def amount(value: float, unit: str) -> str:
    """A number with three digits and a prefix."""
    for size, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {prefix}{unit}"
    return f"{value:.0f} {unit}"


def _count(report: SpeedReport) -> str:
    """All weights, without digits after the point."""
    count = sum(report.parameters.values())
    return f"{count / 1e6:.0f} M" if count >= 1e6 else f"{count / 1e3:.0f} k"


def _read(size: int) -> str:
    return f"{size / MIB:.1f} MiB" if size >= MIB else f"{size / 1024:.1f} KiB"


def _spread(result: Result) -> str:
    return f"{seconds(result.latency.wall_min_s)}, {seconds(result.latency.wall_max_s)}"


def _p95(result: Result) -> str:
    p95 = result.latency.wall_p95_s
    return "" if p95 is None else seconds(p95)


def _gemm(result: Result) -> float:
    gemm = result.rates.gemm
    return gemm.get(result.precision, gemm["fp32"]).per_s


def _gib(size: int | None) -> str:
    return "" if size is None else f"{size / GIB:.2f} GiB"


def _share(least_s: float, is_s: float) -> str:
    return f"{100 * least_s / is_s:.0f} %" if is_s > 0 else "-"


def _goal(goal: Goal) -> list[str]:
    met = "met" if goal.met else "not met"
    return [goal.name, f"{goal.limit:g} {goal.unit}", f"{goal.value:.3g} {goal.unit}", met]
