"""The hazards and objects that a scenario can name: words, sizes, places, tags.

The tag ids are our own short names for entries of published lists: `nhtsa` for the pre-crash types
of DOT HS 810 767, `sotif` for classes of triggering conditions in the sense of ISO 21448. They help
to count and to search; conformity with any standard is not claimed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from hartsim.types import Task, Vector3

Zone = Literal["lane", "road", "oncoming", "parked", "verge", "table", "lying"]
Facing = Literal["along", "across", "any"]

CLOTHES = ("red", "blue", "yellow", "green", "black", "white", "grey", "orange")
CUPS = ("white", "red", "blue", "green", "yellow", "black")
PAINTS = ("white", "black", "grey", "silver", "red", "blue", "green", "yellow")


@dataclass(frozen=True)
class Kind:
    """One entry of the catalogue.

    `nouns` are interchangeable, with their article, the plainest first; `actions` complete them
    ("running into the road") where the object stands on the road or the table. `size_m` is the
    typical length, width and height; draws differ from it by up to the fraction `spread`. `zone` is
    where it is usually found and `facing` how it is turned there. `moves` marks what can come from
    behind something. `colours` are those it may be painted or dressed in. `synonyms` are
    understood in sentences but never written.
    """

    id: str
    task: Task
    class_name: str
    nouns: tuple[str, ...]
    plural: str
    size_m: Vector3
    zone: Zone
    facing: Facing = "any"
    spread: float = 0.1
    hazard: bool = True
    moves: bool = False
    actions: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    nhtsa: tuple[str, ...] = ()
    sotif: tuple[str, ...] = ()

    @property
    def tags(self) -> tuple[str, ...]:
        """Scheme and id of every tag, as labels carry them."""
        return (
            *(f"nhtsa:{each}" for each in self.nhtsa),
            *(f"sotif:{each}" for each in self.sotif),
        )


# One paragraph for each kind, which the formatter would make one line for each word.
# fmt: off
_ROAD_USERS = (
    Kind("child", "driving", "person", size_m=(0.35, 0.45, 1.2), zone="road", facing="across",
         spread=0.12, moves=True,
         nouns=("a child", "a small child", "a kid"), plural="children",
         synonyms=("boy", "girl", "toddler", "schoolchild", "little boy", "little girl"),
         actions=("running into the road", "crossing the road", "standing in the road"),
         colours=CLOTHES, nhtsa=("pedestrian_no_manoeuvre",),
         sotif=("erratic_motion", "small_target")),
    Kind("pedestrian", "driving", "person", size_m=(0.4, 0.55, 1.74), zone="road",
         facing="across", moves=True,
         nouns=("a pedestrian", "a person", "a person on foot"), plural="pedestrians",
         synonyms=("man", "woman", "someone", "jaywalker", "walker", "old man", "old woman"),
         actions=("crossing the road", "walking into the road", "standing in the road"),
         colours=CLOTHES, nhtsa=("pedestrian_no_manoeuvre",), sotif=("erratic_motion",)),
    Kind("cyclist", "driving", "two_wheeler", size_m=(1.8, 0.6, 1.75), zone="road", moves=True,
         nouns=("a cyclist", "a person on a bicycle", "a bike rider"), plural="cyclists",
         synonyms=("bicycle", "bike", "bicyclist"),
         actions=("riding across the road", "riding in the lane", "swerving into the lane"),
         colours=CLOTHES, nhtsa=("pedalcyclist_no_manoeuvre",), sotif=("erratic_motion",)),
    Kind("adult", "driving", "person", size_m=(0.4, 0.55, 1.74), zone="verge", hazard=False,
         moves=True,
         nouns=("a bystander", "a passer-by", "an adult"), plural="people",
         synonyms=("onlooker",),
         actions=("waiting", "walking"), colours=CLOTHES),
    Kind("deer", "driving", "animal", size_m=(1.6, 0.45, 1.45), zone="road", facing="across",
         spread=0.2, moves=True,
         nouns=("a deer", "a roe deer", "a stag"), plural="deer",
         synonyms=("elk", "moose", "doe", "wild animal", "animal"),
         actions=("standing in the road", "crossing the road", "leaping across the road"),
         nhtsa=("animal_no_manoeuvre",), sotif=("erratic_motion", "low_contrast")),
    Kind("dog", "driving", "animal", size_m=(0.9, 0.3, 0.65), zone="road", facing="across",
         spread=0.2, moves=True,
         nouns=("a dog", "a stray dog"), plural="dogs", synonyms=("puppy",),
         actions=("running across the road", "standing in the road", "trotting along the lane"),
         colours=("brown", "black", "white"), nhtsa=("animal_no_manoeuvre",),
         sotif=("erratic_motion", "small_target")),
)

_ON_THE_ROAD = (
    Kind("cardboard_boxes", "driving", "debris", size_m=(1.2, 1.0, 0.8), zone="lane", spread=0.25,
         nouns=("a pile of cardboard boxes", "a stack of cardboard boxes"),
         plural="piles of cardboard boxes", synonyms=("cardboard boxes", "boxes"),
         actions=("lying in the lane", "scattered on the road", "blocking the lane"),
         nhtsa=("object_no_manoeuvre",), sotif=("unusual_object",)),
    Kind("lost_load", "driving", "debris", size_m=(2.4, 1.6, 0.7), zone="lane", spread=0.25,
         nouns=("a lost load of planks and crates", "a spilled load of wood", "lost cargo"),
         plural="lost loads",
         synonyms=("lost load", "debris", "planks", "crates", "load", "spilled load"),
         actions=("scattered across the lane", "lying on the road", "blocking the lane"),
         nhtsa=("object_no_manoeuvre",), sotif=("unusual_object", "low_contrast")),
    Kind("tyre", "driving", "debris", size_m=(0.8, 0.8, 0.3), zone="lane", spread=0.2,
         nouns=("a tyre", "a truck tyre", "a lost wheel"), plural="tyres",
         synonyms=("tire", "wheel", "blown tyre"),
         actions=("lying in the lane", "lying on the road"), nhtsa=("object_no_manoeuvre",),
         sotif=("unusual_object", "low_contrast", "small_target")),
    Kind("rock", "driving", "debris", size_m=(0.9, 0.8, 0.6), zone="lane", spread=0.3,
         nouns=("a rock", "a boulder", "a fallen rock"), plural="rocks",
         synonyms=("stone", "rockfall"),
         actions=("lying in the lane", "lying on the road"), nhtsa=("object_no_manoeuvre",),
         sotif=("unusual_object", "low_contrast")),
    Kind("fallen_tree", "driving", "debris", size_m=(5.0, 1.2, 1.1), zone="lane", facing="across",
         spread=0.2,
         nouns=("a fallen tree", "a fallen tree trunk", "an uprooted tree"),
         plural="fallen trees", synonyms=("tree", "trunk", "log", "fallen branch"),
         actions=("lying across the road", "blocking the road"), nhtsa=("object_no_manoeuvre",),
         sotif=("unusual_object",)),
    Kind("traffic_cones", "driving", "cone", size_m=(2.4, 1.2, 0.75), zone="lane", facing="along",
         nouns=("a row of traffic cones", "a group of orange traffic cones"),
         plural="rows of traffic cones", synonyms=("traffic cones", "cones", "cone"),
         actions=("closing the lane", "standing in the lane"), nhtsa=("object_no_manoeuvre",),
         sotif=("temporary_layout",)),
    Kind("barrier", "driving", "barrier", size_m=(2.4, 0.5, 1.0), zone="lane", facing="across",
         nouns=("a road barrier", "a red and white barrier", "a construction barrier"),
         plural="barriers", synonyms=("roadblock", "fence"),
         actions=("closing the lane", "blocking the road"), nhtsa=("object_no_manoeuvre",),
         sotif=("temporary_layout",)),
    Kind("stopped_car", "driving", "car", size_m=(4.4, 1.8, 1.5), zone="lane", facing="along",
         nouns=("a stopped car", "a broken-down car", "a stationary car"), plural="stopped cars",
         synonyms=("broken down car", "breakdown", "car wreck", "crashed car"),
         actions=("standing in the lane", "blocking the lane"), colours=PAINTS,
         nhtsa=("lead_vehicle_stopped",), sotif=("stationary_target",)),
    Kind("burning_car", "driving", "car", size_m=(4.4, 1.8, 1.5), zone="lane", facing="along",
         nouns=("a burning car", "a car on fire"), plural="burning cars",
         synonyms=("vehicle fire", "burning vehicle", "car fire"),
         actions=("with flames and black smoke", "blocking the road"),
         nhtsa=("lead_vehicle_stopped",), sotif=("unusual_object", "smoke")),
    Kind("pothole", "driving", "surface_hazard", size_m=(1.1, 1.0, 0.02), zone="lane", spread=0.3,
         nouns=("a pothole", "a deep pothole", "a hole in the road"), plural="potholes",
         nhtsa=("control_loss",), sotif=("road_surface", "low_contrast")),
    Kind("oil_spill", "driving", "surface_hazard", size_m=(2.6, 1.8, 0.01), zone="lane",
         spread=0.3,
         nouns=("an oil spill", "a patch of oil", "an oil slick"), plural="oil spills",
         synonyms=("oil",),
         actions=("spreading over the lane", "shining on the road"), nhtsa=("control_loss",),
         sotif=("road_surface", "low_friction")),
    Kind("puddle", "driving", "water", size_m=(3.0, 2.0, 0.01), zone="lane", spread=0.3,
         nouns=("a puddle", "a large puddle", "a flooded patch of road"), plural="puddles",
         synonyms=("flood", "water on the road", "standing water"),
         actions=("on the road", "covering the lane"), nhtsa=("control_loss",),
         sotif=("road_surface", "low_friction", "reflection")),
    Kind("smoke", "driving", "smoke_fire", size_m=(3.0, 3.0, 2.4), zone="road", spread=0.3,
         nouns=("a cloud of smoke", "thick smoke", "a bank of grey smoke"),
         plural="clouds of smoke", synonyms=("smoke", "cloud of black smoke"),
         actions=("drifting across the road", "hiding the road"), nhtsa=("object_no_manoeuvre",),
         sotif=("smoke",)),
)

_TRAFFIC = (
    Kind("car", "driving", "car", size_m=(4.4, 1.8, 1.5), zone="oncoming", facing="along",
         hazard=False,
         nouns=("a car",), plural="cars", synonyms=("sedan", "vehicle"),
         actions=("driving",), colours=PAINTS),
    Kind("van", "driving", "truck", size_m=(5.2, 2.0, 2.3), zone="parked", facing="along",
         hazard=False,
         nouns=("a van", "a delivery van"), plural="vans", synonyms=("minivan", "transporter"),
         actions=("driving",), colours=PAINTS),
    Kind("truck", "driving", "truck", size_m=(7.5, 2.4, 3.2), zone="oncoming", facing="along",
         hazard=False,
         nouns=("a truck", "a lorry"), plural="trucks", synonyms=("semi", "trailer truck"),
         actions=("driving",)),
    Kind("bus", "driving", "bus", size_m=(10.0, 2.5, 3.1), zone="oncoming", facing="along",
         hazard=False,
         nouns=("a bus", "a city bus"), plural="buses", synonyms=("coach", "school bus"),
         actions=("driving",), colours=("red", "yellow", "white", "blue", "green")),
    Kind("motorcycle", "driving", "two_wheeler", size_m=(2.1, 0.7, 1.5), zone="oncoming",
         facing="along", hazard=False, moves=True,
         nouns=("a motorcycle", "a motorbike"), plural="motorcycles",
         actions=("driving",), colours=PAINTS),
)

_TABLE_HAZARDS = (
    Kind("water_spill", "robot", "water", size_m=(0.22, 0.16, 0.004), zone="lying", spread=0.3,
         nouns=("a water spill", "a puddle of water", "spilled water"), plural="water spills",
         synonyms=("spill", "water", "wet spot", "puddle"),
         sotif=("reflection", "transparent_object")),
    Kind("coffee_spill", "robot", "water", size_m=(0.2, 0.15, 0.004), zone="lying", spread=0.3,
         nouns=("a coffee spill", "a puddle of coffee", "spilled coffee"), plural="coffee spills",
         synonyms=("coffee",),
         sotif=("reflection",)),
    Kind("knife", "robot", "tool", size_m=(0.3, 0.035, 0.02), zone="lying",
         nouns=("a knife", "a kitchen knife", "a sharp knife"), plural="knives",
         synonyms=("blade", "cutter"),
         sotif=("sharp_object", "reflection")),
    Kind("scissors", "robot", "tool", size_m=(0.2, 0.09, 0.015), zone="lying",
         nouns=("a pair of scissors", "a pair of open scissors"), plural="scissors",
         colours=("red", "blue", "black", "orange"), sotif=("sharp_object",)),
    Kind("human_hand", "robot", "hand", size_m=(0.42, 0.11, 0.07), zone="table", moves=True,
         nouns=("a human hand", "a hand", "a person's hand"), plural="hands",
         synonyms=("arm", "person", "human"),
         actions=("reaching across the table", "resting on the table"),
         sotif=("human_in_workspace", "erratic_motion")),
    Kind("broken_glass", "robot", "debris", size_m=(0.2, 0.18, 0.04), zone="lying", spread=0.25,
         nouns=("broken glass", "a pile of broken glass", "shattered glass"),
         plural="heaps of broken glass", synonyms=("glass shards", "shards"),
         sotif=("sharp_object", "transparent_object")),
    Kind("hot_plate", "robot", "electronics", size_m=(0.26, 0.26, 0.07), zone="table",
         nouns=("a hot plate", "a glowing hot plate", "an electric hot plate"),
         plural="hot plates", synonyms=("stove", "hotplate", "cooker"),
         sotif=("hot_object",)),
    Kind("power_cable", "robot", "electronics", size_m=(0.4, 0.2, 0.015), zone="lying",
         spread=0.2,
         nouns=("a power cable", "a loose power cable", "an electric cable"),
         plural="power cables", synonyms=("cable", "wire", "power cord", "cord"),
         colours=("black", "white", "orange"), sotif=("thin_object",)),
)

_TABLE_THINGS = (
    Kind("laptop", "robot", "electronics", size_m=(0.25, 0.34, 0.23), zone="table", spread=0.12,
         hazard=False,
         nouns=("a laptop", "an open laptop"), plural="laptops"),
    Kind("phone", "robot", "electronics", size_m=(0.15, 0.075, 0.01), zone="table", spread=0.12,
         hazard=False,
         nouns=("a phone", "a smartphone"), plural="phones"),
    Kind("keyboard", "robot", "electronics", size_m=(0.14, 0.42, 0.025), zone="table",
         spread=0.12, hazard=False,
         nouns=("a keyboard",), plural="keyboards"),
    Kind("mug", "robot", "container", size_m=(0.09, 0.09, 0.1), zone="table", spread=0.12,
         hazard=False,
         nouns=("a mug", "a coffee mug"), plural="mugs",
         colours=CUPS),
    Kind("cup", "robot", "container", size_m=(0.08, 0.08, 0.11), zone="table", spread=0.12,
         hazard=False,
         nouns=("a cup", "a paper cup"), plural="cups",
         colours=CUPS),
    Kind("bottle", "robot", "container", size_m=(0.075, 0.075, 0.25), zone="table", spread=0.12,
         hazard=False,
         nouns=("a bottle", "a plastic bottle"), plural="bottles",
         colours=("green", "blue", "brown", "white")),
    Kind("bowl", "robot", "container", size_m=(0.17, 0.17, 0.07), zone="table", spread=0.12,
         hazard=False,
         nouns=("a bowl",), plural="bowls",
         colours=CUPS),
    Kind("cardboard_box", "robot", "container", size_m=(0.2, 0.15, 0.12), zone="table",
         spread=0.3, hazard=False,
         nouns=("a cardboard box", "a small box"), plural="cardboard boxes"),
    Kind("apple", "robot", "food", size_m=(0.08, 0.08, 0.075), zone="table", spread=0.12,
         hazard=False,
         nouns=("an apple",), plural="apples",
         colours=("red", "green", "yellow")),
    Kind("banana", "robot", "food", size_m=(0.19, 0.06, 0.035), zone="table", spread=0.12,
         hazard=False,
         nouns=("a banana",), plural="bananas"),
    Kind("screwdriver", "robot", "tool", size_m=(0.22, 0.03, 0.03), zone="table", spread=0.12,
         hazard=False,
         nouns=("a screwdriver",), plural="screwdrivers",
         colours=("red", "yellow", "blue", "black")),
    Kind("book", "robot", "other", size_m=(0.22, 0.16, 0.03), zone="table", spread=0.2,
         hazard=False,
         nouns=("a book", "a closed book"), plural="books",
         colours=("red", "blue", "green", "brown", "black")),
)
# fmt: on


def _by_id(kinds: Iterable[Kind]) -> dict[str, Kind]:
    return {kind.id: kind for kind in kinds}


KINDS: Mapping[str, Kind] = _by_id(
    (*_ROAD_USERS, *_ON_THE_ROAD, *_TRAFFIC, *_TABLE_HAZARDS, *_TABLE_THINGS)
)


def kinds_of(task: Task, hazard: bool | None = None) -> tuple[Kind, ...]:
    """The kinds of a task in catalogue order; only hazards, or only others, where asked."""
    return tuple(
        kind
        for kind in KINDS.values()
        if kind.task == task and (hazard is None or kind.hazard == hazard)
    )
