"""Where the files that ship with hartsim lie: scenarios, configurations and weights.

A wheel carries `scenarios` and `configs` in this folder; a checkout keeps them at its root.
"""

from pathlib import Path
from typing import Literal

Part = Literal["scenarios", "configs", "weights"]

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parents[1]


def library_path(part: Part) -> Path:
    """The folder of one part of the library; it need not exist where the part was not shipped."""
    if part == "weights":
        return _PACKAGE.parent / "weights"
    packaged = _PACKAGE / part
    return packaged if packaged.is_dir() else _CHECKOUT / part
