"""The street: from a driving setup to a stage, in four places, four times of day, five weathers.

The world's frame is the ego frame of the setup: x ahead, y left. The ego's lane is 3.5 m wide round
y = 0 and traffic comes towards it in the lane round y = 3.5 (on highways, behind a median). To the
right a strip for parked cars (centre y = -3.2) ends at the kerb, y = -4.3; highways have a shoulder
there and country roads a gravel verge. What the scenario leaves open is drawn from `decor_seed`.
"""

from collections.abc import Mapping

from hartsim.errors import WorldError
from hartsim.scenario.compiled import WorldSetup
from hartsim.types import Image, Size
from hartsim.worlds import meshes, veils
from hartsim.worlds.decor import (
    KERB_M,
    Decor,
    Layout,
    drive_traffic,
    lead_vehicle,
    paint_marks,
    repair,
    scaled,
)
from hartsim.worlds.greenery import LEAVES
from hartsim.worlds.meshes import painted
from hartsim.worlds.places import FAR_EDGES, PLACES
from hartsim.worlds.skies import light_of, sky_image
from hartsim.worlds.stage import Lamp, Mesh, Solid, Stage
from hartsim.worlds.street_props import MAKERS
from hartsim.worlds.tabletop_textures import material
from hartsim.worlds.textures import leaves, texture

SURFACES: Mapping[str, Size] = {
    "road": (256, 256),
    "pavement": (256, 256),
    "terrain": (256, 256),
    "facade_a": (256, 256),
    "facade_b": (256, 256),
    "facade_c": (256, 256),
    "sky": (256, 256),
    "box": (128, 128),
}
KINDS = frozenset(MAKERS)

ROAD_TILE_M, PAVEMENT_TILE_M, TERRAIN_TILE_M, WALL_TILE_M = 5.0, 3.0, 7.0, 6.4
NEAR_M, FAR_M = -30.0, 420.0
"""How far the road runs behind and ahead."""

CARTON = "brown cardboard"
"""What boxes on the road are made of."""

VARIANTS = 6
"""Seeds per texture: a bank this small is drawn once per process."""


def build(setup: WorldSetup, sharpness: float = 1.0) -> Stage:
    """Everything there is to see of a driving setup; the same setup gives the same stage.

    With less than full `sharpness` things are modelled as roughly as so much nearer ones may be.

    Raises WorldError for a place or a kind that the street cannot draw.
    """
    name = setup.conditions.place
    if name not in PLACES:
        raise WorldError(f"the street has no place '{name}'; there are: {', '.join(PLACES)}")
    decor, place = Decor(setup, sharpness), PLACES[name]
    for placed in setup.objects:
        if placed.kind not in KINDS:
            known = ", ".join(sorted(KINDS))
            raise WorldError(f"{placed.name}: no '{placed.kind}' on a street; known are: {known}")
        decor.place(placed)
    _lay_ground(decor, place.layout, name)
    place.build(decor, place.layout)
    drive_traffic(decor, place.lanes)
    lead_vehicle(decor, place.speed_mps)
    if decor.dark:
        decor.lamps += _headlights(2.0 if decor.night else 0.45)
    suns = veils.low_suns(decor.props, setup.conditions)
    conditions = veils.under(suns, setup.conditions)
    lighting, weather, grade = light_of(conditions, setup.decor_seed)
    return Stage(
        props=tuple(decor.props),
        textures=_textures(decor, place.materials),
        sky=sky_image(conditions, setup.decor_seed),
        lighting=lighting,
        weather=weather,
        cameras=setup.cameras,
        tile_m={"facade_b": (WALL_TILE_M, WALL_TILE_M), "box": (0.0, 0.0)},
        lamps=(*decor.lamps, *suns),
        puffs=tuple(decor.puffs),
        mirrors=tuple(decor.mirrors),
        films=veils.films_on(decor.props, setup.decor_seed),
        grade=grade,
    )


def road(setup: WorldSetup) -> tuple[float, float]:
    """Where the road ends to the right and to the left of the ego's lane, metres."""
    layout = PLACES[setup.conditions.place].layout
    return layout.right, layout.left


def _lay_ground(decor: Decor, layout: Layout, place: str) -> None:
    """Road, marks, kerbs, pavements and the land beyond."""
    land = _sheet((-30, 700, -500, 500), -0.06, TERRAIN_TILE_M)
    _lay(decor, "terrain", land)
    roads = [(layout.right, layout.left)] + ([FAR_EDGES] if place == "highway" else [])
    for right, left in roads:
        _lay(decor, "road", _sheet((NEAR_M, FAR_M, right, left), 0.0, ROAD_TILE_M))
    paint_marks(decor, layout.marks)
    repair(decor, layout, town=layout.kerb)
    if layout.pavement > 0:
        level = KERB_M if layout.kerb else -0.015
        for left in (True, False):
            inner, outer = (layout.left if left else layout.right), layout.edge(left)
            span = (NEAR_M, FAR_M, min(inner, outer), max(inner, outer))
            _lay(decor, "pavement", _sheet(span, level, PAVEMENT_TILE_M))
    if layout.kerb:
        stone = painted(meshes.box((450, 0.16, KERB_M + 0.02)), "stone", (0.66, 0.65, 0.62))
        for y in (layout.right - 0.07, layout.left + 0.07):
            decor.put("pavement", stone, (195, y, KERB_M / 2))


def _sheet(span: tuple[float, float, float, float], z: float, tile_m: float) -> Mesh:
    """A flat rectangle (x from, x to, y from, y to) whose texture has its top ahead."""
    x0, x1, y0, y1 = span
    corners = [(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)]
    return meshes.quad(corners, [(-y / tile_m, x / tile_m) for x, y, _ in corners])


def _lay(decor: Decor, surface: str, sheet: Mesh) -> None:
    """Lay a sheet of a surface whose class has the same name."""
    decor.add(surface, (Solid("mesh", None, mesh=sheet, surface=surface),), (0.0, 0.0, 0.0))


def _headlights(strength: float) -> list[Lamp]:
    """The dipped headlamps of the ego: a wide soft fan and a narrow far beam."""
    colour = scaled((1.0, 0.95, 0.82), strength)
    fan = Lamp((1.6, 0.0, 0.75), colour, 30.0, (1.0, 0.0, -0.12), 0.75, carrier="ego")
    far = scaled(colour, 1.8)
    beam = Lamp((1.6, 0.0, 0.75), far, 60.0, (1.0, -0.03, -0.035), 0.34, carrier="ego")
    return [fan, beam]


def _textures(decor: Decor, materials: Mapping[str, tuple[str, ...]]) -> dict[str, Image]:
    """A texture for every surface but the sky, and one for leaves, which none may paint."""
    chosen = _chosen(decor, materials).items()
    worn = {surface: texture(name, seed) for surface, (name, seed) in chosen}
    carton = material(CARTON, decor.setup.decor_seed % VARIANTS)
    return {**worn, LEAVES: leaves(decor.setup.decor_seed % 2), "box": carton}


def _chosen(decor: Decor, materials: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, int]]:
    """The name and seed of each surface's texture, drawn from what the place may wear."""
    rng, cover = decor.rng("textures"), decor.conditions.snow_cover
    chosen: dict[str, tuple[str, int]] = {}
    for surface, names in materials.items():
        name, seed = names[int(rng.integers(len(names)))], int(rng.integers(VARIANTS))
        if cover > 0.3 and surface in ("terrain", "pavement"):
            name = "snow"
        elif cover > 0.45 and surface == "road":
            name = "snowy_road"
        elif decor.conditions.ground == "muddy" and surface == "road":
            name = "soil"
        chosen[surface] = (name, seed)
    return chosen
