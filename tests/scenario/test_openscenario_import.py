"""Other people's files: what becomes of them, what is noted, and what is refused."""

import math

import pytest

from hartsim.errors import ScenarioError
from hartsim.scenario.dump import to_yaml
from hartsim.scenario.load import parse_scenario
from hartsim.scenario.openscenario import export_openscenario, import_openscenario
from hartsim.scenario.openscenario.parameters import evaluated, resolved
from hartsim.scenario.openscenario.tree import Element, parse_xml, xml_text
from hartsim.scenario.schema import Distribution
from tests.scenario.openscenario import FILES, bare

SCENARIOS = sorted(FILES.glob("*.xosc"))


def imported(name, **options):
    return import_openscenario(FILES / f"{name}.xosc", **options)


def thing(name, file):
    scenario = imported(file).scenario
    return {**scenario.hazards, **scenario.objects}[name]


def notes_on(element, file):
    return [note for note in imported(file).notes if note.element == element]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_an_imported_file_exported_and_imported_again_is_equal(path, tmp_path):
    before = import_openscenario(path).scenario
    first, *_ = export_openscenario(before, tmp_path)
    after = import_openscenario(first)
    assert bare(after.scenario) == bare(before)
    assert after.notes == ()


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_an_imported_file_is_a_scenario_file(path):
    scenario = import_openscenario(path).scenario
    assert bare(parse_scenario(to_yaml(scenario), "", scenario.name)) == bare(scenario)


def test_the_hash_changes_with_the_file_and_with_its_distributions(tmp_path):
    for name in ("stochastic.xosc", "stochastic.dist.xosc"):
        (tmp_path / name).write_bytes((FILES / name).read_bytes())
    before = import_openscenario(tmp_path / "stochastic.xosc").scenario
    drawn = tmp_path / "stochastic.dist.xosc"
    drawn.write_text(drawn.read_text().replace("72", "71"))
    after = import_openscenario(tmp_path / "stochastic.xosc").scenario
    assert before.source_hash != after.source_hash
    assert before.source == str(tmp_path / "stochastic.xosc")


EXPECTED = [
    ("world_positions", "truck", {"kind": "truck", "ahead_m": 40.0, "left_m": 0.0}),
    ("world_positions", "walker", {"ahead_m": 23.7, "left_m": 3.0, "heading_deg": -90.0}),
    ("relative_positions", "van", {"ahead_m": 15.0, "left_m": -3.2, "colour": "white"}),
    ("relative_positions", "child", {"of": "van", "ahead_m": 4.0, "heading_deg": 90.0}),
    ("relative_positions", "dog", {"of": None, "ahead_m": 18.7, "heading_deg": -90.0}),
    ("relative_positions", "cones", {"ahead_m": 28.7, "left_m": -1.0}),
    ("lanes", "ahead", {"ahead_m": 40.0, "left_m": 0.3, "heading_deg": 0.0, "colour": "red"}),
    ("lanes", "oncoming", {"kind": "bus", "ahead_m": 57.4, "left_m": 7.0, "heading_deg": 180.0}),
    ("lanes", "left", {"ahead_m": -10.0, "left_m": 3.7}),
    ("lanes", "slow", {"left_m": 7.0, "heading_deg": 180.0}),
    ("road_positions", "rock", {"kind": "rock", "ahead_m": 28.7, "left_m": 0.25}),
    ("road_positions", "barrier", {"ahead_m": 48.7, "heading_deg": 90.0}),
    ("parameters", "lead", {"ahead_m": 25.0, "left_m": -1.0, "speed_mps": 5.0, "when_time_s": 3.0}),
    ("catalogue", "bus", {"kind": "bus", "motion": "brakes", "when_time_s": 4.0}),
    ("catalogue", "girl", {"kind": "child"}),
    ("catalogue", "tree", {"kind": "fallen_tree"}),
    ("crossing", "child", {"motion": "crosses", "speed_mps": 2.5, "when_distance_m": 18.0}),
    ("crossing", "cyclist", {"when_distance_m": 25.7099, "when_time_s": 6.0}),
    ("cut_in", "rival", {"motion": "cuts_in", "speed_mps": 30.0, "when_time_s": 6.5}),
    ("cut_in", "other", {"motion": "cuts_in", "speed_mps": 20.0, "when_distance_m": 42.0958}),
    ("cut_in", "third", {"motion": "drives", "speed_mps": 25.0, "when_time_s": None}),
    ("braking", "lead", {"motion": "brakes", "speed_mps": 20.0, "when_time_s": 3.5}),
    ("time_to_collision", "lead", {"motion": "brakes", "when_distance_m": 30.0}),
    ("time_to_collision", "walker", {"motion": None}),
    ("reached_places", "deer", {"motion": "crosses", "when_distance_m": 32.3883}),
    ("reached_places", "walker", {"motion": "crosses", "when_distance_m": 20.3961}),
    ("reached_places", "late", {"motion": "crosses", "when_time_s": 2.5}),
    ("reached_places", "truck", {"motion": "brakes", "when_time_s": 1.9}),
    ("trajectories", "child", {"motion": "crosses", "heading_deg": 90.0, "speed_mps": 2.5}),
    ("trajectories", "cart", {"motion": "crosses", "heading_deg": -90.0, "speed_mps": 2.0}),
    ("trajectories", "runner", {"motion": None}),
    ("appearing", "ball", {"motion": "appears", "when_time_s": 2.0, "ahead_m": 20.7}),
    ("two_triggers", "dog", {"when_distance_m": 20.0, "when_time_s": 4.0}),
    ("two_triggers", "cat", {"when_distance_m": 20.0, "when_time_s": None}),
    ("two_triggers", "fox", {"motion": None}),
    ("parameter_conditions", "dog", {"speed_mps": 5.0, "when_distance_m": 20.0}),
    ("ego_by_controller", "lead", {"ahead_m": 20.0}),
]


@pytest.mark.parametrize(("file", "name", "fields"), EXPECTED)
def test_entities_become_things(file, name, fields):
    spec = thing(name, file)
    assert {field: getattr(spec, field) for field in fields} == fields


@pytest.mark.parametrize(
    ("file", "fields"),
    [
        ("fog_at_night", {"place": "country_road", "weather": "fog", "time_of_day": "night"}),
        ("snow_at_dawn", {"weather": "snow", "time_of_day": "dawn", "ground": None}),
        ("icy_road", {"weather": "clear", "time_of_day": "day", "ground": "icy"}),
        ("catalogue", {"weather": "rain"}),
        ("lanes", {"place": "highway"}),
        ("empty", {"weather": "clear", "time_of_day": "day"}),
    ],
)
def test_environments_become_scenes(file, fields):
    scene = imported(file).scenario.scene
    assert {field: getattr(scene, field) for field in fields} == fields


def test_things_that_move_or_are_dangerous_are_hazards():
    scenario = imported("relative_positions").scenario
    assert (list(scenario.hazards), list(scenario.objects)) == (["child", "dog", "cones"], ["van"])
    assert list(imported("lanes").scenario.hazards) == []
    assert list(imported("braking").scenario.hazards) == ["lead"]


def test_the_ego_starts_as_fast_as_the_file_says():
    assert imported("parameters").scenario.driving.speed_mps == 15.0
    assert imported("ego_by_controller").scenario.driving.speed_mps == 7.0


VARIED = [
    ("stochastic", "driving.speed_mps", Distribution("uniform", low=5.0, high=20.0)),
    (
        "stochastic",
        "hazards.lead.ahead_m",
        Distribution("normal", mean=28.7, std=4.0, low=18.7, high=38.7),
    ),
    (
        "stochastic",
        "hazards.lead.left_m",
        Distribution("normal", mean=0.0, std=0.2, low=-0.8, high=0.8),
    ),
    ("stochastic", "hazards.lead.speed_mps", Distribution("choice", (5.0, 8.0), (1.0, 3.0))),
    ("stochastic", "hazards.walker.ahead_m", Distribution("choice", (33.7, 48.7), (1.0, 2.0))),
    ("stochastic", "hazards.walker.left_m", Distribution("uniform", low=-5.0, high=-2.0)),
    ("stochastic", "scene.weather", Distribution("choice", ("clear", "rain"), (2.0, 1.0))),
    (
        "deterministic_values",
        "hazards.lead.kind",
        Distribution("choice", ("car", "bus", "van")),
    ),
    (
        "deterministic_values",
        "driving.speed_mps",
        Distribution("choice", (5.0, 7.5, 10.0, 12.5, 15.0)),
    ),
    ("deterministic_values", "objects.next.left_m", Distribution("choice", (3.5, -3.5))),
]


@pytest.mark.parametrize(("file", "path", "distribution"), VARIED)
def test_drawn_parameters_become_drawn_fields(file, path, distribution):
    assert imported(file).scenario.vary[path] == distribution


def test_a_parameter_that_moves_two_fields_is_noted():
    (note,) = [note for note in imported("deterministic_values").notes if "'Gap'" in note.reason]
    assert "'Gap' moves hazards.lead.ahead_m, objects.next.ahead_m together" in note.reason


def test_poisson_counts_are_weighted():
    spread = imported("stochastic").scenario.vary["hazards.walker.heading_deg"]
    assert spread.options[:3] == (0.0, 1.0, 2.0)
    assert spread.weights[2] == pytest.approx(math.exp(-3) * 9 / 2, abs=1e-6)


@pytest.mark.parametrize(
    ("file", "element", "line", "reason"),
    [
        ("not_mapped", "VariableDeclarations", 4, "has no counterpart"),
        ("not_mapped", "LogicFile", 9, "roads are not followed but taken as straight"),
        ("not_mapped", "TrafficAction", 68, "has no counterpart"),
        ("not_mapped", "VisibilityAction", 114, "has no counterpart"),
        ("not_mapped", "Action", 132, "SynchronizeAction is no motion of ours"),
        ("not_mapped", "Action", 212, "its actor is not in the scenario"),
        ("unknown_positions", "ScenarioObject", 21, "on road 2, the ego on road 1"),
        ("unknown_positions", "ScenarioObject", 77, "ahead_m: 890 is outside -50..300"),
        ("unknown_positions", "GeoPosition", 127, "only a road or route file knows"),
        ("two_triggers", "SpeedCondition", 242, "does not come down to a distance"),
        ("cut_in", "Action", 268, "lane changes other than into the ego's lane"),
    ],
)
def test_what_has_no_counterpart_is_listed_with_its_line(file, element, line, reason):
    assert [
        note.degree
        for note in notes_on(element, file)
        if note.line == line and reason in note.reason
    ] == ["not mapped"]


def test_a_note_says_where_it_is_from():
    (note,) = notes_on("GeoPosition", "unknown_positions")
    assert str(note) == (
        f"{FILES / 'unknown_positions.xosc'}:127: GeoPosition: not mapped: "
        "only a road or route file knows where this is"
    )


PLACES_OF_NEWS = ("Storyboard", "Entities", "Actions", "Private", "Weather", "Event", "Condition")


@pytest.mark.parametrize("parent", PLACES_OF_NEWS)
def test_an_element_that_nobody_knows_is_listed_wherever_it_stands(parent, tmp_path):
    root = parse_xml((FILES / "crossing.xosc").read_bytes(), "crossing.xosc")
    weather = parse_xml((FILES / "icy_road.xosc").read_bytes(), "icy_road.xosc")
    news = with_news(root if parent != "Weather" else weather, parent)
    (tmp_path / "news.xosc").write_text(xml_text(news))
    notes = import_openscenario(tmp_path / "news.xosc").notes
    assert "News" in {note.element for note in notes}


def with_news(root, parent):
    children = tuple(with_news(child, parent) for child in root.children)
    news = (Element("News"),) if root.name == parent else ()
    return Element(root.name, root.attributes, children + news)


SCENARIO = (FILES / "crossing.xosc").read_text()
BOMB = (
    '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">]>'
    "<OpenSCENARIO>&b;</OpenSCENARIO>"
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "x.xosc:1: not valid XML: no element found"),
        ("<a>\n<b></a>", "x.xosc:2: not valid XML: mismatched tag"),
        (SCENARIO[:-20], "not valid XML: unclosed token|no element found"),
        ("\x00\x01", "x.xosc:1: not valid XML"),
        (BOMB, "x.xosc:1: a document type or an entity, which scenario files do not have"),
        ("<!DOCTYPE a SYSTEM '/etc/passwd'><a/>", "x.xosc:1: a document type or an entity"),
        ("<a>&lol;</a>", "not valid XML: undefined entity"),
        ("<?xml version='1.0' encoding='rot13'?><a/>", "not valid XML"),
        ("<a>" * 150 + "</a>" * 150, "x.xosc:1: nested more than 100 levels deep"),
        ("<a>" + "<b/>\n" * 200_000 + "</a>", "x.xosc:200000: more than 200000 elements"),
        ("<a/>" + " " * 10 * 2**20, "larger than 10 MB"),
        ("<a/>", "x.xosc:1: a: the outermost element of a scenario is OpenSCENARIO"),
        ("<OpenSCENARIO/>", "x.xosc:1: OpenSCENARIO: a file without a Storyboard is no scenario"),
        (
            "<OpenSCENARIO>\n<Catalog name='a'/></OpenSCENARIO>",
            "x.xosc:2: Catalog: a catalogue is no scenario",
        ),
        (
            SCENARIO.replace('Private entityRef="', 'Private object="'),
            "Private: written as in OpenSCENARIO 0.9",
        ),
    ],
)
def test_broken_and_unsafe_files_are_refused_with_their_place(text, problem, tmp_path):
    (tmp_path / "x.xosc").write_bytes(text.encode())
    with pytest.raises(ScenarioError, match=problem):
        import_openscenario(tmp_path / "x.xosc")


@pytest.mark.parametrize("name", ["missing.xosc", "", "a\x00b", "x" * 5000])
def test_a_file_that_is_not_there_is_named(name, tmp_path):
    with pytest.raises(ScenarioError, match=r"no such file|cannot be read"):
        import_openscenario(tmp_path / name)


def test_catalogues_outside_the_folder_are_not_read(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    text = (FILES / "catalogue.xosc").read_text()
    for path in ("catalogs", "./catalogs", "../xosc/catalogs"):
        text = text.replace(f'path="{path}"', 'path="../catalogs"')
    (inner / "catalogue.xosc").write_text(text)
    (tmp_path / "catalogs").symlink_to(FILES / "catalogs")
    alone = import_openscenario(inner / "catalogue.xosc")
    assert alone.scenario.scene.weather == "clear"
    assert "no Environment 'storm' in the catalogues" in {note.reason for note in alone.notes}


def test_a_wider_root_lets_catalogues_be_read(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "catalogs").mkdir()
    for path in (FILES / "catalogs").glob("*.xosc"):
        (tmp_path / "catalogs" / path.name).write_bytes(path.read_bytes())
    text = (FILES / "catalogue.xosc").read_text().replace('path="catalogs"', 'path="../catalogs"')
    (tmp_path / "inner" / "catalogue.xosc").write_text(text)
    wide = import_openscenario(tmp_path / "inner" / "catalogue.xosc", root=tmp_path)
    assert wide.scenario.scene.weather == "rain"


def test_distributions_for_a_file_outside_the_folder_are_refused(tmp_path):
    text = (FILES / "deterministic_values.xosc").read_text()
    (tmp_path / "values.xosc").write_text(text.replace("deterministic.xosc", "../a.xosc"))
    with pytest.raises(ScenarioError, match=r"the scenario '\.\./a\.xosc' is no file below"):
        import_openscenario(tmp_path / "values.xosc")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", 7.0),
        ("-(4 - 1) / 2", -1.5),
        ("7 % 4 + 2e1", 23.0),
        ("$a * $a", 9.0),
        ("sqrt(pow(3, 2) + 16)", 5.0),
        ("round(2.4) + floor(2.9) + ceil(0.1) + abs(-1) + sign(-8)", 5.0),
        ("max($a, 5) - min($a, 5)", 2.0),
        ("not false and true or false", True),
    ],
)
def test_expressions_are_worked_out(expression, value):
    assert evaluated(expression, {"a": "3"}) == value


@pytest.mark.parametrize(
    "expression",
    [
        *("", "1 +", "$b", "x", "1 / 0", "sqrt(-1)", "pow(9, 999)", "1e999", "2 ** 9", "'a' * 9"),
        *("__import__('os')", "(1).real", "[1][0]", "a if b else c", "round", "round(1, 2, 3)"),
        *("9" * 400, "(" * 200, "1" + "+1" * 200, "lambda: 0", "1; 2", "$a.b", "nan", "inf - 1"),
    ],
)
def test_what_is_no_expression_stays_as_it_is(expression):
    root = Element("a", {"value": f"${{{expression}}}"})
    assert resolved(root).attributes["value"] == f"${{{expression}}}"
