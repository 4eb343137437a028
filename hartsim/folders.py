"""Where hartsim keeps what it can make or bring again."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """`HARTSIM_CACHE`, else `hartsim` in `XDG_CACHE_HOME` or `~/.cache`; it need not exist yet."""
    if own := os.environ.get("HARTSIM_CACHE"):
        return Path(own).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser().absolute() / "hartsim"
