import pytest
from hypothesis import given
from hypothesis import strategies as st

from hartsim.errors import ScenarioError
from hartsim.scenario.load import load_scenario, parse_scenario

DEER = """\
task: driving
scene: {place: highway}
hazards:
  deer: {kind: deer, ahead_m: 12}
"""
HAND = """\
task: robot
scene: {place: kitchen_table}
hazards:
  hand: {kind: human_hand, ahead_m: 0.5}
"""


def parse(text):
    return parse_scenario(text, "deer.yaml", "deer")


def message(text):
    with pytest.raises(ScenarioError) as caught:
        parse(text)
    return str(caught.value)


def outcome(text):
    try:
        return parse(text).source
    except ScenarioError as error:
        return str(error)


def varying(distribution, path="hazards.deer.ahead_m"):
    return f"{DEER}vary:\n  {path}: {distribution}\n"


def test_what_a_file_leaves_out_has_its_default():
    scenario = parse(DEER)
    assert (scenario.name, scenario.scene.weather, scenario.hazards["deer"].left_m) == (
        "deer",
        "clear",
        0.0,
    )
    assert list(scenario.cameras) == ["front"]
    assert scenario.driving is not None
    assert scenario.robot is None


def test_a_camera_with_defaults_may_change_one_number():
    camera = parse(DEER + "cameras:\n  front: {pitch_deg: -10}").cameras["front"]
    assert (camera.pitch_deg, camera.up_m) == (-10.0, 1.5)


def test_whole_numbers_and_decimals_are_equal():
    assert parse(DEER).hazards == parse(DEER.replace("12", "12.0")).hazards


def test_the_hash_is_that_of_the_text():
    assert parse(DEER).source_hash == parse(DEER).source_hash
    assert parse(DEER).source_hash != parse(DEER + "about: other").source_hash


def test_all_five_distributions_are_read():
    kinds = {
        "{choice: [9, 12]}": "choice",
        "{choice: {9: 1, 12: 3}}": "choice",
        "{uniform: [9, 12]}": "uniform",
        "{normal: {mean: 10, std: 1, low: 9, high: 12}}": "normal",
        "{loguniform: [9, 12]}": "loguniform",
        "{integer: [9, 12]}": "integer",
    }
    for text, kind in kinds.items():
        assert parse(varying(text)).vary["hazards.deer.ahead_m"].kind == kind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "deer.yaml: the file is empty"),
        ("# nothing yet", "deer.yaml: the file is empty"),
        ("- 1", "deer.yaml:1: needs keys with values here"),
        ("task: driving", "deer.yaml:1: 'scene' is missing"),
        ("a: b: c", "deer.yaml:1: not valid YAML: mapping values are not allowed in this context"),
        ("[" * 99, "deer.yaml:1: nested more than 20 levels deep"),
        (DEER + "hazard: 1", "deer.yaml:5: hazard: no such key; did you mean 'hazards'?"),
        (DEER + "1: 2", "deer.yaml:5: 1: the key 1 is not text; put it in quotes"),
        (DEER + "task: robot", "deer.yaml:5: task: appears twice, first on line 1"),
        (
            DEER.replace("driving", "flying"),
            "deer.yaml:1: task: unknown task 'flying'; known: driving, robot",
        ),
        (
            DEER + "robot: {clutter: 1}",
            "deer.yaml:5: robot: this section does not belong to a driving task",
        ),
        (
            DEER + "name: a b",
            "deer.yaml:5: name: 'a b' is no name; names are made of letters, digits, '_' and '-'",
        ),
        (
            DEER + "about: 5",
            "deer.yaml:5: about: 5 is not text; put it in quotes if it is meant so",
        ),
        (
            DEER.replace("highway", "hihgway"),
            "deer.yaml:2: scene.place: unknown place 'hihgway' for a driving task; "
            "did you mean 'highway'?",
        ),
        (
            DEER.replace("highway", "highway, weather: frog"),
            "deer.yaml:2: scene.weather: unknown weather 'frog' for a driving task; "
            "did you mean 'fog'?",
        ),
        (
            DEER.replace("highway", "highway, time_of_day: nite"),
            "deer.yaml:2: scene.time_of_day: unknown time of day 'nite' for a driving task; "
            "did you mean 'night'?",
        ),
        (
            DEER.replace("kind: deer", "kind: der"),
            "deer.yaml:4: hazards.deer.kind: unknown kind 'der' for a driving task; "
            "did you mean 'deer'?",
        ),
        (
            DEER.replace("12", "12, colour: rde"),
            "deer.yaml:4: hazards.deer.colour: unknown colour 'rde' for a driving task; "
            "did you mean 'red'?",
        ),
        (
            DEER.replace("ahead_m", "ahed_m"),
            "deer.yaml:4: hazards.deer.ahed_m: no such key; did you mean 'ahead_m'?",
        ),
        (DEER.replace(", ahead_m: 12", ""), "deer.yaml:4: hazards.deer: 'ahead_m' is missing"),
        (DEER.replace("12", "far"), "deer.yaml:4: hazards.deer.ahead_m: 'far' is not a number"),
        (DEER.replace("12", "true"), "deer.yaml:4: hazards.deer.ahead_m: True is not a number"),
        (DEER.replace("12", ""), "deer.yaml:4: hazards.deer.ahead_m: a value is missing"),
        (
            DEER.replace("12", "[12]"),
            "deer.yaml:4: hazards.deer.ahead_m: needs one value here, not a list or keys",
        ),
        (DEER.replace("12", "900"), "deer.yaml:4: hazards.deer.ahead_m: 900 is outside -50..300"),
        (DEER.replace("12", ".nan"), "deer.yaml:4: hazards.deer.ahead_m: nan is outside -50..300"),
        (
            DEER.replace("highway", "'${oc.env:HOME}'"),
            "deer.yaml:2: scene.place: '${oc.env:HOME}' is an interpolation, which scenario files "
            "do not have; write the value, or vary it",
        ),
        (
            DEER.replace("highway", "!!int highway"),
            "deer.yaml:2: scene.place: 'highway' is not a value of its kind",
        ),
        (
            DEER.replace("highway", "!!timestamp highway"),
            "deer.yaml:2: scene.place: 'highway' is not a value of its kind",
        ),
        (
            DEER.replace("highway", "!!bool highway"),
            "deer.yaml:2: scene.place: 'highway' is not a value of its kind",
        ),
        (
            DEER + "objects:\n  deer: {kind: car, ahead_m: 30}",
            "deer.yaml:6: objects.deer: a hazard is already called 'deer'",
        ),
        (
            DEER + "objects:\n  a.b: {kind: car, ahead_m: 30}",
            "deer.yaml:6: objects.a.b: 'a.b' is no name; names are made of letters, digits, "
            "'_' and '-'",
        ),
        (DEER + "cameras: {back: {up_m: 1}}", "deer.yaml:5: cameras.back: 'ahead_m' is missing"),
        (
            DEER + "textures: {raod: wet}",
            "deer.yaml:5: textures.raod: no such key; did you mean 'road'?",
        ),
        (DEER + "driving: {traffic: 2}", "deer.yaml:5: driving.traffic: 2 is outside 0..1"),
        (
            HAND + "robot: {reach: hnad}",
            "deer.yaml:5: robot.reach: nothing is called 'hnad'; did you mean 'hand'?",
        ),
    ],
)
def test_a_broken_file_is_refused_with_place_and_remedy(text, expected):
    assert message(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            varying("{uniform: [9, 12]}", "hazards.dear.ahead_m"),
            "hazards.dear.ahead_m: vary names no field 'hazards.dear.ahead_m'; "
            "did you mean 'hazards.deer.ahead_m'?",
        ),
        (varying("12"), "hazards.deer.ahead_m: needs keys with values here"),
        (
            varying("{unifrom: [9, 12]}"),
            "hazards.deer.ahead_m.unifrom: no such key; did you mean 'uniform'?",
        ),
        (
            varying("{uniform: [9, 12], choice: [1]}"),
            "hazards.deer.ahead_m: needs exactly one of choice, uniform, normal, loguniform, "
            "integer",
        ),
        (
            varying("{uniform: [10, 400]}"),
            "hazards.deer.ahead_m.uniform: 400 is outside -50..300",
        ),
        (
            varying("{uniform: [12, 9]}"),
            "hazards.deer.ahead_m.uniform: uniform needs [low, high] with low <= high",
        ),
        (
            varying("{uniform: [12]}"),
            "hazards.deer.ahead_m.uniform: uniform needs [low, high] with low <= high",
        ),
        (varying("{uniform: 9}"), "hazards.deer.ahead_m.uniform: needs a list here, like [a, b]"),
        (
            varying("{uniform: [9, .inf]}"),
            "hazards.deer.ahead_m.uniform: inf is not a finite number",
        ),
        (
            varying("{loguniform: [0, 12]}"),
            "hazards.deer.ahead_m.loguniform: loguniform needs a positive low end, not 0",
        ),
        (
            varying("{integer: [1.5, 3]}"),
            "hazards.deer.ahead_m.integer: integer needs whole numbers, not 1.5 and 3",
        ),
        (
            varying("{normal: {mean: 1, low: 1, high: 3}}"),
            "hazards.deer.ahead_m.normal: 'std' is missing",
        ),
        (
            varying("{normal: {mean: 1, std: 0, low: 1, high: 3}}"),
            "hazards.deer.ahead_m.normal: normal needs std > 0 and low <= high",
        ),
        (varying("{choice: []}"), "hazards.deer.ahead_m.choice: needs at least one option"),
        (varying("{choice: [9, near]}"), "hazards.deer.ahead_m.choice: 'near' is not a number"),
        (
            varying("{choice: {9: 0, 12: 0}}"),
            "hazards.deer.ahead_m.choice: weights must not be negative, and not all zero",
        ),
        (
            varying("{uniform: [1, 2]}", "hazards.deer.kind"),
            "hazards.deer.kind: uniform draws numbers, but this field holds text; use choice",
        ),
        (
            varying("{choice: [deer, dgo]}", "hazards.deer.kind"),
            "hazards.deer.kind.choice: unknown kind 'dgo' for a driving task; did you mean 'dog'?",
        ),
    ],
)
def test_a_vary_that_could_draw_the_impossible_is_refused(text, expected):
    assert message(text) == f"deer.yaml:6: vary.{expected}"


def test_reach_may_vary_among_the_things_of_the_scene_only():
    varied = HAND + "vary:\n  robot.reach: {choice: [hand, cup]}"
    assert message(varied) == (
        "deer.yaml:6: vary.robot.reach.choice: nothing is called 'cup'; known: hand"
    )


@given(st.text(max_size=60))
def test_any_text_gives_a_scenario_or_a_scenario_error(tail):
    assert outcome(DEER + tail).startswith("deer.yaml")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ScenarioError, match=r"gone\.yaml: no such file"):
        load_scenario(tmp_path / "gone.yaml")


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "picture.yaml"
    path.write_bytes(b"\x89PNG\xff")
    with pytest.raises(ScenarioError, match=r"picture\.yaml: cannot be read as text"):
        load_scenario(path)
