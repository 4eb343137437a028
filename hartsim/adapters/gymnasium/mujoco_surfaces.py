"""What can wear a picture in a MuJoCo model, how, and what cannot and why.

A surface is a texture of the model with all that wears it, or a plain colour: a material without a
texture, or a geom without a material. How it is painted:

    texture     its pixels are replaced, at the size that they have
    slot        a plain colour is given a texture: see `mujoco_slots`
    colour      a plain colour that can be given none takes the picture's mean colour
    nothing     it cannot be painted; `Surface.reason` says why

MuJoCo multiplies a texture with the colours of its material and geom, and so it does with paint. A
plain colour that is given a texture becomes white under it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from hartsim.images import resize
from hartsim.types import Image, Size

if TYPE_CHECKING:
    import mujoco

Shape = Literal["2d", "cube", "skybox"]
How = Literal["texture", "slot", "colour", "nothing"]

SLOT_PX: Mapping[Shape, Size] = {"2d": (256, 256), "cube": (128, 128)}
"""Picture sizes of the textures that plain colours are given; of a cube, that of one face."""

FACES = 6
_QUARTER_TURNS = (1, -1, 2, 0, 0, 2)
"""What turns a picture upright on the faces of a cube, +x -x +y -y +z -z; measured."""
_TOLD = 20
"""How many surfaces an error names; robots may have a hundred."""

_PIXEL = np.dtype("V3")
"""Three bytes as one item, which turns pictures twice as fast."""

_DRAWN_GROUPS = 3
"""Geoms of group 3 and above are hidden where nothing else is asked for."""


@dataclass(frozen=True)
class Surface:
    """Something in a model that may wear a picture.

    `size_px` is the size of picture that goes in as it is: of a cube and a sky, that of one face.
    `geoms` are those that wear it, a nameless one as `#` and its number; a sky has none. A surface
    is `fixed` where nothing that wears it ever moves. `reason` says why it is not painted as a
    texture. `texture`, `material` and `geom_ids` are the model's numbers, -1 for none.
    """

    name: str
    shape: Shape
    how: How
    size_px: Size
    geoms: tuple[str, ...]
    fixed: bool
    reason: str = ""
    texture: int = -1
    material: int = -1
    geom_ids: tuple[int, ...] = ()

    def __str__(self) -> str:
        """One line: name, size, how it is painted, who wears it."""
        height, width = self.size_px
        worn = f", worn by {', '.join(self.geoms)}" if self.geoms else ""
        reason = f" ({self.reason})" if self.reason else ""
        return f"{self.name}: {self.shape} {height}x{width}, {self.how}{reason}{worn}"


def list_surfaces(model: "mujoco.MjModel", no_slots: str = "") -> dict[str, Surface]:
    """All surfaces of a model by name; `no_slots` says why plain colours get no textures."""
    found: dict[str, Surface] = {}
    for surface in (*_textures(model), *_plain(model, no_slots)):
        name = surface.name
        if name in found:
            kind = "geom" if surface.material < 0 else "material"
            name = f"{kind}:{surface.name}"
        found[name] = replace(surface, name=name)
    return found


def _textures(model: "mujoco.MjModel") -> Iterator[Surface]:
    import mujoco

    types = mujoco.mjtTexture
    shapes: dict[int, Shape] = {
        types.mjTEXTURE_2D.value: "2d",
        types.mjTEXTURE_CUBE.value: "cube",
        types.mjTEXTURE_SKYBOX.value: "skybox",
    }
    worn = _colour_textures(model)
    skies = [each for each in range(model.ntex) if shapes[model.tex_type[each]] == "skybox"]
    for texture in range(model.ntex):
        shape = shapes[model.tex_type[texture]]
        geoms = [
            each for each in _drawn_geoms(model) if worn.get(model.geom_matid[each]) == texture
        ]
        others = np.concatenate([model.site_matid, model.skin_matid, model.flex_matid])
        is_worn = geoms or any(worn.get(each) == texture for each in others)
        reason = ""
        if model.tex_adr[texture] < 0:
            reason = "its pixels are not in the model: embed='false' or passthrough"
        elif model.tex_nchannel[texture] < 3:
            reason = f"it has {model.tex_nchannel[texture]} channel, and no colours"
        elif shape == "skybox" and texture != skies[0]:
            reason = "another sky is drawn"
        elif shape != "skybox" and not is_worn:
            reason = "nothing that is drawn wears it as its colour"
        height, width = int(model.tex_height[texture]), int(model.tex_width[texture])
        yield Surface(
            name=model.texture(texture).name
            or ("skybox" if shape == "skybox" else f"texture{texture}"),
            shape=shape,
            how="nothing" if reason else "texture",
            size_px=(height, width) if shape == "2d" else (width, width),
            geoms=tuple(_geom_name(model, each) for each in geoms),
            fixed=shape == "skybox" or (bool(geoms) and _are_fixed(model, geoms)),
            reason=reason,
            texture=texture,
            geom_ids=tuple(geoms),
        )


def _plain(model: "mujoco.MjModel", no_slots: str) -> Iterator[Surface]:
    textured = _colour_textures(model)
    groups: dict[tuple[str, int], list[int]] = {}
    for geom in _drawn_geoms(model):
        material = int(model.geom_matid[geom])
        if material not in textured:
            groups.setdefault((_plain_name(model, geom, material), material), []).append(geom)
    for (name, material), geoms in groups.items():
        shape: Shape = "2d" if all(_is_mapped(model, each) for each in geoms) else "cube"
        yield Surface(
            name=name,
            shape=shape,
            how="colour" if no_slots else "slot",
            size_px=SLOT_PX[shape],
            geoms=tuple(_geom_name(model, each) for each in geoms),
            fixed=_are_fixed(model, geoms),
            reason=no_slots,
            material=material,
            geom_ids=tuple(geoms),
        )


def _plain_name(model: "mujoco.MjModel", geom: int, material: int) -> str:
    """The material's name, or the geom's, or that of its body."""
    if material >= 0:
        return str(model.material(material).name or f"material{material}")
    body = model.body(model.geom_bodyid[geom])
    return str(model.geom(geom).name or body.name or f"body{body.id}")


def _colour_textures(model: "mujoco.MjModel") -> dict[int, int]:
    """Materials with a texture as their colour, and that texture."""
    import mujoco

    roles = mujoco.mjtTextureRole
    textures = {}
    for material in range(model.nmat):
        own = model.mat_texid[material]
        colour = max(own[roles.mjTEXROLE_RGB], own[roles.mjTEXROLE_RGBA])
        if colour >= 0:
            textures[material] = int(colour)
    return textures


def _drawn_geoms(model: "mujoco.MjModel") -> list[int]:
    shown = (model.geom_group < _DRAWN_GROUPS) & (model.geom_rgba[:, 3] > 0)
    return [int(geom) for geom in np.flatnonzero(shown)]


def _geom_name(model: "mujoco.MjModel", geom: int) -> str:
    return str(model.geom(geom).name or f"#{geom}")


def _are_fixed(model: "mujoco.MjModel", geoms: list[int]) -> bool:
    """Whether geoms stand still: welded to the world, which mocap bodies are only by name."""
    bodies = model.geom_bodyid[geoms]
    is_moved = model.body_mocapid[model.body_rootid[bodies]] >= 0
    return bool((model.body_weldid[bodies] == 0).all() and not is_moved.any())


def _is_mapped(model: "mujoco.MjModel", geom: int) -> bool:
    """Whether a flat picture lies well on a geom; on most shapes MuJoCo 3 smears it."""
    import mujoco

    types, own = mujoco.mjtGeom, model.geom_type[geom]
    if own == types.mjGEOM_MESH.value:
        return bool(model.mesh_texcoordadr[model.geom_dataid[geom]] >= 0)
    return own in (types.mjGEOM_PLANE.value, types.mjGEOM_HFIELD.value)


def laid_out(image: Image, model: "mujoco.MjModel", texture: int) -> Image:
    """A picture as the pixels of a texture (height, width, 3): upright wherever it is seen.

    On a cube each face shows the whole picture. Round a sky it stands four times, every other time
    mirrored so that the edges meet, below and above the mean colours of its last and first rows. An
    image of a cube's or sky's whole size, its faces one below the other, goes in as it is.
    """
    import mujoco

    size_px = height, width = int(model.tex_height[texture]), int(model.tex_width[texture])
    if model.tex_type[texture] == mujoco.mjtTexture.mjTEXTURE_2D.value:
        flat = resize(image, size_px)
        # MuJoCo draws these darker than they are; only flat textures
        is_srgb = model.tex_colorspace[texture] == mujoco.mjtColorSpace.mjCOLORSPACE_SRGB.value
        return _srgb()[flat] if is_srgb else flat
    if height != FACES * width or image.shape[:2] == size_px:  # one face, shown six times
        return resize(image, size_px)
    face = resize(image, (width, width))
    if model.tex_type[texture] == mujoco.mjtTexture.mjTEXTURE_CUBE.value:
        pixels = np.ascontiguousarray(face).view(_PIXEL)[..., 0]
        turned = np.concatenate([np.rot90(pixels, turns) for turns in _QUARTER_TURNS])
        return turned.view(np.uint8).reshape(height, width, 3)
    # skies are seen from inside, so mirrored: +x -x up down -y +y
    mirrored = face[:, ::-1]
    means = (face[row].mean(0).astype(np.uint8) for row in (0, -1))
    up, down = (np.broadcast_to(mean, face.shape) for mean in means)
    return np.concatenate([face, face, up, down, mirrored, mirrored])


@cache
def _srgb() -> NDArray[np.uint8]:
    """The sRGB code of each linear level. Source: IEC 61966-2-1."""
    linear = np.arange(256) / 255
    code = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    table: NDArray[np.uint8] = np.round(255 * code).astype(np.uint8)
    return table


def names_of(surfaces: Iterable[Surface]) -> str:
    """The surfaces for an error: those that can be painted, then the others with their reasons.

    Of many, the first ones, which are the textures.
    """
    surfaces = list(surfaces)
    able = [each.name for each in surfaces if each.how != "nothing"]
    good = ", ".join(able[:_TOLD]) or "none"
    good += f" and {len(able) - _TOLD} more" if len(able) > _TOLD else ""
    bad = "; ".join(f"{each.name}: {each.reason}" for each in surfaces if each.how == "nothing")
    return f"{good} (cannot be painted: {bad})" if bad else good
