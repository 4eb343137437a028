"""What a run in CARLA would do, scene by scene, without doing it; a server need not be there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hartsim.request import GenerateRequest, count_of, read_scenarios, require_views, samplers
from hartsim.scenario.compiled import CompiledScene
from hartsim.scenario.compiler import compile_scenario
from hartsim.simulators import address_of, map_of, require_showable

if TYPE_CHECKING:
    from hartsim.adapters.carla.plan import ScenePlan, Server

WARM_UP_TICKS, SETTING_TICKS, LOOKING_TICKS = 4, 1, 3
"""What a setup takes at least, with its settings, and what looking for paint takes."""
VIEWS = 4
"""Sensors at the place of every camera: colour, depth, classes, objects."""


@dataclass(frozen=True)
class Rehearsal:
    """One scene of a run: what it is, what it would be in CARLA, how many ticks it would take."""

    scene: CompiledScene
    plan: "ScenePlan"
    surfaces: tuple[str, ...]
    ticks: int


def server_of(request: GenerateRequest) -> "Server":
    """What the server of a run has; WorldError where none answers. Nothing on it is changed."""
    from hartsim.adapters.carla.plan import read_server

    return read_server(address_of(request.config.carla))


def rehearse(request: GenerateRequest, server: "Server | None") -> Iterator[Rehearsal]:
    """The scenes of a request, with what the server has or, without one, what CARLA should have."""
    from hartsim.adapters.carla.plan import paintable, plan_scene

    scenarios = read_scenarios(request.scenarios, request.scene)
    require_showable(scenarios, request.config)
    for scenario in scenarios:
        require_views(scenario, request.views)
    config = request.config
    for sampler in samplers(scenarios, request.seed, request.count, config):
        for index in range(count_of(sampler, request.count)):
            scene = compile_scenario(sampler.draw(index), config.render.look)
            plan = plan_scene(scene.setup, map_of(config.carla), server)
            painted = "texture" in request.routes
            surfaces = tuple(paintable(list(scene.texture_prompts))) if painted else ()
            yield Rehearsal(scene, plan, surfaces, ticks_of(request))


def ticks_of(request: GenerateRequest) -> int:
    """How many times the world has to tick for one scene, at least.

    Of the models, it is hart-mini that lays views out by what the world shows.
    """
    last_s, painted = max(request.moments_s), "texture" in request.routes
    laid_out = request.config.render.layout and request.config.hart.name == "mini"
    plain = any(route != "view" or laid_out for route in request.routes)
    plays = int(plain) + int(painted and last_s > 0)
    setups = plays + int(painted)
    driving = plays * round(last_s / request.config.carla.tick_s)
    return setups * (WARM_UP_TICKS + SETTING_TICKS) + driving + painted * LOOKING_TICKS


def sensors_of(request: GenerateRequest, scene: CompiledScene) -> int:
    """How many sensors a scene has."""
    return VIEWS * len(scene.setup.cameras) + request.config.carla.lidar
