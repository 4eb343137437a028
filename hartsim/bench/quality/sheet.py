"""A report as one picture: bars with their intervals, and rows of what was drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hartsim.bench.quality import show
from hartsim.bench.quality.diversity import nearest
from hartsim.bench.quality.figures import Row
from hartsim.bench.quality.materials import Materials
from hartsim.bench.quality.measure import Report
from hartsim.images import captioned, resize
from hartsim.types import Image

WIDTH, COLUMNS, GAP = 1560, 2, 24
PAPER, TRACK, WHISKER = 24, 44, (236, 236, 236)
INK = {
    "true": (122, 162, 120),
    "other": (122, 162, 120),
    "held": (122, 162, 120),
    "copies": (150, 110, 110),
    "training": (122, 162, 120),
    "calm": (150, 110, 110),
    "commonest": (110, 110, 110),
    "prompt alone": (150, 110, 110),
}
"""By how the name of a set begins; what was made by the model is blue."""
MADE = (88, 142, 204)
LABEL_PX, VALUE_PX, LINE_PX, TITLE_PX = 250, 178, 20, 26
SHOWN, PICTURE_PX = 10, 148
PAIRS = 8


@dataclass(frozen=True)
class Panel:
    """Bars under one title."""

    title: str
    bars: tuple[tuple[str, Row], ...]
    most: float | None = None
    """Where the bars would end; None is where the highest interval does."""


@dataclass(frozen=True)
class Strip:
    """A row of pictures and what they are."""

    title: str
    images: tuple[Image, ...]


def sheet(report: Report, strips: Sequence[Strip]) -> Image:
    """All of it, as wide as `WIDTH`."""
    parts = [_line(f"hartsim bench quality: {report.model}", WIDTH, 34)]
    heading = show.heading(report)
    parts += [_line(part, WIDTH, LINE_PX) for part in heading.split("; ")]
    width = (WIDTH - (COLUMNS + 1) * GAP) // COLUMNS
    drawn = [_draw_panel(panel, width) for panel in panels(report) if panel.bars]
    parts.append(_columns(drawn, width))
    parts += [_draw_strip(strip) for strip in strips if strip.images]
    return np.concatenate([*(_padded(part, WIDTH) for part in parts), _blank(GAP, WIDTH)])


def panels(report: Report) -> list[Panel]:
    """What is worth a bar."""
    rows = [row for findings in report.findings for row in findings.rows]

    def those(figure: str, group: str = "all") -> list[tuple[str, Row]]:
        return [(r.of, r) for r in rows if r.figure == figure and r.group == group]

    def by_group(figure: str, end: str) -> list[tuple[str, Row]]:
        found = [r for r in rows if r.figure == figure and r.group.endswith(end)]
        found.sort(key=lambda row: show.group_rank(row.group))
        return [(f"{row.group}, {row.of}", row) for row in found]

    told = [
        (f"{name.replace('_', ' ')}, {of}", row)
        for name in ("weather", "time_of_day", "place")
        for of, row in those(f"{name} right")
    ]
    made = [("all", row) for row in rows if row.figure == "seam energy"]
    return [
        Panel("KID in EfficientNet-Lite0 features (less is better)", (*those("kid_efflite0"),)),
        Panel(
            "Frechet distance in EfficientNet-Lite0 features (less is better)",
            (*those("frechet_efflite0"),),
        ),
        Panel("SSIM of reconstructions", (*those("ssim"),), 1),
        Panel("Hazard class seen by the classifier", (*those("class present (classifier)"),), 1),
        Panel("Hazard class seen by the segmenter", (*those("class present (segmenter)"),), 1),
        Panel("Hazard kind seen by the classifier", (*those("kind present (classifier)"),), 1),
        Panel(
            "Hazard class seen more often than in calm pictures",
            tuple(
                (f"{of}, {judge}", row)
                for judge in ("classifier", "segmenter")
                for of, row in those(f"class present more than when calm ({judge})")
            ),
            1,
        ),
        Panel(
            "Hazard class seen, by size in a 256-px frame",
            (*by_group("class present (classifier)", " px"),),
            1,
        ),
        Panel("As the prompt says", (*told,), 1),
        Panel("Label agreement of repaints: mIoU over true frames'", (*those("agreement"),), 1),
        Panel(
            "The same of things of 400 px and more: mean IoU over true frames'",
            (*those("agreement of things"),),
            1,
        ),
        Panel("IoU of things, by size in a 256-px frame", (*by_group("IoU of things", " px"),), 1),
        Panel("Mean pairwise distance (more is more diverse)", (*those("mean pairwise distance"),)),
        Panel(
            "Nearest training picture: distance over held-out pictures'",
            (*those("nearest distance over held-out"),),
        ),
        Panel(
            "Share nearer than 1 % of held-out (1 % is no memory)",
            (*those("nearer than 1 % of held-out"),),
            1,
        ),
        Panel("Seam energy of textures (1 is no seam)", tuple((r.of, r) for _, r in made)),
    ]


def strips_of(materials: Materials) -> list[Strip]:
    """Examples of what was made for the measures; nothing is drawn for them."""
    m, strips = materials, list[Strip]()
    made = vars(materials)
    if "reconstructed" in made:
        picks = m.picks[:SHOWN]
        strips += [
            Strip("held-out", tuple(m.frames(picks))),
            Strip("reconstructed", tuple(m.reconstructed[0][:SHOWN])),
            Strip("reconstructed, discrete", tuple(m.reconstructed[1][:SHOWN])),
        ]
        hybrid, discrete = m.drawn(picks)
        strips += [
            Strip("generated from their captions", tuple(hybrid)),
            Strip("generated, discrete", tuple(discrete)),
        ]
    if "calm" in made:
        picks = m.hazardous[:SHOWN]
        strips += [
            Strip("frames with hazards", tuple(m.frames(picks))),
            Strip("generated from their captions", tuple(m.drawn(picks)[0])),
        ]
        choices = m.hart.config.choices
        if "best" in made:
            strips.append(Strip(f"best of {choices}", tuple(m.best[:SHOWN])))
        if "laid_out" in made:
            strips.append(Strip(f"by layout, best of {choices}", tuple(m.laid_out[:SHOWN])))
        strips.append(Strip("calm prompts", tuple(m.calm[:SHOWN])))
    if m.repainted:
        strips.append(Strip("frames to repaint", tuple(m.frames(m.framed[:SHOWN]))))
        strips += [Strip(f"repainted: {of}", tuple(x[:SHOWN])) for of, x in m.repainted.items()]
    if "learned_features" in made and "drawn_features" in made:
        strips += _nearest_pairs(m)
    return strips


def _nearest_pairs(m: Materials) -> list[Strip]:
    scenes = m.scenes_picked
    if not scenes:
        return []
    near = nearest(m.drawn_features[scenes], m.learned_features)
    order = near.distances.argsort()[:PAIRS]
    learned = [int(m.learned_places[near.places[i]]) for i in order]
    return [
        Strip(
            "generated, nearest to a training picture",
            tuple(m.drawn([m.picks[scenes[i]] for i in order])[0]),
        ),
        Strip("that training picture", tuple(m.learned.batch([i])[0] for i in learned)),
    ]


def _draw_panel(panel: Panel, width: int) -> Image:
    most = panel.most or max(max(row.high, row.value) for _, row in panel.bars) * 1.02
    lines = [_line(panel.title, width, TITLE_PX)]
    lines += [_bar(name, row, max(most, 1e-9), width) for name, row in panel.bars]
    return np.concatenate([*lines, _blank(GAP // 2, width)])


def _bar(name: str, row: Row, most: float, width: int) -> Image:
    length = width - LABEL_PX - VALUE_PX
    track = np.full((LINE_PX, length, 3), PAPER, np.uint8)
    track[4:-4] = TRACK

    def place(value: float) -> int:
        return round(min(max(value / most, 0.0), 1.0) * (length - 2))

    ink = next((ink for start, ink in INK.items() if row.of.startswith(start)), MADE)
    track[4:-4, : max(1, place(row.value))] = ink
    low, high = place(row.low), place(row.high)
    middle = LINE_PX // 2
    track[middle - 1 : middle + 1, low : high + 1] = WHISKER
    for end in (low, high):
        track[middle - 4 : middle + 4, end : end + 2] = WHISKER
    share = any(word in row.figure for word in show.SHARES)
    low_high = "-".join(show.number(each, share).removesuffix(" %") for each in (row.low, row.high))
    value = f" {show.number(row.value, share)} ({low_high})"
    return np.concatenate(
        [_line(name, LABEL_PX, LINE_PX), track, _line(value, VALUE_PX, LINE_PX)], axis=1
    )


def _draw_strip(strip: Strip) -> Image:
    small = [resize(image, (PICTURE_PX, PICTURE_PX)) for image in strip.images]
    gap = _blank(PICTURE_PX, 4)
    row = np.concatenate([part for image in small for part in (image, gap)], axis=1)
    return np.concatenate([_line(strip.title, row.shape[1], LINE_PX), row, _blank(4, row.shape[1])])


def _columns(parts: Sequence[Image], width: int) -> Image:
    """The parts in columns, each under the shortest."""
    columns: list[list[Image]] = [[] for _ in range(COLUMNS)]
    for part in parts:
        min(columns, key=lambda column: sum(len(each) for each in column)).append(part)
    height = max(sum(len(each) for each in column) for column in columns)
    stacked = []
    for column in columns:
        whole = np.concatenate([_blank(GAP, width), *column])
        below = _blank(height + GAP - len(whole), width)
        stacked += [np.concatenate([whole, below]), _blank(height + GAP, GAP)]
    return np.concatenate(stacked, axis=1)


def _line(text: str, width: int, height_px: int) -> Image:
    """A line of text, cut off where it is too long."""
    plain = np.full((1, width, 3), PAPER, np.uint8)
    line: Image = captioned(plain, text, height_px)[1:]
    return line


def _blank(height: int, width: int) -> Image:
    return np.full((height, width, 3), PAPER, np.uint8)


def _padded(part: Image, width: int) -> Image:
    """A part with paper to its left and right."""
    part = part[:, : width - GAP]
    right = width - GAP - part.shape[1]
    return np.concatenate([_blank(len(part), GAP), part, _blank(len(part), right)], axis=1)
