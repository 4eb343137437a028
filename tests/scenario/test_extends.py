import pytest

from hartsim.errors import ScenarioError
from hartsim.scenario.load import load_scenario

BASE = """
task: driving
about: A deer crosses.
scene: {place: country_road, weather: snow}
hazards: {deer: {kind: deer, ahead_m: 12, heading_deg: 90}}
objects: {van: {kind: van, ahead_m: 30}}
vary:
  hazards.deer.ahead_m: {uniform: [8, 20]}
  hazards.deer.scale: {uniform: [1, 1.2]}
where: hazards.deer.ahead_m > 9
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "base.yaml").write_text(BASE)
    return tmp_path


def load(folder, text, name="new.yaml"):
    (folder / name).write_text(text)
    return load_scenario(folder / name)


def test_a_file_says_only_what_differs(folder):
    new = load(
        folder,
        "extends: base.yaml\nscene: {weather: fog}\nhazards: {deer: {left_m: 1}}\n"
        "vary: {hazards.deer.ahead_m: {choice: [10, 11]}}\nwhere: hazards.deer.scale < 1.1\n",
    )
    assert (new.name, new.about, new.scene.weather) == ("new", "A deer crosses.", "fog")
    assert (new.scene.place, new.hazards["deer"].ahead_m) == ("country_road", 12.0)
    assert new.hazards["deer"].left_m == 1.0
    assert new.vary["hazards.deer.ahead_m"].kind == "choice"
    assert "hazards.deer.scale" in new.vary
    assert new.where == ("hazards.deer.ahead_m > 9", "hazards.deer.scale < 1.1")


def test_an_empty_value_takes_away_what_the_base_says(folder):
    new = load(folder, "extends: base.yaml\nobjects: {van: }\nvary: {hazards.deer.scale: }\n")
    assert new.objects == {}
    assert list(new.vary) == ["hazards.deer.ahead_m"]


def test_parts_are_included(folder):
    (folder / "_cameras.yaml").write_text(
        "cameras: {front: {fov_deg: 40}, left: {ahead_m: 1, left_m: 0.5, up_m: 1.4, yaw_deg: 60}}\n"
    )
    new = load(folder, "extends: base.yaml\ninclude: [_cameras.yaml]\n")
    assert new.cameras["front"].fov_deg == 40
    assert list(new.cameras) == ["front", "left"]


def test_the_hash_knows_all_the_files(folder):
    before = load(folder, "extends: base.yaml\n").source_hash
    (folder / "base.yaml").write_text(BASE.replace("12", "13"))
    assert load_scenario(folder / "new.yaml").source_hash != before


def test_the_library_can_be_extended(tmp_path):
    new = load(
        tmp_path, "extends: child_behind_van\nscene: {weather: fog}\nvary: {scene.weather: }\n"
    )
    assert new.scene.weather == "fog"
    assert "van" in new.objects


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("extends: bass.yaml\n", "new.yaml:1: extends: bass.yaml: no such file"),
        ("extends: ../base.yaml\n", "'../base.yaml' must be beside this file, below it, or in the"),
        (f"extends: {'a' * 5000}\n", "new.yaml:1: extends: 'aaaa"),
        ("extends: new.yaml\n", "new.yaml:1: extends: new.yaml extends or includes itself"),
        ("extends: base.yaml\nhazards: {deer: {ahead: 3}}\n", "new.yaml:2: hazards.deer.ahead: no"),
        ("extends: broken.yaml\n", "broken.yaml:2: scene.weather: unknown weather 'sun'"),
    ],
)
def test_errors_name_the_file_that_is_wrong(folder, text, problem):
    (folder / "broken.yaml").write_text("task: driving\nscene: {place: highway, weather: sun}\n")
    with pytest.raises(ScenarioError) as error:
        load(folder, text)
    assert problem in str(error.value)


def test_a_ring_of_files_is_refused(folder):
    (folder / "a.yaml").write_text("extends: b.yaml\n")
    (folder / "b.yaml").write_text("extends: a.yaml\n")
    with pytest.raises(ScenarioError, match=r"a\.yaml extends or includes itself"):
        load_scenario(folder / "a.yaml")
