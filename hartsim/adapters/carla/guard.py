"""What a CARLA server was like before us, and how it becomes so again, whatever happens.

A `Guard` writes down what it finds before anything is changed: settings, weather, map, actors. It
puts all back at the end of a `with`, at an exception, at SIGINT and SIGTERM and when the process
ends; after a kill -9 the file that it wrote lets `restore` do so from another process.

The order matters: a sensor is stopped before it goes, cars leave the Traffic Manager before it
shuts down and before they go, and no map is loaded while steps arrive. Actors are destroyed by id
in one batch, since their own method sends nothing before the tick after their birth. What the
client cannot read is not put back: how long lights have shown what they show, and the settings of
other Traffic Managers.
"""

import atexit
import json
import logging
import os
import signal
import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any

from hartsim.adapters.carla.connection import (
    Connection,
    ServerAddress,
    client_library,
    connect,
    knock,
    short_name,
)
from hartsim.errors import WorldError
from hartsim.folders import cache_folder

logger = logging.getLogger(__name__)

ROLE = "hartsim"
"""How the role names of all actors begin that are ours."""
FORMAT = 1
SIGNALS = (signal.SIGINT, signal.SIGTERM)
STEPS, STEP_WAIT_S = 3, 1.0
"""How often, and for how long each, a fresh client waits for a step that it may have missed."""
OWNER_S = 1.0
"""How long a synchronous world is watched for somebody who ticks it."""


class Taken(WorldError):
    """Another process, or another world of this one, has the server."""


@dataclass(frozen=True)
class Found:
    """What a server was like before us, and what we have put there since.

    `episode` is the id of the world last shown to us, `actors` the ids of those that were there,
    `lights` the traffic lights' states and whether they are frozen by their ids, `spectator` the
    six numbers of its transform, location first, `ours` the types of those we put there by id,
    `process` and `machine` who we are. What is `painted` becomes itself again only when its map is
    loaded anew.
    """

    address: ServerAddress
    map_name: str
    episode: int
    settings: Mapping[str, Any]
    weather: Mapping[str, float]
    actors: tuple[int, ...]
    lights: Mapping[int, tuple[str, bool]]
    spectator: tuple[float, ...]
    process: int
    machine: str
    ours: Mapping[int, str] = field(default_factory=dict)
    recording: bool = False
    painted: bool = False

    def to_plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "hartsim_carla_found": FORMAT,
            **{name: value for name, value in vars(self).items() if name != "address"},
            "host": self.address.host,
            "port": self.address.port,
            "tm_port": self.address.tm_port,
        }


def found_at(path: Path, address: ServerAddress) -> Found | None:
    """What the file says, if there is one; WorldError for what is no such file."""
    try:
        plain = json.loads(path.read_text())
        if plain.pop("hartsim_carla_found") != FORMAT:
            raise WorldError(f"{path} is of another version of hartsim; restore with that one")
        plain["ours"] = {int(id): kind for id, kind in plain["ours"].items()}
        plain["lights"] = {int(id): tuple(light) for id, light in plain["lights"].items()}
        plain["actors"], plain["spectator"] = tuple(plain["actors"]), tuple(plain["spectator"])
        for name in ("host", "port", "tm_port"):
            plain.pop(name)
        return Found(address=address, **plain)
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WorldError(
            f"{path} does not say what the server at {address} was like ({error!r}); delete it and "
            "restart the server"
        ) from error


def file_of(address: ServerAddress) -> Path:
    """Where it is kept what a server was like before us."""
    name = f"{address.host}-{address.port}.json".replace(":", "_").replace("/", "_")
    return cache_folder() / "carla" / name


def properties(thing: Any) -> dict[str, Any]:
    """The fields of a settings or weather object of the client, of any of its versions."""
    names = [name for name in dir(type(thing)) if isinstance(getattr(type(thing), name), property)]
    return {name: getattr(thing, name) for name in names}


def filled(thing: Any, values: Mapping[str, Any]) -> Any:
    """The object after setting those of its fields that are named."""
    for name, value in values.items():
        setattr(thing, name, value)
    return thing


class Guard:
    """Watches over what changes on a server; a context manager, or `begin` and `restore`.

    Tell it of every actor and sensor. `restore` may be called at any time and any number of times.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.path = file_of(connection.address)
        self.began_in = os.getpid()
        self._found: Found | None = None
        self._sensors: list[Any] = []
        self._managed: list[Any] = []
        self._manager: Any = None
        self._restoring = False

    def __enter__(self) -> "Guard":
        self.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.restore()

    @property
    def found(self) -> Found:
        """What was there before us."""
        if self._found is None:
            raise WorldError("the guard has not begun; call begin() before anything is changed")
        return self._found

    def begin(self) -> None:
        """Write down what is there; what an ended process left behind is put back first.

        Raises WorldError where another process has the server, or somebody else ticks its world.
        """
        left = found_at(self.path, self.connection.address)
        if left is not None:
            _refuse_if_alive(left)
            logger.warning("process %d left the server changed: putting it back", left.process)
            put_back(self.connection, left)
        _refuse_if_ticked(self.connection)
        with self.connection.asking("what it is like"):
            world = self.connection.world
            actors = world.get_actors()
            self._found = Found(
                address=self.connection.address,
                map_name=self.connection.map_name,
                episode=world.id,
                settings=properties(world.get_settings()),
                weather=properties(world.get_weather()),
                actors=tuple(actor.id for actor in actors),
                lights={
                    light.id: (light.get_state().name, light.is_frozen())
                    for light in actors.filter("traffic.traffic_light*")
                },
                spectator=numbers_of(world.get_spectator().get_transform()),
                process=os.getpid(),
                machine=socket.gethostname(),
            )
        self._claim()
        _watch(self)

    def note(self, actors: Mapping[int, str]) -> None:
        """Remember actors that we put there, their types by id."""
        self._found = replace(self.found, ours={**self.found.ours, **actors})
        self._write()

    def clear(self) -> None:
        """Take away what we have put there so far, in the safe order; the world stays ours."""
        if not self.found.ours:
            return
        self._release()
        with self.connection.asking("to take our actors away"):
            destroy(self.connection, sensors_first(self.found.ours))
            settle(self.connection)
        self._found = replace(self.found, ours={})
        self._write()

    def sensor(self, sensor: Any) -> None:
        """Remember a sensor of ours, which must be stopped before it goes."""
        self._sensors.append(sensor)
        self.note({sensor.id: sensor.type_id})

    def manages(self, manager: Any, vehicles: Sequence[Any]) -> None:
        """Remember our Traffic Manager and the cars that it drives."""
        self._manager = manager
        self._managed += vehicles

    def records(self, recording: bool = True) -> None:
        """Remember that the server records for us, or replays."""
        self._found = replace(self.found, recording=recording)
        self._write()

    def paints(self) -> None:
        """Remember that something of the map is painted; CARLA has no undo."""
        if not self.found.painted:
            self._found = replace(self.found, painted=True)
            self._write()

    def load(self, map_name: str) -> None:
        """Load a map, the one on show too, which takes its paint away; only after `clear`.

        It is put back too. Raises WorldError where others' vehicles, walkers or sensors would go
        with the old map.
        """
        theirs = others(self.connection, self.found)
        if theirs:
            raise WorldError(
                f"loading {map_name} would take away {len(theirs)} actors of others, such as "
                f"{theirs[0]}; let them end first, or use the map on show, {self.found.map_name}"
            )
        self.connection.load(map_name)
        back = map_name == self.found.map_name
        self._found = replace(
            self.found,
            episode=self.connection.world.id,
            painted=self.found.painted and not back,
        )
        self._write()

    def restore(self) -> None:
        """Put everything back; harmless where nothing is left to do.

        Raises WorldError where the server does not let us; the file then stays for `restore`.
        """
        if self._found is None or self._restoring:
            return
        self._restoring = True
        try:
            self._release()
            knock(self.connection.address)
            put_back(self.connection, self._found, live=True)
            self._found = None
        finally:
            self._restoring = False
            _unwatch(self)

    def _release(self) -> None:
        """Stop the sensors, then take our cars from the Traffic Manager and end it."""
        sensors, self._sensors = self._sensors, []
        for sensor in sensors:
            try:
                if sensor.is_listening():
                    sensor.stop()
            except RuntimeError as error:  # its server has gone, and its socket with it
                logger.warning("could not stop %s %d: %s", sensor.type_id, sensor.id, error)
        managed, self._managed = self._managed, []
        manager, self._manager = self._manager, None
        if manager is not None:
            with self.connection.asking("to end its traffic"):
                for vehicle in managed:
                    vehicle.set_autopilot(False, self.connection.address.tm_port)
                manager.shut_down()

    def _claim(self) -> None:
        """Write the file for the first time; Taken where somebody else has done so meanwhile."""
        draft = self._draft()
        try:
            os.link(draft, self.path)  # unlike a replacement, this fails where there is one
        except FileExistsError:
            self._found = None
            left = found_at(self.path, self.connection.address)
            if left is not None:
                _refuse_if_alive(left)
            raise Taken(
                f"somebody else has taken the server at {self.connection.address} just now"
            ) from None
        finally:
            draft.unlink()

    def _write(self) -> None:
        self._draft().replace(self.path)

    def _draft(self) -> Path:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # No fsync: it is for the end of a process, not for that of the machine.
        draft = self.path.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(self.found.to_plain(), indent=1))
        return draft


def restore(address: ServerAddress) -> list[str]:
    """Put a server back after a process that could not; says what was done, a sentence each.

    Raises WorldError where that process still runs.
    """
    path = file_of(address)
    left = found_at(path, address)
    if left is None:
        return [f"nothing of ours to put back at {address}: there is no {path}"]
    _refuse_if_alive(left)
    return put_back(connect(address), left)


def put_back(connection: Connection, found: Found, live: bool = False) -> list[str]:
    """Put a server back to what was found, and delete the file that says so.

    Only actors whose role name is ours are destroyed and, by the process that has them `live`, all
    that it put there. A server that was started anew, or shows what somebody else has loaded since,
    keeps its map and weather.
    """
    carla = client_library()
    done: list[str] = []
    client = connection.client
    with connection.asking("to be as it was"):
        world = connection.world
        same = world.id == found.episode
        if found.recording:
            client.stop_recorder()
            client.stop_replayer(True)
            client.set_replayer_time_factor(1.0)
            client.set_replayer_ignore_spectator(False)
            done.append("stopped the recorder")
        if live and same and found.ours:
            done.append(f"destroyed {destroy(connection, sensors_first(found.ours))} actors")
        settle(connection)
        left = [actor.id for actor in world.get_actors() if is_ours(actor, found)]
        if left:
            done.append(f"destroyed {destroy(connection, left)} actors by their role names")
            settle(connection)
        if same and (found.painted or short_name(world.get_map().name) != found.map_name):
            done.append(_load_again(connection, found))
            # a map that is loaded anew has other traffic lights
            same, world = connection.world is world, connection.world
            world.set_weather(filled(carla.WeatherParameters(), found.weather))
        if same:
            world.set_weather(filled(carla.WeatherParameters(), found.weather))
            relight(world, found.lights)
            world.get_spectator().set_transform(transform_of(found.spectator))
            done.append("set weather, traffic lights and spectator back")
        world.apply_settings(filled(carla.WorldSettings(), found.settings))
        done.append("set the settings back")
    file_of(found.address).unlink(missing_ok=True)
    logger.info("%s: %s", found.address, ", ".join(done))
    return done


def _load_again(connection: Connection, found: Found) -> str:
    """Load the map that was there, unless that would take others' actors away."""
    theirs = others(connection, found)
    if theirs:
        kept = f"kept the map and its paint for {len(theirs)} actors of others"
        logger.warning("%s: %s", found.address, kept)
        return kept
    connection.load(found.map_name)
    return f"loaded {found.map_name}"


def relight(world: Any, lights: Mapping[int, tuple[str, bool]]) -> None:
    """Let traffic lights show again what they did, and hold those that were held."""
    states = client_library().TrafficLightState.names
    for light in world.get_actors(list(lights)) if lights else ():
        name, is_frozen = lights[light.id]
        if light.get_state().name != name:
            light.set_state(states[name])
        if light.is_frozen() != is_frozen:
            light.freeze(is_frozen)


def numbers_of(transform: Any) -> tuple[float, ...]:
    """The six numbers of a client's transform: location, then pitch, yaw and roll."""
    at, turn = transform.location, transform.rotation
    return at.x, at.y, at.z, turn.pitch, turn.yaw, turn.roll


def transform_of(numbers: Sequence[float]) -> Any:
    """The client's transform of six numbers."""
    carla = client_library()
    return carla.Transform(carla.Location(*numbers[:3]), carla.Rotation(*numbers[3:]))


def others(connection: Connection, found: Found) -> list[str]:
    """The types of the vehicles, walkers and sensors that are not ours."""
    with connection.asking("who is there"):
        return [
            actor.type_id
            for actor in connection.world.get_actors()
            if actor.type_id.startswith(("vehicle.", "walker.", "sensor."))
            and actor.id not in found.ours
        ]


def is_ours(actor: Any, found: Found) -> bool:
    """Whether the actor's role name says that it is ours; what was there before never is."""
    role = str(actor.attributes.get("role_name", ""))
    return actor.id not in found.actors and (role == ROLE or role.startswith(f"{ROLE}/"))


def sensors_first(actors: Mapping[int, str]) -> list[int]:
    """The ids of actors, given with their types, in the order in which they may go."""
    return sorted(actors, key=lambda id: not actors[id].startswith("sensor."))


def destroy(connection: Connection, ids: Sequence[int]) -> int:
    """Destroy actors by id in one batch; how many were there."""
    carla = client_library()
    # Never with a tick: that keeps the GIL while sensors' callbacks wait for it.
    answers = connection.client.apply_batch_sync(
        [carla.command.DestroyActor(id) for id in ids], False
    )
    return sum(not answer.has_error() for answer in answers)


def settle(connection: Connection) -> None:
    """Let the world take one step, so that its list of actors is true.

    A client that has just come to a synchronous world may listen too late for its first step; then
    it takes another.
    """
    world = connection.world
    if not world.get_settings().synchronous_mode:
        world.wait_for_tick(connection.address.timeout_s)
        return
    for _ in range(STEPS):
        try:
            world.tick(STEP_WAIT_S)
        except RuntimeError:
            continue
        return
    world.tick(connection.address.timeout_s)


def _refuse_if_alive(left: Found) -> None:
    if left.machine != socket.gethostname():
        raise Taken(
            f"process {left.process} on {left.machine} has the server at {left.address}; where it "
            f"no longer runs, restore from there, or delete {file_of(left.address)}"
        )
    if left.process != os.getpid():
        if _is_alive(left.process):
            raise Taken(
                f"process {left.process} has the server at {left.address}; wait until it ends, or "
                "use another server; where that process is another program, which was given the "
                f"number of one that ended, delete {file_of(left.address)}"
            )
    elif _has_guard(left.address):
        raise Taken(
            f"another world of this process has the server at {left.address}; one world, one "
            "server: close that world, or its environment, or use another server"
        )


def _has_guard(address: ServerAddress) -> bool:
    """Whether this very process watches over the server."""
    return any(guard.path == file_of(address) for guard in _own())


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _waits_for_parent(process)


def _waits_for_parent(process: int) -> bool:
    """Whether it has ended, and its parent has not asked how yet; only Linux tells."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] == "Z"


def _refuse_if_ticked(connection: Connection) -> None:
    """Raise WorldError where the world is synchronous and somebody else ticks it."""
    with connection.asking("for its settings"):
        if not connection.world.get_settings().synchronous_mode:
            return
    try:
        connection.world.wait_for_tick(OWNER_S)
    except RuntimeError:
        logger.warning("%s is synchronous and nobody ticks it: we do", connection.address)
        with connection.asking("to take a step"):
            settle(connection)
        return
    raise Taken(
        f"the world at {connection.address} is synchronous and somebody else ticks it; only one "
        "may, so let that client end first"
    )


_WATCHED: list[Guard] = []
"""The guards that have begun and not restored."""
_BEFORE: dict[int, Any] = {}
"""The signal handlers that were there before ours."""


def _watch(guard: Guard) -> None:
    """Restore this guard when a signal or the end of the process comes."""
    _WATCHED.append(guard)
    atexit.register(_restore_all)
    if threading.current_thread() is not threading.main_thread():
        logger.warning("not in the main thread: signals do not put the server back, close() does")
        return
    for number in SIGNALS:
        # What ignores a signal goes on ignoring it; what was not set from Python stays unknown.
        ignored = signal.getsignal(number) in (signal.SIG_IGN, None)
        if number not in _BEFORE and not ignored:
            _BEFORE[number] = signal.signal(number, _on_signal)


def _unwatch(guard: Guard) -> None:
    """Leave the signals to whoever had them, once no guard is left."""
    if guard in _WATCHED:
        _WATCHED.remove(guard)
    if _WATCHED or threading.current_thread() is not threading.main_thread():
        return
    atexit.unregister(_restore_all)
    while _BEFORE:
        number, before = _BEFORE.popitem()
        if signal.getsignal(number) is _on_signal:
            signal.signal(number, before)


def _own() -> list[Guard]:
    """The guards of this very process, not those of one that it was forked from."""
    return [guard for guard in _WATCHED if guard.began_in == os.getpid()]


def _restore_all() -> None:
    for guard in _own():
        try:
            guard.restore()
        except WorldError as error:
            logger.error("%s; `hartsim carla restore` tries again", error)


def _on_signal(number: int, frame: FrameType | None) -> None:
    """Put the servers back, then do what would have been done without us.

    A second signal meanwhile does not wait: a server that hangs must not keep the user.
    """
    before = _BEFORE.get(number, signal.SIG_DFL)
    if not any(guard._restoring for guard in _own()):
        _restore_all()
    if callable(before):
        before(number, frame)
        return
    signal.signal(number, before)
    os.kill(os.getpid(), number)
