"""The scenario format: what a file may say, as frozen dataclasses.

A `Scenario` may vary (its `vary` names what is left to chance); one without `vary` is concrete.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hartsim.types import Task

Number = int | float
Value = str | int | float | bool


@dataclass(frozen=True)
class SceneSpec:
    """Where and when: ids from the catalogue."""

    place: str
    weather: str = "clear"
    time_of_day: str = "day"


@dataclass(frozen=True)
class ObjectSpec:
    """A hazard or another object: a kind from the catalogue and where it stands.

    The position is the centre of its footprint in the ego or robot-base frame; heading is
    anticlockwise from straight ahead. `size_m` (length, width, height) and `colour` default to the
    catalogue's.
    """

    kind: str
    ahead_m: float
    left_m: float = 0.0
    up_m: float = 0.0
    heading_deg: float = 0.0
    scale: float = 1.0
    colour: str | None = None


@dataclass(frozen=True)
class CameraSpec:
    """A named camera on the ego or the robot's stand; `fov_deg` is vertical, pitch up positive."""

    ahead_m: float
    left_m: float
    up_m: float
    pitch_deg: float = 0.0
    yaw_deg: float = 0.0
    fov_deg: float = 60.0


@dataclass(frozen=True)
class DrivingSpec:
    """The driving task."""

    speed_mps: float = 10.0
    traffic: float = 0.5
    goal_m: float = 60.0


@dataclass(frozen=True)
class RobotSpec:
    """The table-top task: which object to reach (a name among objects or hazards), if any."""

    reach: str | None = None
    clutter: float = 0.5


@dataclass(frozen=True)
class Distribution:
    """How one value is drawn.

    `choice` has `options` and optional `weights`; the others `low` and `high`, and normal also
    `mean` and `std` (clipped to low..high).
    """

    kind: Literal["choice", "uniform", "normal", "loguniform", "integer"]
    options: tuple[Value, ...] = ()
    weights: tuple[float, ...] | None = None
    low: float = 0.0
    high: float = 0.0
    mean: float = 0.0
    std: float = 0.0


@dataclass(frozen=True)
class Scenario:
    """One scenario file: `source` names it in errors, `source_hash` its bytes in provenance."""

    name: str
    task: Task
    about: str
    scene: SceneSpec
    hazards: Mapping[str, ObjectSpec]
    objects: Mapping[str, ObjectSpec] = field(default_factory=dict)
    cameras: Mapping[str, CameraSpec] = field(default_factory=dict)
    textures: Mapping[str, str] = field(default_factory=dict)
    driving: DrivingSpec | None = None
    robot: RobotSpec | None = None
    vary: Mapping[str, Distribution] = field(default_factory=dict)
    source: str = ""
    source_hash: str = ""
