"""The stand-in against the real client: what the calls bring back, and what the log keeps."""

from collections.abc import Callable
from typing import Any

import pytest

from hartsim.scenario.kinds import kinds_of

carla = pytest.importorskip("carla")


@pytest.fixture
def town(standin: Callable[..., Any]) -> tuple[Any, Any, Any]:
    """A plain server, its client and its world, ticked by the client."""
    server = standin(pictures="plain")
    client = carla.Client("127.0.0.1", server.port, 8)
    client.set_timeout(20.0)
    world = client.get_world()
    settings = world.get_settings()
    settings.synchronous_mode, settings.fixed_delta_seconds = True, 0.05
    world.apply_settings(settings)
    return server, client, world


def test_weather_comes_back_as_it_was_set_and_stands_in_the_log(town: Any) -> None:
    server, _, world = town
    weather = carla.WeatherParameters(cloudiness=80.0, sun_altitude_angle=-5.0, dust_storm=3.0)
    world.set_weather(weather)
    assert world.get_weather() == weather
    (call,) = server.calls("set_weather_parameters")
    assert (call["args"][0][0], call["args"][0][5], call["args"][0][13]) == (80.0, -5.0, 3.0)


def test_a_vehicle_is_not_spawned_into_another(town: Any) -> None:
    _, _, world = town
    blueprint = world.get_blueprint_library().find("vehicle.tesla.model3")
    point = world.get_map().get_spawn_points()[0]
    assert world.spawn_actor(blueprint, point).type_id == "vehicle.tesla.model3"
    with pytest.raises(RuntimeError, match="collision"):
        world.spawn_actor(blueprint, point)


def test_throttle_moves_a_vehicle_ahead_and_steering_turns_it_right(town: Any) -> None:
    _, _, world = town
    blueprint = world.get_blueprint_library().find("vehicle.tesla.model3")
    point = world.get_map().get_spawn_points()[0]
    vehicle = world.spawn_actor(blueprint, point)
    vehicle.apply_control(carla.VehicleControl(throttle=1.0, steer=0.1))
    for _ in range(40):
        world.tick()
    now = vehicle.get_transform()
    ahead = now.location - point.location
    assert point.get_forward_vector().dot(ahead) > 5
    assert point.get_right_vector().dot(ahead) > 0.5
    assert now.rotation.yaw > point.rotation.yaw + 5


def test_what_is_destroyed_by_batch_is_gone(town: Any) -> None:
    _, client, world = town
    blueprint = world.get_blueprint_library().find("static.prop.trafficcone01")
    points = world.get_map().get_spawn_points()[:3]
    spawned = client.apply_batch_sync(
        [carla.command.SpawnActor(blueprint, point) for point in points], False
    )
    numbers = [each.actor_id for each in spawned]
    gone = client.apply_batch_sync([carla.command.DestroyActor(n) for n in numbers], False)
    world.tick()
    assert not any(each.error for each in gone)
    assert len(world.get_actors(numbers)) == 0


def test_a_command_after_a_spawn_is_for_what_was_spawned(town: Any) -> None:
    _, client, world = town
    blueprint = world.get_blueprint_library().find("vehicle.audi.tt")
    point = world.get_map().get_spawn_points()[1]
    velocity = point.get_forward_vector() * 6
    command = carla.command.SpawnActor(blueprint, point).then(
        carla.command.ApplyTargetVelocity(carla.command.FutureActor, velocity)
    )
    (reply,) = client.apply_batch_sync([command], False)
    world.tick()
    assert world.get_actor(reply.actor_id).get_velocity().length() == pytest.approx(6, abs=0.6)


def test_loading_a_map_leaves_nothing_of_the_one_before(town: Any) -> None:
    _, client, world = town
    blueprint = world.get_blueprint_library().find("static.prop.barrel")
    world.spawn_actor(blueprint, carla.Transform())
    world = client.load_world("Town01")
    assert world.get_map().name == "Carla/Maps/Town01"
    assert not world.get_settings().synchronous_mode
    assert len(world.get_actors().filter("static.*")) == 0


def test_traffic_lights_turn_and_a_reset_begins_again_at_red(town: Any) -> None:
    _, _, world = town
    (light,) = world.get_actors().filter("traffic.traffic_light")
    for _ in range(45):
        world.tick()
    assert light.state == carla.TrafficLightState.Green
    world.reset_all_traffic_lights()
    world.tick()
    assert light.state == carla.TrafficLightState.Red


def test_the_map_has_a_street_to_drive_along_and_a_lane_that_comes_back(town: Any) -> None:
    _, _, world = town
    town_map = world.get_map()
    point = town_map.get_spawn_points()[0]
    here = town_map.get_waypoint(point.location)
    (there,) = here.next(190.0)
    assert here.transform.location.distance(there.transform.location) == pytest.approx(190, abs=0.1)
    assert there.transform.rotation.yaw == pytest.approx(here.transform.rotation.yaw, abs=0.01)
    assert here.get_left_lane().lane_id * here.lane_id < 0
    roads, around = [], here
    for _ in range(70):
        (around,) = around.next(10.0)
        roads.append(around.road_id)
    assert {1, 2, 3, 4} <= set(roads)
    assert roads[-1] == 1


def test_all_spawn_points_lie_in_the_middle_of_a_lane_and_point_along_it(town: Any) -> None:
    town_map = town[2].get_map()
    for point in town_map.get_spawn_points():
        lane = town_map.get_waypoint(point.location).transform
        assert point.location.distance(lane.location) == pytest.approx(0.6, abs=0.01)
        assert point.get_forward_vector().dot(lane.get_forward_vector()) > 0.999


def test_layers_and_objects_that_are_switched_off_stay_in_the_list(town: Any) -> None:
    server, _, world = town
    buildings = world.get_environment_objects(carla.CityObjectLabel.Buildings)
    world.enable_environment_objects({each.id for each in buildings}, False)
    world.unload_map_layer(carla.MapLayer.Buildings)
    assert len(world.get_environment_objects(carla.CityObjectLabel.Buildings)) == len(buildings)
    assert len(server.calls("enable_environment_objects", "unload_map_layer")) == 2


def test_every_recipe_of_the_catalogue_has_its_blueprint(town: Any) -> None:
    library = town[2].get_blueprint_library()
    for kind in kinds_of("driving"):
        if kind.carla is None or kind.carla.missing:
            continue
        found = [
            blueprint.id
            for blueprint in library.filter(kind.carla.blueprint)
            if all(
                blueprint.has_attribute(name) and blueprint.get_attribute(name).as_str() == wanted
                for name, wanted in kind.carla.attributes.items()
            )
        ]
        assert found, f"{kind.id}: {kind.carla}"


def test_an_attached_actor_moves_with_its_parent_as_the_client_reckons(town: Any) -> None:
    _, _, world = town
    library = world.get_blueprint_library()
    point = world.get_map().get_spawn_points()[2]
    car = world.spawn_actor(library.find("vehicle.lincoln.mkz_2020"), point)
    place = carla.Transform(carla.Location(1.0, -0.5, 1.5), carla.Rotation(-10.0, 30.0, 0.0))
    camera = world.spawn_actor(library.find("sensor.camera.rgb"), place, attach_to=car)
    world.tick()
    world.tick()
    expected = car.get_transform().transform(place.location)
    assert camera.get_transform().location.distance(expected) < 1e-3
    own = camera.get_transform().rotation
    assert (own.pitch, own.roll) == (pytest.approx(-10, abs=1e-3), pytest.approx(0, abs=1e-3))
