"""A picture's contents as data: what the street and the table top describe and MuJoCo draws.

Builders (`street.py`, `tabletop.py`, `props.py`) turn a WorldSetup into a `Stage` with no simulator
at hand; `embedded.py` writes any stage into one pool model in place, which costs about a
millisecond, where compiling a fresh model and context costs a quarter of a second.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hartsim.scenario.compiled import CameraSetup
from hartsim.types import Image, Instance, Pose, Vector3

Shape = Literal["box", "sphere", "ellipsoid", "cylinder", "capsule", "mesh"]
Quaternion = tuple[float, float, float, float]


@dataclass(frozen=True)
class Solid:
    """One drawn shape, in the frame of its `Prop`.

    `size_m` is the full extent along x, y, z (capsules and cylinders stand along z). `surface`
    names the paintable texture it wears, else `rgba` colours it. `class_name` overrides that of the
    prop.
    `rotation` is a unit quaternion (w, x, y, z). `emission` 0..1 lets it glow at night.
    """

    shape: Shape
    size_m: Vector3
    position_m: Vector3 = (0.0, 0.0, 0.0)
    rotation: Quaternion = (1.0, 0.0, 0.0, 0.0)
    rgba: tuple[float, float, float, float] = (0.7, 0.7, 0.7, 1.0)
    surface: str | None = None
    mesh: str | None = None
    class_name: str | None = None
    emission: float = 0.0
    specular: float = 0.1


@dataclass(frozen=True)
class Prop:
    """A group of solids that moves as one; `instance` is set for all that a label should count."""

    name: str
    class_name: str
    solids: tuple[Solid, ...]
    pose: Pose
    instance: Instance | None = None


@dataclass(frozen=True)
class Lighting:
    """Sun or lamp direction (towards the scene), colours in 0..1, and whether shadows are cast."""

    direction: Vector3
    diffuse: Vector3
    ambient: Vector3
    specular: Vector3 = (0.2, 0.2, 0.2)
    headlights: float = 0.0
    shadows: bool = True


@dataclass(frozen=True)
class Weather:
    """What is computed from depth after the draw: fog, rain, snow, night glow."""

    visibility_m: float
    fog_colour: Vector3
    rain: float = 0.0
    snow: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Stage:
    """Everything to draw: props, textures by surface, sky, light, weather, cameras."""

    props: tuple[Prop, ...]
    textures: Mapping[str, Image]
    sky: Image
    lighting: Lighting
    weather: Weather
    cameras: tuple[CameraSetup, ...]
    surface_repeat: Mapping[str, tuple[float, float]] = field(default_factory=dict)
