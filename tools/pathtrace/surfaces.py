# SPDX-License-Identifier: GPL-3.0-or-later
"""Seamless materials, made of periodic noise: colour, height and roughness, with numpy alone."""

import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Surface:
    """A tile: linear colour (n, n, 3), height in tile widths / 100 and roughness, each (n, n)."""

    colour: Field
    height: Field
    rough: Field


def noise(rng: np.random.Generator, n: int, cells: float, slope: float = 1.6) -> Field:
    """Periodic noise, mean 0 and deviation 1, whose coarsest detail is a tile's `cells`-th part."""
    f = np.fft.fftfreq(n) * n
    radius = np.hypot(f[:, None], f[None, :])
    weight = np.where(radius >= cells * 0.7, np.maximum(radius, 1e-3) ** -slope, 0.0)
    spectrum = np.fft.fft2(rng.standard_normal((n, n))) * weight
    field = np.real(np.fft.ifft2(spectrum))
    return (field / max(float(field.std()), 1e-9)).astype(np.float32)


def cells(rng: np.random.Generator, n: int, count: int, jitter: float = 0.9) -> tuple[Field, ...]:
    """Periodic cells: distance to the nearest and second nearest point, and a value per cell."""
    offsets = (rng.uniform(-0.5, 0.5, (count, count, 2)) * jitter + 0.5).astype(np.float32)
    values = rng.uniform(size=(count, count)).astype(np.float32)
    y, x = np.mgrid[0:n, 0:n].astype(np.float32) * (count / n)
    row, column = y.astype(int), x.astype(int)
    first = np.full((n, n), 9.0, np.float32)
    second, value = first.copy(), np.zeros((n, n), np.float32)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            r, c = (row + dy) % count, (column + dx) % count
            d = np.hypot(row + dy + offsets[r, c, 0] - y, column + dx + offsets[r, c, 1] - x)
            near = d < first
            second = np.where(near, first, np.minimum(second, d))
            value = np.where(near, values[r, c], value)
            first = np.where(near, d, first)
    return first, second, value


def bricks(
    rng: np.random.Generator, n: int, rows: int, columns: int, gap: float, shift: float = 0.5
) -> tuple[Field, Field]:
    """(distance from the joint in brick heights clipped to 0…1, a value per brick)."""
    y, x = np.mgrid[0:n, 0:n].astype(np.float32) / n
    wave = 0.012 * noise(rng, n, 6, 2.5)
    v = y * rows + wave * 0.5
    row = np.floor(v).astype(int)
    u = x * columns + shift * (row % 2) + wave * 0.5
    column = np.floor(u).astype(int)
    aspect = rows / columns
    edge_v = np.minimum(v - row, 1 - (v - row))
    edge_u = np.minimum(u - column, 1 - (u - column)) * aspect
    inside = np.clip((np.minimum(edge_u, edge_v) - gap) / 0.06, 0, 1)
    values = rng.uniform(size=(rows, columns)).astype(np.float32)
    return inside.astype(np.float32), values[row % rows, column % columns]


def _mix(low: Rgb, high: Rgb, t: Field) -> Field:
    t = np.clip(t, 0, 1)[..., None]
    return np.asarray(low, np.float32) * (1 - t) + np.asarray(high, np.float32) * t


def _cracks(rng: np.random.Generator, n: int, count: int, width: float) -> Field:
    """Thin crooked lines, 1 on the line."""
    f = np.abs(noise(rng, n, count, 1.9))
    gate = np.clip(noise(rng, n, 2, 2.2) * 1.2 + 0.1, 0, 1)
    return (np.clip(1 - f / width, 0, 1) * gate).astype(np.float32)


def _asphalt(rng: np.random.Generator, n: int, tone: float, cracked: float) -> Surface:
    first, _, value = cells(rng, n, n // 5)
    stone = np.clip(1.1 - first * 1.5, 0, 1) * value
    broad = noise(rng, n, 1, 2.0)
    grain = noise(rng, n, n // 8, 0.3)
    tone_map = tone * (1 + 0.13 * broad + 0.16 * grain) * (0.8 + 0.75 * stone)
    crack = _cracks(rng, n, 3, 0.035) * cracked
    patch = np.clip((noise(rng, n, 1, 2.6) - 1.0) * 8, 0, 1) * cracked
    tone_map = tone_map * (1 - 0.75 * crack) * (1 - 0.35 * patch)
    tint = np.array([1.0, 0.985, 0.955], np.float32)
    height = 0.12 * stone + 0.05 * grain - 0.5 * crack
    return Surface(tone_map[..., None] * tint, height, 0.82 + 0.05 * grain - 0.12 * patch)


def _concrete(rng: np.random.Generator, n: int, colour: Rgb, spots: float = 0.5) -> Surface:
    broad, mid = noise(rng, n, 1, 1.9), noise(rng, n, 12, 1.0)
    fine = noise(rng, n, n // 6, 0.2)
    pores = np.clip(noise(rng, n, n // 10, 0.8) - 2.2, 0, 1)
    shade = 1 + 0.1 * broad * spots * 2 + 0.05 * mid + 0.04 * fine - 0.4 * pores
    rough = 0.75 - 0.06 * broad
    return Surface(np.asarray(colour) * shade[..., None], 0.03 * mid - 0.15 * pores, rough)


def _bricks(
    rng: np.random.Generator, n: int, low: Rgb, high: Rgb, joint: Rgb, rows: int, columns: int
) -> Surface:
    inside, value = bricks(rng, n, rows, columns, 0.07)
    fine, broad = noise(rng, n, n // 10, 0.6), noise(rng, n, 2, 1.8)
    body = _mix(low, high, value + 0.12 * broad) * (1 + 0.12 * fine + 0.05 * broad)[..., None]
    mortar = np.asarray(joint) * (1 + 0.1 * fine + 0.08 * broad)[..., None]
    colour = body * inside[..., None] + mortar * (1 - inside[..., None])
    return Surface(colour, 0.6 * inside + 0.06 * fine, 0.85 - 0.08 * inside)


def _slabs(
    rng: np.random.Generator,
    n: int,
    low: Rgb,
    high: Rgb,
    rows: int,
    columns: int,
    rough: float = 0.7,
    joint: float = 0.45,
    gap: float = 0.02,
    shift: float = 0.0,
) -> Surface:
    inside, value = bricks(rng, n, rows, columns, gap, shift)
    fine, broad = noise(rng, n, n // 6, 0.4), noise(rng, n, 2, 1.8)
    shade = (1 + 0.07 * fine + 0.07 * broad) * (joint + (1 - joint) * inside)
    colour = _mix(low, high, value) * shade[..., None]
    return Surface(colour, 0.4 * inside + 0.03 * fine, rough + 0.2 * (1 - inside) + 0.04 * broad)


def _cobbles(rng: np.random.Generator, n: int) -> Surface:
    first, second, value = cells(rng, n, 18, 0.35)
    inside = np.clip((second - first) * 4, 0, 1)
    fine = noise(rng, n, n // 8, 0.6)
    low, high = (0.1, 0.095, 0.09), (0.25, 0.235, 0.22)
    colour = _mix(low, high, value) * (0.3 + 0.7 * inside)[..., None] * (1 + 0.12 * fine)[..., None]
    return Surface(colour, 1.2 * np.sqrt(inside) + 0.05 * fine, 0.7 - 0.2 * inside)


def _grass(rng: np.random.Generator, n: int, low: Rgb, high: Rgb, dry: float) -> Surface:
    blades = np.zeros((n, n), np.float32)
    for _ in range(3):
        streak = noise(rng, n, n // 9, 0.25)
        turn = int(rng.integers(1, 5))
        smear = sum(np.roll(streak, (k, (k * turn) // 3), (0, 1)) for k in range(5)) / 2.2
        blades = np.maximum(blades, smear)
    broad, tufts = noise(rng, n, 2, 1.7), noise(rng, n, 14, 1.1)
    t = 0.35 + 0.25 * blades + 0.14 * broad + 0.1 * tufts
    straw = np.clip(noise(rng, n, 5, 1.2) * 0.5 + dry, 0, 1)
    colour = _mix(low, high, t) * (1 - straw[..., None]) + straw[..., None] * _mix(
        (0.12, 0.09, 0.04), (0.42, 0.34, 0.17), t
    )
    height = 0.5 * blades + 0.3 * tufts
    return Surface(colour * (0.75 + 0.2 * blades)[..., None], height, np.full((n, n), 0.9))


def _soil(rng: np.random.Generator, n: int, low: Rgb, high: Rgb) -> Surface:
    clods, fine = noise(rng, n, 9, 1.1), noise(rng, n, n // 10, 0.5)
    colour = _mix(low, high, 0.45 + 0.2 * clods + 0.14 * fine)
    return Surface(colour, 0.8 * clods + 0.2 * fine, 0.92 + 0 * clods)


def _gravel(rng: np.random.Generator, n: int, low: Rgb, high: Rgb, count: int) -> Surface:
    first, second, value = cells(rng, n, count)
    small, _, small_value = cells(rng, n, count * 2)
    dome = np.clip(1 - first * 1.15, 0, 1)
    gap = np.clip((second - first) * 3.5, 0, 1)
    fine = noise(rng, n, n // 6, 0.3)
    colour = _mix(low, high, 0.7 * value + 0.3 * small_value) * (0.25 + 0.75 * gap)[..., None]
    return Surface(
        colour * (1 + 0.1 * fine)[..., None], 1.3 * dome + 0.2 * (1 - small), 0.8 + 0 * dome
    )


def _snow(rng: np.random.Generator, n: int, tracks: bool) -> Surface:
    broad, fine = noise(rng, n, 2, 1.8), noise(rng, n, n // 6, 0.3)
    white = np.array([0.8, 0.83, 0.88], np.float32)
    colour = white * (0.93 + 0.035 * broad + 0.02 * fine)[..., None]
    height = 0.5 * broad + 0.06 * fine
    if tracks:
        x = np.arange(n, dtype=np.float32)[None, :] / n
        wander = 0.006 * noise(rng, n, 1, 2.4)
        depth = sum(
            np.exp(-(((x + wander - at + 0.5) % 1 - 0.5) ** 2) / 0.0016) for at in (0.18, 0.48, 0.7)
        )
        dirt = np.clip(depth * (0.8 + 0.25 * noise(rng, n, 8, 1.0)), 0, 1)[..., None]
        colour = colour * (1 - dirt) + dirt * np.array([0.16, 0.155, 0.15])
        height = height - 0.8 * depth
    return Surface(colour, height, 0.6 + 0.05 * fine)


def _wood(
    rng: np.random.Generator,
    n: int,
    low: Rgb,
    high: Rgb,
    planks: int,
    rough: float,
    gap: float = 0.012,
    worn: float = 0.0,
) -> Surface:
    _y, x = np.mgrid[0:n, 0:n].astype(np.float32) / n
    plank = np.floor(x * planks).astype(int)
    values = rng.uniform(size=planks).astype(np.float32)[plank % planks]
    stretch = _stretched(rng, n, 14)
    grain = _stretched(rng, n, n // 4)
    rings = np.sin(2 * math.pi * (3.0 * stretch + 5 * values))
    t = 0.45 + 0.16 * rings + 0.14 * grain + 0.5 * (values - 0.5)
    edge = np.minimum(x * planks - plank, 1 - (x * planks - plank))
    joint = np.clip(edge / max(gap * planks, 1e-6), 0, 1) if planks > 1 else np.ones((n, n))
    colour = _mix(low, high, t) * (0.3 + 0.7 * joint)[..., None]
    scars = np.clip(noise(rng, n, 5, 1.5) - 0.8, 0, 1) * worn
    colour = colour * (1 - 0.5 * scars)[..., None]
    return Surface(colour, 0.12 * grain + 0.5 * joint, rough + 0.05 * grain + 0.2 * scars)


def _stretched(rng: np.random.Generator, n: int, across: int) -> Field:
    """Periodic noise drawn out along the columns."""
    f = np.fft.fftfreq(n) * n
    fy, fx = f[:, None] * 14.0, f[None, :]
    radius = np.hypot(fy, fx)
    weight = np.where((radius >= 1) & (np.abs(fx) < across), np.maximum(radius, 1) ** -0.9, 0)
    field = np.real(np.fft.ifft2(np.fft.fft2(rng.standard_normal((n, n))) * weight))
    return (field / field.std()).astype(np.float32)


def _marble(rng: np.random.Generator, n: int) -> Surface:
    veins = np.clip(1 - np.abs(noise(rng, n, 2, 1.9)) / 0.12, 0, 1)
    fine_veins = np.clip(1 - np.abs(noise(rng, n, 5, 1.7)) / 0.05, 0, 1)
    cloud = noise(rng, n, 2, 1.8)
    shade = 0.74 + 0.03 * cloud - 0.26 * veins * (0.5 + 0.3 * cloud) - 0.12 * fine_veins
    tint = np.array([1.0, 0.985, 0.96], np.float32)
    return Surface(np.clip(shade, 0.2, 0.85)[..., None] * tint, 0 * cloud, 0.12 + 0.02 * cloud)


def _flat(
    rng: np.random.Generator, n: int, colour: Rgb, rough: float, speck: float = 0.03
) -> Surface:
    broad, fine = noise(rng, n, 1, 2.0), noise(rng, n, n // 4, 0.1)
    shade = 1 + 0.03 * broad + speck * fine
    return Surface(np.asarray(colour) * shade[..., None], 0.04 * fine, rough + 0.03 * broad)


def _carpet(rng: np.random.Generator, n: int, colour: Rgb, tiles: int) -> Surface:
    loops = noise(rng, n, n // 5, 0.0)
    broad = noise(rng, n, 2, 1.8)
    inside, value = bricks(rng, n, max(tiles, 1), max(tiles, 1), 0.004, 0.0)
    shade = 1 + 0.24 * loops + 0.05 * broad + (0.12 * (value - 0.5) if tiles > 1 else 0)
    shade = shade * (0.75 + 0.25 * inside if tiles > 1 else 1)
    return Surface(np.asarray(colour) * shade[..., None], 0.5 * loops, 0.97 + 0 * loops)


def _steel(rng: np.random.Generator, n: int) -> Surface:
    lines = _stretched(rng, n, n // 2)
    broad = noise(rng, n, 2, 1.8)
    shade = 0.5 * (1 + 0.07 * lines + 0.04 * broad)
    return Surface(shade[..., None] * np.array([1.0, 1.0, 1.02]), 0.03 * lines, 0.3 + 0.04 * lines)


def _check(rng: np.random.Generator, n: int, count: int) -> Surface:
    y, x = np.mgrid[0:n, 0:n] * count // n
    base = _slabs(rng, n, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), count, count, 0.25, 0.5, 0.008)
    tone = np.where((x + y) % 2 == 0, 0.09, 1.45)
    return Surface(base.colour * tone[..., None], base.height, base.rough)


def _pegboard(rng: np.random.Generator, n: int) -> Surface:
    base = _flat(rng, n, (0.42, 0.27, 0.15), 0.6, 0.06)
    y, x = np.mgrid[0:n, 0:n].astype(np.float32) * (20 / n)
    hole = np.clip((0.17 - np.hypot(x % 1 - 0.5, y % 1 - 0.5)) * 20, 0, 1)
    return Surface(base.colour * (1 - 0.93 * hole)[..., None], base.height - hole, base.rough)


def _ribbed(rng: np.random.Generator, n: int, colour: Rgb, ribs: int, rough: float) -> Surface:
    x = np.arange(n, dtype=np.float32)[None, :] / n
    wave = 0.5 + 0.5 * np.sin(2 * math.pi * ribs * x) + np.zeros((n, 1), np.float32)
    streak = _stretched(rng, n, 60)
    shade = (0.72 + 0.28 * wave) * (1 + 0.05 * streak)
    return Surface(np.asarray(colour) * shade[..., None], 1.5 * wave, rough + 0.04 * streak)


def _front(rng: np.random.Generator, n: int, wall: Surface, glassy: float) -> Surface:
    """A wall with windows: two rows of three, or glass from edge to edge."""
    rows, columns = (4, 5) if glassy else (2, 3)
    y, x = np.mgrid[0:n, 0:n].astype(np.float32) / n
    v, u = y * rows % 1, x * columns % 1
    high, wide = (0.92, 0.94) if glassy else (0.58, 0.52)
    du, dv = np.abs(u - 0.5) / (wide / 2), np.abs(v - 0.5) / (high / 2)
    pane = (du < 0.9) & (dv < 0.93) & (np.abs(u - 0.5) > 0.022) & (np.abs(v - 0.38) > 0.015)
    frame = (du < 1) & (dv < 1) & ~pane
    values = rng.uniform(size=(rows, columns)).astype(np.float32)
    value = values[(y * rows).astype(int) % rows, (x * columns).astype(int) % columns]
    sheen = np.clip(0.5 + 0.5 * (v - u) + 0.12 * noise(rng, n, 4, 2.0), 0, 1)
    glass = _mix((0.02, 0.03, 0.04), (0.26, 0.34, 0.44), 0.55 * sheen + 0.45 * value)
    blind = (value > 0.72) & (v < 0.42) & pane
    colour = np.where(pane[..., None], glass, wall.colour)
    colour = np.where(blind[..., None], np.float32(0.5), colour)
    trim = (0.1, 0.1, 0.11) if glassy else (0.68, 0.67, 0.64)
    colour = np.where(frame[..., None], np.asarray(trim, np.float32), colour)
    shadow = 1 - 0.5 * np.clip(1 - np.abs(dv - 1.06) / 0.06, 0, 1) * (v < 0.5) * (du < 1.04)
    height = np.where(pane, -1.5, np.where(frame, -0.4, wall.height))
    return Surface(colour * shadow[..., None], height, np.where(pane, 0.08, wall.rough))


Maker = Callable[[np.random.Generator, int], Surface]
BRICK_RED = ((0.2, 0.055, 0.035), (0.42, 0.15, 0.09), (0.42, 0.39, 0.35))
BRICK_BROWN = ((0.1, 0.055, 0.035), (0.25, 0.14, 0.09), (0.36, 0.33, 0.29))
GREEN = ((0.025, 0.05, 0.01), (0.16, 0.24, 0.05))


def _plaster(colour: Rgb) -> Maker:
    return lambda rng, n: _concrete(rng, n, colour, 0.35)


def _fronted(wall: Maker, glassy: float = 0) -> Maker:
    return lambda rng, n: _front(rng, n, wall(rng, n), glassy)


def _brick_wall(colours: tuple[Rgb, Rgb, Rgb], rows: int = 24) -> Maker:
    return lambda rng, n: _bricks(rng, n, *colours, rows, rows // 3)


MAKERS: Mapping[str, Maker] = {
    "grey asphalt": lambda r, n: _asphalt(r, n, 0.13, 0.25),
    "dark asphalt": lambda r, n: _asphalt(r, n, 0.065, 0.2),
    "old cracked asphalt": lambda r, n: _asphalt(r, n, 0.16, 1.0),
    "light concrete road surface": lambda r, n: _slabs(
        r, n, (0.34, 0.32, 0.28), (0.42, 0.4, 0.36), 1, 1, 0.8, 0.5, 0.003
    ),
    "cobblestones": _cobbles,
    "snow-covered road with tracks": lambda r, n: _snow(r, n, True),
    "fresh snow": lambda r, n: _snow(r, n, False),
    "concrete paving slabs": lambda r, n: _slabs(
        r, n, (0.27, 0.26, 0.24), (0.4, 0.385, 0.36), 6, 6, 0.75, 0.4, 0.012
    ),
    "grey paving stones": lambda r, n: _slabs(
        r, n, (0.16, 0.16, 0.16), (0.3, 0.295, 0.28), 14, 7, 0.75, 0.35, 0.025, 0.5
    ),
    "red brick paving": lambda r, n: _slabs(
        r, n, (0.2, 0.075, 0.05), (0.36, 0.16, 0.11), 18, 9, 0.8, 0.35, 0.035, 0.5
    ),
    "coarse gravel": lambda r, n: _gravel(r, n, (0.12, 0.11, 0.095), (0.44, 0.41, 0.36), 44),
    "dry grass": lambda r, n: _grass(r, n, *GREEN, 0.75),
    "green meadow": lambda r, n: _grass(r, n, *GREEN, 0.2),
    "short green grass": lambda r, n: _grass(r, n, (0.03, 0.06, 0.012), (0.14, 0.25, 0.05), 0.05),
    "brown field soil": lambda r, n: _soil(r, n, (0.06, 0.036, 0.02), (0.24, 0.16, 0.1)),
    "red wooden barn planks": lambda r, n: _wood(
        r, n, (0.1, 0.02, 0.015), (0.33, 0.07, 0.05), 9, 0.8, 0.008, 0.6
    ),
    "weathered wooden boards": lambda r, n: _wood(
        r, n, (0.1, 0.085, 0.07), (0.34, 0.3, 0.26), 8, 0.85, 0.008, 0.8
    ),
    "rough field stone wall": lambda r, n: _gravel(r, n, (0.13, 0.12, 0.1), (0.42, 0.39, 0.34), 9),
    "white plaster wall": _plaster((0.66, 0.65, 0.61)),
    "plain plaster wall": _plaster((0.6, 0.6, 0.6)),
    "roof tiles": lambda r, n: _slabs(
        r, n, (0.3, 0.12, 0.07), (0.46, 0.22, 0.14), 22, 14, 0.75, 0.3, 0.05, 0.5
    ),
    "roof slates": lambda r, n: _slabs(
        r, n, (0.07, 0.075, 0.085), (0.15, 0.155, 0.165), 22, 11, 0.6, 0.35, 0.04, 0.5
    ),
    "red brick wall": _brick_wall(BRICK_RED),
    "brick wall": _brick_wall(BRICK_RED, 18),
    "brown brick wall": _brick_wall(BRICK_BROWN),
    "red brick wall with windows": _fronted(_brick_wall(BRICK_RED, 48)),
    "brown brick house front with windows": _fronted(_brick_wall(BRICK_BROWN, 48)),
    "white plaster house front with windows": _fronted(_plaster((0.68, 0.67, 0.63))),
    "beige plaster wall with windows": _fronted(_plaster((0.56, 0.46, 0.32))),
    "yellow painted house front with windows": _fronted(_plaster((0.66, 0.5, 0.2))),
    "pale blue house front with windows": _fronted(_plaster((0.36, 0.47, 0.56))),
    "rose painted house front with windows": _fronted(_plaster((0.62, 0.37, 0.34))),
    "pale green house front with windows": _fronted(_plaster((0.42, 0.54, 0.38))),
    "grey concrete front with windows": _fronted(_plaster((0.36, 0.35, 0.34))),
    "glass office front": _fronted(_plaster((0.2, 0.21, 0.22)), 1),
    "steel and glass front with many windows": _fronted(_plaster((0.32, 0.33, 0.34)), 1),
    "grey noise barrier panels": lambda r, n: _ribbed(r, n, (0.34, 0.35, 0.34), 14, 0.7),
    "corrugated metal warehouse wall": lambda r, n: _ribbed(r, n, (0.42, 0.45, 0.47), 24, 0.4),
    "brown cardboard": lambda r, n: _flat(r, n, (0.36, 0.235, 0.13), 0.85, 0.05),
    "printed paper packaging": lambda r, n: _check_print(r, n),
    "white plastic": lambda r, n: _flat(r, n, (0.72, 0.72, 0.71), 0.35, 0.008),
    "grey felt": lambda r, n: _carpet(r, n, (0.2, 0.2, 0.21), 1),
    "rough plywood": lambda r, n: _wood(r, n, (0.32, 0.2, 0.1), (0.56, 0.41, 0.25), 1, 0.75),
    "white desk laminate": lambda r, n: _flat(r, n, (0.7, 0.7, 0.69), 0.35, 0.01),
    "white laminate": lambda r, n: _flat(r, n, (0.72, 0.72, 0.71), 0.3, 0.01),
    "black desk laminate": lambda r, n: _flat(r, n, (0.025, 0.025, 0.027), 0.3, 0.1),
    "rough oak wood": lambda r, n: _wood(
        r, n, (0.17, 0.09, 0.04), (0.42, 0.26, 0.13), 5, 0.7, 0.004, 0.5
    ),
    "light oak wood": lambda r, n: _wood(
        r, n, (0.36, 0.22, 0.11), (0.6, 0.42, 0.25), 6, 0.4, 0.002
    ),
    "dark walnut wood": lambda r, n: _wood(
        r, n, (0.05, 0.024, 0.012), (0.2, 0.1, 0.052), 5, 0.35, 0.002
    ),
    "beech wood veneer": lambda r, n: _wood(r, n, (0.5, 0.31, 0.17), (0.64, 0.45, 0.28), 1, 0.4),
    "worn wooden planks": lambda r, n: _wood(
        r, n, (0.1, 0.06, 0.03), (0.36, 0.25, 0.15), 5, 0.75, 0.006, 1.0
    ),
    "scratched plywood": lambda r, n: _wood(
        r, n, (0.32, 0.2, 0.1), (0.54, 0.39, 0.23), 1, 0.7, 0.0, 0.7
    ),
    "white marble": _marble,
    "brushed steel": _steel,
    "grey epoxy worktop": lambda r, n: _flat(r, n, (0.16, 0.165, 0.17), 0.4, 0.12),
    "white painted wall": _plaster((0.7, 0.69, 0.66)),
    "cream painted wall": _plaster((0.68, 0.62, 0.48)),
    "blue painted wall": _plaster((0.2, 0.3, 0.44)),
    "beige wallpaper": lambda r, n: _ribbed(r, n, (0.6, 0.51, 0.38), 30, 0.8),
    "light grey panels": lambda r, n: _slabs(
        r, n, (0.56, 0.57, 0.58), (0.6, 0.61, 0.62), 1, 2, 0.45, 0.5, 0.004
    ),
    "grey concrete wall": _plaster((0.32, 0.315, 0.3)),
    "pale green tiles": lambda r, n: _slabs(
        r, n, (0.42, 0.56, 0.46), (0.52, 0.66, 0.55), 10, 10, 0.12, 0.6, 0.02
    ),
    "white ceramic tiles": lambda r, n: _slabs(
        r, n, (0.7, 0.7, 0.69), (0.78, 0.78, 0.76), 10, 10, 0.1, 0.55, 0.02
    ),
    "pegboard with holes": _pegboard,
    "wooden floor boards": lambda r, n: _wood(
        r, n, (0.2, 0.11, 0.055), (0.42, 0.26, 0.14), 8, 0.4, 0.003
    ),
    "black and white floor tiles": lambda r, n: _check(r, n, 8),
    "blue carpet tiles": lambda r, n: _carpet(r, n, (0.045, 0.075, 0.16), 4),
    "grey carpet": lambda r, n: _carpet(r, n, (0.17, 0.17, 0.17), 1),
    "grey linoleum floor": lambda r, n: _flat(r, n, (0.3, 0.3, 0.29), 0.4, 0.1),
    "speckled vinyl floor": lambda r, n: _flat(r, n, (0.45, 0.44, 0.4), 0.4, 0.28),
    "stained concrete floor": lambda r, n: _concrete(r, n, (0.25, 0.245, 0.235), 1.6),
    "grey concrete floor": lambda r, n: _concrete(r, n, (0.3, 0.295, 0.285), 0.8),
}
"""A maker for each material of the catalogue's phrases; 'wet …' is the same, wetted."""


def _check_print(rng: np.random.Generator, n: int) -> Surface:
    base = _flat(rng, n, (0.66, 0.64, 0.58), 0.45, 0.01)
    inside, value = bricks(rng, n, 4, 3, 0.12, 0.5)
    inks = np.array([[0.5, 0.03, 0.03], [0.02, 0.12, 0.4], [0.04, 0.3, 0.08], [0.7, 0.45, 0.04]])
    ink = inks[(value * 3.999).astype(int)]
    share = (inside * (value > 0.25))[..., None]
    return Surface(base.colour * (1 - share) + ink * share, base.height, base.rough)


def known(words: str) -> bool:
    """Whether there is such a material."""
    return words.removeprefix("wet ") in MAKERS


def surface(words: str, seed: int, n: int = 512) -> Surface:
    """The tile of a material; the same words and seed give the same tile."""
    dry = words.removeprefix("wet ")
    if dry not in MAKERS:
        raise ValueError(f"no surface '{words}'")
    rng = np.random.default_rng([seed, zlib.crc32(dry.encode())])
    made = MAKERS[dry](rng, n)
    colour, rough = np.clip(made.colour, 0.004, 0.9), np.clip(made.rough, 0.04, 1.0)
    if dry != words:
        pools = np.clip(0.6 - 0.5 * noise(rng, n, 2, 2.0), 0.15, 1)
        colour, rough = colour**1.12 * 0.62, rough * (0.12 + 0.38 * pools)
    return Surface(
        *(np.asarray(a, np.float32) for a in (colour, made.height, np.clip(rough, 0.03, 1)))
    )


def lit(tile: Surface, rng: np.random.Generator) -> Field:
    """The tile as a photograph under a soft sky and a low light: sRGB 0…1, still seamless."""
    n = tile.height.shape[0]
    h = tile.height * 2.2
    slope_y = (np.roll(h, -1, 0) - np.roll(h, 1, 0)) * n / 512 * 0.5
    slope_x = (np.roll(h, -1, 1) - np.roll(h, 1, 1)) * n / 512 * 0.5
    angle = rng.uniform(0, 2 * math.pi)
    normal = np.stack([-slope_x, -slope_y, np.ones_like(h)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    light = np.array([math.cos(angle) * 0.62, math.sin(angle) * 0.62, 0.78])
    facing = np.clip(normal @ light, 0, 1)
    half = light + np.array([0, 0, 1.0])
    half /= np.linalg.norm(half)
    power = 2 / np.clip(tile.rough, 0.12, 1) ** 2
    gloss = np.clip(normal @ half, 0, 1) ** power * (1 - tile.rough) * 0.22
    cavity = np.clip(1 + (h - _blurred(h, 6.0)) * 0.35, 0.5, 1.15)
    colour = tile.colour * (0.35 + 0.85 * facing)[..., None] * cavity[..., None] + gloss[..., None]
    exposure = rng.uniform(0.85, 1.2)
    return np.clip(1 - np.exp(-1.6 * exposure * colour), 0, 1).astype(np.float32) ** (1 / 2.2)


def _blurred(field: Field, radius: float) -> Field:
    n = field.shape[0]
    f = np.fft.fftfreq(n)
    kernel = np.exp(-2 * (math.pi * radius) ** 2 * (f[:, None] ** 2 + f[None, :] ** 2))
    return np.real(np.fft.ifft2(np.fft.fft2(field) * kernel)).astype(np.float32)
