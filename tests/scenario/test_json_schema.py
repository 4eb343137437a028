import jsonschema
import pytest
import yaml

from hartsim.scenario.json_schema import scenario_schema
from hartsim.scenario.library import library_scenarios
from tests.test_docs import blocks

VALIDATOR = jsonschema.Draft202012Validator(scenario_schema())
DEER = """
task: driving
scene: {place: highway}
hazards: {deer: {kind: deer, ahead_m: 12}}
vary: {hazards.deer.ahead_m: {uniform: [8, 20]}}
"""


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(scenario_schema())


@pytest.mark.parametrize("path", library_scenarios().values(), ids=lambda path: path.stem)
def test_the_library_obeys_it(path):
    VALIDATOR.validate(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize("text", [DEER, *blocks("yaml")])
def test_the_documents_obey_it(text):
    VALIDATOR.validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("driving", "flying"),
        ("highway", "moon"),
        ("kind: deer", "kind: knife"),
        ("12", "far"),
        ("12", "900"),
        ("hazards:", "hazard:"),
        ("{deer: {", "{'a deer': {"),
        ("ahead_m: 12", "left_m: 1"),
        ("uniform: [8, 20]", "uniform: [8]"),
        ("uniform: [8, 20]", "unifrom: [8, 20]"),
    ],
)
def test_what_the_loader_refuses_it_refuses(right, wrong):
    assert right in DEER
    assert not VALIDATOR.is_valid(yaml.safe_load(DEER.replace(right, wrong, 1)))


def test_a_file_that_extends_another_may_say_only_what_differs():
    assert VALIDATOR.is_valid({"extends": "deer", "hazards": {"deer": {"ahead_m": 30}}})
    assert not VALIDATOR.is_valid({"extends": "deer", "hazard": {}})
