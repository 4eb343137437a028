"""The tables of docs/replication.md, written into it from the JSON of a run."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.replication.models import PLANS
from benchmarks.replication.plot import TITLES

MARK = re.compile(r"(<!-- figures -->\n).*?(<!-- end of figures -->)", re.DOTALL)
TIMES = {"cpu_s": "alone", "batched_cpu_s": "16 together", "flops": "by FLOP"}


def write_tables(report: Mapping[str, Any], page: Path) -> None:
    """Replace what stands between the marks of a page; ValueError if they are not there."""
    text = page.read_text(encoding="utf-8")
    if not MARK.search(text):
        raise ValueError(f"{page}: no marks {MARK.pattern!r}")
    shown = "\n".join(lines(report))
    page.write_text(MARK.sub(lambda m: f"{m[1]}\n{shown}\n{m[2]}", text), encoding="utf-8")


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """All tables in Markdown, each followed by an empty line."""
    machine, pictures = report["machine"], report["pictures"]
    yield (
        f"{report['size_px']} px, {pictures['training']:,} pictures to learn from, "
        f"{pictures['validation']:,} to choose settings, {pictures['test']:,} for the figures; "
        f"{machine['cpu']}, {machine['threads']} thread of {machine['cores']} cores, load "
        f"{machine['load']:.1f}, PyTorch {machine['torch']}, fp32, "
        f"{report['date']}.\n"
    )
    yield from _trained(report["trained"])
    yield from _reconstruction(report["reconstruction"])
    yield from _points(report["points"])
    yield from _ratios(report["ratios"], report["points"])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|---|{'---:|' * (len(head) - 1)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _trained(trained: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    head = ["model", "weights", "samples seen", "planned", "training FLOP"]
    yield from _table(
        head,
        [
            [
                TITLES[each["model"]],
                f"{each['parameters'] / 1e6:.2f} M",
                f"{each['samples']:,}",
                f"{each['planned_samples']:,}",
                f"{each['flops'] / 1e12:.1f} T",
            ]
            for each in trained
        ],
    )


def _reconstruction(found: Mapping[str, float]) -> Iterator[str]:
    rows = [
        [name, f"{found[f'{kind}_kid']:.4f}", f"{found[f'{kind}_frechet']:.1f}"]
        for kind, name in (("discrete", "codes alone"), ("hybrid", "codes and residual"))
    ]
    rows.append(["two halves of the real pictures", f"{found['kid_of_two_halves']:.4f}", ""])
    yield from _table(["the tokenizer alone", "kid_efflite0", "frechet_efflite0"], rows)


def _points(points: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    head = ["model", "steps", "solver", "guidance", "kid_efflite0", "frechet_efflite0"]
    head += ["alone", "16 together", "FLOP"]
    rows = []
    for point in points:
        setting, (low, high) = point["setting"], point["kid_interval"]
        by_flow = PLANS[setting["model"]].kind == "dit"
        rows.append(
            [
                TITLES[setting["model"]],
                "" if setting["model"] == "var" else str(setting["steps"]),
                setting["solver"] if by_flow else "",
                f"{setting['guidance']:g}",
                f"{point['kid']:.4f} ({low:.4f} to {high:.4f})",
                f"{point['frechet']:.1f}",
                f"{1000 * point['cpu_s']:.0f} ms",
                f"{1000 * point['batched_cpu_s']:.1f} ms",
                f"{point['flops'] / 1e9:.2f} G",
            ]
        )
    yield from _table(head, rows)


def _ratios(
    ratios: Sequence[Mapping[str, Any]], points: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """One table for each DiT and metric."""
    names = {point["name"]: point for point in points}
    for metric in dict.fromkeys(each["metric"] for each in ratios):
        for dit in dict.fromkeys(each["dit"] for each in ratios):
            kept = [each for each in ratios if (each["metric"], each["dit"]) == (metric, dit)]
            head = [f"time of {TITLES[dit]} at equal {metric}_efflite0, over that of"]
            rows = []
            for name in dict.fromkeys(each["point"] for each in kept):
                setting = names[name]["setting"]
                steps = "" if setting["model"] == "var" else f", {setting['steps']} residual steps"
                by_time = {each["time"]: each for each in kept if each["point"] == name}
                rows.append(
                    [TITLES[setting["model"]] + steps, *(ratio_shown(by_time[t]) for t in TIMES)]
                )
            yield from _table([*head, *TIMES.values()], rows)


def ratio_shown(ratio: Mapping[str, Any]) -> str:
    """A ratio with its interval; `>` and `<` where it is a bound, `never` for an endless one."""
    low, high = ratio["interval"]
    sign = {"within": "", "never": "> ", "at most": "< "}[ratio["reach"]]
    ends = ["never" if end is None else f"{end:.2g}" for end in (low, high)]
    return f"{sign}{ratio['ratio']:.2g} ({ends[0]} to {ends[1]})"
