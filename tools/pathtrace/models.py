# SPDX-License-Identifier: GPL-3.0-or-later
"""Models as Blender meshes: read once a process, turned and scaled as the table says."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import bmesh
import bpy
import numpy as np

from tools.pathtrace.assets import Model, by_kind, checked_file, load_table

MAX_FACES = 24_000
"""Denser meshes are thinned: nothing more shows at the sizes that are drawn."""
SHINY_KINDS = frozenset({"car", "van", "truck", "bus", "motorcycle"})


@dataclass
class Store:
    """The models that were read so far."""

    folder: Path
    models: Mapping[str, Model] = field(
        default_factory=lambda: {model.name: model for model in load_table()}
    )
    meshes: dict[str, bpy.types.Mesh] = field(default_factory=dict)
    paints: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.kinds = by_kind(self.models.values())

    def mesh(self, name: str) -> bpy.types.Mesh:
        """The model, facing +x with its foot at z = 0 and its middle at the origin, in metres."""
        if name not in self.meshes:
            self.meshes[name] = self._read(self.models[name])
        return self.meshes[name]

    def paint_slot(self, name: str) -> int:
        """The material slot that a colour replaces."""
        self.mesh(name)
        return self.paints[name]

    def _read(self, model: Model) -> bpy.types.Mesh:
        before = set(bpy.data.objects)
        bpy.ops.wm.obj_import(
            filepath=str(checked_file(model, self.folder)), forward_axis="Y", up_axis="Z"
        )
        parts = [o for o in bpy.data.objects if o not in before and o.type == "MESH"]
        bpy.ops.object.select_all(action="DESELECT")
        for part in parts:
            part.select_set(True)
        bpy.context.view_layer.objects.active = parts[0]
        if len(parts) > 1:
            bpy.ops.object.join()
        whole = parts[0]
        faces = len(whole.data.polygons)
        if faces > MAX_FACES and "tree" not in model.kinds:
            thin = whole.modifiers.new("thin", "DECIMATE")
            thin.ratio = MAX_FACES / faces
            bpy.ops.object.modifier_apply(modifier="thin")
        mesh = whole.data
        mesh.transform(whole.matrix_world)
        _drop_doubled_faces(mesh)
        _mend_normals(mesh)
        _lay(mesh, model)
        mesh.name, mesh.use_fake_user = model.name, True
        for leftover in [o for o in bpy.data.objects if o not in before]:
            bpy.data.objects.remove(leftover)
        self.paints[model.name] = _fix_materials(mesh, model)
        return mesh


def _drop_doubled_faces(mesh: bpy.types.Mesh) -> None:
    """Remove faces that lie on others: some files hold each face twice, once from behind."""
    count = len(mesh.polygons)
    middles = np.empty(3 * count, np.float32)
    mesh.polygons.foreach_get("center", middles)
    middles = middles.reshape(-1, 3)
    step = max(float(np.ptp(middles, axis=0).max()), 1e-9) * 1e-6
    _, first = np.unique(np.round(middles / step).astype(np.int64), axis=0, return_index=True)
    doubled = np.setdiff1d(np.arange(count), first)
    if doubled.size == 0:
        return
    work = bmesh.new()
    work.from_mesh(mesh)
    work.faces.ensure_lookup_table()
    bmesh.ops.delete(work, geom=[work.faces[i] for i in doubled.tolist()], context="FACES_ONLY")
    work.to_mesh(mesh)
    work.free()


def _mend_normals(mesh: bpy.types.Mesh) -> None:
    """Where faces and their stored normals disagree, forget those and turn all faces outwards."""
    corners = np.empty(3 * len(mesh.loops), np.float32)
    mesh.corner_normals.foreach_get("vector", corners)
    faces = np.empty(3 * len(mesh.polygons), np.float32)
    mesh.polygons.foreach_get("normal", faces)
    starts = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("loop_start", starts)
    agree = (corners.reshape(-1, 3)[starts] * faces.reshape(-1, 3)).sum(axis=1)
    if (agree < 0).mean() < 0.02:
        return
    if "custom_normal" in mesh.attributes:
        mesh.attributes.remove(mesh.attributes["custom_normal"])
    work = bmesh.new()
    work.from_mesh(mesh)
    bmesh.ops.remove_doubles(work, verts=work.verts, dist=1e-5)
    bmesh.ops.recalc_face_normals(work, faces=work.faces)
    for face in work.faces:
        face.smooth = True
    work.to_mesh(mesh)
    work.free()


def _lay(mesh: bpy.types.Mesh, model: Model) -> None:
    """Turn, scale and centre the mesh in place."""
    points = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", points)
    points = points.reshape(-1, 3).astype(np.float64)
    if model.turn:
        points = points @ np.array(model.turn).reshape(3, 3).T
    # The files have y up and face +z; so z goes to x ahead, x to y left.
    points = points[:, [2, 0, 1]]
    length, width, height = model.size_m
    extent = np.maximum(np.ptp(points, axis=0), 1e-6)
    points = (points - points.min(axis=0) - 0.5 * extent) * (
        np.array([length, width, height]) / extent
    )
    yaw = math.radians(model.yaw_deg)
    turn = np.array([[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]])
    points[:, :2] = points[:, :2] @ turn.T
    points[:, 2] -= points[:, 2].min()
    mesh.vertices.foreach_set("co", points.astype(np.float32).ravel())
    mesh.update()


def _areas(mesh: bpy.types.Mesh) -> np.ndarray:
    """The surface of each material slot in square metres."""
    slots = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("material_index", slots)
    area = np.empty(len(mesh.polygons), np.float32)
    mesh.polygons.foreach_get("area", area)
    return np.bincount(slots, weights=area, minlength=len(mesh.materials))


def _fix_materials(mesh: bpy.types.Mesh, model: Model) -> int:
    """Give the file's old shading values a physical meaning; returns the slot of the body paint."""
    area = _areas(mesh) if mesh.materials else np.zeros(0)
    best, slot = -1.0, -1
    for index, material in enumerate(mesh.materials):
        if material is None or not material.use_nodes:
            continue
        shader = next((n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED"), None)
        if shader is None:
            continue
        _fix(shader, material, shiny=bool(SHINY_KINDS & set(model.kinds)))
        textured = shader.inputs["Base Color"].is_linked
        solid = shader.inputs["Alpha"].default_value > 0.95 and not textured
        if model.paint:
            if material.name.split(".")[0] == model.paint:
                slot = index
        elif (
            solid
            and area[index] > best
            and (max(shader.inputs["Base Color"].default_value[:3]) > 0.12)
        ):
            best, slot = float(area[index]), index
    return slot


def _fix(shader: bpy.types.Node, material: bpy.types.Material, shiny: bool) -> None:
    inputs = shader.inputs
    colour = inputs["Base Color"].default_value
    for channel in range(3):
        colour[channel] = min(max(colour[channel], 0.012), 0.82)
    if inputs["Alpha"].is_linked:
        return
    inputs["IOR"].default_value = 1.5
    inputs["Metallic"].default_value = 0.0
    for name in ("Emission Strength", "Transmission Weight"):
        if not inputs[name].is_linked:
            inputs[name].default_value = 0.0
    for name in ("Specular IOR Level", "Roughness"):
        for link in list(inputs[name].links):
            material.node_tree.links.remove(link)
    inputs["Specular IOR Level"].default_value = 0.5
    if inputs["Alpha"].default_value < 0.95:
        # Panes: dark and mirror-like, a little to be seen through.
        inputs["Alpha"].default_value = min(max(inputs["Alpha"].default_value, 0.35), 0.75)
        inputs["Roughness"].default_value = 0.04
        return
    rough = inputs["Roughness"].default_value
    inputs["Roughness"].default_value = min(max(rough, 0.22 if shiny else 0.35), 0.85)
