"""What falls off lorries and out of trees, or blows away: ladders, pipes, sheets, gravel, limbs."""

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from hartsim.types import Vector3
from hartsim.worlds import meshes
from hartsim.worlds.looks import PAINTS, Look, Maker
from hartsim.worlds.meshes import join, moved, painted, shaded
from hartsim.worlds.parts import (
    ALONG_X,
    BLACK,
    TIMBER,
    ZINC,
    board,
    filling,
    heap,
    rod,
    scattered,
    wavy,
)
from hartsim.worlds.stage import Colour, Mesh, Solid

Solids = list[Solid]

BARK: Colour = (0.36, 0.27, 0.2)
GRAVEL: tuple[Colour, ...] = ((0.56, 0.53, 0.5), (0.44, 0.42, 0.4), (0.66, 0.62, 0.56))
SHEETS: tuple[Colour, ...] = ((0.12, 0.36, 0.74), (0.9, 0.9, 0.88), (0.16, 0.42, 0.24))
LADDERS: tuple[Colour, ...] = ((0.74, 0.76, 0.78), (0.95, 0.72, 0.12), (0.9, 0.42, 0.12))


def ladder(size_m: Vector3, look: Look) -> Solids:
    """A ladder that lies along x."""
    return filling(size_m, _ladder(), 0.3, rail=look.colour or look.pick(LADDERS))


@lru_cache(maxsize=1)
def _ladder() -> Mesh:
    rails = [board((3.0, 0.07, 0.12), (0, y, 0.06), "rail", ZINC) for y in (-0.22, 0.22)]
    rungs = [
        board((0.07, 0.4, 0.05), (x, 0, 0.08), "rung", (0.8, 0.82, 0.84))
        for x in np.linspace(-1.35, 1.35, 10).tolist()
    ]
    feet = [
        board((0.14, 0.09, 0.13), (x, y, 0.065), "foot", BLACK)
        for x in (-1.48, 1.48)
        for y in (-0.22, 0.22)
    ]
    return join([*rails, *rungs, *feet])


def metal_pipes(size_m: Vector3, look: Look) -> Solids:
    """Steel pipes that rolled apart."""
    return filling(size_m, _pipes(look.seed % 4), 0.5)


@lru_cache(maxsize=4)
def _pipes(seed: int) -> Mesh:
    rng = np.random.default_rng(seed)
    spots = [(-0.62, 0.0), (-0.3, 0.0), (-0.02, 0.0), (0.26, 0.0), (0.62, 0.0), (-0.16, 0.2)]
    pipes = []
    for k, (y, z) in enumerate(spots):
        angle = float(rng.uniform(-0.1, 0.1)) + (0.0, 0.0, 0.06, 0.0, 0.3, -0.22)[k]
        x, length = float(rng.uniform(-0.15, 0.15)), float(rng.uniform(2.4, 2.8))
        turned = meshes.turn_z(angle)
        at = (x, y, z + 0.11)
        pipes.append(moved(_pipe(length), at, turned))
    return join(pipes)


@lru_cache(maxsize=32)
def _pipe(length_m: float) -> Mesh:
    """A pipe along x, dark inside."""
    skin = shaded(painted(meshes.cylinder(0.11, length_m, 12), "steel", (0.62, 0.65, 0.69)), 0.8)
    parts = [skin]
    for end in (-1, 1):
        hole = moved(meshes.cylinder(0.085, 0.01, 12), (0, 0, end * length_m / 2))
        parts.append(painted(hole, "hole", BLACK))
    return shaded(moved(join(parts), rotation=ALONG_X), 0.7, 1.0)


def bumper(size_m: Vector3, look: Look) -> Solids:
    """A car's bumper with its plate, a lamp and splinters round it."""
    return filling(size_m, _bumper(look.seed % 4), 0.3, paint=look.colour or look.pick(PAINTS))


@lru_cache(maxsize=4)
def _bumper(seed: int) -> Mesh:
    """The bumper spans y and bulges towards -x."""
    rings = []
    for y in np.linspace(-0.85, 0.85, 11).tolist():
        x = 0.32 * (y / 0.85) ** 4
        outline = [(0.0, 0.06), (-0.1, 0.1), (-0.12, 0.3), (-0.04, 0.42), (0.04, 0.4), (0.05, 0.08)]
        rings.append([(x + dx, y, z) for dx, z in outline])
    skin = shaded(painted(meshes.loft(np.array(rings)), "paint"), 0.7, 1.0)
    grille = board((0.03, 0.9, 0.09), (-0.115, 0, 0.2), "black", BLACK)
    number = board((0.02, 0.46, 0.1), (-0.12, 0.05, 0.32), "plate", (0.95, 0.95, 0.92))
    lamp = meshes.icosphere(1)
    lenses = [
        painted(moved(lamp, (-0.3, 0.55, 0.1), scale=(0.34, 0.26, 0.2)), "lens", (0.9, 0.93, 0.96)),
        painted(moved(lamp, (-0.12, -0.72, 0.1), scale=(0.2, 0.24, 0.18)), "red", (0.8, 0.1, 0.08)),
    ]
    shard = meshes.blob(seed, (1.0, 0.6, 0.16), 0.5, 0)
    tones: tuple[tuple[str, Colour], ...] = (("black", BLACK), ("paint", PAINTS[0]))
    bits = [
        painted(
            moved(scattered(shard, 7, (0.9, 1.7), (0.08, 0.2), seed * 2 + k), (-0.2, 0, 0.02)),
            role,
            tone,
        )
        for k, (role, tone) in enumerate(tones)
    ]
    glass = scattered(meshes.blob(3, (1, 1, 0.3), 0.5, 0), 14, (0.9, 1.7), (0.03, 0.06), seed)
    return join(
        [skin, grille, number, *lenses, *bits, painted(moved(glass, (-0.2, 0, 0.02)), "lens")]
    )


def plastic_sheet(size_m: Vector3, look: Look) -> Solids:
    """A sheet of tarpaulin that the wind lifts."""
    return filling(size_m, _sheet(look.seed % 4), 0.3, paint=look.colour or look.pick(SHEETS))


@lru_cache(maxsize=4)
def _sheet(seed: int) -> Mesh:
    """Lying at -x, billowing at +x, with a pale hem and eyelets."""
    rng = np.random.default_rng(seed)
    rows, columns = np.linspace(-1, 1, 15), np.linspace(-1, 1, 13)
    x, y = np.meshgrid(rows, columns, indexing="ij")
    phase = rng.uniform(0, 6.3, 3)
    lift = np.clip((x + 0.7) / 1.7, 0, 1) ** 1.5 * (0.75 + 0.25 * np.sin(1.4 * y + phase[0]))
    folds = 0.1 * np.sin(5 * y + 2.5 * x + phase[1]) + 0.06 * np.sin(6 * x - 3 * y + phase[2])
    heights = np.maximum(lift + folds * (0.5 + lift), 0.0)
    sheet = wavy(rows, columns, heights, "paint", SHEETS[0])
    hem = (np.abs(sheet.vertices[..., :2]).max(axis=-1) > 0.82).all(axis=1)
    return meshes.repainted(sheet, ("paint", "hem"), hem, (SHEETS[0], (0.93, 0.93, 0.9)))


def branches(size_m: Vector3, look: Look) -> Solids:
    """Broken limbs with some leaves on them."""
    return filling(size_m, _branches(look.seed % 4))


@lru_cache(maxsize=4)
def _branches(seed: int) -> Mesh:
    rng = np.random.default_rng([seed, 4])
    parts = []
    for y, turned in ((-0.35, 0.25), (0.1, -0.2), (0.45, 0.4)):
        limb = [_twig((-1.2, 0, 0.07), (1.1, 0.1, 0.2), 0.075)]
        for _ in range(8):
            x, side = float(rng.uniform(-0.6, 1.0)), float(rng.choice((-1, 1)))
            tip = (
                x + float(rng.uniform(0.3, 0.6)),
                side * float(rng.uniform(0.25, 0.5)),
                float(rng.uniform(0.2, 0.6)),
            )
            limb.append(_twig((x, 0, 0.12), tip, 0.03))
            leaf = meshes.blob(int(rng.integers(99)), (0.34, 0.26, 0.2), 0.5, 0)
            if rng.random() < 0.7:
                role = ("leaf", "leaf_dark")[int(rng.integers(2))]
                tone = (0.36, 0.5, 0.2) if role == "leaf" else (0.24, 0.38, 0.16)
                parts.append(
                    moved(painted(moved(leaf, tip), role, tone), (0, y, 0), meshes.turn_z(turned))
                )
        parts.append(moved(join(limb), (0, y, 0), meshes.turn_z(turned)))
    return shaded(join(parts), 0.6, 1.0)


def _twig(foot: Vector3, tip: Vector3, radius: float) -> Mesh:
    middle = tuple((a + b) / 2 + 0.06 for a, b in zip(foot, tip, strict=True))
    bark = rod([foot, middle, tip], (radius, radius * 0.75, radius * 0.3), "bark", BARK, 6)
    x, y, z = foot
    cut = meshes.disc(radius * 0.98, 6)
    inwards = meshes.turn((0.0, 1.0, 0.0), -math.pi / 2)
    return join([bark, painted(moved(cut, (x - 0.005, y, z), inwards), "wood", TIMBER)])


def pallet(size_m: Vector3, look: Look) -> Solids:
    """A pallet that leans on the remains of another."""
    return filling(size_m, _pallets(look.seed % 2))


@lru_cache(maxsize=2)
def _pallets(seed: int) -> Mesh:
    whole = moved(_pallet(9), (-0.05, 0, 0.33), meshes.turn((0.0, 1.0, 0.0), -0.5))
    broken = moved(_pallet(5), (0.34, 0.05, 0.075), meshes.turn_z(0.25 - 0.5 * seed))
    return join([broken, whole])


@lru_cache(maxsize=2)
def _pallet(planks: int) -> Mesh:
    """A pallet 1.2 by 0.9 m about its middle with so many of its nine top planks."""
    parts = []
    for k in range(planks):
        tone = (0.95, 0.8, 0.88)[k % 3]
        top = shaded(
            moved(meshes.box((0.1, 0.9, 0.025)), (-0.55 + 0.1375 * k, 0, 0.065)), tone, tone
        )
        parts.append(painted(top, "wood", (0.8, 0.63, 0.41)))
    for y in (-0.4, 0.0, 0.4):
        for x in (-0.53, 0.0, 0.53):
            parts.append(board((0.14, 0.1, 0.08), (x, y, 0.0), "block", (0.58, 0.43, 0.27)))
        parts.append(board((1.2, 0.1, 0.025), (0, y, -0.055), "wood", (0.8, 0.63, 0.41)))
        parts.append(board((1.2, 0.1, 0.02), (0, y, 0.045), "block", (0.58, 0.43, 0.27)))
    return join(parts)


def gravel_spill(size_m: Vector3, look: Look) -> Solids:
    """A heap of gravel and the stones that rolled away from it."""
    return filling(size_m, _gravel(look.seed % 4))


@lru_cache(maxsize=4)
def _gravel(seed: int) -> Mesh:
    rng = np.random.default_rng([seed, 8])
    mound = heap(seed, (1.9, 1.5, 0.34), steep=1.3, rough=0.2, rings=8)
    which = rng.integers(0, 3, len(mound.roles))
    names = ("stone0", "stone1", "stone2")
    parts = [meshes.repainted(mound, names, which, GRAVEL)]
    for k, tone in enumerate(GRAVEL):
        pebble = moved(meshes.blob(k, (1.0, 0.9, 0.7), 0.4, 0), (0, 0, 0.25))
        stones = scattered(pebble, 13, (3.0, 2.3), (0.07, 0.15), seed * 3 + k)
        parts.append(painted(stones, f"stone{k}", tone))
    return shaded(join(parts), 0.75, 1.0)


MAKERS: Mapping[str, Maker] = {
    "ladder": ladder,
    "metal_pipes": metal_pipes,
    "bumper": bumper,
    "plastic_sheet": plastic_sheet,
    "branches": branches,
    "pallet": pallet,
    "gravel_spill": gravel_spill,
}
