"""Reports as tables of words, for a screen or a page: the first row says what the columns are."""

from collections.abc import Sequence

from hartsim.bench.quality.figures import Findings, Row
from hartsim.bench.quality.measure import Report

Table = list[list[str]]

TITLES = {
    "distances": "Distances to held-out pictures",
    "hazards": "Hazards that prompts ask for",
    "attributes": "Weather, hour and place",
    "agreement": "Repaints and their labels",
    "diversity": "Diversity, and distance from what was learned",
    "seams": "Seams of textures",
}
SHARES = ("present", "alarms", "right", "nearer")


def heading(report: Report) -> str:
    """What was measured, and on what."""
    kind = "shipped weights" if report.shipped else "weights"
    held = ", ".join(f"{count} {look}" for look, count in report.held_out.items())
    return (
        f"{report.model}, {report.size_px} px, {kind} {report.weights}, compared at "
        f"{report.compared_px} px; {report.count} captions, seed {report.seed}; corpus of "
        f"{report.learned} training pictures and held out {held}; {report.date}"
    )


def taught(report: Report) -> list[str]:
    """A line for each judge."""
    return [
        f"{judge.name}: {judge.parameters / 1e6:.2f} M parameters, {judge.steps} steps on "
        f"{judge.pictures} pictures in {judge.minutes:.1f} min"
        for judge in report.judges
    ]


def tables(findings: Findings) -> list[Table]:
    """One table for each figure: groups of pictures down, sets of them across."""
    figures = list(dict.fromkeys(row.figure for row in findings.rows))
    return [_table([row for row in findings.rows if row.figure == name]) for name in figures]


def _table(rows: Sequence[Row]) -> Table:
    sets = list(dict.fromkeys(row.of for row in rows))
    groups = sorted(dict.fromkeys(row.group for row in rows), key=group_rank)
    places = {(row.group, row.of): row for row in rows}
    table = [[rows[0].figure, *sets]]
    for group in groups:
        found = [places.get((group, of)) for of in sets]
        table.append([group, *("" if row is None else cell(row) for row in found)])
    return table


def group_rank(group: str) -> tuple[int, float, str]:
    """All first, then looks, then sizes in their order, then classes and kinds."""
    if group == "all":
        return 0, 0, ""
    if group.endswith(" px"):
        number = group.removesuffix(" px").split("-")[0]
        return 2, float(number.lstrip("<>")) - number.startswith("<") + number.startswith(">"), ""
    return (3 if " " in group else 1), 0, group


def cell(row: Row) -> str:
    """A value with its interval and count."""
    share = any(word in row.figure for word in SHARES)
    value, low, high = (number(each, share) for each in (row.value, row.low, row.high))
    return f"{value} [{low}, {high}] n={row.n}"


def number(value: float, share: bool = False) -> str:
    """Three digits, or whole per cents."""
    if share:
        return f"{100 * value:.0f} %"
    size = abs(value)
    return f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.3f}"
