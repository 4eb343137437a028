"""Pictures to learn from: scenes from the whole width of the catalogue, as the worlds show them.

Every part of a corpus depends on its number alone, so that parts can be made in any order, by
several processes, and made again elsewhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from hartsim.images import resize
from hartsim.scenario.broad import broad_scenario, portrait_scenario
from hartsim.scenario.compiled import CompiledScene
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.library import library_scenarios
from hartsim.scenario.load import load_scenario
from hartsim.scenario.prompts import backdrop_prompt, describe, sky_phrase
from hartsim.training.corpus import HAZARD, OBJECT, Entry, refuse_strangers, write_part
from hartsim.types import CLASS_ID, UNKNOWN, Frame, Image, Labels, Task
from hartsim.worlds import World, street, tabletop_textures, textures
from hartsim.worlds.embedded import EmbeddedWorld

PART_SIZE = 250
HELD_OUT_EVERY = 20
"""One part in so many is held out; its scenes and textures are in no other."""
MIX: tuple[str, ...] = ("street",) * 4 + ("tabletop",) * 2 + ("shipped",) * 2
MIX += ("texture", "street backdrop")
MIX += ("street",) * 4 + ("tabletop",) * 2 + ("shipped",) * 2 + ("texture", "tabletop backdrop")
MIX += ("street",) * 3 + ("tabletop",) * 3 + ("shipped",) * 2 + ("texture", "sky")
"""What successive pictures show; `shipped` is a draw of a scenario from the library."""
PORTRAITS: tuple[str, ...] = ("street portrait",) * 5 + ("tabletop portrait",) * 2
"""Another mix: hazards alone and near."""
SHIPPED_SEED = 1_000_000_000
WORDINGS = 6
SEEN_PX = 40
"""Fewer pixels than this nobody would mention."""
FARTHEST_SIZES = 6.0
"""Hazards are learned from near, where they fill a few tokens."""


def make_corpus(
    root: Path,
    parts: int,
    size_px: int = 256,
    shard: tuple[int, int] = (0, 1),
    portraits: bool = False,
) -> Iterator[Path]:
    """Write the parts of this shard that are missing, and yield each as it is done.

    With `portraits` they are of hazards alone and near, beside those of the usual mix.
    """
    refuse_strangers(root)
    with ExitStack() as stack:
        worlds: dict[Task, World] = {}
        for task in ("driving", "robot"):
            world = EmbeddedWorld(task, (size_px, size_px))
            worlds[task] = stack.enter_context(closing(world))
        for number in range(shard[0], parts, shard[1]):
            held_out = number % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
            name = f"{'held' if held_out else 'train'}-{'portraits-' * portraits}{number:05d}"
            mix = PORTRAITS if portraits else MIX
            if write_part(root, name, part_entries(number, worlds, size_px, mix)):
                yield root / name


def part_entries(
    number: int, worlds: Mapping[Task, World], size_px: int, mix: Sequence[str] = MIX
) -> Iterator[Entry]:
    """The pictures of one part."""
    for seed in range(number * PART_SIZE, (number + 1) * PART_SIZE):
        content = mix[seed % len(mix)]
        task: Task = "driving" if content.startswith("street") else "robot"
        if content == "texture":
            yield texture_entry(seed, size_px)
        elif content == "shipped":
            yield shipped_entry(seed, worlds)
        elif content == "sky":
            yield sky_entry(seed, size_px)
        elif content.endswith("portrait"):
            scene = compile_draw(portrait_scenario(task, seed), seed, 0)
            yield frame_entry(scene, 3 * seed + 1, worlds[task])
        elif content.endswith("backdrop"):
            yield backdrop_entry(task, seed, worlds[task])
        else:
            yield frame_entry(
                compile_draw(broad_scenario(task, seed, FARTHEST_SIZES), seed, 0),
                seed,
                worlds[task],
            )


def shipped_entry(seed: int, worlds: Mapping[Task, World]) -> Entry:
    """A scene of the library, from a seed that no user is likely to take."""
    paths = sorted(library_scenarios().values())
    scenario = load_scenario(paths[int(np.random.default_rng([6, seed]).integers(len(paths)))])
    scene = compile_draw(scenario, SHIPPED_SEED + seed, 0)
    return frame_entry(scene, seed, worlds[scene.setup.task])


def frame_entry(scene: CompiledScene, seed: int, world: World) -> Entry:
    """What a camera sees of a scene, in several wordings; every third time the last one."""
    cameras = [camera.name for camera in scene.setup.cameras]
    camera = cameras[0] if seed % 3 else cameras[-1]
    world.setup(scene)
    frame = world.capture([camera])[camera]
    seen = names_seen(frame)
    wordings = [describe(scene.setup, camera, wording, seen) for wording in range(WORDINGS)]
    return Entry(frame.image, frame.labels, marks_of(frame, seen), wordings)


def names_seen(frame: Frame) -> list[str]:
    """The objects with enough pixels to be worth a word."""
    pixels = np.bincount(frame.instances.ravel(), minlength=1)
    return [item.name for item in frame.table if pixels[item.id : item.id + 1].sum() >= SEEN_PX]


def marks_of(frame: Frame, seen: Sequence[str]) -> Labels:
    """Which pixels show the hazards and the other objects that a caption names, (H, W)."""
    marks = np.zeros(max((item.id for item in frame.table), default=0) + 1, np.uint8)
    for item in frame.table:
        if item.name in seen:
            marks[item.id] = HAZARD if item.hazard else OBJECT
    return marks[frame.instances]


def backdrop_entry(task: Task, seed: int, world: World) -> Entry:
    """A scene with nobody in it, under the words for what lies behind."""
    empty = replace(broad_scenario(task, seed), hazards={}, objects={})
    if empty.driving is not None:
        empty = replace(empty, driving=replace(empty.driving, traffic=0.0))
    scene = compile_draw(empty, seed, 0)
    world.setup(scene)
    frame = world.capture(["front"])["front"]
    rng = np.random.default_rng([8, seed])
    wordings = [backdrop_prompt(task, scene.setup.conditions, rng) for _ in range(WORDINGS)]
    return _unmarked(frame.image, frame.labels, wordings)


def texture_entry(seed: int, size_px: int) -> Entry:
    """A seamless texture, shifted at random, under the words for it; wet now and then."""
    rng = np.random.default_rng([7, seed])
    words = ALL_TEXTURES[int(rng.integers(len(ALL_TEXTURES)))]
    image = resize(_texture(words, int(rng.integers(64))), (size_px, size_px))
    image = np.roll(image, rng.integers(size_px, size=2), axis=(0, 1))
    if words in GROUND_WORDS and rng.random() < 0.3:
        words, image = f"wet {words}", (image * WET).astype(np.uint8)
    labels = np.full(image.shape[:2], UNKNOWN, np.uint8)
    return _unmarked(image, labels, [f"seamless texture of {words}"])


def sky_entry(seed: int, size_px: int) -> Entry:
    """A sky of the street, as the surface `sky` wears it."""
    scene = compile_draw(broad_scenario("driving", seed), seed, 0)
    conditions, rng = scene.setup.conditions, np.random.default_rng([9, seed])
    image = resize(street.build(scene.setup).sky, (size_px, size_px))
    labels = np.full(image.shape[:2], CLASS_ID["sky"], np.uint8)
    return _unmarked(image, labels, [sky_phrase(conditions, rng) for _ in range(WORDINGS)])


def _unmarked(image: Image, labels: Labels, captions: Sequence[str]) -> Entry:
    return Entry(image, labels, np.zeros_like(labels), captions)


def _texture(words: str, seed: int) -> Image:
    if words in textures.WORDS.values():
        name = next(name for name, shown in textures.WORDS.items() if shown == words)
        return textures.texture(name, seed)
    return tabletop_textures.material(words, seed)


GROUND_WORDS = frozenset(words for words, _ in textures.GROUNDS.values())
ALL_TEXTURES = sorted({*textures.WORDS.values(), *tabletop_textures.MATERIALS})
WET = 0.62
"""How much darker a wet ground is."""
