# SPDX-License-Identifier: GPL-3.0-or-later
"""Procedural solids: faces are collected as numbers and become one Blender mesh."""

import math
from collections.abc import Sequence

import bpy
import numpy as np

Point = tuple[float, float, float]


class Build:
    """Faces with a material slot each and texture coordinates in metres."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.faces: list[tuple[int, ...]] = []
        self.slots: list[int] = []
        self.uvs: list[tuple[float, float]] = []
        self.smooth: list[bool] = []
        self.materials: list[bpy.types.Material] = []
        self._slot_of: dict[str, int] = {}

    def slot(self, material: bpy.types.Material) -> int:
        """The slot of a material, new at its first use."""
        if material.name not in self._slot_of:
            self._slot_of[material.name] = len(self.materials)
            self.materials.append(material)
        return self._slot_of[material.name]

    def face(
        self,
        points: Sequence[Point],
        material: bpy.types.Material,
        uvs: Sequence[tuple[float, float]] | None = None,
        smooth: bool = False,
    ) -> None:
        """A flat face; without `uvs` they follow the face's larger directions."""
        base = len(self.points)
        self.points += points
        self.faces.append(tuple(range(base, base + len(points))))
        self.slots.append(self.slot(material))
        self.smooth.append(smooth)
        self.uvs += uvs or _flat_uvs(points)

    def box(
        self,
        centre: Point,
        size: Point,
        material: bpy.types.Material,
        yaw: float = 0.0,
        top: bpy.types.Material | None = None,
    ) -> None:
        """An upright box."""
        cos, sin = math.cos(yaw), math.sin(yaw)
        half, w, h = (0.5 * s for s in size)

        def at(x: float, y: float, z: float) -> Point:
            return (
                centre[0] + cos * x * half - sin * y * w,
                centre[1] + sin * x * half + cos * y * w,
                centre[2] + z * h,
            )

        sides = (
            ((1, -1), (1, 1)),
            ((1, 1), (-1, 1)),
            ((-1, 1), (-1, -1)),
            ((-1, -1), (1, -1)),
        )
        for a, b in sides:
            wide = 2 * (w if a[0] == b[0] else half)
            uv = [(0, 0), (wide, 0), (wide, 2 * h), (0, 2 * h)]
            self.face([at(*a, -1), at(*b, -1), at(*b, 1), at(*a, 1)], material, uv)
        flat = [(0, 0), (2 * half, 0), (2 * half, 2 * w), (0, 2 * w)]
        lid = [at(-1, -1, 1), at(1, -1, 1), at(1, 1, 1), at(-1, 1, 1)]
        self.face(lid, top or material, flat)
        self.face([at(-1, 1, -1), at(1, 1, -1), at(1, -1, -1), at(-1, -1, -1)], material, flat)

    def lathe(
        self,
        profile: Sequence[tuple[float, float]],
        material: bpy.types.Material,
        centre: Point = (0, 0, 0),
        sides: int = 20,
        turn: np.ndarray | None = None,
        smooth: bool = True,
    ) -> None:
        """A solid of revolution about z: `profile` is (radius, height) from below to above."""
        angle = np.arange(sides) * 2 * math.pi / sides
        ring = np.stack([np.cos(angle), np.sin(angle)], -1)
        base = len(self.points)
        points = np.concatenate(
            [np.column_stack([ring * r, np.full(sides, z)]) for r, z in profile]
        )
        if turn is not None:
            points = points @ turn.T
        self.points += [tuple(p) for p in (points + np.asarray(centre)).tolist()]
        number = self.slot(material)
        for k in range(len(profile) - 1):
            for i in range(sides):
                j = (i + 1) % sides
                a, b = base + k * sides, base + (k + 1) * sides
                self._add((a + i, a + j, b + j, b + i), number, smooth, i / sides, profile[k][1])
        self._add(tuple(base + i for i in reversed(range(sides))), number, False, 0, 0)
        top = base + (len(profile) - 1) * sides
        self._add(tuple(top + i for i in range(sides)), number, False, 0, 0)

    def _add(self, face: tuple[int, ...], slot: int, smooth: bool, u: float, v: float) -> None:
        self.faces.append(face)
        self.slots.append(slot)
        self.smooth.append(smooth)
        self.uvs += [(u * 3 + 0.1 * (k in (1, 2)), v + 0.1 * (k > 1)) for k in range(len(face))]

    def tube(
        self, path: Sequence[Point], radius: float, material: bpy.types.Material, sides: int = 8
    ) -> None:
        """A round tube along a path."""
        points = np.asarray(path, float)
        along = np.gradient(points, axis=0)
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
        base, number = len(self.points), self.slot(material)
        for p, d in zip(points, along, strict=True):
            side = np.cross(d, (0.0, 0.0, 1.0))
            if np.linalg.norm(side) < 1e-3:
                side = np.cross(d, (1.0, 0.0, 0.0))
            side /= np.linalg.norm(side)
            up = np.cross(side, d)
            for i in range(sides):
                a = 2 * math.pi * i / sides
                q = p + radius * (math.cos(a) * side + math.sin(a) * up)
                self.points.append(tuple(q.tolist()))
        for k in range(len(points) - 1):
            for i in range(sides):
                j = (i + 1) % sides
                a, b = base + k * sides, base + (k + 1) * sides
                self._add((a + i, a + j, b + j, b + i), number, True, i / sides, 0.05 * k)
        self._add(tuple(base + i for i in reversed(range(sides))), number, False, 0, 0)
        last = base + (len(points) - 1) * sides
        self._add(tuple(last + i for i in range(sides)), number, False, 0, 0)

    def sheet(
        self, x: np.ndarray, y: np.ndarray, z: np.ndarray, material: bpy.types.Material
    ) -> None:
        """A height field: x (m), y (n) and z (m, n), or all of them (m, n); smooth."""
        if x.ndim == 1:
            x, y = np.meshgrid(x, y, indexing="ij")
        rows, columns = z.shape
        base, number = len(self.points), self.slot(material)
        flat = np.stack([x, y, z], -1).reshape(-1, 3)
        self.points += [tuple(p) for p in flat.tolist()]
        for i in range(rows - 1):
            for j in range(columns - 1):
                a = i * columns + j
                quad = (a, a + columns, a + columns + 1, a + 1)
                self.faces.append(tuple(base + q for q in quad))
                self.slots.append(number)
                self.smooth.append(True)
                self.uvs += [(flat[q, 0], flat[q, 1]) for q in quad]

    def blob(
        self, outline_m: np.ndarray, material: bpy.types.Material, z: float, dome: float = 0.0
    ) -> None:
        """A flat or domed patch round the origin with this outline, (n, 2) metres."""
        count, outline = len(outline_m), outline_m
        rings = (1.0, 0.93, 0.8, 0.6, 0.35) if dome else (1.0,)
        base, number = len(self.points), self.slot(material)
        for ring in rings:
            height = z + dome * math.sqrt(max(1 - ring**2, 0.0))
            self.points += [(x * ring, y * ring, height) for x, y in outline.tolist()]
        for k in range(len(rings) - 1):
            for i in range(count):
                j = (i + 1) % count
                a, b = base + k * count, base + (k + 1) * count
                quad = (a + i, a + j, b + j, b + i)
                self.faces.append(quad)
                self.slots.append(number)
                self.smooth.append(True)
                self.uvs += [self.points[q][:2] for q in quad]
        top = base + (len(rings) - 1) * count
        self.faces.append(tuple(top + i for i in range(count)))
        self.slots.append(number)
        self.smooth.append(bool(dome))
        self.uvs += [self.points[top + i][:2] for i in range(count)]

    def mesh(self, name: str) -> bpy.types.Mesh:
        """All of it as one mesh."""
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata(self.points, [], self.faces)
        layer = mesh.uv_layers.new(name="uv")
        layer.data.foreach_set("uv", np.asarray(self.uvs, np.float32).ravel())
        for material in self.materials:
            mesh.materials.append(material)
        mesh.polygons.foreach_set("material_index", np.asarray(self.slots, np.int32))
        mesh.polygons.foreach_set("use_smooth", np.asarray(self.smooth, bool))
        mesh.update()
        return mesh


def _flat_uvs(points: Sequence[Point]) -> list[tuple[float, float]]:
    p = np.asarray(points, float)
    normal = np.abs(np.cross(p[1] - p[0], p[-1] - p[0]))
    if normal[2] >= max(normal[0], normal[1]):
        keep = (0, 1)
    else:
        keep = (0, 2) if normal[1] > normal[0] else (1, 2)
    return [tuple(q) for q in p[:, keep].tolist()]


def outline(rng: np.random.Generator, size: tuple[float, float], rough: float = 0.18) -> np.ndarray:
    """A natural outline for `Build.blob` that fills a rectangle of this length and width."""
    count = 48
    angle = np.arange(count) * 2 * math.pi / count
    wave = np.ones(count)
    for k in range(2, 9):
        amount, shift = rough / k**0.8 * rng.uniform(0.4, 1.3), rng.uniform(0, 2 * math.pi)
        wave += amount * np.cos(k * angle + shift)
    points = np.stack([np.cos(angle) * wave, np.sin(angle) * wave], -1)
    points = (points - points.min(0)) / np.ptp(points, axis=0) - 0.5
    return points * np.asarray(size)
