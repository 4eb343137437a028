"""Small worlds drawn with NumPy: frames whose labels are true, and samples as HART might make them.

Nothing here is a mock: a frame's labels, instances, depth and camera agree with its picture.
"""

import math
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hartsim.dataset.annotate import annotate
from hartsim.dataset.checks import check
from hartsim.dataset.writer import DatasetWriter
from hartsim.images import composite
from hartsim.types import (
    CLASS_ID,
    ROUTES,
    UNKNOWN,
    Box3D,
    Camera,
    Frame,
    Image,
    Instance,
    Mask,
    Render,
    RenderJob,
    Route,
    Sample,
)

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class FakeScenario:
    """What a fake scene looks like: place, light and the objects in it."""

    place: str
    weather: str
    time_of_day: str
    objects: tuple[tuple[str, str, bool, Colour, Box3D], ...]
    prompt: str


def _upright(ahead: float, left: float, size: tuple[float, float, float]) -> Box3D:
    return Box3D((ahead, left, size[2] / 2), size, 0.0)


VAN = ("van", "car", False, (232, 232, 226), _upright(13.0, -2.6, (5.2, 2.0, 2.3)))
LAPTOP = ("laptop", "electronics", False, (52, 56, 64), _upright(0.55, 0.18, (0.24, 0.33, 0.2)))

SCENARIOS: dict[str, FakeScenario] = {
    "child_behind_van": FakeScenario(
        "residential_street",
        "rain",
        "dusk",
        (VAN, ("child", "person", True, (214, 62, 48), _upright(12.0, -0.9, (0.4, 0.5, 1.2)))),
        "a child steps out from behind a parked van, residential street, rain, dusk, wet asphalt",
    ),
    "lost_load_at_night": FakeScenario(
        "highway",
        "clear",
        "night",
        (("lost_load", "debris", True, (186, 142, 84), _upright(15.0, 0.3, (1.2, 1.8, 0.9))),),
        "crates and planks lost by a truck on a highway lane at night, headlights",
    ),
    "stopped_car_in_fog": FakeScenario(
        "country_road",
        "fog",
        "day",
        (("stopped_car", "car", True, (170, 44, 40), _upright(16.0, 0.0, (4.2, 1.8, 1.5))),),
        "a car stopped in the lane of a country road in thick fog, grey daylight",
    ),
    "animal_on_snowy_road": FakeScenario(
        "country_road",
        "snow",
        "day",
        (("deer", "animal", True, (134, 92, 58), _upright(11.0, 0.8, (1.5, 1.3, 1.5))),),
        "a deer stands on a snowy country road, overcast winter day",
    ),
    "spill_near_laptop": FakeScenario(
        "office_desk",
        "clear",
        "day",
        (
            LAPTOP,
            ("coffee_spill", "water", True, (92, 58, 34), _upright(0.46, -0.1, (0.2, 0.26, 0.004))),
            ("mug", "container", False, (238, 180, 60), _upright(0.6, -0.25, (0.09, 0.09, 0.1))),
        ),
        "a coffee spill spreads towards a laptop on an office desk, daylight",
    ),
    "hand_in_workspace": FakeScenario(
        "workshop_bench",
        "clear",
        "day",
        (
            ("human_hand", "hand", True, (222, 170, 138), _upright(0.5, -0.16, (0.2, 0.11, 0.06))),
            ("knife", "tool", True, (196, 202, 210), _upright(0.55, 0.16, (0.05, 0.24, 0.02))),
        ),
        "a human hand reaches beside a knife on a workshop bench under a lamp",
    ),
}
"""The fake library: four street scenes and two table tops."""

TABLETOPS = frozenset({"office_desk", "workshop_bench"})


@dataclass
class Drawing:
    """The layers of a frame while it is drawn, far things first."""

    camera: Camera
    image: NDArray[np.float64] = field(init=False)
    labels: NDArray[np.uint8] = field(init=False)
    instances: NDArray[np.uint16] = field(init=False)
    depth: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        size = self.camera.size_px
        self.image = np.zeros((*size, 3))
        self.labels = np.full(size, CLASS_ID["sky"], np.uint8)
        self.instances = np.zeros(size, np.uint16)
        self.depth = np.full(size, np.inf)

    def fill(
        self,
        where: Mask,
        class_name: str,
        colour: NDArray[np.float64] | Colour,
        depth: NDArray[np.float64] | float,
        instance: int = 0,
    ) -> None:
        self.image[where] = np.broadcast_to(colour, self.image.shape)[where]
        self.labels[where] = CLASS_ID[class_name]
        self.instances[where] = instance
        self.depth[where] = np.broadcast_to(depth, where.shape)[where]


def camera_at(
    name: str, position_m: tuple[float, float, float], pitch_rad: float, size_px: int = 128
) -> Camera:
    """A square camera with a vertical view of 55 degrees, looking ahead and `pitch_rad` up."""
    focal = size_px / 2 / math.tan(math.radians(27.5))
    intrinsics = np.array([[focal, 0, size_px / 2], [0, focal, size_px / 2], [0, 0, 1]])
    c, s = math.cos(pitch_rad), math.sin(pitch_rad)
    pose = np.eye(4)
    pose[:3, :3] = np.array([[0, s, c], [-1, 0, 0], [0, -c, s]])
    pose[:3, 3] = position_m
    return Camera(name, (size_px, size_px), intrinsics, pose)


def frame_of(scenario: str, index: int = 0, size_px: int = 128) -> Frame:
    """The frame of a fake scenario; the index moves its objects and changes its colours."""
    spec = SCENARIOS[scenario]
    generator = np.random.default_rng([index, list(SCENARIOS).index(scenario)])
    if spec.place in TABLETOPS:
        drawing = Drawing(camera_at("front", (-0.15, 0.0, 0.62), -0.72, size_px))
        _draw_tabletop(drawing, generator)
    else:
        drawing = Drawing(camera_at("front", (0.6, 0.0, 1.5), -0.07, size_px))
        _draw_street(drawing, generator, spec)
    table = tuple(
        _place(drawing, number, entry, generator) for number, entry in enumerate(spec.objects, 1)
    )
    _apply_weather(drawing, spec)
    noise = generator.normal(0, 2.5, drawing.image.shape)
    image = np.clip(drawing.image + noise, 0, 255).astype(np.uint8)
    depth = drawing.depth.astype(np.float32)
    return Frame(image, drawing.labels, drawing.instances, depth, table, drawing.camera)


def _rays(camera: Camera) -> NDArray[np.float64]:
    """Directions in the base frame, (H, W, 3), of depth one along the optical axis."""
    height, width = camera.size_px
    rows, columns = np.mgrid[:height, :width] + 0.5
    pixels = np.stack([columns, rows, np.ones_like(rows)], axis=-1)
    turn = camera.camera_to_base[:3, :3] @ np.linalg.inv(camera.intrinsics)
    directions: NDArray[np.float64] = pixels @ turn.T
    return directions


def _meet(plane: float, origin: float, directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """The depth at which rays reach a coordinate plane; inf where they never do."""
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = (plane - origin) / directions
    return np.where(depth > 0, depth, np.inf)


def _draw_street(drawing: Drawing, generator: np.random.Generator, spec: FakeScenario) -> None:
    rays, eye = _rays(drawing.camera), drawing.camera.camera_to_base[:3, 3]
    up = np.clip(rays[..., 2:], 0, 1)
    drawing.fill(np.ones(up.shape[:2], bool), "sky", (236, 226, 214) - up * (150, 96, 20), np.inf)
    town = spec.place == "residential_street"
    for side in (-9.0, 9.0):
        depth = _meet(side, eye[1], rays[..., 1])
        ahead, height = (eye[axis] + np.minimum(depth, 1e4) * rays[..., axis] for axis in (0, 2))
        top = 8.5 + np.floor(ahead / 14) % 3 if town else 3.5 + np.sin(ahead) + np.sin(ahead * 3.1)
        wall = np.array(generator.uniform((120, 80, 60), (210, 170, 150)) if town else (58, 84, 46))
        windows = (ahead % 3.5 > 1.6) & (height % 3.0 > 1.3) & town
        colour = np.where(
            windows[..., None], (62, 74, 92), wall * (1 - 0.1 * np.sin(ahead / 14))[..., None]
        )
        shown = (depth < 120) & (height < top) & (height > 0)
        drawing.fill(shown, "building" if town else "vegetation", colour, depth)
    depth = _meet(0.0, eye[2], rays[..., 2])
    far = np.minimum(depth, 1e4)
    ahead, left = eye[0] + far * rays[..., 0], eye[1] + far * rays[..., 1]
    ground = np.isfinite(depth) & (depth < 400) & (drawing.depth > depth)
    drawing.fill(ground, "terrain", (96, 112, 64), depth)
    drawing.fill(ground & (np.abs(left - 1.0) < 7.2) & town, "pavement", (158, 152, 146), depth)
    drawing.fill(ground & (left > -4.6) & (left < 5.3), "road", (84, 86, 90), depth)
    lines = (np.abs(left - 1.75) < 0.09) & (ahead % 6 < 3)
    drawing.fill(ground & lines, "road_mark", (226, 224, 214), depth)
    if spec.weather == "snow":
        snowy = ground & (np.abs(left) > 0.9 + 0.3 * np.sin(ahead))
        drawing.image[snowy] = 0.25 * drawing.image[snowy] + 0.75 * np.array((226, 232, 240))


def _draw_tabletop(drawing: Drawing, generator: np.random.Generator) -> None:
    rays, eye = _rays(drawing.camera), drawing.camera.camera_to_base[:3, 3]
    drawing.fill(np.ones(rays.shape[:2], bool), "wall", (188, 192, 186), 1.6)
    depth = _meet(0.0, eye[2], rays[..., 2])
    far = np.minimum(depth, 1e4)
    ahead, left = eye[0] + far * rays[..., 0], eye[1] + far * rays[..., 1]
    wood = np.array(generator.uniform((120, 78, 44), (186, 140, 96)))
    grain = 1 + 0.07 * np.sin(left * 160 + 4 * np.sin(ahead * 9)) + 0.04 * np.sin(left * 410)
    drawing.fill((ahead < 1.0) & np.isfinite(depth), "table", wood * grain[..., None], depth)


def _place(
    drawing: Drawing,
    number: int,
    entry: tuple[str, str, bool, Colour, Box3D],
    generator: np.random.Generator,
) -> Instance:
    kind, class_name, hazard, colour, box = entry
    x, y, z = box.centre_m
    step = 0.05 * x
    moved = (x + step * generator.uniform(-2, 2), y + step * generator.uniform(-0.5, 0.5), z)
    box = replace(box, centre_m=moved)
    tags = ("nhtsa:vulnerable_road_user",) if class_name == "person" else ()
    corners = drawing.camera.project(box.corners())
    where = _silhouette(kind, corners, drawing.camera.size_px)
    rows = np.arange(drawing.camera.size_px[0])[:, None, None]
    low, high = corners[:, 1].min(), corners[:, 1].max()
    shade = 1.12 - 0.35 * np.clip((rows - low) / max(high - low, 1), 0, 1)
    depth = float(corners[:, 2].mean())
    drawing.fill(where, class_name, shade * np.array(colour), depth, number)
    return Instance(number, kind, kind, class_name, hazard, tags, box)


def _silhouette(kind: str, corners: NDArray[np.float64], size_px: tuple[int, int]) -> Mask:
    """A recognisable shape inside the projected box: upright people, legged deer, flat spills."""
    left, right = corners[:, 0].min(), corners[:, 0].max()
    top, bottom = corners[:, 1].min(), corners[:, 1].max()
    rows, columns = np.mgrid[: size_px[0], : size_px[1]] + 0.5
    u, v = (columns - left) / (right - left), (rows - top) / (bottom - top)
    inside: Mask = (u >= 0) & (u < 1) & (v >= 0) & (v < 1)
    if kind in {"child", "human_hand", "coffee_spill"}:
        head = ((u - 0.5) / 0.3) ** 2 + ((v - 0.14) / 0.14) ** 2 < 1
        inside &= head | (((u - 0.5) / 0.5) ** 2 + ((v - 0.62) / 0.42) ** 2 < 1)
    elif kind == "deer":
        legs = (v >= 0.6) & ((np.abs(u - 0.2) < 0.08) | (np.abs(u - 0.8) < 0.08))
        inside &= legs | ((v > 0.3) & (v < 0.62)) | ((u > 0.75) & (v < 0.4))
    else:
        inside &= (np.abs(u - 0.5) < 0.42) | ((v > 0.35) & (v < 0.92))
    return inside


def _apply_weather(drawing: Drawing, spec: FakeScenario) -> None:
    metres = np.minimum(drawing.depth, 200)[..., None]
    haze = {"fog": 32.0, "rain": 160.0, "snow": 140.0}.get(spec.weather)
    if haze:
        clear = np.exp(-metres / haze)
        drawing.image = drawing.image * clear + np.array((198, 202, 206)) * (1 - clear)
    if spec.time_of_day == "dusk":
        drawing.image = drawing.image * (0.72, 0.6, 0.62) + (14, 6, 18)
    if spec.time_of_day == "night":
        lamp = 0.9 * np.exp(-(((metres - 12) / 16) ** 2)) + 0.08
        drawing.image = drawing.image * lamp * (1.0, 0.95, 0.82) + (6, 8, 16)


def repainted(image: Image, mask: Mask, seed: int) -> Image:
    """The image with other colours and grain where the mask is True, as a model might paint it."""
    generator = np.random.default_rng(seed)
    gains = generator.uniform(0.75, 1.2) * generator.uniform(0.93, 1.07, 3)
    grain = 14 * wrapping_noise(generator, mask.shape[0])[..., None]
    changed = image * gains + grain + generator.uniform(4, 24, 3)
    return composite(image, np.clip(changed, 0, 255).astype(np.uint8), mask)


def texture(seed: int, size_px: int = 64) -> Image:
    """A seamless texture: noise of several sizes that wraps round, on one colour."""
    generator = np.random.default_rng(seed)
    pattern = 22 * wrapping_noise(generator, size_px)[..., None]
    return np.clip(generator.uniform(70, 180, 3) + pattern, 0, 255).astype(np.uint8)


def wrapping_noise(generator: np.random.Generator, size_px: int) -> NDArray[np.float64]:
    """Square noise of several sizes whose borders meet; mean 0, standard deviation 1."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size_px), np.fft.fftfreq(size_px)))
    spectrum = np.fft.fft2(generator.normal(0, 1, (size_px, size_px))) / (frequency + 0.04)
    noise = np.fft.ifft2(spectrum).real
    scaled: NDArray[np.float64] = noise / noise.std()
    return scaled


def render_of(
    image: Image, route: Route, target: str, prompt: str, key: str, seconds: float = 0.5
) -> Render:
    """A finished picture with keys that depend on `key` alone."""
    size = (image.shape[0], image.shape[1])
    job = RenderJob(route, target, prompt, "blurry, text", size, f"noise-{key}")
    return Render(job, image, "f4ke", {"guidance": 3.0, "steps": 4}, f"cache-{key}", seconds)


def editable_of(frame: Frame, route: Route) -> Mask:
    """What a route may change: backdrop the surroundings, repaint a window round the ground."""
    names = {
        "backdrop": ("sky", "building", "vegetation", "wall"),
        "repaint": ("road", "pavement", "terrain", "table"),
    }[route]
    return np.isin(frame.labels, [CLASS_ID[name] for name in names])


def sample_of(
    route: Route = "repaint",
    scenario: str = "child_behind_van",
    index: int = 0,
    size_px: int = 128,
    seconds: float = 0.5,
) -> Sample:
    """A sample of a fake scenario by one route, checked; equal arguments give equal samples."""
    spec = SCENARIOS[scenario]
    frame = frame_of(scenario, index, size_px)
    everywhere = np.ones(frame.labels.shape, np.bool_)
    edits = route in ("backdrop", "repaint")
    mask = editable_of(frame, route) if edits else None
    painted = repainted(frame.image, everywhere if mask is None else mask, index)
    labels = frame.labels.copy()
    if route == "repaint":
        labels[mask] = UNKNOWN
    sample_id = f"{scenario}-{index:05d}-{route}-front"
    surfaces = ("table", "wall") if spec.place in TABLETOPS else ("facade_a", "road")
    has_frame = route != "view"
    sample = Sample(
        id=sample_id,
        route=route,
        scenario=scenario,
        index=index,
        seed=1,
        render=render_of(painted, route, "front", spec.prompt, sample_id, seconds),
        frame=frame if has_frame else None,
        labels=labels if has_frame else None,
        mask=mask,
        annotations=annotate(frame.table, frame.instances, labels) if has_frame else (),
        scene={
            "place": spec.place,
            "visibility_m": math.inf,
            "objects": [o[0] for o in spec.objects],
        },
        drawn={"driving.speed_mps": 8.0 + index, "scene.weather": spec.weather},
        tags={
            "hazard": [entry[0] for entry in spec.objects if entry[2]],
            "weather": [spec.weather],
            "time_of_day": [spec.time_of_day],
            "place": [spec.place],
        },
        provenance={"hartsim": "0.1.0", "scenario_hash": "5ce4a810"},
        textures={
            name: render_of(texture(number + index), "texture", name, f"{name} texture", name)
            for number, name in enumerate(surfaces)
        }
        if route == "texture"
        else {},
    )
    return replace(sample, checks=check(sample))


REQUEST = {
    "scenarios": {"child_behind_van": "5ce4a810"},
    "seed": 1,
    "count": 4,
    "routes": [*ROUTES],
}


def write_dataset(root: Path, samples: list[Sample], request: dict[str, object] = REQUEST) -> Path:
    """A finished dataset of these samples."""
    with DatasetWriter(root, request) as writer:
        for sample in samples:
            writer.add(sample)
        writer.finish()
    return root
