"""The values that flow between the packages, and the conventions they share.

Images are uint8 RGB (height, width, 3); labels uint8 class ids; instances uint16 ids, 0 for none;
masks bool, True where a pixel may change; depth float32 metres along the optical axis, inf for sky;
points float32 (N, 4), x, y, z in metres in the base frame and the intensity of the return, 0..1.
Sizes are (height, width) in pixels. Positions are metres in the ego or robot-base frame: x ahead,
y left, z up. Cameras use the optical frame of computer vision: x right, y down, z into the scene.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Labels = NDArray[np.uint8]
Instances = NDArray[np.uint16]
Mask = NDArray[np.bool_]
Depth = NDArray[np.float32]
Points = NDArray[np.float32]
Size = tuple[int, int]
Vector3 = tuple[float, float, float]

CLASSES: tuple[str, ...] = (
    "road",
    "road_mark",
    "pavement",
    "building",
    "vegetation",
    "sky",
    "pole",
    "sign",
    "light",
    "car",
    "truck",
    "bus",
    "two_wheeler",
    "person",
    "animal",
    "cone",
    "barrier",
    "debris",
    "surface_hazard",
    "smoke_fire",
    "water",
    "terrain",
    "robot",
    "table",
    "wall",
    "floor",
    "tool",
    "container",
    "electronics",
    "food",
    "hand",
    "other",
)
"""Class names by id. Append-only: datasets written years ago must keep their meaning."""

CLASS_ID: Mapping[str, int] = {name: index for index, name in enumerate(CLASSES)}
UNKNOWN = 255
"""The label of a pixel about which nothing is known to be true."""

Task = Literal["driving", "robot"]
Route = Literal["view", "texture", "backdrop", "repaint"]
SamplerName = Literal["random", "sobol", "latin", "grid", "pairwise", "rare"]
SAMPLERS: tuple[SamplerName, ...] = get_args(SamplerName)
ROUTES: tuple[Route, ...] = ("view", "texture", "backdrop", "repaint")

BACKDROP_CLASSES: Mapping[Task, tuple[str, ...]] = {
    "driving": ("sky", "building", "vegetation"),
    "robot": ("wall", "floor"),
}
"""What stands behind everything else: the `backdrop` route repaints it from the prompt alone."""


@dataclass(frozen=True)
class Box3D:
    """An upright box: centre and size (length, width, height) in metres, heading anticlockwise."""

    centre_m: Vector3
    size_m: Vector3
    heading_rad: float

    def corners(self) -> NDArray[np.float64]:
        """The eight corners, (8, 3) metres."""
        signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
        local = 0.5 * signs * np.array(self.size_m)
        c, s = math.cos(self.heading_rad), math.sin(self.heading_rad)
        turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        corners: NDArray[np.float64] = local @ turn.T + np.array(self.centre_m)
        return corners


@dataclass(frozen=True)
class Camera:
    """A calibrated pinhole camera.

    `intrinsics` is the 3x3 matrix K in pixels; `camera_to_base` the 4x4 rigid transform from the
    optical frame (x right, y down, z forward) to the ego or robot-base frame.
    """

    name: str
    size_px: Size
    intrinsics: NDArray[np.float64]
    camera_to_base: NDArray[np.float64]

    def project(self, points_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Base-frame points (N, 3) → (N, 3): column and row in pixels, then depth in metres.

        Points at or behind the camera keep a depth <= 0 and have nan pixels.
        """
        base_to_camera = np.linalg.inv(self.camera_to_base)
        local = points_m @ base_to_camera[:3, :3].T + base_to_camera[:3, 3]
        depth = local[:, 2]
        safe = np.where(depth > 1e-6, depth, np.nan)
        pixels = (local @ self.intrinsics.T)[:, :2] / safe[:, None]
        return np.column_stack([pixels, depth])


@dataclass(frozen=True)
class Instance:
    """One object of a frame: what it is, and whether it is one of the scenario's hazards."""

    id: int
    name: str
    kind: str
    class_name: str
    hazard: bool
    tags: tuple[str, ...]
    box: Box3D


@dataclass(frozen=True)
class Frame:
    """What one simulator camera saw, with everything the simulator knows about each pixel.

    `lidar` is the sweep of the same moment, where the world has one.
    """

    image: Image
    labels: Labels
    instances: Instances
    depth_m: Depth
    table: tuple[Instance, ...]
    camera: Camera
    lidar: Points | None = None


@dataclass(frozen=True)
class RenderJob:
    """One picture to be made: `target` is a surface for textures and a camera otherwise.

    `noise_key` alone seeds every random number of the render. `calm` is the prompt without its
    hazards, by which several draws are compared; without it there is but one.
    """

    route: Route
    target: str
    prompt: str
    negative: str
    size_px: Size
    noise_key: str
    attempt: int = 0
    calm: str = ""


@dataclass(frozen=True)
class Canvas:
    """The picture that a backdrop or a repaint starts from.

    Pixels where `editable` is False come back unchanged, byte for byte. The first `keep_scales`
    scales of the model are taken from `image` everywhere, which keeps its coarse structure.
    """

    image: Image
    editable: Mask
    labels: Labels
    keep_scales: int = 0


@dataclass(frozen=True)
class Layout:
    """What should be seen where in a view: class ids, UNKNOWN where it is open."""

    labels: Labels


Underlay = Canvas | Layout | None
"""What a picture is painted on: a backdrop or a repaint on a canvas, a view on a layout, if any."""


@dataclass(frozen=True)
class Render:
    """A finished picture and what decided its bytes."""

    job: RenderJob
    image: Image
    weights_hash: str
    settings: Mapping[str, Any]
    cache_key: str
    seconds: float


@dataclass(frozen=True)
class Check:
    """The verdict of one check: `value` against `limit`, in the words of `reason`."""

    name: str
    passed: bool
    value: float
    limit: float
    reason: str


@dataclass(frozen=True)
class Annotation:
    """A labelled object of a sample: tight box (column, row, width, height) in pixels, and mask.

    Where the world can tell, `occluded` is the share of what lies in the picture that something
    else hides, and `truncated` the share that the picture's edge cuts off.
    """

    instance: Instance
    box_px: tuple[int, int, int, int]
    mask: Mask
    occluded: float | None = None
    truncated: float | None = None


@dataclass(frozen=True)
class Sample:
    """One entry of a dataset: the render, the frame it rests on, and all that made it.

    `id` is scenario-index-route-camera. `labels` are those that hold for `render.image`: UNKNOWN
    where nothing is known to be true. `frame` is None and `labels` and `mask` are None for the
    `view` route, which knows no pixels. For the `texture` route `render.image` is what the camera
    saw of the painted world, and `textures` holds the paint by surface. `scene`, `drawn` and
    `provenance` are plain data, equal for equal seeds; what differs from run to run is `timings_s`.
    """

    id: str
    route: Route
    scenario: str
    index: int
    seed: int
    render: Render
    frame: Frame | None
    labels: Labels | None
    mask: Mask | None
    annotations: tuple[Annotation, ...]
    scene: Mapping[str, Any]
    drawn: Mapping[str, Any]
    tags: Mapping[str, Sequence[str]]
    checks: tuple[Check, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    textures: Mapping[str, Render] = field(default_factory=dict)
    timings_s: Mapping[str, float] = field(default_factory=dict)

    @property
    def camera(self) -> str:
        """The name of the camera: the frame's, or the one the view was made for."""
        return self.frame.camera.name if self.frame else self.render.job.target

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)


@dataclass(frozen=True)
class Pose:
    """A position in metres and a heading in radians, anticlockwise from straight ahead."""

    position_m: Vector3
    heading_rad: float


@dataclass(frozen=True)
class State:
    """What a world knows after a step: ego or gripper pose, hazards and collisions by name.

    Poses are in the frame of the setup; `collisions` are those of the last step. `road_m` is where
    the road ends on the ego's right and left; `held` is the object in the gripper.
    """

    time_s: float
    ego: Pose
    speed_mps: float
    hazards: Mapping[str, Pose]
    collisions: tuple[str, ...]
    road_m: tuple[float, float] = (-math.inf, math.inf)
    held: str | None = None

    @property
    def off_road(self) -> bool:
        """Whether the ego's middle has left the road."""
        right, left = self.road_m
        return not right < self.ego.position_m[1] < left
