"""People on foot who carry, push or wear what tells them apart."""

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from hartsim.types import Vector3
from hartsim.worlds import figures, meshes
from hartsim.worlds.fitting import fitted
from hartsim.worlds.looks import CLOTHES, HAIRS, SKINS, TROUSERS, Look, Maker
from hartsim.worlds.meshes import join, moved, painted, tube
from hartsim.worlds.solids import darker
from hartsim.worlds.stage import Colour, Mesh, Solid

GREYS: tuple[Colour, ...] = ((0.82, 0.81, 0.79), (0.7, 0.69, 0.68), (0.9, 0.89, 0.87))
COATS: tuple[Colour, ...] = (
    (0.44, 0.36, 0.29),
    (0.3, 0.32, 0.36),
    (0.5, 0.22, 0.22),
    (0.62, 0.57, 0.47),
)
VESTS: tuple[Colour, ...] = ((0.98, 0.4, 0.05), (0.85, 0.95, 0.1))
SPORTS: tuple[Colour, ...] = ((0.95, 0.25, 0.3), (0.1, 0.6, 0.85), (0.75, 0.9, 0.15))
METAL: Colour = (0.6, 0.61, 0.63)
DARK: Colour = (0.1, 0.1, 0.11)
WOOD: Colour = (0.55, 0.38, 0.22)
STEEL: Colour = (0.4, 0.42, 0.44)


def dressed(look: Look, **worn: Colour) -> dict[str, Colour]:
    """Colours of one person: clothes, skin and hair by the look's seed, and what is named."""
    return {
        "top": look.colour or look.pick(CLOTHES),
        "bottom": look.pick(TROUSERS, 1),
        "skin": look.pick(SKINS, 2),
        "hair": look.pick(HAIRS, 3),
        **worn,
    }


def jogger(size_m: Vector3, look: Look) -> list[Solid]:
    """A runner in shorts and a singlet, with a headband."""
    wears = ("shorts", "bare_arms", "headband")
    mesh = figures.person("jogging", detail=look.detail, wears=wears)
    shoes = look.pick(SPORTS, 3)
    return fitted(mesh, size_m, dressed(look, bottom=DARK, shoes=shoes, band=shoes))


def elderly_pedestrian(size_m: Vector3, look: Look) -> list[Solid]:
    """An old person in a coat, bent over a walking stick."""
    coat = look.colour or look.pick(COATS, 1)
    colours = dressed(look, top=coat, coat=coat, hair=look.pick(GREYS, 2))
    return fitted(_with_stick(look.detail), size_m, colours)


@lru_cache(maxsize=4)
def _with_stick(detail: int) -> Mesh:
    x, y, z = _hand("with_stick")
    crook = [(x - 0.1, y, z - 0.02), (x - 0.06, y, z + 0.04), (x, y, z + 0.03)]
    stick = tube([*crook, (x + 0.03, y, 0.5), (x + 0.06, y, 0.0)], 0.02, 6)
    body = figures.person("with_stick", detail=detail, wears=("coat",))
    return join([body, painted(stick, "stick", WOOD)])


def _hand(gait: str) -> Vector3:
    """Where the right hand of a gait holds something."""
    hand = figures.GAITS[gait].right_hand
    assert hand is not None
    return hand


def umbrella_pedestrian(size_m: Vector3, look: Look) -> list[Solid]:
    """Someone under an open umbrella."""
    canopy = look.colour or look.pick(CLOTHES)
    panel = darker(canopy, 0.6)
    colours = dressed(look, top=look.pick(CLOTHES, 2), canopy=canopy, panel=panel)
    return fitted(_with_umbrella(look.detail), size_m, colours)


@lru_cache(maxsize=4)
def _with_umbrella(detail: int) -> Mesh:
    x, y, z = _hand("with_umbrella")
    tip = (x - 0.08, y + 0.08, 2.2)
    parts = [figures.person("with_umbrella", detail=detail)]
    parts.append(painted(tube([(x, y, z - 0.12), tip], 0.014, 6), "shaft", METAL))
    parts.append(moved(_canopy(), (tip[0], tip[1], 0.0)))
    return join(parts)


def _canopy() -> Mesh:
    """Eight gores of an umbrella, every other one darker, open below."""
    profile = [(0.02, 2.16), (0.3, 2.1), (0.5, 1.97), (0.6, 1.8)]
    rings = [np.column_stack([meshes.circle(16, r), np.full(16, z)]) for r, z in profile]
    stripes = np.tile(np.arange(16) // 2 % 2 == 1, (len(profile) - 1, 1))
    roles = {"panel": ((0.5, 0.1, 0.1), stripes)}
    top = meshes.loft(
        np.stack(rings), (0.8, 0.2, 0.2), "canopy", capped=False, crease_deg=30, roles=roles
    )
    top = top if top.normals[..., 2].sum() > 0 else meshes.inside_out(top)
    return join([top, painted(meshes.inside_out(top), "panel")])


def construction_worker(size_m: Vector3, look: Look) -> list[Solid]:
    """A worker with helmet, safety vest and shovel."""
    vest = look.pick(VESTS)
    colours = dressed(look, top=(0.22, 0.25, 0.34), vest=vest, bottom=vest)
    return fitted(_with_shovel(look.detail), size_m, colours)


@lru_cache(maxsize=4)
def _with_shovel(detail: int) -> Mesh:
    wears = ("vest", "bands", "hard_hat")
    shaft = tube([(0.1, -0.42, 1.18), (0.78, 0.36, 0.26)], 0.018, 6)
    grip = tube([(0.04, -0.36, 1.18), (0.16, -0.48, 1.18)], 0.02, 6)
    turned = meshes.turn((0.66, -0.75, 0.0), 2.2)
    blade = moved(meshes.box((0.26, 0.22, 0.03), 0.01), (0.86, 0.44, 0.14), turned)
    return join(
        [
            figures.person("digging", detail=detail, wears=wears),
            painted(join([shaft, grip]), "shaft", WOOD),
            painted(blade, "blade", STEEL),
        ]
    )


def police_officer(size_m: Vector3, look: Look) -> list[Solid]:
    """An officer in a yellow vest and a white cap, one arm up and one stretched out."""
    mesh = figures.person("directing", detail=look.detail, wears=("vest", "peaked_cap"))
    uniform: Colour = (0.11, 0.14, 0.27)
    colours = dressed(look, top=uniform, bottom=uniform, vest=VESTS[1])
    return fitted(mesh, size_m, colours)


CROWD = (
    (0.05, 0.02, 0.0, "walking", False),
    (-0.62, 0.62, 0.3, "standing", False),
    (0.66, -0.62, -0.25, "walking", False),
    (-0.55, -0.72, 0.15, "walking", True),
    (0.4, 1.1, -0.4, "walking", False),
    (-0.02, -1.12, 0.1, "standing", False),
)
"""Where each of a crowd stands, where it faces, how it walks, and whether it is a child."""


def crowd(size_m: Vector3, look: Look) -> list[Solid]:
    """Six people walking together, each dressed by a seed of their own."""
    length, width, height = size_m
    solids = []
    for number, (x, y, heading, gait, child) in enumerate(CROWD):
        own = Look(None, look.lights_on, look.seed + 3 * number, look.detail)
        mesh = figures.person(gait, child, number == 2, number == 4, min(own.detail, 2))
        scale = height / 1.74 * (0.72 if child else 1.0 - 0.02 * number)
        at = (x * length / 2.2, y * width / 2.8, 0.0)
        solids.append(
            Solid(
                "mesh",
                None,
                at,
                meshes.turn_z(heading),
                mesh=mesh,
                colours=dressed(own),
                scale=scale,
            )
        )
    return solids


def pushchair(size_m: Vector3, look: Look) -> list[Solid]:
    """Someone who pushes a pushchair with a baby in it."""
    hood = look.pick(SPORTS, 2)
    return fitted(_with_pushchair(look.detail), size_m, dressed(look, hood=hood))


@lru_cache(maxsize=4)
def _with_pushchair(detail: int) -> Mesh:
    return join([figures.person("pushing", detail=detail), moved(_chair(), (0.95, 0.0, 0.0))])


def _chair() -> Mesh:
    """A pushchair about the middle of its wheels: frame, seat, hood and a baby."""
    parts = []
    for side in (0.24, -0.24):
        frame = [(-0.44, side * 0.8, 1.0), (-0.2, side, 0.72), (0.38, side, 0.14)]
        parts.append(painted(tube(frame, 0.02, 6), "frame", METAL))
        parts.append(painted(tube([(-0.3, side, 0.14), (0.08, side, 0.46)], 0.018, 6), "frame"))
        for x in (-0.3, 0.38):
            parts.append(wheel((x, side, 0.14), 0.14, 0.05))
    parts.append(painted(tube([(-0.44, 0.2, 1.0), (-0.44, -0.2, 1.0)], 0.025, 6), "grip", DARK))
    seat = [(-0.2, 0, 0.86), (-0.1, 0, 0.5), (0.14, 0, 0.42), (0.36, 0, 0.32)]
    parts.append(painted(tube(seat, (0.12, 0.2, 0.19, 0.12), 8, flat=1.1), "seat", DARK))
    parts.append(painted(_hood(), "hood", SPORTS[0]))
    head = moved(meshes.sphere(0.09, 9, 6), (0.02, 0.0, 0.78))
    blanket = moved(meshes.sphere(0.5, 9, 6), (0.12, 0, 0.56), scale=(0.42, 0.32, 0.24))
    parts += [painted(head, "skin", figures.SKIN), painted(blanket, "blanket", (0.9, 0.88, 0.8))]
    return join(parts)


def _hood() -> Mesh:
    """A folding hood over the head of a pushchair's seat, closed at its sides."""
    edge = [(-0.2 - 0.3 * math.cos(a), 0.74 + 0.3 * math.sin(a)) for a in np.linspace(0.1, 2.3, 7)]
    widths = ((-0.25, 0.0), (-0.25, 1.0), (0.25, 1.0), (0.25, 0.0))
    rings = [
        [(-0.2 + (x + 0.2) * out, y, 0.74 + (z - 0.74) * out) for y, out in widths] for x, z in edge
    ]
    shell = meshes.loft(np.array(rings), capped=False, closed=False, crease_deg=50)
    return join([shell, meshes.inside_out(shell)])


def wheel(at: Vector3, radius: float, width: float) -> Mesh:
    """A small upright wheel with a rim, in the x-z plane."""
    lying = meshes.turn((1.0, 0.0, 0.0), math.pi / 2)
    tyre = painted(meshes.cylinder(radius, width, 12), "tyre", (0.07, 0.07, 0.075))
    rim = painted(meshes.cylinder(radius * 0.55, width * 1.15, 8), "rim", METAL)
    return moved(join([tyre, rim]), at, lying)


MAKERS: Mapping[str, Maker] = {
    "jogger": jogger,
    "elderly_pedestrian": elderly_pedestrian,
    "pushchair": pushchair,
    "construction_worker": construction_worker,
    "police_officer": police_officer,
    "crowd": crowd,
    "umbrella_pedestrian": umbrella_pedestrian,
}
"""How each of these kinds is made."""
