"""What lies on the ground of a finished picture: snow, mud, ice, puddles and oil, by its geometry.

Pictures are planes (3, H, W) in 0..1; points are in the frame of the setup, so that what lies there
stays where it is while the ego drives.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hartsim.images import resize
from hartsim.types import CLASS_ID, Labels, Mask, Size
from hartsim.worlds.optics import Eye, Plane, Planes, blurred, column, eye_of, noise, planes_of
from hartsim.worlds.stage import Colour, Mirror
from hartsim.worlds.weather import within_edge

GROUND = ("road", "road_mark", "pavement", "terrain")
"""Classes that one can drive or walk on."""

SNOWED: Mapping[str, float] = {
    "road": 0.9,
    "road_mark": 0.9,
    "pavement": 1.3,
    "terrain": 1.4,
    "building": 1.1,
    "vegetation": 1.0,
    "barrier": 1.1,
    "car": 0.8,
    "truck": 0.8,
    "bus": 0.8,
    "pole": 0.7,
    "sign": 0.7,
    "light": 0.7,
    "debris": 0.8,
    "cone": 0.5,
    "other": 0.8,
}
"""How much of the snow that lies on level ground lies on what faces up of each class."""

_GROUND_TABLE = np.isin(np.arange(256), [CLASS_ID[name] for name in GROUND])

SNOW: Colour = (0.97, 0.985, 1.0)
SHADE: Colour = (0.8, 0.9, 1.06)
"""Snow in the shade takes the colour of the sky."""
MUD: Colour = (0.38, 0.28, 0.18)
WET_MUD: Colour = (0.2, 0.145, 0.09)
RUT_M = 2.4
"""How far mud stretches along the road before it changes."""

USUAL: Mapping[str, float] = {
    "road": 0.37,
    "pavement": 0.52,
    "terrain": 0.42,
    "building": 0.5,
    "vegetation": 0.3,
}
"""How bright each class looks where white is 1; pictures tell by them how bright white is."""

PATCH_LOOK: Mapping[str, tuple[Colour, float]] = {
    "puddle": ((0.12, 0.13, 0.14), 0.45),
    "flooded_road": ((0.25, 0.23, 0.19), 0.55),
    "oil_spill": ((0.03, 0.03, 0.04), 0.86),
    "ice_patch": ((0.78, 0.83, 0.87), 0.55),
    "mud": (MUD, 0.94),
    "pothole": ((0.13, 0.12, 0.11), 0.95),
    "wet_leaves": ((0.5, 0.3, 0.1), 0.95),
}
"""The colour of each patch in white light, and how much it hides of the road."""
DUSTY: Colour = (0.62, 0.59, 0.54)
"""The broken edge of a hole in the road."""
AUTUMN: tuple[Colour, ...] = (
    (0.72, 0.43, 0.1),
    (0.5, 0.19, 0.09),
    (0.76, 0.6, 0.18),
    (0.32, 0.2, 0.1),
    (0.2, 0.13, 0.08),
)
LEAF_M = 0.085
RAINBOW = 0.22
"""How colourful a film of oil is."""

_STEPS_M = (0.6, 1.2, 2.2, 3.8, 6.0, 9.0, 13.0, 19.0, 28.0, 42.0, 70.0)
"""How far along a reflected ray things are looked for."""
_FIELD = 1024
"""The side of the noise that lies on the ground; a power of two."""
_MIRROR_ROWS = 200
"""Reflections in ice and water are as coarse as this."""


@dataclass(frozen=True, eq=False)
class Light:
    """How bright white is: `white` in 0..1 in full light, `shade` (H, W) of it at each pixel.

    `tint` is the colour of the light, as grey roads show it.
    """

    white: float
    shade: Plane
    tint: Colour = (1.0, 1.0, 1.0)

    def within(self, rows: slice, columns: slice) -> "Light":
        """The light in a part of the picture."""
        return replace(self, shade=self.shade[rows, columns])


def light_in(picture: Planes, labels: Labels, depth_m: Plane) -> Light:
    """The light on what is seen, told by how bright each class is against what it usually is.

    What is only a little darker than the rest of its class is a darker material, such as a mended
    road, not shade; lines and cracks are no shade either.
    """
    bright = brightness(picture)
    solid = np.isfinite(depth_m) & (labels != CLASS_ID["sky"])
    white = _white(bright, labels, solid)
    shade = np.ones_like(bright)
    for id in np.unique(labels[solid]).tolist():
        own = solid & (labels == id)
        usual = max(float(np.percentile(bright[own], 70)), 0.02)
        shade[own] = np.minimum(bright[own] / (np.float32(0.8) * usual), np.float32(1.15))
    level = _GROUND_TABLE[labels] & solid
    plain = level & (labels != CLASS_ID["road_mark"])
    standing = blurred(shade / np.float32(1.15), max(1.0, shade.shape[0] / 160)) * np.float32(1.15)
    shade = np.clip(np.where(level, _lying(shade, plain), standing), 0.04, 1.05)
    return Light(white, shade, _tint(picture, bright, plain))


def _tint(picture: Planes, bright: Plane, plain: Mask) -> Colour:
    """The colour of the light: that of grey ground, halfway."""
    if not plain.any():
        return 1.0, 1.0, 1.0
    mean = picture[:, plain].mean(axis=1) / max(float(bright[plain].mean()), 1e-3)
    r, g, b = np.clip(0.5 + 0.5 * mean, 0.88, 1.12).tolist()
    return r, g, b


def _lying(shade: Plane, plain: Mask) -> Plane:
    """The shade (H, W) on level ground, told by its `plain` pixels; thin dark lines are none."""
    height, width = shade.shape
    side = max(2, height // 56)
    rows, columns = -(-height // side), -(-width // side)
    padded = np.zeros((rows * side, columns * side), np.float32)
    padded[:height, :width] = np.where(plain, shade / np.float32(1.15), 0)
    brightest = padded.reshape(rows, side, columns, side).max(axis=(1, 3))
    known = (brightest > 0).astype(np.float32)
    weight = np.maximum(blurred(known, 1.7), np.float32(0.02))
    filled = blurred(brightest, 1.7) / weight * np.float32(1 / 1.15)
    pixels = np.clip(filled * 255, 0, 255).astype(np.uint8)
    large = resize(pixels, (rows * side, columns * side))[:height, :width]
    return large.astype(np.float32) * np.float32(1.15 * 1.15 / 255)


def _white(bright: Plane, labels: Labels, solid: Mask) -> float:
    """How bright white would be, by what the classes that are seen are like in full light."""
    ratios = [
        bright[own] / np.float32(usual)
        for name, usual in USUAL.items()
        if (own := solid & (labels == CLASS_ID[name])).any()
    ]
    every = np.concatenate(ratios) if ratios else bright.ravel() * np.float32(1.5)
    return float(np.clip(0.9 * np.percentile(every, 70), 0.08, 0.9))


def brightness(picture: Planes) -> Plane:
    """How bright each pixel (H, W) looks."""
    grey: Plane = picture[0] * np.float32(0.3) + picture[1] * np.float32(0.59)
    grey += picture[2] * np.float32(0.11)
    return grey


def field(points: Planes, x_m: float, y_m: float, seed: int) -> Plane:
    """Noise in 0..1 that lies on the ground; its blotches are about so long and wide."""
    values = noise(_FIELD)
    row = _places(points[0], x_m, 283 * (seed % 97))
    across = _places(points[1], y_m, 149 * (seed % 89))
    found: Plane = values.reshape(-1)[row * _FIELD + across]
    return found


def _places(metres: Plane, blotch_m: float, start: int) -> NDArray[np.int32]:
    steps = metres * np.float32(_FIELD / (8 * blotch_m)) + np.float32(start)
    places: NDArray[np.int32] = np.floor(steps).astype(np.int32) & np.int32(_FIELD - 1)
    return places


def snow_on(points: Planes, normals: Planes, labels: Labels, cover: float, seed: int) -> Plane:
    """How much of each pixel (H, W) lying snow hides, 0..1; nothing on what moves or stands up."""
    weight = np.zeros(256, np.float32)
    for name, share in SNOWED.items():
        weight[CLASS_ID[name]] = share
    tilt = np.clip((normals[2] - np.float32(0.35)) * np.float32(2.5), 0, 1)
    leaves = labels == CLASS_ID["vegetation"]
    # leaves face all ways; what of them is seen is dusted, more so higher up
    tilt = np.where(leaves, np.clip(0.45 + 0.4 * normals[2], 0, 0.85), tilt)
    broad, fine = field(points, 3.5, 1.6, seed), field(points, 0.4, 0.35, seed + 5)
    flat = np.isin(labels, [CLASS_ID[name] for name in ("road", "road_mark", "terrain")])
    # normals are wrong at the edges of thin layers of tar and paint
    tilt = np.where(flat, np.maximum(tilt, np.float32(0.97)), tilt)
    # on a car's roof snow lies everywhere or nowhere; on the ground in drifts
    broad = np.where(_GROUND_TABLE[labels], broad, np.float32(0.6))
    lumps = np.float32(0.68) * broad + np.float32(0.32) * fine
    amount = np.float32(cover) * weight[labels]
    # less snow first leaves the thin places bare, then only lies in the thick ones
    thick = np.clip((lumps - (1 - amount)) * 3 + np.float32(0.5), 0, 1)
    lying: Plane = (thick * np.clip(amount * 1.5, 0, 1) * tilt).astype(np.float32)
    return lying


def whitened(picture: Planes, snow: Plane, points: Planes, light: Light, seed: int) -> Planes:
    """The picture with snow where it lies."""
    drifts = np.float32(0.9) + np.float32(0.14) * field(points, 1.8, 0.9, seed + 13)
    grain = drifts * (np.float32(0.95) + np.float32(0.1) * field(points, 0.09, 0.09, seed + 11))
    sun = np.clip(light.shade, 0, 1)
    tint = column(SHADE) + (column(SNOW) - column(SHADE)) * sun
    tint *= column(light.tint)
    snowy = tint * (np.float32(light.white) * light.shade * grain)
    covered: Planes = picture + (snowy - picture) * snow
    return covered


def mud_on(points: Planes, labels: Labels, seed: int) -> Plane:
    """How much mud hides of each pixel (H, W) of the roads, in streaks along them."""
    road = (labels == CLASS_ID["road"]) | (labels == CLASS_ID["road_mark"])
    streaks = field(points, RUT_M, 0.35, seed + 2)
    clods = field(points, 0.3, 0.3, seed + 3)
    lumps = np.float32(0.6) * streaks + np.float32(0.4) * clods
    spread: Plane = np.clip((lumps - np.float32(0.3)) * 5 + np.float32(0.4), 0, 1) * road
    return (np.float32(0.95) * spread).astype(np.float32)


def muddied(picture: Planes, mud: Plane, points: Planes, light: Light, seed: int) -> Planes:
    """The picture with mud where it lies: darker where it is wet."""
    wet = np.clip((field(points, RUT_M, 0.5, seed + 7) - np.float32(0.42)) * 4, 0, 1)
    grain = np.float32(0.8) + np.float32(0.4) * field(points, 0.12, 0.12, seed + 9)
    earth = column(MUD) + (column(WET_MUD) - column(MUD)) * wet
    muddy = earth * (np.float32(0.85 * light.white) * light.shade * grain)
    covered: Planes = picture + (muddy - picture) * mud
    return covered


def patch_cover(mirror: Mirror, points: Planes, ground: Mask) -> Plane:
    """How much of each pixel (H, W) a patch takes up: 1 inside, less towards its ragged edge."""
    length, width = mirror.size_m
    cover = np.zeros(ground.shape, np.float32)
    ragged = np.float32(0.93) + np.float32(0.14) * field(points, 0.25, 0.25, len(mirror.radii))
    origin = np.asarray((*mirror.position_m[:2], 0.0), np.float32)[:, None, None]
    spread = (points - origin) * ragged + origin
    for share in (1.0, 0.95, 0.9, 0.84):
        cover += within_edge(replace(mirror, size_m=(share * length, share * width)), spread)
    softened: Plane = cover * np.float32(0.25) * ground
    return softened


def patched(
    picture: Planes, kind: str, cover: Plane, points: Planes, light: Light, seed: int
) -> Planes:
    """The picture with a patch of a kind where it lies, before anything mirrors in it."""
    colour, hides = PATCH_LOOK[kind]
    if kind == "mud":
        return muddied(picture, cover * np.float32(hides), points, light, seed)
    own = column(colour) * (np.float32(light.white) * light.shade)
    if kind == "wet_leaves":
        leaves, lie = _leaves(points, cover, seed)
        own = leaves * (np.float32(light.white) * light.shade)
        cover = cover * lie
    if kind == "pothole":
        rim = np.clip(3 - 3.2 * cover, 0, 1) * field(points, 0.1, 0.1, seed + 1)
        own = own + (column(DUSTY) * np.float32(light.white) * light.shade - own) * rim
    if kind == "oil_spill":
        own = own + _rainbow(points, cover, seed) * np.float32(RAINBOW * light.white) * light.shade
    if kind == "ice_patch":
        cracks = np.abs(field(points, 0.5, 0.5, seed + 4) - np.float32(0.5)) < np.float32(0.011)
        frost = np.clip((field(points, 0.5, 0.4, seed + 8) - np.float32(0.45)) * 4, 0, 1)
        rim = np.clip(2 - 2 * cover, 0, 1)
        pale = np.maximum(np.maximum(frost, rim), cracks)
        own = own * (np.float32(0.62) + np.float32(0.5) * pale)
    covered: Planes = picture + (own - picture) * (cover * np.float32(hides))
    return covered


def _leaves(points: Planes, cover: Plane, seed: int) -> tuple[Planes, Plane]:
    """The colours of leaves (3, H, W) that lie on each other, and where any lie (H, W)."""
    bend = field(points, 0.2, 0.2, seed + 1)
    row, across = (
        np.floor(points[k] / np.float32(LEAF_M) + (1 + k) * 2.4 * bend).astype(np.int64)
        for k in (0, 1)
    )
    mixed = (row * 73856093 ^ across * 19349663 ^ seed * 83492791) & 0x7FFFFFFF
    mixed = (mixed ^ mixed >> 13) * 0x5BD1E995 & 0x7FFFFFFF
    tones = np.asarray(AUTUMN, np.float32)[mixed % len(AUTUMN)]
    gloss = np.float32(0.75) + np.float32(0.5) * field(points, 0.05, 0.04, seed + 3)
    # towards the edge fewer of them lie
    lie = (mixed >> 8) % 97 < np.float32(108) * cover
    return np.moveaxis(tones, -1, 0) * gloss, lie.astype(np.float32)


def _rainbow(points: Planes, cover: Plane, seed: int) -> Planes:
    """The colours of a thin film (3, H, W) in 0..1, in bands that follow its thickness."""
    thick = 9 * field(points, 0.8, 0.7, seed + 6) + 2.5 * cover
    phases = np.asarray([0.0, 2.1, 4.2], np.float32)[:, None, None]
    bands = np.float32(0.5) + np.float32(0.5) * np.cos(thick * np.float32(2.6) + phases)
    film: Planes = bands * np.clip(thick - np.float32(2.5), 0, 1)
    return film


def reflection(picture: Planes, depth_m: Plane, eye: Eye, ground: Mask) -> Planes:
    """What level ground would mirror (3, H, W), found in the picture itself; rough, drawn out down.

    Reflected rays are followed until they pass behind something seen; those that meet nothing end
    at the sky where they point. What lies outside the picture is taken from its edge.
    """
    height, width = depth_m.shape
    step = max(1, round(height / _MIRROR_ROWS))
    rows, columns = np.arange(0, height, step), np.arange(0, width, step)
    small: Size = (len(rows), len(columns))
    fov_rad = 2 * float(np.arctan(small[0] / 2 * eye.step * step))
    coarse = eye_of(small, fov_rad, eye.position_m, eye.axes)
    depth = depth_m[np.ix_(rows, columns)]
    flat = ground[np.ix_(rows, columns)] & np.isfinite(depth)
    seen = _as_planes(picture, small)
    mirrored = seen.copy()
    if flat.any():
        where = _march(depth, coarse, flat, ground[np.ix_(rows, columns)])
        mirrored[:, flat] = seen.reshape(3, -1)[:, where]
    pixels = np.ascontiguousarray(np.moveaxis(np.clip(mirrored, 0, 1) * 255, 0, -1)).astype(
        np.uint8
    )
    drawn_out = resize(pixels, (max(1, small[0] // 4), small[1]))
    return planes_of(resize(drawn_out, (height, width)))


def _as_planes(picture: Planes, size_px: Size) -> Planes:
    pixels = np.clip(np.moveaxis(picture, 0, -1) * 255, 0, 255).astype(np.uint8)
    return planes_of(resize(np.ascontiguousarray(pixels), size_px))


def _march(depth: Plane, eye: Eye, flat: Mask, ground: Mask) -> NDArray[np.intp]:
    """The pixel (N,), a flat index, that each flat pixel mirrors."""
    height, width = depth.shape
    rays = eye.rays[:, flat].astype(np.float64)
    start = rays * depth[flat] + np.asarray(eye.position_m)[:, None]
    up = rays * np.array([[1.0], [1.0], [-1.0]])
    up /= np.linalg.norm(up, axis=0)
    scene = np.where(ground, np.inf, depth)
    found = np.full(flat.sum(), -1, np.intp)
    for metres in (*_STEPS_M, 1e5):
        x, y, z = eye.axes.T @ (start + up * metres - np.asarray(eye.position_m)[:, None])
        ahead = np.maximum(z, 1e-3)
        row = np.clip(y / ahead / eye.step + height / 2, 0, height - 1).astype(np.intp)
        across = np.clip(x / ahead / eye.step + width / 2, 0, width - 1).astype(np.intp)
        place = row * width + across
        meets = scene.reshape(-1)[place] < z
        if metres > _STEPS_M[-1]:
            meets = np.ones_like(meets)
        fresh = (found < 0) & meets
        found[fresh] = place[fresh]
    return found


def cropped(eye: Eye, rows: slice, columns: slice) -> Eye:
    """The eye that looks through a part of the picture only."""
    x, y = eye.slopes
    part = x[rows, columns], y[rows, columns]
    size_px: Size = (part[0].shape[0], part[0].shape[1])
    return Eye(size_px, eye.position_m, eye.axes, part, eye.stretch[rows, columns])


def is_ground(labels: Labels, normals: Planes) -> Mask:
    """The pixels (H, W) of level ground."""
    level: Mask = _GROUND_TABLE[labels] & (normals[2] > np.float32(0.8))
    return level
