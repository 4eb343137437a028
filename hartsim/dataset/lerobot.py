"""Episodes in LeRobot's dataset format v3.0: tables in Parquet, pictures in H.264 videos.

    meta/info.json                                  what there is: features, counts, paths
    meta/stats.json                                 how each feature is distributed
    meta/tasks.parquet                              what was to be done, in words
    meta/episodes/chunk-000/file-000.parquet        where each episode lies, and its statistics
    meta/hartsim.json                               what made the dataset
    data/chunk-000/file-000.parquet                 a row for each step
    videos/<feature>/chunk-000/file-000.mp4         a picture for each step

All is written aside and renamed at the end, so that a dataset is whole or absent. Equal episodes
give equal Parquet and JSON with one version of pyarrow, and equal videos with one of ffmpeg.

Knows no environment. Source: docs/source/lerobot-dataset-v3.mdx and src/lerobot/datasets of
huggingface/lerobot, version 0.4.4.
"""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hartsim.dataset.durable import (
    SCRATCH_PREFIX,
    json_page,
    plain,
    refusals_told,
    sync_folder,
)
from hartsim.errors import ConfigError, DatasetError

VERSION = "v3.0"
ROWS_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATH = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
EPISODES_PATH = "meta/episodes/chunk-000/file-000.parquet"
FILES_IN_CHUNK = 1000
MEGABYTE = 2**20
QUANTILES: Mapping[str, float] = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
COLOURS = "yuv444p"
"""Not the usual yuv420p, which halves the colours' resolution: in small pictures that greys lights
and clothes (32 dB against 41 dB of a 64 px street, at four fifths of the bytes)."""
ENCODING = (
    *("-crf", "12", "-preset", "medium"),
    *("-g", "2", "-bf", "0"),  # any picture is found after at most one other
    *(
        "-threads",
        "1",
        "-fflags",
        "+bitexact",
        "-flags:v",
        "+bitexact",
    ),  # same pictures, same bytes
    *("-movflags", "+faststart"),
)

Values = NDArray[Any]
Told = Mapping[str, Any]
Stats = dict[str, dict[str, Values]]


@dataclass(frozen=True)
class Feature:
    """What a step holds under a name: arrays of this dtype and shape, whose parts have `names`.

    Of dtype "video" are pictures (height, width, 3), uint8.
    """

    dtype: str
    shape: tuple[int, ...]
    names: tuple[str, ...] | None = None

    @property
    def is_video(self) -> bool:
        """Whether it is kept in a video."""
        return self.dtype == "video"


INDICES: Mapping[str, Feature] = {
    "timestamp": Feature("float32", (1,)),
    "frame_index": Feature("int64", (1,)),
    "episode_index": Feature("int64", (1,)),
    "index": Feature("int64", (1,)),
    "task_index": Feature("int64", (1,)),
}
"""What every dataset of the format has, and this writer fills in."""


@dataclass(frozen=True)
class FileSizes:
    """How much goes into a file before the next is begun: rows, and pictures, before compression.

    Pictures of worlds are about a tenth as large in a video.
    """

    rows_bytes: int = 100 * MEGABYTE
    pictures_bytes: int = 2000 * MEGABYTE


class EpisodeWriter:
    """A new dataset; a context manager. `finish` puts it in its place; without it nothing stays.

    `fps` is how many steps make a second, `robot` what acts, `about` what made the dataset, in
    plain data. DatasetError for a folder that holds something, ConfigError where pyarrow or ffmpeg
    is missing.
    """

    def __init__(
        self,
        root: Path,
        fps: int,
        features: Mapping[str, Feature],
        robot: str,
        about: Told | None = None,
        sizes: FileSizes | None = None,
    ) -> None:
        _require_libraries()
        _require_writable(features, fps)
        self.root, self.fps, self.robot = root, fps, robot
        self.features = {**features, **INDICES}
        self._about, sizes = dict(about or {}), sizes or FileSizes()
        self._tasks: dict[str, int] = {}
        self._episodes: list[dict[str, Any]] = []
        self._kept: dict[str, list[Values]] = {}
        self._seen: dict[str, list[Values]] = {}
        self._steps = 0
        place = Path(
            os.path.realpath(root)
        )  # a rename takes the place of a link, not of its folder
        with refusals_told(root):
            refuse_strangers(root)
            place.parent.mkdir(parents=True, exist_ok=True)
            self._place, prefix = place, f"{SCRATCH_PREFIX}{place.name}-"
            _remove_abandoned(place.parent, prefix)
            self._scratch = Path(tempfile.mkdtemp(prefix=prefix, dir=place.parent))
            # Held until closed: tells the next writer that this folder is not abandoned.
            self._lock: int | None = os.open(self._scratch, os.O_RDONLY)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            self._aside = self._scratch / "dataset"  # unlike the scratch, for all to read
            self._aside.mkdir()
        self._rows = _Rows(self._aside, self.features, sizes.rows_bytes)
        self._films = {
            name: _Film(self._aside, name, feature.shape, fps, sizes.pictures_bytes)
            for name, feature in self.features.items()
            if feature.is_video
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def add(self, steps: Mapping[str, Values], task: str, told: Told | None = None) -> None:
        """Take up a whole episode: what each feature was, (steps, *shape), and the task in words.

        `told` are facts of the episode: columns `hartsim/<name>` of its row, the same for all
        episodes. ValueError for what does not fit the features.
        """
        count = self._counted(steps)
        number, first = len(self._episodes), self._steps
        task_index = self._tasks.setdefault(task, len(self._tasks))
        whole = {
            **steps,
            "timestamp": (np.arange(count) / self.fps).astype(np.float32),
            "frame_index": np.arange(count),
            "episode_index": np.full(count, number),
            "index": np.arange(first, first + count),
            "task_index": np.full(count, task_index),
        }
        row: dict[str, Any] = {
            "episode_index": number,
            "tasks": [task],
            "length": count,
            "dataset_from_index": first,
            "dataset_to_index": first + count,
            "meta/episodes/chunk_index": 0,
            "meta/episodes/file_index": 0,
        }
        with refusals_told(self.root):
            chunk, file = self._rows.add({name: whole[name] for name in self._rows.names}, count)
            row |= {"data/chunk_index": chunk, "data/file_index": file}
            for name, film in self._films.items():
                told_of_film = film.add(whole[name])
                row |= {f"videos/{name}/{key}": value for key, value in told_of_film.items()}
        row |= {f"hartsim/{name}": value for name, value in (told or {}).items()}
        self._episodes.append({**row, **self._stats_of(whole)})
        self._steps += count

    def finish(self) -> Path:
        """Put the dataset in its place, whole; the folder. DatasetError without any episode."""
        if not self._episodes:
            raise DatasetError(f"{self.root}: no episode was added, so there is nothing to keep")
        with refusals_told(self.root):
            self._rows.close()
            for film in self._films.values():
                film.finish()
            self._write_meta()
            for path in sorted(self._aside.rglob("*")):
                sync_folder(path)  # files as well
            sync_folder(self._aside)
            self._aside.replace(self._place)
            sync_folder(self._place.parent)
        self.close()
        return self.root

    def close(self) -> None:
        """Remove what is unfinished; calling it twice is harmless."""
        parts: list[_Rows | _Film] = [self._rows, *self._films.values()]
        for part in parts:
            with suppress(OSError):
                part.close()
        shutil.rmtree(self._scratch, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _counted(self, steps: Mapping[str, Values]) -> int:
        """How many steps these are; ValueError where they do not fit the features."""
        wanted = [name for name in self.features if name not in INDICES]
        if set(steps) != set(wanted):
            raise ValueError(f"an episode has {sorted(steps)}, must have {sorted(wanted)}")
        counts = {len(values) for values in steps.values()}
        if len(counts) != 1 or counts == {0}:
            lengths = {name: len(values) for name, values in steps.items()}
            raise ValueError(f"an episode needs as many values of each feature, not {lengths}")
        for name, values in steps.items():
            feature = self.features[name]
            dtype = "uint8" if feature.is_video else feature.dtype
            found = values.shape[1:] or (1,)
            if found != feature.shape or values.dtype != dtype:
                raise ValueError(
                    f"'{name}' is {values.dtype} {found} a step, must be {dtype} {feature.shape}"
                )
        return counts.pop()

    def _stats_of(self, whole: Mapping[str, Values]) -> dict[str, Any]:
        """The statistics of an episode, by column; what goes into those of all is kept."""
        stats: Stats = {}
        for name, feature in self.features.items():
            if feature.is_video:
                seen = histograms(whole[name])
                self._seen.setdefault(name, []).append(seen)
                stats[name] = picture_stats(seen, len(whole[name]))
            elif len(feature.shape) == 1:
                self._kept.setdefault(name, []).append(whole[name])
                stats[name] = number_stats(whole[name])
        return {
            f"stats/{name}/{key}": value.tolist()
            for name, found in stats.items()
            for key, value in found.items()
        }

    def _write_meta(self) -> None:
        import pyarrow as pa

        meta = self._aside / "meta"
        (self._aside / EPISODES_PATH).parent.mkdir(parents=True)
        _write_table(self._aside / EPISODES_PATH, pa.Table.from_pylist(self._episodes))
        _write_table(meta / "tasks.parquet", _tasks_table(list(self._tasks)))
        stats: Stats = {
            name: number_stats(np.concatenate(kept)) for name, kept in self._kept.items()
        }
        for name, seen in self._seen.items():
            stats[name] = picture_stats(np.sum(seen, axis=0), self._steps)
        (meta / "stats.json").write_bytes(json_page(plain(stats)))
        (meta / "info.json").write_bytes(json_page(self._info()))
        (meta / "hartsim.json").write_bytes(json_page(plain(self._about)))

    def _info(self) -> dict[str, Any]:
        return {
            "codebase_version": VERSION,
            "robot_type": self.robot,
            "total_episodes": len(self._episodes),
            "total_frames": self._steps,
            "total_tasks": len(self._tasks),
            "chunks_size": FILES_IN_CHUNK,
            "data_files_size_in_mb": 100,
            "video_files_size_in_mb": 200,
            "fps": self.fps,
            "splits": {"train": f"0:{len(self._episodes)}"},
            "data_path": ROWS_PATH,
            "video_path": VIDEO_PATH if self._films else None,
            "features": {name: self._described(each) for name, each in self.features.items()},
        }

    def _described(self, feature: Feature) -> dict[str, Any]:
        names = None if feature.names is None else list(feature.names)
        told = {"dtype": feature.dtype, "shape": list(feature.shape), "names": names}
        if not feature.is_video:
            return told
        height, width, channels = feature.shape
        about_video = {
            "video.height": height,
            "video.width": width,
            "video.channels": channels,
            "video.codec": "h264",
            "video.pix_fmt": COLOURS,
            "video.fps": self.fps,
            "video.is_depth_map": False,
            "has_audio": False,
        }
        return {**told, "info": about_video}


class _Rows:
    """The table of all steps, a group of rows for each episode, in as many files as it takes."""

    def __init__(self, root: Path, features: Mapping[str, Feature], most_bytes: int) -> None:
        self.names = [name for name, feature in features.items() if not feature.is_video]
        self._root, self._most_bytes, self._file, self._bytes = root, most_bytes, 0, 0
        self._features = {name: features[name] for name in self.names}
        self._writer: Any = None

    def add(self, steps: Mapping[str, Values], count: int) -> tuple[int, int]:
        """Write an episode; the numbers of its chunk and its file."""
        import pyarrow as pa
        from pyarrow import parquet

        columns = {name: _column(values, self._features[name]) for name, values in steps.items()}
        table, size = pa.table(columns), sum(values.nbytes for values in steps.values())
        if self._writer is not None and self._bytes + size > self._most_bytes:
            self.close()
            self._file, self._bytes = self._file + 1, 0
        chunk, file = divmod(self._file, FILES_IN_CHUNK)
        if self._writer is None:
            path = self._root / ROWS_PATH.format(chunk_index=chunk, file_index=file)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = parquet.ParquetWriter(path, table.schema, compression="zstd")
        self._writer.write_table(table, row_group_size=count)
        self._bytes += size
        return chunk, file

    def close(self) -> None:
        """End the file that is open."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


class _Film:
    """The pictures of one feature, one episode after the other, in as many files as it takes."""

    def __init__(
        self, root: Path, name: str, shape: Sequence[int], fps: int, most_bytes: int
    ) -> None:
        self._root, self._name, self._fps = root, name, fps
        self._size = (shape[1], shape[0])
        self._most = max(1, most_bytes // int(np.prod(shape)))
        self._file = self._frames = 0
        self._writer: Any = None

    def add(self, pictures: Values) -> dict[str, int | float]:
        """Film an episode; where it is, in files and in seconds."""
        if self._writer is not None and self._frames + len(pictures) > self._most:
            self.finish()
            self._file, self._frames = self._file + 1, 0
        chunk, file = divmod(self._file, FILES_IN_CHUNK)
        if self._writer is None:
            self._writer = self._opened(chunk, file)
        for picture in pictures:
            self._writer.send(np.ascontiguousarray(picture))
        begun, self._frames = self._frames, self._frames + len(pictures)
        return {
            "chunk_index": chunk,
            "file_index": file,
            "from_timestamp": begun / self._fps,
            "to_timestamp": self._frames / self._fps,
        }

    def finish(self) -> None:
        """End the file that is open; DatasetError where ffmpeg did not keep all of it."""
        import imageio_ffmpeg

        if self._writer is None:
            return
        self.close()
        path = self._path(*divmod(self._file, FILES_IN_CHUNK))
        kept = imageio_ffmpeg.count_frames_and_secs(str(path))[0] if path.exists() else 0
        if kept != self._frames:
            raise DatasetError(f"{path}: ffmpeg kept {kept} of {self._frames} pictures")

    def close(self) -> None:
        """Stop, and wait for ffmpeg to end."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _path(self, chunk: int, file: int) -> Path:
        return self._root / VIDEO_PATH.format(
            video_key=self._name, chunk_index=chunk, file_index=file
        )

    def _opened(self, chunk: int, file: int) -> Any:
        import imageio_ffmpeg

        path = self._path(chunk, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = imageio_ffmpeg.write_frames(
            str(path),
            self._size,
            fps=self._fps,
            codec="libx264",
            pix_fmt_out=COLOURS,
            quality=None,
            macro_block_size=1,
            output_params=list(ENCODING),
        )
        writer.send(None)
        return writer


def number_stats(values: Values) -> dict[str, Values]:
    """How numbers (steps,) or (steps, N) are distributed, each of the N by itself."""
    columns = values.reshape(len(values), -1).astype(np.float64)
    return {
        "min": columns.min(axis=0),
        "max": columns.max(axis=0),
        "mean": columns.mean(axis=0),
        "std": columns.std(axis=0),
        "count": np.array([len(values)]),
        **{name: np.quantile(columns, share, axis=0) for name, share in QUANTILES.items()},
    }


def histograms(pictures: Values) -> NDArray[np.int64]:
    """How often each of the 256 values is in red, green and blue (3, 256) of pictures."""
    return np.stack([np.bincount(pictures[..., c].ravel(), minlength=256) for c in range(3)])


def picture_stats(seen: NDArray[np.int64], pictures: int) -> dict[str, Values]:
    """How the values of so many pictures are distributed: 0..1, (3, 1, 1), by `histograms`."""
    values, shares = np.arange(256) / 255, seen / seen.sum(axis=1, keepdims=True)
    mean = shares @ values
    reached = shares.cumsum(axis=1)
    found = {
        "min": values[(seen > 0).argmax(axis=1)],
        "max": values[255 - (seen > 0)[:, ::-1].argmax(axis=1)],
        "mean": mean,
        "std": np.sqrt(np.maximum(shares @ values**2 - mean**2, 0)),
        **{
            name: values[(reached >= share - 1e-9).argmax(axis=1)]
            for name, share in QUANTILES.items()
        },
    }
    return {
        **{name: each.reshape(3, 1, 1) for name, each in found.items()},
        "count": np.array([pictures]),
    }


def refuse_strangers(root: Path) -> None:
    """DatasetError where the folder of a new dataset holds anything."""
    names = sorted(path.name for path in root.iterdir()) if root.exists() else []
    if names:
        raise DatasetError(
            f"{root}: not empty (it holds '{names[0]}'); choose an empty or a new folder"
        )


def _column(values: Values, feature: Feature) -> Any:
    """Values (steps, *shape) as a column of Arrow; numbers of shape (1,) stand alone."""
    import pyarrow as pa

    if feature.shape == (1,):
        return pa.array(values.reshape(-1).astype(feature.dtype))
    column = pa.array(np.ascontiguousarray(values).reshape(-1))
    for size in reversed(feature.shape):
        column = pa.FixedSizeListArray.from_arrays(column, size)
    return column


def _tasks_table(tasks: Sequence[str]) -> Any:
    """The tasks as pandas keeps them: the words are the index."""
    import pyarrow as pa

    def described(name: str, pandas_type: str, numpy_type: str) -> dict[str, Any]:
        types = {"pandas_type": pandas_type, "numpy_type": numpy_type, "metadata": None}
        return {"name": name, "field_name": name, **types}

    words = {"pandas_type": "unicode", "numpy_type": "object", "metadata": {"encoding": "UTF-8"}}
    about = {
        "index_columns": ["task"],
        "column_indexes": [{"name": None, "field_name": None, **words}],
        "columns": [
            described("task_index", "int64", "int64"),
            described("task", "unicode", "object"),
        ],
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.0.0",
    }
    table = pa.table({"task_index": pa.array(range(len(tasks)), pa.int64()), "task": list(tasks)})
    return table.replace_schema_metadata({"pandas": json.dumps(about)})


def _write_table(path: Path, table: Any) -> None:
    from pyarrow import parquet

    parquet.write_table(table, path, compression="zstd")


def _require_writable(features: Mapping[str, Feature], fps: int) -> None:
    """ValueError for features that the format, or a video, cannot hold."""
    if fps < 1:
        raise ValueError(f"fps is {fps}, must be at least 1")
    for name, feature in features.items():
        if "/" in name or name in INDICES:
            raise ValueError(f"a feature is called '{name}'; no slash, and none of {list(INDICES)}")
        if not feature.is_video:
            continue
        if len(feature.shape) != 3 or feature.shape[2] != 3:
            raise ValueError(f"'{name}' is {feature.shape}, must be (height, width, 3)")


def _require_libraries() -> None:
    for library in ("pyarrow", "imageio_ffmpeg"):
        try:
            import_module(library)
        except ImportError as error:
            raise ConfigError(
                f'episodes in LeRobot\'s format need {library}: pip install "hartsim[rl]"'
            ) from error


def _remove_abandoned(folder: Path, prefix: str) -> None:
    """Delete what killed writers of the same dataset left."""
    for scratch in sorted(folder.glob(f"{prefix}*/")):
        with suppress(OSError):
            lock = os.open(scratch, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(scratch)
            finally:
                os.close(lock)
