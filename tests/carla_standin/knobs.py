"""What can be asked of a stand-in: flags of its command line, a field of `Knobs` each."""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Knobs:
    """How a server behaves, and what goes wrong with it.

    `layout` is the version whose packing it speaks, `version` what it says it is. `pictures` are
    drawn of the "street" (in drafts, or `fine` with shadows and wet ground), once and for all
    ("predrawn"), or of a "plain" with boxes. It ends with its `parent`, a process id, if any.

    Faults. Calls are named as on the wire; `tick_cue:5` means those after the first five.
    `delay_s` and `call_delay_s`: seconds before replies; `silent`: calls that are done but never
    answered; `error`: calls that fail with these words; `die_at`: calls of which the server dies;
    `die_after_ticks`: as many, its own included. `dead_stream`: sensors (patterns of blueprints)
    of which nothing comes after `dead_after` messages; `lost_frames`: messages of each sensor that
    get lost, its first is 1; `late_s`: how long after a snapshot its pictures come. `collision`:
    blueprints (patterns) that cannot be spawned; `deaf`: objects (patterns of names) that ignore
    paint; `unknown`: objects that have a name but are gone when they are to be painted. `crowded`:
    the server has actors, weather and settings of its own when one connects.
    """

    port: int = 0
    layout: str = "0.9.16"
    version: str = ""
    map: str = "Town10HD_Opt"
    pictures: str = "street"
    fine: bool = False
    log: str = ""
    folder: str = ""
    parent: int = 0
    delay_s: float = 0.0
    call_delay_s: Mapping[str, float] = field(default_factory=dict)
    silent: Sequence[str] = ()
    error: Mapping[str, str] = field(default_factory=dict)
    dead_stream: Sequence[str] = ()
    dead_after: int = 0
    lost_frames: Sequence[int] = ()
    late_s: float = 0.0
    die_at: Sequence[str] = ()
    die_after_ticks: int = 0
    collision: Sequence[str] = ()
    deaf: Sequence[str] = ()
    unknown: Sequence[str] = ()
    crowded: bool = False

    @property
    def reported_version(self) -> str:
        """What `get_server_version` gets."""
        return self.version or self.layout

    @property
    def world_observer(self) -> int:
        """The registry's number of world snapshots, which 0.9.16 has moved."""
        return 17 if self.layout == "0.9.16" else 16

    @property
    def attribute_base(self) -> int:
        """The number of the first type of attributes, Bool."""
        return 1 if self.layout == "0.9.16" else 0

    @property
    def has_sockets(self) -> bool:
        """Whether SpawnActor commands name a socket."""
        return self.layout == "0.9.16"

    @property
    def ids_are_actors(self) -> bool:
        """Whether instance pictures hold CARLA's ids of actors; before 0.9.16 they are Unreal's."""
        return self.layout == "0.9.16"


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether a name fits one of the patterns."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def flags(knobs: Mapping[str, Any]) -> list[str]:
    """The command line that asks for these fields."""
    known = asdict(Knobs())
    for name in knobs:
        if name not in known:
            raise TypeError(f"no knob '{name}'; there are: {', '.join(known)}")
    words = []
    for name, value in knobs.items():
        text = str(value) if isinstance(value, str | Path) else json.dumps(value)
        words += ["--" + name.replace("_", "-"), text]
    return words


def parse(words: Sequence[str]) -> Knobs:
    """The knobs of a command line."""
    parser = argparse.ArgumentParser("python -m tests.carla_standin", description=Knobs.__doc__)
    for each in fields(Knobs):
        plain = each.default is not MISSING and isinstance(each.default, str)
        flag = "--" + each.name.replace("_", "-")
        parser.add_argument(flag, type=str if plain else json.loads, default=None)
    asked = {
        key: value for key, value in vars(parser.parse_args(words)).items() if value is not None
    }
    return Knobs(**asked)
