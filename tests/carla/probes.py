"""Clients that walk through the stand-in and write down what they got, to be judged by tests.

`python -m tests.carla.probes street OUT PORT` writes arrays to the file OUT. Clients with sensors
run in processes of their own: the client's threads may end a process that leaves while they run.
"""

import os
import queue
import sys
import time
from pathlib import Path
from typing import Any

import carla
import numpy as np

Arrays = dict[str, Any]
WAIT_S = 20.0
CAMERAS = {
    "rgb": "rgb",
    "depth": "depth",
    "tags": "semantic_segmentation",
    "ids": "instance_segmentation",
}


class Visit:
    """A client that ticks, with a car at the street's start."""

    def __init__(self, port: int) -> None:
        self.client = carla.Client("127.0.0.1", port, 16)
        self.client.set_timeout(WAIT_S)
        self.world = self.client.get_world()
        settings = self.world.get_settings()
        settings.synchronous_mode, settings.fixed_delta_seconds = True, 0.05
        self.world.apply_settings(settings)
        self.library = self.world.get_blueprint_library()
        self.start = self.world.get_map().get_spawn_points()[0]
        self.car = self.spawn("vehicle.tesla.model3", 0.0, 0.0, 0.0)
        self.sensors: dict[str, tuple[Any, Any]] = {}

    def at(self, ahead: float, right: float, up: float = 0.0, yaw: float = 0.0) -> Any:
        """A place on the street, metres from its start, on the ground."""
        here = carla.Transform(
            carla.Location(self.start.location.x, self.start.location.y, 0.0), self.start.rotation
        )
        place = here.transform(carla.Location(ahead, right, up))
        return carla.Transform(place, carla.Rotation(yaw=self.start.rotation.yaw + yaw))

    def spawn(self, name: str, ahead: float, right: float, up: float, yaw: float = 0.0) -> Any:
        """An actor on the street."""
        blueprint = self.library.find(name)
        return self.world.spawn_actor(blueprint, self.at(ahead, right, up, yaw))

    def mount(self, name: str, blueprint: str, place: Any, **told: object) -> None:
        """A sensor on the car, its data kept until asked for."""
        found = self.library.find(blueprint)
        for key, value in told.items():
            found.set_attribute(key, str(value))
        sensor = self.world.spawn_actor(found, place, attach_to=self.car)
        heard: Any = queue.Queue()
        sensor.listen(heard.put)
        self.sensors[name] = sensor, heard

    def rig(self, width: int, height: int) -> None:
        """The four cameras in one place."""
        place = carla.Transform(carla.Location(0.5, 0.0, 1.4))
        for name, kind in CAMERAS.items():
            blueprint = f"sensor.camera.{kind}"
            self.mount(name, blueprint, place, image_size_x=width, image_size_y=height)
        self.settle()

    def settle(self) -> None:
        """Tick until every sensor is heard."""
        for _ in range(40):
            self.world.tick()
            time.sleep(0.02)
            if all(not heard.empty() for _, heard in self.sensors.values()):
                return

    def shoot(self) -> Arrays:
        """One tick's pictures: rgb (H, W, 3), depth in metres, tags and ids."""
        frame = self.world.tick()
        return {name: decoded(name, self.heard(name, frame)) for name in self.sensors}

    def heard(self, name: str, frame: int) -> Any:
        """What a sensor sent for a frame."""
        while True:
            data = self.sensors[name][1].get(timeout=WAIT_S)
            if data.frame == frame:
                return data

    def paint(self, name: str, colour: tuple[int, int, int]) -> None:
        """One colour on one object."""
        texture = carla.TextureColor(8, 8)
        for x in range(8):
            for y in range(8):
                texture.set(x, y, carla.Color(*colour, 255))
        where = carla.MaterialParameter.Diffuse
        self.world.apply_color_texture_to_object(name, where, texture)

    def names(self, part: str) -> list[str]:
        """The names of all objects with this part."""
        return [name for name in self.world.get_names_of_all_objects() if part in name]


def decoded(name: str, image: Any) -> Any:
    """A camera's picture as an array that means something."""
    raw = np.frombuffer(image.raw_data, np.uint8).reshape(image.height, image.width, 4).copy()
    blue, green, red = (raw[..., k].astype(np.int64) for k in range(3))
    if name == "depth":
        return (red + 256 * green + 65536 * blue) / (2**24 - 1) * 1000
    if name == "tags":
        return red
    if name == "ids":
        return green + 256 * blue
    return raw[..., 2::-1]


def street(port: int) -> Arrays:
    """A child before the car, paint on what takes it and what does not, fog and night."""
    visit = Visit(port)
    child = visit.spawn("walker.pedestrian.0010", 10.0, 0.5, 0.7, 90.0)
    visit.rig(192, 128)
    found = {f"plain {key}": value for key, value in visit.shoot().items()}
    found["camera"] = np.array(visit.sensors["depth"][0].get_transform().get_matrix())
    found["child"], found["car"] = child.id, visit.car.id
    found["box"] = np.array([child.get_location().x, child.get_location().y])
    houses = visit.names("BP_Apartment")
    for house in houses:
        visit.paint(house, (255, 0, 255))
    found["houses"] = visit.shoot()["rgb"]
    for stubborn in ("Road_", "vehicle_", "walker_", "SM_ParkedCar", "TrafficSign"):
        for name in visit.names(stubborn):
            visit.paint(name, (0, 255, 0))
    found["stubborn"] = visit.shoot()["rgb"]
    weather = visit.world.get_weather()
    visit.world.set_weather(carla.WeatherParameters(fog_density=80.0, sun_altitude_angle=45.0))
    found["fog"] = visit.shoot()["rgb"]
    visit.world.set_weather(carla.WeatherParameters(sun_altitude_angle=-60.0))
    found["night"] = visit.shoot()["rgb"]
    visit.world.set_weather(weather)
    found["again"] = visit.shoot()["rgb"]
    child.set_transform(visit.at(10.0, -4.0, 0.7))
    visit.world.tick()
    found["moved"] = visit.shoot()["ids"]
    return found


def plain(port: int) -> Arrays:
    """A barrier eight metres before the camera."""
    visit = Visit(port)
    barrier = visit.spawn("static.prop.streetbarrier", 8.5, 0.0, 0.0, 0.0)
    visit.rig(128, 96)
    banner = "SM_Banner_Advert_3"
    visit.paint(banner, (250, 20, 220))
    visit.paint("BP_TrafficSign_Stop_2", (20, 250, 20))
    found = visit.shoot()
    kinds = visit.world.get_environment_objects(carla.CityObjectLabel.Any)
    found["banner"] = next(each.id for each in kinds if each.name.startswith(banner))
    found["sign"] = next(each.id for each in kinds if "Sign" in each.name)
    found["barrier"] = barrier.id
    found["half"] = barrier.bounding_box.extent.x
    return found


def measures(port: int) -> Arrays:
    """What a lidar, an IMU, a GNSS and a bumper say of a car that drives into a barrier."""
    visit = Visit(port)
    barrier = visit.spawn("static.prop.streetbarrier", 12.0, 0.0, 0.0)
    top = carla.Transform(carla.Location(0.0, 0.0, 2.0))
    sweep = {"rotation_frequency": 20, "points_per_second": 64000, "range": 50}
    visit.mount("lidar", "sensor.lidar.ray_cast", top, dropoff_general_rate=0.0, **sweep)
    visit.mount("tagged", "sensor.lidar.ray_cast_semantic", top, **sweep)
    visit.mount("imu", "sensor.other.imu", top)
    visit.mount("gnss", "sensor.other.gnss", top)
    visit.settle()
    visit.mount("bump", "sensor.other.collision", top)
    visit.car.apply_control(carla.VehicleControl(throttle=1.0))
    for _ in range(8):
        frame = visit.world.tick()
    lidar, tagged = visit.heard("lidar", frame), visit.heard("tagged", frame)
    kind = np.dtype([*((axis, "f4") for axis in "xyzc"), ("id", "u4"), ("tag", "u4")])
    points = np.frombuffer(tagged.raw_data, kind)
    feel, place = visit.heard("imu", frame), visit.heard("gnss", frame)
    reckoned = visit.world.get_map().transform_to_geolocation(visit.car.get_location())
    found = {
        "points": np.frombuffer(lidar.raw_data, np.float32).reshape(-1, 4).copy(),
        "counts": np.array([lidar.get_point_count(k) for k in range(lidar.channels)]),
        "distance": points["x"][points["id"] == barrier.id].min(),
        "expected": visit.car.get_location().distance(barrier.get_location()) - 0.62,
        "pull": np.array([feel.accelerometer.x, feel.accelerometer.y, feel.accelerometer.z]),
        "globe": np.array([place.latitude, place.longitude]),
        "reckoned": np.array([reckoned.latitude, reckoned.longitude]),
        "barrier": barrier.id,
    }
    for _ in range(60):
        visit.world.tick()
    found["touched"] = visit.sensors["bump"][1].get(timeout=WAIT_S).other_actor.id
    return found


def speed(port: int, server_process: int) -> Arrays:
    """How many synchronous ticks with one camera a second of both processes' work is enough for.

    The clock on the wall would measure what else the machine does.
    """
    visit = Visit(port)
    place = carla.Transform(carla.Location(0.5, 0.0, 1.4))
    visit.mount("rgb", "sensor.camera.rgb", place, image_size_x=256, image_size_y=256)
    visit.settle()
    begun, ticks = worked_s(server_process), 200
    for _ in range(ticks):
        visit.heard("rgb", visit.world.tick())
    return {"ticks_per_s": ticks / (worked_s(server_process) - begun)}


def worked_s(server_process: int) -> float:
    """How long this process and the server's have worked."""
    stat = Path(f"/proc/{server_process}/stat").read_text().rsplit(")", 1)[1].split()
    user, system = int(stat[11]), int(stat[12])
    return time.process_time() + (user + system) / os.sysconf("SC_CLK_TCK")


def traffic(port: int, manager_port: int) -> Arrays:
    """Where a traffic manager of this very process has driven a car, twice the same."""
    visit = Visit(port)
    manager = visit.client.get_trafficmanager(manager_port)
    manager.set_synchronous_mode(True)
    manager.set_random_device_seed(5)
    visit.world.tick()
    visit.car.set_autopilot(True, manager_port)
    places = []
    for _ in range(200):
        visit.world.tick()
        place = visit.car.get_location()
        places.append([place.x, place.y])
    waypoint = visit.world.get_map().get_waypoint(visit.car.get_location())
    off = waypoint.transform.location.distance(visit.car.get_location())
    visit.car.set_autopilot(False, manager_port)
    manager.shut_down()
    command = carla.command.DestroyActor(visit.car.id)
    visit.client.apply_batch_sync([command], False)
    visit.world.tick()
    return {"places": np.array(places), "off": off, "lane": waypoint.lane_id}


PROBES = {probe.__name__: probe for probe in (street, plain, measures, speed, traffic)}

if __name__ == "__main__":
    name, out, *numbers = sys.argv[1:]
    np.savez(out, **PROBES[name](*map(int, numbers)))
    # the client's threads would be waited for, and may crash on their way out
    os._exit(0)
