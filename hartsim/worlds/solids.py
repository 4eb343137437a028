"""Short ways to say `Solid`: blocks, rods and meshes of one colour, and how to turn them."""

import math
from collections.abc import Sequence

import numpy as np

from hartsim.types import Vector3
from hartsim.worlds.stage import Colour, Mesh, Quaternion, Solid

UPRIGHT: Quaternion = (1.0, 0.0, 0.0, 0.0)


def srgb(linear: Vector3) -> Colour:
    """The colour that a linear RGB triple is seen as."""
    r, g, b = (12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in linear)
    return r, g, b


def darker(colour: Colour, by: float) -> Colour:
    """The colour times `by`, kept within 0..1."""
    r, g, b = (min(max(each * by, 0.0), 1.0) for each in colour)
    return r, g, b


def pick(random: np.random.Generator, colours: Sequence[Colour]) -> Colour:
    """One of the colours."""
    return colours[int(random.integers(len(colours)))]


def times(first: Quaternion, second: Quaternion) -> Quaternion:
    """The rotation by `second`, then by `first`."""
    a, b, c, d = first
    e, f, g, h = second
    return (
        a * e - b * f - c * g - d * h,
        a * f + b * e + c * h - d * g,
        a * g - b * h + c * e + d * f,
        a * h + b * g - c * f + d * e,
    )


def along(direction: Vector3) -> Quaternion:
    """The rotation that lays z along a direction."""
    x, y, z = np.asarray(direction, float) / math.hypot(*direction)
    if z < -0.999999:
        return (0.0, 1.0, 0.0, 0.0)
    length = math.sqrt((1 + z) ** 2 + x * x + y * y)
    return ((1 + z) / length, -y / length, x / length, 0.0)


def block(
    size_m: Vector3,
    at: Vector3,
    colour: Colour,
    rotation: Quaternion = UPRIGHT,
    bevel_m: float = 0.0,
    gloss: float = 0.1,
    glow: float = 0.0,
    alpha: float = 1.0,
    class_name: str | None = None,
) -> Solid:
    """A box centred at `at`."""
    return Solid(
        "box",
        size_m,
        at,
        rotation,
        (*colour, alpha),
        emission=glow,
        specular=gloss,
        bevel_m=bevel_m,
        class_name=class_name,
    )


def body(
    mesh: Mesh,
    size_m: Vector3,
    at: Vector3,
    colour: Colour,
    rotation: Quaternion = UPRIGHT,
    gloss: float = 0.1,
    glow: float = 0.0,
    alpha: float = 1.0,
    class_name: str | None = None,
) -> Solid:
    """A mesh of one colour, stretched to `size_m` and centred at `at`."""
    return Solid(
        "mesh",
        size_m,
        at,
        rotation,
        (*colour, alpha),
        mesh=mesh,
        colours={name: colour for name in mesh.names},
        emission=glow,
        specular=gloss,
        class_name=class_name,
    )


def ball(
    size_m: Vector3, at: Vector3, colour: Colour, gloss: float = 0.1, glow: float = 0.0
) -> Solid:
    """A ball or an ellipsoid."""
    return Solid("sphere", size_m, at, rgba=(*colour, 1), emission=glow, specular=gloss)


def drum(
    diameter_m: float,
    height_m: float,
    at: Vector3,
    colour: Colour,
    rotation: Quaternion = UPRIGHT,
    gloss: float = 0.1,
    glow: float = 0.0,
) -> Solid:
    """A cylinder centred at `at`, along z before it is turned."""
    size = (diameter_m, diameter_m, height_m)
    return Solid("cylinder", size, at, rotation, (*colour, 1), emission=glow, specular=gloss)


def rod(
    start: Vector3,
    end: Vector3,
    diameter_m: float,
    colour: Colour,
    gloss: float = 0.1,
    glow: float = 0.0,
) -> Solid:
    """A capsule from one point to another; its round ends reach beyond them."""
    a, b = np.array(start, float), np.array(end, float)
    x, y, z = (b - a).tolist()
    middle = ((a + b) / 2).tolist()
    length = math.hypot(x, y, z) + diameter_m
    size = (diameter_m, diameter_m, length)
    at = (middle[0], middle[1], middle[2])
    rotation = along((x, y, z)) if length > diameter_m else UPRIGHT
    return Solid("capsule", size, at, rotation, (*colour, 1), emission=glow, specular=gloss)
