"""The picture of a report: curves of quality against time, and pictures of the models below."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.canvas import GRID, INK, PAPER, SMALL_PX, Canvas, Colour, text_ink
from benchmarks.replication.measure import Setting, drawing, splits_of
from benchmarks.replication.train import trained_model, trained_tokenizer
from hartsim.images import contact_sheet, resize
from hartsim.types import Image

COLOURS: Mapping[str, Colour] = {
    "hart": (214, 69, 65),
    "var": (242, 153, 74),
    "dit": (47, 110, 186),
    "dit-patch2": (39, 154, 126),
}
TITLES = {
    "hart": "HART",
    "var": "VAR",
    "dit": "DiT, patch 1",
    "dit-patch2": "DiT, patch 2",
}
PANELS = (
    ("cpu_s", "one picture: CPU seconds"),
    ("batched_cpu_s", "16 together: CPU seconds each"),
    ("flops", "one picture: FLOP"),
)
WIDTH, HEIGHT, MARGIN, LEFT = 1560, 520, 26, 76
BAR_PX = 24
SHOWN = 16
"""Pictures in a row."""
THUMB_PX = 80


@dataclass(frozen=True)
class Axis:
    """Numbers along a side of a panel, by their logarithms."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def around(cls, values: Sequence[float], start: float, end: float) -> "Axis":
        """One with some room on both sides of all values, which are above nought."""
        low, high = math.log10(min(values)), math.log10(max(values))
        room = 0.08 * max(high - low, 0.2)
        return cls(low - room, high + room, start, end)

    def place(self, value: float) -> float:
        """Where a value lies, in pixels; at the edge if it is beyond."""
        share = (math.log10(max(value, 1e-30)) - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round numbers in its range."""
        few = [1, 2, 5] if self.high - self.low < 2.2 else [1]
        powers = range(math.floor(self.low), math.ceil(self.high) + 1)
        values = [digit * 10.0**power for power in powers for digit in few]
        return [v for v in values if self.low <= math.log10(v) <= self.high]


def number(value: float) -> str:
    """Short, with the prefixes of units for what is large or small."""
    for size, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if value >= size:
            return f"{value / size:g} {prefix}"
    return f"{value:g}" if value >= 1e-3 else f"{value:.0e}"


def figure(report: Mapping[str, Any], rows: Sequence[tuple[str, Sequence[Image]]]) -> Image:
    """The panels of a report side by side, over rows of pictures with their names."""
    sheets = [(title, contact_sheet(list(images), len(images), 3)) for title, images in rows]
    row_height = sheets[0][1].shape[0] if sheets else 0
    canvas = Canvas(HEIGHT + 60 + len(sheets) * (row_height + 2), WIDTH)
    title = (
        f"Quality against cost, {report['size_px']} px: nearer to the lower left corner is better"
    )
    canvas.write((LEFT, 24), title, bar_px=BAR_PX + 3, bold=True)
    left = LEFT
    for name in dict.fromkeys(p["setting"]["model"] for p in report["points"]):
        canvas.disc((left + 8, 56), 6, COLOURS[name])
        label = TITLES[name] + (" (residual steps)" if name == "hart" else "")
        label += " (evaluations)" if name.startswith("dit") else ""
        canvas.write((left + 22, 56), label, bar_px=BAR_PX)
        left += 44 + text_ink(label, BAR_PX).shape[1]
    width = (WIDTH - LEFT - MARGIN - 2 * 64) // 3
    for index, (time, label) in enumerate(PANELS):
        _panel(canvas, report["points"], time, label, LEFT + index * (width + 64), width)
    top = HEIGHT + 40
    for title, sheet in sheets:
        canvas.write((12, top + row_height / 2), title, bar_px=SMALL_PX)
        canvas.paste(top, WIDTH - MARGIN - sheet.shape[1], sheet)
        top += row_height + 2
    return canvas.image()


def _panel(
    canvas: Canvas,
    points: Sequence[Mapping[str, Any]],
    time: str,
    label: str,
    left: int,
    width: int,
) -> None:
    """Kernel distance against one kind of cost."""
    top, bottom = 84, HEIGHT - 50
    x = Axis.around([p[time] for p in points], left, left + width)
    ends = [max(value, 1e-4) for p in points for value in (p["kid"], *p["kid_interval"])]
    y = Axis.around(ends, bottom, top)
    for tick in x.ticks():
        canvas.line((x.place(tick), top), (x.place(tick), bottom), GRID)
        canvas.write((x.place(tick), bottom + 16), number(tick), align=0.5)
    for tick in y.ticks():
        canvas.line((left, y.place(tick)), (left + width, y.place(tick)), GRID)
        canvas.write((left - 8, y.place(tick)), number(tick), align=1.0)
    canvas.line((left, top), (left, bottom), INK, 1.5)
    canvas.line((left, bottom), (left + width, bottom), INK, 1.5)
    canvas.write((left + width / 2, bottom + 40), label, bar_px=BAR_PX, align=0.5)
    if left == LEFT:
        canvas.write(
            (16, (top + bottom) / 2), "kid_efflite0", bar_px=BAR_PX, align=0.5, upward=True
        )
    for model in dict.fromkeys(p["setting"]["model"] for p in points):
        shown = sorted((p for p in points if p["setting"]["model"] == model), key=lambda p: p[time])
        spots = [(x.place(p[time]), y.place(max(p["kid"], 1e-4))) for p in shown]
        for a, b in itertools.pairwise(spots):
            canvas.line(a, b, COLOURS[model], 2.4)
        for index, (point, spot) in enumerate(zip(shown, spots, strict=True)):
            low, high = (y.place(max(value, 1e-4)) for value in point["kid_interval"])
            canvas.line((spot[0], low), (spot[0], high), COLOURS[model], 1.2)
            canvas.disc(spot, 6, PAPER)
            canvas.disc(spot, 5, COLOURS[model])
            if model != "var":
                steps, before = str(point["setting"]["steps"]), model == "hart" and index % 2 == 0
                place = (spot[0] - 8 if before else spot[0] + 8, spot[1] - 11)
                canvas.write(place, steps, COLOURS[model], align=float(before))


def pictures_of(
    report: Mapping[str, Any], out: Path, data: Path
) -> list[tuple[str, Sequence[Image]]]:
    """Rows of pictures from the same captions: real ones, and those of chosen points."""
    _, test = splits_of(data)
    picks = [*range(SHOWN)]
    real = list(test.corpus.batch([test.picks[pick] for pick in picks]))
    tokenizer = trained_tokenizer(out)
    rows: list[tuple[str, Sequence[Image]]] = [("held out", real)]
    for fields in _rows_shown([point["setting"] for point in report["points"]]):
        setting = Setting(**fields)
        model, _ = trained_model(setting.model, out / "models")
        draw = drawing(setting, model, tokenizer)
        made = draw([test.prompts[pick] for pick in picks], [f"picture {pick}" for pick in picks])
        steps = "" if setting.model == "var" else f", {setting.steps}"
        rows.append((TITLES[setting.model] + steps, list(made.numpy())))
    size = (THUMB_PX, THUMB_PX)
    return [(title, [resize(image, size) for image in images]) for title, images in rows]


def _rows_shown(settings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The points of which pictures are shown."""
    wanted = {"hart": (8,), "var": (0,), "dit": (4, 20), "dit-patch2": (4, 20)}
    return [each for each in settings if each["steps"] in wanted[each["model"]]]
