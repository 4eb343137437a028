# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage of one scene: what stands on it under which number, cameras, light, and the render."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from tools.pathtrace.assets import allowed
from tools.pathtrace.exr import read_exr
from tools.pathtrace.materials import Palette
from tools.pathtrace.models import Store
from tools.pathtrace.shapes import Build


@dataclass(frozen=True)
class Entry:
    """What a number of the id pass stands for; `thing` says whether it is an instance."""

    name: str
    kind: str
    class_name: str
    hazard: bool = False
    thing: bool = False
    in_scene: bool = False


@dataclass(frozen=True)
class Rendered:
    """Linear light (h, w, 3), numbers of entries and depth in metres, both (h, w)."""

    light: np.ndarray
    numbers: np.ndarray
    depth_m: np.ndarray


class Stage:
    """Objects by number; models come from a store that outlives the stage."""

    def __init__(self, store: Store, palette: Palette, held_out: bool, seed: int) -> None:
        self.store, self.palette, self.held_out, self.seed = store, palette, held_out, seed
        self.entries: list[Entry] = [Entry("sky", "sky", "sky")]
        self.assets: set[str] = set()
        self.taken: list[tuple[float, float, float]] = []
        self._stuff: dict[str, int] = {}
        self.lamps: list[bpy.types.Object] = []
        self.current: int | None = None
        clear()

    def rng(self, name: str) -> np.random.Generator:
        """A stream of chance of its own, so that one part does not move another."""
        return np.random.default_rng([self.seed, *name.encode()])

    def number(self, entry: Entry) -> int:
        """The number of a new entry; stuff of one class and name shares one."""
        if not entry.thing:
            key = f"{entry.class_name} {entry.name}"
            if key not in self._stuff:
                self._stuff[key] = len(self.entries)
                self.entries.append(entry)
            return self._stuff[key]
        self.entries.append(entry)
        return len(self.entries) - 1

    def thing(self, name: str, kind: str, class_name: str, **more: bool) -> int:
        """The number of a new instance."""
        return self.number(Entry(name, kind, class_name, thing=True, **more))

    def stuff(self, class_name: str) -> int:
        """The number of what is no instance."""
        return self.number(Entry(class_name, class_name, class_name))

    def put(
        self,
        mesh: bpy.types.Mesh,
        number: int,
        at: Sequence[float] = (0, 0, 0),
        yaw: float = 0.0,
        scale: float | Sequence[float] = 1.0,
        turn: Matrix | None = None,
    ) -> bpy.types.Object:
        """Stand a mesh somewhere; `turn` comes before the yaw."""
        thing = bpy.data.objects.new(mesh.name, mesh)
        sizes = (scale,) * 3 if isinstance(scale, (int, float)) else tuple(scale)
        matrix = Matrix.Translation(tuple(at)) @ Matrix.Rotation(yaw, 4, "Z")
        matrix = matrix @ (turn.to_4x4() if turn else Matrix.Identity(4))
        thing.matrix_world = matrix @ Matrix.Diagonal((*sizes, 1.0))
        thing.pass_index = number
        bpy.context.scene.collection.objects.link(thing)
        return thing

    def solid(
        self,
        build: Build,
        number: int,
        at: Sequence[float] = (0, 0, 0),
        yaw: float = 0.0,
        scale: float | Sequence[float] = 1.0,
    ) -> bpy.types.Object | None:
        """Stand a procedural solid somewhere; an empty one is left out."""
        if not build.faces:
            return None
        return self.put(build.mesh("solid"), number, at, yaw, scale)

    def pick(self, kind: str, rng: np.random.Generator, like: float = 0.0) -> str:
        """A model of a kind that this scene may use, of about the length `like` if that is set.

        Raises KeyError for a kind without models.
        """
        models = self.store.kinds[kind]
        names = allowed([model.name for model in models], self.held_out)
        if like:
            near = [n for n in names if abs(math.log(self.size(n)[0] / like)) < 0.3]
            names = near or [min(names, key=lambda n: abs(math.log(self.size(n)[0] / like)))]
        return names[int(rng.integers(len(names)))]

    def size(self, name: str) -> tuple[float, float, float]:
        """Length, width and height of a model in metres."""
        return self.store.models[name].size_m

    def model(
        self,
        name: str,
        number: int,
        at: Sequence[float],
        yaw: float = 0.0,
        scale: float | Sequence[float] = 1.0,
        paint: bpy.types.Material | None = None,
        turn: Matrix | None = None,
    ) -> bpy.types.Object:
        """Stand a model somewhere, in other paint if asked."""
        self.assets.add(name)
        placed = self.put(self.store.mesh(name), number, at, yaw, scale, turn)
        slot = self.store.paint_slot(name)
        if paint is not None and slot >= 0:
            placed.material_slots[slot].link = "OBJECT"
            placed.material_slots[slot].material = paint
        return placed

    def take(self, x: float, y: float, radius: float) -> bool:
        """Claim a disc of ground; False where something stands already."""
        if any(math.hypot(x - a, y - b) < radius + r for a, b, r in self.taken):
            return False
        self.taken.append((x, y, radius))
        return True

    def lamp(
        self,
        at: Sequence[float],
        power: float,
        colour: Sequence[float],
        radius: float = 0.1,
        spot: tuple[float, float, Sequence[float]] | None = None,
    ) -> None:
        """A light: a point, or a spot of (angle, softness, direction)."""
        made = bpy.data.lights.new("lamp", "SPOT" if spot else "POINT")
        made.energy, made.color, made.shadow_soft_size = power, tuple(colour), radius
        thing = bpy.data.objects.new("lamp", made)
        turn = Matrix.Identity(4)
        if spot:
            made.spot_size, made.spot_blend = spot[0], spot[1]
            turn = _towards(spot[2]).to_4x4()
        thing.matrix_world = Matrix.Translation(tuple(at)) @ turn
        bpy.context.scene.collection.objects.link(thing)

    def sun(
        self, direction: Sequence[float], power: float, colour: Sequence[float], soft: float
    ) -> None:
        """A sun that shines along `direction`."""
        made = bpy.data.lights.new("sun", "SUN")
        made.energy, made.color, made.angle = power, tuple(colour), soft
        thing = bpy.data.objects.new("sun", made)
        thing.matrix_world = _towards(direction).to_4x4()
        bpy.context.scene.collection.objects.link(thing)

    def window(
        self,
        at: Sequence[float],
        direction: Sequence[float],
        size: tuple[float, float],
        power: float,
        colour: Sequence[float],
    ) -> None:
        """A rectangle that shines along `direction`."""
        made = bpy.data.lights.new("window", "AREA")
        made.shape, made.size, made.size_y = "RECTANGLE", size[0], size[1]
        made.energy, made.color = power, tuple(colour)
        thing = bpy.data.objects.new("window", made)
        thing.matrix_world = Matrix.Translation(tuple(at)) @ _towards(direction).to_4x4()
        # Only its light is wanted: as a mirror image it would be a white hole in polished tables.
        thing.visible_camera = thing.visible_glossy = False
        bpy.context.scene.collection.objects.link(thing)


def _towards(direction: Sequence[float]) -> Matrix:
    """The turn by which -z looks along a direction."""
    from mathutils import Vector

    return Vector(direction).normalized().to_track_quat("-Z", "Y").to_matrix()


def clear() -> None:
    """Take everything off the stage; models, pictures and materials stay in memory."""
    for thing in list(bpy.data.objects):
        bpy.data.objects.remove(thing)
    for family in (bpy.data.meshes, bpy.data.lights, bpy.data.cameras):
        for block in [b for b in family if not b.use_fake_user and b.users == 0]:
            family.remove(block)


def prepare(device: str, threads: int) -> str:
    """An empty Blender set up for Cycles; returns the device that will be used."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device, used = "CPU", "cpu"
    if device == "gpu":
        used = _enable_gpu()
        scene.cycles.device = "GPU"
    if threads:
        scene.render.threads_mode, scene.render.threads = "FIXED", threads
    cycles = scene.cycles
    cycles.use_adaptive_sampling, cycles.adaptive_threshold = True, 0.06
    cycles.denoiser, cycles.denoising_input_passes = "OPENIMAGEDENOISE", "RGB_ALBEDO_NORMAL"
    cycles.denoising_prefilter, cycles.denoising_quality = "FAST", "BALANCED"
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 4, 2, 2
    cycles.transmission_bounces, cycles.transparent_max_bounces = 4, 8
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect, cycles.sample_clamp_direct = 4.0, 30.0
    cycles.blur_glossy, cycles.use_light_tree = 1.0, True
    scene.render.use_persistent_data = True
    scene.render.image_settings.file_format = "OPEN_EXR_MULTILAYER"
    scene.render.image_settings.exr_codec = "NONE"
    scene.render.image_settings.color_depth = "32"
    layer = scene.view_layers[0]
    layer.use_pass_z = layer.use_pass_object_index = True
    # What lets most light through is still there: panes, water, film.
    layer.pass_alpha_threshold = 0.05
    return used


def _enable_gpu() -> str:
    preferences = bpy.context.preferences.addons["cycles"].preferences
    for kind in ("OPTIX", "CUDA", "HIP", "ONEAPI", "METAL"):
        try:
            preferences.compute_device_type = kind
        except TypeError:
            continue
        preferences.get_devices()
        found = [device for device in preferences.devices if device.type == kind]
        if found:
            for device in preferences.devices:
                device.use = device.type == kind
            return f"{kind.lower()}: {found[0].name}"
    raise RuntimeError("no GPU that Cycles can use; run with --device cpu")


def aim(
    position: Sequence[float], yaw: float, pitch: float, fov: float, size: int
) -> Mapping[str, Any]:
    """Set the camera; returns its intrinsics and its transform from the optical frame."""
    cp, sp, cy, sy = math.cos(pitch), math.sin(pitch), math.cos(yaw), math.sin(yaw)
    ahead, right = (cp * cy, cp * sy, sp), (sy, -cy, 0.0)
    up = (-sp * cy, -sp * sy, cp)
    data = bpy.data.cameras.new("camera")
    data.sensor_fit, data.angle = "HORIZONTAL", fov
    data.clip_start, data.clip_end = 0.03, 3000.0
    thing = bpy.data.objects.new("camera", data)
    columns = (right, up, tuple(-a for a in ahead), tuple(position))
    thing.matrix_world = Matrix([[*(c[i] for c in columns)] for i in range(3)] + [[0, 0, 0, 1]])
    scene = bpy.context.scene
    scene.collection.objects.link(thing)
    scene.camera = thing
    scene.render.resolution_x = scene.render.resolution_y = size
    focal = 0.5 * size / math.tan(0.5 * fov)
    optical = [[right[i], -up[i], ahead[i], position[i]] for i in range(3)] + [[0, 0, 0, 1]]
    middle = 0.5 * size
    return {
        "intrinsics": [[focal, 0, middle], [0, focal, middle], [0, 0, 1]],
        "camera_to_base": [[float(v) for v in row] for row in optical],
    }


def render(samples: int, bounces: int, seed: int, work: Path) -> Rendered:
    """Draw the stage twice: the picture, and what each pixel's middle shows."""
    scene = bpy.context.scene
    cycles = scene.cycles
    # Left alone, Cycles weighs the sky's directions at full size, for seconds.
    scene.world.cycles.sampling_method, scene.world.cycles.sample_map_resolution = "MANUAL", 256
    cycles.seed = seed % 2**31
    cycles.samples, cycles.adaptive_min_samples = samples, min(samples, 4)
    cycles.use_denoising, cycles.filter_width = True, 1.2
    cycles.max_bounces = bounces
    cycles.pixel_filter_type = "BLACKMAN_HARRIS"
    picture = _shoot(work / "picture")
    cycles.samples, cycles.use_denoising, cycles.filter_width = 1, False, 0.01
    cycles.max_bounces = 0
    ids = _shoot(work / "ids")
    light = np.stack([_channel(picture, f"Combined.{c}") for c in "RGB"], -1)
    depth = _channel(ids, "Depth.Z").copy()
    numbers = np.rint(_channel(ids, "IndexOB.X")).astype(np.uint16)
    depth[(numbers == 0) | (depth > 1e5)] = np.inf
    return Rendered(light, numbers, depth.astype(np.float32))


def _shoot(stem: Path) -> dict[str, np.ndarray]:
    scene = bpy.context.scene
    scene.render.filepath = f"{stem}.exr"
    bpy.ops.render.render(write_still=True)
    return read_exr(Path(f"{stem}.exr"))


def _channel(channels: Mapping[str, np.ndarray], ending: str) -> np.ndarray:
    return next(values for name, values in channels.items() if name.endswith(ending))
