"""Files that are whole or absent, whatever stops the program, and refusals told in one line."""

import errno
import fcntl
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hartsim.errors import DatasetError

SCRATCH_PREFIX = ".hartsim-"
"""What unfinished files and folders are called; a dataset may be read while they lie about."""
LOCK = f"{SCRATCH_PREFIX}lock"

REMEDIES: Mapping[int, str] = {
    errno.ENOSPC: "the disk is full; free some space and run the same command again",
    errno.EDQUOT: "your disk quota is used up; free some space and run the same command again",
    errno.EACCES: "no permission to write here; choose another folder",
    errno.EROFS: "this disk is read-only; choose another folder",
    errno.ENOTDIR: "a part of this path is a file; choose another folder",
    errno.EEXIST: "this is a file; a dataset needs a folder",
}


@contextmanager
def refusals_told(place: Path) -> Iterator[None]:
    """Turn the operating system's refusals into a DatasetError that names the place."""
    try:
        yield
    except OSError as error:
        reason = REMEDIES.get(error.errno or 0, error.strerror or str(error))
        raise DatasetError(f"{place}: {reason}") from error


def write_durably(path: Path, data: bytes) -> None:
    """Write a file and wait until it is on the disk."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_durably(path: Path, data: bytes) -> None:
    """Replace a file in one step: readers see the old bytes or the new ones, never a part."""
    aside = path.with_name(f"{SCRATCH_PREFIX}{os.getpid()}-{path.name}")
    try:
        write_durably(aside, data)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the one lock of a folder; other processes wait for their turn."""
    with (folder / LOCK).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def plain(value: Any) -> Any:
    """The value as JSON can hold it: dataclasses and mappings → dict, arrays and tuples → list.

    Infinities and nan, which JSON lacks, become the strings that `float` reads back.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{value!r} of type {type(value).__name__} is not plain data")


def json_line(value: Any) -> str:
    """Compact JSON with sorted keys: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def json_page(value: Any) -> bytes:
    """Indented JSON with sorted keys, for files that people open."""
    return (json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; DatasetError where it is missing, broken or no object."""
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise DatasetError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(data, dict):
        raise DatasetError(f"{path}: holds {type(data).__name__}, not an object")
    return data
