"""Whether a CARLA server and its client can do what hartsim asks of them, one finding at a time."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hartsim.adapters.carla.blueprints import EFFECTS, blueprints_of, choose, prototype_for
from hartsim.adapters.carla.connection import (
    Connection,
    ServerAddress,
    client_library,
    connect,
)
from hartsim.adapters.carla.guard import file_of, properties
from hartsim.adapters.carla.rig import Lidar, RigConfig
from hartsim.adapters.carla.roads import MAPS, map_for, stretches_of
from hartsim.adapters.carla.world import CURRENT, CarlaWorld
from hartsim.errors import WorldError
from hartsim.scenario.compiled import CameraSetup, Conditions, WorldSetup
from hartsim.scenario.kinds import kinds_of
from hartsim.types import CLASSES, Frame, Image

Status = Literal["ok", "note", "wrong"]

TESTED = ("0.9.16",)
"""The servers whose protocol the tests speak."""
GLARING: Image = np.full((256, 256, 3), (255, 0, 255), np.uint8)
VIEWS = {"front": 0.0, "left": np.pi / 2, "right": -np.pi / 2}
"""The cameras through which the trial looks, by where they look."""
STEPS = 10
SENSOR_S, WARM_UP_TICKS = 3.0, 6
"""How long a trial waits for sensors: somebody is looking on."""


@dataclass(frozen=True)
class Finding:
    """One line of the report; `remedy` says what to do, empty where nothing needs doing."""

    name: str
    status: Status
    detail: str
    remedy: str = ""


def examine(address: ServerAddress, trial: bool = True, paint: bool = True) -> Iterator[Finding]:
    """The findings; they end with the first that leaves nothing else to look at.

    The `trial` sets up an empty street on the map on show, looks, paints unless told not to, and
    puts everything back; without it nothing on the server is changed.
    """
    try:
        client_library()
    except WorldError as error:
        yield Finding("client", "wrong", str(error).split(";")[0], 'pip install "hartsim[carla]"')
        return
    try:
        connection = connect(address)
    except WorldError as error:
        what, _, remedy = str(error).partition("; ")
        yield Finding("server", "wrong", what, remedy)
        return
    yield from _look(connection)
    if not trial:
        yield Finding("trial", "note", "not made: nothing on the server was changed")
        return
    del connection
    before = _as_it_is(address)
    try:
        yield from _try_out(address, paint)
    except WorldError as error:
        yield Finding("trial", "wrong", str(error))
    after = _as_it_is(address)
    changed = [name for name in before if before[name] != after[name]]
    if changed:
        yield Finding("put back", "wrong", f"{', '.join(changed)} changed", "restart the server")
    else:
        yield Finding("put back", "ok", "settings, weather, map and actors are as they were")


def _look(connection: Connection) -> Iterator[Finding]:
    """What can be told without changing anything."""
    version = connection.version
    status: Status = "ok" if version.startswith(TESTED) else "note"
    known = "" if status == "ok" else f"; tested is {', '.join(TESTED)}"
    yield Finding("server", status, f"CARLA {version} at {connection.address}{known}")
    yield from _maps(connection)
    yield from _mode(connection)
    yield from _blueprints(connection)


def _maps(connection: Connection) -> Iterator[Finding]:
    maps = connection.maps()
    with connection.asking("for its map"):
        straight = max(
            (each.length_m for each in stretches_of(connection.world.get_map())), default=0
        )
    yield Finding(
        "map",
        "ok" if straight >= 60 else "note",
        f"{connection.map_name}, whose longest straight road is {straight:.0f} m",
        "" if straight >= 60 else "many scenarios reach farther: carla.map=NAME",
    )
    lacking = []
    for place in MAPS:
        try:
            map_for(place, "", maps)
        except WorldError:
            lacking.append(place)
    if lacking:
        remedy = "install CARLA's AdditionalMaps, or name a map: carla.map=Town03"
        yield Finding("maps", "note", f"none for {', '.join(lacking)}", remedy)
    else:
        yield Finding("maps", "ok", f"{len(maps)}, among them one for each of {', '.join(MAPS)}")


def _mode(connection: Connection) -> Iterator[Finding]:
    with connection.asking("what it is like"):
        settings = connection.world.get_settings()
    left = file_of(connection.address)
    if left.exists():
        yield Finding(
            "left behind",
            "wrong",
            f"an earlier run did not put it back: {left}",
            f"hartsim carla restore --port {connection.address.port}",
        )
    if settings.synchronous_mode:
        yield Finding("mode", "note", "synchronous: another client may hold it")
    else:
        yield Finding("mode", "ok", "asynchronous, nobody holds it")
    if settings.no_rendering_mode:
        yield Finding("rendering", "note", "off; a run switches it on and off again")


def _blueprints(connection: Connection) -> Iterator[Finding]:
    with connection.asking("for its blueprints"):
        library = blueprints_of(connection.world.get_blueprint_library())
    shown, drawn, absent = 0, 0, []
    for kind in kinds_of("driving"):
        if kind.id in EFFECTS:
            drawn += 1
            continue
        try:
            prototype = prototype_for(kind.id)
        except WorldError:
            continue
        try:
            choose(prototype, library, 0)
            shown += 1
        except WorldError:
            absent.append(kind.id)
    total = len(kinds_of("driving"))
    yield Finding(
        "hazards",
        "note" if absent else "ok",
        f"{shown} of {total} driving kinds by its blueprints, {drawn} drawn into the frames; "
        f"{total - shown - drawn - len(absent)} that CARLA does not have are left out"
        + (f"; this server lacks {', '.join(absent)}" if absent else ""),
    )


def _try_out(address: ServerAddress, paint: bool) -> Iterator[Finding]:
    """Show an empty street, look, and paint it."""
    rig = RigConfig(lidars=(Lidar(),), timeout_s=SENSOR_S, warm_up_ticks=WARM_UP_TICKS)
    with CarlaWorld(address, (128, 128), CURRENT, rig, repeatable=True) as world:
        started_s = time.perf_counter()
        world.show(_street())
        taken_s = time.perf_counter() - started_s
        frames = world.capture()
        yield from _sensors(frames, taken_s)
        started_s = time.perf_counter()
        for _ in range(STEPS):
            world.step(np.zeros(2), world.tick_s)
            world.capture()
        each_ms = 1000 * (time.perf_counter() - started_s) / STEPS
        yield Finding(
            "speed", "ok", f"{each_ms:.0f} ms a tick with {4 * len(VIEWS)} cameras, lidar"
        )
        if paint:
            yield from _surfaces(world)


def _sensors(frames: dict[str, Frame], taken_s: float) -> Iterator[Finding]:
    seen = sorted({CLASSES[k] for frame in frames.values() for k in np.unique(frame.labels)})
    status: Status = "ok" if len(seen) > 1 else "wrong"
    yield Finding(
        "sensors",
        status,
        f"{len(frames)} cameras of one moment in {taken_s:.1f} s; they see {', '.join(seen)}",
        "" if status == "ok" else "is the server drawing (no -nullrhi, no no_rendering_mode)?",
    )
    points = [frame.lidar for frame in frames.values() if frame.lidar is not None]
    count = len(points[0]) if points else 0
    yield Finding("lidar", "ok" if count else "wrong", f"{count} points a sweep")


def _surfaces(world: CarlaWorld) -> Iterator[Finding]:
    """Which surfaces take paint, as far as they can be seen from here."""
    shown = world.showing(world.surfaces)
    changed = world.paint(dict.fromkeys(world.surfaces, GLARING))
    for name in sorted(world.surfaces):
        if name in changed:
            yield Finding(f"paint {name}", "ok", "was seen to change")
        elif name in shown:
            yield Finding(f"paint {name}", "note", "is seen, but its material takes no paint")
        else:
            yield Finding(f"paint {name}", "note", "is not seen from here")


def _as_it_is(address: ServerAddress) -> dict[str, object]:
    """What a server should be again after a trial."""
    connection = connect(address)
    with connection.asking("what it is like"):
        world = connection.world
        return {
            "settings": properties(world.get_settings()),
            "weather": properties(world.get_weather()),
            "map": connection.map_name,
            "actors": Counter(actor.type_id for actor in world.get_actors()),
        }


def _street() -> WorldSetup:
    cameras = tuple(
        CameraSetup(name, (0.6, 0.0, 1.5), 0.0, yaw, 1.2) for name, yaw in VIEWS.items()
    )
    return WorldSetup(
        "driving", Conditions("city_street", "clear", "day"), (), cameras, 0, traffic=0
    )
