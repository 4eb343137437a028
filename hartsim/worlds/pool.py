"""The pool model: one compiled MuJoCo model whose meshes and textures are rewritten in place.

MuJoCo keeps all meshes of a model in shared arrays of vertices and faces. The pool compiles one
large block of them and a number of empty geoms; `load` then deals the block out anew for each
scene. That costs milliseconds, where a new model and OpenGL context cost half a second.
"""

import math
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hartsim.errors import WorldError
from hartsim.types import Image, Size, Vector3
from hartsim.worlds.backend import broken, load_mujoco
from hartsim.worlds.stage import Colour

Finish = str
FINISHES = ("matte", "glossy", "shining")
"""How a batch takes light: diffusely, with highlights, or not at all because it is a light."""

TEXTURE_PX = 256
PALETTE_ROWS, PALETTE_SHADES = 256, 8
_OUTSIDE = 5
"""MuJoCo's group for what a view does not show."""
CEILING = 0.8
"""The brightest that light makes a surface; only what shines by itself is drawn brighter."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Triangles drawn in one call: F loose ones in the batch's own frame, all of one finish.

    `texture` is a slot of the pool, None the palette; `tint` multiplies it. `uv` (F, 3, 2): v up.
    """

    vertices: NDArray[np.float32]
    normals: NDArray[np.float32]
    uv: NDArray[np.float32]
    texture: int | None
    finish: Finish
    alpha: float
    tint: Colour = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class View:
    """A camera as OpenGL wants it; `half_m` (half width, half height) makes it orthographic."""

    position_m: Vector3
    forward: Vector3
    up: Vector3
    fov_rad: float
    near_m: float
    far_m: float
    half_m: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Depths:
    """OpenGL's depths (H, W) of a view: 1 at its near end, 0 at its far end and beyond."""

    buffer: NDArray[np.float32]
    view: View

    def reduced(self, factor: int) -> "Depths":
        """The nearest within each square of `factor` by `factor` pixels."""
        nearest = self.buffer
        for axis in (0, 1):
            parts = [
                nearest[k::factor] if axis == 0 else nearest[:, k::factor] for k in range(factor)
            ]
            nearest = parts[0]
            for part in parts[1:]:
                nearest = np.maximum(nearest, part)
        return Depths(nearest, self.view)

    @property
    def solid(self) -> NDArray[np.bool_]:
        """Where there is anything."""
        return self.buffer > 0

    def metres_to_far(self) -> NDArray[np.float32]:
        """Distances along the axis of a view that is not parallel, its far end for nothing."""
        near, far = np.float32(self.view.near_m), np.float32(self.view.far_m)
        return (near * far) / (near + self.buffer * (far - near))

    def metres(self) -> NDArray[np.float32]:
        """Distances along the view's axis, inf where there is nothing."""
        near, far = np.float32(self.view.near_m), np.float32(self.view.far_m)
        if self.view.half_m is not None:
            metres = far - self.buffer * (far - near)
        else:
            metres = (near * far) / (near + self.buffer * (far - near))
        metres[~self.solid] = np.inf
        return metres


@dataclass(frozen=True)
class Light:
    """A directional light; `direction` is the way it travels."""

    direction: Vector3
    diffuse: Colour
    ambient: Colour = (0.0, 0.0, 0.0)
    specular: Colour = (0.0, 0.0, 0.0)


class Pool:
    """One OpenGL context and the model it shows; views up to `size_px`."""

    def __init__(
        self, size_px: Size, slots: int = 64, batches: int = 192, triangles: int = 90_000
    ) -> None:
        self.slots, self.batches, self.triangles = slots, batches, triangles
        self._mujoco = load_mujoco()
        self._model = _pool_model(self._mujoco, size_px, slots, batches, triangles)
        self._data = self._mujoco.MjData(self._model)
        self._open(size_px)
        self._kept: OrderedDict[int, tuple[int, Image]] = OrderedDict()
        self._share_corners()

    def _open(self, size_px: Size) -> None:
        mj = self._mujoco
        try:
            self._gl = mj.GLContext(size_px[1], size_px[0])
            self._gl.make_current()
            self._context = mj.MjrContext(self._model, mj.mjtFontScale.mjFONTSCALE_50.value)
        except (AttributeError, RuntimeError, mj.FatalError) as error:
            raise broken(error) from error
        self._context.readDepthMap = mj.mjtDepthMap.mjDEPTH_ZEROFAR.value
        mj.mjr_setBuffer(mj.mjtFramebuffer.mjFB_OFFSCREEN.value, self._context)
        self._scene = mj.MjvScene(self._model, maxgeom=self.batches + 8)
        self._option, self._nothing = mj.MjvOption(), mj.MjvPerturb()
        self._everything = mj.mjtCatBit.mjCAT_ALL.value
        self._option.geomgroup[:] = 1
        self._option.geomgroup[_OUTSIDE] = 0
        self._spheres, self._middles = np.zeros((0, 4)), np.zeros((0, 3))
        self._shown: NDArray[np.bool_] | None = None

    def _share_corners(self) -> None:
        """Let every mesh count corners from the start of the block: face f has 3f, 3f+1, 3f+2."""
        model = self._model
        for address in (model.mesh_vertadr, model.mesh_normaladr, model.mesh_texcoordadr):
            address[:] = 0
        corners = np.arange(3 * self.triangles, dtype=np.int32).reshape(-1, 3)
        for table in (model.mesh_face, model.mesh_facenormal, model.mesh_facetexcoord):
            table[: self.triangles] = corners

    def close(self) -> None:
        """Free the context; calling it twice is harmless."""
        if self._gl is not None:
            self._gl.make_current()
            self._context.free()
            self._gl.free()
            self._gl = None

    def keep(self, image: Image, in_use: Collection[int] = ()) -> int:
        """The slot where this very image (TEXTURE_PX each way) is.

        The last images stay there; one that has to give way is never in a slot that is `in_use`.
        """
        key = id(image)
        if key not in self._kept:
            slot = self._free_slot(in_use)
            self._upload(slot, image)
            self._kept[key] = slot, image
        self._kept.move_to_end(key)
        return self._kept[key][0]

    def _free_slot(self, in_use: Collection[int]) -> int:
        if len(self._kept) < self.slots:
            return len(self._kept)
        for key, (slot, _) in self._kept.items():
            if slot not in in_use:
                del self._kept[key]
                return slot
        raise WorldError(f"the scene wears more than {self.slots} textures at once")

    def mix(self, palette: Image) -> None:
        """Take up a palette: PALETTE_SHADES of each colour in a row, two rows for each."""
        self._upload(self.slots, palette)

    def _upload(self, slot: int, image: Image) -> None:
        start = int(self._model.tex_adr[slot])
        self._model.tex_data[start : start + image.size] = image.ravel()
        self._gl.make_current()
        self._mujoco.mjr_uploadTexture(self._model, self._context, slot)

    def load(self, batches: Sequence[Batch]) -> None:
        """Show these batches and nothing else; `place` then moves them by index."""
        total = sum(len(batch.vertices) for batch in batches)
        if len(batches) > self.batches or total > self.triangles:
            raise WorldError(
                f"the scene has {len(batches)} objects of {total} triangles in all; the world "
                f"draws up to {self.batches} of {self.triangles}"
            )
        self._gl.make_current()
        start = 0
        for index, batch in enumerate(batches):
            self._write(index, start, batch)
            start += len(batch.vertices)
        self._model.geom_rgba[len(batches) :, 3] = 0.0
        self._spheres = np.array([_sphere(batch) for batch in batches]).reshape(-1, 4)
        self._middles = self._spheres[:, :3].copy()
        self._shown = None

    def rewrite(self, index: int, batch: Batch) -> None:
        """Put a batch of as many triangles in the place of a loaded one."""
        if len(batch.vertices) != self._model.mesh_facenum[index]:
            raise ValueError(
                f"batch {index} has {self._model.mesh_facenum[index]} triangles, not "
                f"{len(batch.vertices)}"
            )
        self._gl.make_current()
        self._write(index, int(self._model.mesh_faceadr[index]), batch)
        self._spheres[index] = _sphere(batch)

    def _write(self, index: int, start: int, batch: Batch) -> None:
        model, count = self._model, len(batch.vertices)
        corners = slice(3 * start, 3 * (start + count))
        model.mesh_vert[corners] = batch.vertices.reshape(-1, 3)
        model.mesh_normal[corners] = batch.normals.reshape(-1, 3)
        # MuJoCo counts texture rows downward
        model.mesh_texcoord[corners, 0] = batch.uv[..., 0].ravel()
        model.mesh_texcoord[corners, 1] = 1.0 - batch.uv[..., 1].ravel()
        model.mesh_faceadr[index], model.mesh_facenum[index] = start, count
        self.dress(index, batch.texture, batch.finish)
        model.geom_rgba[index] = (*batch.tint, batch.alpha)
        self._mujoco.mjr_uploadMesh(model, self._context, index)

    def dress(self, index: int, texture: int | None, finish: Finish) -> None:
        """Give a batch the texture of a slot, None for the palette."""
        slot = self.slots if texture is None else texture
        self._model.geom_matid[index] = slot * len(FINISHES) + FINISHES.index(finish)
        self._shown = None

    def place(self, index: int, position_m: Vector3, heading_rad: float) -> None:
        """Move a loaded batch to a position and a heading."""
        c, s = math.cos(heading_rad), math.sin(heading_rad)
        self._data.geom_xpos[index] = position_m
        self._data.geom_xmat[index] = (c, -s, 0.0, s, c, 0.0, 0.0, 0.0, 1.0)
        (x, y, z), (a, b, d) = position_m, self._spheres[index, :3].tolist()
        self._middles[index] = (x + c * a - s * b, y + s * a + c * b, z + d)
        self._shown = None

    def turn(self, indices: Sequence[int], frames: NDArray[np.float64]) -> None:
        """Move loaded batches each by a rigid motion (N, 4, 4), whichever way that turns them."""
        turns, places = frames[:, :3, :3], frames[:, :3, 3]
        self._data.geom_xpos[indices] = places
        self._data.geom_xmat[indices] = turns.reshape(-1, 9)
        middles = self._spheres[indices, :3]
        self._middles[indices] = np.einsum("nij,nj->ni", turns, middles) + places
        self._shown = None

    def light(self, lights: Sequence[Light]) -> None:
        """Show the loaded batches under these lights from now on."""
        mj, scene = self._mujoco, self._scene
        scene.flags[:] = 0
        scene.flags[mj.mjtRndFlag.mjRND_CULL_FACE] = 1
        scene.nlight = len(lights)
        for slot, light in zip(scene.lights, lights, strict=False):
            slot.type = mj.mjtLightType.mjLIGHT_DIRECTIONAL.value
            slot.dir[:], slot.pos[:] = light.direction, 0.0
            slot.ambient[:], slot.diffuse[:] = light.ambient, light.diffuse
            slot.specular[:], slot.attenuation[:] = light.specular, (1.0, 0.0, 0.0)
            slot.castshadow = slot.headlight = 0

    def _take_up(self, seen: NDArray[np.bool_]) -> None:
        """Let the scene have these of the batches, where they are placed, and the lights."""
        if self._shown is not None and np.array_equal(seen, self._shown):
            return
        self._model.geom_group[: len(seen)] = np.where(seen, 0, _OUTSIDE)
        self._scene.ngeom = 0
        self._mujoco.mjv_addGeoms(
            self._model, self._data, self._option, self._nothing, self._everything, self._scene
        )
        self._shown = seen
        # the scene counts what it has, and the last entry stands for nothing
        self._index_of = np.append(np.flatnonzero(seen), -1).astype(np.int32)

    def _within(self, view: View, size_px: Size) -> NDArray[np.bool_]:
        """Which batches may show in a view: the others lie wholly outside it."""
        if view.half_m is not None:
            return np.ones(len(self._spheres), bool)
        (fx, fy, fz), (ux, uy, uz) = view.forward, view.up
        right = (fy * uz - fz * uy, fz * ux - fx * uz, fx * uy - fy * ux)
        axes = np.array([right, view.up, view.forward])
        x, y, z = axes @ (self._middles - view.position_m).T
        reach = 1.001 * self._spheres[:, 3] + 1e-3
        high = math.tan(view.fov_rad / 2)
        wide = high * size_px[1] / size_px[0]
        seen = (z > view.near_m - reach) & (z < view.far_m + reach)
        for aside, slope in ((x, wide), (y, high)):
            seen &= np.abs(aside) - slope * z < reach * math.hypot(1.0, slope)
        return np.asarray(seen)

    def draw(self, view: View, size_px: Size) -> tuple[Image, Depths]:
        """The lit picture (H, W, 3), black where nothing is, and its depths."""
        pixels, buffer = self._pass(view, size_px, ids=False)
        return pixels, Depths(buffer, view)

    def identify(self, view: View, size_px: Size) -> tuple[NDArray[np.int32], Depths]:
        """The index of the batch at each pixel's centre, -1 for none, and the depths."""
        coded, buffer = self._pass(view, size_px, ids=True)
        wide = coded.astype(np.int32)
        numbers = wide[..., 0] + (wide[..., 1] << 8) + (wide[..., 2] << 16) - 1
        return self._index_of[numbers], Depths(buffer, view)

    def probe(self, view: View, size_px: Size) -> Depths:
        """The depths alone, looking through what is transparent."""
        self._take_up(self._within(view, size_px))
        clear = [geom for geom in self._scene.geoms[: self._scene.ngeom] if geom.rgba[3] < 1]
        kept = [geom.segid for geom in clear]
        for geom in clear:
            geom.segid = -1
        _, buffer = self._pass(view, size_px, ids=True)
        for geom, number in zip(clear, kept, strict=True):
            geom.segid = number
        return Depths(buffer, view)

    def _pass(self, view: View, size_px: Size, ids: bool) -> tuple[Image, NDArray[np.float32]]:
        mj = self._mujoco
        self._gl.make_current()
        self._take_up(self._within(view, size_px))
        self._aim(view, size_px)
        self._scene.flags[mj.mjtRndFlag.mjRND_SEGMENT] = ids
        self._scene.flags[mj.mjtRndFlag.mjRND_IDCOLOR] = ids
        pixels = np.empty((*size_px, 3), np.uint8)
        buffer = np.empty(size_px, np.float32)
        frame = mj.MjrRect(0, 0, size_px[1], size_px[0])
        mj.mjr_render(frame, self._scene, self._context)
        mj.mjr_readPixels(pixels, buffer, frame, self._context)
        return pixels[::-1], buffer[::-1]

    def _aim(self, view: View, size_px: Size) -> None:
        half_high = view.near_m * math.tan(view.fov_rad / 2)
        half_wide = half_high * size_px[1] / size_px[0]
        if view.half_m is not None:
            half_wide, half_high = view.half_m
        for camera in self._scene.camera:
            camera.pos[:], camera.forward[:], camera.up[:] = view.position_m, view.forward, view.up
            camera.frustum_center, camera.frustum_width = 0.0, half_wide
            camera.frustum_bottom, camera.frustum_top = -half_high, half_high
            camera.frustum_near, camera.frustum_far = view.near_m, view.far_m
            camera.orthographic = view.half_m is not None


def _sphere(batch: Batch) -> tuple[float, float, float, float]:
    """The middle of a batch and how far it reaches from there, metres."""
    # NumPy is slow at the least of many short rows
    axes = [batch.vertices[..., k] for k in range(3)]
    spans = [(float(each.min()), float(each.max())) for each in axes]
    x, y, z = ((low + high) / 2 for low, high in spans)
    return x, y, z, math.hypot(*(high - low for low, high in spans)) / 2


def _pool_model(mj: Any, size_px: Size, slots: int, batches: int, triangles: int) -> Any:
    """The compiled model: one big mesh provides the arrays, many small ones share them."""
    spec = mj.MjSpec()
    spec.visual.global_.offheight, spec.visual.global_.offwidth = size_px
    spec.visual.quality.offsamples = spec.visual.quality.shadowsize = 0
    for slot in range(slots + 1):
        shape = (TEXTURE_PX, TEXTURE_PX) if slot < slots else (PALETTE_ROWS * 2, PALETTE_SHADES)
        _add_texture(mj, spec, slot, shape)
    _add_mesh(mj, spec, "block", *_block(triangles))
    corner = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float64)
    sides = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    for index in range(1, batches):
        _add_mesh(mj, spec, f"batch{index}", corner, sides)
    for index in range(4):
        spec.worldbody.add_light(name=f"light{index}", castshadow=False)
    return spec.compile()


def _add_texture(mj: Any, spec: Any, slot: int, shape: Size) -> None:
    spec.add_texture(
        name=f"texture{slot}",
        type=mj.mjtTexture.mjTEXTURE_2D,
        builtin=mj.mjtBuiltin.mjBUILTIN_FLAT,
        height=shape[0],
        width=shape[1],
        nchannel=3,
    )
    for finish in FINISHES:
        material = spec.add_material(name=f"{finish}{slot}")
        material.textures[mj.mjtTextureRole.mjTEXROLE_RGB] = f"texture{slot}"
        material.emission = 1.0 if finish == "shining" else 0.0
        material.specular = 0.7 if finish == "glossy" else 0.0
        material.shininess = 0.35


def _add_mesh(
    mj: Any, spec: Any, name: str, vertices: NDArray[np.float64], faces: NDArray[np.intp]
) -> None:
    mesh = spec.add_mesh(
        name=name,
        uservert=vertices.ravel(),
        userface=faces.ravel(),
        usertexcoord=np.zeros(2 * len(vertices)),
        usernormal=np.tile([0.0, 0.0, 1.0], len(vertices)),
    )
    mesh.inertia = mj.mjtMeshInertia.mjMESH_INERTIA_SHELL
    spec.worldbody.add_geom(
        type=mj.mjtGeom.mjGEOM_MESH, meshname=name, material="matte0", contype=0, conaffinity=0
    )


def _block(triangles: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Separate triangles that MuJoCo's compiler accepts, as many as the pool shall hold."""
    place = np.arange(triangles, dtype=np.float64)
    lattice = np.stack([place % 256, place // 256, (place * 7) % 13], axis=1) * 2
    shape = np.array([[0, 0, 0], [1, 0, 0.1], [0, 1, 0.2]])
    return (lattice[:, None] + shape).reshape(-1, 3), np.arange(3 * triangles).reshape(-1, 3)
