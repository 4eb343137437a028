"""Looks into any environment over MuJoCo: its model, what draws it, and whose each pixel is.

gymnasium's `MujocoEnv` (and gymnasium-robotics, which builds on its renderer), environments that
hold a `mujoco.Renderer`, and robosuite each keep these elsewhere. The names that this rests on are
in `model_of` and `screens_of` and nowhere else.
"""

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import metadata
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from hartsim.errors import WorldError
from hartsim.types import Image, Mask, Size

if TYPE_CHECKING:
    import mujoco

MaskSource = Callable[["gym.Env[Any, Any]", Image], Mask]
"""The mask of an observation's picture: True where a pixel may change."""

_FEW = 32

WHAT = ("background", "geom", "body")
"""What a specification may ask for."""


@dataclass(frozen=True, eq=False)
class Screen:
    """An open OpenGL context that draws a model, and the scene that it drew last.

    `size_px` is the size it draws at; None where it draws at whatever size is asked for. Pictures
    are upside down where the environment hands them on as OpenGL gives them.
    """

    model: "mujoco.MjModel"
    scene: "mujoco.MjvScene"
    context: "mujoco.MjrContext"
    make_current: Callable[[], None]
    size_px: Size | None
    upside_down: bool = False

    def is_offscreen(self) -> bool:
        """Whether it draws into memory, not into a window."""
        import mujoco

        return bool(self.context.currentBuffer == mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value)


def model_of(env: "gym.Env[Any, Any]") -> "mujoco.MjModel":
    """The model that the environment simulates; WorldError where there is none to be found."""
    import mujoco

    base = env.unwrapped
    sim = getattr(base, "sim", None)
    for found in (getattr(base, "model", None), getattr(getattr(sim, "model", None), "_model", 0)):
        if isinstance(found, mujoco.MjModel):
            return found
    raise WorldError(
        f"{type(base).__name__} shows no MuJoCo model: neither as env.unwrapped.model (gymnasium, "
        "gymnasium-robotics) nor as env.unwrapped.sim.model (robosuite)"
    )


def screens_of(env: "gym.Env[Any, Any]") -> list[Screen]:
    """Every open context of the environment and of its wrappers; the most likely to be used first.

    WorldError where a library has them, but not where this version of hartsim looks.
    """
    try:
        return [*_viewers(env.unwrapped), *_robosuite(env.unwrapped), *_renderers(env)]
    except AttributeError as error:
        raise WorldError(
            f"{type(env.unwrapped).__name__} keeps what draws it where hartsim does not look: "
            f"{error} (gymnasium {gym.__version__}, MuJoCo {metadata.version('mujoco')})"
        ) from error


def _viewers(base: Any) -> Iterator[Screen]:
    """Of gymnasium, which opens a viewer for each render mode when that is first used."""
    if (renderer := getattr(base, "mujoco_renderer", None)) is None:
        return
    for viewer in renderer._viewers.values():
        size_px = (viewer.viewport.height, viewer.viewport.width)
        yield Screen(viewer.model, viewer.scn, viewer.con, viewer.make_context_current, size_px)


def _robosuite(base: Any) -> Iterator[Screen]:
    """Of robosuite, which has one context for all cameras."""
    own = getattr(getattr(base, "sim", None), "_render_context_offscreen", None)
    if own is not None:
        macros = importlib.import_module("robosuite.macros")
        upside_down = macros.IMAGE_CONVENTION == "opengl"
        current = own.gl_ctx.make_current
        yield Screen(own.model._model, own.scn, own.con, current, None, upside_down)


def _renderers(env: "gym.Env[Any, Any]") -> Iterator[Screen]:
    """Instances of `mujoco.Renderer` that the environment or a wrapper holds."""
    import mujoco

    for holder in layers(env):
        for value in _values(vars(holder)):
            if isinstance(value, mujoco.Renderer) and value._mjr_context is not None:
                current = value._gl_context.make_current
                size_px = (value.height, value.width)
                yield Screen(value.model, value.scene, value._mjr_context, current, size_px)


def layers(env: "gym.Env[Any, Any]") -> Iterator["gym.Env[Any, Any]"]:
    """The environment's wrappers, outermost first, and the environment itself."""
    while isinstance(env, gym.Wrapper):
        yield env
        env = env.env
    yield env


def _values(attributes: dict[str, Any]) -> Iterator[Any]:
    for value in attributes.values():
        yield value
        if isinstance(value, dict | list | tuple) and len(value) <= _FEW:  # a renderer per camera
            yield from value.values() if isinstance(value, dict) else value


def claim_context(env: "gym.Env[Any, Any]") -> None:
    """Make the environment's own OpenGL context the current one, if it has one already.

    gymnasium with a single viewer, and robosuite, draw into whichever context is current: beside
    another environment of the process that is the other's, with the other's textures.
    """
    base = env.unwrapped
    for screen in (*_viewers(base), *_robosuite(base)):
        screen.make_current()
        return


def free_viewers(renderer: Any) -> None:
    """Free what a renderer of gymnasium's holds in OpenGL, before it is closed.

    Its `close` leaves that to the garbage collector, which then deletes by number, in whichever
    context is current, what another environment of the process draws with.
    """
    for viewer in renderer._viewers.values():
        viewer.make_context_current()
        viewer.con.free()


def mujoco_mask(spec: str) -> MaskSource:
    """The mask of what `spec` names, exact to the pixel, from a segmentation pass.

    `background` is where nothing is drawn; `geom=floor,wall*` are the pixels of the geoms of these
    names, `body=...` those of the geoms and sites of these bodies; names may be patterns of
    fnmatch. The environment is drawn once more, as it was drawn last and at the picture's size,
    without light, textures or anti-aliasing: Ant-v5 at 64 px takes 2.3 ms. A pixel belongs to what
    covers its centre; transparent things count as solid.

    MuJoCo never draws a picture and its ids at once. Where no mask is needed, as for textures, none
    is made; where what may change has a colour of its own, `colour:` needs no second draw.

    ValueError for a specification that is none; WorldError, when called, where the names match
    nothing, where nothing draws the environment or where the picture has another shape.
    """
    what, _, listed = spec.partition("=")
    names = tuple(name.strip() for name in listed.split(",") if name.strip())
    if what not in WHAT or bool(names) != (what != "background"):
        raise ValueError(
            f"mujoco:{spec} is no mask; there are mujoco:background, mujoco:geom=NAME,... and "
            "mujoco:body=NAME,..."
        )
    known: dict[str, Any] = {"model": None, "table": None}

    def mask(env: "gym.Env[Any, Any]", image: Image) -> Mask:
        screen = drawn_last(env, (image.shape[0], image.shape[1]))
        ids = scene_ids(screen, (image.shape[0], image.shape[1]))
        claim_context(env)
        if what == "background":
            return np.equal(ids, 0)
        if known["model"] is not screen.model:
            known["model"], known["table"] = screen.model, _named(screen.model, what, names)
        return _wanted(screen.scene, known["table"])[ids]

    return mask


def drawn_last(env: "gym.Env[Any, Any]", size_px: Size) -> Screen:
    """The screen on which a picture of this size was drawn; draws first where there is none yet.

    Of several, one that draws at just this size. WorldError where none draws in this shape.
    """
    screens = [screen for screen in screens_of(env) if screen.is_offscreen()]
    if not screens and getattr(env.unwrapped, "render_mode", None):
        env.render()
        screens = [screen for screen in screens_of(env) if screen.is_offscreen()]
    if not screens:
        raise WorldError(
            f"nothing draws {type(env.unwrapped).__name__}; make it with render_mode='rgb_array'"
        )
    height, width = size_px
    fitting = [
        screen
        for screen in screens
        if screen.size_px is None or screen.size_px[0] * width == screen.size_px[1] * height
    ]
    if not fitting:
        drawn = " and ".join("x".join(map(str, each.size_px or ())) for each in screens)
        raise WorldError(
            f"the picture is {height}x{width}, but the environment is drawn at {drawn}: cut or "
            "stretched pictures have no mask; make it with that width and height"
        )
    return next((screen for screen in fitting if screen.size_px == size_px), fitting[0])


def scene_ids(screen: Screen, size_px: Size) -> NDArray[np.intp]:
    """What is at the centre of each pixel (H, W): 1 + its place in the scene, 0 for nothing."""
    import mujoco

    flags = screen.scene.flags
    kept = flags.copy()
    # robosuite hides sites by a negative opacity, which in this pass would be solid
    unseen = [(geom, geom.segid) for geom in _geoms(screen.scene) if geom.rgba[3] <= 0]
    height, width = drawn_px = _fits(screen, size_px)
    area = mujoco.MjrRect(0, 0, width, height)
    colours = np.empty((height, width, 3), np.uint8)
    screen.make_current()
    try:
        for geom, _ in unseen:
            geom.segid = -1
        flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = 1
        mujoco.mjr_render(area, screen.scene, screen.context)
        mujoco.mjr_readPixels(colours, None, area, screen.context)
    finally:
        flags[:] = kept
        for geom, number in unseen:
            geom.segid = number
    ids = colours.astype(np.intp) @ np.array([1, 2**8, 2**16], np.intp)
    ids = ids if screen.upside_down else ids[::-1]
    return ids if drawn_px == size_px else ids[_nearest(size_px, drawn_px)]


def _fits(screen: Screen, size_px: Size) -> Size:
    """The size to draw at for a picture of `size_px`: smaller where the buffer is."""
    context = screen.context
    if size_px[0] <= context.offHeight and size_px[1] <= context.offWidth:
        return size_px
    return screen.size_px or (context.offHeight, context.offWidth)


def _nearest(size_px: Size, drawn_px: Size) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where to look up each pixel of a picture that was drawn smaller."""
    rows, columns = (
        (np.arange(size) * 2 + 1) * drawn // (2 * size)
        for size, drawn in zip(size_px, drawn_px, strict=True)
    )
    return rows[:, None], columns


def _named(
    model: "mujoco.MjModel", what: str, patterns: tuple[str, ...]
) -> dict[int, NDArray[np.bool_]]:
    """By kind of object, which of the model's are meant; WorldError for patterns without any."""
    import mujoco

    count, kind = {
        "geom": (model.ngeom, mujoco.mjtObj.mjOBJ_GEOM),
        "body": (model.nbody, mujoco.mjtObj.mjOBJ_BODY),
    }[what]
    names = [mujoco.mj_id2name(model, kind, each) or "" for each in range(count)]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names if name):
            there = ", ".join(sorted(filter(None, names))) or "none with a name"
            raise WorldError(f"no {what} matches '{pattern}'; there are: {there}")
    meant = np.array([any(fnmatchcase(name, each) for each in patterns) for name in names])
    if what == "geom":
        return {mujoco.mjtObj.mjOBJ_GEOM.value: meant}
    return {
        mujoco.mjtObj.mjOBJ_GEOM.value: meant[model.geom_bodyid],
        mujoco.mjtObj.mjOBJ_SITE.value: meant[model.site_bodyid],
    }


def _geoms(scene: "mujoco.MjvScene") -> "Sequence[mujoco.MjvGeom]":
    geoms: Sequence[mujoco.MjvGeom] = scene.geoms[: scene.ngeom]
    return geoms


def _wanted(scene: "mujoco.MjvScene", table: dict[int, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """For each id of `scene_ids`, whether it is wanted."""
    wanted = np.zeros(scene.ngeom + 1, bool)
    for geom in _geoms(scene):
        if geom.segid >= 0 and (meant := table.get(geom.objtype)) is not None:
            wanted[geom.segid + 1] = meant[geom.objid]
    return wanted
