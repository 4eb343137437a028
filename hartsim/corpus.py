"""Pictures to learn from: scenes from the whole width of the catalogue, as the worlds show them.

Every part of a corpus depends on its number alone, so that parts can be made in any order, by
several processes, and made again elsewhere.
"""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np

from hartsim.scenario.broad import broad_scenario
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.prompts import describe
from hartsim.training.corpus import write_part
from hartsim.types import UNKNOWN, Image, Labels, Task
from hartsim.worlds import World
from hartsim.worlds.embedded import EmbeddedWorld
from hartsim.worlds.textures import texture_recipes

Entry = tuple[Image, Labels, list[str]]

PART_SIZE = 250
HELD_OUT_EVERY = 20
"""One part in so many is held out; its scenes and textures are in no other."""
MIX: tuple[Task | None, ...] = (*("driving",) * 5, *("robot",) * 4, None)
"""What successive pictures show; None is a texture."""
WORDINGS = 6


def make_corpus(
    root: Path, parts: int, size_px: int = 256, shard: tuple[int, int] = (0, 1)
) -> Iterator[Path]:
    """Write the parts of this shard that are missing, and yield each as it is done."""
    with ExitStack() as stack:
        worlds: dict[Task, World] = {}
        for task in ("driving", "robot"):
            world = EmbeddedWorld(task, (size_px, size_px))
            worlds[task] = stack.enter_context(closing(world))
        for number in range(shard[0], parts, shard[1]):
            held_out = number % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
            name = f"{'held' if held_out else 'train'}-{number:05d}"
            if write_part(root, name, part_entries(number, worlds, size_px)):
                yield root / name


def part_entries(number: int, worlds: dict[Task, World], size_px: int) -> Iterator[Entry]:
    """The pictures of one part."""
    seeds = range(number * PART_SIZE, (number + 1) * PART_SIZE)
    for seed, task in zip(seeds, itertools.cycle(MIX), strict=False):
        if task is None:
            yield texture_entry(seed, size_px)
        else:
            yield frame_entry(task, seed, worlds[task])


def frame_entry(task: Task, seed: int, world: World) -> Entry:
    """What a camera sees of a broad scene, in several wordings; every third time the last one."""
    scene = compile_draw(broad_scenario(task, seed), seed, 0)
    cameras = [camera.name for camera in scene.setup.cameras]
    camera = cameras[0] if seed % 3 else cameras[-1]
    world.setup(scene)
    frame = world.capture([camera])[camera]
    wordings = [describe(scene.setup, camera, wording) for wording in range(WORDINGS)]
    return frame.image, frame.labels, wordings


def texture_entry(seed: int, size_px: int) -> Entry:
    """A seamless texture, shifted at random, under the words for it."""
    rng = np.random.default_rng([7, seed])
    recipe = texture_recipes()[int(rng.integers(len(texture_recipes())))]
    image = recipe.make(size_px, int(rng.integers(2**31)))
    image = np.roll(image, rng.integers(size_px, size=2), axis=(0, 1))
    labels = np.full(image.shape[:2], UNKNOWN, np.uint8)
    return image, labels, [f"{opening} {recipe.words}" for opening in TEXTURE_OPENINGS]


TEXTURE_OPENINGS = ("seamless texture of", "a seamless texture of", "texture of")
