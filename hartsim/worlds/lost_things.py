"""What people lose on a road or leave there: balls, furniture, luggage, trolleys, bicycles."""

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from hartsim.types import Vector3
from hartsim.worlds import meshes, vehicles
from hartsim.worlds.looks import CLOTHES, PAINTS, Look, Maker
from hartsim.worlds.meshes import Points, join, moved, painted, shaded
from hartsim.worlds.parts import ALONG_X, ALONG_Y, BLACK, RUBBER, ZINC, board, filling, rod
from hartsim.worlds.stage import Colour, Mesh, Solid

Solids = list[Solid]

CREAM: Colour = (0.9, 0.88, 0.82)
TICKING: Colour = (0.48, 0.58, 0.72)
"""The blue of a mattress's stripes."""
BRIGHT: tuple[Colour, ...] = ((0.86, 0.14, 0.12), (0.1, 0.36, 0.8), (0.98, 0.76, 0.1))


def ball(size_m: Vector3, look: Look) -> Solids:
    """A beach ball in white and a bright colour."""
    return filling(size_m, _ball(), 0.3, paint=look.colour or look.pick(BRIGHT))


@lru_cache(maxsize=1)
def _ball() -> Mesh:
    sides, tilts = 18, np.linspace(-math.pi / 2, math.pi / 2, 11)
    rings = [
        np.column_stack([meshes.circle(sides, math.cos(t)), np.full(sides, math.sin(t))])
        for t in tilts
    ]
    white = np.broadcast_to(np.arange(sides) // 3 % 2 == 0, (10, sides))
    skin = meshes.loft(
        np.array(rings), capped=False, crease_deg=80, roles={"white": (CREAM, white)}
    )
    return moved(skin, rotation=meshes.turn((0.6, 0.8, 0.0), 0.9))


def mattress(size_m: Vector3, look: Look) -> Solids:
    """A striped mattress, one end of it bent up."""
    return filling(size_m, _mattress(), stripe=look.colour or TICKING)


@lru_cache(maxsize=1)
def _mattress() -> Mesh:
    outline = _mattress_edge()
    rings = []
    for x, lift, lean in (
        (-1.0, 0.0, 0.0),
        (-0.3, 0.0, 0.0),
        (0.15, 0.03, 0.1),
        (0.5, 0.14, 0.42),
        (0.78, 0.33, 0.75),
        (0.95, 0.54, 0.95),
    ):
        across, up = outline[:, 0], outline[:, 1]
        rings.append(np.column_stack([x - up * math.sin(lean), across, lift + up * math.cos(lean)]))
    across = np.diff(outline[:, 0], append=outline[0, 0])
    thin = np.abs(across) < 0.06
    stripes = np.broadcast_to(thin & (np.abs(outline[:, 0]) < 0.6), (5, len(outline)))
    piping = np.broadcast_to(np.abs(across) < 1e-6, (5, len(outline)))
    skin = meshes.loft(
        np.array(rings),
        CREAM,
        "cloth",
        roles={"stripe": (TICKING, stripes), "piping": ((0.62, 0.64, 0.68), piping)},
    )
    return shaded(skin, 0.72, 1.0)


def _mattress_edge() -> Points:
    """Its outline across (P, 2), with corners close together where a stripe runs."""
    stripes = [y + aside for y in np.linspace(-0.5, 0.5, 7) for aside in (-0.022, 0.022)]
    top = [(y, 0.11) for y in (-0.64, *stripes, 0.64)]
    right, left = [(0.7, 0.07), (0.7, -0.07)], [(-0.7, -0.07), (-0.7, 0.07)]
    below = [(y, -0.11) for y in (0.64, *reversed(stripes), -0.64)]
    return np.array([*top, *right, *below, *left])


def sofa(size_m: Vector3, look: Look) -> Solids:
    """A two-seat sofa with its back at +y."""
    return filling(size_m, _sofa(), paint=look.colour or look.pick(CLOTHES))


@lru_cache(maxsize=1)
def _sofa() -> Mesh:
    body = [
        moved(meshes.box((1.9, 0.86, 0.3), 0.05), (0, 0, 0.27)),
        moved(meshes.box((1.9, 0.24, 0.68), 0.08), (0, 0.33, 0.5)),
        *(moved(meshes.box((0.24, 0.88, 0.5), 0.08), (x, 0, 0.39)) for x in (-0.86, 0.86)),
    ]
    soft = [
        *(moved(meshes.box((0.72, 0.6, 0.17), 0.06), (x, -0.1, 0.48)) for x in (-0.365, 0.365)),
        *(
            moved(
                meshes.box((0.7, 0.18, 0.4), 0.07),
                (x, 0.17, 0.67),
                meshes.turn((1.0, 0.0, 0.0), -0.16),
            )
            for x in (-0.365, 0.365)
        ),
    ]
    frame = shaded(painted(join(body), "paint"), 0.5, 0.85)
    legs = [
        board((0.07, 0.07, 0.12), (x, y, 0.06), "leg", (0.2, 0.13, 0.09))
        for x in (-0.85, 0.85)
        for y in (-0.36, 0.36)
    ]
    return join([frame, shaded(painted(join(soft), "paint"), 0.8, 1.0), *legs])


def suitcase(size_m: Vector3, look: Look) -> Solids:
    """A suitcase on its wheels, its handle drawn out."""
    return filling(size_m, _suitcase(), 0.3, paint=look.colour or look.pick(CLOTHES))


@lru_cache(maxsize=1)
def _suitcase() -> Mesh:
    shell = painted(moved(meshes.box((0.28, 0.5, 0.66), 0.06), (0, 0, 0.39)), "paint")
    ribs = [
        painted(
            shaded(moved(meshes.box((0.3, 0.035, 0.56), 0.01), (0, y, 0.39)), 0.6, 0.8), "paint"
        )
        for y in (-0.16, -0.08, 0.0, 0.08, 0.16)
    ]
    seam = board((0.02, 0.51, 0.67), (0, 0, 0.39), "seam", BLACK, bevel=0.01)
    handle = rod(
        [(0, -0.12, 0.7), (0, -0.12, 1.0), (0, 0.12, 1.0), (0, 0.12, 0.7)], 0.02, "metal", ZINC
    )
    grip = board((0.05, 0.26, 0.06), (0, 0, 1.01), "grip", BLACK, bevel=0.02)
    wheels = [
        painted(moved(meshes.cylinder(0.04, 0.04, 10), (x, y, 0.04), ALONG_Y), "wheel", RUBBER)
        for x in (-0.1, 0.1)
        for y in (-0.2, 0.2)
    ]
    return join([shaded(shell, 0.75, 1.0), *ribs, seam, handle, grip, *wheels])


def shopping_trolley(size_m: Vector3, look: Look) -> Solids:
    """A supermarket's trolley, its handle at -x."""
    return filling(size_m, _trolley(), 0.4, paint=look.colour or look.pick(BRIGHT))


@lru_cache(maxsize=1)
def _trolley() -> Mesh:
    """A basket of wire on a frame with four castors."""
    low, high = ((-0.3, 0.4, 0.19), 0.42), ((-0.42, 0.5, 0.28), 0.86)

    def corner(share: float, ahead: float, aside: float) -> Vector3:
        (a, b, side_low), (c, d, side_high) = low[0], high[0]
        back, front = a + (c - a) * share, b + (d - b) * share
        side = side_low + (side_high - side_low) * share
        return back + (front - back) * ahead, aside * side, low[1] + (high[1] - low[1]) * share

    wires = []
    for share, radius in ((0.0, 0.014), (0.33, 0.009), (0.66, 0.009), (1.0, 0.016)):
        ring = [corner(share, *at) for at in ((0, 1), (1, 1), (1, -1), (0, -1), (0, 1))]
        wires += [rod(ring[k : k + 2], radius, "wire", ZINC, 5) for k in range(4)]
    steps = np.linspace(0, 1, 8).tolist()
    for step in steps:
        for side in (-1, 1):
            ends = [corner(share, step, side) for share in (0, 1)]
            wires.append(rod(ends, 0.008, "wire", ZINC, 4))
        wires.append(rod([corner(0, step, -1), corner(0, step, 1)], 0.008, "wire", ZINC, 4))
    for aside in np.linspace(-1, 1, 6).tolist():
        for ahead in (0, 1):
            ends = [corner(share, ahead, aside) for share in (0, 1)]
            wires.append(rod(ends, 0.008, "wire", ZINC, 4))
    return join([*wires, *_undercarriage()])


def _undercarriage() -> list[Mesh]:
    """The trolley's frame, castors, handle and child's seat."""
    parts = []
    for side in (-1, 1):
        path = [
            (-0.52, side * 0.24, 0.98),
            (-0.4, side * 0.22, 0.5),
            (-0.34, side * 0.23, 0.16),
            (0.44, side * 0.17, 0.16),
        ]
        parts.append(rod(path, 0.018, "wire", ZINC))
        for x, y in ((-0.32, 0.23), (0.42, 0.16)):
            tyre = moved(meshes.cylinder(0.065, 0.05, 10), (x, side * y, 0.065), ALONG_Y)
            parts.append(painted(tyre, "wheel", RUBBER))
            parts.append(rod([(x, side * y, 0.06), (x, side * y, 0.17)], 0.02, "wire", ZINC))
    bar = moved(meshes.cylinder(0.03, 0.56, 10), (-0.53, 0, 1.0), ALONG_Y)
    parts.append(painted(bar, "paint"))
    flap = meshes.turn((0.0, 1.0, 0.0), -0.22)
    parts.append(board((0.02, 0.4, 0.2), (-0.4, 0, 0.74), "paint", (0.8, 0.1, 0.1), flap))
    return parts


def bicycle_lying(size_m: Vector3, look: Look) -> Solids:
    """A bicycle on its side."""
    return filling(size_m, _lying_bicycle(), paint=look.colour or look.pick(PAINTS))


@lru_cache(maxsize=1)
def _lying_bicycle() -> Mesh:
    return moved(vehicles.bicycle(), rotation=meshes.turn((1.0, 0.0, 0.0), 1.38))


def hay_bale(size_m: Vector3, look: Look) -> Solids:
    """A round bale of hay that lies along y."""
    return filling(size_m, _bale(look.seed % 4))


@lru_cache(maxsize=4)
def _bale(seed: int) -> Mesh:
    """Rolled layers show at its ends as rings, and lines of straw and net round it."""
    rng = np.random.default_rng(seed)
    tones: tuple[Colour, ...] = ((0.8, 0.66, 0.34), (0.7, 0.55, 0.26), (0.88, 0.76, 0.46))
    bands, sides = 12, 20
    edges = np.linspace(-0.5, 0.5, bands + 1)
    bulge = 0.5 * (1 - 0.35 * (2 * edges) ** 8)
    rings = [
        np.column_stack(
            [meshes.circle(sides, r) * (1 + rng.normal(0, 0.012, (sides, 1))), np.full(sides, z)]
        )
        for r, z in zip(bulge, edges, strict=True)
    ]
    which = rng.integers(0, 3, (bands, sides))
    skin = meshes.loft(
        np.array(rings),
        tones[0],
        "straw",
        capped=False,
        roles={"straw1": (tones[1], which == 1), "straw2": (tones[2], which == 2)},
    )
    parts = [skin]
    for k, share in enumerate(np.linspace(1, 0.15, 7).tolist()):
        for end in (-1, 1):
            turned = meshes.UPRIGHT if end > 0 else meshes.turn((1.0, 0.0, 0.0), math.pi)
            ring = moved(meshes.disc(0.43 * share, 18), (0, 0, end * (0.5 + 0.002 * k)), turned)
            tone = (tones[1], tones[2])[k % 2]
            parts.append(painted(ring, f"layer{k % 2}", tone))
    return shaded(moved(join(parts), rotation=ALONG_Y), 0.62, 1.0)


def oil_drum(size_m: Vector3, look: Look) -> Solids:
    """A steel drum that lies along x, with a warning on its side."""
    return filling(size_m, _drum(), 0.4, paint=look.colour or look.pick(BRIGHT))


@lru_cache(maxsize=1)
def _drum() -> Mesh:
    profile = [(0.285, -0.45), (0.285, -0.15)]
    profile += [(0.3, -0.14), (0.3, -0.12), (0.285, -0.11), (0.285, 0.11)]
    profile += [(0.3, 0.12), (0.3, 0.14), (0.285, 0.15), (0.285, 0.45)]
    parts = [painted(meshes.lathe(profile, 20), "paint")]
    for end in (-1, 1):
        rim = moved(meshes.cylinder(0.3, 0.03, 20), (0, 0, 0.445 * end))
        lid = moved(meshes.cylinder(0.27, 0.032, 20), (0, 0, 0.446 * end))
        parts += [
            painted(shaded(rim, 0.6, 0.6), "paint"),
            painted(shaded(lid, 0.8, 0.8), "paint"),
        ]
    parts.append(painted(moved(meshes.cylinder(0.05, 0.03, 10), (0.14, 0, 0.46)), "cap", ZINC))
    drum = moved(join(parts), (0, 0, 0.3), ALONG_X)
    marks = []
    for turned in range(3):
        diamond = moved(meshes.box((0.2, 0.2, 0.01)), (0, 0, 0.292), meshes.turn_z(math.pi / 4))
        round_x = meshes.turn((1.0, 0.0, 0.0), 2.1 * turned + 0.9)
        marks.append(painted(moved(diamond, (0, 0, 0.3), round_x), "mark", (0.98, 0.84, 0.2)))
    return join([drum, *marks])


MAKERS: Mapping[str, Maker] = {
    "ball": ball,
    "mattress": mattress,
    "sofa": sofa,
    "suitcase": suitcase,
    "shopping_trolley": shopping_trolley,
    "bicycle_lying": bicycle_lying,
    "hay_bale": hay_bale,
    "oil_drum": oil_drum,
}
