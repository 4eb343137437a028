"""Where things lie in a dataset folder, and which of them make two datasets equal.

`hartsim.json` says which request made the dataset. `samples/<id>/` holds one sample each: `image`,
`frame`, `labels`, `instances`, `mask` and `texture_<surface>` as `.png`, `depth.npz`, `lidar.npz`
where the world has one, and `sample.json`, which is the truth. `manifest.jsonl` is derived from all
`sample.json` in sorted order.
"""

from pathlib import Path
from typing import Any

from hartsim.dataset.durable import json_line, read_json
from hartsim.errors import DatasetError

FORMAT = 1
MARKER = "hartsim.json"
MANIFEST = "manifest.jsonl"
RUN_KEYS = ("timings_s",)
"""What differs between two runs of one request; the manifest leaves it out."""


def read_marker(root: Path) -> dict[str, Any]:
    """What `hartsim.json` says; DatasetError where the folder is no dataset that we can read."""
    path = root / MARKER
    if not path.is_file():
        raise DatasetError(f"{root}: not a hartsim dataset: it has no {MARKER}")
    marker = read_json(path)
    if marker.get("format") != FORMAT:
        raise DatasetError(
            f"{path}: format {marker.get('format')!r}; this hartsim reads format {FORMAT}"
        )
    if not isinstance(marker.get("request"), dict):
        raise DatasetError(f"{path}: no 'request'; it should hold what made the dataset")
    return marker


def sample_folders(root: Path) -> list[Path]:
    """The folders of all samples, sorted by id."""
    return sorted(path.parent for path in (root / "samples").glob("*/sample.json"))


def is_sample(root: Path, sample_id: str) -> bool:
    """Whether a dataset has this sample, which means whole."""
    return (root / "samples" / sample_id / "sample.json").is_file()


def manifest_line(folder: Path) -> str:
    """What the manifest says of one sample: equal for equal requests."""
    data = read_json(folder / "sample.json")
    return json_line({key: value for key, value in data.items() if key not in RUN_KEYS})
