# SPDX-License-Identifier: GPL-3.0-or-later
"""Cycles materials: tiles of `surfaces` with wetness and snow, and plain ones by colour."""

from dataclasses import dataclass, field

import bpy
import numpy as np

from tools.pathtrace import surfaces

Rgb = tuple[float, float, float]
MANY = 900
"""So many materials are kept between scenes."""


@dataclass
class Palette:
    """The materials made so far; wetness and snow cover are a scene's."""

    images: dict[tuple[str, int], tuple[bpy.types.Image, bpy.types.Image]] = field(
        default_factory=dict
    )
    made: dict[str, bpy.types.Material] = field(default_factory=dict)
    wet: float = 0.0
    snow: float = 0.0

    def weather(self, wet: float, snow: float) -> None:
        """Set a scene's wetness and snow cover, in tenths; forget materials if they are many."""
        self.wet, self.snow = round(wet, 1), round(snow, 1)
        if len(self.made) > MANY:
            for material in self.made.values():
                bpy.data.materials.remove(material)
            self.made.clear()

    def plain(
        self,
        colour: Rgb,
        rough: float = 0.6,
        metal: float = 0.0,
        glow: float = 0.0,
        alpha: float = 1.0,
        coat: float = 0.0,
        glass: float = 0.0,
    ) -> bpy.types.Material:
        """One colour; `glow` is the strength of its own light, `glass` the share let through."""
        rough = round(rough * (1 - 0.55 * self.wet) if rough > 0.3 and glass == 0 else rough, 3)
        key = f"plain {[round(c, 3) for c in colour]} {rough} {metal} {glow} {alpha} {coat} {glass}"
        if key not in self.made:
            material, shader = _new(key)
            _set(shader, colour, rough, metal)
            shader.inputs["Alpha"].default_value = alpha
            shader.inputs["Coat Weight"].default_value = coat
            shader.inputs["Coat Roughness"].default_value = 0.03
            shader.inputs["Transmission Weight"].default_value = glass
            if glow:
                shader.inputs["Emission Color"].default_value = (*colour, 1)
                shader.inputs["Emission Strength"].default_value = glow
            self.made[key] = material
        return self.made[key]

    def tile(
        self,
        words: str,
        seed: int,
        tile_m: float,
        tint: Rgb = (1, 1, 1),
        ground: bool = False,
        bump: float = 1.0,
        gloss: float = 1.0,
    ) -> bpy.types.Material:
        """A seamless surface, `tile_m` wide; `ground` lets puddles and snow lie on it."""
        wet = round(self.wet if ground else 0.4 * self.wet, 2)
        snow = round(self.snow if ground else 0.0, 2)
        words = words.removeprefix("wet ") if ground else words
        key = f"tile {words} {seed} {tile_m} {tint} {ground} {bump} {gloss} {wet} {snow}"
        if key not in self.made:
            self.made[key] = self._tiled(
                key, words, seed, tile_m, tint, wet, snow, ground, bump, gloss
            )
        return self.made[key]

    def _pictures(self, words: str, seed: int) -> tuple[bpy.types.Image, bpy.types.Image]:
        if (words, seed) not in self.images:
            tile = surfaces.surface(words, seed, 512)
            detail = np.stack([0.5 + tile.height * 0.2, tile.rough, 0 * tile.rough], -1)
            self.images[words, seed] = (
                image(f"{words} {seed}", tile.colour ** (1 / 2.2), "sRGB"),
                image(f"{words} {seed} detail", detail, "Non-Color"),
            )
        return self.images[words, seed]

    def _tiled(
        self,
        key: str,
        words: str,
        seed: int,
        tile_m: float,
        tint: Rgb,
        wet: float,
        snow: float,
        ground: bool,
        bump: float,
        gloss: float,
    ) -> bpy.types.Material:
        material, shader = _new(key)
        tree = material.node_tree
        colour, detail = self._pictures(words, seed)
        coords = _node(tree, "ShaderNodeUVMap")
        scale = _node(tree, "ShaderNodeMapping")
        scale.inputs["Scale"].default_value = (1 / tile_m,) * 3
        tree.links.new(coords.outputs[0], scale.inputs[0])
        face = _node(tree, "ShaderNodeTexImage", image=colour)
        rest = _node(tree, "ShaderNodeTexImage", image=detail)
        for node in (face, rest):
            tree.links.new(scale.outputs[0], node.inputs[0])
        split = _node(tree, "ShaderNodeSeparateColor")
        tree.links.new(rest.outputs[0], split.inputs[0])
        where = _node(tree, "ShaderNodeNewGeometry")
        base = _mix(tree, "MULTIPLY", 1.0, face.outputs[0], (*tint, 1))
        if ground:
            broad = _noise(tree, where.outputs["Position"], 0.23, 2)
            base = _mix(tree, "MULTIPLY", 0.8, base, _ramp(tree, broad, 0.3, 0.7, 0.72, 1.22))
        rough = _math(tree, "MULTIPLY", split.outputs[1], gloss)
        height = split.outputs[0]
        if wet > 0.02:
            pools = _noise(tree, where.outputs["Position"], 0.42, 3)
            level = 0.62 - 0.2 * wet
            pool = _ramp(tree, pools, level, level + 0.07, 0.0, 1.0)
            pool = _math(tree, "MULTIPLY", pool, 1.0 if ground and wet > 0.45 else 0.0)
            base = _mix(tree, "MULTIPLY", min(1.0, 0.85 * wet), base, (0.42, 0.43, 0.45, 1))
            damp = _math(tree, "MULTIPLY", rough, 1 - 0.62 * wet)
            rough = _mix_value(tree, pool, damp, 0.03)
            height = _mix_value(tree, pool, height, 0.5)
        if snow > 0.02:
            drift = _noise(tree, where.outputs["Position"], 0.6, 4)
            lie = _ramp(tree, drift, 0.78 - 0.75 * snow, 0.9 - 0.75 * snow, 0.0, 1.0)
            base = _mix(tree, "MIX", lie, base, (0.78, 0.81, 0.86, 1))
            rough = _mix_value(tree, lie, rough, 0.65)
        tree.links.new(base, shader.inputs["Base Color"])
        tree.links.new(rough, shader.inputs["Roughness"])
        push = _node(tree, "ShaderNodeBump")
        push.inputs["Strength"].default_value = min(1.0, 0.6 * bump)
        push.inputs["Distance"].default_value = 0.02 * tile_m * bump
        tree.links.new(height, push.inputs["Height"])
        tree.links.new(push.outputs[0], shader.inputs["Normal"])
        return material

    def mottled(
        self, low: Rgb, high: Rgb, scale: float, rough: float = 0.9, bump: float = 0.0
    ) -> bpy.types.Material:
        """Two colours mixed by noise of so many waves a metre."""
        key = f"mottled {low} {high} {scale} {rough} {bump} {self.wet} {self.snow}"
        if key not in self.made:
            material, shader = _new(key)
            tree = material.node_tree
            where = _node(tree, "ShaderNodeNewGeometry")
            grain = _noise(tree, where.outputs["Position"], scale, 3)
            mixed = _mix(tree, "MIX", _ramp(tree, grain, 0.35, 0.65, 0, 1), (*low, 1), (*high, 1))
            tree.links.new(mixed, shader.inputs["Base Color"])
            shader.inputs["Roughness"].default_value = rough * (1 - 0.5 * self.wet)
            if bump:
                push = _node(tree, "ShaderNodeBump")
                push.inputs["Distance"].default_value = bump
                tree.links.new(grain, push.inputs["Height"])
                tree.links.new(push.outputs[0], shader.inputs["Normal"])
            self.made[key] = material
        return self.made[key]

    def car_paint(self, colour: Rgb) -> bpy.types.Material:
        """Lacquer over colour."""
        return self.plain(colour, 0.32, 0.15, coat=1.0)


def image(name: str, pixels: np.ndarray, space: str) -> bpy.types.Image:
    """A picture in Blender's memory from (h, w, 3) values 0…1, first row on top."""
    height, width = pixels.shape[:2]
    made = bpy.data.images.new(name, width, height, alpha=False)
    made.colorspace_settings.name = space
    full = np.ones((height, width, 4), np.float32)
    full[..., :3] = pixels[::-1]
    made.pixels.foreach_set(full.ravel())
    made.use_fake_user = True
    return made


def _new(name: str) -> tuple[bpy.types.Material, bpy.types.Node]:
    material = bpy.data.materials.new(name[:60])
    material.use_nodes, material.use_fake_user = True, True
    return material, material.node_tree.nodes["Principled BSDF"]


def _set(shader: bpy.types.Node, colour: Rgb, rough: float, metal: float) -> None:
    shader.inputs["Base Color"].default_value = (*colour, 1)
    shader.inputs["Roughness"].default_value = rough
    shader.inputs["Metallic"].default_value = metal


def _node(tree: bpy.types.NodeTree, kind: str, **settings: object) -> bpy.types.Node:
    node = tree.nodes.new(kind)
    for name, value in settings.items():
        setattr(node, name, value)
    return node


def _noise(tree: bpy.types.NodeTree, where: object, scale: float, detail: float) -> object:
    node = _node(tree, "ShaderNodeTexNoise")
    node.inputs["Scale"].default_value, node.inputs["Detail"].default_value = scale, detail
    tree.links.new(where, node.inputs["Vector"])
    return node.outputs[0]


def _ramp(
    tree: bpy.types.NodeTree, value: object, a: float, b: float, low: float, high: float
) -> object:
    node = _node(tree, "ShaderNodeMapRange")
    for name, number in (("From Min", a), ("From Max", b), ("To Min", low), ("To Max", high)):
        node.inputs[name].default_value = number
    tree.links.new(value, node.inputs["Value"])
    return node.outputs[0]


def _put(tree: bpy.types.NodeTree, value: object, socket: object) -> None:
    if isinstance(value, bpy.types.NodeSocket):
        tree.links.new(value, socket)
    else:
        socket.default_value = value


def _mix(tree: bpy.types.NodeTree, blend: str, factor: object, a: object, b: object) -> object:
    node = _node(tree, "ShaderNodeMix", data_type="RGBA", blend_type=blend)
    _put(tree, factor, node.inputs[0])
    _put(tree, a, node.inputs[6])
    _put(tree, b, node.inputs[7])
    return node.outputs[2]


def _mix_value(tree: bpy.types.NodeTree, factor: object, a: object, b: object) -> object:
    node = _node(tree, "ShaderNodeMix", data_type="FLOAT")
    for value, number in ((factor, 0), (a, 2), (b, 3)):
        _put(tree, value, node.inputs[number])
    return node.outputs[0]


def _math(tree: bpy.types.NodeTree, how: str, a: object, b: object) -> object:
    node = _node(tree, "ShaderNodeMath", operation=how)
    _put(tree, a, node.inputs[0])
    _put(tree, b, node.inputs[1])
    return node.outputs[0]
