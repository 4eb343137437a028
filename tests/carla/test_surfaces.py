"""Painting through the real client: what reaches the stand-in, and what looking tells of it."""

import hashlib
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

carla = pytest.importorskip("carla")

from hartsim.adapters.carla.coordinates import Anchor, Placement, camera_of  # noqa: E402
from hartsim.adapters.carla.labels import outside_m, rays_of  # noqa: E402
from hartsim.adapters.carla.objects import (  # noqa: E402
    MapObject,
    actor_name,
    at_pixel,
    by_pattern,
    by_tag,
    map_objects,
    name_of_new,
    names_on_map,
)
from hartsim.adapters.carla.paint_cache import PaintCache  # noqa: E402
from hartsim.adapters.carla.surfaces import (  # noqa: E402
    FACADES,
    SURFACES,
    Coat,
    Look,
    Surfaces,
    surface_of,
)
from hartsim.adapters.carla.textures import normal_map, surface_map  # noqa: E402
from hartsim.adapters.carla.visibility import entry_m  # noqa: E402
from hartsim.errors import WorldError  # noqa: E402
from hartsim.scenario.compiled import CameraSetup  # noqa: E402
from hartsim.types import CLASS_ID, Box3D, Frame, Instance  # noqa: E402

CAMERA = camera_of(CameraSetup("front", (0.6, 0.0, 1.5), 0.0, 0.0, math.radians(60)), (90, 120))
rng = np.random.default_rng(11)
BRICKS = rng.integers(0, 256, (16, 16, 3), np.uint8)


@dataclass(frozen=True)
class Address:
    timeout_s: float = 5.0


@dataclass
class Link:
    """What the surfaces need of a connection."""

    client: Any
    world: Any
    version: str = "0.9.16"
    map_name: str = "Town10HD_Opt"
    address: Address = Address()

    def asking(self, what):
        from contextlib import nullcontext

        return nullcontext()


@pytest.fixture
def town(standin):
    server = standin(pictures="plain")
    client = carla.Client("127.0.0.1", server.port, 8)
    client.set_timeout(5.0)
    return server, Link(client, client.get_world())


def start_of(world):
    place = world.get_map().get_spawn_points()[0]
    location, turn = place.location, place.rotation
    return Anchor((location.x, location.y, 0.0), (0.0, turn.yaw, 0.0))


def test_objects_of_the_map_have_the_names_that_are_painted(town):
    _, link = town
    objects = map_objects(link.world)
    assert {each.name for each in objects} <= set(names_on_map(link.world))
    roads = by_tag(objects, "Roads")
    assert [each.name.startswith("Road_") for each in roads] == [True] * len(roads)
    assert len(roads) > 0


def test_names_are_found_by_pattern_or_the_nearest_is_told(town):
    _, link = town
    names = names_on_map(link.world)
    found = by_pattern(names, "BP_Apartment*")
    assert len(found) > 1
    assert all(name.startswith("BP_Apartment") for name in found)
    with pytest.raises(WorldError, match=r"called 'BP_Apartmnt04\*'; did you mean 'BP_Apartment04"):
        by_pattern(names, "BP_Apartmnt04*")


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("BP_House_2", "BP_House_2"),
        ("BP_House_2_SM_0", "BP_House_2"),
        ("BP_House_2_Inst_4_17", "BP_House_2"),
        ("BP_House_20_SM_1", None),
        ("BP_Hou", None),
    ],
)
def test_a_part_belongs_to_its_actor_and_to_no_other(part, name):
    assert actor_name(part, {"BP_House_2", "BP_House"}) == name


def test_an_unknown_tag_is_told_with_the_nearest():
    with pytest.raises(WorldError, match="CARLA has no tag 'Building'; did you mean 'Buildings'"):
        by_tag((), "Building")


def test_a_pixel_shows_the_smallest_object_that_holds_its_point():
    wall = MapObject("Wall", "Wall", 3, Placement((20, 0, 2)), (0.5, 5, 2))
    block = MapObject("Block", "Block", 3, Placement((20, 0, 10)), (30, 30, 10))
    post = MapObject("Post", "Post", 6, Placement((20, 0, 2)), (0.5, 0.5, 2))
    depth = np.full((90, 120), np.inf, np.float32)
    depth[45, 60] = 19.0
    objects, anchor = (block, wall, post), Anchor((0, 0, 0))
    found = at_pixel(objects, 60, 45, 3, depth, CAMERA, anchor)
    assert [each.name for each in found] == ["Wall", "Block"]
    assert at_pixel(objects, 0, 0, 3, depth, CAMERA, anchor) == ()
    with pytest.raises(WorldError, match="no pixel in column 120, row 4"):
        at_pixel(objects, 120, 4, 3, depth, CAMERA, anchor)


def test_what_was_spawned_is_told_by_the_new_name(town):
    _, link = town
    before = names_on_map(link.world)
    blueprint = link.world.get_blueprint_library().find("static.prop.box01")
    link.world.spawn_actor(blueprint, carla.Transform(carla.Location(5, 5, 1)))
    name = name_of_new(before, names_on_map(link.world), "box")
    assert name not in before
    with pytest.raises(WorldError, match="box: after it was spawned the server lists nothing new"):
        name_of_new(before, before, "box")
    with pytest.raises(WorldError, match="lists a, b, where one new name"):
        name_of_new([], ["a", "b"], "box")


def test_every_surface_but_the_sky_has_objects_or_is_spawned():
    assert set(SURFACES) == {"road", "pavement", "terrain", *FACADES, "box"}


def test_buildings_are_dealt_out_to_all_facades_always_the_same_way():
    houses = [
        MapObject(f"BP_House_{k}", f"BP_House_{k}_SM_0", 3, Placement((0, 0, 0)), (1, 1, 1))
        for k in range(30)
    ]
    assert {surface_of(each) for each in houses} == set(FACADES)
    parts = [replace(each, part=f"{each.name}_SM_1") for each in houses]
    assert [surface_of(each) for each in parts] == [surface_of(each) for each in houses]
    assert surface_of(replace(houses[0], tag=9)) is None


def test_one_texture_reaches_all_objects_of_a_surface_in_one_call(town, tmp_path):
    server, link = town
    surfaces = Surfaces(link, PaintCache("0.9.16", "Town10HD_Opt", tmp_path))
    sent = surfaces.apply(
        {"facade_a": BRICKS, "facade_b": BRICKS, "facade_c": BRICKS}, start_of(link.world)
    )
    calls = server.calls("apply_color_texture_to_objects")
    assert len(calls) == sum(count > 0 for count in sent.values())
    houses = {each.name for each in by_tag(surfaces.objects, "Buildings")}
    assert {name for call in calls for name in call["args"][0]} == houses
    bgr_free = np.dstack([BRICKS, np.full(BRICKS.shape[:2], 255, np.uint8)])[::-1]
    digest = hashlib.sha256(np.ascontiguousarray(bgr_free).tobytes()).hexdigest()
    for call in calls:
        assert call["args"][1] == int(carla.MaterialParameter.Diffuse)
        assert call["args"][2] == {"width": 16, "height": 16, "sha256": digest}


def test_normals_and_roughness_go_as_floats(town, tmp_path):
    server, link = town
    surfaces = Surfaces(link, PaintCache("0.9.16", "Town10HD_Opt", tmp_path))
    heights = rng.random((16, 16))
    coat = Coat(BRICKS, normal_map(heights), surface_map(heights))
    surfaces.apply({"road": coat}, start_of(link.world))
    floats = server.calls("apply_float_color_texture_to_objects")
    wanted = [
        carla.MaterialParameter.Normal,
        carla.MaterialParameter.AO_Roughness_Metallic_Emissive,
    ]
    assert [call["args"][1] for call in floats] == [int(each) for each in wanted]


def test_what_scenes_name_but_this_map_lacks_is_passed_over(town, tmp_path):
    server, link = town
    surfaces = Surfaces(link, PaintCache("0.9.16", "Town10HD_Opt", tmp_path))
    assert surfaces.apply({"sky": BRICKS, "box": BRICKS}, start_of(link.world)) == {
        "sky": 0,
        "box": 0,
    }
    assert server.calls("apply_color_texture_to_objects") == []
    with pytest.raises(WorldError, match="no surface 'rood' to paint; did you mean 'road'"):
        surfaces.apply({"rood": BRICKS}, start_of(link.world))


def test_what_is_far_away_is_left_as_it_is(town, tmp_path):
    _, link = town
    surfaces = Surfaces(link, PaintCache("0.9.16", "Town10HD_Opt", tmp_path))
    far = Anchor((5000.0, 5000.0, 0.0))
    assert not any(surfaces.targets(name, far) for name in SURFACES)


def test_textures_are_checked_before_anything_is_sent(town, tmp_path):
    server, link = town
    surfaces = Surfaces(link, PaintCache("0.9.16", "Town10HD_Opt", tmp_path))
    huge = np.zeros((8, 4096, 3), np.uint8)
    with pytest.raises(WorldError, match=r"surface 'facade_b': .*4096x8 pixels is too large"):
        surfaces.apply({"road": BRICKS, "facade_b": huge}, start_of(link.world))
    with pytest.raises(WorldError, match=r"'road' is float64 \(4, 4, 3\); paint takes uint8"):
        surfaces.apply({"road": np.zeros((4, 4, 3))}, start_of(link.world))
    assert server.calls("apply_color_texture_to_objects") == []


def test_large_textures_get_more_time_and_only_they(town, tmp_path):
    _, link = town
    surfaces = Surfaces(link, PaintCache("0.9.16", "Town10HD_Opt", tmp_path))
    told = []

    class Client:
        def set_timeout(self, seconds, real=link.client):
            told.append(seconds)
            real.set_timeout(seconds)

    link.client = Client()
    surfaces.apply({"road": BRICKS}, start_of(link.world))
    assert told == []
    surfaces.apply({"road": np.zeros((1025, 1024, 3), np.uint8)}, start_of(link.world))
    assert told[0] > 19
    assert told[1:] == [5.0]


class Street:
    """A wall of the map and a spawned box before a camera, in colours that paint may change."""

    def __init__(self):
        self.wall = MapObject("BP_Wall_7", "BP_Wall_7_SM_0", 3, Placement((120, 50, 3)), (1, 8, 3))
        self.anchor = Anchor((100.0, 50.0, 0.0))
        self.crate = Box3D((8.0, -2.0, 0.75), (1.5, 1.5, 1.5), 0.3)
        self.colours = {"wall": (120, 110, 100), "crate": (150, 120, 70)}

    def frame(self):
        rows, columns = np.arange(90) + 0.5, np.arange(120) + 0.5
        depth = np.full((90, 120), np.inf)
        image = np.full((90, 120, 3), (150, 170, 200), np.float64)
        labels = np.full((90, 120), CLASS_ID["sky"], np.uint8)
        instances = np.zeros((90, 120), np.uint16)
        things = {"wall": self.wall.box(self.anchor), "crate": self.crate}
        for name, box in things.items():
            enter = entry_m(box, CAMERA, columns, rows)
            nearer = enter < depth
            depth[nearer] = enter[nearer]
            image[nearer] = self.colours[name]
            labels[nearer] = CLASS_ID["building" if name == "wall" else "debris"]
            instances[nearer] = 0 if name == "wall" else 5
        image = np.clip(image + rng.normal(0, 3, image.shape), 0, 255).astype(np.uint8)
        crate = Instance(5, "boxes", "cardboard_boxes", "debris", True, (), self.crate)
        return Frame(image, labels, instances, depth.astype(np.float32), (crate,), CAMERA)

    def look(self):
        return Look({"front": self.frame()}, self.anchor)


class World:
    """Lists the wall and takes all paint, as CARLA does, whether it shows or not."""

    def __init__(self, street):
        self.street, self.painted = street, []

    def apply_color_texture_to_objects(self, names, parameter, texture):
        self.painted += names


@pytest.fixture
def wall(tmp_path, monkeypatch):
    from hartsim.adapters.carla import surfaces as module

    street = Street()
    monkeypatch.setattr(module, "names_on_map", lambda world: ("BP_Wall_7",))
    monkeypatch.setattr(module, "map_objects", lambda world, names: (street.wall,))
    link = Link(None, World(street))
    return street, Surfaces(link, PaintCache("0.9.16", "Test", tmp_path))


def paint_and_look(street, surfaces, name, **colours):
    before = street.look(), street.look()
    surfaces.apply({name: BRICKS}, street.anchor)
    street.colours.update(colours)
    return surfaces.confirm(before, street.look())


def test_paint_that_shows_is_confirmed_and_remembered(wall):
    street, surfaces = wall
    name = surface_of(street.wall)
    checks = paint_and_look(street, surfaces, name, wall=(200, 40, 40))
    assert checks[name].verdict == "changed"
    assert checks[name].pixels > 200
    assert PaintCache("0.9.16", "Test", surfaces.cache.path.parents[1]).paintable() == ["BP_Wall_7"]


def test_paint_that_never_shows_is_given_up(wall):
    street, surfaces = wall
    name = surface_of(street.wall)
    for _ in range(2):
        assert paint_and_look(street, surfaces, name)[name].verdict == "unchanged"
    assert surfaces.targets(name, street.anchor) == []
    assert surfaces.apply({name: BRICKS}, street.anchor) == {name: 0}


def test_a_spawned_box_is_looked_at_where_its_instance_is(wall):
    street, surfaces = wall
    surfaces.add_spawned("static_prop_box01_C_31", "static.prop.box01", "boxes")
    checks = paint_and_look(street, surfaces, "box", crate=(20, 200, 90))
    assert checks["box"].verdict == "changed"
    assert surfaces.cache.paintable() == ["blueprint:static.prop.box01"]
    surfaces.forget_spawned()
    assert surfaces.targets("box", street.anchor) == []


def test_what_changes_elsewhere_proves_no_paint(wall):
    street, surfaces = wall
    name = surface_of(street.wall)
    checks = paint_and_look(street, surfaces, name, crate=(250, 250, 20))
    assert checks[name].verdict == "unchanged"


def test_what_touches_painted_boxes_proves_no_paint(wall):
    street, surfaces = wall
    name = surface_of(street.wall)
    alone = paint_and_look(street, surfaces, name)[name]
    surfaces.add_spawned("static_prop_box01_C_31", "static.prop.box01", "boxes")
    before = street.look(), street.look()
    surfaces.apply({name: BRICKS, "box": BRICKS}, street.anchor)
    street.colours["crate"] = (250, 250, 20)
    checks = surfaces.confirm(before, street.look())
    assert (checks[name].verdict, checks["box"].verdict) == ("unchanged", "changed")
    assert checks[name].pixels < alone.pixels


def test_what_no_camera_sees_is_neither_painted_nor_given_up(wall):
    street, surfaces = wall
    name = surface_of(street.wall)
    street.wall = replace(street.wall, middle=Placement((60, 50, 3)))
    surfaces._of_map[name] = [replace(surfaces._of_map[name][0], parts=(street.wall,))]
    for _ in range(3):
        assert paint_and_look(street, surfaces, name)[name].verdict == "unseen"
    assert surfaces.targets(name, street.anchor) != []


def test_what_cameras_show_is_told_without_painting(wall):
    street, surfaces = wall
    name = surface_of(street.wall)
    assert surfaces.showing(SURFACES, street.look()) == {name}
    assert surfaces._connection.world.painted == []


def test_what_is_given_up_is_tried_all_the_same_where_asked(wall):
    street, surfaces = wall
    name = surface_of(street.wall)
    for _ in range(2):
        surfaces.cache.note("BP_Wall_7", "unchanged")
    stubborn = Surfaces(surfaces._connection, surfaces.cache, tries_all=True)
    assert surfaces.showing([name], street.look()) == set()
    assert stubborn.showing([name], street.look()) == {name}
    assert stubborn.apply({name: BRICKS}, street.anchor) == {name: 1}


def test_points_lie_as_far_outside_a_box_as_they_do():
    box = Box3D((20.0, 0.0, 1.5), (2.0, 4.0, 3.0), 0.0)
    depth = np.full((90, 120), 18.4, np.float32)  # the eye is at 0.6, the near side at 19
    away = outside_m(box, rays_of(CAMERA), depth, CAMERA)
    assert away[45, 60] == pytest.approx(0.0, abs=1e-4)
    depth[:] = 17.4
    assert outside_m(box, rays_of(CAMERA), depth, CAMERA)[45, 60] == pytest.approx(1.0, abs=1e-4)
