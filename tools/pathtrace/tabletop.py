# SPDX-License-Identifier: GPL-3.0-or-later
"""Table tops: a room, a table, the robot arm, the scene's things and clutter of the place."""

import math
from collections.abc import Mapping
from typing import Any

import bpy
import numpy as np

from tools.pathtrace.assets import allowed
from tools.pathtrace.roadthings import Put
from tools.pathtrace.shapes import Build
from tools.pathtrace.stage import Stage
from tools.pathtrace.tablethings import BRIGHT, MAKERS

TABLE_X_M, TABLE_Y_M = (-0.48, 1.02), (-0.92, 0.92)
WALL_X_M, FLOOR_Z_M = -0.60, -0.74
HDRIS = ("city", "courtyard", "forest", "interior", "studio", "sunrise", "sunset")
CLASS_OF = {
    **dict.fromkeys(
        [
            "mug",
            "cup",
            "bottle",
            "milk",
            "bowl",
            "glass",
            "vase",
            "box",
            "penbox",
            "tray",
            "spray_bottle",
            "cooker",
        ],
        "container",
    ),
    **dict.fromkeys(["fruit_bowl", "bread"], "food"),
    **dict.fromkeys(
        [
            "laptop",
            "phone",
            "tablet",
            "radio",
            "coffee_maker",
            "toaster",
            "desk_phone",
            "kitchen_scale",
            "headphones",
            "microwave",
        ],
        "electronics",
    ),
    **dict.fromkeys(
        ["pliers", "tape_measure", "stapler", "utensils", "ruler", "pencil", "drill"], "tool"
    ),
    "plant": "vegetation",
    "desk_lamp": "light",
}
"""The class of each kind of clutter; what is not here is 'other'."""
CLUTTER: Mapping[str, tuple[str, ...]] = {
    "kitchen_table": (
        "mug",
        "glass",
        "fruit_bowl",
        "bread",
        "milk",
        "plant",
        "utensils",
        "chopping_board",
        "radio",
        "kitchen_scale",
        "bowl",
        "cup",
        "bottle",
        "spray_bottle",
    ),
    "office_desk": (
        "mug",
        "plant",
        "book",
        "penbox",
        "stapler",
        "calendar",
        "headphones",
        "glasses",
        "keys",
        "pencil",
        "ruler",
        "desk_phone",
        "rubik",
        "tablet",
        "tray",
        "cup",
        "desk_lamp",
        "teddy",
    ),
    "workshop_bench": (
        "tape",
        "tape_measure",
        "pliers",
        "spray_bottle",
        "cup",
        "box",
        "radio",
        "ruler",
        "pencil",
        "keys",
        "bottle",
    ),
    "lab_bench": (
        "cup",
        "glass",
        "tray",
        "box",
        "spray_bottle",
        "book",
        "pencil",
        "tablet",
        "penbox",
        "bottle",
    ),
}
BACK: Mapping[str, tuple[str, ...]] = {
    "kitchen_table": (
        "coffee_maker",
        "toaster",
        "plant",
        "microwave",
        "utensils",
        "bottle",
        "radio",
        "cooker",
    ),
    "office_desk": ("plant", "desk_lamp", "book", "penbox", "tray", "radio", "teddy"),
    "workshop_bench": ("box", "spray_bottle", "radio", "bottle", "drill"),
    "lab_bench": ("box", "bottle", "spray_bottle", "kitchen_scale", "tray", "plant"),
}
LYING = frozenset(
    {"pencil", "ruler", "pliers", "tape_measure", "keys", "glasses", "tablet", "book"}
)


def build(stage: Stage, scene: Mapping[str, Any]) -> list[str]:
    """Everything to see of a table-top scene; returns the names that could not be drawn.

    Raises ValueError if one of those is a hazard, or the place is unknown.
    """
    setup, words = scene["setup"], scene["texture_prompts"]
    conditions = setup["conditions"]
    place = conditions["place"]
    if place not in CLUTTER:
        raise ValueError(f"no place '{place}'")
    cut = {key: value.removeprefix("seamless texture of ") for key, value in words.items()}
    stage.palette.weather(0.0, 0.0)
    left_out = _objects(stage, setup)
    _room(stage, cut, place)
    _arm(stage, setup)
    _clutter(stage, place, setup["clutter"])
    _back(stage, place)
    _light(stage, conditions)
    return left_out


def _objects(stage: Stage, setup: Mapping[str, Any]) -> list[str]:
    missing = []
    for thing in setup["objects"]:
        maker = MAKERS.get(thing["kind"])
        if maker is None:
            if thing["hazard"]:
                raise ValueError(f"no way to draw a '{thing['kind']}'")
            missing.append(thing["name"])
            continue
        box = thing["box"]
        number = stage.thing(
            thing["name"], thing["kind"], thing["class_name"], hazard=thing["hazard"], in_scene=True
        )
        x, y, z = box["centre_m"]
        put = Put(
            thing["kind"],
            number,
            (x, y, max(z - box["size_m"][2] / 2, 0.0005)),
            tuple(box["size_m"]),
            box["heading_rad"],
            tuple(thing["colour"]) if thing["colour"] else None,
            False,
        )
        stage.taken.append((x, y, 0.5 * math.hypot(*box["size_m"][:2]) + 0.02))
        maker(stage, put, stage.rng(f"object {thing['name']}"))
    return missing


def _room(stage: Stage, cut: Mapping[str, str], place: str) -> None:
    palette, rng = stage.palette, stage.rng("room")
    seed = int(rng.integers(4))
    top = palette.tile(cut["table"], seed, 0.9, bump=0.25)
    x0, x1, (y0, y1) = *TABLE_X_M, TABLE_Y_M
    table = Build()
    table.box(((x0 + x1) / 2, 0, -0.0225), (x1 - x0, y1 - y0, 0.045), top)
    frame = palette.plain(
        ((0.06, 0.06, 0.065), (0.35, 0.22, 0.12), (0.6, 0.6, 0.6))[int(rng.integers(3))], 0.5
    )
    for x in (x0 + 0.06, x1 - 0.06):
        for y in (y0 + 0.06, y1 - 0.06):
            table.box((x, y, -0.4), (0.06, 0.06, 0.7), frame)
    table.box(((x0 + x1) / 2, y0 + 0.06, -0.09), (x1 - x0 - 0.1, 0.03, 0.09), frame)
    table.box((x1 - 0.06, 0, -0.09), (0.03, y1 - y0 - 0.1, 0.09), frame)
    stage.solid(table, stage.stuff("table"))
    floor = Build()
    ground = palette.tile(cut["floor"], seed, 2.0, bump=0.4)
    floor.face(
        [(-3, -4, FLOOR_Z_M), (5, -4, FLOOR_Z_M), (5, 4, FLOOR_Z_M), (-3, 4, FLOOR_Z_M)],
        ground,
        [(-3, -4), (5, -4), (5, 4), (-3, 4)],
    )
    stage.solid(floor, stage.stuff("floor"))
    wall = Build()
    paint = palette.tile(cut["wall"], seed, 1.6, bump=0.5)
    wall.face(
        [
            (WALL_X_M, -3, FLOOR_Z_M),
            (WALL_X_M, 3, FLOOR_Z_M),
            (WALL_X_M, 3, 2.2),
            (WALL_X_M, -3, 2.2),
        ],
        paint,
        [(-3, 0), (3, 0), (3, 2.9), (-3, 2.9)],
    )
    for y in (-2.6, 2.6):
        wall.face(
            [(WALL_X_M, y, FLOOR_Z_M), (4, y, FLOOR_Z_M), (4, y, 2.2), (WALL_X_M, y, 2.2)],
            paint,
            [(0, 0), (4.6, 0), (4.6, 2.9), (0, 2.9)],
        )
    wall.box(
        (WALL_X_M + 0.01, 0, FLOOR_Z_M + 0.045),
        (0.02, 6, 0.09),
        palette.plain((0.6, 0.59, 0.56), 0.5),
    )
    stage.solid(wall, stage.stuff("wall"))
    _on_the_wall(stage, place, rng)


def _on_the_wall(stage: Stage, place: str, rng: np.random.Generator) -> None:
    """Shelves with things, pictures and sockets; all out of the table's reach."""
    palette = stage.palette
    other = stage.stuff("other")
    side = 1 if rng.uniform() < 0.5 else -1
    wood = palette.plain(
        ((0.42, 0.28, 0.16), (0.65, 0.64, 0.62), (0.1, 0.06, 0.04))[int(rng.integers(3))], 0.5
    )
    if rng.uniform() < 0.8:
        y, z, wide = (
            -0.5 * side + float(rng.normal(0, 0.1)),
            float(rng.uniform(0.36, 0.52)),
            float(rng.uniform(0.6, 1.0)),
        )
        shelf = Build()
        shelf.box((WALL_X_M + 0.09, y, z), (0.18, wide, 0.025), wood)
        stage.solid(shelf, other)
        at = y - wide / 2 + 0.09
        while at < y + wide / 2 - 0.06:
            kind = BACK[place][int(rng.integers(len(BACK[place])))]
            name = stage.pick(kind, rng)
            size = stage.size(name)
            scale = min(1.0, 0.26 / size[2], 0.17 / size[0], 0.2 / size[1])
            wide_here = max(size[0], size[1]) * scale
            stage.model(
                name,
                stage.thing(f"shelf {at:.2f}", kind, CLASS_OF.get(kind, "other")),
                (WALL_X_M + 0.09, at + wide_here / 2 - 0.04, z + 0.0125),
                float(rng.normal(0, 0.4)),
                scale,
            )
            at += wide_here + float(rng.uniform(0.02, 0.12))
    if rng.uniform() < 0.55:
        frame, y, z = (
            Build(),
            0.55 * side + float(rng.normal(0, 0.12)),
            float(rng.uniform(0.5, 0.7)),
        )
        wide, high = float(rng.uniform(0.25, 0.5)), float(rng.uniform(0.25, 0.45))
        frame.box(
            (WALL_X_M + 0.012, y, z), (0.024, wide, high), palette.plain((0.05, 0.045, 0.04), 0.4)
        )
        low, up = BRIGHT[int(rng.integers(5))], BRIGHT[int(rng.integers(5))]
        frame.box(
            (WALL_X_M + 0.02, y, z),
            (0.012, wide - 0.05, high - 0.05),
            palette.mottled(low, up, 5, 0.4),
        )
        stage.solid(frame, other)
    socket = Build()
    y = float(rng.uniform(-0.8, 0.8))
    socket.box(
        (WALL_X_M + 0.005, y, 0.16), (0.01, 0.085, 0.085), palette.plain((0.7, 0.7, 0.69), 0.4)
    )
    socket.lathe(
        [(0.02, 0), (0.02, 0.002)],
        palette.plain((0.4, 0.4, 0.4), 0.5),
        (WALL_X_M + 0.0105, y, 0.16),
        20,
        np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]], float),
    )
    stage.solid(socket, other)


def _arm(stage: Stage, setup: Mapping[str, Any]) -> None:
    """A jointed arm on the table's back edge, turned away from where the scene's things are."""
    rng, palette = stage.rng("arm"), stage.palette
    number = stage.thing("arm", "robot_arm", "robot")
    body = palette.plain(
        (
            (0.7, 0.7, 0.69),
            (0.72, 0.3, 0.03),
            (0.62, 0.48, 0.03),
            (0.12, 0.12, 0.13),
            (0.55, 0.57, 0.6),
        )[int(rng.integers(5))],
        0.3,
        coat=0.4,
    )
    dark = palette.plain((0.03, 0.03, 0.033), 0.45)
    steel = palette.plain((0.5, 0.5, 0.51), 0.25, 1.0)
    spots = [(o["box"]["centre_m"][0], o["box"]["centre_m"][1]) for o in setup["objects"]]
    yaws = np.linspace(-1.2, 1.2, 13) + rng.normal(0, 0.05, 13)
    clear = [
        min([abs(math.remainder(math.atan2(y, x) - a, 2 * math.pi)) for x, y in spots] or [1.0])
        for a in yaws
    ]
    yaw = float(yaws[int(np.argmax(np.asarray(clear) + rng.uniform(0, 0.25, 13)))])
    lift, bend = float(rng.uniform(0.5, 1.1)), float(rng.uniform(1.5, 2.1))
    shoulder = np.array([0.0, 0.24])
    elbow = shoulder + 0.3 * np.array([math.cos(lift + 0.5), math.sin(lift + 0.5)])
    fore = lift + 0.5 - bend
    wrist = elbow + 0.27 * np.array([math.cos(fore), math.sin(fore)])
    tool = wrist + np.array([0.02, -0.1])
    if tool[1] < 0.12:
        shift = 0.12 - tool[1]
        for point in (elbow, wrist, tool):
            point[1] += shift
    build = Build()
    build.lathe([(0.1, 0), (0.1, 0.02), (0.082, 0.03), (0.078, 0.13), (0.07, 0.15)], dark, sides=32)
    build.lathe([(0.07, 0.15), (0.072, 0.2), (0.07, 0.29), (0.05, 0.31)], body, sides=32)

    def link(a: np.ndarray, b: np.ndarray, radius: float, side: float) -> None:
        steps = [a + t * (b - a) for t in np.linspace(0, 1, 6)]
        build.tube([(float(p[0]), side, float(p[1])) for p in steps], radius, body, 18)

    def joint(p: np.ndarray, radius: float, half: float, side: float) -> None:
        build.tube(
            [
                (float(p[0]), side - half, float(p[1])),
                (float(p[0]), side, float(p[1])),
                (float(p[0]), side + half, float(p[1])),
            ],
            radius,
            body,
            24,
        )
        for end in (-half - 0.006, half + 0.006):
            build.tube(
                [
                    (float(p[0]), side + end - 0.006, float(p[1])),
                    (float(p[0]), side + end, float(p[1])),
                    (float(p[0]), side + end + 0.006, float(p[1])),
                ],
                radius * 0.8,
                dark,
                24,
            )

    joint(shoulder, 0.062, 0.075, 0.0)
    link(shoulder, elbow, 0.046, 0.06)
    joint(elbow, 0.052, 0.07, 0.02)
    link(elbow, wrist, 0.038, -0.02)
    joint(wrist, 0.04, 0.05, 0.0)
    link(wrist, tool, 0.034, 0.0)
    x, z = float(tool[0]), float(tool[1])
    build.lathe([(0.036, z - 0.03), (0.036, z)], dark, (x, 0, 0), 24)
    build.box((x, 0, z - 0.045), (0.05, 0.11, 0.035), dark)
    gap = float(rng.uniform(0.015, 0.045))
    for side in (-1, 1):
        build.box((x, side * gap, z - 0.095), (0.02, 0.012, 0.08), steel)
    stage.solid(build, number, (0, 0, 0), yaw)
    for reach in (0.0, 0.12, 0.3):
        stage.taken.append((reach * math.cos(yaw), reach * math.sin(yaw), 0.13))


def _lay(stage: Stage, rng: np.random.Generator, kind: str, label: str, x: float, y: float) -> bool:
    name = stage.pick(kind, rng)
    size = stage.size(name)
    scale = min(1.0, 0.3 / max(size))
    radius = 0.5 * math.hypot(size[0], size[1]) * scale + 0.015
    inside = (
        TABLE_X_M[0] + radius < x < TABLE_X_M[1] - radius
        and TABLE_Y_M[0] + radius < y < TABLE_Y_M[1] - radius
    )
    if not inside or not stage.take(x, y, radius):
        return False
    number = stage.thing(label, kind, CLASS_OF.get(kind, "other"))
    stage.model(name, number, (x, y, 0.0006), float(rng.uniform(0, 2 * math.pi)), scale)
    return True


def _clutter(stage: Stage, place: str, share: float) -> None:
    rng = stage.rng("clutter")
    kinds, wanted, placed = CLUTTER[place], round(1 + 9 * share), 0
    for _ in range(wanted * 6):
        if placed >= wanted:
            return
        kind = kinds[int(rng.integers(len(kinds)))]
        x, y = float(rng.uniform(0.05, TABLE_X_M[1])), float(rng.uniform(*TABLE_Y_M))
        placed += _lay(stage, rng, kind, f"clutter {placed}", x, y)


def _back(stage: Stage, place: str) -> None:
    """Larger things along the wall."""
    rng = stage.rng("back")
    for k in range(int(rng.integers(2, 6))):
        kind = BACK[place][int(rng.integers(len(BACK[place])))]
        side = 1 if rng.uniform() < 0.5 else -1
        _lay(
            stage,
            rng,
            kind,
            f"back {k}",
            float(rng.uniform(-0.36, -0.2)),
            side * float(rng.uniform(0.25, 0.8)),
        )


def _light(stage: Stage, conditions: Mapping[str, Any]) -> None:
    """A window on one side, a ceiling lamp, and a real room's or sky's light all round."""
    rng = stage.rng("light")
    names = allowed(list(HDRIS), stage.held_out)
    name = names[int(rng.integers(len(names)))]
    stage.assets.add(f"hdri/{name}")
    night = conditions["time_of_day"] == "night"
    world = bpy.context.scene.world or bpy.data.worlds.new("world")
    bpy.context.scene.world = world
    world.use_nodes = True
    tree = world.node_tree
    tree.nodes.clear()
    folder = bpy.utils.system_resource("DATAFILES", path="studiolights/world")
    picture = bpy.data.images.load(f"{folder}/{name}.exr", check_existing=True)
    where, turn = tree.nodes.new("ShaderNodeTexCoord"), tree.nodes.new("ShaderNodeMapping")
    turn.inputs["Rotation"].default_value[2] = float(rng.uniform(0, 2 * math.pi))
    node, back = tree.nodes.new("ShaderNodeTexEnvironment"), tree.nodes.new("ShaderNodeBackground")
    end = tree.nodes.new("ShaderNodeOutputWorld")
    node.image = picture
    back.inputs[1].default_value = 0.12 if night else 0.8
    tree.links.new(where.outputs["Generated"], turn.inputs[0])
    tree.links.new(turn.outputs[0], node.inputs[0])
    tree.links.new(node.outputs[0], back.inputs[0])
    tree.links.new(back.outputs[0], end.inputs[0])
    side = 1 if rng.uniform() < 0.5 else -1
    if not night:
        tone = {"dusk": (1.0, 0.6, 0.36), "dawn": (1.0, 0.75, 0.6)}.get(
            conditions["time_of_day"], (0.95, 0.98, 1.0)
        )
        at = (float(rng.uniform(0.1, 1.0)), side * 2.3, float(rng.uniform(0.9, 1.5)))
        to = (float(rng.normal(0, 0.25)), -side, -0.55)
        stage.window(at, to, (1.2, 1.0), float(rng.uniform(40, 110)), tone)
        if conditions["cloud"] < 0.5 and rng.uniform() < 0.45:
            stage.sun(
                (float(rng.normal(0, 0.4)), -side, -0.8), float(rng.uniform(1.0, 3.0)), tone, 0.02
            )
    warm = (1.0, 0.76, 0.5) if rng.uniform() < 0.6 else (1.0, 0.95, 0.88)
    power = float(rng.uniform(40, 80)) if night else float(rng.uniform(0, 30))
    stage.window(
        (float(rng.uniform(0.2, 0.9)), float(rng.normal(0, 0.4)), 1.9),
        (0.02, 0.02, -1),
        (0.5, 0.5),
        power,
        warm,
    )
