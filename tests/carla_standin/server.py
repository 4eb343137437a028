"""The server: its two ports, its clock, its faults, and the ticks of its world."""

import asyncio
import contextlib
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from tests.carla_standin import calls, rpc, sensors
from tests.carla_standin.crowd import crowd
from tests.carla_standin.episode import WORLD_STREAM, EpisodeError, new_episode
from tests.carla_standin.faults import BROKEN, Faults
from tests.carla_standin.knobs import Knobs
from tests.carla_standin.log import CallLog
from tests.carla_standin.plain import Shot, Truth
from tests.carla_standin.scenery import painter_of
from tests.carla_standin.streaming import Streams


class Server:
    """One stand-in server, from its start to its end."""

    def __init__(self, knobs: Knobs) -> None:
        self.knobs, self.log, self.streams = knobs, CallLog(knobs.log), Streams()
        self.folder = Path(knobs.folder or tempfile.mkdtemp(prefix="standin-"))
        self.episode = new_episode(knobs, knobs.map, None, keep=False)
        if knobs.crowded:
            crowd(self.episode)
        self.managers: dict[int, str] = {}
        self.drawn: dict[tuple[str, int, int, float], bytes] = {}
        self.faults = Faults(knobs)
        self.replay_factor, self.replay_without_hero = 1.0, False
        self._owed = False
        self._moment = (-1, -1)
        self._truths: dict[Shot, Truth] = {}
        self.painter = painter_of(self)

    async def run(self) -> None:
        """Serve until killed; print the port when a client may come."""
        asyncio.get_running_loop().set_exception_handler(_break)
        start = asyncio.start_server
        calling = await start(self._accept, "0.0.0.0", self.knobs.port, limit=rpc.CHUNK)
        streaming = await start(self.streams.accept, "0.0.0.0", 0)
        self.port = calling.sockets[0].getsockname()[1]
        self.stream_port = streaming.sockets[0].getsockname()[1]
        sys.stdout.write(f"ready {self.port}\n")
        sys.stdout.flush()
        await self._clock()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await rpc.serve(reader, writer, self.answer)
        except Exception:
            traceback.print_exc()
            os._exit(BROKEN)

    async def _clock(self) -> None:
        """Tick by itself while no client does."""
        while self.knobs.parent in (0, os.getppid()):
            await asyncio.sleep(self.episode.step_s)
            if not self.episode.synchronous:
                self.tick()

    async def answer(self, name: str, arguments: list[Any]) -> list[Any] | None:
        """Do what a call asks; None leaves it without an answer."""
        self.log.write(name, arguments)
        self.faults.count(name)
        delay_s, silent = self.faults.delay_s(name), self.faults.silences(name)
        error = self.faults.error(name)
        if delay_s > 0:
            await asyncio.sleep(delay_s)
        self.deliver()
        handler = calls.CALLS.get(name)
        if handler is None:
            raise rpc.UnknownCallError(name)
        if error is not None:
            return handler.failed(error)
        try:
            reply = handler.answer(self, *arguments)
        except EpisodeError as refusal:
            reply = handler.failed(str(refusal))
        # what is not answered has happened all the same
        return None if silent else reply

    def tick(self) -> int:
        """Let the world move on; snapshots go at once, pictures once the call is answered."""
        self.deliver()
        self.faults.count_tick()
        self.episode.advance()
        self.streams.send(WORLD_STREAM, *self.episode.snapshot())
        self._owed = True
        asyncio.get_running_loop().call_soon(self.deliver)
        return self.episode.frame

    def deliver(self) -> None:
        """Send the sensors' data of the last tick, if they were not yet sent."""
        if self._owed:
            self._owed = False
            sensors.deliver(self)

    def send(self, stream: int, *parts: bytes) -> None:
        """Send a sensor's data, late if they are to be."""
        if self.knobs.late_s > 0:
            loop = asyncio.get_running_loop()
            loop.call_later(self.knobs.late_s, self.streams.send, stream, *parts)
        else:
            self.streams.send(stream, *parts)

    def truth(self, shot: Shot) -> Truth:
        """What a camera has before it, found once for all cameras in one place."""
        moment = self.episode.frame, self.episode.revision
        if moment != self._moment:
            self._moment, self._truths = moment, {}
        if shot not in self._truths:
            self._truths[shot] = self.painter.truth(shot)
        return self._truths[shot]

    def load(self, name: str, reset_settings: bool) -> None:
        """Load a map: everything that was there is gone."""
        self.episode = new_episode(
            self.knobs, name or self.episode.town.name, self.episode, keep=not reset_settings
        )
        self.painter.close()
        self._truths.clear()
        self.painter = painter_of(self)


def _break(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """End at once, and say why: a test that waits for a broken server would only time out."""
    del loop
    error = context.get("exception")
    if isinstance(error, ConnectionError):
        return
    sys.stderr.write(f"{context['message']}\n")
    if error is not None:
        traceback.print_exception(error)
    os._exit(BROKEN)


def serve(knobs: Knobs) -> None:
    """Run a server until it is killed."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(Server(knobs).run())
