import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hartsim.worlds import animals, figures, hazards, meshes, scenery, vehicles

SOLIDS = {
    "box": meshes.box((2.0, 1.0, 0.5)),
    "bevelled box": meshes.box((2.0, 1.0, 0.5), 0.1),
    "sphere": meshes.sphere(),
    "cylinder": meshes.cylinder(),
    "capsule": meshes.capsule(),
    "cone": meshes.cone(),
    "blob": meshes.blob(3),
    "icosphere": meshes.icosphere(1),
    "tube": meshes.tube([(0, 0, 0), (1, 0, 0), (2, 1, 0)], 0.2),
}


def volume(mesh):
    a, b, c = np.moveaxis(mesh.vertices.astype(float), 1, 0)
    return np.einsum("ij,ij->", np.cross(a, b), c) / 6


@pytest.mark.parametrize("name", SOLIDS)
def test_solids_face_outward(name):
    assert volume(SOLIDS[name]) > 0


@pytest.mark.parametrize("name", SOLIDS)
def test_normals_have_unit_length_and_lean_the_way_their_face_does(name):
    mesh = SOLIDS[name]
    flat = np.cross(
        mesh.vertices[:, 1] - mesh.vertices[:, 0], mesh.vertices[:, 2] - mesh.vertices[:, 0]
    )
    assert np.allclose(np.linalg.norm(mesh.normals, axis=-1), 1, atol=1e-4)
    assert (np.einsum("ijk,ik->ij", mesh.normals, flat) > 0).all()


def test_a_box_has_the_volume_of_its_size():
    assert volume(SOLIDS["box"]) == pytest.approx(1.0)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.5, 2))
def test_moving_keeps_volume_up_to_the_scale(x, angle, scale):
    moved = meshes.moved(SOLIDS["cone"], (x, 1.0, -x), meshes.turn_z(angle), scale)
    assert volume(moved) == pytest.approx(volume(SOLIDS["cone"]) * scale**3, rel=1e-3)


def test_a_mirror_image_still_faces_outward():
    assert volume(meshes.mirrored_y(SOLIDS["blob"])) == pytest.approx(
        volume(SOLIDS["blob"]), rel=1e-4
    )


def test_joining_merges_roles_of_one_name():
    red, blue = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)
    box = meshes.box()
    joined = meshes.join(
        [
            meshes.painted(box, "paint", red),
            meshes.painted(box, "trim", blue),
            meshes.painted(box, "paint", blue),
        ]
    )
    assert joined.names == ("paint", "trim")
    assert joined.colours == (red, blue)
    assert (joined.roles == 0).sum() == 24


def test_textures_run_to_the_right_and_up_on_the_side_that_faces_the_ego():
    box = meshes.box((2.0, 2.0, 2.0))
    facing = (box.normals[..., 0] < -0.9).all(axis=1)
    corners, uv = box.vertices[facing].reshape(-1, 3), box.uv[facing].reshape(-1, 2)
    # the ego looks along x: its right is -y
    assert np.allclose(uv[:, 0], -corners[:, 1])
    assert np.allclose(uv[:, 1], corners[:, 2])


@pytest.mark.parametrize(
    ("model", "length_m", "height_m"),
    [
        (vehicles.car("sedan"), 4.6, 1.48),
        (vehicles.car("van"), 5.2, 2.3),
        (vehicles.bus(), 10.0, 3.1),
        (vehicles.truck(), 7.5, 3.2),
        (figures.person(), 1.0, 1.74),
        (animals.deer(antlers=False), 1.65, 1.7),
        (hazards.cone(), 0.4, 0.75),
        (scenery.street_lamp(), 2.1, 6.7),
    ],
    ids=["sedan", "van", "bus", "truck", "person", "deer", "cone", "lamp"],
)
def test_models_stand_on_the_ground_at_their_size(model, length_m, height_m):
    low, high = meshes.bounds(model)
    assert low[2] == pytest.approx(0, abs=0.03)
    assert high[2] == pytest.approx(height_m, rel=0.15)
    assert high[0] - low[0] == pytest.approx(length_m, rel=0.25)


@pytest.mark.parametrize("name", vehicles.SHAPES)
def test_what_is_far_away_is_modelled_with_fewer_triangles(name):
    counts = [len(vehicles.car(name, detail).vertices) for detail in range(4)]
    assert counts == sorted(counts)
    assert counts[0] < counts[3] / 4
