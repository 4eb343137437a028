"""What hartsim keeps on this machine between runs, and how it writes it: whole, or not at all."""

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from hartsim.errors import CheckpointError
from hartsim.folders import cache_folder


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `path` when all of it is on the disk, and never before.

    CheckpointError says if there is no room, or no permission.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with _refusals_told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with aside.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a path; other processes wait for their turn."""
    with _refusals_told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_suffix(".lock").open("ab")
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def require_writable(folder: Path) -> None:
    """Make a folder if needed and try it out; CheckpointError says if nothing can be kept there."""
    with _refusals_told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass


@contextmanager
def _refusals_told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        elsewhere = "; another place: HARTSIM_CACHE=FOLDER" if _is_kept(path) else ""
        reason = error.strerror or error
        raise CheckpointError(f"{path}: cannot be written ({reason}){elsewhere}") from error


def _is_kept(path: Path) -> bool:
    return cache_folder() in path.parents


def write_record(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a small JSON file in one step."""
    with writing(path) as file:
        file.write((json.dumps(content, indent=1) + "\n").encode())


def read_record(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file that hartsim wrote; None where it is missing or broken."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def stamp(file: Path) -> dict[str, Any]:
    """What tells, without reading a file, whether it is still the same."""
    real = file.resolve()
    status = real.stat()
    return {"path": str(real), "size": status.st_size, "mtime_ns": status.st_mtime_ns}


def key_of(*files: Path) -> str:
    """A short name for what is kept of these files, whichever links lead to them."""
    paths = "\n".join(str(file.resolve()) for file in files)
    return hashlib.sha256(paths.encode()).hexdigest()[:24]


def sha256_of(file: Path, again: bool = False) -> str:
    """The sha256 of a file, in hexadecimal digits: remembered, unless asked to be read `again`."""
    path = cache_folder() / "sha256" / f"{key_of(file)}.json"
    known, now = read_record(path), stamp(file)
    if not again and known is not None and known.get("stamp") == now:
        return str(known["sha256"])
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    write_record(path, {"stamp": now, "sha256": digest})
    return digest
