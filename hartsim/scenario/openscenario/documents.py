"""A scenario as OpenSCENARIO documents: the scenario itself and the catalogues it refers to.

The ego starts at the origin of the world and looks along x, so that world positions are positions
in its frame. Kinds, weathers, times and grounds that vary are references to catalogues, by a
parameter; the values of other fields that vary are parameters themselves.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from hartsim.scenario.kinds import KINDS
from hartsim.scenario.nodes import Value
from hartsim.scenario.openscenario.acts import Acts, at_time, by_entity, step_to
from hartsim.scenario.openscenario.entities import ENTITIES, entity
from hartsim.scenario.openscenario.environments import environment
from hartsim.scenario.openscenario.kept import PREFIX, flat
from hartsim.scenario.openscenario.parameters import value_text
from hartsim.scenario.openscenario.roads import BEHIND_M, Road, road_of
from hartsim.scenario.openscenario.texts import DEGREES, Texts
from hartsim.scenario.openscenario.tree import Element, element
from hartsim.scenario.poses import scaled_size
from hartsim.scenario.schema import ObjectSpec, Scenario
from hartsim.scenario.surroundings import PLACES

DATE = "2025-06-21T12:00:00"
"""The date in every header, so that the same scenario gives the same file."""
TIME_LIMIT_S = 60.0
GOAL_TOLERANCE_M = 2.0

VARIED: Mapping[str, Callable[[str], Element]] = {
    "weather": lambda id: environment(id, weather=id),
    "time_of_day": lambda id: environment(id, time=id),
    "ground": lambda id: environment(id, ground=id),
}
"""The catalogue entries for fields of the scene that vary."""
CATALOGS = {"weather": "weathers", "time_of_day": "times_of_day", "ground": "grounds"}
SCALE = element(
    "ParameterDeclarations",
    element("ParameterDeclaration", name="scale", parameterType="double", value="1"),
)


@dataclass(frozen=True)
class Documents:
    """The root of a scenario file, and those of its catalogue files by name."""

    root: Element
    catalogs: Mapping[str, Element]


def ego_name(scenario: Scenario) -> str:
    """What the ego is called: no thing's name."""
    names, ego = {*scenario.hazards, *scenario.objects}, "Ego"
    while ego in names:
        ego += "_"
    return ego


def header(about: str, *properties: Element) -> Element:
    """The header of a file."""
    return element(
        "FileHeader",
        element("Properties", *properties) if properties else None,
        author="hartsim",
        date=DATE,
        description=about,
        revMajor="1",
        revMinor="2",
    )


def kept_property(name: str, value: str) -> Element:
    """A property of ours."""
    return element("Property", name=PREFIX + name, value=value)


def documents(scenario: Scenario, kept: Mapping[str, Value | None]) -> Documents:
    """The documents of a scenario; `kept` are the paths and values that properties hold."""
    return _Writing(scenario, kept).documents()


class _Writing:
    """The documents of a scenario while they are being written."""

    def __init__(self, scenario: Scenario, kept: Mapping[str, Value | None]) -> None:
        self.scenario, self.kept = scenario, kept
        self.texts = Texts(scenario)
        self.ego = ego_name(scenario)
        self.things = {**scenario.hazards, **scenario.objects}
        lanes = PLACES[scenario.scene.place].lanes_m
        self.road: Road | None = road_of(lanes) if scenario.task == "driving" else None
        self.catalogs: dict[str, dict[str, Element]] = {}

    def documents(self) -> Documents:
        entities = element("Entities", self._ego(), *map(self._entity, self.things))
        storyboard = self._storyboard()
        file = element("LogicFile", filepath=f"./{self.scenario.name}.xodr")
        root = element(
            "OpenSCENARIO",
            header(self.scenario.about),
            self.texts.declarations(self._values()),
            self._locations(),
            element("RoadNetwork", file if self.road else None),
            entities,
            storyboard,
        )
        catalogs = {
            name: element(
                "OpenSCENARIO",
                header(f"{name} of {self.scenario.name}"),
                element("Catalog", *sorted(entries.values(), key=_rank), name=name),
            )
            for name, entries in self.catalogs.items()
        }
        return Documents(root, catalogs)

    def _values(self) -> dict[str, Value | None]:
        """The values of all fields by the paths that `vary` knows."""
        values = flat(self.scenario)
        for name in self.things:
            for path in [each for each in values if each.startswith(f"things.{name}.")]:
                values[self.texts.path(name, path.rpartition(".")[2])] = values[path]
        for name, camera in self.scenario.cameras.items():
            values |= {f"cameras.{name}.{each}": value for each, value in vars(camera).items()}
        return values

    def _locations(self) -> Element:
        place = element("Directory", path=f"./{self.scenario.name}.catalogs")
        names = ["VehicleCatalog", "PedestrianCatalog", "MiscObjectCatalog"]
        wanted = names if "kinds" in self.catalogs else []
        wanted = wanted + (["EnvironmentCatalog"] if set(self.catalogs) - {"kinds"} else [])
        return element("CatalogLocations", *(element(name, place) for name in wanted))

    def _reference(self, catalog: str, path: str, value: str, *more: Element) -> Element:
        entry = self.texts.text(path, value)
        return element("CatalogReference", *more, catalogName=catalog, entryName=entry)

    def _ego(self) -> Element:
        properties = element(
            "Properties",
            *(
                kept_property(path, self.texts.text(self._vary_path(path), value))
                for path, value in self.kept.items()
            ),
        )
        if self.scenario.task == "driving":
            return element("ScenarioObject", entity(KINDS["car"], "1", properties), name=self.ego)
        box = element(
            "BoundingBox",
            element("Center", x="0", y="0", z="0.4"),
            element("Dimensions", length="0.4", width="0.4", height="0.8"),
        )
        robot = element(
            "MiscObject", box, properties, mass="30", miscObjectCategory="none", name="robot"
        )
        return element("ScenarioObject", robot, name=self.ego)

    def _vary_path(self, path: str) -> str:
        """The path that `vary` would use for a path of `flat`."""
        part, _, rest = path.partition(".")
        if part != "things":
            return path
        name, _, field = rest.rpartition(".")
        return self.texts.path(name, field)

    def _entity(self, name: str) -> Element:
        spec, texts = self.things[name], self.texts
        path = texts.path(name, "kind")
        scale = texts.number(texts.path(name, "scale"), spec.scale)
        properties = element("Properties")
        if not texts.varies(path):
            return element("ScenarioObject", entity(KINDS[spec.kind], scale, properties), name=name)
        kinds = self.catalogs.setdefault("kinds", {})
        for option in (spec.kind, *texts.options(path)):
            kinds[option] = entity(KINDS[option], "$scale", properties, SCALE)
        given = element("ParameterAssignment", parameterRef="scale", value=scale)
        assigned = [element("ParameterAssignments", given)] if scale != "1" else []
        reference = self._reference("kinds", path, spec.kind, *assigned)
        return element("ScenarioObject", reference, name=name)

    def _storyboard(self) -> Element:
        acts = {name: Acts(self.texts, name, spec, self.ego) for name, spec in self.things.items()}
        positions = {name: self._position(name, spec) for name, spec in self.things.items()}
        first = [
            element("Private", *actions, entityRef=name)
            for name in self.things
            if (actions := list(_first_actions(acts[name], positions[name])))
        ]
        later = [act for name in acts if (act := acts[name].act(positions[name])) is not None]
        init = element(
            "Actions",
            *(
                element("GlobalAction", element("EnvironmentAction", each))
                for each in self._environments()
            ),
            element("Private", *self._ego_actions(), entityRef=self.ego),
            *first,
        )
        return element(
            "Storyboard",
            element("Init", init),
            element("Story", *later, name="motions") if later else None,
            element("StopTrigger", *self._ends()),
        )

    def _environments(self) -> Iterator[Element]:
        """A catalogue's entry for every field that varies, and one environment for the others.

        The weather comes first, as it says of the road what a ground may say otherwise.
        """
        scene = self.scenario.scene
        values = {name: getattr(scene, name) for name in VARIED}
        varied = [name for name in VARIED if self.texts.varies(f"scene.{name}")]
        fixed = {name: None if name in varied else value for name, value in values.items()}
        if "weather" in varied:
            yield self._varied_environment("weather")
        if any(fixed.values()):
            yield environment("scene", fixed["weather"], fixed["time_of_day"], fixed["ground"])
        for name in varied:
            if name != "weather":
                yield self._varied_environment(name)

    def _varied_environment(self, name: str) -> Element:
        path, value = f"scene.{name}", getattr(self.scenario.scene, name)
        options = [*([value] if value else []), *self.texts.options(path)]
        self.catalogs[CATALOGS[name]] = {each: VARIED[name](each) for each in options}
        return self._reference(CATALOGS[name], path, options[0])

    def _ego_actions(self) -> Iterator[Element]:
        origin = element("WorldPosition", x="0", y="0", z="0", h="0")
        yield _private("TeleportAction", element("Position", origin))
        driving = self.scenario.driving
        if driving is not None:
            speed = self.texts.number("driving.speed_mps", driving.speed_mps)
            yield element("PrivateAction", step_to(speed))
            goal = element("AcquirePositionAction", self._goal())
            yield _private("RoutingAction", goal)

    def _goal(self) -> Element:
        goal_m = self.scenario.driving.goal_m if self.scenario.driving else 0.0
        x = self.texts.number("driving.goal_m", goal_m)
        return element("Position", element("WorldPosition", x=x, y="0", z="0", h="0"))

    def _ends(self) -> Iterator[Element]:
        """The goal reached, or the time up."""
        if self.scenario.driving is not None:
            tolerance = value_text(GOAL_TOLERANCE_M)
            reached = element("ReachPositionCondition", self._goal(), tolerance=tolerance)
            yield by_entity("goal", self.ego, reached)
        yield at_time("time is up", value_text(TIME_LIMIT_S))

    def _position(self, name: str, spec: ObjectSpec) -> Element:
        number = partial(self._number, name, spec)
        heading = number("heading_deg", DEGREES)
        for field in ("behind", "of"):
            host = getattr(spec, field) or next(
                iter(self.texts.options(self.texts.path(name, field))), None
            )
            if host in self.things:
                return element("Position", self._beside(name, spec, field, host, heading))
        lane = self.road.id_of(spec.lane) if self.road and spec.lane else None
        if lane is not None:
            place = element(
                "LanePosition",
                element("Orientation", type="absolute", h=heading),
                roadId="0",
                laneId=str(lane),
                s=number("ahead_m", plus=BEHIND_M),
                offset=number("left_m"),
            )
            return element("Position", place)
        x, y, z = (number(each) for each in ("ahead_m", "left_m", "up_m"))
        return element("Position", element("WorldPosition", x=x, y=y, z=z, h=heading))

    def _beside(self, name: str, spec: ObjectSpec, field: str, host: str, heading: str) -> Element:
        base = self.things[host]
        gap_m = (scaled_size(base)[0] + scaled_size(spec)[0]) / 2 if field == "behind" else 0.0
        number = partial(self._number, name, spec)
        return element(
            "RelativeObjectPosition",
            element("Orientation", type="relative", h=heading),
            entityRef=self.texts.text(self.texts.path(name, field), host),
            dx=number("ahead_m", plus=gap_m),
            dy=number("left_m"),
            dz=number("up_m", plus=-base.up_m),
        )

    def _number(
        self, name: str, spec: ObjectSpec, field: str, per: float = 1.0, plus: float = 0.0
    ) -> str:
        return self.texts.number(self.texts.path(name, field), getattr(spec, field), per, plus)


def _rank(entry: Element) -> int:
    """Where an entry stands in a catalogue: vehicles come before people, and they before things."""
    return ENTITIES.index(entry.name) if entry.name in ENTITIES else 0


def _first_actions(acts: Acts, position: Element) -> Iterator[Element]:
    if not acts.appears:
        yield _private("TeleportAction", position)
    speed = acts.first_speed()
    if speed is not None:
        yield speed


def _private(name: str, action: Element) -> Element:
    return element("PrivateAction", element(name, action))
