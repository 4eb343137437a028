import dataclasses

import numpy as np
import pytest

from hartsim.dataset.checks import (
    DEFAULT_LIMITS,
    check,
    check_texture,
    contrast,
    exposure,
    hazard_visible,
    painted,
    seamless,
    self_similar,
    sharpness,
    untouched,
)
from hartsim.types import ROUTES, UNKNOWN, Frame, Image, Route
from tests.fakes import SCENARIOS, editable_of, frame_of, repainted, sample_of, texture

FRAME = frame_of("child_behind_van")
MASK = editable_of(FRAME, "repaint")


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_good_samples_pass_every_check(route: Route, scenario: str) -> None:
    assert [item for item in sample_of(route, scenario).checks if not item.passed] == []


def test_each_route_is_judged_by_what_it_may_break() -> None:
    names = {route: [item.name for item in sample_of(route).checks] for route in ROUTES}
    assert names["view"] == ["exposure", "contrast", "sharpness"]
    assert names["repaint"] == ["untouched", "painted", *names["view"], "hazard_visible"]
    assert names["backdrop"] == names["repaint"]
    assert names["texture"][3:] == [
        "hazard_visible",
        "paint_seen",
        "seamless_facade_a",
        "self_similar_facade_a",
        "seamless_road",
        "self_similar_road",
    ]


def test_one_level_in_one_pixel_outside_the_mask_is_found() -> None:
    image = repainted(FRAME.image, MASK, 1)
    row, column = np.argwhere(~MASK)[7]
    image[row, column, 1] ^= 1
    verdict = untouched(FRAME.image, image, MASK)
    assert (verdict.passed, verdict.value) == (False, 1)


def test_paint_that_was_seen_on_nothing_is_found() -> None:
    bare = dataclasses.replace(sample_of("texture"), textures={})
    assert [each.name for each in check(bare) if not each.passed] == ["paint_seen"]


def test_a_frame_that_nothing_was_painted_on_is_found() -> None:
    noisy = FRAME.image ^ np.uint8(1)
    assert painted(FRAME.image, repainted(FRAME.image, MASK, 1), MASK, 0.1).passed
    assert not painted(FRAME.image, noisy, MASK, 0.1).passed


def test_an_empty_mask_counts_as_nothing_painted() -> None:
    assert not painted(FRAME.image, FRAME.image, np.zeros_like(MASK), 0.1).passed


@pytest.mark.parametrize("level", [0, 255])
def test_black_and_white_pictures_are_found(level: int) -> None:
    verdict = exposure(np.full((32, 32, 3), level, np.uint8), DEFAULT_LIMITS.exposure)
    assert not verdict.passed
    assert verdict.limit == DEFAULT_LIMITS.exposure[level > 0]


def test_a_flat_picture_is_found() -> None:
    grey = np.full((32, 32, 3), 128, np.uint8)
    assert not contrast(grey, DEFAULT_LIMITS.contrast).passed


def blurred(image: Image, times: int) -> Image:
    values = image.astype(np.float64)
    for _ in range(times):
        for axis in (0, 1):
            values = (np.roll(values, 1, axis) + 2 * values + np.roll(values, -1, axis)) / 4
    return values.astype(np.uint8)


def test_a_blurred_picture_is_found() -> None:
    inside = blurred(FRAME.image, 60)[16:-16, 16:-16]
    assert sharpness(FRAME.image, DEFAULT_LIMITS.sharpness).passed
    assert not sharpness(inside, DEFAULT_LIMITS.sharpness).passed


def without_hazard(frame: Frame) -> Frame:
    hazard = next(item for item in frame.table if item.hazard)
    hidden = np.where(frame.instances == hazard.id, 0, frame.instances).astype(np.uint16)
    return dataclasses.replace(frame, instances=hidden)


def test_a_hazard_hidden_behind_another_object_is_found() -> None:
    verdict = hazard_visible(without_hazard(FRAME), FRAME.labels, 16)
    assert verdict is not None
    assert (verdict.passed, verdict.value) == (False, 0)
    assert "0 pixels of 'child'" in verdict.reason


def test_a_hazard_whose_label_may_no_longer_hold_is_found() -> None:
    verdict = hazard_visible(FRAME, np.full_like(FRAME.labels, UNKNOWN), 16)
    assert verdict is not None
    assert not verdict.passed


def test_a_hazard_behind_the_camera_is_not_judged() -> None:
    behind = [
        dataclasses.replace(item, box=dataclasses.replace(item.box, centre_m=(-9.0, 0.0, 1.0)))
        for item in FRAME.table
    ]
    elsewhere = dataclasses.replace(FRAME, table=tuple(behind))
    assert hazard_visible(elsewhere, FRAME.labels, 16) is None


def test_a_texture_with_a_seam_is_found() -> None:
    tile = texture(3)
    assert seamless(tile, "road", DEFAULT_LIMITS.seamless).passed
    assert not seamless(FRAME.image[64:], "road", DEFAULT_LIMITS.seamless).passed


def test_a_sky_may_be_brighter_at_its_horizon() -> None:
    gradient = np.linspace(250, 120, 64)[:, None, None]
    sky = np.clip(gradient + texture(1) / 16.0, 0, 255).astype(np.uint8)
    assert seamless(sky, "sky", DEFAULT_LIMITS.seamless).passed
    assert not seamless(sky, "road", DEFAULT_LIMITS.seamless).passed


@pytest.mark.parametrize("seed", range(4))
def test_a_figure_in_a_texture_is_found(seed: int) -> None:
    tile = texture(seed, 128)
    figure = tile.copy()
    figure[40:90, 50:75] = (210, 60, 40)
    assert self_similar(tile, "road", DEFAULT_LIMITS.self_similar).passed
    assert not self_similar(figure, "road", DEFAULT_LIMITS.self_similar).passed


@pytest.mark.parametrize("windows", [2, 3, 4, 5, 8])
def test_the_windows_of_a_facade_are_no_figure(windows: int) -> None:
    rows, columns = np.mgrid[:128, :128] * windows / 128 % 1
    pane = (np.abs(rows - 0.5) < 0.3) & (np.abs(columns - 0.5) < 0.25)
    facade = np.where(pane[..., None], (60, 70, 90), (190, 150, 120)).astype(np.uint8)
    assert self_similar(facade, "facade_a", DEFAULT_LIMITS.self_similar).passed


def test_a_figure_printed_on_a_box_is_no_figure() -> None:
    box = np.full((64, 64, 3), (40, 110, 130), np.uint8)
    box[20:40, 20:40] = (210, 60, 40)
    assert all(item.passed for item in check_texture(box, "box"))
    assert not all(item.passed for item in check_texture(box, "table"))


def test_a_plank_that_ends_at_the_border_is_no_seam() -> None:
    planks = np.full((64, 64, 3), (200, 160, 120), np.uint8)
    planks[::16] = (60, 40, 20)
    assert seamless(planks, "table", DEFAULT_LIMITS.seamless).passed


def test_limits_can_be_tightened() -> None:
    strict = dataclasses.replace(DEFAULT_LIMITS, hazard_visible=10_000)
    failed = [item.name for item in check(sample_of(), strict) if not item.passed]
    assert failed == ["hazard_visible"]
