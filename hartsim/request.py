"""What a run is asked for, the samples that it has to make, and what its scenes cover.

All of it is known before anything is drawn.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hartsim.config import RunConfig
from hartsim.dataset.layout import MARKER, read_marker
from hartsim.dataset.reader import read_samples
from hartsim.errors import ConfigError
from hartsim.scenario.compiler import compile_scenario
from hartsim.scenario.coverage import (
    Coverage,
    Values,
    catalogue_values,
    cover,
    possible_values,
    require_factors,
    values_of,
)
from hartsim.scenario.draw import fixed
from hartsim.scenario.library import find_scenarios
from hartsim.scenario.load import load_scenario
from hartsim.scenario.samplers import Sampler, Sampling, make_sampler
from hartsim.scenario.schema import Scenario
from hartsim.simulators import described, lacking, require_showable
from hartsim.types import Route

USUAL_COUNT = 8
"""Scenes of each scenario, where neither the request nor a sampler's plan says how many."""


@dataclass(frozen=True)
class GenerateRequest:
    """What `hartsim generate` was asked for; `shard` is (i, n), i counted from 0.

    `count` None takes as many scenes as complete a sampler's plan, or `USUAL_COUNT`. Samples show
    the scene after so many seconds of driving as `moments_s` says. `replay` is a dataset whose
    scenes CARLA recorded, to be shown once more from its recordings; `scene` changes what all
    scenarios say of their scenes, such as {"weather": "fog"}.
    """

    scenarios: tuple[str, ...]
    count: int | None
    seed: int
    out: Path
    routes: tuple[Route, ...]
    views: tuple[str, ...]
    shard: tuple[int, int] | None
    config: RunConfig
    moments_s: tuple[float, ...] = (0.0,)
    replay: Path | None = None
    scene: Mapping[str, str] = field(default_factory=dict)


Shot = tuple[float, str]
"""A picture of a scene: after how many seconds, by which camera."""


@dataclass(frozen=True)
class Wanted:
    """A sample to be made: its id says scenario, index, route, view and, later ones, when."""

    sampler: Sampler
    index: int
    route: Route
    view: str
    moment_s: float = 0.0

    @property
    def scenario(self) -> Scenario:
        """What its scene is drawn from."""
        return self.sampler.scenario

    @property
    def key(self) -> str:
        """The key of its scene."""
        return f"{self.scenario.name}-{self.index:05d}"

    @property
    def id(self) -> str:
        """The name of its folder."""
        when = f"-{round(1000 * self.moment_s):06d}ms" if self.moment_s else ""
        return f"{self.key}-{self.route}-{self.view}{when}"

    @property
    def shot(self) -> Shot:
        """Which picture of the scene it rests on."""
        return self.moment_s, self.view


def plan(request: GenerateRequest, left_out: dict[str, str] | None = None) -> list[Wanted]:
    """All samples that the request, or its shard, asks for: scene by scene.

    `left_out` is filled with the scenes that the simulator is known not to have, and why.
    """
    scenarios = read_scenarios(request.scenarios, request.scene)
    require_showable(scenarios, request.config)
    for scenario in scenarios:
        require_views(scenario, request.views)
    looks = looks_of(request.routes, request.views, request.moments_s)
    wanted = (
        Wanted(sampler, index, route, view, moment_s)
        for sampler in samplers(scenarios, request.seed, request.count, request.config)
        for index in shown_indices(sampler, request, left_out)
        for route, view, moment_s in looks
    )
    return [each for each in wanted if in_shard(each.id, request.shard)]


def looks_of(
    routes: Sequence[Route], views: Sequence[str], moments_s: Sequence[float]
) -> list[tuple[Route, str, float]]:
    """The samples of one scene; a view is made once, as of the first moment."""
    return [
        (route, view, moment_s)
        for moment_s in moments_s
        for route in routes
        for view in views
        if route != "view" or moment_s == moments_s[0]
    ]


def shown_indices(
    sampler: Sampler, request: GenerateRequest, left_out: dict[str, str] | None = None
) -> list[int]:
    """The numbers of the draws that the simulator can show, as far as one knows beforehand."""
    indices = list(range(count_of(sampler, request.count)))
    if request.config.world.simulator == "embedded":
        return indices
    reasons = {k: lacking(sampler.draw(k).scenario, request.config) for k in indices}
    if left_out is not None:
        name = sampler.scenario.name
        left_out |= {f"{name}-{k:05d}": reason for k, reason in reasons.items() if reason}
    return [k for k in indices if not reasons[k]]


def samplers(
    scenarios: Sequence[Scenario], seed: int, count: int | None, config: RunConfig
) -> list[Sampler]:
    """How each scenario is drawn from."""
    sampling = Sampling(**asdict(config.draw))
    return [make_sampler(each, seed, sampling, count or USUAL_COUNT) for each in scenarios]


def count_of(sampler: Sampler, count: int | None) -> int:
    """How many scenes of a scenario are wanted."""
    return count or sampler.size or USUAL_COUNT


def asked_for(dataset: Path) -> int:
    """How many samples the request behind a dataset, or behind the shards of one, asks for."""
    request = read_marker(dataset)["request"]
    looks = looks_of(request["routes"], request["views"], request.get("moments_s", [0.0]))
    return len(looks) * sum(int(count) for count in request["count"].values())


def read_scenarios(names: Sequence[str], scene: Mapping[str, str] | None = None) -> list[Scenario]:
    """The scenarios behind file names, library names and folders; their own names must differ.

    `scene` takes the place of what they say, or draw, of their scenes.
    """
    by_name: dict[str, Scenario] = {}
    for scenario in (load_scenario(path) for path in find_scenarios(names)):
        if scene:
            paths = {f"scene.{name}": value for name, value in scene.items()}
            scenario = fixed(scenario, paths)
        other = by_name.setdefault(scenario.name, scenario)
        if other is not scenario:
            raise ConfigError(
                f"{scenario.source} and {other.source} are both called '{scenario.name}'; "
                "sample ids need distinct names"
            )
    return list(by_name.values())


def require_views(scenario: Scenario, views: Iterable[str]) -> None:
    """ConfigError where a scenario lacks one of these cameras."""
    for view in views:
        if view not in scenario.cameras:
            known = ", ".join(scenario.cameras)
            raise ConfigError(f"{scenario.source}: no camera '{view}'; there are {known}")


def in_shard(sample_id: str, shard: tuple[int, int] | None) -> bool:
    """Whether a sample belongs to a shard: decided by its id alone."""
    return shard is None or zlib.crc32(sample_id.encode()) % shard[1] == shard[0]


def coverage_of(
    names: Sequence[str],
    factors: Sequence[str],
    count: int | None,
    seed: int,
    config: RunConfig,
) -> tuple[int, Coverage, Coverage]:
    """How many scenes there are, and what they cover of the factors singly and in pairs.

    They are draws of scenarios, held against all that these can show, or those of a dataset, held
    against the catalogue.
    """
    if len(names) == 1 and (Path(names[0]) / MARKER).is_file():
        seen, possible = covered_by_dataset(Path(names[0]), factors)
    else:
        scenarios = read_scenarios(names)
        require_factors(scenarios, factors)
        seen = [
            values_of(compile_scenario(sampler.draw(index)), sampler.scenario, factors)
            for sampler in samplers(scenarios, seed, count, config)
            for index in range(count_of(sampler, count))
        ]
        possible = [part for each in scenarios for part in possible_values(each, factors)]
    singles, pairs = (cover(seen, possible, factors, ways) for ways in (1, 2))
    return len(seen), singles, pairs


def covered_by_dataset(root: Path, factors: Sequence[str]) -> tuple[list[Values], list[Values]]:
    """The tags of a dataset's scenes, and all that the catalogue has for their tasks."""
    require_factors((), factors)
    tags = {(each.scenario, each.index): each.tags for each in read_samples(root)}
    seen: list[Values] = [{name: each[name] for name in factors} for each in tags.values()]
    tasks = sorted({task for each in tags.values() for task in each["task"]})
    return seen, [catalogue_values("robot" if t == "robot" else "driving", factors) for t in tasks]


def describe_request(
    request: GenerateRequest, weights_hash: str, simulator: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What must be equal for a run to continue in a folder: all that decides a sample's bytes.

    `simulator` says which one it is, where that is not the embedded one.
    """
    scenarios = read_scenarios(request.scenarios, request.scene)
    drawn = samplers(scenarios, request.seed, request.count, request.config)
    description: dict[str, Any] = {
        "scenarios": {each.scenario.name: each.scenario.source_hash for each in drawn},
        "count": {each.scenario.name: len(shown_indices(each, request)) for each in drawn},
        "seed": request.seed,
        "routes": list(request.routes),
        "views": list(request.views),
        "weights": weights_hash,
        "config": described(request.config),
    }
    if request.moments_s != (0.0,):
        description["moments_s"] = list(request.moments_s)
    if request.scene:
        description["scene"] = dict(request.scene)
    if simulator:
        description["simulator"] = dict(simulator)
    return description
