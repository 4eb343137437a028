import pytest

from hartsim.errors import ScenarioError
from hartsim.library import library_path
from hartsim.scenario.compiler import compile_draw, to_plain
from hartsim.scenario.library import find_scenario, find_scenarios, library_scenarios
from hartsim.scenario.load import load_scenario
from hartsim.scenario.sightings import seen_by

SHIPPED = library_scenarios()


@pytest.fixture
def folder(tmp_path):
    for name in ("b/two.yaml", "one.yml", "notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("task: driving\nscene: {place: highway}\n")
    return tmp_path


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_scenario_loads_draws_and_compiles(name):
    scenario = load_scenario(name)
    scenes = [to_plain(compile_draw(scenario, 1, index)) for index in range(20)]
    assert scenario.about
    assert len(scenario.vary) >= 8
    assert len({str(scene) for scene in scenes}) == 20


@pytest.mark.parametrize("name", SHIPPED)
def test_the_hazards_of_a_shipped_scenario_are_in_the_front_picture(name):
    scenario = load_scenario(name)
    for index in range(50):
        setup = compile_draw(scenario, 1, index).setup
        seen = {each.thing.name for each in seen_by(setup.objects, setup.cameras[0])}
        assert set(scenario.hazards) <= seen


def test_the_library_has_driving_and_robot_scenarios():
    tasks = [load_scenario(name).task for name in SHIPPED]
    assert tasks.count("driving") >= 40
    assert tasks.count("robot") >= 20


def test_a_name_and_its_file_are_the_same_scenario():
    path = SHIPPED["child_behind_van"]
    assert find_scenario("child_behind_van") == find_scenario(path) == path


def test_a_folder_gives_all_scenarios_below_it_in_order(folder):
    assert [path.name for path in find_scenarios([folder])] == ["two.yaml", "one.yml"]


def test_a_folder_of_the_library_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert {path.parents[1].name for path in find_scenarios(["robot"])} == {"robot"}
    assert {path.parent.name for path in find_scenarios(["animals"])} == {"animals"}


def test_no_two_folders_of_the_library_share_a_name():
    names = [folder.name for folder in library_path("scenarios").rglob("*") if folder.is_dir()]
    assert len(set(names)) == len(names)


def test_parts_of_others_are_no_scenarios(folder):
    (folder / "_cameras.yaml").write_text("cameras: {front: {fov_deg: 40}}\n")
    assert [path.name for path in find_scenarios([folder])] == ["two.yaml", "one.yml"]


def test_what_is_named_twice_comes_once(folder):
    paths = find_scenarios([folder / "one.yml", folder, "child_behind_van", "child_behind_van"])
    assert [path.name for path in paths] == ["one.yml", "two.yaml", "child_behind_van.yaml"]


def test_the_library_lies_in_the_checkout_or_the_package():
    assert SHIPPED["deer_snow_road"].is_relative_to(library_path("scenarios"))


def test_a_misspelt_name_is_put_right():
    with pytest.raises(ScenarioError) as caught:
        find_scenario("child_behind_vam")
    assert str(caught.value) == (
        "no scenario file or library scenario is called 'child_behind_vam'; "
        "did you mean 'child_behind_van'?"
    )


def test_a_folder_is_no_single_scenario(folder):
    with pytest.raises(ScenarioError, match="a folder, where one scenario file or name is needed"):
        find_scenario(folder)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ScenarioError, match="no scenario files"):
        find_scenarios([tmp_path])
