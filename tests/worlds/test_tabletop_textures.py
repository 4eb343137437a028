import numpy as np
import pytest

from hartsim.scenario.surroundings import PLACES
from hartsim.worlds.tabletop_textures import MATERIALS, material

NAMED = sorted(
    {
        words
        for place in PLACES.values()
        if place.task == "robot"
        for materials in place.materials.values()
        for words in materials
    }
)


@pytest.mark.parametrize("words", NAMED)
def test_every_material_that_the_catalogue_names_can_be_made(words):
    image = material(words, 0, 64)
    assert (image.shape, image.dtype) == ((64, 64, 3), np.uint8)


@pytest.mark.parametrize("words", sorted(MATERIALS))
def test_materials_tile_without_a_seam(words):
    image = material(words, 1).astype(float)
    for axis in (0, 1):
        inside = np.abs(np.diff(image, axis=axis)).mean(axis=(1 - axis, 2))
        across = np.abs(np.take(image, 0, axis) - np.take(image, -1, axis)).mean()
        assert across <= inside.max() + 6


def test_variants_differ_and_repeat():
    first, second = material("light oak wood", 0, 64), material("light oak wood", 1, 64)
    assert not np.array_equal(first, second)
    material.cache_clear()
    assert np.array_equal(first, material("light oak wood", 0, 64))
