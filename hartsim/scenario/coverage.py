"""What a set of scenes covers: which values of its factors occur, alone and in pairs.

A factor is a group of tags (`weather`, `hazard`, `nhtsa` …) or a varied path (`hazards.deer.kind`,
`driving.speed_mps`, whose range is cut into parts). A scene has one value of most factors and may
have several of some, such as two hazards.
"""

import itertools
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from hartsim.errors import ScenarioError
from hartsim.scenario.catalogue import ids_of
from hartsim.scenario.compiled import TAG_GROUPS, CompiledScene
from hartsim.scenario.compiler import compile_scenario
from hartsim.scenario.draw import draw_at
from hartsim.scenario.kinds import kinds_of
from hartsim.scenario.samplers import level_names, level_of, levels_of
from hartsim.scenario.schema import Scenario
from hartsim.scenario.surroundings import GROUNDS, PLACES, TIMES, WEATHERS
from hartsim.scenario.words import suggestion
from hartsim.types import Task

Values = Mapping[str, Collection[str]]
"""The values that a scene has, or may have, by factor."""
Combination = tuple[tuple[str, str], ...]
"""Factors with a value each, in the order asked for."""

LEVELS = 3
"""Parts into which the ranges of numbers are cut."""
DECIDE_TAGS = ("kind", "place", "weather", "ground", "time_of_day")
"""The fields that tags follow from."""
MOST = 5000
"""Combinations of a scenario's options that are compiled to learn which tags can occur together."""


@dataclass(frozen=True)
class Coverage:
    """How often each combination of `ways` factors that can occur does occur."""

    factors: tuple[str, ...]
    ways: int
    counts: Mapping[Combination, int]

    @property
    def share(self) -> float:
        """The part of all combinations that occurs at least once; 1 where there are none."""
        return 1 - len(self.missing) / len(self.counts) if self.counts else 1.0

    @property
    def missing(self) -> list[Combination]:
        """The combinations that never occur."""
        return [each for each, count in self.counts.items() if not count]


def cover(
    seen: Iterable[Values], possible: Iterable[Values], factors: Sequence[str], ways: int
) -> Coverage:
    """What the scenes `seen` cover of all that is `possible`, which may be given in parts.

    A combination counts as possible if one of the parts has all its values.
    """
    counts: dict[Combination, int] = {}
    for part in possible:
        counts |= dict.fromkeys(combinations(part, factors, ways), 0)
    found = Counter(each for values in seen for each in combinations(values, factors, ways))
    return Coverage(tuple(factors), ways, {each: found[each] for each in sorted(counts)})


def combinations(values: Values, factors: Sequence[str], ways: int) -> set[Combination]:
    """All ways to take one value of each of `ways` factors."""
    return {
        tuple(zip(chosen, picked, strict=True))
        for chosen in itertools.combinations(factors, ways)
        for picked in itertools.product(*(values.get(factor, ()) for factor in chosen))
    }


def values_of(scene: CompiledScene, source: Scenario, factors: Sequence[str]) -> Values:
    """The values of the factors in a scene that was drawn from `source`."""
    found: dict[str, Collection[str]] = {}
    for factor in factors:
        if factor in TAG_GROUPS:
            found[factor] = scene.tags[factor]
        elif factor in scene.drawn:
            spread = source.vary[factor]
            found[factor] = (level_of(spread, scene.drawn[factor], LEVELS),)
    return found


def possible_values(scenario: Scenario, factors: Sequence[str]) -> list[Values]:
    """All that draws of a scenario can show, one part for each combination of its options.

    ScenarioError where those that decide tags have more than `MOST` combinations.
    """
    telling = {
        path: levels_of(spread, 1)
        for path, spread in scenario.vary.items()
        if spread.kind == "choice" and path.split(".")[-1] in DECIDE_TAGS
    }
    size = math.prod(len(options) for options in telling.values())
    if size > MOST:
        raise ScenarioError(f"{scenario.source}: {size} combinations of options; at most {MOST}")
    levels = {
        factor: level_names(scenario.vary[factor], LEVELS)
        for factor in factors
        if factor in scenario.vary and factor not in telling
    }
    parts: list[Values] = []
    for chosen in itertools.product(*telling.values()):
        middles = {path: sum(part) / 2 for path, part in zip(telling, chosen, strict=True)}
        point = dict.fromkeys(scenario.vary, 0.5) | middles
        scene = compile_scenario(draw_at(scenario, 0, 0, point))
        parts.append({**values_of(scene, scenario, factors), **levels})
    return parts


def catalogue_values(task: Task, factors: Sequence[str]) -> Values:
    """All that scenes of a task can show at all: what the catalogue has of each tag."""
    kinds = kinds_of(task, hazard=True)
    places = [PLACES[each] for each in ids_of("place", task)]
    weathers = [WEATHERS[each] for each in ids_of("weather", task)]
    times = [TIMES[each] for each in ids_of("time_of_day", task)]
    odds = [p.odd for p in places] + [k.odd for k in kinds]
    grounds = [GROUNDS[each] for each in ids_of("ground", task)]
    odds += [g.odd for g in grounds]
    odds += [w.odd for w in weathers] + [t.odd for t in times]
    sotifs = (
        [k.sotif for k in kinds]
        + [g.sotif for g in grounds]
        + [w.sotif for w in weathers]
        + [t.sotif for t in times]
    )
    known: dict[str, Iterable[str]] = {
        "task": (task,),
        "place": (each.id for each in places),
        "weather": (each.id for each in weathers),
        "ground": (each.id for each in grounds),
        "time_of_day": (each.id for each in times),
        "hazard": (each.id for each in kinds),
        "class": (kind.class_name for kind in kinds),
        "nhtsa": (id for kind in kinds for id in kind.nhtsa),
        "odd": (id for odd in odds for id in odd),
        "sotif": (id for sotif in sotifs for id in sotif),
    }
    return {factor: tuple(dict.fromkeys(known[factor])) for factor in factors if factor in known}


def require_factors(scenarios: Sequence[Scenario], factors: Sequence[str]) -> None:
    """ScenarioError for a factor that is neither a group of tags nor varied in any scenario."""
    known = [*TAG_GROUPS, *dict.fromkeys(path for each in scenarios for path in each.vary)]
    for factor in factors:
        if factor not in known:
            raise ScenarioError(
                f"nothing to cover is called '{factor}'; {suggestion(factor, known)}"
            )


def as_svg(pairs: Coverage) -> str:
    """A picture of pairwise coverage: every value against every value of another factor.

    The darker a cell the oftener the pair occurs; crossed out is what never does, and blank what
    cannot.
    """
    order = {factor: index for index, factor in enumerate(pairs.factors)}
    columns = sorted({pair[0] for pair in pairs.counts}, key=lambda each: (order[each[0]], each[1]))
    rows = sorted({pair[1] for pair in pairs.counts}, key=lambda each: (order[each[0]], each[1]))
    most = max(pairs.counts.values(), default=0) or 1
    margin = 16 + 7 * max((len(name) for _, name in (*columns, *rows)), default=0)
    width, height = (margin + CELL_PX * len(each) + 10 for each in (columns, rows))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for index, (factor, name) in enumerate(rows):
        place = f'x="{margin - 6}" y="{margin + CELL_PX * index + 13}" text-anchor="end"'
        parts.append(_text(place, name, order[factor]))
    for index, (factor, name) in enumerate(columns):
        spot = f"translate({margin + CELL_PX * index + 13} {margin - 6}) rotate(-90)"
        parts.append(_text(f'transform="{spot}"', name, order[factor]))
    for pair, count in pairs.counts.items():
        x, y = (margin + CELL_PX * each for each in (columns.index(pair[0]), rows.index(pair[1])))
        shade = f'fill="#2b6cb0" fill-opacity="{0.15 + 0.85 * count / most:.2f}"'
        parts.append(
            f'<rect x="{x}" y="{y}" width="{CELL_PX - 1}" height="{CELL_PX - 1}" '
            f"{shade if count else NEVER}>"
            f"<title>{escape(f'{pair[0][1]} with {pair[1][1]}: {count}')}</title></rect>"
        )
        if not count:
            parts.append(f'<path d="M{x + 4} {y + 4}l9 9m0-9l-9 9" stroke="#c0392b"/>')
    return "\n".join([*parts, "</svg>", ""])


def _text(place: str, words: str, factor: int) -> str:
    return f'<text {place} fill="{INKS[factor % len(INKS)]}">{escape(words)}</text>'


NEVER = 'fill="#fbe3df"'
CELL_PX = 18
INKS = ("#1a365d", "#22543d", "#742a2a", "#44337a", "#5f370e")
