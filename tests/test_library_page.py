"""The page of the library says what the scenario files say."""

import numpy as np
import pytest

from hartsim.images import encode_png
from hartsim.scenario.library import library_scenarios
from tools.library import PAGE, TILE_PX, page, tiles_of, write_sheets

TEXT = PAGE.read_text(encoding="utf-8")


@pytest.fixture
def samples(tmp_path):
    """A dataset of one sample, as far as the sheets read it."""
    folder = tmp_path / "samples" / "deer_snow_road-00000-repaint-front"
    folder.mkdir(parents=True)
    (folder / "sample.json").write_text("{}")
    for name, level in (("frame", 40), ("image", 200)):
        picture = np.full((32, 32, 3), level, np.uint8)
        (folder / f"{name}.png").write_bytes(encode_png(picture))
    return tmp_path


def test_the_page_of_the_library_is_what_its_files_say():
    assert page() == TEXT, "run tools/library.py"


@pytest.mark.parametrize("name", library_scenarios())
def test_the_page_has_one_line_for_each_scenario(name):
    assert TEXT.count(f"* [`{name}`](") == 1


def test_a_tile_shows_the_frame_on_the_left_and_the_picture_on_the_right(samples):
    (tile,) = tiles_of(["deer_snow_road", "lost_load_highway"], samples)
    assert tile.shape[1] == 2 * TILE_PX
    assert (tile[0, 0], tile[0, -1]) == (pytest.approx(40), pytest.approx(200))


def test_only_tasks_with_samples_get_a_sheet(samples, tmp_path):
    write_sheets(samples, tmp_path / "images")
    assert [path.name for path in (tmp_path / "images").iterdir()] == ["library-driving.jpg"]
