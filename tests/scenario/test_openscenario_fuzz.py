"""Whatever bytes are called .xosc, an import gives a scenario or one clear error, within a second.

HARTSIM_FUZZ=100000 says how many mutations are made instead of some 2400.
"""

import os
import random
import re
import time

import pytest

from hartsim.errors import ScenarioError
from hartsim.scenario.dump import to_yaml
from hartsim.scenario.load import parse_scenario
from hartsim.scenario.openscenario import export_openscenario, import_openscenario
from hartsim.scenario.openscenario.tree import Element, parse_xml, xml_text
from tests.scenario.openscenario import FILES, bare

COUNT = int(os.environ.get("HARTSIM_FUZZ", "3000"))
CPU_SECONDS = 4.0
SOURCES = sorted(FILES.rglob("*.xosc"))
ODD = (
    *("", "0", "-1", "1e999", "nan", "-inf", "9" * 400, "1e-320", "1e308", "true", "0x1F", "1_0"),
    *("$", "${", "${}", "${1/0}", "$missing", "$Gap", "${$Gap}", "${pow(9,9)}", "\\$a", "${" * 50),
    *("Ego", "lead", "child", "van", "bus", "snow", "2025-13-45T99:99:99", "T7:30", "../../etc"),
    *("/etc/passwd", "a" * 3000, "é🦌", " ", "hartsim:task", "driving", "robot", "kitchen_table"),
)
NAMES = ("Ego", "Private", "Position", "Event", "Property", "Vehicle", "CatalogReference", "News")


def mutated_bytes(rng: random.Random, data: bytes) -> bytes:
    """The bytes with some cut out, repeated or replaced."""
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(data) + 1)
        end = min(len(data), start + rng.choice([0, 1, 5, 60, 2000]))
        put = rng.choice([b"", bytes([rng.randrange(256)]), data[start:end] * 2, odd(rng).encode()])
        data = data[:start] + put + data[end:]
    return data


def mutated_tree(rng: random.Random, root: Element, donor: Element, rate: float) -> Element:
    """The tree with attributes changed, and elements renamed, moved, doubled or left out."""
    children = [mutated_tree(rng, child, donor, rate) for child in root.children]
    if rng.random() < rate and children:
        rng.choice(
            [
                lambda: children.pop(rng.randrange(len(children))),
                lambda: children.extend(children[:3]),
                lambda: rng.shuffle(children),
                lambda: children.append(rng.choice(list(donor.walk()))),
            ]
        )()
    attributes = dict(root.attributes)
    if attributes and rng.random() < rate:
        attributes[rng.choice(list(attributes))] = odd(rng)
    name = rng.choice(NAMES) if rng.random() < rate / 4 else root.name
    return Element(name, attributes, tuple(children))


def odd(rng: random.Random) -> str:
    return rng.choice(ODD)


def answer(path):
    """The scenario of a file, or None with the error's text checked."""
    began, scenario, problem = time.process_time(), None, ""
    try:
        scenario = import_openscenario(path).scenario
    except ScenarioError as error:
        problem = str(error)
    assert time.process_time() - began < CPU_SECONDS
    place = rf"{re.escape(str(path.parent))}/[\w./-]+(:\d+)?: "
    assert scenario is not None or re.match(place, problem), problem
    return scenario


def check(path):
    """An answer, and that a scenario is one that our own files can hold."""
    scenario = answer(path)
    if scenario is not None:
        read = parse_scenario(to_yaml(scenario), "", scenario.name)
        assert bare(read) == bare(scenario)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A copy of the example files, and exported ones beside them."""
    folder = tmp_path_factory.mktemp("xosc")
    for path in SOURCES:
        place = folder / path.relative_to(FILES)
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(path.read_bytes())
    for name in ("stochastic", "crossing", "relative_positions"):
        scenario = import_openscenario(FILES / f"{name}.xosc").scenario
        export_openscenario(parse_scenario(to_yaml(scenario), "", f"own_{name}"), folder)
    return folder


def test_mutated_bytes_give_a_scenario_or_an_error(folder):
    rng = random.Random(1)
    sources = [path.read_bytes() for path in sorted(folder.rglob("*.xosc"))]
    for _ in range(COUNT // 2):
        (folder / "mutant.xosc").write_bytes(mutated_bytes(rng, rng.choice(sources)))
        check(folder / "mutant.xosc")


def test_mutated_trees_give_a_scenario_or_an_error(folder):
    rng = random.Random(2)
    paths = sorted(path for path in folder.glob("*.xosc") if path.stem != "mutant")
    trees = [parse_xml(path.read_bytes(), path.name) for path in paths]
    for _ in range(COUNT // 4):
        rate = rng.choice([0.003, 0.02, 0.1])
        mutant = mutated_tree(rng, rng.choice(trees), rng.choice(trees), rate)
        (folder / "mutant.xosc").write_text(xml_text(mutant), encoding="utf-8")
        check(folder / "mutant.xosc")


def test_mutated_distributions_give_a_scenario_or_an_error(folder):
    rng = random.Random(3)
    names = ("stochastic", "own_stochastic")
    drawn = [folder / f"{name}.dist.xosc" for name in names]
    trees = [parse_xml(path.read_bytes(), path.name) for path in drawn]
    for _ in range(COUNT // 40):
        mutant = mutated_tree(rng, rng.choice(trees), rng.choice(trees), 0.05)
        (folder / "mutant.xosc").write_text(xml_text(mutant), encoding="utf-8")
        check(folder / "mutant.xosc")


def large(count: int, part: str, around: str) -> bytes:
    return around.replace("PART", part * count).encode()


HEAD = '<OpenSCENARIO><FileHeader revMajor="1" revMinor="2"/>'
ENTITY = '<ScenarioObject name="a{0}"><Vehicle name="car" vehicleCategory="car"/></ScenarioObject>'


@pytest.mark.parametrize("case", ["entities", "actions", "conditions", "vertices", "parameters"])
def test_large_files_are_answered_in_time(case, tmp_path):
    place = '<Position><WorldPosition x="5" y="{0}"/></Position>'
    init = f'<Private entityRef="a1"><PrivateAction><TeleportAction>{place}</TeleportAction>'
    init = f"<Init><Actions>{init}</PrivateAction></Private></Actions></Init>"
    numbers = range(4000)
    entities = "".join(ENTITY.format(n) for n in (numbers if case == "entities" else (0, 1)))
    parts = {
        "actions": "".join(f'<Action name="{n}">{ACTION}</Action>' for n in numbers),
        "conditions": f'<Action name="b">{ACTION}</Action><StartTrigger>'
        + "".join(f"<ConditionGroup>{CONDITION}</ConditionGroup>" for _ in numbers)
        + "</StartTrigger>",
        "vertices": f'<Action name="b">{WAY[0]}'
        + "".join(f"<Vertex>{place}</Vertex>" for _ in numbers)
        + f"{WAY[1]}</Action>",
    }
    event = f'<Event name="e">{parts.get(case, "")}</Event>'
    refs = "".join(f'<EntityRef entityRef="a{n % 2}"/>' for n in numbers)
    group = f"<ManeuverGroup><Actors>{refs}</Actors><Maneuver>{event}</Maneuver></ManeuverGroup>"
    declared = "".join(
        f'<ParameterDeclaration name="p{n}" value="${{$p{n - 1} + 1}}"/>' for n in numbers
    )
    declared = f"<ParameterDeclarations>{declared}</ParameterDeclarations>"
    text = (
        f"{HEAD}{declared if case == 'parameters' else ''}<Entities>{entities}</Entities>"
        f"<Storyboard>{init}<Story><Act>{group}</Act></Story></Storyboard></OpenSCENARIO>"
    )
    (tmp_path / "large.xosc").write_text(text)
    answer(tmp_path / "large.xosc")


ACTION = (
    "<PrivateAction><LongitudinalAction><SpeedAction><SpeedActionTarget>"
    '<AbsoluteTargetSpeed value="3"/></SpeedActionTarget></SpeedAction></LongitudinalAction>'
    "</PrivateAction>"
)
CONDITION = (
    '<Condition delay="0"><ByValueCondition><SimulationTimeCondition value="3" rule="greaterThan"/>'
    "</ByValueCondition></Condition>"
)
WAY = (
    "<PrivateAction><RoutingAction><FollowTrajectoryAction><Trajectory><Shape><Polyline>",
    "</Polyline></Shape></Trajectory></FollowTrajectoryAction></RoutingAction></PrivateAction>",
)
