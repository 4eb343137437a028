"""Pictures of a town's street, drawn by hartsim's own studio.

The stage is built anew when something other than motion has changed: actors, weather, paint,
lights. Its frame is the street's: x ahead, y left. Cameras do not roll.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hartsim.scenario.compiled import CameraSetup, Conditions, WorldSetup
from hartsim.types import CLASS_ID, CLASSES, Pose
from hartsim.worlds import street
from hartsim.worlds.embedded import NOWHERE, RANGES
from hartsim.worlds.stage import Prop, Solid, Stage
from hartsim.worlds.studio import Studio
from tests.carla_standin.actors import Actor
from tests.carla_standin.casting import props_of
from tests.carla_standin.episode import WEATHER, Episode, Piece, unreal_name
from tests.carla_standin.geometry import Transform, Triple, triple
from tests.carla_standin.maps import Town
from tests.carla_standin.plain import Shot, Truth
from tests.carla_standin.textures import DIFFUSE, EMISSIVE, Picture, mean_colour, shown

EVERYWHERE = CameraSetup("all round", (0.0, 0.0, 1.5), 0.0, 0.0, 2.0)
BEAMS = 2 | 4
"""The flags of low and high beams among a vehicle's lights."""
MAPS_OWN_ID, POLE_ID = 30000, 27
"""Unreal's numbers of what belongs to the map. Poles have one that an actor may have as well."""
UNREAL_ACTORS = 50000
"""Where Unreal's numbers of actors begin, which pictures before 0.9.16 hold."""

TAGS = {
    "road": 1,
    "road_mark": 24,
    "pavement": 2,
    "building": 3,
    "vegetation": 9,
    "sky": 11,
    "pole": 6,
    "sign": 8,
    "light": 6,
    "car": 14,
    "truck": 15,
    "bus": 16,
    "two_wheeler": 18,
    "person": 12,
    "animal": 21,
    "barrier": 5,
    "cone": 21,
    "water": 23,
    "terrain": 10,
}
"""CityObjectLabel by our classes; what is not here is Static."""
STATIC, RIDER, WALKER = 20, 13, 12

BOARD, PAINT = "billboard", "paint of"
NAMES = {
    "building": "BP_Apartment{0:02d}_v05_Opt_{1}",
    "road": "Road_Road_{2}_{1}",
    "road_mark": "Road_Marking_{2}_{1}",
    "pavement": "Road_Sidewalk_{2}_{1}",
    "terrain": "SM_Terrain_{1}",
    "vegetation": "BP_Tree{0:02d}_v1_{1}",
    "pole": "BP_StreetLight_{1}",
    "sign": "BP_TrafficSign_Stop_{1}",
    "light": "BP_StreetLightHead_{1}",
    "car": "SM_ParkedCar_{1}",
    "truck": "SM_ParkedVan_{1}",
    "barrier": "SM_Fence_{0:02d}_{1}",
    BOARD: "SM_Banner_Advert_{1}",
}
DEAF = {"road", "road_mark", "pavement", "terrain", "vegetation", "sign", "car", "truck", "light"}
"""Classes whose materials have no parameter for paint: tiled, foliage, or other masters."""

BOARDS = ((24.0, 9.0), (55.0, 9.2), (48.0, -6.6), (95.0, -6.8))
"""Where boards stand, metres ahead of the street's start and to its left."""
BOARD_M = (0.12, 4.0, 2.2)
BLANK = np.full((64, 64, 3), 225, np.uint8)

Key = tuple[str, float, float]


def conditions_of(weather: list[float], town: Town) -> Conditions:
    """A weather's numbers as hartsim's."""
    cloud, rain, deposits, _, azimuth, altitude, fog, *_ = weather
    wetness, dust = weather[9], weather[13]
    thick = max(fog, dust)
    hour = "day" if altitude > 15 else "dusk" if altitude > -2 else "night"
    return Conditions(
        town.place,
        "fog" if thick > 30 else "rain" if rain > 10 else "clear",
        hour,
        visibility_m=4000 / thick if thick > 5 else math.inf,
        rain=rain / 100,
        wetness=max(deposits, wetness) / 100,
        cloud=cloud / 100,
        sun_elevation_rad=math.radians(max(altitude, 3.0)),
        sun_azimuth_rad=town.heading(azimuth),
    )


@lru_cache(maxsize=16)
def bare_stage(conditions: Conditions, seed: int) -> Stage:
    """The street without actors and passers-by, but with boards."""
    setup = WorldSetup("driving", conditions, (), (EVERYWHERE,), seed, traffic=0.0)
    stage = street.build(setup)
    props = [prop for prop in stage.props if prop.class_name != "person"]
    boards = [_board(index, *spot) for index, spot in enumerate(BOARDS)]
    textures = {**stage.textures, **{f"board {k}": BLANK for k in range(len(BOARDS))}}
    return replace(stage, props=(*props, *boards), textures=textures)


def _board(index: int, x: float, y: float) -> Prop:
    board = Solid("box", BOARD_M, (0.0, 0.0, 2.6), surface=f"board {index}")
    post = Solid("cylinder", (0.12, 0.12, 1.6), (0.0, 0.0, 0.8), rgba=(0.4, 0.4, 0.42, 1.0))
    return Prop(f"{BOARD} {index}", "other", (board, post), Pose((x, y, 0.0), 0.0))


def _key(prop: Prop) -> Key:
    """What tells a prop of the map from others, in any weather."""
    x, y, _ = prop.pose.position_m
    return prop.class_name, round(x, 2), round(y, 2)


def furniture(episode: Episode) -> dict[Key, Piece]:
    """The pieces of the town under the names that Unreal gives them, by what tells their props."""
    found: dict[Key, Piece] = {}
    town = episode.town
    noon = conditions_of(list(WEATHER), town)
    for index, prop in enumerate(bare_stage(noon, town.decor_seed).props):
        family = BOARD if prop.name.startswith(BOARD) else prop.class_name
        pattern = NAMES.get(family, "SM_Static_{1}")
        name = pattern.format(index % 5 + 1, index, town.name.split("_")[0])
        (x, y, z), half = bounds(prop)
        ahead, left, up = prop.pose.position_m
        here = town.at(ahead, -left, up, -math.degrees(prop.pose.heading_rad))
        middle = here.then(Transform((x, -y, z)))
        tag = TAGS.get(prop.class_name, STATIC)
        number = MAPS_OWN_ID + 100 + index
        piece = Piece(name, tag, middle, half, number, prop.class_name in DEAF)
        found.setdefault(_key(prop), piece)
    return found


def bounds(prop: Prop) -> tuple[Triple, Triple]:
    """The box round a prop in its own frame: its middle and half sizes."""
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for solid in prop.solids:
        at = np.asarray(solid.position_m)
        if solid.size_m is not None:
            ends = at - np.asarray(solid.size_m) / 2, at + np.asarray(solid.size_m) / 2
        else:
            assert solid.mesh is not None
            points = solid.mesh.vertices.reshape(-1, 3) * solid.scale + at
            ends = points.min(axis=0), points.max(axis=0)
        low, high = np.minimum(low, ends[0]), np.maximum(high, ends[1])
    return triple((low + high) / 2), triple((high - low) / 2)


def dressed(prop: Prop, worn: Mapping[int, Picture], surface: str) -> Prop:
    """A prop that wears paint: its walls a new surface, the rest the paint's mean colour."""
    solids = []
    for solid in prop.solids:
        if DIFFUSE in worn:
            mean = triple(mean_colour(worn[DIFFUSE]) / 255)
            if solid.surface is not None:
                solid = replace(solid, surface=surface, tint=(1.0, 1.0, 1.0))
            elif solid.mesh is not None:
                solid = replace(solid, colours=dict.fromkeys(solid.mesh.names, mean))
            else:
                solid = replace(solid, rgba=(*mean, 1.0))
        if EMISSIVE in worn and worn[EMISSIVE][..., :3].max() > 0:
            solid = replace(solid, emission=1.0)
        solids.append(solid)
    return replace(prop, solids=tuple(solids))


class Street:
    """The painter of a town's street: `fine` with shadows and wet ground, else a quick draft."""

    def __init__(self, episode: Episode, fine: bool) -> None:
        self._episode, self._fine = episode, fine
        self._pieces = furniture(episode)
        episode.pieces = list(self._pieces.values())
        self._studio: Studio | None = None
        self._room = (0, 0)
        self._built: tuple[int, bool] | None = None
        self._paint: dict[str, tuple[Picture, NDArray[np.uint8]]] = {}

    def picture(self, shot: Shot) -> NDArray[np.uint8]:
        """What the camera sees."""
        studio, camera = self._point(shot)
        size = (shot.height, shot.width)
        fine = (2 * shot.height, 2 * shot.width) if self._fine else size
        return studio.picture(camera, size, fine)

    def truth(self, shot: Shot) -> Truth:
        """What is there."""
        studio, camera = self._point(shot)
        found = studio.find(camera, (shot.height, shot.width))
        tags, ids = self._tag_of_class[found.labels], self._id_of_class[found.labels]
        counted = found.instances > 0
        numbers = found.instances[counted]
        own, people = self._tag_of[numbers], found.labels[counted] == CLASS_ID["person"]
        own = np.where(people & (own != WALKER), np.uint8(RIDER), own)
        tags[counted], ids[counted] = own, self._id_of[numbers]
        return Truth(found.depth_m.astype(np.float64), tags, ids)

    def _point(self, shot: Shot) -> tuple[Studio, CameraSetup]:
        """The studio with everything where it is now, and the camera of a shot."""
        carrier = self._episode.actors.get(shot.within)
        key = self._episode.revision, bool(carrier is not None and carrier.lights & BEAMS)
        studio = self._studio_for(shot)
        if key != self._built:
            studio.show(self._stage(beams=key[1]))
            self._built = key
        poses = {f"actor {actor.id}": self._pose(actor) for actor in self._cast}
        if carrier is not None and contains(carrier, shot.at.location):
            # what surrounds a camera shows it only its back, which is not drawn
            poses[f"actor {carrier.id}"] = NOWHERE
        town = self._episode.town
        x, y, z = town.on_street(shot.at.location)
        studio.move(poses, Pose((x, y, 0.0), town.heading(shot.at.rotation[1])))
        half = math.tan(math.radians(shot.fov) / 2) * shot.height / shot.width
        pitch = math.radians(shot.at.rotation[0])
        return studio, CameraSetup("camera", (0.0, 0.0, z), pitch, 0.0, 2 * math.atan(half))

    def _studio_for(self, shot: Shot) -> Studio:
        """A studio with room for a shot."""
        room = max(self._room[0], shot.height), max(self._room[1], shot.width)
        if self._studio is None or room != self._room:
            self.close()
            factor = 2 if self._fine else 1
            largest = (factor * room[0], factor * room[1])
            self._studio = Studio(largest, RANGES["driving"], self._fine, not self._fine)
            self._room, self._built = room, None
        return self._studio

    def _pose(self, actor: Actor) -> Pose:
        """Where an actor stands on the street."""
        town = self._episode.town
        x, y, z = town.on_street(actor.transform.location)
        return Pose((x, y, z - actor.foot_m), town.heading(actor.transform.rotation[1]))

    def _stage(self, beams: bool) -> Stage:
        """Everything there is now."""
        episode = self._episode
        town = episode.town
        stage = bare_stage(conditions_of(episode.weather, town), town.decor_seed)
        lamps = [lamp for lamp in stage.lamps if beams or lamp.carrier != "ego"]
        self._start_tables()
        self._textures = dict(stage.textures)
        tiles = dict(stage.tile_m)
        props = [prop for prop in map(self._own, stage.props) if prop is not None]
        self._cast = [
            actor
            for actor in episode.actors.values()
            if actor.kind in ("vehicle", "walker", "static") and any(actor.blueprint.size_m)
        ]
        for actor in self._cast:
            base = 0 if episode.knobs.ids_are_actors else UNREAL_ACTORS
            number = self._count(actor.tag, (base + actor.id) & 0xFFFF)
            prop, own = props_of(actor, number, self._pose(actor))
            props.append(self._painted(prop, unreal_name(actor)))
            lamps += own
        tiles |= {name: (0.0, 0.0) for name in self._textures if name.startswith(("board", PAINT))}
        return replace(
            stage, props=tuple(props), lamps=tuple(lamps), textures=self._textures, tile_m=tiles
        )

    def _own(self, prop: Prop) -> Prop | None:
        """A prop of the map as it is now; None for one that is hidden."""
        piece = self._pieces.get(_key(prop))
        if piece is not None and piece.id in self._episode.hidden:
            return None
        if prop.instance is not None:
            tag = TAGS.get(prop.class_name, STATIC)
            number = self._count(tag, piece.id if piece else 0)
            prop = replace(prop, instance=replace(prop.instance, id=number))
        return prop if piece is None else self._painted(prop, piece.name)

    def _painted(self, prop: Prop, name: str) -> Prop:
        """A prop with the paint of its name."""
        worn = self._episode.paint.get(name)
        if not worn:
            return prop
        surface = f"{PAINT} {name}"
        if DIFFUSE in worn:
            self._textures[surface] = self._kept(name, worn[DIFFUSE])
        return dressed(prop, worn, surface)

    def _kept(self, name: str, picture: Picture) -> NDArray[np.uint8]:
        """Paint as a texture; the same array for the same paint, which is uploaded once."""
        if name not in self._paint or self._paint[name][0] is not picture:
            self._paint[name] = picture, shown(picture)
        return self._paint[name][1]

    def _start_tables(self) -> None:
        self._tag_of_class = np.array([TAGS.get(each, STATIC) for each in CLASSES], np.uint8)
        ids = [0 if each == "sky" else MAPS_OWN_ID + k for k, each in enumerate(CLASSES)]
        ids[CLASS_ID["pole"]] = POLE_ID
        self._id_of_class = np.array(ids, np.uint16)
        self._tag_of, self._id_of = np.zeros(1, np.uint8), np.zeros(1, np.uint16)

    def _count(self, tag: int, number: int) -> int:
        """A new instance of the stage, which stands for this tag and this number."""
        self._tag_of = np.append(self._tag_of, np.uint8(tag))
        self._id_of = np.append(self._id_of, np.uint16(number))
        return len(self._tag_of) - 1

    def close(self) -> None:
        """Free the studio."""
        if self._studio is not None:
            self._studio.close()
            self._studio = None


def contains(actor: Actor, point: Triple) -> bool:
    """Whether a point lies within an actor's box."""
    middle, half = actor.box
    local = np.linalg.inv(actor.transform.matrix()) @ np.array([*point, 1.0])
    return bool((np.abs(local[:3] - middle) < half).all())
