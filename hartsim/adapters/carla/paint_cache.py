"""What is known about the objects of a map: which took paint, seen by looking, and which did not.

A file of JSON for each version of the server and each map, in the user's cache folder.
"""

import json
import logging
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from hartsim.adapters.carla.paint_check import Verdict
from hartsim.dataset.durable import replace_durably
from hartsim.folders import cache_folder

logger = logging.getLogger(__name__)

FORMAT = 1
PATIENCE = 2
"""So many different paints must have left an object as it was for it to be passed over."""


@dataclass(frozen=True)
class Tried:
    """How often paint was seen on an object, and how often it was not though the object was."""

    changed: int = 0
    unchanged: int = 0

    @property
    def is_hopeless(self) -> bool:
        """Whether paint never took, though it was tried often enough."""
        return not self.changed and self.unchanged >= PATIENCE


class PaintCache:
    """What painting the objects of one map came to, kept from run to run."""

    def __init__(self, version: str, map_name: str, folder: Path | None = None) -> None:
        self.version, self.map_name = version, map_name
        root = cache_folder() / "carla" if folder is None else folder
        self.path = root / _as_file(version) / f"{_as_file(map_name)}.json"
        self._tried = self._read()

    def tried(self, key: str) -> Tried:
        """What is known about an object, or a blueprint."""
        return self._tried.get(key, Tried())

    def paintable(self) -> list[str]:
        """The objects on which paint was seen."""
        return sorted(key for key, each in self._tried.items() if each.changed)

    def note(self, key: str, verdict: Verdict) -> None:
        """Remember what a look at a painted object showed; what showed nothing is not counted."""
        old = self.tried(key)
        if verdict == "changed":
            self._tried[key] = Tried(old.changed + 1, old.unchanged)
        elif verdict == "unchanged":
            self._tried[key] = Tried(old.changed, old.unchanged + 1)

    def save(self) -> None:
        """Write it all down, in one step; a folder that cannot be written is only logged."""
        data = {
            "format": FORMAT,
            "version": self.version,
            "map": self.map_name,
            "objects": {key: asdict(self._tried[key]) for key in sorted(self._tried)},
        }
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            replace_durably(self.path, (json.dumps(data, indent=1) + "\n").encode())
        except OSError as error:
            logger.warning("%s: %s; which objects take paint is not kept", self.path, error)

    def _read(self) -> dict[str, Tried]:
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            logger.warning("%s: %s; which objects take paint is learnt anew", self.path, error)
            return {}
        try:
            told = (data["format"], data["version"], data["map"])
            if told != (FORMAT, self.version, self.map_name):
                logger.warning("%s: is of %s; it is written anew", self.path, told)
                return {}
            return {
                str(key): Tried(int(each["changed"]), int(each["unchanged"]))
                for key, each in data["objects"].items()
            }
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            logger.warning("%s: no list of objects (%r); it is learnt anew", self.path, error)
            return {}


def _as_file(name: str) -> str:
    """The name with nothing in it that a path could stumble over."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip(".") or "_"
