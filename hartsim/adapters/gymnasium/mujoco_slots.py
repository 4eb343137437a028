"""Textures for what has none: a second model, that draws, beside the one that simulates.

A compiled model takes no more textures, and most small environments have plain colours only. So the
file that gymnasium's environment loaded is compiled again with a white texture for each plain
colour that is to be painted, and gymnasium's renderer is exchanged for one that draws this copy
from the environment's data. Before each picture the copy is brought up to date: what an
environment changes in its own model (colours, sizes, lights, cameras) is seen as before.
"""

import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from hartsim.adapters.gymnasium.mujoco import free_viewers
from hartsim.adapters.gymnasium.mujoco_surfaces import Surface

if TYPE_CHECKING:
    import mujoco
    from gymnasium.envs.mujoco.mujoco_rendering import MujocoRenderer

PREFIX = "hartsim/"
"""What the names of added textures and materials begin with."""

_LOOKS = ("geom_", "site_", "cam_", "light_", "mat_", "tendon_")
_OWN = ("geom_matid", "mat_texid", "mat_texuniform", "mat_texrepeat")
"""Of the arrays that say how a model looks, those in which the copy differs."""

_SIZES = ("nq", "nv", "nbody", "ngeom", "nsite", "ncam", "nlight", "ntendon", "nmat", "ntex")
_DEFAULT_RGBA = (0.5, 0.5, 0.5, 1.0)
"""A geom of this colour is drawn in that of its material, if it has one."""

_TILES = 2.0
"""How often a picture is repeated across the extent of a model, on planes."""


def why_no_slots(env: "gym.Env[Any, Any]", model: "mujoco.MjModel") -> str:
    """Why the environment's plain colours can be given no textures; empty where they can."""
    renderer = getattr(env.unwrapped, "mujoco_renderer", None)
    if renderer is None or not _is_plain(renderer):
        return "a plain colour, not drawn by gymnasium's own renderer"
    if getattr(env.unwrapped, "fullpath", None) is None:
        return "a plain colour, and the file of the model is not known"
    try:
        copy = _compiled(_spec_of(env.unwrapped))
    except (ValueError, OSError) as error:  # MuJoCo raises ValueError for all that is wrong
        return f"a plain colour, and its file cannot be read again: {str(error).splitlines()[0]}"
    if not _is_like(copy, model):
        return "a plain colour, and its file does not describe the model any more"
    return ""


def _is_plain(renderer: Any) -> bool:
    from gymnasium.envs.mujoco.mujoco_rendering import MujocoRenderer  # needs imageio

    return type(renderer) is MujocoRenderer


def _spec_of(base: Any) -> "mujoco.MjSpec":
    import mujoco

    return mujoco.MjSpec.from_file(str(base.fullpath))


def _compiled(spec: "mujoco.MjSpec") -> "mujoco.MjModel":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # given before, when the environment loaded the file
        return spec.compile()


def _is_like(copy: "mujoco.MjModel", model: "mujoco.MjModel") -> bool:
    return bytes(copy.names) == bytes(model.names) and all(
        getattr(copy, size) == getattr(model, size) for size in _SIZES
    )


class Slots:
    """Added textures for plain colours, by the surface's name, and the copy that has them.

    `base` is the unwrapped environment. Nothing is exchanged before `install`.
    """

    def __init__(self, base: Any, model: "mujoco.MjModel", surfaces: Iterable[Surface]) -> None:
        self._base, self._model = base, model
        self._surfaces = {surface.name: surface for surface in surfaces}
        self._painted: set[str] = set()
        self.model = self._compile(_spec_of(base))
        self._pairs = [
            *_arrays(self.model, model, _LOOKS, but=_OWN),
            *_arrays(self.model.vis.headlight, model.vis.headlight),
        ]
        self._original: MujocoRenderer = base.mujoco_renderer
        self._renderer: Any = _renderer(
            self._original, self.model, self._before_opening, self._before_drawing
        )

    def _compile(self, spec: "mujoco.MjSpec") -> "mujoco.MjModel":
        import mujoco

        role = mujoco.mjtTextureRole.mjTEXROLE_RGB
        for surface in self._surfaces.values():
            _add_slot(spec, surface, self._model)
        copy = _compiled(spec)
        size = self._model.tex_data.size
        copy.tex_data[:size] = self._model.tex_data
        for surface in self._surfaces.values():
            materials = copy.geom_matid[list(surface.geom_ids)]
            texture = copy.texture(PREFIX + surface.name).id
            assert (copy.mat_texid[materials, role] == texture).all(), "geoms have other numbers"
        _copy_fields(copy.stat, self._model.stat)
        return copy

    def texture(self, name: str) -> int:
        """The copy's number of the texture that a surface was given."""
        return int(self.model.texture(PREFIX + name).id)

    def whiten(self, name: str) -> None:
        """Show a surface's texture in its own colours from now on."""
        self._painted.add(name)

    def install(self) -> None:
        """Let the copy be drawn."""
        self._base.mujoco_renderer = self._renderer

    def remove(self) -> None:
        """Let the environment's own model be drawn again."""
        if self._base.mujoco_renderer is self._renderer:
            self._base.mujoco_renderer = self._original
        free_viewers(self._renderer)
        self._renderer.close()
        self._renderer._viewers.clear()
        self._painted.clear()

    def _before_opening(self) -> None:
        _copy_fields(self.model.vis, self._model.vis)

    def _before_drawing(self) -> None:
        for copied, own in self._pairs:
            copied[...] = own
        for name in self._painted:
            for geom in self._surfaces[name].geom_ids:
                self.model.geom_rgba[geom] = (1, 1, 1, _opacity(self._model, geom))


def _add_slot(spec: "mujoco.MjSpec", surface: Surface, model: "mujoco.MjModel") -> None:
    import mujoco

    is_flat = surface.shape == "2d"
    kinds = mujoco.mjtTexture
    texture = spec.add_texture(
        name=PREFIX + surface.name,
        type=kinds.mjTEXTURE_2D if is_flat else kinds.mjTEXTURE_CUBE,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT,
        rgb1=[1, 1, 1],
        rgb2=[1, 1, 1],
        height=surface.size_px[0],
        width=surface.size_px[1],
        nchannel=3,
    )
    if surface.material >= 0:
        material = spec.materials[surface.material]
    else:
        material = spec.add_material(name=PREFIX + surface.name, rgba=list(_DEFAULT_RGBA))
        for geom in surface.geom_ids:
            spec.geoms[geom].material = material.name
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = texture.name
    if is_flat:  # so many tiles, however far the plane goes on
        material.texuniform = True
        material.texrepeat = [_TILES / model.stat.extent] * 2


def _opacity(model: "mujoco.MjModel", geom: int) -> float:
    """How opaque a geom is drawn: as its material is, where its own colour is the default."""
    own, material = model.geom_rgba[geom], model.geom_matid[geom]
    is_default = material >= 0 and tuple(own) == _DEFAULT_RGBA
    return float(model.mat_rgba[material][3] if is_default else own[3])


def _arrays(
    copy: Any, own: Any, prefixes: tuple[str, ...] = ("",), but: tuple[str, ...] = ()
) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Pairs of arrays of two structs; of the copy, as much as the other has."""
    return [
        (getattr(copy, name)[: len(value)], value)
        for name in dir(own)
        if name.startswith(prefixes) and name not in but
        if isinstance(value := getattr(own, name), np.ndarray)
    ]


def _copy_fields(copy: Any, own: Any) -> None:
    """Copy all fields of a struct of MuJoCo's, and of those in it."""
    for name in dir(own):
        value = getattr(own, name)
        if name.startswith("_") or isinstance(value, type) or callable(value):
            continue
        if isinstance(value, np.ndarray):
            getattr(copy, name)[...] = value
        elif isinstance(value, int | float):
            setattr(copy, name, value)
        else:
            _copy_fields(getattr(copy, name), value)


def _renderer(
    original: "MujocoRenderer",
    model: "mujoco.MjModel",
    before_opening: Callable[[], None],
    before_drawing: Callable[[], None],
) -> "MujocoRenderer":
    """A renderer like the original that draws another model, from where the original stands."""
    from gymnasium.envs.mujoco.mujoco_rendering import MujocoRenderer

    class SlottedRenderer(MujocoRenderer):
        def render(self, render_mode: str | None) -> Any:
            if render_mode not in self._viewers:
                before_opening()
            before_drawing()
            return super().render(render_mode)

        def _set_cam_config(self) -> None:
            super()._set_cam_config()  # type: ignore[no-untyped-call]
            if original.viewer is not None:
                _copy_fields(self.viewer.cam, original.viewer.cam)

    return SlottedRenderer(
        model,
        original.data,
        original.default_cam_config,
        original.width,
        original.height,
        original.max_geom,
        camera_id=original.camera_id,
        visual_options=original._vopt,
    )
