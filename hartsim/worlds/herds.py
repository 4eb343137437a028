"""Animals that come in groups, and those that stand on two legs."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from hartsim.types import Vector3
from hartsim.worlds import meshes
from hartsim.worlds.figures import grounded
from hartsim.worlds.fitting import fitted
from hartsim.worlds.looks import Look, Maker
from hartsim.worlds.meshes import join, moved, painted, shaded, tube
from hartsim.worlds.quadrupeds import oval, smooth
from hartsim.worlds.species import animal
from hartsim.worlds.stage import Colour, Mesh, Solid

BEAK: Colour = (0.93, 0.5, 0.1)
GEESE: tuple[Colour, ...] = ((0.93, 0.93, 0.9), (0.5, 0.46, 0.41))
FLEECES: tuple[Colour, ...] = ((0.9, 0.87, 0.79), (0.84, 0.8, 0.7), (0.93, 0.91, 0.86))
KANGAROOS: tuple[Colour, ...] = ((0.6, 0.42, 0.28), (0.5, 0.44, 0.38))

Member = tuple[float, float, float, float]
"""Where one of a group stands (x, y), where it faces in radians, and its share of full size."""

FLOCK: tuple[Member, ...] = (
    (0.0, 0.02, 0.15, 1.0),
    (0.98, -0.72, -0.2, 0.96),
    (0.9, 0.74, 0.35, 0.92),
    (-0.98, 0.78, -0.3, 1.0),
    (-0.92, -0.78, 0.25, 0.94),
)
GAGGLE: tuple[Member, ...] = (
    (0.02, 0.0, 0.1, 1.0),
    (0.58, -0.5, -0.2, 0.94),
    (0.5, 0.52, 0.4, 0.9),
    (-0.6, 0.56, -0.1, 1.0),
    (-0.55, -0.54, 0.3, 0.92),
)


def sheep_flock(size_m: Vector3, look: Look) -> list[Solid]:
    """Five sheep close together."""
    return _group(animal("sheep"), FLOCK, size_m, (3.4, 2.5, 0.99), look, FLEECES, "fur")


def geese(size_m: Vector3, look: Look) -> list[Solid]:
    """Five geese waddling along."""
    plumage = (GEESE[look.seed % len(GEESE)],)
    return _group(goose(), GAGGLE, size_m, (2.0, 1.5, 0.84), look, plumage, "feathers")


def _group(
    mesh: Mesh,
    members: Sequence[Member],
    size_m: Vector3,
    model_m: Vector3,
    look: Look,
    colours: tuple[Colour, ...],
    role: str,
) -> list[Solid]:
    """Copies of an animal in their places, as large together as the box; `model_m` is theirs."""
    stretch = tuple(a / b for a, b in zip(size_m, model_m, strict=True))
    solids = []
    for number, (x, y, heading, share) in enumerate(members):
        colour = {role: look.pick(colours, number)}
        at = (x * stretch[0], y * stretch[1], 0.0)
        scale = share * stretch[2]
        turned = meshes.turn_z(heading)
        solids.append(Solid("mesh", None, at, turned, mesh=mesh, colours=colour, scale=scale))
    return solids


@lru_cache(maxsize=1)
def goose() -> Mesh:
    """A goose, 0.84 m tall, its neck upright."""
    body = smooth(
        [(-0.42, 0, 0.46), (-0.28, 0, 0.4), (0.0, 0, 0.36), (0.2, 0, 0.4), (0.3, 0, 0.48)], 2
    )
    trunk = oval(body, (0.02, 0.06, 0.11, 0.15, 0.165, 0.165, 0.14, 0.1, 0.06), 9, 0.9)
    neck = smooth([(0.22, 0, 0.44), (0.3, 0, 0.58), (0.3, 0, 0.72), (0.34, 0, 0.79)], 2)
    throat = tube(neck, (0.1, 0.08, 0.055, 0.05, 0.045, 0.045, 0.05), 7)
    head = moved(meshes.sphere(0.5, 8, 5), (0.36, 0, 0.79), scale=(0.14, 0.09, 0.1))
    beak = tube([(0.41, 0, 0.785), (0.5, 0, 0.765)], (0.035, 0.012), 6)
    parts = [
        shaded(painted(join([trunk, throat, head]), "feathers", GEESE[0]), 0.75, 1.02),
        painted(beak, "beak", BEAK),
    ]
    for side, ahead in ((1, 0.06), (-1, -0.06)):
        wing = moved(meshes.icosphere(1), (-0.08, 0.12 * side, 0.42), scale=(0.46, 0.09, 0.2))
        leg = tube([(0.0, 0.06 * side, 0.26), (ahead, 0.07 * side, 0.03)], 0.022, 5)
        foot = moved(meshes.box((0.13, 0.1, 0.025)), (ahead + 0.04, 0.07 * side, 0.013))
        parts += [
            painted(wing, "wing", (0.72, 0.71, 0.68)),
            painted(join([leg, foot]), "beak", BEAK),
            painted(
                moved(meshes.icosphere(0, 0.014), (0.38, 0.04 * side, 0.81)), "eye", (0.05,) * 3
            ),
        ]
    return grounded(join(parts))


def kangaroo(size_m: Vector3, look: Look) -> list[Solid]:
    """A kangaroo standing upright on its tail."""
    fur = look.pick(KANGAROOS)
    return fitted(_kangaroo(), size_m, {"fur": fur})


@lru_cache(maxsize=1)
def _kangaroo() -> Mesh:
    """A kangaroo, 1.55 m tall."""
    trunk = smooth(
        [(-0.2, 0, 0.46), (-0.1, 0, 0.58), (0.06, 0, 0.84), (0.2, 0, 1.08), (0.27, 0, 1.2)]
    )
    girth = smooth([(0.1, 0, 0), (0.25, 0, 0), (0.2, 0, 0), (0.15, 0, 0), (0.09, 0, 0)])[:, 0]
    neck = [(0.24, 0, 1.14), (0.29, 0, 1.28), (0.32, 0, 1.36)]
    skull = [(0.24, 0, 1.4), (0.34, 0, 1.4), (0.45, 0, 1.34), (0.52, 0, 1.32)]
    tail = smooth([(-0.16, 0, 0.48), (-0.4, 0, 0.28), (-0.66, 0, 0.09), (-1.0, 0, 0.05)])
    fat = smooth([(0.14, 0, 0), (0.1, 0, 0), (0.07, 0, 0), (0.025, 0, 0)])[:, 0]
    body = [
        oval(trunk, girth, 11, 0.85),
        tube(neck, (0.1, 0.075, 0.065), 8),
        tube(skull, (0.055, 0.08, 0.05, 0.03), 8),
        tube(tail, fat, 8),
    ]
    for side in (1, -1):
        y = 0.17 * side
        body += [
            tube([(-0.08, y * 0.8, 0.58), (0.16, y, 0.46), (0.2, y, 0.4)], (0.17, 0.11, 0.07), 9),
            tube([(0.2, y, 0.42), (-0.12, y, 0.24), (-0.14, y, 0.08)], (0.075, 0.05, 0.045), 7),
            tube([(-0.18, y, 0.05), (0.1, y, 0.045), (0.3, y, 0.03)], (0.05, 0.045, 0.03), 7),
            tube(
                [(0.22, 0.1 * side, 1.06), (0.36, 0.13 * side, 0.92), (0.46, 0.09 * side, 0.96)],
                (0.05, 0.035, 0.026),
                6,
            ),
        ]
    parts = [shaded(painted(join(body), "fur", KANGAROOS[0]), 0.72, 1.02)]
    belly = moved(
        meshes.sphere(0.5, 9, 6), (0.1, 0, 0.74), meshes.turn((0, 1, 0), 0.5), (0.3, 0.28, 0.56)
    )
    parts.append(painted(belly, "belly", (0.82, 0.72, 0.6)))
    for side in (1, -1):
        tilt = meshes.turn((1.0, 0.0, 0.0), -0.25 * side)
        ear = moved(meshes.icosphere(1), (0.27, 0.06 * side, 1.54), tilt, (0.05, 0.08, 0.24))
        eye = moved(meshes.icosphere(0, 0.025), (0.37, 0.06 * side, 1.43))
        parts += [painted(ear, "ear", (0.42, 0.3, 0.22)), painted(eye, "eye", (0.05, 0.05, 0.05))]
    nose = moved(meshes.icosphere(0, 0.03), (0.54, 0, 1.325))
    return grounded(join([*parts, painted(nose, "eye", (0.05, 0.05, 0.05))]))


MAKERS: Mapping[str, Maker] = {
    "sheep_flock": sheep_flock,
    "geese": geese,
    "kangaroo": kangaroo,
}
"""How each of these kinds is made."""
