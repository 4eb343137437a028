"""Painting the stand-in's street through the real client, and looking with its cameras."""

import math
from queue import Queue

import numpy as np
import pytest

carla = pytest.importorskip("carla")

from hartsim.adapters.carla.coordinates import (  # noqa: E402
    Anchor,
    camera_of,
    camera_to_carla,
    fov_to_carla,
)
from hartsim.adapters.carla.labels import depth_from, labelling, tags_from  # noqa: E402
from hartsim.adapters.carla.objects import at_pixel  # noqa: E402
from hartsim.adapters.carla.paint_cache import PaintCache  # noqa: E402
from hartsim.adapters.carla.surfaces import FACADES, Look, Surfaces, surface_of  # noqa: E402
from hartsim.scenario.compiled import CameraSetup  # noqa: E402
from hartsim.types import CLASS_ID, Frame  # noqa: E402
from tests.carla.test_surfaces import Link  # noqa: E402

pytestmark = pytest.mark.slow

FRONT = CameraSetup("front", (0.6, 0.0, 1.5), 0.0, 0.0, math.radians(60))
SIZE_PX = (96, 128)
KINDS = ("rgb", "depth", "semantic_segmentation", "instance_segmentation")
GLARING = np.full((16, 16, 3), (255, 0, 255), np.uint8)


class Car:
    """A car with four cameras in one place, in a world that it ticks."""

    def __init__(self, client):
        self.client, self.world = client, client.get_world()
        settings = self.world.get_settings()
        settings.synchronous_mode, settings.fixed_delta_seconds = True, 0.05
        self.world.apply_settings(settings)
        library, points = (
            self.world.get_blueprint_library(),
            self.world.get_map().get_spawn_points(),
        )
        start = points[0]
        self.anchor = Anchor(
            (start.location.x, start.location.y, start.location.z - 0.6),
            (0.0, start.rotation.yaw, 0.0),
        )
        car = self.world.spawn_actor(library.find("vehicle.tesla.model3"), start)
        car.set_simulate_physics(False)
        on_ground = carla.Location(*self.anchor.location_m)
        car.set_transform(carla.Transform(on_ground, start.rotation))
        place = camera_to_carla(FRONT)
        where = carla.Transform(
            carla.Location(*place.location_m), carla.Rotation(*place.rotation_deg)
        )
        self.pictures = {kind: Queue() for kind in KINDS}
        self.sensors = []
        for kind in KINDS:
            blueprint = library.find(f"sensor.camera.{kind}")
            blueprint.set_attribute("image_size_x", str(SIZE_PX[1]))
            blueprint.set_attribute("image_size_y", str(SIZE_PX[0]))
            blueprint.set_attribute("fov", str(fov_to_carla(FRONT, SIZE_PX)))
            sensor = self.world.spawn_actor(blueprint, where, attach_to=car)
            sensor.listen(self._keeper(kind))
            self.sensors.append(sensor)
        self.world.tick()
        for _ in range(20):
            if self._of(self.world.tick(), wait_s=0.5) is not None:
                break

    def _keeper(self, kind):
        def keep(image):
            pixels = np.frombuffer(image.raw_data, np.uint8).reshape(image.height, image.width, 4)
            self.pictures[kind].put((image.frame, pixels.copy()))

        return keep

    def _of(self, frame, wait_s):
        from queue import Empty

        found = {}
        for kind, queue in self.pictures.items():
            number = -1
            while number < frame:
                try:
                    number, pixels = queue.get(timeout=wait_s)
                except Empty:
                    return None
            found[kind] = pixels
        return found

    def look(self):
        found = self._of(self.world.tick(), wait_s=5.0)
        rgb, depth, semantic, instance = (found[kind] for kind in KINDS)
        camera = camera_of(FRONT, SIZE_PX)
        metres = depth_from(depth)
        told = labelling(semantic, instance, metres, camera, {})
        image = np.ascontiguousarray(rgb[..., 2::-1])
        frame = Frame(image, told.labels, told.instances, metres, told.table, camera)
        self.tags = tags_from(semantic)
        return Look({"front": frame}, self.anchor)

    def leave(self):
        for sensor in self.sensors:
            sensor.stop()


@pytest.fixture
def street(standin, tmp_path):
    server = standin(pictures="street")
    client = carla.Client("127.0.0.1", server.port, 12)
    client.set_timeout(20.0)
    car = Car(client)
    surfaces = Surfaces(Link(client, car.world), PaintCache("0.9.16", "Town10HD_Opt", tmp_path))
    yield server, car, surfaces
    car.leave()


def test_facades_are_seen_to_take_paint_and_the_road_is_seen_not_to(street):
    server, car, surfaces = street
    before = car.look(), car.look()
    wanted = dict.fromkeys((*FACADES, "road"), GLARING)
    sent = surfaces.apply(wanted, car.anchor)
    assert all(sent.values()), sent
    checks = surfaces.confirm(before, car.look())
    verdicts = {name: checks[name].verdict for name in wanted}
    assert "changed" in [verdicts[name] for name in FACADES]
    assert verdicts["road"] == "unchanged"
    painted = set(surfaces.cache.paintable())
    assert painted
    assert all(name.startswith("BP_Apartment") for name in painted)
    # one call for each surface, and no other client's way of painting
    assert len(server.calls("apply_color_texture_to_objects")) == len(wanted)


def test_a_pixel_of_a_house_leads_to_its_name(street):
    _, car, surfaces = street
    frame = car.look().frames["front"]
    rows, columns = np.nonzero(frame.labels == CLASS_ID["building"])
    near = np.argsort(frame.depth_m[rows, columns])[len(rows) // 4]
    row, column = int(rows[near]), int(columns[near])
    found = at_pixel(
        surfaces.objects,
        column,
        row,
        int(car.tags[row, column]),
        frame.depth_m,
        frame.camera,
        car.anchor,
    )
    assert found
    house = found[0]
    assert house.name.startswith("BP_Apartment")
    before = car.look(), car.look()
    surface = surface_of(house)
    surfaces.apply({surface: GLARING}, car.anchor)
    after = car.look().frames["front"]
    was = before[1].frames["front"].image[row, column].astype(int)
    assert np.abs(after.image[row, column] - was).max() > 30
