"""A picture's contents as data: what the street and the table top describe and MuJoCo draws.

Builders (`street.build`, `tabletop.build`: WorldSetup → Stage) are pure functions with no simulator
at hand. `studio.py` bakes any stage into one pool model in place, so builders may describe as much
as they like: solids that cannot move apart are fused into one draw call, and colours are free (one
solid may wear many). About 25,000 triangles in all keep a frame under ten milliseconds.

Light falls in two parts. OpenGL gives every surface its sky, ground and sun light; `weather.py`
then adds, per pixel, what needs depth: shadows, contact darkening, lamps, smoke, fog, rain, snow.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hartsim.scenario.compiled import CameraSetup
from hartsim.types import Image, Instance, Pose, Vector3

Shape = Literal["box", "sphere", "cylinder", "cone", "capsule", "mesh"]
Quaternion = tuple[float, float, float, float]
Area = tuple[float, float, float, float]
"""A piece of ground: x from, x to, y from, y to."""
Colour = Vector3
"""sRGB in 0..1, as one would pick it in a paint program."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """F loose triangles with a colour role each; made by the functions in `meshes.py`.

    `vertices` and `normals` are (F, 3, 3): face, corner, axis, anticlockwise seen from outside.
    `uv` (F, 3, 2) counts texture copies, v up. `roles` (F,) indexes `names`, whose default colours
    are `colours`. `shade` (F, 3) is baked light in 0..1 per corner.
    """

    vertices: NDArray[np.float32]
    normals: NDArray[np.float32]
    uv: NDArray[np.float32]
    roles: NDArray[np.intp]
    shade: NDArray[np.float32]
    names: tuple[str, ...]
    colours: tuple[Colour, ...]


@dataclass(frozen=True)
class Solid:
    """One drawn shape, in the frame of its `Prop`.

    `size_m` is the full extent along x, y, z, whatever the shape (capsules, cylinders and cones
    stand along z); a mesh is stretched to it unless `size_m` is None, which draws it as modelled,
    times `scale`. `bevel_m` rounds the edges of a box. `rotation` is a unit quaternion, w first.

    `surface` names the paintable texture it wears, which `tint` multiplies; else `rgba` colours it,
    and the roles of a mesh are coloured by `colours` where named there and by the mesh itself
    elsewhere. An alpha below 1 shows what is behind; label and depth are still the solid's own.
    `class_name` overrides that of the prop. `emission` 1 makes it shine by itself: its colour is
    then that of the light. Solids of one `link` keep together when a jointed prop moves.
    """

    shape: Shape
    size_m: Vector3 | None
    position_m: Vector3 = (0.0, 0.0, 0.0)
    rotation: Quaternion = (1.0, 0.0, 0.0, 0.0)
    rgba: tuple[float, float, float, float] = (0.7, 0.7, 0.7, 1.0)
    surface: str | None = None
    mesh: Mesh | None = None
    colours: Mapping[str, Colour] = field(default_factory=dict)
    class_name: str | None = None
    emission: float = 0.0
    specular: float = 0.1
    bevel_m: float = 0.0
    scale: float = 1.0
    tint: Colour = (1.0, 1.0, 1.0)
    link: int = 0


@dataclass(frozen=True)
class Prop:
    """A group of solids that moves as one; `instance` is set for all that a label should count.

    An instance's id is its place in the stage (1, 2, ...), unique within it, 0 for none.
    `velocity_mps` (base frame) moves it in `World.step`. `snowable` props whiten on top when snow
    lies. What is smaller than `coarse_m` need not be drawn of it.
    """

    name: str
    class_name: str
    solids: tuple[Solid, ...]
    pose: Pose
    instance: Instance | None = None
    velocity_mps: Vector3 = (0.0, 0.0, 0.0)
    snowable: bool = True
    coarse_m: float = 0.0


@dataclass(frozen=True)
class Puff:
    """A soft ball of smoke, dust or flame; `opacity` is what a ray through its middle loses.

    Where puffs of an instance hide more than half of what is behind them, the label is theirs.
    `emission` 1 shines (flame), 0 is lit like the rest.
    """

    position_m: Vector3
    radius_m: float
    colour: Colour
    opacity: float = 0.5
    emission: float = 0.0
    instance: Instance | None = None


@dataclass(frozen=True)
class Lamp:
    """A light that reaches `reach_m`: all round, or within `cone_rad` of its `aim`.

    `glow_m` is the radius of the halo seen round it when it faces the camera, 0 for none.
    `carrier` names the prop, or "ego", that it moves with. `dazzle` 0..1 is how much it blinds a
    camera that it shines at; the white core of its glare is labelled as its `instance`, if it has
    one.
    """

    position_m: Vector3
    colour: Colour
    reach_m: float
    aim: Vector3 | None = None
    cone_rad: float = math.pi
    glow_m: float = 0.0
    carrier: str | None = None
    dazzle: float = 0.0
    instance: Instance | None = None


@dataclass(frozen=True)
class Film:
    """Dirt or drops of water on the glass of every camera, thickest where it is first seen.

    Where it hides more than half of what is behind, the label is that of its instance.
    """

    kind: Literal["dirt", "drops"]
    position_m: Vector3
    seed: int
    instance: Instance | None = None


@dataclass(frozen=True)
class Mirror:
    """A patch of the ground z = 0 that mirrors: `radii` of its edge, anticlockwise from its x axis.

    `strength` is how much of the light at a flat angle it sends back, `heading` where its x points.
    """

    position_m: Vector3
    heading_rad: float
    size_m: tuple[float, float]
    radii: tuple[float, ...]
    strength: float


@dataclass(frozen=True)
class Lighting:
    """Light of sky, ground and sun; `direction` is the way the sun's light travels.

    Colours are in 0..1 and relative: `exposure` sets how bright the finished picture is.
    `shadow_area_m` is (x from, x to, y from, y to) of the ground on which shadows are computed, of
    things up to `shadow_height_m`; darkening by contact reaches about `contact_height_m`, on the
    `contact_area_m`.
    """

    direction: Vector3
    sun: Colour
    sky: Colour
    ground: Colour
    exposure: float = 1.0
    shadows: bool = True
    contact: float = 0.6
    contact_height_m: float = 1.0
    shadow_area_m: Area = (-6.0, 58.0, -26.0, 26.0)
    shadow_height_m: float = 3.0
    contact_area_m: Area | None = None


@dataclass(frozen=True)
class Weather:
    """What is computed from depth after the draw.

    `visibility_m` is the meteorological range and `fog_colour` what is seen beyond it; `wetness`
    mirrors the scene in flat ground, `snow_cover` whitens what faces up, `rain` and `snow` fall.
    """

    visibility_m: float = math.inf
    fog_colour: Colour = (0.7, 0.75, 0.8)
    rain: float = 0.0
    snow: float = 0.0
    wetness: float = 0.0
    snow_cover: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Grade:
    """The look of the finished picture, like a colourist's: 1 or 0 leaves it alone."""

    contrast: float = 1.0
    saturation: float = 1.0
    tint: Colour = (1.0, 1.0, 1.0)
    bloom: float = 0.0
    vignette: float = 0.0


@dataclass(frozen=True)
class Stage:
    """Everything to draw.

    `textures` maps each paintable surface to its image, `tile_m` to the metres (width, height) that
    one copy covers on boxes; (0, 0) stretches one copy over each face. Meshes bring their own uv.
    `sky` spans 45 degrees of elevation (bottom row: horizon) and 90 of azimuth per copy, mirrored
    at its edges; it is itself the surface "sky" when `textures` has no such entry and `has_sky`.
    """

    props: tuple[Prop, ...]
    textures: Mapping[str, Image]
    sky: Image
    lighting: Lighting
    weather: Weather
    cameras: tuple[CameraSetup, ...]
    tile_m: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    lamps: tuple[Lamp, ...] = ()
    puffs: tuple[Puff, ...] = ()
    mirrors: tuple[Mirror, ...] = ()
    films: tuple[Film, ...] = ()
    grade: Grade = Grade()
    has_sky: bool = True
