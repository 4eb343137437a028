"""What has been spilled on a table or leaks onto it; see `tabletop_props.Draw`."""

import math
from collections.abc import Mapping, Sequence

from hartsim.types import Vector3
from hartsim.worlds import tabletop_meshes as meshes
from hartsim.worlds import tabletop_shapes as shapes
from hartsim.worlds.meshes import turn, turn_z
from hartsim.worlds.solids import block, body, drum, pick, times
from hartsim.worlds.stage import Colour, Solid
from hartsim.worlds.tabletop_props import DARK, LEVEL, WHITE, Draw, Random, band_along


def _liquid(
    size: Vector3, random: Random, colour: Colour, rim: Colour, alpha: float
) -> Sequence[Solid]:
    """A pool with its reflection of the window, and drops that splashed from it."""
    length, width, height = size[0], size[1], max(size[2], 0.003)
    variant = int(random.integers(1, 9))
    outer, inner = (0.92 * length, 0.92 * width, height), (0.86 * length, 0.84 * width, height)
    solids = [
        body(meshes.puddle(variant), outer, (0, 0, height / 2), rim, gloss=1.0, alpha=alpha),
        body(meshes.puddle(variant), inner, (0, 0, height * 0.62), colour, gloss=1.0, alpha=alpha),
    ]
    shine = (0.62 * length, 0.5 * width, 0.0004)
    slant = turn_z(random.uniform(-0.4, 0.4))
    at = (0.05 * length, 0.1 * width, height * 1.16)
    solids.append(body(meshes.glint(variant), shine, at, (1, 1, 1), slant, 1.0, 0.4, alpha=0.6))
    for _ in range(int(random.integers(3, 6))):
        angle, drop = random.uniform(0, 2 * math.pi), random.uniform(0.05, 0.11) * width
        place = (0.46 * length * math.cos(angle), 0.46 * width * math.sin(angle), height * 0.4)
        solids.append(
            body(
                meshes.puddle(int(random.integers(9))),
                (1.3 * drop, drop, height * 0.8),
                place,
                colour,
                gloss=1.0,
                alpha=alpha,
            )
        )
    return solids


def water_spill(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """Clear water, told by its rim and its shine."""
    return _liquid(size, random, (0.60, 0.78, 0.88), (0.36, 0.52, 0.62), 0.5)


def coffee_spill(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """Coffee, dark in the middle and lighter at its rim."""
    return _liquid(size, random, (0.25, 0.13, 0.06), (0.45, 0.26, 0.12), 0.92)


def oil_spill(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """Cooking oil, golden and clear."""
    return _liquid(size, random, (0.98, 0.78, 0.16), (0.70, 0.46, 0.03), 0.62)


def milk_spill(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """Milk, opaque and white, with a bluish rim."""
    return _liquid(size, random, (0.97, 0.97, 0.95), (0.74, 0.78, 0.84), 1.0)


def wine_spill(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """Red wine."""
    return _liquid(size, random, (0.42, 0.02, 0.10), (0.62, 0.10, 0.20), 0.92)


def powder_spill(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A pile of flour with its dust about it."""
    length, width, height = size
    flour = colour or (0.97, 0.95, 0.90)
    variant = int(random.integers(1, 9))
    film = (0.8 * length, 0.8 * width, 0.0016)
    hills = ((0.0, 0.0, 0.62, 1.0), (0.24, -0.16, 0.34, 0.5), (-0.22, 0.2, 0.3, 0.4))
    return (
        body(meshes.puddle(variant), film, (0, 0, 0.0008), flour, alpha=0.5),
        body(shapes.grains(variant), (length, width, 0.004), (0, 0, 0.002), flour),
        *(
            body(
                shapes.heap(variant + n),
                (share * length, share * width, tall * height),
                (x * length, y * width, 0.5 * tall * height),
                flour,
                turn_z(2.0 * n),
            )
            for n, (x, y, share, tall) in enumerate(hills)
        ),
    )


def _warning(diameter_m: float, at: Vector3, angle_rad: float) -> Sequence[Solid]:
    """An orange sign with a black cross on the side of a bottle that lies along x.

    `angle_rad` is how far from the top it is round the bottle.
    """
    tilt = turn((1.0, 0.0, 0.0), -angle_rad)
    side = 0.56 * diameter_m

    def out(radius_m: float) -> Vector3:
        return (
            at[0],
            at[1] + radius_m * math.sin(angle_rad),
            at[2] + radius_m * math.cos(angle_rad),
        )

    bars = [
        block(
            (0.84 * side, 0.2 * side, 0.0012),
            out(0.5 * diameter_m + 0.0018),
            DARK,
            times(tilt, turn_z(angle)),
        )
        for angle in (math.pi / 4, -math.pi / 4)
    ]
    sign = block((side, side, 0.0012), out(0.5 * diameter_m + 0.0008), (1.0, 0.50, 0.04), tilt)
    return (sign, *bars)


def chemical_bottle(size: Vector3, colour: Colour | None, random: Random) -> Sequence[Solid]:
    """A fallen bottle with warning signs, mouth at +x, its content running out; the cap beside."""
    length, width, height = size
    plastic = colour or pick(random, (WHITE, (0.16, 0.30, 0.62), (0.36, 0.20, 0.08)))
    liquid = pick(random, ((0.55, 0.85, 0.12), (0.80, 0.30, 0.85), (0.95, 0.85, 0.10)))
    wide, long = 0.92 * height, 0.66 * length
    axis = (-0.5 * length + 0.5 * long, 0.12 * width, 0.5 * wide)
    signs = [
        each
        for angle in (0.0, 1.25, -1.25)
        for each in _warning(wide, (axis[0] - 0.06 * length, *axis[1:]), angle)
    ]
    pool = (0.56 * length, 0.96 * width, 0.004)
    variant = int(random.integers(1, 9))
    return (
        body(meshes.turned("canister"), (wide, wide, long), axis, plastic, LEVEL, gloss=0.6),
        band_along(1.01 * wide, 0.34 * length, (axis[0] - 0.06 * length, *axis[1:]), WHITE),
        *signs,
        body(meshes.puddle(variant), pool, (0.22 * length, 0, 0.003), liquid, gloss=1.0, alpha=0.9),
        body(
            meshes.glint(variant),
            (0.3 * length, 0.4 * width, 0.0004),
            (0.24 * length, 0, 0.0056),
            WHITE,
            gloss=1.0,
            glow=0.4,
            alpha=0.7,
        ),
        drum(0.4 * wide, 0.2 * wide, (0.05 * length, -0.34 * width, 0.1 * wide), (0.85, 0.12, 0.1)),
    )


SPILLS: Mapping[str, Draw] = {
    "water_spill": water_spill,
    "coffee_spill": coffee_spill,
    "oil_spill_table": oil_spill,
    "milk_spill": milk_spill,
    "wine_spill": wine_spill,
    "powder_spill": powder_spill,
    "chemical_bottle": chemical_bottle,
}
"""By kind: what draws it."""
