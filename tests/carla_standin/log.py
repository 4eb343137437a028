"""The log of every call that arrived: one line of JSON each, written before it is answered."""

import hashlib
import json
import os
import time
from typing import Any

import numpy as np

LONG = 4000
"""Longer texts are cut."""


def plain(value: Any) -> Any:
    """A value as JSON holds it: bytes in hexadecimal, pictures as their size and SHA-256."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, np.ndarray):
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return {"width": value.shape[1], "height": value.shape[0], "sha256": digest}
    if isinstance(value, str) and len(value) > LONG:
        return value[:LONG] + "…"
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


class CallLog:
    """Appends calls to a file; without a path it keeps none."""

    def __init__(self, path: str) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._file = os.open(path, flags, 0o644) if path else None

    def write(self, call: str, args: Any) -> None:
        """Note a call with its arguments, without the metadata before them."""
        if self._file is not None:
            line = {"call": call, "args": plain(args), "time_s": time.time()}
            os.write(self._file, (json.dumps(line) + "\n").encode())
