"""What the compiler hands on: one draw with nothing left to chance.

Worlds read `setup`, the pipeline the prompts, datasets the tags.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hartsim.scenario.motion import Motion
from hartsim.scenario.nodes import Value
from hartsim.scenario.schema import Scenario
from hartsim.types import Box3D, Task, Vector3

TAG_GROUPS = (
    "task",
    "place",
    "weather",
    "ground",
    "time_of_day",
    "hazard",
    "class",
    "nhtsa",
    "odd",
    "sotif",
)
"""The schemes of tags that every scene carries."""


@dataclass(frozen=True)
class CameraSetup:
    """A camera to mount: position in metres in the base frame, angles in radians, vertical view."""

    name: str
    position_m: Vector3
    pitch_rad: float
    yaw_rad: float
    fov_rad: float


@dataclass(frozen=True)
class Conditions:
    """Weather and light as numbers any world can show; the ids are the catalogue's.

    `visibility_m` is the meteorological range (inf when clear); rain, snow (falling), wetness,
    snow_cover (lying), cloud are 0..1; the sun's azimuth is anticlockwise from straight ahead.
    `ground` is the catalogue's id for what lies on the road, empty where the weather alone decides.
    """

    place: str
    weather: str
    time_of_day: str
    visibility_m: float = math.inf
    rain: float = 0.0
    snow: float = 0.0
    wetness: float = 0.0
    snow_cover: float = 0.0
    cloud: float = 0.0
    sun_elevation_rad: float = 0.8
    sun_azimuth_rad: float = 0.6
    ground: str = ""


@dataclass(frozen=True)
class PlacedObject:
    """An object to put into the world.

    `box.centre_m` is the centre of the volume (its z is up_m + height/2). `colour` is linear RGB in
    0..1 or None for the world's choice. `kind` is the catalogue id, `class_name` one of CLASSES.
    `motion` is what it does by itself, None for what stays where it is.
    """

    name: str
    kind: str
    class_name: str
    hazard: bool
    tags: tuple[str, ...]
    box: Box3D
    colour: Vector3 | None = None
    motion: Motion | None = None


@dataclass(frozen=True)
class WorldSetup:
    """All that a world must show. `decor_seed` decides everything the scenario leaves open."""

    task: Task
    conditions: Conditions
    objects: tuple[PlacedObject, ...]
    cameras: tuple[CameraSetup, ...]
    decor_seed: int
    speed_mps: float = 0.0
    traffic: float = 0.5
    clutter: float = 0.5
    goal_m: float = 60.0
    reach: str | None = None


@dataclass(frozen=True)
class CompiledScene:
    """One concrete scene: how it was drawn, what to set up, what to paint, what it is tagged with.

    `texture_prompts` by surface; `view_prompts`, the same without hazards in `calm_prompts`, and
    `backdrop_prompts` by camera. `drawn` maps each varied path to its value. `tags` groups ids:
    'hazard', 'weather', 'nhtsa', 'odd', 'sotif' …
    `weight` is how much likelier the scenario makes this draw than its sampler did.
    """

    scenario: Scenario
    seed: int
    index: int
    drawn: Mapping[str, Value]
    tags: Mapping[str, tuple[str, ...]]
    setup: WorldSetup
    texture_prompts: Mapping[str, str]
    view_prompts: Mapping[str, str]
    calm_prompts: Mapping[str, str]
    backdrop_prompts: Mapping[str, str]
    negative: str
    weight: float = 1.0

    @property
    def key(self) -> str:
        """`scenario-index`, unique within a dataset of one seed."""
        return f"{self.scenario.name}-{self.index:05d}"
