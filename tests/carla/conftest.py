"""Fixtures of the CARLA tests: stand-in servers, stopped after each test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.carla_standin.process import StandIn, start


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[Callable[..., StandIn]]:
    """Starts stand-in servers: `standin(pictures="plain", delay_s=0.1)`.

    The knobs are those of `tests.carla_standin.knobs`. A server has `.port`, `.calls()`, `.stop()`.
    """
    pytest.importorskip("carla")
    running: list[StandIn] = []

    def run(**knobs: Any) -> StandIn:
        server = start(tmp_path / f"server{len(running)}", **knobs)
        running.append(server)
        return server

    yield run
    for server in running:
        server.stop()
