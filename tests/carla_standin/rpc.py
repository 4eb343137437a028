"""The connection of the calls: MessagePack requests in, replies out, one after the other."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgpack

from tests.carla_standin import textures

CHUNK = 1 << 20
Answer = Callable[[str, list[Any]], Awaitable[list[Any] | None]]
"""Gets a call's name and arguments; None leaves it unanswered for ever."""


class UnknownCallError(Exception):
    """Nobody knows such a call."""


def next_request(buffer: bytearray) -> tuple[list[Any] | None, int]:
    """The first request in the buffer, and its bytes; None and the bytes it needs at least."""
    call, size = textures.next_call(buffer)
    if call is not None or size > 0:
        return call, size
    unpacker = msgpack.Unpacker(raw=False, max_buffer_size=0, unicode_errors="replace")
    unpacker.feed(buffer)
    try:
        request: list[Any] = unpacker.unpack()
    except msgpack.OutOfData:
        return None, len(buffer) + 1
    return request, unpacker.tell()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer) -> None:
    """Answer one client's requests until it goes."""
    buffer, needed = bytearray(), 1
    try:
        while True:
            data = await reader.read(CHUNK)
            if not data:
                return
            buffer += data
            while len(buffer) >= needed:
                request, size = next_request(buffer)
                if request is None:
                    needed = size
                    break
                del buffer[:size]
                needed = 1
                await _reply(writer, request, answer)
    except (ConnectionError, asyncio.IncompleteReadError):
        return
    finally:
        writer.close()


async def _reply(writer: asyncio.StreamWriter, request: list[Any], answer: Answer) -> None:
    _, number, name, arguments = request
    try:
        # the first argument says whether the client waits; replies go out all the same
        result = await answer(name, list(arguments[1:]))
        if result is None:
            return
        reply = [1, number, None, result]
    except UnknownCallError:
        reply = [1, number, f"server could not find function '{name}'", None]
    writer.write(msgpack.packb(reply))
    await writer.drain()
