"""What is painted on cars and vans, or let into their sides: stripes, checks, panels, openings."""

import numpy as np

from hartsim.worlds import meshes
from hartsim.worlds.meshes import join, mirrored_y, painted
from hartsim.worlds.stage import Colour, Mesh
from hartsim.worlds.vehicles import SQUARENESS, Shape

PROUD_M = 0.014
"""How far paint stands out, so that it hides the sheet metal everywhere."""


def side_y(shape: Shape, x: float, z: float) -> float:
    """How far left the left side of a car's body lies at this place."""
    xs, tops, halves = (np.array(column) for column in zip(*shape.hood, strict=True))
    half = float(np.interp(x, xs, halves))
    if z > shape.belt:
        _, roofs, roof_halves = zip(*shape.cabin, strict=True)
        cabin_xs = [each[0] for each in shape.cabin]
        roof = float(np.interp(x, cabin_xs, roofs)) - 0.09
        at_roof = float(np.interp(x, cabin_xs, roof_halves))
        share = min(max((z - shape.belt) / max(roof - shape.belt, 0.05), 0.0), 1.0)
        return half * 0.94 + (at_roof - half * 0.94) * share
    top = float(np.interp(x, xs, tops))
    middle, reach = (top + shape.clearance) / 2, (top - shape.clearance) / 2
    rise = min(abs(z - middle) / reach, 0.98)
    return half * float((1 - rise**SQUARENESS) ** (1 / SQUARENESS))


def patch(
    shape: Shape,
    span: tuple[float, float],
    levels: tuple[float, float],
    role: str,
    colour: Colour,
    proud_m: float = PROUD_M,
) -> Mesh:
    """A sheet on the left side of a car: `span` along x, `levels` its lower and upper edge."""
    stations = [each[0] for each in (*shape.hood, *shape.cabin) if span[0] < each[0] < span[1]]
    xs = np.array(sorted({*span, *stations}))
    zs = np.linspace(*levels, 2 + int((levels[1] - levels[0]) / 0.2))
    rows = [[(x, side_y(shape, x, z) + proud_m, z) for z in zs] for x in xs]
    sheet = meshes.loft(np.array(rows), colour, role, capped=False, closed=False, crease_deg=60)
    return sheet if sheet.normals[..., 1].sum() > 0 else meshes.inside_out(sheet)


def both_sides(
    shape: Shape,
    span: tuple[float, float],
    levels: tuple[float, float],
    role: str,
    colour: Colour,
) -> Mesh:
    """The same patch on the left and on the right side."""
    left = patch(shape, span, levels, role, colour)
    return join([left, mirrored_y(left)])


def checks(
    shape: Shape,
    span: tuple[float, float],
    levels: tuple[float, float],
    count: int,
    colours: tuple[tuple[str, Colour], tuple[str, Colour]],
) -> list[Mesh]:
    """Two rows of `count` fields on both sides, in two roles that take turns."""
    edges = np.linspace(*span, count + 1).tolist()
    low, high = levels
    middle = (low + high) / 2
    fields = []
    for row, between in enumerate(((low, middle), (middle, high))):
        for column in range(count):
            role, colour = colours[(row + column) % 2]
            here = (edges[column], edges[column + 1])
            fields.append(both_sides(shape, here, between, role, colour))
    return fields


def cross(colour: Colour, role: str, size_m: float, thick_m: float) -> Mesh:
    """An upright cross in the x-z plane, about the origin."""
    long, short = size_m, size_m * 0.32
    arms = [meshes.box((long, thick_m, short)), meshes.box((short, thick_m, long))]
    return painted(join(arms), role, colour)
