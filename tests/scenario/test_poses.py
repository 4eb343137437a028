import pytest

from hartsim.errors import ScenarioError
from hartsim.scenario.compiler import compile_draw
from hartsim.scenario.load import parse_scenario

HEAD = "task: driving\nscene: {place: residential_street}\n"


def boxes(body):
    scenario = parse_scenario(HEAD + body, "test.yaml", "test")
    return {each.name: each.box for each in compile_draw(scenario, 0, 0).setup.objects}


def test_a_thing_stands_by_another_in_its_frame():
    found = boxes(
        "hazards: {child: {kind: child, of: van, ahead_m: 2, left_m: 1, heading_deg: 30}}\n"
        "objects: {van: {kind: van, ahead_m: 10, left_m: -3, heading_deg: 90}}\n"
    )
    assert found["child"].centre_m[:2] == pytest.approx((9.0, -1.0))
    assert found["child"].heading_rad == pytest.approx(2.0943951)


def test_behind_leaves_the_gap_that_was_asked_for():
    found = boxes(
        "hazards: {child: {kind: child, behind: van, ahead_m: 0.8}}\n"
        "objects: {van: {kind: van, ahead_m: 10, scale: 1.2}}\n"
    )
    van, child = found["van"], found["child"]
    gap = child.centre_m[0] - child.size_m[0] / 2 - van.centre_m[0] - van.size_m[0] / 2
    assert gap == pytest.approx(0.8)


def test_a_lane_is_where_the_place_has_it():
    highway = HEAD.replace("residential_street", "highway")
    text = "hazards: {car: {kind: stopped_car, ahead_m: 20, lane: left, left_m: 0.2}}\n"
    scenario = parse_scenario(highway + text, "test.yaml", "test")
    assert compile_draw(scenario, 0, 0).setup.objects[0].box.centre_m[1] == pytest.approx(3.7)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            "hazards:\n  a: {kind: deer, of: b, ahead_m: 1}\n  b: {kind: dog, of: a, ahead_m: 1}\n",
            "test.yaml:2: scene: these stand by each other in a ring: a → b → a",
        ),
        (
            "hazards:\n  a: {kind: deer, of: vann, ahead_m: 1}\n  van: {kind: dog, ahead_m: 9}\n",
            "test.yaml:4: hazards.a.of: nothing is called 'vann'; did you mean 'van'?",
        ),
        (
            "hazards:\n  a: {kind: deer, lane: left, ahead_m: 9}\n",
            "a residential_street has no lane 'left'; known: ego",
        ),
        (
            "hazards:\n  a: {kind: deer, lane: ego, of: a, ahead_m: 9}\n",
            "test.yaml:4: hazards.a: stands 'of', 'behind' or in a 'lane'; choose one",
        ),
        (
            "hazards:\n  a: {kind: deer, when_time_s: 2, ahead_m: 9}\n",
            "test.yaml:4: hazards.a: says when, but not what: 'motion' is missing",
        ),
    ],
)
def test_what_cannot_stand_is_refused(body, problem):
    with pytest.raises(ScenarioError) as error:
        parse_scenario(HEAD + body, "test.yaml", "test")
    assert problem in str(error.value)


def test_conditions_know_how_far_things_are():
    text = (
        "objects: {van: {kind: van, ahead_m: 10, left_m: -3}}\n"
        "hazards: {child: {kind: child, behind: van, ahead_m: 0.8, left_m: 1}}\n"
        "vary: {objects.van.ahead_m: {uniform: [5, 30]}}\n"
        "where: hazards.child.distance_m > 20\n"
    )
    scenario = parse_scenario(HEAD + text, "test.yaml", "test")
    for index in range(5):
        x, y, _ = compile_draw(scenario, 1, index).setup.objects[0].box.centre_m
        assert (x * x + y * y) ** 0.5 > 19.5
