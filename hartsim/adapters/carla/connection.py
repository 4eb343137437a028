"""A connection to a CARLA server: found, of the right version, and with errors that say what to do.

The client reports neither a refused nor a lost connection: each of its calls waits for the whole
timeout and then raises a plain RuntimeError. It never connects again either, so that a server that
was started anew needs a new `connect`.
"""

import logging
import math
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hartsim.adapters.carla.capabilities import (
    NEEDED,
    gives_no_reason,
    is_out_of_time,
    require,
)
from hartsim.errors import WorldError, WorldLostError

logger = logging.getLogger(__name__)

DOOR_S = 5.0
"""How long it may take to reach the port at all, which no loading map slows down."""
LOADING_S = 120.0
"""How long a map may take to load; large ones need more than a minute."""
QUIET_S = 0.2
"""How long streams get to open and close before a map is loaded."""
SPARE_THREADS = 4
"""Threads of the client beyond one for each sensor: fewer, and callbacks can block every stream."""
STEP_S = 0.05
"""The step of a world that waits for its map."""
SENSORS = 24
"""How many sensors a connection is made for that does not say."""


@dataclass(frozen=True)
class ServerAddress:
    """Where a server listens, and which port its Traffic Manager gets.

    Every client process needs a `tm_port` of its own. A call may take `timeout_s`. Servers of
    another version than the client are refused unless `any_version` is set.
    """

    host: str = "127.0.0.1"
    port: int = 2000
    tm_port: int = 8000
    timeout_s: float = 20.0
    any_version: bool = False

    def __post_init__(self) -> None:
        for name, port in (("port", self.port), ("tm_port", self.tm_port)):
            if not 0 < port < 65536:
                raise WorldError(
                    f"{name} is {port}, must be 1..65535; CARLA's own are 2000 and 8000"
                )
        if not self.timeout_s > 0:
            raise WorldError(f"timeout_s is {self.timeout_s}, must be above 0; 20 suits most")

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Connection:
    """A client and the world that its server shows; `world` is the one loaded last."""

    def __init__(self, address: ServerAddress, client: Any, version: str) -> None:
        self.address, self.client, self.version = address, client, version
        self.world: Any = client.get_world()

    @property
    def map_name(self) -> str:
        """The short name of the map on show, such as `Town03`."""
        with self.asking("which map it shows"):
            return short_name(self.world.get_map().name)

    def maps(self) -> list[str]:
        """The short names of the maps that the server can load, in order."""
        with self.asking("which maps it has"):
            return sorted({short_name(each) for each in self.client.get_available_maps()})

    def require_map(self, name: str) -> None:
        """WorldError where the server has no map of this name, with those that it has."""
        known = self.maps()
        if name not in known:
            raise WorldError(
                f"the server at {self.address} has no map '{name}'; it has: {', '.join(known)}"
            )

    def load(self, name: str) -> None:
        """Show another map; all actors that there are go with the old one.

        No Traffic Manager of ours may live meanwhile. The settings stay, but `synchronous_mode` is
        set: the client gives its old world up while it loads, and now and then ends the process
        where that world's steps still arrive, or its stream is only just opening.
        """
        self.require_map(name)
        self.client.set_timeout(max(LOADING_S, self.address.timeout_s))
        try:
            with self.asking(f"to load {name}"):
                settings = self.world.get_settings()
                if not settings.synchronous_mode:
                    settings.synchronous_mode = True
                    # the client warns of a synchronous world whose steps have no length
                    settings.fixed_delta_seconds = settings.fixed_delta_seconds or STEP_S
                    self.world.apply_settings(settings)
                time.sleep(QUIET_S)
                self.world = self.client.load_world(name, reset_settings=False)
        finally:
            self.client.set_timeout(self.address.timeout_s)
        logger.info("loaded %s at %s", name, self.address)

    @contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Turn the client's RuntimeError into a WorldError that says what was asked of whom.

        It is a WorldLostError where no answer came.
        """
        began_s = time.monotonic()
        try:
            yield
        except RuntimeError as error:
            waited_s = time.monotonic() - began_s
            raise _unanswered(self.address, what, error, waited_s) from error


def connect(address: ServerAddress, sensors: int = SENSORS) -> Connection:
    """A fresh client of the server, for so many sensors.

    Raises WorldLostError where nothing listens or answers, and WorldError where the client is not
    installed or the server's version is not the client's.
    """
    carla = client_library()
    require(carla, NEEDED, "a scene in CARLA")
    knock(address)
    client = carla.Client(address.host, address.port, worker_threads=sensors + SPARE_THREADS)
    client.set_timeout(address.timeout_s)
    try:
        theirs = client.get_server_version()
    except RuntimeError as error:
        raise _unanswered(address, "for its version", error) from error
    check_versions(client.get_client_version(), theirs, address)
    try:
        found = Connection(address, client, theirs)
    except RuntimeError as error:
        raise _unanswered(address, "for its world", error) from error
    logger.info("connected to CARLA %s at %s", theirs, address)
    return found


def client_library() -> Any:
    """The `carla` package; WorldError where it is not installed."""
    try:
        import carla
    except ImportError as error:
        raise WorldError(
            'the CARLA client is not installed; pip install "hartsim[carla]" brings it for '
            "Python 3.10 to 3.12, or pip install the version that your server has"
        ) from error
    return carla


def check_versions(client: str, server: str, address: ServerAddress) -> None:
    """Raise WorldError unless both versions begin with the same numbers.

    Another version numbers its sensors otherwise, which ends the process without a word.
    """
    if numbers_of(client) == numbers_of(server) or address.any_version:
        return
    remedy = (
        f"pip install carla=={'.'.join(map(str, numbers_of(server)))}"
        if numbers_of(server)
        else "install the client that was built with it"
    )
    raise WorldError(
        f"the CARLA server at {address} is version {server}, the client is {client}; {remedy}, "
        "or set any_version (carla.any_version=true) where you know that they fit"
    )


def numbers_of(version: str) -> tuple[int, ...]:
    """The first three numbers of a version such as `0.9.16-12-gabc`; empty where it has none."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    return tuple(map(int, found.groups())) if found else ()


def short_name(map_name: str) -> str:
    """`Town03` for `/Game/Carla/Maps/Town03`."""
    return map_name.rsplit("/", 1)[-1]


def knock(address: ServerAddress) -> None:
    """Raise WorldLostError where nothing listens, at once and not after the client's timeout."""
    try:
        socket.create_connection(
            (address.host, address.port), timeout=min(DOOR_S, address.timeout_s)
        ).close()
    except ConnectionRefusedError as error:
        raise WorldLostError(
            f"nothing listens at {address}; is the CARLA server started (./CarlaUE4.sh), and is "
            f"its port {address.port} (-carla-rpc-port)?"
        ) from error
    except TimeoutError as error:
        raise WorldLostError(
            f"{address} did not let us in within {min(DOOR_S, address.timeout_s):g} s; does a "
            f"firewall keep ports {address.port} to {address.port + 2} shut?"
        ) from error
    except OSError as error:
        raise WorldLostError(f"cannot reach {address}: {error}; is the host name right?") from error


def _unanswered(
    address: ServerAddress, what: str, error: RuntimeError, waited_s: float = math.inf
) -> WorldError:
    """The error of a call that failed after some time, in words to act on."""
    if is_out_of_time(error, waited_s, address.timeout_s):
        return WorldLostError(
            f"asked the CARLA server at {address} {what}: no answer within "
            f"{address.timeout_s:g} s; does it still run, is it loading a map (raise timeout_s), "
            "is this its RPC port?"
        )
    if gives_no_reason(error):
        return WorldError(
            f"asked the CARLA server at {address} {what}: it refused, and this build of the client "
            "does not pass on why; the server's own log may say"
        )
    return WorldError(f"asked the CARLA server at {address} {what}: {error}")
