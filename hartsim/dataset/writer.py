"""Samples into a folder that survives a crash, a full disk and several writers at once.

A sample is written aside in a hidden folder, brought to the disk and renamed as a folder: it is
whole or absent.
"""

import fcntl
import logging
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hartsim.dataset.durable import (
    SCRATCH_PREFIX,
    json_line,
    json_page,
    locked,
    plain,
    refusals_told,
    replace_durably,
    sync_folder,
    write_durably,
)
from hartsim.dataset.files import files_of
from hartsim.dataset.layout import (
    FORMAT,
    MANIFEST,
    MARKER,
    is_sample,
    manifest_line,
    read_marker,
    sample_folders,
)
from hartsim.errors import DatasetError
from hartsim.types import Sample

logger = logging.getLogger(__name__)


class DatasetWriter:
    """A dataset folder open for writing; a context manager.

    `request` is the plain data that decides the samples (scenarios, seed, count, routes, settings),
    and nothing that does not (batch, shard, workers). Writers of one request may share a folder.
    Raises DatasetError for a folder that holds something else or another request's dataset.
    """

    def __init__(self, root: Path, request: Mapping[str, Any]) -> None:
        self.root = root
        self.request: dict[str, Any] = plain(request)
        with refusals_told(root):
            _refuse_strangers(root)
            root.mkdir(parents=True, exist_ok=True)
            with locked(root):
                _claim(root, self.request)
                _remove_abandoned(root)
                self._scratch = Path(tempfile.mkdtemp(prefix=SCRATCH_PREFIX, dir=root))
                # Held until closed: tells the next writer that this folder is not abandoned.
                self._lock = (self._scratch / "lock").open("wb")
                fcntl.flock(self._lock, fcntl.LOCK_EX)
            (root / "samples").mkdir(exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def folder_of(self, sample_id: str) -> Path:
        """Where a sample lies, or will lie."""
        return self.root / "samples" / sample_id

    def has(self, sample_id: str) -> bool:
        """Whether the sample is there, which means whole."""
        return is_sample(self.root, sample_id)

    def add(self, sample: Sample) -> Path:
        """Write a sample, whole or not at all; its folder. One that is there already is kept."""
        return self._place(sample.id, files_of(sample))

    def adopt(self, folder: Path) -> Path:
        """Copy a sample of another dataset; DatasetError where ours of that id differs."""
        target = self.folder_of(folder.name)
        if self.has(folder.name):
            _refuse_difference(folder, target)
            return target
        with refusals_told(folder):
            files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        return self._place(folder.name, files)

    def finish(self) -> Path:
        """Derive the manifest from the samples that are there, of all writers; its path."""
        path = self.root / MANIFEST
        with refusals_told(path), locked(self.root):
            lines = (manifest_line(folder) for folder in sample_folders(self.root))
            text = "".join(f"{line}\n" for line in lines).encode()
            if not path.exists() or path.read_bytes() != text:
                replace_durably(path, text)
        return path

    def close(self) -> None:
        """Remove what is unfinished; calling it twice is harmless."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._lock.close()

    def _place(self, sample_id: str, files: Mapping[str, bytes]) -> Path:
        target = self.folder_of(sample_id)
        aside = self._scratch / sample_id
        try:
            with refusals_told(target):
                aside.mkdir()
                for name, data in files.items():
                    write_durably(aside / name, data)
                sync_folder(aside)
                self._rename(aside, target)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return target

    def _rename(self, aside: Path, target: Path) -> None:
        if target.is_dir() and not self.has(target.name):
            logger.warning("%s: no sample.json, so no sample; made anew", target)
            shutil.rmtree(target)
        try:
            aside.replace(target)
        except OSError:
            if not self.has(target.name):
                raise
            logger.info("%s: another writer was faster; kept its sample", target)
        sync_folder(target.parent)


def merge(sources: Iterable[Path], out: Path) -> Path:
    """Unite datasets of one request, such as shards, in a folder; the path of its manifest.

    A source is a dataset or a folder of datasets. Samples that several sources hold must agree.
    """
    shards = [shard for source in sources for shard in _datasets_in(source)]
    if not shards:
        raise DatasetError("nothing to merge: name at least one dataset folder")
    request = read_marker(shards[0])["request"]
    seen: dict[str, Path] = {}
    for shard in shards:
        refuse_other_request(shard, read_marker(shard)["request"], request)
        for folder in sample_folders(shard):
            _refuse_difference(folder, seen.setdefault(folder.name, folder))
    with DatasetWriter(out, request) as writer:
        for shard in shards:
            for folder in sample_folders(shard):
                writer.adopt(folder)
        return writer.finish()


def _refuse_strangers(root: Path) -> None:
    names = {path.name for path in root.iterdir()} if root.exists() else set()
    visible = sorted(name for name in names if not name.startswith(SCRATCH_PREFIX))
    if visible and MARKER not in visible:
        raise DatasetError(
            f"{root}: not empty and not a hartsim dataset (it holds '{visible[0]}'); "
            "choose an empty or a new folder"
        )


def _claim(root: Path, request: dict[str, Any]) -> None:
    if not (root / MARKER).exists():
        replace_durably(root / MARKER, json_page({"format": FORMAT, "request": request}))
    refuse_other_request(root, read_marker(root)["request"], request)


def refuse_other_request(root: Path, theirs: Any, ours: Mapping[str, Any]) -> None:
    """DatasetError where a folder was made by another request, with what differs."""
    differences = _differences(theirs, ours)
    if differences:
        more = f" (and {len(differences) - 3} more)" if len(differences) > 3 else ""
        raise DatasetError(
            f"{root}: made by another request: {'; '.join(differences[:3])}{more}; "
            "repeat that request to continue it, or choose another folder"
        )


def _differences(theirs: Any, ours: Any, path: str = "") -> list[str]:
    if isinstance(theirs, Mapping) and isinstance(ours, Mapping):
        names = sorted(set(theirs) | set(ours))
        pairs = ((name, theirs.get(name), ours.get(name)) for name in names)
        return [line for name, a, b in pairs for line in _differences(a, b, f"{path}.{name}")]
    if theirs == ours:
        return []
    return [f"{path[1:]} is {_shown(theirs)} there and {_shown(ours)} here"]


def _shown(value: Any) -> str:
    return "absent" if value is None else json_line(value)


def _remove_abandoned(root: Path) -> None:
    """Delete what killed writers left; the caller holds the folder's lock."""
    for name in (MARKER, MANIFEST):
        for path in root.glob(f"{SCRATCH_PREFIX}*-{name}"):
            path.unlink()
    for scratch in root.glob(f"{SCRATCH_PREFIX}*/"):
        _remove_unless_in_use(scratch)


def _remove_unless_in_use(scratch: Path) -> None:
    with suppress(FileNotFoundError), (scratch / "lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        logger.info("%s: removed what an interrupted run left", scratch)
        shutil.rmtree(scratch)


def _datasets_in(source: Path) -> list[Path]:
    if (source / MARKER).is_file() or not source.is_dir():
        return [source]
    return sorted(path.parent for path in source.glob(f"*/{MARKER}"))


def _refuse_difference(theirs: Path, ours: Path) -> None:
    if theirs != ours and manifest_line(theirs) != manifest_line(ours):
        raise DatasetError(f"{theirs} and {ours} differ but have one id; keep one of them")
