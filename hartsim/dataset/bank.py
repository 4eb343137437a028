"""A bank: renders made ahead, read by many processes at once while one more may still add to it.

    bank.json               the index: what made the bank, and every shard of every kind
    <kind>/00000.npy        a shard: pictures (N, H, W, 3) uint8, mapped into memory
    <kind>/00000.jsonl      its rows: what each picture is, one line a picture

Kinds are `texture/<surface>` (seamless), `backdrop` (whole pictures of places without hazards) and
`view` (whole pictures of what their prompts ask for). Pictures of one kind share one size. A shard
is written once and never changed, and the index, which comes last, is replaced in one step: readers
see whole pictures or none, and one that holds an old index may go on with it.
"""

import fcntl
import hashlib
import io
import json
import math
import os
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from hartsim.dataset.durable import (
    LOCK,
    SCRATCH_PREFIX,
    json_line,
    json_page,
    plain,
    read_json,
    refusals_told,
    replace_durably,
    sync_folder,
)
from hartsim.dataset.writer import refuse_other_request
from hartsim.errors import DatasetError
from hartsim.types import Image, Size

FORMAT = 1
INDEX = "bank.json"

NPY_HEADER_BYTES = 128
"""What precedes the pixels in a shard's file."""

MOST_MAPS = 256
"""Shards that a process keeps mapped; each takes one of its file descriptors, of often 1024."""

_KIND = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?", re.ASCII)


@dataclass(frozen=True)
class Row:
    """What is known of a picture: its draw, what it was asked to show, and its identity.

    `target` is the surface or the camera, `failed` why its checks rejected it after the last
    attempt. `sha256` is that of the pixels; the writer fills it in.
    """

    scenario: str
    seed: int
    index: int
    target: str
    prompt: str
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    attempt: int = 0
    failed: tuple[str, ...] = ()
    noise_key: str = ""
    cache_key: str = ""
    weights_hash: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Shard:
    """Pictures that lie in one file, as the index describes it; `stem` is its path, unsuffixed."""

    stem: str
    shape: tuple[int, int, int, int]
    sha256: str
    rows_bytes: int
    rows_sha256: str

    @property
    def pixels_file(self) -> Path:
        """Where its pictures lie."""
        return Path(f"{self.stem}.npy")

    @property
    def rows_file(self) -> Path:
        """Where its rows lie."""
        return Path(f"{self.stem}.jsonl")


@dataclass(frozen=True)
class Index:
    """What a bank holds: the request that made it, and the shards of every kind, in order."""

    request: Mapping[str, Any]
    kinds: Mapping[str, tuple[Shard, ...]] = field(default_factory=dict)


class Pictures:
    """The pictures of one kind, by number from 0, and in `rows` what is known of them."""

    def __init__(self, shards: Sequence[Shard]) -> None:
        self.size_px: Size = shards[0].shape[1:3]
        self.rows = Rows(self)
        self._shards = shards
        self._ends = list(accumulate(shard.shape[0] for shard in shards))

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, number: int) -> Image:
        """A picture, uint8 (H, W, 3): a read-only view of the file; nothing is copied."""
        shard, place = self.find(number)
        image: Image = pixels_of(shard.stem, shard.sha256, shard.shape)[place]
        return image

    def __iter__(self) -> Iterator[Image]:
        return (self[number] for number in range(len(self)))

    def find(self, number: int) -> tuple[Shard, int]:
        """The shard of a picture, and its place there; IndexError where there is none."""
        if not 0 <= number < self._ends[-1]:
            raise IndexError(f"no picture {number}; there are 0 to {self._ends[-1] - 1}")
        nth = bisect_right(self._ends, number)
        shard = self._shards[nth]
        return shard, number - self._ends[nth] + shard.shape[0]


@dataclass(frozen=True)
class Rows:
    """What is known of each picture, by its number; read when first asked for."""

    pictures: Pictures

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, number: int) -> Row:
        shard, place = self.pictures.find(number)
        return rows_of(shard.stem, shard.rows_sha256, shard.shape[0])[place]

    def __iter__(self) -> Iterator[Row]:
        return (self[number] for number in range(len(self)))


class Bank:
    """A bank open for reading; open it with `open_bank`.

    It may be pickled, and is opened anew by its path where it is unpickled. All processes share the
    pages of its pictures.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._stamp = _stamp(self.path)
        self._hold(_whole_index(self.path))

    def __reduce__(self) -> tuple[Any, ...]:
        return open_bank, (self.path,)

    def _hold(self, index: Index) -> None:
        self._index = index
        self._pictures = {kind: Pictures(shards) for kind, shards in index.kinds.items()}

    @property
    def kinds(self) -> dict[str, int]:
        """How many pictures there are of each kind."""
        return {kind: len(pictures) for kind, pictures in self._pictures.items()}

    @property
    def request(self) -> Mapping[str, Any]:
        """The plain data that decided the pictures: scenarios by hash, seed, weights, settings."""
        return self._index.request

    def images(self, kind: str) -> Pictures:
        """The pictures of a kind; DatasetError names the kinds there are where it is missing."""
        if kind not in self._pictures:
            there = ", ".join(self.kinds) or "no pictures at all yet"
            raise DatasetError(f"{self.path}: no pictures of kind '{kind}'; there are {there}")
        return self._pictures[kind]

    def choose(self, kind: str, seed: int, episode: int, slot: int = 0) -> int:
        """The number of the picture to wear: by `chosen`, of those there are of the kind."""
        return chosen(len(self.images(kind)), kind, seed, episode, slot)

    def refresh(self) -> bool:
        """Take up what a writer has added since; whether there was anything.

        Costs one look at the index file where nothing has changed, and at what is new where it has.
        DatasetError where it is not the bank that was opened any more.
        """
        stamp = _stamp(self.path)
        if stamp == self._stamp:
            return False
        index = _whole_index(self.path, self._index.kinds)
        for kind, shards in self._index.kinds.items():
            if index.kinds.get(kind, ())[: len(shards)] != shards:
                raise DatasetError(
                    f"{self.path}: its pictures of kind '{kind}' are not those that it was opened "
                    "with; open it again"
                )
        self._stamp = stamp
        grown = index.kinds != self._index.kinds
        self._hold(index)
        return grown


def open_bank(path: Path | str, verify: bool = False) -> Bank:
    """The bank in a folder; with `verify`, every byte of it is read and compared.

    DatasetError says which file is missing, cut off, altered or of another format, and where.
    """
    bank = Bank(Path(path))
    problems = verify_bank(bank.path) if verify else []
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise DatasetError(f"{problems[0]}{more}")
    return bank


def chosen(count: int, kind: str, seed: int, episode: int, slot: int = 0) -> int:
    """A number below `count`: a pure function of the arguments that looks random."""
    key = "\x1f".join(map(str, (kind, seed, episode, slot)))
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % count


def is_bank(path: Path) -> bool:
    """Whether a folder holds a bank, or what is left of one."""
    return (path / INDEX).is_file()


def verify_bank(path: Path) -> list[str]:
    """Which files of a bank are not as they were written, one sentence each.

    DatasetError where it cannot even be opened.
    """
    shards = [shard for own in read_index(path).kinds.values() for shard in own]
    return [problem for each in shards for problem in (_wrong_sizes(each) or _wrong_bytes(each))]


class BankWriter:
    """A bank open for adding to it; a context manager, and the only one of its folder.

    `request` is the plain data that decides the pictures. Raises DatasetError for a folder that
    holds something else, another request's bank or a broken one, or where another writer is at
    work.
    """

    def __init__(self, path: Path, request: Mapping[str, Any]) -> None:
        self.path = path
        with refusals_told(path):
            _refuse_strangers(path)
            path.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(path)
        try:
            with refusals_told(path):
                for scratch in path.rglob(f"{SCRATCH_PREFIX}*"):
                    if scratch.name != LOCK:
                        scratch.unlink()
                if not is_bank(path):
                    self._replace_index(Index(plain(request)))
            self._index = _whole_index(path)
            refuse_other_request(path, self._index.request, plain(request))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the next writer in; calling it twice is harmless."""
        self._lock.close()

    def count(self, kind: str) -> int:
        """How many pictures of a kind are safely written."""
        return sum(shard.shape[0] for shard in self._index.kinds.get(kind, ()))

    def add(self, kind: str, images: Sequence[Image], rows: Sequence[Row]) -> None:
        """Write a shard, whole or not at all; readers see it when they next `refresh`."""
        before = self._index.kinds.get(kind, ())
        pixels = _stacked(kind, images, rows, before)
        hashed = [
            replace(row, sha256=_sha256(image.data))
            for row, image in zip(rows, pixels, strict=True)
        ]
        pixels_data = _npy(pixels)
        rows_data = "".join(f"{json_line(asdict(row))}\n" for row in hashed).encode()
        shard = Shard(
            stem=_stem(self.path, kind, len(before)),
            shape=pixels.shape,
            sha256=_sha256(pixels_data),
            rows_bytes=len(rows_data),
            rows_sha256=_sha256(rows_data),
        )
        folder = self.path / kind
        with refusals_told(folder):
            if not folder.is_dir():
                folder.mkdir(parents=True)
                sync_folder(folder.parent)
            replace_durably(shard.pixels_file, pixels_data)
            replace_durably(shard.rows_file, rows_data)
            kinds = {**self._index.kinds, kind: (*before, shard)}
            self._replace_index(replace(self._index, kinds=kinds))

    def _replace_index(self, index: Index) -> None:
        kinds = {
            kind: {"size_px": shards[0].shape[1:3], "shards": [_entry(each) for each in shards]}
            for kind, shards in index.kinds.items()
        }
        data = {"format": FORMAT, "request": index.request, "kinds": plain(kinds)}
        replace_durably(self.path / INDEX, json_page(data))
        self._index = index


def read_index(path: Path) -> Index:
    """What the index says; DatasetError where there is none, or it says what cannot be."""
    _refuse_other_folders(path)
    data = read_json(path / INDEX)
    if data.get("format") != FORMAT:
        raise DatasetError(
            f"{path / INDEX}: format {data.get('format')!r}; this hartsim reads format {FORMAT}"
        )
    try:
        return Index(
            request=dict(data["request"]),
            kinds={kind: _shards(path, kind, entry) for kind, entry in data["kinds"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DatasetError(f"{path / INDEX}: not the index of a bank: {error!r}") from error


def _whole_index(path: Path, known: Mapping[str, Sequence[Shard]] = MappingProxyType({})) -> Index:
    """The index, once every file that it names is found there and as long as it must be.

    Shards that are `known` were looked at before.
    """
    index = read_index(path)
    for kind, shards in index.kinds.items():
        for shard in shards[len(known.get(kind, ())) :]:
            for problem in _wrong_sizes(shard):
                raise DatasetError(problem)
    return index


def _refuse_other_folders(path: Path) -> None:
    if is_bank(path):
        return
    if not path.is_dir():
        raise DatasetError(f"{path}: {'a file, no bank' if path.exists() else 'no such folder'}")
    raise DatasetError(
        f"{path}: not a bank: it has no {INDEX}; `hartsim bank build` makes one, in a new folder"
    )


def _refuse_strangers(path: Path) -> None:
    names = sorted(each.name for each in path.iterdir()) if path.exists() else []
    visible = [name for name in names if not name.startswith(SCRATCH_PREFIX)]
    if visible and INDEX not in visible:
        raise DatasetError(
            f"{path}: not empty and not a bank (it holds '{visible[0]}'); "
            "choose an empty or a new folder"
        )


def _shards(path: Path, kind: str, entry: Mapping[str, Any]) -> tuple[Shard, ...]:
    """The shards of a kind as the index describes them; ValueError where that makes no sense."""
    _require_kind(kind)
    height, width = map(int, entry["size_px"])
    shards = tuple(
        Shard(
            stem=_stem(path, kind, number),
            shape=(int(shard["pictures"]), height, width, 3),
            sha256=str(shard["sha256"]),
            rows_bytes=int(shard["rows_bytes"]),
            rows_sha256=str(shard["rows_sha256"]),
        )
        for number, shard in enumerate(entry["shards"])
    )
    if not shards or min(min(shard.shape) for shard in shards) < 1:
        raise ValueError(f"'{kind}' has no pictures, or no pixels")
    return shards


def _stem(path: Path, kind: str, number: int) -> str:
    return f"{path}/{kind}/{number:05d}"  # a Path for each of thousands would take its time


def _entry(shard: Shard) -> dict[str, Any]:
    """What the index says of a shard."""
    return {
        "pictures": shard.shape[0],
        "sha256": shard.sha256,
        "rows_bytes": shard.rows_bytes,
        "rows_sha256": shard.rows_sha256,
    }


def _require_kind(kind: str) -> None:
    if not _KIND.fullmatch(kind):
        raise ValueError(f"kind is '{kind}', must be such as 'backdrop' or 'texture/road'")


def _wrong_sizes(shard: Shard) -> list[str]:
    """Which files of a shard are missing, or not as long as they must be."""
    problems = []
    pixel_bytes = NPY_HEADER_BYTES + math.prod(shard.shape)
    sizes = ((f"{shard.stem}.npy", pixel_bytes), (f"{shard.stem}.jsonl", shard.rows_bytes))
    for file, size in sizes:
        try:
            found = os.stat(file).st_size
        except OSError as error:
            problems.append(f"{file}: {error.strerror}, but {INDEX} names it")
            continue
        if found != size:
            problems.append(
                f"{file}: {found} bytes, must be {size}: cut off, altered, or not copied to its end"
            )
    return problems


def _wrong_bytes(shard: Shard) -> list[str]:
    """Which files of a shard are not as they were written, and which of its pictures."""
    files = ((shard.pixels_file, shard.sha256), (shard.rows_file, shard.rows_sha256))
    altered = [file for file, sha256 in files if _sha256_of(file) != sha256]
    if shard.rows_file in altered:
        return [f"{file}: its bytes are not those that were written" for file in altered]
    try:  # the files as they are now, not as they were when last mapped
        pixels = pixels_of.__wrapped__(shard.stem, shard.sha256, shard.shape)
        rows = rows_of.__wrapped__(shard.stem, shard.rows_sha256, shard.shape[0])
    except DatasetError as error:
        return [str(error)]
    pairs = enumerate(zip(pixels, rows, strict=True))
    wrong = [str(place) for place, (image, row) in pairs if _sha256(image.data) != row.sha256]
    if altered or wrong:
        which = f"of pictures {', '.join(wrong)}" if wrong else "of its header"
        return [f"{shard.pixels_file}: the bytes {which} are not those that were written"]
    return []


@lru_cache(maxsize=MOST_MAPS)
def pixels_of(stem: str, sha256: str, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """The pictures of a shard, mapped; its hash tells it from one of another bank at that place."""
    file = f"{stem}.npy"
    try:
        mapped = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{file}: no readable pictures: {error}") from error
    if mapped.shape != shape or mapped.dtype != np.uint8:
        raise DatasetError(
            f"{file}: holds {mapped.dtype} {mapped.shape}, {INDEX} says uint8 {shape}"
        )
    return np.asarray(mapped)  # a plain array, of which views cost less than of a memmap


@lru_cache(maxsize=MOST_MAPS)
def rows_of(stem: str, sha256: str, count: int) -> tuple[Row, ...]:
    """The rows of a shard of so many pictures."""
    file = Path(f"{stem}.jsonl")
    with refusals_told(file):
        lines = file.read_bytes().splitlines()
    try:
        rows = tuple(_row(json.loads(line)) for line in lines)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DatasetError(f"{file}: not the rows of a shard: {error!r}") from error
    if len(rows) != count:
        raise DatasetError(f"{file}: {len(rows)} rows, {INDEX} says {count}")
    return rows


def _row(told: Mapping[str, Any]) -> Row:
    tags = {name: tuple(values) for name, values in told["tags"].items()}
    return Row(**{**told, "tags": tags, "failed": tuple(told["failed"])})


def _stacked(
    kind: str, images: Sequence[Image], rows: Sequence[Row], before: Sequence[Shard]
) -> NDArray[np.uint8]:
    """The pictures as one array (N, H, W, 3); ValueError where they do not belong together."""
    _require_kind(kind)
    if len(images) != len(rows) or not images:
        raise ValueError(f"{len(images)} pictures and {len(rows)} rows; a shard needs as many")
    shape = (*before[0].shape[1:3], 3) if before else images[0].shape
    for image in images:
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(f"'{kind}' gets {image.dtype} {image.shape}, must be uint8 (H, W, 3)")
        if image.shape != shape:
            raise ValueError(f"'{kind}' gets a picture of {image.shape}, the others are {shape}")
    return np.stack(images)


def _npy(pixels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    np.save(file, pixels, allow_pickle=False)
    data = file.getvalue()
    assert len(data) == NPY_HEADER_BYTES + pixels.nbytes, "NumPy writes another header"
    return data


def _sha256(data: bytes | memoryview) -> str:
    return hashlib.sha256(data).hexdigest()


def _sha256_of(file: Path) -> str:
    with refusals_told(file), file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _locked(path: Path) -> BinaryIO:
    """The lock of a folder, held until closed; DatasetError where another writer holds it."""
    lock = (path / LOCK).open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise DatasetError(
            f"{path}: another process is adding to this bank; let it finish, or stop it"
        ) from error
    return lock


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What tells, without reading it, whether the index is still the same; None if it is gone."""
    try:
        status = os.stat(path / INDEX)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
