import numpy as np
import pytest

from hartsim.types import Pose
from hartsim.worlds import forms, meshes
from hartsim.worlds import tabletop_meshes as library
from hartsim.worlds.stage import Solid

CLOSED = {
    **{name: lambda name=name: library.turned(name) for name in library.PROFILES if name != "band"},
    **{name: lambda name=name: library.slab(name) for name in library.OUTLINES},
    "puddle": lambda: library.puddle(1),
    "cable": lambda: library.cable(2),
    "right hand": lambda: library.hand("right"),
    "left hand": lambda: library.hand("left"),
    "banana": library.banana,
    "ring": lambda: library.ring(0.2),
}
TILTED = (0.5, 0.5, 0.5, 0.5)


def volume(mesh):
    a, b, c = np.moveaxis(mesh.vertices.astype(float), 1, 0)
    return np.einsum("fi,fi->", a, np.cross(b, c)) / 6


@pytest.mark.parametrize("name", sorted(CLOSED))
def test_meshes_face_outward_and_fill_the_unit_cube(name):
    mesh = CLOSED[name]()
    assert volume(mesh) > 0
    low, high = meshes.bounds(mesh)
    assert low == pytest.approx([-0.5] * 3, abs=1e-4)
    assert high == pytest.approx([0.5] * 3, abs=1e-4)


@pytest.mark.parametrize("shape", ["box", "sphere", "cylinder", "cone", "capsule", "mesh"])
def test_solids_are_placed_like_meshes_that_are_moved(shape):
    mesh = library.turned("mug") if shape == "mesh" else None
    solid = Solid(shape, (0.1, 0.1, 0.3), (1.0, 2.0, 3.0), TILTED, mesh=mesh)
    [spot] = forms.place([solid], [Pose((5.0, 0.0, 0.0), 0.7)])
    turned = meshes.moved(spot.mesh, rotation=TILTED)
    sized = forms.sized(solid).reshape(-1, 3) @ meshes.matrix_of(TILTED).T + (1.0, 2.0, 3.0)
    there = sized @ meshes.matrix_of(meshes.turn_z(0.7)).T + (5.0, 0.0, 0.0)
    assert spot.vertices.reshape(-1, 3) == pytest.approx(there, abs=1e-4)
    assert turned.vertices.shape == spot.normals.shape


@pytest.mark.parametrize("bevel_m", [0.0, 0.01, 0.5])
def test_a_box_keeps_its_size_whatever_its_bevel(bevel_m):
    corners = forms.sized(Solid("box", (0.2, 0.1, 0.05), bevel_m=bevel_m)).reshape(-1, 3)
    assert np.ptp(corners, axis=0) == pytest.approx([0.2, 0.1, 0.05], abs=1e-6)


def test_a_capsule_keeps_its_round_ends():
    corners = forms.sized(Solid("capsule", (0.1, 0.1, 0.6))).reshape(-1, 3)
    assert np.ptp(corners, axis=0)[2] == pytest.approx(0.6, abs=1e-5)
    ends = corners[np.abs(corners[:, 2]) > 0.2501]
    distance = np.hypot(np.hypot(ends[:, 0], ends[:, 1]), np.abs(ends[:, 2]) - 0.25)
    assert distance == pytest.approx(0.05, abs=1e-4)


def test_a_glint_faces_up():
    assert (library.glint(0).normals[..., 2] > 0.99).all()
