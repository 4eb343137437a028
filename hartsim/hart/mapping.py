"""Weights that lie in files: pages come into memory as they are read, and can leave it again."""

import ctypes
import mmap
from bisect import bisect_right
from collections.abc import Iterable
from pathlib import Path

from torch import Tensor

MADV_DONTNEED = 4
MAPPED = (".safetensors", ".bin")
"""Files that hold weights."""
LARGE = 1 << 20
"""Bytes from which it is worth the while."""


def release(tensors: Iterable[Tensor]) -> None:
    """Give back the memory of tensors that are mapped from files of weights, where Linux can.

    They are read again when they are used. What was written into them since they were mapped is
    lost, so it is for tensors that are as they were loaded, or are not needed any more.
    """
    maps = Path("/proc/self/maps")
    large = [tensor for tensor in tensors if tensor.nbytes >= LARGE]
    if not large or not maps.exists():
        return
    lines = [line.split() for line in maps.read_text().splitlines() if line.endswith(MAPPED)]
    mapped = sorted(tuple(int(end, 16) for end in line[0].split("-")) for line in lines)
    advise = ctypes.CDLL(None).madvise
    for tensor in large:
        first, last = tensor.data_ptr(), tensor.data_ptr() + tensor.nbytes
        before = bisect_right(mapped, (first, 1 << 64)) - 1
        if before < 0 or last > mapped[before][1]:
            continue
        # Only whole pages: the others belong to its neighbours as well.
        start = -(-first // mmap.PAGESIZE) * mmap.PAGESIZE
        length = last // mmap.PAGESIZE * mmap.PAGESIZE - start
        if length > 0:
            advise(ctypes.c_void_p(start), ctypes.c_size_t(length), MADV_DONTNEED)
