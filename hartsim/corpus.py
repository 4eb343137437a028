"""Pictures to learn from: scenes from the whole width of the catalogue, as the worlds show them.

Every part of a corpus depends on its number alone, so that parts can be made in any order, by
several processes, and made again elsewhere. Scenarios, seeds, textures and, in path-traced frames,
models are held out by key, so that no held-out picture has a twin among the others.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from hartsim.images import resize
from hartsim.scenario.broad import broad_scenario, portrait_scenario
from hartsim.scenario.compiled import CompiledScene, WorldSetup
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.draw import pick, stream
from hartsim.scenario.library import library_scenarios
from hartsim.scenario.load import load_scenario
from hartsim.scenario.prompts import backdrop_prompt, describe, look_called, sky_phrase
from hartsim.scenario.schema import Scenario
from hartsim.scenario.wording import written
from hartsim.training.corpus import HAZARD, OBJECT, Entry, refuse_strangers, write_part
from hartsim.types import CLASS_ID, UNKNOWN, Depth, Frame, Image, Labels, Task
from hartsim.worlds import World, street, tabletop_textures, textures
from hartsim.worlds.embedded import EmbeddedWorld

PART_SIZE = 250
HELD_OUT_EVERY = 20
"""One part in so many is held out."""
MIX: Mapping[str, int] = {
    "street": 8,
    "street portrait": 6,
    "street backdrop": 1,
    "tabletop": 5,
    "tabletop portrait": 3,
    "tabletop backdrop": 1,
    "shipped": 8,
    "texture": 3,
    "sky": 1,
}
"""How often a picture shows what: `shipped` is a draw of a scenario from the library, a portrait a
hazard alone and near."""
SHIPPED_SEED = 1_000_000_000
SHIPPED_HELD_OUT_EVERY = 8
WORDINGS, PLAIN_WORDINGS = 6, 4
"""Wordings of each picture, and how many of them are those of prompts; the others have synonyms."""
WORDS_HELD_OUT_EVERY = 3
SEEN_PX = 40
"""Fewer pixels than this nobody would mention."""
FARTHEST_SIZES = 6.0
"""Hazards are learned from near, where they fill a few tokens."""
LOOK = "render"
"""The words for how the embedded worlds look."""


def make_corpus(
    root: Path, parts: int, size_px: int = 256, shard: tuple[int, int] = (0, 1), first: int = 0
) -> Iterator[Path]:
    """Write the parts of this shard that are missing, and yield each as it is done.

    Parts are numbered from `first`; a corpus elsewhere with other numbers has other pictures.
    """
    refuse_strangers(root)
    with ExitStack() as stack:
        worlds: dict[Task, World] = {}
        for task in ("driving", "robot"):
            world = EmbeddedWorld(task, (size_px, size_px))
            worlds[task] = stack.enter_context(closing(world))
        for number in range(first + shard[0], first + parts, shard[1]):
            name = f"{'held' if is_held_out(number) else 'train'}-{number:05d}"
            if write_part(root, name, part_entries(number, worlds, size_px)):
                yield root / name


def is_held_out(number: int) -> bool:
    """Whether no model learns from the part of this number."""
    return number % HELD_OUT_EVERY == HELD_OUT_EVERY - 1


def is_scenario_held_out(name: str) -> bool:
    """Whether no model learns from the scenario of the library that has this name."""
    return zlib.crc32(name.encode()) % SHIPPED_HELD_OUT_EVERY == 0


def part_entries(number: int, worlds: Mapping[Task, World], size_px: int) -> Iterator[Entry]:
    """The pictures of one part."""
    mix = [content for content, share in MIX.items() for _ in range(share)]
    for seed in range(number * PART_SIZE, (number + 1) * PART_SIZE):
        content = pick(stream("content", seed), mix)
        yield entry_of(content, seed, worlds, size_px, is_held_out(number))


def entry_of(
    content: str, seed: int, worlds: Mapping[Task, World], size_px: int, held_out: bool = False
) -> Entry:
    """One picture of the `MIX`."""
    task: Task = "driving" if content.startswith("street") else "robot"
    if content == "texture":
        return texture_entry(seed, size_px, held_out)
    if content == "sky":
        return sky_entry(seed, size_px)
    if content.endswith("backdrop"):
        return backdrop_entry(task, seed, worlds[task])
    if content == "shipped":
        scenario = shipped_scenario(seed, held_out)
        scene = compile_draw(scenario, SHIPPED_SEED + seed, 0)
    elif content.endswith("portrait"):
        scene = compile_draw(portrait_scenario(task, seed), seed, 0)
    else:
        scene = compile_draw(broad_scenario(task, seed, FARTHEST_SIZES), seed, 0)
    # A portrait is in the first camera's middle; of other scenes every third shows the last one.
    first = content.endswith("portrait") or seed % 3 > 0
    camera = scene.setup.cameras[0 if first else -1].name
    return frame_entry(content, scene, camera, worlds[scene.setup.task])


def shipped_scenario(seed: int, held_out: bool = False) -> Scenario:
    """A scenario of the library, of those that are held out or of the others."""
    paths = [p for p in _library() if is_scenario_held_out(p.stem) == held_out]
    return load_scenario(paths[int(np.random.default_rng([6, seed]).integers(len(paths)))])


@cache
def _library() -> tuple[Path, ...]:
    return tuple(sorted(library_scenarios().values()))


def frame_entry(content: str, scene: CompiledScene, camera: str, world: World) -> Entry:
    """What a camera sees of a scene, in several wordings."""
    world.setup(scene)
    frame = world.capture([camera])[camera]
    seen = names_seen(frame)
    wordings, others = wordings_of(scene.setup, camera, seen, LOOK)
    record = record_of(content, scene.setup, scene.scenario.name) | things_of(frame) | others
    return Entry(frame.image, frame.labels, marks_of(frame, seen), frame.depth_m, wordings, record)


def wordings_of(
    setup: WorldSetup, camera: str, seen: Sequence[str], look: str
) -> tuple[list[str], dict[str, str]]:
    """What to learn a picture by, and two other prompts: `calm` and `unseen`.

    `calm` leaves out the hazards; `unseen` calls things by synonyms that no picture is learned by.
    """
    nouns = (*(written,) * PLAIN_WORDINGS, *(taught,) * (WORDINGS - PLAIN_WORDINGS))
    wordings = [
        describe(setup, camera, wording, seen, look, nouns=each)
        for wording, each in enumerate(nouns)
    ]
    calm = describe(setup, camera, 0, seen, look, calm=True)
    strange = describe(setup, camera, WORDINGS, seen, look, nouns=unseen)
    return wordings, {"calm": calm, "unseen": strange}


def taught(nouns: Sequence[str], synonyms: Sequence[str]) -> Sequence[str]:
    """The synonyms that are learned; where there are none, the nouns."""
    return [each for each in synonyms if not is_word_held_out(each)] or nouns


def unseen(nouns: Sequence[str], synonyms: Sequence[str]) -> Sequence[str]:
    """The synonyms that are not learned; where there are none, the nouns."""
    return [each for each in synonyms if is_word_held_out(each)] or nouns


def is_word_held_out(word: str) -> bool:
    """Whether no picture is learned by this synonym."""
    return zlib.crc32(word.encode()) % WORDS_HELD_OUT_EVERY == 0


def record_of(content: str, setup: WorldSetup | None, scenario: str | None) -> dict[str, Any]:
    """What is known of a picture, but for the things in it."""
    record = {"content": content, "look": LOOK, "task": None, "scenario": scenario}
    if setup is None:
        return record
    of = setup.conditions
    return record | {
        "task": setup.task,
        "place": of.place,
        "weather": of.weather,
        "time_of_day": of.time_of_day,
    }


def things_of(frame: Frame) -> dict[str, Any]:
    """The hazards and other objects that a frame shows, with their pixels."""
    pixels = np.bincount(frame.instances.ravel(), minlength=max_id(frame) + 1)
    things: dict[str, Any] = {"hazards": [], "objects": []}
    for item in frame.table:
        if shown := int(pixels[item.id]):
            thing = {"kind": item.kind, "class_name": item.class_name, "pixels": shown}
            things["hazards" if item.hazard else "objects"].append(thing)
    return things


def names_seen(frame: Frame) -> list[str]:
    """The objects with enough pixels to be worth a word."""
    pixels = np.bincount(frame.instances.ravel(), minlength=1)
    return [item.name for item in frame.table if pixels[item.id : item.id + 1].sum() >= SEEN_PX]


def marks_of(frame: Frame, seen: Sequence[str]) -> Labels:
    """Which pixels show the hazards and the other objects that a caption names, (H, W)."""
    marks = np.zeros(max_id(frame) + 1, np.uint8)
    for item in frame.table:
        if item.name in seen:
            marks[item.id] = HAZARD if item.hazard else OBJECT
    return marks[frame.instances]


def max_id(frame: Frame) -> int:
    """The largest instance id of a frame's table; 0 where it is empty."""
    return max((item.id for item in frame.table), default=0)


def backdrop_entry(task: Task, seed: int, world: World) -> Entry:
    """A scene with nobody in it, under the words for what lies behind."""
    empty = replace(broad_scenario(task, seed), hazards={}, objects={})
    if empty.driving is not None:
        empty = replace(empty, driving=replace(empty.driving, traffic=0.0))
    scene = compile_draw(empty, seed, 0)
    world.setup(scene)
    frame = world.capture(["front"])["front"]
    rng = np.random.default_rng([8, seed])
    of = scene.setup.conditions
    wordings = [backdrop_prompt(task, of, rng, LOOK) for _ in range(WORDINGS)]
    record = record_of(
        "street backdrop" if task == "driving" else "tabletop backdrop", scene.setup, None
    )
    return _unmarked(frame.image, frame.labels, wordings, record, frame.depth_m)


def texture_entry(seed: int, size_px: int, held_out: bool = False) -> Entry:
    """A seamless texture, shifted at random, under the words for it; wet now and then."""
    rng = np.random.default_rng([7, seed])
    words = ALL_TEXTURES[int(rng.integers(len(ALL_TEXTURES)))]
    variant = int(rng.integers(64)) + (64 if held_out else 0)
    image = resize(_texture(words, variant), (size_px, size_px))
    image = np.roll(image, rng.integers(size_px, size=2), axis=(0, 1))
    if words in GROUND_WORDS and rng.random() < 0.3:
        words, image = f"wet {words}", (image * WET).astype(np.uint8)
    labels = np.full(image.shape[:2], UNKNOWN, np.uint8)
    openings = [look_called(look).texture for look in (LOOK, "photo")]
    record = record_of("texture", None, None)
    return _unmarked(image, labels, [f"{opening} {words}" for opening in openings], record)


def sky_entry(seed: int, size_px: int) -> Entry:
    """A sky of the street, as the surface `sky` wears it."""
    scene = compile_draw(broad_scenario("driving", seed), seed, 0)
    of, rng = scene.setup.conditions, np.random.default_rng([9, seed])
    image = resize(street.build(scene.setup).sky, (size_px, size_px))
    labels = np.full(image.shape[:2], CLASS_ID["sky"], np.uint8)
    wordings = [sky_phrase(of, rng, LOOK) for _ in range(WORDINGS)]
    return _unmarked(image, labels, wordings, record_of("sky", scene.setup, None))


def _unmarked(
    image: Image,
    labels: Labels,
    captions: Sequence[str],
    record: Mapping[str, Any],
    depth_m: Depth | None = None,
) -> Entry:
    """A picture with no object in it; what has no depth is all sky."""
    if depth_m is None:
        depth_m = np.full(labels.shape, np.inf, np.float32)
    nothing: dict[str, Any] = {"hazards": [], "objects": []}
    return Entry(image, labels, np.zeros_like(labels), depth_m, captions, {**record, **nothing})


def _texture(words: str, seed: int) -> Image:
    if words in textures.WORDS.values():
        name = next(name for name, shown in textures.WORDS.items() if shown == words)
        return textures.texture(name, seed)
    return tabletop_textures.material(words, seed)


GROUND_WORDS = frozenset(words for words, _ in textures.GROUNDS.values())
ALL_TEXTURES = sorted({*textures.WORDS.values(), *tabletop_textures.MATERIALS})
WET = 0.62
"""How much darker a wet ground is."""
