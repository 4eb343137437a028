"""Exported files against ASAM's own checker, which brings the schemas along (hartsim[dev])."""

import logging

import pytest

from hartsim.scenario.library import library_scenarios
from hartsim.scenario.load import load_scenario, parse_scenario
from hartsim.scenario.openscenario import export_openscenario
from tests.scenario.openscenario import EVERYTHING, FILES

pytestmark = pytest.mark.filterwarnings("ignore")  # the checker's, not ours


def issues(path) -> list[str]:
    """What the checker finds wrong with a file."""
    checker = pytest.importorskip("qc_openscenario.main", reason="no ASAM checker: hartsim[dev]")
    base = pytest.importorskip("qc_baselib")
    bundle = checker.constants.BUNDLE_NAME
    configuration, result = base.Configuration(), base.Result()
    configuration.set_config_param("InputFile", str(path))
    configuration.register_checker_bundle(bundle)
    result.register_checker_bundle(
        name=bundle, build_date="", description="", version="1", summary=""
    )
    result.set_result_version(version="1")
    logging.disable(logging.CRITICAL)
    try:
        checker.run_checks(configuration, result)
    finally:
        logging.disable(logging.NOTSET)
    checkers = result.get_checker_bundle_result(bundle).checkers
    assert {each.status.value for each in checkers} <= {"completed", "skipped"}
    return [
        f"{path.name}: {each.checker_id}: {issue.description}"
        for each in checkers
        for issue in each.issues
    ]


def test_a_broken_file_has_issues(tmp_path):
    text = (FILES / "crossing.xosc").read_text().replace('entityRef="child"', 'entityRef="kid"', 1)
    (tmp_path / "broken.xosc").write_text(text)
    assert issues(tmp_path / "broken.xosc") != []


def test_everything_that_can_be_said_is_valid(tmp_path):
    export_openscenario(parse_scenario(EVERYTHING, "", "everything"), tmp_path)
    assert [found for path in tmp_path.rglob("*.xosc") for found in issues(path)] == []


@pytest.mark.slow
def test_every_scenario_of_the_library_is_valid(tmp_path):
    for path in library_scenarios().values():
        export_openscenario(load_scenario(path), tmp_path)
    assert [found for path in tmp_path.rglob("*.xosc") for found in issues(path)] == []


def test_our_example_files_are_valid():
    assert [found for path in FILES.rglob("*.xosc") for found in issues(path)] == []
