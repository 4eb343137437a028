"""What a scene would be in CARLA, without changing anything on a server, or without one at all."""

from collections.abc import Sequence
from dataclasses import dataclass

from hartsim.adapters.carla.blueprints import (
    Blueprint,
    Prototype,
    blueprints_of,
    choose,
    prototype_for,
)
from hartsim.adapters.carla.connection import ServerAddress, connect
from hartsim.adapters.carla.roads import MAPS, map_for, stretches_of
from hartsim.adapters.carla.surfaces import SURFACES
from hartsim.adapters.carla.weather import conditions_of, weather_numbers
from hartsim.errors import WorldError
from hartsim.scenario.compiled import PlacedObject, WorldSetup

CURRENT = "current"


@dataclass(frozen=True)
class Server:
    """What a server was found to have; `starts` are its places to start from."""

    version: str
    map_name: str
    maps: tuple[str, ...]
    blueprints: tuple[Blueprint, ...]
    starts: int


@dataclass(frozen=True)
class ThingPlan:
    """What would stand for a thing of a scene; `trouble` says why nothing can."""

    name: str
    kind: str
    hazard: bool
    blueprint: str
    note: str = ""
    trouble: str = ""


@dataclass(frozen=True)
class ScenePlan:
    """What would be shown of a scene; `trouble` says what speaks against it."""

    map_name: str
    things: tuple[ThingPlan, ...]
    weather: dict[str, float]
    trouble: tuple[str, ...]


def read_server(address: ServerAddress) -> Server:
    """What a server has; nothing on it is changed."""
    connection = connect(address)
    with connection.asking("what it has"):
        world = connection.world
        return Server(
            connection.version,
            connection.map_name,
            tuple(connection.maps()),
            blueprints_of(world.get_blueprint_library()),
            len(stretches_of(world.get_map())),
        )


def plan_scene(setup: WorldSetup, map_name: str, server: Server | None) -> ScenePlan:
    """What a setup would become; `map_name` is as `CarlaWorld` takes it."""
    trouble: list[str] = []
    things = tuple(_plan_thing(each, setup.decor_seed, server) for each in setup.objects)
    trouble += [f"{each.name}: {each.trouble}" for each in things if each.trouble]
    chosen, weather = "", dict[str, float]()
    try:
        chosen = _plan_map(setup, map_name, server)
    except WorldError as error:
        trouble.append(str(error))
    try:
        weather = weather_numbers(conditions_of(setup))
    except WorldError as error:
        trouble.append(str(error))
    return ScenePlan(chosen, things, weather, tuple(trouble))


def paintable(surfaces: Sequence[str]) -> list[str]:
    """Which of the surfaces of a scene CARLA has at all."""
    return [name for name in surfaces if name in SURFACES]


def _plan_map(setup: WorldSetup, map_name: str, server: Server | None) -> str:
    if map_name == CURRENT:
        return server.map_name if server else "the one on show"
    if server is None:
        place = setup.conditions.place
        return map_name or " or ".join(MAPS.get(place, ()))
    if not map_name:
        return map_for(setup.conditions.place, "", server.maps)
    if map_name not in server.maps:
        raise WorldError(f"the server has no map '{map_name}'; it has: {', '.join(server.maps)}")
    return map_name


def _plan_thing(placed: PlacedObject, seed: int, server: Server | None) -> ThingPlan:
    try:
        prototype = prototype_for(placed.kind)
        blueprint = _blueprint(prototype, placed.name, seed, server)
    except WorldError as error:
        return ThingPlan(placed.name, placed.kind, placed.hazard, "", trouble=str(error))
    note = f"in its place {prototype.stands_in}" if prototype.stands_in else ""
    return ThingPlan(placed.name, placed.kind, placed.hazard, blueprint, note)


def _blueprint(prototype: Prototype, name: str, seed: int, server: Server | None) -> str:
    if prototype.how == "effect":
        return "drawn into the frames"
    if server is None:
        wanted = [f"{key}={value}" for key, value in prototype.attributes.items()]
        return " ".join([" or ".join(prototype.blueprints), *wanted])
    return choose(prototype, server.blueprints, seed, name)
