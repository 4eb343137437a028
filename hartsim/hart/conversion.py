"""Weights of any file, checked once and kept as one float32 file that is mapped at every load.

What is kept lies in `converted/` of the cache, beside a record of the files that it was made of.
The folder may be deleted at any time: what is needed of it is made anew.
"""

import hashlib
import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import safe_open
from torch import Tensor

from hartsim.errors import CheckpointError
from hartsim.folders import cache_folder
from hartsim.hart.mapping import release
from hartsim.hart.store import (
    key_of,
    locked,
    read_record,
    stamp,
    write_record,
    writing,
)

logger = logging.getLogger(__name__)

FORMAT = 1
"""Of the records; another one makes them void."""


@dataclass(frozen=True)
class Checked:
    """Weights that are finite, float32, and fit the model of their `config.json`."""

    file: Path
    """A safetensors file; it may hold more tensors than the model needs."""
    digest: str
    """`digest_of` the tensors that the model needs."""


def find(sources: Sequence[Path]) -> Checked | None:
    """What was made of these files, if none of them has changed since."""
    record = read_record(_place(sources, ".json"))
    if record is None or record.get("format") != FORMAT:
        return None
    same = record["sources"] == [stamp(file) for file in sources if file.is_file()]
    file = Path(record["file"])
    if not same or not file.is_file() or stamp(file)["size"] != record["size"]:
        return None
    return Checked(file, record["digest"])


def keep(sources: Sequence[Path], tensors: Mapping[str, Tensor]) -> Checked:
    """Check tensors that were read from `sources`, and keep them for the next load.

    A single float32 safetensors file stays where it is; everything else is converted, one tensor at
    a time. Raises CheckpointError that names the first tensor with NaN or infinity in it.
    """
    started = time.perf_counter()
    stamps = [stamp(source) for source in sources]
    place = _place(sources, ".safetensors")
    with locked(place):
        if done := find(sources):  # another process was faster
            return done
        if _can_be_mapped(sources, tensors):
            file, digest = _weights_in(sources)[0].absolute(), look_through(sources[-1], tensors)
        else:
            for leftover in place.parent.glob(f".{place.name}.*"):  # of a process that was killed
                leftover.unlink()
            with writing(place) as out:
                out.write(_header(tensors))
                digest = look_through(sources[-1], tensors, out)
            file = place
        record = {
            "format": FORMAT,
            "sources": stamps,
            "file": str(file),
            "size": stamp(file)["size"],
            "digest": digest,
        }
        write_record(_place(sources, ".json"), record)
    seconds = time.perf_counter() - started
    logger.info("checked %s in %.1f s, to be read from %s", sources[-1], seconds, file)
    return Checked(file, digest)


def is_changed(checked: Checked) -> bool:
    """Whether a file of ours no longer holds what was checked; reads all of it."""
    if checked.file.parent != _folder():
        return False  # it is the user's own, with tensors that were not looked at
    with safe_open(checked.file, framework="pt") as file:
        return digest_of({key: file.get_tensor(key) for key in list(file.keys())}) != checked.digest


def digest_of(tensors: Mapping[str, Tensor]) -> str:
    """Hexadecimal digits that change with any name or value, taken as float32, of the tensors."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(name.encode())
        digest.update(_bytes(tensor.to(torch.float32)))
    return digest.hexdigest()


def require_finite(place: Path, name: str, tensor: Tensor) -> None:
    """Raise CheckpointError if there is NaN or infinity in a tensor of the file at `place`."""
    low, high = tensor.aminmax() if tensor.numel() else (tensor.new_zeros(()),) * 2
    if not (low.isfinite() and high.isfinite()):
        raise CheckpointError(f"{place}: NaN or infinity in tensor '{name}'")


def _folder() -> Path:
    return cache_folder() / "converted"


def _place(sources: Sequence[Path], suffix: str) -> Path:
    return _folder() / f"{key_of(*sources)}{suffix}"


def _weights_in(sources: Sequence[Path]) -> list[Path]:
    return [source for source in sources if source.suffix != ".json"]


def _can_be_mapped(sources: Sequence[Path], tensors: Mapping[str, Tensor]) -> bool:
    files = _weights_in(sources)
    is_plain = len(files) == 1 and files[0].suffix == ".safetensors"
    return is_plain and all(tensor.dtype == torch.float32 for tensor in tensors.values())


def look_through(place: Path, tensors: Mapping[str, Tensor], out: BinaryIO | None = None) -> str:
    """Check tensors as they were read from `place`, and write them if there is where to.

    Returns `digest_of` them. Of mapped ones, no more than one is in memory at a time.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        full = tensor.to(torch.float32)
        require_finite(place, name, full)
        digest.update(name.encode())
        digest.update(_bytes(full))
        if out is not None:
            out.write(_bytes(full))
        release([tensor])
    return digest.hexdigest()


def _bytes(tensor: Tensor) -> memoryview:
    flat = tensor.detach().cpu().contiguous().flatten()
    view: memoryview = flat.view(torch.uint8).numpy().data
    return view


def _header(tensors: Mapping[str, Tensor]) -> bytes:
    """The start of a safetensors file that holds these tensors as float32, sorted by name."""
    fields: dict[str, Any] = {}
    end = 0
    for name, tensor in sorted(tensors.items()):
        start, end = end, end + 4 * tensor.numel()
        fields[name] = {"dtype": "F32", "shape": [*tensor.shape], "data_offsets": [start, end]}
    text = json.dumps(fields).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text
