"""The streams: a client names one in four bytes, and then only listens."""

import asyncio
import struct

LENGTH = struct.Struct("<I")
FULL = 256 << 20
"""How many bytes may wait for a slow reader before it misses messages."""


class Streams:
    """Who listens to what."""

    def __init__(self) -> None:
        self._listeners: dict[int, list[asyncio.StreamWriter]] = {}

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take up a client that names a stream; it is heard of no more."""
        stream = None
        try:
            (stream,) = LENGTH.unpack(await reader.readexactly(4))
            self._listeners.setdefault(stream, []).append(writer)
            await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            if stream is not None and writer in self._listeners.get(stream, []):
                self._listeners[stream].remove(writer)
            writer.close()

    def heard(self, stream: int) -> bool:
        """Whether anyone listens."""
        return bool(self._listeners.get(stream))

    def send(self, stream: int, *parts: bytes) -> None:
        """Send one message to all who listen; slow readers miss it."""
        size = LENGTH.pack(sum(len(part) for part in parts))
        for writer in self._listeners.get(stream, ()):
            if writer.transport.get_write_buffer_size() < FULL:
                writer.writelines([size, *parts])

    def drop(self, stream: int) -> None:
        """Hang up on all who listen."""
        for writer in self._listeners.pop(stream, []):
            writer.close()
