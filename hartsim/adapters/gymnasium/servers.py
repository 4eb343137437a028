"""CARLA servers for environments: one for each, found among those that were named.

An environment takes its server when its first episode begins and keeps it until it is closed. In a
vector, number i takes the i-th server; elsewhere each takes the first that nobody has. What a
killed process left behind is put back by the next environment on that server, or when the process
ends that had made the environments.
"""

import atexit
import logging
import multiprocessing
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace

from hartsim.adapters.carla.connection import ServerAddress
from hartsim.adapters.carla.guard import Taken, file_of, restore
from hartsim.errors import WorldError
from hartsim.worlds import World

logger = logging.getLogger(__name__)

PORT = 2000
HERE = "127.0.0.1"
WORKER = re.compile(r"Worker<\w+>-(\d+)")
"""How Gymnasium names the processes of a vector, whose numbers are those of the environments."""

_NAMED: dict[str, ServerAddress] = {}
"""The servers that were named in this process, to be looked at when it ends."""


def addresses_of(
    host: str | None,
    port: int | None,
    servers: Sequence[str],
    tm_port: int | None,
    timeout_s: float,
    any_version: bool,
) -> tuple[ServerAddress, ...]:
    """The servers that an environment may take: one by host and port, or those of a list.

    The Traffic Manager of the k-th gets port `tm_port` + k, or with None any that is free when the
    world starts. Raises WorldError for what is no address, and for one that is named twice.
    """
    if isinstance(servers, str):
        raise WorldError(f"servers is {servers!r}, must be a list such as ['{HERE}:{PORT}']")
    if servers and (host is not None or port is not None):
        raise WorldError(
            f"servers is {list(servers)}, and host {host} and port {port} beside it; name a server "
            "by host and port, or several by servers"
        )
    places = [_place_of(each) for each in servers] or [(host or HERE, port or PORT)]
    addresses: dict[tuple[str, int], ServerAddress] = {}
    for k, (name, number) in enumerate(places):
        if (name, number) in addresses:
            raise WorldError(
                f"servers names {name}:{number} twice; one environment, one server: start another "
                f"(-carla-rpc-port={number + 4})"
            )
        manager = ServerAddress.tm_port if tm_port is None else tm_port + k
        addresses[name, number] = ServerAddress(name, number, manager, timeout_s, any_version)
    return tuple(addresses.values())


def _place_of(server: str) -> tuple[str, int]:
    host, colon, port = str(server).rpartition(":")
    if not (colon and host and port.isdecimal()):
        raise WorldError(f"'{server}' is no server, must be HOST:PORT such as '{HERE}:{PORT}'")
    return host.strip("[]"), int(port)


def start_world(
    make_world: Callable[[ServerAddress], World],
    addresses: Sequence[ServerAddress],
    finds_port: bool,
) -> World:
    """A world on the server that is this environment's; `finds_port` looks for a Traffic Manager's.

    Raises WorldError where there is none, or where another world has it.
    """
    if len(addresses) == 1:
        return make_world(_managed(addresses[0], finds_port))
    wanted, refused = _wanted(addresses), None
    for address in wanted:
        try:
            return make_world(_managed(address, finds_port))
        except Taken as error:
            refused = error
    raise WorldError(
        f"one environment, one server, and there is none left of {', '.join(map(str, wanted))}: "
        f"{refused}"
    ) from refused


def _wanted(addresses: Sequence[ServerAddress]) -> Sequence[ServerAddress]:
    """The servers to try: in a worker of a vector the one of its number, elsewhere all."""
    worker = WORKER.fullmatch(multiprocessing.current_process().name)
    if worker is None:
        return addresses
    number = int(worker[1])
    if number >= len(addresses):
        raise WorldError(
            f"environment {number} of the vector has no server: one environment, one server, and "
            f"named are {', '.join(map(str, addresses))}"
        )
    return [addresses[number]]


def _managed(address: ServerAddress, finds_port: bool) -> ServerAddress:
    return replace(address, tm_port=_free_port()) if finds_port else address


def _free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        port: int = probe.getsockname()[1]
        return port


def put_back_at_exit(addresses: Sequence[ServerAddress]) -> None:
    """See to it that what killed processes have left on these servers goes when this one ends."""
    if not _NAMED:
        atexit.register(_put_back_left)
    _NAMED.update({str(address): address for address in addresses})


def _put_back_left() -> None:
    for address in _NAMED.values():
        if not file_of(address).exists():
            continue
        try:
            restore(address)
        except Taken:
            continue  # whoever has it puts it back
        except WorldError as error:
            logger.error("%s; `hartsim carla restore` tries again", error)
