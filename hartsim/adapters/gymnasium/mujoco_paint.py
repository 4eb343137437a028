"""Other pictures on the surfaces of any environment over MuJoCo, in every context that draws it.

Each OpenGL context has its own copy of every texture, so a picture goes into the model, from which
contexts that open later take it, and into each context that is open. The simulation notices
nothing of it. See `mujoco_surfaces` for what can be painted.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from hartsim.adapters.gymnasium.mujoco import claim_context, free_viewers, model_of, screens_of
from hartsim.adapters.gymnasium.mujoco_slots import Slots, why_no_slots
from hartsim.adapters.gymnasium.mujoco_surfaces import Surface, laid_out, list_surfaces, names_of
from hartsim.errors import WorldError
from hartsim.types import Image

if TYPE_CHECKING:
    import mujoco

_PAINTED: "WeakValueDictionary[int, Any]" = WeakValueDictionary()
"""The environment whose painter writes into a model, by the model's identity."""


def surfaces_of(env: "gym.Env[Any, Any]") -> dict[str, Surface]:
    """All that the environment's model shows, by name, with what cannot be painted and why.

    WorldError where it is no environment over MuJoCo.
    """
    model = model_of(env)
    return list_surfaces(model, why_no_slots(env, model))


class Painter:
    """Paint for the named surfaces of an environment.

    Raises WorldError for surfaces that are not there or cannot be painted, and where another
    environment's painter holds the same model.
    """

    def __init__(self, env: "gym.Env[Any, Any]", names: Iterable[str]) -> None:
        self._env, self._model = env, model_of(env)
        self.surfaces = _picked(surfaces_of(env), names)
        if _PAINTED.setdefault(id(self._model), env.unwrapped) is not env.unwrapped:
            raise WorldError(
                "another environment has the same model and paints it; load a model for each"
            )
        slots = [surface for surface in self.surfaces.values() if surface.how == "slot"]
        self._slots = Slots(env.unwrapped, self._model, slots) if slots else None
        if self._slots:
            self._slots.install()
        self._kept: dict[str, NDArray[Any]] = {}

    def claim_context(self) -> None:
        """Make the environment's own OpenGL context current: do so before it draws."""
        claim_context(self._env)

    def require_model(self) -> None:
        """WorldError where the environment has built itself a new model since."""
        if model_of(self._env) is not self._model:
            raise WorldError(
                f"{type(self._env.unwrapped).__name__} has built a new model, without its paint; "
                "robosuite keeps its model with hard_reset=False"
            )

    def paint(self, images: Mapping[str, Image]) -> None:
        """Put pictures (H, W, 3) on surfaces by name, in every context; ready for the next draw.

        WorldError for a surface that is not this painter's, and where the environment has built
        itself a new model; ValueError for anything but a picture.
        """
        self.require_model()
        for name, image in images.items():
            if name not in self.surfaces:
                raise WorldError(
                    f"no surface '{name}' to paint; there are: {', '.join(self.surfaces)}"
                )
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
                raise ValueError(
                    f"the picture for '{name}' is {image.dtype} {image.shape}; "
                    "paint takes uint8 RGB, (height, width, 3)"
                )
        if self._slots:
            self._slots.install()
        changed = [change for name, image in images.items() for change in self._wear(name, image)]
        self._upload(changed)

    def restore(self) -> None:
        """Put everything back as it was, bit for bit, in every context."""
        self._upload(self._put_back())

    def close(self) -> None:
        """Put everything back, for an environment that is about to be closed."""
        self._put_back()
        renderer = getattr(self._env.unwrapped, "mujoco_renderer", None)
        if renderer is not None:
            free_viewers(renderer)

    def _put_back(self) -> list[tuple["mujoco.MjModel", int]]:
        """Put the models back; which textures of which models that has changed."""
        changed = []
        for name, kept in self._kept.items():
            surface = self.surfaces[name]
            if surface.how == "colour":
                self._model.geom_rgba[list(surface.geom_ids)] = kept
                continue
            for model in self._models():
                _pixels(model, surface.texture)[:] = kept
                changed.append((model, surface.texture))
        if self._slots:
            self._slots.remove()
        self._kept.clear()
        _PAINTED.pop(id(self._model), None)
        return changed

    def _models(self) -> list["mujoco.MjModel"]:
        return [self._model, self._slots.model] if self._slots else [self._model]

    def _wear(self, name: str, image: Image) -> Iterator[tuple["mujoco.MjModel", int]]:
        """Write a picture; which textures of which models that has changed."""
        surface = self.surfaces[name]
        geoms = list(surface.geom_ids)
        if surface.how == "colour":
            self._kept.setdefault(name, self._model.geom_rgba[geoms].copy())
            self._model.geom_rgba[geoms, :3] = image.mean((0, 1)) / 255
        elif surface.how == "slot":
            assert self._slots is not None
            texture = self._slots.texture(name)
            _pixels(self._slots.model, texture)[:] = laid_out(image, self._slots.model, texture)
            self._slots.whiten(name)
            yield self._slots.model, texture
        else:
            self._kept.setdefault(name, _pixels(self._model, surface.texture).copy())
            pixels = laid_out(image, self._model, surface.texture)
            for model in self._models():
                _pixels(model, surface.texture)[..., :3] = pixels
                yield model, surface.texture

    def _upload(self, changed: Iterable[tuple["mujoco.MjModel", int]]) -> None:
        import mujoco

        changed = list(changed)
        for screen in screens_of(self._env):
            textures = [texture for model, texture in changed if model is screen.model]
            if textures:
                screen.make_current()
            for texture in textures:
                mujoco.mjr_uploadTexture(screen.model, screen.context, texture)
        claim_context(self._env)


def _pixels(model: "mujoco.MjModel", texture: int) -> NDArray[np.uint8]:
    """The pixels of a texture (height, width, channels), as a view."""
    shape = tuple(
        int(own[texture]) for own in (model.tex_height, model.tex_width, model.tex_nchannel)
    )
    start = int(model.tex_adr[texture])
    pixels: NDArray[np.uint8] = model.tex_data[start : start + int(np.prod(shape))]
    return pixels.reshape(shape)


def _picked(known: Mapping[str, Surface], names: Iterable[str]) -> dict[str, Surface]:
    picked = {}
    for name in names:
        if name not in known:
            raise WorldError(f"no surface '{name}'; there are: {names_of(known.values())}")
        if known[name].how == "nothing":
            raise WorldError(f"'{name}' cannot be painted: {known[name].reason}")
        picked[name] = known[name]
    return picked
