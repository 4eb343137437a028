"""Cut-outs of the catalogue's hazards: pictures, exact masks and shadows, kept in the user's cache.

`cutting` draws them, once on a machine and in a process of its own: a process that has drawn with
OpenGL must not be forked, which vector environments do.
"""

import hashlib
import io
import logging
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hartsim import __version__
from hartsim.dataset.durable import locked, refusals_told, replace_durably
from hartsim.errors import WorldError
from hartsim.folders import cache_folder
from hartsim.scenario.kinds import KINDS
from hartsim.scenario.words import suggestion
from hartsim.types import Image, Mask

logger = logging.getLogger(__name__)

RECIPE = 1
"""Counted up when cut-outs are made otherwise, so that old ones are not taken for new."""

NO_THINGS = frozenset(
    {"smoke", "dust_cloud", "fog_bank", "tyre_spray"}
    | {"high_beams", "sun_glare", "dirty_lens", "lens_drops"}
)
"""Kinds that are air and light, which nothing can be cut out of."""


@dataclass(frozen=True, eq=False)
class Cutout:
    """A thing as seen from one distance; arrays are (h, w), `image` (h, w, 3).

    `shade` is how much light its shadow leaves, 255 for all. `behind_m` is how much farther than
    its foot, the middle of where it stands, each pixel is. `foot` is where that is, right and down
    in pixels; `px_per_m` how large it is seen there, `away_m` how far the camera was, and `ground`
    how bright the ground is, 0..255.
    """

    image: Image
    mask: Mask
    shade: NDArray[np.uint8]
    behind_m: NDArray[np.float32]
    foot: tuple[float, float]
    px_per_m: float
    away_m: float
    ground: float


Variant = tuple[Cutout, ...]
"""One thing seen from several distances, nearest first."""


def require_cuttable(kind: str) -> None:
    """ValueError where no kind of that name is a thing that could be cut out."""
    if kind not in KINDS:
        raise ValueError(f"no hazard is called '{kind}'; {suggestion(kind, KINDS)}")
    if kind in NO_THINGS:
        raise ValueError(f"'{kind}' is no thing that could be put in; WeatherObservation has fog")


def cutouts_of(kind: str) -> tuple[Variant, ...]:
    """The cut-outs of a kind, by variant; made on first use, which takes seconds.

    WorldError where they cannot be drawn, ValueError where the kind is no thing.
    """
    require_cuttable(kind)
    if (found := kept(kind)) is not None:
        return found
    logger.info("%s: making cut-outs of '%s', once", _path_of(kind), kind)
    command = [sys.executable, "-m", "hartsim.adapters.gymnasium.cutting", kind]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    made = kept(kind)
    if made is None:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise WorldError(f"no cut-outs of '{kind}' could be made: {reason}")
    return made


def kept(kind: str) -> tuple[Variant, ...] | None:
    """The cut-outs of a kind in the cache; None where there are none, or broken ones."""
    path = _path_of(kind)
    if not path.is_file():
        return None
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as held:
            entries = dict(held)
        counts = entries.pop("counts").tolist()
        return tuple(
            tuple(_unpacked(entries, f"{v}/{d}") for d in range(count))
            for v, count in enumerate(counts)
        )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        logger.warning("%s: broken, and made anew: %s", path, error)
        return None


def keep(kind: str, variants: Sequence[Variant]) -> None:
    """Put the cut-outs of a kind into the cache."""
    entries: dict[str, NDArray[Any]] = {"counts": np.array([len(each) for each in variants])}
    for v, variant in enumerate(variants):
        for d, cut in enumerate(variant):
            entries |= _packed(cut, f"{v}/{d}")
    file = io.BytesIO()
    np.savez_compressed(file, **entries)  # type: ignore[arg-type]
    path = _path_of(kind)
    with refusals_told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_durably(path, file.getvalue())


@contextmanager
def locked_cache() -> Iterator[None]:
    """Let one process at a time make cut-outs."""
    folder = _cache()
    with refusals_told(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        yield


_ARRAYS = ("image", "mask", "shade", "behind_m")


def _packed(cut: Cutout, place: str) -> dict[str, NDArray[Any]]:
    arrays = {f"{place}/{name}": getattr(cut, name) for name in _ARRAYS}
    numbers = (*cut.foot, cut.px_per_m, cut.away_m, cut.ground)
    return {**arrays, f"{place}/numbers": np.array(numbers)}


def _unpacked(entries: dict[str, NDArray[Any]], place: str) -> Cutout:
    image, mask, shade, behind_m = (entries[f"{place}/{name}"] for name in _ARRAYS)
    column, row, px_per_m, away_m, ground = entries[f"{place}/numbers"].tolist()
    return Cutout(image, mask, shade, behind_m, (column, row), px_per_m, away_m, ground)


def _path_of(kind: str) -> Path:
    key = repr((RECIPE, __version__, KINDS[kind]))
    digest = hashlib.blake2b(key.encode(), digest_size=6).hexdigest()
    return _cache() / f"{kind}-{digest}.npz"


def _cache() -> Path:
    return cache_folder() / "cutouts"
