"""Places, weathers and times of day: their words, materials, light and tags.

`odd` ids are our own short names for attributes of operational design domains as ISO 34503 and BSI
PAS 1883 list them; conformity is not claimed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hartsim.types import Task

STREET_SURFACES = ("road", "pavement", "terrain", "facade_a", "facade_b", "facade_c", "sky", "box")
TABLETOP_SURFACES = ("table", "wall", "floor", "box")
SURFACES: Mapping[Task, tuple[str, ...]] = {
    "driving": STREET_SURFACES,
    "robot": TABLETOP_SURFACES,
}


@dataclass(frozen=True)
class Place:
    """Where a scene plays: `nouns` without article, and what its surfaces may be made of.

    `synonyms` are understood in sentences but never written.
    """

    id: str
    task: Task
    nouns: tuple[str, ...]
    backdrop: tuple[str, ...]
    materials: Mapping[str, tuple[str, ...]]
    odd: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Slope:
    """A number that follows the strength 0..1 of a weather from `weak` to `strong`."""

    weak: float
    strong: float

    def at(self, strength: float) -> float:
        """The number at this strength."""
        return self.weak + (self.strong - self.weak) * strength

    def strength_of(self, number: float) -> float:
        """The strength at which the number is this one."""
        return (number - self.weak) / (self.strong - self.weak)


@dataclass(frozen=True)
class Weather:
    """A weather: words for any strength, for a weak and for a strong one, and its numbers.

    `numbers` are fields of `Conditions` that differ from a clear day's.
    """

    id: str
    tasks: tuple[Task, ...]
    phrases: tuple[str, ...]
    weak: tuple[str, ...]
    strong: tuple[str, ...]
    synonyms: tuple[str, ...]
    sky: tuple[str, ...]
    numbers: Mapping[str, Slope]
    odd: tuple[str, ...] = ()
    sotif: tuple[str, ...] = ()

    @property
    def all_phrases(self) -> tuple[str, ...]:
        """Everything that says this weather."""
        return (*self.synonyms, *self.phrases, *self.weak, *self.strong)


@dataclass(frozen=True)
class TimeOfDay:
    """A time of day: its words by task, how it makes the sky look, how high the sun stands."""

    id: str
    tasks: tuple[Task, ...]
    phrases: Mapping[Task, tuple[str, ...]]
    synonyms: tuple[str, ...]
    sky: str
    sun_elevation_deg: tuple[float, float]
    odd: tuple[str, ...] = ()
    sotif: tuple[str, ...] = ()

    @property
    def all_phrases(self) -> tuple[str, ...]:
        """Everything that says this time of day."""
        return (*self.synonyms, *(each for task in self.tasks for each in self.phrases[task]))


_BRICK = ("red brick wall with windows", "brown brick house front with windows")
_PLASTER = ("white plaster house front with windows", "beige plaster wall with windows")
_PAINTED = (
    "yellow painted house front with windows",
    "pale blue house front with windows",
    "rose painted house front with windows",
    "pale green house front with windows",
)
_GLASS = ("glass office front", "steel and glass front with many windows")
_CONCRETE = ("grey concrete front with windows",)
_PAVING = ("concrete paving slabs", "grey paving stones")

_PLACES = (
    Place(
        "residential_street",
        "driving",
        ("residential street", "suburban street", "street with houses"),
        ("houses and trees along a residential street", "a row of suburban houses with gardens"),
        {
            "road": ("grey asphalt", "old cracked asphalt", "dark asphalt"),
            "pavement": (*_PAVING, "red brick paving"),
            "terrain": ("short green grass", "green meadow"),
            "facade_a": _BRICK,
            "facade_b": _PLASTER,
            "facade_c": _PAINTED,
            "box": ("brown cardboard",),
        },
        odd=("road:residential", "lanes:two_way"),
        synonyms=(
            "neighbourhood",
            "neighborhood",
            "suburb",
            "residential area",
            "street",
        ),
    ),
    Place(
        "city_street",
        "driving",
        ("city street", "downtown street", "busy urban street"),
        ("tall buildings along a city street", "shops and office buildings in a city"),
        {
            "road": ("dark asphalt", "grey asphalt", "cobblestones"),
            "pavement": _PAVING,
            "terrain": _PAVING,
            "facade_a": _GLASS,
            "facade_b": _CONCRETE,
            "facade_c": (*_BRICK, *_PLASTER),
            "box": ("brown cardboard",),
        },
        odd=("road:urban", "lanes:two_way"),
        synonyms=(
            "city",
            "town",
            "downtown",
            "urban road",
            "street in the city",
        ),
    ),
    Place(
        "highway",
        "driving",
        ("highway", "motorway"),
        ("open land beside a highway", "a wide highway with guard rails and distant hills"),
        {
            "road": ("grey asphalt", "light concrete road surface", "dark asphalt"),
            "pavement": ("coarse gravel", "grey asphalt"),
            "terrain": ("dry grass", "green meadow"),
            "facade_a": _CONCRETE,
            "facade_b": ("grey noise barrier panels",),
            "facade_c": ("corrugated metal warehouse wall",),
            "box": ("brown cardboard",),
        },
        odd=("road:motorway", "lanes:multi"),
        synonyms=(
            "freeway",
            "autobahn",
            "expressway",
            "interstate",
        ),
    ),
    Place(
        "country_road",
        "driving",
        ("country road", "rural road", "road through fields"),
        ("fields and trees along a country road", "a forest edge and meadows"),
        {
            "road": ("old cracked asphalt", "grey asphalt"),
            "pavement": ("coarse gravel", "dry grass"),
            "terrain": ("green meadow", "dry grass", "brown field soil"),
            "facade_a": ("red wooden barn planks", "weathered wooden boards"),
            "facade_b": ("rough field stone wall",),
            "facade_c": _BRICK,
            "box": ("brown cardboard",),
        },
        odd=("road:rural", "lanes:two_way"),
        synonyms=(
            "countryside",
            "forest road",
            "mountain road",
            "road",
        ),
    ),
    Place(
        "workshop_bench",
        "robot",
        ("workshop bench", "wooden workbench"),
        ("a workshop wall with tools", "a garage wall with shelves"),
        {
            "table": ("worn wooden planks", "scratched plywood", "rough oak wood"),
            "wall": ("pegboard with holes", "grey concrete wall", "brick wall"),
            "floor": ("stained concrete floor", "grey concrete floor"),
            "box": ("brown cardboard", "rough plywood"),
        },
        odd=("indoor:workshop",),
        synonyms=(
            "workshop",
            "garage",
            "workbench",
            "bench",
        ),
    ),
    Place(
        "kitchen_table",
        "robot",
        ("kitchen table", "kitchen counter"),
        ("a kitchen wall with tiles", "a bright kitchen with cupboards"),
        {
            "table": ("light oak wood", "white marble", "dark walnut wood"),
            "wall": ("white ceramic tiles", "pale green tiles", "cream painted wall"),
            "floor": ("black and white floor tiles", "wooden floor boards"),
            "box": ("brown cardboard", "printed paper packaging"),
        },
        odd=("indoor:kitchen",),
        synonyms=(
            "kitchen",
            "dining table",
            "table",
            "table top",
            "tabletop",
        ),
    ),
    Place(
        "lab_bench",
        "robot",
        ("laboratory bench", "lab table"),
        ("a laboratory wall with cabinets", "a clean white laboratory"),
        {
            "table": ("white laminate", "grey epoxy worktop", "brushed steel"),
            "wall": ("white painted wall", "light grey panels"),
            "floor": ("grey linoleum floor", "speckled vinyl floor"),
            "box": ("white plastic", "brown cardboard"),
        },
        odd=("indoor:laboratory",),
        synonyms=(
            "laboratory",
            "lab",
            "lab bench",
        ),
    ),
    Place(
        "office_desk",
        "robot",
        ("office desk", "desk"),
        ("an office wall", "an office with shelves and a window"),
        {
            "table": ("beech wood veneer", "black desk laminate", "white desk laminate"),
            "wall": ("white painted wall", "beige wallpaper", "blue painted wall"),
            "floor": ("grey carpet", "blue carpet tiles"),
            "box": ("brown cardboard", "grey felt"),
        },
        odd=("indoor:office",),
        synonyms=(
            "office",
            "study",
        ),
    ),
)

_OUTDOORS: tuple[Task, ...] = ("driving",)
_ANYWHERE: tuple[Task, ...] = ("driving", "robot")

_WEATHERS = (
    Weather(
        "clear",
        _ANYWHERE,
        phrases=("in clear weather", "under a clear sky", "in dry weather"),
        weak=(),
        strong=(),
        synonyms=("clear", "sunny", "dry", "fine weather"),
        sky=("a clear sky", "a clear sky with a few small clouds"),
        numbers={"cloud": Slope(0.0, 0.2)},
        odd=("weather:clear",),
    ),
    Weather(
        "overcast",
        _OUTDOORS,
        phrases=("under an overcast sky", "under grey clouds", "in dull cloudy weather"),
        weak=(),
        strong=("under dark clouds",),
        synonyms=("overcast", "cloudy", "grey sky", "clouds"),
        sky=("an overcast grey sky", "a sky full of grey clouds"),
        numbers={"cloud": Slope(0.75, 1.0)},
        odd=("weather:cloudy",),
    ),
    Weather(
        "rain",
        _OUTDOORS,
        phrases=("in the rain", "in rain", "in rainy weather"),
        weak=("in light rain", "in drizzle"),
        strong=("in heavy rain", "in pouring rain"),
        synonyms=("rain", "rainy", "raining", "wet", "drizzle", "downpour", "storm"),
        sky=("dark rain clouds", "a grey rainy sky"),
        numbers={
            "rain": Slope(0.3, 1.0),
            "visibility_m": Slope(600.0, 120.0),
            "wetness": Slope(0.55, 1.0),
            "cloud": Slope(0.85, 1.0),
        },
        odd=("weather:rain", "surface:wet"),
        sotif=("precipitation", "reflection"),
    ),
    Weather(
        "fog",
        _OUTDOORS,
        phrases=("in fog", "in the fog", "in foggy weather"),
        weak=("in mist", "in light fog"),
        strong=("in dense fog", "in thick fog"),
        synonyms=("fog", "foggy", "mist", "misty", "haze", "hazy"),
        sky=("white fog", "a pale grey foggy sky"),
        numbers={
            "visibility_m": Slope(110.0, 32.0),
            "wetness": Slope(0.1, 0.4),
            "cloud": Slope(0.6, 1.0),
        },
        odd=("weather:fog",),
        sotif=("fog", "low_contrast"),
    ),
    Weather(
        "snow",
        _OUTDOORS,
        phrases=("in snow", "while it snows", "in snowy weather"),
        weak=("in light snow", "with a little snow falling"),
        strong=("in heavy snow", "in a snowstorm"),
        synonyms=(
            "snow",
            "snowy",
            "snowing",
            "snowfall",
            "icy",
            "winter",
            "blizzard",
            "snow-covered",
        ),
        sky=("a white winter sky", "grey snow clouds"),
        numbers={
            "snow": Slope(0.3, 1.0),
            "snow_cover": Slope(0.5, 1.0),
            "visibility_m": Slope(400.0, 70.0),
            "wetness": Slope(0.2, 0.3),
            "cloud": Slope(0.8, 1.0),
        },
        odd=("weather:snow", "surface:snow"),
        sotif=("precipitation", "low_friction"),
    ),
)

_TIMES = (
    TimeOfDay(
        "day",
        _ANYWHERE,
        phrases={
            "driving": ("by day", "in daylight", "at noon"),
            "robot": ("in daylight", "in bright light", "by day"),
        },
        synonyms=("day", "daylight", "daytime", "noon", "midday", "afternoon", "bright light"),
        sky="in bright daylight",
        sun_elevation_deg=(25.0, 65.0),
        odd=("light:day",),
    ),
    TimeOfDay(
        "dusk",
        _OUTDOORS,
        phrases={"driving": ("at dusk", "at sunset", "in the evening light")},
        synonyms=("dusk", "sunset", "evening", "twilight", "nightfall"),
        sky="at dusk with orange and purple light",
        sun_elevation_deg=(0.0, 6.0),
        odd=("light:low_sun",),
        sotif=("low_light", "glare"),
    ),
    TimeOfDay(
        "night",
        _ANYWHERE,
        phrases={
            "driving": ("at night", "in the dark", "at night in the headlights"),
            "robot": ("at night by lamp light", "in dim lamp light", "under a lamp"),
        },
        synonyms=("night", "dark", "midnight", "headlights", "lamp light", "lamp", "dim light"),
        sky="at night, almost black",
        sun_elevation_deg=(-30.0, -14.0),
        odd=("light:night",),
        sotif=("low_light",),
    ),
    TimeOfDay(
        "dawn",
        _OUTDOORS,
        phrases={"driving": ("at dawn", "at sunrise", "in the early morning")},
        synonyms=("dawn", "sunrise", "early morning", "morning", "daybreak"),
        sky="at dawn with pink and pale blue light",
        sun_elevation_deg=(2.0, 9.0),
        odd=("light:low_sun",),
        sotif=("low_light", "glare"),
    ),
)

PLACES: Mapping[str, Place] = {place.id: place for place in _PLACES}
WEATHERS: Mapping[str, Weather] = {weather.id: weather for weather in _WEATHERS}
TIMES: Mapping[str, TimeOfDay] = {time.id: time for time in _TIMES}
